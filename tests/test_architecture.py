"""The walls between the rooms, read from the imports. Each test lists every offender at once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1] / "src" / "nbb_opt"

# A room may import those above it only; rooms on one line do not know each other.
LAYERS = (
    ("errors", "__version__"),
    ("output", "arguments"),
    ("shipped", "run_folder", "options", "renames", "first_use"),
    ("compiling",),
    ("result", "demand"),
    ("instance",),
    ("recompute",),
    ("verify", "network", "emissions", "formats", "cluster"),
    ("model", "report"),
    ("solve",),
    ("pipeline",),
    ("acceptance",),
    ("studies",),
    ("problems",),
    ("api", "examples"),
    ("app",),
    ("cli",),
    ("__main__",),
)
RANK = {room: rank for rank, layer in enumerate(LAYERS) for room in layer}
# library -> the rooms that may import it; a problem states its model and solves it within its own room
OWNERS = {
    "pyomo": ("api", "model", "problems/network_design/model", "problems/stram/model", "solve/any_solver"),
    "highspy": ("solve", "problems/network_design/solve"),
    "typer": ("cli",),
    "fastapi": ("app",),
    "uvicorn": ("app",),
}
EVERY_LIBRARY = "cli/doctor.py"  # tells the version of each
PRINTERS = ("cli", "__main__")
BEHIND_THE_INTERFACE = {"acceptance", "emissions", "instance", "network", "pipeline", "recompute", "report", "result",
                        "verify"}  # fmt: skip
BY_USERS_ONLY = {"pickle", "marshal", "shelve", "yaml"}  # formats that run code
WITH_KERNELS = {"__future__", "collections.abc", "typing", "numpy", "numpy.typing", "numba", "nbb_opt.compiling"}
COMPILED = re.compile(r"^@(njit|kernel|lean_kernel|parallel_kernel|vectorize|guvectorize)\b", re.MULTILINE)
BY_POSITION = 6  # arguments of a record
# module -> what verifier and recomputation may take from it, and what they may look at of an instance beside its tables
SHARED = {
    "nbb_opt.errors": {"InstanceError", "NbbError", "Problem", "VerifyFailed"},
    "nbb_opt.instance": {"Instance", "open_od"},
    "nbb_opt.renames": {"is_now"},
    "nbb_opt.result": {"OWN_RULES", "Run", "TABLES", "as_table"},
    "nbb_opt.shipped": {"shipped", "shipped_names"},
}
FACTS = ("digest", "meta", "od_path", "path", "periods", "shippers", "tables", "what_if")
LONGEST = 600
SAME_IDEA = {"Column"}  # of a table: its title, kind and unit, in instances and on pages
LONG_BY_NATURE = {"instance/schema.py"}  # one table of tables, read as such


class Tree:
    """The files below a folder that stands for `nbb_opt`, parsed once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.text = {p.relative_to(root).as_posix(): p.read_text(encoding="utf-8") for p in sorted(root.rglob("*.py"))}
        self.parsed = {name: ast.parse(text) for name, text in self.text.items()}
        self.modules = {module_of(name): name for name in self.text}
        self.imports = {name: sorted(set(self._imported(name))) for name in self.text}

    def _imported(self, name: str) -> Iterator[str]:
        """Full names of the modules that a file imports, wherever in the file."""
        for node in ast.walk(self.parsed[name]):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                for alias in node.names:
                    full = f"{module}.{alias.name}"
                    yield full if module == "nbb_opt" or full in self.modules else module


def module_of(name: str) -> str:
    return f"nbb_opt.{name.removesuffix('.py').replace('/', '.')}".removesuffix(".__init__")


def room_of(name: str) -> str:
    return name.split("/")[0].removesuffix(".py")


def rooms_behind(tree: Tree, name: str) -> set[str]:
    return {module.split(".")[1] for module in tree.imports[name] if module.startswith("nbb_opt.")}


def within(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name.removesuffix(".py") == room or name.startswith(f"{room}/") for room in rooms)


