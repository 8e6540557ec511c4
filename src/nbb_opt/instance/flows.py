"""The demand file of an instance, `od.csv` or `od.parquet`: rows handed to the kernels, faults put into words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nbb_opt.demand import Each, Flows, Sums, Target, find_rows, open_source
from nbb_opt.demand import add_rows as kernels
from nbb_opt.demand.aggregate import find_cells, find_repeats, sum_batches, sum_rows
from nbb_opt.demand.columns import AS_WRITTEN, COLUMNS, IDS, SHIPPER
from nbb_opt.demand.flows import flows_of
from nbb_opt.demand.rules import WORDS
from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import (
    CellFaults,
    check_numbers,
    check_plausible,
    check_texts,
    clashes,
    is_number,
    parse_numbers,
)
from nbb_opt.instance.package import Package
from nbb_opt.instance.references import RENAME, unknown_name
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.instance.tables.csv_file import header_problems, text_batches
from nbb_opt.instance.tables.parquet_file import MAX_CELLS, open_parquet

OD = BY_NAME["od"]
_COLUMNS = {column.name: column for column in OD.columns}
Batches = Callable[[], Iterable[pa.RecordBatch]]


def target_of(frames: Mapping[str, pd.DataFrame]) -> tuple[Target, tuple[str, ...], tuple[str, ...]]:
    """What the kernels look ids up in, and the names of nodes and commodities as they number them: sorted."""
    zones = dict(sorted(zip(frames["nodes"]["node"], frames["nodes"]["is_zone"], strict=True)))
    commodities = tuple(sorted(set(frames["commodities"]["commodity"])))
    zone_of = {node: i if zone else kernels.NO_ZONE for i, (node, zone) in enumerate(zones.items())}
    commodity_of = {name: i for i, name in enumerate(commodities)}
    return Target(zone_of, commodity_of, len(zones), len(commodities)), tuple(zones), commodities


def read_flows(
    package: Package,
    file: str,
    frames: Mapping[str, pd.DataFrame],
    faults: CellFaults,
    *,
    checksummed: bool,
    add_duplicates: bool = False,
    each: Each | None = None,
) -> Flows | None:
    """The demand, each flow, year and shipper once; None (and problems) if any row is at fault or a table is missing.

    Rows of one flow, year and shipper are refused, or summed with `add_duplicates`. `each` sums the parts of a Parquet
    file elsewhere (see cluster).
    """
    if "nodes" not in frames or "commodities" not in frames:
        return None
    before = len(faults.problems)
    target, nodes, commodities = target_of(frames)
    try:
        sums, batches = _summed(package, file, target, faults, checksummed=checksummed, each=each)
        if len(faults.problems) == before:
            _judge(sums, batches, target, faults, add_duplicates=add_duplicates)
    except InstanceError as error:
        faults.problems.extend(error.problems)
        return None
    twice = int(sums.counts[kernels.FAULT_DUPLICATE])
    if len(faults.problems) > before or sums.counts.sum() > twice or (twice and not add_duplicates):
        return None
    if not sums.rows:
        faults.problems.append(Problem(file, "has no rows", "give at least one flow", "od_has_rows"))
        return None
    return flows_of(sums, nodes=nodes, commodities=commodities)


def _summed(
    package: Package, file: str, target: Target, faults: CellFaults, *, checksummed: bool, each: Each | None
) -> tuple[Sums, Batches]:
    """The sums of all rows, and how to go through the rows again to say what is wrong."""
    if each is not None and not file.endswith(".parquet"):
        hint = f"convert it: nbb-opt convert {file} od.parquet"
        raise InstanceError([Problem(file, "is no Parquet, which alone is read in parts on a cluster", hint)])
    if package.sheets is not None:
        cells = package.sheets[file].cells
        if cells is None:
            raise InstanceError([])
        texts = pa.RecordBatch.from_pydict({name: pa.array(values, pa.string()) for name, values in cells.items()})
        batch = numbered(texts)
        return sum_batches([batch], target, by_shipper=SHIPPER in cells), lambda: [batch]
    if file.endswith(".csv"):
        with package.view(file) as stream:
            rows = _CsvRows(stream, file, faults.problems)
            return sum_batches(rows, target, by_shipper=SHIPPER in rows.header), lambda: _csv_again(package, file)
    open_parquet(package.view(file), OD, file, checksummed=checksummed)
    where = (package.path / file) if not package.zipped else Path(file)
    inside = package.path if package.zipped else None
    source = open_source(where, inside=inside, shippers=True, held=package.held[file])
    return sum_rows(source, target, each=each), source.batches


def _csv_again(package: Package, file: str) -> Iterator[pa.RecordBatch]:
    with package.view(file) as stream:
        yield from _CsvRows(stream, file, [])


class _CsvRows:
    """The batches of a CSV file; lines that are no rows become problems. Raises InstanceError for its header."""

    def __init__(self, stream: BinaryIO, file: str, problems: list[Problem]) -> None:
        self._texts = text_batches(stream, file, problems)
        self._file = file
        self.header = next(self._texts).schema.names
        wrong = header_problems(self.header, OD, file)
        if wrong:
            raise InstanceError(wrong)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        rows = 0
        for texts in self._texts:
            rows += texts.num_rows
            if rows * len(self.header) > MAX_CELLS:
                what = "has too many rows"
                hint = f"at most {MAX_CELLS} cells of a CSV file are read: nbb-opt convert {self._file} od.parquet"
                raise InstanceError([Problem(self._file, what, hint, "size")])
            yield numbered(texts)


def numbered(texts: pa.RecordBatch) -> pa.RecordBatch:
    """Rows of text as the kernels take them: years and tonnes as numbers, beside these the text they were read from.

    What is no number as written becomes year 0, or tonnes that are not a number: the kernels count it as a fault.
    """
    names = [name for name in (*COLUMNS, SHIPPER) if name in texts.schema.names]
    columns = {name: texts.column(name) for name in names}
    years = columns["year"].dictionary_encode()
    known = [int(text) if re.fullmatch("[0-9]{1,9}", text) else 0 for text in years.dictionary.to_pylist()]
    columns["year"] = pa.array(known, pa.int32()).take(years.indices)
    columns["tonnes"] = _tonnes(columns["tonnes"])
    columns |= {f"{name}{AS_WRITTEN}": texts.column(name) for name in ("year", "tonnes")}
    return pa.RecordBatch.from_pydict(columns)


def _tonnes(texts: pa.Array) -> pa.Array:
    try:
        return pc.cast(texts, pa.float64())  # "inf" and "nan" pass here; the kernels refuse them
    except pa.ArrowInvalid:
        return pa.array([float(text) if is_number(text) else float("nan") for text in texts.to_pylist()])


def _judge(sums: Sums, batches: Batches, target: Target, faults: CellFaults, *, add_duplicates: bool) -> None:
    """Puts every fault that the kernels counted into words, with its place, value and likely fix."""
    rows = sorted({row for _, row, _ in sums.places})
    cells = {name: find_cells(batches(), name, rows) for name in COLUMNS} if rows else {}
    keys = {row: _report(row, {name: cells[name][row] for name in COLUMNS}, target, faults) for row in rows}
    for fault in {fault for fault, _, _ in sums.places}:
        at = [row for kind, row, _ in sums.places if kind == fault]
        name = "destination" if fault == kernels.FAULT_SAME_PLACE else WORDS[fault][1]
        key = next((key for key in keys[at[0]] if key[0] == name), (name, "row"))
        faults.counts[key] += int(sums.counts[fault]) - len(at)
    if sums.counts[kernels.FAULT_DUPLICATE] and not add_duplicates:
        names = [*COLUMNS[:4], *([SHIPPER] if sums.shippers is not None else [])]
        again = find_repeats(batches(), target, by_shipper=sums.shippers is not None)
        cells = {name: find_cells(batches(), name, [row for row, _ in again]) for name in names}
        for row, earlier in again:
            value = "/".join(str(cells[name][row] or "unnamed") for name in names)
            what = f"has the same key as row {faults.file.row(earlier)}"
            faults.add(row, ", ".join(names), value, what, "add the two up, or remove one", rule="flows_are_given_once")
        faults.counts[", ".join(names), "flows_are_given_once"] = int(sums.counts[kernels.FAULT_DUPLICATE])
    shippers = list(sums.shippers or ())
    wrong = CellFaults(faults.file, [])
    check_texts(shippers, _COLUMNS[SHIPPER], wrong)
    for name, what in clashes(shippers):
        first = find_rows(batches(), SHIPPER, [name])[name]
        faults.add(first, SHIPPER, name, what, RENAME, rule="case_clash")
    for name, row in find_rows(batches(), SHIPPER, [shippers[i] for i in wrong.rows]).items() if wrong.rows else ():
        check_texts([name], _COLUMNS[SHIPPER], CellFaults(faults.file, faults.problems, offset=row))


def _report(row: int, cells: Mapping[str, object], target: Target, faults: CellFaults) -> list[tuple[str, str]]:
    """All faults of one row in words; their columns and the names of the rules."""
    before = faults.counts.copy()
    unusable = {0} if row in faults.unusable else set[int]()
    told = frozenset((0, column) for index, column in faults.told if index == row)
    own = CellFaults(faults.file, faults.problems, offset=row, counts=faults.counts, told=told, unusable=unusable)
    for name in IDS:
        word, column = str(cells[name] or ""), _COLUMNS[name]
        known: Mapping[Any, int] = target.commodity_of if name == "commodity" else target.zone_of
        of_text = CellFaults(faults.file, faults.problems, offset=row, counts=faults.counts)
        check_texts([word], column, of_text)
        if not of_text.rows and word not in known:
            own.add(0, name, word, *unknown_name(word, word, known, column.target), rule="reference")
        elif name != "commodity" and known.get(word) == kernels.NO_ZONE:
            hint = f"set is_zone of {word} to true in the table nodes, or name a zone"
            own.add(0, name, word, "is not a zone", hint, rule="flows_run_between_zones")
    if cells["origin"] == cells["destination"] and cells["origin"]:
        hint = "traffic within a zone is not modelled: remove the row, or split the zone"
        own.add(0, "destination", cells["origin"], "is the same as the origin", hint, rule="flows_leave_their_zone")
    for name in ("year", "tonnes"):
        value, column = cells[name], _COLUMNS[name]
        if isinstance(value, str):
            numbers = parse_numbers([value], column, own)
        else:
            numbers = np.array([np.nan if value is None else float(cast(Any, value))])
            if value is not None and np.isnan(numbers[0]):
                own.add(0, name, None, "is not a finite number (NaN)", "give the figure", rule="number")
            check_numbers(numbers, np.array([value is None]), column, own)
        check_plausible(numbers, None, column, own)
    found = list(faults.counts - before)
    if not found and not told:
        faults.add(row, "", None, "cannot be used", "look at its cells", rule="row")
    return found
