"""Kernels that find the cheapest chains of a sequence of main legs that come back to no place.

The labels of `join_best` belong to walks, which may come back to a place on the same side: for half of all flows and
sequences the cheapest walk does. The cheapest chain that does not is sought backwards from the goal by A*, with the
cost of the cheapest walk from the origin as the bound. At first only places in `critical` may not be visited twice;
where the answer comes back to another place, that becomes critical too and the search begins anew (decremental state
space relaxation: Righini and Salani 2008, doi:10.1002/net.20212). Nothing cheaper is left out: every chain that comes
back to no place is a walk of each of these searches.
"""

from typing import NamedTuple

import numpy as np

from nbb_opt.compiling import lean_kernel
from nbb_opt.network.kernels.find_legs import NONE, cheapest_paths, longer_leg, pop, push
from nbb_opt.network.kernels.number_parts import LOAD, MAIN_LEG, PART_BEFORE, ROAD_LEG, UNLOAD, part_number

LOADED, ROAD_SIDE, UNLOADED, RIDING = range(4)  # backwards: road just reached, on it; main leg just reached, on it
NODE, AT, STEP, NEXT, EARLIER = range(5)  # columns of Workspace.label; AT counts 4 sides per main leg from the goal
MARK, CRITICAL, GIVEN_UP, LABELS_LEFT = range(4)  # what Workspace.counts holds
MOST_CRITICAL = 60  # bits of Workspace.visited


class Workspace(NamedTuple):
    """Room for the searches: label (labels, 5), cost and visited critical places of each; settled (sides, nodes, 2):
    mark of a search and its last label settled there; to_road, to_ride (patterns, nodes): the cheapest walk from the
    origin, where `known` (patterns,) is the run; found (chains,) labels; counts: mark of the last search, critical
    places, searches given up, labels that may still be made; and room for cheapest_paths."""

    label: np.ndarray
    cost: np.ndarray
    visited: np.ndarray
    settled: np.ndarray
    critical: np.ndarray
    to_road: np.ndarray
    to_ride: np.ndarray
    known: np.ndarray
    found: np.ndarray
    counts: np.ndarray
    start: np.ndarray
    arc: np.ndarray
    reached: np.ndarray
    heap_cost: np.ndarray
    heap_item: np.ndarray


def make_workspace(n_patterns, most_main_legs, n_nodes, n_arcs, n_chains, most_labels):
    """Workspace for searches that give up after `most_labels` labels."""
    on_heap = max(most_labels, n_arcs + n_nodes)
    return Workspace(
        np.empty((most_labels, 5), np.int64), np.empty(most_labels), np.empty(most_labels, np.int64),
        np.zeros((4 * most_main_legs + 4, n_nodes, 2), np.int64), np.empty(MOST_CRITICAL, np.int64),
        np.empty((n_patterns, n_nodes)), np.empty((n_patterns, n_nodes)), np.full(n_patterns, NONE, np.int64),
        np.empty(n_chains, np.int64), np.zeros(4, np.int64), np.full(n_nodes, np.inf), np.empty(n_nodes, np.int64),
        np.empty(n_nodes, np.int64), np.empty(on_heap), np.empty((on_heap, 2), np.int64),
    )  # fmt: skip


@lean_kernel
def _bound_nodes(network, patterns, switch_node, switch_cost, origin, labels, weight, run, q, room):
    """Fill to_road and to_ride of a pattern and those before it."""
    first, arc_to = network.first_arc, network.arc_to
    while q >= 0 and room.known[q] != run:
        room.known[q] = run
        layer = patterns.leg[q]
        for side in range(2):
            if side == 1 and q == 0:
                break
            room.start[:] = np.inf
            if q == 0:
                room.start[origin] = 0.0
            else:
                for p in range(switch_node.size):
                    cost = labels.end[q, p] + switch_cost[p, layer, 0] if side == 0 else labels.start[q, p]
                    room.start[switch_node[p]] = cost
            cheapest_paths(
                first[layer if side == 1 else 0], arc_to, weight, room.start,
                room.to_ride[q] if side == 1 else room.to_road[q], room.arc, room.reached, room.heap_cost,
                room.heap_item,
            )  # fmt: skip
        q = patterns.parent[q]


