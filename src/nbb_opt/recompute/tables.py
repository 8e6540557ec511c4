"""Tables as verifier and ledger read them: joined, added up, looked up; words as numbers; long ones in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

MISSING = -1
Where = Callable[[int], str]  # names row i


class Words:
    """The same word always has the same number, whatever column it stands in; what is no word has MISSING.

    >>> words = Words()
    >>> words.of(pd.Series(["b", "a", "b"])).tolist(), words.number("a"), words.texts(np.array([1, 0])).tolist()
    ([0, 1, 0], 1, ['a', 'b'])
    """

    def __init__(self) -> None:
        self._number: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._number)

    def number(self, word: str) -> int:
        """Number of one word."""
        return self._number.setdefault(word, len(self._number))

    def of(self, column: pd.Series) -> np.ndarray:
        """Numbers (int32) of a column of words."""
        code, names = pd.factorize(column)
        return np.array([*(self.number(name) for name in names), MISSING], np.int32)[code]

    def texts(self, numbers: np.ndarray) -> pd.Series:
        """The words of numbers as a column; no number may be MISSING."""
        return pd.Series(pd.array(list(self._number), dtype="str").take(numbers))


def find(index: pd.Index, values: pd.Series | np.ndarray | pd.Index | Sequence[str]) -> np.ndarray:
    """Places of values in an index without repetition, -1 for those that are not in it."""
    return index.get_indexer(pd.Index(values))


def pick(values: pd.Series | np.ndarray, at: np.ndarray, missing: float = MISSING) -> np.ndarray:
    """values[at], `missing` where `at` is -1.

    >>> pick(np.array([5, 6]), np.array([1, -1])).tolist()
    [6, -1]
    """
    return np.append(np.asarray(values), missing)[at]


BLOCK_ROWS = 262_144
Tables = dict[str, pd.DataFrame]


def in_blocks(tables: Mapping[str, pd.DataFrame], key: str, names: Sequence[str]) -> Iterator[Tables]:
    """The tables `names` in blocks of rising `key`, at least one; all rows of one number of `key` are in one block.

    A block has about BLOCK_ROWS rows of the longest of the tables. Rows stay in the order of their table.

    >>> frame = pd.DataFrame({"lane": [2, 1, 2]})
    >>> [block["lanes"]["lane"].tolist() for block in in_blocks({"lanes": frame}, "lane", ["lanes"])]
    [[2, 1, 2]]
    """
    ordered = {name: _Ordered(tables[name], key) for name in names}
    longest = max(ordered.values(), key=lambda table: table.keys.size).keys
    edges = np.unique(longest[BLOCK_ROWS::BLOCK_ROWS])
    cuts = {name: [0, *np.searchsorted(table.keys, edges).tolist(), table.keys.size] for name, table in ordered.items()}
    for i in range(edges.size + 1):
        yield {name: table.rows(cuts[name][i], cuts[name][i + 1]) for name, table in ordered.items()}


class _Ordered:
    """A table with its numbers of `key` in rising order; `order` says in which rows they stand, None: as they are."""

    def __init__(self, frame: pd.DataFrame, key: str) -> None:
        self.frame, self.keys = frame, frame[key].to_numpy()
        self.order: np.ndarray | None = None
        if (self.keys[1:] < self.keys[:-1]).any():
            self.order = np.argsort(self.keys, kind="stable")
            self.keys = self.keys[self.order]

    def rows(self, start: int, stop: int) -> pd.DataFrame:
        """Rows with the numbers `start` to `stop` of the rising order."""
        some: slice | np.ndarray = slice(start, stop) if self.order is None else np.sort(self.order[start:stop])
        return self.frame.iloc[some].reset_index(drop=True)


def keyed(frame: pd.DataFrame, keys: Sequence[str], column: str) -> pd.Series:
    """One column as a Series indexed by `keys`."""
    return frame.set_index(list(keys))[column]


def look_up(series: pd.Series, *keys: pd.Series | np.ndarray) -> np.ndarray:
    """Values of a series indexed by several keys, NaN where there is none; shape of the keys."""
    if len(keys) == 1:
        return series.reindex(np.asarray(keys[0])).to_numpy(dtype=float)
    return series.reindex(pd.MultiIndex.from_arrays([np.asarray(key) for key in keys])).to_numpy(dtype=float)


def total(frame: pd.DataFrame, keys: Sequence[str], *columns: str) -> pd.DataFrame:
    """Sums of `columns` by `keys`; what is not a number stays so instead of counting as nothing."""
    if frame.empty:
        return frame[[*keys, *columns]].reset_index(drop=True)
    sums = frame.groupby(list(keys))[list(columns)].sum(skipna=False)
    return sums.reset_index()
