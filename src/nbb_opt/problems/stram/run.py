"""The run folder of a stram plan: its record, its tables, those of the first year planned alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nbb_opt.errors import NbbError
from nbb_opt.problems.stram.tables import RESULTS, as_result
from nbb_opt.run_folder import RECORD, json_bytes, read_folder, read_record, write_folder

PLAN, FIRST = "tables", "first_year"
BESIDE = ("verify.json", "solver.log", "bounds.csv")


@dataclass(frozen=True)
class StramRun:
    """A finished run; `first_year` holds the tables of the first year alone, empty where that is the plan itself."""

    path: Path
    record: dict[str, Any]
    tables: Mapping[str, pd.DataFrame]
    first_year: Mapping[str, pd.DataFrame]
    altered: tuple[str, ...] = ()


def write_stram_run(
    target: Path,
    record: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    first_year: Mapping[str, pd.DataFrame],
    *,
    beside: Mapping[str, str],
) -> Path:
    """Write the folder, complete or not at all; an earlier run there is replaced."""
    files = {RECORD: json_bytes(dict(record))}
    for folder, frames in ((PLAN, tables), (FIRST, first_year)):
        for name, frame in frames.items():
            files[f"{folder}/{name}.parquet"] = _parquet(name, frame)
    files |= {name: text.encode("utf-8") for name, text in beside.items()}
    return write_folder(target, files, replace=True)


def read_stram_run(path: Path, *, refuse_altered: bool = True) -> StramRun:
    """Read a run folder; raises NbbError naming what is missing, altered, unknown or cannot be read."""
    needed = [RECORD, *(f"{PLAN}/{name}.parquet" for name in RESULTS)]
    more = [*BESIDE, *(f"{FIRST}/{name}.parquet" for name in RESULTS)]
    contents, altered = read_folder(path, needed=needed, may_hold=more, refuse_altered=refuse_altered)
    record = read_record(contents[RECORD], path)
    tables = {name: _read(contents, f"{PLAN}/{name}.parquet", path) for name in RESULTS}
    held = [name for name in RESULTS if f"{FIRST}/{name}.parquet" in contents]
    first = {name: _read(contents, f"{FIRST}/{name}.parquet", path) for name in held}
    if held and len(held) < len(RESULTS):
        raise NbbError(f"{path / FIRST}: holds some of its tables only; run again")
    return StramRun(Path(path), record, tables, first, altered)


def _parquet(name: str, frame: pd.DataFrame) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pandas(as_result(name, frame), preserve_index=False)
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    return bytes(sink.getvalue().to_pybytes())


def _read(contents: Mapping[str, bytes], file: str, path: Path) -> pd.DataFrame:
    name = Path(file).stem
    try:
        frame = pq.read_table(pa.BufferReader(contents[file]), page_checksum_verification=True).to_pandas()
        if list(frame.columns) != list(RESULTS[name]):
            raise ValueError(f"columns are not {', '.join(RESULTS[name])}")
        return as_result(name, frame)
    except (OSError, ValueError, TypeError, pa.ArrowException) as fault:
        raise NbbError(f"{path / file}: cannot be read as a result table ({fault}); run again") from fault
