"""Sums of OD rows by flow and year, the same bits for any number of threads or machines.

The row groups are cut into parts of about PART_ROWS rows. A part is summed in the order of its rows, starting from
nothing, and the parts are added up in their order. Threads and clusters only change who does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

import numpy as np
import pyarrow as pa

from nbb_opt.demand import flow_table as tables
from nbb_opt.demand.od.rules import WORDS, Rules
from nbb_opt.demand.od.source import Group, Source, damage_refused
from nbb_opt.demand.od.sums import Accumulator, Packed, merged
from nbb_opt.demand.od.target import Target
from nbb_opt.errors import InstanceError, Problem

PART_ROWS = 1 << 24
BUDGET_BYTES = 128 << 20
RELEASE_EVERY = 4  # row groups of a thread after which memory is given back: each time costs page faults
_ENDED = -1

Part = tuple[Group, ...]


@dataclass(frozen=True)
class PartSums:
    """Sums of one part: `counts` of faulty rows by kind, and `places` (kind, row, what) of the first of each kind."""

    packed: Packed
    rows: int
    counts: np.ndarray
    places: tuple[tuple[int, int, str], ...]
    dense: bool


Each = Callable[[Callable[[Part], PartSums], Sequence[Part]], Iterable[PartSums]]


@dataclass(frozen=True)
class Sums:
    """`flow` numbers (see Target.names), `year` and `tonnes` (t/year), sorted by flow and year; `log` says what was
    read, added up and left out. `rows` were read, `kept` of them are in the sums."""

    flow: np.ndarray
    year: np.ndarray
    tonnes: np.ndarray
    rows: int
    kept: int
    dense: bool
    log: tuple[str, ...]


def parts_of(source: Source, *, part_rows: int = PART_ROWS) -> list[Part]:
    """The row groups in runs of at least `part_rows` rows (the last may be smaller)."""
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
    rules: Rules | None = None,
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
    rules = rules or Rules()
    parts = parts_of(source, part_rows=part_rows)
    work = _Work(source, target, rules.within, threads, budget_bytes)
    total: Packed | None = None
    counts = np.zeros(tables.FAULTS, dtype=np.int64)
    places: list[tuple[int, int, str]] = []
    dense = True
    rows = 0
    for found in map(work, parts) if each is None else each(work, parts):
        total = found.packed if total is None else merged(total, found.packed)
        counts += found.counts
        places += found.places
        dense &= found.dense
        rows += found.rows
        del found  # its sums are not to be held while the next part is read
    if total is None:
        total = Packed(np.empty(0, dtype=np.int64), np.empty(0))
    kept = rows - int(counts.sum())
    twice = kept - total.key.size
    if twice and not rules.add_duplicates:
        counts[tables.FAULT_DUPLICATE] = twice
        places += _first_duplicates(source, target, rules)
    refused = [fault for fault in np.flatnonzero(counts).tolist() if fault not in rules.dropped]
    if refused:
        raise InstanceError([_problem(source.name, fault, int(counts[fault]), places) for fault in refused])
    log = [f"demand: {rows} rows of {source.name} read, {kept} of them kept"]
    for fault in np.flatnonzero(counts).tolist():
        shown = "; ".join(_shown(places, fault, int(counts[fault])))
        log.append(f"demand: {int(counts[fault])} rows left out as asked: {shown}")
    if twice:
        log.append(f"demand: {twice} rows added to an earlier row of the same flow and year, as asked")
    flow, year, tonnes = total.parts()
    return Sums(flow, year, tonnes, rows, kept, dense, tuple(log))


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
    sums = Accumulator(target, within=within, budget_bytes=budget_bytes)
    places: list[tuple[int, int, str]] = []
    turns = _Turns()

    def add(group: Group, batches: Iterable[pa.RecordBatch]) -> None:
        row = group.row_0
        iterator = iter(batches)
        while True:
            with damage_refused(source.label(group.file), row - _first_of(source, group)):
                batch = next(iterator, None)
                if batch is None:
                    break
                before = np.minimum(sums.counts, tables.PLACES_KEPT)
                sums.add(batch, row)
            for fault in np.flatnonzero(sums.counts > before).tolist():
                for place in sums.first[fault, before[fault] : sums.counts[fault]].tolist():
                    cell = batch.column(WORDS[fault][1])[place - row].as_py()
                    places.append((fault, place, _place(source, group, place, WORDS[fault][0].format(cell))))
            row += batch.num_rows
        if row - group.row_0 != group.rows:
            what = f"a row group holds {row - group.row_0} rows, its footer says {group.rows}"
            raise InstanceError([Problem(source.label(group.file), what, "write or copy the file again")])

    def share(first: int) -> None:
        """Every `threads`-th group: decoded at the same time as others, added up when its turn comes."""
        file, opened = -1, None
        for number in range(first, len(part), threads):
            group = part[number]
            batches: Iterable[pa.RecordBatch] = ()
            refused: InstanceError | None = None
            try:
                with damage_refused(source.label(group.file), group.row_0 - _first_of(source, group)):
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
    return PartSums(sums.packed(), sum(group.rows for group in part), sums.counts, tuple(places), dense)


class _Turns:
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


def _place(source: Source, group: Group, row: int, what: str) -> str:
    number = row - _first_of(source, group) + 1
    return f"row {number}: {what}" if len(source.files) == 1 else f"{source.label(group.file)} row {number}: {what}"


def _shown(places: Sequence[tuple[int, int, str]], fault: int, count: int) -> list[str]:
    first = sorted((row, text) for kind, row, text in places if kind == fault)[: tables.PLACES_KEPT]
    return [text for _, text in first] + (["..."] if count > len(first) else [])


def _problem(file: str, fault: int, count: int, places: Sequence[tuple[int, int, str]]) -> Problem:
    shown = "; ".join(_shown(places, fault, count))
    return Problem(file, f"{count} row{'s' if count > 1 else ''} refused: {shown}", WORDS[fault][2])


def _first_duplicates(source: Source, target: Target, rules: Rules) -> list[tuple[int, int, str]]:
    """Places of the first rows whose flow and year an earlier row has: a second reading."""
    sums = Accumulator(target, within=rules.within, budget_bytes=0, twice=True)
    found: list[tuple[int, int, str]] = []
    for group in source.groups:
        row = group.row_0
        for batch in source.read(source.open(group.file), group):
            sums.add(batch, row)
            many = int(min(sums.counts[tables.FAULT_DUPLICATE], tables.PLACES_KEPT))
            for place in sums.first[tables.FAULT_DUPLICATE, len(found) : many].tolist():
                text = WORDS[tables.FAULT_DUPLICATE][0].format(batch.column("origin")[place - row].as_py())
                found.append((tables.FAULT_DUPLICATE, place, _place(source, group, place, text)))
            if len(found) == tables.PLACES_KEPT:
                return found
            row += batch.num_rows
    return found
