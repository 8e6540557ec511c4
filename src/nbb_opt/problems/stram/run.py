"""The run folder of a stram plan and the tables in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nbb_opt.errors import NbbError
from nbb_opt.problems.result import ProblemResult
from nbb_opt.run_folder import RECORD, json_bytes, read_folder, read_record

_STATE = {"scenario": "str", "year": "int64"}
RESULTS: dict[str, dict[str, str]] = {
    "path_flows": {**_STATE, "path": "int64", "product": "str", "tonnes": "float64"},
    "arc_flows": {
        **_STATE, "edge": "str", "from_node": "str", "fuel": "str", "product": "str", "tonnes": "float64",
    },
    "empty_paths": {**_STATE, "path": "int64", "vehicle": "str", "tonnes": "float64"},
    "empty_flows": {
        **_STATE, "edge": "str", "from_node": "str", "fuel": "str", "vehicle": "str", "tonnes": "float64",
    },
    "charging_rented": {**_STATE, "edge": "str", "fuel": "str", "tonnes": "float64"},
    "edges_expanded": {"year": "int64", "edge": "str", "built": "int64"},
    "edges_upgraded": {"year": "int64", "edge": "str", "built": "int64"},
    "terminals_expanded": {**_STATE, "node": "str", "mode": "str", "share": "float64"},
    "costs": {**_STATE, "component": "str", "nok": "float64", "discounted_nok": "float64"},
    "emissions": {**_STATE, "t_co2": "float64", "cap_t_co2": "float64", "excess_t_co2": "float64"},
    "modes": {**_STATE, "mode": "str", "fuel": "str", "tkm": "float64", "share": "float64"},
}  # fmt: skip


def as_result(name: str, rows: pd.DataFrame | list[dict[str, Any]] | None = None) -> pd.DataFrame:
    """Give `rows` exactly the columns and dtypes of result table `name`.

    >>> as_result("edges_expanded", [{"year": 2028, "edge": "A-B", "built": 1}]).shape
    (1, 3)
    """
    dtypes = RESULTS[name]
    frame = pd.DataFrame(rows if rows is not None and len(rows) else None, columns=list(dtypes))
    return frame.astype(dtypes).reset_index(drop=True)


PLAN, FIRST = "tables", "first_year"
BESIDE = ("verify.json", "solver.log", "bounds.csv")


def run_files(
    record: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    first_year: Mapping[str, pd.DataFrame],
    *,
    beside: Mapping[str, str],
) -> dict[str, bytes]:
    """What a run folder holds, contents by name."""
    files = {RECORD: json_bytes(dict(record))}
    for folder, frames in ((PLAN, tables), (FIRST, first_year)):
        for name, frame in frames.items():
            files[f"{folder}/{name}.parquet"] = _parquet(name, frame)
    return files | {name: text.encode("utf-8") for name, text in beside.items()}


def read_stram_run(path: Path, *, refuse_altered: bool = True) -> ProblemResult:
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
    return ProblemResult(
        record=record, lines=(), tables=tables, first_year=first, files=contents, path=Path(path), altered=altered
    )


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
