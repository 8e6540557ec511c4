"""A plan of the restricted master, and what it is in flows: every column handed out to its bundles again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nbb_opt.model.data.periods import sum_by
from nbb_opt.model.extract import Carried
from nbb_opt.solve.colgen.oracle import Oracle
from nbb_opt.solve.colgen.pool import Pool
from nbb_opt.solve.colgen.restricted import Restricted

if TYPE_CHECKING:
    from nbb_opt.model import Split

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
DUST = 1e-11  # share of a column below which it carries nothing


@dataclass(frozen=True)
class MasterPlan:
    """Values of the master's columns, and the shares of the columns that carry something."""

    values: Floats
    shares: Floats
    pool: Pool

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
