"""OD rows to flows, as in the suite `od`."""

from benchmarks.od.ours import KIND, LIBRARY, digest, outcome, start

__all__ = ["KIND", "LIBRARY", "digest", "outcome", "start", "suits"]


def suits(case):
    return case["stage"] == "od"
