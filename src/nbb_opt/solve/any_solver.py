"""A standard form solved by any solver that Pyomo reaches on this machine; ours only works the plan out exactly."""

from __future__ import annotations

import logging
import platform
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from nbb_opt.errors import Infeasible, SolveError
from nbb_opt.instance.wording import did_you_mean
from nbb_opt.solve.mip.exact import Solution, exact_plan
from nbb_opt.solve.mip.warm import Warm
from nbb_opt.solve.scaling import Scaling, choose_scaling, scaled_values
from nbb_opt.solve.stop import Callback, Progress, Stop, relative_gap
from nbb_opt.solve.unbounded import refuse_unbounded

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm

Floats = npt.NDArray[np.float64]


NEARLY_WHOLE = 1e-4  # how far from a whole number a solver's integer column may be
PROVEN = ("optimal", "convergenceCriteriaSatisfied")  # words of Pyomo's interfaces for: the gap asked for is closed


@dataclass(frozen=True)
class KnownSolver:
    """How Pyomo calls a solver (the first that is there), what installs it, and its words for the limits of a search.

    `modern` interfaces of Pyomo take limits by names of their own; of the others `options` gives the solver's words
    for the relative gap, seconds and threads. `always` are options of every call.
    """

    interfaces: tuple[str, ...]
    install: str
    options: tuple[str, str, str] | None = None
    modern: tuple[str, ...] = field(default=())
    always: Mapping[str, str | int] = field(default_factory=dict)


KNOWN: dict[str, KnownSolver] = {
    "highs": KnownSolver(("highs",), "pip install highspy", modern=("highs",)),
    "scip": KnownSolver(
        ("scip_direct", "scip"), "pip install pyscipopt", ("limits/gap", "limits/time", "lp/threads"), ("scip_direct",),
        # silent: it holds Python's lock, so that nobody reads what it prints, and a full pipe (64 kB) would hang it
        always={"display/verblevel": 0},
    ),
    "cbc": KnownSolver(
        ("cbc",), "pip install 'pulp<4' (it brings cbc), or the program cbc", ("ratioGap", "sec", "threads"),
        always={"timeMode": "elapsed"},  # it counts seconds of the processor otherwise
    ),
    "glpk": KnownSolver(("glpk",), "the program glpsol (apt install glpk-utils)", ("mipgap", "tmlim", "")),
    "gurobi": KnownSolver(
        ("gurobi_direct", "gurobi"), "pip install gurobipy, and a licence", ("MIPGap", "TimeLimit", "Threads"),
        ("gurobi_direct",),
    ),
    "cplex": KnownSolver(
        ("cplex_direct", "cplex"), "pip install cplex, and a licence",
        ("mip_tolerances_mipgap", "timelimit", "threads"),
    ),
    "xpress": KnownSolver(
        ("xpress_direct", "xpress"), "pip install xpress, and a licence", ("miprelstop", "maxtime", "threads")
    ),
}  # fmt: skip


@dataclass(frozen=True)
class _Found:
    """What a solver found: values of the scaled columns (None without a plan), its scaled bound, how it ended."""

    values: Floats | None
    bound: float
    ended: str


