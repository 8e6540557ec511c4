"""How a fault is put into words: the place, the value, and the likely fix."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass

from nbb_opt.errors import Problem
from nbb_opt.instance.schema import Column

# What a slip of unit usually is: thousands, millions, per cent, minutes, seconds, a shifted digit, a lost sign.
_SLIPS = (1e-3, 1e3, 1e-2, 1e2, 1e-6, 1e6, 1 / 60, 1 / 3600, 0.1, 10.0, -1.0)
_SHOWN_CHARACTERS = 60
_LONGEST_GUESS = 200
_MOST_GUESSES = 2000
_OF_PROGRAMS = ("separator", "utf8", "units", "bool", "parquet", "type")  # rules


@dataclass(frozen=True)
class TableFile:
    """A table as it stands in a file; turns a row index into the row number a person sees.

    Row numbers of a CSV file are line numbers, the header being line 1; those of a Parquet file count records from 1.
    A sheet of a workbook gives `first_row`, the row of its first record, and `columns`, its header from column A on.
    """

    table: str
    file: str
    first_row: int = 0
    columns: tuple[str, ...] = ()

    def row(self, index: int) -> int:
        return int(index) + (self.first_row or (2 if self.file.endswith(".csv") else 1))

    def place(self, index: int, column: str = "", value: object = None) -> str:
        """The place of a cell in words.

        >>> TableFile("links", "links.csv").place(1, "from_node", "Umeo")
        "links.csv row 3, column from_node, value 'Umeo'"
        >>> TableFile("links", "links", 3, ("link", "from_node")).place(1, "from_node", "Umeo")
        "links!B4, column from_node, value 'Umeo'"
        """
        words = f"{self.file} row {self.row(index)}"
        first = column.partition(", ")[0]
        if self.first_row and first in self.columns:
            words = f"{self.file}!{column_letters(self.columns.index(first))}{self.row(index)}"
        if column:
            words += f", column {column}"
        if value is not None:
            words += f", value {shown(value)}"
        return words


def by_another_program(problem: Problem) -> bool:
    """Whether a fault is one of how a program writes a table: `nbb-opt convert` reads such cells and files.

    >>> by_another_program(Problem("links.csv row 1", "columns are separated by tabs", rule="separator"))
    True
    """
    words = ("decimal comma", "thousands separator", "not written as a whole number", "as written")
    return problem.rule in _OF_PROGRAMS or (problem.rule == "number" and any(word in problem.what for word in words))


def column_letters(index: int) -> str:
    """Name of a column of a sheet, counted from 0.

    >>> column_letters(0), column_letters(25), column_letters(26), column_letters(16383)
    ('A', 'Z', 'AA', 'XFD')
    """
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def shown(value: object) -> str:
    """A value in quotes, shortened, without line breaks or other control characters."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 10**15:
        return "a very large number"
    if isinstance(value, (int, float)):
        return number(value)
    text = repr(str(value))
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 4] + "...'"


def number(value: float) -> str:
    """A number as a person writes it.

    >>> number(400.0), number(12.5), number(1e12)
    ('400', '12.5', '1e+12')
    """
    if math.isfinite(value) and value == int(value) and abs(value) < 1e10:
        return str(int(value))
    return f"{value:.10g}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean 'Umea'?` when a known word is close, else an empty string.

    >>> did_you_mean("Umeo", ["Umea", "Vasa"])
    "did you mean 'Umea'?"
    """
    choices = [choice for choice in known if 0 < len(choice) <= _LONGEST_GUESS]
    if len(choices) > _MOST_GUESSES:
        near = [choice for choice in choices if choice[:2].casefold() == word[:2].casefold()]
        choices = near[:_MOST_GUESSES]
    folded = {choice.casefold(): choice for choice in choices}
    if word.casefold() in folded:
        return f"did you mean {shown(folded[word.casefold()])}?"
    for choice in choices:
        if sorted(choice.casefold()) == sorted(word.casefold()):
            return f"did you mean {shown(choice)}?"
    close = difflib.get_close_matches(word.casefold()[:200], list(folded), n=1, cutoff=0.6)
    return f"did you mean {shown(folded[close[0]])}?" if close else ""


def nearest_first(word: str, known: Iterable[str], at_most: int = 200) -> list[str]:
    """Known words, those most like `word` first; more than `at_most` stay as they are.

    >>> nearest_first("grid-no", ["diesel-se", "grid-se"])
    ['grid-se', 'diesel-se']
    """
    choices = list(known)
    if len(choices) > at_most:
        return choices
    return sorted(choices, key=lambda choice: -difflib.SequenceMatcher(None, word[:200], choice[:200]).ratio())


def listed(words: Iterable[str], at_most: int = 8) -> str:
    """Words as a list, cut after some.

    >>> listed(["a", "b"])
    'a, b'
    """
    words = list(words)
    cut = words[:at_most]
    return ", ".join(cut) + (f" and {len(words) - at_most} more" if len(words) > at_most else "")


def likely_value(value: float, column: Column) -> str:
    """`did you mean 400?` when a common slip of unit explains a value outside its range, else an empty string."""
    low = max(x for x in (column.low, column.plausible_low, -math.inf) if x is not None)
    high = min(x for x in (column.high, column.plausible_high, math.inf) if x is not None)
    for slip in (1e-2, *_SLIPS) if column.unit == "share" else _SLIPS:
        guess = value * slip
        if low <= guess <= high and guess != 0:
            rounded = float(f"{guess:.10g}")
            if column.kind in ("integer", "year") and rounded != int(rounded):
                continue
            return f"did you mean {with_unit(rounded, column)}?"
    return ""


def with_unit(value: float, column: Column) -> str:
    return number(value) + (f" {column.unit}" if column.unit and column.unit != "share" else "")
