"""The restricted master as a problem for HiGHS: the prices asked so far and the columns they gave, bounds of its own
columns, what slack costs, in which way it is solved."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array

from nbb_opt.errors import SolveError
from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.solve.colgen.block_separable import BlockSeparable
from nbb_opt.solve.colgen.bound import Bounds
from nbb_opt.solve.colgen.groups import Groups
from nbb_opt.solve.colgen.oracle import Oracle, Priced
from nbb_opt.solve.colgen.pool import (
    DUST,
    ColumnPool,
    columns_of,
    joined,
    nothing,
    restricted_form,
    slack_cost,
    usual_eur,
    with_slack,
)
from nbb_opt.solve.highs import Solver, SolverResult
from nbb_opt.solve.stop import UNKNOWN, Callback, Stop

if TYPE_CHECKING:
    from nbb_opt.model import Split


DEAR = (0.0, 0.3, 30.0)  # of the first columns: times the whole cost for using a limit as much as usual
LAST_START = len(DEAR) - 1
LARGE_POOL = 100_000  # nonzeros of the first columns from which the root is solved by interior point
DEAREST, MISSED = 1e13, 1e-9  # EUR for a unit of slack; share of a row's usual size that is no slack yet


class Master:
    """`form` is the master with slack columns, `low` and `up` the bounds of its columns now, `shares` what each column
    of the pool carries in the last answer; a column of `pool` is what a group does at `prices[pool.call]`.

    `size` is a usual size of every row, `eur` the cost of the first columns, `dust` the use of a row that is rounding.
    """

    def __init__(
        self, split: Split, groups: Groups, oracle: Oracle, *, threads: int, seed: int, log: list[str]
    ) -> None:
        self.split, self.groups, self.oracle = split, groups, oracle
        self.bounds = Bounds(split, groups)
        self.prices: list[Floats] = []
        self.pool = nothing(self.bounds)
        self.dust: Floats = np.zeros(len(split.master.row_low))
        self.size, self.eur = self._first_columns()
        self.threads, self.seed, self.log = threads, seed, log
        self.shares: Floats = np.zeros(0)
        self.by_period = False
        self.left_out: tuple[Ints, Floats] | None = None
        self.interior, self.large = False, self.pool.matrix.nnz > LARGE_POOL
        self.usual = usual_eur(split, self.size, self.eur)
        self._price_slack(None)

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
            priced = self._call_oracle(self.bounds.clamp(price))
            usual = np.maximum(usual, abs(priced.use[ends]).sum(axis=0))
            self.dust = np.maximum(self.dust, DUST * usual)
            eur = eur or float(priced.cost[every].sum())
            self._keep(priced, ends)
        size = np.maximum(usual, np.abs(np.where(np.isfinite(master.row_up), master.row_up, 0.0)))
        over_groups = np.unique(self.oracle.loose_row)
        size[over_groups] = np.where(size[over_groups] > 0, size[over_groups], 1.0)  # of units in service
        middle = float(np.median(size[size > 0])) if (size > 0).any() else 1.0
        return np.where(size > 0, size, middle), eur

    def _call_oracle(self, price: Floats) -> Priced:
        self.prices.append(price)
        return self.oracle(price)

    def _keep(self, priced: Priced, states: Ints) -> ColumnPool:
        new = columns_of(self.bounds, priced, states, call=len(self.prices) - 1, dust=self.dust)
        self.pool = joined(self.pool, new)
        return new

    def _price_slack(self, prices: Floats | None) -> None:
        self.form, self.slack = with_slack(
            self.split, self.size, slack_cost(self.usual, prices), loose=np.unique(self.oracle.loose_row)
        )
        self.low, self.up = self.form.col_low.copy(), self.form.col_up.copy()
        self._load()

    @property
    def columns(self) -> int:
        """Columns of the restricted master beside the master's own."""
        return len(self.pool)

    def use_interior_point(self) -> None:
        """From now on solve by interior point, without a basis, and forget columns far from the optimum."""
        self.interior, self.by_period, self.left_out = True, False, None

    def use_simplex(self) -> None:
        """From now on solve from the last basis."""
        self.interior, self.by_period, self.left_out = False, False, None
        self._load()

    def solve_by_period(self, columns: Ints | None, prices: Floats | None) -> None:
        """From now on solve the parts that fixed columns leave, without some columns whose rows are paid for at prices
        (see `BlockSeparable`); by interior point, or to a vertex where none are left out.
        """
        self.by_period, self.left_out = True, None
        if columns is not None and prices is not None:
            rows = self.bounds.matrix[:, columns].indices  # nothing must be kept in them, so they need no slack
            self.left_out = np.union1d(columns, self.slack.column[np.isin(self.slack.row, rows)]), prices
        self.interior = self.left_out is not None
        if not self.interior:
            self._load()

    def fitting(self, columns: Ints, found: SolverResult) -> Floats:
        """Values of the master's columns as found, but of some columns what their own rows then ask for, at least cost.

        Raises SolveError where nothing fits.
        """
        assert found.values is not None
        used, own = np.flatnonzero(self.shares), len(self.form.cost)
        low, up = found.values.copy(), found.values.copy()
        low[columns], up[columns] = self.form.col_low[columns], self.form.col_up[columns]
        form = restricted_form(self.bounds, self.form, self.pool.take(used), low=low, up=up)
        form.col_low[own:] = form.col_up[own:] = self.shares[used]
        others = np.ones(len(form.row_low), bool)
        others[csc_array((form.a_values, form.a_indices, form.a_indptr))[:, columns].indices] = False
        form.row_low[others], form.row_up[others] = -np.inf, np.inf
        fit = BlockSeparable(form, threads=1, seed=self.seed, log=self.log)
        answer = fit.run(Stop(np.inf), phase="fit", callback=None, known=UNKNOWN)
        if answer.values is None:
            raise SolveError(f"no vehicles fit what is driven: {answer.status}")
        return answer.values[:own]

    def unload(self) -> None:
        """Let go of the problem inside HiGHS: it takes as much room as what comes next."""
        vars(self).pop("solver", None)

    def _load(self) -> None:
        """Hand the master and all columns to HiGHS, whole numbers relaxed."""
        self.unload()
        form = restricted_form(self.bounds, self.form, self.pool, low=self.low, up=self.up)
        self.solver: Solver | BlockSeparable
        if self.by_period:
            columns, prices = self.left_out or (None, None)
            self.solver = BlockSeparable(
                form, threads=self.threads, seed=self.seed, log=self.log, interior=self.interior, left_out=columns,
                prices=prices,
            )  # fmt: skip
            return
        form = replace(form, integer=np.zeros(len(form.cost), bool))
        self.solver = Solver(form, threads=self.threads, seed=self.seed, log=self.log)
        if self.interior:
            self.solver.use_interior_point()

    def whole(self, stop: Stop, *, gap: float, phase: str, callback: Callback | None, known: float) -> Floats | None:
        """Whole numbers for the master from a search over the columns found so far; None if there are none."""
        form = restricted_form(self.bounds, self.form, self.pool, low=self.low, up=self.up)
        solver = Solver(form, threads=self.threads, seed=self.seed, log=self.log)
        solver.set("mip_rel_gap", gap)
        found = solver.run(stop, phase=phase, callback=callback, known=(known, -np.inf))
        if found.values is None or self._uses_slack(found.values):
            return None
        return np.round(found.values[np.flatnonzero(self.form.integer)])

    def bound(self, columns: Ints, low: Floats, up: Floats) -> None:
        """Give some of the master's columns other bounds, in business units."""
        self.low[columns], self.up[columns] = low, up
        if isinstance(self.solver, Solver):
            self.solver.bound(columns, low, up)

    def fix(self, columns: Ints, values: Floats) -> None:
        """Fix some of the master's columns."""
        self.bound(columns, values, values)

    def free(self, columns: Ints) -> None:
        """Give some columns their own bounds back."""
        self.bound(columns, self.form.col_low[columns], self.form.col_up[columns])

    def raise_slack(self, times: float) -> None:
        """Make slack dearer, where a plan uses it."""
        self.price_slack(np.minimum(self.slack_eur * times, DEAREST))

    def raise_slack_where_used(self, values: Floats, *, times: float, above: float = MISSED) -> None:
        """Make slack dearer in the rows that use it, by more than a share of their usual size."""
        short = self._slack_of(values) > above
        self.price_slack(np.where(short, np.minimum(self.slack_eur * times, DEAREST), self.slack_eur))

    @property
    def slack_eur(self) -> Floats:
        """What a unit of each column of slack costs."""
        return self.form.cost[self.slack.column]

    def price_slack(self, eur: Floats) -> None:
        """Give slack other costs: at once, or by interior point, once problems are handed over anew."""
        cost = self.form.cost.copy()
        cost[self.slack.column] = eur
        self.form = replace(self.form, cost=cost)
        if not self.interior:
            self.solver.price(self.slack.column, eur)

    def _slack_of(self, values: Floats) -> Floats:
        """Slack as a share of the usual size of its row."""
        return np.asarray(values[self.slack.column] / self.form.col_unit_scale[self.slack.column])

    def _uses_slack(self, values: Floats) -> bool:
        """Whether a plan uses slack."""
        return bool((self._slack_of(values) > MISSED).any())
