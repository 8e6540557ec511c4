"""Chains without which the demand cannot be carried within the limits of links and terminals.

Few chains per flow are kept, each good by itself; where all of them share what is limited, a flow may need another one.
A linear program per period carries as many tonnes as the limits allow over the chains at hand; where some are left, the
prices of its limits give the weights by which the cheapest chains are searched again (column generation: Desaulniers,
Desrosiers and Solomon 2005, doi:10.1007/b135457), until all is carried or no chain there is could carry more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, eye_array, hstack

from nbb_opt.instance import Instance
from nbb_opt.network.candidates import Candidates, take
from nbb_opt.network.chains import cheapest_chains
from nbb_opt.network.graph import Graph
from nbb_opt.network.kernels.look_at_steps import count_uses
from nbb_opt.network.prune import LimitedUses
from nbb_opt.network.runs import ChainClass
from nbb_opt.network.weights import Amounts

ALL_CARRIED = 1e-9  # share of the demand that may be left
NO_GAIN = 1e-6  # tonnes more by a tonne on another chain
MOST_ROUNDS = 200


@dataclass(frozen=True, eq=False)
class ConstrainedChains:
    """Chains of the flows that have none today without a limited thing: how often each uses what is limited, `uses`
    (chains, limits), its `bundle`, and whether it needs no project, `today`."""

    uses: np.ndarray
    bundle: np.ndarray
    today: np.ndarray

    def only(self, chains: np.ndarray) -> ConstrainedChains:
        """Some of the chains."""
        return ConstrainedChains(self.uses[chains], self.bundle[chains], self.today[chains])


def constrained_chains(graph: Graph, things: LimitedUses, found: Candidates) -> ConstrainedChains:
    """Those among the chains found, in which all chains of a bundle are together."""
    tight = _used(graph, things, found)
    loose = tight.bundle[tight.today & ~tight.uses.any(axis=1)]
    return tight.only(~np.isin(tight.bundle, loose))


def joined(some: Sequence[ConstrainedChains]) -> ConstrainedChains:
    """All of them."""
    return ConstrainedChains(
        *(np.concatenate([getattr(one, name) for one in some]) for name in ("uses", "bundle", "today"))
    )


def chains_for_limits(
    instance: Instance, graph: Graph, amounts: Amounts, *, bundles: pd.DataFrame, demand_t: np.ndarray,
    tight: ConstrainedChains, things: LimitedUses,
) -> tuple[list[tuple[ChainClass, Candidates]], list[str]]:  # fmt: skip
    """Chains to be added so that all flows are carried in every period, today or else with everything built; and lines
    that say so, or how much no chain there is can carry. demand_t (bundles, periods)."""
    log: list[str] = []
    added: list[tuple[ChainClass, Candidates]] = []
    for built in (False, True) if things.first_project and tight.bundle.size else ():
        capacity, all_carried = _capacities(instance, built=built), True
        at_hand = tight if built else tight.only(tight.today)
        state = "with everything built" if built else "today"
        n = len(added)
        for period, demand in zip(instance.periods, demand_t.T, strict=True):
            at_hand, more, left = _complete(
                instance, graph, amounts, at_hand, bundles=bundles, demand=demand, capacity=capacity, things=things,
                built=built,
            )  # fmt: skip
            added += more
            if left > 0:
                all_carried = False
                log.append(
                    f"limits: {left:.0f} t in {period.year} can be carried by no chains within the limits of links and"
                    f" terminals {state}"
                )
        if len(added) > n:
            n_more = sum(found.bundle.size for _, found in added[n:])
            log.append(f"limits: {n_more} chains added so that more is carried within the limits {state}")
        if all_carried:
            break
    return added, log


def _complete(
    instance: Instance, graph: Graph, amounts: Amounts, tight: ConstrainedChains, *, bundles: pd.DataFrame,
    demand: np.ndarray, capacity: np.ndarray, things: LimitedUses, built: bool,
) -> tuple[ConstrainedChains, list[tuple[ChainClass, Candidates]], float]:  # fmt: skip
    """The chains with those added for a period, these alone, and the tonnes that are left."""
    added: list[tuple[ChainClass, Candidates]] = []
    mine = np.unique(tight.bundle)
    left = 0.0
    for _ in range(MOST_ROUNDS):
        left, price, worth = _carry(tight, mine, demand[mine], capacity)
        if left <= ALL_CARRIED * demand[mine].sum():
            return tight, added, 0.0
        price_of = np.append(price, np.zeros(things.n + 1 - price.size))  # nothing for projects and -1: no thing
        prices = price_of[things.links[:, 0]], price_of[things.transfers[:, 0]]
        n = len(added)
        for cls, found in cheapest_chains(
            instance, graph, amounts, bundles=bundles, some=mine[worth > NO_GAIN], prices=prices, built=built
        ):
            used = _used(graph, things, found)
            better = np.flatnonzero(used.uses @ price < worth[np.searchsorted(mine, found.bundle)] - NO_GAIN)
            if better.size:
                added.append((cls, take(found, better)))
                tight = joined([tight, used.only(better)])
        if len(added) == n:
            break
    return tight, added, left


def _used(graph: Graph, things: LimitedUses, found: Candidates) -> ConstrainedChains:
    n = things.first_project
    uses = np.zeros((found.bundle.size, n), dtype=np.int16)
    count_uses(found.code, found.first, graph.arc_link, things.links[:, 0], things.transfers[:, 0], uses)
    today = np.array([not one for one in found.project_sets], dtype=bool)[found.project_set]
    return ConstrainedChains(uses, found.bundle, today)


def _capacities(instance: Instance, *, built: bool) -> np.ndarray:
    """Tonnes per year of the limited links and terminals, as measures.limited_uses numbers them; with every project
    built in all its units if `built`."""
    units = dict(zip(instance["projects"]["project"], instance["projects"]["max_units"], strict=True))
    effects, found = instance["project_effects"], []
    for name in ("links", "terminals"):
        table = instance[name]
        limit = pd.Series(table["capacity_t_per_year"].to_numpy(dtype=float), index=table.iloc[:, 0])
        mine = effects[(effects["table"] == name) & built]
        for row, project, adds in zip(mine["row"], mine["project"], mine["adds"], strict=True):
            limit[row] += adds * units[project]
        found.append(limit.to_numpy())
    values = np.concatenate(found)
    return values[~np.isnan(values)]


def _carry(
    tight: ConstrainedChains, bundles: np.ndarray, demand: np.ndarray, capacity: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Tonnes left over if as many as possible are carried; by how many fewer with a tonne more of each limit, and with
    a tonne less of each bundle."""
    from scipy.optimize import linprog

    n, rows = tight.bundle.size, np.searchsorted(bundles, tight.bundle)
    serve = csr_array((np.ones(n), (rows, np.arange(n))), shape=(bundles.size, n))
    solved = linprog(  # type: ignore[call-overload]  # the stubs know no sparse rows
        np.append(np.zeros(n), np.ones(bundles.size)),
        A_ub=hstack([csr_array(tight.uses.T.astype(float)), csr_array((capacity.size, bundles.size))]), b_ub=capacity,
        A_eq=hstack([serve, eye_array(bundles.size)]), b_eq=demand, method="highs",
    )  # fmt: skip
    return float(solved.fun), -solved.ineqlin.marginals, solved.eqlin.marginals
