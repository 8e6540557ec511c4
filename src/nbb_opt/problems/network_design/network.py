"""The figures of a network design problem as arrays: what the statement, the solver and the verifier work on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Network:
    """Arcs and commodities; nodes are numbers from 0.

    By arc: `tail`, `head` (nodes), `cost_eur_per_t`, `capacity_t`, `fixed_eur`. By commodity: `origin`, `destination`
    (nodes), `demand_t`.
    """

    nodes: int
    tail: Ints
    head: Ints
    cost_eur_per_t: Floats
    capacity_t: Floats
    fixed_eur: Floats
    origin: Ints
    destination: Ints
    demand_t: Floats

    @property
    def arcs(self) -> int:
        return len(self.tail)

    @property
    def commodities(self) -> int:
        return len(self.origin)

    def largest_use_t(self) -> Floats:
        """Tonnes that could ever be on each arc: its capacity, or all demand where that is less (a tight M)."""
        return np.minimum(self.capacity_t, self.demand_t.sum())

    def largest_share(self) -> Floats:
        """Share of each commodity that fits on each arc, shape (commodities, arcs): at most 1."""
        return np.minimum(1.0, self.capacity_t[None, :] / self.demand_t[:, None])
