"""Distances between many places for many weights of one network, exactly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from benchmarks.paths import hierarchy_kernels as kernels


@dataclass(frozen=True)
class Hierarchy:
    """A network arranged for fast distances, whatever its weights.

    `place` (nodes,) numbers the nodes from the bottom to the top; edges upward of place p are `up_to`[`up_first`[p] :
    `up_first`[p + 1]]; `slot` (arcs,) is the edge of every arc (-1: a loop), `rises` (arcs,) whether it goes upward.
    """

    place: np.ndarray
    up_first: np.ndarray
    up_to: np.ndarray
    slot: np.ndarray
    rises: np.ndarray


def make_hierarchy(n_nodes: int, tail: np.ndarray, head: np.ndarray) -> Hierarchy:
    """Arrange a network of arcs from `tail` to `head` (node numbers); parallel arcs and loops are allowed.

    >>> arranged = make_hierarchy(3, np.array([0, 1]), np.array([1, 2]))
    >>> every = np.arange(3)
    >>> skims(arranged, np.array([[1.5, 2.0]]), sources=every, targets=every)[0].tolist()
    [[0.0, 1.5, 3.5], [inf, 0.0, 2.0], [inf, inf, 0.0]]
    """
    low, high = np.minimum(tail, head).astype(np.int64), np.maximum(tail, head).astype(np.int64)
    pair = np.unique((low * n_nodes + high)[low != high])
    low, high = np.divmod(pair, max(n_nodes, 1))
    start, end = np.concatenate([low, high]), np.concatenate([high, low])
    order = np.lexsort((end, start))
    first = np.searchsorted(start[order], np.arange(n_nodes + 1)).astype(np.int64)
    place, up_first, up_to = kernels.arrange(*kernels.contract(first, end[order].astype(np.int32)))
    slot = np.empty(tail.size, dtype=np.int64)
    kernels.edge_slots(up_first, up_to, place[tail], place[head], slot)
    return Hierarchy(place, up_first, up_to, slot, place[tail] < place[head])


def skims(
    hierarchy: Hierarchy, weights: np.ndarray, *, sources: np.ndarray, targets: np.ndarray, threads: int = 1
) -> np.ndarray:
    """Shortest distances (weights, sources, targets), infinite where there is no way.

    `weights` (weights, arcs) are not negative, infinite where an arc may not be used; `sources` and `targets` are node
    numbers. The same bits for any number of threads.
    """
    weights = np.ascontiguousarray(weights, dtype=np.float64)
    source, target = hierarchy.place[sources], hierarchy.place[targets]
    up_first, up_to = hierarchy.up_first, hierarchy.up_to
    seen = np.zeros(hierarchy.place.size, dtype=bool)
    kernels.above(up_first, up_to, source, seen)
    kernels.above(up_first, up_to, target, seen)
    kept_places = np.flatnonzero(seen)
    number = np.cumsum(seen) - 1
    size = (up_first[1:] - up_first[:-1])[kept_places]
    first = np.append(0, np.cumsum(size))
    kept = np.arange(first[-1]) + np.repeat(up_first[kept_places] - first[:-1], size)
    to = number[up_to[kept]]
    parent = np.full(kept_places.size, -1, dtype=np.int64)
    parent[size > 0] = to[first[:-1][size > 0]]
    out = np.empty((weights.shape[0], source.size, target.size))
    groups = -(-weights.shape[0] // kernels.LANES)
    share = kernels.LANES * max(1, -(-groups // (2 * threads if threads > 1 else 1)))

    def work(begin: int) -> None:
        part = slice(begin, begin + share)
        kernels.skim_all(
            up_first, up_to, hierarchy.slot, hierarchy.rises, weights[part], kept, parent, first, to.astype(np.int32),
            number[source], number[target], out[part],
        )  # fmt: skip

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(0, weights.shape[0], share)))
    return out
