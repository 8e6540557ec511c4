"""What a notebook sees: read, solve, look at the plan, compare, sweep. Commands are a layer on these functions."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance, read_instance, write_workbook
from nbb_opt.options import SolveOptions
from nbb_opt.result import Run, read_run
from nbb_opt.shipped import cache_folder

if TYPE_CHECKING:
    import pyomo.environ as pyo

    from nbb_opt.cluster import Cluster
    from nbb_opt.emissions.ledger import Ledger
    from nbb_opt.solve.stop import Progress, Stop
    from nbb_opt.studies.audit.audit import Audit
    from nbb_opt.verify import Verdict

LOG = logging.getLogger("nbb_opt")
Listener = Callable[["Progress"], None]


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """A verified plan: its figures as tables with names and units, and the do-nothing plan beside it.

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
            f"<Result {self.record['model']} on {self.record['instance']}: {self.status}, "
            f"{self.cost_eur / 1e6:,.3f} MEUR, gap {100 * self.gap:.2g} %, {accepted}>"
        )

    def __str__(self) -> str:
        from nbb_opt.report.headline import closing_block

        return closing_block(self.instance, self.run)

    @property
    def instance(self) -> Instance:
        """The instance that was solved. Raises NbbError if it is not what it was."""
        if "instance" not in self._made:
            found = self.given or read_instance(self.record["instance_source"])
            if found.digest != self.record["instance_digest"]:
                raise NbbError(
                    f"{found.path}: is not the instance of this plan (digest {found.digest[:12]} against "
                    f"{self.record['instance_digest'][:12]}); give it: nbb.load(path, instance=...)"
                )
            self._made["instance"] = found
        return self._made["instance"]

    @property
    def record(self) -> dict[str, Any]:
        """What was asked, what was proven, versions and seconds: plain values."""
        return self.run.record

    @property
    def status(self) -> str:
        """ "optimal" (the gap asked for is proven), "time_limit" or "stopped"."""
        return str(self.record["status"])

    @property
    def cost_eur(self) -> float:
        """System cost, net present value."""
        return float(self.record["cost_eur"])

    @property
    def bound_eur(self) -> float:
        """No plan costs less."""
        return float(self.record["bound"])

    @property
    def gap(self) -> float:
        """|cost - bound| over |cost|."""
        return float(self.record["gap"])

    @property
    def verified(self) -> bool:
        """Whether the built-in independent verifier accepted the plan."""
        return bool(self.record["verified"])

    @property
    def reference(self) -> Result:
        """The do-nothing plan: today's technologies, no projects."""
        said = self.record["baseline"]
        options = {**self.record["options"], **{key: said[key] for key in ("technologies", "projects")}}
        record = {**self.record, **said, "options": {**options, "flows": "free"}}
        return Result(Run(Path(), record, self.run.baseline, self.run.baseline), self.given or self.instance)

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
        rows = self.run.tables["fleet"].rename(columns={"bought": "bought_vehicles", "kept": "in_service_vehicles"})
        rows.insert(2, "technology", rows["vehicle"].map(kinds).astype("str"))
        return rows

    @property
    def chargers(self) -> pd.DataFrame:
        """Chargers installed and in service by charging area, kind and year, with their power."""
        kw = self.instance["chargers"].set_index("charger")["kw"]
        rows = self.run.tables["chargers"]
        rows = rows.rename(columns={"installed": "installed_chargers", "in_service": "in_service_chargers"})
        return rows.assign(in_service_kw=rows["charger"].map(kw).astype(float) * rows["in_service_chargers"])

    @property
    def projects(self) -> pd.DataFrame:
        """Projects built, by year."""
        names = self.instance["projects"].set_index("project")["name"]
        rows = self.run.tables["projects"]
        rows = rows.rename(columns={"newly_built": "newly_built_units", "in_service": "in_service_units"})
        rows.insert(1, "name", rows["project"].map(names).astype("str"))
        return rows

    @property
    def emissions(self) -> pd.DataFrame:
        """TTW, WTT and WTW t CO2e by year, country, mode and energy carrier."""
        rows = self.run.tables["emissions"]
        tonnes = {f"{part}_t_co2e_per_year": rows[f"{part}_kg"] / 1000.0 for part in ("ttw", "wtt")}
        rows = rows.drop(columns=["ttw_kg", "wtt_kg"]).assign(**tonnes)
        return rows.assign(wtw_t_co2e_per_year=rows["ttw_t_co2e_per_year"] + rows["wtt_t_co2e_per_year"])

    @property
    def costs(self) -> pd.DataFrame:
        """Costs by component and year, as paid and discounted."""
        return self.run.tables["costs"].copy()

    @property
    def history(self) -> pd.DataFrame:
        """Incumbent and bound over the seconds of the search; no rows for the do-nothing plan."""
        text = self.run.beside.get("bounds.csv", "elapsed_s,incumbent_eur,bound_eur\n")
        return pd.read_csv(io.BytesIO(text.encode() if isinstance(text, str) else text))

    @property
    def figures(self) -> dict[str, Any]:
        """The key figures of the report (see `report.kpis.key_figures`)."""
        from nbb_opt.report import key_figures

        if "figures" not in self._made:
            self._made["figures"] = key_figures(self.instance, self.run)
        return dict(self._made["figures"])

    @property
    def ledger(self) -> Ledger:
        """The ledger of emissions by ISO 14083: transport chain elements and operation categories."""
        from nbb_opt.emissions.ledger import build_ledger

        if "ledger" not in self._made:
            self._made["ledger"] = build_ledger(self.instance, self.run.tables)
        return self._made["ledger"]

    def to_html(self, path: Path | str) -> Path:
        """Write the report, one closed HTML page."""
        from nbb_opt.report import write_html

        write_html(self.instance, [self.run], Path(path), ledgers=[self.ledger])
        return Path(path)

    def to_excel(self, path: Path | str) -> Path:
        """Write the workbook with every table of the report and of the plan."""
        from nbb_opt.report import write_workbook

        write_workbook(self.instance, [self.run], Path(path), ledgers=[self.ledger])
        return Path(path)

    def save(self, path: Path | str) -> Path:
        """Write a run folder, as `nbb-opt solve` does; an earlier run there is replaced. `nbb.load` reads it."""
        from nbb_opt.pipeline import write as write_run_folder

        return write_run_folder(Path(path), self.instance, self.run, self.ledger).path


