"""Candidates turned into rows of items: piece by piece, and the pieces joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nbb_opt.instance import Instance
from nbb_opt.instance.schema import HANDLINGS
from nbb_opt.network.candidates import Candidates, kind_name, main_mode, number_legs, sides
from nbb_opt.network.compact import LANE, SERVICE, TRANSFER, ChainRows, Items
from nbb_opt.network.graph import ROAD, Graph
from nbb_opt.network.steps import kernels
from nbb_opt.network.weights import Amounts


@dataclass(frozen=True, eq=False)
class Piece:
    """Chains of one handling as rows of legs of their own and transfers.

    An item is a leg, whose arcs are leg_arc[leg_first[i]] to leg_arc[leg_first[i + 1]], or -1 - a change: twice the row
    of transfers.csv, plus one if it is done from mode_b to mode_a. The rest as in Candidates.
    """

    handling: int
    first: np.ndarray
    item: np.ndarray
    leg_first: np.ndarray
    leg_arc: np.ndarray
    bundle: np.ndarray
    kind: np.ndarray
    main_mode: np.ndarray
    project_set: np.ndarray
    project_sets: tuple[tuple[int, ...], ...]


def piece_of(instance: Instance, graph: Graph, found: Candidates, *, handling: int) -> Piece:
    """The chains of `found`, all of one handling, with every leg once."""
    code = found.code
    leg_of_step, start, size = number_legs(graph, found, np.zeros(found.bundle.size, dtype=np.int64))
    moved = np.flatnonzero(code < 0)
    row = -1 - code[moved].astype(np.int64)
    turned = graph.layer_mode[sides(graph, code, found.first)[0][moved]] != graph.transfer_mode[row, 0]
    item = leg_of_step
    item[moved] = -1 - (2 * row + turned)
    kept = (leg_of_step >= 0) | (code < 0)
    before = np.append(0, np.cumsum(kept))
    ends = np.cumsum(size)
    steps = np.arange(int(size.sum())) + np.repeat(start - (ends - size), size)
    return Piece(
        handling, before[found.first], item[kept].astype(np.int32), np.append(0, ends), code[steps],
        found.bundle.astype(np.int32), found.kind, main_mode(instance, graph, found).astype(np.int8),
        found.project_set.astype(np.int32), found.project_sets,
    )  # fmt: skip


def pack(instance: Instance, graph: Graph, pieces: Sequence[Piece], *, amounts: Amounts) -> tuple[ChainRows, Items]:
    """All pieces as one, sorted by bundle.

    Lanes and services are numbered as they first occur, transfers by handling, row and direction; chains of one
    handling share them.
    """
    n_rows, n_legs = len(instance["transfers"]), np.array([piece.leg_first.size - 1 for piece in pieces])
    arcs = np.concatenate([piece.leg_arc for piece in pieces])
    first = np.append(0, np.cumsum(np.concatenate([np.diff(piece.leg_first) for piece in pieces])))
    by_leg = np.repeat(np.array([piece.handling for piece in pieces], dtype=np.int64), n_legs)
    same, start, size = kernels.distinct_legs(arcs, first, by_leg)
    entries = [
        _everywhere(piece, same[base : base + n], 2 * n_rows)
        for piece, base, n in zip(pieces, (np.cumsum(n_legs) - n_legs).tolist(), n_legs.tolist(), strict=True)
    ]
    bundle = np.concatenate([piece.bundle for piece in pieces])
    order = np.argsort(bundle, kind="stable")
    item_start, item = kernels.rows_in_order(
        np.concatenate([np.diff(piece.first) for piece in pieces]), np.concatenate(entries), order
    )
    del entries

    seen = kernels.order_seen(item, start.size)  # legs as they first occur
    road = graph.arc_layer[arcs[start[seen]]] == ROAD
    seen = np.concatenate([seen[road], seen[~road]])
    changes = np.unique(-1 - item[item < 0])
    number = np.zeros(start.size + 2 * n_rows * len(HANDLINGS), dtype=np.int32)
    number[seen] = np.arange(seen.size)
    number[-1 - changes] = seen.size + np.arange(changes.size)  # from the end: item -1 - k is number[-1 - k]
    kinds, kind = np.unique(np.concatenate([piece.kind for piece in pieces]), return_inverse=True)
    index: dict[tuple[int, ...], int] = {(): 0}
    sets = [
        np.array([index.setdefault(one, len(index)) for one in piece.project_sets], dtype=np.int32)[piece.project_set]
        for piece in pieces
    ]
    project_set = np.concatenate(sets)[order]
    occurring, row, number_of = np.unique(project_set, return_index=True, return_inverse=True)
    by_row = np.argsort(row)  # sets as they first occur
    rank = np.empty(by_row.size, dtype=np.int32)
    rank[by_row] = np.arange(by_row.size)
    every_set = tuple(index)
    rows = ChainRows(
        item_start=item_start,
        item=number[item],
        bundle=bundle[order],
        kind=kind.astype(np.int16)[order],
        kinds=tuple(kind_name(one) for one in kinds.tolist()),
        main_mode=np.concatenate([piece.main_mode for piece in pieces])[order],
        project_set=rank[number_of],
        project_sets=tuple(every_set[one] for one in occurring[by_row].tolist()),
    )
    legs = _legs(instance, graph, arcs, start[seen], size[seen])
    turn, row, handling = changes % 2, changes // 2 % max(1, n_rows), changes // 2 // max(1, n_rows)
    modes, node, each = graph.transfer_mode[row], graph.transfer_node[row], np.arange(changes.size)
    of_kind = [int(road.sum()), int((~road).sum()), changes.size]
    items = Items(
        kind=np.repeat(np.array([LANE, SERVICE, TRANSFER], dtype=np.int8), of_kind),
        handling=np.concatenate([by_leg[np.searchsorted(first, start[seen])], handling]).astype(np.int8),
        link_start=np.append(legs["link_start"], np.full(changes.size, legs["link"].size)),
        link=legs["link"].astype(np.int32),
        backwards=legs["backwards"],
        from_node=np.concatenate([legs["from_node"], node]).astype(np.int32),
        to_node=np.concatenate([legs["to_node"], node]).astype(np.int32),
        transfer=np.concatenate([np.full(seen.size, -1), row]).astype(np.int32),
        mode_a=np.concatenate([legs["mode"], modes[each, turn]]).astype(np.int8),
        mode_b=np.concatenate([legs["mode"], modes[each, 1 - turn]]).astype(np.int8),
        distance_km=np.append(legs["distance_km"], np.zeros(changes.size)),
        time_h=np.append(legs["time_h"], amounts.transfer_time[handling, row]),
    )
    return rows, items


def _everywhere(piece: Piece, leg: np.ndarray, n_changes: int) -> np.ndarray:
    """The items of a piece with the numbers that legs and changes have in all pieces."""
    changed = piece.item < 0
    item = np.empty(piece.item.size, dtype=np.int32)
    item[~changed] = leg[piece.item[~changed]]
    item[changed] = piece.item[changed] - piece.handling * n_changes
    return item


def _legs(
    instance: Instance, graph: Graph, arcs: np.ndarray, first: np.ndarray, size: np.ndarray
) -> dict[str, np.ndarray]:
    """Links, ends and sums of the legs that are arcs[first] to arcs[first + size - 1]."""
    ends = np.cumsum(size)
    starts = ends - size
    arc = arcs[np.arange(int(size.sum())) + np.repeat(first - starts, size)]
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
