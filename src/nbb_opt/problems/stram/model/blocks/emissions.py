r"""Count emissions, keep those of the first year, and pay for what is above the cap.

$E^0$ is what the first year emits when it is planned alone; where more than that year is planned its emissions stay
within the band $\beta$ of it. The cap of a later year is a share of what the first year $n_0$ of the plan emits;
without a cap there is no excess.
"""

from __future__ import annotations

import pyomo.environ as pyo

from nbb_opt.problems.stram.model.blocks.empties import on_empty_tkm
from nbb_opt.problems.stram.model.blocks.flows import on_tkm

T_PER_G = 1e-6


def declare(m) -> None:
    m.CAPPED_STATES = pyo.Set(initialize=[(s, y) for s, y in m.LATER_STATES if y in m.cap_share], dimen=2)
    m.emitted_t = pyo.Var(
        m.STATES, domain=pyo.NonNegativeReals, doc=r"$E_n \ge 0$, CO2 of loaded and empty vehicles [t/year]"
    )
    m.excess_t = pyo.Var(
        m.CAPPED_STATES, domain=pyo.NonNegativeReals, doc=r"$z_n \ge 0$, emissions above the cap [t/year]"
    )
    m.count_emissions = pyo.Constraint(m.STATES, rule=count_emissions)
    if m.spec.years == "all":
        m.keep_first_low = pyo.Constraint(m.FIRST_STATES, rule=keep_first_low)
        m.keep_first_high = pyo.Constraint(m.FIRST_STATES, rule=keep_first_high)
    m.cap_emissions = pyo.Constraint(m.CAPPED_STATES, rule=cap_emissions)
    m.excess = pyo.Expression(m.STATES, rule=excess)


def count_emissions(m, s, y):
    r"""$E_n = \sum_{afp} e_{fp,t} \delta_a x_{nafp} + \phi \sum_{afv} e_{f\pi(f,v),t} \delta_a b_{nafv}$ $\forall n$"""
    emitted_g = on_tkm(m, m.g_co2_per_tkm, s, y) + on_empty_tkm(m, m.g_co2_per_tkm, s, y)
    return m.emitted_t[s, y] == T_PER_G * emitted_g


def keep_first_low(m, s, y):
    r"""$E_{n_0} \ge (1 - \beta) E^0$, first year"""
    return m.emitted_t[s, y] >= (1 - m.first_emission_band_share) * m.first_emissions_t


def keep_first_high(m, s, y):
    r"""$E_{n_0} \le (1 + \beta) E^0$, first year"""
    return m.emitted_t[s, y] <= (1 + m.first_emission_band_share) * m.first_emissions_t


def cap_emissions(m, s, y):
    r"""$E_n \le s_t E_{n_0} + z_n$ $\forall n$ with a cap"""
    return m.emitted_t[s, y] <= m.cap_share[y] * m.emitted_t[m.way[s, y][-1]] + m.excess_t[s, y]


def excess(m, s, y):
    r"""$C^z z_n$"""
    return m.excess_nok_per_t_co2 * m.excess_t[s, y] if (s, y) in m.excess_t else 0.0
