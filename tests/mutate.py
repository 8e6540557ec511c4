"""Mutation testing of what says whether a result is right: `make mutate`, or `python tests/mutate.py --help`.

One operator, comparison, constant or statement of the code is changed at a time; some test has to fail. Tests are
collected once; each mutant is tried in a forked child, which puts the changed code into the functions that are there
already and runs the tests that reach the statement, those that are about it first. Texts, annotations and what is
raised are not changed. Mutants that no test can tell from the code stand in equivalent_mutants.txt, with the reason.

No result of the sound code helps to kill a mutant: a child begins with empty caches, a test does not count for
statements that ran while its file was imported, and a test that killed has to pass in such a child on the sound code.

mutmut and cosmic-ray start the tests anew for every mutant (with numba, pyomo and pandas, ten times the work), and
change texts of messages as well.
"""

from __future__ import annotations

import argparse
import ast
import functools
import gc
import hashlib
import importlib
import json
import os
import random
import resource
import signal
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "nbb_opt"
JUDGED = (
    "test_verify_edges.py",
    "test_recompute.py",
    "test_verify_bites.py",
    "test_verify_rules.py",
    "test_verify_blocks.py",
    "test_sourcing.py",
)
PARTS = {  # code, and the quickest of the tests that are about it
    "instance/rules/factors.py": ("test_factor_figures.py",),
    "formats/dialect.py": ("test_foreign_files.py",),
    "emissions/*.py": ("test_emission_*.py", "test_outside_flows.py", "test_verify_bites.py"),
    "recompute/*.py": JUDGED,
    "verify/*.py": ("test_verify_foreign.py", *JUDGED),
}
MINUTES = (  # tests that solve instances/nbb
    "tests/test_emission_ledger.py::test_ledger_model_and_hand_agree_on_the_nordic_battery_belt",
    "tests/test_emission_ledger.py::test_the_ferry_over_the_kvarken_follows_its_own_change_of_fuel",
)
FILES = sorted({path for pattern in PARTS for path in SOURCE.glob(pattern)})
ORACLES = (  # tests with figures from elsewhere for all of the accounts: paper, and the statement of the model
    "tests/test_verify_rules.py::test_the_plans_on_paper_cost_and_emit_what_the_paper_says",
    "tests/test_verify_bites.py::test_a_plan_of_a_region_with_other_figures_is_accepted_and_its_ledger_adds_up",
    "tests/test_verify_bites.py::test_limits_at_what_the_plan_uses",
)
NARROW = 400  # statements that a test runs which is about few of them
NOT_PUT_IN = 77  # exit code of a child
STARTING_CPU_S = 0.5  # of any test in a new child
FIRST_TRIED = 8  # tests that found most faults so far
LEAST_CPU_S = 10.0  # a test that needs more than this and three times what its file needs is taken not to end
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.txt")  # names of mutants, below a line with the reason

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.Mod: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.USub: ast.UAdd,
    ast.Continue: ast.Break, ast.Break: ast.Continue,
}  # fmt: skip
NAMES = {"min": "max", "any": "all", "minimum": "maximum", "floor": "ceil", "nanmin": "nanmax", "isin": "notna"}
NAMES |= {new: old for old, new in NAMES.items() if old != "isin"}
SKIPPED = (ast.Raise, ast.JoinedStr, ast.arguments, ast.Import, ast.ImportFrom)
NO_ANSWER = ("drop", "ignore_index", "strict")  # keywords that number rows anew, or that what is of one length is so

Function = tuple[str, int]  # its file and first line
Statement = int  # its file's place in FILES, and its line: see `_statement`


@dataclass(frozen=True)
class Node:
    """A node of a file's code, in which function it is (none at the level of the module), and in which statement."""

    node: ast.AST
    function: str
    first_line: int
    line: int


@dataclass(frozen=True)
class Mutant:
    """One change of the `number`-th node of a file."""

    path: Path
    number: int
    function: str
    first_line: int
    line: int
    text: str
    change: str

    @property
    def of(self) -> Function:
        return str(self.path), self.first_line

    @property
    def where(self) -> str:
        return f"{self.path.relative_to(SOURCE)} {self.function}".strip()

    @property
    def name(self) -> str:
        return f"{self.where}: {self.change} in `{self.text}`"

    def __str__(self) -> str:
        return f"{self.name} (line {self.line})"


