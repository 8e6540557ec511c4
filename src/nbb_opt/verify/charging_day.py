"""The usual days of a plan worked out again, hour by hour, in plain loops: who is in, who charges, what is short.

Written from the definitions of `studies.audit.charging_day`, for checking what the study of charging says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from nbb_opt.errors import VerifyFailed
from nbb_opt.instance import Instance
from nbb_opt.recompute import World, read_driven, read_empties, read_lanes, read_world, usable_range

PER_HOUR = 4
PER_DAY = 24 * PER_HOUR
CLOSE_KWH = 0.01


@dataclass(kw_only=True)
class Vehicle:
    """A truck, or a break on the way, in a usual day; `visits` are (arrives, leaves after, kWh used before it)."""

    name: str
    kw: float
    least_kw: float
    battery: float
    visits: list[tuple[int, int, float]]
    missing: float = 0.0
    plug: float = 0.0
    until: int = -1
    since: int = -1
    taken: dict[int, float] = field(default_factory=dict)

    def most(self, charger_kw: float) -> float:
        """kWh in a quarter of an hour."""
        return min(self.kw, charger_kw) / PER_HOUR


def usual_days(instance: Instance, tables: Mapping[str, pd.DataFrame]) -> dict[tuple[str, int, str], list[Vehicle]]:
    """Who charges at each area on each usual day, from the tables of an instance and of a plan."""
    world = read_world(instance)
    found: dict[tuple[str, int, str], list[Vehicle]] = {}
    trucks = tables["fleet"].groupby(["fleet_region", "vehicle", "year"])["kept"].sum()
    country = world.indexed("charge_areas")["country"]
    for row in _energy(world, tables).to_dict("records"):
        owned = round(trucks.get((row["region"], row["vehicle"], row["year"]), 0.0))
        winter = float(world.indexed("countries").loc[country[row["area"]], "winter_share"])
        cold = float(world.indexed("vehicles").loc[row["vehicle"], "winter_factor"])
        mean = winter * cold + (1.0 - winter)
        for day, share, factor in (("winter", winter, cold), ("rest of the year", 1.0 - winter, 1.0)):
            if share > 0:
                mine = _vehicles(world, row, owned, row["kwh"] * factor / mean)
                found.setdefault((row["area"], row["year"], day), []).extend(mine)
    return found


def _energy(world: World, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """area, year, region, vehicle, way, kwh a year from the company's chargers."""
    lanes = read_lanes(world, tables)
    driven, empties = read_driven(world, tables, lanes), read_empties(world, tables)
    driven = driven.assign(kwh=driven["loaded_vkm"] * driven["kwh_per_vkm"])
    home = driven[driven["charged"] == "home"].assign(area=driven["home_area"], way=False)
    way = driven[driven["charged"] == "way"].merge(lanes.areas, on="lane")
    way = way.assign(area=way["charge_area"], kwh=way["kwh"] * way["share"], way=True)
    back = empties[empties["battery"]].assign(
        region=empties["from_region"], area=empties["charge_area"], way=False,
        kwh=empties["empty_vkm"] * empties["kwh_per_vkm"],
    )  # fmt: skip
    columns = ["area", "year", "region", "vehicle", "way", "kwh"]
    parts = [part[columns].astype({"way": bool}) for part in (home, way, back)]
    rows = pd.concat([part for part in parts if len(part)] or parts)
    rows = rows.groupby(columns[:-1])["kwh"].sum().reset_index()
    use = tables["use"]
    for sold in use[use["kind"] == "public_charging"].to_dict("records"):
        left = sold["used"]
        for on_way in (True, False):
            here = (rows["area"] == sold["row"]) & (rows["year"] == sold["year"]) & (rows["way"] == on_way)
            total = rows.loc[here, "kwh"].sum()
            if total > 0:
                rows.loc[here, "kwh"] *= max(total - left, 0.0) / total
                left = max(left - total, 0.0)
    return rows[rows["kwh"] > CLOSE_KWH]


