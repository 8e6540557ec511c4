"""The commands about strategy: planning together, and for many futures. Registered by the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nbb_opt.cli.options import (
    DEFAULT_GAP,
    DEFAULT_THREADS,
    DEFAULT_TIME_LIMIT_S,
    AsJson,
    Builds,
    Closes,
    Forbids,
    Gap,
    InstancePath,
    Scenarios,
    Sets,
    Threads,
    TimeLimit,
    Workers,
)
from nbb_opt.cli.runs import show
from nbb_opt.cli.studies import Relax, StudyModel, StudyOut, of_workers, study


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(
        epilog="Example: nbb-opt cooperate instances/nbb --relax; nbb-opt cooperate mycase --by fleet_region; "
        "nbb-opt cooperate mycase --players municipalities.csv --rules weights.toml"
    )(cooperate)
    app.command(
        epilog="Example: nbb-opt robust instances/nbb --relax --future base=2 --future ferry_closed; "
        "nbb-opt robust mycase --first-periods 2"
    )(robust)


def cooperate(
    instance: InstancePath,
    by: Annotated[str, typer.Option(help="Column of nodes: country, fleet_region, charge_area or nuts3.")] = "country",
    players: Annotated[
        Path | None, typer.Option(help="A .csv file with columns player and node, instead of --by.")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="A .toml file: what is harmonised between players that plan together.")
    ] = None,
    relax: Relax = False,
    model: StudyModel = "joint",
    out: StudyOut = None,
    workers: Workers = "1",
    time_limit_s: TimeLimit = DEFAULT_TIME_LIMIT_S,
    gap: Gap = DEFAULT_GAP,
    threads: Threads = DEFAULT_THREADS,
    scenario: Scenarios = None,
    sets: Sets = None,
    close: Closes = None,
    build: Builds = None,
    forbid: Forbids = None,
    as_json: AsJson = False,
) -> None:
    """What planning together is worth: every coalition of countries (or others) solved, and the gain shared out.

    Ctrl-C keeps finished coalitions; the same command goes on with the others.
    """
    import nbb_opt as nbb
    from nbb_opt.options import SolveOptions

    what_if = (scenario, sets, close, build, forbid)
    with study("cooperate", instance, out, what_if, relax=relax) as (region, given, _line):
        found = nbb.cooperate(
            region, by=by, players=players, rules=rules, model=model, workers=of_workers(workers),
            options=SolveOptions(gap=gap, time_limit_s=time_limit_s, threads=threads), **given,
        )  # fmt: skip
    show(found, as_json)
    if not as_json:
        print(f"see {given['out'] / 'cooperate.html'}")


def robust(
    instance: InstancePath,
    futures: Annotated[
        list[str] | None,
        typer.Option(
            "--future",
            metavar="NAME[=WEIGHT]",
            help="A scenario, a .toml file, or base (the instance as it is) [default: base and all scenarios].",
        ),
    ] = None,
    first_periods: Annotated[int, typer.Option(help="Periods whose decisions are the same in all futures.")] = 1,
    risk: Annotated[float, typer.Option(help="Weight of the dearest futures in the cautious plan, 0 to 1.")] = 0.5,
    tail: Annotated[float, typer.Option(help="Share of futures that are the dearest.")] = 0.2,
    method: Annotated[
        str, typer.Option(help="extensive: one model of all futures; decompose: one by one; auto: by the size.")
    ] = "auto",
    rounds: Annotated[int, typer.Option(help="Rounds of prices of the decomposition, at most.")] = 10,
    near: Annotated[float, typer.Option(help="How far above the best cost a plan is as good, relative.")] = 1e-3,
    no_projects: Annotated[bool, typer.Option("--no-projects", help="Leave out the table of projects.")] = False,
    relax: Relax = False,
    model: StudyModel = "joint",
    out: StudyOut = None,
    workers: Workers = "1",
    time_limit_s: TimeLimit = DEFAULT_TIME_LIMIT_S,
    gap: Gap = DEFAULT_GAP,
    threads: Threads = DEFAULT_THREADS,
    as_json: AsJson = False,
) -> None:
    """Which plan holds in every future: regret, two-stage plans, no-regret projects, and what each project is worth.

    Ctrl-C keeps finished solves; the same command goes on with the others.
    """
    import nbb_opt as nbb
    from nbb_opt.options import SolveOptions

    with study("robust", instance, out, (), relax=relax) as (region, given, _line):
        found = nbb.robust(
            region, futures=futures or (), first_periods=first_periods, risk=risk, tail=tail, method=method,
            rounds=rounds, near=near, projects=not no_projects, model=model, workers=of_workers(workers),
            options=SolveOptions(gap=gap, time_limit_s=time_limit_s, threads=threads), **given,
        )  # fmt: skip
    show(found, as_json)
    if not as_json:
        print(f"see {given['out'] / 'robust.html'}")
