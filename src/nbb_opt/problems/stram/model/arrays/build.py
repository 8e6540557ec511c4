"""The stram model as arrays: the statement for scale, written from models/stram.md, checked against the Pyomo one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.problems.stram import StramCase
from nbb_opt.problems.stram.model.arrays.capacity import add_capacity, add_charging
from nbb_opt.problems.stram.model.arrays.costs import add_costs, add_emissions
from nbb_opt.problems.stram.model.arrays.data import StramData, stram_data
from nbb_opt.problems.stram.model.arrays.flows import add_empties, add_flows
from nbb_opt.problems.stram.model.arrays.technology import add_technology
from nbb_opt.problems.stram.model.spec import StramSpec

BLOCKS = (add_flows, add_empties, add_capacity, add_charging, add_technology, add_emissions, add_costs)
SHARED = -1  # stage of a column of the first stage
RISK = -2  # stage of a column that belongs to the objective of several scenarios


@dataclass(frozen=True)
class StramBuilt:
    """A stated model with its data."""

    data: StramData
    spec: StramSpec
    assembly: Assembly

    def stage(self) -> Ints:
        """For every column: SHARED, RISK, or the number of its scenario from 0."""
        states, a = self.data.states, self.assembly
        parts = []
        for columns in a.kinds.values():
            keys = columns.keys
            if columns.name in ("risk_nok", "above_nok", "future_nok"):
                parts.append(np.full(len(keys), RISK, np.int64))
            elif columns.name == "worst_opex_nok":
                parts.append(np.full(len(keys), SHARED, np.int64))
            else:
                names, scenario = keys.parts[0]  # type: ignore[attr-defined]
                assert names is states.names
                parts.append(np.asarray(scenario, np.int64) - 1)
        return np.concatenate(parts)

    def complete(self, costs: Floats) -> Floats:
        """The best columns of the objective (future, risk, above, in their order) for the costs of the scenarios, NOK.

        The value at risk is one of the costs: the weighted sum is piecewise linear in it, with kinks there.
        """
        chance, level = self.data.states.probability, self.data.rules.cvar_level
        tails = [u + float(chance @ np.maximum(costs - u, 0.0)) / (1.0 - level) for u in costs.tolist()]
        risk = float(costs[int(np.argmin(tails))])
        return np.concatenate([costs, [risk], np.maximum(costs - risk, 0.0)])


def build_stram(
    case: StramCase,
    spec: StramSpec,
    *,
    first_emissions_t: float | None = None,
) -> StramBuilt:
    """State a model: t, tkm, t CO2 and NOK per year, investments in NOK; the objective in discounted NOK.

    `first_emissions_t` (what the first year emits when planned alone) is needed unless `spec.years` is "first".
    """
    data = stram_data(case, spec, first_emissions_t=first_emissions_t)
    a = Assembly(spec.name)
    for add in BLOCKS:
        add(a, data)
    return StramBuilt(data, spec, a)
