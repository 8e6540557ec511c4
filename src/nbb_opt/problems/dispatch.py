"""From the key `problem` of an instance or a run to the functions that answer for it."""

from __future__ import annotations

import importlib
import json
import tomllib
from pathlib import Path

from nbb_opt.errors import InstanceError, NbbError, Problem
from nbb_opt.problems.questions import Answers, Said
from nbb_opt.run_folder import RECORD
from nbb_opt.shipped import shipped

# problem -> the module that answers for it, imported when it is asked
MODULES: dict[str, str] = {
    "network_design": "nbb_opt.problems.network_design.answers",
    "stram": "nbb_opt.problems.stram.answers",
}
# foreign format -> the module that turns it into instance folders, by its function `convert(source, target)`
CONVERTERS: dict[str, str] = {
    "canad": "nbb_opt.problems.network_design.answers",
    "stram": "nbb_opt.problems.stram.answers",
}
# the modules that render the models of each problem
STATEMENTS = (
    "nbb_opt.model.statement",
    "nbb_opt.problems.network_design.model.statement",
    "nbb_opt.problems.stram.model.statement",
)
INSTANCE_FILE = "instance.toml"


def problem_of_instance(path: Path) -> str | None:
    """The problem an instance folder names; None for freight.

    What is no folder, or has no readable `instance.toml`, is left to the freight reader, which says what is wrong.
    Raises InstanceError for a problem nobody knows.
    """
    try:
        keys = tomllib.loads((path / INSTANCE_FILE).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    if "problem" not in keys:
        return None
    if isinstance(keys["problem"], str) and keys["problem"] in MODULES:
        return str(keys["problem"])
    where = f"{INSTANCE_FILE}, key problem, value {str(keys['problem'])!r}"
    raise InstanceError([Problem(where, "is not a known problem", _hint(), "problem")])


def problem_of_run(path: Path) -> str | None:
    """The problem a run folder is about; None for freight, or where `run.json` cannot be read (its reader says why).

    Raises NbbError for a problem nobody knows.
    """
    try:
        record = json.loads((path / RECORD).read_bytes())
    except (OSError, ValueError):
        return None
    name = record.get("problem") if isinstance(record, dict) else None
    if name is not None and not (isinstance(name, str) and name in MODULES):
        raise NbbError(f"{path / RECORD}: key problem, value {str(name)!r}: is not a known problem ({_hint()})")
    return name


def freight_only(path: Path, command: str) -> None:
    """Raises NbbError if `path` (an instance or a run) is about another problem: `command` does not know it."""
    problem = problem_of_run(path) or problem_of_instance(path)
    if problem is not None:
        raise NbbError(
            f"{path}: is about {problem}; {command} knows the freight problem only (check, solve, verify do)"
        )


def answers(problem: str) -> Answers:
    """The functions of a known problem."""
    return importlib.import_module(MODULES[problem]).ANSWERS


def convert(form: str, source: Path, target: Path) -> Said:
    """Turn data in a foreign format of CONVERTERS into instance folders."""
    return importlib.import_module(CONVERTERS[form]).convert(source, target)


def _hint() -> str:
    return f"known: {', '.join(sorted(MODULES))}; a freight instance has no such key"


def render_models(*, write: bool) -> list[str]:
    """Render every model of every problem; gives the files of `models/` that are out of date, written if `write`."""
    stale = []
    for module in STATEMENTS:
        for name, text in importlib.import_module(module).render_all().items():
            path = shipped("models") / name
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
                if write:
                    path.write_text(text, encoding="utf-8")
    return stale
