"""Stram plans: stated twice alike, solved in two ways, verified by a check of its own, and bound by every rule."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nbb_opt.errors import ModelError, NbbError, VerifyFailed
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import Steps
from nbb_opt.problems.dispatch import handlers
from nbb_opt.problems.handlers import ReportRequest, SolveRequest, VerifyRequest
from nbb_opt.problems.stram import StramCase, convert_stram, read_stram, verify_stram
from nbb_opt.problems.stram.model import build_stram, chosen_statement, read_stram_model, stram_models
from nbb_opt.problems.stram.model.arrays import stram_arrays
from nbb_opt.problems.stram.model.build import stram_model
from nbb_opt.problems.stram.plan import options_of, plan_stram
from nbb_opt.solve import Stop, solve_form
from nbb_opt.solve.benders.two_stage import solve_two_stage
from nbb_opt.solve.highs import Solver, SolverResult
from stram_case import SHARED, TINY, copy_of, plans, solved, tiny
from test_stram_instance import needs_data

SEVERAL = ("stram_stochastic", "stram_stochastic_mean")


@pytest.mark.parametrize("state", [stram_model, build_stram, stram_arrays])
def test_several_years_without_the_first_year_alone_are_refused(state: Callable[..., object]) -> None:
    with pytest.raises(ModelError, match="plan that year first"):
        state(tiny(), read_stram_model("stram"))


@pytest.mark.parametrize("model", stram_models())
def test_a_plan_is_proven_and_verified(model: str) -> None:
    plan, first = plans(model)
    assert plan.verdict.ok
    assert plan.solution.status == "optimal"
    assert plan.solution.gap <= 1e-7
    assert (first is None) == (model == "stram_base_year")
    assert plan.verdict.cost_nok == pytest.approx(plan.solution.objective, rel=1e-9)
    flows = plan.verdict.checks[plan.verdict.checks["rule"].isin(["serve_demand", "link_paths", "balance_vehicles"])]
    assert (flows["miss"] <= 1e-6).all()


@pytest.mark.parametrize("model", stram_models())
def test_the_arrays_give_the_plan_of_the_pyomo_model(model: str) -> None:
    plan, _first = plans(model)
    other, _first = plan_stram(tiny(), plan.spec, Steps(SolveOptions(gap=1e-7, threads=1, statement="arrays")))
    assert (plan.statement, other.statement) == ("pyomo", "arrays")
    assert other.solution.objective == pytest.approx(plan.solution.objective, rel=3e-7)
    for name, keys in (("costs", ["scenario", "year", "component"]), ("modes", ["scenario", "year", "mode", "fuel"])):
        assert other.tables[name][keys].equals(plan.tables[name][keys])


@pytest.mark.parametrize("model", stram_models())
def test_what_is_forecast_to_be_too_large_for_pyomo_is_stated_as_arrays(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = read_stram_model(model)
    entries = len(build_stram(tiny(), spec, first_emissions_t=7500.0, statement="arrays").form().a_values)
    for limit, statement in ((entries // 2, "arrays"), (3 * entries, "pyomo")):
        monkeypatch.setattr(sys.modules["nbb_opt.model.build"], "LARGEST_IN_PYOMO", limit)
        assert chosen_statement(tiny(), spec, "auto") == statement
    assert chosen_statement(tiny(), spec, "arrays") == "arrays"


@pytest.mark.parametrize("model", SEVERAL)
def test_scenarios_one_by_one_give_the_optimum_of_all_at_once(model: str) -> None:
    plan, first = plans(model)
    assert first is not None
    spec, emissions = read_stram_model(model), float(first.tables["emissions"]["t_co2"].iloc[0])
    built = build_stram(tiny(), spec, first_emissions_t=emissions)
    at_once = solve_form(built.form(), gap=1e-8, threads=1)
    assert plan.solution.objective == pytest.approx(at_once.objective, rel=3e-7)
    assert plan.solution.bound <= at_once.objective * (1 + 1e-9)
    assert at_once.bound <= plan.solution.objective * (1 + 1e-9)


@pytest.mark.parametrize("start", [0, 1, 2])
def test_the_scenario_tried_first_does_not_change_the_optimum(start: int) -> None:
    plan, first = plans("stram_stochastic")
    assert first is not None
    emissions = float(first.tables["emissions"]["t_co2"].iloc[0])
    built = build_stram(tiny(), plan.spec, first_emissions_t=emissions)
    found = solve_two_stage(built.form(), built.stage(), complete=built.complete, start=start, gap=1e-7)
    assert found.objective == pytest.approx(plan.solution.objective, rel=3e-7)


def test_infeasible_scenarios_are_cut_off(tmp_path: Path) -> None:
    """With much demand in 2034 a first stage that is best for its own years has no second one and is cut off."""
    copy = copy_of(tmp_path, {"demand.csv": ("North,South,bulk,2034,168000", "North,South,bulk,2034,182000")})
    case = read_stram(copy)
    plan, first = solved(case, read_stram_model("stram_stochastic"))
    assert first is not None
    emissions = float(first.tables["emissions"]["t_co2"].iloc[0])
    built = build_stram(case, plan.spec, first_emissions_t=emissions)
    at_once = solve_form(built.form(), gap=1e-8, threads=1)
    assert plan.solution.objective == pytest.approx(at_once.objective, rel=3e-7)


@pytest.mark.parametrize("trouble", range(1, 7))
def test_a_run_that_ends_without_values_does_not_end_the_rounds(trouble: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, first = plans("stram_stochastic")
    assert first is not None
    emissions = float(first.tables["emissions"]["t_co2"].iloc[0])
    built = build_stram(tiny(), plan.spec, first_emissions_t=emissions)
    answer, seen = Solver._answer, []

    def spoiled(self: Solver, before: int) -> SolverResult:
        found = answer(self, before)
        seen.append(found.status)
        return replace(found, values=None) if len(seen) in (trouble, trouble + 1) else found

    monkeypatch.setattr(Solver, "_answer", spoiled)
    found = solve_two_stage(built.form(), built.stage(), complete=built.complete, gap=1e-7)
    assert found.status == "optimal"
    assert found.objective == pytest.approx(plan.solution.objective, rel=3e-7)


def test_a_form_that_is_not_of_two_stages_is_refused() -> None:
    built = build_stram(tiny(), read_stram_model("stram_stochastic"), first_emissions_t=7500.0)
    form, stage = built.form(), built.stage()
    wrong = stage.copy()
    wrong[np.flatnonzero(form.integer)[0]] = 0
    with pytest.raises(ModelError, match="integer column"):
        solve_two_stage(form, wrong, complete=built.complete, gap=1e-4)
    wrong = np.where(stage == 1, 0, stage)
    with pytest.raises(ModelError):
        solve_two_stage(form, wrong, complete=built.complete, gap=1e-4)


def test_the_worst_case_of_the_first_stage_costs_at_least_the_mean() -> None:
    assert plans("stram_stochastic")[0].solution.objective > plans("stram_stochastic_mean")[0].solution.objective


def test_a_cap_never_lowers_cost_and_lowers_emissions_where_it_binds() -> None:
    free, capped = plans("stram")[0], plans("stram_cap")[0]
    assert capped.solution.objective >= free.solution.objective * (1 - 1e-9)
    emitted = capped.tables["emissions"].set_index("year")
    assert (emitted["t_co2"] <= (emitted["cap_t_co2"] + emitted["excess_t_co2"]).fillna(np.inf) + 1e-6).all()
    before = free.tables["emissions"].set_index("year")["t_co2"]
    assert emitted.loc[2028, "t_co2"] < before[2028]


def test_the_cap_is_a_share_of_what_the_first_year_of_the_plan_emits() -> None:
    """Not of what that year emits when planned alone: the plan raises it within its band and pays for less excess."""
    plan, first = plans("stram_cap")
    assert first is not None
    emitted = plan.tables["emissions"].set_index("year")
    alone = float(first.tables["emissions"]["t_co2"].iloc[0])
    assert emitted.loc[2023, "t_co2"] == pytest.approx(1.001 * alone, rel=1e-9)
    assert emitted.loc[2028, "cap_t_co2"] == pytest.approx(0.8 * 1.001 * alone, rel=1e-9)
    tables = {
        **plan.tables,
        "emissions": plan.tables["emissions"].assign(cap_t_co2=emitted["cap_t_co2"].to_numpy() / 1.001),
    }
    verdict = verify_stram(tiny(), tables, options=options_of(plan.spec), reported=plan.reported)
    assert "say_cap" in set(verdict.failures()["rule"])


@pytest.mark.parametrize(
    ("table", "spoil", "rule"),
    [
        ("path_flows", lambda t: t.assign(tonnes=t["tonnes"] * 0.999), "serve_demand"),
        ("path_flows", lambda t: t.assign(tonnes=-t["tonnes"]), "not negative path_flows"),
        ("arc_flows", lambda t: t.assign(tonnes=t["tonnes"] + 100.0), "link_paths"),
        ("empty_flows", lambda t: t.iloc[1:], "balance_vehicles"),
        ("charging_rented", lambda t: t.assign(tonnes=t["tonnes"] * 0.5), "charge_flows"),
        ("edges_expanded", lambda t: t.iloc[:0], "limit_edges"),
        ("edges_upgraded", lambda t: t.iloc[:0], "use_upgrades"),
        ("terminals_expanded", lambda t: t.assign(share=t["share"] * 0.5), "limit_terminals"),
        ("costs", lambda t: t.assign(nok=t["nok"] * 1.0001), "say_costs nok"),
        ("emissions", lambda t: t.assign(t_co2=t["t_co2"] * 0.999), "say_emissions"),
        ("modes", lambda t: t.assign(tkm=t["tkm"] * 1.0001), "say_tkm"),
        ("arc_flows", lambda t: t.iloc[:1].assign(fuel="steam"), "fuel of the mode arc_flows"),
        ("path_flows", lambda t: pd.concat([t, t]), "once path_flows"),
        ("path_flows", lambda t: t.assign(year=2029), "known state path_flows"),
    ],
)  # fmt: skip
def test_a_spoiled_plan_is_refused_by_the_rule_it_breaks(table: str, spoil: object, rule: str) -> None:
    plan, _ = plans("stram_cap")
    assert len(plan.tables[table])
    tables = {**plan.tables, table: spoil(plan.tables[table])}  # type: ignore[operator]
    verdict = verify_stram(tiny(), tables, options=options_of(plan.spec), reported=plan.reported)
    assert not verdict.ok
    assert rule in set(verdict.failures()["rule"])


def test_a_cost_or_bound_that_is_not_true_is_refused() -> None:
    plan, _ = plans("stram")
    for key, factor in (("cost_nok", 1.000001), ("bound_nok", 1.000001)):
        said = {**plan.reported, key: plan.reported["cost_nok"] * factor}
        assert not verify_stram(tiny(), plan.tables, options=options_of(plan.spec), reported=said).ok


# rule -> a change of the instance that tightens it, and must cost something
TIGHTER = {
    "limit_edges": {"edges.csv": ("true,60000,60000", "true,30000,20000")},
    "limit_terminals": {"terminals.csv": ("North,rail,true,70000,60000", "North,rail,true,40000,1000")},
    "limit_first_share": {"technologies.csv": ("sea,heavy oil,0.5", "sea,heavy oil,0.2")},
    "phase_out": {"technologies.csv": ("2034", "2028")},
    "balance_vehicles": {"instance.toml": ("balance_tolerance_t = 10.0", "balance_tolerance_t = 0.0")},
    "link_paths": {"instance.toml": ("link_tolerance_t = 10.0", "link_tolerance_t = 0.0")},
    "slow_growth": {"instance.toml": ("mode_growth_max_per_year = 0.03", "mode_growth_max_per_year = 0.012")},
    "use_upgrades": {"instance.toml": ("upgrade_capacity_factor = 1.5", "upgrade_capacity_factor = 0.3")},
    "rent": {"charging.csv": ("road M-S,battery,2034,1.3", "road M-S,battery,2034,90")},
    "maturity": {"technology_years.csv": ("road,battery,2034,0.7", "road,battery,2034,0.05")},
}  # fmt: skip


@pytest.mark.parametrize("rule", TIGHTER)
def test_a_tighter_rule_costs_more(rule: str, tmp_path: Path) -> None:
    case = read_stram(copy_of(tmp_path, TIGHTER[rule]))
    plan, _ = solved(case, read_stram_model("stram"))
    assert plan.verdict.ok
    assert plan.solution.objective > plans("stram")[0].solution.objective * (1 + 1e-7)


def test_the_closed_row_of_diffusion_is_the_chain_of_years() -> None:
    """q grows by p Q + q each year; the row says it in one step."""
    p, q, mode, last = 0.02, 0.4, 1000.0, 50.0
    reached = last
    for _ in range(6):
        reached += p * mode + q * reached
    gain = (1 + q) ** 6
    assert reached == pytest.approx(gain * last + p * (gain - 1) / q * mode, rel=1e-12)


def test_the_run_folder_is_verified_again_and_a_change_in_it_is_seen(tmp_path: Path) -> None:
    done = handlers("stram")
    order = SolveRequest(
        instance=TINY, model="stram_stochastic", out=tmp_path / "run", options=SolveOptions(gap=1e-6, threads=1),
        stop=Stop(60.0),
    )  # fmt: skip
    said = done.solve(order)
    for words in ("emissions", "mode split"):
        assert any(words in line for line in said.lines)
    assert done.verify(VerifyRequest(run=tmp_path / "run")).record["ok"]
    done.report(ReportRequest(plans=[tmp_path / "run"], out=tmp_path / "page.html"))
    assert "stram_stochastic" in (tmp_path / "page.html").read_text()
    file = tmp_path / "run" / "run.json"
    file.write_text(file.read_text().replace('"cost_nok": 2', '"cost_nok": 1', 1))
    with pytest.raises(VerifyFailed, match="altered"):
        done.verify(VerifyRequest(run=tmp_path / "run"))


def test_a_model_nobody_knows_is_refused_with_a_hint() -> None:
    with pytest.raises(NbbError, match="did you mean 'stram_cap'"):
        read_stram_model("stram_capp")
    with pytest.raises(NbbError, match="no model of stram"):
        read_stram_model("joint")


BASE_YEAR = {  # GNOK a year, Mt CO2, Gtkm: the check that is given for 2023 alone, to three decimals
    "loaded_opex": 53.136, "loaded_co2": 4.606, "empty_opex": 9.912, "empty_co2": 1.100, "time": 19.034,
    "transfers": 27.794, "sum": 115.581, "emissions": 5.994, "Road": 37.373, "Rail": 11.211, "Sea": 107.191,
}  # fmt: skip


@pytest.fixture(scope="module")
def norway(tmp_path_factory: pytest.TempPathFactory) -> StramCase:
    target = tmp_path_factory.mktemp("stram") / "norway"
    convert_stram(SHARED, target)
    return read_stram(target)


@needs_data
def test_the_first_year_of_the_norway_case_is_the_one_that_is_given(norway: StramCase) -> None:
    plan, _ = solved(norway, read_stram_model("stram_base_year"))
    costs = plan.tables["costs"].set_index("component")["nok"] / 1e9
    tkm = plan.tables["modes"].groupby("mode")["tkm"].sum() / 1e9
    found = {
        **{name: costs[name] for name in ("loaded_opex", "loaded_co2", "empty_opex", "empty_co2", "time")},
        "transfers": costs["transfer"] + costs["transfer_time"], "sum": costs.sum(),
        "emissions": plan.tables["emissions"]["t_co2"].iloc[0] / 1e6, **tkm.to_dict(),
    }  # fmt: skip
    for name, given in BASE_YEAR.items():
        assert found[name] == pytest.approx(given, rel=1e-4, abs=7e-4), name
    demand = norway["demand"]
    assert demand.loc[demand["year"] == 2023, "t_per_year"].sum() / 1e6 == pytest.approx(156.807, abs=1e-3)


@needs_data
@pytest.mark.skipif(os.environ.get("NBB_OPT_STRAM") != "all", reason="set NBB_OPT_STRAM=all to solve several years")
@pytest.mark.parametrize("model", ["stram", "stram_cap", *SEVERAL])
def test_the_norway_case_is_proven_to_a_hundredth_of_a_percent(norway: StramCase, model: str) -> None:
    spec = read_stram_model(model)
    plan, _ = plan_stram(norway, spec, Steps(SolveOptions(gap=1e-4, time_limit_s=600.0)))
    assert plan.verdict.ok
    assert plan.solution.gap <= 1e-4
