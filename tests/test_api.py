"""The Python interface: what a notebook reads, solves, compares and keeps is what files and commands give."""

from __future__ import annotations

import inspect
import logging
import math
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pandas as pd
import pytest

import nbb_opt as nbb
from nbb_opt import ReadOnlyError, Result
from nbb_opt.api.plans import solve
from nbb_opt.errors import NbbError
from nbb_opt.instance.tables.csv_file import csv_bytes
from nbb_opt.report.study import whole
from nbb_opt.shipped import shipped
from nbb_opt.solve import Progress

TINY = shipped("instances") / "tiny"
# one edit of each of ten tables; the demand is a table like any other
EDITS = {
    "country_years": lambda t: t.assign(carbon_price_eur_per_t=2 * t.carbon_price_eur_per_t),
    "od": lambda t: t.assign(tonnes=0.9 * t.tonnes),
    "links": lambda t: t.assign(capacity_t_per_year=0.9 * t.capacity_t_per_year),
    "terminals": lambda t: t.assign(capacity_t_per_year=0.95 * t.capacity_t_per_year),
    "energy": lambda t: t.assign(price_eur_per_kwh=1.1 * t.price_eur_per_kwh),
    "vehicle_years": lambda t: t.assign(capex_eur=1.1 * t.capex_eur),
    "fleet": lambda t: t.assign(vehicles=t.vehicles + 1),
    "projects": lambda t: t.assign(capex_eur=1.2 * t.capex_eur),
    "chargers": lambda t: t.assign(capex_eur=0.9 * t.capex_eur),
    "nodes": lambda t: t.assign(note="moved nowhere"),
}


CHANGES_NOTHING = ("nodes",)  # of the optimum: a note
SOLVED_TWICE = ("od", "links", "country_years")  # demand, network and prices; the others are the same table by table


@cache
def tiny() -> nbb.Instance:
    return nbb.examples.tiny()


@cache
def plan() -> Result:
    return nbb.solve(tiny(), gap=1e-6, time_limit_s=120)


def edited_copy(folder: Path, name: str) -> Path:
    """The files of tiny, one of them edited as text on disk."""
    folder.mkdir()
    for file in TINY.iterdir():
        if file.suffix in (".csv", ".toml"):
            (folder / file.name).write_bytes(file.read_bytes())
    frame = pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values={"capacity_t_per_year": [""]})
    table = nbb_table(name)
    (folder / f"{name}.csv").write_bytes(csv_bytes(EDITS[name](frame), table))
    return folder


def nbb_table(name: str):
    from nbb_opt.instance.schema import BY_NAME

    return BY_NAME[name]


@pytest.mark.parametrize("name", EDITS)
def test_with_table_gives_the_instance_and_the_plan_that_the_edited_file_gives(name: str, tmp_path: Path) -> None:
    edited, on_disk = tiny().with_table(name, EDITS[name]), nbb.read(edited_copy(tmp_path / name, name))
    assert edited.digest == on_disk.digest != tiny().digest
    for table, frame in edited.tables.items():
        pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(on_disk[table]))
    options = nbb.SolveOptions(gap=1e-6, reference=False)
    in_memory = nbb.solve(edited, options=options)
    from_file = nbb.solve(on_disk, options=options) if name in SOLVED_TWICE else in_memory
    assert in_memory.cost_eur == from_file.cost_eur
    assert (in_memory.cost_eur == plan().cost_eur) == (name in CHANGES_NOTHING)
    pd.testing.assert_frame_equal(in_memory.flows, from_file.flows)


def test_files_that_change_after_reading_are_not_mixed_with_tables_in_memory(tmp_path: Path) -> None:
    region = nbb.read(edited_copy(tmp_path / "case", "links"))
    dear = region.with_table("country_years", EDITS["country_years"])
    (tmp_path / "case" / "links.csv").write_bytes((TINY / "links.csv").read_bytes())
    for instance in (region, dear):
        with pytest.raises(nbb.InstanceError, match=r"links\.csv: has changed on disk since the instance was read"):
            instance.with_table("od", EDITS["od"])
    assert (
        dear.with_table("links", EDITS["links"]).digest
        == tiny()
        .with_table("country_years", EDITS["country_years"])
        .with_table("links", lambda t: EDITS["links"](EDITS["links"](t)))
        .digest
    )


