"""The command that solves one instance at many values. Registered by the command line."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from nbb_opt.cli.console import ProgressLine, logged
from nbb_opt.cli.options import (
    DEFAULT_GAP,
    DEFAULT_THREADS,
    DEFAULT_TIME_LIMIT_S,
    AsJson,
    Builds,
    Closes,
    ExtendBy,
    Forbids,
    Gap,
    HighsPresolve,
    InstancePath,
    Scenarios,
    Seed,
    Sets,
    StatedIn,
    Threads,
    TimeLimit,
    in_what_if,
    of_today,
)


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(
        epilog="Example: nbb-opt sweep instances/nbb --front 20 --relax; "
        "nbb-opt sweep mycase --vary demand --values 0.8,1,1.2; nbb-opt sweep mycase --front 5 --extend rules.py"
    )(sweep)
    app.command(epilog="Example: nbb-opt tornado instances/nbb --relax; nbb-opt tornado mycase --table energy")(tornado)


def sweep(
    instance: InstancePath,
    vary: Annotated[
        str | None,
        typer.Option(
            help="What is multiplied: demand, carbon_price, energy_price, energy_price:CARRIER, "
            "capacity:LINK or capacity:TERMINAL, rule:POLICY."
        ),
    ] = None,
    values: Annotated[str, typer.Option(help="Factors on the instance's own figures, joined by commas.")] = "",
    front: Annotated[int, typer.Option(help="Points of a front of cost against emissions.")] = 0,
    relax: Annotated[bool, typer.Option("--relax", help="LP relaxation: quick lower bounds.")] = False,
    model: Annotated[str, typer.Option(callback=of_today, help="A model of models/, or a path to a .toml.")] = "joint",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for table and page [default: runs/NAME-sweep-WHAT]; finished points stay."),
    ] = None,
    time_limit_s: TimeLimit = DEFAULT_TIME_LIMIT_S,
    gap: Gap = DEFAULT_GAP,
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = 0,
    statement: StatedIn = "auto",
    presolve: HighsPresolve = "choose",
    cold_start: Annotated[bool, typer.Option("--cold-start", help="Cold start of every point, to compare.")] = False,
    scenario: Scenarios = None,
    sets: Sets = None,
    close: Closes = None,
    build: Builds = None,
    forbid: Forbids = None,
    extend: ExtendBy = None,
    as_json: AsJson = False,
) -> None:
    """Solve at many demands, prices or limits, or the front of cost against emissions; each point starts from the last.

    Ctrl-C keeps finished points; the same command goes on with the others.
    """
    import nbb_opt as nbb
    from nbb_opt.api.data import freight
    from nbb_opt.options import SolveOptions
    from nbb_opt.solve import Stop

    region = in_what_if(instance, scenario, sets, close, build, forbid) or freight(instance, "sweep")
    what = (vary or "front").replace(":", "-") + ("-relaxed" if relax else "")
    if region.what_if is not None:
        what += f"-{region.what_if.name}"
    target = out or Path("runs") / f"{region.meta.name}-sweep-{what}"
    options = SolveOptions(
        gap=gap, time_limit_s=time_limit_s, threads=threads, seed=seed, statement=statement, presolve=presolve
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C
    with ProgressLine(sys.stderr) as line, logged(sys.stderr):
        points = nbb.sweep(
            region, vary=vary, values=_factors(values), front=front, model=model, options=options, relax=relax,
            cold_start=cold_start, out=target, progress=line, stop=Stop(float("inf")), extend=extend,
        )  # fmt: skip
    status = points.attrs["status"]
    if as_json:
        print(json.dumps(points.attrs, ensure_ascii=False, indent=1))
        return
    solved = points["cost_eur"].notna().sum()
    print(f"{status}: {len(points)} points, {solved} with a solution; see {target / 'sweep.html'} and .csv")
    if status == "stopped":
        print("the same command goes on where it was stopped")


def _factors(text: str) -> list[float]:
    try:
        return [float(word) for word in text.split(",") if word.strip()]
    except ValueError:
        raise typer.BadParameter(f"--values {text!r}: write numbers joined by commas, as in 0.8,1,1.2") from None


def tornado(
    instance: InstancePath,
    tables: Annotated[
        list[str] | None, typer.Option("--table", help="Only ranges of this table; may be given several times.")
    ] = None,
    relax: Annotated[bool, typer.Option("--relax", help="LP relaxation: quick lower bounds.")] = False,
    model: Annotated[str, typer.Option(callback=of_today, help="A model of models/, or a path to a .toml.")] = "joint",
    out: Annotated[
        Path | None, typer.Option(help="Folder for table and page [default: runs/NAME-tornado]; finished solves stay.")
    ] = None,
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
    """Which uncertain figure matters: each of table ranges at its low and high end, the greatest effect first.

    Ctrl-C keeps finished solves; the same command goes on with the others.
    """
    import nbb_opt as nbb
    from nbb_opt.api.data import freight
    from nbb_opt.options import SolveOptions
    from nbb_opt.solve import Stop

    region = in_what_if(instance, scenario, sets, close, build, forbid) or freight(instance, "tornado")
    what = "tornado" + ("-relaxed" if relax else "")
    if region.what_if is not None:
        what += f"-{region.what_if.name}"
    target = out or Path("runs") / f"{region.meta.name}-{what}"
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C
    with ProgressLine(sys.stderr) as line, logged(sys.stderr):
        found = nbb.tornado(
            region, tables=tables or (), relax=relax, model=model, out=target, progress=line, stop=Stop(float("inf")),
            options=SolveOptions(gap=gap, time_limit_s=time_limit_s, threads=threads),
        )  # fmt: skip
    if as_json:
        print(found.to_json(orient="records", force_ascii=False, indent=1))
        return
    shown = found[["figure", "factor", "cost_difference_eur", "emissions_difference_t_co2e", "decided"]].head(30)
    print(f"{type(found)(shown)}\nsee {target / 'tornado.html'} and .csv")
