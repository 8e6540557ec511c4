"""Sums of OD rows by flow and year, the same bits for any number of threads or machines.

The row groups are cut into parts of about PART_ROWS rows. A part is summed in the order of its rows, starting from
nothing, and the parts are added up in their order. Threads and clusters only change who does it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Condition

import numpy as np
import pyarrow as pa
import pyarrow.compute

from nbb_opt.demand import add_rows as kernels
from nbb_opt.demand.columns import cell
from nbb_opt.demand.rules import WORDS, RowRules
from nbb_opt.demand.source import Group, Source, damage_refused
from nbb_opt.demand.sums import Accumulator, Packed, merged
from nbb_opt.demand.target import Target
from nbb_opt.errors import InstanceError, Problem

PART_ROWS = 1 << 24
BUDGET_BYTES = 128 << 20
RELEASE_EVERY = 4  # row groups of a thread after which memory is given back: each time costs page faults
SHOWN = 3  # places named of a kind of fault
_ENDED = -1

Part = tuple[Group, ...]


Place = tuple[int, int, object]  # kind of fault, row of the source, cell


@dataclass(frozen=True)
class PartSums:
    """Sums of one part: `counts` of faulty rows by kind, and `places` of the first of each kind."""

    packed: Packed
    rows: int
    counts: np.ndarray
    places: tuple[Place, ...]
    dense: bool
    shippers: tuple[str, ...] | None = None


Each = Callable[[Callable[[Part], PartSums], Sequence[Part]], Iterable[PartSums]]


@dataclass(frozen=True, kw_only=True)
class Sums:
    """`flow` numbers (see Target.names), `year` and `tonnes` (t/year), sorted by flow and year.

    `rows` were read, `kept` of them are in the sums; `counts` of the others by kind (rows of a flow and year met before
    are kept and counted), `places` the first of each kind; `log` says so. Of rows by shipper, flow numbers are followed
    by SHIPPER_BITS for the position among `shippers`, in the order they were met.
    """

    flow: np.ndarray
    year: np.ndarray
    tonnes: np.ndarray
    rows: int
    kept: int
    dense: bool
    counts: np.ndarray
    places: tuple[Place, ...]
    shippers: tuple[str, ...] | None
    log: tuple[str, ...] = ()


def parts_of(source: Source, *, part_rows: int = PART_ROWS) -> list[Part]:
    """The row groups in runs of at least `part_rows` rows (the last may be smaller); one run where rows are by shipper,
    whose numbers are known within a run only."""
    if source.by_shipper:
        return [source.groups] if source.groups else []
    parts: list[Part] = []
    run: list[Group] = []
    for group in source.groups:
        run.append(group)
        if sum(g.rows for g in run) >= part_rows:
            parts.append(tuple(run))
            run = []
    return [*parts, tuple(run)] if run else parts


def aggregate(
    source: Source,
    target: Target,
    *,
    rules: RowRules | None = None,
    threads: int = 2,
    budget_bytes: int = BUDGET_BYTES,
    part_rows: int = PART_ROWS,
    each: Each | None = None,
) -> Sums:
    """Sum the rows of a source by (origin, destination, commodity, year).

    `budget_bytes` bounds the array of flows; beyond it a hash table is used, which grows with the distinct flows.
    `each` applies a function to all parts and gives the results in order (default: one after the other). Raises
    InstanceError if the file is damaged or holds rows that the rules do not allow, with the count and first places of
    each kind.
    """
    rules = rules or RowRules()
    sums = sum_rows(
        source, target, within=rules.within, threads=threads, budget_bytes=budget_bytes, part_rows=part_rows, each=each
    )
    counts, twice = sums.counts, int(sums.counts[kernels.FAULT_DUPLICATE])
    places = sums.places
    refused = [fault for fault in np.flatnonzero(counts).tolist() if fault not in rules.dropped]
    if twice and rules.add_duplicates:
        refused.remove(kernels.FAULT_DUPLICATE)
    elif twice:
        again = find_repeats(source.batches(), target, by_shipper=source.by_shipper)
        rows = find_cells(source.batches(), "origin", [row for row, _ in again])
        places = (*places, *((kernels.FAULT_DUPLICATE, row, rows[row]) for row, _ in again))
    if refused:
        raise InstanceError([_problem(source, fault, int(counts[fault]), places) for fault in refused])
    log = [f"demand: {sums.rows} rows of {source.name} read, {sums.kept} of them kept"]
    for fault in np.flatnonzero(counts).tolist():
        if fault != kernels.FAULT_DUPLICATE:
            shown = "; ".join(_shown(source, sums.places, fault, int(counts[fault])))
            log.append(f"demand: {int(counts[fault])} rows left out as asked: {shown}")
    if twice:
        log.append(f"demand: {twice} rows added to an earlier row of the same flow and year, as asked")
    return replace(sums, log=tuple(log))


def sum_rows(
    source: Source,
    target: Target,
    *,
    within: bool = False,
    threads: int = 2,
    budget_bytes: int = BUDGET_BYTES,
    part_rows: int = PART_ROWS,
    each: Each | None = None,
) -> Sums:
    """As `aggregate`, but faulty rows are counted and left to the caller to judge. Rows of one flow and year are added
    up and counted among `counts`; their places are found by reading again (`find_repeats`)."""
    work = _Work(source, target, within, threads, budget_bytes)
    parts = parts_of(source, part_rows=part_rows)
    total: Packed | None = None
    counts = np.zeros(kernels.FAULTS, dtype=np.int64)
    places: list[Place] = []
    dense = True
    rows = 0
    shippers: tuple[str, ...] | None = None
    for found in map(work, parts) if each is None else each(work, parts):
        total = found.packed if total is None else merged(total, found.packed)
        counts += found.counts
        places += found.places
        dense &= found.dense
        rows += found.rows
        shippers = found.shippers
        del found  # its sums are not to be held while the next part is read
    return _sums(total, rows, counts, places, dense, shippers)


def sum_batches(batches: Iterable[pa.RecordBatch], target: Target, *, by_shipper: bool) -> Sums:
    """As `sum_rows`, of rows that are no Parquet files."""
    sums = Accumulator(target, within=False, budget_bytes=BUDGET_BYTES, by_shipper=by_shipper)
    places: list[Place] = []
    row = 0
    for batch in batches:
        _add(sums, batch, row, places)
        row += batch.num_rows
    shippers = None if sums.shippers is None else tuple(sums.shippers)
    dense = sums.dense
    return _sums(sums.packed(), row, sums.counts, places, dense, shippers)


def _add(sums: Accumulator, batch: pa.RecordBatch, row: int, places: list[Place]) -> None:
    """Add the rows of a batch, whose first is `row`, and keep the cells of the first faulty ones."""
    before = np.minimum(sums.counts, kernels.PLACES_KEPT)
    sums.add(batch, row)
    for fault in np.flatnonzero(sums.counts > before).tolist():
        for place in sums.first[fault, before[fault] : sums.counts[fault]].tolist():
            places.append((fault, place, cell(batch, WORDS[fault][1], place - row)))


def _sums(
    total: Packed | None, rows: int, counts: np.ndarray, places: Sequence[Place], dense: bool,
    shippers: tuple[str, ...] | None,
) -> Sums:  # fmt: skip
    total = total or Packed(np.empty(0, dtype=np.int64), np.empty(0))
    kept = rows - int(counts.sum())
    counts[kernels.FAULT_DUPLICATE] = kept - total.key.size
    flow, year, tonnes = total.parts()
    return Sums(
        flow=flow, year=year, tonnes=tonnes, rows=rows, kept=kept, dense=dense, counts=counts, places=tuple(places),
        shippers=shippers,
    )  # fmt: skip


@dataclass(frozen=True)
class _Work:
    """Sums a part; can be sent to another process."""

    source: Source
    target: Target
    within: bool
    threads: int
    budget_bytes: int

    def __call__(self, part: Part) -> PartSums:
        return sum_part(
            self.source, part, target=self.target, within=self.within, threads=self.threads,
            budget_bytes=self.budget_bytes,
        )  # fmt: skip


def sum_part(
    source: Source, part: Part, *, target: Target, within: bool, threads: int = 2, budget_bytes: int = BUDGET_BYTES
) -> PartSums:
    """Sum the rows of one part; faulty rows are counted and left to the caller to judge."""
    sums = Accumulator(target, within=within, budget_bytes=budget_bytes, by_shipper=source.by_shipper)
    places: list[Place] = []
    turns = _InOrder()

    def add(group: Group, batches: Iterable[pa.RecordBatch]) -> None:
        row = group.row_0
        iterator = iter(batches)
        while True:
            with damage_refused(source.labels[group.file], row - _first_of(source, group)):
                batch = next(iterator, None)
                if batch is None:
                    break
                _add(sums, batch, row, places)
            row += batch.num_rows
        if row - group.row_0 != group.rows:
            what = f"a row group holds {row - group.row_0} rows, its footer says {group.rows}"
            raise InstanceError([Problem(source.labels[group.file], what, "write or copy the file again")])

    def share(first: int) -> None:
        """Every `threads`-th group: decoded at the same time as others, added up when its turn comes."""
        file, opened = -1, None
        for number in range(first, len(part), threads):
            group = part[number]
            batches: Iterable[pa.RecordBatch] = ()
            refused: InstanceError | None = None
            try:
                with damage_refused(source.labels[group.file], group.row_0 - _first_of(source, group)):
                    if group.file != file:
                        file, opened = group.file, source.open(group.file)
                    assert opened is not None
                    batches = source.read(opened, group)
            except InstanceError as error:
                refused = error
            with turns.turn(number) as mine:
                if not mine:
                    return
                if refused is not None:
                    raise refused
                add(group, batches)
            del batches
            if number // threads % RELEASE_EVERY == RELEASE_EVERY - 1:
                pa.default_memory_pool().release_unused()

    if threads <= 1:
        share(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            try:
                for future in [pool.submit(share, first) for first in range(min(threads, len(part)))]:
                    future.result()
            finally:
                turns.stop()
    dense = sums.dense
    pa.default_memory_pool().release_unused()
    shippers = None if sums.shippers is None else tuple(sums.shippers)
    return PartSums(sums.packed(), sum(group.rows for group in part), sums.counts, tuple(places), dense, shippers)


class _InOrder:
    """Lets threads do one thing in the order of their numbers, however they come; a failure ends the waiting."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._next = 0

    @contextmanager
    def turn(self, number: int) -> Iterator[bool]:
        """Waits until all smaller numbers are done; False if one of them failed."""
        with self._changed:
            self._changed.wait_for(lambda: self._next in (number, _ENDED))
            mine = self._next == number
        try:
            yield mine
        except BaseException:
            self.stop()
            raise
        with self._changed:
            if mine and self._next == number:
                self._next += 1
                self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._next = _ENDED
            self._changed.notify_all()


