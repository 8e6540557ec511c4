"""The command that audits a haulier's fleet plan. Registered by the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nbb_opt.cli.console import logged
from nbb_opt.cli.options import (
    DEFAULT_GAP,
    DEFAULT_TIME_LIMIT_S,
    AsJson,
    Gap,
    InstancePath,
    Seed,
    TimeLimit,
)
from nbb_opt.cli.runs import show
from nbb_opt.errors import NbbError, VerifyFailed


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(
        epilog="Example: nbb-opt audit instances/haulier --template plan.csv; "
        "nbb-opt audit instances/haulier --plan plan.csv --out runs/audit"
    )(audit)


def audit(
    instance: InstancePath,
    plan: Annotated[Path | None, typer.Option(help="The fleet plan: .csv, or .xlsx with a sheet named plan.")] = None,
    template: Annotated[
        Path | None, typer.Option(help="Write today's fleet as a plan to begin with, and stop.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the page and the tables.")] = Path("runs/audit"),
    time_limit_s: TimeLimit = DEFAULT_TIME_LIMIT_S,
    each_s: Annotated[float, typer.Option("--step-time-limit", min=1.0, help="Seconds for each smaller solve.")] = 20.0,
    gap: Gap = DEFAULT_GAP,
    changes: Annotated[int, typer.Option(min=0, max=50, help="How many changes to look for.")] = 8,
    no_scenarios: Annotated[
        bool, typer.Option("--no-scenarios", help="Leave out the scenarios of scenarios.csv.")
    ] = False,
    smart_charging: Annotated[
        bool, typer.Option("--smart-charging", help="Judge the hours of a day with smart charging [default: plain].")
    ] = False,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Audit a fleet plan: what is infeasible, its cost, the smallest repair, the changes that matter most.

    A plan has a row for each number: what (truck, charger, project, order), place, type, year it holds from, number.
    Exit code 5 if the plan cannot work as written.
    """
    import nbb_opt as nbb
    from nbb_opt.options import SolveOptions
    from nbb_opt.problems.dispatch import problem_of

    problem_of(instance, "audit")
    if (plan is None) == (template is None):
        raise NbbError("audit: give either --plan FILE, or --template FILE to get a plan to begin with")
    if template is not None:
        nbb.fleet_plan(instance, template)
        print(f"{template} is today's fleet as a plan. Edit it, then: nbb-opt audit {instance} --plan {template}")
        return
    assert plan is not None
    options = SolveOptions(gap=gap, time_limit_s=time_limit_s, seed=seed)
    with logged(sys.stderr):
        found = nbb.audit(
            instance,
            plan,
            options=options,
            each_s=each_s,
            changes=changes,
            scenarios=not no_scenarios,
            smart_charging=smart_charging,
            out=out,
        )
    show(found, as_json)
    if not as_json:
        print(f"wrote {out / 'audit.html'} and its tables")
    if len(found.faults):
        raise VerifyFailed(f"{plan} cannot work as written: {len(found.faults)} faults")
