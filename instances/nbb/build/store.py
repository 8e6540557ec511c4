"""Reads the raw lists and writes the tables of the instance, always in the same bytes."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from nbb_opt.instance.schema import BY_NAME

RAW = Path(__file__).parent / "raw"
YEARS = (2025, 2030, 2035, 2040)
STATUS_DATE = "2026-11-30"
NOK_PER_EUR = 11.6
SEK_PER_EUR = 11.2

Cell = str | int | float | bool | None
Row = dict[str, Cell]
Tables = dict[str, list[Row]]


def raw(name: str) -> list[dict[str, str]]:
    """Rows of ``raw/<name>.csv`` as text; a row with too many or too few cells is an error."""
    with (RAW / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise ValueError(f"raw/{name}.csv line {number}: wrong number of cells")
    return rows


def refs(text: str) -> str:
    """Space separated source names of a raw list as the `;` list of the schema."""
    return ";".join(text.split())


def nok(million: float) -> float:
    """EUR for a number of million Norwegian kroner."""
    return round(million * 1e6 / NOK_PER_EUR, -3)


def sek(million: float) -> float:
    """EUR for a number of million Swedish kronor."""
    return round(million * 1e6 / SEK_PER_EUR, -3)


def shown(value: Cell) -> str:
    """One cell: booleans in small letters, whole numbers without point, others with six significant digits."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a cell is not a finite number")
        if value == int(value) and abs(value) < 1e15:
            return str(int(value))
        text = f"{value:.6g}"
        return f"{float(text):f}".rstrip("0") if "e" in text else text
    return str(value)


def write_tables(tables: Mapping[str, Iterable[Row]], folder: Path) -> None:
    """Writes one CSV per table with the columns of the schema; an unknown column is an error.

    Optional columns without any value are left out.
    """
    for name, given in tables.items():
        rows = list(given)
        used = {column for row in rows for column, value in row.items() if value is not None}
        columns = [column.name for column in BY_NAME[name].columns if not column.optional or column.name in used]
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            out = csv.writer(stream, lineterminator="\n")
            out.writerow(columns)
            for row in rows:
                unknown = set(row) - set(columns)
                if unknown:
                    raise ValueError(f"{name}: unknown columns {sorted(unknown)}")
                out.writerow([shown(row.get(column)) for column in columns])
