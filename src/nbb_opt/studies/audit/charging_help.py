"""What charging by the hour lacks at which hour, what would help, and a plan with enough chargers for its days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nbb_opt.errors import Infeasible, NoPlan
from nbb_opt.solve import Solution
from nbb_opt.studies.audit.charging_day import (
    PLAIN,
    QUARTER_H,
    QUARTERS,
    SMART,
    WINTER,
    Charged,
    ChargingDay,
    Short,
    charging_days,
    plain,
    smart,
)
from nbb_opt.studies.audit.faults import HOUR, Fault, amount_text
from nbb_opt.studies.audit.fleet_model import FleetModel
from nbb_opt.studies.audit.form_edit import FormEdit
from nbb_opt.studies.audit.ownership import charger_eur_per_year

MORE_CHARGERS = 12  # that are tried of each kind
LATER_H = (1, 2)  # that the last departure is put off
ROUNDS = 6  # in which chargers are added where they are short
WAYS = {PLAIN: plain, SMART: smart}


@dataclass(frozen=True)
class AreaDays:
    """The usual days of a charging area in a period, as plain and smart charging fill the trucks."""

    area: str
    year: int
    days: tuple[ChargingDay, ...]
    charged: dict[str, tuple[Charged, ...]]

    @property
    def name(self) -> str:
        """Area and year."""
        return f"{self.area} {self.year}"


def areas_by_the_hour(fleet_model: FleetModel, solution: Solution) -> list[AreaDays]:
    """Every charging area and period of a plan. Raises NbbError where the instance says nothing of shifts."""
    found: dict[tuple[str, int], list[ChargingDay]] = {}
    for day in charging_days(fleet_model, solution):
        found.setdefault((day.area, day.year), []).append(day)
    return [
        AreaDays(area, year, tuple(days), {how: tuple(way(day) for day in days) for how, way in WAYS.items()})
        for (area, year), days in found.items()
    ]


def clock(quarter: int) -> str:
    """A quarter of the day as a time.

    >>> clock(0), clock(70)
    ('00:00', '17:30')
    """
    return f"{quarter // 4:02d}:{quarter % 4 * 15:02d}"


def hour_faults(fleet_model: FleetModel, areas: Sequence[AreaDays], how: str) -> list[Fault]:
    """What the days lack, one fault for energy and one for the connection of an area and period, with its hour."""
    faults = []
    for here in areas:
        for kinds, unit in ((("empty", "full"), "kWh"), (("grid",), "kW")):
            worst = max(
                zip(here.days, here.charged[how], strict=True),
                key=lambda pair: sum(short.amount for short in pair[1].short if short.kind in kinds),
            )
            short = [each for each in worst[1].short if each.kind in kinds]
            if short:
                first = _first(worst[0], short)
                help_ = "; ".join(what_helps(fleet_model, here, how)) or "more trucks for the work, or longer stays"
                text = f"{_in_words(worst[0], worst[1], short, how)}. What helps: {help_}"
                amount = max(each.amount for each in short) if unit == "kW" else short_kwh(short)
                where = f"{here.area} {clock(first.quarter)}"
                faults.append(Fault(HOUR, where, here.year, amount, unit, text))
    return faults


def short_kwh(short: Sequence[Short]) -> float:
    """kWh that are short in a day: of each truck the most at any hour, since what is missing is carried on."""
    trucks = {each.truck for each in short if each.truck >= 0}
    return sum(max(each.amount for each in short if each.truck == truck) for truck in trucks)


def _first(day: ChargingDay, short: Sequence[Short]) -> Short:
    """That of one truck whose turn in its day comes first: it runs empty before it is not full."""

    def turn(each: Short) -> int:
        start = day.trucks[each.truck].stays[-1].departs if each.truck >= 0 else 0
        return (each.quarter - start - 1) % QUARTERS

    return min(short, key=turn)


def _in_words(day: ChargingDay, charged: Charged, short: Sequence[Short], how: str) -> str:
    when = f"with {how} charging on a {day.day} day" if day.day == WINTER else f"with {how} charging"
    first = _first(day, short)
    if first.kind == "grid":
        peak = charged.kw[first.quarter]
        return (
            f"{when} the trucks take {peak:,.0f} kW at {clock(first.quarter)}, {first.amount:,.0f} kW more than the "
            f"connection gives at that hour"
        )
    trucks = {each.truck for each in short}
    what = "run empty on the road" if first.kind == "empty" else "leave without a full battery"
    said = (
        f"{when} {len(trucks)} of {len(day.trucks)} trucks {what}, the first by {clock(first.quarter)}: "
        f"{amount_text(short_kwh(short))} kWh are short"
    )
    if charged.waiting.any():
        many = int(charged.waiting.max())
        start = clock(int(charged.waiting.argmax()))
        said += f"; {many} wait{'s' if many == 1 else ''} for a charger at {start}"
    return said


def what_helps(fleet_model: FleetModel, here: AreaDays, how: str) -> list[str]:
    """What alone would do, each tried: smart charging, more chargers of a kind, a larger connection, leaving later."""
    found = []
    if how == PLAIN and not any(charged.short for charged in here.charged[SMART]):
        found.append("smart charging")
    kinds = {each.kind for charged in here.charged[how] for each in charged.short}
    if kinds == {"grid"}:
        most = max(each.amount for charged in here.charged[how] for each in charged.short)
        found.append(f"{amount_text(most)} kW more connection")
    else:
        for way in dict.fromkeys((how, SMART)):
            more = list(more_chargers(fleet_model, here, way))
            found += [f"{each.text}{'' if way == how else ' and smart charging'}" for each in more]
            if more:
                break
    for hours in LATER_H:
        later = [_later(day, hours) for day in here.days]
        if all(each is not None and not WAYS[how](each).short for each in later):
            found.append(f"leaving {hours} h later in the morning")
            break
    return found


@dataclass(frozen=True)
class MoreChargers:
    """So many chargers more of a kind that would do, what they cost a year, and the connection they lack, kW."""

    number: int
    kind: str
    kw: float
    eur_per_year: float
    beyond_grid_kw: float

    @property
    def text(self) -> str:
        """In words."""
        grid = f" with {self.beyond_grid_kw:,.0f} kW more connection" if self.beyond_grid_kw > 0 else ""
        return f"{self.number} {self.kind} more{grid} ({self.eur_per_year:,.0f} EUR a year)"


def more_chargers(fleet_model: FleetModel, here: AreaDays, how: str) -> Iterator[MoreChargers]:
    """The fewest chargers more of each kind with which nothing is short, where any number of it does."""
    chargers, yearly = fleet_model.built.data.chargers, charger_eur_per_year(fleet_model)
    since = fleet_model.instance["chargers"].set_index("charger")["available_from"]
    for k in np.argsort(yearly, kind="stable").tolist():
        kind, kw = chargers.names[k], float(chargers.kw[k])
        for number in range(1, MORE_CHARGERS + 1) if int(since[kind]) <= here.year else ():
            days = [
                replace(day, chargers=tuple(sorted([*day.chargers, *[(kind, kw)] * number], key=lambda c: c[1])))
                for day in here.days
            ]
            if not any(WAYS[how](day).short for day in days):
                over_kw = max(sum(kw for _, kw in day.chargers) - float(day.grid_kw.max()) for day in days)
                yield MoreChargers(number, kind, kw, number * float(yearly[k]), over_kw)
                break


def _later(day: ChargingDay, hours: int) -> ChargingDay | None:
    """The day with the longest stays so much longer; None if a truck would come home before it left."""
    more, trucks = round(hours / QUARTER_H), []
    for truck in day.trucks:
        last = truck.stays[-1]
        room = (truck.stays[0].arrives - last.departs) % QUARTERS if len(truck.stays) > 1 else QUARTERS - last.quarters
        if np.isfinite(truck.battery_kwh):
            if room <= more:
                return None
            truck = replace(truck, stays=(*truck.stays[:-1], replace(last, quarters=last.quarters + more)))
        trucks.append(truck)
    return replace(day, trucks=tuple(trucks))


def with_enough_chargers(
    fleet_model: FleetModel, solution: Solution, how: str, *, time_limit_s: float
) -> Solution | None:
    """The cheapest plan with the trucks of the one given and enough chargers for its days; None where none was found.

    Where a day lacks chargers, the year's problem is solved again with so many more at least as strong, the cheapest
    kind that does and fits the connection first. The plan works, but one with other trucks may be cheaper.
    """
    data, least = fleet_model.built.data, dict[tuple[str, int, float], float]()
    kw = dict(zip(data.chargers.names.ids, data.chargers.kw.tolist(), strict=True))

    def strong(area: str, t: int, least_kw: float) -> list[int]:
        return [
            column for (place, kind, period), columns in fleet_model.chargers.items()
            if (place, period) == (area, t) and kw[kind] >= least_kw for column in columns
        ]  # fmt: skip

    owned = {key: float(np.round(solution.values[columns].sum())) for key, columns in fleet_model.trucks.items()}
    for _ in range(ROUNDS):
        lacking = [here for here in areas_by_the_hour(fleet_model, solution) if any(c.short for c in here.charged[how])]
        if not lacking:
            return solution
        for here in lacking:
            ways = sorted(
                more_chargers(fleet_model, here, how), key=lambda way: (way.beyond_grid_kw > 0, way.eur_per_year)
            )
            if not ways:
                return None
            t = int(np.searchsorted(data.time.years, here.year))
            now = float(np.round(solution.values[strong(here.area, t, ways[0].kw)].sum()))
            least[here.area, t, ways[0].kw] = now + ways[0].number
        edit = FormEdit(fleet_model.form)
        for (place, kind, t), columns in fleet_model.trucks.items():
            edit.row(f"as[{place},{kind},{t}]", columns, [1.0] * len(columns), low=owned[place, kind, t],
                     up=owned[place, kind, t])  # fmt: skip
        for (area, t, least_kw), number in least.items():
            columns = strong(area, t, least_kw)
            edit.row(f"enough[{area},{t},{least_kw:g}]", columns, [1.0] * len(columns), low=number)
        try:
            solution = fleet_model.solve(edit, time_limit_s=time_limit_s)
        except (Infeasible, NoPlan):
            return None
    return None
