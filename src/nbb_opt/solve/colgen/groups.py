"""Groups of bundles that share one column at a time, the projects that matter to each, and what kernels look into."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, vstack

from nbb_opt.instance.schema import MODES
from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.solve.colgen.move_columns import mark_sets

if TYPE_CHECKING:
    from nbb_opt.model import Split

Small = npt.NDArray[np.int32]


class ChainArrays(NamedTuple):
    """Fields of `Chains`, and the number of modes."""

    start: Ints
    segment: Small
    first: Ints
    main_mode: npt.NDArray[np.int8]
    project_set: Small
    commodity: Ints
    hour_eur: Floats
    constant_eur: Floats
    hours: Floats
    demand_t: Floats
    now: Floats
    grows: Floats
    at: Small
    waiting_at: Small
    choosing_at: Small
    now_at: Small
    then_at: Small
    modes: int

    @classmethod
    def of(cls, split: Split) -> ChainArrays:
        """Those of a model; the arrays are the same, not copies."""
        return cls(**{name: getattr(split.chains, name) for name in cls._fields[:-1]}, modes=len(MODES))


class GroupArrays(NamedTuple):
    """Fields of `Groups`, and the group of every cluster and period, -1 where there is none."""

    start: Ints
    bundles: Ints
    of_cluster: Ints
    state_start: Ints
    states: Ints
    set_bits: Ints
    most_states: int

    @classmethod
    def of(cls, groups: Groups, periods: int) -> GroupArrays:
        """Those of some groups."""
        of_cluster = np.full((len(groups.start) - 1, periods), -1, np.int64)
        of_cluster[groups.cluster, groups.t] = np.arange(groups.size)
        most = int(np.diff(groups.state_start).max(initial=1))
        return cls(
            start=groups.start, bundles=groups.bundles, of_cluster=of_cluster, state_start=groups.state_start,
            states=groups.states, set_bits=groups.set_bits, most_states=most,
        )  # fmt: skip


class SegmentColumns(NamedTuple):
    """Columns of segments; `row_at` says where each of the master's rows is among those in which segments stand."""

    cost: Floats
    indptr: Ints
    row: Small
    value: Floats
    row_at: Ints

    @classmethod
    def of(cls, split: Split) -> tuple[SegmentColumns, Ints]:
        """Those of a model, and the rows in which they stand."""
        p, rows = split.segments, np.unique(split.segments.row).astype(np.int64)
        row_at = np.full(len(split.master.row_low), -1, np.int64)
        row_at[rows] = np.arange(len(rows))
        return cls(p.cost, p.indptr, p.row, p.value, row_at), rows


class Prices(NamedTuple):
    """EUR per tonne: `table` of segments by period (infinite without a column), `waiting` and `choosing` per EUR of it
    (periods), `now` and `then` by class of modes and period, `adder` by group and project set.
    """

    table: Floats
    waiting: Floats
    choosing: Floats
    now: Floats
    then: Floats
    adder: Floats


