"""What trucks do, loaded on lanes and empty between regions: load, energy, hours, cost, and grants for new ones."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

import numpy as np
import pandas as pd

from nbb_opt.recompute.lanes import LaneFacts
from nbb_opt.recompute.world import World

Texts = pd.Series | np.ndarray


def toll_exemptions(world: World, technologies: Texts, countries: Texts, years: Texts) -> np.ndarray:
    """Share of the toll not paid, of each (technology, country, period): by the years of the period it holds."""
    rows = world.table("subsidies")
    found = np.zeros(len(years))
    for row in rows[rows["kind"] == "toll_exemption_share"].to_dict("records"):
        for year in world.years:
            inside = range(max(year, row["first_year"]), min(year + world.lengths[year], row["last_year"] + 1))
            mine = (np.asarray(technologies) == row["technology"]) & (np.asarray(countries) == row["country"])
            found[mine & (np.asarray(years) == year)] += row["value"] * len(inside) / world.lengths[year]
    return found


def grants_eur(world: World, stock: pd.DataFrame, price_eur: np.ndarray) -> np.ndarray:
    """EUR per truck bought, of each row of `stock` (fleet_region, technology, year) with the truck's price."""
    rows = world.table("subsidies")
    country = stock["fleet_region"].map(world.indexed("fleet_regions")["country"])
    found = np.zeros(len(stock))
    for row in rows[rows["kind"] != "toll_exemption_share"].to_dict("records"):
        mine = (stock["technology"] == row["technology"]) & (country == row["country"])
        mine &= (stock["year"] >= row["first_year"]) & (stock["year"] <= row["last_year"])
        each = row["value"] * (price_eur if row["kind"] == "purchase_grant_share" else 1.0)
        found += np.where(mine, each, 0.0)
    return found


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
    rows = rows.merge(hub_roads(world, set(rows["from_region"])), on=["from_region", "to_region"], how="left")
    rows = rows.merge(world.table("vehicles")[["vehicle", *VEHICLE_COLUMNS]], on="vehicle", how="left")
    rows = rows.merge(
        _loads(world)[["vehicle", "cargo_type", "load_factor", "used_share"]],
        on=["vehicle", "cargo_type"],
        how="left",
    )
    rows = rows.merge(world.vehicle_years, on=["vehicle", "year"], how="left")
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


def empties_energy(empties: pd.DataFrame) -> pd.DataFrame:
    """Columns year, mode, energy_carrier, country, charge_area, kwh."""
    rows = empties.assign(kwh=empties["empty_vkm"] * empties["kwh_per_vkm"])
    return rows[["year", "mode", "energy_carrier", "country", "charge_area", "kwh"]]


