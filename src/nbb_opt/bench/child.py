"""One timed run of one subject in a process of its own: python -m nbb_opt.bench.child ORDER.json ANSWER.json."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from nbb_opt.bench.registry import load_suite


def main(order_path: str, answer_path: str) -> None:
    """Read the order (suite, subject, case, threads, repeats), run it, write seconds, memory and digest."""
    order = json.loads(Path(order_path).read_bytes())
    suite = load_suite(order["suite"])
    subject = next(s for s in suite.subjects if s.name == order["subject"])
    work = subject.start(order["case"], order["threads"])
    base_mb = _peak_mb()
    seconds, cpu_seconds = [], []
    result = None
    for _ in range(order["repeats"]):
        result = None
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        seconds.append(time.perf_counter() - wall)
        cpu_seconds.append(time.process_time() - cpu)
    peak_mb = _peak_mb()
    digest = subject.digest(order["case"], result) if subject.digest else None
    answer = {
        "seconds": seconds, "cpu_seconds": cpu_seconds, "base_mb": base_mb, "peak_mb": peak_mb, "digest": digest,
        "version": subject.version, "counters": subject.count(result) if subject.count else {},
    }  # fmt: skip
    Path(answer_path).write_text(json.dumps(answer), encoding="utf-8")


def _peak_mb() -> float:
    """Peak resident memory of this process.

    Linux: VmHWM, which starts anew with the program; the figure of getrusage is inherited from the parent.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
