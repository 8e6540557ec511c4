"""Demand: between zones, every flow once, for years that cover the plan, and with a way to go."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from nbb_opt.errors import Problem
from nbb_opt.instance.cells import TOLD_IN_FULL, CellFaults, pieces
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
    pairs = flows.triples() % len(flows.nodes) ** 2
    for name, places in (("origin", pairs // len(flows.nodes)), ("destination", pairs % len(flows.nodes))):
        wrong = ~is_zone[places]
        if not wrong.any():
            continue
        for i, code in flows.rows_of(wrong):
            node = flows.names(code)[0 if name == "origin" else 1]
            hint = f"set is_zone of {node} to true in {world.file('nodes')}, or name a zone"
            faults.add(i, name, node, "is not a zone", hint, rule="flows_run_between_zones")
    yield from _told(faults)


@rule(uses=("od",))
def flows_leave_their_zone(world: World) -> Iterator[Problem]:
    """Origin and destination of a flow differ."""
    flows, faults = _open(world)
    pairs = flows.triples() % len(flows.nodes) ** 2
    wrong = pairs // len(flows.nodes) == pairs % len(flows.nodes)
    if wrong.any():
        for i, code in flows.rows_of(wrong):
            hint = "traffic within a zone is not modelled: remove the row, or split the zone"
            node = flows.names(code)[1]
            faults.add(i, "destination", node, "is the same as the origin", hint, rule="flows_leave_their_zone")
    yield from _told(faults)


@rule(uses=("od",))
def flows_are_given_once(world: World) -> Iterator[Problem]:
    """No two rows have the same origin, destination, commodity, year and shipper."""
    flows, faults = _open(world)
    if flows.n_repeated and not flows.add_duplicates:
        kind = "flows_are_given_once"
        columns = "origin, destination, commodity, year" + (", shipper" if flows.shippers else "")
        told = itertools.islice(flows.repeats(), TOLD_IN_FULL)
        for i, code, shipper, earlier in told:
            value = "/".join(str(part) for part in flows.names(code))
            if flows.shippers:
                value += f"/{flows.shippers[shipper] or 'unnamed'}"
            what = f"has the same key as row {faults.file.row(earlier)}"
            faults.add(i, columns, value, what, "add the two up, or remove one", rule=kind)
        faults.counts[columns, kind] = flows.n_repeated
    yield from _told(faults)


@rule(uses=("od", "meta"))
def flows_cover_periods(world: World) -> Iterator[Problem]:
    """The years of the demand file reach from the first to the last period's start year."""
    flows, faults = _open(world)
    years = flows.years()
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
    triples = flows.triples()
    networks: dict[frozenset[str], dict[Spot, list[Spot]]] = {}
    reached: dict[tuple[frozenset[str], str], set[str]] = {}
    lost: list[int] = []
    for triple in np.unique(triples).tolist():
        start, end = flows.nodes[triple % (size * size) // size], flows.nodes[triple % size]
        if start == end:
            continue
        allowed = modes[flows.commodities[triple // (size * size)]]
        if allowed not in networks:
            networks[allowed] = _network(world, allowed)
        if (allowed, start) not in reached:
            nodes = _reached(networks[allowed], start)
            reached[allowed, start] = nodes
            if both_ways:
                reached.update({(allowed, node): nodes for node in nodes})
        if end not in reached[allowed, start]:
            lost.append(triple)
    if lost:
        first: dict[tuple[str, str, str], int] = {}
        for i, code in flows.rows_of(np.isin(triples, lost)):
            first.setdefault(flows.names(code)[:3], i)
        for (start, end, commodity), i in sorted(first.items(), key=lambda item: (item[0][2], *item[0][:2])):
            what = f"cannot be reached from {start} by {', '.join(sorted(modes[commodity]))} ({commodity})"
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
