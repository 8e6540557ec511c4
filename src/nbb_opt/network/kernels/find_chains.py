"""Kernels that find the chains of flows, one origin after the other.

All runs are made for an origin before the next one: what they find is compared at once (see keeping), and only what is
kept is written down.
"""

import numpy as np
from numba import njit

from nbb_opt.network.kernels.compiled import lean
from nbb_opt.network.kernels.find_legs import MOST_USES, NONE, longer, longer_rows, no_legs
from nbb_opt.network.kernels.join_legs import (
    SIDE_ROAD,
    copy_labels,
    join_best,
    join_changes,
    join_ranked,
    new_labels,
    no_changes,
)
from nbb_opt.network.kernels.keep_chains import Scratch, consider, none_kept, room_to_keep
from nbb_opt.network.kernels.number_parts import no_parts, part_number, room_for_parts, write_chain
from nbb_opt.network.kernels.search_origins import reach_by_road


@lean
def _best_part(network, patterns, searches, legs, origin, run, labels, known, q, p, parts, scratch):
    """Number of the cheapest main part of a pattern that ends at a place; known (patterns, places): -1 if not known."""
    parent, leg = patterns.parent, patterns.leg
    road, used = searches.road_table[run], searches.switch_used[searches.switch_table[run]]
    trail, row = scratch.trail, scratch.rows[0]
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
        row[0], row[1] = NONE, NONE
        if labels.side[q, begin] != SIDE_ROAD:
            row[0], row[2], row[3] = known[up, begin], NONE, used[begin, leg[up], layer]
        elif up == 0:
            row[2], row[3] = origin.leg[road, begin], used[begin, 0, layer]
        else:
            came = labels.road_from[up, begin]
            row[0], row[1] = known[up, came], used[came, leg[up], 0]
            row[2], row[3] = searches.road_leg[road, came, begin], used[begin, 0, layer]
        row[4] = searches.main_leg[searches.main_table[run, layer], begin, p]
        known[q, p] = part_number(network, legs, origin.own, parts, row)
    return known[last_q, last_p]


@lean
def _ranked_part(network, patterns, searches, legs, origin, run, back, q, p, rank, parts, scratch):
    """Number of the main part of a pattern that ends at a place with a rank."""
    parent, leg = patterns.parent, patterns.leg
    ranked, used = searches.ranked_table[run], searches.switch_used[searches.switch_table[run]]
    rows, depth = scratch.rows, 0
    while q > 0:
        up, layer, row = parent[q], leg[q], rows[depth]
        begin, begin_rank, path = back[1, q, 0, p, rank], back[1, q, 1, p, rank], back[1, q, 2, p, rank]
        row[1], row[2], row[4] = NONE, NONE, searches.ranked_main_leg[ranked, layer, begin, p, path]
        p, rank = begin, back[2, q, 1, begin, begin_rank]
        if back[2, q, 0, begin, begin_rank] != SIDE_ROAD:
            row[3] = used[begin, leg[up], layer]
        else:
            row[3] = used[begin, 0, layer]
            came, before, path = back[0, up, 0, begin, rank], back[0, up, 1, begin, rank], back[0, up, 2, begin, rank]
            if up == 0:
                row[2] = origin.ranked_leg[ranked, begin, path]
            else:
                row[1], row[2] = used[came, leg[up], 0], searches.ranked_road_leg[ranked, came, begin, path]
                p, rank = came, before
        q = up
        depth += 1
    number = np.int32(NONE)
    for i in range(depth - 1, -1, -1):
        rows[i, 0] = number
        number = part_number(network, legs, origin.own, parts, rows[i])
    return number


@lean
def _take_best(
    network, patterns, searches, legs, origin, run, labels, known, looked_at, new_goal, leave_out, parts, kept, scratch
):
    """Consider the cheapest chain of every pattern looked at and goal whose way is new."""
    road, used = searches.road_table[run], searches.switch_used[searches.switch_table[run]]
    for q in range(patterns.parent.size):
        if not looked_at[q]:
            continue
        for k in range(origin.goals.size):
            if not new_goal[q, k] or labels.goal[q, k] == np.inf:
                continue
            if q == 0:
                part, leave, last = NONE, NONE, origin.leg[road, searches.road_dist.shape[1] + k]
            else:
                came = labels.goal_from[q, k]
                part = known[q, came]
                if part < 0:
                    part = _best_part(
                        network, patterns, searches, legs, origin, run, labels, known, q, came, parts, scratch
                    )
                leave, last = used[came, patterns.leg[q], 0], searches.road_leg[road, came, origin.goals[k]]
            consider(network, legs, origin.own, parts, origin.node, k, part, leave, last, leave_out, kept, scratch)


