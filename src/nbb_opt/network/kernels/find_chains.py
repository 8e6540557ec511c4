"""Kernels that find the chains of the flows from one origin: all runs before the next origin.

What the runs find is compared at once (see keep_chains), and only what is kept is written down.
"""

from typing import NamedTuple

import numpy as np

from nbb_opt.compiling import kernel, lean_kernel
from nbb_opt.network.kernels.find_legs import MOST_USES, NONE, with_room
from nbb_opt.network.kernels.find_simple import CRITICAL, find_simple, number_simple
from nbb_opt.network.kernels.join_legs import SIDE_ROAD, copy_labels, join_best, join_changes
from nbb_opt.network.kernels.keep_chains import AFTER, HEAD, LAST, LEAVE, PART, consider, room_to_keep
from nbb_opt.network.kernels.number_parts import (
    LOAD,
    MAIN_LEG,
    PART_BEFORE,
    ROAD_LEG,
    UNLOAD,
    part_number,
    room_for_parts,
    write_chain,
)


class Patterns(NamedTuple):
    """parent, leg as graph.pattern_tree gives them; has_child (patterns,); layer_places, n_places_of: see join_best."""

    parent: np.ndarray
    leg: np.ndarray
    has_child: np.ndarray
    layer_places: np.ndarray
    n_places_of: np.ndarray
    most_main_legs: int


class Searches(NamedTuple):
    """What every run searches, a table of legs or switches being stored once for all runs that share it.

    base (runs,): a run that is nowhere cheaper, -1 if none is known. n_wanted (runs,): how many chains that come back
    to no place are wanted of every pattern, 0 if the cheapest walk will do. road_table, switch_table, weight_table,
    open_table (runs,) and main_table (runs, layers) number the tables; the last two are -1 where n_wanted is 0, runs of
    one open_table may use the same arcs and transfers. road_* (tables,
    switch places, places), main_* (tables, switch places, switch places), switch_* (tables, switch places, layers,
    layers), weight (tables, arcs). change_first (runs, layers, switch places + 1) and change_to: where the main legs of
    a run differ from those of its base, see join_changes. switch_node: node of every switch place; place_of (nodes,):
    the place of a node, -1 if it is none.
    """

    base: np.ndarray
    n_wanted: np.ndarray
    road_table: np.ndarray
    main_table: np.ndarray
    switch_table: np.ndarray
    weight_table: np.ndarray
    open_table: np.ndarray
    road_dist: np.ndarray
    road_leg: np.ndarray
    main_dist: np.ndarray
    main_leg: np.ndarray
    switch_cost: np.ndarray
    switch_used: np.ndarray
    weight: np.ndarray
    change_first: np.ndarray
    change_to: np.ndarray
    switch_node: np.ndarray
    place_of: np.ndarray


class Origin(NamedTuple):
    """One origin: its node, the nodes where its flows end and their places, its legs by road to the switch places and
    then the goals: dist, leg (road tables, places); near (road tables, switch places, goals): the road from these."""

    node: int
    goal_node: np.ndarray
    goals: np.ndarray
    dist: np.ndarray
    leg: np.ndarray
    near: np.ndarray


@lean_kernel
def _best_part(network, patterns, searches, legs, origin, run, labels, known, q, p, parts, scratch):
    """Number of the cheapest main part of a pattern that ends at a place; known (patterns, places): -1 if not known."""
    parent, leg = patterns.parent, patterns.leg
    road, used = searches.road_table[run], searches.switch_used[searches.switch_table[run]]
    trail, row = scratch.trail, scratch.row
    last_q, last_p, depth = q, p, 0
    while q > 0 and known[q, p] < 0:
        trail[depth, 0], trail[depth, 1] = q, p
        depth += 1
        p = labels.end_from[q, p]
        if labels.side[q, p] == SIDE_ROAD:
            p = labels.road_from[parent[q], p]
        q = parent[q]
    for i in range(depth - 1, -1, -1):
        q, p = trail[i, 0], trail[i, 1]
        up, layer, begin = parent[q], leg[q], labels.end_from[q, p]
        row[PART_BEFORE], row[UNLOAD], row[ROAD_LEG] = NONE, NONE, NONE
        if labels.side[q, begin] != SIDE_ROAD:
            row[PART_BEFORE], row[LOAD] = known[up, begin], used[begin, leg[up], layer]
        else:
            row[LOAD] = used[begin, 0, layer]
            if up == 0:
                row[ROAD_LEG] = origin.leg[road, begin]
            else:
                came = labels.road_from[up, begin]
                row[PART_BEFORE], row[UNLOAD] = known[up, came], used[came, leg[up], 0]
                row[ROAD_LEG] = searches.road_leg[road, came, begin]
        row[MAIN_LEG] = searches.main_leg[searches.main_table[run, layer], begin, p]
        known[q, p] = part_number(network, legs, parts, row)
    return known[last_q, last_p]


