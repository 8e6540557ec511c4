"""From an instance to a verified plan: prepare, build, solve, extract, verify, ledger; what commands and studies call.

`Steps` are the steps, each timed and announced; `solve_instance` is all of them, for a model and its bars: the frozen
plan (today's technologies and network) and the reference (market and committed decisions), which it is compared with.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbb_opt.arguments import short_texts
from nbb_opt.emissions.ledger import Ledger, build_ledger
from nbb_opt.emissions.reconcile import check_ledger
from nbb_opt.errors import Infeasible, ModelError, NoPlan, VerifyFailed
from nbb_opt.instance import Instance, read_instance
from nbb_opt.network import Prepared, prepare
from nbb_opt.options import SolveOptions
from nbb_opt.result import BARS, FROZEN, OWN_RULES, REFERENCE, Run, Tables, emissions_t, write_run
from nbb_opt.run_folder import check_target, history_csv, versions
from nbb_opt.solve import DecisionGap, Solution, Stop, Warm, duals_of_plan, solve_form
from nbb_opt.solve.stop import GRACE_S, Callback, Progress, relative_gap

if TYPE_CHECKING:
    from nbb_opt.cluster import Cluster
    from nbb_opt.model import Built, ModelSpec, StandardForm
    from nbb_opt.model.data.periods import Time
    from nbb_opt.model.extension import Extension
    from nbb_opt.model.rules_file import RulesFile
    from nbb_opt.verify import Verdict

EXPLAINED_NONZEROS = 5_000_000  # the elastic model needs about the memory of the whole one twice
Say = Callable[[str], None]
PRICES_S = 20.0  # for the price of the next tonne
LEAST_SHARE = 0.1  # of the relative gap asked for: no decision gap beside it asks for less
SAME_COST = 1e-9  # relative
LATE_S = 20.0  # after its time limit a job may end
# what follows the search, report and workbook included, in times of extracting, verifying and accounting one bar (seen
# on nbb: 5.7 to 7.8)
AFTER = 8.0
LEAST_OF_TIME = 0.5  # that the search gets
SIZES = ("rows", "columns", "nonzeros", "integers", "nodes", "iterations")
SHARE_OF_TIME = {FROZEN: 0.25, REFERENCE: 0.4}  # of what is left when it begins
MOST_CHAINS_KEPT = 100_000  # of larger instances the room is worth more than the time
# Every model of an instance is compared with the same bars: they live as long as the instance, which nobody can edit.
_BARS: WeakKeyDictionary[Instance, dict[tuple[str, SolveOptions, int], Plan]] = WeakKeyDictionary()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One solved and verified model: its tables, what is proven about it, and its ledger of emissions."""

    tables: Tables
    solution: Solution
    verdict: Verdict
    spec: ModelSpec
    ledger: Ledger
    claims: Mapping[str, Any]
    own_terms: Mapping[str, Any] | None = None  # a user's own rules and costs by the names of variables
    next_tonne_eur: Mapping[str, float] | None = None  # by period, of a model with caps of its own
    taken_from: str = ""  # the bar whose plan it is, where the search found none that is cheaper


class Judged(Protocol):
    """What a verifier of any problem says."""

    @property
    def ok(self) -> bool:
        """Whether every check holds."""

    def failures(self) -> pd.DataFrame:
        """The checks that do not hold."""


