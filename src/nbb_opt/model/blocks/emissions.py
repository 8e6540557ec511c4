r"""Count what everything that moves emits, by country and year, and what the carbon price makes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nbb_opt.model.blocks import in_use

KG_PER_T = 1000.0


def emissions_ttw_kg(m, country, year):
    r"""$\sum_c ttw_{cnt} x_{ct} + \sum_{gv} ttw_{gvnt} z_{gvt} + \sum_{rr'vh} ttw_{rvnt} e_{rr'vht}
    + \sum_f (\mu_f\, ttw_{e'(f)nt} - ttw_{e(f)nt}) \sigma_{fnt}$"""
    own = in_use(m, m.chain_ttw_kg[country, year], m.truck_ttw_kg[country, year], m.trip_ttw_kg[country, year], year)
    return own + sum(kg * m.replaced_kwh[fuel, country, year] for fuel, kg in m.fuel_ttw_kg[country, year])


def emissions_wtt_kg(m, country, year):
    r"""$\sum_c wtt_{cnt} x_{ct} + \sum_{gv} wtt_{gvnt} z_{gvt} + \sum_{rr'vh} wtt_{rvnt} e_{rr'vht}
    + \sum_f (\mu_f\, wtt_{e'(f)nt} - wtt_{e(f)nt}) \sigma_{fnt}$"""
    own = in_use(m, m.chain_wtt_kg[country, year], m.truck_wtt_kg[country, year], m.trip_wtt_kg[country, year], year)
    return own + sum(kg * m.replaced_kwh[fuel, country, year] for fuel, kg in m.fuel_wtt_kg[country, year])


def add_emissions(m: Any, *, ttw_kg: Callable[..., Any], wtt_kg: Callable[..., Any]) -> None:
    """Count what something more emits: `ttw_kg(m, country, year)` and `wtt_kg` give kg as an expression of the model.

    Caps and the carbon price count it too, since they look at `emissions_ttw_kg` and `emissions_wtt_kg`.
    """
    for total, more in ((m.emissions_ttw_kg, ttw_kg), (m.emissions_wtt_kg, wtt_kg)):
        for country, year in m.COUNTRY_YEARS:
            total[country, year].set_value(total[country, year].expr + more(m, country, year))


def carbon(m, year):
    r"""$\sum_n carbon\_price_{nt}\, ttw_{nt} / 1000$, or of $ttw_{nt} + wtt_{nt}$ where `carbon_base` is not TTW"""

    return sum(m.carbon_price_eur_per_t[n, year] / KG_PER_T * taxed_kg(m, n, year) for n in m.countries)


def added_carbon_price(m, year):
    r"""$\sum_n added_t\, ttw_{nt} / 1000$, or of $ttw_{nt} + wtt_{nt}$ where `carbon_base` is not TTW"""
    price_eur_per_kg = m.emission_eur_per_t["added_carbon_price"][year] / KG_PER_T
    return sum(price_eur_per_kg * taxed_kg(m, n, year) for n in m.countries)


def emission_weight(m, year):
    r"""$\sum_n weight_t (ttw_{nt} + wtt_{nt}) / 1000$, which nobody pays"""
    weight_eur_per_kg = m.emission_eur_per_t["emission_weight"][year] / KG_PER_T
    return sum(weight_eur_per_kg * (m.emissions_ttw_kg[n, year] + m.emissions_wtt_kg[n, year]) for n in m.countries)


def taxed_kg(m: Any, country: str, year: int) -> Any:
    """Emissions on which a carbon price is paid."""
    ttw_kg = m.emissions_ttw_kg[country, year]
    return ttw_kg + m.emissions_wtt_kg[country, year] if m.carbon_counts_wtt else ttw_kg
