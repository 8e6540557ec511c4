"""What a model makes of emissions: caps, an added carbon price, a weight; trucks that law asks makers to sell."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

import nbb_opt as nbb
from milp_case import policy, vary
from nbb_opt.cli.main import app
from nbb_opt.errors import ModelError
from nbb_opt.model.spec import spec_of
from nbb_opt.report.front import front_grid
from nbb_opt.report.headline import answer
from nbb_opt.result import FRONT
from nbb_opt.shipped import shipped
from nbb_opt.verify import verify_run

MODEL = {
    "title": "t", "blocks": ["flow", "fleet", "projects", "caps"], "technologies": "all", "projects": "all",
    "flows": "free",
}  # fmt: skip


@cache
def capped() -> nbb.Result:
    return nbb.solve(nbb.examples.tiny(), "cap_path", gap=1e-6)


def test_a_path_of_caps_is_kept_and_its_next_tonne_has_a_price() -> None:
    plan = capped()
    emitted, base_t = plan.figures["emissions_t_co2e"], plan.frozen.figures["emissions_t_co2e"][2025]
    assert plan.record["caps_t_co2e"] == {"2030": pytest.approx(0.75 * base_t)}
    assert emitted[2030] <= 0.75 * base_t * (1 + 1e-6) < plan.reference.figures["emissions_t_co2e"][2030]
    assert plan.record["next_tonne_eur_per_t"]["2030"] > 200  # dearer than the carbon price, or nobody would need a cap
    assert "the next tonne costs" in str(plan)


def test_a_plan_under_caps_of_its_model_is_explained_at_prices_that_hold_the_next_tonne() -> None:
    found = nbb.explain(capped(), origin="WEST", destination="PLANT", commodity="BOX", year=2030, cache=False)
    used = found.table[found.table["carried_t_per_year"] > 0]
    assert used["total_eur_per_t"].to_numpy() == pytest.approx(found.price_eur_per_t)
    assert (used["scarcity_eur_per_t"] > 0).all()


def test_a_plan_above_the_caps_of_its_model_is_refused() -> None:
    plan, free = capped(), nbb.solve(nbb.examples.tiny(), "joint", gap=1e-6)
    assert free.figures["emissions_t_co2e"][2030] > plan.record["caps_t_co2e"]["2030"]
    lie = replace(free.run, record={**free.record, "model": "cap_path", "caps_t_co2e": plan.record["caps_t_co2e"]})
    failed = verify_run(lie, free.instance).failures()
    assert failed["rule"].tolist() == ["cap_emissions"]
    for said in ({"2030": 1e6}, {**plan.record["caps_t_co2e"], "2040": 1.0}):
        forged = replace(plan.run, record={**plan.record, "caps_t_co2e": said})
        assert verify_run(forged, plan.instance).failures()["rule"].tolist() == ["agree_caps"]


def own_model(folder: Path, cut: str) -> str:
    text = (shipped("models") / "cap_path.toml").read_text(encoding="utf-8")
    file = folder / "own.toml"
    file.write_text(text[: text.index("cut =")] + f"cut = {cut}\n", encoding="utf-8")
    return str(file)


def test_a_cap_that_cannot_be_met_is_named_and_one_beyond_the_horizon_is_refused(tmp_path: Path) -> None:
    with pytest.raises(nbb.Infeasible, match=r"emission cap model_from_2030 in 2030 \(policies or model\)"):
        nbb.solve(nbb.examples.tiny(), own_model(tmp_path, "{ 2030 = 0.99 }"))
    with pytest.raises(ModelError, match="begins in 2090, the last period of the instance in 2030"):
        nbb.solve(nbb.examples.tiny(), own_model(tmp_path, "{ 2090 = 0.1 }"))


def test_a_cut_of_nothing_keeps_emissions_at_those_of_the_frozen_plan(tmp_path: Path) -> None:
    model = own_model(tmp_path, "{ 2030 = 0 }")
    plan = nbb.solve(nbb.examples.tiny(), model)
    assert plan.record["caps_t_co2e"] == {"2030": pytest.approx(plan.frozen.figures["emissions_t_co2e"][2025])}
    assert verify_run(plan.run, plan.instance, model_file=Path(model)).ok


LEAST_COST_EUR = 18_988_400 - 62_500  # joint without the battery truck that its cap asks for: EXPECTED.md
TTW_2030_T, WTW_2030_T = 110_710 / 200, 698.9


@pytest.mark.parametrize(
    ("model", "cost_eur", "emissions_t"),
    [
        ("least_cost", LEAST_COST_EUR, (872.0, WTW_2030_T)),
        ("carbon_price", LEAST_COST_EUR + 5 * 100 * TTW_2030_T, (872.0, WTW_2030_T)),
        # a battery truck in W in 2025 costs 62 500 EUR and is weighed 5 * 72.25 t * 200 EUR; one in E costs 76 250
        ("weighted", LEAST_COST_EUR + 2 * 62_500 + 5 * 200 * (727.5 + WTW_2030_T), (727.5, WTW_2030_T)),
    ],
)
def test_a_price_or_weight_of_the_model_is_in_the_optimum_by_hand(
    model: str, cost_eur: float, emissions_t: tuple[float, float]
) -> None:
    plan = nbb.solve(nbb.examples.tiny(), model, options=nbb.SolveOptions(gap=1e-9, reference=False))
    assert plan.cost_eur == pytest.approx(cost_eur)
    assert tuple(plan.figures["emissions_t_co2e"].values()) == pytest.approx(emissions_t)
    assert verify_run(plan.run, plan.instance).ok
    lie = replace(plan.run, record={**plan.record, "model": "least_cost"})
    assert model == "least_cost" or "agree_costs" in set(verify_run(lie, plan.instance).failures()["rule"])


def test_the_reference_builds_what_the_market_orders_where_it_pays() -> None:
    """RAIL_MINE pays, the other projects of tiny do not, and money of the market is in no budget."""
    ordered = vary(nbb.examples.tiny(), "projects", "project", "RAIL_MINE", status="market")
    poor = vary(ordered, "policies", "policy", "BUDGET_SE", value=0.0)
    plan = nbb.solve(poor, "reference", gap=1e-9)
    assert plan.cost_eur == pytest.approx(LEAST_COST_EUR)
    assert verify_run(plan.run, poor).ok
    lie = replace(plan.run, record={**plan.record, "instance_digest": nbb.examples.tiny().digest})
    assert "respect_options" in set(verify_run(lie, nbb.examples.tiny()).failures()["rule"])


def test_trucks_that_law_asks_makers_to_sell_are_bought_where_they_do_not_pay() -> None:
    """At 400 000 EUR a battery truck in W costs 81 250 EUR more than it brings: 127 500 less 46 250."""
    dear = vary(nbb.examples.tiny(), "vehicle_years", "vehicle", "BATTERY", capex_eur=400_000.0)
    law = policy(dear, "LAW", "require_zero_emission_share", value=0.25, year=2030.0)
    options = nbb.SolveOptions(gap=1e-9, reference=False)
    free, kept = (nbb.solve(each, "least_cost", options=options) for each in (dear, law))
    assert kept.cost_eur - free.cost_eur == pytest.approx(81_250)
    assert verify_run(kept.run, law).ok
    lie = replace(free.run, record={**free.record, "instance_digest": law.digest})
    assert "require_zero_emission" in set(verify_run(lie, law).failures()["rule"])


@pytest.mark.parametrize(
    ("caps", "said"),
    [
        ({"cut": {"2030": 20}}, "write a year and the share of emissions cut, as 2030 = 0.2"),
        ({"cuts": {"2030": 0.2}}, "unknown key 'cuts' of .caps. .did you mean 'cut'"),
        ({"cut": 0.2}, "write a year and the share"),
        ({"cut": {"20": 0.2}}, "write a year and the share"),
        ({"cut": {"02030": 0.2}}, "write a year and the share"),
        ({"cut": {}}, "write a year and the share"),
        ({}, "write a year and the share"),
    ],
)
def test_a_fault_in_the_caps_of_a_model_is_named(caps: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        spec_of({"model": MODEL, "caps": caps}, name="m")


@pytest.mark.parametrize(
    ("emissions", "said"),
    [
        ({"weight_eur_per_t": 200}, "write a year and EUR per t, as 2030 = 100"),
        ({"added_carbon_price_eur_per_t": {"2030": -1}}, "write a year and EUR per t"),
        ({"weight": {"2030": 1}}, "unknown key 'weight' of .emissions."),
    ],
)
def test_a_fault_in_the_prices_of_a_model_is_named(emissions: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        spec_of({"model": MODEL, "emissions": emissions}, name="m")


def test_caps_need_the_block_that_keeps_them_and_the_plan_they_are_counted_from() -> None:
    with pytest.raises(ModelError, match="needs the block 'caps'"):
        spec_of({"model": MODEL | {"blocks": MODEL["blocks"][:3]}, "caps": {"cut": {"2030": 0.2}}}, name="m")
    with pytest.raises(ModelError, match="below what the frozen plan emits; solve it"):
        nbb.build(nbb.examples.tiny(), "cap_path")


def test_a_front_beside_a_plan_says_what_each_further_per_cent_costs() -> None:
    plan = capped()
    rows = ["cost_eur,emissions_t_co2e", "18.0e6,7000", "19.0e6,6000"]
    grid = front_grid(plan.instance, replace(plan.run, beside={FRONT: "\n".join(rows).encode()}))
    assert grid is not None
    assert front_grid(plan.instance, plan.run) is None
    base_t, base_eur = 5 * (872.0 + 746.65), plan.reference.cost_eur  # EXPECTED.md
    assert grid.rows[0] == [7.0, pytest.approx(7000 / base_t - 1), 18.0, pytest.approx(18e6 / base_eur - 1), None]
    assert grid.rows[1][-1] == pytest.approx(1.0 / (100 * 1000 / base_t))  # MEUR for each per cent of the reference


def test_the_answer_gives_battery_trucks_as_a_range_where_it_was_worked_out() -> None:
    plan = capped()
    ranged = replace(plan.run, record={**plan.record, "battery_trucks_between": {"low": 2.2, "high": 6.8}})
    with_range, without = (answer(plan.instance, run, plan.figures)[1] for run in (ranged, plan.run))
    assert ", between 2 and 7 within the ranges of electricity on the way and grid." in with_range
    assert "between" not in without
    assert max(map(len, answer(plan.instance, ranged, plan.figures)[:2])) < 160


def test_studies_and_written_models_hold_the_caps_of_the_instance_as_it_is(tmp_path: Path) -> None:
    plan, region = capped(), nbb.examples.tiny()
    cap_t = plan.record["caps_t_co2e"]["2030"]
    points = nbb.sweep(region, vary="demand", values=[1, 1.02], model="cap_path", gap=1e-6, cache=False)
    assert points["cost_eur"][0] == pytest.approx(plan.cost_eur)
    assert points.about["caps_t_co2e"] == {"2030": pytest.approx(cap_t)}
    assert points["emissions_t_co2e_per_year_2030"].max() <= cap_t * (1 + 1e-6)
    found = nbb.tornado(region, tables=["chargers"], model="cap_path", relax=True, cache=False)
    assert found["cost_difference_eur"].abs().max() > 0
    file = tmp_path / "capped.lp"
    words = ["solve", str(region.path), "--model", "cap_path", "--write", str(file)]
    assert CliRunner().invoke(app, words).exit_code == 0
    lines = file.read_text(encoding="utf-8").splitlines()
    row = next(i for i, line in enumerate(lines) if line.startswith(" cap_emissions(model_from_2030,2030)"))
    side = next(line for line in lines[row:] if line.lstrip().startswith("<="))
    assert float(side.split()[-1]) == pytest.approx(1000 * cap_t)


def test_a_plan_is_kept_where_its_front_is_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_off(*_given: object, **_named: object) -> None:
        raise MemoryError

    monkeypatch.setattr("nbb_opt.studies.pareto.run_pareto", broken_off)
    path, out = str(nbb.examples.tiny().path), str(tmp_path / "run")
    words = ["solve", path, "--no-reference", "--front", "3", "--out", out]
    assert CliRunner().invoke(app, words).exit_code != 0
    assert nbb.verify(tmp_path / "run").record["ok"]
