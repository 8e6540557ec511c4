"""The command that audits a haulier's fleet plan. Registered by the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from nbb_opt.cli.options import (
    DEFAULT_GAP,
    DEFAULT_TIME_LIMIT_S,
    AsJson,
    Gap,
    InstancePath,
    Seed,
    TimeLimit,
)
from nbb_opt.errors import NbbError, VerifyFailed
from nbb_opt.shipped import cache_folder


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
    time_limit: TimeLimit = DEFAULT_TIME_LIMIT_S,
    step_time_limit: Annotated[float, typer.Option(min=1.0, help="Seconds for each smaller solve.")] = 20.0,
    gap: Gap = DEFAULT_GAP,
    changes: Annotated[int, typer.Option(min=0, max=50, help="How many changes to look for.")] = 8,
    no_scenarios: Annotated[
        bool, typer.Option("--no-scenarios", help="Leave out the scenarios of scenarios.csv.")
    ] = False,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Audit a fleet plan: what is infeasible, its cost, the smallest repair, the changes that matter most.

    A plan has a row for each number: what (truck, charger, project, order), place, type, year it holds from, number.
    Exit code 5 if the plan cannot work as written.
    """
    from nbb_opt.instance import read_instance
    from nbb_opt.options import SolveOptions
    from nbb_opt.problems.dispatch import problem_of
    from nbb_opt.studies.audit.audit import as_json as plain
    from nbb_opt.studies.audit.audit import audit as run_audit
    from nbb_opt.studies.audit.audit import write_audit
    from nbb_opt.studies.audit.plan import template as template_of
    from nbb_opt.studies.audit.plan import write_plan
    from nbb_opt.studies.audit.view import page_of, sentences

    problem_of(instance, "audit")
    if (plan is None) == (template is None):
        raise NbbError("audit: give either --plan FILE, or --template FILE to get a plan to begin with")
    found_instance = read_instance(instance)
    if template is not None:
        if template.exists():
            raise NbbError(f"{template}: is there already; give another name")
        write_plan(template_of(found_instance), template)
        print(f"{template} is today's fleet as a plan. Edit it, then: nbb-opt audit {instance} --plan {template}")
        return
    assert plan is not None
    options = SolveOptions(gap=gap, time_limit_s=time_limit, seed=seed)
    found = run_audit(
        found_instance, plan, options=options, each_s=step_time_limit, changes=changes, scenarios=not no_scenarios,
        cache_dir=cache_folder(), say=lambda line: print(line, file=sys.stderr),
    )  # fmt: skip
    write_audit(found, out, page_of(found))
    if as_json:
        print(json.dumps(plain(found), ensure_ascii=False, indent=1))
    else:
        print(f"{found_instance.meta.title}, plan {plan.name}")
        for fault in found.faults:
            print(f"  cannot work  {fault.where} {fault.year}: {fault.text}")
        for row in found.repair.changes.itertuples(index=False):
            print(
                f"  repair       {row.what} {row.place} {row.type} {row.year}: {row.planned:g} become {row.repaired:g}"
            )
        for number, change in enumerate(found.changes, start=1):
            print(f"  change {number}     {change.text}: {change.closed_share:.0%} of the distance closed")
        print("  " + "\n  ".join(sentences(found)))
        print(f"  page         {out / 'audit.html'}, tables beside it")
    if found.faults:
        raise VerifyFailed(f"{plan} cannot work as written: {len(found.faults)} faults")
