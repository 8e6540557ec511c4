"""Places, links, prices, rules and factors of the instance as arrays that the other data look into, and business names.

A chain is (origin, destination, commodity, n), a lane is (from node, to node, cargo type, n): `n` counts the chains of
one flow, and the lanes between the same nodes for the same cargo type, from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nbb_opt.instance import Instance
from nbb_opt.instance.read import energy_factors
from nbb_opt.instance.schema import CARGO_TYPES, MODES
from nbb_opt.model.data.periods import Floats, Ints, Names, Time, by_key_and_period

if TYPE_CHECKING:
    from nbb_opt.network import Prepared


WEEKS_PER_YEAR = 52.0


@dataclass(frozen=True)
class PublicCharging:
    """What others' points sell, by area and period (areas, periods): kWh a year, kW of a point, EUR/kWh on top."""

    kwh_per_year: Floats
    kw: Floats
    price_add: Floats


@dataclass(frozen=True)
class Subsidies:
    """By truck, country and period (V, N, T): grant in EUR per truck bought, share of the toll that is not paid.

    The grant is `grant_fixed_eur` and, of the price of the truck, `grant_share`.
    """

    grant_eur: Floats
    grant_fixed_eur: Floats
    grant_share: Floats
    toll_exempt: Floats


def break_share(instance: Instance, countries: Names) -> Floats:
    """Hours of break per hour at the wheel, by country of the fleet region (N)."""
    table, share = instance["driving_rules"], np.zeros(len(countries))
    share[countries.of(table["country"])] = (table["break_h"] / table["drive_h"]).to_numpy(float)
    return share


def open_h_per_week(instance: Instance, nodes: Names) -> Floats:
    """Hours a week in which trucks can work for a place, by node; infinite where nothing is said."""
    table, hours = instance["opening_hours"], np.full(len(nodes), np.inf)
    hours[nodes.of(table["node"])] = table["hours_per_week"].to_numpy(float)
    return hours


def range_left(instance: Instance, vehicles: Names) -> Floats:
    """Share of the range that is left at the end of a vehicle's life."""
    table, left = instance["battery_wear"], np.ones(len(vehicles))
    at = vehicles.of(table["vehicle"])
    left[at[at >= 0]] = 1.0 - table["range_loss_share"].to_numpy(float)[at >= 0]
    return left


def public_charging_of(instance: Instance, areas: Names) -> PublicCharging:
    """Others' charging points; 0 kWh where there are none."""
    found = by_key_and_period(
        instance, "public_charging", [("charge_area", areas)], columns=("kwh_per_year", "kw", "price_add_eur_per_kwh")
    )
    return PublicCharging(*(np.nan_to_num(values, nan=0.0) for values in found.values()))


def subsidies_of(
    instance: Instance, countries: Names, time: Time, *, technology: list[str], vehicles: Names, capex_eur: Floats
) -> Subsidies:
    """Grants for trucks bought in a period that starts within the years of a subsidy, and the tolls it spares.

    A grant counts in full in a period that starts within its years; an exemption for the share of the period's years
    within its own.
    """
    shape = (len(vehicles), len(countries), time.size)
    fixed, of_price, exempt = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for row in instance["subsidies"].to_dict("records"):
        mine = np.flatnonzero(np.array([name == row["technology"] for name in technology], bool))
        n, first, last = int(countries.of([row["country"]])[0]), int(row["first_year"]), int(row["last_year"])
        for t, (year, length) in enumerate(zip(time.years.tolist(), time.lengths.tolist(), strict=True)):
            if row["kind"] == "toll_exemption_share":
                covered = max(0, min(last, year + length - 1) - max(first, year) + 1) / length
                exempt[mine, n, t] += row["value"] * covered
            elif first <= year <= last:
                (of_price if row["kind"] == "purchase_grant_share" else fixed)[mine, n, t] += row["value"]
    return Subsidies(fixed + of_price * capex_eur[:, None, :], fixed, of_price, exempt)


@dataclass(frozen=True, kw_only=True)
class BaseData:
    """Ids and arrays by node, link, region (-1: none) and by (carrier, country, period) or (country, period)."""

    countries: Names
    nodes: Names
    regions: Names
    areas: Names
    links: Names
    carriers: Names
    cargo_types: Names
    winter_share: Floats
    node_country: Ints
    node_region: Ints
    node_area: Ints
    region_country: Ints
    region_area: Ints
    area_country: Ints
    area_grid_mw: Floats
    link_from: Ints
    link_to: Ints
    link_km: Floats
    link_h: Floats
    link_country: Ints
    link_toll: Floats
    link_charge: Floats
    link_gross_t: Floats
    link_energy: Floats
    link_mode: Ints
    link_group: Ints
    link_capacity_t: Floats
    driver_cost: Floats
    carbon_price: Floats
    driver_limit_h: Floats
    energy_price: Floats
    energy_ttw: Floats
    energy_wtt: Floats
    break_share: Floats
    open_h_per_week: Floats
    public: PublicCharging


