"""Business names: a chain is (origin, destination, commodity, n), a lane is (from node, to node, cargo type, n).

`n` counts the chains of one flow, and the lanes between the same nodes for the same cargo type, from 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nbb_opt.model.data.periods import Ints, Names
from nbb_opt.model.data.world import World

if TYPE_CHECKING:
    from nbb_opt.network import Prepared

Parts = tuple[Any, ...]  # arrays of numbers, or names with an array of positions among them, as `Keys` takes them


def flow_parts(prepared: Prepared, world: World, bundle: Ints) -> Parts:
    """Origin, destination and commodity of some bundles."""
    names = prepared.bundles
    commodities = Names(sorted(set(names["commodity"].tolist())))
    return (
        (world.nodes, world.nodes.of(names["origin"])[bundle]),
        (world.nodes, world.nodes.of(names["destination"])[bundle]),
        (commodities, commodities.of(names["commodity"])[bundle]),
    )


def chain_parts(prepared: Prepared, world: World, chain: Ints) -> Parts:
    """Origin, destination, commodity and number of some chains; chains are sorted by bundle."""
    bundle = prepared.rows.bundle.astype(np.int64)
    number = np.arange(len(bundle)) - np.searchsorted(bundle, bundle) + 1
    return (*flow_parts(prepared, world, bundle[chain]), number[chain])


def lane_parts(prepared: Prepared, world: World, lane: Ints) -> Parts:
    """Nodes at both ends, cargo type and number of some lanes."""
    items = prepared.items
    ends, cargo_type = (items.from_node.astype(np.int64), items.to_node.astype(np.int64)), items.cargo_type
    code = (ends[0] * len(world.nodes) + ends[1]) * len(world.cargo_types) + cargo_type
    number = number_within(code[: items.n_lanes])
    return (
        *((world.nodes, end[lane]) for end in ends),
        (world.cargo_types, cargo_type[lane].astype(np.int64)),
        number[lane],
    )


def number_within(group: Ints) -> Ints:
    """Which of its group each is, in the order given, counted from 1.

    >>> number_within(np.array([7, 5, 7, 7, 5])).tolist()
    [1, 1, 2, 3, 2]
    """
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    number = np.empty(len(group), np.int64)
    number[order] = np.arange(len(group)) - np.searchsorted(ordered, ordered) + 1
    return number
