"""Cheapest paths of many commodities, each with its own price of every arc."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nbb_opt.compiling import kernel

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@kernel
def cheapest_paths(
    first: Ints, arc_from_here: Ints, head: Ints, tail: Ints, price: Floats, origin: Ints, destination: Ints
) -> tuple[Floats, Ints, Ints]:
    """One cheapest path for every commodity.

    `first` (nodes + 1) and `arc_from_here` (arcs) list the arcs that leave each node; `price` (commodities, arcs) must
    not be negative, and is infinite where an arc may not be used. Gives the price of each path (infinite if there is
    none), and the arcs of all paths one after another, from origin to destination, with the start of each path
    (commodities + 1). Of equal prices the node with the lower number is settled first and the first arc found stays:
    the same on every machine.
    """
    nodes, many = first.size - 1, origin.size
    found = np.empty(many)
    start = np.zeros(many + 1, np.int64)
    arcs = np.empty(many * max(nodes - 1, 1), np.int64)
    distance = np.empty(nodes)
    last = np.empty(nodes, np.int64)
    settled = np.empty(nodes, np.bool_)
    for k in range(many):
        distance[:] = np.inf
        settled[:] = False
        distance[origin[k]] = 0.0
        last[origin[k]] = -1
        while True:
            here = -1
            least = np.inf
            for v in range(nodes):
                if not settled[v] and distance[v] < least:
                    least, here = distance[v], v
            if here < 0 or here == destination[k]:
                break
            settled[here] = True
            for i in range(first[here], first[here + 1]):
                a = arc_from_here[i]
                reached = least + price[k, a]
                if reached < distance[head[a]]:
                    distance[head[a]] = reached
                    last[head[a]] = a
        found[k] = distance[destination[k]]
        length = 0
        if found[k] < np.inf:
            v = destination[k]
            while v != origin[k]:
                arcs[start[k] + length] = last[v]
                length += 1
                v = tail[last[v]]
            arcs[start[k] : start[k] + length] = arcs[start[k] : start[k] + length][::-1].copy()
        start[k + 1] = start[k] + length
    return found, arcs[: start[many]], start
