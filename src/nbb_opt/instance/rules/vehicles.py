"""Vehicles, the trucks of today, what they run on and what is paid for them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from nbb_opt.errors import Problem
from nbb_opt.instance.cells import split_list
from nbb_opt.instance.rules.registry import RuleContext, rule
from nbb_opt.instance.wording import listed, number

_OWNED_COLUMNS = ("annual_km", "annual_h", "lifetime_years")
_TECHNOLOGIES = {
    "road": ("diesel", "hvo", "biogas", "battery", "hydrogen"),
    "rail": ("diesel", "hvo", "battery", "hydrogen", "electric"),
    "sea": ("marine", "hvo", "biogas", "battery", "hydrogen", "diesel"),
    "ferry": ("ferry", "marine", "hvo", "biogas", "battery", "hydrogen", "diesel"),
}


@rule("vehicles")
def vehicles_weigh_less_empty_than_full(context: RuleContext) -> Iterator[Problem]:
    """kerb_t is less than gross_t."""
    for i, row in context.rows("vehicles"):
        if row["kerb_t"] >= row["gross_t"]:
            what = f"is not less than gross_t ({number(row['gross_t'])} t)"
            hint = "kerb_t is the weight when empty; were the two swapped?"
            yield context.fault("vehicles", i, "kerb_t", row["kerb_t"], what, hint)


@rule("vehicles")
def technologies_fit_the_mode(context: RuleContext) -> Iterator[Problem]:
    """electric (overhead line) is for rail, marine for sea and ferry, ferry for ferry."""
    for i, row in context.rows("vehicles"):
        allowed = _TECHNOLOGIES[row["mode"]]
        if row["technology"] not in allowed:
            battery = row["mode"] == "road" and row["technology"] == "electric"
            hint = "did you mean 'battery'?" if battery else f"one of {listed(allowed)}"
            what = f"is not a technology of {row['mode']} vehicles"
            yield context.fault("vehicles", i, "technology", row["technology"], what, hint)


@rule("vehicles")
def trucks_are_owned(context: RuleContext) -> Iterator[Problem]:
    """A road vehicle has annual_km, annual_h and lifetime_years."""
    for i, row in context.rows("vehicles"):
        for column in _OWNED_COLUMNS:
            if row["mode"] == "road" and math.isnan(row[column]):
                yield context.fault("vehicles", i, column, None, "is blank for a truck", "trucks are owned: give it")


@rule("vehicles")
def services_are_not_owned(context: RuleContext) -> Iterator[Problem]:
    """A rail, sea or ferry vehicle leaves annual_km, annual_h and lifetime_years blank."""
    for i, row in context.rows("vehicles"):
        for column in _OWNED_COLUMNS:
            if row["mode"] != "road" and not math.isnan(row[column]):
                what = f"is given although {row['mode']} is bought as a service"
                yield context.fault("vehicles", i, column, row[column], what, "leave it blank, or is the mode road?")


@rule("vehicle_years", uses=("vehicles",))
def services_cost_nothing_to_own(context: RuleContext) -> Iterator[Problem]:
    """capex_eur and fixed_eur_per_year of a rail, sea or ferry vehicle are 0: its running cost holds them."""
    modes = {row["vehicle"]: row["mode"] for row in context.each("vehicles")}
    for i, row in context.rows("vehicle_years"):
        for column in ("capex_eur", "fixed_eur_per_year"):
            if modes[row["vehicle"]] != "road" and row[column] != 0:
                what = f"is not 0 although {row['vehicle']} is bought as a service"
                hint = "write 0 and put the cost into running_eur_per_vkm"
                yield context.fault("vehicle_years", i, column, row[column], what, hint)


@rule("vehicle_years", uses=("vehicles",))
def vehicles_have_costs(context: RuleContext) -> Iterator[Problem]:
    """Every vehicle has rows in vehicle_years."""
    priced = set(context.frames["vehicle_years"]["vehicle"])
    for i, row in context.rows("vehicles"):
        if row["vehicle"] not in priced:
            hint = f"add its cost and energy use to {context.file('vehicle_years')}"
            yield context.fault("vehicles", i, "vehicle", row["vehicle"], "has no row in vehicle_years", hint)


@rule("vehicle_years")
def full_vehicles_use_no_less_energy(context: RuleContext) -> Iterator[Problem]:
    """full_kwh_per_vkm is at least empty_kwh_per_vkm."""
    for i, row in context.rows("vehicle_years"):
        full, empty = row["full_kwh_per_vkm"], row["empty_kwh_per_vkm"]
        if full < empty:
            what = f"is less than empty_kwh_per_vkm ({number(empty)} kWh/vkm)"
            yield context.fault("vehicle_years", i, "full_kwh_per_vkm", full, what, "were the two swapped?")


@rule("vehicles")
def track_columns_are_for_trains(context: RuleContext) -> Iterator[Problem]:
    """axle_load_t and gauge_mm are given for rail vehicles only."""
    for i, row in context.rows("vehicles"):
        for column in ("axle_load_t", "gauge_mm"):
            if row["mode"] != "rail" and not math.isnan(row[column]):
                what = f"is given for a {row['mode']} vehicle"
                yield context.fault("vehicles", i, column, row[column], what, "leave it blank, or is the mode rail?")


@rule("vehicles")
def battery_trucks_say_range_and_charging(context: RuleContext) -> Iterator[Problem]:
    """A road vehicle of technology battery has range_km and charge_kw; no other vehicle has charge_kw."""
    for i, row in context.rows("vehicles"):
        battery = row["mode"] == "road" and row["technology"] == "battery"
        for column in ("range_km", "charge_kw"):
            if battery and math.isnan(row[column]):
                yield context.fault("vehicles", i, column, None, "is blank for a battery truck", "give it")
        if not battery and not math.isnan(row["charge_kw"]):
            what = f"is given for a {row['mode']} vehicle of technology {row['technology']}"
            hint = "only battery trucks charge: leave it blank, or is the technology battery?"
            yield context.fault("vehicles", i, "charge_kw", row["charge_kw"], what, hint)


@rule("vehicles")
def making_is_for_trucks(context: RuleContext) -> Iterator[Problem]:
    """making_kg_co2e is for road vehicles, battery_making_kg_co2e for battery trucks; making_source is their source."""
    for i, row in context.rows("vehicles"):
        makes = {"making_kg_co2e": row["mode"] == "road", "battery_making_kg_co2e": not math.isnan(row["charge_kw"])}
        for column, may in makes.items():
            if not may and not math.isnan(row[column]):
                what = f"is given for a {row['mode']} vehicle of technology {row['technology']}"
                yield context.fault("vehicles", i, column, row[column], what, "leave it blank: only trucks are bought")
        if not row["making_source"] and not all(math.isnan(row[column]) for column in makes):
            what = "is blank although making_kg_co2e or battery_making_kg_co2e is given"
            yield context.fault("vehicles", i, "making_source", None, what, "name a row of sources")


@rule("vehicles", uses=("vehicle_loads",))
def vehicles_carry_something(context: RuleContext) -> Iterator[Problem]:
    """Every vehicle has a row in vehicle_loads."""
    carrying = {row["vehicle"] for row in context.each("vehicle_loads")}
    for i, row in context.rows("vehicles"):
        if row["vehicle"] not in carrying:
            hint = f"say in {context.file('vehicle_loads')} what it carries"
            yield context.fault("vehicles", i, "vehicle", row["vehicle"], "has no row in vehicle_loads", hint)


@rule("vehicle_loads", uses=("vehicles",))
def turnaround_is_for_trucks(context: RuleContext) -> Iterator[Problem]:
    """turnaround_h of a rail, sea or ferry vehicle is 0 (handling_costs hold that time), its annual_km blank."""
    modes = {row["vehicle"]: row["mode"] for row in context.each("vehicles")}
    for i, row in context.rows("vehicle_loads"):
        if modes[row["vehicle"]] == "road":
            continue
        for column, wrong, hint in (
            ("turnaround_h", row["turnaround_h"] != 0, "write 0"),
            ("annual_km", not math.isnan(row["annual_km"]), "leave it blank"),
        ):
            if wrong:
                what = f"is given although {row['vehicle']} is bought as a service"
                yield context.fault("vehicle_loads", i, column, row[column], what, hint)


@rule("commodities", uses=("vehicles", "vehicle_loads"))
def commodities_have_a_vehicle(context: RuleContext) -> Iterator[Problem]:
    """For every commodity some vehicle of a mode it may use carries its cargo type."""
    modes = {row["vehicle"]: row["mode"] for row in context.each("vehicles")}
    carried = {(modes[row["vehicle"]], row["cargo_type"]) for row in context.each("vehicle_loads")}
    for i, row in context.rows("commodities"):
        allowed = split_list(row["modes"])
        if not any((mode, row["cargo_type"]) in carried for mode in allowed):
            what = f"is carried by no {' or '.join(allowed)} vehicle"
            hint = f"add a row to {context.file('vehicle_loads')}"
            yield context.fault("commodities", i, "cargo_type", row["cargo_type"], what, hint)


@rule("fleet", uses=("vehicles",))
def fleets_are_trucks(context: RuleContext) -> Iterator[Problem]:
    """The fleet names road vehicles: trains and ships are bought as a service."""
    modes = {row["vehicle"]: row["mode"] for row in context.each("vehicles")}
    for i, row in context.rows("fleet"):
        if modes[row["vehicle"]] != "road":
            what = f"is a {modes[row['vehicle']]} vehicle, bought as a service"
            yield context.fault("fleet", i, "vehicle", row["vehicle"], what, "name a road vehicle, or remove the row")


@rule("fleet", uses=("meta",))
def fleets_are_older_than_the_plan(context: RuleContext) -> Iterator[Problem]:
    """vintage_year is before the first period: later trucks are bought by the plan."""
    first = context.periods[0].year
    for i, row in context.rows("fleet"):
        if row["vintage_year"] >= first:
            hint = f"give a year before {first}"
            yield context.fault("fleet", i, "vintage_year", row["vintage_year"], f"is not before {first}", hint)


@rule("fleet", uses=("vehicles",))
def fleets_could_be_had(context: RuleContext) -> Iterator[Problem]:
    """vintage_year is not before the vehicle's available_from."""
    since = {row["vehicle"]: row["available_from"] for row in context.each("vehicles")}
    for i, row in context.rows("fleet"):
        if row["vintage_year"] < since[row["vehicle"]]:
            what = f"is before {row['vehicle']} could be had ({since[row['vehicle']]})"
            hint = f"correct it, or available_from in {context.file('vehicles')}"
            yield context.fault("fleet", i, "vintage_year", row["vintage_year"], what, hint)


