"""One timed run of one subject in a process of its own: python -m benchmarks.harness.child ORDER.json ANSWER.json."""

from __future__ import annotations

import ctypes
import gc
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.harness.options import BenchOptions
from benchmarks.harness.outcome import check_outcome
from benchmarks.harness.registry import load_suite

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def main(order_path: str, answer_path: str) -> None:
    """Read the order (suite, subject, case, options, repeats), run it, write seconds, memory and outcome."""
    order = json.loads(Path(order_path).read_bytes())
    suite = load_suite(order["suite"])
    subject = next(s for s in suite.subjects if s.name == order["subject"])
    case = order["case"]
    work = subject.start(case, BenchOptions.from_json(order["options"]))
    memory_by, idle_mb = _start_anew()
    seconds, cpu_seconds = [], []
    result: Any = None
    for _ in range(order["repeats"]):
        result = None
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        seconds.append(time.perf_counter() - wall)
        cpu_seconds.append(time.process_time() - cpu)
    peak_mb = _peak_mb()
    answer = {
        "seconds": seconds, "cpu_seconds": cpu_seconds, "idle_mb": idle_mb, "peak_mb": peak_mb, "memory_by": memory_by,
        "version": subject.version, "digest": subject.digest(case, result) if subject.digest else None,
        "outcome": check_outcome(subject.name, subject.outcome(case, result)) if subject.outcome else {},
    }  # fmt: skip
    Path(answer_path).write_text(json.dumps(answer), encoding="utf-8")


def _start_anew() -> tuple[str, float]:
    """Give back what the warm-up left and forget its peak; how the peak is known, and MB resident before the work."""
    gc.collect()
    if not CLEAR.exists():
        return "peak since the start of the process", _peak_mb()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    CLEAR.write_text("5", encoding="ascii")
    return "peak during the work", _field_mb("VmRSS")


def _peak_mb() -> float:
    """Peak resident memory of this process.

    Linux: VmHWM, which starts anew with the program; the figure of getrusage is inherited from the parent.
    """
    if STATUS.exists():
        return _field_mb("VmHWM")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _field_mb(name: str) -> float:
    line = next(line for line in STATUS.read_text(encoding="utf-8").splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
