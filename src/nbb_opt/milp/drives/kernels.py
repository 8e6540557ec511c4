"""What a truck on a lane does for a loaded vkm, as amounts of efforts: the one place that knows how drives add up."""

import numpy as np
from numba import njit

FUEL, HOME, ON_THE_WAY = 0, 1, 2


@njit(cache=True, nogil=True)
def most_efforts(d):
    """How many efforts a drive has at most."""
    stops = 0
    for lane in range(d.stop_start.shape[0] - 1):
        stops = max(stops, d.stop_start[lane + 1] - d.stop_start[lane])
    countries = d.share.shape[1]
    return 5 + countries + max(countries, stops)


@njit(cache=True, nogil=True)
def efforts_of(d, drive, lane, column, amount):
    """Write columns and amounts of the efforts of a drive on its lane into the two arrays; gives their number."""
    v, t = d.vehicle[drive], d.t[drive]
    region, arrival, handling, km = d.region[lane], d.arrival[lane], d.handling[lane], d.km_per_vkm[lane, v]
    column[0], amount[0] = d.vkm_at[region, v, t], 1.0
    column[1], amount[1] = d.km_at[region, v, t], km
    column[2], amount[2] = d.hours_at[region, d.hours_class[lane], v, t], d.hours_per_vkm[drive]
    count = 3
    if region != arrival:
        trips = 1.0 / d.distance_km[lane]
        column[3], amount[3] = d.leaves_at[region, handling, v, t], trips
        column[4], amount[4] = d.arrives_at[arrival, handling, v, t], trips
        count = 5
    countries = d.share.shape[1]
    for c in range(countries):
        if d.toll[lane, c] > 0:
            column[count], amount[count] = d.toll_at[c, v, t], km * d.toll[lane, c]
            count += 1
    kwh, energy = d.kwh_per_vkm[drive], d.energy[lane, v]
    if energy == FUEL:
        for c in range(countries):
            if d.share[lane, c] > 0:
                column[count], amount[count] = d.fuel_at[c, v, t], kwh * d.share[lane, c]
                count += 1
    elif energy == HOME:
        column[count], amount[count] = d.home_at[region, v, t], kwh
        count += 1
    else:
        for k in range(d.stop_start[lane], d.stop_start[lane + 1]):
            column[count], amount[count] = d.stop_at[d.stop_area[k], v, t], kwh * d.stop_share[k]
            count += 1
    return count


@njit(cache=True, nogil=True)
def list_efforts(d, drives, lanes, start, column, amount):
    """The efforts of some drives (with their lanes) one after another: those of drive k from start[k] on.

    Without room in `column` only `start` is filled.
    """
    most = most_efforts(d)
    columns, amounts = np.empty(most, np.int64), np.empty(most)
    for k in range(drives.shape[0]):
        count = efforts_of(d, drives[k], lanes[k], columns, amounts)
        start[k + 1] = start[k] + count
        if column.shape[0]:
            for n in range(count):
                column[start[k] + n], amount[start[k] + n] = columns[n], amounts[n]
