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


def simple_chains(
    arcs: Mapping[int, Sequence[tuple[int, int, float]]],
    switches: Sequence[tuple[int, int, int, float]],
    *,
    origin: int,
    max_main_legs: int,
) -> dict[tuple[int, tuple[int, ...]], list[tuple[float, tuple[tuple[str, int], ...]]]]:
    """Every chain from `origin` that is nowhere twice at one node on one side, by node and layers of its main legs.

    `arcs` and `switches` as in `pattern_costs`; a chain is its cost and its steps: ("arc" or "switch", number in the
    list of its layer or of the switches). For tiny networks only.
    """
    found: dict[tuple[int, tuple[int, ...]], list[tuple[float, tuple[tuple[str, int], ...]]]] = {}

    def go_on(
        node: int, layer: int, legs: tuple[int, ...], moved: bool, seen: frozenset[tuple[int, int]], cost: float,
        steps: tuple[tuple[str, int], ...],
    ) -> None:  # fmt: skip
        if layer == 0:
            found.setdefault((node, legs), []).append((cost, steps))
        for i, (a, b, step) in enumerate(arcs.get(layer, ())):
            if a == node and (b, layer) not in seen and math.isfinite(step):
                go_on(b, layer, legs, True, seen | {(b, layer)}, cost + step, (*steps, ("arc", i)))
        for i, (at, before, after, step) in enumerate(switches):
            if at != node or before != layer or not math.isfinite(step) or (node, after) in seen:
                continue
            if (layer == 0 or moved) and (after == 0 or len(legs) < max_main_legs):
                more = (*legs, after) if after else legs
                go_on(node, after, more, False, seen | {(node, after)}, cost + step, (*steps, ("switch", i)))

    go_on(origin, 0, (), True, frozenset({(origin, 0)}), 0.0, ())
    return found
