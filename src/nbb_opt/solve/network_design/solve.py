"""From a network to a verified bound and plan: relax over paths, scale slopes, improve around the plan, then prove."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from nbb_opt.errors import NoPlan
from nbb_opt.network_design.network import Network
from nbb_opt.solve.network_design.choose import WAYS, choose_free
from nbb_opt.solve.network_design.compact import improve_compact, search_compact
from nbb_opt.solve.network_design.lp import OutOfTime
from nbb_opt.solve.network_design.pool import Pool
from nbb_opt.solve.network_design.relaxation import Relaxation, Relaxed
from nbb_opt.solve.network_design.routing import Plan, refuse_infeasible, route
from nbb_opt.solve.network_design.slopes import scale_slopes
from nbb_opt.solve.network_design.small import improve_paths
from nbb_opt.solve.network_design.tree import Tree
from nbb_opt.solve.progress import GRACE_S, Listener, Progress, Stop, relative_gap

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
COMPACT_PAIRS = 15_000  # commodities times arcs up to which HiGHS on the compact statement proves more than our tree
STARTS, SHARE_SCALING = 8, 0.1  # of slope scaling, and the share of the time limit after which no more begins
SHARE_IMPROVING = {True: 0.5, False: 0.4}  # of the time limit, by whether the compact statement comes after
TRIES_IN_VAIN = {True: 12, False: 40}  # neighbourhoods without gain after which proving begins
SMALL_SHARE = 0.03  # of the time limit for one neighbourhood
FIRST_SIZE, LEAST_SIZE, MOST_SIZE = 50.0, 12.0, 400.0
GAIN = 1e-9


@dataclass(frozen=True, eq=False)
class Designed:
    """A plan and what is proven: `status` is "optimal" (the gap asked for is proven), "time_limit" or "stopped".

    `flow_t` (commodities, arcs) in tonnes; `opened` by arc. `history` holds (elapsed_s, incumbent, bound).
    """

    status: str
    cost_eur: float
    bound_eur: float
    opened: Bools
    flow_t: Floats
    paths: int
    strong_rows: int
    nodes: int
    iterations: int
    log: str
    history: tuple[tuple[float, float, float], ...]

    @property
    def gap(self) -> float:
        return relative_gap(self.cost_eur, self.bound_eur)


def solve_network_design(
    network: Network,
    *,
    names: tuple[str, ...] | None = None,
    gap: float = 1e-4,
    threads: int = 1,
    seed: int = 0,
    stop: Stop,
    listen: Listener | None = None,
) -> Designed:
    """Minimise the cost of opening arcs and carrying everything, to a proven relative `gap`.

    `names` are those of the commodities, for errors. The cost is added up from the flows, the bound is safe by
    construction (`relaxation`) or the dual bound of HiGHS. The time limit or a request to stop keeps the best plan;
    Ctrl-C counts as such a request. Raises Infeasible, NoPlan, SolveError.
    """
    search = _Search(network, gap=gap, threads=threads, seed=seed, stop=stop, listen=listen)
    try:
        search.run(names or tuple(str(c) for c in range(network.commodities)))
    except KeyboardInterrupt:
        stop.asked.set()
    except OutOfTime:
        pass
    return search.answer()


@dataclass
class _Search:
    network: Network
    gap: float
    threads: int
    seed: int
    stop: Stop
    listen: Listener | None
    plan: Plan | None = None
    bound: float = -np.inf
    log: list[str] = field(default_factory=list)
    history: list[tuple[float, float, float]] = field(default_factory=list)
    nodes: int = 0
    iterations: int = 0

    def __post_init__(self) -> None:
        self.pool = Pool(self.network)
        self.relaxation: Relaxation | None = None
        self.tried: set[bytes] = set()
        self.support = np.zeros(self.network.arcs, bool)  # arcs open at the end of slope scaling

    def run(self, names: tuple[str, ...]) -> None:
        """All steps; leaves by OutOfTime when time is over."""
        network, stop = self.network, self.stop
        refuse_infeasible(network, self.pool, names, stop.grace(GRACE_S))
        self._take(np.ones(network.arcs, bool), stop.grace(GRACE_S))
        relaxation = self.relaxation = Relaxation(network, self.pool, stop)
        for alpha in (np.zeros(network.arcs), network.fixed_eur / network.largest_use_t()):
            self._prove(relaxation.price_at(alpha))
        root = relaxation.relax()
        self._prove(root.bound)
        self._tell("relaxation")
        if self._done():
            return
        self._scale(root)
        if self._done():
            return
        self._improve(root)
        if not self._done():
            self._search(root)

    def answer(self) -> Designed:
        """What is known now."""
        if self.plan is None:
            raise NoPlan("no plan was found within the limits; give more time")
        plan, network = self.plan, self.network
        commodity, length, on, _cost = self.pool.columns(plan.paths)
        flow = np.zeros((network.commodities, network.arcs))
        np.add.at(
            flow, (np.repeat(commodity, length), on), np.repeat(plan.shares * network.demand_t[commodity], length)
        )
        status = "optimal" if self._done() else "stopped" if self.stop.asked.is_set() else "time_limit"
        found = self.relaxation
        return Designed(
            status, plan.cost_eur, self.bound, plan.opened, flow, len(self.pool),
            int(np.count_nonzero(found.strong_row >= 0)) if found else 0, self.nodes,
            self.iterations + (found.lp.iterations if found else 0), "".join(self.log), tuple(self.history),
        )  # fmt: skip

    def _scale(self, root: Relaxed) -> None:
        """Slope scaling, then again from random slopes while there is time; the ends are kept for their arcs."""
        assert self.relaxation is not None
        until = self.stop.part(SHARE_SCALING)
        chance = np.random.default_rng(self.seed)
        for start in range(STARTS):
            if start and (until.now() or self._done()):
                return
            for opened in scale_slopes(self.relaxation, root, chance=chance if start else None):
                self._take(opened)
                self._tell("slope scaling")
            self.support |= opened

    def _improve(self, root: Relaxed) -> None:
        """Restricted problems around the best plan; their size follows how hard the last ones were."""
        relaxation, network = self.relaxation, self.network
        assert relaxation is not None
        assert self.plan is not None
        compact = self._compact()
        until = self.stop.part(SHARE_IMPROVING[compact])
        chance = np.random.default_rng(self.seed)
        nothing = np.zeros(network.arcs, bool)
        self._small(self.support | self.plan.opened, nothing, 0, factor=2.0)
        size, vain, number = FIRST_SIZE, 0, 0
        while vain < TRIES_IN_VAIN[compact] and not until.now() and not self._done():
            number += 1
            opened, before = self.plan.opened, self.plan.cost_eur
            free = choose_free(
                network, self.pool, opened, root.opened, root.reduced_eur,
                way=number % len(WAYS), size=int(size), chance=chance,
            )  # fmt: skip
            kept = opened & ~free
            relaxation.restrict(kept.astype(float), (free | kept).astype(float))
            found = relaxation.relax(rounds=4, cutoff=before * (1 - GAIN))
            ended = found.bound >= before * (1 - GAIN) or self._small(free, kept, number)
            gained = self.plan.cost_eur < before * (1 - GAIN)
            vain = 0 if gained else vain + 1
            size = float(np.clip(size * (1.15 if ended else 0.85), LEAST_SIZE, MOST_SIZE))
            self._tell("neighbourhoods")
        relaxation.restrict(np.zeros(network.arcs), np.ones(network.arcs))

    def _small(self, free: Bools, kept: Bools, number: int, *, factor: float = 1.0) -> bool:
        """Solve a restricted problem and take its plan; whether it was solved to its end."""
        assert self.relaxation is not None
        assert self.plan is not None
        limit = min(self.stop.left_s(), factor * SMALL_SHARE * self.stop.time_limit_s)
        stop = Stop(self.stop.elapsed_s() + limit, started=self.stop.started, asked=self.stop.asked)
        solve = improve_compact if self._compact() else improve_paths
        opened, ended = solve(self.relaxation, free, kept, start=self.plan, stop=stop, seed=self.seed + number)
        if opened is not None:
            self._take(opened)
        return ended

    def _search(self, root: Relaxed) -> None:
        relaxation = self.relaxation
        assert relaxation is not None
        assert self.plan is not None
        if not self._compact():
            self._grow(Tree(relaxation, root))
            return
        slack = (self.plan.cost_eur - root.bound) * (1 + 1e-6)
        low = np.where(-root.reduced_eur > slack, 1.0, 0.0)
        up = np.where(root.reduced_eur > slack, 0.0, 1.0)
        opened, answer = search_compact(
            relaxation, low, up, self.plan, bound=self.bound, gap=self.gap, threads=self.threads, seed=self.seed,
            stop=self.stop, listen=self.listen, log=self.log,
        )  # fmt: skip
        self.nodes, self.iterations = self.nodes + answer.nodes, self.iterations + answer.iterations
        if opened is not None:
            self._take(opened, self.stop.grace(GRACE_S))
        if np.isfinite(answer.bound):
            self._prove(answer.bound)

    def _grow(self, tree: Tree) -> None:
        while tree.open and not self._done():
            assert self.plan is not None
            whole = tree.split(self._cutoff())
            if whole is not None:
                self._take(whole)
            self._prove(tree.bound(self._cutoff()))
            self.nodes = tree.nodes
            self._tell("branch and bound")

    def _compact(self) -> bool:
        return self.network.commodities * self.network.arcs <= COMPACT_PAIRS

    def _cutoff(self) -> float:
        """Plans that cost more are of no interest: the gap asked for is proven without them."""
        assert self.plan is not None
        return self.plan.cost_eur * (1.0 - 0.9 * self.gap)

    def _take(self, opened: Bools, stop: Stop | None = None) -> None:
        """Route over these arcs, and again over those that carry something; keep the plan if it is the best."""
        while opened.tobytes() not in self.tried:
            self.tried.add(opened.tobytes())
            plan = route(self.network, self.pool, opened, stop or self.stop)
            if plan is None:
                return
            if self.plan is None or plan.cost_eur < self.plan.cost_eur:
                self.plan = plan
                self._remember()
            opened = plan.opened

    def _prove(self, bound: float) -> None:
        best = self.plan.cost_eur if self.plan is not None else np.inf
        if min(bound, best) > self.bound:
            self.bound = min(bound, best)
            self._remember()

    def _remember(self) -> None:
        cost = self.plan.cost_eur if self.plan is not None else float("nan")
        self.history.append((self.stop.elapsed_s(), cost, self.bound))

    def _done(self) -> bool:
        return self.plan is not None and relative_gap(self.plan.cost_eur, self.bound) <= self.gap

    def _tell(self, phase: str) -> None:
        if self.listen is not None:
            cost = self.plan.cost_eur if self.plan is not None else float("nan")
            words = f"{phase}, {len(self.pool):,} paths"
            self.listen(Progress(words, self.stop.elapsed_s(), cost, self.bound, self.nodes))
