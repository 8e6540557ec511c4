r"""Count the energy that everything that moves takes in and what it emits, and what the carbon price makes of it.

$m$ is a mode, $e$ an energy carrier, $ttw_{ent}$ and $wtt_{ent}$ are emissions per kWh; transfers emit per tonne.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nbb_opt.model.blocks import carrying, driving

KG_PER_T = 1000.0


def used_kwh(m, mode, carrier, country, year):
    r"""$\sum_c kwh_{cmen} x_{ct} + \sum_{gv} kwh_{gven} z_{gvt} + \sum_{rr'vh} kwh_{rven} e_{rr'vht}$, taken in in
    $n$; trucks on the road $m$"""
    use = mode, carrier, country, year
    return carrying(m, m.chain_used_kwh[use], year) + driving(m, m.truck_used_kwh[use], m.trip_used_kwh[use], year)


def emissions_ttw_kg(m, country, year):
    r"""$\sum_{me} ttw_{ent}\, used\_kwh_{ment} + \sum_c ttw_{cn} x_{ct}
    + \sum_f (\mu_f\, ttw_{e'(f)nt} - ttw_{e(f)nt}) \sigma_{fnt}$"""
    return _emitted_kg(m, m.ttw_kg_per_kwh, m.transfer_ttw_kg, m.fuel_ttw_kg, country, year)


def emissions_wtt_kg(m, country, year):
    r"""$\sum_{me} wtt_{ent}\, used\_kwh_{ment} + \sum_c wtt_{cn} x_{ct}
    + \sum_f (\mu_f\, wtt_{e'(f)nt} - wtt_{e(f)nt}) \sigma_{fnt}$"""
    return _emitted_kg(m, m.wtt_kg_per_kwh, m.transfer_wtt_kg, m.fuel_wtt_kg, country, year)


def _emitted_kg(m, per_kwh, of_transfers, of_fuels, country, year):
    uses = m.energy_used[country, year]
    energy = sum(per_kwh[e, country, year] * m.used_kwh[mode, e, country, year] for mode, e in uses)
    replaced = sum(kg * m.replaced_kwh[fuel, country, year] for fuel, kg in of_fuels[country, year])
    return energy + carrying(m, of_transfers[country, year], year) + replaced


def energy_eur(m, modes, year):
    """Price times energy of some modes."""
    uses = [(mode, e, n) for n in m.countries for mode, e in m.energy_used[n, year] if mode in modes]
    return sum(m.energy_price_eur_per_kwh[e, n, year] * m.used_kwh[mode, e, n, year] for mode, e, n in uses)


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
