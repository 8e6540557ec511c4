"""Trucks on lanes without a column each: what they do is a sum of resources, and only resources are stated."""

from __future__ import annotations

from dataclasses import fields
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from nbb_opt.instance import Instance
from nbb_opt.model.data.base import BaseData
from nbb_opt.model.data.costs import EmissionEntries
from nbb_opt.model.data.count_uses import FUEL, HOME, ON_THE_WAY, list_resources, most_resources
from nbb_opt.model.data.driving import Driving, energy_and_hours, taken_in
from nbb_opt.model.data.lanes import LANES_AT_ONCE, Lanes
from nbb_opt.model.data.periods import Floats, Ints, entries
from nbb_opt.model.data.trucks import Trucks

Small = npt.NDArray[np.int8]


class Hauls(NamedTuple):
    """Haul d is truck `vehicle[d]` in period `t[d]`; the hauls of lane g are start[g] to start[g + 1].

    By haul: `hours_per_vkm`, `kwh_per_vkm` (with local empty km). By lane and truck (G, V): `load_t`, `km_per_vkm`,
    `energy` (FUEL, HOME or ON_THE_WAY). By lane: `distance_km`, `region`, `arrival`, `cargo_type`, `hours_class` (a
    place in the hours resource), `share` of km and `toll` in EUR per vkm by country (G, N), and stop_start[g] to
    stop_start[g + 1] of `stop_area` and the `stop_share` of energy taken in there.
    `*_at` are the columns of resources, -1 where there is none: loaded vkm, home (R, V, T), hours (R, classes, V, T),
    km, leaves, arrives (R, H, V, T), toll, fuel (N, V, T), stop (areas, V, T). Columns are numbered period by period:
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

    def lane_of(self, hauls: Ints) -> Ints:
        """Lane of some hauls."""
        return np.searchsorted(self.start, hauls, side="right") - 1

    def resources(self, hauls: Ints) -> csc_array:
        """What a loaded vkm of some hauls is made of: (columns of resources, hauls)."""
        start, room = np.zeros(len(hauls) + 1, np.int64), len(hauls) * most_resources(self)
        column, amount = np.empty(room, np.int64), np.empty(room)
        list_resources(self, hauls, self.lane_of(hauls), len(hauls), start, column, amount)
        size = int(start[-1])
        return csc_array((amount[:size], column[:size], start), shape=(int(self.first[-1]), len(hauls)))


def hauls_of(
    instance: Instance, base: BaseData, trucks: Trucks, lanes: Lanes, in_use: np.ndarray
) -> tuple[Driving, Hauls]:
    """The resources as columns of `driven_vkm`, and the hauls made of them, for the lanes `in_use` (lanes, periods)."""
    usable = lanes.usable & in_use[:, None, :]
    classes, hours_class = np.unique(lanes.open_h_per_week, return_inverse=True)
    energy = np.where(lanes.at_home, HOME, np.where(lanes.on_the_way, ON_THE_WAY, FUEL)).astype(np.int8)
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(usable.sum(axis=(1, 2)))])
    count = int(start[-1])
    vehicle, period = np.empty(count, np.int8), np.empty(count, np.int8)
    hours, kwh = np.empty(count), np.empty(count)
    stops = Stops.of(lanes)
    wanted = no_resources(base, trucks, classes=len(classes), periods=in_use.shape[1])
    for low in range(0, len(usable), LANES_AT_ONCE):
        g, v, t = np.nonzero(usable[low : low + LANES_AT_ONCE])
        g += low
        here = slice(start[low], start[min(low + LANES_AT_ONCE, len(usable))])
        vehicle[here], period[here] = v, t
        kwh[here], hours[here] = energy_and_hours(base, trucks, lanes, g=g, v=v, t=t)
        wanted["hours"][lanes.region[g], hours_class[g], v, t] = True
        _want(wanted, lanes, stops, energy[g, v], g=g, v=v, t=t)
    column, first = numbered(wanted)
    each = np.nonzero(usable.any(axis=2))
    usual = float(np.median(lanes.distance_km[each[0]] / lanes.load_t[each])) if count else 1.0
    hauls = Hauls(
        start=start, vehicle=vehicle, t=period, hours_per_vkm=hours, kwh_per_vkm=kwh, load_t=lanes.load_t,
        km_per_vkm=1 + lanes.kappa, energy=energy, distance_km=lanes.distance_km, region=lanes.region,
        arrival=lanes.arrival, cargo_type=lanes.cargo_type, hours_class=hours_class.astype(np.int64), share=lanes.share,
        toll=lanes.toll_by_country, stop_start=stops.start, stop_area=stops.area, stop_share=stops.share,
        **{f"{kind}_at": at for kind, at in column.items()}, first=first,
    )  # fmt: skip
    return stated(instance, base, trucks, column, open_h=classes, usual_vkm_per_t=usual), hauls


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
    """Mark the resources that some (lane, truck, period) take."""
    region, cargo_type, far = lanes.region[g], lanes.cargo_type[g], ~lanes.local[g]
    wanted["vkm"][region, v, t] = wanted["km"][region, cargo_type, v, t] = True
    wanted["leaves"][region[far], cargo_type[far], v[far], t[far]] = True
    wanted["arrives"][lanes.arrival[g[far]], cargo_type[far], v[far], t[far]] = True
    fuel, home, way = (np.flatnonzero(energy == takes) for takes in (FUEL, HOME, ON_THE_WAY))
    for kind, by_country, which in (("toll", lanes.toll_by_country, np.arange(len(g))), ("fuel", lanes.share, fuel)):
        row, country = np.nonzero(by_country[g[which]] > 0)
        wanted[kind][country, v[which[row]], t[which[row]]] = True
    wanted["home"][region[home], v[home], t[home]] = True
    at, many = entries(stops.start, g[way])
    wanted["stop"][stops.area[at], np.repeat(v[way], many), np.repeat(t[way], many)] = True


Bools = npt.NDArray[np.bool_]
OF_TRUCKS = ("vkm", "km", "hours", "leaves", "arrives")
KINDS = (*OF_TRUCKS, "toll", "fuel", "home", "stop")


def no_resources(base: BaseData, trucks: Trucks, *, classes: int, periods: int) -> dict[str, Bools]:
    """Places for every kind of resource, all False; the last two axes are truck and period.

    vkm, home: region; hours: region and class of opening hours; km, leaves, arrives: region and cargo type; toll, fuel:
    country; stop: charging area.
    """
    region, country = len(base.regions), len(base.countries)
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(KINDS, (region,))
    shapes |= {"hours": (region, classes), "toll": (country,), "fuel": (country,), "stop": (len(base.areas),)}
    shapes |= dict.fromkeys(("km", "leaves", "arrives"), (region, len(base.cargo_types)))
    return {kind: np.zeros((*shapes[kind], len(trucks.names), periods), bool) for kind in KINDS}


def numbered(wanted: dict[str, Bools]) -> tuple[dict[str, Ints], Ints]:
    """Column of every resource, -1 where none is wanted, period by period; the first of every period, and the end.

    >>> columns, first = numbered({"km": np.array([[[True, True]]]), "vkm": np.array([[[False, True]]])})
    >>> columns["km"].tolist(), columns["vkm"].tolist(), first.tolist()
    ([[[0, 1]]], [[[-1, 2]]], [0, 1, 3])
    """
    of_period = np.concatenate([np.nonzero(here)[-1] for here in wanted.values()])
    number = np.empty(len(of_period), np.int64)
    number[np.argsort(of_period, kind="stable")] = np.arange(len(of_period))
    found, begins = {}, 0
    for kind, here in wanted.items():
        found[kind] = np.full(here.shape, -1, np.int64)
        count = int(here.sum())
        found[kind][here] = number[begins : begins + count]
        begins += count
    periods = next(iter(wanted.values())).shape[-1]
    return found, np.searchsorted(np.sort(of_period), np.arange(periods + 1)).astype(np.int64)


def stated(
    instance: Instance,
    base: BaseData,
    trucks: Trucks,
    column: dict[str, Ints],
    *,
    open_h: Floats,
    usual_vkm_per_t: float,
) -> Driving:
    """The resources at their columns: of what a resource is made a unit is 1, all else is 0. `open_h` are the opening
    hours by class.
    """
    size = sum(int((at >= 0).sum()) for at in column.values())
    none, zero = (lambda: np.full(size, -1, np.int64)), (lambda: np.zeros(size))
    whole = {"vehicle": none(), "t": none(), "region": none(), "arrival": none(), "cargo_type": none()}
    part = {kind: zero() for kind in OF_TRUCKS}
    cost = {name: zero() for name in ("road_energy", "road_running", "drivers")}
    opening, used_km, on_the_way, ledgers = np.full(size, np.inf), zero(), np.zeros(size, bool), []
    for kind, at in column.items():
        index = np.nonzero(at >= 0)
        mine, place, v, t = at[index], index[0], index[-2], index[-1]
        whole["vehicle"][mine], whole["t"][mine] = v, t
        if kind in OF_TRUCKS:
            part[kind][mine] = 1.0
            whole["arrival" if kind == "arrives" else "region"][mine] = place
        if kind in ("km", "leaves", "arrives"):
            whole["cargo_type"][mine] = index[1]
        if kind == "km":
            used_km[mine] = trucks.used_share[v, index[1]]
            cost["road_running"][mine] = trucks.running_eur_per_vkm[v, t]
        elif kind == "toll":
            cost["road_running"][mine] = 1.0 - trucks.subsidies.toll_exempt[v, place, t]
        elif kind == "hours":
            cost["drivers"][mine] = base.driver_cost[base.region_country[place], t]
            opening[mine] = open_h[index[1]]
        elif kind in ("fuel", "home", "stop"):
            area = np.full(len(mine), -1) if kind == "fuel" else base.region_area[place] if kind == "home" else place
            country = place if kind == "fuel" else base.area_country[area]
            ledger, eur = taken_in(
                base, trucks, column=mine, vehicle=v, t=t, country=country, area=area, kwh=np.ones(len(mine)),
                columns=size,
            )  # fmt: skip
            ledgers.append(ledger)
            cost["road_energy"] += eur
            on_the_way[mine] = kind == "stop"
    ledger = EmissionEntries(
        **{f.name: np.concatenate([getattr(one, f.name) for one in ledgers]) for f in fields(EmissionEntries)}
    )
    cost["carbon"] = ledger.carbon_eur(size, price_eur_per_t=base.carbon_price, base=instance.meta.carbon_base)
    return Driving(
        lane=np.arange(size), **whole, load_t=zero(), loaded_vkm=part["vkm"], km_per_vkm=part["km"],
        used_km_per_vkm=used_km, hours_per_vkm=part["hours"], leaves_per_vkm=part["leaves"],
        arrives_per_vkm=part["arrives"], open_h_per_week=opening, cost_eur=cost, ledger=ledger,
        on_the_way=on_the_way, usual_vkm_per_t=usual_vkm_per_t,
    )  # fmt: skip
