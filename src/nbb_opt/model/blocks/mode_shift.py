r"""Change modes no faster than the instance says.

The rows leave out flows that are new in a period. A model whose flows are given leaves out the block.
"""

from __future__ import annotations


def limit_mode_shift(m, policy, commodity, mode, year):
    r"""$\sum_c x_{ct} \le \sum_c (q_{bt} / q_{b,t-1}) x_{c,t-1} + value\, \ell_{t-1} \sum_b q_{bt}$ per commodity and
    main mode, over flows with demand in both periods"""
    last = m.previous[year]
    now = sum(m.carried_t[*c, year] for c in m.chains_compared[commodity, mode, year])
    then = sum(
        m.demand_t[*c.flow, year] / m.demand_t[*c.flow, last] * m.carried_t[*c, last]
        for c in m.chains_before[commodity, mode, year]
    )
    demand_t = sum(m.demand_t[*flow, year] for flow in m.flows_compared[commodity, year])
    return now <= then + m.policy_value[policy] * m.length[last] * demand_t


def modes_compared(m):
    """Every commodity and main mode that something is carried by, for each rule in force."""
    for policy, year in m.policy_years["limit_mode_shift_share_per_year"]:
        for commodity, mode, compared in m.chains_compared:
            if compared == year:
                yield policy, commodity, mode, year
