"""The network as arrays: the only place where ids become indices.

Layers are road, every rail gauge, sea and ferry. An arc is a link in one direction in its layer; a switch is a transfer
between two layers in one direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbb_opt.instance import Instance
from nbb_opt.instance.schema import CARGO_TYPES, MODES

ROAD = 0  # layer and mode of the road


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Nodes, links, transfers and projects are numbered by the row of their table, arcs and switches by layer and node.

    `layer_mode` (layers,) is the number of the mode in schema.MODES; `first_arc` (layers, nodes + 1) says where the
    arcs of a layer that leave a node start in `arc_from`, `arc_to`, `arc_link`; projects are -1 where none is needed.
    Switches leave layer `switch_from` for `switch_to` at `switch_node` by row `switch_transfer` of transfers.csv.
    """

    nodes: np.ndarray
    node_index: dict[str, int]
    layer_mode: np.ndarray
    layer_names: tuple[str, ...]
    first_arc: np.ndarray
    arc_from: np.ndarray
    arc_to: np.ndarray
    arc_link: np.ndarray
    arc_layer: np.ndarray
    link_mode: np.ndarray
    link_project: np.ndarray
    switch_node: np.ndarray
    switch_from: np.ndarray
    switch_to: np.ndarray
    switch_transfer: np.ndarray
    transfer_node: np.ndarray
    transfer_mode: np.ndarray  # (transfers, 2)
    transfer_project: np.ndarray
    projects: np.ndarray


def make_graph(instance: Instance) -> Graph:
    """The network of an instance, links and transfers that need a project included."""
    links, transfers = instance["links"], instance["transfers"]
    nodes = instance["nodes"]["node"].to_numpy()
    projects = instance["projects"]["project"].to_numpy()
    node_index = {name: i for i, name in enumerate(nodes)}
    project_index = {name: i for i, name in enumerate(projects)} | {"": -1}
    mode_index = {mode: i for i, mode in enumerate(MODES)}

    link_mode = _lookup(links["mode"], mode_index)
    gauge = links["gauge_mm"].fillna(0).to_numpy()
    rail = link_mode == mode_index["rail"]
    gauges = np.unique(gauge[rail])
    layer_mode = np.array([ROAD, *[mode_index["rail"]] * gauges.size, mode_index["sea"], mode_index["ferry"]])
    names = ("road", *(f"rail {int(g)}" for g in gauges), "sea", "ferry")
    layer_of_mode = np.array([ROAD, 1, 1 + gauges.size, 2 + gauges.size])
    link_layer = layer_of_mode[link_mode] + np.where(rail, np.searchsorted(gauges, gauge), 0)

    start, end = _lookup(links["from_node"], node_index), _lookup(links["to_node"], node_index)
    back = np.flatnonzero(links["two_way"].to_numpy())
    rows = np.arange(len(links))
    arc_link = np.concatenate([rows, back])
    arc_from, arc_to = np.concatenate([start, end[back]]), np.concatenate([end, start[back]])
    arc_layer = link_layer[arc_link]
    link_project = _lookup(links["project"], project_index)
    # of two equal arcs the search takes the first: the one that needs a project, wherever it may be used
    order = np.lexsort((arc_link, arc_to, link_project[arc_link] < 0, arc_from, arc_layer))
    arc_link, arc_from, arc_to, arc_layer = (a[order] for a in (arc_link, arc_from, arc_to, arc_layer))
    place = arc_layer * (nodes.size + 1) + arc_from
    wanted = np.arange(layer_mode.size)[:, None] * (nodes.size + 1) + np.arange(nodes.size + 1)
    first_arc = np.searchsorted(place, wanted)

    transfer_mode = np.column_stack([_lookup(transfers[side], mode_index) for side in ("mode_a", "mode_b")])
    transfer_project = _lookup(transfers["project"], project_index)
    served = np.zeros((nodes.size, layer_mode.size), dtype=bool)  # layers that have a link at the node
    served[arc_from, arc_layer] = served[arc_to, arc_layer] = True
    served[:, ROAD] = True
    transfer_node = _lookup(transfers["node"], node_index)
    switches = _switches(transfer_node, transfer_mode, layer_mode, served)
    order = np.lexsort((switches[:, 3], transfer_project[switches[:, 3]] < 0, switches[:, 0]))
    switches = switches[order]
    node_of, before, after, row_of = (np.ascontiguousarray(switches[:, i]) for i in range(4))
    return Graph(
        nodes=nodes,
        node_index=node_index,
        layer_mode=layer_mode,
        layer_names=names,
        first_arc=first_arc,
        arc_from=arc_from,
        arc_to=arc_to,
        arc_link=arc_link,
        arc_layer=arc_layer,
        link_mode=link_mode,
        link_project=link_project,
        switch_node=node_of,
        switch_from=before,
        switch_to=after,
        switch_transfer=row_of,
        transfer_node=transfer_node,
        transfer_mode=transfer_mode,
        transfer_project=transfer_project,
        projects=projects,
    )


def _switches(node: np.ndarray, modes: np.ndarray, layer_mode: np.ndarray, served: np.ndarray) -> np.ndarray:
    """(switches, 4): node, layer before, layer after, row of transfers.csv."""
    found = []
    for row in range(node.size):
        for a in np.flatnonzero((layer_mode == modes[row, 0]) & served[node[row]]):
            for b in np.flatnonzero((layer_mode == modes[row, 1]) & served[node[row]]):
                if a != b:  # rail to rail of the same gauge is no transfer
                    found += [(node[row], a, b, row), (node[row], b, a, row)]
    return np.unique(np.array(found, dtype=np.int64).reshape(-1, 4), axis=0)


def _lookup(column: object, index: dict[str, int]) -> np.ndarray:
    return np.array([index[name] for name in column], dtype=np.int64)  # type: ignore[attr-defined]


def pattern_tree(graph: Graph, modes: np.ndarray, max_main_legs: int) -> tuple[np.ndarray, np.ndarray]:
    """Every sequence of at most `max_main_legs` rail, sea and ferry legs, as a prefix tree: (parent, layer) of each.

    The root (parent -1) is road only; a pattern comes after its prefix. `modes` (4,) says which modes are allowed.
    """
    layers = [layer for layer in range(1, graph.layer_mode.size) if modes[graph.layer_mode[layer]]]
    parent, leg, level = [-1], [ROAD], [0]
    for _ in range(max_main_legs):
        children = [(pattern, layer) for pattern in level for layer in layers]
        level = list(range(len(parent), len(parent) + len(children)))
        parent += [pattern for pattern, _ in children]
        leg += [layer for _, layer in children]
    return np.array(parent, dtype=np.int64), np.array(leg, dtype=np.int64)


CARGO_TYPE_INDEX = {cargo_type: i for i, cargo_type in enumerate(CARGO_TYPES)}
