"""Suites and subjects: `benchmarks/<suite>/suite.py` names cases, every other file there is one subject."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.harness.options import CHOOSABLE, BenchOptions
from nbb_opt.errors import NbbError

FOLDER_VARIABLE = "NBB_OPT_BENCHMARKS"  # another folder of suites; subjects run as code, so name only your own
KINDS = {"limit": 0, "ours": 1, "peer": 2}
Case = dict[str, Any]


class BenchError(NbbError):
    """A benchmark cannot be run, or its subjects do not agree."""

    exit_code = 5


class BenchWorse(NbbError):  # noqa: N818 - a finding
    """A benchmark got worse than what it is compared with."""

    exit_code = 6


@dataclass(frozen=True)
class Subject:
    """One way to do the work. `kind`: ours, limit or peer. `library` is the distribution it needs ("" for none).

    `start(case, options)` imports, warms up and gives a function without arguments, which is what is timed.
    `digest(case, result)` is a text equal for equal results; None where there is no result to compare.
    `outcome(case, result)` says what is known of the result, see `outcome.py`; it is not timed.
    `suits(case)` tells whether the subject does this case at all.
    """

    name: str
    kind: str
    library: str
    start: Callable[[Case, BenchOptions], Callable[[], Any]]
    digest: Callable[[Case, Any], str] | None = None
    outcome: Callable[[Case, Any], dict[str, Any]] | None = None
    suits: Callable[[Case], bool] = lambda _case: True

    @property
    def version(self) -> str | None:
        """Version of the library; None if it is not installed."""
        try:
            return version(self.library) if self.library else ""
        except PackageNotFoundError:
            return None


@dataclass(frozen=True)
class Suite:
    """`cases(options)` names the cases, without writing; `prepare(case, folder, options)` writes the data of one.

    `takes` holds the options of the suite with their defaults; `rounds` and `repeats` how often a subject runs;
    `protocol` is raised whenever figures can no longer be compared with earlier ones, and `protocols` says why.
    """

    name: str
    about: str
    cases: Callable[[BenchOptions], list[Case]]
    subjects: tuple[Subject, ...]
    prepare: Callable[[Case, Path, BenchOptions], Case] = lambda case, _folder, _options: case
    takes: Mapping[str, Any] = field(default_factory=dict)
    rounds: int = 3
    repeats: int = 2
    protocol: int = 1
    protocols: Mapping[int, str] = field(default_factory=dict)

    def options(self, *, seed: int, threads: int, **given: Any) -> BenchOptions:
        """The options of a run; `given` that are None take the default. Raises BenchError for one it does not take."""
        named = {name: value for name, value in given.items() if value is not None}
        if odd := sorted(set(named) - set(self.takes)):
            known = ", ".join(map(flag, sorted(self.takes))) or "none"
            raise BenchError(
                f"{self.name} does not take {', '.join(map(flag, odd))}; of these options it takes: {known}"
            )
        return BenchOptions(seed=seed, threads=threads, **{**self.takes, **named})


def flag(name: str) -> str:
    """An option as it is typed.

    >>> flag("time_limit_s")
    '--time-limit'
    """
    return "--" + name.removesuffix("_s").replace("_", "-")


def suites_folder() -> Path:
    """Where the suites are: $NBB_OPT_BENCHMARKS, else benchmarks/ of the checkout."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path(__file__).parents[1]


def find_suites() -> list[str]:
    """Names of the suites there are."""
    return sorted(path.parent.name for path in suites_folder().glob("*/suite.py"))


def load_suite(name: str) -> Suite:
    """The suite `benchmarks/<name>`. Raises BenchError if there is none, or if it is not written as it must be."""
    folder = suites_folder() / name
    if not (folder / "suite.py").is_file():
        known = ", ".join(find_suites()) or "none"
        raise BenchError(f"{name}: no such suite (known: {known})")
    package = _package(folder)
    for loaded in [found for found in sys.modules if found.startswith(package + ".")]:
        del sys.modules[loaded]  # files may have changed since
    module = _module(folder / "suite.py")
    takes = dict(getattr(module, "TAKES", {}))
    if odd := sorted(set(takes) - set(CHOOSABLE)):
        raise BenchError(f"{folder / 'suite.py'}: TAKES names {', '.join(odd)}; it may name {', '.join(CHOOSABLE)}")
    subjects = [_subject(path) for path in sorted(folder.glob("*.py")) if path.stem not in {"suite", "__init__"}]
    found = [subject for subject in subjects if subject is not None]
    found.sort(key=lambda subject: (KINDS[subject.kind], subject.name))
    optional = {name: getattr(module, name.upper()) for name in _NUMBERS if hasattr(module, name.upper())}
    if hasattr(module, "prepare"):
        optional["prepare"] = module.prepare
    return Suite(name, (module.__doc__ or "").strip(), module.cases, tuple(found), takes=takes, **optional)


_NUMBERS = ("rounds", "repeats", "protocol", "protocols")


def _subject(path: Path) -> Subject | None:
    """The subject in a file; None for a file without KIND, which holds what subjects of the suite have in common."""
    module = _module(path)
    kind = getattr(module, "KIND", None)
    if kind is None:
        return None
    if kind not in KINDS:
        raise BenchError(f"{path}: KIND {kind!r} is none of {', '.join(KINDS)}")
    optional = {name: getattr(module, name) for name in ("digest", "outcome", "suits") if hasattr(module, name)}
    return Subject(path.stem.strip("_"), kind, module.LIBRARY, module.start, **optional)


def _package(folder: Path) -> str:
    return f"benchmarks.{folder.name.replace('-', '_')}"


def _module(path: Path) -> ModuleType:
    """The file as module `benchmarks.<suite>.<file>`, `-` written as `_`: from benchmarks.od.suite import keyed."""
    package = _package(path.parent)
    if getattr(sys.modules.get(package), "__path__", None) != [str(path.parent)]:
        holder = ModuleType(package)
        holder.__path__ = [str(path.parent)]
        sys.modules[package] = holder
    name = f"{package}.{path.stem}"
    if getattr(sys.modules.get(name), "__file__", None) == str(path):
        return sys.modules[name]  # another file of the suite imported it
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
