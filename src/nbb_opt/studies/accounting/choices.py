"""Choices of how emissions are counted: each changes what it says and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Real

import numpy as np
import pandas as pd

from nbb_opt.emissions.factors import Factor, Registry, factor_by_id, kg_per_kwh, nearest
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.instance.read import varied
from nbb_opt.instance.schema import FERRY_ALLOCATIONS

ENERGY_KG = ("ttw_kg_co2e_per_kwh", "wtt_kg_co2e_per_kwh")


class NotApplicable(NbbError):  # noqa: N818 - a finding about an instance, not a fault
    """A choice that changes nothing in this instance, or for which a figure is missing."""


@dataclass(frozen=True)
class Choice:
    """A way to count: `change` gives the changed instance or raises NotApplicable; `factors` are the ids it uses."""

    name: str
    title: str
    factors: tuple[str, ...]
    change: Callable[[Instance], Instance]


def carriers_of(instance: Instance, technologies: Sequence[str]) -> set[str]:
    vehicles = instance["vehicles"]
    return set(vehicles.loc[vehicles["technology"].isin(list(technologies)), "energy_carrier"])


def with_factors(instance: Instance, used: Sequence[Factor]) -> dict[str, pd.DataFrame]:
    """The tables factors and sources with the rows of `used` added."""
    new = [factor for factor in used if factor.factor not in set(instance["factors"]["factor"])]
    rows = pd.DataFrame(
        [
            {"factor": f.factor, "subject": f"{f.subject}: {f.technology}", "value": f.value, "unit": f.unit,
             "boundary": f.boundary, "gwp_set": f.gwp_set, "region": f.region, "year": f.year, "licence": f.licence,
             "source": f"registry_{f.factor}", "note": f.note}
            for f in new
        ],
        columns=instance["factors"].columns,
    )  # fmt: skip
    sources = pd.DataFrame(
        [
            {"source": f"registry_{f.factor}", "title": f.source_title, "url": f.source_ref, "licence": f.licence,
             "year": f.year}
            for f in new
        ],
        columns=instance["sources"].columns,
    )  # fmt: skip
    both = {"factors": rows, "sources": sources}
    return {
        name: pd.concat([instance[name], more.astype(instance[name].dtypes.to_dict())], ignore_index=True)
        for name, more in both.items()
    }


PRODUCTION = {"NO": "grid-no-ember-2023", "SE": "grid-se-ember-2023", "FI": "grid-fi-ember-2023"}
ZONES = {"NO": "grid-no4-codecarbon-2025", "SE": "grid-se1-codecarbon-2025", "FI": "grid-fi-codecarbon-2025"}
EARLIER = dict.fromkeys(("NO", "SE", "FI"), "grid-nordic-ivl-2016-2019")
DELIVERED = {"NO": "grid-no-nve-2023"}
REGIONS = {"Nordic": ("NO", "SE", "FI", "DK")}  # names of several countries
MARKET_METHODS = ("market_residual", "market_supplier")
PER_ENERGY = ("g_co2e_per_kwh", "g_co2e_per_mj")


def grid_choices(registry: Registry) -> list[Choice]:
    """Every way to count grid power. Raises NbbError if the registry lacks a factor of one that is shipped."""
    placed = {
        "grid_production": ("grid: national production, life cycle", PRODUCTION),
        "grid_zones": ("grid: production of the northern bidding zones", ZONES),
        "grid_earlier": ("grid: Nordic consumption 2016-2019, life cycle", EARLIER),
        "grid_delivered": ("grid: power physically delivered in Norway", DELIVERED),
    }
    found = []
    for name, (title, by_country) in placed.items():
        factors = {country: factor_by_id(registry, factor) for country, factor in by_country.items()}
        ids = tuple(dict.fromkeys(by_country.values()))
        found.append(Choice(name, title, ids, partial(_counted, name=name, factors=factors)))
    return [*found, *(_market(method, registry) for method in MARKET_METHODS)]


def _market(method: str, registry: Registry) -> Choice:
    """Grid power by a market-based method, with the one factor per country that the registry has for it."""
    rows = [factor for factor in registry if factor.grid_method == method and factor.unit in PER_ENERGY]

    def change(instance: Instance) -> Instance:
        power = carriers_of(instance, ("battery", "electric"))
        energy = instance["energy"]
        countries = sorted(set(energy.loc[energy["energy_carrier"].isin(power), "country"]))
        factors: dict[str, Factor] = {}
        for country in countries:
            fit = [factor for factor in rows if country in _covered(factor.region)]
            if len(fit) > 1:
                names = ", ".join(factor.factor for factor in fit)
                raise NotApplicable(f"grid_{method}: {country} has several factors ({names}); leave one in the table")
            if fit:
                factors[country] = fit[0]
        if not factors:
            wanted = {"subject": "grid", "unit": PER_ENERGY[0], "grid_method": method, "region": countries[0]}
            raise NotApplicable(
                f"grid_{method}: no factor per kWh with grid_method {method} for {', '.join(countries)}, and none may "
                "be shipped; give your own table with factors=; nearest: " + "; ".join(nearest(registry, wanted))
            )
        return _counted(instance, name=f"grid_{method}", factors=factors)

    return Choice(f"grid_{method}", f"grid: {method.replace('_', '-')}", tuple(row.factor for row in rows), change)


def _covered(region: str) -> set[str]:
    """Countries that a region of the registry names.

    >>> sorted(_covered("Nordic")), sorted(_covered("SE;FI"))
    (['DK', 'FI', 'NO', 'SE'], ['FI', 'SE'])
    """
    return {country for part in region.split(";") for country in REGIONS.get(part.strip(), (part.strip(),))}


def _counted(instance: Instance, *, name: str, factors: Mapping[str, Factor]) -> Instance:
    """WTT of grid power from one factor per country; its change over the years stays that of the instance.

    Countries without one stay as the instance states, and its grid method then says so.
    """
    energy = instance["energy"].copy()
    power = energy["energy_carrier"].isin(carriers_of(instance, ("battery", "electric")))
    rows = power & energy["country"].isin(list(factors))
    if not rows.any():
        raise NotApplicable(f"{name}: no grid power in {', '.join(factors)}")
    first = energy[rows].sort_values("year").drop_duplicates(["energy_carrier", "country"])
    base = first.set_index(["energy_carrier", "country"])[list(ENERGY_KG)].sum(axis=1)
    keys = pd.MultiIndex.from_frame(energy.loc[rows, ["energy_carrier", "country"]])
    told = energy.loc[rows, "country"].map({c: kg_per_kwh(f) for c, f in factors.items()}).to_numpy(dtype=float)
    start = base.reindex(keys).to_numpy(dtype=float)
    now = energy.loc[rows, list(ENERGY_KG)].sum(axis=1).to_numpy(dtype=float)
    if (start == 0).any():
        raise NotApplicable(f"{name}: grid power without emissions in the first year cannot be scaled")
    energy.loc[rows, "wtt_kg_co2e_per_kwh"] = told * now / start
    energy.loc[rows, "ttw_kg_co2e_per_kwh"] = 0.0
    energy.loc[rows, "factors"] = energy.loc[rows, "country"].map({c: f.factor for c, f in factors.items()})
    method = ", ".join(dict.fromkeys(factor.grid_method for factor in factors.values()))
    rest = sorted(set(energy.loc[power, "country"]) - set(factors))
    if rest:
        method += f"; in {', '.join(rest)} as the instance states"
    tables = with_factors(instance, list(dict.fromkeys(factors.values()))) | {"energy": energy}
    return varied(instance, tables, grid_method=method)


DIESEL_BLEND, HVO_AGENCY = "fuel-diesel-mk1-wtw-mj-energimyndigheten-2016", "fuel-hvo-wtw-mj-energimyndigheten-2016"
AGAIN = "solved_again"


@dataclass(frozen=True, kw_only=True)
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
ASSUMED_LOAD = FerryLoad(
    trailers=26, trailer_t=22, trailer_m=17, cars=180, car_t=1.5, car_m=5, passengers=400, passenger_t=0.1,
)  # fmt: skip


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
    for method, share in shares.items():
        if method not in FERRY_ALLOCATIONS or not (isinstance(share, Real) and 0 < share <= 1):
            raise NbbError(
                f"ferry_shares={{{method!r}: {share!r}}}: give a share above 0, at most 1, by method: "
                + ", ".join(FERRY_ALLOCATIONS)
            )
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
            raise NotApplicable(f"{name}: no share of freight by {', '.join(missing)}; give it with ferry_shares=")
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