def test_an_edited_region_is_verified_as_edited() -> None:
    assert nbb.verify(nbb.solve(tiny().with_table("od", EDITS["od"]), gap=1e-6)).record["ok"]


def test_ctrl_c_keeps_the_best_plan_found() -> None:
    seen_eur: list[float] = []

    def press(step: Progress) -> None:
        if math.isfinite(step.incumbent) and not step.phase.startswith(("frozen", "reference")):
            seen_eur.append(step.incumbent)
            if len(seen_eur) == 1:
                os.kill(os.getpid(), signal.SIGINT)

    kept = nbb.solve(nbb.examples.haulier(), gap=0.0, time_limit_s=300, progress=press)
    assert (kept.status, kept.verified) == ("stopped", True)
    assert kept.cost_eur <= min(seen_eur) * (1 + 1e-9)


def test_an_edited_table_is_checked_with_place_and_fix() -> None:
    with pytest.raises(nbb.InstanceError, match=r"links\.csv row 2, column from_node, value 'MINNE'.*did you mean"):
        tiny().with_table("links", lambda t: t.assign(from_node="MINNE"))
    with pytest.raises(nbb.InstanceError, match="carbon_price"):
        tiny().with_table("country_years", lambda t: t.rename(columns={"carbon_price_eur_per_t": "carbon_price"}))
    with pytest.raises(nbb.InstanceError, match="did you mean 'links'"):
        tiny().with_table("link", lambda t: t)
    with pytest.raises(nbb.InstanceError, match="became a NoneType"):
        tiny().with_table("links", lambda t: None)
    with pytest.raises(nbb.InstanceError, match="discount_rate"):
        tiny().with_settings(discount_rate=4)


def test_edits_add_up_and_work_on_a_workbook(tmp_path: Path) -> None:
    both = tiny().with_table("od", EDITS["od"]).with_settings(discount_rate=0.05)
    book = nbb.read(nbb.write(tiny(), tmp_path / "tiny.xlsx"))
    assert book.with_table("od", EDITS["od"]).with_settings(discount_rate=0.05).digest == both.digest
    assert nbb.read(nbb.write(both, tmp_path / "both")).digest == both.digest


def test_an_edit_in_place_raises_and_changes_nothing() -> None:
    region = tiny()

    def double() -> None:
        region["country_years"]["carbon_price_eur_per_t"] *= 50

    def set_cells() -> None:
        region["country_years"].loc[:, "carbon_price_eur_per_t"] = 1.0

    def set_one() -> None:
        region["links"].at[0, "distance_km"] = 1.0

    def set_through_a_column() -> None:
        region["links"]["distance_km"].iloc[0] = 1.0

    def set_attribute() -> None:
        region["links"].distance_km = 1.0

    def set_by_position() -> None:
        region["links"].iloc[0, 1] = 1.0

    def add_column() -> None:
        region["od"]["more"] = 1.0

    def drop() -> None:
        region["links"].drop(columns="note", inplace=True)

    def replace() -> None:
        region["links"].replace(50.0, 1.0, inplace=True)

    def remove() -> None:
        del region["links"]["distance_km"]

    before = {name: table.copy() for name, table in region.tables.items()}
    for edit in (double, set_cells, set_one, set_through_a_column, set_attribute, set_by_position, add_column, drop,
                 replace, remove):  # fmt: skip
        with pytest.raises(ReadOnlyError, match="with_table"):
            edit()
    with pytest.raises(ValueError, match="read-only"):
        region["links"]["distance_km"].to_numpy()[0] = 1.0
    for column in (region["links"]["from_node"], region["links"].from_node, region["links"].iloc[:, 1]):
        for texts in (column.to_numpy(), column.array):
            with pytest.raises(ValueError, match="read-only"):
                texts[0] = "NOWHERE"
    for name, table in before.items():
        pd.testing.assert_frame_equal(region[name], table)
        pd.testing.assert_frame_equal(table, region[name])
    assert type(region["links"].copy()) is type(region["links"].query("distance_km > 0")) is pd.DataFrame


