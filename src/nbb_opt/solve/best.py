"""The best plan and the best bound of one search, how they came, and who hears of it."""

from __future__ import annotations

import threading
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np

from nbb_opt.errors import NoPlan
from nbb_opt.solve.stop import UNKNOWN, Callback, Progress, Stop, relative_gap

Plan = TypeVar("Plan")
ROUNDING = 1e-12  # relative gap of two sums of the same terms
LEAST = 1e-6  # relative gap below which differences are not worth the search


@dataclass(frozen=True)
class DecisionGap:
    """A gap in shares of what can be decided: (plan - bound) / (reference - bound), `reference` the cost of a plan that
    decides nothing.

    Most of the cost of freight is paid whatever is decided, so that a small gap of the whole may leave most of a
    decision open. Less than `least` of the whole is not asked for (where nothing can be decided, nothing is left open),
    and not more than `most`.
    """

    share: float
    reference: float
    least: float = LEAST
    most: float = 1.0

    def relative(self, incumbent: float) -> float:
        """The relative gap that is as good for a plan of that cost; the least while it
        is no cheaper than the reference.

        (plan - bound) <= share (reference - bound) is (plan - bound) <= share / (1 - share) (reference - plan).

        >>> f"{DecisionGap(0.05, 102.0).relative(100.5):.4%}"
        '0.0786%'
        """
        if not incumbent < self.reference:
            return self.least
        left = 1.0 - self.share
        allowed = self.share * (self.reference - incumbent) / max(abs(incumbent), 1e-12)
        return min(max(allowed / left, self.least), self.most) if left > 0 else self.most


@dataclass
class BestKnown(Generic[Plan]):
    """Incumbent, bound and history of a search for a plan within a gap; several threads may share it.

    `target` is a relative gap, or a share of what can be decided; `gap` is the relative gap that it amounts to now.

    `incumbent` is the cost of `plan`, NaN while there is none; `bound` is -inf while nothing is proven; `history` holds
    (elapsed_s, incumbent, bound) whenever one of them changed. `label` begins the phases that the callback is told.

    >>> best = BestKnown[str](0.01, Stop(60.0))
    >>> best.offer("plan", 100.0), best.offer("dearer plan", 101.0), best.plan
    (True, False, 'plan')
    >>> best.prove(99.5)
    >>> best.proven(), [step[1:] for step in best.history]
    (True, [(100.0, -inf), (100.0, 99.5)])
    """

    target: float | DecisionGap
    stop: Stop
    callback: Callback | None = None
    label: str = ""
    _: KW_ONLY
    plan: Plan | None = None
    incumbent: float = UNKNOWN[0]
    bound: float = UNKNOWN[1]
    nodes: int = 0
    iterations: int = 0
    history: list[tuple[float, float, float]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def gap(self) -> float:
        """The relative gap at which to stop, as far as it is known by now."""
        return self.target.relative(self.incumbent) if isinstance(self.target, DecisionGap) else self.target

    @property
    def reference(self) -> float:
        """The cost of a plan that decides nothing, NaN where it is not known."""
        return self.target.reference if isinstance(self.target, DecisionGap) else UNKNOWN[0]

    @property
    def known(self) -> tuple[float, float]:
        """Incumbent and bound."""
        return self.incumbent, self.bound

    @property
    def enough(self) -> float:
        """The bound that proves the gap of the best plan; infinite while there is none."""
        return np.inf if self.plan is None else self.incumbent - self.gap * abs(self.incumbent)

    def offer(self, plan: Plan, cost: float) -> bool:
        """Keep a plan if it is the best; whether it is."""
        with self._lock:
            if cost >= self.incumbent:
                return False
            self.plan, self.incumbent = plan, cost
            self._note(*self.known)
            return True

    def prove(self, bound: float) -> None:
        """Keep a bound if it is the best; none is above the best plan."""
        with self._lock:
            bound = float(np.fmin(bound, self.incumbent))
            if bound > self.bound:
                self.bound = bound
                self._note(*self.known)

    def proven(self) -> bool:
        """Whether the gap is closed as far as was asked, and can be told from zero at all."""
        return self.plan is not None and relative_gap(*self.known) <= max(self.gap, ROUNDING)

    def no_plan(self) -> NoPlan:
        """The error for an end before any plan; it has the bound that was found."""
        error = self.stop.no_plan(self.label)
        error.bound_eur = self.bound
        return error

    def hear(self, progress: Progress) -> None:
        """What HiGHS says of the whole problem: its plan counts as seen before it is made exact."""
        with self._lock:
            self._note(progress.incumbent, progress.bound)
            if self.callback is not None:
                self.callback(replace(progress, incumbent=self.history[-1][1], reference=self.reference))

    def relay(self, progress: Progress) -> None:
        """What a step on another problem says (a scenario, a master): its plans are none of this one."""
        if self.callback is not None:
            bound = float(np.fmax(progress.bound, self.bound))
            nodes = max(progress.nodes, self.nodes)
            known = replace(progress, incumbent=self.incumbent, bound=bound, nodes=nodes, reference=self.reference)
            self.callback(known)

    def announce(self, phase: str, nodes: int | None = None) -> None:
        """Tell the callback what begins, or how far it is."""
        if self.callback is not None:
            with self._lock:
                many = self.nodes if nodes is None else nodes
                elapsed_s, phase = self.stop.elapsed_s(), self.label + phase
                self.callback(Progress(phase, elapsed_s, *self.known, many, reference=self.reference))

    def _note(self, incumbent: float, bound: float) -> None:
        """What was found is found: neither gets worse again."""
        if self.history:
            incumbent, bound = float(np.fmin(incumbent, self.history[-1][1])), max(bound, self.history[-1][2])
        if not self.history or not np.array_equal(self.history[-1][1:], (incumbent, bound), equal_nan=True):
            self.history.append((self.stop.elapsed_s(), incumbent, bound))
