"""Demand: between zones, every flow once, for years that cover the plan, and with a way to go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nbb_opt.errors import Problem
from nbb_opt.instance.cells import CellFaults, pieces
from nbb_opt.instance.flows import Flows
from nbb_opt.instance.rules.registry import World, rule
from nbb_opt.instance.wording import did_you_mean, listed

Spot = tuple[str, str, float]  # node, mode, gauge (0 but on rail)


def _open(world: World) -> tuple[Flows, CellFaults]:
    assert world.flows is not None
    assert world.flow_file is not None
    return world.flows, CellFaults(world.flow_file, [])


def _told(faults: CellFaults) -> Iterator[Problem]:
    faults.tell_the_rest()
    yield from faults.problems


@rule(uses=("od", "nodes"))
def flows_run_between_zones(world: World) -> Iterator[Problem]:
    """Origin and destination of a flow are zones."""
    flows, faults = _open(world)
    zone = {row["node"]: row["is_zone"] for row in world.each("nodes")}
    is_zone = np.array([zone[node] for node in flows.nodes], dtype=bool)
    for name, places in (("origin", flows.origin), ("destination", flows.destination)):
        for i in np.flatnonzero(~is_zone[places]).tolist():
            node = flows.nodes[places[i]]
            hint = f"set is_zone of {node} to true in {world.file('nodes')}, or name a zone"
            faults.add(i, name, node, "is not a zone", hint, rule="flows_run_between_zones")
    yield from _told(faults)


@rule(uses=("od",))
def flows_leave_their_zone(world: World) -> Iterator[Problem]:
    """Origin and destination of a flow differ."""
    flows, faults = _open(world)
    for i in np.flatnonzero(flows.origin == flows.destination).tolist():
        node = flows.nodes[flows.destination[i]]
        hint = "traffic within a zone is not modelled: remove the row, or split the zone"
        faults.add(i, "destination", node, "is the same as the origin", hint, rule="flows_leave_their_zone")
    yield from _told(faults)


@rule(uses=("od",))
def flows_are_given_once(world: World) -> Iterator[Problem]:
    """No two rows have the same origin, destination, commodity, year and shipper."""
    flows, faults = _open(world)
    codes, order = flows.codes(), flows.order()
    same = (codes[order][1:] == codes[order][:-1]) & (flows.shipper[order][1:] == flows.shipper[order][:-1])
    again = np.flatnonzero(same) + 1
    for i, first in zip(order[again].tolist(), order[again - 1].tolist(), strict=True):
        origin, destination = flows.nodes[flows.origin[i]], flows.nodes[flows.destination[i]]
        value = f"{origin}/{destination}/{flows.commodities[flows.commodity[i]]}/{flows.year[i]}"
        what = f"has the same key as row {faults.file.row(first)}"
        columns = "origin, destination, commodity, year"
        if flows.shippers:
            value, columns = f"{value}/{flows.shippers[flows.shipper[i]] or 'unnamed'}", f"{columns}, shipper"
        faults.add(i, columns, value, what, "add the two up, or remove one", rule="flows_are_given_once")
    yield from _told(faults)


@rule(uses=("od", "meta"))
def flows_cover_periods(world: World) -> Iterator[Problem]:
    """The years of the demand file reach from the first to the last period's start year."""
    flows, faults = _open(world)
    years = sorted(set(flows.year.tolist()))
    for year, missing in (
        (world.periods[0].year, years[0] > world.periods[0].year),
        (world.periods[-1].year, years[-1] < world.periods[-1].year),
    ):
        if missing:
            what = f"has no demand for {year}: its years are {listed(map(str, years))}"
            hint = f"add rows for {year}; demand is not carried beyond the given years"
            yield Problem(f"{faults.file.file}, column year", what, hint)


