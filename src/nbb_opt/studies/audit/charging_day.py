"""A usual day at each charging area: which trucks are in when, and how plain and smart charging fill them.

A day has 96 quarters of an hour. The year's energy of a plan is that of its days: of a winter day and of a day of the
rest of the year, weighted as `countries.winter_share` says. Trucks are shared out among the shifts of their depot, and
use energy evenly in the hours they are away. A truck that is charged on the way takes a break there; breaks are spread
evenly over the hours away, as few as their length allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import coo_array

from nbb_opt.errors import NbbError
from nbb_opt.model.data.periods import Floats
from nbb_opt.solve import Solution
from nbb_opt.studies.audit.fleet_model import FleetModel, Key

QUARTERS = 96
QUARTER_H = 0.25
WINTER, REST = "winter", "rest of the year"
PLAIN, SMART = "plain", "smart"
FULL_KWH = 1e-6  # missing less is full
SHORT_KWH = 0.01  # short by less is rounding
BREAK_H = 1.0  # on the way, where no rule gives the length of a break
SHORT_EUR = 1e4  # a kWh, in smart charging: only where nothing else helps
LEAST_POWER_EUR = 1e-3  # kW month, where power costs nothing: the smallest peak of those that cost the same


@dataclass(frozen=True)
class Stay:
    """A stay at chargers: quarter of the day it begins, how many it lasts, kWh the truck used since the stay before."""

    arrives: int
    quarters: int
    used_kwh: float

    @property
    def departs(self) -> int:
        """Quarter of the day in which the truck is gone."""
        return (self.arrives + self.quarters) % QUARTERS


@dataclass(frozen=True, kw_only=True)
class Truck:
    """A truck on a usual day; at the end of the last of its `stays`, the longest, it is to be full.

    `least_kw` is the power below which a charger does not serve it, `days` how many of a year are such days for it.
    """

    name: str
    kw: float
    least_kw: float
    battery_kwh: float
    days: float
    stays: tuple[Stay, ...]


@dataclass(frozen=True, kw_only=True)
class ChargingDay:
    """A usual day at a charging area: its trucks, chargers (name, kW) and, by quarter, connection and price."""

    area: str
    year: int
    day: str
    months: float
    trucks: tuple[Truck, ...]
    chargers: tuple[tuple[str, float], ...]
    grid_kw: Floats
    eur_per_kwh: Floats
    power_eur_per_kw_month: float

    @property
    def kwh(self) -> float:
        """What the trucks use in the day."""
        return sum(stay.used_kwh for truck in self.trucks for stay in truck.stays)


@dataclass(frozen=True)
class Short:
    """What a day lacks. `kind`: full (at departure), empty (before the next stay), or grid; `amount` kWh or kW."""

    kind: str
    quarter: int
    amount: float
    truck: int = -1


@dataclass(frozen=True, kw_only=True)
class Charged:
    """A day as it was charged: kWh by (truck, quarter), trucks that wait by quarter, and what is short."""

    how: str
    kwh: Floats
    waiting: np.ndarray
    short: tuple[Short, ...]

    @property
    def kw(self) -> Floats:
        """Power by quarter."""
        return self.kwh.sum(axis=0) / QUARTER_H

    def energy_eur(self, day: ChargingDay) -> float:
        """EUR a year for the energy of such days."""
        days = np.array([truck.days for truck in day.trucks])
        return float(days @ self.kwh @ day.eur_per_kwh)

    def power_eur(self, day: ChargingDay) -> float:
        """EUR a year for the highest quarter of an hour in the months with such days."""
        return float(self.kw.max() * day.power_eur_per_kw_month * day.months)


def plain(day: ChargingDay) -> Charged:
    """Charge at arrival with full power until full; who finds no free charger waits in turn.

    A truck takes the weakest charger that fills it before it leaves, else the strongest that is free, and leaves it
    when it is full. A truck that is not full when it is to be is named and starts full all the same. Two days pass
    before the one that counts.
    """
    trucks, chargers = day.trucks, day.chargers
    kwh, waiting = np.zeros((len(trucks), QUARTERS)), np.zeros(QUARTERS, np.int64)
    missing, at = [0.0] * len(trucks), [-1] * len(trucks)
    leaves = [0] * len(trucks)
    queue: list[int] = []
    short: list[Short] = []
    arrivals: dict[int, list[tuple[int, int]]] = {}
    for i, truck in enumerate(trucks):
        for k, stay in enumerate(truck.stays):
            arrivals.setdefault(stay.arrives, []).append((i, k))
    for step in range(3 * QUARTERS):
        quarter, counts = step % QUARTERS, step >= 2 * QUARTERS
        for i in [i for i in queue if leaves[i] == step]:
            queue.remove(i)
            at[i] = -1
        for i, truck in enumerate(trucks):
            if truck.stays[-1].departs == quarter:
                if counts and missing[i] > SHORT_KWH:
                    short.append(Short("full", quarter, missing[i], i))
                missing[i] = 0.0
        for i, k in arrivals.get(quarter, []):
            stay = trucks[i].stays[k]
            missing[i] += stay.used_kwh
            if counts and missing[i] - trucks[i].battery_kwh > SHORT_KWH:
                short.append(Short("empty", quarter, missing[i] - trucks[i].battery_kwh, i))
            leaves[i] = step + stay.quarters
            queue.append(i)
        free = sorted(set(range(len(chargers))) - set(at), key=lambda c: chargers[c][1])
        for i in queue:
            if at[i] < 0 and missing[i] > FULL_KWH:
                fit = [c for c in free if chargers[c][1] >= trucks[i].least_kw]
                left_h = (leaves[i] - step) * QUARTER_H
                enough = [c for c in fit if min(chargers[c][1], trucks[i].kw) * left_h >= missing[i]]
                if fit:
                    at[i] = enough[0] if enough else fit[-1]
                    free.remove(at[i])
                elif counts:
                    waiting[quarter] += 1
        for i in [i for i in queue if at[i] >= 0]:
            taken = min(min(chargers[at[i]][1], trucks[i].kw) * QUARTER_H, missing[i])
            missing[i] -= taken
            if counts:
                kwh[i, quarter] = taken
            if missing[i] <= FULL_KWH:
                missing[i], at[i] = 0.0, -1
    found = Charged(how=PLAIN, kwh=kwh, waiting=waiting, short=tuple(short))
    over = found.kw - day.grid_kw
    if over.max() > SHORT_KWH:
        short.append(Short("grid", int(over.argmax()), float(over.max())))
    return replace(found, short=tuple(short))


def smart(day: ChargingDay) -> Charged:
    r"""Charge so that every truck is full when it leaves, at the least cost of energy and power: a linear program.

    $\min \sum_{iqk} days_i\, p_q\, x_{iqk} + months\, \pi\, P$ over the kWh $x_{iqk}$ of truck $i$ in quarter $q$ at
    chargers of power $k$. Of a quarter, truck and chargers are taken for the part they need at full power:
    $\sum_k x_{iqk} / (h\, kw_{ik}) \le 1$, $\sum_i x_{iqk} / (h\, kw_{ik}) \le n_k$; the power
    $\sum_{ik} x_{iqk} / h \le \min(P, grid_q)$. At no arrival is more missing than the battery holds, in no stay is
    more taken than is missing, and nothing is missing at the end of the longest stay. Trucks change places at the
    chargers as often as it helps: the cost is the least that any way of charging could have.
    """
    kinds = sorted({kw for _, kw in day.chargers})
    number = [sum(1 for _, each in day.chargers if each == kw) for kw in kinds]
    at = [
        (i, k, (stay.arrives + n) % QUARTERS, c, min(kw, truck.kw) * QUARTER_H)
        for i, truck in enumerate(day.trucks)
        for k, stay in enumerate(truck.stays)
        for n in range(stay.quarters)
        for c, kw in enumerate(kinds)
        if kw >= truck.least_kw
    ]
    ends = [(i, k) for i, truck in enumerate(day.trucks) for k in range(len(truck.stays))]
    peak, first_short = len(at), len(at) + 1  # then what is short: at the arrival of each stay, and of each truck
    width = first_short + len(ends) + len(day.trucks)
    rows: list[tuple[int, int, float]] = []
    up: list[float] = []
    place: dict[tuple[object, ...], int] = {}

    def row(key: tuple[object, ...], limit: float) -> int:
        if key not in place:
            place[key] = len(up)
            up.append(limit)
        return place[key]

    for column, (i, _, quarter, c, most_kwh) in enumerate(at):
        rows.append((row(("truck", i, quarter), 1.0), column, 1.0 / most_kwh))
        rows.append((row(("charger", c, quarter), float(number[c])), column, 1.0 / most_kwh))
        rows.append((row(("grid", quarter), float(day.grid_kw[quarter])), column, 1.0 / QUARTER_H))
        rows.append((row(("peak", quarter), 0.0), column, 1.0 / QUARTER_H))
    rows += [(place["peak", quarter], peak, -1.0) for quarter in range(QUARTERS) if ("peak", quarter) in place]
    mine: dict[tuple[int, int], list[int]] = {}
    for column, (i, k, *_) in enumerate(at):
        mine.setdefault((i, k), []).append(column)
    equal: list[tuple[int, int, float]] = []
    for n, (i, k) in enumerate(ends):
        truck = day.trucks[i]
        used = sum(stay.used_kwh for stay in truck.stays[: k + 1])
        before = [column for each in range(k) for column in mine.get((i, each), [])]
        arrives = row(("arrives", i, k), truck.battery_kwh - used)
        rows += [(arrives, column, -1.0) for column in before] + [(arrives, first_short + n, -1.0)]
        leaves = row(("leaves", i, k), used)
        rows += [(leaves, column, 1.0) for column in [*before, *mine.get((i, k), [])]]
        if k == len(truck.stays) - 1:
            equal += [(i, column, 1.0) for column in [*before, *mine.get((i, k), [])]]
            equal.append((i, first_short + len(ends) + i, 1.0))
    cost = np.full(width, SHORT_EUR)
    cost[:peak] = [day.trucks[i].days * day.eur_per_kwh[quarter] for i, _, quarter, *_ in at]
    cost[peak] = day.months * max(day.power_eur_per_kw_month, LEAST_POWER_EUR)
    limit = np.array(up)
    bounded = np.isfinite(limit)
    matrix = _matrix(rows, (len(up), width))
    found = linprog(
        cost, A_ub=matrix[bounded], b_ub=limit[bounded], A_eq=_matrix(equal, (len(day.trucks), width)),
        b_eq=np.array([sum(stay.used_kwh for stay in truck.stays) for truck in day.trucks]), method="highs",
    )  # fmt: skip
    if found.status != 0 or found.x is None:
        raise NbbError(f"charging of {day.area} {day.year} was not solved: {found.message}")
    kwh = np.zeros((len(day.trucks), QUARTERS))
    for (i, _, quarter, *_), amount in zip(at, found.x[:peak].tolist(), strict=True):
        kwh[i, quarter] += amount
    missed = found.x[first_short:]
    short = [
        Short("empty", day.trucks[i].stays[k].arrives, float(amount), i)
        for (i, k), amount in zip(ends, missed[: len(ends)].tolist(), strict=True)
    ] + [
        Short("full", truck.stays[-1].departs, float(amount), i)
        for i, (truck, amount) in enumerate(zip(day.trucks, missed[len(ends) :].tolist(), strict=True))
    ]
    short = [each for each in short if each.amount > SHORT_KWH]
    return Charged(how=SMART, kwh=kwh, waiting=np.zeros(QUARTERS, np.int64), short=tuple(short))


def _matrix(
    entries: Sequence[tuple[int, int, float]], shape: tuple[int, int]
) -> Any:  # sparse: linprog takes it, its types say no
    at_row, at_column, values = (np.array(part) for part in zip(*entries, strict=True))
    return coo_array((values, (at_row.astype(np.int64), at_column.astype(np.int64))), shape=shape).tocsr()


def charging_days(fleet_model: FleetModel, solution: Solution) -> list[ChargingDay]:
    """The usual days of every charging area where own trucks charge, by period.

    What others' points sell is no part of them. Raises NbbError where the instance says nothing of shifts.
    """
    if fleet_model.instance["shifts"].empty:
        raise NbbError("the instance has no table shifts, which says when trucks are in; add shifts and shift_stays")
    data, values = fleet_model.built.data, solution.values
    years = data.time.years
    energy, stock = _energy(fleet_model, solution), _Stock(fleet_model, solution)
    chargers = _chargers(fleet_model, values)
    hours = fleet_model.instance["charging_hours"].set_index(["charge_area", "hour"])
    tariffs = fleet_model.instance["charge_areas"]["power_eur_per_kw_month"].fillna(0.0).to_numpy(float)
    grid_mw = _grid_mw(fleet_model, values)
    by_area: dict[tuple[int, int], list[dict]] = {}
    for row in energy.to_dict("records"):
        by_area.setdefault((int(row["area"]), int(row["t"])), []).append(dict(row))
    found = []
    for (j, t), here in by_area.items():
        area, country = data.base.areas[j], int(data.base.area_country[j])
        add, share = np.zeros(24), np.ones(24)
        if area in hours.index.get_level_values(0):
            rows = hours.loc[area].sort_index()
            add, share = rows["price_add_eur_per_kwh"].to_numpy(float), rows["grid_share"].fillna(1.0).to_numpy(float)
        by_name = sorted(
            here,
            key=lambda row: (data.base.regions[row["region"]], data.trucks.names[row["vehicle"]], row["way"]),
        )
        carrier = int(data.trucks.carrier[by_name[0]["vehicle"]])
        price = float(data.base.energy_price[carrier, country, t])
        winter = float(data.base.winter_share[country])
        for day, part in ((WINTER, winter), (REST, 1.0 - winter)):
            if part > 0:
                trucks = [truck for row in by_name for truck in stock.trucks(row, winter, day)]
                found.append(ChargingDay(
                    area=area, year=int(years[t]), day=day, months=12.0 * part, trucks=tuple(trucks),
                    chargers=tuple(chargers.get((area, t), [])),
                    grid_kw=np.repeat(1000.0 * grid_mw[j, t] * share, 4), eur_per_kwh=np.repeat(price + add, 4),
                    power_eur_per_kw_month=float(tariffs[j]),
                ))  # fmt: skip
    return found


def _energy(fleet_model: FleetModel, solution: Solution) -> pd.DataFrame:
    """kWh a year from own chargers: area, t, region, vehicle, way, kwh; others' points sell to those on the way first.

    An empty trip to another depot is charged where it starts, by a truck of that depot.
    """
    data, start, x = fleet_model.built.data, fleet_model.built.start, solution.values
    d, e = data.driving, data.empties
    empty = x[start["empty_vkm"] : start["empty_vkm"] + len(e.origin)] if "empty_vkm" in start else np.zeros(0)
    driven = x[start["driven_vkm"] : start["driven_vkm"] + len(d.lane)]
    parts = [
        pd.DataFrame({
            "area": own.ledger.area, "t": own.ledger.t, "region": region[own.ledger.col],
            "vehicle": own.vehicle[own.ledger.col], "way": way[own.ledger.col],
            "kwh": own.ledger.kwh * vkm[own.ledger.col],
        })
        for own, vkm, region, way in (
            (d, driven, d.region, d.on_the_way), (e, empty, e.origin, np.zeros(len(e.origin), bool)),
        )
    ]  # fmt: skip
    rows = pd.concat(parts)
    rows = rows[rows["area"] >= 0].groupby(["area", "t", "region", "vehicle", "way"])["kwh"].sum().reset_index()
    use = fleet_model.tables(solution)["use"]
    for row in use[use["kind"] == "public_charging"].to_dict("records"):
        here = (rows["area"] == int(data.base.areas.of([row["row"]])[0])) & (data.time.years[rows["t"]] == row["year"])
        left = float(row["used"])
        for which in (here & rows["way"], here & ~rows["way"]):
            total = float(rows.loc[which, "kwh"].sum())
            if total > 0:
                rows.loc[which, "kwh"] *= max(0.0, 1.0 - left / total)
                left = max(0.0, left - total)
    return rows[rows["kwh"] > SHORT_KWH]


def charging_trucks(fleet_model: FleetModel, solution: Solution) -> dict[tuple[str, int], set[Key]]:
    """The trucks that take energy from own chargers of an area in a period."""
    base, names = fleet_model.built.data.base, fleet_model.built.data.trucks.names
    found: dict[tuple[str, int], set[Key]] = {}
    for row in _energy(fleet_model, solution).to_dict("records"):
        t = int(row["t"])
        key = (base.regions[int(row["region"])], names[int(row["vehicle"])], t)
        found.setdefault((base.areas[int(row["area"])], t), set()).add(key)
    return found


def _chargers(fleet_model: FleetModel, values: Floats) -> dict[tuple[str, int], list[tuple[str, float]]]:
    """Own chargers in service by area and period, each with its power, the weakest first."""
    kw = dict(zip(fleet_model.built.data.chargers.names.ids, fleet_model.built.data.chargers.kw.tolist(), strict=True))
    found: dict[tuple[str, int], list[tuple[str, float]]] = {}
    for (area, kind, t), columns in fleet_model.chargers.items():
        found.setdefault((area, t), []).extend([(kind, kw[kind])] * round(float(values[columns].sum())))
    return {key: sorted(each, key=lambda charger: charger[1]) for key, each in found.items()}


def _grid_mw(fleet_model: FleetModel, values: Floats) -> Floats:
    """Connection of each area by period, with the projects that are built."""
    data, p = fleet_model.built.data, fleet_model.built.data.projects
    grid = np.repeat(data.base.area_grid_mw[:, None], data.time.size, axis=1)
    for project, table, row, amount in p.adds:
        for t in range(data.time.size if table == "charge_areas" else 0):
            grid[row, t] += amount * float(values[fleet_model.projects.get(("", p.names[project], t), [])].sum())
    return grid


class _Stock:
    """The battery trucks of a plan on the shifts of their depots."""

    def __init__(self, fleet_model: FleetModel, solution: Solution) -> None:
        self.data, instance = fleet_model.built.data, fleet_model.instance
        names, regions = self.data.trucks.names, self.data.base.regions
        self.numbers = {
            (int(regions.of([region])[0]), int(names.of([vehicle])[0]), t): round(float(solution.values[cols].sum()))
            for (region, vehicle, t), cols in fleet_model.trucks.items()
        }
        rules = instance["driving_rules"].set_index("country")["break_h"]
        countries = instance["fleet_regions"].set_index("fleet_region")["country"]
        self.break_quarters = {r: _quarters(rules.get(countries[name], BREAK_H)) for r, name in enumerate(regions.ids)}
        stays = instance["shift_stays"].groupby(["fleet_region", "shift"])
        hours = {key: rows[["arrives_h", "departs_h"]].to_numpy(float).tolist() for key, rows in stays}
        self.shifts: dict[int, list[tuple[dict, list[tuple[int, int]]]]] = {}
        for row in instance["shifts"].to_dict("records"):
            r = int(regions.of([row["fleet_region"]])[0])
            self.shifts.setdefault(r, []).append((row, _in_turn(hours[row["fleet_region"], row["shift"]])))

    def trucks(self, row: dict, winter: float, day: str) -> Iterator[Truck]:
        """The trucks that share the energy of a row of `_energy` on a day, or their breaks on the way."""
        r, v, t = (int(row[name]) for name in ("region", "vehicle", "t"))
        data, region, vehicle = self.data.trucks, self.data.base.regions[r], self.data.trucks.names[int(row["vehicle"])]
        number, shifts = self.numbers.get((r, v, t), 0), self.shifts.get(r, [])
        if not number or not shifts:
            lacks = "no truck of it is planned" if shifts else "the depot has no row in shifts"
            raise NbbError(f"{vehicle} of {region} drives in {int(self.data.time.years[t])}, but {lacks}")
        counts = shared_out(number, [shift["truck_share"] for shift, _ in shifts])
        away = [QUARTERS - sum(length for _, length in stays) for _, stays in shifts]
        truck_quarters = sum(
            n * shift["days_per_year"] * a for n, (shift, _), a in zip(counts, shifts, away, strict=True)
        )
        cold = float(data.winter_factor[v])
        season = (cold if day == WINTER else 1.0) / (1.0 + winter * (cold - 1.0))
        part = winter if day == WINTER else 1.0 - winter
        usual_kwh_per_km = (data.empty_kwh_per_vkm[v, t] + data.full_kwh_per_vkm[v, t]) / 2
        kw, battery = float(data.charge_kw[v]), float(data.usable_km[v] * cold * usual_kwh_per_km)
        for s, (n, (shift, stays), a) in enumerate(zip(counts, shifts, away, strict=True)):
            name, days = f"{region} {vehicle} {shift['shift']}", shift["days_per_year"] * part
            each_kwh = row["kwh"] * season * a / truck_quarters
            if row["way"]:
                yield from self._breaks(
                    name, n * each_kwh, kw=kw, days=days, stays=stays, quarters=self.break_quarters[r],
                    turn=(s + 0.5) / len(shifts),
                )  # fmt: skip
                continue
            for i in range(n):
                late = _quarters(shift["spread_h"] * i / n)
                yield Truck(
                    name=f"{name} {i + 1}", kw=kw, least_kw=0.0, battery_kwh=battery, days=days,
                    stays=tuple(
                        Stay((arrives + late) % QUARTERS, length, each_kwh * gap / a)
                        for (arrives, length), gap in zip(stays, _gaps(stays), strict=True)
                    ),
                )  # fmt: skip

    def _breaks(
        self, name: str, kwh: float, *, kw: float, days: float, stays: list[tuple[int, int]], quarters: int, turn: float
    ) -> Iterator[Truck]:
        """Breaks on the way that take in `kwh` together; `turn` (0 to 1) keeps those of other shifts apart."""
        inside = {(arrives + n) % QUARTERS for arrives, length in stays for n in range(length)}
        last, length = stays[-1]
        out = [q % QUARTERS for q in range(last + length, last + length + QUARTERS) if q % QUARTERS not in inside]
        count = int(np.ceil(kwh / (kw * quarters * QUARTER_H) - 1e-9))
        for n in range(count):
            at = out[int((n + turn) / count * len(out))]
            yield Truck(
                name=f"{name}, break {n + 1}", kw=kw, least_kw=kw, battery_kwh=np.inf, days=days,
                stays=(Stay(at, quarters, kwh / count),),
            )  # fmt: skip


def _quarters(hours: float) -> int:
    """Quarters of an hour, the half up.

    >>> _quarters(0.75), _quarters(0.4), _quarters(0.375)
    (3, 2, 2)
    """
    return int(np.floor(hours / QUARTER_H + 0.5))


def _in_turn(hours: list[list[float]]) -> list[tuple[int, int]]:
    """(arrives, quarters) of the stays of a shift in turn, the longest last.

    >>> _in_turn([[17, 5], [11, 11.75]]), _in_turn([[6, 18]])
    ([(44, 3), (68, 48)], [(24, 48)])
    """
    stays = sorted((_quarters(a) % QUARTERS, _quarters((b - a) % 24.0)) for a, b in hours)
    last = max(range(len(stays)), key=lambda k: stays[k][1])
    return [*stays[last + 1 :], *stays[: last + 1]]


def _gaps(stays: list[tuple[int, int]]) -> list[int]:
    """Quarters away before each stay."""
    return [
        (arrives - sum(stays[k - 1])) % QUARTERS if len(stays) > 1 else QUARTERS - length
        for k, (arrives, length) in enumerate(stays)
    ]


def shared_out(number: int, shares: Sequence[float]) -> list[int]:
    """Whole numbers that add up to `number`, in shares; what is left over goes where most was cut off.

    >>> shared_out(9, [0.7, 0.3]), shared_out(1, [0.5, 0.5])
    ([6, 3], [1, 0])
    """
    exact = [number * share / sum(shares) for share in shares]
    whole = [int(each + 1e-9) for each in exact]
    order = sorted(range(len(shares)), key=lambda s: (whole[s] - exact[s], s))
    return [n + (s in order[: number - sum(whole)]) for s, n in enumerate(whole)]
