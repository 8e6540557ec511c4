"""Restricted problems, small enough to be solved many times: over known paths, or on the compact statement by HiGHS,
without strong rows, which slow it down.

Every path there is can be used in the compact statement, also those that pricing never met; so where it is small enough
the problems around a plan are solved on it too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nbb_opt.model.arrays.keys import LazyLabels
from nbb_opt.model.form import StandardForm
from nbb_opt.problems.network_design.instance import DesignNetwork
from nbb_opt.problems.network_design.model import design_form
from nbb_opt.problems.network_design.solve.relaxation import PathRelaxation
from nbb_opt.problems.network_design.solve.routing import DesignPlan
from nbb_opt.solve.highs import Solver, SolverResult
from nbb_opt.solve.scaling import unscaled
from nbb_opt.solve.stop import UNKNOWN, Callback, Stop

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
NOTHING = 1e-9
NODES = 400
HEURISTIC_EFFORT = 0.1
ENDED = ("optimal", "infeasible", "infeasible_or_unbounded")


@dataclass(frozen=True, eq=False)
class Small:
    """The form; its columns are the free arcs, then the paths."""

    form: StandardForm
    arcs: Ints
    paths: Ints


def small_problem(relaxation: PathRelaxation, free: Bools, opened: Bools) -> Small:
    """Free arcs may be opened, arcs in `opened` are open and paid for, all others are closed."""
    n, pool = relaxation.network, relaxation.pool
    m, k = n.arcs, n.commodities
    allowed = free | opened
    paths, arcs, chosen = pool.within(allowed), np.flatnonzero(allowed), np.flatnonzero(free)
    commodity, length, on, cost = pool.columns(paths)
    column = np.repeat(np.arange(len(paths)), length) + len(chosen)
    arc_column, arc_row = np.full(m, -1, np.int64), np.full(m, -1, np.int64)
    arc_column[chosen] = np.arange(len(chosen))
    arc_row[arcs] = k + np.arange(len(arcs))
    pair = np.repeat(commodity, length) * m + on
    strong = (relaxation.strong_row[pair] >= 0) & free[on]
    pairs, strong_row = np.unique(pair[strong], return_inverse=True)
    base = k + len(arcs)
    rows = [commodity, arc_row[on], base + strong_row, arc_row[chosen], base + np.arange(len(pairs))]
    columns = [
        len(chosen) + np.arange(len(paths)), column, column[strong], np.arange(len(chosen)), arc_column[pairs % m],
    ]  # fmt: skip
    values = [
        np.ones(len(paths)), n.demand_t[np.repeat(commodity, length)], np.ones(int(strong.sum())),
        -relaxation.use_limit_t[chosen], -relaxation.share_limit.ravel()[pairs],
    ]  # fmt: skip
    row, col, value = (np.concatenate(parts) for parts in (rows, columns, values))
    order = np.lexsort((row, col))
    size, height = len(chosen) + len(paths), base + len(pairs)
    low, up = np.full(height, -np.inf), np.zeros(height)
    low[:k] = up[:k] = 1.0
    up[k:base] = np.where(free[arcs], 0.0, n.capacity_t[arcs])
    whole = np.arange(size) < len(chosen)
    nothing = LazyLabels(lambda: [], 0)
    form = StandardForm(
        cost=np.concatenate([n.fixed_eur[chosen], cost]), cost_offset=float(n.fixed_eur[opened & ~free].sum()),
        a_indptr=np.searchsorted(col[order], np.arange(size + 1)).astype(np.int32),
        a_indices=row[order].astype(np.int32), a_values=value[order], row_low=low, row_up=up, col_low=np.zeros(size),
        col_up=np.where(whole, 1.0, np.inf), integer=whole, col_names=nothing, row_names=nothing,
        col_unit_scale=np.ones(size), fix_order=np.where(whole, 0, -1),
    )  # fmt: skip
    return Small(form, chosen, paths)


def improve_paths(
    relaxation: PathRelaxation, free: Bools, opened: Bools, *, start: DesignPlan, stop: Stop, seed: int
) -> tuple[Bools | None, bool]:
    """Arcs of the best plan found when only `free` arcs may change, and whether that was solved to its end."""
    small = small_problem(relaxation, free, opened)
    solver = Solver(small.form, threads=1, seed=seed, log=[])
    hurry(solver)
    solver.start_from(_values(small, start))
    answer = solver.run(stop, phase="", callback=None, known=(float("nan"), float("nan")))
    used = None
    if answer.values is not None:
        kept = answer.values[len(small.arcs) :] > NOTHING
        used = np.zeros(relaxation.network.arcs, bool)
        used[relaxation.pool.columns(small.paths[kept])[2]] = True
    return used, answer.status in ENDED


def hurry(solver: Solver) -> None:
    """Options for a problem that is one of many: a good plan soon, no proof to the last digit."""
    solver.set("mip_rel_gap", 1e-5)
    solver.set("mip_max_nodes", NODES)
    solver.set("mip_heuristic_effort", HEURISTIC_EFFORT)


def _values(small: Small, plan: DesignPlan) -> Floats:
    values = np.zeros(len(small.form.cost))
    values[: len(small.arcs)] = plan.opened[small.arcs]
    at = len(small.arcs) + np.searchsorted(small.paths, plan.paths)
    values[at] = plan.shares
    return values


COMPACT_PAIRS = 15_000  # commodities times arcs up to which HiGHS on the compact statement proves more than our tree


def is_small(network: DesignNetwork) -> bool:
    """Whether the compact statement is small enough for HiGHS to do well on it."""
    return network.commodities * network.arcs <= COMPACT_PAIRS


def compact_form(network: DesignNetwork) -> StandardForm:
    """The compact statement as arrays."""
    return design_form(network, strong=False)


def search_compact(
    form: StandardForm, network: DesignNetwork, *, gap: float, seed: int, stop: Stop, callback: Callback,
    offer: Callable[[Bools], None], between: Callable[[], None], log: list[str],
) -> SolverResult:  # fmt: skip
    """What HiGHS finds by itself. The arcs of every better plan of its own go to `offer`; `between` is called now and
    then, may wait, and ends it by what it raises.
    """
    solver = Solver(form, threads=1, seed=seed, log=log, scaling=unscaled(form))
    solver.set("mip_rel_gap", gap)
    solver.exchange(offer=lambda values: offer(values[: network.arcs] > 0.5), between=between)
    return solver.run(stop, phase="branch and bound", callback=callback, known=UNKNOWN)


def improve_compact(
    form: StandardForm, network: DesignNetwork, free: Bools, opened: Bools, *, start: DesignPlan, stop: Stop, seed: int
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
    answer = solver.run(stop, phase="", callback=None, known=(float("nan"), float("nan")))
    opened_now = answer.values[: network.arcs] > 0.5 if answer.values is not None else None
    return opened_now, answer.status in ENDED


def _columns_of(plan: DesignPlan) -> Floats:
    """A plan as values of the columns of the compact statement."""
    return np.concatenate([plan.opened.astype(float), plan.flow_t().ravel()])
