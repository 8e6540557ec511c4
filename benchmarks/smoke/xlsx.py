"""A report, as in the suite `report`."""

from benchmarks.report.xlsx import KIND, LIBRARY, outcome, start

__all__ = ["KIND", "LIBRARY", "outcome", "start", "suits"]


def suits(case):
    return case["stage"] == "report"