def test_what_is_taken_out_of_a_table_can_be_edited() -> None:
    links = tiny()["links"].copy()
    links["distance_km"] *= 2
    assert links["distance_km"].sum() == 2 * tiny()["links"]["distance_km"].sum()


def test_the_types_of_the_interface_are_published_and_need_no_question_of_which_problem() -> None:
    assert Path(nbb.__file__).with_name("py.typed").is_file()
    given = [inspect.signature(each).return_annotation for each in (nbb.read, nbb.solve, nbb.load)]
    assert given == ["Instance | Any", "Result | Any", "Result | Any"]


def test_the_example_runs_as_written(tmp_path: Path) -> None:
    region = nbb.examples.tiny()
    made = nbb.solve(region, gap=1e-3, time_limit_s=120)
    assert str(made).splitlines()[0].endswith("against the reference plan")
    assert "\n" not in repr(made)
    for table in (made.flows, made.fleet, made.projects, made.emissions, made.costs, made.chargers):
        assert len(table)
    dear = region.with_table("country_years", lambda t: t.assign(carbon_price_eur_per_t=2 * t.carbon_price_eur_per_t))
    found = nbb.compare(made, made.reference, nbb.solve(dear), names=["plan", "reference", "dear carbon"])
    assert found.table.columns.tolist()[:5] == ["figure", "unit", "plan", "reference", "dear carbon"]
    front = nbb.pareto(region, points=4, relax=True)
    assert len(front.table) == 4
    pd.testing.assert_frame_equal(nbb.sweep(region, front=4, relax=True).table, front.table)
    assert made.to_html(tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert made.to_excel(tmp_path / "report.xlsx").stat().st_size > 10_000
    made.save(tmp_path / "run")
    assert nbb.load(tmp_path / "run").cost_eur == made.cost_eur


def test_nothing_edited_in_what_a_plan_gives_reaches_the_plan() -> None:
    made = nbb.solve(tiny())
    for name in ("flows", "fleet", "chargers", "projects", "emissions", "costs", "history"):
        before, given = getattr(made, name).copy(), getattr(made, name)
        for column in given.columns:
            given[column].array[:] = given[column].array[::-1].copy()
            given[column] = 0
        pd.testing.assert_frame_equal(getattr(made, name), before)
    made.record["cost_eur"] = made.figures["emissions_t_co2e"][2030] = 0
    elements = made.ledger.elements
    elements["ttw_kg"] = 0.0
    kept = (made.cost_eur, made.figures["emissions_t_co2e"][2030], made.ledger.elements["ttw_kg"].sum())
    assert min(kept) > 0
    assert nbb.verify(made).ok


def test_the_names_of_tables_are_listed_and_another_name_is_refused() -> None:
    assert {"od", "links"} <= set(tiny())
    for wrong in ("link", 3):
        with pytest.raises(nbb.InstanceError, match=f"^table {wrong}: is not a table of an instance"):
            tiny()[wrong]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: nbb.SolveOptions(threads=10**6), "threads = 1000000: give a number between 1 and 1024"),
        (lambda: nbb.pareto(tiny(), points=10**9), "points=1000000000: a front needs at least two, and can have 1000"),
        (lambda: nbb.tornado(tiny(), samples=10**9), "samples=1000000000: give a number of draws up to 100000"),
        (lambda: plan().save(3), "save: path=3 is an int; give a path or a text"),
        (lambda: nbb.serve(3), "serve: cache is missing; give a path"),
    ],
)  # fmt: skip
def test_what_no_machine_can_do_and_what_is_no_path_is_refused(call: Callable[[], object], said: str) -> None:
    with pytest.raises(nbb.NbbError, match=re.escape(said)):
        call()


def test_tables_of_a_plan_add_up_to_its_figures() -> None:
    made, figures = plan(), plan().figures
    assert made.costs["discounted_eur"].sum() == pytest.approx(made.cost_eur)
    by_year = made.emissions.groupby("year")["wtw_t_co2e_per_year"].sum()
    assert by_year.to_dict() == pytest.approx(figures["emissions_t_co2e"])
    served = made.flows.groupby(["origin", "destination", "commodity", "year"])["flow_t_per_year"].sum()
    demand = tiny()["od"].set_index(["origin", "destination", "commodity", "year"])["tonnes"]
    assert served.loc[demand[demand > 0].index.intersection(served.index)].to_dict() == pytest.approx(
        demand.loc[served.index.intersection(demand.index)].to_dict()
    )
    battery = made.fleet[made.fleet["technology"] == "battery"].groupby("year")["in_service_vehicles"].sum()
    assert battery.to_dict() == {year: n for year, n in figures["battery_trucks"].items() if n}
    assert made.projects["name"].ne("").all()
    assert made.history["bound_eur"].iloc[-1] <= made.history["incumbent_eur"].iloc[-1] * (1 + 1e-9)


