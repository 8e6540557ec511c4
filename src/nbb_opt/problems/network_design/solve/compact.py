"""HiGHS on the compact statement, without strong rows, which slow it down.

Every path there is can be used here, also those that pricing never met; so where the statement is small enough the
restricted problems around a plan are solved on it too, and not over known paths only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nbb_opt.model import StandardForm
from nbb_opt.problems.network_design.instance import Network
from nbb_opt.problems.network_design.model import design_form
from nbb_opt.problems.network_design.solve.routing import Plan
from nbb_opt.problems.network_design.solve.small import ENDED, hurry
from nbb_opt.solve.highs import Answer, Solver
from nbb_opt.solve.scaling import unscaled
from nbb_opt.solve.stop import UNKNOWN, Listener, Stop

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


COMPACT_PAIRS = 15_000  # commodities times arcs up to which HiGHS on the compact statement proves more than our tree


def is_small(network: Network) -> bool:
    """Whether the compact statement is small enough for HiGHS to do well on it."""
    return network.commodities * network.arcs <= COMPACT_PAIRS


def compact_form(network: Network) -> StandardForm:
    """The compact statement as arrays."""
    return design_form(network, strong=False)


def search_compact(
    form: StandardForm, network: Network, *, gap: float, seed: int, stop: Stop, listen: Listener,
    offer: Callable[[Bools], None], between: Callable[[], None], log: list[str],
) -> Answer:  # fmt: skip
    """What HiGHS finds by itself. The arcs of every better plan of its own go to `offer`; `between` is called now and
    then, may wait, and ends it by what it raises.
    """
    solver = Solver(form, threads=1, seed=seed, log=log, scaling=unscaled(form))
    solver.set("mip_rel_gap", gap)
    solver.exchange(offer=lambda values: offer(values[: network.arcs] > 0.5), between=between)
    return solver.run(stop, phase="branch and bound", listen=listen, known=UNKNOWN)


def improve_compact(
    form: StandardForm, network: Network, free: Bools, opened: Bools, *, start: Plan, stop: Stop, seed: int
) -> tuple[Bools | None, bool]:
    """Arcs of the best plan found when only `free` arcs may change, and whether that was solved to its end.

    Arcs in `opened` are open and paid for, all others are closed.
    """
    col_low, col_up = form.col_low.copy(), form.col_up.copy()
    col_low[: network.arcs], col_up[: network.arcs] = opened, free | opened
    col_up[network.arcs :][np.tile(~(free | opened), network.commodities)] = 0.0  # nothing flows on closed arcs
    form = replace(form, col_low=col_low, col_up=col_up)
    solver = Solver(form, threads=1, seed=seed, log=[])
    hurry(solver)
    solver.start_from(_columns_of(start))
    answer = solver.run(stop, phase="", listen=None, known=(float("nan"), float("nan")))
    opened_now = answer.values[: network.arcs] > 0.5 if answer.values is not None else None
    return opened_now, answer.status in ENDED


def _columns_of(plan: Plan) -> Floats:
    """A plan as values of the columns of the compact statement."""
    return np.concatenate([plan.opened.astype(float), plan.flow_t().ravel()])
