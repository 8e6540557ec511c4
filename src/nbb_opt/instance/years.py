"""Values by year: linear between the years a table gives, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nbb_opt.instance.schema import Table


def key_without_year(table: Table) -> list[str]:
    """The key of a table by year, its year left out."""
    return [name for name in table.key if name != "year"]


def at_years(frame: pd.DataFrame, table: Table, years: Sequence[int]) -> pd.DataFrame:
    """One row per key and asked year: numbers linear between the given years, texts those of the last given year.

    Keys keep the order in which they first appear. Raises ValueError if a year lies outside the given ones.
    """
    if frame.empty:
        return frame
    key = key_without_year(table)
    numbers = [column.name for column in table.columns if column.kind in ("number", "integer")]
    groups = frame.groupby(key, sort=False).ngroup().to_numpy()
    order = np.lexsort((frame["year"].to_numpy(), groups))
    given = frame["year"].to_numpy()[order]
    starts = np.searchsorted(groups[order], np.arange(groups.max() + 1))
    ends = np.append(starts[1:], len(order))
    before, after, share = [], [], []
    for start, end in zip(starts, ends, strict=True):
        span = given[start:end]
        for year in years:
            low = int(np.searchsorted(span, year, side="right")) - 1
            if low < 0 or (low == len(span) - 1 and span[low] != year):
                name = "/".join(str(frame[part].iloc[order[start]]) for part in key)
                raise ValueError(f"{table.name}: {name} has no value for {year}")
            high = low if span[low] == year else low + 1
            before.append(order[start + low])
            after.append(order[start + high])
            share.append((year - span[low]) / (span[high] - span[low]) if high > low else 0.0)
    result = frame.iloc[before].reset_index(drop=True)
    weight = np.array(share, dtype=float)
    for name in numbers:
        low_values = frame[name].to_numpy(dtype=float)[before]
        high_values = frame[name].to_numpy(dtype=float)[after]
        mixed = low_values * (1 - weight) + high_values * weight
        result[name] = np.where(weight == 0, low_values, mixed)
    result["year"] = np.array(list(years) * len(starts), dtype=np.int64)
    return result
