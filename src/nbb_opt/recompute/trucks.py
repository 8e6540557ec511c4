"""What trucks do on lanes: load, energy, hours and cost per vkm, where energy is drawn, and who may drive at all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nbb_opt.recompute.lanes import Lanes
from nbb_opt.recompute.subsidies import toll_exemptions
from nbb_opt.recompute.verdict import Checks, names
from nbb_opt.recompute.world import World, join

VEHICLE_COLUMNS = [
    "mode", "technology", "energy_carrier", "gross_t", "kerb_t", "winter_factor", "range_km", "reserve_share",
    "charge_kw", "available_from",
]  # fmt: skip
RANGE_SLACK = 1e-9


def read_driven(world: World, tables: Mapping[str, pd.DataFrame], lanes: Lanes) -> pd.DataFrame:
    """One row per `driven` row with its coefficients (models/README.md section 4); NaN where there is no value."""
    rows = tables["driven"].pipe(join, lanes.facts, left_on="lane", right_index=True, how="left")
    rows = rows.pipe(join, world.table("vehicles")[["vehicle", *VEHICLE_COLUMNS]], on="vehicle", how="left")
    loads = world.table("vehicle_loads").drop(columns=["source", "note"])
    rows = rows.pipe(join, loads, on=["vehicle", "cargo_type"], how="left")
    rows = rows.pipe(join, world.vehicle_years, on=["vehicle", "year"], how="left")
    rows = rows.assign(range_left=world.range_left(rows["vehicle"]))
    capacity = rows["gross_t"] - rows["kerb_t"]
    load = (np.minimum(rows["gross_t"], rows["gross_limit"]) - rows["kerb_t"]) * rows["load_factor"]
    season = (1.0 + rows["winter"] * (rows["winter_factor"] - 1.0)) * rows["effort_km"] / rows["km"]
    loaded = rows["empty_kwh_per_vkm"] + (rows["full_kwh_per_vkm"] - rows["empty_kwh_per_vkm"]) * load / capacity
    empty_per_loaded = np.where(rows["local"], rows["empty_share"] / (1.0 - rows["empty_share"]), 0.0)
    kwh = season * (loaded + empty_per_loaded * rows["empty_kwh_per_vkm"])
    reach = usable_range(rows)
    battery = rows["charge_kw"].notna()
    fits_home = 2.0 * rows["effort_km"] <= reach + RANGE_SLACK
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


def driven_energy(world: World, driven: pd.DataFrame, lanes: Lanes) -> pd.DataFrame:
    """Columns year, mode, energy_carrier, country, charge_area, kwh: energy of loaded and local empty vkm."""
    total = driven.assign(kwh=driven["loaded_vkm"] * driven["kwh_per_vkm"])
    columns = ["lane", "year", "energy_carrier", "kwh"]
    tank = total.loc[total["charged"] == "not", columns].pipe(join, lanes.countries, on="lane").assign(charge_area="")
    home = total.loc[total["charged"] == "home", [*columns, "home_area"]].rename(columns={"home_area": "charge_area"})
    way = total.loc[total["charged"] == "way", columns].pipe(join, lanes.areas, on="lane")
    plugged = pd.concat([home.assign(share=1.0), way], ignore_index=True)
    plugged = plugged.assign(country=plugged["charge_area"].map(world.indexed("charge_areas")["country"]))
    rows = pd.concat([tank, plugged], ignore_index=True)
    rows = rows.assign(kwh=rows["kwh"] * rows["share"], mode="road")
    return rows[["year", "mode", "energy_carrier", "country", "charge_area", "kwh"]]


def way_energy(driven: pd.DataFrame, lanes: Lanes) -> pd.DataFrame:
    """Columns charge_area, year, charge_kw, kwh: energy drawn on the way, by the trucks' charging power."""
    rows = driven.loc[driven["charged"] == "way", ["lane", "year", "charge_kw", "loaded_vkm", "kwh_per_vkm"]]
    rows = rows.pipe(join, lanes.areas, on="lane")
    return rows.assign(kwh=rows["loaded_vkm"] * rows["kwh_per_vkm"] * rows["share"])


def driven_costs(world: World, driven: pd.DataFrame, lanes: Lanes) -> pd.DataFrame:
    """Columns component, year, amount_eur (energy is priced elsewhere)."""
    vkm = driven["loaded_vkm"]
    tolled = driven[["lane", "technology", "year"]].reset_index().pipe(join, lanes.tolls, on="lane", how="inner")
    spared = tolled["toll"] * toll_exemptions(world, tolled["technology"], tolled["country"], tolled["year"])
    toll = driven["toll"] - spared.groupby(tolled["index"]).sum().reindex(driven.index).fillna(0.0)
    running = vkm * (1.0 + driven["kappa"]) * (driven["running_eur_per_vkm"] + toll)
    wage = driven.pipe(
        join, world.countries, left_on=["region_country", "year"], right_on=["country", "year"], how="left"
    )["driver_cost_eur_per_h"].to_numpy()
    wages = vkm * driven["hours_per_vkm"] * wage
    return pd.concat(
        [
            pd.DataFrame({"component": "road_running", "year": driven["year"], "amount_eur": running}),
            pd.DataFrame({"component": "drivers", "year": driven["year"], "amount_eur": wages}),
        ],
        ignore_index=True,
    )