class Steps:
    """The steps of one job: what they share (options, deadline, callback, cluster) and the seconds that each took.

    Without a `stop` the time limit of the options begins now. Raises SolveError for a solver that is not there."""

    def __init__(
        self,
        options: SolveOptions | None = None,
        *,
        stop: Stop | None = None,
        callback: Callback | None = None,
        cluster: Cluster | None = None,
        seconds: dict[str, float] | None = None,
    ) -> None:
        self.options = options or SolveOptions()
        self.stop = stop or Stop(self.options.time_limit_s)
        self.callback, self.cluster = callback, cluster
        self.seconds = {} if seconds is None else seconds
        self.reference_eur: float | None = None  # cost of what the plan is compared with, once it is known
        if self.options.solver is not None:  # one that is not there is refused before any work is done
            from nbb_opt.solve.any_solver import find_solver

            find_solver(self.options.solver)

    @property
    def target(self) -> float | DecisionGap:
        """The gap at which to stop: with the decision gap where one is asked for and the reference is known."""
        gap, share = self.gaps
        if share is None or self.reference_eur is None:
            return self.options.mip_gap
        if gap is None:
            return DecisionGap(share, self.reference_eur)
        return DecisionGap(share, self.reference_eur, least=LEAST_SHARE * gap, most=gap)

    @property
    def gaps(self) -> tuple[float | None, float | None]:
        """The relative gap and the decision gap that count, as `SolveOptions.gaps` where the reference is known."""
        known = self.reference_eur is not None and self.options.solver is None
        return self.options.gaps() if known else (self.options.mip_gap, None)

    def limited(self, **options: Any) -> Steps:
        """The steps of a smaller question: other options, a time limit that begins now, the same request to stop."""
        chosen = replace(self.options, **options)
        stop = Stop(chosen.time_limit_s, asked=self.stop.asked)
        return Steps(chosen, stop=stop, callback=self.callback, cluster=self.cluster, seconds=self.seconds)

    def with_arrays(self) -> Steps:
        """The same steps for plans that nobody adds to: stated as arrays, in a tenth of the time."""
        found = copy(self)
        found.options = replace(self.options, statement="arrays")
        return found

    @contextmanager
    def timed(self, phase: str, label: str = "") -> Iterator[None]:
        """Announce a phase, and add up its seconds."""
        if self.callback is not None:
            self.callback(Progress(label + phase, self.stop.elapsed_s()))
        started = time.perf_counter()
        yield
        self.seconds[phase] = round(self.seconds.get(phase, 0.0) + time.perf_counter() - started, 3)

    def prepare(
        self, instance: Instance, *, cache_dir: Path | None = None, prune: bool | None = None, say: Say | None = None
    ) -> Prepared:
        """Bundles and candidate chains of an instance, pruned as the options say unless `prune` says otherwise."""
        pruned = self.options.prune if prune is None else prune
        with self.timed("prepare"):
            return prepare(instance, cache_dir=cache_dir, prune=pruned, say=say)

    def choose_method(
        self, prepared: Prepared, spec: ModelSpec, say: Say | None = None, *, own: str = "", stated: bool = False
    ) -> None:
        """Decide what the method "auto" is, by the size forecast. Raises ModelError if the model will not fit.

        `own` says where rules of the user's own come from; they need the Pyomo model, which may be `stated` already.
        """
        from nbb_opt.model import forecast
        from nbb_opt.model.method import chosen_options

        expected = forecast(prepared.instance, prepared, spec)
        self.options = chosen_options(
            self.options,
            expected,
            say or (lambda _line: None),
            own=own,
            stated=stated,
            cluster=self.cluster is not None,
        )

    def build(
        self,
        instance: Instance,
        prepared: Prepared,
        spec: ModelSpec,
        *,
        fixed_flows_t: npt.NDArray[np.float64] | None = None,
        label: str = "",
    ) -> Built:
        """State the model; chains and demand are those of `prepared`, every other figure is that of `instance`."""
        from nbb_opt.model import build, forecast, statement_for

        options = self.options
        with self.timed("build", label):
            route: Any = "segments" if options.method == "decompose" else options.statement
            if route == "auto":
                route = statement_for(forecast(instance, prepared, spec).nonzeros)
                self.options = replace(options, statement=route)
            return build(instance, prepared, spec, fixed_flows_t=fixed_flows_t, route=route)

    def solve(self, built: Built, form: StandardForm | None, *, share: float = 1.0, label: str = "") -> Solution:
        """Solve a built model, or its `form` if it has one, in at most `share` of the time that is left."""
        from nbb_opt.model import split

        if form is not None:
            return self.solve_form(form, stop=self.stop.part(share), label=label, own=built.extension)
        from nbb_opt.solve.colgen import solve_split

        options = self.options
        return solve_split(
            split(built), gap=self.target, threads=options.threads, seed=options.seed, callback=self.callback,
            stop=self.stop.part(share), label=label, cluster=self.cluster,
        )  # fmt: skip

    def solve_form(
        self, form: StandardForm, *, stop: Stop | None = None, label: str = "", warm: Warm | None = None,
        own: Extension | None = None,
    ) -> Solution:  # fmt: skip
        """Solve a standard form (of a model, or edited) with these options. Raises Infeasible, saying why."""
        options = self.options
        try:
            if options.solver is not None:
                from nbb_opt.solve.any_solver import solve_with

                return solve_with(
                    form, options.solver, gap=options.mip_gap, threads=options.threads, callback=self.callback,
                    stop=stop or self.stop, label=label, feasibility=None if warm is None else warm.feasibility,
                )  # fmt: skip
            return solve_form(
                form, gap=self.target, threads=options.threads, seed=options.seed, presolve=options.presolve,
                callback=self.callback, stop=stop or self.stop, label=label, warm=warm,
            )  # fmt: skip
        except Infeasible as finding:
            from nbb_opt.solve.why_infeasible import LIMIT_S, explain

            names: tuple[str, ...] = ()
            if own is not None:
                form, names = own.with_bounds_as_rows(form)
            why = explain(form, stop=Stop(LIMIT_S, asked=self.stop.asked), own=names)
            raise Infeasible("\n".join(filter(None, (f"{label}{finding}", why)))) from None

    def _why_infeasible(
        self, prepared: Prepared, spec: ModelSpec, fixed_flows_t: npt.NDArray[np.float64] | None
    ) -> str:
        """Why column generation found no plan, from the whole model, where that is not too large."""
        from nbb_opt.model import build, forecast, standard_form
        from nbb_opt.solve.why_infeasible import LIMIT_S, explain

        if forecast(prepared.instance, prepared, spec).nonzeros > EXPLAINED_NONZEROS:
            return "the model is too large to say which rules conflict; try a part of the demand"
        whole = build(prepared.instance, prepared, spec, fixed_flows_t=fixed_flows_t, route="arrays")
        return explain(standard_form(whole), stop=Stop(LIMIT_S, asked=self.stop.asked))

    def verify(
        self, instance: Instance, tables: Tables, spec: ModelSpec, reported: Mapping[str, Any], *, what: str = "",
        label: str = "", own_terms: Mapping[str, Any] | None = None, caps_t: Mapping[str, float] | None = None,
    ) -> Verdict:  # fmt: skip
        """The verdict on a plan that the verifier accepts. Raises VerifyFailed, naming the plan, if it does not."""
        from nbb_opt.verify import verify_plan

        with self.timed("verify", label):
            verdict = verify_plan(
                instance, tables, blocks=spec.blocks, technologies=spec.technologies, projects=spec.projects,
                reported=reported, own_terms=own_terms, prices=spec.prices, caps_t=caps_t,
            )  # fmt: skip
        accept(verdict, what or f"{spec.name} plan")
        return verdict

    def plan(
        self,
        prepared: Prepared,
        spec: ModelSpec,
        *,
        fixed_flows_t: npt.NDArray[np.float64] | None = None,
        share: float = 1.0,
        label: str = "",
        rules: RulesFile | None = None,
        built: Built | None = None,
    ) -> Plan:
        """Build, solve, extract, verify and account one model; it may use `share` of the time that is left.

        `rules` are added to the model; or it was `built` before, with what a user added.
        """
        from nbb_opt.model import extract, standard_form

        instance = prepared.instance
        if built is None:
            built = self.build(instance, prepared, spec, fixed_flows_t=fixed_flows_t, label=label)
            built = built if rules is None else rules.added_to(built)
        own = built.extension
        if own is not None and own.costs and self.options.decision_gap is not None:
            raise ModelError(
                f"{own.source}: has costs of its own, which the reference has not, so that a decision gap means "
                "nothing; give gap= instead"
            )
        if own is not None and own.costs:
            self.reference_eur = None
        try:
            with self.timed("solve", label):
                form = None if self.options.method == "decompose" else standard_form(built)
                solution = self.solve(built, form, share=share, label=label)
        except Infeasible as finding:
            said = [str(finding), f"plans may use the candidate chains only: {prepared.left_out}"]
            if self.options.method == "decompose":
                del built  # stated anew, whole
                said.insert(1, self._why_infeasible(prepared, spec, fixed_flows_t))
            raise Infeasible("\n".join(filter(None, said))) from finding
        next_tonne_eur = None
        if form is not None and spec.caps_t:
            next_tonne_eur = self._next_tonne_eur(form, built.data.time, solution)
        del form
        with self.timed("extract", label):
            tables = extract(built, solution.values, solution.carried)
        claims, own_terms = reported(solution, tables), None
        if own is not None:
            claims, own_terms = with_own(claims, own, solution, tables), own.terms()
        del built, own  # the verifier needs the room
        verdict = self.verify(instance, tables, spec, claims, label=label, own_terms=own_terms)
        with self.timed("ledger", label):
            ledger = build_ledger(instance, tables)
            check_ledger(instance, tables, ledger)
        return Plan(
            tables=tables, solution=solution, verdict=verdict, spec=spec, ledger=ledger, claims=claims,
            own_terms=own_terms, next_tonne_eur=next_tonne_eur,
        )  # fmt: skip

    def with_caps(self, prepared: Prepared, spec: ModelSpec) -> ModelSpec:
        """The model with its own caps in tonnes, counted from the frozen plan: it is solved if they are not known."""
        if not spec.cuts or spec.caps_t:
            return spec
        frozen = self.with_arrays().bar(prepared, FROZEN)
        return spec.with_caps(next(iter(frozen.claims["emissions_t_co2e"].values())))

    def bar(self, prepared: Prepared, name: str) -> Plan:
        """The plan of a bar; that of an earlier solve of the same instance, where it was proven as asked now."""
        kept, asked = _BARS.setdefault(prepared.instance, {}), (name, self.options, len(prepared.rows))
        plan = kept.get(asked) or self._bar(prepared, name)
        if plan.solution.status == "optimal" and len(prepared.rows) <= MOST_CHAINS_KEPT:
            kept[asked] = plan
        return replace(plan, tables={table: frame.copy(deep=False) for table, frame in plan.tables.items()})

    def _bar(self, prepared: Prepared, name: str) -> Plan:
        """In its share of the time; where that gave no plan at all, in all that is left."""
        from nbb_opt.model import read_model

        spec, label = read_model(name), f"{name}: "
        try:
            return self.plan(prepared, spec, share=SHARE_OF_TIME[name], label=label)
        except NoPlan:
            if self.stop.now():
                raise
        return self.plan(prepared, spec, label=label)

    def _next_tonne_eur(self, form: StandardForm, times: Time, solution: Solution) -> dict[str, float] | None:
        """What one tonne less a year costs under the model's own caps, EUR/t of the period: the dual value of the cap
        where every whole number (trucks, chargers, projects) stays as it is. None where there was no time."""
        from nbb_opt.model.data.assets import ROW_OF_CAP_OF_MODEL

        options = self.options
        warm = Warm(threads=options.threads, seed=options.seed, presolve=options.presolve)
        with self.timed("prices"):
            row_dual = duals_of_plan(form, solution.values, warm=warm, stop=Stop(PRICES_S, asked=self.stop.asked))
        if row_dual is None:
            return None
        factor = dict(zip(times.years.tolist(), times.yearly_factor.tolist(), strict=True))
        caps = [
            (ROW_OF_CAP_OF_MODEL.fullmatch(name), dual) for name, dual in zip(form.row_names, row_dual, strict=True)
        ]
        return {cap[1]: -float(dual) * 1000.0 / factor[int(cap[1])] for cap, dual in caps if cap}

    def cheapest(self, instance: Instance, plan: Plan, bars: Mapping[str, Plan], say: Say | None = None) -> Plan:
        """The plan, or that of a bar: of a search that ended early a bar may be cheaper, and is kept where it is a plan
        of the model too. What is proven stays what the search proved."""
        if plan.solution.status == "optimal" or plan.own_terms is not None:
            return plan
        least = plan.solution.objective - SAME_COST * abs(plan.solution.objective)
        found = self._bar_below(least, instance, plan.spec, bars, plan.solution.bound, plan.solution.status)
        if found is None:
            return plan
        if say is not None:
            say(f"the {found.taken_from} plan is cheaper than what the search found: it is kept")
        sizes = {name: getattr(plan.solution, name) for name in (*SIZES, "log", "history")}
        return replace(found, solution=replace(found.solution, **sizes))

    def instead(self, instance: Instance, spec: ModelSpec, bars: Mapping[str, Plan], end: NoPlan) -> Plan | None:
        """The cheapest bar that is a plan of the model, with the bound that a search proved that ended without a plan;
        None where there is no bound, or no such bar."""
        if end.bound_eur == -np.inf:
            return None
        return self._bar_below(np.inf, instance, spec, bars, end.bound_eur, self.stop.ended_by())

    def _bar_below(
        self, cost_eur: float, instance: Instance, spec: ModelSpec, bars: Mapping[str, Plan], bound: float, status: str
    ) -> Plan | None:
        """The cheapest bar that keeps the rules of the model, if it costs less than that; what is proven is `bound`."""
        if spec.caps_t or spec.prices or spec.flows != "free":  # no bar counts them
            return None
        for name, bar in sorted(bars.items(), key=lambda each: each[1].solution.objective):
            cost = bar.solution.objective
            if cost >= cost_eur:
                break
            low = min(bound, cost)
            solution = replace(bar.solution, status=status, bound=low, gap=relative_gap(cost, low))
            claims = reported(solution, bar.tables)
            try:
                verdict = self.verify(instance, bar.tables, spec, claims)
            except VerifyFailed:  # it breaks a rule of the model
                continue
            return Plan(
                tables=bar.tables, solution=solution, verdict=verdict, spec=spec, ledger=bar.ledger, claims=claims,
                taken_from=name,
            )  # fmt: skip
        return None

    def kept_back_s(self, bars: int) -> float:
        """Seconds of the limit that a search leaves to verification, ledger and report, so that all ends within
        `LATE_S` of it; they are expected to take as long as for the `bars` so far, as often as was seen."""
        so_far_s = sum(self.seconds.get(phase, 0.0) for phase in ("extract", "verify", "ledger"))
        return max(AFTER * so_far_s / max(bars, 1) + GRACE_S - LATE_S, 0.0)


