"""Suites and subjects: `benchmarks/<suite>/suite.py` prepares cases, every other file there is one subject."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

from nbb_opt.errors import NbbError

FOLDER_VARIABLE = "NBB_OPT_BENCHMARKS"  # another folder of suites; subjects run as code, so name only your own


class BenchError(NbbError):
    """A benchmark cannot be run, or its subjects do not agree."""

    exit_code = 5


@dataclass(frozen=True)
class Subject:
    """One way to do the work. `kind`: ours, limit or peer. `library` is the distribution it needs ("" for none).

    `start(case, threads)` imports, warms up and gives a function without arguments, which is what is timed.
    `digest(case, result)` is a text equal for equal results; None where there is no result to compare (limits).
    `count(result)` gives exact counters of the work done.
    """

    name: str
    kind: str
    library: str
    start: Callable[[dict[str, Any], int], Callable[[], Any]]
    digest: Callable[[dict[str, Any], Any], str] | None
    count: Callable[[Any], dict[str, int]] | None = None

    @property
    def version(self) -> str | None:
        """Version of the library; None if it is not installed."""
        try:
            return version(self.library) if self.library else ""
        except PackageNotFoundError:
            return None


@dataclass(frozen=True)
class Suite:
    """`cases(folder, rows, seed)` writes the data; a dictionary per case, with `case` (name) and `counters`."""

    name: str
    about: str
    cases: Callable[[Path, int, int], list[dict[str, Any]]]
    subjects: tuple[Subject, ...]


def suites_folder() -> Path:
    """Where the suites are: $NBB_OPT_BENCHMARKS, else benchmarks/ of the source."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path(__file__).parents[3] / "benchmarks"


def find_suites() -> list[str]:
    return sorted(path.parent.name for path in suites_folder().glob("*/suite.py"))


def load_suite(name: str) -> Suite:
    """The suite `benchmarks/<name>`. Raises BenchError if there is none."""
    folder = suites_folder() / name
    if not (folder / "suite.py").is_file():
        known = ", ".join(find_suites()) or "none: benchmarks/ comes with the source, not with an installed package"
        raise BenchError(f"{name}: no such suite (known: {known})")
    suite = _module(folder / "suite.py")
    subjects = []
    for path in sorted(folder.glob("*.py")):
        if path.stem in {"suite", "__init__"}:
            continue
        module = _module(path)
        digest, count = getattr(module, "digest", None), getattr(module, "count", None)
        subjects.append(Subject(path.stem.strip("_"), module.KIND, module.LIBRARY, module.start, digest, count))
    order = {"limit": 0, "ours": 1, "peer": 2}
    subjects.sort(key=lambda subject: (order[subject.kind], subject.name))
    return Suite(name, (suite.__doc__ or "").strip(), suite.cases, tuple(subjects))


def _module(path: Path) -> ModuleType:
    if str(path.parents[1]) not in sys.path:
        sys.path.insert(0, str(path.parents[1]))  # so that subjects can import their suite: from od.suite import ...
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
