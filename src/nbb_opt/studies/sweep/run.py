"""Runs a sweep: states the model once, goes from point to point with basis and plan, verifies every plan."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nbb_opt import __version__
from nbb_opt.errors import Infeasible, ModelError, NbbError, NoPlan, VerifyFailed
from nbb_opt.instance import Instance
from nbb_opt.model import Built, ModelSpec, StandardForm, extract, forecast, read_model, standard_form
from nbb_opt.model.data.periods import Floats
from nbb_opt.network import Prepared
from nbb_opt.options import SolveOptions
from nbb_opt.output import check_folder
from nbb_opt.pipeline import Steps, in_pyomo, with_own
from nbb_opt.solve import Progress, Stop, Warm, solve_relaxed
from nbb_opt.studies.sweep.axes import Axis, capped, over_horizon, per_period, with_cap
from nbb_opt.studies.sweep.page import write_page
from nbb_opt.studies.sweep.store import FOLDER, RECORD, Point, Store, write_tables

EMISSIONS = "emissions"  # the axis of a front
if TYPE_CHECKING:
    from nbb_opt.model.rules_file import RulesFile

LEAST_END = 1e-4  # share of the span left out at the low end, where the last kilogram has no finite price
SLACK = 1e-6  # relative, of the verified emissions over the cap


@dataclass(frozen=True)
class Sweep:
    """What was asked (`about`) and the points, by value; `status` is "done", or "stopped" if somebody asked to stop."""

    about: dict[str, Any]
    points: tuple[Point, ...]
    status: str

    @property
    def record(self) -> dict[str, Any]:
        """The sweep as plain values, as `sweep.json` has it."""
        return {**self.about, "status": self.status, "points": [asdict(point) for point in self.points]}

    def table(self) -> pd.DataFrame:
        """A row for each point; `attrs` is the record."""
        rows = pd.DataFrame([vars(point) for point in self.points], columns=list(Point.__dataclass_fields__))
        per_year = pd.DataFrame(rows.pop("emissions_t_per_year").tolist(), index=rows.index)
        value = "cap_t_co2e" if self.about["axis"] == EMISSIONS else "factor"
        new = {"value": value, "emissions_t": "emissions_t_co2e", "built": "projects_built",
               "eur_per_t": "marginal_eur_per_t_co2e"}  # fmt: skip
        table = rows.rename(columns=new).join(per_year.add_prefix("emissions_t_co2e_per_year_"))
        table.attrs.update(self.record)
        return table


def run_sweep(
    instance: Instance,
    *,
    axis: Axis | None = None,
    values: Sequence[float] = (),
    front: int = 0,
    model: str | ModelSpec = "joint",
    options: SolveOptions | None = None,
    relax: bool = False,
    cold_start: bool = False,
    rules: RulesFile | None = None,
    out: Path | None = None,
    cache_dir: Path | None = None,
    listen: Callable[[Progress], None] | None = None,
    say: Callable[[str], None] = lambda _line: None,
    stop: Stop | None = None,
) -> Sweep:
    """Solve at every factor of `axis` in `values`, or a front of `front` points of cost against emissions.

    `options` are for each point. `relax` solves the LP relaxation, whose costs are lower bounds and no plans;
    `cold_start` solves every point from nothing, to compare. `rules` are a user's own; costs are with theirs then.

    Caps of the model itself are those of the instance as it is, at every point.
    The candidate chains are those of the instance as it is, for every point (not pruned where prices vary), so that
    points compare. Finished points are kept in `out`, beside table and page, and not solved again. A request to stop
    keeps what is finished.
    Raises VerifyFailed if the verifier refuses a plan; a point that is infeasible or out of time is a result.
    """
    options, spec = options or SolveOptions(), model if isinstance(model, ModelSpec) else read_model(model)
    if spec.flows != "free":
        raise ModelError(f"model '{spec.name}': its flows are given; a sweep needs a model whose flows are free")
    if (axis is None) == (front == 0):
        raise NbbError("a sweep needs either an axis with values or the number of points of a front")
    if axis is not None and not (values and all(np.isfinite(value) and value > 0 for value in values)):
        raise NbbError(f"{axis.name}: give factors above zero, as in 0.8,1,1.2")
    if axis is None and front < 2:
        raise NbbError("a front needs at least two points")
    if out is not None:
        check_folder(out, RECORD, FOLDER)
    prices = axis is not None and axis.form is None
    whole = replace(options, method="monolith")
    steps = Steps(whole, stop=stop or Stop(float("inf")), listen=listen)
    prepared = steps.prepare(instance, cache_dir=cache_dir, prune=options.prune and not prices and rules is None)
    if rules is not None:
        steps.options = in_pyomo(whole, forecast(instance, prepared, spec).nonzeros, rules.name)
    spec = steps.with_caps(prepared, spec)
    about: dict[str, Any] = {
        "instance": instance.meta.name, "instance_digest": instance.digest, "model": spec.name,
        "blocks": list(spec.blocks), "axis": axis.name if axis else EMISSIONS, "relaxed": relax,
        "title": axis.title if axis else "emissions over the horizon", "gap": 0.0 if relax else options.gap,
        "seed": options.seed, "presolve": options.presolve, "version": __version__,
        "statement": options.statement, "time_limit_s": options.time_limit_s,
    }  # fmt: skip
    if spec.caps_t:
        about["caps_t_co2e"] = spec.caps_in(period.year for period in instance.periods)
    if rules is not None:
        about |= {"extended_by": rules.name, "sha256": rules.sha256}
    runner = _Runner(prepared, spec, steps, Store(out, about), say, relax=relax, cold_start=cold_start, rules=rules)
    try:
        if axis:
            runner.along(axis, sorted(set(values)))
        else:
            runner.front(front)
    except KeyboardInterrupt:  # outside the solver, which takes it by itself
        runner.stop.asked.set()
    ended = "stopped" if runner.stop.asked.is_set() else "done"
    done = Sweep(about, tuple(sorted(runner.found, key=lambda point: point.value)), ended)
    if out is not None:
        write_tables(out, done.record, done.points)
        write_page(out / "sweep.html", about, done.points, status=ended)
    return done


@dataclass(frozen=True, kw_only=True)
class _Point:
    """A point to solve. `priced` False: the objective is emissions, not cost."""

    value: float
    instance: Instance
    built: Built
    form: StandardForm
    warm: Warm
    cap_t: float | None = None
    priced: bool = True

    @property
    def label(self) -> str:
        """What the progress line calls it."""
        ends = {np.inf: "least cost: ", -np.inf: "least emissions: "}
        return ends.get(self.value, f"{self.value:g}: ")


class _Runner:
    def __init__(
        self, prepared: Prepared, spec: ModelSpec, steps: Steps, store: Store, say: Callable[[str], None],
        *, relax: bool, cold_start: bool, rules: RulesFile | None,
    ) -> None:  # fmt: skip
        self.instance, self.prepared, self.spec, self.steps = prepared.instance, prepared, spec, steps
        self.store, self.say, self.stop = store, say, steps.stop
        self.caps_t = spec.caps_in(period.year for period in self.instance.periods)
        self.relax, self.cold_start, self.rules = relax, cold_start, rules
        self.built = steps.build(self.instance, prepared, spec)
        self.built = self.built if rules is None else rules.added_to(self.built)
        self.form = standard_form(self.built)
        self.warm = self._new_warm()
        self.found: list[Point] = []
        self.emissions = self.built, per_period(self.built)

    def _new_warm(self) -> Warm:
        options = self.steps.options
        return Warm(threads=options.threads, seed=options.seed, presolve=options.presolve)

    def along(self, axis: Axis, values: Sequence[float]) -> None:
        """Points at each factor, from the least to the largest."""
        for value in values:
            name = f"{axis.name} x {value!r}"
            point = self._known(name)
            if point is None and not self.stop.asked.is_set():
                varied, built, form = self._stated(axis, value)
                point = self._solve(name, _Point(value=value, instance=varied, built=built, form=form, warm=self.warm))
            self.found += [point] if point is not None else []

    def _stated(self, axis: Axis, value: float) -> tuple[Instance, Built, StandardForm]:
        """The varied instance and its model: other numbers in the form, or prices in the model, compiled again.

        Only under rules of the user's own it is built anew.
        """
        edited = axis.form(self.built, self.form, value) if axis.form is not None and self.rules is None else None
        if edited is not None and self.relax:
            return self.instance, self.built, edited
        varied = axis.vary(self.instance, value)
        more = value if axis.name == "demand" else 1.0
        prepared = replace(self.prepared, demand_t=self.prepared.demand_t * more)
        if self.rules is not None:  # they may look at any figure
            built = self.rules.added_to(self.steps.build(varied, prepared, self.spec))
        else:
            built = self.steps.restate(self.built, varied, prepared, edited=edited is not None)
        return varied, built, edited or standard_form(built)

    def front(self, count: int) -> None:
        """Points evenly spaced in emissions between the cheapest plan and the one that emits least, both included."""
        tonnes = over_horizon(self.built)
        base = capped(self.form, tonnes, np.inf)
        name = f"front {count}"
        free = _Point(value=np.inf, instance=self.instance, built=self.built, form=base, warm=self.warm)
        cheapest = self._known(f"{name} least cost") or self._solve(f"{name} least cost", free)
        least = replace(base, cost=tonnes, cost_offset=0.0)
        alone = self._new_warm()  # scaled for another objective
        clean = replace(free, value=-np.inf, form=least, warm=alone, priced=False)
        cleanest = self._known(f"{name} least emissions") or self._solve(f"{name} least emissions", clean)
        if cheapest is None or cleanest is None:
            return
        if "infeasible" in (cheapest.status, cleanest.status):
            raise Infeasible("the front is empty: no plan satisfies every constraint")
        if cheapest.emissions_t is None or cleanest.emissions_t is None:
            raise NoPlan("the front has no ends: no plan at all, or none within the time for a point")
        high, low = cheapest.emissions_t, cleanest.emissions_t
        low += LEAST_END * max(high - low, 0.0)
        self.found.append(replace(cheapest, value=high, eur_per_t=0.0 if self.relax else None))
        caps = np.linspace(low, high, count)[:-1].tolist()
        if self.relax:
            caps.reverse()  # a small step from the last basis each time
        elif alone.whole is not None:
            self.warm.whole = alone.whole  # from tight to loose: the last plan stays possible
        for cap_t in caps:
            key = f"{name} cap {cap_t!r}"
            point = self._known(key)
            if point is None and not self.stop.asked.is_set():
                point = self._solve(key, replace(free, value=cap_t, form=with_cap(base, cap_t), cap_t=cap_t))
            self.found += [point] if point is not None else []

    def _known(self, name: str) -> Point | None:
        point = self.store.find(name)
        if point is not None:
            self.say(f"{name}: was finished before")
        return point

    def _solve(self, name: str, asked: _Point) -> Point | None:
        """Solve one point; None if somebody asked to stop before it had what was asked for."""
        started = time.perf_counter()
        asked = replace(asked, warm=self._new_warm()) if self.cold_start else asked
        steps = self.steps.limited()
        point = self._relaxed(asked, steps) if self.relax else self._whole(asked, steps)
        if self.stop.asked.is_set():
            return None
        point = replace(point, seconds=round(time.perf_counter() - started, 3))
        self.store.keep(name, point)
        cost = f"{point.cost_eur / 1e6:.3f} MEUR, " if point.cost_eur is not None and asked.priced else ""
        self.say(f"{name}: {point.status}, {cost}{point.seconds:.2f} s")
        return point

    def _relaxed(self, asked: _Point, steps: Steps) -> Point:
        found = solve_relaxed(asked.form, warm=asked.warm, stop=steps.stop)
        if found.values is None or found.row_dual is None:
            return Point(value=asked.value, status=found.status, iterations=found.iterations)
        slope = -float(found.row_dual[-1]) if asked.cap_t is not None else None
        return Point(
            value=asked.value, status=found.status, cost_eur=found.objective, bound_eur=found.objective, gap=0.0,
            eur_per_t=slope, iterations=found.iterations, **self._emitted(asked.built, found.values),
        )  # fmt: skip

    def _whole(self, asked: _Point, steps: Steps) -> Point:
        built = asked.built
        try:
            solution = steps.solve_form(asked.form, label=asked.label, warm=asked.warm, own=built.extension)
        except Infeasible as finding:
            self.say(f"{asked.label}{finding}")
            return Point(value=asked.value, status="infeasible")
        except NoPlan:
            return Point(value=asked.value, status=steps.stop.ended_by())
        tables = extract(built, solution.values)
        emitted = self._emitted(built, solution.values)
        said: dict[str, Any] = {"emissions_t_co2e": emitted["emissions_t_per_year"]}
        if asked.priced:
            said |= {"cost_eur": solution.objective, "bound": solution.bound, "gap": solution.gap}
        own, terms = built.extension, None
        if own is not None:
            costs = replace(solution, objective=built.stated.cost_at(solution.values))
            said, terms = with_own(said, own, costs, tables), own.terms()
        what = f"plan of {asked.label.removesuffix(': ')}"
        verdict = steps.verify(
            asked.instance, tables, self.spec, said, what=what, label=asked.label, own_terms=terms, caps_t=self.caps_t
        )
        years = built.data.time.lengths.tolist()
        total = sum(tonnes * n for tonnes, n in zip(verdict.emissions_t_co2e.values(), years, strict=True))
        if asked.cap_t is not None and total > asked.cap_t * (1 + SLACK):
            raise VerifyFailed(f"the plan under a cap of {asked.cap_t:g} t CO2e emits {total:g}")
        return Point(
            value=asked.value, status=solution.status, cost_eur=solution.objective, bound_eur=solution.bound,
            gap=solution.gap, verified=True, built=tuple(sorted(set(tables["projects"]["project"]))),
            iterations=solution.iterations, nodes=solution.nodes, **emitted,
        )  # fmt: skip

    def _emitted(self, built: Built, values: Floats) -> dict[str, Any]:
        """Emissions over the horizon and per year of a point."""
        if self.emissions[0] is not built:
            self.emissions = built, per_period(built)
        by_period = self.emissions[1].amounts(values)
        years = [str(year) for year in built.data.time.years.tolist()]
        return {
            "emissions_t": float(by_period @ built.data.time.lengths),
            "emissions_t_per_year": dict(zip(years, by_period.tolist(), strict=True)),
        }
