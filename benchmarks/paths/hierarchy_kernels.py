"""Kernels of a contraction hierarchy whose order is the same for all weights.

Order by least degree, weights from the bottom to the top and back, distances by sweeps that serve BLOCK sources at
once. After R. Geisberger et al. (2008, contraction hierarchies), J. Dibbelt, B. Strasser, D. Wagner (2016, customizable
ones) and D. Delling et al. (2011, sweeps). The plain Python twin is ``distances`` in ``tests/plain_network.py``.
"""

import numpy as np
from numba import njit

LANES = 8  # weights carried side by side from the bottom to the top
BLOCK = 32  # sources served by one sweep


@njit(cache=True, nogil=True)
def _grown(cells, used, more):
    if used + more <= cells.size:
        return cells
    longer = np.empty(max(2 * cells.size, used + more), dtype=cells.dtype)
    longer[:used] = cells[:used]
    return longer


@njit(cache=True, nogil=True)
def contract(first, to):
    """Contract the node of least degree until none is left, joining its neighbours.

    (first, to) are the neighbours of every node, both ways, rising, no loops. Gives the nodes in the order in which
    they go, and the neighbours that each had then: cells[start[v] : start[v] + size[v]], rising.
    """
    n = first.size - 1
    cells = np.empty(4 * to.size + 16, dtype=np.int32)
    cells[: to.size] = to
    used = to.size
    start = first[:n].copy()
    size = np.empty(n, dtype=np.int64)
    room = np.empty(n, dtype=np.int64)
    head = np.full(n + 1, -1, dtype=np.int64)  # nodes of every degree, in doubly linked lists
    after = np.full(n, -1, dtype=np.int64)
    before = np.full(n, -1, dtype=np.int64)
    for v in range(n - 1, -1, -1):
        size[v] = first[v + 1] - first[v]
        room[v] = size[v]
        after[v] = head[size[v]]
        if after[v] >= 0:
            before[after[v]] = v
        head[size[v]] = v
    order = np.empty(n, dtype=np.int64)
    merged = np.empty(n, dtype=np.int32)
    least = 0
    for step in range(n):
        while head[least] < 0:
            least += 1
        v = head[least]
        order[step] = v
        head[least] = after[v]
        if after[v] >= 0:
            before[after[v]] = -1
        s, e = start[v], start[v] + size[v]
        for i in range(s, e):
            a = cells[i]
            j, last, k = start[a], start[a] + size[a], s
            m = 0
            while j < last or k < e:
                if k == e or (j < last and cells[j] < cells[k]):
                    x = cells[j]
                    j += 1
                else:
                    x = cells[k]
                    if j < last and cells[j] == x:
                        j += 1
                    k += 1
                if x != a and x != v:
                    merged[m] = x
                    m += 1
            if m > room[a]:
                cells = _grown(cells, used, 2 * m)
                start[a] = used
                room[a] = 2 * m
                used += 2 * m
            cells[start[a] : start[a] + m] = merged[:m]
            if m != size[a]:
                if before[a] >= 0:
                    after[before[a]] = after[a]
                else:
                    head[size[a]] = after[a]
                if after[a] >= 0:
                    before[after[a]] = before[a]
                size[a] = m
                before[a] = -1
                after[a] = head[m]
                if after[a] >= 0:
                    before[after[a]] = a
                head[m] = a
                least = min(least, m)
    return order, cells, start, size


@njit(cache=True, nogil=True)
def arrange(order, cells, start, size):
    """Number the nodes from the bottom, every subtree in a row: place of every node; (first, to) of edges upward."""
    n = order.size
    went = np.empty(n, dtype=np.int64)
    for step in range(n):
        went[order[step]] = step
    parent = np.full(n, -1, dtype=np.int64)  # the neighbour that goes next, in steps
    for step in range(n):
        v = order[step]
        low = n
        for i in range(start[v], start[v] + size[v]):
            low = min(low, went[cells[i]])
        if low < n:
            parent[step] = low
    below = np.ones(n, dtype=np.int64)  # nodes of the subtree
    for step in range(n):
        if parent[step] >= 0:
            below[parent[step]] += below[step]
    place_of_step = np.empty(n, dtype=np.int64)
    end = np.empty(n, dtype=np.int64)  # places still free under a node end here
    free = n
    for step in range(n - 1, -1, -1):
        if parent[step] < 0:
            place_of_step[step] = free - 1
            free -= below[step]
        else:
            place_of_step[step] = end[parent[step]] - 1
            end[parent[step]] -= below[step]
        end[step] = place_of_step[step]
    place = np.empty(n, dtype=np.int64)
    node = np.empty(n, dtype=np.int64)
    for step in range(n):
        place[order[step]] = place_of_step[step]
        node[place_of_step[step]] = order[step]
    up_first = np.zeros(n + 1, dtype=np.int64)
    for p in range(n):
        up_first[p + 1] = up_first[p] + size[node[p]]
    up_to = np.empty(up_first[n], dtype=np.int32)
    for p in range(n):
        v = node[p]
        s = up_first[p]
        for i in range(size[v]):
            up_to[s + i] = place[cells[start[v] + i]]
        up_to[s : up_first[p + 1]].sort()
    return place, up_first, up_to


