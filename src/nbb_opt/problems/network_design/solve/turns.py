"""Two who work on one problem: side by side, or in turn where there is only one thread for both."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from nbb_opt.solve.stop import Stop

LOOK_S = 0.1  # how often who waits looks whether somebody asked to stop


class Turns:
    """The first works until `until`, then waits once while the second works; without `until` nobody ever waits.

    `halt` stops the second: a request to stop the whole (`stop`) reaches it here while the first waits.
    """

    def __init__(self, stop: Stop, halt: Stop, until: Stop | None) -> None:
        self.stop, self.halt, self.until = stop, halt, until
        self._begin, self._end = threading.Event(), threading.Event()
        if until is None:
            self._begin.set()

    def first(self) -> None:
        """To be called now and then by the first: waits here for the second when it is its turn."""
        if self.until is None or self._end.is_set() or not self.until.now():
            return
        self._begin.set()
        while not self._end.wait(LOOK_S):
            if self.stop.asked.is_set():
                self.halt.asked.set()

    @contextmanager
    def second(self) -> Iterator[None]:
        """Around the work of the second: waits for its turn, and gives the turn back however it ends."""
        try:
            self._begin.wait()
            yield
        finally:
            self._end.set()

    def over(self) -> None:
        """The first has ended: the second is to end too, or need not begin."""
        self.halt.asked.set()
        self._begin.set()
