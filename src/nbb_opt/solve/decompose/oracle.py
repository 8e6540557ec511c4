"""What every group would do at given prices of the master's rows: one column per group and state."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, csr_array, vstack

from nbb_opt.milp.periods import entries
from nbb_opt.solve.decompose.arrays import ChainArrays, GroupArrays, PieceColumns, Prices
from nbb_opt.solve.decompose.groups import Groups, loose_columns
from nbb_opt.solve.decompose.kernels import aggregate, count_handed, hand_out
from nbb_opt.solve.decompose.prices.kernels import price_drives, price_pieces

if TYPE_CHECKING:
    from nbb_opt.milp import Split

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LARGE = 5_000  # fewer bundles are not worth a second thread
LANES_PER_BLOCK, DRIVES_AT_ONCE = 512, 100_000


@dataclass(frozen=True)
class Trips:
    """Loaded trips without freight at some prices, by class of lanes, truck and period.

    `price` is the least EUR for a trip (infinite: no truck may drive there), that of drive `cheapest`; `ratio` the
    largest of minus price to cost of a vkm where that is above 0, that of `drive`.
    """

    price: Floats
    cheapest: Ints
    ratio: Floats
    drive: Ints

    @property
    def worst(self) -> float:
        """The largest ratio."""
        return float(self.ratio.max(initial=0.0))

    def wanted(self, above: float) -> Ints:
        """The drives with a ratio above this, one per class, truck and period, in rising order."""
        return np.unique(self.drive[self.ratio > above])


@dataclass(frozen=True)
class Priced:
    """The answer to one price vector: per state its value at the prices, cost in EUR, use of the master's rows (CSR);
    and the trips without freight.
    """

    value: Floats
    cost: Floats
    use: Any
    trips: Trips


@dataclass(frozen=True)
class Handed:
    """Tonnes of a chain in a period, one entry per state that sends some; amounts through pieces, vkm of drives."""

    chain: npt.NDArray[np.int32]
    t: npt.NDArray[np.int8]
    tonnes: Floats
    through: Floats
    vkm: Floats


class Oracle:
    """Prices trucks on lanes first, then pieces and chains, then lets every bundle choose.

    Classes of lanes go from one region to another with goods of one handling: `lane_classes` lists them (class, 3).
    """

    def __init__(self, split: Split, groups: Groups, *, threads: int) -> None:
        self.split, self.groups = split, groups
        most = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
        self.threads = min(threads, most) if len(split.chains.demand_t) >= LARGE else 1
        self.rows = len(split.master.row_low)
        self.chains, self.group_arrays = ChainArrays.of(split), GroupArrays.of(groups, split.periods)
        self.pieces, self.piece_rows = PieceColumns.of(split)
        self.most_lanes = int(np.diff(split.chains.start).max(initial=1))
        self.order = _balanced(split, groups)
        self.lane_classes, self.block_class, self.block_start, self.lanes = _blocks(split)
        e = split.efforts
        self.effort_use = csc_array((e.value, e.row, e.indptr), shape=(self.rows, len(e.cost))).T.tocsr()
        column, table = loose_columns(groups), np.array(groups.loose, np.int64).reshape(-1, 3)
        self.loose_row = np.searchsorted(column, table[:, 2]) + self.rows - len(column)
        self.loose_group, self.loose_set = table[:, 0], table[:, 1]
        self.loose_start = np.searchsorted(self.loose_group, np.arange(groups.size + 1))
        self._known: tuple[Floats, tuple[Floats, Ints, Trips]] | None = None
        self.loose_per_t = 1.0 / np.array([groups.loose_t[one] for one in table[:, 2].tolist()])

    def __call__(self, price: Floats) -> Priced:
        """Answer prices (EUR per unit of each master row, the sign of a dual)."""
        unit, best, trips = self._drives(price)
        return Priced(*self._answer(price, unit, best), trips)

    def _answer(self, price: Floats, unit: Floats, best: Ints) -> tuple[Floats, Floats, Any]:
        """Value, cost and use of every state, given what trucks on lanes are worth."""
        g, states, sets = self.groups, len(self.groups.states), self.groups.set_bits.shape[1]
        value, cost = np.empty(states), np.empty(states)
        use, set_t = np.empty((states, len(self.piece_rows))), np.empty((states, sets))
        first = self.split.drives.first
        efforts = np.empty((states, int(np.diff(first).max(initial=0))))
        asked = (self.chains, self.split.drives, self.group_arrays, self.pieces, self._prices(price, unit), best)
        aggregate(self.order, self.most_lanes, *asked, value, cost, use, efforts, set_t)
        found = csr_array(use)
        of_rows = csr_array((found.data, self.piece_rows[found.indices], found.indptr), shape=(states, self.rows))
        parts = []
        for t in range(self.split.periods):
            mine = np.flatnonzero(g.t == t)
            low, up = (g.state_start[mine[0]], g.state_start[mine[-1] + 1]) if len(mine) else (0, 0)
            done = csr_array(efforts[low:up, : first[t + 1] - first[t]])
            cost[low:up] += np.asarray(done @ self.split.efforts.cost[first[t] : first[t + 1]])
            parts.append(done @ self.effort_use[first[t] : first[t + 1]])
        return value, cost, of_rows + vstack(parts, format="csr") + self._loose_use(set_t)

    def trips(self, price: Floats) -> Trips:
        """The loaded trips without freight at these prices."""
        return self._drives(price)[2]

    def hand_out(self, price: Floats, share: Floats) -> Handed:
        """What `share` of each state's column at these prices stands for."""
        return next(self.hand_out_each([(price, share)]))

    def hand_out_each(self, asked: Iterable[tuple[Floats, Floats]]) -> Iterator[Handed]:
        """The same for several prices and shares: priced one after the other, handed out side by side, in order."""
        with ThreadPoolExecutor(self.threads) as workers:
            waiting: deque[Future[Handed]] = deque()
            for price, share in asked:
                unit, best, _ = self._drives(price)
                waiting.append(workers.submit(self._handed, share, best, self._prices(price, unit)))
                if len(waiting) > self.threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _handed(self, share: Floats, best: Ints, prices: Prices) -> Handed:
        count = count_handed(self.group_arrays, self.split.chains.demand_t, share)
        chain, t, tonnes = np.empty(count, np.int32), np.empty(count, np.int8), np.empty(count)
        through, vkm = np.zeros(len(self.split.pieces.cost)), np.zeros(len(self.split.drives.t))
        hand_out(
            self.chains, self.split.drives, self.group_arrays, prices, best, share, chain, t, tonnes, through, vkm
        )  # fmt: skip
        return Handed(chain, t, tonnes, through, vkm)

    def efforts(self, vkm: Floats, drives: Ints) -> Floats:
        """Efforts of vkm of some drives."""
        found = np.zeros(len(self.split.efforts.cost))
        for low in range(0, len(drives), DRIVES_AT_ONCE):
            here = slice(low, low + DRIVES_AT_ONCE)
            found += self.split.drives.efforts(drives[here]) @ vkm[here]
        return found

    def _drives(self, price: Floats) -> tuple[Floats, Ints, Trips]:
        """EUR per tkm and best drive (lanes, periods), and the trips; those of the last prices asked are remembered."""
        if self._known is None or not np.array_equal(self._known[0], price):
            self._known = price.copy(), self._priced_drives(price)
        return self._known[1]

    def _priced_drives(self, price: Floats) -> tuple[Floats, Ints, Trips]:
        d, cost = self.split.drives, self.split.efforts.cost
        shape, by = (len(d.distance_km), self.split.periods), (len(self.block_class), *d.vkm_at.shape[1:])
        unit, best = np.empty(shape), np.empty(shape, np.int64)
        trip, trip_by, ratio, ratio_by = np.empty(by), np.empty(by, np.int64), np.empty(by), np.empty(by, np.int64)
        numba.set_num_threads(self.threads)
        worth = cost - self.effort_use @ price
        price_drives(
            d, worth, cost, self.block_start, self.lanes, unit, best, trip, trip_by, ratio, ratio_by
        )  # fmt: skip
        start = np.searchsorted(self.block_class, np.arange(len(self.lane_classes)))
        if not len(start):
            return unit, best, Trips(trip, trip_by, ratio, ratio_by)
        least, worst = np.minimum.reduceat(trip, start), np.maximum.reduceat(ratio, start)
        cheapest = np.where(trip == least[self.block_class], trip_by, -1)
        dearest = np.where(ratio == worst[self.block_class], ratio_by, -1)
        return (
            unit,
            best,
            Trips(least, np.maximum.reduceat(cheapest, start), worst, np.maximum.reduceat(dearest, start)),
        )

    def _prices(self, price: Floats, unit: Floats) -> Prices:
        """What chains are worth at these prices, given those of a tkm on lanes."""
        c, s, p = self.split.chains, self.split, self.split.pieces
        table = np.empty(c.at.shape)
        columns = (p.cost, p.indptr, p.row, p.value)
        price_pieces(c.at, *columns, price, s.drives.distance_km, unit, table)
        beside = np.concatenate([c.waiting_at[None], c.now_at, c.then_at])
        worth = np.empty(beside.shape)
        price_pieces(beside, *columns, price, np.zeros(0), np.zeros((0, s.periods)), worth)
        worth = np.where(beside >= 0, worth, 0.0)
        adder = np.zeros(self.groups.set_bits.shape)
        np.subtract.at(adder, (self.loose_group, self.loose_set), price[self.loose_row] * self.loose_per_t)
        return Prices(table, worth[0], worth[1 : 1 + len(c.now_at)], worth[1 + len(c.now_at) :], adder)

    def _loose_use(self, set_t: Floats) -> Any:
        """What states use of the rows over whole groups."""
        group_of = np.repeat(np.arange(self.groups.size), np.diff(self.groups.state_start))
        entry, count = entries(self.loose_start, group_of)
        state = np.repeat(np.arange(len(group_of)), count)
        value = set_t[state, self.loose_set[entry]] * self.loose_per_t[entry]
        return csr_array((value, (state, self.loose_row[entry])), shape=(len(group_of), self.rows))


