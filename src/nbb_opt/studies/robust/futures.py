"""Futures of a region, their mean, and the work of solving one of them under what a study holds fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.errors import Infeasible, NbbError
from nbb_opt.instance import Instance
from nbb_opt.instance.read import varied, with_tonnes
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.model import StandardForm, build
from nbb_opt.solve import Stop, Warm, solve_relaxed
from nbb_opt.studies.points import FreightWork, Stated, values_of
from nbb_opt.studies.units import Record

KINDS = ("built", "bought", "installed")  # what is decided for years: projects, trucks, chargers
BASE, MEAN = "base", "mean of the futures"
NONE = 1e-6  # a decision below this is none


def futures_of(region: Instance, names: Sequence[str]) -> tuple[dict[str, Instance], dict[str, float]]:
    """Futures by name with their probabilities: scenarios or .toml files, each perhaps with `=WEIGHT`; `base` is the
    region as it is. All scenarios and the base, equally likely, if none is named.

    Raises NbbError for fewer than two futures, one that is named twice, or a weight that is no number above 0;
    InstanceError for a scenario that is not there.
    """
    futures: dict[str, Instance] = {}
    weight: dict[str, float] = {}
    for text in names or (BASE, *region.scenarios):
        name, sign, number = text.partition("=")
        try:
            weighs = float(number) if sign else 1.0
        except ValueError:
            weighs = 0.0
        if not (np.isfinite(weighs) and weighs > 0):
            raise NbbError(f"future {text!r}: the weight is not a number above 0; write NAME=2")
        if name in futures:
            raise NbbError(f"future {name!r} is named twice")
        futures[name] = region if name == BASE else region.scenario(name)
        weight[name] = weighs
    if len(futures) < 2:
        raise NbbError("give at least two futures: scenarios of the instance, or .toml files")
    total = sum(weight.values())
    return futures, {name: weighs / total for name, weighs in weight.items()}


def mean_of(futures: Mapping[str, Instance], weight: Mapping[str, float]) -> Instance:
    """The instance with the mean of every figure in which futures differ, whole numbers rounded.

    What is no figure, and a blank cell, is as in the futures that weigh most together.
    """
    region = next(iter(futures.values()))
    region = region if region.what_if is None else region.what_if.base
    shares, tables = np.array(list(weight.values())), {}
    for name in ("od", *region.tables):
        frames = [each[name] for each in futures.values()]
        mean = frames[0].copy()
        for column in BY_NAME[name].columns:
            if column.name not in mean or all(frame[column.name].equals(mean[column.name]) for frame in frames[1:]):
                continue
            cells = [frame[column.name] for frame in frames]
            if column.kind in ("number", "integer", "year"):
                mean[column.name] = _mean(np.array([cell.to_numpy(float) for cell in cells]), shares, column.kind)
            else:
                mean[column.name] = _likeliest(cells, shares)
        if not mean.equals(frames[0]) or name == "od":
            tables[name] = mean
    tonnes = tables.pop("od")["tonnes"].to_numpy(float)
    changed = varied(region, {name: frame.astype(region[name].dtypes) for name, frame in tables.items()})
    return changed if np.array_equal(tonnes, region["od"]["tonnes"]) else with_tonnes(changed, tonnes)


def _mean(cells: np.ndarray, shares: np.ndarray, kind: str) -> np.ndarray:
    blank = np.isnan(cells)
    known = np.where(blank, 0.0, shares[:, None])
    mean = np.divide(
        (np.nan_to_num(cells) * known).sum(0), known.sum(0), where=known.sum(0) > 0, out=np.zeros(cells.shape[1])
    )
    mean = mean if kind == "number" else np.rint(mean)
    return np.where(known.sum(0) < 0.5, np.nan, mean)


def _likeliest(cells: Sequence[pd.Series], shares: np.ndarray) -> list[Any]:
    found = []
    for each in zip(*cells, strict=True):
        weighs: dict[Any, float] = {}
        for value, share in zip(each, shares, strict=True):
            weighs[value] = weighs.get(value, 0.0) + share
        found.append(max(weighs, key=lambda value: weighs[value]))
    return found


@dataclass(kw_only=True)
class FutureWork(FreightWork):
    """Solves one future, its first decisions perhaps fixed, projects left out, or decisions priced.

    Asked is `future`; perhaps `fixed`, first decisions by name, 0 where they are not named; `without`, projects that
    are not built; `prices`, EUR that a first decision costs more; or `together`, arguments of the extensive form.
    """

    futures: Mapping[str, Instance]
    weight: Mapping[str, float]
    mean: Instance
    years: Sequence[int]
    _stated: dict[str, Stated] = field(default_factory=dict, repr=False)
    _names: dict[str, dict[str, int]] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_stated": {}, "_names": {}}

    def future(self, name: str) -> Stated:
        """A future, stated and compiled when it is first needed."""
        if name not in self._stated:
            self._stated[name] = self.stated(self.mean if name == MEAN else self.futures[name])
            self._names[name] = self._first(self._stated[name])
        return self._stated[name]

    def _first(self, stated: Stated) -> dict[str, int]:
        """Columns of the first decisions by name."""
        kinds, columns = stated.built.assembly.kinds, stated.form.col_names
        return {
            columns[at]: at
            for kind in KINDS if kind in kinds
            for at, key in enumerate(kinds[kind].keys, kinds[kind].start) if key[-1] in self.years
        }  # fmt: skip

    def shared(self) -> list[str]:
        """First decisions that every future knows."""
        for name in self.futures:
            self.future(name)
        return sorted(set.intersection(*(set(self._names[name]) for name in self.futures)))

    def __call__(self, asked: Mapping[str, Any], before: Record | None, stop: Stop) -> Record:
        """The record of one solve, with its first decisions (`first`) and units of projects (`units`)."""
        if "together" in asked:
            return self._together(asked["together"], stop)
        name = asked["future"]
        stated = self.future(name)
        insists = {a for at, (a, _year) in self._built(stated).items() if stated.form.col_low[at] > 0}
        if required := sorted(insists & set(asked.get("without", ()))):
            return {"status": "infeasible", "note": f"the future requires {required[0]}"}
        first, form = self._names[name], self._edited(stated, self._names[name], asked)
        keep = np.union1d(list(first.values()), list(self._built(stated))).astype(np.int64)
        record = self.solved(stated, form, before, stop, what=name, priced="prices" not in asked, keep=keep)
        if "values" in record:
            value = dict(zip(keep.tolist(), values_of(record).tolist(), strict=True))
            del record["values"]
            record["first"] = {i: round(value[at], 9) for i, at in first.items() if abs(value[at]) > NONE}
            units: dict[str, list[float]] = {}  # first year, and units at the end
            for at, (project, year) in self._built(stated).items():
                if value[at] > NONE:
                    units[project] = [units.get(project, [float(year)])[0], value[at]]
            record["units"] = units
        return record

    def _edited(self, stated: Stated, first: Mapping[str, int], asked: Mapping[str, Any]) -> StandardForm:
        form = stated.form
        low, up, cost = form.col_low.copy(), form.col_up.copy(), form.cost.copy()
        if "fixed" in asked:
            for i in asked["shared"]:
                low[first[i]] = up[first[i]] = asked["fixed"].get(i, 0.0)
        if "without" in asked:
            for at, (project, _year) in self._built(stated).items():
                if project in asked["without"]:
                    low[at] = up[at] = 0.0
        for i, eur in asked.get("prices", {}).items():
            cost[first[i]] += eur
        return replace(form, col_low=low, col_up=up, cost=cost)

    def _built(self, stated: Stated) -> dict[int, tuple[str, int]]:
        """Project and year by column, years rising."""
        columns = stated.built.assembly.kinds.get("built")
        return {} if columns is None else dict(enumerate(columns.keys, columns.start))

    def _together(self, asked: Mapping[str, Any], stop: Stop) -> Record:
        """The extensive form of all futures: first decisions, objective and bound."""
        from nbb_opt.model.extensive import extensive_form
        from nbb_opt.model.pyomo_form import compile_model

        steps = self.steps(stop)
        block = {name: f"future_{i}" for i, name in enumerate(self.futures)}
        built = {
            block[name]: build(future, steps.prepare(future, cache_dir=self.cache_dir), self.spec, route="pyomo")
            for name, future in self.futures.items()
        }
        best = {block[name]: eur for name, eur in asked.get("best_eur", {}).items()}
        weight = {block[name]: share for name, share in self.weight.items()}
        model = extensive_form(built, weight, KINDS, self.years, **{**asked, "best_eur": best})
        form = compile_model(model)
        if self.relax:
            found = solve_relaxed(
                form, warm=Warm(threads=self.options.threads, seed=self.options.seed), stop=steps.stop
            )
            status, values, objective, bound = found.status, found.values, found.objective, found.objective
        else:
            try:
                solution = steps.solve_form(form, label="all futures: ")
            except Infeasible as finding:
                return {"status": "infeasible", "note": str(finding)}
            status, values = solution.status, solution.values
            objective, bound = solution.objective, solution.bound
        if values is None:
            return {"status": status}
        at = {name: i for i, name in enumerate(form.col_names)}
        chosen = {i: float(values[at[model.chosen[i].name]]) for i in model.SHARED}
        return {
            "status": status,
            "objective_eur": objective,
            "objective_bound_eur": bound,
            "first": {i: round(value, 9) for i, value in chosen.items() if value > NONE},
        }
