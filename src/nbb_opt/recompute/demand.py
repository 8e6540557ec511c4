"""Demand read from the instance's own file, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from nbb_opt.instance import Instance, open_od
from nbb_opt.recompute.tables import Words
from nbb_opt.recompute.world import World

FLOW = ["origin", "destination", "commodity"]
SHIPPER = "shipper"
BATCH_ROWS = 262_144
YEARS = 10_000  # more than any year: flow and year make one number
_READ: WeakKeyDictionary[Instance, Demand] = WeakKeyDictionary()


@dataclass(frozen=True)
class Demand:
    """`flows` has one column of numbers (of `words`) for every key, rising by word; `tonnes` (flows, periods).

    Tonnes are not a number in a period outside the years that the file gives for a flow: nothing can agree with it.
    """

    words: list[str]
    flows: pd.DataFrame
    tonnes: np.ndarray

    def texts(self, name: str) -> pd.Series:
        """One column of `flows` as words."""
        return pd.Series(pd.array(self.words, dtype="str").take(self.flows[name].to_numpy()))

    def table(self, years: Sequence[int]) -> pd.DataFrame:
        """The keys as words, year and tonnes: what is not zero in each period."""
        t, row = np.nonzero(self.tonnes.T != 0.0)
        columns = {name: self.texts(name).iloc[row].reset_index(drop=True) for name in self.flows.columns}
        return pd.DataFrame({**columns, "year": np.array(years)[t], "tonnes": self.tonnes[row, t]})


def demand_of(world: World) -> Demand:
    """Demand in each period by origin, destination and commodity, over all shippers."""
    every = demand_by_shipper(world)
    ends = every.flows[FLOW].to_numpy()
    first = np.flatnonzero(np.append(True, (ends[1:] != ends[:-1]).any(axis=1)))
    tonnes = every.tonnes if first.size == len(ends) else np.add.reduceat(every.tonnes, first)
    return Demand(every.words, every.flows[FLOW].iloc[first].reset_index(drop=True), tonnes)


def demand_by_shipper(world: World) -> Demand:
    """Demand in each period by origin, destination, commodity and shipper; that of no named shipper is of "".

    The file is read once for an instance, however many plans of it are looked at.
    """
    if world.instance not in _READ:
        _READ[world.instance] = _read(world)
    return _READ[world.instance]


def _read(world: World) -> Demand:
    words = Words()
    keys = [*FLOW, SHIPPER]
    numbers: dict[str, list[np.ndarray]] = {name: [] for name in keys}
    years, given_t = [], []
    for batch in _batches(world, [*keys, "year", "tonnes"]):
        for name in keys:
            numbers[name].append(words.of(batch[name]))
        years.append(batch["year"].to_numpy(np.int32))
        given_t.append(batch["tonnes"].to_numpy())
    texts = words.texts(np.arange(len(words))).tolist()
    rank = np.empty(len(texts), np.int64)
    rank[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
    row, flows = np.zeros(sum(map(len, years)), np.int32), pd.DataFrame(index=[0])
    for name in keys:
        code, pairs = pd.factorize(row * np.int64(len(texts)) + rank[np.concatenate(numbers.pop(name))])
        order = np.argsort(pairs)
        row = np.argsort(order).astype(np.int32)[code]
        known, number = np.divmod(pairs[order], len(texts))
        flows = flows.take(known).assign(**{name: number.astype(np.int32)})
    given, entry = np.unique(row * np.int64(YEARS) + np.concatenate(years), return_inverse=True)
    amounts = np.bincount(entry, np.concatenate(given_t))
    tonnes = np.column_stack([_in_year(given, amounts, year, len(flows)) for year in world.years])
    return Demand(sorted(texts), flows.reset_index(drop=True), tonnes)


def _in_year(given: np.ndarray, amounts: np.ndarray, year: int, flows: int) -> np.ndarray:
    """Tonnes of every flow in a year, from sorted numbers of flow and year: on the line between the years beside it."""
    wanted = np.arange(flows) * np.int64(YEARS) + year
    after = np.searchsorted(given, wanted)
    right, left = np.minimum(after, given.size - 1), np.maximum(after - 1, 0)
    exact = given[right] == wanted
    inside = (given[right] // YEARS == np.arange(flows)) & (given[left] // YEARS == np.arange(flows)) & (right > left)
    part = (wanted - given[left]) / np.maximum(given[right] - given[left], 1)
    between = np.where(inside, amounts[left] * (1 - part) + amounts[right] * part, np.nan)
    return np.where(exact, amounts[right], between)


def _batches(world: World, wanted: Sequence[str]) -> Iterator[pd.DataFrame]:
    blank = [SHIPPER] if SHIPPER in wanted and not world.instance.shippers else []
    columns = [name for name in wanted if name not in blank]
    with open_od(world.instance) as stream:
        if world.instance.od_path.suffix == ".parquet":
            words = [name for name in columns if name in (*FLOW, SHIPPER)]
            with pq.ParquetFile(stream, page_checksum_verification=True, read_dictionary=words) as file:
                for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
                    yield _with_shipper(batch.to_pandas(), wanted)
            return
        dtypes = {**dict.fromkeys((*FLOW, SHIPPER), "str"), "year": "int64", "tonnes": "float64"}
        with pd.read_csv(stream, usecols=columns, dtype=dtypes, keep_default_na=False, chunksize=BATCH_ROWS) as reader:
            for rows in reader:
                yield _with_shipper(rows, wanted)


def _with_shipper(rows: pd.DataFrame, wanted: Sequence[str]) -> pd.DataFrame:
    if SHIPPER not in wanted:
        return rows
    named = rows[SHIPPER].astype("str").fillna("") if SHIPPER in rows.columns else ""
    return rows.assign(**{SHIPPER: named})