def test_the_frozen_plan_beside_a_plan_is_the_one_solved_alone() -> None:
    alone = nbb.solve(tiny(), model="frozen", gap=1e-6)
    assert plan().frozen.cost_eur == pytest.approx(alone.cost_eur, rel=1e-9)
    assert plan().reference.frozen.cost_eur == alone.frozen.cost_eur
    assert plan().reference.reference.cost_eur == plan().reference.cost_eur < plan().frozen.cost_eur
    assert "model reference, against the frozen plan" in str(plan().reference)
    with pytest.raises(NbbError, match="the reference plan was not solved with this one"):
        _ = alone.reference


def test_a_plan_solved_without_a_reference_is_compared_with_the_frozen_plan() -> None:
    quick = nbb.solve(tiny(), options=nbb.SolveOptions(gap=1e-6, reference=False))
    assert list(quick.run.bars) == ["frozen"]
    assert "against the frozen plan" in str(quick)
    assert nbb.verify(quick).ok


def test_a_saved_plan_is_read_back_whole(tmp_path: Path) -> None:
    again = nbb.load(plan().save(tmp_path / "run"))
    for name, table in plan().run.tables.items():
        pd.testing.assert_frame_equal(again.run.tables[name], table, check_categorical=False)
    assert str(again).splitlines()[:-1] == str(nbb.load(tmp_path / "run")).splitlines()[:-1]
    pd.testing.assert_frame_equal(again.history, plan().history)
    assert nbb.verify(tmp_path / "run").ok
    page = again.frozen.to_html(tmp_path / "frozen.html").read_text(encoding="utf-8")  # a plan, with checks of its own
    assert f"{again.frozen.record['checks']:,} checks" in page


def test_an_instance_has_its_bars_solved_once_and_nobody_can_edit_them() -> None:
    phases: list[str] = []
    first = nbb.solve(tiny(), gap=1e-6, time_limit_s=120)
    first.run.bars["frozen"]["flows"]["tonnes"] *= 2
    again = nbb.solve(tiny(), "shift_only", gap=1e-6, time_limit_s=120, progress=lambda step: phases.append(step.phase))
    assert phases
    assert not any(phase.startswith(("frozen", "reference")) for phase in phases)
    assert again.frozen.cost_eur == plan().frozen.cost_eur
    pd.testing.assert_frame_equal(again.frozen.flows, plan().frozen.flows)
    nbb.solve(tiny(), gap=0.00123, time_limit_s=120, progress=lambda step: phases.append(step.phase))
    assert any(phase.startswith("frozen") for phase in phases)  # asked to another gap, it is another proof


def test_a_plan_of_an_edited_instance_asks_for_that_instance(tmp_path: Path) -> None:
    edited = tiny().with_table("projects", EDITS["projects"])
    saved = nbb.solve(edited).save(tmp_path / "run")
    with pytest.raises(nbb.NbbError, match="instance="):
        nbb.load(saved).to_html(tmp_path / "report.html")
    assert nbb.load(saved, instance=edited).to_html(tmp_path / "report.html").exists()


def test_another_instance_is_refused_when_a_plan_is_read(tmp_path: Path) -> None:
    dear = tiny().with_changes("country_years.carbon_price_eur_per_t *= 2")
    saved = nbb.solve(dear).save(tmp_path / "run")
    for other in (nbb.examples.haulier(), tiny().with_table("projects", EDITS["projects"])):
        with pytest.raises(nbb.NbbError, match="is not the instance of this plan"):
            nbb.load(saved, instance=other)
    for fine in (tiny(), dear):
        made = nbb.load(saved, instance=fine)
        assert made.instance.digest == dear.digest
        assert nbb.verify(made, instance=fine, again_s=0).ok


