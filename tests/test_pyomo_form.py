"""Any linear Pyomo model becomes a standard form, and what a user adds to the freight model is solved with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.gdp import Disjunction

from milp_case import tiny
from nbb_opt.errors import Infeasible, ModelError
from nbb_opt.instance import read_instance
from nbb_opt.model import Built, build, extract, read_model, standard_form
from nbb_opt.model.blocks.costs import add_cost
from nbb_opt.model.blocks.emissions import add_emissions
from nbb_opt.model.figures.names import Members
from nbb_opt.model.pyomo_form import compile_model
from nbb_opt.network import prepare
from nbb_opt.shipped import shipped
from nbb_opt.solve import Solution, solve_form


def foreign() -> pyo.ConcreteModel:
    """A model of somebody else: blocks, ranges, fixed and free variables, two index sets, a constant row."""
    m = pyo.ConcreteModel(name="foreign")
    m.x = pyo.Var(["a", "b"], [1, 2], domain=pyo.NonNegativeReals)
    m.n = pyo.Var(domain=pyo.Integers, bounds=(-5, 5))
    m.b = pyo.Block(["north"])
    m.b["north"].y = pyo.Var()
    m.b["north"].row = pyo.Constraint(expr=m.b["north"].y + m.n >= 1)
    m.between = pyo.Constraint(expr=(2, m.x["a", 1] + m.x["b", 2] + 1, 6))
    m.unused = pyo.Constraint(expr=0 * m.x["a", 2] <= 3)
    m.x["b", 1].fix(4)
    m.with_fixed = pyo.Constraint(expr=m.x["b", 1] + m.x["a", 1] <= 7)
    m.cost = pyo.Objective(expr=m.x["a", 1] + 3 * m.x["b", 2] + 2 * m.b["north"].y + 3 * m.n + 10 + m.x["b", 1])
    return m


def test_a_foreign_model_has_its_rows_columns_and_optimum() -> None:
    form = compile_model(foreign())
    assert list(form.col_names) == ["x[a,1]", "x[a,2]", "x[b,1]", "x[b,2]", "n", "b[north].y"]
    assert list(form.row_names) == ["between", "with_fixed", "b[north].row"]
    assert form.row_low.tolist() == [1.0, -np.inf, 1.0]
    assert form.row_up.tolist() == [5.0, 3.0, np.inf]
    assert (form.col_low[2], form.col_up[2]) == (4.0, 4.0)
    assert (form.col_low[5], form.col_up[5]) == (-np.inf, np.inf)
    assert (form.col_unit_scale == 1).all()
    assert form.fix_order.tolist() == [-1, -1, -1, -1, 100, -1]
    found = solve_form(form, gap=1e-9)
    assert found.objective == pytest.approx(10 + 4 + 1 + 2 * 6 - 15)
    assert found.values[4] == -5


def test_suffixes_give_sizes_and_the_order_of_decisions() -> None:
    m = foreign()
    m.usual_size, m.decide_order = pyo.Suffix(), pyo.Suffix()
    m.usual_size[m.x], m.usual_size[m.x["b", 2]], m.decide_order[m.n] = 1000.0, 3.0, 1
    form = compile_model(m)
    assert form.col_unit_scale.tolist() == [1024.0, 1024.0, 1024.0, 4.0, 1.0, 1.0]
    assert form.fix_order[4] == 1


def test_names_are_read_after_the_model_is_out_of_sight() -> None:
    form = compile_model(foreign())
    assert form.row_names[0] == "between"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda m: m.cost.deactivate(), "needs one objective, and has none"),
        (lambda m: setattr(m, "more", pyo.Objective(expr=m.n)), "has cost, more; deactivate the others"),
        (lambda m: setattr(m.cost, "sense", pyo.maximize), "objective 'cost' is maximised; minimise its negative"),
        (lambda m: setattr(m, "no", pyo.Constraint(expr=m.n**2 <= 1)), "nonlinear.*|'no'|no"),
        (lambda m: setattr(m, "never", pyo.Constraint(expr=m.x["b", 1] <= 1)), "never"),
        (lambda m: setattr(m, "big", pyo.Constraint(expr=1e16 * m.n <= 1)), r"big, n: coefficient 1e\+16"),
        (lambda m: setattr(m, "odd", pyo.Constraint(expr=float("nan") * m.n <= 1)), "odd"),
        (
            lambda m: setattr(m, "sos", pyo.SOSConstraint(var=m.x, sos=1)),
            "sos: a SOSConstraint is no .*; add pyo.Binary",
        ),
        (lambda m: m.add_component("either", Disjunction(expr=[[m.n <= 1], [m.n >= 2]])), "either.*apply_to.*bigM="),
    ],
)
def test_what_cannot_be_solved_is_named(change: object, what: str) -> None:
    m = foreign()
    change(m)  # type: ignore[operator]
    with pytest.raises(ModelError, match=what):
        compile_model(m)


def joint() -> Built:
    return build(tiny(), prepare(tiny(), prune=False), read_model("joint"))


def solved(built: Built) -> Solution:
    return solve_form(standard_form(built), gap=1e-7, time_limit_s=60)


def test_a_rule_of_the_user_changes_the_plan() -> None:
    built = joint()
    m = built.model
    before = solved(built).objective
    ore = [c for c in m.chains_in[2030] if c.commodity == "ORE"]
    by_rail = sum(m.carried_t[*c, 2030] for c in ore if m.main_mode[c] == "rail")
    m.ore_off_rail = pyo.Constraint(expr=by_rail <= 0.5 * sum(m.carried_t[*c, 2030] for c in ore))
    found = solved(built)
    assert found.objective > before
    flows = extract(built, found.values)["flows"]
    assert flows["tonnes"].sum() > 0
    assert sum(found.values[: len(m.carried_t)]) == pytest.approx(flows["tonnes"].sum())


def test_a_rule_that_nothing_satisfies_is_infeasible() -> None:
    built = joint()
    m = built.model
    m.too_much = pyo.Constraint(expr=sum(m.bought[key] for key in m.bought) >= 1e7)
    m.too_little = pyo.Constraint(expr=sum(m.bought[key] for key in m.bought) <= 1)
    with pytest.raises(Infeasible):
        solved(built)


def test_a_rule_with_large_numbers_ends_in_the_same_plan() -> None:
    built = joint()
    m = built.model
    before = solved(built).objective
    m.large = pyo.Constraint(expr=1e9 * sum(m.carried_t[key] for key in m.carried_t) <= 1e15)
    assert solved(built).objective == pytest.approx(before, rel=1e-6)


def test_a_new_cost_and_new_emissions_are_counted_everywhere() -> None:
    built = joint()
    m = built.model
    before = solved(built).objective
    add_cost(m, "tyres", lambda m, y: sum(0.5 * m.driven_vkm[*g, v, y] for g, v in m.drives_in[y]), paid="yearly")
    found = solved(built)
    costs = extract(built, found.values)["costs"]
    assert "tyres" in set(costs["component"])
    assert costs["discounted_eur"].sum() == pytest.approx(found.objective)
    assert found.objective > before
    add_emissions(m, ttw_kg=lambda m, n, y: 1e9 if n == "SE" else 0, wtt_kg=lambda m, n, y: 0)
    m.cap = pyo.Constraint(expr=m.emissions_ttw_kg["SE", 2025] <= 1e9)
    with pytest.raises(Infeasible):
        solved(built)
    with pytest.raises(ModelError, match="not one of yearly, once, recovered"):
        add_cost(m, "more", lambda m, y: 0, paid="monthly")


def test_a_variable_of_the_user_may_be_negative_and_is_left_alone() -> None:
    built = joint()
    built.model.trade = pyo.Var(bounds=(-5, 5))
    built.model.minimise_cost.set_value(built.model.cost_eur + built.model.trade)
    found = solved(built)
    assert found.values[-1] == -5


def test_a_misspelt_key_is_an_error_and_an_empty_group_is_not() -> None:
    m = joint().model
    assert isinstance(m.chains_in, Members)
    assert m.trips_of["W", "DIESEL", 2025] == () or m.trips_of["W", "DIESEL", 2025]
    for look_up in (
        lambda: m.chains_in[2026],
        lambda: m.trips_of["W", "DEISEL", 2025],
        lambda: m.distance_km["A", "B"],
    ):
        with pytest.raises(ModelError, match=r"did you mean|known"):
            look_up()


@pytest.mark.parametrize(("case", "gap"), [("tiny", 1e-3), pytest.param("haulier", 2e-2, marks=pytest.mark.hard)])
def test_a_form_without_usual_sizes_ends_in_a_plan(case: str, gap: float) -> None:
    instance = read_instance(shipped("instances") / case)
    form = standard_form(build(instance, prepare(instance), read_model("joint")))
    plain = replace(form, col_unit_scale=np.ones(len(form.cost)))
    found, other = (solve_form(each, gap=gap, time_limit_s=60) for each in (plain, form))
    assert found.bound <= other.objective * (1 + 1e-9)
    assert other.bound <= found.objective * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_units_of_any_size_give_the_same_plan(seed: int) -> None:
    """Every column and row of the form of another program in a unit of its own, from a millionth to a million."""
    form = standard_form(build(tiny(), prepare(tiny()), read_model("joint")))
    chance = np.random.default_rng(seed)
    row, unit = 10.0 ** chance.uniform(-6, 6, len(form.row_low)), 10.0 ** chance.uniform(-6, 6, len(form.cost))
    unit[form.integer] = 1.0
    of_entry = np.repeat(unit, np.diff(form.a_indptr)) * row[form.a_indices]
    foreign = replace(
        form, cost=form.cost * unit, a_values=form.a_values * of_entry, row_low=form.row_low * row,
        row_up=form.row_up * row, col_low=form.col_low / unit, col_up=form.col_up / unit,
        col_unit_scale=np.ones(len(unit)), fix_order=np.where(form.integer, 0, -1).astype(np.int8),
    )  # fmt: skip
    found, plain = solve_form(foreign, gap=1e-6), solve_form(form, gap=1e-6)
    assert found.objective == pytest.approx(plain.objective, rel=2e-6)


def test_a_block_without_arrays_is_refused_where_arrays_are_needed() -> None:
    spec = replace(read_model("joint"), blocks=(*read_model("joint").blocks, "tyres"))
    prepared = prepare(tiny(), prune=False)
    assert build(tiny(), prepared, spec).model.component("serve_demand") is not None
    for route in ("arrays", "pieces"):
        with pytest.raises(ModelError, match="'tyres' is stated in Pyomo only"):
            build(tiny(), prepared, spec, route=route)  # type: ignore[arg-type]
