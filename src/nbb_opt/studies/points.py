"""The work of a study of freight: a model stated once a process, its form edited for a unit, solved, verified.

The record of a unit has key figures, what is decided by name, and where the solve ended, for units that start there.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.sparse import csc_array, csr_array, vstack

from nbb_opt.errors import Infeasible, ModelError, NoPlan, Stopped
from nbb_opt.instance import Instance
from nbb_opt.model import Built, ModelSpec, StandardForm, extract, forecast, read_model, standard_form
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.periods import Floats, Ints, sum_by
from nbb_opt.model.method import in_pyomo
from nbb_opt.network import Prepared
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import Steps, with_own
from nbb_opt.report.comparison import decisions
from nbb_opt.report.study import Answer
from nbb_opt.solve import Solution, Start, Stop, Warm, solve_relaxed
from nbb_opt.solve.stop import Callback
from nbb_opt.studies.units import STOPPED, Record, Study, StudyOptions

SHARED = ("emissions_ttw_kg", "emissions_wtt_kg")


@dataclass(frozen=True)
class Stated:
    """An instance with its model, stated and compiled, and WTW t CO2e per year by period, in linear terms."""

    instance: Instance
    prepared: Prepared
    built: Built
    form: StandardForm
    emissions: Terms

    def cost_eur(self, values: Floats) -> float:
        """System cost of values of all columns, costs of the user's own included."""
        return float(self.form.cost @ values) + self.form.cost_offset

    def tonnes(self, year: int | None = None) -> Floats:
        """WTW t CO2e that a unit of each column brings: in a year of the period `year`, or over the whole horizon (a
        year's times years of its period).
        """
        period, column, tonnes = self.emissions.merged()
        time = self.built.data.time
        weight = time.lengths if year is None else (time.years == year).astype(float)
        return sum_by(column, tonnes * weight[period], size=len(self.form.cost))


