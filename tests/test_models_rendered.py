"""The committed statements of the models are those of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import highspy
import pyomo.environ as pyo
import pytest

from milp_case import solve, tiny
from nbb_opt.model import render
from nbb_opt.problems.dispatch import render_models

MODELS = Path(__file__).parents[1] / "models"
ROOM = MODELS.parent / "src" / "nbb_opt"
STATED_IN = [
    *sorted((ROOM / "model" / "blocks").glob("*.py")),
    *sorted((ROOM / "problems" / "stram" / "model" / "blocks").glob("*.py")),
    ROOM / "problems" / "network_design" / "model" / "network_design.py",
]
# words of arrays and positions; a year is counted, not indexed, so range(last + 1, ...) of years is none
BOOKKEEPING = re.compile(r"\b(numpy|np|pandas|pd|enumerate|len|argsort|iloc|loc|reshape|arange|position)\b|\[\d+:")
LONGEST_RULE = 8  # lines; an equation that needs more is better cut into named parts


def rules_of(path: Path) -> list[ast.FunctionDef]:
    """The functions of a file that state an equation, which is their docstring."""
    functions = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    with_model = [f for f in functions if f.args.args and f.args.args[0].arg == "m" and not f.args.kwonlyargs]
    return [f for f in with_model if "$" in (ast.get_docstring(f) or "")]


def code_of(rule: ast.FunctionDef) -> tuple[int, str]:
    """Lines and text of a rule without its equation."""
    body = rule.body[1:]
    assert body[-1].end_lineno is not None
    return body[-1].end_lineno - body[0].lineno + 1, "\n".join(ast.unparse(part) for part in body)


def test_rules_are_short_and_look_up_by_business_keys_without_bookkeeping() -> None:
    rules = [(path.name, rule) for path in STATED_IN for rule in rules_of(path)]
    assert len(rules) > 80
    wrong = [f"{name}: {rule.name}" for name, rule in rules
             if code_of(rule)[0] > LONGEST_RULE or BOOKKEEPING.search(code_of(rule)[1])]  # fmt: skip
    assert wrong == []


def test_bookkeeping_in_a_rule_would_be_seen() -> None:
    (rule,) = ast.parse('def f(m, i):\n    "$x$"\n    return sum(m.x[k] for k, _ in enumerate(m.rows))').body
    assert isinstance(rule, ast.FunctionDef)
    assert BOOKKEEPING.search(code_of(rule)[1])


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


@pytest.mark.parametrize("name", ["frozen", "joint", "shift_only"])
def test_the_written_problem_has_the_optimum_of_the_model(name: str) -> None:
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    assert solver.readModel(str(MODELS / f"{name}.lp")) == highspy.HighsStatus.kOk
    solver.run()
    assert solver.getInfo().objective_function_value == pytest.approx(solve(tiny(), name).cost_eur, rel=1e-6)
