"""A workbook as an instance: sheets become tables of text, which the same code checks as it does CSV.

What a plain table cannot say (formulas, dates, merged cells, what is hidden, text beside or under a table) is refused
with the cell it stands in. Nothing is imported unless every sheet is free of faults.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import CellFaults, parse_column
from nbb_opt.instance.meta import FILE, Meta, Period, check_meta
from nbb_opt.instance.package import Package, Sheet
from nbb_opt.instance.schema import META_KEYS, Column, Table
from nbb_opt.instance.tables.csv_file import header_problems
from nbb_opt.instance.tables.xlsx_file import Cells, SheetCell, cell_place, read_book
from nbb_opt.instance.wording import TableFile, column_letters, did_you_mean, listed, shown
from nbb_opt.instance.workbook.sheets import (
    CHAIN_KEYS,
    FIRST_ROW,
    HEADER_ROW,
    MOST_OD_ROWS,
    PERIODS,
    README,
    SETTINGS,
    SHEET_NAMES,
    SHEETS,
    UNIT_ROW,
    WHOLE_SETTINGS,
    unit_text,
)
from nbb_opt.renames import HOW, is_now

_WHOLE = re.compile("-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_PLACE = re.compile(rf"{re.escape(FILE)}, (?:key (?:chains\.)?(\w+)|periods entry (\d+), key (\w+))(, value .*)?", re.S)


def read_settings(sheets: Mapping[str, Sheet], problems: list[Problem]) -> tuple[Meta | None, tuple[Period, ...]]:
    """Meta and periods as `read_meta` gives them, problems named by cell; None where a sheet is at fault."""
    before = len(problems)
    rows = _settings(sheets.get(SETTINGS.name), problems)
    years = _periods(sheets.get(PERIODS.name), problems)
    if rows is None or years is None or len(problems) > before:
        return None, ()
    keys: dict[str, Any] = {key: _typed(key, value) for key, (_, value) in rows.items() if key not in CHAIN_KEYS}
    keys["chains"] = {key: _typed(key, value) for key, (_, value) in rows.items() if key in CHAIN_KEYS}
    keys["periods"] = [{"year": year, "years": length} for year, length in years]
    found: list[Problem] = []
    meta, periods = check_meta(keys, found)
    files = {name: sheets[name].file for name in (SETTINGS.name, PERIODS.name)}
    problems.extend(_in_sheet(problem, {key: index for key, (index, _) in rows.items()}, files) for problem in found)
    return meta, periods


def _settings(sheet: Sheet | None, problems: list[Problem]) -> dict[str, tuple[int, str]] | None:
    """Row index and value of every key."""
    if sheet is None or sheet.cells is None or sheet.unusable or sheet.told:
        return None
    rows: dict[str, tuple[int, str]] = {}
    for i, (key, value) in enumerate(zip(sheet.cells["key"], sheet.cells["value"], strict=True)):
        if not key:
            problems.append(
                Problem(sheet.file.place(i, "key"), "is blank", "write the key, or delete the row", "blank")
            )
        elif key in rows:
            what = f"has the same key as row {sheet.file.row(rows[key][0])}"
            problems.append(Problem(sheet.file.place(i, "key", key), what, "remove one of the two", "duplicate_key"))
        elif not value and key in META_KEYS | CHAIN_KEYS:
            problems.append(Problem(sheet.file.place(i, "value"), "is blank", f"give {key}", "blank"))
        rows.setdefault(key, (i, value))
    return rows


def _periods(sheet: Sheet | None, problems: list[Problem]) -> list[tuple[int, int]] | None:
    if sheet is None or sheet.cells is None or sheet.unusable or sheet.told:
        return None
    faults = CellFaults(sheet.file, problems)
    year, years = (parse_column(sheet.cells[column.name], column, faults) for column in PERIODS.columns)
    faults.count_the_rest()
    return None if faults.rows else [(int(first), int(length)) for first, length in zip(year, years, strict=True)]


def _typed(key: str, value: str) -> Any:
    """A value as TOML would give it; one that does not fit stays a text, which the check then names."""
    if key in WHOLE_SETTINGS and _WHOLE.fullmatch(value):
        return int(value)
    if key == "discount_rate" and _NUMBER.fullmatch(value):
        return float(value)
    return value


def _in_sheet(problem: Problem, rows: Mapping[str, int], files: Mapping[str, TableFile]) -> Problem:
    """The problem with its place in the workbook instead of the one in `instance.toml`."""
    match = _PLACE.fullmatch(problem.where)
    if match is None:
        return problem
    key, entry, part, value = match.groups()
    if entry:
        where = files[PERIODS.name].place(int(entry) - 1, part)
    elif key in rows:
        unknown = problem.rule == "meta_key"
        where = files[SETTINGS.name].place(rows[key], "key" if unknown else "value", key if unknown else None)
    elif key == "periods":
        where = PERIODS.name
    else:
        where = f"sheet '{SETTINGS.name}', key {key}"
    return dataclasses.replace(problem, where=where + (value or ""))


_OTHER_SPREADSHEETS = (".xls", ".xlsm", ".xlsb", ".xltx", ".xltm", ".ods", ".fods", ".numbers")
_TOLD_IN_FULL = 50
_LONGEST_GAP = 20  # rows
MOST_LIST_ROWS = 400_000  # more cells than a workbook is trusted to hold
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')  # what a number format shows as it is
_AS_TEXT = "format the cell as Text"
_TEXTS = ("id", "text", "choice", "ref", "refs", "choices")


def is_spreadsheet(path: Path) -> bool:
    """Whether a path is to be read as a workbook: an existing file whose name says so."""
    return path.suffix.lower() in (".xlsx", *_OTHER_SPREADSHEETS) and path.is_file()


def open_workbook(path: Path, *, note: Callable[[str, str], None] | None = None) -> Package:
    """The sheets of a workbook and every problem with their cells that is not one of values.

    With `note` sheets may be without a row of units; it gets the name of such a sheet and what was assumed.

    Raises InstanceError if the file is no .xlsx workbook, is damaged, or is not safe to read.
    """
    if path.suffix.lower() != ".xlsx":
        hint = "save it as an Excel workbook (.xlsx)"
        raise InstanceError([Problem(path.name, f"is a {path.suffix.lower()} file", hint, "workbook")])
    book = read_book(path, SHEET_NAMES)
    problems = list(_sheet_names(book.names, book.hidden))
    sheets = {}
    for table in SHEETS:
        if table.name in book.grids:
            own = None if note is None else partial(note, table.name)
            found = _SheetReader(table, book.grids[table.name], MOST_OD_ROWS, note=own).read(problems)
            if found is not None:
                sheets[table.name] = found
    return Package(path, {}, {}, zipped=False, sheets=sheets, problems=tuple(problems))


def read_sheet(path: Path, table: Table, *, most_rows: int) -> Sheet:
    """One sheet of a workbook, whatever else it holds. Raises InstanceError with every cell that is no plain value."""
    grid = read_book(path, [table.name]).grids.get(table.name)
    problems: list[Problem] = []
    found = _SheetReader(table, grid, most_rows).read(problems) if grid is not None else None
    if grid is None:
        problems.append(Problem(path.name, f"has no sheet {table.name!r}", "name the sheet so", "missing_sheet"))
    if problems or found is None or found.cells is None:
        raise InstanceError(problems or [Problem(path.name, f"its sheet {table.name!r} is empty", "", "empty")])
    return found


def read_list(
    path: Path, table: Table, columns: Mapping[str, str], note: Callable[[str], None]
) -> tuple[dict[str, list[str]], int, bool]:
    """The cells of a plain list: a header and rows, with or without a row of units; the number of the first row, and
    whether there is a row of units.

    It is the sheet named as the table, or the only one. `columns` gives new names by old ones ("": left out); `note`
    gets what was assumed. Raises InstanceError with every cell that is no plain value.
    """
    names = read_book(path, ()).names
    name = table.name if table.name in names else names[0] if len(names) == 1 else ""
    if not name:
        what = f"has the sheets {listed(names)}, none of them {table.name!r}"
        raise InstanceError([Problem(path.name, what, "name the sheet so, or leave one sheet only", "missing_sheet")])
    if name != table.name:
        note(f"its only sheet {name!r} is read as {table.name}")
    problems: list[Problem] = []
    reader = _SheetReader(
        table, read_book(path, [name]).grids[name], MOST_LIST_ROWS, name=name, renamed=columns, note=note
    )
    sheet = reader.read(problems)
    if sheet is None or sheet.cells is None or problems:
        raise InstanceError(problems or [Problem(path.name, f"its sheet {name!r} is empty", "give rows", "empty")])
    return dict(sheet.cells), reader.first_row + 1, reader.first_row == FIRST_ROW


def _sheet_names(names: tuple[str, ...], hidden: frozenset[str]) -> Iterator[Problem]:
    for name in names:
        where = f"sheet {shown(name)}"
        if now := is_now("table", name):
            yield Problem(where, now, HOW, "renamed")
        elif name not in (*SHEET_NAMES, README):
            missing = [other for other in SHEET_NAMES if other not in names]
            guess = did_you_mean(name, missing).replace("did you mean", "rename it to").rstrip("?")
            hint = guess or f"move it to another workbook; sheets are {README}, {listed(SHEET_NAMES, 99)}"
            yield Problem(where, "is not a sheet of an instance", hint, "sheet")
        elif name in hidden:
            yield Problem(where, "is hidden", "show it and look at it, or delete it", "hidden")
    for table in SHEETS:
        if table.name not in names and not table.optional:
            yield Problem(f"sheet {table.name!r}", "is missing", f"add it: one row is {table.row_is}", "missing_sheet")


class _SheetReader:
    """Turns the grid of one sheet into columns of text. With `note`, which gets what is assumed, the row of units may
    be missing; `renamed` gives new names of columns by old ones ("": left out)."""

    def __init__(
        self,
        table: Table,
        grid: Cells,
        most_rows: int,
        *,
        name: str = "",
        renamed: Mapping[str, str] | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self.table, self.grid, self.name, self.most_rows = table, grid, name or table.name, most_rows
        self.renamed, self.note, self.first_row = renamed or {}, note, FIRST_ROW
        self.problems: list[Problem] = []
        self.counts: dict[tuple[str, str], int] = {}

    def read(self, problems: list[Problem]) -> Sheet | None:
        """The sheet, None if it is optional and empty; problems are added to the list."""
        rows = self.grid.rows
        filled = [row for row, cells in rows.items() if cells]
        if not filled:
            if not self.table.optional:
                hint = f"write its header in row 1: {', '.join(column.name for column in self.table.columns)}"
                problems.append(Problem(self.name, "is empty", hint, "empty"))
            return None
        header, columns = self._header()
        usable = self._header_is_right(header) and self._units_are_right(columns)
        self._merged_and_hidden(max(filled), columns)
        first = self.first_row
        last = max((row for row in filled if row >= first), default=first - 1)
        cells: dict[str, list[str]] | None = None
        unusable: set[int] = set()
        self.told: set[tuple[int, str]] = set()
        if self.table.name == "od" and last - first + 1 > self.most_rows:
            what = f"has rows down to {last + 1}"
            self._report(
                self.name, what, f"{self.most_rows} flows are read from a sheet; use od.parquet or od.csv", "size"
            )
        elif usable:
            cells = {column.name: [] for column in self.table.columns if column.name in columns}
            for row in range(first, self._end_of_table(filled) + 1):
                self._row(row, columns, cells, unusable)
        file = TableFile(self.name, self.name, first + 1, tuple(header))
        problems.extend(self.problems)
        for (what, rule), count in self.counts.items():
            if count > _TOLD_IN_FULL:
                more = f"{count - _TOLD_IN_FULL} more cells: {what}"
                problems.append(Problem(self.name, more, "see the first ones", rule))
        return Sheet(file, cells, frozenset(unusable), frozenset(self.told), first == FIRST_ROW)

    def _end_of_table(self, filled: list[int]) -> int:
        """The last row before a long stretch of blank ones; what stands under that is named, not read."""
        end = self.first_row - 1
        for row in sorted(row for row in filled if row >= self.first_row):
            if row - end > _LONGEST_GAP:
                first = min(self.grid.rows[row])
                hint = "nothing may stand under a table: delete it, or delete the empty rows"
                what = f"stands under {row - end - 1} empty rows"
                self._report(self._at(row, first, self.grid.rows[row][first]), what, hint, "text_under_table")
                break
            end = row
        return end

    def _report(self, where: str, what: str, hint: str, rule: str, kind: str = "") -> None:
        """Adds a problem; of one kind the first ones are told in full, the others counted."""
        key = (kind or what, rule)
        self.counts[key] = self.counts.get(key, 0) + 1
        if self.counts[key] <= _TOLD_IN_FULL:
            self.problems.append(Problem(where, what, hint, rule))

    def _at(self, row: int, column: int, cell: SheetCell | None = None) -> str:
        name = next((name for name, place in self._places.items() if place == column), "")
        words = f"{self.name}!{column_letters(column)}{row + 1}" + (f", column {name}" if name else "")
        return words + (f", value {shown(cell.text)}" if cell is not None and cell.text else "")

    def _header(self) -> tuple[list[str], dict[str, int]]:
        """Names in row 1 from column A on ("" for a blank), and the place of each known column."""
        cells = self.grid.rows.get(HEADER_ROW, {})
        header = [cells[i].text if i in cells else "" for i in range(max(cells, default=-1) + 1)]
        if self.note is not None:
            header = [name.strip() for name in header]
        if missing := [name for name in self.renamed if name not in header]:
            what = f"{self.name} has no column {listed(missing)}"
            self._report("columns=", what, f"it has {listed((name for name in header if name), 99)}", "column")
        self._left_out = {i for i, name in enumerate(header) if self.renamed.get(name, name) == "" and name}
        header = [self.renamed.get(name, name) for name in header]
        known = [column.name for column in self.table.columns]
        self._places = {name: header.index(name) for name in known if name in header}
        return header, self._places

    def _header_is_right(self, header: list[str]) -> bool:
        cells = self.grid.rows.get(HEADER_ROW, {})
        for i, cell in cells.items():
            if (cell.kind != "text" or cell.formula is not None) and i not in self._left_out:
                what = "holds a formula" if cell.formula is not None else "is not a text"
                self._report(self._at(HEADER_ROW, i, cell), what, "write the name of the column", "column")
        named = [name for name in header if name]
        places: dict[str, str] = {}
        for i, name in enumerate(header):  # of two columns with one name the second is shown
            for written in (shown(name), name):
                places[f"{self.name} row 1, column {written}"] = f"{self.name}!{column_letters(i)}1, column {written}"
        for problem in header_problems(named, self.table, self.name):
            where = places.get(problem.where, f"{self.name}!A1")
            self._report(where, problem.what, problem.hint, problem.rule)
        return not self.problems

    def _units_are_right(self, columns: dict[str, int]) -> bool:
        cells = self.grid.rows.get(UNIT_ROW, {})
        wrong = []
        for column in self.table.columns:
            if column.name not in columns:  # an optional one
                continue
            cell = cells.get(columns[column.name])
            if cell is None or cell.formula is not None or cell.text.strip() != unit_text(column):
                wrong.append((column, cell))
        if len(wrong) * 2 > len(columns):
            if self.note is not None:
                self.first_row = UNIT_ROW
                units = {
                    c.name: c.unit for c in self.table.columns if c.name in columns and c.unit and c.unit != "year"
                }
                taken = ", ".join(f"{name} in {unit}" for name, unit in units.items())
                self.note("it has no row of units" + (f": taken are {taken}" if taken else ""))
                return True
            hint = f"insert a row under the header: {listed((unit_text(c) for c in self.table.columns), 99)}"
            self._report(f"{self.name}!A2", "is not the row of units", hint, "units")
            return False
        for column, cell in wrong:
            wanted = unit_text(column)
            if cell is None:
                what, hint = "is blank instead of the unit", f"write {wanted!r}"
            elif column.unit:
                what, hint = "is not the unit", f"give the figures in {wanted}, then write {wanted!r}"
            else:
                what, hint = "is not what stands under this header", f"write {wanted!r}"
            self._report(self._at(UNIT_ROW, columns[column.name], cell), what, hint, "units", "unit")
        return True

    def _merged_and_hidden(self, last: int, columns: dict[str, int]) -> None:
        for merged in self.grid.merged:
            place = cell_place(merged.partition(":")[0])
            if place is None or place[0] <= last:
                hint = "unmerge it and write every cell"
                cell = merged.partition(":")[0]
                what = f"is merged with others ({merged})"
                self._report(f"{self.name}!{cell}", what, hint, "merged", "is merged")
        for row in sorted(self.grid.hidden_rows):
            if self.grid.rows.get(row):
                hint = "show it (clear the filter), or delete it"
                self._report(f"{self.name} row {row + 1}", "is hidden", hint, "hidden")
        for first, end in self.grid.hidden_columns:
            for name, i in columns.items():
                if first <= i <= end:
                    where = f"{self.name}!{column_letters(i)}1, column {name}"
                    self._report(where, "is a hidden column", "show it; what is not seen is not imported", "hidden")

    def _row(self, row: int, columns: dict[str, int], into: dict[str, list[str]], unusable: set[int]) -> None:
        cells = self.grid.rows.get(row, {})
        places = set(columns.values())
        cells = {i: cell for i, cell in cells.items() if i not in self._left_out}
        outside = [i for i in cells if i not in places]
        for i in outside:
            hint = "the column has no header: delete the cell, or move it to another workbook"
            self._report(self._at(row, i, cells[i]), "stands outside the table", hint, "outside")
        inside = len(cells) - len(outside)
        lonely = inside == 1 and sum(column.blank is None for column in self.table.columns) > 2
        if not inside:
            hint = "delete the empty row; the rows of a table follow each other"
            self._report(f"{self.name} row {row + 1}", "is blank", hint, "blank_row")
        elif lonely:
            only = next(i for i in cells if i in places)
            hint = "no text may stand under a table: delete it; if it is a row, fill in its other cells"
            self._report(self._at(row, only, cells[only]), "is the only cell of its row", hint, "text_under_table")
        if not inside or lonely:
            unusable.add(row - self.first_row)
            for words in into.values():
                words.append("")
            return
        for column in self.table.columns:
            if column.name not in columns:
                continue
            i = columns[column.name]
            cell = cells.get(i)
            fault = None if cell is None else _fault(cell, column)
            if fault is not None:
                self._report(self._at(row, i, cell), *fault, kind=fault[2])
                self.told.add((row - self.first_row, column.name))
                known = cell is not None and cell.kind == "text" and column.kind in _TEXTS
                into[column.name].append(cell.text if cell is not None and known else "")
            else:
                text = "" if cell is None else _as_text(cell, column)
                if self.note is not None and cell is not None and cell.kind == "number" and "." in text:
                    text = without_point(text)
                into[column.name].append(text)


def _fault(cell: SheetCell, column: Column) -> tuple[str, str, str] | None:
    """What keeps a cell from being a plain value, the likely fix, and the rule."""
    if cell.formula is not None:
        what = f"holds the formula {shown('=' + cell.formula)}" if cell.formula else "holds a formula"
        return what, "copy the cell and paste its value only", "formula"
    if cell.kind == "error":
        return f"holds the error {cell.text}", "write the value", "error_cell"
    if cell.kind == "date":
        wanted = "a text: format the cell as Text, then write it again"
        if column.kind not in _TEXTS:
            wanted = "a number: format the cell as Number, then write it again"
        return "is a date or a time", f"it must be {wanted}", "date"
    if cell.kind == "bool" and column.kind != "bool":
        wanted = "a text" if column.kind in _TEXTS else "a number"
        return f"is {cell.text.upper()}", f"it must be {wanted}", "type"
    return _format_fault(cell, column) if cell.kind == "number" else None


def _format_fault(cell: SheetCell, column: Column) -> tuple[str, str, str] | None:
    """What keeps a number from being what is seen: spreadsheets show it in a format."""
    codes = [_LITERAL.sub("", code) for code in cell.pattern.split(";")]
    if column.kind in _TEXTS and column.kind != "text":
        if abs(float(cell.text)) >= 1e15:
            return (
                "is a number of more than 15 digits, which spreadsheets round",
                f"{_AS_TEXT}, then write it",
                "format",
            )
        if cell.pattern not in ("", "0", "@"):
            what = f"is the number {number_text(float(cell.text))} in the format {shown(cell.pattern)}"
            return what, f"{_AS_TEXT}, then write the name as it is", "format"
    elif column.kind in ("number", "integer", "year"):
        if any("%" in code for code in codes) and column.unit != "share":
            what = f"is shown in per cent, but holds {number_text(float(cell.text))}"
            return what, "format the cell as Number, and look at the figure", "format"
        if any(re.search(r"[0#?],+$", code.strip()) for code in codes):
            what = f"is shown in thousands or millions, but holds {number_text(float(cell.text))}"
            return what, "format the cell as Number, and look at the figure", "format"
    return None


def _as_text(cell: SheetCell, column: Column) -> str:
    if cell.kind == "number":
        return number_text(float(cell.text))
    if column.kind == "bool" and cell.text in ("TRUE", "FALSE"):
        return cell.text.lower()
    return cell.text


def number_text(value: float) -> str:
    """A number of a cell as text that reads back as the same number.

    >>> number_text(12.0), number_text(0.1), number_text(1e300)
    ('12', '0.1', '1e+300')
    """
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def without_point(number: str) -> str:
    """A number without a decimal point: one that reads the same whatever the decimal sign of text beside it is.

    >>> without_point("1.234"), without_point("1.5e-07")
    ('1234e-3', '15e-8')
    """
    digits, _, power = number.partition("e")
    whole, _, decimals = digits.partition(".")
    return f"{whole}{decimals}e{int(power or 0) - len(decimals)}"
