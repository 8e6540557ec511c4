"""First prices: the duals of a small linear program in which a few bundles stand for all.

The heaviest bundles stand for themselves, every k-th of the others for all of those. The master is that of the whole.
The prices are a good guess and nothing else: what is proven holds for any prices.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.sparse import block_array, coo_array, csc_array

from nbb_opt.solve.decompose.groups import Groups
from nbb_opt.solve.decompose.oracle import Oracle
from nbb_opt.solve.highs import Solver
from nbb_opt.solve.progress import Listener, Stop

if TYPE_CHECKING:
    from nbb_opt.milp import Split, StandardForm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
NEAR, TRIPS_AT_ONCE = 1e-4, 300


def sampled_prices(
    split: Split,
    groups: Groups,
    oracle: Oracle,
    bundles: int,
    *,
    threads: int,
    seed: int,
    log: list[str],
    stop: Stop,
    listen: Listener | None = None,
    label: str = "",
) -> tuple[Floats, Floats, Ints] | None:
    """Prices of the master's rows (EUR per unit) and of every (group, bit), with about `bundles` bundles for all, and
    the drives that go without freight.

    None if the sample has no plan.
    """
    form, items, need = sampled_form(split, bundles)
    solver = Solver(form, threads=threads, seed=seed, log=log)
    rows, d = len(split.master.row_low), split.drives
    trips = np.zeros(0, np.int64)
    while True:
        found = solver.run(stop, phase=label + "sample", listen=listen, known=(float("nan"), -np.inf))
        if found.status != "optimal" or found.row_dual is None:
            return None
        reduced = oracle.drive_reduced(found.row_dual[:rows])
        wanted = np.setdiff1d(np.flatnonzero(reduced < -NEAR * d.cost), trips)
        if not len(wanted):
            break
        wanted = BEST(reduced, wanted)
        trips = np.concatenate([trips, wanted])
        at, start = columns_at(d.indptr, wanted)
        solver.add_columns(
            d.cost[wanted],
            indptr=start,
            row=d.row[at],
            value=d.value[at],
            unit=np.full(len(wanted), split.form_unit[1]),
        )
    eur = -found.row_dual[rows + items : rows + items + len(need)] * split.item_t[split.item[split.need_flow[need]]]
    of_item = np.repeat(np.arange(groups.size), np.diff(groups.start))[np.argsort(groups.items)]
    ties = {(g, c): k for k, (g, c) in enumerate((g, c) for g, bits in enumerate(groups.of_bit) for c in bits)}
    sigma = np.zeros(len(ties))
    for flow, project, paid in zip(split.need_flow[need].tolist(), split.need_column[need].tolist(), eur, strict=True):
        tie = ties.get((int(of_item[split.item[flow]]), project))
        if tie is not None:
            sigma[tie] += max(0.0, float(paid))
    return found.row_dual[:rows], sigma, np.sort(trips)


def columns_at(indptr: npt.NDArray[np.integer], columns: Ints) -> tuple[Ints, Ints]:
    """Where the entries of some columns of a CSC matrix are, and where each of these columns starts among them."""
    count = np.diff(indptr)[columns]
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(count)])
    return np.repeat(indptr[columns] - start[:-1], count) + np.arange(start[-1]), start


def weights(split: Split, bundles: int) -> Floats:
    """How many tonnes a tonne of each item stands for; 0 where it is left out."""
    tonnes = np.bincount(split.item_bundle, split.item_t)
    if len(tonnes) <= bundles:
        return np.ones(len(split.item_t))
    order = np.argsort(-tonnes, kind="stable")
    heavy, rest = order[: bundles // 2], np.sort(order[bundles // 2 :])
    chosen = rest[:: max(1, len(rest) // (bundles - len(heavy)))]
    weight = np.zeros(len(tonnes))
    weight[heavy] = 1.0
    weight[chosen] = tonnes[rest].sum() / tonnes[chosen].sum()
    return np.asarray(weight[split.item_bundle])


def sampled_form(split: Split, bundles: int) -> tuple[StandardForm, int, Ints]:
    """The linear program of the sample: rows of the master first, then demand, needs and work of the chosen bundles.

    Beside it: how many rows of demand there are, and which needs (positions in `need_flow`) have a row, in this order.
    """
    master = split.master
    weight = weights(split, bundles)
    flows = np.flatnonzero(weight[split.item] > 0)
    times = weight[split.item[flows]]
    item, of_item = np.unique(split.item[flows], return_inverse=True)
    work, begins = columns_at(split.work_start, flows)
    by = np.repeat(np.arange(len(flows)), np.diff(begins))
    lanes = np.unique(split.work_lane[work])
    place = np.full(max(int(split.drive_lane.max(initial=-1)), int(lanes.max(initial=-1))) + 1, -1)
    place[lanes] = np.arange(len(lanes))
    drives = np.flatnonzero(place[split.drive_lane] >= 0)
    among = np.full(len(split.item), -1)
    among[flows] = np.arange(len(flows))
    need = np.flatnonzero(among[split.need_flow] >= 0)
    needing, column = among[split.need_flow[need]], split.need_column[need]
    rows, one = len(master.row_low), np.ones

    def of(part: csc_array, at: Ints, scale: Floats) -> csc_array:
        piece = part[:, at]
        piece.data = piece.data * np.repeat(scale, np.diff(piece.indptr))
        return piece

    f, d = split.flows, split.drives
    use = of(csc_array((f.value, f.row, f.indptr), shape=(rows, len(f.cost))), flows, times)
    trips = of(csc_array((d.value, d.row, d.indptr), shape=(rows, len(d.cost))), drives, one(len(drives)))
    own = csc_array((master.a_values, master.a_indices, master.a_indptr), shape=(rows, len(master.cost)))
    k = np.arange(len(need))
    units = coo_array((-split.item_t[split.item[split.need_flow[need]]], (k, column)), shape=(len(k), len(master.cost)))
    needs = coo_array((one(len(k)), (k, needing)), shape=(len(k), len(flows)))
    serve = coo_array((one(len(flows)), (of_item, np.arange(len(flows)))), shape=(len(item), len(flows)))
    load = coo_array(
        (split.drive_load_t[drives], (place[split.drive_lane[drives]], np.arange(len(drives)))),
        shape=(len(lanes), len(drives)),
    )
    done = coo_array(
        (-split.work_tkm[work] * times[by], (place[split.work_lane[work]], by)), shape=(len(lanes), len(flows))
    )
    whole = block_array(
        [[own, use, trips], [None, serve, None], [units, needs, None], [None, done, load]], format="csc"
    )
    count = len(flows) + len(drives)
    endless, unit = np.full(count, np.inf), split.form_unit
    form = replace(
        master, cost=np.concatenate([master.cost, f.cost[flows] * times, d.cost[drives]]), a_indptr=whole.indptr,
        a_indices=whole.indices, a_values=whole.data,
        row_low=np.concatenate([master.row_low, split.item_t[item], np.full(len(k), -np.inf), np.zeros(len(lanes))]),
        row_up=np.concatenate([master.row_up, split.item_t[item], np.zeros(len(k)), np.full(len(lanes), np.inf)]),
        col_low=np.concatenate([master.col_low, np.zeros(count)]), col_up=np.concatenate([master.col_up, endless]),
        integer=np.zeros(len(master.cost) + count, bool), col_names=[], row_names=[],
        col_unit_scale=np.concatenate(
            [master.col_unit_scale, np.full(len(flows), unit[0]), np.full(len(drives), unit[1])]
        ),
        fix_order=np.full(len(master.cost) + count, -1),
    )  # fmt: skip
    return form, len(item), need
