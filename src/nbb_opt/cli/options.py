"""The options that several commands share, each with one name, one meaning and one default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nbb_opt.options import DEFAULT_GAP, DEFAULT_THREADS, DEFAULT_TIME_LIMIT_S, Presolve, Statement

__all__ = [
    "DEFAULT_GAP",
    "DEFAULT_THREADS",
    "DEFAULT_TIME_LIMIT_S",
    "AsJson",
    "ExtendBy",
    "Gap",
    "HighsPresolve",
    "InstancePath",
    "Seed",
    "StatedIn",
    "Threads",
    "TimeLimit",
]
ExtendBy = Annotated[
    Path | None,
    typer.Option(help="Rules and costs of your own: a file with a function extend(model, data); models/EXTENDING.md."),
]
InstancePath = Annotated[
    Path, typer.Argument(help="Instance: a folder, a .zip or a workbook (.xlsx).", metavar="INSTANCE")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
TimeLimit = Annotated[float, typer.Option(min=0.0, help="Seconds for the whole solve (for each point of a sweep).")]
Gap = Annotated[float, typer.Option(min=0.0, max=1.0, help="Relative MIP gap tolerance: |cost - bound| over cost.")]
Threads = Annotated[int, typer.Option(min=1, max=256, help="Threads of the solver.")]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Random seed of the solver.")]
StatedIn = Annotated[
    Statement, typer.Option(help="Build from the pyomo model, or from the arrays for scale; auto: by the size.")
]
HighsPresolve = Annotated[Presolve, typer.Option(help="Presolve of HiGHS.")]
