"""Energy, wages and carbon prices are known wherever they can be needed."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nbb_opt.errors import Problem
from nbb_opt.instance.rules.registry import World, rule


@rule("vehicles", uses=("energy", "links", "charge_areas", "fleet_regions"))
def energy_is_priced_where_vehicles_take_it_in(world: World) -> Iterator[Problem]:
    """The energy table has a vehicle's carrier for every country with links of its mode; for battery trucks for every
    country with charge areas or fleet regions; for overhead-line trains where rail links are electrified."""
    priced = {(row["energy_carrier"], row["country"]) for row in world.each("energy")}
    charging = {row["country"] for table in ("charge_areas", "fleet_regions") for row in world.each(table)}
    countries: dict[str, set[str]] = {}
    electrified = set()
    for row in world.each("links"):
        countries.setdefault(row["mode"], set()).add(row["country"])
        if row["electrified_share"] > 0:
            electrified.add(row["country"])
    told: set[tuple[str, str]] = set()
    for i, row in world.rows("vehicles"):
        needed = countries.get(row["mode"], set())
        if row["mode"] == "road" and not math.isnan(row["charge_kw"]):
            needed = charging
        elif row["technology"] == "electric":
            needed = electrified
        elif row["mode"] == "road":
            needed = needed | {region["country"] for region in world.each("fleet_regions")}
        for country in sorted(needed):
            pair = (row["energy_carrier"], country)
            if pair not in priced and pair not in told:
                told.add(pair)
                what = f"has no row for {country}, where {row['vehicle']} may take it in"
                hint = f"add rows {pair[0]},{country} to {world.file('energy')}"
                yield world.fault("vehicles", i, "energy_carrier", row["energy_carrier"], what, hint)


@rule("countries", uses=("country_years", "links", "nodes", "fleet_regions"))
def countries_have_prices(world: World) -> Iterator[Problem]:
    """Every country with nodes, links or fleet regions has rows in country_years."""
    used = {row["country"] for table in ("nodes", "links", "fleet_regions") for row in world.each(table)}
    priced = {row["country"] for row in world.each("country_years")}
    for i, row in world.rows("countries"):
        if row["country"] in used - priced:
            hint = f"add wages and carbon price to {world.file('country_years')}"
            yield world.fault("countries", i, "country", row["country"], "has no row in country_years", hint)
