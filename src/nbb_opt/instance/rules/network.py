"""Places, links and transfers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from nbb_opt.errors import Problem
from nbb_opt.instance.cells import NOT_PLAUSIBLE, split_list, states_reason
from nbb_opt.instance.rules.registry import Row, RuleContext, rule
from nbb_opt.instance.wording import listed, number

_EARTH_KM = 6371.0
_ROUNDING_KM = 3.0
_SHORTER_THAN_AIR_SHARE = 0.9  # nodes may stand for whole zones
_FASTEST_KM_PER_H = {"road": 100.0, "rail": 200.0, "sea": 75.0, "ferry": 75.0}


@rule("nodes")
def zones_have_a_fleet_region(context: RuleContext) -> Iterator[Problem]:
    """A zone has a fleet_region: trucks that start there are based somewhere."""
    for i, row in context.rows("nodes"):
        if row["is_zone"] and not row["fleet_region"]:
            what = "is blank although freight starts or ends here"
            yield context.fault("nodes", i, "fleet_region", None, what, f"name the region that serves {row['node']}")


@rule("transfers", uses=("nodes",))
def road_transfers_have_a_fleet_region(context: RuleContext) -> Iterator[Problem]:
    """A node with a transfer to or from road has a fleet_region."""
    regions = {row["node"]: row["fleet_region"] for row in context.each("nodes")}
    for i, row in context.rows("transfers"):
        if "road" in (row["mode_a"], row["mode_b"]) and not regions[row["node"]]:
            what = "has a transfer to road but no fleet_region"
            hint = f"give {row['node']} a fleet_region in {context.file('nodes')}"
            yield context.fault("transfers", i, "node", row["node"], what, hint)


@rule("fleet_regions", uses=("nodes",))
def hub_nodes_lie_in_their_region(context: RuleContext) -> Iterator[Problem]:
    """The hub_node of a fleet region belongs to that region, or to none."""
    regions = {row["node"]: row["fleet_region"] for row in context.each("nodes")}
    for i, row in context.rows("fleet_regions"):
        region = regions[row["hub_node"]]
        if region not in ("", row["fleet_region"]):
            own = [node for node, of in regions.items() if of == row["fleet_region"]]
            hint = f"did you mean {own[0]!r}?" if own else "name a node of the region"
            yield context.fault("fleet_regions", i, "hub_node", row["hub_node"], f"belongs to region {region!r}", hint)


@rule("nodes")
def nodes_lie_apart(context: RuleContext) -> Iterator[Problem]:
    """No two nodes have the same coordinates, unless the note says `plausible:` and why."""
    seen: dict[tuple[float, float], str] = {}
    for i, row in context.rows("nodes"):
        place = (row["lat"], row["lon"])
        if place in seen and not states_reason(row["note"]):
            what = f"has the coordinates of {seen[place]!r}"
            yield context.fault("nodes", i, "lat, lon", f"{number(place[0])}, {number(place[1])}", what, "correct one")
        seen.setdefault(place, row["node"])


@rule("links", uses=("nodes",))
def links_are_not_shorter_than_the_crow_flies(context: RuleContext) -> Iterator[Problem]:
    """A link is not much shorter than the straight line between its ends, unless its note says `plausible:`."""
    nodes = {row["node"]: row for row in context.each("nodes")}
    for i, row in context.rows("links"):
        start, end = nodes[row["from_node"]], nodes[row["to_node"]]
        air_km = great_circle_km(start["lat"], start["lon"], end["lat"], end["lon"])
        if row["distance_km"] >= air_km * _SHORTER_THAN_AIR_SHARE - _ROUNDING_KM or states_reason(row["note"]):
            continue
        what = f"{NOT_PLAUSIBLE}: {row['from_node']} and {row['to_node']} are {air_km:.0f} km apart in a straight line"
        likely = row["distance_km"] * 10
        hint = f"did you mean {number(likely)} km? " if 0.9 * air_km <= likely <= 2.5 * air_km else ""
        hint += "check the length and the coordinates, or write 'plausible: <reason>' in the note"
        yield context.fault("links", i, "distance_km", row["distance_km"], what, hint)


@rule("links")
def links_are_not_faster_than_their_mode(context: RuleContext) -> Iterator[Problem]:
    """A link is run at 100 km/h at most on road, 200 on rail, 75 at sea, unless its note says `plausible:`."""
    for i, row in context.rows("links"):
        speed = row["distance_km"] / row["time_h"]
        fastest = _FASTEST_KM_PER_H[row["mode"]]
        if speed > fastest and not states_reason(row["note"]):
            minutes = row["time_h"] * 60
            what = f"{NOT_PLAUSIBLE}: {number(row['distance_km'])} km in this time is {speed:.0f} km/h by {row['mode']}"
            likely = f"did you mean {number(float(f'{minutes:.4g}'))} h? " if row["distance_km"] / minutes > 5 else ""
            yield context.fault("links", i, "time_h", row["time_h"], what, f"{likely}at most {fastest:.0f} km/h")


def great_circle_km(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    """Straight-line distance over the Earth's surface.

    >>> round(great_circle_km(65.0, 18.0, 64.8, 19.0))
    52
    """
    a, b = math.radians(lat_a), math.radians(lat_b)
    half_lat, half_lon = (b - a) / 2, math.radians(lon_b - lon_a) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(a) * math.cos(b) * math.sin(half_lon) ** 2
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(chord)))


_TRACK_COLUMNS = ("gauge_mm", "electrified_share", "axle_load_t")


@rule("links")
def links_join_two_places(context: RuleContext) -> Iterator[Problem]:
    """from_node and to_node differ."""
    for i, row in context.rows("links"):
        if row["from_node"] == row["to_node"]:
            yield context.fault("links", i, "to_node", row["to_node"], "is the same as from_node", "name the other end")


@rule("links")
def rail_links_describe_their_track(context: RuleContext) -> Iterator[Problem]:
    """A rail link has gauge_mm, electrified_share and axle_load_t."""
    for i, row in context.rows("links"):
        for column in _TRACK_COLUMNS:
            if row["mode"] == "rail" and math.isnan(row[column]):
                hint = {"gauge_mm": "1435 in Sweden and Norway, 1524 in Finland"}.get(column, "give it")
                yield context.fault("links", i, column, None, "is blank on a rail link", hint)


@rule("links")
def other_links_have_no_track(context: RuleContext) -> Iterator[Problem]:
    """A link that is not rail leaves gauge_mm, electrified_share and axle_load_t blank."""
    for i, row in context.rows("links"):
        for column in _TRACK_COLUMNS:
            if row["mode"] != "rail" and not math.isnan(row[column]):
                what = f"is given on a {row['mode']} link"
                yield context.fault("links", i, column, row[column], what, "leave it blank, or is the mode rail?")


@rule("links")
def road_links_limit_gross_weight(context: RuleContext) -> Iterator[Problem]:
    """A road link has max_gross_t."""
    for i, row in context.rows("links"):
        if row["mode"] == "road" and math.isnan(row["max_gross_t"]):
            hint = "give the gross weight allowed, such as 64 (44 on ordinary roads of the EU)"
            yield context.fault("links", i, "max_gross_t", None, "is blank on a road link", hint)


@rule("links", uses=("links",))
def capacity_link_has_its_own_capacity(context: RuleContext) -> Iterator[Problem]:
    """capacity_link names another link of the same mode that has no capacity_link itself."""
    links = {row["link"]: row for row in context.each("links")}
    for i, row in context.rows("links"):
        name = row["capacity_link"]
        if not name:
            continue
        other = links[name]
        if name == row["link"]:
            yield context.fault("links", i, "capacity_link", name, "is the link itself", "leave it blank")
        elif other["mode"] != row["mode"]:
            what = f"is a {other['mode']} link, this one is {row['mode']}"
            yield context.fault("links", i, "capacity_link", name, what, "name a link of the same mode")
        elif other["capacity_link"]:
            what = f"has the capacity_link {other['capacity_link']!r} itself"
            hint = f"did you mean {other['capacity_link']!r}?"
            yield context.fault("links", i, "capacity_link", name, what, hint)


@rule("links")
def capacity_is_said_once(context: RuleContext) -> Iterator[Problem]:
    """A link with a capacity_link leaves capacity_t_per_year blank: the other link's capacity holds for both."""
    for i, row in context.rows("links"):
        if row["capacity_link"] and not math.isnan(row["capacity_t_per_year"]):
            what = f"is given although the capacity of {row['capacity_link']!r} is used"
            yield context.fault("links", i, "capacity_t_per_year", row["capacity_t_per_year"], what, "leave one blank")


