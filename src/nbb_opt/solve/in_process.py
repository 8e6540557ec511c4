"""HiGHS within this process: made without a greeting, run beside the main thread, its memory given back."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import highspy

from nbb_opt.solve.stop import Stop

_ONE_AT_A_TIME = threading.Lock()


def new_highs() -> highspy.Highs:
    """A HiGHS that has printed nothing: from 1.16 on it greets on standard output when it is made, amid JSON."""
    if sys.platform == "win32":
        return highspy.Highs()
    with _ONE_AT_A_TIME:
        kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 1)
            return highspy.Highs()
        finally:
            ctypes.CDLL(None).fflush(None)
            os.dup2(kept, 1)
            os.close(kept)
            os.close(nowhere)


def run_in_thread(run: Callable[[], Any], stop: Stop, heartbeat: Callable[[], None]) -> None:
    """Run in a second thread; Ctrl-C turns into a request to stop. `heartbeat` is called now and then meanwhile.

    Whatever happens, this ends after `run`: nobody may read what HiGHS still writes. (`Thread.join` is no good for
    that: broken off by an exception, it takes the thread for ended.) Raises what `run` or `heartbeat` raised.

    >>> run_in_thread(lambda: print("done"), Stop(60.0), lambda: None)
    done
    """
    done = threading.Event()
    failure: list[BaseException] = []

    def work() -> None:
        try:
            run()
        except BaseException as error:  # handed to the caller below
            failure.append(error)
        finally:
            done.set()

    with stop.by_ctrl_c(patient=True):
        threading.Thread(target=work, name="highs", daemon=True).start()
        try:
            while not done.wait(0.25):
                heartbeat()
        finally:
            if not done.is_set():  # a fault of the heartbeat
                stop.asked.set()
                done.wait()
    if failure:
        raise failure[0]


def give_back() -> None:
    """Give back what glibc keeps for later of what was freed (pieces below 32 MB); other C libraries are left alone.

    Of a million flows that is about half a gigabyte when they are solved.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
