"""Trucks: what one does and costs in a year, who may buy, keep or sell which."""

from __future__ import annotations

from itertools import product
from typing import Any

from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.figures.mapping import Figure, Members
from nbb_opt.model.figures.names import Named, of


def truck_figures(data: ModelData, named: Named) -> dict[str, Any]:
    """Everything of `bought` and `kept`."""
    t, s, world, years = data.trucks, data.stock, data.world, named.years
    trucks, regions, countries = t.names.ids, world.regions.ids, world.countries.ids
    region, truck = of(world.regions, s.region), of(t.names, s.vehicle)
    country_of = dict(zip(regions, of(world.countries, world.region_country), strict=True))
    buy = zip(s.bought_pair.tolist(), named.year(s.bought_t), strict=True)
    purchases = [(region[p], truck[p], y) for p, y in buy]
    keep = zip(s.kept_pair.tolist(), s.kept_vintage.tolist(), named.year(s.kept_t), strict=True)
    vintage_years = [(region[p], truck[p], u, y) for p, u, y in keep]
    own = zip(s.owned_pair.tolist(), s.owned_vintage.tolist(), strict=True)
    work = {(region, truck, y) for region, truck, y in _work(data, named)}
    in_order = [(region[p], truck[p], y) for p in range(len(region)) for y in years]
    work_years = [key for key in in_order if key in work]
    truck_years = list(product(trucks, years))
    return {
        "purchases": purchases,
        "purchases_in": Members(
            "purchases_in", [y for *_, y in purchases], [(r, v) for r, v, _ in purchases], parts=[years]
        ),
        "vintage_years": vintage_years,
        "vintages_of": Members(
            "vintages_of", [(r, v, y) for r, v, _, y in vintage_years], [u for _, _, u, _ in vintage_years],
            parts=[regions, trucks, years],
        ),
        "kept_in": Members(
            "kept_in", [y for *_, y in vintage_years], [key[:3] for key in vintage_years], parts=[years]
        ),
        "owned": Figure("owned", [(region[p], truck[p], u) for p, u in own], s.owned_vehicles),
        "work_years": work_years,
        "work_in": Members(
            "work_in", [(country_of[r], y) for r, _, y in work_years], [(r, v) for r, v, _ in work_years],
            parts=[countries, years],
        ),
        "country_of": country_of,
        "technology": dict(zip(trucks, t.technology, strict=True)),
        "annual_km": Figure("annual_km", trucks, t.annual_km),
        "annual_h": Figure("annual_h", trucks, t.annual_h),
        "charge_kw": Figure("charge_kw", trucks, t.charge_kw),
        "truck_lifetime": dict(zip(trucks, t.lifetime.tolist(), strict=True)),
        "resale_share": Figure("resale_share", trucks, t.resale_share),
        "truck_capex_eur": Figure("truck_capex_eur", truck_years, t.capex_eur.ravel()),
        "truck_fixed_eur": Figure("truck_fixed_eur", truck_years, t.fixed_eur_per_year.ravel()),
        "grant_eur": Figure("grant_eur", product(trucks, countries, years), t.subsidies.grant_eur.ravel()),
    }  # fmt: skip


def _work(data: ModelData, named: Named) -> set[tuple[str, str, int]]:
    """Region, truck and year of all driving."""
    d, regions = data.driving, data.world.regions
    loaded = zip(of(regions, d.region), named.trucks_driving, named.year(d.t), strict=True)
    empty = ((trip.region, trip.truck, y) for trip, y in zip(named.trips, named.year(data.empties.t), strict=True))
    return {*loaded, *empty}
