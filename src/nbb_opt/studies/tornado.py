"""A tornado: every uncertain figure of table `ranges` at its low and its high end, all else as it is."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats.qmc import LatinHypercube

from nbb_opt.errors import InstanceError, NbbError
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.instance.what_if import on_row
from nbb_opt.report.charts.charts import line_chart, tornado_bars
from nbb_opt.report.comparison import as_decisions, in_words, what_differs
from nbb_opt.report.decisions import names_of
from nbb_opt.report.grid import Cell, Column, Grid, Section
from nbb_opt.report.study import Answer
from nbb_opt.report.text import short
from nbb_opt.solve import Stop
from nbb_opt.studies.points import FreightWork, answered
from nbb_opt.studies.units import Record, StudyOptions, Unit

BASE = "as it is"
NOT_VARIED = "not varied"
# no plan's cost or emissions have these figures of table and column ("": of all its columns): what shows them
ELSEWHERE = {
    ("control_totals", ""): "totals",
    ("scenarios", ""): "solve --scenario",
    ("charge_areas", "power_eur_per_kw_month"): "fleet day",
    ("charging_hours", "price_add_eur_per_kwh"): "fleet day",
    ("labour", "people"): "inventory",
    ("occupations", "work_per_person"): "inventory",
    ("outside_flows", "tonnes"): "report --outside",
    ("ports", "draught_m"): "inventory",
    ("ports", "ice_months"): "inventory",
}
BARS = 20
MOST_SAMPLES = 100_000


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A figure at one end of its range against the instance as it is.

    `status` is that of the solve, "not varied" where no instance or no plan has such a figure (`note` says why).
    `decided`: no better search can turn the difference of cost round. Emissions are WTW over the horizon.
    """

    figure: str
    end: str
    factor: float
    status: str
    cost_difference_eur: float | None = None
    emissions_difference_t_co2e: float | None = None
    decided: bool | None = None
    projects_entering: tuple[str, ...] = ()
    projects_leaving: tuple[str, ...] = ()
    enters: str = ""
    leaves: str = ""
    note: str = ""


@dataclass(kw_only=True)
class TornadoWork(FreightWork):
    """Solves the instance with changed cells, stated anew, with chains of its own."""

    def __call__(self, asked: Mapping[str, Any], before: Record | None, stop: Stop) -> Record:
        try:
            instance = self.instance.with_changes(*asked["changes"]) if asked["changes"] else self.instance
        except InstanceError as fault:
            return {"status": NOT_VARIED, "note": str(fault.problems[0])}
        stated = self.stated(instance)
        return self.solved(stated, stated.form, before, stop, what="; ".join(asked["changes"]) or BASE)


def run_tornado(instance: Instance, how: StudyOptions, *, tables: Sequence[str] = (), samples: int = 0) -> Answer:
    """Solve the instance and each end of each range (of `tables`, all if none); the greatest effect on cost first.

    A row for each end, as `Effect`. `samples` are drawn with all figures varied at once (Latin hypercube): rows of
    `tornado_samples`, and by project the share of them that builds it in `tornado_projects`. `relax` solves LP
    relaxations, which name no projects. Raises NbbError for a table without ranges.
    """
    if not 0 <= samples <= MOST_SAMPLES:
        raise NbbError(f"samples={samples}: give a number of draws up to {MOST_SAMPLES}, 0 for none")
    rows = instance["ranges"].to_dict("records")
    known = {str(row["table"]) for row in rows}
    if missing := [name for name in tables if name not in known]:
        raise NbbError(f"table {missing[0]!r} has no ranges; those are {', '.join(sorted(known)) or 'none'}")
    every = [
        (row, end, float(row[f"{end}_factor"]))
        for row in rows
        for end in ("low", "high")
        if row[f"{end}_factor"] != 1 and (not tables or row["table"] in tables)
    ]
    ends = [each for each in every if _shown_by(each[0]) is None]
    work = TornadoWork.of(instance, how)
    units = {change_of(row, factor): (row, end, factor) for row, end, factor in ends}
    with how.study("tornado", work.about(), work, solves=1 + len(units) + samples * bool(ends)) as study:
        base = study.run([Unit(BASE, {"changes": []})]).get(BASE, {"status": "stopped"})
        if "cost_eur" not in base and not study.stopped:
            raise NbbError(
                f"the instance as it is has no plan ({base['status']}); give more time, or look at it with solve"
            )
        found = study.run([Unit(change, {"changes": [change]}, BASE) for change in units])
        drawn = _draw([ends[i][0] for i in _first_of_each(ends)], samples, work.options.seed)
        solved = study.run([
            Unit(f"draw {i}", {"changes": [change_of(row, factor) for row, factor in draw if factor != 1]}, BASE)
            for i, draw in enumerate(drawn, 1)
        ]) if found else {}  # fmt: skip
    effects = [_effect(*units[change], record, base) for change, record in found.items()]
    effects += [
        Effect(figure=_figure(row), end=end, factor=factor, status=NOT_VARIED, note=f"in no plan: see nbb-opt {shown}")
        for row, end, factor in every if (shown := _shown_by(row)) is not None
    ]  # fmt: skip
    table = _ordered(effects)
    draws = _samples(table, drawn, solved, base)
    more = {"tornado_samples": draws, "tornado_projects": _projects(instance, solved, base)} if samples else {}
    few = ["figure", "factor", "cost_difference_eur", "emissions_difference_t_co2e", "decided"]
    return answered(
        study, instance, table, _sentence(table, draws), title="what if a figure is wrong?", tables=more,
        sections=_sections, shown=[table[few].head(30)],
    )  # fmt: skip