def _vehicles(world: World, row: Mapping, owned: int, kwh_year: float) -> list[Vehicle]:
    """The trucks (or breaks) of a depot and kind of truck that share `kwh_year`, of a year of such days."""
    instance = world.instance
    shifts = instance["shifts"][instance["shifts"]["fleet_region"] == row["region"]].to_dict("records")
    data = world.indexed("vehicles").loc[row["vehicle"]]
    yearly = world.vehicle_years
    price = yearly[(yearly["vehicle"] == row["vehicle"]) & (yearly["year"] == row["year"])].iloc[0]
    vehicle = pd.DataFrame([{**data, "range_left": float(world.range_left(pd.Series([row["vehicle"]]))[0])}])
    battery = float(usable_range(vehicle).iloc[0]) * data["winter_factor"]
    battery *= (price["empty_kwh_per_vkm"] + price["full_kwh_per_vkm"]) / 2
    ideal = [owned * shift["truck_share"] for shift in shifts]
    counts = [math.floor(each + 1e-9) for each in ideal]
    while sum(counts) < owned:
        behind = max(range(len(shifts)), key=lambda s: (round(ideal[s] - counts[s], 12), -s))
        counts[behind] += 1
    plans = []
    for shift in shifts:
        table = instance["shift_stays"]
        mine = table[(table["fleet_region"] == row["region"]) & (table["shift"] == shift["shift"])]
        inside = [False] * PER_DAY
        stays = []
        for begin, end in zip(mine["arrives_h"].tolist(), mine["departs_h"].tolist(), strict=True):
            first, length = round(begin * PER_HOUR) % PER_DAY, round(((end - begin) % 24) * PER_HOUR)
            stays.append((first, length))
            for q in range(first, first + length):
                inside[q % PER_DAY] = True
        home_first, home_length = max(sorted(stays), key=lambda stay: stay[1])
        start = (home_first + home_length) % PER_DAY
        stays.sort(key=lambda stay: ((stay[0] - start) % PER_DAY, stay[1]))
        plans.append(
            (shift, start, stays, [q % PER_DAY for q in range(start, start + PER_DAY) if not inside[q % PER_DAY]])
        )
    hours = sum(n * shift["days_per_year"] * len(out) for n, (shift, _, _, out) in zip(counts, plans, strict=True))
    found = []
    for s, (n, (shift, start, stays, out)) in enumerate(zip(counts, plans, strict=True)):
        name, each_kwh = f"{row['region']} {row['vehicle']} {shift['shift']}", kwh_year * len(out) / hours
        if row["way"]:
            late_share = (2 * s + 1) / (2 * len(shifts))
            found += _breaks(world, row, name, n * each_kwh, float(data["charge_kw"]), out, late_share)
            continue
        for i in range(n):
            late = math.floor(shift["spread_h"] * i / n * PER_HOUR + 0.5)
            visits, at = [], start
            for first, length in stays:
                visits.append(((first + late) % PER_DAY, length, each_kwh * ((first - at) % PER_DAY) / len(out)))
                at = first + length
            found.append(Vehicle(
                name=f"{name} {i + 1}", kw=float(data["charge_kw"]), least_kw=0.0, battery=battery, visits=visits,
            ))  # fmt: skip
    return found


def _breaks(
    world: World, row: Mapping, name: str, kwh: float, kw: float, out: list[int], late_share: float
) -> list[Vehicle]:
    country = world.indexed("fleet_regions").loc[row["region"], "country"]
    rules = world.instance["driving_rules"]
    lengths = rules.loc[rules["country"] == country, "break_h"].tolist()
    quarters = math.floor((lengths[0] if lengths else 1.0) * PER_HOUR + 0.5)
    number = math.ceil(kwh / (kw / PER_HOUR * quarters) - 1e-9)
    begins = [out[int((i + late_share) * len(out) / number)] for i in range(number)]
    return [
        Vehicle(
            name=f"{name}, break {i + 1}",
            kw=kw,
            least_kw=kw,
            battery=math.inf,
            visits=[(begin, quarters, kwh / number)],
        )
        for i, begin in enumerate(begins)
    ]


