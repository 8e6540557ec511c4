"""The freight model is stated twice, in Pyomo and as arrays: by names, entry by entry, the same problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.repn import generate_standard_repn

from compared_statements import Entries, differences, entries_of_form
from milp_case import add_rows, flows_of, made_up, solve, tiny, with_everything, without_policies
from nbb_opt.instance import Instance, read_instance
from nbb_opt.model import Built, build, read_model, standard_form
from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.build import Route, build_from
from nbb_opt.model.data.costs import ALL, shared_name
from nbb_opt.model.data.model_data import ModelData, model_data
from nbb_opt.network import prepare
from nbb_opt.shipped import shipped_names

INSTANCES = Path(__file__).parents[1] / "instances"
NUDGE = 1e-9
SHARED = ("emissions_ttw_kg", "emissions_wtt_kg", "energy_kwh", "driver_h")


def entries_of(built: Built) -> Entries:
    """Every number of the form, hints for solvers included, and every coefficient of the named expressions."""
    found = entries_of_form(standard_form(built), hints=True)
    columns = built.stated.column_names()
    for name in (*SHARED, *built.components):
        terms = built.terms(name)
        for r, j, value in zip(*(part.tolist() for part in terms.merged()), strict=True):
            found[name, str(r), columns[j]] = value
        found |= {(name, str(r), ""): value for r, value in enumerate(terms.constant.tolist()) if value}
    return found


def apart(data: ModelData, model: str = "joint") -> list[str]:
    spec = read_model(model)
    return differences(*(entries_of(build_from(data, spec, route=route)) for route in ("pyomo", "arrays")))


def data_of(instance: Instance, model: str = "joint", flows: Any = None) -> ModelData:
    return model_data(instance, prepare(instance, prune=False), read_model(model), fixed_flows_t=flows)


@cache
def everything() -> ModelData:
    return data_of(with_everything())


@cache
def haulier() -> Instance:
    return read_instance(INSTANCES / "haulier")


@pytest.mark.parametrize("model", shipped_names("models"))
@pytest.mark.parametrize("which", [tiny, haulier], ids=["tiny", "haulier"])
def test_both_statements_of_every_model_are_the_same_problem(which: Callable[[], Instance], model: str) -> None:
    instance = which()
    given = read_model(model).flows == "do_nothing"
    flows = flows_of(solve(instance, "do_nothing"), instance) if given else None
    assert apart(data_of(instance, model, flows), model) == []


CASES: dict[str, Callable[[], Instance]] = {
    "rows in every table": with_everything,
    "no rule": lambda: without_policies(tiny()),
    "no truck owned": lambda: replace(tiny(), tables={**tiny().tables, "fleet": tiny()["fleet"].iloc[:0]}),
    "an odd name": lambda: add_rows(
        tiny(), "policies", [{"policy": "a.b, c", "kind": "cap_emissions_t_per_year", "value": 1e6}]
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_both_statements_of_variations_are_the_same_problem(case: str) -> None:
    assert apart(data_of(CASES[case]())) == []


@pytest.mark.parametrize("seed", range(30))
def test_both_statements_of_a_random_instance_are_the_same_problem(seed: int) -> None:
    instance, prepared = made_up(seed)
    assert apart(model_data(instance, prepared, read_model("joint"))) == []


def test_both_statements_of_the_north_baltic_region_are_the_same_problem() -> None:
    instance = read_instance(INSTANCES / "nbb")
    assert apart(model_data(instance, prepare(instance), read_model("joint"))) == []


# ---- a billionth more in one place of one statement is seen


def stated(route: Route) -> Built:
    return build_from(everything(), read_model("joint"), route=route)


@cache
def as_stated(route: Route) -> Entries:
    return entries_of(stated(route))


FAMILIES = [c.local_name for c in stated("pyomo").model.component_objects(pyo.Constraint)]
VARIABLES = [v.local_name for v in stated("pyomo").model.component_objects(pyo.Var)]


def test_every_family_and_every_component_has_an_entry_in_the_case_with_everything() -> None:
    for route in ("pyomo", "arrays"):
        found = as_stated(route)
        assert set(FAMILIES) == {key[1].split("[")[0] for key in found if key[0] == "side"}
        assert {*SHARED, *ALL} <= {key[0] for key in found}


def test_every_block_that_the_arrays_state_is_one_of_the_model() -> None:
    arrays = {name.split("[")[0] for name in standard_form(stated("arrays")).row_names}
    assert arrays == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_nudged_row_of_the_pyomo_model_is_seen(family: str) -> None:
    built = stated("pyomo")
    row = next(row for row in built.model.component(family).values() if generate_standard_repn(row.body).linear_vars)
    low, body, up = row.to_bounded_expression()
    repn = generate_standard_repn(body)
    row.set_value((low, body + NUDGE * repn.linear_coefs[0] * repn.linear_vars[0], up))
    assert differences(entries_of(built), as_stated("arrays"))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_nudged_row_of_the_arrays_is_seen(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Assembly.add_rows

    def nudged(self: Assembly, name: str, index: Any, terms: Terms, **sides: Any) -> None:
        if name == family:
            row, column, value = terms.merged()
            terms.add(row[:1], column[:1], NUDGE * value[:1])
        kept(self, name, index, terms, **sides)

    monkeypatch.setattr(Assembly, "add_rows", nudged)
    assert differences(as_stated("pyomo"), entries_of(stated("arrays")))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_nudged_side_of_the_arrays_is_seen(family: str) -> None:
    built = stated("arrays")
    low, up = built.assembly.sides()
    at = built.assembly.families()[family][0][1]
    for side in (low, up):
        side[at] = side[at] * (1 + NUDGE) if side[at] else NUDGE
    assert differences(as_stated("pyomo"), entries_of(built))


@pytest.mark.parametrize("component", ALL)
def test_a_nudged_cost_of_the_pyomo_model_is_seen(component: str) -> None:
    built = stated("pyomo")
    of_component = [e for key, e in built.model.amount_eur.items() if key[0] == component]
    found = next((e, r) for e in of_component if (r := generate_standard_repn(e)).linear_vars)
    found[0].set_value(found[0].expr + NUDGE * found[1].linear_coefs[0] * found[1].linear_vars[0])
    assert differences(entries_of(built), as_stated("arrays"))


@pytest.mark.parametrize("component", ALL)
def test_a_nudged_cost_of_the_arrays_is_seen(component: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Assembly.minimise

    def nudged(self: Assembly, components: Any) -> None:
        row, column, value = self.shared[shared_name(component)].merged()
        self.shared[shared_name(component)].add(row[:1], column[:1], NUDGE * value[:1])
        kept(self, components)

    monkeypatch.setattr(Assembly, "minimise", nudged)
    assert differences(as_stated("pyomo"), entries_of(stated("arrays")))


@pytest.mark.parametrize("name", SHARED)
def test_a_nudged_amount_of_either_statement_is_seen(name: str) -> None:
    one, other = stated("pyomo"), stated("arrays")
    expression, repn = next(
        (e, r) for e in one.model.component(name).values() if (r := generate_standard_repn(e)).linear_vars
    )
    expression.set_value(expression.expr + NUDGE * repn.linear_coefs[0] * repn.linear_vars[0])
    assert differences(entries_of(one), as_stated("arrays"))
    row, column, value = other.terms(name).merged()
    other.terms(name).add(row[:1], column[:1], NUDGE * value[:1])
    assert differences(as_stated("pyomo"), entries_of(other))


@pytest.mark.parametrize("name", VARIABLES)
def test_another_bound_domain_size_or_order_of_a_variable_is_seen(name: str) -> None:
    for change in ("bound", "domain", "size", "order"):
        built = stated("pyomo")
        variable = next(iter(built.model.component(name).values()))
        if change == "bound":
            variable.setub(variable.ub * (1 - NUDGE) if variable.ub else 1e9)
        elif change == "domain":
            variable.domain = pyo.NonNegativeReals if variable.is_integer() else pyo.NonNegativeIntegers
        elif change == "size" and variable.is_continuous():
            built.model.usual_size[variable] = 4.0 * float(standard_form(built).col_unit_scale[built.start[name]])
        elif change == "order" and not variable.is_continuous():
            built.model.decide_order[variable] = 7
        else:
            continue
        assert differences(entries_of(built), as_stated("arrays")), change


# ---- a changed parameter is a model built anew

MORE = 1.25


def times(table: str, column: str) -> Callable[[Instance], Instance]:
    def changed(instance: Instance) -> Instance:
        frame = instance[table].copy()
        frame[column] = frame[column] * MORE
        return replace(instance, tables={**instance.tables, table: frame})

    return changed


PARAMETERS: dict[str, Callable[[Instance], Instance]] = {
    "link_capacity_t": times("links", "capacity_t_per_year"),
    "terminal_capacity_t": times("terminals", "capacity_t_per_year"),
    "grid_mw": times("charge_areas", "grid_mw"),
    "on_sale_kwh": times("public_charging", "kwh_per_year"),
    "public_add_eur": times("public_charging", "price_add_eur_per_kwh"),
    "policy_value": times("policies", "value"),
    "driver_limit_h": times("country_years", "driver_limit_h_per_year"),
    "driver_cost_eur_per_h": times("country_years", "driver_cost_eur_per_h"),
    "carbon_price_eur_per_t": times("country_years", "carbon_price_eur_per_t"),
    "charger_capex_eur": times("chargers", "capex_eur"),
    "charger_fixed_eur": times("chargers", "fixed_eur_per_year"),
    "project_capex_eur": times("projects", "capex_eur"),
    "project_fixed_eur": times("projects", "fixed_eur_per_year"),
}


def without_sizes(found: Entries) -> Entries:
    return {key: value for key, value in found.items() if key[0] != "size"}


@pytest.mark.parametrize("name", [*PARAMETERS, "demand_t"])
def test_a_changed_parameter_gives_the_form_of_the_model_built_anew(name: str) -> None:
    instance, spec = with_everything(), read_model("joint")
    prepared = prepare(instance, prune=False)
    built = build(instance, prepared, spec)
    before = without_sizes(entries_of(built))
    parameter = built.model.component(name)
    for key in parameter:
        parameter[key] = parameter[key].value * MORE
    if name == "demand_t":
        anew = build(instance, replace(prepared, demand_t=prepared.demand_t * MORE), spec)
    else:
        anew = build(PARAMETERS[name](instance), prepared, spec)
    now = without_sizes(entries_of(built))
    assert differences(now, without_sizes(entries_of(anew))) == []
    assert differences(now, before)


def test_every_parameter_of_the_model_is_tried() -> None:
    parameters = {p.local_name for p in stated("pyomo").model.component_objects(pyo.Param)}
    assert parameters == {*PARAMETERS, "demand_t"}
