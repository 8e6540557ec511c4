"""The audit of a fleet plan: exactly the planted faults, the smallest repair, changes in order, costs as by hand."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from milp_case import add_rows, tiny, vary, with_everything
from nbb_opt.app.languages import LANGUAGES, catalogue, translator
from nbb_opt.cli.main import app
from nbb_opt.errors import Infeasible, InstanceError, ModelError
from nbb_opt.instance import read_instance
from nbb_opt.solve import Solution, solve_form
from nbb_opt.studies.audit import said as said_module
from nbb_opt.studies.audit.audit import best_of_all
from nbb_opt.studies.audit.faults import LIMITS, judge, opened
from nbb_opt.studies.audit.fleet_model import FleetModel, state_fleet_model
from nbb_opt.studies.audit.form_edit import FormEdit
from nbb_opt.studies.audit.hours import Hours
from nbb_opt.studies.audit.idle import idle
from nbb_opt.studies.audit.improve import Repair, break_even, cheapest_repair, improve, numbers_in, repair, steps_of
from nbb_opt.studies.audit.orders import impossible_orders
from nbb_opt.studies.audit.ownership import lane_costs, ownership
from nbb_opt.studies.audit.plan import PLAN, FleetPlan, plan_of, read_plan, read_plan_table, template, write_plan
from nbb_opt.studies.audit.plan import changed as changed_plan
from nbb_opt.studies.audit.said import in_words
from nbb_opt.studies.audit.scenarios import in_scenario, scenario_names
from nbb_opt.verify import verify_plan

HAULIER = Path(__file__).parents[1] / "instances" / "haulier"


@cache
def haulier() -> FleetModel:
    return state_fleet_model(read_instance(HAULIER))


@cache
def shipped_plan() -> FleetPlan:
    return read_plan(HAULIER / "plan.csv", haulier().instance, haulier().prepared.bundles)


@cache
def mended_plan() -> Repair:
    return repair(haulier(), shipped_plan())


@cache
def small() -> FleetModel:
    """Tiny: two depots, diesel and battery trucks, two periods."""
    return state_fleet_model(tiny())


def rows(*lines: tuple[str, str, str, int, float]) -> pd.DataFrame:
    return pd.DataFrame([(*line, "") for line in lines], columns=[column.name for column in PLAN.columns])


def written(folder: Path, *lines: str) -> Path:
    path = folder / "plan.csv"
    path.write_text("\n".join(["what,place,type,year,number,note", *lines]) + "\n", encoding="utf-8")
    return path


def test_the_shipped_plan_has_exactly_its_three_planted_faults() -> None:
    found = judge(haulier(), shipped_plan())
    assert [(fault.kind, fault.where, fault.year) for fault in found.faults] == [
        ("range", "order PIT>SKE:GENERAL, BAT400 of SKEL", 2030),
        ("respect_driver_hours", "SE", 2030),
        ("respect_grid", "C_STM", 2030),
    ]
    short = {fault.kind: fault.short for fault in found.faults}
    assert short["respect_grid"] == pytest.approx(6 * 75 + 400 - 500)
    assert short["range"] == pytest.approx(2 * 81 - 195 / 1.18 * 0.9 * 0.88)


@cache
def working_plan() -> pd.DataFrame:
    """The shipped plan without its faults: three battery trucks fewer, a charger and a grid project more, no order."""
    plan = pd.read_csv(HAULIER / "plan.csv", keep_default_na=False).astype({"number": float})
    plan = plan[plan["what"] != "order"]
    for change in (
        ("truck", "UMEA", "BAT400", 2030, 6), ("truck", "UMEA", "DIESEL", 2030, 7),
        ("charger", "C_TAB", "CCS400", 2030, 1), ("project", "", "GRID_STM", 2030, 1),
    ):  # fmt: skip
        plan = changed(plan, *change)
    return plan


def changed(plan: pd.DataFrame, what: str, place: str, kind: str, year: int, number: float) -> pd.DataFrame:
    same = (plan["what"] == what) & (plan["place"] == place) & (plan["type"] == kind) & (plan["year"] == year)
    return pd.concat([plan[~same], rows((what, place, kind, year, number))])


CHARGERS, GRID, RANGE = "chargers", "respect_grid", "order PIT>SKE:GENERAL, BAT400 of SKEL"


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ([], set()),
        ([("charger", "C_UME", "CCS400", 2030, 0)], {(CHARGERS, "C_UME")}),
        ([("charger", "C_LYC", "CCS400", 2030, 0)], {(CHARGERS, "C_LYC")}),
        ([("charger", "C_STM", "CCS400", 2030, 0), ("charger", "C_STM", "NIGHT75", 2030, 0)], {(CHARGERS, "C_STM")}),
        ([("charger", "C_SKE", "CCS400", 2030, 5)], {(GRID, "C_SKE")}),
        ([("charger", "C_ARV", "CCS400", 2030, 5)], {(GRID, "C_ARV")}),
        ([("project", "", "GRID_STM", 2030, 0)], {(GRID, "C_STM")}),
        ([("truck", "STOR", "DIESEL", 2030, 4)], {("trucks", "STOR")}),
        ([("truck", "SKEL", "HVO", 2030, 0), ("truck", "SKEL", "DIESEL", 2030, 17)],
         {("cap_emissions", "CUSTOMERS_2030")}),
        ([("truck", "VAAS", "DIESEL", 2030, 0), ("truck", "VAAS", "BAT400", 2030, 1)],
         {("trucks", "VAAS"), ("number", "VAAS BAT400")}),
        ([("truck", "UMEA", "HYDROGEN", 2026, 2)], {("number", "UMEA HYDROGEN")}),
        ([("charger", "C_ARV", "CCS400", 2026, 1)], set()),
        ([("charger", "C_ARV", "CCS400", 2026, 1), ("charger", "C_ARV", "CCS400", 2030, 0)],
         {("number", "C_ARV CCS400")}),
        ([("order", "PIT>SKE:GENERAL", "BAT400", 2030, 0.5)], {("range", RANGE)}),
    ],
)  # fmt: skip
def test_the_cause_named_is_the_fault_that_was_planted_and_no_other(
    fault: list[tuple[str, str, str, int, float]], named: set[tuple[str, str]]
) -> None:
    plan = working_plan()
    for change in fault:
        plan = changed(plan, *change)
    found = judge(haulier(), plan_of(plan, haulier().instance)).faults
    assert {(each.kind, each.where) for each in found} == named
    assert not any(re.search(r"\b0(\.0)? |\b1 \w+s\b", each.text) for each in found)


def planted(rng: np.random.Generator) -> tuple[pd.DataFrame, tuple[str, str]]:
    """A working plan with one fault, and the fault as (kind, where)."""
    plan, kind = working_plan(), str(rng.choice(["truck", "charger", "grid", "cap", "early", "useless", "range"]))
    if kind == "truck":
        depot, fewer = rng.choice([("STOR", 1), ("SKEL", 3), ("UMEA", 3)]), int(rng.integers(0, 3))
        place, least = str(depot[0]), int(depot[1])
        had = {"STOR": 5, "SKEL": 12, "UMEA": 7}[place]
        return changed(plan, "truck", place, "DIESEL", 2030, had - least - fewer), ("trucks", place)
    if kind == "charger":
        area = str(rng.choice(["C_UME", "C_LYC", "C_SKE"]))
        charger = "NIGHT75" if area == "C_SKE" else "CCS400"
        return changed(plan, "charger", area, charger, 2030, 0), (CHARGERS, area)
    if kind == "grid":
        area = str(rng.choice(["C_UME", "C_SKE", "C_ARV", "C_LYC"]))
        return changed(plan, "charger", area, "CCS400", 2030, int(rng.integers(4, 9))), (GRID, area)
    if kind == "cap":
        plan = changed(plan, "truck", "SKEL", "HVO", 2030, 0)
        return changed(plan, "truck", "SKEL", "DIESEL", 2030, 17), ("cap_emissions", "CUSTOMERS_2030")
    if kind == "early":
        place, number = str(rng.choice(["UMEA", "SKEL", "STOR"])), int(rng.integers(1, 4))
        return changed(plan, "truck", place, "HYDROGEN", 2026, number), ("number", f"{place} HYDROGEN")
    if kind == "useless":
        kind = str(rng.choice(["BAT400", "BAT600"]))
        return changed(plan, "truck", "VAAS", kind, 2030, int(rng.integers(1, 4))), ("number", f"VAAS {kind}")
    share = float(np.round(rng.uniform(0.1, 1.0), 2))
    return changed(plan, "order", "PIT>SKE:GENERAL", "BAT400", 2030, share), ("range", RANGE)


def test_of_generated_plans_with_one_fault_each_just_that_fault_is_named(pytestconfig: pytest.Config) -> None:
    rng, plans = np.random.default_rng(23), 40 if pytestconfig.getoption("--hard") else 8
    wrong = []
    for _ in range(plans):
        plan, fault = planted(rng)
        found = judge(haulier(), plan_of(plan, haulier().instance)).faults
        if {(each.kind, each.where) for each in found} != {fault}:
            wrong.append((fault, [(each.kind, each.where, each.text) for each in found]))
    assert len(wrong) <= plans // 20, "\n".join(map(str, wrong))


@cache
def with_every_limit() -> tuple[FleetModel, FleetPlan]:
    """Tiny with a rule of every kind, and its best plan."""
    fleet_model = state_fleet_model(with_everything())
    return fleet_model, plan_in(fleet_model, solve_form(fleet_model.form, time_limit_s=60, gap=1e-3))


def plan_in(fleet_model: FleetModel, solution: Solution) -> FleetPlan:
    lines = [
        (what, place, kind, fleet_model.instance.periods[t].year, float(number))
        for what, numbers in numbers_in(fleet_model, solution).items()
        for (place, kind, t), number in numbers.items()
    ]
    return plan_of(rows(*lines), fleet_model.instance)


@pytest.mark.parametrize("family", LIMITS)
def test_a_limit_that_cannot_be_kept_is_named_whatever_it_limits(family: str) -> None:
    fleet_model, plan = with_every_limit()
    form, (key, row) = fleet_model.form, fleet_model.rows[family][0]
    up = form.row_up.copy()
    assert np.isfinite(up[row])
    up[row] = -1e6 / LIMITS[family].price_eur
    found = judge(replace(fleet_model, form=replace(form, row_up=up)), plan).faults
    named = [fault for fault in found if fault.kind == family]
    assert [(fault.where, fault.year) for fault in named] == [(" ".join(map(str, key[:-1])), key[-1])]
    assert named[0].short > 0
    assert named[0].unit in named[0].text


def test_a_truck_and_chargers_more_than_the_work_needs_are_named_with_their_cost_and_no_others() -> None:
    fleet_model = haulier()
    plan = changed(changed(working_plan(), "truck", "STOR", "DIESEL", 2030, 9), "charger", "C_ARV", "CCS400", 2030, 2)
    found = judge(fleet_model, plan_of(plan, fleet_model.instance))
    assert found.faults == []
    more = {(each.place, each.type): each for each in idle(fleet_model, found.solution) if each.year == 2030}
    truck, charger = more["STOR", "DIESEL"], more["C_ARV", "CCS400"]
    assert (truck.number, charger.number) == (3, 2)
    per_truck = 15300 + (202000 - 0) * 0.06 / (1 - 1.06**-8)
    assert truck.eur_per_year == pytest.approx(truck.number * per_truck)
    assert charger.eur_per_year == pytest.approx(charger.number * (4000 + 110000 * 0.06 / (1 - 1.06**-12)))
    fewer = plan
    for each in more.values():
        same = (fewer["place"] == each.place) & (fewer["type"] == each.type) & (fewer["year"] == 2030)
        fewer = fewer.assign(number=fewer["number"] - same * each.number)
    assert judge(fleet_model, plan_of(fewer, fleet_model.instance)).faults == []


def test_the_steps_of_a_repair_lead_to_a_plan_without_faults_and_add_up_to_what_it_costs() -> None:
    fleet_model, plan = haulier(), shipped_plan()
    mended = mended_plan()
    steps = steps_of(fleet_model, plan, mended)
    left = [step.faults_left for step in steps]
    lost = {each.order for each in impossible_orders(fleet_model, plan)}
    assert left[-1] == 0
    assert {row["place"] for row in mended.changes.to_dict("records") if row["repaired"] == 0} >= lost
    assert any(order in step.text for order in lost for step in steps), "a step hides no dropped order"
    paid = sum(step.costs_eur - step.saves_eur for step in steps)
    before = judge(fleet_model, plan).solution.objective
    assert paid == pytest.approx(mended.solution.objective - before, abs=2e-4 * before)


def test_an_order_given_up_in_part_is_named_with_a_share_that_can_be_driven() -> None:
    fleet_model = haulier()
    plan = changed(working_plan(), "charger", "C_LYC", "CCS400", 2030, 0)
    planned = plan_of(changed(plan, "order", "UME>STM:GENERAL", "BAT400", 2030, 0.5), fleet_model.instance)
    mended = repair(fleet_model, planned)
    years = [period.year for period in fleet_model.instance.periods]
    assert judge(fleet_model, changed_plan(planned, mended.changes, years)).faults == []
    shares = mended.changes.loc[mended.changes["what"] == "order", "repaired"]
    assert (shares == shares.round(4)).all()
    assert not np.signbit(shares.to_numpy(float)).any(), "no share is -0"


def test_an_order_without_a_share_is_a_row_without_entries() -> None:
    edit = FormEdit(small().form)
    edit.row("nothing", [0, 1], [0.0, -0.0], low=0.0)
    assert len(edit.form().a_values) == len(small().form.a_values)


def test_a_better_plan_found_on_the_way_is_the_best_plan() -> None:
    fleet_model, plan = with_every_limit()
    found = repair(fleet_model, plan)
    searched = replace(found.solution, objective=found.solution.objective + 5.0, bound=found.solution.bound - 1.0)
    best, _ = best_of_all(searched, [found, None], [])
    assert best.objective == found.solution.objective
    assert best.bound == searched.bound


def test_a_depot_without_its_fast_chargers_is_named_with_their_power() -> None:
    plan = changed(working_plan(), "charger", "C_UME", "CCS400", 2030, 0)
    (fault,) = judge(haulier(), plan_of(plan, haulier().instance)).faults
    assert fault.text == "fast chargers of 350 kW or more short: 1 CCS400 more would do"


ALL_BATTERY = [
    *(("truck", depot, kind, 2030, 0) for depot, kind in (
        ("UMEA", "DIESEL"), ("UMEA", "HVO"), ("UMEA", "BAT400"), ("SKEL", "DIESEL"), ("SKEL", "HVO"),
        ("SKEL", "BAT400"), ("STOR", "DIESEL"), ("STOR", "HVO"),
    )),
    ("truck", "UMEA", "BAT600", 2030, 15), ("truck", "SKEL", "BAT600", 2030, 17), ("truck", "STOR", "BAT600", 2030, 8),
]  # fmt: skip


@pytest.mark.parametrize("change", [
    [("truck", "SKEL", "BAT600", 2030, 0), ("truck", "SKEL", "DIESEL", 2030, 6),
     ("charger", "C_STM", "CCS400", 2030, 0)],
    ALL_BATTERY,
])  # fmt: skip
def test_trucks_are_named_only_where_no_charger_and_no_other_limit_would_do(
    change: list[tuple[str, str, str, int, float]],
) -> None:
    plan = working_plan()
    for each in change:
        plan = changed(plan, *each)
    fleet_model, planned = haulier(), plan_of(plan, haulier().instance)
    named = [(each.where, each.year) for each in judge(fleet_model, planned).faults if each.kind == "trucks"]
    assert named
    for depot in named:
        edit, ways = opened(fleet_model, planned)
        for way in ways:
            if way.kind in ("more", "fewer") or (way.kind, (way.place, way.year)) == ("trucks", depot):
                edit.columns[way.column - len(fleet_model.form.cost)].up = 0.0
        with pytest.raises(Infeasible):
            solve_form(edit.form(), time_limit_s=20, gap=1e-4)


def test_another_fuel_is_the_cheapest_repair_of_diesel_trucks_under_a_cap() -> None:
    fleet_model = haulier()
    diesel = (("UMEA", 15), ("SKEL", 17), ("STOR", 8), ("VAAS", 1))
    plan = plan_of(rows(*(("truck", depot, "DIESEL", 2026, n) for depot, n in diesel)), fleet_model.instance)
    mended = cheapest_repair(fleet_model, plan)
    fleet_model.verified(mended.solution, "cheapest repair")
    assert mended.trucks_changed == 0
    assert set(mended.changes["type"]) == {"DIESEL", "HVO"}
    by_place = mended.changes.groupby(["place", "year"])[["planned", "repaired"]].sum()
    assert (by_place["planned"] == by_place["repaired"]).all()


def test_the_verifier_refuses_the_plan_for_the_same_limits_and_no_others() -> None:
    fleet_model = haulier()
    tables = fleet_model.tables(judge(fleet_model, shipped_plan()).solution)
    verdict = verify_plan(
        fleet_model.instance, tables, blocks=fleet_model.spec.blocks, technologies=fleet_model.spec.technologies,
        projects=fleet_model.spec.projects, reported={},
    )  # fmt: skip
    assert set(verdict.failures()["rule"]) == {"respect_driver_hours", "respect_grid"}


def test_the_repair_of_the_shipped_plan_works_and_changes_three_trucks() -> None:
    fleet_model, mended = haulier(), mended_plan()
    fleet_model.verified(mended.solution, "repaired plan")
    assert mended.trucks_changed == 3
    trucks = mended.changes[mended.changes["what"] == "truck"]
    assert (trucks["repaired"] - trucks["planned"]).tolist() == [-3.0, 3.0]


def fleets(fleet_model: FleetModel, most: int) -> Iterator[dict[tuple[str, str, int], int]]:
    """Every fleet of at most that many trucks of each kind, depot and period."""
    keys = sorted(fleet_model.trucks)
    for numbers in itertools.product(range(most + 1), repeat=len(keys)):
        yield dict(zip(keys, numbers, strict=True))


def changed_trucks(fleet: dict[tuple[str, str, int], int], planned: dict[tuple[str, str, int], float]) -> float:
    total = 0.0
    for place in {(region, t) for region, _, t in fleet}:
        apart = [number - planned.get(key, 0.0) for key, number in fleet.items() if (key[0], key[2]) == place]
        total += max(sum(max(a, 0.0) for a in apart), sum(max(-a, 0.0) for a in apart))
    return total


def test_no_smaller_repair_exists_among_all_fleets_of_a_cut_down_company() -> None:
    fleet_model = one_period()
    plan = plan_of(
        rows(("truck", "W", "DIESEL", 2025, 1.0), ("truck", "E", "BATTERY", 2025, 2.0)), fleet_model.instance
    )
    mended = repair(fleet_model, plan)
    planned = {("W", "DIESEL", 0): 1.0, ("E", "BATTERY", 0): 2.0}
    best = np.inf
    for fleet in fleets(fleet_model, 4):
        size = changed_trucks(fleet, planned)
        if size < best and np.isfinite(cost_of(fleet_model, fleet)):
            best = size
    assert mended.trucks_changed == best > 0
    cheapest = cheapest_repair(fleet_model, plan)
    costs = [cost_of(fleet_model, each) for each in fleets(fleet_model, 4) if changed_trucks(each, planned) == best]
    assert cheapest.trucks_changed == best
    assert cheapest.solution.objective <= min(costs) * (1 + 1e-4)


def cost_of(fleet_model: FleetModel, fleet: dict[tuple[str, str, int], int]) -> float:
    """Least cost of the work with just these trucks; infinite if they cannot do it."""
    edit = FormEdit(fleet_model.form)
    for key, columns in fleet_model.trucks.items():
        edit.row(f"fleet{key}", columns, [1.0] * len(columns), low=fleet[key], up=fleet[key])
    try:
        return solve_form(edit.form(), time_limit_s=20, gap=1e-6).objective
    except Infeasible:
        return np.inf


@cache
def one_period() -> FleetModel:
    """Tiny with its first period only."""
    case = tiny()
    return state_fleet_model(replace(case, periods=case.periods[:1]))


def test_a_plan_without_faults_is_accepted_by_the_verifier_and_needs_no_repair() -> None:
    fleet_model = small()
    best = solve_form(fleet_model.form, time_limit_s=60, gap=1e-6)
    plan = plan_in(fleet_model, best)
    found = judge(fleet_model, plan)
    assert found.faults == []
    fleet_model.verified(found.solution, "plan")
    assert found.solution.objective == pytest.approx(best.objective, rel=1e-6)
    assert repair(fleet_model, plan).trucks_changed == 0


def test_changes_of_a_small_company_close_the_whole_distance_in_falling_steps() -> None:
    fleet_model = small()
    best = solve_form(fleet_model.form, time_limit_s=60, gap=1e-6)
    start = repair(fleet_model, plan_of(rows(("truck", "W", "DIESEL", 2025, 9.0)), fleet_model.instance)).solution
    changes = improve(fleet_model, start, best, most=20)
    together = [change.together_eur for change in changes]
    assert together == sorted(together)
    assert changes[0].alone_eur == pytest.approx(together[0])
    assert changes[-1].closed_share > 0.99


def test_energy_and_cost_of_ownership_are_those_worked_out_by_hand() -> None:
    text = (HAULIER / "docs" / "three_trucks.md").read_text(encoding="utf-8")
    by_hand = re.findall(
        r"^\| (\w+) (\w+) (\w+) (\d+) \| (\w+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", text, re.M
    )
    assert len(by_hand) == 3
    lanes = lane_costs(haulier())
    for origin, destination, cargo_type, km, vehicle, year, kwh, eur, kg in by_hand:
        mine = lanes[
            (lanes["from_node"] == origin) & (lanes["to_node"] == destination) & (lanes["cargo_type"] == cargo_type)
            & (lanes["distance_km"] == float(km)) & (lanes["vehicle"] == vehicle) & (lanes["year"] == int(year))
        ]  # fmt: skip
        assert len(mine) == 1
        row = mine.iloc[0]
        assert row["kwh_per_vkm"] == pytest.approx(float(kwh), rel=1e-3)
        assert row["tco_eur_per_vkm"] == pytest.approx(float(eur), rel=1e-3)
        assert row["wtw_kg_per_vkm"] == pytest.approx(float(kg), rel=1e-3)


def test_what_the_trucks_of_a_plan_do_adds_up_to_the_plan() -> None:
    fleet_model = haulier()
    found = judge(fleet_model, shipped_plan())
    table, tables = ownership(fleet_model, found.solution, lane_costs(fleet_model)), fleet_model.tables(found.solution)
    emissions = tables["emissions"]
    road = emissions[emissions["mode"] == "road"].groupby("year")[["ttw_kg", "wtt_kg"]].sum().sum(axis=1) / 1000
    pd.testing.assert_series_equal(table.groupby("year")["wtw_t_per_year"].sum(), road, check_names=False, rtol=1e-9)
    assert table["trucks"].sum() == shipped_plan().trucks["number"].sum()


def test_at_the_break_even_purchase_price_both_trucks_cost_the_same() -> None:
    fleet_model = haulier()
    solution = judge(fleet_model, shipped_plan()).solution
    table = break_even(fleet_model, solution, lane_costs(fleet_model))
    row = table[(table["fleet_region"] == "SKEL") & (table["year"] == 2030) & (table["vehicle"] == "BAT400")].iloc[0]
    instance = vary(fleet_model.instance, "vehicle_years", "vehicle", "BAT400", capex_eur=row["purchase_eur"])
    again = state_fleet_model(instance)
    other = break_even(again, solution, lane_costs(again))
    same = other[(other["fleet_region"] == "SKEL") & (other["year"] == 2030) & (other["vehicle"] == "BAT400")].iloc[0]
    assert same["cost_eur_per_tkm"] == pytest.approx(same["other_eur_per_tkm"], rel=1e-9)


def test_a_future_multiplies_its_figures_and_nothing_else() -> None:
    case = haulier().instance
    assert scenario_names(case)[:2] == ["cheap batteries", "dear carbon"]
    dear = in_scenario(case, "dear diesel")
    before, after = case["energy"], dear["energy"]
    diesel = before["energy_carrier"] == "diesel"
    np.testing.assert_allclose(after.loc[diesel, "price_eur_per_kwh"], 1.4 * before.loc[diesel, "price_eur_per_kwh"])
    pd.testing.assert_frame_equal(after[~diesel], before[~diesel])
    assert [name for name in case.tables if not dear[name].equals(case[name])] == ["energy"]


def test_a_future_of_a_figure_that_is_not_there_is_an_error() -> None:
    case = haulier().instance
    line = {"scenario": "hard winters", "table": "countries", "row": "DK", "column": "winter_share", "factor": 2.0}
    case = add_rows(case, "scenarios", [line])
    with pytest.raises(ModelError, match=r"scenarios\.csv, scenario 'hard winters': countries has no row 'DK'"):
        in_scenario(case, "hard winters")


def test_todays_fleet_is_a_plan_that_can_be_read_back(tmp_path: Path) -> None:
    case = haulier().instance
    template(case).to_csv(tmp_path / "plan.csv", index=False)
    plan = read_plan(tmp_path / "plan.csv", case, haulier().prepared.bundles)
    assert plan.trucks.loc[plan.trucks["t"] == 0, "number"].sum() == 40


def test_a_plan_in_a_workbook_is_the_plan_of_the_file_and_names_a_broken_cell(tmp_path: Path) -> None:
    fleet_model, table = haulier(), template(haulier().instance)
    for name in ("plan.csv", "plan.xlsx"):
        write_plan(table, tmp_path / name)
    one, two = (
        read_plan(tmp_path / name, fleet_model.instance, fleet_model.prepared.bundles)
        for name in ("plan.csv", "plan.xlsx")
    )
    pd.testing.assert_frame_equal(one.trucks, two.trucks)
    write_plan(table.head(1).assign(type="DIESL"), tmp_path / "broken.xlsx")
    with pytest.raises(
        InstanceError, match=r"plan!C3, column type, value 'DIESL': is no truck \(did you mean 'DIESEL'"
    ):
        read_plan(tmp_path / "broken.xlsx", fleet_model.instance, fleet_model.prepared.bundles)
    with pytest.raises(InstanceError, match="is neither"):
        write_plan(table, tmp_path / "plan.ods")


def test_a_plan_as_people_type_it_is_the_plan_they_mean(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book, told = Workbook(), []
    book.active.title = "Our plan"
    lines: list[list[object]] = [
        ["Autumn plan"], [], ["what", "place", "type", "year", "number", "phone"],
        ["truck", "UMEA", "DIESEL", 2026], ["truck", "UMEA", "DIESEL", 2026, 1],
        ["truck", "SKEL", "HVO", "2026", "1 000"], ["order", "UME>SKE:GENERAL", "HVO", 2030, "85 %"],
    ]  # fmt: skip
    for line in lines:
        book.active.append(line)
    book.save(tmp_path / "plan.xlsx")
    plan = read_plan(tmp_path / "plan.xlsx", haulier().instance, haulier().prepared.bundles, note=told.append)
    assert plan.trucks[plan.trucks["t"] == 0].values.tolist() == [
        ["SKEL", "HVO", 0, 1000.0],
        ["UMEA", "DIESEL", 0, 2.0],
    ]
    assert plan.orders["share"].tolist() == [0.85]
    assert told == ["sheet 'Our plan' is read as 'plan'", "columns left alone: phone"]
    for twice in ("2", "3,"):
        line = f"truck,UMEA,DIESEL,2026,2\ntruck,UMEA,DIESEL,2026,{twice}"
        with pytest.raises(InstanceError, match="row 3, column what, place, type, year: sets a number that"):
            read_plan_table(written(tmp_path, line))
    assert read_plan_table(written(tmp_path))[0].empty


def test_a_number_holds_from_its_period_on_until_another_row() -> None:
    plan = plan_of(rows(("truck", "W", "DIESEL", 2025, 4.0), ("truck", "E", "DIESEL", 2030, 2.0)), tiny())
    assert plan.trucks.values.tolist() == [["E", "DIESEL", 1, 2.0], ["W", "DIESEL", 0, 4.0], ["W", "DIESEL", 1, 4.0]]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "truck,UMAE,DIESEL,2026,3,",
            "plan.csv row 2, column place, value 'UMAE': is no place of a truck (did you mean",
        ),
        ("truck,UMEA,DIESL,2026,3,", "column type, value 'DIESL': is no truck (did you mean 'DIESEL'?)"),
        ("truck,UMEA,DIESEL,2027,3,", "column year, value 2027: begins no period"),
        ("truck,UMEA,DIESEL,2026,2.5,", "column number, value 2.5: is no whole number of trucks"),
        ("truck,UMEA,DIESEL,2026,-1,", "column number, value -1"),
        ("lorry,UMEA,DIESEL,2026,1,", "column what, value 'lorry'"),
        ("charger,C_UME,CCS40,2026,1,", "is no charger (did you mean 'CCS400'?)"),
        ("project,UMEA,GRID_UME,2030,1,", "is no place of a project (leave it blank)"),
        ("order,UME>SKE:ORE,DIESEL,2026,1,", "is no place of a order"),
        ("order,UME>SKE:GENERAL,DIESEL,2026,50,", "is a share above 1 (did you mean 0.5?)"),
        ("order,UME>SKE:GENERAL,DIESEL,2026,0.7,\norder,UME>SKE:GENERAL,HVO,2026,0.7,", "add up to 1.4 from 2026 on"),
    ],
)
def test_a_broken_line_of_a_plan_is_named_with_its_cell(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(InstanceError) as caught:
        read_plan(written(tmp_path, line), haulier().instance, haulier().prepared.bundles)
    assert words in str(caught.value)


def test_the_command_writes_a_template_and_asks_for_a_plan(tmp_path: Path) -> None:
    runner, target = CliRunner(), tmp_path / "mine.csv"
    done = runner.invoke(app, ["audit", str(HAULIER), "--template", str(target)])
    assert done.exit_code == 0
    assert target.read_text(encoding="utf-8").startswith("what,place,type,year,number,note")
    again = runner.invoke(app, ["audit", str(HAULIER), "--template", str(target)])
    assert again.exception is not None
    assert "is there already" in str(again.exception)
    neither = runner.invoke(app, ["audit", str(HAULIER)])
    assert "--plan FILE" in str(neither.exception)


def test_an_audit_of_a_small_company_leaves_page_tables_and_a_plan_that_works(tmp_path: Path) -> None:
    path = written(tmp_path, "truck,W,DIESEL,2025,1,", "truck,E,DIESEL,2025,9,")
    args = [
        "audit",
        str(HAULIER.parent / "tiny"),
        "--plan",
        str(path),
        "--out",
        str(tmp_path / "out"),
        "--changes",
        "2",
    ]
    done = CliRunner().invoke(app, [*args, "--gap", "1e-4"])
    assert re.search(r"cannot work  W 2025: trucks short: \d+ DIESEL more would do", done.output)
    assert "cannot work as written" in str(done.exception)
    page = (tmp_path / "out" / "audit.html").read_text(encoding="utf-8")
    assert "What the plan cannot do" in page
    assert "http" not in page.split("</style>")[1]
    fleet_model = small()
    mended = read_plan(tmp_path / "out" / "repaired_plan.csv", fleet_model.instance, fleet_model.prepared.bundles)
    assert judge(fleet_model, mended).faults == []


def test_every_fault_is_said_in_four_languages_and_its_phrases_are_in_the_catalogue() -> None:
    plan = working_plan()
    for change in (
        ("charger", "C_UME", "CCS400", 2030, 0), ("truck", "STOR", "DIESEL", 2030, 4),
        ("truck", "UMEA", "HYDROGEN", 2026, 2), ("order", "PIT>SKE:GENERAL", "BAT400", 2030, 0.5),
        ("project", "", "GRID_STM", 2030, 0),
    ):  # fmt: skip
        plan = changed(plan, *change)
    texts = [fault.text for fault in judge(haulier(), plan_of(plan, haulier().instance)).faults]
    texts += [fault.text for fault in Hours(haulier(), "plain").faults(mended_plan().solution)]
    assert any("What helps" in text for text in texts)
    assert len(texts) >= 6
    for text in texts:
        told = {language: in_words(json.loads(json.dumps(text.record)), translator(language)) for language in LANGUAGES}
        assert told["en"] == text
        assert len(set(told.values())) == len(LANGUAGES)
    for limit in LIMITS.values():
        assert all(limit.phrase in catalogue(language) for language in LANGUAGES)
    source = "".join(
        Path(said_module.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
        for name in ("faults", "orders", "charging_help")
    )
    for literal in re.findall(r'said\(\s*"([^"]*)"', source):
        assert literal in catalogue("en"), literal
