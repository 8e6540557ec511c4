"""From one solve to the next of a family of problems: changed in place, from the last basis and whole numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import highspy
import numpy as np
import numpy.typing as npt

from nbb_opt.errors import SolveError
from nbb_opt.options import Presolve
from nbb_opt.solve.highs import Solver, SolverResult
from nbb_opt.solve.stop import UNKNOWN, Stop

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm

Floats = npt.NDArray[np.float64]
_STATUSES = {int(status): status for status in highspy.HighsBasisStatus.__members__.values()}
MOST_ENTRIES = 20_000  # coefficients changed one by one; more, and the matrix is handed over again with the basis


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where a solve of a family ended, to begin the next one there: basis of its relaxation, and whole numbers.

    A byte for each column and row (HiGHS' basis status); `whole` has a value for each integer column, if any.
    """

    columns: bytes
    rows: bytes
    whole: Floats | None

    def basis(self) -> highspy.HighsBasis:
        """As HiGHS takes it."""
        found = highspy.HighsBasis()
        found.col_status = [_STATUSES[status] for status in self.columns]
        found.row_status = [_STATUSES[status] for status in self.rows]
        found.valid = True
        return found


class Warm:
    """One relaxed problem that stays in HiGHS. `whole` are the integer columns of the last plan, None before one.

    With `start` the first problem begins there, as far as it has as many rows, columns and whole numbers. `feasibility`
    says how far a scaled row or column may be from its limits, where HiGHS' own 1e-7 is too coarse.
    """

    def __init__(
        self, *, threads: int, seed: int, presolve: Presolve = "choose", feasibility: float | None = None,
        start: Start | None = None,
    ) -> None:  # fmt: skip
        self.feasibility = feasibility
        self.threads, self.seed, self.presolve = threads, seed, presolve
        self.log: list[str] = []
        self.whole: Floats | None = None
        self.basis: highspy.HighsBasis | None = None  # of the last relaxation, without cuts
        self._start = start
        self._solver: Solver | None = None

    @property
    def start(self) -> Start | None:
        """Where the last solve ended, None before one."""
        if self.basis is None or not self.basis.valid:
            return None
        columns, rows = (bytes(map(int, each)) for each in (self.basis.col_status, self.basis.row_status))
        return Start(columns=columns, rows=rows, whole=self.whole)

    def fresh(self, form: StandardForm, *, threads: int | None = None) -> Solver:
        """A solver of its own for `form`, from a clean start."""
        threads = self.threads if threads is None else threads
        solver = Solver(form, threads=threads, seed=self.seed, log=self.log, presolve=self.presolve)
        if self.feasibility is not None:
            solver.set("primal_feasibility_tolerance", self.feasibility)
        return solver

    def take(self, form: StandardForm) -> Solver:
        """The relaxed `form` in HiGHS, every column within its own bounds, with the last basis if there is one."""
        last = self._solver
        if last is not None and _same_shape(last.form, form):
            last.log = self.log
            last.drop_rows()
            if not _change(last, form):
                last = again(last, self.fresh(form))
            # presolve would throw the basis away
            last.set("presolve", "off")
            last.set("solver", "simplex")
        else:
            last, start = self.fresh(form), self._start
            last.relax()
            self.whole = None
            if start is not None and (len(start.columns), len(start.rows)) == (len(form.cost), len(form.row_low)):
                last.start_at(start.basis())
                last.set("presolve", "off")
                last.set("solver", "simplex")
            if start is not None and start.whole is not None and len(start.whole) == form.integer.sum():
                self.whole = start.whole
        self._solver, self._start = last, None
        return last


@dataclass(frozen=True)
class Relaxed:
    """The optimum of a linear program: EUR, values per column, slope of the optimum in the sides of each row."""

    status: str
    objective: float
    values: Floats | None
    row_dual: Floats | None
    iterations: int


