"""Plans that also work by the hour: what their days lack becomes cuts of the year's problem, which is solved again.

The year's problem is a relaxation: its bounds hold for every plan that works by the hour too. A cut is about whole
numbers: with these battery trucks at a charging area, its day fails with still more chargers than it has. So there must
be more chargers than those, fewer of these trucks, a larger connection, or so few chargers that the trucks do less.
That is exact as long as one more truck with its work makes no day easier; where no charger helps, more trucks for the
same work are another way out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from nbb_opt.errors import NoPlan
from nbb_opt.solve import Solution
from nbb_opt.studies.audit.charging_day import ChargingDay, Short, Truck, charging_trucks
from nbb_opt.studies.audit.charging_help import WAYS, AreaDays, areas_by_the_hour, hour_faults
from nbb_opt.studies.audit.faults import Fault
from nbb_opt.studies.audit.fleet_model import FleetModel, Key
from nbb_opt.studies.audit.form_edit import FormEdit

ROUNDS = 40  # of solving again with more cuts
LIMIT_S = 300.0
MOST = 12  # chargers more that are tried

Found = TypeVar("Found")


@dataclass(frozen=True)
class Cut:
    """One of these must be: the sum of columns at least (or at most) a number."""

    name: str
    at_least: Sequence[tuple[list[int], float]]
    at_most: Sequence[tuple[list[int], float]]

    def enter(self, edit: FormEdit, most: float) -> None:
        """State it with a yes or no for each way; no number is above `most`."""
        chosen = []
        for n, (columns, number) in enumerate(self.at_least):
            chosen.append(edit.column(f"{self.name} up {n}", up=1.0, whole=True))
            edit.row(f"{self.name} up {n}", [*columns, chosen[-1]], [1.0] * len(columns) + [-number], low=0.0)
        for n, (columns, number) in enumerate(self.at_most):
            chosen.append(edit.column(f"{self.name} down {n}", up=1.0, whole=True))
            edit.row(f"{self.name} down {n}", [*columns, chosen[-1]], [1.0] * len(columns) + [most - number], up=most)
        edit.row(self.name, chosen, [1.0] * len(chosen), low=1.0)


@dataclass
class Hours:
    """The days of the plans of a fleet model under one way of charging, and the cuts that were found.

    None are looked at where `how` is blank or the instance says nothing of shifts: then the year decides.
    """

    fleet_model: FleetModel
    how: str = ""
    cuts: list[Cut] = field(default_factory=list)

    def edit(self) -> FormEdit:
        """The year's problem with every cut so far."""
        edit, today = FormEdit(self.fleet_model.form), float(self.fleet_model.instance["fleet"]["vehicles"].sum())
        for cut in self.cuts:
            cut.enter(edit, most=100.0 + 10.0 * today)
        return edit

    def areas(self, solution: Solution) -> list[AreaDays]:
        """The days of a plan."""
        looked_at = self.how and not self.fleet_model.instance["shifts"].empty
        return areas_by_the_hour(self.fleet_model, solution) if looked_at else []

    def faults(self, solution: Solution) -> list[Fault]:
        """What the days of a plan lack."""
        return hour_faults(self.fleet_model, self.areas(solution), self.how)

    def fit(self, solution: Solution) -> bool:
        """Do the days of a plan lack nothing?"""
        return not self._lacking(solution)

    def _lacking(self, solution: Solution) -> list[AreaDays]:
        return [here for here in self.areas(solution) if any(each.short for each in here.charged[self.how])]

    def first_that_fits(
        self, find: Callable[[], Found], plan_in: Callable[[Found], Solution], *, limit_s: float = LIMIT_S
    ) -> Found:
        """Solve with `find` (on an `edit`) until the days of what it finds lack nothing. Raises NoPlan if none is found
        in ROUNDS rounds or in time, and what `find` raises."""
        begun = time.monotonic()
        for n in range(ROUNDS):
            if n and time.monotonic() - begun > limit_s:
                break
            found = find()
            solution = plan_in(found)
            lacking = self._lacking(solution)
            if not lacking:
                return found
            for here in lacking:
                self.cuts += self._cuts(here, solution)
        raise NoPlan(f"no plan that works by the hour was found in {ROUNDS} rounds or {limit_s:g} s")

    def _cuts(self, here: AreaDays, solution: Solution) -> Iterator[Cut]:
        model, data = self.fleet_model, self.fleet_model.built.data
        t = int(np.searchsorted(data.time.years, here.year))
        name = f"hours[{here.name},{len(self.cuts)}]"

        def now(columns: list[int]) -> float:
            return float(np.round(solution.values[columns].sum()))

        trucks = {key: model.trucks[key] for key in charging_trucks(model, solution)[here.area, t]}
        kw = dict(zip(data.chargers.names.ids, data.chargers.kw.tolist(), strict=True))
        own = [
            (kw[kind], columns) for (area, kind, period), columns in model.chargers.items()
            if (area, period) == (here.area, t)
        ]  # fmt: skip
        grid = [
            model.projects["", data.projects.names[project], t] for project, table, row, _ in data.projects.adds
            if table == "charge_areas" and data.base.areas[row] == here.area
            and ("", data.projects.names[project], t) in model.projects
        ]  # fmt: skip
        larger = [(columns, now(columns) + 1) for columns in grid]
        fewer = self._fewer(here, {key: now(columns) for key, columns in trucks.items()})
        at_most = [(trucks[key], number) for key, number in fewer.items()]
        levels = sorted({each for each, _ in own})
        strong = [[c for each, columns in own if each >= level for c in columns] for level in levels]
        if any(short.kind == "grid" for each in here.charged[self.how] for short in each.short):
            gone = self._fewer_chargers(here)
            less = [(columns, max(now(columns) - gone, 0.0)) for columns in strong if now(columns) > 0]
            sooner = [(columns, now(columns) + 1) for columns in strong] if self._sooner(here, levels) else []
            yield Cut(f"{name} grid", [*larger, *sooner], [*at_most, *less])
        if self._lacks(here.days):
            larger = [] if self._lacks(_without_limit(here.days)) else larger
            more = self._more_chargers(here, levels)
            at_most += [(columns, now(columns) - 1) for columns in strong[:1] if now(columns) > 0]
            at_least = [(columns, now(columns) + n) for columns, n in zip(strong, more, strict=True)] if more else [
                (columns, now(columns) + 1) for columns in trucks.values()
            ]  # fmt: skip
            yield Cut(f"{name} energy", [*at_least, *larger], at_most)

    def _lacks(self, days: Sequence[ChargingDay]) -> bool:
        """Are trucks not filled in time?"""
        return any(short.kind != "grid" for day in days for short in self._short(day))

    def _short(self, day: ChargingDay) -> tuple[Short, ...]:
        return WAYS[self.how](day).short if day.trucks else ()

    def _more_chargers(self, here: AreaDays, levels: Sequence[float]) -> list[int]:
        """How many chargers more of each power or above must be there at least, one of these; none if none will do."""

        open_ = _without_limit(here.days)

        def lacks(more: Sequence[int]) -> bool:
            """With the strongest chargers that are below each of these numbers, one at least."""
            add = [n - above for n, above in zip(more, [*more[1:], 1], strict=True)]
            extra = [(f"{kw:g} kW", kw) for kw, n in zip(levels, add, strict=True) for _ in range(n)]
            days = [replace(day, chargers=tuple(sorted([*day.chargers, *extra], key=lambda c: c[1]))) for day in open_]
            return self._lacks(days)

        least = next((n for n in range(1, MOST + 1) if levels and not lacks([n + 1] * len(levels))), None)
        if least is None:
            return []
        more = [least] * len(levels)
        for k in range(len(levels) - 2, -1, -1):
            while more[k] < MOST and lacks([*([more[k] + 1] * (k + 1)), *more[k + 1 :]]):
                more[: k + 1] = [more[k] + 1] * (k + 1)
        return more

    def _fewer_chargers(self, here: AreaDays) -> int:
        """How many chargers must go at least before the connection suffices, were it the strongest."""
        gone, most = 1, max(len(day.chargers) for day in here.days)
        while gone < most and self._over([replace(day, chargers=day.chargers[:-gone]) for day in here.days]):
            gone += 1
        return gone

    def _sooner(self, here: AreaDays, levels: Sequence[float]) -> bool:
        """Would more chargers have trucks full before the connection is short?"""
        extra = [(f"{kw:g} kW", kw) for kw in levels[-1:]]
        return any(
            not self._over([replace(day, chargers=(*day.chargers, *extra * n)) for day in here.days])
            for n in range(1, MOST + 1)
        )

    def _over(self, days: Sequence[ChargingDay]) -> bool:
        return any(short.kind == "grid" for day in days for short in self._short(day))

    def _fewer(self, here: AreaDays, now: dict[Key, float]) -> dict[Key, float]:
        """To how many trucks of some kind it must come down at least: with one fewer of each, as often as days fail."""
        gone = 1
        while gone < max(now.values(), default=0.0):
            days = [replace(day, trucks=_without_last(day, gone)) for day in here.days]
            if not any(self._short(day) for day in days):
                break
            gone += 1
        return {key: max(number - gone, 0.0) for key, number in now.items() if number > 0}


def _without_limit(days: Sequence[ChargingDay]) -> list[ChargingDay]:
    """Days on which the connection gives whatever is asked."""
    return [replace(day, grid_kw=np.full(len(day.grid_kw), np.inf)) for day in days]


def _without_last(day: ChargingDay, number: int) -> tuple[Truck, ...]:
    """The trucks of a day without so many of each depot, kind of truck and shift, and without breaks on the way."""
    groups: dict[str, list[Truck]] = {}
    for truck in day.trucks:
        if not truck.least_kw:
            groups.setdefault(truck.name.rsplit(" ", 1)[0], []).append(truck)
    return tuple(truck for group in groups.values() for truck in group[: max(0, len(group) - number)])
