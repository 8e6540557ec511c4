"""The model as Pyomo objects: the statement of the mathematics, for reading, rendering and testing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC
from pyomo.core.expr.numeric_expr import LinearExpression

from nbb_opt.model.arrays.assembly import Assembly, Columns, Weighed
from nbb_opt.model.arrays.terms import Index, Terms, check_coefficients, checked_rows
from nbb_opt.model.data.periods import Floats, Ints

pause_gc = PauseGC  # a model has millions of objects and no circles worth looking for while it is made


class PyomoAssembly(Assembly):
    """Turns arrays of (row, column, coefficient) into Pyomo variables, constraints and shared expressions."""

    def __init__(self, name: str, years: list[int]) -> None:
        super().__init__(name)
        self.model = pyo.ConcreteModel(name=name)
        self.model.PERIODS = pyo.Set(initialize=years)
        self.columns: npt.NDArray[np.object_] = np.zeros(0, object)
        self.rows: list[Any] = []

    def _declare(self, columns: Columns, index_set: str) -> None:
        index = list(columns.keys)
        parts = len(index[0]) if index and isinstance(index[0], tuple) else None
        names = pyo.Set(initialize=index, dimen=parts)
        self.model.add_component(index_set, names)
        variable = pyo.Var(names, domain=pyo.NonNegativeIntegers if columns.whole else pyo.NonNegativeReals)
        self.model.add_component(columns.name, variable)
        data = np.empty(len(index), object)
        data[:] = list(variable.values())
        for var, low, up in zip(data, columns.low.tolist(), columns.up.tolist(), strict=True):
            if low != 0:
                var.setlb(low)
            if up < np.inf:
                var.setub(up)
            if columns.whole and up == 1:
                var.domain = pyo.Binary
        self.columns = np.concatenate([self.columns, data])

    def _bodies(self, rows: int, merged: tuple[Ints, Ints, Floats], constant: Floats) -> list[LinearExpression | float]:
        """One expression per row; a row without terms is its constant."""
        row, column, value = merged
        cut = np.searchsorted(row, np.arange(rows + 1))
        found: list[LinearExpression | float] = []
        variables, numbers = self.columns[column].tolist(), value.tolist()
        for r, plain in enumerate(constant.tolist()):
            a, b = cut[r], cut[r + 1]
            found.append(
                LinearExpression(constant=plain, linear_coefs=numbers[a:b], linear_vars=variables[a:b])
                if b > a
                else plain
            )
        return found

    def add_rows(self, name: str, index: Index, terms: Terms, *, sense: str, side: Floats | float = 0.0) -> None:
        found = checked_rows(name, index, terms, sense=sense, side=side)
        rows = pyo.Constraint(pyo.Any)
        self.model.add_component(name, rows)
        keys = list(index)
        bodies = self._bodies(len(found.kept), (found.row, found.column, found.value), found.constant)
        edges = (found.low.tolist(), found.up.tolist())
        for at, body, low, up in zip(found.kept.tolist(), bodies, *edges, strict=True):
            made = rows.add(keys[at], (low if low > -np.inf else None, body, up if up < np.inf else None))
            self.rows.append(made)

    def add_expressions(self, name: str, index: Index, terms: Terms) -> None:
        row, column, value = terms.merged()
        check_coefficients(name, row, value, index)
        expression = pyo.Expression(pyo.Any)
        self.model.add_component(name, expression)
        for key, body in zip(index, self._bodies(terms.rows, (row, column, value), terms.constant), strict=True):
            expression.add(key, body)

    def minimise(self, components: list[Weighed]) -> None:
        amount_eur = pyo.Expression(pyo.Any)
        self.model.amount_eur = amount_eur
        parts: list[object] = []
        for part in components:
            row, column, value = part.terms.merged()
            check_coefficients(part.name, row, value, None)
            bodies = self._bodies(part.terms.rows, (row, column, value), part.terms.constant)
            for what, factor, body in zip(part.labels, part.factor.tolist(), bodies, strict=True):
                if isinstance(body, float) and body == 0:
                    continue
                amount_eur.add((part.name, what), body)
                parts.append(factor * amount_eur[part.name, what])
        self.model.cost_eur = pyo.Expression(expr=pyo.quicksum(parts))
        self.model.minimise_cost = pyo.Objective(expr=self.model.cost_eur)

    def cost_at(self, values: Floats) -> float:
        """The objective of the Pyomo model; its variables take the values."""
        for variable, value in zip(self.columns, values.tolist(), strict=True):
            variable.set_value(value, skip_validation=True)
        return float(pyo.value(self.model.cost_eur))
