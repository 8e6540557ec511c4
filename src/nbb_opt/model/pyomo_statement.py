"""A model stated in Pyomo, and where its columns, rows and named expressions are in the form it is compiled to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC

from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Floats
from nbb_opt.model.form import StandardForm
from nbb_opt.model.pyomo_form import Compiled, compiled, starts_of, terms_of

pause_gc = PauseGC  # a model has millions of objects and no circles worth looking for while it is made
PER_COLUMN = {"low": "col_low", "up": "col_up", "whole": "integer", "typical": "col_unit_scale"}


class PyomoStatement:
    """A Pyomo model; `form` compiles it as it is then, the rest answers for the form compiled last."""

    def __init__(self, model: pyo.ConcreteModel) -> None:
        self.model = model
        self._last: Compiled | None = None
        self._start: dict[str, int] = {}

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
            return terms_of(m, _some(m.amount_eur, [(name, y) for y in paid_in]))
        places = data.world.areas.ids if name == "energy_kwh" else data.world.countries.ids
        return terms_of(m, _some(m.component(name), [(p, y) for p in places for y in years]))


def _some(expressions: Any, keys: list[Any]) -> list[Any]:
    """Expressions of some keys, 0 where there is none."""
    found = dict(expressions.items())
    return [found.get(key, 0.0) for key in keys]
