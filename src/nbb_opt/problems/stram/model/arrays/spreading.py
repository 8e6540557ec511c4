"""One pattern of terms, repeated in every state."""

from __future__ import annotations

import numpy as np

from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.periods import Floats, Ints


def repeat(
    terms: Terms, states: int, *, row: Ints, rows: int, column: Ints, columns: int, start: int, value: Floats | float
) -> Terms:
    """Add the pattern (row, column, value) of one state in all states.

    State n has rows `n * rows ...` and columns `start + n * columns ...`. `value` is one number, one per term, or one
    row of numbers per state.
    """
    n = np.arange(states)[:, None]
    shape = (states, len(row))
    return terms.add(
        np.broadcast_to(row + n * rows, shape).ravel(), np.broadcast_to(start + column + n * columns, shape).ravel(),
        np.broadcast_to(np.asarray(value, float), shape).ravel(),
    )  # fmt: skip


def grid(*sizes: int) -> list[Ints]:
    """All positions of an array of that shape, as one flat index per dimension.

    >>> [part.tolist() for part in grid(2, 2)]
    [[0, 0, 1, 1], [0, 1, 0, 1]]
    """
    return [part.ravel() for part in np.indices(sizes)]
