"""Kernels that write chains down. A leg is kept once, whatever run and chain it occurs in; a chain is a row of items.

An item is the number of a leg, or -1 - row of transfers.csv. Legs and chains are found again by hash tables of their
numbers (-1: free).
"""

import numpy as np
from numba import njit

from nbb_opt.network.kernels import SIDE_ROAD, join_best, join_legs

LEGS, LEG_STEPS, CHAINS, ITEMS, PARTS = range(5)  # what `count` holds
RECENT = 4  # chains of a bundle and pattern that are recognised at once


@njit(cache=True, nogil=True)
def longer(old, size):
    """The same content with room for `size`."""
    new = np.empty(size, dtype=old.dtype)
    new[: old.size] = old
    return new


@njit(cache=True, nogil=True)
def find(table, start, end, owner, cells, mine, row, size):
    """Slot of `row` of owner `mine` in the hash table, or the free slot where it belongs."""
    mixed = np.uint64(mine + 1) * np.uint64(0x9E3779B97F4A7C15)
    for i in range(size):
        mixed = (mixed ^ np.uint64(row[i] + 0x40000000)) * np.uint64(0x100000001B3)
        mixed ^= mixed >> np.uint64(29)
    mask = table.size - 1
    slot = np.int64(mixed & np.uint64(mask))
    while table[slot] >= 0:
        c = table[slot]
        if owner[c] == mine and end[c] - start[c] == size:
            same = True
            for i in range(size):
                if cells[start[c] + i] != row[i]:
                    same = False
                    break
            if same:
                return slot
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def larger_table(table, start, end, owner, cells, n):
    """A hash table twice as large."""
    table = np.full(2 * table.size, -1, dtype=np.int32)
    for c in range(n):
        s, e = start[c], end[c]
        table[find(table, start, end, owner, cells, owner[c], cells[s:e], e - s)] = c
    return table


@njit(cache=True, nogil=True)
def write_leg(arc_from, arc, rank, node, path, out, size):
    """Append the arcs of a leg to `out` from its end to its start; give the new size."""
    while arc[node, path] >= 0:
        a = arc[node, path]
        out[size] = a
        size += 1
        path = rank[node, path]
        node = arc_from[a]
    return size


