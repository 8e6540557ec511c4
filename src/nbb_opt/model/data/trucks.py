"""Road vehicles the model may use: what they carry, how far they go, what they cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.model.data.base import BaseData, Subsidies, range_left, subsidies_of
from nbb_opt.model.data.periods import Floats, Ints, Names, Time, by_key_and_period


@dataclass(frozen=True, kw_only=True)
class Trucks:
    """Trucks (V); by cargo type (V, H), NaN where none is carried; by period (V, T). `usable_km` inf: unlimited.

    `used_share` is what a km with a cargo type takes of `annual_km`: that over what the truck can do with it.
    """

    names: Names
    technology: list[str]
    carrier: Ints
    gross_t: Floats
    kerb_t: Floats
    winter_factor: Floats
    usable_km: Floats
    battery: np.ndarray
    charge_kw: Floats
    annual_km: Floats
    annual_h: Floats
    lifetime: Ints
    resale_share: Floats
    available: np.ndarray
    load_factor: Floats
    empty_share: Floats
    turnaround_h: Floats
    used_share: Floats
    capex_eur: Floats
    fixed_eur_per_year: Floats
    running_eur_per_vkm: Floats
    empty_kwh_per_vkm: Floats
    full_kwh_per_vkm: Floats
    subsidies: Subsidies


def trucks_of(instance: Instance, base: BaseData, time: Time, *, technologies: str) -> Trucks:
    """Road vehicles, all of them or those of the technologies that occur in `fleet`."""
    vehicles = instance["vehicles"]
    chosen = vehicles["mode"] == "road"
    if technologies == "today":
        owned = vehicles["vehicle"].isin(instance["fleet"]["vehicle"])
        today = set(vehicles.loc[owned & chosen, "technology"])
        chosen &= vehicles["technology"].isin(today)
    table = vehicles[chosen].reset_index(drop=True)
    if table.empty:
        raise ModelError(
            "no truck may be used: fill the table fleet (technologies = 'today' takes its technologies from there)"
            if technologies == "today"
            else "no truck may be used: the table vehicles has no row with mode road"
        )
    names = Names(table["vehicle"])
    for column in ("annual_km", "annual_h", "lifetime_years"):
        for vehicle in table.loc[table[column].isna(), "vehicle"].tolist()[:1]:
            raise ModelError(f"vehicles.csv, vehicle '{vehicle}': a truck needs {column}; fill it in")
    carrier = base.carriers.of(table["energy_carrier"])
    for v in np.flatnonzero(carrier < 0)[:1].tolist():
        raise ModelError(f"vehicles.csv, vehicle '{names[v]}': energy.csv has no row for its energy carrier; add rows")
    yearly = by_key_and_period(
        instance, "vehicle_years", [("vehicle", Names(vehicles["vehicle"]))],
        columns=("capex_eur", "fixed_eur_per_year", "running_eur_per_vkm", "empty_kwh_per_vkm", "full_kwh_per_vkm"),
    )  # fmt: skip
    yearly = {column: values[np.flatnonzero(chosen.to_numpy())] for column, values in yearly.items()}
    for column, values in yearly.items():
        for v in np.flatnonzero(np.isnan(values).any(axis=1))[:1].tolist():
            raise ModelError(f"vehicle_years.csv: vehicle '{names[v]}' has no {column} for every period; add rows")
    loads = instance["vehicle_loads"]
    v, h = names.of(loads["vehicle"]), base.cargo_types.of(loads["cargo_type"])
    v, h, loads = v[v >= 0], h[v >= 0], loads[v >= 0]
    by_cargo_type = {}
    for column in ("load_factor", "empty_share", "turnaround_h", "annual_km"):
        by_cargo_type[column] = np.full((len(names), len(base.cargo_types)), np.nan)
        by_cargo_type[column][v, h] = loads[column].to_numpy(float)
    limit = table["range_km"].fillna(np.inf) / table["winter_factor"] * (1 - table["reserve_share"])
    usable_km = limit.to_numpy(float) * range_left(instance, names)
    available = table["available_from"].to_numpy(np.int64)[:, None] <= time.years[None, :]
    subsidies = subsidies_of(
        instance, base.countries, time, technology=table["technology"].tolist(), vehicles=names,
        capex_eur=yearly["capex_eur"],
    )  # fmt: skip
    annual_km = table["annual_km"].to_numpy(float)[:, None]
    of_cargo_type = by_cargo_type.pop("annual_km")
    number = {c: table[c].to_numpy(float) for c in ("gross_t", "kerb_t", "winter_factor", "charge_kw", "annual_km")}
    return Trucks(
        names=names, technology=table["technology"].tolist(), carrier=carrier, gross_t=number["gross_t"],
        kerb_t=number["kerb_t"], winter_factor=number["winter_factor"], usable_km=usable_km,
        battery=~np.isnan(number["charge_kw"]), charge_kw=number["charge_kw"], annual_km=number["annual_km"],
        annual_h=table["annual_h"].to_numpy(float), lifetime=table["lifetime_years"].to_numpy(np.int64),
        resale_share=table["resale_share"].to_numpy(float), available=available,
        load_factor=by_cargo_type["load_factor"], empty_share=by_cargo_type["empty_share"],
        turnaround_h=by_cargo_type["turnaround_h"],
        used_share=annual_km / np.where(np.isnan(of_cargo_type), annual_km, of_cargo_type),
        capex_eur=yearly["capex_eur"], fixed_eur_per_year=yearly["fixed_eur_per_year"],
        running_eur_per_vkm=yearly["running_eur_per_vkm"],
        empty_kwh_per_vkm=yearly["empty_kwh_per_vkm"], full_kwh_per_vkm=yearly["full_kwh_per_vkm"], subsidies=subsidies,
    )  # fmt: skip
