"""Two-stage problems: the first stage with a cut per scenario and round, the scenarios one by one (L-shaped method).

The first stage holds its own columns and, for every scenario, a column for what stage 2 costs there; the objective may
weigh those as it likes (mean, conditional value at risk). A round solves every scenario for the first stage at hand,
from its last basis, and gives the first stage a row that supports the cost of the scenario there:

    future_s >= v_s + g_s . (x - x^)          g_s = - y_s T_s, y_s the duals of the rows, T_s what x does to them

or, where the scenario has no plan, a row that cuts that first stage off. The optimum of the first stage with its cuts
is a lower bound, every first stage with its scenarios an upper one. The first stage at hand is a mean of the best one
known and the one of the cuts (in-out); the first of all is the optimum for one scenario alone, which is nearly best
where scenarios differ little. Integer columns are in the first stage only: relaxed first, then decided by the dive of
`dive.py` on the first stage with its cuts, and, should a gap stay, by HiGHS' search on it. Source of the method: Van
Slyke and Wets (1969); in-out separation: Ben-Ameur and Neto (2007).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np

from nbb_opt.errors import Infeasible, SolveError
from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.solve.benders.parts import BendersCut, Stages, stages_of
from nbb_opt.solve.best import BestKnown
from nbb_opt.solve.highs import Solver, SolverResult
from nbb_opt.solve.mip.branch import Branch
from nbb_opt.solve.mip.dive import Dive
from nbb_opt.solve.mip.exact import Solution
from nbb_opt.solve.mip.vertex import exact_values
from nbb_opt.solve.scaling import power_of_two
from nbb_opt.solve.stop import Callback, Stop, relative_gap
from nbb_opt.solve.unbounded import refuse_unbounded

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm


@dataclass(frozen=True)
class Basis:
    """Which columns and rows are basic, and at which bound the others are."""

    columns: tuple[Any, ...]
    rows: tuple[Any, ...]

    def part(self, columns: Ints, rows: Ints) -> Basis:
        """The basis of some columns and rows."""
        return Basis(tuple(self.columns[j] for j in columns.tolist()), tuple(self.rows[i] for i in rows.tolist()))


def basis_of(solver: Solver) -> Basis:
    """The basis of the last run."""
    found = solver.highs.getBasis()
    return Basis(tuple(found.col_status), tuple(found.row_status))


def give_basis(solver: Solver, basis: Basis) -> None:
    """Start the next run from a basis; one that does not fit exactly is mended by HiGHS."""
    given = highspy.HighsBasis()
    given.col_status, given.row_status = list(basis.columns), list(basis.rows)
    given.valid = given.alien = True
    solver._ok(solver.highs.setBasis(given), "basis")


def set_sides(solver: Solver, rows: Ints, low: Floats, up: Floats) -> None:
    """Give some rows other sides."""
    scale, index = solver.scaling.row[rows], rows.astype(np.int32)
    status = solver.highs.changeRowsBounds(len(index), index, low * scale, up * scale)  # type: ignore[attr-defined]
    solver._ok(status, "row sides")


def dual_ray(solver: Solver) -> Floats | None:
    """Weights of rows that prove infeasibility, after an infeasible run; their sign is open. None if there are none."""
    status, has, ray = solver.highs.getDualRay()  # type: ignore[attr-defined]
    if status == highspy.HighsStatus.kError or not has or ray is None:
        return None
    return np.asarray(ray, dtype=np.float64)[: len(solver.scaling.row)] * solver.scaling.row


def add_row(solver: Solver, columns: Ints, values: Floats, *, low: float) -> None:
    """Add the row `values . x >= low`."""
    scaled = values * solver.scaling.column[columns]
    factor = 1.0 / float(power_of_two(np.array([np.abs(scaled).max()]))[0])
    status = solver.highs.addRow(
        low * factor, np.inf, len(columns), columns.astype(np.int32), (scaled * factor).astype(np.float64)
    )
    if status == highspy.HighsStatus.kError:
        raise SolveError("HiGHS refused a row")


SHARE_OF_GAP = 0.25  # the relaxed problem is solved to this share of the gap asked for
ROUNDS = 200


def solve_two_stage(
    form: StandardForm,
    stage: Ints,
    *,
    complete: Callable[[Floats], Floats],
    start: int = 0,
    time_limit_s: float = 120.0,
    gap: float,
    threads: int = 1,
    seed: int = 0,
    callback: Callback | None = None,
    stop: Stop | None = None,
    feasibility: float | None = None,
) -> Solution:
    """Minimise a two-stage form to a proven relative `gap`.

    `stage` says of every column: -1 first stage, -2 of the objective (what scenarios cost, what is made of it), else
    the number of its scenario. For every scenario one row says what it costs: a column of the objective less columns
    of the scenario equals zero, or its negative; `complete` gives the best values of the columns of the objective, in
    their order, for the costs of the scenarios. Integer columns must be of the first stage. `start` is the scenario
    whose optimum alone is the first try; `feasibility` as in `warm.Warm`. Raises ModelError if the form is not so,
    Infeasible, NoPlan, SolveError.
    """
    refuse_unbounded(form)
    best = BestKnown[Floats](gap, stop or Stop(time_limit_s), callback)
    stages = stages_of(form, stage, complete=complete)
    return _StagedSearch(form, stages, best, start=start, threads=threads, seed=seed, feasibility=feasibility).run()


@dataclass(frozen=True)
class _FirstStage:
    """What one first stage gave: cost of every scenario and all its columns; None where a scenario has no plan."""

    objective: float
    costs: Floats
    plans: list[Floats]


class _StagedSearch:
    def __init__(
        self, form: StandardForm, stages: Stages, best: BestKnown[Floats], *, start: int, threads: int, seed: int,
        feasibility: float | None,
    ) -> None:  # fmt: skip
        self.form, self.stages, self.best, self.stop = form, stages, best, best.stop
        self.start, self.threads, self.seed, self.feasibility = start, threads, seed, feasibility
        self.cuts: list[BendersCut] = []
        self.whole = np.flatnonzero(stages.master.integer)
        self.subs: list[Solver] = []
        self._decided = False  # the integer columns of the master are fixed

    def run(self) -> Solution:
        status = "optimal"
        first, basis = self._first_try()
        self.subs = [self._scenario(s, basis) for s in range(self.stages.count)]
        master = self._solver(self.stages.master, threads=1)
        master.relax()
        self.master = master
        target = SHARE_OF_GAP * self.best.gap if len(self.whole) else self.best.gap
        if self._close(first, "scenarios", target=target) and len(self.whole):
            self._decide()
            if not self.best.proven():
                self._search_whole()
        if not self.best.proven():
            status = self.stop.ended_by()
        return self._solution(status)

    def _solver(self, form: StandardForm, *, threads: int) -> Solver:
        solver = Solver(form, threads=threads, seed=self.seed, log=self.best.log)
        if self.feasibility is not None:
            solver.set("primal_feasibility_tolerance", self.feasibility)
        return solver

    def _first_try(self) -> tuple[Floats, Basis]:
        """The first stage that is best for one scenario alone, and its basis in that scenario."""
        self.best.announce("one scenario")
        alone, master_at, scenario_at = self.stages.alone(self.start)
        solver = self._solver(alone, threads=self.threads)
        solver.relax()
        answer = self._run(solver, "one scenario")
        if answer.status in ("infeasible", "infeasible_or_unbounded"):
            raise Infeasible("no plan satisfies every constraint in the first scenario that was tried")
        if answer.values is None or answer.status != "optimal":
            raise self.stop.no_plan()
        first = np.zeros(len(self.stages.master.cost))
        first[self.stages.shared_at] = answer.values[master_at[0]]
        return first, basis_of(solver).part(*scenario_at)

    def _scenario(self, s: int, basis: Basis) -> Solver:
        part = self.stages.scenarios[s]
        solver = self._solver(part.form, threads=1)
        solver.set("presolve", "off")
        if (len(basis.columns), len(basis.rows)) == (len(part.form.cost), len(part.form.row_low)):
            give_basis(solver, basis)
            solver.set("simplex_strategy", 4)  # primal: the basis of another scenario fits the rows, not the costs
        return solver

    def _run(self, solver: Solver, phase: str, *, stop: Stop | None = None) -> SolverResult:
        answer = solver.run(stop or self.stop, phase=phase, callback=self.best.relay, known=self.best.known)
        self.best.iterations += answer.iterations
        if answer.status in ("error", "unbounded") and self.best.plan is None:
            raise SolveError(f"HiGHS ended {phase} as {answer.status}: " + "".join(self.best.log[-5:]))
        return answer  # with a plan known, trouble ends the search with what is proven of it

    def _try(self, x: Floats, *, stop: Stop | None = None) -> _FirstStage | None:
        """Solve every scenario for first stage x; adds a cut for each. None if one has no plan, or time is over."""
        costs, plans = np.zeros(self.stages.count), []
        for s, (solver, part) in enumerate(zip(self.subs, self.stages.scenarios, strict=True)):
            shift = part.touch @ x
            at = part.touched
            set_sides(solver, at, part.form.row_low[at] - shift[at], part.form.row_up[at] - shift[at])
            answer = self._run(solver, f"scenario {s + 1}", stop=stop)
            solver.set("simplex_strategy", 1)
            if answer.status == "optimal" and answer.values is not None and answer.row_dual is not None:
                costs[s] = answer.objective
                plans.append(answer.values)
                self._cut(part.optimality(x, answer.objective, answer.row_dual, s))
            elif answer.status in ("infeasible", "infeasible_or_unbounded"):
                ray = dual_ray(solver)
                cut = None if ray is None else part.infeasibility(x, ray)
                if cut is not None:
                    self._cut(cut)
                return None
            else:
                return None
        return _FirstStage(float(self.stages.master.cost @ x) + self.stages.weigh(costs)[0], costs, plans)

    def _cut(self, cut: BendersCut) -> None:
        self.cuts.append(cut)
        add_row(self.master, cut.columns, cut.values, low=cut.low)

    def _close(self, first: Floats, phase: str, *, target: float) -> bool:
        """Rounds until bound and best of the first stage as it is now (relaxed or decided) are within `target`.

        False if time was over, or nothing was found, before that.
        """
        best, best_value, low, inward = first, np.inf, -np.inf, 0.5
        x = first
        for _ in range(ROUNDS):
            tried = self._try(x)
            if tried is not None:
                inward = 0.5
                if tried.objective < best_value:
                    best, best_value = x, tried.objective
                    self._accept(x, tried)
            else:
                inward *= 0.5
            if self.stop.now():
                return False
            answer = self._run(self.master, phase)
            if answer.status != "optimal" or answer.values is None:
                return False
            low = max(low, answer.objective)
            if not self._decided:
                self.best.prove(low)
            if self.best.proven() or relative_gap(best_value, low) <= target:
                return True
            cuts = self._first_part(answer.values)
            x = cuts if not np.isfinite(best_value) else inward * cuts + (1.0 - inward) * best
        return False

    def _exact(self, solver: Solver, values: Floats) -> Floats:
        """Rows kept to the feasibility asked for, where the solver's rounding has piled up."""
        return values if self.feasibility is None else exact_values(solver, values, feasibility=self.feasibility)

    def _first_part(self, values: Floats) -> Floats:
        """The first stage alone: columns of the objective are worked out from the scenarios."""
        x = np.zeros(len(values))
        x[self.stages.shared_at] = self._exact(self.master, values)[self.stages.shared_at]
        return x

    def _decide(self) -> None:
        """Decide the integer columns on the first stage with its cuts, then close the rounds again."""
        answer = self._run(self.master, "decide")
        if answer.status != "optimal":
            return
        dive = Dive(self.stages.master, self.master, stop=self.stop.part(0.5), callback=self.best.relay, label="",
                    bound=self.best.bound)  # fmt: skip
        decided = dive.decide(answer)
        self.best.iterations += dive.iterations
        if decided is not None and decided.values is not None:
            self._close_at(np.round(decided.values[self.whole]))
        self.master.free(self.whole)

    def _close_at(self, whole: Floats) -> None:
        """Rounds with the integer columns fixed."""
        self.master.fix(self.whole, whole)
        self._decided = True
        exact = self._run(self.master, "decided")
        if exact.status == "optimal" and exact.values is not None:
            self._close(self._first_part(exact.values), "decided", target=SHARE_OF_GAP * self.best.gap)
        self._decided = False

    def _search_whole(self) -> None:
        """Branch and bound on the first stage with its cuts; a leaf is tried in the scenarios, which gives new cuts.

        The tree is grown again with the cuts it brought until the gap is closed or nothing moves any more.
        """
        for _ in range(ROUNDS):
            before = self.best.known
            tree = Branch(self.master, self.whole, incumbent=self.best.incumbent, gap=self.best.gap, stop=self.stop,
                          callback=self.best.relay, label="", complete=self._leaf)  # fmt: skip
            tree.run()
            self.best.nodes, self.best.iterations = self.best.nodes + tree.nodes, self.best.iterations + tree.iterations
            self.master.free(self.whole)
            self.best.prove(tree.bound)
            if self.stop.now() or self.best.proven() or self.best.known == before:
                return

    def _leaf(self, answer: SolverResult) -> float:
        """Try a first stage whose integer columns are whole; gives the cost of the best plan known."""
        if answer.values is not None:
            self._close_at(np.round(answer.values[self.whole]))
        return self.best.incumbent

    def _accept(self, x: Floats, tried: _FirstStage) -> None:
        """Keep a plan if its integer columns are whole and it is the best so far."""
        if (x[self.whole] != np.round(x[self.whole])).any() or tried.objective >= self.best.incumbent:
            return
        plans = [self._exact(solver, plan) for solver, plan in zip(self.subs, tried.plans, strict=True)]
        costs = np.array([solver.form.cost @ plan for solver, plan in zip(self.subs, plans, strict=True)])
        values = self.stages.assemble(x, costs, plans, len(self.form.cost))
        self.best.offer(values, float(self.form.cost @ values) + self.form.cost_offset)

    def _solution(self, status: str) -> Solution:
        best, form = self.best, self.form
        if best.plan is None:
            raise self.stop.no_plan()
        bound = min(best.bound, best.incumbent)
        return Solution(
            status=status, objective=best.incumbent, bound=bound, gap=relative_gap(best.incumbent, bound),
            values=best.plan, nodes=best.nodes, iterations=best.iterations, rows=len(form.row_low),
            columns=len(form.cost), nonzeros=len(form.a_values), integers=int(form.integer.sum()),
            log="".join(best.log), history=tuple(best.history),
        )  # fmt: skip
