"""The oracle on a cluster: every worker holds the chains of some clusters of bundles and answers for them.

A shard is a model with those chains alone, and the groups of those clusters. The scheduler keeps what it takes to give
a shard to another worker when one dies. Then only prices and answers travel: a number per row of the master there, a
column per state back. Which worker did what changes no bit: clusters are worked on one by one everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nbb_opt.model.data.periods import Floats, Ints, entries
from nbb_opt.solve.colgen.groups import Groups
from nbb_opt.solve.colgen.oracle import Disaggregated, Oracle, Priced, equal_parts, in_order

if TYPE_CHECKING:
    from nbb_opt.cluster import Cluster
    from nbb_opt.model import Split

SHARDS_PER_WORKER = 2


@dataclass(frozen=True)
class Shard:
    """A part of a model: its oracle, the numbers of its states among all, and of its chains."""

    oracle: Oracle
    states: Ints
    chains: Ints


def shard_of(split: Split, groups: Groups, clusters: Ints) -> Shard:
    """The part of some clusters, with a thread of its own."""
    c, s = split.chains, np.sort(clusters)
    bundle = np.sort(groups.bundles[entries(groups.start, s)[0]])
    chain, count = entries(c.first, bundle)
    segment, segments = entries(c.start, chain)
    chains = replace(
        c, start=_start(segments), segment=c.segment[segment], first=_start(count), main_mode=c.main_mode[chain],
        project_set=c.project_set[chain], commodity=c.commodity[bundle], hour_eur=c.hour_eur[bundle],
        constant_eur=c.constant_eur[bundle], demand_t=c.demand_t[bundle], now=c.now[bundle], grows=c.grows[bundle],
    )  # fmt: skip
    own = [np.searchsorted(bundle, groups.bundles[groups.start[q] : groups.start[q + 1]]) for q in s.tolist()]
    mine = np.flatnonzero(np.isin(groups.cluster, s))
    state, states = entries(groups.state_start, mine)
    number = {g: k for k, g in enumerate(mine.tolist())}
    part = replace(
        groups, start=_start(np.array([len(one) for one in own], np.int64)), bundles=np.concatenate(own),
        cluster=np.searchsorted(s, groups.cluster[mine]), t=groups.t[mine], state_start=_start(states),
        states=groups.states[state], of_bit=tuple(groups.of_bit[g] for g in mine.tolist()),
        set_bits=groups.set_bits[mine],
        loose=tuple((number[g], k, column) for g, k, column in groups.loose if g in number),
    )  # fmt: skip
    nameless = replace(split.master, col_names=[], row_names=[])
    return Shard(Oracle(replace(split, chains=chains, master=nameless), part, threads=1), state, chain)


def _start(count: Ints) -> Ints:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(count)]).astype(np.int64)


class ShardedOracle(Oracle):
    """The same answers from shards: `each` gives those of a function for all shards in their order."""

    def __init__(self, split: Split, groups: Groups, *, threads: int, cluster: Cluster, shards: Sequence[Any]) -> None:
        super().__init__(split, groups, threads=threads)
        self.cluster, self.shards = cluster, shards

    def __call__(self, price: Floats) -> Priced:
        """SolverResult prices; see `Oracle`."""
        trips = self.trips(price)
        return Priced(*in_order(list(self.cluster.each(partial(_price, price), self.shards))), trips)

    def disaggregate(self, price: Floats, share: Floats) -> Disaggregated:
        """What states stand for; see `Oracle`."""
        parts = list(self.cluster.each(partial(_disaggregate, price, share), self.shards))
        chain, t, tonnes = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("chain", "t", "tonnes")
        )
        return Disaggregated(chain, t, tonnes, np.sum([part.vkm for part in parts], axis=0))

    def _disaggregateeach(self, asked: Iterable[tuple[Floats, Floats]]) -> Iterator[Disaggregated]:
        """One after the other: workers have enough to do with each; see `Oracle`."""
        return (self.disaggregate(price, share) for price, share in asked)


def _price(price: Floats, shard: Shard) -> tuple[Ints, Floats, Floats, Any]:
    found = shard.oracle(price)
    return shard.states, found.value, found.cost, found.use


def _disaggregate(price: Floats, share: Floats, shard: Shard) -> Disaggregated:
    found = shard.oracle.disaggregate(price, share[shard.states])
    return replace(found, chain=shard.chains[found.chain].astype(np.int32))


@contextmanager
def sharded(split: Split, groups: Groups, *, threads: int, cluster: Cluster) -> Iterator[Oracle]:
    """An oracle whose chains are with the workers, in shards of about equal work."""
    count = SHARDS_PER_WORKER * cluster.workers
    parts = (shard_of(split, groups, clusters) for clusters in equal_parts(split, groups, count))
    with cluster.kept(parts) as shards:
        yield ShardedOracle(split, groups, threads=threads, cluster=cluster, shards=shards)
