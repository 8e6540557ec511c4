"""The tiny stram instance, its plans, and copies of it with something changed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import Steps
from nbb_opt.problems.stram import StramCase, read_stram
from nbb_opt.problems.stram.model import StramSpec, read_stram_model
from nbb_opt.problems.stram.plan import StramPlan, plan_stram
from nbb_opt.problems.stram.schema import StramRules

TINY = Path(__file__).parents[1] / "instances" / "stram_tiny"
SHARED = Path(__file__).parents[2] / "shared" / "data" / "stram"


@cache
def tiny() -> StramCase:
    return read_stram(TINY)


@cache
def plans(model: str) -> tuple[StramPlan, StramPlan | None]:
    return solved(tiny(), read_stram_model(model))


def solved(case: StramCase, spec: StramSpec, gap: float = 1e-7) -> tuple[StramPlan, StramPlan | None]:
    return plan_stram(case, spec, Steps(SolveOptions(gap=gap, threads=1, time_limit_s=60.0)))


def copy_of(folder: Path, edits: dict[str, tuple[str, str]] | None = None) -> Path:
    """A copy of the tiny instance; in each named file one text is replaced by another."""
    target = folder / "copy"
    shutil.copytree(TINY, target)
    for name, (old, new) in (edits or {}).items():
        text = (target / name).read_text(encoding="utf-8")
        assert old in text, f"{name} holds no {old!r}"
        (target / name).write_text(text.replace(old, new), encoding="utf-8")
    return target


def made_up(seed: int) -> StramCase:
    """The tiny instance with every figure another one, other limits, stages and phase-outs, and flows left out."""
    chance = np.random.default_rng(seed)
    tables = {name: table.copy() for name, table in tiny().tables.items()}
    for name, table in tables.items():
        for column in table.columns:
            if table[column].dtype == "float64" and not column.endswith(("_year", "_years")):
                table[column] *= chance.uniform(0.5, 1.0, len(table)) if name != "scenarios" else 1.0
    tables["scenarios"]["probability"] = chance.dirichlet(np.ones(len(tables["scenarios"])))
    tables["edges"]["limited"] &= chance.random(len(tables["edges"])) < 0.7
    tables["terminals"]["limited"] = chance.random(len(tables["terminals"])) < 0.7
    tables["periods"]["stage"] = [1, *sorted(chance.integers(1, 3, len(tables["periods"]) - 1).tolist())]
    tables["technologies"].loc[chance.integers(len(tables["technologies"])), "phase_out_year"] = 2028
    tables["demand"] = tables["demand"].sample(frac=0.7, random_state=seed).sort_index()
    rules = StramRules(**{name: value * float(chance.uniform(0.5, 1.0)) for name, value in vars(tiny().rules).items()})
    return replace(tiny(), tables=tables, rules=rules)
