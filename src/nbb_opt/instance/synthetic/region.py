"""An invented region: towns along corridors on both sides of a gulf, links, terminals, trucks, projects, demand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import Delaunay

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# corridor: country, (lat, lon) of both ends, share of the towns, whether its towns lie at the sea
CORRIDORS = (
    ("SE", (62.2, 17.4), (65.6, 22.0), 0.27, True),
    ("FI", (62.4, 22.0), (65.7, 25.2), 0.23, True),
    ("SE", (62.3, 14.8), (66.8, 20.0), 0.14, False),
    ("NO", (63.6, 11.2), (67.9, 15.8), 0.14, True),
    ("FI", (62.2, 26.0), (66.6, 27.0), 0.14, False),
    ("SE", (66.0, 15.3), (64.0, 19.6), 0.08, False),
)
SMALLEST = 2 * len(CORRIDORS)
EARTH_KM = 6371.0


@dataclass(frozen=True, kw_only=True)
class Places:
    """Towns (Z): id, country, coordinates in degrees, weight (sums to 1), at the sea or not, fleet region.

    `hubs` are the towns that are hubs of the fleet regions.
    """

    ids: tuple[str, ...]
    country: npt.NDArray[np.object_]
    lat: Floats
    lon: Floats
    weight: Floats
    coastal: npt.NDArray[np.bool_]
    hubs: Ints
    region: Ints

    def km(self) -> Floats:
        """Air-line distances (Z, Z)."""
        return air_km(self.lat[:, None], self.lon[:, None], self.lat[None, :], self.lon[None, :])


def air_km(lat_a: Floats, lon_a: Floats, lat_b: Floats, lon_b: Floats) -> Floats:
    """Great-circle distance in km."""
    a, b = np.radians(lat_a), np.radians(lat_b)
    half = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(np.radians(lon_b - lon_a) / 2) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(half)), np.float64)


def make_places(rng: np.random.Generator, zones: int) -> Places:
    """Draw `zones` towns; every corridor has two at least, sizes follow a rank law."""
    extra = rng.choice(len(CORRIDORS), zones - SMALLEST, p=[corridor[3] for corridor in CORRIDORS])
    corridor = np.concatenate([np.repeat(np.arange(len(CORRIDORS)), 2), np.sort(extra)])
    along = np.where(np.arange(zones) < SMALLEST, np.arange(zones) % 2, rng.uniform(0.03, 0.97, zones))
    ends = np.array([(*c[1], *c[2]) for c in CORRIDORS])[corridor]
    spread = rng.normal(0, 1, (2, zones)) * np.where(np.arange(zones) < SMALLEST, 0.05, 0.16)
    lat = np.round(ends[:, 0] + along * (ends[:, 2] - ends[:, 0]) + spread[0], 4)
    lon = np.round(ends[:, 1] + along * (ends[:, 3] - ends[:, 1]) + spread[1] * 2.0, 4)
    weight = np.asarray((1.0 + rng.permutation(zones)) ** -0.9, np.float64)
    weight = weight / float(weight.sum())
    country = np.array([c[0] for c in CORRIDORS], object)[corridor]
    coastal = np.array([c[4] for c in CORRIDORS])[corridor]
    hubs = _hubs(lat, lon, country, weight)
    far = air_km(lat[:, None], lon[:, None], lat[hubs][None, :], lon[hubs][None, :])
    far[country[:, None] != country[hubs][None, :]] = np.inf
    width = len(str(zones))
    ids = tuple(f"T{i + 1:0{width}d}" for i in range(zones))
    return Places(
        ids=ids, country=country, lat=lat, lon=lon, weight=weight, coastal=coastal, hubs=hubs,
        region=np.argmin(far, axis=1),
    )  # fmt: skip


def _hubs(lat: Floats, lon: Floats, country: npt.NDArray[np.object_], weight: Floats) -> Ints:
    """Large towns far from each other; one in every country at least."""
    wanted = max(3, round(len(lat) ** 0.5 / 1.5))
    found: list[int] = []
    for nation in ("SE", "FI", "NO"):
        mine = np.flatnonzero(country == nation)
        found.append(int(mine[np.argmax(weight[mine])]))
    while len(found) < wanted:
        far = air_km(lat[:, None], lon[:, None], lat[found][None, :], lon[found][None, :]).min(axis=1)
        found.append(int(np.argmax(far * weight**0.3)))
    return np.array(found, np.int64)


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


TRUCK_OF_TODAY, TRUCK_LOAD_T, TRUCK_KM = "truck_diesel", 40.0, 110_000.0
VINTAGES = (2018, 2020, 2022, 2024)
ROAD_SHARE = 0.75


def terminals(places: Places, rail_nodes: set[str], ports: Ints, *, capacity_t: float) -> list[Row]:
    """One terminal per rail node and per port."""
    found = [("rail", node) for node in sorted(rail_nodes)] + [("port", places.ids[p]) for p in ports.tolist()]
    return [
        {
            "terminal": f"{kind}_{node}", "name": f"{kind.capitalize()} terminal of {node}", "node": node,
            "capacity_t_per_year": int(round(capacity_t * (1.0 if kind == "rail" else 1.5), -3)),
        }
        for kind, node in found
    ]  # fmt: skip


def transfers(rail_nodes: set[str], port_nodes: set[str], ferry_nodes: set[str], gauge_nodes: list[str]) -> list[Row]:
    """Where goods change mode; at the gauge break from rail to rail."""
    rows: list[Row] = [
        {"node": n, "mode_a": "road", "mode_b": "rail", "terminal": f"rail_{n}"} for n in sorted(rail_nodes)
    ]
    rows += [{"node": n, "mode_a": "road", "mode_b": "sea", "terminal": f"port_{n}"} for n in sorted(port_nodes)]
    both = sorted(rail_nodes & port_nodes)
    rows += [{"node": n, "mode_a": "rail", "mode_b": "sea", "terminal": f"port_{n}"} for n in both]
    rows += [{"node": n, "mode_a": "road", "mode_b": "ferry", "terminal": f"port_{n}"} for n in sorted(ferry_nodes)]
    return rows + [{"node": n, "mode_a": "rail", "mode_b": "rail", "terminal": f"rail_{n}"} for n in gauge_nodes]


def charge_areas(rng: np.random.Generator, places: Places, public: Ints, *, grid_mw: float) -> list[Row]:
    """A charging area at every hub and at some towns on the way."""
    return [
        {
            "charge_area": f"C_{places.ids[z]}", "name": f"Charging at {places.ids[z]}", "country": places.country[z],
            "grid_mw": round(grid_mw * float(rng.uniform(0.4, 1.6)), 2),
        }
        for z in [*places.hubs.tolist(), *public.tolist()]
    ]  # fmt: skip


def fleet(places: Places, flows: pd.DataFrame, km: Floats, *, first_year: int) -> list[Row]:
    """Diesel trucks for most of the first year's road work, by the region where flows start, spread over vintages."""
    now = flows[flows["year"] == first_year]
    start, end = now["origin"].cat.codes.to_numpy(), now["destination"].cat.codes.to_numpy()
    work = now["tonnes"].to_numpy() * km[start, end] * 1.25 * 2.0 / TRUCK_LOAD_T / TRUCK_KM * ROAD_SHARE
    trucks = np.bincount(places.region[start], work, minlength=len(places.hubs)) / len(VINTAGES)
    return [
        {
            "fleet_region": region_id(places, r), "vehicle": TRUCK_OF_TODAY, "vintage_year": year,
            "vehicles": max(1, int(trucks[r])),
        }
        for r in range(len(places.hubs))
        for year in VINTAGES
    ]  # fmt: skip


