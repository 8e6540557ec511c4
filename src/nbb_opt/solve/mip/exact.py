"""From a stated problem to a plan: relax, dive, search, then fix the integers and re-solve to an exact vertex."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nbb_opt.errors import Infeasible, SolveError
from nbb_opt.solve.highs import Answer, Presolve, Solver
from nbb_opt.solve.mip.branch import Branch
from nbb_opt.solve.mip.dive import Dive
from nbb_opt.solve.mip.rounding import groups
from nbb_opt.solve.mip.vertex import exact_values, row_miss
from nbb_opt.solve.mip.warm import Warm
from nbb_opt.solve.stop import GRACE_S, UNKNOWN, Listener, Progress, Stop, relative_gap

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm
    from nbb_opt.model.extract import Carried

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
INTEGRAL = 1e-5  # how far from a whole number an integer column of the search may be before it is not trusted


@dataclass(frozen=True)
class Solution:
    """A plan and what is proven about it.

    `status` is "optimal" when the gap asked for is proven, else "time_limit" or "stopped" with the best plan found.
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
    gap: float = 1e-6,
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
    search = _Search(form, gap=gap, warm=warm, stop=stop, listen=listen, label=label)
    return search.run()


class _Search:
    def __init__(
        self,
        form: StandardForm,
        *,
        gap: float,
        warm: Warm,
        stop: Stop,
        listen: Listener | None,
        label: str,
    ) -> None:
        self.form, self.gap, self.warm, self.stop = form, gap, warm, stop
        self.listen, self.label = listen, label
        self.whole = np.flatnonzero(form.integer)
        self.log = warm.log = []
        self.history: list[tuple[float, float, float]] = []
        self.incumbent, self.bound = UNKNOWN
        self.values: Floats | None = None
        self.nodes = self.iterations = 0

    def run(self) -> Solution:
        solver = self.relaxation = self.warm.take(self.form)
        relaxed = self._linear(solver, "relax")
        status = relaxed.status
        if status in ("infeasible", "infeasible_or_unbounded"):
            raise Infeasible("no plan satisfies every constraint, not even with fractions of vehicles and projects")
        if status == "optimal":
            self._improve_bound(relaxed.objective)
            if not len(self.whole):
                self._accept(relaxed)
            else:
                self._try_last(solver)
                if not self._proven():
                    self._dive_and_branch(solver, relaxed)
                if not self._proven():
                    status = self._search()
        if self._proven():
            status = "optimal"
        return self._solution(status)

    def _try_last(self, solver: Solver) -> None:
        """The plan with the whole numbers of the last solve, where they are possible here too."""
        last = self.warm.whole
        if last is None or ((last < self.form.col_low[self.whole]) | (last > self.form.col_up[self.whole])).any():
            return
        solver.fix(self.whole, last)
        self._accept(self._linear(solver, "last plan"))
        solver.free(self.whole)

    def _linear(self, solver: Solver, phase: str, *, stop: Stop | None = None) -> Answer:
        known = (self.incumbent, self.bound)
        answer = solver.run(stop or self.stop, phase=self.label + phase, listen=self._heard, known=known)
        self.iterations += answer.iterations
        if answer.status in ("error", "unbounded"):
            raise SolveError(f"HiGHS ended the linear program ({phase}) as {answer.status}: " + "".join(self.log[-5:]))
        return answer

    def _dive_and_branch(self, solver: Solver, relaxed: Answer) -> None:
        """A first plan of our own, a better one, then a bound from branching on projects; each only while needed."""
        dive = Dive(self.form, solver, stop=self.stop, listen=self._heard, label=self.label, bound=self.bound)

        def complete(decided: Answer) -> float:
            plan = dive.complete(decided)
            if plan is not None:
                self._accept(plan)
            return self.incumbent

        decided = dive.decide(relaxed)
        if decided is None and self.stop.now():
            decided = dive.hasten(relaxed)
        if decided is not None:
            complete(decided)
            dive.stop = self.stop.part(0.5)
            if not self._proven() and (better := dive.improve(decided)) is not decided:
                complete(better)
        self.iterations += dive.iterations
        if self.values is None or self._proven() or not len(groups(self.form)[0]):
            return
        tree = Branch(
            solver,
            groups(self.form)[0],
            incumbent=self.incumbent,
            gap=self.gap,
            stop=self.stop.part(0.8),
            listen=self._heard,
            label=self.label,
            complete=complete,
        )
        tree.run()
        self.nodes, self.iterations = tree.nodes, self.iterations + tree.iterations
        self._improve_bound(tree.bound)

    def _fixed(self, whole_values: Floats) -> Answer:
        """The exact vertex: the linear program with the integer columns fixed, from a clean start."""
        solver = self.warm.fresh(self.form)
        solver.relax()
        solver.fix(self.whole, whole_values)
        answer = self._linear(solver, "fix and re-solve", stop=self.stop.grace(GRACE_S))
        if answer.status != "optimal" or answer.values is None or self.warm.feasibility is None:
            return answer
        return replace(answer, values=exact_values(solver, answer.values, feasibility=self.warm.feasibility))

    def _search(self) -> str:
        if self.stop.now():
            return self.stop.ended_by()
        solver = self.warm.fresh(self.form)
        solver.set("mip_rel_gap", self.gap)
        solver.set("mip_abs_gap", 0.0)
        if self.values is not None:
            solver.start_from(self.values)
        answer = solver.run(
            self.stop, phase=self.label + "search", listen=self._heard, known=(self.incumbent, self.bound)
        )
        self.nodes += answer.nodes
        self.iterations += answer.iterations
        if answer.status in ("infeasible", "infeasible_or_unbounded") and self.values is None:
            raise Infeasible("no plan with whole vehicles and projects satisfies every constraint")
        if answer.status in ("error", "unbounded"):
            raise SolveError(f"HiGHS ended the search as {answer.status}: " + "".join(self.log[-5:]))
        self._improve_bound(answer.bound)
        if answer.values is not None and not answer.objective >= self.incumbent:
            whole = np.round(answer.values[self.whole])
            if np.abs(whole - answer.values[self.whole]).max() > INTEGRAL:
                raise SolveError("HiGHS returned a plan whose integer columns are not whole")
            self._accept(self._fixed(whole))
        return answer.status

    def _accept(self, answer: Answer) -> None:
        if answer.status == "optimal" and answer.values is not None and not answer.objective >= self.incumbent:
            values = self._keeping(answer.values)
            values[self.whole] = np.round(values[self.whole])
            self.values, self.incumbent = values, float(self.form.cost @ values) + self.form.cost_offset
            self._note(self.incumbent, self.bound)

    def _keeping(self, values: Floats) -> Floats:
        """The values, from a clean start where a row is further off than the feasibility asked for."""
        limit = self.warm.feasibility
        if limit is not None and row_miss(self.relaxation, values) > limit:
            fixed = self._fixed(np.round(values[self.whole]))
            if fixed.status == "optimal" and fixed.values is not None:
                return fixed.values.copy()
        return values.copy()

    def _improve_bound(self, bound: float) -> None:
        if bound > self.bound:
            self.bound = bound
            self._note(self.incumbent, self.bound)

    def _proven(self) -> bool:
        return self.values is not None and relative_gap(self.incumbent, self.bound) <= self.gap

    def _heard(self, progress: Progress) -> None:
        self._note(progress.incumbent, progress.bound)
        if self.listen is not None:
            self.listen(replace(progress, incumbent=self.history[-1][1]))

    def _note(self, incumbent: float, bound: float) -> None:
        """What was found is found: HiGHS may know a plan that is not yet made exact."""
        incumbent = float(np.fmin(incumbent, self.history[-1][1])) if self.history else incumbent
        same = self.history and np.array_equal(self.history[-1][1:], (incumbent, bound), equal_nan=True)
        if not same:
            self.history.append((self.stop.elapsed_s(), incumbent, bound))

    def _solution(self, status: str) -> Solution:
        if self.values is None:
            raise self.stop.no_plan(self.label)
        bound = min(self.bound, self.incumbent)
        self.warm.whole = self.values[self.whole]
        return Solution(
            status=status,
            objective=self.incumbent,
            bound=bound,
            gap=relative_gap(self.incumbent, bound),
            values=self.values,
            nodes=self.nodes,
            iterations=self.iterations,
            rows=len(self.form.row_low),
            columns=len(self.form.cost),
            nonzeros=len(self.form.a_values),
            integers=int(self.form.integer.sum()),
            log="".join(self.log),
            history=tuple(self.history),
        )
