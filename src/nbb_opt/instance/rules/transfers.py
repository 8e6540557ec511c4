"""Changing mode: possible where both modes are, and priced."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from nbb_opt.errors import Problem
from nbb_opt.instance.cells import pieces
from nbb_opt.instance.rules.registry import World, rule
from nbb_opt.instance.wording import listed, number


@rule("transfers", "handling_costs")
def transfers_change_something(world: World) -> Iterator[Problem]:
    """mode_a and mode_b differ, but for rail to rail, which is a change of gauge."""
    for table in ("transfers", "handling_costs"):
        for i, row in world.rows(table):
            if row["mode_a"] == row["mode_b"] != "rail":
                what = "is the same as mode_a; only rail to rail (a change of gauge) may be"
                yield world.fault(table, i, "mode_b", row["mode_b"], what, "name the other mode")


@rule("transfers", "handling_costs")
def transfers_are_said_once(world: World) -> Iterator[Problem]:
    """A transfer or handling cost is both ways: it is not given again with its modes swapped."""
    for table, others in (("transfers", ("node", "project")), ("handling_costs", ("cargo_type",))):
        seen: dict[tuple[object, ...], tuple[int, str]] = {}
        for i, row in world.rows(table):
            key = (*sorted((row["mode_a"], row["mode_b"])), *(row[name] for name in others))
            first, mode_a = seen.setdefault(key, (i, row["mode_a"]))
            if first != i and mode_a != row["mode_a"]:
                what = f"is row {world.faults[table].file.row(first)} with its modes swapped"
                value = f"{row['mode_a']}, {row['mode_b']}"
                yield world.fault(table, i, "mode_a, mode_b", value, what, "remove it: rows hold both ways")


@rule("transfers", uses=("links",))
def transfer_modes_meet_at_the_node(world: World) -> Iterator[Problem]:
    """Links of both modes of a transfer reach its node; for rail to rail, of two gauges."""
    gauges: dict[str, set[float]] = {}
    for row in world.each("links"):
        if row["mode"] == "rail":
            for end in ("from_node", "to_node"):
                gauges.setdefault(row[end], set()).add(row["gauge_mm"])
    for i, row in world.rows("transfers"):
        there = world.modes_at.get(row["node"], set())
        for column in ("mode_a", "mode_b"):
            if row[column] not in there:
                what = f"no {row[column]} link reaches {row['node']}"
                hint = f"there are {listed(sorted(there))} links" if there else "no link reaches it"
                yield world.fault("transfers", i, column, row[column], what, f"{hint}; correct the node or add a link")
        if row["mode_a"] == row["mode_b"] == "rail" in there and len(gauges[row["node"]]) < 2:
            what = f"a change of gauge where all track is {number(min(gauges[row['node']]))} mm"
            yield world.fault("transfers", i, "mode_b", "rail", what, "correct the node, or the gauge of its links")


@rule("transfers", uses=("terminals",))
def terminals_are_at_the_transfer(world: World) -> Iterator[Problem]:
    """The terminal of a transfer is at its node."""
    nodes = {row["terminal"]: row["node"] for row in world.each("terminals")}
    for i, row in world.rows("transfers"):
        if row["terminal"] and nodes[row["terminal"]] != row["node"]:
            here = [terminal for terminal, node in nodes.items() if node == row["node"]]
            hint = f"did you mean {here[0]!r}?" if here else f"no terminal is at {row['node']}; leave it blank?"
            what = f"is at {nodes[row['terminal']]}, the transfer is at {row['node']}"
            yield world.fault("transfers", i, "terminal", row["terminal"], what, hint)


@rule("transfers", uses=("handling_costs", "commodities"))
def transfers_have_handling_costs(world: World) -> Iterator[Problem]:
    """Every pair of modes in transfers has handling_costs for every cargo type whose commodities may use both modes."""
    priced = {(*sorted((row["mode_a"], row["mode_b"])), row["cargo_type"]) for row in world.each("handling_costs")}
    wanted: dict[tuple[str, str], dict[str, str]] = {}
    for row in world.each("commodities"):
        modes = sorted(set(pieces(row["modes"])))
        for pair in (*itertools.combinations(modes, 2), *((mode, mode) for mode in modes)):
            wanted.setdefault(pair, {}).setdefault(row["cargo_type"], row["commodity"])
    told: set[tuple[str, ...]] = set()
    for i, row in world.rows("transfers"):
        mode_a, mode_b = sorted((row["mode_a"], row["mode_b"]))
        for cargo_type, commodity in wanted.get((mode_a, mode_b), {}).items():
            if (mode_a, mode_b, cargo_type) in priced or (mode_a, mode_b, cargo_type) in told:
                continue
            told.add((mode_a, mode_b, cargo_type))
            what = f"has no handling_costs for {cargo_type}, which {commodity} needs"
            hint = f"add a row {row['mode_a']},{row['mode_b']},{cargo_type} to {world.file('handling_costs')}"
            value = f"{row['mode_a']}, {row['mode_b']}"
            yield world.fault("transfers", i, "mode_a, mode_b", value, what, hint)
