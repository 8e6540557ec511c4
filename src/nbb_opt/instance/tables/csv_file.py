"""Strict reading of CSV: comma, UTF-8, a header row, one line per record."""

from __future__ import annotations

import codecs
import csv
import io
import math
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import CellFaults
from nbb_opt.instance.schema import Table
from nbb_opt.instance.wording import did_you_mean, listed, shown
from nbb_opt.renames import HOW, is_now, new_names

Columns = dict[str, list[str]]
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
ENCODINGS = {
    "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "cp1252": "Windows-1252 (cp1252)"
}  # fmt: skip
CONVERTS = "nbb-opt convert reads it and writes it as UTF-8 with commas"
BLOCK_BYTES = 1 << 23
MOST_LINE_BYTES = 1 << 26


def decode(data: bytes, file: str, problems: list[Problem]) -> str | None:
    """Text of a UTF-8 file, a byte order mark accepted; None (and a problem) if it is not UTF-8 text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        likely = "UTF-16" if wide else "probably Windows-1252 (cp1252)"
        what = f"is not UTF-8 but {likely}: byte 0x{data[error.start]:02x} at position {error.start}"
        problems.append(Problem(f"{file} row {line}", what, f"save the file as UTF-8, or {CONVERTS}", "utf8"))
        return None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        problems.append(Problem(f"{file} row {line}", "holds a NUL character", "save it as plain text", "utf8"))
        return None
    return text


def header_problems(header: Sequence[str], table: Table, file: str) -> list[Problem]:
    """Columns that are unknown, missing or given twice."""
    known = [column.name for column in table.columns]
    where = f"{file} row 1"
    if len(header) == 1 and len(known) > 1:
        for separator, name in SEPARATORS.items():
            if separator in header[0]:
                hint = f"{CONVERTS}, or write it so: decimals with a point"
                return [Problem(where, f"columns are separated by {name}", hint, "separator")]
    problems = []
    for name in dict.fromkeys(header):
        if now := is_now("column", name, table.name):
            problems.append(Problem(f"{where}, column {name}", now, HOW, "renamed"))
        elif name not in known:
            missing = [other for other in known if other not in header]
            hint = did_you_mean(name, missing) or did_you_mean(name, known) or f"columns are {listed(known, 99)}"
            problems.append(Problem(f"{where}, column {shown(name)}", "is not a column of this table", hint, "column"))
        elif list(header).count(name) > 1:
            problems.append(Problem(f"{where}, column {name}", "is given twice", "keep one of them", "column"))
    for column in table.columns:
        renamed = any(new_names("column", table.name).get(name) == column.name for name in header)
        if column.name not in header and not column.optional and not renamed:
            hint = f"add it: {column.meaning}"
            problems.append(Problem(where, f"column {column.name} is missing", hint, "missing_column"))
    return problems


def records(
    stream: io.TextIOBase, file: str, problems: list[Problem], *, before: int = 0, width: int = 0, sep: str = ","
) -> Iterator[list[str]]:
    """Records of a CSV stream, header first. Ragged and blank lines become problems; reading goes on after them.

    A line that cannot be used is given back as a record of blanks so that row numbers stay line numbers. A part of a
    file has `before` lines before it, and records of `width` cells.
    """
    reader = csv.reader(stream, strict=True, delimiter=sep)
    expected = before
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            hint = "look for an unclosed quotation mark"
            where = f"{file} row {before + reader.line_num}"
            problems.append(Problem(where, f"is not CSV: {error}", hint, "csv"))
            return
        expected += 1
        if before + reader.line_num != expected:
            hint = "write the text on one line; look for an unclosed quotation mark"
            problems.append(Problem(f"{file} row {expected}", "a cell holds a line break", hint, "line_break"))
            return
        if not width:
            width = len(record)
        elif len(record) != width:
            if not record:
                problems.append(Problem(f"{file} row {expected}", "is a blank line", "delete it", "ragged"))
            else:
                comma = len(record) > width
                hint = "put text with commas in quotation marks, write decimals with a point" if comma else ""
                what = f"has {len(record)} cells, the header has {width}"
                problems.append(Problem(f"{file} row {expected}", what, hint or "fill in the missing cells", "ragged"))
            yield []
            continue
        yield record


def read_csv(data: bytes, table: Table, faults: CellFaults) -> Columns | None:
    """Cells of a table as text, one list per column; None (and problems) if there is no usable header.

    A ragged line becomes a problem and a row of blanks marked unusable, so that row numbers stay line numbers.
    """
    file, problems = faults.file.file, faults.problems
    text = decode(data, file, problems)
    if text is None:
        return None
    if not text.strip():
        hint = f"give at least the header: {','.join(c.name for c in table.columns)}"
        problems.append(Problem(file, "is empty", hint, "empty"))
        return None
    rows = list(records(io.StringIO(text, newline=""), file, problems))
    if not rows:
        return None
    header = rows.pop(0)
    headers_at_fault = header_problems(header, table, file)
    if headers_at_fault:
        problems.extend(headers_at_fault)
        return None
    return as_columns(header, rows, faults)


def as_columns(header: list[str], rows: list[list[str]], faults: CellFaults) -> Columns:
    """Rows turned into columns; a row without cells becomes blanks and is marked unusable."""
    for i, row in enumerate(rows):
        if not row:
            faults.unusable.add(i)
            rows[i] = [""] * len(header)
    cells = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in header]
    return dict(zip(header, cells, strict=True))


def text_batches(stream: BinaryIO, file: str, problems: list[Problem], *, sep: str = ",") -> Iterator[pa.RecordBatch]:
    """The rows of a CSV file as text, in batches of bounded size; the first batch has no rows, only the header.

    Lines that are no rows become problems and are left out. Raises InstanceError for an empty file.
    """
    header: list[str] = []
    before = 0
    for block in _blocks(stream):
        if not header:
            block = block.removeprefix(codecs.BOM_UTF8)
            first, _, block = block.partition(b"\n")
            text = decode(first.rstrip(b"\r"), file, problems)
            header = next(records(io.StringIO(text or ""), file, problems, sep=sep), [])
            if not header:
                raise InstanceError([Problem(file, "is empty", "give at least the header", "empty")])
            before = 1
            yield pa.RecordBatch.from_arrays([pa.array([], pa.string())] * len(header), names=header)
        if block:
            yield _fast(block, header, sep) or _slow(block, header, file, problems, before, sep)
            before += block.count(b"\n") + (not block.endswith(b"\n"))
    if not header:
        raise InstanceError([Problem(file, "is empty", "give at least the header", "empty")])


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes of a stream in blocks that end with a line."""
    rest = b""
    while part := stream.read(BLOCK_BYTES):
        end = part.rfind(b"\n") + 1
        if end:
            yield rest + part[:end]
            rest = part[end:]
        else:
            rest += part
            if len(rest) > MOST_LINE_BYTES:
                raise InstanceError([Problem("CSV", "has a line of more than 64 MiB", "is it a CSV file?", "size")])
    if rest:
        yield rest


