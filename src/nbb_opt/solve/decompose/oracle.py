"""What every group would do at given prices of the master's rows: one column per group and state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np
import numpy.typing as npt

from nbb_opt.solve.decompose.groups import Groups
from nbb_opt.solve.decompose.kernels import add_work, aggregate, best_drives, hand_out, reduced_costs

if TYPE_CHECKING:
    from nbb_opt.milp import Split

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LARGE = 20_000  # fewer flows are not worth a second thread


@dataclass(frozen=True)
class Priced:
    """The answer to one price vector: per state its value at the prices, cost in EUR, use of the master's rows.

    `drive_reduced` is the reduced cost of each drive at the prices, for those that drive without freight.
    """

    value: Floats
    cost: Floats
    use: Floats
    drive_reduced: Floats


class Oracle:
    """Prices drives first, then lane-periods, then flows, then lets every item choose."""

    def __init__(self, split: Split, groups: Groups, *, threads: int) -> None:
        self.split, self.groups = split, groups
        most = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
        self.threads = min(threads, most) if len(split.item) >= LARGE else 1
        lanes = int(split.drive_lane.max(initial=-1)) + 1
        self.drive_order = np.argsort(split.drive_lane, kind="stable")
        self.drive_start = np.searchsorted(split.drive_lane[self.drive_order], np.arange(lanes + 1))
        self.rows = len(split.master.row_low)
        self.calls = 0

    def __call__(self, price: Floats) -> Priced:
        """Answer prices (EUR per unit of each master row, the sign of a dual)."""
        s, g = self.split, self.groups
        self.calls += 1
        flow_price, best, reduced = self._prices(price)
        states = len(g.states)
        value, cost, use = np.empty(states), np.empty(states), np.empty((states, self.rows))
        aggregate(
            g.start, g.items, g.state_start, g.states, g.flow_start, g.item_flows, g.needed, s.item_t, flow_price,
            s.flows.cost, s.flows.indptr, s.flows.row, s.flows.value, s.work_start, s.work_lane, s.work_tkm, best,
            s.drives.cost, s.drives.indptr, s.drives.row, s.drives.value, s.drive_load_t, value, cost, use,
        )  # fmt: skip
        return Priced(value, cost, use, reduced)

    def drive_reduced(self, price: Floats) -> Floats:
        """Reduced cost of every drive at the prices, EUR per vkm."""
        d = self.split.drives
        numba.set_num_threads(self.threads)
        reduced = np.empty(len(d.cost))
        reduced_costs(d.cost, d.indptr, d.row, d.value, price, reduced)
        return reduced

    def add_to(self, price: Floats, share: Floats, *, tonnes: Floats, vkm: Floats) -> None:
        """Add to flows and drives what `share` of each state's column at these prices stands for."""
        s, g = self.split, self.groups
        flow_price, best, _ = self._prices(price)
        hand_out(
            g.start, g.items, g.state_start, g.states, g.flow_start, g.item_flows, g.needed, s.item_t, flow_price,
            s.work_start, s.work_lane, s.work_tkm, best, s.drive_load_t, share, tonnes, vkm,
        )  # fmt: skip

    def _prices(self, price: Floats) -> tuple[Floats, Ints, Floats]:
        """Price per tonne of every flow, drive used on every lane-period, reduced cost of every drive."""
        s = self.split
        reduced = self.drive_reduced(price)
        unit, best = np.empty(len(self.drive_start) - 1), np.empty(len(self.drive_start) - 1, np.int64)
        best_drives(self.drive_start, self.drive_order, reduced, s.drive_load_t, unit, best)
        flow_price = np.empty(len(s.item))
        reduced_costs(s.flows.cost, s.flows.indptr, s.flows.row, s.flows.value, price, flow_price)
        add_work(s.work_start, s.work_lane, s.work_tkm, unit, flow_price)
        return flow_price, best, reduced
