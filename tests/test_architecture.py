"""The walls between the parts, read from the imports: what may know what, who may print, how long a file may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src" / "nbb_opt"
FILES = sorted(ROOT.rglob("*.py"))

# A part may import those above it only; parts on one line do not know each other.
LAYERS = (
    ("errors", "__version__"),
    ("shipped", "run_folder"),
    ("result",),
    ("instance",),
    ("demand", "verify", "synthetic", "stram"),
    ("network", "network_design", "emissions", "formats", "cluster"),
    ("milp", "report"),
    ("solve",),
    ("job", "sweep"),
    ("problems",),
    ("studies", "bench"),
    ("app",),
    ("terminal", "doctor"),
    ("cli_runs",),
    ("cli_app", "cli_audit", "cli_data"),
    ("cli_bench", "cli_sweep"),
    ("cli",),
    ("__main__",),
)
RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}
OWNERS = {
    "pyomo": {"milp"},
    "highspy": {"solve"},
    "typer": {"cli", "cli_app", "cli_audit", "cli_bench", "cli_data", "cli_runs", "cli_sweep"},
    "rich": {"cli", "terminal"},
    "fastapi": {"app"},
    "uvicorn": {"app"},
}
LONGEST = 320
LONG_BY_NATURE = {"instance/schema.py"}  # one table of tables, read as such


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} line {node.lineno}: write imports in full"
            module = node.module or ""
            for alias in node.names:
                full = f"{module}.{alias.name}"
                yield full if module == "nbb_opt" or full in MODULES else module


def module_of(path: Path) -> str:
    return f"nbb_opt.{name_of(path).removesuffix('.py').replace('/', '.')}".removesuffix(".__init__")


MODULES = {module_of(path) for path in FILES}


def own_parts(path: Path) -> set[str]:
    return {module.split(".")[1] for module in imported(path) if module.startswith("nbb_opt.")}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_one_way(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":
        return
    assert part in RANK, f"say in LAYERS where {part} stands"
    wrong = {other for other in own_parts(path) - {part} if RANK[other] >= RANK[part]}
    assert not wrong, f"{name_of(path)} imports {sorted(wrong)}, which stand beside or below it"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_libraries_stay_in_the_part_that_owns_them(path: Path) -> None:
    tops = {module.split(".")[0] for module in imported(path)}
    wrong = {library for library, owners in OWNERS.items() if library in tops and part_of(path) not in owners}
    if part_of(path) == "doctor":  # reports versions, so it may look at every library
        wrong = set()
    assert not wrong, f"{name_of(path)} imports {sorted(wrong)}"


def test_the_verifier_shares_nothing_with_the_builder() -> None:
    for path in (ROOT / "verify").rglob("*.py"):
        assert own_parts(path) <= {"verify", "instance", "result", "errors"}, name_of(path)
        tops = {module.split(".")[0] for module in imported(path)}
        assert not tops & {"pyomo", "highspy", "numba", "scipy"}, name_of(path)
        assert "by_period" not in path.read_text(encoding="utf-8"), f"{name_of(path)} interpolates by itself"


def test_kernels_import_numpy_and_numba_only() -> None:
    kernels = [path for path in FILES if path.stem == "kernels"]
    assert kernels
    for path in kernels:
        others = {module for module in imported(path) if not module.endswith(".kernels")}
        assert others <= {"__future__", "collections.abc", "typing", "numpy", "numpy.typing", "numba"}, name_of(path)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_the_command_line_prints(path: Path) -> None:
    if part_of(path) in {
        "cli",
        "cli_app",
        "cli_audit",
        "cli_bench",
        "cli_data",
        "cli_runs",
        "cli_sweep",
        "__main__",
        "terminal",
    }:
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "print", f"{name_of(path)} line {node.lineno} prints"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys":
            assert node.attr not in {"stdout", "stderr"}, f"{name_of(path)} line {node.lineno} writes to {node.attr}"


def test_no_module_imports_itself_in_a_circle() -> None:
    known = {module_of(path): path for path in FILES}
    edges = {name: {m for m in imported(path) if m in known} - {name} for name, path in known.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail, name])
        if name not in done:
            for other in sorted(edges[name]):
                visit(other, (*trail, name))
            done.add(name)

    for name in edges:
        if name != "nbb_opt":
            visit(name, ())


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_are_short_and_named_after_what_they_hold(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "misc", "common"}, f"name {name_of(path)} after what it holds"
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST or name_of(path) in LONG_BY_NATURE, f"{name_of(path)} has {lines} lines: split it"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_left_for_later(path: Path) -> None:
    found = re.search(r"TO-?DO|FIX-?ME|X{3}|raise NotImplemented", path.read_text(encoding="utf-8"))
    assert not found, f"{name_of(path)} says {found.group()}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_user_data_is_run_as_code(path: Path) -> None:
    tops = {module.split(".")[0] for module in imported(path)}
    assert not tops & {"pickle", "marshal", "shelve", "yaml"}, name_of(path)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec"}, f"{name_of(path)} line {node.lineno}"
