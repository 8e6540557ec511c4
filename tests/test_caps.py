"""Caps of the model itself: a share below the frozen plan's first period, kept, priced and verified."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

import nbb_opt as nbb
from nbb_opt.errors import ModelError
from nbb_opt.model.spec import spec_of
from nbb_opt.report.front import front_grid
from nbb_opt.result import FRONT
from nbb_opt.verify import verify_run

MODEL = {
    "title": "t", "blocks": ["flow", "fleet", "projects", "caps"], "technologies": "all", "projects": "all",
    "flows": "free",
}  # fmt: skip


@cache
def capped() -> nbb.Result:
    return nbb.solve(nbb.examples.tiny(), "cap_path", gap=1e-6)


def test_a_path_of_caps_is_kept_and_its_next_tonne_has_a_price() -> None:
    plan = capped()
    emitted, base_t = plan.figures["emissions_t_co2e"], plan.frozen.figures["emissions_t_co2e"][2025]
    assert plan.record["caps_t_co2e"] == {"2030": pytest.approx(0.8 * base_t)}
    assert emitted[2030] <= 0.8 * base_t * (1 + 1e-6) < plan.reference.figures["emissions_t_co2e"][2030]
    assert plan.record["next_tonne_eur_per_t"]["2030"] > 200  # dearer than the carbon price, or nobody would need a cap
    assert "the next tonne costs" in str(plan)


def test_a_plan_under_caps_of_its_model_is_explained_at_prices_that_hold_the_next_tonne() -> None:
    found = nbb.explain(capped(), origin="WEST", destination="PLANT", commodity="BOX", year=2030, cache=False)
    used = found.table[found.table["carried_t_per_year"] > 0]
    assert used["total_eur_per_t"].to_numpy() == pytest.approx(found.price_eur_per_t)
    assert (used["scarcity_eur_per_t"] > 0).all()


def test_a_plan_above_the_caps_of_its_model_is_refused() -> None:
    plan, free = capped(), nbb.solve(nbb.examples.tiny(), "joint", gap=1e-6)
    assert free.figures["emissions_t_co2e"][2030] > plan.record["caps_t_co2e"]["2030"]
    lie = replace(free.run, record={**free.record, "model": "cap_path", "caps_t_co2e": plan.record["caps_t_co2e"]})
    failed = verify_run(lie, free.instance).failures()
    assert failed["rule"].tolist() == ["cap_emissions"]
    loose = replace(plan.run, record={**plan.record, "caps_t_co2e": {"2030": 1e6}})
    assert verify_run(loose, plan.instance).failures()["rule"].tolist() == ["agree_caps"]


@pytest.mark.parametrize(
    ("caps", "said"),
    [
        ({"cut": {"2030": 20}}, "write a year and the share of emissions cut, as 2030 = 0.2"),
        ({"cuts": {"2030": 0.2}}, "unknown key 'cuts' of .caps. .did you mean 'cut'"),
        ({"cut": 0.2}, "write a year and the share"),
    ],
)
def test_a_fault_in_the_caps_of_a_model_is_named(caps: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        spec_of({"model": MODEL, "caps": caps}, name="m")


def test_caps_need_the_block_that_keeps_them_and_the_plan_they_are_counted_from() -> None:
    with pytest.raises(ModelError, match="needs the block 'caps'"):
        spec_of({"model": MODEL | {"blocks": MODEL["blocks"][:3]}, "caps": {"cut": {"2030": 0.2}}}, name="m")
    with pytest.raises(ModelError, match="below what the frozen plan emits; solve it"):
        nbb.build(nbb.examples.tiny(), "cap_path")


def test_a_front_beside_a_plan_says_what_each_further_per_cent_costs() -> None:
    plan = capped()
    rows = ["cost_eur,emissions_t_co2e", "18.0e6,7000", "19.0e6,6000"]
    grid = front_grid(plan.instance, replace(plan.run, beside={FRONT: "\n".join(rows).encode()}))
    assert grid is not None
    assert front_grid(plan.instance, plan.run) is None
    base_t, base_eur = 5 * (872.0 + 746.65), plan.reference.cost_eur  # EXPECTED.md
    assert grid.rows[0] == [7.0, pytest.approx(7000 / base_t - 1), 18.0, pytest.approx(18e6 / base_eur - 1), None]
    assert grid.rows[1][-1] == pytest.approx(1.0 / (100 * 1000 / base_t))  # MEUR for each per cent of the reference
