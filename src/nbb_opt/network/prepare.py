"""Everything the model needs of an instance besides its tables: bundles, chains and lanes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nbb_opt.demand import Each, read_demand
from nbb_opt.instance import Instance
from nbb_opt.network.cache import read_cache, write_cache
from nbb_opt.network.chains import Candidates, find_chains, keep_best, take
from nbb_opt.network.graph import make_graph
from nbb_opt.network.prune import not_outclassed, not_replaced
from nbb_opt.network.tables import make_tables
from nbb_opt.network.weights import make_amounts


@dataclass(frozen=True, eq=False)
class Prepared:
    """Bundles, chains and lanes of an instance; the tables are those of result.TABLES (`steps` is chain_steps).

    `demand_t` (bundles, periods) in t/year; chains are sorted by bundle; `log` says what was merged, dropped and why.
    """

    bundles: pd.DataFrame
    demand_t: np.ndarray
    chains: pd.DataFrame
    steps: pd.DataFrame
    lanes: pd.DataFrame
    lane_links: pd.DataFrame
    log: tuple[str, ...]


def prepare(
    instance: Instance,
    *,
    cache_dir: Path | None = None,
    prune: bool = True,
    say: Callable[[str], None] | None = None,
    each: Each | None = None,
) -> Prepared:
    """Read the demand and find the candidate chains of every bundle.

    `prune=False` keeps chains that another one replaces in every plan. With `cache_dir` the result is stored there, or
    read if the same instance was prepared before; a damaged copy is made anew. `say` is given every line of the log.
    `each` sums the parts of the demand file elsewhere (see cluster), with the same result.
    Raises InstanceError if a row of the demand is refused or a flow cannot be carried over today's network.
    """
    tell = say or (lambda line: None)
    log: list[str] = []
    if cache_dir is not None:
        cached, note = read_cache(cache_dir, instance, prune=prune)
        if note:
            log.append(note)
        if cached is not None:
            tables, demand_t, cached_log = cached
            prepared = Prepared(
                tables["bundles"], demand_t, tables["chains"], tables["chain_steps"], tables["lanes"],
                tables["lane_links"], cached_log,
            )  # fmt: skip
            for line in (*prepared.log, note):
                tell(line)
            return prepared
    prepared = _make(instance, prune=prune, each=each)
    for line in (*log, *prepared.log):
        tell(line)
    if cache_dir is not None:
        tables = {
            "bundles": prepared.bundles, "chains": prepared.chains, "chain_steps": prepared.steps,
            "lanes": prepared.lanes, "lane_links": prepared.lane_links,
        }  # fmt: skip
        write_cache(cache_dir, instance, prune=prune, tables=tables, demand_t=prepared.demand_t, log=prepared.log)
    return prepared


def _make(instance: Instance, *, prune: bool, each: Each | None) -> Prepared:
    demand = read_demand(instance, each=each)
    bundles = demand.bundles
    log = list(demand.log)
    graph = make_graph(instance)
    amounts = make_amounts(instance, graph)
    closed = np.isinf(amounts.link_cost[:, 0, :]).all(axis=0)
    if closed.any():
        names = instance["links"]["link"].to_numpy()[closed].tolist()
        log.append(f"network: {len(names)} links have no vehicle in some period and are not used: {', '.join(names)}")
    seen: list[list[int]] = []

    def choose(found: Candidates) -> np.ndarray:
        chains = not_outclassed(instance, graph, found)
        sizes = [found.bundle.size, chains.size]
        some = take(found, chains)
        kept = keep_best(some, alternatives=instance.meta.alternatives, n_periods=len(instance.periods))
        sizes.append(kept.size)
        if prune:
            kept = kept[not_replaced(instance, graph, take(some, kept), amounts=amounts, bundles=bundles)]
        seen.append([*sizes, kept.size])
        return chains[kept]

    found = find_chains(instance, graph, amounts, bundles=bundles, choose=choose)
    n_all, n_found, n_kept, n_left = np.sum(seen, axis=0).tolist()
    log.append(
        f"chains: {n_all} distinct chains found; {n_all - n_found} left out: another chain of the flow is no worse in"
        " cost, emissions, time and limited capacity, today and with clean trucks"
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
    tables = make_tables(instance, graph, found, amounts=amounts, bundles=bundles)
    kinds = Counter(tables.chains["kind"])
    log.append(f"chains: {found.bundle.size} kept for {len(bundles)} bundles on {len(tables.lanes)} lanes")
    log.append("chains by kind: " + ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items())))
    return Prepared(bundles, demand.demand_t, tables.chains, tables.steps, tables.lanes, tables.lane_links, tuple(log))
