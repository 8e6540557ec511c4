"""Kernels of the legs: the cheapest paths within one layer, by a binary heap, and numbers for them.

A leg is a shorter leg and one more arc; leg 0 has no arc. Equal arcs have equal numbers. What is summed over arcs is
summed once for each leg. The limited things that a leg uses and the projects it needs are a list from the last to the
first: `uses` is the last use, use u is of thing[u], after use use_before[u]. Plain Python twins of the search stand in
``tests/plain_network.py``.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from nbb_opt.network.kernels.compiled import lean

NONE = -1
N_ROWS, N_USES, MOST_USES = range(3)  # what `size` of legs and parts holds; MOST_USES of one leg


class Network(NamedTuple):
    """Arcs and transfers; *_sums (rows, weights); *_things (rows, 2): limited thing and project, -1 if there is none.

    Things from `first_project` on are projects: needed or not, however often.
    """

    first_arc: np.ndarray
    arc_from: np.ndarray
    arc_to: np.ndarray
    arc_link: np.ndarray
    arc_layer: np.ndarray
    n_layers: int
    transfer_node: np.ndarray
    link_sums: np.ndarray
    transfer_sums: np.ndarray
    link_things: np.ndarray
    transfer_things: np.ndarray
    first_project: int
    n_things: int


class Legs(NamedTuple):
    """Leg l is leg shorter[l] and arc[l]; table finds a leg by both; sums (legs, weights); see above for uses."""

    shorter: np.ndarray
    arc: np.ndarray
    sums: np.ndarray
    uses: np.ndarray
    n_uses: np.ndarray
    use_before: np.ndarray
    thing: np.ndarray
    table: np.ndarray
    size: np.ndarray


@lean
def _sift_up(cost, order, label, at):
    while at > 0:
        up = (at - 1) >> 1
        if cost[up] < cost[at] or (cost[up] == cost[at] and order[up] < order[at]):
            break
        cost[up], cost[at] = cost[at], cost[up]
        order[up], order[at] = order[at], order[up]
        label[up], label[at] = label[at], label[up]
        at = up


@lean
def _sift_down(cost, order, label, size):
    at = 0
    while True:
        low = 2 * at + 1
        if low >= size:
            break
        right = low + 1
        if right < size and (cost[right] < cost[low] or (cost[right] == cost[low] and order[right] < order[low])):
            low = right
        if cost[at] < cost[low] or (cost[at] == cost[low] and order[at] < order[low]):
            break
        cost[low], cost[at] = cost[at], cost[low]
        order[low], order[at] = order[at], order[low]
        label[low], label[at] = label[at], label[low]
        at = low


@njit(cache=True, nogil=True)
def leg_search(first_arc, arc_from, arc_to, weight, source, n_ranks, dist, arc, rank):
    """The `n_ranks` cheapest simple paths from `source` to every node over one layer.

    `first_arc` (nodes + 1,) is the layer's row of the graph's; `weight` (arcs,) is infinite for arcs not to be used.
    Fills dist, arc (last arc, -1 at the source) and rank (which path of the node before it), each (nodes, n_ranks).
    Of equal paths the first found stays. The first path is the shortest; the others are the shortest that can be
    continued from the `n_ranks` best of the nodes before.
    """
    n_nodes = dist.shape[0]
    dist[:] = np.inf
    arc[:] = -1
    rank[:] = 0
    settled = np.zeros(n_nodes, dtype=np.int64)
    room = (first_arc[n_nodes] - first_arc[0]) * n_ranks + 1
    heap_cost = np.empty(room)
    heap_order = np.empty(room, dtype=np.int64)
    heap_label = np.empty(room, dtype=np.int64)  # arc * n_ranks + rank before it; -1 at the source
    heap_cost[0] = 0.0
    heap_order[0] = 0
    heap_label[0] = -1
    size = 1
    pushed = 1
    while size > 0:
        cost = heap_cost[0]
        label = heap_label[0]
        size -= 1
        heap_cost[0] = heap_cost[size]
        heap_order[0] = heap_order[size]
        heap_label[0] = heap_label[size]
        _sift_down(heap_cost, heap_order, heap_label, size)
        node = source
        before = 0
        last = -1
        if label >= 0:
            last = label // n_ranks
            before = label - last * n_ranks
            node = arc_to[last]
        if settled[node] == n_ranks:
            continue
        mine = settled[node]
        settled[node] += 1
        dist[node, mine] = cost
        arc[node, mine] = last
        rank[node, mine] = before
        for a in range(first_arc[node], first_arc[node + 1]):
            to = arc_to[a]
            if weight[a] == np.inf or settled[to] == n_ranks:
                continue
            seen = to == source
            here = node
            r = mine
            while n_ranks > 1 and not seen and arc[here, r] >= 0:
                seen = here == to
                up = rank[here, r]
                here = arc_from[arc[here, r]]
                r = up
            if seen:
                continue
            heap_cost[size] = cost + weight[a]
            heap_order[size] = pushed
            heap_label[size] = a * n_ranks + mine
            _sift_up(heap_cost, heap_order, heap_label, size)
            size += 1
            pushed += 1


@njit(cache=True, nogil=True)
def longer(old, n):
    """The same rows of a one-dimensional array with room for `n`."""
    new = np.empty(n, dtype=old.dtype)
    new[: old.size] = old
    return new


@njit(cache=True, nogil=True)
def longer_rows(old, n):
    """The same rows of a two-dimensional array with room for `n`."""
    new = np.empty((n, old.shape[1]), dtype=old.dtype)
    new[: old.shape[0]] = old
    return new


@lean
def mixed(hashed, number):
    """A hash continued by one more number."""
    hashed = (hashed ^ np.uint64(number + 0x40000000)) * np.uint64(0x9E3779B97F4A7C15)
    return hashed ^ (hashed >> np.uint64(29))


@njit(cache=True, nogil=True)
def no_legs(network, room):
    """Legs with leg 0 only."""
    legs = Legs(
        np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32), np.empty((room, network.link_sums.shape[1])),
        np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32), np.empty(2 * room, dtype=np.int32),
        np.empty(2 * room, dtype=np.int32), np.full(2, NONE, dtype=np.int32), np.zeros(3, dtype=np.int64),
    )  # fmt: skip
    forget_legs(legs)
    return with_room(legs, 0)


@lean
def forget_legs(legs):
    """Back to leg 0 only."""
    legs.shorter[0], legs.arc[0], legs.uses[0], legs.n_uses[0] = NONE, NONE, NONE, 0
    legs.sums[0] = 0.0
    legs.table[:] = NONE
    legs.size[:] = 0
    legs.size[N_ROWS] = 1


@lean
def _leg_slot(table, shorter, arc, mine, last):
    mask = table.size - 1
    slot = np.int64(mixed(mixed(np.uint64(1), mine), last) & np.uint64(mask))
    while table[slot] >= 0 and (shorter[table[slot]] != mine or arc[table[slot]] != last):
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def with_room(legs, more):
    """The same legs with room for `more`."""
    n = legs.size[N_ROWS] + more
    if n > legs.arc.size or 2 * n > legs.table.size:
        room = max(2 * n, legs.arc.size)
        size = 2
        while size < 2 * room:
            size *= 2
        table = np.full(size, NONE, dtype=np.int32)
        for number in range(1, legs.size[N_ROWS]):
            table[_leg_slot(table, legs.shorter, legs.arc, legs.shorter[number], legs.arc[number])] = number
        legs = Legs(
            longer(legs.shorter, room), longer(legs.arc, room), longer_rows(legs.sums, room), longer(legs.uses, room),
            longer(legs.n_uses, room), longer(legs.use_before, 2 * room), longer(legs.thing, 2 * room), table,
            legs.size,
        )  # fmt: skip
    return legs


@lean
def _longer_leg(network, legs, mine, last):
    """Number of leg `mine` and arc `last`; there must be room for it."""
    slot = _leg_slot(legs.table, legs.shorter, legs.arc, mine, last)
    if legs.table[slot] >= 0:
        return legs.table[slot]
    number = np.int32(legs.size[N_ROWS])
    legs.size[N_ROWS] += 1
    legs.table[slot] = number
    legs.shorter[number], legs.arc[number] = mine, last
    link = network.arc_link[last]
    for w in range(legs.sums.shape[1]):
        legs.sums[number, w] = legs.sums[mine, w] + network.link_sums[link, w]
    legs.uses[number], legs.n_uses[number] = legs.uses[mine], legs.n_uses[mine]
    for thing in network.link_things[link]:
        if thing >= 0:
            use = legs.size[N_USES]
            legs.size[N_USES] += 1
            legs.use_before[use], legs.thing[use] = legs.uses[number], thing
            legs.uses[number] = use
            legs.n_uses[number] += 1
    legs.size[MOST_USES] = max(legs.size[MOST_USES], legs.n_uses[number])
    return number


@njit(cache=True, nogil=True)
def number_tree(network, legs, arc, rank, number):
    """Numbers of the legs of a search tree of leg_search: number (nodes, ranks), -1 where there is no leg."""
    trail_node, trail_rank = np.empty(arc.shape[0] + 1, dtype=np.int64), np.empty(arc.shape[0] + 1, dtype=np.int64)
    for start in range(arc.shape[0]):
        for start_rank in range(arc.shape[1]):
            node, r, depth = start, start_rank, 0
            while number[node, r] < 0 and arc[node, r] >= 0:
                trail_node[depth], trail_rank[depth] = node, r
                depth += 1
                r = rank[node, r]
                node = network.arc_from[arc[trail_node[depth - 1], trail_rank[depth - 1]]]
            for i in range(depth - 1, -1, -1):
                at, its_rank = trail_node[i], trail_rank[i]
                number[at, its_rank] = _longer_leg(network, legs, number[node, r], arc[at, its_rank])
                node, r = at, its_rank


@njit(cache=True, nogil=True)
def find_legs(network, legs, layer, weight, root, targets, dist, number):
    """The cheapest legs from node `root` to the nodes `targets` in a layer, by the `weight` (arcs,) of every arc.

    Fills dist and number (targets, ranks), infinite and -1 where there is none; gives the legs.
    """
    n_nodes, n_ranks = network.first_arc.shape[1] - 1, dist.shape[1]
    node_dist, node_arc = np.empty((n_nodes, n_ranks)), np.empty((n_nodes, n_ranks), dtype=np.int32)
    node_rank, node_number = np.empty((n_nodes, n_ranks), dtype=np.int32), np.full((n_nodes, n_ranks), NONE, np.int32)
    leg_search(
        network.first_arc[layer], network.arc_from, network.arc_to, weight, root, n_ranks, node_dist, node_arc,
        node_rank,
    )  # fmt: skip
    node_number[root, 0] = 0
    legs = with_room(legs, n_nodes * n_ranks)
    number_tree(network, legs, node_arc, node_rank, node_number)
    for t in range(targets.size):
        dist[t] = node_dist[targets[t]]
        number[t] = node_number[targets[t]]
    return legs


@njit(cache=True, nogil=True)
def fill_tables(network, legs, layer, weights, roots, targets, dist, number):
    """find_legs for several weights (tables, arcs) and from several places: roots (roots, 2) are their rows and nodes.

    Fills dist and number (tables, rows, targets, ranks); gives the legs.
    """
    for v in range(weights.shape[0]):
        for i in range(roots.shape[0]):
            row = roots[i, 0]
            legs = find_legs(network, legs, layer, weights[v], roots[i, 1], targets, dist[v, row], number[v, row])
    return legs
