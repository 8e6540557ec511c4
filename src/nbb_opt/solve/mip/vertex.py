"""The vertex of a basis, worked out anew: what a solver's rows have gathered in rounding is taken out of its columns.

A solver keeps the values of basic columns by updates, and its factors are as good as the whole basis is scaled: a row
of a thousand tonnes beside rows of 1e10 tonne-km may be off by far more than its own rounding. Solved from the basis
with residuals taken row by row (iterative refinement: R. D. Skeel, Mathematics of Computation 35, 1980, 817-832), every
row is as exact as its own terms allow.
"""

from __future__ import annotations

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, eye_array, hstack
from scipy.sparse.linalg import splu

from nbb_opt.errors import SolveError
from nbb_opt.solve.highs import Solver

Floats = npt.NDArray[np.float64]
ROUNDS = 3
BASIC = highspy.HighsBasisStatus.kBasic


def exact_values(solver: Solver, values: Floats, *, feasibility: float) -> Floats:
    """`values` of the last linear program where they keep its rows to `feasibility` (scaled), else the exact vertex."""
    return values if OwnRows(solver).miss(values) <= feasibility else exact_vertex(solver, values)


class OwnRows:
    """The form's own rows as a solver has them; taken before a thread solves, as HiGHS moves its matrix."""

    def __init__(self, solver: Solver) -> None:
        lp, own = solver.highs.getLp(), slice(len(solver.scaling.row))  # rows added since are cuts, not the plan's
        self.matrix = csc_array(_matrix(lp).tocsr()[own])
        self.low, self.up = np.array(lp.row_lower_)[own], np.array(lp.row_upper_)[own]
        self.scale = solver.scaling.column

    def miss(self, values: Floats) -> float:
        """How far outside its sides the worst row is; `values` in business units."""
        activity = self.matrix @ (values / self.scale)
        return float(np.maximum(self.low - activity, activity - self.up).max(initial=0.0))


def exact_vertex(solver: Solver, values: Floats) -> Floats:
    """Values per column, in business units, of the basis in which the last linear program ended at about `values`.

    Raises SolveError if there is no basis, or a singular one.
    """
    basis, lp = solver.highs.getBasis(), solver.highs.getLp()
    if not basis.valid:
        raise SolveError("HiGHS has no basis to work a vertex out from")
    matrix, found = _matrix(lp), values / solver.scaling.column
    low, up = np.asarray(lp.row_lower_), np.asarray(lp.row_upper_)
    columns = np.flatnonzero([status == BASIC for status in basis.col_status])
    slack = np.array([status == BASIC for status in basis.row_status], bool)
    activity = matrix @ found
    side = np.where(np.abs(activity - low) <= np.abs(activity - up), low, up)  # the one where a row not basic is
    part = hstack([matrix[:, columns], eye_array(len(low), format="csc")[:, np.flatnonzero(slack)]], format="csc")
    if part.shape[0] != part.shape[1]:
        raise SolveError(f"HiGHS' basis has {part.shape[1]} members for {part.shape[0]} rows")
    try:
        factors = splu(part)
    except RuntimeError as fault:
        raise SolveError(f"HiGHS' basis cannot be solved ({fault})") from None
    for _ in range(ROUNDS):
        miss = np.zeros(len(low))
        miss[~slack] = side[~slack] - (matrix @ found)[~slack]
        found[columns] += factors.solve(miss)[: len(columns)]
    return found * solver.scaling.column


def _matrix(lp: highspy.HighsLp) -> csc_array:
    """The matrix as HiGHS holds it, rows added since included."""
    held = lp.a_matrix_
    parts = (np.asarray(held.value_), np.asarray(held.index_), np.asarray(held.start_))
    shape = (lp.num_row_, lp.num_col_)
    if held.format_ == highspy.MatrixFormat.kColwise:
        return csc_array(parts, shape=shape)
    return csc_array(csc_array(parts, shape=shape[::-1]).T)
