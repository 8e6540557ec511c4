"""Any Pyomo model as a standard form: Pyomo's own compiler, and names, sizes and order beside it.

A model may say in two suffixes what helps a search: `usual_size` (a usual value of a variable or of all data of one)
and `decide_order` (which whole numbers are best decided first). Without them sizes are 1, and whole numbers are decided
after those that have an order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap
from pyomo.common.errors import InfeasibleConstraintException, InvalidConstraintError, InvalidExpressionError
from pyomo.common.gc_manager import PauseGC
from pyomo.core import SortComponents
from pyomo.repn.linear import LinearRepnVisitor
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from pyomo.repn.util import OrderedVarRecorder

from nbb_opt.errors import ModelError
from nbb_opt.model.arrays.keys import LazyLabels
from nbb_opt.model.arrays.terms import LARGEST, SMALLEST, Terms
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.model.form import StandardForm, checked

# what a linear standard form does not know, by the end of its class name, and how to write it with rows and columns
AS_ROWS = {
    "SOSConstraint": "add pyo.Binary variables of your own for it; of pyo.Piecewise with pw_repn='INC'",
    "LogicalConstraint": "write it with pyo.Binary variables: 'a implies b' is a <= b, 'a or b' is a + b >= 1",
    "Disjunct": "call pyo.TransformationFactory('gdp.bigm').apply_to(model, bigM=...) after adding it",
    "Disjunction": "call pyo.TransformationFactory('gdp.bigm').apply_to(model, bigM=...) after adding it",
    "Complementarity": "write 'one of both is 0' with a pyo.Binary variable and a row for each",
}
NOT_LINEAR = "write it with sums of figures times variables; a choice between two is a pyo.Binary variable"
LAST = 100  # order of whole numbers that say none


def compile_model(model: pyo.ConcreteModel) -> StandardForm:
    """The standard form of any linear Pyomo model; see `compiled`."""
    return compiled(model).form


@dataclass(frozen=True)
class Compiled:
    """A form with the variables and constraints behind its columns and rows."""

    form: StandardForm
    columns: list[Any]
    rows: list[Any]


def compiled(model: pyo.ConcreteModel) -> Compiled:
    """Rows and columns in the order of declaration, variables in no row included; a fixed one has one value.

    Raises ModelError, naming the row, for what is not linear, a row without variables that does not hold, or a number
    that a solver would drop; and unless there is one objective, which is minimised.
    """
    _one_objective(model)
    for block in model.block_data_objects(active=True):
        for component in block.component_objects(active=True, descend_into=False):
            if how := AS_ROWS.get(component.ctype.__name__):
                raise ModelError(f"{component.name}: a {component.ctype.__name__} is no linear row; {how}")
    with PauseGC():
        try:
            return _in_order(model, LinearStandardFormCompiler().write(model, mixed_form=True))
        except (InvalidConstraintError, InvalidExpressionError, InfeasibleConstraintException, ValueError) as fault:
            hint = f"; {NOT_LINEAR}" if "nonlinear" in str(fault) else ""
            raise ModelError(f"model '{model.name}': {' '.join(str(fault).split())}{hint}") from fault


def _in_order(model: pyo.ConcreteModel, made: Any) -> Compiled:
    """What the compiler made, in the order of declaration, with names, bounds and hints."""
    columns = columns_of(model)
    place = {id(variable): j for j, variable in enumerate(columns)}
    for variable in made.columns:  # those of a block that is switched off, or of another model
        if id(variable) not in place:
            place[id(variable)] = len(columns)
            columns.append(variable)
    order = np.array([place[id(variable)] for variable in made.columns], np.int64)
    rows, row_of = _rows(model, made)
    kind, rhs = np.array([entry.bound_type for entry in made.rows], np.int64), np.asarray(made.rhs, float)
    low, up = np.full(len(rows), -np.inf), np.full(len(rows), np.inf)
    low[row_of[kind <= 0]], up[row_of[kind >= 0]] = rhs[kind <= 0], rhs[kind >= 0]
    matrix, objective = made.A.tocoo(), made.c.tocoo()
    first = np.ones(len(rhs), bool)  # both sides of a row repeat its coefficients
    first[1:] = row_of[1:] != row_of[:-1]
    keep = first[matrix.row]
    row, column, value = row_of[matrix.row[keep]], order[matrix.col[keep]], matrix.data[keep].astype(float)
    sort = np.lexsort((row, column))
    row, column, value = row[sort].astype(np.int32), column[sort], value[sort]
    cost = np.zeros(len(columns))
    np.add.at(cost, order[objective.col], objective.data)
    _refuse_numbers(
        rows, columns, row, column, value, np.concatenate([low[np.isfinite(low)], up[np.isfinite(up)]]), cost
    )
    empty = np.bincount(row, minlength=len(rows)) == 0
    for at in np.flatnonzero(empty & ((low > 0) | (up < 0)))[:1].tolist():
        raise ModelError(f"{rows[at].name}: no variable occurs in it, and it does not hold")
    whole = np.array([not variable.is_continuous() for variable in columns], bool)
    bounds = np.array([_bounds(variable) for variable in columns], float).reshape(-1, 2)
    form = StandardForm(
        cost=cost, cost_offset=float(made.c_offset[0]),
        a_indptr=np.searchsorted(column, np.arange(len(columns) + 1)).astype(np.int32), a_indices=row, a_values=value,
        row_low=low, row_up=up, col_low=bounds[:, 0], col_up=bounds[:, 1], integer=whole,
        col_names=_names(columns, model), row_names=_names(rows, model),
        col_unit_scale=np.where(whole, 1.0, _powers_of_two(_hints(model, "usual_size", columns, 1.0))),
        fix_order=np.where(whole, _hints(model, "decide_order", columns, LAST), -1).astype(np.int8),
    )  # fmt: skip
    return Compiled(checked(form), columns, rows)


def columns_of(model: pyo.ConcreteModel) -> list[Any]:
    """Every variable, in the order of declaration."""
    return list(model.component_data_objects(pyo.Var, active=True, descend_into=True))


def starts_of(model: pyo.ConcreteModel) -> dict[str, int]:
    """Position of the first column of every kind of variable."""
    first = ComponentMap()
    for at, variable in enumerate(columns_of(model)):
        first.setdefault(variable.parent_component(), at)
    return {component.name: at for component, at in first.items()}


def terms_of(columns: list[Any], expressions: Iterable[Any]) -> Terms:
    """The linear terms of some expressions of these variables, a row each."""
    place = {id(variable): j for j, variable in enumerate(columns)}
    variables: dict[int, Any] = {}
    visitor = LinearRepnVisitor({}, var_recorder=OrderedVarRecorder(variables, {}, SortComponents.UNSORTED))
    row: list[int] = []
    column: list[int] = []
    value: list[float] = []
    constant: list[float] = []
    with PauseGC():
        for at, expression in enumerate(expressions):
            repn = visitor.walk_expression(expression)
            constant.append(float(repn.constant))
            for variable, coefficient in repn.linear.items():
                if variable not in place:
                    raise ModelError(f"{variables[variable].name} is no variable of the model; take one that is")
                row.append(at)
                column.append(place[variable])
                value.append(coefficient)
    terms = Terms(len(constant)).add(np.array(row, np.int64), np.array(column, np.int64), np.array(value, float))
    terms.constant[:] = constant
    return terms


def _one_objective(model: pyo.ConcreteModel) -> None:
    objectives = list(model.component_data_objects(pyo.Objective, active=True))
    if len(objectives) != 1:
        names = ", ".join(each.name for each in objectives) or "none"
        raise ModelError(f"model '{model.name}' needs one objective, and has {names}; deactivate the others")
    if objectives[0].sense != pyo.minimize:
        raise ModelError(f"objective '{objectives[0].name}' is maximised; minimise its negative")


def _rows(model: pyo.ConcreteModel, made: Any) -> tuple[list[Any], Ints]:
    """Constraints that have a row, as declared (the compiler sorts them by key), and the row of each of its entries."""
    entry_of = {id(entry.constraint) for entry in made.rows}
    rows = []
    for constraint in model.component_data_objects(pyo.Constraint, active=True):
        if id(constraint) in entry_of:
            rows.append(constraint)
        elif (
            LinearRepnVisitor({}, var_recorder=OrderedVarRecorder({}, {}, SortComponents.UNSORTED))
            .walk_expression(constraint.body)
            .linear
        ):
            raise ModelError(f"row {constraint.name} was lost when the model was compiled")
    place = {id(constraint): i for i, constraint in enumerate(rows)}
    return rows, np.array([place[id(entry.constraint)] for entry in made.rows], np.int64)


def _bounds(variable: Any) -> tuple[float, float]:
    if variable.fixed:
        return variable.value, variable.value
    low, up = variable.bounds
    return -np.inf if low is None else low, np.inf if up is None else up


def _hints(model: pyo.ConcreteModel, suffix: str, columns: list[Any], otherwise: float) -> Floats:
    """What a suffix says of every column, of its own or of its component."""
    hints = model.component(suffix)
    if hints is None:
        return np.full(len(columns), float(otherwise))
    of_component = {id(component): float(hint) for component, hint in hints.items()}
    found = (of_component.get(id(each), of_component.get(id(each.parent_component()), otherwise)) for each in columns)
    return np.fromiter(found, float, len(columns))


def _powers_of_two(sizes: Floats) -> Floats:
    return np.asarray(2.0 ** np.round(np.log2(np.where(sizes > 0, sizes, 1.0))))


def _names(components: list[Any], model: pyo.ConcreteModel) -> LazyLabels:
    """Names, made when they are read; the model is held until then, since its components do not hold it."""

    def made() -> list[str]:
        assert model is not None
        return [each.name for each in components]

    return LazyLabels(made, len(components))


def _refuse_numbers(
    rows: list[Any], columns: list[Any], row: npt.NDArray[np.integer], column: Ints, value: Floats, sides: Floats,
    cost: Floats,
) -> None:  # fmt: skip
    """Solvers drop coefficients outside without a word."""
    for numbers, where in ((value, lambda k: f"{rows[row[k]].name}, {columns[column[k]].name}"),
                           (cost, lambda k: f"the objective, {columns[k].name}")):  # fmt: skip
        size = np.abs(numbers)
        for k in np.flatnonzero((numbers != 0) & ~((size < LARGEST) & (size > SMALLEST)))[:1].tolist():
            raise ModelError(
                f"{where(k)}: coefficient {numbers[k]} is not between {SMALLEST} and {LARGEST}; check the figures "
                "behind it"
            )
    if not np.isfinite(sides).all():
        raise ModelError("a side of a row is not finite; check the figures behind it")


pause_gc = PauseGC  # a model has millions of objects and no circles worth looking for while it is made
PER_COLUMN = {"low": "col_low", "up": "col_up", "whole": "integer", "typical": "col_unit_scale"}


class PyomoStatement:
    """A Pyomo model; `form` compiles it as it is then, the rest answers for the form compiled last."""

    def __init__(self, model: pyo.ConcreteModel, last: Compiled | None = None) -> None:
        self.model = model
        self._last = last
        self._start: dict[str, int] = starts_of(model) if last is not None else {}

    def form(self) -> StandardForm:
        """The model as arrays. Raises ModelError as `compile_model` does."""
        self._last, self._start = compiled(self.model), starts_of(self.model)
        return self._last.form

    @property
    def last(self) -> Compiled:
        """The form compiled last, with its variables and constraints."""
        if self._last is None:
            self.form()
        assert self._last is not None
        return self._last

    @property
    def start(self) -> dict[str, int]:
        """Position of the first column of every kind of variable."""
        if self._last is None:
            self.form()
        return self._start

    @property
    def size(self) -> int:
        """How many columns."""
        return len(self.last.columns)

    @property
    def components(self) -> Mapping[str, str]:
        """Components of the costs, and how each is paid."""
        return dict(self.model.cost_components)

    def per_column(self, what: str) -> npt.NDArray[Any]:
        """One value per column: `low`, `up`, `whole` or `typical`."""
        return np.asarray(getattr(self.last.form, PER_COLUMN[what]))

    def column_names(self) -> list[str]:
        """Every column's name."""
        return list(self.last.form.col_names)

    def cost_at(self, values: Floats) -> float:
        """The objective at the given values of all columns, in EUR."""
        return float(self.last.form.cost @ values) + self.last.form.cost_offset

    def families(self) -> dict[str, list[tuple[tuple[Any, ...], int]]]:
        """Key and position of every row, by the name of its constraint."""
        found: dict[str, list[tuple[tuple[Any, ...], int]]] = {}
        for at, row in enumerate(self.last.rows):
            key = row.index()
            found.setdefault(row.parent_component().name, []).append((key if isinstance(key, tuple) else (key,), at))
        return found

    def terms(self, name: str, data: ModelData) -> Terms:
        """Linear terms of a shared expression or a component of the costs, rows as of `Built.terms`."""
        m, years = self.model, data.time.years.tolist()
        if name in m.cost_components:
            paid_in = [*years, data.time.horizon_year]
            return terms_of(self.last.columns, _some(m.amount_eur, [(name, y) for y in paid_in]))
        places = data.base.areas.ids if name == "energy_kwh" else data.base.countries.ids
        return terms_of(self.last.columns, _some(m.component(name), [(p, y) for p in places for y in years]))


def _some(expressions: Any, keys: list[Any]) -> list[Any]:
    """Expressions of some keys, 0 where there is none."""
    found = dict(expressions.items())
    return [found.get(key, 0.0) for key in keys]
