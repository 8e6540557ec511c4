"""Where batteries are charged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.flow import columns_of_built
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.arrays.share import added_by_projects, share_costs
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.costs import shared_name
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Floats, Ints


def add_charging(a: Assembly, data: ModelData) -> None:
    r"""Install chargers for the energy drawn in each area, within its grid connection, or buy at others' points.

    $m_{jkt} = \sum_{u \le t,\, y_t - y_u < L_k} i_{jku}$ chargers are in service. Variables exist in areas where a
    truck may draw energy, from `available_from` on. $s_{jt}$ exists where others sell energy, up to what they sell.

    Variables
        installed    $i_{jkt} \ge 0$ integer   chargers of kind $k$ installed in area $j$   [chargers]
        public_kwh   $s_{jt} \ge 0$   energy bought at others' points   [kWh/year]

    Constraints
        deliver_energy   $energy\_kwh_{jt} \le \sum_k 8760\, kw_k\, utilisation_k\, m_{jkt} + s_{jt}$   $\forall j,t$
        deliver_on_the_way   $\sum_{v:\, charge\_kw_v \ge P} way\_kwh_{vjt} \le
            \sum_{k:\, kw_k \ge P} 8760\, kw_k\, utilisation_k\, m_{jkt} + [kw_{jt} \ge P]\, s_{jt}$
            $\forall j,t$, charging power $P$ of a truck
        respect_grid     $\sum_k kw_k m_{jkt} \le 1000 (grid\_mw_j + \sum_a adds_{aj} w_{at})$   $\forall j,t$

    Contributes
        cost_eur   $\sum_t D_t (fixed_k m_{jkt} + add_{jt} s_{jt}) + d_t\, capex_k i_{jkt}
            - d_H\, left_{kt}\, capex_k i_{jkt}$
    """
    c, time, base = data.chargers, data.time, data.base
    size = time.size
    index = Keys((base.areas, c.area), (c.names, c.kind), time.years[c.t])
    column = a.add_variables("installed", index, whole=True)
    age = time.years[None, :] - time.years[c.t][:, None]
    new, t = np.nonzero((age >= 0) & (age < c.lifetime[c.kind][:, None]))
    kind, serving = c.kind[new], column[new]

    selling, sold_t = np.nonzero(np.isin(np.arange(len(base.areas)), c.areas)[:, None] & (base.public.kwh_per_year > 0))
    on_sale = base.public.kwh_per_year[selling, sold_t]
    public = a.add_variables(
        "public_kwh", Keys((base.areas, selling), time.years[sold_t]), up=on_sale,
        typical=float(np.median(on_sale)) if len(on_sale) else 1.0,
    )  # fmt: skip
    share_costs(a, data, column=public, t=sold_t, cost_eur={"public_charging": base.public.price_add[selling, sold_t]})

    place = np.full(len(base.areas), -1, np.int64)
    place[c.areas] = np.arange(len(c.areas))
    at = np.arange(len(c.areas) * size)
    where = Keys((base.areas, c.areas[at // size]), time.years[at % size])
    row = place[c.area[new]] * size + t
    drawn_row, drawn_col, drawn = a.share("energy_kwh", len(base.areas) * size).merged()
    energy = Terms(len(where)).add(place[drawn_row // size] * size + drawn_row % size, drawn_col, drawn)
    energy.add(row, serving, -c.kwh_per_year[kind]).add(place[selling] * size + sold_t, public, -1.0)
    a.add_rows("deliver_energy", where, energy, sense="<=")

    points = _Points(place[selling] * size + sold_t, base.public.kw[selling, sold_t], public)
    _deliver_on_the_way(a, data, place=place, row=row, kind=kind, serving=serving, points=points)
    power = Terms(len(where)).add(row, serving, c.kw[kind])
    for area, s, project, mw in added_by_projects(data, columns_of_built(a, data), "charge_areas"):
        if place[area] >= 0:
            power.add(np.array([place[area] * size + s]), np.array([project]), -1000.0 * mw)
    grid_kw = 1000.0 * np.repeat(base.area_grid_mw[c.areas], size)
    a.add_rows("respect_grid", where, power, sense="<=", side=grid_kw)

    share_costs(a, data, column=serving, t=t, cost_eur={"charger_fixed": c.fixed_eur_per_year[kind]})
    share_costs(a, data, column=column, t=c.t, cost_eur={"charger_purchase": c.capex_eur[c.kind]})
    left = time.value_left(c.lifetime)[c.kind, c.t]
    back = a.share(shared_name("charger_residual"), size + 1)
    back.add(np.full(len(column), size), column, -c.capex_eur[c.kind] * left)


@dataclass(frozen=True)
class _Points:
    """Others' charging points: area-period place, power of a point, column of `public_kwh`."""

    row: Ints
    kw: Floats
    column: Ints


def _deliver_on_the_way(
    a: Assembly, data: ModelData, *, place: Ints, row: Ints, kind: Ints, serving: Ints, points: _Points
) -> None:
    """A truck that counts on its charging power on the way needs chargers at least as strong.

    `row`, `kind`, `serving`: area-period place, charger kind and column of every charger in service.
    """
    c, time, driving, ledger = data.chargers, data.time, data.driving, data.driving.ledger
    drawn = (ledger.area >= 0) & driving.on_the_way[ledger.col]
    kw = data.trucks.charge_kw[driving.vehicle[ledger.col]]
    levels = np.unique(kw[drawn])
    areas, size = len(c.areas), time.size
    where = [
        (data.base.areas[j], year, float(level))
        for level in levels
        for j in c.areas.tolist()
        for year in time.years.tolist()
    ]
    terms = Terms(len(where))
    for n, level in enumerate(levels):
        mine, strong = drawn & (kw >= level), c.kw[kind] >= level
        start = n * areas * size
        at = start + place[ledger.area[mine]] * size + ledger.t[mine]
        terms.add(at, a.start["driven_vkm"] + ledger.col[mine], ledger.kwh[mine])
        terms.add(start + row[strong], serving[strong], -c.kwh_per_year[kind[strong]])
        others = points.kw >= level
        terms.add(start + points.row[others], points.column[others], -1.0)
    a.add_rows("deliver_on_the_way", where, terms, sense="<=")
