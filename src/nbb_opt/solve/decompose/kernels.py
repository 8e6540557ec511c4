"""Kernels of the large-scale route. Plain Python twins stand in ``solve/decompose/reference.py``.

Parallel over columns, lane-periods or groups, sequential inside each: the same bits for any number of threads.
"""

import numpy as np
from numba import njit, prange

MOST_STATES = 64


@njit(cache=True, nogil=True, parallel=True)
def reduced_costs(cost, indptr, row, value, price, out):
    """out[j] = cost[j] - sum of value * price over the rows of column j."""
    for j in prange(cost.shape[0]):
        total = cost[j]
        for k in range(indptr[j], indptr[j + 1]):
            total -= value[k] * price[row[k]]
        out[j] = total


@njit(cache=True, nogil=True, parallel=True)
def best_drives(start, drives, reduced, load, unit, best):
    """The cheapest way to do a tkm on every lane-period: its price and its drive; the first of equal ones."""
    for lane in prange(start.shape[0] - 1):
        least, which = np.inf, -1
        for k in range(start[lane], start[lane + 1]):
            drive = drives[k]
            eur = reduced[drive] / load[drive]
            if eur < least:
                least, which = eur, drive
        unit[lane], best[lane] = least, which


@njit(cache=True, nogil=True)
def add_work(work_lane, work_tkm, unit, out):
    """Add the work of every piece at the price of its lane-period."""
    for piece in range(out.shape[0]):
        if work_lane[piece] >= 0:
            out[piece] += work_tkm[piece] * unit[work_lane[piece]]


@njit(cache=True, nogil=True)
def _price(chain, bundle, chains, price, of_piece):
    """EUR per tonne of a chain; infinite where one of its pieces has no column."""
    start, piece, waiting, kind, _, extra, now, grows = chains
    total = waiting[chain] * price[extra[0]]
    for k in range(start[chain], start[chain + 1]):
        total += of_piece[piece[k]]
    if extra.shape[0] > 1:
        compared = 1 + 2 * kind[chain]
        if extra[compared] >= 0:
            total += now[bundle] * price[extra[compared]]
        if extra[compared + 1] >= 0:
            total += grows[bundle] * price[extra[compared + 1]]
    return total


@njit(cache=True, nogil=True)
def _choose(bundle, first, chains, price, of_piece, project_set, bits, adder, states, least, which):
    """The cheapest chain of a bundle for each state, among those that need nothing outside it; -1 if there is none."""
    for s in range(states.shape[0]):
        least[s], which[s] = np.inf, -1
    for chain in range(first[bundle], first[bundle + 1]):
        needed = bits[project_set[chain]]
        if needed < 0:
            continue
        eur = _price(chain, bundle, chains, price, of_piece) + adder[project_set[chain]]
        for s in range(states.shape[0]):
            if eur < least[s] and needed & ~states[s] == 0:
                least[s], which[s] = eur, chain


@njit(cache=True, nogil=True, parallel=True)
def work_of(best, load, cost, indptr, row, value, start, eur, used, amount):
    """What a tkm on every lane-period costs and uses with its best drive, side by side in memory: `used` rows and
    `amount` from `start` on.
    """
    for lane in prange(best.shape[0]):
        drive = best[lane]
        if drive < 0:
            continue
        eur[lane] = cost[drive] / load[drive]
        for k in range(start[lane + 1] - start[lane]):
            used[start[lane] + k] = row[indptr[drive] + k]
            amount[start[lane] + k] = value[indptr[drive] + k] / load[drive]


@njit(cache=True, nogil=True)
def _add_piece(column, amount, columns, work, place, use):
    """Add what an amount through a piece uses, with its work on lanes; gives its cost."""
    cost, indptr, row, value, work_lane, work_tkm = columns
    eur = amount * cost[column]
    for k in range(indptr[column], indptr[column + 1]):
        use[place[row[k]]] += amount * value[k]
    lane = work_lane[column]
    if lane >= 0:
        start, per_tkm, used, each = work
        tkm = amount * work_tkm[column]
        eur += tkm * per_tkm[lane]
        for k in range(start[lane], start[lane + 1]):
            use[place[used[k]]] += tkm * each[k]
    return eur


