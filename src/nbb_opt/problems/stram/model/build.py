"""The stram model in Pyomo: what is decided, what must hold, and what it costs, topic by topic."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC

from nbb_opt.errors import ModelError
from nbb_opt.problems.stram import StramCase
from nbb_opt.problems.stram.model.blocks import capacity, charging, costs, emissions, empties, flows, technology
from nbb_opt.problems.stram.model.figures import figures
from nbb_opt.problems.stram.model.spec import StramSpec

# usual sizes of variables, for scaling: flows in t, work in tkm, CO2 in t, money in NOK
USUAL = {
    **dict.fromkeys(("carried_t", "moved_t", "link_slack_t", "empty_t", "empty_path_t", "empty_slack_t"), 2.0**6),
    **dict.fromkeys(("balance_slack_t", "rented_t"), 2.0**6),
    **dict.fromkeys(("worked_tkm", "dropped_tkm"), 2.0**28),
    **dict.fromkeys(("emitted_t", "excess_t"), 2.0**16),
    **dict.fromkeys(("worst_opex_nok", "future_nok", "risk_nok", "above_nok"), 2.0**32),
}
MUTABLE = ("demand_t", "edge_capacity_t", "terminal_capacity_t", "cap_share", "excess_nok_per_t_co2")
BLOCKS = (flows, empties, capacity, charging, technology, emissions, costs)


def stram_model(case: StramCase, spec: StramSpec, *, first_emissions_t: float | None = None) -> pyo.ConcreteModel:
    """State a model: t, tkm, t CO2 and NOK per year, investments in NOK; the objective in discounted NOK.

    `first_emissions_t` (what the first year emits when planned alone) is needed unless `spec.years` is "first".
    """
    with PauseGC():
        m = begin(case, spec, first_emissions_t=first_emissions_t)
        for block in BLOCKS:
            block.declare(m)
        m.usual_size, m.decide_order = pyo.Suffix(), pyo.Suffix()
        for variables in m.component_objects(pyo.Var):
            m.usual_size[variables] = USUAL.get(variables.local_name, 1.0)
        m.decide_order[m.built] = m.decide_order[m.upgraded] = 0
    return m


def begin(case: StramCase, spec: StramSpec, *, first_emissions_t: float | None) -> pyo.ConcreteModel:
    """A model that has its figures and sets, and nothing else yet."""
    if spec.years != "first" and first_emissions_t is None:
        raise ModelError("a model of several years needs the emissions of the first year alone: plan that year first")
    m = pyo.ConcreteModel(name=spec.name)
    for name, values in figures(case, spec).items():
        setattr(m, name, mutable(values) if name in MUTABLE else values)
    m.spec, m.first_emissions_t = spec, first_emissions_t
    m.STATES = pyo.Set(initialize=m.states, dimen=2)
    m.LATER_STATES = pyo.Set(initialize=list(m.before), dimen=2)
    m.FIRST_STATES = pyo.Set(initialize=[state for state in m.states if state not in m.before], dimen=2)
    m.ARCS = pyo.Set(initialize=m.arcs, dimen=2)
    m.ARC_FUELS = pyo.Set(initialize=[(e, i, f) for e, i in m.arcs for f in m.fuels_of[m.mode[e]]], dimen=3)
    m.FUELS = pyo.Set(initialize=m.fuels, dimen=2)
    m.MODES = pyo.Set(initialize=m.modes)
    m.PRODUCTS = pyo.Set(initialize=m.products)
    return m


def mutable(values: dict[Any, float] | float) -> pyo.Param:
    """A parameter that a study may change without stating the model anew."""
    if isinstance(values, dict):
        return pyo.Param(list(values), initialize=values, mutable=True, domain=pyo.Reals)
    return pyo.Param(initialize=values, mutable=True, domain=pyo.Reals)
