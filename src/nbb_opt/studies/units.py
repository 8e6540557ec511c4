"""The study engine: a study is a folder of small units of work, each solved once, whole or not there.

A study says which units it wants, and a `Work` solves one. The record of a finished unit is a file named by a hash of
all that its answer depends on: of the study (instance, model, options, code), of what is asked, and of the unit that it
starts from. So a study that was killed goes on where it was, and comes to the same table; what is lost is the unit that
each worker had in hand. A unit that starts from another one (a warm start) is given the record of that one, never what
a process happens to remember.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from nbb_opt import __version__
from nbb_opt.errors import NbbError, Stopped
from nbb_opt.options import SolveOptions
from nbb_opt.output import check_folder, write_file
from nbb_opt.report.study import STUDY
from nbb_opt.report.text import duration
from nbb_opt.solve import Stop
from nbb_opt.solve.stop import Callback

UNITS = "units"
WATCH_S = 0.25
ANSWERS_NOT = ("api", "app", "cli", "report")  # code that no answer depends on
STOPPED = "The study was stopped: this is what was finished, too early for an answer; the same command goes on."
Record = dict[str, Any]  # plain values, as JSON has them
Say = Callable[[str], None]


@dataclass(frozen=True)
class Unit:
    """A piece of work: its name in the study, what is asked (plain values), and the unit that it starts from."""

    name: str
    asked: Mapping[str, Any] = field(default_factory=dict)
    after: str = ""


class Work(Protocol):
    """Solves units. It travels to other processes by pickle; what it works out for all units it keeps to itself."""

    def __call__(self, asked: Mapping[str, Any], before: Record | None, stop: Stop) -> Record:
        """The record of a unit; `before` is that of the unit it starts from. Once `stop` is asked for, any record."""


class Study:
    """A folder of finished units, or none (they are kept in memory then); a context, in which `run` solves units.

    `about` is what every answer depends on besides what is asked. `workers` is a number of local processes (1: this
    one), or the address of a Dask scheduler, whose workers must see the instance at the same path. `solves` is how many
    units all runs have together, `at` says where that is not known ("at most", "about"); it is told before the first.
    Raises NbbError for a folder with something else in it, or with units of another study.

    >>> def double(asked, before, stop):
    ...     return {"twice": 2 * asked["value"] + (before or {"twice": 0})["twice"]}
    >>> with Study(None, "example", {}, double) as study:
    ...     found = study.run([Unit("a", {"value": 1}), Unit("b", {"value": 10}, after="a")])
    >>> found["b"]["twice"]
    22
    """

    def __init__(
        self, folder: Path | None, kind: str, about: Mapping[str, Any], work: Work, *, workers: int | str = 1,
        say: Say = lambda _line: None, stop: Stop | None = None, solves: int = 0, at: str = "",
    ) -> None:  # fmt: skip
        if isinstance(workers, int) and workers < 1:
            raise NbbError(f"workers={workers}: give a number of processes, or the address of a Dask scheduler")
        self.folder, self.work, self.workers, self.say = folder, work, workers, say
        self.stop = stop or Stop(float("inf"))
        self.solves, self.at = solves, at
        self.about = _plain({"study": kind, **about, "version": __version__, "code": code_digest()})
        self._key = _digest(self.about)
        self.records: dict[str, Record] = {}  # by name of the unit
        self._digests: dict[str, str] = {}
        self._stack = ExitStack()
        self._pool: Executor | None = None
        self._places = 1
        self._opened = False
        self._claimed = False  # by the first record that is kept: what fails before leaves nothing behind
        if folder is not None:
            self._refuse_another(folder)

    def _refuse_another(self, folder: Path) -> None:
        check_folder(folder, STUDY)
        place = folder / STUDY
        if place.exists():
            try:
                other = dict(json.loads(place.read_bytes()))
            except (ValueError, TypeError):
                raise NbbError(f"{place}: cannot be read; remove the folder, or choose another out=") from None
            if other != self.about:
                names = [name for name in {**self.about, **other} if self.about.get(name) != other.get(name)]
                raise NbbError(
                    f"{folder}: holds another study (other {', '.join(names)}); choose another out=, or remove it"
                )

    def __enter__(self) -> Study:
        self._stack.enter_context(self.stop.by_ctrl_c())
        if self.workers == 1:
            return self
        if isinstance(self.workers, int):
            local = _Local(self.workers)
            self._pool, self._places = self._stack.enter_context(local), self.workers
        else:
            from nbb_opt.cluster import connect

            cluster = self._stack.enter_context(connect(self.workers))
            self._pool, self._places = cluster.client.get_executor(), cluster.workers
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, fault, trace)

    @property
    def stopped(self) -> bool:
        """Whether somebody asked to stop."""
        return self.stop.asked.is_set()

    @property
    def ended(self) -> dict[str, Any]:
        """What every answer depends on, and how the study ended."""
        return {**self.about, "status": "stopped" if self.stopped else "done"}

    def run(self, units: Iterable[Unit]) -> dict[str, Record]:
        """The records of the units by name, in their order: those of earlier runs, and the others solved now.

        Units that somebody stopped are left out. What a unit raises is raised, and the others that run are given up.
        """
        units = list(units)
        for unit in units:
            self._name(unit)
            known = self._find(unit)
            if known is not None:
                self.records[unit.name] = known
        waiting = [unit for unit in units if unit.name not in self.records]
        if found := len(units) - len(waiting):
            self.say(f"{found} of {len(units)} were finished before")
        running: dict[Future[Record | None], Unit] = {}
        self._open(len(waiting))
        while (waiting or running) and not self.stopped:
            ready = [unit for unit in waiting if not unit.after or unit.after in self.records]
            for unit in ready[: self._places - len(running)]:
                waiting.remove(unit)
                running[self._submit(unit)] = unit
            if not running:
                raise NbbError(f"unit {waiting[0].name!r} starts from {waiting[0].after!r}, which is not solved")
            ended, _ = wait(running, timeout=WATCH_S, return_when=FIRST_COMPLETED)
            for future in ended:
                unit, record = running.pop(future), future.result()
                if record is not None:
                    self._keep(unit, record)
                    done, many = len(self.records), self._many(len(waiting) + len(running))
                    text = f"{done} of {many}: {unit.name}, {record['seconds']:.1f} s"
                    self.say(f"{text}, {self._left(many)}" if done < many else text)
        for future in running:
            future.cancel()
        return {unit.name: self.records[unit.name] for unit in units if unit.name in self.records}

    def _open(self, waiting: int) -> None:
        """Before the first solve: how many there are, and how long they take."""
        if not (self.solves and waiting and not self._opened):
            return
        self._opened = True
        many, limit_s = self._many(waiting), self.about.get("time_limit_s", 0.0)
        text = f"{self.at} {many - len(self.records)} solves to make".strip()
        if self.records:
            text += f", {self._left(many)}"
        elif limit_s:
            text += f", each at most {duration(limit_s)}; how long they take is known after the first"
        self.say(text)

    def _many(self, waiting: int) -> int:
        """Units in all, as far as is known."""
        return max(self.solves, len(self.records) + waiting)

    def _left(self, many: int) -> str:
        """How long the others take, if they take as long as those that are finished."""
        took = [record.get("seconds", 0.0) for record in self.records.values()]
        return f"about {duration(sum(took) / len(took) * (many - len(took)) / self._places)} left"

    def _submit(self, unit: Unit) -> Future[Record | None]:
        before = self.records.get(unit.after)
        if self._pool is not None:
            return self._pool.submit(_solve, self._key, self.work, dict(unit.asked), before)
        here: Future[Record | None] = Future()
        here.set_result(_timed(self.work, unit.asked, before, self.stop))
        return here

    def _name(self, unit: Unit) -> None:
        digest = _digest([self.about, _plain(unit.asked), self._digests.get(unit.after, "")])
        if self._digests.setdefault(unit.name, digest) != digest or (unit.after and unit.after not in self._digests):
            raise NbbError(f"unit {unit.name!r}: is there twice, or starts from one that comes after it")

    def _path(self, unit: Unit) -> Path | None:
        return None if self.folder is None else self.folder / UNITS / f"{self._digests[unit.name]}.json"

    def _find(self, unit: Unit) -> Record | None:
        """The record of a unit that was finished; what cannot be read counts as not finished."""
        path = self._path(unit)
        if unit.name in self.records or path is None or not path.is_file():
            return self.records.get(unit.name)
        try:
            return dict(json.loads(path.read_bytes()))
        except (ValueError, TypeError):
            return None

    def _keep(self, unit: Unit, record: Record) -> None:
        text = json.dumps(record, ensure_ascii=False)
        self.records[unit.name] = json.loads(text)  # as it will be read back
        if self.folder is not None and (path := self._path(unit)) is not None:
            if not self._claimed:
                self._refuse_another(self.folder)
                write_file(self.folder / STUDY, json.dumps(self.about, indent=1, ensure_ascii=False) + "\n")
                self._claimed = True
            write_file(path, text)


@cache
def code_digest() -> str:
    """Of the files of this package that answers depend on."""
    root = Path(__file__).parents[1]
    files = [path for path in sorted(root.rglob("*.py")) if path.relative_to(root).parts[0] not in ANSWERS_NOT]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """How a study is made, whatever it asks.

    `options` are for each solve; `relax` solves LP relaxations, whose costs are lower bounds and no plans. `extend` is
    a file with rules of the user's own; costs are with theirs then. With a folder `out` finished units are kept, and
    not solved again. `workers`: see `Study`.
    """

    model: str = "joint"
    options: SolveOptions = field(default_factory=SolveOptions)
    relax: bool = False
    extend: Path | None = None
    out: Path | None = None
    workers: int | str = 1
    cache_dir: Path | None = None
    callback: Callback | None = None
    say: Say = lambda _line: None
    stop: Stop | None = None

    def study(self, kind: str, about: Mapping[str, Any], work: Work, *, solves: int, at: str = "") -> Study:
        """The study that solves units so; `solves` and `at` as in Study."""
        return Study(
            self.out, kind, about, work, workers=self.workers, say=self.say, stop=self.stop, solves=solves, at=at
        )


class _Local(AbstractContextManager[Executor]):
    """Processes of this machine. They end with this one, however it ends, and are asked to stop when it leaves."""

    def __init__(self, workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.ending = context.Event()
        self.pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(self.ending,))

    def __enter__(self) -> Executor:
        return self.pool

    def __exit__(self, *_fault: object) -> None:
        self.ending.set()
        self.pool.shutdown(wait=True, cancel_futures=True)


_STOP = Stop(float("inf"))  # of a worker
_WORK: dict[str, Any] = {}  # of a worker: the work at hand, with what it has worked out


def _begin(ending: Any) -> None:
    """A worker: Ctrl-C is for its parent to hear; it stops when it is told to, and ends where its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        while parent is not None and parent.is_alive():
            if ending.wait(WATCH_S):
                _STOP.asked.set()
                parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="watch", daemon=True).start()


def _solve(study: str, work: Work, asked: Mapping[str, Any], before: Record | None) -> Record | None:
    if study not in _WORK:
        _WORK.clear()
        _WORK[study] = work
    return _timed(_WORK[study], asked, before, _STOP)


def _timed(work: Work, asked: Mapping[str, Any], before: Record | None, stop: Stop) -> Record | None:
    """The record with its seconds; None where somebody asked to stop, so that it may have been cut short."""
    started = time.perf_counter()
    try:
        record = work(asked, before, stop)
    except Stopped:
        return None
    if stop.asked.is_set():
        return None
    return {**record, "seconds": round(time.perf_counter() - started, 3)}


def _digest(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:24]


def _plain(values: Any) -> Any:
    """The values as JSON gives them back."""
    return json.loads(json.dumps(values))
