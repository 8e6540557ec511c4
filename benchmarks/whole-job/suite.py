"""`nbb-opt solve` from reading to the workbook on invented instances of a hundred to a million flows: how it grows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.harness import BenchOptions
from benchmarks.scale.suite import prepare as invented

TAKES = {"sizes": (100, 1_000, 10_000, 100_000), "gap": 0.007, "time_limit_s": 300.0}
ROUNDS = REPEATS = 1


def cases(options: BenchOptions) -> list[dict[str, Any]]:
    """One case per size; the seed invents the instance. `size` is what phases are related to."""
    sizes = options.sizes or ()
    return [{"case": f"{flows}", "bundles": flows, "size": flows, "seed": options.seed} for flows in sizes]


def prepare(case: dict[str, Any], folder: Path, options: BenchOptions) -> dict[str, Any]:
    """Invent the instance of a case, as the suite `scale` does."""
    return invented(case, folder, options)
