"""States the model of a ModelSpec on an instance, as Pyomo objects or as arrays.

Pyomo is imported when the first model is stated in it, not before (a second, 60 MB), and so are the kernels of the
network when data are worked out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.model.arrays import BUILD
from nbb_opt.model.arrays.array_assembly import ArrayAssembly
from nbb_opt.model.arrays.assembly import Assembly, Weighed
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.data.costs import ALL, factors, shared_name
from nbb_opt.model.data.model_data import ModelData, model_data
from nbb_opt.model.spec import ModelSpec

if TYPE_CHECKING:
    import pyomo.environ as pyo

    from nbb_opt.network import Prepared

Route = Literal["pyomo", "arrays", "pieces"]


@dataclass(frozen=True)
class Built:
    """A model with its data; `assembly` knows the order of the columns and the shared terms."""

    data: ModelData
    spec: ModelSpec
    assembly: Assembly

    @property
    def model(self) -> pyo.ConcreteModel:
        """The Pyomo model. Raises ModelError where the model was stated as arrays."""
        from nbb_opt.model.pyomo_assembly import PyomoAssembly

        if not isinstance(self.assembly, PyomoAssembly):
            raise ModelError(f"model '{self.spec.name}' was stated as arrays; build it with route=\"pyomo\"")
        return self.assembly.model


def build(
    instance: Instance,
    prepared: Prepared,
    spec: ModelSpec,
    *,
    fixed_flows_t: npt.NDArray | None = None,
    route: Route = "pyomo",
) -> Built:
    """Build the model; amounts in t, vkm, vehicles, chargers, units, EUR, kg, kWh, all per year of the period.

    `route` says what the blocks' statement is made into: Pyomo objects (to read, render and test) or arrays (the same
    standard form in a small part of the time and memory), or arrays with a column per piece of chains (see pieces/)
    instead of one per chain, for `split`.

    `fixed_flows_t` (chains, periods) in t/year is needed if and only if the model's flows are those of the do-nothing
    plan. Raises ModelError where options and arguments do not fit, a flow has no usable chain, or a coefficient is
    missing, not finite, or outside 1e-9 to 1e15.
    """
    if (fixed_flows_t is not None) != (spec.flows == "do_nothing"):
        raise ModelError(
            f"model '{spec.name}' has flows = \"{spec.flows}\": "
            + ("give fixed_flows_t, the flows of the do-nothing plan" if fixed_flows_t is None else "give no flows")
        )
    data = model_data(instance, prepared, spec, fixed_flows_t=fixed_flows_t, pieces=route == "pieces")
    return build_from(data, spec, route=route)


def build_from(data: ModelData, spec: ModelSpec, *, route: Route = "pyomo") -> Built:
    """Build the model from its data."""
    if route == "pyomo":
        from nbb_opt.model.pyomo_assembly import PyomoAssembly, pause_gc

        with pause_gc():
            return Built(data, spec, _stated(PyomoAssembly(spec.name, data.time.years.tolist()), data, spec))
    return Built(data, spec, _stated(ArrayAssembly(spec.name), data, spec))


def _stated(a: Assembly, data: ModelData, spec: ModelSpec) -> Assembly:
    """Let every block of the model speak, then name what they share."""
    for block, add in BUILD:
        if block in spec.blocks:
            add(a, data)
    _name_shared(a, data)
    return a


def _name_shared(a: Assembly, data: ModelData) -> None:
    """Turn the shared terms into expressions and the objective."""
    years, size = data.time.years, data.time.size
    countries, areas = data.world.countries, data.world.areas
    for name, places in (
        ("emissions_ttw_kg", countries),
        ("emissions_wtt_kg", countries),
        ("energy_kwh", areas),
        ("driver_h", countries),
    ):
        where = np.arange(len(places) * size)
        a.add_expressions(name, Keys((places, where // size), years[where % size]), a.share(name, len(where)))
    paid_in = [*years.tolist(), data.time.horizon_year]
    a.minimise(
        [
            Weighed(component, paid_in, factors(component, data.time), a.share(shared_name(component), size + 1))
            for component in ALL
        ]
    )
