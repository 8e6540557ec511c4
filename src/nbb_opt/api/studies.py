"""Studies: one region solved at many values, a fleet plan audited, emissions counted in other ways."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import pandas as pd

from nbb_opt.api.data import freight
from nbb_opt.api.plans import LOG, Result, callback_of, freight_plan, solve, with_changes
from nbb_opt.arguments import checked, folder, named
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.options import SolveOptions
from nbb_opt.output import check_folder, check_new
from nbb_opt.run_folder import RECORD
from nbb_opt.shipped import cache_folder

if TYPE_CHECKING:
    from nbb_opt.api.plans import Callback
    from nbb_opt.model import ModelSpec
    from nbb_opt.pipeline import Steps
    from nbb_opt.problems.result import ProblemInstance
    from nbb_opt.report.study import Answer
    from nbb_opt.solve.stop import Stop
    from nbb_opt.studies.audit.view import Audit
    from nbb_opt.studies.explain import Explained
    from nbb_opt.studies.units import StudyOptions


class StudyArguments(TypedDict, total=False):
    """What every study of many solves is given besides its own parameters.

    `relax` solves LP relaxations: quick, and every cost is a lower bound. `options`, `gap` and `time_limit_s` are those
    of each solve. With `out` page and tables are written there and finished solves are not made again; Ctrl-C keeps
    them. `workers` is a number of processes, or the address of a Dask scheduler.
    """

    relax: bool
    options: SolveOptions | None
    gap: float | None
    time_limit_s: float | None
    out: Path | str | None
    progress: Callback | None
    cache: bool
    stop: Stop | None
    workers: int | str


DEFAULTS = {"relax": False, "cache": True, "workers": 1}  # of StudyArguments; None of the others


def _how(model: str, given: StudyArguments, *, extend: Path | str | None = None) -> StudyOptions:
    """How a study is made, of what a function is given."""
    from nbb_opt.studies.units import StudyOptions

    out, callback = given.get("out"), given.get("progress")
    return StudyOptions(
        model=model, options=with_changes(given.get("options"), gap=given.get("gap"),
                                          time_limit_s=given.get("time_limit_s")),
        relax=given.get("relax", False), extend=None if extend is None else Path(extend),
        out=None if out is None else folder(out), workers=given.get("workers", 1),
        cache_dir=cache_folder() if given.get("cache", True) else None, callback=callback_of(callback), say=LOG.info,
        stop=given.get("stop"),
    )  # fmt: skip


@checked
def sweep(
    region: Instance | ProblemInstance | Path | str,
    *,
    vary: str = "",
    values: Sequence[float] = (),
    front: int | None = None,
    model: str | None = None,
    cold_start: bool = False,
    extend: Path | str | None = None,
    **how: Unpack[StudyArguments],
) -> Answer:
    """One thing times each of `values`: a row for each point; or `front` points of cost against emissions: `pareto`.

    The model is `joint`, of fronts `least_cost`, or what `model` names.

    `vary` is demand, carbon_price, energy_price, energy_price:CARRIER, capacity:LINK or TERMINAL, rule:POLICY.
    `cold_start` solves each point from nothing. `extend` is a file with rules and costs of your own
    (models/EXTENDING.md); the costs of the points have yours in them then. `how` are the parameters that all studies
    share: relax, options, gap, time_limit_s, out, progress, cache, stop, workers. The time limit is for each point;
    with `out` page and tables are written there and finished points are not solved again; `workers` is a number of
    processes, or the address of a Dask scheduler; `relax` solves LP relaxations: every cost is a lower bound.

    >>> from nbb_opt import examples
    >>> found = sweep(examples.tiny(), vary="demand", values=[0.9, 1.1], relax=True)
    >>> found["factor"].tolist(), bool(found["cost_eur"].is_monotonic_increasing)
    ([0.9, 1.1], True)
    """
    from nbb_opt.studies.sweep import run_sweep

    if front is not None:
        if vary or values or cold_start:
            raise NbbError(
                "sweep: front= takes the place of vary=, values= and cold_start=; leave out one or the other"
            )
        return pareto(region, points=front, model=model or "least_cost", extend=extend, **how)
    return run_sweep(
        freight(region, "sweep"),
        _how(model or "joint", how, extend=extend),
        vary=vary,
        values=values,
        cold_start=cold_start,
    )


@checked
def pareto(
    region: Instance | ProblemInstance | Path | str,
    *,
    points: int = 20,
    year: int | None = None,
    model: str = "least_cost",
    extend: Path | str | None = None,
    **how: Unpack[StudyArguments],
) -> Answer:
    """What each tonne less costs: the front of system cost against WTW emissions, a row for each point.

    The least cost under each of evenly spaced caps on the emissions over the horizon, or in a year of the period
    `year`, between the cheapest plan and the one that emits least. A point is `supported` where a price of CO2e makes
    it the cheapest; `eur_per_t_co2e` is what a tonne less costs from the supported point before. `enters` and `leaves`
    name what is decided otherwise than in the point before, and table `pareto_steps` has all of it. The other
    parameters are those of `sweep`.

    >>> from nbb_opt import examples
    >>> front = pareto(examples.tiny(), points=3, relax=True)
    >>> bool(front["cost_eur"].is_monotonic_increasing), bool(front["emissions_t_co2e"].is_monotonic_decreasing)
    (True, True)
    """
    from nbb_opt.studies.pareto import run_pareto

    return run_pareto(freight(region, "pareto"), _how(model, how, extend=extend), points=points, year=year)


@checked
def abate(
    region: Instance | ProblemInstance | Path | str,
    *,
    measures: int = 20,
    price_eur_per_t: float = 300.0,
    model: str = "least_cost",
    **how: Unpack[StudyArguments],
) -> Answer:
    """In which order to act: a marginal abatement cost curve with named measures, a row for each step.

    From the plan of the market and of what is committed to the plan with every measure allowed and each tonne of WTW
    CO2e worth `price_eur_per_t`, over the horizon. A measure is a project, the trucks of a technology that a region
    buys, a fuel, or freight between two regions by rail or sea; the largest `measures` are listed. `cost_eur` and
    `tonnes_cut_t_co2e` are those of a step after the steps above it, `alone_*` those of its measure alone; steps add up
    to the difference of the ends. A measure is often less than a gap of the whole: give a small `gap`, or `relax`.
    The other parameters are those of `sweep`.

    >>> from nbb_opt import examples
    >>> found = abate(examples.tiny(), price_eur_per_t=3500.0, relax=True)
    >>> ends = [found.records[name]["cost_eur"] for name in ("market and committed", "everything at once")]
    >>> bool(abs(found["cost_eur"].sum() - (ends[1] - ends[0])) < 1e-6)
    True
    """
    from nbb_opt.studies.abate import run_abate

    return run_abate(
        freight(region, "abate"), _how(model, how), measures=measures, price_eur_per_t=price_eur_per_t
    )  # fmt: skip


@checked
def audit(
    region: Instance | ProblemInstance | Path | str,
    plan: Path | str,
    *,
    options: SolveOptions | None = None,
    gap: float | None = None,
    time_limit_s: float | None = None,
    each_s: float = 20.0,
    changes: int = 8,
    scenarios: bool = True,
    smart_charging: bool = False,
    out: Path | str | None = None,
    cache: bool = True,
) -> Audit:
    """Audit a haulier's fleet plan (a .csv or .xlsx file): faults, cost, nearest plan that works, best changes.

    The time limit is for the best plan, `each_s` for each smaller solve; `changes` is how many single changes are
    looked for; `scenarios` also tries the plan in those of the instance. Where the instance has shifts, a plan that
    works in a year is judged by the hour too (`charging_day`), with plain charging or with `smart_charging`. With `out`
    page and tables are written there.

    >>> from nbb_opt import examples
    >>> region = examples.haulier()
    >>> found = audit(region, region.path / "plan.csv", changes=0, scenarios=False, gap=0.05)
    >>> len(found.faults) > 0, found.repair.solution.objective >= found.best.bound
    (True, True)
    """
    from nbb_opt.studies.audit.audit import audit as run_audit
    from nbb_opt.studies.audit.charging_day import PLAIN, SMART

    _check_out(out, "audit.html")
    instance = freight(region, "audit")
    found = run_audit(
        instance, Path(plan), options=with_changes(options, gap=gap, time_limit_s=time_limit_s), each_s=each_s,
        changes=changes, scenarios=scenarios, charging=SMART if smart_charging else PLAIN,
        cache_dir=cache_folder() if cache else None, say=LOG.info,
    )  # fmt: skip
    if out is not None:
        found.save(Path(out))
    return found


@checked
def fleet_plan(region: Instance | ProblemInstance | Path | str, path: Path | str) -> Path:
    """Write today's fleet as a fleet plan (.csv or .xlsx) to begin with, for `audit`.

    >>> import tempfile
    >>> from nbb_opt import examples
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pd.read_csv(fleet_plan(examples.haulier(), Path(folder, "plan.csv"))).columns.tolist()
    ['what', 'place', 'type', 'year', 'number', 'note']
    """
    from nbb_opt.studies.audit.plan import template, write_plan

    path, instance = named(path, ".csv", ".xlsx", what="fleet plan"), freight(region, "audit")
    check_new(path)
    write_plan(template(instance), path)
    return path


@checked
def sensitivity(
    source: Result | Instance | ProblemInstance | Path | str,
    *,
    choices: Sequence[str] = (),
    factors: Path | str | None = None,
    ferry_shares: dict[str, float] | None = None,
    instance: Instance | Path | str | None = None,
    model: str = "joint",
    options: SolveOptions | None = None,
    out: Path | str | None = None,
    cache: bool = True,
    stop: Stop | None = None,
    workers: int | str = 1,
) -> Answer:
    """Sensitivity to emission accounting: a plan counted in other ways, and the plan that is best when it is.

    `source` is a plan, a run folder (verified first, with its `instance` if it moved) or a region, which is solved by
    `model` first. `choices` are names of ways to count, all if there are none; `factors` is a table of your own, added
    to the shipped one; `ferry_shares` are shares of a ferry borne by freight by method of allocation. Each way is
    solved as the plan was, with the bars it is compared with, and takes about as long. With `out` page and tables are
    written there, and ways that are finished are not solved again; `workers` is a number of processes, or the address
    of a Dask scheduler.

    >>> from nbb_opt import examples
    >>> found = sensitivity(solve(examples.tiny()), choices=["boundary_ttw"])
    >>> found.table["choice"].tolist()
    ['as_stated', 'boundary_ttw']
    """
    from nbb_opt.emissions.factors import joined, read_factors
    from nbb_opt.problems.freight import accepted
    from nbb_opt.problems.handlers import VerifyRequest
    from nbb_opt.report.study import STUDY
    from nbb_opt.studies.accounting.choices import AGAIN, accounting_choices, chosen
    from nbb_opt.studies.accounting.study import accounting_study, sensitivity_answer

    registry = read_factors() if factors is None else joined(read_factors(), read_factors(Path(factors)))
    ways = chosen(accounting_choices(registry, ferry_shares), choices)
    how = _how(model, {"options": options, "out": out, "cache": cache, "stop": stop, "workers": workers})
    if how.out is not None:
        check_folder(how.out, STUDY)
    if isinstance(source, Result):
        plan = source
    elif isinstance(source, (str, Path)) and Path(source, RECORD).is_file():
        request = VerifyRequest(run=Path(source), instance=Path(instance) if isinstance(instance, str) else instance)
        run, region, _verdict = accepted(request.run, request)
        plan = Result(run, region, {"accepted": True})
    else:
        found = solve(freight(source, "sensitivity"), model, options=options, cache=cache)
        assert isinstance(found, Result)
        plan = found
        ways = tuple(way for way in ways if choices or way.name != AGAIN)  # solved just now
    study, rows = accounting_study(plan.instance, plan.run, ways, how)
    return _kept(sensitivity_answer(plan.instance, rows, study), out)


@checked
def tornado(
    region: Instance | ProblemInstance | Path | str,
    *,
    tables: Sequence[str] = (),
    samples: int = 0,
    model: str = "joint",
    **how: Unpack[StudyArguments],
) -> Answer:
    """Which uncertain figure matters: each of table `ranges` at its low and its high end, the greatest effect first.

    A row for each end: difference of cost and emissions to the region as it is, what enters and leaves, and whether the
    difference of cost is proven (`decided`). `tables` are those to vary, all if there are none. `samples` are drawn
    with all figures varied at once (Latin hypercube): how far the effects add up, and in which share of the draws each
    project is built, are the tables `tornado_samples` and `tornado_projects`. LP relaxations name no projects. The
    other parameters are those of `sweep`.

    >>> from nbb_opt import examples
    >>> found = tornado(examples.tiny(), tables=["chargers"], relax=True)
    >>> sorted(set(found["end"])), bool(found["cost_difference_eur"].abs().max() > 0)
    (['high', 'low'], True)
    """
    from nbb_opt.studies.tornado import run_tornado

    return run_tornado(freight(region, "tornado"), _how(model, how), tables=tables, samples=samples)


@checked
def cooperate(
    region: Instance | ProblemInstance | Path | str,
    *,
    by: str = "country",
    players: pd.DataFrame | Path | str | None = None,
    rules: Path | str | None = None,
    model: str = "joint",
    **how: Unpack[StudyArguments],
) -> Answer:
    """What planning together is worth, and how to share it: every coalition of players solved and verified.

    Players are the values of a column of `nodes` (`by`: country, fleet_region, charge_area or nuts3), or those of a
    table (or .csv file) `players` with columns player and node. `rules` is a .toml file with what is harmonised between
    players that plan together. What a coalition may do is in src/nbb_opt/studies/cooperate/README.md. Tables are
    `coalitions`, `shares`, `projects`, `borders` and `components`; `figures` are those of the game. The other
    parameters are those of `sweep`.

    >>> from nbb_opt import examples
    >>> found = cooperate(examples.tiny(), gap=1e-6)
    >>> found.coalitions["coalition"].tolist(), bool(found.coalitions["verified"].all())
    (['FI', 'SE', 'FI+SE'], True)
    """
    from nbb_opt.studies.cooperate.coalitions import players_of, read_players, read_rules
    from nbb_opt.studies.cooperate.study import run_cooperate

    instance = freight(region, "cooperate")
    if isinstance(players, (str, Path)):
        players = read_players(named(players, ".csv", what="table of players"))
    return run_cooperate(
        instance, players_of(instance, by=by, table=players), _how(model, how),
        rules=() if rules is None else read_rules(Path(rules)),
    )  # fmt: skip


@checked
def robust(
    region: Instance | ProblemInstance | Path | str,
    *,
    futures: Sequence[str] = (),
    first_periods: int = 1,
    risk: float = 0.5,
    tail: float = 0.2,
    method: str = "auto",
    rounds: int = 10,
    near: float = 1e-3,
    projects: bool = True,
    model: str = "joint",
    **how: Unpack[StudyArguments],
) -> Answer:
    """Which plan holds in every future: regret, two-stage plans, what knowing the future is worth, no-regret projects.

    `futures` are scenarios of the region or .toml files, each perhaps with `=WEIGHT`, and `base` is the region as it
    is; all of them, equally likely, if none is named. Decisions of the first `first_periods` periods (projects, trucks,
    chargers) are the same in all, later ones are made knowing the future. `risk` is the weight of the dearest share
    `tail` of futures in the cautious plan. `method` is "extensive" (all futures in one model), "decompose" (one by one,
    at most `rounds` of prices that draw them together), or "auto" by the size. `projects` also makes the table of what
    each is worth, and finds those in every plan within `near` of the best. Tables are `plans`, `regret`,
    `first_decisions` and `projects`. What is computed: src/nbb_opt/studies/robust/README.md. The other parameters are
    those of `sweep`.

    >>> from nbb_opt import examples
    >>> region = examples.haulier()
    >>> found = robust(region, futures=["base", "hard winters=0.5"], relax=True, projects=False)
    >>> bool(found.figures["value_of_perfect_information_eur"] >= 0), found.plans["plan"].tolist()[:2]
    (True, ['best of mean of the futures', 'best of base'])
    """
    from nbb_opt.studies.robust.futures import futures_of
    from nbb_opt.studies.robust.study import Question, run_robust

    instance = freight(region, "robust")
    question = Question(
        first_periods=first_periods, risk=risk, tail=tail, method=method, rounds=rounds, near=near, projects=projects
    )
    question.check(len(instance.periods))
    named_futures, weight = futures_of(instance, futures)
    return run_robust(instance, _how(model, how), futures=named_futures, weight=weight, question=question)


@checked
def explain(
    plan: Result | Path | str,
    *,
    origin: str,
    destination: str,
    commodity: str,
    year: int | None = None,
    instance: Instance | Path | str | None = None,
    time_limit_s: float = 600.0,
    out: Path | str | None = None,
    cache: bool = True,
) -> Explained:
    """Why a flow of a plan goes the way it goes: every candidate way, its cost split, its limit, what would flip it.

    The whole numbers of the plan are fixed; costs are EUR per tonne at the prices (duals) of the linear program that is
    left, scarcity of full links, terminals and rules among them. `flips` of the result are the smallest price changes
    that bring the best other way of each mode in, tried by solving again. `year` is a period, the last with demand if
    not given. Printed by its `lines`. With `out` page and tables are written there.

    >>> from nbb_opt import examples
    >>> plan = solve(examples.tiny(), gap=1e-6)
    >>> found = explain(plan, origin="MINE", destination="WEST", commodity="ORE")
    >>> bool(found.table["above_eur_per_t"].iloc[0] < 1e-6), len(found.table) > 1
    (True, True)
    """
    from nbb_opt.studies.explain import explain_flow

    _check_out(out, "explain.html")
    given = freight_plan(plan, "explain", instance=instance)
    spec, steps = priced_steps(given, "explain", time_limit_s)
    prepared = steps.prepare(given.instance, cache_dir=cache_folder() if cache else None, prune=False)
    found = explain_flow(
        given.instance, given.run, spec, steps, prepared, origin=origin, destination=destination, commodity=commodity,
        year=year, say=LOG.info,
    )  # fmt: skip
    _kept(found, out)
    return found


@checked
def control_totals(
    plan: Result | Instance | Path | str, *, instance: Instance | Path | str | None = None,
    out: Path | str | None = None,
) -> Answer:  # fmt: skip
    """Observed totals of the instance beside the flows of a plan's frozen plan in the first period.

    A row for each row of table `control_totals`; `deviation` is modelled / observed - 1. `plan` is a plan, a run
    folder (with its `instance` if it moved), or an instance: of it the first period alone is solved. With `out` page
    and tables are written there.

    >>> from nbb_opt import examples
    >>> row = {"total": "T", "name": "Trucks", "measure": "work_tkm_per_year", "modes": "road", "observed": 1e7}
    >>> row |= {"observed_year": 2024, "outside": 0, "source": "made_up", "note": ""}
    >>> region = examples.tiny().with_table("control_totals", pd.DataFrame([row]))
    >>> found = control_totals(solve(region, "frozen"))
    >>> found[["name", "modelled", "deviation"]].round(2).values.tolist()
    [['Trucks', 8000000.0, -0.2]]
    """
    from nbb_opt.studies.control_totals import base_year
    from nbb_opt.studies.control_totals import control_totals as compared

    _check_out(out, "totals.html")
    if isinstance(plan, Instance):
        return _kept(compared(plan, base_year(plan)), out)
    given = freight_plan(plan, "totals", instance=instance)
    return _kept(compared(given.instance, given.frozen.run), out)


def _check_out(out: Path | str | None, page: str) -> None:
    """Before anything is solved: the folder may be written."""
    if out is not None:
        check_folder(folder(out), page)


def _kept(found: Answer, out: Path | str | None) -> Answer:
    """An answer, saved to the folder `out` if there is one."""
    if out is not None:
        found.save(Path(out))
    return found


def priced_steps(given: Result, what: str, time_limit_s: float) -> tuple[ModelSpec, Steps]:
    """The model of a plan and the steps to solve it for prices. Raises NbbError for plans without prices."""
    from nbb_opt.model import read_model
    from nbb_opt.pipeline import Steps

    if "extension" in given.record:
        raise NbbError(f"{what}: the prices of a plan with rules of your own are not known here")
    spec = read_model(str(given.record["model"]))
    if spec.flows != "free":
        raise NbbError(f"{what}: the flows of model '{spec.name}' are given; take a plan that chooses them")
    if spec.cuts:
        spec = spec.with_caps(given.run.frozen_t(given.instance.periods[0].year))
    return spec, Steps(SolveOptions(time_limit_s=time_limit_s, method="monolith", statement="arrays"))
