"""Charging at others' points, battery wear, opening hours and subsidies mean something."""

from __future__ import annotations

from collections.abc import Iterator

from nbb_opt.errors import Problem
from nbb_opt.instance.rules.registry import World, rule
from nbb_opt.instance.wording import listed, number


@rule("battery_wear", uses=("vehicles",))
def wear_is_about_a_range(world: World) -> Iterator[Problem]:
    """A vehicle in battery_wear is a truck with a range."""
    known = {row["vehicle"]: row for row in world.each("vehicles")}
    for i, row in world.rows("battery_wear"):
        vehicle = known.get(row["vehicle"])
        if vehicle is not None and (vehicle["mode"] != "road" or vehicle["range_km"] != vehicle["range_km"]):
            what = "is no truck with a range_km"
            yield world.fault("battery_wear", i, "vehicle", row["vehicle"], what, "remove the row or give range_km")


@rule("subsidies", uses=("vehicles",))
def subsidies_name_a_truck_technology(world: World) -> Iterator[Problem]:
    """A subsidy is for a technology of some truck."""
    trucks = sorted({row["technology"] for row in world.each("vehicles") if row["mode"] == "road"})
    for i, row in world.rows("subsidies"):
        if row["technology"] not in trucks:
            yield world.fault(
                "subsidies", i, "technology", row["technology"], "is of no truck", f"one of {listed(trucks)}"
            )


@rule("subsidies")
def subsidies_end_after_they_begin(world: World) -> Iterator[Problem]:
    """last_year is not before first_year."""
    for i, row in world.rows("subsidies"):
        if row["last_year"] < row["first_year"]:
            what = f"is before first_year {int(row['first_year'])}"
            yield world.fault("subsidies", i, "last_year", int(row["last_year"]), what, "were the two swapped?")


@rule("subsidies")
def subsidies_about_shares_are_shares(world: World) -> Iterator[Problem]:
    """purchase_grant_share and toll_exemption_share are between 0 and 1."""
    for i, row in world.rows("subsidies"):
        if row["kind"].endswith("_share") and row["value"] > 1:
            hint = f"did you mean {number(row['value'] / 100)}?" if row["value"] <= 100 else "give a share"
            yield world.fault("subsidies", i, "value", row["value"], "is a share above 1", hint)


@rule("subsidies")
def subsidies_are_given_once(world: World) -> Iterator[Problem]:
    """Two subsidies of one kind, country and technology do not overlap."""
    spans: dict[tuple[object, ...], list[tuple[int, int, int]]] = {}
    for i, row in world.rows("subsidies"):
        same = spans.setdefault((row["kind"], row["country"], row["technology"]), [])
        for first, last, other in same:
            if row["first_year"] <= last and first <= row["last_year"]:
                what = f"overlaps row {world.faults['subsidies'].file.row(other)}, which says the same kind of thing"
                yield world.fault("subsidies", i, "subsidy", row["subsidy"], what, "change the years or remove one")
                break
        same.append((int(row["first_year"]), int(row["last_year"]), i))
