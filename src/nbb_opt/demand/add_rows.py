"""Kernels of the demand: rows are checked and added to an array with a cell for every flow, or to a hash table.

Rows are taken in blocks: the cells of a block are found first and its rows checked, then added one after the other, so
that the processor waits for many cells at once. Every sum is made in the order of the rows. A cell holds -0.0 until a
row reaches it: adding to it changes nothing, and its sign tells it from a flow of zero tonnes.
"""

import numpy as np

from nbb_opt.compiling import kernel

FIRST_YEAR = 1950
YEAR_SLOTS = 171  # 1950 to 2120, the bounds of the schema
PLACES_KEPT = 50  # row numbers kept per kind of fault

FAULT_ORIGIN_UNKNOWN = 0
FAULT_ORIGIN_NO_ZONE = 1
FAULT_DESTINATION_UNKNOWN = 2
FAULT_DESTINATION_NO_ZONE = 3
FAULT_COMMODITY_UNKNOWN = 4
FAULT_YEAR = 5
FAULT_NOT_FINITE = 6
FAULT_NEGATIVE = 7
FAULT_SAME_PLACE = 8
FAULT_DUPLICATE = 9
FAULT_TOO_SMALL = 10
FAULT_TOO_LARGE = 11
FAULTS = 12

LEAST_T = 1e-7  # t/year; a solver drops coefficients not much smaller
MOST_T = 1e8

UNKNOWN = -1
NO_ZONE = -2
EMPTY = -1  # a free slot of the hash table

BLOCK = 2048
BAD = -(1 << 29)  # share of an unusable id in a cell number: four of them still fit an int32
MAX_CELLS = 1 << 28
YEAR_BITS = 8  # room for the year slot at the end of a key


@kernel
def slot_of(keys, key):
    """Slot of `key` in the open-addressing table `keys`, or the free slot where it belongs."""
    mask = keys.size - 1
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    slot = np.int64((mixed >> np.uint64(20)) & np.uint64(mask))
    while keys[slot] != EMPTY and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@kernel
def move_table(keys, values, new_keys, new_values):
    """Copy every entry of one table into a larger, empty one."""
    for i in range(keys.size):
        if keys[i] != EMPTY:
            slot = slot_of(new_keys, keys[i])
            new_keys[slot] = keys[i]
            new_values[slot] = values[i]


@kernel
def _fault(o, d, k, slot, t, within, least, most):
    if o < 0:
        return FAULT_ORIGIN_UNKNOWN if o == UNKNOWN else FAULT_ORIGIN_NO_ZONE
    if d < 0:
        return FAULT_DESTINATION_UNKNOWN if d == UNKNOWN else FAULT_DESTINATION_NO_ZONE
    if k < 0:
        return FAULT_COMMODITY_UNKNOWN
    if slot < 0:
        return FAULT_YEAR
    if not np.isfinite(t):
        return FAULT_NOT_FINITE
    if t < 0.0:
        return FAULT_NEGATIVE
    if o == d and not within:
        return FAULT_SAME_PLACE
    if t != 0.0 and t < least:
        return FAULT_TOO_SMALL
    if t > most:
        return FAULT_TOO_LARGE
    return -1


@kernel
def _note(fault, row, counts, first):
    if counts[fault] < PLACES_KEPT:
        first[fault, counts[fault]] = row
    counts[fault] += 1


@kernel
def _position(cell, table):
    """Place of a cell of an id column in its table; the last one, which stands for unknown, if it is outside."""
    return min(np.uint32(cell), np.uint32(table.size - 1))


@kernel
def _add_carefully(
    cells, origin, destination, commodity, year, one_year, tonnes, zone_o, zone_d, group, year_slot,
    cell_o, cell_d, cell_k, cell_y, within, least, most, row_0, start, end, counts, first,
):  # fmt: skip
    """Add rows `start` to `end` that may be faulty, one by one; see `add_dense`."""
    for r in range(start, end):
        o, d, k = _position(origin[r], zone_o), _position(destination[r], zone_d), _position(commodity[r], group)
        y = year[0] if one_year else year[r]
        fault = _fault(zone_o[o], zone_d[d], group[k], year_slot[y], tonnes[r], within, least, most)
        if fault >= 0:
            _note(fault, row_0 + r, counts, first)
        else:
            cells[cell_o[o] + cell_d[d] + cell_k[k] + cell_y[y]] += tonnes[r] + 0.0


@kernel
def add_dense(
    cells, origin, destination, commodity, year, one_year, tonnes, zone_o, zone_d, group, year_slot,
    cell_o, cell_d, cell_k, cell_y, within, least, most, n_zones, row_0, counts, first,
):  # fmt: skip
    """Add rows to `cells`; note faulty rows in `counts` and `first`, which are not added.

    `origin`, `destination`, `commodity` and `year` (int32) are positions in the tables `zone_o`, `zone_d` (zone or
    negative), `group` (commodity or negative) and `year_slot` (slot of `cells` or negative); of the first three one
    outside its table is the last entry. Tonnes other than 0 lie from `least` to `most`. `cell_*` hold the same as
    shares of the cell number: BAD where negative. With `one_year` every row has the year year[0].
    """
    number = np.empty(BLOCK, np.uint32)
    n = origin.size
    base = cell_y[np.uint32(year[0])] if n and one_year else np.int32(0)
    for start in range(0, n, BLOCK):
        m = min(BLOCK, n - start)
        far_o, far_d, far_k = np.uint32(0), np.uint32(0), np.uint32(0)
        for j in range(m):
            i = np.uint64(start + j)
            far_o, far_d = max(far_o, np.uint32(origin[i])), max(far_d, np.uint32(destination[i]))
            far_k = max(far_k, np.uint32(commodity[i]))
        wrong = np.int32(far_o >= cell_o.size or far_d >= cell_d.size or far_k >= cell_k.size)
        for j in range(m):
            t = tonnes[np.uint64(start + j)]
            wrong += np.int32(not ((t >= least and t <= most) or t == 0.0))
        every = np.uint32(0)
        if not wrong:
            for j in range(m):
                i = np.uint64(start + j)
                share = cell_o[np.uint32(origin[i])] + cell_d[np.uint32(destination[i])]
                cell = np.uint32(share + cell_k[np.uint32(commodity[i])] + base)
                if not one_year:
                    cell += np.uint32(cell_y[np.uint32(year[i])])
                number[np.uint64(j)] = cell
                every |= cell
            if not within:
                for j in range(m):
                    i = np.uint64(start + j)
                    wrong += np.int32(cell_o[np.uint32(origin[i])] == cell_d[np.uint32(destination[i])] * n_zones)
        if wrong or every >> np.uint32(31):
            _add_carefully(
                cells, origin, destination, commodity, year, one_year, tonnes, zone_o, zone_d, group, year_slot,
                cell_o, cell_d, cell_k, cell_y, within, least, most, row_0, start, start + m, counts, first,
            )  # fmt: skip
            continue
        for j in range(m):
            cells[number[np.uint64(j)]] += tonnes[np.uint64(start + j)] + 0.0


