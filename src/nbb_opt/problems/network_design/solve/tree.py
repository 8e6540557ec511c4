"""Branch and bound on which arcs are open; every node is a relaxation over paths with a safe bound of its own."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from nbb_opt.problems.network_design.solve.relaxation import OutOfTime, PathOptimum, PathRelaxation

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
WHOLE = 1e-5
ROUNDS = 6  # of pricing at a node: what is left shows in the bound, which is safe
CLOSE = 2e-4
TRIALS = 3  # arcs tried at a node while little is known about them
LEAST_RISE = 1e-6


@dataclass(order=True)
class TreeNode:
    """Bounds of what is opened, and where the relaxation under them came to rest. Ordered by bound, then by number."""

    bound: float
    number: int
    low: Floats = field(compare=False)
    up: Floats = field(compare=False)
    opened: Floats = field(compare=False)


class Tree:
    """The node with the least bound is split first; the arc is the one whose sides promised most so far."""

    def __init__(self, relaxation: PathRelaxation, root: PathOptimum) -> None:
        self.relaxation = relaxation
        m = relaxation.network.arcs
        self.open = [TreeNode(root.bound, 0, np.zeros(m), np.ones(m), root.opened)]
        self.root = root
        self.nodes = 0
        self.settled = np.inf  # least bound of nodes that are whole: they cannot be split further
        self.rise = np.zeros((2, m))
        self.trials = np.zeros((2, m))

    def bound(self, cutoff: float) -> float:
        """Proven for every plan that costs less than `cutoff`."""
        return min([cutoff, self.settled, *(node.bound for node in self.open[:1])])

    def split(self, cutoff: float) -> Bools | None:
        """Split the best node; gives the arcs of a whole node, to be made a plan of. Raises OutOfTime, nothing lost."""
        node = self.open[0]
        if node.bound >= cutoff:
            self.open.clear()
            return None
        self._tighten(node, cutoff, self.root.bound, self.root.reduced_eur)
        part = np.where(node.low == node.up, 0.0, np.minimum(node.opened, 1.0 - node.opened))
        undecided = np.flatnonzero(part > WHOLE)
        if not len(undecided):
            return self._settle(heapq.heappop(self.open), cutoff)
        best, kids = -np.inf, []
        for arc in self._worth_trying(undecided, node.opened):
            sides = [self._child(node, arc, side, cutoff) for side in (0, 1)]
            least, most = sorted(min(side.bound, cutoff) for side in sides)
            if least + 0.1 * most > best:
                best, kids = least + 0.1 * most, sides
        heapq.heappop(self.open)
        for kid in kids:
            if kid.bound < cutoff:
                heapq.heappush(self.open, kid)
        return None

    def _settle(self, node: TreeNode, cutoff: float) -> Bools | None:
        """Relax a node without undecided arcs to the end: it turns out whole, dear, or undecided after all."""
        try:
            self.relaxation.restrict(node.low, node.up)
            found = self.relaxation.relax(cutoff=cutoff)
        except OutOfTime:
            heapq.heappush(self.open, node)
            raise
        after = TreeNode(max(found.bound, node.bound), node.number, node.low, node.up, found.opened)
        if after.bound >= cutoff:
            return None
        free = node.low != node.up
        if (np.minimum(found.opened, 1.0 - found.opened)[free] > WHOLE).any():
            heapq.heappush(self.open, after)
            return None
        self.settled = min(self.settled, after.bound)
        return found.opened > WHOLE

    def _worth_trying(self, undecided: npt.NDArray[np.int64], opened: Floats) -> list[int]:
        fixed = self.relaxation.network.fixed_eur
        usual = fixed / max(float(fixed.mean()), 1e-9)
        every = self.trials.sum(axis=1)
        mean = np.where(every > 0, self.rise.sum(axis=1) / np.maximum(every, 1), 1.0)
        guess = np.where(self.trials > 0, self.rise / np.maximum(self.trials, 1), mean[:, None] * usual[None, :])
        down = np.maximum(guess[0, undecided] * opened[undecided], LEAST_RISE)
        up = np.maximum(guess[1, undecided] * (1.0 - opened[undecided]), LEAST_RISE)
        order = undecided[np.argsort(-down * up, kind="stable")].tolist()
        unknown = [arc for arc in order[: 2 * TRIALS] if self.trials[:, arc].min() < 1]
        return list(dict.fromkeys([order[0], *unknown]))[:TRIALS]

    def _child(self, node: TreeNode, arc: int, side: int, cutoff: float) -> TreeNode:
        low, up = node.low.copy(), node.up.copy()
        (low if side else up)[arc] = float(side)
        self.relaxation.restrict(low, up)
        found = self.relaxation.relax(rounds=ROUNDS, cutoff=cutoff, close=CLOSE)
        bound = max(found.bound, node.bound)
        way = 1.0 - node.opened[arc] if side else node.opened[arc]
        self.rise[side, arc] += min(bound - node.bound, max(cutoff - node.bound, 0.0)) / max(way, 1e-3)
        self.trials[side, arc] += 1
        self.nodes += 1
        kid = TreeNode(bound, self.nodes, low, up, found.opened)
        self._tighten(kid, cutoff, found.bound, found.reduced_eur)
        return kid

    @staticmethod
    def _tighten(node: TreeNode, cutoff: float, bound: float, reduced_eur: Floats) -> None:
        """Reduced cost fixing: an arc whose other state alone lifts a bound of the node over the cutoff."""
        slack = cutoff - bound
        if np.isfinite(slack):
            node.up[(reduced_eur > slack) & (node.low == 0)] = 0.0
            node.low[(-reduced_eur > slack) & (node.up == 1)] = 1.0
