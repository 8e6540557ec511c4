"""Rows of a table, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd


def each(frame: pd.DataFrame) -> Iterator[Any]:
    """Give the rows as named tuples; their fields are as typed as the columns, which a type checker cannot know.

    >>> [row.a for row in each(pd.DataFrame({"a": [1, 2]}))]
    [1, 2]
    """
    return iter(frame.itertuples(index=False))


def amounts(series: pd.Series) -> Iterator[tuple[Any, float]]:
    """Give the keys and values of a series of numbers.

    >>> list(amounts(pd.Series([1, 2], index=["a", "b"])))
    [('a', 1.0), ('b', 2.0)]
    """
    return zip(series.index.tolist(), series.astype("float64").tolist(), strict=True)
