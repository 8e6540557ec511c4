"""Paths of commodities that the solver knows, each once; shared by every linear program of a solve."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nbb_opt.problems.network_design.instance import DesignNetwork
from nbb_opt.problems.network_design.solve.cheapest_paths import cheapest_paths

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class PathPool:
    """Grows only; a path is known by its position."""

    def __init__(self, network: DesignNetwork) -> None:
        self.network = network
        self.commodity: list[int] = []
        self.paths: list[Ints] = []
        self._known: dict[tuple[int, bytes], int] = {}
        order = np.argsort(network.tail, kind="stable")
        self._first = np.searchsorted(network.tail[order], np.arange(network.nodes + 1))
        self._leaving = order.astype(np.int64)

    def __len__(self) -> int:
        return len(self.paths)

    def copy(self) -> PathPool:
        """The same paths at the same positions, growing on its own; also while another thread adds to this one."""
        other = PathPool(self.network)
        for commodity, arcs in zip(list(self.commodity), list(self.paths), strict=False):
            other.add(commodity, arcs)
        return other

    def add(self, commodity: int, arcs: Ints) -> int | None:
        """Position of a path that is new; None if it was known."""
        key = (commodity, arcs.tobytes())
        if key in self._known:
            return None
        self._known[key] = len(self.paths)
        self.commodity.append(commodity)
        self.paths.append(arcs)
        return len(self.paths) - 1

    def priced(self, price: Floats, below: Floats) -> tuple[Floats, list[int]]:
        """Price of the cheapest path of every commodity, and the new paths among those that cost less than `below`.

        `price` (commodities, arcs) is not negative; infinite where an arc may not be used, and for a path that does
        not exist.
        """
        n = self.network
        found, arcs, start = cheapest_paths(
            self._first, self._leaving, n.head, n.tail, price, n.origin, n.destination
        )  # fmt: skip
        new = []
        for c in np.flatnonzero((found < below) & np.isfinite(found)).tolist():
            position = self.add(c, arcs[start[c] : start[c + 1]].copy())
            if position is not None:
                new.append(position)
        return found, new

    def within(self, allowed: Bools) -> Ints:
        """Paths that use allowed arcs only."""
        return np.array([j for j, path in enumerate(self.paths) if allowed[path].all()], np.int64)

    def columns(self, which: Ints) -> tuple[Ints, Ints, Ints, Floats]:
        """Commodity, number of arcs, arcs one path after the other, and cost in EUR of carrying all demand."""
        n = self.network
        commodity = np.array([self.commodity[j] for j in which.tolist()], np.int64)
        length = np.array([len(self.paths[j]) for j in which.tolist()], np.int64)
        arcs = np.concatenate([np.zeros(0, np.int64), *(self.paths[j] for j in which.tolist())])
        of = np.repeat(np.arange(len(which)), length)
        cost = n.demand_t[commodity] * np.bincount(of, weights=n.cost_eur_per_t[arcs], minlength=len(which))
        return commodity, length, arcs, cost
