"""More columns and rows for a stated problem: what a study asks on top of the model, without touching the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csc_array

from nbb_opt.model import StandardForm

INFINITE = float("inf")


@dataclass
class _Column:
    name: str
    cost: float
    low: float
    up: float
    whole: bool
    typical: float


class FormEdit:
    """A standard form under edit; columns and rows of the model keep their positions, new ones follow them."""

    def __init__(self, form: StandardForm) -> None:
        self.base = form
        self.cost = form.cost.copy()
        self.offset = form.cost_offset
        self.low, self.up = form.col_low.copy(), form.col_up.copy()
        self.row_low, self.row_up = form.row_low.copy(), form.row_up.copy()
        self.columns: list[_Column] = []
        self.rows: list[tuple[str, float, float]] = []
        self.entries: list[tuple[int, int, float]] = []

    def column(
        self,
        name: str,
        *,
        cost: float = 0.0,
        low: float = 0.0,
        up: float = INFINITE,
        whole: bool = False,
        typical: float = 1.0,
    ) -> int:
        """A new column; gives its position. `typical` is a usual value of it."""
        usual = 1.0 if whole else float(2.0 ** np.round(np.log2(typical)))
        self.columns.append(_Column(name, cost, low, up, whole, usual))
        return len(self.base.cost) + len(self.columns) - 1

    def row(
        self,
        name: str,
        columns: Sequence[int],
        values: Sequence[float],
        *,
        low: float = -INFINITE,
        up: float = INFINITE,
    ) -> int:
        """A new row `low <= sum of values times columns <= up`; gives its position."""
        self.rows.append((name, low, up))
        row = len(self.base.row_low) + len(self.rows) - 1
        self.entries += [(row, column, value) for column, value in zip(columns, values, strict=True)]
        return row

    def enter(self, row: int, column: int, value: float) -> None:
        """A new column's coefficient in a row of the model."""
        self.entries.append((row, column, value))

    def price(self, costs: dict[int, float]) -> None:
        """Another objective: only these columns cost something."""
        self.cost[:] = 0.0
        self.offset = 0.0
        for new in self.columns:
            new.cost = 0.0
        for column, cost in costs.items():
            at = column - len(self.base.cost)
            if at < 0:
                self.cost[column] = cost
            else:
                self.columns[at].cost = cost

    def price_as_stated(self) -> None:
        """The model's own objective; new columns cost nothing."""
        self.price({})
        self.cost[:] = self.base.cost
        self.offset = self.base.cost_offset

    def fix(self, column: int, value: float) -> None:
        """Give a column of the model one value."""
        self.low[column] = self.up[column] = value

    def form(self) -> StandardForm:
        """The edited problem."""
        base, new = self.base, self.columns
        shape = (len(base.row_low) + len(self.rows), len(base.cost) + len(new))
        stated = csc_array((base.a_values, base.a_indices, base.a_indptr), shape=(len(base.row_low), len(base.cost)))
        old = stated.tocoo()
        row, column, value = (np.array(part) for part in zip(*self.entries, strict=True)) if self.entries else ([],) * 3
        matrix = coo_array(
            (
                np.concatenate([old.data, np.asarray(value, float)]),
                (np.concatenate([old.row, np.asarray(row, int)]), np.concatenate([old.col, np.asarray(column, int)])),
            ),
            shape=shape,
        ).tocsc()
        matrix.sum_duplicates()
        matrix.eliminate_zeros()  # an order without a share is a row of zeros, which solvers do not keep

        def joined(stated: npt.NDArray, added: Sequence[float | bool]) -> npt.NDArray:
            return np.concatenate([stated, np.array(list(added), stated.dtype)])

        return replace(
            base,
            cost=joined(self.cost, [c.cost for c in new]), cost_offset=self.offset,
            a_indptr=matrix.indptr, a_indices=matrix.indices, a_values=matrix.data,
            row_low=joined(self.row_low, [low for _, low, _ in self.rows]),
            row_up=joined(self.row_up, [up for _, _, up in self.rows]),
            col_low=joined(self.low, [c.low for c in new]), col_up=joined(self.up, [c.up for c in new]),
            integer=joined(base.integer, [c.whole for c in new]),
            col_names=[*base.col_names, *(c.name for c in new)],
            row_names=[*base.row_names, *(r[0] for r in self.rows)],
            col_unit_scale=joined(base.col_unit_scale, [c.typical for c in new]),
            fix_order=joined(base.fix_order, [2 if c.whole else -1 for c in new]),
        )  # fmt: skip
