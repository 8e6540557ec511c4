"""Trucks on lanes without a column each: what they do is a sum of *efforts*, and only efforts are stated.

A large instance has millions of (lane, truck, period). Each stands in a handful of rows with figures of its own, but
what it does there is always of the same few kinds: loaded vkm, km and hours of a truck of a region, trips that leave a
region and arrive in one, tolls of a country, kWh taken in at home, on the way or as fuel. So the blocks state a column
per kind, place, truck and period, and what a loaded vkm of a drive costs and uses is the sum over its efforts
(`kernels.list_efforts`). Tests compare that with the columns of the whole model entry by entry.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from nbb_opt.instance import Instance
from nbb_opt.model.data.driving import Driving, energy_and_hours
from nbb_opt.model.data.efforts import no_efforts, numbered, stated
from nbb_opt.model.data.lanes import LANES_AT_ONCE, Lanes
from nbb_opt.model.data.list_efforts import FUEL, HOME, ON_THE_WAY, list_efforts, most_efforts
from nbb_opt.model.data.periods import Floats, Ints, entries
from nbb_opt.model.data.trucks import Trucks
from nbb_opt.model.data.world import World

Small = npt.NDArray[np.int8]


class Drives(NamedTuple):
    """Drive d is truck `vehicle[d]` in period `t[d]`; the drives of lane g are start[g] to start[g + 1].

    By drive: `hours_per_vkm`, `kwh_per_vkm` (with local empty km). By lane and truck (G, V): `load_t`, `km_per_vkm`,
    `energy` (FUEL, HOME or ON_THE_WAY). By lane: `distance_km`, `region`, `arrival`, `cargo_type`, `hours_class` (a
    place in the hours effort), `share` of km and `toll` in EUR per vkm by country (G, N), and stop_start[g] to
    stop_start[g + 1] of `stop_area` and the `stop_share` of energy taken in there.
    `*_at` are the columns of efforts, -1 where there is none: loaded vkm, km, home (R, V, T), hours (R, classes, V, T),
    leaves, arrives (R, H, V, T), toll, fuel (N, V, T), stop (areas, V, T). Columns are numbered period by period:
    those of period t are first[t] to first[t + 1].
    """

    start: Ints
    vehicle: Small
    t: Small
    hours_per_vkm: Floats
    kwh_per_vkm: Floats
    load_t: Floats
    km_per_vkm: Floats
    energy: Small
    distance_km: Floats
    region: Ints
    arrival: Ints
    cargo_type: Ints
    hours_class: Ints
    share: Floats
    toll: Floats
    stop_start: Ints
    stop_area: Ints
    stop_share: Floats
    vkm_at: Ints
    km_at: Ints
    hours_at: Ints
    leaves_at: Ints
    arrives_at: Ints
    toll_at: Ints
    fuel_at: Ints
    home_at: Ints
    stop_at: Ints
    first: Ints

    def lane_of(self, drives: Ints) -> Ints:
        """Lane of some drives."""
        return np.searchsorted(self.start, drives, side="right") - 1

    def efforts(self, drives: Ints) -> csc_array:
        """What a loaded vkm of some drives is made of: (columns of efforts, drives)."""
        start, room = np.zeros(len(drives) + 1, np.int64), len(drives) * most_efforts(self)
        column, amount = np.empty(room, np.int64), np.empty(room)
        list_efforts(self, drives, self.lane_of(drives), len(drives), start, column, amount)
        size = int(start[-1])
        return csc_array((amount[:size], column[:size], start), shape=(int(self.first[-1]), len(drives)))


def drives_of(
    instance: Instance, world: World, trucks: Trucks, lanes: Lanes, in_use: np.ndarray
) -> tuple[Driving, Drives]:
    """The efforts as columns of `driven_vkm`, and the drives made of them, for the lanes `in_use` (lanes, periods)."""
    usable = lanes.usable & in_use[:, None, :]
    classes, hours_class = np.unique(lanes.open_h_per_week, return_inverse=True)
    energy = np.where(lanes.at_home, HOME, np.where(lanes.on_the_way, ON_THE_WAY, FUEL)).astype(np.int8)
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(usable.sum(axis=(1, 2)))])
    count = int(start[-1])
    vehicle, period = np.empty(count, np.int8), np.empty(count, np.int8)
    hours, kwh = np.empty(count), np.empty(count)
    stops = Stops.of(lanes)
    wanted = no_efforts(world, trucks, classes=len(classes), periods=in_use.shape[1])
    for low in range(0, len(usable), LANES_AT_ONCE):
        g, v, t = np.nonzero(usable[low : low + LANES_AT_ONCE])
        g += low
        here = slice(start[low], start[min(low + LANES_AT_ONCE, len(usable))])
        vehicle[here], period[here] = v, t
        kwh[here], hours[here] = energy_and_hours(world, trucks, lanes, g=g, v=v, t=t)
        wanted["hours"][lanes.region[g], hours_class[g], v, t] = True
        _want(wanted, lanes, stops, energy[g, v], g=g, v=v, t=t)
    column, first = numbered(wanted)
    each = np.nonzero(usable.any(axis=2))
    usual = float(np.median(lanes.distance_km[each[0]] / lanes.load_t[each])) if count else 1.0
    drives = Drives(
        start, vehicle, period, hours, kwh, lanes.load_t, 1 + lanes.kappa, energy, lanes.distance_km, lanes.region,
        lanes.arrival, lanes.cargo_type, hours_class.astype(np.int64), lanes.share, lanes.toll_by_country, stops.start,
        stops.area, stops.share, **{f"{kind}_at": at for kind, at in column.items()}, first=first,
    )  # fmt: skip
    return stated(instance, world, trucks, column, open_h=classes, usual_vkm_per_t=usual), drives


class Stops(NamedTuple):
    """Charging on the way: of lane g the entries start[g] to start[g + 1] of `area` and `share` of the energy."""

    start: Ints
    area: Ints
    share: Floats

    @classmethod
    def of(cls, lanes: Lanes) -> Stops:
        """Those of all lanes."""
        lane = lanes.stops["lane"].to_numpy(np.int64)
        start = np.searchsorted(lane, np.arange(len(lanes.distance_km) + 1)).astype(np.int64)
        return cls(start, lanes.stops["area"].to_numpy(np.int64), lanes.stops["share"].to_numpy(float))


def _want(
    wanted: dict[str, npt.NDArray[np.bool_]], lanes: Lanes, stops: Stops, energy: Small, *, g: Ints, v: Ints, t: Ints
) -> None:
    """Mark the efforts that some (lane, truck, period) take."""
    region, cargo_type, far = lanes.region[g], lanes.cargo_type[g], ~lanes.local[g]
    wanted["vkm"][region, v, t] = wanted["km"][region, v, t] = True
    wanted["leaves"][region[far], cargo_type[far], v[far], t[far]] = True
    wanted["arrives"][lanes.arrival[g[far]], cargo_type[far], v[far], t[far]] = True
    fuel, home, way = (np.flatnonzero(energy == takes) for takes in (FUEL, HOME, ON_THE_WAY))
    for kind, by_country, which in (("toll", lanes.toll_by_country, np.arange(len(g))), ("fuel", lanes.share, fuel)):
        row, country = np.nonzero(by_country[g[which]] > 0)
        wanted[kind][country, v[which[row]], t[which[row]]] = True
    wanted["home"][region[home], v[home], t[home]] = True
    at, many = entries(stops.start, g[way])
    wanted["stop"][stops.area[at], np.repeat(v[way], many), np.repeat(t[way], many)] = True
