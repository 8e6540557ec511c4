"""What a lane is to a truck: countries, regions, tolls, winter, and where it passes a charging area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.recompute.network import in_order
from nbb_opt.recompute.tables import total
from nbb_opt.recompute.world import World


@dataclass(frozen=True)
class LaneFacts:
    """`facts` is indexed by lane; `countries` (lane, country, share) and `areas` (lane, charge_area, share) by km.

    `tolls` (lane, country, toll) are EUR per vkm of the whole lane. `open_h` is the shorter of the opening hours at
    both ends, h/week, infinite if nothing is said.
    """

    facts: pd.DataFrame
    countries: pd.DataFrame
    areas: pd.DataFrame
    tolls: pd.DataFrame


def read_lanes(world: World, tables: Mapping[str, pd.DataFrame]) -> LaneFacts:
    """Recomputed from the links of each lane."""
    links = world.indexed("links")[
        ["country", "distance_km", "time_h", "max_gross_t", "toll_eur_per_vkm", "charge_eur_per_t"]
    ]
    winter = links["country"].map(world.indexed("countries")["winter_share"]).to_numpy(dtype=float)
    links = links.assign(
        level_km=links["distance_km"] * world.energy_factor(links.index.to_series()),
        winter_km=links["distance_km"] * winter,
        toll_eur=links["distance_km"] * links["toll_eur_per_vkm"],
    )
    parts = in_order(tables["lane_links"], "lane").astype({"link": "str", "from_node": "str", "to_node": "str"})
    parts = parts.join(links.reindex(parts["link"]).set_axis(parts.index))
    facts = parts.groupby("lane").agg(
        first_node=("from_node", "first"),
        last_node=("to_node", "last"),
        km=("distance_km", "sum"),
        level_km=("level_km", "sum"),
        hours=("time_h", "sum"),
        gross_limit=("max_gross_t", "min"),
        winter_km=("winter_km", "sum"),
        toll_eur=("toll_eur", "sum"),
        charge_eur_per_t=("charge_eur_per_t", "sum"),
    )
    nodes = world.indexed("nodes")
    facts = facts.assign(
        gross_limit=facts["gross_limit"].fillna(np.inf),
        winter=facts["winter_km"] / facts["km"],
        toll=facts["toll_eur"] / facts["km"],
        region=facts["first_node"].map(nodes["fleet_region"]).fillna(""),
        region_to=facts["last_node"].map(nodes["fleet_region"]).fillna(""),
        cargo_type=tables["lanes"].set_index("lane")["cargo_type"],
    )
    opening = world.indexed("opening_hours")["hours_per_week"]
    first, last = (facts[end].map(opening).astype(float).fillna(np.inf) for end in ("first_node", "last_node"))
    facts = facts.assign(open_h=np.minimum(first, last))
    facts = facts.assign(local=facts["region"] == facts["region_to"])
    facts = facts.assign(**_region_facts(world, facts))
    countries = total(parts, ["lane", "country"], "distance_km")
    countries = countries.assign(share=countries["distance_km"] / countries["lane"].map(facts["km"]))
    passes = _passes(world, parts, facts)
    facts = facts.join(_stretches(passes, facts))
    tolls = total(parts[parts["toll_eur"] > 0], ["lane", "country"], "toll_eur")
    tolls = tolls.assign(toll=tolls["toll_eur"] / tolls["lane"].map(facts["km"]))[["lane", "country", "toll"]]
    return LaneFacts(facts, countries[["lane", "country", "share"]], _area_shares(passes, facts), tolls)


def _region_facts(world: World, facts: pd.DataFrame) -> dict[str, pd.Series]:
    regions = world.indexed("fleet_regions")
    return {
        "region_country": facts["region"].map(regions["country"]).fillna(""),
        "home_area": facts["region"].map(regions["charge_area"]).fillna(""),
    }


def _passes(world: World, parts: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Charging nodes of each lane in driving order: lane, charge_area, at_km (on the level, of the same energy)."""
    start = (
        facts.reset_index()[["lane", "first_node"]].rename(columns={"first_node": "node"}).assign(at_km=0.0, place=0)
    )
    after = parts[["lane"]].assign(
        node=parts["to_node"],
        at_km=parts.groupby("lane")["level_km"].cumsum(),
        place=parts.groupby("lane").cumcount() + 1,
    )
    passes = pd.concat([start, after], ignore_index=True).sort_values(["lane", "place"], kind="stable")
    area = passes["node"].map(world.indexed("nodes")["charge_area"]).fillna("")
    passes = passes.assign(charge_area=area)
    return passes[passes["charge_area"] != ""].reset_index(drop=True)


def _stretches(passes: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Per lane: km to the first charging node, from the last, and the longest stretch between neighbours."""
    groups = passes.groupby("lane")["at_km"]
    frame = pd.DataFrame({"first_km": groups.min(), "last_km": groups.max()})
    gap = passes["at_km"].where(passes["lane"] == passes["lane"].shift()) - passes["at_km"].shift()
    frame = frame.assign(longest_gap_km=gap.groupby(passes["lane"]).max().fillna(0.0))
    frame = frame.assign(tail_km=facts["level_km"].reindex(frame.index) - frame["last_km"])
    return frame[["first_km", "tail_km", "longest_gap_km"]].reindex(facts.index)


def _area_shares(passes: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    same_before = passes["lane"] == passes["lane"].shift()
    same_after = passes["lane"] == passes["lane"].shift(-1)
    at = passes["at_km"]
    whole = passes["lane"].map(facts["level_km"])
    before = np.where(same_before, (at - at.shift()) / 2.0, at)
    after = np.where(same_after, (at.shift(-1) - at) / 2.0, whole - at)
    frame = passes.assign(share=(before + after) / whole)
    return total(frame, ["lane", "charge_area"], "share")