def _in_turn(words: pd.Series) -> str:
    """Words that are not blank, in order, without repetition side by side."""
    kept: list[str] = []
    for word in words.tolist():
        if word and word != (kept[-1] if kept else ""):
            kept.append(word)
    return ", ".join(kept)


def read(path: Path | str, *, add_duplicates: bool = False) -> Instance:
    """Read and check an instance: a folder, a .zip or a workbook. Raises InstanceError with every problem.

    >>> from nbb_opt.shipped import shipped
    >>> region = read(shipped("instances") / "tiny")
    >>> region["links"].columns.tolist()[:3]
    ['link', 'from_node', 'to_node']
    """
    from nbb_opt.problems.dispatch import FREIGHT, problem_of_instance

    if (problem := problem_of_instance(Path(path))) != FREIGHT:
        raise NbbError(f"{path}: is about {problem}, nbb.read is about {FREIGHT}; take the command nbb-opt solve")
    return read_instance(path, add_duplicates=add_duplicates)


def write(region: Instance, path: Path | str) -> Path:
    """Write an instance to a new folder, or to a workbook if the name ends in .xlsx; it reads back with its digest.

    >>> import tempfile
    >>> from nbb_opt import examples
    >>> dear = examples.tiny().with_table("links", lambda t: t.assign(note="as told"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read(write(dear, Path(folder, "case"))).digest == dear.digest
    True
    """
    from nbb_opt.formats.instance_forms import write_folder

    path = Path(path)
    if path.exists():
        raise NbbError(f"{path}: is there already; choose another name")
    if path.suffix == ".xlsx":
        return write_workbook(region, path)
    write_folder(region, path)
    return path


def load(path: Path | str, *, instance: Instance | None = None) -> Result:
    """Read a run folder. `instance` is needed where its files have changed or moved since.

    >>> import tempfile
    >>> from nbb_opt import examples
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     saved = solve(examples.tiny()).save(Path(folder, "run"))
    ...     load(saved).cost_eur == solve(examples.tiny()).cost_eur
    True
    """
    return Result(read_run(Path(path)), instance)