def empties_costs(world: World, empties: pd.DataFrame) -> pd.DataFrame:
    """Columns component, year, amount_eur (energy is priced elsewhere)."""
    vkm = empties["empty_vkm"]
    wage = (
        empties[["region_country", "year"]]
        .merge(world.countries, left_on=["region_country", "year"], right_on=["country", "year"], how="left")[
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


VEHICLE_COLUMNS = [
    "mode", "technology", "energy_carrier", "gross_t", "kerb_t", "winter_factor", "range_km", "reserve_share",
    "charge_kw", "available_from",
]  # fmt: skip
RANGE_SLACK = 1e-9


def _loads(world: World) -> pd.DataFrame:
    """`vehicle_loads` with `used_share`: what a km with the cargo takes of the `annual_km` of the vehicle."""
    loads = world.table("vehicle_loads").drop(columns=["source", "note"])
    yearly_km = loads["vehicle"].map(world.indexed("vehicles")["annual_km"]).astype(float)
    return loads.assign(used_share=yearly_km / loads["annual_km"].astype(float).fillna(yearly_km))


def read_driven(world: World, tables: Mapping[str, pd.DataFrame], lanes: LaneFacts) -> pd.DataFrame:
    """One row per `driven` row with its coefficients (models/README.md section 4); NaN where there is no value."""
    rows = tables["driven"].merge(lanes.facts, left_on="lane", right_index=True, how="left")
    rows = rows.merge(world.table("vehicles")[["vehicle", *VEHICLE_COLUMNS]], on="vehicle", how="left")
    rows = rows.merge(_loads(world), on=["vehicle", "cargo_type"], how="left")
    rows = rows.merge(world.vehicle_years, on=["vehicle", "year"], how="left")
    rows = rows.assign(range_left=world.range_left(rows["vehicle"]))
    capacity = rows["gross_t"] - rows["kerb_t"]
    load = (np.minimum(rows["gross_t"], rows["gross_limit"]) - rows["kerb_t"]) * rows["load_factor"]
    season = (1.0 + rows["winter"] * (rows["winter_factor"] - 1.0)) * rows["level_km"] / rows["km"]
    loaded = rows["empty_kwh_per_vkm"] + (rows["full_kwh_per_vkm"] - rows["empty_kwh_per_vkm"]) * load / capacity
    empty_per_loaded = np.where(rows["local"], rows["empty_share"] / (1.0 - rows["empty_share"]), 0.0)
    kwh = season * (loaded + empty_per_loaded * rows["empty_kwh_per_vkm"])
    reach = usable_range(rows)
    battery = rows["charge_kw"].notna()
    fits_home = 2.0 * rows["level_km"] <= reach + RANGE_SLACK
    home = battery & fits_home & (rows["home_area"] != "")
    on_way = (
        rows["first_km"].notna()
        & (2.0 * rows["first_km"] <= reach + RANGE_SLACK)
        & (2.0 * rows["tail_km"] <= reach + RANGE_SLACK)
        & (rows["longest_gap_km"] <= reach + RANGE_SLACK)
    )
    way = battery & ~home & on_way
    wheel = rows["hours"] / rows["km"] * (1.0 + empty_per_loaded)
    rest = wheel * world.break_per_drive_h(rows["region_country"])
    hours = wheel + rows["turnaround_h"] / rows["km"] + np.maximum(rest, np.where(way, kwh / rows["charge_kw"], 0.0))
    return rows.assign(
        load_t=load, kappa=empty_per_loaded, kwh_per_vkm=kwh, hours_per_vkm=hours,
        charged=np.select([~battery, home, way], ["not", "home", "way"], "nowhere"),
        in_range=np.where(battery, home | way, fits_home),
    )  # fmt: skip


def usable_range(rows: pd.DataFrame) -> pd.Series:
    """Range that may be counted on, km; infinite where the range is blank."""
    usable = rows["range_km"] / rows["winter_factor"] * (1.0 - rows["reserve_share"]) * rows["range_left"]
    return usable.fillna(np.inf)


def driven_energy(world: World, driven: pd.DataFrame, lanes: LaneFacts) -> pd.DataFrame:
    """Columns year, mode, energy_carrier, country, charge_area, kwh: energy of loaded and local empty vkm."""
    total = driven.assign(kwh=driven["loaded_vkm"] * driven["kwh_per_vkm"])
    columns = ["lane", "year", "energy_carrier", "kwh"]
    tank = total.loc[total["charged"] == "not", columns].merge(lanes.countries, on="lane").assign(charge_area="")
    home = total.loc[total["charged"] == "home", [*columns, "home_area"]].rename(columns={"home_area": "charge_area"})
    way = total.loc[total["charged"] == "way", columns].merge(lanes.areas, on="lane")
    plugged = pd.concat([home.assign(share=1.0), way], ignore_index=True)
    plugged = plugged.assign(country=plugged["charge_area"].map(world.indexed("charge_areas")["country"]))
    rows = pd.concat([tank, plugged], ignore_index=True)
    rows = rows.assign(kwh=rows["kwh"] * rows["share"], mode="road")
    return rows[["year", "mode", "energy_carrier", "country", "charge_area", "kwh"]]


def way_energy(driven: pd.DataFrame, lanes: LaneFacts) -> pd.DataFrame:
    """Columns charge_area, year, charge_kw, kwh: energy drawn on the way, by the trucks' charging power."""
    rows = driven.loc[driven["charged"] == "way", ["lane", "year", "charge_kw", "loaded_vkm", "kwh_per_vkm"]]
    rows = rows.merge(lanes.areas, on="lane")
    return rows.assign(kwh=rows["loaded_vkm"] * rows["kwh_per_vkm"] * rows["share"])


def driven_costs(world: World, driven: pd.DataFrame, lanes: LaneFacts) -> pd.DataFrame:
    """Columns component, year, amount_eur (energy is priced elsewhere)."""
    vkm = driven["loaded_vkm"]
    tolled = driven[["lane", "technology", "year"]].reset_index().merge(lanes.tolls, on="lane", how="inner")
    spared = tolled["toll"] * toll_exemptions(world, tolled["technology"], tolled["country"], tolled["year"])
    toll = driven["toll"] - spared.groupby(tolled["index"]).sum().reindex(driven.index).fillna(0.0)
    running = vkm * (1.0 + driven["kappa"]) * (driven["running_eur_per_vkm"] + toll)
    wage = driven.merge(world.countries, left_on=["region_country", "year"], right_on=["country", "year"], how="left")[
        "driver_cost_eur_per_h"
    ].to_numpy()
    wages = vkm * driven["hours_per_vkm"] * wage
    return pd.concat(
        [
            pd.DataFrame({"component": "road_running", "year": driven["year"], "amount_eur": running}),
            pd.DataFrame({"component": "drivers", "year": driven["year"], "amount_eur": wages}),
        ],
        ignore_index=True,
    )
