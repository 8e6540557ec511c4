"""The freight model in Pyomo: its table of contents. Every rule is a function of `blocks/`, one file a topic.

Letters of the equations: c chain, b flow, g lane, l link, h terminal or cargo type, v truck, r and s fleet region, j
charging area, k charger, a project, n country, p policy, u vintage year, t period (named by its first year); of
sourcing, s supplier, i plant, k input.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pyomo.environ as pyo

from nbb_opt.model.blocks import (
    charging,
    costs,
    emissions,
    fleet,
    flow,
    fuels,
    links,
    mode_shift,
    policy,
    projects,
    rebalance,
    sourcing,
    terminals,
)
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.figures import figures
from nbb_opt.model.spec import ModelSpec

NOTHING_EUR = 1e-9  # per tonne


def freight_model(data: ModelData, spec: ModelSpec) -> pyo.ConcreteModel:
    """The model of `models/<name>.toml` on the data of one instance: t, vkm, vehicles, chargers, units, EUR, kg, kWh.

    Raises ModelError for a figure that is not finite.
    """
    m = pyo.ConcreteModel(name=spec.name)
    given(m, figures(data))
    decisions(m, spec.blocks)
    what_follows(m)
    constraints(m, spec.blocks)
    what_it_costs(m, spec.blocks)
    usual_sizes(m)
    return m


def given(m: Any, f: SimpleNamespace) -> None:
    """Figures under their names; those that studies change are parameters, and a changed one changes every row."""

    def parameter(name: str, doc: str) -> None:
        figure = getattr(f, name)
        setattr(m, name, pyo.Param(list(figure), initialize=dict(figure), domain=pyo.Reals, mutable=True, doc=doc))

    parameter("demand_t", r"$q_{bt}$ demand of a flow [t/year]")
    parameter("link_capacity_t", r"$cap_l$ capacity of a link [t/year]")
    parameter("terminal_capacity_t", r"$cap_h$ capacity of a terminal [t/year]")
    parameter("grid_mw", r"$grid\_mw_j$ grid connection of a charging area [MW]")
    parameter("on_sale_kwh", r"$\bar s_{jt}$ energy that others sell in a charging area [kWh/year]")
    parameter("public_add_eur", r"$add_{jt}$ what others' points add to the price of energy [EUR/kWh]")
    parameter("fuel_supply_kwh", r"$kwh\_per\_year_f$ of a fuel that can be had [kWh/year]")
    parameter("input_price_eur_per_t", r"$price_{sk}$ of an input at the gate [EUR/t]")
    parameter("policy_value", r"$value$ limit of a rule: cap [t/year], share, budget [EUR], share per year")
    parameter("driver_limit_h", r"$driver\_limit\_h_{nt}$ driver hours that can be had [h/year]")
    parameter("driver_cost_eur_per_h", r"$driver\_cost_{nt}$ [EUR/h]")
    parameter("carbon_price_eur_per_t", r"$carbon\_price_{nt}$ [EUR/t CO2e]; which train or ship is used stays")
    parameter("energy_price_eur_per_kwh", r"$price_{ent}$ [EUR/kWh]; which train or ship is used stays")
    parameter("truck_capex_eur", r"$capex_{vt}$ purchase price of a truck [EUR]")
    parameter("charger_capex_eur", r"$capex_k$ of a charger [EUR]")
    parameter("charger_fixed_eur", r"$fixed_k$ of a charger [EUR/year]")
    parameter("project_capex_eur", r"$capex_a$ of a unit of a project [EUR]")
    parameter("project_fixed_eur", r"$fixed_a$ of a unit of a project [EUR/year]")
    for name, figure in vars(f).items():
        if m.component(name) is None:
            setattr(m, name, figure)


def take_numbers(m: Any, f: SimpleNamespace) -> bool:
    """Give the parameters other figures; False, and nothing done, where more than parameters would be different."""
    parameters = {name: getattr(m, name) for name in vars(f) if isinstance(getattr(m, name), pyo.Param)}
    if any(list(parameter) != list(getattr(f, name)) for name, parameter in parameters.items()):
        return False
    if not all(_same(name, getattr(m, name), figure) for name, figure in vars(f).items() if name not in parameters):
        return False
    for name, parameter in parameters.items():
        parameter.store_values(dict(getattr(f, name)))
    return True


def _same(name: str, now: Any, then: Any) -> bool:
    """Whether a figure stays. A usual size is a hint; what energy was taken out of is the same but for rounding."""
    if name.startswith("usual_") or now == then:
        return True
    rounded = name == "service_eur_per_t" and now.keys() == then.keys()
    return rounded and all(abs(then[key] - eur) <= NOTHING_EUR for key, eur in now.items())


def decisions(m: Any, blocks: tuple[str, ...]) -> None:
    """What is decided."""
    m.CHAIN_YEARS = pyo.Set(initialize=m.chain_years, dimen=5)
    m.carried_t = pyo.Var(
        m.CHAIN_YEARS, domain=pyo.NonNegativeReals, bounds=flow.given_flow,
        doc=r"$x_{ct} \ge 0$ tonnes on chain $c$ [t/year]",
    )  # fmt: skip
    if "sourcing" in blocks:
        m.SUPPLIES = pyo.Set(initialize=m.supplies, dimen=4)
        m.supplied_t = pyo.Var(
            m.SUPPLIES, domain=pyo.NonNegativeReals,
            doc=r"$y_{sikt} \ge 0$ tonnes of input $k$ that supplier $s$ sells to plant $i$ [t/year]",
        )  # fmt: skip
    if "projects" in blocks:
        m.PROJECT_YEARS = pyo.Set(initialize=list(m.project_years), dimen=2)
        m.built = pyo.Var(
            m.PROJECT_YEARS, domain=projects.units, bounds=lambda m, a, t: (m.project_years[a, t], m.max_units[a]),
            doc=r"$least_{at} \le w_{at} \le max\_units_a$ integer, units of a project in service [units]",
        )  # fmt: skip
    m.LANE_TRUCK_YEARS = pyo.Set(initialize=m.lane_truck_years, dimen=6)
    m.driven_vkm = pyo.Var(
        m.LANE_TRUCK_YEARS,
        domain=pyo.NonNegativeReals,
        doc=r"$z_{gvt} \ge 0$ loaded km of truck $v$ on lane $g$ [vkm/year]",
    )
    if "rebalance" in blocks:
        m.TRIP_YEARS = pyo.Set(initialize=m.trip_years, dimen=5)
        m.empty_vkm = pyo.Var(
            m.TRIP_YEARS, domain=pyo.NonNegativeReals,
            doc=r"$e_{rr'vht} \ge 0$ empty km from region $r$ to $r'$ [vkm/year]",
        )  # fmt: skip
    m.PURCHASES = pyo.Set(initialize=m.purchases, dimen=3)
    m.bought = pyo.Var(
        m.PURCHASES,
        domain=pyo.NonNegativeIntegers,
        doc=r"$b_{rvt} \ge 0$ integer, trucks bought for region $r$ [vehicles]",
    )
    m.VINTAGE_YEARS = pyo.Set(initialize=m.vintage_years, dimen=4)
    m.kept = pyo.Var(
        m.VINTAGE_YEARS, domain=pyo.NonNegativeIntegers,
        doc=r"$k_{rvut} \ge 0$ integer, trucks of vintage $u$ in service, bought in an earlier period [vehicles]",
    )  # fmt: skip
    if "charging" in blocks:
        m.INSTALLATIONS = pyo.Set(initialize=m.installations, dimen=3)
        m.installed = pyo.Var(
            m.INSTALLATIONS, domain=pyo.NonNegativeIntegers,
            doc=r"$i_{jkt} \ge 0$ integer, chargers of kind $k$ installed in area $j$ [chargers]",
        )  # fmt: skip
        m.PUBLIC_CHARGING = pyo.Set(initialize=list(m.on_sale_kwh), dimen=2)
        m.public_kwh = pyo.Var(
            m.PUBLIC_CHARGING, domain=pyo.NonNegativeReals, bounds=lambda m, j, t: (0, m.on_sale_kwh[j, t]),
            doc=r"$0 \le s_{jt} \le \bar s_{jt}$ energy bought at others' points [kWh/year]",
        )  # fmt: skip
    if "fuels" in blocks:
        m.REPLACED = pyo.Set(initialize=m.fuel_columns, dimen=3)
        m.replaced_kwh = pyo.Var(
            m.REPLACED, domain=pyo.NonNegativeReals,
            doc=r"$\sigma_{fnt} \ge 0$ energy of their own carrier that vehicles replace by fuel $f$ [kWh/year]",
        )  # fmt: skip


def what_follows(m: Any) -> None:
    """Amounts that follow from the decisions."""
    m.YEARS = pyo.Set(initialize=m.years)
    m.made_t = pyo.Expression(list(m.makes_t), rule=sourcing.made_t)
    m.sourced_t = pyo.Expression(list(m.more_t), rule=sourcing.sourced_t)
    m.upstream_kg = pyo.Expression(m.YEARS if m.supplies else [], rule=sourcing.upstream_kg)
    m.ENERGY_USES = pyo.Set(initialize=m.energy_uses, dimen=4)
    m.used_kwh = pyo.Expression(m.ENERGY_USES, rule=emissions.used_kwh)
    m.fuel_kwh = pyo.Expression(list(m.fuel_columns), rule=fuels.fuel_kwh)
    m.COUNTRY_YEARS = pyo.Set(initialize=[(n, t) for n in m.countries for t in m.years], dimen=2)
    m.AREA_YEARS = pyo.Set(initialize=[(j, t) for j in m.areas for t in m.years], dimen=2)
    m.WORK = pyo.Set(initialize=m.work_years, dimen=3)
    m.truck_km = pyo.Expression(m.WORK, rule=fleet.truck_km)
    m.truck_h = pyo.Expression(m.WORK, rule=fleet.truck_h)
    m.trucks_in_service = pyo.Expression(m.fleets, m.YEARS, rule=fleet.trucks_in_service)
    m.driver_h = pyo.Expression(m.COUNTRY_YEARS, rule=fleet.driver_h)
    m.energy_kwh = pyo.Expression(m.AREA_YEARS, rule=charging.energy_kwh)
    m.emissions_ttw_kg = pyo.Expression(m.COUNTRY_YEARS, rule=emissions.emissions_ttw_kg)
    m.emissions_wtt_kg = pyo.Expression(m.COUNTRY_YEARS, rule=emissions.emissions_wtt_kg)


def constraints(m: Any, blocks: tuple[str, ...]) -> None:
    """What must hold."""
    m.serve_demand = pyo.Constraint(m.demand_t.index_set(), rule=flow.serve_demand)
    if "sourcing" in blocks:
        m.meet_recipe = pyo.Constraint(m.need_years, rule=sourcing.meet_recipe)
        m.respect_supplier_capacity = pyo.Constraint(
            [offer for offer in m.sites_served if offer[:2] in m.supplier_capacity_t],
            rule=sourcing.respect_supplier_capacity,
        )
        m.keep_region_share = pyo.Constraint(list(m.region_share), rule=sourcing.keep_region_share)
    if "projects" in blocks:
        m.use_only_built = pyo.Constraint(list(m.chains_needing), rule=projects.use_only_built)
        m.keep_built = pyo.Constraint(m.later_years, rule=projects.keep_built)
        m.require_project = pyo.Constraint(m.requires, rule=projects.require_project)
        m.exclude_project = pyo.Constraint(m.excludes, rule=projects.exclude_project)
    if "links" in blocks:
        m.respect_link_capacity = pyo.Constraint(list(m.chains_through_link), rule=links.respect_link_capacity)
    if "terminals" in blocks:
        m.respect_terminal_capacity = pyo.Constraint(
            list(m.chains_through_terminal), rule=terminals.respect_terminal_capacity
        )
    m.LANE_YEARS = pyo.Set(initialize=list(m.chains_on), dimen=5)
    m.cover_work = pyo.Constraint(m.LANE_YEARS, rule=fleet.cover_work)
    if "rebalance" in blocks:
        m.RETURNS = pyo.Set(initialize=list(dict.fromkeys([*m.leaving, *m.arriving])), dimen=4)
        m.return_empties = pyo.Constraint(m.RETURNS, rule=rebalance.return_empties)
    m.cover_km = pyo.Constraint(m.WORK, rule=fleet.cover_km)
    m.cover_hours = pyo.Constraint(m.WORK, rule=fleet.cover_hours)
    m.fit_opening_hours = pyo.Constraint(list(m.lanes_open), rule=fleet.fit_opening_hours)
    m.balance_stock = pyo.Constraint(m.VINTAGE_YEARS, rule=fleet.balance_stock)
    if "charging" in blocks:
        m.SERVING = pyo.Set(initialize=[(j, k, t) for j in m.areas for k in m.chargers for t in m.years], dimen=3)
        m.serving = pyo.Expression(m.SERVING, rule=charging.serving)
        m.deliver_energy = pyo.Constraint(m.AREA_YEARS, rule=charging.deliver_energy)
        m.deliver_on_the_way = pyo.Constraint(m.AREA_YEARS, m.powers_kw, rule=charging.deliver_on_the_way)
        m.respect_grid = pyo.Constraint(m.AREA_YEARS, rule=charging.respect_grid)
    if "fuels" in blocks:
        m.replace_at_most = pyo.Constraint(m.REPLACED, rule=fuels.replace_at_most)
        m.replace_once = pyo.Constraint(list(m.fuels_together), rule=fuels.replace_once)
        m.respect_fuel_supply = pyo.Constraint(m.fuel_supply_years, rule=fuels.respect_fuel_supply)
    if "caps" in blocks:
        m.cap_emissions = pyo.Constraint(m.policy_years["cap_emissions_t_per_year"], rule=policy.cap_emissions)
    if "policy" in blocks:
        by_technology = m.countries, m.technologies, m.YEARS
        m.loaded_vkm = pyo.Expression(*by_technology, rule=policy.loaded_vkm)
        m.new_trucks = pyo.Expression(*by_technology, rule=policy.new_trucks)
        m.cap_technology = pyo.Constraint(m.policy_years["cap_technology_share"], rule=policy.cap_technology)
        m.ban_purchase = pyo.Constraint(m.policy_years["ban_purchase"], rule=policy.ban_purchase)
        m.require_zero_emission = pyo.Constraint(
            m.policy_years["require_zero_emission_share"], rule=policy.require_zero_emission
        )
        m.spend_within_budget = pyo.Constraint(m.policy_years["limit_budget_eur"], rule=policy.spend_within_budget)
        m.respect_driver_hours = pyo.Constraint(m.driver_limit_h.index_set(), rule=policy.respect_driver_hours)
    if "mode_shift" in blocks:
        m.limit_mode_shift = pyo.Constraint(m.modes_compared, rule=mode_shift.limit_mode_shift)


def what_it_costs(m: Any, blocks: tuple[str, ...]) -> None:
    """What is paid and what comes back; more components are added with `costs.add_cost`."""
    m.cost_components = {}
    m.amount_eur = pyo.Expression(pyo.Any)
    m.cost_eur = pyo.Expression(expr=0)
    for rule in (
        flow.service, fleet.road_energy, fleet.road_running, fleet.drivers, flow.handling, flow.cargo_time,
        emissions.carbon, fleet.fleet_fixed,
    ):  # fmt: skip
        costs.add_cost(m, rule.__name__, rule, paid="yearly")
    if "mode_constants" in blocks:
        costs.add_cost(m, "mode_constant", flow.mode_constant, paid="yearly")
    if "sourcing" in blocks:
        costs.add_cost(m, "inputs", sourcing.inputs, paid="yearly")
    for name in m.emission_eur_per_t:
        costs.add_cost(m, name, getattr(emissions, name), paid="yearly")
    costs.add_cost(m, "fleet_purchase", fleet.fleet_purchase, paid="once")
    costs.add_cost(m, "fleet_grant", fleet.fleet_grant, paid="recovered")
    costs.add_cost(m, "fleet_resale", fleet.fleet_resale, paid="recovered")
    if "charging" in blocks:
        costs.add_cost(m, "public_charging", charging.public_charging, paid="yearly")
        costs.add_cost(m, "charger_fixed", charging.charger_fixed, paid="yearly")
        costs.add_cost(m, "charger_purchase", charging.charger_purchase, paid="once")
        costs.add_cost(m, "charger_residual", charging.charger_residual, paid="recovered")
    if "fuels" in blocks:
        costs.add_cost(m, "fuel_substitution", fuels.fuel_substitution, paid="yearly")
    if "projects" in blocks:
        costs.add_cost(m, "project_fixed", projects.project_fixed, paid="yearly")
        costs.add_cost(m, "project_purchase", projects.project_purchase, paid="once")
        costs.add_cost(m, "project_residual", projects.project_residual, paid="recovered")
    m.minimise_cost = pyo.Objective(expr=m.cost_eur)


def usual_sizes(m: Any) -> None:
    """Hints for solvers: a usual value of each kind of variable, and which whole numbers are best decided first."""
    m.usual_size, m.decide_order = pyo.Suffix(), pyo.Suffix()
    m.usual_size[m.carried_t] = m.usual_t
    m.usual_size[m.driven_vkm] = m.usual_vkm
    for name, usual in (("empty_vkm", m.usual_vkm), ("public_kwh", m.usual_sale_kwh),
                        ("replaced_kwh", m.usual_fuel_kwh), ("supplied_t", m.usual_supply_t)):  # fmt: skip
        if m.component(name) is not None:
            m.usual_size[m.component(name)] = usual
    for order, names in enumerate((["built"], ["installed"], ["bought", "kept"])):
        for name in names:
            if m.component(name) is not None:
                m.decide_order[m.component(name)] = order
