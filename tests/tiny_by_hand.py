"""The coefficients of `instances/tiny/EXPECTED.md`, in exact fractions from the tables: no model, no solver.

Chains and lanes are written out as the derivation states them; the formulas are those of `models/README.md`.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

TINY = Path(__file__).parents[1] / "instances" / "tiny"
YEARS = (2025, 2030)  # start years; five years each, no discounting
LENGTH = 5
HORIZON = 2035

Steps = tuple[tuple[str, ...], ...]


def rows(name: str) -> list[dict[str, str]]:
    with (TINY / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


TABLES = {path.stem: rows(path.stem) for path in sorted(TINY.glob("*.csv"))}


def at(table: str, column: str, year: int | None = None, /, **key: str) -> Fraction:
    """A figure of one row, or of two rows of neighbouring years joined by a straight line."""
    found = [row for row in TABLES[table] if all(row[k] == v for k, v in key.items())]
    if year is None:
        assert len(found) == 1, (table, key)
        return Fraction(found[0][column])
    (y0, v0), (y1, v1) = sorted((int(row["year"]), Fraction(row[column])) for row in found)
    return v0 + (v1 - v0) * Fraction(year - y0, y1 - y0)


def text(table: str, column: str, /, **key: str) -> str:
    (found,) = [row for row in TABLES[table] if all(row[k] == v for k, v in key.items())]
    return found[column]


class Lane(NamedTuple):
    """A run of road links driven by one truck; `local` lanes start and end in the same region."""

    links: tuple[str, ...]
    cargo_type: str
    start: str
    end: str


LANES = {
    "ore": Lane(("ROAD_MINE_WEST",), "dry_bulk", "W", "W"),
    "wood_w": Lane(("ROAD_MINE_WEST",), "timber", "W", "W"),
    "wood_e": Lane(("ROAD_EAST_PLANT",), "timber", "E", "E"),
    "box_last": Lane(("ROAD_EAST_PLANT",), "container", "E", "E"),
    "box": Lane(("ROAD_WEST_GAP", "ROAD_GAP_EAST", "ROAD_EAST_PLANT"), "container", "W", "E"),
    "fish": Lane(("ROAD_WEST_PORTW", "ROAD_WEST_GAP", "ROAD_GAP_EAST", "ROAD_EAST_PORTE"), "break_bulk", "W", "E"),
    "pulp": Lane(("ROAD_EAST_PORTE", "ROAD_GAP_EAST", "ROAD_WEST_GAP", "ROAD_WEST_PORTW"), "neo_bulk", "E", "W"),
}
# km before the first, between, and after the last charging node (WEST, EAST), where a round trip is too long
CHARGED_ON_THE_WAY = {
    "box": (("CW", 0), 200, ("CE", 50)),
    "fish": (("CW", 25), 200, ("CE", 25)),
    "pulp": (("CE", 25), 200, ("CW", 25)),
}


class Chain(NamedTuple):
    """A way to carry a flow: commodity, main mode, steps (lane name, link, or transfer at a node between two modes)."""

    flow: tuple[str, str, str]
    mode: str
    steps: Steps


ORE, WOOD_W, WOOD_E = ("MINE", "WEST", "ORE"), ("MINE", "WEST", "WOOD"), ("EAST", "PLANT", "WOOD")
BOX, FISH, PULP = ("WEST", "PLANT", "BOX"), ("PORTW", "PORTE", "FISH"), ("PORTE", "PORTW", "PULP")


def across(origin: str, mode: str, link: str, destination: str) -> Steps:
    return (("transfer", origin, "road", mode), ("link", link), ("transfer", destination, "road", mode))


CHAINS = {
    "ore_road": Chain(ORE, "road", (("lane", "ore"),)),
    "ore_rail": Chain(ORE, "rail", across("MINE", "rail", "RAIL_MINE_WEST", "WEST")),
    "wood_w": Chain(WOOD_W, "road", (("lane", "wood_w"),)),
    "wood_e": Chain(WOOD_E, "road", (("lane", "wood_e"),)),
    "box_road": Chain(BOX, "road", (("lane", "box"),)),
    "box_rail": Chain(
        BOX,
        "rail",
        (
            ("transfer", "WEST", "road", "rail"),
            ("link", "RAIL_WEST_GAP"),
            ("transfer", "GAP", "rail", "rail"),
            ("link", "RAIL_GAP_EAST"),
            ("transfer", "EAST", "road", "rail"),
            ("lane", "box_last"),
        ),
    ),
    "fish_road": Chain(FISH, "road", (("lane", "fish"),)),
    "fish_ferry": Chain(FISH, "ferry", across("PORTW", "ferry", "FERRY_PORTW_PORTE", "PORTE")),
    "pulp_road": Chain(PULP, "road", (("lane", "pulp"),)),
    "pulp_sea": Chain(PULP, "sea", across("PORTE", "sea", "SEA_PORTE_PORTW", "PORTW")),
}


class Amounts:
    """Cost by component, energy emissions (TTW and WTT, kg) and kWh by charging area, per unit of something."""

    def __init__(self) -> None:
        self.eur: defaultdict[str, Fraction] = defaultdict(Fraction)
        self.ttw = Fraction(0)
        self.wtt = Fraction(0)
        self.kwh: defaultdict[str, Fraction] = defaultdict(Fraction)
        self.hours = Fraction(0)

    def add(self, other: Amounts, times: Fraction) -> None:
        for component, eur in other.eur.items():
            self.eur[component] += eur * times
        for area, kwh in other.kwh.items():
            self.kwh[area] += kwh * times
        self.ttw += other.ttw * times
        self.wtt += other.wtt * times
        self.hours += other.hours * times

    def energy(self, component: str, carrier: str, country: str, year: int, kwh: Fraction) -> None:
        key = {"energy_carrier": carrier, "country": country}
        self.eur[component] += kwh * at("energy", "price_eur_per_kwh", year, **key)
        self.emit(country, year, kwh * at("energy", "ttw_kg_co2e_per_kwh", year, **key))
        self.wtt += kwh * at("energy", "wtt_kg_co2e_per_kwh", year, **key)

    def emit(self, country: str, year: int, ttw: Fraction) -> None:
        self.ttw += ttw
        self.eur["carbon"] += ttw / 1000 * at("country_years", "carbon_price_eur_per_t", year, country=country)


def load_t(vehicle: str, cargo_type: str) -> Fraction:
    empty_weight = at("vehicles", "kerb_t", vehicle=vehicle)
    factor = at("vehicle_loads", "load_factor", vehicle=vehicle, cargo_type=cargo_type)
    return (at("vehicles", "gross_t", vehicle=vehicle) - empty_weight) * factor


def kwh_loaded(vehicle: str, cargo_type: str, year: int) -> Fraction:
    """kWh per loaded vkm outside winter: the load factor says how far between empty and full."""
    low, high = (at("vehicle_years", f"{c}_kwh_per_vkm", year, vehicle=vehicle) for c in ("empty", "full"))
    return low + (high - low) * at("vehicle_loads", "load_factor", vehicle=vehicle, cargo_type=cargo_type)


def winter(vehicle: str, country: str) -> Fraction:
    share = at("countries", "winter_share", country=country)
    return 1 + share * (at("vehicles", "winter_factor", vehicle=vehicle) - 1)


def length_km(lane: Lane) -> Fraction:
    return sum((at("links", "distance_km", link=link) for link in lane.links), Fraction(0))


def service(link: str, cargo_type: str, year: int) -> Amounts:
    """Per tonne on a rail, sea or ferry link; the mine line is half electric, half diesel."""
    shares = {
        "RAIL_WEST_GAP": {"TRAIN_E": Fraction(1)},
        "RAIL_GAP_EAST": {"TRAIN_D": Fraction(1)},
        "RAIL_MINE_WEST": {"TRAIN_E": Fraction(1, 2), "TRAIN_D": Fraction(1, 2)},
        "SEA_PORTE_PORTW": {"SHIP": Fraction(1)},
        "FERRY_PORTW_PORTE": {"FERRY": Fraction(1)},
    }[link]
    per_t, km, country = Amounts(), at("links", "distance_km", link=link), text("links", "country", link=link)
    for vehicle, share in shares.items():
        empty = at("vehicle_loads", "empty_share", vehicle=vehicle, cargo_type=cargo_type)
        p = load_t(vehicle, cargo_type)
        back = at("vehicle_years", "empty_kwh_per_vkm", year, vehicle=vehicle) * empty / (1 - empty)
        kwh = (kwh_loaded(vehicle, cargo_type, year) + back) / p
        toll = at("links", "toll_eur_per_vkm", link=link)
        paid = at("vehicle_years", "running_eur_per_vkm", year, vehicle=vehicle) + toll
        per_t.eur["service"] += share * km * paid / (p * (1 - empty))
        carrier = text("vehicles", "energy_carrier", vehicle=vehicle)
        per_t.energy("service", carrier, country, year, share * km * kwh)
    per_t.eur["service"] += at("links", "charge_eur_per_t", link=link)
    return per_t


def per_tonne(chain: Chain, year: int) -> Amounts:
    """What a tonne pays on its way outside trucks: services, transfers, cargo time."""
    commodity = chain.flow[2]
    cargo_type = text("commodities", "cargo_type", commodity=commodity)
    total, hours = Amounts(), Fraction(0)
    for kind, *what in chain.steps:
        if kind == "link":
            total.add(service(what[0], cargo_type, year), Fraction(1))
            hours += at("links", "time_h", link=what[0])
        elif kind == "lane":
            hours += sum((at("links", "time_h", link=link) for link in LANES[what[0]].links), Fraction(0))
        else:
            key = {"mode_a": what[1], "mode_b": what[2], "cargo_type": cargo_type}
            hours += at("handling_costs", "time_h", **key)
            total.eur["handling"] += at("handling_costs", "cost_eur_per_t", **key)
            country = text("nodes", "country", node=what[0])
            total.emit(country, year, at("handling_costs", "ttw_kg_co2e_per_t", **key))
            total.wtt += at("handling_costs", "wtt_kg_co2e_per_t", **key)
    total.eur["cargo_time"] += hours * at("commodities", "value_of_time_eur_per_t_h", commodity=commodity)
    return total


def kappa(lane: Lane, vehicle: str) -> Fraction:
    """Empty vkm that each loaded vkm of a local lane brings."""
    empty = at("vehicle_loads", "empty_share", vehicle=vehicle, cargo_type=lane.cargo_type)
    return empty / (1 - empty) if lane.start == lane.end else Fraction(0)


def areas(name: str) -> dict[str, Fraction]:
    """Share of a battery truck's energy drawn in each charging area."""
    if name not in CHARGED_ON_THE_WAY:
        return {text("fleet_regions", "charge_area", fleet_region=LANES[name].start): Fraction(1)}
    (first, before), between, (last, after) = CHARGED_ON_THE_WAY[name]
    km = length_km(LANES[name])
    return {first: (before + Fraction(between, 2)) / km, last: (after + Fraction(between, 2)) / km}


