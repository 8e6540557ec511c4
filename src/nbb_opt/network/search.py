"""The search of one class of commodities: every run, every pattern, every flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nbb_opt.network.graph import ROAD, Graph, pattern_tree
from nbb_opt.network.kernels.find_chains import find_from
from nbb_opt.network.kernels.find_legs import Legs, Network, fill_tables, no_legs
from nbb_opt.network.kernels.keep_chains import OUTCLASSED
from nbb_opt.network.kernels.search_origins import Patterns, Searches
from nbb_opt.network.measures import Measures
from nbb_opt.network.runs import ChainClass, Runs

CHAINS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Found:
    """Chains of some bundles of a class, those of a bundle together, as they are found.

    Chain c of bundle[c] (counted as given) has the steps code[first[c]] to code[first[c + 1]]: an arc, or -1 - row of
    transfers.csv; `sums` (chains, weights) are those of the measures. Of `n_distinct` chains found these are left.
    `costs` (runs, bundles, patterns) if asked for.
    """

    code: np.ndarray
    first: np.ndarray
    bundle: np.ndarray
    sums: np.ndarray
    n_distinct: int
    costs: np.ndarray


def search_class(
    graph: Graph,
    cls: ChainClass,
    runs: Runs,
    *,
    measures: Measures,
    origin: np.ndarray,
    destination: np.ndarray,
    max_main_legs: int,
    leave_out: int = OUTCLASSED,
    want_costs: bool = False,
) -> Iterator[Found]:
    """Chains from every `origin` to its `destination` (node numbers, one pair per bundle) over all runs.

    They come some CHAINS_AT_ONCE at a time (all at once with `want_costs`). What is left out: NOTHING, chains that come
    back to a place on the same side (RETURNS), or also those that another of their bundle outclasses (see keeping).
    """
    parent, leg = pattern_tree(graph, np.array(cls.modes), max_main_legs)
    switch_node = np.unique(graph.switch_node)
    others = np.setdiff1d(np.concatenate([origin, destination]), switch_node)
    place_node = np.concatenate([switch_node, others])
    place_of = np.full(graph.nodes.size, -1, dtype=np.int64)
    place_of[place_node] = np.arange(place_node.size)
    has_switch = np.zeros((graph.layer_mode.size, switch_node.size), dtype=bool)
    has_switch[graph.switch_to, place_of[graph.switch_node]] = True
    has_child = np.isin(np.arange(parent.size), parent)
    patterns = Patterns(parent, leg, has_child, *_places_by_layer(has_switch), max_main_legs)
    network = _network(graph, measures)
    searches, legs = _searches(graph, runs, network, place_of, place_node, has_switch, layers=np.unique(leg[1:]))
    order = np.lexsort((np.arange(origin.size), origin))
    origins, first = np.unique(origin[order], return_index=True)
    bundle_first = np.append(first, order.size).astype(np.int64)
    costs = np.full((runs.ranks.size if want_costs else 0, origin.size, parent.size), np.inf)
    done = 0
    while done < origins.size:
        done, n_distinct, code, step_first, owner, sums = find_from(
            network, patterns, searches, legs, place_node, origins, bundle_first, place_of[destination[order]], done,
            np.iinfo(np.int64).max if want_costs else CHAINS_AT_ONCE, leave_out, costs,
        )  # fmt: skip
        unordered = np.empty_like(costs)
        unordered[:, order] = costs
        yield Found(code, step_first, order[owner], sums, n_distinct, unordered)


def _network(graph: Graph, measures: Measures) -> Network:
    things = measures.things
    return Network(
        graph.first_arc, graph.arc_from, graph.arc_to, graph.arc_link, graph.arc_layer, graph.layer_mode.size,
        graph.transfer_node, measures.link_sums, measures.transfer_sums, things.links, things.transfers,
        things.first_project, things.n,
    )  # fmt: skip


def _searches(
    graph: Graph, runs: Runs, network: Network, place_of: np.ndarray, place_node: np.ndarray, has_switch: np.ndarray,
    *, layers: np.ndarray,
) -> tuple[Searches, Legs]:  # fmt: skip
    """The tables of all runs, and the legs they number; `layers` (but for the road) are those of some pattern."""
    n_runs, (n_layers, n_switch) = runs.ranks.size, has_switch.shape
    arc_weight = runs.link_weight[:, graph.arc_link]
    legs = no_legs(network, 1024)
    switch_node, everywhere = place_node[:n_switch], np.ones(n_switch, dtype=bool)

    def tables(
        layer: int, weights: np.ndarray, start: np.ndarray, targets: np.ndarray, ranks: int
    ) -> tuple[np.ndarray, np.ndarray]:
        nonlocal legs
        shape = (len(weights), n_switch, targets.size, ranks)
        dist, number = np.full(shape, np.inf), np.full(shape, -1, dtype=np.int32)
        roots = np.column_stack([np.flatnonzero(start), switch_node[start]])
        legs = fill_tables(network, legs, layer, weights, roots, targets, dist, number)
        return dist, number

    road_table, road_rows = _distinct(arc_weight[:, graph.arc_layer == ROAD])
    road_weight = arc_weight[road_rows]
    road_dist, road_leg = tables(ROAD, road_weight, everywhere, place_node, 1)
    main_table = np.zeros((n_runs, n_layers), dtype=np.int64)
    mains: list[tuple[np.ndarray, np.ndarray]] = []
    n_tables = 0
    for layer in layers.tolist():
        table, rows = _distinct(arc_weight[:, graph.arc_layer == layer])
        main_table[:, layer] = table + n_tables
        n_tables += rows.size
        mains.append(tables(layer, arc_weight[rows], has_switch[layer], switch_node, 1))
    none = np.empty((0, n_switch, n_switch, 1))
    main_dist = np.concatenate([none, *(dist for dist, _ in mains)])[..., 0]
    main_leg = np.concatenate([none.astype(np.int32), *(number for _, number in mains)])[..., 0]
    switch_table, switch_rows = _distinct(runs.transfer_weight)
    switches = [
        _cheapest_switches(graph, runs.transfer_weight[row], place_of, (n_switch, n_layers, n_layers))
        for row in switch_rows.tolist()
    ]

    ranked_runs = np.flatnonzero(runs.ranks > 1)
    ranked_table = np.full(n_runs, -1, dtype=np.int64)
    ranked_table[ranked_runs] = np.arange(ranked_runs.size)
    n_ranks = int(runs.ranks.max())
    ranked_road = tables(ROAD, arc_weight[ranked_runs], everywhere, place_node, n_ranks)
    ranked_dist = np.full((ranked_runs.size, n_layers, n_switch, n_switch, n_ranks), np.inf)
    ranked_leg = np.full(ranked_dist.shape, -1, dtype=np.int32)
    for layer in layers.tolist():
        dist, number = tables(layer, arc_weight[ranked_runs], has_switch[layer], switch_node, n_ranks)
        ranked_dist[:, layer], ranked_leg[:, layer] = dist, number
    change_first, change_to = _changes(runs, main_table, main_dist, main_leg)
    return Searches(
        runs.base, road_table, main_table, switch_table, ranked_table, road_weight, road_dist[..., 0],
        road_leg[..., 0], main_dist, main_leg, np.array([cost for cost, _ in switches]),
        np.array([used for _, used in switches]), change_first, change_to, road_table[ranked_runs], *ranked_road,
        ranked_dist, ranked_leg,
    ), legs  # fmt: skip


def _distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the distinct row that every row is, as they first occur; and where each occurs first."""
    index: dict[bytes, int] = {}
    number = np.array([index.setdefault(row.tobytes(), len(index)) for row in rows], dtype=np.int64)
    return number, np.unique(number, return_index=True)[1]


