"""A linear program that falls apart once some columns are fixed: its parts are solved by themselves, side by side.

With every project, charger and truck decided, nothing but those joins the periods of a model; then solving them apart
takes a fraction of the time. Columns may also be *left out*: the rows in which they stand are paid for at prices
instead (a Lagrangian relaxation, exact where the prices are those of the optimum), so that they join nothing either.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import block_array, csc_array, csr_array
from scipy.sparse.csgraph import connected_components

from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.solve.benders.parts import part_of
from nbb_opt.solve.highs import Solver, SolverResult
from nbb_opt.solve.stop import Callback, Stop

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm

LIGHT = 0.05  # of all entries: parts lighter than this are solved together
MISSED = 1e-9  # relative; a row without a free column that is missed by more cannot be kept


class BlockSeparable:
    """The parts of a linear program; `left_out` columns are 0, and `prices` (rows) are paid for what their rows take.

    `run` is that of `Solver`; a left-out row has its price as dual.
    """

    def __init__(
        self,
        form: StandardForm,
        *,
        threads: int,
        seed: int,
        log: list[str],
        interior: bool = False,
        left_out: Ints | None = None,
        prices: Floats | None = None,
    ) -> None:
        self.threads = threads
        shape = (len(form.row_low), len(form.cost))
        self.matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=shape)
        self.price_of_row = np.zeros(shape[0])
        low, up, gone = form.row_low.copy(), form.row_up.copy(), np.zeros(shape[1], bool)
        if left_out is not None and prices is not None:
            gone[left_out] = True
            theirs = np.unique(self.matrix[:, left_out].indices)
            self.price_of_row[theirs] = prices[theirs]
            low[theirs], up[theirs] = -np.inf, np.inf
        side = np.where(self.price_of_row > 0, form.row_low, np.where(self.price_of_row < 0, form.row_up, 0.0))
        self.cost = np.where(gone, 0.0, form.cost - self.matrix.T @ self.price_of_row)
        self.offset = form.cost_offset + float(self.price_of_row @ side)
        self.fixed = np.where(gone, 0.0, np.where(form.col_low == form.col_up, form.col_low, 0.0))
        free = ~gone & (form.col_low < form.col_up)
        done = np.asarray(self.matrix @ self.fixed)
        low, up = low - done, up - done
        self.kept = _may_hold(self.matrix, free, low, up, size=abs(self.matrix) @ np.abs(self.fixed))
        form = replace(form, cost=self.cost, row_low=low, row_up=up)
        self.parts: list[tuple[Ints, Ints, Solver]] = []
        by_row = self.matrix.tocsr()
        for columns, rows in _parts(by_row, free, np.isfinite(low) | np.isfinite(up)):
            part = part_of(form, columns, rows, cost=self.cost[columns], matrix=by_row)
            solver = Solver(replace(part, integer=np.zeros(len(columns), bool)), threads=1, seed=seed, log=log)
            if interior:
                solver.use_interior_point()
            self.parts.append((columns, rows, solver))

    def price(self, columns: Ints, eur: Floats) -> None:
        """Give some columns other costs; every part goes on from its last basis."""
        self.cost = self.cost.copy()
        self.cost[columns] = eur - self.matrix[:, columns].T @ self.price_of_row
        for own, _, solver in self.parts:
            mine = np.flatnonzero(np.isin(own, columns))
            solver.price(mine, self.cost[own[mine]])

    def run(self, stop: Stop, *, phase: str, callback: Callback | None, known: tuple[float, float]) -> SolverResult:
        """Solve every part; infeasible where one is."""
        if not self.kept:
            return SolverResult(
                status="infeasible", objective=float("nan"), bound=-np.inf, values=None, reduced_cost=None, nodes=0,
                iterations=0,
            )  # fmt: skip
        with stop.by_ctrl_c(patient=True), ThreadPoolExecutor(self.threads) as pool:
            found = list(pool.map(lambda part: part[2].run(stop, phase=phase, callback=None, known=known), self.parts))
        iterations = sum(one.iterations for one in found)
        values, dual = self.fixed.copy(), self.price_of_row.copy()
        for (columns, rows, _), one in zip(self.parts, found, strict=True):
            if one.status != "optimal" or one.values is None or one.row_dual is None:
                return replace(one, values=None, iterations=iterations)
            values[columns], dual[rows] = one.values, one.row_dual
        objective = float(self.cost @ values) + self.offset
        reduced: Any = self.cost - self.matrix.T @ (dual - self.price_of_row)
        return SolverResult(
            status="optimal", objective=objective, bound=objective, values=values, reduced_cost=reduced, nodes=0,
            iterations=iterations, row_dual=dual,
        )  # fmt: skip


def _may_hold(matrix: csc_array, free: npt.NDArray[np.bool_], low: Floats, up: Floats, *, size: Floats) -> bool:
    """Whether rows without a free column hold."""
    alone = np.asarray(abs(matrix) @ free.astype(float)) == 0
    margin = MISSED * (1.0 + size)
    return bool(((low <= margin) & (up >= -margin))[alone].all())


def _parts(matrix: csr_array, free: npt.NDArray[np.bool_], active: npt.NDArray[np.bool_]) -> list[tuple[Ints, Ints]]:
    """Free columns and active rows that have to do with each other, part by part; light parts in one."""
    columns, rows = np.flatnonzero(free), np.flatnonzero(active)
    if not len(columns):
        return []
    own: Any = matrix[rows][:, columns]
    graph: Any = block_array([[None, own], [own.T, None]])
    count, label = connected_components(graph, directed=False)
    of_row, of_column = label[: len(rows)], label[len(rows) :]
    entries = np.bincount(of_row, np.diff(own.indptr), minlength=count)
    light = np.flatnonzero(entries < LIGHT * entries.sum())
    place = np.arange(count)
    place[light] = count
    found = []
    for part in np.unique(place[of_column]).tolist():
        found.append((columns[place[of_column] == part], rows[place[of_row] == part]))
    return found
