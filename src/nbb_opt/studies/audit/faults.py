"""What a plan cannot do: orders beyond a truck, numbers that cannot be, limits it breaks and by how much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nbb_opt.errors import NoPlan
from nbb_opt.solve import Solution
from nbb_opt.studies.audit.fleet_model import FleetModel, numbers_of
from nbb_opt.studies.audit.form_edit import FormEdit
from nbb_opt.studies.audit.orders import impossible_orders, set_orders
from nbb_opt.studies.audit.plan import CHARGER, PROJECT, TRUCK, FleetPlan

# family of constraints -> what is short, in which unit
LIMITS: dict[str, tuple[str, str]] = {
    "cover_km": ("truck km", "km a year"),
    "cover_hours": ("truck hours", "h a year"),
    "fit_opening_hours": ("truck hours while places are open", "h a year"),
    "deliver_energy": ("charging energy", "kWh a year"),
    "deliver_on_the_way": ("fast charging on the way", "kWh a year"),
    "respect_grid": ("depot grid", "kW"),
    "respect_driver_hours": ("driver hours", "h a year"),
    "cap_emissions": ("emission cap", "kg CO2e a year"),
    "cap_technology": ("share of a technology", "vkm a year"),
    "ban_purchase": ("trucks banned from sale", "trucks"),
    "spend_within_budget": ("budget", "EUR"),
}
EXACT = 1e-7  # gap of a linear program
NEGLIGIBLE = 1e-6  # of one truck, charger or driver


@dataclass(frozen=True)
class Fault:
    """One thing the plan cannot do. `kind`: range, load, number or a family of LIMITS; `short` in `unit`."""

    kind: str
    where: str
    year: int
    short: float
    unit: str
    text: str


@dataclass(frozen=True)
class Assessment:
    """A plan as far as it goes: its faults, and the cheapest way to run it as if what is short were there."""

    faults: list[Fault]
    solution: Solution


def judge(fleet_model: FleetModel, plan: FleetPlan) -> Assessment:
    """Find every fault of the plan, then the cheapest operation with exactly as much missing as must be.

    Limits are made elastic, each in units of one truck, charger or driver, and the sum of what is short is minimised.
    """
    years = [period.year for period in fleet_model.instance.periods]
    faults = [
        Fault(
            "range" if np.isfinite(each.short_km) else "load", f"order {each.order}, {each.vehicle} of {each.region}",
            years[each.t], each.short_km if np.isfinite(each.short_km) else 0.0, "km", each.reason,
        )
        for each in impossible_orders(fleet_model, plan)
    ]  # fmt: skip
    faults += impossible_numbers(fleet_model, plan)
    edit = FormEdit(fleet_model.form)
    fleet_model.set_numbers(edit, plan)
    set_orders(fleet_model, edit, plan)
    slacks = _elastic(fleet_model, edit)
    edit.price({column: 1.0 / size for column, (_, size, _) in slacks.items()})
    found = _solved(fleet_model, edit)
    for column, (family, size, key) in slacks.items():
        short = float(found.values[column])
        if short > NEGLIGIBLE * size:
            faults.append(_limit_fault(fleet_model, family, key, short, size))
        edit.columns[column - len(fleet_model.form.cost)].up = max(0.0, short) * (1 + 1e-9)
    edit.price_as_stated()
    return Assessment(_in_order(faults), _solved(fleet_model, edit))


def impossible_numbers(fleet_model: FleetModel, plan: FleetPlan) -> list[Fault]:
    """Trucks, chargers and projects that cannot be in service: not to be had yet, or where nothing needs them."""
    years = [period.year for period in fleet_model.instance.periods]
    faults = []
    for what, said, columns in (
        (TRUCK, plan.trucks, fleet_model.trucks),
        (CHARGER, plan.chargers, fleet_model.chargers),
        (PROJECT, plan.projects, fleet_model.projects),
    ):
        for (place, kind, t), number in numbers_of(said).items():
            if (place, kind, t) not in columns:
                where = f"{place} {kind}".strip()
                text = f"{number:g} {what}s {where} in {years[t]}: they cannot be had then, or nothing there needs one"
                faults.append(Fault("number", where, years[t], number, f"{what}s", text))
    return faults


def _elastic(fleet_model: FleetModel, edit: FormEdit) -> dict[int, tuple[str, float, tuple[object, ...]]]:
    """A column of what is short for every row of LIMITS: (family, amount that one unit stands for, key)."""
    found = {}
    for family in LIMITS:
        for key, row in fleet_model.rows.get(family, []):
            size = _size(fleet_model, family, key)
            slack = edit.column(f"short[{family},{key}]", typical=size)
            edit.enter(row, slack, -1.0)
            found[slack] = (family, size, key)
    return found


def _size(fleet_model: FleetModel, family: str, key: tuple[object, ...]) -> float:
    """What one truck, charger or driver stands for in a row."""
    trucks, chargers = fleet_model.built.data.trucks, fleet_model.built.data.chargers
    charger_kwh = float(np.median(chargers.kwh_per_year)) if len(chargers.kwh_per_year) else 1e5  # the middle kind
    sizes: dict[str, Callable[[], float]] = {
        "cover_km": lambda: float(trucks.annual_km[trucks.names.of([str(key[1])])[0]]),
        "cover_hours": lambda: float(trucks.annual_h[trucks.names.of([str(key[1])])[0]]),
        "fit_opening_hours": lambda: float(trucks.annual_h[trucks.names.of([str(key[1])])[0]]),
        "deliver_energy": lambda: charger_kwh,
        "deliver_on_the_way": lambda: charger_kwh,
        "respect_grid": lambda: 100.0,
        "respect_driver_hours": lambda: 1800.0,
        "cap_emissions": lambda: 1e5,
        "cap_technology": lambda: 1e5,
        "ban_purchase": lambda: 1.0,
        "spend_within_budget": lambda: 1e6,
    }
    return sizes[family]()


def _limit_fault(fleet_model: FleetModel, family: str, key: tuple[object, ...], short: float, size: float) -> Fault:
    name, unit = LIMITS[family]
    *place, year = key[:2] if family == "deliver_on_the_way" else key
    if family == "deliver_on_the_way":
        name = f"{name} at {float(str(key[2])):g} kW or more"
    where = " ".join(str(part) for part in place)
    units = {
        "cover_km": "trucks", "cover_hours": "trucks", "fit_opening_hours": "trucks", "respect_driver_hours": "drivers",
    }  # fmt: skip
    more = f", about {short / size:.1f} {units[family]}" if family in units else ""
    text = f"{name} short by {short:,.0f} {unit}{more}"
    return Fault(family, where, int(str(year)), short, unit, text)


def _in_order(faults: list[Fault]) -> list[Fault]:
    """By year, what is short of trucks first, then by kind and place."""
    same = {"cover_km", "cover_hours", "fit_opening_hours"}
    return sorted(faults, key=lambda fault: (fault.year, fault.kind not in same, fault.kind, fault.where))


def _solved(fleet_model: FleetModel, edit: FormEdit) -> Solution:
    found = fleet_model.solve(edit, time_limit_s=120.0, gap=EXACT, threads=1)
    if found.status != "optimal":
        raise NoPlan("the audit of the plan ran out of time; try again on a quieter machine")
    return found
