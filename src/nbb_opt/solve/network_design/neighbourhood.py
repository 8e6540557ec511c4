"""Improving a plan: some arcs are free, all others stay as they are; the small mixed-integer problem over paths."""

from __future__ import annotations

import highspy
import numpy as np
import numpy.typing as npt

from nbb_opt.network_design.network import Network
from nbb_opt.solve.network_design.flows import Plan
from nbb_opt.solve.network_design.master import Master, Pool

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def restricted(master: Master, free: Bools, opened: Bools, start: Plan | None, *, seconds: float, seed: int, stop=None):
    """Best set of open arcs; `free` arcs may be open or not, `opened` arcs (not free) are open, all others are not.

    Gives (open arcs or None, whether the small problem was solved to its end).
    """
    n, pool = master.network, master.pool
    m, k = n.arcs, n.commodities
    allowed = free | opened
    used = np.array([j for j, p in enumerate(pool.paths) if allowed[p].all()], np.int64)
    arcs = np.flatnonzero(allowed)
    choice = np.flatnonzero(free)
    many = len(choice)
    col = np.full(m, -1)
    col[choice] = np.arange(many)
    cap_row = np.full(m, -1)
    cap_row[arcs] = k + np.arange(len(arcs))
    lens = np.array([len(pool.paths[j]) for j in used])
    com = np.array([pool.commodity[j] for j in used])
    arc_of = np.concatenate([pool.paths[j] for j in used])
    col_of = many + np.repeat(np.arange(len(used)), lens)
    pair = np.repeat(com, lens) * m + arc_of
    strong = (master.row_of[pair] >= 0) & free[arc_of]
    pairs, strong_row = np.unique(pair[strong], return_inverse=True)
    base = k + len(arcs)
    demand_of = n.demand_t[np.repeat(com, lens)]
    rows = [com, cap_row[arc_of], base + strong_row, cap_row[choice], base + np.arange(len(pairs))]
    cols = [many + np.arange(len(used)), col_of, col_of[strong], np.arange(many), col[pairs % m]]
    vals = [np.ones(len(used)), demand_of, np.ones(int(strong.sum())), -master.limit[choice], -master.unit.ravel()[pairs]]
    row, column, value = (np.concatenate(x) for x in (rows, cols, vals))
    order = np.lexsort((row, column))
    columns = many + len(used)
    ptr = np.searchsorted(column[order], np.arange(columns + 1)).astype(np.int32)
    cost = np.r_[n.fixed_eur[choice], n.demand_t[com] * np.add.reduceat(n.cost_eur_per_t[arc_of], np.r_[0, np.cumsum(lens)[:-1]])]
    up_cap = np.where(free[arcs], 0.0, n.capacity_t[arcs])
    total = base + len(pairs)
    low = np.r_[np.ones(k), np.full(total - k, -np.inf)]
    up = np.r_[np.ones(k), up_cap, np.zeros(len(pairs))]
    h = highspy.Highs()
    for o, v in (("output_flag", False), ("threads", 1), ("time_limit", seconds), ("random_seed", seed), ("mip_rel_gap", 1e-5), ("mip_heuristic_effort", 0.1)):
        h.setOptionValue(o, v)
    kinds = np.r_[np.ones(many, np.int32), np.zeros(len(used), np.int32)]
    offset = float(n.fixed_eur[opened & ~free].sum())
    h.passModel(columns, total, len(value), 1, 1, offset, cost, np.zeros(columns), np.r_[np.ones(many), np.full(len(used), np.inf)],
                low, up, ptr[:-1], row[order].astype(np.int32), value[order], kinds)
    if start is not None:
        x = np.zeros(columns)
        x[:many] = start.opened[choice]
        where = {int(j): i for i, j in enumerate(used)}
        for j, q in zip(start.path, start.share):
            if int(j) in where:
                x[many + where[int(j)]] = q
        s = highspy.HighsSolution()
        s.col_value = x.tolist()
        h.setSolution(s)
    h.run()
    info = h.getInfo()
    if info.primal_solution_status != 2:
        return None, h.getModelStatus() == highspy.HighsModelStatus.kInfeasible, np.inf
    x = np.asarray(h.getSolution().col_value)
    on = opened & ~free
    on[choice] = x[:many] > 0.5
    return on, h.getModelStatus() == highspy.HighsModelStatus.kOptimal, info.objective_function_value
