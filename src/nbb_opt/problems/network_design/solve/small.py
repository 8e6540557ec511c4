"""The mixed-integer problem over known paths when only some arcs are free: small enough to be solved many times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nbb_opt.model.arrays.keys import Labels
from nbb_opt.model.form import StandardForm
from nbb_opt.problems.network_design.solve.relaxation import Relaxation
from nbb_opt.problems.network_design.solve.routing import Plan
from nbb_opt.solve.highs import Solver
from nbb_opt.solve.stop import Stop

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


def small_problem(relaxation: Relaxation, free: Bools, opened: Bools) -> Small:
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
    nothing = Labels(lambda: [], 0)
    form = StandardForm(
        np.concatenate([n.fixed_eur[chosen], cost]), float(n.fixed_eur[opened & ~free].sum()),
        np.searchsorted(col[order], np.arange(size + 1)).astype(np.int32), row[order].astype(np.int32), value[order],
        low, up, np.zeros(size), np.where(whole, 1.0, np.inf), whole, nothing, nothing, np.ones(size),
        np.where(whole, 0, -1),
    )  # fmt: skip
    return Small(form, chosen, paths)


def improve_paths(
    relaxation: Relaxation, free: Bools, opened: Bools, *, start: Plan, stop: Stop, seed: int
) -> tuple[Bools | None, bool]:
    """Arcs of the best plan found when only `free` arcs may change, and whether that was solved to its end."""
    small = small_problem(relaxation, free, opened)
    solver = Solver(small.form, threads=1, seed=seed, log=[])
    hurry(solver)
    solver.start_from(_values(small, start))
    answer = solver.run(stop, phase="", listen=None, known=(float("nan"), float("nan")))
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


def _values(small: Small, plan: Plan) -> Floats:
    values = np.zeros(len(small.form.cost))
    values[: len(small.arcs)] = plan.opened[small.arcs]
    at = len(small.arcs) + np.searchsorted(small.paths, plan.paths)
    values[at] = plan.shares
    return values
