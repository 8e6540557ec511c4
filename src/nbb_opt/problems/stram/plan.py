"""One stram plan from an instance: the first year alone, the model, the verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from nbb_opt.errors import VerifyFailed
from nbb_opt.model.compile import form_of
from nbb_opt.problems.stram import StramCase, StramVerdict, verify_stram
from nbb_opt.problems.stram.model import StramSpec, build_stram, read_stram_model
from nbb_opt.problems.stram.model.extract import extract_stram
from nbb_opt.solve import Progress, Solution, Stop, solve_form
from nbb_opt.solve.benders.two_stage import solve_two_stage
from nbb_opt.solve.mip.warm import Warm
from nbb_opt.solve.stop import Listener

FIRST_YEAR = "stram_base_year"
FEASIBILITY = 1e-9  # of scaled rows; a tonne is scaled by 64, so flows are kept to less than a ten-millionth of a tonne


@dataclass(frozen=True)
class StramPlan:
    """A solved and verified model. `reported` is what the plan claims of itself, amounts in NOK and t."""

    spec: StramSpec
    tables: Mapping[str, pd.DataFrame]
    solution: Solution
    verdict: StramVerdict
    reported: dict[str, Any]


def options_of(spec: StramSpec) -> dict[str, Any]:
    """The four options of a model, as the verifier takes them."""
    return {name: getattr(spec, name) for name in ("years", "scenarios", "emission_cap", "first_stage_cost")}


def plan_stram(
    case: StramCase,
    spec: StramSpec,
    *,
    gap: float,
    threads: int,
    seed: int,
    stop: Stop,
    seconds: dict[str, float],
    listen: Listener | None = None,
) -> tuple[StramPlan, StramPlan | None]:
    """The plan and, where it spans several years, that of the first year alone (None else).

    Raises Infeasible, NoPlan, SolveError; VerifyFailed if the verifier refuses either.
    """
    hear = None if listen is None else _in_nok(listen)
    first: StramPlan | None = None
    emissions = None
    if spec.years != "first":
        alone = read_stram_model(FIRST_YEAR)
        first = _plan(case, alone, None, gap=gap, threads=threads, seed=seed, stop=stop, seconds=seconds, listen=hear)
        emissions = float(first.tables["emissions"]["t_co2"].iloc[0])
    plan = _plan(case, spec, emissions, gap=gap, threads=threads, seed=seed, stop=stop, seconds=seconds, listen=hear)
    return plan, first


def _in_nok(listen: Listener) -> Listener:
    return lambda progress: listen(replace(progress, money="NOK"))


def _plan(
    case: StramCase, spec: StramSpec, emissions: float | None, *, gap: float, threads: int, seed: int, stop: Stop,
    seconds: dict[str, float], listen: Listener | None,
) -> StramPlan:  # fmt: skip
    def timed(phase: str, work: Callable[[], Any]) -> Any:
        if listen is not None:
            listen(Progress(phase, stop.elapsed_s()))
        started = time.perf_counter()
        found = work()
        seconds[phase] = round(seconds.get(phase, 0.0) + time.perf_counter() - started, 3)
        return found

    built = timed("build", lambda: build_stram(case, spec, first_emissions_t=emissions))
    form = timed("build", lambda: form_of(built.assembly))
    if len(built.data.states.probability) and (built.stage() >= 0).any():
        start = case["scenarios"]["scenario"].tolist().index(case.keys["base_scenario"])
        solution = timed(
            "solve",
            lambda: solve_two_stage(
                form, built.stage(), complete=built.complete, start=start, gap=gap, threads=threads, seed=seed,
                listen=listen, stop=stop, feasibility=FEASIBILITY,
            ),
        )  # fmt: skip
    else:
        solution = timed(
            "solve",
            lambda: solve_form(
                form, gap=gap, listen=listen, stop=stop,
                warm=Warm(threads=threads, seed=seed, feasibility=FEASIBILITY),
            ),
        )  # fmt: skip
    tables = timed("tables", lambda: extract_stram(built, solution.values))
    reported = {"cost_nok": solution.objective, "bound_nok": solution.bound, "first_emissions_t": emissions}
    verdict = timed("verify", lambda: verify_stram(case, tables, options=options_of(spec), reported=reported))
    if not verdict.ok:
        raise VerifyFailed(f"the {spec.name} plan is not accepted:\n" + verdict.failures().to_string(index=False))
    return StramPlan(spec, tables, solution, verdict, reported)
