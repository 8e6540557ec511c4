"""Kernels of the chain search: legs joined along every pattern; and of dropping chains.

Plain Python twins stand in ``reference.py``.
"""

import numpy as np
from numba import njit

SIDE_ROAD = 0  # a main leg starts from the road side of its place
SIDE_LEG = 1  # it starts from the end of the main leg before it


@njit(cache=True, nogil=True)
def _keep(cost, a, b, c, n_ranks, new_cost, new_a, new_b, new_c):
    """Insert a label into the sorted list of the `n_ranks` cheapest, if it is one; of equal ones the first stays."""
    if new_cost >= cost[n_ranks - 1]:
        return
    at = n_ranks - 1
    while at > 0 and new_cost < cost[at - 1]:
        cost[at] = cost[at - 1]
        a[at] = a[at - 1]
        b[at] = b[at - 1]
        c[at] = c[at - 1]
        at -= 1
    cost[at] = new_cost
    a[at] = new_a
    b[at] = new_b
    c[at] = new_c


@njit(cache=True, nogil=True)
def _reach(start, length, origin, cost, came_from):
    """Better the cost of all places by the ways over `origin`; of equal ones the first stays."""
    if start == np.inf:
        return
    for p in range(cost.size):
        total = start + length[p]
        better = total < cost[p]
        cost[p] = total if better else cost[p]
        came_from[p] = origin if better else came_from[p]


@njit(cache=True, nogil=True)
def join_legs(parent, leg, n_ranks, origin, wanted, layer_places, n_places_of, leg_dist, switch_cost, cost, back):
    """Cheapest labels of every pattern from one origin.

    Sides (first axis of `cost`, `back`): 0 road side of a place after the pattern, 1 end of its last main leg, 2 start
    of that leg. cost (3, patterns, places, ranks); back (3, patterns, 3, places, ranks), zero at first, says where a
    label comes from: (place, rank, path) for sides 0 and 1, (SIDE_ROAD or SIDE_LEG, rank, -) for side 2. `wanted`
    (places,) are the road sides needed after every pattern (others may be filled as well); layer_places (layers,
    places) lists the n_places_of (layers,) places with a switch of the layer; leg_dist (layers, places, places, ranks)
    are the legs; switch_cost (places, layers, layers).
    """
    n_patterns = parent.size
    n_places = leg_dist.shape[1]
    cost[:] = np.inf
    has_child = np.zeros(n_patterns, dtype=np.bool_)
    for q in range(1, n_patterns):
        has_child[parent[q]] = True
    on_road = np.zeros(n_places, dtype=np.bool_)
    on_road[layer_places[0, : n_places_of[0]]] = True
    for p in range(n_places):
        for r in range(n_ranks):
            cost[0, 0, p, r] = leg_dist[0, origin, p, r]
            back[0, 0, 0, p, r] = origin
            back[0, 0, 1, p, r] = -1
            back[0, 0, 2, p, r] = r
    for q in range(1, n_patterns):
        up = parent[q]
        layer = leg[q]
        last = leg[up]
        any_start = False
        places = layer_places[layer, : n_places_of[layer]]
        for p in places:
            by_road = switch_cost[p, 0, layer]
            direct = switch_cost[p, last, layer] if up > 0 else np.inf
            for r in range(n_ranks):
                if cost[0, up, p, r] + by_road < np.inf:
                    _keep(
                        cost[2, q, p], back[2, q, 0, p], back[2, q, 1, p], back[2, q, 2, p], n_ranks,
                        cost[0, up, p, r] + by_road, SIDE_ROAD, r, 0,
                    )  # fmt: skip
                    any_start = True
                if direct < np.inf and cost[1, up, p, r] + direct < np.inf:
                    _keep(
                        cost[2, q, p], back[2, q, 0, p], back[2, q, 1, p], back[2, q, 2, p], n_ranks,
                        cost[1, up, p, r] + direct, SIDE_LEG, r, 0,
                    )  # fmt: skip
                    any_start = True
        if not any_start:
            continue
        for p in places:
            for r in range(n_ranks):
                start = cost[2, q, p, r]
                if start == np.inf:
                    break
                for p2 in places:
                    if p2 == p:
                        continue
                    for k in range(n_ranks):
                        total = start + leg_dist[layer, p, p2, k]
                        if total >= cost[1, q, p2, n_ranks - 1]:
                            break
                        _keep(
                            cost[1, q, p2], back[1, q, 0, p2], back[1, q, 1, p2], back[1, q, 2, p2], n_ranks,
                            total, p, r, k,
                        )  # fmt: skip
        for p in places:
            leave = switch_cost[p, layer, 0]
            if leave == np.inf:
                continue
            if n_ranks == 1:
                _reach(cost[1, q, p, 0] + leave, leg_dist[0, p, :, 0], p, cost[0, q, :, 0], back[0, q, 0, :, 0])
                continue
            for r in range(n_ranks):
                start = cost[1, q, p, r] + leave
                if start == np.inf:
                    break
                for p2 in range(n_places):
                    if not wanted[p2] and not (has_child[q] and on_road[p2]):
                        continue
                    for k in range(n_ranks):
                        total = start + leg_dist[0, p, p2, k]
                        if total >= cost[0, q, p2, n_ranks - 1]:
                            break
                        _keep(
                            cost[0, q, p2], back[0, q, 0, p2], back[0, q, 1, p2], back[0, q, 2, p2], n_ranks,
                            total, p, r, k,
                        )  # fmt: skip


