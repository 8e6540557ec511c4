"""Commands about finished runs: check again, report, ask what the accounting does. Registered by the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from nbb_opt.cli.console import logged
from nbb_opt.cli.options import (
    DEFAULT_AGAIN_S,
    DEFAULT_GAP,
    DEFAULT_THREADS,
    DEFAULT_TIME_LIMIT_S,
    AsJson,
    Gap,
    Threads,
    TimeLimit,
    Workers,
    in_options,
    of_today,
    pairs,
)
from nbb_opt.errors import NbbError

OutPages = Annotated[Path | None, typer.Option("--out", help="Folder for the page and its tables.")]
AgainSeconds = Annotated[
    float,
    typer.Option("--again", min=0.0, help="Seconds to solve both models again, to refute false bounds; 0: none."),
]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog="Example: nbb-opt verify runs/nbb-joint; nbb-opt verify other/tiny --instance instances/tiny")(
        verify
    )
    app.command(epilog="Example: nbb-opt report runs/nbb-joint runs/nbb-shift_only --out comparison.html")(report)
    app.command(epilog="Example: nbb-opt compare runs/nbb-joint runs/nbb-joint-ferry_closed --out difference.html")(
        compare
    )
    app.command(
        epilog="Example: nbb-opt explain runs/nbb-joint --origin BOD --destination GOT --commodity steel --year 2035"
    )(explain)
    app.command(epilog="Example: nbb-opt totals runs/nbb-joint")(totals)
    app.command(epilog="Example: nbb-opt plot runs/nbb-joint --what change --to change.png")(plot)
    app.command(epilog="Example: nbb-opt sensitivity runs/nbb-joint --accounting --gap 1e-3")(sensitivity)


def verify(
    run: Annotated[Path, typer.Argument(help="Run folder, or tables of another engine.", metavar="RUN|FOLDER")],
    instance: Annotated[
        Path | None, typer.Option(help="Instance, if it was moved since; needed for another engine.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            callback=of_today,
            help="Model that another engine solved [default: joint]; of a run, the .toml of your own model.",
        ),
    ] = None,
    solution: Annotated[
        Path | None,
        typer.Option(help="Solution file of a solver elsewhere (a name and a value a line); give the INSTANCE then."),
    ] = None,
    again_s: AgainSeconds = DEFAULT_AGAIN_S,
    as_json: AsJson = False,
) -> None:
    """Check a finished run again, from its tables alone; or a solution of any engine (see models/SOLUTIONS.md).

    Costs, emissions and every rule of the model are recomputed. A bound is the word of the solver; it is held against
    a new solve of both models.
    """
    import nbb_opt as nbb

    if solution is not None:
        show(nbb.verify(instance or run, model=model, solution=solution), as_json)
    else:
        show(nbb.verify(run, instance=instance, model=model, again_s=again_s), as_json)


def report(
    runs: Annotated[list[Path], typer.Argument(help="One or more run folders of one instance.", metavar="RUN...")],
    out: Annotated[Path, typer.Option(help="HTML file; the workbook is written beside it.")] = Path("report.html"),
    instance: Annotated[Path | None, typer.Option(help="Instance, if it was moved since.")] = None,
    ileap: Annotated[
        Path | None, typer.Option(help="Folder for iLEAP 1.0 footprints, TOC and HOC data and CSV tables of one run.")
    ] = None,
    carriers: Annotated[
        list[str] | None,
        typer.Option("--carrier", help="iLEAP word for an energy carrier of the instance, as in biogas=LNG."),
    ] = None,
    hub_carrier: Annotated[str, typer.Option(help="Energy carrier that hubs use, for --ileap.")] = "diesel",
    intensities: Annotated[
        Path | None,
        typer.Option(
            help="Your own intensities (a table of factors in g_co2e_per_tkm; technology = a vehicle), set beside the "
            "ledger's; converted once from the km they were built on."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(callback=of_today, help="The .toml of a model of your own, if the runs are of one.")
    ] = None,
    outside: Annotated[
        bool,
        typer.Option("--outside", help="Count freight without a choice of mode (outside_flows) in every percentage."),
    ] = False,
    studies: Annotated[
        list[Path] | None,
        typer.Option(
            "--study",
            help="Folder that a study wrote (availability, locate, pareto, ...), shown in the report; may be "
            "given again.",
        ),
    ] = None,
    again_s: AgainSeconds = DEFAULT_AGAIN_S,
) -> None:
    """Write one HTML report and one workbook, of runs that are verified first; several runs are set side by side."""
    import nbb_opt as nbb

    words = pairs(carriers or [], "--carrier")
    done = nbb.report(
        runs, out, instance=instance, model=model, intensities=intensities, ileap=ileap, carriers=words,
        hub_carrier=hub_carrier, outside=outside, studies=studies or (), again_s=again_s,
    )  # fmt: skip
    show(done, False)


def sensitivity(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(help="Run folder, or an instance to solve first.", metavar="RUN|INSTANCE")],
    accounting: Annotated[bool, typer.Option("--accounting", help="Count emissions in other ways.")] = False,
    choices: Annotated[list[str] | None, typer.Option("--choice", help="Only this choice; may be given again.")] = None,
    factors: Annotated[
        Path | None,
        typer.Option(
            help="Your own factors (CSV, the columns of the shipped table), added to the shipped ones. Market-based "
            "grid methods need it: rows per kWh with grid_method market_residual or market_supplier."
        ),
    ] = None,
    ferry_shares: Annotated[
        list[str] | None,
        typer.Option("--ferry-share", help="Share of a ferry borne by freight, as in mass=0.6; one for each way."),
    ] = None,
    instance: Annotated[Path | None, typer.Option(help="Instance of the run, if it was moved since.")] = None,
    model: Annotated[str, typer.Option(callback=of_today, help="Model, if an instance is given.")] = "joint",
    time_limit_s: TimeLimit = DEFAULT_TIME_LIMIT_S,
    gap: Gap = DEFAULT_GAP,
    threads: Threads = DEFAULT_THREADS,
    workers: Workers = "1",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for table and page [default: runs/NAME-sensitivity]; finished solves stay."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sensitivity to emission accounting: the same plan counted in other ways, and re-optimised.

    Each way to count (up to 14, or those of --choice) is solved as the run was, with both bars: as long as that run.
    Ctrl-C keeps finished solves; the same command goes on with the others.
    """
    import nbb_opt as nbb
    from nbb_opt.options import SolveOptions
    from nbb_opt.problems.dispatch import problem_of
    from nbb_opt.solve import Stop

    problem_of(source, "sensitivity")
    if not accounting:
        raise NbbError("sensitivity: say what to vary; --accounting counts emissions in other ways")
    options = SolveOptions(time_limit_s=time_limit_s, gap=gap, threads=threads)
    target = out or Path("runs") / f"{source.resolve().stem}-sensitivity"
    with logged(sys.stderr):
        found = nbb.sensitivity(
            source, choices=choices or (), factors=factors, instance=instance, model=model, options=options,
            ferry_shares=_shares(ferry_shares) if ferry_shares else None, out=target, stop=Stop(float("inf")),
            workers=int(workers) if workers.isdecimal() else workers,
        )  # fmt: skip
    show(found, as_json, context.command)
    if not as_json:
        print(f"see {target / found.name}.html and its tables")


