"""Energy that vehicles replaced by another fuel: out of the accounts of their own carrier, into those of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nbb_opt.recompute.tables import total
from nbb_opt.recompute.world import World

PLACE = ["mode", "energy_carrier", "country", "year"]
LEAST_KWH = 1e-3  # a year; less is rounding


def read_replaced(world: World, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The plan's table `fuels` with the columns of `fuel_substitutes`; `own` and `other` are energy carriers."""
    rules = world.table("fuel_substitutes").rename(columns={"replaces": "own", "energy_carrier": "other"})
    return tables["fuels"].merge(rules.drop(columns=["source", "note"]), on="substitute", how="left")


def with_substitutes(replaced: pd.DataFrame, energy: pd.DataFrame, *, keys: Sequence[str] = ()) -> pd.DataFrame:
    """`energy` (PLACE, kwh and further columns) after replacement: every row gives up the same share of its kWh.

    Rows of one place and the same further columns are added up; `keys` are the further columns.
    """
    if replaced.empty:
        return energy
    place = {"own": "energy_carrier"}
    had = total(energy, PLACE, "kwh").rename(columns={"kwh": "had"})
    share = replaced.rename(columns=place).merge(had, on=PLACE, how="left")
    share = share.assign(share=share["replaced_kwh"] / share["had"])
    moved = energy.merge(share[[*PLACE, "other", "share", "kwh_per_kwh"]], on=PLACE)
    added = moved.assign(kwh=moved["kwh"] * moved["share"] * moved["kwh_per_kwh"], energy_carrier=moved["other"])
    gone = moved.assign(kwh=-moved["kwh"] * moved["share"])
    columns = list(energy.columns)
    both = pd.concat([energy, gone[columns], added[columns]], ignore_index=True)
    found = total(both, [*keys, *PLACE], "kwh")
    return found[np.abs(found["kwh"]) > LEAST_KWH].reset_index(drop=True)[columns]


def substitution_costs(world: World, replaced: pd.DataFrame) -> pd.DataFrame:
    """Columns component, year, amount_eur: price of what is taken in less price of what it replaces."""
    price = world.energy[["energy_carrier", "country", "year", "price_eur_per_kwh"]]
    for name in ("own", "other"):
        prices = price.rename(columns={"energy_carrier": name, "price_eur_per_kwh": f"{name}_eur"})
        replaced = replaced.merge(prices, on=[name, "country", "year"], how="left")
    each = replaced["kwh_per_kwh"] * replaced["other_eur"] - replaced["own_eur"]
    eur = replaced["replaced_kwh"] * each
    return pd.DataFrame({"component": "fuel_substitution", "year": replaced["year"], "amount_eur": eur})
