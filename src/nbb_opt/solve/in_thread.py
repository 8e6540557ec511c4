"""HiGHS beside the main thread, which stays free to hear Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from nbb_opt.solve.stop import Stop


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
