"""The abatement cost curve: named measures alone and in sequence, which add up to the difference of the ends."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import nbb_opt as nbb
from milp_case import TINY
from nbb_opt.cli.main import app

PRICE = 3500


@pytest.fixture(scope="module")
def curve(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, dict, Path]:
    """The curve of tiny by the command, its record, and the folder."""
    out = tmp_path_factory.mktemp("abate") / "out"
    words = ["abate", str(TINY), "--price", str(PRICE), "--gap", "1e-7", "--out", str(out), "--json"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    return pd.read_parquet(out / "abate.parquet"), json.loads(done.stdout), out


def test_steps_add_up_to_the_difference_of_the_ends(curve: tuple[pd.DataFrame, dict, Path]) -> None:
    table, _, out = curve
    units = [json.loads(path.read_bytes()) for path in (out / "units").glob("*.json")]
    first = next(unit for unit in units if "values" in unit and "first" not in unit)
    last = min((unit for unit in units if "values" in unit and "first" in unit), key=lambda unit: unit["emissions_t"])
    assert table["cost_eur"].sum() == pytest.approx(last["cost_eur"] - first["cost_eur"], rel=1e-9)
    cut_t = first["emissions_t"] - last["emissions_t"]
    assert table["tonnes_cut_t_co2e"].sum() == pytest.approx(cut_t, rel=1e-9)
    assert table["verified"].all()


def test_measures_by_hand_alone_and_where_one_needs_another(curve: tuple[pd.DataFrame, dict, Path]) -> None:
    """A battery truck in W costs 62 500 EUR and saves 5 * 72.25 t; three of them need no more power than there is,
    three more need the grid project, which does nothing alone.
    """
    table = curve[0].set_index("measure")
    west, grid = table.loc["Battery truck, West"], table.loc["Grid connection of the west depot"]
    assert west["alone_cost_eur"] == pytest.approx(3 * 62_500, abs=1)
    assert west["alone_tonnes_cut_t_co2e"] == pytest.approx(3 * 5 * 72.25, abs=0.01)
    assert grid["alone_tonnes_cut_t_co2e"] == pytest.approx(0.0, abs=0.01)
    assert grid["tonnes_cut_t_co2e"] == pytest.approx(3 * 5 * 72.25, abs=0.01)
    assert table.index.get_loc("Battery truck, West") < table.index.get_loc("Grid connection of the west depot")


def test_the_page_has_a_block_for_each_measure_and_says_what_pays(curve: tuple[pd.DataFrame, dict, Path]) -> None:
    table, record, out = curve
    page = (out / "abate.html").read_text(encoding="utf-8")
    assert record["sentences"][0] in page
    assert record["sentences"][0].startswith(
        "At 3,500 EUR/t 2.9 kt CO2e can be cut for 0.5 MEUR; 0.0 kt of it pays by itself"
    )
    assert page.count("<rect") >= (table["kind"] != "").sum()
    assert record["abate"][1]["measure"] == table["measure"][1]


def test_a_model_without_a_first_plan_says_so() -> None:
    with pytest.raises(nbb.Infeasible, match="market and committed: no plan satisfies every constraint"):
        nbb.abate(nbb.examples.tiny(), model="shift_only")