def test_plans_of_two_regions_are_refused_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[object] = []
    run = replace(plan().run, record={**plan().run.record, "instance": "haulier"})
    other = nbb.Result(run, None, {"instance": nbb.examples.haulier()})
    monkeypatch.setattr("nbb_opt.api.plans.verify", lambda *given, **_how: worked.append(given))
    monkeypatch.setattr("nbb_opt.api.comparison.solve", lambda *given, **_how: worked.append(given))
    with pytest.raises(nbb.NbbError, match="compare: plans of one base are set side by side, not of haulier and tiny"):
        nbb.compare(plan(), other, decide_s=60.0)
    assert worked == []


@pytest.mark.parametrize("show", [
    lambda run: nbb.compare(nbb.load(run), plan()), lambda run: nbb.draw(nbb.load(run)), nbb.control_totals,
    lambda run: nbb.inventory(tiny(), run), lambda run: nbb.availability(tiny(), nbb.load(run)),
    lambda run: nbb.explain(run, origin="MINE", destination="WEST", commodity="ORE"),
    lambda run: nbb.load(run).to_html(run.parent / "page.html"),
])  # fmt: skip
def test_a_forged_plan_is_shown_by_nothing(show: Callable[[Path], object], tmp_path: Path) -> None:
    tables = dict(plan().run.tables)
    tables["flows"] = tables["flows"].assign(tonnes=tables["flows"]["tonnes"] * 0.5)
    forged = nbb.Result(replace(plan().run, tables=tables), tiny(), {"accepted": True}).save(tmp_path / "run")
    with pytest.raises(nbb.VerifyFailed, match="is not accepted"):
        show(forged)


