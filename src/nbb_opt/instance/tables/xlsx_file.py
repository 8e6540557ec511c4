"""The cells of an .xlsx file, read without trust: sizes limited, no entities, no formula taken for a value.

A workbook is a .zip of XML. It is read as a stream and never unpacked; what Excel shows in other ways than by a plain
value (formulas, dates, merged cells, what is hidden) is kept apart so that it can be refused by name.
"""

from __future__ import annotations

import datetime
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple
from xml.parsers import expat

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.package import zip_problems
from nbb_opt.instance.wording import column_letters, shown

_BUILT_IN_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_NOT_PATTERN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|general', re.IGNORECASE)


class StyleHandler:
    """Collects number formats and cell styles while the styles part is parsed."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}
        self.formats: list[str] = []
        self.inside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            self.codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self.inside = True
        elif name == "xf" and self.inside:
            self.formats.append(attributes.get("numFmtId", "0"))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self.inside = False

    def dates(self) -> frozenset[str]:
        """Numbers (as text) of the cell styles that are dates or times."""
        return frozenset(str(i) for i, key in enumerate(self.formats) if self._is_date(key))

    def _is_date(self, key: str) -> bool:
        if key in self.codes:
            return is_date_code(self.codes[key])
        return key.isdecimal() and int(key) in _BUILT_IN_DATES


def is_date_code(code: str) -> bool:
    """Whether a number format shows a date or a time.

    >>> is_date_code("yyyy-mm-dd"), is_date_code('#,##0.00 "days"'), is_date_code("[h]:mm"), is_date_code("General")
    (True, False, True, False)
    """
    return re.search("[dmyhs]", _NOT_PATTERN.sub("", code), re.IGNORECASE) is not None


MAX_CELLS = 2_000_000
MAX_MERGED = 10_000
_LAST_ROW, _LAST_COLUMN = 2**20, 2**14
_LONGEST_TEXT = 40_000
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_KEPT = frozenset("vft")
_CONSTANTS = {"TRUE()": "true", "FALSE()": "false"}  # how LibreOffice writes a plain TRUE or FALSE


class Damaged(Exception):  # noqa: N818 - says what a file is
    """A part of a workbook cannot be used; turned into an InstanceError with the name of the file."""

    def __init__(self, what: str, hint: str = "", rule: str = "workbook") -> None:
        super().__init__(what)
        self.hint, self.rule = hint, rule


class Cell(NamedTuple):
    """What a cell holds: its kind, its value as text, and its formula if it has one ("" if that is shared)."""

    kind: Literal["text", "number", "bool", "error", "date"]
    text: str
    formula: str | None = None


@dataclass
class Grid:
    """Cells by row and column, both counted from 0; blank cells are left out."""

    rows: dict[int, dict[int, Cell]] = field(default_factory=dict)
    merged: list[str] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)


class SheetHandler:
    """Handlers for the elements of a worksheet part; `grid` is complete when parsing ends."""

    def __init__(self, name: str, strings: Sequence[str], dates: Collection[str], *, from_1904: bool) -> None:
        self.name, self.strings, self.dates = name, strings, dates
        self.first_day = datetime.datetime(1904, 1, 1) if from_1904 else datetime.datetime(1899, 12, 30)
        self.grid = Grid()
        self.row = self.column = -1
        self.count = self.phonetic = 0
        self.in_cell = False
        self.kind = self.style = ""
        self.keep = ""
        self.parts: dict[str, list[str]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._start_cell(attributes)
        elif self.in_cell and name in _KEPT and not self.phonetic:
            self.keep = name
            self.parts.setdefault(name, [])
        elif name == "rPh":
            self.phonetic += 1
        elif name == "row":
            self.row = int(attributes["r"]) - 1 if "r" in attributes else self.row + 1
            self.column = -1
            if not 0 <= self.row < _LAST_ROW:
                raise Damaged(f"has a row number out of range on sheet {self.name}")
            if attributes.get("hidden") in ("1", "true"):
                self.grid.hidden_rows.add(self.row)
        elif name == "col":
            if attributes.get("hidden") in ("1", "true"):
                self.grid.hidden_columns.append((int(attributes["min"]) - 1, int(attributes["max"]) - 1))
        elif name == "mergeCell" and len(self.grid.merged) < MAX_MERGED:
            self.grid.merged.append(attributes.get("ref", "")[:30])

    def end(self, name: str) -> None:
        if name == "c":
            self._end_cell()
            self.in_cell = False
        elif name == "rPh":
            self.phonetic -= 1
        self.keep = ""

    def text(self, data: str) -> None:
        if self.keep:
            self.parts[self.keep].append(data)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > MAX_CELLS:
            hint = "delete the empty formatted rows and columns around the table"
            raise Damaged(f"has more than {MAX_CELLS} cells on sheet {self.name}", hint, "size")
        self.in_cell, self.keep = True, ""
        self.parts.clear()
        self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "0")
        if "r" not in attributes:
            self.column += 1
            return
        place = cell_place(attributes["r"])
        if place is None or place[0] != self.row:
            raise Damaged(f"has a cell at {attributes['r'][:12]!r} in row {self.row + 1} of sheet {self.name}")
        self.column = place[1]

    def _end_cell(self) -> None:
        formula = "".join(self.parts["f"])[:200] if "f" in self.parts else None
        raw = "".join(self.parts.get("t" if self.kind == "inlineStr" else "v", ()))
        if not raw and formula is None:
            return
        if len(raw) > _LONGEST_TEXT:
            raise Damaged(f"has a text of {len(raw)} characters on sheet {self.name}", "shorten it", "length")
        row = self.grid.rows.setdefault(self.row, {})
        if self.column in row:
            raise Damaged(f"has two cells in one place on sheet {self.name}")
        constant = _CONSTANTS.get(formula or "") if self.kind == "b" else None
        cell = Cell("bool", constant) if constant else self._cell(raw, formula)
        if cell.text or formula is not None:
            row[self.column] = cell

    def _cell(self, raw: str, formula: str | None) -> Cell:
        if self.kind == "s":
            place = int(raw or "-1")
            if not 0 <= place < len(self.strings):
                raise Damaged(f"refers to a text that is missing on sheet {self.name}")
            return Cell("text", self.strings[place], formula)
        if self.kind in ("inlineStr", "str"):
            return Cell("text", unescaped(raw), formula)
        if self.kind == "b":
            return Cell("bool", "true" if raw.strip() in ("1", "true") else "false", formula)
        if self.kind == "e":
            return Cell("error", raw.strip(), formula)
        if self.kind == "d":
            return Cell("date", raw.strip(), formula)
        if not raw:
            return Cell("number", "", formula)
        try:
            value = float(raw)
        except ValueError:
            where = f"{self.name}!{column_letters(self.column)}{self.row + 1}"
            raise Damaged(f"holds {shown(raw)} for a number in {where}") from None
        if self.style in self.dates:
            return Cell("date", self._day(value), formula)
        return Cell("number", raw.strip(), formula)

    def _day(self, days: float) -> str:
        try:
            moment = self.first_day + datetime.timedelta(days=days)
        except (OverflowError, ValueError):
            return f"day {days:g}"
        return moment.date().isoformat() if days == int(days) else moment.isoformat(" ", "minutes")


def cell_place(reference: str) -> tuple[int, int] | None:
    """Row and column of a cell, counted from 0; None if it is not one.

    >>> cell_place("A1"), cell_place("AA10"), cell_place("XFE1")
    ((0, 0), (9, 26), None)
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return None
    column = 0
    for letter in match.group(1):
        column = column * 26 + ord(letter) - 64
    row = int(match.group(2))
    return (row - 1, column - 1) if 1 <= row <= _LAST_ROW and column <= _LAST_COLUMN else None


