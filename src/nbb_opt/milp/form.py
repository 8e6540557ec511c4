"""The built model as arrays: one sparse matrix, sides, bounds, and which columns are integer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from nbb_opt.errors import ModelError
from nbb_opt.milp.array_assembly import ArrayAssembly
from nbb_opt.milp.assembly import FIX_ORDER
from nbb_opt.milp.build import Built
from nbb_opt.milp.keys import Labels
from nbb_opt.milp.periods import Floats
from nbb_opt.milp.pyomo_assembly import PyomoAssembly


@dataclass(frozen=True)
class StandardForm:
    """Minimise cost.x + cost_offset with row_low <= A x <= row_up, col_low <= x <= col_up; A by columns (CSC).

    `col_unit_scale` is a usual size of each column in its own unit, a power of two; 1 for integers. `fix_order` says in
    which order whole numbers are best decided (0 projects, 1 chargers, 2 trucks); -1 for columns that are not integer.
    Names may be made only when they are read.
    """

    cost: Floats
    cost_offset: float
    a_indptr: npt.NDArray[np.integer]
    a_indices: npt.NDArray[np.integer]
    a_values: Floats
    row_low: Floats
    row_up: Floats
    col_low: Floats
    col_up: Floats
    integer: npt.NDArray[np.bool_]
    col_names: Sequence[str]
    row_names: Sequence[str]
    col_unit_scale: Floats
    fix_order: npt.NDArray[np.int64]


def standard_form(built: Built) -> StandardForm:
    """The arrays of the model; rows and columns in the order of its assembly, columns in no row included.

    A model stated in Pyomo is compiled by Pyomo, one stated as arrays is put together from them: the same form, entry
    by entry. Raises ModelError if a row or column was lost, or a number is not finite.
    """
    a = built.assembly
    if isinstance(a, ArrayAssembly):
        form = _of_arrays(a)
    else:
        assert isinstance(a, PyomoAssembly)
        form = _compiled(a)
    for name in ("cost", "a_values", "col_low"):
        if not np.isfinite(getattr(form, name)).all():
            raise ModelError(f"the compiled model has a number in {name} that is not finite")
    if not (np.isfinite(form.cost_offset) and (np.isfinite(form.row_low) | np.isfinite(form.row_up)).all()):
        raise ModelError("the compiled model has an offset or a side that is not finite")
    return form


def _of_arrays(a: ArrayAssembly) -> StandardForm:
    matrix = a.matrix()
    low, up = a.sides()
    return StandardForm(
        a.cost, a.cost_offset, matrix.indptr, matrix.indices, matrix.data, low, up,
        a.per_column("low"), a.per_column("up"), a.per_column("whole").astype(bool),
        Labels(a.column_names, a.size), Labels(a.row_names, a.row_count),
        a.per_column("typical"), a.per_column("fix_order").astype(np.int64),
    )  # fmt: skip


def _compiled(a: PyomoAssembly) -> StandardForm:
    compiled = LinearStandardFormCompiler().write(a.model, mixed_form=True)
    columns = a.columns
    place = {id(variable): j for j, variable in enumerate(columns)}
    order = np.array([place[id(variable)] for variable in compiled.columns], np.int64)
    matrix, objective = compiled.A.tocoo(), compiled.c.tocoo()
    declared = {id(row): k for k, row in enumerate(a.rows)}  # the compiler sorts rows by key; back to their order
    rows = np.argsort([declared[id(entry.constraint)] for entry in compiled.rows])
    at = np.empty(len(rows), np.int32)
    at[rows] = np.arange(len(rows))
    row, column, value = at[matrix.row], order[matrix.col], matrix.data.astype(float)
    sort = np.lexsort((row, column))
    row, column, value = row[sort], column[sort], value[sort]
    cost = np.zeros(len(columns))
    np.add.at(cost, order[objective.col], objective.data)
    kind = np.array([entry.bound_type for entry in compiled.rows], np.int64)[rows]
    rhs = np.asarray(compiled.rhs, float)[rows]
    bounds = np.array([variable.bounds for variable in columns], object).reshape(-1, 2)
    form = StandardForm(
        cost, float(compiled.c_offset[0]), np.searchsorted(column, np.arange(len(columns) + 1)).astype(np.int32), row,
        value, np.where(kind <= 0, rhs, -np.inf), np.where(kind >= 0, rhs, np.inf),
        np.array([-np.inf if b is None else b for b in bounds[:, 0]], float),
        np.array([np.inf if b is None else b for b in bounds[:, 1]], float),
        np.array([not variable.is_continuous() for variable in columns], bool),
        [variable.name for variable in columns], [compiled.rows[k].constraint.name for k in rows.tolist()],
        a.per_column("typical"),
        np.array([FIX_ORDER.get(variable.parent_component().local_name, -1) for variable in columns], np.int64),
    )  # fmt: skip
    active = sum(1 for _ in a.model.component_data_objects(pyo.Constraint, active=True))
    if len(form.row_low) != active:
        raise ModelError(f"the compiled model has {len(form.row_low)} rows, not {active}; a constraint was lost")
    return form
