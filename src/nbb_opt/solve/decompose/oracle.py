"""What every group would do at given prices of the master's rows: one column per group and state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from nbb_opt.solve.decompose.groups import Groups, loose_rows
from nbb_opt.solve.decompose.kernels import add_work, aggregate, best_drives, hand_out, reduced_costs, work_of

if TYPE_CHECKING:
    from nbb_opt.milp import Split

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LARGE = 5_000  # fewer bundles are not worth a second thread


@dataclass(frozen=True)
class Priced:
    """The answer to one price vector: per state its value at the prices, cost in EUR, use of the master's rows (CSR).

    `drive_reduced` is the reduced cost of each drive at the prices, for those that drive without freight.
    """

    value: Floats
    cost: Floats
    use: Any
    drive_reduced: Floats


class Oracle:
    """Prices drives first, then lane-periods, pieces and chains, then lets every bundle choose; period by period."""

    def __init__(self, split: Split, groups: Groups, *, threads: int) -> None:
        self.split, self.groups, c = split, groups, split.chains
        most = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
        self.threads = min(threads, most) if len(c.demand_t) >= LARGE else 1
        lanes = int(max(split.drive_lane.max(initial=-1), split.work_lane.max(initial=-1))) + 1
        self.drive_order = np.argsort(split.drive_lane, kind="stable")
        self.drive_start = np.searchsorted(split.drive_lane[self.drive_order], np.arange(lanes + 1))
        self.first = np.searchsorted(c.bundle, np.arange(len(c.demand_t) + 1)).astype(np.int64)
        self.rows = len(split.master.row_low)
        self.calls = 0
        self.periods = [_Period.of(split, groups, t) for t in range(c.demand_t.shape[1])]
        group, _, self.loose_row = loose_rows(groups)
        self.loose_row += self.rows - len(group)
        tonnes = np.zeros(groups.size)
        for t in range(c.demand_t.shape[1]):
            mine = np.flatnonzero(groups.t == t)
            in_cluster = np.add.reduceat(c.demand_t[groups.bundles, t], groups.start[:-1])
            tonnes[mine] = in_cluster[groups.cluster[mine]]
        table = np.array(groups.loose, np.int64).reshape(-1, 3)
        self.loose_group, self.loose_set, self.loose_per_t = table[:, 0], table[:, 1], 1.0 / tonnes[table[:, 0]]

    def __call__(self, price: Floats) -> Priced:
        """Answer prices (EUR per unit of each master row, the sign of a dual)."""
        g, parts = self.groups, []
        self.calls += 1
        piece_price, best, reduced = self._prices(price)
        adder, work = self._adder(price), self._work(best)
        numba.set_num_threads(self.threads)
        for period in self.periods:
            first, count = int(period.states[0]) if len(period.states) else 0, len(period.states)
            value, cost = np.empty(count), np.empty(count)
            use, set_t = np.empty((count, len(period.rows))), np.empty((count, g.set_bits.shape[1]))
            asked = self._asked(period, piece_price, adder)
            aggregate(*asked, work, period.place, first, value, cost, use, set_t)  # type: ignore[call-arg]
            parts.append((value, cost, period.spread(use, self.rows) + self._loose_use(period, set_t)))
        return Priced(
            np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]),
            vstack([part[2] for part in parts], format="csr"), reduced,
        )  # fmt: skip

    def drive_reduced(self, price: Floats) -> Floats:
        """Reduced cost of every drive at the prices, EUR per vkm."""
        d = self.split.drives
        numba.set_num_threads(self.threads)
        reduced = np.empty(len(d.cost))
        reduced_costs(d.cost, d.indptr, d.row, d.value, price, reduced)
        return reduced

    def add_to(self, price: Floats, share: Floats, *, tonnes: Floats, through: Floats, vkm: Floats) -> None:
        """Add to chains (chains, periods), pieces and drives what `share` of each state's column at these prices is."""
        piece_price, best, _ = self._prices(price)
        adder = self._adder(price)
        for t, period in enumerate(self.periods):
            of_chain = np.ascontiguousarray(tonnes[:, t])
            asked = self._asked(period, piece_price, adder)
            hand_out(*asked, best, self.split.drive_load_t, share, of_chain, through, vkm)  # type: ignore[call-arg]
            tonnes[:, t] = of_chain

    def _asked(self, period: _Period, piece_price: Floats, adder: Floats) -> tuple[Any, ...]:
        s, g, c = self.split, self.groups, self.split.chains
        chains = (
            c.start, c.piece, c.waiting_eur, c.mode_class, period.at, period.extra, period.now, period.grows,
        )  # fmt: skip
        columns = (s.pieces.cost, s.pieces.indptr, s.pieces.row, s.pieces.value, s.work_lane, s.work_tkm)
        of_piece = np.where(period.at >= 0, piece_price[period.at], np.inf)
        return (
            period.groups, g.cluster, g.start, g.bundles, self.first, period.demand, c.project_set, g.set_bits, adder,
            g.state_start, g.states, piece_price, of_piece, chains, columns,
        )  # fmt: skip

    def _work(self, best: Ints) -> tuple[Ints, Floats, npt.NDArray[np.int32], Floats]:
        """What a tkm on every lane-period costs and uses with its best drive (see `work_of`)."""
        s, d = self.split, self.split.drives
        count = np.where(best >= 0, np.diff(d.indptr)[best], 0)
        start = np.concatenate([np.zeros(1, np.int64), np.cumsum(count)])
        eur, used, amount = np.zeros(len(best)), np.empty(start[-1], np.int32), np.empty(start[-1])
        work_of(best, s.drive_load_t, d.cost, d.indptr, d.row, d.value, start, eur, used, amount)
        return start, eur, used, amount

    def _adder(self, price: Floats) -> Floats:
        """EUR per tonne that rows over whole groups add to chains, by group and project set."""
        adder = np.zeros(self.groups.set_bits.shape)
        np.subtract.at(adder, (self.loose_group, self.loose_set), price[self.loose_row] * self.loose_per_t)
        return adder

    def _loose_use(self, period: _Period, set_t: Floats) -> Any:
        """What states use of the rows over whole groups."""
        group_of = np.repeat(period.groups, np.diff(self.groups.state_start)[period.groups])
        state, entry = np.nonzero(group_of[:, None] == self.loose_group[None, :])
        value = set_t[state, self.loose_set[entry]] * self.loose_per_t[entry]
        return csr_array((value, (state, self.loose_row[entry])), shape=(len(group_of), self.rows))

    def _prices(self, price: Floats) -> tuple[Floats, Ints, Floats]:
        """Price per tonne of every piece, drive used on every lane-period, reduced cost of every drive."""
        s = self.split
        reduced = self.drive_reduced(price)
        unit, best = np.empty(len(self.drive_start) - 1), np.empty(len(self.drive_start) - 1, np.int64)
        best_drives(self.drive_start, self.drive_order, reduced, s.drive_load_t, unit, best)
        piece_price = np.empty(len(s.pieces.cost))
        reduced_costs(s.pieces.cost, s.pieces.indptr, s.pieces.row, s.pieces.value, price, piece_price)
        add_work(s.work_lane, s.work_tkm, unit, piece_price)
        return piece_price, best, reduced


