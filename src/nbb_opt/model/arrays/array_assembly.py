"""The model as arrays: the same blocks, without an object per variable or row. The way to the solver."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, csr_array

from nbb_opt.errors import ModelError
from nbb_opt.model.arrays.assembly import Assembly, Columns, Weighed
from nbb_opt.model.arrays.keys import Labels, label
from nbb_opt.model.arrays.terms import Index, Rows, Terms, check_coefficients, checked_rows
from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.model.form import StandardForm, checked


class ArrayAssembly(Assembly):
    """Keeps rows as (column, coefficient) in row order; `matrix`, `sides` and `cost` give what a solver takes."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.rows: list[tuple[str, Index, Ints]] = []
        self.row_count = 0
        self.cost: Floats = np.zeros(0)
        self.cost_offset = 0.0
        self._matrix: csc_array | None = None
        self._per_row: list[Ints] = []
        self._column: list[npt.NDArray[np.int32]] = []
        self._value: list[Floats] = []
        self._low: list[Floats] = []
        self._up: list[Floats] = []

    def _declare(self, columns: Columns, index_set: str) -> None:
        """Nothing to make: the arrays are all there is."""

    def add_rows(self, name: str, index: Index, terms: Terms, *, sense: str, side: Floats | float = 0.0) -> None:
        if self._matrix is not None:
            raise ModelError(f"{name}: the matrix is made already; state every row before asking for it")
        found: Rows = checked_rows(name, index, terms, sense=sense, side=side)
        self.rows.append((name, index, found.kept))
        self.row_count += len(found.kept)
        self._per_row.append(np.bincount(found.row, minlength=len(found.kept)))
        self._column.append(found.column.astype(np.int32, copy=False))
        self._value.append(found.value)
        self._low.append(found.low - found.constant)
        self._up.append(found.up - found.constant)

    def add_expressions(self, name: str, index: Index, terms: Terms) -> None:
        row, _column, value = terms.merged()
        check_coefficients(name, row, value, index)

    def minimise(self, components: list[Weighed]) -> None:
        self.cost = np.zeros(self.size)
        self.cost_offset = 0.0
        for part in components:
            row, column, value = part.terms.merged()
            check_coefficients(part.name, row, value, None)
            # row by row, so that the sums round as those of the Pyomo model
            cut = np.searchsorted(row, np.arange(part.terms.rows + 1))
            for r, (factor, constant) in enumerate(
                zip(part.factor.tolist(), part.terms.constant.tolist(), strict=True)
            ):
                here = slice(cut[r], cut[r + 1])
                self.cost[column[here]] += factor * value[here]
                self.cost_offset += factor * constant

    def cost_at(self, values: Floats) -> float:
        return float(self.cost @ values) + self.cost_offset

    def form(self) -> StandardForm:
        """The arrays as a standard form; names are made when they are read."""
        matrix, (low, up) = self.matrix(), self.sides()
        return checked(StandardForm(
            self.cost, self.cost_offset, matrix.indptr, matrix.indices, matrix.data, low, up, self.per_column("low"),
            self.per_column("up"), self.per_column("whole").astype(bool), Labels(self.column_names, self.size),
            Labels(self.row_names, self.row_count), self.per_column("typical"),
            self.per_column("fix_order").astype(np.int8),
        ))  # fmt: skip

    def matrix(self) -> csc_array:
        """All rows by columns, row numbers rising within each column. The rows are given up for it: it is the last."""
        if self._matrix is None:
            start = np.cumsum(np.concatenate([np.zeros(1, np.int64), *self._per_row])).astype(np.int32)
            column = np.concatenate([np.zeros(0, np.int32), *self._column])
            self._column.clear()
            value = np.concatenate([np.zeros(0), *self._value])
            self._value.clear()
            self._matrix = csr_array((value, column, start), shape=(self.row_count, self.size)).tocsc()
        return self._matrix

    def families(self) -> dict[str, list[tuple[tuple[Any, ...], int]]]:
        """Key and position of every row, by the name of its constraint."""
        found: dict[str, list[tuple[tuple[Any, ...], int]]] = {}
        at = 0
        for name, index, kept in self.rows:
            keys = list(index)
            found.setdefault(name, []).extend((tuple(keys[i]), at + n) for n, i in enumerate(kept.tolist()))
            at += len(kept)
        return found

    def sides(self) -> tuple[Floats, Floats]:
        """Lower and upper side of every row."""
        for sides in (self._low, self._up):
            sides[:] = [np.concatenate([np.zeros(0), *sides])]
        return self._low[0], self._up[0]

    def row_names(self) -> list[str]:
        """Every row's name, as Pyomo writes it."""
        names = []
        for name, index, kept in self.rows:
            keys = list(index)
            names += [label(name, keys[at]) for at in kept.tolist()]
        return names