@rule(uses=("od", "commodities", "nodes", "links", "transfers"))
def flows_have_a_way(world: World) -> Iterator[Problem]:
    """A chain of links and transfers that exist today (no project needed) and of modes the commodity may use joins the
    ends of every flow; it begins and ends on the road side."""
    flows, faults = _open(world)
    modes = {row["commodity"]: frozenset(pieces(row["modes"])) for row in world.each("commodities")}
    both_ways = all(row["two_way"] for row in world.each("links") if not row["project"])
    size = len(flows.nodes)
    triples = (flows.commodity * size + flows.origin) * size + flows.destination
    found, first = np.unique(triples, return_index=True)
    networks: dict[frozenset[str], dict[Spot, list[Spot]]] = {}
    reached: dict[tuple[frozenset[str], str], set[str]] = {}
    for triple, i in zip(found.tolist(), first.tolist(), strict=True):
        pair = triple % (size * size)
        origin, destination = pair // size, pair % size
        if origin == destination:
            continue
        commodity, start, end = (
            flows.commodities[triple // (size * size)],
            flows.nodes[origin],
            flows.nodes[destination],
        )
        allowed = modes[commodity]
        if allowed not in networks:
            networks[allowed] = _network(world, allowed)
        if (allowed, start) not in reached:
            nodes = _reached(networks[allowed], start)
            reached[allowed, start] = nodes
            if both_ways:
                reached.update({(allowed, node): nodes for node in nodes})
        if end not in reached[allowed, start]:
            what = f"cannot be reached from {start} by {', '.join(sorted(allowed))} ({commodity})"
            hint = "add a link or transfer that exists today, or let the commodity use another mode"
            faults.add(i, "destination", end, what, hint, rule="flows_have_a_way")
    yield from _told(faults)


def _network(world: World, modes: frozenset[str]) -> dict[Spot, list[Spot]]:
    """Where one can get from each (node, mode, gauge) in one step today."""
    steps: dict[Spot, list[Spot]] = {}
    gauges: dict[str, set[float]] = {}
    for row in world.each("links"):
        gauge = row["gauge_mm"] if row["mode"] == "rail" else 0.0
        for end in ("from_node", "to_node"):
            if row["mode"] == "rail":
                gauges.setdefault(row[end], set()).add(gauge)
        if row["project"] or row["mode"] not in modes:
            continue
        here, there = (row["from_node"], row["mode"], gauge), (row["to_node"], row["mode"], gauge)
        steps.setdefault(here, []).append(there)
        if row["two_way"]:
            steps.setdefault(there, []).append(here)
    for row in world.each("transfers"):
        node = row["node"]
        if row["project"] or not {row["mode_a"], row["mode_b"]} <= modes | {"road"}:
            continue
        for a, b in ((row["mode_a"], row["mode_b"]), (row["mode_b"], row["mode_a"])):
            for gauge_a in gauges.get(node, ()) if a == "rail" else (0.0,):
                for gauge_b in gauges.get(node, ()) if b == "rail" else (0.0,):
                    steps.setdefault((node, a, gauge_a), []).append((node, b, gauge_b))
    return steps


def _reached(steps: dict[Spot, list[Spot]], origin: str) -> set[str]:
    """Nodes whose road side can be reached from the road side of the origin."""
    start: Spot = (origin, "road", 0.0)
    seen = {start}
    ahead = [start]
    while ahead:
        for spot in steps.get(ahead.pop(), ()):
            if spot not in seen:
                seen.add(spot)
                ahead.append(spot)
    return {node for node, mode, _ in seen if mode == "road"}


@rule("sites", uses=("nodes",))
def sites_are_zones(world: World) -> Iterator[Problem]:
    """The node of a site is a zone, as freight starts or ends there."""
    zones = [row["node"] for row in world.each("nodes") if row["is_zone"]]
    for i, row in world.rows("sites"):
        if row["node"] not in zones:
            hint = did_you_mean(row["node"], zones) or f"set is_zone of {row['node']} to true"
            yield world.fault("sites", i, "node", row["node"], "is not a zone", hint)
