"""Kernels of the chain search: legs joined along every pattern, chains written down; and of dropping chains.

Plain Python twins stand in ``reference.py``.
"""

import numpy as np
from numba import njit

SIDE_ROAD = 0  # a main leg starts from the road side of its place
SIDE_LEG = 1  # it starts from the end of the main leg before it


@njit(cache=True, nogil=True)
def _keep(cost, a, b, c, n_ranks, new_cost, new_a, new_b, new_c):
    """Insert a label into the sorted list of the `n_ranks` cheapest, if it is one; of equal ones the first stays."""
    if new_cost >= cost[n_ranks - 1]:
        return
    at = n_ranks - 1
    while at > 0 and new_cost < cost[at - 1]:
        cost[at] = cost[at - 1]
        a[at] = a[at - 1]
        b[at] = b[at - 1]
        c[at] = c[at - 1]
        at -= 1
    cost[at] = new_cost
    a[at] = new_a
    b[at] = new_b
    c[at] = new_c


@njit(cache=True, nogil=True)
def join_legs(parent, leg, n_ranks, origin, wanted, layer_places, n_places_of, leg_dist, switch_cost, cost, back):
    """Cheapest labels of every pattern from one origin.

    Sides (first axis of `cost`, `back`): 0 road side of a place after the pattern, 1 end of its last main leg, 2 start
    of that leg. cost (3, patterns, places, ranks); back (3, patterns, places, ranks, 3) says where a label comes from:
    (place, rank, path) for sides 0 and 1, (SIDE_ROAD or SIDE_LEG, rank, -) for side 2. `wanted` (places,) are the road
    sides needed after every pattern; layer_places (layers, places) lists the n_places_of (layers,) places with a switch
    of the layer; leg_dist (layers, places, places, ranks) are the legs; switch_cost (places, layers, layers).
    """
    n_patterns = parent.size
    n_places = leg_dist.shape[1]
    cost[:] = np.inf
    has_child = np.zeros(n_patterns, dtype=np.bool_)
    for q in range(1, n_patterns):
        has_child[parent[q]] = True
    on_road = np.zeros(n_places, dtype=np.bool_)
    on_road[layer_places[0, : n_places_of[0]]] = True
    for p in range(n_places):
        for r in range(n_ranks):
            cost[0, 0, p, r] = leg_dist[0, origin, p, r]
            back[0, 0, p, r, 0] = origin
            back[0, 0, p, r, 1] = -1
            back[0, 0, p, r, 2] = r
    for q in range(1, n_patterns):
        up = parent[q]
        layer = leg[q]
        last = leg[up]
        any_start = False
        places = layer_places[layer, : n_places_of[layer]]
        for p in places:
            by_road = switch_cost[p, 0, layer]
            direct = switch_cost[p, last, layer] if up > 0 else np.inf
            for r in range(n_ranks):
                if cost[0, up, p, r] + by_road < np.inf:
                    _keep(
                        cost[2, q, p], back[2, q, p, :, 0], back[2, q, p, :, 1], back[2, q, p, :, 2], n_ranks,
                        cost[0, up, p, r] + by_road, SIDE_ROAD, r, 0,
                    )  # fmt: skip
                    any_start = True
                if direct < np.inf and cost[1, up, p, r] + direct < np.inf:
                    _keep(
                        cost[2, q, p], back[2, q, p, :, 0], back[2, q, p, :, 1], back[2, q, p, :, 2], n_ranks,
                        cost[1, up, p, r] + direct, SIDE_LEG, r, 0,
                    )  # fmt: skip
                    any_start = True
        if not any_start:
            continue
        for p in places:
            for r in range(n_ranks):
                start = cost[2, q, p, r]
                if start == np.inf:
                    break
                for p2 in places:
                    if p2 == p:
                        continue
                    for k in range(n_ranks):
                        total = start + leg_dist[layer, p, p2, k]
                        if total >= cost[1, q, p2, n_ranks - 1]:
                            break
                        _keep(
                            cost[1, q, p2], back[1, q, p2, :, 0], back[1, q, p2, :, 1], back[1, q, p2, :, 2], n_ranks,
                            total, p, r, k,
                        )  # fmt: skip
        for p in places:
            leave = switch_cost[p, layer, 0]
            if leave == np.inf:
                continue
            for r in range(n_ranks):
                start = cost[1, q, p, r] + leave
                if start == np.inf:
                    break
                for p2 in range(n_places):
                    if not wanted[p2] and not (has_child[q] and on_road[p2]):
                        continue
                    for k in range(n_ranks):
                        total = start + leg_dist[0, p, p2, k]
                        if total >= cost[0, q, p2, n_ranks - 1]:
                            break
                        _keep(
                            cost[0, q, p2], back[0, q, p2, :, 0], back[0, q, p2, :, 1], back[0, q, p2, :, 2], n_ranks,
                            total, p, r, k,
                        )  # fmt: skip


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
def write_chain(parent, leg, place_node, arc_from, leg_arc, leg_rank, switch_used, back, pattern, place, rank, out):
    """Write the steps of a chain into `out` in driving order; give their number.

    Arcs are written as they are, a transfer of row j as -1 - j. leg_arc, leg_rank (layers, places, nodes, ranks) are
    the search trees, switch_used (places, layers, layers) the rows of transfers.csv.
    """
    size = 0
    q = pattern
    p = place
    r = rank
    on_road = True
    while True:
        if on_road:
            start = back[0, q, p, r, 0]
            before = back[0, q, p, r, 1]
            path = back[0, q, p, r, 2]
            size = write_leg(arc_from, leg_arc[0, start], leg_rank[0, start], place_node[p], path, out, size)
            p = start
            if q == 0:
                break
            out[size] = -1 - switch_used[p, leg[q], 0]
            size += 1
            r = before
        layer = leg[q]
        start = back[1, q, p, r, 0]
        before = back[1, q, p, r, 1]
        path = back[1, q, p, r, 2]
        size = write_leg(arc_from, leg_arc[layer, start], leg_rank[layer, start], place_node[p], path, out, size)
        p = start
        on_road = back[2, q, p, before, 0] == SIDE_ROAD
        r = back[2, q, p, before, 1]
        came_from = 0 if on_road else leg[parent[q]]
        out[size] = -1 - switch_used[p, came_from, layer]
        size += 1
        q = parent[q]
    for i in range(size // 2):
        out[i], out[size - 1 - i] = out[size - 1 - i], out[i]
    return size


@njit(cache=True, nogil=True)
def _find(table, start, end, owner, steps, mine, out, size):
    """Slot of the chain `out` of bundle `mine` in the hash table, or the free slot where it belongs."""
    mixed = np.uint64(mine + 1) * np.uint64(0x9E3779B97F4A7C15)
    for i in range(size):
        mixed = (mixed ^ np.uint64(out[i] + 0x40000000)) * np.uint64(0x100000001B3)
        mixed ^= mixed >> np.uint64(29)
    mask = table.size - 1
    slot = np.int64(mixed & np.uint64(mask))
    while table[slot] >= 0:
        c = table[slot]
        if owner[c] == mine and end[c] - start[c] == size:
            same = True
            for i in range(size):
                if steps[start[c] + i] != out[i]:
                    same = False
                    break
            if same:
                return slot
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def _longer(old, size):
    new = np.empty(size, dtype=old.dtype)
    new[: old.size] = old
    return new


@njit(cache=True, nogil=True)
def collect_run(
    parent, leg, place_node, arc_from, layer_places, n_places_of, dist, leg_arc, leg_rank, switch_cost, switch_used,
    origin_place, bundle_first, bundle_place, n_ranks, costs,
    steps, start, end, owner, table, n_chains,
):  # fmt: skip
    """Join the legs of one run for every origin and add the chains not yet known.

    Bundles bundle_first[i] to bundle_first[i + 1] start in origin_place[i] and end in bundle_place. The known chains:
    `steps`, where they `start` and `end` in it, the bundle that owns each, and a hash `table` of their numbers; gives
    these back, longer if need be, with their number. Fills costs (bundles, patterns) with the best of each if it has
    rows.
    """
    n_patterns, n_places = parent.size, place_node.size
    cost = np.empty((3, n_patterns, n_places, n_ranks))
    back = np.zeros((3, n_patterns, n_places, n_ranks, 3), dtype=np.int32)
    wanted = np.zeros(n_places, dtype=np.bool_)
    out = np.empty(4 * leg_arc.shape[2] * (n_patterns + 2), dtype=np.int64)
    n_steps = end[n_chains - 1] if n_chains else 0
    for i in range(origin_place.size):
        wanted[:] = False
        for b in range(bundle_first[i], bundle_first[i + 1]):
            wanted[bundle_place[b]] = True
        join_legs(
            parent, leg, n_ranks, origin_place[i], wanted, layer_places, n_places_of, dist, switch_cost, cost, back
        )
        for b in range(bundle_first[i], bundle_first[i + 1]):
            for q in range(n_patterns):
                if costs.shape[0]:
                    costs[b, q] = cost[0, q, bundle_place[b], 0]
                for r in range(n_ranks):
                    if cost[0, q, bundle_place[b], r] == np.inf:
                        break
                    size = write_chain(
                        parent, leg, place_node, arc_from, leg_arc, leg_rank, switch_used, back,
                        q, bundle_place[b], r, out,
                    )  # fmt: skip
                    slot = _find(table, start, end, owner, steps, b, out, size)
                    if table[slot] >= 0:
                        continue
                    if n_chains == start.size:
                        start, end = _longer(start, 2 * n_chains), _longer(end, 2 * n_chains)
                        owner = _longer(owner, 2 * n_chains)
                    if n_steps + size > steps.size:
                        steps = _longer(steps, 2 * (n_steps + size))
                    steps[n_steps : n_steps + size] = out[:size]
                    start[n_chains] = n_steps
                    n_steps += size
                    end[n_chains] = n_steps
                    owner[n_chains] = b
                    table[slot] = n_chains
                    n_chains += 1
                    if 2 * n_chains > table.size:
                        table = np.full(2 * table.size, -1, dtype=np.int64)
                        for c in range(n_chains):
                            s, e = start[c], end[c]
                            table[_find(table, start, end, owner, steps, owner[c], steps[s:e], e - s)] = c
    return steps, start, end, owner, table, n_chains


@njit(cache=True, nogil=True)
def dominated(order, first, amounts, uses):
    """Which chains another of their group replaces: (chains,) of bool.

    Group i holds chains order[first[i]]..order[first[i + 1]], rising; amounts (chains, features) and uses (chains,
    things) must not be larger in the other; of equal chains the first stays.
    """
    gone = np.zeros(order.size, dtype=np.bool_)
    for i in range(first.size - 1):
        for at in range(first[i], first[i + 1]):
            a = order[at]
            for other in range(first[i], first[i + 1]):
                if other == at:
                    continue
                b = order[other]
                no_more = True
                less = False
                for f in range(amounts.shape[1]):
                    if amounts[b, f] > amounts[a, f]:
                        no_more = False
                        break
                    if amounts[b, f] < amounts[a, f]:
                        less = True
                if no_more:
                    for f in range(uses.shape[1]):
                        if uses[b, f] > uses[a, f]:
                            no_more = False
                            break
                        if uses[b, f] < uses[a, f]:
                            less = True
                if no_more and (less or other < at):
                    gone[a] = True
                    break
    return gone
