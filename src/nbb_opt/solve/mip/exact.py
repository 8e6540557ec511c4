"""From a stated problem to a plan: relax, dive, search, then fix the integers and re-solve to an exact vertex."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nbb_opt.errors import Infeasible, SolveError
from nbb_opt.options import Presolve
from nbb_opt.solve.best import BestKnown, DecisionGap
from nbb_opt.solve.highs import Solver, SolverResult
from nbb_opt.solve.mip.branch import TreeBeside
from nbb_opt.solve.mip.cuts import CapacityRows, Cuts, with_cuts
from nbb_opt.solve.mip.dive import Dive, groups
from nbb_opt.solve.mip.strong_branching import strong_branching
from nbb_opt.solve.mip.sub_mips import Effort, SubMips
from nbb_opt.solve.mip.vertex import OwnRows, exact_values
from nbb_opt.solve.mip.warm import Warm
from nbb_opt.solve.scaling import widest_row, with_sizes
from nbb_opt.solve.stop import GRACE_S, Callback, Progress, Stop, relative_gap
from nbb_opt.solve.unbounded import refuse_unbounded

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm
    from nbb_opt.model.extract import Carried

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# how hard the small MIPs try, in shares of what is undecided at the start: columns left out and gap
EFFORT = (1 / 200, 1 / 40)
ENOUGH = 1 / 10  # of the gap asked for: no small MIP has to be more exact
PROBING = 1 / 4  # of the time left, at most, goes to both sides of the projects in doubt
NODES = 16  # of the tree in the first step; twice as many in each further one
FIRST_GUESS = 1e-3  # share of the bound that is taken for undecided while there is no plan
CUTTING = 1 / 4  # of the time left, at most
ROUNDS, LITTLE = 3, 1e-2  # cutting ends when so many rounds rise by less than that share of all
NO_WHOLE_PLAN = "no plan with whole vehicles and projects satisfies every constraint"
INTEGRAL = 1e-5  # how far from a whole number an integer column of the search may be before it is not trusted


@dataclass(frozen=True, kw_only=True)
class Solution:
    """A plan and what is proven about it.

    `status` is "optimal" when the gap asked for is proven; else the best plan found has "time_limit", "stopped" (by
    request) or "not_proven" (the search ended by itself, with time left).
    `objective` and `bound` are in EUR; `values` has one entry per column of the form, integers whole.
    `history` holds (elapsed_s, incumbent, bound) whenever one of them changed.
    Where columns are those of segments and resources, `carried` has flows and driving; rows and nonzeros are those in
    memory.
    """

    status: str
    objective: float
    bound: float
    gap: float
    values: Floats
    nodes: int
    iterations: int
    rows: int
    columns: int
    nonzeros: int
    integers: int
    log: str
    history: tuple[tuple[float, float, float], ...] = field(default=())
    carried: Carried | None = None


def solve_form(
    form: StandardForm,
    *,
    time_limit_s: float = 60.0,
    gap: float | DecisionGap,
    threads: int = 1,
    seed: int = 0,
    callback: Callback | None = None,
    stop: Stop | None = None,
    label: str = "",
    presolve: Presolve = "choose",
    warm: Warm | None = None,
) -> Solution:
    """Minimise `form` to a proven `gap`: a relative one, or a share of what can be decided.

    `presolve` is HiGHS' option: whether it simplifies a problem before solving it ("choose" leaves that to HiGHS).
    With `warm` the linear programs start from the last basis kept there, and the whole numbers of the last plan are
    tried first; afterwards it holds those of this one.

    Raises ModelError (it earns without end), Infeasible (nothing satisfies the rows), NoPlan (none found within the
    limits), SolveError (HiGHS misbehaved). The bound is HiGHS' dual bound, or that of the continuous relaxation where
    it is better. The plan returned is the vertex of the linear program in which every integer column is fixed at a
    whole number.
    """
    refuse_unbounded(form)
    form = with_sizes(form)
    stop = stop or Stop(time_limit_s)
    warm = warm or Warm(threads=threads, seed=seed, presolve=presolve)
    return _MipSearch(form, warm, BestKnown(gap, stop, callback, label)).run()


class _MipSearch:
    def __init__(self, form: StandardForm, warm: Warm, best: BestKnown[Floats]) -> None:
        self.form, self.warm, self.best, self.stop = form, warm, best, best.stop
        self.whole = np.flatnonzero(form.integer)
        self.tight = form  # with cuts, once there are some
        warm.log = best.log

    def run(self) -> Solution:
        solver = self.warm.take(self.form)
        self.rows = OwnRows(solver)
        relaxed = self._linear(solver, "relax")
        if relaxed.status in ("infeasible", "infeasible_or_unbounded"):
            raise Infeasible("no plan satisfies every constraint, not even with fractions of vehicles and projects")
        if relaxed.status == "optimal":
            self.best.prove(relaxed.objective)
            self.warm.basis = solver.highs.getBasis()
            if not len(self.whole):
                self._accept(relaxed)
            else:
                self._try_last(solver)
                if not self.best.proven():
                    relaxed = self._cut(solver, relaxed)
                root = solver.highs.getBasis()
                if not self.best.proven():
                    self._first_plan(solver, relaxed)
                    solver.start_at(root)
                if not self.best.proven() and not self.stop.now():
                    self._plans_and_tree(solver, relaxed)
                if not self.best.proven():
                    self._search()
        return self._solution("optimal" if self.best.proven() else self.stop.ended_by())

    def _try_last(self, solver: Solver) -> None:
        """The plan with the whole numbers of the last solve, where they are possible here too."""
        last = self.warm.whole
        if last is None or ((last < self.form.col_low[self.whole]) | (last > self.form.col_up[self.whole])).any():
            return
        solver.fix(self.whole, last)
        self._accept(self._linear(solver, "last plan"))
        solver.free(self.whole)

    def _linear(self, solver: Solver, phase: str, *, stop: Stop | None = None) -> SolverResult:
        known = self.best.known
        answer = solver.run(stop or self.stop, phase=self.best.label + phase, callback=self.best.hear, known=known)
        self.best.iterations += answer.iterations
        if answer.status in ("error", "unbounded"):
            raise SolveError(self._ended(f"the linear program ({phase})", solver, answer))
        return answer

    def _ended(self, what: str, solver: Solver, answer: SolverResult) -> str:
        """What is said of an end that should not be."""
        last = self.best.log[-1].strip() if self.best.log else ""
        return f"HiGHS ended {what} as {answer.status}; {widest_row(solver.form, solver.scaling)}. Its log: {last}"

    def _cut(self, solver: Solver, relaxed: SolverResult) -> SolverResult:
        """The relaxation with cuts, while they lift it; `tight` is the problem with them."""
        capacities, stop = CapacityRows(self.form), self.stop.part(CUTTING)
        kept: list[Cuts] = []
        rises: list[float] = []
        while not stop.now() and not self.best.proven():
            assert relaxed.values is not None
            cuts = capacities.cuts(relaxed.values)
            if cuts is None:
                break
            solver.set("presolve", "off")  # would throw the basis away
            solver.add_rows(cuts.matrix, cuts.low)
            kept.append(cuts)
            label, known = self.best.label, self.best.known
            answer = solver.run(self.stop, phase=f"{label}cuts", callback=self.best.hear, known=known)
            self.best.iterations += answer.iterations
            if answer.status == "error":  # there is a bound without them
                kept.clear()
                solver.drop_rows()
                break
            if answer.status in ("infeasible", "infeasible_or_unbounded"):
                raise Infeasible(NO_WHOLE_PLAN)
            if answer.status != "optimal":
                break
            rises.append(answer.objective - relaxed.objective)
            relaxed = answer
            self.best.prove(relaxed.objective)
            if sum(rises[-ROUNDS:]) < LITTLE * sum(rises):
                break
        self.tight = with_cuts(self.form, kept)
        return relaxed

    def _first_plan(self, solver: Solver, relaxed: SolverResult) -> None:
        """Some plan at once: the first group rounded, or decided by a dive, the further ones rounded up."""
        best = self.best
        dive = Dive(self.form, solver, stop=self.stop, callback=best.hear, label=best.label, bound=best.bound)
        for quick in (True, False):
            if not quick and best.plan is not None:  # that of the last solve: better ones are sought anyway
                break
            decided = dive.hasten(relaxed) if quick else dive.decide(relaxed)
            plan = dive.complete(decided) if decided is not None else None
            solver.free(self.whole)
            if plan is not None:
                self._accept(plan)
                break
        best.iterations += dive.iterations

    def _plans_and_tree(self, solver: Solver, relaxed: SolverResult) -> None:
        """Better plans by dives, then small MIPs; the bound by a tree over the first group; in steps.

        How hard the small MIPs try follows from what is undecided at the start and what is asked for, so that nothing
        hangs on the money of an instance.
        """
        first, best = groups(self.form)[0], self.best
        undecided = best.incumbent - best.bound if best.plan is not None else FIRST_GUESS * abs(best.bound)
        enough = ENOUGH * best.gap * abs(best.bound)
        effort = Effort(*(share * undecided for share in EFFORT)).at_most(enough)

        def callback(progress: Progress) -> None:
            best.relay(replace(progress, bound=beside.bound))

        mips = SubMips(self.tight, self.warm, solver, stop=self.stop, callback=callback, label=best.label)
        sides = strong_branching(
            (solver, mips.solver), first, relaxed, stop=self.stop.part(PROBING), phase=best.label + "both sides",
            callback=best.hear, known=best.known, threads=self.warm.threads,
        )  # fmt: skip
        if sides.bound == np.inf:
            raise Infeasible(NO_WHOLE_PLAN)
        best.prove(sides.bound)
        beside = TreeBeside(
            solver, first, stop=self.stop, root_bound=best.bound, label=best.label, alone=self.warm.threads == 1,
            sides=sides,
        )  # fmt: skip

        def complete(decided: Floats, effort: Effort | None) -> None:
            plan = mips.complete(decided, effort, below=best.incumbent)
            if plan is not None:
                self._accept(plan)

        if len(first):
            rounded = None if best.plan is None else best.plan[first]

            def dive() -> Floats | None:
                found = mips.dive(relaxed, sides)
                return rounded if found is None else found

            def best_so_far() -> Floats | None:
                return None if best.plan is None else best.plan[first]

            ways = [(dive, None), (best_so_far, effort), (lambda: mips.decide(relaxed, effort), effort)]
            self._step_by_step(beside, ways, complete)
        else:
            for each in (None, effort):
                if not best.proven() and not self.stop.now():
                    complete(np.zeros(0), each)
        best.iterations += mips.iterations + sides.iterations

    def _step_by_step(
        self,
        beside: TreeBeside,
        steps: list[tuple[Callable[[], Floats | None], Effort | None]],
        complete: Callable[[Floats, Effort | None], None],
    ) -> None:
        """Each of `steps` completes a decision of the first group, then takes the bound of twice as many nodes."""
        tried: list[tuple[Floats, Effort | None]] = []
        nodes, waited = NODES, 0
        with beside.running():
            for step in itertools.count():
                decide, effort = steps[min(step, len(steps) - 1)]
                if step < len(steps):
                    found = decide()
                    decisions = [] if found is None else [found]
                else:
                    decisions = beside.leaves if beside.ended_by(waited) else []
                for decided in decisions:
                    if not any(np.array_equal(decided, other) and effort == hard for other, hard in tried):
                        tried.append((decided, effort))
                        complete(decided, effort)
                if self.best.proven() or (step >= len(steps) and beside.ended_by(waited)):
                    break
                bound, waited = beside.bound_after(nodes, self.best.enough)
                self.best.prove(bound)
                nodes *= 2
                if self.best.proven() or self.stop.now():
                    break
            if self.stop.now():
                self.best.prove(beside.bound)
        counted, iterations = beside.counted(waited)
        self.best.nodes += counted
        self.best.iterations += iterations

    def _fixed(self, whole_values: Floats) -> SolverResult:
        """The exact vertex: the linear program with the integer columns fixed, from a clean start."""
        solver = self.warm.fresh(self.form)
        solver.relax()
        solver.fix(self.whole, whole_values)
        answer = self._linear(solver, "fix and re-solve", stop=self.stop.grace(GRACE_S))
        if answer.status != "optimal" or answer.values is None or self.warm.feasibility is None:
            return answer
        return replace(answer, values=exact_values(solver, answer.values, feasibility=self.warm.feasibility))

    def _search(self) -> None:
        if self.stop.now():
            return
        solver = self.warm.fresh(self.tight)
        solver.set("mip_rel_gap", self.best.gap)
        solver.set("mip_abs_gap", 0.0)
        if self.best.plan is not None:
            solver.start_from(self.best.plan)
        answer = solver.run(self.stop, phase=self.best.label + "search", callback=self.best.hear, known=self.best.known)
        self.best.nodes += answer.nodes
        self.best.iterations += answer.iterations
        if answer.status in ("infeasible", "infeasible_or_unbounded") and self.best.plan is None:
            raise Infeasible(NO_WHOLE_PLAN)
        if answer.status in ("error", "unbounded"):
            raise SolveError(self._ended("the search", solver, answer))
        self.best.prove(answer.bound)
        if answer.values is not None and not answer.objective >= self.best.incumbent:
            whole = np.round(answer.values[self.whole])
            if np.abs(whole - answer.values[self.whole]).max() > INTEGRAL:
                raise SolveError("HiGHS returned a plan whose integer columns are not whole")
            self._accept(self._fixed(whole))

    def _accept(self, answer: SolverResult) -> None:
        if answer.status == "optimal" and answer.values is not None and not answer.objective >= self.best.incumbent:
            values = self._keeping(answer.values)
            values[self.whole] = np.round(values[self.whole])
            self.best.offer(values, float(self.form.cost @ values) + self.form.cost_offset)

    def _keeping(self, values: Floats) -> Floats:
        """The values, from a clean start where a row is further off than the feasibility asked for."""
        limit = self.warm.feasibility
        if limit is not None and self.rows.miss(values) > limit:
            fixed = self._fixed(np.round(values[self.whole]))
            if fixed.status == "optimal" and fixed.values is not None:
                return fixed.values.copy()
        return values.copy()

    def _solution(self, status: str) -> Solution:
        best, form = self.best, self.form
        if best.plan is None:
            raise best.no_plan()
        bound = min(best.bound, best.incumbent)
        self.warm.whole = best.plan[self.whole]
        return Solution(
            status=status, objective=best.incumbent, bound=bound, gap=relative_gap(best.incumbent, bound),
            values=best.plan, nodes=best.nodes, iterations=best.iterations, rows=len(form.row_low),
            columns=len(form.cost), nonzeros=len(form.a_values), integers=int(form.integer.sum()),
            log="".join(best.log), history=tuple(best.history),
        )  # fmt: skip


def exact_plan(form: StandardForm, whole: Floats, warm: Warm) -> SolverResult:
    """The vertex of the linear program in which every integer column is fixed, whole numbers that another one chose."""
    return _MipSearch(form, warm, BestKnown(0.0, Stop(GRACE_S), None, ""))._fixed(whole)
