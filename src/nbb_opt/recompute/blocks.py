"""Tables read in blocks of chains or lanes, so that nothing that is worked out of a plan is as long as the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

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
