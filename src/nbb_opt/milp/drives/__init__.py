"""Trucks on lanes without a column each: what they do is a sum of *efforts*, and only efforts are stated.

A large instance has millions of (lane, truck, period). Each stands in a handful of rows with figures of its own, but
what it does there is always of the same few kinds: loaded vkm, km and hours of a truck of a region, trips that leave a
region and arrive in one, tolls of a country, kWh taken in at home, on the way or as fuel. So the blocks state a column
per kind, place, truck and period, and what a loaded vkm of a drive costs and uses is the sum over its efforts
(`kernels.efforts_of`). Tests compare that with the columns of the whole model entry by entry.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from nbb_opt.instance import Instance
from nbb_opt.milp.drives.kernels import FUEL, HOME, ON_THE_WAY, list_efforts, most_efforts
from nbb_opt.milp.driving import Driving, energy_and_hours, taken_in
from nbb_opt.milp.ledger import Ledger
from nbb_opt.milp.periods import Floats, Ints
from nbb_opt.milp.trucks import Trucks
from nbb_opt.milp.world import World

if TYPE_CHECKING:
    from nbb_opt.milp.lanes import Lanes

Small = npt.NDArray[np.int8]
LANES_AT_ONCE = 50_000


class Drives(NamedTuple):
    """Drive d is truck `vehicle[d]` in period `t[d]`; the drives of lane g are start[g] to start[g + 1].

    By drive: `hours_per_vkm`, `kwh_per_vkm` (with local empty km). By lane and truck (G, V): `load_t`, `km_per_vkm`,
    `energy` (FUEL, HOME or ON_THE_WAY). By lane: `distance_km`, `region`, `arrival`, `handling`, `hours_class` (a place
    in the hours effort), `share` of km and `toll` in EUR per vkm by country (G, N), and stop_start[g] to
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
    handling: Ints
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


KINDS = ("vkm", "km", "hours", "leaves", "arrives", "toll", "fuel", "home", "stop")


def drives_of(
    instance: Instance, world: World, trucks: Trucks, lanes: Lanes, in_use: np.ndarray
) -> tuple[Driving, Drives]:
    """The efforts as columns of `driven_vkm`, and the drives made of them, for the lanes `in_use` (lanes, periods)."""
    usable = lanes.usable & in_use[:, None, :]
    count, size = int(usable.sum()), in_use.shape[1]
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(usable.sum(axis=(1, 2)))])
    vehicle, period = np.empty(count, np.int8), np.empty(count, np.int8)
    hours, kwh = np.empty(count), np.empty(count)
    classes, hours_class = np.unique(lanes.open_h_per_week, return_inverse=True)
    energy = np.where(lanes.at_home, HOME, np.where(lanes.on_the_way, ON_THE_WAY, FUEL)).astype(np.int8)
    stops = lanes.stops
    stop_lane, stop_area = stops["lane"].to_numpy(np.int64), stops["area"].to_numpy(np.int64)
    stop_start = np.searchsorted(stop_lane, np.arange(len(start)))
    v_, t_, r_, n_ = len(trucks.names), size, len(world.regions), len(world.countries)
    h_, a_ = len(world.handlings), len(world.areas)
    shapes = {"vkm": (r_,), "km": (r_,), "hours": (r_, len(classes)), "toll": (n_,), "fuel": (n_,), "home": (r_,),
              "stop": (a_,), "leaves": (r_, h_), "arrives": (r_, h_)}  # fmt: skip
    wanted = {kind: np.zeros((*shape, v_, t_), bool) for kind, shape in shapes.items()}
    for low in range(0, len(usable), LANES_AT_ONCE):
        g, v, t = np.nonzero(usable[low : low + LANES_AT_ONCE])
        g += low
        here = slice(start[low], start[min(low + LANES_AT_ONCE, len(usable))])
        vehicle[here], period[here] = v, t
        kwh[here], hours[here] = energy_and_hours(world, trucks, lanes, g=g, v=v, t=t)
        region, handling = lanes.region[g], lanes.handling[g]
        wanted["vkm"][region, v, t] = wanted["km"][region, v, t] = True
        wanted["hours"][region, hours_class[g], v, t] = True
        far = ~lanes.local[g]
        wanted["leaves"][region[far], handling[far], v[far], t[far]] = True
        wanted["arrives"][lanes.arrival[g[far]], handling[far], v[far], t[far]] = True
        takes = energy[g, v]
        for kind, part, which in (
            ("toll", lanes.toll_by_country, np.arange(len(g))),
            ("fuel", lanes.share, np.flatnonzero(takes == FUEL)),
        ):
            row, country = np.nonzero(part[g[which]] > 0)
            wanted[kind][country, v[which[row]], t[which[row]]] = True
        home = takes == HOME
        wanted["home"][region[home], v[home], t[home]] = True
        way = np.flatnonzero(takes == ON_THE_WAY)
        many = np.diff(stop_start)[g[way]]
        at = np.repeat(stop_start[g[way]] - np.cumsum(many) + many, many) + np.arange(many.sum())
        wanted["stop"][stop_area[at], np.repeat(v[way], many), np.repeat(t[way], many)] = True
    found = {kind: np.nonzero(wanted[kind]) for kind in KINDS}
    of_period = np.concatenate([found[kind][-1] for kind in KINDS])
    order = np.argsort(of_period, kind="stable")
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    column, begins = {}, 0
    for kind in KINDS:
        column[kind] = np.full(wanted[kind].shape, -1, np.int64)
        mine = number[begins : begins + len(found[kind][-1])]
        column[kind][found[kind]] = mine
        begins += len(mine)
    load, used = lanes.load_t, usable.any(axis=2)
    each = np.nonzero(used)
    usual = float(np.median(lanes.distance_km[each[0]] / load[each])) if count else 1.0
    driving = _efforts(instance, world, trucks, classes, column, usual_vkm_per_t=usual)
    drives = Drives(
        start, vehicle, period, hours, kwh, load, 1 + lanes.kappa, energy, lanes.distance_km, lanes.region,
        lanes.arrival, lanes.handling, hours_class.astype(np.int64), lanes.share, lanes.toll_by_country, stop_start,
        stop_area, stops["share"].to_numpy(float), *(column[kind] for kind in KINDS),
        np.searchsorted(of_period[order], np.arange(size + 1)),
    )  # fmt: skip
    return driving, drives


