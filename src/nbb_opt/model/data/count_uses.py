"""What chains use and what trucks on lanes do for a loaded vkm: the passes over all of them that are compiled."""

from nbb_opt.compiling import kernel

FUEL, HOME, ON_THE_WAY = 0, 1, 2
BATCH = 256  # hauls whose resources are best listed at once


@kernel
def most_resources(d):
    """How many resources a haul has at most."""
    stop_start, countries, stops = d.stop_start, d.share.shape[1], 0
    for lane in range(stop_start.shape[0] - 1):
        stops = max(stops, stop_start[lane + 1] - stop_start[lane])
    return 5 + countries + max(countries, stops)


@kernel
def list_resources(d, hauls, lanes, count, start, column, amount):
    """The resources of the first `count` of some hauls (with their lanes), one after another: those of haul k are
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
        haul, lane = hauls[k], lanes[k]
        start[k] = n
        v, t, r, a, h = vehicle[haul], period[haul], region[lane], arrival[lane], cargo_type[lane]
        km, kwh, takes = km_per_vkm[lane, v], kwh_per_vkm[haul], energy[lane, v]
        column[n], amount[n] = vkm_at[r, v, t], 1.0
        column[n + 1], amount[n + 1] = km_at[r, h, v, t], km
        column[n + 2], amount[n + 2] = hours_at[r, hours_class[lane], v, t], hours_per_vkm[haul]
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


@kernel
def may_carry(start, item, bundle, project_set, ready, wanted, usable, exists):
    """Whether a chain may carry something in a period: its bundle is `wanted` (bundles, periods), its projects are
    `ready` (sets, periods), all its items are `usable` (items, periods).
    """
    for chain in range(bundle.shape[0]):
        for t in range(exists.shape[1]):
            exists[chain, t] = wanted[bundle[chain], t] and ready[project_set[chain], t]
        for k in range(start[chain], start[chain + 1]):
            for t in range(exists.shape[1]):
                if not usable[item[k], t]:
                    exists[chain, t] = False


@kernel
def used_by(exists, start, item, bundle, mode_class, now, grows, used, served, compared):
    """Mark the items that chains use (items, periods), the bundles they serve (bundles, periods), and the classes of
    modes that are compared, now and with the period after (2, classes, periods); `now`, `grows` (bundles, periods).
    """
    for chain in range(exists.shape[0]):
        for t in range(exists.shape[1]):
            if not exists[chain, t]:
                continue
            served[bundle[chain], t] = True
            for k in range(start[chain], start[chain + 1]):
                used[item[k], t] = True
            if compared.shape[1]:
                compared[0, mode_class[chain], t] |= now[bundle[chain], t] > 0
                compared[1, mode_class[chain], t] |= grows[bundle[chain], t] > 0


@kernel
def count_rows(exists, start, item, what_start, what, seen):
    """How many of `what` (what[what_start[i]:what_start[i + 1]] by item) chains have, each once a chain, in all periods
    in which they may carry something; `seen` (of every what, 0 or more chains) is for the counting.
    """
    total = 0
    for chain in range(exists.shape[0]):
        active = exists[chain].sum()
        if active == 0:
            continue
        for k in range(start[chain], start[chain + 1]):
            for j in range(what_start[item[k]], what_start[item[k] + 1]):
                if seen[what[j]] != chain + 1:
                    seen[what[j]] = chain + 1
                    total += active
    return total
