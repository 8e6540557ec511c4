"""An instance as a workbook that a person fills in: drop-downs, units, comments, and no cell that is a formula."""

from __future__ import annotations

import csv
import datetime
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import xlsxwriter
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.read import Instance, open_od
from nbb_opt.instance.schema import BY_NAME, TABLES, Column, Table
from nbb_opt.instance.wording import column_letters, number
from nbb_opt.instance.workbook.sheets import (
    FIRST_ROW,
    HEADER_ROW,
    MOST_OD_ROWS,
    PERIODS,
    README,
    SETTING_KEYS,
    SETTINGS,
    UNIT_ROW,
    comment,
    readme_lines,
    unit_text,
)
from nbb_opt.output import appearing

SPARE_ROWS = 500  # rows under the data that have drop-downs too
MOST_CHARACTERS = 32_767  # of a cell
_TEXTS = ("id", "text", "choice", "ref", "refs", "choices")
_OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}
_CREATED = datetime.datetime(2000, 1, 1)  # the same instance gives the same file


def write_workbook(instance: Instance, path: Path | str) -> Path:
    """Writes an instance as an .xlsx workbook that `read_instance` reads back with the same digest.

    The file is written whole or not at all; one that is there is replaced. Raises InstanceError if the demand has more
    rows than a sheet is to hold, or a text is longer than a cell can be.
    """
    path = Path(path)
    if path.suffix != ".xlsx":
        raise InstanceError([Problem(str(path), "is not named .xlsx", "name the workbook so", "workbook")])
    flows = _flows(instance)
    return _whole(path, instance.meta.title, lambda writer: writer.write(instance, flows))


def write_sheet(frame: pd.DataFrame, table: Table, path: Path) -> Path:
    """Writes one table as the only sheet of a workbook, with units, drop-downs and comments; whole or not at all."""
    rows = list(zip(*(frame[column.name].tolist() for column in table.columns), strict=True))
    return _whole(path, table.name, lambda writer: writer.table(table, rows, "#1F4E79"))


def _whole(path: Path, title: str, fill: Callable[[_Writer], None]) -> Path:
    with appearing(path) as work, xlsxwriter.Workbook(str(work), _OPTIONS) as book:
        book.set_properties({"title": title[:255], "created": _CREATED})
        fill(_Writer(book))
    return path


def _flows(instance: Instance) -> list[tuple[Any, ...]]:
    """Rows of the demand file: names, year and tonnes."""
    names = [column.name for column in BY_NAME["od"].columns]
    with open_od(instance) as stream:
        if instance.od_path.suffix == ".parquet":
            with pq.ParquetFile(stream, page_checksum_verification=True) as file:
                _refuse_large(instance, file.metadata.num_rows)
                given = [name for name in names if name in file.schema_arrow.names]
                columns = file.read(columns=given).to_pydict()
                blank = [""] * file.metadata.num_rows
            return [
                tuple("" if cell is None else cell for cell in row)
                for row in zip(*(columns.get(name, blank) for name in names), strict=True)
            ]
        reader = csv.DictReader(io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""))
        rows = []
        for row in reader:
            rows.append(
                (*(row[name] for name in names[:3]), int(row["year"]), row.get("shipper", ""), float(row["tonnes"]))
            )
            _refuse_large(instance, len(rows))
        return rows


def _refuse_large(instance: Instance, rows: int) -> None:
    if rows > MOST_OD_ROWS:
        what = f"has more than {MOST_OD_ROWS} rows, the most a workbook holds"
        hint = "keep the instance as a folder, or add up flows first"
        raise InstanceError([Problem(instance.od_path.name, what, hint, "size")])


