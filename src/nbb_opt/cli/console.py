"""The live line of a running job: rewritten in place on a terminal, an occasional plain line elsewhere."""

from __future__ import annotations

import json
import logging
import math
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from nbb_opt.solve.stop import Progress

PLAIN_EVERY_S = 5.0
REDRAW_EVERY_S = 0.2

How = Literal["lines", "json", "quiet"]
shown: list[How] = ["lines"]  # how progress is shown: --log-json and --quiet change it for the whole run


def write_line(stream: TextIO, text: str) -> None:
    """One line of progress that is no step of a solve."""
    if shown[0] == "json":
        text = json.dumps({"message": text}, ensure_ascii=False)
    if shown[0] != "quiet":
        print(("\r\x1b[K" if stream.isatty() else "") + text, file=stream, flush=True)


@contextmanager
def logged(stream: TextIO) -> Iterator[None]:
    """What the Python interface logs, as plain lines."""
    logger, handler = logging.getLogger("nbb_opt"), logging.Handler()
    handler.emit = lambda record: write_line(stream, record.getMessage())  # type: ignore[method-assign]
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


class ProgressLine:
    """Call it with each Progress. Use as a context manager: on a terminal its clock moves between two of them."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.live = stream.isatty() and shown[0] == "lines"
        self.last: Progress | None = None
        self.heard_at = self.shown_at = -math.inf
        self.ended, self.drawing = threading.Event(), threading.Lock()
        self.clock = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> ProgressLine:
        if self.live:
            self.clock.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        if self.live and self.last is not None:
            self.clock.join()
            self.stream.write("\n")
            self.stream.flush()

    def __call__(self, progress: Progress) -> None:
        now = time.perf_counter()
        same = self.last is not None and progress.phase == self.last.phase
        self.last, self.heard_at = progress, now
        if self.live:
            if not same:
                self._draw()
        elif shown[0] != "quiet" and not (same and now - self.shown_at < PLAIN_EVERY_S):
            self.shown_at = now
            self.stream.write((as_json(progress) if shown[0] == "json" else line(progress)) + "\n")
            self.stream.flush()

    def _tick(self) -> None:
        while not self.ended.wait(REDRAW_EVERY_S):
            if self.last is not None:
                self._draw()

    def _draw(self) -> None:
        with self.drawing:
            since_s = time.perf_counter() - self.heard_at
            width = shutil.get_terminal_size().columns - 1
            self.stream.write("\r" + line(self.last, since_s=since_s)[:width].ljust(width))  # type: ignore[arg-type]
            self.stream.flush()


def line(progress: Progress, *, since_s: float = 0.0) -> str:
    """One line of about 80 columns: elapsed, phase, incumbent and bound in millions, gap (as a share of
    what can be decided).

    >>> from nbb_opt.solve.stop import Progress
    >>> line(Progress("search", 12.34, incumbent=102.0e6, bound=100.0e6, nodes=7))
    '  12.3 s  search                   102.000 MEUR  bound    100.000  gap  1.96 %'
    >>> line(Progress("search", 12.34, incumbent=102.0e6, bound=100.0e6, reference=110.0e6))
    '  12.3 s  search                   102.000 MEUR  bound    100.000  gap  1.96 % (20 %)'
    """
    text = f"{progress.elapsed_s + since_s:6.1f} s  {progress.phase:20}"
    if math.isfinite(progress.incumbent):
        text += f"  {progress.incumbent / 1e6:10.3f} M{progress.money}"
    if math.isfinite(progress.bound):
        text += f"  bound {progress.bound / 1e6:10.3f}"
    if math.isfinite(progress.gap):
        text += f"  gap {progress.gap:6.2%}".replace("%", " %")
    if math.isfinite(progress.decision_gap):
        text += f" ({progress.decision_gap:.0%})".replace("%", " %")
    return text.rstrip()


def as_json(progress: Progress) -> str:
    """The same for a machine: one JSON object a line, what is not known yet left out.

    >>> from nbb_opt.solve.stop import Progress
    >>> as_json(Progress("build", 1.5))
    '{"phase": "build", "elapsed_s": 1.5}'
    """
    known = {name: getattr(progress, name) for name in ("incumbent", "bound", "gap", "decision_gap")}
    figures = {name: value for name, value in known.items() if math.isfinite(value)}
    return json.dumps({"phase": progress.phase, "elapsed_s": round(progress.elapsed_s, 2), **figures})
