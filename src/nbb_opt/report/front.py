"""The front of cost against emissions beside a plan: what each further per cent of emissions costs."""

from __future__ import annotations

import io

import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.report.grid import Column, Grid, each
from nbb_opt.result import FRONT, Run, emissions_t


def front_grid(instance: Instance, run: Run) -> Grid | None:
    """Give the points of the front from the cheapest on, against the plan's baseline; None where there is no front."""
    content = run.beside.get(FRONT)
    if not content or not run.against:
        return None
    text = content.decode("utf-8") if isinstance(content, bytes) else content
    points = pd.read_csv(io.StringIO(text)).dropna(subset=["cost_eur", "emissions_t_co2e"])
    points = points.sort_values("cost_eur", ignore_index=True)
    years = pd.Series({period.year: period.years for period in instance.periods})
    base_t = float((emissions_t(run.baseline) * years).sum())
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
