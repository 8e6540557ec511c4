"""Mutation testing of what says whether a result is right: `make mutate`, or `python tests/mutate.py --help`.

One operator, comparison, constant or statement of the code is changed at a time; some test has to fail. Tests are
collected once; each mutant is tried in a forked child, which puts the changed code into the functions that are there
already and runs the tests that reach the function, the quickest first. Texts, annotations and what is raised are not
changed. A mutant that no test can tell from the code is named in EQUIVALENT, with the reason.

mutmut and cosmic-ray start the tests anew for every mutant (with numba, pyomo and pandas, ten times the work), and
change texts of messages as well.
"""

from __future__ import annotations

import argparse
import ast
import gc
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "nbb_opt"
JUDGED = (
    "test_verify_bites.py",
    "test_verify_rules.py",
    "test_verify_mutations.py",
    "test_verify_blocks.py",
    "test_haulage.py",
    "test_fuels.py",
)
PARTS = {  # code, and the tests that are about it
    "instance/rules/factors.py": ("test_factor_figures.py",),
    "formats/dialect.py": ("test_foreign_files.py",),
    "emissions/*.py": ("test_emission_*.py", "test_outside_flows.py"),
    "recompute/*.py": ("test_tiny.py", *JUDGED),
    "verify/*.py": (
        "test_verify_foreign.py",
        "test_forgeries.py",
        "test_caps.py",
        "test_what_if.py",
        "test_extension.py",
        *JUDGED,
    ),
}
EARLY = "tests/test_verify_bites.py"  # needs no run of its own, which a child would have to make anew
NOT_PUT_IN = 77  # exit code of a child
STARTING_CPU_S = 0.5  # of any test in a new child
FIRST_TRIED = 8  # tests that found most faults so far
LEAST_CPU_S = 10  # a mutant that needs longer than this and five times what its tests need does not end: it is killed
EQUIVALENT: dict[tuple[str, str, str], str] = {}  # file, function, change -> why nothing can tell it from the code

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.Mod: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.USub: ast.UAdd,
    ast.Continue: ast.Break, ast.Break: ast.Continue,
}  # fmt: skip
NAMES = {"min": "max", "any": "all", "minimum": "maximum", "floor": "ceil", "nanmin": "nanmax", "isin": "notna"}
NAMES |= {new: old for old, new in NAMES.items() if old != "isin"}
SKIPPED = (ast.Raise, ast.JoinedStr, ast.arguments, ast.AnnAssign, ast.ClassDef, ast.Import, ast.ImportFrom)


Function = tuple[str, int]  # its file and first line
OF_THE_INDEX = ("drop", "ignore_index")  # keywords that number rows of a frame anew: no answer has these numbers


@dataclass(frozen=True)
class Mutant:
    """One change of the `number`-th node of a file; `function` is empty at the level of the module."""

    path: Path
    number: int
    function: str
    first_line: int
    line: int
    change: str

    @property
    def of(self) -> Function:
        return str(self.path), self.first_line

    def __str__(self) -> str:
        return f"{self.path.relative_to(SOURCE)}:{self.line} {self.function}: {self.change}"


def mutants(path: Path) -> Iterator[Mutant]:
    """Every change of a file, in the order of its nodes."""
    tree = ast.parse(path.read_text("utf-8"))
    numbers = {node: i for i, node in enumerate(ast.walk(tree))}

    def below(node: ast.AST, function: str, first_line: int) -> Iterator[Mutant]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                methods = [each for each in child.body if isinstance(each, ast.FunctionDef)]
                for each in methods:
                    yield from inside(each, f"{child.name}.{each.name}")
            elif isinstance(child, ast.FunctionDef) and not function:
                yield from inside(child, child.name)
            elif not isinstance(child, SKIPPED) and getattr(child, "arg", "") not in OF_THE_INDEX:
                changed = _change(child)
                if changed and (function or isinstance(child, ast.Constant)):
                    line = getattr(child, "lineno", first_line)
                    before = _shown(child)
                    changed()
                    change = f"`{before}` -> `{_shown(child)}`"
                    changed(back=True)
                    yield Mutant(path, numbers[child], function, first_line, line, change)
                yield from below(child, function, first_line)

    def inside(node: ast.FunctionDef, name: str) -> Iterator[Mutant]:
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        yield from below(ast.Module(body, []), name, first)

    yield from below(tree, "", 0)


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


def put_in(mutant: Mutant) -> bool:
    """Whether the changed code took the place of the old in this process."""
    tree = ast.parse(mutant.path.read_text("utf-8"))
    change = _change(list(ast.walk(tree))[mutant.number])
    assert change is not None
    change()
    if not mutant.function:
        return _put_in_module(mutant, tree)
    return _put_in_functions(mutant.path, tree, only=mutant.of)


