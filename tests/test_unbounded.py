"""Models that earn without end are refused before the solver, with the column that pays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from milp_case import Instance, add_rows, tiny
from nbb_opt.errors import ModelError
from nbb_opt.model import StandardForm, build, read_model, split, standard_form
from nbb_opt.network import prepare
from nbb_opt.solve import solve_form
from nbb_opt.solve.colgen import solve_split
from nbb_opt.solve.unbounded import refuse_unbounded


def with_grant(eur: float) -> Instance:
    """Unchecked, as a study may make it."""
    row = {"subsidy": "S", "kind": "purchase_grant_eur_per_vehicle", "country": "SE", "technology": "battery"}
    years = {"first_year": 2020, "last_year": 2060}
    return add_rows(tiny(), "subsidies", [row | years | {"value": eur, "source": "made_up", "note": ""}])


def form_of(case: Instance) -> StandardForm:
    return standard_form(build(case, prepare(case), read_model("joint")))


def test_a_grant_that_pays_for_buying_is_refused_with_the_truck_and_what_each_earns() -> None:
    form = form_of(with_grant(400_000.0))
    with pytest.raises(ModelError) as refused:
        solve_form(form, gap=0.0)
    eur = -form.cost[list(form.col_names).index("bought[W,BATTERY,2025]")]
    assert "earns without end" in str(refused.value)
    assert f"buying a BATTERY in W in 2025 (bought[W,BATTERY,2025]): {eur:,.10g} each" in str(refused.value)


def test_column_generation_refuses_it_too() -> None:
    case = with_grant(400_000.0)
    segments = split(build(case, prepare(case), read_model("joint"), route="segments"))
    with pytest.raises(ModelError, match="buying a BATTERY"):
        solve_split(segments, gap=0.0)


def test_what_pays_but_cannot_grow_is_solved() -> None:
    form = form_of(tiny())
    paid = form.cost.copy()
    carried = np.array([name.startswith("carried_t") for name in form.col_names])
    paid[carried] -= 1000.0  # only demand is carried
    refuse_unbounded(replace(form, cost=paid))
    assert solve_form(replace(form, cost=paid), gap=1e-6).objective < 0


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_ray_of_several_columns_and_of_falling_ones_is_found(sign: float) -> None:
    # min -x + y with x - y <= 1 is bounded, with x - 2 y <= 1 it is not; mirrored likewise
    for slope, bounded in ((-1.0, True), (-2.0, False)):
        cost, ends = np.array([-1.0, 1.0]) * sign, ([0.0, np.inf] if sign > 0 else [-np.inf, 0.0])
        side = (-np.inf, 1.0) if sign > 0 else (-1.0, np.inf)
        form = StandardForm(
            cost=cost, cost_offset=0.0, a_indptr=np.array([0, 1, 2]), a_indices=np.array([0, 0]),
            a_values=np.array([1.0, slope]), row_low=np.array([side[0]]), row_up=np.array([side[1]]),
            col_low=np.full(2, ends[0]), col_up=np.full(2, ends[1]), integer=np.zeros(2, bool), col_names=["x", "y"],
            row_names=["row"], col_unit_scale=np.ones(2), fix_order=np.full(2, -1, np.int8),
        )  # fmt: skip
        if bounded:
            refuse_unbounded(form)
        else:
            with pytest.raises(ModelError, match="x: 1 each"):
                refuse_unbounded(form)