@rule("battery_wear", uses=("vehicles",))
def wear_is_about_a_range(context: RuleContext) -> Iterator[Problem]:
    """A vehicle in battery_wear is a truck with a range."""
    known = {row["vehicle"]: row for row in context.each("vehicles")}
    for i, row in context.rows("battery_wear"):
        vehicle = known.get(row["vehicle"])
        if vehicle is not None and (vehicle["mode"] != "road" or vehicle["range_km"] != vehicle["range_km"]):
            what = "is no truck with a range_km"
            yield context.fault("battery_wear", i, "vehicle", row["vehicle"], what, "remove the row or give range_km")


@rule("subsidies", uses=("vehicles",))
def subsidies_name_a_truck_technology(context: RuleContext) -> Iterator[Problem]:
    """A subsidy is for a technology of some truck."""
    trucks = sorted({row["technology"] for row in context.each("vehicles") if row["mode"] == "road"})
    for i, row in context.rows("subsidies"):
        if row["technology"] not in trucks:
            yield context.fault(
                "subsidies", i, "technology", row["technology"], "is of no truck", f"one of {listed(trucks)}"
            )


@rule("subsidies")
def subsidies_end_after_they_begin(context: RuleContext) -> Iterator[Problem]:
    """last_year is not before first_year."""
    for i, row in context.rows("subsidies"):
        if row["last_year"] < row["first_year"]:
            what = f"is before first_year {int(row['first_year'])}"
            yield context.fault("subsidies", i, "last_year", int(row["last_year"]), what, "were the two swapped?")


