"""Plans: solve, look at the result, verify, report, compare."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nbb_opt.api.data import freight, read
from nbb_opt.arguments import checked, folder, named
from nbb_opt.errors import ModelError, NbbError
from nbb_opt.instance import Instance, read_instance
from nbb_opt.options import DEFAULT_AGAIN_S, SolveOptions
from nbb_opt.output import check_file
from nbb_opt.result import BARS, FROZEN, REFERENCE, Run, decision_gap, read_run
from nbb_opt.run_folder import check_target
from nbb_opt.shipped import cache_folder

if TYPE_CHECKING:
    import pyomo.environ as pyo

    from nbb_opt.cluster import Cluster
    from nbb_opt.emissions.ledger import Ledger
    from nbb_opt.problems.result import ProblemInstance, ProblemResult, Response
    from nbb_opt.solve.stop import Progress, Stop
    from nbb_opt.verify.verdict import Verdict

LOG = logging.getLogger("nbb_opt")
Callback = Callable[["Progress"], None]


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """A verified plan: its figures as tables with names and units, and the bars that it is compared with.

    `record` is what `run.json` holds. Amounts are per year of the period that begins in `year`.

    >>> from nbb_opt import examples
    >>> plan = solve(examples.tiny())
    >>> plan
    <Result joint on tiny: optimal, 18.988 MEUR, gap 0... %, verified>
    >>> plan.fleet.columns.tolist()
    ['fleet_region', 'vehicle', 'technology', 'vintage_year', 'year', 'bought_vehicles', 'in_service_vehicles']
    >>> plan.cost_eur < plan.reference.cost_eur
    True
    """

    run: Run
    given: Instance | None = None
    _made: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        accepted = "verified" if self.verified else "not verified"
        return (
            f"<Result {self.run.record['model']} on {self.run.record['instance']}: {self.status}, "
            f"{self.cost_eur / 1e6:,.3f} MEUR, gap {100 * self.gap:.2g} %, {accepted}>"
        )

    def __str__(self) -> str:
        from nbb_opt.report.headline import closing_block

        return closing_block(self.instance, self.run)

    @property
    def instance(self) -> Instance:
        """The instance that was solved. Raises NbbError if it is not what it was."""
        if "instance" not in self._made:
            found = (self.given or read_instance(self.run.record["instance_source"])).as_recorded(self.run.record)
            if found.digest != self.run.record["instance_digest"]:
                raise NbbError(
                    f"{found.path}: is not the instance of this plan (digest {found.digest[:12]} against "
                    f"{self.run.record['instance_digest'][:12]}); give the one that was solved as instance="
                )
            self._made["instance"] = found
        return self._made["instance"]

    @property
    def record(self) -> dict[str, Any]:
        """What was asked, what was proven, versions and seconds: plain values, a copy."""
        return deepcopy(self.run.record)

    @property
    def status(self) -> str:
        """ "optimal" (the gap asked for is proven), "time_limit", "stopped" or "not_proven" (the search ended)."""
        return str(self.run.record["status"])

    @property
    def cost_eur(self) -> float:
        """System cost, net present value."""
        return float(self.run.record["cost_eur"])

    @property
    def objective_eur(self) -> float:
        """System cost and the costs of your own that were added to the model; without any, `cost_eur`."""
        return float(self.run.record.get("extension", {}).get("objective_eur", self.cost_eur))

    @property
    def bound_eur(self) -> float:
        """No plan has a lower objective."""
        return float(self.run.record["bound"])

    @property
    def gap(self) -> float:
        """|objective - bound| over |objective|."""
        return float(self.run.record["gap"])

    @property
    def decision_gap(self) -> float:
        """(cost - bound) / (cost of the reference - bound), what is open of what can be decided; NaN without one."""
        against = self.run.said_of(self.run.against)
        return decision_gap(self.cost_eur, self.bound_eur, against["cost_eur"]) if against else float("nan")

    @property
    def verified(self) -> bool:
        """Whether the built-in independent verifier accepted the plan."""
        return bool(self.run.record["verified"])

    @property
    def reference(self) -> Result:
        """The reference: what market and committed decisions do without a plan. Raises NbbError if there is none."""
        return self._bar(REFERENCE)

    @property
    def frozen(self) -> Result:
        """The frozen plan: today's technologies and network."""
        return self._bar(FROZEN)

    def _bar(self, bar: str) -> Result:
        said, mine = self.run.said_of(bar), self.run.record.get("bars", {})
        if not said:
            if self.run.record["model"] == bar:
                return self
            raise NbbError(f"the {bar} plan was not solved with this one; solve again with it")
        rules = ("technologies", "projects")
        options = {**self.run.record["options"], **{key: said[key] for key in rules}}
        said = {key: value for key, value in said.items() if key not in rules}
        before = BARS[: BARS.index(bar)]
        bars = {name: mine[name] for name in before}
        record = {**self.run.record, **said, "options": {**options, "flows": "free"}, "bars": bars}
        record.pop("extension", None)  # rules of your own bind the plan only
        known = {"accepted": True} if "accepted" in self._made else {}
        run = Run(Path(), record, self.run.bars[bar], {name: self.run.bars[name] for name in before})
        return Result(run, self.given or self.instance, known)

    @property
    def flows(self) -> pd.DataFrame:
        """Tonnes by flow, way and year: a row for each chain of modes that carries something."""
        tables = self.run.tables
        steps = tables["chain_steps"].astype({"kind": "str", "mode_a": "str", "terminal": "str"})
        mode = steps["mode_a"].mask(steps["kind"] == "lane", "road").where(steps["kind"] != "terminal", "")
        moved = steps.assign(mode=mode).sort_values(["chain", "step"]).groupby("chain")
        ways = pd.DataFrame({"modes": moved["mode"].agg(_in_turn), "terminals": moved["terminal"].agg(_in_turn)})
        rows = tables["flows"].merge(tables["chains"], on="chain").merge(tables["bundles"], on="bundle")
        rows = rows.merge(ways, on="chain").rename(columns={"tonnes": "flow_t_per_year"})
        names = ["origin", "destination", "commodity", "year", "main_mode", "modes", "terminals", "projects"]
        figures = ["distance_km", "time_h", "flow_t_per_year"]
        return rows[names + figures].sort_values(names[:5], ignore_index=True)

    @property
    def fleet(self) -> pd.DataFrame:
        """Vehicles bought and in service by region, vehicle, vintage and year."""
        kinds = self.instance["vehicles"].set_index("vehicle")["technology"]
        rows = self._rows("fleet").rename(columns={"bought": "bought_vehicles", "kept": "in_service_vehicles"})
        rows.insert(2, "technology", rows["vehicle"].map(kinds).astype("str"))
        return rows

    @property
    def chargers(self) -> pd.DataFrame:
        """Chargers installed and in service by charging area, kind and year, with their power."""
        kw = self.instance["chargers"].set_index("charger")["kw"]
        rows = self._rows("chargers")
        rows = rows.rename(columns={"installed": "installed_chargers", "in_service": "in_service_chargers"})
        return rows.assign(in_service_kw=rows["charger"].map(kw).astype(float) * rows["in_service_chargers"])

    @property
    def projects(self) -> pd.DataFrame:
        """Projects built, by year."""
        names = self.instance["projects"].set_index("project")["name"]
        rows = self._rows("projects")
        rows = rows.rename(columns={"newly_built": "newly_built_units", "in_service": "in_service_units"})
        rows.insert(1, "name", rows["project"].map(names).astype("str"))
        return rows

    @property
    def sourcing(self) -> pd.DataFrame:
        """Inputs of plants with recipes by site, input and year: needed, how much from the region (and by contracts),
        cost above contracts, emissions upstream; no rows of a plan that chooses no supplier."""
        from nbb_opt.report.sourcing import sourcing_table

        tables = self.run.tables
        found = sourcing_table(self.instance, tables)
        return found if len(tables["supplied"]) else found.iloc[:0]

    @property
    def emissions(self) -> pd.DataFrame:
        """TTW, WTT and WTW t CO2e by year, country, mode and energy carrier."""
        rows = self._rows("emissions")
        tonnes = {f"{part}_t_co2e_per_year": rows[f"{part}_kg"] / 1000.0 for part in ("ttw", "wtt")}
        rows = rows.drop(columns=["ttw_kg", "wtt_kg"]).assign(**tonnes)
        return rows.assign(wtw_t_co2e_per_year=rows["ttw_t_co2e_per_year"] + rows["wtt_t_co2e_per_year"])

    @property
    def costs(self) -> pd.DataFrame:
        """Costs by component and year, as paid and discounted."""
        return self._rows("costs")

    def _rows(self, table: str) -> pd.DataFrame:
        """A copy of a table of the plan, so that no edit of it reaches the plan."""
        return self.run.tables[table].copy()

    @property
    def history(self) -> pd.DataFrame:
        """Incumbent and bound over the seconds of the search; no rows for a bar."""
        text = self.run.beside.get("bounds.csv", "elapsed_s,incumbent_eur,bound_eur\n")
        return pd.read_csv(io.BytesIO(text.encode() if isinstance(text, str) else text))

    @property
    def figures(self) -> dict[str, Any]:
        """The key figures of the report (see `report.kpis.key_figures`)."""
        from nbb_opt.report import key_figures

        if "figures" not in self._made:
            self._made["figures"] = key_figures(self.instance, self.run)
        return deepcopy(self._made["figures"])

    @property
    def ledger(self) -> Ledger:
        """The ledger of emissions by ISO 14083, a copy: transport chain elements and operation categories."""
        return deepcopy(self._ledger())

    def _ledger(self) -> Ledger:
        from nbb_opt.emissions.ledger import build_ledger

        if "ledger" not in self._made:
            self._made["ledger"] = build_ledger(self.instance, self.run.tables)
        return self._made["ledger"]

    @checked
    def to_html(self, path: Path | str) -> Path:
        """Write the report, one closed HTML page. A plan read from a folder is verified first."""
        from nbb_opt.report import write_html

        check_file(named(path, ".html", ".htm", what="page"))
        write_html(self.instance, [self._accepted().run], Path(path), ledgers=[self._ledger()])
        return Path(path)

    @checked
    def to_excel(self, path: Path | str) -> Path:
        """Write the workbook with every table of report and plan. A plan read from a folder is verified first."""
        from nbb_opt.report import write_workbook

        check_file(named(path, ".xlsx", what="workbook"))
        write_workbook(self.instance, [self._accepted().run], Path(path), ledgers=[self._ledger()])
        return Path(path)

    @checked
    def to_ileap(
        self, path: Path | str, *, carriers: Mapping[str, str] | None = None, hub_carrier: str = "diesel"
    ) -> list[Path]:
        """Write iLEAP 1.0 footprints, TOC and HOC data and CSV tables of the ledger; gives the files.

        `carriers` are iLEAP words for energy carriers of the instance, as {"biogas": "LNG"}; hubs use `hub_carrier`.
        """
        from nbb_opt.emissions.exchange import write_exchange

        ledger, words = self._accepted()._ledger(), dict(carriers or {})
        return write_exchange(self.instance, ledger, folder(path), carriers=words, hub_carrier=hub_carrier)

    def _accepted(self, again_s: float = DEFAULT_AGAIN_S) -> Result:
        """This plan, once it is to be believed: it was solved just now, or verified since it was read."""
        if "accepted" not in self._made:
            verify(self, again_s=again_s)
        return self

    @checked
    def save(self, path: Path | str) -> Path:
        """Write a run folder, as `nbb-opt solve` does; an earlier run there is replaced. `nbb.load` reads it."""
        from nbb_opt.pipeline import write as write_run_folder

        check_target(folder(path))
        return write_run_folder(Path(path), self.instance, self.run, self._ledger()).path


