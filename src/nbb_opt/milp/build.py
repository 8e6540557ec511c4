"""Builds the Pyomo model of a ModelSpec on an instance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy.typing as npt
import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.milp.assembly import Assembly
from nbb_opt.milp.blocks import BUILD
from nbb_opt.milp.costs import ALL, factors, shared_name
from nbb_opt.milp.data import ModelData, model_data
from nbb_opt.milp.spec import ModelSpec
from nbb_opt.network import Prepared


@dataclass(frozen=True)
class Built:
    """A model with its data; `assembly` knows the order of the columns and the shared terms."""

    model: pyo.ConcreteModel
    data: ModelData
    spec: ModelSpec
    assembly: Assembly


def build(
    instance: Instance,
    prepared: Prepared,
    spec: ModelSpec,
    *,
    fixed_flows_t: npt.NDArray | None = None,
) -> Built:
    """Build the model; amounts in t, vkm, vehicles, chargers, units, EUR, kg, kWh, all per year of the period.

    `fixed_flows_t` (chains, periods) in t/year is needed if and only if the model's flows are those of the do-nothing
    plan. Raises ModelError where options and arguments do not fit, a flow has no usable chain, or a coefficient is
    missing, not finite, or outside 1e-9 to 1e15.
    """
    if (fixed_flows_t is not None) != (spec.flows == "do_nothing"):
        raise ModelError(
            f"model '{spec.name}' has flows = \"{spec.flows}\": "
            + ("give fixed_flows_t, the flows of the do-nothing plan" if fixed_flows_t is None else "give no flows")
        )
    data = model_data(instance, prepared, spec, fixed_flows_t=fixed_flows_t)
    return build_from(data, spec)


def build_from(data: ModelData, spec: ModelSpec) -> Built:
    """Build the model from its data."""
    with PauseGC():
        a = Assembly(spec.name)
        a.model.PERIODS = pyo.Set(initialize=data.time.years.tolist())
        for block, add in BUILD:
            if block in spec.blocks:
                add(a, data)
        _name_shared(a, data)
    return Built(a.model, data, spec, a)


def _name_shared(a: Assembly, data: ModelData) -> None:
    """Turn the shared terms into expressions and the objective."""
    years, size = data.time.years.tolist(), data.time.size
    by_country = [(country, year) for country in data.world.countries.ids for year in years]
    by_area = [(area, year) for area in data.world.areas.ids for year in years]
    for name, index in (
        ("emissions_ttw_kg", by_country),
        ("emissions_wtt_kg", by_country),
        ("energy_kwh", by_area),
        ("driver_h", by_country),
    ):
        a.add_expressions(name, index, a.share(name, len(index)))
    amount_eur = pyo.Expression(pyo.Any)
    a.model.amount_eur = amount_eur
    parts: list[object] = []
    for component in ALL:
        weight = factors(component, data.time)
        bodies = a.bodies(component, a.share(shared_name(component), size + 1))
        for year, factor, body in zip([*years, data.time.horizon_year], weight.tolist(), bodies, strict=True):
            if isinstance(body, float) and body == 0:
                continue
            amount_eur.add((component, year), body)
            parts.append(factor * amount_eur[component, year])
    a.model.cost_eur = pyo.Expression(expr=pyo.quicksum(parts))
    a.model.minimise_cost = pyo.Objective(expr=a.model.cost_eur)
