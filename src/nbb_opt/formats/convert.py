"""Conversion by the names of source and target; nothing is dropped or added up unless it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from nbb_opt.demand.columns import COLUMNS, SHIPPER
from nbb_opt.demand.source import Source, damage_refused, open_source
from nbb_opt.errors import InstanceError, Problem
from nbb_opt.formats.dialect import Dialect, Notes
from nbb_opt.formats.foreign import PARQUET, TEXT, read_foreign
from nbb_opt.formats.gmns import convert_gmns, is_gmns
from nbb_opt.formats.instance_forms import convert_instance, convert_table, is_instance
from nbb_opt.formats.known import KnownIds, known_names
from nbb_opt.formats.ngm import is_ngm, read_ngm, write_ngm_instance
from nbb_opt.formats.omx import read_omx, write_omx
from nbb_opt.formats.row_filter import RowFilter, RowPolicy
from nbb_opt.formats.table import OdTable, write_csv, write_parquet, write_workbook_rows
from nbb_opt.formats.tntp import convert_network, is_network, nodes_file, read_trips
from nbb_opt.instance.flows import numbered
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.output import appearing

WRITERS = {".csv": write_csv, ".parquet": write_parquet, ".xlsx": write_workbook_rows}
SOURCES = (*TEXT, *PARQUET, ".xlsx", ".omx", ".tntp")
NEED_NAMES = ("unknown-zone", "no-zone", "unknown-commodity")


@dataclass(frozen=True)
class Report:
    """`lines` say what was read, kept and left out; `files` were written."""

    files: tuple[Path, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a format leaves open. `year`, `commodity`: where the file names none; `lookup` names the zones of OMX.

    `drop` and `duplicates`: see RowPolicy. `instance`: whose zones and commodities the rows must have; `zone_map`
    and `commodity_map` (CSV: given,becomes) give other names to those of the source. `dialect`: names of columns,
    separator, decimal sign and unit of a file of another program. `country`, `km_per_h_per_speed`: of a GMNS network.
    """

    year: int | None = None
    commodity: str = "trips"
    lookup: str | None = None
    km_per_length: float | None = None
    h_per_time: float | None = None
    within_zones: bool = False
    drop: tuple[str, ...] = ()
    duplicates: str = "refuse"
    instance: Path | None = None
    zone_map: Path | None = None
    commodity_map: Path | None = None
    dialect: Dialect = field(default_factory=Dialect)
    country: str = ""
    km_per_h_per_speed: float | None = None


def convert(source: Path, target: Path, *, choices: Choices | None = None) -> Report:
    """Convert OD rows: .csv, .parquet (file or folder), .xlsx, .omx, TNTP trips or an NGM folder to the first four.

    A TNTP network (`*_net.tntp`) becomes a .csv of links. NGM also writes its zones beside the target as
    `<target>.zones.csv`; if the target is a folder it becomes a complete instance by region. A whole instance goes from
    a folder, .zip or workbook to a folder or workbook, and a file named as one of its tables (`links.csv`) to such a
    file; their tables may be written as other programs do (see dialect, foreign). Raises InstanceError if the source is
    damaged or holds rows that cannot be used.
    """
    choices = choices or Choices()
    policy = RowPolicy(choices.drop, choices.duplicates)
    if not source.exists():
        raise InstanceError([Problem(str(source), "does not exist", "give a file, or a folder of Parquet files")])
    if not source.is_file() and not source.is_dir():
        raise InstanceError([Problem(str(source), "is no regular file", "write it to a file first")])
    if not target.suffix and source.is_dir() and is_ngm(source):
        if choices != Choices():
            hint = "convert to .parquet with them, or to a folder without"
            raise InstanceError([Problem(str(target), "an instance by region takes no options", hint)])
        return Report((target,), tuple(write_ngm_instance(source, target)))
    if not target.suffix and is_gmns(source):
        own = {name: getattr(choices, name) for name in ("country", "km_per_length", "km_per_h_per_speed")}
        if choices != Choices(**own):
            hint = "leave out all but country=, km_per_length= and km_per_h_per_speed="
            raise InstanceError([Problem(str(target), "a network takes no such options", hint)])
        return Report((target,), tuple(convert_gmns(source, target, **own)))
    if is_instance(source) and target.suffix in ("", ".xlsx"):
        if choices != replace(Choices(), dialect=Dialect(sep=choices.dialect.sep, decimal=choices.dialect.decimal)):
            hint = "leave them out, all but sep= and decimal="
            raise InstanceError([Problem(str(target), "a whole instance takes no options", hint)])
        return Report((target,), tuple(convert_instance(source, target, choices.dialect)))
    if name := _table_of(source, target):
        if choices != replace(Choices(), dialect=replace(choices.dialect, unit="t")):
            hint = "leave them out, all but columns=, sep= and decimal="
            raise InstanceError([Problem(str(target), "a table of an instance takes no such options", hint)])
        return Report((target,), tuple(convert_table(source, target, BY_NAME[name], choices.dialect)))
    if target.suffix != ".omx" and target.suffix not in WRITERS:
        raise InstanceError([Problem(str(target), "is of no known format", "name it .csv, .parquet, .xlsx or .omx")])
    if source.suffix.lower() == ".tntp" and is_network(source):
        return _network(source, target, choices)
    if not source.is_dir() and source.suffix.lower() not in SOURCES:
        raise InstanceError([Problem(str(source), "is of no known format", f"give {', '.join(SOURCES)} or a folder")])
    known = known_names(choices.instance, choices.zone_map, choices.commodity_map)
    _check(source, target, choices, known)

    files = [target]
    lines: list[str] = []
    table: OdTable | None = None
    if source.is_dir() and is_ngm(source):
        table, zones, lines = read_ngm(source, within=choices.within_zones)
        files.append(target.with_suffix(".zones.csv"))
        with appearing(files[1]) as work:
            zones.to_csv(work, index=False, lineterminator="\n")
    elif source.suffix.lower() == ".omx":
        table, lines = read_omx(source, year=choices.year, lookup=choices.lookup)
    elif source.suffix.lower() == ".tntp":
        table, lines = read_trips(source, year=choices.year, commodity=choices.commodity)
    first_row, notes = 1, Notes(source.name)
    batches: Iterable[pa.RecordBatch]
    if table is None:
        batches, first_row = _rows(source, choices.dialect, notes)
    else:
        batches = table.batches()
    row_filter = RowFilter(source.name, policy, known=known or _names_of(table), first_row=first_row)
    if target.suffix == ".omx" or policy.duplicates == "add":
        table = row_filter.add_up(batches)
        batches = table.batches()
    else:
        batches = row_filter.pass_on(batches)
    if target.suffix == ".omx":
        assert table is not None
        written = write_omx(table, target)
    else:
        written = [f"{WRITERS[target.suffix](batches, target):,} rows written"]
    return Report(tuple(files), (*lines, *notes.said(), *row_filter.lines, *written))


