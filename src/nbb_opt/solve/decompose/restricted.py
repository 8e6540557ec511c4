"""The master with the columns found so far, priced again and again: a linear program that looks like `Solver`.

`run` solves the restricted master, asks the oracle for better columns at its prices, adds them, and goes on until the
bound meets the value, or `rounds` is used up, or the bound passes `cutoff`. `bound`, `fix` and `free` change the
bounds of the master's columns, so that the dive and the tree of the middle-sized route work on it unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, csr_array, hstack, vstack

from nbb_opt.solve.decompose.bound import Bounds, Cut
from nbb_opt.solve.decompose.groups import Groups
from nbb_opt.solve.decompose.oracle import Oracle, Priced
from nbb_opt.solve.decompose.sample import columns_at
from nbb_opt.solve.highs import Answer, Solver
from nbb_opt.solve.progress import Listener, Progress, Stop, relative_gap

if TYPE_CHECKING:
    from nbb_opt.milp import Split, StandardForm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SMOOTH = 0.3  # weight of the best prices so far, Wentges (1997)
TRIPS_AT_ONCE = 200  # trips without freight that are added after one oracle call
CUTS_KEPT = 60
ENOUGH = 1e-9
DUST = 1e-11  # of a row's usual size: less than this is no use of it
SLACK_DEAR = 3.0  # a row missed by its usual size costs this many times the whole


@dataclass(frozen=True)
class Pool:
    """Columns of the restricted master, one entry each: state and oracle call (-1, -1 and `drive` for an empty trip)."""

    state: Ints
    call: Ints
    drive: Ints
    cost: Floats
    matrix: csc_array

    def take(self, which: Ints) -> Pool:
        """Some of the columns."""
        return Pool(
            self.state[which], self.call[which], self.drive[which], self.cost[which], self.matrix[:, which]
        )


class Restricted:
    """See the module. `form` is the master with slack columns at its end; slack costs `penalty` and ends at zero."""

    def __init__(
        self,
        split: Split,
        groups: Groups,
        oracle: Oracle,
        *,
        first_prices: tuple[Floats, Floats] | None,
        threads: int,
        seed: int,
        log: list[str],
    ) -> None:
        self.split, self.groups, self.oracle = split, groups, oracle
        self.threads, self.seed, self.log = threads, seed, log
        self.bounds = Bounds(split, groups)
        self.rounds, self.tolerance, self.cutoff = 10**6, ENOUGH, np.inf
        self.prices: list[Floats] = []
        self.shares = np.zeros(0)
        self.cuts: list[Cut] = []
        self.best_prices: Floats | None = None
        self.smooth = SMOOTH
        size, eur = self._first_columns()
        if first_prices is not None:
            y, sigma = self.bounds.clamp(first_prices[0]), first_prices[1]
            priced = self._ask(y)
            self.cuts.append(self.bounds.cut(y, sigma, value=priced.value, drive_reduced=priced.drive_reduced))
            self.best_prices = np.concatenate([y, np.zeros(groups.size), -sigma])
            self._keep(self._rows_of(priced, np.arange(len(priced.value))))
        self.form, self.slack = _with_slack(split, size, eur)
        self.low, self.up = self.form.col_low.copy(), self.form.col_up.copy()
        self.solver = self._load()

    @property
    def columns(self) -> int:
        """Columns of the restricted master beside the master's own."""
        return len(self.pool.state)

    # -- columns -------------------------------------------------------------------------------------------------------

    def _first_columns(self) -> tuple[Floats, float]:
        """Columns for three price vectors: costs alone, and limits that money cannot lift dear and very dear.

        Gives a usual size of every row, and the cost of the first.
        """
        master, rows = self.split.master, len(self.split.master.row_low)
        self.pool = Pool(
            np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0),
            csc_array((rows + self.groups.size + len(self.bounds.tie_column), 0)),
        )  # fmt: skip
        every = self.groups.state_start[1:] - 1
        ends = np.union1d(every, self.groups.state_start[:-1])
        bought = csc_array(
            (np.ones(len(master.a_values)), master.a_indices, master.a_indptr), shape=(rows, len(master.cost))
        ) @ (master.fix_order == 2).astype(float)
        self.row_size, self.dust, eur = np.zeros(rows), np.zeros(rows), 0.0
        own = np.abs(master.a_values) * np.repeat(master.col_unit_scale, np.diff(master.a_indptr))
        np.maximum.at(self.dust, master.a_indices, DUST * own)
        for dear in (0.0, 0.3, 30.0):
            limit = (bought == 0) & np.isfinite(master.row_up) & (self.row_size > 0)
            price = np.where(limit, -dear * eur / np.where(limit, self.row_size, 1.0), 0.0)
            priced = self._ask(self.bounds.clamp(price))
            self.row_size = np.maximum(self.row_size, np.abs(priced.use[ends]).sum(axis=0))
            self.dust = np.maximum(self.dust, DUST * self.row_size)
            eur = eur or float(priced.cost[every].sum())
            self._keep(self._rows_of(priced, ends))
        self.first = self.columns
        side = np.abs(np.where(np.isfinite(master.row_up), master.row_up, 0.0))
        size = np.maximum(self.row_size, side)
        usual = np.median(size[size > 0]) if (size > 0).any() else 1.0
        return np.where(size > 0, size, usual), eur

    def _ask(self, price: Floats) -> Priced:
        self.prices.append(price)
        return self.oracle(price)

    def _rows_of(self, priced: Priced, states: Ints) -> Pool:
        """Columns of the latest oracle call for some states; states that cannot serve their items have none."""
        states = states[np.isfinite(priced.value[states])]
        count, call = len(states), len(self.prices) - 1
        use = priced.use[states]
        use[np.abs(use) < self.dust] = 0.0
        use = csr_array(use)
        one = csr_array(
            (np.ones(count), self.bounds.state_group[states], np.arange(count + 1)), shape=(count, self.groups.size)
        )
        pick = np.full(len(self.groups.states), -1, np.int64)
        pick[states] = np.arange(count)
        mine = pick[self.bounds.member_state] >= 0
        ties = csr_array(
            (np.ones(int(mine.sum())), (pick[self.bounds.member_state[mine]], self.bounds.member_tie[mine])),
            shape=(count, len(self.bounds.tie_column)),
        )
        matrix = hstack([use, one, ties], format="csr").T.tocsc()
        return Pool(states, np.full(count, call), np.full(count, -1), priced.cost[states], matrix)

    def _trips(self, drives: Ints) -> Pool:
        """Columns of loaded trips without freight."""
        d = self.split.drives
        at, start = columns_at(d.indptr, drives)
        matrix = csc_array((d.value[at], d.row[at], start), shape=(self.pool.matrix.shape[0], len(drives)))
        none = np.full(len(drives), -1)
        return Pool(none, none, drives, d.cost[drives], matrix)

    def _keep(self, new: Pool) -> None:
        p = self.pool
        self.pool = Pool(
            np.concatenate([p.state, new.state]), np.concatenate([p.call, new.call]),
            np.concatenate([p.drive, new.drive]), np.concatenate([p.cost, new.cost]),
            hstack([p.matrix, new.matrix], format="csc"),
        )  # fmt: skip

    def _unit(self, new: Pool) -> Floats:
        return np.where(new.drive < 0, 1.0, self.split.form_unit[1])

    # -- the linear program --------------------------------------------------------------------------------------------

    def _load(self) -> Solver:
        """Hand the master and all columns to HiGHS."""
        form, groups, ties = self.form, self.groups.size, self.bounds.tie_column
        own = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost)))
        tie = csr_array(
            (-np.ones(len(ties)), (np.arange(len(ties)), ties)), shape=(len(ties), len(form.cost))
        )
        left = vstack([own, csr_array((groups, len(form.cost))), tie], format="csc")
        whole = hstack([left, self.pool.matrix], format="csc")
        count = self.columns
        full = replace(
            form, cost=np.concatenate([form.cost, self.pool.cost]), a_indptr=whole.indptr, a_indices=whole.indices,
            a_values=whole.data, row_low=np.concatenate([form.row_low, np.ones(groups), np.full(len(ties), -np.inf)]),
            row_up=np.concatenate([form.row_up, np.ones(groups), np.zeros(len(ties))]),
            col_low=np.concatenate([self.low, np.zeros(count)]), col_up=np.concatenate([self.up, np.full(count, np.inf)]),
            integer=np.zeros(len(form.cost) + count, bool), col_names=[], row_names=[],
            col_unit_scale=np.concatenate([form.col_unit_scale, self._unit(self.pool)]),
            fix_order=np.full(len(form.cost) + count, -1),
        )  # fmt: skip
        return Solver(full, threads=self.threads, seed=self.seed, log=self.log)

    def bound(self, columns: Ints, low: Floats, up: Floats) -> None:
        """Give some of the master's columns other bounds, in business units."""
        self.low[columns], self.up[columns] = low, up
        self.solver.bound(columns, low, up)

    def fix(self, columns: Ints, values: Floats) -> None:
        """Fix some of the master's columns."""
        self.bound(columns, values, values)

    def free(self, columns: Ints) -> None:
        """Give some columns their own bounds back."""
        self.bound(columns, self.form.col_low[columns], self.form.col_up[columns])

    def run(self, stop: Stop, *, phase: str, listen: Listener | None, known: tuple[float, float]) -> Answer:
        """Solve and price until done; `objective` is the value of a plan with fractions, `bound` is proven."""
        bound = self._best_known()
        iterations, answer = 0, None
        for step in range(self.rounds + 1):
            found = self.solver.run(stop, phase=phase, listen=None, known=known)
            iterations += found.iterations
            if found.status != "optimal" or found.values is None or found.row_dual is None:
                break
            answer = found
            if listen is not None:
                best = np.fmax(known[1], bound) if phase.endswith("root") else known[1]
                listen(Progress(phase, stop.elapsed_s(), known[0], float(best)))
            if self._enough(found.objective, bound) or step == self.rounds or stop.now():
                break
            bound, added = self._price(found.row_dual, bound)
            if self._enough(found.objective, bound) or not added:
                break
        if answer is None or (found.status != "optimal" and found.status not in ("time_limit", "stopped")):
            return replace(found, bound=bound, values=None, iterations=iterations)
        own = len(self.form.cost)
        assert answer.values is not None
        assert answer.reduced_cost is not None
        self.shares = answer.values[own:]
        status = "infeasible" if self._short(answer.values) else "optimal"
        return replace(
            answer, status=status, values=answer.values[:own], reduced_cost=answer.reduced_cost[:own],
            bound=min(bound, answer.objective), iterations=iterations,
        )  # fmt: skip

    def _enough(self, value: float, bound: float) -> bool:
        return bound >= self.cutoff or relative_gap(value, bound) <= self.tolerance or bound >= value

    def _short(self, values: Floats) -> bool:
        """Whether the plan lives on slack."""
        at = self.slack
        return bool((values[at] > 1e-7 * self.form.col_unit_scale[at]).any())

    def _best_known(self) -> float:
        own = len(self.split.master.cost)
        values = [self.bounds.bound(cut, low=self.low[:own], up=self.up[:own]) for cut in self.cuts]
        return max(values, default=-np.inf)

    def _price(self, dual: Floats, bound: float) -> tuple[float, bool]:
        """Ask for columns at smoothed prices, then at the prices themselves where those bring nothing."""
        for smooth in (self.smooth, 0.0):
            if smooth and self.best_prices is None:
                continue
            prices = dual if not smooth else smooth * self.best_prices + (1 - smooth) * dual
            value, added = self._price_at(prices, dual)
            if value > bound:
                bound, self.best_prices = value, prices
                self.smooth = min(0.9, self.smooth + 0.1)
            elif smooth:
                self.smooth = max(0.0, self.smooth - 0.1)
            if added:
                return bound, True
        return bound, False

    def _price_at(self, prices: Floats, dual: Floats) -> tuple[float, bool]:
        rows, groups = len(self.split.master.row_low), self.groups.size
        y = self.bounds.clamp(prices[:rows])
        sigma = np.maximum(0.0, -prices[rows + groups :])
        priced = self._ask(y)
        cut = self.bounds.cut(y, sigma, value=priced.value, drive_reduced=priced.drive_reduced)
        self.cuts = [*self.cuts[-CUTS_KEPT:], cut]
        own = len(self.split.master.cost)
        value = self.bounds.bound(cut, low=self.low[:own], up=self.up[:own])
        reduced = priced.cost - priced.use @ dual[:rows] - dual[rows : rows + groups][self.bounds.state_group]
        reduced = self.bounds.with_ties(reduced, -dual[rows + groups :])
        good = np.flatnonzero(reduced < -1e-10 * np.maximum(np.abs(priced.cost), 1.0))
        added = self._add(self._rows_of(priced, good)) if len(good) else False
        added = self._add_trips(dual[:rows]) or added
        return value, added

    def _add_trips(self, dual: Floats) -> bool:
        """Loaded trips without freight that the prices ask for, the most wanted of those that are not there yet."""
        d = self.split.drives
        reduced = self.oracle.drive_reduced(dual)
        wanted = np.flatnonzero(reduced < -1e-9 * d.cost)
        wanted = np.setdiff1d(wanted, self.pool.drive)
        if not len(wanted):
            return False
        order = np.argsort(reduced[wanted] / d.cost[wanted], kind="stable")[:TRIPS_AT_ONCE]
        return self._add(self._trips(np.sort(wanted[order])))

    def _add(self, new: Pool) -> bool:
        if not len(new.cost):
            return False
        self._keep(new)
        self.solver.add_columns(
            new.cost, indptr=new.matrix.indptr, row=new.matrix.indices, value=new.matrix.data, unit=self._unit(new)
        )
        return True


