"""The tiny stram instance, its plans, and copies of it with something changed."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

from nbb_opt.problems.stram import StramCase, read_stram
from nbb_opt.problems.stram.model import StramSpec, read_stram_model
from nbb_opt.problems.stram.plan import StramPlan, plan_stram
from nbb_opt.solve import Stop

TINY = Path(__file__).parents[1] / "instances" / "stram_tiny"
SHARED = Path(__file__).parents[2] / "shared" / "data" / "stram"


@cache
def tiny() -> StramCase:
    return read_stram(TINY)


@cache
def plans(model: str) -> tuple[StramPlan, StramPlan | None]:
    return solved(tiny(), read_stram_model(model))


def solved(case: StramCase, spec: StramSpec, gap: float = 1e-7) -> tuple[StramPlan, StramPlan | None]:
    return plan_stram(case, spec, gap=gap, threads=1, seed=0, stop=Stop(60.0), seconds={})


def copy_of(folder: Path, edits: dict[str, tuple[str, str]] | None = None) -> Path:
    """A copy of the tiny instance; in each named file one text is replaced by another."""
    target = folder / "copy"
    shutil.copytree(TINY, target)
    for name, (old, new) in (edits or {}).items():
        text = (target / name).read_text(encoding="utf-8")
        assert old in text, f"{name} holds no {old!r}"
        (target / name).write_text(text.replace(old, new), encoding="utf-8")
    return target
