"""Stated once, changed in place, from the last basis."""

from benchmarks.sweep.points import digest, outcome, starting

KIND, LIBRARY = "ours", "nbb-opt"
__all__ = ["digest", "outcome"]


def start(case, options):
    return starting(case, warm=True)
