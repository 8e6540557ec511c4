"""The stram model as arrays: the statement for scale, written from models/stram.md, checked against the Pyomo one."""

from __future__ import annotations

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.problems.stram import StramCase
from nbb_opt.problems.stram.model.arrays.capacity import add_capacity, add_charging
from nbb_opt.problems.stram.model.arrays.costs import add_costs, add_emissions
from nbb_opt.problems.stram.model.arrays.data import stram_data
from nbb_opt.problems.stram.model.arrays.flows import add_empties, add_flows
from nbb_opt.problems.stram.model.arrays.technology import add_technology
from nbb_opt.problems.stram.model.spec import StramSpec

BLOCKS = (add_flows, add_empties, add_capacity, add_charging, add_technology, add_emissions, add_costs)


def stram_arrays(case: StramCase, spec: StramSpec, *, first_emissions_t: float | None = None) -> Assembly:
    """State a model; amounts and arguments as of `stram_model`."""
    data, a = stram_data(case, spec, first_emissions_t=first_emissions_t), Assembly(spec.name)
    for add in BLOCKS:
        add(a, data)
    return a


__all__ = ["BLOCKS", "stram_arrays"]
