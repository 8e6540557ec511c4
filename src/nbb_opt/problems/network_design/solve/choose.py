"""Which arcs to set free next: four ways in turn, each with some chance in it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nbb_opt.problems.network_design.instance import Network
from nbb_opt.problems.network_design.solve.pool import Pool

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
WAYS = ("against the relaxation", "anywhere", "around a node", "of some commodities", "towards another plan")
STEPS = 3  # arcs that the surroundings of a node reach
PART = 8  # one commodity in so many
DEAR = 5e-4  # how much a euro of reduced cost counts against a closed arc


def choose_free(
    network: Network, pool: Pool, opened: Bools, relaxed: Floats, reduced_eur: Floats, *,
    way: int, size: int, chance: np.random.Generator,
) -> Bools:  # fmt: skip
    """About half of `size` arcs among the open ones and up to `size` among the closed ones that some path uses."""
    m = network.arcs
    used = np.bincount(np.concatenate(pool.paths), minlength=m) > 0
    luck = chance.random(m)
    if way == 0:
        score = np.abs(opened - relaxed) + 0.3 * luck
    elif way == 1:
        score = luck
    elif way == 2:
        far = _steps_from(network, opened, int(chance.integers(network.nodes)))
        score = 1.5 * luck - far[network.tail] - far[network.head]
    else:
        some = chance.permutation(network.commodities)[: max(3, network.commodities // PART)]
        theirs = [path for c, path in zip(pool.commodity, pool.paths, strict=True) if c in set(some.tolist())]
        score = np.log1p(np.bincount(np.concatenate(theirs), minlength=m)) + luck
    free = np.zeros(m, bool)
    inside = np.flatnonzero(opened)
    free[inside[np.argsort(-score[inside], kind="stable")[: size // 2]]] = True
    outside = np.flatnonzero(used & ~opened)
    worth = score[outside] - DEAR * np.maximum(reduced_eur[outside], 0.0)
    free[outside[np.argsort(-worth, kind="stable")[:size]]] = True
    return free


def _steps_from(network: Network, opened: Bools, node: int) -> Floats:
    """Open arcs between a node and every other, either way; far ones all count as 9."""
    far = np.full(network.nodes, 9.0)
    far[node] = 0.0
    tail, head = network.tail[opened], network.head[opened]
    for _ in range(STEPS):
        np.minimum.at(far, head, far[tail] + 1.0)
        np.minimum.at(far, tail, far[head] + 1.0)
    return far
