"""Solution files of solvers elsewhere: a name and a value on each line (HiGHS, Gurobi, SCIP, CBC)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nbb_opt.errors import NbbError
from nbb_opt.model.data.periods import Floats
from nbb_opt.model.form import StandardForm
from nbb_opt.model.model_file import CONSTANT, constant_name, file_names

WHOLE = 1e-5  # how far from a whole number a solver's integer column may be
SAME = 1e-6  # relative, how far the objective that a file states may be from that of its values
SHOWN = 3  # names of columns that a message shows
# lines before the first value that are no values, in the words of the solvers
HEADS = re.compile(
    r"(model status|optimal|feasible|none|infeasible|primal|objective|solution|status|stopped|unbounded)", re.IGNORECASE
)
OBJECTIVE = re.compile(r"(?:# )?Objective(?: value =)? (\S+)$")  # of HiGHS and Gurobi
COUNT = re.compile(r"# Columns (\d+)$")  # of HiGHS


@dataclass(frozen=True)
class FileSolution:
    """A value for every column of a form, and the columns that are not in the file, by their names there: zero."""

    values: Floats
    missing: tuple[str, ...]

    def note(self) -> str:
        """What is not in the file, in one line; blank if everything is."""
        if not self.missing:
            return ""
        more = ", ..." if len(self.missing) > SHOWN else ""
        named = ", ".join(self.missing[:SHOWN]) + more
        return f"{len(self.missing)} of {len(self.values)} columns are not in the file and count as zero: {named}"


def read_solution(path: Path, form: StandardForm, model: str) -> FileSolution:
    """The values of a solution file for the form of a model that was written to a file.

    A column that is not in the file is zero: SCIP and CBC leave zeros out. Raises NbbError, with the line, for a name
    that the model does not have, or that says the file is of another model, one that comes twice, a value that is no
    number, a whole number that is not whole, a bound that is broken; and where the file says that it holds more
    columns, or another objective, than it does.
    """
    names = file_names(form.col_names)
    constant = constant_name(model)
    place = {name: j for j, name in enumerate([*names, constant])}
    values, line_of = np.zeros(len(place)), np.zeros(len(place), np.int64)
    text = _text(path)
    for number, name, value in _pairs(text, place):
        where = f"{path}, line {number}"
        if name.startswith(CONSTANT) and name != constant:
            raise NbbError(f"{where}: the solution is of the model '{name.removeprefix(CONSTANT)}', not of '{model}'")
        if name not in place:
            raise NbbError(
                f"{where}: '{name}' is no column of the model; give the instance and the model that the file was "
                "written from"
            )
        j = place[name]
        if line_of[j]:
            raise NbbError(f"{where}: '{name}' comes twice, first on line {line_of[j]}")
        line_of[j], values[j] = number, _number(value, where)
    if not line_of.any():
        raise NbbError(f"{path}: holds no value of the model; the solver found none, or it is another file")
    _refuse_lost_columns(path, text, int(np.count_nonzero(line_of)))
    if line_of[-1] and values[-1] != 1.0:
        raise NbbError(f"{path}, line {line_of[-1]}: {constant} is {values[-1]:g}, and must be 1")
    values, line_of = values[:-1], line_of[:-1]
    rounded = np.where(form.integer, np.round(values), values)
    room = WHOLE * np.maximum(1.0, np.abs(values))
    for j in np.flatnonzero(np.abs(rounded - values) > room)[:1].tolist():
        raise NbbError(
            f"{path}, line {line_of[j]}: {names[j]} is {values[j]:g}, and must be a whole number; solve the model with "
            "its integers, not its LP relaxation"
        )
    for j in np.flatnonzero((rounded < form.col_low - room) | (rounded > form.col_up + room))[:1].tolist():
        where = f"line {line_of[j]}: {names[j]} is" if line_of[j] else f"{names[j]} is not in it and counts as"
        raise NbbError(f"{path}, {where} {values[j]:g}, and must be from {form.col_low[j]:g} to {form.col_up[j]:g}")
    missing = tuple(names[j] for j in np.flatnonzero(line_of == 0).tolist())
    found = FileSolution(np.clip(rounded, form.col_low, form.col_up), missing)
    _refuse_other_objective(path, text, float(form.cost @ values) + form.cost_offset, found.note())
    return found


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NbbError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise NbbError(f"{path}: is no file of text, with a name and a value on each line ({fault})") from None
    if text.startswith("<?xml"):
        raise NbbError(f"{path}: is XML, as CPLEX writes solutions; write a name and a value on each line")
    if text.split("\n", 1)[0].strip() == "Columns":
        raise NbbError(f"{path}: is the table that HiGHS writes for people; write it with write_solution_style = 0")
    return text


def _pairs(text: str, known: dict[str, int]) -> Iterator[tuple[int, str, str]]:
    """Line, name and value of every line that has them."""
    begun = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(("# Rows", "# Dual")):
            return
        words = line.split()
        if not words or line.startswith(("#", "=")):
            continue
        if words[0] not in known:  # CBC: a mark of what is infeasible, and the number of the column
            words = words[1:] if words[0] == "**" and len(words) > 2 else words
            words = words[1:] if words[0].isdigit() and len(words) > 2 else words
        if begun or words[0] in known or not HEADS.match(line):
            begun = True
            yield number, words[0], words[1] if len(words) > 1 else ""


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise NbbError(f"{where}: '{text}' is no number")
    return value


def _refuse_lost_columns(path: Path, text: str, columns: int) -> None:
    """Raise NbbError where the file says that it holds more than it does."""
    for number, line in enumerate(text.splitlines(), 1):
        if (found := COUNT.match(line)) and int(found[1]) != columns:
            raise NbbError(f"{path}, line {number}: says {found[1]} columns, and {columns} are there; a part is lost")


def _refuse_other_objective(path: Path, text: str, objective: float, note: str) -> None:
    """Raise NbbError where the values cost something else than the file says."""
    for number, line in enumerate(text.splitlines(), 1):
        found = OBJECTIVE.match(line)
        if found and abs(_number(found[1], f"{path}, line {number}") - objective) > SAME * max(abs(objective), 1.0):
            raise NbbError(
                f"{path}, line {number}: says the objective is {found[1]}, and the values of the file give "
                f"{objective:.10g}; values were changed, or the model was another one" + (note and f"\n{note}")
            )
