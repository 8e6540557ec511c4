"""What every kind of activity hands to the shared expressions: costs, emissions and energy per unit."""

from __future__ import annotations

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.data.costs import EmissionEntries, shared_name
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Floats, Ints


def share_costs(a: Assembly, data: ModelData, *, column: Ints, t: Ints, cost_eur: dict[str, Floats]) -> None:
    """Add cost per unit of each column, component by component, to `cost_eur`."""
    for component, eur in cost_eur.items():
        a.share(shared_name(component), data.time.size + 1).add(t, column, eur)


def share_emission_prices(a: Assembly, data: ModelData) -> None:
    r"""Count what the model puts on emissions, once all of them are shared.

    Contributes
        cost_eur    $\sum_n added_t\, ttw_{nt} / 1000 + \sum_n weight_t (ttw_{nt} + wtt_{nt}) / 1000$
    """
    size, taxed_wtt = data.time.size, data.instance.meta.carbon_base != "TTW"
    for component, eur_per_t in data.emission_eur_per_t.items():
        eur_per_kg = np.array([eur_per_t[year] for year in data.time.years.tolist()]) / 1000.0
        both = component == "emission_weight" or taxed_wtt
        for name in ("emissions_ttw_kg", "emissions_wtt_kg")[: 1 + both]:
            place, column, kg = a.share(name, len(data.base.countries) * size).merged()
            share_costs(a, data, column=column, t=place % size, cost_eur={component: kg * eur_per_kg[place % size]})


def share_ledger(a: Assembly, data: ModelData, ledger: EmissionEntries, column: Ints) -> None:
    """Add emissions by country, electricity by charging area and energy that fuels may replace, all by period."""
    size, at = data.time.size, column[ledger.col]
    place = ledger.country * size + ledger.t
    countries = len(data.base.countries) * size
    a.share("emissions_ttw_kg", countries).add(place, at, ledger.ttw_kg)
    a.share("emissions_wtt_kg", countries).add(place, at, ledger.wtt_kg)
    for fuel in range(len(data.fuels.names)):
        own = data.fuels.energy_of(ledger, fuel)
        at_place = fuel_places(data, np.full(len(own), fuel), ledger.country[own], ledger.t[own])
        a.share("fuel_kwh", len(data.fuels.names) * countries).add(at_place, at[own], ledger.kwh[own])
    drawn = ledger.area >= 0
    energy = a.share("energy_kwh", len(data.base.areas) * size)
    energy.add((ledger.area * size + ledger.t)[drawn], at[drawn], ledger.kwh[drawn])


def fuel_places(data: ModelData, fuel: Ints, country: Ints, t: Ints) -> Ints:
    """Rows of the shared expression `fuel_kwh`."""
    return (fuel * len(data.base.countries) + country) * data.time.size + t


def share_driver_hours(
    a: Assembly, data: ModelData, *, region: Ints, t: Ints, column: Ints, hours_per_vkm: Floats
) -> None:
    """Add driver hours by country (of the region) and period."""
    row = data.base.region_country[region] * data.time.size + t
    a.share("driver_h", len(data.base.countries) * data.time.size).add(row, column, hours_per_vkm)


def share_truck_work(
    a: Assembly, data: ModelData, *, region: Ints, vehicle: Ints, t: Ints, column: Ints, km: Floats, hours: Floats
) -> None:
    """Add hours of work and km, as they use up `annual_km`, by (region, truck) pair and period."""
    stock, size = data.stock, len(data.trucks.names)
    pair = np.searchsorted(stock.region * size + stock.vehicle, region * size + vehicle)
    rows = len(stock.region) * data.time.size
    a.share("truck_km", rows).add(pair * data.time.size + t, column, km)
    a.share("truck_h", rows).add(pair * data.time.size + t, column, hours)


def added_by_projects(data: ModelData, built: Ints, table: str) -> list[tuple[int, int, int, float]]:
    """What projects add to rows of `table`: (row, period, column of `built`, amount per unit)."""
    found = []
    at = {(int(p), int(t)): int(c) for p, t, c in zip(data.projects.project, data.projects.t, built, strict=True)}
    for project, where, row, amount in data.projects.adds:
        if where == table:
            found += [(row, t, at[project, t], amount) for t in range(data.time.size) if (project, t) in at]
    return found
