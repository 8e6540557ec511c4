"""Rules about flows in tonnes: demand, links, empties, capacities, investments."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nbb_opt.problems.stram.checks import STATE, Frame, Ledger, rows_of
from nbb_opt.problems.stram.read import StramCase


def check_flows(case: StramCase, tables: Mapping[str, Frame], states: Frame, ledger: Ledger) -> None:
    """Append the rules of demand, links, balance, capacity, charging, upgrades and terminals."""
    legs = _legs(case)
    arcs = with_ends(case, tables["arc_flows"])
    empties = with_ends(case, tables["empty_flows"])
    _demand(case, tables, states, legs, ledger)
    _links(case, tables, arcs, empties, legs, ledger)
    _balance(case, arcs, empties, ledger)
    _edges(case, tables, arcs, empties, states, ledger)
    _charging(case, tables, arcs, empties, ledger)
    _upgrades(case, tables, arcs, states, ledger)
    _terminals(case, tables, legs, states, ledger)
    _phase_out(case, arcs, empties, ledger)


def with_ends(case: StramCase, flows: Frame) -> Frame:
    """Arc flows with mode, length and the node where the arc ends."""
    edges = case["edges"][["edge", "node_a", "node_b", "mode", "distance_km"]]
    found = flows.merge(edges, on="edge", how="left", validate="many_to_one")
    back = found["from_node"] == found["node_b"]
    return found.assign(to_node=found["node_b"].where(~back, found["node_a"])).drop(columns=["node_a", "node_b"])


def _legs(case: StramCase) -> Frame:
    """Legs in order, with mode and the node where each ends."""
    return with_ends(case, case["path_legs"].sort_values(["path", "step"])).reset_index(drop=True)


def sums(frame: Frame, keys: list[str], amount: str = "tonnes") -> pd.Series:
    """Sums by keys; an index of keys even where there is no row."""
    return frame.groupby(keys, observed=True)[amount].sum()


def against(found: pd.Series, other: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Two sums over the union of their keys, zero where one has none."""
    index = found.index.union(other.index)
    return found.reindex(index, fill_value=0.0), other.reindex(index, fill_value=0.0)


def _demand(case: StramCase, tables: Mapping[str, Frame], states: Frame, legs: Frame, ledger: Ledger) -> None:
    ends = legs.groupby("path").agg(origin=("from_node", "first"), destination=("to_node", "last")).reset_index()
    carried = tables["path_flows"].merge(ends, on="path", how="left")
    keys = ["origin", "destination", "product"]
    found = sums(carried, [*STATE, *keys])
    wanted = states[STATE].merge(case["demand"], on="year").set_index([*STATE, *keys])["t_per_year"]
    ledger.at_most("serve_demand", wanted, found.reindex(wanted.index, fill_value=0.0), unit="t")


def _links(
    case: StramCase, tables: Mapping[str, Frame], arcs: Frame, empties: Frame, legs: Frame, ledger: Ledger
) -> None:
    steps = legs[["path", "edge", "from_node"]]
    tolerance = case.rules.link_tolerance_t
    for rule, flows, paths, what in (
        ("link_paths", arcs, tables["path_flows"], "product"),
        ("link_empties", empties, tables["empty_paths"], "vehicle"),
    ):  # fmt: skip
        keys = [*STATE, "edge", "from_node", what]
        one, other = against(sums(flows, keys), sums(paths.merge(steps, on="path"), keys))
        ledger.at_most(rule, (one - other).abs(), tolerance, unit="t")
    single = legs.groupby("path")["mode"].nunique()
    mode = legs.groupby("path")["mode"].first()
    used = tables["empty_paths"]
    ledger.holds("empties_on_single_mode", pd.Series((used["path"].map(single) == 1).to_numpy(), used["path"]))
    known = set(zip(case["vehicles"]["mode"], case["vehicles"]["vehicle"], strict=True))
    fine = [pair in known for pair in zip(used["path"].map(mode), used["vehicle"], strict=True)]
    ledger.holds("empties_of_the_mode", pd.Series(fine, used["path"], dtype=bool))


