"""First prices: the duals of small linear programs in which a few bundles stand for all.

Each stands for the same tonnes of its kind and part of the map (see `weights`). The master is that of the whole.
Several samples are solved side by side and their prices averaged: what prices prove is concave in them, so the average
proves at least as much as the samples do on average, and in practice far more than one larger sample in the same time.
The prices are a good guess and nothing else: what is proven holds for any prices.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.sparse import block_array, coo_array, csc_array

from nbb_opt.model.arrays.split import expand
from nbb_opt.model.data.periods import Floats, Ints, entries
from nbb_opt.solve.colgen.groups import Groups
from nbb_opt.solve.colgen.oracle import Oracle
from nbb_opt.solve.highs import Solver
from nbb_opt.solve.stop import UNKNOWN, Stop

if TYPE_CHECKING:
    from nbb_opt.model import Split, StandardForm

USED = 1e-3  # of a usual amount: what interior points leave of nothing


def sampled_prices(
    split: Split,
    groups: Groups,
    oracle: Oracle,
    *,
    samples: int,
    bundles: int,
    threads: int,
    seed: int,
    log: list[str],
    stop: Stop,
    label: str = "",
) -> tuple[Floats, Floats, Ints] | None:
    """Prices of the master's rows (EUR per unit) and of every (group, bit), the mean of `samples` in each of which
    about `bundles` stand for all, and the hauls that go without freight in some.

    None if no sample has a plan. Solved by interior point: prices in the middle of all that are best prove more.
    """
    cheapest = oracle.trips(np.zeros(len(split.master.row_low))).cheapest
    trips, rows = np.unique(cheapest[cheapest >= 0]), len(split.master.row_low)
    if len(split.chains.demand_t) <= bundles:
        samples = 1

    def solved(k: int) -> tuple[Floats, Floats, npt.NDArray[np.bool_]] | None:
        weight = weights(split, groups.of_cluster, bundles, at=(k + 0.5) / samples)
        form, of = sampled_form(split, weight, trips)
        solver = Solver(form, threads=1, seed=seed, log=log)
        solver.use_interior_point()
        found = solver.run(stop, phase=label, callback=None, known=UNKNOWN)
        if found.status != "optimal" or found.values is None or found.row_dual is None:
            return None
        used = found.values[len(found.values) - len(trips) :] > USED * split.unit[1]
        return found.row_dual[:rows], _of_ties(groups, of, found.row_dual[rows:]), used

    with ThreadPoolExecutor(threads) as pool:
        found = [one for one in pool.map(solved, range(samples)) if one is not None]
    if not found:
        return None
    y, sigma, used = zip(*found, strict=True)
    return np.mean(y, axis=0), np.mean(sigma, axis=0), trips[np.any(used, axis=0)]


def _of_ties(groups: Groups, of: Sampled, dual: Floats) -> Floats:
    """What a sample pays for needs, by (group, bit)."""
    eur = -dual[of.items : of.items + len(of.need)] * of.demand_t
    group = groups.of_bundle[of.bundle, of.t]
    ties = {(g, c): k for k, (g, c) in enumerate((g, c) for g, bits in enumerate(groups.of_bit) for c in bits)}
    sigma = np.zeros(len(ties))
    for g, project, paid in zip(group.tolist(), of.need.tolist(), eur.tolist(), strict=True):
        tie = ties.get((g, project))
        if tie is not None:
            sigma[tie] += max(0.0, paid)
    return sigma


def weights(split: Split, cluster: Ints, bundles: int, *, at: float = 0.5) -> Floats:
    """How many tonnes a tonne of each bundle stands for; 0 where it is left out.

    Tonnes laid end to end, cluster by cluster, are cut into `bundles` equal lengths; the bundle at a place in each
    (0.5: in the middle) stands for all of it. So every cluster is there with its tonnes, nearly, and heavy bundles
    stand for themselves.
    """
    tonnes = split.chains.demand_t.sum(axis=1)
    if len(tonnes) <= bundles:
        return np.ones(len(tonnes))
    order = np.lexsort((tonnes, cluster))
    end = np.cumsum(tonnes[order])
    places = end[-1] * (np.arange(bundles) + at) / bundles
    hits = np.bincount(order[np.searchsorted(end, places)], minlength=len(tonnes))
    return np.divide(hits * (end[-1] / bundles), tonnes, out=np.zeros(len(tonnes)), where=hits > 0)


def hauls_on(split: Split, work: Ints) -> tuple[Ints, Ints]:
    """The hauls that may do some work (lane times periods plus period, rising), and the place in `work` of each."""
    hauls, count = entries(split.hauls.start, work // split.periods)
    place = np.repeat(np.arange(len(work)), count)
    now = split.hauls.t[hauls] == work[place] % split.periods
    return hauls[now], place[now]


@dataclass(frozen=True)
class Sampled:
    """Rows of a sample after those of the master: `items` of demand, then one per need: the master column needed
    (`need`) by a chain of `bundle` in period `t` with its `demand_t` tonnes.
    """

    items: int
    need: Ints
    bundle: Ints
    t: Ints
    demand_t: Floats


def sampled_form(split: Split, weight: Floats, empty: Ints) -> tuple[StandardForm, Sampled]:
    """The linear program of the sample: rows of the master first, then demand, needs and work of the chosen bundles.

    The last columns are hauls that may go `empty`, without freight.
    """
    master, c = split.master, split.chains
    flows = expand(split, entries(c.first, np.flatnonzero(weight > 0))[0])
    count, bundle = len(flows.t), c.bundle_of(flows.chain)
    times = weight[bundle]
    item, of_item = np.unique(bundle * c.demand_t.shape[1] + flows.t, return_inverse=True)
    item_t = c.demand_t.ravel()[item]
    work, place = np.unique(flows.work_lane, return_inverse=True)
    hauls, driven = hauls_on(split, work)
    load_t = split.hauls.load_t[work[driven] // split.periods, split.hauls.vehicle[hauls]]
    driven_by, hauls = np.arange(len(hauls)), np.concatenate([hauls, empty])
    of_set = [np.flatnonzero(c.project_set[flows.chain] == s) for s in range(len(c.needs))]
    pairs = [(f, p) for s, mine in enumerate(of_set) for f in mine.tolist() for p in c.needs[s]]
    needing, project = np.array(sorted(pairs), np.int64).reshape(-1, 2).T
    column = split.project_column[project, flows.t[needing]]
    rows, one = len(master.row_low), np.ones
    of = Sampled(len(item), column, bundle[needing], flows.t[needing], c.demand_t[bundle, flows.t][needing])

    f, d = flows.columns, split.columns_of(hauls)
    use = csc_array((f.value * np.repeat(times, np.diff(f.indptr)), f.row, f.indptr), shape=(rows, count))
    trips = csc_array((d.value, d.row, d.indptr), shape=(rows, len(hauls)))
    own = csc_array((master.a_values, master.a_indices, master.a_indptr), shape=(rows, len(master.cost)))
    k, by = np.arange(len(column)), np.repeat(np.arange(count), np.diff(flows.work_start))
    units = coo_array((-of.demand_t, (k, column)), shape=(len(k), len(master.cost)))
    needs = coo_array((one(len(k)), (k, needing)), shape=(len(k), count))
    serve = coo_array((one(count), (of_item, np.arange(count))), shape=(len(item), count))
    load = coo_array((load_t, (driven, driven_by)), shape=(len(work), len(hauls)))
    done = coo_array((-flows.work_tkm * times[by], (place, by)), shape=(len(work), count))
    whole = block_array(
        [[own, use, trips], [None, serve, None], [units, needs, None], [None, done, load]], format="csc"
    )
    more, unit = count + len(hauls), split.unit
    form = replace(
        master, cost=np.concatenate([master.cost, f.cost * times, d.cost]), a_indptr=whole.indptr,
        a_indices=whole.indices, a_values=whole.data,
        row_low=np.concatenate([master.row_low, item_t, np.full(len(k), -np.inf), np.zeros(len(work))]),
        row_up=np.concatenate([master.row_up, item_t, np.zeros(len(k)), np.full(len(work), np.inf)]),
        col_low=np.concatenate([master.col_low, np.zeros(more)]),
        col_up=np.concatenate([master.col_up, np.full(more, np.inf)]),
        integer=np.zeros(len(master.cost) + more, bool), col_names=[], row_names=[],
        col_unit_scale=np.concatenate([master.col_unit_scale, np.full(count, unit[0]), np.full(len(hauls), unit[1])]),
        fix_order=np.full(len(master.cost) + more, -1),
    )  # fmt: skip
    return form, of
