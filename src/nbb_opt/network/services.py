"""What it costs to move one tonne over a link: the trains and ships used, and every vehicle that could be."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance import Instance, by_period
from nbb_opt.instance.read import energy_factors
from nbb_opt.instance.schema import CARGO_TYPES

COLUMNS = (
    "link", "cargo_type", "year", "vehicle", "energy_carrier", "country", "share", "cost_eur_per_t", "kwh_per_t",
    "ttw_kg_per_t", "wtt_kg_per_t",
)  # fmt: skip


def services(instance: Instance) -> pd.DataFrame:
    """The rail, sea and ferry services used on every link by every cargo type in every period.

    One row per link, cargo type, year and vehicle, sorted by link row, cargo type and year; two vehicles where a rail
    link is partly electrified, with their `share`. EUR, kWh and kg CO2e are per tonne over the whole link, already
    times the share; `cost_eur_per_t` has energy, running cost and toll, and the charge per tonne on the first row of
    a link, but no carbon price. A link and cargo type without a service in some period has no rows: it cannot be used.
    """
    links = instance["links"]
    found = options(instance, links.loc[links["mode"] != "road"])
    electric = found["technology"] == "electric"
    wired = found["electrified_share"].where(found["mode"] == "rail", 1.0)
    found["half"] = np.where(wired == 1.0, 0, np.where(electric, 0, 1))
    found["share"] = np.where(wired == 1.0, 1.0, np.where(electric, wired, 1.0 - wired))
    found = found.loc[found["share"] > 0]
    case = ["row", "cargo_type_row", "year", "half"]
    found = found.assign(full_cost=found["cost_eur_per_tkm"] + found["carbon_eur_per_tkm"])
    used = found.sort_values([*case, "full_cost", "vehicle"], kind="stable").drop_duplicates(case)

    n_halves = np.where(used["share"] < 1.0, 2, 1)  # a partly electrified link needs both
    there = used.groupby(["row", "cargo_type_row", "year"])["half"].transform("size").to_numpy() == n_halves
    used = used.loc[there]
    n_years = used.groupby(["row", "cargo_type_row"])["year"].transform("nunique").to_numpy()
    used = used.loc[n_years == len(instance.periods)].reset_index(drop=True)

    per_t = used["share"] * used["distance_km"]
    first = ~used.duplicated(["row", "cargo_type_row", "year"])
    charge = used["charge_eur_per_t"].where(first, 0.0)
    out = used.assign(
        cost_eur_per_t=per_t * used["cost_eur_per_tkm"] + charge,
        kwh_per_t=per_t * used["kwh_per_tkm"],
        ttw_kg_per_t=per_t * used["ttw_kg_per_tkm"],
        wtt_kg_per_t=per_t * used["wtt_kg_per_tkm"],
    )
    return out[list(COLUMNS)]


def options(instance: Instance, links: pd.DataFrame) -> pd.DataFrame:
    """Every vehicle that may carry a cargo type over one of `links` in a period, with what it needs per tonne-km.

    Columns: those of the link with its `row` in links.csv, vehicle, technology, energy_carrier, cargo_type,
    `handling_row`, annual_km (as in vehicle_loads), year, vkm_per_tkm, kwh_per_tkm, cost_eur_per_tkm (energy,
    running cost, toll), ttw_kg_per_tkm, wtt_kg_per_tkm, carbon_eur_per_tkm, driver_cost_eur_per_h. Raises
    InstanceError if an energy carrier has no price in the country of a link it is needed on.
    """
    # the mode of a link and its country decide the rest, so cut the vehicles' columns to what the formulas name
    vehicles = instance["vehicles"][
        ["vehicle", "mode", "technology", "energy_carrier", "gross_t", "kerb_t", "axle_load_t", "gauge_mm",
         "winter_factor", "available_from"]
    ].rename(columns={"axle_load_t": "vehicle_axle_t", "gauge_mm": "vehicle_gauge_mm"})  # fmt: skip
    loads = instance["vehicle_loads"][["vehicle", "cargo_type", "load_factor", "empty_share", "annual_km"]]
    lines = links[
        ["link", "mode", "country", "distance_km", "time_h", "gauge_mm", "electrified_share", "axle_load_t",
         "max_gross_t", "toll_eur_per_vkm", "charge_eur_per_t"]
    ].assign(row=links.index, energy_factor=energy_factors(instance)[links.index])  # fmt: skip
    found = lines.merge(vehicles.merge(loads, on="vehicle"), on="mode")
    gauge_fits = found["vehicle_gauge_mm"].isna() | (found["vehicle_gauge_mm"] == found["gauge_mm"])
    axle_fits = found["vehicle_axle_t"].isna() | (found["vehicle_axle_t"] <= found["axle_load_t"])
    gross = np.minimum(found["gross_t"], found["max_gross_t"].fillna(np.inf))
    found["load_t"] = (gross - found["kerb_t"]) * found["load_factor"]
    found = found.loc[gauge_fits & axle_fits & (found["load_t"] > 0)]

    years = by_period(instance, "vehicle_years")[
        ["vehicle", "year", "running_eur_per_vkm", "empty_kwh_per_vkm", "full_kwh_per_vkm"]
    ]
    found = found.merge(years, on="vehicle")
    found = found.loc[found["available_from"] <= found["year"]]
    energy = by_period(instance, "energy")[
        ["energy_carrier", "country", "year", "price_eur_per_kwh", "ttw_kg_co2e_per_kwh", "wtt_kg_co2e_per_kwh"]
    ]
    found = found.merge(energy, on=["energy_carrier", "country", "year"], how="left")
    found = found.merge(
        by_period(instance, "country_years")[["country", "year", "carbon_price_eur_per_t", "driver_cost_eur_per_h"]],
        on=["country", "year"],
        how="left",
    ).merge(instance["countries"][["country", "winter_share"]], on="country")
    _check_prices(found)

    load, empty = found["load_t"], found["empty_kwh_per_vkm"]
    idle = found["empty_share"] / (1 - found["empty_share"])
    winter = (1 + found["winter_share"] * (found["winter_factor"] - 1)) * found["energy_factor"]
    loaded = empty + (found["full_kwh_per_vkm"] - empty) * load / (found["gross_t"] - found["kerb_t"])
    kwh = winter * (loaded + empty * idle) / load
    vkm = 1 / (load * (1 - found["empty_share"]))
    ttw, wtt = kwh * found["ttw_kg_co2e_per_kwh"], kwh * found["wtt_kg_co2e_per_kwh"]
    taxed = ttw if instance.meta.carbon_base == "TTW" else ttw + wtt
    order = {cargo_type: i for i, cargo_type in enumerate(CARGO_TYPES)}
    return found.assign(
        cargo_type_row=found["cargo_type"].map(order),
        vkm_per_tkm=vkm,
        kwh_per_tkm=kwh,
        cost_eur_per_tkm=vkm * (found["running_eur_per_vkm"] + found["toll_eur_per_vkm"])
        + kwh * found["price_eur_per_kwh"],
        ttw_kg_per_tkm=ttw,
        wtt_kg_per_tkm=wtt,
        carbon_eur_per_tkm=taxed * found["carbon_price_eur_per_t"] / 1000,
    )


def _check_prices(found: pd.DataFrame) -> None:
    problems = []
    unpriced = found.loc[found["price_eur_per_kwh"].isna()].drop_duplicates(["energy_carrier", "country"])
    for carrier, country, vehicle, link in unpriced[["energy_carrier", "country", "vehicle", "link"]].itertuples(
        index=False
    ):
        what = f"has no row, but vehicle '{vehicle}' needs it on link '{link}'"
        hint = "add its price and emission factors there, or keep the vehicle off such links"
        problems.append(Problem(f"energy.csv, energy_carrier '{carrier}' in country '{country}'", what, hint))
    for country in found.loc[found["carbon_price_eur_per_t"].isna(), "country"].unique():
        what = "has no row, but links lie in it"
        problems.append(Problem(f"country_years.csv, country '{country}'", what, "add its carbon price and wages"))
    if problems:
        raise InstanceError(problems)
