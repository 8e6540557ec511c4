"""Column generation: the same model cut in two, the same values, bounds that hold, plans the verifier accepts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path

import numba
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array

from milp_case import TINY, add_rows, without_policies
from nbb_opt.errors import Infeasible
from nbb_opt.instance import Instance, read_instance
from nbb_opt.instance.synthetic import Shape, write_synthetic
from nbb_opt.model import Built, Split, build, extract, read_model, split, standard_form
from nbb_opt.model.arrays.split import SparseColumns, expand
from nbb_opt.model.method import chosen_method
from nbb_opt.network import prepare
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import solve_instance
from nbb_opt.solve import BestKnown, Solution, Stop, solve_form
from nbb_opt.solve.colgen import solve_split
from nbb_opt.solve.colgen.bound import Bounds, Circulation
from nbb_opt.solve.colgen.groups import Groups, make_groups, with_group_rows
from nbb_opt.solve.colgen.interior_point import InteriorPoint
from nbb_opt.solve.colgen.master import Master
from nbb_opt.solve.colgen.oracle import Oracle
from nbb_opt.solve.colgen.pool import Box, ColumnPool, Slack, _without_dust
from nbb_opt.solve.colgen.restricted import Restricted
from nbb_opt.solve.colgen.sample import sampled_form, sampled_prices, weights
from nbb_opt.solve.highs import Solver, SolverResult
from nbb_opt.solve.stop import Progress
from nbb_opt.verify import verify_plan
from plain_pricing import priced

BUNDLES = 30
NEVER = (float("nan"), -np.inf)


@cache
def tiny() -> Instance:
    return read_instance(TINY)


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """A made-up region, large enough for clusters and pools."""
    folder = tmp_path_factory.mktemp("invented") / "s"
    write_synthetic(folder, Shape(BUNDLES, 3))
    return read_instance(folder)


def cut(instance: Instance, model: str = "joint", *, prune: bool = True) -> Split:
    return split(build(instance, prepare(instance, prune=prune), read_model(model), route="segments"))


def stated(instance: Instance, model: str = "joint") -> Built:
    return build(instance, prepare(instance), read_model(model), route="arrays")


def solved_in_parts(built: Built, **asked: float) -> tuple[Solution, dict[str, pd.DataFrame]]:
    found = solve_split(split(built), **{"gap": 1e-6, **asked})
    return found, extract(built, found.values, found.carried)


def relaxed_value(form) -> float:
    solver = Solver(form, threads=1, seed=0, log=[])
    solver.relax()
    found = solver.run(Stop(60.0), phase="relax", callback=None, known=NEVER)
    assert found.status == "optimal"
    return found.objective


def priced_value(model: Split, *, bundles: int = 0, threads: int = 1) -> tuple[SolverResult, Restricted]:
    groups = make_groups(model)
    model = with_group_rows(model, groups)
    oracle = Oracle(model, groups, threads=threads)
    master = Restricted(model, groups, oracle, threads=1, seed=0, log=[])
    if bundles:
        first = sampled_prices(
            model, groups, oracle, samples=2, bundles=bundles, threads=1, seed=0, log=[], stop=Stop(60.0)
        )
        assert first is not None
        master.guess(*first)
    return master.root(Stop(120.0), phase="root", callback=None, known=NEVER), master


def grouped(model: Split) -> tuple[Split, Groups, Oracle]:
    groups = make_groups(model)
    model = with_group_rows(model, groups)
    return model, groups, Oracle(model, groups, threads=2)


def shared_instance(name: str, folder: Path) -> Instance:
    if not name.startswith("invented"):
        return read_instance(TINY.parent / name)
    write_synthetic(folder / "s", Shape(int(name.split()[1]), 1))
    return read_instance(folder / "s")


def unlike(instance: Instance, model: str, *, nudged: str = "") -> str:
    """In what the columns of chains and trucks on lanes differ from those put together from segments and resources;
    "" if in nothing. One entry of the segments or resources may be `nudged`, by 1e-9.
    """
    built, parts = stated(instance, model), cut(instance, model)
    form, flows = standard_form(built), built.data.flows
    if nudged:
        one = getattr(parts, nudged)
        value = one.value.copy()
        value[len(value) // 2] *= 1 + 1e-9
        parts = replace(parts, **{nudged: replace(one, value=value)})
    names = np.repeat([name for name, _, _ in built.assembly.rows], [len(kept) for _, _, kept in built.assembly.rows])
    rows = np.flatnonzero(~np.isin(names, ("serve_demand", "use_only_built", "cover_work")))
    at = built.assembly.start["carried_t"] + np.arange(len(flows.t))
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost)))
    of_master = matrix.tocsr()[rows].tocsc()
    whole, made = of_master[:, at], expand(parts, np.arange(len(parts.chains)))
    driven, hauls = built.data.driving, parts.columns_of(np.arange(len(parts.hauls.t)))
    lane = parts.hauls.lane_of(np.arange(len(parts.hauls.t)))
    driven_at = built.assembly.start["driven_vkm"] + np.arange(len(driven.t))
    own, trips = (matrix_of(part, len(rows)) for part in (columns_of_master(parts), hauls))
    work = matrix.tocsr()[np.flatnonzero(names == "cover_work")].tocsc()
    periods, used = parts.periods, np.unique(made.work_lane)
    lanes = csc_array(
        (-made.work_tkm, made.work_lane, made.work_start), shape=(len(parts.hauls.distance_km) * periods, len(at))
    )
    load = parts.hauls.load_t[lane, parts.hauls.vehicle]
    loads = csc_array((load, (lane * periods + parts.hauls.t, np.arange(len(load)))), shape=(lanes.shape[0], len(load)))
    for what, one, other in (
        ("chains and periods", np.stack([flows.chain, flows.t]), np.stack([made.chain, made.t])),
        ("cost", form.cost[at], made.columns.cost),
        ("use of rows", whole, matrix_of(made.columns, len(rows))),
        ("work on lanes", work[:, at], lanes.tocsr()[used]),
        ("work of hauls", work[:, driven_at], loads.tocsr()[used]),
        (
            "trucks",
            np.stack([driven.lane, driven.vehicle, driven.t]),
            np.stack([lane, parts.hauls.vehicle, parts.hauls.t]),
        ),
        ("cost of hauls", form.cost[driven_at], hauls.cost),
        ("hauls", of_master[:, driven_at], trips),
        ("master", of_master[:, np.setdiff1d(np.arange(len(form.cost)), outside(built))], own),
        ("sides", finite(form.row_low[rows], form.row_up[rows]), finite(parts.master.row_low, parts.master.row_up)),
    ):
        apart = abs(one - other)
        if (apart > 1e-13 * abs(other)).sum():
            return what
    return ""


def finite(low: np.ndarray, up: np.ndarray) -> np.ndarray:
    return np.nan_to_num(np.stack([low, up]))


def outside(built: Built) -> np.ndarray:
    start = built.assembly.start
    return np.concatenate(
        [start[name] + np.arange(len(built.assembly.kinds[name].keys)) for name in ("carried_t", "driven_vkm")]
    )


def columns_of_master(parts: Split) -> SparseColumns:
    master = parts.master
    return SparseColumns(master.cost, master.a_indptr, master.a_indices, master.a_values)


def matrix_of(columns: SparseColumns, rows: int) -> csc_array:
    return csc_array((columns.value, columns.row, columns.indptr), shape=(rows, len(columns.cost)))


@pytest.mark.parametrize("name", ["tiny", "nbb", "haulier", "invented 200"])
def test_chains_put_together_from_pieces_are_the_columns_of_the_whole_model(name: str, tmp_path: Path) -> None:
    instance = shared_instance(name, tmp_path)
    assert unlike(instance, "joint") == ""
    if name == "tiny":
        assert unlike(instance, "frozen") == ""
        assert unlike(instance, "joint", nudged="segments") == "use of rows"
        assert unlike(instance, "joint", nudged="resources") == "hauls"


def test_the_sample_of_all_bundles_is_the_model_itself() -> None:
    model = cut(tiny())
    form, _ = sampled_form(model, weights(model, make_groups(model).of_cluster, 10**6), np.zeros(0, np.int64))
    whole = standard_form(stated(tiny()))
    assert len(form.a_values) == len(whole.a_values)
    assert relaxed_value(form) == pytest.approx(relaxed_value(whole), rel=1e-12)


def test_a_sample_stands_for_all_tonnes(invented: Instance) -> None:
    model = cut(invented)
    cluster = make_groups(model).of_cluster
    weight = weights(model, cluster, 20)
    tonnes = model.chains.demand_t.sum(axis=1)
    assert np.sum(weight * tonnes) == pytest.approx(tonnes.sum(), rel=1e-12)
    assert 0 < (weight > 0).sum() <= 20
    apart = np.bincount(cluster, (weight - 1) * tonnes)
    assert np.abs(apart).max() <= tonnes.sum() / 20 * (1 + 1e-12)  # no cluster by more than what one bundle stands for


@pytest.mark.promise(9, 1, 12)
def test_the_value_of_the_relaxation_equals_that_of_the_whole_model(seed: int, tmp_path: Path) -> None:
    write_synthetic(tmp_path / "s", Shape(BUNDLES, seed))
    instance = read_instance(tmp_path / "s")
    model, whole = cut(instance), relaxed_value(standard_form(stated(instance)))
    for bundles in (0, BUNDLES // 3):
        answer, _ = priced_value(model, bundles=bundles)
        assert answer.objective == pytest.approx(whole, rel=1e-6)
        assert answer.bound == pytest.approx(whole, rel=1e-6)


@pytest.mark.parametrize(
    ("model", "against_road_eur_per_t"), [("joint", 0.0), ("joint", 4.0), ("shift_only", 4.0), ("frozen", 4.0)]
)
def test_tiny_has_the_same_relaxation_and_the_same_optimum_by_both_routes(
    model: str, against_road_eur_per_t: float
) -> None:
    constant = {"constant": "ROAD", "mode": "road", "eur_per_t": against_road_eur_per_t}
    instance, spec = add_rows(tiny(), "mode_constants", [constant]), read_model(model)
    whole = solve_form(standard_form(stated(instance, model)), gap=1e-9, time_limit_s=60)
    parts, tables = solved_in_parts(
        build(instance, prepare(instance), spec, route="segments"), gap=1e-6, time_limit_s=60
    )
    assert parts.objective == pytest.approx(whole.objective, rel=1e-6)
    assert parts.bound <= whole.objective * (1 + 1e-9)
    assert whole.bound <= parts.objective * (1 + 1e-9)
    verdict = verify_plan(
        instance, tables, blocks=spec.blocks, technologies=spec.technologies,
        projects=spec.projects, reported={"cost_eur": parts.objective, "bound": parts.bound, "gap": parts.gap},
    )  # fmt: skip
    assert verdict.ok, verdict.failures().to_string()


def test_given_flows_are_kept_and_only_vehicles_chosen() -> None:
    instance, spec = tiny(), read_model("electrify_only")
    prepared = prepare(instance)
    nothing = build(instance, prepared, read_model("frozen"), route="segments")
    flows = solved_in_parts(nothing, gap=1e-6)[1]["flows"]
    fixed = prepared.flows_t(flows)
    whole = solve_form(
        standard_form(build(instance, prepared, spec, fixed_flows_t=fixed, route="arrays")), gap=1e-9, time_limit_s=60
    )
    parts, tables = solved_in_parts(
        build(instance, prepared, spec, fixed_flows_t=fixed, route="segments"), gap=1e-6, time_limit_s=60
    )
    pd.testing.assert_frame_equal(tables["flows"], flows)
    assert parts.objective == pytest.approx(whole.objective, rel=1e-6)


def test_neither_route_beats_what_the_other_proves(invented: Instance) -> None:
    runs = [
        solve_instance(invented, options=SolveOptions(time_limit_s=30.0, gap=5e-3, method=method, reference=False))
        for method in ("monolith", "decompose")
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
        np.testing.assert_allclose(found.use.toarray(), use, rtol=1e-11, atol=1e-6)


@cache
def bound_case() -> tuple[Split, Bounds, Oracle, float, np.ndarray]:
    model, groups, oracle = grouped(cut(tiny()))
    _, master = priced_value(cut(tiny()))
    assert master.best is not None
    whole = relaxed_value(standard_form(stated(tiny())))
    return model, Bounds(model, groups), oracle, whole, master._smoothed(master.best)


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
        bounds.cut(y, sigma, value=answer.value, ratio=answer.trips.worst),
        low=model.master.col_low, up=model.master.col_up,
    )  # fmt: skip
    assert proven <= value + 1e-9 * abs(value)
    if noise == 0.0:
        assert proven == pytest.approx(value, rel=1e-6)


def test_no_prices_at_all_prove_something_but_nothing_false() -> None:
    model, bounds, oracle, value, _ = bound_case()
    y = np.zeros(len(model.master.row_low))
    answer = oracle(y)
    found = bounds.cut(y, np.zeros(len(bounds.tie_column)), value=answer.value, ratio=answer.trips.worst)
    proven = bounds.bound(found, low=model.master.col_low, up=model.master.col_up)
    assert -np.inf < proven < value


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one processor: there is no second thread to compare")
def test_threads_do_not_change_a_bit(invented: Instance) -> None:
    model, groups, _ = grouped(cut(invented))
    price = np.where(np.isfinite(model.master.row_up), -1e-3, 0.0)
    answers = []
    for threads in (1, 2):
        oracle = Oracle(model, groups, threads=threads)
        oracle.threads = threads  # also where the model is too small for more
        answers.append(oracle(price))
    assert answers[0].value.tobytes() == answers[1].value.tobytes()
    assert answers[0].use.toarray().tobytes() == answers[1].use.toarray().tobytes()


def test_many_projects_of_one_flow_are_kept_by_rows_of_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("nbb_opt.solve.colgen.groups"), "MOST_STATES", 1)
    instance = tiny()
    model = cut(instance)
    assert len(make_groups(model).loose)
    parts = solve_split(model, gap=1e-6, time_limit_s=60)
    whole = solve_form(standard_form(stated(instance)), gap=1e-9, time_limit_s=60)
    assert parts.objective == pytest.approx(whole.objective, rel=1e-6)


def test_a_row_over_groups_that_nobody_uses_at_first_is_measured_in_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("nbb_opt.solve.colgen.groups"), "MOST_STATES", 1)
    monkeypatch.setattr(import_module("nbb_opt.solve.colgen.master"), "DEAR", ())
    model, groups, oracle = grouped(cut(tiny()))
    rows = np.unique(oracle.loose_row)
    assert len(rows)
    assert (
        Master(model, groups, oracle, threads=1, seed=0, log=[]).size[rows] == 1.0
    ).all()  # else 1e-9 of a size in tonnes would be no slack


def test_a_cap_nobody_can_keep_is_infeasible() -> None:
    from milp_case import policy

    instance = policy(without_policies(tiny()), "none", "cap_emissions_t_per_year", value=1e-3)
    with pytest.raises(Infeasible):
        solve_split(cut(instance), gap=1e-4, time_limit_s=60)


def test_the_plan_keeps_every_row_of_the_whole_model() -> None:
    model, built = cut(tiny()), stated(tiny())
    found, form = solve_split(model, gap=1e-4, time_limit_s=60), standard_form(built)
    assert found.carried is not None
    start, flows = built.assembly.start, built.data.flows
    values = np.zeros(len(form.cost))
    values[np.setdiff1d(np.arange(len(form.cost)), outside(built))] = found.values[model.master_at]
    driving, did = built.data.driving, found.carried
    driven = {
        key: at
        for at, key in enumerate(zip(driving.lane.tolist(), driving.vehicle.tolist(), driving.t.tolist(), strict=True))
    }
    for lane, v, t, vkm in zip(did.lane.tolist(), did.vehicle.tolist(), did.driven_t.tolist(), did.vkm, strict=True):
        values[start["driven_vkm"] + driven[lane, v, t]] = vkm
    place = {key: at for at, key in enumerate(zip(flows.chain.tolist(), flows.t.tolist(), strict=True))}
    for chain, t, tonnes in zip(did.chain.tolist(), did.t.tolist(), did.tonnes, strict=True):
        values[start["carried_t"] + place[chain, t]] = tonnes
    assert form.cost @ values + form.cost_offset == pytest.approx(found.objective, rel=1e-12)
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost)))
    activity, size = matrix @ values, abs(matrix) @ values + 1.0
    assert (activity <= form.row_up + 1e-7 * size).all()
    assert (activity >= form.row_low - 1e-7 * size).all()


def test_repaired_prices_let_nothing_go_in_circles(invented: Instance) -> None:
    model, _, oracle = grouped(cut(invented))
    master, circulation = model.master, Circulation(model, oracle.lane_classes)
    matrix = csc_array(
        (master.a_values, master.a_indices, master.a_indptr), shape=(len(master.row_low), len(master.cost))
    )
    rng = np.random.default_rng(7)
    balance = (master.row_low == 0) & (master.row_up == 0)
    for size in (0.0, 1e4, 1e6):
        y = np.where(balance, size * rng.normal(size=len(balance)), 0.0)
        before = oracle.trips(y).price
        found = circulation.repaired(y, trip_eur=before, own_reduced=master.cost - matrix.T @ y)
        assert (oracle.trips(found).price >= -1e-7 * (1 + size)).all()
        assert size == 0 or (before < -1).any()
        if size == 0:
            assert np.array_equal(found, y)


def test_auto_takes_the_large_scale_route_above_a_size() -> None:
    assert chosen_method("auto", 1000) == "monolith"
    assert chosen_method("auto", 10**8) == "decompose"
    assert chosen_method("decompose", 1) == "decompose"


def test_many_columns_are_solved_from_inside_to_the_same_values(
    monkeypatch: pytest.MonkeyPatch, invented: Instance
) -> None:
    monkeypatch.setattr(import_module("nbb_opt.solve.colgen.master"), "LARGE_POOL", 0)
    value = relaxed_value(standard_form(stated(invented)))
    run = solve_instance(
        invented, options=SolveOptions(time_limit_s=20.0, gap=5e-3, method="decompose", reference=False)
    )
    assert run.record["verified"]
    assert run.record["bound"] <= run.record["cost_eur"]
    assert run.record["bound"] >= value * (1 - 4e-3)
    assert run.record["gap"] < 0.05


def keys(pool: ColumnPool) -> set[tuple[int, int, int]]:
    return set(zip(pool.state.tolist(), pool.call.tolist(), pool.haul.tolist(), strict=True))


def test_a_plan_in_between_leaves_prices_and_slack_as_they_were(
    monkeypatch: pytest.MonkeyPatch, invented: Instance
) -> None:
    monkeypatch.setattr(import_module("nbb_opt.solve.colgen.master"), "LARGE_POOL", 0)
    monkeypatch.setattr(
        import_module("nbb_opt.solve.colgen.restricted"), "CUTS_KEPT", 1
    )  # the best cut is kept beside the last ones
    model, clusters, oracle = grouped(cut(invented))
    master = Restricted(model, clusters, oracle, threads=1, seed=0, log=[])
    interior = InteriorPoint(master, BestKnown(1e-3, Stop(60.0)), callback=None)
    relaxed = interior.relax(1e-2, known=(np.nan, -np.inf))
    cost = master.form.cost
    plan = interior.plan(relaxed)
    assert plan is not None
    assert plan.values is not None
    kept, made = keys(interior.near_optimum[0]), keys(master.pool.take(np.flatnonzero(master.shares > 0)))
    interior.resume()
    assert keys(master.pool) == kept | made
    assert len(master.pool) == len(kept | made)
    assert np.array_equal(master.form.cost, cost)
    whole = plan.values[np.flatnonzero(master.form.integer)]
    assert np.abs(whole - np.round(whole)).max() < 1e-6
    again = interior.relax(1e-4, known=(plan.objective, relaxed.bound))
    assert relaxed.bound <= again.bound <= again.objective <= plan.objective * (1 + 1e-6)
    assert again.bound >= again.objective * (1 - 2e-4)


def test_boxes_around_the_best_prices_lose_nothing(monkeypatch: pytest.MonkeyPatch, invented: Instance) -> None:
    monkeypatch.setattr(import_module("nbb_opt.solve.colgen.master"), "LARGE_POOL", 0)
    model, clusters, oracle = grouped(cut(invented))
    master = Restricted(model, clusters, oracle, threads=1, seed=0, log=[])
    interior = InteriorPoint(master, BestKnown(1e-6, Stop(60.0)), callback=None)
    relaxed = interior.relax(1e-6, known=(np.nan, -np.inf))
    assert relaxed.values is not None
    assert relaxed.bound == pytest.approx(relaxed_value(standard_form(stated(invented))), rel=1e-5)
    assert (relaxed.values[master.slack.column] < 1e-4 * master.size[master.slack.row]).all()


def test_a_plan_may_not_live_on_slack_that_a_verifier_would_see() -> None:
    _, master = priced_value(cut(tiny()))
    values = np.zeros(len(master.form.cost))
    assert not master._uses_slack(values)
    values[master.slack.column[0]] = 1e-8 * master.size[master.slack.row[0]]  # 1 kWh of a row of 100 GWh
    assert master._uses_slack(values)


def test_slack_gets_dearer_from_the_last_basis_on_until_nothing_lives_on_it() -> None:
    _, master = priced_value(cut(tiny()))
    master.price_slack(master.slack_eur * 1e-6)  # cheaper than any truck
    stop, ask = Stop(30.0), {"phase": "", "callback": None, "known": (float("nan"), -np.inf)}
    found = master.solver.run(stop, **ask)
    assert found.values is not None
    assert master._uses_slack(found.values)
    held, loaded = set(np.flatnonzero(master._slack_of(found.values) > 1e-9).tolist()), master.solver
    before = master.slack_eur
    master.raise_slack_where_used(found.values, times=1e6)
    assert set(np.flatnonzero(master.slack_eur > before).tolist()) == held
    for _ in range(10):
        found = master.solver.run(stop, **ask)
        assert found.values is not None
        if not master._uses_slack(found.values):
            break
        master.raise_slack_where_used(found.values, times=1e6)
    assert not master._uses_slack(found.values)
    assert master.solver is loaded


def test_a_node_that_lives_on_slack_is_not_taken_for_infeasible() -> None:
    root, master = priced_value(cut(tiny()))
    ask = {"phase": "branch", "callback": None, "known": NEVER}
    master.price_slack(master.slack_eur * 1e-2)
    cheap = master.run(Stop(30.0), **ask)
    assert cheap.status == "infeasible"
    assert cheap.bound < root.objective * (1 - 1e-3)  # so nobody has proven that there is no plan here
    node = master.node(Stop(30.0), **ask)
    assert node.status == "optimal"
    assert node.objective == pytest.approx(root.objective, rel=1e-6)


def test_a_node_without_columns_for_its_bounds_is_not_taken_for_infeasible() -> None:
    """No project may be built, and no column known does without one: those are missing, not impossible."""
    _, master = priced_value(cut(tiny()))
    projects = np.flatnonzero(master.form.integer & (master.form.fix_order == 0))
    ask = {"phase": "branch", "callback": None, "known": NEVER}
    master.fix(projects, np.zeros(len(projects)))
    value = master.run(Stop(30.0), **ask).objective
    needs = np.concatenate([master.groups.states, [0]])[master.pool.state] != 0
    several = np.diff(master.groups.state_start)[master.bounds.state_group[master.pool.state]] > 1
    master.pool = master.pool.take(np.flatnonzero((master.pool.state < 0) | needs | ~several))
    master.shares = np.zeros(0)
    master._load()
    assert master.solver.run(Stop(30.0), **ask).status.startswith("infeasible")
    found = master.run(Stop(30.0), **ask)
    assert found.status == "optimal"
    assert found.objective == pytest.approx(value, rel=1e-6)


def test_calls_handed_out_side_by_side_are_those_one_by_one(invented: Instance) -> None:
    model, clusters, oracle = grouped(cut(invented))
    rng = np.random.default_rng(1)
    up = np.isfinite(model.master.row_up)
    asked = [(np.where(up, -rng.random(oracle.rows), 0.0), rng.random(len(clusters.states))) for _ in range(7)]
    one_by_one = [oracle.disaggregate(*one) for one in asked]
    oracle.threads = 2
    side_by_side = list(oracle._disaggregateeach(asked))
    assert len(side_by_side) == 7
    for one, other in zip(one_by_one, side_by_side, strict=True):
        for name in ("chain", "t", "tonnes", "vkm"):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_what_goes_through_pieces_is_what_whole_chains_cost_and_use(invented: Instance) -> None:
    model, _, oracle = grouped(cut(invented))
    whole = expand(model, np.arange(0, len(model.chains), 3))
    tonnes = np.random.default_rng(1).random(len(whole.t))
    through = oracle.through(whole.chain, whole.t, tonnes)
    assert model.segments.cost @ through == pytest.approx(whole.columns.cost @ tonnes, rel=1e-12)

    def used(columns: SparseColumns, amount: np.ndarray) -> np.ndarray:
        return np.bincount(columns.row, columns.value * np.repeat(amount, np.diff(columns.indptr)), oracle.rows)

    np.testing.assert_allclose(used(model.segments, through), used(whole.columns, tonnes), rtol=1e-9, atol=1e-12)


def test_entries_that_are_nothing_in_their_row_are_left_out() -> None:
    columns = csc_array(np.array([[1.0, 1e-10, 1e-13], [0.0, 1e-10, 1e-13]]))
    own = csc_array(np.array([[0.0], [1e-3]]))
    kept = _without_dust(columns, np.array([1.0, 1.0, 1e3]), own, np.array([2.0]))
    assert kept.toarray().tolist() == [[1.0, 1e-10, 1e-13], [0.0, 1e-10, 1e-13]]  # 1e-13 of a thousand is not nothing
    kept = _without_dust(columns, np.ones(3), own, np.array([2.0]))
    assert kept.toarray().tolist() == [[1.0, 1e-10, 0.0], [0.0, 1e-10, 1e-13]]
    assert kept.nnz == 4
    kept = _without_dust(columns, np.ones(3), own, np.array([2e3]))
    assert kept.toarray().tolist() == [[1.0, 1e-10, 0.0], [0.0, 1e-10, 0.0]]


def test_a_box_grows_where_prices_go_on_and_shrinks_where_they_turn_back() -> None:
    slack = Slack(np.array([0, 1, 2]), np.array([0, 1, 2]), np.ones(3))
    box = Box(slack, usual=np.zeros(3), prices=np.full(3, 10.0))
    before = box.cost(np.full(3, 10.0)) - 10.0
    assert before == pytest.approx(1.0)
    box.learn(np.array([11.0, 11.0, 11.0]), held=np.array([True, True, False]), moved=True)
    box.learn(np.array([12.0, 9.0, 12.0]), held=np.ones(3, bool), moved=True)
    assert box.cost(np.full(3, 10.0)) - 10.0 == pytest.approx(np.array([1.5, 0.5, 1.0]))
    box.learn(np.full(3, 12.0), held=np.ones(3, bool), moved=False)
    assert box.cost(np.full(3, 10.0)) - 10.0 == pytest.approx(np.array([1.5, 0.5, 1.0]))


def test_a_stop_keeps_the_first_plan(monkeypatch: pytest.MonkeyPatch, invented: Instance) -> None:
    monkeypatch.setattr(import_module("nbb_opt.solve.colgen.master"), "LARGE_POOL", 0)
    spec = read_model("joint")
    built, stop = build(invented, prepare(invented), spec, route="segments"), Stop(60.0)

    def callback(progress: Progress) -> None:
        if np.isfinite(progress.incumbent):
            stop.asked.set()

    found = solve_split(split(built), gap=1e-9, callback=callback, stop=stop)
    assert found.status == "stopped"
    verdict = verify_plan(
        invented, extract(built, found.values, found.carried), blocks=spec.blocks, technologies=spec.technologies,
        projects=spec.projects, reported={"cost_eur": found.objective, "bound": found.bound, "gap": found.gap},
    )  # fmt: skip
    assert verdict.ok, verdict.failures().to_string()
