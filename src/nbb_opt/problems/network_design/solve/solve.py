"""From a network to a verified bound and plan: relax over paths, scale slopes, improve around the plan, then prove."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from nbb_opt.model import StandardForm
from nbb_opt.problems.network_design.instance import DesignNetwork
from nbb_opt.problems.network_design.solve.improve import Improver
from nbb_opt.problems.network_design.solve.pool import PathPool
from nbb_opt.problems.network_design.solve.relaxation import OutOfTime, PathOptimum, PathRelaxation
from nbb_opt.problems.network_design.solve.routing import DesignPlan, refuse_infeasible, route
from nbb_opt.problems.network_design.solve.small import compact_form, is_small, search_compact
from nbb_opt.problems.network_design.solve.tree import Tree
from nbb_opt.solve.best import BestKnown
from nbb_opt.solve.stop import GRACE_S, Callback, Progress, Stop, relative_gap

LOOK_S = 0.1  # how often who waits looks whether somebody asked to stop


class Alternation:
    """The first works until `until`, then waits once while the second works; without `until` nobody ever waits.

    `halt` stops the second: a request to stop the whole (`stop`) reaches it here while the first waits.
    """

    def __init__(self, stop: Stop, halt: Stop, until: Stop | None) -> None:
        self.stop, self.halt, self.until = stop, halt, until
        self._begin, self._end = threading.Event(), threading.Event()
        if until is None:
            self._begin.set()

    def first(self) -> None:
        """To be called now and then by the first: waits here for the second when it is its turn."""
        if self.until is None or self._end.is_set() or not self.until.now():
            return
        self._begin.set()
        while not self._end.wait(LOOK_S):
            if self.stop.asked.is_set():
                self.halt.asked.set()

    @contextmanager
    def second(self) -> Iterator[None]:
        """Around the work of the second: waits for its turn, and gives the turn back however it ends."""
        try:
            self._begin.wait()
            yield
        finally:
            self._end.set()

    def over(self) -> None:
        """The first has ended: the second is to end too, or need not begin."""
        self.halt.asked.set()
        self._begin.set()


Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
SHARE_COMPACT = 0.25  # of the time left for HiGHS on the compact statement before improving: enough for what is easy
SHARE_IN_TURN = 0.6  # of the time left then, for improving while HiGHS waits
SHARE_BEFORE_TREE = 0.4  # of the time left for improving before our own tree, by one thread


@dataclass(frozen=True, eq=False, kw_only=True)
class Designed:
    """A plan and what is proven: `status` is "optimal" (the gap asked for is proven), or as of `Solution`.

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
    network: DesignNetwork,
    *,
    compact: StandardForm | None = None,
    names: tuple[str, ...] | None = None,
    gap: float,
    threads: int = 1,
    seed: int = 0,
    stop: Stop,
    callback: Callback | None = None,
) -> Designed:
    """Minimise the cost of opening arcs and carrying everything, to a proven relative `gap`.

    `compact` is the whole problem without strong rows, for HiGHS (stated from `network` if it is small and not given).
    `names` are those of the commodities, for errors. The cost is added up from the flows, the bound is safe by
    construction (`relaxation`) or the dual bound of HiGHS. The time limit or a request to stop keeps the best plan;
    Ctrl-C counts as such a request. Raises Infeasible, NoPlan, SolveError.
    """
    search = _DesignSearch(network, BestKnown(gap, stop, callback), compact=compact, threads=threads, seed=seed)
    with stop.by_ctrl_c(patient=True), suppress(OutOfTime):
        search.run(names or tuple(str(c) for c in range(network.commodities)))
    return search.answer()


class Proven(Exception):  # noqa: N818 - not an error: caught by who waits for HiGHS
    """The gap asked for is proven by what others found."""