def projects(
    places: Places, later: list[Row], today: list[Row], stops: list[Row], areas: list[Row]
) -> tuple[list[Row], list[Row], list[Row]]:
    """New lines, passing loops on half of the lines, larger terminals, stronger grid: projects, effects, funding.

    The rows of `later` are given the project they need.
    """
    made: list[tuple[Row, list[Row], str]] = []
    country = dict(zip(places.ids, places.country.tolist(), strict=True))
    for row in later:
        project = f"LINE_{row['from_node']}_{row['to_node']}"
        row["project"] = project
        capex = round(row["distance_km"] * 4.5e6, -5)
        made.append((_project(project, "new_link", capex, 2035, row["from_node"]), [], row["country"]))
    for row in today[::2]:
        project, more = f"LOOPS_{row['from_node']}_{row['to_node']}", int(round(row["capacity_t_per_year"] * 0.6, -3))
        capex = round(row["distance_km"] * 8e4, -5) + 1e6
        effect = _effect(project, "links", row["link"], "capacity_t_per_year", more)
        made.append((_project(project, "capacity", capex, 2030, row["from_node"], units=2), [effect], row["country"]))
    for stop in stops[::2]:
        project, more = f"TERM_{stop['terminal']}", int(round(stop["capacity_t_per_year"] * 0.5, -3))
        effect = _effect(project, "terminals", stop["terminal"], "capacity_t_per_year", more)
        capex = round(more * 12.0, -5) + 5e5
        made.append(
            (_project(project, "terminal", capex, 2030, stop["node"], units=2), [effect], country[stop["node"]])
        )
    for area in areas:
        project, more = f"GRID_{area['charge_area']}", max(1.0, round(area["grid_mw"], 1))
        effect = _effect(project, "charge_areas", area["charge_area"], "grid_mw", more)
        row = _project(project, "grid", round(more * 450_000.0, -3), 2030, area["charge_area"][2:], units=3)
        made.append((row, [effect], area["country"]))
    funding = [{"project": row["project"], "country": nation, "share": 1} for row, _, nation in made]
    return [row for row, _, _ in made], [effect for _, effects, _ in made for effect in effects], funding


