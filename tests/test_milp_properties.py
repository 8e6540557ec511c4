"""What must hold between plans: caps, capacity, prices, fixed flows, and agreement with enumeration."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csc_array, vstack

from milp_case import Instance, flows_of, policy, solve, tiny, vary, without_policies
from nbb_opt.errors import Infeasible
from nbb_opt.instance import Period
from nbb_opt.model import build, read_model, standard_form
from nbb_opt.network import prepare
from nbb_opt.solve import solve_form

PRICES = {
    "country_years": ("driver_cost_eur_per_h", "carbon_price_eur_per_t"),
    "links": ("toll_eur_per_vkm", "charge_eur_per_t"),
    "handling_costs": ("cost_eur_per_t",),
    "commodities": ("value_of_time_eur_per_t_h",),
    "vehicle_years": ("capex_eur", "fixed_eur_per_year", "running_eur_per_vkm"),
    "energy": ("price_eur_per_kwh",),
    "chargers": ("capex_eur", "fixed_eur_per_year"),
    "projects": ("capex_eur", "fixed_eur_per_year"),
}


def cost(instance: Instance, model: str = "joint") -> float:
    """Cost of the best plan; infinite if there is none."""
    try:
        return solve(instance, model).cost_eur
    except Infeasible:
        return np.inf


def test_a_lower_emission_cap_never_lowers_cost() -> None:
    caps = [900.0, 850.0, 800.0, 760.0]
    costs = [cost(vary(tiny(), "policies", "policy", "CAP_2025", value=cap)) for cap in caps]
    assert all(b >= a - 1e-6 * a for a, b in itertools.pairwise(costs))
    assert costs[-1] > costs[0]


@settings(max_examples=3, deadline=None, derandomize=True)
@given(st.floats(5_000, 40_000), st.floats(1.0, 2.0), st.sampled_from(["frozen", "joint"]))
def test_more_rail_capacity_never_raises_cost(capacity_t: float, factor: float, model: str) -> None:
    small, large = (
        vary(tiny(), "links", "link", "RAIL_WEST_GAP", capacity_t_per_year=c) for c in (capacity_t, capacity_t * factor)
    )
    assert cost(large, model) <= cost(small, model) * (1 + 1e-6)


@pytest.mark.parametrize("model", ["frozen", "joint"])
def test_doubling_every_price_doubles_cost(model: str) -> None:
    dear = vary(tiny(), "policies", "policy", "BUDGET_SE", value=5_000_000.0)
    for table, columns in PRICES.items():
        frame = dear[table].copy()
        for column in columns:
            frame[column] = frame[column] * 2
        dear = replace(dear, tables={**dear.tables, table: frame})
    assert cost(dear, model) == pytest.approx(2 * cost(tiny(), model), rel=1e-6)


def test_flows_fixed_to_those_of_doing_nothing_never_cost_less_than_free_ones() -> None:
    nothing = solve(tiny(), "frozen")
    fixed = solve(tiny(), "electrify_only", flows=flows_of(nothing, tiny()))
    free = solve(tiny())
    assert fixed.cost_eur >= free.cost_eur
    assert np.allclose(flows_of(fixed, tiny()), flows_of(nothing, tiny()))


def test_without_rules_more_options_never_cost_more() -> None:
    case = without_policies(tiny())
    nothing = solve(case, "frozen")
    shift, electrify, joint = cost(case, "shift_only"), solve(
        case, "electrify_only", flows=flows_of(nothing, case)
    ).cost_eur, cost(case)  # fmt: skip
    assert joint <= min(shift, electrify) + 1
    assert max(shift, electrify) <= nothing.cost_eur + 1


def test_todays_technologies_alone_buy_no_battery_truck() -> None:
    assert set(solve(tiny(), "shift_only").tables["fleet"]["vehicle"]) == {"DIESEL"}


def test_a_ban_is_obeyed_from_its_year_on() -> None:
    fleet = solve(policy(tiny(), "BAN", "ban_purchase", technology="battery", country="SE", year=2030.0)).tables[
        "fleet"
    ]
    bought = fleet[(fleet["vehicle"] == "BATTERY") & (fleet["fleet_region"] == "W") & (fleet["bought"] > 0)]
    assert bought["year"].tolist() == [2025]


def test_enumerating_every_small_fleet_finds_the_same_optimum() -> None:
    case = replace(tiny(), periods=(Period(2025, 5),))
    form = standard_form(build(case, prepare(case, prune=False), read_model("frozen")))
    found = solve_form(form, time_limit_s=60, gap=1e-9, threads=1)
    whole = np.flatnonzero(form.integer)
    most = {"bought(W": 2, "bought(E": 2, "kept(W,DIESEL,2020": 4, "kept(W,DIESEL,2024": 2,
            "kept(E,DIESEL,2020": 1, "kept(E,DIESEL,2024": 2}  # fmt: skip
    names = [form.col_names[j].replace("[", "(") for j in whole]
    ranges = [range(next(up for start, up in most.items() if name.startswith(start)) + 1) for name in names]
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost)))
    equal = form.row_low == form.row_up
    above, below = ~equal & np.isfinite(form.row_low), ~equal & np.isfinite(form.row_up)
    rows = matrix.tocsr()
    upper = np.concatenate([form.row_up[below], -form.row_low[above]])
    bodies = vstack([rows[below], -rows[above]])
    best = np.inf
    for fleet in itertools.product(*ranges):
        low, up = form.col_low.copy(), form.col_up.copy()
        low[whole] = up[whole] = fleet
        answer = linprog(form.cost, bodies, upper, rows[equal], form.row_up[equal], np.stack([low, up], axis=1))
        if answer.status == 0:
            best = min(best, answer.fun + form.cost_offset)
    assert found.objective == pytest.approx(best, rel=1e-9)