def per_loaded_vkm(name: str, vehicle: str, year: int) -> Amounts:
    lane, each = LANES[name], Amounts()
    km, local = length_km(lane), kappa(lane, vehicle)
    hours = sum((at("links", "time_h", link=link) for link in lane.links), Fraction(0))
    waiting = at("vehicle_loads", "turnaround_h", vehicle=vehicle, cargo_type=lane.cargo_type)
    battery, carrier = vehicle == "BATTERY", text("vehicles", "energy_carrier", vehicle=vehicle)
    back = local * at("vehicle_years", "empty_kwh_per_vkm", year, vehicle=vehicle)
    kwh = winter(vehicle, "SE") * (kwh_loaded(vehicle, lane.cargo_type, year) + back)  # winters are alike in SE and FI
    each.hours = hours / km * (1 + local) + waiting / km
    if battery and name in CHARGED_ON_THE_WAY:
        each.hours += kwh / at("vehicles", "charge_kw", vehicle=vehicle)
    each.eur["road_running"] = (1 + local) * at("vehicle_years", "running_eur_per_vkm", year, vehicle=vehicle)
    country = text("fleet_regions", "country", fleet_region=lane.start)
    each.eur["drivers"] = each.hours * at("country_years", "driver_cost_eur_per_h", year, country=country)
    if battery:
        for area, share in areas(name).items():
            each.kwh[area] += kwh * share
            each.energy("road_energy", carrier, text("charge_areas", "country", charge_area=area), year, kwh * share)
    else:
        for link in lane.links:
            share = at("links", "distance_km", link=link) / km
            each.energy("road_energy", carrier, text("links", "country", link=link), year, kwh * share)
    return each


HUB_KM, HUB_H = Fraction(200), Fraction(4)  # WEST to EAST by road


def per_empty_vkm(region: str, vehicle: str, year: int) -> Amounts:
    each, country = Amounts(), text("fleet_regions", "country", fleet_region=region)
    kwh = winter(vehicle, country) * at("vehicle_years", "empty_kwh_per_vkm", year, vehicle=vehicle)
    each.hours = HUB_H / HUB_KM
    each.eur["road_running"] = at("vehicle_years", "running_eur_per_vkm", year, vehicle=vehicle)
    each.eur["drivers"] = each.hours * at("country_years", "driver_cost_eur_per_h", year, country=country)
    each.energy("road_energy", text("vehicles", "energy_carrier", vehicle=vehicle), country, year, kwh)
    if vehicle == "BATTERY":
        each.kwh[text("fleet_regions", "charge_area", fleet_region=region)] = kwh
    return each
