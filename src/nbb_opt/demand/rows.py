"""Stream the rows of a CSV file of OD rows, batch by batch, ids already turned into indices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv

from nbb_opt.demand.flow_table import UNKNOWN
from nbb_opt.demand.od.columns import IDS, SHIPPER, check_columns
from nbb_opt.errors import InstanceError, Problem

BLOCK_BYTES = 1 << 23


@dataclass(frozen=True)
class Batch:
    """Rows of the file from number `row_0` on: indices (UNKNOWN or NO_ZONE if refused), years, t/year, rows as read."""

    row_0: int
    origin: np.ndarray
    destination: np.ndarray
    commodity: np.ndarray
    year: np.ndarray
    tonnes: np.ndarray
    raw: pa.RecordBatch


def stream_rows(
    stream: BinaryIO, file: str, *, nodes: Mapping[str, int], commodities: Mapping[str, int]
) -> Iterator[Batch]:
    """Yield the rows of an OD file in batches of bounded size; `file` is its name, ending in .csv.

    `nodes` gives the index of every node, or NO_ZONE for one that is no zone. Raises InstanceError if the file is
    damaged, or its columns are not exactly those of the schema.
    """
    row_0 = 0
    try:
        for raw in csv_batches(stream, file, optional=(SHIPPER,)):
            yield Batch(
                row_0,
                _indices(raw.column("origin"), nodes),
                _indices(raw.column("destination"), nodes),
                _indices(raw.column("commodity"), commodities),
                _numbers(raw.column("year"), np.int64),
                _numbers(raw.column("tonnes"), np.float64),
                raw,
            )
            row_0 += raw.num_rows
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError, EOFError) as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise _refuse(file, f"cannot be read beyond row {row_0}: {reason}", "correct it or write it again") from error


def csv_batches(stream: BinaryIO | Path, file: str, *, optional: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
    """The rows of a CSV file as they stand, ids as dictionaries. Raises InstanceError if the columns are others.

    Columns named in `optional` (of text) may stand there too.
    """
    words = pa.dictionary(pa.int32(), pa.string())
    types = dict.fromkeys((*IDS, *optional), words) | {"year": pa.int64(), "tonnes": pa.float64()}
    with pa.csv.open_csv(
        stream,
        read_options=pa.csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
        convert_options=pa.csv.ConvertOptions(column_types=types, null_values=[], strings_can_be_null=False),
    ) as reader:
        check_columns(file, reader.schema, optional=optional)
        yield from reader


def _indices(column: pa.Array, index: Mapping[str, int]) -> np.ndarray:
    words = column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
    lookup = np.array([index.get(word, UNKNOWN) for word in words.dictionary.to_pylist()] + [UNKNOWN], dtype=np.int32)
    return lookup[words.indices.fill_null(len(words.dictionary)).to_numpy(zero_copy_only=False)]


def _numbers(column: pa.Array, dtype: type) -> np.ndarray:
    if dtype is np.int64:
        return column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return column.cast(pa.float64()).fill_null(float("nan")).to_numpy(zero_copy_only=False)


def _refuse(file: str, what: str, hint: str) -> InstanceError:
    return InstanceError([Problem(file, what, hint)])
