"""The rules of an instance and how near the plan comes to them, worked out from the result tables."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nbb_opt.instance import Instance, by_period
from nbb_opt.report.map.grid import Column, Grid
from nbb_opt.report.rows import amounts, each
from nbb_opt.report.text import TECHNOLOGY_WORDS, listed
from nbb_opt.result import Run

BINDING_SHARE = 0.999
POLICY_WORDS = {
    "cap_emissions_t_per_year": "cap on emissions, t CO2e a year",
    "cap_technology_share": "highest share of truck-km by technology",
    "ban_purchase": "no purchase of a technology",
    "limit_budget_eur": "budget for projects, EUR in a period",
    "limit_mode_shift_share_per_year": "slowness of change between modes, share a year",
}


def block_of(kind: str) -> str:
    """Give the block of the model that keeps rules of a kind."""
    return "mode_shift" if kind == "limit_mode_shift_share_per_year" else "policy"


def policy_grid(instance: Instance, run: Run) -> Grid:
    """List the rules, what the plan does against each in the period where it is tightest, and where they bind."""
    blocks = run.record.get("blocks", [])
    rows: list[list[Any]] = []
    for policy in each(instance["policies"]):
        used = {year: amount for year, amount in used_by(instance, run, policy).items() if holds(policy, year)}
        tight = [year for year, amount in used.items() if amount > BINDING_SHARE * policy.value]
        binds = listed([str(year) for year in tight]) or ("no" if used else "kept")
        rows.append(
            [
                policy.policy,
                POLICY_WORDS.get(policy.kind, policy.kind),
                policy.country or "all together",
                TECHNOLOGY_WORDS.get(policy.technology, policy.technology) or "–",
                _period_words(policy),
                None if pd.isna(policy.value) else float(policy.value),
                max(used.values(), default=None),
                binds if block_of(policy.kind) in blocks else "not part of this model",
            ]
        )
    for row in driver_rows(instance):
        kept = "kept" if "policy" in blocks else "not part of this model"
        limit = float(row.driver_limit_h_per_year)
        rows.append(
            ["driver hours", "driver hours to be had, h a year", row.country, "–", str(row.year), limit, None, kept]
        )
    columns = (
        Column("Rule"),
        Column("Kind"),
        Column("Country"),
        Column("Technology"),
        Column("Period"),
        Column("Value", "number"),
        Column("Highest in the plan", "number"),
        Column("Binds in"),
    )
    return Grid("Rules the plan keeps", columns, rows, name="Rules")


def holds(policy: Any, year: int) -> bool:
    """Say whether a rule holds in a period: a blank year means every period, a ban holds from its year on."""
    if pd.isna(policy.year):
        return True
    return year >= policy.year if policy.kind == "ban_purchase" else year == policy.year


def used_by(instance: Instance, run: Run, policy: Any) -> dict[int, float]:
    """Give what the plan has of the amount a rule limits, by period; empty for rules without one amount."""
    measures = {
        "cap_emissions_t_per_year": emitted_t,
        "cap_technology_share": technology_share,
        "limit_budget_eur": spent_eur,
    }
    measure = measures.get(policy.kind)
    return measure(instance, run, policy) if measure else {}


def emitted_t(instance: Instance, run: Run, policy: Any) -> dict[int, float]:
    """Give WTW t CO2e per year of the rule's country, or of all."""
    rows = run.tables["emissions"]
    rows = rows[rows["country"] == policy.country] if policy.country else rows
    total = ((rows["ttw_kg"] + rows["wtt_kg"]) / 1e3).groupby(rows["year"]).sum()
    return {period.year: float(total.get(period.year, 0.0)) for period in instance.periods}


def technology_share(instance: Instance, run: Run, policy: Any) -> dict[int, float]:
    """Give the share of a technology in the loaded truck-km of lanes based in the rule's country, or of all."""
    driven, nodes = run.tables["driven"], instance["nodes"].set_index("node")
    start = driven["lane"].map(run.tables["lanes"].set_index("lane")["from_node"])
    region = start.map(nodes["fleet_region"])
    country = region.map(instance["fleet_regions"].set_index("fleet_region")["country"])
    technology = driven["vehicle"].map(instance["vehicles"].set_index("vehicle")["technology"])
    rows = driven[country == policy.country] if policy.country else driven
    total = rows.groupby("year")["loaded_vkm"].sum()
    own = rows[technology.loc[rows.index] == policy.technology].groupby("year")["loaded_vkm"].sum()
    return {int(year): float(own.get(year, 0.0)) / float(km) for year, km in amounts(total) if km > 0}


def spent_eur(instance: Instance, run: Run, policy: Any) -> dict[int, float]:
    """Give what a country (or all together) spends on projects in each period, EUR, undiscounted."""
    funding = instance["project_funding"]
    capex_eur = dict(amounts(instance["projects"].set_index("project")["capex_eur"]))
    share = funding[funding["country"] == policy.country].set_index("project")["share"]
    spent = {period.year: 0.0 for period in instance.periods}
    for row in each(run.tables["projects"]):
        part = float(share.get(row.project, 0.0)) if policy.country else 1.0
        spent[row.year] += part * capex_eur[row.project] * row.newly_built
    return spent


def driver_rows(instance: Instance) -> list[Any]:
    """List the limits of driver hours by country and period: rows of `country_years`."""
    rows = by_period(instance, "country_years")
    return list(each(rows[rows["driver_limit_h_per_year"].notna()]))


def _period_words(policy: Any) -> str:
    if pd.isna(policy.year):
        return "every period"
    return f"from {int(policy.year)}" if policy.kind == "ban_purchase" else str(int(policy.year))
