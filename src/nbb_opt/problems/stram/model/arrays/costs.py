"""Emissions and their cap; what a state costs; the objective, with its risk where scenarios are told apart."""

from __future__ import annotations

import numpy as np

from nbb_opt.errors import ModelError
from nbb_opt.model.arrays.assembly import Assembly, Weighed
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.periods import Floats, Names
from nbb_opt.problems.stram.model.arrays.data import StramData
from nbb_opt.problems.stram.model.arrays.states import grid, repeat
from nbb_opt.problems.stram.model.spec import COMPONENTS, ONCE

BY_SCENARIO = ("loaded_opex", "empty_opex")
TYPICAL_T_CO2 = 2.0**16
TYPICAL_NOK = 2.0**32


def add_emissions(a: Assembly, data: StramData) -> None:
    """Columns and rows of the topic `emissions` of models/stram.md."""
    net, states, rules = data.network, data.states, data.rules
    size, count = states.size, len(net.products)
    every = np.arange(size)
    emitted = a.add_variables("emitted_t", states.keys(every), typical=TYPICAL_T_CO2)
    terms = Terms(size).add(every, emitted, -1.0)
    af, p = grid(len(net.af_arc), count)
    km = net.km[net.af_arc]
    loaded = data.t_co2_per_tkm[:, net.af_fuel[af], p] * km[af]
    repeat(terms, size, row=np.zeros(len(af), np.int64), rows=1, column=af * count + p,
           columns=len(net.af_arc) * count, start=a.start["moved_t"], value=loaded[states.period])  # fmt: skip
    empty = rules.empty_factor * _of_empties(data, data.t_co2_per_tkm)
    repeat(terms, size, row=np.zeros(len(net.av_af), np.int64), rows=1, column=np.arange(len(net.av_af)),
           columns=len(net.av_af), start=a.start["empty_t"], value=empty[states.period])  # fmt: skip
    a.add_rows("count_emissions", states.keys(every), terms, sense="==")
    capped = np.flatnonzero(~np.isnan(states.cap_share) & (states.previous >= 0) & data.spec.emission_cap)
    excess = a.add_variables("excess_t", states.keys(capped), typical=TYPICAL_T_CO2)
    if data.spec.years == "first":
        return
    base = data.first_emissions_t
    if base is None:
        raise ModelError("a model of several years needs the emissions of the first year alone: plan that year first")
    first = np.flatnonzero(states.previous < 0)
    band = rules.first_emission_band_share
    for name, sense, side in (("keep_first_low", ">=", 1.0 - band), ("keep_first_high", "<=", 1.0 + band)):
        kept = Terms(len(first)).add(np.arange(len(first)), emitted[first], 1.0)
        a.add_rows(name, states.keys(first), kept, sense=sense, side=side * base)
    row = np.arange(len(capped))
    within = Terms(len(capped)).add(row, emitted[capped], 1.0).add(row, excess, -1.0)
    within.add(row, np.repeat(emitted[first], len(capped)), -states.cap_share[capped])
    a.add_rows("cap_emissions", states.keys(capped), within, sense="<=")
    a.share("excess", size).add(capped, excess, rules.excess_nok_per_t_co2)


def add_costs(a: Assembly, data: StramData) -> None:
    """Columns and rows of the topic `costs` of models/stram.md, and the objective."""
    states, net = data.states, data.network
    size, count = states.size, len(net.products)
    af, p = grid(len(net.af_arc), count)
    km = net.km[net.af_arc]
    loaded = (data.co2_nok_per_tkm[:, net.af_fuel[af], p] * km[af])[states.period]
    hours = np.broadcast_to(data.time_nok_per_t[net.af_arc[af], p], (size, len(af)))
    empty = (data.rules.empty_factor * _of_empties(data, data.co2_nok_per_tkm))[states.period]
    _share(a, data, "loaded_co2", "moved_t", loaded)
    _share(a, data, "time", "moved_t", hours)
    _share(a, data, "empty_co2", "empty_t", empty)
    wide = (size, data.paths.transfer_nok.size)
    _share(a, data, "transfer", "carried_t", np.broadcast_to(data.paths.transfer_nok.ravel(), wide))
    _share(a, data, "transfer_time", "carried_t", np.broadcast_to(data.paths.transfer_time_nok.ravel(), wide))
    _opex(a, data)
    parts = {name: a.share(name, size) for name in COMPONENTS}
    factors = {name: states.investment_factor if name in ONCE else states.yearly_factor for name in COMPONENTS}
    several = len(states.probability) > 0
    futures: list[Weighed] = _risk(a, data, parts, factors) if several else []
    shared = np.where((states.scenario == 0) | (not several), 1.0, 0.0)
    a.minimise([*(Weighed(name, factors[name] * shared, parts[name]) for name in COMPONENTS), *futures])


