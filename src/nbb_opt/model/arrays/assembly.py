"""A model under construction as arrays: what the blocks may call, and what a solver and a plan are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, csr_array

from nbb_opt.errors import ModelError
from nbb_opt.model.arrays.keys import LazyLabels, label
from nbb_opt.model.arrays.terms import CheckedRows, Index, Terms, check_coefficients, checked_rows
from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.model.form import StandardForm, checked

FIX_ORDER = {"opened": 0, "built": 0, "upgraded": 0, "installed": 1, "bought": 2, "kept": 2}


@dataclass(frozen=True, kw_only=True)
class VariableKind:
    """One kind of variable: its keys, the position of the first among all columns, bounds, whether whole numbers.

    `typical` is a usual value of one, a power of two.
    """

    name: str
    keys: Index
    start: int
    low: Floats
    up: Floats
    whole: bool
    typical: float


@dataclass(frozen=True)
class Weighed:
    """A component of the objective: its amounts, row by row, and the factor with which each counts."""

    name: str
    factor: Floats
    terms: Terms


class Assembly:
    """The columns in order, the rows, and the shared expressions blocks add terms to; no object per variable or row.

    Keeps rows as (column, coefficient) in row order; `form` gives what a solver takes.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.kinds: dict[str, VariableKind] = {}
        self.size = 0
        self.shared: dict[str, Terms] = {}
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

    def add_variables(
        self,
        name: str,
        index: Index,
        *,
        whole: bool = False,
        fixed: Floats | None = None,
        low: npt.ArrayLike = 0.0,
        up: npt.ArrayLike | None = None,
        typical: float = 1.0,
    ) -> Ints:
        """Declare variables from `low` up; gives their positions among all columns. `typical` is a usual value."""
        count = len(index)
        least = np.broadcast_to(np.asarray(low if fixed is None else fixed, float), (count,))
        high = np.broadcast_to(np.asarray(np.inf if up is None else up, float), (count,))
        power = float(2.0 ** np.round(np.log2(typical))) if typical > 0 else 1.0
        columns = VariableKind(
            name=name, keys=index, start=self.size, low=least, up=high if fixed is None else least, whole=whole,
            typical=power,
        )  # fmt: skip
        self.kinds[name] = columns
        self.size += count
        return np.arange(columns.start, self.size)

    @property
    def start(self) -> dict[str, int]:
        """Position of the first column of every kind of variable."""
        return {name: columns.start for name, columns in self.kinds.items()}

    def per_column(self, what: str) -> npt.NDArray:
        """One value per column: `low`, `up`, `whole`, `typical`, or `fix_order` (-1 where not whole)."""
        parts = []
        for columns in (kind for kind in self.kinds.values() if len(kind.keys)):
            value = np.int8(FIX_ORDER.get(columns.name, -1)) if what == "fix_order" else getattr(columns, what)
            parts.append(np.broadcast_to(np.asarray(value), (len(columns.keys),)))
        if parts and all(part.strides == (0,) and (part[:1] == parts[0][:1]).all() for part in parts):
            return np.broadcast_to(parts[0][:1], (self.size,))  # one value for all, kept once
        return np.concatenate(parts) if parts else np.zeros(0)

    def column_names(self) -> list[str]:
        """Every column's name, as Pyomo writes it."""
        return [label(columns.name, key) for columns in self.kinds.values() for key in columns.keys]

    def share(self, name: str, rows: int) -> Terms:
        """The shared expression of that name, begun if nobody has yet."""
        if name not in self.shared:
            self.shared[name] = Terms(rows)
        return self.shared[name]

    def add_rows(self, name: str, index: Index, terms: Terms, *, sense: str, side: Floats | float = 0.0) -> None:
        """Declare the constraint `terms <= side`, `>=` or `==` for each index.

        A row in which no variable occurs is left out if it holds, and a ModelError naming it if it does not.
        """
        if self._matrix is not None:
            raise ModelError(f"{name}: the matrix is made already; state every row before asking for it")
        found: CheckedRows = checked_rows(name, index, terms, sense=sense, side=side)
        self.rows.append((name, index, found.kept))
        self.row_count += len(found.kept)
        self._per_row.append(np.bincount(found.row, minlength=len(found.kept)))
        self._column.append(found.column.astype(np.int32, copy=False))
        self._value.append(found.value)
        self._low.append(found.low - found.constant)
        self._up.append(found.up - found.constant)

    def minimise(self, components: list[Weighed]) -> None:
        """Set the objective: the sum of all amounts, each times its factor."""
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
        """The objective at the given values of all columns, in EUR."""
        return float(self.cost @ values) + self.cost_offset

    def form(self) -> StandardForm:
        """The arrays as a standard form; names are made when they are read."""
        matrix, (low, up) = self.matrix(), self.sides()
        return checked(StandardForm(
            cost=self.cost, cost_offset=self.cost_offset, a_indptr=matrix.indptr, a_indices=matrix.indices,
            a_values=matrix.data, row_low=low, row_up=up, col_low=self.per_column("low"), col_up=self.per_column("up"),
            integer=self.per_column("whole").astype(bool), col_names=LazyLabels(self.column_names, self.size),
            row_names=LazyLabels(self.row_names, self.row_count), col_unit_scale=self.per_column("typical"),
            fix_order=self.per_column("fix_order").astype(np.int8),
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
