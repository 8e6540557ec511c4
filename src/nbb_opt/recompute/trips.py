"""Empty trips of trucks between regions: the shortest road between the hubs, and what such a trip draws and costs."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

import numpy as np
import pandas as pd

from nbb_opt.recompute.subsidies import toll_exemptions
from nbb_opt.recompute.trucks import RANGE_SLACK, VEHICLE_COLUMNS, usable_range
from nbb_opt.recompute.verdict import Checks, names
from nbb_opt.recompute.world import World, join


def hub_roads(world: World, from_regions: set[str]) -> pd.DataFrame:
    """Columns from_region, to_region, km, hours, toll (EUR/vkm): shortest roads that exist today, ties by time."""
    links = world.table("links")
    roads = links[(links["mode"] == "road") & (links["project"] == "")]
    neighbours: dict[str, list[tuple[str, float, float, float]]] = {}
    amounts = roads[["distance_km", "time_h"]].assign(toll_eur=roads["distance_km"] * roads["toll_eur_per_vkm"])
    ends = zip(roads["from_node"].tolist(), roads["to_node"].tolist(), roads["two_way"].tolist(), strict=True)
    for (start, end, two_way), (km, hours, toll_eur) in zip(ends, amounts.to_numpy(dtype=float).tolist(), strict=True):
        neighbours.setdefault(start, []).append((end, km, hours, toll_eur))
        if two_way:
            neighbours.setdefault(end, []).append((start, km, hours, toll_eur))
    hubs = dict(
        zip(world.table("fleet_regions")["fleet_region"], world.table("fleet_regions")["hub_node"], strict=True)
    )
    rows = []
    for region in sorted(from_regions):
        reached = _shortest(neighbours, hubs[region])
        for other, hub in hubs.items():
            if other != region and hub in reached and reached[hub][0] > 0:
                km, hours, toll_eur = reached[hub]
                rows.append((region, other, km, hours, toll_eur / km))
    frame = pd.DataFrame(rows, columns=["from_region", "to_region", "km", "hours", "toll"])
    return frame.astype({"from_region": "str", "to_region": "str", "km": float, "hours": float, "toll": float})


def _shortest(
    neighbours: Mapping[str, list[tuple[str, float, float, float]]], start: str
) -> dict[str, tuple[float, float, float]]:
    """Distance, time and toll from `start`; distances are compared to a tenth of a millimetre."""
    done: dict[str, tuple[float, float, float]] = {}
    queue = [(0.0, 0.0, start, 0.0, 0.0)]
    while queue:
        _, hours, node, km, toll = heapq.heappop(queue)
        if node in done:
            continue
        done[node] = (km, hours, toll)
        for other, d, h, fee in neighbours.get(node, ()):
            if other not in done:
                heapq.heappush(queue, (round(km + d, 7), hours + h, other, km + d, toll + fee))
    return done


def read_empties(world: World, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per `empties` row with its road, energy per vkm and where that is drawn."""
    rows = tables["empties"]
    rows = rows.pipe(join, hub_roads(world, set(rows["from_region"])), on=["from_region", "to_region"], how="left")
    rows = rows.pipe(join, world.table("vehicles")[["vehicle", *VEHICLE_COLUMNS]], on="vehicle", how="left")
    rows = rows.pipe(
        join,
        world.table("vehicle_loads")[["vehicle", "cargo_type", "load_factor"]],
        on=["vehicle", "cargo_type"],
        how="left",
    )
    rows = rows.pipe(join, world.vehicle_years, on=["vehicle", "year"], how="left")
    regions = world.indexed("fleet_regions").reindex(rows["from_region"])
    country = regions["country"].to_numpy()
    winter = world.indexed("countries")["winter_share"].reindex(country).to_numpy(dtype=float)
    battery = rows["charge_kw"].notna().to_numpy()
    area = np.where(battery, regions["charge_area"].to_numpy(), "")
    area_country = world.indexed("charge_areas")["country"].reindex(area).fillna("").to_numpy()
    return rows.assign(
        region_country=country,
        country=np.where(battery, area_country, country),
        charge_area=area,
        battery=battery,
        kwh_per_vkm=(1.0 + winter * (rows["winter_factor"] - 1.0)) * rows["empty_kwh_per_vkm"],
        hours_per_vkm=rows["hours"] / rows["km"] * (1.0 + world.break_per_drive_h(country)),
        range_left=world.range_left(rows["vehicle"]),
    )


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


def empties_energy(empties: pd.DataFrame) -> pd.DataFrame:
    """Columns year, mode, energy_carrier, country, charge_area, kwh."""
    rows = empties.assign(kwh=empties["empty_vkm"] * empties["kwh_per_vkm"])
    return rows[["year", "mode", "energy_carrier", "country", "charge_area", "kwh"]]


def empties_costs(world: World, empties: pd.DataFrame) -> pd.DataFrame:
    """Columns component, year, amount_eur (energy is priced elsewhere)."""
    vkm = empties["empty_vkm"]
    wage = (
        empties[["region_country", "year"]]
        .pipe(join, world.countries, left_on=["region_country", "year"], right_on=["country", "year"], how="left")[
            "driver_cost_eur_per_h"
        ]
        .to_numpy()
    )
    paid = 1.0 - toll_exemptions(world, empties["technology"], empties["region_country"], empties["year"])
    running = vkm * (empties["running_eur_per_vkm"] + empties["toll"] * paid)
    return pd.concat(
        [
            pd.DataFrame({"component": "road_running", "year": empties["year"], "amount_eur": running}),
            pd.DataFrame(
                {"component": "drivers", "year": empties["year"], "amount_eur": vkm * empties["hours_per_vkm"] * wage}
            ),
        ],
        ignore_index=True,
    )