@kernel
def add_sparse(
    keys, values, used, origin, destination, commodity, year, one_year, tonnes, zone_o, zone_d, group, year_slot,
    within, least, most, n_zones, n_groups, start, row_0, counts, first, twice, before, kept,
):  # fmt: skip
    """Add rows from `start` on to the hash table `keys`, `values` until it is half full; (rows done, keys used).

    The key is (origin * n_zones + destination) * n_groups + commodity, shifted by YEAR_BITS, and the year slot. With
    `twice` a row of a flow and year met before is noted too (and added all the same); unless `before` is empty, values
    are then the last row of each key instead of tonnes, and `before` gets that of every row noted. `kept`, unless
    empty, gets 1 for a row that is added, 0 for a faulty one.
    """
    n = origin.size
    half = keys.size // 2
    for i in range(start, n):
        if used >= half:
            return i, used
        o, d = zone_o[_position(origin[i], zone_o)], zone_d[_position(destination[i], zone_d)]
        k = group[_position(commodity[i], group)]
        y = year_slot[year[0] if one_year else year[i]]
        t = tonnes[i]
        fault = _fault(o, d, k, y, t, within, least, most)
        if fault >= 0:
            _note(fault, row_0 + i, counts, first)
            if kept.size:
                kept[i] = 0
            continue
        if kept.size:
            kept[i] = 1
        key = (((np.int64(o) * n_zones + d) * n_groups + k) << YEAR_BITS) | y
        slot = slot_of(keys, key)
        if keys[slot] == EMPTY:
            keys[slot] = key
            values[slot] = -0.0
            used += 1
        elif twice:
            if before.size and counts[FAULT_DUPLICATE] < PLACES_KEPT:
                before[counts[FAULT_DUPLICATE]] = np.int64(values[slot])
            _note(FAULT_DUPLICATE, row_0 + i, counts, first)
        if before.size:
            values[slot] = row_0 + i
        else:
            values[slot] += t + 0.0
    return n, used


@kernel
def pack(cells, n_flows, slots, keys, tonnes):
    """Write key and tonnes of every cell that a row has reached, sorted by key; their number.

    `cells` holds one stretch of `n_flows` cells for every year; `slots` are their year slots. `keys` and `tonnes` have
    room for one entry more than there can be; with one year `tonnes` may be `cells`.
    """
    many = 0
    order = np.argsort(slots)
    if slots.size == 1:
        for flow in range(n_flows):
            value = cells[flow]
            keys[many] = (np.int64(flow) << YEAR_BITS) | slots[0]
            tonnes[many] = value
            many += not np.signbit(value)
        return many
    for flow in range(n_flows):
        for p in order:
            value = cells[p * n_flows + flow]
            keys[many] = (np.int64(flow) << YEAR_BITS) | slots[p]
            tonnes[many] = value
            many += not np.signbit(value)
    return many


@kernel
def merge(keys_a, tonnes_a, keys_b, tonnes_b, keys, tonnes):
    """Merge two sorted lists of flows, adding the tonnes of b to those of a; the number of flows."""
    i = j = many = 0
    while i < keys_a.size or j < keys_b.size:
        if j == keys_b.size or (i < keys_a.size and keys_a[i] < keys_b[j]):
            keys[many], tonnes[many] = keys_a[i], tonnes_a[i]
            i += 1
        elif i == keys_a.size or keys_b[j] < keys_a[i]:
            keys[many], tonnes[many] = keys_b[j], tonnes_b[j]
            j += 1
        else:
            keys[many], tonnes[many] = keys_a[i], tonnes_a[i] + tonnes_b[j]
            i += 1
            j += 1
        many += 1
    return many


@kernel
def tonnes_in_years(start, year, tonnes, years):
    """Tonnes of every series in `years`, (series, years) in t/year: linear between the years it has, NaN outside these.

    Entries `start[s]`..`start[s + 1]` belong to series s, its years rising.
    """
    out = np.full((start.size - 1, years.size), np.nan)
    for s in range(start.size - 1):
        i = start[s]
        for t in range(years.size):
            while i < start[s + 1] and year[i] < years[t]:
                i += 1
            if i == start[s + 1]:
                break
            if year[i] == years[t]:
                out[s, t] = tonnes[i]
            elif i > start[s]:
                weight = (years[t] - year[i - 1]) / (year[i] - year[i - 1])
                out[s, t] = tonnes[i - 1] + (tonnes[i] - tonnes[i - 1]) * weight
    return out
