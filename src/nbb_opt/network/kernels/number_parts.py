"""Kernels that number the main parts of chains, and write chains down from their numbers.

A main part is what a chain is up to the end of a main leg: the part before it, the transfer to the road and the road
leg between (if any), the transfer to the main leg, and that leg. Equal steps, equal numbers; sums and uses as for legs.
"""

from typing import NamedTuple

import numpy as np

from nbb_opt.compiling import kernel, lean_kernel
from nbb_opt.network.kernels.find_legs import (
    ARC,
    BEFORE,
    LAST_USE,
    N_ROWS,
    N_USES,
    NONE,
    SHORTER,
    THING,
    longer_rows,
    mixed,
)

PART_BEFORE, UNLOAD, ROAD_LEG, LOAD, MAIN_LEG, PART_USE = range(6)  # columns of Parts.row


class Parts(NamedTuple):
    """row (parts, 6): part before, transfer to the road, road leg, transfer to the main leg, main leg (-1: none), and
    the last use."""

    row: np.ndarray
    sums: np.ndarray
    use: np.ndarray
    table: np.ndarray
    size: np.ndarray


def no_parts(n_weights):
    """No main parts."""
    return Parts(
        np.empty((1024, 6), np.int32), np.empty((1024, n_weights)), np.empty((1024, 2), np.int32),
        np.full(2048, NONE, np.int32), np.zeros(2, np.int64),
    )  # fmt: skip


@lean_kernel
def _part_slot(table, rows, row):
    hashed = np.uint64(1)
    for i in range(PART_USE):
        hashed = mixed(hashed, row[i])
    mask = table.size - 1
    slot = np.int64(hashed & np.uint64(mask))
    while table[slot] >= 0:
        same = True
        for i in range(PART_USE):
            same = same and rows[table[slot], i] == row[i]
        if same:
            break
        slot = (slot + 1) & mask
    return slot


@kernel
def room_for_parts(parts, more, uses):
    """The same parts with room for `more`, of so many `uses` each beyond those of the part before."""
    n, n_uses = parts.size[N_ROWS] + more, parts.size[N_USES] + more * uses
    if n > parts.row.shape[0] or 2 * n > parts.table.size:
        size = 2
        while size < 4 * n:
            size *= 2
        table = np.full(size, NONE, np.int32)
        for number in range(parts.size[N_ROWS]):
            table[_part_slot(table, parts.row, parts.row[number])] = number
        parts = Parts(longer_rows(parts.row, 2 * n), longer_rows(parts.sums, 2 * n), parts.use, table, parts.size)
    if n_uses > parts.use.shape[0]:
        parts = Parts(parts.row, parts.sums, longer_rows(parts.use, 2 * n_uses), parts.table, parts.size)
    return parts


@lean_kernel
def _use(parts, number, thing):
    use = parts.size[N_USES]
    parts.size[N_USES] += 1
    parts.use[use, BEFORE], parts.use[use, THING] = parts.row[number, PART_USE], thing
    parts.row[number, PART_USE] = use


@lean_kernel
def part_number(network, legs, parts, row):
    """Number of the main part of a `row`. There must be room for one more."""
    slot = _part_slot(parts.table, parts.row, row)
    if parts.table[slot] >= 0:
        return parts.table[slot]
    number = np.int32(parts.size[N_ROWS])
    parts.size[N_ROWS] += 1
    parts.table[slot] = number
    before = row[PART_BEFORE]
    for i in range(PART_USE):
        parts.row[number, i] = row[i]
    parts.row[number, PART_USE] = parts.row[before, PART_USE] if before >= 0 else NONE
    for w in range(parts.sums.shape[1]):
        total = parts.sums[before, w] if before >= 0 else 0.0
        if row[UNLOAD] >= 0:
            total += network.transfer_sums[row[UNLOAD], w]
        if row[ROAD_LEG] >= 0:
            total += legs.sums[row[ROAD_LEG], w]
        parts.sums[number, w] = total + network.transfer_sums[row[LOAD], w] + legs.sums[row[MAIN_LEG], w]
    for i in range(UNLOAD, PART_USE):
        what = row[i]
        if what < 0:
            continue
        if i in (UNLOAD, LOAD):
            for k in range(2):
                if network.transfer_things[what, k] >= 0:
                    _use(parts, number, network.transfer_things[what, k])
        else:
            use = legs.row[what, LAST_USE]
            while use >= 0:
                _use(parts, number, legs.use[use, THING])
                use = legs.use[use, BEFORE]
    return number


@lean_kernel
def _write_leg(legs, leg, out, size):
    while leg > 0:
        out[size] = legs.row[leg, ARC]
        size += 1
        leg = legs.row[leg, SHORTER]
    return size


@lean_kernel
def write_chain(legs, parts, part, leave, last, out):
    """Write the steps of a chain, arcs or -1 - transfers in driving order: its main part, transfer, last leg.

    With part -1 the chain is leg `last`. Gives how many steps there are.
    """
    size = _write_leg(legs, last, out, 0)
    if part >= 0:
        out[size] = -1 - leave
        size += 1
    while part >= 0:
        row = parts.row[part]
        size = _write_leg(legs, row[MAIN_LEG], out, size)
        out[size] = -1 - row[LOAD]
        size = _write_leg(legs, row[ROAD_LEG], out, size + 1)
        if row[UNLOAD] >= 0:
            out[size] = -1 - row[UNLOAD]
            size += 1
        part = row[PART_BEFORE]
    for i in range(size // 2):
        out[i], out[size - 1 - i] = out[size - 1 - i], out[i]
    return size