def chains_of_clusters(split: Split, groups: Groups) -> Ints:
    """How many chains the bundles of every cluster have: its work, about."""
    chains = np.diff(split.chains.first)[groups.bundles]
    return np.add.reduceat(chains, groups.start[:-1]) if len(chains) else np.zeros(0, np.int64)


def _balanced(split: Split, groups: Groups) -> Ints:
    """Clusters so that both halves of the list are about equal work: heavy and light ones mixed."""
    order = np.argsort(-chains_of_clusters(split, groups), kind="stable")
    return np.concatenate([order[::2], order[1::2][::-1]])


def _blocks(split: Split) -> tuple[Ints, Ints, Ints, Ints]:
    """Classes of lanes (from region, to region, handling); blocks of lanes of one class: its class, where they start
    in the list of lanes, and that list.
    """
    d = split.drives
    code = np.stack([d.region, d.arrival, d.handling], axis=1)
    classes, of_lane = np.unique(code, axis=0, return_inverse=True)
    lanes = np.argsort(of_lane, kind="stable")
    of = of_lane[lanes]
    within = np.arange(len(of)) - np.searchsorted(of, of)
    start = np.flatnonzero(within % LANES_PER_BLOCK == 0)
    return classes, of[start], np.append(start, len(lanes)), lanes