@dataclass(frozen=True)
class _Period:
    """What the kernels look into for one period: its groups and states, columns of pieces, and rows in which its
    pieces and drives stand (`place` says where in `rows` each is).
    """

    groups: Ints
    states: Ints
    at: Ints
    extra: Ints
    demand: Floats
    now: Floats
    grows: Floats
    rows: Ints
    place: Ints

    @classmethod
    def of(cls, split: Split, groups: Groups, t: int) -> _Period:
        """Period `t`."""
        c = split.chains
        mine = np.flatnonzero(groups.t == t)
        low, up = (groups.state_start[mine[0]], groups.state_start[mine[-1] + 1]) if len(mine) else (0, 0)
        used = np.zeros(len(split.master.row_low), bool)
        for columns, period in ((split.pieces, split.piece_period), (split.drives, split.drive_period)):
            used[columns.row[np.repeat(period == t, np.diff(columns.indptr))]] = True
        rows = np.flatnonzero(used)
        place = np.full(len(used), -1, np.int64)
        place[rows] = np.arange(len(rows))
        pairs = np.stack([c.now_at[:, t], c.then_at[:, t]], axis=1).ravel()
        return cls(
            mine, np.arange(low, up), np.ascontiguousarray(c.at[:, t]).astype(np.int64),
            np.concatenate([c.waiting_at[[t]], pairs]).astype(np.int64), np.ascontiguousarray(c.demand_t[:, t]),
            np.ascontiguousarray(c.now[:, t]), np.ascontiguousarray(c.grows[:, t]), rows, place,
        )  # fmt: skip

    def spread(self, use: Floats, rows: int) -> Any:
        """Use of this period's rows as use of all rows."""
        found = csr_array(use)
        return csr_array((found.data, self.rows[found.indices], found.indptr), shape=(use.shape[0], rows))
