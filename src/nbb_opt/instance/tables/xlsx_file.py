"""The cells of an .xlsx file, read without trust: sizes limited, no entities, no formula taken for a value.

openpyxl reads the workbook, its texts and its number formats. The cells are taken one by one from the parser: its
read-only mode loses what is merged or hidden, and its normal mode holds a hundred times the size of the file in memory
(docs/decisions/reading-xlsx.md). What Excel shows in other ways than by a plain value is kept so that it can be refused
by name.
"""

from __future__ import annotations

import datetime
import os
import re
import warnings
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, NamedTuple
from xml.etree.ElementTree import Element

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import is_number
from nbb_opt.instance.package import zip_problems
from nbb_opt.instance.wording import column_letters, shown

MAX_FILE_BYTES = 64 * 2**20
MAX_UNPACKED_BYTES = 256 * 2**20
MAX_CELLS = 2_000_000
MAX_MERGED = 10_000
_MAX_OTHER_BYTES = 16 * 2**20  # of parts that are read as a whole
_MAX_STRINGS = 1_000_000
_MAX_SHEETS = 200
_LONGEST_TEXT = 40_000
_LAST_ROW, _LAST_COLUMN = 2**20, 2**14
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_CONSTANTS = {"TRUE()": "true", "FALSE()": "false"}  # how LibreOffice writes a plain TRUE or FALSE
_OLE = b"\xd0\xcf\x11\xe0"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRICT = b"http://purl.oclc.org/ooxml/spreadsheetml"
_SAVE = "open it in Excel or LibreOffice and save it as an Excel workbook (.xlsx)"


def _tag(name: str) -> str:
    return f"{{{_MAIN}}}{name}"


_SHEET, _CELL, _ROW, _COL, _MERGED = map(_tag, ("worksheet", "c", "row", "col", "mergeCell"))
_VALUE, _FORMULA, _INLINE, _ITEM = _tag("v"), _tag("f"), _tag("is"), _tag("si")
_TEXT, _RUN_TEXT = _tag("t"), f"{_tag('r')}/{_tag('t')}"


class Damaged(Exception):  # noqa: N818 - says what a file is
    """A part of a workbook cannot be used; turned into an InstanceError with the name of the file."""

    def __init__(self, what: str, hint: str = "", rule: str = "workbook") -> None:
        super().__init__(what)
        self.hint, self.rule = hint, rule


class SheetCell(NamedTuple):
    """What a cell holds: its kind, its value as text, its formula if it has one, and its number format if it is not
    General."""

    kind: Literal["text", "number", "bool", "error", "date"]
    text: str
    formula: str | None = None
    pattern: str = ""


@dataclass
class Cells:
    """Cells by row and column, both counted from 0; blank cells are left out."""

    rows: dict[int, dict[int, SheetCell]] = field(default_factory=dict)
    merged: list[str] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Book:
    """Names of all sheets in order, those that are hidden, and the grids of the sheets that were asked for."""

    names: tuple[str, ...]
    hidden: frozenset[str]
    grids: dict[str, Cells]


def read_book(path: Path, wanted: Collection[str]) -> Book:
    """The sheets of a workbook. Raises InstanceError if it is not one, is damaged, or is not safe to read."""
    try:
        with open(path, "rb") as stream, warnings.catch_warnings():
            _check_file(path.name, stream)
            warnings.simplefilter("ignore")  # of parts that openpyxl leaves out; none of them holds cells
            return _book(stream, wanted)
    except Damaged as fault:
        raise InstanceError([Problem(path.name, str(fault), fault.hint or _SAVE, fault.rule)]) from fault
    except (InstanceError, MemoryError):
        raise
    except DefusedXmlException as fault:
        what = "declares a document type or entities, which workbooks do not"
        raise InstanceError([Problem(path.name, what, _SAVE, "workbook")]) from fault
    except Exception as error:  # openpyxl raises whatever its parts meet in a damaged file
        words = f"{type(error).__name__} {error}".strip().splitlines()[0][:200]
        raise InstanceError(
            [Problem(path.name, f"cannot be read as a workbook: {words}", _SAVE, "workbook")]
        ) from error