def base_data(instance: Instance) -> BaseData:
    """Turn the small tables into arrays."""
    countries, nodes = Names(instance["countries"]["country"]), Names(instance["nodes"]["node"])
    regions, areas = Names(instance["fleet_regions"]["fleet_region"]), Names(instance["charge_areas"]["charge_area"])
    links = Names(instance["links"]["link"])
    carriers = Names(sorted(set(instance["energy"]["energy_carrier"])))
    link, node, region, area = (instance[t] for t in ("links", "nodes", "fleet_regions", "charge_areas"))
    group = links.of(link["capacity_link"])
    country = by_key_and_period(
        instance, "country_years", [("country", countries)],
        columns=("driver_cost_eur_per_h", "carbon_price_eur_per_t", "driver_limit_h_per_year"),
    )  # fmt: skip
    energy = by_key_and_period(
        instance, "energy", [("energy_carrier", carriers), ("country", countries)],
        columns=("price_eur_per_kwh", "ttw_kg_co2e_per_kwh", "wtt_kg_co2e_per_kwh"),
    )  # fmt: skip
    return BaseData(
        countries=countries, nodes=nodes, regions=regions, areas=areas, links=links, carriers=carriers,
        cargo_types=Names(CARGO_TYPES), winter_share=instance["countries"]["winter_share"].to_numpy(float),
        node_country=countries.of(node["country"]), node_region=regions.of(node["fleet_region"]),
        node_area=areas.of(node["charge_area"]), region_country=countries.of(region["country"]),
        region_area=areas.of(region["charge_area"]), area_country=countries.of(area["country"]),
        area_grid_mw=area["grid_mw"].to_numpy(float), link_from=nodes.of(link["from_node"]),
        link_to=nodes.of(link["to_node"]), link_km=link["distance_km"].to_numpy(float),
        link_h=link["time_h"].to_numpy(float), link_country=countries.of(link["country"]),
        link_toll=link["toll_eur_per_vkm"].to_numpy(float), link_charge=link["charge_eur_per_t"].to_numpy(float),
        link_gross_t=link["max_gross_t"].fillna(np.inf).to_numpy(float), link_energy=energy_factors(instance),
        link_mode=Names(MODES).of(link["mode"]), link_group=np.where(group >= 0, group, np.arange(len(links))),
        link_capacity_t=link["capacity_t_per_year"].fillna(np.inf).to_numpy(float),
        driver_cost=country["driver_cost_eur_per_h"], carbon_price=country["carbon_price_eur_per_t"],
        driver_limit_h=country["driver_limit_h_per_year"], energy_price=energy["price_eur_per_kwh"],
        energy_ttw=energy["ttw_kg_co2e_per_kwh"], energy_wtt=energy["wtt_kg_co2e_per_kwh"],
        break_share=break_share(instance, countries), open_h_per_week=open_h_per_week(instance, nodes),
        public=public_charging_of(instance, areas),
    )  # fmt: skip


Parts = tuple[Any, ...]  # arrays of numbers, or names with an array of positions among them, as `Keys` takes them


def flow_parts(prepared: Prepared, base: BaseData, bundle: Ints) -> Parts:
    """Origin, destination and commodity of some bundles."""
    names = prepared.bundles
    commodities = Names(sorted(set(names["commodity"].tolist())))
    return (
        (base.nodes, base.nodes.of(names["origin"])[bundle]),
        (base.nodes, base.nodes.of(names["destination"])[bundle]),
        (commodities, commodities.of(names["commodity"])[bundle]),
    )


def chain_parts(prepared: Prepared, base: BaseData, chain: Ints) -> Parts:
    """Origin, destination, commodity and number of some chains; chains are sorted by bundle."""
    bundle = prepared.rows.bundle.astype(np.int64)
    number = np.arange(len(bundle)) - np.searchsorted(bundle, bundle) + 1
    return (*flow_parts(prepared, base, bundle[chain]), number[chain])


def lane_parts(prepared: Prepared, base: BaseData, lane: Ints) -> Parts:
    """Nodes at both ends, cargo type and number of some lanes."""
    items = prepared.items
    ends, cargo_type = (items.from_node.astype(np.int64), items.to_node.astype(np.int64)), items.cargo_type
    code = (ends[0] * len(base.nodes) + ends[1]) * len(base.cargo_types) + cargo_type
    number = number_within(code[: items.n_lanes])
    return (
        *((base.nodes, end[lane]) for end in ends),
        (base.cargo_types, cargo_type[lane].astype(np.int64)),
        number[lane],
    )


def number_within(group: Ints) -> Ints:
    """Which of its group each is, in the order given, counted from 1.

    >>> number_within(np.array([7, 5, 7, 7, 5])).tolist()
    [1, 1, 2, 3, 2]
    """
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    number = np.empty(len(group), np.int64)
    number[order] = np.arange(len(group)) - np.searchsorted(ordered, ordered) + 1
    return number
