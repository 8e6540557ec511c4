"""Every model is stated twice, in Pyomo and as arrays: by names, entry by entry, the same problem."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.repn import generate_standard_repn

from compared_statements import Case, Entries, differences, entries_of_form
from design_case import instance_of
from design_case import made_up as made_up_design
from milp_case import add_rows, flows_of, made_up, solve, tiny, with_everything, without_policies
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance, read_instance
from nbb_opt.instance.schema import TABLES
from nbb_opt.model import ModelSpec, build, read_model, standard_form
from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.keys import label
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.build import build_from
from nbb_opt.model.data.costs import ALL, shared_name
from nbb_opt.model.data.model_data import ModelData, model_data
from nbb_opt.network import prepare
from nbb_opt.problems.network_design import DesignInstance, read_design
from nbb_opt.problems.network_design.model import design_assembly, read_design_model
from nbb_opt.problems.network_design.model.network_design import design_model
from nbb_opt.problems.stram import StramCase
from nbb_opt.problems.stram.model import build as stram_build
from nbb_opt.problems.stram.model import read_stram_model, stram_models
from nbb_opt.problems.stram.model.arrays import stram_arrays
from nbb_opt.problems.stram.model.build import stram_model
from nbb_opt.problems.stram.model.figures import figures
from nbb_opt.problems.stram.model.spec import COMPONENTS
from nbb_opt.shipped import shipped_names
from stram_case import made_up as made_up_stram
from stram_case import tiny as stram_tiny

INSTANCES = Path(__file__).parents[1] / "instances"
NUDGE = 1e-9
PER_COUNTRY = ("emissions_ttw_kg", "emissions_wtt_kg", "driver_h")


def spec_of(model: str) -> ModelSpec:
    """A freight model; caps of its own are in tonnes."""
    return read_model(model).with_caps(12_000.0)


def freight(data: ModelData, model: str = "sourcing") -> Case:
    spec = spec_of(model)

    def shares() -> dict[str, list[str]]:
        years, paid_in = data.time.years.tolist(), [*data.time.years.tolist(), data.time.horizon_year]
        places = dict.fromkeys(PER_COUNTRY, data.base.countries.ids) | {"energy_kwh": data.base.areas.ids}
        of_places = {name: [label(name, (p, y)) for p in ids for y in years] for name, ids in places.items()}
        return of_places | {shared_name(cost): [label("amount_eur", (cost, y)) for y in paid_in] for cost in ALL}

    return Case(
        lambda: build_from(data, spec, route="pyomo").model,
        lambda: build_from(data, spec, route="arrays").assembly,
        shares,
    )


def data_of(instance: Instance, model: str = "sourcing", flows: Any = None) -> ModelData:
    return model_data(instance, prepare(instance, prune=False), spec_of(model), fixed_flows_t=flows)


def design(instance: DesignInstance, strong_rows: str = "all") -> Case:
    names, spec = instance.names(), replace(read_design_model(), strong_rows=strong_rows)
    return Case(
        lambda: design_model(instance, spec),
        lambda: design_assembly(instance.network(), names=names, strong=strong_rows == "all"),
        lambda: {name: [label(name, arc) for arc in names[1]] for name in ("open_eur", "carry_eur")},
    )


def stram(case: StramCase, model: str) -> Case:
    spec = read_stram_model(model)
    first = None if spec.years == "first" else 7500.0
    return Case(
        lambda: stram_model(case, spec, first_emissions_t=first),
        lambda: stram_arrays(case, spec, first_emissions_t=first),
        lambda: {name: [label(name, state) for state in stram_model(case, spec, first_emissions_t=first).STATES]
                 for name in COMPONENTS},
    )  # fmt: skip


@cache
def everything() -> Case:
    return freight(data_of(with_everything()))


@cache
def haulier() -> Instance:
    return read_instance(INSTANCES / "haulier")


@cache
def design_tiny() -> DesignInstance:
    return read_design(INSTANCES / "design_tiny")


@pytest.mark.parametrize("model", shipped_names("models"))
@pytest.mark.parametrize("which", [tiny, haulier], ids=["tiny", "haulier"])
def test_both_statements_of_every_freight_model_are_the_same_problem(which: Callable[[], Instance], model: str) -> None:
    instance = which()
    given = read_model(model).flows == "frozen"
    flows = flows_of(solve(instance, "frozen"), instance) if given else None
    assert freight(data_of(instance, model, flows), model).apart() == []


VARIATIONS: dict[str, Callable[[], Case]] = {
    "rows in every table": everything,
    "no rule": lambda: freight(data_of(without_policies(tiny()))),
    "no truck owned": lambda: freight(
        data_of(replace(tiny(), tables={**tiny().tables, "fleet": tiny()["fleet"].iloc[:0]}))
    ),
    "an odd name": lambda: freight(data_of(add_rows(
        tiny(), "policies", [{"policy": "a.b, c", "kind": "cap_emissions_t_per_year", "value": 1e6}]
    ))),
    "design_tiny": lambda: design(design_tiny()),
    "design_tiny without strong rows": lambda: design(design_tiny(), "none"),
    **{f"stram_tiny {model}": lambda model=model: stram(stram_tiny(), model) for model in stram_models()},  # type: ignore[misc]
}  # fmt: skip


@pytest.mark.parametrize("case", VARIATIONS)
def test_both_statements_of_variations_are_the_same_problem(case: str) -> None:
    assert VARIATIONS[case]().apart() == []


def test_both_statements_of_the_north_baltic_region_are_the_same_problem() -> None:
    instance = read_instance(INSTANCES / "nbb")
    assert freight(model_data(instance, prepare(instance), read_model("sourcing"))).apart() == []


@pytest.mark.promise(9, 10, 60)
def test_both_statements_of_a_random_instance_are_the_same_problem(seed: int) -> None:
    instance, prepared = made_up(seed)
    assert all(len(instance[table.name]) for table in TABLES if table.optional)
    assert freight(model_data(instance, prepared, read_model("sourcing"))).apart() == []


@pytest.mark.promise(9, 10, 60)
def test_both_statements_of_a_random_design_are_the_same_problem(seed: int) -> None:
    problem = made_up_design(seed, nodes=4 + seed % 5, arcs=10 + seed, commodities=1 + seed % 7)
    assert design(instance_of(problem), ("all", "none")[seed % 2]).apart() == []


@pytest.mark.promise(9, 10, 60)
def test_both_statements_of_a_random_stram_case_are_the_same_problem(seed: int) -> None:
    assert stram(made_up_stram(seed), stram_models()[seed % len(stram_models())]).apart() == []


def test_every_family_has_a_row_in_some_random_instance() -> None:
    cases = (freight(model_data(*made_up(seed), read_model("sourcing"))) for seed in range(3))
    assert {name for case in cases for name in case.families["Constraint"]} == {
        c.local_name for c in everything().in_pyomo().component_objects(pyo.Constraint)
    }


# tables that say how studies and reports vary or show a case, which the model of the case itself does not read
BESIDE_THE_MODEL = {
    "charging_hours", "control_totals", "labour", "occupations", "outside_flows", "ports", "ranges",
    "scenarios", "shift_stays", "shifts", "site_power",
}  # fmt: skip


@pytest.mark.parametrize("table", [table.name for table in TABLES if table.optional])
def test_every_optional_table_changes_the_model_of_a_random_instance(table: str) -> None:
    """So the comparison of random instances is about every table that there is: one of three is another without it."""
    assert any(_is_another_without(table, made_up(seed)[0]) for seed in range(3)) == (table not in BESIDE_THE_MODEL)


def _is_another_without(table: str, instance: Instance) -> bool:
    without = replace(instance, tables={**instance.tables, table: instance[table].iloc[:0]})
    if table == "projects":  # what names a project goes with it
        tables = {**without.tables}
        for name, column in (("links", "project"), ("terminals", "project"), ("project_effects", "project"),
                             ("project_funding", "project")):  # fmt: skip
            frame = tables[name]
            tables[name] = frame[frame[column] == ""] if column in frame else frame
        without = replace(without, tables=tables)
    if table == "sites":  # what names a plant goes with it
        names = ("recipes", "suppliers", "supply_contracts")
        without = replace(without, tables={**without.tables, **{name: instance[name].iloc[:0] for name in names}})
    return _or_error(instance) != _or_error(without)


def _or_error(instance: Instance) -> Entries | str:
    """What the Pyomo model says; or why there is none, since nothing is carried without the table."""
    try:
        return freight(data_of(instance)).pyomo
    except (NbbError, KeyError) as fault:
        return str(fault)


# ---- a billionth more in one place of one statement is seen

PLANTED: dict[str, Case] = {
    "freight": everything(),
    **{f"freight {model}": freight(data_of(with_everything(), model), model) for model in ("carbon_price", "weighted")},
    "design": design(design_tiny()),
    **{model: stram(stram_tiny(), model) for model in ("stram_stochastic", "stram_stochastic_mean", "stram_cap")},
}


def places(kind: str) -> list[tuple[str, str]]:
    """(case, family) with every family of a problem once, in the first case that has it."""
    found: dict[tuple[str, str], str] = {}
    for name, case in PLANTED.items():
        for family in case.families[kind]:
            found.setdefault((re.split("[_ ]", name)[0], family), name)
    return [(name, family) for (_problem, family), name in found.items()]


ROWS, VARIABLES, AMOUNTS = places("Constraint"), places("Var"), places("share")


def test_every_family_and_every_component_has_an_entry_in_some_case() -> None:
    arrays = {(name, key[1].split("[")[0]) for name in PLANTED for key in PLANTED[name].arrays if key[0] == "side"}
    assert arrays >= set(ROWS)
    assert {family for _name, family in arrays} == {family for _name, family in ROWS}
    shared = {family for _name, family in AMOUNTS}
    assert shared == {*PER_COUNTRY, "energy_kwh", *map(shared_name, ALL), "open_eur", "carry_eur", *COMPONENTS}
    stated = stram_model(stram_tiny(), read_stram_model("stram_stochastic"), first_emissions_t=7500.0)
    for m in (stated, everything().in_pyomo()):
        assert {c.local_name for c in m.component_objects(pyo.Constraint)} <= {family for _name, family in ROWS}


@pytest.mark.parametrize("what", ["coefficient", "side"])
@pytest.mark.parametrize(("case", "family"), ROWS)
def test_a_nudged_row_of_the_pyomo_model_is_seen(case: str, family: str, what: str) -> None:
    m = PLANTED[case].in_pyomo()
    row = next(row for row in m.component(family).values() if generate_standard_repn(row.body).linear_vars)
    low, body, up = row.to_bounded_expression()
    repn = generate_standard_repn(body)
    if what == "coefficient":
        row.set_value((low, body + NUDGE * repn.linear_coefs[0] * repn.linear_vars[0], up))
    else:
        row.set_value((_more(low, repn.constant), body, _more(up, repn.constant)))
    assert differences(PLANTED[case].of_pyomo(m), PLANTED[case].arrays)


def _more(side: Any, constant: float) -> float | None:
    """A side a billionth of itself less the constant of its row greater."""
    return None if side is None else pyo.value(side) + NUDGE * (abs(pyo.value(side) - constant) or 1.0)


@pytest.mark.parametrize(("case", "family"), ROWS)
def test_a_nudged_coefficient_of_the_arrays_is_seen(case: str, family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Assembly.add_rows

    def nudged(self: Assembly, name: str, index: Any, terms: Terms, **sides: Any) -> None:
        if name == family:
            row, column, value = terms.merged()
            terms.add(row[:1], column[:1], NUDGE * value[:1])
        kept(self, name, index, terms, **sides)

    monkeypatch.setattr(Assembly, "add_rows", nudged)
    assert differences(PLANTED[case].pyomo, PLANTED[case].of_arrays(PLANTED[case].in_arrays()))


@pytest.mark.parametrize(("case", "family"), ROWS)
def test_a_nudged_side_of_the_arrays_is_seen(case: str, family: str) -> None:
    a = PLANTED[case].in_arrays()
    at = a.families()[family][0][1]
    for side in a.sides():
        side[at] = side[at] * (1 + NUDGE) if side[at] else NUDGE
    assert differences(PLANTED[case].pyomo, PLANTED[case].of_arrays(a))


@pytest.mark.parametrize(("case", "name"), AMOUNTS)
def test_a_nudged_amount_of_the_pyomo_model_is_seen(case: str, name: str) -> None:
    m = PLANTED[case].in_pyomo()
    labels = set(PLANTED[case].rows[name])
    stated = (e for c in m.component_objects(pyo.Expression) for e in c.values() if e.name in labels)
    expression, repn = next((e, r) for e in stated if (r := generate_standard_repn(e)).linear_vars)
    expression.set_value(expression.expr + NUDGE * repn.linear_coefs[0] * repn.linear_vars[0])
    assert differences(PLANTED[case].of_pyomo(m), PLANTED[case].arrays)


@pytest.mark.parametrize(("case", "name"), AMOUNTS)
def test_a_nudged_amount_of_the_arrays_is_seen(case: str, name: str) -> None:
    a = PLANTED[case].in_arrays()
    row, column, value = a.shared[name].merged()
    a.shared[name].add(row[:1], column[:1], NUDGE * value[:1])
    assert differences(PLANTED[case].pyomo, PLANTED[case].of_arrays(a))


@pytest.mark.parametrize(("case", "name"), VARIABLES)
def test_a_nudged_cost_of_the_arrays_is_seen(case: str, name: str) -> None:
    a = PLANTED[case].in_arrays()
    for at in range(a.start[name], a.start[name] + len(a.kinds[name].keys)):
        a.cost[at] = a.cost[at] * (1 + NUDGE) if a.cost[at] else NUDGE
    assert differences(PLANTED[case].pyomo, PLANTED[case].of_arrays(a))


@pytest.mark.parametrize("change", ["bound", "domain", "size", "order"])
@pytest.mark.parametrize(("case", "name"), VARIABLES)
def test_another_bound_domain_size_or_order_of_a_variable_is_seen(case: str, name: str, change: str) -> None:
    m = PLANTED[case].in_pyomo()
    variable = next(iter(m.component(name).values()))
    whole = not variable.is_continuous()
    if change == "bound":
        variable.setub(variable.ub * (1 - NUDGE) if variable.ub else 1e9)
    elif change == "domain":
        variable.domain = pyo.NonNegativeReals if whole else pyo.NonNegativeIntegers
    elif change == "size":
        m.usual_size[variable] = 4.0 * PLANTED[case].arrays["size", variable.name]
    else:
        m.decide_order[variable] = 7
    seen = differences(PLANTED[case].of_pyomo(m), PLANTED[case].arrays)
    has_none = change == ("size" if whole else "order")  # a whole number has no usual size, another one no order
    assert bool(seen) != has_none


# ---- a figure of stram that is a billionth off is seen

# figures that decide which rows and columns there are, and do so by comparison with whole years
THRESHOLDS = {"spread_start_year", "phase_out_year", "edge_lead_years", "upgrade_lead_years", "terminal_lead_years"}


def nudged_figures(value: Any) -> Any:
    """Every fraction in a figure, a table of figures or a table of such tables a billionth greater."""
    if isinstance(value, dict):
        return {key: nudged_figures(each) for key, each in value.items()}
    return value * (1 + NUDGE) if isinstance(value, float) else value


@pytest.mark.parametrize("name", [n for n, v in figures(stram_tiny(), read_stram_model("stram_stochastic")).items()
                                  if nudged_figures(v) != v and n not in THRESHOLDS])  # fmt: skip
def test_a_nudged_figure_of_the_stram_model_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def nudged(case: StramCase, spec: Any) -> dict[str, Any]:
        found = figures(case, spec)
        return found | {name: nudged_figures(found[name])}

    monkeypatch.setattr(stram_build, "figures", nudged)
    case = PLANTED["stram_stochastic"]
    assert differences(case.of_pyomo(case.in_pyomo()), case.arrays)


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
    "fuel_supply_kwh": times("fuel_substitutes", "kwh_per_year"),
    "input_price_eur_per_t": times("suppliers", "price_eur_per_t"),
    "policy_value": times("policies", "value"),
    "driver_limit_h": times("country_years", "driver_limit_h_per_year"),
    "driver_cost_eur_per_h": times("country_years", "driver_cost_eur_per_h"),
    "carbon_price_eur_per_t": times("country_years", "carbon_price_eur_per_t"),
    "energy_price_eur_per_kwh": times("energy", "price_eur_per_kwh"),
    "truck_capex_eur": times("vehicle_years", "capex_eur"),
    "charger_capex_eur": times("chargers", "capex_eur"),
    "charger_fixed_eur": times("chargers", "fixed_eur_per_year"),
    "project_capex_eur": times("projects", "capex_eur"),
    "project_fixed_eur": times("projects", "fixed_eur_per_year"),
}


def without_sizes(found: Entries) -> Entries:
    return {key: value for key, value in found.items() if key[0] != "size"}


@pytest.mark.parametrize("name", [*PARAMETERS, "demand_t"])
def test_a_changed_parameter_gives_the_form_of_the_model_built_anew(name: str) -> None:
    instance, spec = with_everything(), read_model("sourcing")
    prepared = prepare(instance, prune=False)
    built = build(instance, prepared, spec)
    before = without_sizes(entries_of_form(standard_form(built)))
    parameter = built.model.component(name)
    for key in parameter:
        parameter[key] = parameter[key].value * MORE
    if name == "demand_t":
        anew = build(instance, replace(prepared, demand_t=prepared.demand_t * MORE), spec)
    else:
        anew = build(PARAMETERS[name](instance), prepared, spec)
    now = without_sizes(entries_of_form(standard_form(built)))
    assert differences(now, without_sizes(entries_of_form(standard_form(anew)))) == []
    assert differences(now, before)


def test_every_parameter_of_the_model_is_tried() -> None:
    parameters = {p.local_name for p in everything().in_pyomo().component_objects(pyo.Param)}
    assert parameters == {*PARAMETERS, "demand_t"}
