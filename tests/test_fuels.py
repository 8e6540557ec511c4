"""Vehicles that are there already may take in another fuel: what that costs, spares, and is limited by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milp_case import Instance, Solved, add_rows, solve, tiny, vary, without_policies
from nbb_opt.emissions.ledger import build_ledger
from nbb_opt.emissions.reconcile import check_ledger
from nbb_opt.network import prepare
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import solve_instance
from nbb_opt.report.decisions import fuel_grid
from nbb_opt.result import Run
from nbb_opt.verify import verify_plan

MADE_UP = {"source": "made_up", "note": ""}


def with_hvo(instance: Instance, *, price: float = 0.14, **cells: Any) -> Instance:
    """Diesel trucks may burn HVO, which emits 0.03 kg per kWh; diesel costs 0.15 EUR and emits 0.3 kg."""
    rows = [
        {"energy_carrier": "hvo", "country": country, "year": year, "price_eur_per_kwh": price,
         "ttw_kg_co2e_per_kwh": 0.0, "wtt_kg_co2e_per_kwh": 0.03} | MADE_UP
        for country in ("SE", "FI") for year in (2025, 2035)
    ]  # fmt: skip
    return substitute(add_rows(instance, "energy", rows), **cells)


def substitute(instance: Instance, **cells: Any) -> Instance:
    row = {"substitute": "HVO", "mode": "road", "replaces": "diesel", "energy_carrier": "hvo", "kwh_per_kwh": 1.0,
           "max_share": 1.0, "available_from": 2020}  # fmt: skip
    return add_rows(instance, "fuel_substitutes", [row | cells | MADE_UP])


def energy(solved: Solved, carrier: str) -> float:
    rows = solved.tables["energy"]
    return float(rows.loc[(rows["energy_carrier"] == carrier) & (rows["mode"] == "road"), "kwh"].sum())


def amount(solved: Solved, component: str) -> float:
    costs = solved.tables["costs"]
    return float(costs.loc[costs["component"] == component, "amount_eur"].sum())


def test_trucks_of_today_burn_a_cheaper_fuel_and_pay_its_price() -> None:
    solved = solve(with_hvo(without_policies(tiny())))
    replaced = float(solved.tables["fuels"]["replaced_kwh"].sum())
    assert energy(solved, "diesel") == 0.0
    assert energy(solved, "hvo") == pytest.approx(replaced)
    assert amount(solved, "fuel_substitution") == pytest.approx(-0.01 * replaced)
    assert amount(solved, "road_energy") > 0.15 * replaced * (1 - 1e-9)  # as if they burnt their own


def test_a_dearer_fuel_is_burnt_only_as_far_as_a_cap_asks() -> None:
    free = solve(with_hvo(without_policies(tiny()), price=0.6))
    assert free.tables["fuels"].empty
    tight = vary(tiny(), "policies", "policy", "CAP_2025", value=500.0)
    without, capped = solve(tight), solve(with_hvo(tight, price=0.6))
    emitted = capped.tables["emissions"].query("year == 2025")
    assert float((emitted["ttw_kg"] + emitted["wtt_kg"]).sum()) == pytest.approx(500_000)
    assert min(energy(capped, "hvo"), energy(capped, "diesel")) > 0
    assert capped.cost_eur < without.cost_eur - 100


def test_supply_share_and_ratio_limit_what_is_replaced() -> None:
    case = without_policies(tiny())
    supplied = solve(with_hvo(case, price=0.1, kwh_per_kwh=1.25, kwh_per_year=50_000.0))
    assert supplied.tables["energy"].query("energy_carrier == 'hvo'").groupby("year")["kwh"].sum().tolist() == (
        pytest.approx([50_000.0, 50_000.0])
    )
    assert supplied.tables["fuels"].groupby("year")["replaced_kwh"].sum().tolist() == pytest.approx([40_000.0] * 2)
    shared = solve(with_hvo(case, price=0.1, max_share=0.25))
    assert energy(shared, "hvo") == pytest.approx(0.25 * (energy(shared, "hvo") + energy(shared, "diesel")))
    later = solve(with_hvo(case, available_from=2030))
    assert set(later.tables["fuels"]["year"]) == {2030}


def test_a_project_adds_to_what_can_be_had() -> None:
    case = with_hvo(without_policies(tiny()), price=0.05, kwh_per_year=1000.0)
    project = case["projects"].iloc[0].to_dict() | {"project": "PLANT", "capex_eur": 10.0, "fixed_eur_per_year": 0.0,
                                                      "earliest_year": 2030, "max_units": 1}  # fmt: skip
    effect = {"project": "PLANT", "table": "fuel_substitutes", "row": "HVO", "column": "kwh_per_year", "adds": 5000.0}
    solved = solve(add_rows(add_rows(case, "projects", [project]), "project_effects", [effect | MADE_UP]))
    taken = solved.tables["energy"].query("energy_carrier == 'hvo'").groupby("year")["kwh"].sum()
    assert taken.to_dict() == pytest.approx({2025: 1000.0, 2030: 6000.0})


def test_two_fuels_replace_the_same_energy_once() -> None:
    case = substitute(with_hvo(without_policies(tiny()), max_share=0.8), substitute="MORE", max_share=0.7)
    solved = solve(case)
    assert energy(solved, "diesel") == 0.0
    assert set(solved.tables["fuels"]["substitute"]) == {"HVO", "MORE"}


def test_ships_take_in_what_they_may_at_sea() -> None:
    rows = [{"energy_carrier": "clean", "country": "XX", "year": year, "price_eur_per_kwh": 0.07,
             "ttw_kg_co2e_per_kwh": 0.0, "wtt_kg_co2e_per_kwh": 0.0} | MADE_UP for year in (2025, 2035)]  # fmt: skip
    case = add_rows(without_policies(tiny()), "energy", rows)
    case = substitute(case, substitute="CLEAN", mode="sea", replaces="marine_fuel", energy_carrier="clean")
    solved = solve(case, "joint")
    at_sea = solved.tables["energy"].query("mode == 'sea'")
    assert set(at_sea["energy_carrier"]) <= {"clean"}
    assert prepare(case).rows.owner.size >= prepare(without_policies(tiny())).rows.owner.size


def test_the_ledger_gives_every_category_its_part_of_the_fuel() -> None:
    case = with_hvo(tiny(), max_share=0.5)
    solved = solve(case)
    ledger = build_ledger(case, solved.tables)
    assert check_ledger(case, solved.tables, ledger)["ok"].all()
    lines = ledger.lines[(ledger.lines["mode"] == "road") & (ledger.lines["year"] == 2025)]
    assert {"diesel", "hvo"} <= set(lines["energy_carrier"])


@pytest.mark.parametrize(("factor", "rule"), [(1.5, "replace_at_most"), (0.5, "agree_energy")])
def test_the_verifier_refuses_another_amount_of_fuel(factor: float, rule: str) -> None:
    case = with_hvo(without_policies(tiny()))
    tables = solve(case).tables
    false = {**tables, "fuels": tables["fuels"].assign(replaced_kwh=tables["fuels"]["replaced_kwh"] * factor)}
    verdict = verify_plan(
        case, false, blocks=("flow", "fleet", "fuels"), technologies="all", projects="all", reported={}
    )
    assert rule in set(verdict.checks.loc[~verdict.checks["ok"], "rule"])


def test_column_generation_finds_the_same_optimum() -> None:
    case = vary(with_hvo(tiny(), price=0.16), "policies", "policy", "CAP_2025", value=700.0)
    cost = [
        solve_instance(case, options=SolveOptions(method=method, gap=1e-6)).record["cost_eur"]
        for method in ("monolith", "decompose")
    ]
    assert np.isclose(*cost, rtol=1e-6)


def test_a_model_without_the_block_replaces_nothing() -> None:
    case = with_hvo(without_policies(tiny()))
    assert solve(case, "frozen").tables["fuels"].empty
    verdict = verify_plan(
        case, solve(case).tables, blocks=("flow", "fleet"), technologies="all", projects="all", reported={}
    )
    assert "respect_options" in set(verdict.checks.loc[~verdict.checks["ok"], "rule"])


def test_the_report_says_what_a_tonne_less_costs_by_fuel() -> None:
    case = vary(with_hvo(tiny(), price=0.6), "policies", "policy", "CAP_2025", value=500.0)
    run = Run(Path(), {}, solve(case).tables, {})
    rows = fuel_grid(case, run).rows
    assert {row[0] for row in rows} == {"HVO"}
    for row in rows:  # 0.45 EUR and 0.27 kg a kWh
        assert row[6:9] == pytest.approx([0.45 * row[5], 0.27 * row[5], 0.45 / 0.27 * 1000])