def _first_of(source: Source, group: Group) -> int:
    return next(g.row_0 for g in source.groups if g.file == group.file)


def find_repeats(batches: Iterable[pa.RecordBatch], target: Target, *, by_shipper: bool) -> list[tuple[int, int]]:
    """The first rows whose flow and year (and shipper) an earlier row has, each with the last such row."""
    sums = Accumulator(target, within=True, budget_bytes=0, by_shipper=by_shipper, twice=True, seek=True)
    row = 0
    for batch in batches:
        sums.add(batch, row)
        row += batch.num_rows
        if sums.counts[kernels.FAULT_DUPLICATE] >= kernels.PLACES_KEPT:
            break
    many = int(min(sums.counts[kernels.FAULT_DUPLICATE], kernels.PLACES_KEPT))
    return list(zip(sums.first[kernels.FAULT_DUPLICATE, :many].tolist(), sums.before[:many].tolist(), strict=True))


def find_cells(batches: Iterable[pa.RecordBatch], column: str, rows: Collection[int]) -> dict[int, object]:
    """The cells of some rows."""
    found: dict[int, object] = {}
    row = 0
    for batch in batches:
        found |= {i: cell(batch, column, i - row) for i in rows if row <= i < row + batch.num_rows}
        row += batch.num_rows
    return found


