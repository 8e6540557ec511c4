r"""Count tonne-km by fuel and keep the pace at which fuels spread, fleets are renewed and modes change.

Empties do not count. $M$ is a mode, $F_M$ its fuels, $n^-$ the state before, $\Delta = t(n) - t(n^-)$. Diffusion is
stated year by year by the source: $q_{y+1} \le q_y + p\,Q_{n^-} + q\,q_y$ in every year from $t_0$ on, else
$q_{y+1} \le q_y$. Nothing else binds the years between, so the tightest chain of them is the one row below with
$\kappa$ the number of years in $(t(n^-), t(n)]$ from $t_0$ on and $\gamma = (1 + q)^\kappa$.
"""

from __future__ import annotations

import pyomo.environ as pyo


def declare(m) -> None:
    m.SPREADING = pyo.Set(initialize=list(m.spread_start_year), dimen=2)
    m.worked_tkm = pyo.Var(
        m.STATES, m.FUELS, domain=pyo.NonNegativeReals, doc=r"$q_{nf} \ge 0$, loaded tonne-km [tkm/year]"
    )
    m.dropped_tkm = pyo.Var(
        m.LATER_STATES, m.FUELS, domain=pyo.NonNegativeReals,
        doc=r"$d_{nf} \ge 0$, decline since the state before, at least [tkm/year]",
    )  # fmt: skip
    m.mode_tkm = pyo.Expression(m.STATES, m.MODES, rule=mode_tkm)
    m.count_tkm = pyo.Constraint(m.STATES, m.FUELS, rule=count_tkm)
    m.limit_maturity = pyo.Constraint(m.STATES, m.SPREADING, rule=limit_maturity)
    m.limit_first_share = pyo.Constraint(m.FIRST_STATES, m.FUELS, rule=limit_first_share)
    m.start_spreading = pyo.Constraint(m.FIRST_STATES, m.SPREADING, rule=start_spreading)
    m.limit_spreading = pyo.Constraint(m.LATER_STATES, m.SPREADING, rule=limit_spreading)
    m.keep_first_mode = pyo.Constraint(m.FIRST_STATES, m.MODES, rule=keep_first_mode)
    m.slow_decline = pyo.Constraint(m.LATER_STATES, m.MODES, rule=slow_decline)
    m.slow_growth = pyo.Constraint(m.LATER_STATES, m.MODES, rule=slow_growth)
    m.count_drop = pyo.Constraint(m.LATER_STATES, m.FUELS, rule=count_drop)
    m.renew_fleet = pyo.Constraint(m.LATER_STATES, m.MODES, rule=renew_fleet)


def mode_tkm(m, s, y, mode):
    r"""$\sum_{f \in F_M} q_{nf}$"""
    return sum(m.worked_tkm[s, y, mode, f] for f in m.fuels_of[mode])


def count_tkm(m, s, y, mode, f):
    r"""$q_{nf} = \sum_{ap} \delta_a x_{nafp}$ $\forall n,f$"""
    return m.worked_tkm[s, y, mode, f] == sum(
        m.km[e] * m.moved_t[s, y, e, i, f, p] for e, i in m.arcs_of[mode] for p in m.products
    )


def limit_maturity(m, s, y, mode, f):
    r"""$q_{nf} \le \rho_{f,t} \sum_{g \in F_M} q_{ng}$ $\forall n$, spreading $f$"""
    return m.worked_tkm[s, y, mode, f] <= m.share_max[mode, f, y] * m.mode_tkm[s, y, mode]


def limit_first_share(m, s, y, mode, f):
    r"""$q_{nf} \le \rho^0_f \sum_{g \in F_M} q_{ng}$ $\forall f$, first year"""
    return m.worked_tkm[s, y, mode, f] <= m.first_share_max[mode, f] * m.mode_tkm[s, y, mode]


def start_spreading(m, s, y, mode, f):
    r"""$q_{nf} \le p_f \max(t - t_0, 0) \sum_{g \in F_M} q_{ng}$, spreading $f$, first year"""
    share = m.bass_p_per_year[mode, f] * max(y - m.spread_start_year[mode, f], 0)
    return m.worked_tkm[s, y, mode, f] <= share * m.mode_tkm[s, y, mode]


def limit_spreading(m, s, y, mode, f):
    r"""$q_{nf} \le \gamma\, q_{n^-f} + p_f \frac{\gamma - 1}{q_f} \sum_{g \in F_M} q_{n^-g}$
    $\forall n$, spreading $f$"""
    r, last = m.before[s, y]
    steps = sum(1 for t in range(last + 1, y + 1) if t >= m.spread_start_year[mode, f])
    gain = (1 + m.bass_q_per_year[mode, f]) ** steps
    invented = m.bass_p_per_year[mode, f] * (gain - 1) / m.bass_q_per_year[mode, f] * m.mode_tkm[r, last, mode]
    return m.worked_tkm[s, y, mode, f] <= gain * m.worked_tkm[r, last, mode, f] + invented


def keep_first_mode(m, s, y, mode):
    r"""$\sum_{f \in F_M} q_{nf} \ge \omega_M \sum_f q_{nf}$ $\forall M$, first year"""
    return m.mode_tkm[s, y, mode] >= m.first_share_min[mode] * sum(m.mode_tkm[s, y, other] for other in m.modes)


def slow_decline(m, s, y, mode):
    r"""$\sum_{f \in F_M} q_{nf} \ge (1 - r^-)^\Delta \sum_{f \in F_M} q_{n^-f}$ $\forall n,M$"""
    r, last = m.before[s, y]
    return m.mode_tkm[s, y, mode] >= (1 - m.mode_decline_max_per_year) ** (y - last) * m.mode_tkm[r, last, mode]


def slow_growth(m, s, y, mode):
    r"""$\sum_{f \in F_M} q_{nf} \le (1 + r^+)^\Delta \sum_{f \in F_M} q_{n^-f}$ $\forall n,M$"""
    r, last = m.before[s, y]
    return m.mode_tkm[s, y, mode] <= (1 + m.mode_growth_max_per_year) ** (y - last) * m.mode_tkm[r, last, mode]


def count_drop(m, s, y, mode, f):
    r"""$d_{nf} \ge q_{n^-f} - q_{nf}$ $\forall n,f$"""
    return m.dropped_tkm[s, y, mode, f] >= m.worked_tkm[*m.before[s, y], mode, f] - m.worked_tkm[s, y, mode, f]


def renew_fleet(m, s, y, mode):
    r"""$\sum_{f \in F_M} d_{nf} \le \frac{\Delta}{L_M} \sum_{f \in F_M} q_{n^-f}$ $\forall n,M$"""
    r, last = m.before[s, y]
    dropped = sum(m.dropped_tkm[s, y, mode, f] for f in m.fuels_of[mode])
    return dropped <= (y - last) / m.fleet_lifetime_years[mode] * m.mode_tkm[r, last, mode]
