"""What the interface asks of network design: check, read, load, solve, verify, report, convert."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from nbb_opt.model import StandardForm
from nbb_opt.model.build import statement_for
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
from nbb_opt.problems.network_design import (
    DesignInstance,
    read_design,
    read_design_run,
    run_files,
    verify_design,
)
from nbb_opt.problems.network_design.canad import convert_canad
from nbb_opt.problems.network_design.instance import PROBLEM, DesignNetwork
from nbb_opt.problems.network_design.model import DesignSpec, design_form, entries, read_design_model
from nbb_opt.problems.network_design.solve import Designed, is_small, solve_network_design
from nbb_opt.problems.result import ProblemResult, Response, as_claimed, refuse_faults, with_instance
from nbb_opt.run_folder import history_csv, versions, write_folder
from nbb_opt.verify.shape import DESIGN_RUN, refuse_other_shapes, word_line

MODEL = "network_design"
LIBRARIES = ("highspy", "numba", "numpy", "pandas", "scipy")
NOTHING_T = 1e-9  # a flow not above this is rounding and is not written


def check(path: Path) -> Response:
    """What is in an instance that has no fault."""
    found = read_design(path)
    return no_problems(PROBLEM, found.meta["name"], found.meta["title"], found.tables, found.digest)


def load(path: Path, instance: Path | DesignInstance | None) -> ProblemResult:
    """A run, with its instance."""
    run = read_design_run(path)
    refuse_other_shapes(run.record, path, DESIGN_RUN, {})
    return with_instance(run, instance, read_design, _closing)[0]


def solve(request: SolveRequest) -> ProblemResult:
    """Solve, verify, write the run folder."""
    request.refuse_of_freight(PROBLEM)
    steps = Steps(request.options, stop=request.stop, callback=request.callback)
    spec = read_design_model(request.model or MODEL)
    with steps.timed("read"):
        instance = request.instance if isinstance(request.instance, DesignInstance) else read_design(request.instance)
    target = request.target(instance.name, spec.name)
    with request.stop.by_ctrl_c(), steps.timed("solve"):
        found, tables = solve_design(instance, spec, steps)
    plan = verified(instance, spec, steps, found, tables)
    if target is not None:
        write_folder(target, plan.files, replace=True)
        plan = replace(plan, lines=(*plan.lines, f"  tables        {target / 'tables'}"))
    return replace(plan, path=target)


def verified(
    instance: DesignInstance, spec: DesignSpec, steps: Steps, found: Designed, tables: dict[str, pd.DataFrame]
) -> ProblemResult:
    """What was found as a plan with its record, once the verifier accepts it."""
    reported = {"cost_eur": found.cost_eur, "bound": found.bound_eur, "gap": found.gap}
    with steps.timed("verify"):
        verdict = verify_design(instance, tables, reported)
    accept(verdict, "plan")
    record = {
        "problem": PROBLEM,
        "instance": instance.name,
        "instance_source": str(instance.path),
        "instance_digest": instance.digest,
        "model": spec.name,
        "options": {
            "statement": chosen_statement(instance, spec, steps.options),
            "time_limit_s": steps.stop.time_limit_s,
            "gap": steps.options.mip_gap,
        },
        "status": found.status,
        **reported,
        "verified": verdict.ok,
        "checks": len(verdict.checks),
        "opened": len(tables["opened"]),
        "paths": found.paths,
        "strong_rows": found.strong_rows,
        "nodes": found.nodes,
        "iterations": found.iterations,
        "seed": steps.options.seed,
        "threads": steps.options.threads,
        "seconds": steps.seconds,
        "versions": versions(LIBRARIES),
    }
    extra = {
        "verify.json": json.dumps(verdict.as_record(), indent=1),
        "solver.log": found.log,
        "bounds.csv": history_csv(found.history),
    }
    files, lines = run_files(record, tables, extra), tuple(_closing(instance, record))
    return ProblemResult(record=record, lines=lines, tables=tables, files=files, instance=instance)


def chosen_statement(instance: DesignInstance, spec: DesignSpec, options: SolveOptions) -> Literal["pyomo", "arrays"]:
    """The statement asked for; of itself Pyomo for a problem that is solved whole, and not too large for it."""
    network = instance.network()
    if options.statement == "auto" and options.solver is None and not is_small(network):
        return "arrays"  # our search finds paths of its own, whose columns no statement has
    return statement_for(entries(network, spec), options.statement)


def solve_design(instance: DesignInstance, spec: DesignSpec, steps: Steps) -> tuple[Designed, dict[str, pd.DataFrame]]:
    """The plan, what is proven about it, and its tables `opened` and `flows`.

    By our search: over paths, beside HiGHS on the whole problem where that is small. Whole, by another solver or since
    Pyomo is asked for, where it is not.
    """
    options, network = steps.options, instance.network()
    statement, small = chosen_statement(instance, spec, options), is_small(network)
    if options.solver is not None or (statement == "pyomo" and not small):
        found = _solved_whole(network, design_statement(instance, spec, statement), steps)
    else:
        without = replace(spec, strong_rows="none")  # these rows follow from whole numbers, and slow HiGHS down
        found = solve_network_design(
            network, compact=design_statement(instance, without, statement) if small else None,
            names=tuple(instance.names()[2]), gap=options.mip_gap, threads=options.threads, seed=options.seed,
            stop=steps.stop, callback=steps.callback,
        )  # fmt: skip
    return found, _tables(instance, found.opened, found.flow_t)


def design_statement(instance: DesignInstance, spec: DesignSpec, statement: Literal["pyomo", "arrays"]) -> StandardForm:
    """The whole model: columns are the arcs' `opened`, then `carried_t` by commodity and arc."""
    if statement == "pyomo":
        from nbb_opt.model.pyomo_form import compile_model
        from nbb_opt.problems.network_design.model.network_design import design_model

        return compile_model(design_model(instance, spec))
    return design_form(instance.network(), names=instance.names(), strong=spec.strong_rows == "all")