@rule("links", uses=("vehicles", "vehicle_loads"))
def links_admit_a_vehicle(context: RuleContext) -> Iterator[Problem]:
    """Some vehicle of its mode may use a link: gauge, axle load, weight and overhead line allow it."""
    carrying = {row["vehicle"] for row in context.each("vehicle_loads")}
    vehicles: dict[str, list[Row]] = {}
    for row in context.each("vehicles"):
        if row["vehicle"] in carrying:
            vehicles.setdefault(row["mode"], []).append(row)
    reasons: dict[tuple[object, ...], str] = {}
    for i, row in context.rows("links"):
        kind = tuple(str(row[name]) for name in ("mode", *_TRACK_COLUMNS, "max_gross_t"))
        if kind not in reasons:
            reasons[kind] = _why_none(row, vehicles.get(row["mode"], []))
        if reasons[kind]:
            hint = "correct the link, or add a vehicle and its vehicle_loads"
            yield context.fault("links", i, "link", row["link"], f"no vehicle may use it: {reasons[kind]}", hint)


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


@rule("transfers", "handling_costs")
def transfers_change_something(context: RuleContext) -> Iterator[Problem]:
    """mode_a and mode_b differ, but for rail to rail, which is a change of gauge."""
    for table in ("transfers", "handling_costs"):
        for i, row in context.rows(table):
            if row["mode_a"] == row["mode_b"] != "rail":
                what = "is the same as mode_a; only rail to rail (a change of gauge) may be"
                yield context.fault(table, i, "mode_b", row["mode_b"], what, "name the other mode")