@dataclass(kw_only=True)
class FreightWork:
    """Solves units of one instance and model; a study says in `__call__` how the form of a unit is edited.

    `options` are for each unit. `relax` solves LP relaxations: lower bounds, and no plans. `extend` is a file with
    rules of the user's own. Candidate chains are those of the instance as it is, unless one is stated anew.
    """

    instance: Instance
    model: str
    options: SolveOptions
    relax: bool = False
    cache_dir: Path | None = None
    extend: Path | None = None
    callback: Callback | None = field(default=None, repr=False)  # of this process
    _base: Stated | None = field(default=None, repr=False)
    _spec: ModelSpec | None = field(default=None, repr=False)

    @classmethod
    def of(cls, instance: Instance, how: StudyOptions, **more: Any) -> Self:
        """The work of a study that is made so."""
        return cls(
            instance=instance, model=how.model, options=how.options, relax=how.relax, cache_dir=how.cache_dir,
            extend=how.extend, callback=how.callback, **more,
        )  # fmt: skip

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_base": None, "callback": None}

    def about(self) -> dict[str, Any]:
        """What every answer depends on."""
        more: dict[str, Any] = {}
        if self.extend is not None:
            more |= {"extended_by": str(self.extend), "sha256": _sha256(self.extend)}
        options, spec = self.options, self.spec
        if spec.caps_t:
            more["caps_t_co2e"] = spec.caps_in(period.year for period in self.instance.periods)
        return {
            "instance": self.instance.meta.name, "instance_digest": self.instance.digest, "model": spec.name,
            "blocks": list(spec.blocks),
            "relaxed": self.relax, "gap": 0.0 if self.relax else options.mip_gap, "seed": options.seed,
            "threads": options.threads, "presolve": options.presolve, "time_limit_s": options.time_limit_s, **more,
        }  # fmt: skip

    def steps(self, stop: Stop) -> Steps:
        """The steps of one unit: its time begins now."""
        options = replace(self.options, method="monolith", statement="pyomo" if self.extend else "arrays")
        return Steps(options, stop=Stop(options.time_limit_s, asked=stop.asked), callback=self.callback)

    @property
    def spec(self) -> ModelSpec:
        """The model; caps of its own are those of the instance as it is, in every unit."""
        if self._spec is None:
            steps, spec = self.steps(Stop(float("inf"))), read_model(self.model)
            if spec.flows != "free":
                raise ModelError(f"model '{spec.name}': its flows are given; a study needs a model that chooses them")
            if spec.cuts:
                spec = steps.with_caps(steps.prepare(self.instance, cache_dir=self.cache_dir), spec)
            self._spec = spec
        return self._spec

    @property
    def base(self) -> Stated:
        """The instance as it is, stated when it is first needed."""
        if self._base is None:
            self._base = self.stated(self.instance)
        return self._base

    def stated(self, instance: Instance, prepared: Prepared | None = None) -> Stated:
        """An instance stated and compiled, with chains of its own unless it is `prepared`."""
        from nbb_opt.model.rules_file import read_rules

        spec, steps = self.spec, self.steps(Stop(float("inf")))
        rules = None if self.extend is None else read_rules(self.extend)
        if prepared is None:
            prepared = steps.prepare(instance, cache_dir=self.cache_dir, prune=self.options.prune and rules is None)
        if rules is not None:
            steps.options = in_pyomo(steps.options, forecast(instance, prepared, spec).nonzeros, rules.name)
        built = steps.build(instance, prepared, spec)
        built = built if rules is None else rules.added_to(built)
        return Stated(instance, prepared, built, standard_form(built), per_period(built))

    def solved(
        self, stated: Stated, form: StandardForm, before: Record | None, stop: Stop, *, what: str, priced: bool = True,
        keep: Ints | None = None,
    ) -> Record:  # fmt: skip
        """The record of a form of a stated model; `priced` False: its objective is not the cost. Of the columns `keep`
        the values are in it too, packed.

        Raises VerifyFailed if the verifier refuses the plan; infeasible or out of time is a result.
        """
        options = self.options
        start = None if before is None else unpacked(before.get("start"))
        warm = Warm(threads=options.threads, seed=options.seed, presolve=options.presolve, start=start)
        steps, own, callback = self.steps(stop), stated.built.extension, self.callback
        if callback is not None and not priced:
            steps.callback = lambda progress: callback(replace(progress, money="t CO2e"))
        if self.relax:
            found = solve_relaxed(form, warm=warm, stop=steps.stop)
            if found.values is None:
                return {"status": found.status}
            return {
                "status": found.status, "cost_eur": stated.cost_eur(found.values),
                "bound_eur": found.objective if priced else None, "gap": 0.0, "verified": None,
                "iterations": found.iterations, "nodes": 0, **self._emitted(stated, found.values), "projects": [],
                "decisions": [], "start": packed(warm.start), **_kept(found.values, keep),
                "objective_bound_eur": found.objective,
            }  # fmt: skip
        try:
            solution = steps.solve_form(form, label=f"{what}: ", warm=warm, own=own)
        except Infeasible as finding:
            return {"status": "infeasible", "note": str(finding)}
        except Stopped:
            raise
        except NoPlan:
            return {"status": steps.stop.ended_by()}
        record = self._plan(stated, solution, steps, what=what, priced=priced)
        more = {"start": packed(warm.start), "objective_bound_eur": solution.bound}
        return {**record, **more, **_kept(solution.values, keep)}

    def _plan(self, stated: Stated, solution: Solution, steps: Steps, *, what: str, priced: bool) -> Record:
        """The record of a plan that the verifier accepts."""
        built = stated.built
        tables = extract(built, solution.values)
        emitted = self._emitted(stated, solution.values)
        cost = stated.cost_eur(solution.values)
        claims: dict[str, Any] = {"emissions_t_co2e": emitted["emissions_t_per_year"]}
        claims |= {"cost_eur": cost, **({"bound": solution.bound, "gap": solution.gap} if priced else {})}
        own, terms = built.extension, None
        if own is not None:
            claims, terms = with_own(claims, own, replace(solution, objective=cost), tables), own.terms()
        caps_t = built.spec.caps_in(period.year for period in stated.instance.periods)
        steps.verify(
            stated.instance, tables, built.spec, claims, what=f"plan of {what}", own_terms=terms, caps_t=caps_t
        )
        decided = decisions(stated.instance, tables).reset_index()
        return {
            "status": solution.status, "cost_eur": cost,
            "bound_eur": solution.bound if priced else None, "gap": solution.gap, "verified": True,
            "iterations": solution.iterations, "nodes": solution.nodes, **emitted,
            "projects": sorted(set(tables["projects"]["project"])), "decisions": decided.to_numpy().tolist(),
        }  # fmt: skip

    def _emitted(self, stated: Stated, values: Floats) -> dict[str, Any]:
        """WTW t CO2e over the horizon, and per year by period."""
        by_period, time = stated.emissions.amounts(values), stated.built.data.time
        return {
            "emissions_t": float(by_period @ time.lengths),
            "emissions_t_per_year": dict(zip(map(str, time.years.tolist()), by_period.tolist(), strict=True)),
        }


