"""A workbook of the tiny instance, laid out by hand from its CSV files, that tests change before it is written."""

from __future__ import annotations

import csv
import datetime
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xlsxwriter

from instance_copies import TINY
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.instance.tables.xlsx_file import cell_place
from nbb_opt.instance.workbook.sheets import PERIODS, SETTINGS, unit_text


@dataclass(frozen=True)
class Formula:
    """A formula and the value it last had."""

    text: str
    value: object = 0


@dataclass(frozen=True)
class Pattern:
    """A value shown with a number format."""

    value: object
    pattern: str


@dataclass
class Draft:
    """Sheets as rows of cells; `after` is done to a sheet once its cells are written, `parts` to the XML of a part."""

    sheets: dict[str, list[list[Any]]]
    after: list[tuple[str, Callable[[Any], object]]] = field(default_factory=list)
    parts: list[tuple[str, Callable[[bytes], bytes]]] = field(default_factory=list)

    def put(self, cell: str, value: object) -> None:
        sheet, _, reference = cell.partition("!")
        place = cell_place(reference)
        assert place is not None
        rows = self.sheets[sheet]
        while len(rows) <= place[0]:
            rows.append([])
        row = rows[place[0]]
        row.extend([None] * (place[1] + 1 - len(row)))
        row[place[1]] = value

    def save(self, path: Path) -> Path:
        with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
            for name, rows in self.sheets.items():
                sheet = book.add_worksheet(name)
                for i, row in enumerate(rows):
                    for j, value in enumerate(row):
                        _write(book, sheet, i, j, value)
                for other, change in self.after:
                    if other == name:
                        change(sheet)
        if self.parts:
            _edit(path, self.parts)
        return path

    def part_of(self, sheet: str) -> str:
        return f"xl/worksheets/sheet{list(self.sheets).index(sheet) + 1}.xml"


def _write(book: Any, sheet: Any, row: int, column: int, value: object) -> None:
    if isinstance(value, Formula):
        sheet.write_formula(row, column, value.text, None, value.value)
    elif isinstance(value, Pattern):
        sheet.write(row, column, value.value, book.add_format({"num_format": value.pattern}))
    elif isinstance(value, datetime.date):
        sheet.write_datetime(row, column, value, book.add_format({"num_format": "yyyy-mm-dd"}))
    elif isinstance(value, str):
        sheet.write_string(row, column, value)
    elif value is not None:
        sheet.write(row, column, value)


def _edit(path: Path, changes: list[tuple[str, Callable[[bytes], bytes]]]) -> None:
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    for part, change in changes:
        before = content.get(part, b"")
        content[part] = change(before)
        assert content[part] != before, part
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def draft_of_tiny() -> Draft:
    """Every sheet of a workbook of tiny, tables left out by tiny left out here too."""
    sheets: dict[str, list[list[Any]]] = {"README": [["tiny"]]}
    keys = tomllib.loads((TINY / "instance.toml").read_text(encoding="utf-8"))
    chains, periods = keys.pop("chains"), keys.pop("periods")
    sheets["settings"] = [["key", "value", "meaning"], [unit_text(column) for column in SETTINGS.columns]]
    sheets["settings"] += [[key, value, None] for key, value in (keys | chains).items()]
    sheets["periods"] = [["year", "years"], [unit_text(column) for column in PERIODS.columns]]
    sheets["periods"] += [[period["year"], period["years"]] for period in periods]
    for name, table in BY_NAME.items():
        path = TINY / f"{name}.csv"
        if not path.exists():
            continue
        with open(path, encoding="utf-8", newline="") as stream:
            header, *rows = list(csv.reader(stream))
        columns = {column.name: column for column in table.columns}
        kinds = [columns[column].kind for column in header]
        sheets[name] = [header, [unit_text(columns[column]) for column in header]]
        sheets[name] += [[_value(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in rows]
    return Draft(sheets)


def _value(cell: str, kind: str) -> object:
    if not cell:
        return None
    if kind == "bool":
        return cell == "true"
    return float(cell) if kind in ("number", "integer", "year") else cell