@njit(cache=True, nogil=True)
def _add_chain(chain, bundle, amount, chains, columns, work, place, use):
    """Add what an amount on a chain uses to `use`; gives its cost."""
    start, piece, waiting, kind, at, extra, now, grows = chains
    cost, indptr, row, value, _, _ = columns
    eur = 0.0
    for k in range(start[chain], start[chain + 1]):
        eur += _add_piece(at[piece[k]], amount, columns, work, place, use)
    eur += amount * waiting[chain] * cost[extra[0]]
    if extra.shape[0] > 1:
        for side in range(2):
            column = extra[1 + 2 * kind[chain] + side]
            times = now[bundle] if side == 0 else grows[bundle]
            if column >= 0 and times != 0:
                for k in range(indptr[column], indptr[column + 1]):
                    use[place[row[k]]] += amount * times * value[k]
    return eur


@njit(cache=True, nogil=True, parallel=True)
def aggregate(
    groups, cluster, cluster_start, bundles, first, demand, project_set, set_bits, adder, state_start, states, price,
    of_piece, chains, columns, work, place, offset, value, cost, use, set_t,
):  # fmt: skip
    """Every bundle takes its cheapest chain, for each state of each group: value at prices, true cost, use of the rows.

    `price` has a price per tonne by column, `of_piece` the same by piece for this period, infinite where it has none.
    `value` is infinite where a bundle has no chain that the state allows. States after the first are worked out as
    differences from it. `set_t` has the tonnes by project set.
    """
    for n in prange(groups.shape[0]):
        group = groups[n]
        here = states[state_start[group] : state_start[group + 1]]
        base, count = state_start[group] - offset, here.shape[0]
        least, which = np.empty(count), np.empty(count, np.int64)
        for s in range(count):
            value[base + s], cost[base + s] = 0.0, 0.0
            use[base + s, :] = 0.0
            set_t[base + s, :] = 0.0
        for i in range(cluster_start[cluster[group]], cluster_start[cluster[group] + 1]):
            bundle = bundles[i]
            tonnes = demand[bundle]
            if tonnes <= 0:
                continue
            _choose(
                bundle, first, chains, price, of_piece, project_set, set_bits[group], adder[group], here, least, which
            )  # fmt: skip
            for s in range(count):
                value[base + s] += tonnes * least[s]
                if s > 0 and which[s] == which[0]:
                    continue
                if which[s] >= 0:
                    cost[base + s] += _add_chain(which[s], bundle, tonnes, chains, columns, work, place, use[base + s])
                    set_t[base + s, project_set[which[s]]] += tonnes
                if s > 0 and which[0] >= 0:
                    cost[base + s] += _add_chain(which[0], bundle, -tonnes, chains, columns, work, place, use[base + s])
                    set_t[base + s, project_set[which[0]]] -= tonnes
        for s in range(1, count):
            cost[base + s] += cost[base]
            use[base + s, :] += use[base, :]
            set_t[base + s, :] += set_t[base, :]


@njit(cache=True, nogil=True)
def hand_out(
    groups, cluster, cluster_start, bundles, first, demand, project_set, set_bits, adder, state_start, states, price,
    of_piece, chains, columns, best, drive_load, share, tonnes, through, vkm,
):  # fmt: skip
    """Add `share` of each (group, state) column to the chains, pieces and drives it stands for."""
    start, piece, waiting, kind, at, extra, now, grows = chains
    _, _, _, _, work_lane, work_tkm = columns
    for n in range(groups.shape[0]):
        group = groups[n]
        here = states[state_start[group] : state_start[group + 1]]
        part = share[state_start[group] : state_start[group + 1]]
        if not (part > 0).any():
            continue
        count = here.shape[0]
        least, which = np.empty(count), np.empty(count, np.int64)
        for i in range(cluster_start[cluster[group]], cluster_start[cluster[group] + 1]):
            bundle = bundles[i]
            if demand[bundle] <= 0:
                continue
            _choose(
                bundle, first, chains, price, of_piece, project_set, set_bits[group], adder[group], here, least, which
            )  # fmt: skip
            for s in range(count):
                if part[s] <= 0:
                    continue
                chain, amount = which[s], part[s] * demand[bundle]
                tonnes[chain] += amount
                through[extra[0]] += amount * waiting[chain]
                for k in range(start[chain], start[chain + 1]):
                    column = at[piece[k]]
                    through[column] += amount
                    if work_lane[column] >= 0:
                        drive = best[work_lane[column]]
                        vkm[drive] += amount * work_tkm[column] / drive_load[drive]
                if extra.shape[0] > 1:
                    compared = 1 + 2 * kind[chain]
                    if extra[compared] >= 0:
                        through[extra[compared]] += amount * now[bundle]
                    if extra[compared + 1] >= 0:
                        through[extra[compared + 1]] += amount * grows[bundle]
