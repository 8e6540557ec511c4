"""From a stated problem to a plan: relax, dive, search, then fix the integers and re-solve to an exact vertex."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nbb_opt.errors import Infeasible, SolveError
from nbb_opt.options import Presolve
from nbb_opt.solve.best import BestKnown
from nbb_opt.solve.highs import Answer, Solver
from nbb_opt.solve.mip.branch import Branch
from nbb_opt.solve.mip.dive import Dive
from nbb_opt.solve.mip.rounding import groups
from nbb_opt.solve.mip.vertex import exact_values, row_miss
from nbb_opt.solve.mip.warm import Warm
from nbb_opt.solve.stop import GRACE_S, Listener, Stop, relative_gap

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm
    from nbb_opt.model.extract import Carried

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
INTEGRAL = 1e-5  # how far from a whole number an integer column of the search may be before it is not trusted


@dataclass(frozen=True)
class Solution:
    """A plan and what is proven about it.

    `status` is "optimal" when the gap asked for is proven; else the best plan found has "time_limit", "stopped" (by
    request) or "not_proven" (the search ended by itself, with time left).
    `objective` and `bound` are in EUR; `values` has one entry per column of the form, integers whole.
    `history` holds (elapsed_s, incumbent, bound) whenever one of them changed.
    Where columns are those of pieces and efforts, `carried` has flows and driving; rows and nonzeros are those in
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
    gap: float,
    threads: int = 1,
    seed: int = 0,
    listen: Listener | None = None,
    stop: Stop | None = None,
    label: str = "",
    presolve: Presolve = "choose",
    warm: Warm | None = None,
) -> Solution:
    """Minimise `form` to a proven relative `gap`.

    `presolve` is HiGHS' option: whether it simplifies a problem before solving it ("choose" leaves that to HiGHS).
    With `warm` the linear programs start from the last basis kept there, and the whole numbers of the last plan are
    tried first; afterwards it holds those of this one.

    Raises Infeasible (nothing satisfies the rows), NoPlan (none found within the limits), SolveError (HiGHS
    misbehaved). The bound is HiGHS' dual bound, or that of the continuous relaxation where it is better. The plan
    returned is the vertex of the linear program in which every integer column is fixed at a whole number.
    """
    stop = stop or Stop(time_limit_s)
    warm = warm or Warm(threads=threads, seed=seed, presolve=presolve)
    return _MipSearch(form, warm, BestKnown(gap, stop, listen, label)).run()


class _MipSearch:
    def __init__(self, form: StandardForm, warm: Warm, best: BestKnown[Floats]) -> None:
        self.form, self.warm, self.best, self.stop = form, warm, best, best.stop
        self.whole = np.flatnonzero(form.integer)
        warm.log = best.log
        self.relaxation = warm.take(form)

    def run(self) -> Solution:
        relaxed = self._linear(solver := self.relaxation, "relax")
        if relaxed.status in ("infeasible", "infeasible_or_unbounded"):
            raise Infeasible("no plan satisfies every constraint, not even with fractions of vehicles and projects")
        if relaxed.status == "optimal":
            self.best.prove(relaxed.objective)
            if not len(self.whole):
                self._accept(relaxed)
            else:
                self._try_last(solver)
                if not self.best.proven():
                    self._dive_and_branch(solver, relaxed)
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

    def _linear(self, solver: Solver, phase: str, *, stop: Stop | None = None) -> Answer:
        known = self.best.known
        answer = solver.run(stop or self.stop, phase=self.best.label + phase, listen=self.best.hear, known=known)
        self.best.iterations += answer.iterations
        if answer.status in ("error", "unbounded"):
            raise SolveError(
                f"HiGHS ended the linear program ({phase}) as {answer.status}: " + "".join(self.best.log[-5:])
            )
        return answer

    def _dive_and_branch(self, solver: Solver, relaxed: Answer) -> None:
        """A first plan of our own, a better one, then a bound from branching on projects; each only while needed."""
        dive = Dive(
            self.form, solver, stop=self.stop, listen=self.best.hear, label=self.best.label, bound=self.best.bound
        )

        def complete(decided: Answer) -> float:
            plan = dive.complete(decided)
            if plan is not None:
                self._accept(plan)
            return self.best.incumbent

        decided = dive.decide(relaxed)
        if decided is None and self.stop.now():
            decided = dive.hasten(relaxed)
        if decided is not None:
            complete(decided)
            dive.stop = self.stop.part(0.5)
            if not self.best.proven() and (better := dive.improve(decided)) is not decided:
                complete(better)
        self.best.iterations += dive.iterations
        if self.best.plan is None or self.best.proven() or not len(groups(self.form)[0]):
            return
        tree = Branch(
            solver,
            groups(self.form)[0],
            incumbent=self.best.incumbent,
            gap=self.best.gap,
            stop=self.stop.part(0.8),
            listen=self.best.hear,
            label=self.best.label,
            complete=complete,
        )
        tree.run()
        self.best.nodes, self.best.iterations = tree.nodes, self.best.iterations + tree.iterations
        self.best.prove(tree.bound)

    def _fixed(self, whole_values: Floats) -> Answer:
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
        solver = self.warm.fresh(self.form)
        solver.set("mip_rel_gap", self.best.gap)
        solver.set("mip_abs_gap", 0.0)
        if self.best.plan is not None:
            solver.start_from(self.best.plan)
        answer = solver.run(self.stop, phase=self.best.label + "search", listen=self.best.hear, known=self.best.known)
        self.best.nodes += answer.nodes
        self.best.iterations += answer.iterations
        if answer.status in ("infeasible", "infeasible_or_unbounded") and self.best.plan is None:
            raise Infeasible("no plan with whole vehicles and projects satisfies every constraint")
        if answer.status in ("error", "unbounded"):
            raise SolveError(f"HiGHS ended the search as {answer.status}: " + "".join(self.best.log[-5:]))
        self.best.prove(answer.bound)
        if answer.values is not None and not answer.objective >= self.best.incumbent:
            whole = np.round(answer.values[self.whole])
            if np.abs(whole - answer.values[self.whole]).max() > INTEGRAL:
                raise SolveError("HiGHS returned a plan whose integer columns are not whole")
            self._accept(self._fixed(whole))

    def _accept(self, answer: Answer) -> None:
        if answer.status == "optimal" and answer.values is not None and not answer.objective >= self.best.incumbent:
            values = self._keeping(answer.values)
            values[self.whole] = np.round(values[self.whole])
            self.best.offer(values, float(self.form.cost @ values) + self.form.cost_offset)

    def _keeping(self, values: Floats) -> Floats:
        """The values, from a clean start where a row is further off than the feasibility asked for."""
        limit = self.warm.feasibility
        if limit is not None and row_miss(self.relaxation, values) > limit:
            fixed = self._fixed(np.round(values[self.whole]))
            if fixed.status == "optimal" and fixed.values is not None:
                return fixed.values.copy()
        return values.copy()

    def _solution(self, status: str) -> Solution:
        best, form = self.best, self.form
        if best.plan is None:
            raise self.stop.no_plan(best.label)
        bound = min(best.bound, best.incumbent)
        self.warm.whole = best.plan[self.whole]
        return Solution(
            status=status, objective=best.incumbent, bound=bound, gap=relative_gap(best.incumbent, bound),
            values=best.plan, nodes=best.nodes, iterations=best.iterations, rows=len(form.row_low),
            columns=len(form.cost), nonzeros=len(form.a_values), integers=int(form.integer.sum()),
            log="".join(best.log), history=tuple(best.history),
        )  # fmt: skip
