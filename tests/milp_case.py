"""Small cases for the tests of the model: tiny, edited, solved, and checked by the verifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from instance_copies import LEFT_OUT
from nbb_opt.instance import Instance, read_instance
from nbb_opt.model import Built, ModelSpec, build, extract, read_model, standard_form
from nbb_opt.network import Prepared, prepare
from nbb_opt.solve import solve_form
from nbb_opt.verify import verify_plan

TINY = Path(__file__).parents[1] / "instances" / "tiny"


@cache
def tiny() -> Instance:
    """The instance, read once."""
    return read_instance(TINY)


def vary(instance: Instance, table: str, key: str, row: str, **values: Any) -> Instance:
    """A copy with some cells of the rows whose column `key` is `row` replaced; "*" means every row."""
    frame = instance[table].copy()
    chosen = frame[key] == row if row != "*" else np.ones(len(frame), bool)
    assert chosen.any()
    for column, value in values.items():
        frame.loc[chosen, column] = value
    return replace(instance, tables={**instance.tables, table: frame})


def add_rows(instance: Instance, table: str, rows: Sequence[Mapping[str, Any]]) -> Instance:
    """A copy with more rows; cells not given are blank."""
    old = instance[table]
    new = pd.DataFrame(list(rows)).reindex(columns=old.columns)
    for column in old.columns:
        if old[column].dtype == "str":
            new[column] = new[column].astype("str").fillna("")
        else:
            new[column] = new[column].astype(old[column].dtype)
    return replace(instance, tables={**instance.tables, table: pd.concat([old, new], ignore_index=True)})


def policy(instance: Instance, name: str, kind: str, **values: Any) -> Instance:
    """A copy with one more rule."""
    row = {"policy": name, "kind": kind, "country": "", "technology": "", "year": np.nan, "value": np.nan, **values}
    return add_rows(instance, "policies", [row])


def with_everything() -> Instance:
    """Tiny with rows in every table, every kind of rule, a project of several units, pairs of projects, limits."""
    case = tiny()
    for table, rows in LEFT_OUT.items():
        case = add_rows(case, table, rows)
    case = policy(case, "CAP", "cap_emissions_t_per_year", value=9000.0, year=2030)
    case = policy(case, "CAP_SE", "cap_emissions_t_per_year", value=9000.0, country="SE")
    case = policy(case, "SHARE", "cap_technology_share", technology="diesel", value=0.9)
    case = policy(case, "BAN", "ban_purchase", technology="diesel", year=2030)
    case = policy(case, "CLEAN", "require_zero_emission_share", value=0.1, year=2030)
    case = policy(case, "CLEAN_SE", "require_zero_emission_share", value=0.1, country="SE")
    case = policy(case, "MONEY", "limit_budget_eur", value=5e7, year=2030)
    case = policy(case, "MONEY_SE", "limit_budget_eur", value=5e7, year=2030, country="SE")
    case = policy(case, "SLOW", "limit_mode_shift_share_per_year", value=0.05)
    first, second, third = case["projects"]["project"].tolist()[:3]
    case = vary(case, "projects", "project", first, max_units=3, excludes=third)
    case = vary(case, "projects", "project", second, requires=first)
    case = vary(case, "nodes", "node", "MINE", charge_area="CW")
    case = vary(case, "opening_hours", "node", "MINE", hours_per_week=20.0)
    case = vary(case, "vehicles", "vehicle", "BATTERY", range_km=190.0)
    return vary(case, "country_years", "country", "*", driver_limit_h_per_year=1e6)


WHOLE = ("lat", "lon", "year", "gauge_mm", "lifetime_years")  # columns of floats whose figures are not made up


def made_up(seed: int) -> tuple[Instance, Prepared]:
    """Tiny with rows in every table and every figure another one: demand, rules, trucks owned, hours, what is taxed."""
    chance = np.random.default_rng(seed)
    case = with_everything()
    tables = {name: table.copy() for name, table in case.tables.items()}
    for table in tables.values():
        for column in table.columns:
            if table[column].dtype == "float64" and column not in WHOLE:
                table[column] *= chance.uniform(0.8, 1.0, len(table))
    tables["fleet"]["vehicles"] += chance.integers(0, 9, len(tables["fleet"]))
    rules = tables["policies"]  # some of them, and all that read a table of their own
    tables["policies"] = rules[(rules["kind"] == "limit_budget_eur") | (chance.random(len(rules)) < 0.8)]
    tables["projects"]["max_units"] = chance.integers(1, 4, len(tables["projects"]))
    tables["opening_hours"]["hours_per_week"] = chance.uniform(20.0, 80.0, len(tables["opening_hours"]))
    meta = replace(case.meta, carbon_base=("TTW", "WTW")[seed % 2], discount_rate=float(chance.uniform(0.0, 0.1)))
    case = replace(case, tables=tables, meta=meta)
    prepared = prepare(case, prune=False)
    some = chance.uniform(0.5, 1.0, prepared.demand_t.shape) * (chance.random(prepared.demand_t.shape) < 0.9)
    return case, replace(prepared, demand_t=prepared.demand_t * some)


def without_policies(instance: Instance) -> Instance:
    """A copy without rules."""
    return replace(instance, tables={**instance.tables, "policies": instance["policies"].iloc[:0]})


@dataclass(frozen=True)
class Solved:
    """A model on a case, solved."""

    built: Built
    prepared: Prepared
    status: str
    cost_eur: float
    values: np.ndarray | None
    tables: dict[str, pd.DataFrame]


def solve(
    instance: Instance, model: str | ModelSpec = "joint", *, without: str = "", flows: np.ndarray | None = None
) -> Solved:
    """Solve; `without` deactivates one family of constraints. A plan of the whole model must pass the verifier."""
    spec = read_model(model) if isinstance(model, str) else model
    prepared = prepare(instance, prune=False)
    built = build(instance, prepared, spec, fixed_flows_t=flows)
    if without:
        built.model.component(without).deactivate()
    solution = solve_form(standard_form(built), time_limit_s=60, gap=1e-7, threads=1)
    if solution.values is None:
        return Solved(built, prepared, solution.status, np.inf, None, {})
    tables = extract(built, solution.values)
    if not without:
        verdict = verify_plan(
            instance, tables, blocks=spec.blocks, technologies=spec.technologies, projects=spec.projects,
            reported={"cost_eur": solution.objective},
        )  # fmt: skip
        assert verdict.ok, verdict.checks[~verdict.checks["ok"]].to_string()
    return Solved(built, prepared, solution.status, solution.objective, solution.values, tables)


@cache
def made_up_plan(seed: int) -> tuple[Instance, Solved]:
    """A plan of a region in which every figure is made up, accepted by the verifier."""
    case = made_up(seed)[0]
    return case, solve(case)


def flows_of(solved: Solved, instance: Instance) -> np.ndarray:
    """Flows (chains, periods) of a solved plan."""
    tonnes = np.zeros((len(solved.prepared.chains), len(instance.periods)))
    period = {p.year: t for t, p in enumerate(instance.periods)}
    for chain, year, amount in solved.tables["flows"].itertuples(index=False):
        tonnes[chain, period[year]] = amount
    return tonnes
