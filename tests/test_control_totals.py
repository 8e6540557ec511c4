"""Control totals: observed figures beside the flows of the frozen plan."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import nbb_opt as nbb
from command_line import nbb_opt
from instance_copies import copy_with_every_table
from nbb_opt.emissions.outside import outside_freight
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.studies.control_totals import totals_answer

CLOSE_SHARE = 0.8  # of the control totals of the flagship are within 20 %
FLAGSHIP = Path(__file__).parent.parent / "instances" / "nbb"


def with_totals(region: Instance, *rows: dict[str, object]) -> Instance:
    """The region with these control totals; other cells are blank."""
    blank = {column.name: "" for column in BY_NAME["control_totals"].columns}
    same = {"name": "A name", "observed": 1, "observed_year": 2024, "outside": 0, "source": "made_up"}
    rows = tuple(blank | same | {"total": f"T{i}"} | row for i, row in enumerate(rows))
    return region.with_table("control_totals", pd.DataFrame(rows))


@pytest.fixture(scope="module")
def tiny() -> Instance:
    return nbb.examples.tiny()


@pytest.fixture(scope="module")
def plan(tiny: Instance) -> nbb.Result:
    handled = {"measure": "handled_t_per_year", "modes": "road", "nodes": "MINE"}
    carried = {"measure": "carried_t_per_year", "modes": "road", "links": "ROAD_MINE_WEST"}
    work = {"measure": "work_tkm_per_year", "modes": "road;rail;sea;ferry"}
    grams = {"measure": "emissions_g_per_tkm", "modes": "road"}
    region = with_totals(tiny, handled, carried, work, work | {"outside": 1e6}, grams, carried | {"origins": "EAST"})
    return nbb.solve(region, "frozen")


def test_what_is_handled_carried_and_moved_is_what_the_flows_of_the_first_period_say(plan: nbb.Result) -> None:
    found = nbb.control_totals(plan)
    year = plan.instance.periods[0].year
    flows = plan.flows[plan.flows["year"] == year]
    of_mine = flows[(flows["origin"] == "MINE") | (flows["destination"] == "MINE")]
    handled, carried, work, more, grams, none = found["modelled"]
    assert handled == pytest.approx(of_mine["flow_t_per_year"].sum())
    assert handled >= carried > 0
    assert work == pytest.approx((flows["flow_t_per_year"] * flows["distance_km"]).sum())
    assert more == pytest.approx(work + 1e6)
    kg = plan.run.tables["emissions"].query("year == @year and mode == 'road'")
    assert 0 < 1000 * (kg["ttw_kg"] + kg["wtt_kg"]).sum() / work < grams < 150
    assert none == 0


def test_a_total_far_off_is_named_with_its_reason(plan: nbb.Result) -> None:
    found = nbb.control_totals(plan)
    reasons = ["", "", "", "", "old", ""]
    rows = found.table.assign(deviation=[0.1, -0.2, 0.3, 0.41, -0.5, 0], reason=reasons)
    answer = totals_answer(plan.instance, rows)
    assert answer.sentences == [
        "Within 20%: 3 of 6 (50%).", "More than 40% off: A name: old.", "More than 40% off: A name: no reason given.",
    ]  # fmt: skip
    picture = str(answer.sections(answer)[0].drawing)
    bars = re.findall(r"modelled above observed (-?[0-9]+)", picture.replace("\N{MINUS SIGN}", "-"))
    assert bars[:6] == ["-50", "41", "30", "-20", "10", "0"]


def test_an_instance_without_totals_says_what_to_add(tiny: Instance) -> None:
    with pytest.raises(nbb.NbbError, match="no table control_totals"):
        nbb.control_totals(nbb.solve(tiny, "frozen"))


@pytest.fixture(scope="module")
def flagship() -> pd.DataFrame:
    """Control totals of nbb, of the first period solved alone."""
    return nbb.control_totals(nbb.read(FLAGSHIP)).table.set_index("total")


def test_the_base_year_of_the_flagship_meets_its_control_totals(flagship: pd.DataFrame) -> None:
    off = flagship["deviation"].abs()
    assert (off <= 0.2).mean() >= CLOSE_SHARE, flagship
    assert flagship["name"][(off > 0.4) & (flagship["reason"] == "")].tolist() == []


@pytest.mark.parametrize(
    ("total", "most"),
    [
        ("RAIL_FISH", 0.1),
        ("RAIL_BOO", 0.2),
        ("OIL_LUL", 0.2),
        ("OIL_SUN", 0.2),
        ("FERRY", 0.2),
        ("ROAD_FI", 0.15),
        ("ROAD_G", 0.15),
    ],
)
def test_fish_and_goods_of_bodo_ride_oil_sails_and_trucks_emit_as_observed(
    flagship: pd.DataFrame, total: str, most: float
) -> None:
    assert abs(flagship.loc[total, "deviation"]) <= most


def test_totals_of_a_run_are_printed(tmp_path: Path) -> None:
    copy = copy_with_every_table(tmp_path / "region")
    nbb.solve(nbb.read(copy.path), "frozen").save(tmp_path / "run")
    assert "Within 20%" in nbb_opt("totals", tmp_path / "run", check=0).stdout


def test_freight_without_a_choice_is_handled_carried_and_emits_beside_the_plan(tiny: Instance) -> None:
    handled = {"measure": "handled_t_per_year", "modes": "sea", "nodes": "PORTW"}
    carried = {"measure": "carried_t_per_year", "modes": "sea", "links": "SEA_PORTE_PORTW"}
    flow = {"origin": "PORTE", "destination": "PORTW", "commodity": "PULP", "link": "SEA_PORTE_PORTW"}
    rows = [
        flow | {"year": year, "tonnes": t, "source": "made_up", "note": ""} for year, t in ((2025, 3e4), (2035, 5e4))
    ]
    region = with_totals(tiny, handled, carried)
    before, after = (
        nbb.control_totals(one) for one in (region, region.with_table("outside_flows", pd.DataFrame(rows)))
    )
    assert (after["modelled"] - before["modelled"]).tolist() == pytest.approx([3e4, 3e4])
    moved = outside_freight(region.with_table("outside_flows", pd.DataFrame(rows)))
    assert moved["tonnes"].tolist() == pytest.approx([3e4, 4e4])
    assert (moved["tkm"] / moved["tonnes"] == moved["distance_km"]).all()
    assert (moved["ttw_kg"] > 0).all()
