"""How products leave for the gateways: by which port and modes, and what a tonne costs and emits until it is there."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nbb_opt.emissions.outside import outside_freight
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import CARGO_TYPES
from nbb_opt.network.weights import Amounts
from nbb_opt.result import Run


def goods_out(instance: Instance, amounts: Amounts, run: Run | None) -> pd.DataFrame:
    """How products leave: a row for each origin, product, gateway at the end, port and period.

    origin, commodity, destination, year, port (where it goes to sea or on a ferry, blank on land), modes, tonnes,
    sea_km, cost_eur_per_t, time_h, co2e_kg_per_t, choice: whether the plan chose the mode (of freight in
    `outside_flows` nothing is done at quays). Without a plan only the latter is there.
    """
    far = set(instance["nodes"].loc[instance["nodes"]["kind"] == "gateway", "node"])
    parts = [_given_steps(instance)] + ([] if run is None else [_chosen_steps(run)])
    steps = pd.concat(parts, ignore_index=True)
    steps = steps[steps["destination"].isin(far) & ~steps["origin"].isin(far)]
    if steps.empty:
        return pd.DataFrame(columns=["origin", "commodity", "destination", "year", "port", "modes", "choice", "tonnes",
                                     "sea_km", "cost_eur_per_t", "time_h", "co2e_kg_per_t"])  # fmt: skip
    years = {period.year: t for t, period in enumerate(instance.periods)}
    link_row = {name: i for i, name in enumerate(instance["links"]["link"])}
    transfers = zip(*(instance["transfers"][name] for name in ("node", "mode_a", "mode_b")), strict=True)
    transfer_row = {key: i for i, key in enumerate(transfers)}
    transfer_row |= {(node, b, a): i for (node, a, b), i in transfer_row.items()}
    cargo = steps["commodity"].map(instance["commodities"].set_index("commodity")["cargo_type"])
    h = cargo.map({name: i for i, name in enumerate(CARGO_TYPES)}).to_numpy(dtype=np.int64)
    t = steps["year"].map(years).to_numpy(dtype=np.int64)
    moves = (steps["link"] != "").to_numpy()
    link = steps["link"].map(link_row).fillna(0).to_numpy(dtype=np.int64)
    change = pd.Series(zip(steps["node"], steps["mode_a"], steps["mode_b"], strict=True), index=steps.index)
    transfer = change.map(transfer_row).fillna(0).to_numpy(dtype=np.int64)
    given = {
        "cost_eur_per_t": (
            amounts.link_cost + amounts.link_carbon_cost,
            amounts.transfer_cost[:, None] + amounts.transfer_carbon_cost,
        ),
        "co2e_kg_per_t": (amounts.link_ttw + amounts.link_wtt, (amounts.transfer_ttw + amounts.transfer_wtt)[:, None]),
    }
    for name, (of_link, of_transfer) in given.items():
        there = np.broadcast_to(of_transfer, (*of_link.shape[:2], of_transfer.shape[2]))
        handled = there[h, t, transfer] if there.shape[2] else 0.0
        steps[name] = np.where(moves, of_link[h, t, link], handled)
    handled = amounts.transfer_time[h, transfer] if amounts.transfer_time.shape[1] else 0.0
    steps["time_h"] = np.where(moves, amounts.link_time[link], handled)
    mode = instance["links"]["mode"].to_numpy()[link]
    afloat = moves & np.isin(mode, ("sea", "ferry"))
    steps["sea_km"] = np.where(afloat, instance["links"]["distance_km"].to_numpy()[link], 0.0)
    steps["port"] = np.where(afloat, steps["node"], "")
    steps["modes"] = np.where(moves, mode, "")
    way = ["choice", "way", "origin", "commodity", "destination", "year", "tonnes"]
    found = steps.groupby(way, sort=False).agg(
        cost_eur_per_t=("cost_eur_per_t", "sum"), co2e_kg_per_t=("co2e_kg_per_t", "sum"), time_h=("time_h", "sum"),
        sea_km=("sea_km", "sum"), port=("port", lambda ports: next((port for port in ports if port), "")),
        modes=("modes", lambda modes: "-".join(dict.fromkeys(mode for mode in modes if mode))),
    ).reset_index()  # fmt: skip
    weighted = ["cost_eur_per_t", "co2e_kg_per_t", "time_h", "sea_km"]
    found[weighted] = found[weighted].mul(found["tonnes"], axis=0)
    key = ["origin", "commodity", "destination", "year", "port", "modes", "choice"]
    found = found.groupby(key, as_index=False)[["tonnes", *weighted]].sum()
    found[weighted] = found[weighted].div(found["tonnes"], axis=0)
    return found.sort_values(["year", "tonnes"], ascending=[True, False], ignore_index=True)


def _given_steps(instance: Instance) -> pd.DataFrame:
    """The freight without a choice of mode: one step each."""
    rows = (
        outside_freight(instance)
        .groupby(["origin", "destination", "commodity", "link", "year"], as_index=False)["tonnes"]
        .first()
    )
    return rows.assign(choice=False, way=np.arange(len(rows)), node=rows["origin"], mode_a="", mode_b="").astype(
        {"year": "int64"}
    )


def _chosen_steps(run: Run) -> pd.DataFrame:
    """The steps of the chains with tonnes: links (with the node where it begins) and transfers."""
    tables = run.tables
    flows = (
        tables["flows"].merge(tables["chains"][["chain", "bundle"]], on="chain").merge(tables["bundles"], on="bundle")
    )
    steps = flows.merge(tables["chain_steps"], on="chain").sort_values(["year", "chain", "step"])
    steps = steps.astype(dict.fromkeys(("kind", "link", "from_node", "mode_a", "mode_b"), "str"))
    lanes = steps[steps["kind"] == "lane"].drop(columns=["link", "from_node", "step"])
    on_road = lanes.merge(
        tables["lane_links"][["lane", "step", "link", "from_node"]].astype({"link": "str"}), on="lane"
    )
    rows = pd.concat([steps[steps["kind"] != "lane"], on_road]).rename(columns={"from_node": "node", "chain": "way"})
    rows = rows.assign(choice=True)
    return rows[["origin", "destination", "commodity", "link", "year", "tonnes", "choice", "way", "node", "mode_a",
                 "mode_b"]]  # fmt: skip
