"""Writes a standard form as a CPLEX LP file that people and solvers can read."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_array

from nbb_opt.model.data.periods import Floats
from nbb_opt.model.form import StandardForm

TERMS_PER_LINE = 6


def lp_text(form: StandardForm, *, title: str) -> str:
    """LP text of the form: same rows, columns and names on every machine; figures to twelve digits."""
    columns = [_name(name) for name in form.col_names]
    shape = (len(form.row_low), len(columns))
    rows = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=shape).tocsr()
    rows.sort_indices()
    used = np.flatnonzero(form.cost)
    lines = [f"\\ {title}", "min", " cost_eur:"]
    lines += _terms(used, form.cost[used], columns)
    lines += [f"  {_signed(form.cost_offset)}"] if form.cost_offset else []
    lines += ["", "subject to"]
    for r, name in enumerate(form.row_names):
        part = slice(rows.indptr[r], rows.indptr[r + 1])
        low, up = form.row_low[r], form.row_up[r]
        sense, side = ("=", up) if low == up else (("<=", up) if np.isfinite(up) else (">=", low))
        lines += [f" {_name(name)}:", *_terms(rows.indices[part], rows.data[part], columns)]
        lines.append(f"  {sense} {_number(side)}")
    lines += ["", "bounds"]
    for name, low, up in zip(columns, form.col_low.tolist(), form.col_up.tolist(), strict=True):
        if low == up:
            lines.append(f" {name} = {_number(low)}")
        elif np.isfinite(up):
            lines.append(f" {_number(low)} <= {name} <= {_number(up)}")
        elif low != 0:
            lines.append(f" {name} >= {_number(low)}" if np.isfinite(low) else f" {name} free")
    lines += ["", "general", *(f" {columns[j]}" for j in np.flatnonzero(form.integer).tolist()), "", "end"]
    return "\n".join(lines) + "\n"


def _terms(index: np.ndarray, values: Floats, columns: list[str]) -> list[str]:
    terms = [f"{_signed(value)} {columns[j]}" for j, value in zip(index.tolist(), values.tolist(), strict=True)]
    return ["  " + " ".join(terms[k : k + TERMS_PER_LINE]) for k in range(0, len(terms), TERMS_PER_LINE)]


def _signed(value: float) -> str:
    return f"{'-' if value < 0 else '+'} {_number(abs(value))}"


def _number(value: float) -> str:
    return f"{value:.12g}"


def _name(name: str) -> str:
    """Square brackets are not allowed in LP names, round ones are."""
    return name.replace("[", "(").replace("]", ")").replace(" ", "_").replace("'", "")
