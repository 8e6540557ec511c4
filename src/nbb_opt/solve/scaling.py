"""Powers of two that bring a problem in business units to numbers near one, without changing a single digit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]
COLUMNS_AT_ONCE = 1 << 13


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
