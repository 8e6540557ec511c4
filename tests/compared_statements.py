"""Two standard forms and their named expressions compared by names, entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyomo.environ as pyo
from pyomo.repn import generate_standard_repn

from nbb_opt.model import StandardForm
from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.pyomo_form import compile_model

RELATIVE = 1e-13  # of the entry itself: what two orders of the same few operations may round differently
Entries = dict[tuple[str, ...], float]
Shares = dict[str, list[str]]


def entries_of_form(form: StandardForm) -> Entries:
    """Every number of a form under the names of its row and column, usual sizes and order of decisions included.

    A row `>=` counts as its negative `<=`; the sign of an equality is that which makes the coefficient of its first
    column by name positive.
    """
    columns, rows = list(form.col_names), list(form.row_names)
    assert len(set(columns)) == len(columns), "a column's name occurs twice"
    assert len(set(rows)) == len(rows), "a row's name occurs twice"
    column = np.repeat(np.arange(len(columns)), np.diff(form.a_indptr))
    low, up = form.row_low.tolist(), form.row_up.tolist()
    sign = [1.0 if np.isfinite(u) else -1.0 for u in up]
    first: dict[int, tuple[str, float]] = {}
    for r, j, value in zip(form.a_indices.tolist(), column.tolist(), form.a_values.tolist(), strict=True):
        if low[r] == up[r] and (r not in first or columns[j] < first[r][0]):
            first[r] = (columns[j], value)
    for r, (_, value) in first.items():
        sign[r] = 1.0 if value > 0 else -1.0
    found: Entries = {("offset",): form.cost_offset}
    for r, name in enumerate(rows):
        side = low[r] if sign[r] < 0 else up[r]
        found["side", name] = sign[r] * side
        found["equality", name] = float(low[r] == up[r])
    for r, j, value in zip(form.a_indices.tolist(), column.tolist(), form.a_values.tolist(), strict=True):
        found["entry", rows[r], columns[j]] = sign[r] * value
    for j, name in enumerate(columns):
        found["cost", name] = float(form.cost[j])
        found["low", name], found["up", name] = float(form.col_low[j]), float(form.col_up[j])
        found["integer", name] = float(form.integer[j])
        found["size", name] = float(form.col_unit_scale[j])
        found["order", name] = float(form.fix_order[j])
    return found


def entries_of_expressions(m: pyo.ConcreteModel, names: Iterable[str]) -> Entries:
    """Every coefficient and constant of the indexed expressions of these names; nothing for a zero."""
    found: Entries = {}
    for name in names:
        for expression in m.component(name).values():
            repn = generate_standard_repn(expression, compute_values=True)
            assert repn.is_linear()
            found |= {
                (expression.name, v.name): float(c) for v, c in zip(repn.linear_vars, repn.linear_coefs, strict=True)
            }
            found[expression.name, ""] = float(repn.constant)
    return {key: value for key, value in found.items() if value}


def entries_of_shares(a: Assembly, rows: Shares) -> Entries:
    """The same of the shared expressions of a statement in arrays."""
    columns = a.column_names()
    found: Entries = {}
    for name, labels in rows.items():
        terms = a.share(name, len(labels))
        for r, j, v in zip(*(part.tolist() for part in terms.merged()), strict=True):
            found[labels[r], columns[j]] = v
        found |= {(labels[r], ""): c for r, c in enumerate(terms.constant.tolist())}
    return {key: value for key, value in found.items() if value}


@dataclass(frozen=True)
class Case:
    """A model on an instance, stated in both ways; what the arrays share is named, row by row, as the Pyomo model does.

    A costs or an amount of the Pyomo model is an indexed expression.
    """

    in_pyomo: Callable[[], pyo.ConcreteModel]
    in_arrays: Callable[[], Assembly]
    shares: Callable[[], Shares]

    @cached_property
    def rows(self) -> Shares:
        """Names of the rows of everything shared."""
        return self.shares()

    def of_pyomo(self, m: pyo.ConcreteModel) -> Entries:
        """Every number of the form of a Pyomo model, hints for solvers included, and of its named expressions."""
        names = dict.fromkeys(label.split("[")[0] for labels in self.rows.values() for label in labels)
        return entries_of_form(compile_model(m)) | entries_of_expressions(m, names)

    def of_arrays(self, a: Assembly) -> Entries:
        """The same of arrays."""
        return entries_of_form(a.form()) | entries_of_shares(a, self.rows)

    @cached_property
    def pyomo(self) -> Entries:
        """What the Pyomo model says."""
        return self.of_pyomo(self.in_pyomo())

    @cached_property
    def arrays(self) -> Entries:
        """What the arrays say."""
        return self.of_arrays(self.in_arrays())

    @cached_property
    def families(self) -> dict[str, list[str]]:
        """Names of the constraints with rows, of the variables, and of what is shared, in the Pyomo model."""
        m = self.in_pyomo()
        found = {
            kind.__name__: [c.local_name for c in m.component_objects(kind) if len(c)]
            for kind in (pyo.Constraint, pyo.Var)
        }
        stated = {key[0] for key in self.pyomo}
        return found | {"share": [name for name, labels in self.rows.items() if stated & set(labels)]}

    def apart(self) -> list[str]:
        """How the two differ."""
        return differences(self.pyomo, self.arrays)


def differences(one: Entries, other: Entries) -> list[str]:
    """What only one has, and what differs by more than RELATIVE of itself."""
    missing = [f"{key} is in one only" for key in sorted(one.keys() ^ other.keys())]
    return missing + [
        f"{key}: {value!r} and {other[key]!r}"
        for key, value in one.items()
        if key in other and value != other[key] and not abs(value - other[key]) <= RELATIVE * abs(value)
    ]
