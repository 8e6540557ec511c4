"""Candidates turned into rows of items: batch by batch, and the batches joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nbb_opt.instance import Instance
from nbb_opt.instance.schema import CARGO_TYPES
from nbb_opt.network.candidates import Candidates, kind_name, main_mode, number_legs, sides
from nbb_opt.network.compact import LANE, SERVICE, TRANSFER, ChainRows, Items
from nbb_opt.network.graph import ROAD, Graph
from nbb_opt.network.kernels import look_at_steps
from nbb_opt.network.weights import Amounts


@dataclass(frozen=True, eq=False, kw_only=True)
class ChainBatch:
    """Chains of one cargo type as rows of legs of their own and transfers.

    `size` (chains,) items of `item` make up each chain. An item is a leg, whose arcs are leg_arc[leg_first[i]] to
    leg_arc[leg_first[i + 1]], or -1 - a change: twice the row of transfers.csv, plus one if it is done from mode_b to
    mode_a. The rest as in Candidates.
    """

    cargo_type: int
    size: np.ndarray
    item: np.ndarray
    leg_first: np.ndarray
    leg_arc: np.ndarray
    bundle: np.ndarray
    kind: np.ndarray
    main_mode: np.ndarray
    project_set: np.ndarray
    project_sets: tuple[tuple[int, ...], ...]


def batch_of(instance: Instance, graph: Graph, found: Candidates, *, cargo_type: int) -> ChainBatch:
    """The chains of `found`, all of one cargo type, with every leg once."""
    code = found.code
    leg_of_step, start, size = number_legs(graph, found, np.zeros(found.bundle.size, dtype=np.int64))
    moved = np.flatnonzero(code < 0)
    row = -1 - code[moved].astype(np.int64)
    turned = graph.layer_mode[sides(graph, code, found.first)[0][moved]] != graph.transfer_mode[row, 0]
    item = leg_of_step
    item[moved] = -1 - (2 * row + turned)
    kept = (leg_of_step >= 0) | (code < 0)
    items = np.diff(np.append(0, np.cumsum(kept))[found.first])
    return ChainBatch(
        cargo_type=cargo_type, size=items.astype(np.int16), item=item[kept].astype(np.int32),
        leg_first=np.append(0, np.cumsum(size)), leg_arc=look_at_steps.rows_of(code, start, size),
        bundle=found.bundle.astype(np.int32), kind=found.kind.astype(np.int32),
        main_mode=main_mode(instance, graph, found).astype(np.int8), project_set=found.project_set.astype(np.int32),
        project_sets=found.project_sets,
    )  # fmt: skip


def joined(batches: list[ChainBatch]) -> ChainBatch:
    """Pieces of one cargo type as one, every leg once; the list is emptied."""
    cargo_type = batches[0].cargo_type
    n_legs = [batch.leg_first.size - 1 for batch in batches]
    arcs, leg_first = _legs_of(batches)
    same, start, size = look_at_steps.distinct_legs(arcs, leg_first, np.full(leg_first.size - 1, cargo_type))
    sets, project_set = _sets_of(batches)
    whole = [
        np.concatenate([getattr(batch, name) for batch in batches]) for name in ("size", "bundle", "kind", "main_mode")
    ]
    numbers = np.split(same, np.cumsum(n_legs)[:-1])
    item = np.concatenate(
        [look_at_steps.with_numbers(batch.item, leg, 0) for batch, leg in zip(batches, numbers, strict=True)]
    )
    batches.clear()
    return ChainBatch(
        cargo_type=cargo_type, size=whole[0], item=item, leg_first=np.append(0, np.cumsum(size)),
        leg_arc=look_at_steps.rows_of(arcs, start, size), bundle=whole[1], kind=whole[2], main_mode=whole[3],
        project_set=project_set, project_sets=sets,
    )  # fmt: skip


def pack(instance: Instance, graph: Graph, batches: list[ChainBatch], *, amounts: Amounts) -> tuple[ChainRows, Items]:
    """All batches as one, sorted by bundle; the list is emptied.

    Lanes and services are numbered as they first occur, transfers by cargo type, row and direction; chains of one
    cargo type share them. Sets of projects are numbered as they first occur.
    """
    n_rows, n_legs = len(instance["transfers"]), np.array([batch.leg_first.size - 1 for batch in batches])
    arcs, first = _legs_of(batches)
    by_leg = np.repeat(np.array([batch.cargo_type for batch in batches], dtype=np.int64), n_legs)
    same, start, size = look_at_steps.distinct_legs(arcs, first, by_leg)
    sets, project_set = _sets_of(batches)
    kinds = np.unique(np.concatenate([np.unique(batch.kind) for batch in batches]))
    kind = np.concatenate([np.searchsorted(kinds, batch.kind).astype(np.int16) for batch in batches])
    length, bundle, mode = (
        np.concatenate([getattr(batch, name) for batch in batches]) for name in ("size", "bundle", "main_mode")
    )
    order = np.argsort(bundle, kind="stable").astype(np.int32)
    item_start, place = look_at_steps.places_in_order(length, order)
    item = np.empty(item_start[-1], dtype=np.int32)
    done = 0
    for numbers in np.split(same, np.cumsum(n_legs)[:-1]):
        batch = batches.pop(0)
        shift, here = batch.cargo_type * 2 * n_rows, place[done : done + batch.size.size]
        look_at_steps.put_rows(batch.item, batch.size, numbers, shift, here, item_start, item)
        done += here.size
    del batch, here, place, length

    seen = look_at_steps.order_seen(item, start.size)  # legs as they first occur
    road = graph.arc_layer[arcs[start[seen]]] == ROAD
    seen = np.concatenate([seen[road], seen[~road]])
    n_changes = 2 * n_rows * len(CARGO_TYPES)
    changes = np.flatnonzero(look_at_steps.changes_seen(item, n_changes))
    number = np.zeros(start.size + n_changes, dtype=np.int32)
    number[seen] = np.arange(seen.size)
    number[-1 - changes] = seen.size + np.arange(changes.size)  # from the end: item -1 - k is number[-1 - k]
    project_set = project_set[order]
    occurring = look_at_steps.order_seen(project_set, len(sets))
    rank = np.empty(len(sets), dtype=np.int32)
    rank[occurring] = np.arange(occurring.size)
    rows = ChainRows(
        item_start=item_start,
        item=look_at_steps.with_places(item, number),
        bundle=bundle[order],
        kind=kind[order],
        kinds=tuple(kind_name(one) for one in kinds.tolist()),
        main_mode=mode[order],
        project_set=rank[project_set],
        project_sets=tuple(sets[one] for one in occurring.tolist()),
    )
    legs = _legs(instance, graph, arcs, start[seen], size[seen])
    turn, row, cargo_type = changes % 2, changes // 2 % max(1, n_rows), changes // 2 // max(1, n_rows)
    modes, node, each = graph.transfer_mode[row], graph.transfer_node[row], np.arange(changes.size)
    of_kind = [int(road.sum()), int((~road).sum()), changes.size]
    items = Items(
        kind=np.repeat(np.array([LANE, SERVICE, TRANSFER], dtype=np.int8), of_kind),
        cargo_type=np.concatenate([by_leg[np.searchsorted(first, start[seen])], cargo_type]).astype(np.int8),
        link_start=np.append(legs["link_start"], np.full(changes.size, legs["link"].size)),
        link=legs["link"].astype(np.int32),
        backwards=legs["backwards"],
        from_node=np.concatenate([legs["from_node"], node]).astype(np.int32),
        to_node=np.concatenate([legs["to_node"], node]).astype(np.int32),
        transfer=np.concatenate([np.full(seen.size, -1), row]).astype(np.int32),
        mode_a=np.concatenate([legs["mode"], modes[each, turn]]).astype(np.int8),
        mode_b=np.concatenate([legs["mode"], modes[each, 1 - turn]]).astype(np.int8),
        distance_km=np.append(legs["distance_km"], np.zeros(changes.size)),
        time_h=np.append(legs["time_h"], amounts.transfer_time[cargo_type, row]),
    )
    return rows, items


def _legs_of(batches: Sequence[ChainBatch]) -> tuple[np.ndarray, np.ndarray]:
    """Arcs of the legs of all batches, and where each leg begins."""
    length = np.concatenate([np.diff(batch.leg_first) for batch in batches])
    return np.concatenate([batch.leg_arc for batch in batches]), np.append(0, np.cumsum(length))


def _sets_of(batches: Sequence[ChainBatch]) -> tuple[tuple[tuple[int, ...], ...], np.ndarray]:
    """The sets of projects of all batches, and the number of each chain's."""
    index: dict[tuple[int, ...], int] = {(): 0}
    number = [
        np.array([index.setdefault(one, len(index)) for one in batch.project_sets], dtype=np.int32)[batch.project_set]
        for batch in batches
    ]
    return tuple(index), np.concatenate(number)


def _legs(
    instance: Instance, graph: Graph, arcs: np.ndarray, first: np.ndarray, size: np.ndarray
) -> dict[str, np.ndarray]:
    """Links, ends and sums of the legs that are arcs[first] to arcs[first + size - 1]."""
    ends = np.cumsum(size)
    starts = ends - size
    arc = look_at_steps.rows_of(arcs, first, size)
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