def region_id(places: Places, region: int) -> str:
    """Name of a fleet region."""
    return f"R_{places.ids[int(places.hubs[region])]}"


def kinds(places: Places, rail: list[Row], sea: list[Row]) -> list[str]:
    """What every town is on the map."""
    hubs, ports, yards = {places.ids[h] for h in places.hubs}, at_ends(sea), at_ends(rail)
    return [
        "depot" if t in hubs else "port" if t in ports else "terminal" if t in yards else "town" for t in places.ids
    ]


def _project(project: str, kind: str, capex: float, year: int, node: str, *, units: int = 1) -> Row:
    return {
        "project": project, "name": project.replace("_", " ").capitalize(), "kind": kind, "capex_eur": capex,
        "fixed_eur_per_year": round(capex * 0.01), "earliest_year": year, "lifetime_years": 40, "max_units": units,
        "node": node,
    }  # fmt: skip


def _effect(project: str, table: str, row: str, column: str, adds: float) -> Row:
    return {"project": project, "table": table, "row": row, "column": column, "adds": adds}


ROWS_PER_GROUP = 1_000_000
MEAN_T, MEAN_T_AT = 60_000.0, 60  # tonnes per year of a mean flow where there are 60 of them; more flows are smaller


def most_flows(zones: int, commodities: int) -> int:
    """How many different flows there can be."""
    return zones * (zones - 1) * commodities


def make_flows(
    rng: np.random.Generator, places: Places, *, commodities: list[str], years: list[int], bundles: int
) -> pd.DataFrame:
    """Rows of `od`: `bundles` flows in every year. Near and large towns trade more; commodities grow apart."""
    zones = len(places.ids)
    km = places.km()
    pull = np.log(places.weight[:, None] * places.weight[None, :]) - np.log(km + 60.0) - km / 900.0
    share = np.log(rng.dirichlet(np.full(len(commodities), 2.0)))
    score = pull[:, :, None] + share[None, None, :]
    score[np.arange(zones), np.arange(zones)] = -np.inf
    score = score.ravel()
    drawn = score + rng.gumbel(size=score.size)
    chosen = np.sort(np.argpartition(-drawn, bundles - 1)[:bundles])
    size = np.exp(0.6 * score[chosen] + rng.normal(0.0, 1.0, bundles))
    tonnes = size * (MEAN_T * (MEAN_T_AT / bundles) ** 0.4 / size.mean())
    growth = rng.uniform(-0.005, 0.02, len(commodities))
    pair, commodity = np.divmod(chosen, len(commodities))
    origin, destination = np.divmod(pair, zones)
    since = np.array(years) - years[0]
    by_year = tonnes[:, None] * (1.0 + growth[commodity])[:, None] ** since[None, :]
    times = len(years)
    return pd.DataFrame({
        "origin": _coded(np.repeat(origin, times), list(places.ids)),
        "destination": _coded(np.repeat(destination, times), list(places.ids)),
        "commodity": _coded(np.repeat(commodity, times), commodities),
        "year": np.tile(np.array(years, np.int64), bundles),
        "tonnes": np.maximum(np.round(by_year.ravel(), 1), 0.1),
    })  # fmt: skip


def write_flows(path: Path, flows: pd.DataFrame) -> None:
    """Write od.parquet with page checksums."""
    table = pa.Table.from_arrays(
        [
            pa.DictionaryArray.from_arrays(column.cat.codes.to_numpy().astype(np.int32), list(column.cat.categories))
            if isinstance(column.dtype, pd.CategoricalDtype)
            else pa.array(column.to_numpy())
            for _, column in flows.items()
        ],
        names=list(flows.columns),
    )
    pq.write_table(
        table, path, compression="zstd", write_page_checksum=True, row_group_size=ROWS_PER_GROUP, store_schema=False
    )


def _coded(codes: np.ndarray, names: list[str]) -> Any:
    return pd.Categorical.from_codes(codes.astype(np.int32), dtype=pd.CategoricalDtype(names))