def solve_relaxed(form: StandardForm, *, warm: Warm, stop: Stop) -> Relaxed:
    """Minimise `form` with every column continuous, from the last basis of `warm`.

    `status` is "optimal", "infeasible", "time_limit" or "stopped". Raises SolveError if HiGHS misbehaves.
    """
    solver = warm.take(form)
    answer: SolverResult = solver.run(stop, phase="relax", callback=None, known=UNKNOWN)
    if answer.status in ("error", "unbounded"):
        raise SolveError(f"HiGHS ended a linear program as {answer.status}: " + "".join(warm.log[-5:]))
    status = "infeasible" if answer.status == "infeasible_or_unbounded" else answer.status
    if status != "optimal":
        return Relaxed(status, float("nan"), None, None, answer.iterations)
    warm.basis = solver.highs.getBasis()
    return Relaxed(status, answer.objective, answer.values, answer.row_dual, answer.iterations)


def duals_of_plan(form: StandardForm, values: Floats, *, warm: Warm, stop: Stop) -> Floats | None:
    """Slope of the optimum in the sides of each row, EUR per unit, where every whole number stays as in the plan."""
    whole, free = np.rint(values), ~form.integer
    fixed = replace(
        form, integer=np.zeros_like(form.integer), col_low=np.where(free, form.col_low, whole),
        col_up=np.where(free, form.col_up, whole),
    )  # fmt: skip
    return solve_relaxed(fixed, warm=warm, stop=stop).row_dual


def _same_shape(one: StandardForm, other: StandardForm) -> bool:
    return len(one.row_low) == len(other.row_low) and np.array_equal(one.integer, other.integer)


def _change(solver: Solver, form: StandardForm) -> bool:
    """Make the problem in HiGHS that of `form`, scaled as it is; False if the matrix has other places or too many new
    entries.
    """
    old, scale, highs = solver.form, solver.scaling, solver.highs
    if not (np.array_equal(old.a_indptr, form.a_indptr) and np.array_equal(old.a_indices, form.a_indices)):
        return False
    entries = np.flatnonzero(old.a_values != form.a_values)
    if len(entries) > MOST_ENTRIES:
        return False
    column = np.searchsorted(form.a_indptr, entries, side="right") - 1
    row = form.a_indices[entries]
    scaled = form.a_values[entries] * scale.column[column] * scale.row[row]
    new = zip(row.tolist(), column.tolist(), scaled.tolist(), strict=True)
    done = [highs.changeCoeff(i, j, value) for i, j, value in new]
    every = np.arange(len(form.cost), dtype=np.int32)
    if not np.array_equal(old.cost, form.cost):
        done.append(highs.changeColsCost(len(every), every, form.cost * scale.column * scale.objective))
    done.append(highs.changeObjectiveOffset(form.cost_offset * scale.objective))
    held, low, up = highs.getLp(), form.col_low / scale.column, form.col_up / scale.column
    bound = (np.asarray(held.col_lower_) != low) | (np.asarray(held.col_upper_) != up)  # by a dive, or by `form`
    if bound.any():
        columns = np.flatnonzero(bound).astype(np.int32)
        done.append(highs.changeColsBounds(len(columns), columns, low[columns], up[columns]))
    rows = np.flatnonzero((old.row_low != form.row_low) | (old.row_up != form.row_up)).astype(np.int32)
    low, up = form.row_low[rows] * scale.row[rows], form.row_up[rows] * scale.row[rows]
    done.append(highs.changeRowsBounds(len(rows), rows, low, up))  # type: ignore[attr-defined]
    if highspy.HighsStatus.kError in done:
        raise SolveError("HiGHS refused a change of the problem")
    solver.form, solver.cost = form, form.cost
    return True


def again(last: Solver, new: Solver) -> Solver:
    """The basis of one solver in another that holds as many rows and columns."""
    new.relax()
    new.start_at(last.highs.getBasis())
    return new
