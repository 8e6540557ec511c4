"""Ways to count grid power: by place (consumption, production, bidding zone) or by market (residual, supplier).

By place the figures are shipped. A market-based figure may not be: the user's own table has to give it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pandas as pd

from nbb_opt.emissions.factors import Factor, Registry, factor_by_id, kg_per_kwh, nearest
from nbb_opt.instance import Instance
from nbb_opt.instance.vary import varied
from nbb_opt.studies.accounting.choice import ENERGY_KG, Choice, NotApplicable, carriers_of, with_factors

PRODUCTION = {"NO": "grid-no-ember-2023", "SE": "grid-se-ember-2023", "FI": "grid-fi-ember-2023"}
ZONES = {"NO": "grid-no4-codecarbon-2025", "SE": "grid-se1-codecarbon-2025", "FI": "grid-fi-codecarbon-2025"}
EARLIER = dict.fromkeys(("NO", "SE", "FI"), "grid-nordic-ivl-2016-2019")
DELIVERED = {"NO": "grid-no-nve-2023"}
REGIONS = {"Nordic": ("NO", "SE", "FI", "DK")}  # names of several countries
MARKET_METHODS = ("market_residual", "market_supplier")
PER_ENERGY = ("g_co2e_per_kwh", "g_co2e_per_mj")


def grid_choices(registry: Registry) -> list[Choice]:
    """Every way to count grid power. Raises NbbError if the registry lacks a factor of one that is shipped."""
    placed = {
        "grid_production": ("grid: national production, life cycle", PRODUCTION),
        "grid_zones": ("grid: production of the northern bidding zones", ZONES),
        "grid_earlier": ("grid: Nordic consumption 2016-2019, life cycle", EARLIER),
        "grid_delivered": ("grid: power physically delivered in Norway", DELIVERED),
    }
    found = []
    for name, (title, by_country) in placed.items():
        factors = {country: factor_by_id(registry, factor) for country, factor in by_country.items()}
        ids = tuple(dict.fromkeys(by_country.values()))
        found.append(Choice(name, title, ids, partial(_counted, name=name, factors=factors)))
    return [*found, *(_market(method, registry) for method in MARKET_METHODS)]


def _market(method: str, registry: Registry) -> Choice:
    """Grid power by a market-based method, with the one factor per country that the registry has for it."""
    rows = [factor for factor in registry if factor.grid_method == method and factor.unit in PER_ENERGY]

    def change(instance: Instance) -> Instance:
        power = carriers_of(instance, ("battery", "electric"))
        energy = instance["energy"]
        countries = sorted(set(energy.loc[energy["energy_carrier"].isin(power), "country"]))
        factors: dict[str, Factor] = {}
        for country in countries:
            fit = [factor for factor in rows if country in _covered(factor.region)]
            if len(fit) > 1:
                names = ", ".join(factor.factor for factor in fit)
                raise NotApplicable(f"grid_{method}: {country} has several factors ({names}); leave one in the table")
            if fit:
                factors[country] = fit[0]
        if not factors:
            wanted = {"subject": "grid", "unit": PER_ENERGY[0], "grid_method": method, "region": countries[0]}
            raise NotApplicable(
                f"grid_{method}: no factor per kWh with grid_method {method} for {', '.join(countries)}, and none may "
                "be shipped; give your own table with --factors; nearest: " + "; ".join(nearest(registry, wanted))
            )
        return _counted(instance, name=f"grid_{method}", factors=factors)

    return Choice(f"grid_{method}", f"grid: {method.replace('_', '-')}", tuple(row.factor for row in rows), change)


def _covered(region: str) -> set[str]:
    """Countries that a region of the registry names.

    >>> sorted(_covered("Nordic")), sorted(_covered("SE;FI"))
    (['DK', 'FI', 'NO', 'SE'], ['FI', 'SE'])
    """
    return {country for part in region.split(";") for country in REGIONS.get(part.strip(), (part.strip(),))}


def _counted(instance: Instance, *, name: str, factors: Mapping[str, Factor]) -> Instance:
    """WTT of grid power from one factor per country; its change over the years stays that of the instance.

    Countries without one stay as the instance states, and its grid method then says so.
    """
    energy = instance["energy"].copy()
    power = energy["energy_carrier"].isin(carriers_of(instance, ("battery", "electric")))
    rows = power & energy["country"].isin(list(factors))
    if not rows.any():
        raise NotApplicable(f"{name}: no grid power in {', '.join(factors)}")
    first = energy[rows].sort_values("year").drop_duplicates(["energy_carrier", "country"])
    base = first.set_index(["energy_carrier", "country"])[list(ENERGY_KG)].sum(axis=1)
    keys = pd.MultiIndex.from_frame(energy.loc[rows, ["energy_carrier", "country"]])
    told = energy.loc[rows, "country"].map({c: kg_per_kwh(f) for c, f in factors.items()}).to_numpy(dtype=float)
    start = base.reindex(keys).to_numpy(dtype=float)
    now = energy.loc[rows, list(ENERGY_KG)].sum(axis=1).to_numpy(dtype=float)
    if (start == 0).any():
        raise NotApplicable(f"{name}: grid power without emissions in the first year cannot be scaled")
    energy.loc[rows, "wtt_kg_co2e_per_kwh"] = told * now / start
    energy.loc[rows, "ttw_kg_co2e_per_kwh"] = 0.0
    energy.loc[rows, "factors"] = energy.loc[rows, "country"].map({c: f.factor for c, f in factors.items()})
    method = ", ".join(dict.fromkeys(factor.grid_method for factor in factors.values()))
    rest = sorted(set(energy.loc[power, "country"]) - set(factors))
    if rest:
        method += f"; in {', '.join(rest)} as the instance states"
    tables = with_factors(instance, list(dict.fromkeys(factors.values()))) | {"energy": energy}
    return varied(instance, tables, grid_method=method)
