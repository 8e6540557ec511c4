"""Shortest distances between zones on the network of the instance, for the gravity model."""

from __future__ import annotations

import heapq

from store import Row

# Weight of a kilometre: on water it counts less because it is cheaper; a ferry crossing adds its terminal time.
WEIGHT = {"road": 1.0, "rail": 1.0, "sea": 0.6, "ferry": 1.0}
EXTRA_KM = {"road": 0.0, "rail": 60.0, "sea": 250.0, "ferry": 120.0}


def effective_km(links: list[Row], start: str) -> dict[str, float]:
    """Cheapest effective km from a node to all others; extra km are charged once per link used."""
    graph: dict[str, list[tuple[str, float]]] = {}
    for link in links:
        if link["project"]:
            continue
        mode = str(link["mode"])
        km = float(str(link["distance_km"])) * WEIGHT[mode] + EXTRA_KM[mode]
        if mode == "rail":
            continue
        a, b = str(link["from_node"]), str(link["to_node"])
        graph.setdefault(a, []).append((b, km))
        graph.setdefault(b, []).append((a, km))
    best = {start: 0.0}
    queue = [(0.0, start)]
    while queue:
        so_far, node = heapq.heappop(queue)
        if so_far > best[node]:
            continue
        for other, km in graph.get(node, []):
            if so_far + km < best.get(other, float("inf")):
                best[other] = so_far + km
                heapq.heappush(queue, (so_far + km, other))
    return best
