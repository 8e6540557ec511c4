"""The commands of studies: an instance solved many times to answer one question. Registered by the command line."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

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
    InstancePath,
    Scenarios,
    Seed,
    Sets,
    Threads,
    TimeLimit,
    Workers,
    in_what_if,
    of_today,
)

StudyModel = Annotated[
    str, typer.Option("--model", callback=of_today, help="A model of models/, or a path to a .toml.")
]
StudyOut = Annotated[
    Path | None,
    typer.Option("--out", help="Folder for table and page [default: runs/NAME-STUDY]; finished solves stay."),
]
Relax = Annotated[bool, typer.Option("--relax", help="LP relaxations: quick lower bounds, a first look.")]


COLUMNS = ("emissions_t_co2e", "cost_eur", "gap", "supported", "eur_per_t_co2e", "enters")  # of a front


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(
        epilog="Example: nbb-opt sweep mycase --vary demand --values 0.8,1,1.2; "
        "nbb-opt sweep mycase --vary rule:CAP --values 0.5,1 --extend rules.py"
    )(sweep)
    app.command(
        epilog="Example: nbb-opt pareto instances/nbb --points 20 --gap 0.005 --workers 2; "
        "nbb-opt pareto mycase --year 2040 --relax"
    )(pareto)
    app.command(
        epilog="Example: nbb-opt abate instances/nbb --relax --price 300; nbb-opt abate mycase --gap 1e-5 --measures 15"
    )(abate)
    app.command(
        epilog="Example: nbb-opt tornado instances/nbb --relax; nbb-opt tornado mycase --table energy --samples 60"
    )(tornado)


@contextmanager
def study(
    name: str, instance: Path, out: Path | None, what_if: tuple[Any, ...], *, relax: bool
) -> Iterator[tuple[Any, dict[str, Any], ProgressLine]]:
    """The region in its what-if, what every study is given (folder, request to stop), and a line for progress."""
    from nbb_opt.api.data import freight
    from nbb_opt.solve import Stop

    changed = in_what_if(instance, *what_if) if what_if else None
    region = changed or freight(instance, name.partition("-")[0])
    what = name.replace(":", "-") + ("-relaxed" if relax else "")
    if region.what_if is not None:
        what += f"-{region.what_if.name}"
    target = out or Path("runs") / f"{region.meta.name}-{what}"
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C
    with ProgressLine(sys.stderr) as line, logged(sys.stderr):
        yield region, {"out": target, "stop": Stop(float("inf")), "relax": relax}, line


def shown(found: Any, as_json: bool, lines: list[str], given: dict[str, Any], page: str) -> None:
    """Print the answer of a study: as JSON, or its lines and where page and tables are."""
    if as_json:
        print(json.dumps(found.record, ensure_ascii=False, indent=1))
        return
    print("\n".join(lines))
    print(f"see {given['out'] / page} and .csv")
    if found.attrs["status"] == "stopped":
        print("stopped; the same command goes on where it was")


def sweep(
    instance: InstancePath,
    vary: Annotated[
        str,
        typer.Option(
            help="What is multiplied: demand, carbon_price, energy_price, energy_price:CARRIER, "
            "capacity:LINK or capacity:TERMINAL, rule:POLICY."
        ),
    ] = "",
    values: Annotated[str, typer.Option(help="Factors on the instance's own figures, joined by commas.")] = "",
    relax: Relax = False,
    model: StudyModel = "joint",
    out: StudyOut = None,
    time_limit_s: TimeLimit = DEFAULT_TIME_LIMIT_S,
    gap: Gap = DEFAULT_GAP,
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = 0,
    workers: Workers = "1",
    scenario: Scenarios = None,
    sets: Sets = None,
    close: Closes = None,
    build: Builds = None,
    forbid: Forbids = None,
    extend: ExtendBy = None,
    as_json: AsJson = False,
) -> None:
    """Solve at many demands, prices, capacities or limits, a point for each factor.

    Ctrl-C keeps finished points; the same command goes on with the others.
    """
    import nbb_opt as nbb
    from nbb_opt.options import SolveOptions

    what_if = (scenario, sets, close, build, forbid)
    with study(f"sweep-{vary}", instance, out, what_if, relax=relax) as (region, given, line):
        found = nbb.sweep(
            region, progress=line, vary=vary, values=_factors(values), model=model, extend=extend,
            workers=of_workers(workers),
            options=SolveOptions(gap=gap, time_limit_s=time_limit_s, threads=threads, seed=seed), **given,
        )  # fmt: skip
    counted = f"{found.attrs['status']}: {len(found)} points, {found['cost_eur'].notna().sum()} with a solution"
    shown(found, as_json, [counted], given, "sweep.html")


def _factors(text: str) -> list[float]:
    try:
        return [float(word) for word in text.split(",") if word.strip()]
    except ValueError:
        raise typer.BadParameter(f"--values {text!r}: write numbers joined by commas, as in 0.8,1,1.2") from None


def of_workers(text: str) -> int | str:
    """A number of processes, or an address."""
    return int(text) if text.isdecimal() else text


def pareto(
    instance: InstancePath,
    points: Annotated[int, typer.Option(min=2, help="Points, both ends among them.")] = 20,
    year: Annotated[
        int | None, typer.Option(help="Emissions in a year of this period; else over the whole horizon.")
    ] = None,
    relax: Relax = False,
    model: StudyModel = "least_cost",
    out: StudyOut = None,
    time_limit_s: TimeLimit = DEFAULT_TIME_LIMIT_S,
    gap: Gap = DEFAULT_GAP,
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = 0,
    workers: Workers = "1",
    scenario: Scenarios = None,
    sets: Sets = None,
    close: Closes = None,
    build: Builds = None,
    forbid: Forbids = None,
    extend: ExtendBy = None,
    as_json: AsJson = False,
) -> None:
    """What does each tonne less cost? The front of system cost against WTW emissions, and what enters along it.

    Ctrl-C keeps finished points; the same command goes on with the others.
    """
    import nbb_opt as nbb
    from nbb_opt.options import SolveOptions

    name = "pareto" if year is None else f"pareto-{year}"
    with study(name, instance, out, (scenario, sets, close, build, forbid), relax=relax) as (region, given, line):
        found = nbb.pareto(
            region, progress=line, points=points, year=year, model=model, extend=extend, workers=of_workers(workers),
            options=SolveOptions(gap=gap, time_limit_s=time_limit_s, threads=threads, seed=seed), **given,
        )  # fmt: skip
    shown(
        found, as_json, [found.answer, "", *str(type(found)(found[list(COLUMNS)])).splitlines()], given, "pareto.html"
    )


def abate(
    instance: InstancePath,
    measures: Annotated[int, typer.Option(min=1, help="Measures listed, the largest of each kind in turns.")] = 20,
    price_eur_per_t: Annotated[
        float, typer.Option("--price", min=0.0, help="What a tonne of CO2e is worth at the end of the curve, EUR.")
    ] = 300.0,
    relax: Relax = False,
    model: StudyModel = "least_cost",
    out: StudyOut = None,
    time_limit_s: TimeLimit = DEFAULT_TIME_LIMIT_S,
    gap: Gap = DEFAULT_GAP,
    threads: Threads = DEFAULT_THREADS,
    workers: Workers = "1",
    scenario: Scenarios = None,
    sets: Sets = None,
    close: Closes = None,
    build: Builds = None,
    forbid: Forbids = None,
    as_json: AsJson = False,
) -> None:
    """In which order do we act? A marginal abatement cost curve with named measures, alone and in sequence.

    Ctrl-C keeps finished solves; the same command goes on with the others.
    """
    import nbb_opt as nbb
    from nbb_opt.options import SolveOptions

    with study("abate", instance, out, (scenario, sets, close, build, forbid), relax=relax) as (region, given, line):
        found = nbb.abate(
            region, measures=measures, price_eur_per_t=price_eur_per_t, model=model, workers=of_workers(workers),
            options=SolveOptions(gap=gap, time_limit_s=time_limit_s, threads=threads), progress=line, **given,
        )  # fmt: skip
    table = str(type(found)(found[[name for name in found.columns if name not in ("status", "verified")]]))
    shown(found, as_json, [found.answer, "", *table.splitlines()], given, "abate.html")


def tornado(
    instance: InstancePath,
    tables: Annotated[
        list[str] | None, typer.Option("--table", help="Only ranges of this table; may be given several times.")
    ] = None,
    samples: Annotated[
        int, typer.Option(min=0, help="Draws with every figure varied at once (Latin hypercube); 0: none.")
    ] = 0,
    relax: Relax = False,
    model: StudyModel = "joint",
    out: StudyOut = None,
    time_limit_s: TimeLimit = DEFAULT_TIME_LIMIT_S,
    gap: Gap = DEFAULT_GAP,
    threads: Threads = DEFAULT_THREADS,
    workers: Workers = "1",
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
    from nbb_opt.options import SolveOptions

    with study("tornado", instance, out, (scenario, sets, close, build, forbid), relax=relax) as (region, given, line):
        found = nbb.tornado(
            region, tables=tables or (), samples=samples, model=model, workers=of_workers(workers),
            options=SolveOptions(gap=gap, time_limit_s=time_limit_s, threads=threads), progress=line, **given,
        )  # fmt: skip
    few = found[["figure", "factor", "cost_difference_eur", "emissions_difference_t_co2e", "decided"]].head(30)
    shown(found, as_json, [found.answer, "", *str(type(found)(few)).splitlines()], given, "tornado.html")
