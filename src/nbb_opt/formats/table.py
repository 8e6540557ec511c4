"""OD rows in memory and on disk: the columns of the schema, each id once, refused unless every number is usable."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from nbb_opt.demand.od.source import COLUMNS, IDS
from nbb_opt.errors import InstanceError, Problem

WORDS = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema([*[(name, WORDS) for name in IDS], ("year", pa.int16()), ("tonnes", pa.float64())])
ROW_GROUP_ROWS = 1_000_000
PLACES_SHOWN = 3


@dataclass(frozen=True)
class OdTable:
    """OD rows as positions among `zones` and `commodities`; year and t/year."""

    zones: tuple[str, ...]
    commodities: tuple[str, ...]
    origin: np.ndarray
    destination: np.ndarray
    commodity: np.ndarray
    year: np.ndarray
    tonnes: np.ndarray

    def batches(self) -> Iterator[pa.RecordBatch]:
        zones, commodities = pa.array(self.zones, pa.string()), pa.array(self.commodities, pa.string())
        for start in range(0, self.tonnes.size, ROW_GROUP_ROWS):
            rows = slice(start, start + ROW_GROUP_ROWS)
            ids = zip((self.origin, self.destination, self.commodity), (zones, zones, commodities), strict=True)
            columns = [pa.DictionaryArray.from_arrays(pa.array(c[rows], pa.int32()), words) for c, words in ids]
            columns += [pa.array(self.year[rows], pa.int16()), pa.array(self.tonnes[rows], pa.float64())]
            yield pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def write_parquet(batches: Iterable[pa.RecordBatch], path: Path) -> int:
    """Write OD rows with page checksums; the number of rows. The file appears complete or not at all."""
    rows = 0
    with (
        appearing(path) as work,
        pq.ParquetWriter(
            work, SCHEMA, compression="zstd", write_page_checksum=True, use_dictionary=list(COLUMNS[:4])
        ) as writer,
    ):
        for batch in batches:
            writer.write_batch(batch.cast(SCHEMA), row_group_size=ROW_GROUP_ROWS)
            rows += batch.num_rows
    return rows


def write_csv(batches: Iterable[pa.RecordBatch], path: Path) -> int:
    """Write OD rows as CSV; the number of rows."""
    plain = pa.schema([*[(name, pa.string()) for name in IDS], ("year", pa.int16()), ("tonnes", pa.float64())])
    rows = 0
    options = pa.csv.WriteOptions(quoting_style="needed")
    with appearing(path) as work, pa.csv.CSVWriter(work, plain, write_options=options) as writer:
        for batch in batches:
            writer.write_batch(batch.cast(plain))
            rows += batch.num_rows
    return rows


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """A path to write to, renamed to `path` if all went well and removed if not."""
    if not path.parent.is_dir():
        raise InstanceError([Problem(str(path.parent), "is no folder", "create it first")])
    handle, name = tempfile.mkstemp(prefix=".writing-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    work = Path(name)
    try:
        yield work
        work.chmod(0o644)
        work.replace(path)
    finally:
        work.unlink(missing_ok=True)


def checked(batches: Iterable[pa.RecordBatch], file: str, *, first_row: int = 1) -> Iterator[pa.RecordBatch]:
    """Batches as they come; at their end InstanceError if any cell was blank, not finite, negative or out of range."""
    counts: dict[str, int] = {}
    places: dict[str, list[str]] = {}
    row = first_row
    for batch in batches:
        for what, bad in _faults(batch):
            for i in np.flatnonzero(bad)[: PLACES_SHOWN - len(places.get(what, []))].tolist():
                places.setdefault(what, []).append(f"row {row + i}")
            counts[what] = counts.get(what, 0) + int(bad.sum())
        row += batch.num_rows
        if not any(counts.values()):
            yield batch
    problems = [
        Problem(
            file, f"{count} rows refused: {what}: {', '.join(places[what])}{', ...' if count > 3 else ''}", _hint(what)
        )
        for what, count in counts.items()
        if count
    ]
    if problems:
        raise InstanceError(problems)


def _faults(batch: pa.RecordBatch) -> Iterator[tuple[str, np.ndarray]]:
    for name in IDS:
        column = batch.column(name)
        column = column.cast(pa.string()) if not pa.types.is_dictionary(column.type) else column
        if pa.types.is_dictionary(column.type):
            empty = np.array([not word for word in column.dictionary.to_pylist()] + [True])
            codes = column.indices.fill_null(len(column.dictionary)).to_numpy(zero_copy_only=False)
            yield f"{name} is blank", empty[codes]
        else:
            yield f"{name} is blank", pc.equal(column.fill_null(""), "").to_numpy(zero_copy_only=False)
    year = batch.column("year").cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    yield "year is outside 1950 to 2120", (year < 1950) | (year > 2120)
    tonnes = batch.column("tonnes").cast(pa.float64()).fill_null(float("nan")).to_numpy(zero_copy_only=False)
    yield "tonnes is no finite number", ~np.isfinite(tonnes)
    yield "tonnes is negative", tonnes < 0


def _hint(what: str) -> str:
    return "give every row an origin, destination and commodity" if "blank" in what else "correct or remove the rows"


def names(values: Sequence[object]) -> tuple[str, ...]:
    return tuple(str(value) for value in values)
