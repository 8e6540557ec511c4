"""Kernels of the large-scale route. Plain Python twins stand in ``solve/decompose/reference.py``.

Parallel over columns, lane-periods or clusters, sequential inside each: the same bits for any number of threads.
"""

import numpy as np
from numba import njit, prange


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


@njit(cache=True, nogil=True, parallel=True)
def add_work(work_start, work_lane, work_tkm, unit, out):
    """Add the work of every flow at the prices of its lane-periods."""
    for flow in prange(out.shape[0]):
        total = out[flow]
        for k in range(work_start[flow], work_start[flow + 1]):
            total += work_tkm[k] * unit[work_lane[k]]
        out[flow] = total


@njit(cache=True, nogil=True)
def _cheapest(flow_start, item_flows, needed, item, state, price):
    """The cheapest flow of an item among those that need nothing outside `state`; -1 if there is none."""
    least, which = np.inf, -1
    for k in range(flow_start[item], flow_start[item + 1]):
        flow = item_flows[k]
        if needed[flow] & ~state == 0 and price[flow] < least:
            least, which = price[flow], flow
    return which


@njit(cache=True, nogil=True, parallel=True)
def aggregate(
    group_start, group_items, state_start, states, flow_start, item_flows, needed, item_t, price, flow_cost,
    flow_indptr, flow_row, flow_value, work_start, work_lane, work_tkm, best, drive_cost, drive_indptr, drive_row,
    drive_value, drive_load, value, cost, use,
):  # fmt: skip
    """Every item takes its cheapest flow, for each state of each group: value at prices, true cost, use of the rows.

    `value` is infinite where an item has no flow that the state allows.
    """
    for group in prange(group_start.shape[0] - 1):
        for s in range(state_start[group], state_start[group + 1]):
            worth, eur = 0.0, 0.0
            use[s, :] = 0.0
            for i in range(group_start[group], group_start[group + 1]):
                item = group_items[i]
                flow = _cheapest(flow_start, item_flows, needed, item, states[s], price)
                if flow < 0:
                    worth = np.inf
                    break
                tonnes = item_t[item]
                worth += tonnes * price[flow]
                eur += tonnes * flow_cost[flow]
                for k in range(flow_indptr[flow], flow_indptr[flow + 1]):
                    use[s, flow_row[k]] += tonnes * flow_value[k]
                for w in range(work_start[flow], work_start[flow + 1]):
                    drive = best[work_lane[w]]
                    vkm = tonnes * work_tkm[w] / drive_load[drive]
                    eur += vkm * drive_cost[drive]
                    for k in range(drive_indptr[drive], drive_indptr[drive + 1]):
                        use[s, drive_row[k]] += vkm * drive_value[k]
            value[s], cost[s] = worth, eur


@njit(cache=True, nogil=True)
def hand_out(
    group_start, group_items, state_start, states, flow_start, item_flows, needed, item_t, price, work_start, work_lane,
    work_tkm, best, drive_load, share, tonnes, vkm,
):  # fmt: skip
    """Add `share` of each (group, state) column to the flows and drives it stands for."""
    for group in range(group_start.shape[0] - 1):
        for s in range(state_start[group], state_start[group + 1]):
            if share[s] <= 0:
                continue
            for i in range(group_start[group], group_start[group + 1]):
                item = group_items[i]
                flow = _cheapest(flow_start, item_flows, needed, item, states[s], price)
                amount = share[s] * item_t[item]
                tonnes[flow] += amount
                for w in range(work_start[flow], work_start[flow + 1]):
                    drive = best[work_lane[w]]
                    vkm[drive] += amount * work_tkm[w] / drive_load[drive]