class _DesignSearch:
    """Who proves and who improves: in turn by one thread, side by side by two or more."""

    def __init__(
        self,
        network: DesignNetwork,
        best: BestKnown[DesignPlan],
        *,
        compact: StandardForm | None = None,
        threads: int,
        seed: int,
    ) -> None:
        self.network, self.best, self.stop = network, best, best.stop
        self.threads, self.seed = threads, seed
        self.compact = compact_form(network) if compact is None and is_small(network) else compact
        self.improver = Improver(network, best, compact=self.compact, stop=self.stop, seed=seed)

    def run(self, names: tuple[str, ...]) -> None:
        """All steps; leaves by OutOfTime when time is over."""
        network, improver = self.network, self.improver
        refuse_infeasible(network, improver.pool, names, self.stop.grace(GRACE_S))
        improver.take(np.ones(network.arcs, bool), self.stop.grace(GRACE_S))
        if self.compact is not None:
            search = partial(self._search_compact, self.compact)
            self._side_by_side(search, lambda halt: self._improve(self._begun(), halt))
            return
        root = self._begun()
        if self.best.proven():
            return
        if self.threads > 1:
            pool = improver.pool.copy()  # of one thread alone
            self._side_by_side(lambda _between: self._grow_over(pool), lambda halt: self._improve(root, halt))
        else:
            improver.improve(root, self.stop.part(SHARE_BEFORE_TREE))
            self._grow(improver.relaxation, root)

    def _begun(self) -> PathOptimum:
        """The relaxation and first plans from it."""
        best, relaxation = self.best, self.improver.relaxation
        for alpha in (np.zeros(self.network.arcs), self.network.fixed_eur / self.network.largest_use_t()):
            best.prove(relaxation.price_at(alpha))
        root = relaxation.relax()
        best.prove(root.bound)
        best.announce(f"relaxation, {len(self.improver.pool):,} paths")
        self.improver.begin(root)
        return root

    def _improve(self, root: PathOptimum, halt: Stop) -> None:
        if self.threads > 1:
            self.improver.improve(root, halt, tries_in_vain=float("inf"))
        else:
            self.improver.improve(root, halt.part(SHARE_IN_TURN))

    def answer(self) -> Designed:
        """What is known now."""
        best, found = self.best, self.improver.relaxation
        if best.plan is None:
            raise self.stop.no_plan()
        status = "optimal" if best.proven() else self.stop.ended_by()
        return Designed(
            status=status, cost_eur=best.incumbent, bound_eur=best.bound, opened=best.plan.opened,
            flow_t=best.plan.flow_t(), paths=len(self.improver.pool),
            strong_rows=int(np.count_nonzero(found.strong_row >= 0)), nodes=best.nodes,
            iterations=best.iterations + found.lp.iterations, log="".join(best.log), history=tuple(best.history),
        )  # fmt: skip

    def _side_by_side(self, first: Callable[[Callable[[], None]], None], second: Callable[[Stop], None]) -> None:
        """Let `second` work in a thread of its own (HiGHS lets others run), until `first` ends.

        If one thread has to do for both, `first` waits while the other works, in what it is given to call.
        """
        halt = Stop(self.stop.time_limit_s, started=self.stop.started)
        turns = Alternation(self.stop, halt, self.stop.part(SHARE_COMPACT) if self.threads == 1 else None)
        faults: list[Exception] = []

        def work() -> None:
            try:
                with turns.second():
                    second(halt)
            except OutOfTime:
                pass
            except Exception as fault:  # raised again by the thread that waits
                faults.append(fault)

        self.improver.obey(halt)
        beside = threading.Thread(target=work, name="improve", daemon=True)
        beside.start()
        try:
            first(turns.first)
        finally:
            turns.over()
            beside.join()
            if faults:  # also when this thread left because time is over
                raise faults[0]

    def _search_compact(self, form: StandardForm, between: Callable[[], None]) -> None:
        """HiGHS from the first second on, as if alone, until it has proven the gap for its own plan or ours."""
        best, pool = self.best, PathPool(self.network)

        def hear(progress: Progress) -> None:
            best.prove(progress.bound)
            best.announce("branch and bound", progress.nodes)

        def look() -> None:
            between()
            if best.proven():
                raise Proven

        with suppress(Proven):
            answer = search_compact(
                form, self.network, gap=best.gap, seed=self.seed, stop=self.stop, callback=hear, between=look,
                log=best.log, offer=lambda opened: self._offer(opened, pool, self.stop.grace(GRACE_S)),
            )  # fmt: skip
            best.nodes, best.iterations = answer.nodes, answer.iterations
            if np.isfinite(answer.bound):
                best.prove(answer.bound)

    def _grow_over(self, pool: PathPool) -> None:
        """The tree on a relaxation of its own over the paths of `pool`."""
        relaxation = PathRelaxation(self.network, pool, self.stop)
        self._grow(relaxation, relaxation.relax())

    def _grow(self, relaxation: PathRelaxation, root: PathOptimum) -> None:
        """Our own branch and bound."""
        best, pool, tree = self.best, relaxation.pool, Tree(relaxation, root)
        while tree.open and not best.proven():
            whole = tree.split(self._cutoff())
            if whole is not None:
                self._offer(whole, pool, self.stop)
            best.prove(tree.bound(self._cutoff()))
            best.nodes = tree.nodes
            best.announce(f"branch and bound, {len(pool):,} paths")

    def _cutoff(self) -> float:
        """Plans that cost more are of no interest: the gap asked for is proven without them."""
        return self.best.incumbent * (1.0 - 0.9 * self.best.gap)

    def _offer(self, opened: Bools, pool: PathPool, stop: Stop) -> None:
        plan = route(self.network, pool, opened, stop)
        if plan is not None:
            self.best.offer(plan, plan.cost_eur)