def accept(verdict: Judged, what: str) -> None:
    """Raise VerifyFailed with what does not hold, unless the verdict is that all is well."""
    if not verdict.ok:
        raise VerifyFailed(f"the {what} is not accepted:\n" + verdict.failures().to_string(index=False))


@short_texts
def solve_instance(
    source: Path | str | Instance,
    *,
    out: Path | None = None,
    model: str = "joint",
    options: SolveOptions | None = None,
    cache_dir: Path | None = None,
    callback: Callback | None = None,
    say: Say | None = None,
    stop: Stop | None = None,
    cluster: Cluster | None = None,
    rules: RulesFile | None = None,
    built: Built | None = None,
) -> Run:
    """Solve an instance with a model from `models/` and, before it, the bars that its plan is compared with.

    `rules` are a user's own, added to the model; or the model was `built` before with what a user added, and instance
    and model are its own. They bind the plan only, not its bars.

    With `out` the run is also written there as a complete folder (an earlier run in the same place is replaced).
    With a `cluster` its workers sum the demand and answer for the chains of column generation; they must see the
    instance at the same path.
    Raises InstanceError, ModelError, Infeasible, SolveError; VerifyFailed after writing nothing; NoPlan where the time
    was too short (Stopped where it was cut short), after writing the last plan that there is by then."""
    from nbb_opt.model import read_model

    if out is not None:
        check_target(out)
    options = options or SolveOptions()
    steps = Steps(options, stop=stop, callback=callback, cluster=cluster)
    spec = read_model(model) if built is None else built.spec
    own = rules.name if rules is not None else "the model of nbb.build" if built is not None else ""
    with steps.timed("read"):
        each = cluster.each if cluster is not None else None
        instance = source if isinstance(source, Instance) else read_instance(Path(source), each=each)
    if built is not None:
        prepared = built.data.prepared
    else:  # under rules of the user's own a chain may be of use that another one replaces in every plan without them
        prepared = steps.prepare(instance, cache_dir=cache_dir, prune=False if own else None, say=say)
    steps.choose_method(prepared, spec, say, own=own, stated=built is not None)
    with steps.stop.by_ctrl_c():  # until the run is written: a plan that was found is not lost
        bars: dict[str, Plan] = {}
        aside, names = steps.with_arrays(), bars_of(spec.name, reference=options.reference, own=bool(own))
        try:
            for bar in names:
                bars[bar] = aside.bar(prepared, bar)
            if spec.name not in BARS or options.decision_gap is not None:  # bars keep other rules than each other
                steps.reference_eur = next((plan.solution.objective for plan in reversed(bars.values())), None)
            fixed = prepared.flows_t(bars[FROZEN].tables["flows"]) if spec.flows == FROZEN else None
            if spec.cuts:
                spec = spec.with_caps(next(iter(bars[FROZEN].claims["emissions_t_co2e"].values())))
            kept_s, left_s = steps.kept_back_s(len(bars)), steps.stop.left_s()
            share = max(1.0 - kept_s / left_s, LEAST_OF_TIME) if left_s > 0 else 1.0
            if kept_s > 0 and say is not None:
                say(f"time limit: the search leaves {kept_s:.0f} s to verification, ledger and report")
            plan = steps.plan(prepared, spec, fixed_flows_t=fixed, share=share, rules=rules, built=built)
        except NoPlan as end:
            found = steps.instead(instance, spec, bars, end) if len(bars) == len(names) and not own else None
            if found is None:
                if out is None or not bars:
                    raise
                last, plan = bars.popitem()
                write(out, instance, _run(instance, plan, bars, steps), plan.ledger, steps=steps)
                raise type(end)(f"{end}. The {last} plan, verified, is in {out}") from end
            plan = found
        plan = steps.cheapest(instance, plan, bars, say)
        run = _run(instance, plan, bars, steps)
        return run if out is None else write(out, instance, run, plan.ledger, steps=steps)


