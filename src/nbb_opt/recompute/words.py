"""Words as numbers: long columns of few different words are compared, looked up and summed as numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

MISSING = -1


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
