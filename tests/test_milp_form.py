"""The arrays handed to a solver say what the Pyomo model says."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pyomo.environ as pyo
import pytest
from scipy.sparse import csc_array

from milp_case import flows_of, solve, tiny, vary
from nbb_opt.errors import ModelError, SolveError
from nbb_opt.model import build, extract, read_model, standard_form
from nbb_opt.model.pyomo_form import columns_of
from nbb_opt.network import prepare
from nbb_opt.result import TABLES, compact_table


def test_rows_sides_and_cost_agree_with_pyomo_at_any_point() -> None:
    built = build(tiny(), prepare(tiny(), prune=False), read_model("joint"))
    form = standard_form(built)
    x = np.round(np.random.default_rng(1).uniform(0, 9, len(form.cost)))
    for variable, value in zip(columns_of(built.model), x.tolist(), strict=True):
        variable.set_value(value, skip_validation=True)
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost)))
    place, activity = {name: i for i, name in enumerate(form.row_names)}, matrix @ x
    for row in built.model.component_data_objects(pyo.Constraint):
        at = place[row.name]
        for side, of_row, sense in ((row.lslack(), form.row_low[at], 1), (row.uslack(), form.row_up[at], -1)):
            assert sense * (activity[at] - of_row) == pytest.approx(side, rel=1e-12, abs=1e-6)
    assert form.cost @ x + form.cost_offset == pytest.approx(pyo.value(built.model.cost_eur), rel=1e-12)


def test_scales_are_powers_of_two_and_one_for_integers() -> None:
    form = standard_form(build(tiny(), prepare(tiny(), prune=False), read_model("joint")))
    assert (form.col_unit_scale[form.integer] == 1).all()
    assert (np.log2(form.col_unit_scale) % 1 == 0).all()


def test_projects_are_decided_before_chargers_and_chargers_before_trucks() -> None:
    form = standard_form(build(tiny(), prepare(tiny(), prune=False), read_model("joint")))
    order = {name.split("[")[0]: k for name, k in zip(form.col_names, form.fix_order.tolist(), strict=True)}
    assert order["built"] < order["installed"] < order["bought"] == order["kept"]
    assert ((form.fix_order >= 0) == form.integer).all()


def test_building_twice_gives_the_same_arrays() -> None:
    prepared = prepare(tiny(), prune=False)
    a, b = (standard_form(build(tiny(), prepared, read_model("joint"))) for _ in range(2))
    assert list(a.col_names) == list(b.col_names)
    assert list(a.row_names) == list(b.row_names)
    assert a.a_values.tobytes() == b.a_values.tobytes()
    assert a.cost.tobytes() == b.cost.tobytes()


def test_a_figure_that_is_not_finite_is_refused_before_anything_is_solved() -> None:
    broken = vary(tiny(), "commodities", "commodity", "BOX", value_of_time_eur_per_t_h=np.inf)
    with pytest.raises(ModelError, match="cargo_time"):
        build(broken, prepare(tiny(), prune=False), read_model("joint"))


def test_a_flow_without_a_usable_chain_is_named() -> None:
    late = vary(tiny(), "vehicles", "mode", "road", available_from=2100)
    with pytest.raises(ModelError, match="ORE from MINE to WEST in 2025"):
        build(late, prepare(tiny(), prune=False), read_model("joint"))


def test_flows_are_given_if_and_only_if_the_model_wants_them() -> None:
    prepared = prepare(tiny(), prune=False)
    flows = np.zeros((len(prepared.chains), 2))
    for name, given in (("joint", flows), ("electrify_only", None), ("electrify_only", flows)):
        with pytest.raises(ModelError):
            build(tiny(), prepared, read_model(name), fixed_flows_t=given)


def test_a_fuel_that_is_not_sold_in_a_country_is_an_error() -> None:
    broken = vary(tiny(), "vehicles", "vehicle", "DIESEL", energy_carrier="marine_fuel")
    with pytest.raises(ModelError, match=r"no marine_fuel in (SE|FI)"):
        build(broken, prepare(tiny(), prune=False), read_model("frozen"))


def test_tables_have_their_columns_and_costs_add_up_to_the_objective() -> None:
    solved = solve(tiny())
    assert list(solved.tables) == list(TABLES)
    for name, frame in solved.tables.items():
        pd.testing.assert_series_equal(frame.dtypes.astype(str), compact_table(name).dtypes.astype(str))
    assert solved.tables["costs"]["discounted_eur"].sum() == pytest.approx(solved.cost_eur, rel=1e-9)
    assert flows_of(solved, tiny()).sum() == pytest.approx(solved.tables["demand"]["tonnes"].sum())


def test_values_that_are_no_plan_are_refused() -> None:
    solved = solve(tiny())
    assert solved.values is not None
    integer = int(np.flatnonzero(standard_form(solved.built).integer)[0])
    for column, value in itertools.product((integer, 0), (0.5, -3.0, np.nan)):
        if column == integer or not value > 0:
            values = solved.values.copy()
            values[column] = value
            with pytest.raises(SolveError):
                extract(solved.built, values)
