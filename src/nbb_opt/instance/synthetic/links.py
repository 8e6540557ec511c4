"""Invented roads, railways of two gauges, sea routes and a ferry between the towns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import Delaunay

from nbb_opt.instance.synthetic.places import Floats, Ints, Places

Row = dict[str, Any]
GROSS_T = {"SE": 74, "FI": 76, "NO": 60}
ROAD_WINDS, RAIL_WINDS, SEA_WINDS = 1.25, 1.15, 1.2
GAUGE = {"SE": 1435, "NO": 1435, "FI": 1524}
NORTH_OF_THE_GULF = 65.4


def roads(places: Places, km: Floats) -> list[Row]:
    """The shortest tree of all towns and short edges between neighbours; nobody drives across the gulf."""
    pairs = neighbours(places, km)
    pairs = pairs[~crosses_gulf(places, pairs)]
    links = np.unique(np.concatenate([tree(km, pairs), pairs[_short(km, pairs)]]), axis=0)
    links = np.unique(np.concatenate([links, join(places, km, links)]), axis=0)
    return [
        _link(places, i, j, mode="road", km=km[i, j] * ROAD_WINDS, speed=66.0, max_gross_t=GROSS_T[places.country[i]])
        for i, j in links.tolist()
    ]


def railways(
    rng: np.random.Generator, places: Places, km: Floats, *, terminals: Ints, capacity_t: float
) -> tuple[list[Row], list[Row], list[str]]:
    """Lines that exist, lines that may be built, and the node at which the gauges meet (in a list).

    Each country side has a tree between its terminals; lines that may be built are short cuts.
    """
    today: list[Row] = []
    later: list[Row] = []
    for countries in (("SE", "NO"), ("FI",)):
        mine = terminals[np.isin(places.country[terminals], countries)]
        inner = km[np.ix_(mine, mine)]
        every = np.argwhere(np.triu(np.ones(inner.shape, bool), 1))
        lines = tree(inner, every)
        wired = rng.random(len(lines)) < 0.6
        for (i, j), electric in zip(lines.tolist(), wired.tolist(), strict=True):
            today.append(_rail(places, km, int(mine[i]), int(mine[j]), electric, _step(rng, capacity_t)))
        rest = np.array([pair for pair in every.tolist() if pair not in lines.tolist()], np.int64).reshape(-1, 2)
        order = np.argsort(inner[rest[:, 0], rest[:, 1]], kind="stable")[: max(1, len(mine) // 3)]
        for i, j in rest[order].tolist():
            later.append(_rail(places, km, int(mine[i]), int(mine[j]), True, _step(rng, 2 * capacity_t), "new"))
    swedish = terminals[places.country[terminals] == "SE"]
    finnish = terminals[places.country[terminals] == "FI"]
    a, b = np.unravel_index(np.argmin(km[np.ix_(swedish, finnish)]), (len(swedish), len(finnish)))
    across = _rail(places, km, int(swedish[a]), int(finnish[b]), False, _step(rng, capacity_t))
    return [*today, across], later, [places.ids[int(finnish[b])]]


def sea_routes(places: Places, km: Floats, ports: Ints) -> list[Row]:
    """Every port is joined to the nearest ports of other countries, and to its neighbour at home."""
    pairs: set[tuple[int, int]] = set()
    for port in ports.tolist():
        for same in (True, False):
            others = [p for p in ports.tolist() if p != port and (places.country[p] == places.country[port]) == same]
            for other in sorted(others, key=lambda p: float(km[port, p]))[: 1 if same else 2]:
                pairs.add((min(port, other), max(port, other)))
    return [
        _link(places, i, j, mode="sea", km=km[i, j] * SEA_WINDS + 20, speed=22.0, country="XX", charge_eur_per_t=1.2)
        for i, j in sorted(pairs)
    ]


def ferry(places: Places, km: Floats, ports: Ints) -> Row:
    """One ferry over the gulf, where it is narrowest between ports."""
    swedish, finnish = (ports[places.country[ports] == nation] for nation in ("SE", "FI"))
    a, b = np.unravel_index(np.argmin(km[np.ix_(swedish, finnish)]), (len(swedish), len(finnish)))
    i, j = int(swedish[a]), int(finnish[b])
    return _link(
        places, i, j, mode="ferry", km=km[i, j] * 1.1, speed=25.0, country="XX", charge_eur_per_t=9.0,
        capacity_t_per_year=1_500_000,
    )  # fmt: skip


def neighbours(places: Places, km: Floats) -> Ints:
    """Pairs of towns that are neighbours on the map (edges of the Delaunay triangulation)."""
    flat = np.stack([places.lon * np.cos(np.radians(65.0)), places.lat], axis=1)
    corners = np.sort(Delaunay(flat).simplices, axis=1)
    pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])
    return np.unique(pairs, axis=0).astype(np.int64)


def crosses_gulf(places: Places, pairs: Ints) -> np.ndarray:
    """Whether a straight line between Sweden or Norway and Finland would lie in the sea."""
    finnish = (places.country == "FI")[pairs]
    return (finnish[:, 0] != finnish[:, 1]) & (places.lat[pairs].min(axis=1) < NORTH_OF_THE_GULF)


def tree(km: Floats, pairs: Ints) -> Ints:
    """The shortest tree (or forest) that uses only `pairs`."""
    if not len(pairs):
        return np.zeros((0, 2), np.int64)
    length = np.maximum(km[pairs[:, 0], pairs[:, 1]], 1e-3)
    found = minimum_spanning_tree(coo_array((length, (pairs[:, 0], pairs[:, 1])), shape=km.shape).tocsr()).tocoo()
    return np.sort(np.stack(found.coords, axis=1).astype(np.int64), axis=1)


def join(places: Places, km: Floats, pairs: Ints) -> Ints:
    """Pairs that join what is still apart: the shortest way over the northern end of the gulf, or on one side of it."""
    every = np.argwhere(np.triu(np.ones(km.shape, bool), 1))
    cost = km + 1e4 * np.maximum(0.0, NORTH_OF_THE_GULF + 1 - places.lat[:, None]) * _sides(places)
    cost[pairs[:, 0], pairs[:, 1]] = 1e-3
    found = tree(cost, every)
    known = {tuple(pair) for pair in pairs.tolist()}
    return np.array([pair for pair in found.tolist() if tuple(pair) not in known], np.int64).reshape(-1, 2)


def _sides(places: Places) -> np.ndarray:
    finnish = places.country == "FI"
    return finnish[:, None] != finnish[None, :]


def _short(km: Floats, pairs: Ints) -> np.ndarray:
    """Edges with no third town inside the circle over them."""
    squared = km**2
    i, j = pairs.T
    nearest = [float(np.delete(squared[a] + squared[b], [a, b]).min()) for a, b in zip(i, j, strict=True)]
    return np.asarray(squared[i, j] <= np.array(nearest))


def _step(rng: np.random.Generator, capacity_t: float) -> int:
    return int(round(capacity_t * float(rng.uniform(0.6, 1.6)), -3))


def _rail(places: Places, km: Floats, i: int, j: int, electric: bool, capacity: int, suffix: str = "") -> Row:
    row = _link(
        places, i, j, mode="rail", km=km[i, j] * RAIL_WINDS, speed=50.0, toll_eur_per_vkm=1.4,
        capacity_t_per_year=capacity, gauge_mm=GAUGE[places.country[i]], electrified_share=int(electric),
        axle_load_t=22.5, max_gross_t=1600,
    )  # fmt: skip
    return {**row, "link": row["link"] + suffix}


def _link(places: Places, i: int, j: int, *, mode: str, km: float, speed: float, **values: Any) -> Row:
    long = max(round(float(km) + 0.005, 2), 1.0)
    return {
        "link": f"{mode}_{places.ids[i]}_{places.ids[j]}", "from_node": places.ids[i], "to_node": places.ids[j],
        "two_way": True, "mode": mode, "country": places.country[i], "distance_km": long,
        "time_h": round(long / speed + (0.0 if mode == "road" else 1.0), 3), "toll_eur_per_vkm": 0,
        "charge_eur_per_t": 0, "corridor": "", **values,
    }  # fmt: skip


def at_ends(links: Iterable[Row]) -> set[str]:
    """Nodes at which some of the links end."""
    return {row[end] for row in links for end in ("from_node", "to_node")}
