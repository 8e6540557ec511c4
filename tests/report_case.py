"""A small made-up Nordic instance and a made-up run of it, for the tests of the report. No model, no solver."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from nbb_opt.instance import Instance, Meta, Period
from nbb_opt.instance.schema import BY_NAME, TABLES
from nbb_opt.result import TABLES as RESULT_TABLES
from nbb_opt.result import Run, as_table

YEARS = (2025, 2030, 2035)
PLACES = """MOI,Mo i Rana,NO,66.313,14.142 NAR,Narvik,NO,68.438,17.427
TRD,Trondheim,NO,63.43,10.395 STM,Storuman,SE,65.096,17.111
LYC,Lycksele,SE,64.596,18.673 UME,Umeå,SE,63.826,20.263 HOL,Holmsund,SE,63.68,20.34 SKE,Skellefteå,SE,64.75,20.953
LUL,Luleå,SE,65.584,22.155 KIR,Kiruna,SE,67.856,20.226 HAP,Haparanda,SE,65.836,24.137 SUN,Sundsvall,SE,62.391,17.307
OST,Östersund,SE,63.178,14.636 STO,Stockholm,SE,58.925,17.96 GOT,Gothenburg,SE,57.69,11.87 VAA,Vaasa,FI,63.096,21.616
KOK,Kokkola,FI,63.838,23.13 SEI,Seinäjoki,FI,62.79,22.84 OUL,Oulu,FI,65.012,25.465 HEL,Helsinki,FI,60.21,25.19
RTM,Rotterdam,NL,51.95,4.14""".replace("\n", " ")
ROADS = (
    "MOI-STM STM-LYC LYC-UME UME-HOL UME-SKE SKE-LUL LUL-HAP HAP-OUL OUL-KOK KOK-VAA VAA-SEI SEI-HEL LUL-KIR KIR-NAR"
)
ROADS += " UME-SUN SUN-STO SUN-OST OST-TRD STO-GOT STM-OST MOI-TRD"
RAILS = (
    "KIR-NAR KIR-LUL LUL-SKE SKE-UME UME-SUN SUN-STO STM-LYC LYC-UME OUL-KOK KOK-SEI SEI-HEL SUN-OST OST-TRD STO-GOT"
)
SEAS = "LUL-RTM SKE-RTM SUN-RTM KOK-RTM GOT-RTM MOI-RTM STO-HEL LUL-GOT"
FERRIES = "HOL-VAA"
# origin, destination, commodity, kilotonnes, road nodes, other nodes, other mode
FLOWS = [
    ("KIR", "NAR", "ORE", 9000, "KIR NAR", "KIR NAR", "rail"),
    ("KIR", "LUL", "ORE", 4200, "KIR LUL", "KIR LUL", "rail"),
    ("LUL", "RTM", "STEEL", 1500, "LUL SKE UME SUN STO GOT", "LUL RTM", "sea"),
    ("SKE", "STO", "CELLS", 140, "SKE UME SUN STO", "SKE UME SUN STO", "rail"),
    ("UME", "VAA", "FOOD", 160, "UME SKE LUL HAP OUL KOK VAA", "HOL VAA", "ferry"),
    ("MOI", "RTM", "STEEL", 900, "MOI TRD", "MOI RTM", "sea"),
    ("STM", "UME", "WOOD", 420, "STM LYC UME", "STM LYC UME", "rail"),
    ("KOK", "RTM", "CELLS", 380, "KOK VAA SEI HEL", "KOK RTM", "sea"),
    ("OUL", "HEL", "WOOD", 700, "OUL KOK VAA SEI HEL", "OUL KOK SEI HEL", "rail"),
    ("SUN", "RTM", "WOOD", 800, "SUN STO GOT", "SUN RTM", "sea"),
    ("MOI", "UME", "FOOD", 57, "MOI STM LYC UME", "", ""),
    ("LUL", "UME", "FOOD", 320, "LUL SKE UME", "LUL SKE UME", "rail"),
    ("GOT", "STO", "FOOD", 650, "GOT STO", "GOT STO", "rail"),
    ("OST", "TRD", "WOOD", 210, "OST TRD", "OST TRD", "rail"),
]
AREAS = {"UME": 6.0, "SKE": 10.0, "LUL": 8.0, "VAA": 4.0, "KOK": 5.0, "STO": 12.0, "STM": 1.5}
Rows = list[dict[str, Any]]


def table(name: str, rows: Rows) -> pd.DataFrame:
    """Give rows the columns and types of an instance table; columns left out are blank, 0 or false."""
    columns = {}
    for column in BY_NAME[name].columns:
        text = column.kind in ("id", "text", "ref", "refs", "choice", "choices")
        blank = "" if text else False if column.kind == "bool" else float("nan") if column.blank else 0
        dtype = "str" if text else "bool" if column.kind == "bool" else "float64"
        if column.kind in ("integer", "year") and not column.blank:
            dtype = "int64"
        columns[column.name] = pd.Series([row.get(column.name, blank) for row in rows], dtype=dtype)
    return pd.DataFrame(columns)


def make_instance(spoil: Callable[[str], str] = lambda word: word) -> Instance:
    """Make the instance; `spoil` is applied to every free text, to plant what an attacker might write."""
    places = [part.rsplit(",", 4) for part in PLACES.replace("Mo i Rana", "Mo_i_Rana").split()]
    at = {p[0]: (float(p[3]), float(p[4])) for p in places}

    def km(a: str, b: str) -> float:
        return (((at[a][0] - at[b][0]) * 111) ** 2 + ((at[a][1] - at[b][1]) * 49) ** 2) ** 0.5 * 1.2

    links: Rows = []
    for mode, pairs in (("road", ROADS), ("rail", RAILS), ("sea", SEAS), ("ferry", FERRIES)):
        for pair in pairs.split():
            a, b = pair.split("-")
            row = {"link": f"{mode}_{a}_{b}", "from_node": a, "to_node": b, "two_way": True, "mode": mode}
            row |= {"country": "SE", "distance_km": km(a, b), "time_h": 1.0, "source": "atlas", "note": spoil("note")}
            row["project"] = "NBB" if row["link"] in ("rail_LUL_SKE", "rail_SKE_UME") else ""
            links.append(row)
    by: dict[str, Rows] = {
        "sources": [
            {
                "source": "atlas",
                "title": spoil("Road atlas"),
                "url": "https://example.org/a?b=1&c=2",
                "licence": spoil("CC0"),
            },
            {"source": "other", "title": "Other", "url": spoil("javascript:alert(1)"), "year": spoil("2025")},
            {"source": "assumption", "title": "Own reasoning"},
        ],
        "countries": [
            {"country": c, "name": spoil(n), "winter_share": 0.4, "source": "atlas"}
            for c, n in (("SE", "Sweden"), ("FI", "Finland"), ("NO", "Norway"), ("NL", "Netherlands"), ("XX", "At sea"))
        ],
        "country_years": [
            {"country": c, "year": y, "driver_limit_h_per_year": 5e6 if c == "FI" else float("nan"), "source": "atlas"}
            for c in ("SE", "FI")
            for y in YEARS
        ],
        "nodes": [
            {
                "node": p[0],
                "name": spoil(p[1].replace("_", " ")),
                "country": p[2],
                "lat": float(p[3]),
                "lon": float(p[4]),
                "kind": "town",
                "is_zone": True,
                "fleet_region": "NORTH",
                "source": "atlas",
                "charge_area": p[0] if p[0] in AREAS else "",
            }
            for p in places
        ],
        "charge_areas": [
            {
                "charge_area": a,
                "name": spoil(f"{a} truck park"),
                "country": "SE",
                "grid_mw": mw,
                "source": "assumption",
                "note": spoil("A guess from the size of the town."),
            }
            for a, mw in AREAS.items()
        ],
        "fleet_regions": [
            {"fleet_region": r, "name": spoil(f"{r.title()} region"), "country": "SE", "hub_node": n, "source": "atlas"}
            for r, n in (("NORTH", "LUL"), ("SOUTH", "STO"))
        ],
        "commodities": [
            {
                "commodity": c,
                "name": spoil(n),
                "cargo_type": "container",
                "modes": "road;rail;sea;ferry",
                "source": "atlas",
            }
            for c, n in (
                ("ORE", "Iron ore"),
                ("STEEL", "Steel"),
                ("CELLS", "Battery cells"),
                ("FOOD", "Food"),
                ("WOOD", "Wood"),
            )
        ],
        "vehicles": [
            {
                "vehicle": "D",
                "name": spoil("Diesel truck, 64 t"),
                "mode": "road",
                "technology": "diesel",
                "source": "atlas",
            },
            {
                "vehicle": "B",
                "name": spoil("Battery truck, 64 t"),
                "mode": "road",
                "technology": "battery",
                "source": "atlas",
            },
        ],
        "vehicle_years": [
            {"vehicle": v, "year": y, "capex_eur": c, "source": "assumption", "note": spoil("Half of two offers.")}
            for v, c in (("D", 150e3), ("B", 330e3))
            for y in (2025, 2035)
        ],
        "chargers": [
            {"charger": "MCS", "name": spoil("Megawatt charger"), "kw": 1000.0, "capex_eur": 6e5, "source": "atlas"}
        ],
        "projects": [
            {
                "project": "NBB",
                "name": spoil("North Bothnia Line, Umeå to Luleå"),
                "kind": "new_link",
                "capex_eur": 9e8,
                "earliest_year": 2030,
                "max_units": 1,
                "source": "atlas",
            },
            {
                "project": "YARD",
                "name": spoil("Rail yard at Umeå"),
                "kind": "terminal",
                "capex_eur": 2.5e7,
                "node": "UME",
                "earliest_year": 2030,
                "max_units": 1,
                "source": "atlas",
            },
            {
                "project": "GRID",
                "name": spoil("Stronger grid at Skellefteå"),
                "kind": "grid",
                "capex_eur": 4e6,
                "earliest_year": 2025,
                "max_units": 3,
                "source": "atlas",
            },
        ],
        "project_effects": [
            {
                "project": "GRID",
                "table": "charge_areas",
                "row": "SKE",
                "column": "grid_mw",
                "adds": 5.0,
                "source": "atlas",
            },
        ],
        "project_funding": [
            {"project": "NBB", "country": "SE", "share": 0.9, "source": "atlas"},
            {"project": "NBB", "country": "FI", "share": 0.1, "source": "atlas"},
        ],
        "links": links,
        "terminals": [{"terminal": "YARD_UME", "name": spoil("Umeå yard"), "node": "UME", "source": "atlas"}],
        "policies": [
            {"policy": spoil("CAP"), "kind": "cap_emissions_t_per_year", "year": 2035.0, "value": 240e3},
            {"policy": "BAN", "kind": "ban_purchase", "technology": "diesel", "year": 2035.0},
        ],
        "ranges": [
            {
                "table": "chargers",
                "row": "*",
                "column": "capex_eur",
                "low_factor": 0.8,
                "high_factor": 1.3,
                "reason": spoil("Offers."),
            }
        ],
    }
    tables = {t.name: table(t.name, by.get(t.name, [])) for t in TABLES if t.name != "od"}
    meta = Meta(
        name=spoil("small"),
        title=spoil("A small north"),
        version="1.0",
        licence=spoil("CC0-1.0"),
        description=spoil("Made-up figures for tests of the report."),
        price_year=2025,
        discount_rate=0.035,
        boundary="WTW",
        carbon_base="TTW",
        gwp_set="AR6",
        grid_method=spoil("location based"),
        ferry_allocation="lane_metre",
        alternatives=3,
        max_main_legs=2,
    )
    return Instance(
        path=Path("small"), meta=meta, periods=tuple(Period(y, 5) for y in YEARS), tables=tables,
        od_path=Path("small/od.csv"), digest="0" * 64,
    )  # fmt: skip


def _path(mode: str, nodes: str, links: pd.DataFrame) -> list[str]:
    stops = nodes.split()
    known = set(links["link"])
    pairs = [(f"{mode}_{a}_{b}", f"{mode}_{b}_{a}") for a, b in pairwise(stops)]
    return [one if one in known else other for one, other in pairs]


def make_tables(
    instance: Instance, *, effort: float, spoil: Callable[[str], str] = lambda word: word
) -> dict[str, Any]:
    """Make result tables: `effort` 0 does nothing, 1 shifts and electrifies."""
    links = instance["links"]
    km = links.set_index("link")["distance_km"]
    bundles, demand, chains, steps, lanes, lane_links, flows, driven, emissions, energy = ([] for _ in range(10))
    for b, (origin, end, goods, kilo, road, other, mode) in enumerate(FLOWS):
        bundles.append({"bundle": b, "origin": origin, "destination": end, "commodity": goods})
        ways = [("road", road)] + ([(mode, other)] if mode else [])
        for way, nodes in ways:
            c = len(chains)
            path = _path(way, nodes, links)
            kind = "road" if way == "road" else f"road-{way}-road"
            row = {"chain": c, "bundle": b, "kind": spoil(kind), "main_mode": way, "time_h": 10.0, "projects": ""}
            chains.append(row | {"distance_km": km[path].sum()})
            if way == "road":
                lane = len(lanes)
                row = {
                    "lane": lane,
                    "from_node": nodes.split()[0],
                    "to_node": nodes.split()[-1],
                    "cargo_type": "container",
                }
                lanes.append(row | {"distance_km": km[path].sum(), "time_h": 9.0, "gross_limit_t": 64.0})
                lane_links += [
                    {"lane": lane, "step": i, "link": x, "from_node": "", "to_node": ""} for i, x in enumerate(path)
                ]
                steps.append({"chain": c, "step": 0, "kind": "lane", "lane": lane})
            else:
                steps += [
                    {"chain": c, "step": i, "kind": "link", "lane": -1, "link": x, "mode_a": way}
                    for i, x in enumerate(path)
                ]
            for i, year in enumerate(YEARS):
                if not mode:
                    share = 1.0
                elif kilo > 850:
                    share = 0.0 if way == "road" else 1.0
                else:
                    off_road = 0.35 + effort * (0.1 + 0.18 * i)
                    share = 1 - off_road if way == "road" else off_road
                if share > 0:
                    flows.append({"chain": c, "year": year, "tonnes": 1e3 * kilo * share * (1 + 0.04 * i)})
    text = {
        "lane": -1,
        "link": "",
        "from_node": "",
        "to_node": "",
        "mode_a": "",
        "mode_b": "",
        "terminal": "",
        "project": "",
    }
    steps = [text | step for step in steps]
    demand = [
        {"bundle": b, "year": y, "tonnes": 1e3 * flow[3] * (1 + 0.04 * i)}
        for b, flow in enumerate(FLOWS)
        for i, y in enumerate(YEARS)
    ]
    tables = {
        "bundles": bundles,
        "demand": demand,
        "flows": flows,
        "chains": chains,
        "chain_steps": steps,
        "lanes": lanes,
        "lane_links": lane_links,
        "driven": driven,
    }
    fleet, chargers, projects, costs, use = [], [], [], [], []
    for i, year in enumerate(YEARS):
        battery = int(effort * 140 * i)
        fleet.append(
            {
                "fleet_region": "NORTH",
                "vehicle": "D",
                "vintage_year": year,
                "year": year,
                "bought": 300 - battery // 2,
                "kept": 900 - battery,
            }
        )
        if battery:
            fleet.append(
                {
                    "fleet_region": "NORTH",
                    "vehicle": "B",
                    "vintage_year": year,
                    "year": year,
                    "bought": 140,
                    "kept": battery,
                }
            )
            for j, area in enumerate(AREAS):
                chargers.append(
                    {"charge_area": area, "charger": "MCS", "year": year, "installed": 1, "in_service": i + j % 2}
                )
                energy.append(
                    {
                        "year": year,
                        "mode": "road",
                        "energy_carrier": "el",
                        "country": "SE",
                        "charge_area": area,
                        "kwh": 2.1e6 * (i + j % 2),
                    }
                )
        for project in ("NBB", "YARD", "GRID") if effort else ():
            opened = {"NBB": 2035, "YARD": 2030, "GRID": 2025}[project]
            if year >= opened:
                projects.append({"project": project, "year": year, "newly_built": int(year == opened), "in_service": 1})
                if year == opened:
                    capex = float(instance["projects"].set_index("project").at[project, "capex_eur"])
                    costs.append(
                        {
                            "component": "project_purchase",
                            "year": year,
                            "amount_eur": capex,
                            "discounted_eur": capex * 0.8**i,
                        }
                    )
        for part, amount in {
            "service": 310e6,
            "drivers": 240e6 - effort * 50e6 * i,
            "road_energy": 150e6 - effort * 55e6 * i,
            "road_running": 90e6,
            "handling": 60e6 + effort * 4e6 * i,
            "cargo_time": 30e6,
            "carbon": 55e6 - effort * 18e6 * i,
            "fleet_fixed": 12e6,
            "fleet_purchase": 45e6 + effort * 20e6 * i,
        }.items():
            costs.append(
                {"component": part, "year": year, "amount_eur": amount, "discounted_eur": amount * 4.5 * 0.84**i}
            )
        for mode, kilo in {
            "road": 260e6 - effort * 70e6 * i,
            "rail": 12e6 + effort * 2e6 * i,
            "sea": 38e6,
            "ferry": 4e6,
            "transfer": 3e6,
        }.items():
            emissions.append(
                {
                    "year": year,
                    "country": "SE",
                    "mode": mode,
                    "energy_carrier": "" if mode == "transfer" else "el",
                    "ttw_kg": 0.8 * kilo,
                    "wtt_kg": 0.2 * kilo,
                }
            )
        use.append(
            {
                "kind": "terminal",
                "row": "YARD_UME",
                "year": year,
                "used": 99.5 * effort + 10,
                "limit": 110,
                "unit": spoil("t/year"),
            }
        )
        use.append(
            {"kind": "link", "row": "rail_KIR_NAR", "year": year, "used": 9e6, "limit": float("inf"), "unit": "t/year"}
        )
    costs.append({"component": "fleet_resale", "year": 2040, "amount_eur": -40e6, "discounted_eur": -24e6})
    tables |= {
        "empties": [],
        "fleet": fleet,
        "chargers": chargers,
        "projects": projects,
        "costs": costs,
        "emissions": emissions,
        "energy": energy,
        "use": use,
    }
    return {name: as_table(name, tables.get(name)) for name in RESULT_TABLES}


def make_run(instance: Instance, *, model: str = "joint", spoil: Callable[[str], str] = lambda word: word) -> Run:
    """Make a run of the instance beside its reference."""
    plan, baseline = make_tables(instance, effort=1.0, spoil=spoil), make_tables(instance, effort=0.0, spoil=spoil)
    if model == "frozen":
        plan = baseline
    cost, before = (float(t["costs"]["discounted_eur"].sum()) for t in (plan, baseline))
    record = {
        "instance": instance.meta.name,
        "instance_digest": instance.digest,
        "model": model,
        "blocks": ["flow", "caps", "policy"],
        "options": {"gap": 0.005},
        "versions": {"nbb_opt": "0.1.0", "python": spoil("3.11")},
        "status": spoil("optimal"),
        "cost_eur": cost,
        "bound": cost * 0.998,
        "gap": 0.002,
        "verified": True,
        "checks": 41,
        "seed": 0,
        "threads": 2,
        "seconds": {"read": 0.2, "solve": 12.5},
        "rows": 1000,
        "columns": 2000,
        "nonzeros": 9000,
        "integers": 120,
        "bars": {} if model == "frozen" else {"reference": {"cost_eur": before, "gap": 0.001}},
    }
    return Run(Path(), record, plan, {} if model == "frozen" else {"reference": baseline})
