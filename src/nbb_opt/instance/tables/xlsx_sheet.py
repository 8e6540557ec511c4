"""One worksheet as it is parsed: the cells that hold something, what is merged, and what is hidden."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from nbb_opt.instance.wording import column_letters, shown

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
