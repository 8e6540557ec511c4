"""The rules of the instance: what each limits, and the years it holds in."""

from __future__ import annotations

from typing import Any

from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.figures.mapping import Figure, Members
from nbb_opt.model.figures.names import Named

KINDS = (
    "cap_emissions_t_per_year", "cap_technology_share", "ban_purchase", "limit_budget_eur",
    "limit_mode_shift_share_per_year",
)  # fmt: skip


def policy_figures(data: ModelData, named: Named) -> dict[str, Any]:
    """Everything of the blocks policy and mode_shift; a country "" means all together."""
    policies, countries = data.policies, data.world.countries.ids
    held = [(p.kind, (p.name, named.years[t])) for p in policies for t in p.periods]
    return {
        "policy_countries": {p.name: [countries[p.country]] if p.country >= 0 else countries for p in policies},
        "policy_country": {p.name: countries[p.country] if p.country >= 0 else "" for p in policies},
        "policy_technology": {p.name: p.technology for p in policies},
        "policy_value": Figure("policy_value", [p.name for p in policies], [p.value for p in policies]),
        "policy_years": Members("policy_years", [kind for kind, _ in held], [key for _, key in held], parts=[KINDS]),
    }
