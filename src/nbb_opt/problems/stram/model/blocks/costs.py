r"""Sum what a state costs; minimise the sum, or mean and conditional value at risk of what stage 2 costs.

With one scenario the objective is $\sum_n (D_t\, yearly_n + d_t\, once_n)$. With several, the shared states count fully
and $Y_s$, the same sum over the states of scenario $s$, as $(1 - \lambda) \sum_s \pi_s Y_s + \lambda (u +
\frac{1}{1 - \alpha} \sum_s \pi_s z_s)$. Where unit costs of a shared state differ between scenarios, its loaded and its
empty opex are each the largest of all scenarios (`first_stage_cost = "worst"`; `bear_worst`) or the mean.
"""

from __future__ import annotations

import pyomo.environ as pyo

from nbb_opt.problems.stram.model.blocks.empties import on_empty_tkm
from nbb_opt.problems.stram.model.blocks.flows import on_tkm


def declare(m) -> None:
    worst = m.spec.first_stage_cost == "worst"
    m.WORST = pyo.Set(
        initialize=[
            (y, opex) for s, y in m.states for opex in OPEX if worst and not s and len(distinct_nok(m, opex, y)) > 1
        ], dimen=2,
    )  # fmt: skip
    m.SCENARIOS = pyo.Set(initialize=m.scenarios)
    m.worst_opex_nok = pyo.Var(
        m.WORST, domain=pyo.NonNegativeReals,
        doc=r"$o_{nj} \ge 0$, loaded or empty opex of a shared state, $j \in$ {loaded, empty} [NOK/year]",
    )  # fmt: skip
    m.bear_worst = pyo.Constraint(m.WORST, m.SCENARIOS, rule=bear_worst)
    m.loaded_opex = pyo.Expression(m.STATES, rule=loaded_opex)
    m.empty_opex = pyo.Expression(m.STATES, rule=empty_opex)
    m.discounted_nok = pyo.Expression(m.STATES, rule=discounted_nok)
    if m.scenarios:
        m.future_nok = pyo.Var(
            m.SCENARIOS, domain=pyo.NonNegativeReals,
            doc=r"$Y_s \ge 0$, what scenario $s$ costs in stage 2, discounted [NOK]",
        )  # fmt: skip
        m.risk_nok = pyo.Var(domain=pyo.NonNegativeReals, doc=r"$u \ge 0$, value at risk [NOK]")
        m.above_nok = pyo.Var(
            m.SCENARIOS, domain=pyo.NonNegativeReals, doc=r"$z_s \ge 0$, what scenario $s$ costs above it [NOK]"
        )
        m.count_future = pyo.Constraint(m.SCENARIOS, rule=count_future)
        m.measure_tail = pyo.Constraint(m.SCENARIOS, rule=measure_tail)
    m.cost_nok = pyo.Expression(rule=cost_nok)
    m.minimise_cost = pyo.Objective(expr=m.cost_nok)


def loaded_nok(m, r, s, y):
    r"""$\sum_{afp} c_{fp,r}\, \delta_a\, x_{nafp}$ at the unit costs of scenario $r$"""
    return on_tkm(m, m.nok_per_tkm[r], s, y)


def empty_nok(m, r, s, y):
    r"""$\phi \sum_{afv} c_{f\pi(f,v),r}\, \delta_a\, b_{nafv}$ at the unit costs of scenario $r$"""
    return on_empty_tkm(m, m.nok_per_tkm[r], s, y)


OPEX = {"loaded_opex": loaded_nok, "empty_opex": empty_nok}


def distinct_nok(m, opex, y):
    """The sets of unit costs that scenarios have for an opex in a year; one set where they do not differ."""
    used = [
        (m.mode[e], f, p if opex == "loaded_opex" else m.like_product[m.mode[e], f, p, y], y)
        for e, _, f in m.ARC_FUELS
        for p in (m.products if opex == "loaded_opex" else m.vehicles_of[m.mode[e]])
    ]
    return {tuple(m.nok_per_tkm[r][key] for key in used) for r in m.priced_in[""]}


def opex_nok(m, opex, s, y):
    """What an opex of a state costs: in its scenario, or of a shared state the worst or the mean of all."""
    if (y, opex) in m.WORST and not s:
        return m.worst_opex_nok[y, opex]
    if s or len(distinct_nok(m, opex, y)) == 1:
        return OPEX[opex](m, m.priced_in[s][0], s, y)
    return sum(m.chance[r] * OPEX[opex](m, r, s, y) for r in m.priced_in[s])


def loaded_opex(m, s, y):
    r"""$\sum_{afp} c_{fp,n}\, \delta_a\, x_{nafp}$, of a shared state $o_{nj}$ or the mean"""
    return opex_nok(m, "loaded_opex", s, y)


def empty_opex(m, s, y):
    r"""$\phi \sum_{afv} c_{f\pi(f,v),n}\, \delta_a\, b_{nafv}$, of a shared state $o_{nj}$ or the mean"""
    return opex_nok(m, "empty_opex", s, y)


def bear_worst(m, y, opex, r):
    r"""$o_{nj} \ge \sum c_{r}\, \delta\, (x, b)_n$ $\forall r,j$, shared $n$ with costs that differ"""
    return m.worst_opex_nok[y, opex] >= OPEX[opex](m, r, "", y)


def discounted_nok(m, s, y):
    r"""$D_t\, yearly_n + d_t\, once_n$: opex, CO2 fees, time, transfers, charging and excess; investments"""
    yearly = (
        m.loaded_opex[s, y] + m.loaded_co2[s, y] + m.empty_opex[s, y] + m.empty_co2[s, y] + m.time[s, y]
        + m.transfer[s, y] + m.transfer_time[s, y] + m.charging[s, y] + m.excess[s, y]
    )  # fmt: skip
    once = m.edges_nok[s, y] + m.upgrades_nok[s, y] + m.terminals_nok[s, y]
    return m.yearly_factor[y] * yearly + m.investment_factor[y] * once


def count_future(m, s):
    r"""$Y_s = \sum_{n \in s} (D_t\, yearly_n + d_t\, once_n)$ $\forall s$"""
    return m.future_nok[s] == sum(m.discounted_nok[r, y] for r, y in m.states if r == s)


def measure_tail(m, s):
    r"""$z_s \ge Y_s - u$ $\forall s$"""
    return m.above_nok[s] >= m.future_nok[s] - m.risk_nok


def cost_nok(m):
    r"""the shared states, and mean and conditional value at risk of the others (the objective)"""
    shared = sum(m.discounted_nok[s, y] for s, y in m.states if not s)
    if not m.scenarios:
        return shared
    mean = sum(m.chance[s] * m.future_nok[s] for s in m.scenarios)
    tail = m.risk_nok + sum(m.chance[s] * m.above_nok[s] for s in m.scenarios) / (1 - m.cvar_level)
    return shared + (1 - m.cvar_weight) * mean + m.cvar_weight * tail