def fill(vehicles: list[Vehicle], chargers: list[float]) -> list[str]:
    """Charge as trucks come, at full power; gives what is short, in words. `taken` of each truck is filled in.

    Two days pass first; of the third what each truck takes is kept.
    """
    short = []
    for now in range(3 * PER_DAY):
        quarter, kept = now % PER_DAY, now >= 2 * PER_DAY
        for truck in vehicles:
            if truck.until == now:
                truck.until = truck.since = -1
                truck.plug = 0.0
            last = truck.visits[-1]
            if (last[0] + last[1]) % PER_DAY == quarter:
                if kept and truck.missing > CLOSE_KWH:
                    short.append(f"{truck.name} not full in quarter {quarter}")
                truck.missing = 0.0
        for truck in vehicles:
            for arrives, length, used in truck.visits:
                if arrives == quarter:
                    truck.missing += used
                    truck.since, truck.until = now, now + length
                    if kept and truck.missing > truck.battery + CLOSE_KWH:
                        short.append(f"{truck.name} empty in quarter {quarter}")
        free = sorted(chargers)
        for truck in vehicles:
            if truck.plug:
                free.remove(truck.plug)
        for truck in sorted(vehicles, key=lambda truck: truck.since):
            if truck.since < 0 or truck.plug or truck.missing <= 1e-6:
                continue
            strong = [kw for kw in free if kw >= truck.least_kw]
            in_time = [kw for kw in strong if truck.most(kw) * (truck.until - now) >= truck.missing]
            if strong:
                truck.plug = in_time[0] if in_time else strong[-1]
                free.remove(truck.plug)
        for truck in vehicles:
            if truck.plug:
                amount = min(truck.most(truck.plug), truck.missing)
                truck.missing -= amount
                if kept:
                    truck.taken[quarter] = amount
                if truck.missing <= 1e-6:
                    truck.missing, truck.plug = 0.0, 0.0
    return short


def check_charging_days(instance: Instance, tables: Mapping[str, pd.DataFrame], charges: pd.DataFrame) -> None:
    """Hold what trucks take in (`charges`: charge_area, year, day, charging, truck, quarter, kwh) against own loops.

    Plain charging is the same quarter by quarter. Smart charging takes nothing when a truck is out, no more than it
    takes at full power, no more than is missing and than the chargers in service give; what a truck takes in a day is
    no more than it used. Raises VerifyFailed with what differs.
    """
    wrong = []
    kw = read_world(instance).indexed("chargers")["kw"]
    own = tables["chargers"]
    for (area, year, day), vehicles in usual_days(instance, tables).items():
        there = own[(own["charge_area"] == area) & (own["year"] == year)]
        chargers = [
            float(kw[row["charger"]]) for row in there.to_dict("records") for _ in range(round(row["in_service"]))
        ]
        mine = charges[(charges["charge_area"] == area) & (charges["year"] == year) & (charges["day"] == day)]
        said = {
            how: {
                (row["truck"], row["quarter"]): row["kwh"] for row in mine[mine["charging"] == how].to_dict("records")
            }
            for how in ("plain", "smart")
        }
        fill(vehicles, chargers)
        for truck in vehicles:
            for quarter in range(PER_DAY):
                told, own_kwh = said["plain"].pop((truck.name, quarter), 0.0), truck.taken.get(quarter, 0.0)
                if abs(told - own_kwh) > CLOSE_KWH:
                    wrong.append(f"{area} {year} {day}, {truck.name}, quarter {quarter}: {told:g} kWh, not {own_kwh:g}")
        wrong += [f"{area} {year} {day}: {name} is no truck there" for name, _ in said["plain"]]
        wrong += [f"{area} {year} {day}: {text}" for text in _smart_faults(vehicles, chargers, said["smart"])]
    if wrong:
        raise VerifyFailed(f"charging by the hour is not what own loops find ({len(wrong)}): {'; '.join(wrong[:3])}")


def _smart_faults(vehicles: list[Vehicle], chargers: list[float], said: dict[tuple[str, int], float]) -> list[str]:
    wrong = []
    busy = [0.0] * PER_DAY
    strongest = max(chargers, default=0.0)
    for truck in vehicles:
        missing = 0.0
        for arrives, length, used in truck.visits:
            missing += used
            for q in range(arrives, arrives + length):
                amount = said.pop((truck.name, q % PER_DAY), 0.0)
                if amount > truck.most(strongest) + CLOSE_KWH:
                    wrong.append(f"{truck.name} takes {amount:g} kWh in quarter {q % PER_DAY}")
                missing -= amount
                busy[q % PER_DAY] += amount
            if missing < -CLOSE_KWH:
                wrong.append(f"{truck.name} takes {-missing:g} kWh more than it used by quarter {arrives}")
    wrong += [f"{name} takes {kwh:g} kWh in quarter {q}, when it is out" for (name, q), kwh in said.items()]
    wrong += [
        f"{amount:g} kWh in quarter {q} are more than the chargers give"
        for q, amount in enumerate(busy) if amount > sum(chargers) / PER_HOUR + CLOSE_KWH
    ]  # fmt: skip
    return wrong
