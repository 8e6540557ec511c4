r"""Obey caps, bans, budgets and driver hours.

A rule holds in the period that contains its year (a ban: in every period that starts in or after it), or in every
period. Emissions are WTW. $n$ is the country of the rule; without one it holds for all countries together.
"""

from __future__ import annotations

from pyomo.environ import quicksum

from nbb_opt.instance.schema import ZERO_EMISSION
from nbb_opt.model.blocks import if_any
from nbb_opt.model.blocks.emissions import KG_PER_T
from nbb_opt.model.blocks.projects import newly_built


def cap_emissions(m, policy, year):
    r"""$\sum_n (ttw_{nt} + wtt_{nt}) \le 1000\, value$ [kg]"""
    emitted_kg = sum(m.emissions_ttw_kg[n, year] + m.emissions_wtt_kg[n, year] for n in m.policy_countries[policy])
    return emitted_kg <= KG_PER_T * m.policy_value[policy]


def loaded_vkm(m, country, technology, year):
    r"""$\sum_{g,\, v \in tech} z_{gvt}$ of lanes based in $n$"""
    work = [(r, v) for r, v in m.work_in[country, year] if m.technology[v] == technology]
    return quicksum(m.driven_vkm[*g, v, year] for r, v in work for g in m.lanes_of[r, v, year])


def new_trucks(m, country, technology, year):
    r"""$\sum_{r \in n,\, v \in tech} b_{rvt}$"""
    bought = [(r, v) for r, v in m.purchases_in[year] if (m.country_of[r], m.technology[v]) == (country, technology)]
    return sum(m.bought[r, v, year] for r, v in bought)


def _of(m, amount, technologies, policy, year):
    return sum(amount[n, k, year] for n in m.policy_countries[policy] for k in technologies)


def cap_technology(m, policy, year):
    r"""$\sum_n loaded\_vkm_{n,tech,t} \le value \sum_n \sum_{tech'} loaded\_vkm_{n,tech',t}$"""
    driven = _of(m, m.loaded_vkm, m.technologies, policy, year)
    return _of(m, m.loaded_vkm, [m.policy_technology[policy]], policy, year) <= m.policy_value[policy] * driven


def ban_purchase(m, policy, year):
    r"""$\sum_n new\_trucks_{n,tech,t} \le 0$"""
    return _of(m, m.new_trucks, [m.policy_technology[policy]], policy, year) <= 0


def require_zero_emission(m, policy, year):
    r"""$\sum_{n,\, tech\ \text{zero-emission}} new\_trucks_{n,tech,t} \ge value
    \sum_{n,\, tech} new\_trucks_{n,tech,t}$"""
    clean = [k for k in m.technologies if k in ZERO_EMISSION]
    bought = _of(m, m.new_trucks, m.technologies, policy, year)
    return _of(m, m.new_trucks, clean, policy, year) >= m.policy_value[policy] * bought


def spend_within_budget(m, policy, year):
    r"""$\sum_a share_{an}\, capex_a \Delta w_{at} \le value$ over $a$ that are ideas: no other money is public"""
    share, capex = m.funding_share, m.project_capex_eur
    spent = sum(share[a, m.policy_country[policy]] * capex[a] * newly_built(m, a, year) for a in m.ideas)
    return if_any(spent <= m.policy_value[policy])


def respect_driver_hours(m, country, year):
    r"""$driver\_h_{nt} \le driver\_limit\_h_{nt} \quad \forall n,t$ with a limit"""
    return m.driver_h[country, year] <= m.driver_limit_h[country, year]
