"""Strict reading of Parquet: page checksums verified, sizes limited before anything is read."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nbb_opt.demand.source import damage_refused
from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import CellFaults, Values, check_numbers, check_texts
from nbb_opt.instance.schema import Column, Table
from nbb_opt.instance.tables.csv_file import header_problems

MAX_CELLS = 250_000_000
MAX_ROW_GROUP_BYTES = 2**30
MAX_SMALL_ROWS = 1_000_000
MAX_OD_ROWS = 2_000_000_000  # read in batches
DAMAGED = "is damaged or not Parquet"
_TEXT_KINDS = ("id", "text", "choice", "ref", "refs", "choices")


def open_parquet(stream: BinaryIO, table: Table, file: str, *, checksummed: bool) -> pq.ParquetFile:
    """The opened file. Raises InstanceError if it is damaged, too large, or its columns are not those of the table.

    A file that no manifest vouches for (`checksummed`) must have page checksums: without them damage can read as other
    numbers.
    """
    with damage_refused(file, what=DAMAGED, rule="parquet"):
        metadata = pq.read_metadata(stream)
        given = metadata.schema.names
        texts = [column.name for column in table.columns if column.kind in _TEXT_KINDS and column.name in given]
        opened = pq.ParquetFile(
            stream, metadata=metadata, page_checksum_verification=True, memory_map=False, pre_buffer=False,
            read_dictionary=texts,
        )  # fmt: skip
        schema = opened.schema_arrow
        cells = metadata.num_rows * max(len(schema), 1)
        checked = checksummed or _has_checksums(stream, metadata)
        largest = max((metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)), default=0)
    problems = header_problems(schema.names, table, file)
    problems = [Problem(p.where.replace(f"{file} row 1", file), p.what, p.hint, p.rule) for p in problems]
    most_rows = MAX_OD_ROWS if table.name == "od" else MAX_SMALL_ROWS
    if metadata.num_rows > most_rows or (table.name != "od" and cells > MAX_CELLS):
        what = f"holds {metadata.num_rows} rows and {len(schema)} columns"
        hint = f"at most {most_rows} rows" + ("" if table.name == "od" else f" and {MAX_CELLS} cells") + " are read"
        problems.append(Problem(file, what, hint, "size"))
    if largest > MAX_ROW_GROUP_BYTES:
        what = f"has a row group of {largest / 2**20:.0f} MiB"
        problems.append(Problem(file, what, "write row groups of at most a million rows", "size"))
    if not checked:
        hint = "write it with page checksums (pyarrow: write_page_checksum=True), or write a checksum manifest"
        hint += "; nbb-opt convert od.parquet NEW.parquet writes them" * (table.name == "od")
        problems.append(Problem(file, "has no page checksums, so that damage could go unnoticed", hint, "parquet"))
    if not problems:
        there = [column for column in table.columns if column.name in schema.names]
        problems = [p for column in there if (p := _type_problem(schema.field(column.name).type, column, file))]
    if problems:
        raise InstanceError(problems)
    return opened


def read_parquet(stream: BinaryIO, table: Table, faults: CellFaults, *, checksummed: bool) -> dict[str, Values] | None:
    """Values of a small table; None (and problems) if there is no usable table."""
    file = faults.file.file
    try:
        opened = open_parquet(stream, table, file, checksummed=checksummed)
        with damage_refused(file, what=DAMAGED, rule="parquet"):
            content = opened.read()
            for column in table.columns:
                if column.name not in content.column_names:  # an optional one
                    content = content.append_column(column.name, pa.nulls(len(content), _blank_type(column)))
            return {column.name: column_values(content.column(column.name), column, faults) for column in table.columns}
    except InstanceError as error:
        faults.problems.extend(error.problems)
        return None


def column_values(cells: pa.ChunkedArray | pa.Array, column: Column, faults: CellFaults) -> Values:
    """Checked values of one column; a null is a blank. Numbers stay float64 (NaN = blank or at fault)."""
    if column.kind in _TEXT_KINDS:
        if pa.types.is_dictionary(cells.type):
            cells = cells.cast(cells.type.value_type)
        texts = [text or "" for text in cells.to_pylist()]
        check_texts(texts, column, faults)
        return texts
    blank = np.asarray(cells.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    if column.kind == "bool":
        for i in np.flatnonzero(blank).tolist():
            faults.add(i, column.name, None, "is blank", "true or false", rule="blank")
        return np.array([value is True for value in cells.to_pylist()], dtype=bool)
    values = np.array(cells.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
    for i in np.flatnonzero(np.isnan(values) & ~blank).tolist():
        faults.add(i, column.name, None, "is not a finite number (NaN)", "give the figure", rule="number")
    if column.kind in ("integer", "year"):
        for i in np.flatnonzero(np.isfinite(values) & (values != np.round(values))).tolist():
            faults.add(i, column.name, float(values[i]), "is not a whole number", rule="number")
            values[i] = np.nan
    check_numbers(values, blank, column, faults)
    return values


def _blank_type(column: Column) -> pa.DataType:
    return pa.string() if column.kind in _TEXT_KINDS else pa.float64()


def _has_checksums(stream: BinaryIO, metadata: pq.FileMetaData) -> bool:
    """Whether the first page of every column chunk has a CRC.

    A page header is a Thrift struct in compact form: type, size, compressed size, and then, if given, the CRC. Each is
    a whole number whose field byte is 0x15 (next field, i32), written as bytes of which only the last is below 0x80.
    """
    for group in range(metadata.num_row_groups):
        if not metadata.row_group(group).num_rows:
            continue
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            offsets = [chunk.data_page_offset]
            if chunk.has_dictionary_page and chunk.dictionary_page_offset:
                offsets.append(chunk.dictionary_page_offset)
            stream.seek(min(offsets))
            header = stream.read(40)
            place = 0
            for _ in range(3):
                if header[place : place + 1] != b"\x15":
                    return False
                place += 1
                while header[place] >= 0x80:
                    place += 1
                place += 1
            if header[place] != 0x15:
                return False
    return True


def _type_problem(kind: pa.DataType, column: Column, file: str) -> Problem | None:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if column.kind in _TEXT_KINDS:
        fits, wanted = pa.types.is_string(kind) or pa.types.is_large_string(kind), "text"
    elif column.kind == "bool":
        fits, wanted = pa.types.is_boolean(kind), "true or false (bool)"
    elif column.kind == "number":
        fits, wanted = pa.types.is_floating(kind) or pa.types.is_integer(kind), "numbers"
    else:
        whole = pa.types.is_integer(kind) or (pa.types.is_floating(kind) and column.blank is not None)
        fits, wanted = whole, "whole numbers"
    if fits or (pa.types.is_null(kind) and column.blank is not None):
        return None
    return Problem(f"{file}, column {column.name}", f"holds {kind} instead of {wanted}", "convert the column", "type")
