"""Groups of bundles that share one column at a time, and the projects that matter to each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, vstack

from nbb_opt.solve.decompose.kernels import mark_sets

if TYPE_CHECKING:
    from nbb_opt.milp import Split

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
BUNDLES_PER_GROUP, MOST_CELLS = 40, 8  # usual size of a group; most parts of the map at either end
MOST_STATES = 64
MOST_GROUPS = 1200  # in all; more make the restricted master slow


@dataclass(frozen=True)
class Groups:
    """Group g is cluster `cluster[g]` in period `t[g]` (periods rise) and has
    `states[state_start[g]:state_start[g+1]]`.

    Cluster q holds `bundles[start[q]:start[q+1]]`. A state is a set of master columns (projects in a period) as bits;
    bit k of group g is column `of_bit[g][k]`. `set_bits` (groups, project sets) has the bits of what each set of
    projects needs there, -1 where it cannot be used. `loose` lists (group, set, column): needs that no bit stands for,
    kept by a row over the whole group.
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

    @property
    def size(self) -> int:
        """How many groups there are."""
        return len(self.t)

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
    together is a state; where there would be too many, the least needed projects are left to rows of the whole group.
    """
    c = split.chains
    wanted, kinds = _kinds(split)
    cluster = _clustered(split, wanted)
    order = np.argsort(cluster, kind="stable")
    start = np.searchsorted(cluster[order], np.arange(int(cluster.max(initial=-1)) + 2)).astype(np.int64)
    kind = wanted[order[start[:-1]]]
    weighs = np.add.reduceat(c.demand_t[order], start[:-1], axis=0) if len(order) else c.demand_t
    t_of, q = np.nonzero(weighs.T > 0)  # period by period
    states, state_start, of_bit, loose = [], [0], [], []
    set_bits = np.full((len(q), len(c.needs)), -1, np.int64)
    for g, (at, s) in enumerate(zip(kind[q].tolist(), t_of.tolist(), strict=True)):
        usable = [k for k in kinds[at] if c.ready[k, s]]
        need = {k: frozenset(split.project_column[list(c.needs[k]), s].tolist()) for k in usable}
        tracked, found = _states(sorted(set().union(*need.values())), list(need.values()))
        bit = {column: k for k, column in enumerate(tracked)}
        for k, columns in need.items():
            set_bits[g, k] = sum(1 << bit[one] for one in columns if one in bit)
            loose += [(g, k, one) for one in sorted(columns) if one not in bit]
        states += sorted({0, *(sum(1 << bit[one] for one in some) for some in found)})
        state_start.append(len(states))
        of_bit.append(tuple(tracked))
    return Groups(
        start, order.astype(np.int64), q.astype(np.int64), t_of.astype(np.int64), np.array(state_start, np.int64),
        np.array(states, np.int64), tuple(of_bit), set_bits, tuple(loose),
    )  # fmt: skip


def with_group_rows(split: Split, groups: Groups) -> Split:
    """The same with a row, after all others, for every need that no bit stands for (see `loose_rows`): the share of a
    group's tonnes on chains that need a project is at most the units in service. True for whole units, though weaker
    than a row per chain.
    """
    _, column, _ = loose_rows(groups)
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


def loose_rows(groups: Groups) -> tuple[Ints, Ints, Ints]:
    """Rows over whole groups: group and column of each, and the row of every entry of `loose`."""
    table = np.array(groups.loose, np.int64).reshape(-1, 3)
    pairs, row = np.unique(table[:, [0, 2]], axis=0, return_inverse=True)
    return pairs[:, 0], pairs[:, 1], row


def _kinds(split: Split) -> tuple[Ints, list[list[int]]]:
    """Kind of every bundle, and the project sets that chains of each kind need."""
    c = split.chains
    used = np.zeros((len(c.demand_t), len(c.needs)), bool)
    mark_sets(c.first, c.project_set, used)
    found, kind = np.unique(np.packbits(used, axis=1), axis=0, return_inverse=True)
    exact = [np.flatnonzero(row).tolist() for row in np.unpackbits(found, axis=1, count=len(c.needs))]
    wants = [frozenset(p for k in some for p in c.needs[k]) for some in exact]  # kinds that want the same are one
    code = {want: k for k, want in enumerate(dict.fromkeys(wants))}
    merged: list[set[int]] = [set() for _ in code]
    for some, want in zip(exact, wants, strict=True):
        merged[code[want]].update(some)
    return np.array([code[want] for want in wants], np.int64)[kind], [sorted(some) for some in merged]


def _clustered(split: Split, kind: Ints) -> Ints:
    """Cluster of every bundle: by kind and the parts of the map at both ends."""
    bundles, periods = split.chains.demand_t.shape
    wanted_cells = min(float(MOST_CELLS**2), max(1.0, bundles / BUNDLES_PER_GROUP))
    for halvings in range(round(np.log2(wanted_cells) / 2), -1, -1):
        cells = parts_of_map(split, halvings)
        code, cluster = np.unique(kind * (int(cells.max(initial=0)) + 1) + cells, return_inverse=True)
        if len(code) * periods <= MOST_GROUPS:
            break
    return cluster.astype(np.int64)


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