def _changes(
    runs: Runs, main_table: np.ndarray, main_dist: np.ndarray, main_leg: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where the main legs of a run differ from those of its base, see finding.Searches."""
    n_switch = main_dist.shape[1]
    first = np.zeros((*main_table.shape, n_switch + 1), dtype=np.int64)
    to, n = [np.empty(0, dtype=np.int64)], 0
    for run, base in enumerate(runs.base.tolist()):
        for layer in range(main_table.shape[1]):
            now, then = main_table[run, layer], main_table[base, layer]
            first[run, layer] = n
            if base < 0 or now == then:
                continue
            differs = (main_leg[now] != main_leg[then]) | (main_dist[now] != main_dist[then])
            first[run, layer, 1:] += np.cumsum(differs.sum(axis=1))
            to.append(np.nonzero(differs)[1])
            n += to[-1].size
    return first, np.concatenate(to)


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
    cost, used = np.full(shape, np.inf), np.zeros(shape, dtype=np.int32)
    weight = transfer_weight[graph.switch_transfer]
    order = np.lexsort((-np.arange(weight.size), -weight))  # dearest first, the last one of equal ones first
    at = (place_of[graph.switch_node[order]], graph.switch_from[order], graph.switch_to[order])
    cost[at] = weight[order]
    used[at] = graph.switch_transfer[order]
    return cost, used