@lean_kernel
def _is_needed(room, mark, at, node, visited, cost, n_wanted):
    """Whether fewer than `n_wanted` labels that visited no other critical place are settled at a place and side at no
    more cost. (The bound of a main leg just reached leaves out rides that begin there; so costs do not only rise.)"""
    settled = room.settled[at, node]
    if settled[0] != mark:
        settled[0], settled[1] = mark, NONE
    n, other = 0, settled[1]
    while other >= 0 and n < n_wanted:
        n += (room.visited[other] & ~visited) == 0 and room.cost[other] <= cost
        other = room.label[other, EARLIER]
    return n < n_wanted


@lean_kernel
def _add(network, room, n_wanted, n, n_heap, node, layer, at, step, after, cost, bound):
    """One more label unless it comes back to a critical place; gives how many labels and items on the heap there are.

    Nothing cheaper than its cost and the `bound` of what is missing goes through it.
    """
    if cost + bound == np.inf or n < 0:
        return n, n_heap
    visited = room.visited[after] if after >= 0 else 0
    place = node * network.first_arc.shape[0] + layer
    for i in range(room.counts[CRITICAL]):
        if room.critical[i] == place:
            if visited >> i & 1:
                return n, n_heap
            visited |= 1 << i
    if not _is_needed(room, room.counts[MARK], at, node, visited, cost, n_wanted):
        return n, n_heap
    if n == room.cost.size:
        return NONE, n_heap
    label = room.label[n]
    label[NODE], label[AT], label[STEP], label[NEXT] = node, at, step, after
    room.cost[n], room.visited[n] = cost, visited
    return n + 1, push(room.heap_cost, room.heap_item, n_heap, cost + bound, n, n)


