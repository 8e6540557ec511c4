"""The workbook: the report's tables and every result table, one sheet each; no cell is ever a formula or a link."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from nbb_opt.emissions.factors import Registry
from nbb_opt.emissions.ledger import Ledger
from nbb_opt.instance import Instance
from nbb_opt.output import COMMENT, write_file
from nbb_opt.report.basis import (
    assumption_counts,
    assumption_rows,
    category_grid,
    computed,
    factor_card,
    making_grid,
    method,
    own_grid,
    range_grid,
    reconciliation_grid,
    shipper_grid,
    source_rows,
    trace_grid,
)
from nbb_opt.report.decisions import (
    charger_grid,
    charging_grid,
    flow_grid,
    fuel_grid,
    full_grid,
    policy_grid,
    project_grid,
    shift_grid,
    vehicle_grid,
)
from nbb_opt.report.figures import all_figures
from nbb_opt.report.grid import Column, Grid
from nbb_opt.report.headline import answer, bars_grid, period_grid, sentences, tiles
from nbb_opt.report.inventory import inventory_of
from nbb_opt.report.inventory_view import bottleneck_grid, country_grid, object_grid
from nbb_opt.report.kpis import key_figures
from nbb_opt.report.own_rules import own_grids
from nbb_opt.report.page import comparison_grid, label_of, refuse_foreign
from nbb_opt.report.sourcing import sourcing_grids
from nbb_opt.report.what_if import what_if_grids
from nbb_opt.result import TABLES, Run

CHART_ROWS = 17  # that a chart takes on its sheet
MOST_ROWS = 1_048_575  # of a sheet, without the heading
MOST_CHARACTERS = 32_767  # of a cell
SUFFIX_UNITS = {
    "_eur": "EUR",
    "_km": "km",
    "_kg": "kg CO2e a year",
    "_vkm": "vehicle-km a year",
    "_h": "h",
    "_t": "t a year",
}
UNITS = {"tonnes": "t a year", "kwh": "kWh a year"}
FORMATS = {
    "count": "#,##0",
    "meur": "#,##0.00",
    "kt": "#,##0.0",
    "decimal": "#,##0.00",
    "percent": "0.0%",
    "year": "0",
    "exponent": "0.0E+00",
}


def write_workbook(
    instance: Instance, runs: Sequence[Run], path: Path, *, ledgers: Sequence[Ledger] = (), own: Registry | None = None
) -> None:
    """Write the workbook of one run, or of several side by side, to `path`."""
    write_file(path, workbook_bytes(instance, runs, ledgers=ledgers, own=own))


def workbook_bytes(
    instance: Instance, runs: Sequence[Run], *, ledgers: Sequence[Ledger] = (), own: Registry | None = None
) -> bytes:
    """The report's tables and all result tables of one or several runs as an .xlsx file.

    With several runs each sheet of result tables has a first column that names the run. With the `ledgers` of the runs
    there are sheets of their operation categories, of shippers, of the making of trucks and of the reconciliation.
    """
    if not runs:
        raise ValueError("a workbook needs at least one run")
    refuse_foreign(instance, runs)
    rows = sum(len(table) for run in runs for table in run.tables.values())
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
        "constant_memory": rows > 50_000,
        "in_memory": rows <= 50_000,
    }
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"title": f"{instance.meta.title}: transport plan"[:255], "comments": COMMENT})
        _Sheets(book, instance, runs, ledgers, own).write()
    return file.getvalue()


class _Sheets:
    def __init__(
        self, book: Workbook, instance: Instance, runs: Sequence[Run], ledgers: Sequence[Ledger], own: Registry | None
    ) -> None:
        self.ledgers, self.own = ledgers, own
        self.book, self.instance, self.runs = book, instance, runs
        self.labels = [label_of(run, runs) for run in runs]
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.head = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#EEF1F4"}
        )
        self.bold = book.add_format({"bold": True})
        self.wrap = book.add_format({"text_wrap": True, "valign": "top"})
        self.plain = book.add_format({})
        self.formats = {style: book.add_format({"num_format": code}) for style, code in FORMATS.items()}
        self.formats["number"] = book.add_format({"num_format": "#,##0.###"})

    def write(self) -> None:
        """Write every sheet."""
        instance, runs = self.instance, self.runs
        figures = [key_figures(instance, run) for run in runs]
        self._headline(figures)
        self._charts(figures)
        if len(runs) > 1:
            self._grid(comparison_grid(instance, runs, figures, self.labels))
        makers = (
            project_grid,
            shift_grid,
            flow_grid,
            vehicle_grid,
            charger_grid,
            charging_grid,
            full_grid,
            policy_grid,
        )
        for make in makers:
            self._grids([make(instance, run) for run in runs])
        found = [inventory_of(instance, run) for run in runs]
        for of in (bottleneck_grid, country_grid, object_grid):
            self._grids([of(each) for each in found])
        if any(len(run.tables["fuels"]) for run in runs):
            self._grids([fuel_grid(instance, run) for run in runs])
        sourced = [run for run in runs if len(run.tables["supplied"])]
        for grids in zip(*(sourcing_grids(instance, run.tables) for run in sourced), strict=True):
            self._grids(grids)
        if any("what_if" in run.record for run in runs):
            self._grids([grid for run in runs for grid in what_if_grids(run)])
        if any("extension" in run.record for run in runs):
            for own in zip(*(own_grids(run) for run in runs), strict=True):
                self._grids(own)
        self._grid(factor_card(instance, tuple(runs)))
        self._grids([trace_grid(instance, run) for run in runs])
        if self.ledgers:
            self._grids([category_grid(ledger) for ledger in self.ledgers])
            self._grids([shipper_grid(ledger) for ledger in self.ledgers])
            self._grids([making_grid(instance, ledger) for ledger in self.ledgers])
            if self.own is not None:
                self._grids([own_grid(instance, ledger, self.own) for ledger in self.ledgers])
            pairs = zip(runs, self.ledgers, strict=True)
            self._grids([reconciliation_grid(instance, run, ledger) for run, ledger in pairs])
        self._readme()
        self._grid(assumption_counts(instance))
        self._grid(assumption_rows(instance))
        self._grid(range_grid(instance))
        sources = [[s["source"], s["title"], s["licence"], s["year"], s["url"]] for s in source_rows(instance)]
        columns = [Column(name) for name in ("Source", "Title", "Licence", "Year", "Address")]
        self._grid(Grid("Sources", columns, sources, name="Sources"))
        plans = [used_only(run.tables) for run in runs]
        for name in TABLES:
            self._result_table(name, plans, name)
        compared = [used_only(run.baseline) if run.against else {} for run in runs]
        for name in ("flows", "chains", "fleet", "costs", "emissions"):
            if any(compared):
                self._result_table(name, compared, f"{name}_baseline")

    def _sheet(self, name: str) -> Worksheet:
        """A sheet that prints on A4, as many pages long as it has to be, with its heading on each."""
        sheet = self.book.add_worksheet(name)
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sheet.set_footer("&L&A&RPage &P of &N")
        return sheet

    def _charts(self, figures: Sequence[dict[str, Any]]) -> None:
        """The charts of the report by period as charts of the workbook, each with its figures below."""
        sheet = self._sheet("Charts")
        sheet.set_column(0, 20, 14)
        line = 0
        for run, label, found in zip(self.runs, self.labels, figures, strict=True):
            drawn = {figure.name: figure for figure in all_figures(self.instance, run, found, key="workbook")}
            for figure in (drawn[name] for name in ("modes", "emissions", "fleet", "costs")):
                grid = figure.grid
                self._text(sheet, line, 0, f"{figure.heading}: {label}", self.title)
                last = self._rows(sheet, grid, line + 1 + CHART_ROWS)
                chart = self.book.add_chart({"type": "column", "subtype": "stacked"})
                first = last - len(grid.rows) + 1
                for i, column in enumerate(grid.columns[2:-1], start=2):  # after period and plan, before the total
                    chart.add_series({
                        "name": column.title, "categories": ["Charts", first, 0, last, 1],
                        "values": ["Charts", first, i, last, i], "gap": 40,
                    })  # fmt: skip
                chart.set_y_axis({"name": grid.columns[-1].unit, "major_gridlines": {"visible": True}})
                chart.set_legend({"position": "right"})
                chart.set_size({"width": 900, "height": 20 * CHART_ROWS - 10})
                sheet.insert_chart(line + 1, 0, chart, {"description": figure.help})
                line = last + 3

    def _readme(self) -> None:
        sheet = self._sheet("README")
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 110)
        meta = self.instance.meta
        lines: list[tuple[str, str]] = [
            (meta.title, ""),
            ("", meta.description),
            ("Instance", f"{meta.name} {meta.version}"),
            (
                "Sheets",
                "Headline, charts and the tables of the report first; then one sheet per result table, with units.",
            ),
            ("", "Chains that carry nothing are left out here, with their steps and lanes; tables/*.parquet has them."),
            ("", "Sheets that end in _baseline hold the same tables of the plan that it is compared with."),
            *method(self.instance),
        ]
        for run, label in zip(self.runs, self.labels, strict=True):
            lines += [("", ""), ("Plan", label), *computed(run)]
        for i, (name, value) in enumerate(lines):
            self._text(sheet, i, 0, name, self.title if i == 0 else self.bold)
            self._text(sheet, i, 1, value, self.wrap)

    def _headline(self, figures: Sequence[dict[str, Any]]) -> None:
        sheet = self._sheet("Headline")
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, 8, 22)
        line = 0
        for run, label, found in zip(self.runs, self.labels, figures, strict=True):
            self._text(sheet, line, 0, f"Plan: {label}", self.title)
            line += 1
            more = sentences(self.instance, run, found) if run.against else []
            for said in [*answer(self.instance, run, found), *more]:
                self._text(sheet, line, 0, said, self.plain)
                line += 1
            line += 1
            for tile in tiles(self.instance, run, found):
                self._text(sheet, line, 0, tile.label, self.bold)
                self._text(sheet, line, 1, tile.figure, self.plain)
                self._text(sheet, line, 2, tile.note, self.plain)
                line += 1
            line = self._rows(sheet, bars_grid(self.instance, run, found), line + 1)
            line = self._rows(sheet, period_grid(self.instance, run, found), line + 1) + 2

    def _grids(self, grids: Sequence[Grid]) -> None:
        if len(grids) == 1:
            self._grid(grids[0])
            return
        rows = [[label, *row] for grid, label in zip(grids, self.labels, strict=True) for row in grid.rows]
        self._grid(Grid(grids[0].caption, [Column("Plan of the run"), *grids[0].columns], rows, name=grids[0].name))

    def _grid(self, grid: Grid) -> None:
        sheet = self._sheet(grid.name)
        for i, column in enumerate(grid.columns):
            widest = max((len(str(row[i])) for row in grid.rows if isinstance(row[i], str)), default=0)
            sheet.set_column(i, i, min(max(widest + 2, 12, len(column.heading) * 0.7), 60))
        self._rows(sheet, grid, 0)
        sheet.freeze_panes(1, 0)
        if grid.rows:
            sheet.autofilter(0, 0, len(grid.rows), len(grid.columns) - 1)

    def _rows(self, sheet: Worksheet, grid: Grid, line: int) -> int:
        for i, column in enumerate(grid.columns):
            self._text(sheet, line, i, column.heading, self.head)
        for row in grid.rows:
            line += 1
            for i, (cell, column) in enumerate(zip(row, grid.columns, strict=True)):
                if cell is None:
                    continue
                if isinstance(cell, str):
                    self._text(sheet, line, i, cell, self.plain)
                else:
                    self._number(sheet, line, i, float(cell), self.formats.get(column.style, self.plain))
        return line

    def _result_table(self, name: str, tables: Sequence[Mapping[str, pd.DataFrame]], title: str) -> None:
        several = len(self.runs) > 1
        parts = [(label, held[name]) for label, held in zip(self.labels, tables, strict=True) if name in held]
        whole = pd.concat([frame.assign(run=label) if several else frame for label, frame in parts], ignore_index=True)
        columns = [*(["run"] if several else []), *TABLES[name]]
        for part, first in enumerate(range(0, max(len(whole), 1), MOST_ROWS)):
            sheet = self._sheet(title if part == 0 else f"{title}_{part + 1}")
            self._frame(sheet, whole.iloc[first : first + MOST_ROWS][columns], TABLES[name])

    def _frame(self, sheet: Worksheet, frame: pd.DataFrame, dtypes: Mapping[str, str]) -> None:
        for i, column in enumerate(frame.columns):
            self._text(sheet, 0, i, heading(column), self.head)
            sheet.set_column(i, i, 16 if dtypes.get(column, "str") != "str" else 26)
        styles = [self.formats["year" if dtypes.get(column) == "int64" else "number"] for column in frame.columns]
        for line, row in enumerate(frame.itertuples(index=False), start=1):
            for i, (cell, style) in enumerate(zip(row, styles, strict=True)):
                if isinstance(cell, str):
                    self._text(sheet, line, i, cell, self.plain)
                else:
                    self._number(sheet, line, i, float(cell), style)
        sheet.freeze_panes(1, 0)
        if len(frame):
            sheet.autofilter(0, 0, len(frame), len(frame.columns) - 1)

    def _text(self, sheet: Worksheet, row: int, column: int, words: str, style: Format) -> None:
        if words:
            sheet.write_string(row, column, words[:MOST_CHARACTERS], style)

    def _number(self, sheet: Worksheet, row: int, column: int, value: float, style: Format) -> None:
        if math.isfinite(value):
            sheet.write_number(row, column, value, style)
        elif math.isinf(value):
            sheet.write_string(row, column, "unlimited")


def used_only(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Leave out the chains that carry nothing, their steps, and the lanes that only they use."""
    chains = tables["chains"][tables["chains"]["chain"].isin(tables["flows"]["chain"])]
    steps = tables["chain_steps"][tables["chain_steps"]["chain"].isin(chains["chain"])]
    lanes = tables["lanes"][tables["lanes"]["lane"].isin(steps["lane"])]
    links = tables["lane_links"][tables["lane_links"]["lane"].isin(lanes["lane"])]
    return {**tables, "chains": chains, "chain_steps": steps, "lanes": lanes, "lane_links": links}


def heading(column: str) -> str:
    """Give the heading of a result column with its unit.

    >>> heading("amount_eur"), heading("tonnes"), heading("link")
    ('amount_eur (EUR)', 'tonnes (t a year)', 'link')
    """
    unit = UNITS.get(column) or next((unit for suffix, unit in SUFFIX_UNITS.items() if column.endswith(suffix)), "")
    return f"{column} ({unit})" if unit else column
