"""The linear relaxation over paths inside HiGHS: paths are priced in, strong rows are added where they are broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt

from nbb_opt.errors import SolveError
from nbb_opt.problems.network_design.instance import DesignNetwork
from nbb_opt.problems.network_design.solve.pool import PathPool
from nbb_opt.solve.highs import new_highs
from nbb_opt.solve.stop import Stop

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class OutOfTime(Exception):  # noqa: N818 - caught by the solve, which keeps what is known
    """A linear program did not end before the deadline, or somebody asked to stop."""


class LinearProgram:
    """Warm simplex from one change to the next; minimises."""

    def __init__(self) -> None:
        self.highs = new_highs()
        self.iterations = 0
        # choosing the simplex by the basis at hand was fastest here; presolve would throw the basis away
        for option, value in (
            ("output_flag", False), ("threads", 1), ("presolve", "off"), ("solver", "simplex"), ("simplex_strategy", 0),
        ):  # fmt: skip
            if self.highs.setOptionValue(option, value) != highspy.HighsStatus.kOk:
                raise SolveError(f"HiGHS refused option {option} = {value!r}")

    @staticmethod
    def _ok(status: Any, what: str) -> None:
        if status == highspy.HighsStatus.kError:
            raise SolveError(f"HiGHS refused: {what}")

    @property
    def rows(self) -> int:
        return int(self.highs.getNumRow())

    def add_columns(self, cost: Floats, up: Floats, start: Ints, row: Ints, value: Floats) -> None:
        """Columns from zero to `up`; `start` has one entry per column."""
        many = len(cost)
        status = self.highs.addCols(
            many, cost, np.zeros(many), up, len(row), start.astype(np.int32), row.astype(np.int32), value
        )
        self._ok(status, "columns")

    def add_rows(self, low: Floats, up: Floats, start: Ints, column: Ints, value: Floats) -> None:
        """Rows between `low` and `up`; `start` has one entry per row."""
        status = self.highs.addRows(
            len(low), low, up, len(column), start.astype(np.int32), column.astype(np.int32), value
        )
        self._ok(status, "rows")

    def bound(self, columns: Ints, low: Floats, up: Floats) -> None:
        self._ok(self.highs.changeColsBounds(len(columns), columns.astype(np.int32), low, up), "bounds")

    def charge(self, columns: Ints, cost: Floats) -> None:
        self._ok(self.highs.changeColsCost(len(columns), columns.astype(np.int32), cost), "costs")

    def run(self, stop: Stop) -> tuple[float, Floats, Floats]:
        """Objective, values of the columns, duals of the rows. Raises OutOfTime, SolveError."""
        if stop.now():
            raise OutOfTime
        for again in (False, True):  # what ends without values is solved again from no basis
            if again:
                self._ok(self.highs.clearSolver(), "to begin again")
            self._ok(self.highs.setOptionValue("time_limit", self.highs.getRunTime() + stop.left_s()), "time limit")
            status = self.highs.run()
            ended, info = self.highs.getModelStatus(), self.highs.getInfo()
            self.iterations += int(max(info.simplex_iteration_count, 0))
            if ended == highspy.HighsModelStatus.kTimeLimit:
                raise OutOfTime
            feasible = info.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
            if status != highspy.HighsStatus.kError and ended == highspy.HighsModelStatus.kOptimal and feasible:
                break
        else:
            raise SolveError(f"a linear program of the network design ended {ended}, primal {feasible}")
        solution = self.highs.getSolution()
        return float(info.objective_function_value), np.asarray(solution.col_value), np.asarray(solution.row_dual)


BROKEN = 1e-6  # share by which a strong row must be broken to be added
PROMISING = 1e-7  # relative saving for which a path is added
MARGIN = 1e-10
ABSENT = 1e-7  # total share carried by no path below which a point counts as complete


@dataclass(frozen=True, eq=False)
class PathOptimum:
    """Where a relaxation came to rest: safe bound with the reduced cost of every arc behind it, and the last point.

    `complete` says that no paths are missing and no artificial share is left.
    """

    bound: float
    reduced_eur: Floats
    objective: float
    opened: Floats
    complete: bool


class PathRelaxation:
    """Keeps its basis from one change of bounds or costs to the next."""

    def __init__(self, network: DesignNetwork, pool: PathPool, stop: Stop) -> None:
        self.network, self.pool, self.stop = network, pool, stop
        m, k = network.arcs, network.commodities
        self.share_limit = network.largest_share()
        self.use_limit_t = network.largest_use_t()
        self.fixed_eur = network.fixed_eur.copy()
        self.low, self.up = np.zeros(m), np.ones(m)
        self.strong_row = np.full(k * m, -1, np.int64)  # by commodity * arcs + arc
        self._pairs = np.zeros(0, np.int64)
        self._entry_pair, self._entry_path = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._loaded = 0
        self.lp = LinearProgram()
        none, empty = np.zeros(0, np.int64), np.zeros(0)
        longest = network.cost_eur_per_t.max(initial=0.0) * network.nodes
        absent = (
            network.demand_t * longest + 4.0 * network.fixed_eur.sum() / k + network.nodes * network.fixed_eur.max()
        )
        self.lp.add_columns(self.fixed_eur, np.ones(m), np.zeros(m, np.int64), none, empty)
        self.lp.add_columns(absent + 1.0, np.ones(k), np.zeros(k, np.int64), none, empty)
        self.lp.add_rows(np.ones(k), np.ones(k), np.arange(k), m + np.arange(k), np.ones(k))
        self.lp.add_rows(np.full(m, -np.inf), np.zeros(m), np.arange(m), np.arange(m), -self.use_limit_t)

    def restrict(self, low: Floats, up: Floats) -> None:
        """Set the bounds of what is opened of every arc."""
        changed = np.flatnonzero((low != self.low) | (up != self.up))
        self.low, self.up = low.copy(), up.copy()
        if len(changed):
            self.lp.bound(changed, low[changed], up[changed])

    def charge(self, fixed_eur: Floats) -> None:
        """Set what it costs to open every arc; bounds are then those of the changed problem."""
        self.fixed_eur = fixed_eur.copy()
        self.lp.charge(np.arange(self.network.arcs), self.fixed_eur)

    def relax(self, *, rounds: int = 1000, cutoff: float = np.inf, close: float = 0.0) -> PathOptimum:
        """Price paths in and add broken rows until nothing is new, `rounds` are done or the bound is at `cutoff`.

        Stops also once objective and bound are within `close` of each other, relative, and no row is broken. Raises
        OutOfTime.
        """
        best, reduced = -np.inf, self.fixed_eur
        for _ in range(rounds):
            self._load()
            objective, values, dual = self.lp.run(self.stop)
            bound, slope, new = self._price(dual)
            if bound > best:
                best, reduced = bound, slope
            broken = self._broken(values)
            if len(broken):
                self._add_rows(broken)
            m = self.network.arcs
            absent = float(values[m : m + self.network.commodities].sum())
            done = not new and not len(broken)
            near = not len(broken) and objective - best < close * abs(best) and absent < ABSENT
            if done or near or best >= cutoff:
                break
        return PathOptimum(best, reduced, objective, values[:m], done and absent < ABSENT)

    def price_at(self, alpha: Floats) -> float:
        """Add the cheapest path of every commodity at some price per tonne of every arc; gives the bound."""
        k = self.network.commodities
        dual = np.concatenate([np.full(k, 1e30), -alpha, np.zeros(len(self._pairs))])
        return self._price(dual)[0]

    def _load(self) -> None:
        """Hand over the paths of the pool that are not in the linear program yet."""
        k, m = self.network.commodities, self.network.arcs
        new = np.arange(self._loaded, len(self.pool))
        if not len(new):
            return
        commodity, length, arcs, cost = self.pool.columns(new)
        column = np.repeat(np.arange(len(new)), length)
        pair = commodity[column] * m + arcs
        strong = self.strong_row[pair] >= 0
        rows = np.concatenate([commodity, k + arcs, self.strong_row[pair[strong]]])
        columns = np.concatenate([np.arange(len(new)), column, column[strong]])
        tonnes = self.network.demand_t[commodity[column]]
        values = np.concatenate([np.ones(len(new)), tonnes, np.ones(int(strong.sum()))])
        order = np.argsort(columns, kind="stable")
        start = np.searchsorted(columns[order], np.arange(len(new)))
        # no upper limit: the row of the commodity gives it
        self.lp.add_columns(cost, np.full(len(new), np.inf), start, rows[order], values[order])
        self._entry_pair = np.concatenate([self._entry_pair, pair])
        self._entry_path = np.concatenate([self._entry_path, new[column]])
        self._loaded = len(self.pool)

    def _add_rows(self, pairs: Ints) -> None:
        m, k = self.network.arcs, self.network.commodities
        base = self.lp.rows
        self.strong_row[pairs] = base + np.arange(len(pairs))
        self._pairs = np.concatenate([self._pairs, pairs])
        row = self.strong_row[self._entry_pair] - base
        hit = row >= 0
        rows = np.concatenate([np.arange(len(pairs)), row[hit]])
        columns = np.concatenate([pairs % m, m + k + self._entry_path[hit]])
        values = np.concatenate([-self.share_limit.ravel()[pairs], np.ones(int(hit.sum()))])
        order = np.argsort(rows, kind="stable")
        start = np.searchsorted(rows[order], np.arange(len(pairs)))
        self.lp.add_rows(np.full(len(pairs), -np.inf), np.zeros(len(pairs)), start, columns[order], values[order])

    def _price(self, dual: Floats) -> tuple[float, Floats, int]:
        """Safe bound, reduced cost of opening every arc, and how many paths were new."""
        n = self.network
        m, k = n.arcs, n.commodities
        alpha = np.maximum(0.0, -dual[k : k + m])
        price = n.demand_t[:, None] * (n.cost_eur_per_t + alpha)[None, :]
        slope = self.fixed_eur - self.use_limit_t * alpha
        sigma = np.maximum(0.0, -dual[k + m :])
        price.ravel()[self._pairs] += sigma
        weight = sigma * self.share_limit.ravel()[self._pairs]
        slope -= np.bincount(self._pairs % m, weights=weight, minlength=m)
        price[:, self.up == 0] = np.inf
        below = dual[:k] - PROMISING * np.maximum(1.0, np.abs(dual[:k]))
        found, new = self.pool.priced(price, below)
        if np.isinf(found).any():  # no path is left: nothing satisfies these bounds
            return np.inf, slope, len(new)
        chosen = np.minimum(slope * self.low, slope * self.up)
        size = np.abs(found).sum() + (np.abs(self.fixed_eur) + np.abs(self.fixed_eur - slope)).sum()
        return float(found.sum() + chosen.sum() - MARGIN * size), slope, len(new)

    def _broken(self, values: Floats) -> Ints:
        """Pairs of commodity and arc without a strong row that use more than is opened."""
        m, k = self.network.arcs, self.network.commodities
        share = values[m + k :]
        use = np.bincount(self._entry_pair, weights=share[self._entry_path], minlength=k * m)
        most = (self.share_limit * values[:m][None, :]).ravel()
        return np.flatnonzero((use > most + BROKEN) & (self.strong_row < 0))