def _in_turn(words: pd.Series) -> str:
    """Words that are not blank, in order, without repetition side by side."""
    kept: list[str] = []
    for word in words.tolist():
        if word and word != (kept[-1] if kept else ""):
            kept.append(word)
    return ", ".join(kept)


@checked
def load(
    path: Path | str, *, instance: Instance | ProblemInstance | Path | str | None = None
) -> Result | Any:  # a ProblemResult of another problem; Any, so that users need not ask
    """Read a run folder of any problem. `instance` is needed where its files have changed or moved since.

    Raises NbbError if `instance` is not the one that was solved, nor the base of that what-if. Without it the instance
    is read where it was, once a table needs it.

    >>> import tempfile
    >>> from nbb_opt import examples
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     saved = solve(examples.tiny()).save(Path(folder, "run"))
    ...     load(saved).cost_eur == solve(examples.tiny()).cost_eur
    True
    """
    from nbb_opt.problems.dispatch import FREIGHT, handlers, instance_for, problem_of_run
    from nbb_opt.verify.shape import refuse_other_shapes

    problem = problem_of_run(Path(path))
    instance = instance_for(problem, instance)
    if problem != FREIGHT:
        return handlers(problem).load(Path(path), instance)
    run = read_run(Path(path))
    refuse_other_shapes(run.record, run.path)
    found = Result(run, None if instance is None else freight(instance, "this plan"))
    return found if instance is None else replace(found, given=found.instance)  # which refuses another one


