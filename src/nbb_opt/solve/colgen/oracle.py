"""What every group would do at given prices of the master's rows: one column per group and state."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, csr_array, vstack

from nbb_opt.model.data.periods import Floats, Ints, entries
from nbb_opt.solve.colgen.groups import ChainArrays, GroupArrays, Groups, Prices, SegmentColumns, loose_columns
from nbb_opt.solve.colgen.move_columns import (
    add_segments,
    aggregate,
    count_disaggregated,
    disaggregate,
    price_hauls,
    price_segments,
)

if TYPE_CHECKING:
    from nbb_opt.model import Split

LARGE = 5_000  # fewer bundles are not worth a second thread
LANES_PER_BLOCK, HAULS_AT_ONCE = 512, 100_000
BYTES_AT_ONCE = 1 << 26  # of what a thread adds up before that is packed: most of it is 0


@dataclass(frozen=True)
class BlockTrips:
    """Loaded trips without freight at some prices, by class of lanes, truck and period.

    `price` is the least EUR for a trip (infinite: no truck may drive there), that of haul `cheapest`; `ratio` the
    largest of minus price to cost of a vkm where that is above 0, that of `haul`.
    """

    price: Floats
    cheapest: Ints
    ratio: Floats
    haul: Ints

    @property
    def worst(self) -> float:
        """The largest ratio."""
        return float(self.ratio.max(initial=0.0))

    def wanted(self, above: float) -> Ints:
        """The hauls with a ratio above this, one per class, truck and period, in rising order."""
        return np.unique(self.haul[self.ratio > above])


@dataclass(frozen=True)
class Priced:
    """The answer to one price vector: per state its value at the prices, cost in EUR, use of the master's rows (CSR);
    and the trips without freight.
    """

    value: Floats
    cost: Floats
    use: Any
    trips: BlockTrips


@dataclass(frozen=True)
class Part:
    """Clusters that are answered for together, and their states, rising."""

    clusters: Ints
    states: Ints


@dataclass(frozen=True)
class Disaggregated:
    """Tonnes of a chain in a period, one entry per state that sends some; vkm of hauls."""

    chain: npt.NDArray[np.int32]
    t: npt.NDArray[np.int8]
    tonnes: Floats
    vkm: Floats


class Oracle:
    """Prices trucks on lanes first, then segments and chains, then lets every bundle choose.

    Classes of lanes go from one region to another with goods of one cargo type: `lane_classes` lists them (class, 3).
    """

    def __init__(self, split: Split, groups: Groups, *, threads: int) -> None:
        self.split, self.groups = split, groups
        most = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
        self.threads = min(threads, most) if len(split.chains.demand_t) >= LARGE else 1
        self.rows = len(split.master.row_low)
        self.chains, self.group_arrays = ChainArrays.of(split), GroupArrays.of(groups, split.periods)
        self.segments, self.piece_rows = SegmentColumns.of(split)
        self.most_lanes = int(np.diff(split.chains.start).max(initial=1))
        self.lane_classes, self.block_class, self.block_start, self.lanes = _blocks(split)
        e = split.resources
        self.resource_use = csc_array((e.value, e.row, e.indptr), shape=(self.rows, len(e.cost))).T.tocsr()
        column, table = loose_columns(groups), np.array(groups.loose, np.int64).reshape(-1, 3)
        self.loose_row = np.searchsorted(column, table[:, 2]) + self.rows - len(column)
        self.loose_group, self.loose_set = table[:, 0], table[:, 1]
        self.loose_start = np.searchsorted(self.loose_group, np.arange(groups.size + 1))
        self._known: tuple[Floats, tuple[Floats, Ints, BlockTrips]] | None = None
        self.loose_per_t = 1.0 / np.array([groups.loose_t[one] for one in table[:, 2].tolist()])
        self.most_resources = int(np.diff(split.hauls.first).max(initial=0))
        self.state_group = groups.of_state
        self.parts, self.place = self._parts()

    def __call__(self, price: Floats) -> Priced:
        """SolverResult prices (EUR per unit of each master row, the sign of a dual)."""
        unit, best, trips = self._hauls(price)
        prices = self._prices(price, unit)
        with ThreadPoolExecutor(self.threads) as workers:
            parts = list(workers.map(lambda part: self._of_part(part, prices, best), self.parts))
        return Priced(*in_order(parts), trips)

    def _parts(self) -> tuple[list[Part], Ints]:
        """Parts of about equal work, at least one for each thread, and the place of every state in its part."""
        wide = len(self.piece_rows) + self.most_resources + self.groups.set_bits.shape[1]
        state_cluster, place = self.groups.cluster[self.state_group], np.zeros(len(self.state_group), np.int64)
        count, parts = max(self.threads, ceil(len(place) * wide * 8 / BYTES_AT_ONCE)), []
        for clusters in equal_parts(self.split, self.groups, count):
            states = np.flatnonzero(np.isin(state_cluster, clusters))
            place[states] = np.arange(len(states))
            parts.append(Part(clusters, states))
        return parts, place

    def _of_part(self, part: Part, prices: Prices, best: Ints) -> tuple[Ints, Floats, Floats, Any]:
        """The states of a part, their value, cost and use."""
        count, first = len(part.states), self.split.hauls.first
        value, cost = np.zeros(count), np.zeros(count)
        use, set_t = np.zeros((count, len(self.piece_rows))), np.zeros((count, self.groups.set_bits.shape[1]))
        resources = np.zeros((count, self.most_resources))
        asked = (self.chains, self.split.hauls, self.group_arrays, self.segments, prices, best)
        aggregate(part.clusters, self.place, self.most_lanes, *asked, value, cost, use, resources, set_t)
        found = csr_array(use)
        of_rows = csr_array((found.data, self.piece_rows[found.indices], found.indptr), shape=(count, self.rows))
        driven, t_of_state = [], self.groups.t[self.state_group[part.states]]
        of_period = np.searchsorted(t_of_state, np.arange(self.split.periods + 1))
        for (low, up), (begins, ends) in zip(pairwise(of_period.tolist()), pairwise(first.tolist()), strict=True):
            done = csr_array(resources[low:up, : ends - begins])
            cost[low:up] += np.asarray(done @ self.split.resources.cost[begins:ends])
            driven.append(done @ self.resource_use[begins:ends])
        return part.states, value, cost, of_rows + vstack(driven, format="csr") + self._loose_use(part.states, set_t)

    def trips(self, price: Floats) -> BlockTrips:
        """The loaded trips without freight at these prices."""
        return self._hauls(price)[2]

    def disaggregate(self, price: Floats, share: Floats) -> Disaggregated:
        """What `share` of each state's column at these prices stands for."""
        return next(self._disaggregateeach([(price, share)]))

    def _disaggregateeach(self, asked: Iterable[tuple[Floats, Floats]]) -> Iterator[Disaggregated]:
        """The same for several prices and shares: priced one after the other, handed out side by side, in order."""
        with ThreadPoolExecutor(self.threads) as workers:
            waiting: deque[Future[Disaggregated]] = deque()
            for price, share in asked:
                if len(waiting) == self.threads:
                    yield waiting.popleft().result()
                unit, best, _ = self._hauls(price)
                waiting.append(workers.submit(self._disaggregated, share, best, self._prices(price, unit)))
            while waiting:
                yield waiting.popleft().result()

    def _disaggregated(self, share: Floats, best: Ints, prices: Prices) -> Disaggregated:
        count = count_disaggregated(self.group_arrays, self.split.chains.demand_t, share)
        chain, t, tonnes = np.empty(count, np.int32), np.empty(count, np.int8), np.empty(count)
        hauls = self.split.hauls
        vkm = np.zeros(len(hauls.t))
        disaggregate(self.chains, hauls, self.group_arrays, prices, best, share, chain, t, tonnes, vkm)
        return Disaggregated(chain, t, tonnes, vkm)

    def through(self, chain: Ints, t: Ints, tonnes: Floats) -> Floats:
        """Amounts through the columns of segments where chains carry tonnes in a period."""
        found, bundle = np.zeros(len(self.split.segments.cost)), self.split.chains.bundle_of(chain)
        add_segments(self.chains, chain, bundle, t, tonnes, found)
        return found

    def resources(self, vkm: Floats, hauls: Ints) -> Floats:
        """Resources of vkm of some hauls."""
        found = np.zeros(len(self.split.resources.cost))
        for low in range(0, len(hauls), HAULS_AT_ONCE):
            here = slice(low, low + HAULS_AT_ONCE)
            found += self.split.hauls.resources(hauls[here]) @ vkm[here]
        return found

    def _hauls(self, price: Floats) -> tuple[Floats, Ints, BlockTrips]:
        """EUR per tkm and best haul (lanes, periods), and the trips; those of the last prices asked are remembered."""
        if self._known is None or not np.array_equal(self._known[0], price):
            self._known = price.copy(), self._priced_hauls(price)
        return self._known[1]

    def _priced_hauls(self, price: Floats) -> tuple[Floats, Ints, BlockTrips]:
        d, cost = self.split.hauls, self.split.resources.cost
        shape, by = (len(d.distance_km), self.split.periods), (len(self.block_class), *d.vkm_at.shape[1:])
        unit, best = np.empty(shape), np.empty(shape, np.int64)
        trip, trip_by, ratio, ratio_by = np.empty(by), np.empty(by, np.int64), np.empty(by), np.empty(by, np.int64)
        numba.set_num_threads(self.threads)
        worth = cost - self.resource_use @ price
        price_hauls(
            d, worth, cost, self.block_start, self.lanes, unit, best, trip, trip_by, ratio, ratio_by
        )  # fmt: skip
        start = np.searchsorted(self.block_class, np.arange(len(self.lane_classes)))
        if not len(start):
            return unit, best, BlockTrips(trip, trip_by, ratio, ratio_by)
        least, worst = np.minimum.reduceat(trip, start), np.maximum.reduceat(ratio, start)
        cheapest = np.where(trip == least[self.block_class], trip_by, -1)
        dearest = np.where(ratio == worst[self.block_class], ratio_by, -1)
        return (
            unit,
            best,
            BlockTrips(least, np.maximum.reduceat(cheapest, start), worst, np.maximum.reduceat(dearest, start)),
        )

    def _prices(self, price: Floats, unit: Floats) -> Prices:
        """What chains are worth at these prices, given those of a tkm on lanes."""
        c, s, p = self.split.chains, self.split, self.split.segments
        table = np.empty(c.at.shape)
        columns = (p.cost, p.indptr, p.row, p.value)
        price_segments(c.at, *columns, price, s.hauls.distance_km, unit, table)
        beside = np.concatenate([c.waiting_at[None], c.choosing_at[None], c.now_at, c.then_at])
        worth = np.empty(beside.shape)
        price_segments(beside, *columns, price, np.zeros(0), np.zeros((0, s.periods)), worth)
        worth = np.where(beside >= 0, worth, 0.0)
        adder = np.zeros(self.groups.set_bits.shape)
        np.subtract.at(adder, (self.loose_group, self.loose_set), price[self.loose_row] * self.loose_per_t)
        now, then = worth[2 : 2 + len(c.now_at)], worth[2 + len(c.now_at) :]
        return Prices(table, worth[0], worth[1], now, then, adder)

    def _loose_use(self, states: Ints, set_t: Floats) -> Any:
        """What some states, with these tonnes by project set, use of the rows over whole groups."""
        entry, count = entries(self.loose_start, self.state_group[states])
        state = np.repeat(np.arange(len(states)), count)
        value = set_t[state, self.loose_set[entry]] * self.loose_per_t[entry]
        return csr_array((value, (state, self.loose_row[entry])), shape=(len(states), self.rows))


