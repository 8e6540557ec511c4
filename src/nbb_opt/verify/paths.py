"""Every chain is a path that exists: steps join, links and transfers exist, goods and gauges fit, lanes are roads."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nbb_opt.verify.verdict import Checks, names
from nbb_opt.verify.world import World, join

MODE_ORDER = ("road", "rail", "sea", "ferry")


def check_lanes(world: World, tables: Mapping[str, pd.DataFrame], checks: Checks) -> None:
    """`follow_roads`: a lane's links are consecutive road links driven the allowed way. `agree_lanes`: its figures."""
    lanes = tables["lanes"]
    links = world.table("links").add_prefix("true_")
    parts = tables["lane_links"].sort_values(["lane", "step"], kind="stable").reset_index(drop=True)
    parts = parts.pipe(join, links, left_on="link", right_on="true_link", how="left")
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


def check_chains(world: World, tables: Mapping[str, pd.DataFrame], steps: pd.DataFrame, checks: Checks) -> None:
    """`follow_a_path`, `allow_modes`, `name_projects`, `agree_chains`."""
    chains = tables["chains"].pipe(join, tables["bundles"], on="bundle", how="left")
    chains = chains.pipe(
        join, world.table("commodities")[["commodity", "handling", "modes"]], on="commodity", how="left"
    )
    where = names(steps, "chain {} step {}", ["chain", "step"])
    checks.hold("follow_a_path", _counted(steps, "chain"), where=where)
    checks.hold("follow_a_path", steps["exists"], where=where)
    last_of = steps.groupby("chain").tail(1).set_index("chain").reindex(chains["chain"])
    first_of = steps.groupby("chain").head(1).set_index("chain").reindex(chains["chain"])
    at_home = (chains["origin"] == chains["destination"]).to_numpy() & first_of["step"].isna().to_numpy()
    chain_where = names(chains, "chain {}", ["chain"])
    starts = (first_of["from_node"].to_numpy() == chains["origin"].to_numpy()) & (
        first_of["mode_in"].to_numpy() == "road"
    )
    ends = (last_of["to_node"].to_numpy() == chains["destination"].to_numpy()) & (
        last_of["mode_out"].to_numpy() == "road"
    )
    checks.hold("follow_a_path", at_home | starts, where=chain_where)
    checks.hold("follow_a_path", at_home | ends, where=chain_where)
    before = steps.shift()
    first = ~steps.duplicated("chain")
    joined = (steps["from_node"] == before["to_node"]) & (steps["mode_in"] == before["mode_out"])
    two_lanes = (steps["kind"] == "lane") & (before["kind"] == "lane")
    checks.hold("follow_a_path", first | (joined & ~two_lanes), where=where)
    checks.hold("follow_a_path", _gauges_fit(steps), where=where)

    facts = chains.set_index("chain").reindex(steps["chain"])
    lane_handling = steps["lane_handling"].to_numpy()
    fits = (steps["kind"] != "lane").to_numpy() | (lane_handling == facts["handling"].to_numpy())
    checks.hold("allow_modes", fits, where=where)
    allowed = {modes: set(modes.split(";")) for modes in chains["modes"].unique()}
    used = zip(steps["kind"], steps["mode_in"], facts["modes"], strict=True)
    checks.hold(
        "allow_modes", [kind == "transfer" or mode in allowed[modes] for kind, mode, modes in used], where=where
    )

    checks.hold("name_projects", steps["project"].to_numpy() == steps["true_project"].to_numpy(), where=where)
    needed = needed_projects(steps)
    sets = {chain: ";".join(sorted(group)) for chain, group in needed.groupby("chain")["project"]}
    true_sets = pd.Series(sets, dtype="str").reindex(chains["chain"]).fillna("")
    checks.hold("name_projects", chains["projects"].to_numpy() == true_sets.to_numpy(), where=chain_where)
    _totals(world, chains, steps, checks)


