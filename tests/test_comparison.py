"""Runs of one base set side by side: what was assumed and is decided differently, and what is proven of the cost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import nbb_opt as nbb
from nbb_opt.cli.main import app
from nbb_opt.instance.what_if import input_differences
from nbb_opt.shipped import shipped

TINY = nbb.read(shipped("instances") / "tiny")
DEAR = "country_years.carbon_price_eur_per_t[year=2035] *= 1.5"
ALIKE = "country_years.carbon_price_eur_per_t[year=2035] *= 1.0001"


@pytest.fixture(scope="module")
def base() -> nbb.Result:
    return nbb.solve(TINY, gap=1e-3, cache=False)


@pytest.fixture(scope="module")
def forbidden() -> nbb.Result:
    return nbb.solve(TINY.with_changes(DEAR, forbid=["RAIL_MINE"]), gap=1e-3, cache=False)


def test_inputs_and_decisions_that_differ_are_named(base: nbb.Result, forbidden: nbb.Result) -> None:
    found = nbb.compare(base, forbidden, names=["base", "no railway"])
    assert found.inputs["row"].tolist() == ["FI/2035", "SE/2035", "XX/2035", "RAIL_MINE"]
    projects = found.decisions.query("kind == 'project'").set_index(["what", "year"])
    assert projects.loc[("Railway to the mine", 2030), ["base", "no railway"]].tolist() == [1, 0]
    by_rail = found.decisions[found.decisions["what"].str.contains("by rail")]
    assert by_rail["base"].sum() > by_rail["no railway"].sum()
    assert found.decisions["kind"].tolist() == sorted(
        found.decisions["kind"], key=["project", "trucks", "chargers", "freight"].index
    )


def test_a_difference_is_proven_where_bounds_do_not_overlap(base: nbb.Result, forbidden: nbb.Result) -> None:
    (cost,) = nbb.compare(base, forbidden, names=["base", "no railway"]).costs
    assert cost.decided
    assert cost.difference_eur == pytest.approx(forbidden.cost_eur - base.cost_eur)
    assert cost.at_least_eur == pytest.approx(forbidden.bound_eur - base.cost_eur)
    assert cost.at_most_eur == pytest.approx(forbidden.cost_eur - base.bound_eur)
    assert "proven" in cost.line("base")


def test_a_plan_compared_with_itself_is_identical(base: nbb.Result) -> None:
    found = nbb.compare(base, base)
    assert [each.identical and each.decided for each in found.costs] == [True]
    assert "identical, the same plan of the same model on the same data" in found.lines[0]
    assert "undecided" not in " ".join(found.lines[:3])


def test_what_is_undecided_is_decided_by_solving_both_again() -> None:
    loose = nbb.solve(TINY, gap=0.05, cache=False)
    other = nbb.solve(TINY.with_changes(ALIKE), gap=0.05, cache=False)
    names = ["a", "b"]
    (before,) = nbb.compare(loose, other, names=names).costs
    assert not before.decided
    assert "undecided" in before.line("a")
    found = nbb.compare(loose, other, names=names, decide_s=60)
    (after,) = found.costs
    assert after.decided
    assert 0 < after.at_least_eur <= after.difference_eur <= after.at_most_eur
    assert before.at_least_eur <= after.at_least_eur
    assert after.at_most_eur <= before.at_most_eur + 1e-6
    assert not found["b undecided"].iloc[0]
    assert found.plans[0].cost_eur <= loose.cost_eur


def test_rows_that_only_one_of_two_instances_has_are_named(base: nbb.Result) -> None:
    fewer = TINY.with_table("control_totals", lambda t: t).with_table("ranges", lambda t: t.iloc[1:])
    found = nbb.compare(
        base, nbb.Result(base.run, fewer, {"instance": fewer, "accepted": True}), names=["a", "b"]
    ).inputs
    assert found[["column", "before", "after"]].values.tolist() == [["(row)", "there", None]]


def test_the_command_says_the_same_to_people_and_machines_and_writes_a_page(
    base: nbb.Result, forbidden: nbb.Result, tmp_path: Path
) -> None:
    runs = [str(base.save(tmp_path / "base")), str(forbidden.save(tmp_path / "no_railway"))]
    page = tmp_path / "difference.html"
    said = CliRunner().invoke(app, ["compare", *runs, "--out", str(page)])
    assert said.exit_code == 0, said.output
    assert "no_railway against base" in said.output
    assert "Railway to the mine" in said.output
    html = page.read_text(encoding="utf-8")
    for words in ("proven", "projects.csv"[:8], "Railway to the mine", "carries more", "Map of the difference in 2030"):
        assert words in html
    record = json.loads(CliRunner().invoke(app, ["compare", *runs, "--json"]).stdout)
    assert record["costs"][0]["decided"] is True
    assert {row["column"] for row in record["inputs"]} == {"carbon_price_eur_per_t", "earliest_year"}


def test_plans_of_different_bases_are_refused(base: nbb.Result) -> None:
    other = nbb.solve(nbb.read(shipped("instances") / "haulier"), "frozen", gap=0.05, time_limit_s=20, cache=False)
    with pytest.raises(nbb.NbbError, match="plans of one base are set side by side, not of haulier and tiny"):
        nbb.compare(base, other)


def test_inputs_may_differ_by_whole_tables() -> None:
    haulier = nbb.read(shipped("instances") / "haulier")
    for one, other in ((TINY, haulier), (haulier, TINY)):
        assert ("sites", "(row)") in {(cell.table, cell.column) for cell in input_differences(one, other)}
