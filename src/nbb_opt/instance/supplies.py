"""Which supplier may deliver which input to which plant, from the tables `recipes` and `suppliers`."""

from __future__ import annotations

import pandas as pd

from nbb_opt.instance.read import Instance

FLOW = ["origin", "destination", "commodity"]


def supplies_of(instance: Instance) -> pd.DataFrame:
    """One row for every pair, recipe by recipe: what both tables say, and the flow that carries it.

    Columns supplier, site, input, origin, destination, commodity, in_region, first_year, capacity_t_per_year,
    price_eur_per_t, upstream_kg_co2e_per_t, and maker: the plant that sells, "" where it is none of `sites`. A plant
    does not supply itself. Where supplier and plant are at one node, nothing is carried.

    >>> import nbb_opt as nbb
    >>> len(supplies_of(nbb.examples.tiny()))
    0
    """
    sites = instance["sites"].drop_duplicates("site").set_index("site")["node"]
    told = ["source", "note"]
    offers = instance["suppliers"].drop(columns=told).rename(columns={"node": "origin", "site": "maker"})
    pairs = instance["recipes"].drop(columns=told).merge(offers, on="input")
    pairs = pairs[pairs["site"] != pairs["maker"]].reset_index(drop=True)
    return pairs.assign(destination=pairs["site"].map(sites))
