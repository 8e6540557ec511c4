"""A whole instance in another form: a workbook becomes a folder of CSV files, a folder becomes a workbook."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance import Instance, read_instance
from nbb_opt.instance.meta import meta_text
from nbb_opt.instance.package import META_FILE
from nbb_opt.instance.read import open_od
from nbb_opt.instance.schema import TABLES
from nbb_opt.instance.tables.csv_file import csv_bytes
from nbb_opt.instance.tables.xlsx_file import read_book
from nbb_opt.instance.workbook.read import is_spreadsheet
from nbb_opt.instance.workbook.sheets import SETTINGS
from nbb_opt.instance.workbook.write import write_workbook


def is_instance(source: Path) -> bool:
    """Whether this is a whole instance, not a table of flows: a folder or workbook with settings, or a .zip."""
    if source.is_dir():
        return (source / META_FILE).is_file()
    return source.suffix == ".zip" or (is_spreadsheet(source) and SETTINGS.name in read_book(source, ()).names)


def convert_instance(source: Path, target: Path) -> list[str]:
    """Write the instance in `source` to `target`: a workbook if it is named .xlsx, else a folder; what was written.

    Raises InstanceError for an instance with problems, for a target that is there, and if what was written does not
    read back with the same digest.
    """
    if target.exists() or target.is_symlink():
        raise InstanceError([Problem(str(target), "is there already", "choose another name")])
    instance = read_instance(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".convert-") as work:
        made = Path(work, "instance").with_suffix(target.suffix)
        if target.suffix == ".xlsx":
            write_workbook(instance, made)
        else:
            write_folder(instance, made)
        if read_instance(made).digest != instance.digest:
            raise InstanceError([Problem(str(target), "would not hold the same instance", "report this fault")])
        os.replace(made, target)
    rows = {table.name: len(instance[table.name]) for table in TABLES if table.name != "od"}
    return [f"{instance.meta.title}: digest {instance.digest[:16]}", f"rows: {_listed(rows)}"]


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
