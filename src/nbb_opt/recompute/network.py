"""What steps of chains are compared with: links, transfers and goods of the instance, lanes and bundles of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.recompute.tables import Where, Words, find, pick
from nbb_opt.recompute.world import World

MODE_ORDER = ("road", "rail", "sea", "ferry")
TRANSFER = ["from_node", "mode_a", "mode_b", "terminal", "project"]
STEP_WORDS = ("link", "from_node", "to_node", "mode_a", "mode_b", "terminal", "project")


@dataclass(frozen=True, kw_only=True)
class Network:
    """Words stand as numbers of `words`.

    `links`, `commodities` have these numbers as index. `lanes` (index lane) is the plan's table and `project`, the
    projects of its links joined by `;`. `transfers` are those possible, both ways round, as TRANSFER. `handling` has
    index mode_a, mode_b, cargo_type. `bundles` (index bundle) has origin, destination, commodity, cargo_type; -1:
    unknown.
    """

    words: Words
    links: pd.DataFrame
    lanes: pd.DataFrame
    transfers: pd.MultiIndex
    handling: pd.DataFrame
    commodities: pd.DataFrame
    bundles: pd.DataFrame


def read_network(world: World, tables: Mapping[str, pd.DataFrame]) -> Network:
    """The instance's side and the plan's lanes and bundles."""
    words = Words()

    def numbered(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
        return frame.assign(**{column: words.of(frame[column]) for column in columns})

    links = world.table("links")[
        ["link", "mode", "from_node", "to_node", "two_way", "project", "gauge_mm", "distance_km", "time_h",
         "charge_eur_per_t"]
    ]  # fmt: skip
    given = world.table("transfers").rename(columns={"node": "from_node"})[TRANSFER]
    turned = given.rename(columns={"mode_a": "mode_b", "mode_b": "mode_a"})[TRANSFER]
    kinds = ["mode_a", "mode_b", "cargo_type"]
    goods = world.table("commodities")[["commodity", "cargo_type", "modes", "value_of_time_eur_per_t_h"]]
    commodities = numbered(goods, "commodity", "cargo_type").set_index("commodity")
    lanes = tables["lanes"][["lane", "from_node", "to_node", "cargo_type", "distance_km", "time_h"]]
    lanes = lanes.assign(project=_lane_projects(world, tables["lane_links"], lanes["lane"]))
    bundles = numbered(tables["bundles"], "origin", "destination", "commodity").set_index("bundle")
    at = find(commodities.index, bundles["commodity"])
    return Network(
        words=words,
        links=numbered(links, "link", "mode", "from_node", "to_node", "project").set_index("link"),
        lanes=numbered(lanes, "from_node", "to_node", "cargo_type", "project").set_index("lane"),
        transfers=pd.MultiIndex.from_frame(numbered(pd.concat([given, turned]), *TRANSFER)),
        handling=numbered(handling_rows(world), *kinds).set_index(kinds),
        commodities=commodities,
        bundles=bundles.assign(cargo_type=pick(commodities["cargo_type"], at)),
    )


def mode_constants(world: World, bundles: pd.DataFrame, from_the_start: np.ndarray) -> np.ndarray:
    """EUR per tonne (bundles, modes as MODE_ORDER) of table `mode_constants`; zero where not `from_the_start`: such a
    flow has no demand in the first period."""
    eur = np.zeros((len(bundles), len(MODE_ORDER)))
    for row in world.table("mode_constants").to_dict("records"):
        on = from_the_start.copy()
        for names, ends in (("origins", "origin"), ("destinations", "destination"), ("commodities", "commodity")):
            if row[names] != "":
                on &= np.isin(bundles[ends].to_numpy(str), row[names].split(";"))
        eur[on, MODE_ORDER.index(row["mode"])] += row["eur_per_t"]
    return eur


def _lane_projects(world: World, lane_links: pd.DataFrame, lanes: pd.Series) -> np.ndarray:
    """The projects that the links of each of `lanes` need, joined by `;`."""
    needing = world.table("links")[["link", "project"]].query("project != ''")
    parts = lane_links.loc[lane_links["link"].isin(needing["link"]), ["lane", "link"]].astype({"link": "str"})
    pairs = parts.merge(needing, on="link")[["lane", "project"]].drop_duplicates().sort_values("project")
    return pairs.groupby("lane")["project"].agg(";".join).astype("str").reindex(lanes).fillna("").to_numpy()


def handling_rows(world: World) -> pd.DataFrame:
    """`handling_costs` both ways round: a row (a, b) holds for (b, a) unless that one is given too."""
    given = world.table("handling_costs").drop(columns=["source", "note"])
    turned = given.rename(columns={"mode_a": "mode_b", "mode_b": "mode_a"})
    return pd.concat([given, turned]).drop_duplicates(["mode_a", "mode_b", "cargo_type"])


def in_order(frame: pd.DataFrame, key: str) -> pd.DataFrame:
    """Rows by `key` and step."""
    first, second = frame[key].to_numpy(), frame["step"].to_numpy()
    rising = (first[1:] > first[:-1]) | ((first[1:] == first[:-1]) & (second[1:] >= second[:-1]))
    return frame if rising.all() else frame.sort_values([key, "step"], kind="stable").reset_index(drop=True)


@dataclass(frozen=True)
class Chains:
    """Some chains of a plan and their steps in order, with what instance and lanes say of them; words as numbers.

    `table` is the plan's with the columns of Network.bundles and `bundle_at`, the row there. `steps` has chain, step,
    `owner` (row of `table`, -1: none), is_lane, is_link, is_transfer, the words of the step, `lane_at` and `link_at`
    (rows of Network), `handled_at` (row of Network.handling), cargo_type of the chain, exists, mode_in, mode_out,
    gauge, true_project, lane_cargo_type, true_km, true_h.
    """

    table: pd.DataFrame
    steps: pd.DataFrame

    def where(self) -> Where:
        """Names a row of `table`."""
        return lambda i: f"chain {self.table['chain'].iloc[i]}"

    def step_where(self) -> Where:
        """Names a row of `steps`."""
        return lambda i: f"chain {self.steps['chain'].iloc[i]} step {self.steps['step'].iloc[i]}"


def read_chains(network: Network, tables: Mapping[str, pd.DataFrame]) -> Chains:
    """Describe the rows of tables `chains` and `chain_steps`."""
    words = network.words
    none, road = words.number(""), words.number("road")
    table = tables["chains"]
    bundle_at = find(network.bundles.index, table["bundle"])
    table = table.assign(
        bundle_at=bundle_at, **{name: pick(network.bundles[name], bundle_at) for name in network.bundles.columns}
    )
    raw = in_order(tables["chain_steps"], "chain")
    owner = find(pd.Index(table["chain"]), raw["chain"])
    step = {name: words.of(raw[name]) for name in STEP_WORDS}
    is_lane, is_link, is_transfer = ((raw["kind"] == kind).to_numpy() for kind in ("lane", "link", "transfer"))
    unnumbered = raw["lane"].to_numpy() == -1
    lane_at = np.where(is_lane, find(network.lanes.index, raw["lane"]), -1)
    link_at = np.where(is_link, find(network.links.index, step["link"]), -1)
    absent = {"distance_km": np.nan, "time_h": np.nan, "project": none}
    lane = {name: pick(network.lanes[name], lane_at, absent.get(name, -1))
            for name in ("from_node", "to_node", "cargo_type", "project", "distance_km", "time_h")}  # fmt: skip
    link = {name: pick(network.links[name], link_at, absent.get(name, -1))
            for name in ("mode", "from_node", "to_node", "project")}  # fmt: skip
    two_way = pick(network.links["two_way"], link_at).astype(bool)  # what is no link has no ends to go between
    gauge, km, hours = (
        pick(network.links[name].astype(float), link_at, np.nan) for name in ("gauge_mm", "distance_km", "time_h")
    )
    cargo_type = pick(table["cargo_type"], owner)
    along = (step["from_node"] == link["from_node"]) & (step["to_node"] == link["to_node"])
    against = (step["from_node"] == link["to_node"]) & (step["to_node"] == link["from_node"])
    on_link = (
        (along | (against & two_way)) & (step["mode_a"] == link["mode"]) & (link["mode"] != road)
        & (step["mode_b"] == none) & (step["terminal"] == none) & unnumbered
    )  # fmt: skip
    on_lane = (
        (step["from_node"] == lane["from_node"]) & (step["to_node"] == lane["to_node"]) & (step["mode_a"] == road)
        & (step["mode_b"] == none) & (step["link"] == none) & (step["terminal"] == none)
    )  # fmt: skip
    moved = np.flatnonzero(is_transfer)
    possible, handled_at = np.zeros(len(raw), bool), np.full(len(raw), -1)
    said = pd.MultiIndex.from_arrays([step[name][moved] for name in TRANSFER])
    possible[moved] = said.isin(network.transfers)
    kinds = pd.MultiIndex.from_arrays([step["mode_a"][moved], step["mode_b"][moved], cargo_type[moved]])
    handled_at[moved] = find(network.handling.index, kinds)
    at_node = possible & (step["from_node"] == step["to_node"]) & (step["link"] == none) & unnumbered
    kind = [is_lane, is_link]
    steps = pd.DataFrame({
        "chain": raw["chain"].to_numpy(), "step": raw["step"].to_numpy(), "owner": owner, **step,
        "is_lane": is_lane, "is_link": is_link, "is_transfer": is_transfer,
        "lane_at": lane_at, "link_at": link_at, "handled_at": handled_at, "cargo_type": cargo_type,
        "exists": np.select([*kind, is_transfer], [on_lane, on_link, at_node], False),
        "mode_in": np.where(is_lane, road, step["mode_a"]),
        "mode_out": np.select(kind, [road, step["mode_a"]], step["mode_b"]),
        "gauge": gauge,
        "true_project": np.select(kind, [lane["project"], link["project"]],
                                  step["project"]),
        "lane_cargo_type": lane["cargo_type"],
        "true_km": np.select(kind, [lane["distance_km"], km], 0.0),
        "true_h": np.select(kind, [lane["time_h"], hours],
                            pick(network.handling["time_h"].astype(float), handled_at, np.nan)),
    })  # fmt: skip
    return Chains(table, steps)