def unescaped(text: str) -> str:
    r"""Text with Excel's escapes (`_x000D_` for a control character) undone.

    >>> unescaped("a_x000A_b"), unescaped("_x005F_x0041_")
    ('a\nb', '_x0041_')
    """
    return _ESCAPED.sub(
        lambda m: m.group() if "D800" <= m.group(1).upper() <= "DFFF" else chr(int(m.group(1), 16)), text
    )


MAX_FILE_BYTES = 64 * 2**20
MAX_UNPACKED_BYTES = 256 * 2**20
_CHUNK_BYTES = 2**16
_MAX_STRINGS = 1_000_000
_MAX_SHEETS = 200
_OLE = b"\xd0\xcf\x11\xe0"
_SAVE = "open it in Excel or LibreOffice and save it as an Excel workbook (.xlsx)"
Start = Callable[[str, dict[str, str]], None]


@dataclass(frozen=True)
class Book:
    """Names of all sheets in order, those that are hidden, and the grids of the sheets that were asked for."""

    names: tuple[str, ...]
    hidden: frozenset[str]
    grids: dict[str, Grid]


def read_book(path: Path, wanted: Collection[str]) -> Book:
    """The sheets of a workbook. Raises InstanceError if it is not one, is damaged, or is not safe to read."""

    def refuse(what: str, hint: str, rule: str = "workbook") -> InstanceError:
        return InstanceError([Problem(path.name, what, hint, rule)])

    try:
        size = path.stat().st_size
        with open(path, "rb") as stream:
            start = stream.read(4)
        if size > MAX_FILE_BYTES:
            raise refuse(f"has {size / 2**20:.0f} MiB", f"a workbook has at most {MAX_FILE_BYTES // 2**20} MiB", "size")
        if start == _OLE:
            what = "is protected by a password, or is of the old format of Excel"
            raise refuse(what, f"{_SAVE}, without a password")
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            problems = zip_problems(path.name, entries)
            if problems:
                raise InstanceError(problems)
            total = sum(entry.file_size for entry in entries)
            if total > MAX_UNPACKED_BYTES:
                hint = (
                    f"{MAX_UNPACKED_BYTES // 2**20} MiB are allowed; delete the empty formatted rows under the tables"
                )
                raise refuse(f"unpacks to {total / 2**20:.0f} MiB", hint, "size")
            if any(entry.filename.lower().endswith(("vbaproject.bin", "workbook.bin")) for entry in entries):
                raise refuse("holds macros or is binary", _SAVE)
            return _Reader(archive).book(wanted)
    except Damaged as fault:
        raise refuse(str(fault), fault.hint or _SAVE, fault.rule) from fault
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, expat.ExpatError) as error:
        raise refuse(f"cannot be read as a workbook: {error}", _SAVE) from error
    except (ValueError, LookupError, RuntimeError, OverflowError) as error:
        raise refuse(f"is damaged: {type(error).__name__} {error}", _SAVE) from error


