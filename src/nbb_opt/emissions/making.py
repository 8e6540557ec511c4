"""Emissions of making the trucks and batteries that a plan buys: a table of its own, in no total of transport."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from nbb_opt.recompute.world import World, join, total

PARTS = {"truck": "making_kg_co2e", "battery": "battery_making_kg_co2e"}


def making(world: World, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Columns year (of purchase), country, vehicle, part (truck, battery), bought, kg_each, kg, source.

    Bought trucks times the figures of vehicles.csv; `kg_each` and `kg` are NaN where these are not given. Battery rows
    are those of trucks with a battery. Empty if no vehicle of the instance has a figure.
    """
    vehicles = world.table("vehicles")
    columns = ["year", "country", "vehicle", "part", "bought", "kg_each", "kg", "source"]
    bought = tables["fleet"][tables["fleet"]["bought"] > 0]
    if vehicles[list(PARTS.values())].isna().all(axis=None):
        bought = bought.iloc[:0]
    country = world.indexed("fleet_regions")["country"]
    bought = total(bought.assign(country=bought["fleet_region"].map(country)), columns[:3], "bought")
    bought = bought.pipe(join, vehicles[["vehicle", "charge_kw", "making_source", *PARTS.values()]], on="vehicle")
    bought = bought.rename(columns={"making_source": "source"})
    parts = [
        bought.assign(part=part, kg_each=bought[column])[(part == "truck") | bought["charge_kw"].notna()]
        for part, column in PARTS.items()
    ]
    found = pd.concat(parts, ignore_index=True)
    found = found.assign(kg=found["bought"] * found["kg_each"])[columns]
    return found.sort_values(columns[:4], kind="stable").reset_index(drop=True)
