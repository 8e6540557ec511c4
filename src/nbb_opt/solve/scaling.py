"""Powers of two that bring a problem in business units to numbers near one, without changing a single digit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Scaling:
    """Column factors (value = factor * scaled value), row factors (scaled row = factor * row), and the objective's."""

    column: Floats
    row: Floats
    objective: float


def power_of_two(values: Floats) -> Floats:
    """The power of two nearest to each positive value.

    >>> power_of_two(np.array([1.0, 3.0, 1000.0])).tolist()
    [1.0, 4.0, 1024.0]
    """
    return np.exp2(np.round(np.log2(values)))


def choose_scaling(
    *, cost: Floats, indptr: Ints, indices: Ints, values: Floats, rows: int, column_unit: Floats
) -> Scaling:
    """Columns are measured in `column_unit`; rows and objective are divided by a typical size of their entries.

    The matrix is given by columns (CSC). Row factors use the largest entry, the objective the geometric mean of its
    nonzero entries.
    """
    column = power_of_two(column_unit)
    scaled = np.abs(values) * np.repeat(column, np.diff(indptr))
    largest = np.zeros(rows)
    np.maximum.at(largest, indices, scaled)
    largest[largest == 0] = 1.0
    row = 1.0 / power_of_two(largest)
    costs = np.abs(cost * column)
    costs = costs[costs > 0]
    objective = 1.0 / float(power_of_two(np.exp(np.array([np.log(costs).mean()])))[0]) if costs.size else 1.0
    return Scaling(column, row, objective)
