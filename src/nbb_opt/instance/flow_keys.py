"""Numbers of flows met so far, each once, with memory that grows with these and not with the rows."""

from __future__ import annotations

import numpy as np

WAITING_ROWS = 1 << 20


class FlowKeys:
    """Takes keys (int64) and tonnes row by row; `keys` are then sorted, and `tonnes` are summed in the order of rows.

    `repeated` are the keys that came more than once, sorted.
    """

    def __init__(self) -> None:
        self.keys = np.empty(0, dtype=np.int64)
        self.tonnes = np.empty(0)
        self.repeated = np.empty(0, dtype=np.int64)
        self.rows = 0
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []
        self._waiting_rows = 0

    def add(self, keys: np.ndarray, tonnes: np.ndarray) -> None:
        """Add rows in the order of the file."""
        self._waiting.append((keys, tonnes))
        self._waiting_rows += keys.size
        self.rows += keys.size
        if self._waiting_rows > max(WAITING_ROWS, self.keys.size):
            self.settle()

    def settle(self) -> None:
        """Put the rows that wait where they belong; to be called once all were added."""
        if not self._waiting:
            return
        keys = np.concatenate([self.keys, *(part for part, _ in self._waiting)])
        tonnes = np.concatenate([self.tonnes, *(part for _, part in self._waiting)])
        self._waiting.clear()
        self._waiting_rows = 0
        order = np.argsort(keys, kind="stable")
        keys, tonnes = keys[order], tonnes[order]
        del order
        new = np.ones(keys.size, dtype=bool)
        np.not_equal(keys[1:], keys[:-1], out=new[1:])
        if new.all():
            self.keys, self.tonnes = keys, tonnes
            return
        self.repeated = np.union1d(self.repeated, keys[~new])
        start = np.flatnonzero(new)
        self.keys, self.tonnes = keys[start], np.add.reduceat(tonnes, start)
