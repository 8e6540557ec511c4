"""From the text of a cell to its value: one strict grammar per kind, every fault with its place and likely fix."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field

import numpy as np

from nbb_opt.errors import Problem
from nbb_opt.instance.schema import Column
from nbb_opt.instance.wording import TableFile, did_you_mean, likely_value, listed, number, shown, with_unit
from nbb_opt.renames import HOW, new_choice

Values = list[str] | np.ndarray

_NUMBER = r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?"
_INTEGER = r"-?[0-9]{1,18}"
_ONE_NUMBER = re.compile(_NUMBER)
_ONE_INTEGER = re.compile(_INTEGER)
_NUMBERS = re.compile(f"(?:(?:{_NUMBER})?\n)*")
_INTEGERS = re.compile(f"(?:(?:{_INTEGER})?\n)*")
# What cannot be seen: control and format characters, fillers, selectors, marks of direction, what has no meaning yet.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
_ODD_SPACE = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
# Letters of other scripts that look like Latin ones, as pairs.
_ALIKE = "АAВBЕEЅSІIЈJКKМMНHОOРPСCТTУYХXаaеeіiјjоoрpсcуyхxѕsΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXοoνv"
_LATIN_OF = str.maketrans(dict(zip(_ALIKE[::2], _ALIKE[1::2], strict=True)))
_NOT_IN_ID = re.compile(r"[;/*\"]")
SHOWN_IN_FULL = 50
NOT_PLAUSIBLE = "is not plausible"  # how every message about such a figure begins
SMALLEST = 1e-7  # a solver drops coefficients not much smaller
_LONGEST_TEXT = 5000
_LONGEST_ID = 120
TRUE_WORDS = ("true", "t", "1", "yes", "y", "ja", "j", "sant", "wahr", "x")
FALSE_WORDS = ("false", "f", "0", "no", "n", "nej", "nei", "ei", "falskt", "falsch")


@dataclass
class CellFaults:
    """Collects the faults of one table.

    `rows` are the indices of rows with a fault in a cell; `unusable` rows could not be read at all and are passed over.
    `told` cells (row index and column) were named before, as what a workbook holds but a table cannot say.
    Of one kind of fault in one column the first ones are told in full, the others are counted (`count_the_rest`).
    `offset` is the index of the first row where a file is read in parts.
    """

    file: TableFile
    problems: list[Problem]
    _: KW_ONLY
    rows: set[int] = field(default_factory=set)
    unusable: set[int] = field(default_factory=set)
    offset: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    told: frozenset[tuple[int, str]] = frozenset()

    def add(self, index: int, column: str, value: object, what: str, hint: str = "", *, rule: str) -> None:
        if index in self.unusable or (index, column) in self.told:
            return
        self.rows.add(index)
        self.counts[column, rule] += 1
        if self.counts[column, rule] > SHOWN_IN_FULL:
            return
        self.problems.append(Problem(self.file.place(self.offset + index, column, value), what, hint, rule))

    def count_the_rest(self) -> None:
        """Adds one problem for each kind of fault that was met more often than it was told."""
        for (column, rule), count in self.counts.items():
            if count > SHOWN_IN_FULL:
                what = f"{count - SHOWN_IN_FULL} more faults of the kind {rule!r}"
                where = f"{self.file.file}, column {column}"
                self.problems.append(Problem(where, what, "see the first ones", rule))


def parse_column(cells: Sequence[str], column: Column, faults: CellFaults) -> Values:
    """Values of a column given as text: list of str, float64 (NaN = blank), int64 or bool array."""
    if column.kind in ("number", "integer", "year"):
        return parse_numbers(cells, column, faults)
    if column.kind == "bool":
        return _parse_bools(cells, column, faults)
    texts = list(cells)
    check_texts(texts, column, faults)
    return texts


def as_stored(values: np.ndarray, column: Column) -> np.ndarray:
    """Float values as they are stored: int64 for whole-number columns without blanks, else float64."""
    if column.kind in ("integer", "year") and column.blank is None:
        return np.where(np.isfinite(values), values, 0).astype(np.int64)
    return values


def parse_numbers(cells: Sequence[str], column: Column, faults: CellFaults) -> np.ndarray:
    """Float64 values of a column of text; blank cells and cells at fault are NaN."""
    whole = column.kind in ("integer", "year")
    if (_INTEGERS if whole else _NUMBERS).fullmatch("\n".join([*cells, ""])):
        values = np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)
    else:
        values = np.full(len(cells), np.nan)
        for i, cell in enumerate(cells):
            if (_ONE_INTEGER if whole else _ONE_NUMBER).fullmatch(cell):
                values[i] = float(cell)
            elif cell:
                what, hint = _not_a_number(cell, whole=whole)
                faults.add(i, column.name, cell, what, hint, rule="number")
    blank = np.fromiter((not cell for cell in cells), dtype=bool, count=len(cells))
    check_numbers(values, blank, column, faults)
    return values


def is_number(cell: str) -> bool:
    """Whether a cell is a number as written.

    >>> is_number("1e3"), is_number("1 000"), is_number("inf")
    (True, False, False)
    """
    return _ONE_NUMBER.fullmatch(cell) is not None


def check_numbers(values: np.ndarray, blank: np.ndarray, column: Column, faults: CellFaults) -> None:
    """Blank cells where none may be, values that are not finite, and values out of hard bounds (set to NaN)."""
    if column.blank is None:
        for i in np.flatnonzero(blank).tolist():
            unit = f" in {column.unit}" if column.unit else ""
            faults.add(i, column.name, None, "is blank", f"give {column.meaning}{unit}", rule="blank")
    for i in np.flatnonzero(np.isinf(values)).tolist():
        faults.add(i, column.name, None, "is too large a number", _bounds(column), rule="number")
        values[i] = np.nan
    for i in np.flatnonzero((values != 0) & (np.abs(values) < SMALLEST)).tolist():
        what = f"is below the smallest accepted magnitude ({number(SMALLEST)})"
        faults.add(i, column.name, float(values[i]), what, "did you mean 0?", rule="bounds")
        values[i] = np.nan
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    for i in np.flatnonzero((values < low) | (values > high)).tolist():
        value = float(values[i])
        bound = f"is below {with_unit(low, column)}" if value < low else f"is above {with_unit(high, column)}"
        faults.add(i, column.name, value, bound, likely_value(value, column) or _bounds(column), rule="bounds")
        values[i] = np.nan


def check_plausible(values: np.ndarray, notes: Sequence[str] | None, column: Column, faults: CellFaults) -> None:
    """Values outside the plausible range, unless the note of the row says `plausible:` and a reason."""
    low = -np.inf if column.plausible_low is None else column.plausible_low
    high = np.inf if column.plausible_high is None else column.plausible_high
    for i in np.flatnonzero((values < low) | (values > high)).tolist():
        if notes is not None and states_reason(notes[i]):
            continue
        value = float(values[i])
        what = f"{NOT_PLAUSIBLE}: {column.meaning} is usually {number(low)} to {with_unit(high, column)}"
        escape = "if it is right, write 'plausible: <reason>' in the note" if notes is not None else ""
        hint = "; ".join(part for part in (likely_value(value, column), escape) if part)
        faults.add(i, column.name, value, what, hint, rule="plausible")


def states_reason(note: str) -> bool:
    """Whether a note holds `plausible:` followed by a reason."""
    return len(note.partition("plausible:")[2].strip()) >= 3


def check_texts(texts: list[str], column: Column, faults: CellFaults) -> None:
    """Faults of text cells; what a reference refers to is checked once all tables are read."""
    check = _TEXT_CHECKS[column.kind]
    seen: dict[str, tuple[str, str, str] | None] = {}
    for i, text in enumerate(texts):
        if text not in seen:
            seen[text] = _text_fault(text, column) or (check(text, column) if text else None)
        fault = seen[text]
        if fault is not None:
            what, hint, rule = fault
            faults.add(i, column.name, text or None, what, hint, rule=rule)


def name_fault(text: str) -> tuple[str, str] | None:
    """What is wrong with a name, and the likely fix; the one rule for ids wherever they are read or written.

    >>> name_fault("x/y"), name_fault("Umeå")
    (('is a name and may not hold ; / * or "', "did you mean 'x-y'?"), None)
    """
    fault = _hidden_fault(text) or (_id_fault(text) if text else None)
    return fault[:2] if fault else None


def as_latin(text: str) -> str:
    """The text with letters of other scripts that look like Latin ones written as these.

    >>> as_latin("\\u0410\\u0412C")
    'ABC'
    """
    return text.translate(_LATIN_OF)


def clashes(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names that differ from an earlier one by case or by letters that look alike only, and how; once each.

    >>> list(clashes(["mine", "MINE", "mine", "port"]))
    [('MINE', "differs from 'mine' only by upper and lower case")]
    """
    folded: dict[str, str] = {}
    for name in dict.fromkeys(names):
        other = folded.setdefault(as_latin(name).casefold(), name)
        if other != name:
            alike = "by letters that look alike" if name.casefold() != other.casefold() else "by upper and lower case"
            yield name, f"differs from {shown(other)} only {alike}"


