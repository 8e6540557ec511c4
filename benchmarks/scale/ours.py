"""The large-scale route, after reading and preparing: state, cut, solve, extract, verify."""

from benchmarks.scale.whole_job import outcome_of, started

KIND, LIBRARY = "ours", "nbb-opt"
_without = []


def start(case, options):
    work, without = started(case, options, "decompose")
    _without.append(without)
    return work


def outcome(case, result):
    return outcome_of(result, _without[-1])
