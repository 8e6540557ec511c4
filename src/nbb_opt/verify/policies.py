"""Rules set by countries: caps, technology shares, bans, budgets, driver hours, how fast goods may change mode."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Set
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.recompute import World
from nbb_opt.verify.roads import RoadUse
from nbb_opt.verify.verdict import Checks

BLOCK = {"limit_mode_shift_share_per_year": "mode_shift", "cap_emissions_t_per_year": "caps"}


def check_policies(
    world: World,
    *,
    emissions: pd.DataFrame,
    roads: RoadUse,
    empties: pd.DataFrame,
    stock: pd.DataFrame,
    projects: pd.DataFrame,
    kept: pd.DataFrame,
    demand_t: pd.DataFrame,
    blocks: Set[str],
    checks: Checks,
) -> None:
    """Every row of `policies` in every period it holds in, and `respect_driver_hours`.

    `kept` is that of Freight; `demand_t` has a column of t for every period and `commodity`, one row for each bundle.
    """
    for policy in world.table("policies").to_dict("records"):
        name, kind, country, technology = (policy[key] for key in ("policy", "kind", "country", "technology"))
        if BLOCK.get(kind, "policy") not in blocks:
            continue
        for year in _years(world, policy):
            where = f"policy {name}" + (f" {country}" if country else "") + f" {year}"
            if kind == "cap_emissions_t_per_year":
                _cap_emissions(emissions, country, year, policy["value"], where, checks)
            elif kind == "cap_technology_share":
                _cap_technology(roads.work, country, technology, year, policy["value"], where, checks)
            elif kind == "ban_purchase":
                _ban_purchase(world, stock, country, technology, year, where, checks)
            elif kind == "require_zero_emission_share":
                _zero_emission(world, stock, country, year, policy["value"], where, checks)
            elif kind == "limit_budget_eur":
                _budget(world, projects, country, year, policy["value"], where, checks)
            elif kind == "limit_mode_shift_share_per_year":
                _limit_mode_shift(world, kept, demand_t, year, policy["value"], where, checks)
            else:
                checks.fail("keep_tables_sound", f"{where}: the verifier does not know this kind of policy")
    if "policy" in blocks:
        _driver_hours(world, roads.driver_hours, empties, checks)


def _years(world: World, policy: Mapping[Hashable, Any]) -> list[int]:
    """Periods the policy holds in: the one that contains its year, or every one; a ban from its year on."""
    if policy["kind"] == "ban_purchase":
        return [year for year in world.years if np.isnan(policy["year"]) or year >= policy["year"]]
    if np.isnan(policy["year"]):
        return list(world.years)
    inside = world.period_of(policy["year"])
    return [] if inside is None else [inside]


def _cap_emissions(emissions: pd.DataFrame, country: str, year: int, value: float, where: str, checks: Checks) -> None:
    rows = emissions[(emissions["year"] == year) & ((emissions["country"] == country) | (country == ""))]
    tonnes = float((rows["ttw_kg"] + rows["wtt_kg"]).sum()) / 1000.0
    checks.compare("cap_emissions", tonnes, "<=", value, where=lambda _: where, unit="t_co2e")


def _cap_technology(
    work: pd.DataFrame, country: str, technology: str, year: int, value: float, where: str, checks: Checks
) -> None:
    rows = work[(work["year"] == year) & ((work["region_country"] == country) | (country == ""))]
    of_it = float(rows.loc[rows["technology"] == technology, "loaded_vkm"].sum())
    limit = value * float(rows["loaded_vkm"].sum())
    checks.compare("cap_technology", of_it, "<=", limit, where=lambda _: where, unit="vkm")


def _ban_purchase(
    world: World, stock: pd.DataFrame, country: str, technology: str, year: int, where: str, checks: Checks
) -> None:
    home = stock["fleet_region"].map(world.indexed("fleet_regions")["country"])
    banned = (stock["year"] == year) & ((home == country) | (country == ""))
    banned &= (stock["technology"] == technology) | (technology == "")
    bought = float(stock.loc[banned, "bought"].sum())
    checks.compare("ban_purchase", bought, "<=", 0.0, where=lambda _: where, unit="count")


def _zero_emission(
    world: World, stock: pd.DataFrame, country: str, year: int, value: float, where: str, checks: Checks
) -> None:
    home = stock["fleet_region"].map(world.indexed("fleet_regions")["country"])
    rows = stock[(stock["year"] == year) & ((home == country) | (country == ""))]
    clean = float(rows.loc[rows["technology"].isin(["battery", "hydrogen"]), "bought"].sum())
    least = value * float(rows["bought"].sum())
    checks.compare("require_zero_emission", clean, ">=", least, where=lambda _: where, unit="count")


def _budget(
    world: World, projects: pd.DataFrame, country: str, year: int, value: float, where: str, checks: Checks
) -> None:
    rows = projects[(projects["year"] == year) & projects["status"].isin(["", "idea"])]
    share = pd.Series(1.0, index=rows.index)
    if country:
        funding = world.table("project_funding")
        paid = funding[funding["country"] == country].set_index("project")["share"]
        share = rows["project"].map(paid).fillna(0.0)
    spent = float((share * rows["capex_eur"] * rows["newly"]).sum())
    checks.compare("spend_within_budget", spent, "<=", value, where=lambda _: where, unit="EUR")


def _limit_mode_shift(
    world: World, kept: pd.DataFrame, demand_t: pd.DataFrame, year: int, value: float, where: str, checks: Checks
) -> None:
    before = world.before(year)
    if before is None:
        return
    sums = kept[kept["year"] == year].reset_index(drop=True)
    both = demand_t[(demand_t[before] > 0) & (demand_t[year] > 0)]
    whole = both.groupby("commodity")[year].sum()
    room = value * world.lengths[before] * sums["commodity"].map(whole)
    checks.compare(
        "limit_mode_shift",
        sums["now"],
        "<=",
        sums["then"] + room,
        where=lambda i: f"{where} {sums['commodity'][i]} by {sums['main_mode'][i]}",
        unit="t",
    )


def _driver_hours(world: World, driver_hours: pd.DataFrame, empties: pd.DataFrame, checks: Checks) -> None:
    columns = ["region_country", "year", "hours"]
    hours = pd.concat(
        [
            driver_hours[columns],
            empties.assign(hours=empties["empty_vkm"] * empties["hours_per_vkm"])[columns],
        ],
        ignore_index=True,
    )
    used = hours.groupby(["region_country", "year"])["hours"].sum()
    limits = world.countries[world.countries["driver_limit_h_per_year"].notna()].reset_index(drop=True)
    if limits.empty:
        return
    found = used.reindex(pd.MultiIndex.from_frame(limits[["country", "year"]])).fillna(0.0).to_numpy()
    checks.compare(
        "respect_driver_hours",
        found,
        "<=",
        limits["driver_limit_h_per_year"],
        where=lambda i: f"drivers {limits['country'][i]} {limits['year'][i]}",
        unit="h",
    )
