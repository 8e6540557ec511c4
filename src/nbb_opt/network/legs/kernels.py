"""Kernels of the legs: the cheapest paths within one layer, by a binary heap.

Plain Python twins stand in ``network/reference.py``.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _sift_up(cost, order, label, at):
    while at > 0:
        up = (at - 1) >> 1
        if cost[up] < cost[at] or (cost[up] == cost[at] and order[up] < order[at]):
            break
        cost[up], cost[at] = cost[at], cost[up]
        order[up], order[at] = order[at], order[up]
        label[up], label[at] = label[at], label[up]
        at = up


@njit(cache=True, nogil=True)
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
def search_legs(
    first_arc, arc_from, arc_to, arc_link, layer_used, leg_start, place_node, link_weight, n_ranks, changed_ranks,
    weight, dist, leg_arc, leg_rank,
):  # fmt: skip
    """Search again the layers whose weights differ from those of the search before, from every place a leg may start.

    link_weight (links,) are the new weights, infinite where not to be used; `weight` (arcs,) are those of the search
    before and are replaced; leg_start (layers, places); place_node (places,) are node numbers. Fills dist (layers,
    places, places, ranks) and the search trees leg_arc, leg_rank (layers, places, nodes, ranks), up to `n_ranks`. Gives
    which layers were searched, (layers,).
    """
    searched = np.zeros(first_arc.shape[0], dtype=np.bool_)
    n_layers, n_places, n_nodes = first_arc.shape[0], place_node.size, first_arc.shape[1] - 1
    node_dist = np.empty((n_nodes, n_ranks))
    node_arc = np.empty((n_nodes, n_ranks), dtype=np.int32)
    node_rank = np.empty((n_nodes, n_ranks), dtype=np.int32)
    for layer in range(n_layers):
        if not layer_used[layer]:
            continue
        same = not changed_ranks
        for a in range(first_arc[layer, 0], first_arc[layer, n_nodes]):
            if weight[a] != link_weight[arc_link[a]]:
                weight[a] = link_weight[arc_link[a]]
                same = False
        if same:
            continue
        searched[layer] = True
        for p in range(n_places):
            if leg_start[layer, p]:
                leg_search(
                    first_arc[layer], arc_from, arc_to, weight, place_node[p], n_ranks, node_dist, node_arc, node_rank
                )
                leg_arc[layer, p, :, :n_ranks] = node_arc
                leg_rank[layer, p, :, :n_ranks] = node_rank
                for p2 in range(n_places):
                    dist[layer, p, p2, :n_ranks] = node_dist[place_node[p2]]
    return searched
