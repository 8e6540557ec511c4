"""The hand-off to HiGHS: right answers, kept limits, refused nonsense."""

import gc
import itertools
import os
import platform
import signal
import threading
import time
import weakref
from dataclasses import dataclass, replace

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

from nbb_opt.errors import Infeasible, NoPlan, SolveError
from nbb_opt.solve import Stop, highs, scaling, solve_form
from nbb_opt.solve.highs import Solver, return_heap, run_in_thread
from nbb_opt.solve.mip.branch import Branch
from nbb_opt.solve.mip.dive import DecidedRows, Dive, groups


@dataclass(frozen=True)
class Form:
    cost: np.ndarray
    cost_offset: float
    a_indptr: np.ndarray
    a_indices: np.ndarray
    a_values: np.ndarray
    row_low: np.ndarray
    row_up: np.ndarray
    col_low: np.ndarray
    col_up: np.ndarray
    integer: np.ndarray
    col_unit_scale: np.ndarray
    fix_order: np.ndarray
    row_names: tuple[str, ...] = ()
    col_names: tuple[str, ...] = ()


def form(cost, matrix, low, up, *, col_up=None, integer=(), offset=0.0, unit=1.0, first=()):
    """Columns in `first` are decided first, other integer columns after them."""
    a = sp.csc_matrix(np.asarray(matrix, float))
    n = len(cost)
    whole = np.zeros(n, bool)
    whole[list(integer)] = True
    order = np.where(whole, 1, -1)
    order[list(first)] = 0
    return Form(
        np.asarray(cost, float),
        offset,
        a.indptr,
        a.indices,
        a.data,
        np.asarray(low, float),
        np.asarray(up, float),
        np.zeros(n),
        np.full(n, np.inf) if col_up is None else np.asarray(col_up, float),
        whole,
        np.full(n, unit) if np.isscalar(unit) else np.asarray(unit, float),
        order,
        tuple(f"row{i}" for i in range(len(low))),
        tuple(f"column{j}" for j in range(n)),
    )


def knapsack(items=24, seed=1, tightness=0.5):
    rng = np.random.default_rng(seed)
    weight = rng.integers(100, 1000, (5, items)).astype(float)
    value = weight.mean(0) + rng.integers(0, 50, items)
    return form(-value, weight, [-np.inf] * 5, weight.sum(1) * tightness, col_up=np.ones(items), integer=range(items))


def test_a_linear_program_is_solved_in_business_units():
    # 3 t must be carried at 10 or 20 EUR/t, the cheap one takes 1 t: 10 + 2 * 20 + 5
    problem = form([10.0, 20.0], [[1, 1], [1, 0]], [3, -np.inf], [3, 1], offset=5.0, unit=1024.0)
    solution = solve_form(problem, gap=1e-6)
    assert solution.objective == pytest.approx(55.0, rel=1e-12)
    assert solution.values == pytest.approx([1.0, 2.0])
    assert solution.bound == pytest.approx(55.0)
    assert solution.status == "optimal"


def test_integers_come_back_whole_and_the_gap_is_proven():
    # trucks of 30 t at 100 EUR for 100 t: 4 trucks
    solution = solve_form(form([100.0, 0.0], [[30, -1], [0, 1]], [0, 100], [np.inf, 100], integer=[0]), gap=1e-6)
    assert solution.values[0] == 4.0
    assert solution.objective == 400.0
    assert solution.gap == 0.0


@pytest.mark.promise(9, 3, 150)
def test_brute_force_agrees(seed):
    problem = knapsack(items=12, seed=seed)
    best = 0.0
    a = sp.csc_matrix((problem.a_values, problem.a_indices, problem.a_indptr)).toarray()
    for bits in range(1 << 12):
        x = np.array([(bits >> i) & 1 for i in range(12)], float)
        if (a @ x <= problem.row_up).all():
            best = min(best, float(problem.cost @ x))
    assert solve_form(problem, gap=0.0).objective == pytest.approx(best)


def test_the_same_seed_gives_the_same_answer_for_any_number_of_threads():
    runs = [solve_form(knapsack(), threads=threads, gap=0.0, time_limit_s=60) for threads in (1, 2, 1)]
    assert len({(run.objective, run.nodes, run.iterations) for run in runs}) == 1


