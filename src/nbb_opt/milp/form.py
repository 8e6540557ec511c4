"""The built model as arrays: one sparse matrix, sides, bounds, and which columns are integer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from nbb_opt.errors import ModelError
from nbb_opt.milp.build import Built
from nbb_opt.milp.periods import Floats

FIX_ORDER = {"built": 0, "installed": 1, "bought": 2, "kept": 2}


@dataclass(frozen=True)
class StandardForm:
    """Minimise cost.x + cost_offset with row_low <= A x <= row_up, col_low <= x <= col_up; A by columns (CSC).

    `col_unit_scale` is a usual size of each column in its own unit, a power of two; 1 for integers. `fix_order` says in
    which order whole numbers are best decided (0 projects, 1 chargers, 2 trucks); -1 for columns that are not integer.
    """

    cost: Floats
    cost_offset: float
    a_indptr: npt.NDArray[np.int64]
    a_indices: npt.NDArray[np.int64]
    a_values: Floats
    row_low: Floats
    row_up: Floats
    col_low: Floats
    col_up: Floats
    integer: npt.NDArray[np.bool_]
    col_names: list[str]
    row_names: list[str]
    col_unit_scale: Floats
    fix_order: npt.NDArray[np.int64]


def standard_form(built: Built) -> StandardForm:
    """Compile the model; columns in the order of its assembly, those in no row included.

    Raises ModelError if Pyomo's compiler lost a row or column, or let a number through that is not finite.
    """
    compiled = LinearStandardFormCompiler().write(built.model, mixed_form=True)
    columns = built.assembly.columns
    place = {id(variable): j for j, variable in enumerate(columns)}
    order = np.array([place[id(variable)] for variable in compiled.columns], np.int64)
    matrix, objective = compiled.A.tocoo(), compiled.c.tocoo()
    row, column, value = matrix.row.astype(np.int64), order[matrix.col], matrix.data.astype(float)
    sort = np.lexsort((row, column))
    row, column, value = row[sort], column[sort], value[sort]
    cost = np.zeros(len(columns))
    np.add.at(cost, order[objective.col], objective.data)
    kind = np.array([entry.bound_type for entry in compiled.rows], np.int64)
    rhs = np.asarray(compiled.rhs, float)
    bounds = np.array([variable.bounds for variable in columns], object).reshape(-1, 2)
    form = StandardForm(
        cost, float(compiled.c_offset[0]), np.searchsorted(column, np.arange(len(columns) + 1)).astype(np.int64), row,
        value, np.where(kind <= 0, rhs, -np.inf), np.where(kind >= 0, rhs, np.inf),
        np.array([-np.inf if b is None else b for b in bounds[:, 0]], float),
        np.array([np.inf if b is None else b for b in bounds[:, 1]], float),
        np.array([not variable.is_continuous() for variable in columns], bool),
        [variable.name for variable in columns], [entry.constraint.name for entry in compiled.rows],
        np.concatenate(built.assembly.scale) if built.assembly.scale else np.zeros(0),
        np.array([FIX_ORDER.get(variable.parent_component().local_name, -1) for variable in columns], np.int64),
    )  # fmt: skip
    _check(built, form)
    return form


def _check(built: Built, form: StandardForm) -> None:
    rows = sum(1 for _ in built.model.component_data_objects(pyo.Constraint, active=True))
    if len(form.row_low) != rows:
        raise ModelError(f"the compiled model has {len(form.row_low)} rows, not {rows}; a constraint was lost")
    for name in ("cost", "a_values", "col_low"):
        if not np.isfinite(getattr(form, name)).all():
            raise ModelError(f"the compiled model has a number in {name} that is not finite")
    if not (np.isfinite(form.cost_offset) and (np.isfinite(form.row_low) | np.isfinite(form.row_up)).all()):
        raise ModelError("the compiled model has an offset or a side that is not finite")