def _statement(path: Path, line: int) -> Statement:
    return FILES.index(path) * 10_000 + line


def nodes(node: ast.AST, function: str = "", first_line: int = 0, line: int = 0) -> Iterator[Node]:
    """Everything below a node that is run, texts and what is raised apart; of classes, their methods."""
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if name in ("returns", "annotation") or not isinstance(child, ast.AST) or isinstance(child, SKIPPED):
                continue
            if isinstance(child, ast.ClassDef):
                for each in child.body:
                    if isinstance(each, ast.FunctionDef):
                        yield from _in_function(each, f"{child.name}.{each.name}")
            elif isinstance(child, ast.FunctionDef) and not function:
                yield from _in_function(child, child.name)
            elif getattr(child, "arg", "") not in NO_ANSWER:
                at = child.lineno if isinstance(child, ast.stmt) else line
                yield Node(child, function, first_line, at)
                yield from nodes(child, function, first_line, at)


def _in_function(node: ast.FunctionDef, name: str) -> Iterator[Node]:
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    yield from nodes(ast.Module(body, []), name, first)


def mutants(path: Path) -> Iterator[Mutant]:
    """Every change of a file, in the order of its nodes."""
    text = path.read_text("utf-8")
    tree, lines = ast.parse(text), text.splitlines()
    numbers = {node: i for i, node in enumerate(ast.walk(tree))}
    for each in nodes(tree):
        changed = _change(each.node)
        if changed and (each.function or isinstance(each.node, ast.Constant)):
            before = _shown(each.node)
            changed()
            change = f"`{before}` -> `{_shown(each.node)}`"
            changed(back=True)
            own = lines[getattr(each.node, "lineno", each.line) - 1].strip()
            yield Mutant(path, numbers[each.node], each.function, each.first_line, each.line, own, change)