def test_a_problem_goes_with_its_last_user():
    solver = Solver(knapsack(), threads=1, seed=0, log=[])
    solver.exchange(offer=lambda _plan: None, between=lambda: None)
    assert solver.run(Stop(60.0), phase="", callback=lambda _news: None, known=(np.nan, -np.inf)).status == "optimal"
    for thread in threading.enumerate():
        if thread.name == "highs":
            thread.join()
    gone = weakref.ref(solver.highs)
    gc.disable()
    try:
        del solver
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps what is freed and can be told")
def test_freed_memory_is_given_back():
    def resident_mb():
        with open("/proc/self/statm") as pages:
            return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    pieces = [bytearray(b"1" * 100_000) for _ in range(2_000)]  # too small to be mapped one by one
    pin = pieces.pop()
    pieces.clear()
    before = resident_mb()
    return_heap()
    assert resident_mb() < before - 100
    assert len(pin) == 100_000


def test_an_impossible_problem_is_called_infeasible():
    with pytest.raises(Infeasible):
        solve_form(form([1.0], [[1], [1]], [3, -np.inf], [np.inf, 2]), gap=1e-6)


def test_a_problem_that_only_whole_numbers_make_impossible_is_called_infeasible():
    with pytest.raises(Infeasible):
        solve_form(form([1.0], [[2]], [1], [1], integer=[0]), gap=1e-6)


@pytest.mark.promise(5)
@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 1e15])
def test_a_number_that_is_not_one_never_reaches_highs(wrong):
    problem = form([1.0, 1.0], [[1, 1]], [1], [2])
    with pytest.raises(SolveError, match="matrix"):
        solve_form(replace(problem, a_values=np.array([1.0, wrong])), gap=1e-6)
    with pytest.raises(SolveError, match="objective"):
        solve_form(replace(problem, cost=np.array([1.0, wrong])), gap=1e-6)


@pytest.mark.promise(6)
def test_an_unknown_option_is_an_error():
    solver = Solver(form([1.0], [[1]], [1], [2]), threads=1, seed=0, log=[])
    with pytest.raises(SolveError, match="mip_relgap"):
        solver.set("mip_relgap", 0.1)


def test_no_time_means_no_plan():
    with pytest.raises(NoPlan, match="time_limit_s="):
        solve_form(knapsack(), gap=1e-6, time_limit_s=0.0)


def without_values(times):
    """HiGHS' answers as if its first `times` runs ended optimal without a point that it calls feasible."""
    seen = []

    def answer(self, before):
        found = kept(self, before)
        seen.append(found.status)
        return replace(found, values=None) if len(seen) <= times else found

    kept = Solver._answer
    return answer


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("problem", ["linear", "whole"])
def test_an_answer_without_values_is_solved_again_from_no_basis(problem, times, monkeypatch):
    asked = knapsack(items=8, seed=1) if problem == "whole" else form([1.0, 2.0], [[1, 1]], [3], [np.inf])
    right = solve_form(asked, gap=1e-9).objective
    monkeypatch.setattr(Solver, "_answer", without_values(times))
    log = []
    answer = Solver(asked, threads=1, seed=0, log=log).run(Stop(20.0), phase="root", callback=None, known=(np.nan, 0.0))
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(right)
    assert sum("solved again from no basis" in line for line in log) == times


def test_what_has_no_values_in_the_end_is_an_error_and_not_a_time_limit(monkeypatch):
    monkeypatch.setattr(Solver, "_answer", without_values(10**9))
    with pytest.raises(SolveError, match=r"furthest apart in row0: 1 of column0 and 4e\+06 of column1") as caught:
        solve_form(form([1.0, 2.0], [[1, 4e6], [1, 1]], [3, 3], [np.inf, np.inf]), gap=1e-9)
    assert not isinstance(caught.value, NoPlan)


def test_an_end_without_a_plan_says_time_limit_only_when_time_is_over():
    assert "time" not in str(Stop(60.0).no_plan()).replace("60 s", "")
    assert Stop(60.0).ended_by() == "not_proven"


@pytest.mark.promise(13)
def test_the_time_limit_is_kept_and_the_best_plan_stays():
    started = time.perf_counter()
    solution = solve_form(knapsack(items=400, seed=3), time_limit_s=2.0, gap=0.0)
    assert time.perf_counter() - started < 12.0
    assert solution.status in ("time_limit", "optimal")
    assert solution.bound <= solution.objective


def test_a_request_to_stop_keeps_the_best_plan():
    stop = Stop(60.0)
    threading.Timer(1.5, stop.asked.set).start()
    solution = solve_form(knapsack(items=400, seed=3), stop=stop, gap=0.0)
    assert solution.status in ("stopped", "optimal")
    assert np.isfinite(solution.objective)


