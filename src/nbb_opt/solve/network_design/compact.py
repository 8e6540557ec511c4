"""HiGHS on the compact statement, with the strong rows found so far and the best plan given.

Every path there is can be used here, also those that pricing never met; so where the statement is small enough the
restricted problems around a plan are solved on it too, and not over known paths only.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nbb_opt.milp.form import StandardForm
from nbb_opt.milp.network_design import design_form
from nbb_opt.solve.highs import Answer, Solver
from nbb_opt.solve.network_design.relaxation import Relaxation
from nbb_opt.solve.network_design.routing import Plan
from nbb_opt.solve.network_design.small import ENDED, hurry
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
    form = _restricted(relaxation, low, up)
    solver = Solver(form, threads=threads, seed=seed, log=log)
    solver.set("mip_rel_gap", gap)
    solver.start_from(_columns_of(relaxation, plan))
    answer = solver.run(stop, phase="branch and bound", listen=listen, known=(plan.cost_eur, bound))
    return _opened(relaxation, answer), answer


def improve_compact(
    relaxation: Relaxation, free: Bools, opened: Bools, *, start: Plan, stop: Stop, seed: int
) -> tuple[Bools | None, bool]:
    """Arcs of the best plan found when only `free` arcs may change, and whether that was solved to its end.

    Arcs in `opened` are open and paid for, all others are closed.
    """
    form = _restricted(relaxation, opened.astype(float), (free | opened).astype(float))
    solver = Solver(form, threads=1, seed=seed, log=[])
    hurry(solver)
    solver.start_from(_columns_of(relaxation, start))
    answer = solver.run(stop, phase="", listen=None, known=(float("nan"), float("nan")))
    return _opened(relaxation, answer), answer.status in ENDED


def _restricted(relaxation: Relaxation, low: Floats, up: Floats) -> StandardForm:
    """The compact statement with bounds of what is opened; nothing flows on closed arcs."""
    m, k = relaxation.network.arcs, relaxation.network.commodities
    form = design_form(relaxation.network, strong=np.flatnonzero(relaxation.strong_row >= 0))
    col_low, col_up = form.col_low.copy(), form.col_up.copy()
    col_low[:m], col_up[:m] = low, up
    col_up[m:][np.tile(up == 0, k)] = 0.0
    return replace(form, col_low=col_low, col_up=col_up)


def _opened(relaxation: Relaxation, answer: Answer) -> Bools | None:
    return answer.values[: relaxation.network.arcs] > 0.5 if answer.values is not None else None


def _columns_of(relaxation: Relaxation, plan: Plan) -> Floats:
    """A plan as values of the columns of the compact statement."""
    network, pool = relaxation.network, relaxation.pool
    commodity, length, on, _cost = pool.columns(plan.paths)
    pair = np.repeat(commodity, length) * network.arcs + on
    tonnes = np.repeat(plan.shares * network.demand_t[commodity], length)
    carried = np.bincount(pair, weights=tonnes, minlength=network.commodities * network.arcs)
    return np.concatenate([plan.opened.astype(float), carried])
