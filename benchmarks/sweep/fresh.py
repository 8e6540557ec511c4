"""The same points, the problem handed over and solved from nothing each time, presolve as HiGHS likes."""

from benchmarks.sweep.points import digest, outcome, starting

KIND, LIBRARY = "peer", "nbb-opt"
__all__ = ["digest", "outcome"]


def start(case, options):
    return starting(case, warm=False)
