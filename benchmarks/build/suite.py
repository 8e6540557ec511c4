"""Stating a model and handing it to HiGHS: a million columns, three million nonzeros, a quarter of a million rows."""

from __future__ import annotations

from typing import Any

from benchmarks.build.chains import CAPACITIES, WAYS

TAKES = {"sizes": (100_000, 1_000_000), "time_limit_s": 15.0}
REPEATS = 1

# Seconds for a million columns, measured on one core of an AMD Zen 4: who would be far slower than that is left out.
SECONDS_PER_MILLION = {"pyomo_templatized": 9.5, "pyomo_scalar": 21.0, "pyomo_lp_file": 39.0, "pyomo_appsi": 88.0}


def cases(options: Any) -> list[dict[str, Any]]:
    """One case per size (columns); `--time-limit` S leaves out who needs longer, and the name of the case says whom."""
    found = []
    for columns in options.sizes:
        slow = [
            name
            for name, seconds in SECONDS_PER_MILLION.items()
            if seconds * columns / 1e6 > (options.time_limit_s or 0.0)
        ]
        counters = {"columns": columns, "rows": -(-columns // WAYS) + CAPACITIES, "nonzeros": 3 * columns}
        name = f"{columns}" + ("".join(f" -{one.removeprefix('pyomo_')}" for one in slow))
        found.append({"case": name, "columns": columns, "left_out": slow, "seed": options.seed, "counters": counters})
    return found
