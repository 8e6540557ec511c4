"""What a what-if changed of its base, in the report: statements, and cells before and after."""

from __future__ import annotations

from typing import Any

from nbb_opt.report.grid import Cell, Column, Grid
from nbb_opt.report.text import number, plural, short
from nbb_opt.result import Run

COLUMNS = (Column("Table"), Column("Row"), Column("Column"), Column("Before"), Column("After"))


def what_if_of(run: Run) -> dict[str, Any]:
    """What the record says was changed; empty for a run of the base."""
    return dict(run.record.get("what_if") or {})


def what_if_name(run: Run) -> str:
    """The scenarios of a run, "what-if" where cells were changed without one, "" for a run of the base."""
    found = what_if_of(run)
    return ", ".join(found["scenarios"]) or "what-if" if found else ""


def what_if_line(run: Run) -> str:
    """One sentence; "" for a run of the base."""
    found = what_if_of(run)
    if not found:
        return ""
    cells = plural(found["changed_cells"], "cell differs", "cells differ")
    outside = len(found["outside_plausible"])
    beyond = f", {number(outside)} of them beyond the range in which such figures usually lie" if outside else ""
    return f"What if: {what_if_name(run)}. {cells} from the base{beyond}: {'; '.join(found['changes'])}."


def what_if_grids(run: Run) -> list[Grid]:
    """The changed cells; none for a run of the base."""
    found = what_if_of(run)
    if not found:
        return []
    rows: list[list[Cell]] = [
        [cell["table"], cell["row"], cell["column"], _cell(cell["before"]), _cell(cell["after"])]
        for cell in found["cells"]
    ]
    note = what_if_line(run)
    more = found["changed_cells"] - len(rows)
    note += f" The first {number(len(rows))} are shown, {number(more)} more follow from the statements." if more else ""
    return [Grid("What was changed of the base", COLUMNS, rows, note=note, name="What if")]


def _cell(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "blank" if value is None else str(value).lower()
    return short(value) if isinstance(value, (int, float)) else str(value)
