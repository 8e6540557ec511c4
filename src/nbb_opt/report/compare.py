"""Several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.report.map.grid import Column, Grid
from nbb_opt.result import Run

NAMED = (
    ("bundles", "origin", "nodes", "node"),
    ("bundles", "destination", "nodes", "node"),
    ("bundles", "commodity", "commodities", "commodity"),
    ("chain_steps", "link", "links", "link"),
    ("lane_links", "link", "links", "link"),
    ("fleet", "vehicle", "vehicles", "vehicle"),
    ("fleet", "fleet_region", "fleet_regions", "fleet_region"),
    ("chargers", "charger", "chargers", "charger"),
    ("chargers", "charge_area", "charge_areas", "charge_area"),
    ("projects", "project", "projects", "project"),
)


def label_of(run: Run, runs: Sequence[Run]) -> str:
    """Name a run: its model; with several of one model, its folder; else its place in the list."""
    model = str(run.record.get("model", "plan"))
    if sum(other.record.get("model") == run.record.get("model") for other in runs) == 1:
        return model
    folders = [other.path.name for other in runs]
    if run.path.name and folders.count(run.path.name) == 1:
        return f"{model}, {run.path.name}"
    return f"{model}, no. {next(i for i, other in enumerate(runs, 1) if other is run)}"


def refuse_foreign(instance: Instance, runs: Sequence[Run]) -> None:
    """Raise NbbError if a run names things that the instance does not have."""
    for run in runs:
        for table, column, home, key in NAMED:
            unknown = sorted(set(run.tables[table][column]) - set(instance[home][key]) - {""})
            if unknown:
                name = run.path.name or run.record.get("model", "")
                raise NbbError(
                    f"run {name}, table {table}: {column} '{unknown[0]}' is not in "
                    f"the instance {instance.meta.name} (give the instance the run was made from)"
                )


def comparison_grid(
    instance: Instance, runs: Sequence[Run], figures: Sequence[dict[str, Any]], labels: Sequence[str]
) -> Grid:
    """Give the key figures of every run, one row per run."""
    last = instance.periods[-1].year
    rows: list[list[Any]] = []
    for found, label in zip(figures, labels, strict=True):
        money = found["investments_eur"]
        before = found["cost_do_nothing_eur"]
        rows.append(
            [
                label,
                found["cost_eur"] / 1e6,
                (found["cost_eur"] - before) / 1e6 if before is not None else None,
                found["emissions_t_co2e"][last] / 1e3,
                sum(found["emissions_t_co2e"][p.year] * p.years for p in instance.periods) / 1e3,
                found["shifted_t"].get(last, 0.0) / 1e3,
                found["battery_trucks"][last],
                len({project for project, _, _ in found["projects_built"]}),
                money["projects"] / 1e6,
                money["chargers"] / 1e6,
                money["vehicles"] / 1e6,
                found["gap"],
                "OK" if found["verified"] else "not accepted",
            ]
        )
    columns = (
        Column("Plan"),
        Column("System cost, present value", "meur", "MEUR"),
        Column("Against doing nothing", "meur", "MEUR"),
        Column(f"CO2e in {last}", "kt", "kt a year"),
        Column("CO2e in all years", "kt", "kt"),
        Column(f"Road to rail, sea, ferry in {last}", "kt", "kt a year"),
        Column(f"Battery trucks in {last}", "count"),
        Column("Projects", "count"),
        Column("Projects", "meur", "MEUR"),
        Column("Chargers", "meur", "MEUR"),
        Column("Trucks", "meur", "MEUR"),
        Column("Gap", "percent", "%"),
        Column("Verified"),
    )
    same = len({run.record.get("instance_digest") for run in runs}) == 1
    note = (
        ""
        if same
        else "The runs were made from different versions of the instance; names and places are those of the one shown."
    )
    return Grid("Key figures of the plans", columns, rows, first=40, note=note, name="Comparison")
