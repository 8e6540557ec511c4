"""The solve over paths agrees with the plain compact statement; plans keep every rule; bounds are bounds."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from design_case import made_up, network, reference
from nbb_opt.errors import Infeasible, NoPlan, SolveError
from nbb_opt.problems.network_design import DesignNetwork
from nbb_opt.problems.network_design.model import design_form
from nbb_opt.problems.network_design.solve import Designed, improve, small, solve_network_design
from nbb_opt.problems.network_design.solve import solve as steps
from nbb_opt.problems.network_design.solve.cheapest_paths import cheapest_paths
from nbb_opt.problems.network_design.solve.pool import PathPool
from nbb_opt.problems.network_design.solve.relaxation import PathOptimum, PathRelaxation
from nbb_opt.problems.network_design.solve.solve import Alternation
from nbb_opt.solve import BestKnown, Stop
from nbb_opt.solve.highs import Solver

COST = 1e-6


def designed(problem: DesignNetwork, *, gap: float = 1e-7, seed: int = 0, threads: int = 1) -> Designed:
    return solve_network_design(problem, gap=gap, seed=seed, threads=threads, stop=Stop(60.0))


def check(problem: DesignNetwork, found: Designed) -> None:
    """Recompute everything from the flows."""
    flow = found.flow_t
    assert (flow >= 0).all()
    assert (flow.sum(axis=0) <= problem.capacity_t * (1 + 1e-6) + 1e-6).all()
    for k in range(problem.commodities):
        net = np.zeros(problem.nodes)
        np.add.at(net, problem.tail, flow[k])
        np.add.at(net, problem.head, -flow[k])
        net[problem.origin[k]] -= problem.demand_t[k]
        net[problem.destination[k]] += problem.demand_t[k]
        assert np.abs(net).max() <= 1e-6 * problem.demand_t[k]
    used = flow.sum(axis=0) > 1e-9
    assert not (used & ~found.opened).any()
    cost = float((flow.sum(axis=0) * problem.cost_eur_per_t).sum() + problem.fixed_eur[found.opened].sum())
    assert found.cost_eur == pytest.approx(cost, rel=1e-9)
    assert found.bound_eur <= found.cost_eur


def outcome(problem: DesignNetwork) -> float:
    """The optimum, or infinity where there is none."""
    try:
        return reference(problem).objective
    except Infeasible:
        return np.inf


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("by_tree", [False, True], ids=["compact", "tree"])
def test_the_optimum_is_that_of_the_plain_statement(
    by_tree: bool, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by_tree:
        monkeypatch.setattr("nbb_opt.problems.network_design.solve.small.COMPACT_PAIRS", 0)
    infeasible = 0
    for seed in range(10):
        problem = made_up(seed, tight=1.0 + seed % 3)
        best = outcome(problem)
        if best == np.inf:
            infeasible += 1
            with pytest.raises(Infeasible):
                designed(problem, threads=threads)
            continue
        found = designed(problem, threads=threads)
        check(problem, found)
        assert found.status == "optimal"
        assert found.cost_eur == pytest.approx(best, rel=COST, abs=1e-6), seed
        assert found.bound_eur <= best * (1 + 1e-9) + 1e-9, seed
    assert 0 < infeasible < 8


def test_the_relaxation_over_paths_is_that_with_every_strong_row() -> None:
    compared = 0
    for seed in range(6):
        problem = made_up(seed, nodes=7, arcs=24, commodities=6, tight=3.0)
        form = design_form(problem)
        solver = Solver(form, threads=1, seed=0, log=[])
        solver.relax()
        answer = solver.run(Stop(30.0), phase="", callback=None, known=(float("nan"), float("nan")))
        if answer.status != "optimal":
            continue
        compared += 1
        relaxed = PathRelaxation(problem, PathPool(problem), Stop(30.0)).relax()
        assert relaxed.complete
        assert relaxed.objective == pytest.approx(answer.objective, rel=1e-6)
        assert relaxed.bound <= answer.objective * (1 + 1e-9) + 1e-9
        assert relaxed.bound == pytest.approx(answer.objective, rel=1e-6)
    assert compared >= 3


def test_any_prices_give_a_bound() -> None:
    problem = made_up(3, tight=3.0)
    best = reference(problem).objective
    relaxation = PathRelaxation(problem, PathPool(problem), Stop(30.0))
    chance = np.random.default_rng(0)
    for scale in (0.0, 0.1, 1.0, 10.0, 1000.0):
        assert relaxation.price_at(scale * chance.random(problem.arcs)) <= best


def test_a_commodity_without_a_way_is_named() -> None:
    problem = network(3, [(0, 1, 1, 10, 5), (1, 0, 1, 10, 5), (2, 0, 1, 10, 5)], [(0, 1, 2), (0, 2, 1)])
    with pytest.raises(Infeasible, match=r"no path leads from origin to destination of east"):
        solve_network_design(problem, names=("west", "east"), gap=1e-4, stop=Stop(10.0))


def test_too_little_capacity_is_told_in_tonnes() -> None:
    problem = network(2, [(0, 1, 1, 4, 5), (0, 1, 2, 3, 5)], [(0, 1, 6), (0, 1, 4)])
    with pytest.raises(Infeasible, match=r"3 t of demand cannot be carried"):
        solve_network_design(problem, gap=1e-4, stop=Stop(10.0))


def test_parallel_arcs_split_a_flow() -> None:
    problem = network(2, [(0, 1, 1, 4, 5), (0, 1, 2, 8, 5), (0, 1, 9, 50, 1)], [(0, 1, 6)])
    found = designed(problem)
    check(problem, found)
    assert found.cost_eur == pytest.approx(17.0)  # the second arc alone; 4 + 4 + 10 with the first, 55 with the third
    assert found.opened.tolist() == [False, True, False]


def test_nothing_to_decide_is_optimal_at_once() -> None:
    problem = network(3, [(0, 1, 2, 9, 0), (1, 2, 3, 9, 0)], [(0, 2, 4)])
    found = designed(problem)
    assert (found.status, found.cost_eur) == ("optimal", pytest.approx(20.0))


@pytest.mark.parametrize("factor", [1e-3, 1e4])
def test_the_unit_of_money_does_not_matter(factor: float) -> None:
    problem = made_up(5, tight=3.0)
    scaled = DesignNetwork(
        nodes=problem.nodes, tail=problem.tail, head=problem.head, cost_eur_per_t=problem.cost_eur_per_t * factor,
        capacity_t=problem.capacity_t, fixed_eur=problem.fixed_eur * factor, origin=problem.origin,
        destination=problem.destination, demand_t=problem.demand_t,
    )  # fmt: skip
    assert designed(scaled).cost_eur == pytest.approx(factor * designed(problem).cost_eur, rel=1e-6)


def test_more_capacity_never_costs_more() -> None:
    problem = made_up(8, tight=2.0)
    wider = DesignNetwork(
        nodes=problem.nodes, tail=problem.tail, head=problem.head, cost_eur_per_t=problem.cost_eur_per_t,
        capacity_t=problem.capacity_t * 2, fixed_eur=problem.fixed_eur, origin=problem.origin,
        destination=problem.destination, demand_t=problem.demand_t,
    )  # fmt: skip
    assert designed(wider).cost_eur <= designed(problem).cost_eur * (1 + 1e-6)


def test_the_same_seed_gives_the_same_plan_for_any_threads() -> None:
    problem = made_up(11, nodes=8, arcs=30, commodities=8, tight=3.0)
    one, again, two = designed(problem), designed(problem), designed(problem, threads=2)
    assert np.array_equal(one.flow_t, again.flow_t)
    assert (one.nodes, one.iterations, one.paths) == (again.nodes, again.iterations, again.paths)
    assert two.cost_eur == pytest.approx(one.cost_eur, rel=1e-6)


def test_a_time_limit_keeps_the_best_plan_with_its_bound() -> None:
    problem = made_up(1, nodes=20, arcs=160, commodities=60, tight=4.0)
    found = solve_network_design(problem, gap=0.0, stop=Stop(0.0))
    check(problem, found)
    assert found.status == "time_limit"
    later = solve_network_design(problem, gap=0.0, stop=Stop(3.0))
    check(problem, later)
    assert later.cost_eur <= found.cost_eur
    assert found.bound_eur <= later.cost_eur


@pytest.mark.parametrize("threads", [1, 2])
def test_a_request_to_stop_keeps_the_best_plan(threads: int) -> None:
    problem = made_up(1, nodes=20, arcs=160, commodities=60, tight=4.0)
    stop = Stop(600.0)
    threading.Timer(1.0, stop.asked.set).start()
    started = time.perf_counter()
    found = solve_network_design(problem, gap=0.0, threads=threads, stop=stop)
    check(problem, found)
    assert found.status == "stopped"
    assert time.perf_counter() - started < 120.0


@pytest.mark.parametrize("by_tree", [False, True], ids=["compact", "tree"])
def test_a_fault_of_the_thread_beside_is_not_lost(by_tree: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if by_tree:
        monkeypatch.setattr("nbb_opt.problems.network_design.solve.small.COMPACT_PAIRS", 0)

    def broken(*_args: object, **_more: object) -> None:
        raise SolveError("the improver broke")

    monkeypatch.setattr(improve.Improver, "improve", broken)
    problem = made_up(1, nodes=20, arcs=160, commodities=60, tight=4.0)
    with pytest.raises(SolveError, match="the improver broke"):
        solve_network_design(problem, gap=0.0, threads=2, stop=Stop(3.0))


def test_the_second_works_while_the_first_waits_and_hears_of_a_stop() -> None:
    stop, halt = Stop(60.0), Stop(60.0)
    turns = Alternation(stop, halt, until=stop.part(0.0))
    steps_seen: list[str] = []

    def second() -> None:
        with turns.second():
            steps_seen.append("second")
            assert halt.asked.wait(30.0)

    beside = threading.Thread(target=second)
    beside.start()
    threading.Timer(0.3, stop.asked.set).start()
    turns.first()  # waits until the second has ended, which the request to stop brings about
    steps_seen.append("first")
    turns.first()  # no second turn
    turns.over()
    beside.join(10.0)
    assert steps_seen == ["second", "first"]


def test_the_second_never_begins_if_the_first_ends_in_its_turn() -> None:
    stop, halt = Stop(60.0), Stop(60.0)
    turns = Alternation(stop, halt, until=stop.part(0.9))
    turns.first()
    turns.over()
    with turns.second():
        assert halt.now()


def test_one_thread_lets_a_long_search_wait_for_the_improver(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[float, bool]] = []
    improved = improve.Improver.improve

    def improving(self: improve.Improver, root: PathOptimum, until: Stop, **more: float) -> None:
        seen.append((until.elapsed_s(), until.now()))
        improved(self, root, until, **more)

    monkeypatch.setattr(improve.Improver, "improve", improving)
    monkeypatch.setattr(steps, "SHARE_COMPACT", 0.0)
    problem = made_up(1, nodes=20, arcs=160, commodities=60, tight=4.0)
    found = solve_network_design(problem, gap=0.0, stop=Stop(4.0))
    check(problem, found)
    assert len(seen) == 1
    assert not seen[0][1]  # it had time of its own
    assert found.bound_eur > 0


def test_highs_hands_out_its_plans() -> None:
    problem = made_up(11, nodes=8, arcs=30, commodities=8, tight=3.0)
    form = design_form(problem, strong=False)
    offered: list[np.ndarray] = []
    solver = Solver(form, threads=1, seed=0, log=[])
    solver.exchange(offer=offered.append, between=lambda: None)
    answer = solver.run(Stop(60.0), phase="", callback=None, known=(float("nan"), -np.inf))
    assert answer.objective == pytest.approx(reference(problem).objective, rel=1e-9)
    costs = [float(form.cost @ values) + form.cost_offset for values in offered]
    assert min(costs) == pytest.approx(answer.objective, rel=1e-9)


def test_highs_ends_once_others_have_proven_the_gap() -> None:
    problem = made_up(12, nodes=12, arcs=70, commodities=20)
    search = steps._DesignSearch(problem, BestKnown(0.9, Stop(60.0)), threads=1, seed=0)
    search.improver.take(np.ones(70, bool))
    search.best.prove(search.best.incumbent)
    search._search_compact(small.compact_form(problem), lambda: None)
    assert search.best.proven()
    assert search.best.nodes == 0


def test_a_fault_while_plans_are_exchanged_ends_the_run_and_is_raised() -> None:
    problem = made_up(11, nodes=8, arcs=30, commodities=8, tight=3.0)
    solver = Solver(design_form(problem, strong=False), threads=1, seed=0, log=[])

    def broken(_values: np.ndarray) -> None:
        raise SolveError("the plan could not be taken")

    solver.exchange(offer=broken, between=lambda: None)
    with pytest.raises(SolveError, match="could not be taken"):
        solver.run(Stop(60.0), phase="", callback=None, known=(float("nan"), -np.inf))


def test_no_plan_before_the_stop_is_said() -> None:
    stop = Stop(10.0)
    problem = made_up(2, tight=3.0)
    search = steps._DesignSearch(problem, BestKnown(0.0, stop), threads=1, seed=0)
    with pytest.raises(NoPlan):
        search.answer()


def test_progress_tells_paths_bound_and_incumbent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "is_small", lambda _network: False)
    heard = []
    solve_network_design(made_up(7, tight=3.0), gap=0.0, stop=Stop(20.0), callback=heard.append)
    assert any("paths" in progress.phase and progress.gap < 1.0 for progress in heard)
    bounds = [p.bound for p in heard if np.isfinite(p.bound)]
    assert bounds == sorted(bounds)


def test_cheapest_paths_are_those_of_every_path_tried() -> None:
    for seed in range(5):
        problem = made_up(seed, nodes=6, arcs=16, commodities=6)
        chance = np.random.default_rng(seed)
        price = chance.random((problem.commodities, problem.arcs))
        price[chance.random(price.shape) < 0.3] = np.inf
        order = np.argsort(problem.tail, kind="stable")
        first = np.searchsorted(problem.tail[order], np.arange(problem.nodes + 1))
        ends = problem.head, problem.tail
        found, arcs, start = cheapest_paths(first, order, *ends, price, problem.origin, problem.destination)
        for k in range(problem.commodities):
            assert found[k] == pytest.approx(_slow(problem, price[k], k))
            path = arcs[start[k] : start[k + 1]]
            if np.isfinite(found[k]):
                assert price[k, path].sum() == pytest.approx(found[k])
                assert problem.tail[path[0]] == problem.origin[k]
                assert problem.head[path[-1]] == problem.destination[k]
                assert (problem.head[path[:-1]] == problem.tail[path[1:]]).all()


def _slow(problem: DesignNetwork, price: np.ndarray, k: int) -> float:
    """Bellman and Ford."""
    distance = np.full(problem.nodes, np.inf)
    distance[problem.origin[k]] = 0.0
    for _ in range(problem.nodes):
        np.minimum.at(distance, problem.head, distance[problem.tail] + price)
    return float(distance[problem.destination[k]])
