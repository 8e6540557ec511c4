"""What-ifs: cells changed by statements, scenarios by name; recorded, reported, verified again from the base."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import nbb_opt as nbb
from nbb_opt.errors import InstanceError, VerifyFailed
from nbb_opt.instance import Instance
from nbb_opt.instance.what_if import ChangedCell
from nbb_opt.shipped import shipped

TINY = nbb.read(shipped("instances") / "tiny")
CARBON = "country_years.carbon_price_eur_per_t[country=SE, year>=2030] = 200"


@pytest.fixture(scope="module")
def dear() -> nbb.Result:
    """A small what-if, solved."""
    return nbb.solve(TINY.with_changes(CARBON, forbid=["RAIL_MINE"]), cache=False)


def cells(*changes: str) -> list[ChangedCell]:
    what_if = TINY.with_changes(*changes).what_if
    assert what_if is not None
    return list(what_if.cells)


def test_a_statement_changes_the_cells_that_its_conditions_mean_and_no_others() -> None:
    assert cells(CARBON) == [ChangedCell("country_years", "SE/2035", "carbon_price_eur_per_t", 300.0, 200.0)]
    doubled = cells("od.tonnes[origin=MINE|WEST, year!=2025] *= 2")
    assert {cell.after / cell.before for cell in doubled} == {2.0}
    assert {cell.row.split("/")[0] for cell in doubled} == {"MINE", "WEST"}
    later = cells("projects.earliest_year += 1")
    assert {cell.after - cell.before for cell in later} == {1}


def test_statements_follow_each_other_and_cells_are_told_against_the_base() -> None:
    twice = TINY.with_changes(CARBON).with_changes("country_years.carbon_price_eur_per_t[country=SE,year=2035] *= 2")
    assert twice.what_if is not None
    assert [(cell.before, cell.after) for cell in twice.what_if.cells] == [(300.0, 400.0)]
    assert twice.what_if.base is TINY
    back = TINY.with_changes(CARBON).with_changes("country_years.carbon_price_eur_per_t[country=SE,year=2035] = 300")
    assert back.digest == TINY.digest
    assert back.what_if is not None
    assert back.what_if.cells == ()


def test_a_blank_is_set_and_taken_away_by_its_word() -> None:
    assert cells('country_years.driver_limit_h_per_year[country="FI"] = blank')[0].after is None
    with pytest.raises(InstanceError, match="no figure"):
        TINY.with_changes("country_years.driver_limit_h_per_year[country=XX] *= 2")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("carbon price 200", "cannot be read.*write TABLE.COLUMN"),
        ("links.time_h[] *= 2", "something is missing"),
        ("links.time_h[,] *= 2", "something is missing"),
        ("links.time_h[mode!=] *= 2", "something is missing"),
        ("links.time_h[mode=road|] *= 2", "something is missing"),
        ('links.time_h[mode=road"] *= 2', "a quotation mark is not closed"),
        ("links.time_h *= 1_0", "'1_0' is not a number"),
        ("link.time_h = 1", "link is not a table.*'links'"),
        ("links.capacity = 0", "links has no column capacity.*capacity_link"),
        ("links.time_h[link=ROAD_EAST_PLAN] = 1", "no row of links has link=ROAD_EAST_PLAN.*'ROAD_EAST_PLANT'"),
        ("links.time_h[lnk=A] = 1", "links has no column lnk.*'link'"),
        ("country_years.carbon_price_eur_per_t[year>=2050] = 1", "no row of country_years is meant.*2025, 2035"),
        ("country_years.carbon_price_eur_per_t = dear", "'dear' is not a number"),
        ("country_years.carbon_price_eur_per_t = nan", "'nan' is not a number"),
        ("links.link = A", "link names the rows of links"),
        ("commodities.name *= 2", "name holds no numbers"),
        ("links.mode[mode<road] = rail", "mode holds no numbers"),
        ("links.two_way = perhaps", "two_way is true or false"),
        ("country_years.carbon_price_eur_per_t *= 1", "changes nothing"),
        ("country_years.carbon_price_eur_per_t = 99999", "is above 5000"),
        ("links.mode[link=ROAD_EAST_PLANT] = rial", "is not one of the choices.*'rail'"),
    ],
)
def test_a_statement_that_makes_no_sense_is_refused_by_its_fault(change: str, said: str) -> None:
    with pytest.raises(InstanceError, match=said):
        TINY.with_changes(change)


def test_a_project_cannot_be_built_and_forbidden() -> None:
    with pytest.raises(InstanceError, match="build 'RAIL_MINE': is forbidden too"):
        TINY.with_changes(build=["RAIL_MINE"], forbid=["RAIL_MINE"])


def test_a_name_alone_is_a_list_of_one_and_what_is_no_text_is_refused() -> None:
    assert TINY.with_changes(build="RAIL_MINE").digest == TINY.with_changes(build=["RAIL_MINE"]).digest
    for changes, lists in (([None], {}), ([["links.time_h *= 2"]], {}), ([], {"close": [5]}), ([], {"build": [None]})):
        with pytest.raises(
            nbb.NbbError, match=r"^with_changes: \w+=.*; give a text|give a list, each a text or a text"
        ):
            TINY.with_changes(*changes, **lists)


def test_every_faulty_statement_is_named_at_once() -> None:
    with pytest.raises(InstanceError) as refused:
        TINY.with_changes("links.nothing = 1", "nothing.time_h = 1")
    assert len(refused.value.problems) == 2


def test_a_what_if_may_leave_the_plausible_range_and_says_so() -> None:
    with pytest.raises(InstanceError, match="not plausible"):
        TINY.with_table("country_years", lambda t: t.assign(carbon_price_eur_per_t=2000.0))
    far = TINY.with_changes("country_years.carbon_price_eur_per_t = 2000")
    assert far.what_if is not None
    assert len(far.what_if.outside) == 4  # the rows at sea give a reason in their note


@pytest.mark.parametrize("option", ["close", "build", "forbid"])
def test_a_name_that_is_not_there_is_refused_with_the_one_that_is_meant(option: str) -> None:
    name = "ROAD_EAST_PLAN" if option == "close" else "RAIL_MIN"
    with pytest.raises(InstanceError, match="did you mean"):
        TINY.with_changes(**{option: [name]})


def test_a_project_is_built_where_it_must_be_and_not_where_it_may_not(dear: nbb.Result) -> None:
    assert "RAIL_MINE" not in set(dear.projects["project"])
    dull = TINY.with_changes("projects.fixed_eur_per_year[project=RAIL_MINE] = 9e7")
    assert "RAIL_MINE" not in set(nbb.solve(dull, cache=False).projects["project"])
    forced = nbb.solve(dull.with_changes(build=["RAIL_MINE"]), cache=False)
    assert "RAIL_MINE" in set(forced.projects["project"])
    assert forced.verified
    with pytest.raises(InstanceError, match="before RAIL_MINE can be in service"):
        TINY.with_changes("projects.required_from_year[project=RAIL_MINE] = 2026")


def test_pyomo_and_arrays_agree_that_a_project_must_be_built() -> None:
    forced = TINY.with_changes("projects.fixed_eur_per_year[project=RAIL_MINE] = 9e7", build=["RAIL_MINE"])
    costs = [
        nbb.solve(forced, options=nbb.SolveOptions(statement=statement, gap=1e-7), cache=False).cost_eur
        for statement in ("pyomo", "arrays")
    ]
    assert costs[0] == pytest.approx(costs[1], rel=1e-6)


def test_the_run_lists_what_was_changed_and_verify_makes_it_again_from_the_base(
    dear: nbb.Result, tmp_path: Path
) -> None:
    folder = dear.save(tmp_path / "run")
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert record["what_if"]["base_digest"] == TINY.digest != record["instance_digest"]
    assert record["what_if"]["changes"][0] == CARBON
    assert [cell["column"] for cell in record["what_if"]["cells"]] == ["carbon_price_eur_per_t", "earliest_year"]
    assert nbb.verify(folder, again_s=0, cache=False).record["ok"]
    assert nbb.load(folder).instance.digest == record["instance_digest"]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "What was changed of the base" in page
    assert "carbon_price_eur_per_t" in page
    assert "What if: what-if. 2" in str(dear)


@pytest.mark.parametrize("lie", ["before", "after", "left out", "base", "none"])
def test_a_run_that_is_wrong_about_what_it_changed_is_refused(dear: nbb.Result, lie: str) -> None:
    record = json.loads(json.dumps(dear.record))
    if lie in ("before", "after"):
        record["what_if"]["cells"][0][lie] = 1.0
    elif lie == "left out":
        del record["what_if"]["cells"][0]
    elif lie == "base":
        record["what_if"]["base_digest"] = "0" * 64
    else:
        del record["what_if"]
    forged = nbb.Result(replace(dear.run, record=record), dear.instance)
    with pytest.raises(VerifyFailed, match="what_if"):
        nbb.verify(forged, again_s=0, cache=False)


def test_a_scenario_of_a_file_is_found_by_its_name_with_the_instance_and_beside_it(tmp_path: Path) -> None:
    folder = nbb.new(tmp_path / "mine", template="tiny")
    text = f'title = "Dear carbon"\nreason = "to see"\nsource = []\nchanges = ["{CARBON}"]\n'
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "dear.toml").write_text(text, encoding="utf-8")
    mine = nbb.read(folder)
    assert list(mine.scenarios) == ["dear"]
    assert mine.scenario("dear").digest == mine.with_changes(CARBON).digest
    assert repr(mine.scenario("dear")).startswith("<Instance mine: mine, begun as a copy of tiny; dear; ")
    with pytest.raises(InstanceError, match="did you mean 'dear'"):
        mine.scenario("deer")
    assert TINY.scenario(str(folder / "scenarios" / "dear.toml")).digest == TINY.with_changes(CARBON).digest
    (folder / "scenarios" / "dear.toml").write_text(text.replace("reason", "raeson"), encoding="utf-8")
    with pytest.raises(InstanceError, match="'raeson' is not known"):
        nbb.check(folder)


def named() -> list[str]:
    return sorted(nbb.read(shipped("instances") / "haulier").scenarios)


@pytest.mark.parametrize("name", named())
def test_the_scenarios_of_the_haulier_apply(name: str) -> None:
    haulier: Instance = nbb.read(shipped("instances") / "haulier").scenario(name)
    assert haulier.what_if is not None
    assert haulier.what_if.cells


def test_every_scenario_of_nbb_applies_and_gives_source_and_reason() -> None:
    region = nbb.read(shipped("instances") / "nbb")
    scenarios = region.scenarios
    assert len(scenarios) >= 12
    for scenario in scenarios.values():
        what_if = region.scenario(scenario.name).what_if  # the rules of an instance hold in it too
        assert what_if is not None
        assert what_if.cells, scenario.name
        assert scenario.source, scenario.name
    closed = region.scenario("ferry_closed", "carbon_200_in_2030")
    assert closed.what_if is not None
    assert closed.what_if.scenarios == ("ferry_closed", "carbon_200_in_2030")
    assert {cell.table for cell in closed.what_if.cells} == {"links", "country_years"}
