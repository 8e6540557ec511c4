"""The tornado: which uncertain figure matters, largest first, kept unit by unit."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import nbb_opt as nbb
from nbb_opt.cli.main import app
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.shipped import shipped
from nbb_opt.studies.tornado import ELSEWHERE

TINY = nbb.read(shipped("instances") / "tiny")
RANGES = pd.DataFrame(
    [
        ("country_years", "SE/2035", "carbon_price_eur_per_t", 0.5, 2.0, "made up"),
        ("energy", "diesel/SE/2025", "price_eur_per_kwh", 0.9, 1.1, "made up"),
        ("projects", "RAIL_MINE", "capex_eur", 1.0, 1.1, "made up"),
        ("chargers", "*", "utilisation_share", 0.9, 1.1, "made up"),
    ],
    columns=["table", "row", "column", "low_factor", "high_factor", "reason"],
)


@pytest.fixture(scope="module")
def region() -> nbb.Instance:
    return TINY.with_table("ranges", RANGES)


def test_the_ends_of_ranges_are_solved_and_the_greatest_effect_comes_first(region: nbb.Instance) -> None:
    found = nbb.tornado(region, relax=True, cache=False)
    size = found["cost_difference_eur"].abs().groupby(found["figure"], sort=False).max()
    assert size.is_monotonic_decreasing
    carbon = found[found["figure"] == "country_years.carbon_price_eur_per_t of SE/2035"].set_index("end")
    assert carbon.loc["low", "cost_difference_eur"] < 0 < carbon.loc["high", "cost_difference_eur"]
    assert carbon.loc["high", "emissions_difference_t_co2e"] <= 0
    dear = region.with_changes("country_years.carbon_price_eur_per_t[country=SE, year=2035] *= 2")
    one, other = (
        nbb.sweep(each, vary="demand", values=[1.0], relax=True, cache=False)["cost_eur"][0] for each in (region, dear)
    )
    assert carbon.loc["high", "cost_difference_eur"] == pytest.approx(other - one, rel=1e-6)
    assert "projects.capex_eur of RAIL_MINE" in set(found["figure"])
    assert len(found.table) == 7  # a factor of 1 changes nothing


def test_finished_solves_are_not_made_again_and_the_command_writes_page_and_table(
    region: nbb.Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = nbb.write(region, tmp_path / "case")
    command = ["tornado", str(folder), "--relax", "--table", "projects", "--out", str(tmp_path / "out")]
    first = CliRunner().invoke(app, [*command, "--json"])
    assert first.exit_code == 0, first.output
    page = (tmp_path / "out" / "tornado.html").read_text(encoding="utf-8")
    assert "projects.capex_eur of RAIL_MINE matters most" in page

    def refuse(*_given: object, **_named: object) -> None:
        raise AssertionError("solved again")

    monkeypatch.setattr("nbb_opt.studies.tornado.TornadoWork.__call__", refuse)
    again = CliRunner().invoke(app, [*command, "--json"])
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["tornado"] == json.loads(first.stdout)["tornado"]
    other = CliRunner().invoke(app, [*command[:-1], str(tmp_path / "other")])
    assert isinstance(other.exception, AssertionError)


def test_a_figure_that_cannot_be_varied_says_why_and_a_table_without_ranges_is_refused(region: nbb.Instance) -> None:
    share = ("project_funding", "RAIL_MINE/SE", "share", 0.5, 1.0, "made up")
    odd = region.with_table("ranges", lambda t: pd.concat([t, pd.DataFrame([share], columns=RANGES.columns)]))
    found = nbb.tornado(odd, tables=["project_funding"], relax=True, cache=False)
    assert found["status"].tolist() == ["not varied"]
    assert found["note"].str.contains("add up to 0.5").all()
    with pytest.raises(nbb.NbbError, match="'nodes' has no ranges; those are chargers, "):
        nbb.tornado(odd, tables=["nodes"], cache=False)


def test_a_figure_that_is_in_no_plan_is_not_solved_for_and_names_the_command_that_shows_it() -> None:
    found = nbb.tornado(nbb.examples.haulier(), tables=["charging_hours"], relax=True, cache=False)
    assert found["status"].tolist() == ["not varied"] * 2
    assert set(found["note"]) == {"in no plan: see nbb-opt fleet day"}


def test_no_range_is_left_out_without_a_word() -> None:
    observed = {"total": "T1", "name": "seen", "measure": "handled_t_per_year", "modes": "road", "nodes": "MINE",
                "observed": 1e5, "observed_year": 2025, "outside": 0.0, "reason": "made up",
                "source": "made_up"}  # fmt: skip
    blank = {column.name: "" for column in BY_NAME["control_totals"].columns}
    base = TINY.with_table("control_totals", pd.DataFrame([blank | observed]))
    ranges = RANGES.iloc[:1].assign(table="control_totals", row="T1", column="observed", high_factor=1.5)
    region = base.with_table("ranges", pd.concat([RANGES, ranges]))
    found = nbb.tornado(region, tables=["control_totals"], relax=True, cache=False)
    assert found["status"].tolist() == ["not varied"] * 2
    assert set(found["note"]) == {"in no plan: see nbb-opt totals"}


@pytest.mark.parametrize("figure", sorted(set(ELSEWHERE) - {("scenarios", "")}))  # a word for other things too
def test_the_figures_that_are_in_no_plan_are_read_by_no_code_that_states_solves_or_verifies_one(
    figure: tuple[str, str],
) -> None:
    source = Path(nbb.__file__).parent
    rooms = [path for room in ("model", "solve", "verify", "recompute") for path in (source / room).rglob("*.py")]
    table, column = figure
    word = column if table == "charge_areas" else table
    readers = [path.name for path in rooms if f'"{word}"' in path.read_text(encoding="utf-8")]
    assert readers == []


def test_draws_with_every_figure_varied_are_near_the_sum_of_effects_and_count_projects(region: nbb.Instance) -> None:
    how = {"tables": ["energy", "country_years"], "cache": False, "gap": 1e-6}
    found = nbb.tornado(region, samples=4, **how)
    draws, projects = (found.tables[f"tornado_{name}"] for name in ("samples", "projects"))
    assert len(draws) == 4
    assert draws["verified"].all()
    # prices raise and lower the cost of what is decided anyway, so that alone and together differ little here
    assert draws["cost_difference_eur"].tolist() == pytest.approx(draws["one_by_one_eur"].tolist(), rel=0.05, abs=2e4)
    assert projects.set_index("project").loc["RAIL_MINE", "share_of_draws"] == 1
    again = nbb.tornado(region, samples=4, **how).tornado_samples
    pd.testing.assert_frame_equal(draws, again)
    assert "All at once, nine of ten draws" in found.sentences[0]