def freight_plan(plan: Result | Path | str, what: str, *, instance: Instance | Path | str | None = None) -> Result:
    """The plan, read if it is a path, and verified unless it was.

    Raises NbbError if it is not of freight, which `what` is about, VerifyFailed if it is not accepted.
    """
    from nbb_opt.problems.dispatch import problem_of

    if isinstance(plan, Result):
        if instance is not None:
            raise NbbError(f"{what}: instance= is for a run folder; a plan has its own: load it with that instance")
        return plan._accepted(again_s=0.0)
    problem_of(Path(plan), what)
    found = load(plan, instance=instance)
    assert isinstance(found, Result)
    return found._accepted(again_s=0.0)


@checked
def solve(
    region: Instance | ProblemInstance | Path | str | pyo.ConcreteModel,
    model: str | None = None,
    *,
    options: SolveOptions | None = None,
    gap: float | None = None,
    time_limit_s: float | None = None,
    threads: int | None = None,
    seed: int | None = None,
    out: Path | str | None = None,
    progress: Callback | None = None,
    cache: bool = True,
    stop: Stop | None = None,
    cluster: Cluster | None = None,
    extend: Path | str | None = None,
) -> Result | Any:  # a ProblemResult of another problem; Any, so that users need not ask
    """The cheapest plan of a region by a model of `models/`, proven to a gap and verified, and its bars.

    `model` is "joint" where none is named, and for network design and national planning the model of that name; these
    give a `ProblemResult` (tables and record), and know neither `cluster` nor `extend`. `region` may also be a model
    that `build` gave, with rules and costs of your own added to it; or they are in a file `extend` with a function
    `extend(model, data)` (see models/EXTENDING.md).

    `options` is a SolveOptions; `gap`, `time_limit_s`, `threads` and `seed` stand for its fields. With `out` the run
    folder is written. `progress` is called with every step; without it the phases go to the logger "nbb_opt". `cache`
    keeps prepared chains in the user's cache folder. Ctrl-C keeps the best plan found. Raises InstanceError,
    ModelError, Infeasible, NoPlan, SolveError, VerifyFailed.

    >>> from nbb_opt import examples
    >>> plan = solve(examples.tiny(), model="shift_only", gap=0.01)
    >>> plan.status, plan.verified
    ('optimal', True)
    """
    from nbb_opt.pipeline import solve_instance

    chosen = with_changes(options, gap=gap, time_limit_s=time_limit_s, threads=threads, seed=seed)
    rules, built = None, None
    if out is not None:
        folder(out)
    if isinstance(region, (str, Path)):
        region = read(region)
    if hasattr(region, "problem"):
        return _solve_other(
            region, model, chosen, out=out, progress=progress, cache=cache, stop=stop, cluster=cluster, extend=extend
        )
    if isinstance(region, Instance):
        instance = region
        if extend is not None:
            from nbb_opt.model.rules_file import read_rules

            rules = read_rules(Path(extend))
    else:
        from nbb_opt.model.snapshot import Snapshot

        kept = Snapshot.of(region)
        if extend is not None or model not in (None, region.name):
            raise ModelError("solve: a model of nbb.build says what is solved; leave out model and extend")
        built = kept.extended()
        instance = built.data.instance
    run = solve_instance(
        instance, out=None if out is None else Path(out), model=model or "joint", options=chosen,
        cache_dir=cache_folder() if cache else None, callback=callback_of(progress), say=LOG.info, stop=stop,
        cluster=cluster, rules=rules, built=built,
    )  # fmt: skip
    return Result(run, instance, {"accepted": True})


