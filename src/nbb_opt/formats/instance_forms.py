"""A whole instance in another form: a workbook becomes a folder of CSV files, a folder becomes a workbook."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.formats.dialect import Dialect, Notes
from nbb_opt.formats.foreign import in_plain_cells, read_foreign
from nbb_opt.formats.table import QUOTED, check_size
from nbb_opt.instance import Instance, read_instance
from nbb_opt.instance.cells import CellFaults
from nbb_opt.instance.manifest import read_manifest
from nbb_opt.instance.meta import meta_text
from nbb_opt.instance.package import MANIFEST_FILE, MAX_TABLE_BYTES, META_FILE, file_problems, open_package
from nbb_opt.instance.read import open_od, parsed, read_package
from nbb_opt.instance.schema import BY_NAME, TABLES, Table
from nbb_opt.instance.tables.csv_file import csv_bytes
from nbb_opt.instance.tables.xlsx_file import read_book
from nbb_opt.instance.wording import TableFile
from nbb_opt.instance.workbook.read import is_spreadsheet, open_workbook
from nbb_opt.instance.workbook.sheets import SETTINGS
from nbb_opt.instance.workbook.write import write_workbook
from nbb_opt.output import appearing


def is_instance(source: Path) -> bool:
    """Whether this is a whole instance, not a table of flows: a folder or workbook with settings, or a .zip."""
    if source.is_dir():
        return (source / META_FILE).is_file()
    return source.suffix.lower() == ".zip" or (is_spreadsheet(source) and SETTINGS.name in read_book(source, ()).names)


def convert_table(source: Path, target: Path, table: Table, dialect: Dialect) -> list[str]:
    """Write one table of an instance as CSV, whatever program wrote it; what was assumed.

    Raises InstanceError with every cell that no instance takes.
    """
    notes = Notes(source.name)
    rows = _write_table(source, target, table, dialect, notes)
    return [*notes.said(), f"{rows:,} rows of the table {table.name} written"]


def _write_table(source: Path, target: Path, table: Table, dialect: Dialect, notes: Notes) -> int:
    if source.is_file():
        check_size(source, MAX_TABLE_BYTES)
    found = read_foreign(source, table, dialect, notes)
    problems: list[Problem] = []
    rows = 0
    with appearing(target) as work:
        for columns in _columns(found.batches(), work):
            faults = CellFaults(TableFile(table.name, source.name, found.first_row), problems, offset=rows)
            parsed(columns, table, faults)
            faults.count_the_rest()
            rows += len(next(iter(columns.values())))
        if problems:
            raise InstanceError(problems)
    return rows


def _columns(batches: Iterable[pa.RecordBatch], target: Path) -> Iterator[dict[str, list[str]]]:
    """The columns of each batch, while they are written to `target` as CSV."""
    writer = None
    try:
        for batch in batches:
            writer = writer or pa.csv.CSVWriter(target, batch.schema, write_options=QUOTED)
            writer.write_batch(batch)
            yield batch.to_pydict()
    finally:
        if writer is not None:
            writer.close()


def convert_instance(source: Path, target: Path, dialect: Dialect | None = None) -> list[str]:
    """Write the instance in `source` to `target`: a workbook if it is named .xlsx, else a folder; what was written.

    Its tables may be written as other programs do; the lines say what was assumed.

    Raises InstanceError for an instance with problems, for a target that is there, and if what was written does not
    read back with the same digest.
    """
    if target.exists() or target.is_symlink():
        raise InstanceError([Problem(str(target), "is there already", "choose another name")])
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".convert-") as work:
        instance, lines = _read(source, dialect or Dialect(), Path(work))
        made = Path(work, "instance").with_suffix(target.suffix)
        if target.suffix == ".xlsx":
            write_workbook(instance, made)
        else:
            write_folder(instance, made)
        if read_instance(made).digest != instance.digest:
            raise InstanceError([Problem(str(target), "would not hold the same instance", "report this fault")])
        os.replace(made, target)
    rows = {table.name: len(instance[table.name]) for table in TABLES if table.name != "od"}
    return [*lines, f"{instance.meta.title}: digest {instance.digest[:16]}", f"rows: {_listed(rows)}"]


def _read(source: Path, dialect: Dialect, work: Path) -> tuple[Instance, list[str]]:
    """An instance, and what was assumed where its tables are not written as they should be."""
    try:
        return read_instance(source), []
    except InstanceError as error:
        strictly = error
    instance, lines = (_from_sheets if is_spreadsheet(source) else _from_files)(source, dialect, work)
    if not lines:
        raise strictly
    return instance, lines


def _from_sheets(source: Path, dialect: Dialect, _work: Path) -> tuple[Instance, list[str]]:
    notes: dict[str, Notes] = {}
    package = open_workbook(source, note=lambda sheet, words: notes.setdefault(sheet, Notes(sheet)).add(words))
    sheets = dict(package.sheets or {})
    for name, sheet in sheets.items():
        if name in BY_NAME and sheet.cells is not None:
            batch = pa.RecordBatch.from_pydict({k: pa.array(v, pa.string()) for k, v in sheet.cells.items()})
            said = notes.setdefault(name, Notes(name))
            rows = in_plain_cells(partial(list, [batch]), BY_NAME[name], dialect, said, plain=sheet.has_units)
            sheets[name] = replace(sheet, cells=next(iter(rows())).to_pydict())
    package = replace(package, sheets=sheets)
    instance = read_package(package)
    with package.open("od") as stream:
        instance = replace(instance, edited={"od": stream.read()})
    return instance, [line for name in sheets if name in notes for line in notes[name].said()]


def _from_files(source: Path, dialect: Dialect, work: Path) -> tuple[Instance, list[str]]:
    package = open_package(source)
    problems = [*file_problems(package)]
    checksummed = read_manifest(package, problems)
    if problems:
        raise InstanceError(problems)
    given, plain = work / "given", work / "plain"
    given.mkdir()
    plain.mkdir()
    lines = [f"{MANIFEST_FILE} is left out: write it anew with nbb-opt manifest"] if checksummed else []
    for name in package.sizes:
        stem, ending = Path(name).stem, Path(name).suffix
        is_table = stem in BY_NAME and ending in (".csv", ".parquet")
        if name != META_FILE and not is_table:
            continue
        file = source / name if source.is_dir() else given / name
        if not source.is_dir() or not is_table:
            with package.open(name) as stream, (given / name if is_table else plain / name).open("wb") as copy:
                shutil.copyfileobj(stream, copy)
        if is_table:
            notes = Notes(name)
            if ending == ".parquet":
                notes.add("is written anew as CSV")
            for _ in _columns(read_foreign(file, BY_NAME[stem], dialect, notes).batches(), plain / f"{stem}.csv"):
                pass
            lines += notes.said()
    return replace(read_instance(plain), path=plain), lines


def write_folder(instance: Instance, folder: Path) -> None:
    """Write an instance as `instance.toml` and CSV files to a new folder; its demand keeps its form."""
    folder.mkdir()
    (folder / META_FILE).write_text(meta_text(instance.meta, instance.periods), encoding="utf-8", newline="")
    for table in TABLES:
        if table.name == "od" or (table.optional and instance[table.name].empty):
            continue
        (folder / f"{table.name}.csv").write_bytes(csv_bytes(instance[table.name], table))
    with open_od(instance) as given, (folder / f"od{instance.od_path.suffix or '.csv'}").open("wb") as kept:
        shutil.copyfileobj(given, kept)


def _listed(rows: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in rows.items() if count)
