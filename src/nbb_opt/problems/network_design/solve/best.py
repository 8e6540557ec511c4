"""The best plan and the best bound known for one network, shared by all who work on it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from nbb_opt.problems.network_design.solve.routing import Plan
from nbb_opt.solve.stop import Listener, Progress, Stop, relative_gap


@dataclass
class Best:
    """`gap` is the one asked for; `history` holds (elapsed_s, incumbent, bound). Safe to use from several threads."""

    gap: float
    stop: Stop
    listen: Listener | None
    plan: Plan | None = None
    bound: float = -np.inf
    history: list[tuple[float, float, float]] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def cost_eur(self) -> float:
        """Of the best plan, NaN while there is none."""
        return self.plan.cost_eur if self.plan is not None else float("nan")

    def known(self) -> Plan:
        """The best plan, where it is certain that there is one."""
        assert self.plan is not None
        return self.plan

    def take(self, plan: Plan) -> None:
        """Keep the plan if it is the best."""
        with self._lock:
            if self.plan is None or plan.cost_eur < self.plan.cost_eur:
                self.plan = plan
                self._remember()

    def prove(self, bound: float) -> None:
        """Keep a bound if it is the best; none is above the best plan."""
        with self._lock:
            bound = min(bound, self.plan.cost_eur if self.plan is not None else np.inf)
            if bound > self.bound:
                self.bound = bound
                self._remember()

    def _remember(self) -> None:
        self.history.append((self.stop.elapsed_s(), self.cost_eur, self.bound))

    def done(self) -> bool:
        """Whether the gap asked for is proven."""
        return self.plan is not None and relative_gap(self.plan.cost_eur, self.bound) <= self.gap

    def cutoff(self) -> float:
        """Plans that cost more are of no interest: the gap asked for is proven without them."""
        return self.known().cost_eur * (1.0 - 0.9 * self.gap)

    def tell(self, phase: str, nodes: int = 0) -> None:
        """Let the listener know."""
        if self.listen is not None:
            with self._lock:
                self.listen(Progress(phase, self.stop.elapsed_s(), self.cost_eur, self.bound, nodes))
