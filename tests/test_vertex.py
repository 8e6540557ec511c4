"""The vertex of a basis worked out anew: rows kept to their own rounding, whatever the solver's values had gathered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csc_array

from nbb_opt.errors import SolveError
from nbb_opt.model import StandardForm
from nbb_opt.problems.stram.model import build_stram, read_stram_model
from nbb_opt.solve import Stop, solve_form
from nbb_opt.solve.highs import Solver, SolverResult
from nbb_opt.solve.mip.vertex import OwnRows, exact_values, exact_vertex
from nbb_opt.solve.mip.warm import Warm
from stram_case import tiny

TIGHT = 1e-9


def relaxation() -> tuple[StandardForm, Solver, SolverResult]:
    built = build_stram(tiny(), read_stram_model("stram_cap"), first_emissions_t=7500.0)
    form = built.form()
    solver = Solver(form, threads=1, seed=0, log=[])
    solver.relax()
    solver.set("primal_feasibility_tolerance", TIGHT)
    return form, solver, solver.run(Stop(60.0), phase="", callback=None, known=(np.nan, -np.inf))


def piled_up(solver: Solver, values: np.ndarray) -> np.ndarray:
    """The values with an error of a ten-thousandth in every column that is basic."""
    basic = np.array([str(status).endswith("kBasic") for status in solver.highs.getBasis().col_status])
    return values + np.where(basic, 1e-4, 0.0)


def test_what_piled_up_in_the_columns_is_taken_out_again() -> None:
    _, solver, answer = relaxation()
    assert answer.values is not None
    wrong = piled_up(solver, answer.values)
    assert OwnRows(solver).miss(wrong) > 1e-7
    mended = exact_values(solver, wrong, feasibility=TIGHT)
    assert OwnRows(solver).miss(mended) <= TIGHT
    np.testing.assert_allclose(mended, answer.values, rtol=1e-9, atol=1e-7)


def test_every_row_of_the_vertex_is_as_exact_as_a_dense_solve_of_its_basis() -> None:
    form, solver, answer = relaxation()
    assert answer.values is not None
    found = exact_vertex(solver, piled_up(solver, answer.values))
    basis = solver.highs.getBasis()
    basic = np.array([str(status).endswith("kBasic") for status in basis.col_status])
    bound = np.array([not str(status).endswith("kBasic") for status in basis.row_status])
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost)))
    dense = matrix.toarray()[bound]
    activity = dense @ answer.values
    low, up = form.row_low[bound], form.row_up[bound]
    side = np.where(np.abs(activity - low) <= np.abs(activity - up), low, up)
    slow = answer.values.copy()
    slow[basic] = np.linalg.solve(dense[:, basic], side - dense[:, ~basic] @ slow[~basic])
    np.testing.assert_allclose(found, slow, rtol=1e-8, atol=1e-6)


def test_values_that_keep_their_rows_stay_as_they_are() -> None:
    _, solver, answer = relaxation()
    assert answer.values is not None
    assert exact_values(solver, answer.values, feasibility=TIGHT) is answer.values


def test_without_a_basis_there_is_no_vertex() -> None:
    _, solver, answer = relaxation()
    assert answer.values is not None
    solver.highs.clearSolver()
    with pytest.raises(SolveError, match="no basis"):
        exact_vertex(solver, answer.values)


def test_a_plan_with_an_error_in_a_row_is_solved_again_from_a_clean_start(monkeypatch: pytest.MonkeyPatch) -> None:
    form, _, _ = relaxation()
    run = Solver.run

    def spoiled(self: Solver, *args: object, phase: str, **others: object) -> SolverResult:
        answer = run(self, *args, phase=phase, **others)  # type: ignore[arg-type]
        if answer.values is None or phase == "fix and re-solve":
            return answer
        return replace(answer, values=piled_up(self, answer.values))

    exact = solve_form(form, gap=1e-7, warm=Warm(threads=1, seed=0, feasibility=TIGHT))
    monkeypatch.setattr(Solver, "run", spoiled)
    found = solve_form(form, gap=1e-7, warm=Warm(threads=1, seed=0, feasibility=TIGHT))
    assert found.objective == pytest.approx(exact.objective, rel=1e-9)
    np.testing.assert_array_less(form.row_low - 1e-6, csc_array(
        (form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost))
    ) @ found.values)  # fmt: skip
