"""A first plan of our own: whole numbers rounded up or decided group by group on warm linear programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from nbb_opt.solve.highs import Relaxation, SolverResult
from nbb_opt.solve.mip.strong_branching import NEAR_ONE, WHOLE, Sides
from nbb_opt.solve.stop import GRACE_S, Callback, Stop

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
EVERY = slice(None)


def groups(form: StandardForm) -> list[Ints]:
    """The integer columns, group by group in the order in which they are decided; the first may be empty."""
    return [np.flatnonzero(form.integer & (form.fix_order == order)) for order in orders(form)]


def orders(form: StandardForm) -> list[int]:
    """The `fix_order` of each of these groups."""
    return sorted({0, *form.fix_order[form.integer].tolist()})


@dataclass(frozen=True)
class DecidedRows:
    """Rows in which only columns decided so far occur: whole numbers alone keep or break them."""

    matrix: sp.csr_array
    low: Floats
    up: Floats

    @classmethod
    def decided_by(cls, form: StandardForm, order: int) -> DecidedRows:
        """Rows whose columns are all integer and of a group decided up to `order`."""
        rows, columns = len(form.row_low), len(form.cost)
        matrix = sp.csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(rows, columns)).tocsr()
        late = ~form.integer | (form.fix_order > order)
        only = np.flatnonzero((abs(matrix) @ late.astype(np.float64) == 0) & (np.diff(matrix.indptr) > 0))
        return cls(matrix[only], form.row_low[only], form.row_up[only])

    def broken(self, values: Floats) -> Ints:
        """Which of the rows these values break."""
        return np.flatnonzero(~self._fine(self.matrix @ values))

    def keep(self, values: Floats, column: Ints, target: Floats) -> bool:
        """Whether one column may step to `target` without breaking a row."""
        changed = values.copy()
        changed[column] = target
        return not len(self.broken(changed))

    def raised(self, columns: Ints, values: Floats, low: Floats, up: npt.NDArray[np.bool_]) -> Floats:
        """Whole numbers for some columns: `low`, or one more where `up`, in order, as long as no row is broken anew.

        >>> three = DecidedRows(sp.csr_array(np.ones((1, 2))), np.full(1, -np.inf), np.full(1, 3.0))
        >>> three.raised(np.array([0, 1]), np.ones(2), np.ones(2), np.array([True, True])).tolist()
        [2.0, 1.0]
        """
        matrix = self.matrix.tocsc()
        activity, target = self.matrix @ values, low.copy()
        fine = self._fine(activity)
        for i in np.flatnonzero(up).tolist():
            here = slice(matrix.indptr[columns[i]], matrix.indptr[columns[i] + 1])
            rows, more = matrix.indices[here], matrix.data[here]
            now = activity[rows] + more
            if (self._fine(now, rows) | ~fine[rows]).all():
                activity[rows], target[i] = now, low[i] + 1.0
                fine[rows] = self._fine(now, rows)
        return target

    def _fine(self, activity: Floats, rows: npt.NDArray[np.integer[Any]] | slice = EVERY) -> npt.NDArray[np.bool_]:
        margin = 1e-9 * (1.0 + np.abs(activity))
        return (activity <= self.up[rows] + margin) & (activity >= self.low[rows] - margin)

    def touch(self, rows: Ints, column: int) -> bool:
        """Whether a column occurs in one of the rows."""
        return bool(self.matrix[rows][:, [column]].nnz)

    def rounded_up(self, group: Ints, values: Floats, *, nothing: float = WHOLE) -> Floats:
        """Whole numbers for a group that are enough; up to `nothing` above one counts as that one.

        Where a row of whole numbers alone asks for more of some than of others, as a share of what is bought, there
        are more of these; the least needed give way while another one, such as the limit of a grid, is broken.

        >>> share, free = sp.csr_array(np.array([[0.2, -0.8]])), np.full(1, np.inf)
        >>> for rows in (DecidedRows(share, np.zeros(1), free), DecidedRows(-share, -free, np.zeros(1))):
        ...     rows.rounded_up(np.array([0, 1]), np.array([1.2, 0.3])).tolist()
        [4.0, 1.0]
        [4.0, 1.0]
        """
        values = values.copy()
        low = np.floor(values[group] + nothing)
        part = values[group] - low
        values[group] = np.ceil(values[group] - nothing)
        self._make_up(group, values)
        for i in np.argsort(part):
            broken = self.broken(values)
            if not len(broken):
                break
            if values[group[i]] > low[i] and self.touch(broken, int(group[i])):
                values[group[i]] = low[i]
        return np.asarray(values[group])

    def _make_up(self, group: Ints, values: Floats) -> None:
        """Raise columns of the group, those with most first, where that brings a row back within its sides."""
        for row in self.broken(values).tolist():
            here = slice(self.matrix.indptr[row], self.matrix.indptr[row + 1])
            columns, activity = self.matrix.indices[here], self.matrix.data[here] @ values[self.matrix.indices[here]]
            below = activity < self.low[row]
            factors = self.matrix.data[here] * (1.0 if below else -1.0)
            raising = np.flatnonzero((factors > 0) & np.isin(columns, group))
            for i in raising[np.argsort(-values[columns[raising]], kind="stable")].tolist():
                now = float(self.matrix.data[here] @ values[columns])
                short = self.low[row] - now if below else now - self.up[row]
                if short <= 0:
                    break
                changed = values.copy()
                changed[columns[i]] += np.ceil(short / factors[i] - WHOLE)
                if len(self.broken(changed)) < len(self.broken(values)):
                    values[columns[i]] = changed[columns[i]]


GAIN = 1e-9  # smaller gains, relative, are noise
BATCH = 0.3  # of the columns that are no whole numbers yet, fixed at once
NO_DOUBT = 0.1  # columns so near a whole number are fixed too


class Dive:
    """Works on one relaxed problem inside `solver`, which keeps its basis from one linear program to the next."""

    def __init__(
        self, form: StandardForm, solver: Relaxation, *, stop: Stop, callback: Callback | None, label: str, bound: float
    ) -> None:
        self.form, self.solver, self.stop, self.callback, self.label = form, solver, stop, callback, label
        self.bound = bound
        self.iterations = 0
        self.rows = [DecidedRows.decided_by(form, order) for order in orders(form)]

    def decide(self, relaxed: SolverResult, sides: Sides | None = None) -> SolverResult | None:
        """Fix the first group at whole numbers, the others still free; None if that fails or time is over.

        With both `sides` of what is in doubt, all of it goes to the cheaper one at once, if that is possible.
        """
        undecided = groups(self.form)[0]
        if sides is not None:
            found = self._solve(sides.columns, sides.cheaper)
            if found is not None:
                relaxed, undecided = found, np.setdiff1d(undecided, sides.columns)
            else:
                self.solver.free(sides.columns)
        return self._decide(undecided, relaxed)

    def hasten(self, relaxed: SolverResult) -> SolverResult | None:
        """What `decide` does, in one step: for when its time is over, since any plan is better than none.

        Columns near the next whole number go there, the others down: of a project that means not to build it. Where no
        plan has so little, as under a cap on emissions, all go up.
        """
        first = groups(self.form)[0]
        if not len(first) or relaxed.values is None:
            return None
        values = relaxed.values[first]
        low = np.floor(values + WHOLE)
        limit, self.stop = self.stop, self.stop.grace(GRACE_S)
        near, up = low + (values - low >= NEAR_ONE), self.rows[0].rounded_up(first, relaxed.values)
        found = self._solve(first, near) or self._solve(first, low) or self._solve(first, up)
        self.stop = limit
        return found

    def improve(self, decided: SolverResult) -> SolverResult:
        """Flip what was decided while that gains and time is left."""
        first = groups(self.form)[0]
        return self._flip(first, decided, self.rows[0]) if len(first) else decided

    def complete(self, decided: SolverResult) -> SolverResult | None:
        """A plan: round up every further group, then free it again; None if there is no plan.

        It may take a few seconds more than the limit, since what is decided is lost without it.
        """
        limit, self.stop = self.stop, self.stop.grace(GRACE_S)
        found: SolverResult | None = decided
        for group, rows in zip(groups(self.form)[1:], self.rows[1:], strict=True):
            found = self._round_up(group, found, rows) if found is not None else None
        for group in groups(self.form)[1:]:
            self.solver.free(group)
        self.stop = limit
        return found

    def settle(self, decided: SolverResult) -> SolverResult | None:
        """A better plan than `complete` gives, in more time: every further group in batches; None if that fails."""
        found: SolverResult | None = decided
        for group, rows in zip(groups(self.form)[1:], self.rows[1:], strict=True):
            found = self._in_batches(group, found, rows) if found is not None else None
        for group in groups(self.form)[1:]:
            self.solver.free(group)
        return found

    def solve_again(self) -> SolverResult | None:
        """Solve with what is fixed; None if that is infeasible or time is over."""
        return self._solve(np.zeros(0, np.int64), np.zeros(0))

    def _solve(self, columns: Ints, values: Floats) -> SolverResult | None:
        """Fix `columns` and solve again; None if that is infeasible or time is over."""
        self.solver.fix(columns, values)
        answer = self.solver.run(
            self.stop, phase=self.label + "dive", callback=self.callback, known=(float("nan"), self.bound)
        )
        self.iterations += answer.iterations
        return answer if answer.status == "optimal" else None

    def _decide(self, group: Ints, answer: SolverResult) -> SolverResult | None:
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

    def _in_batches(self, group: Ints, answer: SolverResult, rows: DecidedRows) -> SolverResult | None:
        """Whole numbers for a group: those least in doubt go to the nearest, the linear program moves what is left to
        them, and so on. What cannot go down goes up."""
        undecided, only_up = group, np.zeros(len(self.form.cost), bool)
        while len(undecided):
            assert answer.values is not None
            values = answer.values[undecided]
            low = np.floor(values + WHOLE)
            part = values - low
            if (part <= WHOLE).all():
                return self._solve(undecided, low)
            up = (part >= 0.5) | only_up[undecided]
            doubt = np.where(part > WHOLE, np.where(up, 1.0 - part, part), np.inf)
            order = np.argsort(doubt, kind="stable")
            many = max(int(np.ceil(BATCH * (part > WHOLE).sum())), int((doubt <= NO_DOUBT).sum()))
            chosen = order[:many]
            rounded = answer.values.copy()
            rounded[undecided] = low
            target = rows.raised(undecided[chosen], rounded, low[chosen], up[chosen])
            found = self._solve(undecided[chosen], target)
            if found is None:
                down = chosen[target < values[chosen]]
                if self.stop.now() or only_up[undecided[down]].all():
                    return None
                only_up[undecided[down]] = True
                self.solver.free(undecided[down])
                chosen = np.setdiff1d(chosen, down)
                found = self.solve_again()
                if found is None:
                    return None
            answer, undecided = found, np.delete(undecided, chosen)
        return answer

    def _better_side(self, column: Ints, low: float) -> SolverResult | None:
        """Fix one column at `low` or one more, whichever costs less."""
        down = self._solve(column, np.array([low]))
        up = self._solve(column, np.array([low + 1.0]))
        if down is not None and (up is None or down.objective <= up.objective):
            self.solver.fix(column, np.array([low]))
            return down
        return up

    def _flip(self, group: Ints, answer: SolverResult, rows: DecidedRows) -> SolverResult:
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

    def _round_up(self, group: Ints, answer: SolverResult, rows: DecidedRows) -> SolverResult | None:
        """Whole numbers that are enough."""
        assert answer.values is not None
        return self._solve(group, rows.rounded_up(group, answer.values))
