r"""Drive enough for the freight of every lane, and own enough trucks for the km and hours of every region.

$z_{gvt}$ exists where the lane is used in the period and the truck may drive it (it carries the goods, its range or
charging suffices, it can be had). Of a vintage bought in $t$, all are in service in $t$: $k_{rvtt} = b_{rvt}$ is
substituted, `kept` starts one period later. $b_{rvt}$ exists from `available_from` on, $k_{rvut}$ while
$y_t - u < L_v$; elsewhere they are zero.
"""

from __future__ import annotations

from pyomo.environ import quicksum

from nbb_opt.model.blocks import at, carrying, driving
from nbb_opt.model.blocks.emissions import energy_eur
from nbb_opt.model.data.base import WEEKS_PER_YEAR


def cover_work(m, start, end, cargo_type, n, year):
    r"""$\sum_v p_{gv} z_{gvt} \ge \delta_g \sum_{c \ni g} x_{ct} \quad \forall g,t$"""
    lane = start, end, cargo_type, n
    work = quicksum(m.load_t[*lane, v] * m.driven_vkm[*lane, v, year] for v in m.trucks_on[*lane, year])
    return work >= carrying(m, ((c, m.distance_km[lane] * times) for c, times in m.chains_on[*lane, year]), year)


def truck_km(m, region, truck, year):
    r"""$\sum_{g: r(g)=r} a_{vh} (1 + \kappa_{gv}) z_{gvt} + \sum_{r'h} a_{vh} e_{rr'vht}$, $a_{vh}$ is
    $annual\_km_v$ over that of the truck with cargo type $h$, 1 where `vehicle_loads` gives none"""
    lanes, trips = m.lanes_of[region, truck, year], m.trips_of[region, truck, year]
    loaded = quicksum(m.used_km_per_vkm[*g, truck] * m.driven_vkm[*g, truck, year] for g in lanes)
    return loaded + quicksum(m.trip_used_km[trip] * m.empty_vkm[*trip, year] for trip in trips)


def truck_h(m, region, truck, year):
    r"""$\sum_{g: r(g)=r} \eta_{gvt} z_{gvt} + \sum_{r'h} e_{rr'vht} \tau_{rr'} / \delta_{rr'}$"""
    lanes, trips = m.lanes_of[region, truck, year], m.trips_of[region, truck, year]
    loaded = quicksum(m.h_per_vkm[*g, truck, year] * m.driven_vkm[*g, truck, year] for g in lanes)
    return loaded + quicksum(m.trip_h_per_km[trip[:2]] * m.empty_vkm[*trip, year] for trip in trips)


def trucks_in_service(m, region, truck, year):
    r"""$b_{rvt} + \sum_u k_{rvut}$"""
    kept = sum(m.kept[region, truck, u, year] for u in m.vintages_of[region, truck, year])
    return at(m.bought, region, truck, year) + kept


def driver_h(m, country, year):
    r"""$\sum_{r \in n,\, v} truck\_h_{rvt}$"""
    return sum(m.truck_h[r, v, year] for r, v in m.work_in[country, year])


def cover_km(m, region, truck, year):
    r"""$truck\_km_{rvt} \le annual\_km_v (b_{rvt} + \sum_u k_{rvut}) \quad \forall r,v,t$"""
    return m.truck_km[region, truck, year] <= m.annual_km[truck] * m.trucks_in_service[region, truck, year]


def cover_hours(m, region, truck, year):
    r"""$truck\_h_{rvt} \le annual\_h_v (b_{rvt} + \sum_u k_{rvut}) \quad \forall r,v,t$"""
    return m.truck_h[region, truck, year] <= m.annual_h[truck] * m.trucks_in_service[region, truck, year]


