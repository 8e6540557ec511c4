"""A stram model as stated in either way: its form, the scenario of each column, and what the columns of a plan mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nbb_opt.errors import ModelError
from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.build import statement_for
from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.model.form import StandardForm
from nbb_opt.options import Statement
from nbb_opt.problems.stram import StramCase
from nbb_opt.problems.stram.model.arrays import stram_arrays
from nbb_opt.problems.stram.model.spec import StramSpec

if TYPE_CHECKING:
    from nbb_opt.model.pyomo_form import PyomoStatement

SHARED = -1  # stage of a column of the first stage
RISK = -2  # stage of a column that belongs to the objective of several scenarios
OF_RISK = ("risk_nok", "above_nok", "future_nok")
# in rows, for each variable: of a flow on an arc, and of a path beside those of its legs
ENTRIES_PER_FLOW, ENTRIES_PER_PATH = 7, 3


@dataclass(frozen=True)
class StramBuilt:
    """A stated model: the Pyomo model with the form it was compiled to, or the arrays; columns are in the same order.

    A key of a column begins with its state: the scenario (blank where all share the state) and the year.
    """

    case: StramCase
    spec: StramSpec
    stated: PyomoStatement | Assembly

    def form(self) -> StandardForm:
        """The model for a solver."""
        return self.stated.form()

    @property
    def chance(self) -> Floats:
        """Probability of every scenario that is told apart; empty in a model of one scenario."""
        scenarios = self.case["scenarios"] if self.spec.scenarios == "all" else self.case["scenarios"].iloc[:0]
        return scenarios["probability"].to_numpy(float)

    def columns(self, kind: str) -> tuple[Sequence[Any], slice]:
        """Keys of the columns of a kind, and where these columns are."""
        keys: Sequence[Any]
        if isinstance(self.stated, Assembly):
            keys = self.stated.kinds[kind].keys
        else:
            keys = list(self.stated.model.component(kind).keys())
        start = self.stated.start.get(kind, 0)
        return keys, slice(start, start + len(keys))

    def stage(self) -> Ints:
        """For every column: SHARED, RISK, or the number of its scenario from 0."""
        number = {name: at for at, name in enumerate(["", *self.case["scenarios"]["scenario"]], SHARED)}
        stage = np.full(self.stated.size, SHARED, np.int64)
        for kind in self.stated.start:
            keys, where = self.columns(kind)
            if kind in OF_RISK:
                stage[where] = RISK
            elif kind != "worst_opex_nok":
                stage[where] = [number[key[0]] for key in keys]
        return stage

    def amounts_nok(self, component: str, values: Floats) -> Floats:
        """What a component of the costs is in every state."""
        if isinstance(self.stated, Assembly):
            states, _where = self.columns("emitted_t")
            return self.stated.share(component, len(states)).amounts(values)
        from nbb_opt.model.pyomo_form import terms_of

        stated = self.stated
        return terms_of(stated.last.columns, stated.model.component(component).values()).amounts(values)

    def complete(self, costs: Floats) -> Floats:
        """The best columns of the objective (future, risk, above, in their order) for the costs of the scenarios, NOK.

        The value at risk is one of the costs: the weighted sum is piecewise linear in it, with kinks there.
        """
        level = self.case.rules.cvar_level
        tails = [u + float(self.chance @ np.maximum(costs - u, 0.0)) / (1.0 - level) for u in costs.tolist()]
        risk = float(costs[int(np.argmin(tails))])
        return np.concatenate([costs, [risk], np.maximum(costs - risk, 0.0)])


def build_stram(
    case: StramCase,
    spec: StramSpec,
    *,
    first_emissions_t: float | None = None,
    statement: Literal["pyomo", "arrays"] = "pyomo",
) -> StramBuilt:
    """State a model: t, tkm, t CO2 and NOK per year, investments in NOK; the objective in discounted NOK.

    `first_emissions_t` (what the first year emits when planned alone) is needed unless `spec.years` is "first": without
    it a ModelError is raised.
    """
    if spec.years != "first" and first_emissions_t is None:
        raise ModelError("a model of several years needs the emissions of the first year alone: plan that year first")
    if statement == "arrays":
        return StramBuilt(case, spec, stram_arrays(case, spec, first_emissions_t=first_emissions_t))
    from nbb_opt.model.pyomo_form import PyomoStatement
    from nbb_opt.problems.stram.model.build import stram_model

    return StramBuilt(case, spec, PyomoStatement(stram_model(case, spec, first_emissions_t=first_emissions_t)))


def chosen_statement(case: StramCase, spec: StramSpec, asked: Statement) -> Literal["pyomo", "arrays"]:
    """The statement asked for, or that which fits the forecast number of entries."""
    stages = case["periods"]["stage"] if spec.years == "all" else case["periods"]["stage"].iloc[:1]
    branches = len(case["scenarios"]) if spec.scenarios == "all" else 1
    states = int(np.where(stages == 2, branches, 1).sum())
    fuels = case["technologies"].groupby("mode")["fuel"].nunique()
    vehicles = case["vehicles"].groupby("mode")["vehicle"].nunique()
    mode = case["edges"]["mode"]
    flows = 2 * (mode.map(fuels) * (len(case["products"]) + mode.map(vehicles))).sum()
    legs = case["path_legs"]["path"]
    carried = len(case["products"]) * (len(legs) + ENTRIES_PER_PATH * legs.nunique())
    return statement_for(int(states * (ENTRIES_PER_FLOW * flows + carried)), asked)
