"""Trucks: what one does and costs in a year, on lanes and on empty trips, and who may buy, keep or sell which."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.figures.names import Figure, Members, Named, flat, limits, of


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
        "open_h_per_week": limits("open_h_per_week", lane, d.open_h_per_week),
        "load_t": Figure("load_t", lane_trucks, d.load_t),
        "km_per_vkm": Figure("km_per_vkm", lane_trucks, d.km_per_vkm),
        "h_per_vkm": Figure("h_per_vkm", lane_truck_years, d.hours_per_vkm),
        "road_running_eur_per_vkm": Figure("road_running_eur_per_vkm", lane_truck_years, d.cost_eur["road_running"]),
    }  # fmt: skip


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
        "trip_h_per_km": Figure("trip_h_per_km", ends, e.hours_per_vkm),
        "trip_running_eur_per_vkm": Figure("trip_running_eur_per_vkm", keys, e.cost_eur["road_running"]),
    }  # fmt: skip
