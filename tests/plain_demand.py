"""What the kernels of the demand do, in plain Python: slow, short, and the yardstick of the tests."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from nbb_opt.demand import add_rows as kernels

Row = tuple[int, int, int, int, float]  # origin, destination, commodity, year, tonnes
Key = tuple[int, int, int, int]


def fault_of(row: Row) -> int:
    """Number of the fault of a row, -1 if it has none."""
    origin, destination, commodity, year, tonnes = row
    if origin < 0:
        return kernels.FAULT_ORIGIN_UNKNOWN if origin == kernels.UNKNOWN else kernels.FAULT_ORIGIN_NO_ZONE
    if destination < 0:
        return (
            kernels.FAULT_DESTINATION_UNKNOWN if destination == kernels.UNKNOWN else kernels.FAULT_DESTINATION_NO_ZONE
        )
    if commodity < 0:
        return kernels.FAULT_COMMODITY_UNKNOWN
    if not 0 <= year - kernels.FIRST_YEAR < kernels.YEAR_SLOTS:
        return kernels.FAULT_YEAR
    if not math.isfinite(tonnes):
        return kernels.FAULT_NOT_FINITE
    if tonnes < 0:
        return kernels.FAULT_NEGATIVE
    if origin == destination:
        return kernels.FAULT_SAME_PLACE
    if 0 < tonnes < kernels.LEAST_T:
        return kernels.FAULT_TOO_SMALL
    return kernels.FAULT_TOO_LARGE if tonnes > kernels.MOST_T else -1


def collect(rows: Iterable[Row]) -> tuple[dict[Key, float], list[list[int]]]:
    """Sums by (origin, destination, commodity, year), and the row numbers of every kind of fault; a row that repeats an
    earlier key is added and noted."""
    sums: dict[Key, float] = {}
    faults: list[list[int]] = [[] for _ in range(kernels.FAULTS)]
    for number, row in enumerate(rows):
        fault = fault_of(row)
        if fault >= 0:
            faults[fault].append(number)
        elif row[:4] in sums:
            faults[kernels.FAULT_DUPLICATE].append(number)
            sums[row[:4]] += row[4]
        else:
            sums[row[:4]] = row[4]
    return sums, faults


def tonnes_in(given: Mapping[int, float], year: int) -> float:
    """Tonnes of one flow in `year`, linear between the years it gives, not a number outside these.

    >>> tonnes_in({2025: 10.0, 2035: 0.0}, 2030), tonnes_in({2025: 10.0}, 2030)
    (5.0, nan)
    """
    if year in given:
        return given[year]
    before, after = [y for y in given if y < year], [y for y in given if y > year]
    if not before or not after:
        return math.nan
    low, high = max(before), min(after)
    return given[low] + (given[high] - given[low]) * ((year - low) / (high - low))