@njit(cache=True, nogil=True)
def leg_number(arc_from, arc, rank, node, path, known, at, steps, start, end, owner, table, count, out):
    """Number of the leg to `node` by `path` of a search tree, -1 if it has no arc; kept in `known` at `at`.

    There must be room for one more leg (see `collect_run`).
    """
    if known[at] >= -1:
        return known[at]
    size = write_leg(arc_from, arc, rank, node, path, out, 0)
    if size == 0:
        known[at] = -1
        return -1
    for i in range(size // 2):
        out[i], out[size - 1 - i] = out[size - 1 - i], out[i]
    slot = find(table, start, end, owner, steps, 0, out, size)
    if table[slot] < 0:
        number, first = count[LEGS], count[LEG_STEPS]
        steps[first : first + size] = out[:size]
        start[number], end[number], owner[number] = first, first + size, 0
        table[slot] = number
        count[LEGS] += 1
        count[LEG_STEPS] += size
    known[at] = table[slot]
    return known[at]


@njit(cache=True, nogil=True)
def write_chain(
    parent, leg, place_node, arc_from, leg_arc, leg_rank, switch_used, back, pattern, place, rank,
    known, steps, start, end, owner, table, count, out, row,
):  # fmt: skip
    """Write the items of a chain into `row` in driving order; give their number.

    leg_arc, leg_rank (layers, places, nodes, ranks) are the search trees, switch_used (places, layers, layers) the rows
    of transfers.csv, `back` as in join_legs.
    """
    size = 0
    q, p, r = pattern, place, rank
    on_road = True
    while True:
        layer = 0 if on_road else leg[q]
        side = 0 if on_road else 1
        came, before, path = back[side, q, 0, p, r], back[side, q, 1, p, r], back[side, q, 2, p, r]
        number = leg_number(
            arc_from, leg_arc[layer, came], leg_rank[layer, came], place_node[p], path, known[layer, came, p], path,
            steps, start, end, owner, table, count, out,
        )  # fmt: skip
        if number >= 0:
            row[size] = number
            size += 1
        p = came
        if on_road:
            if q == 0:
                break
            row[size] = -1 - switch_used[p, leg[q], 0]
            size += 1
            r = before
            on_road = False
            continue
        on_road = back[2, q, 0, p, before] == SIDE_ROAD
        r = back[2, q, 1, p, before]
        came_from = 0 if on_road else leg[parent[q]]
        row[size] = -1 - switch_used[p, came_from, layer]
        size += 1
        q = parent[q]
    for i in range(size // 2):
        row[i], row[size - 1 - i] = row[size - 1 - i], row[i]
    return size


@njit(cache=True, nogil=True)
def main_part(
    parent, leg, place_node, arc_from, leg_arc, leg_rank, switch_used, back, pattern, place, origin, numbers,
    known, steps, start, end, owner, table, parts, part_start, part_end, part_owner, part_table, count, out,
):  # fmt: skip
    """Number of the cheapest way to the end of the last main leg of a pattern at a place: equal for equal items only.

    A part is what was before it, the transfer and road leg between (if any), the transfer to the main leg, and that
    leg; kept by `origin` in parts (cells of rows of five). `numbers` (patterns, places) are those known, -1 if not.
    """
    trail_q = np.empty(parent.size, dtype=np.int64)
    trail_p = np.empty(parent.size, dtype=np.int64)
    row = np.empty(5, dtype=np.int32)
    depth = 0
    q, p = pattern, place
    while q > 0 and numbers[q, p] < 0:
        trail_q[depth], trail_p[depth] = q, p
        depth += 1
        p = back[1, q, 0, p, 0]
        if back[2, q, 0, p, 0] == SIDE_ROAD:
            p = back[0, parent[q], 0, p, 0]
        q = parent[q]
    for i in range(depth - 1, -1, -1):
        q, p = trail_q[i], trail_p[i]
        up, layer = parent[q], leg[q]
        begin = back[1, q, 0, p, 0]
        if back[2, q, 0, begin, 0] == SIDE_ROAD:
            came = back[0, up, 0, begin, 0]
            row[0] = numbers[up, came] if up > 0 else -1
            row[1] = switch_used[came, leg[up], 0] if up > 0 else -1
            row[2] = leg_number(
                arc_from, leg_arc[0, came], leg_rank[0, came], place_node[begin], 0, known[0, came, begin], 0,
                steps, start, end, owner, table, count, out,
            )  # fmt: skip
            row[3] = switch_used[begin, 0, layer]
        else:
            row[0] = numbers[up, begin]
            row[1] = -1
            row[2] = -1
            row[3] = switch_used[begin, leg[up], layer]
        row[4] = leg_number(
            arc_from, leg_arc[layer, begin], leg_rank[layer, begin], place_node[p], 0, known[layer, begin, p], 0,
            steps, start, end, owner, table, count, out,
        )  # fmt: skip
        slot = find(part_table, part_start, part_end, part_owner, parts, origin, row, 5)
        if part_table[slot] < 0:
            n = count[PARTS]
            parts[5 * n : 5 * n + 5] = row
            part_start[n], part_end[n], part_owner[n] = 5 * n, 5 * n + 5, origin
            part_table[slot] = n
            count[PARTS] += 1
        numbers[q, p] = part_table[slot]
    return numbers[pattern, place] if pattern > 0 else -1


@njit(cache=True, nogil=True)
def collect_run(
    parent, leg, place_node, n_switch, arc_from, layer_places, n_places_of, dist, leg_arc, leg_rank, switch_cost,
    switch_used, origin_place, bundle_first, bundle_place, n_ranks, costs, known, recent, count,
    leg_steps, leg_start, leg_end, leg_owner, leg_table, items, start, end, owner, table,
    parts, part_start, part_end, part_owner, part_table,
):  # fmt: skip
    """Join the legs of one run for every origin and add the chains not yet known.

    The first `n_switch` places have a switch. Bundles bundle_first[i] to bundle_first[i + 1] start in origin_place[i]
    and end in bundle_place. `known` (layers, places, places, ranks) are the numbers of the legs of this run, -2 where
    not yet asked for; `recent` (bundles,
    patterns, RECENT, 3) the last few chains of rank 1, each by its main part, last transfer and last leg: most runs
    find one of them again, and need not write it. Legs, chains and main parts: their cells, where they `start` and
    `end` there, who owns each, and a hash table of them; gives these back, longer if need be; `count` says how many
    there are. Fills costs (bundles, patterns) with the best of each if it has rows.
    """
    n_patterns, n_places, n_nodes = parent.size, place_node.size, leg_arc.shape[2]
    cost = np.empty((3, n_patterns, n_places, n_ranks))
    back = np.zeros((3, n_patterns, 3, n_places, n_ranks), dtype=np.int64)
    numbers = np.empty((n_patterns, n_places), dtype=np.int32)
    wanted = np.zeros(n_places, dtype=np.bool_)
    between, near = dist[:, :n_switch, :n_switch, 0].copy(), np.empty((n_switch, n_places))
    most_legs = 1
    for q in range(n_patterns):
        legs, up = 1, q
        while up > 0:
            legs, up = legs + 2, parent[up]
        most_legs = max(most_legs, legs)
    row = np.empty(2 * most_legs, dtype=np.int32)
    out = np.empty(n_nodes + 1, dtype=np.int32)
    for i in range(origin_place.size):
        wanted[:] = False
        for b in range(bundle_first[i], bundle_first[i + 1]):
            wanted[bundle_place[b]] = True
        if n_ranks == 1:
            join_best(
                parent, leg, origin_place[i], np.flatnonzero(wanted), layer_places, n_places_of, dist, between, near,
                switch_cost, cost, back,
            )  # fmt: skip
        else:
            join_legs(
                parent, leg, n_ranks, origin_place[i], wanted, layer_places, n_places_of, dist, switch_cost, cost, back
            )
        numbers[:] = -1
        for b in range(bundle_first[i], bundle_first[i + 1]):
            place = bundle_place[b]
            for q in range(n_patterns):
                if costs.shape[0]:
                    costs[b, q] = cost[0, q, place, 0]
                for r in range(n_ranks):
                    if cost[0, q, place, r] == np.inf:
                        break
                    if count[LEG_STEPS] + 2 * most_legs * n_nodes > leg_steps.size:
                        leg_steps = longer(leg_steps, 2 * (count[LEG_STEPS] + 2 * most_legs * n_nodes))
                    if count[LEGS] + 2 * most_legs > leg_start.size:
                        more = 2 * (count[LEGS] + 2 * most_legs)
                        leg_start, leg_end = longer(leg_start, more), longer(leg_end, more)
                        leg_owner = longer(leg_owner, more)
                    while 2 * (count[LEGS] + 2 * most_legs) > leg_table.size:
                        leg_table = larger_table(leg_table, leg_start, leg_end, leg_owner, leg_steps, count[LEGS])
                    if n_ranks == 1:
                        if count[PARTS] + most_legs > part_start.size:
                            more = 2 * (count[PARTS] + most_legs)
                            part_start, part_end = longer(part_start, more), longer(part_end, more)
                            part_owner, parts = longer(part_owner, more), longer(parts, max(parts.size, 5 * more))
                        while 2 * (count[PARTS] + most_legs) > part_table.size:
                            part_table = larger_table(part_table, part_start, part_end, part_owner, parts, count[PARTS])
                        came = back[0, q, 0, place, 0]
                        main = numbers[q, came] if q > 0 else -1
                        if q > 0 and main < 0:
                            main = main_part(
                                parent, leg, place_node, arc_from, leg_arc, leg_rank, switch_used, back, q, came, i,
                                numbers, known, leg_steps, leg_start, leg_end, leg_owner, leg_table,
                                parts, part_start, part_end, part_owner, part_table, count, out,
                            )  # fmt: skip
                        last = known[0, came, place, 0]
                        if last < -1:
                            last = leg_number(
                                arc_from, leg_arc[0, came], leg_rank[0, came], place_node[place], 0,
                                known[0, came, place], 0, leg_steps, leg_start, leg_end, leg_owner, leg_table, count,
                                out,
                            )  # fmt: skip
                        leave = switch_used[came, leg[q], 0] if q > 0 else -1
                        again = False
                        for k in range(RECENT):
                            if recent[b, q, k, 0] == main and recent[b, q, k, 2] == last:
                                again = again or recent[b, q, k, 1] == leave
                        if again:
                            continue
                        for k in range(RECENT - 1, 0, -1):
                            for j in range(3):
                                recent[b, q, k, j] = recent[b, q, k - 1, j]
                        recent[b, q, 0, 0], recent[b, q, 0, 1], recent[b, q, 0, 2] = main, leave, last
                    size = write_chain(
                        parent, leg, place_node, arc_from, leg_arc, leg_rank, switch_used, back,
                        q, place, r, known, leg_steps, leg_start, leg_end, leg_owner, leg_table, count, out, row,
                    )  # fmt: skip
                    slot = find(table, start, end, owner, items, b, row, size)
                    if table[slot] >= 0:
                        continue
                    n = count[CHAINS]
                    if n == start.size:
                        start, end, owner = longer(start, 2 * n), longer(end, 2 * n), longer(owner, 2 * n)
                    if count[ITEMS] + size > items.size:
                        items = longer(items, 2 * (count[ITEMS] + size))
                    items[count[ITEMS] : count[ITEMS] + size] = row[:size]
                    start[n], end[n], owner[n] = count[ITEMS], count[ITEMS] + size, b
                    table[slot] = n
                    count[ITEMS] += size
                    count[CHAINS] += 1
                    if 2 * count[CHAINS] > table.size:
                        table = larger_table(table, start, end, owner, items, count[CHAINS])
    return (
        leg_steps, leg_start, leg_end, leg_owner, leg_table, items, start, end, owner, table,
        parts, part_start, part_end, part_owner, part_table,
    )  # fmt: skip