def _risk(a: Assembly, data: StramData, parts: dict[str, Terms], factors: dict[str, Floats]) -> list[Weighed]:
    states, rules = data.states, data.rules
    chance = states.probability
    every = np.arange(len(chance))
    names = states.names.ids[1:]
    future = a.add_variables("future_nok", names, typical=TYPICAL_NOK)
    risk = a.add_variables("risk_nok", [None], typical=TYPICAL_NOK)
    above = a.add_variables("above_nok", names, typical=TYPICAL_NOK)
    count = Terms(len(chance)).add(every, future, -1.0)
    for name, terms in parts.items():
        row, column, value = terms.merged()
        mine = states.scenario[row] > 0
        count.add(states.scenario[row[mine]] - 1, column[mine], (factors[name][row] * value)[mine])
    a.add_rows("count_future", names, count, sense="==")
    tail = Terms(len(chance)).add(every, above, 1.0).add(every, np.repeat(risk, len(chance)), 1.0)
    a.add_rows("measure_tail", names, tail.add(every, future, -1.0), sense=">=")
    weight, level = rules.cvar_weight, rules.cvar_level
    return [
        Weighed("future", (1.0 - weight) * chance, Terms(len(chance)).add(every, future, 1.0)),
        Weighed("risk", np.array([weight]), Terms(1).add(np.zeros(1, np.int64), risk, 1.0)),
        Weighed("above", weight / (1.0 - level) * chance, Terms(len(chance)).add(every, above, 1.0)),
    ]


def opex_of(data: StramData, component: str, scenario: int, period: int) -> Floats:
    """Unit opex of every loaded or empty column of one state, NOK per tonne of one scenario (its row in the file)."""
    net = data.network
    if component == "loaded_opex":
        af, p = grid(len(net.af_arc), len(net.products))
        return data.nok_per_tkm[scenario, period][net.af_fuel[af], p] * net.km[net.af_arc[af]]
    return data.rules.empty_factor * _of_empties(data, data.nok_per_tkm[scenario])[period]


def _opex(a: Assembly, data: StramData) -> None:
    states, rows = data.states, data.scenario_rows.tolist()
    worst: list[tuple[int, str]] = []
    for n in range(states.size):
        scenario, period = int(states.scenario[n]), int(states.period[n])
        for component in BY_SCENARIO:
            mine = [rows[scenario - 1]] if scenario else rows
            costs = [opex_of(data, component, s, period) for s in mine]
            differ = any(not np.array_equal(costs[0], other) for other in costs[1:])
            if differ and data.spec.first_stage_cost == "worst":
                worst.append((n, component))
                continue
            if differ:
                unit = states.probability @ np.array(costs)
            else:
                unit = costs[0]
            _share_state(a, data, component, n, unit)
    state = np.array([n for n, _ in worst], np.int64)
    kinds = np.array([BY_SCENARIO.index(name) for _, name in worst], np.int64)
    opex = Names(BY_SCENARIO)
    index = Keys(states.year[state], (opex, kinds))
    column = a.add_variables("worst_opex_nok", index, typical=TYPICAL_NOK)
    count = len(rows) * len(worst)
    terms = Terms(count)
    for k, (n, component) in enumerate(worst):
        a.share(component, states.size).add(np.array([n]), column[[k]], 1.0)
        for s, scenario in enumerate(rows):
            row = k * len(rows) + s
            unit = opex_of(data, component, scenario, int(states.period[n]))
            terms.add(np.array([row]), column[[k]], 1.0)
            terms.add(np.full(len(unit), row), _first(a, component) + n * len(unit) + np.arange(len(unit)), -unit)
    of, by = np.divmod(np.arange(count), max(len(rows), 1))
    a.add_rows("bear_worst", Keys(states.year[state[of]], (opex, kinds[of]), (states.names, by + 1)), terms, sense=">=")


def _first(a: Assembly, component: str) -> int:
    return a.start["moved_t" if component == "loaded_opex" else "empty_t"]


def _share_state(a: Assembly, data: StramData, component: str, n: int, unit: Floats) -> None:
    column = _first(a, component) + n * len(unit) + np.arange(len(unit))
    a.share(component, data.states.size).add(np.full(len(unit), n), column, unit)


def _share(a: Assembly, data: StramData, name: str, kind: str, value: Floats) -> None:
    """Share costs of all columns of a kind; `value` is (states, columns of one state)."""
    size, columns = value.shape
    repeat(a.share(name, data.states.size), size, row=np.zeros(columns, np.int64), rows=1, column=np.arange(columns),
           columns=columns, start=a.start[kind], value=value)  # fmt: skip


def _of_empties(data: StramData, per_tkm: Floats) -> Floats:
    """Figures per tkm (T, F, P) of the reference product of every arc-vehicle, times its km: (T, arc-vehicles)."""
    net = data.network
    fuel = net.af_fuel[net.av_af]
    product = data.reference[:, fuel, net.av_vehicle]
    rows = np.arange(len(product))[:, None]
    return per_tkm[rows, fuel[None, :], product] * net.km[net.af_arc[net.av_af]]
