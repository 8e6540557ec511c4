"""Benchmarks: the same work by this package, by what a user would take instead, and by the limit of the machine."""

from nbb_opt.bench.registry import Suite, find_suites, load_suite
from nbb_opt.bench.runner import run_suite

__all__ = ["Suite", "find_suites", "load_suite", "run_suite"]