@njit(cache=True, nogil=True)
def edge_slots(up_first, up_to, tail, head, slot):
    """Edge of every arc between two places, -1 for a loop; tail and head are places."""
    for a in range(tail.size):
        low, high = min(tail[a], head[a]), max(tail[a], head[a])
        slot[a] = -1
        if low != high:
            s = up_first[low]
            slot[a] = s + np.searchsorted(up_to[s : up_first[low + 1]], high)


@njit(cache=True, nogil=True)
def customise(up_first, up_to, slot, rises, weight, up, down):
    """Lengths of all edges, LANES weights at once: `up` (edges, LANES) to the higher end, `down` back.

    weight (lanes, arcs), as many lanes as there are up to LANES; infinite where an arc may not be used.
    """
    n = up_first.size - 1
    up[:] = np.inf
    down[:] = np.inf
    for a in range(slot.size):
        s = slot[a]
        if s < 0:
            continue
        for m in range(weight.shape[0]):
            if rises[a]:
                up[s, m] = min(up[s, m], weight[m, a])
            else:
                down[s, m] = min(down[s, m], weight[m, a])
    for v in range(n):
        end = up_first[v + 1]
        for i in range(up_first[v], end):
            a = up_to[i]
            s = up_first[a]
            for j in range(i + 1, end):
                b = up_to[j]
                while up_to[s] != b:
                    s += 1
                for m in range(LANES):
                    there = down[i, m] + up[j, m]
                    back = down[j, m] + up[i, m]
                    up[s, m] = there if there < up[s, m] else up[s, m]
                    down[s, m] = back if back < down[s, m] else down[s, m]


@njit(cache=True, nogil=True)
def above(up_first, up_to, places, seen):
    """Mark the places and all that lie on their ways to the top."""
    for p in places:
        v = p
        while not seen[v]:
            seen[v] = True
            if up_first[v] == up_first[v + 1]:
                break
            v = up_to[up_first[v]]


@njit(cache=True, nogil=True)
def sweep(parent, first, to, up, down, source, target, out):
    """Distances out (sources, targets) for one weight: `up` and `down` (edges,) are the lengths of the edges upward.

    `parent` (places,) is the next place on the way to the top, -1 at the top; `source` and `target` are places. Every
    source climbs to the top on its own, then one pass from the top to the bottom serves BLOCK sources.
    """
    n = parent.size
    dist = np.empty((n, BLOCK))
    for begin in range(0, source.size, BLOCK):
        width = min(BLOCK, source.size - begin)
        dist[:] = np.inf
        for q in range(width):
            v = source[begin + q]
            dist[v, q] = 0.0
            while v >= 0:
                here = dist[v, q]
                if here < np.inf:
                    for i in range(first[v], first[v + 1]):
                        x = here + up[i]
                        if x < dist[to[i], q]:
                            dist[to[i], q] = x
                v = parent[v]
        for v in range(n - 1, -1, -1):
            mine = dist[v]
            for i in range(first[v], first[v + 1]):
                above_it = dist[to[i]]
                length = down[i]
                for q in range(BLOCK):
                    x = above_it[q] + length
                    mine[q] = x if x < mine[q] else mine[q]
        for j in range(target.size):
            mine = dist[target[j]]
            for q in range(width):
                out[begin + q, j] = mine[q]


@njit(cache=True, nogil=True)
def skim_all(up_first, up_to, slot, rises, weight, kept, parent, first, to, source, target, out):
    """Distances out (weights, sources, targets) for every row of weight (weights, arcs), LANES at a time.

    `kept` (edges kept,) are the edges upward of the places above a source or target; parent, first, to describe these
    places as `sweep` wants them.
    """
    up = np.empty((up_to.size, LANES))
    down = np.empty((up_to.size, LANES))
    up_kept = np.empty(kept.size)
    down_kept = np.empty(kept.size)
    for begin in range(0, weight.shape[0], LANES):
        lanes = min(LANES, weight.shape[0] - begin)
        customise(up_first, up_to, slot, rises, weight[begin : begin + lanes], up, down)
        for m in range(lanes):
            for i in range(kept.size):
                up_kept[i] = up[kept[i], m]
                down_kept[i] = down[kept[i], m]
            sweep(parent, first, to, up_kept, down_kept, source, target, out[begin + m])
