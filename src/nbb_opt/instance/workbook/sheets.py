"""How a workbook is laid out: its sheets, the row of units, the sheets in place of `instance.toml`, and its words."""

from __future__ import annotations

from nbb_opt.instance.schema import META_KEYS, TABLES, Column, Table
from nbb_opt.instance.wording import number, with_unit

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


Line = tuple[str, str, str]  # style ("title", "bold" or ""), left and right text

_STEPS = (
    "Save the workbook under a name of your own. Its rows are an example that works: replace them by yours.",
    "Fill in the sheets from left to right: what a sheet refers to stands in a sheet before it, or close by.",
    "Point at a header to see what the column means, its bounds, and what a blank cell means.",
    "Check it: nbb-opt check mine.xlsx. Every fault is named with its sheet and cell, and what to write instead.",
    "Solve it: nbb-opt solve mine.xlsx.",
)
_RULES = (
    ("Rows 1 and 2", "Row 1 holds the names of the columns, row 2 their units. Leave both as they are."),
    ("Rows from 3 on", "One row for each record, without empty rows between. Nothing may stand under or beside them."),
    ("Numbers", "Written as numbers, in the unit of row 2. In text, the decimal sign is a point."),
    ("More than 15 digits", "Such a figure stands as text, so that no spreadsheet rounds it."),
    ("Yes and no", "TRUE or FALSE, as your spreadsheet calls them."),
    ("Lists", "Several names in one cell are joined by ; without spaces."),
    ("Blank cells", "An error, unless the comment on the header says what a blank means."),
    (
        "What is refused",
        "Formulas, dates, error values, merged cells, hidden sheets, rows and columns, sheets and columns that are not "
        "known. What you see is what is read: paste formulas as values, and show what is hidden.",
    ),
    ("Sources", "Every figure names a row of the sheet sources; 'assumption' needs a reason in the note."),
    ("Demand", f"The sheet od holds at most {MOST_OD_ROWS} rows; more demand needs a folder with od.parquet."),
    ("This sheet", "It is not read: change it as you like."),
)


def readme_lines(title: str, description: str) -> list[Line]:
    """Lines of the README sheet."""
    lines: list[Line] = [("title", title, ""), ("", "", description), ("", "", "")]
    about = "An instance of nbb_opt: everything that is to be planned, one sheet for each table."
    lines += [("bold", "What this is", about), ("", "", ""), ("bold", "How to use it", "")]
    lines += [("", f"Step {i}", step) for i, step in enumerate(_STEPS, start=1)]
    lines += [("", "", ""), ("bold", "What to heed", "")]
    lines += [("", left, right) for left, right in _RULES]
    lines += [("", "", ""), ("bold", "Sheets, in the order to fill them in", "One row is ...")]
    lines += [("", table.name + (" (optional)" if table.optional else ""), _about(table)) for table in SHEETS]
    return lines


def _about(table: Table) -> str:
    words = f"{table.row_is}. No two rows have the same {', '.join(table.key)}."
    if table.by_year:
        words += " Between the years given, figures are interpolated linearly."
    return words


def comment(table: Table, column: Column) -> str:
    """What is said about a column on its header: meaning, what to write, bounds, usual range, and blanks."""
    lines = [f"{column.name}: {column.meaning}."]
    lines.append(f"Unit: {column.unit}." if column.unit else f"Write: {unit_text(column)}.")
    if column.options:
        lines.append(f"Choices: {', '.join(column.options)}.")
    if column.low is not None and column.high is not None:
        lines.append(f"From {number(column.low)} to {with_unit(column.high, column)}.")
    if column.plausible_low is not None and column.plausible_high is not None:
        usual = f"Usually {number(column.plausible_low)} to {with_unit(column.plausible_high, column)}"
        lines.append(f"{usual}; outside it write 'plausible: <reason>' in the note.")
    lines.append(f"Blank means: {column.blank}." if column.blank else "May not be blank.")
    if column.name in table.key:
        others = [name for name in table.key if name != column.name]
        lines.append("Given once only" + (f" with the same {', '.join(others)}." if others else "."))
    return "\n".join(lines)