def _solved_whole(network: DesignNetwork, form: StandardForm, steps: Steps) -> Designed:
    found = steps.solve_form(form)
    opened, flow_t = found.values[: network.arcs] > 0.5, found.values[network.arcs :].reshape(-1, network.arcs)
    return Designed(
        status=found.status, cost_eur=found.objective, bound_eur=found.bound, opened=opened, flow_t=flow_t, paths=0,
        strong_rows=flow_t.size, nodes=found.nodes, iterations=found.iterations, log=found.log, history=found.history,
    )  # fmt: skip


def _tables(instance: DesignInstance, open_arcs: np.ndarray, flow_t: np.ndarray) -> dict[str, pd.DataFrame]:
    _nodes, arcs, commodities = instance.names()
    commodity, arc = np.nonzero(flow_t > NOTHING_T)
    flows = pd.DataFrame(
        {
            "arc": pd.array([arcs[a] for a in arc.tolist()], dtype="str"),
            "commodity": pd.array([commodities[k] for k in commodity.tolist()], dtype="str"),
            "carried_t": flow_t[commodity, arc],
        }
    )
    opened = pd.DataFrame({"arc": pd.array([arcs[a] for a in np.flatnonzero(open_arcs).tolist()], dtype="str")})
    return {"opened": opened, "flows": flows}


def _closing(instance: DesignInstance, record: dict[str, Any]) -> list[str]:
    arcs = instance.tables["arcs"]
    return [
        f"{instance.meta['title']}, model {record['model']}",
        f"  cost          {record['cost_eur']:,.2f} EUR, {record['opened']:,} of {len(arcs):,} arcs opened",
        f"  solved        {record['status']}, gap {record['gap']:.4%} proven, bound {record['bound']:,.2f} EUR, "
        f"{record['paths']:,} paths, {record['strong_rows']:,} strong rows, {record['nodes']:,} nodes",
        "  seconds       " + ", ".join(f"{phase} {seconds:.1f}" for phase, seconds in record["seconds"].items()),
        f"  verified: OK ({record['checks']} checks from the tables alone)",
    ]


