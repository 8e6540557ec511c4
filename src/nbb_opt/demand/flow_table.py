"""Kernels of the demand: a hash table of flows filled row by row, and the values of the periods.

Every kernel has a plain Python twin in ``tests/plain_demand.py`` and a test that they agree.
"""

import numpy as np
from numba import njit

FIRST_YEAR = 1950
YEAR_SLOTS = 171  # 1950 to 2120, the bounds of the schema
PLACES_KEPT = 3  # row numbers kept per kind of fault

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
FAULTS = 10

UNKNOWN = -1
NO_ZONE = -2
EMPTY = -1  # a free slot of the hash table


@njit(cache=True, nogil=True)
def slot_of(keys, key):
    """Slot of `key` in the open-addressing table `keys`, or the free slot where it belongs."""
    mask = keys.size - 1
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    slot = np.int64((mixed >> np.uint64(20)) & np.uint64(mask))
    while keys[slot] != EMPTY and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def add_rows(
    keys, values, origin, destination, commodity, year, tonnes, n_nodes, n_commodities, add_up, row_0, counts, first
):  # fmt: skip
    """Put a batch of rows into the table; note faulty rows in `counts` and `first`; give the number of new keys.

    `keys` (int64, a power of two, at most half full afterwards) and `values` (float64) are the table. The key of a row
    is ((origin * n_nodes + destination) * n_commodities + commodity) * YEAR_SLOTS + year - FIRST_YEAR. A faulty row
    is not put in; a second row of one key is at fault unless `add_up`. `first` is (FAULTS, PLACES_KEPT), row numbers
    counted from the start of the file.
    """
    new = 0
    for i in range(origin.size):
        o = origin[i]
        d = destination[i]
        k = commodity[i]
        y = year[i] - FIRST_YEAR
        t = tonnes[i]
        fault = -1
        slot = 0
        if o == UNKNOWN:
            fault = FAULT_ORIGIN_UNKNOWN
        elif o == NO_ZONE:
            fault = FAULT_ORIGIN_NO_ZONE
        elif d == UNKNOWN:
            fault = FAULT_DESTINATION_UNKNOWN
        elif d == NO_ZONE:
            fault = FAULT_DESTINATION_NO_ZONE
        elif k == UNKNOWN:
            fault = FAULT_COMMODITY_UNKNOWN
        elif y < 0 or y >= YEAR_SLOTS:
            fault = FAULT_YEAR
        elif not np.isfinite(t):
            fault = FAULT_NOT_FINITE
        elif t < 0.0:
            fault = FAULT_NEGATIVE
        elif o == d:
            fault = FAULT_SAME_PLACE
        else:
            key = ((np.int64(o) * n_nodes + d) * n_commodities + k) * YEAR_SLOTS + y
            slot = slot_of(keys, key)
            if keys[slot] == key and add_up:
                values[slot] += t
            elif keys[slot] == key:
                fault = FAULT_DUPLICATE
            else:
                keys[slot] = key
                values[slot] = t
                new += 1
        if fault >= 0:
            if counts[fault] < PLACES_KEPT:
                first[fault, counts[fault]] = row_0 + i
            counts[fault] += 1
    return new


@njit(cache=True, nogil=True)
def move_table(keys, values, new_keys, new_values):
    """Copy every entry of one table into a larger, empty one."""
    for i in range(keys.size):
        if keys[i] != EMPTY:
            slot = slot_of(new_keys, keys[i])
            new_keys[slot] = keys[i]
            new_values[slot] = values[i]


@njit(cache=True, nogil=True)
def period_tonnes(flow_start, year_index, tonnes, left, weight, n_years):
    """Tonnes of every flow in every period, (flows, periods) in t/year.

    Entries `flow_start[f]`..`flow_start[f + 1]` belong to flow f: `tonnes` in the `year_index`-th year of the file,
    zero in its other years. Period t lies `weight[t]` of the way from year `left[t]` to the next one.
    """
    n_flows = flow_start.size - 1
    out = np.zeros((n_flows, left.size))
    given = np.zeros(n_years + 1)  # one more, never used: the right neighbour of the last year has weight 0
    for f in range(n_flows):
        given[:] = 0.0
        for i in range(flow_start[f], flow_start[f + 1]):
            given[year_index[i]] = tonnes[i]
        for t in range(left.size):
            a = given[left[t]]
            out[f, t] = a if weight[t] == 0.0 else a + (given[left[t] + 1] - a) * weight[t]
    return out
