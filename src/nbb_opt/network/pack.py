"""Candidates turned into rows of items."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbb_opt.instance import Instance
from nbb_opt.network.chains import Candidates, kind_name, main_mode, number_legs, sides
from nbb_opt.network.compact import LANE, SERVICE, TRANSFER, ChainRows, Items
from nbb_opt.network.graph import ROAD, Graph
from nbb_opt.network.weights import Amounts


def pack(
    instance: Instance, graph: Graph, found: Candidates, *, amounts: Amounts, handling: np.ndarray
) -> tuple[ChainRows, Items]:
    """Number lanes and services as they first occur, transfers by handling, row and direction.

    `handling` (bundles,) counts schema.HANDLINGS; chains of one handling share lanes and services.
    """
    code, chain = found.code, found.chain
    by_chain = handling[found.bundle]
    leg_of_step, leg_first, leg_size = number_legs(graph, found, by_chain)
    road = graph.arc_layer[code[leg_first]] == ROAD
    order = np.argsort(~road, kind="stable")  # lanes, then services
    number = np.empty(road.size, dtype=np.int32)
    number[order] = np.arange(road.size)

    at = np.flatnonzero(code < 0)
    row = -1 - code[at].astype(np.int64)
    before = graph.layer_mode[sides(graph, code, found.first)[0][at]]
    turned = before != graph.transfer_mode[row, 0]
    n_rows = len(instance["transfers"])
    moves, move = np.unique((by_chain[chain[at]] * n_rows + row) * 2 + turned, return_inverse=True)

    entry = np.full(code.size, -1, dtype=np.int32)
    starts = leg_of_step >= 0
    entry[starts] = number[leg_of_step[starts]]
    entry[at] = road.size + move
    kept = entry >= 0
    kinds, kind = np.unique(found.kind, return_inverse=True)
    rows = ChainRows(
        item_start=np.append(0, np.cumsum(np.bincount(chain[kept], minlength=found.bundle.size))),
        item=entry[kept],
        bundle=found.bundle.astype(np.int32),
        kind=kind.astype(np.int16),
        kinds=tuple(kind_name(one) for one in kinds.tolist()),
        main_mode=main_mode(instance, graph, found).astype(np.int8),
        project_set=found.project_set.astype(np.int32),
        project_sets=found.project_sets,
    )
    first = leg_first[order]
    legs = _legs(instance, graph, code, first, leg_size[order])
    turn, row = moves % 2, moves // 2 % max(1, n_rows)
    handling_of = moves // 2 // max(1, n_rows)
    modes = graph.transfer_mode[row]
    node, each = graph.transfer_node[row], np.arange(moves.size)
    size = [int(road.sum()), int((~road).sum()), moves.size]
    items = Items(
        kind=np.repeat(np.array([LANE, SERVICE, TRANSFER], dtype=np.int8), size),
        handling=np.concatenate([by_chain[chain[first]], handling_of]).astype(np.int8),
        link_start=np.append(legs["link_start"], np.full(moves.size, legs["link"].size)),
        link=legs["link"].astype(np.int32),
        backwards=legs["backwards"],
        from_node=np.concatenate([legs["from_node"], node]).astype(np.int32),
        to_node=np.concatenate([legs["to_node"], node]).astype(np.int32),
        transfer=np.concatenate([np.full(road.size, -1), row]).astype(np.int32),
        mode_a=np.concatenate([legs["mode"], modes[each, turn]]).astype(np.int8),
        mode_b=np.concatenate([legs["mode"], modes[each, 1 - turn]]).astype(np.int8),
        distance_km=np.append(legs["distance_km"], np.zeros(moves.size)),
        time_h=np.append(legs["time_h"], amounts.transfer_time[handling_of, row]),
    )
    return rows, items


def _legs(
    instance: Instance, graph: Graph, code: np.ndarray, first: np.ndarray, size: np.ndarray
) -> dict[str, np.ndarray[Any, Any]]:
    """Links, ends and sums of the legs that are code[first] to code[first + size - 1]."""
    ends = np.cumsum(size)
    starts = ends - size
    arc = code[np.arange(int(size.sum())) + np.repeat(first - starts, size)]
    link, leg = graph.arc_link[arc], np.repeat(np.arange(size.size), size)
    links = instance["links"]
    link_from = np.array([graph.node_index[name] for name in links["from_node"]], dtype=np.int64)
    found = {
        name: np.bincount(leg, weights=links[name].to_numpy()[link], minlength=size.size)
        for name in ("distance_km", "time_h")
    }
    return found | {
        "link_start": np.append(0, ends),
        "link": link,
        "backwards": graph.arc_from[arc] != link_from[link],
        "from_node": graph.arc_from[arc[starts]],
        "to_node": graph.arc_to[arc[ends - 1]],
        "mode": graph.link_mode[link[starts]],
    }
