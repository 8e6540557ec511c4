"""What a plan cannot do: orders beyond a truck, numbers that cannot be, limits it breaks and by how much."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array

from nbb_opt.errors import Infeasible, NoPlan
from nbb_opt.solve import Solution, solve_form
from nbb_opt.studies.audit.fleet_model import FleetModel, Key, numbers_of
from nbb_opt.studies.audit.form_edit import INFINITE, FormEdit
from nbb_opt.studies.audit.orders import impossible_orders, set_orders
from nbb_opt.studies.audit.plan import CHARGER, PROJECT, TRUCK, FleetPlan
from nbb_opt.studies.audit.said import Said, said


@dataclass(frozen=True)
class Limit:
    """A family of limits in words, `{}` for the amount in `unit`, of which there are `units` in the model's unit.

    `price_eur` is what one model unit more costs in a year: round figures that decide which cause is named where
    several would do. A limit that money cannot move comes last.
    """

    text: str
    unit: str
    price_eur: float
    units: float = 1.0

    @property
    def phrase(self) -> str:
        """The text, with `{amount}` for the amount."""
        return self.text.format(f"{{amount}} {self.unit}")


LIMITS: dict[str, Limit] = {
    "respect_grid": Limit("grid connection short by {}", "kW", 50.0),
    "respect_driver_hours": Limit("driver hours short by {}", "h a year", 45.0),
    "cap_emissions": Limit("{} more than the emission cap", "t CO2e a year", 0.15, 1e-3),
    "cap_technology": Limit("{} more than the greatest share of a technology", "vkm a year", 0.5),
    "require_zero_emission": Limit("{} fewer than the zero-emission trucks a rule asks for", "trucks", 1e5),
    "ban_purchase": Limit("{} bought in spite of a ban", "trucks", 1e5),
    "spend_within_budget": Limit("{} more than the budget", "EUR", 0.1),
    "respect_link_capacity": Limit("capacity of the link short by {}", "t a year", 10.0),
    "respect_terminal_capacity": Limit("capacity of the terminal short by {}", "t a year", 10.0),
    "respect_fuel_supply": Limit("supply of the fuel short by {}", "MWh a year", 0.5, 1e-3),
    "limit_mode_shift": Limit("{} more than may change its mode", "t a year", 10.0),
    "require_project": Limit("a project that another requires is missing: {}", "units", 1e7),
    "exclude_project": Limit("projects that exclude each other: {} too many", "units", 1e7),
}
HOUR = "hour"
LAST = 20.0  # times the price of a truck: trucks are short only where those planned cannot do it with all they need
CANNOT_BE = 1e7  # EUR a year for a number in service other than planned: only where nothing else helps
NEGLIGIBLE_EUR = 0.01  # a year; what is short by less is rounding
ROUNDING = 1e-6  # of a limit: the tolerance to which the solver keeps it
EXACT = 1e-7  # gap of a linear program
LIMIT_S = 120.0


@dataclass(frozen=True)
class Fault:
    """One thing the plan cannot do. `kind`: range, load, number, trucks, chargers, hour (a plan that works in a year,
    but not in a usual day) or of LIMITS; `short` in `unit`."""

    kind: str
    where: str
    year: int
    short: float
    unit: str
    text: Said


@dataclass(frozen=True)
class Assessment:
    """A plan as far as it goes: its faults, and the cheapest way to run it as if what is short were there."""

    faults: list[Fault]
    solution: Solution


def judge(fleet_model: FleetModel, plan: FleetPlan) -> Assessment:
    """Find every fault of the plan, then the cheapest operation with exactly as much missing as must be.

    Trucks and chargers may be added in whole numbers and limits exceeded, each at its price of a year; what the least
    expensive way out takes is what is short. A truck is one truck whatever it lacks, km, hours or both.
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
    edit, ways = opened(fleet_model, plan)
    amounts = _fewest_kinds(fleet_model, edit, ways)
    for way, amount in amounts.items():
        _allow(fleet_model, edit, way, float(np.round(amount)) if way.whole else amount * (1 + 1e-9))
    edit.price_as_stated()
    found = _solved(fleet_model, edit)
    short = {way: amount for way, amount in amounts.items() if amount > way.least}
    faults += _named(fleet_model, short, found.values)
    return Assessment(_in_order(faults), found)


