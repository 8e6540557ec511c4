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

from nbb_opt.solve.colgen.groups import Groups

if TYPE_CHECKING:
    from nbb_opt.model import Split

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
ROUNDING = 1e-12  # of the sum of all terms' sizes: hundreds of roundings of 1.1e-16 each


@dataclass(frozen=True)
class Cut:
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

    def cut(self, y: Floats, sigma: Floats, *, value: Floats, ratio: float) -> Cut:
        """What clamped prices prove, given the oracle's answer to `y`: values, and the worst ratio of trips."""
        best = np.minimum.reduceat(self.with_ties(value, sigma), self.groups.state_start[:-1])
        return Cut(y, sigma, math.fsum(best.tolist()), float(np.abs(best).sum()), ratio)

    def bound(self, cut: Cut, *, low: Floats, up: Floats) -> float:
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
