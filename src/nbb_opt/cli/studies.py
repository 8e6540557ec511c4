"""The commands of studies: an instance solved many times to answer one question. Registered by the command line.

A command of this file states what only its study is asked, and gives what Python gives; the options that all share,
and how the answer is shown, are stated once.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
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
from nbb_opt.cli.runs import show

Options = dict[str, Any]
WHAT_IF = ("scenario", "sets", "close", "build", "forbid")
NAMED = ("vary", "year")  # what is in the name of a folder of results


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    _add(app, sweep, "sweep mycase --vary demand --values 0.8,1,1.2",
         "sweep mycase --vary rule:CAP --values 0.5,1 --extend rules.py")  # fmt: skip
    _add(app, pareto, "pareto instances/nbb --points 20 --gap 0.005 --workers 2", "pareto mycase --year 2040 --relax",
         model="least_cost")  # fmt: skip
    _add(app, abate, "abate instances/nbb --relax --price 300", "abate mycase --gap 1e-5 --measures 15",
         model="least_cost", without=("extend",))  # fmt: skip
    _add(app, tornado, "tornado instances/nbb --relax", "tornado mycase --table energy --samples 60",
         without=("extend",))  # fmt: skip
    _add(app, cooperate, "cooperate instances/nbb --relax", "cooperate mycase --by fleet_region",
         "cooperate mycase --players municipalities.csv --rules weights.toml", without=("extend",))  # fmt: skip
    _add(app, robust, "robust instances/nbb --relax --future base=2 --future ferry_closed",
         "robust mycase --first-periods 2", without=("extend", *WHAT_IF))  # fmt: skip


def _shared(
    instance: InstancePath,
    relax: Annotated[bool, typer.Option("--relax", help="LP relaxations: quick lower bounds, a first look.")] = False,
    model: Annotated[
        str, typer.Option("--model", callback=of_today, help="A model of models/, or a path to a .toml.")
    ] = "joint",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for table and page [default: runs/NAME-STUDY]; finished solves stay."),
    ] = None,
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
    """The options of every study."""


def _add(
    app: typer.Typer, study: Callable[..., Any], *examples: str, model: str = "joint", without: tuple[str, ...] = ()
) -> None:
    """Add a study as a command: its options, and those of all but `without`."""
    instance, *shared = (
        each.replace(default=model) if each.name == "model" else each
        for each in inspect.signature(_shared, eval_str=True).parameters.values() if each.name not in without
    )  # fmt: skip
    _region, *own = inspect.signature(study, eval_str=True).parameters.values()
    own = [each for each in own if each.kind is not each.VAR_KEYWORD]

    def command(**given: Any) -> None:
        asked = {each.name: given.pop(each.name) for each in own}
        _answer(study, asked, given)

    parameters = [each.replace(kind=each.KEYWORD_ONLY) for each in (instance, *own, *shared)]
    command.__name__ = study.__name__
    command.__doc__ = f"{study.__doc__}\n\nCtrl-C keeps finished solves; the same command goes on with the others."
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    app.command(epilog="Example: " + "; ".join(f"nbb-opt {each}" for each in examples))(command)


def _answer(study: Callable[..., Any], asked: Options, shared: Options) -> None:
    """Make the study and show its answer."""
    from nbb_opt.api.data import freight
    from nbb_opt.options import SolveOptions
    from nbb_opt.solve import Stop

    instance, out, as_json, workers = (shared.pop(name) for name in ("instance", "out", "as_json", "workers"))
    what_if = [shared.pop(name, None) for name in WHAT_IF]
    region = in_what_if(instance, *what_if) or freight(instance, study.__name__)
    options = SolveOptions(**{name: shared.pop(name) for name in ("gap", "time_limit_s", "threads", "seed")})
    words = [region.meta.name, study.__name__, *(str(asked[name]) for name in NAMED if asked.get(name))]
    words += ["relaxed"] if shared["relax"] else []
    words += [region.what_if.name] if region.what_if is not None else []
    target = out or Path("runs") / "-".join(words).replace(":", "-")
    with ProgressLine(sys.stderr) as line, logged(sys.stderr):
        found = study(
            region, **asked, **shared, options=options, out=target, stop=Stop(float("inf")), progress=line,
            workers=int(workers) if workers.isdecimal() else workers,
        )  # fmt: skip
    show(found, as_json)
    if not as_json:
        print(f"see {target / found.name}.html and its tables")


def sweep(
    region: Any,
    vary: Annotated[
        str,
        typer.Option(
            help="What is multiplied: demand, carbon_price, energy_price, energy_price:CARRIER, "
            "capacity:LINK or capacity:TERMINAL, rule:POLICY."
        ),
    ] = "",
    values: Annotated[str, typer.Option(help="Factors on the instance's own figures, joined by commas.")] = "",
    **how: Any,
) -> Any:
    """Solve at many demands, prices, capacities or limits, a point for each factor."""
    import nbb_opt as nbb

    try:
        factors = [float(word) for word in values.split(",") if word.strip()]
    except ValueError:
        raise typer.BadParameter(f"--values {values!r}: write numbers joined by commas, as in 0.8,1,1.2") from None
    return nbb.sweep(region, vary=vary, values=factors, **how)


def pareto(
    region: Any,
    points: Annotated[int, typer.Option(min=2, help="Points, both ends among them.")] = 20,
    year: Annotated[
        int | None, typer.Option(help="Emissions in a year of this period; else over the whole horizon.")
    ] = None,
    **how: Any,
) -> Any:
    """What does each tonne less cost? The front of system cost against WTW emissions, and what enters along it."""
    import nbb_opt as nbb

    return nbb.pareto(region, points=points, year=year, **how)


def abate(
    region: Any,
    measures: Annotated[int, typer.Option(min=1, help="Measures listed, the largest of each kind in turns.")] = 20,
    price_eur_per_t: Annotated[
        float, typer.Option("--price", min=0.0, help="What a tonne of CO2e is worth at the end of the curve, EUR.")
    ] = 300.0,
    **how: Any,
) -> Any:
    """In which order do we act? A marginal abatement cost curve with named measures, alone and in sequence."""
    import nbb_opt as nbb

    return nbb.abate(region, measures=measures, price_eur_per_t=price_eur_per_t, **how)


def tornado(
    region: Any,
    tables: Annotated[
        list[str] | None, typer.Option("--table", help="Only ranges of this table; may be given several times.")
    ] = None,
    samples: Annotated[
        int, typer.Option(min=0, help="Draws with every figure varied at once (Latin hypercube); 0: none.")
    ] = 0,
    **how: Any,
) -> Any:
    """Which uncertain figure matters: each of table ranges at its low and high end, the greatest effect first."""
    import nbb_opt as nbb

    return nbb.tornado(region, tables=tables or (), samples=samples, **how)


def cooperate(
    region: Any,
    by: Annotated[str, typer.Option(help="Column of nodes: country, fleet_region, charge_area or nuts3.")] = "country",
    players: Annotated[
        Path | None, typer.Option(help="A .csv file with columns player and node, instead of --by.")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="A .toml file: what is harmonised between players that plan together.")
    ] = None,
    **how: Any,
) -> Any:
    """What planning together is worth: every coalition of countries (or others) solved, and the gain shared out."""
    import nbb_opt as nbb

    return nbb.cooperate(region, by=by, players=players, rules=rules, **how)


def robust(
    region: Any,
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
    **how: Any,
) -> Any:
    """Which plan holds in every future: regret, two-stage plans, no-regret projects, and what each project is worth."""
    import nbb_opt as nbb

    return nbb.robust(
        region, futures=futures or (), first_periods=first_periods, risk=risk, tail=tail, method=method, rounds=rounds,
        near=near, projects=not no_projects, **how,
    )  # fmt: skip