def bars_of(model: str, *, reference: bool, own: bool = False) -> tuple[str, ...]:
    """The bars that a plan of a model is compared with, from first to last; `own`: under rules of the user's own.

    >>> bars_of("joint", reference=True), bars_of("reference", reference=True), bars_of("frozen", reference=True)
    (('frozen', 'reference'), ('frozen',), ())
    """
    bars = BARS[: BARS.index(model) + own] if model in BARS else BARS
    return bars if reference or model == REFERENCE else bars[:1]


def _run(instance: Instance, plan: Plan, bars: Mapping[str, Plan], steps: Steps) -> Run:
    own_rules = {} if plan.own_terms is None else {OWN_RULES: json.dumps(plan.own_terms)}
    verdicts = {name: each.verdict.as_json() for name, each in {"plan": plan, **bars}.items()}
    tables = {bar: each.tables for bar, each in bars.items()}
    return Run(Path(), _record(instance, plan, bars, steps), plan.tables, tables, beside={
        "verify.json": json.dumps(verdicts),
        "solver.log": plan.solution.log,
        "bounds.csv": history_csv(plan.solution.history), **own_rules,
    })  # fmt: skip


def write(out: Path, instance: Instance, run: Run, ledger: Ledger | None = None, *, steps: Steps | None = None) -> Run:
    """Write a run folder with report and workbook; an earlier run in the same place is replaced."""
    from nbb_opt.report import html_bytes, workbook_bytes

    steps = steps or Steps()
    with steps.timed("report"):
        ledgers = [ledger or build_ledger(instance, run.tables)]
        run = replace(run, path=out)
        beside: dict[str, bytes | str] = {
            **run.beside,
            "report.html": html_bytes(instance, [run], ledgers=ledgers),
            "report.xlsx": workbook_bytes(instance, [run], ledgers=ledgers),
        }
    run.record["seconds"]["report"] = steps.seconds["report"]
    write_run(out, run.record, run.tables, run.bars, extra_files=beside, replace=True)
    return run


