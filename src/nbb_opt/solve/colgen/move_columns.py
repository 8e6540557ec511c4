"""Kernels of the large-scale route: worth of columns, and moving them. Plain twins: ``tests/plain_pricing.py``."""

import numpy as np
from numba import prange

from nbb_opt.compiling import kernel, parallel_kernel
from nbb_opt.model.data.count_uses import BATCH, list_resources, most_resources


@parallel_kernel
def price_hauls(d, price, cost, block_start, lanes, unit, best, trip, trip_by, ratio, ratio_by):
    """Every truck on every lane at a price and a cost in EUR per unit of resource.

    By lane and period: `unit` EUR per tkm and haul of the `best` truck, the first of equal ones; infinite and -1 where
    there is none. By block of lanes (lanes[block_start[b]:block_start[b + 1]]), truck and period: the least price of a
    loaded `trip` and the haul it is (infinite: none), and the largest `ratio` of minus price to cost where that is
    above 0, with its haul.
    """
    most = most_resources(d)
    for b in prange(block_start.shape[0] - 1):
        trip[b], trip_by[b], ratio[b], ratio_by[b] = np.inf, -1, 0.0, -1
        _price_lanes(
            d, price, cost, lanes[block_start[b] : block_start[b + 1]], most, unit, best, trip[b], trip_by[b], ratio[b],
            ratio_by[b],
        )  # fmt: skip


@kernel
def _price_lanes(d, price, cost, lanes, most, unit, best, trip, trip_by, ratio, ratio_by):
    first, vehicle, period, load_t, distance_km = d.start, d.vehicle, d.t, d.load_t, d.distance_km
    hauls, on, start = np.empty(BATCH, np.int64), np.empty(BATCH, np.int64), np.empty(BATCH + 1, np.int64)
    column, amount = np.empty(BATCH * most, np.int64), np.empty(BATCH * most)
    at, haul = 0, first[lanes[0]]
    for lane in lanes:
        unit[lane], best[lane] = np.inf, -1
    while at < lanes.shape[0]:
        count = 0
        while count < BATCH and at < lanes.shape[0]:
            if haul == first[lanes[at] + 1]:
                at += 1
                haul = first[lanes[at]] if at < lanes.shape[0] else 0
                continue
            hauls[count], on[count] = haul, lanes[at]
            count, haul = count + 1, haul + 1
        list_resources(d, hauls, on, count, start, column, amount)
        for k in range(count):
            lane, v, t = on[k], vehicle[hauls[k]], period[hauls[k]]
            eur = 0.0
            for n in range(start[k], start[k + 1]):
                eur += amount[n] * price[column[n]]
            if eur / load_t[lane, v] < unit[lane, t]:
                unit[lane, t], best[lane, t] = eur / load_t[lane, v], hauls[k]
            if eur * distance_km[lane] < trip[v, t]:
                trip[v, t], trip_by[v, t] = eur * distance_km[lane], hauls[k]
            if eur < 0:
                full = 0.0
                for n in range(start[k], start[k + 1]):
                    full += amount[n] * cost[column[n]]
                times = -eur / full if full > 0 else np.inf
                if times > ratio[v, t]:
                    ratio[v, t], ratio_by[v, t] = times, hauls[k]


@parallel_kernel
def price_segments(at, cost, indptr, row, value, price, distance_km, unit, table):
    """Fill `table` (segments, periods) with EUR per tonne, lanes with their best truck; infinite without a column."""
    for segment in prange(at.shape[0]):
        for t in range(at.shape[1]):
            column = at[segment, t]
            if column < 0:
                table[segment, t] = np.inf
                continue
            eur = cost[column]
            for k in range(indptr[column], indptr[column + 1]):
                eur -= value[k] * price[row[k]]
            if segment < distance_km.shape[0]:
                eur += distance_km[segment] * unit[segment, t]
            table[segment, t] = eur


BUNDLES = 32  # bundles that choose at once


