"""Kernels that join legs along every pattern from one origin. Plain Python twins stand in ``tests/plain_network.py``.

Places with a switch come first and are numbered alike everywhere; goals are the places where flows end. Of equal chains
the one over the first place stays.
"""

from typing import NamedTuple

import numpy as np

from nbb_opt.compiling import lean_kernel

SIDE_ROAD = 0  # a main leg starts from the road side of its place
SIDE_LEG = 1  # it starts from the end of the main leg before it


class Labels(NamedTuple):
    """The cheapest way to every place after every pattern, and where it comes from.

    road, road_from (patterns, switch places): at the road side, from the end of the last main leg at road_from.
    end, end_from: at the end of the last main leg, which started at end_from. start, side: at the start of that leg,
    from SIDE_ROAD or SIDE_LEG. goal, goal_from (patterns, goals) as road.
    """

    road: np.ndarray
    road_from: np.ndarray
    end: np.ndarray
    end_from: np.ndarray
    start: np.ndarray
    side: np.ndarray
    goal: np.ndarray
    goal_from: np.ndarray


class Changes(NamedTuple):
    """looked_at (patterns,): where some leg differs. Of these patterns, which labels differ: road, end (patterns,
    switch places) and goal (patterns, goals)."""

    looked_at: np.ndarray
    road: np.ndarray
    end: np.ndarray
    goal: np.ndarray


def new_labels(n_patterns, n_switch, n_goals):
    """Labels that nothing reaches."""
    places, goals = (n_patterns, n_switch), (n_patterns, n_goals)
    return Labels(
        np.full(places, np.inf), np.full(places, -1, np.int32), np.full(places, np.inf), np.full(places, -1, np.int32),
        np.full(places, np.inf), np.zeros(places, np.int32), np.full(goals, np.inf), np.full(goals, -1, np.int32),
    )  # fmt: skip


def no_changes(n_patterns, n_switch, n_goals):
    """Nothing differs."""
    places = (n_patterns, n_switch)
    return Changes(
        np.zeros(n_patterns, np.bool_), np.zeros(places, np.bool_), np.zeros(places, np.bool_),
        np.zeros((n_patterns, n_goals), np.bool_),
    )  # fmt: skip


@lean_kernel
def copy_labels(labels, to, q):
    """Copy the labels of pattern q."""
    for p in range(labels.road.shape[1]):
        to.road[q, p], to.road_from[q, p] = labels.road[q, p], labels.road_from[q, p]
        to.end[q, p], to.end_from[q, p] = labels.end[q, p], labels.end_from[q, p]
        to.start[q, p], to.side[q, p] = labels.start[q, p], labels.side[q, p]
    for k in range(labels.goal.shape[1]):
        to.goal[q, k], to.goal_from[q, k] = labels.goal[q, k], labels.goal_from[q, k]


@lean_kernel
def _reach(start, length, place, cost, came_from):
    """Better the cost of all places by the ways over `place`; of equal ones the first stays."""
    if start == np.inf:
        return
    for p in range(cost.size):
        total = start + length[p]
        better = total < cost[p]
        cost[p] = total if better else cost[p]
        came_from[p] = place if better else came_from[p]


@lean_kernel
def join_best(
    parent, leg, has_child, layer_places, n_places_of, first, road, near, main, table_of, switch_cost, labels
):
    """Fill the labels from one origin.

    layer_places (layers, places) lists the n_places_of (layers,) places with a switch of a layer; first (switch places
    and then goals,) is the road from the origin, road (switch places, switch places) and near (switch places, goals)
    that from a place; main[table_of[l]] (switch places, switch places) are the legs of layer l; switch_cost (places,
    layers, layers).
    """
    n_patterns, n_switch = parent.size, road.shape[0]
    for cost in (labels.road, labels.end, labels.start, labels.goal):
        cost[:] = np.inf
    for came in (labels.road_from, labels.end_from, labels.goal_from):
        came[:] = -1
    for p in range(n_switch):
        labels.road[0, p] = first[p]
    for k in range(near.shape[1]):
        labels.goal[0, k] = first[n_switch + k]
    for q in range(1, n_patterns):
        up, layer = parent[q], leg[q]
        places = layer_places[layer, : n_places_of[layer]]
        for p in places:
            by_road = labels.road[up, p] + switch_cost[p, 0, layer]
            direct = labels.end[up, p] + switch_cost[p, leg[up], layer] if up > 0 else np.inf
            labels.start[q, p] = min(by_road, direct)
            labels.side[q, p] = SIDE_LEG if direct < by_road else SIDE_ROAD
        end, came = labels.end[q], labels.end_from[q]
        for p in places:
            start, row = labels.start[q, p], main[table_of[layer], p]
            _reach(start, row[:p], p, end[:p], came[:p])
            _reach(start, row[p + 1 :], p, end[p + 1 :], came[p + 1 :])
        for p in places:
            leave = end[p] + switch_cost[p, layer, 0]
            _reach(leave, near[p], p, labels.goal[q], labels.goal_from[q])
            if has_child[q]:
                _reach(leave, road[p], p, labels.road[q], labels.road_from[q])


