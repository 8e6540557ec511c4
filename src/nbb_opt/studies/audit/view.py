"""What was found about a plan: lines, tables, plain values, and a page in the words of a manager."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.report.charts.charts import waterfall
from nbb_opt.report.grid import Cell, Column, Grid, Section, each
from nbb_opt.report.headline import Tile
from nbb_opt.report.study import Answer
from nbb_opt.report.text import meur, number, percent, plural
from nbb_opt.solve import Solution
from nbb_opt.studies.audit.charging_view import ByTheHour, annual_section, day_sections
from nbb_opt.studies.audit.faults import Fault
from nbb_opt.studies.audit.idle import Idle
from nbb_opt.studies.audit.improve import Change, Repair, Step
from nbb_opt.studies.audit.scenarios import Regret

MOST_BREAK_EVEN = 12
FILES_ONLY = ("repair", "repaired_plan", "ownership", "lanes", "break_even")
_MONEY = [Column("Costs", "number", "kEUR"), Column("Saves", "number", "kEUR")]


@dataclass(frozen=True, kw_only=True)
class Audit(Answer):
    """Everything found about a plan.

    `repair` is the smallest one, in `repair_steps`; `cheapest` the cheapest with the fewest other trucks, where it
    costs less. `best` is the best plan found. `by_the_hour` are the days of the plan, or of its smallest repair where
    it cannot work in a year; None where the instance says nothing of shifts. Cost and emissions in `figures` are those
    of the plan as if what is short were there.
    """

    repair: Repair
    repair_steps: Sequence[Step]
    cheapest: Repair | None
    best: Solution
    changes: Sequence[Change]
    regrets: Sequence[Regret]
    by_the_hour: ByTheHour | None

    @classmethod
    def of(
        cls, instance: Instance, plan_name: str, *, faults: Sequence[Fault], idle: Sequence[Idle], cost_eur: float,
        emissions_t: Sequence[Mapping[int, float]], tables: Mapping[str, pd.DataFrame], **found: Any,
    ) -> Audit:  # fmt: skip
        """The answer; `emissions_t` by period are those of the plan, repaired, and of the best one."""
        planned_t, repaired_t, best_t = emissions_t
        repair, steps, best = found["repair"], found["repair_steps"], found["best"]
        cheapest, changes, last = found["cheapest"], found["changes"], max(best_t)
        above_eur = repair.solution.objective - best.objective
        shown = [f"  cannot work  {fault.where} {fault.year}: {fault.text}" for fault in faults]
        shown += [f"  idle         {one.place} {one.year}: {one.text}" for one in idle]
        for word, mended in (("repair  ", repair), ("cheapest", cheapest)):
            shown += [
                f"  {word}     {row.what} {row.place} {row.type} {row.year}: {row.planned:g} become {row.repaired:g}"
                for row in each(mended.changes if mended is not None else repair.changes.head(0))
            ]
        shown += [
            f"  step {n}       {step.text}: {_money(step)}; {plural(step.faults_left, 'fault', 'faults')} left"
            for n, step in enumerate(steps, start=1)
        ]
        shown += [
            f"  change {n}     {change.text}: {_money(change)}; {change.closed_share:.0%} of the distance closed"
            for n, change in enumerate(changes, start=1)
        ]
        return cls(
            instance=instance, name="audit", title=f"audit of {plan_name}", description=instance.meta.description,
            sentences=[
                *_sentences(faults, idle, repair, cheapest, best, changes),
                *(found["by_the_hour"].sentences(best) if found["by_the_hour"] else ()),
            ],
            shown=shown, sections=_sections,
            tiles=[
                Tile("Faults", str(len(faults)), "things the plan cannot do"),
                Tile("Trucks to change", str(repair.trucks_changed), "fewest that make it work"),
                Tile("Cost above the best plan", meur(above_eur), "net present value, repaired plan"),
                Tile(f"Emissions {last}", f"{number(repaired_t[last])} t", f"CO2e, best plan {number(best_t[last])} t"),
            ],
            tables={"faults": _frame(faults, Fault), "idle": _frame(idle, Idle), **tables}, files_only=FILES_ONLY,
            about={"instance": instance.meta.name, "instance_digest": instance.digest, "plan": plan_name},
            figures={
                "feasible": not faults, "cost_eur": cost_eur, "emissions_t_co2e": planned_t,
                "repair": {**_record(repair), "emissions_t_co2e": repaired_t, "steps": list(map(asdict, steps))},
                "cheapest_repair": None if cheapest is None else _record(cheapest),
                "by_the_hour": found["by_the_hour"] and found["by_the_hour"].record,
                "best": {"cost_eur": best.objective, "bound_eur": best.bound, "gap": best.gap,
                         "emissions_t_co2e": best_t},
                "changes": [
                    {name: value for name, value in vars(change).items() if name not in ("keys", "solution")}
                    for change in changes
                ],
                "regrets": [
                    {**asdict(one), "at_least_eur": one.at_least_eur, "at_most_eur": one.at_most_eur}
                    for one in found["regrets"]
                ],
            },
            **found,
        )  # fmt: skip


def _frame(rows: Sequence[Any], kind: type[Any]) -> pd.DataFrame:
    return pd.DataFrame([asdict(row) for row in rows], columns=[field.name for field in fields(kind)])


def _record(mended: Repair) -> dict[str, Any]:
    counts = ("trucks_changed", "fuels_changed", "others_changed")
    return {
        **{name: getattr(mended, name) for name in counts}, "cost_eur": mended.solution.objective,
        "proven": mended.proven, "works_by_the_hour": mended.fits,
        "bound_eur": mended.solution.bound if np.isfinite(mended.solution.bound) else None,
        "changes": mended.changes.to_dict("records"),
    }  # fmt: skip


def _money(step: Step | Change) -> str:
    return f"costs {step.costs_eur / 1e3:,.0f} and saves {step.saves_eur / 1e3:,.0f} thousand EUR"


def _sentences(
    faults: Sequence[Fault], idle: Sequence[Idle], repair: Repair, cheapest: Repair | None, best: Solution,
    changes: Sequence[Change],
) -> list[str]:  # fmt: skip
    """The findings in a few sentences."""
    cost_eur = repair.solution.objective
    above_eur = cost_eur - best.objective
    lines = ["The plan can work in every period."]
    repaired = bool(faults)
    if faults:
        lines = [f"As written the plan cannot work: {plural(len(faults), 'fault', 'faults')}."]
        lines.append(f"The smallest repair: {repair.text}.")
        if not repair.fits:
            lines.append("It works in a year only: no repair that works by the hour was found.")
        elif not repair.proven:
            lines.append("In a year alone fewer trucks would do; by the hour fewer were not found.")
    if cheapest is not None:
        eur = cheapest.solution.objective
        less = f", {meur(cost_eur - eur)} less than the smallest" if repair.fits else ""
        within = (
            f", within {percent(cheapest.solution.gap)} of the least possible"
            if np.isfinite(cheapest.solution.gap)
            else ""
        )
        lines.append(f"The cheapest repair: {cheapest.text}; {meur(eur)}{less}{within}.")
    if idle:
        eur = sum(one.eur_per_year for one in idle if one.year == idle[-1].year)
        lines.append(f"What has no work costs {eur:,.0f} EUR a year from {idle[-1].year}.")
    lines.append(
        f"{'The plan with the smallest repair' if repaired else 'It'} costs {meur(cost_eur)}, {meur(above_eur)} "
        f"({percent(above_eur / best.objective)}) more than the best plan found, which is within {percent(best.gap)} "
        "of the least possible."
    )
    if first := changes[:5]:
        lines.append(f"The first {plural(len(first), 'change closes', 'changes close')} "
                     f"{percent(first[-1].closed_share)} of that distance.")  # fmt: skip
    return lines


def _sections(found: Any) -> list[Section]:
    """What was found, in the order of the page."""
    days = found.by_the_hour
    return [
        _faults(found), _repair(found), _improve(found),
        *([*day_sections(days.areas), annual_section(days.year)] if days else []),
        _idle(found), _ownership(found), _break_even(found), _scenarios(found),
    ]  # fmt: skip


def _faults(found: Audit) -> Section:
    columns = [Column("Where"), Column("From", "year"), Column("What is wrong")]
    rows = [(fault.where, fault.year, fault.text) for fault in each(found.faults)]
    grids = [Grid("Faults of the plan", columns, rows)] if rows else []
    return Section("What the plan cannot do", "" if rows else "Nothing.", grids)


def _repair(found: Audit) -> Section:
    changes = found.repair.changes
    columns = [
        Column("What"), Column("Where"), Column("Type"), Column("From", "year"), Column("Planned", "decimal"),
        Column("Repaired", "decimal"),
    ]  # fmt: skip
    text = (
        "The fewest trucks are changed first; among those repairs the fewest orders, chargers and projects; among "
        "those the cheapest. repaired_plan.csv holds the result. A step costs and saves against the plan before it, "
        "as if what is still short were there; present value."
    )
    grids = [Grid("The repair", columns, list(each(changes)))]
    if found.repair_steps:
        grids.append(Grid(
            "The repair in steps",
            [Column("", "count"), Column("Step"), *_MONEY, Column("Faults left", "count")],
            [
                (n, step.text, step.costs_eur / 1e3, step.saves_eur / 1e3, step.faults_left)
                for n, step in enumerate(found.repair_steps, start=1)
            ],
        ))  # fmt: skip
    if found.cheapest is not None:
        rows = list(each(found.cheapest.changes))
        grids.append(Grid(f"The cheapest repair: {found.cheapest.text}", columns, rows))
    return Section("The smallest repair", text, grids)


def _improve(found: Audit) -> Section:
    rows = [
        (
            n,
            change.text,
            change.costs_eur / 1e3,
            change.saves_eur / 1e3,
            change.alone_eur / 1e3,
            change.together_eur / 1e3,
            change.closed_share,
        )
        for n, change in enumerate(found.changes, start=1)
    ]
    columns = [
        Column("", "count"), Column("Change"), *_MONEY, Column("Less cost alone", "number", "kEUR"),
        Column("With those before it", "number", "kEUR"), Column("Distance closed", "percent", "%"),
    ]  # fmt: skip
    bars = [
        (f"{n}", (change.together_eur - (found.changes[n - 2].together_eur if n > 1 else 0.0)) / 1e3)
        for n, change in enumerate(found.changes, start=1)
    ]
    drawing = None
    if bars:
        drawing = waterfall(
            bars, unit="kEUR", key="improve", title="What each change adds", note="saved on top of the changes before"
        )
    text = (
        "Each change is re-optimised with all other trucks held and chargers following; money saved over all periods."
    )
    grids = [Grid("Changes in the order of what they add", columns, rows)]
    heading = "The few changes that matter most"
    return Section(heading, text, grids, drawing) if bars else Section(heading, "No single change saves anything.", [])


def _idle(found: Audit) -> Section:
    columns = [Column("Where"), Column("From", "year"), Column("Without work"), Column("Cost", "number", "EUR a year")]
    many = {"truck": "trucks", "charger": "chargers"}
    rows = [
        (one.place, one.year, f"{one.number} {one.type} {one.what if one.number == 1 else many[one.what]}",
         one.eur_per_year) for one in each(found.idle)
    ]  # fmt: skip
    text = "What could be left out while all else works as it does; the cost is that of owning it."
    heading = "Trucks and chargers without work"
    return Section(heading, text, [Grid("Idle", columns, rows)]) if rows else Section(heading, "There are none.", [])


def _ownership(found: Audit) -> Section:
    columns = [
        Column("Depot"), Column("Truck"), Column("Period", "year"), Column("Trucks", "count"),
        Column("km a year", "number"),
        Column("Hours a year", "number"), Column("Tonnes a year", "number"), Column("Cost", "decimal", "EUR/km"),
        Column("Cost", "decimal", "EUR/t"), Column("WTW CO2e", "number", "t a year"),
        Column("Cost", "number", "EUR a year"),
    ]  # fmt: skip
    rows = [tuple(None if cell != cell else cell for cell in row) for row in found.ownership.itertuples(index=False)]
    text = (
        "Total cost of ownership: purchase paid back over its life, fixed and running costs, energy, drivers, carbon."
    )
    return Section("What each kind of truck costs in this plan", text, [Grid("Trucks of the plan", columns, rows)])


def _break_even(found: Audit) -> Section:
    columns = [
        Column("Depot"), Column("Period", "year"), Column("Truck against the most used one"),
        Column("Share of the work", "percent", "%"), Column("Costs", "decimal", "cent/tkm"),
        Column("Other costs", "decimal", "cent/tkm"), Column("Its energy", "decimal", "EUR/kWh"),
        Column("Other energy", "decimal", "EUR/kWh"), Column("Carbon", "number", "EUR/t"),
        Column("Its purchase", "number", "EUR"),
    ]  # fmt: skip
    rows: list[list[Cell]] = []
    for row in found.break_even.to_dict("records"):
        prices = (
            row["energy_eur_per_kwh"],
            row["other_energy_eur_per_kwh"],
            row["carbon_eur_per_t"],
            row["purchase_eur"],
        )
        rows.append([
            row["fleet_region"], row["year"], f"{row['vehicle']} against {row['other']}", row["work_share"],
            100 * row["cost_eur_per_tkm"], 100 * row["other_eur_per_tkm"],
            *(None if price != price else price for price in prices),
        ])  # fmt: skip
    text = "The price at which both trucks cost the same on the depot's work, each alone; a dash: no price does."
    grid = Grid("Break-even prices", columns, rows, first=MOST_BREAK_EVEN)
    return Section("When another truck would pay", text, [grid])


def _scenarios(found: Audit) -> Section:
    columns = [
        Column("Scenario"), Column("Plan", "meur", "MEUR"), Column("Best plan found", "meur", "MEUR"),
        Column("Regret at least", "number", "kEUR"), Column("Regret at most", "number", "kEUR"), Column("What fails"),
    ]  # fmt: skip
    rows = [
        (
            one.scenario, one.cost_eur / 1e6, one.best_eur / 1e6, one.at_least_eur / 1e3, one.at_most_eur / 1e3,
            "; ".join(one.faults) or "nothing",
        )
        for one in found.regrets
    ]  # fmt: skip
    text = (
        "The repaired plan in each scenario of scenarios.csv, operated at least cost, against the best plan for that "
        "scenario."
    )
    return Section("What it regrets if the world turns out otherwise", text, [Grid("Scenarios", columns, rows)])
