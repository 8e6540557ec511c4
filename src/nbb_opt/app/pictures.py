"""Map, charts and figures of a plan that was checked or solved: what the report shows, for the page of the app."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.report.charts.charts import Bar, Series, stacked_bars
from nbb_opt.report.charts.svg import PALETTE, TECHNOLOGY_COLOURS
from nbb_opt.report.grid import Column, Grid
from nbb_opt.report.page import run_view
from nbb_opt.report.text import TECHNOLOGY_WORDS, cut
from nbb_opt.result import Run
from nbb_opt.studies.audit.charging_help import WAYS
from nbb_opt.studies.audit.charging_view import CHART_WORDS, day_drawing, day_sentence

MOST_COMPARED = 8


def pictures_of(instance: Instance, run: Run) -> dict[str, Any]:
    """The map with its legend and the charts of a run, as SVG texts, each chart with its table."""
    view = run_view(instance, run, label="plan", key="plan", emissions=[])
    return {
        "year": view.map_year,
        "map": str(view.big_map),
        "legend": str(view.legend),
        "small_maps": [{"label": label, "svg": str(drawing)} for label, drawing in view.small_maps],
        "charts": [
            {"title": each.heading, "help": each.help, "svg": str(each.drawing), "table": table_of(each.grid)}
            for each in view.charts
        ],
        "tables": [table_of(grid) for grid in view.decisions if grid.rows],
    }


def day_charts(days: list[dict[str, Any]], words: Callable[[str], str]) -> list[dict[str, Any]]:
    """The day of each charging area that was kept with a checked plan, drawn with `words` of a language."""
    columns = [Column(words("hour of the day")), *(Column(words(CHART_WORDS[how]), "number", "kW") for how in WAYS)]
    found = []
    for n, day in enumerate(days):
        title = f"{words('Charging by the hour')}: {day['place']} {day['year']}"
        rows = [(str(hour), *(max(day[f"{how}_kw"][4 * hour : 4 * hour + 4]) for how in WAYS)) for hour in range(24)]
        found.append({
            "title": title, "help": day_sentence(day, words), "svg": str(day_drawing(day, key=f"day{n}", words=words)),
            "table": table_of(Grid(title, columns, rows)),
        })  # fmt: skip
    return found


def as_run(cost_eur: float, blocks: tuple[str, ...], tables: Mapping[str, pd.DataFrame], verified: bool) -> Run:
    """A plan that was checked, as the report's functions take it; nothing stands beside it."""
    record = {"model": "plan", "blocks": list(blocks), "cost_eur": cost_eur, "verified": verified}
    return Run(Path(), record, tables, {})


def table_of(grid: Grid) -> dict[str, Any]:
    """A table as texts."""
    columns = [{"heading": column.heading, "numeric": column.numeric} for column in grid.columns]
    return {"caption": grid.caption, "columns": columns, "rows": grid.written(), "note": grid.note}


def comparison_charts(plans: list[dict[str, Any]], years: list[int], technologies: list[str]) -> list[dict[str, str]]:
    """Emissions by year, and trucks of the last year by technology, of checked plans (`place` is a plan's number)."""
    shown = [plan for plan in plans if plan.get("emissions_t")][:MOST_COMPARED]
    if not shown:
        return []
    last = str(years[-1])
    emissions = [
        Series(plan["id"], f"{plan['place']} {plan['name']}", PALETTE[i % len(PALETTE)]) for i, plan in enumerate(shown)
    ]
    bars = [
        Bar(str(year), str(plan["place"]), {plan["id"]: plan["emissions_t"][str(year)] / 1e3})
        for year in years
        for plan in shown
    ]
    fleets = [
        Bar(
            cut(f"{plan['place']} {plan['name']}", 14),
            last,
            {kind: float(n) for kind, n in plan["trucks"][last].items()},
        )
        for plan in shown
    ]
    kinds = [Series(name, TECHNOLOGY_WORDS[name], TECHNOLOGY_COLOURS[name]) for name in technologies]
    return [
        {
            "title": "Emissions by plan",
            "svg": str(stacked_bars(bars, emissions, unit="kt CO2e a year", key="c-co2", title="Emissions by plan")),
        },
        {
            "title": f"Trucks in {last} by plan",
            "svg": str(stacked_bars(fleets, kinds, unit="trucks", key="c-trucks", title="Trucks by plan", whole=True)),
        },
    ]
