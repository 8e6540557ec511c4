"""One problem, by our own search in HiGHS: the same statement, the same limits, up to 10,000 bundles."""

from benchmarks.scale.whole_job import outcome_of, started

KIND, LIBRARY = "peer", "highspy"
MOST_BUNDLES = 10_000
_without = []


def suits(case):
    return case["bundles"] <= MOST_BUNDLES


def start(case, options):
    work, without = started(case, options, "monolith")
    _without.append(without)
    return work


def outcome(case, result):
    return outcome_of(result, _without[-1])