def _solve_other(
    region: Any, model: str | None, options: SolveOptions, *, out: Path | str | None, progress: Callback | None,
    cache: bool, stop: Stop | None, cluster: Cluster | None, extend: Path | str | None,
) -> ProblemResult:  # fmt: skip
    """A plan of another problem than freight, by its own handlers."""
    from nbb_opt.problems.dispatch import handlers
    from nbb_opt.problems.handlers import SolveRequest
    from nbb_opt.problems.result import ProblemResult
    from nbb_opt.solve.stop import Stop as Limit

    request = SolveRequest(
        instance=region, model=model, options=options, stop=stop or Limit(options.time_limit_s),
        out=None if out is None else Path(out), write=out is not None, callback=callback_of(progress), cache=cache,
        cluster=None if cluster is None else str(cluster), extend=None if extend is None else Path(extend),
    )  # fmt: skip
    found = handlers(region.problem).solve(request)
    assert isinstance(found, ProblemResult)
    return found


@checked
def build(region: Instance | ProblemInstance | Path | str, model: str = "joint") -> pyo.ConcreteModel:
    """The Pyomo model of a region, to read, to add rules and costs of your own to, and to `solve`.

    Every candidate chain is in it, also those that another one replaces in every plan: a rule of yours may need one.

    >>> import pyomo.environ as pyo
    >>> from nbb_opt import examples
    >>> m = build(examples.tiny())
    >>> def few(m, year):
    ...     return sum(m.bought[region, truck, year] for region, truck in m.purchases_in[year]) <= 40
    >>> m.few_trucks = pyo.Constraint(m.years, rule=few)
    >>> plan = solve(m)
    >>> plan.verified, [rule["name"] for rule in plan.record["extension"]["rules"]]
    (True, ['few_trucks[2025]', 'few_trucks[2030]'])
    """
    from nbb_opt.model import build as build_model
    from nbb_opt.model import read_model
    from nbb_opt.model.snapshot import Snapshot
    from nbb_opt.network import prepare

    spec = read_model(model)
    if spec.flows != "free":
        raise ModelError(f"build: the flows of '{model}' are those of the frozen plan; use solve(..., extend=FILE)")
    region = freight(region, "build")
    built = build_model(region, prepare(region, prune=False), spec)
    Snapshot(built).keep()
    return built.model