def _shares(given: list[str]) -> dict[str, float]:
    try:
        return {method: float(share) for method, share in pairs(given, "--ferry-share").items()}
    except ValueError:
        raise typer.BadParameter("write METHOD=SHARE, as in mass=0.6", param_hint="--ferry-share") from None


def compare(
    context: typer.Context,
    runs: Annotated[list[Path], typer.Argument(help="Run folders; the others against the first.", metavar="RUN...")],
    out: Annotated[Path | None, typer.Option(help="HTML file to write, with a map of what moves.")] = None,
    decide_s: Annotated[
        float,
        typer.Option(
            "--decide", min=0.0, help="Seconds for each plan of an undecided pair, solved again to a smaller gap."
        ),
    ] = 0.0,
    instance: Annotated[Path | None, typer.Option(help="Instance (the base), if it was moved since.")] = None,
    as_json: AsJson = False,
) -> None:
    """What differs between runs of one base: inputs, decisions by name, key figures, and what is proven of the cost."""
    import nbb_opt as nbb
    from nbb_opt.problems.dispatch import problem_of

    if len(runs) < 2:
        raise NbbError("compare: give at least two runs")
    folders = [run.resolve().name for run in runs]
    names = folders if len(set(folders)) == len(folders) else [str(run) for run in runs]
    for run in runs:
        problem_of(run, "compare")
    with logged(sys.stderr):
        plans = [nbb.load(run, instance=instance) for run in runs]
        found = nbb.compare(*plans, names=names, decide_s=decide_s)
    if out is not None:
        found.to_html(out)
    show(found, as_json, context.command)


