r"""Change modes no faster than the instance says.

The rows leave out flows that are new in a period. A model whose flows are given leaves out the block.
"""

from __future__ import annotations

from pyomo.environ import quicksum

from nbb_opt.model.blocks import carrying


def limit_mode_shift(m, policy, commodity, mode, year):
    r"""$\sum_c x_{ct} \le \sum_c (q_{bt} / q_{b,t-1}) x_{c,t-1} + value\, \ell_{t-1} \sum_b q_{bt}$ per commodity and
    main mode, over flows with demand in both periods"""
    last = m.previous[year]
    now = quicksum(m.carried_t[*c, year] for c in m.chains_compared[commodity, mode, year])
    grown = ((c, m.demand_t[*c.flow, year] / m.demand_t[*c.flow, last]) for c in m.chains_before[commodity, mode, year])
    demand_t = sum(m.demand_t[*flow, year] for flow in m.flows_compared[commodity, year])
    return now <= carrying(m, grown, last) + m.policy_value[policy] * m.length[last] * demand_t
