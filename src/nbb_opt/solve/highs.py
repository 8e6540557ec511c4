"""The one hand-off to HiGHS: pass the arrays, check that everything arrived, run under limits, read the answer back."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol
from weakref import proxy

import highspy
import numpy as np
import numpy.typing as npt

from nbb_opt.errors import SolveError
from nbb_opt.options import Presolve
from nbb_opt.solve.scaling import Scaling, choose_scaling, power_of_two, scaled_values
from nbb_opt.solve.stop import Callback, Progress, Stop

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from nbb_opt.model import StandardForm


_ONE_AT_A_TIME = threading.Lock()


def new_highs() -> highspy.Highs:
    """A HiGHS that has printed nothing: from 1.16 on it greets on standard output when it is made, amid JSON."""
    if sys.platform == "win32":
        return highspy.Highs()
    with _ONE_AT_A_TIME:
        kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 1)
            return highspy.Highs()
        finally:
            ctypes.CDLL(None).fflush(None)
            os.dup2(kept, 1)
            os.close(kept)
            os.close(nowhere)


def run_in_thread(run: Callable[[], Any], stop: Stop, heartbeat: Callable[[], None]) -> None:
    """Run in a second thread; Ctrl-C turns into a request to stop. `heartbeat` is called now and then meanwhile.

    Whatever happens, this ends after `run`: nobody may read what HiGHS still writes. (`Thread.join` is no good for
    that: broken off by an exception, it takes the thread for ended.) Raises what `run` or `heartbeat` raised.

    >>> run_in_thread(lambda: print("done"), Stop(60.0), lambda: None)
    done
    """
    done = threading.Event()
    failure: list[BaseException] = []

    def work() -> None:
        try:
            run()
        except BaseException as error:  # handed to the caller below
            failure.append(error)
        finally:
            done.set()

    with stop.by_ctrl_c(patient=True):
        threading.Thread(target=work, name="highs", daemon=True).start()
        try:
            while not done.wait(0.25):
                heartbeat()
        finally:
            if not done.is_set():  # a fault of the heartbeat
                stop.asked.set()
                done.wait()
    if failure:
        raise failure[0]


def return_heap() -> None:
    """Give back what glibc keeps for later of what was freed (pieces below 32 MB); other C libraries are left alone.

    Of a million flows that is about half a gigabyte when they are solved.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


Floats = npt.NDArray[np.float64]
# Simplex from a basis may go in circles while it takes its own perturbation of the costs back. After so many iterations
# per row and column it begins again from no basis, however long that takes.
STALLED = 0.5
MOST_ITERATIONS = 2**31 - 1
# what is tried, one after the other, where HiGHS ends without values: nothing else but no basis; no presolve and no
# scaling of its own; its usual tolerance, where a finer one was asked for (whoever asked works the vertex out anew)
OTHER_MEANS: tuple[dict[str, Any], ...] = (
    {},
    {"presolve": "off", "simplex_scale_strategy": 0},
    {"presolve": "off", "primal_feasibility_tolerance": 1e-7},
)
SMALLEST = 1e-12  # HiGHS drops what is smaller
LARGEST = 1e15  # HiGHS drops a row with a coefficient this large without an error that Pyomo would show


@dataclass(frozen=True, kw_only=True)
class SolverResult:
    """What HiGHS said, in business units: `values` is None when it has no plan, `reduced_cost` unless it was an LP.

    The reduced cost of a fixed column is a slope of the optimum in that column's value: EUR per unit. `row_dual` is the
    slope in the sides of each row, of a linear program only.
    """

    status: str
    objective: float
    bound: float
    values: Floats | None
    reduced_cost: Floats | None
    nodes: int
    iterations: int
    row_dual: Floats | None = None


