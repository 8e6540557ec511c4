"""What is searched from every origin, and what is reached by road from one."""

from typing import NamedTuple

import numpy as np
from numba import njit

from nbb_opt.network.kernels.find_legs import Legs, find_legs, forget_legs


class Patterns(NamedTuple):
    """parent, leg as graph.pattern_tree gives them; has_child (patterns,); layer_places, n_places_of as in joining."""

    parent: np.ndarray
    leg: np.ndarray
    has_child: np.ndarray
    layer_places: np.ndarray
    n_places_of: np.ndarray
    most_main_legs: int


class Searches(NamedTuple):
    """What every run searches, a table of legs or switches being stored once for all runs that share it.

    base (runs,): a run that is nowhere cheaper, -1 if none is known. road_table, switch_table, ranked_table (runs,) and
    main_table (runs, layers) number the tables; ranked_table is -1 where only the best chains are wanted. road_*
    (tables, switch places, places), main_* (tables, switch places, switch places), switch_* (tables, switch places,
    layers, layers); road_weight (tables, arcs). change_first (runs, layers, switch places + 1) and change_to: where the
    main legs of a run differ from those of its base, see joining. ranked_road_table (ranked tables,), ranked_road_*
    (ranked tables, switch places, places, ranks), ranked_main_* (ranked tables, layers, switch places, switch places,
    ranks).
    """

    base: np.ndarray
    road_table: np.ndarray
    main_table: np.ndarray
    switch_table: np.ndarray
    ranked_table: np.ndarray
    road_weight: np.ndarray
    road_dist: np.ndarray
    road_leg: np.ndarray
    main_dist: np.ndarray
    main_leg: np.ndarray
    switch_cost: np.ndarray
    switch_used: np.ndarray
    change_first: np.ndarray
    change_to: np.ndarray
    ranked_road_table: np.ndarray
    ranked_road_dist: np.ndarray
    ranked_road_leg: np.ndarray
    ranked_main_dist: np.ndarray
    ranked_main_leg: np.ndarray


class Origin(NamedTuple):
    """One origin: its node, the places where its flows end, its legs by road to the switch places and then the goals.

    own: the legs that its numbers mean; dist, leg (road tables, places), ranked_dist, ranked_leg (ranked tables,
    places, ranks); near (road tables, switch places, goals): the road from the switch places.
    """

    node: int
    goals: np.ndarray
    own: Legs
    dist: np.ndarray
    leg: np.ndarray
    near: np.ndarray
    ranked_dist: np.ndarray
    ranked_leg: np.ndarray


@njit(cache=True, nogil=True)
def reach_by_road(network, searches, place_node, node, goals, own):
    """The origin at `node`; `own` are legs to be forgotten."""
    n_tables, n_switch = searches.road_dist.shape[:2]
    n_ranked, n_ranks = searches.ranked_road_dist.shape[0], searches.ranked_road_dist.shape[3]
    targets = np.concatenate((place_node[:n_switch], place_node[goals]))
    dist, leg = np.empty((n_tables, targets.size)), np.empty((n_tables, targets.size), np.int32)
    ranked_dist = np.empty((n_ranked, targets.size, n_ranks))
    ranked_leg = np.empty((n_ranked, targets.size, n_ranks), np.int32)
    near = np.empty((n_tables, n_switch, goals.size))
    forget_legs(own)
    for v in range(n_tables):
        one_dist, one_leg = dist[v].reshape(targets.size, 1), leg[v].reshape(targets.size, 1)
        own = find_legs(network, own, 0, searches.road_weight[v], node, targets, one_dist, one_leg)
        near[v] = searches.road_dist[v][:, goals]
    for v in range(n_ranked):
        weight = searches.road_weight[searches.ranked_road_table[v]]
        own = find_legs(network, own, 0, weight, node, targets, ranked_dist[v], ranked_leg[v])
    return Origin(node, goals, own, dist, leg, near, ranked_dist, ranked_leg)
