"""How trucks come back."""

from __future__ import annotations

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.arrays.share import share_costs, share_driver_hours, share_ledger, share_truck_work
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.model_data import ModelData


def add_rebalance(a: Assembly, data: ModelData) -> None:
    r"""Let as many trucks leave a region as arrive in it, loaded and empty together, for each truck and cargo type.

    $e_{rr'vht}$ exists where lanes from other regions end in $r$ and lanes to other regions start in $r'$ that $v$ may
    drive for $h$ in $t$, a road joins their hubs today and, with a battery, $r$ has a home charging area.

    Variables
        empty_vkm   $e_{rr'vht} \ge 0$   empty vkm from region $r$ to $r'$   [vkm/year]

    Constraints
        return_empties   $\sum_{g: r \to} z_{gvt} / \delta_g + \sum_{r'} e_{rr'vht} / \delta_{rr'}
            = \sum_{g: \to r} z_{gvt} / \delta_g + \sum_{r'} e_{r'rvht} / \delta_{r'r}$   $\forall r,v,h,t$,
            lanes between regions

    Contributes
        cost_eur           $\sum (running_{vt} + toll_{rr'} + energy_{rvt} + carbon_{rvt}
            + driver\_cost_{nt}\, \tau_{rr'} / \delta_{rr'})\, e_{rr'vht}$
        emissions_ttw_kg   $\sum ttw_{rvnt} e_{rr'vht}$
        emissions_wtt_kg   $\sum wtt_{rvnt} e_{rr'vht}$
        energy_kwh         $\sum E^0_{rvt} e_{rr'vht}$ drawn in the home charging area of $r$
        driver_h           $\sum e_{rr'vht} \tau_{rr'} / \delta_{rr'}$ in the country of $r$
    """
    e, d, time, base = data.empties, data.driving, data.time, data.base
    names = data.trucks.names
    regions, cargo_types = base.regions, base.cargo_types
    index = Keys(
        (regions, e.origin), (regions, e.destination), (names, e.vehicle), (cargo_types, e.cargo_type), time.years[e.t]
    )
    typical = a.kinds["driven_vkm"].typical if len(d.lane) else 1.0
    column = a.add_variables("empty_vkm", index, typical=typical)
    leaves, arrives = np.flatnonzero(d.leaves_per_vkm), np.flatnonzero(d.arrives_per_vkm)
    driven = a.start["driven_vkm"]

    def code(region: np.ndarray, vehicle: np.ndarray, cargo_type: np.ndarray, t: np.ndarray) -> np.ndarray:
        return ((region * len(names) + vehicle) * len(base.cargo_types) + cargo_type) * time.size + t

    leaving = code(d.region[leaves], d.vehicle[leaves], d.cargo_type[leaves], d.t[leaves])
    arriving = code(d.arrival[arrives], d.vehicle[arrives], d.cargo_type[arrives], d.t[arrives])
    gone, come = code(e.origin, e.vehicle, e.cargo_type, e.t), code(e.destination, e.vehicle, e.cargo_type, e.t)
    place = np.unique(np.concatenate([leaving, arriving]))
    terms = Terms(len(place))
    terms.add(np.searchsorted(place, leaving), driven + leaves, d.leaves_per_vkm[leaves])
    terms.add(np.searchsorted(place, arriving), driven + arrives, -d.arrives_per_vkm[arrives])
    terms.add(np.searchsorted(place, gone), column, e.trips_per_vkm)
    terms.add(np.searchsorted(place, come), column, -e.trips_per_vkm)
    pair, t = np.divmod(place, time.size)
    pair, h = np.divmod(pair, len(cargo_types))
    r, v = np.divmod(pair, len(names))
    where = Keys((regions, r), (names, v), (cargo_types, h), time.years[t])
    a.add_rows("return_empties", where, terms, sense="==")
    share_costs(a, data, column=column, t=e.t, cost_eur=e.cost_eur)
    share_ledger(a, data, e.ledger, column)
    share_driver_hours(a, data, region=e.origin, t=e.t, column=column, hours_per_vkm=e.hours_per_vkm)
    km = np.ones(len(column))
    share_truck_work(a, data, region=e.origin, vehicle=e.vehicle, t=e.t, column=column, km=km, hours=e.hours_per_vkm)