@njit(cache=True, nogil=True)
def _take_ranked(network, patterns, searches, legs, origin, run, best, leave_out, parts, kept, scratch):
    """Consider the chains of every pattern, goal and rank; the cost of the best goes to best (patterns, goals)."""
    ranked, n_switch = searches.ranked_table[run], searches.road_dist.shape[1]
    used, road_dist = searches.switch_used[searches.switch_table[run]], searches.ranked_road_dist[ranked]
    shape = (3, patterns.parent.size, n_switch + origin.goals.size, road_dist.shape[2])
    cost, back = np.empty(shape), np.zeros((3, shape[1], 3, shape[2], shape[3]), np.int32)
    join_ranked(
        patterns.parent, patterns.leg, patterns.layer_places, patterns.n_places_of, origin.ranked_dist[ranked],
        road_dist[:, :n_switch], road_dist[:, origin.goals], searches.ranked_main_dist[ranked],
        searches.switch_cost[searches.switch_table[run]], cost, back,
    )  # fmt: skip
    for q in range(patterns.parent.size):
        for k in range(origin.goals.size):
            p = n_switch + k
            best[q, k] = cost[0, q, p, 0]
            for r in range(cost.shape[3]):
                if cost[0, q, p, r] == np.inf:
                    break
                came, rank, path = back[0, q, 0, p, r], back[0, q, 1, p, r], back[0, q, 2, p, r]
                if q == 0:
                    part, leave, last = np.int32(NONE), np.int32(NONE), origin.ranked_leg[ranked, p, path]
                else:
                    part = _ranked_part(
                        network, patterns, searches, legs, origin, run, back, q, came, rank, parts, scratch
                    )
                    leave = used[came, patterns.leg[q], 0]
                    last = searches.ranked_road_leg[ranked, came, origin.goals[k], path]
                consider(network, legs, origin.own, parts, origin.node, k, part, leave, last, leave_out, kept, scratch)


@lean
def _join(patterns, searches, origin, run, labels):
    road = searches.road_table[run]
    n_switch = searches.road_dist.shape[1]
    join_best(
        patterns.parent, patterns.leg, patterns.has_child, patterns.layer_places, patterns.n_places_of,
        origin.dist[road], searches.road_dist[road][:, :n_switch], origin.near[road], searches.main_dist,
        searches.main_table[run], searches.switch_cost[searches.switch_table[run]], labels,
    )  # fmt: skip


@lean
def _join_changes(patterns, searches, origin, run, labels, changes):
    road = searches.road_table[run]
    n_switch = searches.road_dist.shape[1]
    join_changes(
        patterns.parent, patterns.leg, patterns.has_child, patterns.layer_places, patterns.n_places_of,
        searches.road_dist[road][:, :n_switch], origin.near[road], searches.main_dist, searches.main_table[run],
        searches.switch_cost[searches.switch_table[run]], searches.change_first[run], searches.change_to, labels,
        changes,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _make_runs(network, patterns, searches, legs, origin, leave_out, parts, kept, scratch, costs):
    """All runs from one origin; costs (runs, patterns, goals) if it has rows. Gives the main parts and what is kept."""
    n_patterns, n_switch, n_goals = patterns.parent.size, searches.road_dist.shape[1], origin.goals.size
    n_ranks = searches.ranked_road_dist.shape[3]
    labels, base_labels = new_labels(n_patterns, n_switch, n_goals), new_labels(n_patterns, n_switch, n_goals)
    known, base_known = np.full((n_patterns, n_switch), NONE, np.int32), np.empty((n_patterns, n_switch), np.int32)
    changes, everywhere = no_changes(n_patterns, n_switch, n_goals), np.ones((n_patterns, n_goals), np.bool_)
    joined, best, all_patterns = NONE, np.empty((n_patterns, n_goals)), np.ones(n_patterns, np.bool_)
    for run in range(searches.base.size):
        more = n_patterns * max(n_switch, n_goals * n_ranks * patterns.most_main_legs)
        parts = room_for_parts(parts, more, scratch.things.size)
        kept = room_to_keep(kept, n_patterns * n_goals * n_ranks, scratch.things.size)
        if searches.ranked_table[run] >= 0:
            _take_ranked(network, patterns, searches, legs, origin, run, best, leave_out, parts, kept, scratch)
            if costs.shape[0]:
                costs[run] = best
            continue
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
            scratch,
        )  # fmt: skip
        if costs.shape[0]:
            costs[run] = labels.goal
        for q in range(n_patterns):
            if few and looked_at[q]:
                copy_labels(base_labels, labels, q)
                for p in range(n_switch):
                    if changes.end[q, p]:
                        known[q, p] = base_known[q, p]
    return parts, kept