@checked
def verify(
    plan: Result | ProblemResult | Path | str,
    *,
    instance: Instance | ProblemInstance | Path | str | None = None,
    model: str | None = None,
    solution: Path | str | None = None,
    again_s: float = DEFAULT_AGAIN_S,
    cache: bool = True,
) -> Verdict | Response:
    """Verify a plan from its tables alone; both have `lines` for people and a `record` of plain values.

    `plan` is a result, a run folder of any problem, or a folder of tables of another engine (models/SOLUTIONS.md) with
    its `instance`; with `solution`, a file of names and values from a solver elsewhere, it is the instance that was
    solved. Costs, emissions and every rule of the model are recomputed by the built-in independent verifier, the ledger
    is added up. A bound is the word of the solver; it is held against a new solve of its models of at most `again_s`
    seconds, 0: none. `model` is the model that another engine solved, or the .toml of your own. Raises VerifyFailed,
    with every failed check, for what is not accepted.

    >>> from nbb_opt import examples
    >>> for line in verify(solve(examples.tiny(), gap=1e-6)).lines:
    ...     print(line)
    verified: OK, ... checks, cost 18,988,400 EUR
    bound of frozen: confirmed by solving again
    bound of reference: confirmed by solving again
    bound of joint: confirmed by solving again
    the word of the run, which nothing shows: instance_source, options, ...
    """
    from nbb_opt.problems.dispatch import handlers, instance_for, problem_of, verify_solution
    from nbb_opt.problems.handlers import VerifyRequest

    if isinstance(plan, Result):
        return _accept(plan, instance, model, again_s, cache=cache)
    if solution is not None and isinstance(plan, (str, Path)):
        return verify_solution(Path(plan), model, Path(solution))
    where = Path(plan) if isinstance(plan, str) else plan
    problem = problem_of(where, "verify") if isinstance(where, Path) else where.record["problem"]
    request = VerifyRequest(
        run=where, instance=instance_for(problem, instance), model=model, again_s=again_s, cache=cache
    )  # fmt: skip
    return handlers(problem).verify(request)


