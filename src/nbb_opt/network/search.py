"""The search of one class of commodities: every run, every pattern, every flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nbb_opt.network.graph import ROAD, Graph, pattern_tree
from nbb_opt.network.kernels.find_chains import Origin, Patterns, Searches, make_runs, write_kept
from nbb_opt.network.kernels.find_legs import N_ROWS, N_USES, NONE, GraphArrays, Legs, fill_tables, forget_legs, no_legs
from nbb_opt.network.kernels.find_simple import GIVEN_UP, LABELS_LEFT, make_workspace
from nbb_opt.network.kernels.join_legs import new_labels, no_changes
from nbb_opt.network.kernels.keep_chains import DOMINATED, N_FOUND, Scratch, none_kept
from nbb_opt.network.kernels.number_parts import no_parts
from nbb_opt.network.prune import Measures
from nbb_opt.network.runs import ChainClass, Runs

CHAINS_AT_ONCE = 20_000
MOST_LABELS = 3_000  # of one search for a chain that comes back to no place
MOST_LABELS_IN_ALL = 8_000_000  # of all of them: about a second


@dataclass(frozen=True, kw_only=True)
class Found:
    """Chains of some bundles of a class, those of a bundle together, as they are found.

    Chain c of bundle[c] (counted as given) has the steps code[first[c]] to code[first[c + 1]]: an arc, or -1 - row of
    transfers.csv; `sums` (chains, weights) are those of the measures. Of `n_distinct` chains found these are left;
    `n_given_up` searches for one that comes back to no place were given up. `costs` (runs, bundles, patterns) if asked
    for.
    """

    code: np.ndarray
    first: np.ndarray
    bundle: np.ndarray
    sums: np.ndarray
    n_distinct: int
    n_given_up: int
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
    leave_out: int = DOMINATED,
    labels_per_flow: int = MOST_LABELS_IN_ALL,
    want_costs: bool = False,
) -> Iterator[Found]:
    """Chains from every `origin` to its `destination` (node numbers, one pair per bundle) over all runs.

    They come some CHAINS_AT_ONCE at a time (all at once with `want_costs`). What is left out: NOTHING, chains that come
    back to a place on the same side (RETURNS), or also those that another of their bundle dominates (see keep_chains).
    Searches for chains that come back to no place may make `labels_per_flow` labels for each bundle.
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
    network, layers = _network(graph, measures), np.unique(leg[1:])
    searches, legs, road_weight = _searches(graph, runs, network, place_of, place_node, has_switch, layers=layers)
    n_common, n_uses = legs.size[[N_ROWS, N_USES]].tolist()
    n_patterns, n_switch, n_nodes = parent.size, switch_node.size, graph.nodes.size
    parts, scratch = no_parts(measures.link_sums.shape[1]), _scratch(network, patterns)
    room = make_workspace(
        n_patterns, max_main_legs, n_nodes, graph.arc_to.size, max(1, int(runs.n_wanted.max())), MOST_LABELS
    )
    known = np.empty((n_patterns, n_switch), np.int32)
    order = np.lexsort((np.arange(origin.size), origin))
    origins, first = np.unique(origin[order], return_index=True)
    costs = np.full((runs.base.size if want_costs else 0, origin.size, n_patterns), np.inf)
    batches: list[tuple[np.ndarray, ...]] = []
    n_distinct, n_chains = 0, 0

    def found() -> Found:
        code, size, owner, sums = (np.concatenate(parts_of) for parts_of in zip(*batches, strict=True))
        steps = np.append(0, np.cumsum(size))
        given_up, room.counts[GIVEN_UP] = int(room.counts[GIVEN_UP]), 0
        return Found(
            code=code, first=steps, bundle=owner, sums=sums, n_distinct=n_distinct, n_given_up=given_up, costs=costs,
        )  # fmt: skip

    for start, mine in zip(origins.tolist(), np.split(order, first[1:]), strict=True):
        goals, goal_of = np.unique(place_of[destination[mine]], return_inverse=True)
        targets = np.concatenate([switch_node, place_node[goals]])
        shape = (road_weight.shape[0], 1, targets.size)
        dist, number = np.empty(shape), np.empty(shape, np.int32)
        forget_legs(legs, n_common, n_uses)
        parts.table[:], parts.size[:] = NONE, 0
        legs = fill_tables(network, legs, ROAD, road_weight, np.array([[0, start]]), targets, dist, number)
        near = np.ascontiguousarray(searches.road_dist[:, :, goals])
        here = Origin(start, place_node[goals], goals, dist[:, 0].copy(), number[:, 0].copy(), near)
        labels, base = (new_labels(n_patterns, n_switch, goals.size) for _ in range(2))
        room.counts[LABELS_LEFT] += labels_per_flow * mine.size
        kept = none_kept(goals.size, scratch.sums.size)
        mine_cost = np.empty((costs.shape[0], n_patterns, goals.size))
        legs, parts, kept = make_runs(
            network, patterns, searches, legs, here, leave_out, parts, kept, scratch, room, labels, base,
            no_changes(n_patterns, n_switch, goals.size), known, np.zeros((n_patterns, goals.size), bool),
            np.zeros((searches.weight.shape[0], n_patterns, goals.size), bool), mine_cost,
        )  # fmt: skip
        code, size, owner, sums = write_kept(legs, parts, kept, goal_of, scratch.steps)
        batches.append((code, size, mine[owner], sums))
        n_distinct += int(kept.of_goal[goal_of, N_FOUND].sum())
        n_chains += size.size
        if want_costs:
            costs[:, mine] = mine_cost[:, :, goal_of].transpose(0, 2, 1)
        elif n_chains >= CHAINS_AT_ONCE:
            yield found()
            batches, n_distinct, n_chains = [], 0, 0
    if batches:
        yield found()


