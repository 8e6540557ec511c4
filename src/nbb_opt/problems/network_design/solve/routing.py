"""The cheapest flows over a given set of open arcs, exactly, by pricing paths in; and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nbb_opt.errors import Infeasible, SolveError
from nbb_opt.problems.network_design.instance import DesignNetwork
from nbb_opt.problems.network_design.solve.pool import PathPool
from nbb_opt.problems.network_design.solve.relaxation import LinearProgram
from nbb_opt.solve.stop import Stop

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
ABSENT = 1e-7  # share of a commodity that may stay without a path: rounding of the solver
NOTHING = 1e-9  # a share below this is rounding, not a flow
PROMISING = 1e-8


@dataclass(frozen=True, eq=False)
class DesignPlan:
    """Open arcs (those that carry something), and shares of commodities on paths of the pool; cost added up anew."""

    cost_eur: float
    opened: Bools
    paths: Ints
    shares: Floats
    pool: PathPool

    def flow_t(self) -> Floats:
        """(commodities, arcs) in tonnes."""
        network = self.pool.network
        commodity, length, on, _cost = self.pool.columns(self.paths)
        pair = np.repeat(commodity, length) * network.arcs + on
        tonnes = np.repeat(self.shares * network.demand_t[commodity], length)
        flow: Floats = np.bincount(pair, weights=tonnes, minlength=network.commodities * network.arcs).astype(float)
        return flow.reshape(network.commodities, network.arcs)


def route(network: DesignNetwork, pool: PathPool, opened: Bools, stop: Stop) -> DesignPlan | None:
    """The cheapest flows over open arcs; None if they cannot carry all demand. Raises OutOfTime."""
    k = network.commodities
    absent_eur = network.demand_t * (100.0 * network.nodes * network.cost_eur_per_t.max(initial=0.0) + 1.0)
    which, values = _flows(network, pool, opened, absent_eur, 1.0, stop)
    if values[:k].max() > ABSENT:
        return None
    share = values[k:]
    kept = share > NOTHING
    return plan_of(network, pool, which[kept], share[kept])


def plan_of(network: DesignNetwork, pool: PathPool, paths: Ints, shares: Floats) -> DesignPlan:
    """A plan from shares of paths; they are brought to a sum of exactly one for each commodity."""
    commodity, _length, arcs, cost = pool.columns(paths)
    shares = shares / np.bincount(commodity, weights=shares, minlength=network.commodities)[commodity]
    opened = np.zeros(network.arcs, bool)
    opened[arcs] = True
    return DesignPlan(float(cost @ shares + network.fixed_eur[opened].sum()), opened, paths, shares, pool)


def refuse_infeasible(network: DesignNetwork, pool: PathPool, names: tuple[str, ...], stop: Stop) -> None:
    """Raise Infeasible if even with every arc open some demand cannot be carried; says whose, and how much."""
    k = network.commodities
    everything = np.ones(network.arcs, bool)
    found, _ = pool.priced(np.zeros((k, network.arcs)), np.full(k, np.inf))
    lost = [names[c] for c in np.flatnonzero(np.isinf(found)).tolist()]
    if lost:
        more = f" and {len(lost) - 8} more" if len(lost) > 8 else ""
        raise Infeasible(f"no path leads from origin to destination of {', '.join(lost[:8])}{more}; add arcs")
    _which, values = _flows(network, pool, everything, network.demand_t, 0.0, stop)
    short_t = network.demand_t * values[:k]
    if short_t.sum() > ABSENT * network.demand_t.sum():
        named = ", ".join(names[c] for c in np.argsort(-short_t, kind="stable")[:8].tolist() if short_t[c] > 0)
        raise Infeasible(
            f"with every arc open {short_t.sum():,.6g} t of demand cannot be carried (of {named}); add capacity"
        )


def _flows(
    network: DesignNetwork, pool: PathPool, opened: Bools, absent_eur: Floats, factor: float, stop: Stop
) -> tuple[Ints, Floats]:
    """Paths, and shares: of each commodity without a path, then of each path. Path costs count `factor` times."""
    n, k, m = network, network.commodities, network.arcs
    arcs = np.flatnonzero(opened)
    row = np.full(m, -1, np.int64)
    row[arcs] = k + np.arange(len(arcs))
    lp = LinearProgram()
    none = np.zeros(0, np.int64)
    lp.add_columns(absent_eur, np.ones(k), np.zeros(k, np.int64), none, np.zeros(0))
    lp.add_rows(np.ones(k), np.ones(k), np.arange(k), np.arange(k), np.ones(k))
    lp.add_rows(np.full(len(arcs), -np.inf), n.capacity_t[arcs], np.zeros(len(arcs), np.int64), none, np.zeros(0))
    new = pool.within(opened)
    inside = none
    while True:
        if len(new):
            commodity, length, on, cost = pool.columns(new)
            column = np.repeat(np.arange(len(new)), length)
            rows = np.concatenate([commodity, row[on]])
            columns = np.concatenate([np.arange(len(new)), column])
            values = np.concatenate([np.ones(len(new)), n.demand_t[commodity[column]]])
            order = np.argsort(columns, kind="stable")
            start = np.searchsorted(columns[order], np.arange(len(new)))
            lp.add_columns(factor * cost, np.full(len(new), np.inf), start, rows[order], values[order])
            inside = np.concatenate([inside, new])
        _objective, found, dual = lp.run(stop)
        alpha = np.full(m, np.inf)
        alpha[arcs] = np.maximum(0.0, -dual[k:])
        price = n.demand_t[:, None] * (factor * n.cost_eur_per_t + alpha)[None, :]
        below = dual[:k] - PROMISING * np.maximum(1.0, np.abs(dual[:k]))
        new = np.array(pool.priced(price, below)[1], np.int64)
        if not len(new):
            if len(found) != k + len(inside):
                raise SolveError("the flows do not belong to the paths")
            return inside, found