@lean_kernel
def _is_better(total, place, cost, came_from):
    """Whether a way over `place` replaces the one known: cheaper, or as cheap over a place that is no later."""
    return total < cost or (total == cost and total < np.inf and place <= came_from)


@lean_kernel
def join_changes(
    parent, leg, has_child, layer_places, n_places_of, road, near, main, table_of, switch_cost, change_first,
    change_to, labels, changes,
):  # fmt: skip
    """Labels of a network with some main legs cheaper or new, from those of the network without.

    The legs of layer l that differ are those from place p to change_to[change_first[l, p]] up to
    change_to[change_first[l, p + 1]], not included; all else as in `join_best`. Nothing is dearer, so that only ways
    over a leg that differs need a look. Fills `changes`.
    """
    n_patterns, n_switch, n_goals = parent.size, road.shape[0], near.shape[1]
    new_road, new_end, new_goal = changes.road, changes.end, changes.goal
    looked_at = changes.looked_at
    looked_at[0] = False
    for q in range(1, n_patterns):
        up, layer = parent[q], leg[q]
        layer_changed = change_first[layer, n_switch] > change_first[layer, 0]
        looked_at[q] = layer_changed or looked_at[up]
        if not looked_at[q]:
            continue
        new_road[q] = False
        new_end[q] = False
        new_goal[q] = False
        end, came = labels.end[q], labels.end_from[q]
        for p in layer_places[layer, : n_places_of[layer]]:
            new_start = False
            if looked_at[up]:
                by_road = labels.road[up, p] + switch_cost[p, 0, layer]
                direct = labels.end[up, p] + switch_cost[p, leg[up], layer]
                side = SIDE_LEG if direct < by_road else SIDE_ROAD
                new_start = new_end[up, p] if side == SIDE_LEG else new_road[up, p]
                if new_start:
                    labels.start[q, p], labels.side[q, p] = min(by_road, direct), side
            start = labels.start[q, p]
            if start == np.inf:
                continue
            if new_start:
                for p2 in layer_places[layer, : n_places_of[layer]]:
                    total = start + main[table_of[layer], p, p2]
                    if p2 != p and _is_better(total, p, end[p2], came[p2]):
                        end[p2], came[p2], new_end[q, p2] = total, p, True
            elif layer_changed:
                for p2 in change_to[change_first[layer, p] : change_first[layer, p + 1]]:
                    total = start + main[table_of[layer], p, p2]
                    if p2 != p and _is_better(total, p, end[p2], came[p2]):
                        end[p2], came[p2], new_end[q, p2] = total, p, True
        for p in layer_places[layer, : n_places_of[layer]]:
            leave = end[p] + switch_cost[p, layer, 0]
            if not new_end[q, p] or leave == np.inf:
                continue
            for k in range(n_goals):
                total = leave + near[p, k]
                if _is_better(total, p, labels.goal[q, k], labels.goal_from[q, k]):
                    labels.goal[q, k], labels.goal_from[q, k], new_goal[q, k] = total, p, True
            if has_child[q]:
                for s in range(n_switch):
                    total = leave + road[p, s]
                    if _is_better(total, p, labels.road[q, s], labels.road_from[q, s]):
                        labels.road[q, s], labels.road_from[q, s], new_road[q, s] = total, p, True