@rule("subsidies")
def subsidies_about_shares_are_shares(context: RuleContext) -> Iterator[Problem]:
    """purchase_grant_share and toll_exemption_share are between 0 and 1."""
    for i, row in context.rows("subsidies"):
        if row["kind"].endswith("_share") and row["value"] > 1:
            hint = f"did you mean {number(row['value'] / 100)}?" if row["value"] <= 100 else "give a share"
            yield context.fault("subsidies", i, "value", row["value"], "is a share above 1", hint)


@rule("subsidies")
def subsidies_are_given_once(context: RuleContext) -> Iterator[Problem]:
    """Two subsidies of one kind, country and technology do not overlap."""
    spans: dict[tuple[object, ...], list[tuple[int, int, int]]] = {}
    for i, row in context.rows("subsidies"):
        same = spans.setdefault((row["kind"], row["country"], row["technology"]), [])
        for first, last, other in same:
            if row["first_year"] <= last and first <= row["last_year"]:
                what = f"overlaps row {context.faults['subsidies'].file.row(other)}, which says the same kind of thing"
                yield context.fault("subsidies", i, "subsidy", row["subsidy"], what, "change the years or remove one")
                break
        same.append((int(row["first_year"]), int(row["last_year"]), i))


@rule("subsidies", uses=("meta", "vehicles", "vehicle_years"))
def grants_leave_a_price_to_pay(context: RuleContext) -> Iterator[Problem]:
    """The purchase grants of a period for a truck are no more than it loses until it can be sold, at the start of the
    next period: a resale value is that of the full price, and trucks bought to be sold would earn without end."""
    grants = [(i, row) for i, row in context.rows("subsidies") if row["kind"].startswith("purchase_grant")]
    prices: dict[str, dict[int, float]] = {}
    for row in sorted(context.each("vehicle_years"), key=lambda row: row["year"]):
        prices.setdefault(row["vehicle"], {})[row["year"]] = row["capex_eur"]
    trucks = [truck for truck in context.each("vehicles") if truck["mode"] == "road"]
    countries = sorted({row["country"] for _, row in grants})
    for period, country, truck in itertools.product(context.periods, countries, trucks):
        given = [
            (i, row) for i, row in grants
            if row["country"] == country and row["technology"] == truck["technology"]
            and row["first_year"] <= period.year <= row["last_year"] and truck["available_from"] <= period.year
        ]  # fmt: skip
        known = prices.get(truck["vehicle"], {period.year: 0.0})
        price_eur = float(np.interp(period.year, list(known), list(known.values())))
        left = max(0.0, 1.0 - period.years / truck["lifetime_years"])
        lost_eur = price_eur * (1.0 - truck["resale_share"] * left)
        paid_eur = sum(row["value"] * (price_eur if row["kind"].endswith("_share") else 1.0) for _, row in given)
        if paid_eur > lost_eur * (1.0 + 1e-9) and paid_eur > 0.0:
            i, row = given[-1]
            what = (
                f"makes the grants for {truck['vehicle']} in {country} in {period.year} {paid_eur:,.0f} EUR, more than "
            )
            what += f"the {lost_eur:,.0f} EUR of its {price_eur:,.0f} EUR that it loses until it can be sold"
            hint = "trucks would be bought only to be sold; lower the grant, or resale_share in vehicles"
            yield context.fault("subsidies", i, "value", row["value"], what, hint)
            return


