"""How long it takes to state a model and hand it to HiGHS, and how much memory: `python benchmarks/build/measure.py`.

Prints JSON: per route columns, rows, nonzeros, seconds (stating, standard form, hand-off) and peak MB over an idle
interpreter with the same libraries. Every route runs in a process of its own. The model is one of chains: every
bundle is served by four columns, and every column uses two of two thousand shared capacities. `limit` is what no
route can beat: ready arrays of the same matrix, handed over.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROUTES = ("limit", "arrays", "pyomo")
CHAINS, CAPACITIES, YEARS = 4, 2000, (2025, 2030, 2035, 2040)


def figures(columns: int) -> dict[str, np.ndarray]:
    """The data of the model, drawn by seed."""
    rng = np.random.default_rng(1)
    first = rng.integers(0, CAPACITIES // 2, columns, dtype=np.int32)
    return {
        "bundle": np.arange(columns, dtype=np.int32) // CHAINS,
        "first": first,
        "second": CAPACITIES // 2 + rng.integers(0, CAPACITIES // 2, columns, dtype=np.int32),
        "uses": rng.uniform(0.5, 2.0, columns),
        "eur": rng.uniform(5.0, 90.0, columns),
        "demand_t": rng.uniform(10.0, 900.0, -(-columns // CHAINS)),
    }


def state(route: str, d: dict[str, np.ndarray]):
    """The model through the assembly that the blocks of nbb_opt write to."""
    from nbb_opt.milp.array_assembly import ArrayAssembly
    from nbb_opt.milp.assembly import Weighed
    from nbb_opt.milp.keys import Keys

    pass
    from nbb_opt.milp.terms import Terms

    columns = len(d["bundle"])
    a = ArrayAssembly("bench") if route == "arrays" else PyomoAssembly("bench", list(YEARS))
    x = a.add_variables("carried_t", "CHAINS", Keys(np.arange(columns), np.full(columns, YEARS[0])), typical=256.0)
    bundles = len(d["demand_t"])
    served = Terms(bundles).add(d["bundle"], x, 1.0)
    a.add_rows("serve", Keys(np.arange(bundles)), served, sense="==", side=d["demand_t"])
    used = Terms(CAPACITIES).add(d["first"], x, d["uses"]).add(d["second"], x, 1.0)
    a.add_rows("respect", Keys(np.arange(CAPACITIES)), used, sense="<=", side=1e3 * columns)
    a.minimise([Weighed("service", [YEARS[0]], np.ones(1), Terms(1).add(np.zeros(columns, np.int32), x, d["eur"]))])
    return a


def ready_form(d: dict[str, np.ndarray]):
    """The same matrix as ready arrays."""
    from nbb_opt.milp import StandardForm

    columns, bundles = len(d["bundle"]), len(d["demand_t"])
    index = np.stack([d["bundle"], bundles + d["first"], bundles + d["second"]], axis=1).astype(np.int32).ravel()
    value = np.stack([np.ones(columns), d["uses"], np.ones(columns)], axis=1).ravel()
    up = np.concatenate([d["demand_t"], np.full(CAPACITIES, 1e3 * columns)])
    low = np.concatenate([d["demand_t"], np.full(CAPACITIES, -np.inf)])
    return StandardForm(
        d["eur"], 0.0, np.arange(0, 3 * columns + 1, 3, dtype=np.int32), index, value, low, up, np.zeros(columns),
        np.full(columns, np.inf), np.zeros(columns, bool), [], [], np.full(columns, 256.0),
        np.full(columns, -1, np.int64),
    )  # fmt: skip


def run(route: str, columns: int) -> dict[str, object]:
    """Measure one route in this process."""
    from nbb_opt.milp import standard_form
    from nbb_opt.milp.build import Built
    from nbb_opt.solve.highs import Solver

    if route != "limit":
        standard_form(Built(None, None, state(route, figures(1000))))  # libraries loaded, nothing cold
    data = figures(columns)
    ready = ready_form(data) if route == "limit" else None
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    t0 = time.perf_counter()
    assembly = state(route, data) if ready is None else None
    t1 = time.perf_counter()
    form = ready or standard_form(Built(None, None, assembly))
    t2 = time.perf_counter()
    Solver(form, threads=1, seed=0, log=[])
    t3 = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "route": route, "columns": len(form.cost), "rows": len(form.row_low), "nonzeros": len(form.a_values),
        "state_s": round(t1 - t0, 3), "form_s": round(t2 - t1, 3), "hand_over_s": round(t3 - t2, 3),
        "seconds": round(t3 - t0, 3), "peak_mb": round(peak / 1024), "peak_over_idle_mb": round((peak - before) / 1024),
    }  # fmt: skip


def main() -> None:
    """Run every route asked for, each in a process of its own, and print what was found."""
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--columns", type=int, default=1_000_000)
    words.add_argument("--routes", nargs="+", choices=ROUTES, default=["limit", "arrays"])
    words.add_argument("--repeat", type=int, default=3, help="the median run by seconds is shown")
    words.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = words.parse_args()
    if asked.here:
        print(json.dumps(run(asked.routes[0], asked.columns)))
        return
    found = []
    for route in asked.routes:
        command = [sys.executable, str(Path(__file__)), "--here", "--routes", route, "--columns", str(asked.columns)]
        runs = [
            json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            for _ in range(asked.repeat)
        ]
        found.append(sorted(runs, key=lambda one: one["seconds"])[len(runs) // 2])
    floor = next((one["seconds"] for one in found if one["route"] == "limit"), None)
    print(
        json.dumps(
            [one | {"ratio_to_limit": round(one["seconds"] / floor, 2) if floor else None} for one in found], indent=1
        )
    )


if __name__ == "__main__":
    main()