def _balance(case: StramCase, arcs: Frame, empties: Frame, ledger: Ledger) -> None:
    moved = arcs.merge(case["vehicles"], on=["mode", "product"], how="left", validate="many_to_one")
    both = pd.concat([moved, empties])
    keys = [*STATE, "mode", "fuel", "vehicle"]
    into = sums(both.rename(columns={"to_node": "node"}), [*keys, "node"])
    out = sums(both.rename(columns={"from_node": "node"}), [*keys, "node"])
    one, other = against(into, out)
    ledger.at_most("balance_vehicles", (one - other).abs(), case.rules.balance_tolerance_t, unit="t")


def _serving(built: Frame, lead: pd.Series, states: Frame, what: list[str], amount: str) -> pd.Series:
    """Sum of what serves in every state: built there or in a state before, its lead time over. Keys STATE + what."""
    before = {
        (row.scenario, row.year): ((row.scenario_before, row.year_before) if row.year_before else None)
        for row in rows_of(states)
    }
    rows = []
    for state in before:
        way: tuple[str, int] | None = state
        while way is not None:
            rows.append((*state, *way))
            way = before[way]
    ways = pd.DataFrame(rows, columns=[*STATE, "built_scenario", "built_year"])
    made = built.rename(columns={"scenario": "built_scenario", "year": "built_year"}).merge(ways)
    wait = made.set_index(what).index.map(lead.to_dict()) if len(made) else np.zeros(0)
    made = made[made["built_year"].to_numpy() + np.asarray(wait, float) <= made["year"].to_numpy()]
    return sums(made, [*STATE, *what], amount)


def _edges(
    case: StramCase, tables: Mapping[str, Frame], arcs: Frame, empties: Frame, states: Frame, ledger: Ledger
) -> None:
    edges = case["edges"].set_index("edge")
    limited = edges[edges["limited"]]
    keys = [*STATE, "edge", "from_node"]
    load = sums(pd.concat([arcs, empties]), keys).reset_index()
    load = load[load["edge"].isin(limited.index)]
    built = _shared(tables["edges_expanded"], states)
    added = _serving(built, edges["expansion_lead_years"], states, ["edge"], "built")
    expansions = load.set_index([*STATE, "edge"]).index.map(added.to_dict()).to_numpy(float)
    of_load = edges.loc[load["edge"]]
    capacity = of_load["capacity_t_per_year"].to_numpy()
    limit = case.rules.direction_share * (
        capacity + of_load["increment_t_per_year"].fillna(0.0).to_numpy() * np.nan_to_num(expansions)
    )
    found = load.set_index(keys)["tonnes"]
    ledger.at_most("limit_edges", found, pd.Series(limit, found.index), unit="t")
    times = tables["edges_expanded"].groupby("edge")["built"].sum()
    ledger.at_most("expand_edges_once", times.astype(float), 1.0, unit="share")
    for name, column in (("edges_expanded", "increment_t_per_year"), ("edges_upgraded", "upgrade_nok")):
        table = tables[name]
        allowed = edges[edges[column].notna() & (edges[column] > 0)].index
        ledger.holds(f"may be built {name}", pd.Series(table["edge"].isin(allowed).to_numpy(), table["edge"]))
        first = states.loc[states["stage"] == 1, "year"]
        ledger.holds(f"first stage {name}", pd.Series(table["year"].isin(first).to_numpy(), table["edge"]))
        ledger.holds(f"whole {name}", pd.Series(table["built"].isin([0, 1]).to_numpy(), table["edge"]))
        once = ~table.duplicated(["year", "edge"])
        ledger.holds(f"once {name}", pd.Series(once.to_numpy(), table["edge"]))


def _shared(built: Frame, states: Frame) -> Frame:
    """Edge investments are of the first stage: scenario ""."""
    assert (states.loc[states["stage"] == 1, "scenario"] == "").all()
    return built.assign(scenario="")


def _charging(case: StramCase, tables: Mapping[str, Frame], arcs: Frame, empties: Frame, ledger: Ledger) -> None:
    needed = set(zip(case["charging"]["edge"], case["charging"]["fuel"], strict=True))
    flows = pd.concat([arcs, empties])
    mine = [pair in needed for pair in zip(flows["edge"], flows["fuel"], strict=True)]
    keys = [*STATE, "edge", "fuel"]
    load = sums(flows[np.array(mine, bool)], keys)
    rented = tables["charging_rented"].set_index(keys)["tonnes"]
    ledger.at_most("charge_flows", load, rented.reindex(load.index, fill_value=0.0), unit="t")
    fine = [
        pair in needed
        for pair in zip(tables["charging_rented"]["edge"], tables["charging_rented"]["fuel"], strict=True)
    ]
    ledger.holds("rent where needed", pd.Series(fine, tables["charging_rented"]["edge"], dtype=bool))