def _efforts(
    instance: Instance,
    world: World,
    trucks: Trucks,
    classes: Floats,
    column: dict[str, Ints],
    *,
    usual_vkm_per_t: float,
) -> Driving:
    """Efforts as columns: per unit, what an effort is made of is 1 and all else 0; `classes` are opening hours."""
    size = sum(int((at >= 0).sum()) for at in column.values())
    whole = {name: np.full(size, -1, np.int64) for name in ("region", "arrival")}
    whole |= {name: np.zeros(size, np.int64) for name in ("vehicle", "t", "handling")}
    names = ("loaded_vkm", "km_per_vkm", "hours_per_vkm", "leaves_per_vkm", "arrives_per_vkm")
    part = {name: np.zeros(size) for name in names}
    cost, open_h = {name: np.zeros(size) for name in ("road_energy", "road_running", "drivers")}, np.full(size, np.inf)
    on_the_way, ledgers = np.zeros(size, bool), []
    for kind, at in column.items():
        index = np.nonzero(at >= 0)
        mine, place, v, t = at[index], index[0], index[-2], index[-1]
        if kind in ("leaves", "arrives"):
            whole["handling"][mine] = index[1]
        whole["vehicle"][mine], whole["t"][mine] = v, t
        if kind in ("vkm", "km", "hours", "leaves"):
            whole["region"][mine] = place
        if kind == "arrives":
            whole["arrival"][mine] = place
        if kind in ("vkm", "km", "hours", "leaves", "arrives"):
            part["loaded_vkm" if kind == "vkm" else f"{kind}_per_vkm"][mine] = 1.0
        if kind == "km":
            cost["road_running"][mine] = trucks.running_eur_per_vkm[v, t]
        if kind == "toll":
            cost["road_running"][mine] = 1.0 - trucks.supports.toll_exempt[v, place, t]
        if kind == "hours":
            cost["drivers"][mine] = world.driver_cost[world.region_country[place], t]
            open_h[mine] = classes[index[1]]
        if kind in ("fuel", "home", "stop"):
            area = world.region_area[place] if kind == "home" else place
            country = place if kind == "fuel" else world.area_country[area]
            area = np.full(len(mine), -1) if kind == "fuel" else area
            ledger, eur = taken_in(world, trucks, column=mine, vehicle=v, t=t, country=country, area=area,
                                   kwh=np.ones(len(mine)), columns=size)  # fmt: skip
            ledgers.append(ledger)
            cost["road_energy"] += eur
            on_the_way[mine] = kind == "stop"
    ledger = Ledger(*(np.concatenate([getattr(one, f.name) for one in ledgers]) for f in fields(Ledger)))
    cost["carbon"] = ledger.carbon_eur(size, price_eur_per_t=world.carbon_price, base=instance.meta.carbon_base)
    return Driving(
        np.arange(size), whole["vehicle"], whole["t"], whole["region"], whole["arrival"], whole["handling"],
        np.zeros(size), *(part[name] for name in names), open_h, cost, ledger, on_the_way, usual_vkm_per_t,
    )  # fmt: skip
