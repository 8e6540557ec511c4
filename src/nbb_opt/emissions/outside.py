"""Freight without a choice of mode: what table `outside_flows` moves and emits in every period.

It stands beside every account, never in it: no model decides on it, so it would only thin out what is decided.
"""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.recompute import chosen_services, read_world, values_in_periods

FLOW = ["origin", "destination", "commodity", "link"]
COLUMNS = [*FLOW, "year", "mode", "country", "distance_km", "tonnes", "tkm", "ttw_kg", "wtt_kg"]


@lru_cache(maxsize=1)  # every map and table of a report asks for it; nobody edits what is given
def outside_freight(instance: Instance) -> pd.DataFrame:
    """A row for each flow of `outside_flows` and period: tonnes, tkm and kg CO2e per year, with the columns COLUMNS.

    The train or ship is the one that a model would take on the link, with its empty trips; what is done at quays is
    not counted.
    """
    world = read_world(instance)
    rows = values_in_periods(instance["outside_flows"], FLOW, ["tonnes"], world.years)
    if rows.empty:
        return pd.DataFrame({name: [] for name in COLUMNS})
    goods = instance["commodities"][["commodity", "cargo_type"]]
    rows = rows.merge(goods, on="commodity")
    used = rows[["link", "cargo_type"]].drop_duplicates()
    chosen = chosen_services(world, used)
    chosen = chosen[["link", "cargo_type", "year", "mode", "country", "distance_km", "energy_carrier", "share",
                     "kwh_per_tkm"]]  # fmt: skip
    rows = rows.merge(chosen, on=["link", "cargo_type", "year"])
    rows = rows.merge(world.energy, on=["energy_carrier", "country", "year"], how="left")
    tkm = rows["tonnes"] * rows["distance_km"] * rows["share"]
    kwh = tkm * rows["kwh_per_tkm"]
    rows = rows.assign(tkm=tkm, ttw_kg=kwh * rows["ttw_kg_co2e_per_kwh"], wtt_kg=kwh * rows["wtt_kg_co2e_per_kwh"])
    keys = [name for name in COLUMNS if name not in ("tkm", "ttw_kg", "wtt_kg")]  # two services share one link
    return rows.groupby(keys, as_index=False)[["tkm", "ttw_kg", "wtt_kg"]].sum()[COLUMNS]
