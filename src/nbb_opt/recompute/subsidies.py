"""Grants for new trucks and exemptions from tolls, in the years they hold."""

from __future__ import annotations

import numpy as np
import pandas as pd

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
