"""Flows and their chains: demand, costs per tonne, what chains go through, which modes are compared."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np

from nbb_opt.instance.schema import MODES
from nbb_opt.model.data.costs import EmissionEntries
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Floats, Ints, Names, sum_by
from nbb_opt.model.figures.names import Chain, Figure, Members, Named, flat, limits, of


def flow_figures(data: ModelData, named: Named) -> dict[str, Any]:
    """Everything of `carried_t`."""
    flows, chain, year = data.flows, named.chains, named.year(data.flows.t)
    chain_years = list(flat(chain, year))
    flow_years = list(flat((c.flow for c in chain), year))
    demand = dict(zip(flow_years, flows.demand_t.tolist(), strict=True))
    ends = [sorted({key[k] for key in demand}) for k in range(4)]
    need, project = flows.needs
    projects = of(data.projects.names, project)
    return {
        "chain_years": chain_years,
        "chains_in": Members("chains_in", year, chain, parts=[named.years]),
        "chains_of": Members("chains_of", flow_years, chain, parts=ends),
        "demand_t": Figure("demand_t", demand, list(demand.values())),
        "given_t": dict(zip(chain_years, flows.fixed_t.tolist(), strict=False)),  # empty where flows are free
        "chains_needing": Members(
            "chains_needing", flat((chain[i].flow for i in need.tolist()), projects, _at(year, need)),
            _at(chain, need), parts=[*ends[:3], set(projects), named.years],
        ),
        "service_eur_per_t": Figure("service_eur_per_t", chain_years, flows.cost_eur["service"] - _energy_eur(data)),
        **{f"{name}_eur_per_t": Figure(f"{name}_eur_per_t", chain_years, flows.cost_eur[name])
           for name in ("handling", "cargo_time", "mode_constant")},
        **_passing(data, named, chain, year),
        **_compared(data, named, chain, year),
        "km_by_mode": _km_by_mode(data, named),
    }  # fmt: skip


def _energy_eur(data: ModelData) -> Floats:
    """What the energy of rail, sea and ferry costs per tonne: `energy_price_eur_per_kwh` pays for it."""
    ledger, flows = data.flows.ledger, data.flows
    some = np.flatnonzero((ledger.carrier >= 0) & (ledger.kwh > 0))
    price = data.base.energy_price[ledger.carrier[some], ledger.country[some], ledger.t[some]]
    return sum_by(ledger.col[some], ledger.kwh[some] * price, size=len(flows.chain))


def _at(values: Sequence[Any], which: Ints) -> list[Any]:
    return [values[i] for i in which.tolist()]


def _passing(data: ModelData, named: Named, chain: Sequence[Chain], year: Sequence[int]) -> dict[str, Any]:
    """Which chains go how often through a lane, a link with a limit, a terminal with a limit: (chain, times)."""
    flows, base, table = data.flows, data.base, data.instance["terminals"]
    terminals = Names(table["terminal"])
    link_t = limits("link_capacity_t", base.links.ids, base.link_capacity_t)
    terminal_t = Figure("terminal_capacity_t", terminals.ids, table["capacity_t_per_year"])
    column, lane, times = flows.uses_lane
    lanes, nodes = named.lane_at(lane), base.nodes.ids
    found = {
        "chains_on": Members(
            "chains_on", flat(lanes, _at(year, column)), zip(_at(chain, column), times.tolist(), strict=True),
            parts=[nodes, nodes, base.cargo_types.ids, {each.n for each in lanes}, named.years],
        ),
        "link_capacity_t": link_t, "terminal_capacity_t": terminal_t,
    }  # fmt: skip
    for name, names, limited, (column, what, times) in (
        ("chains_through_link", base.links, link_t, flows.uses_group),
        ("chains_through_terminal", terminals, terminal_t, flows.uses_terminal),
    ):
        places = of(names, what)
        here = np.array([place in limited for place in places], bool)
        keys = [(place, year[i]) for place, i in zip(np.array(places, object)[here], column[here], strict=True)]
        members = zip(_at(chain, column[here]), times[here].tolist(), strict=True)
        found[name] = Members(name, keys, members, parts=[limited, named.years])
    return found


def _compared(data: ModelData, named: Named, chain: Sequence[Chain], year: Sequence[int]) -> dict[str, Any]:
    """Chains of flows with demand in a period and the one before, by commodity and main mode; and those flows."""
    flows, years = data.flows, named.years
    mode = [MODES[m] for m in data.prepared.rows.main_mode[flows.chain].tolist()]
    of_chain = [(c.commodity, m) for c, m in zip(chain, mode, strict=True)]
    next_year = dict(pairwise(years))
    now, then = np.flatnonzero(flows.now > 0).tolist(), np.flatnonzero(flows.grows > 0).tolist()
    commodities = data.instance["commodities"]["commodity"].tolist()
    parts = [commodities, MODES, years]
    flow_years = dict.fromkeys((chain[i].flow, year[i]) for i in now)
    compared = Members("chains_compared", [(*of_chain[i], year[i]) for i in now], [chain[i] for i in now], parts=parts)
    rules = [p for p in data.policies if p.kind == "limit_mode_shift_share_per_year"]
    in_force = [(p.name, years[t]) for p in rules for t in p.periods]
    return {
        "main_mode": dict(zip(chain, mode, strict=True)),
        "chains_compared": compared,
        "modes_compared": [(policy, *key) for policy, y in in_force for key in compared if key[2] == y],
        "chains_before": Members(
            "chains_before", [(*of_chain[i], next_year[year[i]]) for i in then], [chain[i] for i in then], parts=parts
        ),
        "flows_compared": Members(
            "flows_compared", [(f.commodity, y) for f, y in flow_years], [f for f, _ in flow_years],
            parts=[commodities, years],
        ),
    }  # fmt: skip


def _km_by_mode(data: ModelData, named: Named) -> Figure:
    """km of a chain by mode, where it has any."""
    rows, items = data.prepared.rows, data.prepared.items
    km = np.zeros((len(rows), len(MODES)))
    distance: Floats = np.where(items.transfer < 0, items.distance_km, 0.0)
    np.add.at(km, (rows.owner, items.mode_a[rows.item]), distance[rows.item])
    chains = dict(zip(data.flows.chain.tolist(), named.chains, strict=True))
    used = np.array(list(chains), np.int64)
    keys = [(*chain, mode) for chain in chains.values() for mode in MODES]
    return Figure("km_by_mode", keys, km[used].ravel())


def emission_figures(data: ModelData, named: Named) -> dict[str, Any]:
    """TTW and WTT kg by country, kWh by charging area: members (what moves, amount per unit) of a place and year."""
    base, d, years = data.base, data.driving, named.years
    country_years = list(product(base.countries.ids, years))
    driven = list(zip(named.lanes, named.trucks_driving, strict=True))
    moves = (
        ("chain", data.flows.ledger, named.chains),
        ("truck", d.ledger, driven),
        ("trip", data.empties.ledger, named.trips),
    )
    found: dict[str, Any] = {
        f"{what}_used_kwh": _used(f"{what}_used_kwh", named, ledger, moving) for what, ledger, moving in moves
    }
    used = sorted({key for members in found.values() for key in members})
    freight, transfer = data.flows.ledger, data.flows.ledger.carrier < 0
    way = np.where(d.on_the_way[d.ledger.col], d.ledger.kwh, 0.0)
    for name, names, place, (_, ledger, moving), amount in (
        ("transfer_ttw_kg", base.countries, freight.country, moves[0], np.where(transfer, freight.ttw_kg, 0.0)),
        ("transfer_wtt_kg", base.countries, freight.country, moves[0], np.where(transfer, freight.wtt_kg, 0.0)),
        ("truck_kwh", base.areas, d.ledger.area, moves[1], d.ledger.kwh),
        ("trip_kwh", base.areas, data.empties.ledger.area, moves[2], data.empties.ledger.kwh),
        ("way_kwh", base.areas, d.ledger.area, moves[1], way),
    ):
        found[name] = _by_place(name, named, names, place, ledger, moving, np.where(place >= 0, amount, 0.0))
    powers = data.trucks.charge_kw[d.vehicle[d.ledger.col[(way > 0) & (d.ledger.area >= 0)]]]
    priced = list(product(base.carriers.ids, base.countries.ids, years))
    return found | {
        "energy_uses": used,
        "energy_used": Members(
            "energy_used", (key[2:] for key in used), (key[:2] for key in used), parts=[base.countries.ids, years]
        ),
        "ttw_kg_per_kwh": Figure("ttw_kg_per_kwh", priced, base.energy_ttw.ravel()),
        "wtt_kg_per_kwh": Figure("wtt_kg_per_kwh", priced, base.energy_wtt.ravel()),
        "energy_price_eur_per_kwh": Figure("energy_price_eur_per_kwh", priced, base.energy_price.ravel()),
        "powers_kw": np.unique(powers).tolist(),
        "carbon_price_eur_per_t": Figure("carbon_price_eur_per_t", country_years, base.carbon_price.ravel()),
        "emission_eur_per_t": data.emission_eur_per_t,
        "carbon_counts_wtt": data.instance.meta.carbon_base != "TTW",
        "driver_cost_eur_per_h": Figure("driver_cost_eur_per_h", country_years, base.driver_cost.ravel()),
        "driver_limit_h": Figure("driver_limit_h", country_years, base.driver_limit_h.ravel()),
    }


def _by_place(
    name: str, named: Named, names: Names, place: Any, ledger: EmissionEntries, moving: list[Any], amount: Floats
) -> Members:
    some = np.flatnonzero(amount)
    keys = zip(of(names, place[some]), named.year(ledger.t[some]), strict=True)
    members = zip((moving[i] for i in ledger.col[some].tolist()), amount[some].tolist(), strict=True)
    return Members(name, keys, members, parts=[names.ids, named.years])


def _used(name: str, named: Named, ledger: EmissionEntries, moving: list[Any]) -> Members:
    """kWh by mode, energy carrier, country and year."""
    base, some = named.data.base, np.flatnonzero((ledger.carrier >= 0) & (ledger.kwh > 0))
    parts: list[Any] = [MODES, base.carriers.ids, base.countries.ids, named.years]
    places = (Names(MODES), ledger.mode), (base.carriers, ledger.carrier), (base.countries, ledger.country)
    keys = zip(*(of(names, place[some]) for names, place in places), named.year(ledger.t[some]), strict=True)
    members = zip((moving[i] for i in ledger.col[some].tolist()), ledger.kwh[some].tolist(), strict=True)
    return Members(name, keys, members, parts=parts)
