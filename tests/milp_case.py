"""Small cases for the tests of the model: tiny, edited, solved, and checked by the verifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

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


def flows_of(solved: Solved, instance: Instance) -> np.ndarray:
    """Flows (chains, periods) of a solved plan."""
    tonnes = np.zeros((len(solved.prepared.chains), len(instance.periods)))
    period = {p.year: t for t, p in enumerate(instance.periods)}
    for chain, year, amount in solved.tables["flows"].itertuples(index=False):
        tonnes[chain, period[year]] = amount
    return tonnes