def has_control(text: str) -> bool:
    """Whether a text holds control characters or others that cannot be seen."""
    return _CONTROL.search(text) is not None


def split_list(text: str) -> list[str]:
    """Parts of a `;`-joined cell."""
    return text.split(";") if text else []


def _text_fault(text: str, column: Column) -> tuple[str, str, str] | None:
    if not text:
        return ("is blank", f"give {column.meaning}", "blank") if column.blank is None else None
    return _hidden_fault(text)


def _hidden_fault(text: str) -> tuple[str, str, str] | None:
    """What a reader of the text cannot see."""
    if text != text.strip():
        return "has a space at its start or end", f"did you mean {text.strip()!r}?", "spaces"
    if _CONTROL.search(text):
        return "holds a control or invisible character", f"did you mean {_CONTROL.sub('', text)!r}?", "control"
    if unicodedata.normalize("NFC", text) != text:
        return "has letters in decomposed form", "write it in Unicode NFC", "control"
    if len(text) > _LONGEST_TEXT:
        return f"is {len(text)} characters long, {_LONGEST_TEXT} are allowed", "shorten it", "length"
    return None


def _id_fault(text: str, column: Column | None = None) -> tuple[str, str, str] | None:
    if _ODD_SPACE.search(text):
        return "is a name with a space that is no plain one", f"did you mean {_ODD_SPACE.sub(' ', text)!r}?", "id"
    plain = unicodedata.normalize("NFKC", text)
    if plain != text:
        return "is a name with letters that look like others", f"did you mean {plain!r}?", "id"
    latin = as_latin(text)
    if latin != text and re.search("[A-Za-z]", text):
        return "is a name that mixes letters of two scripts that look alike", f"did you mean {latin!r}?", "id"
    if len(text) > _LONGEST_ID:
        return f"is {len(text)} characters long, {_LONGEST_ID} are allowed in a name", "shorten it", "length"
    if _NOT_IN_ID.search(text):
        fixed = _NOT_IN_ID.sub("-", text)
        return 'is a name and may not hold ; / * or "', f"did you mean {fixed!r}?", "id"
    if text[0] in "=+-@":
        return f"is a name and may not start with {text[0]}", f"did you mean {text[1:]!r}?", "id"
    return None