class _Reader:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.members = {info.filename.casefold(): info.filename for info in archive.infolist()}

    def book(self, wanted: Collection[str]) -> Book:
        main = next(iter(self._related("").get("officeDocument", {}).values()), "")
        if not main:
            raise Damaged("is not an Excel workbook")
        sheets: list[tuple[str, str, bool]] = []
        dates_from_1904 = False

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal dates_from_1904
            if name == "sheet":
                key = next((v for k, v in attributes.items() if k.rpartition(":")[2] == "id" and ":" in k), "")
                shown = attributes.get("state", "visible") == "visible"
                sheets.append((unescaped(attributes.get("name", "")), key, shown))
                if len(sheets) > _MAX_SHEETS:
                    raise Damaged(f"has more than {_MAX_SHEETS} sheets")
            elif name == "workbookPr":
                dates_from_1904 = attributes.get("date1904") in ("1", "true")

        self._parse(main, start)
        related = self._related(main)
        strings = self._strings(next(iter(related.get("sharedStrings", {}).values()), ""))
        styles = StyleHandler()
        for style_part in related.get("styles", {}).values():
            self._parse(style_part, styles.start, styles.end)
        names = [name for name, _, _ in sheets]
        if len({name.casefold() for name in names}) < len(names):
            raise Damaged("has two sheets of one name")
        grids = {}
        for name, key, _ in sheets:
            if name in wanted:
                part = related.get("worksheet", {}).get(key, "")
                if not part:
                    raise Damaged(f"has a sheet {name!r} without cells", "it must be a worksheet, not a chart")
                handler = SheetHandler(name, strings, styles.dates(), from_1904=dates_from_1904)
                self._parse(part, handler.start, handler.end, handler.text)
                grids[name] = handler.grid
        return Book(tuple(names), frozenset(name for name, _, shown in sheets if not shown), grids)

    def _related(self, part: str) -> dict[str, dict[str, str]]:
        """Parts a part refers to: kind -> id -> name inside the .zip."""
        folder, _, file = part.rpartition("/")
        found: dict[str, dict[str, str]] = {}

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "Relationship" and attributes.get("TargetMode") != "External":
                kind = attributes.get("Type", "").rpartition("/")[2]
                target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/")
                found.setdefault(kind, {})[attributes.get("Id", "")] = target

        self._parse(f"{folder}/_rels/{file}.rels".lstrip("/"), start)
        return found

    def _strings(self, part: str) -> list[str]:
        strings: list[str] = []
        pieces: list[str] = []
        keep = False
        phonetic = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal keep, phonetic
            if name == "si":
                pieces.clear()
            elif name == "rPh":
                phonetic += 1
            keep = name == "t" and not phonetic

        def end(name: str) -> None:
            nonlocal keep, phonetic
            keep = False
            if name == "rPh":
                phonetic -= 1
            elif name == "si":
                strings.append(unescaped("".join(pieces)))
                if len(strings) > _MAX_STRINGS:
                    raise Damaged(f"holds more than {_MAX_STRINGS} texts", rule="size")

        def text(data: str) -> None:
            if keep:
                pieces.append(data)

        if part:
            self._parse(part, start, end, text)
        return strings

    def _parse(
        self,
        part: str,
        start: Start,
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        """Feeds one XML part to handlers; names come without namespace. Document types and entities are refused."""
        member = self.members.get(part.casefold())
        if member is None:
            raise Damaged(f"has no part {part or 'of any kind'}")
        parser = expat.ParserCreate()
        parser.buffer_text = True

        def refuse_doctype(*_: object) -> None:
            raise Damaged("declares a document type, which workbooks do not")

        parser.StartDoctypeDeclHandler = refuse_doctype
        parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
        if end is not None:
            parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
        if text is not None:
            parser.CharacterDataHandler = text
        with self.archive.open(member) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
