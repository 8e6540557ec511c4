"""The whole job, as in the suite `solve`."""

from benchmarks.solve.ours import KIND, LIBRARY, outcome, start

__all__ = ["KIND", "LIBRARY", "outcome", "start", "suits"]


def suits(case):
    return case["stage"] == "solve"