def state(path: Path, model: str | None, options: SolveOptions) -> StatedModel:
    """The model on an instance, and how its columns are verified."""
    spec, instance = read_design_model(model or MODEL), read_design(path)
    arcs = instance.network().arcs

    def accept_values(values: np.ndarray) -> Response:
        tables = _tables(instance, values[:arcs] > 0.5, values[arcs:].reshape(-1, arcs))
        verdict = verify_design(instance, tables)
        accept(verdict, "solution")
        line = f"verified: OK, {len(verdict.checks)} checks, cost {verdict.cost_eur:,.2f} EUR"
        return Response({**verdict.as_record(), "cost_eur": verdict.cost_eur}, (line,))

    statement = statement_for(entries(instance.network(), spec), options.statement)
    form = design_statement(instance, spec, statement)
    return StatedModel(spec.name, f"{spec.title}, {instance.name}", form, accept_values)


def verify(request: VerifyRequest) -> Response:
    """Check a finished run again."""
    return _accepted(request)[1]


def _accepted(request: VerifyRequest) -> tuple[ProblemResult, Response]:
    run, instance, faults = as_claimed(request, read_design_run, read_design, DESIGN_RUN, "cost_eur", "bound")
    record = run.record
    refuse_faults(run, faults)
    spec = read_design_model(str(record["model"]))
    verdict = verify_design(instance, run.tables, record)
    for key, true in (("opened", len(run.tables["opened"])), ("checks", len(verdict.checks))):
        if record[key] != true:
            faults.append(f"{key}: there are {true}")
    if not verdict.ok:
        faults.append(verdict.failures().to_string(index=False))
    refuse_faults(run, faults)
    form = design_form(instance.network(), strong=spec.strong_rows == "all") if is_small(instance.network()) else None
    bound = bound_line(run, spec.name, form, record["bound"], request.again_s)
    line = f"verified: OK, {len(verdict.checks)} checks, cost {verdict.cost_eur:,.2f} EUR"
    return run, Response(verdict.as_record(), (line, bound, word_line([*record, *run.files])))


def report(request: ReportRequest) -> Response:
    """One page with a table of the runs: what was found and proven. Maps and workbooks are of freight only."""
    out, rows = request.out, list[tuple[str, ...]]()
    refuse("the run", PROBLEM, {"ileap=": request.ileap is not None or bool(request.carriers),
                          "intensities=": request.intensities is not None})  # fmt: skip
    for plan in request.plans:
        assert isinstance(plan, (Path, ProblemResult))
        run, _response = _accepted(VerifyRequest(run=plan, instance=request.instance, again_s=request.again_s))
        instance, record = run.instance, run.record
        assert isinstance(instance, DesignInstance)
        rows.append(
            (
                instance.meta["title"], record["model"], f"{record['cost_eur']:,.2f}", f"{record['bound']:,.2f}",
                f"{record['gap']:.4%}", record["status"], f"{record['opened']:,} of {len(instance.tables['arcs']):,}",
                "yes",
            )
        )  # fmt: skip
    head = ("instance", "model", "cost EUR", "bound EUR", "gap", "status", "arcs opened", "verified")
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(str(cell))}</td>' for cell in row)}</tr>\n" for row in rows)
    write_page(
        out, "Network design",
        f"<table><tr>{''.join(f'<th>{word}</th>' for word in head)}</tr>\n{body}</table>\n"
        "<p>Cost: opening arcs and carrying tonnes over them. Bound: no plan costs less.</p>",
    )  # fmt: skip
    return Response(
        {"files": [str(out)]}, (f"wrote {out} (a table of the runs; maps and workbook are of freight only)",)
    )


def convert(source: Path, target: Path) -> Response:
    """Instance folders from a Canad file or a folder of them."""
    found = convert_canad(source, target)
    lines = [
        f"{each.path}: {each.meta['title']}, " + ", ".join(f"{name} {len(t)}" for name, t in each.tables.items())
        for each in found
    ]
    return Response({"instances": [str(each.path) for each in found]}, tuple(lines))


HANDLERS = Handlers(
    check=check, read=read_design, load=load, solve=solve, verify=verify, report=report, state=state
)  # fmt: skip
