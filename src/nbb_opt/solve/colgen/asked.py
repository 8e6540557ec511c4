"""The prices asked so far and the columns they gave; the first ones range from free to very dear limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from nbb_opt.solve.colgen.bound import Bounds
from nbb_opt.solve.colgen.groups import Groups
from nbb_opt.solve.colgen.oracle import Oracle, Priced
from nbb_opt.solve.colgen.pool import DUST, Pool, columns_of, joined, nothing

if TYPE_CHECKING:
    from nbb_opt.model import Split

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
DEAR = (0.0, 0.3, 30.0)  # of the first columns: times the whole cost for using a limit as much as usual
LAST_START = len(DEAR) - 1


class Asked:
    """`size` is a usual size of every row, `eur` the cost of the first columns, `dust` the use of a row that is
    rounding; a column of `pool` is what a group does at `prices[pool.call]`.
    """

    def __init__(self, split: Split, groups: Groups, oracle: Oracle) -> None:
        self.split, self.groups, self.oracle = split, groups, oracle
        self.bounds = Bounds(split, groups)
        self.prices: list[Floats] = []
        self.pool = nothing(self.bounds)
        self.dust: Floats = np.zeros(len(split.master.row_low))
        self.size, self.eur = self._first_columns()

    def _first_columns(self) -> tuple[Floats, float]:
        """Columns for three price vectors: costs alone, and limits that vehicles cannot lift dear and very dear.

        They keep out of the way of limits, so that most designs have a plan.
        """
        master, rows = self.split.master, len(self.split.master.row_low)
        every = self.groups.state_start[1:] - 1
        ends = np.union1d(every, self.groups.state_start[:-1])
        entries = csc_array(
            (np.ones(len(master.a_values)), master.a_indices, master.a_indptr), shape=(rows, len(master.cost))
        )
        lifted = entries @ (master.fix_order == 2).astype(float) > 0
        usual, eur = np.zeros(rows), 0.0
        own = np.abs(master.a_values) * np.repeat(master.col_unit_scale, np.diff(master.a_indptr))
        np.maximum.at(self.dust, master.a_indices, DUST * own)
        for dear in DEAR:
            limit = ~lifted & np.isfinite(master.row_up) & (usual > 0)
            price = np.where(limit, -dear * eur / np.where(limit, usual, 1.0), 0.0)
            priced = self._ask(self.bounds.clamp(price))
            usual = np.maximum(usual, abs(priced.use[ends]).sum(axis=0))
            self.dust = np.maximum(self.dust, DUST * usual)
            eur = eur or float(priced.cost[every].sum())
            self._keep(priced, ends)
        size = np.maximum(usual, np.abs(np.where(np.isfinite(master.row_up), master.row_up, 0.0)))
        over_groups = np.unique(self.oracle.loose_row)
        size[over_groups] = np.where(size[over_groups] > 0, size[over_groups], 1.0)  # of units in service
        middle = float(np.median(size[size > 0])) if (size > 0).any() else 1.0
        return np.where(size > 0, size, middle), eur

    def _ask(self, price: Floats) -> Priced:
        self.prices.append(price)
        return self.oracle(price)

    def _keep(self, priced: Priced, states: Ints) -> Pool:
        new = columns_of(self.bounds, priced, states, call=len(self.prices) - 1, dust=self.dust)
        self.pool = joined(self.pool, new)
        return new