def in_order(parts: Sequence[tuple[Ints, Floats, Floats, Any]]) -> tuple[Floats, Floats, Any]:
    """Value, cost and use of all states from those of parts."""
    at = np.argsort(np.concatenate([part[0] for part in parts]))
    value, cost = (np.concatenate([part[k] for part in parts])[at] for k in (1, 2))
    use: Any = vstack([part[3] for part in parts], format="csr")
    return value, cost, csr_array(use[at])


def equal_parts(split: Split, groups: Groups, most: int) -> list[Ints]:
    """Clusters in parts of about the same number of chains: the heaviest first, each to the lightest part."""
    count = np.diff(split.chains.first)[groups.bundles]
    chains = np.add.reduceat(count, groups.start[:-1]) if len(count) else np.zeros(0, np.int64)
    parts: list[list[int]] = [[] for _ in range(max(1, min(most, len(chains))))]
    weight = np.zeros(len(parts))
    for q in np.argsort(-chains, kind="stable").tolist():
        lightest = int(np.argmin(weight))
        parts[lightest].append(q)
        weight[lightest] += chains[q]
    return [np.array(part, np.int64) for part in parts]


def _blocks(split: Split) -> tuple[Ints, Ints, Ints, Ints]:
    """Classes of lanes (from region, to region, cargo_type); blocks of lanes of one class: its class, where they start
    in the list of lanes, and that list.
    """
    d = split.hauls
    code = np.stack([d.region, d.arrival, d.cargo_type], axis=1)
    classes, of_lane = np.unique(code, axis=0, return_inverse=True)
    lanes = np.argsort(of_lane, kind="stable")
    of = of_lane[lanes]
    within = np.arange(len(of)) - np.searchsorted(of, of)
    start = np.flatnonzero(within % LANES_PER_BLOCK == 0)
    return classes, of[start], np.append(start, len(lanes)), lanes
