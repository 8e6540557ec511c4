"""Plain Python twins of the kernels: slow, obvious, for the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nbb_opt.solve.decompose.groups import Groups

if TYPE_CHECKING:
    from nbb_opt.milp import Split
    from nbb_opt.milp.split import Columns

Floats = npt.NDArray[np.float64]


def priced(split: Split, groups: Groups, price: Floats) -> tuple[Floats, Floats, Floats]:
    """Value, cost and use of every state at these prices, item by item, flow by flow, drive by drive."""
    reduced = [_reduced(split.drives, drive, price) for drive in range(len(split.drives.cost))]
    best: dict[int, tuple[float, int]] = {}
    for drive, lane in enumerate(split.drive_lane.tolist()):
        eur = reduced[drive] / split.drive_load_t[drive]
        if lane not in best or eur < best[lane][0]:
            best[lane] = (eur, drive)
    value, cost = np.zeros(len(groups.states)), np.zeros(len(groups.states))
    use = np.zeros((len(groups.states), len(price)))
    for group in range(groups.size):
        for s in range(groups.state_start[group], groups.state_start[group + 1]):
            for item in groups.items[groups.start[group] : groups.start[group + 1]].tolist():
                offers = []
                for flow in np.flatnonzero(split.item == item).tolist():
                    if groups.needed[flow] & ~groups.states[s] == 0:
                        work = _work(split, flow)
                        eur = _reduced(split.flows, flow, price) + sum(tkm * best[lane][0] for lane, tkm in work)
                        offers.append((eur, flow))
                eur, flow = min(offers)
                tonnes = split.item_t[item]
                value[s] += tonnes * eur
                cost[s] += tonnes * split.flows.cost[flow]
                _use(split.flows, flow, tonnes, use[s])
                for lane, tkm in _work(split, flow):
                    drive = best[lane][1]
                    vkm = tonnes * tkm / split.drive_load_t[drive]
                    cost[s] += vkm * split.drives.cost[drive]
                    _use(split.drives, drive, vkm, use[s])
    return value, cost, use


def _reduced(columns: Columns, j: int, price: Floats) -> float:
    here = slice(columns.indptr[j], columns.indptr[j + 1])
    return float(columns.cost[j] - columns.value[here] @ price[columns.row[here]])


def _use(columns: Columns, j: int, amount: float, use: Floats) -> None:
    here = slice(columns.indptr[j], columns.indptr[j + 1])
    np.add.at(use, columns.row[here], amount * columns.value[here])


def _work(split: Split, flow: int) -> list[tuple[int, float]]:
    here = slice(split.work_start[flow], split.work_start[flow + 1])
    return list(zip(split.work_lane[here].tolist(), split.work_tkm[here].tolist(), strict=True))
