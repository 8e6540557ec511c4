"""Branch and bound in HiGHS on the compact statement, with the strong rows found and the best plan given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nbb_opt.milp.network_design import design_form
from nbb_opt.solve.highs import Answer, Solver
from nbb_opt.solve.network_design.pool import Pool
from nbb_opt.solve.network_design.relaxation import Relaxation
from nbb_opt.solve.network_design.routing import Plan
from nbb_opt.solve.progress import Listener, Stop

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def search_compact(
    relaxation: Relaxation, low: Floats, up: Floats, plan: Plan, *, bound: float, gap: float, threads: int, seed: int,
    stop: Stop, listen: Listener | None, log: list[str],
) -> tuple[Bools | None, Answer]:  # fmt: skip
    """Arcs of the best plan HiGHS knows at the end, and its answer; `low` and `up` are arcs decided already.

    Columns of closed arcs are fixed at zero. The plan given is feasible for them: reduced cost fixing keeps it.
    """
    network = relaxation.network
    m, k = network.arcs, network.commodities
    form = design_form(network, strong=np.flatnonzero(relaxation.strong_row >= 0))
    col_low, col_up = form.col_low.copy(), form.col_up.copy()
    col_low[:m], col_up[:m] = low, up
    col_up[m:][np.tile(up == 0, k)] = 0.0
    form = replace(form, col_low=col_low, col_up=col_up)
    solver = Solver(form, threads=threads, seed=seed, log=log)
    solver.set("mip_rel_gap", gap)
    solver.start_from(columns_of(network.arcs, network.demand_t, relaxation.pool, plan))
    answer = solver.run(stop, phase="branch and bound", listen=listen, known=(plan.cost_eur, bound))
    return (answer.values[:m] > 0.5 if answer.values is not None else None), answer


def columns_of(arcs: int, demand_t: Floats, pool: Pool, plan: Plan) -> Floats:
    """A plan as values of the columns of the compact statement."""
    commodity, length, on, _cost = pool.columns(plan.paths)
    pair = np.repeat(commodity, length) * arcs + on
    tonnes = np.repeat(plan.shares * demand_t[commodity], length)
    carried = np.bincount(pair, weights=tonnes, minlength=len(demand_t) * arcs)
    return np.concatenate([plan.opened.astype(float), carried])
