"""A standard form as a file that people and other solvers read (LP, MPS)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import csc_array

from nbb_opt.errors import ModelError
from nbb_opt.model.data.periods import Floats
from nbb_opt.model.form import StandardForm
from nbb_opt.output import write_file

TERMS_PER_LINE = 6
LONGEST_NAME = 200  # solvers cut or refuse names from 255 characters on
# The constant of an objective stands with a column that is 1 ('#': nobody's name): Gurobi takes a bare one in LP for a
# column. In files for solvers its name is that of the model, so that no solution is taken for one of another model.
CONSTANT = "cost#"


def file_names(names: Sequence[str]) -> list[str]:
    """The names as they are in files: no sign that a format refuses, none too long, none twice.

    >>> file_names(["built[A 1,2025]", "built[A_1,2025]", "x['é']"])
    ['built(A_1,2025)', 'built(A_1,2025)#2', 'x(_)']
    """
    seen: dict[str, int] = {}
    found = []
    for name in names:
        plain = name.replace("[", "(").replace("]", ")").replace("'", "").replace(" ", "_")
        plain = re.sub(r"[^A-Za-z0-9_.,()-]", "_", plain).replace("-", "_")[:LONGEST_NAME]
        seen[plain] = count = seen.get(plain, 0) + 1
        found.append(plain if count == 1 else f"{plain}#{count}")
    return found


def constant_name(model: str) -> str:
    """The name of the column that is 1, in a file of that model.

    >>> constant_name("my model")
    'cost#my_model'
    """
    return CONSTANT + file_names([model])[0]


def lp_text(form: StandardForm, *, title: str, model: str, digits: int = 12) -> str:
    """LP text of the form: same rows, columns and names on every machine; a row with two sides is two rows."""
    constant = constant_name(model)
    columns = file_names(form.col_names)
    shape = (len(form.row_low), len(columns))
    rows = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=shape).tocsr()
    rows.sort_indices()
    used = np.flatnonzero(form.cost)
    lines = [f"\\ {title}", "min", " cost_eur:"]
    lines += _terms(used, form.cost[used], columns, digits)
    lines.append(f"  {_signed(form.cost_offset, digits)} {constant}")
    lines += ["", "subject to"]
    for r, name in enumerate(file_names(form.row_names)):
        part = slice(rows.indptr[r], rows.indptr[r + 1])
        low, up = form.row_low[r], form.row_up[r]
        sides = [("=", up, "")] if low == up else [("<=", up, ""), (">=", low, "#low" if np.isfinite(up) else "")]
        for sense, side, ending in sides:
            if np.isfinite(side):
                lines += [f" {name}{ending}:", *_terms(rows.indices[part], rows.data[part], columns, digits)]
                lines.append(f"  {sense} {side:.{digits}g}")
    lines += ["", "bounds", f" {constant} = 1"]
    for name, low, up in zip(columns, form.col_low.tolist(), form.col_up.tolist(), strict=True):
        if low == up:
            lines.append(f" {name} = {low:.{digits}g}")
        elif np.isfinite(up):
            lines.append(f" {low:.{digits}g} <= {name} <= {up:.{digits}g}")
        elif low != 0:
            lines.append(f" {name} >= {low:.{digits}g}" if np.isfinite(low) else f" {name} free")
    lines += ["", "general", *(f" {columns[j]}" for j in np.flatnonzero(form.integer).tolist()), "", "end"]
    return "\n".join(lines) + "\n"


def _terms(index: np.ndarray, values: Floats, columns: list[str], digits: int) -> list[str]:
    terms = [f"{_signed(value, digits)} {columns[j]}" for j, value in zip(index.tolist(), values.tolist(), strict=True)]
    return ["  " + " ".join(terms[k : k + TERMS_PER_LINE]) for k in range(0, len(terms), TERMS_PER_LINE)]


def _signed(value: float, digits: int) -> str:
    return f"{'-' if value < 0 else '+'} {abs(value):.{digits}g}"


FORMATS = (".lp", ".mps")


def write_model(form: StandardForm, path: Path, *, title: str, model: str) -> None:
    """Write the form of a model as `.lp` or `.mps`, every figure to its last digit. Raises ModelError for another
    ending.
    """
    if path.suffix not in FORMATS:
        raise ModelError(f"{path}: ends in {path.suffix or 'nothing'}; write a model as {' or '.join(FORMATS)}")
    if path.suffix == ".lp":
        text = lp_text(form, title=title, model=model, digits=17)
    else:
        text = "\n".join(_mps_lines(form, title, constant_name(model))) + "\n"
    write_file(path, text.encode("ascii", errors="replace"))


def _mps_lines(form: StandardForm, title: str, constant: str) -> Iterator[str]:
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
    yield f" {constant} cost {form.cost_offset!r}"
    yield "RHS"
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
    yield f" FX BOUND {constant} 1"
    yield "ENDATA"
