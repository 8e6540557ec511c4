"""Empty trips between fleet regions: the data of `empty_vkm`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.model.data.costs import Ledger
from nbb_opt.model.data.driving import Driving, taken_in
from nbb_opt.model.data.lanes import RANGE_SLACK_KM
from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.model.data.trucks import Trucks
from nbb_opt.model.data.world import World


@dataclass(frozen=True)
class Empties:
    """Columns of `empty_vkm`: from region, to region, truck, cargo_type, period, and figures per empty vkm."""

    origin: Ints
    destination: Ints
    vehicle: Ints
    cargo_type: Ints
    t: Ints
    hours_per_vkm: Floats
    trips_per_vkm: Floats
    cost_eur: dict[str, Floats]
    ledger: Ledger


def empties_of(instance: Instance, world: World, trucks: Trucks, driving: Driving, distances: pd.DataFrame) -> Empties:
    """Columns for the trips that may be needed.

    A truck carrying one cargo type may go empty from a region where lanes from other regions end to a region where
    lanes to other regions start, if their hubs are joined, within its usable range, and, with a battery, if the region
    it leaves has a home charging area.
    """
    regions = len(world.regions)
    joined = np.full((regions, regions), -1, np.int64)
    origin, destination = world.regions.of(distances["from_region"]), world.regions.of(distances["to_region"])
    joined[origin, destination] = np.arange(len(distances))
    np.fill_diagonal(joined, -1)
    leaves, arrives = driving.leaves_per_vkm > 0, driving.arrives_per_vkm > 0
    shape = (len(trucks.names), len(world.cargo_types), trucks.available.shape[1], regions)
    starts, ends = np.zeros(shape, bool), np.zeros(shape, bool)
    for at, where, which in ((starts, driving.region, leaves), (ends, driving.arrival, arrives)):
        at[driving.vehicle[which], driving.cargo_type[which], driving.t[which], where[which]] = True
    ends &= ~trucks.battery[:, None, None, None] | (world.region_area >= 0)[None, None, None, :]
    v, h, t, a, b = np.nonzero(ends[..., :, None] & starts[..., None, :] & (joined >= 0))
    path = joined[a, b]
    within = distances["distance_km"].to_numpy(float)[path] <= trucks.usable_km[v] + RANGE_SLACK_KM
    v, h, t, a, b, path = (part[within] for part in (v, h, t, a, b, path))
    km = distances["distance_km"].to_numpy(float)[path]
    country = world.region_country[a]
    hours = distances["time_h"].to_numpy(float)[path] / km * (1 + world.break_share[country])
    toll = distances["toll_eur_per_vkm"].to_numpy(float)[path] * (1 - trucks.subsidies.toll_exempt[v, country, t])
    omega = 1 + world.winter_share[country] * (trucks.winter_factor[v] - 1)
    area = np.where(trucks.battery[v], world.region_area[a], -1)
    where = np.where(area >= 0, world.area_country[area], country) if len(world.areas) else country
    ledger, energy_eur = taken_in(
        world, trucks, column=np.arange(len(v)), vehicle=v, t=t, country=where, area=area,
        kwh=omega * trucks.empty_kwh_per_vkm[v, t], columns=len(v),
    )  # fmt: skip
    cost = {
        "road_energy": energy_eur,
        "road_running": trucks.running_eur_per_vkm[v, t] + toll,
        "drivers": hours * world.driver_cost[country, t],
        "carbon": ledger.carbon_eur(len(v), price_eur_per_t=world.carbon_price, base=instance.meta.carbon_base),
    }
    return Empties(a, b, v, h, t, hours, 1 / km, cost, ledger)