@lean_kernel
def _layer_of(patterns, q, at):
    """Pattern and layer of a label of a search for pattern q."""
    for _ in range(at // 4):
        q = patterns.parent[q]
    return q, patterns.leg[q] if at % 4 >= UNLOADED else 0


@lean_kernel
def _twice(network, patterns, q, label, room, seen, mark):
    """The first place that a chain visits twice, -1 if there is none."""
    while label >= 0:
        place = room.label[label, NODE] * network.first_arc.shape[0] + _layer_of(patterns, q, room.label[label, AT])[1]
        if seen[place] == mark:
            return place
        seen[place] = mark
        label = room.label[label, NEXT]
    return NONE


@lean_kernel
def find_simple(
    network, patterns, switch_node, place_of, switch_cost, switch_used, origin, goal, labels, weight, run, q, n_wanted,
    room, seen, looked_at,
):  # fmt: skip
    """Find the up to `n_wanted` cheapest chains of pattern q that come back to no place; give how many there are.

    From and to nodes, by the `weight` (arcs,) of a run and the `labels` of its walks. Chain i is room.found[i]: the
    label at the origin, from which the steps lead to the goal. If there is no room for all labels, or none are left,
    the search is given up and counted.
    """
    counts = room.counts
    if counts[LABELS_LEFT] <= 0:
        counts[GIVEN_UP] += 1
        return 0
    _bound_nodes(network, patterns, switch_node, switch_cost, origin, labels, weight, run, q, room)
    while True:
        counts[MARK] += 1
        n_found, place = 0, NONE
        n, n_heap = _add(network, room, n_wanted, 0, 0, goal, 0, ROAD_SIDE, 0, NONE, 0.0, room.to_road[q, goal])
        while n_heap > 0 and n > 0 and n_found < n_wanted and place < 0:
            label = room.heap_item[0, 1]
            n_heap = pop(room.heap_cost, room.heap_item, n_heap)
            node, at, cost = room.label[label, NODE], room.label[label, AT], room.cost[label]
            if not _is_needed(room, counts[MARK], at, node, room.visited[label], cost, n_wanted):
                continue
            room.label[label, EARLIER], room.settled[at, node, 1] = room.settled[at, node, 1], label
            side = at % 4
            here, layer = _layer_of(patterns, q, at)
            leg, up = patterns.leg[here], patterns.parent[here]
            if here == 0 and node == origin:
                looked_at[0] += 1
                place = _twice(network, patterns, q, label, room, seen, looked_at[0])
                if place < 0:
                    room.found[n_found] = label
                    n_found += 1
                continue
            riding = side >= UNLOADED
            bound = room.to_ride[here] if riding else room.to_road[here]
            for i in range(network.first_back[layer, node], network.first_back[layer, node + 1]):
                a = network.back_arc[i]
                before = network.arc_from[a]
                n, n_heap = _add(
                    network, room, n_wanted, n, n_heap, before, layer, at - side + (RIDING if riding else ROAD_SIDE), a,
                    label, cost + weight[a], bound[before],
                )  # fmt: skip
            p = place_of[node]
            if p < 0 or p >= switch_node.size or here == 0 or side == UNLOADED:
                continue
            if side == RIDING:
                n, n_heap = _add(
                    network, room, n_wanted, n, n_heap, node, 0, at + 1 + LOADED, -1 - switch_used[p, 0, leg], label,
                    cost + switch_cost[p, 0, leg], room.to_road[up, node],
                )  # fmt: skip
                if up > 0:
                    n, n_heap = _add(
                        network, room, n_wanted, n, n_heap, node, patterns.leg[up], at + 1 + UNLOADED,
                        -1 - switch_used[p, patterns.leg[up], leg], label, cost + switch_cost[p, patterns.leg[up], leg],
                        labels.end[up, p],
                    )  # fmt: skip
            elif side == ROAD_SIDE or leg != _layer_of(patterns, q, at - 4 + RIDING)[1]:
                # a main leg that ends where one of its layer begins comes back
                n, n_heap = _add(
                    network, room, n_wanted, n, n_heap, node, leg, at - side + UNLOADED, -1 - switch_used[p, leg, 0],
                    label, cost + switch_cost[p, leg, 0], labels.end[here, p],
                )  # fmt: skip
        counts[LABELS_LEFT] -= n if n >= 0 else room.cost.size
        if n < 0 or (place >= 0 and counts[CRITICAL] == MOST_CRITICAL):
            counts[GIVEN_UP] += 1
            return 0
        if place < 0:
            return n_found
        room.critical[counts[CRITICAL]] = place
        counts[CRITICAL] += 1


@lean_kernel
def number_simple(network, legs, parts, label, room, row):
    """Main part, last transfer and last leg of a chain that find_simple found. There must be room for its legs and
    parts."""
    part, leg, leave = np.int32(NONE), np.int32(0), np.int32(NONE)
    row[PART_BEFORE], row[UNLOAD], row[ROAD_LEG] = NONE, NONE, NONE
    while room.label[label, NEXT] >= 0:
        after, step = room.label[label, NEXT], room.label[label, STEP]
        if step >= 0:
            leg = longer_leg(network, legs, leg, step)
        else:
            transfer = np.int32(-1 - step)
            rides, will_ride = room.label[label, AT] % 4 >= UNLOADED, room.label[after, AT] % 4 >= UNLOADED
            if rides:
                row[MAIN_LEG] = leg
                part = part_number(network, legs, parts, row)
                row[PART_BEFORE], row[UNLOAD], row[ROAD_LEG] = part, NONE, NONE
                leave = transfer
            if will_ride:
                if not rides:
                    row[ROAD_LEG] = leg
                    row[UNLOAD] = leave
                row[LOAD] = transfer
                leave = np.int32(NONE)
            leg = np.int32(0)
        label = after
    return part, leave, leg
