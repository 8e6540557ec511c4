"""Every stage of the work at small size, in about a minute: what continuous integration compares with the last result.

Solves stop at a proven gap long before the time limit, so that counters, objectives and bounds are the same in every
run, whatever else the machine does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.harness import BenchOptions

TAKES = {"rows": 1_000_000, "gap": 1e-2, "time_limit_s": 600.0}
ROUNDS, REPEATS = 2, 1
PROTOCOL = 2
PROTOCOLS = {2: "less is done before the clock starts, so less memory is held then: reports read a run solved once"}
SOLVES = [("tiny", "joint", 1e-6), ("tiny", "electrify_only", 1e-6)]
SOLVES += [("haulier", "joint", None), ("invented-200", "joint", None)]


def cases(options: BenchOptions) -> list[dict[str, Any]]:
    """One case per stage; models are solved at a gap of their own or at that of the options."""
    solves = [
        {"case": f"solve-{instance}-{model}", "stage": "solve", "instance": instance, "model": model}
        | ({"gap": gap} if gap is not None else {})
        for instance, model, gap in SOLVES
    ]
    return [
        {"case": "od", "stage": "od", "seed": options.seed, "in_order": False},
        {"case": "prepare-nbb", "stage": "prepare", "instance": "nbb"},
        {"case": "build-nbb", "stage": "build", "instance": "nbb"},
        *solves,
        {"case": "report-tiny", "stage": "report", "instance": "tiny", "gap": 1e-6},
    ]


def prepare(case: dict[str, Any], folder: Path, options: BenchOptions) -> dict[str, Any]:
    """Write what a case needs besides the shipped instances."""
    if case["stage"] == "od":
        from benchmarks.od.suite import prepare as prepare_od

        return {**prepare_od({**case, "case": "unsorted"}, folder, options), "case": case["case"]}
    if case["stage"] == "report":
        from benchmarks.report.solved import solve_once

        return solve_once(case, folder, options)
    if case["stage"] == "solve" and case["instance"].startswith("invented"):
        from nbb_opt.instance.synthetic import Shape, write_synthetic

        path = folder / case["instance"]
        if not path.exists():
            write_synthetic(path, Shape(int(case["instance"].partition("-")[2]), 1))
        return {**case, "path": str(path)}
    if case["stage"] == "build":
        from nbb_opt.instance import read_instance
        from nbb_opt.network import prepare as prepare_network
        from nbb_opt.shipped import shipped

        prepare_network(read_instance(shipped("instances") / case["instance"]), cache_dir=folder / "cache")
    return {**case, "folder": str(folder)}
