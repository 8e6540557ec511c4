"""What a user added to the model: rules, variables and costs, and what they come to in a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csc_array, csr_array, vstack

from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.model.form import StandardForm


@dataclass(frozen=True, kw_only=True)
class Linear:
    """low <= constant + coefficient.x[column] <= up, or with no sides a cost in EUR, net present value."""

    name: str
    doc: str
    column: Ints
    coefficient: Floats
    constant: float = 0.0
    low: float = -np.inf
    up: float = np.inf

    def at(self, values: Floats) -> float:
        """Its value in a plan."""
        return float(self.coefficient @ values[self.column]) + self.constant


@dataclass(frozen=True, kw_only=True)
class Extension:
    """The user's own rules and costs on top of a model, and the form of all of it.

    `source` says where they come from, `sha256` is the digest of that file, "" for rules added in Python.
    """

    form: StandardForm
    variables: list[Any]
    ours: frozenset[str]
    system: Linear  # the cost of the model without the user's: a difference of large numbers would lose it
    rules: tuple[Linear, ...]
    costs: tuple[Linear, ...]
    rows: Ints
    narrowed: Mapping[int, tuple[float, float]]  # column -> the bounds it had
    source: str = "Python"
    sha256: str = ""

    @property
    def new_variables(self) -> list[str]:
        """Kinds of variables that the model did not have."""
        return list(dict.fromkeys(v.parent_component().name for v in self.variables if v.name not in self.ours))

    def record(self, values: Floats, objective: float) -> dict[str, Any]:
        """What `run.json` says of it: each rule with its value and slack, each cost with its amount."""
        return {
            "source": self.source,
            "sha256": self.sha256,
            "objective_eur": objective,
            "new_variables": self.new_variables,
            "costs": [{"name": each.name, "doc": each.doc, "eur": each.at(values)} for each in self.costs],
            "rules": [self._kept(each, each.at(values)) for each in self.rules],
        }

    @staticmethod
    def _kept(rule: Linear, value: float) -> dict[str, Any]:
        sides = {"at_least": rule.low, "at_most": rule.up}
        return {
            "name": rule.name, "doc": rule.doc, "value": value,
            **{side: limit if np.isfinite(limit) else None for side, limit in sides.items()},
            "slack": min(value - rule.low, rule.up - value),
        }  # fmt: skip

    def terms(self) -> dict[str, Any]:
        """Rules and costs written out by the names of variables, for whoever recomputes them from the tables."""
        return {
            "rules": [self._written(each) for each in self.rules], "costs": [self._written(each) for each in self.costs]
        }  # fmt: skip

    def _written(self, each: Linear) -> dict[str, Any]:
        return {
            "name": each.name, "constant": each.constant,
            "at_least": each.low if np.isfinite(each.low) else None,
            "at_most": each.up if np.isfinite(each.up) else None,
            "terms": [[*self._name(int(j)), float(a)] for j, a in zip(each.column, each.coefficient, strict=True)],
        }  # fmt: skip

    def _name(self, column: int) -> tuple[str, list[Any]]:
        """Kind and key of a variable of the model; of one of the user's own, whose key may be anything, its name."""
        variable = self.variables[column]
        if variable.name not in self.ours:
            return "", [variable.name]
        key = variable.index()
        return variable.parent_component().name, [*(key if isinstance(key, tuple) else (key,))]

    def with_bounds_as_rows(self, form: StandardForm) -> tuple[StandardForm, tuple[str, ...]]:
        """A form with narrower bounds as rows, and the names of all rows of the user, to look for a cause."""
        columns = np.array(list(self.narrowed), np.int64)
        more = csr_array(
            (np.ones(len(columns)), (np.arange(len(columns)), columns)), shape=(len(columns), len(form.cost))
        )
        matrix = csc_array(vstack([matrix_of(form), more]))
        matrix.sort_indices()
        low, up = form.col_low.copy(), form.col_up.copy()
        for column, (least, most) in self.narrowed.items():
            low[column], up[column] = least, most
        names = [f"bounds of {form.col_names[j]}" for j in columns.tolist()]
        wide = replace(
            form, a_indptr=matrix.indptr, a_indices=matrix.indices, a_values=matrix.data, col_low=low, col_up=up,
            row_low=np.concatenate([form.row_low, form.col_low[columns]]),
            row_up=np.concatenate([form.row_up, form.col_up[columns]]), row_names=[*form.row_names, *names],
        )  # fmt: skip
        return wide, (*(form.row_names[i] for i in self.rows.tolist()), *names)


def matrix_of(form: StandardForm) -> csc_array:
    """The matrix of a form, by columns."""
    return csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost)))
