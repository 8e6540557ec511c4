"""HiGHS on the compact statement, with the best plan given; without strong rows, which slow it down.

Every path there is can be used here, also those that pricing never met; so where the statement is small enough the
restricted problems around a plan are solved on it too, and not over known paths only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nbb_opt.milp.form import StandardForm
from nbb_opt.milp.network_design import design_form
from nbb_opt.network_design.network import Network
from nbb_opt.solve.highs import Answer, Solver
from nbb_opt.solve.network_design.best import Best
from nbb_opt.solve.network_design.relaxation import Relaxation
from nbb_opt.solve.network_design.routing import Plan
from nbb_opt.solve.network_design.small import ENDED, hurry
from nbb_opt.solve.progress import Listener, Stop

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


COMPACT_PAIRS = 15_000  # commodities times arcs up to which HiGHS on the compact statement proves more than our tree


def is_small(network: Network) -> bool:
    """Whether the compact statement is small enough for HiGHS to do well on it."""
    return network.commodities * network.arcs <= COMPACT_PAIRS


def search_compact(
    network: Network, low: Floats, up: Floats, best: Best, *, seed: int, stop: Stop, listen: Listener,
    offer: Callable[[Bools], None], between: Callable[[], None], log: list[str],
) -> Answer:  # fmt: skip
    """HiGHS' answer when it starts from the best plan; `low` and `up` are arcs decided already.

    While it runs it is told of better plans that others find, and the arcs of its own go to `offer`; `between` is
    called now and then and may wait. Plans better than the one it starts from are feasible: reduced cost fixing keeps
    them.
    """
    plan = best.known()
    solver = Solver(_restricted(network, low, up), threads=1, seed=seed, log=log)
    solver.set("mip_rel_gap", best.gap)
    solver.start_from(_columns_of(plan))
    told = [plan]

    def better(incumbent: float) -> Floats | None:
        found = best.known()
        if found is told[0] or found.cost_eur >= incumbent:
            return None
        told[0] = found
        return _columns_of(found)

    solver.exchange(offer=lambda values: offer(values[: network.arcs] > 0.5), ask=better, between=between)
    return solver.run(stop, phase="branch and bound", listen=listen, known=(plan.cost_eur, best.bound))


def improve_compact(
    relaxation: Relaxation, free: Bools, opened: Bools, *, start: Plan, stop: Stop, seed: int
) -> tuple[Bools | None, bool]:
    """Arcs of the best plan found when only `free` arcs may change, and whether that was solved to its end.

    Arcs in `opened` are open and paid for, all others are closed.
    """
    network = relaxation.network
    form = _restricted(network, opened.astype(float), (free | opened).astype(float))
    solver = Solver(form, threads=1, seed=seed, log=[])
    hurry(solver)
    solver.start_from(_columns_of(start))
    answer = solver.run(stop, phase="", listen=None, known=(float("nan"), float("nan")))
    opened_now = answer.values[: network.arcs] > 0.5 if answer.values is not None else None
    return opened_now, answer.status in ENDED


def _restricted(network: Network, low: Floats, up: Floats) -> StandardForm:
    """The compact statement with bounds of what is opened; nothing flows on closed arcs."""
    form = design_form(network, strong=np.zeros(0, np.int64))
    col_low, col_up = form.col_low.copy(), form.col_up.copy()
    col_low[: network.arcs], col_up[: network.arcs] = low, up
    col_up[network.arcs :][np.tile(up == 0, network.commodities)] = 0.0
    return replace(form, col_low=col_low, col_up=col_up)


def _columns_of(plan: Plan) -> Floats:
    """A plan as values of the columns of the compact statement."""
    return np.concatenate([plan.opened.astype(float), plan.flow_t().ravel()])