@rule("transfers", "handling_costs")
def transfers_are_said_once(context: RuleContext) -> Iterator[Problem]:
    """A transfer or handling cost is both ways: it is not given again with its modes swapped."""
    for table, others in (("transfers", ("node", "project")), ("handling_costs", ("cargo_type",))):
        seen: dict[tuple[object, ...], tuple[int, str]] = {}
        for i, row in context.rows(table):
            key = (*sorted((row["mode_a"], row["mode_b"])), *(row[name] for name in others))
            first, mode_a = seen.setdefault(key, (i, row["mode_a"]))
            if first != i and mode_a != row["mode_a"]:
                what = f"is row {context.faults[table].file.row(first)} with its modes swapped"
                value = f"{row['mode_a']}, {row['mode_b']}"
                yield context.fault(table, i, "mode_a, mode_b", value, what, "remove it: rows hold both ways")


@rule("transfers", uses=("links",))
def transfer_modes_meet_at_the_node(context: RuleContext) -> Iterator[Problem]:
    """Links of both modes of a transfer reach its node; for rail to rail, of two gauges."""
    gauges: dict[str, set[float]] = {}
    for row in context.each("links"):
        if row["mode"] == "rail":
            for end in ("from_node", "to_node"):
                gauges.setdefault(row[end], set()).add(row["gauge_mm"])
    for i, row in context.rows("transfers"):
        there = context.modes_at.get(row["node"], set())
        for column in ("mode_a", "mode_b"):
            if row[column] not in there:
                what = f"no {row[column]} link reaches {row['node']}"
                hint = f"there are {listed(sorted(there))} links" if there else "no link reaches it"
                yield context.fault(
                    "transfers", i, column, row[column], what, f"{hint}; correct the node or add a link"
                )
        if row["mode_a"] == row["mode_b"] == "rail" in there and len(gauges[row["node"]]) < 2:
            what = f"a change of gauge where all track is {number(min(gauges[row['node']]))} mm"
            yield context.fault("transfers", i, "mode_b", "rail", what, "correct the node, or the gauge of its links")


