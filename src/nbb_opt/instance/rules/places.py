"""Nodes, fleet regions, and what geography says about links."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nbb_opt.errors import Problem
from nbb_opt.instance.cells import states_reason
from nbb_opt.instance.rules.registry import World, rule
from nbb_opt.instance.wording import number

_EARTH_KM = 6371.0
_ROUNDING_KM = 3.0
_SHORTER_THAN_AIR_SHARE = 0.9  # nodes may stand for whole zones
_FASTEST_KM_PER_H = {"road": 100.0, "rail": 200.0, "sea": 75.0, "ferry": 75.0}


@rule("nodes")
def zones_have_a_fleet_region(world: World) -> Iterator[Problem]:
    """A zone has a fleet_region: trucks that start there are based somewhere."""
    for i, row in world.rows("nodes"):
        if row["is_zone"] and not row["fleet_region"]:
            what = "is blank although freight starts or ends here"
            yield world.fault("nodes", i, "fleet_region", None, what, f"name the region that serves {row['node']}")


@rule("transfers", uses=("nodes",))
def road_transfers_have_a_fleet_region(world: World) -> Iterator[Problem]:
    """A node with a transfer to or from road has a fleet_region."""
    regions = {row["node"]: row["fleet_region"] for row in world.each("nodes")}
    for i, row in world.rows("transfers"):
        if "road" in (row["mode_a"], row["mode_b"]) and not regions[row["node"]]:
            what = "has a transfer to road but no fleet_region"
            hint = f"give {row['node']} a fleet_region in {world.file('nodes')}"
            yield world.fault("transfers", i, "node", row["node"], what, hint)


@rule("fleet_regions", uses=("nodes",))
def hub_nodes_lie_in_their_region(world: World) -> Iterator[Problem]:
    """The hub_node of a fleet region belongs to that region, or to none."""
    regions = {row["node"]: row["fleet_region"] for row in world.each("nodes")}
    for i, row in world.rows("fleet_regions"):
        region = regions[row["hub_node"]]
        if region not in ("", row["fleet_region"]):
            own = [node for node, of in regions.items() if of == row["fleet_region"]]
            hint = f"did you mean {own[0]!r}?" if own else "name a node of the region"
            yield world.fault("fleet_regions", i, "hub_node", row["hub_node"], f"belongs to region {region!r}", hint)


@rule("nodes")
def nodes_lie_apart(world: World) -> Iterator[Problem]:
    """No two nodes have the same coordinates, unless the note says `plausible:` and why."""
    seen: dict[tuple[float, float], str] = {}
    for i, row in world.rows("nodes"):
        place = (row["lat"], row["lon"])
        if place in seen and not states_reason(row["note"]):
            what = f"has the coordinates of {seen[place]!r}"
            yield world.fault("nodes", i, "lat, lon", f"{number(place[0])}, {number(place[1])}", what, "correct one")
        seen.setdefault(place, row["node"])


@rule("links", uses=("nodes",))
def links_are_not_shorter_than_the_crow_flies(world: World) -> Iterator[Problem]:
    """A link is not much shorter than the straight line between its ends, unless its note says `plausible:`."""
    nodes = {row["node"]: row for row in world.each("nodes")}
    for i, row in world.rows("links"):
        start, end = nodes[row["from_node"]], nodes[row["to_node"]]
        air_km = great_circle_km(start["lat"], start["lon"], end["lat"], end["lon"])
        if row["distance_km"] >= air_km * _SHORTER_THAN_AIR_SHARE - _ROUNDING_KM or states_reason(row["note"]):
            continue
        what = f"is not plausible: {row['from_node']} and {row['to_node']} are {air_km:.0f} km apart in a straight line"
        likely = row["distance_km"] * 10
        hint = f"did you mean {number(likely)} km? " if 0.9 * air_km <= likely <= 2.5 * air_km else ""
        hint += "check the length and the coordinates, or write 'plausible: <reason>' in the note"
        yield world.fault("links", i, "distance_km", row["distance_km"], what, hint)


@rule("links")
def links_are_not_faster_than_their_mode(world: World) -> Iterator[Problem]:
    """A link is run at 100 km/h at most on road, 200 on rail, 75 at sea, unless its note says `plausible:`."""
    for i, row in world.rows("links"):
        speed = row["distance_km"] / row["time_h"]
        fastest = _FASTEST_KM_PER_H[row["mode"]]
        if speed > fastest and not states_reason(row["note"]):
            minutes = row["time_h"] * 60
            what = (
                f"is not plausible: {number(row['distance_km'])} km in this time is {speed:.0f} km/h by {row['mode']}"
            )
            likely = f"did you mean {number(float(f'{minutes:.4g}'))} h? " if row["distance_km"] / minutes > 5 else ""
            yield world.fault("links", i, "time_h", row["time_h"], what, f"{likely}at most {fastest:.0f} km/h")


def great_circle_km(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    """Straight-line distance over the Earth's surface.

    >>> round(great_circle_km(65.0, 18.0, 64.8, 19.0))
    52
    """
    a, b = math.radians(lat_a), math.radians(lat_b)
    half_lat, half_lon = (b - a) / 2, math.radians(lon_b - lon_a) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(a) * math.cos(b) * math.sin(half_lon) ** 2
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(chord)))
