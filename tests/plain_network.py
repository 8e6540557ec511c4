"""What the kernels of the network do, in plain Python: slow, short, and the yardstick of the tests."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence

State = tuple[int, int, int]  # node, pattern, start of the main leg one is on (ROAD_SIDE: none)
ROAD_SIDE = -1


def pattern_costs(
    arcs: Mapping[int, Sequence[tuple[int, int, float]]],
    switches: Sequence[tuple[int, int, int, float]],
    parent: Sequence[int],
    leg: Sequence[int],
    *,
    origin: int,
) -> dict[tuple[int, int], float]:
    """Cheapest cost from `origin` to the road side of (node, pattern), by Dijkstra over every state.

    `arcs[layer]` holds (from node, to node, cost), `switches` (node, layer before, layer after, cost); the patterns are
    those of graph.pattern_tree. A main leg has at least one link and ends elsewhere than it starts.
    """
    children: dict[int, list[int]] = {}
    for pattern in range(1, len(parent)):
        children.setdefault(parent[pattern], []).append(pattern)
    best: dict[State, float] = {}
    queue: list[tuple[float, State]] = [(0.0, (origin, 0, ROAD_SIDE))]
    while queue:
        cost, state = heapq.heappop(queue)
        if state in best:
            continue
        best[state] = cost
        node, pattern, start = state
        layer = 0 if start == ROAD_SIDE else leg[pattern]
        for a, b, step in arcs.get(layer, ()):
            if a == node:
                heapq.heappush(queue, (cost + step, (b, pattern, start)))
        for at, before, after, step in switches:
            if at != node or before != layer or at == start or math.isinf(step):
                continue
            if after == 0:
                heapq.heappush(queue, (cost + step, (node, pattern, ROAD_SIDE)))
                continue
            for child in children.get(pattern, ()):
                if leg[child] == after:
                    for a, b, first in arcs.get(after, ()):
                        if a == node:
                            heapq.heappush(queue, (cost + step + first, (b, child, node)))
    return {(n, q): cost for (n, q, start), cost in best.items() if start == ROAD_SIDE and math.isfinite(cost)}


def simple_paths(arcs: Sequence[tuple[int, int, float]], *, source: int, to: int) -> list[float]:
    """Costs of every path from `source` to `to` that visits no node twice, rising; for small graphs only."""
    found: list[float] = []

    def walk(node: int, seen: frozenset[int], cost: float) -> None:
        if node == to:
            found.append(cost)
            return
        for a, b, step in arcs:
            if a == node and b not in seen and math.isfinite(step):
                walk(b, seen | {b}, cost + step)

    walk(source, frozenset((source,)), 0.0)
    return sorted(found)


def dominated(
    groups: Sequence[Sequence[int]], amounts: Sequence[Sequence[float]], uses: Sequence[Sequence[int]]
) -> list[bool]:
    """Whether another chain of the group has no larger amount and no larger use; of equal ones the first stays."""
    gone = [False] * len(amounts)
    for group in groups:
        for place, a in enumerate(group):
            for other, b in enumerate(group):
                mine, theirs = [*amounts[a], *uses[a]], [*amounts[b], *uses[b]]
                no_more = all(y <= x for x, y in zip(mine, theirs, strict=True))
                if b != a and no_more and (mine != theirs or other < place):
                    gone[a] = True
    return gone


def distances(arcs: Sequence[tuple[int, int, float]], *, source: int) -> dict[int, float]:
    """Shortest distance from `source` to every node that can be reached, by Dijkstra."""
    best: dict[int, float] = {}
    queue = [(0.0, source)]
    while queue:
        far, node = heapq.heappop(queue)
        if node in best:
            continue
        best[node] = far
        for a, b, length in arcs:
            if a == node and b not in best and math.isfinite(length):
                heapq.heappush(queue, (far + length, b))
    return best


def ranked_paths(arcs: Sequence[tuple[int, int, float]], *, source: int, n_ranks: int) -> dict[int, list[float]]:
    """Costs of the up to `n_ranks` paths that a search by rising cost settles at every node.

    A path visits no node twice; once a node has its `n_ranks` paths, no more go on from there.
    """
    settled: dict[int, list[float]] = {}
    queue: list[tuple[float, int, tuple[int, ...]]] = [(0.0, 0, (source,))]
    pushed = 1
    while queue:
        cost, _, path = heapq.heappop(queue)
        found = settled.setdefault(path[-1], [])
        if len(found) == n_ranks:
            continue
        found.append(cost)
        for a, b, step in arcs:
            if a == path[-1] and b not in path and math.isfinite(step):
                heapq.heappush(queue, (cost + step, pushed, (*path, b)))
                pushed += 1
    return settled


def ranked_chains(
    arcs: Mapping[int, Sequence[tuple[int, int, float]]],
    switches: Sequence[tuple[int, int, int, float]],
    parent: Sequence[int],
    leg: Sequence[int],
    *,
    origin: int,
    n_ranks: int,
) -> dict[tuple[int, int], list[float]]:
    """Costs of the up to `n_ranks` cheapest chains to every (node, pattern), by writing down every chain there is.

    A leg is one of `ranked_paths`; otherwise as in `pattern_costs`. For tiny networks only.
    """
    children: dict[int, list[int]] = {}
    for pattern in range(1, len(parent)):
        children.setdefault(parent[pattern], []).append(pattern)
    legs: dict[tuple[int, int], dict[int, list[float]]] = {}
    found: dict[tuple[int, int], list[float]] = {}

    def legs_from(layer: int, node: int) -> dict[int, list[float]]:
        if (layer, node) not in legs:
            legs[layer, node] = ranked_paths(arcs.get(layer, ()), source=node, n_ranks=n_ranks)
        return legs[layer, node]

    def begin_main(node: int, layer: int, pattern: int, cost: float) -> None:
        for at, before, after, step in switches:
            if at != node or before != layer or after == 0 or math.isinf(step):
                continue
            for child in children.get(pattern, ()):
                if leg[child] == after:
                    for end, lengths in legs_from(after, node).items():
                        for length in lengths if end != node else ():
                            end_main(end, child, cost + step + length)

    def end_main(node: int, pattern: int, cost: float) -> None:
        begin_main(node, leg[pattern], pattern, cost)
        for at, before, after, step in switches:
            if at == node and before == leg[pattern] and after == 0 and math.isfinite(step):
                drive(node, pattern, cost + step)

    def drive(node: int, pattern: int, cost: float) -> None:
        for end, lengths in legs_from(0, node).items():
            for length in lengths:
                begin_main(end, 0, pattern, cost + length)
                found.setdefault((end, pattern), []).append(cost + length)

    drive(origin, 0, 0.0)
    return {place: sorted(costs)[:n_ranks] for place, costs in found.items()}
