"""Invented instances of a thousand to a million bundles, four periods: how time, memory and gap grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.harness import BenchOptions

TAKES = {"sizes": (1_000, 10_000, 100_000, 1_000_000), "gap": 0.007, "time_limit_s": 300.0}
ROUNDS = REPEATS = 1
SEEDS = {100_000: 5, 1_000_000: 2}  # other sizes are tried once


def cases(options: BenchOptions) -> list[dict[str, Any]]:
    """One case per size; the seed invents the instance."""
    return [
        {"case": f"{bundles}", "bundles": bundles, "seed": options.seed, "seeds": SEEDS.get(bundles, 1)}
        for bundles in options.sizes or ()
    ]


def prepare(case: dict[str, Any], folder: Path, options: BenchOptions) -> dict[str, Any]:
    """Invent the instance of a case."""
    from nbb_opt.instance import read_instance
    from nbb_opt.instance.synthetic import Shape, write_synthetic

    path = folder / f"flows-{case['bundles']}-{case['seed']}"
    if not path.exists():
        write_synthetic(path, Shape(case["bundles"], case["seed"]))
    return {**case, "path": str(path), "instance_digest": read_instance(path).digest}
