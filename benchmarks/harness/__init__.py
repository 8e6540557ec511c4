"""Benchmarks: the same work by this package, by what a user would take instead, and by the limit of the machine."""

from benchmarks.harness.options import BenchOptions
from benchmarks.harness.outcome import form_digest, of_record, of_solution
from benchmarks.harness.registry import Suite, find_suites, load_suite
from benchmarks.harness.runner import Task, list_tasks, run_suite

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
