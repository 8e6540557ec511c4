"""Rows summed so far: an array with a cell for every flow while that fits the memory allowed, else a hash table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nbb_opt.demand import add_rows
from nbb_opt.demand.columns import SHIPPER, as_numpy
from nbb_opt.demand.target import Lookup, Target, years_of
from nbb_opt.errors import InstanceError, Problem

_FIRST_TABLE = 1 << 14
NOT_WANTED = np.empty(0, dtype=np.uint8)
SHIPPER_BITS = 20
MOST_GROUPS = 1 << 11  # commodities that can be told apart beside so many shippers


@dataclass(frozen=True)
class Packed:
    """Sums in the order of their keys: key = flow shifted by YEAR_BITS, and the year slot, t/year."""

    key: np.ndarray
    tonnes: np.ndarray

    def parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Flow number, year and t/year; the keys are not to be used any more."""
        mask = np.int64((1 << add_rows.YEAR_BITS) - 1)
        year = np.empty(self.key.size, dtype=np.int16)
        np.bitwise_and(self.key, mask, out=year, casting="unsafe")
        year += add_rows.FIRST_YEAR
        flow = np.right_shift(self.key, add_rows.YEAR_BITS, out=self.key)
        return flow, year, self.tonnes


class Accumulator:
    """Adds batches in the order given; `counts` and `first` note faulty rows, which are not added.

    Tonnes other than 0 lie within `bounds` (least, most). With `learn` the ids of the target are those met so far. With
    `by_shipper` batches have a column of shippers, numbered in `shippers` as they are met, and a group is a commodity
    of a shipper. With `twice` rows of a flow and year met before are noted as well, though they are added; the memory
    allowed must then be 0 (a hash table knows what it holds). With `seek` the sums are not wanted: `before` gets the
    row of the same flow and year before each row noted.
    """

    def __init__(
        self,
        target: Target,
        *,
        within: bool,
        budget_bytes: int,
        bounds: tuple[float, float] = (add_rows.LEAST_T, add_rows.MOST_T),
        learn: bool = False,
        by_shipper: bool = False,
        twice: bool = False,
        seek: bool = False,
    ) -> None:
        self._n_groups = target.n_commodities << (SHIPPER_BITS if by_shipper else 0)
        if target.n_zones**2 * self._n_groups >= 1 << 54 or (by_shipper and target.n_commodities > MOST_GROUPS):
            raise InstanceError([Problem("zones and commodities", "are too many", "fewer than 2^54 flows")])
        self._target = target
        self._within = within
        self._bounds = bounds
        self.shippers: dict[str, int] | None = {} if by_shipper else None
        self.before = np.zeros(add_rows.PLACES_KEPT if seek else 0, dtype=np.int64)
        self._budget = budget_bytes
        self._zone_o, self._zone_d = Lookup(target.zone_of, learn=learn), Lookup(target.zone_of, learn=learn)
        self._group = Lookup(target.commodity_of, learn=learn)
        self._twice = twice
        self.counts = np.zeros(add_rows.FAULTS, dtype=np.int64)
        self.first = np.zeros((add_rows.FAULTS, add_rows.PLACES_KEPT), dtype=np.int64)
        self._years: list[int] = []
        self._cells = np.empty(0)
        self._keys = np.empty(0, dtype=np.int64)
        self._values = np.empty(0)
        self._used = 0
        self._rows = 0
        self.dense = self._fits(1)
        assert not (self.dense and twice)
        self._scaled: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
        self._year_slot = np.full(add_rows.YEAR_SLOTS + 1, -1, dtype=np.int32)
        self._cell_y = np.full(add_rows.YEAR_SLOTS + 1, add_rows.BAD, dtype=np.int32)
        if not self.dense:
            self._make_sparse()

    def add(self, batch: pa.RecordBatch, row_0: int, *, kept: np.ndarray = NOT_WANTED) -> None:
        """Add the rows of a batch, whose first is row `row_0` of the source.

        `kept` (uint8, one entry per row; hash table only) gets 1 for a row that is added and 0 for a faulty one.
        """
        if not batch.num_rows:
            return
        self._rows += batch.num_rows
        origin, zone_o = self._zone_o.find(batch.column("origin"))
        destination, zone_d = self._zone_d.find(batch.column("destination"))
        commodity, group = self._group.find(batch.column("commodity"))
        if self.shippers is not None:
            commodity, group = self._with_shippers(commodity, group, batch.column(SHIPPER))
        year, one_year = years_of(batch.column("year"))
        tonnes = tonnes_of(batch.column("tonnes"))
        n_zones, n_groups = self._target.n_zones, self._n_groups
        if self.dense:
            self._meet_years(year if one_year else np.flatnonzero(np.bincount(year, minlength=1)))
        if self.dense:
            add_rows.add_dense(
                self._cells, origin, destination, commodity, year, one_year, tonnes, zone_o, zone_d, group,
                self._year_slot, self._share(0, zone_o, n_zones * n_groups), self._share(1, zone_d, n_groups),
                self._share(2, group, 1), self._cell_y, self._within, *self._bounds, n_zones, row_0, self.counts,
                self.first,
            )  # fmt: skip
            return
        done = 0
        while done < tonnes.size:
            done, self._used = add_rows.add_sparse(
                self._keys, self._values, self._used, origin, destination, commodity, year, one_year, tonnes, zone_o,
                zone_d, group, self._year_slot, self._within, *self._bounds, n_zones, n_groups, done, row_0,
                self.counts, self.first, self._twice, self.before, kept,
            )  # fmt: skip
            if done < tonnes.size:
                self._grow(self._keys.size * 2)

    def packed(self) -> Packed:
        """The sums; the accumulator is not to be used any more."""
        if self.dense:
            slots = np.array(self._years, dtype=np.int64)
            room = min(self._rows, self._cells.size) + 1
            cells, self._cells = self._cells, np.empty(0)
            key, tonnes = np.empty(room, dtype=np.int64), cells if slots.size == 1 else np.empty(room)
            many = add_rows.pack(cells, self._n_flows, slots, key, tonnes)
            few = 4 * many < tonnes.size  # too few to hold on to all the cells for their sake
            return Packed(key[:many], tonnes[:many].copy() if few else tonnes[:many])
        full = np.flatnonzero(self._keys != add_rows.EMPTY)
        full = full[np.argsort(self._keys[full])]
        return Packed(self._keys[full], self._values[full])

    @property
    def _n_flows(self) -> int:
        return self._target.n_zones**2 * self._n_groups

    def _with_shippers(
        self, commodity: np.ndarray, group: np.ndarray, cells: pa.Array
    ) -> tuple[np.ndarray, np.ndarray]:
        """Positions of the pairs of commodity and shipper, and the table of groups they point into."""
        assert self.shippers is not None
        coded = cells if isinstance(cells, pa.DictionaryArray) else cells.dictionary_encode()
        words = [*coded.dictionary.to_pylist(), ""]
        place = as_numpy(coded.indices.fill_null(len(words) - 1)).astype(np.int64)
        number = np.zeros(len(words), dtype=np.int64)
        for i in np.unique(place).tolist():
            number[i] = self.shippers.setdefault(words[i] or "", len(self.shippers))
        if len(self.shippers) > 1 << SHIPPER_BITS:
            raise InstanceError([Problem("column shipper", "names more than a million shippers", "join some", "size")])
        pairs, position = np.unique(commodity.astype(np.int64) * len(words) + place, return_inverse=True)
        goods, shipper = np.divmod(pairs, len(words))
        goods = group[goods].astype(np.int64)
        found = np.where(goods < 0, goods, (goods << SHIPPER_BITS) | number[shipper])
        return position.astype(np.int32), np.append(found, add_rows.UNKNOWN).astype(np.int32)

    def _fits(self, n_years: int) -> bool:
        cells = self._n_flows * n_years
        return cells <= add_rows.MAX_CELLS and cells * 8 <= self._budget

    def _meet_years(self, slots: np.ndarray) -> None:
        """Give every new year a stretch of cells, or go over to the hash table if they no longer fit."""
        new = [int(slot) for slot in slots if slot < add_rows.YEAR_SLOTS and self._year_slot[slot] < 0]
        if not new:
            return
        if not self._fits(len(self._years) + len(new)):
            found = self.packed()
            self.dense = False
            self._cells = np.empty(0)
            self._make_sparse(1 << int(4 * found.key.size + _FIRST_TABLE).bit_length())
            add_rows.move_table(found.key, found.tonnes, self._keys, self._values)
            self._used = found.key.size
            return
        for slot in new:
            self._year_slot[slot] = slot
            self._cell_y[slot] = len(self._years) * self._n_flows
            self._years.append(slot)
        fresh = np.full(len(new) * self._n_flows, -0.0)
        self._cells = np.concatenate([self._cells, fresh]) if self._cells.size else fresh

    def _share(self, role: int, index: np.ndarray, stride: int) -> np.ndarray:
        kept = self._scaled.get((role, stride))
        if kept is None or kept[0] is not index:
            shares = np.where(index < 0, add_rows.BAD, index.astype(np.int64) * stride).astype(np.int32)
            kept = self._scaled[role, stride] = (index, shares)
        return kept[1]

    def _make_sparse(self, size: int = _FIRST_TABLE) -> None:
        self._keys, self._values = np.full(size, add_rows.EMPTY, dtype=np.int64), np.zeros(size)
        self._year_slot[: add_rows.YEAR_SLOTS] = np.arange(add_rows.YEAR_SLOTS)

    def _grow(self, size: int) -> None:
        keys, values = np.full(size, add_rows.EMPTY, dtype=np.int64), np.zeros(size)
        add_rows.move_table(self._keys, self._values, keys, values)
        self._keys, self._values = keys, values


def tonnes_of(cells: pa.Array) -> np.ndarray:
    """Tonnes as float64; a blank is NaN."""
    # a whole number beyond 2^53 loses digits here, and is refused for its size
    numbers = cells.cast(pa.float64(), safe=False) if cells.type != pa.float64() else cells
    if numbers.null_count:
        numbers = numbers.fill_null(float("nan"))
    return as_numpy(numbers)


def merged(first: Packed, then: Packed) -> Packed:
    """Both sums as one; the tonnes of `then` are added to those of `first`."""
    key = np.empty(first.key.size + then.key.size, dtype=np.int64)
    tonnes = np.empty(key.size)
    many = add_rows.merge(first.key, first.tonnes, then.key, then.tonnes, key, tonnes)
    return Packed(key[:many], tonnes[:many])  # the rest was never touched and takes no memory
