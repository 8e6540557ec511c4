"""Demand read from the instance's own file, batch by batch, and every tonne of it served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from nbb_opt.instance import open_od
from nbb_opt.verify.verdict import Checks, Where
from nbb_opt.verify.words import Words
from nbb_opt.verify.world import World

FLOW = ["origin", "destination", "commodity"]
SHIPPER = "shipper"
BATCH_ROWS = 262_144


@dataclass(frozen=True)
class Demand:
    """`flows` has one column of numbers (of `words`) for every key, rising by word; `tonnes` (flows, periods).

    Tonnes are not a number in a period that the file says nothing about: nothing can agree with it.
    """

    words: list[str]
    flows: pd.DataFrame
    tonnes: np.ndarray

    def texts(self, name: str) -> pd.Series:
        """One column of `flows` as words."""
        return pd.Series(pd.array(self.words, dtype="str").take(self.flows[name].to_numpy()))


def read_demand(world: World, flow: Sequence[str]) -> Demand:
    """Demand in each period by the columns `flow` of the file."""
    words = Words()
    batches = []
    for batch in _batches(world, [*flow, "year", "tonnes"]):
        numbers = {name: words.of(batch[name]) for name in flow}
        batches.append(pd.DataFrame({**numbers, "year": batch["year"].to_numpy(np.int32), "tonnes": batch["tonnes"]}))
    given = pd.concat(batches, ignore_index=True)
    del batches
    texts = words.texts(np.arange(len(words))).tolist()
    rank = np.empty(len(texts), np.int32)
    rank[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
    for name in flow:
        given[name] = rank[given[name].to_numpy()]
    file_years, t = np.unique(given["year"], return_inverse=True)
    groups = given.groupby(list(flow))
    row = groups.ngroup().to_numpy()
    flows = given[list(flow)].iloc[np.unique(row, return_index=True)[1]].reset_index(drop=True)
    amounts = np.bincount(row * file_years.size + t, given["tonnes"], minlength=len(flows) * file_years.size)
    amounts = amounts.reshape(len(flows), file_years.size)
    tonnes = np.full((len(flows), len(world.years)), np.nan)
    for at, year in enumerate(world.years):
        place = int(np.searchsorted(file_years, year))
        if place < file_years.size and file_years[place] == year:
            tonnes[:, at] = amounts[:, place]
        elif 0 < place < file_years.size:
            part = (year - file_years[place - 1]) / (file_years[place] - file_years[place - 1])
            tonnes[:, at] = amounts[:, place - 1] * (1 - part) + amounts[:, place] * part
    return Demand(sorted(texts), flows, tonnes)


def demand_of(world: World, *, shippers: bool = False) -> pd.DataFrame:
    """Columns origin, destination, commodity, year, tonnes: demand above zero in each period; with `shippers` by these.

    Where the file has no column `shipper` all of it is that of the shipper "".
    """
    flow = [*FLOW, SHIPPER] if shippers else FLOW
    demand = read_demand(world, flow)
    t, row = np.nonzero(demand.tonnes.T != 0.0)
    columns = {name: demand.texts(name).iloc[row].reset_index(drop=True) for name in flow}
    return pd.DataFrame({**columns, "year": np.array(world.years)[t], "tonnes": demand.tonnes[row, t]})


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


def check_demand(world: World, bundles: pd.DataFrame, said_t: np.ndarray, carried_t: np.ndarray) -> Checks:
    """`agree_demand`: the plan's demand is the instance's. `serve_demand`: the chains of a bundle carry all of it.

    `said_t`, `carried_t` (bundles, periods) are NaN where the plan says nothing.
    """
    demand, checks = read_demand(world, FLOW), Checks()
    words = pd.Index(sorted({*demand.words, *(word for name in FLOW for word in bundles[name].unique())}))
    own, theirs = np.zeros(len(demand.flows), np.int64), np.zeros(len(bundles), np.int64)
    for name in FLOW:
        own = own * len(words) + words.get_indexer(demand.words)[demand.flows[name]]
        code, texts = pd.factorize(bundles[name])
        theirs = theirs * len(words) + words.get_indexer(texts)[code]
    keys = np.union1d(own, theirs)
    own_at, their_at = np.searchsorted(keys, own), np.searchsorted(keys, theirs)

    def where(row: np.ndarray, t: np.ndarray) -> Where:
        def name(i: int) -> str:
            rest, commodity = divmod(int(keys[row[i]]), len(words))
            origin, destination = divmod(rest, len(words))
            return f"{words[origin]} to {words[destination]} of {words[commodity]} {world.years[t[i]]}"

        return name

    true = np.zeros((keys.size, len(world.years)))
    true[own_at] = demand.tonnes
    for rule, tonnes in (("agree_demand", said_t), ("serve_demand", carried_t)):
        found = np.full(true.shape, np.nan)
        found[their_at] = tonnes
        row, t = np.nonzero((true != 0.0) | ~np.isnan(found))
        checks.compare(rule, np.nan_to_num(found[row, t]), "==", true[row, t], where=where(row, t), unit="t")
    return checks
