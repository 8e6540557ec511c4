"""Everything the model needs of an instance besides its tables: bundles, chains and lanes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from nbb_opt.first_use import watch
from nbb_opt.instance import Instance
from nbb_opt.network.bundles import read_demand
from nbb_opt.network.cache import read_cache, write_cache
from nbb_opt.network.candidates import Candidates, keep_best, take
from nbb_opt.network.chains import find_chains
from nbb_opt.network.compact import ChainRows, Items, spread
from nbb_opt.network.graph import make_graph
from nbb_opt.network.limits import ConstrainedChains, chains_for_limits, constrained_chains
from nbb_opt.network.limits import joined as joined_tight
from nbb_opt.network.pack import ChainBatch, batch_of, joined, pack
from nbb_opt.network.prune import limited_uses, not_replaced
from nbb_opt.network.runs import ChainClass, project_states
from nbb_opt.network.search import Found
from nbb_opt.network.tables import chains_table, lane_links_table, lanes_table, steps_table
from nbb_opt.network.weights import make_amounts


@dataclass(frozen=True, eq=False)
class Prepared:
    """Bundles and chains of an instance, compact: chains are `rows` of `items` (see network/compact.py).

    `bundles` is the table of result.TABLES, `demand_t` (bundles, periods) in t/year; `log` says what was merged,
    dropped and why. The tables `chains`, `steps` (chain_steps), `lanes` and `lane_links` of result.TABLES are written
    with all chains the first time they are asked for: for small instances. `written` writes those of some chains.
    """

    instance: Instance
    bundles: pd.DataFrame
    demand_t: np.ndarray
    rows: ChainRows
    items: Items
    log: tuple[str, ...]

    @cached_property
    def chains(self) -> pd.DataFrame:
        """Table `chains` with every chain."""
        return chains_table(self.instance, self.rows, self.items, chains=np.arange(len(self.rows)))

    @cached_property
    def steps(self) -> pd.DataFrame:
        """Table `chain_steps` with every chain."""
        return steps_table(self.instance, self.rows, self.items, chains=np.arange(len(self.rows)))

    @cached_property
    def lanes(self) -> pd.DataFrame:
        """Table `lanes` with every lane."""
        return lanes_table(self.instance, self.items, lanes=np.arange(self.items.n_lanes))

    @cached_property
    def lane_links(self) -> pd.DataFrame:
        """Table `lane_links` with every lane."""
        return lane_links_table(self.instance, self.items, lanes=np.arange(self.items.n_lanes))

    @property
    def left_out(self) -> str:
        """Which chains are no candidates, and what limits leave over whatever the chains: for whoever finds no plan."""
        kinds = ("left out", "given up", "limits:")
        return "; ".join(line for line in self.log if any(words in line for words in kinds))

    def flows_t(self, flows: pd.DataFrame) -> np.ndarray:
        """Tonnes by chain and period, shape (C, T), of a table `flows`."""
        period_of = {period.year: t for t, period in enumerate(self.instance.periods)}
        tonnes = np.zeros((len(self.rows), len(period_of)))
        tonnes[flows["chain"].to_numpy(), flows["year"].map(period_of).to_numpy()] = flows["tonnes"].to_numpy()
        return tonnes

    def written(self, *, chains: np.ndarray, lanes: np.ndarray) -> dict[str, pd.DataFrame]:
        """Tables chains, chain_steps, lanes and lane_links of the given chains, their lanes and further `lanes`.

        Numbers stay those of the candidates. `chains`, `lanes`: any order, repetition allowed.
        """
        some = np.unique(chains)
        item = np.unique(self.rows.item[spread(self.rows.item_start, some)[0]])
        driven = np.union1d(item[item < self.items.n_lanes], lanes)
        return {
            "chains": chains_table(self.instance, self.rows, self.items, chains=some),
            "chain_steps": steps_table(self.instance, self.rows, self.items, chains=some),
            "lanes": lanes_table(self.instance, self.items, lanes=driven),
            "lane_links": lane_links_table(self.instance, self.items, lanes=driven),
        }


def prepare(
    instance: Instance,
    *,
    cache_dir: Path | None = None,
    prune: bool = True,
    say: Callable[[str], None] | None = None,
) -> Prepared:
    """Read the demand and find the candidate chains of every bundle.

    `prune=False` keeps chains that another one replaces in every plan. With `cache_dir` the result is stored there, or
    read if the same instance was prepared before; a damaged copy is made anew. `say` is given every line of the log.
    Raises InstanceError if a flow cannot be carried over today's network.
    """
    tell = say or (lambda line: None)
    log: list[str] = []
    if cache_dir is not None:
        cached, note = read_cache(cache_dir, instance, prune=prune)
        if note:
            log.append(note)
        if cached is not None:
            prepared = Prepared(instance, *cached)
            for line in (*prepared.log, note):
                tell(line)
            return prepared
    watch()
    prepared = _make(instance, prune=prune)
    for line in (*log, *prepared.log):
        tell(line)
    if cache_dir is not None:
        content = (prepared.bundles, prepared.demand_t, prepared.rows, prepared.items, prepared.log)
        write_cache(cache_dir, instance, prune=prune, content=content)
    return prepared


def _make(instance: Instance, *, prune: bool) -> Prepared:
    demand = read_demand(instance)
    bundles = demand.bundles
    log = list(demand.log)
    graph = make_graph(instance)
    amounts = make_amounts(instance, graph)
    closed = np.isinf(amounts.link_cost[:, 0, :]).all(axis=0)
    if closed.any():
        names = instance["links"]["link"].to_numpy()[closed].tolist()
        log.append(f"network: {len(names)} links have no vehicle in some period and are not used: {', '.join(names)}")
    seen: list[list[int]] = []
    tight: list[ConstrainedChains] = []
    things, states = limited_uses(instance, graph), project_states(instance, graph)

    def choose(parts: Iterable[tuple[Candidates, Found]], cls: ChainClass) -> ChainBatch:
        batches = []
        for some, found in parts:
            best = keep_best(
                some, alternatives=instance.meta.alternatives, n_periods=len(instance.periods), states=states
            )
            taken = take(some, best)
            kept = not_replaced(instance, graph, taken, amounts=amounts, cls=cls) if prune else np.arange(best.size)
            taken = take(taken, kept)
            seen.append([found.n_distinct, some.bundle.size, best.size, kept.size, found.n_given_up])
            tight.append(constrained_chains(graph, things, taken))
            batches.append(batch_of(instance, graph, taken, cargo_type=cls.cargo_type))
        return joined(batches)

    batches = find_chains(instance, graph, amounts, bundles=bundles, use=choose)
    n_all, n_found, n_kept, n_left, n_given_up = np.sum(seen, axis=0).tolist()
    log.append(
        f"chains: {n_all} distinct chains found; {n_all - n_found} left out: they come back to a place, or another"
        " chain of the flow is no worse in cost, emissions, time and limited capacity, today and with clean trucks"
    )
    if n_given_up:
        log.append(
            f"chains: {n_given_up} searches for the cheapest chain of a flow and sequence of main legs that comes back"
            " to no place were given up"
        )
    log.append(
        f"chains: {n_found - n_kept} left out beyond the {instance.meta.alternatives} best of a flow's kind and"
        " projects"
    )
    if prune:
        log.append(
            f"chains: {n_kept - n_left} dropped: on the same lanes another chain of the flow costs no more, emits no"
            " more anywhere, and uses no more capacity and no other project"
        )
    added, lines = chains_for_limits(
        instance, graph, amounts, bundles=bundles, demand_t=demand.demand_t, tight=joined_tight(tight), things=things
    )
    batches += [batch_of(instance, graph, more, cargo_type=cls.cargo_type) for cls, more in added]
    log += lines
    rows, items = pack(instance, graph, batches, amounts=amounts)
    log.append(f"chains: {len(rows)} kept for {len(bundles)} bundles on {items.n_lanes} lanes")
    log.append("chains by kind: " + ", ".join(f"{kind} {n}" for kind, n in rows.by_kind().items()))
    return Prepared(instance, bundles, demand.demand_t, rows, items, tuple(log))
