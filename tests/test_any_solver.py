"""Solvers that Pyomo reaches give our optimum, verified; a model goes out as a file and its solution comes back."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import highspy
import numpy as np
import pytest

from command_line import nbb_opt
from design_case import instance_of, made_up
from nbb_opt.errors import Infeasible, NbbError, NoPlan, SolveError, VerifyFailed
from nbb_opt.model import StandardForm
from nbb_opt.model.model_file import constant_name, file_names, lp_text, write_model
from nbb_opt.model.solution_file import read_solution
from nbb_opt.options import SolveOptions
from nbb_opt.problems.dispatch import handlers, stated_model, verify_solution
from nbb_opt.problems.handlers import SolveRequest, StatedModel, VerifyRequest
from nbb_opt.problems.network_design.model import design_form
from nbb_opt.solve import Stop, any_solver, solve_form
from nbb_opt.solve.any_solver import cbc_program, find_solver, solve_with
from test_solve import form as small_form

INSTANCES = Path(__file__).parents[1] / "instances"
OPEN = ("highs", "scip", "cbc")
ODD = ["a b", "a_b", "é", "x-y", "q'q", "1", "[z]", "a,b", "#"]


@pytest.mark.promise(9)
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


def test_a_solver_that_breaks_is_named_with_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_licence(*_arguments: object) -> None:
        raise ValueError("size-limited\nlicence")

    problem = small_form([1.0, 1.0], [[1, 1]], [1.5], [np.inf])
    monkeypatch.setattr(any_solver, "find_solver", lambda _name: no_licence)
    with pytest.raises(SolveError, match="gurobi failed: ValueError: size-limited licence"):
        solve_with(problem, "gurobi", gap=1e-6, stop=Stop(30.0))


def test_cbc_is_given_seconds_of_the_clock_not_of_the_processor() -> None:
    class AskedError(Exception):
        pass

    class Solver:
        options: ClassVar[dict[str, object]] = {}

        def solve(self, *_model: object, **_how: object) -> None:
            raise AskedError

    with pytest.raises(AskedError):
        any_solver._classic(Solver(), any_solver.KNOWN["cbc"])(None, [], 0.01, 7.9, 2)
    assert Solver.options == {"timeMode": "elapsed", "ratioGap": 0.01, "sec": 7, "threads": 2}


def test_fractions_at_the_time_limit_are_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = small_form([1.0, 1.0], [[1, 1]], [1.5], [np.inf], integer=(0,))
    stop = Stop(0.3)
    found = any_solver._Found(np.array([0.5, 1.0]), 0.0, "time")
    monkeypatch.setattr(any_solver, "find_solver", lambda _name: lambda *_arguments: found)
    with pytest.raises(NoPlan, match=r"no plan found in time .* allow more with time_limit_s="):
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
@pytest.mark.parametrize("solver", ["highs", "scip", "cbc", "gurobi"])
def test_a_model_with_odd_names_survives_the_trip(ending: str, solver: str, tmp_path: Path) -> None:
    problem, file, answer = odd_form(), tmp_path / f"model.{ending}", tmp_path / "answer.sol"
    write_model(problem, file, title="a model", model="odd")
    _solved_elsewhere(solver, file, answer)
    values = read_solution(answer, problem, "odd").values
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
    elif solver == "gurobi":
        gurobipy = pytest.importorskip("gurobipy", reason="needs gurobipy (its own licence is enough)")
        with gurobipy.Env(params={"OutputFlag": 0}) as quiet, gurobipy.read(str(file), env=quiet) as model:
            model.Params.MIPGap = 1e-9
            model.optimize()
            model.write(str(answer))
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
        write_model(problem, tmp_path / f"model.{ending}", title="a model", model="odd")
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.readModel(str(tmp_path / f"model.{ending}"))
        lp = highs.getLp()
        order = [lp.col_names_.index(name) for name in file_names(problem.col_names)]
        assert [lp.col_cost_[j] for j in order] == problem.cost.tolist()
        assert sorted(lp.a_matrix_.value_) == sorted(problem.a_values.tolist())
        assert lp.col_cost_[lp.col_names_.index(constant_name("odd"))] == problem.cost_offset


def test_names_in_files_are_never_the_same() -> None:
    names = file_names([f"built[{odd}]" for odd in ODD] * 2)
    assert len(set(names)) == 2 * len(ODD)


@pytest.mark.parametrize("solver", OPEN)
def test_an_open_solver_gives_the_optimum_of_tiny_that_was_made_by_hand(solver: str, tmp_path: Path) -> None:
    options = SolveOptions(solver=solver, gap=1e-6)
    request = SolveRequest(instance=INSTANCES / "tiny", out=tmp_path / "run", options=options, stop=Stop(60.0))
    found = handlers("freight").solve(request).record
    assert (found["status"], found["verified"], found["options"]["solver"]) == ("optimal", True, solver)
    assert found["cost_eur"] == pytest.approx(18_988_400.0, rel=1e-6)
    assert 0 <= found["cost_eur"] - found["bound"] <= 1e-6 * found["cost_eur"]
    assert handlers("freight").verify(VerifyRequest(run=tmp_path / "run", again_s=0.0)).record["ok"]


@pytest.fixture(scope="module")
def haulier() -> StatedModel:
    return stated_model(INSTANCES / "haulier")


def test_scip_prints_nothing_since_a_full_pipe_would_hang_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from pyomo.contrib.solver.solvers.scip.scip_direct import ScipDirect

    pytest.importorskip("pyscipopt", reason="needs pyscipopt")
    logs, solve = [], ScipDirect.solve

    def watched(*args: Any, **options: Any) -> Any:
        found = solve(*args, **options)
        logs.append(found.solver_log)
        return found

    monkeypatch.setattr(ScipDirect, "solve", watched)
    solve_with(odd_form(), "scip", gap=1e-6, stop=Stop(60.0))
    assert logs == [""]


@pytest.mark.parametrize("gap", [0.01, pytest.param(1e-3, marks=pytest.mark.hard)])
@pytest.mark.parametrize("solver", OPEN)
def test_an_open_solver_finds_our_optimum_of_haulier_within_the_gap(
    haulier: StatedModel, solver: str, gap: float
) -> None:
    ours = solve_form(haulier.form, gap=gap, time_limit_s=120)
    theirs = solve_with(haulier.form, solver, gap=gap, stop=Stop(600.0))
    assert theirs.status == "optimal"
    assert theirs.gap <= gap * (1 + 1e-6)
    for one, other in ((theirs, ours), (ours, theirs)):  # neither bound is above a plan of the other
        assert one.bound <= other.objective * (1 + 1e-6)
    assert haulier.accept(theirs.values).record["cost_eur"] == pytest.approx(theirs.objective, rel=1e-6)


def test_a_solver_may_be_written_in_any_case_and_a_slip_is_named() -> None:
    assert find_solver("HiGHS") is not None
    with pytest.raises(SolveError, match="did you mean 'gurobi'"):
        find_solver("gorubi")


def test_a_missing_solver_is_refused_before_the_instance_is_read(tmp_path: Path) -> None:
    if find_spec("gurobipy") is not None:
        pytest.skip("Gurobi is there")
    for instance in ("tiny", "design_tiny", "stram_tiny", "no_such_instance"):
        done = nbb_opt("solve", INSTANCES / instance, "--solver", "gurobi", cwd=tmp_path)
        assert done.returncode == 1
        if instance != "no_such_instance":
            assert done.stderr.splitlines()[-1].startswith(
                "solver 'gurobi' is not on this machine; to install it: pip install gurobipy"
            )
            assert "build" not in done.stderr


# ---- files of solutions

GUROBI = "# Solution for model x\n# Objective value = 5\nx(1) 1\nx(2) 2\n"
HIGHS = (
    "Model status\nOptimal\n\n# Primal solution values\nFeasible\nObjective 5\n# Columns 2\nx(1) 1\nx(2) 2\n"
    "# Rows 1\nr 3\n\n# Dual solution values\nNone\n"
)
SCIP = "solution status: optimal\nobjective value: 5\nx(1)  1 \t(obj:1)\nx(2)  2 \t(obj:2)\n"
CBC = "Optimal - objective value 5.00000000\n      0 x(1)  1  0\n**    1 x(2)  2  0\n"


def small_named() -> StandardForm:
    """Minimise x[1] + 2 x[2] with x[1] + x[2] >= 3, x[1] whole."""
    problem = small_form([1.0, 2.0], [[1, 1]], [3], [np.inf], integer=(0,))
    return StandardForm(**{**vars(problem), "col_names": ["x[1]", "x[2]"], "row_names": ["r"]})


@pytest.mark.parametrize("text", [GUROBI, HIGHS, SCIP, CBC], ids=["gurobi", "highs", "scip", "cbc"])
def test_the_file_of_every_solver_gives_its_values(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.sol").write_text(text)
    found = read_solution(tmp_path / "x.sol", small_named(), "small")
    assert (found.values.tolist(), found.missing, found.note()) == ([1.0, 2.0], (), "")


def test_a_constant_cost_stands_with_a_column_that_is_one(tmp_path: Path) -> None:
    problem = replace(small_named(), cost_offset=7.0)
    assert "min\n cost_eur:\n  + 1 x(1) + 2 x(2)\n  + 7 cost#small\n" in lp_text(problem, title="small", model="small")
    (tmp_path / "x.sol").write_text(HIGHS.replace("Objective 5", "Objective 12").replace(
        "# Columns 2\n", "# Columns 3\ncost#small 1\n"))  # fmt: skip
    assert read_solution(tmp_path / "x.sol", problem, "small").values.tolist() == [1.0, 2.0]


def test_a_column_that_is_not_in_the_file_is_zero_and_named(tmp_path: Path) -> None:
    (tmp_path / "x.sol").write_text(SCIP.replace("x(1)  1 \t(obj:1)\n", ""))
    found = read_solution(tmp_path / "x.sol", small_named(), "small")
    assert found.values.tolist() == [0.0, 2.0]
    assert found.note() == "1 of 2 columns are not in the file and count as zero: x(1)"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            GUROBI.replace("x(2)", "z(2)"),
            r"line 4: 'z\(2\)' is no column of the model; give the instance and the model",
        ),
        (GUROBI + "cost#small 2\n", "line 5: cost#small is 2, and must be 1"),
        (GUROBI + "cost#large 1\n", "line 5: the solution is of the model 'large', not of 'small'"),
        (GUROBI + "status 1\n", "line 5: 'status' is no column of the model"),
        (GUROBI + "x(1) 1\n", r"line 5: 'x\(1\)' comes twice, first on line 3"),
        (GUROBI.replace("x(2) 2", "x(2) two"), "line 4: 'two' is no number"),
        (GUROBI.replace("x(2) 2", "x(2)"), "line 4: '' is no number"),
        (GUROBI.replace("x(2) 2", "x(2) nan"), "line 4: 'nan' is no number"),
        (
            GUROBI.replace("x(1) 1", "x(1) 0.5"),
            r"line 3: x\(1\) is 0.5, and must be a whole number; solve the model with",
        ),
        (GUROBI.replace("x(1) 1", "x(1) -1"), r"line 3: x\(1\) is -1, and must be from 0 to"),
        (GUROBI.replace("= 5", "= nan"), "line 2: 'nan' is no number"),
        (HIGHS.replace("Objective 5", "Objective five"), "line 6: 'five' is no number"),
        (GUROBI.replace("x(2) 2", "x(2) 3"), "line 2: says the objective is 5, and the values of the file give 7;"),
        (GUROBI.replace("x(2) 2\n", ""), r"give 1; .*\n1 of 2 columns are not in the file and count as zero: x\(2\)"),
        (HIGHS.replace("x(2) 2\n", ""), "line 7: says 2 columns, and 1 are there; a part is lost"),
        ("objective value: 3\n", "holds no value of the model; the solver found none"),
        ("Columns\n Index Status\n", "is the table that HiGHS writes for people"),
        ("<?xml version = '1.0'?>\n", "is XML, as CPLEX writes"),
        ("\udcff", "is no file of text"),
        (None, "there is no such file"),
    ],
)
def test_a_solution_file_with_a_fault_is_refused_with_its_line(text: str | None, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "x.sol"
    if text is not None:
        file.write_text(text, errors="surrogateescape")
    with pytest.raises(NbbError, match=fault):
        read_solution(file, small_named(), "small")


@pytest.mark.parametrize(("instance", "scale"), [("design_tiny", 1e-9), ("tiny", 1e-7), ("stram_tiny", 1e-7)])
def test_a_solution_of_every_problem_is_verified_and_a_spoiled_one_refused(
    instance: str, scale: float, tmp_path: Path
) -> None:
    stated, file = stated_model(INSTANCES / instance), tmp_path / "answer.sol"
    write_model(stated.form, tmp_path / "model.mps", title=stated.title, model=stated.model)
    _solved_elsewhere("highs", tmp_path / "model.mps", file)
    assert verify_solution(INSTANCES / instance, None, file).lines[0].startswith("verified: OK")
    values = read_solution(file, stated.form, stated.model).values
    cost = float(stated.form.cost @ values) + stated.form.cost_offset
    assert cost == pytest.approx(solve_form(stated.form, gap=scale).objective, rel=1e-6)
    carried = np.array([name.startswith("carried_t[") for name in stated.form.col_names])
    names = file_names(stated.form.col_names)
    spoiled = np.argmax(np.where(carried, values, 0.0))
    names.pop(int(spoiled))
    file.write_text("".join(f"{name} {value!r}\n" for name, value in zip(names, np.delete(values, spoiled).tolist(),
                                                                        strict=True)))  # fmt: skip
    with pytest.raises(VerifyFailed, match=r"is not accepted(.|\n)*1 of \d+ columns are not in the file"):
        verify_solution(INSTANCES / instance, None, file)


def test_a_model_is_written_and_its_solution_verified_from_the_command_line(tmp_path: Path) -> None:
    tiny = INSTANCES / "tiny"
    done = nbb_opt("solve", tiny, "--write", "model.lp", cwd=tmp_path, check=0)
    assert "check a solution: nbb-opt verify" in done.stdout
    _solved_elsewhere("highs", tmp_path / "model.lp", tmp_path / "answer.sol")
    done = nbb_opt("verify", tiny, "--solution", "answer.sol", cwd=tmp_path, check=0)
    assert done.stdout == "verified: OK, 39 checks, cost 18,988,400 EUR\n"
    done = nbb_opt("solve", tiny, "--write", "model.lp", "--solver", "scip", cwd=tmp_path, check=1)
    assert done.stderr == "--solver: --write leaves the model in a file and solves nothing; leave it out\n"


def test_a_run_is_no_place_to_verify_a_solution_file(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(NbbError, match="is a run, and this is about an instance"):
        verify_solution(tmp_path, None, tmp_path / "x.sol")


def test_another_ending_than_lp_or_mps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NbbError, match=r"\.lp or \.mps"):
        write_model(odd_form(), tmp_path / "model.txt", title="", model="odd")
