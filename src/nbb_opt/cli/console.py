"""The live line of a running job: rewritten in place on a terminal, an occasional plain line elsewhere."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from nbb_opt.solve.stop import Progress

PLAIN_EVERY_S = 5.0
REDRAW_EVERY_S = 0.1


@contextmanager
def logged(stream: TextIO) -> Iterator[None]:
    """What the Python interface logs, as plain lines."""
    logger, handler = logging.getLogger("nbb_opt"), logging.StreamHandler(stream)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


class ProgressLine:
    """Call it with each Progress. Use as a context manager, so that the line is ended whatever happens."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.live = stream.isatty()
        self.phase, self.shown_at, self.width = "", -math.inf, 0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live and self.width:
            self.stream.write("\n")
            self.stream.flush()

    def __call__(self, progress: Progress) -> None:
        now = time.perf_counter()
        wait = REDRAW_EVERY_S if self.live else PLAIN_EVERY_S
        if progress.phase == self.phase and now - self.shown_at < wait:
            return
        self.phase, self.shown_at = progress.phase, now
        text = line(progress)
        if self.live:
            self.stream.write("\r" + text.ljust(self.width))
            self.width = len(text)
        else:
            self.stream.write(text + "\n")
        self.stream.flush()


def line(progress: Progress) -> str:
    """One line: phase, incumbent and bound in millions, gap, elapsed.

    >>> from nbb_opt.solve.stop import Progress
    >>> line(Progress("search", 12.34, incumbent=102.0e6, bound=100.0e6, nodes=7))
    '  12.3 s  search                      incumbent     102.000 MEUR  bound     100.000 MEUR  gap  1.96 %'
    """
    text = f"{progress.elapsed_s:6.1f} s  {progress.phase:26}"
    if math.isfinite(progress.incumbent):
        text += f"  incumbent {progress.incumbent / 1e6:11.3f} M{progress.money}"
    if math.isfinite(progress.bound):
        text += f"  bound {progress.bound / 1e6:11.3f} M{progress.money}"
    if math.isfinite(progress.gap):
        text += f"  gap {progress.gap:6.2%}".replace("%", " %")
    return text.rstrip()
