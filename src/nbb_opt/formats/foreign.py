"""Tables in the files of other programs, read as text in the columns of a table: CSV, sheets and Parquet."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from nbb_opt.demand.source import MAX_ROW_GROUP_BYTES, damage_refused, data_files, folder_columns
from nbb_opt.errors import InstanceError, Problem
from nbb_opt.formats.dialect import Batches, Dialect, Notes, decimal_sign, plain_cells, scaled
from nbb_opt.instance.schema import Column, Table
from nbb_opt.instance.tables.csv_file import ENCODINGS, SEPARATORS, header_problems, text_batches
from nbb_opt.instance.wording import shown
from nbb_opt.instance.workbook.read import read_list

PARQUET = (".parquet", ".pq", ".parq")
TEXT = (".csv", ".tsv", ".txt")
_BLOCK_BYTES = 1 << 20
_PIECE_ROWS = 1 << 18
_LONGEST_HEADER = 1 << 16
_TOLD = re.compile(r"(?i)\ufeff?\"?sep=([^\"\r\n])\"?[^\S\r\n]*(?:\r\n|\r|\n)")
# Bytes 80 to 9F are letters of the north in Mac Roman and DOS, in Windows-1252 rare letters and marks. A capital after
# a small letter or a mark within a word is wrong; rare ones are odd where nothing shows that the letters are right.
_WRONG = re.compile("[a-zß-ÿ][ŠŒŽŸ]|[^\\W\\d_][‚ƒ„…†‡ˆ‰‹•˜™›“”‘¾][^\\W\\d_]|[^\\W\\d_]¿")
_ODD = re.compile("[ŠŒŽšœžŸƒ]|[^\\W\\d_][‚„†‡ˆ‹›˜]|[‚…†‡ˆ‰›•˜™¯][^\\W\\d_]")
_LATIN = re.compile("[À-ÖØ-öø-ÿ]")


@dataclass(frozen=True)
class Foreign:
    """A table in a file: `batches` reads its rows anew, as text; `first_row` is the number of the first in the file."""

    batches: Batches
    first_row: int


def read_foreign(path: Path, table: Table, dialect: Dialect, notes: Notes) -> Foreign:
    """The rows of a .csv, .xlsx or Parquet file (or folder), with the columns and cells of `table`.

    Numbers are text as tables have it, tonnes in t. `notes` gets what was assumed. Raises InstanceError for a file that
    cannot be read, a header that is not the table's, and cells that leave open what they mean.
    """
    ending = path.suffix.lower()
    raw: Batches
    if path.is_dir() or ending in PARQUET:
        raw, first_row, plain = _parquet(path, table, dialect, notes), 1, True
    elif ending == ".xlsx":
        sheet, first_row, plain = read_list(path, table, dialect.columns, notes.add)
        if dialect.sep:
            raise InstanceError([Problem("sep=", f"means nothing for {notes.file}", "leave it out")])
        batch = pa.RecordBatch.from_pydict({name: pa.array(cells, pa.string()) for name, cells in sheet.items()})
        raw = partial(list, [batch])
    else:
        raw, first_row, plain = _csv(path, table, dialect, notes)
    if dialect.unit != "t":
        notes.add(f"tonnes are given in {dialect.unit}, as asked")
    return Foreign(in_plain_cells(raw, table, dialect, notes, plain=plain), first_row)


def in_plain_cells(raw: Batches, table: Table, dialect: Dialect, notes: Notes, *, plain: bool) -> Batches:
    """Text with the cells of `table` as its tables have them, tonnes in t (see dialect)."""
    sign = decimal_sign(raw, table, notes.file, dialect, plain=plain)

    def rows() -> Iterator[pa.RecordBatch]:
        for batch in plain_cells(raw(), table, sign, notes):
            if dialect.unit != "t":
                place = batch.schema.get_field_index("tonnes")
                batch = batch.set_column(place, "tonnes", scaled(batch.column(place), dialect.unit))
            yield batch

    return rows


def renamed(given: Sequence[str], table: Table, dialect: Dialect, file: str) -> tuple[list[str], list[str]]:
    """Columns to keep and their names in the table. Raises InstanceError if the header is not the table's then."""
    missing = [name for name in dialect.columns if name not in given]
    if missing:
        hint = f"it has {', '.join(given)}"
        raise InstanceError([Problem("columns=", f"{file} has no column {', '.join(missing)}", hint)])
    kept = [name for name in given if dialect.columns.get(name, name)]
    names = [dialect.columns.get(name, name) for name in kept]
    problems = header_problems(names, table, file)
    hint = "or give it another name or leave it out: columns={'old': 'new', 'other': ''}"
    if problems:
        raise InstanceError(
            [Problem(p.where, p.what, f"{p.hint}; {hint}" if p.rule == "column" else p.hint, p.rule) for p in problems]
        )
    return kept, names