@lean_kernel
def _take_best(
    network, patterns, searches, legs, origin, run, labels, known, looked_at, new_goal, leave_out, parts, kept, scratch,
    returns,
):  # fmt: skip
    """Consider the cheapest walk of every pattern looked at and goal whose way is new. Where the run goes on to chains
    that come back to no place, new_goal does not count; then returns (patterns, goals) says which walks come back."""
    road, used = searches.road_table[run], searches.switch_used[searches.switch_table[run]]
    ask = searches.n_wanted[run] > 0
    for q in range(patterns.parent.size):
        for k in range(origin.goals.size):
            returns[q, k] = False
            if not looked_at[q] or labels.goal[q, k] == np.inf or not (ask or new_goal[q, k]):
                continue
            part, leave, last = np.int32(NONE), np.int32(NONE), origin.leg[road, searches.road_dist.shape[1] + k]
            if q > 0:
                came = labels.goal_from[q, k]
                part = known[q, came]
                if part < 0:
                    part = _best_part(
                        network, patterns, searches, legs, origin, run, labels, known, q, came, parts, scratch
                    )
                leave, last = used[came, patterns.leg[q], 0], searches.road_leg[road, came, origin.goals[k]]
            returns[q, k] = consider(
                network, legs, parts, origin.node, k, part, leave, last, leave_out, ask, kept, scratch
            )


@kernel
def _take_simple(
    network, patterns, searches, legs, origin, run, labels, returns, leave_out, parts, kept, scratch, room, hopeless
):
    """Consider the chains that come back to no place: the cheapest one of every pattern whose cheapest walk `returns`,
    or the n_wanted cheapest ones; hopeless (patterns, goals): where there is none. Gives legs, parts and what is kept.
    """
    n_wanted, switch = searches.n_wanted[run], searches.switch_table[run]
    n_nodes = network.first_arc.shape[1] - 1
    most_legs = 2 * patterns.most_main_legs + 1
    for q in range(patterns.parent.size):
        room.counts[CRITICAL] = 0
        for k in range(origin.goals.size):
            if labels.goal[q, k] == np.inf or hopeless[q, k] or (n_wanted == 1 and not returns[q, k]):
                continue
            n = find_simple(
                network, patterns, searches.switch_node, searches.place_of, searches.switch_cost[switch],
                searches.switch_used[switch], origin.node, origin.goal_node[k], labels,
                searches.weight[searches.weight_table[run]], run, q, n_wanted, room, scratch.seen, scratch.looked_at,
            )  # fmt: skip
            hopeless[q, k] = n == 0
            legs = with_room(legs, n * (n_nodes + 1) * most_legs)
            most_uses = most_legs * (2 * n_nodes + 2)
            parts = room_for_parts(parts, n * patterns.most_main_legs, most_uses)
            kept = room_to_keep(kept, n, most_uses)
            for i in range(n):
                part, leave, last = number_simple(network, legs, parts, room.found[i], room, scratch.row)
                consider(network, legs, parts, origin.node, k, part, leave, last, leave_out, False, kept, scratch)
    return legs, parts, kept


@lean_kernel
def _join(patterns, searches, origin, run, labels):
    road = searches.road_table[run]
    n_switch = searches.road_dist.shape[1]
    join_best(
        patterns.parent, patterns.leg, patterns.has_child, patterns.layer_places, patterns.n_places_of,
        origin.dist[road], searches.road_dist[road][:, :n_switch], origin.near[road], searches.main_dist,
        searches.main_table[run], searches.switch_cost[searches.switch_table[run]], labels,
    )  # fmt: skip


