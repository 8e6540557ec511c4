"""Rows on their way from one file to another: what cannot be used is refused, or left out and counted as asked."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nbb_opt.demand import add_rows as faults
from nbb_opt.demand.aggregate import SHOWN
from nbb_opt.demand.columns import COLUMNS, IDS, cell
from nbb_opt.demand.rules import NAMES, WORDS, RowRules
from nbb_opt.demand.sums import Accumulator
from nbb_opt.demand.target import Target
from nbb_opt.errors import InstanceError, Problem
from nbb_opt.formats.table import OdTable
from nbb_opt.instance.cells import SHOWN_IN_FULL, clashes, name_fault
from nbb_opt.instance.wording import shown

MOST_ZONES, MOST_COMMODITIES = 1 << 20, 1 << 13  # so that a flow fits a key
DUPLICATES = ("refuse", "add", "keep")
BLANK = {
    fault: (f"{column} {{!r}} is blank", column, "give every row an origin, destination and commodity")
    for fault, column in (
        (faults.FAULT_ORIGIN_UNKNOWN, "origin"),
        (faults.FAULT_DESTINATION_UNKNOWN, "destination"),
        (faults.FAULT_COMMODITY_UNKNOWN, "commodity"),
    )
}


@dataclass(frozen=True)
class RowPolicy:
    """`drop`: kinds of rows that are left out (keys of demand.rules.NAMES); `duplicates`: one of DUPLICATES.

    >>> RowPolicy(drop=("negative",)).duplicates
    'refuse'
    """

    drop: tuple[str, ...] = ()
    duplicates: str = "refuse"

    def __post_init__(self) -> None:
        RowRules(drop=self.drop)
        if self.duplicates not in DUPLICATES:
            what, hint = f"cannot be {self.duplicates!r}", f"one of {', '.join(DUPLICATES)}"
            raise InstanceError([Problem("duplicates", what, hint)])


@dataclass(frozen=True)
class KnownIds:
    """What ids stand for: index among `zones` (or NO_ZONE) and among `commodities`. `strict`: as in an instance, whose
    flows leave their zone."""

    zone_of: dict[str, int]
    commodity_of: dict[str, int]
    zones: tuple[str, ...]
    commodities: tuple[str, ...]
    strict: bool


class RowFilter:
    """Takes the rows of one source once, by `pass_on` or `add_up`; `lines` then say what was left out or added up.

    Without `known` every id is good that is not blank. Raises InstanceError with the count and first places of every
    kind of row that the policy does not allow, once all rows were seen.
    """

    def __init__(self, file: str, policy: RowPolicy, *, known: KnownIds | None = None, first_row: int = 1) -> None:
        self.file, self.policy, self.known, self.first_row = file, policy, known, first_row
        self._zones: dict[str, int] = {} if known is None else known.zone_of
        self._commodities: dict[str, int] = {} if known is None else known.commodity_of
        within = "within-zone" not in policy.drop and (known is None or not known.strict)
        self._target = (
            Target(self._zones, self._commodities, MOST_ZONES, MOST_COMMODITIES)
            if known is None
            else Target(self._zones, self._commodities, len(known.zones), len(known.commodities))
        )
        self._sums = Accumulator(self._target, within=within, budget_bytes=0, learn=known is None, twice=True)
        allowed = {fault for kind in policy.drop for fault in NAMES[kind]}
        self._allowed = allowed | ({faults.FAULT_DUPLICATE} if policy.duplicates != "refuse" else set())
        self._words = WORDS | (BLANK if known is None else {})
        self._shown: dict[int, list[str]] = {}
        self._rows = 0
        self.lines: list[str] = []

    def pass_on(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The rows that may stay, in their order; duplicates too, unless they are refused."""
        for batch in map(_in_words, batches):
            kept = np.zeros(batch.num_rows, dtype=np.uint8)
            self._add(batch, kept)
            batch = batch.select(list(COLUMNS))
            if not self._refused():
                yield batch if kept.all() else batch.filter(pa.array(kept.astype(bool)))
        self._judge()

    def add_up(self, batches: Iterable[pa.RecordBatch]) -> OdTable:
        """The rows that may stay as one row per flow and year, sorted by name (or by `known`)."""
        for batch in map(_in_words, batches):
            self._add(batch, np.zeros(batch.num_rows, dtype=np.uint8))
        self._judge()
        flow, year, tonnes = self._sums.packed().parts()
        origin, destination, commodity = self._target.names(flow)
        if self.known is not None:
            return OdTable(
                zones=self.known.zones, commodities=self.known.commodities, origin=origin, destination=destination,
                commodity=commodity, year=year, tonnes=tonnes,
            )  # fmt: skip
        zones, zone_rank = _sorted(self._zones)
        commodities, rank = _sorted(self._commodities)
        origin, destination, commodity = zone_rank[origin], zone_rank[destination], rank[commodity]
        order = np.lexsort((year, commodity, destination, origin))
        return OdTable(
            zones=zones, commodities=commodities, origin=origin[order], destination=destination[order],
            commodity=commodity[order], year=year[order], tonnes=tonnes[order],
        )  # fmt: skip

    def _add(self, batch: pa.RecordBatch, kept: np.ndarray) -> None:
        before = np.minimum(self._sums.counts, faults.PLACES_KEPT)
        self._sums.add(batch, self._rows, kept=kept)
        for fault in np.flatnonzero(self._sums.counts > before).tolist():
            for row in self._sums.first[fault, before[fault] : self._sums.counts[fault]].tolist():
                what, column, _ = self._words[fault]
                words = what.format(cell(batch, column, row - self._rows))
                self._shown.setdefault(fault, []).append(f"row {row + self.first_row}: {words}")
        self._rows += batch.num_rows
        for names, most, what in ((self._zones, MOST_ZONES, "zones"), (self._commodities, MOST_COMMODITIES, "goods")):
            if len(names) > most:
                raise InstanceError([Problem(self.file, f"names more than {most:,} {what}", "look at its columns")])

    def _refused(self) -> list[int]:
        return [fault for fault in np.flatnonzero(self._sums.counts).tolist() if fault not in self._allowed]

    def _names(self) -> Iterator[Problem]:
        """Names in what is written that no instance takes; those of an instance were checked with it."""
        if self.known is None or not self.known.strict:
            zones, commodities = self.known and self.known.zones, self.known and self.known.commodities
            for kind, names in (("zone", zones or self._zones), ("commodity", commodities or self._commodities)):
                for name in names:
                    if fault := name_fault(name):
                        hint = f"{fault[1]} or give it another name: --{kind}-map" if fault[1] else f"--{kind}-map"
                        yield Problem(f"{self.file}, {kind} {shown(name)}", fault[0], hint)
                for name, what in clashes(names):
                    yield Problem(f"{self.file}, {kind} {shown(name)}", what, f"give it another name: --{kind}-map")

    def _judge(self) -> None:
        counts = self._sums.counts
        problems = list(itertools.islice(self._names(), SHOWN_IN_FULL))
        for fault in self._refused():
            count, hint = int(counts[fault]), self._words[fault][2]
            if fault == faults.FAULT_DUPLICATE:
                hint = "add them up or keep them: duplicates='add', duplicates='keep'"
            what = f"{_rows(count)} refused: {self._places(fault)}"
            problems.append(Problem(self.file, what, hint))
        left = self._rows - int(counts.sum() - counts[faults.FAULT_DUPLICATE])
        if not problems and not left:
            problems.append(Problem(self.file, f"none of its {self._rows:,} rows is left", "look at what is dropped"))
        if problems:
            raise InstanceError(problems)
        self.lines.append(f"{_rows(self._rows)} of {self.file} read")
        for fault in np.flatnonzero(counts).tolist():
            done = "left out"
            if fault == faults.FAULT_DUPLICATE:
                done = "added to an earlier row" if self.policy.duplicates == "add" else "kept beside an earlier row"
            self.lines.append(f"{_rows(int(counts[fault]))} {done}, as asked: {self._places(fault)}")

    def _places(self, fault: int) -> str:
        shown = self._shown[fault][:SHOWN]
        return "; ".join([*shown, *(["..."] if self._sums.counts[fault] > len(shown) else [])])


def _rows(count: int) -> str:
    return f"{count:,} row{'s' if count != 1 else ''}"


def _in_words(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with ids as dictionaries of text, whatever they were."""
    columns = [
        column.cast(pa.string()).dictionary_encode()
        if name in IDS and not pa.types.is_dictionary(column.type)
        else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _sorted(index: dict[str, int]) -> tuple[tuple[str, ...], np.ndarray]:
    """Names in order, and the place there of every index."""
    names = sorted(index)
    rank = np.empty(len(names), dtype=np.int64)
    rank[[index[name] for name in names]] = np.arange(len(names))
    return tuple(names), rank
