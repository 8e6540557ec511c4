"""A two-stage form cut into its first stage and its scenarios, and what cuts between them say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array, csr_array

from nbb_opt.errors import ModelError
from nbb_opt.model.data.periods import Floats, Ints

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm

SHARED, OBJECTIVE = -1, -2
LEAST_VIOLATION = 1e-9  # relative; a proof of infeasibility that is not violated by more is of no use


@dataclass(frozen=True)
class BendersCut:
    """The row `values . x >= low` over columns of the first stage."""

    columns: Ints
    values: Floats
    low: float


@dataclass(frozen=True)
class ScenarioForm:
    """One scenario as a form of its own; its cost is the objective.

    `columns` and `rows` are its positions in the whole form, `touch` (rows, columns of the first stage) what the first
    stage does to its rows, `touched` the rows where that is anything, `future` the first-stage column of its cost.
    """

    form: StandardForm
    columns: Ints
    rows: Ints
    touch: csr_array
    touched: Ints
    future: int

    def optimality(self, x: Floats, cost: float, duals: Floats, number: int) -> BendersCut:
        """The row that supports the cost of the scenario at first stage x."""
        slope = -np.asarray(self.touch[self.touched].T @ duals[self.touched])
        at = np.flatnonzero(slope)
        values = np.append(-slope[at], 1.0)
        return BendersCut(np.append(at, self.future), values, cost - float(slope[at] @ x[at]))

    def infeasibility(self, x: Floats, ray: Floats) -> BendersCut | None:
        """The row that cuts off x, which leaves the scenario without a plan; None if the ray proves nothing.

        Weighted rows give `ray . side(x) <= max over the scenario's bounds of (ray A) z`; both signs are tried.
        """
        form = self.form
        matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost)))
        for weights in (ray, -ray):
            used = np.flatnonzero(weights)
            side = np.where(weights > 0, form.row_low, form.row_up)[used]
            if not np.isfinite(side).all():
                continue
            weight = np.asarray(matrix.T @ weights)
            weight[np.abs(weight) <= LEAST_VIOLATION * np.abs(weight).max(initial=0.0)] = 0.0
            rising, falling = weight > 0, weight < 0
            most = float(weight[rising] @ form.col_up[rising] + weight[falling] @ form.col_low[falling])
            if not np.isfinite(most):
                continue
            least = float(weights[used] @ side)
            slope = np.asarray(self.touch.T @ weights)
            at = np.flatnonzero(slope)
            if least - float(slope[at] @ x[at]) - most > LEAST_VIOLATION * max(abs(least), abs(most), 1.0):
                return BendersCut(at, slope[at], least - most)
        return None


@dataclass(frozen=True, kw_only=True)
class Stages:
    """The first stage (`master`, with the columns of the objective) and the scenarios of a form.

    `shared_at` are the positions in the master of columns of the first stage itself, `columns` and `rows` the positions
    of the master's in the form. `complete` gives the best columns of the objective for the costs of the scenarios.
    """

    whole: StandardForm
    master: StandardForm
    columns: Ints
    rows: Ints
    shared_at: Ints
    scenarios: list[ScenarioForm]
    complete: Callable[[Floats], Floats]

    @property
    def count(self) -> int:
        """How many scenarios."""
        return len(self.scenarios)

    def alone(self, s: int) -> tuple[StandardForm, tuple[Ints, Ints], tuple[Ints, Ints]]:
        """First stage and one scenario that is certain, as one form, and where columns and rows of both are in it."""
        scenario, shared = self.scenarios[s], self.columns[self.shared_at]
        plain = np.setdiff1d(self.rows, self._of_objective())
        columns = np.concatenate([shared, scenario.columns])
        rows = np.concatenate([plain, scenario.rows])
        cost = np.concatenate([self.whole.cost[shared], scenario.form.cost])
        form = part_of(self.whole, columns, rows, cost=cost)
        first = (np.arange(len(shared)), np.arange(len(plain)))
        second = (len(shared) + np.arange(len(scenario.columns)), len(plain) + np.arange(len(scenario.rows)))
        return form, first, second

    def _of_objective(self) -> Ints:
        """Rows of the master in which a column of the objective occurs."""
        of_objective = np.ones(len(self.master.cost), bool)
        of_objective[self.shared_at] = False
        entry = np.repeat(of_objective, np.diff(self.master.a_indptr))
        return self.rows[np.unique(self.master.a_indices[entry])]

    def weigh(self, costs: Floats) -> tuple[float, Floats]:
        """What the objective makes of the scenarios' costs, and the columns of the objective at their places."""
        values = np.zeros(len(self.master.cost))
        extra = np.setdiff1d(np.arange(len(values)), self.shared_at)
        values[extra] = self.complete(costs)
        return float(self.master.cost[extra] @ values[extra]), values

    def assemble(self, x: Floats, costs: Floats, plans: list[Floats], size: int) -> Floats:
        """All columns of the form."""
        values = np.zeros(size)
        values[self.columns] = x + self.weigh(costs)[1]
        for scenario, plan in zip(self.scenarios, plans, strict=True):
            values[scenario.columns] = plan
        return values


