"""Prices at which no truck goes in circles: those of the rows that bring trucks back, made consistent.

A column without upper bound must not have a negative reduced cost, or the prices prove nothing (see `bound`). Only
rows that must hold with equality can pay for a loaded trip without freight: `return_empties` says that as many trucks
leave a region as arrive. A column that leaves row i and arrives in row k asks for $y_i - y_k \\le w$, w its reduced
cost per trip without these two prices. So the prices are distances, and prices that break some of these limits are
repaired like distances: from above, $y_i = \\min(y_i, w_{ik} + y_k)$ until nothing changes, from below in the same way,
and half of each, since both keep every limit and so does their mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from nbb_opt.model import Split

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SWEEPS = 50


class Circulation:
    """What goes from one equality row with side 0 to another: loaded trips of a class of lanes (see `Oracle`), truck
    and period, and columns of the master's own.
    """

    def __init__(self, split: Split, lane_classes: Ints) -> None:
        master, d, resources = split.master, split.hauls, split.resources
        free = ~master.integer & ~np.isfinite(master.col_up)
        balance = (master.row_low == 0) & (master.row_up == 0)
        rows = len(balance)
        row_of = _only_row(balance, resources.indptr, resources.row, resources.value)
        region, arrival, cargo_type = lane_classes.T
        leaves, arrives = d.leaves_at[region, cargo_type], d.arrives_at[arrival, cargo_type]  # (classes, V, T)
        leaves = np.where(leaves >= 0, np.append(row_of, -1)[leaves], -1)
        arrives = np.where(arrives >= 0, np.append(row_of, -1)[arrives], -1)
        far = (region != arrival)[:, None, None] & (leaves >= 0) & (arrives >= 0)
        self.trip = np.flatnonzero(far)
        own, from_, to, self.own_per = _pairs(balance, master.a_indptr, master.a_indices, master.a_values)
        keep = free[own]
        self.own, self.own_per = own[keep], self.own_per[keep]
        of_trips = leaves.ravel()[self.trip] * rows + arrives.ravel()[self.trip]
        code, number = np.unique(np.concatenate([of_trips, from_[keep] * rows + to[keep]]), return_inverse=True)
        self.leaves, self.arrives = code // rows, code % rows
        self.trip_pair, self.own_pair = number[: len(self.trip)], number[len(self.trip) :]

    def repaired(self, y: Floats, *, trip_eur: Floats, own_reduced: Floats) -> Floats:
        """Prices near `y` at which no such column has a negative reduced cost, given those at `y`: the least of a trip
        by class, truck and period, and those of the master's columns.
        """
        if not len(self.leaves):
            return y
        limit = np.full(len(self.leaves), np.inf)
        np.minimum.at(limit, self.trip_pair, trip_eur.ravel()[self.trip])
        np.minimum.at(limit, self.own_pair, own_reduced[self.own] / self.own_per)
        if (limit >= 0).all():
            return y
        limit += y[self.leaves] - y[self.arrives]
        low, up = y.copy(), y.copy()
        for _ in range(SWEEPS):
            before = low.copy(), up.copy()
            np.minimum.at(low, self.leaves, low[self.arrives] + limit)
            np.maximum.at(up, self.arrives, up[self.leaves] - limit)
            if np.array_equal(before[0], low) and np.array_equal(before[1], up):
                break
        return (low + up) / 2


def _only_row(balance: npt.NDArray[np.bool_], indptr: npt.NDArray, row: npt.NDArray, value: Floats) -> Ints:
    """The balance row of every column that has one entry of 1 or -1 in such rows, else -1."""
    at = np.flatnonzero(balance[row])
    column = np.searchsorted(indptr, at, side="right") - 1
    alone = (np.bincount(column, minlength=len(indptr) - 1)[column] == 1) & (np.abs(value[at]) == 1)
    found = np.full(len(indptr) - 1, -1, np.int64)
    found[column[alone]] = row[at[alone]]
    return found


def _pairs(
    balance: npt.NDArray[np.bool_], indptr: npt.NDArray, row: npt.NDArray, value: Floats
) -> tuple[Ints, Ints, Ints, Floats]:
    """Columns with one entry a in a balance row and -a in another: column, row of a > 0, row of -a, a."""
    at = np.flatnonzero(balance[row])
    column = np.searchsorted(indptr, at, side="right") - 1
    count = np.bincount(column, minlength=len(indptr) - 1)
    two = count[column] == 2
    at, column = at[two], column[two]
    first, second = at[::2], at[1::2]
    fits = value[first] == -value[second]
    first, second, column = first[fits], second[fits], column[::2][fits]
    plus = value[first] > 0
    return (
        column.astype(np.int64), np.where(plus, row[first], row[second]).astype(np.int64),
        np.where(plus, row[second], row[first]).astype(np.int64), np.abs(value[first]),
    )  # fmt: skip