def note_what_is_reached(path: Path, seen: set[Function]) -> None:
    """From now on every function of the file notes in `seen` that it was called."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in [*tree.body, *(each for part in tree.body if isinstance(part, ast.ClassDef) for each in part.body)]:
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            node.body.insert(0, ast.parse(f"REACHED.add(({str(path)!r}, {first}))").body[0])
    vars(_module(path))["REACHED"] = seen
    _put_in_functions(path, tree)


def _put_in_functions(path: Path, tree: ast.Module, only: Function | None = None) -> bool:
    code = compile(ast.fix_missing_locations(tree), path, "exec")
    codes = {each.co_firstlineno: each for part in [code, *_within(code)] for each in _within(part)}
    found = False
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename == str(path):
            of, new = (str(path), each.__code__.co_firstlineno), codes.get(each.__code__.co_firstlineno)
            if only in (None, of) and new and new.co_qualname == each.__code__.co_qualname:
                each.__code__, found = new, True
    return found


def _within(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def _module(path: Path) -> ModuleType:
    dotted = ".".join(("nbb_opt", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    return sys.modules[dotted]


def _put_in_module(mutant: Mutant, tree: ast.Module) -> bool:
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
    return True


@dataclass
class Reach:
    """What a run of the sound code said: CPU seconds of every test, and the functions that it or those before reach."""

    cpu_s: dict[str, float]
    functions: dict[str, list[Function]]
    failing: list[str]

    @classmethod
    def load(cls, path: Path) -> Reach:
        read = json.loads(path.read_text("utf-8"))
        functions = {test: [(file, line) for file, line in seen] for test, seen in read["functions"].items()}
        return cls(read["cpu_s"], functions, read["failing"])


class Mutation:
    """Takes over once pytest has collected the tests."""

    def __init__(self, chosen: Sequence[Mutant], files: set[Path], most_cpu_s: float, kept: Path, jobs: int) -> None:
        self.chosen, self.files, self.most_cpu_s, self.kept, self.jobs = chosen, files, most_cpu_s, kept, jobs
        self.survived: list[Mutant] = []
        self.killed = 0
        self.kills = Counter[str]()  # by test: one that found a fault finds the next one of the same code sooner

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        # what the tests import holds all that they need; nothing has run yet, so that no thread is lost in a fork
        reach = Reach.load(self.kept) if self.kept.exists() else Reach({}, {}, [])
        if new := [item for item in session.items if item.nodeid not in reach.cpu_s]:
            self.note_reach(new, reach)
            reach = Reach.load(self.kept)
        for name in reach.failing:
            print(f"left out, as it fails without any change: {name}", flush=True)
        items = {item.nodeid: item for item in session.items}
        running: dict[int, Mutant] = {}
        for mutant in self.chosen:
            if tests := [items[name] for name in self.tests_of(mutant, reach) if name in items]:
                while len(running) >= self.jobs:
                    self.wait_for_one(running)
                running[self.begin(session, mutant, tests, reach)] = mutant
            else:
                self.note(mutant, "", "no test reaches it")
        while running:
            self.wait_for_one(running)
        return True

    def wait_for_one(self, running: dict[int, Mutant]) -> None:
        child, ended = os.wait()
        mutant, said = running.pop(child), self.kept.with_name(f"killer-{child}")
        if os.WIFEXITED(ended) and os.WEXITSTATUS(ended) == NOT_PUT_IN:
            raise RuntimeError(f"the code to be changed is not there: {mutant}")
        killer = said.read_text("utf-8") if said.exists() else ""
        said.unlink(missing_ok=True)
        self.kills[killer] += bool(killer)
        self.note(mutant, killer or "the process ended" if ended else "", "")

    def note(self, mutant: Mutant, killer: str, why_not: str) -> None:
        self.killed += bool(killer)
        if not killer:
            self.survived.append(mutant)
        how = f"killed by {killer}" if killer else f"SURVIVED {why_not}"
        print(f"{self.killed + len(self.survived)}/{len(self.chosen)} {mutant}: {how}", flush=True)

    def note_reach(self, items: list[pytest.Item], reach: Reach) -> None:
        """By running tests once in a child, as pytest would, with a note of each function that is called."""
        if not os.fork():
            _be_quiet()
            session, seen = items[0].session, set[Function]()
            for path in self.files:
                note_what_is_reached(path, seen)
            for item, then in zip_longest(items, items[1:]):
                begun = time.process_time()
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=then)
                reach.functions[item.nodeid] = sorted(seen)
                if then is None or then.path != item.path:  # what a file keeps was made by its first tests
                    seen.clear()
                reach.cpu_s[item.nodeid] = time.process_time() - begun
                if session.testsfailed:
                    reach.failing.append(item.nodeid)
                    del reach.functions[item.nodeid]
                    session.testsfailed = 0
            self.kept.write_text(json.dumps(vars(reach)), "utf-8")
            os._exit(0)
        os.wait()

    def tests_of(self, mutant: Mutant, reach: Reach) -> list[str]:
        """The tests that reach the function (the file, for a constant): first EARLY, then those that found most faults
        a second, then one case of every test, the quickest first, then a second of each, and so on.
        """
        file, of = str(mutant.path), mutant.of
        reaching = [
            name for name, seen in reach.functions.items()
            if (of in seen if mutant.function else any(each[0] == file for each in seen))
        ]  # fmt: skip
        best = sorted(
            (name for name in reaching if self.kills[name]),
            key=lambda name: (-self.kills[name] / (reach.cpu_s[name] + STARTING_CPU_S), name),
        )[:FIRST_TRIED]
        early = sorted((name for name in reaching if name.startswith(EARLY)), key=reach.cpu_s.__getitem__)
        cases, turns = Counter[str](), dict[str, tuple[int, float]]()
        for name in sorted(reaching, key=reach.cpu_s.__getitem__):
            turns[name] = cases[name.partition("[")[0]], reach.cpu_s[name]
            cases[name.partition("[")[0]] += 1
        chosen, spent_s = list[str](), 0.0
        for name in dict.fromkeys([*early, *best, *sorted(turns, key=turns.__getitem__)]):
            spent_s += reach.cpu_s[name]
            if chosen and spent_s > self.most_cpu_s:
                break
            chosen.append(name)
        return chosen

    def begin(self, session: pytest.Session, mutant: Mutant, tests: list[pytest.Item], reach: Reach) -> int:
        """Start a child that tries the mutant: it ends with 0 if no test fails."""
        limit_s = int(LEAST_CPU_S + 5 * sum(reach.cpu_s[test.nodeid] for test in tests))
        if child := os.fork():
            return child
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20 * limit_s)
        _be_quiet()
        if not put_in(mutant):
            os._exit(NOT_PUT_IN)
        for test, then in zip_longest(tests, tests[1:]):
            test.config.hook.pytest_runtest_protocol(item=test, nextitem=then)
            if session.testsfailed:
                self.kept.with_name(f"killer-{os.getpid()}").write_text(test.nodeid, "utf-8")
                os._exit(1)
        os._exit(0)


def _be_quiet() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def main() -> int:
    """Exit code 1 if fewer than --at-least percent are killed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("code", nargs="*", default=list(PARTS), help=f"parts of it: {', '.join(PARTS)}")
    parser.add_argument("--sample", type=int, default=300, help="mutants chosen at random; 0: all")
    parser.add_argument("--seed", type=int, default=0, help="of the sample: another seed, other mutants")
    parser.add_argument("--cpu-s", type=float, default=90.0, help="CPU seconds of tests per mutant at most")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="mutants tried at once")
    parser.add_argument("--at-least", type=float, default=90.0, help="percent to be killed")
    parser.add_argument("--reach", type=Path, help="file that keeps which tests reach what, for other mutants of them")
    parser.add_argument("--only", default="", help="only mutants whose line of the report has this text")
    asked = parser.parse_args()
    if unknown := set(asked.code) - set(PARTS):
        parser.error(f"no part of it: {', '.join(sorted(unknown))}; give of {', '.join(PARTS)}")
    found = [mutant for pattern in asked.code for path in sorted(SOURCE.glob(pattern)) for mutant in mutants(path)]
    found = [mutant for mutant in found if asked.only in str(mutant)]
    chosen = random.Random(asked.seed).sample(found, min(asked.sample, len(found))) if asked.sample else found
    equivalent = [each for each in chosen if _name(each) in EQUIVALENT]
    chosen = [each for each in chosen if each not in set(equivalent)]
    print(f"{len(found):,} mutants, {len(chosen)} chosen, {len(equivalent)} left out as equivalent", flush=True)
    kept = (asked.reach or Path(tempfile.mkdtemp()) / "reach.json").resolve()
    files = {path for pattern in asked.code for path in SOURCE.glob(pattern)}  # whatever of them is asked for now
    mutation = Mutation(chosen, files, asked.cpu_s, kept, asked.jobs)
    tests = sorted({str(p) for part in asked.code for name in PARTS[part] for p in (ROOT / "tests").glob(name)})
    doctests = sorted({str(mutant.path) for mutant in found})
    words = ["-q", "-p", "no:cacheprovider", "-p", "no:timeout", "--no-header", "--no-summary", "-s", *tests, *doctests]
    if code := pytest.main(words, plugins=[mutation]):
        return int(code)
    print(f"\n{len(mutation.survived)} survived:")
    for mutant in sorted(mutation.survived, key=str):
        print(f"  {mutant}")
    files = Counter(mutant.path.relative_to(SOURCE).parts[0] for mutant in chosen)
    lost = Counter(mutant.path.relative_to(SOURCE).parts[0] for mutant in mutation.survived)
    for name, n in [*sorted(files.items()), ("all", len(chosen))]:
        left = lost[name] if name != "all" else len(mutation.survived)
        print(f"{name:12} {n:5} mutants {n - left:5} killed {100 * (n - left) / n:6.1f} %")
    return int(100 * mutation.killed < asked.at_least * len(chosen))


def _name(mutant: Mutant) -> tuple[str, str, str]:
    return str(mutant.path.relative_to(SOURCE)), mutant.function, mutant.change


if __name__ == "__main__":
    sys.exit(main())