def _csv(
    path: Path, table: Table, dialect: Dialect, notes: Notes
) -> tuple[Callable[[], Iterator[pa.RecordBatch]], int, bool]:
    """The rows of a CSV file as text, the row of the first, and whether it is laid out as tables of an instance are.

    A first line `sep=;`, as Excel writes and reads it, says the separator and is no row of the table.
    """
    encoding, example = _encoding(path)
    with path.open("rb") as stream:
        start = stream.read(_LONGEST_HEADER)
    mark = next((m for m in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) if start.startswith(m)), b"")
    if encoding == "utf-16":
        encoding = "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"
    head = start[len(mark) :].decode(encoding, "ignore")
    told = _TOLD.match(head)
    skipped = len(mark) + len(told[0].encode(encoding)) if told else len(mark)
    head = head[len(told[0]) :] if told else head
    header = head.splitlines()[0] if head.strip() else ""
    known = {column.name for column in table.columns} | set(dialect.columns)
    names = {sep: next(csv.reader([header], delimiter=sep), []) for sep in SEPARATORS}
    sep = dialect.sep or (told[1] if told else "")
    sep = sep or max(SEPARATORS, key=lambda s: (len(known & {n.strip() for n in names[s]}), len(names[s])))
    if told:
        notes.add(f"the first line says the separator: {shown(told[1])}")
    if encoding != "utf-8":
        notes.add(f"text is read as {ENCODINGS[encoding]}", example)
    if sep != "," and not dialect.sep and not told:
        notes.add(f"columns are separated by {SEPARATORS[sep]}")

    def rows() -> Iterator[pa.RecordBatch]:
        problems: list[Problem] = []
        with path.open("rb") as stream:
            stream.seek(skipped)
            text = stream if encoding == "utf-8" else codecs.EncodedFile(stream, "utf-8", encoding)
            batches = text_batches(cast(BinaryIO, text), notes.file, problems, sep=sep)
            given = [name.strip() for name in next(batches).schema.names]
            kept, new = renamed(given, table, dialect, notes.file)
            for batch in batches:
                if not problems:
                    yield batch.rename_columns(given).select(kept).rename_columns(new)
        if problems:
            raise InstanceError(problems)

    return rows, 3 if told else 2, sep == "," and encoding == "utf-8"


def _encoding(path: Path) -> tuple[str, str]:
    """UTF-8, UTF-16 by its mark or its blank bytes, else Windows-1252 with a word of the text as an example."""
    with path.open("rb") as stream:
        start = stream.read(512)
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise InstanceError([Problem(path.name, "is UTF-32 text", "save it as UTF-8")])
    zeros = [start[i::2].count(0) for i in (0, 1)]
    wide = "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ""
    if not wide and max(zeros) * 3 > len(start) / 2:
        wide = "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    if wide:
        if not _decodes(path, wide):
            raise InstanceError([Problem(path.name, "is damaged UTF-16 text", "save it as UTF-8")])
        return wide, ""
    if _decodes(path, "utf-8"):
        return "utf-8", ""
    if not _decodes(path, "cp1252"):
        raise InstanceError([Problem(path.name, "is neither UTF-8 nor Windows-1252 text", "save it as UTF-8")])
    example = odd = ""
    proven = False
    with path.open(encoding="cp1252", newline="") as text:
        for line in text:
            if line.isascii():
                continue
            words = [word for word in re.split(r"[\s;,|]+", line) if not word.isascii()]
            example = example or next(iter(words), "")[:40]
            proven = proven or _LATIN.search(line) is not None
            odd = odd or next((word for word in words if _ODD.search(word)), "")[:40]
            wrong = next((word for word in words if _WRONG.search(word)), "")[:40]
            if wrong:
                odd, proven = wrong, False
                break
    if odd and not proven:
        what = f"is not UTF-8, and as Windows-1252 it reads {shown(odd)}: it may come from an old Mac or from DOS"
        raise InstanceError([Problem(path.name, what, "save it as UTF-8")])
    return "cp1252", example


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as stream:
        try:
            while block := stream.read(_BLOCK_BYTES):
                decoder.decode(block)
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            return False
    return True


