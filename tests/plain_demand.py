"""What the kernels of the demand do, in plain Python: slow, short, and the yardstick of the tests."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from nbb_opt.demand import flow_table as table

Row = tuple[int, int, int, int, float]  # origin, destination, commodity, year, tonnes
Key = tuple[int, int, int, int]


def fault_of(row: Row, seen: Mapping[Key, float]) -> int:
    """Number of the fault of a row, -1 if it has none."""
    origin, destination, commodity, year, tonnes = row
    if origin < 0:
        return table.FAULT_ORIGIN_UNKNOWN if origin == table.UNKNOWN else table.FAULT_ORIGIN_NO_ZONE
    if destination < 0:
        return table.FAULT_DESTINATION_UNKNOWN if destination == table.UNKNOWN else table.FAULT_DESTINATION_NO_ZONE
    if commodity < 0:
        return table.FAULT_COMMODITY_UNKNOWN
    if not 0 <= year - table.FIRST_YEAR < table.YEAR_SLOTS:
        return table.FAULT_YEAR
    if not math.isfinite(tonnes):
        return table.FAULT_NOT_FINITE
    if tonnes < 0:
        return table.FAULT_NEGATIVE
    if origin == destination:
        return table.FAULT_SAME_PLACE
    return table.FAULT_DUPLICATE if row[:4] in seen else -1


def collect(rows: Iterable[Row]) -> tuple[dict[Key, float], list[list[int]]]:
    """Accepted rows by (origin, destination, commodity, year), and the row numbers of every kind of fault."""
    seen: dict[Key, float] = {}
    faults: list[list[int]] = [[] for _ in range(table.FAULTS)]
    for number, row in enumerate(rows):
        fault = fault_of(row, seen)
        if fault >= 0:
            faults[fault].append(number)
        else:
            seen[row[:4]] = row[4]
    return seen, faults


def tonnes_in(given: Mapping[int, float], file_years: Sequence[int], year: int) -> float:
    """Tonnes of one flow in `year`, linear between the years of the file; zero in a year of the file it is absent from.

    >>> tonnes_in({2025: 10.0}, [2025, 2035], 2030)
    5.0
    """
    if year in file_years:
        return given.get(year, 0.0)
    before = max(y for y in file_years if y < year)
    after = min(y for y in file_years if y > year)
    a, b = given.get(before, 0.0), given.get(after, 0.0)
    return a + (b - a) * ((year - before) / (after - before))