def _check(source: Path, target: Path, choices: Choices, known: KnownIds | None) -> None:
    """Raises InstanceError if a choice could not be followed."""
    problems = []
    tntp, omx, ngm = (
        source.suffix.lower() == ".tntp",
        source.suffix.lower() == ".omx",
        source.is_dir() and is_ngm(source),
    )
    for option, given, used in (
        ("year=", choices.year is not None, tntp or omx),
        ("commodity=", choices.commodity != Choices.commodity, tntp),
        ("lookup=", choices.lookup is not None, omx),
        ("km_per_length=", choices.km_per_length is not None, False),
        ("h_per_time=", choices.h_per_time is not None, False),
        ("within_zones=True", choices.within_zones, ngm),
        ("country=", bool(choices.country), False),
        ("km_per_h_per_speed=", choices.km_per_h_per_speed is not None, False),
        ("columns=, sep=, decimal= or unit=", choices.dialect != Dialect(), not (tntp or omx or ngm)),
    ):
        if given and not used:
            problems.append(Problem(option, f"means nothing for {source.name}", "leave it out"))
    if known is None:
        hint = "name the instance whose zones and commodities are known: instance="
        unclear = [kind for kind in choices.drop if kind in NEED_NAMES]
        problems += [Problem(f"drop={(kind,)}", "nothing says what is known", hint) for kind in unclear]
    if source.suffix.lower() in {".omx", ".tntp"} or (source.is_dir() and is_ngm(source)):
        whole = [kind for kind in choices.drop if kind not in (*NEED_NAMES, "within-zone")]
        hint = "correct the file, or convert it to .csv elsewhere"
        problems += [Problem(f"drop={(kind,)}", f"{source.name} is refused with such cells", hint) for kind in whole]
    if (choices.zone_map or choices.commodity_map) and choices.duplicates != "add":
        what = "several given names may become one, so that rows become one flow"
        problems.append(Problem("maps", what, "say that they are to be added up: duplicates='add'"))
    if target.suffix == ".omx" and choices.duplicates == "keep":
        problems.append(Problem(target.name, "holds one number per flow", "duplicates='add'"))
    if problems:
        raise InstanceError(problems)


def _names_of(table: OdTable | None) -> KnownIds | None:
    if table is None:
        return None
    zone_of, commodity_of = ({name: i for i, name in enumerate(names)} for names in (table.zones, table.commodities))
    return KnownIds(zone_of, commodity_of, table.zones, table.commodities, strict=False)


def _network(source: Path, target: Path, choices: Choices) -> Report:
    if target.suffix != ".csv":
        raise InstanceError([Problem(str(target), "cannot hold a network", "name it .csv")])
    lines = convert_network(source, target, km_per_length=choices.km_per_length, h_per_time=choices.h_per_time)
    return Report((target, nodes_file(target)), tuple(lines))


def _rows(source: Path, dialect: Dialect, notes: Notes) -> tuple[Iterable[pa.RecordBatch], int]:
    """The rows of a file of OD rows, and the number of the first; `notes` is complete when they were read."""
    if dialect == Dialect() and (source.is_dir() or source.suffix.lower() in PARQUET):
        try:
            return _as_they_are(open_source(source)), 1
        except InstanceError:
            pass  # not in the types and names of the schema: read as what other programs write
    found = read_foreign(source, BY_NAME["od"], dialect, notes)
    return _numbered(found.batches(), source.name), found.first_row


def _as_they_are(source: Source) -> Iterator[pa.RecordBatch]:
    for group in source.groups:
        with damage_refused(source.labels[group.file]):
            for batch in source.read(source.open(group.file), group):
                yield batch.select(list(COLUMNS))


def _numbered(texts: Iterable[pa.RecordBatch], file: str) -> Iterator[pa.RecordBatch]:
    for batch in texts:
        if SHIPPER in batch.schema.names:
            hint = f"leave them out (columns={ {SHIPPER: ''} }, duplicates='add'), or convert the whole instance"
            raise InstanceError(
                [Problem(f"{file}, column {SHIPPER}", "is not carried over with a file of flows", hint)]
            )
        yield numbered(batch)


def _table_of(source: Path, target: Path) -> str:
    """The table of an instance (not od) that a source holds, by its name or that of the target."""
    if target.suffix != ".csv" or source.suffix.lower() not in (*TEXT, *PARQUET, ".xlsx"):
        return ""
    return next((path.stem for path in (target, source) if path.stem in BY_NAME and path.stem != "od"), "")
