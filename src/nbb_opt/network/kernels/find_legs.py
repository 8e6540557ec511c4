"""Kernels of the legs: the cheapest paths within one layer, by a binary heap, and numbers for them.

A leg is a shorter leg and one more arc; leg 0 has no arc. Equal arcs have equal numbers. What is summed over arcs is
summed once for each leg. The limited things that a leg uses and the projects it needs are a list from the last to the
first: use u is of thing use[u, THING], after use use[u, BEFORE]. Plain Python twins stand in the tests.
"""

from typing import NamedTuple

import numpy as np

from nbb_opt.compiling import kernel, lean_kernel

NONE = -1
N_ROWS, N_USES, MOST_USES = range(3)  # what `size` of legs and parts holds; MOST_USES of one leg
SHORTER, ARC, LAST_USE, HOW_MANY_USES = range(4)  # columns of Legs.row
BEFORE, THING = range(2)  # columns of Legs.use


class GraphArrays(NamedTuple):
    """Arcs and transfers; *_sums (rows, weights); *_things (rows, 2): limited thing and project, -1 if there is none.

    `first_arc` and `arc_to` are those of graph.Graph; the arcs of layer l that end at node n are
    back_arc[first_back[l, n]] to back_arc[first_back[l, n + 1]]. Things from `first_project` on are projects: needed or
    not, however often.
    """

    first_arc: np.ndarray
    arc_from: np.ndarray
    arc_to: np.ndarray
    arc_link: np.ndarray
    arc_layer: np.ndarray
    first_back: np.ndarray
    back_arc: np.ndarray
    transfer_node: np.ndarray
    link_sums: np.ndarray
    transfer_sums: np.ndarray
    link_things: np.ndarray
    transfer_things: np.ndarray
    first_project: int
    n_things: int


class Legs(NamedTuple):
    """Leg l is leg row[l, SHORTER] and arc row[l, ARC]; table finds a leg by both; sums (legs, weights)."""

    row: np.ndarray
    sums: np.ndarray
    use: np.ndarray
    table: np.ndarray
    size: np.ndarray


@lean_kernel
def push(cost, item, size, new_cost, order, new_item):
    """Put an item on a heap of `size` items ordered by cost, then order: cost (room,), item (room, 2)."""
    at = size
    while at > 0:
        up = (at - 1) >> 1
        if cost[up] < new_cost or (cost[up] == new_cost and item[up, 0] < order):
            break
        cost[at], item[at, 0], item[at, 1] = cost[up], item[up, 0], item[up, 1]
        at = up
    cost[at], item[at, 0], item[at, 1] = new_cost, order, new_item
    return size + 1


@lean_kernel
def pop(cost, item, size):
    """Take the first item off; it is to be read before. Gives the size left."""
    size -= 1
    last, order, what = cost[size], item[size, 0], item[size, 1]
    at = 0
    while True:
        low = 2 * at + 1
        if low >= size:
            break
        right = low + 1
        if right < size and (cost[right] < cost[low] or (cost[right] == cost[low] and item[right, 0] < item[low, 0])):
            low = right
        if last < cost[low] or (last == cost[low] and order < item[low, 0]):
            break
        cost[at], item[at, 0], item[at, 1] = cost[low], item[low, 0], item[low, 1]
        at = low
    cost[at], item[at, 0], item[at, 1] = last, order, what
    return size


@lean_kernel
def cheapest_paths(first_arc, arc_to, weight, start, cost, arc, reached, heap_cost, heap_item):
    """The cheapest way to every node of a layer, by Dijkstra, where it costs start (nodes,) to begin at a node.

    `first_arc` (nodes + 1,) is the layer's row of the graph's; `weight` (arcs,) is infinite for arcs not to be used.
    Fills cost and arc (last arc, -1 where a way begins), and `reached` with the nodes as they are reached; gives their
    number. Of equal ways the first found stays. The heap needs room for every arc and node.
    """
    size, pushed, n = 0, 0, 0
    for node in range(cost.size):
        cost[node], arc[node] = np.inf, NONE
        if start[node] < np.inf:
            size = push(heap_cost, heap_item, size, start[node], pushed, -1 - node)
            pushed += 1
    while size > 0:
        total, last = heap_cost[0], heap_item[0, 1]
        size = pop(heap_cost, heap_item, size)
        node = arc_to[last] if last >= 0 else -1 - last
        if cost[node] < np.inf:
            continue
        cost[node], arc[node], reached[n] = total, max(last, NONE), node
        n += 1
        for a in range(first_arc[node], first_arc[node + 1]):
            if weight[a] < np.inf and cost[arc_to[a]] == np.inf:
                size = push(heap_cost, heap_item, size, total + weight[a], pushed, a)
                pushed += 1
    return n


@kernel
def longer_rows(old, n):
    """The same rows of a two-dimensional array with room for `n`."""
    new = np.empty((n, old.shape[1]), old.dtype)
    for i in range(old.shape[0]):
        for k in range(old.shape[1]):
            new[i, k] = old[i, k]
    return new