def _parquet(path: Path, table: Table, dialect: Dialect, notes: Notes) -> Callable[[], Iterator[pa.RecordBatch]]:
    """The rows of a Parquet file, or of a folder of them as Spark, Hive and Dask write one, as text."""
    if dialect.sep or dialect.decimal:
        option = "sep=" if dialect.sep else "decimal="
        raise InstanceError([Problem(option, f"means nothing for {notes.file}", "leave it out")])
    files = data_files(path) if path.is_dir() else [path]
    if not files:
        raise InstanceError([Problem(str(path), "holds no .parquet file", "give a Parquet file or a folder of them")])
    folder_names = [tuple(name for name, _ in folder_columns(file, path)) for file in files] if path.is_dir() else [()]
    schemas = []
    for file, in_folder in zip(files, folder_names, strict=True):
        label = f"{path.name}/{file.relative_to(path).as_posix()}" if path.is_dir() else path.name
        with damage_refused(label):
            metadata = pq.read_metadata(file)
            most = max((metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)), default=0)
            schemas.append(metadata.schema.to_arrow_schema().remove_metadata())
        if most > MAX_ROW_GROUP_BYTES:
            what, hint = "has a row group of more than 1 GiB", "write row groups of at most a million rows"
            raise InstanceError([Problem(label, what, hint)])
        if sorted(schemas[0].names) != sorted(schemas[-1].names) or set(in_folder) != set(folder_names[0]):
            names = [", ".join([*schema.names, *of]) for schema, of in ((schemas[-1], in_folder),)]
            what = f"has the columns {names[0]}, {files[0].name} has {', '.join([*schemas[0].names, *folder_names[0]])}"
            raise InstanceError([Problem(label, what, "write all files with the same columns")])
        if twice := sorted(set(schemas[0].names) & set(in_folder)):
            what = f"names {', '.join(twice)} in its folders and in its columns"
            raise InstanceError([Problem(label, what, "keep one of the two")])
    given = [*schemas[0].names, *folder_names[0]]
    index = [name for name in given if name.startswith("__index_level_")]
    if index:
        notes.add("an index that pandas wrote is left out")
    kept, new = renamed([name for name in given if name not in index], table, dialect, notes.file)
    kinds = {column.name: column for column in table.columns}
    for schema in schemas:
        for name, became in zip(kept, new, strict=True):
            if name in schema.names:
                _check_type(schema.field(name).type, kinds[became], f"{notes.file}, column {name}")

    def rows() -> Iterator[pa.RecordBatch]:
        for file in files:
            own = dict(folder_columns(file, path)) if path.is_dir() else {}
            with damage_refused(notes.file):
                opened = pq.ParquetFile(file, page_checksum_verification=True, memory_map=False, pre_buffer=False)
                columns = [name for name in kept if name not in own]
                for batch in opened.iter_batches(batch_size=_PIECE_ROWS, columns=columns, use_threads=False):
                    cells = [
                        pa.repeat(own[name], batch.num_rows)
                        if name in own
                        else _as_text(batch.column(name), kinds[became], f"{notes.file}, column {name}")
                        for name, became in zip(kept, new, strict=True)
                    ]
                    yield pa.RecordBatch.from_arrays(cells, names=new)

    return rows


def _check_type(kind: pa.DataType, column: Column, where: str) -> None:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_ = pa.types
    text = is_.is_string(value) or is_.is_large_string(value) or is_.is_string_view(value) or is_.is_null(value)
    whole, number = is_.is_integer(value), is_.is_floating(value) or is_.is_decimal(value)
    if column.kind == "bool":
        good, want = text or is_.is_boolean(value) or whole, "true or false"
    elif column.kind in ("number", "integer", "year"):
        good, want = text or whole or number, "a number"
    else:
        good, want = text or whole or is_.is_floating(value), "text or whole numbers"
    if not good:
        raise InstanceError(
            [Problem(where, f"is of type {kind}", f"it must be {want}: convert it where it comes from")]
        )


def _as_text(cells: pa.Array, column: Column, where: str) -> pa.Array:
    """Cells as text that reads back as the same value; a blank where there is none."""
    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    if pa.types.is_floating(cells.type):
        cells = cells.cast(pa.float64())
        if column.kind not in ("number", "integer", "year", "bool"):  # names as numbers, where some are blank
            try:
                cells = cells.cast(pa.int64())
            except pa.ArrowInvalid as error:
                what, hint = "holds names that are no whole numbers", "write them as text"
                raise InstanceError([Problem(where, what, hint)]) from error
    return cells.cast(pa.string()).fill_null("")
