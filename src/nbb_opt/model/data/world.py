"""Places, links, prices and factors of the instance as arrays that the other parts of the data look into."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbb_opt.instance import Instance
from nbb_opt.instance.gradients import energy_factors
from nbb_opt.instance.schema import CARGO_TYPES, MODES
from nbb_opt.model.data.haulage import PublicCharging, break_share, open_h_per_week, public_charging_of
from nbb_opt.model.data.periods import Floats, Ints, Names, by_key_and_period


@dataclass(frozen=True)
class World:
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


def world_of(instance: Instance) -> World:
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
    return World(
        countries, nodes, regions, areas, links, carriers, Names(CARGO_TYPES),
        instance["countries"]["winter_share"].to_numpy(float), countries.of(node["country"]),
        regions.of(node["fleet_region"]), areas.of(node["charge_area"]), countries.of(region["country"]),
        areas.of(region["charge_area"]), countries.of(area["country"]), area["grid_mw"].to_numpy(float),
        nodes.of(link["from_node"]), nodes.of(link["to_node"]),
        link["distance_km"].to_numpy(float), link["time_h"].to_numpy(float), countries.of(link["country"]),
        link["toll_eur_per_vkm"].to_numpy(float), link["charge_eur_per_t"].to_numpy(float),
        link["max_gross_t"].fillna(np.inf).to_numpy(float), energy_factors(instance),
        Names(MODES).of(link["mode"]), np.where(group >= 0, group, np.arange(len(links))),
        link["capacity_t_per_year"].fillna(np.inf).to_numpy(float),
        country["driver_cost_eur_per_h"], country["carbon_price_eur_per_t"], country["driver_limit_h_per_year"],
        energy["price_eur_per_kwh"], energy["ttw_kg_co2e_per_kwh"], energy["wtt_kg_co2e_per_kwh"],
        break_share(instance, countries), open_h_per_week(instance, nodes), public_charging_of(instance, areas),
    )  # fmt: skip
