"""The main job: read, prepare, state, solve, verify, write. Everything the command line and the studies call."""

from __future__ import annotations

import json
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbb_opt import __version__
from nbb_opt.emissions.ledger import Ledger, build_ledger
from nbb_opt.emissions.reconcile import check_ledger
from nbb_opt.errors import ModelError, VerifyFailed
from nbb_opt.instance import Instance, read_instance
from nbb_opt.network import Prepared, prepare
from nbb_opt.result import Run, read_run, write_run
from nbb_opt.solve import Presolve, Progress, Solution, Stop, solve_form
from nbb_opt.solve.stop import Listener

if TYPE_CHECKING:
    from nbb_opt.cluster import Cluster
    from nbb_opt.model import Built, ModelSpec
    from nbb_opt.model.build import Route
    from nbb_opt.verify import Verdict

LIBRARIES = ("pyomo", "highspy", "pandas", "numba", "pyarrow", "numpy", "scipy")
BASELINE = "do_nothing"
Method = Literal["auto", "monolith", "decompose"]
# From about here the linear relaxation alone takes HiGHS half a minute, and the large-scale route is done sooner.
LARGE_NONZEROS = 1_500_000


@dataclass(frozen=True)
class Options:
    """How to solve: seconds for the whole job, proven relative gap, threads, seed, whether to prune chains.

    `too_large` goes on where the size forecast says that the model will not fit in memory. `method` is `monolith`,
    `decompose` (the large-scale route) or `auto`: by the size forecast, see `chosen_method`. `presolve` says whether
    HiGHS simplifies the problems of the monolith before solving them.
    """

    time_limit_s: float = 120.0
    gap: float = 1e-4
    threads: int = 2
    seed: int = 0
    prune: bool = True
    too_large: bool = False
    method: Method = "auto"
    presolve: Presolve = "choose"


@dataclass(frozen=True)
class Plan:
    """One solved and verified model: its tables, what is proven about it, and its ledger of emissions."""

    tables: Mapping[str, pd.DataFrame]
    solution: Solution
    verdict: Verdict
    spec: ModelSpec
    ledger: Ledger


def solve_instance(
    source: Path | str | Instance,
    *,
    out: Path | None = None,
    model: str = "joint",
    options: Options | None = None,
    cache_dir: Path | None = None,
    listen: Listener | None = None,
    say: Callable[[str], None] | None = None,
    stop: Stop | None = None,
    cluster: Cluster | None = None,
) -> Run:
    """Solve an instance with a model from `models/` and, beside it, the do-nothing plan.

    With `out` the run is written there as a complete folder (an earlier run in the same place is replaced).
    With a `cluster` its workers sum the demand and answer for the chains of the large-scale route; they must see the
    instance at the same path.
    Raises InstanceError, ModelError, Infeasible, NoPlan, SolveError; VerifyFailed after writing nothing.
    """
    from nbb_opt.model import forecast, memory_mb, read_model, refuse_too_large

    options = options or Options()
    stop = stop or Stop(options.time_limit_s)
    say = say or (lambda _line: None)
    seconds: dict[str, float] = {}
    spec = read_model(model)
    with _timed(seconds, "read", listen, stop):
        instance = source if isinstance(source, Instance) else read_instance(Path(source))
    with _timed(seconds, "prepare", listen, stop):
        each = cluster.each if cluster is not None else None
        prepared = prepare(instance, cache_dir=cache_dir, prune=options.prune, say=say, each=each)
    expected = forecast(instance, prepared, spec)
    say(expected.line())
    method = chosen_method(options.method, expected.nonzeros)
    if not options.too_large:
        refuse_too_large(expected, available_mb=memory_mb(), pieces=method == "decompose")
    say(f"method: {method}, {_why(options.method, method)}")
    if method == "decompose" and options.presolve != "choose":
        raise ModelError("presolve is an option of the monolith; take --method monolith with it, or leave it out")
    if method != "decompose" and cluster is not None:
        raise ModelError(
            "a cluster helps the large-scale route only, and this model is solved whole; leave it out, or take "
            "--method decompose"
        )
    context = _Context(instance, prepared, replace(options, method=method), stop, seconds, listen, cluster)
    with stop.by_ctrl_c():  # until the run is written: a plan that was found is not lost
        baseline = context.plan(read_model(BASELINE), None, share=0.5 if spec.name != BASELINE else 1.0)
        if spec.name == BASELINE:
            plan = baseline
        else:
            fixed = carried(prepared, baseline.tables["flows"], instance) if spec.flows == BASELINE else None
            plan = context.plan(spec, fixed, share=1.0)
        record = _record(instance, plan, baseline, context.options, seconds)
        if out is None:
            return Run(Path(), record, plan.tables, baseline.tables)
        return write(out, instance, record, plan, baseline)