def _upgrades(case: StramCase, tables: Mapping[str, Frame], arcs: Frame, states: Frame, ledger: Ledger) -> None:
    edges = case["edges"].set_index("edge")
    needs = edges[edges["upgrade_fuel"] != ""]
    mine = arcs[arcs["fuel"].to_numpy() == arcs["edge"].map(needs["upgrade_fuel"]).to_numpy()]
    load = sums(mine, [*STATE, "edge"])
    done = _serving(_shared(tables["edges_upgraded"], states), edges["upgrade_lead_years"], states, ["edge"], "built")
    most = needs["capacity_t_per_year"] + needs["increment_t_per_year"].fillna(0.0)
    limit = case.rules.upgrade_capacity_factor * load.index.get_level_values("edge").map(most.to_dict()).to_numpy()
    times = done.reindex(load.index, fill_value=0.0)
    ledger.at_most("use_upgrades", load, pd.Series(limit, load.index) * times, unit="t")


def _terminals(case: StramCase, tables: Mapping[str, Frame], legs: Frame, states: Frame, ledger: Ledger) -> None:
    terminals = case["terminals"].set_index(["node", "mode"])
    begins, ends = legs.groupby("path").first().reset_index(), legs.groupby("path").last().reset_index()
    same = legs["path"].shift(-1) == legs["path"]
    change = legs[same & (legs["mode"].shift(-1) != legs["mode"])]
    after = legs["mode"].shift(-1).loc[change.index]
    handled = pd.concat(
        [
            begins[["path", "from_node", "mode"]].rename(columns={"from_node": "node"}),
            ends[["path", "to_node", "mode"]].rename(columns={"to_node": "node"}),
            change[["path", "to_node", "mode"]].rename(columns={"to_node": "node"}),
            change[["path", "to_node"]].rename(columns={"to_node": "node"}).assign(mode=after),
        ]
    )
    load = sums(tables["path_flows"].merge(handled, on="path"), [*STATE, "node", "mode"]).reset_index()
    limited = terminals[terminals["limited"]].index
    load = load[pd.MultiIndex.from_frame(load[["node", "mode"]]).isin(limited)]
    made = tables["terminals_expanded"]
    added = _serving(made, terminals["expansion_lead_years"], states, ["node", "mode"], "share")
    at = pd.MultiIndex.from_frame(load[["node", "mode"]])
    base = terminals["capacity_t_per_year"].reindex(at).to_numpy()
    step = terminals["increment_t_per_year"].fillna(0.0).reindex(at).to_numpy()
    found = load.set_index([*STATE, "node", "mode"])["tonnes"]
    limit = base + step * added.reindex(found.index, fill_value=0.0).to_numpy()
    ledger.at_most("limit_terminals", found, pd.Series(limit, found.index), unit="t")
    allowed = terminals[terminals["increment_t_per_year"] > 0].index
    fine = pd.MultiIndex.from_frame(made[["node", "mode"]]).isin(allowed)
    ledger.holds("may be built terminals", pd.Series(fine, made["node"]))
    whole = _serving(made, terminals["expansion_lead_years"] * 0.0, states, ["node", "mode"], "share")
    ledger.at_most("expand_terminals_once", whole, 1.0, unit="share")


def _phase_out(case: StramCase, arcs: Frame, empties: Frame, ledger: Ledger) -> None:
    out = case["technologies"].set_index(["mode", "fuel"])["phase_out_year"]
    for rule, flows in (("phase_out", arcs), ("phase_out_empties", empties)):
        year = out.reindex(pd.MultiIndex.from_frame(flows[["mode", "fuel"]])).to_numpy(float)
        late = flows[flows["year"].to_numpy() >= np.where(np.isnan(year), np.inf, year)]
        ledger.at_most(rule, late.set_index([*STATE, "edge", "fuel"])["tonnes"], 0.0, unit="t")
