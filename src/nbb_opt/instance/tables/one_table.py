"""One table from a file of its own: CSV, or a sheet of a workbook, read as strictly as a table of an instance."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import CellFaults
from nbb_opt.instance.read import check_keys, frame_of, parsed
from nbb_opt.instance.schema import Table
from nbb_opt.instance.tables.csv_file import read_csv
from nbb_opt.instance.wording import TableFile
from nbb_opt.instance.workbook.read import is_spreadsheet, read_sheet

MOST_BYTES = 64 * 2**20
MOST_ROWS = 100_000


def read_one_table(path: Path, table: Table) -> tuple[pd.DataFrame, TableFile]:
    """The rows of `path` with the columns of `table`, and the file, which names the place of a cell.

    Raises InstanceError with every cell at fault.
    """
    problems: list[Problem] = []
    if not path.is_file():
        raise InstanceError([Problem(str(path), "is no file", "give a .csv file or a workbook", "missing_file")])
    if path.stat().st_size > MOST_BYTES:
        raise InstanceError([Problem(path.name, "is too large", f"at most {MOST_BYTES // 2**20} MiB", "size")])
    if is_spreadsheet(path):
        sheet = read_sheet(path, table, most_rows=MOST_ROWS)
        faults = sheet.faults(problems)
        values = parsed(sheet.cells, table, faults)
    else:
        faults = CellFaults(TableFile(table.name, path.name), problems)
        values = parsed(read_csv(path.read_bytes(), table, faults), table, faults)
    if values is not None:
        frame = frame_of(table, values)
        check_keys(table, frame, faults)
        faults.count_the_rest()
    if problems or values is None:
        raise InstanceError(problems)
    return frame, faults.file