def _network(graph: Graph, measures: Measures) -> GraphArrays:
    n_layers, things = graph.layer_mode.size, measures.things
    place = graph.arc_layer * (graph.nodes.size + 1) + graph.arc_to
    back = np.argsort(place, kind="stable")
    wanted = np.arange(n_layers)[:, None] * (graph.nodes.size + 1) + np.arange(graph.nodes.size + 1)
    return GraphArrays(
        first_arc=graph.first_arc, arc_from=graph.arc_from, arc_to=graph.arc_to, arc_link=graph.arc_link,
        arc_layer=graph.arc_layer, first_back=np.searchsorted(place[back], wanted), back_arc=back,
        transfer_node=graph.transfer_node, link_sums=measures.link_sums, transfer_sums=measures.transfer_sums,
        link_things=things.links, transfer_things=things.transfers, first_project=things.first_project,
        n_things=things.n,
    )  # fmt: skip


def _scratch(network: GraphArrays, patterns: Patterns) -> Scratch:
    n_layers, n_nodes = network.first_arc.shape[0], network.first_arc.shape[1] - 1
    most_steps = (2 * patterns.most_main_legs + 1) * (n_nodes + 2)
    return Scratch(
        sums=np.empty(network.link_sums.shape[1]), things=np.empty(2 * most_steps, np.int32),
        steps=np.empty(most_steps, np.int32), marks=np.zeros(network.n_things, np.int16),
        seen=np.full(n_nodes * n_layers, -1), looked_at=np.zeros(1, np.int64), row=np.empty(6, np.int32),
        trail=np.empty((patterns.parent.size, 2), np.int64),
    )  # fmt: skip


def _searches(
    graph: Graph, runs: Runs, network: GraphArrays, place_of: np.ndarray, place_node: np.ndarray,
    has_switch: np.ndarray, *, layers: np.ndarray,
) -> tuple[Searches, Legs, np.ndarray]:  # fmt: skip
    """The tables of all runs, the legs they number, and the weight of arcs (road tables, arcs); `layers` (but for the
    road) are those of some pattern."""
    n_runs, (n_layers, n_switch) = runs.base.size, has_switch.shape
    arc_weight = runs.link_weight[:, graph.arc_link]
    legs = no_legs(network.link_sums.shape[1])
    switch_node, everywhere = place_node[:n_switch], np.ones(n_switch, dtype=bool)

    def tables(
        layer: int, weights: np.ndarray, start: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        nonlocal legs
        shape = (len(weights), n_switch, targets.size)
        dist, number = np.full(shape, np.inf), np.full(shape, -1, dtype=np.int32)
        roots = np.column_stack([np.flatnonzero(start), switch_node[start]])
        legs = fill_tables(network, legs, layer, weights, roots, targets, dist, number)
        return dist, number

    road_table, road_rows = _distinct(arc_weight[:, graph.arc_layer == ROAD])
    road_weight = arc_weight[road_rows]
    road_dist, road_leg = tables(ROAD, road_weight, everywhere, place_node)
    main_table = np.zeros((n_runs, n_layers), dtype=np.int64)
    mains = [(np.empty((0, n_switch, n_switch)), np.empty((0, n_switch, n_switch), dtype=np.int32))]
    n_tables = 0
    for layer in layers.tolist():
        table, rows = _distinct(arc_weight[:, graph.arc_layer == layer])
        main_table[:, layer] = table + n_tables
        n_tables += rows.size
        mains.append(tables(layer, arc_weight[rows], has_switch[layer], switch_node))
    main_dist, main_leg = (np.concatenate(parts_of) for parts_of in zip(*mains, strict=True))
    switch_table, switch_rows = _distinct(runs.transfer_weight)
    switches = [
        _cheapest_switches(graph, runs.transfer_weight[row], place_of, (n_switch, n_layers, n_layers))
        for row in switch_rows.tolist()
    ]
    further = np.flatnonzero(runs.n_wanted > 0)
    weight_table = np.full(n_runs, -1, dtype=np.int64)
    weight_table[further] = np.arange(further.size)
    is_open = np.isfinite(np.hstack([arc_weight[further], runs.transfer_weight[further]]))
    open_table = np.full(n_runs, -1, dtype=np.int64)
    open_table[further] = _distinct(is_open)[0]
    change_first, change_to = _changes(runs, main_table, main_dist, main_leg)
    searches = Searches(
        base=runs.base, n_wanted=runs.n_wanted, road_table=road_table, main_table=main_table, switch_table=switch_table,
        weight_table=weight_table, open_table=open_table, road_dist=road_dist, road_leg=road_leg, main_dist=main_dist,
        main_leg=main_leg, switch_cost=np.array([cost for cost, _ in switches]),
        switch_used=np.array([used for _, used in switches]), weight=arc_weight[further], change_first=change_first,
        change_to=change_to, switch_node=switch_node, place_of=place_of,
    )  # fmt: skip
    return searches, legs, road_weight


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
