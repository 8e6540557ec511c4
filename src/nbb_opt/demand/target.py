"""What the ids of an OD file stand for: zones, commodities and years, as small tables the kernels look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa

from nbb_opt.demand.add_rows import FIRST_YEAR, UNKNOWN, YEAR_SLOTS
from nbb_opt.demand.columns import as_numpy

MAX_SPAN = 1 << 24
NEAR_0 = 1 << 16  # a table of whole numbers from here on starts at 0 all the same


@dataclass(frozen=True)
class Target:
    """`zone_of` and `commodity_of` give every id (text or whole number) its index, or NO_ZONE; `n_*` count these."""

    zone_of: Mapping[str, int] | Mapping[int, int]
    commodity_of: Mapping[str, int] | Mapping[int, int]
    n_zones: int
    n_commodities: int

    @property
    def n_flows(self) -> int:
        return self.n_zones * self.n_zones * self.n_commodities

    def names(self, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Zone of origin and destination and commodity of flow numbers."""
        pair, commodity = np.divmod(flow, self.n_commodities)
        origin, destination = np.divmod(pair, self.n_zones)
        return origin, destination, commodity


class Lookup:
    """Turns the cells of one column into positions (int32) in a table of indices; the table of one dictionary is kept.

    The last entry of every table is UNKNOWN: blank cells and ids that are not there point to it, or outside (whole
    numbers of at most 32 bits are taken as they are where the table starts at 0). With `learn` an id
    (text only) that is not there gets the next index, which `index` is told.
    """

    def __init__(self, index: Mapping[str, int] | Mapping[int, int], *, learn: bool = False) -> None:
        self._learnt = cast(dict[str, int], index) if learn else None
        self._index: dict[str | int, int] = {} if learn else dict(index.items())
        self._words: pa.Array | None = None
        self._of_words = np.array([UNKNOWN], dtype=np.int32)
        numbers = np.array(sorted(key for key in self._index if isinstance(key, int)), dtype=np.int64)
        self._low = int(numbers[0]) if numbers.size and not 0 <= numbers[0] < NEAR_0 else 0
        span = int(numbers[-1]) - self._low + 1 if numbers.size else 0
        self._sorted = numbers if span > MAX_SPAN else None
        size = numbers.size if span > MAX_SPAN else span
        self._of_numbers = np.full(size + 1, UNKNOWN, dtype=np.int32)
        places = np.arange(numbers.size) if span > MAX_SPAN else numbers - self._low
        self._of_numbers[places] = [self._index[int(number)] for number in numbers]

    def find(self, cells: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """Positions of the cells, and the table they point into."""
        if pa.types.is_integer(cells.type):
            return self._find_numbers(cells), self._of_numbers
        words = cells if isinstance(cells, pa.DictionaryArray) else cells.dictionary_encode()
        if self._words is None or not self._words.equals(words.dictionary):
            self._words = words.dictionary
            known = [self._number(word) for word in self._words.to_pylist()]
            self._of_words = np.array([*known, UNKNOWN], dtype=np.int32)
        places = words.indices
        if places.null_count:
            places = places.fill_null(len(words.dictionary))
        positions = as_int32(as_numpy(places))
        if positions.size and not (positions.min() >= 0 and positions.max() < self._of_words.size):
            raise ValueError("a dictionary index points outside its dictionary")
        return positions, self._of_words

    def _number(self, word: str | None) -> int:
        if self._learnt is None:
            return self._index.get(word, UNKNOWN) if word is not None else UNKNOWN
        return self._learnt.setdefault(word, len(self._learnt)) if word else UNKNOWN

    def _find_numbers(self, cells: pa.Array) -> np.ndarray:
        end = self._of_numbers.size - 1
        blank = as_numpy(cells.is_null().cast(pa.uint8())).astype(bool) if cells.null_count else None
        numbers = as_numpy(cells.fill_null(self._low) if cells.null_count else cells)
        if self._sorted is not None:
            places = np.minimum(np.searchsorted(self._sorted, numbers), end - 1)
            places = np.where(self._sorted[places] == numbers, places, end)
        elif self._low == 0 and numbers.dtype.kind == "i" and numbers.itemsize <= 4 and blank is None:
            places = numbers  # the kernels look whether they are inside
        elif not numbers.size or (numbers.min() >= self._low and numbers.max() < self._low + end):
            places = numbers if self._low == 0 else numbers - np.asarray(self._low, dtype=np.int64)
        else:
            inside = (numbers >= self._low) & (numbers < self._low + end)
            places = np.where(inside, numbers.astype(np.int64) - self._low, end)
        if blank is not None:
            places = np.where(blank, end, places)
        return as_int32(places)


def years_of(cells: pa.Array) -> tuple[np.ndarray, bool]:
    """Slots of the years (YEAR_SLOTS where outside or blank), and whether all rows have one year (then one entry)."""
    if not cells.null_count and len(cells):
        years = as_numpy(cells)
        low, high = int(years.min()), int(years.max())
        if low == high:
            slot = low - FIRST_YEAR
            return np.array([slot if 0 <= slot < YEAR_SLOTS else YEAR_SLOTS], dtype=np.int32), True
    slots = as_numpy(cells.cast(pa.int64()).fill_null(0)) - FIRST_YEAR
    return as_int32(np.where((slots >= 0) & (slots < YEAR_SLOTS), slots, YEAR_SLOTS)), False


def as_int32(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.int32)
