"""Lanes and the trucks on them, read in blocks of lanes; kept are sums, and a few figures of every lane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from nbb_opt.recompute import (
    RANGE_SLACK,
    World,
    driven_costs,
    driven_energy,
    in_blocks,
    read_driven,
    read_lanes,
    total,
    usable_range,
    way_energy,
)
from nbb_opt.verify import paths
from nbb_opt.verify.verdict import Checks, names

WORK = [
    "region", "region_to", "local", "region_country", "vehicle", "technology", "cargo_type", "year", "open_h",
]  # fmt: skip
WORK_AMOUNTS = ("loaded_vkm", "used_km", "hours_worked", "trips")
ENERGY = ["year", "mode", "energy_carrier", "country", "charge_area"]


@dataclass(frozen=True, kw_only=True)
class RoadUse:
    """`facts` (index lane): km, charge_eur_per_t. `done_tkm`: lane, year, tkm.

    `work`: WORK, loaded_vkm, used_km (of `annual_km`, by local empty vkm too), hours_worked, trips. `driver_hours`:
    region_country, year, hours. `energy`: ENERGY, kwh. `on_the_way`: charge_area, year, charge_kw, kwh. `costs`:
    component, year, amount_eur. `lane_checks`, `truck_checks`: one for every block.
    """

    facts: pd.DataFrame
    done_tkm: pd.DataFrame
    work: pd.DataFrame
    driver_hours: pd.DataFrame
    energy: pd.DataFrame
    on_the_way: pd.DataFrame
    costs: pd.DataFrame
    lane_checks: list[Checks]
    truck_checks: list[Checks]


def read_roads(world: World, tables: Mapping[str, pd.DataFrame]) -> RoadUse:
    """Read and check `lanes`, `lane_links` and `driven`."""
    blocks = [_block(world, block) for block in in_blocks(tables, "lane", ["lanes", "lane_links", "driven"])]

    def together(name: str) -> pd.DataFrame:
        return pd.concat([getattr(block, name) for block in blocks], ignore_index=True)

    return RoadUse(
        facts=pd.concat([block.facts for block in blocks]),
        done_tkm=together("done_tkm"),
        work=total(together("work"), WORK, *WORK_AMOUNTS),
        driver_hours=together("driver_hours").groupby(["region_country", "year"])["hours"].sum().reset_index(),
        energy=total(together("energy"), ENERGY, "kwh"),
        on_the_way=total(together("on_the_way"), ["charge_area", "year", "charge_kw"], "kwh"),
        costs=total(together("costs"), ["component", "year"], "amount_eur"),
        lane_checks=[checks for block in blocks for checks in block.lane_checks],
        truck_checks=[checks for block in blocks for checks in block.truck_checks],
    )


def _block(world: World, tables: Mapping[str, pd.DataFrame]) -> RoadUse:
    lane_checks, truck_checks = Checks(), Checks()
    paths.check_lanes(world, tables, lane_checks)
    lanes = read_lanes(world, tables)
    driven = read_driven(world, tables, lanes)
    check_driven(driven, truck_checks)
    driven = driven.assign(
        tkm=driven["load_t"] * driven["loaded_vkm"],
        used_km=driven["loaded_vkm"] * (1.0 + driven["kappa"]) * driven["used_share"],
        hours_worked=driven["loaded_vkm"] * driven["hours_per_vkm"],
        trips=driven["loaded_vkm"] / driven["km"],
    )
    hours = driven.groupby(["region_country", "year"])["hours_worked"].sum().rename("hours").reset_index()
    return RoadUse(
        facts=lanes.facts[["km", "charge_eur_per_t"]],
        done_tkm=total(driven, ["lane", "year"], "tkm"),
        work=total(driven, WORK, *WORK_AMOUNTS),
        driver_hours=hours,
        energy=total(driven_energy(world, driven, lanes), ENERGY, "kwh"),
        on_the_way=total(way_energy(driven, lanes), ["charge_area", "year", "charge_kw"], "kwh"),
        costs=total(driven_costs(world, driven, lanes), ["component", "year"], "amount_eur"),
        lane_checks=[lane_checks],
        truck_checks=[truck_checks],
    )


def check_driven(driven: pd.DataFrame, checks: Checks) -> None:
    """`admit_trucks`: a road vehicle on the market, that takes the goods, based somewhere. `respect_range`."""
    where = names(driven, "lane {} vehicle {} {}", ["lane", "vehicle", "year"])
    fine = (
        (driven["mode"] == "road")
        & (driven["load_t"] > 0)
        & (driven["available_from"] <= driven["year"])
        & (driven["region"] != "")
    )
    checks.hold("admit_trucks", fine.to_numpy(dtype=bool), where=where)
    checks.hold("respect_range", driven["in_range"].to_numpy(dtype=bool), where=where)


def check_empties(empties: pd.DataFrame, checks: Checks) -> None:
    """`admit_empties`: a truck on the market that takes the goods, on a road within its range, with a home charger."""
    fine = (
        (empties["mode"] == "road")
        & empties["km"].notna()
        & empties["load_factor"].notna()
        & (empties["available_from"] <= empties["year"])
        & (~empties["battery"] | (empties["charge_area"] != ""))
        & (empties["km"] <= usable_range(empties) + RANGE_SLACK)
    )
    where = names(
        empties, "empty trips {} to {} vehicle {} for {} {}",
        ["from_region", "to_region", "vehicle", "cargo_type", "year"],
    )  # fmt: skip
    checks.hold("admit_empties", fine.to_numpy(dtype=bool), where=where)
