"""The freight problem: what the interface asks of it (its model, solver and report are the rooms of the package)."""

from __future__ import annotations

import logging
import math
import shlex
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from nbb_opt.acceptance import accept_run
from nbb_opt.emissions.ledger import build_ledger
from nbb_opt.errors import InstanceError, ModelError, NbbError, Problem, VerifyFailed
from nbb_opt.instance import Instance, read_instance
from nbb_opt.instance.what_if import changed
from nbb_opt.instance.wording import by_another_program
from nbb_opt.model import extract, read_model, standard_form
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import Steps, accept, solve_instance, write
from nbb_opt.problems.handlers import (
    Believed,
    Handlers,
    ReportRequest,
    SolveRequest,
    StatedModel,
    VerifyRequest,
)
from nbb_opt.problems.result import Response
from nbb_opt.result import FRONT, FROZEN, Run, read_run
from nbb_opt.run_folder import check_target
from nbb_opt.shipped import cache_folder
from nbb_opt.solve import Progress, Stop
from nbb_opt.verify import Verdict, verify_plan
from nbb_opt.verify.foreign import is_foreign, verify_foreign

MODEL = "joint"
FRONT_MODEL = "least_cost"
LOG = logging.getLogger("nbb_opt")


def check(path: Path) -> Response:
    """What is in an instance that has no fault."""
    try:
        found = read_instance(path)
    except InstanceError as error:
        if not any(by_another_program(problem) for problem in error.problems):
            raise
        paths = f"{shlex.quote(str(path))} {shlex.quote(str(path.with_suffix('')) + '-tidy')}"
        hint = f"nbb-opt convert {paths} reads them and says what it assumed"
        last = Problem(str(path), "holds tables as other programs write them", hint, "dialect")
        raise InstanceError([*error.problems, last]) from None
    scenarios = found.scenarios
    for scenario in scenarios.values():  # each can be applied
        changed(lambda table: found[table].copy(), scenario.changes)
    rows = {name: len(table) for name, table in found.tables.items() if len(table)}
    lines = (
        f"{found.meta.title}: no problems found",
        "rows: " + ", ".join(f"{name} {count}" for name, count in rows.items()),
        f"periods: {', '.join(f'{p.year} ({p.years} years)' for p in found.periods)}; digest {found.digest[:16]}",
        *([f"scenarios: {', '.join(scenarios)}"] if scenarios else ()),
    )
    record = {"ok": True, "name": found.meta.name, "digest": found.digest, "rows": rows}
    record["scenarios"] = list(scenarios)
    return Response(record, lines)


def solve(request: SolveRequest) -> Response:
    """Solve the model and its bars, verify all, write run folder, report and workbook."""
    from nbb_opt.report.headline import closing_block

    model = request.model or MODEL
    rules = None
    if request.extend is not None:
        from nbb_opt.model.rules_file import read_rules

        rules = read_rules(request.extend)
    instance = request.changed or read_instance(request.instance)
    name = f"{instance.meta.name}-{Path(model).stem}"
    if instance.what_if is not None:
        name += f"-{instance.what_if.name}"
    with ExitStack() as stack:
        workers = None
        if request.cluster is not None:
            from nbb_opt.cluster import connect

            workers = stack.enter_context(connect(request.cluster))
        out = request.out or Path("runs") / name
        check_target(out)
        run = solve_instance(
            instance, out=out, model=model,
            options=request.options, cache_dir=cache_folder() if request.cache else None, callback=request.callback,
            say=LOG.info, stop=request.stop, cluster=workers, rules=rules,
        )  # fmt: skip
    if request.front:  # which takes long: the plan is written by now
        run = write(out, instance, _with_front(instance, run, request))
    files = {"run": str(run.path), "report": str(run.path / "report.html"), "workbook": str(run.path / "report.xlsx")}
    return Response({**run.record, "files": files}, (closing_block(instance, run),))


def _with_front(instance: Instance, run: Run, request: SolveRequest) -> Run:
    """The run with a relaxed front of cost against emissions beside it, without caps and rules of the user's own.

    Its record says between how many battery trucks the plan lies, where energy on the way and the grid have ranges.
    """
    from nbb_opt.studies.battery_range import battery_range
    from nbb_opt.studies.pareto import run_pareto
    from nbb_opt.studies.units import StudyOptions

    def callback(progress: Progress) -> None:
        if request.callback is not None:
            request.callback(replace(progress, phase=f"front: {progress.phase}"))

    started = time.perf_counter()
    how = StudyOptions(
        model=FRONT_MODEL, options=request.options, relax=True, callback=callback, say=LOG.info,
        cache_dir=cache_folder() if request.cache else None,
        stop=Stop(math.inf, started=request.stop.started, asked=request.stop.asked),
    )  # fmt: skip
    found = run_pareto(instance, how, points=request.front)
    run.record["seconds"]["front"] = round(time.perf_counter() - started, 3)
    if request.extend is None and FROZEN in run.bars:
        steps = Steps(replace(request.options, statement="arrays"), stop=how.stop)
        spec = read_model(request.model or MODEL).with_caps(run.frozen_t(instance.periods[0].year))
        if (ends := battery_range(instance, spec, steps)) is not None:
            run.record["battery_trucks_between"] = ends
    csv = found[["cost_eur", "emissions_t_co2e", "eur_per_t_co2e"]].to_csv(index=False)
    return replace(run, beside={**run.beside, FRONT: csv})