def opened(fleet_model: FleetModel, plan: FleetPlan) -> tuple[FormEdit, list[Way]]:
    """The model with the numbers and orders of the plan, and every way out open at its price."""
    edit = FormEdit(fleet_model.form)
    numbers = fleet_model.set_numbers(edit, plan)
    set_orders(fleet_model, edit, plan)
    ways = [*_more_trucks(fleet_model, edit), *_more_chargers(fleet_model, edit), *_beyond_limits(fleet_model, edit)]
    ways += _other_numbers(fleet_model, edit, numbers)
    edit.price({way.column: way.price_eur for way in ways})
    return edit, ways


def _fewest_kinds(fleet_model: FleetModel, edit: FormEdit, ways: list[Way]) -> dict[Way, float]:
    """What the least expensive way out takes; a kind of limit that need not give way, does not.

    Trucks stay as few as they are then, so that no truck is named for a limit that was closed; but where a depot is
    short of trucks anyway, one more of a kind comes before another limit (chargers are named beside them).
    """

    def allow(kind: str, most: Callable[[Way], float]) -> None:
        for way in ways:
            if way.kind == kind:
                _allow(fleet_model, edit, way, most(way))

    least = _amounts(ways, _solved(fleet_model, edit))
    eur = dict.fromkeys([way.kind for way in ways], 0.0)
    for way, amount in least.items():
        eur[way.kind] += way.price_eur * amount if amount > way.least else 0.0
    named = sorted((kind for kind, each_eur in eur.items() if each_eur > 0), key=eur.__getitem__)
    for kind in eur:
        if kind not in named:
            allow(kind, lambda way: 0.0)
    for kind in [kind for kind in named if kind != "trucks"] if len(named) > 1 else []:
        trucks = {way: float(np.round(amount)) for way, amount in least.items() if way.kind == "trucks"}
        short = {(way.place, way.year) for way, number in trucks.items() if number and kind != "chargers"}
        most = {way: number + float((way.place, way.year) in short) for way, number in trucks.items()}
        allow("trucks", most.__getitem__)
        allow(kind, lambda way: 0.0)
        try:
            least = _amounts(ways, solve_form(edit.form(), time_limit_s=LIMIT_S, gap=EXACT))
        except Infeasible:
            allow(kind, lambda way: INFINITE)
    return least


def _amounts(ways: list[Way], found: Solution) -> dict[Way, float]:
    return {way: max(0.0, float(found.values[way.column])) for way in ways}


def _allow(fleet_model: FleetModel, edit: FormEdit, way: Way, most: float) -> None:
    edit.columns[way.column - len(fleet_model.form.cost)].up = most


def impossible_numbers(fleet_model: FleetModel, plan: FleetPlan) -> list[Fault]:
    """Trucks, chargers and projects that cannot be in service: not to be had yet, or where nothing needs them."""
    years = [period.year for period in fleet_model.instance.periods]
    faults = []
    for what, planned, columns in (
        (TRUCK, plan.trucks, fleet_model.trucks),
        (CHARGER, plan.chargers, fleet_model.chargers),
        (PROJECT, plan.projects, fleet_model.projects),
    ):
        for (place, kind, t), number in numbers_of(planned).items():
            if (place, kind, t) not in columns:
                where = f"{place} {kind}".strip()
                text = said(
                    "{number} {what} {where} cannot work in {year}: {why}", number=f"{number:g}",
                    what=said(what if number == 1 else f"{what}s"), where=where, year=str(years[t]),
                    why=_why_not(fleet_model, what, kind, t),
                )  # fmt: skip
                faults.append(Fault("number", where, years[t], number, f"{what}s", text))
    return faults


