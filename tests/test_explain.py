"""Why a flow goes the way it goes: every way with its cost, its limit, and the price change that flips it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import nbb_opt as nbb
from nbb_opt.cli.main import app
from nbb_opt.shipped import shipped
from nbb_opt.studies.explain import SPLIT

TINY = nbb.read(shipped("instances") / "tiny")


@pytest.fixture(scope="module")
def plan() -> nbb.Result:
    return nbb.solve(TINY, gap=1e-6, cache=False)


def test_the_parts_of_a_cost_add_up_and_ways_in_use_cost_the_price_of_the_flow(plan: nbb.Result) -> None:
    flows = plan.flows[plan.flows["year"] == 2030]
    for origin, destination, commodity in [("PORTW", "PORTE", "FISH"), ("WEST", "PLANT", "BOX")]:
        found = nbb.explain(plan, origin=origin, destination=destination, commodity=commodity, cache=False)
        parts = found.table[[f"{name}_eur_per_t" for name in SPLIT]].sum(axis=1)
        assert parts.to_numpy() == pytest.approx(found.table["total_eur_per_t"].to_numpy())
        used = found.table[found.table["carried_t_per_year"] > 0]
        assert used["total_eur_per_t"].to_numpy() == pytest.approx(found.price_eur_per_t)
        mine = flows[(flows["origin"] == origin) & (flows["destination"] == destination)]
        carried = mine[mine["commodity"] == commodity].set_index("main_mode")["flow_t_per_year"].to_dict()
        assert used.groupby("main_mode")["carried_t_per_year"].sum().to_dict() == pytest.approx(carried)
    assert found.table["limit"].tolist().count("link RAIL_WEST_GAP is full") == 1


def test_the_price_change_that_flips_a_way_is_confirmed_by_solving_again(plan: nbb.Result) -> None:
    for origin, destination, commodity in [("MINE", "WEST", "ORE"), ("PORTE", "PORTW", "PULP")]:
        found = nbb.explain(plan, origin=origin, destination=destination, commodity=commodity, cache=False)
        (flip,) = found.flips.to_dict("records")
        assert flip["way"] == "road"
        assert flip["verified"]
        assert flip["carried_then_t_per_year"] > 0
        assert flip["cheaper_eur_per_t"] == pytest.approx(found.table["above_eur_per_t"].max())


def test_a_way_whose_project_is_not_built_says_so(plan: nbb.Result) -> None:
    without = nbb.solve(TINY.with_changes("projects.fixed_eur_per_year[project=RAIL_MINE] = 9e7"), cache=False)
    table = nbb.explain(without, origin="MINE", destination="WEST", commodity="ORE", cache=False).table
    assert table.set_index("main_mode").loc["rail", "limit"] == "RAIL_MINE is not built"
    assert table.set_index("main_mode").loc["rail", "above_eur_per_t"] < 0  # what it would save


def test_the_command_says_the_same_and_names_what_is_not_there(plan: nbb.Result, tmp_path: Path) -> None:
    run = str(plan.save(tmp_path / "run"))
    command = ["explain", run, "--origin", "MINE", "--destination", "WEST", "--commodity"]
    said = CliRunner().invoke(app, [*command, "ORE", "--out", str(tmp_path / "why")])
    assert said.exit_code == 0, said.output
    page = (tmp_path / "why" / "explain.html").read_text(encoding="utf-8")
    assert "What a tonne costs on each way" in page
    assert page.count(": Line haul ") == 2  # a bar for each way
    assert {path.name for path in (tmp_path / "why").iterdir()} >= {"explain.json", "ways.csv", "flips.parquet"}
    refused = CliRunner().invoke(app, [*command, "ORE", "--out", run])
    assert "holds no results of this command" in str(refused.exception)
    assert "1 % more flips it, 1 % less does not" in said.output
    record = json.loads(CliRunner().invoke(app, [*command, "ORE", "--json"]).stdout)
    assert record["year"] == 2030
    assert [way["main_mode"] for way in record["ways"]] == ["rail", "road"]
    with pytest.raises(nbb.NbbError, match=r"commodity 'OAR'.*did you mean 'ORE'"):
        nbb.explain(plan, origin="MINE", destination="WEST", commodity="OAR", cache=False)
    with pytest.raises(nbb.NbbError, match="demand in 2025, 2030"):
        nbb.explain(plan, origin="MINE", destination="WEST", commodity="ORE", year=2035, cache=False)


def test_an_instance_beside_a_plan_that_has_its_own_is_refused(plan: nbb.Result) -> None:
    with pytest.raises(nbb.NbbError, match="explain: instance= is for a run folder"):
        nbb.explain(plan, origin="MINE", destination="WEST", commodity="ORE", instance=TINY)
