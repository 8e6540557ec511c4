"""Control totals: observed figures beside the flows of the frozen plan."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import nbb_opt as nbb
from command_line import nbb_opt
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.studies.control_totals import as_lines

CLOSE_SHARE = 0.65  # of the control totals of the flagship are within 20 %
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
    found["deviation"], found["reason"] = [0.1, -0.2, 0.3, 0.41, -0.5, 0], ["", "", "", "", "old", ""]
    lines = as_lines(found)
    assert "within 20%: 3 of 6 (50%)" in lines
    assert lines[-2:] == ["more than 40% off: A name: old", "more than 40% off: A name: no reason given"]


def test_an_instance_without_totals_says_what_to_add(tiny: Instance) -> None:
    with pytest.raises(nbb.NbbError, match="no table control_totals"):
        nbb.control_totals(nbb.solve(tiny, "frozen"))


def test_the_flagship_meets_its_control_totals(tmp_path: Path) -> None:
    nbb_opt("solve", FLAGSHIP, "--model", "frozen", "--gap", "0.005", "--out", tmp_path / "run", check=0)
    found = nbb.control_totals(tmp_path / "run")
    off = found["deviation"].abs()
    assert (off <= 0.2).mean() >= CLOSE_SHARE, as_lines(found)
    assert found["name"][(off > 0.4) & (found["reason"] == "")].tolist() == []
    assert "within 20%" in nbb_opt("totals", tmp_path / "run", check=0).stdout
