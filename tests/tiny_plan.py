"""Plans of `instances/tiny` written down from its derivation on paper (`expected.toml`), without builder or solver."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from nbb_opt.instance import Instance, read_instance
from nbb_opt.recompute import read_world
from nbb_opt.result import TABLES, as_table
from nbb_opt.verify import Verdict, verify_plan
from nbb_opt.verify.limits import UNITS
from nbb_opt.verify.plan import PlanCheck
from nbb_opt.verify.verdict import Checks

TINY = Path(__file__).parents[1] / "instances" / "tiny"
EXPECTED: dict[str, Any] = tomllib.loads((TINY / "expected.toml").read_text(encoding="utf-8"))
ALL_BLOCKS = (
    "flow",
    "links",
    "terminals",
    "projects",
    "fleet",
    "rebalance",
    "charging",
    "caps",
    "policy",
    "mode_shift",
)
YEARS = (2025, 2030)

# name -> number, from, to, cargo_type, km, h, links in driving order
LANES = {
    "ore": (0, "MINE", "WEST", "dry_bulk", 50.0, 1.0, ["ROAD_MINE_WEST"]),
    "wood_w": (1, "MINE", "WEST", "timber", 50.0, 1.0, ["ROAD_MINE_WEST"]),
    "wood_e": (2, "EAST", "PLANT", "timber", 50.0, 1.0, ["ROAD_EAST_PLANT"]),
    "box_last": (3, "EAST", "PLANT", "container", 50.0, 1.0, ["ROAD_EAST_PLANT"]),
    "box": (4, "WEST", "PLANT", "container", 250.0, 5.0, ["ROAD_WEST_GAP", "ROAD_GAP_EAST", "ROAD_EAST_PLANT"]),
    "fish": (5, "PORTW", "PORTE", "break_bulk", 250.0, 5.0,
             ["ROAD_WEST_PORTW", "ROAD_WEST_GAP", "ROAD_GAP_EAST", "ROAD_EAST_PORTE"]),
}  # fmt: skip
# (origin, destination, commodity, mode) -> steps
CHAINS = {
    ("MINE", "WEST", "ORE", "road"): [("lane", "ore")],
    ("MINE", "WEST", "ORE", "rail"): [
        ("transfer", "MINE", "road", "rail", "", "RAIL_MINE"),
        ("link", "RAIL_MINE_WEST", "MINE", "WEST", "rail", "RAIL_MINE"),
        ("transfer", "WEST", "rail", "road", "YARD_W", ""),
    ],
    ("MINE", "WEST", "WOOD", "road"): [("lane", "wood_w")],
    ("EAST", "PLANT", "WOOD", "road"): [("lane", "wood_e")],
    ("WEST", "PLANT", "BOX", "road"): [("lane", "box")],
    ("WEST", "PLANT", "BOX", "rail"): [
        ("transfer", "WEST", "road", "rail", "YARD_W", ""),
        ("link", "RAIL_WEST_GAP", "WEST", "GAP", "rail", ""),
        ("transfer", "GAP", "rail", "rail", "", ""),
        ("link", "RAIL_GAP_EAST", "GAP", "EAST", "rail", ""),
        ("transfer", "EAST", "rail", "road", "YARD_E", ""),
        ("lane", "box_last"),
    ],
    ("PORTW", "PORTE", "FISH", "road"): [("lane", "fish")],
    ("PORTW", "PORTE", "FISH", "ferry"): [
        ("transfer", "PORTW", "road", "ferry", "HARBOUR_W", ""),
        ("link", "FERRY_PORTW_PORTE", "PORTW", "PORTE", "ferry", ""),
        ("transfer", "PORTE", "ferry", "road", "HARBOUR_E", ""),
    ],
    ("PORTE", "PORTW", "PULP", "sea"): [
        ("transfer", "PORTE", "road", "sea", "HARBOUR_E", ""),
        ("link", "SEA_PORTE_PORTW", "PORTE", "PORTW", "sea", ""),
        ("transfer", "PORTW", "sea", "road", "HARBOUR_W", ""),
    ],
}  # fmt: skip


def tiny() -> Instance:
    return read_instance(TINY)


def network_tables(instance: Instance) -> dict[str, pd.DataFrame]:
    """Bundles, chains, steps, lanes of the plans on paper."""
    flows = sorted({key[:3] for key in CHAINS})
    bundles = [
        dict(zip(("bundle", "origin", "destination", "commodity"), (i, *f), strict=True)) for i, f in enumerate(flows)
    ]
    links = instance["links"].set_index("link")
    lanes, lane_links = [], []
    for number, start, end, cargo_type, km, hours, route in LANES.values():
        lanes.append(
            {"lane": number, "from_node": start, "to_node": end, "cargo_type": cargo_type, "distance_km": km,
             "time_h": hours, "gross_limit_t": 64.0}
        )  # fmt: skip
        at = start
        for step, link in enumerate(route):
            ends = {links.at[link, "from_node"], links.at[link, "to_node"]}
            (to,) = ends - {at}
            lane_links.append({"lane": number, "step": step, "link": link, "from_node": at, "to_node": to})
            at = to
    hours_of = instance["handling_costs"].groupby(["mode_a", "mode_b"])["time_h"].max()
    chains, steps = [], []
    for chain, (key, parts) in enumerate(sorted(CHAINS.items())):
        km = h = 0.0
        projects = set()
        for step, part in enumerate(parts):
            row: dict[str, Any] = {
                "chain": chain, "step": step, "kind": part[0], "lane": -1, "link": "", "from_node": "", "to_node": "",
                "mode_a": "", "mode_b": "", "terminal": "", "project": "",
            }  # fmt: skip
            if part[0] == "lane":
                lane = LANES[part[1]]
                row |= {"lane": lane[0], "from_node": lane[1], "to_node": lane[2], "mode_a": "road"}
                km, h = km + lane[4], h + lane[5]
            elif part[0] == "link":
                row |= dict(zip(("link", "from_node", "to_node", "mode_a", "project"), part[1:], strict=True))
                km, h = km + links.at[part[1], "distance_km"], h + links.at[part[1], "time_h"]
            else:
                row |= dict(zip(("from_node", "mode_a", "mode_b", "terminal", "project"), part[1:], strict=True))
                row["to_node"] = row["from_node"]
                pair = (row["mode_a"], row["mode_b"])
                h += float(hours_of[pair if pair in hours_of.index else pair[::-1]])
            projects |= {row["project"]} - {""}
            steps.append(row)
        chains.append(
            {"chain": chain, "bundle": flows.index(key[:3]), "kind": key[3], "main_mode": key[3], "distance_km": km,
             "time_h": h, "projects": ";".join(sorted(projects))}
        )  # fmt: skip
    rows = {"bundles": bundles, "lanes": lanes, "lane_links": lane_links, "chains": chains, "chain_steps": steps}
    return {name: as_table(name, value) for name, value in rows.items()}


def plan_on_paper(instance: Instance, name: str) -> dict[str, pd.DataFrame]:
    """The decisions of plan `name` of expected.toml; costs, emissions, energy and use stay empty."""
    expected = EXPECTED[name]
    tables = network_tables(instance)
    keys = sorted(CHAINS)
    bundles = tables["bundles"].set_index(["origin", "destination", "commodity"])["bundle"]
    flows = [
        {
            "chain": keys.index((row["origin"], row["destination"], row["commodity"], row["mode"])),
            "year": row["year"],
            "tonnes": row["tonnes"],
        }
        for row in expected["tonnes"]
    ]
    demand = pd.DataFrame(expected["tonnes"])
    demand["bundle"] = [bundles[tuple(key)] for key in demand[["origin", "destination", "commodity"]].to_numpy()]
    demand = demand.groupby(["bundle", "year"], as_index=False)["tonnes"].sum()
    driven = [{**row, "lane": LANES[row["lane"]][0]} for row in expected["driven"]]
    bought = {(row["fleet_region"], row["vehicle"], row["year"]): row["vehicles"] for row in expected["bought"]}
    fleet = []
    for row in expected["fleet"]:
        new = row["vintage_year"] == row["year"]
        count = bought.get((row["fleet_region"], row["vehicle"], row["year"]), 0) if new else 0
        fleet.append({**row, "bought": count, "kept": row["vehicles"]})
    chargers = []
    for row in expected["chargers"]:
        same = [c for c in expected["chargers"] if c["charge_area"] == row["charge_area"]]
        earlier = [c["installed"] for c in same if c["charger"] == row["charger"] and c["year"] <= row["year"]]
        chargers.append({**row, "in_service": sum(earlier)})
    projects = [
        {"project": row["project"], "year": year, "newly_built": int(year == row["year"]), "in_service": 1}
        for row in expected["projects"]
        for year in YEARS
        if year >= row["year"]
    ]
    # trucks of the lanes from west to east (250 km) come back empty over the 200 km between the hubs
    empties = [
        {"from_region": "E", "to_region": "W", "vehicle": row["vehicle"], "cargo_type": LANES[row["lane"]][3],
         "year": row["year"], "empty_vkm": row["loaded_vkm"] / 250 * 200}
        for row in expected["driven"] if row["lane"] in ("box", "fish")
    ]  # fmt: skip
    decided = {"flows": flows, "demand": demand, "driven": driven, "empties": empties, "fleet": fleet,
               "chargers": chargers, "projects": projects}  # fmt: skip
    tables |= {table: as_table(table, rows) for table, rows in decided.items()}
    return tables | {table: as_table(table) for table in TABLES if table not in tables}


def full_plan(instance: Instance, name: str) -> dict[str, pd.DataFrame]:
    """The plan with its accounts, taken from the verifier: their sums are compared with the paper elsewhere."""
    return with_accounts(instance, plan_on_paper(instance, name), name)


@cache
def whole(name: str = "joint") -> dict[str, pd.DataFrame]:
    """`full_plan` on the instance itself, once a session: change a copy, never the plan."""
    return full_plan(tiny(), name)


def with_accounts(
    instance: Instance, tables: dict[str, pd.DataFrame], name: str, blocks: Sequence[str] = ()
) -> dict[str, pd.DataFrame]:
    """The tables with costs, emissions, energy and use recomputed for its decisions."""
    blocks = tuple(blocks) or blocks_of(name)
    verdict = verdict_on(instance, tables, blocks=blocks)
    check = PlanCheck(read_world(instance), tables, set(blocks), Checks())
    check.limits()
    use = [rows.assign(kind=kind, unit=UNITS[kind]) for kind, rows in check.used.items()]
    return tables | {
        "costs": as_table("costs", verdict.costs[verdict.costs["amount_eur"] != 0]),
        "emissions": as_table("emissions", verdict.emissions),
        "energy": as_table("energy", check.energy),
        "use": as_table("use", pd.concat(use).query("used > 0")),
    }


def blocks_of(name: str) -> tuple[str, ...]:
    absent = {"frozen": {"caps", "policy", "mode_shift"}, "reference": {"caps"}, "electrify_only": {"mode_shift"}}.get(
        name, set()
    )
    return tuple(block for block in ALL_BLOCKS if block not in absent)


def reported(name: str) -> dict[str, Any]:
    """What a run of plan `name` would report, from the paper."""
    cost = EXPECTED[name]["cost_eur"]
    return {"cost_eur": cost, "bound": cost, "gap": 0.0, "emissions_t_co2e": EXPECTED[name]["emissions_t_co2e"]}


def verdict_on(instance: Instance, tables: dict[str, pd.DataFrame], **changes: Any) -> Verdict:
    """Verify with every block unless `changes` says otherwise."""
    given: dict[str, Any] = {"blocks": ALL_BLOCKS, "technologies": "all", "projects": "all", "reported": {}}
    return verify_plan(instance, tables, **(given | changes))
