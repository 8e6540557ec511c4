"""Runs a sweep: one model at many values of one thing, each from where the solve of the instance as it is ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.model import standard_form
from nbb_opt.model.build import restated, with_figures_of
from nbb_opt.report.charts.charts import line_chart
from nbb_opt.report.grid import Cell, Column, Grid, Section
from nbb_opt.report.study import Answer
from nbb_opt.solve import Stop
from nbb_opt.studies.points import FreightWork, Stated, answered, per_period
from nbb_opt.studies.sweep.axes import Axis, axis_of
from nbb_opt.studies.units import Record, StudyOptions, Unit

AS_IT_IS = "as it is"


@dataclass(kw_only=True)
class SweepWork(FreightWork):
    """Solves the instance with one thing (`axis`, by name) times a factor, on the chains of the instance as it is."""

    axis: str = ""

    def __call__(self, asked: Mapping[str, Any], before: Record | None, stop: Stop) -> Record:
        varied = self.base if asked["factor"] is None else self._varied(axis_of(self.axis, self.instance), **asked)
        return self.solved(varied, varied.form, before, stop, what=f"{self.axis} times {asked['factor']}")

    def _varied(self, axis: Axis, factor: float) -> Stated:
        """The varied instance and its model: other numbers in the form, or compiled again with its prices."""
        base = self.base
        instance = axis.vary(self.instance, factor)
        more = factor if axis.name == "demand" else 1.0
        prepared = replace(base.prepared, demand_t=base.prepared.demand_t * more)
        if base.built.extension is not None:  # rules of the user's own may look at any figure
            return self.stated(instance, prepared)
        if axis.form is None:
            built = restated(base.built, instance, prepared)
            return Stated(instance, prepared, built, standard_form(built), per_period(built))
        built = with_figures_of(base.built, instance, prepared)
        form = axis.form(base.built, base.form, factor)
        return Stated(instance, prepared, built, form, base.emissions)


def run_sweep(
    instance: Instance, how: StudyOptions, *, vary: str, values: Sequence[float], cold_start: bool = False
) -> Answer:
    """Solve at every factor of `vary` in `values`: a row for each, by factor.

    `cold_start` solves every point from nothing, to compare. Raises VerifyFailed if the verifier refuses a plan; a
    point that is infeasible or out of time is a result.
    """
    axis = axis_of(vary, instance)
    if not (values and all(np.isfinite(value) and value > 0 for value in values)):
        raise NbbError(f"{vary}: give factors above zero, as in 0.8,1,1.2")
    if axis.form is None:  # pruning looks at costs, and prices vary
        how = replace(how, options=replace(how.options, prune=False))
    work = SweepWork.of(instance, how, axis=vary)
    about = {**work.about(), "axis": vary, "title": axis.title}
    after = "" if cold_start else AS_IT_IS
    units = [Unit(f"{vary} x {value!r}", {"factor": float(value)}, after) for value in sorted(set(values))]
    with how.study("sweep", about, work, solves=len(units) + bool(after)) as study:
        if after and not study.run([Unit(AS_IT_IS, {"factor": None})]):
            units = []
        found = study.run(units)
    points = [{"factor": unit.asked["factor"], **found[unit.name]} for unit in units if unit.name in found]
    table = _table(points)
    status, done = "stopped" if study.stopped else "done", table["cost_eur"].notna().sum()
    return answered(
        study, instance, table, _sentence(axis.title, table), title=axis.title, sections=_sections,
        description="Candidate chains are those of the instance as it is.",
        shown=[f"{status}: {len(table)} points, {done} with a solution", table.drop(columns=["iterations", "nodes"])],
    )  # fmt: skip


def _table(points: Sequence[Record]) -> pd.DataFrame:
    years = sorted({year for point in points for year in point.get("emissions_t_per_year", {})})
    names: dict[str, Any] = {
        "cost_eur": float, "bound_eur": float, "gap": float, "emissions_t": float, "iterations": "Int64",
        "nodes": "Int64", "verified": "boolean",
    }  # fmt: skip
    rows = [
        {
            "factor": point["factor"], "status": point["status"], **{name: point.get(name) for name in names},
            **{f"emissions_t_co2e_per_year_{year}": point.get("emissions_t_per_year", {}).get(year) for year in years},
            "projects_built": "; ".join(point.get("projects", ())),
        }
        for point in points
    ]  # fmt: skip
    columns = ["factor", "status", *names, *(f"emissions_t_co2e_per_year_{year}" for year in years), "projects_built"]
    table = pd.DataFrame(rows, columns=columns).astype(names)
    return table.rename(columns={"emissions_t": "emissions_t_co2e"})


def _sentence(title: str, table: pd.DataFrame) -> str:
    found = table[table["cost_eur"].notna()]
    if not len(found):
        return "No point has a plan."
    least, most = found.iloc[0], found.iloc[-1]
    return (
        f"{title.capitalize()}: {least['cost_eur'] / 1e6:,.1f} MEUR at {least['factor']:g} times today's, "
        f"{most['cost_eur'] / 1e6:,.1f} MEUR at {most['factor']:g} times."
    )


def curves(table: pd.DataFrame, title: str) -> list[Markup]:
    """Pictures of a sweep: cost and emissions against the factor."""
    found = table[table["cost_eur"].notna()]
    named = (("cost_eur", 1e6, "MEUR", "cost"),
             ("emissions_t_co2e", 1e3, "kt CO2e over the horizon, WTW", "emissions"))  # fmt: skip
    return [
        line_chart(
            list(zip(found["factor"], found[column] / by, strict=True)),
            across=f"{title}, times today's",
            up=up,
            key=key,
        )
        for column, by, up, key in named
        if len(found)
    ]


def _sections(answer: Answer) -> list[Section]:
    columns = [
        Column("Factor", "decimal"), Column("Status"), Column("System cost", "meur", "MEUR"),
        Column("Gap", "decimal", "%"), Column("CO2e in all years", "kt", "kt"), Column("Projects"),
    ]  # fmt: skip
    rows: list[list[Cell]] = [
        [row["factor"], row["status"], *(None if pd.isna(row[name]) else row[name] / by for name, by in
         (("cost_eur", 1e6), ("gap", 0.01), ("emissions_t_co2e", 1e3))), row["projects_built"]]
        for row in answer.table.to_dict("records")
    ]  # fmt: skip
    pictures = [*curves(answer.table, answer.about["title"]), None, None]
    return [Section("Cost", "", [Grid("Points", columns, rows, first=60)], pictures[0]),
            Section("Emissions", "", [], pictures[1])]  # fmt: skip