def test_compare_says_whether_a_difference_is_decided() -> None:
    loose = nbb.solve(tiny(), gap=1e-6)
    table = nbb.compare(plan(), loose, plan().reference, names=["a", "b", "nothing"]).table
    cost = table.iloc[0]
    assert cost["figure"] == "system cost, net present value"
    assert not cost["b undecided"]  # it is the same plan
    assert not cost["nothing undecided"]
    assert cost["nothing - a"] == pytest.approx((plan().reference.cost_eur - plan().cost_eur) / 1e6)
    assert table["b undecided"].isna().sum() == len(table) - 1
    with pytest.raises(nbb.NbbError, match="3 plans and 1 names"):
        nbb.compare(plan(), loose, plan(), names=["a"])


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_what_is_compared_or_swept_prints_whole_at_any_width(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    found = nbb.compare(plan(), plan().reference, names=["mine", "nothing"])
    front = nbb.pareto(tiny(), points=12, relax=True)
    for table, printed in ((found.table, str(found)), (front.table, whole(front.table))):
        assert type(table) is pd.DataFrame
        assert "..." not in printed
        assert all(name in printed for name in table.columns)
    assert front.about["status"] == "done"
    assert "no" in str(found).split()
    assert "<NA>" not in str(found) + found._repr_html_()
    assert found["nothing undecided"].dtype == "boolean"


def test_what_is_no_plan_cannot_be_compared_and_what_is_no_region_cannot_be_solved() -> None:
    for wrong in ([plan(), plan()], 3, "runs/nbb"):
        with pytest.raises(nbb.NbbError, match=r"compare: plans=.* is an? .*; give a plan \(nbb.solve, nbb.load\)"):
            nbb.compare(plan(), wrong)  # type: ignore[arg-type]
    with pytest.raises(nbb.NbbError, match=r"solve: region=None is a NoneType; give an instance \(nbb.read\)"):
        nbb.solve(None)  # type: ignore[arg-type]


PUBLIC = [
    name
    for name in nbb.__all__
    if inspect.isfunction(getattr(nbb, name)) and name not in ("serve", "doctor", "add_cost")  # these name m, not each
]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_function_names_what_it_is_given_of_a_wrong_kind(name: str) -> None:
    function = getattr(nbb, name)
    parameters = inspect.signature(function).parameters.values()
    fit = {each.name: "x" for each in parameters if each.default is each.empty and each.kind is not each.VAR_POSITIONAL}
    for wrong in (object(), b"x", {1}, 2j, [object()]):
        for each in parameters:
            if each.kind is each.VAR_POSITIONAL:
                tried: Callable[[], object] = partial(function, wrong)
            else:
                tried = partial(function, **{**fit, each.name: wrong})
            with pytest.raises(
                nbb.NbbError, match=f"^{name}: {next(iter(fit), each.name)}=|^{name}: {each.name}=.*; give "
            ) as said:
                tried()
            assert "\n" not in str(said.value)
    with pytest.raises(nbb.NbbError, match=f"^{name}: has no parameter 'gapp'; "):
        function(**fit, gapp=1)


def test_wrong_calls_are_told_the_right_one() -> None:
    for call, said in (
        (lambda: nbb.read(None), "read: path=None is a NoneType; give a path or a text"),
        (lambda: nbb.solve(tiny(), gapp=1), "solve: has no parameter 'gapp'; did you mean gap?"),
        (lambda: nbb.solve(tiny(), gap="1%"), "solve: gap='1%' is a str; give a number or None"),
        (lambda: nbb.sweep(tiny(), vary="demand", values=["2"]), "sweep: values=['2'] is a list; give a list"),
        (lambda: nbb.load(), "load: path is missing; give a path or a text"),
        (lambda: nbb.abate(tiny(), 5), "abate: too many positional arguments; give by name what is not among region, "),
        (
            lambda: nbb.add_cost(nbb.build(tiny()), "toll"),
            "add_cost: amount_eur is missing; give a function; paid is missing; give 'yearly', 'once', 'recovered'",
        ),
        (
            lambda: nbb.add_cost(tiny(), "toll", 3.0, paid="once"),
            "add_cost: amount_eur=3.0 is a float; give a function",
        ),
        (lambda: tiny().with_table("od"), "with_table: change is missing; give a table or a function"),
        (lambda: tiny().with_table("od", 3), "with_table: change=3 is an int; give a table or a function"),
        (lambda: tiny().with_changes(closed=["X"]), "with_changes: has no parameter 'closed'; did you mean close?"),
        (lambda: tiny().scenario(3), "scenario: names=3 is an int; give a text"),
        (lambda: nbb.draw(plan()).save(), "save: path is missing; give a path or a text"),
        (lambda: nbb.compare(plan()).save(3), "save: folder=3 is an int; give a path or a text"),
        (lambda: nbb.compare(plan()).to_html(), "to_html: path is missing; give a path or a text"),
        (lambda: nbb.SolveOptions(0.01), "SolveOptions: too many positional arguments; give by name what is not among"),
        (lambda: nbb.doctor(json=True), "doctor: has no parameter 'json'; it has none"),
    ):
        with pytest.raises(nbb.NbbError, match=re.escape(said)) as caught:
            call()
        assert isinstance(caught.value, TypeError)


def test_a_file_is_written_by_the_ending_of_its_kind_and_a_folder_by_none(tmp_path: Path) -> None:
    region, made = tiny(), plan()
    for write in (
        lambda: made.to_html(tmp_path / "c.pdf"),
        lambda: made.to_excel(tmp_path / "c.html"),
        lambda: made.save(tmp_path / "c.xlsx"),
        lambda: made.to_ileap(tmp_path / "c.json"),
        lambda: nbb.report(made, tmp_path / "c.pdf"),
        lambda: nbb.draw(made, "costs").save(tmp_path / "c.pdf"),
        lambda: nbb.write(region, tmp_path / "c.csv"),
        lambda: nbb.new(tmp_path / "c.zip"),
        lambda: nbb.synthesize(tmp_path / "c.xlsx"),
        lambda: nbb.fleet_plan(region, tmp_path / "c.txt"),
        lambda: nbb.solve(region, out=tmp_path / "c.html"),
        lambda: nbb.pareto(region, points=2, out=tmp_path / "c.csv"),
        lambda: nbb.audit(region, tmp_path / "plan.csv", out=tmp_path / "c.html"),
        lambda: nbb.convert(region.path / "od.csv", tmp_path / "c.pdf"),
        lambda: nbb.upgrade(region.path, tmp_path / "c.csv"),
    ):
        with pytest.raises(nbb.NbbError) as said:
            write()
        assert re.search(
            r"c\.\w+: (cannot be a .*; end it in|a folder is written|is of no known format)", str(said.value)
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["design_tiny", "stram_tiny"])
def test_other_problems_are_read_solved_saved_and_verified_too(name: str, tmp_path: Path) -> None:
    region = nbb.read(TINY.parent / name)
    made = nbb.solve(region, gap=1e-6)
    assert (made.status, made.verified, made.instance) == ("optimal", True, region)
    assert made.cost == pytest.approx(made.bound, rel=1e-6)
    assert repr(made).startswith(f"<ProblemResult {region.problem} on {name.replace('stram_', 'stram-')}: optimal, ")
    again = nbb.load(made.save(tmp_path / "run"))
    assert (again.cost, set(again.tables)) == (made.cost, set(made.tables))
    assert sorted(str(again).split()) == sorted(str(made).split())  # keys of a file are in order
    for plan_of_it in (made, again, tmp_path / "run"):
        assert nbb.verify(plan_of_it).record["ok"]
    page = tmp_path / "report.html"
    assert nbb.report([made, tmp_path / "run"], page).record["files"] == [str(page)]
    assert len(re.findall(rf"(model |<td>){made.record['model']}<", page.read_text(encoding="utf-8"))) == 2
    with pytest.raises(nbb.VerifyFailed, match="is not accepted"):
        nbb.verify(replace(made, record={**made.record, f"cost_{made.money.lower()}": 0.9 * made.cost}))
    for what in (nbb.prepare, nbb.build, lambda r: nbb.pareto(r, points=2), lambda r: nbb.audit(r, "plan.csv"),
                 lambda r: nbb.sensitivity(r), lambda r: nbb.write(r, tmp_path / "x")):  # fmt: skip
        with pytest.raises(nbb.NbbError, match=f"is about {region.problem}; .* is about freight only"):
            what(region)
    with pytest.raises(nbb.NbbError, match="extend=: is about freight"):
        nbb.solve(region, extend="rules.py")


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("gap", "0.01", "is a str; give a number or None"),
        ("time_limit_s", "60", "is a str; give a number"),
        ("threads", 1.5, "is a float; give a whole number"),
        ("seed", True, "is a bool; give a whole number"),
        ("seed", -1, "between 0 and 2147483647"),
        ("decision_gap", 0, "give a share above 0"),
        ("method", 3, "is an int; give a text"),
        ("method", "x", "give auto, monolith or decompose"),
        ("time_limit", 60, "did you mean time_limit_s?"),
    ],
)
def test_an_option_of_a_wrong_kind_is_named_with_its_value(option: str, value: object, hint: str) -> None:
    with pytest.raises(nbb.NbbError, match=rf"{option}'? ?=? ?(.*: )?.*{re.escape(hint)}"):
        nbb.SolveOptions(**{option: value})  # type: ignore[arg-type]


