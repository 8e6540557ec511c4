"""The nearest plan that works: fewest trucks changed, then fewest other changes, then the lowest cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from nbb_opt.errors import Infeasible
from nbb_opt.solve import Solution
from nbb_opt.studies.audit.form_edit import FormEdit
from nbb_opt.studies.audit.orders import set_orders
from nbb_opt.studies.audit.plan import CHARGER, PROJECT, TRUCK, FleetPlan
from nbb_opt.studies.audit.question import Key, Question, numbers_of

COST_GAP = 1e-4
WHOLE = 1e-6  # a count may miss a whole number by this


@dataclass(frozen=True)
class Repair:
    """The repaired plan: trucks changed (a swap counts once per period), what else changed, its solution.

    `changes` has columns what, place, type, year, planned, repaired; orders with the share of the vehicle that is lost.
    """

    trucks_changed: int
    others_changed: float
    changes: pd.DataFrame
    solution: Solution


def repair(question: Question, plan: FleetPlan) -> Repair:
    """Find the repair in three solves, each keeping what the one before proved.

    In a depot and period the trucks changed are those that come or those that go, whichever are more. Raises Infeasible
    if no plan at all obeys the instance.
    """
    edit = FormEdit(question.form)
    changed = _count_trucks(question, edit, numbers_of(plan.trucks))
    others = _count_others(question, edit, plan)
    missed = set_orders(question, edit, plan, price=True)
    others |= dict.fromkeys(missed.values(), 1.0)

    def solved(gap: float) -> Solution:
        try:
            return question.solve(edit, gap=gap)
        except Infeasible as error:
            raise Infeasible("no fleet of any kind can do this work within the instance's limits") from error

    edit.price(dict.fromkeys(changed, 1.0))
    first = solved(1e-9)
    trucks = round(first.objective)
    edit.row("trucks_changed", changed, [1.0] * len(changed), up=trucks + WHOLE)
    edit.price(others)
    second = solved(1e-6)
    edit.row("others_changed", list(others), list(others.values()), up=second.objective * (1 + 1e-6) + WHOLE)
    edit.price_as_stated()
    third = solved(COST_GAP)
    return Repair(trucks, second.objective, changes_of(question, plan, third, missed), third)


def _count_trucks(question: Question, edit: FormEdit, planned: Mapping[Key, float]) -> list[int]:
    """Columns that count the trucks changed, one per depot and period."""
    places = sorted({(region, t) for region, _, t in question.trucks})
    counted = {place: edit.column(f"changed{list(place)}") for place in places}
    more: dict[tuple[str, int], list[int]] = {place: [] for place in places}
    fewer: dict[tuple[str, int], list[int]] = {place: [] for place in places}
    for key, columns in question.trucks.items():
        up, down = edit.column(f"more{list(key)}"), edit.column(f"fewer{list(key)}")
        value = planned.get(key, 0.0)
        edit.row(f"planned{list(key)}", [*columns, up, down], [1.0] * len(columns) + [-1.0, 1.0], low=value, up=value)
        more[key[0], key[2]].append(up)
        fewer[key[0], key[2]].append(down)
    for place, column in counted.items():
        for name, parts in (("come", more[place]), ("go", fewer[place])):
            edit.row(f"{name}{list(place)}", [column, *parts], [1.0] + [-1.0] * len(parts), low=0.0)
    return list(counted.values())


def _count_others(question: Question, edit: FormEdit, plan: FleetPlan) -> dict[int, float]:
    """Columns that count chargers and project units more or fewer than planned."""
    found: dict[int, float] = {}
    for said, columns in ((plan.chargers, question.chargers), (plan.projects, question.projects)):
        planned = numbers_of(said)
        for key, parts in columns.items():
            value = planned.get(key, 0.0)
            up, down = edit.column(f"more{list(key)}"), edit.column(f"fewer{list(key)}")
            edit.row(f"planned{list(key)}", [*parts, up, down], [1.0] * len(parts) + [-1.0, 1.0], low=value, up=value)
            found |= {up: 1.0, down: 1.0}
    return found


def numbers_in(question: Question, solution: Solution) -> dict[str, dict[Key, int]]:
    """Trucks, chargers and project units in service in a plan."""
    x = solution.values
    return {
        what: {key: round(float(x[parts].sum())) for key, parts in columns.items()}
        for what, columns in ((TRUCK, question.trucks), (CHARGER, question.chargers), (PROJECT, question.projects))
    }


def changes_of(question: Question, plan: FleetPlan, solution: Solution, missed: Mapping[str, int]) -> pd.DataFrame:
    """What is other than planned: columns what, place, type, year, planned, repaired."""
    years = [period.year for period in question.instance.periods]
    rows: list[tuple[str, str, str, int, float, float]] = []
    said = {TRUCK: plan.trucks, CHARGER: plan.chargers, PROJECT: plan.projects}
    for what, numbers in numbers_in(question, solution).items():
        planned = numbers_of(said[what])
        for key in sorted({*numbers, *planned}):
            before, after = planned.get(key, 0.0), float(numbers.get(key, 0))
            if before != after:
                rows.append((what, key[0], key[1], years[key[2]], before, after))
    for name, column in missed.items():
        order, vehicle, t = name.rsplit(" ", 2)
        share = float(solution.values[column])
        if share > WHOLE:
            before_share = planned_share(plan, order, vehicle, int(t))
            rows.append(("order", order, vehicle, years[int(t)], before_share, before_share - share))
    return pd.DataFrame(rows, columns=["what", "place", "type", "year", "planned", "repaired"])


def planned_share(plan: FleetPlan, order: str, vehicle: str, t: int) -> float:
    """Share of an order that the plan gives to a vehicle in a period."""
    orders = plan.orders
    name = orders["origin"] + ">" + orders["destination"] + ":" + orders["commodity"]
    return float(orders.loc[(name == order) & (orders["vehicle"] == vehicle) & (orders["t"] == t), "share"].sum())
