"""The usual day of a depot: shifts, stays at its chargers, rest of the drivers, prices by the hour."""

from __future__ import annotations

from collections.abc import Iterator

from nbb_opt.errors import Problem
from nbb_opt.instance.rules.registry import RuleContext, rule
from nbb_opt.instance.wording import did_you_mean, listed, number

DAY_H = 24.0
QUARTERS_A_DAY = 96
_EQUAL = 1e-6


def stay_quarters(arrives_h: float, departs_h: float) -> list[int]:
    """The quarters of the day (0 to 95) of a stay; one that ends before it begins goes over midnight.

    >>> stay_quarters(23.5, 0.25), stay_quarters(10, 10.75)
    ([94, 95, 0], [40, 41, 42])
    """
    first, length_h = round(4 * arrives_h), (departs_h - arrives_h) % DAY_H
    return [(first + n) % QUARTERS_A_DAY for n in range(round(4 * length_h))]


@rule("shifts", uses=("fleet_regions",))
def shifts_share_out_the_trucks(context: RuleContext) -> Iterator[Problem]:
    """The truck_share of the shifts of a fleet region add up to 1, and where there are shifts, every fleet region with
    a charge_area has some."""
    shares: dict[str, float] = {}
    last: dict[str, int] = {}
    for i, row in context.rows("shifts"):
        shares[row["fleet_region"]] = shares.get(row["fleet_region"], 0.0) + row["truck_share"]
        last[row["fleet_region"]] = i
    for region, share in shares.items():
        if abs(share - 1.0) > _EQUAL:
            what = f"makes the shares of {region} add up to {number(share)}"
            yield context.fault("shifts", last[region], "truck_share", None, what, "let them add up to 1")
    for depot in context.each("fleet_regions") if shares else ():
        if depot["charge_area"] and depot["fleet_region"] not in shares:
            i, row = context.rows("shifts")[0]
            what = f"is there, and {depot['fleet_region']} with charge_area {depot['charge_area']} has no shift"
            yield context.fault("shifts", i, "fleet_region", row["fleet_region"], what, "add its shifts")


@rule("shift_stays", uses=("shifts",))
def stays_fit_into_a_day(context: RuleContext) -> Iterator[Problem]:
    """A stay is of a shift of its depot, begins and ends at quarters of an hour, and not at once; stays of a shift do
    not overlap and leave some time to drive; every shift has a stay."""
    known = {(row["fleet_region"], row["shift"]): i for i, row in context.rows("shifts")}
    taken: dict[tuple[str, str], set[int]] = {}
    for i, row in context.rows("shift_stays"):
        key = (row["fleet_region"], row["shift"])
        if key not in known:
            mine = [shift for region, shift in known if region == row["fleet_region"]]
            hint = did_you_mean(row["shift"], mine) or f"one of {listed(mine)}"
            yield context.fault("shift_stays", i, "shift", row["shift"], f"is no shift of {row['fleet_region']}", hint)
            continue
        off = [name for name in ("arrives_h", "departs_h") if 4 * row[name] != round(4 * row[name])]
        if off:
            what, hint = "is no quarter of an hour", f"did you mean {number(round(4 * row[off[0]]) / 4)}?"
            yield context.fault("shift_stays", i, off[0], row[off[0]], what, hint)
            continue
        quarters = set(stay_quarters(row["arrives_h"], row["departs_h"]))
        before = taken.setdefault(key, set())
        if not quarters:
            what = "is the hour at which it arrives"
            yield context.fault("shift_stays", i, "departs_h", row["departs_h"], what, "give a later hour")
        elif quarters & before:
            over = " over midnight" if row["departs_h"] < row["arrives_h"] else ""
            what = f"overlaps another stay of the shift: it is in from {number(row['arrives_h'])}{over} to then"
            yield context.fault("shift_stays", i, "departs_h", row["departs_h"], what, "were the two hours swapped?")
        elif len(quarters | before) == QUARTERS_A_DAY:
            what = "leaves no time to drive"
            yield context.fault("shift_stays", i, "departs_h", row["departs_h"], what, "let it leave earlier")
        before |= quarters
    for (region, shift), i in known.items():
        if (region, shift) not in taken:
            what, hint = "has no stay", f"say in {context.file('shift_stays')} when its trucks are in"
            yield context.fault("shifts", i, "shift", shift, what, hint)


@rule("shifts", uses=("shift_stays", "driving_rules", "fleet_regions"))
def shifts_leave_drivers_their_rest(context: RuleContext) -> Iterator[Problem]:
    """Away from the depot, a truck needs no more hours in a day than its drivers have beside their rest_h; breaks at
    the depot are not counted."""
    countries = {row["fleet_region"]: row["country"] for row in context.each("fleet_regions")}
    rests = {row["country"]: row["rest_h"] for row in context.each("driving_rules")}
    in_h: dict[tuple[str, str], float] = {}
    for row in context.each("shift_stays"):
        key = (row["fleet_region"], row["shift"])
        in_h[key] = in_h.get(key, 0.0) + len(stay_quarters(row["arrives_h"], row["departs_h"])) / 4
    for i, row in context.rows("shifts"):
        rest_h = rests.get(countries[row["fleet_region"]], float("nan"))
        away_h = DAY_H - in_h.get((row["fleet_region"], row["shift"]), DAY_H)
        if away_h > row["drivers"] * (DAY_H - rest_h) + _EQUAL:
            what = (
                f"leaves {int(row['drivers'])} of them {number(away_h)} h away in a day, and each rests "
                f"{number(rest_h)} h"
            )
            hint = "give another driver, or a longer stay at night; were the hours of a stay swapped?"
            yield context.fault("shifts", i, "drivers", int(row["drivers"]), what, hint)


@rule("charging_hours")
def charging_hours_are_a_whole_day(context: RuleContext) -> Iterator[Problem]:
    """A charging area with a row in charging_hours has one for each hour of the day."""
    hours: dict[str, set[int]] = {}
    first: dict[str, int] = {}
    for i, row in context.rows("charging_hours"):
        hours.setdefault(row["charge_area"], set()).add(int(row["hour"]))
        first.setdefault(row["charge_area"], i)
    for area, given in hours.items():
        missing = [str(hour) for hour in range(int(DAY_H)) if hour not in given]
        if missing:
            what = f"has no row for hour {listed(missing, 24)}"
            yield context.fault("charging_hours", first[area], "charge_area", area, what, "add the hour")
