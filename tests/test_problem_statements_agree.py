"""Network design and stram are stated twice, in Pyomo and as arrays: by names, entry by entry, the same problem."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.repn import generate_standard_repn

from compared_statements import Entries, differences, entries_of_expressions, entries_of_form, entries_of_shares
from design_case import instance_of
from design_case import made_up as made_up_design
from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.pyomo_form import compile_model
from nbb_opt.problems.network_design import DesignInstance, read_design
from nbb_opt.problems.network_design.model import design_assembly, read_design_model
from nbb_opt.problems.network_design.model.network_design import design_model
from nbb_opt.problems.stram import StramCase
from nbb_opt.problems.stram.model import build as stram_build
from nbb_opt.problems.stram.model import read_stram_model, stram_models
from nbb_opt.problems.stram.model.arrays.build import stram_arrays
from nbb_opt.problems.stram.model.build import stram_model
from nbb_opt.problems.stram.model.figures import figures
from nbb_opt.problems.stram.model.spec import COMPONENTS
from nbb_opt.shipped import shipped
from stram_case import made_up as made_up_stram
from stram_case import tiny as stram_tiny

NUDGE = 1e-9
Statement = Callable[[], Entries]


def stram_in_pyomo(case: StramCase, model: str) -> pyo.ConcreteModel:
    spec = read_stram_model(model)
    return stram_model(case, spec, first_emissions_t=None if spec.years == "first" else 7500.0)


def stram_in_arrays(case: StramCase, model: str) -> tuple[Assembly, dict[str, list[object]]]:
    spec = read_stram_model(model)
    a = stram_arrays(case, spec, first_emissions_t=None if spec.years == "first" else 7500.0)
    return a, dict.fromkeys(COMPONENTS, a.kinds["emitted_t"].keys)


def design_in_pyomo(instance: DesignInstance) -> pyo.ConcreteModel:
    return design_model(instance, read_design_model())


def design_in_arrays(instance: DesignInstance) -> tuple[Assembly, dict[str, list[object]]]:
    names = instance.names()
    return design_assembly(instance.network(), names=names), dict.fromkeys(("open_eur", "carry_eur"), names[1])


def entries_of_pyomo(m: pyo.ConcreteModel, components: object) -> Entries:
    return entries_of_form(compile_model(m), hints=True) | entries_of_expressions(m, components)  # type: ignore[arg-type]


def entries_of_arrays(a: Assembly, keys: dict[str, list[object]]) -> Entries:
    return entries_of_form(a.form(), hints=True) | entries_of_shares(a, keys)


@cache
def design_tiny() -> DesignInstance:
    return read_design(shipped("instances") / "design_tiny")


CASES: dict[str, tuple[Callable[[], pyo.ConcreteModel], Callable[[], Any]]] = {
    "design_tiny": (lambda: design_in_pyomo(design_tiny()), lambda: design_in_arrays(design_tiny())),
    **{model: (lambda model=model: stram_in_pyomo(stram_tiny(), model),
               lambda model=model: stram_in_arrays(stram_tiny(), model)) for model in stram_models()},
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_both_statements_are_the_same_problem(case: str) -> None:
    in_pyomo, in_arrays = CASES[case]
    a, keys = in_arrays()
    assert differences(entries_of_pyomo(in_pyomo(), keys), entries_of_arrays(a, keys)) == []


@pytest.mark.parametrize("seed", range(15))
def test_both_statements_of_a_random_design_are_the_same(seed: int) -> None:
    instance = instance_of(made_up_design(seed, nodes=4 + seed % 5, arcs=10 + seed, commodities=1 + seed % 7))
    a, keys = design_in_arrays(instance)
    assert differences(entries_of_pyomo(design_in_pyomo(instance), keys), entries_of_arrays(a, keys)) == []


@pytest.mark.parametrize("seed", range(15))
def test_both_statements_of_a_random_stram_case_are_the_same(seed: int) -> None:
    case, model = made_up_stram(seed), stram_models()[seed % len(stram_models())]
    a, keys = stram_in_arrays(case, model)
    assert differences(entries_of_pyomo(stram_in_pyomo(case, model), keys), entries_of_arrays(a, keys)) == []


# ---- a billionth more in one place of one statement is seen

LARGEST = ("design_tiny", "stram_stochastic", "stram_stochastic_mean", "stram_cap")


@cache
def as_stated(case: str) -> tuple[Entries, Entries]:
    """What the Pyomo model and the arrays of a case say."""
    in_pyomo, in_arrays = CASES[case]
    a, keys = in_arrays()
    return entries_of_pyomo(in_pyomo(), keys), entries_of_arrays(a, keys)


@cache
def families(case: str) -> tuple[list[str], list[str], list[str]]:
    """Names of the constraints with rows, of the cost components and of the variables of a case."""
    m = CASES[case][0]()
    keys = CASES[case][1]()[1]
    rows = [c.local_name for c in m.component_objects(pyo.Constraint) if len(c)]
    components = [name for name in keys if any(key[0].startswith(f"{name}[") for key in as_stated(case)[0])]
    return rows, components, [v.local_name for v in m.component_objects(pyo.Var) if len(v)]


def places(which: int) -> list[tuple[str, str]]:
    """(case, family) with every family once, in the first case that has it."""
    found: dict[str, str] = {}
    for case in LARGEST:
        for name in families(case)[which]:
            found.setdefault(name if not case.startswith("design") else f"{case} {name}", case)
    return [(case, key.rpartition(" ")[2]) for key, case in found.items()]


def test_every_family_and_component_of_the_models_has_a_row_in_some_case() -> None:
    m = stram_build.stram_model(stram_tiny(), read_stram_model("stram_stochastic"), first_emissions_t=7500.0)
    stated = {c.local_name for c in m.component_objects(pyo.Constraint)}
    assert stated <= {name for case, name in places(0) if case.startswith("stram")}
    assert set(COMPONENTS) <= {name for case, name in places(1) if case.startswith("stram")}


@pytest.mark.parametrize(("case", "family"), places(0))
def test_a_nudged_row_of_the_pyomo_model_is_seen(case: str, family: str) -> None:
    m, keys = CASES[case][0](), CASES[case][1]()[1]
    row = next(iter(m.component(family).values()))
    low, body, up = row.to_bounded_expression()
    repn = generate_standard_repn(body)
    row.set_value((low, body + NUDGE * repn.linear_coefs[0] * repn.linear_vars[0], up))
    assert differences(entries_of_pyomo(m, keys), as_stated(case)[1])


@pytest.mark.parametrize(("case", "family"), places(0))
def test_a_nudged_row_of_the_arrays_is_seen(case: str, family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stated = Assembly.add_rows

    def nudged(self: Assembly, name: str, index: Any, terms: Terms, **sides: Any) -> None:
        if name == family:
            row, column, value = terms.merged()
            terms.add(row[:1], column[:1], NUDGE * value[:1])
        stated(self, name, index, terms, **sides)

    monkeypatch.setattr(Assembly, "add_rows", nudged)
    assert differences(as_stated(case)[0], entries_of_arrays(*CASES[case][1]()))


@pytest.mark.parametrize(("case", "component"), places(1))
def test_a_nudged_cost_of_the_pyomo_model_is_seen(case: str, component: str) -> None:
    m, keys = CASES[case][0](), CASES[case][1]()[1]
    for expression in m.component(component).values():
        repn = generate_standard_repn(expression)
        if repn.linear_vars:
            expression.set_value(expression.expr + NUDGE * repn.linear_coefs[0] * repn.linear_vars[0])
            break
    assert differences(entries_of_pyomo(m, keys), as_stated(case)[1])


@pytest.mark.parametrize(("case", "component"), places(1))
def test_a_nudged_cost_of_the_arrays_is_seen(case: str, component: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stated = Assembly.minimise

    def nudged(self: Assembly, components: Any) -> None:
        row, column, value = self.shared[component].merged()
        self.shared[component].add(row[:1], column[:1], NUDGE * value[:1])
        stated(self, components)

    monkeypatch.setattr(Assembly, "minimise", nudged)
    assert differences(as_stated(case)[0], entries_of_arrays(*CASES[case][1]()))


@pytest.mark.parametrize(("case", "name"), places(2))
def test_another_bound_or_domain_of_a_variable_is_seen(case: str, name: str) -> None:
    components = CASES[case][1]()[1]
    for change in ("bound", "domain"):
        m = CASES[case][0]()
        variable = next(iter(m.component(name).values()))
        if change == "bound":
            variable.setub(variable.ub * (1 - NUDGE) if variable.ub else 1e9)
        else:
            variable.domain = pyo.NonNegativeReals if variable.is_integer() else pyo.NonNegativeIntegers
        assert differences(entries_of_pyomo(m, components), as_stated(case)[1]), change


# figures of the Pyomo model that decide which rows and columns there are, and do so by comparison with whole years
THRESHOLDS = {"spread_start_year", "phase_out_year", "edge_lead_years", "upgrade_lead_years", "terminal_lead_years"}


def numbers_in(value: object) -> list[object]:
    """Keys of a table of figures that hold a fraction, or [None] for a single figure."""
    if isinstance(value, float):
        return [None] if value else []
    return [key for key, v in value.items() if isinstance(v, float) and v] if isinstance(value, dict) else []


@pytest.mark.parametrize("name", [n for n, v in figures(stram_tiny(), read_stram_model("stram_stochastic")).items()
                                  if numbers_in(v) and n not in THRESHOLDS])  # fmt: skip
def test_a_nudged_figure_of_the_pyomo_model_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def nudged(case: StramCase, spec: Any) -> dict[str, Any]:
        found = figures(case, spec)
        value = found[name]
        if isinstance(value, dict):
            found[name] = {key: v * (1 + NUDGE) if isinstance(v, float) else v for key, v in value.items()}
        else:
            found[name] = value * (1 + NUDGE)
        return found

    monkeypatch.setattr(stram_build, "figures", nudged)
    m = stram_in_pyomo(stram_tiny(), "stram_stochastic")
    assert differences(entries_of_pyomo(m, COMPONENTS), as_stated("stram_stochastic")[1])