def _why_not(fleet_model: FleetModel, what: str, kind: str, t: int) -> Said:
    """Why a truck, charger or project cannot be in service at a place in a period."""
    table, since = {
        TRUCK: ("vehicles", "available_from"), CHARGER: ("chargers", "available_from"),
        PROJECT: ("projects", "earliest_year"),
    }[what]  # fmt: skip
    rows = fleet_model.instance[table]
    year = int(rows.loc[rows[what if what != TRUCK else "vehicle"] == kind, since].iloc[0])
    if year > fleet_model.instance.periods[t].year:
        return said("{type} can be had from {year}", type=kind, year=str(year))
    return said({
        TRUCK: "no lane from there lets it drive (range, chargers, load)", CHARGER: "no truck charges there",
        PROJECT: "it does nothing for the trucks",
    }[what])  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Way:
    """A column of one way out: more trucks or chargers of a `type` at a place, or a limit (`side`) exceeded."""

    kind: str
    place: str
    year: int
    type: str
    column: int
    price_eur: float
    whole: bool
    side: float = 0.0

    @property
    def least(self) -> float:
        """The smallest amount that is more than rounding."""
        return max(NEGLIGIBLE_EUR / self.price_eur, ROUNDING * abs(self.side))


def _more_trucks(fleet_model: FleetModel, edit: FormEdit) -> list[Way]:
    """A column of trucks more wherever trucks may work: they bring km, hours, and hours while places are open."""
    trucks, years = fleet_model.built.data.trucks, fleet_model.built.data.time.years
    price = trucks.capex_eur / trucks.lifetime[:, None] + trucks.fixed_eur_per_year
    found: dict[Key, Way] = {}
    for truck, row, each in fleet_model.truck_rows():
        if truck not in found:
            region, vehicle, t = truck
            v, year = int(trucks.names.of([vehicle])[0]), int(years[t])
            found[truck] = Way(
                kind="trucks", place=region, year=year, type=vehicle, whole=True, price_eur=LAST * float(price[v, t]),
                column=edit.column(f"more[{region},{vehicle},{year}]", whole=True),
            )  # fmt: skip
        edit.enter(row, found[truck].column, -each)
    return list(found.values())


def _more_chargers(fleet_model: FleetModel, edit: FormEdit) -> list[Way]:
    """A column of chargers more wherever chargers may be, of each kind: they bring energy, fast enough for some trucks.

    They ask nothing of the grid connection, so that a depot without chargers is not called short of grid as well.
    """
    chargers, years, found = fleet_model.built.data.chargers, fleet_model.built.data.time.years, []
    price = chargers.capex_eur / chargers.lifetime + chargers.fixed_eur_per_year
    for (area, charger, t), rows in fleet_model.charger_rows().items():
        k, year = int(chargers.names.of([charger])[0]), int(years[t])
        column = edit.column(f"more[{area},{charger},{year}]", whole=True)
        found.append(Way(
            kind="chargers", place=area, year=year, type=charger, column=column,
            price_eur=float(price[k]), whole=True,
        ))  # fmt: skip
        for row in rows:
            edit.enter(row, column, -float(chargers.kwh_per_year[k]))
    return found


def _beyond_limits(fleet_model: FleetModel, edit: FormEdit) -> list[Way]:
    """A column of what is beyond the limit for every row of LIMITS."""
    found = []
    for family, limit in LIMITS.items():
        for key, row in fleet_model.rows.get(family, []):
            *place, year = (str(part) for part in key)
            column = edit.column(f"short[{family},{key}]", typical=1e4 / limit.price_eur)
            side = edit.row_up[row] if np.isfinite(edit.row_up[row]) else edit.row_low[row]
            edit.enter(row, column, -1.0 if np.isfinite(edit.row_up[row]) else 1.0)
            found.append(Way(
                kind=family, place=" ".join(place), year=int(year), type="", column=column,
                price_eur=limit.price_eur, whole=False, side=float(side),
            ))  # fmt: skip
    return found


