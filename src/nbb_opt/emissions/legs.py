"""Rail, sea and ferry legs: runs of links of one mode without a transfer, and what each train or ship drew on them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from nbb_opt.recompute.services import chosen_services, service_options
from nbb_opt.recompute.world import World, join, total


@dataclass(frozen=True)
class Legs:
    """`runs`: chain, step, leg. `legs`: leg, mode, from_node, to_node, distance_km.

    `use`: leg, cargo_type, year, vehicle, km (of the leg under that vehicle). `lines`: the same key, country,
    energy_carrier, kwh_per_t.
    """

    runs: pd.DataFrame
    legs: pd.DataFrame
    use: pd.DataFrame
    lines: pd.DataFrame


def read_legs(world: World, steps: pd.DataFrame, flows: pd.DataFrame) -> Legs:
    """The legs of the chains in `flows` (chain, cargo_type, year, tonnes) and the services that run them.

    `steps` are the steps of these chains, in order.
    """
    link = steps["kind"] == "link"
    same = (steps["chain"] == steps["chain"].shift()) & link.shift(fill_value=False)
    same &= steps["mode_a"] == steps["mode_a"].shift()
    run = (~(same & link)).cumsum()
    rows = steps[link].assign(run=run[link])
    runs = rows.groupby("run").agg(
        chain=("chain", "first"),
        step=("step", "first"),
        mode=("mode_a", "first"),
        from_node=("from_node", "first"),
        to_node=("to_node", "last"),
        links=("link", ";".join),
    )
    key = ["mode", "from_node", "to_node", "links"]
    legs = runs[key].drop_duplicates().sort_values(key).reset_index(drop=True)
    legs = legs.assign(leg=legs.index).astype({"leg": "int64"})
    runs = runs.pipe(join, legs, on=key)[["chain", "step", "leg"]]
    parts = legs.assign(link=legs["links"].str.split(";")).explode("link")[["leg", "link"]].astype({"link": "str"})
    parts = parts.pipe(join, world.table("links")[["link", "distance_km"]], on="link")
    legs = legs.drop(columns="links").pipe(join, total(parts, ["leg"], "distance_km"), on="leg")
    needed = runs.pipe(join, flows[["chain", "cargo_type", "year"]], on="chain")
    needed = needed[["leg", "cargo_type", "year"]].drop_duplicates()
    used = needed.pipe(join, parts[["leg", "link"]], on="leg")
    chosen = chosen_services(world, service_options(world, used[["link", "cargo_type", "year"]].drop_duplicates()))
    columns = ["link", "cargo_type", "year", "vehicle", "country", "energy_carrier", "share", "distance_km"]
    found = used.pipe(join, chosen[[*columns, "kwh_per_tkm"]], on=["link", "cargo_type", "year"])
    km = found["share"] * found["distance_km"]
    found = found.assign(km=km, kwh_per_t=km * found["kwh_per_tkm"])
    key = ["leg", "cargo_type", "year", "vehicle"]
    lines = total(found, [*key, "country", "energy_carrier"], "kwh_per_t")
    return Legs(runs, legs, total(found, key, "km"), lines)
