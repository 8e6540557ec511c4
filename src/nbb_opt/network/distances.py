"""How far and how long an empty truck drives from one fleet region to another."""

from __future__ import annotations

import heapq

import pandas as pd

from nbb_opt.instance import Instance

_DIGITS = 9  # sums of the same km in another order are the same distance

Skim = tuple[float, float, float]  # km, hours, EUR of toll


def road_distances(instance: Instance) -> pd.DataFrame:
    """Shortest road path between the hubs of every two fleet regions, over links that exist today.

    Columns: from_region, to_region, distance_km, time_h, toll_eur_per_vkm (mean of the path). Ties: less time, then
    less toll. Pairs without a road path, and pairs that share a hub node, have no row.
    """
    links = instance["links"]
    roads = links.loc[(links["mode"] == "road") & (links["project"] == "")]
    next_to: dict[str, list[tuple[str, float, float, float]]] = {}
    for a, b, both, km, hours, toll in zip(
        roads["from_node"], roads["to_node"], roads["two_way"], roads["distance_km"], roads["time_h"],
        roads["toll_eur_per_vkm"], strict=True,
    ):  # fmt: skip
        next_to.setdefault(a, []).append((b, km, hours, toll))
        if both:
            next_to.setdefault(b, []).append((a, km, hours, toll))
    regions = instance["fleet_regions"]
    hub_of = dict(zip(regions["fleet_region"], regions["hub_node"], strict=True))
    from_hub = {hub: _shortest(next_to, hub) for hub in dict.fromkeys(hub_of.values())}
    rows = []
    for region, hub in hub_of.items():
        for other, other_hub in hub_of.items():
            if other_hub != hub and other_hub in from_hub[hub]:
                km, hours, toll = from_hub[hub][other_hub]
                rows.append((region, other, km, hours, toll / km))
    columns = ["from_region", "to_region", "distance_km", "time_h", "toll_eur_per_vkm"]
    dtypes = {"from_region": "str", "to_region": "str"} | dict.fromkeys(columns[2:], "float64")
    return pd.DataFrame(rows, columns=columns).astype(dtypes)


def _shortest(next_to: dict[str, list[tuple[str, float, float, float]]], start: str) -> dict[str, Skim]:
    best: dict[str, Skim] = {}
    queue: list[tuple[float, float, float, str]] = [(0.0, 0.0, 0.0, start)]
    while queue:
        km, hours, toll, node = heapq.heappop(queue)
        if node in best:
            continue
        best[node] = (km, hours, toll)
        for other, d_km, d_h, per_km in next_to.get(node, ()):
            if other not in best:
                far, long, paid = (round(part, _DIGITS) for part in (km + d_km, hours + d_h, toll + d_km * per_km))
                heapq.heappush(queue, (far, long, paid, other))
    return best