def stages_of(form: StandardForm, stage: Ints, *, complete: Callable[[Floats], Floats]) -> Stages:
    """Cut a form into its stages; `stage` and `complete` as in `two_stage.solve_two_stage`.

    Raises ModelError where a row joins two scenarios, an integer column is of a scenario, or the row that says what a
    scenario costs is missing.
    """
    by_rows = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost)))
    rows = by_rows.tocsr()
    count = int(stage.max()) + 1
    if (form.integer & (stage != SHARED)).any():
        raise ModelError("an integer column is not of the first stage")
    entry_stage = stage[rows.indices]
    of_row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    highest = np.full(rows.shape[0], OBJECTIVE)
    np.maximum.at(highest, of_row, entry_stage)
    mixed = (entry_stage >= 0) & (entry_stage != highest[of_row])
    if mixed.any():
        raise ModelError(f"row {form.row_names[int(of_row[mixed][0])]} joins two scenarios")
    objective_at = np.flatnonzero(stage == OBJECTIVE)
    priced = np.unique(of_row[(entry_stage == OBJECTIVE) & (highest[of_row] >= 0)])
    columns = np.flatnonzero(stage < 0)
    position = np.full(len(form.cost), -1, np.int64)
    position[columns] = np.arange(len(columns))
    master_rows = np.flatnonzero(highest < 0)
    shared = np.flatnonzero(stage == SHARED)
    scenarios = []
    for s in range(count):
        count_row = priced[highest[priced] == s]
        if len(count_row) != 1:
            raise ModelError(f"scenario {s} has {len(count_row)} rows that say what it costs, not one")
        line = slice(*rows.indptr[count_row[0] : count_row[0] + 2].tolist())
        at, values = rows.indices[line], rows.data[line]
        future = at[stage[at] == OBJECTIVE]
        plain = form.row_low[count_row[0]] == form.row_up[count_row[0]] == 0
        sign = values[stage[at] == OBJECTIVE][0]
        if len(future) != 1 or not plain or abs(sign) != 1 or (stage[at] == SHARED).any():
            raise ModelError(f"row {form.row_names[int(count_row[0])]} does not say what scenario {s} costs")
        cost = np.zeros(len(form.cost))
        cost[at] = -sign * values
        own = np.flatnonzero(stage == s)
        mine = np.setdiff1d(np.flatnonzero(highest == s), count_row)
        touch = rows[mine][:, columns]
        touched = np.flatnonzero(np.diff(touch.indptr) > 0)
        part = part_of(form, own, mine, cost=cost[own], matrix=rows)
        scenarios.append(ScenarioForm(part, own, mine, touch, touched, int(position[future[0]])))
    master = part_of(form, columns, master_rows, cost=form.cost[columns], matrix=rows)
    assert len(objective_at)
    return Stages(
        whole=form, master=master, columns=columns, rows=master_rows, shared_at=position[shared], scenarios=scenarios,
        complete=complete,
    )  # fmt: skip


def part_of(
    form: StandardForm, columns: Ints, rows: Ints, *, cost: Floats, matrix: csr_array | None = None
) -> StandardForm:
    """Some columns and rows of a form, with another objective; entries elsewhere are left out."""
    if matrix is None:
        shape = (len(form.row_low), len(form.cost))
        matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=shape).tocsr()
    part = matrix[rows][:, columns].tocsc()
    part.sort_indices()
    return replace(
        form, cost=cost, cost_offset=0.0, a_indptr=part.indptr, a_indices=part.indices, a_values=part.data,
        row_low=form.row_low[rows], row_up=form.row_up[rows], col_low=form.col_low[columns],
        col_up=form.col_up[columns], integer=form.integer[columns],
        col_names=[f"column {j}" for j in columns.tolist()], row_names=[f"row {i}" for i in rows.tolist()],
        col_unit_scale=form.col_unit_scale[columns], fix_order=form.fix_order[columns],
    )  # fmt: skip