def _other_numbers(fleet_model: FleetModel, edit: FormEdit, rows: Mapping[Key, int]) -> list[Way]:
    """Columns of numbers fewer or more than planned: units that cannot come or go as the plan says."""
    years, found = fleet_model.built.data.time.years, []
    for (place, kind, t), row in rows.items():
        for sign, kind_of_fault in ((1.0, "fewer"), (-1.0, "more")):
            column = edit.column(f"{kind_of_fault}[{place},{kind},{t}]")
            edit.enter(row, column, sign)
            found.append(Way(
                kind=kind_of_fault, place=place, year=int(years[t]), type=kind, column=column,
                price_eur=CANNOT_BE, whole=False,
            ))  # fmt: skip
    return found


def _named(fleet_model: FleetModel, short: Mapping[Way, float], values: np.ndarray) -> list[Fault]:
    """What is short in words: trucks and chargers summed per place and year, each limit alone."""
    faults = []
    for kind, place, year in dict.fromkeys((way.kind, way.place, way.year) for way in short):
        mine = [(way.type, n) for way, n in short.items() if (way.kind, way.place, way.year) == (kind, place, year)]
        total = sum(number for _, number in mine)
        if kind in LIMITS:
            limit = LIMITS[kind]
            text = said(limit.phrase, amount=amount_text(total * limit.units))
            faults.append(Fault(kind, place, year, total * limit.units, limit.unit, text))
        elif kind in ("trucks", "chargers"):
            total = float(np.round(total))
            which = ", ".join(f"{number:.0f} {name}" for name, number in mine)
            what = said(kind) if kind == "trucks" else _kind_of_chargers(fleet_model, place, year, values)
            text = said("{what} short: {which} more would do", what=what, which=which)
            faults.append(Fault(kind, place, year, total, kind, text))
        else:
            for name, number in mine:
                where = f"{place} {name}".strip()
                text = said(
                    f"{{amount}} {kind} than planned must be in service: units stay until they are sold",
                    amount=amount_text(number),
                )
                faults.append(Fault("number", where, year, number, "units", text))
    return faults


def _kind_of_chargers(fleet_model: FleetModel, area: str, year: int, values: np.ndarray) -> Said:
    """Chargers, or fast chargers of the power that the trucks on the way need and the plan does not bring."""
    form, built = fleet_model.form, values[: len(fleet_model.form.cost)]
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost)))
    beyond = matrix @ built - form.row_up
    levels = [
        float(str(key[2]))
        for key, row in fleet_model.rows.get("deliver_on_the_way", [])
        if (str(key[0]), int(str(key[1]))) == (area, year) and beyond[row] > 1.0
    ]
    return said("fast chargers of {kw} kW or more", kw=f"{max(levels):g}") if levels else said("chargers")


def amount_text(amount: float) -> str:
    """An amount in ordinary figures: never one that rounds to nothing.

    >>> amount_text(1234.6), amount_text(99.6), amount_text(2.5), amount_text(0.031)
    ('1,235', '100', '2.5', '0.031')
    """
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.2g}"


def _in_order(faults: list[Fault]) -> list[Fault]:
    """By year, what is short of trucks first, then by kind and place."""
    return sorted(faults, key=lambda fault: (fault.year, fault.kind != "trucks", fault.kind, fault.where))


def _solved(fleet_model: FleetModel, edit: FormEdit) -> Solution:
    found = fleet_model.solve(edit, time_limit_s=LIMIT_S, gap=EXACT, threads=1)
    if found.status != "optimal":
        raise NoPlan("the audit of the plan ran out of time; try again on a quieter machine")
    return found
