"""Groups of items (a bundle in a period) that share one column at a time, and the projects that matter to each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, vstack

if TYPE_CHECKING:
    from nbb_opt.milp import Split

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
ITEMS_PER_GROUP, MOST_CELLS = 40, 8  # usual size of a group; most parts of the map at either end
MOST_STATES = 64
MOST_GROUPS = 1200  # in all; more make the restricted master slow


@dataclass(frozen=True)
class Groups:
    """Group g holds `items[start[g]:start[g+1]]` and has `states[state_start[g]:state_start[g+1]]`.

    A state is a set of master columns (projects in a period) as bits; bit k of group g is column `of_bit[g][k]`.
    `needed` holds for every flow the bits of what it needs within its group. `loose` lists (flow, column) needs that no
    bit stands for: they are kept by a row over the whole group.
    """

    start: Ints
    items: Ints
    state_start: Ints
    states: Ints
    of_bit: tuple[tuple[int, ...], ...]
    needed: Ints
    flow_start: Ints
    item_flows: Ints
    loose: tuple[Ints, Ints]

    @property
    def size(self) -> int:
        """How many groups there are."""
        return len(self.start) - 1


def make_groups(split: Split) -> Groups:
    """Group items of one period that may need the same projects and run between the same parts of the map.

    More items make more, finer groups, up to a limit. Within a group every set of projects that some flows need
    together is a state; where there would be too many, the least needed projects are left to rows of the whole group.
    """
    items, flows = len(split.item_t), len(split.item)
    order = np.argsort(split.item, kind="stable")
    flow_start = np.searchsorted(split.item[order], np.arange(items + 1))
    needs: dict[int, frozenset[int]] = {}
    wanted: dict[int, frozenset[int]] = {}
    for flow, column in zip(split.need_flow.tolist(), split.need_column.tolist(), strict=True):
        needs[flow] = needs.get(flow, frozenset()) | {column}
    for flow, columns in needs.items():
        item = int(split.item[flow])
        wanted[item] = wanted.get(item, frozenset()) | columns
    group, of_group = _grouped(split, wanted)
    by_group = np.argsort(group, kind="stable")
    start = np.searchsorted(group[by_group], np.arange(len(of_group) + 1))
    users: list[list[int]] = [[] for _ in of_group]
    for flow in sorted(needs):
        users[group[split.item[flow]]].append(flow)
    needed = np.zeros(flows, np.int64)
    states, state_start, of_bit = [], [0], []
    loose: list[tuple[int, int]] = []
    for uses, wants in zip(users, of_group, strict=True):
        tracked, found = _states(wants, [needs[flow] for flow in uses])
        bit = {column: k for k, column in enumerate(tracked)}
        for flow in uses:
            needed[flow] = sum(1 << bit[c] for c in needs[flow] if c in bit)
            loose += [(flow, c) for c in sorted(needs[flow]) if c not in bit]
        states += sorted({0, *(sum(1 << bit[c] for c in one) for one in found)})
        state_start.append(len(states))
        of_bit.append(tuple(tracked))
    pairs = np.array(loose, np.int64).reshape(-1, 2)
    return Groups(
        start.astype(np.int64), by_group.astype(np.int64), np.array(state_start, np.int64), np.array(states, np.int64),
        tuple(of_bit), needed, flow_start.astype(np.int64), order.astype(np.int64), (pairs[:, 0], pairs[:, 1]),
    )  # fmt: skip


def with_group_rows(split: Split, groups: Groups) -> Split:
    """The same with a row for every need that no bit stands for: the tonnes of a group that need a project, as a share
    of all its tonnes, are at most the units in service. True for whole units, though weaker than a row per flow.
    """
    flow, column = groups.loose
    if not len(flow):
        return split
    group = np.repeat(np.arange(groups.size), np.diff(groups.start))[np.argsort(groups.items)]
    total = np.bincount(group, split.item_t)
    code, new = np.unique(group[split.item[flow]] * len(split.master.cost) + column, return_inverse=True)
    master, rows = split.master, len(split.master.row_low)
    of_column = code % len(master.cost)
    more = csc_array((1.0 / total[group[split.item[flow]]], (new, flow)), shape=(len(code), len(split.item)))
    f = split.flows
    flows = vstack([csc_array((f.value, f.row, f.indptr), shape=(rows, len(f.cost))), more], format="csc")
    tie = csc_array((-np.ones(len(code)), (np.arange(len(code)), of_column)), shape=(len(code), len(master.cost)))
    own = csc_array((master.a_values, master.a_indices, master.a_indptr), shape=(rows, len(master.cost)))
    whole = vstack([own, tie], format="csc")
    return replace(
        split,
        flows=replace(f, indptr=flows.indptr.astype(np.int64), row=flows.indices.astype(np.int32), value=flows.data),
        master=replace(
            master, a_indptr=whole.indptr, a_indices=whole.indices, a_values=whole.data,
            row_low=np.concatenate([master.row_low, np.full(len(code), -np.inf)]),
            row_up=np.concatenate([master.row_up, np.zeros(len(code))]),
        ),
    )  # fmt: skip


def _grouped(split: Split, wanted: dict[int, frozenset[int]]) -> tuple[Ints, list[list[int]]]:
    """Group of every item, and the columns that flows of each group may need."""
    items = len(split.item_t)
    sets: dict[frozenset[int], int] = {frozenset(): 0}
    kind = np.zeros(items, np.int64)
    for item, columns in wanted.items():
        kind[item] = sets.setdefault(columns, len(sets))
    periods = int(split.item_period.max(initial=0)) + 1
    wanted_cells = min(float(MOST_CELLS**2), max(1.0, items / periods / ITEMS_PER_GROUP))
    for halvings in range(round(np.log2(wanted_cells) / 2), -1, -1):
        cells = parts_of_map(split, halvings)
        width = int(cells.max(initial=0)) + 1
        code, group = np.unique((kind * periods + split.item_period) * width + cells, return_inverse=True)
        if len(code) <= MOST_GROUPS:
            break
    names = [sorted(columns) for columns in sets]
    return group, [names[k] for k in (code // width // periods).tolist()]


def _states(columns: list[int], needs: list[frozenset[int]]) -> tuple[list[int], set[frozenset[int]]]:
    """The columns that bits stand for, and the sets of them that some flows need together."""
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
    """Part of the map of both ends of every item, as one number; parts carry about the same tonnes."""
    weight = np.bincount(split.item_from, split.item_t, len(split.place))
    weight += np.bincount(split.item_to, split.item_t, len(split.place))
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
    return part[split.item_from] * (int(part.max(initial=0)) + 1) + part[split.item_to]
