"""Builds the model of a ModelSpec on an instance: in Pyomo, to read, change and solve, or as arrays for scale.

Pyomo is imported when the first model is stated in it, not before (a second, 60 MB), and so are the kernels of the
network when data are worked out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy.typing as npt

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.model.arrays import state_arrays
from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.costs import PAID, shared_name
from nbb_opt.model.data.model_data import ModelData, model_data
from nbb_opt.model.form import StandardForm
from nbb_opt.model.spec import ModelSpec
from nbb_opt.options import Statement

if TYPE_CHECKING:
    import pyomo.environ as pyo

    from nbb_opt.model.extension import Extension
    from nbb_opt.model.pyomo_form import PyomoStatement
    from nbb_opt.network import Prepared

Route = Literal["pyomo", "arrays", "segments"]
# Pyomo states and compiles a million entries in some 5 CPU seconds, the arrays in a tenth of one.
LARGEST_IN_PYOMO = 1_000_000


@dataclass(frozen=True)
class Built:
    """A model with its data. Columns are numbered as its statement declares them, `start` says where each kind begins.

    `stated` is the Pyomo model with the form it was compiled to, or the arrays; `extension` is what a user added to it.
    """

    data: ModelData
    spec: ModelSpec
    stated: PyomoStatement | Assembly
    extension: Extension | None = None

    @property
    def model(self) -> pyo.ConcreteModel:
        """The Pyomo model; what is added to it or changed is solved. Raises ModelError where there are arrays only."""
        if isinstance(self.stated, Assembly):
            raise ModelError(f"model '{self.spec.name}' was stated as arrays; build it with route=\"pyomo\"")
        return self.stated.model

    @property
    def assembly(self) -> Assembly:
        """The arrays. Raises ModelError for a model stated in Pyomo."""
        if not isinstance(self.stated, Assembly):
            raise ModelError(f"model '{self.spec.name}' was stated in Pyomo; build it with route=\"arrays\"")
        return self.stated

    @property
    def start(self) -> Mapping[str, int]:
        """Position of the first column of every kind of variable."""
        return self.stated.start

    @property
    def components(self) -> Mapping[str, str]:
        """Components of the costs, and how each is paid; a user's own costs are apart, in `extension`."""
        if isinstance(self.stated, Assembly):
            return PAID
        own = {cost.name for cost in self.extension.costs} if self.extension is not None else set()
        return {name: paid for name, paid in self.stated.components.items() if name not in own}

    def terms(self, name: str) -> Terms:
        """Linear terms of something shared, by place and period (place times periods plus period).

        Of emissions_ttw_kg, emissions_wtt_kg and driver_h the places are countries, of energy_kwh charging areas; a
        component of the costs has one row per period and, last, one for the horizon.
        """
        size, base = self.data.time.size, self.data.base
        if not isinstance(self.stated, Assembly):
            return self.stated.terms(name, self.data)
        if name in PAID:
            return self.stated.share(shared_name(name), size + 1)
        places = base.areas if name == "energy_kwh" else base.countries
        return self.stated.share(name, len(places) * size)


def build(
    instance: Instance,
    prepared: Prepared,
    spec: ModelSpec,
    *,
    fixed_flows_t: npt.NDArray | None = None,
    route: Route = "pyomo",
) -> Built:
    """Build the model; amounts in t, vkm, vehicles, chargers, units, EUR, kg, kWh, all per year of the period.

    `route` is the statement: in Pyomo, or as arrays (the same standard form in a small part of the time and memory), or
    as arrays with a column per segment of chains (see segments.py) instead of one per chain, for `split`.

    `fixed_flows_t` (chains, periods) in t/year is needed if and only if the model's flows are those of the frozen
    plan. Raises ModelError where options and arguments do not fit, a flow has no usable chain, a block has no statement
    as arrays, or a coefficient is missing, not finite, or outside 1e-9 to 1e15.
    """
    if (fixed_flows_t is not None) != (spec.flows == "frozen"):
        raise ModelError(
            f"model '{spec.name}' has flows = \"{spec.flows}\": "
            + ("give fixed_flows_t, the flows of the frozen plan" if fixed_flows_t is None else "give no flows")
        )
    if spec.cuts and not spec.caps_t:
        raise ModelError(
            f"model '{spec.name}' has caps below what the frozen plan emits; solve it, or give with_caps()"
        )
    data = model_data(instance, prepared, spec, fixed_flows_t=fixed_flows_t, segments=route == "segments")
    return build_from(data, spec, route=route)


def build_from(data: ModelData, spec: ModelSpec, *, route: Route = "pyomo") -> Built:
    """Build the model from its data."""
    if route != "pyomo":
        return Built(data, spec, state_arrays(data, spec))
    from nbb_opt.model.model import freight_model
    from nbb_opt.model.pyomo_form import PyomoStatement, pause_gc

    with pause_gc():
        return Built(data, spec, PyomoStatement(freight_model(data, spec)))


def restated(built: Built, instance: Instance, prepared: Prepared) -> Built:
    """The model with the figures of a varied instance.

    In Pyomo the same model is given other numbers where that is all that is different (prices, caps, budgets,
    capacities, demand); `built` is not to be compiled any more then.
    """
    data = model_data(instance, prepared, built.spec)
    if isinstance(built.stated, Assembly):
        return build_from(data, built.spec, route="arrays")
    from nbb_opt.model.figures import figures
    from nbb_opt.model.model import take_numbers
    from nbb_opt.model.pyomo_form import PyomoStatement, pause_gc

    with pause_gc():
        same = built.extension is None and take_numbers(built.model, figures(data))
    return Built(data, built.spec, PyomoStatement(built.model)) if same else build_from(data, built.spec)


def with_figures_of(built: Built, instance: Instance, prepared: Prepared) -> Built:
    """The model as it is stated, its plans read with the figures of a varied instance: where a form was edited."""
    return replace(built, data=model_data(instance, prepared, built.spec))


def standard_form(built: Built) -> StandardForm:
    """The arrays of the model for a solver; rows and columns in the order of its statement.

    A Pyomo model is compiled as it is now, with what was added to it. Raises ModelError where a row was lost, something
    is not linear, or a number is not finite.
    """
    return built.stated.form() if built.extension is None else built.extension.form


def statement_for(nonzeros: int, asked: Statement = "auto") -> Literal["pyomo", "arrays"]:
    """Which statement a model of a forecast size is built from: Pyomo up to `LARGEST_IN_PYOMO` entries, arrays above.

    >>> statement_for(300_000), statement_for(1_200_000), statement_for(1_200_000, "pyomo")
    ('pyomo', 'arrays', 'pyomo')
    """
    if asked != "auto":
        return asked
    return "pyomo" if nonzeros <= LARGEST_IN_PYOMO else "arrays"
