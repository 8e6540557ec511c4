"""Bundles: the flows of the demand that carry something in some period, with their tonnes in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance import Instance, demand_of, supplies_of
from nbb_opt.result import as_table

SHOWN = 3


@dataclass(frozen=True)
class BundleDemand:
    """`bundles` as in result.TABLES; `demand_t` (bundles, periods) in t/year; `log` says what was read and left out."""

    bundles: pd.DataFrame
    demand_t: np.ndarray
    log: tuple[str, ...]


def read_demand(instance: Instance) -> BundleDemand:
    """The demand in every period, linear between the years of each flow; flows of several shippers are added up.

    Flows by which a supplier may serve a plant with a recipe are bundles too, where demand has none.
    Bundles are sorted by the names of origin, destination and commodity. Raises InstanceError if a flow has no rows
    around some period, or none carries anything.
    """
    flows, file = demand_of(instance), instance.od_path.name
    flow, demand_t = flows.tonnes_in([period.year for period in instance.periods])
    unknown = np.isnan(demand_t)
    if unknown.any():
        where, hint = f"{file}, column year", "give rows for years that enclose every period"
        raise InstanceError(
            [
                Problem(where, f"{'/'.join(flows.names(int(flow[f])))} has no demand for {period.year}", hint)
                for t, period in enumerate(instance.periods)
                for f in np.flatnonzero(unknown[:, t])[:SHOWN].tolist()
            ]
        )
    moves = demand_t.any(axis=1)
    flow, demand_t = flow[moves], demand_t[moves]
    if not flow.size:
        raise InstanceError([Problem(file, "holds no flow with tonnes in any period", "give a demand")])
    ends = zip(("origin", "destination", "commodity"), flows.ends(flow), strict=True)
    known = {"origin": flows.nodes, "destination": flows.nodes, "commodity": flows.commodities}
    words = {name: pd.array(list(known[name]), dtype="str").take(place) for name, place in ends}
    bundles, demand_t = _with_supplies(instance, pd.DataFrame(words), demand_t)
    years = ", ".join(str(year) for year in np.unique(flows.year))
    named = sum(1 for name in flows.shippers if name)
    shippers = f"{named} named shippers" if named else "one shipper, who is not named"
    if named and "" in flows.shippers:
        shippers += " and of others, who are not"
    log = [
        f"demand: {flows.rows} rows of {file} for the years {years} are {moves.size} flows",
        f"demand: {int((~moves).sum())} flows are zero in every period and left out; {moves.sum()} bundles remain",
        f"demand: emissions are those of {shippers}",
    ]
    if instance.add_duplicates:
        log.insert(1, f"demand: {flows.n_repeated} rows added to an earlier row of the same flow and year, as asked")
    return BundleDemand(bundles, demand_t, tuple(log))


def _with_supplies(instance: Instance, flows: pd.DataFrame, demand_t: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """Flows numbered, with those that suppliers may use, in order."""
    ends = list(flows.columns)
    pairs = supplies_of(instance)
    pairs = pairs.loc[pairs["origin"] != pairs["destination"], ends].drop_duplicates().astype("str")
    if len(pairs):
        both = pd.concat([flows.assign(old=True), pairs.assign(old=False)], ignore_index=True)
        both = both.drop_duplicates(ends)
        demand_t = np.vstack([demand_t, np.zeros((int((~both["old"]).sum()), demand_t.shape[1]))])
        order = both.reset_index(drop=True).sort_values(ends, kind="stable").index
        flows, demand_t = both[ends].reset_index(drop=True).loc[order].reset_index(drop=True), demand_t[order]
    return as_table("bundles", flows.assign(bundle=np.arange(len(flows)))), demand_t
