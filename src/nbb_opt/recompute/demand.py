"""Demand read from the instance's own file, batch by batch, and every tonne of it served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from nbb_opt.instance import Instance, open_od
from nbb_opt.recompute.verdict import Checks, Words, find
from nbb_opt.recompute.world import World

FLOW = ["origin", "destination", "commodity"]
SHIPPER = "shipper"
BATCH_ROWS = FLOWS_AT_ONCE = 262_144
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
    inside = (given[right] // YEARS == np.arange(flows)) & (given[left] // YEARS == np.arange(flows)) & (after > 0)
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


def check_demand(
    world: World, demand: Demand, bundles: pd.DataFrame, *, said_t: np.ndarray, carried_t: np.ndarray, checks: Checks
) -> None:
    """`agree_demand`: the plan's demand is the instance's. `serve_demand`: the chains of a bundle carry all of it.

    `said_t`, `carried_t` (bundles, periods) are NaN where the plan says nothing.
    """
    words = pd.Index(sorted({*demand.words, *(word for name in FLOW for word in bundles[name].unique())}))
    own, theirs = np.zeros(len(demand.flows), np.int64), np.zeros(len(bundles), np.int64)
    for name in FLOW:
        own = own * len(words) + find(words, demand.words)[demand.flows[name]]
        code, texts = pd.factorize(bundles[name])
        theirs = theirs * len(words) + find(words, texts)[code]
    keys = np.union1d(own, theirs)
    rows = [np.full(keys.size, -1) for _ in range(2)]
    for row, mine in zip(rows, (own, theirs), strict=True):
        row[np.searchsorted(keys, mine)] = np.arange(mine.size)
    checks.gather(
        _compare(demand.tonnes, said_t, carried_t, at=[row[start : start + FLOWS_AT_ONCE] for row in rows],
                 keys=keys[start : start + FLOWS_AT_ONCE], words=words, years=world.years)
        for start in range(0, keys.size, FLOWS_AT_ONCE)
    )  # fmt: skip


def _compare(
    true_t: np.ndarray, said_t: np.ndarray, carried_t: np.ndarray,
    *, at: Sequence[np.ndarray], keys: np.ndarray, words: pd.Index, years: Sequence[int],
) -> Checks:  # fmt: skip
    """Some flows, in rows `at[0]` of the instance's demand and `at[1]` of the plan's bundles; -1: none."""
    checks = Checks()
    true = np.where((at[0] >= 0)[:, None], true_t[at[0]], 0.0) if len(true_t) else np.zeros((keys.size, len(years)))
    for rule, tonnes in (("agree_demand", said_t), ("serve_demand", carried_t)):
        found = np.where((at[1] >= 0)[:, None], tonnes[at[1]], np.nan) if len(tonnes) else np.full(true.shape, np.nan)
        row, t = np.nonzero((true != 0.0) | ~np.isnan(found))

        def where(i: int, row: np.ndarray = row, t: np.ndarray = t) -> str:
            rest, commodity = divmod(int(keys[row[i]]), len(words))
            origin, destination = divmod(rest, len(words))
            return f"{words[origin]} to {words[destination]} of {words[commodity]} {years[t[i]]}"

        checks.compare(rule, np.nan_to_num(found[row, t]), "==", true[row, t], where=where, unit="t")
    return checks
