"""Accounting choices: ways to count emissions, each a function from an instance to the same world counted otherwise.

A choice replaces figures of energy.csv by named factors of the registry, or a setting. The factor ids are written into
the changed instance, so its report and workbook trace to them. What a choice cannot change it says; it never guesses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.emissions.factors import Registry, factor_by_id, kg_per_kwh
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import FERRY_ALLOCATIONS
from nbb_opt.instance.vary import varied
from nbb_opt.studies.accounting.choice import ENERGY_KG, Choice, NotApplicable, carriers_of, with_factors
from nbb_opt.studies.accounting.grid import grid_choices

DIESEL_BLEND, HVO_AGENCY = "fuel-diesel-mk1-wtw-mj-energimyndigheten-2016", "fuel-hvo-wtw-mj-energimyndigheten-2016"
AGAIN = "solved_again"


@dataclass(frozen=True)
class FerryLoad:
    """What a ferry that takes freight and passengers carries on an average crossing."""

    trailers: float
    trailer_t: float
    trailer_m: float
    cars: float
    car_t: float
    car_m: float
    passengers: float
    passenger_t: float


# A crossing of the Kvarken: 26 trailers of 22 t and 17 m, 180 cars, 400 passengers. Assumed; give your own shares.
ASSUMED_LOAD = FerryLoad(26, 22, 17, 180, 1.5, 5, 400, 0.1)


def freight_shares(load: FerryLoad) -> dict[str, float]:
    """Share of a ferry's emissions that freight bears, by way of allocation; passengers bear the rest.

    >>> {name: round(share, 3) for name, share in freight_shares(ASSUMED_LOAD).items()}
    {'mass': 0.649, 'lane_metre': 0.329, 'freight_only': 1.0}
    """
    goods_t = load.trailers * load.trailer_t
    all_t = goods_t + load.cars * load.car_t + load.passengers * load.passenger_t
    goods_m = load.trailers * load.trailer_m
    return {"mass": goods_t / all_t, "lane_metre": goods_m / (goods_m + load.cars * load.car_m), "freight_only": 1.0}


def accounting_choices(registry: Registry, ferry_shares: Mapping[str, float] | None = None) -> tuple[Choice, ...]:
    """Every choice; `solved_again` changes nothing: it gives the plan that the flips of the others are against.

    `ferry_shares`: share borne by freight, by allocation; assumed ones where it is None.

    The market-based grid methods need `grid` factors with that grid_method in `registry`: none may be shipped.
    """
    shares = freight_shares(ASSUMED_LOAD) if ferry_shares is None else dict(ferry_shares)
    found = [
        Choice(AGAIN, "as the instance states, solved again", (), lambda one: one),
        Choice("boundary_ttw", "operation (TTW) emissions only", (), _ttw_only),
        Choice("carbon_base", "carbon price on the other base (TTW or WTW)", (), _other_carbon_base),
        *grid_choices(registry),
    ]
    found += [_ferry(method, shares) for method in ("mass", "lane_metre", "freight_only")]
    found.append(_fuel("diesel_blend", "diesel as sold, with its biofuel", "diesel", DIESEL_BLEND, registry))
    found.append(_fuel("hvo_agency", "HVO as the energy agency counts it", "hvo", HVO_AGENCY, registry))
    return tuple(found)


def chosen(choices: Sequence[Choice], names: Sequence[str]) -> tuple[Choice, ...]:
    """The choices with these names, all if there are none. Raises NbbError for a name that is unknown."""
    known = [choice.name for choice in choices]
    for name in names:
        if name not in known:
            raise NbbError(f"choice {name!r}: is unknown; one of {', '.join(known)}")
    return tuple(choice for choice in choices if not names or choice.name in names)


def read_shares(words: Sequence[str]) -> dict[str, float]:
    """Shares of freight given as `mass=0.6`. Raises NbbError for anything else.

    >>> read_shares(["mass=0.6", "lane_metre=0.33"])
    {'mass': 0.6, 'lane_metre': 0.33}
    """
    shares = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in FERRY_ALLOCATIONS or not re.fullmatch(r"0?\.\d+|1(\.0*)?", value) or float(value) == 0:
            raise NbbError(
                f"--ferry-share {word!r}: write METHOD=SHARE with a share above 0, at most 1; methods: "
                + ", ".join(FERRY_ALLOCATIONS)
            )
        shares[name] = float(value)
    return shares


def _ttw_only(instance: Instance) -> Instance:
    energy = instance["energy"].assign(wtt_kg_co2e_per_kwh=0.0)
    handling = instance["handling_costs"].assign(wtt_kg_co2e_per_t=0.0)
    return varied(instance, {"energy": energy, "handling_costs": handling}, boundary="TTW", carbon_base="TTW")


def _other_carbon_base(instance: Instance) -> Instance:
    other = "WTW" if instance.meta.carbon_base == "TTW" else "TTW"
    return varied(instance, {}, carbon_base=other)


def _ferry(method: str, shares: Mapping[str, float]) -> Choice:
    """Emissions of ferries times the share of freight by `method` over that by the method of the instance."""
    name = f"ferry_{method}"

    def change(instance: Instance) -> Instance:
        own = instance.meta.ferry_allocation
        if method == own:
            raise NotApplicable(f"{name}: is the allocation of the instance")
        missing = [word for word in (own, method) if word not in shares]
        if missing:
            raise NotApplicable(f"{name}: no share of freight by {', '.join(missing)}; give it with --ferry-share")
        vehicles = instance["vehicles"].copy()
        ferries = vehicles["mode"] == "ferry"
        carriers = set(vehicles.loc[ferries, "energy_carrier"])
        if not carriers:
            raise NotApplicable(f"{name}: the instance has no ferry")
        vehicles["energy_carrier"] = vehicles["energy_carrier"].mask(ferries, vehicles["energy_carrier"] + "_" + name)
        rows = instance["energy"][instance["energy"]["energy_carrier"].isin(list(carriers))]
        beside = "biogenic_kg_co2_per_kwh"
        scaled = {column: rows[column] * (shares[method] / shares[own]) for column in (*ENERGY_KG, beside)}
        rows = rows.assign(energy_carrier=rows["energy_carrier"] + "_" + name, **scaled)
        energy = pd.concat([instance["energy"], rows], ignore_index=True)
        return varied(instance, {"vehicles": vehicles, "energy": energy}, ferry_allocation=method)

    words = {"mass": "by mass", "lane_metre": "by lane metres", "freight_only": "all to freight"}
    return Choice(name, f"ferry: {words[method]}", (), change)


def _fuel(name: str, title: str, technology: str, factor_id: str, registry: Registry) -> Choice:
    """WTW of a fuel from one factor; the smaller part of TTW and WTT stays, the other is the rest."""
    factor = factor_by_id(registry, factor_id)

    def change(instance: Instance) -> Instance:
        energy = instance["energy"].copy()
        rows = energy["energy_carrier"].isin(carriers_of(instance, (technology,)))
        if not rows.any():
            raise NotApplicable(f"{name}: no vehicle of technology {technology}")
        ttw, wtt = (energy.loc[rows, column].to_numpy(dtype=float) for column in ENERGY_KG)
        small, wtw = np.minimum(ttw, wtt), kg_per_kwh(factor)
        if (small > wtw).any():
            raise NotApplicable(f"{name}: {factor_id} is below the smaller part of TTW and WTT in the instance")
        energy.loc[rows, "ttw_kg_co2e_per_kwh"] = np.where(ttw <= wtt, ttw, wtw - small)
        energy.loc[rows, "wtt_kg_co2e_per_kwh"] = np.where(ttw <= wtt, wtw - small, wtt)
        kept = energy.loc[rows, "factors"]
        energy.loc[rows, "factors"] = [";".join(part for part in (factor_id, old) if part) for old in kept]
        return varied(instance, with_factors(instance, [factor]) | {"energy": energy})

    return Choice(name, title, (factor_id,), change)