def relative_imports(tree: Tree) -> list[str]:
    return [f"{name}: write imports in full" for name in tree.text if any(m[0] == "." for m in tree.imports[name])]


def imports_against_the_layers(tree: Tree) -> list[str]:
    found = []
    for name in tree.text:
        room = room_of(name)
        if room == "__init__":
            continue
        if room not in RANK:
            found.append(f"{name}: say in LAYERS where {room} is")
            continue
        wrong = sorted(o for o in rooms_behind(tree, name) - {room} if RANK.get(o, 99) >= RANK[room])
        if wrong:
            found.append(f"{name} imports {wrong}, beside or below it")
    return found


def libraries_out_of_place(tree: Tree) -> list[str]:
    return [
        f"{name} imports {library}"
        for name in tree.text
        for library in sorted({module.split(".")[0] for module in tree.imports[name]} & set(OWNERS))
        if name != EVERY_LIBRARY and not within(name, OWNERS[library])
    ]


def what_the_verifier_shares(tree: Tree) -> list[str]:
    """Beyond the tables that an instance was read into and the files of a run, it works everything out by itself."""
    found = []
    for name in (name for name in tree.text if within(name, ("verify", "recompute"))):
        wrong = rooms_behind(tree, name) - {"verify", "recompute", *(module.split(".")[1] for module in SHARED)}
        wrong |= {m.split(".")[0] for m in tree.imports[name]} & {"pyomo", "highspy", "numba", "scipy"}
        for node in ast.walk(tree.parsed[name]):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nbb_opt."):
                taken = {alias.name for alias in node.names}
                own = within(node.module.split(".")[1], ("verify", "recompute"))
                wrong |= set() if own else taken - SHARED.get(node.module, set())
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value).split(".")[-1] == "instance":
                wrong |= {f"instance.{node.attr}"} - {f"instance.{fact}" for fact in FACTS}
        found += [f"{name} shares {sorted(wrong)}"] if wrong else []
    return found


def insides_of_the_recomputation(tree: Tree) -> list[str]:
    return [
        f"{name} imports {module}; take it from nbb_opt.recompute, where what others use is listed"
        for name in tree.text
        for module in tree.imports[name]
        if module.startswith("nbb_opt.recompute.") and not within(name, ("recompute",))
    ]


def kernels_that_import_more(tree: Tree) -> list[str]:
    kernels = {module_of(name) for name, text in tree.text.items() if COMPILED.search(text)}
    return [
        f"{name} has kernels and imports {sorted(wrong)}"
        for name in tree.text
        if module_of(name) in kernels and (wrong := set(tree.imports[name]) - WITH_KERNELS - kernels)
    ]


def prints(tree: Tree) -> list[str]:
    found = []
    for name in tree.text:
        if within(name, PRINTERS):
            continue
        for node in ast.walk(tree.parsed[name]):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                found.append(f"{name} line {node.lineno} prints")
            of_sys = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys"
            if of_sys and node.attr in {"stdout", "stderr"}:
                found.append(f"{name} line {node.lineno} writes to {node.attr}")
    return found


def options_below_the_command_line(tree: Tree) -> list[str]:
    """Errors name parameters of the Python interface; the command line puts options for them (cli/options.py)."""
    found = []
    for name in (name for name in tree.text if not within(name, ("cli", "renames"))):
        for node in ast.walk(tree.parsed[name]):
            if isinstance(node, ast.Call):
                texts = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
                text = "".join(str(each) for each in texts)
                if (option := re.search(r"(?<![\w-])--[a-z][a-z-]+", text)) and "nbb-opt" not in text:
                    found.append(f"{name} line {node.lineno} says {option.group()}; name the parameter")
    return found


def commands_around_the_interface(tree: Tree) -> list[str]:
    return [
        f"{name} does by itself what a function of nbb_opt does: it imports {sorted(wrong)}"
        for name in tree.text
        if within(name, ("cli",)) and (wrong := rooms_behind(tree, name) & BEHIND_THE_INTERFACE)
    ]