@kernel
def mark_sets(first, project_set, used):
    """Mark the project sets that the chains of every bundle need (bundles, sets)."""
    for bundle in range(first.shape[0] - 1):
        for chain in range(first[bundle], first[bundle + 1]):
            used[bundle, project_set[chain]] = True


@kernel
def _choose(bundles, groups, c, g, p, least, which):
    """The cheapest chain of some bundles of a cluster for each period and state, among those that need nothing outside
    the state: `least` EUR per tonne and `which`, infinite and -1 where no chain will do.

    `groups` has the group of the cluster by period, -1 where there is none.
    """
    start, segments, first, main_mode, project_set, commodity, hour_eur, constant_eur, hours_of, _, now, grows = c[:12]
    _, _, _, state_start, states, set_bits, _ = g
    table, waiting, choosing, now_eur, then_eur, adder = p
    size, compares = groups.shape[0], now_eur.shape[0] > 0
    total, worst = np.empty(size), np.empty(size)  # worst: the dearest of the cheapest chains of all states
    for i in range(bundles.shape[0]):
        bundle = bundles[i]
        least[i], which[i], worst[:] = np.inf, -1, np.inf
        for chain in range(first[bundle], first[bundle + 1]):
            total[:] = 0.0
            hours, wanted, kind = 0.0, project_set[chain], 0
            for k in range(start[chain], start[chain + 1]):
                segment = segments[k]
                hours += hours_of[segment]
                for t in range(size):
                    total[t] += table[segment, t]
            hours *= hour_eur[bundle]
            constant = constant_eur[bundle, main_mode[chain]]
            if compares:
                kind = commodity[bundle] * c.modes + main_mode[chain]
            for t in range(size):
                group = groups[t]
                if group < 0:
                    continue
                needed = set_bits[group, wanted]
                if needed < 0:
                    continue
                eur = total[t] + hours * waiting[t] + constant * choosing[t] + adder[group, wanted]
                if compares:
                    eur += now[bundle, t] * now_eur[kind, t] + grows[bundle, t] * then_eur[kind, t]
                if eur >= worst[t]:
                    continue
                worst[t] = -np.inf
                for s in range(state_start[group + 1] - state_start[group]):
                    if eur < least[i, t, s] and needed & ~states[state_start[group] + s] == 0:
                        least[i, t, s], which[i, t, s] = eur, chain
                    worst[t] = max(worst[t], least[i, t, s])


@kernel
def _add_chains(bundles, groups, c, d, g, m, best, place, least, which, value, cost, use, set_t, driven):
    """Add what the chosen chains cost and use, but for resources: write down haul, lane, state and vkm in `driven`, and
    give their number. States after the first get the difference from it.
    """
    start, segments, _, main_mode, project_set = c[:5]
    commodity, hour_eur, constant_eur, hours_of, demand_t, now, grows = c[5:12]
    at, waiting_at, choosing_at, now_at, then_at, modes = c[12:]
    column_cost, indptr, row, row_value, row_at = m
    state_start, vehicle, load_t, distance_km = g.state_start, d.vehicle, d.load_t, d.distance_km
    hauls, lanes, of_state, vkm = driven
    count = 0
    extra, times = np.empty(4, np.int64), np.empty(4)
    for i in range(bundles.shape[0]):
        bundle = bundles[i]
        for t in range(groups.shape[0]):
            group = groups[t]
            if group < 0 or demand_t[bundle, t] <= 0:
                continue
            base = place[state_start[group]]
            for n_state in range(state_start[group + 1] - state_start[group]):
                s, value_of = base + n_state, least[i, t, n_state]
                value[s] += demand_t[bundle, t] * value_of
                if n_state > 0 and which[i, t, n_state] == which[i, t, 0]:
                    continue
                for sign in range(2 if n_state > 0 else 1):
                    chain = which[i, t, 0] if sign else which[i, t, n_state]
                    if chain < 0:
                        continue
                    amount = -demand_t[bundle, t] if sign else demand_t[bundle, t]
                    set_t[s, project_set[chain]] += amount
                    hours = 0.0
                    for k in range(start[chain], start[chain + 1]):
                        segment = segments[k]
                        hours += hours_of[segment]
                        column = at[segment, t]
                        cost[s] += amount * column_cost[column]
                        for j in range(indptr[column], indptr[column + 1]):
                            use[s, row_at[row[j]]] += amount * row_value[j]
                        if segment < distance_km.shape[0]:
                            haul = best[segment, t]
                            hauls[count], lanes[count], of_state[count] = haul, segment, s
                            vkm[count] = amount * distance_km[segment] / load_t[segment, vehicle[haul]]
                            count += 1
                    extra[:] = -1
                    extra[0], times[0] = waiting_at[t], hours * hour_eur[bundle]
                    extra[1], times[1] = choosing_at[t], constant_eur[bundle, main_mode[chain]]
                    if now_at.shape[0]:
                        kind = commodity[bundle] * modes + main_mode[chain]
                        extra[2], times[2] = now_at[kind, t], now[bundle, t]
                        extra[3], times[3] = then_at[kind, t], grows[bundle, t]
                    for k in range(4):
                        column = extra[k]
                        if column >= 0:
                            cost[s] += amount * times[k] * column_cost[column]
                            for j in range(indptr[column], indptr[column + 1]):
                                use[s, row_at[row[j]]] += amount * times[k] * row_value[j]
    return count