def chosen_method(method: Method, nonzeros: int) -> Method:
    """What `auto` means for a model with so many nonzeros: the large-scale route above `LARGE_NONZEROS`.

    >>> chosen_method("auto", 10_000), chosen_method("auto", 10_000_000), chosen_method("monolith", 10_000_000)
    ('monolith', 'decompose', 'monolith')
    """
    if method != "auto":
        return method
    return "decompose" if nonzeros > LARGE_NONZEROS else "monolith"


def _why(asked: Method, method: Method) -> str:
    if asked != "auto":
        return "as asked"
    more = "more" if method == "decompose" else "not more"
    return f"since the forecast is {more} than {LARGE_NONZEROS} nonzeros"


def write(out: Path, instance: Instance, record: dict[str, Any], plan: Plan, baseline: Plan) -> Run:
    """Write run folder `out` with report, workbook, solver log, bounds and the verifier's findings."""
    from nbb_opt.report import write_html, write_workbook

    started = time.perf_counter()
    run = Run(out, record, plan.tables, baseline.tables)
    with tempfile.TemporaryDirectory() as folder:
        html, workbook = Path(folder, "report.html"), Path(folder, "report.xlsx")
        write_html(instance, [run], html, ledgers=[plan.ledger])
        write_workbook(instance, [run], workbook, ledgers=[plan.ledger])
        record["seconds"]["report"] = round(time.perf_counter() - started, 3)
        extra: dict[str, bytes | str] = {
            "report.html": html.read_bytes(),
            "report.xlsx": workbook.read_bytes(),
            "solver.log": plan.solution.log,
            "bounds.csv": bounds_csv(plan.solution),
            "verify.json": json.dumps({"plan": plan.verdict.as_json(), "do_nothing": baseline.verdict.as_json()}),
        }
        path = write_run(out, record, plan.tables, baseline.tables, extra_files=extra, replace=True)
    return read_run(path)


def carried(prepared: Prepared, flows: pd.DataFrame, instance: Instance) -> npt.NDArray[np.float64]:
    """Tonnes by chain and period, shape (C, T), of a flows table."""
    period_of = {period.year: t for t, period in enumerate(instance.periods)}
    tonnes = np.zeros((len(prepared.rows), len(instance.periods)))
    tonnes[flows["chain"].to_numpy(), flows["year"].map(period_of).to_numpy()] = flows["tonnes"].to_numpy()
    return tonnes


def bounds_csv(solution: Solution) -> str:
    """The history of a solve as CSV text: elapsed seconds, incumbent and bound in EUR."""
    lines = [f"{s:.3f},{i:.6f},{b:.6f}" for s, i, b in solution.history]
    return "\n".join(["elapsed_s,incumbent_eur,bound_eur", *lines]) + "\n"


