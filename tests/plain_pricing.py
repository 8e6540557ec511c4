"""Plain Python twins of the kernels: slow, obvious, for the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nbb_opt.model.arrays.split import expand
from nbb_opt.solve.colgen.groups import Groups

if TYPE_CHECKING:
    from nbb_opt.model import Split
    from nbb_opt.model.arrays.split import Expanded, SparseColumns

Floats = npt.NDArray[np.float64]


def priced(split: Split, groups: Groups, price: Floats) -> tuple[Floats, Floats, Floats]:
    """Value, cost and use of every state at these prices, bundle by bundle, column by column, haul by haul.

    Works on whole chains, as the model without segments states them, and leaves out rows over whole groups.
    """
    chains, flows = split.chains, expand(split, np.arange(len(split.chains)))
    every = np.arange(len(split.hauls.t))
    hauls, lane_of = split.columns_of(every), split.hauls.lane_of(every)
    load_t = split.hauls.load_t[lane_of, split.hauls.vehicle]
    best: dict[int, tuple[float, int]] = {}
    for haul, lane in enumerate((lane_of * split.periods + split.hauls.t).tolist()):
        eur = _reduced(hauls, haul, price) / load_t[haul]
        if lane not in best or eur < best[lane][0]:
            best[lane] = (eur, haul)
    value, cost = np.zeros(len(groups.states)), np.zeros(len(groups.states))
    use = np.zeros((len(groups.states), len(price)))
    bundle = chains.bundle_of(flows.chain)
    for group, (q, t) in enumerate(zip(groups.cluster.tolist(), groups.t.tolist(), strict=True)):
        bits = groups.set_bits[group, chains.project_set[flows.chain]]
        for s in range(groups.state_start[group], groups.state_start[group + 1]):
            for one in groups.bundles[groups.start[q] : groups.start[q + 1]].tolist():
                tonnes = chains.demand_t[one, t]
                if tonnes <= 0:
                    continue
                offers = []
                for flow in np.flatnonzero((bundle == one) & (flows.t == t)).tolist():
                    if bits[flow] >= 0 and bits[flow] & ~groups.states[s] == 0:
                        work = _work(flows, flow)
                        eur = _reduced(flows.columns, flow, price) + sum(tkm * best[lane][0] for lane, tkm in work)
                        offers.append((eur, flow))
                eur, flow = min(offers)
                value[s] += tonnes * eur
                cost[s] += tonnes * flows.columns.cost[flow]
                _use(flows.columns, flow, tonnes, use[s])
                for lane, tkm in _work(flows, flow):
                    haul = best[lane][1]
                    vkm = tonnes * tkm / load_t[haul]
                    cost[s] += vkm * hauls.cost[haul]
                    _use(hauls, haul, vkm, use[s])
    return value, cost, use


def _reduced(columns: SparseColumns, j: int, price: Floats) -> float:
    here = slice(columns.indptr[j], columns.indptr[j + 1])
    return float(columns.cost[j] - columns.value[here] @ price[columns.row[here]])


def _use(columns: SparseColumns, j: int, amount: float, use: Floats) -> None:
    here = slice(columns.indptr[j], columns.indptr[j + 1])
    np.add.at(use, columns.row[here], amount * columns.value[here])


def _work(flows: Expanded, flow: int) -> list[tuple[int, float]]:
    here = slice(flows.work_start[flow], flows.work_start[flow + 1])
    return list(zip(flows.work_lane[here].tolist(), flows.work_tkm[here].tolist(), strict=True))
