"""What plants need by their recipes and who supplies it, from the tables of the instance and the plan's `supplied`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.recompute.demand import FLOW
from nbb_opt.recompute.tables import total
from nbb_opt.recompute.world import World, read_world, values_in_periods

PAIR = ["supplier", "site", "input"]
AMOUNT = "amount_t_per_year"


@dataclass(frozen=True)
class Supplies:
    """Tonnes a year, one row for each period.

    `rows`: what the plan says, `offered` (bool): that supplier sells that input to plants with such a recipe then.
    `pairs`: every supplier of a plant with supplied, contracted and the columns of `suppliers`. `flows`: FLOW, year,
    supplied, contracted of every flow that suppliers may use. `needs`: site, input, year, supplied, regional, needed
    and region_share (NaN: no target). `offers`: supplier, input, year, sold, capacity. `costs`: component, year,
    amount_eur.
    """

    rows: pd.DataFrame
    pairs: pd.DataFrame
    flows: pd.DataFrame
    needs: pd.DataFrame
    offers: pd.DataFrame
    costs: pd.DataFrame


def read_supplies(world: World, tables: Mapping[str, pd.DataFrame]) -> Supplies:
    """The plan's table `supplied` against `sites`, `recipes`, `suppliers` and `supply_contracts`."""
    supplied = tables["supplied"]
    return _supplies(world, supplied) if len(supplied) else _nothing_supplied(world.instance)


@lru_cache(maxsize=1)  # the same of a plan and of its bars
def _nothing_supplied(instance: Instance) -> Supplies:
    columns = {**dict.fromkeys(PAIR, "str"), "year": "int64", "tonnes": "float64"}
    return _supplies(read_world(instance), pd.DataFrame({name: pd.Series(dtype=of) for name, of in columns.items()}))


def _supplies(world: World, supplied: pd.DataFrame) -> Supplies:
    recipes, offers = (world.table(name).drop(columns=["source", "note"]) for name in ("recipes", "suppliers"))
    years = pd.DataFrame({"year": list(world.years)})
    sites = values_in_periods(world.table("sites"), ["site", "commodity", "direction"], [AMOUNT], world.years)
    contracts = values_in_periods(world.table("supply_contracts"), PAIR, [AMOUNT], world.years)
    node = world.table("sites").groupby("site")["node"].first()

    rows = supplied.merge(recipes, on=["site", "input"], how="left")
    rows = rows.merge(offers.rename(columns={"site": "seller"}), on=["supplier", "input"], how="left")
    own = rows["seller"] == rows["site"]
    rows = rows.assign(offered=(rows["first_year"] <= rows["year"]) & rows["t_per_t"].notna() & ~own)

    pairs = recipes.merge(offers.rename(columns={"site": "seller", "node": "origin"}), on="input")
    pairs = pairs[pairs["seller"] != pairs["site"]].assign(destination=lambda p: p["site"].map(node))
    pairs = pairs.merge(years, how="cross")
    pairs = pairs.merge(rows[[*PAIR, "year", "tonnes"]], on=[*PAIR, "year"], how="left")
    pairs = pairs.merge(contracts, on=[*PAIR, "year"], how="left").fillna({"tonnes": 0.0, AMOUNT: 0.0})
    pairs = pairs.rename(columns={"tonnes": "supplied", AMOUNT: "contracted"})

    made = total(sites[sites["direction"] == "produces"], ["site", "year"], AMOUNT)
    sold = pairs.assign(more=pairs["supplied"] - pairs["contracted"])
    sold = total(sold.drop(columns="site").rename(columns={"seller": "site"}), ["site", "year"], "more")
    needs = recipes.merge(years, how="cross").merge(made, on=["site", "year"], how="left")
    needs = needs.merge(sold, on=["site", "year"], how="left").fillna({AMOUNT: 0.0, "more": 0.0})
    needs = needs.assign(needed=needs["t_per_t"] * (needs[AMOUNT] + needs["more"]))
    got = pairs.assign(regional=np.where(pairs["in_region"], pairs["supplied"], 0.0))
    got = total(got, ["site", "input", "year"], "supplied", "regional")
    needs = needs.merge(got, on=["site", "input", "year"], how="left").fillna({"supplied": 0.0, "regional": 0.0})
    late = needs["region_share_from_year"] > needs["year"]
    needs = needs.assign(region_share=needs["region_share"].astype(float).mask(late))

    eur = (pairs["supplied"] - pairs["contracted"]) * pairs["price_eur_per_t"]
    offered = total(pairs.rename(columns={"supplied": "sold"}), ["supplier", "input", "year"], "sold")
    offered = offered.merge(offers[["supplier", "input", "capacity_t_per_year"]], on=["supplier", "input"])
    return Supplies(
        rows=rows,
        pairs=pairs,
        flows=total(pairs, [*FLOW, "year"], "supplied", "contracted"),
        needs=needs[["site", "input", "year", "supplied", "regional", "needed", "region_share"]],
        offers=offered.rename(columns={"capacity_t_per_year": "capacity"}),
        costs=total(pairs.assign(component="inputs", amount_eur=eur), ["component", "year"], "amount_eur"),
    )
