"""What links of each mode must and may not say."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nbb_opt.errors import Problem
from nbb_opt.instance.rules.registry import Row, World, rule

_TRACK_COLUMNS = ("gauge_mm", "electrified_share", "axle_load_t")


@rule("links")
def links_join_two_places(world: World) -> Iterator[Problem]:
    """from_node and to_node differ."""
    for i, row in world.rows("links"):
        if row["from_node"] == row["to_node"]:
            yield world.fault("links", i, "to_node", row["to_node"], "is the same as from_node", "name the other end")


@rule("links")
def rail_links_describe_their_track(world: World) -> Iterator[Problem]:
    """A rail link has gauge_mm, electrified_share and axle_load_t."""
    for i, row in world.rows("links"):
        for column in _TRACK_COLUMNS:
            if row["mode"] == "rail" and math.isnan(row[column]):
                hint = {"gauge_mm": "1435 in Sweden and Norway, 1524 in Finland"}.get(column, "give it")
                yield world.fault("links", i, column, None, "is blank on a rail link", hint)


@rule("links")
def other_links_have_no_track(world: World) -> Iterator[Problem]:
    """A link that is not rail leaves gauge_mm, electrified_share and axle_load_t blank."""
    for i, row in world.rows("links"):
        for column in _TRACK_COLUMNS:
            if row["mode"] != "rail" and not math.isnan(row[column]):
                what = f"is given on a {row['mode']} link"
                yield world.fault("links", i, column, row[column], what, "leave it blank, or is the mode rail?")


@rule("links")
def road_links_limit_gross_weight(world: World) -> Iterator[Problem]:
    """A road link has max_gross_t."""
    for i, row in world.rows("links"):
        if row["mode"] == "road" and math.isnan(row["max_gross_t"]):
            hint = "give the gross weight allowed, such as 64 (44 on ordinary roads of the EU)"
            yield world.fault("links", i, "max_gross_t", None, "is blank on a road link", hint)


@rule("links", uses=("links",))
def capacity_link_has_its_own_capacity(world: World) -> Iterator[Problem]:
    """capacity_link names another link of the same mode that has no capacity_link itself."""
    links = {row["link"]: row for row in world.each("links")}
    for i, row in world.rows("links"):
        name = row["capacity_link"]
        if not name:
            continue
        other = links[name]
        if name == row["link"]:
            yield world.fault("links", i, "capacity_link", name, "is the link itself", "leave it blank")
        elif other["mode"] != row["mode"]:
            what = f"is a {other['mode']} link, this one is {row['mode']}"
            yield world.fault("links", i, "capacity_link", name, what, "name a link of the same mode")
        elif other["capacity_link"]:
            what = f"has the capacity_link {other['capacity_link']!r} itself"
            hint = f"did you mean {other['capacity_link']!r}?"
            yield world.fault("links", i, "capacity_link", name, what, hint)


@rule("links")
def capacity_is_said_once(world: World) -> Iterator[Problem]:
    """A link with a capacity_link leaves capacity_t_per_year blank: the other link's capacity holds for both."""
    for i, row in world.rows("links"):
        if row["capacity_link"] and not math.isnan(row["capacity_t_per_year"]):
            what = f"is given although the capacity of {row['capacity_link']!r} is used"
            yield world.fault("links", i, "capacity_t_per_year", row["capacity_t_per_year"], what, "leave one blank")


@rule("links", uses=("vehicles", "vehicle_loads"))
def links_admit_a_vehicle(world: World) -> Iterator[Problem]:
    """Some vehicle of its mode may use a link: gauge, axle load, weight and overhead line allow it."""
    carrying = {row["vehicle"] for row in world.each("vehicle_loads")}
    vehicles: dict[str, list[Row]] = {}
    for row in world.each("vehicles"):
        if row["vehicle"] in carrying:
            vehicles.setdefault(row["mode"], []).append(row)
    reasons: dict[tuple[object, ...], str] = {}
    for i, row in world.rows("links"):
        kind = tuple(str(row[name]) for name in ("mode", *_TRACK_COLUMNS, "max_gross_t"))
        if kind not in reasons:
            reasons[kind] = _why_none(row, vehicles.get(row["mode"], []))
        if reasons[kind]:
            hint = "correct the link, or add a vehicle and its vehicle_loads"
            yield world.fault("links", i, "link", row["link"], f"no vehicle may use it: {reasons[kind]}", hint)


def _why_none(link: Row, vehicles: list[Row]) -> str:
    """Why none of the vehicles may use the link; empty if one may."""
    left = vehicles
    if not left:
        return f"there is no {link['mode']} vehicle with a load"
    # A blank compares as false, so that a blank limit lets every vehicle through.
    checks = {
        "gauge": lambda v: math.isnan(v["gauge_mm"]) or v["gauge_mm"] == link["gauge_mm"],
        "axle load": lambda v: not v["axle_load_t"] > link["axle_load_t"],
        "max_gross_t below the weight when empty": lambda v: not v["kerb_t"] >= link["max_gross_t"],
        "no overhead line": lambda v: not (v["technology"] == "electric" and link["electrified_share"] == 0),
    }
    for reason, fits in checks.items():
        left = [vehicle for vehicle in left if fits(vehicle)]
        if not left:
            return reason
    return ""
