"""One stram plan from an instance: the first year alone, the model, the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from nbb_opt.model import StandardForm
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import Steps, accept
from nbb_opt.problems.stram import StramCase, StramVerdict, verify_stram
from nbb_opt.problems.stram.model import StramBuilt, StramSpec, build_stram, chosen_statement, read_stram_model
from nbb_opt.problems.stram.model.extract import extract_stram
from nbb_opt.solve import Solution, Warm
from nbb_opt.solve.benders.two_stage import solve_two_stage
from nbb_opt.solve.stop import Callback

FIRST_YEAR = "stram_base_year"
FEASIBILITY = 1e-9  # of scaled rows; a tonne is scaled by 64, so flows are kept to less than a ten-millionth of a tonne


@dataclass(frozen=True)
class StramPlan:
    """A solved and verified model: the statement it was built from, and what it claims of itself, in NOK and t."""

    spec: StramSpec
    statement: str
    tables: Mapping[str, pd.DataFrame]
    solution: Solution
    verdict: StramVerdict
    reported: dict[str, Any]


def options_of(spec: StramSpec) -> dict[str, Any]:
    """The four options of a model, as the verifier takes them."""
    return {name: getattr(spec, name) for name in ("years", "scenarios", "emission_cap", "first_stage_cost")}


def plan_stram(case: StramCase, spec: StramSpec, steps: Steps) -> tuple[StramPlan, StramPlan | None]:
    """The plan and, where it spans several years, that of the first year alone (None else).

    Raises Infeasible, NoPlan, SolveError; VerifyFailed if the verifier refuses either.
    """
    if steps.callback is not None:
        in_nok = _in_nok(steps.callback)
        steps = Steps(steps.options, stop=steps.stop, callback=in_nok, seconds=steps.seconds)
    first: StramPlan | None = None
    emissions_t = None
    if spec.years != "first":
        first = _plan(case, read_stram_model(FIRST_YEAR), None, steps)
        emissions_t = float(first.tables["emissions"]["t_co2"].iloc[0])
    return _plan(case, spec, emissions_t, steps), first


def first_emissions_t(case: StramCase) -> float:
    """What the first year emits when it is planned alone."""
    first = _plan(case, read_stram_model(FIRST_YEAR), None, Steps(SolveOptions(gap=1e-9)))
    return float(first.tables["emissions"]["t_co2"].iloc[0])


def _in_nok(callback: Callback) -> Callback:
    return lambda progress: callback(replace(progress, money="NOK"))


def _plan(case: StramCase, spec: StramSpec, emissions_t: float | None, steps: Steps) -> StramPlan:
    with steps.timed("build"):
        statement = chosen_statement(case, spec, steps.options.statement)
        built = build_stram(case, spec, first_emissions_t=emissions_t, statement=statement)
        form = built.form()
    with steps.timed("solve"):
        solution = _solve(case, built, form, steps)
    with steps.timed("extract"):
        tables = extract_stram(built, solution.values)
    reported = {"cost_nok": solution.objective, "bound_nok": solution.bound, "first_emissions_t": emissions_t}
    with steps.timed("verify"):
        verdict = verify_stram(case, tables, options=options_of(spec), reported=reported)
    accept(verdict, f"{spec.name} plan")
    return StramPlan(spec, statement, tables, solution, verdict, reported)


def _solve(case: StramCase, built: StramBuilt, form: StandardForm, steps: Steps) -> Solution:
    """By scenarios where there are any, else (and by another solver) as one problem."""
    options, stage = steps.options, built.stage()
    if options.solver is None and len(built.chance) and (stage >= 0).any():
        start = case["scenarios"]["scenario"].tolist().index(case.keys["base_scenario"])
        return solve_two_stage(
            form, stage, complete=built.complete, start=start, gap=options.mip_gap, threads=options.threads,
            seed=options.seed, callback=steps.callback, stop=steps.stop, feasibility=FEASIBILITY,
        )  # fmt: skip
    warm = Warm(threads=options.threads, seed=options.seed, presolve=options.presolve, feasibility=FEASIBILITY)
    return steps.solve_form(form, warm=warm)
