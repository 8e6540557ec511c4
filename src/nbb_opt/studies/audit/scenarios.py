"""Named scenarios: the instance with some figures times a factor, and what a plan regrets in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.instance.read import varied
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import Steps
from nbb_opt.studies.audit.faults import judge
from nbb_opt.studies.audit.fleet_model import state_fleet_model
from nbb_opt.studies.audit.plan import FleetPlan


@dataclass(frozen=True)
class Regret:
    """A plan in one scenario: its cost, the best plan's and its bound, and what the plan cannot do there."""

    scenario: str
    cost_eur: float
    best_eur: float
    best_bound_eur: float
    faults: tuple[str, ...]

    @property
    def at_least_eur(self) -> float:
        """What was seen to be lost against a plan found."""
        return self.cost_eur - self.best_eur

    @property
    def at_most_eur(self) -> float:
        """What is proven to be the most that can be lost."""
        return self.cost_eur - self.best_bound_eur


def scenario_names(instance: Instance) -> list[str]:
    """Names of the scenarios of the instance, sorted."""
    return list(dict.fromkeys(instance["scenarios"]["scenario"].tolist()))


def in_scenario(instance: Instance, name: str) -> Instance:
    """The instance with the figures of a scenario multiplied. Raises ModelError for an unknown row or column."""
    tables: dict[str, pd.DataFrame] = dict(instance.tables)
    changed: set[str] = set()
    for line in instance["scenarios"].to_dict("records"):
        if line["scenario"] != name:
            continue
        table, row, column = line["table"], line["row"], line["column"]
        where = f"scenarios.csv, scenario '{name}': "
        if table not in tables or column not in tables[table]:
            raise ModelError(f"{where}there is no figure {table}.{column}; look it up in SCHEMA.md")
        frame = tables[table].copy()
        keys = [key for key in BY_NAME[table].key if key != "year"]
        joined = frame[keys].astype("str").agg("/".join, axis=1)
        mine = np.ones(len(frame), bool) if row == "*" else (joined == row).to_numpy()
        if not mine.any() or frame[column].dtype == "str":
            raise ModelError(
                f"{where}{table} has no row '{row}' with a number in {column}; write its key, parts joined by /"
            )
        frame[column] = frame[column].astype(float)
        frame.loc[mine, column] = frame.loc[mine, column] * line["factor"]
        tables[table] = frame
        changed.add(table)
    return varied(instance, {table: tables[table] for table in changed})


def regrets(
    instance: Instance,
    plan: FleetPlan,
    *,
    options: SolveOptions,
    say: Callable[[str], None] = lambda line: None,
) -> list[Regret]:
    """The plan in every scenario: its trucks, chargers and projects as planned, operated at least cost."""
    found = []
    for name in scenario_names(instance):
        fleet_model = state_fleet_model(in_scenario(instance, name), steps=Steps(options))
        judged = judge(fleet_model, plan)
        best = fleet_model.solve()
        faults = tuple(f"{fault.where} {fault.year}: {fault.text}" for fault in judged.faults)
        found.append(Regret(name, judged.solution.objective, best.objective, best.bound, faults))
        say(f"scenario {name}: {found[-1].at_least_eur:,.0f} EUR lost at least")
    return found
