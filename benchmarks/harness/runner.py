"""Runs a suite: subjects in turn, each run in a process of its own, and sets them side by side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from benchmarks.harness.machine import machine, versions
from benchmarks.harness.options import BenchOptions
from benchmarks.harness.registry import BenchError, Case, Subject, Suite
from benchmarks.harness.side_by_side import side_by_side

FORMAT = "nbb_opt benchmark 1"
THREAD_VARIABLES = ("POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Task:
    """One case with one seed: what a batch job runs; all its subjects are run in turn, in one place."""

    number: int
    case: Case
    options: BenchOptions

    def line(self) -> str:
        """One line for people and for job arrays."""
        return f"{self.number} {self.case['case']} seed={self.options.seed}"


def list_tasks(
    suite: Suite, options: BenchOptions, *, seeds: int | None = None, cases: Sequence[str] = ()
) -> list[Task]:
    """Every case that fits one of the patterns `cases` (all if empty), with `seeds` seeds from `options.seed` on; with
    None as many as the case says (`seeds`), or one.
    """
    found: list[Task] = []
    for number in range(seeds or max((case.get("seeds", 1) for case in suite.cases(options)), default=1)):
        seeded = replace(options, seed=options.seed + number)
        found += [Task(0, case, seeded) for case in suite.cases(seeded) if number < (seeds or case.get("seeds", 1))]
    chosen = [task for task in found if not cases or any(fnmatchcase(task.case["case"], one) for one in cases)]
    for pattern in cases:
        if not any(fnmatchcase(task.case["case"], pattern) for task in found):
            known = ", ".join(dict.fromkeys(str(task.case["case"]) for task in found))
            raise BenchError(f"no case of {suite.name} fits {pattern!r}; there are {known}")
    return [replace(task, number=number) for number, task in enumerate(chosen, start=1)]


def run_suite(
    suite: Suite,
    folder: Path,
    tasks: Sequence[Task],
    *,
    rounds: int | None = None,
    only: Sequence[str] = (),
    say: Say = lambda line: None,
) -> dict[str, Any]:
    """Run every subject `rounds` times in turn on every task, after warming up; what suites write goes to `folder`.

    Gives one record: machine, versions, options, and for every task its counters and for every subject seconds, peak
    memory, outcome and ratios. `faults` names subjects that failed and results that differ; nothing is raised for
    them, so that a long run is not lost.
    """
    names = {subject.name for subject in suite.subjects}
    if unknown := set(only) - names:
        raise BenchError(f"no such subject of {suite.name}: {', '.join(sorted(unknown))} (known: {', '.join(names)})")
    chosen = [s for s in suite.subjects if not only or s.name in only]
    absent = [s.name for s in chosen if s.version is None]
    ready = [s for s in chosen if s.version is not None]
    for name in absent:
        say(f"{name}: not installed, left out")
    folder.mkdir(parents=True, exist_ok=True)
    rounds = rounds or suite.rounds
    results = [_run_task(suite, folder, task, ready, rounds, say) for task in tasks]
    options = tasks[0].options.as_json() if tasks else {}
    return {
        "format": FORMAT, "suite": suite.name, "protocol": suite.protocol,
        "options": {name: value for name, value in options.items() if name not in {"seed", "data"}},
        "rounds": rounds, "repeats": suite.repeats, "machine": machine(),
        "versions": versions(s.library for s in ready), "absent": absent,
        "faults": [fault for result in results for fault in result.pop("faults")], "cases": results,
    }  # fmt: skip


def _run_task(suite: Suite, folder: Path, task: Task, ready: list[Subject], rounds: int, say: Say) -> dict[str, Any]:
    case = suite.prepare(task.case, folder, task.options)
    subjects = [subject for subject in ready if subject.suits(case)]
    runs: dict[str, list[dict[str, Any]]] = {subject.name: [] for subject in subjects}
    failed: dict[str, str] = {}
    for number in range(rounds):
        for subject in subjects:
            if subject.name in failed:
                continue
            title = f"{case['case']} seed {task.options.seed} round {number + 1} {subject.name}"
            try:
                answer = _run(suite, subject, case, task.options)
            except BenchError as fault:
                failed[subject.name] = str(fault)
                say(f"{title}: failed")
                continue
            runs[subject.name].append(answer)
            objective = answer["outcome"].get("objective")
            found = f", objective {objective:,.6g}" if objective is not None else ""
            say(f"{title}: {min(answer['seconds']):.3f} s{found}")
    return side_by_side(suite.name, case, task.options, subjects, runs, failed)


def _run(suite: Suite, subject: Subject, case: Case, options: BenchOptions) -> dict[str, Any]:
    order = {
        "suite": suite.name, "subject": subject.name, "case": case, "options": options.as_json(),
        "repeats": suite.repeats,
    }  # fmt: skip
    patience_s = 3600.0 + 4.0 * (options.time_limit_s or 0.0) * suite.repeats
    with tempfile.TemporaryDirectory() as work:
        order_path, answer_path = Path(work) / "order.json", Path(work) / "answer.json"
        order_path.write_text(json.dumps(order), encoding="utf-8")
        try:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.harness.child", str(order_path), str(answer_path)],
                env=os.environ | dict.fromkeys(THREAD_VARIABLES, str(options.threads)) | {"PYTHONPATH": _path()},
                capture_output=True, text=True, timeout=patience_s, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise BenchError(f"{subject.name} on {case['case']} was not done after {patience_s:.0f} s") from None
        if done.returncode or not answer_path.exists():
            last = "\n".join(done.stderr.strip().splitlines()[-6:])
            raise BenchError(f"{subject.name} failed on {case['case']} (exit {done.returncode}):\n{last}")
        return json.loads(answer_path.read_bytes())


def _path() -> str:
    return os.pathsep.join(sys.path)
