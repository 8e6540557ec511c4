"""Networks of the suite: a made-up one of any size, and that of an instance with all its modes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import Delaunay

from nbb_opt.instance import read_instance
from nbb_opt.network.graph import ROAD, make_graph
from nbb_opt.network.runs import make_classes, make_runs
from nbb_opt.network.weights import make_amounts

PLACES = 1000
METRICS = 8
STEPS_PER_UNIT = 10_000  # EUR, kg CO2e or hours per tonne are rounded to whole steps


@dataclass(frozen=True)
class Network:
    """Arcs from `tail` to `head`, no two alike; `weight` (metrics, arcs) whole numbers from 1 on, infinite where
    closed; distances are wanted between all `places`. `lat` and `lon` are in degrees."""

    nodes: int
    tail: np.ndarray
    head: np.ndarray
    weight: np.ndarray
    places: np.ndarray
    lat: np.ndarray
    lon: np.ndarray


def made_up(nodes: int, seed: int) -> Network:
    """Half of the nodes in towns, half between; the shortest tree and a share of the edges between neighbours; fast
    roads, one-way streets, and METRICS weights: cost, time and emissions of several kinds of trucks, some roads closed
    to the heavier ones."""
    rng = np.random.default_rng([seed, nodes])
    towns = rng.random((nodes // 200 + 3, 2))
    spread = rng.normal(0, 0.02, (nodes - nodes // 2, 2))
    xy = np.concatenate([rng.random((nodes // 2, 2)), towns[rng.integers(0, len(towns), len(spread))] + spread])
    corners = np.sort(Delaunay(xy).simplices, axis=1)
    edges = np.unique(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]]), axis=0)
    km = 1000 * np.hypot(*(xy[edges[:, 0]] - xy[edges[:, 1]]).T) * rng.uniform(1.05, 1.5, len(edges))
    tree = minimum_spanning_tree(coo_array((km, (edges[:, 0], edges[:, 1])), shape=(nodes, nodes)).tocsr()).tocoo()
    key = edges[:, 0] * nodes + edges[:, 1]
    in_tree = np.isin(key, np.minimum(*tree.coords).astype(np.int64) * nodes + np.maximum(*tree.coords))
    kept = in_tree | (rng.random(len(edges)) < 0.45)
    edges, km, in_tree = edges[kept], km[kept], in_tree[kept]
    one_way = ~in_tree & (rng.random(len(edges)) < 0.1)
    tail = np.concatenate([edges[:, 0], edges[~one_way, 1]])
    head = np.concatenate([edges[:, 1], edges[~one_way, 0]])
    edge = np.concatenate([np.arange(len(edges)), np.flatnonzero(~one_way)])
    speed = rng.choice([40.0, 60.0, 80.0, 100.0], len(edges), p=[0.2, 0.4, 0.3, 0.1])
    climb = rng.uniform(1.0, 1.3, tail.size)
    closed = ~in_tree & (rng.random(len(edges)) < 0.1)
    rows = []
    for kind in range(METRICS):
        eur_km, eur_h, kg_km = rng.uniform(0.3, 1.0), rng.uniform(20.0, 60.0), rng.uniform(0.0, 1.2)
        cost = km[edge] * (eur_km * climb + eur_h / speed[edge])
        value = (cost, km[edge] / speed[edge], cost + 0.1 * kg_km * km[edge] * climb)[kind % 3]
        value = np.maximum(np.round(value * 1000), 1.0)
        rows.append(np.where(closed[edge], np.inf, value) if kind >= METRICS // 2 else value)
    places = np.sort(rng.choice(nodes, min(PLACES, nodes), replace=False))
    return Network(nodes, tail, head, np.array(rows), places, 60 + 8 * xy[:, 1], 10 + 16 * xy[:, 0])


def of_instance(path: Path) -> Network:
    """Nodes are (layer, node), transfers are arcs; a metric for every class of commodities and run of its search."""
    instance = read_instance(path)
    graph = make_graph(instance)
    amounts = make_amounts(instance, graph)
    n = graph.nodes.size
    tail = np.concatenate([graph.arc_layer * n + graph.arc_from, graph.switch_from * n + graph.switch_node])
    head = np.concatenate([graph.arc_layer * n + graph.arc_to, graph.switch_to * n + graph.switch_node])
    rows = []
    for cls in make_classes(instance):
        runs = make_runs(instance, graph, amounts, cls=cls)
        for links, transfers in zip(runs.link_weight, runs.transfer_weight, strict=True):
            rows.append(np.concatenate([links[graph.arc_link], transfers[graph.switch_transfer]]))
    weight = np.maximum(np.round(np.array(rows) * STEPS_PER_UNIT), 1.0)
    pair, arc = np.unique(tail * n * graph.layer_mode.size + head, return_inverse=True)
    least = np.full((pair.size, len(weight)), np.inf)
    np.minimum.at(least, arc, weight.T)
    tail, head = np.divmod(pair, n * graph.layer_mode.size)
    table = instance["nodes"]
    lat, lon = (np.tile(table[name].to_numpy(dtype=float), graph.layer_mode.size) for name in ("lat", "lon"))
    places = ROAD * n + np.arange(n)
    return Network(n * graph.layer_mode.size, tail, head, np.ascontiguousarray(least.T), places, lat, lon)
