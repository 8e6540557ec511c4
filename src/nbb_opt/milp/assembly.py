"""Turns arrays of (row, column, coefficient) into Pyomo variables, constraints and shared expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression

from nbb_opt.errors import ModelError
from nbb_opt.milp.periods import Floats, Ints, sum_by

SMALLEST, LARGEST = 1e-9, 1e15  # solvers drop coefficients outside without a word

Index = Sequence[Any]


class Terms:
    """Linear terms by row: a list of (row, column, coefficient) triples, and a constant per row."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.constant: Floats = np.zeros(rows)
        self._parts: list[tuple[Ints, Ints, Floats]] = []

    def add(self, row: Ints, column: Ints, coefficient: Floats | float) -> Terms:
        """Add terms; columns that do not exist (-1) stand for a variable that is zero."""
        row, column = np.asarray(row, np.int64), np.asarray(column, np.int64)
        value = np.broadcast_to(np.asarray(coefficient, float), column.shape)
        keep = (column >= 0) & (value != 0)
        self._parts.append((row[keep], column[keep], value[keep]))
        return self

    def merged(self) -> tuple[Ints, Ints, Floats]:
        """The terms sorted by row, those of one row and column added up."""
        if not self._parts:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
        row, column, value = (np.concatenate([part[k] for part in self._parts]) for k in range(3))
        order = np.lexsort((column, row))
        row, column, value = row[order], column[order], value[order]
        first = np.ones(len(row), bool)
        first[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
        value = np.add.reduceat(value, np.flatnonzero(first)) if len(row) else value
        row, column = row[first], column[first]
        return row[value != 0], column[value != 0], value[value != 0]

    def amounts(self, values: Floats) -> Floats:
        """The value of every row at the given values of all columns."""
        row, column, coefficient = self.merged()
        return self.constant + sum_by(row, coefficient * values[column], size=self.rows)


class Assembly:
    """A Pyomo model under construction: its columns in order, and the shared expressions blocks add terms to."""

    def __init__(self, name: str) -> None:
        self.model = pyo.ConcreteModel(name=name)
        self.columns: npt.NDArray[np.object_] = np.zeros(0, object)
        self.start: dict[str, int] = {}
        self.scale: list[Floats] = []
        self.shared: dict[str, Terms] = {}

    def add_variables(
        self,
        name: str,
        index_set: str,
        index: Index,
        *,
        domain: Any = pyo.NonNegativeReals,
        fixed: Floats | None = None,
        up: npt.ArrayLike | None = None,
        typical: float = 1.0,
    ) -> Ints:
        """Declare variables from zero up; gives their positions among all columns. `typical` is a usual value."""
        names = pyo.Set(initialize=index, dimen=len(index[0]) if len(index) else None)
        self.model.add_component(index_set, names)
        variable = pyo.Var(names, domain=domain)
        self.model.add_component(name, variable)
        data = np.empty(len(index), object)
        data[:] = list(variable.values())
        if up is not None:
            for var, bound in zip(data, np.asarray(up, float).tolist(), strict=True):
                var.setub(bound)
        if fixed is not None:
            for var, value in zip(data, fixed.tolist(), strict=True):
                var.setlb(value)
                var.setub(value)
        start = len(self.columns)
        self.start[name] = start
        self.columns = np.concatenate([self.columns, data])
        power = 2.0 ** np.round(np.log2(typical)) if typical > 0 else 1.0
        self.scale.append(np.full(len(index), power))
        return np.arange(start, start + len(index))

    def bodies(self, name: str, terms: Terms, index: Index | None = None) -> list[LinearExpression | float]:
        """One expression per row of `terms`; a row without terms is its constant."""
        row, column, value = terms.merged()
        check_coefficients(name, row, value, index)
        cut = np.searchsorted(row, np.arange(terms.rows + 1))
        found: list[LinearExpression | float] = []
        variables, numbers = self.columns[column].tolist(), value.tolist()
        for r, constant in enumerate(terms.constant.tolist()):
            a, b = cut[r], cut[r + 1]
            found.append(
                LinearExpression(constant=constant, linear_coefs=numbers[a:b], linear_vars=variables[a:b])
                if b > a
                else constant
            )
        return found

    def add_rows(
        self, name: str, index: Index, terms: Terms, *, sense: str, side: Floats | float = 0.0
    ) -> pyo.Constraint:
        """Declare the constraint `terms <= side`, `>=` or `==` for each index.

        A row in which no variable occurs is left out if it holds, and a ModelError naming it if it does not.
        """
        rows = pyo.Constraint(pyo.Any)
        self.model.add_component(name, rows)
        sides = np.broadcast_to(np.asarray(side, float), (terms.rows,)).tolist()
        for key, body, edge in zip(index, self.bodies(name, terms, index), sides, strict=True):
            if not np.isfinite(edge):
                raise ModelError(f"{name}{list(key)}: its limit is {edge}; give a finite number")
            if isinstance(body, float):
                if not _holds(body, sense, edge):
                    raise ModelError(f"{name}{list(key)}: no variable can make {body:g} {sense} {edge:g}")
                continue
            rows.add(key, (edge if sense != "<=" else None, body, edge if sense != ">=" else None))
        return rows

    def share(self, name: str, rows: int) -> Terms:
        """The shared expression of that name, begun if nobody has yet."""
        if name not in self.shared:
            self.shared[name] = Terms(rows)
        return self.shared[name]

    def add_expressions(self, name: str, index: Index, terms: Terms) -> pyo.Expression:
        """Name the rows of shared terms in the model, all of them, zeros included."""
        bodies = self.bodies(name, terms, index)
        expression = pyo.Expression(pyo.Any)
        self.model.add_component(name, expression)
        for key, body in zip(index, bodies, strict=True):
            expression.add(key, body)
        return expression


def check_coefficients(name: str, row: Ints, value: Floats, index: Index | None) -> None:
    """Raise ModelError where a coefficient is not finite, or so large or small that a solver would drop it."""
    size = np.abs(value)
    for at in np.flatnonzero(~((size < LARGEST) & (size > SMALLEST)))[:1].tolist():
        where = f"{name}{list(index[row[at]])}" if index is not None else name
        raise ModelError(
            f"{where}: coefficient {value[at]} is not between {SMALLEST} and {LARGEST}; check the figures behind it"
        )


def _holds(body: float, sense: str, side: float) -> bool:
    if sense == "<=":
        return body <= side
    return body >= side if sense == ">=" else body == side
