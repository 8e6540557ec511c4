"""What passes every link: a plan's flows, and the freight without a choice of mode, by the legs that they travel."""

from __future__ import annotations

import pandas as pd

from nbb_opt.emissions.outside import outside_freight
from nbb_opt.instance import Instance
from nbb_opt.report.kpis import Tables

AFLOAT = ("sea", "ferry")


def movements(tables: Tables, links: pd.DataFrame, year: int) -> pd.DataFrame:
    """A row for each link that a flow of `year` passes.

    origin, destination, commodity; `leg` numbers what is moved by one mode from `start` to `end`, both between
    transfers; `mode`, `link`, `country`, `distance_km`, `tonnes`.
    """
    flows = tables["flows"].query("year == @year").merge(tables["chains"][["chain", "bundle"]], on="chain")
    flows = flows.merge(tables["bundles"], on="bundle")[["chain", "origin", "destination", "commodity", "tonnes"]]
    steps = tables["chain_steps"].merge(flows, on="chain").sort_values(["chain", "step"], ignore_index=True)
    moves = steps["kind"].isin(("link", "lane"))
    steps["leg"] = (~moves | steps["chain"].ne(steps["chain"].shift())).cumsum()
    legs = steps[moves].assign(
        start=lambda rows: rows.groupby("leg")["from_node"].transform("first"),
        end=lambda rows: rows.groupby("leg")["to_node"].transform("last"),
    )
    lanes = legs["kind"].eq("lane")
    on_road = legs[lanes].drop(columns="link").merge(tables["lane_links"][["lane", "link"]], on="lane")
    passed = pd.concat([legs[~lanes], on_road]).astype({"link": "str"})
    facts = links[["link", "mode", "country", "distance_km"]]
    wanted = ["origin", "destination", "commodity", "leg", "start", "end", "link", "tonnes"]
    return passed[wanted].merge(facts, on="link")


def outside_movements(instance: Instance, year: int) -> pd.DataFrame:
    """The same of the freight without a choice of mode in `outside_flows`; numbers of legs are below 0."""
    rows = outside_freight(instance).query("year == @year").reset_index(drop=True)
    return rows.assign(leg=-1 - rows.index, start=rows["origin"], end=rows["destination"])


def over_quays(instance: Instance, tables: Tables, year: int) -> pd.DataFrame:
    """Tonnes that ships and ferries take and leave in `year`, a row for each place: node, chosen, given.

    `chosen` is freight with a choice of mode, `given` that of `outside_flows`.
    """
    flows = tables["flows"].query("year == @year")[["chain", "tonnes"]]
    steps = tables["chain_steps"].query("kind == 'transfer'").merge(flows, on="chain")
    steps = steps[steps["mode_a"].isin(AFLOAT) | steps["mode_b"].isin(AFLOAT)]
    chosen = steps.groupby(steps["from_node"].astype("str"))["tonnes"].sum()
    ships = outside_freight(instance).query("year == @year and mode in @AFLOAT")
    given = pd.concat([ships.set_index(end)["tonnes"] for end in ("origin", "destination")]).groupby(level=0).sum()
    return pd.DataFrame({"chosen": chosen, "given": given}).fillna(0.0).rename_axis("node").reset_index()
