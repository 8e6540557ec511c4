"""The trucks of today."""

from __future__ import annotations

from collections.abc import Iterator

from nbb_opt.errors import Problem
from nbb_opt.instance.rules.registry import World, rule


@rule("fleet", uses=("vehicles",))
def fleets_are_trucks(world: World) -> Iterator[Problem]:
    """The fleet names road vehicles: trains and ships are bought as a service."""
    modes = {row["vehicle"]: row["mode"] for row in world.each("vehicles")}
    for i, row in world.rows("fleet"):
        if modes[row["vehicle"]] != "road":
            what = f"is a {modes[row['vehicle']]} vehicle, bought as a service"
            yield world.fault("fleet", i, "vehicle", row["vehicle"], what, "name a road vehicle, or remove the row")


@rule("fleet", uses=("meta",))
def fleets_are_older_than_the_plan(world: World) -> Iterator[Problem]:
    """vintage_year is before the first period: later trucks are bought by the plan."""
    first = world.periods[0].year
    for i, row in world.rows("fleet"):
        if row["vintage_year"] >= first:
            hint = f"give a year before {first}"
            yield world.fault("fleet", i, "vintage_year", row["vintage_year"], f"is not before {first}", hint)


@rule("fleet", uses=("vehicles",))
def fleets_could_be_had(world: World) -> Iterator[Problem]:
    """vintage_year is not before the vehicle's available_from."""
    since = {row["vehicle"]: row["available_from"] for row in world.each("vehicles")}
    for i, row in world.rows("fleet"):
        if row["vintage_year"] < since[row["vehicle"]]:
            what = f"is before {row['vehicle']} could be had ({since[row['vehicle']]})"
            hint = f"correct it, or available_from in {world.file('vehicles')}"
            yield world.fault("fleet", i, "vintage_year", row["vintage_year"], what, hint)
