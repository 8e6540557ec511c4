"""Every family of constraints bites: without it the optimum of some small case is another."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pyomo.environ as pyo
import pytest

from milp_case import Instance, Solved, add_rows, policy, solve, tiny, vary, without_policies
from test_fuels import substitute, with_hvo
from test_sourcing import fishing


def cheap_rail_cap() -> Instance:
    """More rail capacity is worth its price."""
    case = without_policies(tiny())
    return vary(case, "projects", "project", "RAIL_CAP", capex_eur=400_000, fixed_eur_per_year=0, lifetime_years=5)


def short_range() -> Instance:
    """Batteries are charged on the way at 150 kW, for which the cheap charger is too weak."""
    case = vary(tiny(), "vehicles", "vehicle", "BATTERY", range_km=150.0)
    case = vary(vary(case, "nodes", "node", "MINE", charge_area="CW"), "chargers", "charger", "*", kw=40.0)
    fast = dict(case["chargers"].iloc[0]) | {"charger": "FAST", "kw": 400.0, "capex_eur": 400_000.0}
    return add_rows(case, "chargers", [fast])


def short_hours() -> Instance:
    """Places that are open 30 hours a week."""
    rows = [{"node": node, "hours_per_week": 30.0, "source": "assumption"} for node in ("MINE", "WEST", "EAST")]
    return add_rows(tiny(), "opening_hours", rows)


@cache
def whole(case: Callable[[], Instance]) -> Solved:
    """The case with all its constraints, solved and verified."""
    return solve(case(), "sourcing")


CASES = {
    "serve_demand": tiny,
    "meet_recipe": fishing,
    "respect_supplier_capacity": fishing,
    "keep_region_share": lambda: fishing(price=150.0, region_share=0.3),
    "respect_link_capacity": tiny,
    "respect_terminal_capacity": tiny,
    "use_only_built": tiny,
    "keep_built": cheap_rail_cap,
    "require_project": lambda: vary(tiny(), "projects", "project", "RAIL_MINE", requires="RAIL_CAP"),
    "exclude_project": lambda: vary(cheap_rail_cap(), "projects", "project", "RAIL_MINE", excludes="RAIL_CAP"),
    "cover_work": tiny,
    "cover_km": tiny,
    "cover_hours": lambda: vary(tiny(), "vehicles", "mode", "road", annual_h=1500.0),
    "fit_opening_hours": short_hours,
    "balance_stock": tiny,
    "return_empties": tiny,
    "deliver_energy": tiny,
    "deliver_on_the_way": short_range,
    "respect_grid": lambda: vary(tiny(), "charge_areas", "charge_area", "CE", grid_mw=0.1),
    "replace_at_most": lambda: substitute(with_hvo(tiny(), max_share=0.3), substitute="MORE", max_share=0.3),
    "replace_once": lambda: substitute(with_hvo(tiny()), substitute="MORE"),
    "respect_fuel_supply": lambda: with_hvo(tiny(), kwh_per_year=1000.0),
    "cap_emissions": tiny,
    "cap_technology": lambda: vary(tiny(), "policies", "policy", "FEW_BATTERIES", value=0.2),
    "ban_purchase": lambda: policy(tiny(), "BAN", "ban_purchase", technology="battery", year=2030.0, country="FI"),
    "require_zero_emission": lambda: policy(
        vary(tiny(), "vehicle_years", "vehicle", "BATTERY", capex_eur=400_000.0),
        "LAW",
        "require_zero_emission_share",
        value=0.3,
        year=2030.0,
    ),
    "spend_within_budget": lambda: vary(tiny(), "policies", "policy", "BUDGET_SE", value=1_000_000.0),
    "respect_driver_hours": lambda: vary(tiny(), "country_years", "country", "FI", driver_limit_h_per_year=9000.0),
    "limit_mode_shift": lambda: vary(tiny(), "policies", "policy", "SLOW_SHIFT", value=0.05),
}


@pytest.mark.parametrize("family", CASES)
def test_every_family_of_constraints_changes_an_optimum(family: str) -> None:
    case = CASES[family]
    less = solve(case(), "sourcing", without=family)
    assert less.cost_eur < whole(case).cost_eur - 100


def test_there_is_a_case_for_every_family_of_the_model() -> None:
    model = whole(tiny).built.model
    assert {c.local_name for c in model.component_objects(pyo.Constraint)} == set(CASES)