def state(path: Path, model: str | None, options: SolveOptions) -> StatedModel:
    """The model on an instance, and how its columns are verified; ModelError if its flows are of another plan."""
    spec, instance = read_model(model or MODEL), read_instance(path)
    if spec.flows != "free":
        raise ModelError(f"model '{spec.name}': its flows are those of another plan, which no solver elsewhere has")
    steps = Steps(options)
    prepared = steps.prepare(instance)
    spec = steps.with_caps(prepared, spec)
    built = steps.build(instance, prepared, spec)
    form = standard_form(built)

    def accept_values(values: np.ndarray) -> Response:
        tables = extract(built, values, None)
        claims = {"cost_eur": float(form.cost @ values) + form.cost_offset}
        verdict = verify_plan(
            instance, tables, blocks=spec.blocks, technologies=spec.technologies, projects=spec.projects,
            reported=claims, prices=spec.prices, caps_t=spec.caps_in(period.year for period in instance.periods),
        )  # fmt: skip
        accept(verdict, "solution")
        return Response({"ok": True, "cost_eur": verdict.cost_eur, "checks": len(verdict.checks)}, verdict.lines)

    return StatedModel(spec.name, f"{spec.title}, {instance.meta.name}", form, accept_values)


def verify(request: VerifyRequest) -> Verdict:
    """The verdict on a run folder, or on the tables of another engine (models/SOLUTIONS.md)."""
    if not is_foreign(request.run):
        return accepted(request.run, request)[2]
    if request.instance is None:
        raise NbbError(f"{request.run}: these are tables of another engine; say of which instance with instance=")
    spec = read_model(request.model or MODEL)
    if spec.flows != "free":
        raise NbbError(
            f"{request.model}: its flows are those of another plan, which tables alone do not hold; verify a run folder"
        )
    instance = as_instance(request.instance)
    if spec.cuts:
        steps = Steps()
        spec = steps.with_caps(steps.prepare(instance), spec)
    verdict = verify_foreign(
        request.run, instance, blocks=spec.blocks, technologies=spec.technologies,
        projects=spec.projects, prices=spec.prices, caps_t=spec.caps_in(period.year for period in instance.periods),
    )  # fmt: skip
    accept(verdict, f"plan in {request.run}")
    return verdict


def accepted(path: Path, request: VerifyRequest | ReportRequest) -> tuple[Run, Instance, Verdict]:
    """A run, its instance and its verdict; altered files are read too: the verifier says which rule breaks."""
    run = read_run(path, refuse_altered=False)
    given = as_instance(request.instance or Path(str(run.record.get("instance_source", ""))))
    instance = given.as_recorded(run.record)
    cache = not isinstance(request, VerifyRequest) or request.cache
    verdict = accept_run(
        run, instance, model_file=None if request.model is None else Path(request.model), again_s=request.again_s,
        cache_dir=cache_folder() if cache else None,
    )  # fmt: skip
    return run, instance, verdict


def as_instance(given: Instance | Path | str) -> Instance:
    """The instance, read if it is a path."""
    return given if isinstance(given, Instance) else read_instance(given)


def report(request: ReportRequest) -> Response:
    """One HTML report and one workbook beside it; runs of folders are verified first, and the lines say so."""
    from nbb_opt.emissions.exchange import write_exchange
    from nbb_opt.emissions.factors import read_factors
    from nbb_opt.report import write_html, write_workbook
    from nbb_opt.report.kpis import with_outside
    from nbb_opt.report.study import read_section

    if request.ileap is not None and len(request.plans) > 1:
        raise NbbError("ileap=: is about one run; give one run folder")
    plans, lines = [], []
    for each in request.plans:
        if isinstance(each, Believed):
            plans.append(each)
            continue
        assert isinstance(each, Path)
        run, instance, verdict = accepted(each, request)
        plans.append(Believed(run, instance, build_ledger(instance, run.tables)))
        lines += [f"{each}: {line}" for line in verdict.lines]
    if len({plan.run.record["instance_digest"] for plan in plans}) > 1:
        raise VerifyFailed("the runs do not belong together: they were made from different data")
    region, runs, ledgers = plans[0].instance, [plan.run for plan in plans], [plan.ledger for plan in plans]
    if request.outside:
        runs = [with_outside(region, run) for run in runs]
    own = None if request.intensities is None else read_factors(request.intensities)
    page, book = request.out, request.out.with_suffix(".xlsx")
    studies = [read_section(folder, region) for folder in request.studies]
    write_html(region, runs, page, ledgers=ledgers, own=own, studies=studies)
    write_workbook(region, runs, book, ledgers=ledgers, own=own)
    files, lines = [str(page), str(book)], [*lines, f"wrote {page} and {book}"]
    if request.ileap is not None:
        carriers = dict(request.carriers)
        found = write_exchange(region, ledgers[0], request.ileap, carriers=carriers, hub_carrier=request.hub_carrier)
        written = [str(file) for file in found]
        files, lines = [*files, *written], [*lines, f"wrote {', '.join(written)}"]
    return Response({"files": files}, tuple(lines))


HANDLERS = Handlers(
    check=check, read=read_instance, load=lambda path, _instance: read_run(path), solve=solve, verify=verify,
    report=report, state=state,
)  # fmt: skip
