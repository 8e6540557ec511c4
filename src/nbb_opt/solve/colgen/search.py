"""Column generation from a model cut in two to a plan and a bound: price, dive, branch, hand out the flows."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nbb_opt.errors import Infeasible
from nbb_opt.model.data.periods import Floats, Ints, sum_by
from nbb_opt.model.extract import Carried
from nbb_opt.solve.best import BestKnown, DecisionGap
from nbb_opt.solve.colgen.groups import Groups, make_groups, with_group_rows
from nbb_opt.solve.colgen.interior_point import InteriorPoint
from nbb_opt.solve.colgen.oracle import Oracle
from nbb_opt.solve.colgen.pool import ColumnPool
from nbb_opt.solve.colgen.restricted import ALL_ROUNDS, DEARER, TIMES, Restricted
from nbb_opt.solve.colgen.sample import sampled_prices
from nbb_opt.solve.colgen.shards import sharded
from nbb_opt.solve.highs import SolverResult, return_heap
from nbb_opt.solve.mip.branch import Branch
from nbb_opt.solve.mip.dive import Dive
from nbb_opt.solve.mip.dive import groups as groups_of
from nbb_opt.solve.mip.exact import Solution
from nbb_opt.solve.stop import Callback, Progress, Stop, relative_gap
from nbb_opt.solve.unbounded import refuse_unbounded

if TYPE_CHECKING:
    from nbb_opt.cluster import Cluster
    from nbb_opt.model import Split


DUST = 1e-11  # share of a column below which it carries nothing


@dataclass(frozen=True)
class MasterPlan:
    """Values of the master's columns, and the shares of the columns that carry something."""

    values: Floats
    shares: Floats
    pool: ColumnPool

    @classmethod
    def of(cls, values: Floats, master: Restricted) -> MasterPlan:
        """What the master just found."""
        used = np.flatnonzero(master.shares > DUST)
        return cls(values, master.shares[used], master.pool.take(used))

    def disaggregated(self, split: Split, master: Restricted, oracle: Oracle) -> tuple[Floats, Carried]:
        """One number per column stated, whole numbers whole; and the flows: a mixture of what every call answered."""
        values = np.zeros(split.columns)
        values[split.master_at] = self.values[: len(split.master_at)]
        whole = split.master_at[split.master.integer]
        values[whole] = np.round(values[whole])
        vkm = np.zeros(len(split.hauls.t))
        all_handed: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int8], Floats]] = []
        pool, carried, group = self.pool, self.pool.state >= 0, master.bounds.state_group
        total = np.bincount(group[pool.state[carried]], self.shares[carried], minlength=master.groups.size)

        asked: list[tuple[Floats, Floats]] = []
        for call in np.unique(pool.call[carried]).tolist():
            mine = carried & (pool.call == call)
            share = np.zeros(len(group))
            share[pool.state[mine]] = self.shares[mine] / total[group[pool.state[mine]]]
            asked.append((master.prices[call], share))
        for disaggregated in oracle._disaggregateeach(asked):
            all_handed.append((disaggregated.chain, disaggregated.t, disaggregated.tonnes))
            vkm += disaggregated.vkm
        np.add.at(vkm, pool.haul[~carried], self.shares[~carried])
        d, hauls = split.hauls, np.flatnonzero(vkm)
        chain, t, tonnes = _by_period(all_handed, split.periods)
        values[split.segment_at] = oracle.through(chain, t, tonnes)
        values[split.resource_at] = oracle.resources(vkm[hauls], hauls)
        return values, Carried(
            chain=chain, t=t, tonnes=tonnes, lane=d.lane_of(hauls), vehicle=d.vehicle[hauls].astype(np.int64),
            driven_t=d.t[hauls].astype(np.int64), vkm=vkm[hauls],
        )  # fmt: skip


def _by_period(
    disaggregated: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int8], Floats]], periods: int
) -> tuple[Ints, Ints, Floats]:
    """Chain, period and tonnes, one entry for each chain and period, by chain; added up period by period: less room."""
    found: list[tuple[Ints, Ints, Floats]] = []
    for now in range(periods):
        some = [(chain[t == now], tonnes[t == now]) for chain, t, tonnes in disaggregated]
        chain, at = np.unique(np.concatenate([np.zeros(0, np.int32), *(c for c, _ in some)]), return_inverse=True)
        tonnes = sum_by(at, np.concatenate([np.zeros(0), *(x for _, x in some)]), size=len(chain))
        found.append((chain.astype(np.int64), np.full(len(chain), now), tonnes))
    chains, t, tonnes = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.argsort(chains, kind="stable")
    return chains[order], t[order], tonnes[order]


