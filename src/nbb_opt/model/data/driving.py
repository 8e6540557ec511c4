"""What a vehicle-km on a lane (`driven_vkm`) or between fleet regions (`empty_vkm`) costs, draws and emits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.model.data.base import BaseData
from nbb_opt.model.data.costs import EmissionEntries, ledger_of
from nbb_opt.model.data.lanes import RANGE_SLACK_KM, Lanes
from nbb_opt.model.data.periods import Floats, Ints, sum_by
from nbb_opt.model.data.trucks import Trucks

COMPONENTS = ("road_energy", "road_running", "drivers")


@dataclass(frozen=True, kw_only=True)
class Driving:
    """Columns of `driven_vkm`: truck and period, and figures per unit, which is a loaded vkm on a lane.

    The columns are those of `lane`, or, where there are too many lanes for a column each, resources that lanes add up
    (see hauls.py): then `lane` numbers them, and only what a resource is made of is not 0.
    `km_per_vkm` counts local empty km, `used_km_per_vkm` what these take of the truck's `annual_km`, `leaves_per_vkm`
    and `arrives_per_vkm` trips from `region` to another one and to `arrival` from another one; `open_h_per_week` are
    the opening hours in which the hours must be worked, `on_the_way` says that the battery is charged on the way.
    `region` and `arrival` are -1 where there are no such
    figures. `usual_vkm_per_t` is a usual amount for a tonne.
    """

    lane: Ints
    vehicle: Ints
    t: Ints
    region: Ints
    arrival: Ints
    cargo_type: Ints
    load_t: Floats
    loaded_vkm: Floats
    km_per_vkm: Floats
    used_km_per_vkm: Floats
    hours_per_vkm: Floats
    leaves_per_vkm: Floats
    arrives_per_vkm: Floats
    open_h_per_week: Floats
    cost_eur: dict[str, Floats]
    ledger: EmissionEntries
    on_the_way: np.ndarray
    usual_vkm_per_t: float


def driving_of(instance: Instance, base: BaseData, trucks: Trucks, lanes: Lanes, in_use: np.ndarray) -> Driving:
    """Columns for every usable (lane, truck, period) of the lanes `in_use` (lanes, periods), with their figures."""
    g, v, t = np.nonzero(lanes.usable & in_use[:, None, :])
    kappa, km, region = lanes.kappa[g, v], lanes.distance_km[g], lanes.region[g]
    kwh, hours = energy_and_hours(base, trucks, lanes, g=g, v=v, t=t)
    spared = (lanes.toll_by_country[g] * trucks.subsidies.toll_exempt[v, :, t]).sum(axis=1)
    ledger, energy_eur = _energy(base, trucks, lanes, g=g, v=v, t=t, kwh=kwh)
    cost = {
        "road_energy": energy_eur,
        "road_running": (1 + kappa) * (trucks.running_eur_per_vkm[v, t] + lanes.toll_eur_per_vkm[g] - spared),
        "drivers": hours * base.driver_cost[base.region_country[region], t],
        "carbon": ledger.carbon_eur(len(g), price_eur_per_t=base.carbon_price, base=instance.meta.carbon_base),
    }
    trips = np.where(lanes.local[g], 0.0, 1 / km)
    load, cargo_type = lanes.load_t[g, v], lanes.cargo_type[g]
    return Driving(
        lane=g, vehicle=v, t=t, region=region, arrival=lanes.arrival[g], cargo_type=cargo_type, load_t=load,
        loaded_vkm=np.ones(len(g)), km_per_vkm=1 + kappa,
        used_km_per_vkm=(1 + kappa) * trucks.used_share[v, cargo_type], hours_per_vkm=hours, leaves_per_vkm=trips,
        arrives_per_vkm=trips, open_h_per_week=lanes.open_h_per_week[g], cost_eur=cost, ledger=ledger,
        on_the_way=lanes.on_the_way[g, v], usual_vkm_per_t=float(np.median(km / load)) if len(g) else 1.0,
    )  # fmt: skip


def energy_and_hours(
    base: BaseData, trucks: Trucks, lanes: Lanes, *, g: Ints, v: Ints, t: Ints
) -> tuple[Floats, Floats]:
    """kWh taken in and hours of a driver per loaded vkm of some (lane, truck, period), with local empty km."""
    kappa, omega, km = lanes.kappa[g, v], lanes.omega[g, v], lanes.distance_km[g]
    low, high = trucks.empty_kwh_per_vkm[v, t], trucks.full_kwh_per_vkm[v, t]
    loaded_kwh = omega * (low + (high - low) * lanes.load_t[g, v] / (trucks.gross_t[v] - trucks.kerb_t[v]))
    kwh = loaded_kwh + kappa * omega * low
    charging_h = np.where(lanes.on_the_way[g, v], kwh / np.where(trucks.battery[v], trucks.charge_kw[v], 1.0), 0.0)
    wheel_h = lanes.time_h[g] / km * (1 + kappa)
    pause = base.break_share[base.region_country[lanes.region[g]]]
    standing_h = np.maximum(charging_h, pause * wheel_h)  # batteries are charged in the breaks
    return kwh, wheel_h + trucks.turnaround_h[v, lanes.cargo_type[g]] / km + standing_h


def _energy(
    base: BaseData, trucks: Trucks, lanes: Lanes, *, g: Ints, v: Ints, t: Ints, kwh: Floats
) -> tuple[EmissionEntries, Floats]:
    """Where the energy is taken in: fuels by km in each country, electricity by charging area."""
    column = np.arange(len(g))
    fuel = np.flatnonzero(~trucks.battery[v])
    row, country = np.nonzero(lanes.share[g[fuel]] > 0)
    fuel = fuel[row]
    home = np.flatnonzero(lanes.at_home[g, v])
    home_area = base.region_area[lanes.region[g[home]]]
    way = pd.DataFrame({"col": column, "lane": g})[lanes.on_the_way[g, v]].merge(lanes.stops, on="lane", how="left")
    stop, stop_area = way["col"].to_numpy(np.int64), way["area"].to_numpy(np.int64)
    cols = np.concatenate([fuel, home, stop])
    area = np.concatenate([np.full(len(fuel), -1), home_area, stop_area])
    where = np.concatenate([country, base.area_country[home_area], base.area_country[stop_area]])
    part = np.concatenate([lanes.share[g[fuel], country], np.ones(len(home)), way["share"].to_numpy(float)])
    return taken_in(
        base, trucks, column=cols, vehicle=v[cols], t=t[cols], country=where, area=area, kwh=kwh[cols] * part,
        columns=len(g),
    )  # fmt: skip


def taken_in(
    base: BaseData,
    trucks: Trucks,
    *,
    column: Ints,
    vehicle: Ints,
    t: Ints,
    country: Ints,
    area: Ints,
    kwh: Floats,
    columns: int,
) -> tuple[EmissionEntries, Floats]:
    """Emission entries and energy cost per unit of each column, from rows (column, country, area, kWh)."""
    carrier = trucks.carrier[vehicle]
    price = base.energy_price[carrier, country, t]
    for row in np.flatnonzero(np.isnan(price))[:1].tolist():
        raise ModelError(
            f"energy.csv has no {base.carriers[carrier[row]]} in {base.countries[country[row]]}, which "
            f"{trucks.names[vehicle[row]]} takes in there; add rows"
        )
    frame = pd.DataFrame({
        "col": column, "t": t, "country": country, "mode": 0, "carrier": carrier, "area": area, "kwh": kwh,
        "ttw_kg": kwh * base.energy_ttw[carrier, country, t], "wtt_kg": kwh * base.energy_wtt[carrier, country, t],
    })  # fmt: skip
    return ledger_of(frame), sum_by(column, kwh * price, size=columns)


@dataclass(frozen=True, kw_only=True)
class Empties:
    """Columns of `empty_vkm`: from region, to region, truck, cargo_type, period, and figures per empty vkm."""

    origin: Ints
    destination: Ints
    vehicle: Ints
    cargo_type: Ints
    t: Ints
    used_km_per_vkm: Floats
    hours_per_vkm: Floats
    trips_per_vkm: Floats
    cost_eur: dict[str, Floats]
    ledger: EmissionEntries


def empties_of(
    instance: Instance, base: BaseData, trucks: Trucks, driving: Driving, distances: pd.DataFrame
) -> Empties:
    """Columns for the trips that may be needed.

    A truck carrying one cargo type may go empty from a region where lanes from other regions end to a region where
    lanes to other regions start, if their hubs are joined, within its usable range, and, with a battery, if the region
    it leaves has a home charging area.
    """
    regions = len(base.regions)
    joined = np.full((regions, regions), -1, np.int64)
    origin, destination = base.regions.of(distances["from_region"]), base.regions.of(distances["to_region"])
    joined[origin, destination] = np.arange(len(distances))
    np.fill_diagonal(joined, -1)
    leaves, arrives = driving.leaves_per_vkm > 0, driving.arrives_per_vkm > 0
    shape = (len(trucks.names), len(base.cargo_types), trucks.available.shape[1], regions)
    starts, ends = np.zeros(shape, bool), np.zeros(shape, bool)
    for at, where, which in ((starts, driving.region, leaves), (ends, driving.arrival, arrives)):
        at[driving.vehicle[which], driving.cargo_type[which], driving.t[which], where[which]] = True
    ends &= ~trucks.battery[:, None, None, None] | (base.region_area >= 0)[None, None, None, :]
    v, h, t, a, b = np.nonzero(ends[..., :, None] & starts[..., None, :] & (joined >= 0))
    path = joined[a, b]
    within = distances["distance_km"].to_numpy(float)[path] <= trucks.usable_km[v] + RANGE_SLACK_KM
    v, h, t, a, b, path = (part[within] for part in (v, h, t, a, b, path))
    km = distances["distance_km"].to_numpy(float)[path]
    country = base.region_country[a]
    hours = distances["time_h"].to_numpy(float)[path] / km * (1 + base.break_share[country])
    toll = distances["toll_eur_per_vkm"].to_numpy(float)[path] * (1 - trucks.subsidies.toll_exempt[v, country, t])
    omega = 1 + base.winter_share[country] * (trucks.winter_factor[v] - 1)
    area = np.where(trucks.battery[v], base.region_area[a], -1)
    where = np.where(area >= 0, base.area_country[area], country) if len(base.areas) else country
    ledger, energy_eur = taken_in(
        base, trucks, column=np.arange(len(v)), vehicle=v, t=t, country=where, area=area,
        kwh=omega * trucks.empty_kwh_per_vkm[v, t], columns=len(v),
    )  # fmt: skip
    cost = {
        "road_energy": energy_eur,
        "road_running": trucks.running_eur_per_vkm[v, t] + toll,
        "drivers": hours * base.driver_cost[country, t],
        "carbon": ledger.carbon_eur(len(v), price_eur_per_t=base.carbon_price, base=instance.meta.carbon_base),
    }
    return Empties(
        origin=a, destination=b, vehicle=v, cargo_type=h, t=t, used_km_per_vkm=trucks.used_share[v, h],
        hours_per_vkm=hours, trips_per_vkm=1 / km, cost_eur=cost, ledger=ledger,
    )  # fmt: skip
