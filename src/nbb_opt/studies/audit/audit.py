"""The whole audit of a plan, and the files it leaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.options import SolveOptions
from nbb_opt.output import write_files
from nbb_opt.pipeline import Steps
from nbb_opt.report.text import meur, percent
from nbb_opt.solve import Solution
from nbb_opt.solve.stop import relative_gap
from nbb_opt.studies.audit.faults import Fault, judge
from nbb_opt.studies.audit.fleet_model import FleetModel, state_fleet_model
from nbb_opt.studies.audit.idle import Idle, idle
from nbb_opt.studies.audit.improve import (
    WORTH_EUR,
    Change,
    Repair,
    Step,
    break_even,
    cheapest_repair,
    improve,
    numbers_in,
    repair,
    steps_of,
)
from nbb_opt.studies.audit.orders import impossible_orders
from nbb_opt.studies.audit.ownership import lane_costs, ownership
from nbb_opt.studies.audit.plan import CHARGER, PLAN, PROJECT, TRUCK, plan_of, read_plan
from nbb_opt.studies.audit.scenarios import Regret, regrets

RECORD = "audit.json"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Audit:
    """Everything found about a plan. `cost_eur` is that of the plan as if what is short were there.

    `cheapest` is the cheapest repair with the fewest other trucks, where it costs less than the smallest one.

    Printed, it is what was found in lines.
    """

    instance: Instance
    plan_name: str
    faults: list[Fault]
    idle: list[Idle]
    cost_eur: float
    emissions_t_per_year: dict[int, float]
    ownership: pd.DataFrame
    lanes: pd.DataFrame
    repair: Repair
    cheapest: Repair | None
    repair_steps: list[Step]
    repaired_plan: pd.DataFrame
    best: Solution
    best_emissions_t_per_year: dict[int, float]
    repaired_emissions_t_per_year: dict[int, float]
    changes: list[Change]
    break_even: pd.DataFrame
    regrets: list[Regret]

    def __str__(self) -> str:
        said = [f"  cannot work  {fault.where} {fault.year}: {fault.text}" for fault in self.faults]
        said += [f"  idle         {each.place} {each.year}: {each.text}" for each in self.idle]
        for word, mended in (("repair  ", self.repair), ("cheapest", self.cheapest)):
            said += [
                f"  {word}     {row.what} {row.place} {row.type} {row.year}: {row.planned:g} become {row.repaired:g}"
                for row in (mended.changes.itertuples(index=False) if mended is not None else ())
            ]
        said += [
            f"  step {number}       {step.text}: {_money(step)}; {_counted(step.faults_left, 'fault')} left"
            for number, step in enumerate(self.repair_steps, start=1)
        ]
        said += [
            f"  change {number}     {change.text}: {_money(change)}; {change.closed_share:.0%} of the distance closed"
            for number, change in enumerate(self.changes, start=1)
        ]
        lines = [f"{self.instance.meta.title}, plan {self.plan_name}", *said]
        return "\n".join([*lines, *(f"  {sentence}" for sentence in self.sentences())])

    def sentences(self) -> list[str]:
        """The findings in a few sentences."""
        mended, best = self.repair, self.best
        gap = mended.solution.objective - best.objective
        said = []
        if self.faults:
            said.append(f"The smallest repair: {mended.text}.")
        if self.cheapest is not None:
            cost_eur = self.cheapest.solution.objective
            less = meur(mended.solution.objective - cost_eur)
            said.append(f"The cheapest repair: {self.cheapest.text}; {meur(cost_eur)}, {less} less than the smallest.")
        if self.idle:
            eur = sum(each.eur_per_year for each in self.idle if each.year == self.idle[-1].year)
            said.append(f"What has no work costs {eur:,.0f} EUR a year from {self.idle[-1].year}.")
        said.append(
            f"{'The plan with the smallest repair' if self.faults else 'It'} costs {meur(mended.solution.objective)}, "
            f"{meur(gap)} ({percent(gap / best.objective)}) more than the best plan found, which is within "
            f"{percent(best.gap)} of the least possible."
        )
        if self.changes:
            first = self.changes[: min(5, len(self.changes))]
            said.append(
                f"The first {len(first)} change{'s' if len(first) > 1 else ''} close "
                f"{percent(first[-1].closed_share)} of that distance."
            )
        return said

    @property
    def record(self) -> dict[str, Any]:
        """The audit as plain values."""
        mended, best = self.repair, self.best
        return {
            "instance": self.instance.meta.name,
            "instance_digest": self.instance.digest,
            "plan": self.plan_name,
            "feasible": not self.faults,
            "faults": [asdict(fault) for fault in self.faults],
            "idle": [asdict(each) for each in self.idle],
            "cost_eur": self.cost_eur,
            "emissions_t_co2e": self.emissions_t_per_year,
            "repair": _repair_record(mended)
            | {
                "emissions_t_co2e": self.repaired_emissions_t_per_year,
                "steps": [asdict(step) for step in self.repair_steps],
            },
            "cheapest_repair": None if self.cheapest is None else _repair_record(self.cheapest),
            "best": {
                "cost_eur": best.objective,
                "bound_eur": best.bound,
                "gap": best.gap,
                "emissions_t_co2e": self.best_emissions_t_per_year,
            },
            "changes": [
                {name: value for name, value in vars(change).items() if name not in ("keys", "solution")}
                for change in self.changes
            ],
            "regrets": [
                asdict(regret) | {"at_least_eur": regret.at_least_eur, "at_most_eur": regret.at_most_eur}
                for regret in self.regrets
            ],
        }


def _repair_record(mended: Repair) -> dict[str, Any]:
    return {
        "trucks_changed": mended.trucks_changed,
        "fuels_changed": mended.fuels_changed,
        "others_changed": mended.others_changed,
        "cost_eur": mended.solution.objective,
        "changes": mended.changes.to_dict("records"),
    }


def _money(step: Step | Change) -> str:
    return f"costs {step.costs_eur / 1e3:,.0f} and saves {step.saves_eur / 1e3:,.0f} thousand EUR"


def _counted(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def audit(
    instance: Instance,
    plan_file: Path,
    *,
    options: SolveOptions | None = None,
    each_s: float = 20.0,
    changes: int = 8,
    scenarios: bool = True,
    cache_dir: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Audit:
    """Audit the plan in a file against an instance; every plan that is shown as possible was accepted by the verifier.

    The time limit of `options` is for the best plan, `each_s` for each smaller solve; `changes` is how many single
    changes are looked for; `scenarios` also tries the plan in the scenarios of the instance.

    Raises InstanceError for a plan file with problems, Infeasible if no fleet can do the work, NoPlan if time ran out.
    """
    options = options or SolveOptions()
    fleet_model = state_fleet_model(instance, steps=Steps(options), cache_dir=cache_dir)
    plan = read_plan(plan_file, instance, fleet_model.prepared.bundles, note=say)
    say("what the plan cannot do")
    judged = judge(fleet_model, plan)
    if not judged.faults:
        fleet_model.verified(judged.solution, "plan")
    say(f"{len(judged.faults)} faults; the nearest plan that works")
    mended = repair(fleet_model, plan)
    fleet_model.verified(mended.solution, "repaired plan")
    cheapest = cheapest_repair(fleet_model, plan) if judged.faults else None
    if cheapest is not None:
        fleet_model.verified(cheapest.solution, "cheapest repair")
        if mended.solution.objective - cheapest.solution.objective < WORTH_EUR:
            cheapest = None
    say("the best plan")
    best = fleet_model.solve()
    fleet_model.verified(best, "best plan")
    years = [period.year for period in instance.periods]
    beyond = [
        ("order", each.order, each.vehicle, years[each.t], each.share, 0.0)
        for each in impossible_orders(fleet_model, plan)
    ]
    lost = pd.DataFrame(beyond, columns=mended.changes.columns)
    mended = replace(mended, changes=pd.concat([mended.changes, lost]) if beyond else mended.changes)
    improved = improve(fleet_model, mended.solution, best, plan=plan, most=changes, time_limit_s=each_s, say=say)
    best, improved = best_of_all(best, [mended, cheapest], improved)
    lanes = lane_costs(fleet_model)
    rows = repaired_plan(fleet_model, mended.solution)
    shorter = replace(options, time_limit_s=each_s)
    lost_in = regrets(instance, plan_of(rows, instance), options=shorter, say=say) if scenarios else []
    return Audit(
        instance=instance, plan_name=plan_file.name, faults=judged.faults,
        idle=idle(fleet_model, judged.solution), cost_eur=judged.solution.objective,
        repair_steps=steps_of(fleet_model, plan, mended) if judged.faults else [],
        emissions_t_per_year=fleet_model.emissions_t(judged.solution),
        ownership=ownership(fleet_model, judged.solution, lanes), lanes=lanes, repair=mended, cheapest=cheapest,
        repaired_plan=rows, best=best, best_emissions_t_per_year=fleet_model.emissions_t(best),
        repaired_emissions_t_per_year=fleet_model.emissions_t(mended.solution), changes=improved,
        break_even=break_even(fleet_model, mended.solution, lanes), regrets=lost_in,
    )  # fmt: skip


def best_of_all(
    best: Solution, repairs: Sequence[Repair | None], changes: Sequence[Change]
) -> tuple[Solution, list[Change]]:
    """The best of the plans that were found, and the changes with the distance to it that each closes.

    A search that ends within its gap may be undercut by a plan that was found on another way; its bound holds for all.
    """
    start = repairs[0]
    found = [best, *(mended.solution for mended in repairs if mended), *(change.solution for change in changes)]
    first = min(found, key=lambda solution: solution.objective)
    if first is best or start is None:
        return best, list(changes)
    gap = relative_gap(first.objective, best.bound)
    distance_eur = start.solution.objective - first.objective
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


def write_audit(found: Audit, folder: Path, page: str) -> None:
    """Write the page, tables and record of an audit to `folder`; files of an earlier audit are replaced."""
    tables = {
        "faults": pd.DataFrame([asdict(fault) for fault in found.faults], columns=list(Fault.__dataclass_fields__)),
        "idle": pd.DataFrame([asdict(each) for each in found.idle], columns=list(Idle.__dataclass_fields__)),
        "repair": found.repair.changes,
        "repaired_plan": found.repaired_plan,
        "ownership": found.ownership,
        "lanes": found.lanes,
        "break_even": found.break_even,
    }
    files = {f"{name}.csv": table.to_csv(index=False) for name, table in tables.items()}
    record = json.dumps(found.record, ensure_ascii=False, indent=1)
    write_files(folder, {**files, "audit.html": page, RECORD: record})