def explain(
    run: Annotated[Path, typer.Argument(help="Run folder.", metavar="RUN")],
    origin: Annotated[str, typer.Option(help="Node where the flow starts.")],
    destination: Annotated[str, typer.Option(help="Node where it ends.")],
    commodity: Annotated[str, typer.Option(help="What is carried.")],
    year: Annotated[int | None, typer.Option(help="Period [default: the last with demand].")] = None,
    time_limit_s: TimeLimit = DEFAULT_TIME_LIMIT_S,
    instance: Annotated[Path | None, typer.Option(help="Instance (the base), if it was moved since.")] = None,
    out: OutPages = None,
    as_json: AsJson = False,
) -> None:
    """Why a flow goes the way it goes: every candidate way, its cost split, its limit, and what would flip it."""
    import nbb_opt as nbb
    from nbb_opt.problems.dispatch import problem_of

    problem_of(run, "explain")
    with logged(sys.stderr):
        found = nbb.explain(
            run, origin=origin, destination=destination, commodity=commodity, year=year, instance=instance,
            time_limit_s=time_limit_s, out=out,
        )  # fmt: skip
    show(found, as_json)


def totals(
    run: Annotated[Path, typer.Argument(help="Run folder.", metavar="RUN")],
    instance: Annotated[Path | None, typer.Option(help="Instance of the run, if it was moved since.")] = None,
    out: OutPages = None,
    as_json: AsJson = False,
) -> None:
    """Control totals: what was observed beside the flows of the frozen plan in the first period."""
    import nbb_opt as nbb
    from nbb_opt.problems.dispatch import problem_of

    problem_of(run, "totals")
    show(nbb.control_totals(run, instance=instance, out=out), as_json)


def plot(
    run: Annotated[Path, typer.Argument(help="Run folder.", metavar="RUN")],
    to: Annotated[Path, typer.Option(help="Picture to write, .svg or .png.")],
    what: Annotated[
        str, typer.Option(help="map, change (against the reference plan), or a chart of the report: modes, costs, ...")
    ] = "map",
    instance: Annotated[Path | None, typer.Option(help="Instance of the run, if it was moved since.")] = None,
) -> None:
    """Draw the map or a chart of a run that is verified first, as the report shows it."""
    import nbb_opt as nbb
    from nbb_opt.api.pictures import check_picture
    from nbb_opt.api.plans import freight_plan

    check_picture(to)
    plan = freight_plan(run, "plot", instance=instance)
    print(f"wrote {nbb.draw(plan, what).save(to)}")


class Printable(Protocol):
    """What a function of the interface gives back: plain values for machines, lines for people."""

    @property
    def record(self) -> Any:
        """One JSON object."""

    @property
    def lines(self) -> tuple[str, ...]:
        """What is printed."""


def show(response: Printable, as_json: bool, command: Any = None) -> None:
    """Print what a command gives back, with the options of `command` for the parameters that its lines name."""
    if as_json:
        print(json.dumps(response.record, ensure_ascii=False, indent=1))
    else:
        text = "\n".join(response.lines)
        print(text if command is None else in_options(text, command))
