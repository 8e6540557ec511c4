"""A standard form as a file for solvers elsewhere (LP or MPS), and the way back from their solution files."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nbb_opt.errors import ModelError, NbbError
from nbb_opt.model.data.periods import Floats
from nbb_opt.model.form import StandardForm
from nbb_opt.model.lp_file import file_names, lp_text

FORMATS = (".lp", ".mps")
WHOLE = 1e-5  # how far from a whole number a solver's integer column may be
# lines of a solution file that are no values, in the words of HiGHS, SCIP, CBC and CPLEX
HEADS = re.compile(
    r"(model status|optimal|feasible|none|infeasible|primal|objective|solution|status|stopped|unbounded|basis|cost_)",
    re.IGNORECASE,
)


def write_model(form: StandardForm, path: Path, *, title: str) -> None:
    """Write the form as `.lp` or `.mps`, every figure to its last digit. Raises ModelError for another ending."""
    if path.suffix not in FORMATS:
        raise ModelError(f"{path}: ends in {path.suffix or 'nothing'}; write a model as {' or '.join(FORMATS)}")
    if path.suffix == ".lp":
        text = lp_text(form, title=title, digits=17)
    else:
        text = "\n".join(_mps_lines(form, title)) + "\n"
    path.write_text(text, encoding="ascii", errors="replace")


def _mps_lines(form: StandardForm, title: str) -> Iterator[str]:
    """Free MPS: names are separated by blanks, of any length."""
    columns, rows = file_names(form.col_names), file_names(form.row_names)
    yield from (f"* {title}", "NAME model", "ROWS", " N cost")
    senses = []
    for name, (low, up) in zip(rows, zip(form.row_low.tolist(), form.row_up.tolist(), strict=True), strict=True):
        senses.append("E" if low == up else "L" if math.isfinite(up) else "G")
        yield f" {senses[-1]} {name}"
    yield "COLUMNS"
    whole = False
    for j, (name, integer) in enumerate(zip(columns, form.integer.tolist(), strict=True)):
        if integer != whole:
            yield f" MARKER{j} 'MARKER' '{'INTORG' if integer else 'INTEND'}'"
            whole = integer
        if form.cost[j]:
            yield f" {name} cost {float(form.cost[j])!r}"
        here = slice(form.a_indptr[j], form.a_indptr[j + 1])
        for r, value in zip(form.a_indices[here].tolist(), form.a_values[here].tolist(), strict=True):
            yield f" {name} {rows[r]} {value!r}"
        if here.start == here.stop and not form.cost[j]:
            yield f" {name} cost 0"
    if whole:
        yield " MARKERend 'MARKER' 'INTEND'"
    yield "RHS"
    if form.cost_offset:
        yield f" RHS cost {-form.cost_offset!r}"
    for name, sense, low, up in zip(rows, senses, form.row_low.tolist(), form.row_up.tolist(), strict=True):
        side = low if sense == "G" else up
        if side:
            yield f" RHS {name} {side!r}"
    ranged = [(n, u - w) for n, w, u in zip(rows, form.row_low.tolist(), form.row_up.tolist(), strict=True)
              if math.isfinite(w) and math.isfinite(u) and w != u]  # fmt: skip
    if ranged:
        yield "RANGES"
        yield from (f" RANGE {name} {width!r}" for name, width in ranged)
    yield "BOUNDS"
    for name, low, up in zip(columns, form.col_low.tolist(), form.col_up.tolist(), strict=True):
        if low == up:
            yield f" FX BOUND {name} {low!r}"
            continue
        if low == -math.inf:
            yield f" MI BOUND {name}"
        elif low:
            yield f" LO BOUND {name} {low!r}"
        yield f" UP BOUND {name} {up!r}" if math.isfinite(up) else f" PL BOUND {name}"
    yield "ENDATA"


def read_solution(path: Path, form: StandardForm) -> Floats:
    """Values per column from a solution file with a name and a value on each line (HiGHS, Gurobi, SCIP, CBC, CPLEX).

    A column that is not in the file is zero, as SCIP and CBC leave zeros out. Raises NbbError, with the line, for a
    name that the model does not have, one that comes twice, a value that is no number or breaks whole numbers or
    bounds by more than solvers do.
    """
    place = {name: j for j, name in enumerate(file_names(form.col_names))}
    values, seen = np.zeros(len(form.cost)), np.zeros(len(form.cost), bool)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise NbbError(f"{path}: cannot be read as a solution file ({fault})") from None
    for number, line in enumerate(lines, 1):
        words = line.split()
        if line.startswith("# Rows") or line.startswith("# Dual"):
            break
        if not words or line.startswith(("#", "*", "=")):
            continue
        name, value = (words[1], words[2]) if len(words) > 2 and words[0].isdigit() else (words[0], words[-1])
        if name == words[0] and len(words) > 1:
            value = words[1]
        if name not in place:
            if HEADS.match(line):
                continue
            raise NbbError(
                f"{path}, line {number}: '{name}' is no column of the model; give the instance and the model that "
                "the file was written from"
            )
        j = place[name]
        try:
            values[j] = float(value)
        except ValueError:
            raise NbbError(f"{path}, line {number}: '{value}' is no number") from None
        if seen[j]:
            raise NbbError(f"{path}, line {number}: '{name}' comes twice")
        seen[j] = True
    if not seen.any():
        raise NbbError(f"{path}: holds no value of the model; is it the solution file?")
    return _sound(path, form, values)


def _sound(path: Path, form: StandardForm, values: Floats) -> Floats:
    """The values with whole numbers whole."""
    rounded = np.where(form.integer, np.round(values), values)
    room = WHOLE * np.maximum(1.0, np.abs(values))
    wrong = (
        ~np.isfinite(values) | (np.abs(rounded - values) > room)
        | (rounded < form.col_low - room) | (rounded > form.col_up + room)
    )  # fmt: skip
    for j in np.flatnonzero(wrong)[:1].tolist():
        kind = "whole number" if form.integer[j] else "value"
        raise NbbError(
            f"{path}: {form.col_names[j]} = {values[j]!r} is no {kind} from {form.col_low[j]:g} to {form.col_up[j]:g}"
        )
    return np.clip(rounded, form.col_low, form.col_up)