@kernel
def _add_resources(d, driven, count, scratch, resources):
    """Add the resources of what was driven to their states."""
    hauls, lanes, of_state, vkm = driven
    start, column, amount = scratch
    first, period = d.first, d.t
    for low in range(0, count, BATCH):
        here = min(BATCH, count - low)
        list_resources(d, hauls[low:], lanes[low:], here, start, column, amount)
        for k in range(here):
            state, base, times = of_state[low + k], first[period[hauls[low + k]]], vkm[low + k]
            for n in range(start[k], start[k + 1]):
                resources[state, column[n] - base] += times * amount[n]


@kernel
def aggregate(clusters, place, most_lanes, c, d, g, m, p, best, value, cost, use, resources, set_t):
    """Every bundle of some clusters takes its cheapest chain, for each state of each group: value at prices, true cost
    without that of resources, use of the rows and of the resources of the group's period, tonnes by project set.

    State s is added to row `place[s]` of all of these, the states of a group side by side; `most_lanes` are the lanes
    of a chain at most. `value` is infinite where a bundle has no chain that the state allows. States after the first
    are worked out as differences from it.
    """
    most = most_resources(d)
    for cluster in clusters:
        _aggregate(cluster, place, most, most_lanes, c, d, g, m, p, best, value, cost, use, resources, set_t)


@kernel
def _aggregate(cluster, place, most, most_lanes, c, d, g, m, p, best, value, cost, use, resources, set_t):
    groups, state_start = g.of_cluster[cluster], g.state_start
    widest, every = 1, 0
    for group in groups:
        if group >= 0:
            count = state_start[group + 1] - state_start[group]
            widest, every = max(widest, count), every + count
    least, which = np.empty((BUNDLES, groups.size, widest)), np.empty((BUNDLES, groups.size, widest), np.int64)
    room = BUNDLES * 2 * every * most_lanes
    driven = (np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room))
    scratch = (np.empty(BATCH + 1, np.int64), np.empty(BATCH * most, np.int64), np.empty(BATCH * most))
    for low in range(g.start[cluster], g.start[cluster + 1], BUNDLES):
        bundles = g.bundles[low : min(low + BUNDLES, g.start[cluster + 1])]
        _choose(bundles, groups, c, g, p, least, which)
        count = _add_chains(bundles, groups, c, d, g, m, best, place, least, which, value, cost, use, set_t, driven)
        _add_resources(d, driven, count, scratch, resources)
    for group in groups:
        if group >= 0:
            base = place[state_start[group]]
            for s in range(base + 1, base + state_start[group + 1] - state_start[group]):
                cost[s] += cost[base]
                use[s] += use[base]
                resources[s] += resources[base]
                set_t[s] += set_t[base]


