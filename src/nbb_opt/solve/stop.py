"""What a running solve tells the outside, and how the outside tells it to stop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from types import FrameType

from nbb_opt.errors import NoPlan, Stopped
from nbb_opt.first_use import compiled_s
from nbb_opt.result import decision_gap

GRACE_S = 8.0  # for the last step after the time limit or Ctrl-C
CLOCK_S = 0.5  # a solver that ends on its own clock may be so much ahead of ours
UNKNOWN = (float("nan"), -float("inf"))  # cost of the best plan and bound while there are none


@dataclass(frozen=True)
class Progress:
    """One moment of a solve; `incumbent`, `bound` and the cost of the `reference` in `money`, NaN while unknown."""

    phase: str
    elapsed_s: float
    incumbent: float = float("nan")
    bound: float = float("nan")
    nodes: int = 0
    money: str = "EUR"
    _: KW_ONLY
    reference: float = float("nan")

    @property
    def gap(self) -> float:
        """Relative distance of incumbent and bound.

        >>> Progress("search", 1.0, incumbent=102.0, bound=100.0).gap
        0.0196...
        """
        return relative_gap(self.incumbent, self.bound)

    @property
    def decision_gap(self) -> float:
        """That distance as a share of what can be decided; NaN where that is not known.

        >>> Progress("search", 1.0, incumbent=102.0, bound=100.0, reference=110.0).decision_gap
        0.2
        """
        return decision_gap(self.incumbent, self.bound, self.reference)


def relative_gap(incumbent: float, bound: float) -> float:
    """|incumbent - bound| over |incumbent|; infinite while either is unknown.

    >>> relative_gap(100.0, 99.5)
    0.005
    """
    if not (abs(incumbent) < float("inf") and abs(bound) < float("inf")):
        return float("inf")
    if incumbent == bound:
        return 0.0
    return abs(incumbent - bound) / max(abs(incumbent), 1e-12)


Callback = Callable[[Progress], None]


@dataclass
class Stop:
    """A deadline and a request to stop, shared by every step of one job. Compiling kernels does not count."""

    time_limit_s: float
    started: float = field(default_factory=time.perf_counter)
    asked: threading.Event = field(default_factory=threading.Event)

    def elapsed_s(self) -> float:
        return time.perf_counter() - self.started - compiled_s(self.started)

    def left_s(self) -> float:
        return self.time_limit_s - self.elapsed_s()

    def part(self, share: float) -> Stop:
        """A stop for one step, which may use a share of the time that is left; a request to stop reaches it too."""
        until = self.elapsed_s() + share * max(self.left_s(), 0.0)
        return Stop(min(until, self.time_limit_s), started=self.started, asked=self.asked)

    def grace(self, grace_s: float) -> Stop:
        """A stop for the last step that turns what is known into a plan: `grace_s` at least, whoever asked to stop."""
        return Stop(max(self.time_limit_s, self.elapsed_s() + grace_s), started=self.started)

    def now(self) -> bool:
        """True once somebody asked to stop or the time is over."""
        return self.asked.is_set() or self.left_s() <= 0

    def ended_by(self) -> str:
        """The status of what ended before its gap was proven: who asked, the time, or neither.

        >>> Stop(0.0).ended_by(), Stop(60.0).ended_by()
        ('time_limit', 'not_proven')
        """
        if self.asked.is_set():
            return "stopped"
        return "time_limit" if self.left_s() <= CLOCK_S else "not_proven"

    def no_plan(self, label: str = "") -> NoPlan:
        """The error for an end that came before any plan.

        >>> str(Stop(0.0).no_plan("root: "))
        'root: no plan found in time (0 s); allow more with time_limit_s='
        """
        ended = self.ended_by()
        if ended == "stopped":
            return Stopped(f"{label}stopped before a plan was found")
        if ended == "time_limit":
            limit = f"{self.time_limit_s:.3g} s"
            return NoPlan(f"{label}no plan found in time ({limit}); allow more with time_limit_s=")
        spent = f"{self.elapsed_s():.0f} of {self.time_limit_s:.0f} s"
        return NoPlan(f"{label}the search ended after {spent} without a plan; another seed= may find one")

    @contextmanager
    def by_ctrl_c(self, *, patient: bool = False) -> Iterator[None]:
        """Within, Ctrl-C asks to stop instead of breaking off what runs, so that nothing found is lost.

        Ctrl-C once more does break off (KeyboardInterrupt), unless `patient`: where threads would be left behind that
        run HiGHS. SIGTERM counts as Ctrl-C where the program says so. Only the main thread hears signals: in others
        this does nothing.

        >>> stop = Stop(60.0)
        >>> with stop.by_ctrl_c():
        ...     signal.raise_signal(signal.SIGINT)
        >>> stop.now()
        True
        """

        def hear(_signal: int, _frame: FrameType | None) -> None:
            if self.asked.is_set() and not patient:
                raise KeyboardInterrupt
            self.asked.set()

        kept = {}
        if threading.current_thread() is threading.main_thread():
            kept = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)}
        heard = [kind for kind, handler in kept.items() if callable(handler)]
        try:
            for kind in heard:
                signal.signal(kind, hear)
            yield
        finally:
            for kind in heard:
                signal.signal(kind, kept[kind])
