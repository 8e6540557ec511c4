"""The demand file `od.csv` or `od.parquet`, read in batches so that its size does not matter."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import CellFaults, check_plausible, check_texts, parse_numbers
from nbb_opt.instance.flow_keys import FlowKeys
from nbb_opt.instance.package import Package
from nbb_opt.instance.references import unknown_name
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.instance.tables.csv_file import as_columns, header_problems, records
from nbb_opt.instance.tables.parquet_file import MAX_CELLS, column_values, damage_refused, open_parquet

OD = BY_NAME["od"]
BATCH_ROWS = 65_536
_COLUMNS = {column.name: column for column in OD.columns}
_NAMES = ("origin", "destination", "commodity")
_SHIPPER = "shipper"
_FIRST_YEAR = 1950
_YEARS = 171
_SHIPPER_BITS = 20


@dataclass(frozen=True)
class Batch:
    """Rows from `start` on. Names are given once each, with the position of every row's name among them."""

    start: int
    names: Mapping[str, tuple[list[str], np.ndarray]]
    year: np.ndarray
    tonnes: np.ndarray


@dataclass(frozen=True)
class Flows:
    """Demand as numbers: every flow and year of a shipper once, sorted by `codes` and then by `shipper`.

    `codes` (int64) are made of the positions of origin, destination and commodity among the sorted names and of the
    year; `shipper` (int32) is a position among `shippers`, which is empty if the file has no such column (then 0);
    `tonnes` (t/year) are summed where rows repeat. `rows` were read; `n_repeated` of them repeat an earlier one.
    """

    nodes: tuple[str, ...]
    commodities: tuple[str, ...]
    shippers: tuple[str, ...]
    codes: np.ndarray
    shipper: np.ndarray
    tonnes: np.ndarray
    rows: int
    add_duplicates: bool
    _repeated: np.ndarray = field(repr=False)
    _again: Callable[[], Iterator[tuple[int, np.ndarray, np.ndarray]]] = field(repr=False)

    @property
    def n_repeated(self) -> int:
        return self.rows - len(self.codes)

    def triples(self) -> np.ndarray:
        """Commodity, origin and destination of every code as one number: (k * nodes + o) * nodes + d."""
        pair, commodity = np.divmod(self.codes // _YEARS, len(self.commodities))
        return commodity * len(self.nodes) ** 2 + pair

    def names(self, code: int) -> tuple[str, str, str, int]:
        """Origin, destination, commodity and year."""
        flow, year = divmod(code, _YEARS)
        pair, commodity = divmod(flow, len(self.commodities))
        origin, destination = divmod(pair, len(self.nodes))
        return self.nodes[origin], self.nodes[destination], self.commodities[commodity], year + _FIRST_YEAR

    def years(self) -> list[int]:
        """Years of the file, sorted."""
        return (np.unique(self.codes % _YEARS) + _FIRST_YEAR).tolist()

    def rows_of(self, wanted: np.ndarray) -> Iterator[tuple[int, int]]:
        """Index and code of the rows whose code is `wanted` (of each `codes` whether), by reading the file again."""
        codes = self.codes[wanted]
        for start, part, _ in self._again():
            for i in np.flatnonzero(np.isin(part, codes)).tolist():
                yield start + i, int(part[i])

    def repeats(self) -> Iterator[tuple[int, int, int, int]]:
        """Index, code and shipper of the rows that repeat an earlier one, and the index of the last such row."""
        last: dict[int, int] = {}
        for start, codes, shippers in self._again():
            keys = _keys(codes, shippers)
            for i in np.flatnonzero(np.isin(keys, self._repeated)).tolist():
                key = int(keys[i])
                if key in last:
                    yield start + i, int(codes[i]), int(shippers[i]), last[key]
                last[key] = start + i


def _keys(codes: np.ndarray, shipper: np.ndarray) -> np.ndarray:
    return (codes << _SHIPPER_BITS) | shipper


def read_flows(
    package: Package,
    file: str,
    frames: Mapping[str, pd.DataFrame],
    faults: CellFaults,
    *,
    sealed: bool,
    add_duplicates: bool = False,
) -> Flows | None:
    """All flows of the demand file as numbers; None (and problems) if any row is at fault or a table is missing.

    Rows of one flow, year and shipper are for the rules to judge: they may repeat only with `add_duplicates`.
    """
    if "nodes" not in frames or "commodities" not in frames:
        return None
    coder = _Coder(frames)
    if len(coder.known["origin"]) ** 2 * len(coder.known["commodity"]) * _YEARS >= 1 << (63 - _SHIPPER_BITS):
        what = "has too many places and commodities for their flows to be numbered"
        faults.problems.append(Problem(file, what, "join places or commodities", "size"))
        return None
    found = FlowKeys()
    before = len(faults.problems)
    try:
        for batch in _batches(package, file, faults, sealed=sealed):
            codes, shippers = coder.numbers(batch, faults)
            if len(faults.problems) == before and not faults.rows:
                found.add(_keys(codes, shippers), batch.tonnes)
    except InstanceError as error:
        faults.problems.extend(error.problems)
        return None
    if len(faults.problems) > before or faults.rows:
        return None
    if not found.rows:
        faults.problems.append(Problem(file, "has no rows", "give at least one flow", "od_has_rows"))
        return None
    found.settle()
    met = np.argsort(np.argsort(list(coder.met))).astype(np.int64)  # place of every shipper among the sorted names
    codes = found.keys >> _SHIPPER_BITS
    shipper = met[found.keys & ((1 << _SHIPPER_BITS) - 1)].astype(np.int32)
    tonnes, found.keys = found.tonnes, np.empty(0, dtype=np.int64)
    if len(met) > 1:
        order = np.lexsort((shipper, codes))
        codes, shipper, tonnes = codes[order], shipper[order], tonnes[order]

    def again() -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        for batch in _batches(package, file, CellFaults(faults.file, []), sealed=sealed):
            numbers, of = coder.numbers(batch, faults)
            yield batch.start, numbers, met[of]

    repeated = _keys(found.repeated >> _SHIPPER_BITS, met[found.repeated & ((1 << _SHIPPER_BITS) - 1)])
    return Flows(
        coder.known["origin"], coder.known["commodity"], tuple(sorted(coder.met)) if coder.has_shippers else (),
        codes, shipper, tonnes, found.rows, add_duplicates, repeated, again,
    )  # fmt: skip


class _Coder:
    """Turns the names of a batch into numbers."""

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        nodes = tuple(sorted(set(frames["nodes"]["node"])))
        commodities = tuple(sorted(set(frames["commodities"]["commodity"])))
        self.known = {"origin": nodes, "destination": nodes, "commodity": commodities}
        self.places = {name: {word: i for i, word in enumerate(self.known[name])} for name in _NAMES}
        self.met: dict[str, int] = {}  # shippers in the order they are met
        self.has_shippers = False

    def numbers(self, batch: Batch, faults: CellFaults) -> tuple[np.ndarray, np.ndarray]:
        """Codes and shippers (in the order met) of the rows; names that are not known become faults."""
        place: dict[str, np.ndarray] = {}
        for name in _NAMES:
            words, codes = batch.names[name]
            places_of_words = np.array([self.places[name].get(word, -1) for word in words] or [-1], dtype=np.int64)
            target = _COLUMNS[name].target
            for i in np.flatnonzero(places_of_words[codes] < 0).tolist():
                word = words[codes[i]]
                if word:
                    what, hint = unknown_name(word, word, self.known[name], target)
                    faults.add(batch.start + i, name, word, what, hint, rule="reference")
            place[name] = places_of_words[codes]
        words, codes = batch.names.get(_SHIPPER, ([""], np.zeros(len(batch.year), dtype=np.int64)))
        used = np.unique(codes)
        places_of_shippers = np.zeros(len(words), dtype=np.int64)
        places_of_shippers[used] = [self.met.setdefault(words[i], len(self.met)) for i in used.tolist()]
        if len(self.met) > 1 << _SHIPPER_BITS:
            raise InstanceError([Problem(faults.file.file, "names more than a million shippers", "join some", "size")])
        self.has_shippers |= _SHIPPER in batch.names
        year = np.nan_to_num(batch.year, nan=_FIRST_YEAR).astype(np.int64) - _FIRST_YEAR
        pair = place["origin"] * len(self.known["origin"]) + place["destination"]
        return (pair * len(self.known["commodity"]) + place["commodity"]) * _YEARS + year, places_of_shippers[codes]


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
