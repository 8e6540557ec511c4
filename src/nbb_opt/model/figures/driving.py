"""Trucks: what one does and costs in a year, on lanes and on empty trips, and who may buy, keep or sell which."""

from __future__ import annotations

from itertools import product, repeat
from typing import Any

import numpy as np

from nbb_opt.model.data.base import WEEKS_PER_YEAR
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.figures.names import Figure, Lane, Members, Named, flat, of


def truck_figures(data: ModelData, named: Named) -> dict[str, Any]:
    """Everything of `bought` and `kept`."""
    t, s, base, years = data.trucks, data.stock, data.base, named.years
    trucks, regions, countries = t.names.ids, base.regions.ids, base.countries.ids
    region, truck = of(base.regions, s.region), of(t.names, s.vehicle)
    country_of = dict(zip(regions, of(base.countries, base.region_country), strict=True))
    buy = zip(s.bought_pair.tolist(), named.year(s.bought_t), strict=True)
    purchases = [(region[p], truck[p], y) for p, y in buy]
    keep = zip(s.kept_pair.tolist(), s.kept_vintage.tolist(), named.year(s.kept_t), strict=True)
    vintage_years = [(region[p], truck[p], u, y) for p, u, y in keep]
    left = [key[:3] for key in [*vintage_years, *((r, v, y, y) for r, v, y in purchases)] if key[3] == years[-1]]
    own = zip(s.owned_pair.tolist(), s.owned_vintage.tolist(), strict=True)
    work = {(region, truck, y) for region, truck, y in _work(data, named)}
    in_order = [(region[p], truck[p], y) for p in range(len(region)) for y in years]
    work_years = [key for key in in_order if key in work]
    truck_years = list(product(trucks, years))
    return {
        "purchases": purchases,
        "purchases_in": Members(
            "purchases_in", [y for *_, y in purchases], [(r, v) for r, v, _ in purchases],
            parts=[[*years, data.time.horizon_year]],
        ),
        "vintage_years": vintage_years,
        "vintages_of": Members(
            "vintages_of", [(r, v, y) for r, v, _, y in vintage_years], [u for _, _, u, _ in vintage_years],
            parts=[regions, trucks, years],
        ),
        "sold_in": Members(  # at the horizon all that are left
            "sold_in", [*(y for *_, y in vintage_years), *repeat(data.time.horizon_year, len(left))],
            [*(key[:3] for key in vintage_years), *left], parts=[[*years, data.time.horizon_year]],
        ),
        "owned": Figure("owned", [(region[p], truck[p], u) for p, u in own], s.owned_vehicles),
        "fleets": list(zip(region, truck, strict=True)),
        "work_years": work_years,
        "work_in": Members(
            "work_in", [(country_of[r], y) for r, _, y in work_years], [(r, v) for r, v, _ in work_years],
            parts=[countries, years],
        ),
        "country_of": country_of,
        "technologies": sorted({*t.technology, *(p.technology for p in data.policies if p.technology)}),
        "technology": dict(zip(trucks, t.technology, strict=True)),
        "annual_km": Figure("annual_km", trucks, t.annual_km),
        "annual_h": Figure("annual_h", trucks, t.annual_h),
        "charge_kw": Figure("charge_kw", trucks, t.charge_kw),
        "truck_lifetime": dict(zip(trucks, t.lifetime.tolist(), strict=True)),
        "resale_share": Figure("resale_share", trucks, t.resale_share),
        "truck_capex_eur": Figure("truck_capex_eur", truck_years, t.capex_eur.ravel()),
        "truck_fixed_eur": Figure("truck_fixed_eur", truck_years, t.fixed_eur_per_year.ravel()),
        **{
            name: Figure(name, product(trucks, countries, years), getattr(t.subsidies, name).ravel())
            for name in ("grant_fixed_eur", "grant_share")
        },
    }  # fmt: skip


def _work(data: ModelData, named: Named) -> set[tuple[str, str, int]]:
    """Region, truck and year of all driving."""
    d, regions = data.driving, data.base.regions
    loaded = zip(of(regions, d.region), named.trucks_driving, named.year(d.t), strict=True)
    empty = ((trip.region, trip.truck, y) for trip, y in zip(named.trips, named.year(data.empties.t), strict=True))
    return {*loaded, *empty}


