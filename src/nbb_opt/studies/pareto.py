"""A Pareto front of system cost against WTW emissions, by epsilon-constraint: the least cost under each of many caps.

Both ends are lexicographic: the cheapest plan, its freight moved so that it emits least at that cost, and of the plans
that emit as little as the one found that emits least, the cheapest. Between them the caps are evenly spaced. A point is
supported where it is on the lower convex hull of the points: some price of CO2e makes it the cheapest. The slopes of
the hull are what a tonne less costs there.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from nbb_opt.errors import Infeasible, NbbError, NoPlan, VerifyFailed
from nbb_opt.instance import Instance
from nbb_opt.report.charts.charts import line_chart
from nbb_opt.report.comparison import KEY, as_decisions, in_words, what_differs
from nbb_opt.report.grid import Cell, Column, Grid, Section
from nbb_opt.report.study import Answer
from nbb_opt.report.text import cut
from nbb_opt.solve import Stop
from nbb_opt.studies.points import FreightWork, answered, unpacked, with_row, without_basis
from nbb_opt.studies.units import Record, Study, StudyOptions, Unit

MOST_POINTS = 1000
CHAIN = 5  # points that start one from another; chains can be solved side by side
SAME = 1e-6  # relative, of a cost or of emissions that are kept while the other one is minimised


@dataclass(kw_only=True)
class ParetoWork(FreightWork):
    """Minimises cost or emissions, with a cap on emissions or on cost. The emissions are those of `year`, or all."""

    year: int | None = None

    def __call__(self, asked: Mapping[str, Any], before: Record | None, stop: Stop) -> Record:
        stated = self.base
        tonnes, form = stated.tonnes(self.year), stated.form
        scale = float(np.abs(form.cost).max() / max(np.abs(tonnes).max(), 1e-12))  # EUR of a size like t, in the row
        capped = with_row(form, tonnes, asked.get("cap_t", np.inf), "cap_emissions_of_front")
        if asked["after_least"] != asked["least"]:
            before = without_basis(before)
        if asked["least"] == "cost":
            record = self._dated(self.solved(stated, capped, before, stop, what=asked["what"]))
            if record.get("tonnes", 0.0) > asked.get("cap_t", np.inf) * (1 + SAME):
                raise VerifyFailed(f"the plan of {asked['what']}, {asked['cap_t']:g} t, emits {record['tonnes']:g} t")
            return record
        if "most_eur" in asked:
            most = (asked["most_eur"] - form.cost_offset) / scale
            capped = with_row(form, form.cost / scale, most, "cap_cost_of_front")
            start = None if before is None else unpacked(before["start"])
            if start is not None and start.whole is not None:  # only what can be changed from day to day
                low, up = capped.col_low.copy(), capped.col_up.copy()
                low[form.integer] = up[form.integer] = start.whole
                capped = replace(capped, col_low=low, col_up=up)
        least = replace(capped, cost=tonnes, cost_offset=0.0)
        return self._dated(self.solved(stated, least, before, stop, what=asked["what"], priced=False))

    def _dated(self, record: Record) -> Record:
        """The record with the emissions that the front is about."""
        if "emissions_t" not in record:
            return record
        year = str(self.year)
        tonnes = record["emissions_t"] if self.year is None else record["emissions_t_per_year"][year]
        return {**record, "tonnes": tonnes}


def run_pareto(
    instance: Instance, how: StudyOptions, *, points: int = 20, year: int | None = None, cold_start: bool = False
) -> Answer:
    """The front, a row for each point from the cheapest on; table `pareto_steps` is what is decided otherwise.

    Raises NbbError for fewer than two points or a year that is no period, Infeasible or NoPlan where there are no ends.
    """
    years = [period.year for period in instance.periods]
    if not 2 <= points <= MOST_POINTS:
        raise NbbError(f"points={points}: a front needs at least two, and can have {MOST_POINTS}")
    if year is not None and year not in years:
        raise NbbError(f"year={year}: is no period of the instance; those are {', '.join(map(str, years))}")
    work = ParetoWork.of(instance, how, year=year)
    with how.study("pareto", {**work.about(), "year": year}, work, solves=points + 1 + (not how.relax)) as study:
        found = _solved(study, points, relax=how.relax, cold_start=cold_start)
    table = _table(found)
    steps = _steps(table)
    shown = ["emissions_t_co2e", "cost_eur", "gap", "supported", "eur_per_t_co2e", "enters"]
    return answered(
        study, instance, table, _sentence(table), title="what does each tonne less cost?", sections=_sections,
        tables={"pareto_steps": steps}, description=f"Emissions {_over(year)}.",
        shown=[table[shown].assign(enters=[cut(words, 60) for words in table["enters"]])],
    )  # fmt: skip


def _solved(study: Study, points: int, *, relax: bool, cold_start: bool) -> dict[str, Record]:
    """The points by name, from the one that emits least to the cheapest; those found, if somebody stopped it.

    Plans start from the next tighter point, since they are possible there, but the first of a chain from nothing: the
    end that emits least is too far away to help (nbb: 129 s from there, 17 s from nothing). Relaxations start from the
    next looser one, in whose basis only a cap is broken, and the cheapest end of these is what was found when only cost
    counts.
    """

    cheapest_name, cleanest_name = "least cost", "least emissions"

    def unit(name: str, *, least: str, after: str = "", **asked: float) -> Unit:
        before = {cheapest_name: "cost", cleanest_name: "emissions"}.get(after, "cost")
        return Unit(name, {"what": name, "least": least, "after_least": before, **asked}, "" if cold_start else after)

    cheapest, cleanest = unit(cheapest_name, least="cost"), unit(cleanest_name, least="emissions")
    ends = study.run([cheapest, cleanest])
    if len(ends) < 2:
        return {}
    top, least = ends.values()
    if "infeasible" in (top["status"], least["status"]):
        raise Infeasible("the front is empty: no plan satisfies every constraint")
    if "tonnes" not in top or "tonnes" not in least:
        raise NoPlan("the front has no ends: no plan within the time for a point; allow more with time_limit_s=")
    high = unit(f"cap {points}", least="emissions", after=cheapest.name, most_eur=top["cost_eur"] * (1 + SAME))
    low = unit("cap 1", least="cost", after=cleanest.name, cap_t=least["tonnes"] * (1 + SAME))
    found = study.run([low] if relax else [high])
    if (low if relax else high).name not in found:
        return {}
    if not relax and "tonnes" in found[high.name]:
        top = found[high.name]
    end = found[low.name] if relax and "tonnes" in found[low.name] else least
    caps = np.linspace(float(end["tonnes"]), float(top["tonnes"]), points)[1:-1].tolist()
    between = []
    for i, cap_t in enumerate(caps):
        if relax:
            after = cheapest.name if (len(caps) - 1 - i) % CHAIN == 0 else f"cap {i + 3}"
        else:
            after = "" if i % CHAIN == 0 else f"cap {i + 1}"
        between.append(unit(f"cap {i + 2}", least="cost", after=after, cap_t=cap_t))
    solved = study.run(between[::-1] if relax else [low, *between])
    if low.name not in solved and not relax:
        return {}
    found |= solved
    most_t = float(top["tonnes"])
    bound = {"bound_eur": ends["least cost"]["bound_eur"]}
    last = found[low.name]
    if not relax and "tonnes" not in last:  # what emits least is a plan under its cap
        last = {**least, "status": last["status"], "bound_eur": last.get("bound_eur")}
    rows = {low.name: {**last, "cap_t": low.asked["cap_t"]}}
    rows |= {each.name: {**found[each.name], "cap_t": each.asked["cap_t"]} for each in between if each.name in found}
    return {**rows, high.name: {**top, **bound, "cap_t": most_t}}


def _table(found: Mapping[str, Record]) -> pd.DataFrame:
    """A row for each point, from the cheapest on."""
    rows: list[dict[str, Any]] = []
    best: Record | None = None
    for record in found.values():  # from the tightest cap on: a plan of a tighter cap is one of this cap too
        own = record if "tonnes" in record else {**record, "cost_eur": np.inf}
        if best is None or own["cost_eur"] <= best["cost_eur"]:
            best = own
        kept = best if np.isfinite(best["cost_eur"]) else {}
        bound = own.get("bound_eur")
        rows.append({
            "cap_t_co2e": record["cap_t"], "status": record["status"],
            "cost_eur": kept.get("cost_eur", np.nan), "bound_eur": np.nan if bound is None else bound, "gap": np.nan,
            "emissions_t_co2e": kept.get("tonnes", np.nan), "supported": False, "eur_per_t_co2e": np.nan,
            "verified": kept.get("verified"), "projects": "; ".join(kept.get("projects", ())),
            "decisions": kept.get("decisions", []),
        })  # fmt: skip
    table = pd.DataFrame(rows[::-1], columns=_COLUMNS)
    bounds = table["bound_eur"].cummax().ffill()  # what no plan of a looser cap can do, none of a tighter one can
    table["bound_eur"] = np.minimum(bounds, table["cost_eur"].fillna(np.inf))
    table["gap"] = (table["cost_eur"] - table["bound_eur"]) / table["cost_eur"].abs()
    hull = supported(table["emissions_t_co2e"].tolist(), table["cost_eur"].tolist())
    table["supported"] = table.index.isin(hull)
    table["verified"] = table["verified"].astype("boolean")
    for one, other in itertools.pairwise(hull):
        dearer = table["cost_eur"][other] - table["cost_eur"][one]
        less_t = table["emissions_t_co2e"][one] - table["emissions_t_co2e"][other]
        table.loc[other, "eur_per_t_co2e"] = dearer / less_t
    return table


_COLUMNS = ["cap_t_co2e", "status", "cost_eur", "bound_eur", "gap", "emissions_t_co2e", "supported", "eur_per_t_co2e",
            "verified", "projects", "decisions"]  # fmt: skip


def supported(tonnes: Sequence[float], cost: Sequence[float]) -> list[int]:
    """Positions of the points on the lower convex hull, from the cheapest (most tonnes) to the least tonnes.

    >>> supported([10.0, 8.0, 6.0, 4.0], [1.0, 4.0, 5.0, 20.0])  # 8 t is above the line from 10 to 6 t
    [0, 2, 3]
    """
    order = sorted((i for i in range(len(cost)) if np.isfinite(cost[i])), key=lambda i: (-tonnes[i], cost[i]))
    hull: list[int] = []
    for i in order:
        if hull and not (tonnes[i] < tonnes[hull[-1]] and cost[i] > cost[hull[-1]]):
            continue  # no fewer tonnes, or no dearer: the same plan again
        while len(hull) > 1 and _slope(tonnes, cost, hull[-2], i) <= _slope(tonnes, cost, hull[-2], hull[-1]):
            hull.pop()
        hull.append(i)
    return hull


def _slope(tonnes: Sequence[float], cost: Sequence[float], one: int, other: int) -> float:
    return (cost[other] - cost[one]) / (tonnes[one] - tonnes[other])


def _steps(table: pd.DataFrame) -> pd.DataFrame:
    """What is decided otherwise from each point to the next one that emits less, by name: a row for each decision."""
    plans = [as_decisions(rows) for rows in table.pop("decisions")]
    steps = []
    for i in range(1, len(plans)):
        differs = what_differs({"before": plans[i - 1], "after": plans[i]})
        steps.append(differs.assign(point=i))
    columns = ["point", *KEY[:2], "year", "unit", "before", "after"]
    whole = pd.concat(steps, ignore_index=True)[columns] if steps else pd.DataFrame(columns=columns)
    for name, more in (("enters", True), ("leaves", False)):
        words = [in_words(whole[whole["point"] == i], more=more) for i in range(1, len(plans))]
        table[name] = ["", *words][: len(table)]
    return whole


def _sections(answer: Answer) -> list[Section]:
    table = answer.table
    columns = [
        Column("CO2e", "kt", "kt"), Column("System cost", "meur", "MEUR"), Column("Gap", "decimal", "%"),
        Column("Supported"), Column("A tonne less costs", "decimal", "EUR"), Column("Enters"), Column("Leaves"),
    ]  # fmt: skip
    rows: list[list[Cell]] = [
        [_cell(row["emissions_t_co2e"], 1e3), _cell(row["cost_eur"], 1e6), _cell(row["gap"], 0.01),
         "yes" if row["supported"] else "no", _cell(row["eur_per_t_co2e"]), row["enters"], row["leaves"]]
        for row in table.to_dict("records")
    ]  # fmt: skip
    drawing = curve(table, answer.about["year"]) if table["cost_eur"].notna().any() else None
    return [Section("Cost against emissions", "", [Grid("Points", columns, rows, first=40)], drawing)]


def curve(table: pd.DataFrame, year: int | None) -> Markup:
    """The front as a picture."""
    found = table[table["cost_eur"].notna()]
    pairs = list(zip(found["emissions_t_co2e"] / 1e3, found["cost_eur"] / 1e6, strict=True))
    return line_chart(pairs, across=f"kt CO2e {_over(year)}, WTW", up="MEUR", key="front")


def _over(year: int | None) -> str:
    return "over the horizon" if year is None else f"in a year of the period {year}"


def _cell(value: float, unit: float = 1.0) -> float | None:
    return None if pd.isna(value) else float(value) / unit


def _sentence(table: pd.DataFrame) -> str:
    """The message of a front in a sentence."""
    points = table[table["supported"]]
    if len(points) < 2:
        return "Every plan found emits the same: there is nothing to trade."
    first, last = points.iloc[0], points.iloc[-1]
    cut_t, dearer = first["emissions_t_co2e"] - last["emissions_t_co2e"], last["cost_eur"] - first["cost_eur"]
    half = points[points["emissions_t_co2e"] >= last["emissions_t_co2e"] + 0.5 * cut_t].iloc[-1]
    share = (half["cost_eur"] - first["cost_eur"]) / dearer
    done = (first["emissions_t_co2e"] - half["emissions_t_co2e"]) / cut_t
    prices = points["eur_per_t_co2e"].iloc[1:]
    half_way = f"; the first {done:.0%} of the cut takes {share:.0%} of the money" if done > 0 else ""
    return (
        f"From the cheapest plan {cut_t / 1e3:,.1f} kt CO2e can be cut ({cut_t / first['emissions_t_co2e']:.0%}) for "
        f"{dearer / 1e6:,.1f} MEUR more{half_way}. "
        f"A tonne less costs from {prices.iloc[0]:,.0f} EUR to {prices.iloc[-1]:,.0f} EUR."
    )
