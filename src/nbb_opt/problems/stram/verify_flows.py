"""Rules about tonnes and tonne-km: demand, links, empties, capacities, diffusion, renewal, growth and decline."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nbb_opt.problems.stram.checks import STATE, Frame, StramChecks, rows_of
from nbb_opt.problems.stram.read import StramCase


def check_flows(case: StramCase, tables: Mapping[str, Frame], states: Frame, ledger: StramChecks) -> None:
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


def _demand(case: StramCase, tables: Mapping[str, Frame], states: Frame, legs: Frame, ledger: StramChecks) -> None:
    ends = legs.groupby("path").agg(origin=("from_node", "first"), destination=("to_node", "last")).reset_index()
    carried = tables["path_flows"].merge(ends, on="path", how="left")
    keys = ["origin", "destination", "product"]
    found = sums(carried, [*STATE, *keys])
    wanted = states[STATE].merge(case["demand"], on="year").set_index([*STATE, *keys])["t_per_year"]
    ledger.at_most("serve_demand", wanted, found.reindex(wanted.index, fill_value=0.0), unit="t")


def _links(
    case: StramCase, tables: Mapping[str, Frame], arcs: Frame, empties: Frame, legs: Frame, ledger: StramChecks
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


def _balance(case: StramCase, arcs: Frame, empties: Frame, ledger: StramChecks) -> None:
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
    case: StramCase, tables: Mapping[str, Frame], arcs: Frame, empties: Frame, states: Frame, ledger: StramChecks
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


def _charging(case: StramCase, tables: Mapping[str, Frame], arcs: Frame, empties: Frame, ledger: StramChecks) -> None:
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


def _upgrades(case: StramCase, tables: Mapping[str, Frame], arcs: Frame, states: Frame, ledger: StramChecks) -> None:
    edges = case["edges"].set_index("edge")
    needs = edges[edges["upgrade_fuel"] != ""]
    mine = arcs[arcs["fuel"].to_numpy() == arcs["edge"].map(needs["upgrade_fuel"]).to_numpy()]
    load = sums(mine, [*STATE, "edge"])
    done = _serving(_shared(tables["edges_upgraded"], states), edges["upgrade_lead_years"], states, ["edge"], "built")
    most = needs["capacity_t_per_year"] + needs["increment_t_per_year"].fillna(0.0)
    limit = case.rules.upgrade_capacity_factor * load.index.get_level_values("edge").map(most.to_dict()).to_numpy()
    times = done.reindex(load.index, fill_value=0.0)
    ledger.at_most("use_upgrades", load, pd.Series(limit, load.index) * times, unit="t")


def _terminals(case: StramCase, tables: Mapping[str, Frame], legs: Frame, states: Frame, ledger: StramChecks) -> None:
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


def _phase_out(case: StramCase, arcs: Frame, empties: Frame, ledger: StramChecks) -> None:
    out = case["technologies"].set_index(["mode", "fuel"])["phase_out_year"]
    for rule, flows in (("phase_out", arcs), ("phase_out_empties", empties)):
        year = out.reindex(pd.MultiIndex.from_frame(flows[["mode", "fuel"]])).to_numpy(float)
        late = flows[flows["year"].to_numpy() >= np.where(np.isnan(year), np.inf, year)]
        ledger.at_most(rule, late.set_index([*STATE, "edge", "fuel"])["tonnes"], 0.0, unit="t")


Key = tuple[str, int]


def check_pace(case: StramCase, tables: Mapping[str, Frame], states: Frame, ledger: StramChecks) -> Frame:
    """Append the rules of shares and pace; gives the table `modes` as worked out from arc flows."""
    modes = worked(case, tables, states)
    said = tables["modes"].set_index([*STATE, "mode", "fuel"])
    mine = modes.set_index([*STATE, "mode", "fuel"])
    ledger.holds("say_modes rows", pd.Series([sorted(said.index) == sorted(mine.index)], ["modes"]))
    if sorted(said.index) == sorted(mine.index):
        said = said.reindex(mine.index)
        ledger.equal("say_tkm", said["tkm"], mine["tkm"], unit="tkm", scale=mine["tkm"])
        ledger.equal("say_share", said["share"], mine["share"], unit="share", scale=1.0)
    tkm = mine["tkm"]
    total = modes.groupby([*STATE, "mode"])["tkm"].sum()
    found = modes.merge(total.rename("mode_tkm").reset_index(), on=[*STATE, "mode"])
    found = found.merge(case["technologies"], on=["mode", "fuel"], how="left")
    found = found.merge(case["technology_years"], on=["mode", "fuel", "year"], how="left")
    at = found.set_index([*STATE, "mode", "fuel"])
    spreads = at["spread_start_year"].notna()
    one = at[spreads]
    ledger.at_most("limit_maturity", one["tkm"], one["share_max"] * one["mode_tkm"], unit="tkm", scale=one["mode_tkm"])
    first = at[at.index.get_level_values("year") == states["year"].min()]
    ledger.at_most(
        "limit_first_share", first["tkm"], first["first_share_max"] * first["mode_tkm"], unit="tkm",
        scale=first["mode_tkm"],
    )  # fmt: skip
    begun = first[first["spread_start_year"].notna()]
    since = np.maximum(begun.index.get_level_values("year") - begun["spread_start_year"], 0.0)
    ledger.at_most(
        "start_spreading", begun["tkm"], since * begun["bass_p_per_year"] * begun["mode_tkm"], unit="tkm",
        scale=begun["mode_tkm"],
    )  # fmt: skip
    _first_modes(case, total, states, ledger)
    before = {
        (row.scenario, row.year): (row.scenario_before, row.year_before)
        for row in rows_of(states) if row.year_before
    }  # fmt: skip
    _spreading(case, tkm, total, before, ledger)
    _modes(case, tkm, total, before, ledger)
    return modes


def worked(case: StramCase, tables: Mapping[str, Frame], states: Frame) -> Frame:
    """Loaded tonne-km by state, mode and fuel, and the share in all tonne-km of the state."""
    flows = with_ends(case, tables["arc_flows"])
    tkm = (flows["tonnes"] * flows["distance_km"]).groupby([flows[name] for name in (*STATE, "mode", "fuel")]).sum()
    every = states[STATE].merge(case["technologies"][["mode", "fuel"]], how="cross")
    found = every.assign(tkm=tkm.reindex(pd.MultiIndex.from_frame(every), fill_value=0.0).to_numpy())
    whole = found.groupby(STATE)["tkm"].transform("sum")
    return found.assign(share=found["tkm"] / whole.where(whole > 0, 1.0))


def _first_modes(case: StramCase, total: pd.Series, states: Frame, ledger: StramChecks) -> None:
    year = states["year"].min()
    first = total[total.index.get_level_values("year") == year]
    least = case["modes"].set_index("mode")["first_share_min"]
    smallest = first.index.get_level_values("mode").map(least.to_dict()).to_numpy() * first.sum()
    ledger.at_most("keep_first_mode", pd.Series(smallest, first.index), first, unit="tkm", scale=first.sum())


def _spreading(
    case: StramCase, tkm: pd.Series, total: pd.Series, before: Mapping[Key, Key], ledger: StramChecks
) -> None:
    """Step by step: what a fuel may reach in a year is what it had, and its growth once diffusion has begun."""
    rows = {}
    for tech in rows_of(case["technologies"].dropna(subset=["spread_start_year"])):
        for (scenario, year), last in before.items():
            reached, mode_tkm = tkm[(*last, tech.mode, tech.fuel)], total[(*last, tech.mode)]
            for y in range(last[1] + 1, year + 1):
                if y >= tech.spread_start_year:
                    reached += tech.bass_p_per_year * mode_tkm + tech.bass_q_per_year * reached
            key = (scenario, year, tech.mode, tech.fuel)
            rows[key] = (tkm[key], reached, mode_tkm)
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["found", "limit", "scale"])
    ledger.at_most("limit_spreading", frame["found"], frame["limit"], unit="tkm", scale=frame["scale"])


def _modes(case: StramCase, tkm: pd.Series, total: pd.Series, before: Mapping[Key, Key], ledger: StramChecks) -> None:
    rules, life = case.rules, case["modes"].set_index("mode")["fleet_lifetime_years"]
    rows = {}
    for (scenario, year), last in before.items():
        years = year - last[1]
        for mode in case["modes"]["mode"].tolist():
            then, now = total[(*last, mode)], total[(scenario, year, mode)]
            fuels = case["technologies"].loc[case["technologies"]["mode"] == mode, "fuel"].tolist()
            dropped = sum(max(tkm[(*last, mode, f)] - tkm[(scenario, year, mode, f)], 0.0) for f in fuels)
            rows[scenario, year, mode] = (
                now, then, then * (1.0 - rules.mode_decline_max_per_year) ** years,
                then * (1.0 + rules.mode_growth_max_per_year) ** years, dropped, then * years / life[mode],
            )  # fmt: skip
    columns = ["now", "then", "least", "most", "dropped", "renewed"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    ledger.at_most("slow_decline", frame["least"], frame["now"], unit="tkm", scale=frame["then"])
    ledger.at_most("slow_growth", frame["now"], frame["most"], unit="tkm", scale=frame["then"])
    ledger.at_most("renew_fleet", frame["dropped"], frame["renewed"], unit="tkm", scale=frame["then"])