def find_rows(batches: Iterable[pa.RecordBatch], column: str, names: Collection[str]) -> dict[str, int]:
    """The first row of every one of some `names` in a column of text."""
    wanted = set(names)
    found: dict[str, int] = {}
    row = 0
    for batch in batches:
        words = batch.column(column).cast(pa.string())
        for name in sorted(wanted - set(found)):
            at = pa.compute.index(words, name).as_py()
            if at >= 0:
                found[name] = row + at
        row += batch.num_rows
    return found


def _place(source: Source, row: int, what: str) -> str:
    group = next(g for g in reversed(source.groups) if g.row_0 <= row)
    number = row - _first_of(source, group) + 1
    return f"row {number}: {what}" if len(source.files) == 1 else f"{source.labels[group.file]} row {number}: {what}"


def _shown(source: Source, places: Sequence[Place], fault: int, count: int) -> list[str]:
    first = sorted(((row, value) for kind, row, value in places if kind == fault), key=lambda one: one[0])[:SHOWN]
    return [_place(source, row, WORDS[fault][0].format(value)) for row, value in first] + (
        ["..."] if count > len(first) else []
    )


def _problem(source: Source, fault: int, count: int, places: Sequence[Place]) -> Problem:
    shown = "; ".join(_shown(source, places, fault, count))
    return Problem(source.name, f"{count} row{'s' if count > 1 else ''} refused: {shown}", WORDS[fault][2])
