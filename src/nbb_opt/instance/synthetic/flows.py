"""Invented demand: a gravity model with heavy-tailed sizes, exactly as many flows as asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nbb_opt.instance.synthetic.places import Places

ROWS_PER_GROUP = 1_000_000
MEAN_T, MEAN_T_AT = 60_000.0, 60  # tonnes per year of a mean flow where there are 60 of them; more flows are smaller


def most_flows(zones: int, commodities: int) -> int:
    """How many different flows there can be."""
    return zones * (zones - 1) * commodities


def make_flows(
    rng: np.random.Generator, places: Places, *, commodities: list[str], years: list[int], bundles: int
) -> pd.DataFrame:
    """Rows of `od`: `bundles` flows in every year. Near and large towns trade more; commodities grow apart."""
    zones = len(places.ids)
    km = places.km()
    pull = np.log(places.weight[:, None] * places.weight[None, :]) - np.log(km + 60.0) - km / 900.0
    share = np.log(rng.dirichlet(np.full(len(commodities), 2.0)))
    score = pull[:, :, None] + share[None, None, :]
    score[np.arange(zones), np.arange(zones)] = -np.inf
    score = score.ravel()
    drawn = score + rng.gumbel(size=score.size)
    chosen = np.sort(np.argpartition(-drawn, bundles - 1)[:bundles])
    size = np.exp(0.6 * score[chosen] + rng.normal(0.0, 1.0, bundles))
    tonnes = size * (MEAN_T * (MEAN_T_AT / bundles) ** 0.4 / size.mean())
    growth = rng.uniform(-0.005, 0.02, len(commodities))
    pair, commodity = np.divmod(chosen, len(commodities))
    origin, destination = np.divmod(pair, zones)
    since = np.array(years) - years[0]
    by_year = tonnes[:, None] * (1.0 + growth[commodity])[:, None] ** since[None, :]
    times = len(years)
    return pd.DataFrame({
        "origin": _coded(np.repeat(origin, times), list(places.ids)),
        "destination": _coded(np.repeat(destination, times), list(places.ids)),
        "commodity": _coded(np.repeat(commodity, times), commodities),
        "year": np.tile(np.array(years, np.int64), bundles),
        "tonnes": np.maximum(np.round(by_year.ravel(), 1), 0.1),
    })  # fmt: skip


def write_flows(path: Path, flows: pd.DataFrame) -> None:
    """Write od.parquet with page checksums."""
    table = pa.Table.from_arrays(
        [
            pa.DictionaryArray.from_arrays(column.cat.codes.to_numpy().astype(np.int32), list(column.cat.categories))
            if isinstance(column.dtype, pd.CategoricalDtype)
            else pa.array(column.to_numpy())
            for _, column in flows.items()
        ],
        names=list(flows.columns),
    )
    pq.write_table(
        table, path, compression="zstd", write_page_checksum=True, row_group_size=ROWS_PER_GROUP, store_schema=False
    )


def _coded(codes: np.ndarray, names: list[str]) -> Any:
    return pd.Categorical.from_codes(codes.astype(np.int32), dtype=pd.CategoricalDtype(names))