def _choice_fault(text: str, column: Column) -> tuple[str, str, str] | None:
    if text in column.options:
        return None
    if new := new_choice(text, column.options):
        return f"is now called {new}", HOW, "renamed"
    hint = did_you_mean(text, column.options) or f"one of {listed(column.options, 99)}"
    return "is not one of the choices", hint, "choice"


def _list_fault(text: str, column: Column) -> tuple[str, str, str] | None:
    parts = split_list(text)
    tidy = list(dict.fromkeys(part.strip() for part in parts if part.strip()))
    if tidy != parts:
        if not tidy:
            return "is a list without entries", "names separated by ;", "list"
        return "is not a list of different names separated by ;", f"did you mean {';'.join(tidy)!r}?", "list"
    if column.kind == "choices":
        for part in parts:
            fault = _choice_fault(part, column)
            if fault:
                if "," in part:
                    return fault[0], f"did you mean {part.replace(', ', ';').replace(',', ';')!r}?", fault[2]
                return f"holds {part!r}, which is not one of the choices", fault[1], fault[2]
    return None


def _no_fault(text: str, column: Column) -> tuple[str, str, str] | None:
    return None


_TEXT_CHECKS: dict[str, Callable[[str, Column], tuple[str, str, str] | None]] = {
    "id": _id_fault,
    "text": _no_fault,
    "choice": _choice_fault,
    "ref": _no_fault,
    "refs": _list_fault,
    "choices": _list_fault,
}


