"""Better plans: slope scaling from several starts, all their arcs together, then neighbourhoods of the best plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from nbb_opt.model import StandardForm
from nbb_opt.problems.network_design.instance import DesignNetwork
from nbb_opt.problems.network_design.solve.pool import PathPool
from nbb_opt.problems.network_design.solve.relaxation import PathOptimum, PathRelaxation
from nbb_opt.problems.network_design.solve.routing import DesignPlan, route
from nbb_opt.problems.network_design.solve.small import improve_compact, improve_paths
from nbb_opt.solve.best import BestKnown
from nbb_opt.solve.stop import Stop

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
PACE = 0.1
SCALINGS = 40
LEAST = 1e-3  # the dearest an arc gets: a thousand times its fixed cost
LEAST_SPREAD = 0.3  # of what is opened of an arc, where a random start begins
ROUNDS = 2  # of pricing at each step
WHOLE = 1e-6
FEW = 12  # undecided arcs at which scaling ends


def scale_slopes(
    relaxation: PathRelaxation, root: PathOptimum, *, chance: np.random.Generator | None = None
) -> Iterator[Bools]:
    """The arcs opened at each step, root included. The costs are set back at the end, also when the caller leaves.

    An arc opened by a tenth pays a tenth of its fixed cost in the relaxation, but all of it in a plan. So the
    relaxation is solved again and again with fixed / s, where s follows what is opened: s <- (1 - PACE) s + PACE
    opened. Arcs used little get dear and lose what they carry; what stays is nearly whole, and the rest is small enough
    for a restricted problem. (After the capacity scaling of Katayama, Chen and Kubo, European Journal of Operational
    Research 2009, here by prices instead of capacities, so that every path stays usable.)

    With `chance` the arcs begin at random slopes, so that the steps lead to another plan.
    """
    fixed = relaxation.network.fixed_eur
    opened, spread = root.opened, np.ones(len(fixed))
    try:
        if chance is not None:
            spread = chance.uniform(LEAST_SPREAD, 1.0, len(fixed))
            relaxation.charge(fixed / spread)
            opened = relaxation.relax(rounds=ROUNDS).opened
        for _ in range(SCALINGS):
            yield opened > WHOLE
            if np.count_nonzero((opened > WHOLE) & (opened < 1.0 - WHOLE)) <= FEW:
                return
            spread = (1.0 - PACE) * spread + PACE * opened
            relaxation.charge(fixed / np.maximum(spread, LEAST))
            opened = relaxation.relax(rounds=ROUNDS).opened
    finally:
        relaxation.charge(fixed)


WAYS = ("against the relaxation", "anywhere", "around a node", "of some commodities", "towards another plan")
STEPS = 3  # arcs that the surroundings of a node reach
PART = 8  # one commodity in so many
DEAR = 5e-4  # how much a euro of reduced cost counts against a closed arc


def choose_free(
    network: DesignNetwork, pool: PathPool, opened: Bools, relaxed: Floats, reduced_eur: Floats, *,
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


def _steps_from(network: DesignNetwork, opened: Bools, node: int) -> Floats:
    """Open arcs between a node and every other, either way; far ones all count as 9."""
    far = np.full(network.nodes, 9.0)
    far[node] = 0.0
    tail, head = network.tail[opened], network.head[opened]
    for _ in range(STEPS):
        np.minimum.at(far, head, far[tail] + 1.0)
        np.minimum.at(far, tail, far[head] + 1.0)
    return far


STARTS, SHARE_SCALING = 8, 0.1  # of slope scaling, and the share of the time left after which no more begins
TRIES_IN_VAIN = 40  # neighbourhoods without gain after which an end is made
SMALL_SHARE = 0.03  # of the time limit for one neighbourhood
FIRST_SIZE, LEAST_SIZE, MOST_SIZE = 50.0, 12.0, 400.0
GAIN = 1e-9


class Improver:
    """Works with paths and a relaxation of its own; what it finds goes to `best`. Its methods raise OutOfTime."""

    def __init__(
        self,
        network: DesignNetwork,
        best: BestKnown[DesignPlan],
        *,
        compact: StandardForm | None,
        stop: Stop,
        seed: int,
    ) -> None:
        self.network, self.best, self.stop, self.seed = network, best, stop, seed
        self.compact = compact
        self.pool = PathPool(network)
        self.relaxation = PathRelaxation(network, self.pool, stop)
        self.chance = np.random.default_rng(seed)
        self.support = np.zeros(network.arcs, bool)  # arcs open at the end of slope scaling
        self.tried: set[bytes] = set()

    def obey(self, stop: Stop) -> None:
        """Work under another stop from now on."""
        self.stop = self.relaxation.stop = stop

    def take(self, opened: Bools, stop: Stop | None = None) -> None:
        """Route over these arcs, and again over those that carry something; the plans are offered to `best`."""
        while opened.tobytes() not in self.tried:
            self.tried.add(opened.tobytes())
            plan = route(self.network, self.pool, opened, stop or self.stop)
            if plan is None:
                return
            self.best.offer(plan, plan.cost_eur)
            opened = plan.opened

    def begin(self, root: PathOptimum) -> None:
        """Slope scaling, then again from random slopes while there is time; then the best of all their arcs."""
        until = self.stop.part(SHARE_SCALING)
        for start in range(STARTS):
            if self.best.proven() or (start and until.now()):
                break
            self.support |= self._scaled(root, self.chance if start else None)
        if not self.best.proven():
            best = self._mine()
            self._small(self.support | best.opened, np.zeros(self.network.arcs, bool), best, 0, factor=2.0)

    def improve(self, root: PathOptimum, until: Stop, *, tries_in_vain: float = TRIES_IN_VAIN) -> None:
        """Restricted problems around the best plan; their size follows how hard the last of their way were."""
        network, relaxation = self.network, self.relaxation
        size = np.full(len(WAYS), FIRST_SIZE)
        vain = number = 0
        while vain < tries_in_vain and not until.now() and not self.best.proven():
            number += 1
            way = number % len(WAYS)
            best = self._mine()
            before = best.cost_eur * (1 - GAIN)
            if WAYS[way] == "towards another plan":
                free = best.opened ^ self._scaled(root, self.chance)
            else:
                free = choose_free(
                    network, self.pool, best.opened, root.opened, root.reduced_eur,
                    way=way, size=int(size[way]), chance=self.chance,
                )  # fmt: skip
            kept = best.opened & ~free
            relaxation.restrict(kept.astype(float), (free | kept).astype(float))
            found = relaxation.relax(rounds=4, cutoff=before)
            ended = found.bound >= before or self._small(free, kept, best, number)
            vain = 0 if self.best.incumbent < before else vain + 1
            size[way] = float(np.clip(size[way] * (1.15 if ended else 0.85), LEAST_SIZE, MOST_SIZE))
            relaxation.restrict(np.zeros(network.arcs), np.ones(network.arcs))
            self.best.announce(f"neighbourhoods, {len(self.pool):,} paths")

    def _scaled(self, root: PathOptimum, chance: np.random.Generator | None) -> Bools:
        """Arcs open at the end of slope scaling; every step of it is tried as a plan."""
        opened = np.zeros(self.network.arcs, bool)
        for opened in scale_slopes(self.relaxation, root, chance=chance):
            self.take(opened)
            self.best.announce(f"slope scaling, {len(self.pool):,} paths")
        return opened

    def _mine(self) -> DesignPlan:
        """The best plan over paths of the own pool, whoever found it."""
        best = self.best.plan
        assert best is not None
        if best.pool is self.pool:
            return best
        return route(self.network, self.pool, best.opened, self.stop) or best

    def _small(self, free: Bools, kept: Bools, start: DesignPlan, number: int, *, factor: float = 1.0) -> bool:
        """Solve a restricted problem and take its plan; whether it was solved to its end."""
        limit = min(self.stop.left_s(), factor * SMALL_SHARE * self.stop.time_limit_s)
        stop = Stop(self.stop.elapsed_s() + limit, started=self.stop.started, asked=self.stop.asked)
        how: dict[str, Any] = {"start": start, "stop": stop, "seed": self.seed + number}
        if self.compact is not None:
            opened, ended = improve_compact(self.compact, self.network, free, kept, **how)
        else:
            opened, ended = improve_paths(self.relaxation, free, kept, **how)
        if opened is not None:
            self.take(opened)
        return ended
