"""Time and size of the HTML report and of the workbook of a solved run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbb_opt.bench import BenchOptions
from nbb_opt.shipped import shipped_names

TAKES = {"gap": 1e-2, "time_limit_s": 300.0}


def cases(options: BenchOptions) -> list[dict[str, Any]]:
    """One joint plan of every shipped instance."""
    return [{"case": f"report-{name}", "instance": name} for name in shipped_names("instances")]


def prepare(case: dict[str, Any], folder: Path, options: BenchOptions) -> dict[str, Any]:
    """A place for the run that every subject solves for itself."""
    return {**case, "folder": str(folder)}
