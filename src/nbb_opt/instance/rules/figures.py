"""Every figure: where it is from, and for which years it is given."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from nbb_opt.errors import Problem
from nbb_opt.instance.cells import split_list
from nbb_opt.instance.rules.registry import Row, RuleContext, rule
from nbb_opt.instance.schema import BY_NAME, TABLES, Table
from nbb_opt.instance.wording import did_you_mean, listed
from nbb_opt.instance.years import key_without_year

ASSUMPTION = "assumption"
EVERY = "*"


def uncertain_columns(table: Table) -> list[str]:
    """Columns a range may be given for: numbers but for years and coordinates."""
    return [c.name for c in table.columns if c.kind in ("number", "integer") and c.unit != "degrees"]


def row_name(row: Row, table: Table) -> str:
    """The key of a row, parts joined by `/`."""
    return "/".join(str(row[name]) for name in table.key)


def _with_source(context: RuleContext) -> Iterator[Table]:
    for table in TABLES:
        if table.name in context.frames and any(column.name == "source" and column.target for column in table.columns):
            yield table


def _assumed(row: Row) -> bool:
    return ASSUMPTION in split_list(row["source"])


@rule("sources")
def assumptions_give_their_reason(context: RuleContext) -> Iterator[Problem]:
    """A row whose source is `assumption` gives the reason in its note."""
    for table in _with_source(context):
        for i, row in context.rows(table.name):
            if _assumed(row) and len(row["note"]) < 3:
                what = "is blank although the source is 'assumption'"
                yield context.fault(table.name, i, "note", None, what, "say why this figure was assumed")


@rule("ranges")
def ranges_name_a_figure(context: RuleContext) -> Iterator[Problem]:
    """A range names a table, a column of numbers in it, and a row: its key joined by `/`, or `*`."""
    for i, row in context.rows("ranges"):
        names = [t.name for t in TABLES if t.name not in ("od", "ranges", "sources")]
        if row["table"] not in names:
            hint = did_you_mean(row["table"], names) or f"one of {listed(names, 99)}"
            yield context.fault("ranges", i, "table", row["table"], "is not a table that ranges may name", hint)
            continue
        table = BY_NAME[row["table"]]
        columns = uncertain_columns(table)
        if row["column"] not in columns:
            hint = did_you_mean(row["column"], columns) or f"one of {listed(columns, 99)}"
            what = f"is not a column of numbers in {table.name}"
            yield context.fault("ranges", i, "column", row["column"], what, hint)
        if table.name not in context.frames or context.faults[table.name].rows:
            continue
        if row["row"] == EVERY:
            if not any(_assumed(other) for other in context.each(table.name)):
                what = f"stands for rows whose source is 'assumption', and {table.name} has none"
                yield context.fault("ranges", i, "row", EVERY, what, "name a row, or remove the range")
            continue
        keys = [row_name(other, table) for other in context.each(table.name)]
        if row["row"] not in keys:
            hint = did_you_mean(row["row"], keys) or f"rows are named {'/'.join(table.key)}"
            yield context.fault("ranges", i, "row", row["row"], f"is not a row of {table.name}", hint)


@rule("ranges", uses=("ranges",))
def assumptions_have_a_range(context: RuleContext) -> Iterator[Problem]:
    """A row with numbers whose source holds `assumption` is covered by a range: its row, or `*` of its table."""
    covered = {(row["table"], row["row"]) for row in context.each("ranges")}
    for table in _with_source(context):
        columns = uncertain_columns(table)
        if not columns or (table.name, EVERY) in covered:
            continue
        for i, row in context.rows(table.name):
            name = row_name(row, table)
            numbers = [column for column in columns if not math.isnan(row[column])]
            if _assumed(row) and numbers and (table.name, name) not in covered:
                what = "has no row in ranges although the source is 'assumption'"
                hint = f"add {table.name},{name},{numbers[0]},<low>,<high>,<reason> (or {table.name},*) to ranges"
                yield context.fault(table.name, i, "source", row["source"], what, hint)


BY_YEAR = tuple(table for table in TABLES if table.by_year)


def _groups(context: RuleContext, table: Table) -> dict[tuple[str, ...], list[tuple[int, Row]]]:
    """Rows of each key, sorted by year; keys with a row at fault are left out."""
    groups: dict[tuple[str, ...], list[tuple[int, Row]]] = {}
    names = key_without_year(table)
    for i, row in context.rows(table.name):
        groups.setdefault(tuple(row[name] for name in names), []).append((i, row))
    faults = context.faults[table.name]
    frame = context.frames[table.name]
    for i in faults.rows:
        groups.pop(tuple(frame[name].iloc[i] for name in names), None)
    return {key: sorted(rows, key=lambda entry: entry[1]["year"]) for key, rows in groups.items()}


def _tables(context: RuleContext) -> Iterator[Table]:
    for table in BY_YEAR:
        if table.name in context.frames and not context.faults[table.name].unusable:
            yield table


@rule(uses=("meta",))
def years_cover_periods(context: RuleContext) -> Iterator[Problem]:
    """In a table by year every key has values from the first to the last period's start year, or around them."""
    first, last = context.periods[0].year, context.periods[-1].year
    for table in _tables(context):
        for key, rows in _groups(context, table).items():
            name = "/".join(key)
            given = [row["year"] for _, row in rows]
            columns = ", ".join(key_without_year(table))
            years = f"{given[0]}" if len(given) == 1 else f"{given[0]} to {given[-1]}"
            for year, index, missing in ((first, rows[0][0], given[0] > first), (last, rows[-1][0], given[-1] < last)):
                if missing:
                    what = f"has no value for {year}: its years are {years}"
                    hint = f"add a row of {name} for {year}; nothing is carried beyond the given years"
                    yield context.fault(table.name, index, columns, name, what, hint)


@rule(uses=("meta",))
def no_mixing_of_blank_and_number(context: RuleContext) -> Iterator[Problem]:
    """Where a period lies between two given years, a column is a number in both or blank in both."""
    for table in _tables(context):
        columns = [c.name for c in table.columns if c.kind in ("number", "integer") and c.blank is not None]
        if not columns:
            continue
        for rows in _groups(context, table).values():
            for (_, low), (i, high) in itertools.pairwise(rows):
                between = [period.year for period in context.periods if low["year"] < period.year < high["year"]]
                for column in columns:
                    if between and math.isnan(low[column]) != math.isnan(high[column]):
                        what = f"is a number in one year and blank in the other, and {between[0]} lies between them"
                        yield context.fault(table.name, i, column, None, what, f"add a row for {between[0]}")