@dataclass(frozen=True)
class _Context:
    instance: Instance
    prepared: Prepared
    options: Options
    stop: Stop
    seconds: dict[str, float]
    listen: Listener | None
    cluster: Cluster | None

    def plan(self, spec: ModelSpec, fixed_flows_t: npt.NDArray[np.float64] | None, *, share: float) -> Plan:
        """State, solve, extract, verify one model; it may use `share` of the time that is left."""
        from nbb_opt.model import build, extract
        from nbb_opt.verify import verify_plan

        label = "" if share == 1.0 else "do nothing: "
        route: Route = "pieces" if self.options.method == "decompose" else "arrays"
        with _timed(self.seconds, "build", self.listen, self.stop, label):
            built = build(self.instance, self.prepared, spec, fixed_flows_t=fixed_flows_t, route=route)
        with _timed(self.seconds, "solve", self.listen, self.stop, label):
            solution = self._solve(built, share, label)
            tables = extract(built, solution.values, solution.carried)
        del built  # the verifier needs the room
        with _timed(self.seconds, "verify", self.listen, self.stop, label):
            verdict = verify_plan(
                self.instance,
                tables,
                blocks=spec.blocks,
                technologies=spec.technologies,
                projects=spec.projects,
                reported=reported(solution, tables),
            )
        if not verdict.ok:
            raise VerifyFailed(f"the {spec.name} plan is not accepted:\n" + verdict.failures().to_string(index=False))
        with _timed(self.seconds, "ledger", self.listen, self.stop, label):
            ledger = build_ledger(self.instance, tables)
            check_ledger(self.instance, tables, ledger)
        return Plan(tables, solution, verdict, spec, ledger)

    def _solve(self, built: Built, share: float, label: str) -> Solution:
        """By the chosen method."""
        from nbb_opt.model import split, standard_form

        options, stop = self.options, self.stop.part(share)
        asked: dict[str, Any] = {"gap": options.gap, "threads": options.threads, "seed": options.seed}
        if options.method == "decompose":
            from nbb_opt.solve.colgen import solve_split

            return solve_split(split(built), **asked, listen=self.listen, stop=stop, label=label, cluster=self.cluster)
        form = standard_form(built)
        return solve_form(form, **asked, listen=self.listen, stop=stop, label=label, presolve=options.presolve)


@contextmanager
def _timed(
    seconds: dict[str, float], phase: str, listen: Listener | None, stop: Stop, label: str = ""
) -> Iterator[None]:
    if listen is not None:
        listen(Progress(label + phase, stop.elapsed_s()))
    started = time.perf_counter()
    yield
    seconds[phase] = round(seconds.get(phase, 0.0) + time.perf_counter() - started, 3)


def emissions_t(tables: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """WTW tonnes CO2e per year, by period."""
    emissions = tables["emissions"]
    total = (emissions["ttw_kg"] + emissions["wtt_kg"]).groupby(emissions["year"]).sum() / 1000.0
    return {str(year): float(value) for year, value in total.items()}


def reported(solution: Solution, tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """What a plan claims of itself; the verifier compares it with its own figures."""
    return {
        "cost_eur": solution.objective,
        "bound": solution.bound,
        "gap": solution.gap,
        "emissions_t_co2e": emissions_t(tables),
    }


def _record(
    instance: Instance, plan: Plan, baseline: Plan, options: Options, seconds: dict[str, float]
) -> dict[str, Any]:
    solution = plan.solution
    return {
        "instance": instance.meta.name,
        "instance_source": str(instance.path),
        "instance_digest": instance.digest,
        "model": plan.spec.name,
        "blocks": list(plan.spec.blocks),
        "options": {
            "technologies": plan.spec.technologies,
            "projects": plan.spec.projects,
            "flows": plan.spec.flows,
            "time_limit_s": options.time_limit_s,
            "gap": options.gap,
            "prune": options.prune,
            "method": options.method,
            "presolve": options.presolve,
        },
        "versions": {
            "nbb_opt": __version__,
            "python": platform.python_version(),
            **{library: version(library) for library in LIBRARIES},
        },
        "status": solution.status,
        **reported(solution, plan.tables),
        "verified": plan.verdict.ok and baseline.verdict.ok,
        "checks": len(plan.verdict.checks),
        "seconds": seconds,
        "rows": solution.rows,
        "columns": solution.columns,
        "nonzeros": solution.nonzeros,
        "integers": solution.integers,
        "nodes": solution.nodes,
        "iterations": solution.iterations,
        "seed": options.seed,
        "threads": options.threads,
        "baseline": {
            "model": baseline.spec.name,
            "blocks": list(baseline.spec.blocks),
            "technologies": baseline.spec.technologies,
            "projects": baseline.spec.projects,
            "status": baseline.solution.status,
            **reported(baseline.solution, baseline.tables),
        },
    }