class Relaxation(Protocol):
    """A linear program whose columns can be bounded, fixed and freed: what the dive and the tree work on."""

    @property
    def form(self) -> StandardForm: ...
    def run(self, stop: Stop, *, phase: str, callback: Callback | None, known: tuple[float, float]) -> SolverResult: ...
    def bound(self, columns: npt.NDArray[np.int64], low: Floats, up: Floats) -> None: ...
    def fix(self, columns: npt.NDArray[np.int64], values: Floats) -> None: ...
    def free(self, columns: npt.NDArray[np.int64]) -> None: ...


class Solver:
    """One problem inside HiGHS. Scaling is undone on the way out; option and count checks raise SolveError."""

    def __init__(
        self, form: StandardForm, *, threads: int, seed: int, log: list[str], presolve: Presolve = "choose",
        scaling: Scaling | None = None,
    ) -> None:  # fmt: skip
        self.form = form
        self.cost = form.cost
        self.relaxed = False
        self.scaling = scaling or _scaling(form)
        self.log = log
        highspy.Highs.resetGlobalScheduler(True)  # else a second problem could not use another number of threads
        self.highs = new_highs()
        self.set("output_flag", True)
        self.set("log_to_console", False)
        self.set("threads", threads)
        self.set("random_seed", seed)
        self.set("presolve", presolve)
        self.set("small_matrix_value", SMALLEST)
        self._tell: Callable[[Any], None] = lambda _event: None
        self._stop: Stop | None = None
        self._between: Callable[[], None] = lambda: None
        self._faults: list[Exception] = []
        self._basis_before_rows: highspy.HighsBasis | None = None
        self._listen_in()
        self._pass(form)

    def _listen_in(self) -> None:
        """HiGHS holds what it calls, and that must not hold HiGHS: a large problem has to go with its last user."""
        me, log = proxy(self), self.log
        self.highs.cbLogging += lambda event: log.append(str(event.message))
        for source in (self.highs.cbMipLogging, self.highs.cbMipImprovingSolution):
            source += lambda event: me._tell(event)

        def interrupt(event: Any) -> None:
            between(event)
            # said each time: HiGHS remembers it from one run to the next
            event.interrupt(bool(me._faults) or (me._stop is not None and me._stop.asked.is_set()))

        between = self._kept(lambda _event: me._between())
        for source in (self.highs.cbMipInterrupt, self.highs.cbSimplexInterrupt, self.highs.cbIpmInterrupt):
            source += interrupt

    def set(self, option: str, value: Any) -> None:
        """Set an option; a refused one is an error, not a log line."""
        if self.highs.setOptionValue(option, value) != highspy.HighsStatus.kOk:
            raise SolveError(f"HiGHS refused option {option} = {value!r}")

    def use_interior_point(self) -> None:
        """From now on solve by interior point, without crossover or a basis: for prices amid all that are best."""
        self.set("solver", "ipm")
        self.set("run_crossover", "off")

    def _pass(self, form: StandardForm) -> None:
        """Hand the arrays over as they are, no object per row or column; then count what arrived."""
        scale = self.scaling
        columns, rows = len(form.cost), len(form.row_low)
        values = scaled_values(scale, indptr=form.a_indptr, indices=form.a_indices, values=form.a_values)
        for at in np.flatnonzero((values != 0) & (np.abs(values) < SMALLEST))[:1].tolist():
            raise SolveError(
                f"{form.row_names[form.a_indices[at]]}: its coefficients are too far apart for a solver "
                f"({form.a_values[at]:g} is lost beside the largest); leave the small ones out, or write the rule in "
                "other units"
            )
        kinds = np.where(form.integer, np.int32(highspy.HighsVarType.kInteger), np.int32(0))
        problem = (
            int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMinimize), form.cost_offset * scale.objective,
            form.cost * scale.column * scale.objective, form.col_low / scale.column, form.col_up / scale.column,
            form.row_low * scale.row, form.row_up * scale.row, form.a_indptr.astype(np.int32, copy=False),
            form.a_indices.astype(np.int32, copy=False), values, kinds,
        )  # fmt: skip
        if self.highs.passModel(columns, rows, len(values), *problem) == highspy.HighsStatus.kError:
            raise SolveError("HiGHS refused the problem: " + "".join(self.log[-3:]).strip())
        sent = (columns, rows, len(form.a_values))
        arrived = (self.highs.getNumCol(), self.highs.getNumRow(), self.highs.getNumNz())
        if sent != arrived:
            raise SolveError(f"HiGHS holds (columns, rows, nonzeros) = {arrived}, but {sent} were sent")

    def add_columns(
        self,
        cost: Floats,
        *,
        indptr: npt.NDArray[np.integer],
        row: npt.NDArray[np.integer],
        value: Floats,
        unit: Floats,
    ) -> None:
        """Add continuous columns from zero up, by columns (CSC), in business units; `unit` is a usual size of each."""
        scale, count = self.scaling, len(cost)
        column = power_of_two(unit)
        scaled = value * np.repeat(column, np.diff(indptr)) * scale.row[row]
        self._ok(
            self.highs.addCols(
                count, cost * column * scale.objective, np.zeros(count), np.full(count, np.inf), len(row),
                indptr[:-1].astype(np.int32), row.astype(np.int32), scaled,
            ),
            "more columns",
        )  # fmt: skip
        self.cost = np.concatenate([self.cost, cost])
        self.scaling = replace(scale, column=np.concatenate([scale.column, column]))

    def add_rows(self, matrix: csr_array, low: Floats) -> None:
        """Add rows matrix.x >= low, in business units; `drop_rows` takes them away again."""
        if self._basis_before_rows is None:
            self._basis_before_rows = self.highs.getBasis()
        many, sizes = len(low), np.diff(matrix.indptr)
        scaled = matrix.data * self.scaling.column[matrix.indices]
        largest = np.maximum.reduceat(np.abs(scaled), matrix.indptr[:-1])
        factor = 1.0 / power_of_two(largest)
        self._ok(
            self.highs.addRows(
                many, low * factor, np.full(many, np.inf), len(scaled), matrix.indptr[:-1].astype(np.int32),
                matrix.indices.astype(np.int32), scaled * np.repeat(factor, sizes),
            ),
            "more rows",
        )  # fmt: skip

    def drop_rows(self) -> None:
        """Take the rows added since away, with the basis from before."""
        if self._basis_before_rows is None:
            return
        rows = np.arange(len(self.scaling.row), self.highs.getNumRow(), dtype=np.int32)
        self._ok(self.highs.deleteRows(len(rows), rows), "to drop rows")
        self.start_at(self._basis_before_rows)
        self._basis_before_rows = None

    def start_at(self, basis: highspy.HighsBasis) -> None:
        """Begin the next linear program at a basis of this many rows and columns, if it is one."""
        if basis.valid:
            self._ok(self.highs.setBasis(basis), "a basis")

    def relax(self) -> None:
        """Make every column continuous."""
        columns = len(self.form.cost)
        kinds = np.zeros(columns, dtype=np.uint8)
        self._ok(self.highs.changeColsIntegrality(columns, np.arange(columns, dtype=np.int32), kinds), "relax")
        self.relaxed = True

    def fix(self, columns: npt.NDArray[np.int64], values: Floats) -> None:
        """Fix some columns at values given in business units."""
        self.bound(columns, values, values)

    def bound(self, columns: npt.NDArray[np.int64], low: Floats, up: Floats) -> None:
        """Give some columns other bounds, in business units."""
        scale, index = self.scaling.column[columns], columns.astype(np.int32)
        self._ok(self.highs.changeColsBounds(len(index), index, low / scale, up / scale), "column bounds")

    def price(self, columns: npt.NDArray[np.int64], eur: Floats) -> None:
        """Give some columns other costs, in business units."""
        scale, index = self.scaling, columns.astype(np.int32)
        scaled = eur * scale.column[columns] * scale.objective
        self._ok(self.highs.changeColsCost(len(index), index, scaled), "costs")
        self.cost = self.cost.copy()
        self.cost[columns] = eur

    def free(self, columns: npt.NDArray[np.int64]) -> None:
        """Give some columns their own bounds back."""
        self.bound(columns, self.form.col_low[columns], self.form.col_up[columns])

    def start_from(self, values: Floats) -> None:
        """Hand over a plan to start from, in business units."""
        solution = highspy.HighsSolution()
        solution.col_value = (values / self.scaling.column).tolist()
        self._ok(self.highs.setSolution(solution), "start solution")

    def exchange(self, *, offer: Callable[[Floats], None], between: Callable[[], None]) -> None:
        """Work beside others while it runs: `offer` is given every better plan found, in business units; `between` is
        called now and then and may wait. What they raise ends the run, which raises it.
        """

        me = proxy(self)

        def give(event: Any) -> None:
            offer(np.asarray(event.data_out.mip_solution, dtype=np.float64) * me.scaling.column)

        self.highs.cbMipImprovingSolution += self._kept(give)
        self._between = between

    def _kept(self, heard: Callable[[Any], None]) -> Callable[[Any], None]:
        """A fault of a callback ends the run and is raised after it, instead of travelling through HiGHS."""

        faults = self._faults

        def safe(event: Any) -> None:
            try:
                heard(event)
            except Exception as fault:
                faults.append(fault)

        return safe

    @staticmethod
    def _ok(status: Any, what: str) -> None:
        if status == highspy.HighsStatus.kError:
            raise SolveError(f"HiGHS refused: {what}")

    def run(self, stop: Stop, *, phase: str, callback: Callback | None, known: tuple[float, float]) -> SolverResult:
        """Run until done, out of time, or asked to stop. `known` = (incumbent, bound) already proven, for progress.

        An answer called optimal has values. Where HiGHS ends in trouble, or optimal without a point it calls feasible,
        the problem is solved again from no basis, first as it is, then by other means; what still has no values is an
        "error".
        """
        if stop.left_s() <= 0:
            return SolverResult(
                status="time_limit", objective=float("nan"), bound=-np.inf, values=None, reduced_cost=None, nodes=0,
                iterations=0,
            )  # fmt: skip
        self._stop, self._tell = stop, _teller(self.scaling.objective, stop, phase, callback, known)
        answer = self._run_once(stop, 0)
        for means in OTHER_MEANS:
            if not _in_trouble(answer) or stop.now():
                break
            self.log.append(f"{phase}: ended {answer.status} without values, solved again from no basis\n")
            self._ok(self.highs.clearSolver(), "to begin again")
            with self._options(means):
                answer = self._run_once(stop, answer.iterations)
        return replace(answer, status="error") if answer.status == "optimal" and answer.values is None else answer

    def _run_once(self, stop: Stop, before: int) -> SolverResult:
        """Run from the basis at hand; from none where that goes in circles. `before` are iterations to count too."""
        linear = self.relaxed or not self.form.integer.any()
        few = int(STALLED * (self.highs.getNumCol() + self.highs.getNumRow()))
        for most in (few, MOST_ITERATIONS) if linear and self.highs.getBasis().valid else (MOST_ITERATIONS,):
            self.set("simplex_iteration_limit", most)
            # the limit counts from the first run of this object, so time already spent in it is added
            self.set("time_limit", self.highs.getRunTime() + max(stop.left_s(), 0.01))
            run_in_thread(self.highs.run, stop, lambda: self._tell(None))
            if self._faults:
                raise self._faults[0]
            if self.highs.getModelStatus() != highspy.HighsModelStatus.kIterationLimit:
                break
            before += int(self.highs.getInfo().simplex_iteration_count)
            self._ok(self.highs.clearSolver(), "to begin again")
        return self._answer(before)

    @contextmanager
    def _options(self, values: dict[str, Any]) -> Iterator[None]:
        """Within, some options have other values."""
        kept = {option: self.highs.getOptionValue(option)[1] for option in values}
        for option, value in values.items():
            self.set(option, value)
        yield
        for option, value in kept.items():
            self.set(option, value)

    def _answer(self, iterations_before: int) -> SolverResult:
        highs, scale = self.highs, self.scaling
        status = _STATUS.get(highs.getModelStatus(), "error")
        info = highs.getInfo()
        is_mip = bool(self.form.integer.any()) and not self.relaxed
        has_plan = info.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
        values = reduced_cost = row_dual = None
        objective = float("nan")
        if has_plan:
            solution = highs.getSolution()
            values = np.asarray(solution.col_value, dtype=np.float64) * scale.column
            objective = float(self.cost @ values) + self.form.cost_offset
            if solution.dual_valid:
                reduced_cost = np.asarray(solution.col_dual, dtype=np.float64) / (scale.column * scale.objective)
                own = slice(len(scale.row))  # rows added since have no dual here
                row_dual = np.asarray(solution.row_dual, dtype=np.float64)[own] * scale.row / scale.objective
        if is_mip:
            bound = float(info.mip_dual_bound) / scale.objective
        else:
            bound = float(info.objective_function_value) / scale.objective if status == "optimal" else -np.inf
        iterations = (
            iterations_before + int(max(info.simplex_iteration_count, 0)) + int(max(info.ipm_iteration_count, 0))
        )
        nodes = int(max(info.mip_node_count, 0))
        return SolverResult(
            status=status, objective=objective, bound=bound, values=values, reduced_cost=reduced_cost, nodes=nodes,
            iterations=iterations, row_dual=row_dual,
        )  # fmt: skip


