"""What a unit of everything that moves emits and draws, by place and year; prices of it."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from nbb_opt.model.data.costs import Ledger
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Floats, Names
from nbb_opt.model.figures.names import Figure, Members, Named, of


def emission_figures(data: ModelData, named: Named) -> dict[str, Any]:
    """TTW and WTT kg by country, kWh by charging area: members (what moves, amount per unit) of a place and year."""
    base, d, years = data.base, data.driving, named.years
    country_years = list(product(base.countries.ids, years))
    driven = list(zip(named.lanes, named.trucks_driving, strict=True))
    found: dict[str, Any] = {}
    for what, ledger, moving in (
        ("chain", data.flows.ledger, named.chains),
        ("truck", d.ledger, driven),
        ("trip", data.empties.ledger, named.trips),
    ):
        for unit, names, place, amount in (
            ("ttw_kg", base.countries, ledger.country, ledger.ttw_kg),
            ("wtt_kg", base.countries, ledger.country, ledger.wtt_kg),
            ("kwh", base.areas, ledger.area, ledger.kwh),
        ):
            name = f"{what}_{unit}"
            found[name] = _by_place(name, named, names, place, ledger, moving, np.where(place >= 0, amount, 0.0))
    way = np.where((d.ledger.area >= 0) & d.on_the_way[d.ledger.col], d.ledger.kwh, 0.0)
    found["way_kwh"] = _by_place("way_kwh", named, base.areas, d.ledger.area, d.ledger, driven, way)
    powers = data.trucks.charge_kw[d.vehicle[d.ledger.col[way > 0]]]
    return found | {
        "powers_kw": np.unique(powers).tolist(),
        "carbon_price_eur_per_t": Figure("carbon_price_eur_per_t", country_years, base.carbon_price.ravel()),
        "carbon_counts_wtt": data.instance.meta.carbon_base != "TTW",
        "driver_cost_eur_per_h": Figure("driver_cost_eur_per_h", country_years, base.driver_cost.ravel()),
        "driver_limit_h": Figure("driver_limit_h", country_years, base.driver_limit_h.ravel()),
    }


def _by_place(
    name: str, named: Named, names: Names, place: Any, ledger: Ledger, moving: list[Any], amount: Floats
) -> Members:
    some = np.flatnonzero(amount)
    keys = zip(of(names, place[some]), named.year(ledger.t[some]), strict=True)
    members = zip((moving[i] for i in ledger.col[some].tolist()), amount[some].tolist(), strict=True)
    return Members(name, keys, members, parts=[names.ids, named.years])