@rule("vehicles", uses=("energy", "links", "charge_areas", "fleet_regions"))
def energy_is_priced_where_vehicles_take_it_in(context: RuleContext) -> Iterator[Problem]:
    """The energy table has a vehicle's carrier for every country with links of its mode; for battery trucks for every
    country with charge areas or fleet regions; for overhead-line trains where rail links are electrified."""
    priced = {(row["energy_carrier"], row["country"]) for row in context.each("energy")}
    charging = {row["country"] for table in ("charge_areas", "fleet_regions") for row in context.each(table)}
    countries: dict[str, set[str]] = {}
    electrified = set()
    for row in context.each("links"):
        countries.setdefault(row["mode"], set()).add(row["country"])
        if row["electrified_share"] > 0:
            electrified.add(row["country"])
    told: set[tuple[str, str]] = set()
    for i, row in context.rows("vehicles"):
        needed = countries.get(row["mode"], set())
        if row["mode"] == "road" and not math.isnan(row["charge_kw"]):
            needed = charging
        elif row["technology"] == "electric":
            needed = electrified
        elif row["mode"] == "road":
            needed = needed | {region["country"] for region in context.each("fleet_regions")}
        for country in sorted(needed):
            pair = (row["energy_carrier"], country)
            if pair not in priced and pair not in told:
                told.add(pair)
                what = f"has no row for {country}, where {row['vehicle']} may take it in"
                hint = f"add rows {pair[0]},{country} to {context.file('energy')}"
                yield context.fault("vehicles", i, "energy_carrier", row["energy_carrier"], what, hint)


