"""The demand file `od.csv` or `od.parquet`, read in batches so that its size does not matter."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import CellFaults, check_plausible, check_texts, parse_numbers
from nbb_opt.instance.csv_file import as_columns, header_problems, records
from nbb_opt.instance.package import Package
from nbb_opt.instance.parquet_file import MAX_CELLS, column_values, damage_refused, open_parquet
from nbb_opt.instance.references import unknown_name
from nbb_opt.instance.schema import BY_NAME

OD = BY_NAME["od"]
BATCH_ROWS = 65_536
_COLUMNS = {column.name: column for column in OD.columns}
_NAMES = ("origin", "destination", "commodity")
_SHIPPER = "shipper"
_FIRST_YEAR = 1950
_YEARS = 171


@dataclass(frozen=True)
class Batch:
    """Rows from `start` on. Names are given once each, with the position of every row's name among them."""

    start: int
    names: Mapping[str, tuple[list[str], np.ndarray]]
    year: np.ndarray
    tonnes: np.ndarray


@dataclass(frozen=True)
class Flows:
    """Demand rows as numbers: positions among the sorted names, start year and tonnes per year.

    `shippers` is empty if the file has no column `shipper`; every position is then 0.
    """

    nodes: tuple[str, ...]
    commodities: tuple[str, ...]
    shippers: tuple[str, ...]
    origin: np.ndarray
    destination: np.ndarray
    commodity: np.ndarray
    shipper: np.ndarray
    year: np.ndarray
    tonnes: np.ndarray

    def codes(self) -> np.ndarray:
        """One int64 per row: its (origin, destination, commodity, year), whatever the order of rows in the file."""
        pair = self.origin * len(self.nodes) + self.destination
        return (pair * len(self.commodities) + self.commodity) * _YEARS + (self.year - _FIRST_YEAR)

    def order(self) -> np.ndarray:
        """Rows sorted by their codes, those of one code by shipper."""
        codes = self.codes()
        return np.argsort(codes, kind="stable") if len(self.shippers) < 2 else np.lexsort((self.shipper, codes))


def read_flows(
    package: Package, file: str, frames: Mapping[str, pd.DataFrame], faults: CellFaults, *, sealed: bool
) -> Flows | None:
    """All rows of the demand file as numbers; None (and problems) if any row is at fault or a table is missing."""
    if "nodes" not in frames or "commodities" not in frames:
        return None
    nodes = tuple(sorted(set(frames["nodes"]["node"])))
    commodities = tuple(sorted(set(frames["commodities"]["commodity"])))
    known = {"origin": nodes, "destination": nodes, "commodity": commodities}
    places = {name: {word: i for i, word in enumerate(known[name])} for name in _NAMES}
    parts: dict[str, list[np.ndarray]] = {name: [] for name in (*_NAMES, _SHIPPER, "year", "tonnes")}
    met: dict[str, int] = {}  # shippers in the order they are met
    before = len(faults.problems)
    has_shippers = False
    try:
        for batch in _batches(package, file, faults, sealed=sealed):
            for name in _NAMES:
                words, codes = batch.names[name]
                places_of_words = np.array([places[name].get(word, -1) for word in words] or [-1], dtype=np.int64)
                target = _COLUMNS[name].target
                for i in np.flatnonzero(places_of_words[codes] < 0).tolist():
                    word = words[codes[i]]
                    if word:
                        what, hint = unknown_name(word, word, known[name], target)
                        faults.add(batch.start + i, name, word, what, hint, rule="reference")
                parts[name].append(places_of_words[codes])
            words, codes = batch.names.get(_SHIPPER, ([""], np.zeros(len(batch.year), dtype=np.int64)))
            used = np.unique(codes)
            places_of_shippers = np.zeros(len(words), dtype=np.int32)
            places_of_shippers[used] = [met.setdefault(words[i], len(met)) for i in used.tolist()]
            parts[_SHIPPER].append(places_of_shippers[codes])
            has_shippers |= _SHIPPER in batch.names
            parts["year"].append(batch.year)
            parts["tonnes"].append(batch.tonnes)
    except InstanceError as error:
        faults.problems.extend(error.problems)
        return None
    columns = {name: np.concatenate(part) if part else np.array([]) for name, part in parts.items()}
    if len(faults.problems) > before or faults.rows:
        return None
    if not len(columns["tonnes"]):
        faults.problems.append(Problem(file, "has no rows", "give at least one flow", "od_has_rows"))
        return None
    whole = {name: columns[name].astype(np.int64) for name in (*_NAMES, "year")}
    shippers = tuple(sorted(met))
    place = {name: i for i, name in enumerate(shippers)}
    rank = np.array([place[name] for name in met], dtype=np.int32)
    return Flows(
        nodes, commodities, shippers if has_shippers else (), **whole, shipper=rank[columns[_SHIPPER]],
        tonnes=columns["tonnes"],
    )  # fmt: skip


