"""The whole audit of a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import Steps
from nbb_opt.solve import Solution
from nbb_opt.solve.stop import relative_gap
from nbb_opt.studies.audit.charging_day import PLAIN
from nbb_opt.studies.audit.charging_view import by_the_hour
from nbb_opt.studies.audit.fleet_model import FleetModel, state_fleet_model
from nbb_opt.studies.audit.hours import Hours
from nbb_opt.studies.audit.idle import idle
from nbb_opt.studies.audit.improve import (
    WORTH_EUR,
    Change,
    Repair,
    best_by_the_hour,
    break_even,
    improve,
    numbers_in,
    steps_of,
)
from nbb_opt.studies.audit.ownership import lane_costs, ownership
from nbb_opt.studies.audit.plan import CHARGER, PLAN, PROJECT, TRUCK, plan_of, read_plan
from nbb_opt.studies.audit.scenarios import regrets
from nbb_opt.studies.audit.view import Audit
from nbb_opt.studies.audit.works import Works


def audit(
    instance: Instance,
    plan_file: Path,
    *,
    options: SolveOptions | None = None,
    each_s: float = 20.0,
    changes: int = 8,
    scenarios: bool = True,
    charging: str = PLAIN,
    cache_dir: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Audit:
    """Audit the plan in a file against an instance; every plan that is shown as possible was accepted by the verifier.

    The time limit of `options` is for the best plan, `each_s` for each smaller solve; `changes` is how many single
    changes are looked for; `scenarios` also tries the plan in the scenarios of the instance. Where the instance has
    shifts, a plan that works in a year is judged by the hour too, with plain or smart `charging`, and so is whatever is
    proposed: repairs, changes and the best plan.

    Raises InstanceError for a plan file with problems, Infeasible if no fleet can do the work, NoPlan if time ran out.
    """
    options = options or SolveOptions()
    fleet_model = state_fleet_model(instance, steps=Steps(options), cache_dir=cache_dir)
    plan = read_plan(plan_file, instance, fleet_model.prepared.bundles, note=say)
    say("what the plan cannot do")
    hours = Hours(fleet_model, charging)
    works = Works(fleet_model, plan, hours)
    judged, faults = works.judged, works.faults
    if not judged.faults:
        fleet_model.verified(judged.solution, "plan")
    say(f"{len(faults)} faults; the nearest plan that works")
    works.verified()
    mended, cheapest = works.repair, works.cheapest
    if cheapest is not None:
        fleet_model.verified(cheapest.solution, "cheapest repair")
        if mended.fits and mended.solution.objective - cheapest.solution.objective < WORTH_EUR:
            cheapest = None
    say("the best plan")
    in_a_year = fleet_model.solve()
    best = best_by_the_hour(hours, in_a_year, gap=in_a_year.gap, time_limit_s=each_s)
    best_fits = best is not None
    best = best or in_a_year
    fleet_model.verified(best, "best plan")
    days = None
    if not instance["shifts"].empty:
        say("charging by the hour")
        shown = mended.solution if judged.faults else judged.solution
        days = by_the_hour(fleet_model, shown, charging, repaired=bool(judged.faults), in_a_year=in_a_year)
    improved = improve(
        fleet_model, mended.solution, best, plan=plan, hours=hours, most=changes, time_limit_s=each_s, say=say
    )
    best, improved = best_of_all(best, [mended, cheapest], improved, fits=best_fits)
    lanes = lane_costs(fleet_model)
    rows = repaired_plan(fleet_model, mended.solution)
    shorter = replace(options, time_limit_s=each_s)
    lost_in = regrets(instance, plan_of(rows, instance), options=shorter, say=say) if scenarios else []
    return Audit.of(
        instance, plan_file.name, faults=faults, idle=idle(fleet_model, judged.solution),
        cost_eur=judged.solution.objective, repair=mended, cheapest=cheapest, best=best, changes=improved,
        repair_steps=steps_of(fleet_model, plan, mended, hours) if faults else [], regrets=lost_in,
        by_the_hour=days,
        emissions_t=[fleet_model.emissions_t(each) for each in (judged.solution, mended.solution, best)],
        tables={
            "repair": mended.changes, "repaired_plan": rows, "lanes": lanes,
            "ownership": ownership(fleet_model, judged.solution, lanes),
            "break_even": break_even(fleet_model, mended.solution, lanes),
        },
    )  # fmt: skip


def best_of_all(
    best: Solution, repairs: Sequence[Repair | None], changes: Sequence[Change], *, fits: bool = True
) -> tuple[Solution, list[Change]]:
    """The best of the plans that were found, and the changes with the distance to it that each closes.

    A search that ends within its gap may be undercut by a plan that was found on another way; its bound holds for all.
    One that does not fit its hours (`fits`) stands only if no other plan was found that does.
    """
    start = repairs[0]
    found = [mended.solution for mended in repairs if mended and mended.fits]
    found += [*(change.solution for change in changes), *([best] if fits else [])]
    first = min(found, key=lambda solution: solution.objective, default=best)
    if first is best or start is None:
        return best, list(changes)
    gap = relative_gap(first.objective, best.bound)
    distance_eur = max(start.solution.objective - first.objective, WORTH_EUR)
    again = [replace(change, closed_share=change.together_eur / distance_eur) for change in changes]
    return replace(first, bound=best.bound, gap=gap), again


def repaired_plan(fleet_model: FleetModel, solution: Solution) -> pd.DataFrame:
    """A plan file of the repaired plan: every number in every period, orders left to the trucks."""
    years = [period.year for period in fleet_model.instance.periods]
    rows = [
        (what, place, kind, years[t], float(number), "")
        for what, numbers in numbers_in(fleet_model, solution).items()
        for (place, kind, t), number in sorted(numbers.items())
        if any(numbers.get((place, kind, s), 0) for s in range(len(years)))
    ]
    assert {TRUCK, CHARGER, PROJECT} >= {row[0] for row in rows}
    return pd.DataFrame(rows, columns=[column.name for column in PLAN.columns])