def _with_slack(split: Split, size: Floats, eur: float) -> tuple[StandardForm, Ints]:
    """The master with a dear slack column on either side of each row in which flows or drives occur."""
    master = split.master
    rows, own = len(master.row_low), len(master.cost)
    active = np.union1d(split.flows.row, split.drives.row).astype(np.int64)
    over, under = active[np.isfinite(master.row_up[active])], active[np.isfinite(master.row_low[active])]
    row = np.concatenate([over, under])
    sign = np.concatenate([-np.ones(len(over)), np.ones(len(under))])
    count = len(row)
    matrix = hstack(
        [
            csc_array((master.a_values, master.a_indices, master.a_indptr), shape=(rows, own)),
            csc_array((sign, row, np.arange(count + 1)), shape=(rows, count)),
        ],
        format="csc",
    )
    form = replace(
        master, cost=np.concatenate([master.cost, SLACK_DEAR * eur / size[row]]), a_indptr=matrix.indptr,
        a_indices=matrix.indices, a_values=matrix.data, col_low=np.concatenate([master.col_low, np.zeros(count)]),
        col_up=np.concatenate([master.col_up, np.full(count, np.inf)]),
        integer=np.concatenate([master.integer, np.zeros(count, bool)]), col_names=[], row_names=[],
        col_unit_scale=np.concatenate([master.col_unit_scale, size[row]]),
        fix_order=np.concatenate([master.fix_order, np.full(count, -1)]),
    )  # fmt: skip
    return form, own + np.arange(count)
