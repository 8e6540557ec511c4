"""Conversion by the names of source and target; nothing is dropped or added up unless it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from nbb_opt.demand.od.source import COLUMNS, IDS, damage_refused, open_source
from nbb_opt.demand.od.sums import Accumulator
from nbb_opt.demand.od.target import Target
from nbb_opt.errors import InstanceError, Problem
from nbb_opt.formats.ngm import is_ngm, read_ngm
from nbb_opt.formats.omx import read_omx, write_omx
from nbb_opt.formats.table import WORDS, OdTable, appearing, checked, write_csv, write_parquet
from nbb_opt.formats.tntp import convert_network, is_network, read_trips

BLOCK_BYTES = 1 << 23


@dataclass(frozen=True)
class Report:
    """`lines` say what was read, kept and left out; `files` were written."""

    files: tuple[Path, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Choices:
    """What a format leaves open. `year`, `commodity`: where the file names none; `lookup` names the zones of OMX."""

    year: int | None = None
    commodity: str = "trips"
    lookup: str | None = None
    km_per_length: float | None = None
    h_per_time: float | None = None
    within_zones: bool = False
    add_duplicates: bool = False


def convert(source: Path, target: Path, *, choices: Choices | None = None) -> Report:
    """Convert OD rows: .csv, .parquet (file or folder), .omx, TNTP trips or an NGM folder to .csv, .parquet or .omx.

    A TNTP network (`*_net.tntp`) becomes a .csv of links. NGM also writes its zones beside the target as
    `<target>.zones.csv`. Raises InstanceError if the source is damaged or holds rows that cannot be used.
    """
    choices = choices or Choices()
    if not source.exists():
        raise InstanceError([Problem(str(source), "does not exist", "give a file, or a folder of Parquet files")])
    if target.suffix not in {".csv", ".parquet", ".omx"}:
        raise InstanceError([Problem(str(target), "is of no known format", "name it .csv, .parquet or .omx")])
    if source.suffix == ".tntp" and is_network(source):
        if target.suffix != ".csv":
            raise InstanceError([Problem(str(target), "cannot hold a network", "name it .csv")])
        lines = convert_network(
            source, target, km_per_length=choices.km_per_length, h_per_time=choices.h_per_time
        )  # fmt: skip
        return Report((target,), tuple(lines))
    files = [target]
    table: OdTable | None = None
    zones: pd.DataFrame | None = None
    lines = []
    if source.is_dir() and is_ngm(source):
        table, zones, lines = read_ngm(source, within=choices.within_zones)
    elif source.suffix == ".omx":
        table, lines = read_omx(source, year=choices.year, lookup=choices.lookup)
    elif source.suffix == ".tntp":
        table, lines = read_trips(source, year=choices.year, commodity=choices.commodity)
    elif source.suffix not in {".csv", ".parquet"} and not source.is_dir():
        raise InstanceError([Problem(str(source), "is of no known format", "give .csv, .parquet, .omx or .tntp")])
    batches = (
        table.batches() if table is not None else checked(_rows(source), source.name, first_row=_first_row(source))
    )
    if target.suffix == ".omx" or (choices.add_duplicates and table is None):
        if table is None:
            table, more = _summed(batches, add=choices.add_duplicates)
            lines += more
        batches = table.batches()
    if target.suffix == ".omx":
        assert table is not None
        lines += write_omx(table, target)
    else:
        rows = (write_parquet if target.suffix == ".parquet" else write_csv)(batches, target)
        lines.append(f"{rows:,} rows written")
    if zones is not None:
        beside = target.with_suffix(".zones.csv")
        with appearing(beside) as work:
            zones.to_csv(work, index=False, lineterminator="\n")
        files.append(beside)
    return Report(tuple(files), tuple(lines))


def _first_row(source: Path) -> int:
    return 2 if source.suffix == ".csv" else 1


def _rows(source: Path) -> Iterator[pa.RecordBatch]:
    if source.suffix != ".csv":
        found = open_source(source)
        for group in found.groups:
            with damage_refused(found.label(group.file)):
                for batch in found.read(found.open(group.file), group):
                    yield batch.select(list(COLUMNS))
        return
    kinds = dict.fromkeys(IDS, WORDS) | {"year": pa.int64(), "tonnes": pa.float64()}
    with (
        damage_refused(source.name),
        pa.csv.open_csv(
            source,
            read_options=pa.csv.ReadOptions(block_size=BLOCK_BYTES),
            convert_options=pa.csv.ConvertOptions(column_types=kinds, null_values=[], strings_can_be_null=False),
        ) as reader,
    ):
        if sorted(reader.schema.names) != sorted(COLUMNS):
            what, hint = f"has columns {', '.join(reader.schema.names)}", f"they must be {', '.join(COLUMNS)}"
            raise InstanceError([Problem(source.name, what, hint)])
        for batch in reader:
            yield batch.select(list(COLUMNS))


def _summed(batches: Iterator[pa.RecordBatch], *, add: bool) -> tuple[OdTable, list[str]]:
    """All rows as flows sorted by name; rows of one flow and year added up, or refused."""
    held = [batch.cast(pa.schema([*[(name, WORDS) for name in IDS], *list(batch.schema)[3:]])) for batch in batches]
    names: dict[str, set[str]] = {name: set() for name in IDS}
    for batch in held:
        for name in IDS:
            names[name] |= set(batch.column(name).unique().to_pylist())
    zones, commodities = sorted(names["origin"] | names["destination"]), sorted(names["commodity"])
    target = Target(
        {z: i for i, z in enumerate(zones)}, {k: i for i, k in enumerate(commodities)}, len(zones), len(commodities)
    )
    sums = Accumulator(target, within=True, budget_bytes=1 << 27)
    rows = 0
    for batch in held:
        sums.add(batch, rows)
        rows += batch.num_rows
    flow, year, tonnes = sums.packed().parts()
    twice = rows - flow.size
    if twice and not add:
        what = f"{twice} rows have the flow and year of an earlier row"
        raise InstanceError([Problem("OD rows", what, "add them up: --add-duplicates")])
    origin, destination, commodity = target.names(flow)
    table = OdTable(tuple(zones), tuple(commodities), origin, destination, commodity, year, np.asarray(tonnes))
    return table, [f"{rows:,} rows read; {twice:,} of them added to an earlier row of the same flow and year"]
