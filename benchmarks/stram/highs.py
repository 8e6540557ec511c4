"""Plain HiGHS on the columns and rows in tonnes and NOK, all scenarios in one problem; only the solve is timed."""

from benchmarks.plain_highs import minimise, outcome
from benchmarks.stram.stated import stated

KIND, LIBRARY = "peer", "highspy"
__all__ = ["KIND", "LIBRARY", "outcome", "start"]


def start(case, options):
    return minimise(stated(case, options), options)
