"""A fleet plan as it is typed: texts in cells, each fault at its cell, by the rules that a plan file obeys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from nbb_opt.errors import Problem
from nbb_opt.instance import Instance
from nbb_opt.instance.cells import CellFaults
from nbb_opt.instance.read import check_keys, frame_of, parsed
from nbb_opt.instance.wording import TableFile
from nbb_opt.studies.audit.plan import PLAN, name_problems, number_text

COLUMNS = tuple(column.name for column in PLAN.columns)
Row = Sequence[str]


@dataclass(frozen=True)
class CellProblem:
    """What is wrong in the cells of one row (counted from 0); `row` is None if it is about the plan as a whole."""

    row: int | None
    columns: tuple[str, ...]
    what: str
    hint: str


class _Place(str):
    """A place in words that also knows its row and columns."""

    row: int
    columns: tuple[str, ...]


class _Typed(TableFile):
    def place(self, index: int, column: str = "", value: object = None) -> str:
        found = _Place(super().place(index, column, value))
        found.row, found.columns = int(index), tuple(name.strip() for name in column.split(",") if name)
        return found


def read_cells(
    rows: Sequence[Row], instance: Instance, orders: list[str]
) -> tuple[pd.DataFrame | None, list[CellProblem]]:
    """The plan in `rows` (texts in the order of COLUMNS), and every problem; no plan if there is a problem.

    Rows without any text are passed over. `orders` are the names of the orders (`order_names`).
    """
    problems: list[Problem] = []
    blank = {i for i, row in enumerate(rows) if not any(row)}
    faults = CellFaults(_Typed("plan", "plan", 1), problems, unusable=blank)
    values = parsed({name: [row[n] for row in rows] for n, name in enumerate(COLUMNS)}, PLAN, faults)
    assert values is not None
    frame = frame_of(PLAN, values)
    check_keys(PLAN, frame, faults)
    frame = frame.drop(index=sorted(blank))
    problems += name_problems(faults.file, frame[frame["what"].isin(PLAN.columns[0].options)], instance, orders)
    found: list[CellProblem] = []
    told: set[tuple[int, str]] = set()
    for problem in problems:
        where = problem.where
        if not isinstance(where, _Place):
            found.append(CellProblem(None, (), f"{where}: {problem.what}", problem.hint))
        elif not told & {(where.row, name) for name in where.columns}:  # of a cell the first fault is told
            told |= {(where.row, name) for name in where.columns}
            what = problem.what.replace("has the same key as", "says the same what, place, type and year as")
            found.append(CellProblem(where.row, where.columns, what, problem.hint))
    return (None if found else frame.reset_index(drop=True)), found


def cells_of(table: pd.DataFrame) -> list[list[str]]:
    """The texts of a plan, whole numbers without a point.

    >>> cells_of(pd.DataFrame([("truck", "U", "DIESEL", 2026, 3.0, "")], columns=list(COLUMNS)))
    [['truck', 'U', 'DIESEL', '2026', '3', '']]
    """
    return [
        [number_text(cell) if isinstance(cell, float) else str(cell) for cell in row]
        for row in table[list(COLUMNS)].itertuples(index=False)
    ]
