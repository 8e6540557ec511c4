"""The model before and after a user changes it: what is the user's is found by comparing, and nothing is overlooked.

Rules (rows, narrower bounds), variables and costs are the user's own. A row of the model that is no longer what it was
is an error: the verifier holds every plan against the instance, so what is in the instance is changed there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
from scipy.sparse import csr_array

from nbb_opt.errors import ModelError
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.build import Built
from nbb_opt.model.data.periods import Ints
from nbb_opt.model.extension import Extension, Linear, matrix_of
from nbb_opt.model.form import StandardForm
from nbb_opt.model.pyomo_form import Compiled, PyomoStatement, columns_of, compiled, terms_of

FURTHER = "further terms of the objective"
WHOLE = 1e-6  # how far from a whole number a bound of one may be
NOISE = 1e-9  # relative; sums in another order differ by less


class Snapshot:
    """A built model as it is before a user changes it."""

    def __init__(self, built: Built) -> None:
        self.built = built
        self.form = compiled(built.model).form
        self.row_names, self.col_names = list(self.form.row_names), list(self.form.col_names)
        self.paid = dict(built.model.cost_components)
        self.given = {p.name: p.extract_values() for p in built.model.component_objects(pyo.Param)}

    def __deepcopy__(self, memo: dict[int, Any]) -> Snapshot:
        """What is kept with a clone of the model."""
        other = copy(self)
        other.built = replace(self.built, stated=PyomoStatement(memo[id(self.built.model)]))
        return other

    def keep(self) -> None:
        """Keep this with the model, for `of`."""
        self.built.model.as_built = self

    @classmethod
    def of(cls, model: Any) -> Snapshot:
        """What was kept with a model. Raises ModelError for one that is not of `nbb.build`."""
        kept = getattr(model, "as_built", None)
        if not isinstance(kept, cls):
            raise ModelError(f"{type(model).__name__}: is no model of nbb.build(region); solve it with its own solver")
        return kept

    def extended(self, *, source: str = "Python", sha256: str = "") -> Built:
        """The model with what was added since; the same as before where that is nothing.

        Raises ModelError, by name, for a row of the model that was changed, and for what cannot be solved.
        """
        model = self.built.model
        objective = model.component("minimise_cost")
        if objective is None or not objective.active:
            raise ModelError("the objective minimise_cost was taken away; add a cost of your own with nbb.add_cost")
        self._refuse_other_figures()
        declared, ours = columns_of(model), frozenset(self.col_names)
        col_at = _places(self.col_names, [variable.name for variable in declared], "variable")
        with _unfixed([variable for variable in declared if variable.fixed and variable.name in ours]) as fixed:
            now = _fixed_by_bounds(compiled(model), fixed)
            amounts = self._amounts(now.columns)
        for variable in now.columns[len(declared) :]:
            if variable.name in ours:
                raise ModelError(f"{variable.name} in your rules or costs is of another model; take it from this one")
        form, rows, columns = now.form, list(now.form.row_names), list(now.form.col_names)
        for j in np.flatnonzero(form.col_low > form.col_up)[:1].tolist():
            raise ModelError(f"{columns[j]} has bounds {form.col_low[j]:g} to {form.col_up[j]:g}, which nothing keeps")
        for j in np.flatnonzero(form.integer & (np.ceil(form.col_low - WHOLE) > form.col_up + WHOLE))[:1].tolist():
            least, most = form.col_low[j], form.col_up[j]
            raise ModelError(f"{columns[j]} is a whole number, and none is from {least:g} to {most:g}")
        row_at = _places(self.row_names, rows, "row")
        self._refuse_changes(form, row_at, col_at)
        self._refuse_lost_costs(form, col_at)
        own_rows = np.setdiff1d(np.arange(len(rows)), row_at)
        narrowed = self._narrowed(form, col_at)
        matrix = csr_array(matrix_of(form))
        rules = [_row(now, matrix, i) for i in own_rows.tolist()]
        rules += [_bounds(now, j, *was) for j, was in narrowed.items()]
        costs = list(self._costs(now, col_at, amounts))
        if not rules and not costs:
            return self.built
        system = Linear(
            name="minimise_cost", doc="", column=col_at, coefficient=self.form.cost, constant=self.form.cost_offset
        )
        extension = Extension(
            form=form, variables=now.columns, ours=ours, system=system,
            rules=tuple(rules), costs=tuple(costs), rows=own_rows, narrowed=narrowed, source=source, sha256=sha256,
        )  # fmt: skip
        return replace(self.built, stated=PyomoStatement(model, now), extension=extension)

    def _refuse_other_figures(self) -> None:
        """A changed parameter by its name: what it changes is a rule, or only a cost."""
        for name, given in self.given.items():
            parameter = self.built.model.component(name)
            now = parameter.extract_values() if isinstance(parameter, pyo.Param) else {}
            for key in [key for key, value in given.items() if now.get(key) != value][:1]:
                where = list(key) if isinstance(key, tuple) else [key]
                raise ModelError(
                    f"{name}{where} is a parameter of the model and was changed from {given[key]} to {now.get(key)}; "
                    "change the instance instead (Instance.with_table)"
                )

    def _refuse_changes(self, form: StandardForm, row_at: Ints, col_at: Ints) -> None:
        was, now = self.form, form
        ours = csr_array(matrix_of(now))[row_at]
        gone = np.asarray(abs(ours[:, col_at] - csr_array(matrix_of(was))).sum(axis=1)).ravel() != 0
        gone |= np.diff(ours.indptr) != np.diff(csr_array(matrix_of(was)).indptr)
        gone |= (now.row_low[row_at] != was.row_low) | (now.row_up[row_at] != was.row_up)
        for i in np.flatnonzero(gone)[:1].tolist():
            raise ModelError(
                f"{self.row_names[i]} is a rule of the model and was changed; change the instance instead "
                "(Instance.with_table), or add a rule of your own beside it"
            )
        wider = (now.col_low[col_at] < was.col_low) | (now.col_up[col_at] > was.col_up)
        wider |= now.integer[col_at] != was.integer
        for j in np.flatnonzero(wider)[:1].tolist():
            raise ModelError(
                f"{self.col_names[j]} is a variable of the model: its bounds may be narrowed, not widened, and its "
                "domain stays"
            )

    def _refuse_lost_costs(self, form: StandardForm, col_at: Ints) -> None:
        """A further term may change what a variable costs; one that costs nothing any more was taken away."""
        for j in np.flatnonzero((self.form.cost != 0) & (form.cost[col_at] == 0))[:1].tolist():
            raise ModelError(
                f"the objective minimise_cost has lost its cost of {self.col_names[j]}; keep what is in it, and add to "
                "it a cost of your own with nbb.add_cost"
            )
        for name in self.paid.items() - self.built.model.cost_components.items():
            raise ModelError(f"the cost {name[0]} of the model was taken away; keep cost_components as it is")

    def _narrowed(self, form: StandardForm, col_at: Ints) -> dict[int, tuple[float, float]]:
        was = self.form
        other = (form.col_low[col_at] != was.col_low) | (form.col_up[col_at] != was.col_up)
        return {int(col_at[j]): (float(was.col_low[j]), float(was.col_up[j])) for j in np.flatnonzero(other)}

    def _amounts(self, columns: list[Any]) -> dict[str, tuple[Terms, str]]:
        """The terms of every component of the costs, discounted, and how it is paid."""
        model = self.built.model
        for name, _year in model.amount_eur:
            if name not in model.cost_components and name not in self.paid:
                raise ModelError(f"amount_eur of '{name}' is in no cost; add a cost with nbb.add_cost")
        found = {}
        for name, paid in model.cost_components.items():
            factor = model.paid_yearly if paid == "yearly" else model.paid_once
            eur = [factor[year] * amount for (key, year), amount in model.amount_eur.items() if key == name]
            found[name] = terms_of(columns, eur), f"paid {paid}"
        return found

    def _costs(self, now: Compiled, col_at: Ints, amounts: dict[str, tuple[Terms, str]]) -> Iterator[Linear]:
        """Costs by name, and what else the objective holds that it did not."""
        form = now.form
        left, constant, size = form.cost.copy(), form.cost_offset - self.form.cost_offset, np.abs(form.cost)
        left[col_at] -= self.form.cost
        np.maximum.at(size, col_at, np.abs(self.form.cost))
        system, summed, offset = np.zeros(len(form.cost)), np.zeros(len(form.cost)), 0.0
        for name, (terms, doc) in amounts.items():
            eur, more = np.zeros(len(form.cost)), float(terms.constant.sum())
            _place, column, value = terms.merged()
            np.add.at(eur, column, value)
            if name in self.paid:
                system, summed, offset = system + eur, summed + np.abs(eur), offset + more
                continue
            used = np.flatnonzero(eur)
            yield Linear(name=name, doc=doc, column=used, coefficient=eur[used], constant=more)
            left -= eur
            size = np.maximum(size, np.abs(eur))
            constant -= more
        system[col_at] -= self.form.cost
        apart = np.flatnonzero(np.abs(system) > NOISE * np.maximum(summed, size)).tolist()
        other = [f" for {form.col_names[j]}" for j in apart[:1]]
        if other or abs(offset - self.form.cost_offset) > NOISE * max(abs(offset), 1.0):
            raise ModelError(
                f"amount_eur, what the model itself pays{''.join(other)}, was changed; change the instance instead "
                "(Instance.with_table), or add a cost of your own with nbb.add_cost"
            )
        further = np.flatnonzero(np.abs(left) > NOISE * size)
        constant = constant if abs(constant) > NOISE * max(abs(form.cost_offset), 1.0) else 0.0
        if len(further) or constant:
            yield Linear(name=FURTHER, doc="", column=further, coefficient=left[further], constant=constant)


def _places(names: list[str], now: list[str], what: str) -> Ints:
    """Where each of `names` is now."""
    place = {name: i for i, name in enumerate(now)}
    for name in names:
        if name not in place:
            raise ModelError(
                f"{what} {name} of the model was taken away; the verifier holds every plan against the whole model, so "
                "choose a model of models/ without its block instead"
            )
    return np.array([place[name] for name in names], np.int64)


def _row(now: Compiled, matrix: csr_array, row: int) -> Linear:
    part = slice(matrix.indptr[row], matrix.indptr[row + 1])
    constraint, form = now.rows[row], now.form
    return Linear(
        name=form.row_names[row], doc=str(constraint.parent_component().doc or ""),
        column=matrix.indices[part].astype(np.int64), coefficient=matrix.data[part], constant=0.0,
        low=float(form.row_low[row]), up=float(form.row_up[row]),
    )  # fmt: skip


def _bounds(now: Compiled, column: int, low: float, up: float) -> Linear:
    """Narrower bounds as a rule; a side as before is not the user's."""
    least, most = float(now.form.col_low[column]), float(now.form.col_up[column])
    return Linear(
        name=f"bounds of {now.form.col_names[column]}", doc="", column=np.array([column]), coefficient=np.ones(1),
        constant=0.0, low=least if least != low else -np.inf, up=most if most != up else np.inf,
    )  # fmt: skip


@contextmanager
def _unfixed(fixed: list[Any]) -> Iterator[list[Any]]:
    """Within, variables that a user fixed stay in rows and costs."""
    for variable in fixed:
        variable.unfix()
    try:
        yield fixed
    finally:
        for variable in fixed:
            variable.fixed = True


def _fixed_by_bounds(now: Compiled, fixed: list[Any]) -> Compiled:
    """The form with what is fixed between equal bounds."""
    at = {id(variable): j for j, variable in enumerate(now.columns)}
    low, up = now.form.col_low.copy(), now.form.col_up.copy()
    for variable in fixed:
        j = at[id(variable)]
        if variable.value is None or not low[j] <= variable.value <= up[j]:
            raise ModelError(
                f"{variable.name} is fixed at {variable.value}, outside its bounds {low[j]:g} to {up[j]:g}"
            )
        low[j] = up[j] = variable.value
    return replace(now, form=replace(now.form, col_low=low, col_up=up))