@lean_kernel
def _join_changes(patterns, searches, origin, run, labels, changes):
    road = searches.road_table[run]
    n_switch = searches.road_dist.shape[1]
    join_changes(
        patterns.parent, patterns.leg, patterns.has_child, patterns.layer_places, patterns.n_places_of,
        searches.road_dist[road][:, :n_switch], origin.near[road], searches.main_dist, searches.main_table[run],
        searches.switch_cost[searches.switch_table[run]], searches.change_first[run], searches.change_to, labels,
        changes,
    )  # fmt: skip


@kernel
def make_runs(
    network, patterns, searches, legs, origin, leave_out, parts, kept, scratch, room, labels, base_labels, changes,
    known, returns, hopeless, costs,
):  # fmt: skip
    """All runs from one origin; costs (runs, patterns, goals) if it has rows. Gives legs, parts and what is kept."""
    n_patterns, n_switch, n_goals = patterns.parent.size, searches.road_dist.shape[1], origin.goals.size
    base_known = np.empty((n_patterns, n_switch), np.int32)
    everywhere, all_patterns = np.ones((n_patterns, n_goals), np.bool_), np.ones(n_patterns, np.bool_)
    joined = NONE
    room.known[:] = NONE
    for run in range(searches.base.size):
        most_uses = (2 * patterns.most_main_legs + 1) * (legs.size[MOST_USES] + 2)
        parts = room_for_parts(parts, n_patterns * max(n_switch, n_goals * patterns.most_main_legs), most_uses)
        kept = room_to_keep(kept, n_patterns * n_goals, most_uses)
        base = searches.base[run]
        few = base >= 0 and searches.road_table[base] == searches.road_table[run]
        few = few and searches.switch_table[base] == searches.switch_table[run]
        if joined != (base if few else run):
            joined = base if few else run
            known[:] = NONE
            _join(patterns, searches, origin, joined, labels)
            for q in range(n_patterns):
                copy_labels(labels, base_labels, q)
        looked_at, new_goal = all_patterns, everywhere
        if few:
            _join_changes(patterns, searches, origin, run, labels, changes)
            looked_at, new_goal = changes.looked_at, changes.goal
            for q in range(n_patterns):
                for p in range(n_switch):
                    if looked_at[q] and changes.end[q, p]:
                        base_known[q, p], known[q, p] = known[q, p], NONE
        _take_best(
            network, patterns, searches, legs, origin, run, labels, known, looked_at, new_goal, leave_out, parts, kept,
            scratch, returns,
        )  # fmt: skip
        if searches.n_wanted[run] > 0:
            legs, parts, kept = _take_simple(
                network,
                patterns,
                searches,
                legs,
                origin,
                run,
                labels,
                returns,
                leave_out,
                parts,
                kept,
                scratch,
                room,
                hopeless[searches.open_table[run]],
            )
        for q in range(n_patterns if costs.shape[0] else 0):
            for k in range(n_goals):
                costs[run, q, k] = labels.goal[q, k]
        for q in range(n_patterns):
            if few and looked_at[q]:
                copy_labels(base_labels, labels, q)
                for p in range(n_switch):
                    if changes.end[q, p]:
                        known[q, p] = base_known[q, p]
    return legs, parts, kept


@kernel
def write_kept(legs, parts, kept, goal_of, steps):
    """The chains kept for flows to the goals goal_of (flows,): their steps, where each begins, its flow and sums."""
    n, n_steps = 0, 0
    for b in range(goal_of.size):
        c = kept.of_goal[goal_of[b], HEAD]
        while c >= 0:
            row = kept.row[c]
            n_steps += write_chain(legs, parts, row[PART], row[LEAVE], row[LAST], steps)
            n += 1
            c = row[AFTER]
    code, size, owner = np.empty(n_steps, np.int32), np.empty(n, np.int64), np.empty(n, np.int64)
    sums = np.empty((n, kept.sums.shape[1]))
    n, n_steps = 0, 0
    for b in range(goal_of.size):
        c = kept.of_goal[goal_of[b], HEAD]
        while c >= 0:
            row = kept.row[c]
            size[n] = write_chain(legs, parts, row[PART], row[LEAVE], row[LAST], code[n_steps:])
            n_steps += size[n]
            owner[n] = b
            for w in range(sums.shape[1]):
                sums[n, w] = kept.sums[c, w]
            n += 1
            c = row[AFTER]
    return code, size, owner, sums
