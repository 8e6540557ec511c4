"""Run folders of network design: the record, the tables `opened` and `flows` as CSV, and what the verifier said."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import CellFaults
from nbb_opt.instance.wording import TableFile
from nbb_opt.problems.network_design.instance import RESULTS, read_table
from nbb_opt.problems.result import ProblemResult
from nbb_opt.run_folder import RECORD, json_bytes, read_folder, read_record

NEEDED_FILES = (RECORD, *(f"tables/{table.name}.csv" for table in RESULTS))
EXTRA_FILES = ("verify.json", "solver.log", "bounds.csv")


def run_files(
    record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], extra_files: Mapping[str, str]
) -> dict[str, bytes]:
    """What a run folder holds, contents by name."""
    files = {RECORD: json_bytes(dict(record))}
    for table in RESULTS:
        frame = tables[table.name]
        sheet = io.StringIO(newline="")
        writer = csv.writer(sheet, lineterminator="\n")
        writer.writerow([column.name for column in table.columns])
        writer.writerows(zip(*(frame[column.name].tolist() for column in table.columns), strict=True))
        files[f"tables/{table.name}.csv"] = sheet.getvalue().encode("utf-8")
    return files | {name: text.encode("utf-8") for name, text in extra_files.items()}


def read_design_run(path: Path, *, refuse_altered: bool = True) -> ProblemResult:
    """Read a run folder. Raises NbbError for the folder, InstanceError for what its tables hold."""
    contents, altered = read_folder(path, needed=NEEDED_FILES, may_hold=EXTRA_FILES, refuse_altered=refuse_altered)
    tables = {table.name: contents[f"tables/{table.name}.csv"] for table in RESULTS}
    return ProblemResult(
        record=read_record(contents[RECORD], path), lines=(), tables=result_tables(tables), files=contents, path=path,
        altered=altered,
    )  # fmt: skip


def result_tables(contents: Mapping[str, bytes]) -> dict[str, pd.DataFrame]:
    """The tables `opened` and `flows` from the bytes of their CSV files. Raises InstanceError with every fault."""
    problems: list[Problem] = []
    frames: dict[str, pd.DataFrame] = {}
    for table in RESULTS:
        faults = CellFaults(TableFile(table.name, f"{table.name}.csv"), problems)
        frame = read_table(contents[table.name], table, faults)
        faults.count_the_rest()
        if frame is not None:
            frames[table.name] = frame
    if problems:
        raise InstanceError(problems)
    return frames