def driving_figures(data: ModelData, named: Named) -> dict[str, Any]:
    """Everything of `driven_vkm`."""
    d, base, years = data.driving, data.base, named.years
    lane, truck, year = named.lanes, named.trucks_driving, named.year(d.t)
    region, arrival, goods = (
        of(base.regions, d.region),
        of(base.regions, d.arrival),
        of(base.cargo_types, d.cargo_type),
    )
    lane_truck_years = list(flat(lane, truck, year))
    nodes, trucks = base.nodes.ids, data.trucks.names.ids
    away = np.flatnonzero(d.leaves_per_vkm).tolist()
    places: list[Any] = [base.regions.ids, trucks, base.cargo_types.ids, years]
    leaving = [(region[i], truck[i], goods[i], year[i]) for i in away]
    arriving = [(arrival[i], truck[i], goods[i], year[i]) for i in away]
    lanes_away = [lane[i] for i in away]
    lane_trucks = list(flat(lane, truck))
    return {
        "lane_truck_years": lane_truck_years,
        "drives_in": Members("drives_in", year, zip(lane, truck, strict=True), parts=[years]),
        "trucks_on": Members(
            "trucks_on", flat(lane, year), truck,
            parts=[nodes, nodes, base.cargo_types.ids, {each.n for each in lane}, years],
        ),
        "lanes_of": Members(
            "lanes_of", zip(region, truck, year, strict=True), lane, parts=[base.regions.ids, trucks, years]
        ),
        "leaving": Members("leaving", leaving, lanes_away, parts=places),
        "arriving": Members("arriving", arriving, lanes_away, parts=places),
        "distance_km": Figure("distance_km", lane, data.lanes.distance_km[d.lane]),
        "lanes_open": _lanes_open(data, list(zip(region, truck, year, strict=True)), lane),
        "load_t": Figure("load_t", lane_trucks, d.load_t),
        "used_km_per_vkm": Figure("used_km_per_vkm", lane_trucks, d.used_km_per_vkm),
        "h_per_vkm": Figure("h_per_vkm", lane_truck_years, d.hours_per_vkm),
        "road_running_eur_per_vkm": Figure("road_running_eur_per_vkm", lane_truck_years, d.cost_eur["road_running"]),
    }  # fmt: skip


def _lanes_open(data: ModelData, fleet_years: list[tuple[str, str, int]], lane: list[Lane]) -> Members:
    """Lanes by region, truck, weekly opening hours that they do not exceed, and year: where those bind a truck."""
    d, trucks = data.driving, data.trucks
    keys: list[tuple[Any, ...]] = []
    lanes: list[Lane] = []
    hours = np.unique(d.open_h_per_week[np.isfinite(d.open_h_per_week)]).tolist()
    for open_h in hours:
        binds = (d.open_h_per_week <= open_h) & (WEEKS_PER_YEAR * open_h < trucks.annual_h[d.vehicle])
        some = np.flatnonzero(binds).tolist()
        keys += [(*fleet_years[i][:2], open_h, fleet_years[i][2]) for i in some]
        lanes += [lane[i] for i in some]
    return Members(
        "lanes_open", keys, lanes, parts=[data.base.regions.ids, trucks.names.ids, hours, data.time.years.tolist()]
    )


def trip_figures(data: ModelData, named: Named) -> dict[str, Any]:
    """Everything of `empty_vkm`."""
    e, base, years, year = data.empties, data.base, named.years, named.year(data.empties.t)
    trips, regions, trucks = named.trips, base.regions.ids, data.trucks.names.ids
    goods = base.cargo_types.ids
    keys = list(flat(trips, year))
    ends = [trip[:2] for trip in trips]
    places: list[Any] = [regions, trucks, goods, years]
    return {
        "trip_years": keys,
        "trips_in": Members("trips_in", year, trips, parts=[years]),
        "trips_of": Members(
            "trips_of", ((r, v, y) for r, _, v, _, y in keys), trips, parts=[regions, trucks, years]
        ),
        "trips_from": Members("trips_from", ((r, v, h, y) for r, _, v, h, y in keys), trips, parts=places),
        "trips_to": Members("trips_to", ((s, v, h, y) for _, s, v, h, y in keys), trips, parts=places),
        "trip_km": Figure("trip_km", ends, 1.0 / e.trips_per_vkm),
        "trip_used_km": Figure("trip_used_km", trips, e.used_km_per_vkm),
        "trip_h_per_km": Figure("trip_h_per_km", ends, e.hours_per_vkm),
        "trip_running_eur_per_vkm": Figure("trip_running_eur_per_vkm", keys, e.cost_eur["road_running"]),
    }  # fmt: skip
