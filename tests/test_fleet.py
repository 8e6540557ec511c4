"""A haulier's beginning: an instance from one sheet as people type it, and what a truck costs, worked out by hand."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

import nbb_opt as nbb
from nbb_opt.cli.main import app
from nbb_opt.errors import InstanceError, NbbError
from nbb_opt.instance.read import demand_of
from nbb_opt.studies.audit.fleet_model import state_fleet_model
from nbb_opt.studies.audit.money import Finance
from nbb_opt.studies.audit.one_truck import battery_price, one_lane, truck_cost, with_prices

HEADER = "what,place,to,type,number,unit,km,year,note"
STRANGER = [
    "depot,Umeå,,,800,,,,", "depot,Skellefteå,,,500,,,,",
    "truck,Umeå,,diesel,3,,,2022,", "truck,Umeå,,hvo,1,,,2023,", "truck,Skellefteå,,diesel,2,,,2020,",
    "lane,Umeå,Skellefteå,general,8,trips a week,,,", "lane,Skellefteå,Umeå,general,5,trips a week,,,",
    "lane,Umeå,Lycksele,general,4,,,,", "lane,Lycksele,Umeå,timber,200,t a week,,,",
    "lane,Umeå,Storuman,general,2,,,,", "lane,Umeå,our mill,timber,300,t a week,45,,",
    "lane,our mill,Umeå,sawn,100,t a week,45,,", "lane,Skellefteå,Boliden,general,3,,35,,",
    "lane,Boliden,Skellefteå,conc,10000,t a year,35,,", "lane,Skellefteå,Luleå,general,4,,,,",
    "lane,Skellefteå,gravel pit,ore,6,,20,,", "lane,Umeå,Vännäs,general,3,,30,,",
]  # fmt: skip


def typed(path: Path, *lines: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def workbook(path: Path, rows: list[list[object]], *, sheet: str = "fleet", others: tuple[str, ...] = ()) -> Path:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    for name in others:
        book.create_sheet(name)["A1"] = "do not forget the ferry"
    book.save(path)
    return path


def test_a_strangers_fleet_of_two_depots_six_trucks_and_twelve_lanes_is_audited_from_one_sheet(tmp_path: Path) -> None:
    assert len(STRANGER) <= 25
    region = nbb.new_fleet(typed(tmp_path / "mine.csv", *STRANGER), tmp_path / "mine")
    assert (len(region["fleet_regions"]), region["fleet"]["vehicles"].sum()) == (2, 6)
    assert sum(line.startswith("lane") for line in STRANGER) == 12
    assert CliRunner().invoke(app, ["check", str(tmp_path / "mine")]).exit_code == 0
    assert set(region["shifts"]["fleet_region"]) == set(region["fleet_regions"]["fleet_region"])
    assert len(region["charging_hours"]) == 2 * 24
    assert (region["charge_areas"]["power_eur_per_kw_month"] > 0).all()
    plan = nbb.fleet_plan(region, tmp_path / "plan.csv")
    found = nbb.audit(region, plan, gap=5e-2, each_s=10.0, changes=0, scenarios=False)
    assert found.best.gap <= 5e-2
    assert found.repair.solution.objective >= found.best.objective


def test_km_between_known_places_are_those_of_the_shipped_roads_and_tonnes_are_a_years(tmp_path: Path) -> None:
    region = nbb.new_fleet(typed(tmp_path / "mine.csv", *STRANGER), tmp_path / "mine")
    links = region["links"].set_index(["from_node", "to_node"])["distance_km"]
    assert links["Skellefteå", "Umeå"] == 134
    assert links["Umeå", "our mill"] == 45
    od = demand_of(region).frame().query("year == 2026").set_index(["origin", "destination"])["tonnes"]
    assert od["our mill", "Umeå"] == 100 * 52
    assert od["Umeå", "Skellefteå"] == pytest.approx(8 * 52 * (74 - 24) * 0.6133)


def test_a_known_road_has_its_toll_and_a_norwegian_battery_truck_its_grant_and_half_the_toll(tmp_path: Path) -> None:
    links = pd.read_csv(Path(__file__).parents[1] / "instances" / "nbb" / "links.csv")
    road = links[(links["mode"] == "road") & (links["country"] == "NO") & (links["toll_eur_per_vkm"] > 0)].iloc[0]
    a, b = road["from_node"], road["to_node"]
    region = nbb.new_fleet(typed(tmp_path / "no.csv", f"depot,{a}", f"truck,{a}", f"lane,{a},{b},,2"), tmp_path / "no")
    assert region["links"]["toll_eur_per_vkm"].tolist() == pytest.approx([road["toll_eur_per_vkm"]])
    trucks = state_fleet_model(region).built.data.trucks
    at = trucks.names.ids.index("BAT400"), region["countries"]["country"].tolist().index("NO"), 0
    assert (trucks.subsidies.grant_eur[at], trucks.subsidies.toll_exempt[at]) == (109000, 0.5)


def test_what_people_type_in_excel_is_read_and_what_is_left_alone_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = [*HEADER.split(","), "phone"]
    rows: list[list[object]] = [
        ["Our fleet, autumn"], [], names,
        ["depot", "Umeå", None, None, "1 000", None, None, None, None, "090"],
        ["truck", "Umeå", None, "diesel", None, None, None, "2021-03-01"],
        ["Truck ", "Umeå", None, "diesel", None, None, None, 2021],
        ["lane", "Umeå", "mill", "timber", "2,5", "trips a week", "12,5"],
    ]  # fmt: skip
    caplog.set_level("INFO")
    path = workbook(tmp_path / "mine.xlsx", rows, sheet="Blad1", others=())
    region = nbb.new_fleet(path, tmp_path / "mine")
    assert region["charge_areas"]["grid_mw"].tolist() == [1.0]
    assert region["fleet"][["vintage_year", "vehicles"]].values.tolist() == [[2021, 2.0]]
    assert region["links"]["distance_km"].tolist() == [12.5]
    assert "sheet 'Blad1' is read as 'fleet'" in caplog.text
    assert "columns left alone: phone" in caplog.text
    nbb.new_fleet(workbook(tmp_path / "two.xlsx", rows, others=("Notes",)), tmp_path / "two")
    assert "sheets left alone: Notes" in caplog.text
    with pytest.raises(InstanceError, match=r"has no sheet 'fleet' \(it has Blad1, Notes: name one of them fleet\)"):
        nbb.new_fleet(workbook(tmp_path / "four.xlsx", rows, sheet="Blad1", others=("Notes",)), tmp_path / "four")
    with pytest.raises(InstanceError, match=r"has no sheet 'fleet' .*did you mean 'flet'"):
        nbb.new_fleet(workbook(tmp_path / "three.xlsx", rows, sheet="flet", others=("Notes",)), tmp_path / "three")


def test_the_value_of_a_formula_counts_and_one_without_a_value_is_refused_with_its_cell(tmp_path: Path) -> None:
    import xlsxwriter

    for name, value in (("good", 30), ("bad", "")):
        book = xlsxwriter.Workbook(tmp_path / f"{name}.xlsx")
        sheet = book.add_worksheet("fleet")
        sheet.write_row(0, 0, HEADER.split(","))
        sheet.write_row(1, 0, ["depot", "Umeå"])
        sheet.write_row(2, 0, ["truck", "Umeå"])
        sheet.write_row(3, 0, ["lane", "Umeå", "mill", "ore", 2])
        sheet.write_formula(3, 6, "=10*3", None, value)
        book.close()
    assert nbb.new_fleet(tmp_path / "good.xlsx", tmp_path / "good")["links"]["distance_km"].tolist() == [30.0]
    with pytest.raises(InstanceError, match=r"fleet!G4, column km: is a formula without a value"):
        nbb.new_fleet(tmp_path / "bad.xlsx", tmp_path / "bad")


@pytest.mark.parametrize(("line", "words"), [
    ("truck,Umea,,diesel,1,,,,", "row 5, column place, value 'Umea': is no depot (did you mean 'Umeå'?)"),
    ("truck,Umeå,,disel,1,,,,", "value 'disel': is no truck (did you mean 'DIESEL'?)"),
    ("lane,Umeå,nowhere,general,4,,,,", "column km: is blank and 'nowhere' is no known place"),
    ("lane,Umeå,mill,timbr,4,,20,,", "value 'timbr': is no kind of goods (did you mean 'timber'?)"),
    ("lane,Umeå,mill,timber,,,20,,", "column number: is blank (give its freight in trips a week)"),
    ('lane,Umeå,mill,timber,"1,000",,20,,', "value '1,000': is not a number: no thousands separators"),
    ("lane,far,away,timber,1,,20,,", "no road leads from Umeå to far, away"),
    ("lorry,Umeå,,,,,,,", "value 'lorry': is not one of the choices"),
])  # fmt: skip
def test_a_row_that_cannot_be_right_is_named_with_its_fix(tmp_path: Path, line: str, words: str) -> None:
    lines = ["depot,Umeå,,,,,,,", "truck,Umeå,,,,,,,", "lane,Umeå,Skellefteå,,2,,,,"]
    with pytest.raises(InstanceError, match=re.escape(words)):
        nbb.new_fleet(typed(tmp_path / "mine.csv", *lines, line), tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_what_three_trucks_cost_is_what_a_pocket_calculator_says() -> None:
    found = nbb.truck_cost("Umeå", "mill", km=50, goods="timber", electricity_eur_per_kwh=0.1, diesel_eur_per_l=1.47)
    by_truck = found.trucks.set_index("vehicle")
    share, night = 0.06 / (1 - 1.06**-8), (1200 + 35000 * 0.06 / (1 - 1.06**-12)) / (8760 * 75 * 0.3)
    winter, back = 0.4, 0.48 / 0.52  # share of the year; empty km for each loaded one
    hours = (50 / 70 * (1 + back) * (1 + 0.75 / 4.5) + 1.0) / 50
    for name, kerb, factor, empty, full, price, running, capex, charger in (
        ("DIESEL", 24.0, 1.05, 2.8, 4.9, 1.47 / 9.8, 0.15, 200000, 0.0),
        ("HVO", 24.0, 1.05, 2.8, 4.9, 0.182, 0.155, 202000, 0.0),
        ("BAT400", 26.4, 1.18, 1.3, 2.4, 0.1, 0.12, (1 - 0.2) * 400000, night),
    ):
        load = 0.98 * (74 - kerb)
        kwh = (1 + winter * (factor - 1)) * (empty + (full - empty) * load / (74 - kerb) + back * empty)
        vkm = min(128000 / (1 + back), 4400 / hours)
        eur = kwh * (price + charger) + running * (1 + back) + hours * 44 + (15300 + capex * share) / vkm
        assert by_truck.loc[name, "eur_per_km"] == pytest.approx(eur / (1 + back), rel=1e-3)
        assert by_truck.loc[name, "eur_per_t"] == pytest.approx(eur * 50 / load, rel=1e-3)


def test_at_each_break_even_figure_both_trucks_cost_the_same() -> None:
    lane = one_lane("Umeå", "mill", km=50.0, goods="timber")
    even = truck_cost(lane).break_even.set_index("vehicle").loc["BAT400"]
    for changed in (
        {"electricity_eur_per_kwh": even["its_energy_eur_per_kwh"]},
        {"diesel_eur_per_l": even["other_energy_eur_per_kwh"] * 9.8},
        {"km_per_year": even["km_per_year"]},
        {"battery_eur_per_kwh": even["battery_eur_per_kwh"]},
    ):
        eur = truck_cost(with_prices(lane, **changed)).trucks.set_index("vehicle")["eur_per_t"]
        assert eur["BAT400"] == pytest.approx(eur["DIESEL"], rel=1e-6), changed
    lane = with_prices(lane, electricity_eur_per_kwh=0.1)
    dearer = truck_cost(lane).sensitivity.set_index(["lever", "vehicle"])["high_eur_per_km"]
    for lever, vehicle, changed in (
        ("price of the battery", "BAT400", {"battery_eur_per_kwh": 1.2 * battery_price(lane)}),
        ("price of electricity", "BAT600", {"electricity_eur_per_kwh": 1.2 * 0.1}),
        ("price of the truck", "DIESEL", {"purchase_eur": {"DIESEL": 1.2 * 200000}}),
        ("km a year", "DIESEL", {"km_per_year": 1.2 * 128000}),
    ):
        eur = truck_cost(with_prices(lane, **changed)).trucks.set_index("vehicle")["eur_per_km"]
        assert dearer[lever, vehicle] == pytest.approx(eur[vehicle], rel=1e-9), lever


def test_the_cash_of_a_truck_is_worth_its_yearly_cost_however_it_is_paid() -> None:
    lane, life, rate = one_lane("Umeå", "mill", km=50.0, goods="timber"), 8, 0.06
    for finance in (Finance(), Finance(loan_rate=rate, loan_years=5)):
        found = truck_cost(lane, finance=finance)
        worth = (found.cash["eur"] * (1 + rate) ** -found.cash["after_years"]).groupby(found.cash["vehicle"]).sum()
        yearly = found.trucks.set_index("vehicle")["eur_per_year"]
        for vehicle, eur in worth.items():
            assert eur * rate / (1 - (1 + rate) ** -life) == pytest.approx(yearly[vehicle], rel=1e-9)
    leased = truck_cost(lane, finance=Finance(lease_eur_per_month={"BAT400": 5000.0})).cash
    mine = leased[leased["vehicle"] == "BAT400"]
    assert mine["bought_eur"].tolist() == [0.0] + [60000.0] * life
    assert mine["value_eur"].sum() == 0
    battery = found.break_even.set_index("vehicle").loc["BAT400", "battery_eur_per_kwh"]
    assert re.search(rf"<td[^>]*>{battery:.0f}</td>", found.page())


def test_a_truck_that_charges_on_the_way_pays_for_a_charger_of_its_power() -> None:
    from nbb_opt.studies.audit.ownership import lane_costs
    from test_audit import haulier

    costs = lane_costs(haulier())
    mine = costs[(costs["vehicle"] == "BAT600") & (costs["year"] == 2030)]
    per_kwh = (mine["chargers"] / mine["kwh_per_vkm"]).round(6)
    night, mega = ((f + c * 0.06 / (1 - 1.06**-12)) / (8760 * kw * use) for f, c, kw, use in (
        (1200, 35000, 75, 0.3), (12000, 375000, 1000, 0.15)))  # fmt: skip
    trucks = haulier().built.data.trucks
    far = 2 * mine["distance_km"] > trucks.usable_km[trucks.names.ids.index("BAT600")]
    assert set(per_kwh[~far]) >= {round(night, 6)}
    assert set(per_kwh[far]) == {round(mega, 6)}


def test_the_commands_lead_from_an_empty_folder_to_the_next_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    assert "fleet new mine --sheet mine.xlsx" in runner.invoke(app, ["fleet", "sheet", "mine.xlsx"]).output
    made = runner.invoke(app, ["fleet", "new", "mine", "--sheet", "mine.xlsx"])
    assert "2 depots, 6 trucks" in made.output
    assert runner.invoke(app, ["audit", "mine", "--template", "plan.csv"]).exit_code == 0
    day = runner.invoke(app, ["fleet", "day", "mine", "--plan", "plan.csv"])
    assert day.exit_code == 0, "a new fleet has shifts and prices by the hour"
    assert "these are the days of its smallest repair" in day.output
    cost = runner.invoke(app, ["fleet", "cost", "Umeå", "mill", "--km", "50", "--goods", "timber", "--out", "cost"])
    assert "costs least" in cost.output
    assert "When both cost the same" in Path("cost/truck_cost.html").read_text(encoding="utf-8")
    wrong = runner.invoke(app, ["fleet", "cost", "Umeå", "mill", "--km", "50", "--purchase", "BAT4=1"])
    assert isinstance(wrong.exception, NbbError)
    assert "did you mean 'BAT400'" in str(wrong.exception)
