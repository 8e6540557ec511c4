r"""Take in another fuel than a vehicle's own: a choice of every year, not of a new vehicle.

$\sigma_{fnt}$ exists from `available_from` on, in countries where both fuels have a price. $f$ belongs to vehicles of
one mode $m(f)$ with one energy carrier $e(f)$; $\mu_f$ kWh of its own carrier $e'(f)$ do the work of one kWh of it.
"""

from __future__ import annotations

from nbb_opt.model.blocks import at
from nbb_opt.model.blocks.projects import added


def fuel_kwh(m, fuel, country, year):
    r"""$used\_kwh_{m(f)e(f)nt}$, energy that the vehicles of $f$ would take in without it"""
    return at(m.used_kwh, m.fuel_mode[fuel], m.fuel_replaces[fuel], country, year)


def replace_at_most(m, fuel, country, year):
    r"""$\sigma_{fnt} \le max\_share_f\, fuel\_kwh_{fnt} \quad \forall f,n,t$"""
    return m.replaced_kwh[fuel, country, year] <= m.max_share[fuel] * m.fuel_kwh[fuel, country, year]


def replace_once(m, fuel, country, year):
    r"""$\sum_{f'} \sigma_{f'nt} \le fuel\_kwh_{fnt} \quad \forall f,n,t$ where several $f'$ can replace the same
    energy, $f$ the first of them"""
    replaced = sum(m.replaced_kwh[other, country, year] for other in m.fuels_together[fuel, country, year])
    return replaced <= m.fuel_kwh[fuel, country, year]


def respect_fuel_supply(m, fuel, year):
    r"""$\sum_n \mu_f \sigma_{fnt} \le kwh\_per\_year_f + \sum_a adds_{af} w_{at} \quad \forall f,t$ with a limit"""
    taken = sum(m.kwh_per_kwh[fuel] * m.replaced_kwh[fuel, n, year] for n in m.fuel_countries[fuel, year])
    return taken <= m.fuel_supply_kwh[fuel] + added(m, m.added_to_fuel[fuel], year)


def fuel_substitution(m, year):
    r"""$\sum_{fn} (\mu_f\, price_{e'(f)nt} - price_{e(f)nt}) \sigma_{fnt}$"""
    price = m.energy_price_eur_per_kwh
    return sum(
        (m.kwh_per_kwh[f] * price[m.fuel_carrier[f], n, t] - price[m.fuel_replaces[f], n, t]) * m.replaced_kwh[f, n, t]
        for f, n, t in m.fuel_columns
        if t == year
    )
