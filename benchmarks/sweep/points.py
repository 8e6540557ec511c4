"""What both subjects do: the sweep of a case, relaxed, on one thread; and what is compared."""

from pathlib import Path

import numpy as np

from benchmarks.sweep.suite import POINTS, SIDES

DIGITS = 7  # objectives agree to 1e-9 or better; `figures` has each, so that the largest difference can be read


def starting(case, *, warm):
    from nbb_opt.instance import read_instance
    from nbb_opt.options import SolveOptions
    from nbb_opt.studies.pareto import run_pareto
    from nbb_opt.studies.sweep import run_sweep
    from nbb_opt.studies.units import StudyOptions

    instance = read_instance(case["instance"])
    wanted = SolveOptions(threads=1, seed=case["seed"], time_limit_s=3600.0)
    how = StudyOptions(model="joint", relax=True, options=wanted, cache_dir=Path(case["chains"]))
    cold = not warm
    if case["kind"] == "front-20":
        return lambda: run_pareto(instance, how, points=POINTS, cold_start=cold)
    factors = np.linspace(0.8, 1.2, SIDES).tolist()
    return lambda: run_sweep(instance, how, vary="demand", values=factors, cold_start=cold)


def digest(case, found):
    return f"{len(found.table)} points " + " ".join(f"{cost:.{DIGITS}g}" for cost in found.table["cost_eur"])


def outcome(case, found):
    points = list(found.records.values())
    return {
        "status": "optimal" if all(point["status"] == "optimal" for point in points) else "time_limit",
        "objective": float(found.table["cost_eur"].sum()),
        "counters": {"points": len(found.table), "iterations": sum(point["iterations"] for point in points)},
        "phases": {"points": sum(point["seconds"] for point in points)},
        "figures": {f"cost_eur_{number}": cost for number, cost in enumerate(found.table["cost_eur"])},
        "instance_digest": case["instance_digest"],
    }
