"""Money over time: the present value is the cost of the plan; loans, leases, resale and subsidies as by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from milp_case import add_rows, tiny
from nbb_opt.cli.main import app
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.report.study import Answer
from nbb_opt.studies.audit.money import CASH, Finance, financed, present_eur
from nbb_opt.studies.audit.money_study import money_over_time
from nbb_opt.studies.audit.plan import PLAN, write_plan

RATE = 0.05
PLANNED = [
    ("truck", "W", "DIESEL", 2025, 5.0), ("truck", "E", "DIESEL", 2025, 5.0), ("truck", "W", "BATTERY", 2025, 3.0),
    ("truck", "W", "DIESEL", 2030, 4.0), ("charger", "CW", "DEPOT100", 2025, 8.0),
]  # fmt: skip


@cache
def company() -> Instance:
    """Tiny without rules, at 5 % a year, with a fifth of the price of battery trucks paid in Sweden until 2026."""
    case = add_rows(tiny(), "subsidies", [{
        "subsidy": "PREMIUM", "kind": "purchase_grant_share", "country": "SE", "technology": "battery",
        "first_year": 2024, "last_year": 2026, "value": 0.2, "source": "made_up",
    }])  # fmt: skip
    return replace(
        case, meta=replace(case.meta, discount_rate=RATE),
        tables={**case.tables, "policies": case["policies"].iloc[:0]},
    )  # fmt: skip


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "plan.csv"
    write_plan(pd.DataFrame([(*row, "") for row in PLANNED], columns=[c.name for c in PLAN.columns]), path)
    return path


@pytest.fixture(scope="module")
def money(plan: Path) -> Answer:
    return money_over_time(company(), plan, finance=Finance())


def test_the_present_value_of_the_cash_is_the_cost_of_the_plan_and_the_trucks_add_up_to_it(money: Answer) -> None:
    cash, lives = money.cash, money.trucks
    worth = present_eur(cash, rate=RATE, year=2025)
    assert worth == pytest.approx(money.figures["cost_eur"], rel=1e-9)
    assert cash["present_eur"].sum() == pytest.approx(worth, rel=1e-12)
    paid = cash.groupby("component")["eur"].sum()
    assert lives["purchase_eur"].sum() == pytest.approx(paid["fleet_purchase"], rel=1e-9)
    assert lives["grant_eur"].sum() == pytest.approx(-paid["fleet_grant"], rel=1e-9)
    assert lives["back_eur"].sum() == pytest.approx(-paid["fleet_resale"], rel=1e-9)
    assert money.years["plan_cumulative_eur"].iloc[-1] == pytest.approx(cash.loc[cash["paid"], "eur"].sum(), rel=1e-9)


def test_when_a_truck_goes_and_what_it_brings_is_as_by_hand(money: Answer) -> None:
    lives = money.trucks.set_index(["fleet_region", "vehicle", "vintage_year", "leaves"])
    battery = lives.loc[("W", "BATTERY", 2025, "in service at the end")]
    assert battery[["trucks", "purchase_eur", "grant_eur"]].tolist() == pytest.approx([3, 3 * 380000, 3 * 76000])
    assert battery["back_eur"] == 0.0  # ten years old at the end of ten years
    assert lives.loc[("W", "DIESEL", 2020, "end of life"), "leaves_year"] == 2030


def test_a_subsidy_is_worth_what_was_paid_and_the_plan_costs_so_much_more_without_it(money: Answer) -> None:
    row = money.subsidies.iloc[0]
    assert (row["subsidy"], row["last_year"]) == ("PREMIUM", 2026)
    assert row["more_eur"] == pytest.approx(3 * 76000, rel=1e-6)
    assert "so much more it costs if the subsidy ends before" in str(money)


def test_a_loan_at_the_discount_rate_changes_when_it_is_paid_and_not_what_it_is_worth(money: Answer) -> None:
    cash = money.cash[CASH]
    for years in (4, 30):  # paid back in time, and what is owed at the end paid then
        lent = financed(cash, money.trucks, Finance(loan_rate=RATE, loan_years=years), end_year=2035)
        assert present_eur(lent, rate=RATE, year=2025) == pytest.approx(money.figures["cost_eur"], rel=1e-9)
        assert not set(lent["component"]) & {"fleet_purchase", "charger_purchase"}
    dear = financed(cash, money.trucks, Finance(loan_rate=0.08, loan_years=5), end_year=2035)
    assert present_eur(dear, rate=RATE, year=2025) > money.figures["cost_eur"]


def test_a_leased_truck_is_paid_by_the_month_and_neither_bought_nor_granted_nor_sold(money: Answer) -> None:
    leased = financed(money.cash[CASH], money.trucks, Finance(lease_eur_per_month={"BATTERY": 5000.0}), end_year=2035)
    by = leased.set_index(["year", "component"])["eur"]
    assert [by[year, "lease"] for year in range(2025, 2035)] == [3 * 12 * 5000.0] * 10
    assert by.get((2025, "fleet_grant"), 0.0) == pytest.approx(0.0)
    bought = money.trucks[money.trucks["vehicle"] == "DIESEL"]
    assert leased.loc[leased["component"] == "fleet_purchase", "eur"].sum() == pytest.approx(
        bought["purchase_eur"].sum()
    )


def test_prices_and_the_diesel_clause_are_those_of_the_plan(money: Answer) -> None:
    whole = money.quotes[money.quotes["vehicle"] == "all"].set_index("year")
    for name, per in (("eur_per_km", "km_per_year"), ("eur_per_t", "tonnes_per_year"), ("eur_per_h", "hours_per_year")):
        np.testing.assert_allclose(whole[name] * whole[per], whole["eur_per_year"])
    diesel = money.clause[money.clause["energy_carrier"] == "diesel"].set_index("year")
    first = diesel.loc[2025]
    assert first["eur"] == pytest.approx(0.15 * first["kwh"])
    assert first["share_of_cost"] * whole.loc[2025, "eur_per_km"] * 0.1 == pytest.approx(
        first["eur_per_km_per_10_percent"]
    )
    assert first["eur_per_km_per_10_cent_a_l"] == pytest.approx(
        0.1 * first["kwh"] / 9.8 / whole.loc[2025, "km_per_year"]
    )
    spent = money.cash.groupby(["component", "year"])["eur"].sum()
    assert money.clause.groupby("year")["eur"].sum()[2025] == pytest.approx(spent["road_energy", 2025])


def test_the_page_has_a_chart_and_what_cannot_be_is_refused(money: Answer, plan: Path) -> None:
    page = money.page()
    assert "The plan: 11 points" in page
    assert "DIESEL only: 11 points" in page
    for words, finance in (
        ("is no truck (did you mean 'BATTERY'", {"BATERY": 1.0}),
        ("give 0 or more", {"DIESEL": -1}),
    ):
        with pytest.raises(NbbError) as caught:
            money_over_time(company(), plan, finance=Finance(lease_eur_per_month=finance))
        assert words in str(caught.value)
    with pytest.raises(NbbError, match="against: 'DISEL' is no truck"):
        money_over_time(company(), plan, finance=Finance(), against="DISEL")
    with pytest.raises(NbbError, match="as a share"):
        Finance(loan_rate=5.0)


def test_the_command_names_what_is_typed_wrong_and_what_it_can_do(plan: Path) -> None:
    tiny_folder = str(Path(__file__).parents[1] / "instances" / "tiny")
    for words, options in (
        ("--lease: could not convert string to float: 'dear'; write TRUCK=EUR", ["--lease", "BATTERY=dear"]),
        ("lease: 'BATERY' is no truck (did you mean 'BATTERY'?)", ["--lease", "BATERY=5000"]),
    ):
        done = CliRunner().invoke(app, ["fleet", "money", tiny_folder, "--plan", str(plan), *options])
        assert words in str(done.exception)
    assert CliRunner().invoke(app, ["fleet", "money", tiny_folder]).exit_code == 2