SAMPLES, SAMPLE_BUNDLES = 4, 500  # for the first guess of the prices; bundles that stand for all in each
DIVE_ROUNDS, TREE_ROUNDS = 2, 40


def solve_split(
    split: Split,
    *,
    time_limit_s: float = 60.0,
    gap: float | DecisionGap,
    threads: int = 1,
    seed: int = 0,
    callback: Callback | None = None,
    stop: Stop | None = None,
    label: str = "",
    cluster: Cluster | None = None,
) -> Solution:
    """Minimise a model cut in two to a proven `gap`, as `solve_form` does and with the same promises.

    With a `cluster` its workers answer for the chains.
    """
    refuse_unbounded(split.master)  # a chain needs demand: it cannot grow without limit
    stop = stop or Stop(time_limit_s)
    return_heap()  # what stating took
    groups = make_groups(split)
    split = with_group_rows(split, groups)
    with ExitStack() as stack:
        if cluster is None:
            oracle = Oracle(split, groups, threads=threads)
        else:
            oracle = stack.enter_context(sharded(split, groups, threads=threads, cluster=cluster))
        best = BestKnown[MasterPlan](gap, stop, callback, label)
        found = _ColumnSearch(split, groups, oracle, best, threads=threads, seed=seed).run()
    return_heap()  # what searching took
    return found


