"""What the interface asks of stram: check, read, load, solve, verify, report, convert."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import numpy as np

from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import Steps, accept
from nbb_opt.problems.handlers import (
    Handlers,
    ReportRequest,
    SolveRequest,
    StatedModel,
    VerifyRequest,
    bound_line,
    no_problems,
    refuse,
    write_page,
)
from nbb_opt.problems.result import ProblemResult, Response, as_claimed, refuse_faults, with_instance
from nbb_opt.problems.stram import StramCase, convert_stram, read_stram, verify_stram
from nbb_opt.problems.stram.model import build_stram, chosen_statement, read_stram_model
from nbb_opt.problems.stram.model.extract import extract_stram
from nbb_opt.problems.stram.plan import FIRST_YEAR, StramPlan, first_emissions_t, options_of, plan_stram
from nbb_opt.problems.stram.run import read_stram_run, run_files
from nbb_opt.problems.stram.schema import PROBLEM
from nbb_opt.problems.stram.words import figure_lines, figures_of, investments_of
from nbb_opt.run_folder import history_csv, versions, write_folder
from nbb_opt.verify.shape import SIZES, STRAM_RUN, refuse_other_shapes, same, word_line

MODEL = "stram"
LIBRARIES = ("highspy", "numpy", "pandas", "pyarrow", "scipy")


def check(path: Path) -> Response:
    """What is in an instance that has no fault."""
    case = read_stram(path)
    return no_problems(PROBLEM, case.name, case.keys["title"], case.tables, case.digest)


def load(path: Path, instance: Path | StramCase | None) -> ProblemResult:
    """A run, with its instance."""
    run = read_stram_run(path)
    refuse_other_shapes(run.record, path, STRAM_RUN, {})
    return with_instance(run, instance, read_stram, _closing)[0]


def solve(request: SolveRequest) -> ProblemResult:
    """Plan the first year alone and the years of the model, verify both, write the run folder."""
    spec = read_stram_model(request.model or MODEL)
    request.refuse_of_freight(PROBLEM)
    steps = Steps(request.options, stop=request.stop, callback=request.callback)
    with steps.timed("read"):
        case = request.instance if isinstance(request.instance, StramCase) else read_stram(request.instance)
    target = request.target(case.name, spec.name)
    with request.stop.by_ctrl_c():
        plan, first = plan_stram(case, spec, steps)
    record = _record(case, plan, first, steps)
    beside = {
        "verify.json": json.dumps(plan.verdict.checks.to_dict("records"), indent=1),
        "solver.log": plan.solution.log,
        "bounds.csv": history_csv(plan.solution.history, money="nok"),
    }
    alone = first.tables if first else {}
    files, lines = run_files(record, plan.tables, alone, beside=beside), _closing(case, record)
    if target is not None:
        write_folder(target, files, replace=True)
        lines.append(f"  tables        {target / 'tables'}")
    return ProblemResult(
        record=record, lines=tuple(lines), tables=plan.tables, first_year=alone, files=files, instance=case,
        path=target,
    )  # fmt: skip


def _record(case: StramCase, plan: StramPlan, first: StramPlan | None, steps: Steps) -> dict[str, Any]:
    solution, options = plan.solution, steps.options
    return {
        "problem": PROBLEM,
        "instance": case.name,
        "instance_source": str(case.path),
        "instance_digest": case.digest,
        "model": plan.spec.name,
        "options": {
            **options_of(plan.spec),
            "statement": plan.statement,
            "time_limit_s": steps.stop.time_limit_s,
            "gap": options.mip_gap,
        },
        "status": solution.status,
        **plan.reported,
        "gap": solution.gap,
        "first_year": None if first is None else first.reported,
        "verified": True,
        "checks": len(plan.verdict.checks) + (len(first.verdict.checks) if first else 0),
        **figures_of(case, plan.tables),
        "investments": investments_of(plan.tables),
        "seconds": steps.seconds,
        **{
            name: getattr(solution, name) for name in ("rows", "columns", "nonzeros", "integers", "nodes", "iterations")
        },
        "seed": options.seed,
        "threads": options.threads,
        "versions": versions(LIBRARIES),
    }


def _closing(case: StramCase, record: dict[str, Any]) -> list[str]:
    built = record["investments"]
    several = record["options"]["scenarios"] == "all"
    return [
        f"{case.keys['title']}, model {record['model']}" + (": means of the scenarios" if several else ""),
        f"  objective     {record['cost_nok'] / 1e9:,.6f} GNOK discounted"
        + (", mean and conditional value at risk" if several else ""),
        *figure_lines(record),
        "  built         "
        + ("; ".join(built[:12]) or "nothing")
        + (f"; {len(built) - 12} more" if len(built) > 12 else ""),
        f"  solved        {record['status']}, gap {record['gap']:.5%} proven, "
        f"bound {record['bound_nok'] / 1e9:,.6f} GNOK, "
        f"{record['columns']:,} columns, {record['rows']:,} rows, {record['integers']:,} integers",
        "  seconds       " + ", ".join(f"{phase} {seconds:.1f}" for phase, seconds in record["seconds"].items()),
        f"  verified: OK ({record['checks']} checks from the tables alone)",
    ]


def state(path: Path, model: str | None, options: SolveOptions) -> StatedModel:
    """The model on an instance, and how its columns are verified; the first year alone is planned for it."""
    spec, case = read_stram_model(model or MODEL), read_stram(path)
    emissions_t = None if spec.years == "first" else first_emissions_t(case)
    statement = chosen_statement(case, spec, options.statement)
    built = build_stram(case, spec, first_emissions_t=emissions_t, statement=statement)
    form = built.form()

    def accept_values(values: np.ndarray) -> Response:
        cost = float(form.cost @ values) + form.cost_offset
        reported = {"cost_nok": cost, "bound_nok": -np.inf, "first_emissions_t": emissions_t}
        verdict = verify_stram(case, extract_stram(built, values), options=options_of(spec), reported=reported)
        accept(verdict, "solution")
        words = f"verified: OK, {len(verdict.checks)} checks, objective {verdict.cost_nok:,.0f} NOK"
        return Response({"ok": True, "cost_nok": verdict.cost_nok, "checks": len(verdict.checks)}, (words,))

    return StatedModel(spec.name, f"{spec.title}, {case.name}", form, accept_values)


def verify(request: VerifyRequest) -> Response:
    """Check a finished run again: the plan, and the first year alone beside it."""
    return _accepted(request)[1]


def _accepted(request: VerifyRequest) -> tuple[ProblemResult, Response]:
    run, case, faults = as_claimed(request, read_stram_run, read_stram, STRAM_RUN, "cost_nok", "bound_nok")
    refuse_faults(run, faults)
    record, said = run.record, run.record["first_year"]
    spec = read_stram_model(str(record["model"]))
    options, several = options_of(spec), spec.years != "first"
    if {name: record["options"][name] for name in options} != options:
        faults.append(f"options: are not those of the model {record['model']}")
    if not several == bool(run.first_year) == (said is not None) == (record["first_emissions_t"] is not None):
        faults.append("first_year: is there, tables and claims, where a plan spans several years")
    refuse_faults(run, faults)
    verdict = verify_stram(case, run.tables, options=options, reported=record)
    refuse_faults(run, [] if verdict.ok else [verdict.failures().to_string(index=False)])
    true = {**figures_of(case, verdict.tables), "investments": investments_of(run.tables)}
    faults += [f"{key}: is not what the tables say" for key, value in true.items() if not same(record[key], value)]
    count = len(verdict.checks)
    if several:
        alone = options_of(read_stram_model(FIRST_YEAR))
        first = verify_stram(case, run.first_year, options=alone, reported=said)
        count += len(first.checks)
        if not first.ok:
            faults.append("first year alone:\n" + first.failures().to_string(index=False))
        elif abs(float(first.tables["emissions"]["t_co2"].iloc[0]) - record["first_emissions_t"]) > 1e-3:
            faults.append("first_emissions_t: is not what the first year alone emits")
        if said["first_emissions_t"] is not None:
            faults.append("first year alone: has no year before it, and first_emissions_t is no figure of it")
        if said["cost_nok"] - said["bound_nok"] > 1e-3 * abs(said["cost_nok"]):
            faults.append("first year alone: is not proven to a thousandth")
    if record["checks"] != count:
        faults.append(f"checks: there are {count}")
    refuse_faults(run, faults)
    asked = [(read_stram_model(FIRST_YEAR), said)] if several else []  # a cap is a share of what it emits
    bounds = []
    for model, claims in [*asked, (spec, record)]:
        form, emitted_t = None, claims["first_emissions_t"]
        if request.again_s > 0 and chosen_statement(case, spec, "auto") == "pyomo":
            form = build_stram(case, model, first_emissions_t=emitted_t, statement="arrays").form()
        bounds.append(bound_line(run, model.name, form, claims["bound_nok"], request.again_s / (1 + len(asked))))
    words = f"verified: OK, {count} checks, objective {verdict.cost_nok:,.0f} NOK"
    checks = {"ok": True, "checks": verdict.checks.to_dict("records"), "cost_nok": verdict.cost_nok}
    return run, Response(checks, (words, *bounds, word_line([*record, *run.files], SIZES)))


def report(request: ReportRequest) -> Response:
    """One page with the figures of the runs; maps and workbook are of freight only."""
    out, parts = request.out, list[str]()
    refuse("the run", PROBLEM, {"ileap=": request.ileap is not None or bool(request.carriers),
                          "intensities=": request.intensities is not None})  # fmt: skip
    for plan in request.plans:
        assert isinstance(plan, (Path, ProblemResult))
        run, _response = _accepted(VerifyRequest(run=plan, instance=request.instance, again_s=request.again_s))
        case, record = run.instance, run.record
        assert isinstance(case, StramCase)
        lines = [f"objective {record['cost_nok'] / 1e9:,.6f} GNOK, bound {record['bound_nok'] / 1e9:,.6f} GNOK, gap "
                 f"{record['gap']:.5%}, {record['status']}", *figure_lines(record),
                 "  built: " + ("; ".join(record["investments"]) or "nothing")]  # fmt: skip
        title = html.escape(f"{case.keys['title']}, model {record['model']}")
        parts.append(f"<h2>{title}</h2>\n<pre>{html.escape(chr(10).join(lines))}</pre>\n")
    write_page(out, PROBLEM, "".join(parts))
    return Response(
        {"files": [str(out)]}, (f"wrote {out} (figures of the runs; maps and workbook are of freight only)",)
    )


def convert(source: Path, target: Path) -> Response:
    """An instance folder from the neutral tables of the source."""
    lines = convert_stram(source, target)
    read_stram(target)
    return Response({"instances": [str(target)], "lines": lines}, (*lines, f"wrote {target}"))


HANDLERS = Handlers(
    check=check, read=read_stram, load=load, solve=solve, verify=verify, report=report, state=state
)  # fmt: skip
