"""Projects, chargers, what others' charging points sell, and policies with the years they hold in."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import numpy as np

from nbb_opt.instance.schema import MODES
from nbb_opt.model.data.fuels import USUAL_KWH
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Names
from nbb_opt.model.figures.names import Figure, Members, Named, limits, of

ADDS_TO = {
    "links": "added_to_link", "terminals": "added_to_terminal", "charge_areas": "added_to_area",
    "fuel_substitutes": "added_to_fuel",
}  # fmt: skip


def project_figures(data: ModelData, named: Named) -> dict[str, Any]:
    """Everything of `built`."""
    p, names, countries, years = data.projects, data.projects.names.ids, data.base.countries.ids, named.years
    in_time = zip(of(p.names, p.project), named.year(p.t), strict=True)
    project_years = dict(zip(in_time, p.least.tolist(), strict=True))
    before = dict(pairwise(reversed(years)))
    rows = {
        "links": data.base.links.ids,
        "terminals": data.instance["terminals"]["terminal"].tolist(),
        "charge_areas": data.base.areas.ids,
        "fuel_substitutes": data.fuels.names.ids,
    }
    added = {
        name: Members(
            name, [rows[table][row] for _, where, row, _ in p.adds if where == table],
            [(names[a], amount) for a, where, _, amount in p.adds if where == table], parts=[rows[table]],
        )
        for table, name in ADDS_TO.items()
    }  # fmt: skip
    return added | {
        "projects": names,
        "project_years": project_years,
        "later_years": [(a, y) for a, y in project_years if (a, before.get(y)) in project_years],
        "ideas": [names[a] for a in np.flatnonzero(p.ideas).tolist()],
        "max_units": dict(zip(names, p.max_units.tolist(), strict=True)),
        "requires": [(names[a], names[b], y) for a, b in p.requires for y in years if (names[a], y) in project_years],
        "excludes": [
            (names[a], names[b], y)
            for a, b in p.excludes
            for y in years
            if {(names[a], y), (names[b], y)} <= project_years.keys()
        ],
        "funding_share": Figure(
            "funding_share", product(names, [*countries, ""]), np.insert(p.funding, len(countries), 1.0, axis=1).ravel()
        ),
        "project_value_left": Figure(
            "project_value_left", product(names, named.years), data.time.value_left(p.lifetime).ravel()
        ),
        "project_capex_eur": Figure("project_capex_eur", names, p.capex_eur),
        "project_fixed_eur": Figure("project_fixed_eur", names, p.fixed_eur_per_year),
    }


def charging_figures(data: ModelData, named: Named) -> dict[str, Any]:
    """Everything of `installed` and `public_kwh`."""
    c, base, years = data.chargers, data.base, named.years
    kinds, areas, public = c.names.ids, of(data.base.areas, c.areas), data.base.public
    area_years = list(product(areas, years))
    here = np.asarray(c.areas, np.int64)
    sold = public.kwh_per_year[here]
    return {
        "installations": list(zip(of(base.areas, c.area), of(c.names, c.kind), named.year(c.t), strict=True)),
        "areas": areas,
        "chargers": kinds,
        "charger_kw": Figure("charger_kw", kinds, c.kw),
        "charger_kwh": Figure("charger_kwh", kinds, c.kwh_per_year),
        "charger_value_left": Figure(
            "charger_value_left", product(kinds, years), data.time.value_left(c.lifetime).ravel()
        ),
        "charger_lifetime": dict(zip(kinds, c.lifetime.tolist(), strict=True)),
        "charger_capex_eur": Figure("charger_capex_eur", kinds, c.capex_eur),
        "charger_fixed_eur": Figure("charger_fixed_eur", kinds, c.fixed_eur_per_year),
        "grid_mw": Figure("grid_mw", areas, base.area_grid_mw[here]),
        "usual_sale_kwh": float(np.median(sold[sold > 0])) if (sold > 0).any() else 1.0,
        "on_sale_kwh": Figure("on_sale_kwh", area_years, np.where(sold > 0, sold, np.nan).ravel()),
        "public_kw": Figure("public_kw", area_years, np.where(sold > 0, public.kw[here], np.nan).ravel()),
        "public_add_eur": Figure(
            "public_add_eur", area_years, np.where(sold > 0, public.price_add[here], np.nan).ravel()
        ),
    }


def fuel_figures(data: ModelData, named: Named) -> dict[str, Any]:
    """Everything of `replaced_kwh` but the energy that may be replaced."""
    f, base, names, countries = data.fuels, data.base, data.fuels.names.ids, data.base.countries.ids
    fuel, country, year = of(f.names, f.fuel), of(base.countries, f.country), named.year(f.t)
    columns = list(zip(fuel, country, year, strict=True))
    first = f.together().tolist()
    together: dict[Any, list[str]] = {}
    for i, lead in enumerate(first):
        if lead >= 0:
            together.setdefault(columns[lead], []).append(fuel[i])
    change = {
        name: Members(name, zip(country, year, strict=True), zip(fuel, kg.tolist(), strict=True),
                      parts=[countries, named.years])
        for name, kg in (("fuel_ttw_kg", f.ttw_kg), ("fuel_wtt_kg", f.wtt_kg))
    }  # fmt: skip
    limited = limits("fuel_supply_kwh", names, f.kwh_per_year)
    return change | {
        "fuel_columns": columns,
        "fuels_together": together,
        "fuel_mode": dict(zip(names, of(Names(MODES), f.mode), strict=True)),
        "fuel_replaces": dict(zip(names, of(base.carriers, f.replaces), strict=True)),
        "fuel_carrier": dict(zip(names, of(base.carriers, f.carrier), strict=True)),
        "kwh_per_kwh": Figure("kwh_per_kwh", names, f.kwh_per_kwh),
        "max_share": Figure("max_share", names, f.max_share),
        "fuel_supply_kwh": limited,
        "fuel_countries": Members("fuel_countries", zip(fuel, year, strict=True), country, parts=[names, named.years]),
        "fuel_supply_years": list(dict.fromkeys((f, t) for f, _, t in columns if f in limited)),
        "usual_fuel_kwh": USUAL_KWH,
    }


KINDS = (
    "cap_emissions_t_per_year", "cap_technology_share", "ban_purchase", "require_zero_emission_share",
    "limit_budget_eur", "limit_mode_shift_share_per_year",
)  # fmt: skip


def policy_figures(data: ModelData, named: Named) -> dict[str, Any]:
    """Everything of the blocks policy and mode_shift; a country "" means all together."""
    policies, countries = data.policies, data.base.countries.ids
    held = [(p.kind, (p.name, named.years[t])) for p in policies for t in p.periods]
    return {
        "policy_countries": {p.name: [countries[p.country]] if p.country >= 0 else countries for p in policies},
        "policy_country": {p.name: countries[p.country] if p.country >= 0 else "" for p in policies},
        "policy_technology": {p.name: p.technology for p in policies},
        "policy_value": Figure("policy_value", [p.name for p in policies], [p.value for p in policies]),
        "policy_years": Members("policy_years", [kind for kind, _ in held], [key for _, key in held], parts=[KINDS]),
    }