def solve_with(
    form: StandardForm,
    solver: str,
    *,
    gap: float,
    threads: int = 1,
    callback: Callback | None = None,
    stop: Stop,
    label: str = "",
    feasibility: float | None = None,
) -> Solution:
    """Minimise `form` by the solver of that name to a relative `gap`; bound and gap are what that solver proves.

    The solver is given the problem in our units (powers of two). The whole numbers of the plan are the solver's; what
    is continuous is worked out once more for them, so that rows hold as exactly as in a plan of ours.
    `feasibility` as in `Warm`. Raises SolveError (not there, with what installs it; ended without an answer),
    Infeasible, NoPlan.
    """
    call = find_solver(solver)
    refuse_unbounded(form)
    if callback is not None:
        callback(Progress(f"{label}{solver}", stop.elapsed_s()))
    started, scaling = time.perf_counter(), _scaling(form)
    model, variables = _pyomo_model(form, scaling)
    if stop.now():
        raise stop.no_plan(label)
    try:
        found = call(model, variables, gap, max(stop.left_s(), 1.0), threads)
    except Exception as fault:  # a licence that is missing or too small, an option unknown to that solver, ...
        raise SolveError(f"{solver} failed: {type(fault).__name__}: {' '.join(str(fault).split())}") from fault
    if found.ended == "infeasible":
        raise Infeasible(f"no plan satisfies every constraint ({solver} says so)")
    if found.ended not in PROVEN and not _whole(form, found.values):  # CBC gives fractions where it has no plan
        found = replace(found, values=None)
    if found.values is None and found.ended in ("time", "interrupted"):
        raise stop.no_plan(label)
    if found.values is None:
        raise SolveError(f"{solver} ended without a plan: {found.ended}")
    values = _exactly(
        form, found.values * scaling.column, solver, Warm(threads=threads, seed=0, feasibility=feasibility)
    )
    objective = float(form.cost @ values) + form.cost_offset
    # the form's offset is no part of the scaled problem
    bound = found.bound / scaling.objective + form.cost_offset
    if found.ended in PROVEN:  # the gap asked for is closed, whatever bound it prints (CBC: that of the root)
        bound = max(bound, objective - gap * abs(objective))
    bound = min(bound, objective)
    proven = relative_gap(objective, bound)
    note = (
        f"{solver}: ended {found.ended} after {time.perf_counter() - started:.2f} s, {objective:.6f} over {bound:.6f}"
    )
    status = "optimal" if found.ended in PROVEN or proven <= gap else stop.ended_by()
    return Solution(
        status=status, objective=objective, bound=bound, gap=proven, values=values, nodes=0, iterations=0,
        rows=len(form.row_low), columns=len(form.cost), nonzeros=len(form.a_values), integers=int(form.integer.sum()),
        log=note + "\n", history=((stop.elapsed_s(), objective, bound),),
    )  # fmt: skip


def _whole(form: StandardForm, values: Floats | None) -> bool:
    return values is not None and bool((np.abs(np.round(values) - values)[form.integer] <= NEARLY_WHOLE).all())


def _exactly(form: StandardForm, values: Floats, solver: str, warm: Warm) -> Floats:
    """The plan with the solver's whole numbers, everything else worked out for them."""
    whole = np.flatnonzero(form.integer)
    rounded = np.clip(np.round(values[whole]), form.col_low[whole], form.col_up[whole])
    if not _whole(form, values):
        raise SolveError(f"{solver} returned a plan whose integer columns are not whole")
    answer = exact_plan(form, rounded, warm)
    if answer.values is None:
        raise SolveError(f"{solver} returned whole numbers for which the rest has no plan: {answer.status}")
    found = answer.values.copy()
    found[whole] = rounded
    return found


def _scaling(form: StandardForm) -> Scaling:
    return choose_scaling(
        cost=form.cost, indptr=form.a_indptr, indices=form.a_indices, values=form.a_values, rows=len(form.row_low),
        column_unit=form.col_unit_scale,
    )  # fmt: skip


def _pyomo_model(form: StandardForm, scaling: Scaling) -> tuple[Any, list[Any]]:
    """The scaled form as a Pyomo model, and its variables in the order of the columns."""
    import pyomo.environ as pyo
    from pyomo.common.gc_manager import PauseGC
    from pyomo.core.expr.numeric_expr import LinearExpression

    entries = scaled_values(scaling, indptr=form.a_indptr, indices=form.a_indices, values=form.a_values)
    rows = csc_array((entries, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost))).tocsr()
    low, up = form.col_low / scaling.column, form.col_up / scaling.column
    sides = form.row_low * scaling.row, form.row_up * scaling.row
    cost = form.cost * scaling.column * scaling.objective
    with PauseGC():
        m = pyo.ConcreteModel()
        m.x = pyo.Var(range(len(form.cost)))
        variables = list(m.x.values())
        for variable, lower, upper, whole in zip(
            variables, low.tolist(), up.tolist(), form.integer.tolist(), strict=True
        ):
            variable.domain = pyo.Integers if whole else pyo.Reals
            variable.setlb(lower if np.isfinite(lower) else None)
            variable.setub(upper if np.isfinite(upper) else None)
        m.rows = pyo.ConstraintList()
        for r, (lower, upper) in enumerate(zip(sides[0].tolist(), sides[1].tolist(), strict=True)):
            here = slice(rows.indptr[r], rows.indptr[r + 1])
            held = [variables[j] for j in rows.indices[here].tolist()]
            body = LinearExpression(constant=0.0, linear_coefs=rows.data[here].tolist(), linear_vars=held)
            m.rows.add((lower if np.isfinite(lower) else None, body, upper if np.isfinite(upper) else None))
        paid = np.flatnonzero(cost)
        m.cost = pyo.Objective(
            expr=LinearExpression(
                constant=0.0, linear_coefs=cost[paid].tolist(), linear_vars=[variables[j] for j in paid.tolist()]
            )
        )
    return m, variables