def test_progress_reports_bound_and_incumbent():
    seen = []
    solve_form(knapsack(items=28, seed=5), callback=seen.append, gap=0.0, time_limit_s=5)
    assert any(np.isfinite(p.incumbent) and np.isfinite(p.bound) for p in seen)
    assert {p.phase for p in seen} >= {"search"}


def depots(seed, *, places=6, customers=12, budget=None):
    """Open depots (decided first), buy vans (decided next), serve customers: x[c, p] shares of a customer's demand."""
    rng = np.random.default_rng(seed)
    opening, demand = rng.integers(200, 900, places), rng.integers(5, 30, customers).astype(float)
    freight = rng.integers(1, 40, (customers, places)) * demand[:, None]
    n = 2 * places + customers * places
    rows, low, up = [], [], []

    def row(entries, at_least, at_most):
        rows.append(np.zeros(n))
        for column, value in entries:
            rows[-1][column] = value
        low.append(at_least)
        up.append(at_most)

    share = lambda c, p: 2 * places + c * places + p  # noqa: E731
    for c in range(customers):
        row([(share(c, p), 1.0) for p in range(places)], 1.0, 1.0)
        for p in range(places):
            row([(share(c, p), 1.0), (p, -1.0)], -np.inf, 0.0)
    for p in range(places):
        row([(share(c, p), demand[c]) for c in range(customers)] + [(places + p, -25.0)], -np.inf, 0.0)
    if budget is not None:
        row([(p, opening[p]) for p in range(places)], -np.inf, budget)
    cost = np.concatenate([opening, np.full(places, 90.0), freight.ravel()])
    top = np.concatenate([np.ones(places), np.full(places + customers * places, np.inf)])
    return form(cost, rows, low, up, col_up=top, integer=range(2 * places), first=range(places))


def best_by_trying_all_depots(problem, places=6):
    costs = []
    for bits in range(1, 1 << places):
        chosen = np.array([(bits >> p) & 1 for p in range(places)], float)
        fixed = replace(
            problem,
            col_low=np.concatenate([chosen, problem.col_low[places:]]),
            col_up=np.concatenate([chosen, problem.col_up[places:]]),
        )
        a = sp.csc_matrix((fixed.a_values, fixed.a_indices, fixed.a_indptr))
        answer = milp(
            fixed.cost,
            constraints=LinearConstraint(a, fixed.row_low, fixed.row_up),
            bounds=Bounds(fixed.col_low, fixed.col_up),
            integrality=fixed.integer,
        )
        if answer.success:
            costs.append(answer.fun)
    return min(costs)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("budget", [None, 1500])
def test_dive_branch_and_search_together_find_the_optimum(seed, budget):
    problem = depots(seed, budget=budget)
    solution = solve_form(problem, gap=1e-9)
    assert solution.objective == pytest.approx(best_by_trying_all_depots(problem), rel=1e-8)
    assert solution.bound <= solution.objective


def test_branching_lifts_the_bound_of_the_relaxation():
    problem = depots(2, budget=1500)
    solution = solve_form(problem, gap=1e-9)
    bounds = [bound for _elapsed, _incumbent, bound in solution.history if np.isfinite(bound)]
    assert bounds[0] < bounds[-1] <= solution.objective


@pytest.mark.parametrize("seed", range(4))
def test_what_is_told_on_the_way_never_gets_worse(seed):
    heard = []
    solution = solve_form(knapsack(seed=seed), gap=1e-9, callback=heard.append)
    for told in ([p.incumbent for p in heard], [incumbent for _elapsed, incumbent, _bound in solution.history]):
        known = [cost for cost in told if np.isfinite(cost)]
        assert all(later <= cost for cost, later in itertools.pairwise(known))


@pytest.mark.parametrize("seed", range(4))
def test_the_bound_of_branching_is_never_above_the_optimum(seed):
    problem = depots(seed)
    optimum = best_by_trying_all_depots(problem)
    solver = Solver(problem, threads=1, seed=0, log=[])
    solver.relax()
    stop = Stop(60.0)
    root = solver.run(stop, phase="relax", callback=None, known=(float("nan"), -np.inf))
    tree = Branch(
        solver,
        groups(problem)[0],
        incumbent=optimum,
        gap=0.0,
        stop=stop,
        callback=None,
        label="",
        complete=lambda _leaf: optimum,
    )
    tree.run()
    assert root.objective <= tree.bound <= optimum * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_dive_gives_a_plan_that_keeps_every_row(seed):
    problem = depots(seed, budget=1500)
    solver = Solver(problem, threads=1, seed=0, log=[])
    solver.relax()
    stop = Stop(60.0)
    root = solver.run(stop, phase="relax", callback=None, known=(float("nan"), -np.inf))
    dive = Dive(problem, solver, stop=stop, callback=None, label="", bound=root.objective)
    decided = dive.decide(root)
    assert decided is not None
    better = dive.improve(decided)
    assert better.objective <= decided.objective
    plan = dive.complete(better)
    assert plan is not None
    values = plan.values
    a = sp.csc_matrix((problem.a_values, problem.a_indices, problem.a_indptr))
    assert (a @ values <= problem.row_up + 1e-6).all()
    assert (a @ values >= problem.row_low - 1e-6).all()
    assert np.abs(values[problem.integer] - np.round(values[problem.integer])).max() < 1e-9
    assert plan.objective >= root.objective