def test_progress_is_called_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []
    nbb.solve(tiny(), progress=lambda step: heard.append(step.phase))
    assert {"build", "solve", "verify", "ledger"} <= set(heard)
    with caplog.at_level(logging.INFO, logger="nbb_opt"):
        nbb.solve(tiny())
    assert any("verify" in line for line in caplog.messages)


def test_wrong_options_are_named() -> None:
    for wrong in ({"gap": 2.0}, {"gap": -1.0}, {"threads": 0}, {"time_limit_s": -1.0}):
        with pytest.raises(nbb.ModelError, match=next(iter(wrong))):
            nbb.solve(tiny(), **wrong)


def test_the_functions_stay_functions_when_packages_of_their_names_are_imported() -> None:
    import nbb_opt.solve.stop
    import nbb_opt.verify.run  # noqa: F401

    assert nbb.solve is solve
    assert inspect.isfunction(nbb.verify)


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "pandas", "numpy", "pyomo", "typer", "pyarrow", "highspy", "numba", "scipy"
    code = f"import sys, nbb_opt; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout == b"[]\n"


def test_a_name_that_is_not_there_is_answered_with_those_that_are() -> None:
    assert set(nbb.__all__) <= set(dir(nbb))
    assert all(hasattr(nbb, name) for name in nbb.__all__)
    with pytest.raises(AttributeError, match="solve"):
        nbb.solv  # noqa: B018
