"""Compiles a model stated in Pyomo to the arrays of a standard form."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from nbb_opt.errors import ModelError
from nbb_opt.model.arrays.assembly import FIX_ORDER, Assembly
from nbb_opt.model.form import StandardForm
from nbb_opt.model.pyomo_assembly import PyomoAssembly


def compiled(a: Assembly) -> StandardForm:
    """The form of a model stated in Pyomo, as Pyomo's own compiler gives it, in the order of the assembly."""
    assert isinstance(a, PyomoAssembly)
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
        np.array([FIX_ORDER.get(variable.parent_component().local_name, -1) for variable in columns], np.int8),
    )  # fmt: skip
    active = sum(1 for _ in a.model.component_data_objects(pyo.Constraint, active=True))
    if len(form.row_low) != active:
        raise ModelError(f"the compiled model has {len(form.row_low)} rows, not {active}; a constraint was lost")
    return form


def compile_model(m: pyo.ConcreteModel) -> StandardForm:
    """The form of any linear Pyomo model; columns and rows in the order in which they were declared.

    Raises ModelError if a constraint was lost.
    """
    columns = list(m.component_data_objects(pyo.Var))
    place = {id(variable): j for j, variable in enumerate(columns)}
    compiled = LinearStandardFormCompiler().write(m, mixed_form=True)
    declared = {id(row): k for k, row in enumerate(m.component_data_objects(pyo.Constraint, active=True))}
    rows = np.argsort([declared[id(entry.constraint)] for entry in compiled.rows])
    matrix = compiled.A.tocsr()[rows].tocoo()
    order = np.array([place[id(variable)] for variable in compiled.columns], np.int64)
    sort = np.lexsort((matrix.row, order[matrix.col]))
    row, column, value = matrix.row[sort], order[matrix.col][sort], matrix.data[sort].astype(float)
    objective = compiled.c.tocoo()
    cost = np.zeros(len(columns))
    np.add.at(cost, order[objective.col], objective.data)
    kind = np.array([entry.bound_type for entry in compiled.rows], np.int64)[rows]
    rhs = np.asarray(compiled.rhs, float)[rows]
    bounds = [variable.bounds for variable in columns]
    return StandardForm(
        cost, float(compiled.c_offset[0]), np.searchsorted(column, np.arange(len(columns) + 1)).astype(np.int32),
        row.astype(np.int32), value, np.where(kind <= 0, rhs, -np.inf), np.where(kind >= 0, rhs, np.inf),
        np.array([-np.inf if low is None else low for low, _ in bounds], float),
        np.array([np.inf if up is None else up for _, up in bounds], float),
        np.array([not variable.is_continuous() for variable in columns], bool),
        [variable.name for variable in columns], [compiled.rows[k].constraint.name for k in rows.tolist()],
        np.ones(len(columns)), np.array([FIX_ORDER.get(v.parent_component().local_name, -1) for v in columns], np.int8),
    )  # fmt: skip
