"""A linear program inside HiGHS that grows by rows and columns; every refusal and every odd ending is an error."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
import numpy.typing as npt

from nbb_opt.errors import SolveError
from nbb_opt.solve.stop import Stop

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class OutOfTime(Exception):  # noqa: N818 - caught by the solve, which keeps what is known
    """A linear program did not end before the deadline, or somebody asked to stop."""


class LinearProgram:
    """Warm simplex from one change to the next; minimises."""

    def __init__(self) -> None:
        self.highs = highspy.Highs()
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
