"""What trucks on lanes and pieces of chains are worth at some prices of the master's rows.

Parallel over blocks of lanes or pieces, sequential inside each: the same bits for any number of threads.
"""

import numpy as np
from numba import njit, prange

from nbb_opt.model.data.list_efforts import BATCH, list_efforts, most_efforts


@njit(cache=True, nogil=True, parallel=True)
def price_drives(d, price, cost, block_start, lanes, unit, best, trip, trip_by, ratio, ratio_by):
    """Every truck on every lane at a price and a cost in EUR per unit of effort.

    By lane and period: `unit` EUR per tkm and drive of the `best` truck, the first of equal ones; infinite and -1 where
    there is none. By block of lanes (lanes[block_start[b]:block_start[b + 1]]), truck and period: the least price of a
    loaded `trip` and the drive it is (infinite: none), and the largest `ratio` of minus price to cost where that is
    above 0, with its drive.
    """
    most = most_efforts(d)
    for b in prange(block_start.shape[0] - 1):
        trip[b], trip_by[b], ratio[b], ratio_by[b] = np.inf, -1, 0.0, -1
        _price_lanes(
            d, price, cost, lanes[block_start[b] : block_start[b + 1]], most, unit, best, trip[b], trip_by[b], ratio[b],
            ratio_by[b],
        )  # fmt: skip


@njit(cache=True, nogil=True)
def _price_lanes(d, price, cost, lanes, most, unit, best, trip, trip_by, ratio, ratio_by):
    first, vehicle, period, load_t, distance_km = d.start, d.vehicle, d.t, d.load_t, d.distance_km
    drives, on, start = np.empty(BATCH, np.int64), np.empty(BATCH, np.int64), np.empty(BATCH + 1, np.int64)
    column, amount = np.empty(BATCH * most, np.int64), np.empty(BATCH * most)
    at, drive = 0, first[lanes[0]]
    for lane in lanes:
        unit[lane], best[lane] = np.inf, -1
    while at < lanes.shape[0]:
        count = 0
        while count < BATCH and at < lanes.shape[0]:
            if drive == first[lanes[at] + 1]:
                at += 1
                drive = first[lanes[at]] if at < lanes.shape[0] else 0
                continue
            drives[count], on[count] = drive, lanes[at]
            count, drive = count + 1, drive + 1
        list_efforts(d, drives, on, count, start, column, amount)
        for k in range(count):
            lane, v, t = on[k], vehicle[drives[k]], period[drives[k]]
            eur = 0.0
            for n in range(start[k], start[k + 1]):
                eur += amount[n] * price[column[n]]
            if eur / load_t[lane, v] < unit[lane, t]:
                unit[lane, t], best[lane, t] = eur / load_t[lane, v], drives[k]
            if eur * distance_km[lane] < trip[v, t]:
                trip[v, t], trip_by[v, t] = eur * distance_km[lane], drives[k]
            if eur < 0:
                full = 0.0
                for n in range(start[k], start[k + 1]):
                    full += amount[n] * cost[column[n]]
                times = -eur / full if full > 0 else np.inf
                if times > ratio[v, t]:
                    ratio[v, t], ratio_by[v, t] = times, drives[k]


@njit(cache=True, nogil=True, parallel=True)
def price_pieces(at, cost, indptr, row, value, price, distance_km, unit, table):
    """Fill `table` (pieces, periods) with EUR per tonne, lanes with their best truck; infinite without a column."""
    for piece in prange(at.shape[0]):
        for t in range(at.shape[1]):
            column = at[piece, t]
            if column < 0:
                table[piece, t] = np.inf
                continue
            eur = cost[column]
            for k in range(indptr[column], indptr[column + 1]):
                eur -= value[k] * price[row[k]]
            if piece < distance_km.shape[0]:
                eur += distance_km[piece] * unit[piece, t]
            table[piece, t] = eur
