"""Every chain is a path that exists: steps join, links and transfers exist, goods and gauges fit, lanes are roads."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nbb_opt.recompute import MODE_ORDER, Chains, Network, World, find, in_order, pick
from nbb_opt.verify.verdict import Checks, names


def check_lanes(world: World, tables: Mapping[str, pd.DataFrame], checks: Checks) -> None:
    """`follow_roads`: a lane's links are consecutive road links driven the allowed way. `agree_lanes`: its figures."""
    lanes = tables["lanes"]
    facts = ["mode", "from_node", "to_node", "two_way", "distance_km", "time_h", "max_gross_t"]
    links = world.indexed("links")[facts].add_prefix("true_")
    parts = in_order(tables["lane_links"], "lane").astype({"link": "str", "from_node": "str", "to_node": "str"})
    parts = parts.join(links.reindex(parts["link"]).set_axis(parts.index))
    where = names(parts, "lane {} step {} link {}", ["lane", "step", "link"])
    checks.hold("follow_roads", parts["true_mode"].to_numpy() == "road", where=where)
    checks.hold("follow_roads", _direction_fits(parts), where=where)
    first = ~parts.duplicated("lane")
    joined = first | (parts["from_node"] == parts["to_node"].shift())
    checks.hold("follow_roads", joined, where=where)
    checks.hold("follow_roads", _counted(parts, "lane"), where=where)
    summed = parts.groupby("lane").agg(
        from_node=("from_node", "first"),
        to_node=("to_node", "last"),
        distance_km=("true_distance_km", "sum"),
        time_h=("true_time_h", "sum"),
        gross_limit_t=("true_max_gross_t", "min"),
    )
    true = summed.reindex(lanes["lane"])
    where = names(lanes, "lane {} from {} to {}", ["lane", "from_node", "to_node"])
    ends = (true["from_node"].to_numpy() == lanes["from_node"].to_numpy()) & (
        true["to_node"].to_numpy() == lanes["to_node"].to_numpy()
    )
    checks.hold("follow_roads", ends, where=where)
    checks.compare("agree_lanes", lanes["distance_km"], "==", true["distance_km"], where=where, unit="km")
    checks.compare("agree_lanes", lanes["time_h"], "==", true["time_h"], where=where, unit="km")
    said = lanes["gross_limit_t"].to_numpy()
    limit = true["gross_limit_t"].fillna(np.inf).to_numpy()
    with np.errstate(invalid="ignore"):
        same = np.where(np.isinf(limit) | np.isinf(said), said == limit, np.abs(said - limit) <= 1e-9 * limit)
    checks.hold("agree_lanes", same, where=where)


def check_chains(network: Network, chains: Chains, checks: Checks) -> None:
    """`follow_a_path`, `allow_modes`, `name_projects`, `agree_chains`."""
    table, steps, words = chains.table, chains.steps, network.words
    where, chain_where = chains.step_where(), chains.where()
    checks.hold("follow_a_path", _counted(steps, "chain"), where=where)
    checks.hold("follow_a_path", steps["exists"], where=where)
    new = (steps["chain"] != steps["chain"].shift()).to_numpy()
    ends = {"from_node": np.flatnonzero(new), "to_node": np.flatnonzero(np.append(new, True)[1:])}
    at = np.full(len(table), -1)
    at[steps["owner"].to_numpy()[new]] = np.arange(new.sum())
    at_home = (table["origin"] == table["destination"]).to_numpy() & (at < 0)
    road = words.number("road")
    for node, mode, end in (("from_node", "mode_in", "origin"), ("to_node", "mode_out", "destination")):
        place = pick(ends[node], at)
        there = (pick(steps[node], place) == table[end].to_numpy()) & (pick(steps[mode], place) == road)
        checks.hold("follow_a_path", at_home | ((at >= 0) & there), where=chain_where)
    joined = (steps["from_node"] == steps["to_node"].shift()) & (steps["mode_in"] == steps["mode_out"].shift())
    two_lanes = steps["is_lane"] & steps["is_lane"].shift(fill_value=False)
    checks.hold("follow_a_path", new | (joined & ~two_lanes), where=where)
    checks.hold("follow_a_path", _gauges_fit(steps), where=where)

    checks.hold("allow_modes", ~steps["is_lane"] | (steps["lane_cargo_type"] == steps["cargo_type"]), where=where)
    goods = pick(np.arange(len(network.commodities)), find(network.commodities.index, table["commodity"]))
    used = (
        steps["is_transfer"].to_numpy()
        | _allowed(network)[pick(goods, steps["owner"].to_numpy()), steps["mode_in"].to_numpy()]
    )
    checks.hold("allow_modes", used, where=where)

    checks.hold("name_projects", steps["project"] == steps["true_project"], where=where)
    needed = needed_projects(network, chains).sort_values("project")
    sets = needed.groupby("chain")["project"].agg(";".join).astype("str").reindex(table["chain"]).fillna("")
    checks.hold("name_projects", table["projects"].to_numpy() == sets.to_numpy(), where=chain_where)
    _totals(network, chains, checks)