def reported(solution: Solution, tables: Tables) -> dict[str, Any]:
    """What a plan claims of itself; the verifier compares it with its own figures."""
    return {
        "cost_eur": solution.objective,
        "bound": solution.bound,
        "gap": solution.gap,
        "emissions_t_co2e": {str(year): float(tonnes) for year, tonnes in emissions_t(tables).items()},
    }


def with_own(claims: Mapping[str, Any], own: Extension, solution: Solution, tables: Tables) -> dict[str, Any]:
    """The claims of a plan under rules of the user's own: `cost_eur` is what the project counts, bound and gap are
    those of the objective, which has the user's own costs too. Each says whether the verifier can recompute it."""
    from nbb_opt.verify.own_rules import not_shown

    record, hidden = own.record(solution.values, solution.objective), not_shown(own.terms(), tables)
    for each in (*record["rules"], *record["costs"]):
        each["recomputed"] = each["name"] not in hidden
    return {**claims, "cost_eur": own.system.at(solution.values), "extension": record}


def _record(instance: Instance, plan: Plan, bars: Mapping[str, Plan], steps: Steps) -> dict[str, Any]:
    solution, spec = plan.solution, plan.spec
    options = {**asdict(steps.options), **dict(zip(("gap", "decision_gap"), steps.gaps, strict=True))}
    return {
        "instance": instance.meta.name,
        "instance_source": str(instance.path),
        "instance_digest": instance.digest,
        **({} if instance.what_if is None else {"what_if": instance.what_if.record}),
        "model": spec.name,
        "blocks": list(spec.blocks),
        "seed": options.pop("seed"),
        "threads": options.pop("threads"),
        "options": {"technologies": spec.technologies, "projects": spec.projects, "flows": spec.flows, **options},
        "versions": versions(),
        "status": solution.status,
        **({"taken_from": plan.taken_from} if plan.taken_from else {}),
        **plan.claims,
        "verified": all(each.verdict.ok for each in (plan, *bars.values())),
        "checks": len(plan.verdict.checks),
        **({"next_tonne_eur_per_t": plan.next_tonne_eur} if plan.next_tonne_eur else {}),
        **({"caps_t_co2e": spec.caps_in(plan.verdict.emissions_t_co2e)} if spec.caps_t else {}),
        "seconds": steps.seconds,
        **_sizes(solution),
        "bars": {
            name: {
                "model": bar.spec.name,
                "blocks": list(bar.spec.blocks),
                "technologies": bar.spec.technologies,
                "projects": bar.spec.projects,
                "status": bar.solution.status,
                **bar.claims,
                "checks": len(bar.verdict.checks),
                **_sizes(bar.solution),
            }
            for name, bar in bars.items()
        },
    }


def _sizes(solution: Solution) -> dict[str, int]:
    return {name: getattr(solution, name) for name in SIZES}
