"""The HTML pages: closed files that need no network and run no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from nbb_opt.emissions.factors import Registry
from nbb_opt.emissions.ledger import Ledger
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.output import write_file
from nbb_opt.report.basis import (
    assumption_counts,
    assumption_rows,
    computed,
    factor_card,
    making_grid,
    method,
    outside_grids,
    own_grid,
    range_grid,
    shipper_grid,
    source_rows,
)
from nbb_opt.report.decisions import (
    charger_grid,
    from_to_grid,
    fuel_grid,
    full_grid,
    policy_grid,
    port_grid,
    project_grid,
    shift_grid,
    vehicle_grid,
)
from nbb_opt.report.figures import Chart, all_figures
from nbb_opt.report.front import draw_front, front_grid
from nbb_opt.report.grid import Column, Grid, Section, each
from nbb_opt.report.headline import Tile, answer, bars_grid, period_grid, plausibility, proof, sentences, tiles
from nbb_opt.report.inventory import inventory_of
from nbb_opt.report.inventory_view import inventory_sections
from nbb_opt.report.kpis import drawn_tonnes, key_figures
from nbb_opt.report.map.coast import read_outlines
from nbb_opt.report.map.difference import draw_difference, draw_small_difference, link_difference
from nbb_opt.report.map.draw import draw_legend, draw_map
from nbb_opt.report.map.frame import make_frame
from nbb_opt.report.own_rules import own_grids
from nbb_opt.report.sourcing import sourcing_grids
from nbb_opt.report.study import ENVIRONMENT
from nbb_opt.report.text import meur
from nbb_opt.report.what_if import what_if_grids, what_if_line
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
    ("fuels", "substitute", "fuel_substitutes", "substitute"),
    ("supplied", "supplier", "suppliers", "supplier"),
    ("supplied", "site", "sites", "site"),
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
        before = found["cost_baseline_eur"]
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
        Column("Against its bar", "meur", "MEUR"),
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


MAP_WIDTH_PX = 800.0


@dataclass(frozen=True, kw_only=True)
class RunView:
    """Everything the template shows of one run."""

    key: str
    label: str
    compared: bool
    figures: dict[str, Any]
    answer: list[str]
    sentences: list[str]
    tiles: list[Tile]
    proof: str
    bars: Grid
    from_to: Grid | None
    front: Grid | None
    front_picture: Markup | None
    by_period: Grid
    plausible_text: str
    plausible_grid: Grid | None
    map_year: int
    has_coast: bool
    big_map: Markup
    legend: Markup
    built: list[tuple[int, str, str]]
    change_title: str
    change_map: Markup | None
    small_maps: list[tuple[str, Markup]]
    charts: list[Chart]
    decisions: list[Grid]
    limits: list[Grid]
    inventory: Sequence[Section]
    emissions: list[Grid]
    computed: list[tuple[str, str]]


def write_html(
    instance: Instance,
    runs: Sequence[Run],
    path: Path,
    *,
    ledgers: Sequence[Ledger] = (),
    own: Registry | None = None,
    studies: Sequence[Section] = (),
) -> None:
    """Write the report of one run, or of several side by side, to `path`, with what `studies` answer."""
    write_file(path, render_html(instance, runs, ledgers=ledgers, own=own, studies=studies))


def html_bytes(
    instance: Instance, runs: Sequence[Run], *, ledgers: Sequence[Ledger] = (), own: Registry | None = None
) -> bytes:
    """The report as an HTML file."""
    return render_html(instance, runs, ledgers=ledgers, own=own).encode("utf-8")


def render_html(
    instance: Instance,
    runs: Sequence[Run],
    *,
    ledgers: Sequence[Ledger] = (),
    own: Registry | None = None,
    studies: Sequence[Section] = (),
) -> str:
    """Give the report as HTML text. All text from the instance and the runs is escaped.

    With the `ledgers` of the runs it shows emissions by shipper, if there are several, the making of trucks,
    and with `own` the user's intensities beside those of the ledger.
    """
    if not runs:
        raise ValueError("a report needs at least one run")
    refuse_foreign(instance, runs)
    labels = [label_of(run, runs) for run in runs]
    grids = [_emission_grids(instance, ledger, own) for ledger in ledgers] or [[] for _ in runs]
    views = [
        run_view(instance, run, label=label, key=f"run{i}", emissions=grids[i - 1])
        for i, (run, label) in enumerate(zip(runs, labels, strict=True), 1)
    ]
    periods = ", ".join(f"{period.year}–{period.year + period.years - 1}" for period in instance.periods)
    return ENVIRONMENT.get_template("report.html.j2").render(
        meta=instance.meta,
        periods=periods,
        runs=views,
        studies=studies,
        comparison=comparison_grid(instance, runs, [view.figures for view in views], labels) if len(runs) > 1 else None,
        method=method(instance),
        factor_card=factor_card(instance, tuple(runs)),
        assumption_counts=assumption_counts(instance),
        assumption_rows=assumption_rows(instance),
        ranges=range_grid(instance),
        sources=source_rows(instance),
        outlines_source=read_outlines().source,
        version=runs[0].record.get("versions", {}).get("nbb_opt", ""),
    )


def run_view(instance: Instance, run: Run, *, label: str, key: str, emissions: list[Grid]) -> RunView:
    """Work out what the template shows of a run. `key` is the prefix of every id."""
    figures = key_figures(instance, run)
    plausible_text, plausible_grid = plausibility(instance, run)
    projects = project_grid(instance, run)
    maps = draw_maps(instance, run, key)
    return RunView(
        key=key,
        label=label,
        compared=bool(run.against),
        figures=figures,
        answer=[*filter(None, [what_if_line(run)]), *answer(instance, run, figures)],
        sentences=sentences(instance, run, figures) if run.against else [],
        tiles=tiles(instance, run, figures),
        proof=proof(run, figures),
        bars=bars_grid(instance, run, figures),
        from_to=from_to_grid(instance, run),
        front=front_grid(instance, run),
        front_picture=draw_front(instance, run, key=f"{key}-front"),
        by_period=period_grid(instance, run, figures),
        plausible_text=plausible_text,
        plausible_grid=plausible_grid,
        built=[
            (int(row[0] or 0), str(row[1]), f"{row[3]}, {row[4]}, {meur(float(row[6] or 0) * 1e6, 1)}")
            for row in projects.rows
        ],
        charts=all_figures(instance, run, figures, key=key),
        decisions=[
            projects,
            shift_grid(instance, run),
            vehicle_grid(instance, run),
            *([fuel_grid(instance, run)] if len(run.tables["fuels"]) else []),
            charger_grid(instance, run),
            port_grid(instance, run),
            *sourcing_grids(instance, run.tables),
        ],
        limits=[
            *what_if_grids(run),
            full_grid(instance, run),
            policy_grid(instance, run),
            *(own_grids(run) if "extension" in run.record else ()),
        ],
        inventory=inventory_sections(inventory_of(instance, run), key=f"{key}-load", base=f"{key}-map-big")[:2],
        emissions=[*emissions, *outside_grids(instance)],
        computed=computed(run),
        **maps,
    )


def _emission_grids(instance: Instance, ledger: Ledger, own: Registry | None) -> list[Grid]:
    """What is split or apart: shippers if there are several, and the making of trucks if figures are given."""
    several = ledger.elements["shipper"].nunique() > 1
    return [
        *([shipper_grid(ledger)] if several else []),
        *([making_grid(instance, ledger)] if len(ledger.making) else []),
        *([own_grid(instance, ledger, own)] if own is not None else []),
    ]


def changes(instance: Instance, run: Run) -> tuple[str, list[tuple[str, pd.Series]]]:
    """What a plan carries differently: a title, and by period a label and tonnes a year by link.

    A plan that is compared with nothing is compared with its own first period.
    """
    first, *later = (period.year for period in instance.periods)
    last = later[-1] if later else first
    if run.against:
        by_year = [(f"{year}", link_difference(run.baseline, run.tables, year)) for year in (first, *later)]
        return f"What the plan changes against the {run.against} plan in {last}", by_year
    tables = run.tables
    since = [(f"{year} against {first}", link_difference(tables, tables, year, first)) for year in later]
    return f"What changes from {first} to {last}", since


def draw_maps(instance: Instance, run: Run, key: str) -> dict[str, Any]:
    """The map of the last period with its legend; the map of what the plan changes then, and small ones by period."""
    years = [period.year for period in instance.periods]
    tonnes = {year: drawn_tonnes(instance, run.tables, year) for year in years}
    change_title, shown = changes(instance, run)
    drawn = {str(link) for used in (*tonnes.values(), *(change for _, change in shown)) for link in used.index}
    frame = make_frame(instance, drawn, width=MAP_WIDTH_PX)
    most_t = max([float(used.max()) for used in tonnes.values() if len(used)], default=0.0)
    greatest_t = max([float(change.abs().max()) for _, change in shown if len(change)], default=0.0)
    numbered = [(i, str(row.project)) for i, row in enumerate(projects_in_order(instance, run), start=1)]
    base = f"{key}-map-big"
    small = [
        (label, draw_small_difference(
            instance, frame, change, label=label, most_t=greatest_t, key=f"{key}-map-{i}", base=base
        ))
        for i, (label, change) in enumerate(shown)
    ]  # fmt: skip
    return {
        "map_year": years[-1],
        "has_coast": frame.has_coast,
        "big_map": draw_map(
            instance, frame, run.tables, year=years[-1], projects=numbered, most_t=most_t, key=base
        ),
        "legend": draw_legend(most_t, key=f"{key}-legend"),
        "change_title": change_title,
        "change_map": draw_difference(
            instance, shown[-1][1], year=years[-1], key=f"{key}-map-change", frame=frame, base=base
        ) if shown else None,
        "small_maps": small if len(small) > 1 else [],
    }  # fmt: skip


def projects_in_order(instance: Instance, run: Run) -> list[Any]:
    """Give the projects built in the order of their numbers."""
    from nbb_opt.report.kpis import projects_built

    return list(each(projects_built(instance, run.tables)))
