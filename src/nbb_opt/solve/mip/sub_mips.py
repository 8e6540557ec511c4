"""Plans from small MIPs: one group of whole numbers after the other, on the columns that the relaxation wants.

Rounding a relaxed plan up costs more than anything else a plan of ours loses. Instead each group (projects, then
chargers, then trucks, by `fix_order`) is made whole by HiGHS while the later groups stay relaxed, and continuous
columns that are zero in the relaxation and dear there (reduced cost times usual size) are left out, so that the MIP is
a quarter of the whole. In the end everything whole is fixed and a linear program over all columns gives the plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nbb_opt.solve.highs import Solver, SolverResult
from nbb_opt.solve.mip.dive import Dive, groups
from nbb_opt.solve.mip.strong_branching import Sides
from nbb_opt.solve.mip.warm import Warm, again
from nbb_opt.solve.stop import UNKNOWN, Callback, Stop

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# HiGHS' own searches inside a search find nothing here that the slim problem does not
WITHOUT = ("mip_heuristic_run_rins", "mip_heuristic_run_feasibility_jump")
ZERO = 1e-9


@dataclass(frozen=True)
class Effort:
    """How hard to try, in EUR: columns dearer than `left_out` are left out, a MIP ends within `gap` of its bound."""

    left_out: float
    gap: float

    def at_most(self, enough: float) -> Effort:
        """The effort without MIPs that are more exact than `enough`."""
        return replace(self, gap=max(self.gap, enough))


class SubMips:
    """Small MIPs of one form, each from a clean start; `solver` is one relaxed problem of its own, kept warm.

    It begins with the basis of `last`, in which the same rows are relaxed.
    """

    def __init__(
        self, form: StandardForm, warm: Warm, last: Solver, *, stop: Stop, callback: Callback | None, label: str
    ) -> None:
        self.form, self.warm, self.stop, self.callback, self.label = form, warm, stop, callback, label
        self.first, *self.further = groups(form)
        self.solver = again(last, warm.fresh(form, threads=1))
        self.solver.set("presolve", "off")
        self.iterations = 0

    def decide(self, relaxed: SolverResult, effort: Effort) -> Floats | None:
        """Whole values of the first group, the others relaxed; None if none is found in time."""
        found = self._whole(self.first, self.form.col_low, self.form.col_up, relaxed, effort)
        return None if found is None else found[self.first]

    def dive(self, relaxed: SolverResult, sides: Sides) -> Floats | None:
        """What `decide` gives, by linear programs: `sides` first, then what is left; None if that fails."""
        dive = self._dive(self.stop.part(0.5))
        answer = dive.decide(relaxed, sides)
        self.iterations += dive.iterations
        self.solver.free(self.first)
        return None if answer is None or answer.values is None else np.round(answer.values[self.first])

    def complete(self, decided: Floats, effort: Effort | None, *, below: float) -> SolverResult | None:
        """A plan with the first group as decided, a vertex of the linear program; None if none is found in time.

        Without an effort no MIP is solved: the further groups are rounded in batches, one linear program after the
        other. What cannot cost less than `below` is given up early.
        """
        every = np.flatnonzero(self.form.integer)
        try:
            self.solver.fix(self.first, decided)
            answer = self._linear()
            if effort is None:
                return None if answer is None or answer.objective >= below else self._settle(answer)
            low, up = self.form.col_low.copy(), self.form.col_up.copy()
            low[self.first] = up[self.first] = decided
            for group in self.further:
                if answer is None or answer.objective >= below:
                    return None
                found = self._whole(group, low, up, answer, effort)
                if found is None:
                    return None
                low[group] = up[group] = found[group]
                self.solver.fix(group, found[group])
                answer = self._linear()
            return answer
        finally:
            self.solver.free(every)

    def _dive(self, stop: Stop) -> Dive:
        return Dive(self.form, self.solver, stop=stop, callback=self.callback, label=self.label, bound=-np.inf)

    def _settle(self, decided: SolverResult) -> SolverResult | None:
        dive = self._dive(self.stop)
        answer = dive.settle(decided) or dive.complete(decided)
        self.iterations += dive.iterations
        return answer

    def _linear(self) -> SolverResult | None:
        answer = self.solver.run(self.stop, phase=self.label + "plan", callback=self.callback, known=UNKNOWN)
        self.iterations += answer.iterations
        return answer if answer.status == "optimal" and answer.values is not None else None

    def _whole(self, group: Ints, low: Floats, up: Floats, relaxed: SolverResult, effort: Effort) -> Floats | None:
        """All values with `group` whole: on the slim columns, on all of them if those allow none."""
        assert relaxed.values is not None
        if (np.abs(relaxed.values[group] - np.round(relaxed.values[group])) <= ZERO).all():
            return np.round(relaxed.values)
        integer = np.zeros(len(self.form.cost), bool)
        integer[group] = True
        for slim in (True, False):
            high = self._slim(up, relaxed, effort.left_out) if slim else up
            form = replace(self.form, col_low=low, col_up=high, integer=integer)
            solver = self.warm.fresh(form, threads=1)
            for option in WITHOUT:
                solver.set(option, False)
            solver.set("mip_rel_gap", 0.0)
            solver.set("mip_abs_gap", effort.gap * solver.scaling.objective)
            answer = solver.run(self.stop.part(0.5), phase=self.label + "plan", callback=self.callback, known=UNKNOWN)
            self.iterations += answer.iterations
            if answer.values is not None:
                values = answer.values.copy()
                values[group] = np.round(values[group])
                return values
            if self.stop.now():
                break
        return None

    def _slim(self, up: Floats, relaxed: SolverResult, left_out: float) -> Floats:
        """Upper bounds with the continuous columns at zero that are zero and dear in the relaxation."""
        assert relaxed.values is not None
        assert relaxed.reduced_cost is not None
        dear = relaxed.reduced_cost * np.maximum(self.form.col_unit_scale, 1.0) > left_out
        out = ~self.form.integer & (self.form.col_low <= 0.0) & (relaxed.values <= ZERO) & dear
        return np.where(out, 0.0, up)
