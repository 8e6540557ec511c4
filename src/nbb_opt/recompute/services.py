"""Rail, sea and ferry: which train or ship is used on a link, and what a tonne then costs, draws and emits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nbb_opt.recompute.tables import keyed, look_up
from nbb_opt.recompute.world import World

TIE = 1e-12


def _options(world: World, used: pd.DataFrame) -> pd.DataFrame:
    """Admissible vehicles per link, cargo type and every period, with amounts per tkm."""
    links = world.table("links").rename(columns={"gauge_mm": "link_gauge", "axle_load_t": "link_axle"})
    links = links[
        ["link", "mode", "country", "distance_km", "link_gauge", "link_axle", "max_gross_t", "electrified_share",
         "toll_eur_per_vkm"]
    ]  # fmt: skip
    rows = used[["link", "cargo_type"]].drop_duplicates().merge(links, on="link")
    rows = rows.merge(world.table("vehicles"), on="mode", suffixes=("", "_vehicle"))
    rows = rows.merge(world.table("vehicle_loads")[["vehicle", "cargo_type", "load_factor", "empty_share"]])
    payload = rows["gross_t"].clip(upper=rows["max_gross_t"].fillna(np.inf)) - rows["kerb_t"]
    rows = rows.assign(load_t=payload * rows["load_factor"])
    fits = (
        (rows["gauge_mm"].isna() | (rows["gauge_mm"] == rows["link_gauge"]))
        & (rows["axle_load_t"].isna() | (rows["axle_load_t"] <= rows["link_axle"]))
        & (rows["load_t"] > 0)
    )
    rows = rows[fits].merge(pd.DataFrame({"year": list(world.years)}), how="cross")
    rows = rows[rows["available_from"] <= rows["year"]]
    rows = rows.merge(world.vehicle_years, on=["vehicle", "year"], how="left")
    rows = rows.merge(world.energy, on=["energy_carrier", "country", "year"], how="left")
    winter = look_up(keyed(world.table("countries"), ["country"], "winter_share"), rows["country"])
    carbon = look_up(
        keyed(world.countries, ["country", "year"], "carbon_price_eur_per_t"), rows["country"], rows["year"]
    )
    season = (1.0 + winter * (rows["winter_factor"] - 1.0)) * world.energy_factor(rows["link"])
    full_part = rows["load_t"] / (rows["gross_t"] - rows["kerb_t"])
    loaded = rows["empty_kwh_per_vkm"] + (rows["full_kwh_per_vkm"] - rows["empty_kwh_per_vkm"]) * full_part
    share = rows["empty_share"]
    kwh = season * (loaded + rows["empty_kwh_per_vkm"] * share / (1 - share)) / rows["load_t"]
    vkm = 1.0 / (rows["load_t"] * (1 - share))
    cost = vkm * (rows["running_eur_per_vkm"] + rows["toll_eur_per_vkm"]) + kwh * rows["price_eur_per_kwh"]
    base = rows["ttw_kg_co2e_per_kwh"]
    if world.instance.meta.carbon_base == "WTW":
        base = base + rows["wtt_kg_co2e_per_kwh"]
    return rows.assign(kwh_per_tkm=kwh, cost_eur_per_tkm=cost, ranking=cost + kwh * base * carbon / 1000.0).reset_index(
        drop=True
    )


def chosen_services(world: World, used: pd.DataFrame) -> pd.DataFrame:
    """The services of the links and cargo types `used`, by year: `share` adds up to 1 where the link can be used."""
    options = _options(world, used)
    rail = options["mode"] == "rail"
    wire = options["electrified_share"].fillna(0.0)
    electric = options["technology"] == "electric"
    mixed = rail & (wire > 0) & (wire < 1)
    allowed = ~rail | mixed | (wire >= 1) | ~electric
    kind = np.where(mixed, np.where(electric, "wire", "own"), "any")
    share = np.where(mixed, np.where(electric, wire, 1 - wire), 1.0)
    rows = options.assign(kind=kind, share=share)[allowed]
    group = ["link", "cargo_type", "year", "kind"]
    best = rows.groupby(group)["ranking"].transform("min")
    rows = rows[rows["ranking"] <= best + TIE * best.abs()]
    rows = rows.sort_values([*group, "vehicle"]).drop_duplicates(group)
    needed = np.where(rows["kind"] == "any", 1, 2)
    found = rows.groupby(group[:3])["kind"].transform("size")
    return rows[found == needed].reset_index(drop=True)


def service_amounts(used: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """Columns year, mode, energy_carrier, country, kwh, cost_eur: what the used services draw and cost."""
    columns = ["link", "cargo_type", "year", "mode", "country", "energy_carrier", "share", "distance_km", "kwh_per_tkm",
               "cost_eur_per_tkm"]  # fmt: skip
    rows = used.merge(chosen[columns], on=["link", "cargo_type", "year"])
    tkm = rows["tonnes"] * rows["distance_km"] * rows["share"]
    return rows.assign(kwh=tkm * rows["kwh_per_tkm"], cost_eur=tkm * rows["cost_eur_per_tkm"])[
        ["year", "mode", "energy_carrier", "country", "kwh", "cost_eur"]
    ]
