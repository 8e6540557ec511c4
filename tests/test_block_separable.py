"""Linear programs that fall apart: the parts have the plan, the value and the prices of the whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csc_array

from nbb_opt.model import StandardForm
from nbb_opt.solve import Stop
from nbb_opt.solve.colgen.block_separable import BlockSeparable
from nbb_opt.solve.highs import Solver, SolverResult

NEVER = (float("nan"), -np.inf)
BLOCKS, ROWS, COLUMNS, JOINT = 4, 6, 9, 3


def joined(seed: int) -> StandardForm:
    """Four blocks of rows and columns, and three columns that stand in rows of all of them, cheap enough to be used."""
    rng = np.random.default_rng(seed)
    size = (BLOCKS * (ROWS + JOINT), BLOCKS * COLUMNS + JOINT)
    matrix = np.zeros(size)
    for b in range(BLOCKS):
        rows, columns = slice(b * ROWS, (b + 1) * ROWS), slice(b * COLUMNS, (b + 1) * COLUMNS)
        matrix[rows, columns] = rng.uniform(0.5, 2.0, (ROWS, COLUMNS))
        for k in range(JOINT):  # what a block takes of the joint column k is at most what there is of it
            row = BLOCKS * ROWS + b * JOINT + k
            matrix[row, columns] = rng.uniform(0.1, 1.0, COLUMNS)
            matrix[row, BLOCKS * COLUMNS + k] = -1.0
    a = csc_array(matrix)
    low = np.concatenate([rng.uniform(5.0, 20.0, BLOCKS * ROWS), np.full(BLOCKS * JOINT, -np.inf)])
    up = np.concatenate([np.full(BLOCKS * ROWS, np.inf), np.zeros(BLOCKS * JOINT)])
    count = size[1]
    return StandardForm(
        cost=np.concatenate([rng.uniform(1.0, 9.0, BLOCKS * COLUMNS), np.full(JOINT, 2.0)]), cost_offset=7.0,
        a_indptr=a.indptr, a_indices=a.indices, a_values=a.data, row_low=low, row_up=up, col_low=np.zeros(count),
        col_up=np.full(count, np.inf), integer=np.zeros(count, bool), col_names=[], row_names=[],
        col_unit_scale=np.ones(count), fix_order=np.full(count, -1, np.int8),
    )  # fmt: skip


def whole(form: StandardForm) -> SolverResult:
    found = Solver(form, threads=1, seed=0, log=[]).run(Stop(30.0), phase="", callback=None, known=NEVER)
    assert found.status == "optimal"
    return found


def apart(form: StandardForm, **asked: object) -> tuple[BlockSeparable, SolverResult]:
    parts = BlockSeparable(form, threads=2, seed=0, log=[], **asked)  # type: ignore[arg-type]
    return parts, parts.run(Stop(30.0), phase="", callback=None, known=NEVER)


def joint(form: StandardForm) -> np.ndarray:
    return np.arange(len(form.cost) - JOINT, len(form.cost))


def fixed(form: StandardForm, values: np.ndarray) -> StandardForm:
    low, up = form.col_low.copy(), form.col_up.copy()
    low[joint(form)] = up[joint(form)] = values
    return replace(form, col_low=low, col_up=up)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("interior", [False, True])
def test_parts_have_the_value_and_the_prices_of_the_whole(seed: int, interior: bool) -> None:
    form = joined(seed)
    best = whole(form)
    assert best.values is not None
    form = fixed(form, np.ceil(best.values[joint(form)]))
    one, (parts, other) = whole(form), apart(form, interior=interior)
    assert len(parts.parts) == BLOCKS
    assert other.objective == pytest.approx(one.objective, rel=1e-7)
    assert other.values is not None
    assert other.row_dual is not None
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost)))
    activity = matrix @ other.values
    assert (activity >= form.row_low - 1e-5).all()
    assert (activity <= form.row_up + 1e-5).all()
    reduced = form.cost - matrix.T @ other.row_dual
    np.testing.assert_allclose(reduced, other.reduced_cost, atol=1e-9)
    assert (reduced[:-JOINT] >= -1e-5).all()  # prices of the whole: no free column could still gain


@pytest.mark.parametrize("seed", range(6))
def test_columns_left_out_at_the_prices_of_the_optimum_lose_nothing(seed: int) -> None:
    form = joined(seed)
    best = whole(form)
    parts, found = apart(form, left_out=joint(form), prices=best.row_dual)
    assert len(parts.parts) == BLOCKS
    assert found.objective == pytest.approx(best.objective, rel=1e-9)
    assert found.values is not None
    assert (found.values[joint(form)] == 0).all()
    worse, free = apart(form, left_out=joint(form), prices=np.zeros(len(form.row_low)))
    assert len(worse.parts) == BLOCKS
    assert free.objective < best.objective  # paid for by nobody: a bound, and a worse one


@pytest.mark.parametrize("left_out", [False, True])
def test_other_costs_give_what_a_fresh_problem_gives(left_out: bool) -> None:
    form = joined(1)
    best = whole(form)
    assert best.values is not None
    asked = {"left_out": joint(form), "prices": best.row_dual} if left_out else {}
    form = form if left_out else fixed(form, np.ceil(best.values[joint(form)]))
    parts, before = apart(form, **asked)
    some = np.arange(0, BLOCKS * COLUMNS, 2)
    cost = form.cost.copy()
    cost[some] *= 1.02
    parts.price(some, cost[some])
    again = parts.run(Stop(30.0), phase="", callback=None, known=NEVER)
    _, fresh = apart(replace(form, cost=cost), **asked)
    assert again.objective == pytest.approx(fresh.objective, rel=1e-9)
    assert again.objective > before.objective * 1.001
    assert again.iterations < fresh.iterations
    np.testing.assert_allclose(again.reduced_cost, fresh.reduced_cost, atol=1e-7)


def test_a_part_that_has_no_plan_and_a_row_that_nothing_can_keep_are_infeasible() -> None:
    form = joined(0)
    assert apart(fixed(form, np.zeros(JOINT)))[1].status == "infeasible"
    nothing = replace(form, col_up=np.zeros(len(form.cost)))
    assert apart(nothing)[1].status == "infeasible"