@rule("transfers", uses=("terminals",))
def terminals_are_at_the_transfer(context: RuleContext) -> Iterator[Problem]:
    """The terminal of a transfer is at its node."""
    nodes = {row["terminal"]: row["node"] for row in context.each("terminals")}
    for i, row in context.rows("transfers"):
        if row["terminal"] and nodes[row["terminal"]] != row["node"]:
            here = [terminal for terminal, node in nodes.items() if node == row["node"]]
            hint = f"did you mean {here[0]!r}?" if here else f"no terminal is at {row['node']}; leave it blank?"
            what = f"is at {nodes[row['terminal']]}, the transfer is at {row['node']}"
            yield context.fault("transfers", i, "terminal", row["terminal"], what, hint)


@rule("transfers", uses=("handling_costs", "commodities"))
def transfers_have_handling_costs(context: RuleContext) -> Iterator[Problem]:
    """Every pair of modes in transfers has handling_costs for every cargo type whose commodities may use both modes."""
    priced = {(*sorted((row["mode_a"], row["mode_b"])), row["cargo_type"]) for row in context.each("handling_costs")}
    wanted: dict[tuple[str, str], dict[str, str]] = {}
    for row in context.each("commodities"):
        modes = sorted(set(split_list(row["modes"])))
        for pair in (*itertools.combinations(modes, 2), *((mode, mode) for mode in modes)):
            wanted.setdefault(pair, {}).setdefault(row["cargo_type"], row["commodity"])
    told: set[tuple[str, ...]] = set()
    for i, row in context.rows("transfers"):
        mode_a, mode_b = sorted((row["mode_a"], row["mode_b"]))
        for cargo_type, commodity in wanted.get((mode_a, mode_b), {}).items():
            if (mode_a, mode_b, cargo_type) in priced or (mode_a, mode_b, cargo_type) in told:
                continue
            told.add((mode_a, mode_b, cargo_type))
            what = f"has no handling_costs for {cargo_type}, which {commodity} needs"
            hint = f"add a row {row['mode_a']},{row['mode_b']},{cargo_type} to {context.file('handling_costs')}"
            value = f"{row['mode_a']}, {row['mode_b']}"
            yield context.fault("transfers", i, "mode_a, mode_b", value, what, hint)


@rule("links", uses=("nodes",))
def trucks_can_come_back(context: RuleContext) -> Iterator[Problem]:
    """From the end of a one-way road other roads lead back to its start: trucks return empty. Roads of today lead back
    by roads of today, roads of a project also by those of projects."""
    roads = [(i, row) for i, row in context.rows("links") if row["mode"] == "road"]
    named = {
        row["node"]: row["node"] + (f" (fleet region {row['fleet_region']})" if row["fleet_region"] else "")
        for row in context.each("nodes")
    }
    onward: dict[bool, dict[str, set[str]]] = {True: {}, False: {}}
    for _, row in roads:
        for with_projects in (True, False):
            if row["project"] and not with_projects:
                continue
            onward[with_projects].setdefault(row["from_node"], set()).add(row["to_node"])
            if row["two_way"]:
                onward[with_projects].setdefault(row["to_node"], set()).add(row["from_node"])
    for i, row in roads:
        start, end = row["from_node"], row["to_node"]
        if not row["two_way"] and start not in _reached(end, onward[bool(row["project"])]):
            what = f"leads from {named[start]} to {named[end]}, and no road leads back: trucks could not return"
            hint = f"make two_way true, or add a road that leads from {end} to {start}"
            yield context.fault("links", i, "two_way", False, what, hint)


def _reached(start: str, onward: dict[str, set[str]]) -> set[str]:
    """The nodes that roads lead to from a node."""
    seen, todo = {start}, [start]
    while todo:
        more = onward.get(todo.pop(), set()) - seen
        seen |= more
        todo += more
    return seen
