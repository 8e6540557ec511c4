"""Commands about finished runs: check again, report, ask what the accounting does. Registered by the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nbb_opt.cli.options import (
    DEFAULT_GAP,
    DEFAULT_THREADS,
    DEFAULT_TIME_LIMIT_S,
    AsJson,
    Gap,
    Threads,
    TimeLimit,
)
from nbb_opt.errors import NbbError, VerifyFailed
from nbb_opt.shipped import cache_folder

if TYPE_CHECKING:
    from nbb_opt.acceptance import Accepted
    from nbb_opt.instance import Instance
    from nbb_opt.problems.handlers import Response
    from nbb_opt.result import Run
    from nbb_opt.verify import Verdict

AGAIN_S = 20.0
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
    app.command(epilog="Example: nbb-opt sensitivity runs/nbb-joint --accounting --gap 1e-3")(sensitivity)


def verify(
    run: Annotated[Path, typer.Argument(help="Run folder, or tables of another engine.", metavar="RUN|FOLDER")],
    instance: Annotated[
        Path | None, typer.Option(help="Instance, if it was moved since; needed for another engine.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model that another engine solved [default: joint]; of a run, the .toml of your own model."),
    ] = None,
    solution: Annotated[
        Path | None,
        typer.Option(help="Solution file of a solver elsewhere (a name and a value a line); give the INSTANCE then."),
    ] = None,
    again: AgainSeconds = AGAIN_S,
    as_json: AsJson = False,
) -> None:
    """Check a finished run again, from its tables alone; or a solution of any engine (see models/SOLUTIONS.md).

    Costs, emissions and every rule of the model are recomputed. A bound is the word of the solver; it is held against
    a new solve of both models.
    """
    from nbb_opt.problems.dispatch import FREIGHT, handlers, problem_of
    from nbb_opt.verify.foreign import is_foreign

    if solution is not None:
        from nbb_opt.model.model_file import read_solution
        from nbb_opt.problems.stated_model import stated_model

        stated = stated_model(instance or run, model)
        show(stated.accept(read_solution(solution, stated.form)), as_json)
        return
    if is_foreign(run):
        _verify_foreign(run, instance, model or "joint", as_json)
        return
    problem = problem_of(run, "verify")
    if problem != FREIGHT:
        if model is not None:
            raise NbbError(f"{run}: --model is for the tables of another engine; a run says which model it solved")
        show(handlers(problem).verify(run, instance), as_json)
        return
    _found, _source, accepted = accepted_run(run, instance, model, again)
    if as_json:
        print(accepted.verdict.as_json())
    else:
        verdict = accepted.verdict
        print("\n".join([_accepted_line(verdict), *accepted.bounds]))


def accepted_run(
    path: Path, instance: Path | None, model: str | None = None, again_s: float = AGAIN_S
) -> tuple[Run, Instance, Accepted]:
    """A run, its instance, and why it is to be believed. Raises VerifyFailed where it is not."""
    from nbb_opt.acceptance import accept_run
    from nbb_opt.instance import read_instance
    from nbb_opt.result import read_run

    run = read_run(path, refuse_altered=False)
    source = instance or Path(str(run.record.get("instance_source", "")))
    found = read_instance(source)
    file = None if model is None else Path(model)
    accepted = accept_run(run, found, model_file=file, again_s=again_s, cache_dir=cache_folder())
    return run, found, accepted


def _verify_foreign(folder: Path, instance: Path | None, model: str, as_json: bool) -> None:
    from nbb_opt.instance import read_instance
    from nbb_opt.model import read_model
    from nbb_opt.verify.foreign import verify_foreign

    if instance is None:
        raise NbbError(f"{folder}: these are tables of another engine; say of which instance with --instance")
    spec = read_model(model)
    if spec.flows != "free":
        raise NbbError(
            f"{model}: its flows are those of another plan, which tables alone do not hold; verify a run folder"
        )
    verdict = verify_foreign(
        folder, read_instance(instance), blocks=spec.blocks, technologies=spec.technologies, projects=spec.projects
    )
    if not verdict.ok:
        raise VerifyFailed(f"{folder} is not accepted:\n" + verdict.failures().to_string(index=False))
    print(verdict.as_json() if as_json else _accepted_line(verdict))


def _accepted_line(verdict: Verdict) -> str:
    return f"verified: OK, {len(verdict.checks)} checks, cost {verdict.cost_eur:,.0f} EUR"


def report(
    runs: Annotated[list[Path], typer.Argument(help="One or more run folders of one instance.", metavar="RUN...")],
    out: Annotated[Path, typer.Option(help="HTML file; the workbook is written beside it.")] = Path("report.html"),
    instance: Annotated[Path | None, typer.Option(help="Instance, if it was moved since.")] = None,
    ileap: Annotated[
        Path | None, typer.Option(help="Folder for iLEAP 1.0 footprints, TOC and HOC data and CSV tables of one run.")
    ] = None,
    carrier: Annotated[
        list[str] | None, typer.Option(help="iLEAP word for an energy carrier of the instance, as in biogas=LNG.")
    ] = None,
    hub_carrier: Annotated[str, typer.Option(help="Energy carrier that hubs use, for --ileap.")] = "diesel",
    intensities: Annotated[
        Path | None,
        typer.Option(
            help="Your own intensities (a table of factors in g_co2e_per_tkm; technology = a vehicle), set beside the "
            "ledger's; converted once from the km they were built on."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="The .toml of a model of your own, if the runs are of one.")] = None,
    again: AgainSeconds = AGAIN_S,
) -> None:
    """Write one HTML report and one workbook, of runs that are verified first; several runs are set side by side."""
    from nbb_opt.emissions.exchange import write_exchange
    from nbb_opt.emissions.factors import read_factors
    from nbb_opt.emissions.ledger import build_ledger
    from nbb_opt.problems.dispatch import FREIGHT, handlers, problem_of
    from nbb_opt.report import write_html, write_workbook

    problems = {problem_of(path, "report") for path in runs}
    if len(problems) > 1:
        raise NbbError("the runs are about different problems; report them apart")
    for problem in problems - {FREIGHT}:
        if ileap is not None or carrier:
            raise NbbError(f"--ileap: is about freight, the runs are about {problem}; leave it out")
        show(handlers(problem).report(runs, out, instance), False)
        return
    if ileap is not None and len(runs) > 1:
        raise NbbError("--ileap: is about one run; give one run folder")
    found = []
    for path in runs:
        run, source, accepted = accepted_run(path, instance, model, again)
        found.append(run)
        print("\n".join(f"{path}: {line}" for line in (_accepted_line(accepted.verdict), *accepted.bounds)))
    if len({run.record["instance_digest"] for run in found}) > 1:
        raise VerifyFailed("the runs do not belong together: they were made from different data")
    ledgers = [build_ledger(source, run.tables) for run in found]
    own = None if intensities is None else read_factors(intensities)
    write_html(source, found, out, ledgers=ledgers, own=own)
    write_workbook(source, found, out.with_suffix(".xlsx"), ledgers=ledgers, own=own)
    print(f"wrote {out} and {out.with_suffix('.xlsx')}")
    if ileap is not None:
        words = dict(pair.partition("=")[::2] for pair in carrier or [])
        written = write_exchange(source, ledgers[0], ileap, carriers=words, hub_carrier=hub_carrier)
        print(f"wrote {', '.join(map(str, written))}")


def sensitivity(
    source: Annotated[Path, typer.Argument(help="Run folder, or an instance to solve first.", metavar="RUN|INSTANCE")],
    accounting: Annotated[bool, typer.Option("--accounting", help="Count emissions in other ways.")] = False,
    choice: Annotated[list[str] | None, typer.Option(help="Only this choice; may be given again.")] = None,
    factors: Annotated[
        Path | None,
        typer.Option(
            help="Your own factors (CSV, the columns of the shipped table), added to the shipped ones. Market-based "
            "grid methods need it: rows per kWh with grid_method market_residual or market_supplier."
        ),
    ] = None,
    ferry_share: Annotated[
        list[str] | None, typer.Option(help="Share of a ferry borne by freight, as in mass=0.6; one for each way.")
    ] = None,
    instance: Annotated[Path | None, typer.Option(help="Instance of the run, if it was moved since.")] = None,
    model: Annotated[str, typer.Option(help="Model, if an instance is given.")] = "joint",
    time_limit: TimeLimit = DEFAULT_TIME_LIMIT_S,
    gap: Gap = DEFAULT_GAP,
    threads: Threads = DEFAULT_THREADS,
    as_json: AsJson = False,
) -> None:
    """Sensitivity to emission accounting: the same plan counted in other ways, and re-optimised."""
    from nbb_opt.emissions.factors import joined, read_factors
    from nbb_opt.instance import read_instance
    from nbb_opt.options import SolveOptions
    from nbb_opt.pipeline import solve_instance
    from nbb_opt.problems.dispatch import problem_of
    from nbb_opt.studies.accounting.choices import AGAIN, accounting_choices, chosen, read_shares
    from nbb_opt.studies.accounting.study import accounting_study, as_table

    problem_of(source, "sensitivity")
    if not accounting:
        raise NbbError("sensitivity: say what to vary; --accounting counts emissions in other ways")
    shares = read_shares(ferry_share) if ferry_share else None
    registry = read_factors() if factors is None else joined(read_factors(), read_factors(factors))
    choices = chosen(accounting_choices(registry, shares), choice or [])
    options = SolveOptions(time_limit_s=time_limit, gap=gap, threads=threads)
    if (source / "run.json").is_file():
        run, found, _accepted = accepted_run(source, instance)
    else:
        found = read_instance(source)
        run = solve_instance(found, model=model, options=options, cache_dir=cache_folder())
        choices = tuple(each for each in choices if choice or each.name != AGAIN)  # solved just now
    rows = accounting_study(
        found, run, choices, options=options, cache_dir=cache_folder(), say=lambda line: print(line, file=sys.stderr)
    )
    if as_json:
        print(json.dumps([row.as_json() for row in rows], ensure_ascii=False, indent=1))
    else:
        print(as_table(found, rows))


def show(response: Response, as_json: bool) -> None:
    """Print the answer of another problem."""
    print(json.dumps(response.record, ensure_ascii=False, indent=1) if as_json else "\n".join(response.lines))
