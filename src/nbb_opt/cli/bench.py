"""The commands of the benchmark harness, which lies beside the suites in a checkout and not in an installed package."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import typer

from nbb_opt.errors import NbbError

HELP = {
    "bench": "Run a benchmark: ours, the limit of the machine and other libraries on the same work, side by side.",
    "bench-compare": "Compare two result files: counters, objectives and memory gate (exit code 6), seconds never do.",
    "bench-merge": "Merge results that were measured separately, as by a job array.",
    "bench-best": "Take better verified objectives of a result into the best known values.",
    "bench-page": "Render benchmarks/RESULTS.md from the kept results.",
}
FORWARD = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file; their arguments are read by the harness."""
    for name, line in HELP.items():
        app.command(name, help=line, context_settings=dict(FORWARD), add_help_option=False)(_forward)


def _forward(context: typer.Context) -> None:
    checkout = Path(__file__).resolve().parents[3]
    if not (checkout / "benchmarks" / "harness").is_dir():
        raise NbbError(f"{context.info_name}: benchmarks need a checkout of the source; an installed package has none")
    if str(checkout) not in sys.path:
        sys.path.append(str(checkout))
    harness = importlib.import_module("benchmarks.harness.cli")
    harness.app([str(context.info_name), *context.args], standalone_mode=False)
