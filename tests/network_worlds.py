"""Small and random instances for the tests of demand and network, built in memory without files but for the OD."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.instance import Instance, Meta, Period
from nbb_opt.instance.schema import BY_NAME, TABLES

YEARS = (2025, 2035)
Rows = Sequence[Mapping[str, Any]]


def frame(table: str, rows: Rows) -> pd.DataFrame:
    """Rows as the reader would give them; columns left out are blank, numbers that may not be blank 0."""
    columns = {}
    for column in BY_NAME[table].columns:
        text = column.kind in ("id", "text", "ref", "refs", "choice", "choices")
        missing: Any = "" if text else float("nan") if column.blank is not None else 0
        values = [row.get(column.name, missing) for row in rows]
        whole = column.kind in ("integer", "year") and column.blank is None
        dtype = "str" if text else "bool" if column.kind == "bool" else "int64" if whole else "float64"
        columns[column.name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(columns)


def world(
    folder: Path,
    *,
    nodes: Sequence[str],
    links: Rows,
    transfers: Rows,
    od: Rows,
    alternatives: int = 2,
    max_main_legs: int = 2,
    periods: Sequence[int] = YEARS,
    digest: str = "made up",
    **others: Rows,
) -> Instance:
    """An instance of two countries (SE, FI) and waters (XX); `others` replaces whole tables."""
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(od, columns=["origin", "destination", "commodity", "year", "tonnes"]).to_csv(
        folder / "od.csv", index=False
    )
    rows: dict[str, Rows] = (
        default_tables()
        | {
            "nodes": [
                {"node": n, "country": "SE" if i % 2 == 0 else "FI", "is_zone": True, "fleet_region": "R"}
                for i, n in enumerate(nodes)
            ],
            "links": [
                {"two_way": True, "country": "SE", "time_h": row["distance_km"] / 60} | _rail(row) | dict(row)
                for row in links
            ],
            "transfers": transfers,
            "fleet_regions": [{"fleet_region": "R", "country": "SE", "hub_node": nodes[0]}],
        }
        | others
    )
    meta = Meta(
        name="w", title="w", version="1", licence="CC0-1.0", description="", price_year=2025, discount_rate=0.04,
        boundary="WTW", carbon_base="TTW", gwp_set="AR6", grid_method="", ferry_allocation="mass",
        alternatives=alternatives, max_main_legs=max_main_legs,
    )  # fmt: skip
    tables = {table.name: frame(table.name, rows.get(table.name, [])) for table in TABLES if table.name != "od"}
    spans = [b - a for a, b in zip(periods, [*periods[1:], periods[-1] + 10], strict=True)]
    return Instance(
        path=folder, meta=meta, periods=tuple(Period(y, n) for y, n in zip(periods, spans, strict=True)), tables=tables,
        od_path=folder / "od.csv", digest=digest,
    )  # fmt: skip


def _rail(row: Mapping[str, Any]) -> dict[str, Any]:
    if row["mode"] != "rail":
        return {}
    return {"gauge_mm": 1435, "electrified_share": 1.0, "axle_load_t": 22.5}


def by_year(rows: Rows) -> list[dict[str, Any]]:
    """The same values in the first and the last year."""
    return [{"year": year, **row} for row in rows for year in YEARS]


def default_tables() -> dict[str, Rows]:
    """Vehicles, energy and commodities with round numbers; ore by road and rail, boxes by every mode."""
    truck = {"mode": "road", "gross_t": 60.0, "kerb_t": 20.0, "annual_km": 1e5, "annual_h": 4000.0}
    truck |= {"lifetime_years": 10, "winter_factor": 1.0, "available_from": 2000}
    service = {"winter_factor": 1.0, "available_from": 2000}
    cargo_types = ("dry_bulk", "container")
    modes = ("road", "rail", "sea", "ferry")
    pairs = [(a, b) for i, a in enumerate(modes) for b in modes[i:] if (a, b) not in (("road", "road"),)]
    return {
        "countries": [{"country": c, "winter_share": 0.2} for c in ("SE", "FI", "XX")],
        "country_years": by_year(
            [{"country": c, "driver_cost_eur_per_h": 30.0, "carbon_price_eur_per_t": 80.0} for c in ("SE", "FI", "XX")]
        ),
        "commodities": [
            {"commodity": "ORE", "cargo_type": "dry_bulk", "value_of_time_eur_per_t_h": 0.01, "modes": "road;rail"},
            {"commodity": "BOX", "cargo_type": "container", "value_of_time_eur_per_t_h": 0.05,
             "modes": ";".join(modes)},
        ],
        "vehicles": [
            {"vehicle": "DIESEL", "technology": "diesel", "energy_carrier": "diesel"} | truck,
            {"vehicle": "TRAIN_E", "mode": "rail", "technology": "electric", "energy_carrier": "electricity",
             "gross_t": 1400.0, "kerb_t": 600.0, "axle_load_t": 20.0} | service,
            {"vehicle": "TRAIN_D", "mode": "rail", "technology": "diesel", "energy_carrier": "diesel",
             "gross_t": 1400.0, "kerb_t": 600.0, "axle_load_t": 20.0} | service,
            {"vehicle": "SHIP", "mode": "sea", "technology": "marine", "energy_carrier": "diesel",
             "gross_t": 10000.0, "kerb_t": 2000.0} | service,
            {"vehicle": "FERRY", "mode": "ferry", "technology": "ferry", "energy_carrier": "diesel",
             "gross_t": 8000.0, "kerb_t": 6000.0} | service,
        ],
        "vehicle_loads": [
            {"vehicle": v, "cargo_type": h, "load_factor": 0.5, "empty_share": 0.4, "turnaround_h": 1.0}
            for v in ("DIESEL", "TRAIN_E", "TRAIN_D", "SHIP", "FERRY") for h in cargo_types
        ],
        "vehicle_years": by_year(
            [{"vehicle": v, "running_eur_per_vkm": running, "empty_kwh_per_vkm": kwh, "full_kwh_per_vkm": 2 * kwh,
              "capex_eur": 1e5 if v == "DIESEL" else 0.0}
             for v, running, kwh in (("DIESEL", 0.3, 3.0), ("TRAIN_E", 5.0, 10.0), ("TRAIN_D", 6.0, 30.0),
                                     ("SHIP", 10.0, 300.0), ("FERRY", 12.0, 200.0))]
        ),
        "energy": by_year(
            [{"energy_carrier": e, "country": c, "price_eur_per_kwh": price, "ttw_kg_co2e_per_kwh": ttw,
              "wtt_kg_co2e_per_kwh": 0.05}
             for e, price, ttw in (("diesel", 0.15, 0.25), ("electricity", 0.1, 0.0)) for c in ("SE", "FI", "XX")]
        ),
        "fleet": [{"fleet_region": "R", "vehicle": "DIESEL", "vintage_year": 2020, "vehicles": 5}],
        "handling_costs": [
            {"mode_a": a, "mode_b": b, "cargo_type": h, "cost_eur_per_t": 2.0, "time_h": 3.0,
             "ttw_kg_co2e_per_t": 0.1, "wtt_kg_co2e_per_t": 0.05}
            for a, b in pairs for h in cargo_types
        ],
    }  # fmt: skip


def random_world(
    folder: Path,
    *,
    seed: int,
    n_nodes: int,
    n_flows: int,
    n_projects: int = 0,
    alternatives: int = 2,
    max_main_legs: int = 2,
    name: str = "N{:03d}",
    **others: Any,
) -> Instance:
    """A connected random road network with rail of two gauges, sea and ferry links and transfers on part of it."""
    rng = np.random.default_rng(seed)
    names = [name.format(i) for i in range(n_nodes)]
    xy = rng.random((n_nodes, 2)) * 500
    links: list[dict[str, Any]] = []

    def add(mode: str, a: int, b: int, **more: Any) -> None:
        km = float(np.round(np.hypot(*(xy[a] - xy[b])) * (1 + rng.random() * 0.4) + 5, 3))
        speed = {"road": 70, "rail": 50, "sea": 25, "ferry": 30}[mode]
        row = {"link": f"L{len(links)}", "from_node": names[a], "to_node": names[b], "mode": mode, "distance_km": km}
        links.append(row | {"time_h": km / speed, "country": "XX" if mode in ("sea", "ferry") else "SE"} | more)

    for b in range(1, n_nodes):
        near = np.argsort(np.hypot(*(xy[:b] - xy[b]).T))[:2]
        for a in near.tolist():
            add("road", a, b, two_way=True)
    railway = rng.permutation(n_nodes)[: max(2, n_nodes // 2)].tolist()
    for a, b in itertools.pairwise(railway):
        add("rail", a, b, gauge_mm=1435 if rng.random() < 0.6 else 1524, two_way=bool(rng.random() < 0.9),
            electrified_share=float(rng.choice([0.0, 0.5, 1.0])))  # fmt: skip
    ports = rng.permutation(n_nodes)[: max(2, n_nodes // 4)].tolist()
    for i, a in enumerate(ports):
        for b in ports[i + 1 :]:
            if rng.random() < 0.5:
                add("sea" if rng.random() < 0.7 else "ferry", a, b, capacity_t_per_year=1e5)
    projects = [f"P{i}" for i in range(n_projects)]
    for project in projects:
        a, b = rng.choice(railway, 2, replace=False).tolist()
        add("rail", a, b, project=project)
    transfers: list[dict[str, Any]] = []
    for node in railway:
        transfers += [{"node": names[node], "mode_a": "road", "mode_b": "rail"}] * (rng.random() < 0.7)
        transfers += [{"node": names[node], "mode_a": "rail", "mode_b": "rail"}] * (rng.random() < 0.5)
    for node in ports:
        transfers += [{"node": names[node], "mode_a": "road", "mode_b": mode} for mode in ("sea", "ferry")]
        transfers += [{"node": names[node], "mode_a": "rail", "mode_b": "sea"}] * (node in railway)
    od = []
    flows = set()
    while len(flows) < n_flows:
        a, b = rng.choice(n_nodes, 2, replace=False).tolist()
        flows.add((a, b, str(rng.choice(["ORE", "BOX"]))))
    for a, b, commodity in sorted(flows):
        for year in YEARS:
            od.append({"origin": names[a], "destination": names[b], "commodity": commodity, "year": year,
                       "tonnes": float(rng.integers(1, 1000) * 100)})  # fmt: skip
    return world(
        folder, nodes=names, links=links, transfers=transfers, od=od, alternatives=alternatives,
        max_main_legs=max_main_legs, digest=f"random {seed}",
        projects=[{"project": p, "kind": "new_link", "max_units": 1, "lifetime_years": 40} for p in projects], **others,
    )  # fmt: skip
