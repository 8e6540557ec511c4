"""Plans that hold in every future: two ways to the same two-stage plan, values that cannot be negative, no regret."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import nbb_opt as nbb
from nbb_opt.cli.main import app
from nbb_opt.shipped import shipped
from nbb_opt.studies.robust.futures import futures_of, mean_of
from nbb_opt.studies.robust.study import CAUTIOUS, REGRET, STOCHASTIC, tail_mean

GAP = 1e-6
SCENARIOS = pd.DataFrame(
    [
        ("carbon", "country_years", "*", "carbon_price_eur_per_t", 3.0),
        ("ore", "od", "MINE/WEST/ORE", "tonnes", 1.5),
    ],
    columns=["scenario", "table", "row", "column", "factor"],
).assign(source="made_up", note="made up")


@pytest.fixture(scope="module")
def region() -> nbb.Instance:
    return nbb.read(shipped("instances") / "tiny").with_table("scenarios", SCENARIOS)


@pytest.fixture(scope="module")
def found(region: nbb.Instance, tmp_path_factory: pytest.TempPathFactory):
    out = tmp_path_factory.mktemp("robust") / "out"
    return nbb.robust(region, method="extensive", gap=GAP, out=out, cache=False), out


def test_the_extensive_form_and_the_decomposition_find_plans_of_one_expected_cost(region, found) -> None:
    whole, _ = found
    parts = nbb.robust(region, method="decompose", gap=GAP, projects=False, rounds=1, cache=False)
    for name in ("expected_of_best_plan_eur", "expected_if_known_eur", "tail_mean_of_cautious_plan_eur"):
        assert parts.figures[name] == pytest.approx(whole.figures[name], rel=1e-5), name
    expected = whole.figures["expected_of_best_plan_eur"]
    assert whole.figures["bound_of_best_plan_eur"] == pytest.approx(expected, rel=2 * GAP)
    assert parts.figures["bound_of_best_plan_eur"] <= expected * (1 + GAP)
    assert whole.figures["expected_if_known_eur"] < expected  # so that neither is for want of uncertainty


def test_a_plan_costs_in_a_future_what_a_solve_with_its_first_decisions_fixed_costs(region, found) -> None:
    result, _ = found
    first = result.first_decisions.query("plan == 'best of mean of the futures'").set_index("decision")["number"]
    row = result.regret.query("plan == 'best of mean of the futures' and future == 'base'").iloc[0]
    built = nbb.build(region)
    for kind in ("bought", "installed", "built"):
        variables = built.component(kind)
        for key in variables:
            if key[-1] == 2025:
                variables[key].fix(first.get(variables[key].name, 0))
    by_hand = nbb.solve(built, options=nbb.SolveOptions(gap=GAP, reference=False))
    assert row["cost_eur"] == pytest.approx(by_hand.cost_eur, rel=2 * GAP)
    assert row["regret_eur"] > 1000
    assert row["regret_low_eur"] <= row["regret_eur"] <= row["regret_high_eur"]


def test_knowing_more_is_worth_no_less_than_nothing_and_a_cautious_tail_is_no_worse(found) -> None:
    result, _ = found
    figures, plans = result.figures, result.plans.set_index("plan")
    for name in ("value_of_stochastic_solution", "value_of_perfect_information"):
        low, value, high = (figures[f"{name}{end}_eur"] for end in ("_low", "", "_high"))
        assert 0 <= low <= value + 1e-6 <= high + 2e-6, name
    assert figures["tail_mean_of_cautious_plan_eur"] <= figures["tail_mean_of_best_plan_eur"]
    assert plans.loc[REGRET, "greatest_regret_eur"] <= plans["greatest_regret_eur"].min() + 50
    assert plans.loc[STOCHASTIC, "expected_eur"] <= plans["expected_eur"].min() * (1 + 2 * GAP)
    both = 0.5 * plans["expected_eur"] + 0.5 * plans["tail_mean_eur"]
    assert both[CAUTIOUS] <= both.min() * (1 + 2 * GAP)


def test_the_railway_is_in_every_good_plan_and_has_its_value(region, found) -> None:
    result, _ = found
    rail = result.projects.set_index("project").loc["RAIL_MINE"]
    assert (rail["no_regret"], rail["share_of_futures"], rail["year"]) == ("yes", 1.0, 2030)
    options = nbb.SolveOptions(gap=GAP, reference=False)
    with_it, without = (nbb.solve(case, options=options, cache=False).cost_eur
                        for case in (region, region.with_changes(forbid=["RAIL_MINE"])))  # fmt: skip
    assert rail["value_in_plan_eur"] == pytest.approx(without - with_it, abs=100)
    assert rail["paid_by"] == "SE 100%"
    assert set(result.projects.loc[result.projects["project"] != "RAIL_MINE", "no_regret"]) == {"no"}
    assert "RAIL_MINE" in result.sentences[-1]


def test_the_page_draws_every_regret_and_the_command_gives_what_python_gives(region, found, tmp_path: Path) -> None:
    result, out = found
    page = (out / "robust.html").read_text(encoding="utf-8")
    assert "Regret of each plan in each future" in page
    assert len(pd.read_csv(out / "regret.csv")) == len(result.plans) * 3
    folder = nbb.write(region, tmp_path / "case")
    command = ["robust", str(folder), "--relax", "--no-projects", "--future", "base=3", "--future", "ore", "--json"]
    told = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "out")])
    assert told.exit_code == 0, told.output
    record = json.loads(told.stdout)
    assert record["weights"] == {"base": 0.75, "ore": 0.25}
    assert record["value_of_perfect_information_eur"] >= 0
    refused = CliRunner().invoke(app, [*command, "--tail", "0"])
    assert refused.exit_code != 0
    assert "tail" in str(refused.exception) + refused.output


def test_a_future_that_changes_demand_and_its_contracts_has_a_mean_with_both() -> None:
    region = nbb.read(shipped("instances") / "nbb")
    mean = mean_of(*futures_of(region, ["base", "stegra_stopped"]))
    steel = "origin == 'BOD' and commodity == 'steel'"
    assert mean["od"].query(steel)["tonnes"].sum() == pytest.approx(0.5 * region["od"].query(steel)["tonnes"].sum())
    ends = (each["supply_contracts"].query("site == 'STEGRA'")["amount_t_per_year"].sum() for each in (mean, region))
    assert next(ends) == pytest.approx(0.5 * next(ends))


def test_the_mean_of_futures_is_that_of_every_figure_and_odd_futures_are_refused(region: nbb.Instance) -> None:
    futures, weight = futures_of(region, ["base", "ore=3"])
    mean = mean_of(futures, weight)
    tonnes = [each["od"].query("commodity == 'ORE'")["tonnes"].to_numpy() for each in (*futures.values(), mean)]
    assert tonnes[2] == pytest.approx(0.25 * tonnes[0] + 0.75 * tonnes[1])
    assert mean["country_years"].equals(region["country_years"])
    assert tail_mean(np.array([1.0, 5.0]), np.array([0.9, 0.1]), 0.1) == 5.0
    for names, what in ((["base"], "at least two"), (["ore", "ore=2"], "named twice"), (["ore=-1", "base"], "above 0")):
        with pytest.raises(nbb.NbbError, match=what):
            futures_of(region, names)
