"""What both subjects do: the sweep of a case, relaxed, on one thread; and what is compared."""

from pathlib import Path

import numpy as np

from benchmarks.sweep.suite import POINTS, SIDES

DIGITS = 7  # objectives agree to 1e-9 or better; `figures` has each, so that the largest difference can be read


def starting(case, *, warm):
    from nbb_opt.instance import read_instance
    from nbb_opt.options import SolveOptions
    from nbb_opt.studies.sweep import axis_of, run_sweep

    instance = read_instance(case["instance"])
    wanted = SolveOptions(threads=1, seed=case["seed"], time_limit_s=3600.0)
    how = {"relax": True, "cold_start": not warm, "options": wanted, "cache_dir": Path(case["chains"])}
    if case["kind"] == "front-20":
        return lambda: run_sweep(instance, front=POINTS, **how)
    factors = np.linspace(0.8, 1.2, SIDES).tolist()
    axis = axis_of("demand", instance)
    return lambda: run_sweep(instance, axis=axis, values=factors, **how)


def digest(case, found):
    return f"{len(found.points)} points " + " ".join(f"{point.cost_eur:.{DIGITS}g}" for point in found.points)


def outcome(case, found):
    points = found.points
    return {
        "status": "optimal" if all(point.status == "optimal" for point in points) else "time_limit",
        "objective": sum(point.cost_eur for point in points),
        "counters": {"points": len(points), "iterations": sum(point.iterations for point in points)},
        "phases": {"points": sum(point.seconds for point in points)},
        "figures": {f"cost_eur_{number}": point.cost_eur for number, point in enumerate(points)},
        "instance_digest": case["instance_digest"],
    }
