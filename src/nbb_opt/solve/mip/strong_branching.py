"""Strong branching: what a plan costs at least with a whole number in doubt rounded down, and rounded up.

Two linear programs a column, all from the optimum of the relaxation (T. Achterberg, T. Koch and A. Martin, Branching
rules revisited, Operations Research Letters 33, 2005, 42-54). Projects of different places hardly touch each other, so
that all of them go to their cheaper side at once; and a tree knows from the start which of them matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nbb_opt.solve.highs import Solver, SolverResult
from nbb_opt.solve.stop import Callback, Stop

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
WHOLE = 1e-6
NEAR_ONE = 0.7  # a column this far towards the next whole number goes there where nothing else is known


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Columns that are no whole number in a relaxation, and the cost of both roundings.

    `cost` (2, columns) is EUR, with the column no higher than `low` and no lower than one more; infinite where that is
    impossible, NaN where time was over. `root` is the cost of the relaxation.

    >>> sides = Sides(columns=np.array([4, 7]), values=np.array([0.5, 1.2]), root=10.0,
    ...               cost=np.array([[13.0, 11.0], [12.0, np.inf]]), iterations=0)
    >>> sides.cheaper.tolist(), sides.bound
    ([1.0, 1.0], 12.0)
    """

    columns: Ints
    values: Floats
    root: float
    cost: Floats
    iterations: int

    @property
    def low(self) -> Floats:
        """The whole number below each value."""
        return np.floor(self.values + WHOLE)

    @property
    def cheaper(self) -> Floats:
        """The cheaper rounding of each; the nearer one where both are not known, up only if it is near."""
        near = self.values - self.low >= NEAR_ONE
        return self.low + np.where(np.isnan(self.cost).any(axis=0), near, self.cost[1] < self.cost[0])

    @property
    def bound(self) -> float:
        """What every whole plan costs at least; infinite if none is possible."""
        return float(np.fmax.reduce(self.cost.min(axis=0), initial=self.root))

    @property
    def rises(self) -> Floats:
        """The rise of cost per unit of rounding down and up; NaN where it is not known or impossible."""
        part = self.values - self.low
        rise = np.maximum(self.cost - self.root, 0.0) / np.stack([part, 1.0 - part])
        return np.where(np.isfinite(rise), rise, np.nan)


def strong_branching(
    solvers: Sequence[Solver],
    columns: Ints,
    relaxed: SolverResult,
    *,
    stop: Stop,
    phase: str,
    callback: Callback | None,
    known: tuple[float, float],
    threads: int,
) -> Sides:
    """Both sides of those of `columns` that are not whole in `relaxed`.

    Each of `solvers` holds the relaxation, with its basis, and takes its share of the columns, however many of them
    work at once.
    """
    assert relaxed.values is not None
    values = relaxed.values[columns]
    doubt = np.abs(values - np.round(values)) > WHOLE
    columns, values = columns[doubt], values[doubt]
    cost, iterations = np.full((2, len(columns)), np.nan), [0] * len(solvers)

    def work(number: int) -> None:
        solver, form = solvers[number], solvers[number].form
        root = solver.highs.getBasis()
        for at in range(number, len(columns), len(solvers)):
            column, low = columns[[at]], np.floor(values[[at]] + WHOLE)
            sides = (form.col_low[column], low), (low + 1.0, form.col_up[column])
            for side, bounds in enumerate(sides):
                solver.start_at(root)
                solver.bound(column, *bounds)
                answer = solver.run(stop, phase=phase, callback=None if number else callback, known=known)
                iterations[number] += answer.iterations
                if answer.status in ("infeasible", "infeasible_or_unbounded"):
                    cost[side, at] = np.inf
                elif answer.status == "optimal":
                    cost[side, at] = answer.objective
            solver.free(column)
            if stop.now():
                break
        solver.start_at(root)

    with stop.by_ctrl_c(patient=True), ExitStack() as stack:  # one thread alone takes no second heap
        all_of = map if threads == 1 else stack.enter_context(ThreadPoolExecutor(threads)).map
        list(all_of(work, range(len(solvers))))
    return Sides(columns=columns, values=values, root=relaxed.objective, cost=cost, iterations=sum(iterations))