class _Writer:
    def __init__(self, book: Workbook) -> None:
        self.book = book
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.bold = book.add_format({"bold": True})
        self.wrap = book.add_format({"text_wrap": True, "valign": "top"})
        self.head = book.add_format({"bold": True, "bg_color": "#DCE6F1", "bottom": 1})
        self.key = book.add_format({"bold": True, "bg_color": "#B8CCE4", "bottom": 1})
        self.unit = book.add_format({"italic": True, "font_color": "#555555", "bg_color": "#F2F2F2", "bottom": 1})
        self.text = book.add_format({"num_format": "@"})
        self.plain = book.add_format({})

    def write(self, instance: Instance, flows: list[tuple[Any, ...]]) -> None:
        self._readme(instance)
        meta = vars(instance.meta)
        settings = [(key, meta[key], meaning) for key, meaning in SETTING_KEYS.items()]
        self.table(SETTINGS, settings, "#7F7F7F")
        self.table(PERIODS, [(period.year, period.years) for period in instance.periods], "#7F7F7F")
        for table in TABLES:
            if table.name == "od":
                self.table(table, flows, "#1F4E79")
                continue
            frame = instance[table.name]
            rows = list(zip(*(frame[column.name].tolist() for column in table.columns), strict=True))
            self.table(table, rows, "#BDD7EE" if table.optional else "#1F4E79")

    def _readme(self, instance: Instance) -> None:
        sheet = self.book.add_worksheet(README)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 110)
        sheet.hide_gridlines(2)
        formats = {"title": self.title, "bold": self.bold, "": self.wrap}
        for i, (style, left, right) in enumerate(readme_lines(instance.meta.title, instance.meta.description)):
            for column, words in ((0, left), (1, right)):
                if words:
                    self._string(sheet, i, column, words, formats[style] if column == 0 or not left else self.wrap)

    def table(self, table: Table, rows: list[tuple[Any, ...]], colour: str) -> None:
        sheet = self.book.add_worksheet(table.name)
        sheet.set_tab_color(colour)
        sheet.freeze_panes(FIRST_ROW, len(table.key) if len(table.columns) > 3 else 0)
        last = FIRST_ROW + len(rows) - 1 + (SPARE_ROWS if table is not SETTINGS else 0)
        for i, column in enumerate(table.columns):
            shown = [str(row[i]) for row in rows[:200]]
            width = max(len(column.name), len(unit_text(column)), *(len(text) for text in shown), 6) + 2
            sheet.set_column(i, i, min(width, 45), self.text if column.kind in _TEXTS else self.plain)
            self._string(sheet, HEADER_ROW, i, column.name, self.key if column.name in table.key else self.head)
            self._string(sheet, UNIT_ROW, i, unit_text(column), self.unit)
            size = {"x_scale": 2.2, "y_scale": 1.6, "author": ""}
            sheet.write_comment(HEADER_ROW, i, comment(table, column), size)
            rule = _validation(column)
            if rule is not None and last >= FIRST_ROW:
                code = sheet.data_validation(FIRST_ROW, i, last, i, rule)
                assert code == 0, f"{table.name}.{column.name}: no drop-down ({code})"
        for line, row in enumerate(rows, start=FIRST_ROW):
            for i, (value, column) in enumerate(zip(row, table.columns, strict=True)):
                self._cell(sheet, line, i, value, column)
        if rows:
            letters = column_letters(len(table.columns) - 1)
            sheet.ignore_errors({"number_stored_as_text": f"A{FIRST_ROW + 1}:{letters}{FIRST_ROW + len(rows)}"})

    def _cell(self, sheet: Worksheet, row: int, column_index: int, value: Any, column: Column) -> None:
        if column.kind == "bool":
            sheet.write_boolean(row, column_index, bool(value), self.plain)
        elif isinstance(value, str):
            if value:
                self._string(sheet, row, column_index, value, self.text)
        elif not math.isnan(value):
            exact = float(f"{float(value):.15g}") == float(value)  # of more digits spreadsheets keep 15
            if exact:
                sheet.write_number(row, column_index, float(value), self.plain)
            else:
                self._string(sheet, row, column_index, repr(float(value)), self.text)

    def _string(self, sheet: Worksheet, row: int, column: int, words: str, style: Any) -> None:
        if len(words) > MOST_CHARACTERS:
            what = f"is {len(words)} characters long; a cell holds {MOST_CHARACTERS}"
            where = f"{sheet.get_name()}!{column_letters(column)}{row + 1}"
            raise InstanceError([Problem(where, what, "shorten it", "length")])
        code = sheet.write_string(row, column, words, style)
        assert code == 0, f"row {row} column {column} was not written ({code})"


def _validation(column: Column) -> dict[str, Any] | None:
    """What may be chosen or typed in a column: a drop-down or bounds; None where any text may stand."""
    rule: dict[str, Any] = {"ignore_blank": True, "error_title": "Not allowed here"}
    if column.kind == "choice":
        return rule | _drop_down(list(column.options), f"One of: {', '.join(column.options)}.")
    if column.kind == "bool":
        return rule | _drop_down(["TRUE", "FALSE"], "TRUE or FALSE.")
    if column.kind == "ref":
        return rule | _drop_down(_names_of(column.target), f"Choose a name from the sheet {_sheet(column.target)}.")
    if column.low is not None and column.high is not None:
        words = f"A number from {number(column.low)} to {number(column.high)}"
        words += f", in {column.unit}." if column.unit else "."
        kind = "decimal" if column.kind == "number" else "integer"
        bounds = {"criteria": "between", "minimum": column.low, "maximum": column.high, "error_message": words[:255]}
        return rule | {"validate": kind} | bounds
    return None


def _drop_down(source: list[str] | str, words: str) -> dict[str, Any]:
    return {"validate": "list", "source": source, "error_message": words[:255]}


def _sheet(target: str) -> str:
    return target.partition(".")[0]


def _names_of(target: str) -> str:
    """The cells of another sheet that hold names, however many rows are filled in."""
    table, _, column = target.partition(".")
    place = [c.name for c in BY_NAME[table].columns].index(column)
    letters = column_letters(place)
    first = f"'{table}'!${letters}${FIRST_ROW + 1}"
    return f"=OFFSET({first},0,0,MAX(1,COUNTA('{table}'!${letters}:${letters})-{FIRST_ROW}),1)"