class _ColumnSearch:
    def __init__(
        self, split: Split, groups: Groups, oracle: Oracle, best: BestKnown[MasterPlan], *, threads: int, seed: int
    ) -> None:
        self.best, self.stop = best, best.stop
        self.split, self.oracle = split, oracle
        self.seed, self.threads = seed, threads
        self.master = Restricted(split, groups, oracle, threads=threads, seed=seed, log=best.log)
        best.log.append(
            f"column generation: {groups.size} groups, {len(groups.states)} states, {len(split.chains)} chains of "
            f"{len(split.segments.cost)} chain segments, {len(split.hauls.t)} hauls, "
            f"master of {len(split.master.cost)} columns\n"
        )

    def run(self) -> Solution:
        """Relax, then plans of our own, then the tree, each only while needed."""
        self._guess()
        if self.master.large:
            self._passes()
        if not self.best.proven() and not (self.stop.now() and self.best.plan is not None):
            self._steps()
        return self._solution()

    def _steps(self) -> None:
        """From basis to basis: relax, then plans of our own, a search over the columns, the tree, while needed."""
        if self.master.large:
            self.master.use_simplex()
            self.master.worth = -np.inf
        relaxed = self._root()
        decided = self._plans(relaxed) if relaxed.values is not None else None
        if decided is not None and not self.best.proven():
            self._search_columns()
        for columns in (groups_of(self.master.form)[0], np.flatnonzero(self.master.form.integer)):
            if decided is not None and len(columns) and not self.best.proven() and not self.stop.now():
                self._branch(columns)

    def _passes(self) -> None:
        """Relax and round up by interior point, each time nearer to the optimum, while that is needed."""
        interior = InteriorPoint(self.master, self.best, callback=self._heard)
        for tolerance in interior.tolerances():
            relaxed = interior.relax(tolerance, known=self.best.known)
            self.best.prove(relaxed.bound)
            if relaxed.values is None or self.best.proven() or self.stop.now():
                break
            self._keep(interior.plan(relaxed))
            interior.resume()
            if self.best.proven() or self.stop.now():
                break
        self.master.free(interior.whole)
        self.best.iterations += interior.iterations

    def _guess(self) -> None:
        """First prices from a sample of the bundles."""
        master = self.master
        self.best.announce("sample")
        found = sampled_prices(
            self.split, master.groups, self.oracle, samples=SAMPLES, bundles=SAMPLE_BUNDLES, threads=self.threads,
            seed=self.seed, log=self.best.log, stop=self.stop.part(0.25), label=self.best.label + "sample",
        )  # fmt: skip
        if found is not None:
            master.guess(*found)

    def _root(self) -> SolverResult:
        master = self.master
        master.tolerance = max(self.best.gap / 5, 1e-9)
        master.rounds = ALL_ROUNDS
        relaxed = master.root(
            self.stop.part(0.6), phase=self.best.label + "root", callback=self._heard, known=self.best.known
        )
        self.best.iterations += relaxed.iterations
        self.best.prove(relaxed.bound)
        if relaxed.status in ("infeasible", "infeasible_or_unbounded") and self.best.plan is None:
            raise Infeasible("no plan satisfies every constraint, not even with fractions of vehicles and projects")
        if relaxed.values is None and self.best.plan is None:
            raise self.best.no_plan()
        return relaxed

    def _plans(self, relaxed: SolverResult) -> SolverResult | None:
        """Plans by rounding up at once, and by diving; each priced again once the projects are decided."""
        master = self.master
        first = groups_of(master.form)[0]
        dive = Dive(
            master.form,
            master,
            stop=self.stop.part(0.6),
            callback=self._heard,
            label=self.best.label,
            bound=self.best.bound,
        )
        assert relaxed.values is not None
        last: SolverResult | None = None
        for quick in (True, False) if len(first) else (True,):
            master.rounds = DIVE_ROUNDS
            if quick:
                master.fix(first, np.ceil(relaxed.values[first] - 1e-6))
                decided = dive.solve_again()
            else:
                master.free(first)
                decided = dive.decide(relaxed)
            if decided is not None:
                self._complete(dive, decided)
                last = decided
            if self.best.proven() or self.stop.now():
                break
        if last is not None and not self.best.proven() and len(first):
            master.rounds = DIVE_ROUNDS
            better = dive.improve(last)
            if better is not last:
                self._complete(dive, better)
        self.best.iterations += dive.iterations
        return last

    def _complete(self, dive: Dive, decided: SolverResult | None) -> float:
        """Price again with what is fixed, then round up the rest; gives the cost of the best plan known."""
        master, rounds = self.master, self.master.rounds
        master.rounds = TREE_ROUNDS
        decided = dive.solve_again() or decided
        master.rounds = rounds
        plan = dive.complete(decided) if decided is not None else None
        for _ in range(DEARER):
            if decided is None or plan is not None or self.stop.now():
                break
            master.raise_slack(TIMES)  # whole numbers may cost more than slack where fractions did not
            plan = dive.complete(decided)
        self._keep(plan)
        return self.best.incumbent

    def _keep(self, plan: SolverResult | None) -> None:
        """Remember the plan that the master just found, if it is the best."""
        if plan is not None and plan.values is not None and not plan.objective >= self.best.incumbent:
            self.best.offer(MasterPlan.of(plan.values, self.master), plan.objective)

    def _search_columns(self) -> None:
        """Whole numbers from a search over the columns found so far, priced again while that finds better plans."""
        master, stop = self.master, self.stop.part(0.3)
        whole = np.flatnonzero(master.form.integer)
        dive = Dive(
            master.form, master, stop=self.stop, callback=self._heard, label=self.best.label, bound=self.best.bound
        )
        before = np.inf
        while self.best.incumbent < before and not self.best.proven() and not stop.now():
            before = self.best.incumbent
            master.free(whole)
            found = master.whole(
                stop, gap=self.best.gap / 2, phase=self.best.label + "search columns", callback=self._heard,
                known=before,
            )  # fmt: skip
            if found is None:
                return
            master.fix(whole, found)
            self._complete(dive, None)

    def _branch(self, columns: Ints) -> None:
        """A tree over some whole numbers, every node priced until its bound is its value."""
        master = self.master
        master.free(np.flatnonzero(master.form.integer))
        dive = Dive(
            master.form, master, stop=self.stop, callback=self._heard, label=self.best.label, bound=self.best.bound
        )
        master.rounds, master.cutoff = TREE_ROUNDS, self.best.incumbent

        def complete(decided: SolverResult) -> float:
            master.cutoff = np.inf
            master.cutoff = self._complete(dive, decided)
            return self.best.incumbent

        tree = Branch(
            master, columns, incumbent=self.best.incumbent, gap=self.best.gap, stop=self.stop, callback=self._heard,
            label=self.best.label, complete=complete, relax=master.node,
        )  # fmt: skip
        tree.run()
        master.cutoff = np.inf
        self.best.nodes, self.best.iterations = (
            self.best.nodes + tree.nodes,
            self.best.iterations + tree.iterations + dive.iterations,
        )
        self.best.prove(tree.bound)

    def _heard(self, progress: Progress) -> None:
        self.best.relay(replace(progress, phase=f"{progress.phase} ({self.master.columns} columns)"))

    def _solution(self) -> Solution:
        best = self.best
        if best.plan is None:
            raise best.no_plan()
        self.master.unload()
        return_heap()
        values, carried = best.plan.disaggregated(self.split, self.master, self.oracle)
        objective = self.split.cost_at(values)
        bound = min(best.bound, objective)
        gap = relative_gap(objective, bound)
        status = "optimal" if gap <= best.gap else self.stop.ended_by()
        best.history.append((self.stop.elapsed_s(), objective, bound))
        return Solution(
            status=status, objective=objective, bound=bound, gap=gap, values=values, nodes=best.nodes,
            iterations=best.iterations, rows=len(self.split.master.row_low), columns=self.split.columns,
            nonzeros=self.split.nonzeros, integers=int(self.split.master.integer.sum()), log="".join(best.log),
            history=tuple(best.history), carried=carried,
        )  # fmt: skip
