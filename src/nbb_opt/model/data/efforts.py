"""Efforts as columns of `driven_vkm`: which are needed, how they are numbered, and what a unit of each is."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt

from nbb_opt.instance import Instance
from nbb_opt.model.data.driving import Driving, taken_in
from nbb_opt.model.data.ledger import Ledger
from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.model.data.trucks import Trucks
from nbb_opt.model.data.world import World

Bools = npt.NDArray[np.bool_]
OF_TRUCKS = ("vkm", "km", "hours", "leaves", "arrives")
KINDS = (*OF_TRUCKS, "toll", "fuel", "home", "stop")


def no_efforts(world: World, trucks: Trucks, *, classes: int, periods: int) -> dict[str, Bools]:
    """Places for every kind of effort, all False; the last two axes are truck and period.

    vkm, km, home: region; hours: region and class of opening hours; leaves, arrives: region and cargo type; toll, fuel:
    country; stop: charging area.
    """
    region, country = len(world.regions), len(world.countries)
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(KINDS, (region,))
    shapes |= {"hours": (region, classes), "toll": (country,), "fuel": (country,), "stop": (len(world.areas),)}
    shapes |= dict.fromkeys(("leaves", "arrives"), (region, len(world.cargo_types)))
    return {kind: np.zeros((*shapes[kind], len(trucks.names), periods), bool) for kind in KINDS}


def numbered(wanted: dict[str, Bools]) -> tuple[dict[str, Ints], Ints]:
    """Column of every effort, -1 where none is wanted, period by period; the first column of every period, and the end.

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
    instance: Instance, world: World, trucks: Trucks, column: dict[str, Ints], *, open_h: Floats, usual_vkm_per_t: float
) -> Driving:
    """The efforts at their columns: of what an effort is made a unit is 1, all else is 0. `open_h` are the opening
    hours by class.
    """
    size = sum(int((at >= 0).sum()) for at in column.values())
    none, zero = (lambda: np.full(size, -1, np.int64)), (lambda: np.zeros(size))
    whole = {"vehicle": none(), "t": none(), "region": none(), "arrival": none(), "cargo_type": none()}
    part = {kind: zero() for kind in OF_TRUCKS}
    cost = {name: zero() for name in ("road_energy", "road_running", "drivers")}
    opening, on_the_way, ledgers = np.full(size, np.inf), np.zeros(size, bool), []
    for kind, at in column.items():
        index = np.nonzero(at >= 0)
        mine, place, v, t = at[index], index[0], index[-2], index[-1]
        whole["vehicle"][mine], whole["t"][mine] = v, t
        if kind in OF_TRUCKS:
            part[kind][mine] = 1.0
            whole["arrival" if kind == "arrives" else "region"][mine] = place
        if kind in ("leaves", "arrives"):
            whole["cargo_type"][mine] = index[1]
        elif kind == "km":
            cost["road_running"][mine] = trucks.running_eur_per_vkm[v, t]
        elif kind == "toll":
            cost["road_running"][mine] = 1.0 - trucks.subsidies.toll_exempt[v, place, t]
        elif kind == "hours":
            cost["drivers"][mine] = world.driver_cost[world.region_country[place], t]
            opening[mine] = open_h[index[1]]
        elif kind in ("fuel", "home", "stop"):
            area = np.full(len(mine), -1) if kind == "fuel" else world.region_area[place] if kind == "home" else place
            country = place if kind == "fuel" else world.area_country[area]
            ledger, eur = taken_in(
                world, trucks, column=mine, vehicle=v, t=t, country=country, area=area, kwh=np.ones(len(mine)),
                columns=size,
            )  # fmt: skip
            ledgers.append(ledger)
            cost["road_energy"] += eur
            on_the_way[mine] = kind == "stop"
    ledger = Ledger(*(np.concatenate([getattr(one, f.name) for one in ledgers]) for f in fields(Ledger)))
    cost["carbon"] = ledger.carbon_eur(size, price_eur_per_t=world.carbon_price, base=instance.meta.carbon_base)
    return Driving(
        lane=np.arange(size), **whole, load_t=zero(), loaded_vkm=part["vkm"], km_per_vkm=part["km"],
        hours_per_vkm=part["hours"], leaves_per_vkm=part["leaves"], arrives_per_vkm=part["arrives"],
        open_h_per_week=opening, cost_eur=cost, ledger=ledger, on_the_way=on_the_way, usual_vkm_per_t=usual_vkm_per_t,
    )  # fmt: skip