@njit(cache=True, nogil=True)
def find_from(
    network, patterns, searches, legs, place_node, origins, bundle_first, bundle_place, begin, enough, leave_out, costs
):
    """Chains of the origins from number `begin` on, until there are `enough` of them or no origin is left.

    Bundles bundle_first[i] to bundle_first[i + 1] start at node origins[i] and end at a place. Chains are
    left out as keeping.consider says. Fills costs (runs, bundles, patterns) if it has
    rows. Gives the origin to go on with, how many distinct chains the bundles have, and of the chains given: the steps,
    where they begin, the bundle and the sums.
    """
    n_patterns, n_weights, n_nodes = patterns.parent.size, network.link_sums.shape[1], network.first_arc.shape[1] - 1
    most_legs = 2 * patterns.most_main_legs + 1
    own, parts, n_found = no_legs(network, 1024), no_parts(n_weights, 1024), 0
    code, first, n_out = np.empty(4096, np.int32), np.zeros(65, np.int64), 0
    owner, sums = np.empty(64, np.int32), np.empty((64, n_weights))
    steps, marks = np.empty(2 * most_legs * (n_nodes + 1), np.int32), np.zeros(network.n_things, np.int16)
    seen, looked_at = np.full(n_nodes * network.n_layers, NONE, np.int64), np.zeros(1, np.int64)
    rows, trail = np.empty((n_patterns, 5), np.int32), np.empty((n_patterns, 2), np.int64)
    i = begin
    while i < origins.size and n_out < enough:
        bundles = bundle_place[bundle_first[i] : bundle_first[i + 1]]
        goals = np.unique(bundles)
        goal_of = np.searchsorted(goals, bundles)
        origin = reach_by_road(network, searches, place_node, origins[i], goals, own)
        own = origin.own
        parts.table[:] = NONE
        parts.size[:] = 0
        most_uses = most_legs * (max(legs.size[MOST_USES], own.size[MOST_USES]) + 2)
        things = np.empty(most_uses, np.int32)
        scratch = Scratch(np.empty(n_weights), things, steps, marks, seen, looked_at, rows, trail)
        mine = np.empty((costs.shape[0], n_patterns, goals.size))
        parts, kept = _make_runs(
            network, patterns, searches, legs, origin, leave_out, parts, none_kept(goals.size, n_weights), scratch, mine
        )
        for b in range(bundles.size):
            n_found += kept.n_found[goal_of[b]]
            if costs.shape[0]:
                costs[:, bundle_first[i] + b] = mine[:, :, goal_of[b]]
            c = kept.head[goal_of[b]]
            while c >= 0:
                _, part, leave, last = kept.key[c]
                size = write_chain(legs, own, parts, part, leave, last, steps)
                if first[n_out] + size > code.size:
                    code = longer(code, 2 * (first[n_out] + size))
                if n_out == owner.size:
                    first, owner = longer(first, 2 * n_out + 1), longer(owner, 2 * n_out)
                    sums = longer_rows(sums, 2 * n_out)
                code[first[n_out] : first[n_out] + size] = steps[:size]
                first[n_out + 1], owner[n_out], sums[n_out] = first[n_out] + size, bundle_first[i] + b, kept.sums[c]
                n_out += 1
                c = kept.after[c]
        i += 1
    return i, n_found, code[: first[n_out]], first[: n_out + 1], owner[:n_out], sums[:n_out]