def statements(mutant: Mutant) -> set[Statement]:
    """Those that a test has to reach: that of the mutant; of a constant of a module, those that have its name."""
    if mutant.function:
        return {_statement(mutant.path, mutant.line)}
    parts = ast.parse(mutant.path.read_text("utf-8")).body
    made = next(part for part in parts if part.lineno == mutant.line)
    names = {each.id for each in ast.walk(made) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    found = set()
    for path in FILES:
        tree = ast.parse(path.read_text("utf-8"))
        for each in nodes(tree):
            if each.function and isinstance(each.node, ast.Name) and each.node.id in names:
                found.add(_statement(path, each.line))
        for function in [part for part in ast.walk(tree) if isinstance(part, ast.FunctionDef)]:
            if names & {part.id for part in ast.walk(function.args) if isinstance(part, ast.Name)}:  # a default
                found |= {_statement(path, part.lineno) for part in function.body}
    return found


def rules_named(mutant: Mutant) -> set[str]:
    """Rules of the verifier that the function of a mutant names: texts of its code that are one word."""
    tree = ast.parse(mutant.path.read_text("utf-8"))
    functions = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]
    lines = [each for each in functions if each.lineno <= mutant.line <= (each.end_lineno or 0)]
    texts = {part.value for each in lines for part in ast.walk(each) if isinstance(part, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and text.isidentifier() and "_" in text}


def rule_of(test: str) -> str:
    """The rule for which a case of a test is one: `test_a_fault[agree_use-fault0]`."""
    return test.partition("[")[2].partition("-")[0]


def _shown(node: ast.AST) -> str:
    return ast.unparse(node.test if isinstance(node, ast.If | ast.While) else node).replace("\n", " ")


def _change(node: ast.AST) -> Callable[..., None] | None:
    """What changes the node in place, and back."""

    def put(of: Any, name: str, new: Any) -> Callable[..., None]:
        old = getattr(of, name)
        return lambda back=False: setattr(of, name, old if back else new)

    match node:
        case ast.BinOp() | ast.AugAssign() | ast.BoolOp() if type(node.op) in SWAPS:
            return put(node, "op", SWAPS[type(node.op)]())
        case ast.UnaryOp(op=ast.Not() | ast.Invert()):
            return put(node, "operand", ast.UnaryOp(node.op, node.operand))
        case ast.UnaryOp(op=ast.USub()):
            return put(node, "op", ast.UAdd())
        case ast.Compare():
            return put(node, "ops", [SWAPS[type(node.ops[0])](), *node.ops[1:]])
        case ast.If() | ast.IfExp() | ast.While():
            return put(node, "test", ast.UnaryOp(ast.Not(), node.test))
        case ast.Constant(value=bool(value)):
            return put(node, "value", not value)
        case ast.Constant(value=int(value) | float(value)):
            return put(node, "value", value + 1 if isinstance(value, int) else 2.0 * value or 1.0)
        case ast.Expr(value=ast.Call()):
            return put(node, "value", ast.Constant(None))
        case ast.Call(func=ast.Attribute(attr=name) as called) if name in NAMES:
            return put(called, "attr", NAMES[name])
        case ast.Call(func=ast.Name(id=name) as called) if name in NAMES:
            return put(called, "id", NAMES[name])
    return None


def functions_of_files() -> dict[Function, list[FunctionType]]:
    """The functions that there are now, methods and those within others among them."""
    found = defaultdict(list)
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(str(SOURCE)):
            found[each.__code__.co_filename, each.__code__.co_firstlineno].append(each)
    return found


def put_in(mutant: Mutant, functions: dict[Function, list[FunctionType]]) -> bool:
    """Whether the changed code took the place of the old in this process."""
    tree = ast.parse(mutant.path.read_text("utf-8"))
    change = _change(list(ast.walk(tree))[mutant.number])
    assert change is not None
    change()
    if not mutant.function:
        return _put_in_module(mutant, tree, functions)
    return _put_in_functions(mutant.path, tree, functions, only=mutant.of)


def note_what_is_reached(seen: set[Statement]) -> None:
    """From now on every statement of every function of FILES is noted in `seen` when it is run."""
    for path in FILES:
        vars(_module(path))["REACHED"] = seen
    functions = functions_of_files()
    for path in FILES:
        tree = ast.parse(path.read_text("utf-8"))
        for node in [each for each in ast.walk(tree) if not isinstance(each, ast.Module | ast.ClassDef)]:
            for name, value in ast.iter_fields(node):
                if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                    notes = [ast.parse(f"REACHED.add({_statement(path, each.lineno)})").body[0] for each in value]
                    setattr(node, name, [part for pair in zip(notes, value, strict=True) for part in pair])
        _put_in_functions(path, tree, functions)


def take_notes_out() -> None:
    functions = functions_of_files()
    for path in FILES:
        _put_in_functions(path, ast.parse(path.read_text("utf-8")), functions)


def _put_in_functions(
    path: Path, tree: ast.Module, functions: dict[Function, list[FunctionType]], only: Function | None = None
) -> bool:
    code = compile(ast.fix_missing_locations(tree), path, "exec")
    found = False
    for new in [each for part in [code, *_within(code)] for each in _within(part)]:
        of = (str(path), new.co_firstlineno)
        for each in functions.get(of, ()) if only in (None, of) else ():
            if new.co_qualname == each.__code__.co_qualname:
                each.__code__, found = new, True
    return found


def _within(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def _module(path: Path) -> ModuleType:
    dotted = ".".join(("nbb_opt", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    return importlib.import_module(dotted)


def caches() -> list[Any]:
    """Those of the functions of the package and of the tests."""
    found = [each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper)]
    codes = [getattr(each.__wrapped__, "__code__", None) for each in found]
    return [each for each, code in zip(found, codes, strict=True) if code and code.co_filename.startswith(str(ROOT))]


def _put_in_module(mutant: Mutant, tree: ast.Module, functions: dict[Function, list[FunctionType]]) -> bool:
    """A constant of a module, and the same object under the same name wherever it was imported to."""
    statement = next(each for each in tree.body if each.lineno <= mutant.line <= (each.end_lineno or each.lineno))
    module = _module(mutant.path)
    before = dict(vars(module))
    exec(compile(ast.Module([statement], []), str(mutant.path), "exec"), vars(module))
    for name, value in before.items():
        new = vars(module)[name]
        if new is not value:
            for other in list(sys.modules.values()):
                if vars(other).get(name) is value:
                    setattr(other, name, new)
            for each in [each for some in functions.values() for each in some]:
                each.__defaults__ = tuple(new if old is value else old for old in each.__defaults__ or ()) or None
                keywords = each.__kwdefaults__ or {}
                keywords |= {key: new for key, old in keywords.items() if old is value}
    return True


@dataclass
class Reach:
    """What a run of the sound code said: CPU seconds of every test, the statements that it runs, and those that the
    import of a file runs. What tests of a file share is made by the first that needs it.
    """

    digest: str
    cpu_s: dict[str, float] = field(default_factory=dict)
    reached: dict[str, list[Statement]] = field(default_factory=dict)
    imported: dict[str, list[Statement]] = field(default_factory=dict)
    failing: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path) -> Reach:
        """What is kept of this code; nothing of another."""
        digest = hashlib.sha256(b"".join(each.read_bytes() for each in FILES)).hexdigest()
        kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
        return cls(**kept) if kept.get("digest") == digest else cls(digest)


class Mutation:
    """Takes over once pytest has collected the tests."""

    def __init__(self, chosen: Sequence[Mutant], most_cpu_s: float, kept: Path, jobs: int) -> None:
        self.chosen, self.most_cpu_s, self.kept, self.jobs = list(chosen), most_cpu_s, kept, jobs
        self.survived: list[Mutant] = []
        self.killed: list[Mutant] = []
        self.kills = Counter[tuple[Path | None, str]]()  # by file and test, and by test
        self.sound: set[str] = set()  # tests that pass by themselves in a child
        self.reach = Reach.load(kept)
        self.seen = set[Statement]()
        note_what_is_reached(self.seen)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        if not isinstance(collector, pytest.Module):
            return (yield)
        for each in caches():
            each.cache_clear()
        self.seen.clear()
        found = yield
        self.reach.imported[collector.path.name] = sorted(self.seen)
        return found

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        # what the tests import holds all that they need; nothing has run yet, so that no thread is lost in a fork
        self.items = {item.nodeid: item for item in session.items}
        self.caches = caches()
        self.note_reach([item for item in session.items if item.nodeid not in self.reach.cpu_s])
        take_notes_out()
        self.by_statement = self.tests_by_statement()
        self.functions, self.caches = functions_of_files(), caches()
        gc.freeze()  # children share what is there
        running: dict[int, Mutant] = {}
        while self.chosen or running:
            while self.chosen and len(running) < self.jobs:
                mutant = self.chosen.pop(0)
                if tests := self.tests_of(mutant):
                    running[self.begin(mutant, tests)] = mutant
                else:
                    self.note(mutant, "", "no test reaches it", 0.0)
            if running:
                self.wait_for_one(running)
        return True

    def wait_for_one(self, running: dict[int, Mutant]) -> None:
        child, ended, used = os.wait3(0)
        mutant, said = running.pop(child), self.kept.with_name(f"trying-{child}")
        if os.WIFEXITED(ended) and os.WEXITSTATUS(ended) == NOT_PUT_IN:
            raise RuntimeError(f"the code to be changed is not there: {mutant}")
        last = said.read_text("utf-8")
        said.unlink()
        if ended and last not in self.sound:
            alone = self.begin(None, [last])
            if os.waitpid(alone, 0)[1]:
                print(f"left out, as it fails by itself without any change: {last}", flush=True)
                self.reach.failing.append(last)
                self.chosen.insert(0, mutant)
                return
            self.sound.add(last)
        if ended:
            self.kills.update([(mutant.path, last), (None, last)])
        self.note(mutant, last if ended else "", f"{len(self.tests_of(mutant))} tests", used.ru_utime + used.ru_stime)

    def note(self, mutant: Mutant, killer: str, why_not: str, cpu_s: float) -> None:
        (self.killed if killer else self.survived).append(mutant)
        how = f"killed by {killer}" if killer else f"SURVIVED {why_not}"
        judged = len(self.killed) + len(self.survived)
        print(f"{judged}/{judged + len(self.chosen)} {mutant}: {how}, {cpu_s:.1f} CPU s", flush=True)

    def note_reach(self, items: Sequence[pytest.Item]) -> None:
        """By running tests once, each file in a child, as pytest would."""
        by_file = defaultdict(list)
        for item in items:
            by_file[item.path].append(item)
        running = dict[int, Path]()
        for path, tests in [*by_file.items(), (None, [])]:
            while running and (path is None or len(running) == self.jobs):
                said = running.pop(os.wait()[0])
                for name, (cpu_s, reached, failed) in json.loads(said.read_text("utf-8")).items():
                    self.reach.cpu_s[name], self.reach.reached[name] = cpu_s, reached
                    if failed:
                        self.reach.failing.append(name)
                        print(f"left out, as it fails without any change: {name}", flush=True)
                self.kept.write_text(json.dumps(vars(self.reach)), "utf-8")
            if path is not None:
                said = self.kept.with_name(f"{path.stem}.reach")
                running[self.fork(partial(self.run_noting, tests, said))] = said

    def run_noting(self, tests: list[pytest.Item], said: Path) -> None:
        found = {}
        for test, then in zip_longest(tests, tests[1:]):
            self.seen.clear()
            begun, failed = _cpu_s(), test.session.testsfailed
            test.config.hook.pytest_runtest_protocol(item=test, nextitem=then)
            found[test.nodeid] = _cpu_s() - begun, sorted(self.seen), test.session.testsfailed > failed
            said.write_text(json.dumps(found), "utf-8")

    def tests_by_statement(self) -> dict[Statement, dict[str, None]]:
        """The tests that run a statement themselves, then those of the same files after them, which may as well."""
        own, later = defaultdict[Statement, dict[str, None]](dict), defaultdict[Statement, dict[str, None]](dict)
        before = defaultdict[str, set[Statement]](set)
        for name, reached in self.reach.reached.items():
            if name in self.items and name not in self.reach.failing:
                file = self.items[name].path.name
                imported = set(self.reach.imported.get(file, ()))
                for each in set(reached) - imported:
                    own[each][name] = None
                for each in before[file] - imported - set(reached):
                    later[each][name] = None
                before[file].update(reached)
        return {each: own[each] | later[each] for each in own}

    def tests_of(self, mutant: Mutant) -> list[str]:
        """First tests that run little beside the statement and those that found most faults a second, then those of a
        rule that the function names, ORACLES, and then one case of every test, those first that are narrow and quick,
        a second case of each, and so on.
        """
        cpu_s, failing = self.reach.cpu_s, set(self.reach.failing)
        reaching = [name for each in statements(mutant) for name in self.by_statement.get(each, ())]
        reaching = [name for name in dict.fromkeys(reaching) if name not in failing]
        found = {
            name: (10 * self.kills[mutant.path, name] + self.kills[None, name]) / (cpu_s[name] + STARTING_CPU_S)
            for name in reaching
        }
        best = [name for name in sorted(reaching, key=found.__getitem__, reverse=True) if found[name]][:FIRST_TRIED]
        breadth = {name: len(self.reach.reached[name]) ** 2 * (cpu_s[name] + STARTING_CPU_S) for name in reaching}
        narrow = sorted((name for name in reaching if len(self.reach.reached[name]) < NARROW), key=breadth.__getitem__)
        oracles = sorted((name for name in reaching if name.startswith(ORACLES)), key=breadth.__getitem__)
        rules = rules_named(mutant)
        named = sorted((name for name in reaching if rule_of(name) in rules), key=breadth.__getitem__)
        cases, turns = Counter[str](), dict[str, tuple[int, float]]()
        for name in sorted(reaching, key=breadth.__getitem__):
            turns[name] = cases[name.partition("[")[0]], breadth[name]
            cases[name.partition("[")[0]] += 1
        in_turn = sorted(turns, key=turns.__getitem__)
        chosen, spent_s = list[str](), 0.0
        for name in dict.fromkeys([*narrow[:2], *best, *narrow[:FIRST_TRIED], *named, *oracles, *in_turn]):
            if not chosen or spent_s + cpu_s[name] <= self.most_cpu_s:
                chosen.append(name)
                spent_s += cpu_s[name]
        return chosen

    def begin(self, mutant: Mutant | None, tests: list[str]) -> int:
        """Start a child that tries the mutant, or the sound code: it ends with 0 if no test fails."""
        return self.fork(lambda: self.try_out(mutant, tests))

    def fork(self, work: Callable[[], None]) -> int:
        sys.stdout.flush()
        if child := os.fork():
            return child
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        for each in self.caches:
            each.cache_clear()
        work()
        os._exit(0)

    def try_out(self, mutant: Mutant | None, tests: list[str]) -> None:
        said = self.kept.with_name(f"trying-{os.getpid()}")
        if mutant:
            said.write_text("", "utf-8")
            if not put_in(mutant, self.functions):
                os._exit(NOT_PUT_IN)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        for name, then in zip_longest(tests, tests[1:]):
            if mutant:
                said.write_text(name, "utf-8")
            test = self.items[name]
            file_s = sum(s for each, s in self.reach.cpu_s.items() if each.startswith(name.partition("::")[0]))
            limit_s = int(LEAST_CPU_S + 3 * file_s)
            resource.setrlimit(resource.RLIMIT_CPU, (int(_cpu_s()) + limit_s, resource.RLIM_INFINITY))
            signal.alarm(20 * limit_s)
            hook = test.config.hook
            hook.pytest_runtest_protocol(item=test, nextitem=self.items[then] if then else None)
            if test.session.testsfailed:
                os._exit(1)


def _cpu_s() -> float:
    return sum(os.times()[:4])


def main() -> int:
    """Exit code 1 if fewer than --at-least percent are killed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("code", nargs="*", default=list(PARTS), help=f"parts of it: {', '.join(PARTS)}")
    parser.add_argument("--sample", type=int, default=150, help="mutants chosen at random; 0: all")
    parser.add_argument("--seed", type=int, default=0, help="of the sample: another seed, other mutants")
    parser.add_argument("--cpu-s", type=float, default=40.0, help="CPU seconds of tests per mutant at most")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="mutants tried at once")
    parser.add_argument("--at-least", type=float, default=90.0, help="percent to be killed")
    parser.add_argument("--reach", type=Path, help="file that keeps which tests reach what, for other mutants of them")
    parser.add_argument("--only", default="", help="only mutants whose line of the report has this text")
    asked = parser.parse_args()
    if unknown := set(asked.code) - set(PARTS):
        parser.error(f"no part of it: {', '.join(sorted(unknown))}; give of {', '.join(PARTS)}")
    found = [mutant for pattern in asked.code for path in sorted(SOURCE.glob(pattern)) for mutant in mutants(path)]
    lines = EQUIVALENT.read_text("utf-8").splitlines()
    equivalent = {line for line in lines if line and not line.startswith("#")}
    if stale := equivalent - {mutant.name for path in FILES for mutant in mutants(path)}:
        parser.error(f"no mutants of the code as it is, but in {EQUIVALENT.name}: {'; '.join(sorted(stale))}")
    found = [mutant for mutant in found if asked.only in str(mutant)]
    drawn = random.Random(asked.seed).sample(found, min(asked.sample, len(found))) if asked.sample else found
    chosen = [each for each in drawn if each.name not in equivalent]
    print(f"{len(found):,} mutants, {len(drawn)} drawn, {len(drawn) - len(chosen)} of them equivalent", flush=True)
    kept = (asked.reach or Path(tempfile.mkdtemp()) / "reach.json").resolve()
    mutation = Mutation(chosen, asked.cpu_s, kept, asked.jobs)
    tests = sorted({str(p) for part in asked.code for name in PARTS[part] for p in (ROOT / "tests").glob(name)})
    doctests = sorted({str(path) for pattern in asked.code for path in SOURCE.glob(pattern)})
    words = ["-q", "-p", "no:cacheprovider", "-p", "no:timeout", "--no-header", "--no-summary", "-s"]
    words += [*tests, *doctests, *(f"--deselect={name}" for name in MINUTES)]
    if code := pytest.main(words, plugins=[mutation]):
        return int(code)
    print(f"\n{len(mutation.survived)} survived:")
    for mutant in sorted(mutation.survived, key=str):
        print(f"  {mutant}")
    counts = [
        Counter(each.path.relative_to(SOURCE).parts[0] for each in some) for some in (drawn, chosen, mutation.killed)
    ]
    for name in [*sorted(counts[0]), "all"]:
        n, judged, killed = (each.total() if name == "all" else each[name] for each in counts)
        share = f"{100 * killed / judged:.1f} %" if judged else "none"
        print(f"{name:10} {n:4} drawn {n - judged:3} equivalent {judged:4} tried {killed:4} killed: {share}")
    return int(100 * len(mutation.killed) < asked.at_least * len(chosen))


if __name__ == "__main__":
    sys.exit(main())
