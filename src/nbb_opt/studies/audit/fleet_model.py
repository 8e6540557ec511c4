"""The joint model of an instance, with handles on what a fleet plan sets: trucks, chargers, projects, orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.model import Built, ModelSpec, StandardForm, extract, read_model, standard_form
from nbb_opt.model.data.base import WEEKS_PER_YEAR
from nbb_opt.network import Prepared
from nbb_opt.pipeline import Steps
from nbb_opt.result import emissions_t
from nbb_opt.solve import Solution
from nbb_opt.studies.audit.form_edit import FormEdit
from nbb_opt.studies.audit.plan import FleetPlan, order_names

Key = tuple[str, str, int]  # place, type, period


@dataclass(frozen=True, kw_only=True)
class FleetModel:
    """The stated model and, for every number a plan may set, the columns that make it up.

    `trucks[region, vehicle, t]` are the columns of `bought` and `kept` in service in the period;
    `chargers[area, charger, t]` those of `installed` still in service; `projects["", project, t]` that of `built`.
    `rows[family]` gives (key, row) of every row of a family of constraints.
    """

    steps: Steps
    instance: Instance
    prepared: Prepared
    spec: ModelSpec
    built: Built
    form: StandardForm
    trucks: Mapping[Key, list[int]]
    chargers: Mapping[Key, list[int]]
    projects: Mapping[Key, list[int]]
    rows: Mapping[str, list[tuple[tuple[object, ...], int]]]

    def tables(self, solution: Solution) -> dict[str, pd.DataFrame]:
        """Result tables of a solved edit of the form."""
        return extract(self.built, solution.values[: len(self.form.cost)])

    def emissions_t(self, solution: Solution) -> dict[int, float]:
        """WTW t CO2e a year of a solved edit of the form, by period."""
        return {int(str(year)): float(tonnes) for year, tonnes in emissions_t(self.tables(solution)).items()}

    def verified(self, solution: Solution, what: str) -> dict[str, pd.DataFrame]:
        """Result tables that the verifier accepts. Raises VerifyFailed naming `what` otherwise."""
        tables = self.tables(solution)
        self.steps.verify(self.instance, tables, self.spec, {}, what=what)
        return tables

    def solve(self, edit: FormEdit | None = None, *, label: str = "", **options: Any) -> Solution:
        """The best plan of the instance or of an edit, with the options of the audit or others (see SolveOptions)."""
        form = self.form if edit is None else edit.form()
        return self.steps.limited(**options).solve_form(form, label=label)

    def truck_rows(self) -> list[tuple[Key, int, float]]:
        """(truck, row, what one truck brings to it) of every row that trucks fill: km, hours, hours of open places."""
        trucks, years = self.built.data.trucks, self.built.data.time.years
        brought = {"cover_km": trucks.annual_km, "cover_hours": trucks.annual_h}
        found = []
        for family in ("cover_km", "cover_hours", "fit_opening_hours"):
            for key, row in self.rows.get(family, []):
                v, t = int(trucks.names.of([str(key[1])])[0]), int(np.searchsorted(years, int(str(key[-1]))))
                each = brought[family][v] if family in brought else WEEKS_PER_YEAR * float(str(key[2]))
                found.append(((str(key[0]), str(key[1]), t), row, float(each)))
        return found

    def charger_rows(self) -> dict[Key, list[int]]:
        """The rows of energy that one more charger would fill: of its place, and of trucks it is fast enough for."""
        chargers, years = self.built.data.chargers, self.built.data.time.years
        rows: dict[tuple[str, int], list[tuple[int, float]]] = {}
        for family in ("deliver_energy", "deliver_on_the_way"):
            for key, row in self.rows.get(family, []):
                least_kw = float(str(key[2])) if family == "deliver_on_the_way" else 0.0
                rows.setdefault((str(key[0]), int(str(key[1]))), []).append((row, least_kw))
        kw = dict(zip(chargers.names.ids, chargers.kw.tolist(), strict=True))
        return {
            (area, kind, t): [row for row, least in rows.get((area, int(years[t])), []) if kw[kind] >= least]
            for area, kind, t in self.chargers
        }

    def set_numbers(self, edit: FormEdit, plan: FleetPlan) -> dict[Key, int]:
        """Make the numbers in service those of the plan, what it does not name zero; gives the row of each number."""
        rows = {}
        for columns, said in (
            (self.trucks, plan.trucks),
            (self.chargers, plan.chargers),
            (self.projects, plan.projects),
        ):
            number = numbers_of(said)
            for key, parts in columns.items():
                value = number.get(key, 0.0)
                name = f"set[{','.join(map(str, key))}]"
                rows[key] = edit.row(name, parts, [1.0] * len(parts), low=value, up=value)
        return rows


def numbers_of(rows: pd.DataFrame) -> dict[Key, float]:
    """Number by (place, type, period)."""
    keys = zip(rows["place"].tolist(), rows["type"].tolist(), rows["t"].tolist(), strict=True)
    return dict(zip(keys, rows["number"].tolist(), strict=True))


def state_fleet_model(instance: Instance, *, steps: Steps | None = None, cache_dir: Path | None = None) -> FleetModel:
    """State the joint model of the instance, as arrays whose rows and columns can be edited."""
    steps = steps or Steps()
    steps.options = replace(steps.options, method="monolith")
    prepared = steps.prepare(instance, cache_dir=cache_dir)
    spec = read_model("joint")
    built = steps.build(instance, prepared, spec)
    form = standard_form(built)
    data, start = built.data, built.start
    s, c, p, time = data.stock, data.chargers, data.projects, data.time
    regions, vehicles = data.base.regions, data.trucks.names
    trucks: dict[Key, list[int]] = {}
    for pairs, periods, name in ((s.bought_pair, s.bought_t, "bought"), (s.kept_pair, s.kept_t, "kept")):
        for i, (pair, t) in enumerate(zip(pairs.tolist(), periods.tolist(), strict=True)):
            key = (regions[int(s.region[pair])], vehicles[int(s.vehicle[pair])], t)
            trucks.setdefault(key, []).append(start[name] + i)
    chargers: dict[Key, list[int]] = {}
    for i, (area, kind, new) in enumerate(zip(c.area.tolist(), c.kind.tolist(), c.t.tolist(), strict=True)):
        age = time.years - time.years[new]
        for t in np.flatnonzero((age >= 0) & (age < c.lifetime[kind])).tolist():
            chargers.setdefault((data.base.areas[area], c.names[kind], t), []).append(start["installed"] + i)
    projects = {
        ("", p.names[a], t): [start["built"] + i]
        for i, (a, t) in enumerate(zip(p.project.tolist(), p.t.tolist(), strict=True))
    }
    return FleetModel(
        steps=steps, instance=instance, prepared=prepared, spec=spec, built=built, form=form, trucks=trucks,
        chargers=chargers, projects=projects, rows=built.stated.families(),
    )  # fmt: skip


def orders_by_bundle(fleet_model: FleetModel) -> dict[str, int]:
    """Bundle of every order name."""
    return {name: b for b, name in enumerate(order_names(fleet_model.prepared.bundles))}