def _fast(block: bytes, header: list[str], sep: str) -> pa.RecordBatch | None:
    """Whole lines of plain cells; None if any line has a quotation mark or something else that asks for care."""
    blank = block.startswith((b"\n", b"\r")) or b"\n\n" in block or b"\n\r" in block
    if blank or b'"' in block or b"\0" in block or block.count(b"\r") != block.count(b"\r\n"):
        return None
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(block),
            read_options=pa.csv.ReadOptions(column_names=header, block_size=len(block) + 1, use_threads=False),
            parse_options=pa.csv.ParseOptions(delimiter=sep, quote_char=False, ignore_empty_lines=False),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), null_values=[], strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    return table.combine_chunks().to_batches()[0] if table.num_rows else None


def _slow(block: bytes, header: list[str], file: str, problems: list[Problem], before: int, sep: str) -> pa.RecordBatch:
    """As `_fast`, line by line, with what is wrong."""
    misread: list[Problem] = []
    text = decode(b"\n" * before + block, file, misread)
    problems.extend(misread)
    lines = io.StringIO((text or "")[before:], newline="")
    rows = [row for row in records(lines, file, problems, before=before, width=len(header), sep=sep) if row]
    cells = zip(*rows, strict=True) if rows else [()] * len(header)
    return pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in cells], names=header)


def csv_bytes(frame: pd.DataFrame, table: Table) -> bytes:
    """A table as the bytes of a CSV file, in the columns that it has; what reads it judges them.

    >>> from nbb_opt.instance.schema import BY_NAME
    >>> csv_bytes(pd.DataFrame({"year": [2025.0], "tonnes": [1.5], "note": [None]}), BY_NAME["od"])
    b'year,tonnes,note\\n2025,1.5,\\n'
    """
    kinds = {column.name: column.kind for column in table.columns}
    columns = [
        [cell_text(value, whole=kinds.get(str(name)) in ("integer", "year")) for value in frame[name].tolist()]
        for name in frame.columns
    ]
    text = io.StringIO(newline="")
    out = csv.writer(text, lineterminator="\n")
    out.writerow([str(name) for name in frame.columns])
    out.writerows(zip(*columns, strict=True))
    return text.getvalue().encode("utf-8")


def cell_text(value: object, *, whole: bool = False) -> str:
    """A value as it stands in a CSV cell; a blank for what is not known.

    >>> cell_text(True), cell_text(0.1), cell_text(2025.0, whole=True), cell_text(float("nan"))
    ('true', '0.1', '2025', '')
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return str(int(value)) if whole and value.is_integer() else repr(value)
    return str(value)
