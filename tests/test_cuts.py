"""Cuts of shared capacities: every plan keeps them, fractions of a project do not."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from nbb_opt.solve import solve_form
from nbb_opt.solve.highs import Solver
from nbb_opt.solve.mip.cuts import CapacityRows, with_cuts
from nbb_opt.solve.mip.warm import Warm
from nbb_opt.solve.stop import UNKNOWN, Stop
from test_solve import form


def terminal(seed, *, flows=6, projects=2, most=1.0):
    """Each flow goes over a terminal or, dearer, past it; projects, decided first, let more through the terminal."""
    rng = np.random.default_rng(seed)
    demand, detour = rng.integers(5, 30, flows).astype(float), rng.integers(5, 40, flows).astype(float)
    free, more = float(rng.integers(5, 40)), rng.integers(20, 60, projects).astype(float)
    handled = rng.integers(1, 3, flows).astype(float)  # once or twice by the terminal
    n = projects + 2 * flows
    rows = np.zeros((flows + 1, n))
    for flow in range(flows):
        rows[flow, [projects + 2 * flow, projects + 2 * flow + 1]] = 1.0
        rows[flows, projects + 2 * flow] = handled[flow]
    rows[flows, :projects] = -more
    cost = np.concatenate([rng.integers(100, 500, projects), np.stack([np.zeros(flows), detour], axis=1).ravel()])
    top = np.concatenate([np.full(projects, most), np.full(2 * flows, np.inf)])
    low, up = np.append(demand, -np.inf), np.append(demand, free)
    return form(cost, rows, low, up, col_up=top, integer=range(projects), first=range(projects))


def parts(problem):
    return sp.csc_array((problem.a_values, problem.a_indices, problem.a_indptr))


def optimum(problem, *, whole):
    answer = milp(
        problem.cost,
        constraints=LinearConstraint(parts(problem), problem.row_low, problem.row_up),
        bounds=Bounds(problem.col_low, problem.col_up),
        integrality=problem.integer & whole,
    )
    return answer.fun, answer.x


def with_all_cuts(problem):
    rows, kept, values = CapacityRows(problem), [], optimum(problem, whole=False)[1]
    while (cuts := rows.cuts(values)) is not None:
        assert (cuts.matrix @ values < cuts.low - 1e-9).all()  # each cuts the fractions off
        kept.append(cuts)
        values = optimum(with_cuts(problem, kept), whole=False)[1]
    return kept


@pytest.mark.parametrize("most", [1.0, 3.0])
@pytest.mark.parametrize("seed", range(12))
def test_every_plan_with_whole_projects_keeps_the_cuts(seed, most):
    problem = terminal(seed, most=most)
    kept = with_all_cuts(problem)
    upper = np.isfinite(problem.row_up)
    for counts in np.ndindex(*(int(most) + 1,) * 2):
        low, up = problem.col_low.copy(), problem.col_up.copy()
        low[:2] = up[:2] = counts
        for cuts in kept:
            for row, least in zip(cuts.matrix.toarray(), cuts.low, strict=True):
                worst = linprog(row, A_ub=parts(problem)[upper], b_ub=problem.row_up[upper],
                                bounds=np.stack([low, up], axis=1))  # fmt: skip
                assert worst.fun >= least - 1e-6 * (1 + abs(least))


def test_cuts_lift_the_relaxation_towards_the_optimum_and_never_above():
    closed = []
    for seed in range(12):
        problem = terminal(seed)
        relaxed, best = optimum(problem, whole=False)[0], optimum(problem, whole=True)[0]
        lifted = optimum(with_cuts(problem, with_all_cuts(problem)), whole=False)[0]
        assert relaxed - 1e-6 <= lifted <= best * (1 + 1e-9)
        closed += [(lifted - relaxed) / (best - relaxed)] if best > relaxed * (1 + 1e-9) else []
    assert np.mean(closed) > 0.5


def test_a_capacity_that_one_flow_uses_or_that_is_enough_for_all_needs_no_cut():
    assert CapacityRows(terminal(0, flows=1)).rows == []
    problem = terminal(0)
    assert CapacityRows(problem).rows
    assert CapacityRows(replace(problem, row_up=np.append(problem.row_up[:-1], 1e6))).rows == []


@pytest.mark.parametrize("seed", range(4))
def test_the_search_with_cuts_ends_at_the_optimum(seed):
    problem = terminal(seed, flows=12)
    assert solve_form(problem, gap=1e-9).objective == pytest.approx(optimum(problem, whole=True)[0], rel=1e-8)


def test_a_warm_solver_drops_the_cuts_of_the_last_problem():
    problem = next(p for p in map(terminal, range(12)) if CapacityRows(p).cuts(optimum(p, whole=False)[1]))
    warm = Warm(threads=1, seed=0)
    solve_form(problem, gap=1e-9, warm=warm)
    roomier = replace(problem, row_up=np.append(problem.row_up[:-1], problem.row_up[-1] + 20.0))
    answer = warm.take(roomier).run(Stop(9.0), phase="", callback=None, known=UNKNOWN)
    assert answer.objective == pytest.approx(optimum(roomier, whole=False)[0])
    again = solve_form(roomier, gap=1e-9, warm=warm)
    assert again.objective == pytest.approx(optimum(roomier, whole=True)[0], rel=1e-8)


def test_cuts_that_highs_cannot_solve_are_left_out(monkeypatch):
    run = Solver.run

    def in_trouble(self, stop, *, phase, **other):
        answer = run(self, stop, phase=phase, **other)
        return replace(answer, status="error", values=None) if phase == "cuts" else answer

    problem = terminal(1)
    assert with_all_cuts(problem)
    monkeypatch.setattr(Solver, "run", in_trouble)
    assert solve_form(problem, gap=1e-9).objective == pytest.approx(optimum(problem, whole=True)[0], rel=1e-8)
