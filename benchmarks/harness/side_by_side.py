"""The runs of one task side by side: medians, memory, outcome, ratios to the limit and to the best peer."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks.harness.best_known import BestKnown, gap_to, read_best_known
from benchmarks.harness.options import BenchOptions
from benchmarks.harness.outcome import primal_integral
from benchmarks.harness.registry import Case, Subject

Runs = dict[str, list[dict[str, Any]]]
OUTCOME = ("status", "objective", "bound", "gap", "verified", "instance_digest", "model_digest", "figures", "counters")


def side_by_side(
    suite: str, case: Case, options: BenchOptions, subjects: Sequence[Subject], runs: Runs, failed: dict[str, str]
) -> dict[str, Any]:
    """One entry of a result file: the case, its subjects, and `faults` (who failed, whose results differ)."""
    faults = list(failed.values())
    digests = {name: run["digest"] for name, found in runs.items() for run in found if run["digest"] is not None}
    if len(set(digests.values())) > 1:
        faults.append(f"the results on {case['case']} differ: {digests}")
    table: dict[str, dict[str, Any]] = {}
    for subject in subjects:
        found = runs[subject.name]
        if not found or subject.name in failed:
            table[subject.name] = {"kind": subject.kind, "status": "failed"}
            continue
        table[subject.name] = {"kind": subject.kind, **_figures(found), **_outcome(found)}
        if any(run["outcome"].get("counters") != found[0]["outcome"].get("counters") for run in found):
            faults.append(f"{subject.name} on {case['case']} counts differently from run to run")
    done = {name: runs[name] for name, row in table.items() if row["status"] != "failed"}
    _ratios(table, done)
    _against_best_known(suite, case, table, done)
    kept: dict[str, Any] = {
        name: case[name] for name in ("size", "instance_digest", "model_digest", "counters") if name in case
    }
    return {
        "case": case["case"], "seed": options.seed, "threads": options.threads, **kept, "agree": sorted(digests),
        "digest": next(iter(digests.values()), None), "subjects": table, "faults": faults,
    }  # fmt: skip


def _figures(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Memory is the least of the rounds: noise and compiling for the first time add to it; `all_...` show all."""
    over_idle_mb = [round(run["peak_mb"] - run["idle_mb"], 1) for run in found]
    return {
        "version": found[0]["version"],
        "seconds": statistics.median(s for run in found for s in run["seconds"]),
        "cpu_seconds": statistics.median(s for run in found for s in run["cpu_seconds"]),
        "all_seconds": [round(s, 4) for run in found for s in run["seconds"]],
        "peak_mb": round(min(run["peak_mb"] for run in found), 1),
        "over_idle_mb": min(over_idle_mb),
        "all_peak_mb": [round(run["peak_mb"], 1) for run in found], "all_over_idle_mb": over_idle_mb,
        "memory_by": found[0]["memory_by"],
    }  # fmt: skip


def _outcome(found: list[dict[str, Any]]) -> dict[str, Any]:
    outcomes = [run["outcome"] for run in found]
    kept: dict[str, Any] = {"status": "done"}
    kept |= {name: outcomes[0][name] for name in OUTCOME if name in outcomes[0]}
    phases = [outcome["phases"] for outcome in outcomes if "phases" in outcome]
    if phases:
        kept["phases"] = {name: round(statistics.median(each[name] for each in phases), 4) for name in phases[0]}
    return kept


def _ratios(table: dict[str, dict[str, Any]], runs: Runs) -> None:
    by_kind = {kind: [n for n in runs if table[n]["kind"] == kind] for kind in ("limit", "ours", "peer")}
    for name in runs:
        row = table[name]
        if by_kind["limit"] and row["kind"] != "limit":
            limit = runs[by_kind["limit"][0]]
            row["ratio_to_limit"] = _ratio(runs[name], limit)
            row["cpu_ratio_to_limit"] = _ratio(runs[name], limit, "cpu_seconds")
        if row["kind"] == "ours" and by_kind["peer"]:
            row["ratios_to_peers"] = {peer: _ratio(runs[name], runs[peer]) for peer in by_kind["peer"]}
            row["times_faster_than_best_peer"] = min(_ratio(runs[peer], runs[name]) for peer in by_kind["peer"])


def _ratio(ours: list[dict[str, Any]], other: list[dict[str, Any]], what: str = "seconds") -> float:
    """Median over the rounds: a round's runs lie close in time, so that noise hits both."""
    pairs = zip(ours, other, strict=False)
    return round(statistics.median(min(a[what]) / max(min(b[what]), 1e-9) for a, b in pairs), 3)


def _against_best_known(suite: str, case: Case, table: dict[str, dict[str, Any]], runs: Runs) -> None:
    """Gap to the best known objective, and the primal integral against it or against the best of this run."""
    known = read_best_known(suite).get(case["case"])
    found = [table[n]["objective"] for n in runs if table[n].get("objective") is not None]
    for name, answers in runs.items():
        row, digest = table[name], table[name].get("instance_digest", case.get("instance_digest"))
        relate(row, known, digest)
        if history := answers[0]["outcome"].get("history"):
            best = min([*found, *([known.objective] if known is not None and known.fits(digest) else [])], default=None)
            if best is not None:
                integral = primal_integral(history, best=best, end_s=min(answers[0]["seconds"]))
                row["primal_integral_s"] = round(integral, 4)


def relate(row: dict[str, Any], known: BestKnown | None, digest: str | None) -> None:
    """Note how far the objective of a row is from the best known one, if there is one of the same data."""
    objective = row.get("objective")
    if known is not None and known.fits(digest) and objective is not None:
        row["best_known"], row["best_known_state"] = known.objective, known.state
        row["gap_to_best_known"] = gap_to(objective, known.objective)