def _first_of_each(ends: Sequence[tuple[Mapping[Hashable, Any], str, float]]) -> list[int]:
    """Positions of the first end of each figure."""
    names = [(row["table"], row["row"], row["column"]) for row, _, _ in ends]
    return [i for i, name in enumerate(names) if name not in names[:i]]


def _draw(
    rows: Sequence[Mapping[Hashable, Any]], samples: int, seed: int
) -> list[list[tuple[Mapping[Hashable, Any], float]]]:
    """Factors of all figures at once, so many times: half of the draws of each are below its figure, half above."""
    if not samples or not rows:
        return []
    shares = LatinHypercube(len(rows), rng=seed).random(samples)
    low, high = (np.array([float(row[f"{end}_factor"]) for row in rows]) for end in ("low", "high"))
    factors = np.where(shares < 0.5, low + (1 - low) * 2 * shares, 1 + (high - 1) * (2 * shares - 1))
    return [list(zip(rows, draw, strict=True)) for draw in factors.tolist()]


def _samples(
    table: pd.DataFrame, drawn: Sequence[Sequence[tuple[Mapping[Hashable, Any], float]]],
    solved: Mapping[str, Record], base: Record,
) -> pd.DataFrame:  # fmt: skip
    """A row for each draw: differences to the region as it is, and what the effects one by one would add up to."""
    at = {
        (row["figure"], row["end"]): (row["factor"], row["cost_difference_eur"], row["emissions_difference_t_co2e"])
        for row in table.to_dict("records")
    }
    rows = []
    for i, draw in enumerate(drawn, 1):
        point = solved.get(f"draw {i}")
        if point is None or "cost_eur" not in point:
            continue
        sums = np.zeros(2)
        for row, factor in draw:
            end = at.get((_figure(row), "low" if factor < 1 else "high"))
            if end is not None and np.isfinite(end[1]):
                sums += np.array(end[1:]) * (factor - 1) / (end[0] - 1)
        rows.append({
            "draw": i, "cost_difference_eur": point["cost_eur"] - base["cost_eur"], "one_by_one_eur": sums[0],
            "emissions_difference_t_co2e": point["emissions_t"] - base["emissions_t"], "one_by_one_t_co2e": sums[1],
            "projects": "; ".join(point["projects"]), "verified": point["verified"],
        })  # fmt: skip
    columns = ["draw", "cost_difference_eur", "one_by_one_eur", "emissions_difference_t_co2e", "one_by_one_t_co2e",
               "projects", "verified"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _projects(instance: Instance, solved: Mapping[str, Record], base: Record) -> pd.DataFrame:
    """In which share of the draws each project is built; those in some of them, or in the region as it is."""
    plans = [set(point["projects"]) for point in solved.values() if "cost_eur" in point]
    names = names_of(instance, "projects", "project")
    rows = [
        {"project": project, "name": names[project], "share_of_draws": sum(project in plan for plan in plans)
         / max(len(plans), 1), "as_it_is": project in base["projects"]}
        for project in sorted(set(base.get("projects", ())).union(*plans))
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["project", "name", "share_of_draws", "as_it_is"])
    return table.sort_values(["share_of_draws", "project"], ascending=[False, True], ignore_index=True)


def _shown_by(row: Mapping[Hashable, Any]) -> str | None:
    """The command that shows what a figure does that is in no plan; None for all others."""
    table = str(row["table"])
    return ELSEWHERE.get((table, str(row["column"])), ELSEWHERE.get((table, "")))


def _figure(row: Mapping[Hashable, Any]) -> str:
    return f"{row['table']}.{row['column']}" + ("" if row["row"] == "*" else f" of {row['row']}")


def change_of(row: Mapping[Hashable, Any], factor: float) -> str:
    """The statement that multiplies the figure of a range."""
    if row["row"] == "*" and "source" in {column.name for column in BY_NAME[row["table"]].columns}:
        return f"{row['table']}.{row['column']}[source=assumption] *= {factor!r}"
    return on_row(row["table"], row["row"], row["column"], f"*= {factor!r}")


def _effect(row: Mapping[Hashable, Any], end: str, factor: float, point: Record, base: Record) -> Effect:
    figure = _figure(row)
    if "cost_eur" not in point:
        return Effect(figure=figure, end=end, factor=factor, status=point["status"], note=point.get("note", ""))
    differs = what_differs({"before": as_decisions(base["decisions"]), "after": as_decisions(point["decisions"])})
    return Effect(
        figure=figure, end=end, factor=factor, status=point["status"],
        enters=in_words(differs, more=True), leaves=in_words(differs, more=False),
        decided=point["bound_eur"] > base["cost_eur"] or point["cost_eur"] < base["bound_eur"],
        cost_difference_eur=point["cost_eur"] - base["cost_eur"],
        emissions_difference_t_co2e=point["emissions_t"] - base["emissions_t"],
        projects_entering=tuple(sorted(set(point["projects"]) - set(base["projects"]))),
        projects_leaving=tuple(sorted(set(base["projects"]) - set(point["projects"]))),
    )  # fmt: skip


def _ordered(effects: Sequence[Effect]) -> pd.DataFrame:
    """Figures with the greatest effect on cost first, their two ends together; those not varied last."""
    table = pd.DataFrame([vars(effect) for effect in effects], columns=list(Effect.__dataclass_fields__))
    for name in ("projects_entering", "projects_leaving"):
        table[name] = table[name].map("; ".join)
    table["decided"] = table["decided"].astype("boolean")
    size = table["cost_difference_eur"].astype(float).abs().fillna(-1.0)
    most = size.groupby(table["figure"]).transform("max")
    order = pd.DataFrame({"most": -most, "figure": table["figure"], "end": table["end"].eq("high")})
    return table.loc[order.sort_values(["most", "figure", "end"]).index].reset_index(drop=True)


def _bars(table: pd.DataFrame) -> list[tuple[str, dict[str, float]]]:
    """Effects on the cost in MEUR by figure and end, the greatest first."""
    varied = table[table["cost_difference_eur"].notna()]
    return [
        (str(figure), dict(zip(ends["end"], ends["cost_difference_eur"] / 1e6, strict=True)))
        for figure, ends in varied.groupby("figure", sort=False)
    ]


def _sentence(table: pd.DataFrame, draws: pd.DataFrame) -> str:
    bars = _bars(table)
    if not bars:
        return "No figure with a range could be varied."
    name, ends = bars[0]
    least, most = (short(end(ends.values()), sign=True) for end in (min, max))
    text = f"{name} matters most for the cost: {least} to {most} MEUR."
    if len(draws):
        eur, alone = draws["cost_difference_eur"] / 1e6, draws["one_by_one_eur"] / 1e6
        low, high = (float(eur.quantile(share)) for share in (0.05, 0.95))
        text += (
            f" All at once, nine of ten draws are {short(low, sign=True)} to {short(high, sign=True)} MEUR; on average "
            f"they are {short(float((eur - alone).abs().mean()))} MEUR from what the effects one by one add up to."
        )
    return text


def _sections(answer: Answer) -> list[Section]:
    bars = _bars(answer.table)[:BARS]
    columns = [
        Column("Figure"), Column("Times", "decimal"), Column("System cost", "meur", "MEUR"),
        Column("CO2e in all years", "kt", "kt"), Column("Proven"), Column("Enters"), Column("Leaves"),
        Column("Remark"),
    ]  # fmt: skip
    words = {True: "yes", False: "no: inside the gaps"}
    rows: list[list[Cell]] = [
        [str(row["figure"]), float(row["factor"]), _scaled(row["cost_difference_eur"], 1e6),
         _scaled(row["emissions_difference_t_co2e"], 1e3), "" if pd.isna(row["decided"]) else words[row["decided"]],
         str(row["enters"]), str(row["leaves"]),
         str(row["note"]) if row["note"] else ("" if row["cost_difference_eur"] == row["cost_difference_eur"]
                                               else str(row["status"]))]
        for row in answer.table.to_dict("records")
    ]  # fmt: skip
    drawing = tornado_bars(bars, unit="MEUR", key="tornado", title="Effect on system cost") if bars else None
    text = "Each figure is set to the low and the high end of its range, all else as it is; the greatest effect first."
    grid = Grid("Effects", columns, rows, first=40)
    return [Section("Tornado", text, [grid], drawing), *_all_at_once(answer)]


def _all_at_once(answer: Answer) -> list[Section]:
    """The draws with all figures varied, if there are any."""
    draws = answer.tables.get("tornado_samples")
    if draws is None or not len(draws):
        return []
    eur = sorted((draws["cost_difference_eur"] / 1e6).tolist())
    pairs = [((i + 0.5) / len(eur) * 100, value) for i, value in enumerate(eur)]
    projects = [[row["name"], row["share_of_draws"], "yes" if row["as_it_is"] else "no"]
                for row in answer.tornado_projects.to_dict("records")]  # fmt: skip
    grid = Grid("Projects", [Column("Project"), Column("Share of draws", "percent", "%"), Column("As it is")], projects)
    text = f"{len(eur)} draws in which every figure lies somewhere in its range (Latin hypercube), half below today's."
    drawing = line_chart(pairs, across="% of draws that cost no more", up="MEUR", key="draws")
    return [Section("All at once", text, [grid] if projects else [], drawing)]


def _scaled(value: Any, by: float) -> float | None:
    return None if pd.isna(value) else float(value) / by
