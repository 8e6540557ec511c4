"""Periods, their discount factors, and figures by key and period as arrays (models/README.md section 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbb_opt.instance import Instance, by_period

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Time:
    """Start year y, length, discount factor of a payment at the start (once) and of one EUR in each year (yearly)."""

    years: Ints
    lengths: Ints
    once_factor: Floats
    yearly_factor: Floats
    horizon_year: int
    discount_rate: float

    def value_left(self, lifetime: Ints) -> Floats:
        """Share of its price that what is built in a period is worth at the horizon, by lifetime: (lifetimes, periods).

        The present value of the annuities of the years of its life that are left, over that of all: what is paid within
        the horizon is the annuity of each year in service.

        >>> years = np.array([2025, 2030])
        >>> free, dear = (Time(years, years, years, years, 2035, rate) for rate in (0.0, 0.04))
        >>> free.value_left(np.array([20, 8])).tolist()
        [[0.5, 0.75], [0.0, 0.375]]
        >>> dear.value_left(np.array([20])).round(4).tolist()
        [[0.5968, 0.8181]]
        """
        left = np.maximum(lifetime[:, None] - (self.horizon_year - self.years)[None, :], 0).astype(float)
        if self.discount_rate == 0:
            return np.asarray(left / lifetime[:, None])
        step = 1 / (1 + self.discount_rate)
        return np.asarray((1 - step**left) / (1 - step ** lifetime[:, None].astype(float)))

    @property
    def horizon_factor(self) -> float:
        """Discount factor of a payment at the horizon."""
        return float((1.0 / (1.0 + self.discount_rate)) ** float(self.horizon_year - self.years[0]))

    @property
    def size(self) -> int:
        """How many periods."""
        return len(self.years)


def time_of(instance: Instance) -> Time:
    r"""Discount factors $d_t$, $D_t$ and $d_H$ of the instance's periods."""
    years = np.array([period.year for period in instance.periods], np.int64)
    lengths = np.array([period.years for period in instance.periods], np.int64)
    step = 1.0 / (1.0 + instance.meta.discount_rate)
    since = years - years[0]
    once = step ** since.astype(float)
    yearly = np.array([sum(step ** float(s + k) for k in range(n)) for s, n in zip(since, lengths, strict=True)])
    horizon = int(years[-1] + lengths[-1])
    return Time(years, lengths, once, yearly, horizon, instance.meta.discount_rate)


class Names:
    """Ids of one table in file order, turned into positions and back."""

    def __init__(self, ids: Sequence[str] | pd.Series) -> None:
        self.ids = [str(i) for i in ids]
        self._index = pd.Index(np.array(self.ids, dtype=object))

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, position: int) -> str:
        return self.ids[position]

    def of(self, ids: Sequence[str] | pd.Series | npt.NDArray) -> Ints:
        """Positions of `ids`; -1 where there is none (a blank).

        >>> Names(["a", "b"]).of(["b", ""]).tolist()
        [1, -1]
        """
        return self._index.get_indexer(pd.Index(np.asarray(ids, dtype=object))).astype(np.int64)


def by_key_and_period(
    instance: Instance, table: str, keys: Sequence[tuple[str, Names]], *, columns: Sequence[str]
) -> dict[str, Floats]:
    """Each column of a by-year table as an array (keys..., periods); NaN where the table has no row."""
    frame = by_period(instance, table)
    time = {period.year: t for t, period in enumerate(instance.periods)}
    where = tuple(names.of(frame[key]) for key, names in keys) + (
        np.array([time[year] for year in frame["year"].tolist()], np.int64),
    )
    shape = tuple(len(names) for _, names in keys) + (len(instance.periods),)
    found = {}
    for column in columns:
        values = np.full(shape, np.nan)
        values[where] = frame[column].to_numpy(float)
        found[column] = values
    return found


def sum_by(index: Ints, values: Floats, *, size: int) -> Floats:
    """Sums of `values` by `index`, an array of length `size`.

    >>> sum_by(np.array([0, 2, 2]), np.array([1.0, 2.0, 3.0]), size=3).tolist()
    [1.0, 0.0, 5.0]
    """
    return np.asarray(np.bincount(index, values, minlength=size), np.float64)


def entries(start: npt.NDArray[np.integer], which: npt.NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Positions start[i] to start[i + 1] of every row i of `which`, one after another, and how many each has.

    >>> [part.tolist() for part in entries(np.array([0, 2, 2, 5]), np.array([2, 0]))]
    [[2, 3, 4, 0, 1], [3, 2]]
    """
    first = np.asarray(start, np.int64)[which]
    size = np.asarray(start, np.int64)[np.asarray(which) + 1] - first
    ends = np.cumsum(size)
    return np.arange(int(size.sum())) + np.repeat(first - (ends - size), size), size
