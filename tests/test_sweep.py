"""Sweeps: changed in place and started warm, the answers are those of a problem stated and solved from nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from milp_case import TINY, policy, tiny, vary
from nbb_opt.cli.main import app
from nbb_opt.errors import ModelError, NbbError
from nbb_opt.instance import Instance, read_instance
from nbb_opt.instance.read import varied
from nbb_opt.model import build, extract, read_model, standard_form
from nbb_opt.model.build import restated
from nbb_opt.network import prepare
from nbb_opt.options import Presolve, SolveOptions
from nbb_opt.solve import Stop, Warm, solve_form, solve_relaxed
from nbb_opt.solve.mip.sub_mips import SubMips
from nbb_opt.studies.points import Stated, packed, per_period, unpacked, with_row
from nbb_opt.studies.sweep import axis_of, run_sweep
from nbb_opt.studies.units import StudyOptions
from nbb_opt.verify import verify_plan

RELAXED = StudyOptions(relax=True, options=SolveOptions(threads=1))
FACTORS = (0.7, 0.95, 1.1)


def ruled() -> Instance:
    """Tiny with rules whose limits can be moved, and a link and a terminal with a capacity."""
    case = policy(tiny(), "CAP", "cap_emissions_t_per_year", value=9000.0, year=2030)
    case = policy(case, "MONEY", "limit_budget_eur", value=5e7, year=2030)
    case = policy(case, "SLOW", "limit_mode_shift_share_per_year", value=0.5)
    return case


def limited(table: str) -> str:
    frame = tiny()[table]
    return str(frame.loc[frame["capacity_t_per_year"].notna(), table[:-1]].iloc[0])


def names() -> list[str]:
    ends = [f"capacity:{limited(table)}" for table in ("links", "terminals")]
    return ["demand", "rule:CAP", "rule:MONEY", "rule:SLOW", *ends]


@pytest.mark.parametrize("name", names())
def test_a_changed_right_hand_side_is_that_of_the_varied_instance_stated_anew(name: str) -> None:
    case = ruled()
    axis, prepared, spec = axis_of(name, case), prepare(case), read_model("joint")
    assert axis.form is not None
    built = build(case, prepared, spec, route="arrays")
    changed = axis.form(built, standard_form(built), 1.25)
    varied = axis.vary(case, 1.25)
    anew = standard_form(build(varied, replace(prepared, demand_t=prepare(varied).demand_t), spec, route="arrays"))
    different = False
    for array in ("cost", "a_indptr", "a_indices", "a_values", "row_low", "row_up", "col_low", "col_up"):
        one, other = getattr(changed, array), getattr(anew, array)
        np.testing.assert_allclose(one, other, rtol=1e-14, err_msg=array)
        different |= not np.array_equal(other, getattr(standard_form(built), array))
    assert different


def edited(table: str, column: str) -> Any:
    return lambda case, factor: varied(case, {table: case[table].assign(**{column: factor * case[table][column]})})


STUDIED = {
    **{name: axis_of(name, ruled()).vary for name in (*names(), "carbon_price", "energy_price", "energy_price:diesel")},
    "purchase_price": edited("vehicle_years", "capex_eur"),
    "charger_price": edited("chargers", "capex_eur"),
    "grid": edited("charge_areas", "grid_mw"),
}


@pytest.mark.parametrize("name", STUDIED)
def test_other_numbers_in_the_pyomo_model_give_the_varied_instance_stated_anew(name: str) -> None:
    case, spec = ruled(), read_model("joint")
    prepared = prepare(case, prune=False)
    built = build(case, prepared, spec)
    before, changed = standard_form(built), STUDIED[name](case, 1.25)
    other = replace(prepared, demand_t=prepared.demand_t * (1.25 if name == "demand" else 1.0))
    again = restated(built, changed, other)
    assert again.model is built.model  # not built anew
    now, anew = standard_form(again), standard_form(build(changed, other, spec))
    for array in ("cost", "a_indptr", "a_indices", "a_values", "row_low", "row_up", "col_low", "col_up"):
        np.testing.assert_allclose(getattr(now, array), getattr(anew, array), rtol=1e-12, atol=1e-12, err_msg=array)
    assert not all(
        np.array_equal(getattr(now, a), getattr(before, a)) for a in ("cost", "a_values", "row_low", "row_up")
    )


def test_what_is_more_than_numbers_is_built_anew() -> None:
    case, spec = ruled(), read_model("joint")
    prepared = prepare(case, prune=False)
    built = build(case, prepared, spec)
    changed = varied(case, {"vehicles": case["vehicles"].assign(lifetime_years=case["vehicles"].lifetime_years + 1)})
    again = restated(built, changed, prepared)
    assert again.model is not built.model
    assert list(standard_form(again).row_names) == list(standard_form(build(changed, prepared, spec)).row_names)


@pytest.mark.parametrize("name", ["demand", "carbon_price", "energy_price", "energy_price:diesel", "rule:CAP"])
def test_warm_relaxed_points_equal_fresh_ones(name: str) -> None:
    both = [run_sweep(ruled(), RELAXED, vary=name, values=FACTORS, cold_start=cold).table for cold in (False, True)]
    same_costs(*both, rel=1e-9)


def same_costs(one: pd.DataFrame, other: pd.DataFrame, *, rel: float) -> None:
    assert one["status"].tolist() == other["status"].tolist() == ["optimal"] * len(one)
    assert one["cost_eur"].tolist() == pytest.approx(other["cost_eur"].tolist(), rel=rel)


def test_warm_plans_are_verified_and_as_good_as_fresh_ones() -> None:
    how = StudyOptions(options=SolveOptions(gap=1e-3, threads=1))
    warm, fresh = (
        run_sweep(tiny(), how, vary="energy_price", values=(0.8, 1.2), cold_start=cold).table for cold in (False, True)
    )
    assert warm["verified"].all()
    same_costs(warm, fresh, rel=2e-3)


def test_finished_points_are_not_solved_again(tmp_path: Path) -> None:
    said: list[str] = []
    how = replace(RELAXED, out=tmp_path)
    first = run_sweep(tiny(), how, vary="demand", values=(0.9, 1.1)).table
    again = run_sweep(tiny(), replace(how, say=said.append), vary="demand", values=(0.9, 1.0, 1.1)).table
    assert said[1] == "2 of 3 were finished before"
    pd.testing.assert_frame_equal(first, again.iloc[[0, 2]].reset_index(drop=True))
    assert again["factor"].tolist() == [0.9, 1.0, 1.1]
    stop = Stop(float("inf"))
    stopping = replace(RELAXED, stop=stop, say=lambda _: stop.asked.set())
    other = run_sweep(tiny(), stopping, vary="demand", values=FACTORS)
    assert other.about["status"] == "stopped"
    assert len(other.table) == 0


def test_an_infeasible_point_is_a_result() -> None:
    case = vary(ruled(), "policies", "policy", "CAP", value=700.0)
    for relax in (True, False):
        how = StudyOptions(relax=relax, options=SolveOptions(threads=1, gap=0.01))
        found = run_sweep(case, how, vary="rule:CAP", values=(0.01, 1.0))
        assert found.table["status"].tolist() == ["infeasible", "optimal"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rain", "is not known"),
        ("energy_price:coal", "no carrier 'coal'"),
        ("capacity:NOWHERE", "neither links.csv nor terminals.csv"),
        ("rule:NONE", "no policy 'NONE'"),
        ("capacity:", "is not known"),
    ],
)
def test_what_the_instance_does_not_have_cannot_be_varied(name: str, said: str) -> None:
    with pytest.raises(NbbError, match=said):
        axis_of(name, ruled())


def test_sweeps_that_make_no_sense_are_refused() -> None:
    with pytest.raises(NbbError, match="factors above zero"):
        run_sweep(tiny(), RELAXED, vary="demand", values=(0.0,))
    with pytest.raises(ModelError, match="flows are given"):
        run_sweep(tiny(), StudyOptions(model="electrify_only"), vary="demand", values=(1.0,))


def test_a_matrix_with_other_places_is_handed_over_again_with_the_basis() -> None:
    case = tiny()
    built = build(case, prepare(case), read_model("joint"), route="arrays")
    form = standard_form(built)
    tonnes = Stated(case, prepare(case), built, form, per_period(built)).tonnes()
    warm = Warm(threads=1, seed=0)
    first = solve_relaxed(with_row(form, tonnes, 1e9, "cap"), warm=warm, stop=Stop(60))
    other = with_row(form, np.where(np.arange(len(tonnes)) % 7, tonnes, 0.0), 1e9, "cap")
    assert len(other.a_values) < len(form.a_values) + np.count_nonzero(tonnes)
    second = solve_relaxed(other, warm=warm, stop=Stop(60))
    assert second.objective == pytest.approx(first.objective, rel=1e-9)
    assert second.iterations == 0
    start = unpacked(json.loads(json.dumps(packed(warm.start))))
    again = solve_relaxed(other, warm=Warm(threads=1, seed=0, start=start), stop=Stop(60))
    assert again.iterations == 0  # from where a solve in another process ended


@pytest.mark.promise(9)
@pytest.mark.parametrize(("which", "gap"), [(TINY, 1e-6), (TINY.parent / "haulier", 0.01)], ids=["tiny", "haulier"])
def test_the_optimum_is_the_same_with_presolve_on_and_off(which: Path, gap: float) -> None:
    case = read_instance(which)
    form = standard_form(build(case, prepare(case), read_model("joint"), route="arrays"))
    ways: tuple[Presolve, ...] = ("choose", "on", "off")
    found = [solve_form(form, gap=gap, threads=1, presolve=presolve) for presolve in ways]
    assert [solution.status for solution in found] == ["optimal"] * 3
    least = min(solution.objective for solution in found)
    assert max(solution.bound for solution in found) <= least * (1 + 1e-9)
    assert max(solution.objective for solution in found) == pytest.approx(least, rel=2 * gap)
    relaxed = [
        solve_relaxed(form, warm=Warm(threads=1, seed=0, presolve=presolve), stop=Stop(60)).objective
        for presolve in ways
    ]
    assert max(relaxed) == pytest.approx(min(relaxed), rel=1e-9)


@pytest.mark.parametrize("presolve", ["choose", "on", "off"])
def test_a_search_stopped_after_the_first_plan_ends_in_a_verified_plan(
    presolve: Presolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = tiny()
    built = build(case, prepare(case), read_model("joint"), route="arrays")
    stop = Stop(60.0)

    def too_slow(self: SubMips, relaxed: object, effort: object) -> None:
        stop.asked.set()

    monkeypatch.setattr(SubMips, "decide", too_slow)
    found = solve_form(standard_form(built), gap=1e-9, threads=1, presolve=presolve, stop=stop)
    assert found.status == "stopped"
    assert found.bound <= found.objective
    spec = read_model("joint")
    verdict = verify_plan(
        case, extract(built, found.values), blocks=spec.blocks, technologies=spec.technologies,
        projects=spec.projects, reported={"cost_eur": found.objective, "bound": found.bound, "gap": found.gap},
    )  # fmt: skip
    assert verdict.ok


def test_the_command_writes_table_and_page_and_goes_on(tmp_path: Path) -> None:
    args = ["sweep", str(TINY), "--vary", "demand", "--values", "0.9,1.1", "--relax", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, args, catch_exceptions=False)
    assert done.exit_code == 0
    assert "done: 2 points, 2 with a solution" in done.output
    page = (tmp_path / "out" / "sweep.html").read_text(encoding="utf-8")
    assert page.count("<circle") == 4
    assert "<script" not in page
    assert "http://" not in page.replace("http-equiv", "")
    table = pd.read_csv(tmp_path / "out" / "sweep.csv")
    assert table.columns.tolist()[:5] == ["factor", "status", "cost_eur", "bound_eur", "gap"]
    same = pd.read_parquet(tmp_path / "out" / "sweep.parquet")
    pd.testing.assert_frame_equal(table.iloc[:, :5], same.iloc[:, :5], check_dtype=False)
    record = json.loads(CliRunner().invoke(app, [*args, "--json"]).stdout)
    assert record["axis"] == "demand"
    assert record["sweep"][0]["cost_eur"] < record["sweep"][1]["cost_eur"]
    for wrong in (["--front", "3"], ["--values", "a"]):
        assert CliRunner().invoke(app, [*args, *wrong]).exit_code != 0
