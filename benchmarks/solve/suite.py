"""The shipped instances with every model, through the whole job: read, prepare, state, solve, verify."""

from __future__ import annotations

from typing import Any

from benchmarks.harness import BenchOptions
from nbb_opt.shipped import shipped_names

TAKES = {"gap": 1e-3, "time_limit_s": 300.0}
ROUNDS = REPEATS = 1
PROTOCOL = 2
PROTOCOLS = {2: "warmed up with the frozen plan alone, so less memory is held before the clock starts"}


def cases(options: BenchOptions) -> list[dict[str, Any]]:
    """Every instance with every model; the seed is that of the solver."""
    return [
        {"case": f"{instance}-{model}", "instance": instance, "model": model}
        for instance in shipped_names("instances")
        for model in shipped_names("models")
    ]
