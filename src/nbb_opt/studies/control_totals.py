"""Control totals: what was observed in the base year, beside what a plan's flows give in its first period."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import pandas as pd

from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance, split_refs
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import solve_instance
from nbb_opt.report.charts.charts import Series, stacked_rows
from nbb_opt.report.charts.svg import PALETTE
from nbb_opt.report.grid import Column, Grid, Section
from nbb_opt.report.movements import movements, outside_movements
from nbb_opt.report.study import Answer
from nbb_opt.result import Run

CLOSE, FAR = 0.2, 0.4  # a deviation up to this share is close; one above the other needs a reason
BASE_YEAR_GAP = 0.002
COLUMNS = ("total", "name", "measure", "observed", "observed_year", "modelled", "deviation", "reason", "source", "note")
# measure -> what its numbers are divided by when they are printed, and the unit then
SHOWN = {
    "handled_t_per_year": (1e3, "kt"), "carried_t_per_year": (1e3, "kt"), "work_tkm_per_year": (1e6, "Mtkm"),
    "emissions_g_per_tkm": (1.0, "g/tkm"),
}  # fmt: skip


def control_totals(instance: Instance, plan: Run) -> Answer:
    """A row for each row of table `control_totals`, with the columns COLUMNS; printed, the worst first.

    `modelled` is what the plan's flows of the first period give, with `outside` of the row (what is observed with it
    but is not freight of the instance); `deviation` is modelled / observed - 1. Units are those of the measure.
    Raises NbbError if the instance has no control totals.
    """
    if instance["control_totals"].empty:
        raise NbbError(f"{instance.path}: has no table control_totals (see SCHEMA.md); add observed totals to compare")
    year = instance.periods[0].year
    moved, beside = movements(plan.tables, instance["links"], year), outside_movements(instance, year)
    kg = plan.tables["emissions"].query("year == @year")
    rows = instance["control_totals"].copy()
    rows["modelled"] = [_modelled(row, moved, beside, kg) for _, row in rows.iterrows()] + rows["outside"]
    rows["deviation"] = rows["modelled"] / rows["observed"] - 1
    return totals_answer(instance, rows[list(COLUMNS)])


def base_year(instance: Instance) -> Run:
    """The frozen plan of the first period alone: in seconds what the base year is compared by."""
    alone = replace(instance, periods=instance.periods[:1])
    return solve_instance(alone, model="frozen", options=SolveOptions(gap=BASE_YEAR_GAP))


def _modelled(total: pd.Series, moved: pd.DataFrame, beside: pd.DataFrame, kg: pd.DataFrame) -> float:
    """The measure of one row of `control_totals` over the links that its filters leave, of freight without a choice
    of mode (`beside`) too; but for emissions, which are those of the plan."""
    if total["measure"] != "emissions_g_per_tkm":
        moved = pd.concat([moved, beside[moved.columns]], ignore_index=True) if len(beside) else moved
    filters = {"modes": "mode", "origins": "origin", "destinations": "destination", "commodities": "commodity"}
    for column, of_moves in filters.items():
        if names := split_refs(total[column]):
            moved = moved[moved[of_moves].isin(names)]
    if total["country"]:
        moved, kg = moved[moved["country"] == total["country"]], kg[kg["country"] == total["country"]]
    match total["measure"]:
        case "handled_t_per_year":
            nodes = split_refs(total["nodes"])
            ends = moved.drop_duplicates("leg")
            return float((ends["tonnes"] * (ends["start"].isin(nodes) * 1 + ends["end"].isin(nodes))).sum())
        case "carried_t_per_year":
            here = moved[moved["link"].isin(split_refs(total["links"]))]
            return float(here.drop_duplicates("leg")["tonnes"].sum())
        case "work_tkm_per_year":
            return float((moved["tonnes"] * moved["distance_km"]).sum())
        case measure:
            assert measure == "emissions_g_per_tkm", measure
            of_modes = kg[kg["mode"].isin(split_refs(total["modes"]))]
            grams = 1000 * float(of_modes["ttw_kg"].sum() + of_modes["wtt_kg"].sum())
            return grams / float((moved["tonnes"] * moved["distance_km"]).sum())


def totals_answer(instance: Instance, totals: pd.DataFrame) -> Answer:
    """The totals: how many are close and why others are off, then each, the worst first."""
    order = totals["deviation"].abs().sort_values(ascending=False, kind="stable").index
    ranked: list[dict[Hashable, Any]] = totals.loc[order].to_dict("records")
    width = max(len(row["name"]) for row in ranked)
    lines = []
    for row in ranked:
        over, unit = SHOWN[row["measure"]]
        observed, modelled = row["observed"] / over, row["modelled"] / over
        figures = f"observed {observed:10,.1f} ({row['observed_year']})  modelled {modelled:10,.1f} {unit:5}"
        lines.append(f"{row['name']:{width}}  {figures}  {row['deviation']:+6.0%}")
    close = totals["deviation"].abs() <= CLOSE
    far = [(FAR, row) for row in ranked if abs(row["deviation"]) > FAR]
    far += [(CLOSE, row) for row in ranked if CLOSE < abs(row["deviation"]) <= FAR and row["reason"]]
    off = [f"More than {most:.0%} off: {row['name']}: {row['reason'] or 'no reason given'}." for most, row in far]
    columns = [
        Column("Name"), Column("Observed", "number"), Column("In", "year"), Column("Modelled", "number"),
        Column("Unit"), Column("Deviation", "percent", "%"), Column("Reason"),
    ]  # fmt: skip
    cells = [
        [row["name"], row["observed"] / SHOWN[row["measure"]][0], row["observed_year"],
         row["modelled"] / SHOWN[row["measure"]][0], SHOWN[row["measure"]][1], row["deviation"], row["reason"]]
        for row in ranked
    ]  # fmt: skip
    bars = [(row["name"], {"deviation": 100 * row["deviation"]}) for row in ranked]
    drawing = stacked_rows(
        bars, [Series("deviation", "modelled above observed", PALETTE[0])], unit="% modelled above observed",
        key="deviations", title="Modelled against observed",
    )  # fmt: skip
    return Answer(
        instance=instance, name="totals", title="control totals", shown=lines, tables={"totals": totals},
        description="What was observed, beside the flows of the frozen plan in the first period.",
        sentences=[f"Within {CLOSE:.0%}: {close.sum()} of {len(totals)} ({close.mean():.0%}).", *off],
        sections=lambda _answer: [
            Section("Totals", "Bars to the left: less is modelled than was observed; to the right: more.",
                    [Grid("The worst first", columns, cells, first=40)], drawing)
        ],
    )  # fmt: skip