def answered(study: Study, instance: Instance, table: pd.DataFrame, sentence: str, **page: Any) -> Answer:
    """The answer of a study of freight that has ended; written, if the study has a folder.

    `page` are other fields of an Answer; `tables` those besides `table`, `description` what is to be known besides the
    model and what is proven.
    """
    about = study.ended
    kind = (
        "LP relaxations: lower bounds and no plans"
        if about["relaxed"]
        else f"plans that the verifier accepts, searched to a gap of {100 * about['gap']:g} %"
    )
    if about.get("extended_by"):
        kind += f"; with rules and costs of your own from {about['extended_by']}, costs with yours"
    page["tables"] = {about["study"]: table, **page.get("tables", {})}
    page["description"] = f"Model {about['model']}; {kind}. {page.get('description', '')}".strip()
    found = Answer(
        instance=instance, name=about["study"], sentences=[STOPPED if study.stopped else sentence],
        about=about, records=dict(study.records), **page,
    )  # fmt: skip
    if study.folder is not None:
        found.save(study.folder)
    return found


def per_period(built: Built) -> Terms:
    """WTW t CO2e per year, one row per period."""
    size = built.data.time.size
    terms = Terms(size)
    for name in SHARED:
        place, column, kg = built.terms(name).merged()
        terms.add(place % size, column, kg / 1000.0)
    return terms


def with_row(form: StandardForm, terms: Floats, most: float, name: str) -> StandardForm:
    """The form with one more row, the last: `terms` at most `most`."""
    shape = (len(form.row_low), len(form.cost))
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=shape)
    more = csc_array(vstack([matrix, csr_array(terms[None, :])]))
    more.sort_indices()
    return replace(
        form, a_indptr=more.indptr, a_indices=more.indices, a_values=more.data,
        row_low=np.append(form.row_low, -np.inf), row_up=np.append(form.row_up, most),
        row_names=[*form.row_names, name],
    )  # fmt: skip


def packed(start: Start | None) -> dict[str, Any] | None:
    """Where a solve ended, as plain values."""
    if start is None:
        return None
    whole = None if start.whole is None else _text(np.rint(start.whole).astype("<i4").tobytes())
    return {"columns": _text(start.columns), "rows": _text(start.rows), "whole": whole}


def unpacked(values: Mapping[str, Any] | None) -> Start | None:
    """The inverse of `packed`.

    >>> unpacked(packed(Start(columns=b"ab", rows=b"", whole=np.array([3.0])))).whole
    array([3.])
    """
    if values is None:
        return None
    whole = values["whole"]
    return Start(
        columns=_bytes(values["columns"]), rows=_bytes(values["rows"]),
        whole=None if whole is None else np.frombuffer(_bytes(whole), "<i4").astype(float),
    )  # fmt: skip


def without_basis(record: Record | None) -> Record | None:
    """The record to start from with whole numbers alone: from the basis of another objective simplex takes longer than
    from none (nbb: minutes)."""
    start = None if record is None else record.get("start")
    if start is None:
        return record
    return {**(record or {}), "start": {**start, "columns": _text(b""), "rows": _text(b"")}}


def _kept(values: Floats, keep: Ints | None) -> dict[str, str]:
    return {} if keep is None else {"values": _text(values[keep].astype("<f8").tobytes())}


def values_of(record: Record) -> Floats:
    """The values that a record keeps."""
    return np.frombuffer(_bytes(record["values"]), "<f8")


def _text(content: bytes) -> str:
    return b64encode(zlib.compress(content)).decode()


def _bytes(text: str) -> bytes:
    return zlib.decompress(b64decode(text))


def _sha256(path: Path) -> str:
    from hashlib import sha256

    return sha256(path.read_bytes()).hexdigest()
