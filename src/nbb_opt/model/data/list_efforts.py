"""What a truck on a lane does for a loaded vkm, as amounts of efforts: the one place that knows how drives add up.

Written flat on purpose: numba counts references to every array of a tuple at each use and call, which takes twenty
times what an effort takes. Tuples are unpacked once at the top, and no loop over drives calls a function.
"""

from numba import njit

FUEL, HOME, ON_THE_WAY = 0, 1, 2
BATCH = 256  # drives whose efforts are best listed at once


@njit(cache=True, nogil=True)
def most_efforts(d):
    """How many efforts a drive has at most."""
    stop_start, countries, stops = d.stop_start, d.share.shape[1], 0
    for lane in range(stop_start.shape[0] - 1):
        stops = max(stops, stop_start[lane + 1] - stop_start[lane])
    return 5 + countries + max(countries, stops)


@njit(cache=True, nogil=True)
def list_efforts(d, drives, lanes, count, start, column, amount):
    """The efforts of the first `count` of some drives (with their lanes), one after another: those of drive k are
    start[k] to start[k + 1] of `column` and `amount`.
    """
    (
        _, vehicle, period, hours_per_vkm, kwh_per_vkm, _, km_per_vkm, energy, distance_km, region, arrival, cargo_type,
        hours_class, share, toll, stop_start, stop_area, stop_share, vkm_at, km_at, hours_at, leaves_at, arrives_at,
        toll_at, fuel_at, home_at, stop_at, _,
    ) = d  # fmt: skip
    countries = share.shape[1]
    n = 0
    for k in range(count):
        drive, lane = drives[k], lanes[k]
        start[k] = n
        v, t, r, a, h = vehicle[drive], period[drive], region[lane], arrival[lane], cargo_type[lane]
        km, kwh, takes = km_per_vkm[lane, v], kwh_per_vkm[drive], energy[lane, v]
        column[n], amount[n] = vkm_at[r, v, t], 1.0
        column[n + 1], amount[n + 1] = km_at[r, v, t], km
        column[n + 2], amount[n + 2] = hours_at[r, hours_class[lane], v, t], hours_per_vkm[drive]
        n += 3
        if r != a:
            column[n], amount[n] = leaves_at[r, h, v, t], 1.0 / distance_km[lane]
            column[n + 1], amount[n + 1] = arrives_at[a, h, v, t], 1.0 / distance_km[lane]
            n += 2
        for c in range(countries):
            if toll[lane, c] > 0:
                column[n], amount[n] = toll_at[c, v, t], km * toll[lane, c]
                n += 1
        if takes == FUEL:
            for c in range(countries):
                if share[lane, c] > 0:
                    column[n], amount[n] = fuel_at[c, v, t], kwh * share[lane, c]
                    n += 1
        elif takes == HOME:
            column[n], amount[n] = home_at[r, v, t], kwh
            n += 1
        else:
            for k_stop in range(stop_start[lane], stop_start[lane + 1]):
                column[n], amount[n] = stop_at[stop_area[k_stop], v, t], kwh * stop_share[k_stop]
                n += 1
    start[count] = n
