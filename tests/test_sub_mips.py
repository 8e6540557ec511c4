"""Plans from small MIPs beside a tree: better than rounding up, and the same on one core as on two."""

from dataclasses import replace

import numpy as np
import pytest

import nbb_opt as nbb
from milp_case import TINY
from nbb_opt.errors import NoPlan, SolveError
from nbb_opt.instance import read_instance
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import Steps, solve_instance
from nbb_opt.result import decision_gap, read_run
from nbb_opt.solve import DecisionGap, Stop, solve_form
from nbb_opt.solve.mip.branch import TreeBeside
from nbb_opt.solve.mip.dive import Dive, groups
from nbb_opt.solve.mip.strong_branching import strong_branching
from nbb_opt.solve.mip.sub_mips import Effort, SubMips
from nbb_opt.solve.mip.warm import Warm
from nbb_opt.solve.stop import UNKNOWN
from nbb_opt.verify import verify_run
from test_solve import best_by_trying_all_depots, depots, knapsack

ALL_COLUMNS = Effort(left_out=np.inf, gap=0.0)


def relaxed(problem):
    solver = Warm(threads=1, seed=0).take(problem)
    return solver, solver.run(Stop(60.0), phase="relax", callback=None, known=UNKNOWN)


def small_mips(problem):
    return SubMips(problem, Warm(threads=1, seed=0), relaxed(problem)[0], stop=Stop(60.0), callback=None, label="")


@pytest.mark.parametrize("seed", range(4))
def test_decided_depots_completed_by_small_mips_cost_no_more_than_rounded_up_or_in_batches(seed):
    problem = depots(seed, budget=1500)
    solver, root = relaxed(problem)
    dive = Dive(problem, solver, stop=Stop(60.0), callback=None, label="", bound=root.objective)
    decided = dive.decide(root)
    rounded = dive.complete(decided)
    first = np.round(decided.values[groups(problem)[0]])
    plan = small_mips(problem).complete(first, ALL_COLUMNS, below=np.inf)
    settled = small_mips(problem).complete(first, None, below=np.inf)
    assert best_by_trying_all_depots(problem) * (1 - 1e-9) <= plan.objective <= rounded.objective * (1 + 1e-9)
    assert plan.objective <= settled.objective * (1 + 1e-9)
    for whole in (plan.values[problem.integer], settled.values[problem.integer]):
        assert np.abs(whole - np.round(whole)).max() < 1e-6


def sides(problem, *, threads=1, stop=None):
    solver, root = relaxed(problem)
    both = (solver, small_mips(problem).solver)
    return strong_branching(
        both, groups(problem)[0], root, stop=stop or Stop(60.0), phase="", callback=None, known=UNKNOWN, threads=threads
    )


def rounded(problem, column, *, low, up):
    col_low, col_up = problem.col_low.copy(), problem.col_up.copy()
    col_low[column], col_up[column] = max(low, col_low[column]), min(up, col_up[column])
    return relaxed(replace(problem, col_low=col_low, col_up=col_up))[1]


@pytest.mark.parametrize("problem", [depots(2, budget=1500), depots(4)], ids=["budget", "no budget"])
def test_both_sides_of_what_is_in_doubt_are_the_linear_programs_with_it_rounded(problem):
    found, root = sides(problem), relaxed(problem)[1]
    in_doubt = [j for j in groups(problem)[0] if abs(root.values[j] - round(root.values[j])) > 1e-6]
    assert len(in_doubt) > 0
    assert found.columns.tolist() == in_doubt
    for j, cost, rise, cheaper in zip(found.columns, found.cost.T, found.rises.T, found.cheaper, strict=True):
        value, low = root.values[j], np.floor(root.values[j])
        down, up = (rounded(problem, j, low=-np.inf, up=low), rounded(problem, j, low=low + 1, up=np.inf))
        apart = [each.objective if each.status == "optimal" else np.inf for each in (down, up)]
        assert cost == pytest.approx(apart)
        assert cheaper == low + (apart[1] < apart[0])
        by_hand = [(apart[0] - root.objective) / (value - low), (apart[1] - root.objective) / (low + 1 - value)]
        known = np.isfinite(apart)
        assert rise[known] == pytest.approx(np.array(by_hand)[known], abs=1e-6)
        assert np.isnan(rise[~known]).all()
    assert root.objective <= found.bound <= best_by_trying_all_depots(problem) * (1 + 1e-9)
    two = sides(problem, threads=2)
    assert (two.cost.tolist(), two.iterations) == (found.cost.tolist(), found.iterations)


