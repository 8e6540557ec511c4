"""What drives the lanes: work, the trucks that do it, and how they come back."""

from __future__ import annotations

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.arrays.share import share_costs, share_driver_hours, share_ledger, share_truck_work
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.base import WEEKS_PER_YEAR, lane_parts
from nbb_opt.model.data.costs import shared_name
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Ints
from nbb_opt.model.data.stock import resale_eur


def add_driving(a: Assembly, data: ModelData) -> None:
    r"""Drive enough loaded km on every lane for the freight of the chains that use it.

    A variable exists where the lane is used in the period and the truck may drive it
    (it carries the goods, its range or charging suffices, it can be had).

    Variables
        driven_vkm   $z_{gvt} \ge 0$   loaded vkm of truck $v$ on lane $g$   [vkm/year]

    Constraints
        cover_work   $\sum_v p_{gv} z_{gvt} \ge \delta_g \sum_{c \ni g} x_{ct}$   $\forall g,t$

    Contributes
        cost_eur           $\sum_{gv} ((1 + \kappa_{gv})(running_{vt} + toll_g) + energy_{gvt} + carbon_{gvt}
            + \eta_{gvt}\, driver\_cost_{nt})\, z_{gvt}$
        emissions_ttw_kg   $\sum_{gv} ttw_{gvnt} z_{gvt}$
        emissions_wtt_kg   $\sum_{gv} wtt_{gvnt} z_{gvt}$
        energy_kwh         $\sum_{gv} \phi_{gvj} (E_{gvt} + \kappa_{gv} E^0_{gvt}) z_{gvt}$ drawn in charging area $j$
        driver_h           $\sum_{gv} \eta_{gvt} z_{gvt}$ in the country of $r(g)$
    """
    d, flows, time = data.driving, data.flows, data.time
    lanes = (d.lane,) if flows.segments else lane_parts(data.prepared, data.base, d.lane)
    index = Keys(*lanes, (data.trucks.names, d.vehicle), time.years[d.t])
    typical = flows.usual_t * d.usual_vkm_per_t
    column = a.add_variables("driven_vkm", index, typical=typical)
    if not flows.segments:  # what drives every lane is decided with the chains that use it
        col, lane, times = flows.uses_lane
        code, row = np.unique(lane * time.size + flows.t[col], return_inverse=True)
        terms = Terms(len(code)).add(row, a.start["carried_t"] + col, -data.lanes.distance_km[lane] * times)
        terms.add(np.searchsorted(code, d.lane * time.size + d.t), column, d.load_t)
        where = Keys(*lane_parts(data.prepared, data.base, code // time.size), time.years[code % time.size])
        a.add_rows("cover_work", where, terms, sense=">=")
    share_costs(a, data, column=column, t=d.t, cost_eur=d.cost_eur)
    share_ledger(a, data, d.ledger, column)
    share_driver_hours(a, data, region=d.region, t=d.t, column=column, hours_per_vkm=d.hours_per_vkm)
    share_truck_work(
        a, data, region=d.region, vehicle=d.vehicle, t=d.t, column=column, km=d.used_km_per_vkm, hours=d.hours_per_vkm
    )  # fmt: skip


def add_fleet(a: Assembly, data: ModelData) -> None:
    r"""Own enough trucks for the km and hours of every region; buy, keep by vintage, sell early.

    Of a vintage bought in $t$, all are in service in $t$: $k_{rvtt} = b_{rvt}$ is substituted, `kept` starts one period
    later. $b_{rvt}$ exists from `available_from` on, $k_{rvut}$ while $y_t - u < L_v$; elsewhere they are zero.

    Variables
        bought   $b_{rvt} \ge 0$ integer   trucks bought for region $r$   [vehicles]
        kept     $k_{rvut} \ge 0$ integer   trucks of vintage $u$ in service, bought in an earlier period   [vehicles]

    Constraints
        cover_km        $\sum_{g: r(g)=r} a_{vh} (1 + \kappa_{gv}) z_{gvt} + \sum_{r'h} a_{vh} e_{rr'vht} \le
            annual\_km_v (b_{rvt} + \sum_u k_{rvut})$   $\forall r,v,t$; $a_{vh}$ is $annual\_km_v$ over that of the
            truck with cargo type $h$, 1 where `vehicle_loads` gives none
        cover_hours     $\sum_{g: r(g)=r} \eta_{gvt} z_{gvt} + \sum_{r'h} e_{rr'vht} \tau_{rr'} / \delta_{rr'} \le
            annual\_h_v (b_{rvt} + \sum_u k_{rvut})$   $\forall r,v,t$
        fit_opening_hours   $\sum_{g: r(g)=r,\, W_g \le W} \eta_{gvt} z_{gvt} \le 52\, W (b_{rvt} + \sum_u k_{rvut})$
            $\forall r,v,t$, weekly opening hours $W$ of a lane with $52\, W < annual\_h_v$
        balance_stock   $k_{rvut} \le k_{rvu,t-1}$   $\forall r,v,u,t$; before stands what was bought or
            what `fleet` holds

    Contributes
        cost_eur   $\sum_t D_t\, fixed_{vt} (b_{rvt} + \sum_u k_{rvut}) + d_t\, (capex_{vt} - grant_{rvt}) b_{rvt}
            - d_t \sum_u resale_{vut} (k_{rvu,t-1} - k_{rvut}) - d_H \sum_u resale_{vuH} k_{rvuT}$
    """
    s, trucks, time, base = data.stock, data.trucks, data.time, data.base
    size, pairs = data.time.size, len(s.region)

    def of_pairs(pair: Ints, *others: Ints) -> Keys:
        return Keys((base.regions, s.region[pair]), (trucks.names, s.vehicle[pair]), *others)

    bought = a.add_variables("bought", of_pairs(s.bought_pair, time.years[s.bought_t]), whole=True)
    vintages = of_pairs(s.kept_pair, s.kept_vintage, time.years[s.kept_t])
    kept = a.add_variables("kept", vintages, whole=True)

    rows = pairs * size
    working = np.zeros(rows, bool)
    for shared, name, capability in (
        ("truck_km", "cover_km", trucks.annual_km),
        ("truck_h", "cover_hours", trucks.annual_h),
    ):
        work_row, work_col, work = a.share(shared, rows).merged()
        working[work_row] = True
        keep = np.flatnonzero(working)
        place = np.full(rows, -1, np.int64)
        place[keep] = np.arange(len(keep))
        terms = Terms(len(keep)).add(place[work_row], work_col, work)
        for pair, t, column in ((s.bought_pair, s.bought_t, bought), (s.kept_pair, s.kept_t, kept)):
            row = place[pair * size + t]
            serves = row >= 0
            terms.add(row[serves], column[serves], -capability[s.vehicle[pair[serves]]])
        a.add_rows(name, of_pairs(keep // size, time.years[keep % size]), terms, sense="<=")

    fit_opening_hours(a, data, bought=bought, kept=kept)
    owned = s.kept_since < 0
    bought_at = np.full((pairs, size), -1, np.int64)
    bought_at[s.bought_pair, s.bought_t] = bought
    before = np.where(
        s.kept_before >= 0, kept[s.kept_before], np.where(owned, -1, bought_at[s.kept_pair, s.kept_since])
    )
    row = np.arange(len(kept))
    first = owned & (s.kept_before < 0)  # owned trucks in the first period: what `fleet` holds stands before
    had = np.where(first, s.owned_vehicles[s.kept_owned], 0) if len(s.owned_vehicles) else np.zeros(len(kept))
    terms = Terms(len(kept)).add(row, kept, 1.0).add(row, before, -1.0)
    a.add_rows("balance_stock", vintages, terms, sense="<=", side=had)
    _share_truck_costs(a, data, bought=bought, kept=kept, before=before, had=had)


def _share_truck_costs(
    a: Assembly, data: ModelData, *, bought: np.ndarray, kept: np.ndarray, before: np.ndarray, had: np.ndarray
) -> None:
    s, trucks, time = data.stock, data.trucks, data.time
    v_bought, v_kept = s.vehicle[s.bought_pair], s.vehicle[s.kept_pair]
    share_costs(a, data, column=bought, t=s.bought_t, cost_eur={
        "fleet_fixed": trucks.fixed_eur_per_year[v_bought, s.bought_t],
        "fleet_purchase": trucks.capex_eur[v_bought, s.bought_t],
    })  # fmt: skip
    country = data.base.region_country[s.region[s.bought_pair]]
    grant = trucks.subsidies.grant_eur[v_bought, country, s.bought_t]
    share_costs(a, data, column=bought, t=s.bought_t, cost_eur={"fleet_grant": -grant})
    share_costs(a, data, column=kept, t=s.kept_t, cost_eur={"fleet_fixed": trucks.fixed_eur_per_year[v_kept, s.kept_t]})
    back = a.share(shared_name("fleet_resale"), time.size + 1)
    now = resale_eur(trucks, time, vehicle=v_kept, vintage_year=s.kept_vintage, year=time.years[s.kept_t])
    back.add(s.kept_t, kept, now).add(s.kept_t, before, -now)
    np.subtract.at(back.constant, s.kept_t, now * had)
    last = s.kept_t == time.size - 1
    for column, vehicle, vintage in (
        (kept[last], v_kept[last], s.kept_vintage[last]),
        (bought[s.bought_t == time.size - 1], v_bought[s.bought_t == time.size - 1], time.years[-1]),
    ):
        years = np.broadcast_to(vintage, column.shape)
        end = resale_eur(trucks, time, vehicle=vehicle, vintage_year=years, year=time.horizon_year)
        back.add(np.full(len(column), time.size), column, -end)


def fit_opening_hours(a: Assembly, data: ModelData, *, bought: Ints, kept: Ints) -> None:
    r"""State the rows of `fit_opening_hours` (see `add_fleet`): a row per region, truck, opening hours and period.

    $W_g$ is the shorter of the weekly opening hours at both ends of the lane. Hours that allow a truck's `annual_h` are
    no limit: such a row would repeat `cover_hours`.
    """
    s, d, trucks, time = data.stock, data.driving, data.trucks, data.time
    open_h, vehicles = d.open_h_per_week, len(trucks.names)
    pair = np.searchsorted(s.region * vehicles + s.vehicle, d.region * vehicles + d.vehicle)
    index: list[Keys] = []
    found: list[Terms] = []
    for hours in np.unique(open_h[np.isfinite(open_h)]).tolist():
        mine = np.flatnonzero((open_h <= hours) & (WEEKS_PER_YEAR * hours < trucks.annual_h[d.vehicle]))
        code, row = np.unique(pair[mine] * time.size + d.t[mine], return_inverse=True)
        terms = Terms(len(code)).add(row, a.start["driven_vkm"] + mine, d.hours_per_vkm[mine])
        place = np.full(len(s.region) * time.size, -1, np.int64)
        place[code] = np.arange(len(code))
        for of_pair, t, column in ((s.bought_pair, s.bought_t, bought), (s.kept_pair, s.kept_t, kept)):
            at = place[of_pair * time.size + t]
            terms.add(at[at >= 0], column[at >= 0], -WEEKS_PER_YEAR * hours)
        of = code // time.size
        keys = Keys(
            (data.base.regions, s.region[of]), (trucks.names, s.vehicle[of]), np.full(len(of), hours),
            time.years[code % time.size],
        )  # fmt: skip
        index.append(keys)
        found.append(terms)
    rows = Terms(sum(part.rows for part in found))
    start = 0
    for part in found:
        row, column, value = part.merged()
        rows.add(start + row, column, value)
        start += part.rows
    a.add_rows("fit_opening_hours", [key for keys in index for key in keys], rows, sense="<=")


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
    km, hours = e.used_km_per_vkm, e.hours_per_vkm
    share_truck_work(a, data, region=e.origin, vehicle=e.vehicle, t=e.t, column=column, km=km, hours=hours)