def _parse_bools(cells: Sequence[str], column: Column, faults: CellFaults) -> np.ndarray:
    for i, cell in enumerate(cells):
        if cell in ("true", "false"):
            continue
        if not cell:
            faults.add(i, column.name, None, "is blank", "true or false", rule="blank")
        elif cell.strip().casefold() in TRUE_WORDS:
            faults.add(i, column.name, cell, "is not true or false", "did you mean true?", rule="bool")
        elif cell.strip().casefold() in FALSE_WORDS:
            faults.add(i, column.name, cell, "is not true or false", "did you mean false?", rule="bool")
        else:
            faults.add(i, column.name, cell, "is not true or false", "true or false", rule="bool")
    return np.fromiter((cell == "true" for cell in cells), dtype=bool, count=len(cells))


def _bounds(column: Column) -> str:
    if column.low is None or column.high is None:
        return ""
    return f"allowed are {number(column.low)} to {with_unit(column.high, column)}"


def _not_a_number(cell: str, *, whole: bool) -> tuple[str, str]:
    kind = "a whole number" if whole else "a number"
    bare = re.sub(r"[\s\u00a0\u202f'’]", "", cell)
    if bare.casefold().lstrip("+-") in ("nan", "na", "n/a", "null", "none", "-", "inf", "infinity", "#n/a", "missing"):
        return "is not a finite number", "give the figure; blank only where the table says what a blank means"
    if re.fullmatch(r"-?[0-9]{1,3},[0-9]{3}", bare):
        decimal = "" if whole else f" (or {bare.replace(',', '.')}?)"
        return f"is not {kind}: no thousands separators", f"did you mean {bare.replace(',', '')}?{decimal}"
    if re.fullmatch(r"-?[0-9]+,[0-9]+", bare):
        return f"is not {kind}: decimal comma", f"did you mean {bare.replace(',', '.')}?"
    if re.fullmatch(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", bare):
        return f"is not {kind}: no thousands separators", f"did you mean {bare.replace(',', '')}?"
    if whole and _ONE_NUMBER.fullmatch(bare):
        value = float(bare)
        if abs(value) < 1e15 and value == int(value):
            return "is not written as a whole number", f"did you mean {int(value)}?"
        return "is not a whole number", ""
    if _ONE_NUMBER.fullmatch(bare.lstrip("+")):
        return f"is not {kind} as written", f"did you mean {bare.lstrip('+')}?"
    start = re.match(r"-?[0-9]+(?:[.,][0-9]+)?(?=[^0-9.,]|$)", bare)
    if start:
        return f"is not {kind}: units and words belong elsewhere", f"did you mean {start.group().replace(',', '.')}?"
    return f"is not {kind}", "digits with a decimal point"
