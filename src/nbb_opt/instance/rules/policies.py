"""Every kind of policy has what it needs and nothing that would be passed over."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nbb_opt.errors import Problem
from nbb_opt.instance.rules.registry import World, rule
from nbb_opt.instance.wording import listed, number

_ABOUT_TECHNOLOGY = ("cap_technology_share", "ban_purchase")
_SHARES = ("cap_technology_share", "limit_mode_shift_share_per_year")


@rule("policies")
def policies_have_the_value_of_their_kind(world: World) -> Iterator[Problem]:
    """A policy has a value, but for a ban, which has none."""
    for i, row in world.rows("policies"):
        blank = math.isnan(row["value"])
        if row["kind"] == "ban_purchase" and not blank:
            yield world.fault("policies", i, "value", row["value"], "is given for a ban", "leave it blank")
        elif row["kind"] != "ban_purchase" and blank:
            what = f"is blank for {row['kind']}"
            yield world.fault("policies", i, "value", None, what, "the last part of the kind is its unit")


@rule("policies")
def policies_about_shares_are_shares(world: World) -> Iterator[Problem]:
    """cap_technology_share and limit_mode_shift_share_per_year are between 0 and 1."""
    for i, row in world.rows("policies"):
        if row["kind"] in _SHARES and row["value"] > 1:
            hint = f"did you mean {number(row['value'] / 100)}?" if row["value"] <= 100 else "give a share"
            yield world.fault("policies", i, "value", row["value"], "is a share above 1", hint)


@rule("policies", uses=("vehicles",))
def policies_name_a_truck_technology(world: World) -> Iterator[Problem]:
    """cap_technology_share and ban_purchase name a technology of some truck; other policies name none."""
    trucks = sorted({row["technology"] for row in world.each("vehicles") if row["mode"] == "road"})
    for i, row in world.rows("policies"):
        technology = row["technology"]
        if row["kind"] not in _ABOUT_TECHNOLOGY:
            if technology:
                what = f"is given for {row['kind']}"
                yield world.fault("policies", i, "technology", technology, what, "leave it blank")
        elif not technology:
            what = f"is blank for {row['kind']}"
            yield world.fault("policies", i, "technology", None, what, f"one of {listed(trucks)}")
        elif technology not in trucks:
            yield world.fault("policies", i, "technology", technology, "is of no truck", f"one of {listed(trucks)}")


@rule("policies", uses=("meta",))
def policies_begin_with_a_period(world: World) -> Iterator[Problem]:
    """The year of a policy is the start year of a period; for a ban any year."""
    starts = [period.year for period in world.periods]
    for i, row in world.rows("policies"):
        year = row["year"]
        if row["kind"] == "ban_purchase" or math.isnan(year) or year in starts:
            continue
        nearest = min(starts, key=lambda start: abs(start - year))
        hint = f"did you mean {nearest}? Periods start in {listed(map(str, starts))}"
        yield world.fault("policies", i, "year", year, "is not the start year of a period", hint)


@rule("policies")
def mode_shares_are_kept_everywhere(world: World) -> Iterator[Problem]:
    """limit_mode_shift_share_per_year names no country: it holds for flows, which cross borders."""
    for i, row in world.rows("policies"):
        if row["kind"] == "limit_mode_shift_share_per_year" and row["country"]:
            what = "is given for limit_mode_shift_share_per_year"
            yield world.fault("policies", i, "country", row["country"], what, "leave it blank")


@rule("policies")
def policies_are_said_once(world: World) -> Iterator[Problem]:
    """No two policies have the same kind, country, technology and year."""
    seen: dict[tuple[object, ...], int] = {}
    for i, row in world.rows("policies"):
        year = None if math.isnan(row["year"]) else row["year"]
        first = seen.setdefault((row["kind"], row["country"], row["technology"], year), i)
        if first != i:
            what = f"says the same kind of thing as row {world.faults['policies'].file.row(first)}"
            yield world.fault("policies", i, "policy", row["policy"], what, "remove one of the two")