@rule("countries", uses=("country_years", "links", "nodes", "fleet_regions"))
def countries_have_prices(context: RuleContext) -> Iterator[Problem]:
    """Every country with nodes, links or fleet regions has rows in country_years."""
    used = {row["country"] for table in ("nodes", "links", "fleet_regions") for row in context.each(table)}
    priced = {row["country"] for row in context.each("country_years")}
    for i, row in context.rows("countries"):
        if row["country"] in used - priced:
            hint = f"add wages and carbon price to {context.file('country_years')}"
            yield context.fault("countries", i, "country", row["country"], "has no row in country_years", hint)


@rule("fuel_substitutes", uses=("vehicles", "energy"))
def substitutes_replace_a_fuel(context: RuleContext) -> Iterator[Problem]:
    """A substitute is another carrier than the one it replaces, has a price where that has one, and replaces what
    vehicles of its mode take in, none of them from a charger."""
    places: dict[str, set[str]] = {}
    for row in context.each("energy"):
        places.setdefault(row["energy_carrier"], set()).add(row["country"])
    users = [(row["mode"], row["energy_carrier"], row["charge_kw"]) for row in context.each("vehicles")]
    for i, row in context.rows("fuel_substitutes"):
        own, other = row["replaces"], row["energy_carrier"]
        charged = [not math.isnan(kw) for mode, carrier, kw in users if (mode, carrier) == (row["mode"], own)]
        if own == other:
            what, hint = "is what it replaces", "name the other energy carrier"
            yield context.fault("fuel_substitutes", i, "energy_carrier", other, what, hint)
        elif not places.get(own, set()) & places.get(other, set()):
            what = f"has no price in any country where {own} has one"
            hint = f"add rows to {context.file('energy')}"
            yield context.fault("fuel_substitutes", i, "energy_carrier", other, what, hint)
        if not charged:
            what = f"is the energy carrier of no {row['mode']} vehicle"
            yield context.fault("fuel_substitutes", i, "replaces", own, what, "is the mode right?")
        elif any(charged):
            what, hint = "is taken from chargers by some of these vehicles", "only fuels can be replaced"
            yield context.fault("fuel_substitutes", i, "replaces", own, what, hint)
