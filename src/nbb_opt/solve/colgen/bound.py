r"""A lower bound on the cost of every plan from any prices whatsoever.

With prices $y$ of the master's rows (clamped to the sign their open side allows) and $\sigma \ge 0$ of the rows that
tie groups to projects, relaxing those rows leaves

$$L(y, \sigma) = \sum_i y_i b_i + \sum_j \min_{l_j \le x_j \le u_j} d_j x_j
    + \sum_g \min_S \Bigl(v_{gS}(y) + \sum_{p \in S} \sigma_{gp}\Bigr), \qquad d = c - A^T y - \sigma$$

where $v_{gS}$ is what group $g$ pays at these prices in state $S$. Columns without upper bound (trucks, chargers, empty
trips, loaded trips without freight) need $d_j \ge 0$. Where $d_j = -r c_j$, $c_j > 0$, the prices $y / (1 + r)$ have
no such column left, and $L$ is concave: $L(y / (1 + r)) \ge (L(y) + r L(0)) / (1 + r)$, with $L(y)$ taken without those
columns. So the bound holds for every $y$; only its value depends on how good the prices are. Sums are taken without
rounding (`math.fsum`), and a margin for the rounding of the terms themselves is taken off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.solve.colgen.groups import Groups

if TYPE_CHECKING:
    from nbb_opt.model import Split


SWEEPS = 50


class Circulation:
    r"""What goes from one equality row with side 0 to another: loaded trips of a class of lanes (see `Oracle`), truck
    and period, and columns of the master's own. It repairs prices at which a truck would go in circles.

    A column without upper bound must not have a negative reduced cost, or the prices prove nothing. Only rows that must
    hold with equality can pay for a loaded trip without freight: `return_empties` says that as many trucks leave a
    region as arrive. A column that leaves row i and arrives in row k asks for $y_i - y_k \le w$, w its reduced cost per
    trip without these two prices. So the prices are distances, and prices that break some of these limits are repaired
    like distances: from above, $y_i = \min(y_i, w_{ik} + y_k)$ until nothing changes, from below in the same way, and
    half of each, since both keep every limit and so does their mean.
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


ROUNDING = 1e-12  # of the sum of all terms' sizes: hundreds of roundings of 1.1e-16 each


@dataclass(frozen=True)
class LagrangianCut:
    """What one price vector proves: prices `y`, `sigma`, what the groups pay at them, the ratio r of the trips."""

    y: Floats
    sigma: Floats
    paid: float
    size: float
    ratio: float


class Bounds:
    """Turns price vectors into bounds; `sigma` has one entry per (group, bit)."""

    def __init__(self, split: Split, groups: Groups) -> None:
        self.split, self.groups = split, groups
        master = split.master
        self.matrix = csc_array(
            (master.a_values, master.a_indices, master.a_indptr), shape=(len(master.row_low), len(master.cost))
        )
        self.tie_group = np.repeat(np.arange(groups.size), [len(bits) for bits in groups.of_bit])
        self.tie_column = np.array([c for bits in groups.of_bit for c in bits], np.int64)
        self.tie_start = np.concatenate([[0], np.cumsum([len(bits) for bits in groups.of_bit])]).astype(np.int64)
        self.state_group = groups.of_state
        self.member_state, self.member_tie = self._members()
        self.unpaid = bool((split.segments.cost < 0).any() or (split.resources.cost < 0).any())

    def _members(self) -> tuple[Ints, Ints]:
        """Pairs (state, tie) of the columns that each state needs."""
        pairs = [
            (s, int(self.tie_start[g]) + k)
            for s, g in enumerate(self.state_group.tolist())
            for k in range(len(self.groups.of_bit[g]))
            if int(self.groups.states[s]) >> k & 1
        ]
        table = np.array(pairs, np.int64).reshape(-1, 2)
        return table[:, 0], table[:, 1]

    def clamp(self, y: Floats) -> Floats:
        """Prices of the sign that the open sides of the rows allow."""
        master = self.split.master
        y = np.where((y > 0) & ~np.isfinite(master.row_low), 0.0, y)
        return np.where((y < 0) & ~np.isfinite(master.row_up), 0.0, y)

    def with_ties(self, value: Floats, sigma: Floats) -> Floats:
        """Value of each state with the price of what it needs."""
        total = value.copy()
        np.add.at(total, self.member_state, sigma[self.member_tie])
        return total

    def cut(self, y: Floats, sigma: Floats, *, value: Floats, ratio: float) -> LagrangianCut:
        """What clamped prices prove, given the oracle's answer to `y`: values, and the worst ratio of trips."""
        best = np.minimum.reduceat(self.with_ties(value, sigma), self.groups.state_start[:-1])
        return LagrangianCut(y, sigma, math.fsum(best.tolist()), float(np.abs(best).sum()), ratio)

    def bound(self, cut: LagrangianCut, *, low: Floats, up: Floats) -> float:
        """The bound in EUR while the master's columns stay within `low` and `up`."""
        master = self.split.master
        d = master.cost - self.matrix.T @ cut.y
        np.subtract.at(d, self.tie_column, cut.sigma)
        open_above = ~np.isfinite(up)
        ratio = max(cut.ratio, _ratio(d[open_above], master.cost[open_above]))
        if not math.isfinite(ratio) or (ratio > 0 and self.unpaid):
            return -math.inf
        side = np.where(cut.y > 0, master.row_low, master.row_up)
        rows = np.where(cut.y != 0, cut.y * np.where(cut.y != 0, side, 0.0), 0.0)
        boxes = _least(d, low, up)
        terms = [*rows.tolist(), *boxes.tolist(), cut.paid]
        size = float(np.abs(rows).sum() + np.abs(boxes).sum() + cut.size)
        total, nothing = math.fsum(terms), math.fsum(_least(master.cost, low, up).tolist())
        return (total - ROUNDING * size + ratio * min(nothing, 0.0)) / (1.0 + ratio) + master.cost_offset


def _ratio(reduced: Floats, cost: Floats) -> float:
    """The least r with reduced + r cost >= 0; infinite where no r does it."""
    below = np.flatnonzero(reduced < 0)
    if not len(below):
        return 0.0
    if (cost[below] <= 0).any():
        return math.inf
    return float((-reduced[below] / cost[below]).max())


def _least(d: Floats, low: Floats, up: Floats) -> Floats:
    """d x at its least over the box; columns without upper bound count as if d were not negative."""
    at = np.where((d >= 0) | ~np.isfinite(up), low, np.where(np.isfinite(up), up, 0.0))
    return np.asarray(d * at)