def test_what_is_in_doubt_when_time_is_over_goes_to_the_nearer_side_or_down():
    problem = depots(2, budget=1500)
    found = sides(problem, stop=Stop(0.0))
    assert np.isnan(found.cost).all()
    assert found.cheaper.tolist() == np.where(found.values >= 0.7, 1.0, 0.0).tolist()
    assert found.bound == relaxed(problem)[1].objective


def test_roundings_that_are_impossible_together_give_way_to_a_dive():
    problem = depots(2, budget=1500)
    solver, root = relaxed(problem)
    found = sides(problem)
    none = replace(found, cost=np.stack([np.zeros(len(found.columns)), np.ones(len(found.columns))]))  # no depot at all
    dive = Dive(problem, solver, stop=Stop(60.0), callback=None, label="", bound=root.objective)
    decided = dive.decide(root, none).values[groups(problem)[0]]
    assert decided == pytest.approx(np.round(decided))
    assert decided.sum() >= 1


def test_slim_columns_that_allow_no_plan_give_way_to_all_columns():
    problem = depots(1)
    _solver, root = relaxed(problem)
    nothing_left = replace(ALL_COLUMNS, left_out=-np.inf)  # every column at zero
    # one depot serves everybody: the columns of its deliveries are zero in the relaxation, so that all are needed
    one = np.eye(6)[int(np.argmin(root.values[:6]))]
    plan = small_mips(problem).complete(one, nothing_left, below=np.inf)
    assert plan is not None
    assert plan.values[:6] == pytest.approx(one)


def test_a_decision_that_cannot_beat_the_best_plan_is_given_up():
    problem = depots(0)
    _solver, root = relaxed(problem)
    assert small_mips(problem).complete(np.ones(6), ALL_COLUMNS, below=root.objective) is None


def bounds_after(problem, nodes, *, alone):
    solver, root = relaxed(problem)
    first = groups(problem)[0]
    beside = TreeBeside(solver, first, stop=Stop(60.0), root_bound=root.objective, label="", alone=alone)
    with beside.running():
        if not alone:  # however far it is ahead
            assert beside.ended.wait(60.0)
        return [beside.bound_after(n)[0] for n in nodes], [leaf.tolist() for leaf in beside.leaves]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_proven_after_some_nodes_does_not_hang_on_who_was_quicker(seed):
    problem = depots(seed, budget=1500)
    nodes = (1, 5, 9, 1000)
    ahead, waited = (bounds_after(problem, nodes, alone=alone) for alone in (False, True))
    assert ahead == waited
    proven = [*ahead[0], best_by_trying_all_depots(problem) * (1 + 1e-9)]
    assert proven == sorted(proven)
    assert seed != 2 or proven[0] < proven[-2]  # where the relaxation has fractions of depots, branching lifts it


@pytest.mark.parametrize("problem", [depots(3, budget=1500), knapsack(seed=2)], ids=["depots", "knapsack"])
def test_one_and_two_threads_give_the_same_plan_bound_and_nodes(problem):
    one, two = (solve_form(problem, gap=1e-9, threads=threads) for threads in (1, 2))
    assert (one.objective, one.bound, one.values.tolist()) == (two.objective, two.bound, two.values.tolist())
    assert (one.nodes, one.iterations) == (two.nodes, two.iterations)


