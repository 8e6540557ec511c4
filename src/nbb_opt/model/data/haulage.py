"""Breaks, opening hours, others' charging points, battery wear and subsidies as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.model.data.periods import Floats, Names, Time, by_key_and_period

WEEKS_PER_YEAR = 52.0


@dataclass(frozen=True)
class PublicCharging:
    """What others' points sell, by area and period (areas, periods): kWh a year, kW of a point, EUR/kWh on top."""

    kwh_per_year: Floats
    kw: Floats
    price_add: Floats


@dataclass(frozen=True)
class Subsidies:
    """By truck, country and period (V, N, T): grant in EUR per truck bought, share of the toll that is not paid."""

    grant_eur: Floats
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
    within its own. Raises ModelError where grants exceed the price of a truck.
    """
    shape = (len(vehicles), len(countries), time.size)
    grant, exempt = np.zeros(shape), np.zeros(shape)
    for row in instance["subsidies"].to_dict("records"):
        mine = np.flatnonzero(np.array([name == row["technology"] for name in technology], bool))
        n, first, last = int(countries.of([row["country"]])[0]), int(row["first_year"]), int(row["last_year"])
        for t, (year, length) in enumerate(zip(time.years.tolist(), time.lengths.tolist(), strict=True)):
            if row["kind"] == "toll_exemption_share":
                covered = max(0, min(last, year + length - 1) - max(first, year) + 1) / length
                exempt[mine, n, t] += row["value"] * covered
            elif first <= year <= last:
                share = row["kind"] == "purchase_grant_share"
                grant[mine, n, t] += row["value"] * (capex_eur[mine, t] if share else 1.0)
    for v, n, t in np.argwhere(grant > capex_eur[:, None, :] * (1 + 1e-12))[:1].tolist():
        raise ModelError(
            f"subsidies.csv: grants of {grant[v, n, t]:,.0f} EUR for {vehicles[v]} in {countries[n]} {time.years[t]} "
            f"are more than its price of {capex_eur[v, t]:,.0f} EUR; lower them"
        )
    return Subsidies(grant, exempt)
