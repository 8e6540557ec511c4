"""From the key `problem` of an instance or a run to the functions that answer for it."""

from __future__ import annotations

import importlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbb_opt.errors import InstanceError, NbbError, Problem, VerifyFailed
from nbb_opt.options import SolveOptions
from nbb_opt.problems.handlers import Handlers, StatedModel
from nbb_opt.problems.result import Response
from nbb_opt.run_folder import RECORD
from nbb_opt.shipped import shipped

FREIGHT = "freight"
OF_INSTANCES = ("check", "prepare", "solve", "sweep", "pareto", "abate", "tornado", "cooperate", "robust",
                "audit", "sensitivity", "inventory", "availability", "locate", "strategy", "manifest", "upgrade",
                "convert", "app")  # fmt: skip
OF_RUNS = ("verify", "report", "compare", "explain", "sensitivity", "totals", "plot", "inventory", "availability",
           "locate", "strategy")  # fmt: skip
NAMED = ("check", "solve", "verify", "report")  # what every problem answers; the studies are of freight


@dataclass(frozen=True)
class Registered:
    """A problem: the commands that know it, and the module of its handlers."""

    commands: frozenset[str]
    module: str


PROBLEMS: dict[str, Registered] = {
    FREIGHT: Registered(frozenset((*OF_INSTANCES, *OF_RUNS)), "nbb_opt.problems.freight"),
    "network_design": Registered(frozenset(NAMED), "nbb_opt.problems.network_design.handlers"),
    "stram": Registered(frozenset(NAMED), "nbb_opt.problems.stram.handlers"),
}
# foreign format -> the module that turns it into instance folders, by its function `convert(source, target)`
CONVERTERS: dict[str, str] = {
    "canad": "nbb_opt.problems.network_design.handlers",
    "stram": "nbb_opt.problems.stram.handlers",
}
# the modules that render the models of each problem
STATEMENTS = (
    "nbb_opt.model.statement",
    "nbb_opt.problems.network_design.model.statement",
    "nbb_opt.problems.stram.model.statement",
)
INSTANCE_FILE = "instance.toml"


def problem_of(path: Path, command: str) -> str:
    """The problem that an instance or a run is about, if `command` knows it.

    Every command asks this first. Raises NbbError, in one line, if the command does not know the problem, or wants a
    run and is given an instance; InstanceError or NbbError for a problem nobody knows.
    """
    is_run = (path / RECORD).is_file()
    problem = problem_of_run(path) if is_run and command in OF_RUNS else problem_of_instance(path)
    known = PROBLEMS[problem].commands
    if command not in known:
        raise freight_only(path, problem, command)
    if command not in OF_INSTANCES and not is_run and (path / INSTANCE_FILE).is_file():
        raise NbbError(f"{path}: is an instance, and {command} is about a run: give the folder that solve wrote")
    return problem


def freight_only(path: Path, problem: str, command: str) -> NbbError:
    """The error for a command that knows freight only."""
    others = ", ".join(dict.fromkeys(c for c in (*OF_INSTANCES, *OF_RUNS) if c in PROBLEMS[problem].commands))
    return NbbError(f"{path}: is about {problem}; {command} is about {FREIGHT} only (for {problem}: {others})")


def problem_of_instance(path: Path) -> str:
    """The problem an instance folder names; freight if it names none.

    What is no folder, or has no readable `instance.toml`, is left to the freight reader, which says what is wrong.
    Raises NbbError for a run, InstanceError for a problem nobody knows.
    """
    if (path / RECORD).is_file() and not (path / INSTANCE_FILE).is_file():
        raise NbbError(f"{path}: is a run, and this is about an instance: give the one that was solved")
    try:
        keys = tomllib.loads((path / INSTANCE_FILE).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return FREIGHT
    name = keys.get("problem", FREIGHT)
    if isinstance(name, str) and name in PROBLEMS:
        return name
    where = f"{INSTANCE_FILE}, key problem, value {str(name)!r}"
    raise InstanceError([Problem(where, "is not a known problem", _hint(), "problem")])


def problem_of_run(path: Path) -> str:
    """The problem a run folder is about; freight if it names none or cannot be read (its reader says why).

    Raises NbbError for a problem nobody knows.
    """
    try:
        record = json.loads((path / RECORD).read_bytes())
    except (OSError, ValueError):
        return FREIGHT
    name = record.get("problem", FREIGHT) if isinstance(record, dict) else FREIGHT
    if not (isinstance(name, str) and name in PROBLEMS):
        raise NbbError(f"{path / RECORD}: key problem, value {str(name)!r}: is not a known problem ({_hint()})")
    return name


def instance_for(problem: str, given: Any) -> Any:
    """The instance that a run or plan of a problem is given, a path if it is a text.

    Raises NbbError for an instance of another problem.
    """
    where = Path(given) if isinstance(given, str) else given
    of = problem_of_instance(where) if isinstance(where, Path) else getattr(where, "problem", FREIGHT)
    if where is not None and of != problem:
        path = where if isinstance(where, Path) else where.path
        raise NbbError(f"{path}: is about {of}, the plan is about {problem}; give the instance that was solved")
    return where


def handlers(problem: str) -> Handlers:
    """The handlers of a problem. Raises NbbError for one nobody knows."""
    if problem not in PROBLEMS:
        raise NbbError(f"problem {problem!r}: is not a known problem ({_hint()})")
    return importlib.import_module(PROBLEMS[problem].module).HANDLERS


def stated_model(path: Path, model: str | None = None, options: SolveOptions | None = None) -> StatedModel:
    """A model (the usual one if not given) on an instance, for solvers elsewhere. Raises InstanceError, ModelError."""
    return handlers(problem_of_instance(path)).state(path, model, options or SolveOptions())


def verify_solution(path: Path, model: str | None, file: Path) -> Response:
    """Verify the solution file of a solver elsewhere, of a model on the instance at `path`.

    Raises NbbError for a file that holds no such solution, VerifyFailed for a solution that is not accepted.
    """
    from nbb_opt.model.solution_file import read_solution

    stated = stated_model(path, model)
    found = read_solution(file, stated.form, stated.model)
    note = found.note()
    try:
        done = stated.accept(found.values)
    except VerifyFailed as fault:
        raise VerifyFailed("\n".join(filter(None, (str(fault), note)))) from None
    return Response(done.record, tuple(filter(None, (*done.lines, note))))


def convert(form: str, source: Path, target: Path) -> Response:
    """Turn data in a foreign format of CONVERTERS into instance folders."""
    return importlib.import_module(CONVERTERS[form]).convert(source, target)


def _hint() -> str:
    return f"known: {', '.join(PROBLEMS)}"


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
