"""Rounding up, group by group: enough of everything, and less only where whole numbers alone would break a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
WHOLE = 1e-6


def groups(form: StandardForm) -> list[Ints]:
    """The integer columns, group by group in the order in which they are decided; the first may be empty."""
    return [np.flatnonzero(form.integer & (form.fix_order == order)) for order in orders(form)]


def orders(form: StandardForm) -> list[int]:
    """The `fix_order` of each of these groups."""
    return sorted({0, *form.fix_order[form.integer].tolist()})


@dataclass(frozen=True)
class Rows:
    """Rows in which only columns decided so far occur: whole numbers alone keep or break them."""

    matrix: sp.csr_array
    low: Floats
    up: Floats

    @classmethod
    def decided_by(cls, form: StandardForm, order: int) -> Rows:
        """Rows whose columns are all integer and of a group decided up to `order`."""
        rows, columns = len(form.row_low), len(form.cost)
        matrix = sp.csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(rows, columns)).tocsr()
        late = ~form.integer | (form.fix_order > order)
        only = np.flatnonzero((abs(matrix) @ late.astype(np.float64) == 0) & (np.diff(matrix.indptr) > 0))
        return cls(matrix[only], form.row_low[only], form.row_up[only])

    def broken(self, values: Floats) -> Ints:
        """Which of the rows these values break."""
        activity = self.matrix @ values
        margin = 1e-9 * (1.0 + np.abs(activity))
        return np.flatnonzero((activity > self.up + margin) | (activity < self.low - margin))

    def keep(self, values: Floats, column: Ints, target: Floats) -> bool:
        """Whether one column may step to `target` without breaking a row."""
        changed = values.copy()
        changed[column] = target
        return not len(self.broken(changed))

    def touch(self, rows: Ints, column: int) -> bool:
        """Whether a column occurs in one of the rows."""
        return bool(self.matrix[rows][:, [column]].nnz)

    def rounded_up(self, group: Ints, values: Floats, *, nothing: float = WHOLE) -> Floats:
        """Whole numbers for a group that are enough; up to `nothing` above one counts as that one.

        The least needed give way while a row of whole numbers alone, such as the limit of a grid, is broken.
        """
        values = values.copy()
        low = np.floor(values[group] + nothing)
        part = values[group] - low
        values[group] = np.ceil(values[group] - nothing)
        for i in np.argsort(part):
            broken = self.broken(values)
            if not len(broken):
                break
            if values[group[i]] > low[i] and self.touch(broken, int(group[i])):
                values[group[i]] = low[i]
        return np.asarray(values[group])