def _batches(package: Package, file: str, faults: CellFaults, *, sealed: bool) -> Iterator[Batch]:
    if package.sheets is not None:
        cells = package.sheets[file].cells
        if cells is None:
            raise InstanceError([])
        yield _text_batch(cells, 0, faults, faults)
        return
    with package.open(file) as stream:
        if file.endswith(".csv"):
            yield from _csv_batches(stream, file, faults)
            return
        opened = open_parquet(stream, OD, file, sealed=sealed)
        start = 0
        with damage_refused(file):
            names = [column.name for column in OD.columns if column.name in opened.schema_arrow.names]
            for part in opened.iter_batches(batch_size=BATCH_ROWS, columns=names):
                yield _parquet_batch(part, start, faults)
                start += part.num_rows
            if start != opened.metadata.num_rows:
                what = f"holds {start} rows, its footer says {opened.metadata.num_rows}"
                raise InstanceError([Problem(file, what, "write or copy the file again", "parquet")])


def _csv_batches(stream: BinaryIO, file: str, faults: CellFaults) -> Iterator[Batch]:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    lines = records(text, file, faults.problems)
    start = 0
    try:
        header = next(lines, None)
        if not header:
            hint = f"give at least the header: {','.join(_COLUMNS)}"
            raise InstanceError([Problem(file, "is empty", hint, "empty")])
        problems = header_problems(header, OD, file)
        if problems:
            raise InstanceError(problems)
        while rows := list(itertools.islice(lines, BATCH_ROWS)):
            if (start + len(rows)) * len(header) > MAX_CELLS:
                raise InstanceError([Problem(file, "has too many rows", f"at most {MAX_CELLS} cells are read", "size")])
            part = CellFaults(faults.file, faults.problems, offset=start, counts=faults.counts)
            cells = as_columns(header, rows, part)
            yield _text_batch(cells, start, part, faults)
            start += len(rows)
    except UnicodeDecodeError as error:
        what = f"is not UTF-8: byte 0x{error.object[error.start]:02x}"
        problem = Problem(f"{file} after row {start + 1}", what, "save the file as UTF-8", "utf8")
        raise InstanceError([problem]) from error


def _text_batch(cells: Mapping[str, list[str]], start: int, part: CellFaults, faults: CellFaults) -> Batch:
    named = [name for name in (*_NAMES, _SHIPPER) if name in cells]
    for name in named:
        check_texts(cells[name], _COLUMNS[name], part)
    year = parse_numbers(cells["year"], _COLUMNS["year"], part)
    tonnes = parse_numbers(cells["tonnes"], _COLUMNS["tonnes"], part)
    check_plausible(tonnes, None, _COLUMNS["tonnes"], part)
    faults.rows |= {start + i for i in part.rows | part.unusable}
    return Batch(start, {name: _numbered(cells[name]) for name in named}, year, tonnes)


def _numbered(words: Sequence[str]) -> tuple[list[str], np.ndarray]:
    places: dict[str, int] = {}
    codes = np.fromiter((places.setdefault(word, len(places)) for word in words), dtype=np.int64, count=len(words))
    return list(places), codes


def _parquet_batch(part: pa.RecordBatch, start: int, faults: CellFaults) -> Batch:
    own = CellFaults(faults.file, faults.problems, offset=start, counts=faults.counts)
    names = {}
    for name in (*_NAMES, _SHIPPER):
        if name not in part.schema.names:
            continue
        cells = part.column(name)
        coded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
        words = [word or "" for word in coded.dictionary.to_pylist()]
        codes = np.array(coded.indices.fill_null(len(words)), dtype=np.int64)
        words.append("")
        names[name] = (words, codes)
        at_fault = CellFaults(faults.file, [])
        check_texts(words, _COLUMNS[name], at_fault)
        suspects = np.isin(codes, sorted(at_fault.rows))
        if suspects.any():
            check_texts(
                [words[code] if bad else "-" for code, bad in zip(codes, suspects, strict=True)], _COLUMNS[name], own
            )
    year = column_values(part.column("year"), _COLUMNS["year"], own)
    tonnes = column_values(part.column("tonnes"), _COLUMNS["tonnes"], own)
    assert isinstance(year, np.ndarray)
    assert isinstance(tonnes, np.ndarray)
    check_plausible(tonnes, None, _COLUMNS["tonnes"], own)
    faults.rows |= {start + i for i in own.rows}
    return Batch(start, names, year, tonnes)
