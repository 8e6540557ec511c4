"""Branch and bound of our own, from the root or beside HiGHS."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from nbb_opt.solve.highs import Relaxation, SolverResult
from nbb_opt.solve.mip.strong_branching import WHOLE, Sides
from nbb_opt.solve.stop import Callback, Stop, relative_gap

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
TRIALS = 6  # columns of unknown price that are tried at one node
LEAST_RISE = 1e-6


@dataclass(order=True)
class BranchNode:
    """A part of the tree: its bound in EUR, a running number, column bounds, and the relaxed values of the columns."""

    bound: float
    number: int
    low: Floats = field(compare=False)
    up: Floats = field(compare=False)
    values: Floats = field(compare=False)


class Branch:
    """A tree over `columns` of one relaxed problem inside `solver`.

    `complete` turns a leaf's answer into a plan and gives the cost of the best plan known afterwards. `relax` solves a
    node, as `solver.run` does unless given; what it calls infeasible is dropped. After `run`, `bound` is proven, in
    EUR.
    """

    def __init__(
        self,
        solver: Relaxation,
        columns: Ints,
        *,
        incumbent: float,
        gap: float,
        stop: Stop,
        callback: Callback | None,
        label: str,
        complete: Callable[[SolverResult], float],
        relax: Callable[..., SolverResult] | None = None,
    ) -> None:
        self.relax = relax or solver.run
        self.solver, self.columns, self.stop, self.callback, self.label = solver, columns, stop, callback, label
        self.incumbent, self.gap, self.complete = incumbent, gap, complete
        self.bound = -np.inf
        self.nodes = self.iterations = 0
        self.iterations_after: list[int] = []  # by node
        self.history: list[tuple[int, float]] = []  # how many nodes were solved when a better bound was proven
        self.rise = np.zeros((2, len(columns)))  # sum of rises per unit of rounding down, up
        self.trials = np.zeros((2, len(columns)))

    def learn(self, sides: Sides) -> None:
        """What both sides of columns cost at the root, so that they need not be tried."""
        at, rises = np.searchsorted(self.columns, sides.columns), sides.rises
        self.rise[:, at] += np.nan_to_num(rises)
        self.trials[:, at] += ~np.isnan(rises)

    def run(self) -> None:
        """Explore until the gap is proven, branching cannot lift the bound further, or time is over."""
        form = self.solver.form
        root, _answer = self._node(form.col_low[self.columns], form.col_up[self.columns])
        if root is None:
            return
        tree, done = [root], np.inf  # `done`: least bound of finished leaves
        while tree:
            self._prove(min(tree[0].bound, done))
            if self.stop.now() or done <= tree[0].bound or relative_gap(self.incumbent, self.bound) <= self.gap:
                return
            node = heapq.heappop(tree)
            if node.bound >= self.incumbent:
                done = min(done, node.bound)
                continue
            part = node.values - np.floor(node.values + WHOLE)
            if (part <= WHOLE).all():
                if not self._finish(node):
                    return
                done = min(done, node.bound)
                continue
            children = self._children(node, part)
            if children is None:
                return
            for child in children:
                heapq.heappush(tree, child)
        self._prove(min(done, self.incumbent))

    def _prove(self, bound: float) -> None:
        self.bound = bound
        if not self.history or bound > self.history[-1][1]:
            self.history.append((self.nodes, bound))

    def _node(self, low: Floats, up: Floats) -> tuple[BranchNode | None, SolverResult]:
        """The linear program within these bounds; no node if it is infeasible or time is over."""
        self.solver.bound(self.columns, low, up)
        answer = self.relax(
            self.stop, phase=self.label + "branch", callback=self.callback, known=(self.incumbent, self.bound)
        )
        self.nodes += 1
        self.iterations += answer.iterations
        self.iterations_after.append(self.iterations)
        if answer.status != "optimal" or answer.values is None:
            return None, answer
        return BranchNode(answer.bound, self.nodes, low, up, answer.values[self.columns]), answer

    def _finish(self, node: BranchNode) -> bool:
        """Make a plan of a leaf; False if time is over."""
        whole = np.round(node.values)
        found, answer = self._node(whole, whole)
        if found is not None:
            self.incumbent = self.complete(answer)
        return not self.stop.now()

    def _children(self, node: BranchNode, part: Floats) -> list[BranchNode] | None:
        """Both sides of the column that promises the largest rise; None if time is over before that is known."""
        open_columns = np.flatnonzero(part > WHOLE)
        known = (self.trials[:, open_columns] > 0).all(axis=0)
        cost = np.abs(self.solver.form.cost[self.columns[open_columns]]) * np.minimum(
            part[open_columns], 1 - part[open_columns]
        )
        unknown = open_columns[~known][np.argsort(-cost[~known])][:TRIALS]
        tried: dict[int, list[BranchNode]] = {}
        for column in unknown.tolist():
            sides = self._sides(node, column, float(part[column]))
            if sides is None:
                return None
            tried[column] = sides
            if len(sides) < 2:  # one side is impossible: nothing branches better
                return sides
        score = np.where(
            (self.trials[:, open_columns] > 0).all(axis=0), self._score(open_columns, part[open_columns]), -1.0
        )
        best = int(open_columns[int(np.argmax(score))])
        return tried[best] if best in tried else self._sides(node, best, float(part[best]))

    def _score(self, columns: Ints, part: Floats) -> Floats:
        mean = self.rise[:, columns] / np.maximum(self.trials[:, columns], 1)
        return np.maximum(mean[0] * part, LEAST_RISE) * np.maximum(mean[1] * (1 - part), LEAST_RISE)

    def _sides(self, node: BranchNode, column: int, part: float) -> list[BranchNode] | None:
        """Children with the column rounded down and up; infeasible ones are left out; None if time is over."""
        found = []
        floor = np.floor(node.values[column] + WHOLE)
        for side, share in ((0, part), (1, 1 - part)):
            low, up = node.low.copy(), node.up.copy()
            if side == 0:
                up[column] = floor
            else:
                low[column] = floor + 1.0
            child, answer = self._node(low, up)
            if child is None:
                if answer.status not in ("infeasible", "infeasible_or_unbounded"):
                    return None
                continue
            child.bound = max(child.bound, node.bound)
            self.rise[side, column] += max(child.bound - node.bound, 0.0) / share
            self.trials[side, column] += 1
            found.append(child)
        return found


WAIT_S = 0.05


class TreeBeside:
    """A tree over the columns decided first. `leaves` are their whole values where it found some, in order.

    With `alone` the tree works only while its bound is waited for, so that one core is enough.
    """

    def __init__(
        self, solver: Relaxation, columns: Ints, *, stop: Stop, root_bound: float, label: str, alone: bool = False,
        sides: Sides | None = None,
    ) -> None:  # fmt: skip
        self._user, self._root_bound = stop, root_bound
        self._stop = Stop(stop.time_limit_s, started=stop.started)
        self.leaves: list[Floats] = []
        self.ended = threading.Event()
        self._fault: BaseException | None = None
        self._alone, self._may_work = alone, threading.Event()
        if not alone:
            self._may_work.set()

        def relax(*args: Any, **options: Any) -> SolverResult:
            self._may_work.wait()
            return solver.run(*args, **options)

        def keep(answer: SolverResult) -> float:
            assert answer.values is not None
            self.leaves.append(np.round(answer.values[columns]))
            return np.inf

        self.tree = Branch(
            solver, columns, incumbent=np.inf, gap=0.0, stop=self._stop, callback=None, label=label, complete=keep,
            relax=relax,
        )  # fmt: skip
        if sides is not None:
            self.tree.learn(sides)

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

    def bound_after(self, nodes: int, enough: float = np.inf) -> tuple[float, int]:
        """What was proven when so many nodes were solved, or the tree ended, or time was over; and after how many.

        A bound of `enough` ends the waiting at the node that proved it, however far the tree is by then.
        """
        self._may_work.set()
        while not (
            self.tree.nodes > nodes or self.bound >= enough or self.ended.wait(WAIT_S) or self._user.now()
        ):  # fmt: skip
            pass
        if self._alone:
            self._may_work.clear()
        if self._fault is not None:
            raise self._fault
        best = self._root_bound
        for solved, bound in list(self.tree.history):
            if solved > nodes:
                break
            best = max(best, bound)
            if best >= enough:
                return best, solved
        return best, nodes

    def ended_by(self, nodes: int) -> bool:
        """Whether the tree had nothing left to explore after so many nodes."""
        return self.ended.is_set() and self.tree.nodes <= nodes

    def counted(self, nodes: int) -> tuple[int, int]:
        """Nodes solved, at most so many, and the iterations of these."""
        iterations = self.tree.iterations_after[:nodes]
        return len(iterations), iterations[-1] if iterations else 0
