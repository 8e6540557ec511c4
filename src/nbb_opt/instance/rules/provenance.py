"""Where figures come from, and how far the assumed ones may be off."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nbb_opt.errors import Problem
from nbb_opt.instance.cells import pieces
from nbb_opt.instance.rules.registry import Row, World, rule
from nbb_opt.instance.schema import BY_NAME, TABLES, Table
from nbb_opt.instance.wording import did_you_mean, listed

ASSUMPTION = "assumption"
EVERY = "*"


def uncertain_columns(table: Table) -> list[str]:
    """Columns a range may be given for: numbers but for years and coordinates."""
    return [c.name for c in table.columns if c.kind in ("number", "integer") and c.unit != "degrees"]


def row_name(row: Row, table: Table) -> str:
    """The key of a row, parts joined by `/`."""
    return "/".join(str(row[name]) for name in table.key)


def _with_source(world: World) -> Iterator[Table]:
    for table in TABLES:
        if table.name in world.frames and any(column.name == "source" and column.target for column in table.columns):
            yield table


def _assumed(row: Row) -> bool:
    return ASSUMPTION in pieces(row["source"])


@rule("sources")
def assumptions_give_their_reason(world: World) -> Iterator[Problem]:
    """A row whose source is `assumption` gives the reason in its note."""
    for table in _with_source(world):
        for i, row in world.rows(table.name):
            if _assumed(row) and len(row["note"]) < 3:
                what = "is blank although the source is 'assumption'"
                yield world.fault(table.name, i, "note", None, what, "say why this figure was assumed")


@rule("ranges")
def ranges_name_a_figure(world: World) -> Iterator[Problem]:
    """A range names a table, a column of numbers in it, and a row: its key joined by `/`, or `*`."""
    for i, row in world.rows("ranges"):
        names = [t.name for t in TABLES if t.name not in ("od", "ranges", "sources")]
        if row["table"] not in names:
            hint = did_you_mean(row["table"], names) or f"one of {listed(names, 99)}"
            yield world.fault("ranges", i, "table", row["table"], "is not a table that ranges may name", hint)
            continue
        table = BY_NAME[row["table"]]
        columns = uncertain_columns(table)
        if row["column"] not in columns:
            hint = did_you_mean(row["column"], columns) or f"one of {listed(columns, 99)}"
            what = f"is not a column of numbers in {table.name}"
            yield world.fault("ranges", i, "column", row["column"], what, hint)
        if table.name not in world.frames or world.faults[table.name].rows:
            continue
        if row["row"] == EVERY:
            if not any(_assumed(other) for other in world.each(table.name)):
                what = f"stands for rows whose source is 'assumption', and {table.name} has none"
                yield world.fault("ranges", i, "row", EVERY, what, "name a row, or remove the range")
            continue
        keys = [row_name(other, table) for other in world.each(table.name)]
        if row["row"] not in keys:
            hint = did_you_mean(row["row"], keys) or f"rows are named {'/'.join(table.key)}"
            yield world.fault("ranges", i, "row", row["row"], f"is not a row of {table.name}", hint)


@rule("ranges", uses=("ranges",))
def assumptions_have_a_range(world: World) -> Iterator[Problem]:
    """A row with numbers whose source holds `assumption` is covered by a range: its row, or `*` of its table."""
    covered = {(row["table"], row["row"]) for row in world.each("ranges")}
    for table in _with_source(world):
        columns = uncertain_columns(table)
        if not columns or (table.name, EVERY) in covered:
            continue
        for i, row in world.rows(table.name):
            name = row_name(row, table)
            numbers = [column for column in columns if not math.isnan(row[column])]
            if _assumed(row) and numbers and (table.name, name) not in covered:
                what = "has no row in ranges although the source is 'assumption'"
                hint = f"add {table.name},{name},{numbers[0]},<low>,<high>,<reason> (or {table.name},*) to ranges"
                yield world.fault(table.name, i, "source", row["source"], what, hint)
