"""Benchmarks: the same work by this package, by what a user would take instead, and by the limit of the machine."""

from nbb_opt.bench.options import BenchOptions
from nbb_opt.bench.outcome import form_digest, of_record, of_solution
from nbb_opt.bench.registry import Suite, find_suites, load_suite
from nbb_opt.bench.runner import Task, list_tasks, run_suite

__all__ = [
    "BenchOptions",
    "Suite",
    "Task",
    "find_suites",
    "form_digest",
    "list_tasks",
    "load_suite",
    "of_record",
    "of_solution",
    "run_suite",
]