def circles(tree: Tree) -> list[str]:
    edges = {m: {i for i in tree.imports[n] if i in tree.modules} - {m} for m, n in tree.modules.items()}
    done: set[str] = set()
    found: list[str] = []

    def visit(module: str, trail: tuple[str, ...]) -> None:
        if module in trail:
            found.append(" -> ".join([*trail[trail.index(module) :], module]))
        elif module not in done:
            for other in sorted(edges[module]):
                visit(other, (*trail, module))
            done.add(module)

    for module in edges:
        visit(module, ())
    return found


def records_by_position(tree: Tree) -> list[str]:
    """Records of many fields that take them by position, where two of one type may be swapped unnoticed."""
    found = []
    for name in tree.text:
        for node in ast.walk(tree.parsed[name]):
            if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(d) for d in node.decorator_list):
                if any("kw_only=True" in ast.unparse(decorator) for decorator in node.decorator_list):
                    continue
                fields = [ast.unparse(each.annotation) for each in node.body if isinstance(each, ast.AnnAssign)]
                fields = [each for each in fields if "ClassVar" not in each]
                if (fields.index("KW_ONLY") if "KW_ONLY" in fields else len(fields)) > BY_POSITION:
                    found.append(f"{name}: make {node.name} keyword-only")
            elif isinstance(node, ast.Call) and len(node.args) > BY_POSITION and not COMPILED.search(tree.text[name]):
                called = ast.unparse(node.func).rpartition(".")[2].lstrip("_")
                if called[:1].isupper():
                    found.append(f"{name} line {node.lineno}: name the arguments of {called}")
    return found


def badly_documented_names(tree: Tree) -> list[str]:
    """Names that a package lists in `__all__`: documented; those of `nbb_opt` itself typed too, and with an example."""
    found = []
    for name in (name for name in tree.text if name.endswith("__init__.py")):
        face = name == "__init__.py"
        listed = {each.value for each in ast.walk(tree.parsed[name]) if isinstance(each, ast.Constant)}
        for file, made in _definitions(tree, name, listed):
            inside = [each for each in made.body if isinstance(each, ast.FunctionDef) and each.name[0] != "_"]
            parts = [made, *(inside if face else ())]
            texts = [ast.get_docstring(each) or "" for each in parts]
            bare = [each.name for each, text in zip(parts, texts, strict=True) if not text]
            found += [f"{file}: {made.name}: document {each}" for each in bare]
            if face:
                found += [] if ">>>" in "".join(texts) else [f"{file}: {made.name} needs an example"]
                found += [f"{file}: {made.name}: type {each.name}" for each in parts if _untyped(each)]
    return found


def _definitions(tree: Tree, name: str, wanted: set[Any]) -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    """The functions and classes of these names that a file makes or passes on, each with the file that makes it."""
    body = tree.parsed[name].body
    lazily = [each for node in body if isinstance(node, ast.If) and name == "__init__.py" for each in node.body]
    for node in [*body, *lazily]:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in wanted:
            yield name, node
        elif isinstance(node, ast.ImportFrom) and tree.modules.get(node.module or "", name) != name:
            passed_on = wanted & {each.name for each in node.names}
            yield from _definitions(tree, tree.modules[node.module or ""], passed_on) if passed_on else ()


def _untyped(node: ast.FunctionDef | ast.ClassDef) -> bool:
    if isinstance(node, ast.ClassDef):
        return False
    every = [each for each in (*node.args.args, *node.args.kwonlyargs) if each.arg not in ("self", "cls")]
    return node.returns is None or any(each.annotation is None for each in every)


def badly_kept_files(tree: Tree) -> list[str]:
    found = []
    for name, text in tree.text.items():
        if Path(name).stem in {"utils", "util", "helpers", "misc", "common"}:
            found.append(f"name {name} after what it holds")
        if (lines := len(text.splitlines())) > LONGEST and name not in LONG_BY_NATURE:
            found.append(f"{name} has {lines} lines: more than one idea")
        if later := re.search(r"TO-?DO|FIX-?ME|X{3}|raise NotImplemented", text):
            found.append(f"{name} says {later.group()}")
    return found


