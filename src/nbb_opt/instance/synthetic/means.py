"""Invented means: terminals, transfers, charging areas, trucks of today, and the projects that may be built."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nbb_opt.instance.synthetic.links import Row, at_ends
from nbb_opt.instance.synthetic.places import Floats, Ints, Places

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
