"""Mode constants: what speaks against a mode beside cost and time, counted in the choice, paid by nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from instance_copies import copy_tiny, problems_of
from milp_case import add_rows, solve, tiny
from nbb_opt.instance import Instance, read_instance
from nbb_opt.model import read_model

EUR = 7.0


def against_road(**filters: str) -> Instance:
    """Tiny with a constant against the road."""
    return add_rows(tiny(), "mode_constants", [{"constant": "LOTS", "mode": "road", "eur_per_t": EUR, **filters}])


def counted_eur(case: Instance, *, year: int = 2025) -> float:
    """What the frozen plan counts in a year."""
    costs = solve(case, "frozen").tables["costs"]
    return float(costs.query("component == 'mode_constant' and year == @year")["amount_eur"].sum())


def carried_t(case: Instance, commodity: str, mode: str, *, year: int = 2025) -> float:
    """Tonnes of the frozen plan with this main mode."""
    tables = solve(case, "frozen").tables
    flows = tables["flows"].merge(tables["chains"], on="chain").merge(tables["bundles"], on="bundle")
    return float(flows.query("year == @year and commodity == @commodity and main_mode == @mode")["tonnes"].sum())


def test_a_constant_is_counted_on_the_tonnes_of_its_mode_and_a_large_one_moves_them() -> None:
    case = against_road(commodities="ORE")
    assert 0 < counted_eur(case) == pytest.approx(EUR * carried_t(case, "ORE", "road"))
    row = {"constant": "X", "mode": "ferry", "commodities": "FISH", "eur_per_t": 500.0}
    moved = add_rows(tiny(), "mode_constants", [row])
    assert carried_t(tiny(), "FISH", "ferry") > 0 == carried_t(moved, "FISH", "ferry") == counted_eur(moved)


def test_a_constant_is_that_of_the_flows_it_names() -> None:
    assert counted_eur(against_road(origins="EAST", commodities="ORE")) == 0
    one, all_of_them = against_road(origins="MINE"), against_road()
    assert 0 < counted_eur(one) < counted_eur(all_of_them)


def test_a_flow_that_is_new_after_the_first_period_has_no_constant(tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "later")
    for origin, destination in (("MINE", "WEST"), ("EAST", "PLANT")):
        copy.set("od", {"origin": origin, "destination": destination, "commodity": "WOOD", "year": "2025"}, tonnes="0")
    row = {"constant": "X", "mode": "road", "commodities": "WOOD", "eur_per_t": EUR}
    case = add_rows(read_instance(copy.path), "mode_constants", [row])
    assert carried_t(case, "WOOD", "road", year=2030) > 0
    assert counted_eur(case) == counted_eur(case, year=2030) == 0


def test_a_model_without_the_block_counts_none() -> None:
    spec = read_model("frozen")
    without = replace(spec, blocks=tuple(block for block in spec.blocks if block != "mode_constants"))
    assert solve(against_road(), without).cost_eur == pytest.approx(solve(tiny(), without).cost_eur)
    assert solve(against_road()).cost_eur > solve(tiny()).cost_eur


def test_goods_that_may_not_use_the_mode_are_named(tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "wrong")
    row = {"constant": "X", "mode": "sea", "commodities": "ORE", "origins": "", "destinations": "", "eur_per_t": "2",
           "source": "made_up", "note": ""}  # fmt: skip
    copy.write("mode_constants", list(row), [row])
    assert "may not use sea" in str(problems_of(copy.path)[0])
