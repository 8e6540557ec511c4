"""OD rows in memory and on disk: the columns of the schema, each id once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from nbb_opt.demand.columns import COLUMNS, IDS
from nbb_opt.errors import InstanceError, Problem

WORDS = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema([*[(name, WORDS) for name in IDS], ("year", pa.int16()), ("tonnes", pa.float64())])
ROW_GROUP_ROWS = 1_000_000


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
