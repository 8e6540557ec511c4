"""Plants choose who supplies what their recipes need: a case worked by hand, and what a plan may not do.

A smokery in PORTE makes 10 000 t a year of 20 000 t of fish, which today come from PORTW, by ferry: 12.675 EUR/t in
2025 and 13.39 in 2030 (instances/tiny/EXPECTED.md, section 3; the harbour has no limit here). A hatchery in PORTE can
sell 8 000 t at the smokery's gate for 5 EUR/t more. It needs half a tonne of feed from PORTW for a tonne of fish:
1 EUR/t, and 3 + 4 + 0.3 + 0.3525 = 7.6525 EUR/t by sea in 2025, 8.005 in 2030. So a tonne of its fish spares
12.675 - 5 - 0.5 (1 + 7.6525) = 3.34875 EUR in 2025 and 13.39 - 5 - 0.5 (1 + 8.005) = 3.8875 in 2030.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from milp_case import Instance, Solved, add_rows, solve, tiny, vary, without_policies
from nbb_opt.errors import ModelError
from nbb_opt.model import build, read_model, standard_form
from nbb_opt.model.spec import spec_of
from nbb_opt.network import prepare
from nbb_opt.report.sourcing import sourcing_grids, sourcing_table
from nbb_opt.verify import verify_plan

MADE_UP = {"source": "made_up", "note": ""}
SPARED_EUR = 8000 * 5 * (3.34875 + 3.8875)
FAR_T, NEAR_T, FEED_T = 12_000.0, 8_000.0, 4_000.0


def plain() -> Instance:
    """Tiny without rules and with room in its harbour: fish goes by ferry, and no truck has to do with it."""
    return vary(without_policies(tiny()), "terminals", "terminal", "*", capacity_t_per_year=np.nan)


def fishing(*, price: float = 105.0, capacity: float = NEAR_T, **recipe: Any) -> Instance:
    """With the smokery, the hatchery, and who may supply them."""
    site = {"direction": "produces", "node": "PORTE", "commodity": "FISH", "status": "made up"} | MADE_UP
    case = add_rows(plain(), "sites", [
        site | {"site": name, "name": name, "year": year, "amount_t_per_year": amount}
        for name, amount in (("SMOKERY", 10_000.0), ("HATCHERY", 0.0)) for year in (2025, 2035)
    ])  # fmt: skip
    case = add_rows(case, "recipes", [
        {"site": "SMOKERY", "input": "fish", "commodity": "FISH", "t_per_t": 2.0} | recipe | MADE_UP,
        {"site": "HATCHERY", "input": "feed", "commodity": "PULP", "t_per_t": 0.5} | MADE_UP,
    ])  # fmt: skip
    offer = {"first_year": 2020, "in_region": False} | MADE_UP
    case = add_rows(case, "suppliers", [
        offer | {"supplier": "BOATS", "input": "fish", "node": "PORTW", "price_eur_per_t": 100.0,
                 "upstream_kg_co2e_per_t": 100.0},
        offer | {"supplier": "TANKS", "input": "fish", "node": "PORTE", "site": "HATCHERY", "in_region": True,
                 "capacity_t_per_year": capacity, "price_eur_per_t": price, "upstream_kg_co2e_per_t": 40.0},
        offer | {"supplier": "MEAL", "input": "feed", "node": "PORTW", "price_eur_per_t": 1.0,
                 "upstream_kg_co2e_per_t": 10.0},
    ])  # fmt: skip
    return add_rows(case, "supply_contracts", [
        {"supplier": "BOATS", "site": "SMOKERY", "input": "fish", "year": year, "amount_t_per_year": 20_000.0} | MADE_UP
        for year in (2025, 2035)
    ])  # fmt: skip


@cache
def solved() -> Solved:
    return solve(fishing(), "sourcing")


def as_today() -> float:
    return solve(plain(), "joint").cost_eur


def test_the_plan_is_the_one_worked_out_by_hand() -> None:
    found = solved()
    assert found.cost_eur == pytest.approx(as_today() - SPARED_EUR, rel=1e-9)
    supplied = found.tables["supplied"].set_index(["supplier", "site", "input", "year"])["tonnes"]
    expected = {
        (*pair, year): tonnes
        for year in (2025, 2030)
        for pair, tonnes in ((("BOATS", "SMOKERY", "fish"), FAR_T), (("TANKS", "SMOKERY", "fish"), NEAR_T),
                             (("MEAL", "HATCHERY", "feed"), FEED_T))
    }  # fmt: skip
    assert supplied.to_dict() == pytest.approx(expected)
    costs = found.tables["costs"].set_index(["component", "year"])["amount_eur"]
    assert costs["inputs", 2025] == pytest.approx(NEAR_T * 5 + FEED_T)
    model = found.built.model
    for kind, values in (("supplied_t", model.supplied_t), ("carried_t", model.carried_t)):
        first = found.built.start[kind]
        for variable, value in zip(values.values(), found.values[first : first + len(values)], strict=True):
            variable.set_value(value, skip_validation=True)
    assert model.upstream_kg[2030].expr() == pytest.approx(FAR_T * 100 + NEAR_T * 40 + FEED_T * 10)


def test_tables_say_how_much_comes_from_the_region_and_what_is_emitted_upstream() -> None:
    found = sourcing_table(fishing(), solved().tables).set_index(["site", "input", "year"])
    fish = found.loc["SMOKERY", "fish", 2030]
    assert fish.tolist() == pytest.approx([FAR_T + NEAR_T, NEAR_T, 0.4, 0.0, NEAR_T * 5, FAR_T * 100 + NEAR_T * 40])
    inputs, suppliers = (grid.written() for grid in sourcing_grids(fishing(), solved().tables))
    assert ["SMOKERY", "fish", "2030", "20.0", "40.0", "0.0", "0.04", "1.5"] in inputs
    assert ["TANKS", "yes", "fish", "SMOKERY", "2030", "8.0"] in suppliers
    assert sourcing_grids(plain(), solve(plain(), "joint").tables) == []


def test_a_dear_supplier_is_taken_only_as_far_as_the_target_share_asks() -> None:
    dear = {"price": 150.0}
    assert solve(fishing(**dear), "sourcing").cost_eur == pytest.approx(as_today(), rel=1e-9)
    aimed = solve(fishing(**dear, region_share=0.3, region_share_from_year=2030), "sourcing")
    assert aimed.cost_eur - as_today() == pytest.approx(6000 * 5 * (45 - 3.8875), rel=1e-6)


def test_without_the_supplier_the_cost_is_that_of_today() -> None:
    assert solve(fishing(capacity=0.0), "sourcing").cost_eur == pytest.approx(as_today(), rel=1e-9)


def test_recipes_change_no_other_model_and_the_model_no_other_instance() -> None:
    def form(case: Instance, name: str) -> Any:
        return standard_form(build(case, prepare(case), read_model(name)))

    same = [form(plain(), "joint"), form(fishing(), "joint"), form(plain(), "sourcing")]
    for other in same[1:]:
        assert list(other.col_names) == list(same[0].col_names)
        assert list(other.row_names) == list(same[0].row_names)
        for name in ("cost", "a_indptr", "a_indices", "a_values", "row_low", "row_up", "col_low", "col_up",
                     "col_unit_scale"):  # fmt: skip
            assert np.array_equal(getattr(other, name), getattr(same[0], name)), name


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"TANKS": 9_000.0, "BOATS": 11_000.0}, "respect_supplier_capacity"),
        ({"BOATS": 13_000.0}, "meet_recipe"),
        ({"MEAL": 3_000.0}, "meet_recipe"),
        ({"TANKS": 0.0, "BOATS": 20_000.0}, "serve_demand"),
    ],
)
def test_the_verifier_refuses_what_no_supplier_or_recipe_allows(wrong: dict[str, float], rule: str) -> None:
    tables, spec = solved().tables, read_model("sourcing")
    supplied = tables["supplied"]
    supplied = supplied.assign(tonnes=supplied["supplier"].map(wrong).fillna(supplied["tonnes"]))
    verdict = verify_plan(
        fishing(), {**tables, "supplied": supplied}, blocks=spec.blocks, technologies="all", projects="all", reported={}
    )
    assert rule in set(verdict.checks.loc[~verdict.checks["ok"], "rule"])


def test_the_verifier_keeps_suppliers_to_their_offers_target_and_model() -> None:
    def broken(case: Instance, name: str) -> set[str]:
        verdict = verify_plan(
            case, solved().tables, blocks=read_model(name).blocks, technologies="all", projects="all", reported={}
        )
        return set(verdict.checks.loc[~verdict.checks["ok"], "rule"])

    assert "keep_region_share" in broken(fishing(region_share=0.5), "sourcing")
    assert "offer_supply" in broken(vary(fishing(), "suppliers", "supplier", "TANKS", first_year=2030), "sourcing")
    assert "agree_costs" in broken(fishing(price=106.0), "sourcing")
    assert "respect_options" in broken(fishing(), "joint")


def test_column_generation_says_that_it_cannot() -> None:
    case = fishing()
    with pytest.raises(ModelError, match="no statement of the block 'sourcing'"):
        build(case, prepare(case), read_model("sourcing"), route="segments")
    frozen = {"title": "t", "blocks": ["flow", "fleet", "sourcing"], "technologies": "all", "projects": "none",
              "flows": "frozen"}  # fmt: skip
    with pytest.raises(ModelError, match="contradicts the block 'sourcing'"):
        spec_of({"model": frozen}, name="m")
