"""What charging by the hour lacks at which hour, and what would help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

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
from nbb_opt.studies.audit.ownership import charger_eur_per_year
from nbb_opt.studies.audit.said import Said, said

MORE_CHARGERS = 12  # that are tried of each kind
LATER_H = (1, 2)  # that the last departure is put off
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
                helps = what_helps(fleet_model, here, how) or [said("more trucks for the work, or longer stays")]
                text = said("{what}. What helps: {helps}", what=_in_words(worst[0], worst[1], short, how), helps=helps)
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


def _in_words(day: ChargingDay, charged: Charged, short: Sequence[Short], how: str) -> Said:
    when = said(f"with {how} charging on a winter day" if day.day == WINTER else f"with {how} charging")
    first = _first(day, short)
    if first.kind == "grid":
        peak = charged.kw[first.quarter]
        return said(
            "{when} the trucks take {kw} kW at {at}, {more} kW more than the connection gives at that hour",
            when=when, kw=f"{peak:,.0f}", at=clock(first.quarter), more=f"{first.amount:,.0f}",
        )  # fmt: skip
    trucks = {each.truck for each in short}
    what = "run empty on the road" if first.kind == "empty" else "leave without a full battery"
    found = said(
        f"{{when}} {{some}} of {{all}} trucks {what}, the first by {{at}}: {{kwh}} kWh are short",
        when=when, some=str(len(trucks)), all=str(len(day.trucks)), at=clock(first.quarter),
        kwh=amount_text(short_kwh(short)),
    )  # fmt: skip
    if not charged.waiting.any():
        return found
    many, at = int(charged.waiting.max()), clock(int(charged.waiting.argmax()))
    phrase = "{many} waits for a charger at {at}" if many == 1 else "{many} wait for a charger at {at}"
    return said("{both}", both=[found, said(phrase, many=str(many), at=at)])


def what_helps(fleet_model: FleetModel, here: AreaDays, how: str) -> list[Said]:
    """What alone would do, each tried: smart charging, more chargers of a kind, a larger connection, leaving later."""
    found = []
    if how == PLAIN and not any(charged.short for charged in here.charged[SMART]):
        found.append(said("smart charging"))
    kinds = {each.kind for charged in here.charged[how] for each in charged.short}
    if kinds == {"grid"}:
        most = max(each.amount for charged in here.charged[how] for each in charged.short)
        found.append(said("{kw} kW more connection", kw=amount_text(most)))
    else:
        for way in dict.fromkeys((how, SMART)):
            more = list(more_chargers(fleet_model, here, way))
            found += [each.text if way == how else said("{way} and smart charging", way=each.text) for each in more]
            if more:
                break
    for hours in LATER_H:
        later = [_later(day, hours) for day in here.days]
        if all(each is not None and not WAYS[how](each).short for each in later):
            found.append(said("leaving {hours} h later in the morning", hours=str(hours)))
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
    def text(self) -> Said:
        """In words."""
        given = {"number": str(self.number), "type": self.kind, "eur": f"{self.eur_per_year:,.0f}"}
        if self.beyond_grid_kw <= 0:
            return said("{number} {type} more ({eur} EUR a year)", **given)
        grid = f"{self.beyond_grid_kw:,.0f}"
        return said("{number} {type} more with {kw} kW more connection ({eur} EUR a year)", kw=grid, **given)


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
