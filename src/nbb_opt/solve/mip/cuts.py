"""Cuts for what whole capacities let through: the rounding that a relaxation does with a project is taken back.

A row says that what flows keep to a capacity, sum_g y_g <= side + sum_k a_k w_k with whole w_k >= 0, where y_g is what
the columns of one group use of it. A group is bounded by a row of its own, as the demand of a flow bounds its chains,
so that y_g <= u_g. For any groups S, with b = sum_{g in S} u_g - side and s = sum_{g in S} (u_g - y_g) >= 0, every plan
has sum_k a_k w_k + s >= b, and mixed-integer rounding of that, divided by one of the a_k, cuts off what the relaxation
gains by a fraction of a project that a few flows use whole (H. Marchand and L. A. Wolsey, Aggregation and mixed integer
rounding to solve MIPs, Operations Research 49, 2001, 363-371).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
VIOLATED = 1e-3  # by how much of a whole capacity a cut must be broken
REMAINDER = 1e-3  # smaller remainders of a division are noise, and would make for huge coefficients


@dataclass(frozen=True)
class Cuts:
    """Rows matrix.x >= low that every plan keeps, in business units."""

    matrix: sp.csr_array
    low: Floats


def with_cuts(form: StandardForm, cuts: Sequence[Cuts]) -> StandardForm:
    """The problem with these rows after its own."""
    if not cuts:
        return form
    own = sp.csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost)))
    both = sp.vstack([own, *(each.matrix for each in cuts)], format="csc")
    low = np.concatenate([each.low for each in cuts])
    return replace(
        form, a_indptr=both.indptr, a_indices=both.indices, a_values=both.data,
        row_low=np.concatenate([form.row_low, low]), row_up=np.concatenate([form.row_up, np.full(len(low), np.inf)]),
        row_names=[*form.row_names, *(f"cut[{i}]" for i in range(len(low)))],
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Capacity:
    """One row: whole columns `whole` with what each lets through, and columns `flow` that use it, `used` a unit.

    `group` counts the groups of `flow` from 0; a group may use `most` at most.
    """

    side: float
    whole: Ints
    each: Floats
    flow: Ints
    used: Floats
    group: Ints
    most: Floats

    def cut(self, values: Floats) -> tuple[Ints, Floats, float] | None:
        """Columns, coefficients and least value of the cut that `values` break most; None if they break none.

        The groups that use most of what they may are tried, one more each time.
        """
        use = np.bincount(self.group, self.used * values[self.flow], len(self.most))
        left = np.maximum(self.most - use, 0.0)
        order = np.argsort(left / self.most, kind="stable")
        need, slack = np.cumsum(self.most[order]) - self.side, np.cumsum(left[order])
        best, broken = None, VIOLATED
        for unit in np.unique(self.each):
            times, whole = np.floor(need / unit), np.floor(self.each / unit)
            rest = need / unit - times  # of what is needed, in whole capacities
            useful = (need > 0) & (rest > REMAINDER)
            rest[~useful] = 1.0
            each = whole + np.minimum(1.0, (self.each / unit - whole) / rest[:, None])
            miss = np.where(useful, times + 1.0 - each @ values[self.whole] - slack / (unit * rest), -np.inf)
            at = int(np.argmax(miss))
            if miss[at] > broken:
                best, broken = (at, unit * rest[at], each[at], times[at] + 1.0), float(miss[at])
        if best is None:
            return None
        at, unit, coefficients, least = best
        chosen = np.isin(self.group, order[: at + 1])
        return (
            np.concatenate([self.whole, self.flow[chosen]]),
            np.concatenate([unit * coefficients, -self.used[chosen]]),
            float(unit * least - self.most[order[: at + 1]].sum()),
        )


class CapacityRows:
    """The rows of a form of which cuts can be made."""

    def __init__(self, form: StandardForm) -> None:
        self.columns = len(form.cost)
        shape = (len(form.row_low), self.columns)
        matrix = sp.csc_array((form.a_values, form.a_indices, form.a_indptr), shape=shape).tocsr()
        group, share = _groups(form, matrix)
        self.rows: list[_Capacity] = []
        holding = abs(matrix) @ form.integer.astype(np.float64)
        for row in np.flatnonzero(holding).tolist():
            here = slice(matrix.indptr[row], matrix.indptr[row + 1])
            columns = matrix.indices[here].astype(np.int64)
            for side, sign in ((form.row_up[row], 1.0), (-form.row_low[row], -1.0)):
                if np.isfinite(side):
                    found = _capacity(form, columns, sign * matrix.data[here], float(side), group, share)
                    self.rows += [] if found is None else [found]

    def cuts(self, values: Floats) -> Cuts | None:
        """One cut of each row that allows one; None if no row does."""
        found = [cut for cut in (row.cut(values) for row in self.rows) if cut is not None]
        if not found:
            return None
        columns, entries, low = zip(*found, strict=True)
        starts = np.cumsum([0, *map(len, columns)])
        parts = (np.concatenate(entries), np.concatenate(columns), starts)
        return Cuts(sp.csr_array(parts, shape=(len(found), self.columns)), np.array(low))


def _groups(form: StandardForm, matrix: sp.csr_array) -> tuple[Ints, Floats]:
    """The row that bounds each column together with others, -1 if none does, and the most of the column that it allows.

    Such a row has an upper side and only continuous columns that are not negative, with positive coefficients; of
    several the one with fewest columns counts.
    """
    rows, many = len(form.row_up), np.diff(matrix.indptr)
    row = np.repeat(np.arange(rows), many)
    other = (matrix.data <= 0) | form.integer[matrix.indices] | (form.col_low[matrix.indices] < 0)
    bounds = (np.bincount(row, other, rows) == 0) & np.isfinite(form.row_up)
    entries = np.flatnonzero(bounds[row])
    entries = entries[np.argsort(-many[row[entries]], kind="stable")]  # the last one given stays
    group, most = np.full(len(form.cost), -1), np.full(len(form.cost), np.inf)
    group[matrix.indices[entries]] = row[entries]
    most[matrix.indices[entries]] = form.row_up[row[entries]] / matrix.data[entries]
    return group, most


def _capacity(
    form: StandardForm, columns: Ints, values: Floats, side: float, group: Ints, most: Floats
) -> _Capacity | None:
    """The row values.x[columns] <= side as a capacity that more than one group shares; None if it is none."""
    whole, lets, low = form.integer[columns], values < 0, form.col_low[columns]
    if (low < 0).any() or (lets & ~whole).any() or not lets.any():
        return None
    # what else uses the row may do so: without it the row is a weaker one
    flow = ~whole & (values > 0) & (group[columns] >= 0) & (most[columns] > 0)
    names, inside = np.unique(group[columns[flow]], return_inverse=True)
    if len(names) < 2:
        return None
    use = np.zeros(len(names))
    np.maximum.at(use, inside, values[flow] * most[columns[flow]])
    if use.sum() <= side:
        return None
    return _Capacity(
        side=side, whole=columns[lets], each=-values[lets], flow=columns[flow], used=values[flow], group=inside,
        most=use,
    )  # fmt: skip
