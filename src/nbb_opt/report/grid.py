"""A table of the report, the same rows for the page and the workbook; and the rows of a frame, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

import pandas as pd
from markupsafe import Markup

from nbb_opt.report.text import number, short

Cell = str | float | int | None
Style = Literal["text", "count", "number", "percent", "meur", "kt", "year", "decimal", "exponent"]
DECIMALS: dict[Style, int] = {"count": 0, "meur": 2, "kt": 1, "decimal": 2, "percent": 1}


@dataclass(frozen=True)
class Column:
    """A column: its heading, the unit behind it and how its cells are written."""

    title: str
    style: Style = "text"
    unit: str = ""

    @property
    def heading(self) -> str:
        """The heading with its unit."""
        return f"{self.title}, {self.unit}" if self.unit else self.title

    @property
    def numeric(self) -> bool:
        """Whether cells are set to the right."""
        return self.style != "text"


@dataclass(frozen=True)
class Grid:
    """A captioned table. Percentages are shares (0.5 is 50 %), money and tonnes are in the unit of the column."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    _: KW_ONLY
    first: int = 12  # rows shown before the rest is folded away
    note: str = ""
    total_row: bool = False
    name: str = field(default="")

    def written(self) -> list[list[str]]:
        """Every cell as the page shows it."""
        return [[write(cell, column) for cell, column in zip(row, self.columns, strict=True)] for row in self.rows]


@dataclass(frozen=True)
class Section:
    """A heading, a sentence, perhaps a drawing, and tables."""

    heading: str
    text: str
    grids: Sequence[Grid]
    drawing: Markup | None = None


def write(cell: Cell, column: Column) -> str:
    """Write one cell.

    >>> write(0.123, Column("Share", "percent")), write("=1+1", Column("Name")), write(None, Column("Limit", "number"))
    ('12.3', '=1+1', '–')
    """
    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    if column.style == "year":
        return str(int(cell))
    if column.style == "percent":
        return number(cell * 100, DECIMALS["percent"])
    if column.style == "exponent":
        return f"{cell:.1e}"
    if column.style in DECIMALS:
        return number(cell, DECIMALS[column.style])
    return short(cell)


def each(frame: pd.DataFrame) -> Iterator[Any]:
    """Give the rows as named tuples; their fields are as typed as the columns, which a type checker cannot know.

    >>> [row.a for row in each(pd.DataFrame({"a": [1, 2]}))]
    [1, 2]
    """
    return iter(frame.itertuples(index=False))


def known(value: Any, per: float = 1.0) -> Any:
    """A figure of a table over `per`; None where the table has none (NaN, NA or None).

    >>> known(3e6, 1e6), known(2030), known(float("nan")), known(pd.NA), known(None)
    (3.0, 2030, None, None, None)
    """
    return None if pd.isna(value) else value if per == 1 else value / per


def amounts(series: pd.Series) -> Iterator[tuple[Any, float]]:
    """Give the keys and values of a series of numbers.

    >>> list(amounts(pd.Series([1, 2], index=["a", "b"])))
    [('a', 1.0), ('b', 2.0)]
    """
    return zip(series.index.tolist(), series.astype("float64").tolist(), strict=True)
