"""Kernels of the large-scale route. Plain Python twins stand in ``solve/decompose/reference.py``.

Parallel over blocks of lanes, pieces or clusters, sequential inside each: the same bits for any number of threads.
`d` are `Drives`, `c` are `ChainArrays`, `p` are `Prices`.
"""

import numpy as np
from numba import njit, prange

from nbb_opt.milp.drives.kernels import efforts_of, most_efforts


@njit(cache=True, nogil=True)
def mark_sets(first, project_set, used):
    """Mark the project sets that the chains of every bundle need (bundles, sets)."""
    for bundle in range(first.shape[0] - 1):
        for chain in range(first[bundle], first[bundle + 1]):
            used[bundle, project_set[chain]] = True


@njit(cache=True, nogil=True)
def reduced_cost(cost, indptr, row, value, price, j):
    """The cost of column j less what its rows are worth at these prices."""
    total = cost[j]
    for k in range(indptr[j], indptr[j + 1]):
        total -= value[k] * price[row[k]]
    return total


@njit(cache=True, nogil=True)
def _worth(count, column, amount, of):
    total = 0.0
    for k in range(count):
        total += amount[k] * of[column[k]]
    return total


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
        column, amount = np.empty(most, np.int64), np.empty(most)
        trip[b], trip_by[b], ratio[b], ratio_by[b] = np.inf, -1, 0.0, -1
        for k in range(block_start[b], block_start[b + 1]):
            lane = lanes[k]
            unit[lane], best[lane] = np.inf, -1
            for drive in range(d.start[lane], d.start[lane + 1]):
                v, t = d.vehicle[drive], d.t[drive]
                count = efforts_of(d, drive, lane, column, amount)
                eur = _worth(count, column, amount, price)
                if eur / d.load_t[lane, v] < unit[lane, t]:
                    unit[lane, t], best[lane, t] = eur / d.load_t[lane, v], drive
                if eur * d.distance_km[lane] < trip[b, v, t]:
                    trip[b, v, t], trip_by[b, v, t] = eur * d.distance_km[lane], drive
                if eur < 0:
                    full = _worth(count, column, amount, cost)
                    times = -eur / full if full > 0 else np.inf
                    if times > ratio[b, v, t]:
                        ratio[b, v, t], ratio_by[b, v, t] = times, drive


@njit(cache=True, nogil=True, parallel=True)
def price_pieces(at, cost, indptr, row, value, price, distance_km, unit, table):
    """Fill `table` (pieces, periods) with EUR per tonne, lanes with their best truck; infinite without a column."""
    for piece in prange(at.shape[0]):
        for t in range(at.shape[1]):
            if at[piece, t] < 0:
                table[piece, t] = np.inf
                continue
            eur = reduced_cost(cost, indptr, row, value, price, at[piece, t])
            if piece < distance_km.shape[0]:
                eur += distance_km[piece] * unit[piece, t]
            table[piece, t] = eur


@njit(cache=True, nogil=True)
def _choose(bundle, groups, c, g, p, total, least, which):
    """The cheapest chain of a bundle for each period and state, among those that need nothing outside the state.

    `groups` has the group by period, -1 where the bundle is in none. -1 where no chain will do.
    """
    size = groups.shape[0]
    least[:], which[:] = np.inf, -1
    for chain in range(c.first[bundle], c.first[bundle + 1]):
        total[:] = 0.0
        hours = 0.0
        for k in range(c.start[chain], c.start[chain + 1]):
            piece = c.piece[k]
            hours += c.hours[piece]
            for t in range(size):
                total[t] += p.table[piece, t]
        hours *= c.hour_eur[bundle]
        wanted, kind = c.project_set[chain], 0
        if p.now.shape[0]:
            kind = c.commodity[bundle] * c.modes + c.main_mode[chain]
        for t in range(size):
            group = groups[t]
            if group < 0:
                continue
            needed = g.set_bits[group, wanted]
            if needed < 0:
                continue
            eur = total[t] + hours * p.waiting[t] + p.adder[group, wanted]
            if p.now.shape[0]:
                eur += c.now[bundle, t] * p.now[kind, t] + c.grows[bundle, t] * p.then[kind, t]
            first = g.state_start[group]
            for s in range(g.state_start[group + 1] - first):
                if eur < least[t, s] and needed & ~g.states[first + s] == 0:
                    least[t, s], which[t, s] = eur, chain


