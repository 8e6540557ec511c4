"""What vehicles take in instead of their own fuel."""

from __future__ import annotations

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.flow import columns_of_built
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.arrays.share import added_by_projects, fuel_places, share_costs
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.fuels import USUAL_KWH
from nbb_opt.model.data.model_data import ModelData


def add_fuels(a: Assembly, data: ModelData) -> None:
    r"""Take in another fuel than a vehicle's own, as far as it goes and can be had.

    Variables
        replaced_kwh   $\sigma_{fnt} \ge 0$   energy of their own carrier that vehicles replace by $f$   [kWh/year]

    Constraints
        replace_at_most       $\sigma_{fnt} \le max\_share_f\, fuel\_kwh_{fnt}$   $\forall f,n,t$
        replace_once          $\sum_{f'} \sigma_{f'nt} \le fuel\_kwh_{fnt}$   where several $f'$ replace the same energy
        respect_fuel_supply   $\sum_n \mu_f \sigma_{fnt} \le kwh\_per\_year_f + \sum_a adds_{af} w_{at}$   with a limit

    Contributes
        cost_eur           $\sum_{fn} (\mu_f\, price_{e'nt} - price_{ent} + carbon) \sigma_{fnt}$
        emissions_*_kg     $\sum_f (\mu_f\, factor_{e'nt} - factor_{ent}) \sigma_{fnt}$
    """
    f, base, time = data.fuels, data.base, data.time
    size = time.size
    keys = Keys((f.names, f.fuel), (base.countries, f.country), time.years[f.t])
    column = a.add_variables("replaced_kwh", keys, typical=USUAL_KWH)
    place, row = fuel_places(data, f.fuel, f.country, f.t), np.arange(len(column))
    used_at, used_by, kwh = a.share("fuel_kwh", len(f.names) * len(base.countries) * size).merged()
    of_place = np.full(len(f.names) * len(base.countries) * size, -1, np.int64)
    of_place[place] = row
    mine = of_place[used_at] >= 0

    most = Terms(len(row)).add(row, column, 1.0)
    most.add(of_place[used_at[mine]], used_by[mine], -kwh[mine] * f.max_share[f.fuel[of_place[used_at[mine]]]])
    a.add_rows("replace_at_most", keys, most, sense="<=")

    first = f.together()
    leads = np.unique(first[first >= 0])
    once = np.full(len(row), -1, np.int64)
    once[leads] = np.arange(len(leads))
    of_lead, some = np.append(once, -1)[of_place[used_at]], first >= 0
    terms = Terms(len(leads)).add(once[first[some]], column[some], 1.0)
    terms.add(of_lead, np.where(of_lead >= 0, used_by, -1), -kwh)
    a.add_rows("replace_once", keys.take(leads), terms, sense="<=")

    code = f.fuel * size + f.t
    pairs = np.unique(code[np.isfinite(f.kwh_per_year[f.fuel])])
    at = np.full(len(f.names) * size, -1, np.int64)
    at[pairs] = np.arange(len(pairs))
    supply = Terms(len(pairs)).add(at[code], np.where(at[code] >= 0, column, -1), f.kwh_per_kwh[f.fuel])
    for fuel, s, project, amount in added_by_projects(data, columns_of_built(a, data), "fuel_substitutes"):
        supply.add(at[[fuel * size + s]], np.array([project if at[fuel * size + s] >= 0 else -1]), -amount)
    where = Keys((f.names, pairs // size), time.years[pairs % size])
    a.add_rows("respect_fuel_supply", where, supply, sense="<=", side=f.kwh_per_year[pairs // size])

    kg = f.ttw_kg if data.instance.meta.carbon_base == "TTW" else f.ttw_kg + f.wtt_kg
    carbon = kg / 1000.0 * base.carbon_price[f.country, f.t]
    share_costs(a, data, column=column, t=f.t, cost_eur={"fuel_substitution": f.eur, "carbon": carbon})
    for name, change in (("emissions_ttw_kg", f.ttw_kg), ("emissions_wtt_kg", f.wtt_kg)):
        a.share(name, len(base.countries) * size).add(f.country * size + f.t, column, change)
