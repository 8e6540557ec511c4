"""Runs a sweep: states the model once, goes from point to point with basis and plan, verifies every plan."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nbb_opt import __version__
from nbb_opt.errors import Infeasible, ModelError, NbbError, NoPlan, VerifyFailed
from nbb_opt.instance import Instance
from nbb_opt.model import Built, ModelSpec, StandardForm, build, extract, read_model, standard_form
from nbb_opt.model.data.periods import Floats
from nbb_opt.network import Prepared, prepare
from nbb_opt.solve import Presolve, Progress, Stop, Warm, solve_form, solve_relaxed
from nbb_opt.studies.sweep.axes import Axis
from nbb_opt.studies.sweep.emissions import capped, over_horizon, per_period, with_cap
from nbb_opt.studies.sweep.store import Point, Store
from nbb_opt.verify import verify_plan

LEAST_END = 1e-4  # share of the span left out at the low end, where the last kilogram has no finite price
SLACK = 1e-6  # relative, of the verified emissions over the cap


@dataclass(frozen=True)
class Choices:
    """How to solve: whole numbers or the relaxation, proven relative gap, seconds and threads for each point, seed.

    `warm` False solves every point from nothing, to compare. `presolve` as in `solve_form`.
    """

    relax: bool = False
    gap: float = 1e-3
    time_limit_s: float = 120.0
    threads: int = 2
    seed: int = 0
    warm: bool = True
    presolve: Presolve = "choose"


@dataclass(frozen=True)
class Sweep:
    """What was asked (`about`) and the points, by value; `status` is "done", or "stopped" if somebody asked to stop."""

    about: dict[str, Any]
    points: tuple[Point, ...]
    status: str


def run_sweep(
    instance: Instance,
    *,
    axis: Axis | None = None,
    values: Sequence[float] = (),
    front: int = 0,
    model: str = "joint",
    choices: Choices | None = None,
    out: Path | None = None,
    cache_dir: Path | None = None,
    listen: Callable[[Progress], None] | None = None,
    say: Callable[[str], None] = lambda _line: None,
    stop: Stop | None = None,
) -> Sweep:
    """Solve at every factor of `axis` in `values`, or a front of `front` points of cost against emissions.

    The candidate chains are those of the instance as it is, for every point (not pruned where prices vary), so that
    points compare. Finished points are kept in `out` and not solved again. A request to stop keeps what is finished.
    Raises VerifyFailed if the verifier refuses a plan; a point that is infeasible or out of time is a result.
    """
    choices, spec = choices or Choices(), read_model(model)
    if spec.flows != "free":
        raise ModelError(f"model '{model}': its flows are given; a sweep needs a model whose flows are free")
    if (axis is None) == (front == 0):
        raise NbbError("a sweep needs either an axis with values or the number of points of a front")
    if axis is not None and not (values and all(np.isfinite(value) and value > 0 for value in values)):
        raise NbbError(f"{axis.name}: give factors above zero, as in 0.8,1,1.2")
    if axis is None and front < 2:
        raise NbbError("a front needs at least two points")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        prices = axis is not None and axis.form is None
        prepared = prepare(instance, cache_dir=cache_dir, prune=not prices)
        about = {
            "instance": instance.meta.name, "instance_digest": instance.digest, "model": spec.name,
            "blocks": list(spec.blocks), "axis": axis.name if axis else "emissions", "relaxed": choices.relax,
            "title": axis.title if axis else "emissions over the horizon", "gap": 0.0 if choices.relax else choices.gap,
            "seed": choices.seed, "presolve": choices.presolve, "version": __version__,
            "time_limit_s": choices.time_limit_s,
        }  # fmt: skip
        runner = _Runner(instance, prepared, spec, choices, Store(out, about), folder, listen, say, stop or Stop(1e9))
        try:
            if axis:
                runner.along(axis, sorted(set(values)))
            else:
                runner.front(front)
        except KeyboardInterrupt:  # outside the solver, which takes it by itself
            runner.stop.asked.set()
        ended = "stopped" if runner.stop.asked.is_set() else "done"
        return Sweep(about, tuple(sorted(runner.found, key=lambda point: point.value)), ended)


@dataclass(frozen=True)
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
        self, instance: Instance, prepared: Prepared, spec: ModelSpec, choices: Choices, store: Store, folder: Path,
        listen: Callable[[Progress], None] | None, say: Callable[[str], None], stop: Stop,
    ) -> None:  # fmt: skip
        self.instance, self.prepared, self.spec, self.choices = instance, prepared, spec, choices
        self.store, self.folder, self.listen, self.say, self.stop = store, folder, listen, say, stop
        self.built = build(instance, prepared, spec, route="arrays")
        self.form = standard_form(self.built)
        self.warm = self._new_warm()
        self.found: list[Point] = []
        self.emissions = self.built, per_period(self.built)

    def _new_warm(self) -> Warm:
        return Warm(threads=self.choices.threads, seed=self.choices.seed, presolve=self.choices.presolve)

    def along(self, axis: Axis, values: Sequence[float]) -> None:
        """Points at each factor, from the least to the largest."""
        for value in values:
            name = f"{axis.name} x {value!r}"
            point = self._known(name)
            if point is None and not self.stop.asked.is_set():
                varied, built, form = self._stated(axis, value)
                point = self._solve(name, _Point(value, varied, built, form, self.warm))
            self.found += [point] if point is not None else []

    def _stated(self, axis: Axis, value: float) -> tuple[Instance, Built, StandardForm]:
        """The varied instance and its model; made anew only where a plan must be read from it or prices vary."""
        if axis.form is not None and self.choices.relax:
            return self.instance, self.built, axis.form(self.built, self.form, value)
        varied = axis.vary(self.instance, value, self.folder)
        more = value if axis.name == "demand" else 1.0
        prepared = replace(self.prepared, demand_t=self.prepared.demand_t * more)
        built = build(varied, prepared, self.spec, route="arrays")
        return varied, built, standard_form(built)

    def front(self, count: int) -> None:
        """Points evenly spaced in emissions between the cheapest plan and the one that emits least, both included."""
        tonnes = over_horizon(self.built)
        base = capped(self.form, tonnes, np.inf)
        name = f"front {count}"
        cheapest = self._known(f"{name} least cost") or self._solve(
            f"{name} least cost", _Point(np.inf, self.instance, self.built, base, self.warm)
        )
        least = replace(base, cost=tonnes, cost_offset=0.0)
        alone = self._new_warm()  # scaled for another objective
        cleanest = self._known(f"{name} least emissions") or self._solve(
            f"{name} least emissions", _Point(-np.inf, self.instance, self.built, least, alone, priced=False)
        )
        if cheapest is None or cleanest is None:
            return
        if cheapest.emissions_t is None or cleanest.emissions_t is None:
            raise NoPlan("the front has no ends: no plan at all, or none within the time for a point")
        high, low = cheapest.emissions_t, cleanest.emissions_t
        low += LEAST_END * max(high - low, 0.0)
        self.found.append(replace(cheapest, value=high, eur_per_t=0.0 if self.choices.relax else None))
        caps = np.linspace(low, high, count)[:-1].tolist()
        if self.choices.relax:
            caps.reverse()  # a small step from the last basis each time
        elif alone.whole is not None:
            self.warm.whole = alone.whole  # from tight to loose: the last plan stays possible
        for cap_t in caps:
            key = f"{name} cap {cap_t!r}"
            point = self._known(key)
            if point is None and not self.stop.asked.is_set():
                form = with_cap(base, cap_t)
                point = self._solve(key, _Point(cap_t, self.instance, self.built, form, self.warm, cap_t=cap_t))
            self.found += [point] if point is not None else []

    def _known(self, name: str) -> Point | None:
        point = self.store.find(name)
        if point is not None:
            self.say(f"{name}: was finished before")
        return point

    def _solve(self, name: str, asked: _Point) -> Point | None:
        """Solve one point; None if somebody asked to stop before it had what was asked for."""
        started = time.perf_counter()
        asked = asked if self.choices.warm else replace(asked, warm=self._new_warm())
        stop = Stop(self.choices.time_limit_s, asked=self.stop.asked)
        point = self._relaxed(asked, stop) if self.choices.relax else self._whole(asked, stop)
        if self.stop.asked.is_set():
            return None
        point = replace(point, seconds=round(time.perf_counter() - started, 3))
        self.store.keep(name, point)
        cost = f"{point.cost_eur / 1e6:.3f} MEUR, " if point.cost_eur is not None and asked.priced else ""
        self.say(f"{name}: {point.status}, {cost}{point.seconds:.2f} s")
        return point

    def _relaxed(self, asked: _Point, stop: Stop) -> Point:
        found = solve_relaxed(asked.form, warm=asked.warm, stop=stop)
        if found.values is None or found.row_dual is None:
            return Point(asked.value, found.status, iterations=found.iterations)
        slope = -float(found.row_dual[-1]) if asked.cap_t is not None else None
        return Point(
            asked.value, found.status, found.objective, found.objective, 0.0, eur_per_t=slope,
            iterations=found.iterations, **self._emitted(asked.built, found.values),
        )  # fmt: skip

    def _whole(self, asked: _Point, stop: Stop) -> Point:
        choices, built = self.choices, asked.built
        try:
            solution = solve_form(
                asked.form, gap=choices.gap, listen=self.listen, stop=stop, label=asked.label,
                warm=asked.warm,
            )  # fmt: skip
        except Infeasible:
            return Point(asked.value, "infeasible")
        except NoPlan:
            return Point(asked.value, "time_limit")
        tables = extract(built, solution.values)
        emitted = self._emitted(built, solution.values)
        said = {"emissions_t_co2e": emitted["emissions_t_per_year"]}
        if asked.priced:
            said |= {"cost_eur": solution.objective, "bound": solution.bound, "gap": solution.gap}
        verdict = verify_plan(
            asked.instance, tables, blocks=self.spec.blocks, technologies=self.spec.technologies,
            projects=self.spec.projects, reported=said,
        )  # fmt: skip
        if not verdict.ok:
            what = verdict.failures().to_string(index=False)
            raise VerifyFailed(f"the plan of {asked.label}is not accepted:\n{what}")
        years = built.data.time.lengths.tolist()
        total = sum(tonnes * n for tonnes, n in zip(verdict.emissions_t_co2e.values(), years, strict=True))
        if asked.cap_t is not None and total > asked.cap_t * (1 + SLACK):
            raise VerifyFailed(f"the plan under a cap of {asked.cap_t:g} t CO2e emits {total:g}")
        return Point(
            asked.value, solution.status, solution.objective, solution.bound, solution.gap, verified=True,
            built=tuple(sorted(set(tables["projects"]["project"]))), iterations=solution.iterations,
            nodes=solution.nodes, **emitted,
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