@njit(cache=True, nogil=True)
def _add_rows(column, amount, m, use):
    """Add what an amount of a piece's column uses; gives its cost."""
    for k in range(m.indptr[column], m.indptr[column + 1]):
        use[m.place[m.row[k]]] += amount * m.value[k]
    return amount * m.cost[column]


@njit(cache=True, nogil=True)
def _add_chain(chain, bundle, t, amount, c, d, m, best, scratch, use, efforts):
    """Add what an amount on a chain uses of rows and of efforts; gives its cost but that of the efforts."""
    column, share = scratch
    eur = hours = 0.0
    for k in range(c.start[chain], c.start[chain + 1]):
        piece = c.piece[k]
        hours += c.hours[piece]
        eur += _add_rows(c.at[piece, t], amount, m, use)
        if piece < d.distance_km.shape[0]:
            drive = best[piece, t]
            vkm = amount * d.distance_km[piece] / d.load_t[piece, d.vehicle[drive]]
            count = efforts_of(d, drive, piece, column, share)
            for n in range(count):
                efforts[column[n] - d.first[t]] += vkm * share[n]
    eur += _add_rows(c.waiting_at[t], amount * hours * c.hour_eur[bundle], m, use)
    if c.now_at.shape[0]:
        kind = c.commodity[bundle] * c.modes + c.main_mode[chain]
        if c.now_at[kind, t] >= 0:
            eur += _add_rows(c.now_at[kind, t], amount * c.now[bundle, t], m, use)
        if c.then_at[kind, t] >= 0:
            eur += _add_rows(c.then_at[kind, t], amount * c.grows[bundle, t], m, use)
    return eur


@njit(cache=True, nogil=True, parallel=True)
def aggregate(order, c, d, g, m, p, best, value, cost, use, efforts, set_t):
    """Every bundle takes its cheapest chain, for each state of each group: value at prices, true cost without that of
    efforts, use of the rows and of the efforts of the group's period, tonnes by project set.

    `order` are the clusters; `value` is infinite where a bundle has no chain that the state allows. States after the
    first are worked out as differences from it.
    """
    most, periods = most_efforts(d), c.at.shape[1]
    for n in prange(order.shape[0]):
        cluster = order[n]
        groups = g.of_cluster[cluster]
        total, widest = np.empty(periods), 1
        least, which = np.empty((periods, g.most_states)), np.empty((periods, g.most_states), np.int64)
        scratch = (np.empty(most, np.int64), np.empty(most))
        here = np.empty(periods, np.int64)
        for t in range(periods):
            if groups[t] >= 0:
                widest = max(widest, g.state_start[groups[t] + 1] - g.state_start[groups[t]])
                for s in range(g.state_start[groups[t]], g.state_start[groups[t] + 1]):
                    value[s], cost[s] = 0.0, 0.0
                    use[s], efforts[s], set_t[s] = 0.0, 0.0, 0.0
        for i in range(g.start[cluster], g.start[cluster + 1]):
            bundle = g.bundles[i]
            for t in range(periods):
                here[t] = groups[t] if c.demand_t[bundle, t] > 0 else -1
            _choose(bundle, here, c, g, p, total, least[:, :widest], which[:, :widest])
            for t in range(periods):
                if here[t] < 0:
                    continue
                tonnes, first = c.demand_t[bundle, t], g.state_start[here[t]]
                for n_state in range(g.state_start[here[t] + 1] - first):
                    s, chain = first + n_state, which[t, n_state]
                    value[s] += tonnes * least[t, n_state]
                    if n_state > 0 and chain == which[t, 0]:
                        continue
                    if chain >= 0:
                        cost[s] += _add_chain(chain, bundle, t, tonnes, c, d, m, best, scratch, use[s], efforts[s])
                        set_t[s, c.project_set[chain]] += tonnes
                    chain = which[t, 0]
                    if n_state > 0 and chain >= 0:
                        cost[s] += _add_chain(chain, bundle, t, -tonnes, c, d, m, best, scratch, use[s], efforts[s])
                        set_t[s, c.project_set[chain]] -= tonnes
        for t in range(periods):
            if groups[t] < 0:
                continue
            first = g.state_start[groups[t]]
            for s in range(first + 1, g.state_start[groups[t] + 1]):
                cost[s] += cost[first]
                use[s] += use[first]
                efforts[s] += efforts[first]
                set_t[s] += set_t[first]


