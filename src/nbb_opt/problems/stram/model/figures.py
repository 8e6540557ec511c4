"""The tables of an instance under the names that the rules of the Pyomo model use, looked up by business keys.

A state is (scenario, year), scenario "" where all share it; an arc is (edge, place where it begins), a fuel and a
vehicle always belong to a mode. What is blank in a table is an absent key.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from itertools import pairwise
from typing import Any

import pandas as pd

from nbb_opt.problems.stram import StramCase
from nbb_opt.problems.stram.model.spec import StramSpec

State = tuple[str, int]


def figures(case: StramCase, spec: StramSpec) -> dict[str, Any]:
    """All figures of a model by name."""
    unit_costs = case["unit_costs"].groupby("scenario")
    return {
        **vars(case.rules), **_states(case, spec), **_network(case), **_technologies(case), **_paths(case),
        **_capacities(case),
        "demand_t": {key: t for key, t in by(case["demand"], "origin", "destination", "product", "year").items() if t},
        "charging_nok_per_t": by(case["charging"], "edge", "fuel", "year"),
        "nok_per_tkm": {s: by(costs, "mode", "fuel", "product", "year") for s, costs in unit_costs},
        "g_co2_per_tkm": by(case["unit_emissions"], "mode", "fuel", "product", "year", of="g_co2_per_tkm"),
        "co2_nok_per_tkm": by(case["unit_emissions"], "mode", "fuel", "product", "year", of="co2_nok_per_tkm"),
        "like_product": by(case["empty_products"], "mode", "fuel", "vehicle", "year", of="product"),
        "time_nok_per_t_h": by(case["products"], "product"),
    }  # fmt: skip


def by(table: pd.DataFrame, *keys: str, of: str | None = None) -> dict[Any, Any]:
    """The column `of` (the last one if not given) by one or several key columns, without blanks.

    >>> by(pd.DataFrame({"a": ["x", "y"], "b": [1, 2], "c": [0.5, float("nan")]}), "a", "b")
    {('x', 1): 0.5}
    """
    columns = [table[key].tolist() for key in keys]
    names = columns[0] if len(keys) == 1 else zip(*columns, strict=True)
    values = table[of or table.columns[-1]].tolist()
    return {name: value for name, value in zip(names, values, strict=True) if value != "" and not _is_blank(value)}


def _is_blank(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def grouped(pairs: Iterable[tuple[Hashable, Any]], known: Iterable[Hashable]) -> dict[Any, list[Any]]:
    """What belongs to each key; a known key without anything has an empty list, an unknown one is a KeyError.

    >>> grouped([("a", 1), ("a", 2)], ["a", "b"])
    {'a': [1, 2], 'b': []}
    """
    found: dict[Any, list[Any]] = {key: [] for key in known}
    for key, value in pairs:
        found[key].append(value)
    return found


def _states(case: StramCase, spec: StramSpec) -> dict[str, Any]:
    """The tree of states, what is decided in stage 1, and how costs count there."""
    periods = case["periods"] if spec.years == "all" else case["periods"].iloc[:1]
    stage, chance = by(periods, "year", of="stage"), by(case["scenarios"], "scenario")
    scenarios = list(chance) if spec.scenarios == "all" else []
    years: list[int] = periods["year"].tolist()
    states = [(s, y) for y in years for s in (scenarios if stage[y] == 2 and scenarios else [""])]
    before = {(s, y): (s if (s, last) in states else "", last) for last, y in pairwise(years)
              for s in [*scenarios, ""] if (s, y) in states}  # fmt: skip
    way: dict[State, list[State]] = {}
    for state in states:
        way[state] = [state, *(way[before[state]] if state in before else [])]
    return {
        "years": years, "scenarios": scenarios, "chance": chance, "states": states, "before": before, "way": way,
        "stage_1": [state for state in states if stage[state[1]] == 1],
        "priced_in": {s: [s] if s else scenarios or [case.keys["base_scenario"]] for s in ("", *scenarios)},
        "yearly_factor": by(periods, "year", of="yearly_factor"),
        "investment_factor": by(periods, "year", of="investment_factor"),
        "cap_share": by(periods, "year", of="emission_cap_share") if spec.emission_cap else {},
    }  # fmt: skip


def _network(case: StramCase) -> dict[str, Any]:
    edges, modes = case["edges"], case["modes"]["mode"].tolist()
    mode = by(edges, "edge", of="mode")
    arcs = [
        (e, i, j)
        for e, a, b in zip(edges["edge"], edges["node_a"], edges["node_b"], strict=True)
        for i, j in ((a, b), (b, a))
    ]
    nodes = case["nodes"]["node"].tolist()
    return {
        "modes": modes, "nodes": nodes, "products": case["products"]["product"].tolist(), "mode": mode,
        "km": by(edges, "edge", of="distance_km"), "speed_km_per_h": by(case["modes"], "mode", of="speed_km_per_h"),
        "arcs": [(e, i) for e, i, _ in arcs],
        "arcs_on": grouped(((e, (e, i)) for e, i, _ in arcs), mode),
        "arcs_of": grouped(((mode[e], (e, i)) for e, i, _ in arcs), modes),
        "arcs_from": grouped((((i, mode[e]), (e, i)) for e, i, _ in arcs), {(i, mode[e]) for e, i, _ in arcs}),
        "arcs_to": grouped((((j, mode[e]), (e, i)) for e, i, j in arcs), {(j, mode[e]) for e, _, j in arcs}),
    }  # fmt: skip


def _technologies(case: StramCase) -> dict[str, Any]:
    """Fuels and vehicles of the modes, and how fast fuels spread."""
    tech, modes = case["technologies"], case["modes"]["mode"].tolist()
    vehicle = by(case["vehicles"], "mode", "product", of="vehicle")
    fuels = list(zip(tech["mode"], tech["fuel"], strict=True))
    pairs = list(dict.fromkeys((mode, v) for (mode, _), v in vehicle.items()))
    return {
        "fuels": fuels, "fuels_of": grouped(fuels, modes), "vehicles_of": grouped(pairs, modes),
        "products_in": grouped((((mode, v), p) for (mode, p), v in vehicle.items()), pairs),
        **{name: by(tech, "mode", "fuel", of=name) for name in (
            "first_share_max", "spread_start_year", "bass_p_per_year", "bass_q_per_year", "phase_out_year")},
        "share_max": by(case["technology_years"], "mode", "fuel", "year"),
        "fleet_lifetime_years": by(case["modes"], "mode", of="fleet_lifetime_years"),
        "first_share_min": by(case["modes"], "mode", of="first_share_min"),
    }  # fmt: skip


def _paths(case: StramCase) -> dict[str, Any]:
    """Candidate paths: where they go, which arcs and terminals they use, which modes they change between."""
    mode, road = by(case["edges"], "edge", of="mode"), case.keys["road_mode"]
    other_end = {
        (e, i): j
        for e, a, b in zip(case["edges"]["edge"], case["edges"]["node_a"], case["edges"]["node_b"], strict=True)
        for i, j in ((a, b), (b, a))
    }
    rows = case["path_legs"].sort_values(["path", "step"])
    legs = grouped(
        zip(rows["path"].tolist(), zip(rows["edge"], rows["from_node"], strict=True), strict=True),
        rows["path"].unique().tolist(),
    )
    terminals = set(by(case["terminals"], "node", "mode", of="mode"))
    ends, handled, transfers, single = [], [], {}, []
    for k, leg in legs.items():
        modes = [mode[e] for e, _ in leg]
        origin, destination = leg[0][1], other_end[leg[-1]]
        changes = [(i, m, n) for (_, i), (m, n) in zip(leg[1:], pairwise(modes), strict=True) if m != n]
        ends.append(((origin, destination), k))
        handled += [((origin, modes[0]), k), ((destination, modes[-1]), k)]
        handled += [((i, each), k) for i, m, n in changes for each in (m, n)]
        transfers[k] = [(m, n) for m, n in pairwise([road, *modes, road]) if m != n]
        if not changes:
            single.append((k, modes[0]))
    return {
        "paths": list(legs), "transfers_on": transfers, "single_mode_paths": single,
        "paths_between": grouped(ends, {pair for pair, _ in ends}),
        "paths_over": grouped(((arc, k) for k, leg in legs.items() for arc in leg), other_end),
        "paths_through": grouped(handled, terminals | {at for at, _ in handled}),
        "transfer_nok_per_t": by(case["transfers"], "mode_from", "mode_to", "product", of="nok_per_t"),
        "transfer_h": by(case["transfers"], "mode_from", "mode_to", "product", of="hours"),
    }  # fmt: skip


def _capacities(case: StramCase) -> dict[str, Any]:
    """Capacities, and what an expansion or upgrade adds, costs, and when it can be used."""
    edges, terminals = case["edges"], case["terminals"]
    place = ("node", "mode")
    return {
        "limited_edges": edges.loc[edges["limited"].astype(bool), "edge"].tolist(),
        "edge_capacity_t": by(edges, "edge", of="capacity_t_per_year"),
        "edge_increment_t": _positive(by(edges, "edge", of="increment_t_per_year")),
        "edge_expansion_nok": by(edges, "edge", of="expansion_nok"),
        "edge_lead_years": by(edges, "edge", of="expansion_lead_years"),
        "upgrade_fuel": by(edges, "edge", of="upgrade_fuel"),
        "upgrade_nok": by(edges, "edge", of="upgrade_nok"),
        "upgrade_lead_years": by(edges, "edge", of="upgrade_lead_years"),
        "limited_terminals": list(by(terminals[terminals["limited"].astype(bool)], *place, of="limited")),
        "terminal_capacity_t": by(terminals, *place, of="capacity_t_per_year"),
        "terminal_increment_t": _positive(by(terminals, *place, of="increment_t_per_year")),
        "terminal_expansion_nok": by(terminals, *place, of="expansion_nok"),
        "terminal_lead_years": by(terminals, *place, of="expansion_lead_years"),
    }


def _positive(amounts: Mapping[Any, float]) -> dict[Any, float]:
    return {key: amount for key, amount in amounts.items() if amount > 0}
