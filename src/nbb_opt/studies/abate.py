"""A marginal abatement cost curve with named measures, alone and in sequence, between two plans of one model.

It begins at the plan of the market and of what is committed, and ends at the plan in which every measure is allowed and
each tonne of WTW CO2e is worth `price_eur_per_t`. A measure is a set of columns of the model: a project, the trucks of
a technology that a region buys, a fuel, the freight between two regions that goes by rail or sea. One that is not
allowed has at most what it has in the first plan; all else (diesel trucks, chargers, routes) is free. So measures
interact, and the curve has both: each measure alone, and one after the other, of the most promising the one that costs
least for each tonne. The steps add up to the difference of the ends, since each is a plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from nbb_opt.errors import Infeasible, NbbError, NoPlan
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import MODES
from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.report.charts.charts import cost_curve
from nbb_opt.report.decisions import names_of
from nbb_opt.report.grid import Cell, Column, Grid, Section
from nbb_opt.report.study import Answer
from nbb_opt.report.text import MODE_WORDS
from nbb_opt.solve import Stop
from nbb_opt.studies.points import FreightWork, Stated, answered, values_of, without_basis
from nbb_opt.studies.units import Record, Study, StudyOptions, Unit

KINDS = ("project", "trucks", "fuel", "shift")
FIRST, UNNAMED, LAST = "market and committed", "all that is not a measure", "everything at once"
REST = "measures that are not listed"
LOOK = 2  # measures tried for each step of the sequence
LEAST = 1e-6  # of a column: less than that is nothing
LEAST_T = 1e-3  # t CO2e: less than that has no price


@dataclass(frozen=True)
class Measure:
    """A measure: its kind, name, and columns of the model."""

    kind: str
    name: str
    columns: Ints


def measures_of(stated: Stated) -> list[Measure]:
    """Every measure that the model of an instance has, by kind and name; no column is in two."""
    instance, data, start = stated.instance, stated.built.data, stated.built.start
    found: dict[tuple[str, str], list[Ints]] = {}

    def add(kind: str, names: Sequence[str], first: str, rows: Ints) -> None:
        """Columns of a kind of variable, from `first`; each belongs to the measure of its name."""
        for name, at in pd.Series(rows).groupby(pd.Series(list(names), dtype="str")):
            found.setdefault((kind, str(name)), []).append(start[first] + at.to_numpy(np.int64))

    projects, trucks, stock, fuels = data.projects, data.trucks, data.stock, data.fuels
    called = names_of(instance, "projects", "project")
    if "built" in start:
        add("project", [called[projects.names[p]] for p in projects.project], "built", np.arange(len(projects.project)))
    if "bought" in start:
        regions = names_of(instance, "fleet_regions", "fleet_region")
        vehicles = names_of(instance, "vehicles", "vehicle")
        region, vehicle = stock.region[stock.bought_pair], stock.vehicle[stock.bought_pair]
        new = np.flatnonzero([trucks.technology[v] != "diesel" for v in vehicle])
        names = [f"{vehicles[trucks.names[vehicle[i]]]}, {regions[data.base.regions[region[i]]]}" for i in new]
        add("trucks", names, "bought", new)
    if "replaced_kwh" in start:
        names = [fuels.names[f].replace("_", " ") for f in fuels.fuel]
        add("fuel", names, "replaced_kwh", np.arange(len(fuels.fuel)))
    if "carried_t" in start:
        flows, bundles = data.flows, stated.prepared.bundles
        mode = stated.prepared.rows.main_mode[flows.chain]
        tied = np.zeros(len(flows.chain), bool)
        tied[flows.needs[0]] = True  # what needs a project is a part of it
        moved = np.flatnonzero((mode != MODES.index("road")) & ~tied)
        place = instance["nodes"].set_index("node")
        home = place["fleet_region"].where(place["fleet_region"] != "", place.index.to_series())
        shown = {**names_of(instance, "nodes", "node"), **names_of(instance, "fleet_regions", "fleet_region")}
        ends = [
            " – ".join(sorted({str(shown[home[bundles[end][b]]]) for end in ("origin", "destination")}))
            for b in range(len(bundles))
        ]
        words = [MODE_WORDS.get(each, each).lower() for each in MODES]
        add("shift", [f"{ends[flows.bundle[i]]} by {words[mode[i]]}" for i in moved], "carried_t", moved)
    return [Measure(kind, name, np.concatenate(parts)) for (kind, name), parts in found.items()]


@dataclass(kw_only=True)
class AbateWork(FreightWork):
    """Solves the model with some measures allowed, the others at most as in the first plan, and a price of CO2e."""

    _measures: list[Measure] | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_measures": None}

    @property
    def measures(self) -> list[Measure]:
        """Every measure."""
        if self._measures is None:
            self._measures = measures_of(self.base)
        return self._measures

    def __call__(self, asked: Mapping[str, Any], before: Record | None, stop: Stop) -> Record:
        stated = self.base
        form, low, up = stated.form, stated.form.col_low, stated.form.col_up.copy()
        every = np.concatenate([each.columns for each in self.measures])
        if asked["allowed"] is None:  # the first plan: nothing that is not committed is built
            built = np.concatenate([np.zeros(0, np.int64), *(m.columns for m in self.measures if m.kind == "project")])
            up[built] = low[built]
            return self.solved(stated, replace(form, col_up=up), before, stop, what=FIRST, keep=every)
        assert before is not None
        first = np.full(len(up), np.inf)
        first[every] = values_of({"values": before.get("first", before.get("values"))})
        for each in self.measures:
            if each.name not in asked["allowed"] and asked["allowed"] != [LAST]:
                most = np.maximum(first[each.columns], low[each.columns])
                up[each.columns] = np.minimum(up[each.columns], most * (1 + 1e-9))
        tonnes = stated.tonnes()
        edited = replace(form, col_up=up, cost=form.cost + asked["price_eur_per_t"] * tonnes)
        keep = every if asked["allowed"] in ([LAST], []) else None
        start = before if "first" in before else without_basis(before)  # in that objective CO2e has no price
        record = self.solved(stated, edited, start, stop, what=asked["what"], priced=False, keep=keep)
        return {**record, "first": before.get("first", before.get("values"))}


def run_abate(instance: Instance, how: StudyOptions, *, measures: int = 20, price_eur_per_t: float = 300.0) -> Answer:
    """The curve, a row for each step from the first plan on; the largest `measures` of all kinds are listed.

    Raises Infeasible where there is no plan of the market and what is committed, NoPlan where a solve has none within
    the time.
    """
    if measures < 1:
        raise NbbError(f"measures={measures}: give at least one")
    work = AbateWork.of(instance, how)
    about = {**work.about(), "price_eur_per_t": price_eur_per_t}
    with how.study("abate", about, work, solves=2 + (1 + LOOK) * measures, at="at most") as study:
        rows = _Curve(study, work, price_eur_per_t, measures).rows()
    table = pd.DataFrame(rows, columns=_COLUMNS)
    table["verified"] = table["verified"].astype("boolean")
    return answered(
        study, instance, table, _sentence(table, price_eur_per_t), title="in which order do we act?",
        sections=_sections, shown=[table.drop(columns=["status", "verified"])],
        description="From the plan of the market and what is committed to the plan at "
        f"{price_eur_per_t:,.0f} EUR per t CO2e.",
    )  # fmt: skip


_COLUMNS = ["measure", "kind", "tonnes_cut_t_co2e", "cost_eur", "eur_per_t_co2e", "alone_tonnes_cut_t_co2e",
            "alone_cost_eur", "alone_eur_per_t_co2e", "status", "verified"]  # fmt: skip


class _Curve:
    """Both ends, each measure alone, then the sequence."""

    def __init__(self, study: Study, work: AbateWork, price_eur_per_t: float, measures: int) -> None:
        self.study, self.work, self.price, self.most = study, work, price_eur_per_t, measures

    def _unit(self, name: str, allowed: Sequence[str], after: str) -> Unit:
        return Unit(name, {"what": name, "allowed": list(allowed), "price_eur_per_t": self.price}, after)

    def _solved(self, units: Sequence[Unit]) -> dict[str, Record] | None:
        """The records, None if somebody asked to stop."""
        found = self.study.run(units)
        if len(found) < len(units):
            return None
        for name, record in found.items():
            if record["status"] == "infeasible":
                raise Infeasible(f"{name}: {record['note']}" if "note" in record else f"{name}: no plan is possible")
            if "cost_eur" not in record:
                raise NoPlan(f"{name}: {record['status']}; allow more with time_limit_s=")
        return found

    def rows(self) -> list[dict[str, Any]]:
        begun = self._solved([Unit(FIRST, {"allowed": None})])  # the others begin with what it has
        found = begun and self._solved([self._unit(UNNAMED, [], FIRST), self._unit(LAST, [LAST], FIRST)])
        if not begun or not found:
            return []
        first, unnamed, last = begun[FIRST], *found.values()
        chosen = self._largest(values_of(unnamed), values_of(last))
        self.study.solves = 2 + (1 + LOOK) * len(chosen)  # of the last one that is left there is no other to look at
        alone = self._solved([self._unit(f"alone: {m.name}", [m.name], UNNAMED) for m in chosen])
        if alone is None:
            return []
        by_itself = {m.name: _effect(unnamed, alone[f"alone: {m.name}"]) for m in chosen}
        rows = [_row(UNNAMED, "", first, unnamed)]
        before, after, taken = unnamed, UNNAMED, list[str]()
        rest, promised = {m.name: m for m in chosen}, {name: _eur_per_t(*each) for name, each in by_itself.items()}
        while rest:
            tried = sorted(rest, key=lambda name: promised[name])[:LOOK]
            units = {name: self._unit(f"{len(taken) + 1}: {name}", [*taken, name], after) for name in tried}
            steps = self._solved(list(units.values()))
            if steps is None:
                return rows
            for name in tried:
                promised[name] = _eur_per_t(*_effect(before, steps[units[name].name]))
            name = min(tried, key=lambda each: promised[each])
            after = units[name].name
            rows.append(_row(name, rest.pop(name).kind, before, steps[after], by_itself[name]))
            before = steps[after]
            taken.append(name)
        return [*rows, _row(REST, "", before, last)]

    def _largest(self, before: Floats, after: Floats) -> list[Measure]:
        """The measures that the last plan has more of, from each kind the largest in turns."""
        at, more = 0, dict[str, list[tuple[float, str, Measure]]]()
        for m in self.work.measures:
            size = len(m.columns)
            grown = np.maximum(after[at : at + size] - before[at : at + size], 0.0).sum()
            at += size
            if grown > LEAST:
                more.setdefault(m.kind, []).append((-float(grown), m.name, m))
        kinds = [sorted(more[kind], key=lambda each: each[:2]) for kind in KINDS if kind in more]
        turns = [kind[i] for i in range(max(map(len, kinds), default=0)) for kind in kinds if i < len(kind)]
        return [m for _, _, m in turns[: self.most]]


def _effect(before: Record, after: Record) -> tuple[float, float]:
    """EUR more and t CO2e less."""
    return after["cost_eur"] - before["cost_eur"], before["emissions_t"] - after["emissions_t"]


def _eur_per_t(eur: float, tonnes: float) -> float:
    return eur / tonnes if tonnes > LEAST_T else np.inf


def _row(
    name: str, kind: str, before: Record, after: Record, alone: tuple[float, float] | None = None
) -> dict[str, Any]:
    eur, tonnes = _effect(before, after)
    row = {
        "measure": name, "kind": kind, "tonnes_cut_t_co2e": tonnes, "cost_eur": eur, "status": after["status"],
        "eur_per_t_co2e": _eur_per_t(eur, tonnes), "verified": after["verified"],
    }  # fmt: skip
    if alone is not None:
        row |= {"alone_cost_eur": alone[0], "alone_tonnes_cut_t_co2e": alone[1],
                "alone_eur_per_t_co2e": _eur_per_t(*alone)}  # fmt: skip
    return {key: np.nan if value == np.inf else value for key, value in row.items()}


def _sentence(table: pd.DataFrame, price_eur_per_t: float) -> str:
    named = table[(table["kind"] != "") & (table["tonnes_cut_t_co2e"] > LEAST_T)]
    if not len(named):
        return f"No measure cuts anything at {price_eur_per_t:,.0f} EUR/t."
    best = named.nlargest(1, "tonnes_cut_t_co2e").iloc[0]
    total_t, total_eur = table["tonnes_cut_t_co2e"].sum(), table["cost_eur"].sum()
    free_t = named.loc[named["cost_eur"] <= 0, "tonnes_cut_t_co2e"].sum()
    return (
        f"At {price_eur_per_t:,.0f} EUR/t {total_t / 1e3:,.1f} kt CO2e can be cut for {total_eur / 1e6:,.1f} MEUR; "
        f"{free_t / 1e3:,.1f} kt of it pays by itself. The largest step is {best['measure']}: "
        f"{best['tonnes_cut_t_co2e'] / 1e3:,.1f} kt at {best['eur_per_t_co2e']:,.0f} EUR/t."
    )


def curve(table: pd.DataFrame) -> Markup:
    """The curve as a picture: a block for each step, as wide as its tonnes and as high as a tonne costs."""
    blocks = table[(table["kind"] != "") & (table["tonnes_cut_t_co2e"] > LEAST_T)]
    rows = list(zip(blocks["measure"], blocks["tonnes_cut_t_co2e"] / 1e3, blocks["eur_per_t_co2e"], strict=True))
    return cost_curve(rows, across="kt CO2e over the horizon, WTW", up="EUR/t", key="abate")


def _sections(answer: Answer) -> list[Section]:
    columns = [
        Column("Measure"), Column("Kind"), Column("Cut", "kt", "kt"), Column("Cost", "meur", "MEUR"),
        Column("EUR/t", "decimal"), Column("Alone: cut", "kt", "kt"), Column("Alone: cost", "meur", "MEUR"),
        Column("Alone: EUR/t", "decimal"),
    ]  # fmt: skip
    scale = {"tonnes_cut_t_co2e": 1e3, "cost_eur": 1e6, "eur_per_t_co2e": 1.0, "alone_tonnes_cut_t_co2e": 1e3,
             "alone_cost_eur": 1e6, "alone_eur_per_t_co2e": 1.0}  # fmt: skip
    rows: list[list[Cell]] = [
        [row["measure"], row["kind"], *(None if pd.isna(row[name]) else row[name] / by for name, by in scale.items())]
        for row in answer.table.to_dict("records")
    ]
    text = (
        "Each step adds one measure to those above it; what it does alone is beside it. Where the two differ, measures "
        "do the same work or need each other. The steps add up to the difference between both ends."
    )
    drawing = curve(answer.table) if (answer.table["kind"] != "").any() else None
    return [Section("Abatement cost", text, [Grid("Steps", columns, rows, first=60)], drawing)]