def _in_trouble(answer: SolverResult) -> bool:
    return answer.status == "error" or (answer.status == "optimal" and answer.values is None)


_STATUS = {
    highspy.HighsModelStatus.kOptimal: "optimal",
    highspy.HighsModelStatus.kInfeasible: "infeasible",
    highspy.HighsModelStatus.kUnboundedOrInfeasible: "infeasible_or_unbounded",
    highspy.HighsModelStatus.kUnbounded: "unbounded",
    highspy.HighsModelStatus.kTimeLimit: "time_limit",
    highspy.HighsModelStatus.kInterrupt: "stopped",
}


def _scaling(form: StandardForm) -> Scaling:
    for name, array in (("objective", form.cost), ("matrix", form.a_values)):
        if not np.isfinite(array).all() or (np.abs(array) >= LARGEST).any():
            raise SolveError(f"the {name} holds a number that is not finite or not below {LARGEST:g}")
    return choose_scaling(
        cost=form.cost,
        indptr=form.a_indptr,
        indices=form.a_indices,
        values=form.a_values,
        rows=len(form.row_low),
        column_unit=form.col_unit_scale,
    )


def _teller(
    scale: float, stop: Stop, phase: str, callback: Callback | None, known: tuple[float, float]
) -> Callable[[Any], None]:
    latest = {"incumbent": known[0], "bound": known[1], "nodes": 0}

    def tell(event: Any) -> None:
        if event is not None:
            out = event.data_out
            incumbent = float(out.mip_primal_bound) / scale
            bound = float(out.mip_dual_bound) / scale
            if abs(incumbent) < 1e29:
                latest["incumbent"] = min(incumbent, latest["incumbent"]) if known[0] == known[0] else incumbent
            if abs(bound) < 1e29:
                latest["bound"] = max(bound, latest["bound"]) if known[1] == known[1] else bound
            latest["nodes"] = max(int(out.mip_node_count), 0)
        if callback is not None:
            callback(Progress(phase, stop.elapsed_s(), latest["incumbent"], latest["bound"], int(latest["nodes"])))

    return tell
