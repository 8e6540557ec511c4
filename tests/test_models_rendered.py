"""The committed statements of the models are those of the code."""

from __future__ import annotations

from pathlib import Path

import highspy
import pyomo.environ as pyo
import pytest

from milp_case import solve, tiny
from nbb_opt.model import read_model, render
from nbb_opt.model.statement import topics
from nbb_opt.problems.dispatch import render_models

MODELS = Path(__file__).parents[1] / "models"


def test_the_committed_files_are_those_the_code_renders() -> None:
    assert render_models(write=False) == []


def test_rendering_twice_gives_the_same_text() -> None:
    assert render("joint", tiny()) == render("joint", tiny())


def test_docstrings_name_exactly_the_components_that_are_built() -> None:
    model = solve(tiny()).built.model
    named = topics(read_model("joint"))
    for section, kind in (("Variables", pyo.Var), ("Constraints", pyo.Constraint)):
        said = [name for topic in named for name, _ in topic.rows[section]]
        assert sorted(said) == sorted(c.local_name for c in model.component_objects(kind))
    shared = {name for topic in named for name, _ in topic.rows["Contributes"]}
    assert shared <= {c.local_name for c in model.component_objects(pyo.Expression)}


@pytest.mark.parametrize("name", ["do_nothing", "joint", "shift_only"])
def test_the_written_problem_has_the_optimum_of_the_model(name: str) -> None:
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    assert solver.readModel(str(MODELS / f"{name}.lp")) == highspy.HighsStatus.kOk
    solver.run()
    assert solver.getInfo().objective_function_value == pytest.approx(solve(tiny(), name).cost_eur, rel=1e-6)