def find_solver(name: str) -> Callable[..., _Found]:
    """How to call the solver. Raises SolveError where it is not there, with what installs it."""
    import pyomo.environ as pyo
    from pyomo.contrib.solver.common.factory import SolverFactory as ModernFactory

    name = name.casefold() if name.casefold() in KNOWN else name
    known = KNOWN.get(name, KnownSolver((name,), "see its own installation notes"))
    quiet = logging.getLogger("pyomo")
    before = quiet.level
    quiet.setLevel(logging.CRITICAL)  # a missing program is told below, with what would install it
    try:
        for each in known.interfaces:
            if each in known.modern:
                solver = ModernFactory(each)
                if solver is not None and solver.available():
                    return _modern(solver, known)
                continue
            found = pyo.SolverFactory(each)
            if each == "cbc" and (program := cbc_program()):
                found = pyo.SolverFactory(each, executable=program)
            if found is not None and found.available(exception_flag=False):
                return _classic(found, known)
    finally:
        quiet.setLevel(before)
    there = did_you_mean(name, KNOWN) or f"known names: {', '.join(KNOWN)}"
    there = f"to install it: {known.install}" if name in KNOWN else there
    raise SolveError(f"solver '{name}' is not on this machine; {there}; without solver= our own search is used")


def cbc_program() -> str | None:
    """The program cbc: on the path, or that which comes with the package pulp (before its version 4)."""
    package = find_spec("pulp")
    if found := shutil.which("cbc"):
        return found
    if package is None or package.origin is None:
        return None
    system = {"linux": "linux", "darwin": "osx", "win32": "win"}.get(sys.platform, "")
    processor = "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "i64"
    ending = ".exe" if system == "win" else ""
    program = Path(package.origin).parent / "solverdir" / "cbc" / system / processor / f"cbc{ending}"
    return str(program) if program.is_file() else None


def _modern(solver: Any, known: KnownSolver) -> Callable[..., _Found]:
    def call(model: Any, variables: list[Any], gap: float, seconds: float, threads: int) -> _Found:
        threaded = {"threads": threads} if type(solver).__name__ != "ScipDirect" else {}
        found = solver.solve(
            model, rel_gap=gap, abs_gap=0.0, time_limit=seconds, load_solutions=False,
            raise_exception_on_nonoptimal_result=False, solver_options=dict(known.always), **threaded,
        )  # fmt: skip
        ended = found.termination_condition.name
        if found.incumbent_objective is None:
            return _Found(None, -np.inf, _ended(ended))
        values = found.solution_loader.get_primals() if hasattr(found.solution_loader, "get_primals") else None
        if values is None:
            values = found.solution_loader.get_vars()
        numbers = np.array([float(values.get(variable, 0.0)) for variable in variables])
        bound = -np.inf if found.objective_bound is None else float(found.objective_bound)
        return _Found(numbers, bound, _ended(ended))

    return call


def _classic(solver: Any, known: KnownSolver) -> Callable[..., _Found]:
    def call(model: Any, variables: list[Any], gap: float, seconds: float, threads: int) -> _Found:
        limits = (gap, max(int(seconds), 1), threads)
        solver.options.update(known.always)
        for word, value in zip(known.options or (), limits, strict=False):
            if word:
                solver.options[word] = value
        found = solver.solve(model, load_solutions=False)
        ended = str(found.solver.termination_condition)
        if not len(found.solution):
            return _Found(None, -np.inf, _ended(ended))
        model.solutions.load_from(found)
        numbers = np.array([float(variable.value or 0.0) for variable in variables])
        bound = found.problem.lower_bound
        return _Found(numbers, -np.inf if bound is None else float(bound), _ended(ended))

    return call


def _ended(condition: str) -> str:
    """How a search ended, in one word for all interfaces."""
    word = condition.lower()
    if "infeasible" in word:
        return "infeasible"
    if "time" in word or "limit" in word:
        return "time"
    return "interrupted" if "interrupt" in word else condition
