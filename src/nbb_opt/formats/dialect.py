"""Cells as other programs write them (decimal commas, spaces in thousands, TRUE, 1435.0) rewritten as tables have them.

What a cell means must follow from the file itself: whether 1,234 is a thousand or one and a bit is shown by other cells
(12,5 or 1.234,5), else it is an error that asks for the decimal sign. All that is assumed is noted, once each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import FALSE_WORDS, TRUE_WORDS, is_number
from nbb_opt.instance.schema import Column, Table
from nbb_opt.instance.wording import shown

TONNES = {"t": 0, "kt": 3, "Mt": 6, "kg": -3}  # exponent of ten
_STRICT = {"number": r"^(-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?)?$", "whole": "^(-?[0-9]{1,18})?$"}
_SPACES = " \u00a0\u2007\u2009\u202f'’"
_FORM = r"([+-]?)(?:([1-9][0-9]{{0,2}}(?:([{group}])[0-9]{{3}})(?:\3[0-9]{{3}})*)|([0-9]*))(?:{decimal}([0-9]*))?"
_NUMBERS = {
    sign: re.compile(_FORM.format(group=_SPACES + other, decimal=re.escape(sign)) + r"([eE][+-]?[0-9]{1,4})?")
    for sign, other in ((".", ","), (",", "."))
}
_ONE_GROUP = re.compile(r"[+-]?[1-9][0-9]{0,2}([.,])[0-9]{3}")


@dataclass
class Notes:
    """What was assumed while a file was read, in lines; each kind of thing once, with its first example."""

    file: str
    lines: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, words: str = "", *, column: str = "") -> None:
        place = f"{self.file}, column {column}" if column else self.file
        self.lines.setdefault(f"{place}: {kind}", words)

    def said(self) -> list[str]:
        """
        >>> notes = Notes("a.csv"); notes.add("decimal comma", "12,5 is 12.5"); notes.said()
        ['a.csv: decimal comma, for example 12,5 is 12.5']
        """
        return [f"{kind}, for example {words}" if words else kind for kind, words in self.lines.items()]


@dataclass(frozen=True)
class Dialect:
    """What the user says about a file: `columns` gives new names by old ones ("" leaves a column out), `sep` the
    separator and `decimal` the decimal sign of text, `unit` that of tonnes (a key of TONNES)."""

    columns: Mapping[str, str] = field(default_factory=dict)
    sep: str = ""
    decimal: str = ""
    unit: str = "t"

    def __post_init__(self) -> None:
        problems = []
        if self.sep and (len(self.sep) != 1 or self.sep in '"\r\n.' or self.sep.isalnum()):
            problems.append(Problem(f"sep={shown(self.sep)}", "is no separator", "one of , ; | or \\t"))
        if self.decimal not in ("", ".", ","):
            problems.append(Problem(f"decimal={shown(self.decimal)}", "is no decimal sign", ". or ,"))
        if self.unit not in TONNES:
            problems.append(Problem(f"unit={shown(self.unit)}", "is not known", f"one of {', '.join(TONNES)}"))
        for names in (list(self.columns), [new for new in self.columns.values() if new]):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                problems.append(Problem("columns=", f"names {', '.join(twice)} twice", "name each once"))
        if problems:
            raise InstanceError(problems)


Batches = Callable[[], Iterable[pa.RecordBatch]]


def decimal_sign(batches: Batches, table: Table, file: str, dialect: Dialect, *, plain: bool) -> str:
    """The decimal sign of the number columns of a file of text. `plain`: it is laid out as tables of an instance are,
    so that 1.234 is what it is there. Raises InstanceError if the cells contradict each other or leave it open."""
    if dialect.decimal:
        return dialect.decimal
    proven: dict[str, str] = {}  # sign -> a cell that shows it
    grouped: set[str] = set()  # signs that are seen between thousands
    open_cells: dict[str, tuple[str, str]] = {}  # sign -> a cell and its column
    kinds = {column.name: column for column in table.columns}
    for batch in batches():
        for name in batch.schema.names:
            if name not in kinds or kinds[name].kind not in ("number", "integer", "year"):
                continue
            cells = batch.column(name)
            if plain and "." not in proven:
                points = cells.filter(pc.match_substring(cells, "."))
                proven |= {".": points[0].as_py()} if len(points.filter(_matches(points, "number"))) else {}
            for cell in pc.unique(cells.filter(pc.invert(_matches(cells, "number" if plain else "whole")))).to_pylist():
                one = _ONE_GROUP.fullmatch(cell)
                if one:
                    open_cells.setdefault(one[1], (cell, name))
                    continue
                fits = [sign for sign, form in _NUMBERS.items() if cell and form.fullmatch(cell)]
                if len(fits) == 1 and re.search("[.,]", cell):
                    proven.setdefault(fits[0], cell)
                    grouped |= set(re.findall("[.,]", cell)) - set(fits)
    if len(proven) == 2:
        what = f"has decimal commas ({proven[',']}) and decimal points ({proven['.']})"
        raise InstanceError([Problem(file, what, "correct it, or say which is right: decimal=',' or decimal='.'")])
    sign = next(iter(proven), "." if plain else "")
    for other, (cell, column) in open_cells.items():
        if (sign == other) or (sign and other in grouped):
            continue
        as_group, as_decimal = cell.replace(other, ""), cell.replace(other, ".")
        what = f"{cell} may be {as_group} or {as_decimal}"
        raise InstanceError([Problem(f"{file}, column {column}", what, "say which: decimal=',' or decimal='.'")])
    return sign or "."


def plain_cells(batches: Iterable[pa.RecordBatch], table: Table, sign: str, notes: Notes) -> Iterator[pa.RecordBatch]:
    """Batches of text with the cells of every column of `table` as its tables have them.

    What is not understood stays as it is, to be refused by what reads the tables; but a number that would be read
    there as another one is refused here. Raises InstanceError.
    """
    kinds = {column.name: column for column in table.columns}
    row = 0
    for batch in batches:
        columns = []
        for name, cells in zip(batch.schema.names, batch.columns, strict=True):
            column = kinds.get(name)
            columns.append(cells if column is None else _rewritten(cells, column, sign, notes, row))
        row += batch.num_rows
        yield pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def scaled(texts: pa.Array, unit: str) -> pa.Array:
    """Numbers as text in t instead of `unit`, to the last digit."""
    if not TONNES[unit]:
        return texts
    coded = texts.dictionary_encode()
    return pa.array([_times(cell, TONNES[unit]) for cell in coded.dictionary.to_pylist()], pa.string()).take(
        coded.indices
    )


def _times(cell: str, exponent: int) -> str:
    """
    >>> _times("1.005", 3), _times("2e3", 3), _times("", 3)
    ('1.005e3', '2e6', '')
    """
    if not is_number(cell):
        return cell
    digits, _, power = cell.replace("E", "e").partition("e")
    return f"{digits}e{int(power or 0) + exponent}"


def _matches(cells: pa.Array, kind: str) -> pa.Array:
    """Whether each cell is written as the tables of an instance have it, or blank."""
    return pc.match_substring_regex(cells, _STRICT[kind])


def _rewritten(cells: pa.Array, column: Column, sign: str, notes: Notes, row: int) -> pa.Array:
    if column.kind in ("number", "integer", "year"):
        whole = column.kind != "number"
        if sign == "." and pc.all(_matches(cells, "whole" if whole else "number")).as_py():
            return cells

        def rewrite(cell: str) -> str:
            return _number(cell, column, sign, notes, whole=whole)
    elif column.kind == "bool":

        def rewrite(cell: str) -> str:
            return _bool(cell, column, notes)
    else:

        def rewrite(cell: str) -> str:
            bare = cell.strip()
            if bare != cell:
                notes.add("spaces around text are left out", shown(cell), column=column.name)
            return bare

    coded = cells.dictionary_encode()
    try:
        words = [rewrite(cell) for cell in coded.dictionary.to_pylist()]
    except _Misread as fault:
        at = pc.index(cells, fault.args[0]).as_py() + row + 1
        what = f"{shown(fault.args[0])} would be read as another number where the decimal sign is {sign!r}"
        place = f"{notes.file}, column {column.name}, record {at}"
        raise InstanceError([Problem(place, what, "correct it, or give decimal='.'")]) from None
    return pa.array(words, pa.string()).take(coded.indices)


class _Misread(Exception):  # noqa: N818 - says what would happen
    pass


def _number(cell: str, column: Column, sign: str, notes: Notes, *, whole: bool) -> str:
    bare = cell.strip().replace("\u2212", "-")
    found = _NUMBERS[sign].fullmatch(bare)
    if found is None or not re.search("[0-9]", bare):
        if sign == "," and is_number(bare):
            raise _Misread(cell)
        return cell
    minus, grouped, group, digits, decimals, power = found.groups()
    text = ("-" if minus == "-" else "") + (re.sub("[^0-9]", "", grouped) if grouped else digits)
    if decimals is not None and not (whole and not decimals.strip("0")):
        text += f".{decimals}"
    elif decimals is not None and decimals and not power:
        notes.add("whole numbers are written with decimals", f"{cell} is {text}", column=column.name)
    text += power or ""
    if power and "-" in power:
        text = format(Decimal(text), "f")
    if sign == "," and decimals is not None:
        notes.add("decimal comma", f"{cell} is {text}")
    if group:
        name = {".": "points", ",": "commas", "'": "apostrophes", "’": "apostrophes"}.get(group, "spaces")
        notes.add(f"{name} between thousands", f"{cell!r} is {text}")
    if cell != bare or minus == "+":
        notes.add("spaces around numbers, plus and long minus signs are rewritten", f"{cell!r} is {text}")
    return text


def _bool(cell: str, column: Column, notes: Notes) -> str:
    bare = cell.strip().casefold()
    text = "true" if bare in TRUE_WORDS else "false" if bare in FALSE_WORDS else cell
    if text != cell:
        notes.add(f"{cell} is {text}", column=column.name)
    return text
