"""Tables by year say something for every period."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from nbb_opt.errors import Problem
from nbb_opt.instance.rules.registry import Row, World, rule
from nbb_opt.instance.schema import TABLES, Table
from nbb_opt.instance.years import key_without_year

BY_YEAR = tuple(table for table in TABLES if table.by_year)


def _groups(world: World, table: Table) -> dict[tuple[str, ...], list[tuple[int, Row]]]:
    """Rows of each key, sorted by year; keys with a row at fault are left out."""
    groups: dict[tuple[str, ...], list[tuple[int, Row]]] = {}
    names = key_without_year(table)
    for i, row in world.rows(table.name):
        groups.setdefault(tuple(row[name] for name in names), []).append((i, row))
    faults = world.faults[table.name]
    frame = world.frames[table.name]
    for i in faults.rows:
        groups.pop(tuple(frame[name].iloc[i] for name in names), None)
    return {key: sorted(rows, key=lambda entry: entry[1]["year"]) for key, rows in groups.items()}


def _tables(world: World) -> Iterator[Table]:
    for table in BY_YEAR:
        if table.name in world.frames and not world.faults[table.name].unusable:
            yield table


@rule(uses=("meta",))
def years_cover_periods(world: World) -> Iterator[Problem]:
    """In a table by year every key has values from the first to the last period's start year, or around them."""
    first, last = world.periods[0].year, world.periods[-1].year
    for table in _tables(world):
        for key, rows in _groups(world, table).items():
            name = "/".join(key)
            given = [row["year"] for _, row in rows]
            columns = ", ".join(key_without_year(table))
            years = f"{given[0]}" if len(given) == 1 else f"{given[0]} to {given[-1]}"
            for year, index, missing in ((first, rows[0][0], given[0] > first), (last, rows[-1][0], given[-1] < last)):
                if missing:
                    what = f"has no value for {year}: its years are {years}"
                    hint = f"add a row of {name} for {year}; nothing is carried beyond the given years"
                    yield world.fault(table.name, index, columns, name, what, hint)


@rule(uses=("meta",))
def no_mixing_of_blank_and_number(world: World) -> Iterator[Problem]:
    """Where a period lies between two given years, a column is a number in both or blank in both."""
    for table in _tables(world):
        columns = [c.name for c in table.columns if c.kind in ("number", "integer") and c.blank is not None]
        if not columns:
            continue
        for rows in _groups(world, table).values():
            for (_, low), (i, high) in itertools.pairwise(rows):
                between = [period.year for period in world.periods if low["year"] < period.year < high["year"]]
                for column in columns:
                    if between and math.isnan(low[column]) != math.isnan(high[column]):
                        what = f"is a number in one year and blank in the other, and {between[0]} lies between them"
                        yield world.fault(table.name, i, column, None, what, f"add a row for {between[0]}")
