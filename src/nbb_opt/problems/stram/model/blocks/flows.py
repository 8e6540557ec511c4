r"""Carry the demand on paths; on every arc some fuel moves what the paths bring there.

$n$ is a state (a year, and a scenario from stage 2 on), $k$ a path, $p$ a product, $a$ an arc, $f$ a fuel of its
mode. Arc and path flows may be apart by the tolerance $\epsilon$: the slack is a column between 0 and $2\epsilon$.
Fuels that are phased out in a year have no flow.
"""

from __future__ import annotations

import pyomo.environ as pyo


def declare(m) -> None:
    m.PATHS = pyo.Set(initialize=m.paths)
    m.carried_t = pyo.Var(
        m.STATES, m.PATHS, m.PRODUCTS, domain=pyo.NonNegativeReals, doc=r"$h_{nkp} \ge 0$, tonnes on path $k$ [t/year]"
    )
    m.moved_t = pyo.Var(
        m.STATES, m.ARC_FUELS, m.PRODUCTS, bounds=while_in_use,
        doc=r"$x_{nafp} \ge 0$, tonnes on arc $a$ by fuel $f$ [t/year]",
    )  # fmt: skip
    m.link_slack_t = pyo.Var(
        m.STATES, m.ARCS, m.PRODUCTS, bounds=(0, 2 * m.link_tolerance_t),
        doc=r"$0 \le \sigma_{nap} \le 2\epsilon$, slack of the link [t/year]",
    )  # fmt: skip
    m.DEMANDS = pyo.Set(initialize=[(s, y, o, d, p) for s, y in m.states for o, d, p, t in m.demand_t if t == y])
    m.serve_demand = pyo.Constraint(m.DEMANDS, rule=serve_demand)
    m.link_paths = pyo.Constraint(m.STATES, m.ARCS, m.PRODUCTS, rule=link_paths)
    m.loaded_co2 = pyo.Expression(m.STATES, rule=loaded_co2)
    m.time = pyo.Expression(m.STATES, rule=time)
    m.transfer = pyo.Expression(m.STATES, rule=transfer)
    m.transfer_time = pyo.Expression(m.STATES, rule=transfer_time)


def while_in_use(m, s, y, e, i, f, p):
    """From zero up until the fuel is phased out, zero from then on."""
    return 0, 0 if y >= m.phase_out_year.get((m.mode[e], f), y + 1) else None


def serve_demand(m, s, y, o, d, p):
    r"""$\sum_{k: o \to d} h_{nkp} \ge D_{odp,t(n)}$ $\forall n, o, d, p$ with demand"""
    return sum(m.carried_t[s, y, k, p] for k in m.paths_between[o, d]) >= m.demand_t[o, d, p, y]


def link_paths(m, s, y, e, i, p):
    r"""$\sum_f x_{nafp} - \sum_{k \ni a} h_{nkp} + \sigma_{nap} = \epsilon$ $\forall n,a,p$"""
    moved = sum(m.moved_t[s, y, e, i, f, p] for f in m.fuels_of[m.mode[e]])
    brought = sum(m.carried_t[s, y, k, p] for k in m.paths_over[e, i])
    return moved - brought + m.link_slack_t[s, y, e, i, p] == m.link_tolerance_t


def loaded_co2(m, s, y):
    r"""$\sum_{afp} c^{CO2}_{fp,t}\, \delta_a\, x_{nafp}$"""
    return on_tkm(m, m.co2_nok_per_tkm, s, y)


def on_tkm(m, per_tkm, s, y):
    r"""$\sum_{afp} c_{fp,t}\, \delta_a\, x_{nafp}$ at figures $c$ per tonne-km by mode, fuel, product and year"""
    return sum(
        per_tkm[m.mode[e], f, p, y] * m.km[e] * m.moved_t[s, y, e, i, f, p]
        for e, i, f in m.ARC_FUELS
        for p in m.products
    )


def time(m, s, y):
    r"""$\sum_{afp} \frac{\delta_a}{v_m} w_p\, x_{nafp}$"""
    return sum(
        m.km[e] / m.speed_km_per_h[m.mode[e]] * m.time_nok_per_t_h[p] * m.moved_t[s, y, e, i, f, p]
        for e, i, f in m.ARC_FUELS for p in m.products
    )  # fmt: skip


def transfer(m, s, y):
    r"""$\sum_{kp} C_{kp} h_{nkp}$, a transfer at each end not on the road included"""
    return sum(
        sum(m.transfer_nok_per_t[one, other, p] for one, other in m.transfers_on[k]) * m.carried_t[s, y, k, p]
        for k in m.paths for p in m.products
    )  # fmt: skip


def transfer_time(m, s, y):
    r"""$\sum_{kp} H_{kp} w_p h_{nkp}$"""
    return sum(
        sum(m.transfer_h[one, other, p] for one, other in m.transfers_on[k])
        * m.time_nok_per_t_h[p] * m.carried_t[s, y, k, p]
        for k in m.paths for p in m.products
    )  # fmt: skip
