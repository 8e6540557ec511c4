"""Solvers that Pyomo reaches give our optimum, verified; a model goes out as a file and its solution comes back."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import highspy
import numpy as np
import pytest

from design_case import instance_of, made_up
from nbb_opt.errors import Infeasible, NbbError, NoPlan, SolveError, VerifyFailed
from nbb_opt.model import StandardForm
from nbb_opt.model.model_file import file_names, read_solution, write_model
from nbb_opt.problems.dispatch import stated_model
from nbb_opt.problems.network_design.model import design_form
from nbb_opt.solve import Stop, any_solver, solve_form
from nbb_opt.solve.any_solver import cbc_program, solve_with
from test_solve import form as small_form

INSTANCES = Path(__file__).parents[1] / "instances"
OPEN = ("highs", "scip", "cbc")
ODD = ["a b", "a_b", "é", "x-y", "q'q", "1", "[z]", "a,b", "#"]


@pytest.mark.parametrize("solver", OPEN)
@pytest.mark.parametrize("seed", [1, 4])
def test_an_open_solver_finds_and_proves_our_optimum(solver: str, seed: int) -> None:
    problem = design_form(made_up(seed))
    ours = solve_form(problem, gap=1e-7)
    theirs = solve_with(problem, solver, gap=1e-7, stop=Stop(60.0))
    assert theirs.status == "optimal"
    assert theirs.objective == pytest.approx(ours.objective, rel=1e-6)
    assert theirs.bound <= ours.objective * (1 + 1e-9)
    assert theirs.gap <= 1e-7 * (1 + 1e-6)


@pytest.mark.parametrize("solver", OPEN)
def test_what_is_infeasible_is_so_by_every_solver(solver: str) -> None:
    problem = small_form([1.0, 1.0], [[1, 1]], [3], [np.inf], col_up=[1.0, 1.0], integer=(0,))
    with pytest.raises(Infeasible):
        solve_with(problem, solver, gap=1e-6, stop=Stop(30.0))


def test_fractions_at_the_time_limit_are_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = small_form([1.0, 1.0], [[1, 1]], [1.5], [np.inf], integer=(0,))
    stop = Stop(0.3)
    found = any_solver._Found(np.array([0.5, 1.0]), 0.0, "time")
    monkeypatch.setattr(any_solver, "_interface", lambda _name: lambda *_arguments: found)
    with pytest.raises(NoPlan, match="no plan found in time"):
        solve_with(problem, "cbc", gap=1e-6, stop=stop)


def test_a_solver_that_is_not_there_is_named_with_what_installs_it() -> None:
    problem = small_form([1.0], [[1]], [1], [2])
    with pytest.raises(SolveError, match="known names: highs, scip, cbc"):
        solve_with(problem, "abacus", gap=1e-6, stop=Stop(5.0))
    if find_spec("xpress") is None:
        with pytest.raises(SolveError, match="pip install xpress"):
            solve_with(problem, "xpress", gap=1e-6, stop=Stop(5.0))


def odd_form() -> StandardForm:
    """A random design whose names hold every odd sign, and an offset in the cost."""
    problem = made_up(2)
    arcs = [f"{ODD[i % len(ODD)]} {i}" if i % 2 else f"{ODD[i % len(ODD)]}_{i}" for i in range(problem.arcs)]
    names = (instance_of(problem).names()[0], arcs, ["a b", "a_b", "a-b", "aéb", "a'b"])
    return replace(design_form(problem, names=names), cost_offset=17.5)


@pytest.mark.parametrize("ending", ["lp", "mps"])
@pytest.mark.parametrize("solver", ["highs", "scip", "cbc"])
def test_a_model_with_odd_names_survives_the_trip(ending: str, solver: str, tmp_path: Path) -> None:
    problem, file, answer = odd_form(), tmp_path / f"model.{ending}", tmp_path / "answer.sol"
    write_model(problem, file, title="a model")
    _solved_elsewhere(solver, file, answer)
    values = read_solution(answer, problem)
    found = float(problem.cost @ values) + problem.cost_offset
    assert found == pytest.approx(solve_form(problem, gap=1e-8).objective, rel=1e-6)


def _solved_elsewhere(solver: str, file: Path, answer: Path) -> None:
    if solver == "highs":
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.setOptionValue("mip_rel_gap", 1e-9)
        assert highs.readModel(str(file)) == highspy.HighsStatus.kOk
        highs.run()
        highs.writeSolution(str(answer), 0)
    elif solver == "scip":
        from pyscipopt import Model

        scip = Model()
        scip.hideOutput()
        scip.readProblem(str(file))
        scip.optimize()
        scip.writeBestSol(str(answer))
    else:
        program = cbc_program()
        assert program is not None
        command = [program, str(file), "-ratioGap", "0", "-solve", "-solu", str(answer)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


def test_both_files_hold_every_figure_to_its_last_digit(tmp_path: Path) -> None:
    problem = odd_form()
    problem.a_values[:] *= 1 / 3
    for ending in ("lp", "mps"):
        write_model(problem, tmp_path / f"model.{ending}", title="a model")
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.readModel(str(tmp_path / f"model.{ending}"))
        lp = highs.getLp()
        order = [lp.col_names_.index(name) for name in file_names(problem.col_names)]
        assert [lp.col_cost_[j] for j in order] == problem.cost.tolist()
        assert sorted(lp.a_matrix_.value_) == sorted(problem.a_values.tolist())
        assert lp.offset_ == problem.cost_offset


def test_names_in_files_are_never_the_same() -> None:
    names = file_names([f"built[{odd}]" for odd in ODD] * 2)
    assert len(set(names)) == 2 * len(ODD)


GUROBI = "# Solution for model x\n# Objective value = 3\nx(1) 1\nx(2) 2\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GUROBI.replace("x(2)", "z(2)"), "line 4: 'z.2.' is no column of the model"),
        (GUROBI + "x(1) 1\n", "line 5: 'x.1.' comes twice"),
        (GUROBI.replace("x(2) 2", "x(2) two"), "line 4: 'two' is no number"),
        (GUROBI.replace("x(1) 1", "x(1) 0.5"), "is no whole number"),
        (GUROBI.replace("x(2) 2", "x(2) nan"), "is no value"),
        ("objective value: 3\n", "holds no value of the model"),
    ],
)
def test_a_solution_file_with_a_fault_is_refused_with_its_line(text: str, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "x.sol"
    file.write_text(text)
    problem = small_form([1.0, 1.0], [[1, 1]], [3], [np.inf], integer=(0,))
    named = StandardForm(**{**vars(problem), "col_names": ["x[1]", "x[2]"], "row_names": ["r"]})
    with pytest.raises(NbbError, match=fault):
        read_solution(file, named)


@pytest.mark.parametrize(("instance", "scale"), [("design_tiny", 1e-9), ("tiny", 1e-7), ("stram_tiny", 1e-7)])
def test_a_solution_of_every_problem_is_verified_and_a_spoiled_one_refused(
    instance: str, scale: float, tmp_path: Path
) -> None:
    stated = stated_model(INSTANCES / instance, None)
    write_model(stated.form, tmp_path / "model.mps", title=stated.title)
    _solved_elsewhere("highs", tmp_path / "model.mps", tmp_path / "answer.sol")
    values = read_solution(tmp_path / "answer.sol", stated.form)
    assert stated.accept(values).lines[0].startswith("verified: OK")
    cost = float(stated.form.cost @ values) + stated.form.cost_offset
    assert cost == pytest.approx(solve_form(stated.form, gap=scale).objective, rel=1e-6)
    carried = np.array([name.startswith("carried_t[") for name in stated.form.col_names])
    values[np.argmax(np.where(carried, values, 0.0))] *= 0.9
    with pytest.raises(VerifyFailed, match="is not accepted"):
        stated.accept(values)


def test_another_ending_than_lp_or_mps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NbbError, match=r"\.lp or \.mps"):
        write_model(odd_form(), tmp_path / "model.txt", title="")