def _check_file(name: str, stream: BinaryIO) -> None:
    """Raises Damaged or InstanceError for a file that is not to be opened at all."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if size > MAX_FILE_BYTES:
        most = f"a workbook has at most {MAX_FILE_BYTES // 2**20} MiB"
        raise Damaged(f"has {size / 2**20:.0f} MiB", most, "size")
    if stream.read(4) == _OLE:
        what = "is protected by a password, or is of the old format of Excel"
        raise Damaged(what, f"{_SAVE}, without a password")
    with zipfile.ZipFile(stream) as archive:
        entries = archive.infolist()
        strict = _is_strict(archive)
    if problems := zip_problems(name, entries):
        raise InstanceError(problems)
    total = sum(entry.file_size for entry in entries)
    if total > MAX_UNPACKED_BYTES:
        hint = f"{MAX_UNPACKED_BYTES // 2**20} MiB are allowed; delete the empty formatted rows under the tables"
        raise Damaged(f"unpacks to {total / 2**20:.0f} MiB", hint, "size")
    if strict:
        raise Damaged("is saved as Strict Open XML", "save it as 'Excel Workbook (.xlsx)' instead")
    if any(entry.filename.lower().endswith(("vbaproject.bin", "workbook.bin")) for entry in entries):
        raise Damaged("holds macros or is binary")
    for entry in entries:
        part = entry.filename.lower()
        whole = part.endswith((".rels", "workbook.xml", "styles.xml")) or part == "[content_types].xml"
        if whole and entry.file_size > _MAX_OTHER_BYTES:
            raise Damaged(f"has {entry.file_size / 2**20:.0f} MiB in {entry.filename}", rule="size")


def _is_strict(archive: zipfile.ZipFile) -> bool:
    """Whether the workbook has the names of ISO 29500 Strict, which openpyxl does not know."""
    if "xl/workbook.xml" not in archive.namelist():
        return False
    with archive.open("xl/workbook.xml") as stream:
        return _STRICT in stream.read(4096)


def _book(stream: BinaryIO, wanted: Collection[str]) -> Book:
    from openpyxl.reader.excel import ExcelReader  # takes a while: not for who reads no workbook
    from openpyxl.styles.stylesheet import apply_stylesheet
    from openpyxl.xml.constants import ARC_STYLE, SHARED_STRINGS, STYLES_TYPE

    reader = ExcelReader(stream, read_only=True, keep_links=False)
    with reader.archive as archive:
        reader.read_manifest()
        reader.read_workbook()
        sheets = list(reader.parser.sheets)
        if len(sheets) > _MAX_SHEETS:
            raise Damaged(f"has more than {_MAX_SHEETS} sheets")
        names = [unescaped(sheet.name) for sheet in sheets]
        if len({name.casefold() for name in names}) < len(names):
            raise Damaged("has two sheets of one name")
        hidden = frozenset(name for name, sheet in zip(names, sheets, strict=True) if sheet.state != "visible")
        asked = [(name, reader.parser.rels[s.id]) for name, s in zip(names, sheets, strict=True) if name in wanted]
        grids: dict[str, Cells] = {}
        if asked:
            styles, texts = reader.package.find(STYLES_TYPE), reader.package.find(SHARED_STRINGS)
            if styles is not None and styles.PartName != f"/{ARC_STYLE}":
                raise Damaged(f"has its formats in {styles.PartName}")
            apply_stylesheet(archive, reader.wb)
            strings = [] if texts is None else list(_strings(archive, texts.PartName[1:]))
        for name, part in asked:
            if not part.Type.endswith("/worksheet"):
                raise Damaged(f"has a sheet {name!r} without cells", "it must be a worksheet, not a chart")
            with archive.open(part.target) as stream:
                grids[name] = _Cells(reader.wb, name, strings).grid(stream)
    return Book(tuple(names), hidden, grids)


def _strings(archive: zipfile.ZipFile, part: str) -> Iterator[str]:
    """The texts that cells refer to by number."""
    count = 0
    with archive.open(part) as stream:
        for _, element in iterparse(stream, ("end",), forbid_dtd=True):
            if element.tag == _ITEM:
                count += 1
                if count > _MAX_STRINGS:
                    raise Damaged(f"holds more than {_MAX_STRINGS} texts", rule="size")
                yield unescaped(_content(element))
                element.clear()


def _content(element: Element) -> str:
    """The text of a cell or shared text, without what helps to pronounce it."""
    return "".join(part.text or "" for path in (_TEXT, _RUN_TEXT) for part in element.findall(path))


class _Cells:
    """Reads the cells of one sheet."""

    def __init__(self, workbook: Any, name: str, strings: list[str]) -> None:
        self.workbook, self.name, self.strings = workbook, name, strings
        self.patterns: dict[str, tuple[str, bool]] = {}  # of a style: its number format, and whether it is a date
        self.columns: dict[str, int] = {}  # by their letters
        self.row = self.column = -1

    def grid(self, stream: IO[bytes]) -> Cells:
        grid = Cells()
        count = in_row = 0
        for _, element in iterparse(stream, ("end",), forbid_dtd=True):
            tag = element.tag
            if tag == _CELL:
                count, in_row = count + 1, in_row + 1
                if count > MAX_CELLS:
                    hint = "delete the empty formatted rows and columns around the table"
                    raise Damaged(f"has more than {MAX_CELLS} cells on sheet {self.name}", hint, "size")
                if in_row > _LAST_COLUMN:
                    raise Damaged(f"has a row of more than {_LAST_COLUMN} cells on sheet {self.name}")
            elif tag == _ROW:
                self._read_row(element, grid)
                element.clear()
                in_row = 0
            elif tag == _COL and element.get("hidden") in ("1", "true"):
                grid.hidden_columns.append((int(element.attrib["min"]) - 1, int(element.attrib["max"]) - 1))
            elif tag == _MERGED and len(grid.merged) < MAX_MERGED:
                grid.merged.append(element.get("ref", "")[:30])
        if element.tag != _SHEET:
            raise Damaged(f"is of another form of Open XML (sheet {self.name})", "save it as a plain .xlsx")
        return grid

    def _read_row(self, element: Element, grid: Cells) -> None:
        given = element.get("r", str(self.row + 2))
        self.row = int(given) - 1 if given.isdecimal() else -1
        self.column = -1
        if not 0 <= self.row < _LAST_ROW:
            raise Damaged(f"has a row number out of range on sheet {self.name}")
        if element.get("hidden") in ("1", "true"):
            grid.hidden_rows.add(self.row)
        cells: dict[int, SheetCell] = {}
        for child in element:
            if child.tag == _CELL:
                self._place(child)
                cell = self._cell(child)
                if cell is not None:
                    if self.column in cells:
                        raise Damaged(f"has two cells in one place on sheet {self.name}")
                    cells[self.column] = cell
        if cells and self.row in grid.rows:
            raise Damaged(f"has row {self.row + 1} twice on sheet {self.name}")
        if cells:
            grid.rows[self.row] = cells

    def _place(self, element: Element) -> None:
        given = element.get("r")
        if given is None:
            self.column += 1
            return
        letters = given.rstrip("0123456789")
        if letters in self.columns and given == f"{letters}{self.row + 1}":
            self.column = self.columns[letters]
            return
        place = cell_place(given)
        if place is not None:
            self.columns[letters] = place[1]
        if place is None or place[0] != self.row:
            raise Damaged(f"has a cell at {given[:12]!r} in row {self.row + 1} of sheet {self.name}")
        self.column = place[1]

    def _cell(self, element: Element) -> SheetCell | None:
        kind = element.get("t", "n")
        formula = element.find(_FORMULA)
        words = None if formula is None else (formula.text or "")[:200]
        inline = element.find(_INLINE)
        raw = (_content(inline) if inline is not None else "") if kind == "inlineStr" else element.findtext(_VALUE, "")
        if len(raw) > _LONGEST_TEXT:
            raise Damaged(f"has a text of {len(raw)} characters on sheet {self.name}", "shorten it", "length")
        if kind == "b" and words in _CONSTANTS:
            return SheetCell("bool", _CONSTANTS[words])
        if not raw and words is None:
            return None
        cell = self._value(kind, raw, element.get("s", "0"))._replace(formula=words)
        return cell if cell.text or words is not None else None

    def _value(self, kind: str, raw: str, style: str) -> SheetCell:
        if kind == "s":
            place = int(raw or "-1")
            if not 0 <= place < len(self.strings):
                raise Damaged(f"refers to a text that is missing on sheet {self.name}")
            return SheetCell("text", self.strings[place])
        if kind in ("inlineStr", "str"):
            return SheetCell("text", unescaped(raw))
        raw = raw.strip()
        if kind == "b":
            return SheetCell("bool", "true" if raw in ("1", "true") else "false")
        if kind in ("e", "d"):
            return SheetCell("error" if kind == "e" else "date", raw)
        if not raw:
            return SheetCell("number", "")
        if kind != "n" or not is_number(raw):
            where = f"{self.name}!{column_letters(self.column)}{self.row + 1}"
            raise Damaged(f"holds {shown(raw)} for a number in {where}")
        if style not in self.patterns:
            self.patterns[style] = self._pattern(int(style)), int(style) in self.workbook._date_formats
        pattern, is_date = self.patterns[style]
        return SheetCell("date", self._day(float(raw))) if is_date else SheetCell("number", raw, pattern=pattern)

    def _pattern(self, style: int) -> str:
        """The number format of a cell style, "" for General."""
        from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

        key = self.workbook._cell_styles[style].numFmtId
        custom = key - BUILTIN_FORMATS_MAX_SIZE
        code = self.workbook._number_formats[custom] if custom >= 0 else BUILTIN_FORMATS.get(key, "General")
        return "" if code.casefold() == "general" else str(code)

    def _day(self, days: float) -> str:
        from openpyxl.utils.datetime import from_excel

        try:
            moment: Any = from_excel(days, self.workbook.epoch)
        except (OverflowError, ValueError):
            return f"day {days:g}"
        if isinstance(moment, datetime.datetime) and days == int(days):
            return moment.date().isoformat()
        return str(moment)


def cell_place(reference: str) -> tuple[int, int] | None:
    """Row and column of a cell, counted from 0; None if it is not one.

    >>> cell_place("A1"), cell_place("AA10"), cell_place("XFE1")
    ((0, 0), (9, 26), None)
    """
    from openpyxl.utils.cell import coordinate_to_tuple

    try:
        row, column = coordinate_to_tuple(reference)
    except ValueError:
        return None
    return (row - 1, column - 1) if 1 <= row <= _LAST_ROW and column <= _LAST_COLUMN else None


def unescaped(text: str) -> str:
    r"""Text with Excel's escapes (`_x000D_` for a control character) undone.

    >>> unescaped("a_x000A_b"), unescaped("_x005F_x0041_")
    ('a\nb', '_x0041_')
    """
    return _ESCAPED.sub(
        lambda m: m.group() if "D800" <= m.group(1).upper() <= "DFFF" else chr(int(m.group(1), 16)), text
    )