def fit_opening_hours(m, region, truck, open_h, year):
    r"""$\sum_{g: r(g)=r,\, W_g \le W} \eta_{gvt} z_{gvt} \le 52\, W (b_{rvt} + \sum_u k_{rvut}) \quad \forall r,v,t$,
    weekly opening hours $W$ of a lane with $52\, W < annual\_h_v$; $W_g$ is the shorter of those at both ends"""
    lanes = m.lanes_open[region, truck, open_h, year]
    hours = quicksum(m.h_per_vkm[*g, truck, year] * m.driven_vkm[*g, truck, year] for g in lanes)
    return hours <= WEEKS_PER_YEAR * open_h * m.trucks_in_service[region, truck, year]


def trucks_before(m, region, truck, vintage, year):
    """$k_{rvu,t-1}$: what was bought or kept, or what `fleet` holds."""
    if year == m.years[0]:
        return m.owned[region, truck, vintage]
    last = m.previous[year]
    return m.bought[region, truck, last] if vintage == last else m.kept[region, truck, vintage, last]


def balance_stock(m, region, truck, vintage, year):
    r"""$k_{rvut} \le k_{rvu,t-1} \quad \forall r,v,u,t$; before stands what was bought or what `fleet` holds"""
    return m.kept[region, truck, vintage, year] <= trucks_before(m, region, truck, vintage, year)


def road_energy(m, year):
    r"""$\sum_{en} price_{ent}\, used\_kwh_{ment}$, $m$ the road"""
    return energy_eur(m, ("road",), year)


def road_running(m, year):
    r"""$\sum_{gv} (1 + \kappa_{gv})(running_{vt} + toll_g) z_{gvt}
    + \sum_{rr'vh} (running_{vt} + toll_{rr'}) e_{rr'vht}$"""
    loaded = (((g, v), m.road_running_eur_per_vkm[*g, v, year]) for g, v in m.drives_in[year])
    return driving(m, loaded, ((e, m.trip_running_eur_per_vkm[*e, year]) for e in m.trips_in[year]), year)


def drivers(m, year):
    r"""$\sum_n driver\_cost_{nt}\, driver\_h_{nt}$"""
    return sum(m.driver_cost_eur_per_h[n, year] * m.driver_h[n, year] for n in m.countries)


def fleet_fixed(m, year):
    r"""$\sum_{rv} fixed_{vt} (b_{rvt} + \sum_u k_{rvut})$"""
    return sum(m.truck_fixed_eur[v, year] * m.trucks_in_service[r, v, year] for r, v in m.fleets)


def fleet_purchase(m, year):
    r"""$\sum_{rv} capex_{vt} b_{rvt}$"""
    return sum(m.truck_capex_eur[v, year] * m.bought[r, v, year] for r, v in m.purchases_in[year])


def fleet_grant(m, year):
    r"""$-\sum_{rv} (grant_{rvt} + grant\_share_{rvt}\, capex_{vt}) b_{rvt}$"""
    bought = [(v, (v, m.country_of[r], year), m.bought[r, v, year]) for r, v in m.purchases_in[year]]
    capex = m.truck_capex_eur
    return -sum((m.grant_fixed_eur[of] + m.grant_share[of] * capex[v, year]) * number for v, of, number in bought)


def resale_eur(m, truck, vintage, year):
    r"""$resale\_share_v\, capex_{v,\max(u, y_1)} \max(0, (L_v - (y_t - u)) / L_v)$"""
    left = max(0.0, (m.truck_lifetime[truck] - (year - vintage)) / m.truck_lifetime[truck])
    return m.resale_share[truck] * left * m.truck_capex_eur[truck, max(vintage, m.years[0])]


def fleet_resale(m, year):
    r"""$-\sum_{rvu} resale_{vut} (k_{rvu,t-1} - k_{rvut})$; at the horizon all are sold, $k_{rvuH} = 0$"""
    sold = ((v, u, trucks_before(m, r, v, u, year) - at(m.kept, r, v, u, year)) for r, v, u in m.sold_in[year])
    return -sum(resale_eur(m, v, u, year) * number for v, u, number in sold)
