"""The tree for the bound beside the search for plans: on a core of its own, with the same outcome as on one.

What is decided may not hang on which of the two was quicker. So the tree knows nothing of the plans found meanwhile,
and a step of the search asks what was proven after a given number of nodes, waiting if the tree is not there yet.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from nbb_opt.solve.highs import Answer, Relaxation
from nbb_opt.solve.mip.branch import Branch
from nbb_opt.solve.stop import Stop

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
WAIT_S = 0.05


class TreeBeside:
    """A tree over the columns decided first. `leaves` are their whole values where it found some, in order.

    With `alone` the tree works only while its bound is waited for, so that one core is enough.
    """

    def __init__(
        self, solver: Relaxation, columns: Ints, *, stop: Stop, root_bound: float, label: str, alone: bool = False
    ) -> None:
        self._user, self._root_bound = stop, root_bound
        self._stop = Stop(stop.time_limit_s, started=stop.started)
        self.leaves: list[Floats] = []
        self.ended = threading.Event()
        self._fault: BaseException | None = None
        self._alone, self._may_work = alone, threading.Event()
        if not alone:
            self._may_work.set()

        def relax(*args: Any, **options: Any) -> Answer:
            self._may_work.wait()
            return solver.run(*args, **options)

        def keep(answer: Answer) -> float:
            assert answer.values is not None
            self.leaves.append(np.round(answer.values[columns]))
            return np.inf

        self.tree = Branch(
            solver, columns, incumbent=np.inf, gap=0.0, stop=self._stop, listen=None, label=label, complete=keep,
            relax=relax,
        )  # fmt: skip

    @contextmanager
    def running(self) -> Iterator[TreeBeside]:
        """Within, the tree runs in a thread of its own; afterwards it has ended."""

        def work() -> None:
            try:
                self.tree.run()
            except BaseException as fault:  # raised where the bound is asked for
                self._fault = fault
            finally:
                self.ended.set()

        thread = threading.Thread(target=work, name="tree", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.asked.set()
            self._may_work.set()
            thread.join()

    @property
    def bound(self) -> float:
        """What is proven by now."""
        return max(self._root_bound, self.tree.bound)

    def bound_after(self, nodes: int) -> float:
        """What was proven when so many nodes were solved, or the tree ended, or time was over."""
        self._may_work.set()
        while not (self.tree.nodes > nodes or self.ended.wait(WAIT_S) or self._user.now()):
            pass
        if self._alone:
            self._may_work.clear()
        if self._fault is not None:
            raise self._fault
        proven = [bound for solved, bound in list(self.tree.history) if solved <= nodes]
        return max([self._root_bound, *proven])

    def ended_by(self, nodes: int) -> bool:
        """Whether the tree had nothing left to explore after so many nodes."""
        return self.ended.is_set() and self.tree.nodes <= nodes

    def counted(self, nodes: int) -> tuple[int, int]:
        """Nodes solved, at most so many, and the iterations of these."""
        iterations = self.tree.iterations_after[:nodes]
        return len(iterations), iterations[-1] if iterations else 0
