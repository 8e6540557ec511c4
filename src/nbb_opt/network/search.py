"""The search of one class of commodities: every run, every pattern, every flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbb_opt.network.graph import ROAD, Graph, pattern_tree
from nbb_opt.network.legs.kernels import search_legs
from nbb_opt.network.runs import ChainClass, Runs
from nbb_opt.network.steps.kernels import write_steps
from nbb_opt.network.writing.kernels import RECENT, collect_run


@dataclass(frozen=True)
class Found:
    """Distinct chains of a class. Chain c has items[first[c]] to items[first[c + 1]]: a leg, or -1 - row of
    transfers.csv; leg l has the arcs leg_steps[leg_first[l]] to leg_steps[leg_first[l + 1]].

    `bundle` counts the bundles given; `costs` (runs, bundles, patterns) if asked for.
    """

    items: np.ndarray
    first: np.ndarray
    leg_steps: np.ndarray
    leg_first: np.ndarray
    bundle: np.ndarray
    costs: np.ndarray

    def lengths(self) -> np.ndarray:
        """Steps of every chain, (chains,)."""
        leg = np.diff(self.leg_first)
        of_item = np.append(leg, 1)[np.where(self.items >= 0, self.items, leg.size)]
        return np.add.reduceat(of_item, self.first[:-1]) if self.bundle.size else np.zeros(0, dtype=np.int64)

    def steps(self, chains: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(code, first) of the given chains: arcs, or -1 - row of transfers.csv; `lengths` are theirs."""
        first = np.append(0, np.cumsum(lengths))
        code = np.empty(first[-1], dtype=np.int32)
        write_steps(chains, self.first, self.items, self.leg_first, self.leg_steps, first, code)
        return code, first


def search_class(
    graph: Graph,
    cls: ChainClass,
    runs: Runs,
    *,
    origin: np.ndarray,
    destination: np.ndarray,
    max_main_legs: int,
    want_costs: bool = False,
) -> Found:
    """Chains from every `origin` to its `destination` (node numbers, one pair per bundle) over all runs."""
    parent, leg = pattern_tree(graph, np.array(cls.modes), max_main_legs)
    switch_node = np.unique(graph.switch_node)
    others = np.setdiff1d(np.concatenate([origin, destination]), switch_node)
    place_node = np.concatenate([switch_node, others])
    place_of = np.full(graph.nodes.size, -1, dtype=np.int64)
    place_of[place_node] = np.arange(place_node.size)
    leg_start = np.zeros((graph.layer_mode.size, place_node.size), dtype=bool)
    leg_start[graph.switch_to, place_of[graph.switch_node]] = True
    layer_places, n_places_of = _places_by_layer(leg_start)
    leg_start[ROAD, place_of[origin]] = True
    layer_used = np.array(cls.modes)[graph.layer_mode]
    layer_used[ROAD] = True
    order = np.lexsort((np.arange(origin.size), origin))
    origins, first = np.unique(origin[order], return_index=True)
    k_max = int(runs.ranks.max())
    n_layers, n_places = leg_start.shape
    dist = np.full((n_layers, n_places, n_places, k_max), np.inf)
    trees = (n_layers, n_places, graph.nodes.size, k_max)
    leg_arc, leg_rank = np.full(trees, -1, dtype=np.int32), np.zeros(trees, dtype=np.int32)
    weight = np.full(graph.arc_link.size, np.inf)
    bundle_first = np.append(first, order.size).astype(np.int64)
    costs = np.full((runs.ranks.size, origin.size if want_costs else 0, parent.size), np.inf)
    known = np.full((n_layers, n_places, n_places, k_max), -2, dtype=np.int32)
    recent = np.full((origin.size, parent.size, RECENT, 3), -2, dtype=np.int32)
    count = np.zeros(5, dtype=np.int64)
    store = (*_store(), *_store(), *_store())
    for run, n_ranks in enumerate(runs.ranks.tolist()):
        changed_ranks = run == 0 or n_ranks != int(runs.ranks[run - 1])
        searched = search_legs(
            graph.first_arc, graph.arc_from, graph.arc_to, graph.arc_link, layer_used, leg_start, place_node,
            runs.link_weight[run], n_ranks, changed_ranks, weight, dist, leg_arc, leg_rank,
        )  # fmt: skip
        known[searched] = -2
        cost, used = _cheapest_switches(graph, runs.transfer_weight[run], place_of, (n_places, n_layers, n_layers))
        store = collect_run(
            parent, leg, place_node, switch_node.size, graph.arc_from, layer_places, n_places_of, dist, leg_arc,
            leg_rank, cost, used, place_of[origins], bundle_first, place_of[destination[order]], n_ranks, costs[run],
            known, recent, count, *store,
        )  # fmt: skip
    if want_costs:
        ordered = costs
        costs = np.empty_like(ordered)
        costs[:, order] = ordered
    leg_steps, _, leg_end, _, _, items, _, end, owner = store[:9]
    n_legs, n_leg_steps, n_chains, n_items, _ = count.tolist()
    return Found(
        items[:n_items], np.append(0, end[:n_chains]), leg_steps[:n_leg_steps], np.append(0, leg_end[:n_legs]),
        order[owner[:n_chains]], costs,
    )  # fmt: skip


def _store() -> tuple[np.ndarray, ...]:
    """Room for rows of numbers: the cells, where a row starts and ends, who owns it, and a hash table of the rows."""
    start, end = np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64)
    return np.empty(1024, dtype=np.int32), start, end, np.empty(64, dtype=np.int32), np.full(256, -1, dtype=np.int32)


def _places_by_layer(has_switch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places of every layer, (layers, places) filled from the left, and how many there are."""
    listed = np.argsort(~has_switch, axis=1, kind="stable")
    return listed.astype(np.int64), has_switch.sum(axis=1).astype(np.int64)


def _cheapest_switches(
    graph: Graph, transfer_weight: np.ndarray, place_of: np.ndarray, shape: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Cost of the cheapest transfer by (place, layer before, layer after), and its row of transfers.csv.

    Of equal ones the first switch is taken: one that needs a project, wherever it may be used.
    """
    cost, used = np.full(shape, np.inf), np.zeros(shape, dtype=np.int64)
    weight = transfer_weight[graph.switch_transfer]
    order = np.lexsort((-np.arange(weight.size), -weight))  # dearest first, the last one of equal ones first
    at = (place_of[graph.switch_node[order]], graph.switch_from[order], graph.switch_to[order])
    cost[at] = weight[order]
    used[at] = graph.switch_transfer[order]
    return cost, used