def described_steps(world: World, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Steps in order, with what the instance says: exists, mode_in, mode_out, gauge, true_project, true_km, true_h."""
    steps = tables["chain_steps"].sort_values(["chain", "step"], kind="stable").reset_index(drop=True)
    links = world.table("links").add_prefix("true_")
    linked = steps[["link", "from_node", "to_node"]].pipe(join, links, left_on="link", right_on="true_link", how="left")
    is_link = (steps["kind"] == "link").to_numpy()
    lanes = tables["lanes"].set_index("lane").reindex(steps["lane"])
    is_lane = (steps["kind"] == "lane").to_numpy()
    is_transfer = (steps["kind"] == "transfer").to_numpy()
    link_fine = (
        _direction_fits(linked)
        & (steps["mode_a"].to_numpy() == linked["true_mode"].to_numpy())
        & (linked["true_mode"].to_numpy() != "road")
        & (steps["mode_b"].to_numpy() == "")
        & (steps["terminal"].to_numpy() == "")
        & (steps["lane"].to_numpy() == -1)
    )
    lane_fine = (
        (steps["from_node"].to_numpy() == lanes["from_node"].to_numpy())
        & (steps["to_node"].to_numpy() == lanes["to_node"].to_numpy())
        & (steps["mode_a"].to_numpy() == "road")
        & (steps["mode_b"].to_numpy() == "")
        & (steps["link"].to_numpy() == "")
        & (steps["terminal"].to_numpy() == "")
    )
    columns = ["node", "mode_a", "mode_b", "terminal", "project"]
    given = world.table("transfers")[columns]
    turned = given.rename(columns={"mode_a": "mode_b", "mode_b": "mode_a"})[columns]
    possible = pd.MultiIndex.from_frame(pd.concat([given, turned]))
    said = pd.MultiIndex.from_arrays([steps[c] for c in ("from_node", *columns[1:])])
    transfer_fine = (
        said.isin(possible)
        & (steps["from_node"] == steps["to_node"]).to_numpy()
        & (steps["link"].to_numpy() == "")
        & (steps["lane"].to_numpy() == -1)
    )
    lane_parts = tables["lane_links"].pipe(
        join, world.table("links")[["link", "project"]].query("project != ''"), on="link", how="inner"
    )
    lane_projects = {lane: ";".join(sorted(set(group))) for lane, group in lane_parts.groupby("lane")["project"]}
    of_lane = pd.Series(lane_projects, dtype="str").reindex(steps["lane"]).fillna("").to_numpy()
    of_link = linked["true_project"].fillna("").to_numpy()
    hours = _transfer_hours(world, tables, steps)
    return steps.assign(
        exists=np.select([is_link, is_lane, is_transfer], [link_fine, lane_fine, transfer_fine], False),
        mode_in=np.where(is_lane, "road", steps["mode_a"]),
        mode_out=np.select([is_lane, is_link], ["road", steps["mode_a"]], steps["mode_b"]),
        gauge=np.where(is_link, linked["true_gauge_mm"].to_numpy(dtype=float), np.nan),
        true_project=np.select([is_lane, is_link], [of_lane, of_link], steps["project"]),
        lane_handling=np.where(is_lane, lanes["handling"].fillna("").to_numpy(), ""),
        true_km=np.select([is_lane, is_link], [lanes["distance_km"], linked["true_distance_km"]], 0.0),
        true_h=np.select([is_lane, is_link], [lanes["time_h"], linked["true_time_h"]], hours),
    )


def needed_projects(steps: pd.DataFrame) -> pd.DataFrame:
    """Columns chain, project: every project that a chain needs, once."""
    needing = steps.loc[steps["true_project"] != "", ["chain", "true_project"]]
    needing = needing.assign(project=needing["true_project"].str.split(";")).explode("project")
    return needing[["chain", "project"]].astype({"project": "str"}).drop_duplicates().reset_index(drop=True)


def handling_rows(world: World) -> pd.DataFrame:
    """`handling_costs` both ways round: a row (a, b) holds for (b, a) unless that one is given too."""
    given = world.table("handling_costs").drop(columns=["source", "note"])
    turned = given.rename(columns={"mode_a": "mode_b", "mode_b": "mode_a"})
    return pd.concat([given, turned]).drop_duplicates(["mode_a", "mode_b", "handling"])


def _transfer_hours(world: World, tables: Mapping[str, pd.DataFrame], steps: pd.DataFrame) -> np.ndarray:
    handling = tables["chains"].pipe(join, tables["bundles"], on="bundle")
    handling = handling.pipe(join, world.table("commodities")[["commodity", "handling"]], on="commodity")
    wanted = steps[["chain", "mode_a", "mode_b"]].pipe(join, handling[["chain", "handling"]], on="chain", how="left")
    found = wanted.pipe(join, handling_rows(world), on=["mode_a", "mode_b", "handling"], how="left")
    return found["time_h"].to_numpy(dtype=float)


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
    change = (steps["kind"] == "transfer") & (steps["mode_in"] == steps["mode_out"])
    surrounded = same_chain_before & (steps["chain"] == steps["chain"].shift(-1))
    two_gauges = (
        (steps["mode_in"] == "rail")
        & surrounded
        & rail.shift(fill_value=False)
        & rail.shift(-1, fill_value=False)
        & (steps["gauge"].shift() != steps["gauge"].shift(-1))
    )
    return (~wrong_join & (~change | two_gauges)).to_numpy(dtype=bool)


def _totals(world: World, chains: pd.DataFrame, steps: pd.DataFrame, checks: Checks) -> None:
    where = names(chains, "chain {}", ["chain"])
    sums = steps.groupby("chain")[["true_km", "true_h"]].sum().reindex(chains["chain"], fill_value=0.0)
    checks.compare("agree_chains", chains["distance_km"], "==", sums["true_km"], where=where, unit="km")
    missing = steps.loc[steps["true_h"].isna(), "chain"]
    hours = np.where(chains["chain"].isin(missing), np.nan, sums["true_h"])
    checks.compare("agree_chains", chains["time_h"], "==", hours, where=where, unit="km")
    checks.hold("agree_chains", chains["main_mode"].to_numpy() == main_modes(steps, chains["chain"]), where=where)


def main_modes(steps: pd.DataFrame, chains: pd.Series) -> np.ndarray:
    """Mode with most km of each chain; of equals the first of road, rail, sea, ferry."""
    km = steps[steps["kind"] != "transfer"].pivot_table(
        index="chain", columns="mode_in", values="true_km", aggfunc="sum", fill_value=0.0
    )
    km = km.reindex(index=chains, columns=list(MODE_ORDER), fill_value=0.0).round(6)
    return np.array(MODE_ORDER)[km.to_numpy().argmax(axis=1)]
