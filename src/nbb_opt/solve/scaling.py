"""Powers of two that bring a problem in business units to numbers near one, without changing a single digit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]
COLUMNS_AT_ONCE = 1 << 13
ROUNDS = 10  # of balancing
WIDE = 2.0**30  # largest over smallest entry, from where a problem without sizes is balanced


@dataclass(frozen=True)
class Scaling:
    """Column factors (value = factor * scaled value), row factors (scaled row = factor * row), and the objective's."""

    column: Floats
    row: Floats
    objective: float


def unscaled(form: StandardForm) -> Scaling:
    """A problem as it is, where its numbers are near one already."""
    return Scaling(np.ones(len(form.cost)), np.ones(len(form.row_low)), 1.0)


def power_of_two(values: Floats) -> Floats:
    """The power of two nearest to each positive value.

    >>> power_of_two(np.array([1.0, 3.0, 1000.0])).tolist()
    [1.0, 4.0, 1024.0]
    """
    if (np.frexp(values)[0] == 0.5).all():  # they are powers of two already, as a form states its columns
        return values
    return np.exp2(np.round(np.log2(values)))


def blocks(column: Floats, indptr: Ints) -> Iterator[tuple[slice, Floats]]:
    """The entries of a matrix by columns, piece by piece: where they are, and the value of `column` for each.

    A piece stays in the processor's cache: no array as large as the matrix is made and thrown away.
    """
    for first in range(0, len(column), COLUMNS_AT_ONCE):
        edge = indptr[first : first + COLUMNS_AT_ONCE + 1]
        yield slice(int(edge[0]), int(edge[-1])), np.repeat(column[first : first + COLUMNS_AT_ONCE], np.diff(edge))


def scaled_values(scaling: Scaling, *, indptr: Ints, indices: Ints, values: Floats) -> Floats:
    """The entries of the matrix (by columns) after scaling."""
    scaled = np.empty(len(values))
    for here, factor in blocks(scaling.column, indptr):
        factor *= scaling.row[indices[here]]
        np.multiply(values[here], factor, out=scaled[here])
    return scaled


def choose_scaling(
    *, cost: Floats, indptr: Ints, indices: Ints, values: Floats, rows: int, column_unit: Floats
) -> Scaling:
    """Columns are measured in `column_unit`; rows and objective are divided by a typical size of their entries.

    The matrix is given by columns (CSC). Row factors use the largest entry, the objective the geometric mean of its
    nonzero entries.
    """
    column = power_of_two(column_unit)
    largest = np.zeros(rows)
    for here, factor in blocks(column, indptr):
        np.maximum.at(largest, indices[here], np.abs(values[here]) * factor)
    largest[largest == 0] = 1.0
    row = 1.0 / power_of_two(largest)
    logs, priced = 0.0, 0
    for first in range(0, len(cost), COLUMNS_AT_ONCE):
        here = slice(first, first + COLUMNS_AT_ONCE)
        costs = np.abs(cost[here] * column[here])
        costs = costs[costs > 0]
        logs, priced = logs + float(np.log(costs).sum()), priced + costs.size
    objective = 1.0 / float(power_of_two(np.exp(np.array([logs / priced])))[0]) if priced else 1.0
    return Scaling(column, row, objective)


def with_sizes(form: StandardForm) -> StandardForm:
    """The form; where it names no usual size of any column and its entries are far apart, with sizes that bring the
    entries of every row and column near to each other, on the mean of their logarithms (A. R. Curtis and J. K. Reid,
    J. Inst. Maths Applics 10, 1972, 118-124). Whole numbers keep their unit.
    """
    size, column = np.abs(form.a_values), np.repeat(np.arange(len(form.cost)), np.diff(form.a_indptr))
    some = size > 0
    if not some.any() or (form.col_unit_scale != 1).any() or size[some].max() <= WIDE * size[some].min():
        return form
    log, row, column = np.log2(size[some]), form.a_indices[some], column[some]
    in_row, in_column = (np.maximum(np.bincount(at, minlength=n), 1) for at, n in (
        (row, len(form.row_low)), (column, len(form.cost))))  # fmt: skip
    of_column = np.zeros(len(form.cost))
    for _ in range(ROUNDS):
        of_row = -np.bincount(row, log + of_column[column], len(in_row)) / in_row
        of_column = -np.bincount(column, log + of_row[row], len(in_column)) / in_column
        of_column[form.integer] = 0.0
    return replace(form, col_unit_scale=np.exp2(np.round(of_column)))


def widest_row(form: StandardForm, scaling: Scaling) -> str:
    """The row whose entries are furthest apart after scaling, in words."""
    values = np.abs(scaled_values(scaling, indptr=form.a_indptr, indices=form.a_indices, values=form.a_values))
    least, most = np.full(len(form.row_low), np.inf), np.zeros(len(form.row_low))
    np.minimum.at(least, form.a_indices[values > 0], values[values > 0])
    np.maximum.at(most, form.a_indices, values)
    if not most.any():
        return "no row has a coefficient"
    row = int(np.argmax(np.divide(most, least, out=np.zeros_like(most), where=most > 0)))
    column = np.repeat(np.arange(len(form.cost)), np.diff(form.a_indptr))
    mine = np.flatnonzero((form.a_indices == row) & (values > 0))
    small, large = mine[np.argmin(values[mine])], mine[np.argmax(values[mine])]
    ends = " and ".join(f"{form.a_values[at]:g} of {form.col_names[column[at]]}" for at in (small, large))
    return f"coefficients are furthest apart in {form.row_names[row]}: {ends}; look at the figures behind them"