@njit(cache=True, nogil=True)
def join_best(parent, leg, origin, goals, layer_places, n_places_of, leg_dist, between, near, switch_cost, cost, back):
    """As `join_legs` with one rank, the same labels; filled at the places with a switch and at `goals` only.

    Places with a switch come first; between (layers, switch places, switch places) are the legs among them, near
    (switch places, goals) is room for the road to the goals.
    """
    n_patterns, n_switch = parent.size, between.shape[1]
    has_child = np.zeros(n_patterns, dtype=np.bool_)
    for q in range(1, n_patterns):
        has_child[parent[q]] = True
    for s in range(n_switch):
        for k in range(goals.size):
            near[s, k] = leg_dist[0, s, goals[k], 0]
    best, came = np.empty((3, n_patterns, n_switch)), np.zeros((3, n_patterns, n_switch), dtype=np.int64)
    best[:] = np.inf
    at_goal, goal_from = np.empty(goals.size), np.empty(goals.size, dtype=np.int64)
    for s in range(n_switch):
        best[0, 0, s] = leg_dist[0, origin, s, 0]
        came[0, 0, s] = origin
    for goal in goals:
        cost[0, 0, goal, 0] = leg_dist[0, origin, goal, 0]
        back[0, 0, 0, goal, 0], back[0, 0, 1, goal, 0], back[0, 0, 2, goal, 0] = origin, -1, 0
    for q in range(1, n_patterns):
        up, layer = parent[q], leg[q]
        places = layer_places[layer, : n_places_of[layer]]
        for p in places:
            by_road = best[0, up, p] + switch_cost[p, 0, layer]
            direct = best[1, up, p] + switch_cost[p, leg[up], layer] if up > 0 else np.inf
            best[2, q, p] = min(by_road, direct)
            came[2, q, p] = SIDE_LEG if direct < by_road else SIDE_ROAD
        for p in places:
            start, row = best[2, q, p], between[layer, p]
            _reach(start, row[:p], p, best[1, q, :p], came[1, q, :p])
            _reach(start, row[p + 1 :], p, best[1, q, p + 1 :], came[1, q, p + 1 :])
        at_goal[:] = np.inf
        goal_from[:] = 0
        for p in places:
            leave = best[1, q, p] + switch_cost[p, layer, 0]
            _reach(leave, near[p, : goals.size], p, at_goal, goal_from)
            if has_child[q]:
                _reach(leave, between[0, p], p, best[0, q], came[0, q])
        for k in range(goals.size):
            cost[0, q, goals[k], 0], back[0, q, 0, goals[k], 0] = at_goal[k], goal_from[k]
    for q in range(n_patterns):
        back[0, q, 1, :n_switch, 0] = -1 if q == 0 else 0
        for p in range(n_switch):
            if has_child[q]:
                cost[0, q, p, 0], back[0, q, 0, p, 0] = best[0, q, p], came[0, q, p]
            for side in range(1, 3):
                cost[side, q, p, 0], back[side, q, 0, p, 0] = best[side, q, p], came[side, q, p]


@njit(cache=True, nogil=True)
def dominated(order, first, amounts, uses):
    """Which chains another of their group replaces: (chains,) of bool.

    Group i holds chains order[first[i]]..order[first[i + 1]], rising; amounts (chains, features) and uses (chains,
    things) must not be larger in the other; of equal chains the first stays.
    """
    gone = np.zeros(order.size, dtype=np.bool_)
    for i in range(first.size - 1):
        for at in range(first[i], first[i + 1]):
            a = order[at]
            for other in range(first[i], first[i + 1]):
                if other == at:
                    continue
                b = order[other]
                no_more = True
                less = False
                for f in range(amounts.shape[1]):
                    if amounts[b, f] > amounts[a, f]:
                        no_more = False
                        break
                    if amounts[b, f] < amounts[a, f]:
                        less = True
                if no_more:
                    for f in range(uses.shape[1]):
                        if uses[b, f] > uses[a, f]:
                            no_more = False
                            break
                        if uses[b, f] < uses[a, f]:
                            less = True
                if no_more and (less or other < at):
                    gone[a] = True
                    break
    return gone