def test_a_fault_in_the_tree_is_raised_where_its_bound_is_asked_for():
    problem = depots(0)
    solver, root = relaxed(problem)

    class Broken:
        form = problem
        bound, fix, free = solver.bound, solver.fix, solver.free

        def run(self, *_args, **_options):
            raise SolveError("HiGHS is gone")

    beside = TreeBeside(Broken(), groups(problem)[0], stop=Stop(60.0), root_bound=root.objective, label="")
    with beside.running(), pytest.raises(SolveError, match="HiGHS is gone"):
        beside.bound_after(10)


def test_no_small_mip_is_more_exact_than_what_is_asked_for_needs():
    assert [replace(ALL_COLUMNS, gap=gap).at_most(2.0).gap for gap in (5.0, 1.0)] == [5.0, 2.0]


def test_a_search_whose_gap_is_proven_by_the_plan_of_a_small_mip_waits_for_no_bound_of_the_tree():
    problem = depots(2, budget=1500)
    solver, root = relaxed(problem)
    dive = Dive(problem, solver, stop=Stop(60.0), callback=None, label="", bound=root.objective)
    quick, optimum = dive.complete(dive.hasten(root)).objective, best_by_trying_all_depots(problem)
    assert quick > optimum * 1.001  # so that rounding is not enough
    gap = 1 - root.objective / ((quick + optimum) / 2)
    found = solve_form(problem, gap=gap, threads=1)
    assert (found.status, found.nodes) == ("optimal", 0)


def test_a_decision_gap_stops_at_a_share_of_what_can_be_decided():
    problem = depots(2, budget=1500)
    optimum = best_by_trying_all_depots(problem)
    reference = 2.0 * optimum
    open_ended = solve_form(problem, gap=DecisionGap(1.0, reference))
    tight = solve_form(problem, gap=DecisionGap(0.01, reference))
    assert decision_gap(tight.objective, tight.bound, reference) <= 0.01
    assert open_ended.nodes <= tight.nodes


def test_where_nothing_can_be_decided_the_search_still_ends():
    problem = depots(0)
    optimum = best_by_trying_all_depots(problem)
    found = solve_form(problem, gap=DecisionGap(0.05, optimum), time_limit_s=60.0)
    assert (found.status, found.objective) == ("optimal", pytest.approx(optimum, rel=2e-6))


def test_a_run_to_a_decision_gap_says_so_and_is_verified_by_it(tmp_path):
    found = nbb.solve(nbb.read(TINY), options=SolveOptions(decision_gap=0.5), out=tmp_path / "run")
    assert found.record["options"]["decision_gap"] == 0.5
    undecided = decision_gap(found.cost_eur, found.bound_eur, found.reference.cost_eur)
    assert undecided <= 0.5
    assert f"{undecided:.1%} of what can be decided" in str(found)
    run = read_run(tmp_path / "run")
    assert verify_run(run, read_instance(TINY)).ok
    run.record["options"]["decision_gap"] = 1e-9  # now "optimal" claims more than is proven, unless all is proven
    run.record["bound"] -= 0.1 * (found.reference.cost_eur - found.cost_eur)
    assert not verify_run(run, read_instance(TINY)).ok


def test_time_that_ends_before_a_plan_leaves_the_last_plan_and_says_what_helps(tmp_path, monkeypatch):
    solve = Steps.solve

    def too_slow(self, built, *form, **options):
        return solve(self, built, *form, **options) if built.spec.name == "frozen" else unsolved(Stop(0.0))

    def unsolved(stop):
        raise stop.no_plan()

    monkeypatch.setattr(Steps, "solve", too_slow)
    instance = read_instance(TINY)
    with pytest.raises(NoPlan, match=r"in time \(0 s\); allow more with time_limit_s=\. The frozen plan, verified, is"):
        solve_instance(instance, out=tmp_path / "run")
    kept = read_run(tmp_path / "run")
    assert kept.record["model"] == "frozen"
    assert verify_run(kept, instance).ok