def _accept(
    plan: Result, given: Any, model: str | None, again_s: float, *, cache: bool
) -> Verdict:  # fmt: skip
    from nbb_opt.acceptance import accept_run

    instance = freight(given or plan.given or plan.instance, "this plan").as_recorded(plan.run.record)
    verdict = accept_run(
        plan.run, instance, model_file=None if model is None else Path(model), again_s=again_s,
        cache_dir=cache_folder() if cache else None,
    )  # fmt: skip
    plan._made["accepted"] = True
    return verdict


@checked
def report(
    plans: Result | ProblemResult | Path | str | Sequence[Result | ProblemResult | Path | str],
    out: Path | str = "report.html",
    *,
    instance: Instance | ProblemInstance | Path | str | None = None,
    model: str | None = None,
    intensities: Path | str | None = None,
    ileap: Path | str | None = None,
    carriers: Mapping[str, str] | None = None,
    hub_carrier: str = "diesel",
    outside: bool = False,
    studies: Sequence[Path | str] = (),
    again_s: float = DEFAULT_AGAIN_S,
) -> Response:
    """Write one HTML report and, of freight, one workbook beside it; several plans are set side by side.

    Plans read from folders are verified first, as `verify` does; the lines of the response say so. `intensities` is a
    table of your own factors in g_co2e_per_tkm (technology = a vehicle), set beside those of the ledger. `ileap` is a
    folder for the files of `Result.to_ileap`, of one plan, with its `carriers` and `hub_carrier`. `outside` counts
    freight without a choice of mode in emissions and their percentages. `studies` are folders that studies of the
    instance wrote: the report shows the sentences, a picture and a table of each. Raises VerifyFailed, and writes
    nothing, if a plan is not accepted or the plans were made from different data.

    >>> import tempfile
    >>> from nbb_opt import examples
    >>> plan = solve(examples.tiny())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [Path(file).name for file in report([plan, plan.reference], Path(folder, "both.html")).record["files"]]
    ['both.html', 'both.xlsx']
    """
    from nbb_opt.problems.dispatch import FREIGHT, handlers, instance_for, problem_of
    from nbb_opt.problems.handlers import Believed, ReportRequest
    from nbb_opt.problems.result import ProblemResult

    page = named(out, ".html", ".htm", what="page")
    given, problems = list[Believed | ProblemResult | Path](), set[str]()
    several = [plans] if isinstance(plans, (Result, ProblemResult, Path, str)) else plans
    for each in several:
        if isinstance(each, Result):
            given.append(Believed(each._accepted().run, each.instance, each.ledger))
            problems.add(FREIGHT)
        elif isinstance(each, ProblemResult):
            given.append(each)
            problems.add(each.record["problem"])
        else:
            given.append(Path(each))
            problems.add(problem_of(Path(each), "report"))
    if len(problems) != 1:
        raise NbbError("the runs are about different problems; report them apart" if problems else "give a run")
    problem = problems.pop()
    request = ReportRequest(
        plans=given, out=page, instance=instance_for(problem, instance), model=model,
        again_s=again_s, outside=outside, intensities=None if intensities is None else Path(intensities),
        ileap=None if ileap is None else Path(ileap), carriers=carriers or {}, hub_carrier=hub_carrier,
        studies=[folder(each) for each in studies],
    )  # fmt: skip
    for file in [page, *([page.with_suffix(".xlsx")] if problem == FREIGHT else [])]:
        check_file(file)
    return handlers(problem).report(request)


def with_changes(options: SolveOptions | None, **changes: Any) -> SolveOptions:
    """The options, the default ones if there are none, with those of the changes that are not None."""
    given = {name: value for name, value in changes.items() if value is not None}
    return replace(options or SolveOptions(), **given)


def callback_of(progress: Callback | None) -> Callback:
    """The caller's callback, or one that logs each phase once."""
    seen: set[str] = set()

    def log(step: Progress) -> None:
        if step.phase not in seen:
            seen.add(step.phase)
            LOG.info("%.1f s  %s", step.elapsed_s, step.phase)

    return progress or log
