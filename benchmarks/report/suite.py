"""Time and size of the HTML report and of the workbook of a solved run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.harness import BenchOptions
from nbb_opt.shipped import shipped_names

TAKES = {"gap": 1e-2, "time_limit_s": 300.0}
PROTOCOL = 2
PROTOCOLS = {2: "the run is solved once and read by every subject, which holds less memory before it starts"}


def cases(options: BenchOptions) -> list[dict[str, Any]]:
    """One joint plan of every shipped instance."""
    return [{"case": f"report-{name}", "instance": name} for name in shipped_names("instances")]


def prepare(case: dict[str, Any], folder: Path, options: BenchOptions) -> dict[str, Any]:
    """The run that is reported, the same for all subjects."""
    from benchmarks.report.solved import solve_once

    return solve_once(case, folder, options)
