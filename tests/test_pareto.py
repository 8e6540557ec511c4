"""The front of cost against emissions: exact points, lexicographic ends, what a tonne less costs and what enters."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import nbb_opt as nbb
from milp_case import TINY, tiny
from nbb_opt.cli.main import app
from nbb_opt.model import build, read_model, standard_form
from nbb_opt.network import prepare
from nbb_opt.solve import solve_form
from nbb_opt.studies.pareto import supported
from nbb_opt.studies.points import Stated, per_period

GAP = 1e-6


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """A front of five points by the command, and what it printed as JSON."""
    out = tmp_path_factory.mktemp("front") / "out"
    words = ["pareto", str(TINY), "--points", "5", "--gap", str(GAP), "--out", str(out), "--json"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    return out, json.loads(done.stdout)


@pytest.fixture(scope="module")
def front(written: tuple[Path, dict]) -> pd.DataFrame:
    return pd.read_parquet(written[0] / "pareto.parquet")


def test_points_are_verified_and_dearer_the_less_they_emit(front: pd.DataFrame) -> None:
    assert len(front) == 5
    assert front["verified"].all()
    assert (front["gap"] <= GAP).all()
    assert front["cost_eur"].is_monotonic_increasing
    assert front["emissions_t_co2e"].is_monotonic_decreasing
    assert (front["emissions_t_co2e"] <= front["cap_t_co2e"] * (1 + 1e-6)).all()


def test_the_ends_are_those_of_one_objective_alone(front: pd.DataFrame) -> None:
    cheapest = nbb.solve(tiny(), "least_cost", gap=GAP)
    assert front["cost_eur"].iloc[0] == pytest.approx(cheapest.cost_eur, rel=2 * GAP)
    case, prepared = tiny(), prepare(tiny())
    built = build(case, prepared, read_model("least_cost"), route="arrays")
    form = standard_form(built)
    tonnes = Stated(case, prepared, built, form, per_period(built)).tonnes()
    cleanest = solve_form(replace(form, cost=tonnes, cost_offset=0.0), gap=GAP)
    assert front["emissions_t_co2e"].iloc[-1] == pytest.approx(cleanest.objective, rel=3 * GAP)


def test_a_tonne_less_costs_more_and_more_where_points_are_supported(front: pd.DataFrame) -> None:
    prices = front.loc[front["supported"], "eur_per_t_co2e"].iloc[1:]
    assert (prices > 0).all()
    assert prices.is_monotonic_increasing
    hull = front[front["supported"]]
    (one, other), *_ = itertools.pairwise(hull.index)
    assert prices.iloc[0] == pytest.approx(
        (front["cost_eur"][other] - front["cost_eur"][one])
        / (front["emissions_t_co2e"][one] - front["emissions_t_co2e"][other])
    )


def test_points_above_a_line_between_two_others_are_not_supported() -> None:
    assert supported([10.0, 8.0, 6.0, 6.0], [1.0, 2.0, 3.0, 9.0]) == [0, 2]
    assert supported([10.0, 8.0, 6.0], [1.0, 1.5, 3.0]) == [0, 1, 2]
    assert supported([10.0, 8.0, 6.0], [1.0, 2.5, 3.0]) == [0, 2]


def test_what_enters_is_named_and_adds_up_to_the_difference(written: tuple[Path, dict], front: pd.DataFrame) -> None:
    steps = pd.read_csv(written[0] / "pareto_steps.csv")
    trucks = steps[(steps["kind"] == "trucks") & (steps["point"] == 1)]
    assert "Battery truck" in front["enters"][1]
    assert "Diesel truck" in front["leaves"][1]
    assert (trucks["after"] - trucks["before"]).abs().min() >= 1
    assert written[1]["pareto"][1]["enters"] == front["enters"][1]
    page = (written[0] / "pareto.html").read_text(encoding="utf-8")
    assert "A tonne less costs from" in page
    assert page.count("<circle") == 5


def test_a_front_of_one_year_caps_that_year_and_years_that_are_no_period_are_refused() -> None:
    year = tiny().periods[-1].year
    found = nbb.pareto(tiny(), points=3, year=year, relax=True)
    assert (found["emissions_t_co2e"] <= found["cap_t_co2e"] * (1 + 1e-6)).all()
    whole = nbb.pareto(tiny(), points=3, relax=True)
    assert found["emissions_t_co2e"].iloc[0] < whole["emissions_t_co2e"].iloc[0]
    with pytest.raises(nbb.NbbError, match="year=1999: is no period of the instance"):
        nbb.pareto(tiny(), year=1999)
