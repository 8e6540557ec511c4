"""The front of cost against emissions beside a plan: what each further per cent of emissions costs."""

from __future__ import annotations

import io

import pandas as pd
from markupsafe import Markup

from nbb_opt.instance import Instance
from nbb_opt.report.charts.charts import line_chart
from nbb_opt.report.grid import Column, Grid, each
from nbb_opt.result import FRONT, Run, Tables, emissions_t


def _points(run: Run) -> pd.DataFrame | None:
    """The points of the front from the cheapest on; None where there is no front."""
    content = run.beside.get(FRONT)
    if not content or not run.against:
        return None
    text = content.decode("utf-8") if isinstance(content, bytes) else content
    points = pd.read_csv(io.StringIO(text)).dropna(subset=["cost_eur", "emissions_t_co2e"])
    return points.sort_values("cost_eur", ignore_index=True)


def in_all_years_t(instance: Instance, tables: Tables) -> float:
    """WTW t CO2e over the horizon."""
    years = pd.Series({period.year: period.years for period in instance.periods})
    return float((emissions_t(tables) * years).sum())


def draw_front(instance: Instance, run: Run, *, key: str) -> Markup | None:
    """The front with the plan as a point beside it; None where there is no front."""
    points = _points(run)
    if points is None or not len(points):
        return None
    pairs = list(zip(points["emissions_t_co2e"] / 1e3, points["cost_eur"] / 1e6, strict=True))
    mine = (in_all_years_t(instance, run.tables) / 1e3, float(run.record["cost_eur"]) / 1e6)
    return line_chart(pairs, across="kt CO2e in all years, WTW", up="MEUR", key=key, chosen=("this plan", *mine))


def front_grid(instance: Instance, run: Run) -> Grid | None:
    """Give the points of the front from the cheapest on, against the plan's baseline; None where there is no front."""
    points = _points(run)
    if points is None:
        return None
    base_t = in_all_years_t(instance, run.baseline)
    base_eur = float(run.said_of(run.against)["cost_eur"])
    cut = 1 - points["emissions_t_co2e"] / base_t
    further = points["cost_eur"].diff() / 1e6 / (100 * cut.diff())
    rows = [
        [
            row.emissions_t_co2e / 1e3,
            -float(cut[i]),
            row.cost_eur / 1e6,
            row.cost_eur / base_eur - 1,
            None if pd.isna(further[i]) else float(further[i]),
        ]
        for i, row in enumerate(each(points))
    ]
    columns = (
        Column("CO2e in all years", "kt", "kt"),
        Column(f"Against the {run.against} plan", "percent", "%"),
        Column("System cost", "meur", "MEUR"),
        Column(f"Cost against the {run.against} plan", "percent", "%"),
        Column("Each further per cent costs", "meur", "MEUR"),
    )
    note = (
        "Points of the linear relaxation, in which trucks, chargers and projects may be fractions: each cost is a "
        "lower bound. Per cents are of the emissions of the plan that is compared with, over all years."
    )
    return Grid("What each further per cent of emissions costs", columns, rows, first=40, note=note, name="Front")
