"""How a workbook is laid out: its sheets, the row of units, and the two sheets that stand for `instance.toml`."""

from __future__ import annotations

from nbb_opt.instance.schema import META_KEYS, TABLES, Column, Table

README = "README"
HEADER_ROW, UNIT_ROW, FIRST_ROW = 0, 1, 2  # counted from 0
MOST_OD_ROWS = 100_000
CHAIN_KEYS = {
    "alternatives": "how many chains per kind",
    "max_main_legs": "how many rail, sea and ferry legs a chain may have",
}
SETTING_KEYS = {key: meaning for key, meaning in META_KEYS.items() if key not in ("periods", "chains")} | CHAIN_KEYS
WHOLE_SETTINGS = ("price_year", "alternatives", "max_main_legs")

SETTINGS = Table(
    "settings",
    "a key of the instance",
    ("key",),
    (
        Column("key", "id", "which setting"),
        Column("value", "text", "its value"),
        Column("meaning", "text", "what it is; for reading only", blank="nothing to add"),
    ),
)
PERIODS = Table(
    "periods",
    "a stretch of years that is planned as one",
    ("year",),
    (
        Column("year", "year", "first year of the period", "year", low=1950, high=2120),
        Column("years", "integer", "its length; the next period begins where it ends", "years", low=1, high=50),
    ),
)
SHEETS: tuple[Table, ...] = (SETTINGS, PERIODS, *TABLES)
SHEET_NAMES = tuple(table.name for table in SHEETS)


def unit_text(column: Column) -> str:
    """What stands under a header: the unit, or for a column without one what is to be written there.

    >>> unit_text(PERIODS.columns[1]), unit_text(SETTINGS.columns[1])
    ('years', 'text')
    """
    if column.unit:
        return column.unit
    table = column.target.partition(".")[0]
    return {
        "id": "name",
        "text": "text",
        "number": "number",
        "integer": "whole number",
        "year": "year",
        "bool": "TRUE or FALSE",
        "choice": "choice",
        "choices": "choices, joined by ;",
        "ref": f"name from {table}",
        "refs": f"names from {table}, joined by ;",
    }[column.kind]