def solve(
    region: Instance | Path | str,
    model: str = "joint",
    *,
    options: SolveOptions | None = None,
    gap: float | None = None,
    time_limit_s: float | None = None,
    threads: int | None = None,
    seed: int | None = None,
    out: Path | str | None = None,
    progress: Listener | None = None,
    cache: bool = True,
    stop: Stop | None = None,
    cluster: Cluster | None = None,
) -> Result:
    """The cheapest plan of a region by a model of `models/`, proven to a gap and verified, and the do-nothing plan.

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

    instance = region if isinstance(region, Instance) else read(region)
    chosen = _options(options, gap=gap, time_limit_s=time_limit_s, threads=threads, seed=seed)
    run = solve_instance(
        instance, out=None if out is None else Path(out), model=model, options=chosen,
        cache_dir=cache_folder() if cache else None, listen=_listener(progress), say=LOG.info, stop=stop,
        cluster=cluster,
    )  # fmt: skip
    return Result(run, instance)


def build(region: Instance, model: str = "joint") -> pyo.ConcreteModel:
    """The Pyomo model of a region, to read, to change and to solve with any solver.

    >>> from nbb_opt import examples
    >>> stated = build(examples.tiny())
    >>> type(stated).__name__, stated.component("serve_demand") is not None
    ('ConcreteModel', True)
    """
    from nbb_opt.model import build as build_model
    from nbb_opt.model import read_model
    from nbb_opt.network import prepare

    return build_model(region, prepare(region), read_model(model)).model


def verify(plan: Result | Path | str, *, instance: Instance | None = None) -> Verdict:
    """Recompute a plan from its tables by the built-in independent verifier; `.ok`, `.checks`, `.failures()`.

    >>> from nbb_opt import examples
    >>> verify(solve(examples.tiny())).ok
    True
    """
    from nbb_opt.verify import verify_run

    if isinstance(plan, Result):
        return verify_run(plan.run, instance or plan.instance)
    found = Result(read_run(Path(plan), refuse_altered=False), instance)
    return verify_run(found.run, found.instance)


def compare(*plans: Result, names: Sequence[str] = ()) -> pd.DataFrame:
    """Key figures side by side, a row for each, and the differences to the first plan.

    The column `undecided` says of the costs whether a better search could turn the difference round: the optima lie
    between bound and cost, and these ranges overlap. Other figures have no bound; there it is blank.

    >>> from nbb_opt import examples
    >>> plan = solve(examples.tiny())
    >>> table = compare(plan, plan.reference)
    >>> table.columns.tolist()
    ['joint', 'do_nothing', 'do_nothing - joint', 'do_nothing undecided']
    >>> bool(table.loc[("system cost, net present value", "MEUR"), "do_nothing undecided"])
    False
    """
    if not plans:
        raise NbbError("compare: give at least one plan")
    labels = _labels(plans, names)
    columns = {label: _key_figures(plan) for label, plan in zip(labels, plans, strict=True)}
    table = pd.DataFrame(columns)
    table.index = pd.MultiIndex.from_tuples(table.index, names=["figure", "unit"])
    first, first_name = plans[0], labels[0]
    for label, plan in zip(labels[1:], plans[1:], strict=True):
        table[f"{label} - {first_name}"] = table[label] - table[first_name]
        undecided = plan.bound_eur <= first.cost_eur and first.bound_eur <= plan.cost_eur
        table[f"{label} undecided"] = pd.array([undecided] + [pd.NA] * (len(table) - 1), dtype="boolean")
    return table


def _labels(plans: Sequence[Result], names: Sequence[str]) -> list[str]:
    if names and len(names) != len(plans):
        raise NbbError(f"compare: {len(plans)} plans and {len(names)} names; give one for each")
    given = list(names) or [str(plan.record["model"]) for plan in plans]
    return [name if given.count(name) == 1 else f"{name} {number}" for number, name in enumerate(given, 1)]


def _key_figures(plan: Result) -> Mapping[tuple[str, str], float]:
    found, periods = plan.figures, plan.instance.periods
    emitted, money, last = found["emissions_t_co2e"], found["investments_eur"], periods[-1].year
    return {
        ("system cost, net present value", "MEUR"): found["cost_eur"] / 1e6,
        **{(f"emissions {p.year}", "kt CO2e per year, WTW"): emitted[p.year] / 1e3 for p in periods},
        ("emissions, all years", "kt CO2e, WTW"): sum(emitted[p.year] * p.years for p in periods) / 1e3,
        (f"road to rail, sea and ferry {last}", "kt per year"): found["shifted_t"].get(last, 0.0) / 1e3,
        (f"battery trucks {last}", "trucks"): float(found["battery_trucks"][last]),
        ("projects built", "projects"): float(len({project for project, _, _ in found["projects_built"]})),
        ("investments in projects", "MEUR"): money["projects"] / 1e6,
        ("investments in chargers", "MEUR"): money["chargers"] / 1e6,
        ("investments in vehicles", "MEUR"): money["vehicles"] / 1e6,
        ("gap", "%"): 100 * plan.gap,
    }


def sweep(
    region: Instance | Path | str,
    *,
    front: int = 0,
    vary: str | None = None,
    values: Sequence[float] = (),
    relax: bool = False,
    model: str = "joint",
    options: SolveOptions | None = None,
    gap: float | None = None,
    time_limit_s: float | None = None,
    cold_start: bool = False,
    out: Path | str | None = None,
    progress: Listener | None = None,
    cache: bool = True,
) -> pd.DataFrame:
    """A front of cost against emissions (`front` points), or one thing times each of `values`: a row for each point.

    `vary` is demand, carbon_price, energy_price, energy_price:CARRIER, capacity:LINK or TERMINAL, rule:POLICY. `relax`
    solves the LP relaxation: quick, and every cost is a lower bound. The time limit is for each point. With `out` table
    and page are written there and finished points are not solved again. `.attrs` holds what was asked (`about`) and
    the `status`, "done" or "stopped".

    >>> from nbb_opt import examples
    >>> found = sweep(examples.tiny(), front=3, relax=True)
    >>> found[["cost_eur", "emissions_t_co2e"]].shape, bool(found["cost_eur"].is_monotonic_decreasing)
    ((3, 2), True)
    """
    from nbb_opt.studies.sweep import axis_of, run_sweep, write_page, write_tables

    instance = region if isinstance(region, Instance) else read(region)
    done = run_sweep(
        instance, axis=axis_of(vary, instance) if vary is not None else None, values=values, front=front, model=model,
        options=_options(options, gap=gap, time_limit_s=time_limit_s), relax=relax, cold_start=cold_start,
        out=None if out is None else Path(out), cache_dir=cache_folder() if cache else None,
        listen=_listener(progress), say=LOG.info,
    )  # fmt: skip
    if out is not None:
        write_tables(Path(out), {**done.about, "status": done.status}, done.points)
        write_page(Path(out, "sweep.html"), done.about, done.points, status=done.status)
    rows = pd.DataFrame([vars(point) for point in done.points])
    per_year = pd.DataFrame(rows.pop("emissions_t_per_year").tolist(), index=rows.index)
    new = {"value": "cap_t_co2e" if front else "factor", "emissions_t": "emissions_t_co2e", "built": "projects_built",
           "eur_per_t": "marginal_eur_per_t_co2e"}  # fmt: skip
    table = rows.rename(columns=new).join(per_year.add_prefix("emissions_t_co2e_per_year_"))
    table.attrs = {"about": done.about, "status": done.status}
    return table


def audit(
    region: Instance | Path | str,
    plan: Path | str,
    *,
    options: SolveOptions | None = None,
    gap: float | None = None,
    time_limit_s: float | None = None,
    changes: int = 8,
    scenarios: bool = True,
    cache: bool = True,
) -> Audit:
    """Audit a haulier's fleet plan (a .csv or .xlsx file): faults, cost, nearest plan that works, best changes.

    >>> from nbb_opt import examples
    >>> region = examples.haulier()
    >>> found = audit(region, region.path / "plan.csv", changes=0, scenarios=False)
    >>> len(found.faults) > 0, found.repair.solution.objective >= found.best.bound
    (True, True)
    """
    from nbb_opt.studies.audit.audit import audit as run_audit

    instance = region if isinstance(region, Instance) else read(region)
    chosen = _options(options, gap=gap, time_limit_s=time_limit_s)
    cache_dir = cache_folder() if cache else None
    return run_audit(
        instance, Path(plan), options=chosen, changes=changes, scenarios=scenarios, cache_dir=cache_dir, say=LOG.info
    )


def _options(options: SolveOptions | None, **changes: Any) -> SolveOptions:
    given = {name: value for name, value in changes.items() if value is not None}
    return replace(options or SolveOptions(), **given)


def _listener(progress: Listener | None) -> Listener:
    """The caller's listener, or one that logs each phase once."""
    seen: set[str] = set()

    def log(step: Progress) -> None:
        if step.phase not in seen:
            seen.add(step.phase)
            LOG.info("%.1f s  %s", step.elapsed_s, step.phase)

    return progress or log
