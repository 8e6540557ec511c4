"""What a subject says of its result: objective, bound, status, counters, phases; checked, never guessed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness.registry import BenchError

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm
    from nbb_opt.solve import Solution

KINDS: dict[str, tuple[type, ...]] = {
    "status": (str,),  # "optimal": the gap asked for is proven; "time_limit", "stopped", "infeasible"
    "objective": (float, int, type(None)),  # of the best solution, smaller is better; None if there is none
    "bound": (float, int, type(None)),  # proven: no solution has a smaller objective
    "gap": (float, int, type(None)),  # proven relative gap
    "verified": (bool, type(None)),  # by a check that does not trust the solver; None if there is no such check
    "history": (list, tuple),  # (seconds since the start, incumbent, bound) whenever one of them changed
    "counters": (dict,),  # whole numbers that are equal in every run: rows, columns, nonzeros, nodes, bytes read ...
    "phases": (dict,),  # seconds by phase
    "instance_digest": (str,),
    "model_digest": (str,),
    "figures": (dict,),  # other numbers worth a column; never gate
}


def check_outcome(subject: str, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """The outcome as plain values; raises BenchError for a key that is unknown or a value of another kind."""
    faults = [f"{name} is unknown (known: {', '.join(KINDS)})" for name in sorted(set(outcome) - set(KINDS))]
    found = {name: _plain(value) for name, value in outcome.items() if name in KINDS}
    for name, value in found.items():
        if not isinstance(value, KINDS[name]):
            faults.append(f"{name} is {value!r}")
    counters = found.get("counters", {})
    faults += [
        f"counter {name} is {value!r}, no whole number" for name, value in counters.items() if type(value) is not int
    ]
    if faults:
        raise BenchError(f"{subject}: the outcome cannot be used: {'; '.join(faults)}")
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def of_solution(solution: Solution) -> dict[str, Any]:
    """The outcome of `nbb_opt.solve.solve_form`; the suite adds what it knows besides (verified, digests, phases)."""
    return {
        "status": solution.status, "objective": solution.objective, "bound": solution.bound, "gap": solution.gap,
        "history": solution.history, "counters": {
            "rows": solution.rows, "columns": solution.columns, "nonzeros": solution.nonzeros,
            "integers": solution.integers, "nodes": solution.nodes, "iterations": solution.iterations,
        },
    }  # fmt: skip


def of_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """The outcome of `nbb_opt.pipeline.solve_instance`, from the record of its run (EUR, seconds)."""
    counters = ("rows", "columns", "nonzeros", "integers", "nodes", "iterations")
    return {
        "status": record["status"], "objective": record["cost_eur"], "bound": record["bound"], "gap": record["gap"],
        "verified": record["verified"], "counters": {name: record[name] for name in counters},
        "phases": dict(record["seconds"]), "instance_digest": record["instance_digest"],
    }  # fmt: skip


def form_digest(form: StandardForm) -> str:
    """sha256 of the numbers of a model: costs, matrix, sides, bounds, which columns are whole; names do not count."""
    sha = hashlib.sha256()
    for array in (
        form.cost, np.array([form.cost_offset]), form.a_indptr, form.a_indices, form.a_values, form.row_low,
        form.row_up, form.col_low, form.col_up, form.integer,
    ):  # fmt: skip
        sha.update(np.ascontiguousarray(array, dtype="<i8" if array.dtype.kind in "iub" else "<f8").tobytes())
    return sha.hexdigest()


def primal_integral(history: Sequence[Sequence[float | None]], *, best: float, end_s: float) -> float:
    """Seconds weighed with the gap of the incumbent to `best`: small is good early and late (Berthold 2013).

    The gap is 1 while there is no incumbent or its sign differs from that of `best`, else
    |incumbent - best| / max(|incumbent|, |best|). Source: T. Berthold, Measuring the impact of primal heuristics,
    Operations Research Letters 41 (2013) 611-614, equations 1 and 3.

    >>> primal_integral([(0.0, None, 1.0), (2.0, 200.0, 50.0), (5.0, 100.0, 99.0)], best=100.0, end_s=10.0)
    3.5
    """
    total, since_s, gap = 0.0, 0.0, 1.0
    for at_s, incumbent, _bound in history:
        now_s = min(max(float(at_s or 0.0), since_s), end_s)
        total, since_s = total + gap * (now_s - since_s), now_s
        if incumbent is not None and math.isfinite(incumbent):
            gap = _primal_gap(incumbent, best)
    return total + gap * (end_s - since_s)


def _primal_gap(incumbent: float, best: float) -> float:
    if incumbent == best:
        return 0.0
    if incumbent * best < 0:
        return 1.0
    return abs(incumbent - best) / max(abs(incumbent), abs(best))
