"""The master with the columns found so far, priced again and again: a linear program that looks like `Solver`.

`run` solves the restricted master, asks the oracle for better columns at its prices, adds them, and goes on until the
bound meets the value, or `rounds` is used up, or the bound passes `cutoff`. `bound`, `fix` and `free` change the
bounds of the master's columns, so that the dive and the tree of the middle-sized route work on it unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.solve.colgen.bound import Circulation, LagrangianCut
from nbb_opt.solve.colgen.groups import Groups
from nbb_opt.solve.colgen.master import LAST_START, Master
from nbb_opt.solve.colgen.oracle import Oracle
from nbb_opt.solve.colgen.pool import Box, ColumnPool, joined, trips
from nbb_opt.solve.highs import Solver, SolverResult
from nbb_opt.solve.stop import Callback, Progress, Stop, relative_gap

if TYPE_CHECKING:
    from nbb_opt.model import Split

Flags = npt.NDArray[np.bool_]
KEPT = 2.0  # columns kept for every row (1: rounds find again what was forgotten)
ALL_ROUNDS = np.inf  # of pricing: until nothing is found any more
INSIDE, BOXED = 0.9, 0.6  # weight of the best prices in those asked after a linear program by interior point
SMOOTH, LESS = 0.8, 0.1  # weight of the best prices so far (after Wentges, 1997), less where that finds nothing
CUTS_KEPT, ENOUGH, NOTHING = 60, 1e-9, -np.inf
DEARER, TIMES = 5, 30.0  # how often, and how much dearer slack gets before a model counts as infeasible
IDLE = 2  # rounds in boxes that bring nothing before that is taken for the end
STEP, ROUGH, PATIENCE = (
    3.0,
    1e-5,
    5,
)  # the same by interior point, where no value is quite zero: after every linear program


class Restricted(Master):
    """See the module. A plan that needs slack counts as infeasible."""

    def __init__(
        self, split: Split, groups: Groups, oracle: Oracle, *, threads: int, seed: int, log: list[str]
    ) -> None:
        super().__init__(split, groups, oracle, threads=threads, seed=seed, log=log)
        self.circulation = Circulation(split, oracle.lane_classes)
        self.tolerance, self.cutoff = ENOUGH, np.inf
        self.worth = NOTHING  # a round that closes a smaller share of the value than this is the last
        self.rounds: float = ALL_ROUNDS
        self.cuts: list[LagrangianCut] = []
        self.best: LagrangianCut | None = None  # that proves most within the present bounds
        self.anchor: LagrangianCut | None = None  # that proved most of the relaxation
        self.smooth = SMOOTH
        self.box: Box | None = None  # keeps prices near the best known
        self.reduced: Floats = np.zeros(0)  # reduced costs of the first columns of the pool, from the last answer

    def guess(self, y: Floats, sigma: Floats, hauls: Ints) -> None:
        """Take first prices of rows and ties, ask for the columns they want, and add trips without freight."""
        y = self._consistent(y)
        priced = self._call_oracle(y)
        self.cuts.append(self.bounds.cut(y, sigma, value=priced.value, ratio=priced.trips.worst))
        self.best = self.anchor = self.cuts[-1]
        every = np.arange(len(priced.value))
        self._keep(priced, self._cheapest(self.bounds.with_ties(priced.value, sigma)) if self.large else every)
        self.pool = joined(self.pool, trips(self.bounds, hauls))
        self._price_slack(y)

    def _consistent(self, price: Floats) -> Floats:
        """Prices of the right sign at which nothing goes in circles."""
        y = self.bounds.clamp(price)
        return self.circulation.repaired(
            y, trip_eur=self.oracle.trips(y).price,
            own_reduced=self.split.master.cost - self.bounds.matrix.T @ y,
        )  # fmt: skip

    def root(self, stop: Stop, *, phase: str, callback: Callback | None, known: tuple[float, float]) -> SolverResult:
        """As `run`, with slack made dearer while the optimum uses it: "infeasible" only if that does not help."""
        found = self.run(stop, phase=phase, callback=callback, known=known)
        for _ in range(DEARER):
            if found.status != "infeasible" or stop.now():
                break
            self.raise_slack(TIMES)
            again = self.run(stop, phase=phase, callback=callback, known=known)
            found = replace(again, iterations=found.iterations + again.iterations)
        if found.status == "infeasible" and stop.now():  # nothing is proven: time was over before slack was given up
            return replace(found, status="time_limit", values=None)
        return found

    def node(self, stop: Stop, *, phase: str, callback: Callback | None, known: tuple[float, float]) -> SolverResult:
        """As `run` for a node of a tree: slack gets dearer while the optimum uses it and is no worse than `cutoff`.

        What still uses slack is a relaxation like any other: nobody has proven that it holds no plan.
        """
        found = self.off_slack(lambda: self.run(stop, phase=phase, callback=callback, known=known), stop)
        return found if found.values is None else replace(found, status="optimal")

    def off_slack(self, run: Callable[[], SolverResult], stop: Stop) -> SolverResult:
        """What `run` finds, again and again with slack dearer where that uses it, from the last basis on."""
        found = run()
        for _ in range(DEARER):
            if found.status != "infeasible" or found.values is None or found.bound >= self.cutoff or stop.now():
                break
            self.raise_slack_where_used(found.values, times=TIMES)
            again = run()
            found = replace(again, iterations=found.iterations + again.iterations)
        return found

    def run(self, stop: Stop, *, phase: str, callback: Callback | None, known: tuple[float, float]) -> SolverResult:
        """Solve and price until done; `objective` is the value of a plan with fractions, `bound` is proven."""
        bound, iterations, answer = self._from_best_known(), 0, None
        still_open, proven, idle = np.inf, -np.inf, 0
        for step in count():
            if self.interior:
                self._load_anew()
            found = self.solver.run(stop, phase=phase, callback=None, known=known)
            iterations += found.iterations
            if found.status in ("infeasible", "infeasible_or_unbounded") and self._add_missing_states():
                continue
            if found.status != "optimal" or found.values is None or found.row_dual is None:
                break
            answer, short = found, np.zeros(len(found.row_dual), bool)
            self.shares = found.values[len(self.form.cost) :]
            if self.interior:
                assert found.reduced_cost is not None
                self.reduced = found.reduced_cost[len(self.form.cost) :]
                short = self._learn(found, moved=bound > proven)
            self.log.append(f"{phase}: value {found.objective:.8g}, bound {bound:.8g}, {len(self.pool)} columns\n")
            if callback is not None:
                best = np.fmax(known[1], bound) if phase.endswith("root") else known[1]
                callback(Progress(phase, stop.elapsed_s(), known[0], float(best)))
            last = self.rounds + (PATIENCE if short.any() else 0)
            brought = bound - proven if self.box is not None else still_open - (found.objective - bound)
            idle = idle + 1 if not short.any() and brought < self.worth * abs(found.objective) else 0
            stalled = idle > (IDLE if self.box is not None else 0)
            if self._enough(found.objective, bound) or stalled or step >= last or stop.now():
                break
            still_open, proven = found.objective - bound, bound
            if self.interior:
                self._forget()
            bound, added = self._price(found.row_dual, bound, short)
            if self._enough(found.objective, bound) or not added:
                break
        if answer is None or found.status not in ("optimal", "time_limit", "stopped"):
            return replace(found, bound=bound, values=None, iterations=iterations)
        own = len(self.form.cost)
        assert answer.values is not None
        assert answer.reduced_cost is not None
        uses_slack = not self.interior and self._uses_slack(answer.values)
        return replace(
            answer, status="infeasible" if uses_slack else "optimal", values=answer.values[:own],
            reduced_cost=answer.reduced_cost[:own], bound=min(bound, answer.objective), iterations=iterations,
        )  # fmt: skip

    def _add_missing_states(self) -> bool:
        """A column for every state that has none; False if there is none without. With all of them and slack the
        restricted master has an answer wherever the whole one does.
        """
        missing = np.setdiff1d(np.arange(len(self.groups.states)), self.pool.state)
        y = np.zeros(len(self.size)) if self.best is None else self.best.y
        return not self.interior and len(missing) > 0 and self._add(self._keep(self._call_oracle(y), missing))

    def _load_anew(self) -> None:
        if self.box is not None:
            self.price_slack(self.box.cost(np.zeros(len(self.size)) if self.best is None else self.best.y))
        self._load()

    def _learn(self, found: SolverResult, *, moved: bool) -> Flags:
        """Set the boxes of prices anew; without boxes make slack dearer where it is used, and say in which rows."""
        assert found.values is not None
        assert found.row_dual is not None
        short = np.zeros(len(found.row_dual), bool)
        short[self.slack.row[self._slack_of(found.values) > ROUGH]] = True
        if self.box is not None:
            rows = len(self.size)
            self.box.learn(found.row_dual[:rows], held=short[:rows], moved=moved)
            return np.zeros(len(short), bool)
        self.raise_slack_where_used(found.values, times=STEP, above=ROUGH)
        return short

    def _enough(self, value: float, bound: float) -> bool:
        return bound >= min(self.cutoff, value) or relative_gap(value, bound) <= self.tolerance

    def _bound_of(self, cut: LagrangianCut) -> float:
        own = len(self.split.master.cost)
        return self.bounds.bound(cut, low=self.low[:own], up=self.up[:own])

    def _from_best_known(self) -> float:
        """What the price vectors asked so far prove within the present bounds; prices start from the best of them."""
        cuts = [*self.cuts, *([] if self.anchor is None else [self.anchor])]
        proven = [self._bound_of(cut) for cut in cuts]
        if not proven:
            return -np.inf
        self.best = cuts[int(np.argmax(proven))]
        return max(proven)

    def _smoothed(self, cut: LagrangianCut) -> Floats:
        """The prices of a cut as duals of the restricted master; groups have none."""
        return np.concatenate([cut.y, np.zeros(self.groups.size), -cut.sigma])

    def remember(self, pool: ColumnPool, reduced: Floats) -> None:
        """Go back to the columns of some time before, with their reduced costs, and those that carry something now."""
        known = set(zip(pool.state.tolist(), pool.call.tolist(), pool.haul.tolist(), strict=True))
        keys = zip(self.pool.state.tolist(), self.pool.call.tolist(), self.pool.haul.tolist(), strict=True)
        carries = self._shares_of_all() > 0
        new = [k for k, key in enumerate(keys) if carries[k] and key not in known]
        self.pool, self.reduced = joined(pool, self.pool.take(np.array(new, np.int64))), reduced
        self.shares = np.zeros(0)

    def _shares_of_all(self) -> Floats:
        """What the columns carry in the last answer; those found since then carry nothing."""
        return np.concatenate([self.shares, np.zeros(len(self.pool) - len(self.shares))])

    def _forget(self) -> None:
        """Drop columns that would cost most to use, beyond some times as many as there are rows.

        Those found since the last answer stay, and so do the columns at the dearest limits: with them most designs have
        a plan.
        """
        cost = np.zeros(len(self.pool))
        cost[: len(self.reduced)] = self.reduced
        cost[(self.pool.call == LAST_START) & (self.pool.state >= 0)] = -np.inf
        most = int(KEPT * (len(self.form.row_low) + self.groups.size))
        if len(cost) > most:
            keep = np.sort(np.argsort(cost, kind="stable")[:most])
            self.shares = self._shares_of_all()[keep]
            self.pool, self.reduced = self.pool.take(keep), cost[keep]

    def _price(self, dual: Floats, bound: float, short: Flags) -> tuple[float, bool]:
        """Ask for columns at smoothed prices, then at the prices themselves where those bring nothing.

        By interior point prices are nearly the best, but for the dear ones of rows that are `short` (use slack): so
        columns keep out of the way of those and are good otherwise.
        """
        best, brought = self.best, self._add_trips(dual[: len(self.size)])
        first = self.smooth if not self.interior else INSIDE if self.box is None else BOXED
        for weight in (first, 0.0):
            if weight and best is None:
                continue
            prices = dual if best is None else weight * self._smoothed(best) + (1 - weight) * dual
            value, cut, added = self._price_at(np.where(short, dual, prices), dual)
            if value > bound:
                bound, self.best = value, cut
            if brought or added:
                return bound, True
            if not self.interior:
                self.smooth = max(0.0, self.smooth - LESS)
        return bound, False

    def _price_at(self, prices: Floats, dual: Floats) -> tuple[float, LagrangianCut, bool]:
        """What these prices, made consistent, prove, and whether columns that the duals ask for were added."""
        rows, groups = len(self.split.master.row_low), self.groups.size
        y, sigma = self._consistent(prices[:rows]), np.maximum(0.0, -prices[rows + groups :])
        priced = self._call_oracle(y)
        cut = self.bounds.cut(y, sigma, value=priced.value, ratio=priced.trips.worst)
        self.cuts = [*self.cuts[-CUTS_KEPT:], cut]
        reduced = priced.cost - priced.use @ dual[:rows] - dual[rows : rows + groups][self.bounds.state_group]
        reduced = self.bounds.with_ties(reduced, -dual[rows + groups :])
        good = np.flatnonzero(reduced < -1e-10 * np.maximum(np.abs(priced.cost), 1.0))
        if self.large:
            good = np.intersect1d(good, self._cheapest(reduced))
        return self._bound_of(cut), cut, self._add(self._keep(priced, good))

    def _cheapest(self, price: Floats) -> Ints:
        """The cheapest state of each group."""
        order = np.lexsort((price, self.bounds.state_group))
        return np.sort(order[self.groups.state_start[:-1]])

    def _add_trips(self, dual: Floats) -> bool:
        """The loaded trips without freight that prices ask for: of any class, truck and period the cheapest."""
        new = trips(self.bounds, np.setdiff1d(self.oracle.trips(dual).wanted(1e-9), self.pool.haul))
        self.pool = joined(self.pool, new)
        return self._add(new)

    def _add(self, new: ColumnPool) -> bool:
        if not len(new):
            return False
        if self.interior:
            return True  # handed over with the rest
        assert isinstance(self.solver, Solver)
        a, unit = new.matrix, new.unit(self.split.unit[1])
        self.solver.add_columns(new.cost, indptr=a.indptr, row=a.indices, value=a.data, unit=unit)
        return True
