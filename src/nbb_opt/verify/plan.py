"""Accept or refuse a plan: everything recomputed from the instance and the result tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.verify import accounts, assets, limits, paths, services, trips, trucks, use
from nbb_opt.verify.demand import check_demand
from nbb_opt.verify.lanes import Lanes, read_lanes
from nbb_opt.verify.policies import check_policies
from nbb_opt.verify.sound import check_tables
from nbb_opt.verify.verdict import Checks, Verdict, names
from nbb_opt.verify.world import World, join, read_world


def verify_plan(
    instance: Instance,
    tables: Mapping[str, pd.DataFrame],
    *,
    blocks: Sequence[str],
    technologies: str,
    projects: str,
    reported: Mapping[str, Any],
) -> Verdict:
    """Check result tables against the instance; see models/README.md for what is checked.

    `blocks`, `technologies` and `projects` are those of the model. `reported` may hold cost_eur, bound, gap and
    emissions_t_co2e (by year). Never raises for a bad plan: the verdict says what is wrong with it.
    """
    world, checks = read_world(instance), Checks()
    if not check_tables(world, tables, checks):
        return _refused(checks)
    check = PlanCheck(world, tables, set(blocks), checks)
    check.network()
    if checks.failed and any(row["rule"] in {"follow_roads", "follow_a_path"} for row in _failed(checks)):
        return _refused(checks)
    check.options(technologies, projects)
    check.limits()
    costs, emissions = check.accounts()
    cost_eur = float(costs["discounted_eur"].sum(skipna=False))
    kg = (emissions["ttw_kg"] + emissions["wtt_kg"]).groupby(emissions["year"]).sum(skipna=False)
    emissions_t = {year: float(kg.get(year, 0.0)) / 1000.0 for year in world.years}
    accounts.check_reported(reported, costs, cost_eur, emissions_t, checks)
    return Verdict(not checks.failed, checks.frame(), cost_eur, emissions_t, costs, emissions)


def _failed(checks: Checks) -> list[dict[str, Any]]:
    return [row for row in checks.rows if not row["ok"]]


def _refused(checks: Checks) -> Verdict:
    """A plan whose tables or paths make no sense has no cost."""
    costs = pd.DataFrame({"component": [], "year": [], "amount_eur": [], "discounted_eur": []})
    emissions = pd.DataFrame({name: [] for name in ("year", "country", "mode", "energy_carrier", "ttw_kg", "wtt_kg")})
    return Verdict(False, checks.frame(), float("nan"), {}, costs, emissions)


class PlanCheck:
    """What is worked out once and used by several rules."""

    def __init__(self, world: World, tables: Mapping[str, pd.DataFrame], blocks: set[str], checks: Checks) -> None:
        self.world, self.tables, self.blocks, self.checks = world, tables, blocks, checks
        self.flows = tables["flows"]
        self.steps = paths.described_steps(world, tables)
        self.lanes: Lanes = read_lanes(world, tables)
        chains = tables["chains"].pipe(join, tables["bundles"], on="bundle", how="left")
        goods = world.table("commodities")[["commodity", "handling"]]
        chains = chains.pipe(join, goods, on="commodity", how="left")
        self.chains = chains.assign(main_mode=paths.main_modes(self.steps, chains["chain"]))
        self.handling_of = self.chains.set_index("chain")["handling"]
        self.driven = trucks.read_driven(world, tables, self.lanes)
        self.empties = trips.read_empties(world, tables)
        self.stock = assets.read_stock(world, tables)
        self.chargers = assets.read_chargers(world, tables, checks)
        self.projects = assets.read_projects(world, tables)
        self.public = limits.public_use(world, tables)
        self.services_used = services.service_use(world, self.steps, self.flows, self.handling_of)
        self.chosen = services.chosen_services(world, services.service_options(world, self.services_used))
        served = services.service_amounts(self.services_used, self.chosen)
        self.served = served
        self.energy = accounts.energy_table(
            [
                served,
                trucks.driven_energy(world, self.driven, self.lanes),
                trips.empties_energy(self.empties),
            ]
        )
        self.transfers = accounts.transfer_amounts(world, self.steps, self.flows, self.handling_of)
        self.emissions = accounts.emissions_table(world, self.energy, self.transfers)

    def network(self) -> None:
        """Demand, lanes, chains, services and trucks are possible."""
        check_demand(self.world, self.tables, self.checks)
        paths.check_lanes(self.world, self.tables, self.checks)
        paths.check_chains(self.world, self.tables, self.steps, self.checks)
        services.check_services(self.world, self.services_used, self.chosen, self.checks)
        trucks.check_driven(self.driven, self.checks)
        trips.check_empties(self.empties, self.checks)
        assets.check_stock(self.world, self.stock, self.checks)

    def options(self, technologies: str, projects: str) -> None:
        """`respect_options`: only today's technologies, or no projects, if the model says so."""
        if technologies == "today":
            vehicles = self.world.indexed("vehicles")
            today = set(vehicles["technology"].reindex(self.world.table("fleet")["vehicle"]))
            used = pd.concat(
                [
                    self.driven.loc[self.driven["loaded_vkm"] != 0, ["vehicle", "year"]],
                    self.empties.loc[self.empties["empty_vkm"] != 0, ["vehicle", "year"]],
                    self.stock.loc[self.stock["bought"] != 0, ["vehicle", "year"]],
                ],
                ignore_index=True,
            )
            fine = used["vehicle"].map(vehicles["technology"]).isin(today).to_numpy(dtype=bool)
            where = names(used, "{} {}: a technology not in use today", ["vehicle", "year"])
            self.checks.hold("respect_options", fine, where=where)
        if projects == "none":
            where = names(self.projects, "{} {}: no project may be built", ["project", "year"])
            self.checks.hold("respect_options", (self.projects["built"] == 0).to_numpy(), where=where)

    def limits(self) -> None:
        """The constraints of section 5, block by block, and the `use` table."""
        world, tables, checks = self.world, self.tables, self.checks
        link_rows = limits.with_limits(
            limits.link_use(world, tables, self.steps),
            world.indexed("links")["capacity_t_per_year"],
            limits.added(world, self.projects, "links", "capacity_t_per_year"),
        )
        terminal_rows = limits.with_limits(
            limits.terminal_use(tables, self.steps),
            world.indexed("terminals")["capacity_t_per_year"],
            limits.added(world, self.projects, "terminals", "capacity_t_per_year"),
        )
        limits.check_capacities(link_rows, terminal_rows, self.blocks, checks)
        needed = paths.needed_projects(self.steps)
        limits.check_built(tables, needed, self.projects, checks)
        assets.check_projects(world, self.projects, checks)
        if "fleet" in self.blocks:
            limits.check_work(tables, self.steps, self.lanes.facts, self.driven, checks)
            limits.check_fleet(self.stock, self.driven, self.empties, checks)
            limits.check_opening(self.stock, self.driven, checks)
        if "rebalance" in self.blocks:
            limits.check_balance(self.driven, self.empties, checks)
        sold, power = limits.area_use(world, self.energy, self.chargers, self.projects, self.public)
        self.used = {"link": link_rows, "terminal": terminal_rows}
        if "charging" in self.blocks:
            self.used |= {"charge_area": sold, "grid": power, "public_charging": self.public}
        use.check_use(tables["use"], self.used, checks)
        if "charging" in self.blocks:
            limits.check_charging(sold, power, self.public, checks)
            limits.check_way(trucks.way_energy(self.driven, self.lanes), self.chargers, self.public, checks)
        check_policies(
            world,
            emissions=self.emissions,
            driven=self.driven,
            empties=self.empties,
            stock=self.stock,
            projects=self.projects,
            chains=self.chains[["chain", "bundle", "commodity", "main_mode"]],
            tables=tables,
            blocks=self.blocks,
            checks=checks,
        )

    def accounts(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Costs and emissions recomputed, and compared with the plan's own tables."""
        world, tables, checks = self.world, self.tables, self.checks
        fares, cargo = accounts.tonne_amounts(
            world, tables, self.steps, self.lanes.facts["charge_eur_per_t"], self.chains
        )
        freight = accounts.freight_costs(
            world,
            energy=self.energy,
            services=self.served,
            transfers=self.transfers,
            emissions=self.emissions,
            charges=fares,
            cargo=cargo,
        )
        parts = [
            freight,
            trucks.driven_costs(world, self.driven, self.lanes),
            trips.empties_costs(world, self.empties),
            assets.fleet_costs(world, self.stock),
            assets.charger_costs(world, self.chargers),
            limits.public_costs(self.public),
            assets.project_costs(world, self.projects),
        ]
        costs = accounts.cost_table(world, pd.concat(parts, ignore_index=True))
        eur = {"amount_eur": "EUR", "discounted_eur": "EUR"}
        accounts.check_table("costs", tables["costs"], costs, ["component", "year"], eur, checks)
        keys = ["year", "country", "mode", "energy_carrier"]
        kg = {"ttw_kg": "kg", "wtt_kg": "kg"}
        accounts.check_table("emissions", tables["emissions"], self.emissions, keys, kg, checks)
        keys = ["year", "mode", "energy_carrier", "country", "charge_area"]
        accounts.check_table("energy", tables["energy"], self.energy, keys, {"kwh": "kWh"}, checks)
        return costs, self.emissions
