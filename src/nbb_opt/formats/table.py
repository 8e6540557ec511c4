"""OD rows in memory, on disk and on the sheet `od` of a workbook, laid out as in the workbook of an instance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import xlsxwriter

from nbb_opt.demand.columns import COLUMNS, IDS
from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.instance.workbook.sheets import FIRST_ROW, HEADER_ROW, UNIT_ROW, unit_text
from nbb_opt.output import appearing

WORDS = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema([*[(name, WORDS) for name in IDS], ("year", pa.int16()), ("tonnes", pa.float64())])
ROW_GROUP_ROWS = 1_000_000
MOST_BYTES_WHOLE = 1 << 29  # of a file that is read as a whole
QUOTED = pa.csv.WriteOptions(quoting_style="needed")


@dataclass(frozen=True, kw_only=True)
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
    with appearing(path) as work, pa.csv.CSVWriter(work, plain, write_options=QUOTED) as writer:
        for batch in batches:
            writer.write_batch(batch.cast(plain))
            rows += batch.num_rows
    return rows


def check_size(path: Path, most_bytes: int) -> None:
    """Raises InstanceError for a file that is too large to be read as a whole, before it is."""
    size = path.stat().st_size
    if size > most_bytes:
        hint = f"at most {most_bytes // 2**20} MiB are read; write it in parts, or demand as Parquet"
        raise InstanceError([Problem(path.name, f"has {size / 2**20:,.0f} MiB", hint)])


SHEET_ROWS = 1_048_576  # of the format
MOST_ROWS = SHEET_ROWS - FIRST_ROW
OD = BY_NAME["od"]
_COLUMNS = {column.name: column for column in OD.columns}
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write_workbook_rows(batches: Iterable[pa.RecordBatch], path: Path) -> int:
    """Write OD rows as a workbook; the number of rows. Raises InstanceError if they are more than a sheet can hold."""
    rows = 0
    with appearing(path) as work, xlsxwriter.Workbook(str(work), _OPTIONS) as book:
        sheet = book.add_worksheet(OD.name)
        bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        sheet.set_column(0, len(IDS) - 1, 18, text)
        for i, name in enumerate(COLUMNS):
            sheet.write_string(HEADER_ROW, i, name, bold)
        for i, name in enumerate(COLUMNS):
            sheet.write_string(UNIT_ROW, i, unit_text(_COLUMNS[name]))
        for batch in batches:
            if rows + batch.num_rows > MOST_ROWS:
                what = f"would have more than {MOST_ROWS:,} rows; a sheet ends at row {SHEET_ROWS:,}"
                hint = "write .parquet or .csv, add rows up (duplicates='add'), or convert one year at a time"
                raise InstanceError([Problem(path.name, what, hint)])
            columns = [batch.column(name).to_pylist() for name in COLUMNS]
            for line, cells in enumerate(zip(*columns, strict=True), start=FIRST_ROW + rows):
                for i, cell in enumerate(cells):
                    if i < len(IDS):
                        sheet.write_string(line, i, cell, text)
                    elif float(f"{cell:.15g}") == cell:
                        sheet.write_number(line, i, cell)
                    else:  # of more digits spreadsheets keep 15
                        sheet.write_string(line, i, repr(cell), text)
            rows += batch.num_rows
    return rows
