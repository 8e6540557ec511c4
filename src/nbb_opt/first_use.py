"""The first use of the kernels: that compiling is said, and how long it took.

Time limits do not count the seconds of compiling (see solve.stop). Where compiled kernels are kept: compiling.py.
"""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable
from typing import Any

ESTIMATE_S = 25  # of a processor, for all kernels of a solve
_hear: list[Callable[[str], object]] = []
_done: list[tuple[float, float]] = []
_watching: list[object] = []


def compiled_s(since: float) -> float:
    """Seconds of compiling that ended after a moment of time.perf_counter()."""
    return sum(seconds for end, seconds in _done if end > since)


def announce(hear: Callable[[str], object]) -> None:
    """Give `hear` a line when compiling begins, and one if compiled kernels can only be kept in a temporary folder."""
    _hear[:] = [hear]


def tell(line: str) -> None:
    """Give a line to whoever was announced."""
    for hear in _hear:
        hear(line)


def watch() -> None:
    """From now on add up the seconds of compiling."""
    if _watching:
        return
    event: Any = importlib.import_module("numba.core.event")
    lock, open_since = threading.Lock(), [0.0, 0.0]  # how many compile, and since when any does

    class Listener(event.Listener):
        def on_start(self, _event: object) -> None:
            with lock:
                if open_since[0] == 0:
                    open_since[1] = time.perf_counter()
                    if not _done:
                        tell(f"compiling for the first time: up to {ESTIMATE_S} s of a processor, then kept for later")
                open_since[0] += 1

        def on_end(self, _event: object) -> None:
            with lock:
                open_since[0] -= 1
                if open_since[0] == 0:
                    now = time.perf_counter()
                    _done.append((now, now - open_since[1]))

    _watching.append(Listener())
    event.register("numba:compile", _watching[0])