BUNDLES_PER_GROUP, MOST_CELLS = 40, 8  # usual size of a group; most parts of the map at either end
MOST_STATES = 64
MOST_GROUPS, MOST_TIES = 1200, 2500  # in all; more make the restricted master slow
CELLS_OF_KINDS = 3  # room for parts of the map: clusters for every kind, at least


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Group g is cluster `cluster[g]` in period `t[g]` (periods rise) and has
    `states[state_start[g]:state_start[g+1]]`.

    Cluster q holds `bundles[start[q]:start[q+1]]`. A state is a set of master columns (projects in a period) as bits;
    bit k of group g is column `of_bit[g][k]`. `set_bits` (groups, project sets) has the bits of what each set of
    projects needs there, -1 where it cannot be used. `loose` lists (group, set, column): needs that no bit stands for,
    kept by a row per column; `loose_t` are the tonnes of all that may need the column there.
    """

    start: Ints
    bundles: Ints
    cluster: Ints
    t: Ints
    state_start: Ints
    states: Ints
    of_bit: tuple[tuple[int, ...], ...]
    set_bits: Ints
    loose: tuple[tuple[int, int, int], ...]
    loose_t: dict[int, float]

    @property
    def size(self) -> int:
        """How many groups there are."""
        return len(self.t)

    @property
    def of_state(self) -> Ints:
        """Group of every state."""
        return np.repeat(np.arange(self.size), np.diff(self.state_start))

    @property
    def of_cluster(self) -> Ints:
        """Cluster of every bundle."""
        found = np.empty(len(self.bundles), np.int64)
        found[self.bundles] = np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))
        return found

    @property
    def of_bundle(self) -> Ints:
        """Group of every bundle and period, -1 where it is in none."""
        place = np.full((len(self.start) - 1, int(self.t.max(initial=0)) + 1), -1, np.int64)
        place[self.cluster, self.t] = np.arange(self.size)
        return place[self.of_cluster]


def make_groups(split: Split) -> Groups:
    """Group bundles that may need the same projects and run between the same parts of the map, in every period.

    More bundles make more, finer groups, up to a limit. Within a group every set of projects that some chains need
    together is a state; where there would be too many groups, states or ties, kinds of few tonnes join others, and
    needs of few tonnes are left to a row over all groups.
    """
    c = split.chains
    exact, sets_of = _kinds(split)
    wants = [frozenset(p for k in some for p in c.needs[k]) for some in sets_of]
    cluster = _clustered(split, _joined(wants, exact, c.demand_t, most=MOST_GROUPS // split.periods // CELLS_OF_KINDS))
    order = np.argsort(cluster, kind="stable")
    start = np.searchsorted(cluster[order], np.arange(int(cluster.max(initial=-1)) + 2)).astype(np.int64)
    tonnes = [_by_kind(cluster, exact, c.demand_t[:, t], len(start) - 1) for t in range(split.periods)]
    pairs = [(q, t) for t, by in enumerate(tonnes) for q in range(len(start) - 1) if sum(by[q].values()) > 0]
    usable, weight = [], []
    for q, t in pairs:
        here = sorted({k for kind in tonnes[t][q] for k in sets_of[kind] if c.ready[k, t]})
        usable.append({k: frozenset(split.project_column[list(c.needs[k]), t].tolist()) for k in here})
        weight.append(_needed(split, tonnes[t][q], wants, usable[-1], t))
    tied = _tied(weight)
    states, state_start, of_bit, loose = [], [0], [], []
    set_bits = np.full((len(pairs), len(c.needs)), -1, np.int64)
    for g, need in enumerate(usable):
        tracked, found = _states(sorted(tied[g]), list(need.values()))
        bit = {column: k for k, column in enumerate(tracked)}
        for k, columns in need.items():
            set_bits[g, k] = sum(1 << bit[one] for one in columns if one in bit)
            loose += [(g, k, one) for one in sorted(columns) if one not in bit]
        states += sorted({0, *(sum(1 << bit[one] for one in some) for some in found)})
        state_start.append(len(states))
        of_bit.append(tuple(tracked))
    loose_t: dict[int, float] = {}
    for g, column in dict.fromkeys((g, column) for g, _, column in loose):
        loose_t[column] = loose_t.get(column, 0.0) + weight[g][column]
    of = np.array(pairs, np.int64).reshape(-1, 2)
    return Groups(
        start=start, bundles=order.astype(np.int64), cluster=of[:, 0], t=of[:, 1],
        state_start=np.array(state_start, np.int64), states=np.array(states, np.int64), of_bit=tuple(of_bit),
        set_bits=set_bits, loose=tuple(loose), loose_t=loose_t,
    )  # fmt: skip


def with_group_rows(split: Split, groups: Groups) -> Split:
    """The same with a row, after all others, for every column that is needed where no bit stands for it (see
    `loose_columns`): of the tonnes that may need it there, the share that does is at most the units in service. True
    for whole units, though weaker than a row per chain.
    """
    column = loose_columns(groups)
    if not len(column):
        return split
    master, count = split.master, len(column)
    own = csc_array((master.a_values, master.a_indices, master.a_indptr), shape=(len(master.row_low), len(master.cost)))
    tie = csc_array((-np.ones(count), (np.arange(count), column)), shape=(count, len(master.cost)))
    whole = vstack([own, tie], format="csc")
    return replace(
        split, master=replace(
            master, a_indptr=whole.indptr, a_indices=whole.indices, a_values=whole.data,
            row_low=np.concatenate([master.row_low, np.full(count, -np.inf)]),
            row_up=np.concatenate([master.row_up, np.zeros(count)]),
        ),
    )  # fmt: skip


def loose_columns(groups: Groups) -> Ints:
    """The column of each row over groups."""
    return np.array(sorted(groups.loose_t), np.int64)


def _kinds(split: Split) -> tuple[Ints, list[list[int]]]:
    """Kind of every bundle, and the project sets that chains of each kind need."""
    c = split.chains
    used = np.zeros((len(c.demand_t), len(c.needs)), bool)
    mark_sets(c.first, c.project_set, used)
    found, kind = np.unique(np.packbits(used, axis=1), axis=0, return_inverse=True)
    return kind, [np.flatnonzero(row).tolist() for row in np.unpackbits(found, axis=1, count=len(c.needs))]


def _joined(wants: list[frozenset[int]], kind: Ints, demand_t: Floats, *, most: int) -> Ints:
    """Kind of every bundle with those that want the same in one; of more than `most` kinds, those of the fewest tonnes
    join the one that wants most of the same.
    """
    code = {want: k for k, want in enumerate(dict.fromkeys(wants))}
    of_kind = np.array([code[want] for want in wants], np.int64)
    if len(code) > most:
        tonnes = np.bincount(of_kind[kind], demand_t.sum(axis=1), len(code))
        heavy = np.argsort(-tonnes, kind="stable")
        every, kept = list(code), [(k, list(code)[k]) for k in heavy[:most].tolist()]
        into = np.arange(len(code))
        for k in heavy[most:].tolist():
            alike = [(len(every[k] & want) / max(1, len(every[k] | want)), tonnes[one], one) for one, want in kept]
            into[k] = max(alike)[2]
        of_kind = into[of_kind]
    return of_kind[kind]


def _clustered(split: Split, kind: Ints) -> Ints:
    """Cluster of every bundle: by kind and the parts of the map at both ends, more parts for kinds of more tonnes."""
    tonnes, count = split.chains.demand_t.sum(axis=1), len(kind)
    kinds = int(kind.max(initial=-1)) + 1
    most = MOST_GROUPS // split.periods
    share = np.bincount(kind, tonnes, kinds) / max(float(tonnes.sum()), 1e-300)
    widest, aim = round(np.log2(MOST_CELLS)), float(min(most, max(1.0, count / BUNDLES_PER_GROUP)))
    parts = [parts_of_map(split, h) for h in range(widest + 1)]
    while True:
        halvings = np.clip(np.log2(np.maximum(share * aim, 1.0)) / 2, 0, widest).astype(np.int64)
        cell = np.choose(halvings[kind], parts) if count else kind
        code, cluster = np.unique(kind * (4**widest + 1) + cell, return_inverse=True)
        if len(code) <= max(most, kinds) or not halvings.any():
            return cluster.astype(np.int64)
        aim *= 0.8


def _by_kind(cluster: Ints, kind: Ints, tonnes: Floats, clusters: int) -> list[dict[int, float]]:
    """Tonnes of every exact kind in every cluster, where there are any."""
    code, at = np.unique(cluster * (int(kind.max(initial=0)) + 1) + kind, return_inverse=True)
    found: list[dict[int, float]] = [{} for _ in range(clusters)]
    for one, t in zip(code.tolist(), np.bincount(at, tonnes, len(code)).tolist(), strict=True):
        if t > 0:
            q, k = divmod(one, int(kind.max(initial=0)) + 1)
            found[q][k] = t
    return found


def _needed(
    split: Split, tonnes: dict[int, float], wants: list[frozenset[int]], usable: dict[int, frozenset[int]], t: int
) -> dict[int, float]:
    """Tonnes of a group that may need each column."""
    found = dict.fromkeys(sorted(set().union(*usable.values())), 0.0)
    for kind, amount in tonnes.items():
        for column in {int(split.project_column[p, t]) for p in wants[kind]} & found.keys():
            found[column] += amount
    return found


def _tied(weight: list[dict[int, float]]) -> list[set[int]]:
    """Which columns groups are tied to: all, or the groups of most tonnes of each column where there would be too many.

    A column that is tied to the groups that need it most is whole once they use it; the others need not say so again.
    """
    if sum(len(one) for one in weight) <= MOST_TIES:
        return [set(one) for one in weight]
    by_column: dict[int, list[tuple[float, int]]] = {}
    for g, one in enumerate(weight):
        for column, tonnes in one.items():
            by_column.setdefault(column, []).append((-tonnes, g))
    ranked = sorted((rank, g, column) for column, some in by_column.items() for rank, (_, g) in enumerate(sorted(some)))
    found: list[set[int]] = [set() for _ in weight]
    for _, g, column in ranked[:MOST_TIES]:
        found[g].add(column)
    return found


def _states(columns: list[int], needs: list[frozenset[int]]) -> tuple[list[int], set[frozenset[int]]]:
    """The columns that bits stand for, and the sets of them that some chains need together."""
    kept = list(columns)
    while True:
        found = _unions({one & frozenset(kept) for one in needs})
        if found is not None:
            return kept, found
        count = {c: sum(c in one for one in needs) for c in kept}
        kept.remove(min(kept, key=lambda c: (count[c], c)))


def _unions(sets: set[frozenset[int]]) -> set[frozenset[int]] | None:
    """Every union of the sets; None if there are too many."""
    found: set[frozenset[int]] = {frozenset()}
    for one in sorted(sets, key=sorted):
        found |= {one | other for other in found}
        if len(found) > MOST_STATES:
            return None
    return found


def parts_of_map(split: Split, halvings: int) -> Ints:
    """Part of the map of both ends of every bundle, as one number; parts carry about the same tonnes."""
    tonnes = split.chains.demand_t.sum(axis=1)
    weight = np.bincount(split.origin, tonnes, len(split.place))
    weight += np.bincount(split.destination, tonnes, len(split.place))
    part = np.zeros(len(split.place), np.int64)
    for _ in range(halvings):
        half = np.zeros(len(part), np.int64)
        for p in range(int(part.max()) + 1):
            mine = np.flatnonzero(part == p)
            flat = split.place[mine] * [1.0, np.cos(np.radians(split.place[mine, 0].mean()))]
            along = flat[:, int(np.argmax(np.ptp(flat, axis=0)))] if len(mine) else np.zeros(0)
            far = np.argsort(along, kind="stable")
            run = np.cumsum(weight[mine][far])
            half[mine[far]] = run - weight[mine][far] / 2 > run[-1:].sum() / 2
        part = 2 * part + half
    return part[split.origin] * (int(part.max(initial=0)) + 1) + part[split.destination]
