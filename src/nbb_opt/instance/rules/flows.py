"""Demand: between zones, every flow once, for years that cover the plan, and with a way to go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nbb_opt.errors import Problem
from nbb_opt.instance.cells import SHOWN_IN_FULL, split_list
from nbb_opt.instance.rules.registry import RuleContext, checked_on_reading, rule
from nbb_opt.instance.wording import did_you_mean, listed

Spot = tuple[str, str, float]  # node, mode, gauge (0 but on rail)


checked_on_reading("flows_run_between_zones", "Origin and destination of a flow are zones.", "od", "nodes")
checked_on_reading("flows_leave_their_zone", "Origin and destination of a flow differ.", "od")
checked_on_reading(
    "flows_are_given_once", "No two rows have the same origin, destination, commodity, year and shipper.", "od"
)


def _some(problems: list[Problem], where: str) -> Iterator[Problem]:
    """The first problems, and how many more there are."""
    yield from problems[:SHOWN_IN_FULL]
    if len(problems) > SHOWN_IN_FULL:
        yield Problem(where, f"{len(problems) - SHOWN_IN_FULL} more faults of the same kind", "see the first ones")


@rule(uses=("od", "meta"))
def flows_cover_periods(context: RuleContext) -> Iterator[Problem]:
    """Every flow (of a shipper, if shippers are named) has rows from the first to the last period's start year, or
    around them; with 0 tonnes in years in which nothing moves."""
    flows = context.flows
    assert flows is not None
    first, last = flows.series[:-1], flows.series[1:] - 1
    where = f"{context.flow_file}, column year"
    problems = []
    for year, missing in (
        (context.periods[0].year, flows.year[first] > context.periods[0].year),
        (context.periods[-1].year, flows.year[last] < context.periods[-1].year),
    ):
        for s in np.flatnonzero(missing).tolist():
            years = listed(map(str, flows.year[first[s] : last[s] + 1].tolist()))
            name = "/".join(flows.names(int(flows.flow[first[s]])))
            if flows.shippers:
                name += f"/{flows.shippers[flows.shipper[first[s]]] or 'unnamed'}"
            hint = f"add rows for {year}, with 0 t where nothing moves; demand is not carried beyond a flow's years"
            problems.append(Problem(where, f"{name} has no demand for {year}: its years are {years}", hint))
    yield from _some(problems, where)


@rule(uses=("od", "commodities", "nodes", "links", "transfers"))
def flows_have_a_way(context: RuleContext) -> Iterator[Problem]:
    """A chain of links and transfers that exist today (no project needed) and of modes the commodity may use joins the
    ends of every flow; it begins and ends on the road side."""
    flows = context.flows
    assert flows is not None
    modes = {row["commodity"]: frozenset(split_list(row["modes"])) for row in context.each("commodities")}
    both_ways = all(row["two_way"] for row in context.each("links") if not row["project"])
    networks: dict[frozenset[str], dict[Spot, list[Spot]]] = {}
    reached: dict[tuple[frozenset[str], str], set[str]] = {}
    lost: list[tuple[str, str, str]] = []
    for flow in np.unique(flows.flow).tolist():
        start, end, commodity = flows.names(flow)
        allowed = modes[commodity]
        if allowed not in networks:
            networks[allowed] = _network(context, allowed)
        if (allowed, start) not in reached:
            nodes = _reached(networks[allowed], start)
            reached[allowed, start] = nodes
            if both_ways:
                reached.update({(allowed, node): nodes for node in nodes})
        if end not in reached[allowed, start]:
            lost.append((commodity, start, end))
    where = f"{context.flow_file}, column destination"
    hint = "add a link or transfer that exists today, or let the commodity use another mode"
    problems = [
        Problem(
            f"{where}, value {end!r}",
            f"cannot be reached from {start} by {', '.join(sorted(modes[commodity]))} ({commodity})",
            hint,
        )
        for commodity, start, end in sorted(lost)
    ]
    yield from _some(problems, where)


def _network(context: RuleContext, modes: frozenset[str]) -> dict[Spot, list[Spot]]:
    """Where one can get from each (node, mode, gauge) in one step today."""
    steps: dict[Spot, list[Spot]] = {}
    gauges: dict[str, set[float]] = {}
    for row in context.each("links"):
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
    for row in context.each("transfers"):
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


@rule("control_totals")
def control_totals_say_where(context: RuleContext) -> Iterator[Problem]:
    """A control total of handling names `nodes`, one of carrying `links`, and others neither."""
    needed = {"handled_t_per_year": "nodes", "carried_t_per_year": "links"}
    for i, row in context.rows("control_totals"):
        for column in ("nodes", "links"):
            if (needed.get(row["measure"]) == column) != bool(row[column]):
                hint = "name where" if not row[column] else "leave it blank"
                yield context.fault(
                    "control_totals", i, column, row[column], f"does not go with {row['measure']}", hint
                )


@rule("mode_constants", uses=("commodities",))
def mode_constants_are_of_modes_in_use(context: RuleContext) -> Iterator[Problem]:
    """Goods that a mode constant names may use its mode."""
    modes = {row["commodity"]: split_list(row["modes"]) for row in context.each("commodities")}
    for i, row in context.rows("mode_constants"):
        for commodity in split_list(row["commodities"]):
            if row["mode"] not in modes.get(commodity, [row["mode"]]):
                hint = f"leave it out, or let {commodity} use {row['mode']}"
                yield context.fault("mode_constants", i, "commodities", commodity, f"may not use {row['mode']}", hint)


@rule("outside_flows", uses=("links", "commodities"))
def outside_flows_have_a_link(context: RuleContext) -> Iterator[Problem]:
    """The link of freight outside the model exists today, is none of the road, joins the ends of the flow, and the
    goods may use its mode."""
    links = {row["link"]: row for row in context.each("links")}
    modes = {row["commodity"]: split_list(row["modes"]) for row in context.each("commodities")}
    for i, row in context.rows("outside_flows"):
        link = links.get(row["link"])
        if link is None or row["commodity"] not in modes:
            continue
        joins = (row["origin"], row["destination"]) == (link["from_node"], link["to_node"])
        joins |= link["two_way"] and (row["destination"], row["origin"]) == (link["from_node"], link["to_node"])
        if not joins:
            what, hint = f"does not lead from {row['origin']} to {row['destination']}", "name the link that does"
        elif link["mode"] == "road" or link["mode"] not in modes[row["commodity"]]:
            others = [mode for mode in modes[row["commodity"]] if mode != "road"]
            what, hint = f"is {link['mode']}", f"of outside freight {row['commodity']} may use {listed(others)}"
        elif link["project"]:
            what, hint = f"needs the project {link['project']}", "name a link that exists today"
        else:
            continue
        yield context.fault("outside_flows", i, "link", row["link"], what, hint)


@rule("sites", uses=("nodes",))
def sites_are_zones(context: RuleContext) -> Iterator[Problem]:
    """The node of a site is a zone, as freight starts or ends there."""
    zones = [row["node"] for row in context.each("nodes") if row["is_zone"]]
    for i, row in context.rows("sites"):
        if row["node"] not in zones:
            hint = did_you_mean(row["node"], zones) or f"set is_zone of {row['node']} to true"
            yield context.fault("sites", i, "node", row["node"], "is not a zone", hint)
