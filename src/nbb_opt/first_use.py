"""The first use of the kernels: where they are kept once compiled, that it is said, and how long it took.

numba keeps compiled kernels beside their source or in the user's cache folder. Where neither can be written to they go
to a temporary folder. Time limits do not count the seconds of compiling (see solve.stop).
"""

from __future__ import annotations

import importlib
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ESTIMATE_S = 25  # of a processor, for all kernels of a solve
_tell: list[Callable[[str], object]] = []
_done: list[tuple[float, float]] = []
_watching: list[object] = []


def compiled_s(since: float) -> float:
    """Seconds of compiling that ended after a moment of time.perf_counter()."""
    return sum(seconds for end, seconds in _done if end > since)


def choose_place(tell: Callable[[str], object]) -> None:
    """Let numba keep kernels in a temporary folder where it could not keep them at all; to be called before numba is
    imported. `tell` is given a line about it, and one when compiling begins."""
    _tell[:] = [tell]
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    user = Path(os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache"))
    beside = Path(__file__).parent / "network" / "kernels"
    if _writable(beside) or (user.is_absolute() and _writable(user)):
        return
    place = Path(tempfile.gettempdir(), f"nbb-opt-kernels-{os.getuid() if hasattr(os, 'getuid') else 'user'}")
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        owner = place.stat().st_uid if hasattr(os, "getuid") else None
    except OSError:
        owner = -1
    if owner not in (None, os.getuid() if hasattr(os, "getuid") else None):
        place = Path(tempfile.mkdtemp(prefix="nbb-opt-kernels-"))
    os.environ["NUMBA_CACHE_DIR"] = str(place)
    tell(f"compiled kernels are kept in {place}: neither the installation nor {user} can be written to")


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
                    for tell in _tell if not _done else ():
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


def _writable(folder: Path) -> bool:
    """Whether a file can be made in a folder (which is made where it is missing), tried as numba tries it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
