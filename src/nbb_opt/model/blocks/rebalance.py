r"""Let as many trucks leave a region as arrive in it, loaded and empty together, for each truck and cargo type.

$e_{rr'vht}$ exists where lanes from other regions end in $r$ and lanes to other regions start in $r'$ that $v$ may
drive for $h$ in $t$, a road joins their hubs today and, with a battery, $r$ has a home charging area.
"""

from __future__ import annotations

from pyomo.environ import quicksum


def return_empties(m, region, truck, cargo_type, year):
    r"""$\sum_{g: r \to} z_{gvt} / \delta_g + \sum_{r'} e_{rr'vht} / \delta_{rr'}
    = \sum_{g: \to r} z_{gvt} / \delta_g + \sum_{r'} e_{r'rvht} / \delta_{r'r} \quad \forall r,v,h,t$,
    lanes between regions"""
    here = region, truck, cargo_type, year
    leave = quicksum(m.driven_vkm[*g, truck, year] / m.distance_km[g] for g in m.leaving[here])
    leave_empty = quicksum(m.empty_vkm[*trip, year] / m.trip_km[trip[:2]] for trip in m.trips_from[here])
    arrive = quicksum(m.driven_vkm[*g, truck, year] / m.distance_km[g] for g in m.arriving[here])
    arrive_empty = quicksum(m.empty_vkm[*trip, year] / m.trip_km[trip[:2]] for trip in m.trips_to[here])
    return leave + leave_empty == arrive + arrive_empty