@lean_kernel
def mixed(hashed, number):
    """A hash continued by one more number."""
    hashed = (hashed ^ np.uint64(number + 0x40000000)) * np.uint64(0x9E3779B97F4A7C15)
    return hashed ^ (hashed >> np.uint64(29))


def no_legs(n_weights):
    """Legs with leg 0 only: it has no arc."""
    row = np.full((1024, 4), NONE, np.int32)
    row[0, HOW_MANY_USES] = 0
    size = np.array([1, 0, 0])
    return Legs(row, np.zeros((1024, n_weights)), np.empty((2048, 2), np.int32), np.full(4096, NONE, np.int32), size)


@lean_kernel
def _leg_slot(table, row, mine, last):
    mask = table.size - 1
    slot = np.int64(mixed(mixed(np.uint64(1), mine), last) & np.uint64(mask))
    while table[slot] >= 0 and (row[table[slot], SHORTER] != mine or row[table[slot], ARC] != last):
        slot = (slot + 1) & mask
    return slot


@kernel
def with_room(legs, more):
    """The same legs with room for `more`."""
    n = legs.size[N_ROWS] + more
    if n > legs.row.shape[0] or 2 * n > legs.table.size or 2 * n > legs.use.shape[0]:
        size = 2
        while size < 4 * n:
            size *= 2
        table = np.full(size, NONE, np.int32)
        for number in range(1, legs.size[N_ROWS]):
            table[_leg_slot(table, legs.row, legs.row[number, SHORTER], legs.row[number, ARC])] = number
        legs = Legs(
            longer_rows(legs.row, 2 * n), longer_rows(legs.sums, 2 * n), longer_rows(legs.use, 4 * n), table, legs.size
        )
    return legs


@lean_kernel
def forget_legs(legs, n_rows, n_uses):
    """Back to the first `n_rows` legs, which had `n_uses` uses."""
    number = legs.size[N_ROWS] - 1
    while number >= n_rows:  # the last one first: then no other has to move in the table
        legs.table[_leg_slot(legs.table, legs.row, legs.row[number, SHORTER], legs.row[number, ARC])] = NONE
        number -= 1
    legs.size[N_ROWS], legs.size[N_USES] = n_rows, n_uses


@lean_kernel
def longer_leg(network, legs, mine, last):
    """Number of leg `mine` and arc `last`; there must be room for it."""
    slot = _leg_slot(legs.table, legs.row, mine, last)
    if legs.table[slot] >= 0:
        return legs.table[slot]
    number = np.int32(legs.size[N_ROWS])
    legs.size[N_ROWS] += 1
    legs.table[slot] = number
    row = legs.row[number]
    row[SHORTER], row[ARC] = mine, last
    row[LAST_USE], row[HOW_MANY_USES] = legs.row[mine, LAST_USE], legs.row[mine, HOW_MANY_USES]
    link = network.arc_link[last]
    for w in range(legs.sums.shape[1]):
        legs.sums[number, w] = legs.sums[mine, w] + network.link_sums[link, w]
    for i in range(2):
        thing = network.link_things[link, i]
        if thing >= 0:
            use = legs.size[N_USES]
            legs.size[N_USES] += 1
            legs.use[use, BEFORE], legs.use[use, THING] = row[LAST_USE], thing
            row[LAST_USE] = use
            row[HOW_MANY_USES] += 1
    legs.size[MOST_USES] = max(legs.size[MOST_USES], row[HOW_MANY_USES])
    return number


@kernel
def fill_tables(network, legs, layer, weights, roots, targets, dist, number):
    """The cheapest legs in a layer for several weights (tables, arcs), from several places: roots (roots, 2) are their
    rows and nodes; to the nodes `targets`.

    Fills dist and number (tables, rows, targets), infinite and -1 where there is none; gives the legs.
    """
    n_nodes, n_arcs = network.first_arc.shape[1] - 1, network.arc_to.size
    start, cost, node_number = np.full(n_nodes, np.inf), np.empty(n_nodes), np.empty(n_nodes, np.int32)
    arc, reached = np.empty(n_nodes, np.int64), np.empty(n_nodes, np.int64)
    heap_cost, heap_item = np.empty(n_arcs + n_nodes), np.empty((n_arcs + n_nodes, 2), np.int64)
    for v in range(weights.shape[0]):
        for i in range(roots.shape[0]):
            row, root = roots[i, 0], roots[i, 1]
            start[root] = 0.0
            n = cheapest_paths(
                network.first_arc[layer], network.arc_to, weights[v], start, cost, arc, reached, heap_cost, heap_item
            )
            start[root] = np.inf
            legs = with_room(legs, n)
            node_number[root] = 0
            for k in range(1, n):
                node = reached[k]
                node_number[node] = longer_leg(network, legs, node_number[network.arc_from[arc[node]]], arc[node])
            for t in range(targets.size):
                node = targets[t]
                dist[v, row, t] = cost[node]
                number[v, row, t] = node_number[node] if cost[node] < np.inf else NONE
    return legs