@njit(cache=True, nogil=True)
def hand_out(c, d, g, p, best, share, chain_of, t_of, tonnes_of, through, vkm):
    """Hand `share` of each (group, state) column to the chains, pieces and drives it stands for.

    One entry of `chain_of`, `t_of`, `tonnes_of` per chain taken; gives their number. Without room only counts the most
    there can be.
    """
    periods, count = c.at.shape[1], 0
    total = np.empty(periods)
    least, which = np.empty((periods, g.most_states)), np.empty((periods, g.most_states), np.int64)
    here = np.empty(periods, np.int64)
    for cluster in range(g.of_cluster.shape[0]):
        groups = g.of_cluster[cluster].copy()
        for t in range(periods):
            if groups[t] >= 0 and not (share[g.state_start[groups[t]] : g.state_start[groups[t] + 1]] > 0).any():
                groups[t] = -1
        if (groups < 0).all():
            continue
        for i in range(g.start[cluster], g.start[cluster + 1]):
            bundle = g.bundles[i]
            for t in range(periods):
                here[t] = groups[t] if c.demand_t[bundle, t] > 0 else -1
            if chain_of.shape[0]:
                _choose(bundle, here, c, g, p, total, least, which)
            for t in range(periods):
                if here[t] < 0:
                    continue
                first = g.state_start[here[t]]
                for n_state in range(g.state_start[here[t] + 1] - first):
                    if share[first + n_state] <= 0:
                        continue
                    if chain_of.shape[0]:
                        chain, amount = which[t, n_state], share[first + n_state] * c.demand_t[bundle, t]
                        chain_of[count], t_of[count], tonnes_of[count] = chain, t, amount
                        _send(chain, bundle, t, amount, c, d, best, through, vkm)
                    count += 1
    return count


@njit(cache=True, nogil=True)
def _send(chain, bundle, t, amount, c, d, best, through, vkm):
    """Add an amount on a chain to its pieces and the drives of its lanes."""
    hours = 0.0
    for k in range(c.start[chain], c.start[chain + 1]):
        piece = c.piece[k]
        hours += c.hours[piece]
        through[c.at[piece, t]] += amount
        if piece < d.distance_km.shape[0]:
            drive = best[piece, t]
            vkm[drive] += amount * d.distance_km[piece] / d.load_t[piece, d.vehicle[drive]]
    through[c.waiting_at[t]] += amount * hours * c.hour_eur[bundle]
    if c.now_at.shape[0]:
        kind = c.commodity[bundle] * c.modes + c.main_mode[chain]
        if c.now_at[kind, t] >= 0:
            through[c.now_at[kind, t]] += amount * c.now[bundle, t]
        if c.then_at[kind, t] >= 0:
            through[c.then_at[kind, t]] += amount * c.grows[bundle, t]


@njit(cache=True, nogil=True)
def add_efforts(d, vkm, drives, lanes, out):
    """Add what vkm of some drives are of efforts."""
    most = most_efforts(d)
    column, amount = np.empty(most, np.int64), np.empty(most)
    for k in range(drives.shape[0]):
        count = efforts_of(d, drives[k], lanes[k], column, amount)
        for n in range(count):
            out[column[n]] += vkm[k] * amount[n]
