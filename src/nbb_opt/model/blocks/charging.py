r"""Install chargers for the energy drawn in each area, within its grid connection, or buy at others' points.

Variables exist in areas where a truck may draw energy, from `available_from` on. $s_{jt}$ exists where others sell
energy, up to what they sell.
"""

from __future__ import annotations

from nbb_opt.model.blocks import at, driving, if_any
from nbb_opt.model.blocks.projects import added

KW_PER_MW = 1000.0


def energy_kwh(m, area, year):
    r"""$\sum_{gv} \phi_{gvj} (E_{gvt} + \kappa_{gv} E^0_{gvt}) z_{gvt} + \sum_{r'vh} E^0_{rvt} e_{rr'vht}$ drawn in
    area $j$"""
    return driving(m, m.truck_kwh[area, year], m.trip_kwh[area, year], year)


def serving(m, area, charger, year):
    r"""$m_{jkt} = \sum_{u \le t,\, y_t - y_u < L_k} i_{jku}$"""
    ages = [u for u in m.years if 0 <= year - u < m.charger_lifetime[charger]]
    return sum(m.installed[area, charger, u] for u in ages if (area, charger, u) in m.installed)


def deliver_energy(m, area, year):
    r"""$energy\_kwh_{jt} \le \sum_k 8760\, kw_k\, utilisation_k\, m_{jkt} + s_{jt} \quad \forall j,t$"""
    delivered = sum(m.charger_kwh[k] * m.serving[area, k, year] for k in m.chargers)
    return m.energy_kwh[area, year] <= delivered + at(m.public_kwh, area, year)


def deliver_on_the_way(m, area, year, kw):
    r"""$\sum_{v:\, charge\_kw_v \ge P} way\_kwh_{vjt} \le \sum_{k:\, kw_k \ge P} 8760\, kw_k\, utilisation_k\, m_{jkt}
    + [kw_{jt} \ge P]\, s_{jt} \quad \forall j,t$, charging power $P$ of a truck"""
    drawn = driving(m, ((by, kwh) for by, kwh in m.way_kwh[area, year] if m.charge_kw[by[1]] >= kw), (), year)
    delivered = sum(m.charger_kwh[k] * m.serving[area, k, year] for k in m.chargers if m.charger_kw[k] >= kw)
    strong = m.public_kw.get((area, year), 0.0) >= kw
    return if_any(drawn <= delivered + (at(m.public_kwh, area, year) if strong else 0))


def respect_grid(m, area, year):
    r"""$\sum_k kw_k m_{jkt} \le 1000 (grid\_mw_j + \sum_a adds_{aj} w_{at}) \quad \forall j,t$"""
    power_kw = sum(m.charger_kw[k] * m.serving[area, k, year] for k in m.chargers)
    return power_kw <= KW_PER_MW * (m.grid_mw[area] + added(m, m.added_to_area[area], year))


def public_charging(m, year):
    r"""$\sum_j add_{jt} s_{jt}$"""
    return sum(m.public_add_eur[j, u] * m.public_kwh[j, u] for j, u in m.public_kwh if u == year)


def charger_fixed(m, year):
    r"""$\sum_{jk} fixed_k m_{jkt}$"""
    return sum(m.charger_fixed_eur[k] * m.serving[j, k, year] for j in m.areas for k in m.chargers)


def charger_purchase(m, year):
    r"""$\sum_{jk} capex_k i_{jkt}$"""
    return sum(m.charger_capex_eur[k] * m.installed[j, k, u] for j, k, u in m.installed if u == year)


def charger_residual(m, year):
    r"""$-\sum_{jkt} left_{kt}\, capex_k i_{jkt}$ at the horizon, $left_{kt} = (1 - (1+\rho)^{-(L_k - y_H + y_t)}) /
    (1 - (1+\rho)^{-L_k})$ or 0: annuities of the years left over those of all"""
    made = m.installed if year == m.horizon else ()
    return -sum(m.charger_value_left[k, u] * m.charger_capex_eur[k] * m.installed[j, k, u] for j, k, u in made)