@pytest.mark.parametrize("columns", [1, 5, 40])
def test_scaling_piece_by_piece_gives_what_whole_arrays_give(columns, monkeypatch):
    monkeypatch.setattr(scaling, "COLUMNS_AT_ONCE", 4)
    rng = np.random.default_rng(columns)
    a = sp.random_array((7, columns), density=0.4, rng=rng, data_sampler=lambda size: rng.uniform(1e-3, 1e3, size))
    a = sp.csc_array(a)
    unit, cost = 2.0 ** rng.integers(-3, 9, columns), rng.uniform(0, 50, columns)
    found = scaling.choose_scaling(
        cost=cost, indptr=a.indptr, indices=a.indices, values=a.data, rows=7, column_unit=unit
    )
    dense = a.toarray() * unit
    largest = np.where(dense.max(axis=1) > 0, dense.max(axis=1), 1.0)
    assert np.array_equal(found.row, 1.0 / 2.0 ** np.round(np.log2(largest)))
    assert found.objective == 1.0 / 2.0 ** np.round(np.log(cost * unit).mean() / np.log(2.0))
    scaled = scaling.scaled_values(found, indptr=a.indptr, indices=a.indices, values=a.data)
    expected = sp.csc_array((scaled, a.indices, a.indptr), shape=a.shape).toarray()
    assert np.array_equal(expected, found.row[:, None] * dense)


def test_rounding_up_gives_way_where_whole_numbers_alone_break_a_row() -> None:
    rows = DecidedRows(sp.csr_array([[2.0, 1.0, 0.0]]), np.array([-np.inf]), np.array([3.0]))
    group = np.arange(3)
    assert rows.rounded_up(group, np.array([1.2, 0.5, 4.1])).tolist() == [1.0, 1.0, 5.0]
    assert rows.rounded_up(group, np.array([0.2, 0.5, 4.0])).tolist() == [1.0, 1.0, 4.0]
    assert rows.rounded_up(group, np.array([0.0, 0.0, 4.01]), nothing=0.1).tolist() == [0.0, 0.0, 4.0]


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_waits_until_highs_has_ended():
    stop, ended = Stop(60.0), threading.Event()
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    run_in_thread(lambda: (time.sleep(0.6), ended.set()), stop, lambda: None)
    assert ended.is_set()
    assert stop.now()


def test_a_fault_while_highs_runs_waits_for_its_end():
    stop, ended = Stop(60.0), threading.Event()

    def fault():
        raise ValueError("heard")

    with pytest.raises(ValueError, match="heard"):
        run_in_thread(lambda: (stop.asked.wait(10.0), ended.set()), stop, fault)
    assert ended.is_set()


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_asks_once_and_breaks_off_the_second_time():
    before, stop = signal.getsignal(signal.SIGINT), Stop(60.0)
    with stop.by_ctrl_c():
        signal.raise_signal(signal.SIGINT)
        assert stop.now()
        with stop.by_ctrl_c(patient=True):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_simplex_that_goes_on_for_long_begins_again(monkeypatch):
    """From no basis: the optimum is the same."""
    problem = knapsack(items=60)

    def solved(stalled):
        monkeypatch.setattr(highs, "STALLED", stalled)
        log = []
        solver = Solver(problem, threads=1, seed=0, log=log)
        solver.relax()
        found = []
        for cost in (problem.cost, problem.cost[::-1].copy(), -np.arange(60.0)):
            solver.price(np.arange(60), cost)
            found.append(solver.run(Stop(60.0), phase="", callback=None, known=(np.nan, -np.inf)))
        return found, "".join(log).count("Iteration limit reached")

    (usual, none), (again, times) = solved(1e6), solved(0.0)
    assert none == 0
    assert times == 2  # the first run has no basis
    assert [one.status for one in again] == ["optimal"] * 3
    assert [one.objective for one in again] == pytest.approx([one.objective for one in usual], rel=1e-9)
