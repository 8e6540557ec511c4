"""Accounting choices: ways to count emissions, each a function from an instance to the same world counted otherwise.

A choice replaces figures of energy.csv by named factors of the registry, or a setting. The factor ids are written into
the changed instance, so its report and workbook trace to them. What a choice cannot change it says; it never guesses.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from nbb_opt.emissions.factors import Factor, Registry, factor_by_id, kg_per_kwh
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import FERRY_ALLOCATIONS

ENERGY_KG = ("ttw_kg_co2e_per_kwh", "wtt_kg_co2e_per_kwh")
PRODUCTION = {"NO": "grid-no-ember-2023", "SE": "grid-se-ember-2023", "FI": "grid-fi-ember-2023"}
ZONES = {"NO": "grid-no4-codecarbon-2025", "SE": "grid-se1-codecarbon-2025", "FI": "grid-fi-codecarbon-2025"}
EARLIER = dict.fromkeys(("NO", "SE", "FI"), "grid-nordic-ivl-2016-2019")
DIESEL_BLEND, HVO_AGENCY = "fuel-diesel-mk1-wtw-mj-energimyndigheten-2016", "fuel-hvo-wtw-mj-energimyndigheten-2016"
AGAIN = "solved_again"
MARKET_METHODS = ("market_residual", "market_supplier")


class NotApplicable(NbbError):  # noqa: N818 - a finding about an instance, not a fault
    """A choice that changes nothing in this instance, or for which a figure is missing."""


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


@dataclass(frozen=True)
class Choice:
    """A way to count: `change` gives the changed instance or raises NotApplicable; `factors` are the ids it uses."""

    name: str
    title: str
    factors: tuple[str, ...]
    change: Callable[[Instance], Instance]


def accounting_choices(registry: Registry, ferry_shares: Mapping[str, float] | None = None) -> tuple[Choice, ...]:
    """Every choice; `solved_again` changes nothing: it gives the plan that the flips of the others are against.

    `ferry_shares`: share borne by freight, by allocation; assumed ones where it is None.

    The market-based grid methods need a `grid` factor with that grid_method in `registry`: none may be shipped.
    """
    shares = freight_shares(ASSUMED_LOAD) if ferry_shares is None else dict(ferry_shares)
    found = [
        Choice(AGAIN, "as the instance states, solved again", (), lambda one: _changed(one, "again", {})),
        Choice("boundary_ttw", "operation (TTW) emissions only", (), _ttw_only),
        Choice("carbon_base", "carbon price on the other base (TTW or WTW)", (), _other_carbon_base),
        _grid("grid_production", "grid: national production, life cycle", PRODUCTION, registry),
        _grid("grid_zones", "grid: production of the northern bidding zones", ZONES, registry),
        _grid("grid_earlier", "grid: Nordic consumption 2016-2019, life cycle", EARLIER, registry),
    ]
    found += [_market_grid(method, registry) for method in MARKET_METHODS]
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


def _changed(instance: Instance, name: str, tables: Mapping[str, pd.DataFrame], **meta: str) -> Instance:
    digest = hashlib.sha256(f"{instance.digest} {name}".encode())
    for key in sorted(tables):
        digest.update(tables[key].to_csv(index=False).encode())
    new_meta = replace(instance.meta, **meta)  # type: ignore[arg-type]
    return replace(instance, meta=new_meta, tables={**instance.tables, **tables}, digest=digest.hexdigest())


def _ttw_only(instance: Instance) -> Instance:
    energy = instance["energy"].assign(wtt_kg_co2e_per_kwh=0.0)
    handling = instance["handling_costs"].assign(wtt_kg_co2e_per_t=0.0)
    return _changed(
        instance, "boundary_ttw", {"energy": energy, "handling_costs": handling}, boundary="TTW", carbon_base="TTW"
    )


def _other_carbon_base(instance: Instance) -> Instance:
    other = "WTW" if instance.meta.carbon_base == "TTW" else "TTW"
    return _changed(instance, f"carbon_on_{other}", {}, carbon_base=other)


def _carriers(instance: Instance, technologies: Sequence[str]) -> set[str]:
    vehicles = instance["vehicles"]
    return set(vehicles.loc[vehicles["technology"].isin(list(technologies)), "energy_carrier"])


def _with_factors(instance: Instance, used: Sequence[Factor]) -> dict[str, pd.DataFrame]:
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


def _grid(name: str, title: str, by_country: Mapping[str, str], registry: Registry) -> Choice:
    """WTT of grid power from one factor per country; its change over the years stays that of the instance."""
    factors = {country: factor_by_id(registry, factor) for country, factor in by_country.items()}

    def change(instance: Instance) -> Instance:
        energy = instance["energy"].copy()
        power = energy["energy_carrier"].isin(_carriers(instance, ("battery", "electric")))
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
        tables = _with_factors(instance, list(factors.values())) | {"energy": energy}
        return _changed(instance, name, tables, grid_method=next(iter(factors.values())).grid_method)

    return Choice(name, title, tuple(by_country.values()), change)


def _market_grid(method: str, registry: Registry) -> Choice:
    """Grid power by a market-based method: the one row of the registry per kWh with that method."""
    rows = [f for f in registry if f.grid_method == method and f.unit == "g_co2e_per_kwh"]
    title = f"grid: {method.replace('_', '-')}"
    if len(rows) == 1:
        return _grid(f"grid_{method}", title, dict.fromkeys(("NO", "SE", "FI"), rows[0].factor), registry)

    def missing(instance: Instance) -> Instance:
        raise NotApplicable(
            f"grid_{method}: the registry has {len(rows)} rows per kWh with grid_method {method}, one is needed; "
            "give a table of your own with --factors"
        )

    return Choice(f"grid_{method}", title, (), missing)


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
        scaled = {column: rows[column] * (shares[method] / shares[own]) for column in ENERGY_KG}
        rows = rows.assign(energy_carrier=rows["energy_carrier"] + "_" + name, **scaled)
        energy = pd.concat([instance["energy"], rows], ignore_index=True)
        return _changed(instance, name, {"vehicles": vehicles, "energy": energy}, ferry_allocation=method)

    words = {"mass": "by mass", "lane_metre": "by lane metres", "freight_only": "all to freight"}
    return Choice(name, f"ferry: {words[method]}", (), change)


def _fuel(name: str, title: str, technology: str, factor_id: str, registry: Registry) -> Choice:
    """WTW of a fuel from one factor; the smaller part of TTW and WTT stays, the other is the rest."""
    factor = factor_by_id(registry, factor_id)

    def change(instance: Instance) -> Instance:
        energy = instance["energy"].copy()
        rows = energy["energy_carrier"].isin(_carriers(instance, (technology,)))
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
        return _changed(instance, name, _with_factors(instance, [factor]) | {"energy": energy})

    return Choice(name, title, (factor_id,), change)
