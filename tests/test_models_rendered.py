"""The committed statements of the models are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import highspy
import pyomo.environ as pyo
import pytest

from milp_case import solve, tiny
from nbb_opt.model import render
from nbb_opt.problems.dispatch import render_models

MODELS = Path(__file__).parents[1] / "models"


def test_the_committed_files_are_those_the_code_renders() -> None:
    assert render_models(write=False) == []


def test_rendering_twice_gives_the_same_text() -> None:
    assert render("joint", tiny()) == render("joint", tiny())


def test_every_component_of_the_model_is_in_its_statement_with_its_equation() -> None:
    model, text = solve(tiny()).built.model, render("joint", tiny())["joint.md"]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, flags=re.MULTILINE))
    stated = {c.local_name for kind in (pyo.Var, pyo.Constraint, pyo.Param) for c in model.component_objects(kind)}
    follows = {e.local_name for e in model.component_objects(pyo.Expression)} - {"amount_eur", "cost_eur"}
    assert rows.keys() == stated | follows | model.cost_components.keys()
    said = [name for name, equation in rows.items() if "$" not in equation]
    assert said == []


@pytest.mark.parametrize("name", ["do_nothing", "joint", "shift_only"])
def test_the_written_problem_has_the_optimum_of_the_model(name: str) -> None:
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    assert solver.readModel(str(MODELS / f"{name}.lp")) == highspy.HighsStatus.kOk
    solver.run()
    assert solver.getInfo().objective_function_value == pytest.approx(solve(tiny(), name).cost_eur, rel=1e-6)