@kernel
def count_disaggregated(g, demand_t, share):
    """How many (bundle, period, state) carry something where states have these shares."""
    count = 0
    for cluster in range(g.of_cluster.shape[0]):
        for t in range(g.of_cluster.shape[1]):
            group = g.of_cluster[cluster, t]
            if group < 0:
                continue
            carrying = (share[g.state_start[group] : g.state_start[group + 1]] > 0).sum()
            if carrying:
                for i in range(g.start[cluster], g.start[cluster + 1]):
                    count += carrying if demand_t[g.bundles[i], t] > 0 else 0
    return count


@kernel
def disaggregate(c, d, g, p, best, share, chain_of, t_of, tonnes_of, vkm):
    """Hand `share` of each (group, state) column to the chains and hauls it stands for: an entry of `chain_of`,
    `t_of`, `tonnes_of` per chain taken (see `count_disaggregated`), and vkm of hauls.
    """
    periods, count = g.of_cluster.shape[1], 0
    least, which = np.empty((BUNDLES, periods, g.most_states)), np.empty((BUNDLES, periods, g.most_states), np.int64)
    for cluster in range(g.of_cluster.shape[0]):
        groups = g.of_cluster[cluster].copy()
        for t in range(periods):
            if groups[t] >= 0 and not (share[g.state_start[groups[t]] : g.state_start[groups[t] + 1]] > 0).any():
                groups[t] = -1
        if (groups < 0).all():
            continue
        for low in range(g.start[cluster], g.start[cluster + 1], BUNDLES):
            bundles = g.bundles[low : min(low + BUNDLES, g.start[cluster + 1])]
            _choose(bundles, groups, c, g, p, least, which)
            count = _disaggregate(bundles, groups, c, d, g, best, which, share, count, chain_of, t_of, tonnes_of, vkm)


@kernel
def _disaggregate(bundles, groups, c, d, g, best, which, share, count, chain_of, t_of, tonnes_of, vkm):
    start, segments, demand_t = c.start, c.segment, c.demand_t
    state_start, vehicle, load_t, distance_km = g.state_start, d.vehicle, d.load_t, d.distance_km
    for i in range(bundles.shape[0]):
        bundle = bundles[i]
        for t in range(groups.shape[0]):
            if groups[t] < 0 or demand_t[bundle, t] <= 0:
                continue
            for s in range(state_start[groups[t]], state_start[groups[t] + 1]):
                if share[s] <= 0:
                    continue
                chain, amount = which[i, t, s - state_start[groups[t]]], share[s] * demand_t[bundle, t]
                chain_of[count], t_of[count], tonnes_of[count] = chain, t, amount
                count += 1
                for k in range(start[chain], start[chain + 1]):
                    segment = segments[k]
                    if segment < distance_km.shape[0]:
                        haul = best[segment, t]
                        vkm[haul] += amount * distance_km[segment] / load_t[segment, vehicle[haul]]
    return count


@kernel
def add_segments(c, chain_of, bundle_of, t_of, tonnes_of, through):
    """Add tonnes of chains (each with its bundle and period) to what goes `through` the columns of segments."""
    start, segments, _, main_mode, _, commodity, hour_eur, constant_eur, hours_of, _, now, grows = c[:12]
    at, waiting_at, choosing_at, now_at, then_at, modes = c[12:]
    for i in range(chain_of.shape[0]):
        chain, bundle, t, amount, hours = chain_of[i], bundle_of[i], t_of[i], tonnes_of[i], 0.0
        for k in range(start[chain], start[chain + 1]):
            hours += hours_of[segments[k]]
            through[at[segments[k], t]] += amount
        through[waiting_at[t]] += amount * hours * hour_eur[bundle]
        if choosing_at[t] >= 0:
            through[choosing_at[t]] += amount * constant_eur[bundle, main_mode[chain]]
        if now_at.shape[0]:
            kind = commodity[bundle] * modes + main_mode[chain]
            if now_at[kind, t] >= 0:
                through[now_at[kind, t]] += amount * now[bundle, t]
            if then_at[kind, t] >= 0:
                through[then_at[kind, t]] += amount * grows[bundle, t]
