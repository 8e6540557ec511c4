"""A first plan of our own: decide whole numbers group by group on warm linear programs, then improve the dearest group.

`form.fix_order` says which integer columns are decided first (0 projects, then chargers, then vehicles). Deciding is:

1. *dive*: while columns of the first group are fractional, fix those near one at one and the largest other at one or
   zero, whichever the linear program likes better, and solve again from the last basis;
2. *flip*: the optimum is convex in the values of fixed columns, so a flip whose reduced cost promises no gain cannot
   gain; the others are tried, steepest first, and kept when the optimum falls;
3. *round up* each further group (enough chargers, enough vehicles), giving way where a row of whole numbers alone, such
   as the grid limit of a charging area, would break.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nbb_opt.solve.highs import Answer, Relaxation
from nbb_opt.solve.mip.rounding import WHOLE, Rows, groups, orders
from nbb_opt.solve.stop import GRACE_S, Listener, Stop

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
GAIN = 1e-9  # smaller gains, relative, are noise
NEAR_ONE = 0.7  # a column this far towards the next whole number is fixed there without trying the other side


class Dive:
    """Works on one relaxed problem inside `solver`, which keeps its basis from one linear program to the next."""

    def __init__(
        self, form: StandardForm, solver: Relaxation, *, stop: Stop, listen: Listener | None, label: str, bound: float
    ) -> None:
        self.form, self.solver, self.stop, self.listen, self.label = form, solver, stop, listen, label
        self.bound = bound
        self.iterations = 0
        self.rows = [Rows.decided_by(form, order) for order in orders(form)]

    def decide(self, relaxed: Answer) -> Answer | None:
        """Fix the first group at whole numbers, the others still free; None if that fails or time is over."""
        first = groups(self.form)[0]
        return self._decide(first, relaxed) if len(first) else relaxed

    def hasten(self, relaxed: Answer) -> Answer | None:
        """What `decide` does, in one step: for when its time is over, since any plan is better than none.

        Columns near the next whole number go there, the others down: of a project that means not to build it.
        """
        first = groups(self.form)[0]
        if not len(first) or relaxed.values is None:
            return None
        values = relaxed.values[first]
        low = np.floor(values + WHOLE)
        limit, self.stop = self.stop, self.stop.grace(GRACE_S)
        found = self._solve(first, low + (values - low >= NEAR_ONE)) or self._solve(first, low)
        self.stop = limit
        return found

    def improve(self, decided: Answer) -> Answer:
        """Flip what was decided while that gains and time is left."""
        first = groups(self.form)[0]
        return self._flip(first, decided, self.rows[0]) if len(first) else decided

    def complete(self, decided: Answer) -> Answer | None:
        """A plan: round up every further group, then free it again; None if there is no plan.

        It may take a few seconds more than the limit, since what is decided is lost without it.
        """
        limit, self.stop = self.stop, self.stop.grace(GRACE_S)
        found: Answer | None = decided
        for group, rows in zip(groups(self.form)[1:], self.rows[1:], strict=True):
            found = self._round_up(group, found, rows) if found is not None else None
        for group in groups(self.form)[1:]:
            self.solver.free(group)
        self.stop = limit
        return found

    def solve_again(self) -> Answer | None:
        """Solve with what is fixed; None if that is infeasible or time is over."""
        return self._solve(np.zeros(0, np.int64), np.zeros(0))

    def _solve(self, columns: Ints, values: Floats) -> Answer | None:
        """Fix `columns` and solve again; None if that is infeasible or time is over."""
        self.solver.fix(columns, values)
        answer = self.solver.run(
            self.stop, phase=self.label + "dive", listen=self.listen, known=(float("nan"), self.bound)
        )
        self.iterations += answer.iterations
        return answer if answer.status == "optimal" else None

    def _decide(self, group: Ints, answer: Answer) -> Answer | None:
        undecided = group
        while len(undecided):
            assert answer.values is not None
            values = answer.values[undecided]
            part = values - np.floor(values + WHOLE)
            if (part <= WHOLE).all():
                return self._solve(undecided, np.round(values))
            sure = part >= NEAR_ONE
            found = self._solve(undecided[sure], np.ceil(values[sure])) if sure.any() else None
            if found is not None:
                answer, undecided = found, undecided[~sure]
                continue
            self.solver.free(undecided)
            chosen = undecided[[int(np.argmax(part))]]
            found = self._better_side(chosen, float(np.floor(values[int(np.argmax(part))] + WHOLE)))
            if found is None:
                return None
            answer, undecided = found, np.setdiff1d(undecided, chosen)
        return answer

    def _better_side(self, column: Ints, low: float) -> Answer | None:
        """Fix one column at `low` or one more, whichever costs less."""
        down = self._solve(column, np.array([low]))
        up = self._solve(column, np.array([low + 1.0]))
        if down is not None and (up is None or down.objective <= up.objective):
            self.solver.fix(column, np.array([low]))
            return down
        return up

    def _flip(self, group: Ints, answer: Answer, rows: Rows) -> Answer:
        """Try single steps of decided columns that may gain, until none does or time is over."""
        low, up = self.form.col_low[group], self.form.col_up[group]
        failed: set[tuple[int, float]] = set()
        while not self.stop.now():
            assert answer.values is not None
            assert answer.reduced_cost is not None
            slope = answer.reduced_cost[group]
            now = np.round(answer.values[group])
            target = now - np.sign(slope)
            order = [i for i in np.argsort(-np.abs(slope)) if slope[i] != 0 and low[i] <= target[i] <= up[i]]
            better = None
            for i in order:
                step = (int(group[i]), float(target[i]))
                if self.stop.now() or step in failed or not rows.keep(answer.values, group[[i]], target[[i]]):
                    continue
                found = self._solve(group[[i]], target[[i]])
                if found is not None and found.objective < answer.objective - GAIN * abs(answer.objective):
                    better = found
                    break
                failed.add(step)
                self.solver.fix(group[[i]], now[[i]])
            if better is None:
                return answer
            answer = better
            failed.clear()
        return answer

    def _round_up(self, group: Ints, answer: Answer, rows: Rows) -> Answer | None:
        """Whole numbers that are enough."""
        assert answer.values is not None
        return self._solve(group, rows.rounded_up(group, answer.values))
