"""One calculation at a time, in a process of its own: started, watched, cancelled, and told in words if it crashes."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from nbb_opt.app import region_worker, worker
from nbb_opt.app.store import Refused, read_json, write_bytes
from nbb_opt.app.task import Task
from nbb_opt.errors import NbbError
from nbb_opt.run_folder import json_bytes

Finish = Callable[[dict[str, Any], Path], dict[str, Any]]
KEPT_POINTS = 400
KEEPING = (worker.CHECK, worker.SOLVE, region_worker.RUN, region_worker.FRONT)  # have something once they are stopped
RUNNING, DONE, FAILED = "running", "done", "failed"
STARTED = "job.json"  # in the folder of a calculation: what it is, and its process
LONGEST_ENDING_S = 600.0
ENDED_WITH_THE_APP = (
    "The app was ended while this was calculated, and nothing of it was kept; your plans are as they were. "
    "Start it again."
)


@dataclass(kw_only=True)
class Job:
    """A calculation and what is known of it; `history` holds elapsed seconds, incumbent and bound."""

    number: int
    kind: str
    case: str
    plan: str
    state: str = RUNNING
    progress: dict[str, Any] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)
    history: list[tuple[float, float | None, float | None]] = field(default_factory=list)
    cancelled: bool = False
    message: str = ""
    problems: list[str] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    left: bool = False  # by an app that was killed
    killed_before: int = field(default_factory=lambda: killed_for_memory())


class Busy(Refused):
    """A calculation runs already."""


class Jobs:
    """Runs the calculations of the app. `target` is what the process does; tests give others."""

    def __init__(self, work: Path, target: Callable[..., None] = worker.run) -> None:
        self.work, self.target = work, target
        self.lock = threading.Lock()
        self.job: Job | None = None
        self.process: BaseProcess | None = None
        self._pipe: Any = None
        self._thread: threading.Thread | None = None
        self.left = sorted(work.glob(".job-*"))  # of an app that was killed

    def start(self, task: Task, *, case: str, plan: str, finish: Finish) -> Job:
        """Start a calculation. `finish` takes what it found over, with the folder of its files. Raises Busy."""
        with self.lock:
            self.refuse_if_busy()
            folder = Path(tempfile.mkdtemp(dir=self.work, prefix=".job-"))
            context = multiprocessing.get_context("spawn")
            here, there = context.Pipe()
            given = asdict(replace(task, folder=task.folder or str(folder)))
            self.process = context.Process(target=self.target, args=(there, given), daemon=True)
            self.process.start()
            note = {"kind": task.kind, "case": case, "plan": plan, "pid": self.process.pid}
            write_bytes(folder / STARTED, json_bytes(note))
            there.close()
            self._pipe = here
            self.job = Job(number=(self.job.number if self.job else 0) + 1, kind=task.kind, case=case, plan=plan)
            watch = (self.job, self.process, here, folder, finish)
            self._thread = threading.Thread(target=self._watch, args=watch, daemon=True)
            self._thread.start()
            return self.job

    def adopt(self, finish: Callable[[Job], Finish]) -> None:
        """Go on with what a killed app had begun: a best plan that is still being written, or was, is taken over with
        what `finish` gives for its job; of all else it is told that it ended."""
        while self.left:
            folder = self.left.pop()
            try:
                note = read_json(folder / STARTED, "kind", "case", "plan", "pid")
            except NbbError:  # not begun, or a run of the region view
                note = {"kind": ""}
            if note["kind"] not in worker.KINDS:
                shutil.rmtree(folder, ignore_errors=True)
                continue
            job = Job(number=0, kind=note["kind"], case=note["case"], plan=note["plan"], left=True)
            self.job, given = job, (job, note["pid"], folder, finish(job))
            self._thread = threading.Thread(target=self._take_over, args=given, daemon=True)
            self._thread.start()

    def _take_over(self, job: Job, pid: int, folder: Path, finish: Finish) -> None:
        until = time.monotonic() + LONGEST_ENDING_S
        job.progress = {"phase": "ending", "incumbent": None, "bound": None}
        found = folder / worker.DONE
        while job.kind in worker.WRITING and not found.is_file() and alive(pid) and time.monotonic() < until:
            time.sleep(0.2)
        try:
            if found.is_file():
                job.outcome = finish(read_json(found), folder)
                job.state = DONE
            else:
                job.message, job.state = ENDED_WITH_THE_APP, FAILED
        except Exception as error:  # whatever it is, the page must hear of it
            job.message, job.state = f"The result could not be kept: {error}", FAILED
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def refuse_if_busy(self) -> None:
        """Raises Busy while a calculation runs."""
        if self.job is not None and self.job.state == RUNNING:
            raise Busy("Another calculation is running. Wait for it, or cancel it first.")

    def cancel(self, *, at_once: bool = False) -> None:
        """Ask the calculation to stop with the best it has; `at_once` ends it and keeps nothing."""
        with self.lock:
            if self.job is None or self.job.state != RUNNING or self.process is None:
                return
            self.job.cancelled = True
            if at_once or self.job.kind not in KEEPING:
                self.process.kill()
            else:
                with contextlib.suppress(OSError):  # it has just ended by itself
                    self._pipe.send_bytes(b"stop")

    def busy(self, case: str, plan: str) -> bool:
        """Whether a calculation about this plan is running."""
        job = self.job
        return job is not None and job.state == RUNNING and (job.case, job.plan) == (case, plan)

    def close(self) -> None:
        """End what runs; a search for the best plan stops, and writes the best plan that it has by itself."""
        self.cancel(at_once=self.job is None or self.job.kind not in worker.WRITING)
        if self._thread is not None:
            self._thread.join(10)

    def _watch(self, job: Job, process: BaseProcess, pipe: Any, folder: Path, finish: Finish) -> None:
        started = time.monotonic()
        last: dict[str, Any] = {}
        try:
            while True:
                last = json.loads(pipe.recv_bytes())
                job.seconds = time.monotonic() - started
                if "done" in last or "error" in last:
                    break
                self._note(job, last)
        except (EOFError, OSError):
            pass
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join()
        job.seconds = time.monotonic() - started
        try:
            if "done" in last:
                job.outcome = finish(last["done"], folder)
                job.state = DONE
            else:
                job.message, job.problems = self._failure(job, last, process.exitcode)
                job.state = FAILED
        except Exception as error:  # whatever it is, the page must hear of it
            job.message, job.state = f"The result could not be kept: {error}", FAILED
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            pipe.close()

    def _note(self, job: Job, message: dict[str, Any]) -> None:
        if "phase" not in message:
            job.found |= message
            return
        job.progress = message
        if message["phase"].startswith(worker.ASIDE):
            return
        if message["incumbent"] is not None or message["bound"] is not None:
            _, incumbent, bound = job.history[-1] if job.history else (0.0, None, None)
            job.history.append((
                message["elapsed_s"], _better(min, incumbent, message["incumbent"]),
                _better(max, bound, message["bound"]),
            ))  # fmt: skip
            if len(job.history) > KEPT_POINTS:
                job.history = [*job.history[:-1:2], job.history[-1]]

    def _failure(self, job: Job, last: dict[str, Any], code: int | None) -> tuple[str, list[str]]:
        if "error" in last:
            return last["error"], last["problems"]
        if job.cancelled:
            return "Stopped. Nothing of this calculation was kept; your plans are as they were.", []
        how = f"with code {code}"
        if code is not None and code < 0:
            how = f"by the signal {signal.Signals(-code).name}"
        kept = "Your plans are kept as they were."
        if code == -signal.SIGKILL and killed_for_memory() > job.killed_before:
            return f"This machine ran out of memory. {kept} Close other programs and try again.", []
        return f"The calculation ended unexpectedly ({how}). {kept} Try again; if it happens again, report it.", []


def alive(pid: int) -> bool:
    """Whether a process is there and not only waits to be buried."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return state != "Z"


def killed_for_memory() -> int:
    """How many processes the kernel has ended for want of memory since it started; 0 where it does not count them."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def _better(choose: Callable[..., float], before: float | None, now: float | None) -> float | None:
    """The better of two figures, either of which may be unknown."""
    known = [value for value in (before, now) if value is not None]
    return choose(known) if known else None
