"""Accept or refuse a plan: everything recomputed from the instance and the result tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.recompute import (
    FLOW,
    World,
    chosen_services,
    demand_of,
    empties_costs,
    empties_energy,
    find,
    keyed,
    mode_constants,
    read_empties,
    read_network,
    read_replaced,
    read_supplies,
    read_world,
    service_amounts,
    substitution_costs,
    with_substitutes,
)
from nbb_opt.verify import accounts, assets, limits, paths
from nbb_opt.verify.claims import check_reported
from nbb_opt.verify.freight import check_demand, read_freight
from nbb_opt.verify.own_rules import check_own
from nbb_opt.verify.policies import check_policies
from nbb_opt.verify.roads import check_empties, read_roads
from nbb_opt.verify.sound import check_tables
from nbb_opt.verify.verdict import Checks, Verdict, names


def verify_plan(
    instance: Instance,
    tables: Mapping[str, pd.DataFrame],
    *,
    blocks: Sequence[str],
    technologies: str,
    projects: str,
    reported: Mapping[str, Any],
    own_terms: Mapping[str, Any] | None = None,
    prices: accounts.Prices | None = None,
    caps_t: Mapping[str, float] | None = None,
) -> Verdict:
    """Check result tables against the instance; see models/README.md for what is checked.

    `blocks`, `technologies`, `projects`, `prices` (on emissions) and `caps_t` (t CO2e a year by period, where no record
    says them) are those of the model. `reported` may hold cost_eur, bound, gap and emissions_t_co2e (by year), and
    `extension`, rules and costs of the user's own, which
    `own_terms` writes out by the names of variables. Never raises for a bad plan: the verdict says what is
    wrong with it.
    """
    world, checks = read_world(instance), Checks()
    if not check_tables(world, tables, checks):
        return _refused(checks)
    check = PlanCheck(world, tables, set(blocks), checks)
    check.paths()
    if checks.failed and any(row["rule"] in {"follow_roads", "follow_a_path"} for row in _failed(checks)):
        return _refused(checks)
    check.options(technologies, projects)
    check.limits()
    costs, emissions = check.accounts(prices or {})
    cost_eur = float(costs["discounted_eur"].sum(skipna=False))
    kg = (emissions["ttw_kg"] + emissions["wtt_kg"]).groupby(emissions["year"]).sum(skipna=False)
    emissions_t = {year: float(kg.get(year, 0.0)) / 1000.0 for year in world.years}
    held = {int(year): cap_t for year, cap_t in (caps_t or {}).items()}
    checks.compare(
        "cap_emissions", [emissions_t[year] for year in held], "<=", list(held.values()), unit="t_co2e",
        where=lambda i: f"cap of the model {list(held)[i]}",
    )  # fmt: skip
    check_reported(reported, costs, cost_eur, emissions_t, checks)
    check_own(reported, own_terms, tables, checks)
    return Verdict(
        ok=not checks.failed, checks=checks.frame(), cost_eur=cost_eur, emissions_t_co2e=emissions_t, costs=costs,
        emissions=emissions,
    )  # fmt: skip


def _failed(checks: Checks) -> list[dict[str, Any]]:
    return [row for row in checks.rows if not row["ok"]]


def _refused(checks: Checks) -> Verdict:
    """A plan whose tables or paths make no sense has no cost."""
    costs = pd.DataFrame({"component": [], "year": [], "amount_eur": [], "discounted_eur": []})
    emissions = pd.DataFrame({name: [] for name in ("year", "country", "mode", "energy_carrier", "ttw_kg", "wtt_kg")})
    return Verdict(
        ok=False, checks=checks.frame(), cost_eur=float("nan"), emissions_t_co2e={}, costs=costs, emissions=emissions,
    )  # fmt: skip


class PlanCheck:
    """What is worked out once and used by several rules."""

    def __init__(self, world: World, tables: Mapping[str, pd.DataFrame], blocks: set[str], checks: Checks) -> None:
        self.world, self.tables, self.blocks, self.checks = world, tables, blocks, checks
        self.demand = demand_of(world)
        self.stock = assets.read_stock(world, tables)
        self.chargers = assets.read_chargers(world, tables, checks)
        self.projects = assets.read_projects(world, tables)
        self.empties = read_empties(world, tables)
        self.public = limits.public_use(world, tables)
        self.network = read_network(world, tables)
        self.demand_t = self._demand()
        self.supplies = read_supplies(world, tables)
        self.actual_t = self.compared_t = np.nan_to_num(self.demand_t)
        if "sourcing" in blocks:
            self.actual_t, self.compared_t = self._sourced()
        self.roads = read_roads(world, tables)
        constants = mode_constants(world, tables["bundles"], self.demand_t[:, 0] > 0)
        self.freight = read_freight(
            world,
            self.network,
            tables,
            demand_t=self.actual_t,
            compared_t=self.compared_t,
            lane_charge=self.roads.facts["charge_eur_per_t"],
            built=keyed(self.projects, ["project", "year"], "built"),
            constant_eur=constants if "mode_constants" in blocks else np.zeros(constants.shape),
        )
        used = self.freight.served
        self.chosen = chosen_services(world, used)
        self.served = service_amounts(used, self.chosen)
        self.own_energy = accounts.energy_table([self.served, self.roads.energy, empties_energy(self.empties)])
        self.replaced = read_replaced(world, tables)
        self.energy = with_substitutes(self.replaced, self.own_energy, keys=["charge_area"])
        self.emissions = accounts.emissions_table(world, self.energy, self.freight.hub_kg)

    def _demand(self) -> np.ndarray:
        """Table `demand` (bundles, periods), NaN where nothing is said."""
        said, index = self.tables["demand"], self.network.bundles.index
        tonnes = np.full((len(index), len(self.world.years)), np.nan)
        tonnes[find(index, said["bundle"]), find(pd.Index(self.world.years), said["year"])] = said["tonnes"]
        return tonnes

    def _sourced(self) -> tuple[np.ndarray, np.ndarray]:
        """Demand (bundles, periods) with what is supplied instead of the contracts; and without flows so chosen."""
        bundles, flows = self.tables["bundles"], self.supplies.flows
        at = pd.MultiIndex.from_frame(bundles[FLOW].astype("str")).get_indexer(pd.MultiIndex.from_frame(flows[FLOW]))
        flows, at = flows[at >= 0], at[at >= 0]
        year = find(pd.Index(self.world.years), flows["year"])
        actual = np.nan_to_num(self.demand_t)
        compared = actual.copy()
        compared[at] = 0.0
        actual[at, year] = np.maximum(actual[at, year] - flows["contracted"], 0.0) + flows["supplied"]
        return actual, compared

    def paths(self) -> None:
        """Demand, lanes, chains, services and trucks are possible."""
        world, freight = self.world, self.freight
        check_demand(
            world, self.demand, self.tables["bundles"], said_t=self.demand_t,
            carried_t=freight.bundle_t, sourced_t=self.actual_t - np.nan_to_num(self.demand_t), checks=self.checks,
        )  # fmt: skip
        self.checks.gather(self.roads.lane_checks)
        self.checks.gather(freight.chain_checks)
        paths.check_services(world, freight.served, self.chosen, self.checks)
        self.checks.gather(self.roads.truck_checks)
        check_empties(self.empties, self.checks)
        assets.check_stock(world, self.stock, self.checks)

    def options(self, technologies: str, projects: str) -> None:
        """`respect_options`: what the model may use and build; `keep_built`: what must be."""
        if technologies == "today":
            vehicles = self.world.indexed("vehicles")
            today = set(vehicles["technology"].reindex(self.world.table("fleet")["vehicle"]))
            used = pd.concat(
                [
                    self.tables["driven"].query("loaded_vkm != 0")[["vehicle", "year"]],
                    self.empties.loc[self.empties["empty_vkm"] != 0, ["vehicle", "year"]],
                    self.stock.loc[self.stock["bought"] != 0, ["vehicle", "year"]],
                ],
                ignore_index=True,
            )
            fine = used["vehicle"].map(vehicles["technology"]).isin(today).to_numpy(dtype=bool)
            where = names(used, "{} {}: a technology not in use today", ["vehicle", "year"])
            self.checks.hold("respect_options", fine, where=where)
        assets.check_status(self.projects, projects, self.checks)

    def limits(self) -> None:
        """The constraints of section 5, block by block, and the `use` table."""
        world, tables, checks = self.world, self.tables, self.checks
        freight, roads = self.freight, self.roads
        link_rows = limits.with_limits(
            limits.link_use(world, self.network, tables, freight.served, freight.lane_t),
            world.indexed("links")["capacity_t_per_year"],
            limits.added(world, self.projects, "links", "capacity_t_per_year"),
        )
        terminal_rows = limits.with_limits(
            freight.terminals,
            world.indexed("terminals")["capacity_t_per_year"],
            limits.added(world, self.projects, "terminals", "capacity_t_per_year"),
        )
        limits.check_capacities(link_rows, terminal_rows, self.blocks, checks)
        checks.gather(freight.built_checks)
        assets.check_projects(world, self.projects, checks)
        if "fleet" in self.blocks:
            limits.check_work(world, self.network, freight.lane_t, roads.facts, roads.done_tkm, checks)
            limits.check_fleet(self.stock, roads.work, self.empties, checks)
            limits.check_opening(self.stock, roads.work, checks)
        if "rebalance" in self.blocks:
            limits.check_balance(roads.work, self.empties, checks)
        sold, power = limits.area_use(world, self.energy, self.chargers, self.projects, self.public)
        self.used = {"link": link_rows, "terminal": terminal_rows}
        if "charging" in self.blocks:
            self.used |= {"charge_area": sold, "grid": power, "public_charging": self.public}
        limits.check_use(tables["use"], self.used, checks)
        if "charging" in self.blocks:
            limits.check_charging(sold, power, self.public, checks)
            limits.check_way(roads.on_the_way, self.chargers, self.public, checks)
        if "sourcing" in self.blocks:
            limits.check_sourcing(self.supplies, checks)
        else:
            checks.hold("respect_options", tables["supplied"].empty, where=lambda _: "the model chooses no supplier")
        limits.check_fuels(world, self.replaced, self.own_energy, self.projects, checks)
        if "fuels" not in self.blocks:
            checks.hold("respect_options", self.replaced.empty, where=lambda _: "the model replaces no fuel")
        check_policies(
            world,
            emissions=self.emissions,
            roads=roads,
            empties=self.empties,
            stock=self.stock,
            projects=self.projects,
            kept=freight.kept,
            demand_t=pd.DataFrame(self.compared_t, columns=list(world.years)).assign(
                commodity=tables["bundles"]["commodity"].to_numpy()
            ),
            blocks=self.blocks,
            checks=checks,
        )

    def accounts(self, prices: accounts.Prices) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Costs and emissions recomputed, and compared with the plan's own tables."""
        world, tables, checks = self.world, self.tables, self.checks
        freight = accounts.freight_costs(
            world,
            energy=self.own_energy,
            services=self.served,
            hubs=self.freight.hub_eur,
            emissions=self.emissions,
            charges=self.freight.fares,
            cargo=self.freight.cargo,
            constants=self.freight.constants,
        )
        parts = [
            freight,
            accounts.model_prices(world, self.emissions, prices),
            self.roads.costs,
            empties_costs(world, self.empties),
            assets.fleet_costs(world, self.stock),
            assets.charger_costs(world, self.chargers),
            limits.public_costs(self.public),
            substitution_costs(world, self.replaced),
            *([self.supplies.costs] if "sourcing" in self.blocks else []),
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
