"""Kernels that number the main parts of chains, and write chains down from their numbers.

A main part is what a chain is up to the end of a main leg: the part before it, the transfer to the road and the road
leg between (if any), the transfer to the main leg, and that leg. Equal steps, equal numbers; sums and uses as for legs.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from nbb_opt.network.kernels.compiled import lean
from nbb_opt.network.kernels.find_legs import N_ROWS, N_USES, NONE, longer, longer_rows, mixed


class Parts(NamedTuple):
    """Main part p has row[p] = part before, transfer to road, road leg, transfer to the main leg, main leg; -1: none.

    The road leg of a part without a part before it is one of the legs of its origin, all others are common ones.
    """

    row: np.ndarray
    sums: np.ndarray
    uses: np.ndarray
    use_before: np.ndarray
    thing: np.ndarray
    table: np.ndarray
    size: np.ndarray


@njit(cache=True, nogil=True)
def no_parts(n_weights, room):
    """No main parts."""
    return Parts(
        np.empty((room, 5), dtype=np.int32), np.empty((room, n_weights)), np.empty(room, dtype=np.int32),
        np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32), np.full(2 * room, NONE, dtype=np.int32),
        np.zeros(2, dtype=np.int64),
    )  # fmt: skip


@lean
def _part_slot(table, rows, row):
    hashed = np.uint64(1)
    for i in range(5):
        hashed = mixed(hashed, row[i])
    mask = table.size - 1
    slot = np.int64(hashed & np.uint64(mask))
    while table[slot] >= 0:
        known = rows[table[slot]]
        if (
            known[0] == row[0] and known[1] == row[1] and known[2] == row[2] and known[3] == row[3]
            and known[4] == row[4]
        ):  # fmt: skip
            break
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def room_for_parts(parts, more, uses):
    """The same parts with room for `more`, of so many `uses` each beyond those of the part before."""
    n = parts.size[N_ROWS] + more
    if n > parts.row.shape[0] or 2 * n > parts.table.size:
        room = 2 * n
        size = 2
        while size < 2 * room:
            size *= 2
        table = np.full(size, NONE, dtype=np.int32)
        for number in range(parts.size[N_ROWS]):
            table[_part_slot(table, parts.row, parts.row[number])] = number
        parts = Parts(
            longer_rows(parts.row, room), longer_rows(parts.sums, room), longer(parts.uses, room), parts.use_before,
            parts.thing, table, parts.size,
        )  # fmt: skip
    n = parts.size[N_USES] + more * uses
    if n > parts.thing.size:
        parts = Parts(
            parts.row, parts.sums, parts.uses, longer(parts.use_before, 2 * n), longer(parts.thing, 2 * n),
            parts.table, parts.size,
        )  # fmt: skip
    return parts


@lean
def _use(parts, number, thing):
    use = parts.size[N_USES]
    parts.size[N_USES] += 1
    parts.use_before[use], parts.thing[use] = parts.uses[number], thing
    parts.uses[number] = use


@lean
def _add_leg(parts, number, legs, leg):
    for w in range(parts.sums.shape[1]):
        parts.sums[number, w] += legs.sums[leg, w]
    use = legs.uses[leg]
    while use >= 0:
        _use(parts, number, legs.thing[use])
        use = legs.use_before[use]


@lean
def _add_transfer(parts, number, network, transfer):
    for w in range(parts.sums.shape[1]):
        parts.sums[number, w] += network.transfer_sums[transfer, w]
    for thing in network.transfer_things[transfer]:
        if thing >= 0:
            _use(parts, number, thing)


@lean
def part_number(network, legs, own, parts, row):
    """Number of the main part of a `row`; `own` are the legs of the origin. There must be room for one more."""
    slot = _part_slot(parts.table, parts.row, row)
    if parts.table[slot] >= 0:
        return parts.table[slot]
    number = np.int32(parts.size[N_ROWS])
    parts.size[N_ROWS] += 1
    parts.table[slot] = number
    for i in range(5):
        parts.row[number, i] = row[i]
    for w in range(parts.sums.shape[1]):
        parts.sums[number, w] = parts.sums[row[0], w] if row[0] >= 0 else 0.0
    parts.uses[number] = parts.uses[row[0]] if row[0] >= 0 else NONE
    if row[1] >= 0:
        _add_transfer(parts, number, network, row[1])
    if row[2] >= 0:
        _add_leg(parts, number, own if row[0] < 0 else legs, row[2])
    _add_transfer(parts, number, network, row[3])
    _add_leg(parts, number, legs, row[4])
    return number


@lean
def _write_leg(legs, leg, out, size):
    while leg > 0:
        out[size] = legs.arc[leg]
        size += 1
        leg = legs.shorter[leg]
    return size


@lean
def write_chain(legs, own, parts, part, leave, last, out):
    """Write the steps of a chain, arcs or -1 - transfers in driving order: its main part, transfer, last leg.

    With part -1 the chain is leg `last` of the origin. Gives how many steps there are.
    """
    if part < 0:
        size = _write_leg(own, last, out, 0)
    else:
        size = _write_leg(legs, last, out, 0)
        out[size] = -1 - leave
        size += 1
        while part >= 0:
            row = parts.row[part]
            before, unload, road, load, main = row[0], row[1], row[2], row[3], row[4]
            size = _write_leg(legs, main, out, size)
            out[size] = -1 - load
            size += 1
            if road >= 0:
                size = _write_leg(own if before < 0 else legs, road, out, size)
            if unload >= 0:
                out[size] = -1 - unload
                size += 1
            part = before
    for i in range(size // 2):
        out[i], out[size - 1 - i] = out[size - 1 - i], out[i]
    return size
