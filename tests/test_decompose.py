"""The large-scale route: the same model cut in two, the same values, bounds that hold, plans the verifier accepts."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array

from milp_case import TINY, without_policies
from nbb_opt.errors import Infeasible
from nbb_opt.instance import Instance, read_instance
from nbb_opt.job import Options, carried, chosen_method, solve_instance
from nbb_opt.milp import Split, build, extract, read_model, split, standard_form
from nbb_opt.network import prepare
from nbb_opt.solve import Stop, solve_form
from nbb_opt.solve.decompose import solve_split
from nbb_opt.solve.decompose.bound import Bounds
from nbb_opt.solve.decompose.groups import Groups, make_groups, with_group_rows
from nbb_opt.solve.decompose.oracle import Oracle
from nbb_opt.solve.decompose.reference import priced
from nbb_opt.solve.decompose.restricted import Restricted
from nbb_opt.solve.decompose.sample import sampled_form, sampled_prices, weights
from nbb_opt.solve.highs import Answer, Solver
from nbb_opt.synthetic import Shape, write_synthetic
from nbb_opt.verify import verify_plan

# all 20 seeds of 1000 flows: NBB_OPT_SCALE_SEEDS=20 NBB_OPT_SCALE_BUNDLES=1000 pytest tests/test_decompose.py -k equals
SEEDS = int(os.environ.get("NBB_OPT_SCALE_SEEDS", "2"))
BUNDLES = int(os.environ.get("NBB_OPT_SCALE_BUNDLES", "60"))
NEVER = (float("nan"), -np.inf)


@cache
def tiny() -> Instance:
    return read_instance(TINY)


def cut(instance: Instance, model: str = "joint", *, prune: bool = True) -> Split:
    return split(build(instance, prepare(instance, prune=prune), read_model(model), route="arrays"))


def relaxed_value(form) -> float:
    solver = Solver(form, threads=1, seed=0, log=[])
    solver.relax()
    found = solver.run(Stop(60.0), phase="relax", listen=None, known=NEVER)
    assert found.status == "optimal"
    return found.objective


def priced_value(model: Split, *, bundles: int = 0, threads: int = 1) -> tuple[Answer, Restricted]:
    groups = make_groups(model)
    model = with_group_rows(model, groups)
    oracle = Oracle(model, groups, threads=threads)
    first = None
    if bundles:
        first = sampled_prices(model, groups, oracle, bundles, threads=1, seed=0, log=[], stop=Stop(60.0))
    master = Restricted(model, groups, oracle, first_prices=first, threads=1, seed=0, log=[])
    return master.run(Stop(120.0), phase="root", listen=None, known=NEVER), master


def grouped(model: Split) -> tuple[Split, Groups, Oracle]:
    groups = make_groups(model)
    model = with_group_rows(model, groups)
    return model, groups, Oracle(model, groups, threads=2)


def test_every_number_of_the_model_is_in_exactly_one_part() -> None:
    model = cut(tiny())
    rows, columns = len(model.form.row_low), len(model.form.cost)
    assert np.array_equal(np.sort(np.concatenate([model.master_at, model.flow_at, model.drive_at])), np.arange(columns))
    parts = len(model.master.a_values) + len(model.flows.value) + len(model.drives.value)
    tied = len(model.item) + len(model.work_lane) + len(model.drive_lane) + 2 * len(model.need_flow)
    assert parts + tied == len(model.form.a_values)
    lanes = len(np.unique(model.work_lane))
    assert len(model.master.row_low) + len(model.item_t) + lanes + len(model.need_flow) == rows


def test_the_sample_of_all_bundles_is_the_model_itself() -> None:
    model = cut(tiny())
    form, _, _ = sampled_form(model, 10**6)
    assert len(form.a_values) == len(model.form.a_values)
    assert relaxed_value(form) == pytest.approx(relaxed_value(model.form), rel=1e-12)


def test_a_sample_stands_for_all_tonnes(tmp_path: Path) -> None:
    write_synthetic(tmp_path / "s", Shape(60, 3))
    model = cut(read_instance(tmp_path / "s"))
    weight = weights(model, 20)
    assert np.sum(weight * model.item_t) == pytest.approx(model.item_t.sum(), rel=1e-12)
    assert len(np.unique(model.item_bundle[weight > 0])) < 60


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_the_value_of_the_relaxation_equals_that_of_the_whole_model(seed: int, tmp_path: Path) -> None:
    write_synthetic(tmp_path / "s", Shape(BUNDLES, seed))
    model = cut(read_instance(tmp_path / "s"))
    whole = relaxed_value(model.form)
    for bundles in (0, BUNDLES // 3):
        answer, _ = priced_value(model, bundles=bundles)
        assert answer.objective == pytest.approx(whole, rel=1e-6)
        assert answer.bound == pytest.approx(whole, rel=1e-6)


@pytest.mark.parametrize("model", ["joint", "shift_only", "do_nothing"])
def test_tiny_has_the_same_relaxation_and_the_same_optimum_by_both_routes(model: str) -> None:
    instance, spec = tiny(), read_model(model)
    built = build(instance, prepare(instance), spec, route="arrays")
    whole = solve_form(standard_form(built), gap=1e-9, time_limit_s=60)
    parts = solve_split(split(built), gap=1e-6, time_limit_s=60)
    assert parts.objective == pytest.approx(whole.objective, rel=1e-6)
    assert parts.bound <= whole.objective * (1 + 1e-9)
    assert whole.bound <= parts.objective * (1 + 1e-9)
    verdict = verify_plan(
        instance, extract(built, parts.values), blocks=spec.blocks, technologies=spec.technologies,
        projects=spec.projects, reported={"cost_eur": parts.objective, "bound": parts.bound, "gap": parts.gap},
    )  # fmt: skip
    assert verdict.ok, verdict.failures().to_string()


def test_given_flows_are_kept_and_only_vehicles_chosen() -> None:
    instance, spec = tiny(), read_model("electrify_only")
    prepared = prepare(instance)
    nothing = build(instance, prepared, read_model("do_nothing"), route="arrays")
    flows = extract(nothing, solve_split(split(nothing), gap=1e-6).values)["flows"]
    built = build(instance, prepared, spec, fixed_flows_t=carried(prepared, flows, instance), route="arrays")
    whole = solve_form(standard_form(built), gap=1e-9, time_limit_s=60)
    parts = solve_split(split(built), gap=1e-6, time_limit_s=60)
    assert parts.objective == pytest.approx(whole.objective, rel=1e-6)


def test_neither_route_beats_what_the_other_proves(tmp_path: Path) -> None:
    write_synthetic(tmp_path / "s", Shape(60, 5))
    instance = read_instance(tmp_path / "s")
    runs = [
        solve_instance(instance, options=Options(30.0, 5e-3, method=method)) for method in ("monolith", "decompose")
    ]
    for run in runs:
        assert run.record["verified"]
    for one, other in (runs, runs[::-1]):
        assert one.record["bound"] <= other.record["cost_eur"] * (1 + 1e-9)


def test_the_oracle_agrees_with_its_plain_twin() -> None:
    model, groups, oracle = grouped(cut(tiny(), prune=False))
    rng = np.random.default_rng(1)
    bounds = Bounds(model, groups)
    for size in (0.0, 1e-3, 1.0, 100.0):
        price = bounds.clamp(size * rng.normal(size=len(model.master.row_low)))
        found = oracle(price)
        value, cost, use = priced(model, groups, price)
        np.testing.assert_allclose(found.value, value, rtol=1e-11, atol=1e-6)
        np.testing.assert_allclose(found.cost, cost, rtol=1e-11, atol=1e-6)
        np.testing.assert_allclose(found.use, use, rtol=1e-11, atol=1e-6)


@cache
def bound_case() -> tuple[Split, Bounds, Oracle, float, np.ndarray]:
    model, groups, oracle = grouped(cut(tiny()))
    _, master = priced_value(cut(tiny()))
    assert master.best_prices is not None
    return model, Bounds(model, groups), oracle, relaxed_value(model.form), master.best_prices


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), noise=st.sampled_from([0.0, 1e-9, 1e-3, 0.1, 1.0, 30.0]))
def test_the_bound_holds_for_any_prices(seed: int, noise: float) -> None:
    model, bounds, oracle, value, best = bound_case()
    rng = np.random.default_rng(seed)
    rows, groups = len(model.master.row_low), bounds.groups.size
    near = best * (1 + noise * rng.normal(size=len(best))) + noise * 1e-3 * rng.normal(size=len(best))
    y, sigma = bounds.clamp(near[:rows]), np.maximum(0.0, -near[rows + groups :])
    answer = oracle(y)
    proven = bounds.bound(
        bounds.cut(y, sigma, value=answer.value, drive_reduced=answer.drive_reduced),
        low=model.master.col_low, up=model.master.col_up,
    )  # fmt: skip
    assert proven <= value + 1e-9 * abs(value)
    if noise == 0.0:
        assert proven == pytest.approx(value, rel=1e-6)


def test_no_prices_at_all_prove_something_but_nothing_false() -> None:
    model, bounds, oracle, value, _ = bound_case()
    y = np.zeros(len(model.master.row_low))
    answer = oracle(y)
    found = bounds.cut(y, np.zeros(len(bounds.tie_column)), value=answer.value, drive_reduced=answer.drive_reduced)
    proven = bounds.bound(found, low=model.master.col_low, up=model.master.col_up)
    assert -np.inf < proven < value


def test_threads_do_not_change_a_bit(tmp_path: Path) -> None:
    write_synthetic(tmp_path / "s", Shape(60, 2))
    model, groups, _ = grouped(cut(read_instance(tmp_path / "s")))
    price = np.where(np.isfinite(model.master.row_up), -1e-3, 0.0)
    answers = []
    for threads in (1, 2):
        oracle = Oracle(model, groups, threads=threads)
        oracle.threads = threads  # also where the model is too small for more
        answers.append(oracle(price))
    assert answers[0].value.tobytes() == answers[1].value.tobytes()
    assert answers[0].use.tobytes() == answers[1].use.tobytes()


def test_many_projects_of_one_flow_are_kept_by_rows_of_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbb_opt.solve.decompose.groups.MOST_STATES", 1)
    instance = tiny()
    built = build(instance, prepare(instance), read_model("joint"), route="arrays")
    assert len(make_groups(split(built)).loose[0])
    parts = solve_split(split(built), gap=1e-6, time_limit_s=60)
    whole = solve_form(standard_form(built), gap=1e-9, time_limit_s=60)
    assert parts.objective == pytest.approx(whole.objective, rel=1e-6)


def test_a_cap_nobody_can_keep_is_infeasible() -> None:
    from milp_case import policy

    instance = policy(without_policies(tiny()), "none", "cap_emissions_t_per_year", value=1e-3)
    with pytest.raises(Infeasible):
        solve_split(cut(instance), gap=1e-4, time_limit_s=60)


def test_the_values_keep_every_row_of_the_whole_model() -> None:
    model = cut(tiny())
    found = solve_split(model, gap=1e-4, time_limit_s=60)
    form = model.form
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost)))
    activity, size = matrix @ found.values, abs(matrix) @ found.values + 1.0
    assert (activity <= form.row_up + 1e-7 * size).all()
    assert (activity >= form.row_low - 1e-7 * size).all()


def test_auto_takes_the_large_scale_route_above_a_size() -> None:
    assert chosen_method("auto", 1000) == "monolith"
    assert chosen_method("auto", 10**8) == "decompose"
    assert chosen_method("decompose", 1) == "decompose"