def data_run_as_code(tree: Tree) -> list[str]:
    found = [
        f"{name} imports {sorted(wrong)}"
        for name in tree.text
        if (wrong := {module.split(".")[0] for module in tree.imports[name]} & BY_USERS_ONLY)
    ]
    for name in tree.text:
        for node in ast.walk(tree.parsed[name]):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec"}:
                found.append(f"{name} line {node.lineno} calls {node.func.id}")
    return found


def names_of_two_ideas(tree: Tree) -> list[str]:
    made: dict[str, list[str]] = {}
    for name in tree.text:
        for node in ast.walk(tree.parsed[name]):
            if isinstance(node, ast.ClassDef) and node.name not in SAME_IDEA:
                made.setdefault(node.name, []).append(name)
    return [f"{' and '.join(files)} both make {name}" for name, files in made.items() if len(files) > 1]


WALLS = (
    relative_imports,
    imports_against_the_layers,
    libraries_out_of_place,
    what_the_verifier_shares,
    insides_of_the_recomputation,
    kernels_that_import_more,
    prints,
    options_below_the_command_line,
    commands_around_the_interface,
    circles,
    records_by_position,
    badly_documented_names,
    badly_kept_files,
    data_run_as_code,
    names_of_two_ideas,
)
PLANTED = {
    "imports_against_the_layers": {"instance/a.py": "import nbb_opt.solve\n", "solve/__init__.py": ""},
    "libraries_out_of_place": {"studies/a.py": "import highspy\n"},
    "what_the_verifier_shares": {
        "verify/a.py": "import pyomo.environ\n",
        "verify/b.py": "from nbb_opt.instance import by_period\n",
        "recompute/c.py": "def f(world): return world.instance.flows\n",
    },
    "insides_of_the_recomputation": {"emissions/a.py": "from nbb_opt.recompute.trucks import read_driven\n"},
    "kernels_that_import_more": {
        "network/a.py": "import nbb_opt.errors\n@njit\ndef f(): pass\n",
        "errors.py": "",
    },
    "prints": {"model/a.py": "print(1)\n"},
    "options_below_the_command_line": {"model/a.py": "raise NbbError(f'{x}: give --gap')\n"},
    "commands_around_the_interface": {"cli/a.py": "from nbb_opt.pipeline import Steps\n"},
    "circles": {"model/a.py": "import nbb_opt.model.b\n", "model/b.py": "import nbb_opt.model.a\n"},
    "records_by_position": {
        "model/a.py": "@dataclass\nclass A:\n" + "".join(f"    {letter}: int\n" for letter in "abcdefg"),
        "model/b.py": "B(1, 2, 3, 4, 5, 6, 7)\n",
    },
    "badly_documented_names": {
        "__init__.py": "from nbb_opt.api import solve\n__all__ = ['solve']\n",
        "api.py": "def solve(region):\n    return region\n",
        "model/__init__.py": "from nbb_opt.model.a import state\n__all__ = ['state']\n",
        "model/a.py": "def state() -> None:\n    return None\n",
    },
    "badly_kept_files": {"model/utils.py": ""},
    "data_run_as_code": {"app/a.py": "eval('1')\n"},
    "names_of_two_ideas": {"model/a.py": "class A: pass\n", "solve/b.py": "class A: pass\n"},
    "relative_imports": {"app/a.py": "from . import b\n"},
}


def test_the_walls_hold() -> None:
    tree = Tree(ROOT)
    assert [offence for wall in WALLS for offence in wall(tree)] == []


def test_every_wall_notices_a_planted_fault(tmp_path: Path) -> None:
    for wall in WALLS:
        root = tmp_path / wall.__name__
        for name, text in PLANTED[wall.__name__].items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        said = "\n".join(wall(Tree(root)))
        planted = [name for name in PLANTED[wall.__name__] if PLANTED[wall.__name__][name] and "__init__" not in name]
        assert [name for name in planted if name not in said and module_of(name) not in said] == [], wall.__name__