def _allowed(network: Network) -> np.ndarray:
    """Whether goods (rows of Network.commodities) may use a mode (number of the word); shape (goods, words)."""
    modes = {mode: network.words.number(mode) for text in network.commodities["modes"] for mode in text.split(";")}
    allowed = np.zeros((len(network.commodities), len(network.words)), bool)
    for row, text in enumerate(network.commodities["modes"]):
        allowed[row, [modes[mode] for mode in text.split(";")]] = True
    return allowed


def needed_projects(network: Network, chains: Chains) -> pd.DataFrame:
    """Columns chain, project: every project that a chain needs, once."""
    steps = chains.steps
    needing = steps.loc[steps["true_project"] != network.words.number(""), ["chain", "true_project"]]
    needing = needing.drop_duplicates().reset_index(drop=True)
    project = network.words.texts(needing["true_project"].to_numpy())
    needing = needing.assign(project=project.str.split(";")).explode("project")
    return needing[["chain", "project"]].astype({"project": "str"}).drop_duplicates().reset_index(drop=True)


def _direction_fits(parts: pd.DataFrame) -> np.ndarray:
    along = (parts["from_node"] == parts["true_from_node"]) & (parts["to_node"] == parts["true_to_node"])
    against = (parts["from_node"] == parts["true_to_node"]) & (parts["to_node"] == parts["true_from_node"])
    return (along | (against & (parts["true_two_way"] == True))).to_numpy(dtype=bool)  # noqa: E712


def _counted(parts: pd.DataFrame, group: str) -> np.ndarray:
    return (parts.groupby(group).cumcount() == parts["step"]).to_numpy(dtype=bool)


def _gauges_fit(steps: pd.DataFrame) -> np.ndarray:
    """Rail follows rail on one gauge; a rail-to-rail transfer stands between two gauges."""
    same_chain_before = steps["chain"] == steps["chain"].shift()
    rail = steps["gauge"].notna()
    adjacent = rail & rail.shift(fill_value=False) & same_chain_before
    wrong_join = adjacent & (steps["gauge"] != steps["gauge"].shift())
    change = steps["is_transfer"] & (steps["mode_in"] == steps["mode_out"])
    surrounded = same_chain_before & (steps["chain"] == steps["chain"].shift(-1))
    two_gauges = (
        surrounded
        & rail.shift(fill_value=False)
        & rail.shift(-1, fill_value=False)
        & (steps["gauge"].shift() != steps["gauge"].shift(-1))
    )
    return (~wrong_join & (~change | two_gauges)).to_numpy(dtype=bool)


def chain_totals(chains: Chains) -> pd.DataFrame:
    """Columns true_km, true_h of each row of `chains.table`, from the steps for which they are known."""
    sums = chains.steps.groupby("chain")[["true_km", "true_h"]].sum()
    return sums.reindex(chains.table["chain"], fill_value=0.0)


def _totals(network: Network, chains: Chains, checks: Checks) -> None:
    table, where, sums = chains.table, chains.where(), chain_totals(chains)
    checks.compare("agree_chains", table["distance_km"], "==", sums["true_km"], where=where, unit="km")
    unknown = chains.steps.loc[chains.steps["true_h"].isna(), "chain"]
    hours = sums["true_h"].mask(sums.index.isin(unknown))
    checks.compare("agree_chains", table["time_h"], "==", hours, where=where, unit="km")
    checks.hold("agree_chains", table["main_mode"].to_numpy() == main_modes(network, chains), where=where)


def main_modes(network: Network, chains: Chains) -> np.ndarray:
    """Mode with most km of each row of `chains.table`; of equals the first of road, rail, sea, ferry."""
    steps = chains.steps[~chains.steps["is_transfer"] & (chains.steps["owner"] >= 0)]
    mode = find(pd.Index([network.words.number(name) for name in MODE_ORDER]), steps["mode_in"])
    place = (steps["owner"].to_numpy() * len(MODE_ORDER) + mode)[mode >= 0]
    weights = steps["true_km"].fillna(0.0).to_numpy()[mode >= 0]
    km = np.bincount(place, weights, minlength=len(chains.table) * len(MODE_ORDER)).reshape(-1, len(MODE_ORDER))
    return np.array(MODE_ORDER, object)[km.round(6).argmax(axis=1)]


def check_services(world: World, used: pd.DataFrame, chosen: pd.DataFrame, checks: Checks) -> None:
    """`admit_services`: a used link has a service in its year; a used rail link has one in every period."""
    links = world.table("links").set_index("link")
    ready = pd.MultiIndex.from_frame(chosen[["link", "cargo_type", "year"]].drop_duplicates())
    now = pd.MultiIndex.from_frame(used[["link", "cargo_type", "year"]]).isin(ready)
    checks.hold("admit_services", now, where=names(used, "link {} for {} {}", ["link", "cargo_type", "year"]))
    pairs = used[["link", "cargo_type"]].drop_duplicates()
    pairs = pairs[pairs["link"].map(links["mode"]).to_numpy() == "rail"]
    always = pairs.merge(pd.DataFrame({"year": list(world.years)}), how="cross")
    fine = pd.MultiIndex.from_frame(always[["link", "cargo_type", "year"]]).isin(ready)
    checks.hold("admit_services", fine, where=names(always, "rail link {} for {} {}", ["link", "cargo_type", "year"]))
