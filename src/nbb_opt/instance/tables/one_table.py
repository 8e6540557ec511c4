"""One table from a file of its own: CSV, or a sheet of a workbook.

`read_one_table` is as strict as a table of an instance is; `read_typed_table` takes what people type in a spreadsheet.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import CellFaults
from nbb_opt.instance.read import check_keys, frame_of, parsed
from nbb_opt.instance.schema import Column, Table
from nbb_opt.instance.tables.csv_file import decode, read_csv
from nbb_opt.instance.tables.xlsx_file import SheetCell, read_book
from nbb_opt.instance.wording import TableFile, did_you_mean, listed
from nbb_opt.instance.workbook.read import is_spreadsheet, read_sheet
from nbb_opt.instance.workbook.sheets import unit_text

MOST_BYTES = 64 * 2**20
MOST_ROWS = 100_000


def read_one_table(path: Path, table: Table) -> tuple[pd.DataFrame, TableFile]:
    """The rows of `path` with the columns of `table`, and the file, which names the place of a cell.

    Raises InstanceError with every cell at fault.
    """
    problems: list[Problem] = []
    _check_file(path)
    if is_spreadsheet(path):
        sheet = read_sheet(path, table, most_rows=MOST_ROWS)
        faults = sheet.faults(problems)
        values = parsed(sheet.cells, table, faults)
    else:
        faults = CellFaults(TableFile(table.name, path.name), problems)
        values = parsed(read_csv(path.read_bytes(), table, faults), table, faults)
    if values is not None:
        frame = frame_of(table, values)
        check_keys(table, frame, faults)
        faults.count_the_rest()
    if problems or values is None:
        raise InstanceError(problems)
    return frame, faults.file


def read_typed_table(path: Path, table: Table, note: Callable[[str], None]) -> tuple[pd.DataFrame, TableFile]:
    """The rows of `path` as people type them in a spreadsheet; rows keep their index in the file, blank ones are left
    out, and rows of one key may come several times.

    The values of formulas count; a number may have a decimal comma, spaces between thousands, or a per cent sign; a
    choice may begin with a capital; the header may stand below a title; other sheets and columns are left alone. `note`
    hears of all that was left alone or assumed. Raises InstanceError with every cell at fault.
    """
    sheet, grid, _ = typed_grid(path, note, sheet=table.name, column=table.columns[0].name)
    names = [column.name for column in table.columns]
    header = next((row for row in sorted(grid) if {names[0]} <= {_name(cell) for cell in grid[row].values()}), None)
    if header is None:
        hint = f"write a header: {', '.join(names)}"
        raise InstanceError([Problem(sheet, f"has no header with a column {names[0]!r}", hint, "header")])
    places: dict[str, int] = {}
    problems, alone = [], []
    for at, cell in sorted(grid[header].items()):
        name = _name(cell)
        if name in names and name not in places:
            places[name] = at
        elif hint := did_you_mean(name, [each for each in names if each not in places]):
            problems.append(Problem(f"{sheet} row {header + 1}", f"has a column {cell.text!r}", hint, "header"))
        else:
            alone.append(cell.text)
    if problems:
        raise InstanceError(problems)
    if alone:
        note(f"columns left alone: {listed(alone, 99)}")
    rows = list(range(header + 1, max(grid) + 1))
    file = TableFile(table.name, sheet, header + 2, _columns(places) if is_spreadsheet(path) else ())
    faults = CellFaults(file, problems)
    cells = {name: [_typed(grid.get(row, {}).get(places[name])) for row in rows] for name in places}
    blank = {i for i in range(len(rows)) if not any(column[i] for column in cells.values())}
    blank |= {i for i in range(min(1, len(rows))) if _is_units(table, {name: cells[name][0] for name in places})}
    faults.unusable |= blank
    for name in places:
        column = next(each for each in table.columns if each.name == name)
        for i, row in enumerate(rows):
            given = grid.get(row, {}).get(places[name])
            if given is not None and given.formula is not None and not given.text:
                faults.add(i, name, None, "is a formula without a value", "open and save it in Excel", rule="formula")
            elif column.kind in ("number", "integer", "year") and i not in blank:
                cells[name][i] = plain_number(cells[name][i], column)
            elif column.kind == "choice":
                cells[name][i] = _choice(cells[name][i], column)
    values = parsed(cells, table, faults)
    faults.count_the_rest()
    if problems or values is None:
        raise InstanceError(problems)
    return frame_of(table, values).drop(index=sorted(blank)), file


def plain_number(text: str, column: Column) -> str:
    """A number as a person types it, with a decimal point and nothing else; a text that is none stays as it is.

    What could be a thousand or a decimal (`1,000`) stays too, so that it is asked about. A year may be a date.

    >>> number = Column("number", "number", "")
    >>> [plain_number(text, number) for text in ("1 000", "2,5", "85 %", "1.234,5", "1,000", "ten")]
    ['1000', '2.5', '0.85', '1234.5', '1,000', 'ten']
    """
    bare = re.sub(r"[\s\u00a0\u202f'’]", "", text)
    if column.kind == "year" and (day := re.fullmatch(r"(\d{4})-\d\d-\d\d", bare)):
        return day.group(1)
    if re.fullmatch(r"-?\d{1,3}(\.\d{3})*,\d+", bare) and not re.fullmatch(r"-?\d{1,3},\d{3}", bare.rstrip("%")):
        bare = bare.replace(".", "").replace(",", ".")
    bare = re.sub(r"^(-?\d+),(\d+)(%?)$", r"\1.\2\3", bare) if not re.fullmatch(r"-?\d{1,3},\d{3}", bare) else bare
    if re.fullmatch(r"-?\d+(\.\d+)?%", bare):
        return f"{float(bare[:-1]) / 100:.12g}"
    if column.kind in ("integer", "year") and re.fullmatch(r"-?\d+\.0+", bare):
        bare = bare.partition(".")[0]
    return bare if re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", bare, re.I) else text


def _choice(text: str, column: Column) -> str:
    """A choice as it is written, whatever letters a person typed large."""
    return next((each for each in column.options if each.casefold() == text.strip().casefold()), text)


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise InstanceError([Problem(str(path), "is no file", "give a .csv file or a workbook", "missing_file")])
    if path.stat().st_size > MOST_BYTES:
        raise InstanceError([Problem(path.name, "is too large", f"at most {MOST_BYTES // 2**20} MiB", "size")])


def typed_grid(
    path: Path, note: Callable[[str], None], *, sheet: str = "", column: str = ""
) -> tuple[str, dict[int, dict[int, SheetCell]], str]:
    """What to call the place of a cell, the cells by row and column, both counted from 0, and what separates cells (of
    a text file; a workbook: nothing).

    Of a workbook the sheet `sheet` is read, or the only one; without a name the first. A text file may be UTF-8,
    UTF-16 or Windows-1252, `column` stands in its header. Raises InstanceError where no sheet can be meant.
    """
    _check_file(path)
    if not is_spreadsheet(path):
        text = _text(path, note)
        lines = text.splitlines()
        head = next((line for line in lines if column and column in line.casefold()), "\n".join(lines[:20]))
        sign = max(";\t,", key=head.count)
        rows = csv.reader(lines, delimiter=sign)
        return path.name, {
            i: cells
            for i, line in enumerate(rows)
            if (cells := {at: SheetCell("text", cell) for at, cell in enumerate(line) if cell.strip()})
        }, sign  # fmt: skip
    book = read_book(path, [sheet])
    if not sheet or sheet not in book.names:
        seen = [name for name in book.names if name not in book.hidden]
        if sheet and len(seen) != 1:
            hint = did_you_mean(sheet, list(book.names)) or f"it has {listed(book.names, 99)}: name one of them {sheet}"
            raise InstanceError([Problem(path.name, f"has no sheet {sheet!r}", hint, "sheet")])
        note(f"sheet {seen[0]!r} is read" + (f" as {sheet!r}" if sheet else ""))
        sheet = seen[0]
        book = read_book(path, [sheet])
    if others := [name for name in book.names if name != sheet]:
        note(f"sheets left alone: {listed(others, 99)}")
    return sheet, book.grids[sheet].rows, ""


def _text(path: Path, note: Callable[[str], None]) -> str:
    """Text of a file in the encodings that spreadsheets write."""
    data, problems = path.read_bytes(), list[Problem]()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = "UTF-16"
    elif (text := decode(data, path.name, problems)) is not None:
        return text
    else:
        name = "cp1252"
    try:
        text = data.decode(name)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InstanceError(problems or [Problem(path.name, "is no text", "save it as CSV or .xlsx", "utf8")])
    note(f"{path.name} is read as {name}")
    return text


def _name(cell: SheetCell) -> str:
    return cell.text.strip().casefold().replace(" ", "_")


def _typed(cell: SheetCell | None) -> str:
    return "" if cell is None else re.sub(r"\s+", " ", cell.text).strip()


def _columns(places: Mapping[str, int]) -> tuple[str, ...]:
    """Names by place, blanks between them."""
    at = {place: name for name, place in places.items()}
    return tuple(at.get(i, "") for i in range(max(at, default=-1) + 1))


def _is_units(table: Table, row: Mapping[str, str]) -> bool:
    """Whether a row is that of the units that stands under the header of our own sheets."""
    return all(unit_text(column) == row[column.name] for column in table.columns if column.name in row)
