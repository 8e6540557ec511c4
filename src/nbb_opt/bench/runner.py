"""Runs a suite: subjects in turn, each run in a process of its own, and sets them side by side."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nbb_opt import __version__
from nbb_opt.bench.registry import BenchError, Subject, Suite

TIMEOUT_S = 3600


def run_suite(
    suite: Suite,
    folder: Path,
    *,
    rows: int,
    seed: int = 1,
    threads: int = 2,
    rounds: int = 3,
    repeats: int = 2,
    only: Sequence[str] = (),
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Run every subject `rounds` times in turn (`repeats` timed runs each, after warming up); data goes to `folder`.

    Gives one record: machine, versions, and for every case the counters and for every subject median seconds, peak
    memory, ratio to the limit and, for ours, to the best peer. Raises BenchError if the results of two subjects differ.
    """
    chosen = [s for s in suite.subjects if not only or s.name in only]
    if unknown := set(only) - {s.name for s in chosen}:
        raise BenchError(f"no such subject of {suite.name}: {', '.join(sorted(unknown))}")
    absent = [s.name for s in chosen if s.version is None]
    ready = [s for s in chosen if s.version is not None]
    for name in absent:
        say(f"{name}: not installed, left out")
    results = []
    for case in suite.cases(folder, rows, seed):
        runs: dict[str, list[dict[str, Any]]] = {s.name: [] for s in ready}
        for number in range(rounds):
            for subject in ready:
                runs[subject.name].append(_run(suite, subject, case, threads, repeats))
                say(f"{case['case']} round {number + 1} {subject.name}: {min(runs[subject.name][-1]['seconds']):.3f} s")
        results.append(_compared(case, ready, runs))
    return {
        "suite": suite.name, "rows": rows, "seed": seed, "threads": threads, "rounds": rounds, "repeats": repeats,
        "machine": machine(), "versions": versions(ready), "absent": absent, "cases": results,
    }  # fmt: skip


def _run(suite: Suite, subject: Subject, case: dict[str, Any], threads: int, repeats: int) -> dict[str, Any]:
    order = {"suite": suite.name, "subject": subject.name, "case": case, "threads": threads, "repeats": repeats}
    names = ("POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    with tempfile.TemporaryDirectory() as work:
        order_path, answer_path = Path(work) / "order.json", Path(work) / "answer.json"
        order_path.write_text(json.dumps(order), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "nbb_opt.bench.child", str(order_path), str(answer_path)],
            env=os.environ | dict.fromkeys(names, str(threads)) | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
        if done.returncode or not answer_path.exists():
            last = "\n".join(done.stderr.strip().splitlines()[-6:])
            raise BenchError(f"{subject.name} failed on {case['case']} (exit {done.returncode}):\n{last}")
        return json.loads(answer_path.read_bytes())


def _compared(case: dict[str, Any], subjects: list[Subject], runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    digests = {name: run["digest"] for name, found in runs.items() for run in found if run["digest"] is not None}
    if len(set(digests.values())) > 1:
        raise BenchError(f"the results on {case['case']} differ: {digests}")
    table: dict[str, dict[str, Any]] = {}
    for subject in subjects:
        found = runs[subject.name]
        table[subject.name] = {
            "kind": subject.kind,
            "seconds": statistics.median(s for run in found for s in run["seconds"]),
            "cpu_seconds": statistics.median(s for run in found for s in run["cpu_seconds"]),
            "base_mb": round(statistics.median(run["base_mb"] for run in found), 1),
            "peak_mb": round(max(run["peak_mb"] for run in found), 1),
            "all_seconds": [round(s, 4) for run in found for s in run["seconds"]],
        }
    seconds = {kind: [row["seconds"] for row in table.values() if row["kind"] == kind] for kind in ("limit", "peer")}
    for name, row in table.items():
        if seconds["limit"] and row["kind"] != "limit":
            limit = next(other for other, entry in table.items() if entry["kind"] == "limit")
            row["ratio_to_limit"] = _ratio(runs[name], runs[limit])
            row["cpu_ratio_to_limit"] = _ratio(runs[name], runs[limit], "cpu_seconds")
        if seconds["peer"] and row["kind"] == "ours":
            peers = [other for other, entry in table.items() if entry["kind"] == "peer"]
            row["times_faster_than_best_peer"] = min(_ratio(runs[peer], runs[name]) for peer in peers)
    counted = {name: found[0]["counters"] for name, found in runs.items() if found[0]["counters"]}
    for name, found in runs.items():
        if any(run["counters"] != found[0]["counters"] for run in found):
            raise BenchError(f"{name} on {case['case']} counts differently from run to run")
    counters = dict(case["counters"])
    for found in counted.values():
        counters |= found
    return {
        "case": case["case"], "counters": counters, "agree": sorted(digests),
        "digest": next(iter(digests.values()), None), "subjects": table,
    }  # fmt: skip


def _ratio(ours: list[dict[str, Any]], limit: list[dict[str, Any]], what: str = "seconds") -> float:
    """Median over the rounds: a round's runs lie close in time, so that noise hits both."""
    pairs = zip(ours, limit, strict=True)
    return round(statistics.median(min(a[what]) / min(b[what]) for a, b in pairs), 3)


def machine() -> dict[str, Any]:
    """What the times depend on."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        named = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = named[0] if named else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def versions(subjects: Sequence[Subject]) -> dict[str, str]:
    """This package, what it stands on, and the peers."""
    own = {name: version(name) for name in ("numpy", "numba", "pyarrow", "pandas")}
    peers = {subject.library: subject.version or "" for subject in subjects if subject.library}
    return {"nbb-opt": __version__, **own, **peers}
