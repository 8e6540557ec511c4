"""Charging by the hour: days worked out by hand, the verifier's own loops, what is refused at which hour and why."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from instance_copies import TINY, copy_tiny
from nbb_opt.app.languages import LANGUAGES, translator
from nbb_opt.app.pictures import day_charts
from nbb_opt.cli.main import app
from nbb_opt.errors import NbbError, VerifyFailed
from nbb_opt.instance import read_instance
from nbb_opt.instance.schema import TABLES
from nbb_opt.report.charts.day import day_chart
from nbb_opt.report.text import number
from nbb_opt.solve import Solution
from nbb_opt.studies.audit.charging_day import (
    QUARTERS,
    Charged,
    ChargingDay,
    Stay,
    Truck,
    charging_days,
    plain,
    shared_out,
    smart,
)
from nbb_opt.studies.audit.charging_help import areas_by_the_hour, hour_faults
from nbb_opt.studies.audit.charging_view import _charges, annual, check_days, day_figures
from nbb_opt.studies.audit.faults import Fault, judge
from nbb_opt.studies.audit.fleet_model import FleetModel, numbers_of, state_fleet_model
from nbb_opt.studies.audit.hours import Hours
from nbb_opt.studies.audit.improve import best_by_the_hour
from nbb_opt.studies.audit.plan import COLUMNS, FleetPlan, plan_in_service, plan_of, write_plan
from nbb_opt.studies.audit.works import Works
from nbb_opt.verify.charging_day import Vehicle, check_charging_days, fill

HOURS = np.repeat(np.arange(24), 4)


def truck(name: str, *stays: tuple[float, float, float], kw: float = 100.0, battery: float = 500.0) -> Truck:
    """A truck by its stays: hour it arrives, hours it stays, kWh it used before."""
    found = tuple(Stay(int(4 * at), int(4 * hours), kwh) for at, hours, kwh in stays)
    return Truck(name=name, kw=kw, least_kw=0.0, battery_kwh=battery, days=250.0, stays=found)


def day(*trucks: Truck, chargers: tuple[float, ...] = (100.0,), **more: Any) -> ChargingDay:
    given = {"grid_kw": np.full(QUARTERS, 1000.0), "eur_per_kwh": np.full(QUARTERS, 0.1), "power_eur_per_kw_month": 4.0}
    own = tuple((f"C{kw:g}", kw) for kw in sorted(chargers))
    return ChargingDay(area="A", year=2030, day="winter", months=12.0, trucks=trucks, chargers=own, **(given | more))


def by_hour(charged: Charged) -> dict[int, float]:
    kwh = charged.kwh.sum(axis=0).reshape(24, 4).sum(axis=1)
    return {hour: round(float(kwh[hour]), 6) for hour in range(24) if kwh[hour] > 1e-6}


def test_plain_charging_fills_in_turn_at_full_power_and_who_finds_no_charger_waits() -> None:
    found = plain(day(truck("A", (17, 12, 150)), truck("B", (17, 12, 250)), truck("C", (22, 6, 50))))
    assert by_hour(found) == {17: 100, 18: 100, 19: 100, 20: 100, 22: 50}
    assert found.waiting.reshape(24, 4).max(axis=1).tolist() == [0] * 17 + [1, 1] + [0] * 5
    assert not found.short
    assert found.kw.max() == 100
    case = day(truck("A", (17, 12, 150)))
    assert plain(case).energy_eur(case) == pytest.approx(250 * 150 * 0.1)
    assert plain(case).power_eur(case) == pytest.approx(100 * 4 * 12)


def test_a_truck_takes_the_weakest_charger_that_fills_it_in_time() -> None:
    night, noon = truck("night", (18, 10, 300), kw=400), truck("noon", (12, 1, 200), (20, 4, 10), kw=400)
    found = plain(day(night, noon, chargers=(50.0, 400.0)))
    assert by_hour(found) == {12: 200, 18: 50, 19: 50, 20: 60, 21: 50, 22: 50, 23: 50}


def test_smart_charging_is_the_smallest_peak_of_a_flat_price_and_the_cheapest_hours_of_another() -> None:
    case = day(truck("A", (18, 10, 150)))
    assert smart(case).kw.max() == pytest.approx(15)
    price = np.where((HOURS >= 1) & (HOURS < 3), 0.02, 0.1)
    cheap = smart(day(truck("A", (18, 10, 150)), eur_per_kwh=price, power_eur_per_kw_month=0.0))
    assert by_hour(cheap) == {1: 75, 2: 75}  # the smaller peak of what costs the same


def test_a_battery_that_does_not_last_is_filled_in_the_break_and_named_where_no_break_will_do() -> None:
    stays = (12, 1, 200), (18, 12, 200)
    enough = smart(day(truck("A", *stays, battery=320.0)))
    assert not enough.short
    assert by_hour(enough)[12] >= 80 - 1e-6
    for charged in (plain, smart):
        short = charged(day(truck("A", *stays, battery=250.0))).short
        assert [(each.kind, each.quarter) for each in short] == [("empty", 18 * 4)]
        assert short[0].amount == pytest.approx(50)


def random_day(rng: np.random.Generator) -> ChargingDay:
    trucks = []
    for n in range(int(rng.integers(1, 7))):
        begin, lengths = rng.integers(96), rng.integers(2, 30, rng.integers(1, 4))
        lengths[-1] = lengths.max() + 4
        at, stays = int(begin), []
        for length in lengths.tolist():
            stays.append(Stay(at % QUARTERS, length, float(rng.uniform(0, 200))))
            at += length + int(rng.integers(1, 8))
        if at - begin < QUARTERS:
            made = truck(f"T{n}", kw=float(rng.choice([60.0, 150.0])), battery=float(rng.uniform(100, 500)))
            trucks.append(replace(made, stays=tuple(stays), least_kw=float(rng.choice([0.0, 100.0]))))
    chargers = rng.choice([50.0, 100.0, 400.0], rng.integers(1, 4)).tolist()
    price = rng.uniform(0.02, 0.2, 24)[HOURS]
    return day(*trucks or [truck("A", (0, 8, 50))], chargers=tuple(chargers), eur_per_kwh=price)


@pytest.mark.promise(9, 40, 400)
def test_of_random_days_plain_charging_is_that_of_the_verifiers_loops_and_smart_never_dearer(seed: int) -> None:
    case = random_day(np.random.default_rng(seed))
    found, least = plain(case), smart(case)
    own = [
        Vehicle(
            name=t.name,
            kw=t.kw,
            least_kw=t.least_kw,
            battery=t.battery_kwh,
            visits=[(s.arrives, s.quarters, s.used_kwh) for s in t.stays],
        )
        for t in case.trucks
    ]
    short = fill(own, [kw for _, kw in case.chargers])
    for i, vehicle in enumerate(own):
        taken = [vehicle.taken.get(quarter, 0.0) for quarter in range(QUARTERS)]
        assert found.kwh[i] == pytest.approx(taken, abs=1e-6)
    assert len(short) == len(found.short)
    if not found.short:
        cost = [each.energy_eur(case) + each.power_eur(case) for each in (found, least)]
        assert not least.short
        assert cost[1] <= cost[0] * (1 + 1e-9)
        assert least.kwh.sum() == pytest.approx(case.kwh)


def test_trucks_are_shared_out_whole() -> None:
    assert shared_out(40, [0.5, 0.3, 0.2]) == [20, 12, 8]
    assert shared_out(3, [0.5, 0.5]) == [2, 1]


@cache
def haulier() -> FleetModel:
    return state_fleet_model(read_instance(Path(__file__).parents[1] / "instances" / "haulier"))


@cache
def best() -> Solution:
    return haulier().solve(gap=0.02)


@cache
def enough() -> Solution:
    found = best_by_the_hour(Hours(haulier(), "plain"), best(), gap=0.05, time_limit_s=60)
    assert found is not None
    return found


def test_energy_of_a_years_days_is_that_of_the_accounts_and_a_plan_with_enough_chargers_works() -> None:
    areas = areas_by_the_hour(haulier(), enough())
    assert areas
    assert not hour_faults(haulier(), areas, "plain")
    table = annual(haulier(), enough(), areas)
    assert table["kwh"].tolist() == pytest.approx(table["kwh_year"].tolist(), rel=1e-6)
    assert haulier().verified(enough(), "enough chargers") is not None
    for here in areas:
        for case, charged in zip(here.days, here.charged["smart"], strict=True):
            assert float(charged.kwh.sum()) == pytest.approx(case.kwh)
    smarter = table.pivot(index=["charge_area", "year"], columns="charging", values=["power_eur", "energy_eur"])
    cost = smarter.T.groupby("charging").sum().T
    assert (cost["smart"] <= cost["plain"] + 1e-6).all()


def test_at_one_price_and_no_power_tariff_the_days_cost_what_the_accounts_say() -> None:
    instance = haulier().instance
    flat = {
        "charging_hours": instance["charging_hours"].iloc[:0],
        "charge_areas": instance["charge_areas"].assign(power_eur_per_kw_month=np.nan),
    }
    model = replace(haulier(), instance=replace(instance, tables={**instance.tables, **flat}))
    table = annual(model, enough(), areas_by_the_hour(model, enough()))
    assert table["energy_eur"].tolist() == pytest.approx(table["energy_eur_year"].tolist(), rel=1e-6)
    assert table["difference_eur"].abs().max() < 1.0


def test_the_verifiers_loops_find_every_change_of_what_trucks_take() -> None:
    areas = areas_by_the_hour(haulier(), enough())
    tables, charges = haulier().tables(enough()), _charges(areas)
    check_charging_days(haulier().instance, tables, charges)
    for how in ("plain", "smart"):
        row = charges.index[charges["charging"] == how][0]
        more = charges.assign(kwh=charges["kwh"].where(charges.index != row, charges["kwh"] + 100.0))
        with pytest.raises(VerifyFailed, match="charging by the hour"):
            check_charging_days(haulier().instance, tables, more)


def test_a_plan_that_fits_on_average_is_refused_with_the_hour_what_is_short_and_what_helps() -> None:
    faults = hour_faults(haulier(), areas_by_the_hour(haulier(), best()), "plain")
    assert faults
    assert all(fault.kind == "hour" for fault in faults)
    for fault in faults:
        assert ":" in fault.where
        assert "kWh are short. What helps:" in fault.text
        assert " more " in fault.text
        assert "EUR a year" in fault.text


HEADERS = {table.name: [column.name for column in table.columns] for table in TABLES}
NIGHT, NOON = ("17", "5"), ("10", "12")


def days_of_tiny(*stays: tuple[str, str], closed_hour: int | None = None) -> dict[str, list[dict[str, str]]]:
    """Rows of the tables about days: one shift at each depot of tiny, in at `stays`; no power in an hour."""
    shift = {"shift": "day", "truck_share": "1", "spread_h": "0", "drivers": "2", "days_per_year": "365"}
    rows = {
        "shifts": [shift | {"fleet_region": depot} for depot in ("W", "E")],
        "shift_stays": [
            {"fleet_region": depot, "shift": "day", "arrives_h": begin, "departs_h": end}
            for depot in ("W", "E") for begin, end in stays
        ],
        "charging_hours": [
            {"charge_area": area, "hour": str(hour), "price_add_eur_per_kwh": "0",
             "grid_share": "0" if hour == closed_hour else ""}
            for area in ("CW", "CE") for hour in range(24)
        ],
    }  # fmt: skip
    return {
        table: [dict.fromkeys(HEADERS[table], "") | {"source": "made_up"} | row for row in each]
        for table, each in rows.items()
    }


@cache
def tiny_fleet() -> tuple[FleetModel, Solution]:
    model = state_fleet_model(read_instance(TINY))
    return model, model.solve(gap=1e-6)


def faults_of_tiny(tmp_path: Path, *stays: tuple[str, str], closed_hour: int | None = None) -> list[Fault]:
    """What the best plan of tiny lacks on such days; the year's problem is the same for all days."""
    copy = copy_tiny(tmp_path / "company")
    for table, rows in days_of_tiny(*stays, closed_hour=closed_hour).items():
        copy.write(table, HEADERS[table], rows)
    model, solution = tiny_fleet()
    there = replace(model, instance=read_instance(copy.path))
    return hour_faults(there, areas_by_the_hour(there, solution), "plain")


def test_a_plan_whose_connection_gives_nothing_at_17_is_refused_there_and_smart_charging_helps(tmp_path: Path) -> None:
    faults = faults_of_tiny(tmp_path, NIGHT, NOON, closed_hour=17)
    assert {fault.where for fault in faults} == {"CE 17:00", "CW 17:00"}
    assert all("more than the connection gives at that hour. What helps: smart charging" in f.text for f in faults)
    (tmp_path / "open").mkdir()
    assert not faults_of_tiny(tmp_path / "open", NIGHT, NOON)


def test_trucks_that_leave_before_they_are_full_are_refused_with_the_hour_they_leave(tmp_path: Path) -> None:
    faults = faults_of_tiny(tmp_path, ("17", "20"))
    assert {fault.where for fault in faults} == {"CE 20:00", "CW 20:00"}
    assert all("leave without a full battery, the first by 20:00" in fault.text for fault in faults)
    assert all("leaving 2 h later" in fault.text for fault in faults)


def test_the_audit_refuses_a_plan_that_works_in_a_year_but_not_at_17_and_the_day_has_a_page(tmp_path: Path) -> None:
    copy, plan = copy_tiny(tmp_path / "company"), tmp_path / "plan.csv"
    for table, rows in days_of_tiny(NIGHT, NOON, closed_hour=17).items():
        copy.write(table, HEADERS[table], rows)
    model, solution = tiny_fleet()
    write_plan(plan_in_service(model.instance, model.tables(solution)), plan)
    asked = [str(copy.path), "--plan", str(plan), "--out"]
    done = CliRunner().invoke(app, ["audit", *asked, str(tmp_path / "audit"), "--changes", "0", "--no-scenarios"])
    assert isinstance(done.exception, VerifyFailed), done.output
    assert "cannot work  CW 17:00 2025: with plain charging" in done.output
    assert "fits on average over the year, but not by the hour: C" in done.output
    assert "Charging by the hour: CW 2025" in (tmp_path / "audit" / "audit.html").read_text(encoding="utf-8")
    done = CliRunner().invoke(app, ["fleet", "day", *asked, str(tmp_path / "day")])
    assert done.exit_code == 0, done.output
    names = {path.name for path in (tmp_path / "day").iterdir()}
    assert {"charging_day.html", "hours.csv", "days.csv", "annual.csv", "short.csv", "charges.parquet"} <= names
    hours = pd.read_csv(tmp_path / "day" / "hours.csv")
    assert hours.groupby(["charge_area", "year", "day", "charging"])["hour"].agg(list).map(len).eq(24).all()


def test_an_instance_without_shifts_says_what_to_add() -> None:
    with pytest.raises(NbbError, match="no table shifts"):
        charging_days(*tiny_fleet())


def test_the_chart_of_a_day_draws_each_line_and_the_limit_at_its_height() -> None:
    svg = str(day_chart([("plain", [100.0] * 96)], ("limit", [400.0] * 96), hours="hour", key="k", title="A 2030"))
    assert "plain: 100 kW" in svg
    assert "A 2030. plain 100 kW; limit 400 kW." in svg
    tops = [float(part.split()[1].split("l")[0]) for part in svg.split('d="M')[1:]]
    zero = 54.0 + 220.0
    assert (zero - tops[0]) / (zero - tops[1]) == pytest.approx(0.25, abs=0.01)


def test_the_app_draws_the_days_of_a_checked_plan_in_four_languages() -> None:
    figures = [day_figures(here) for here in areas_by_the_hour(haulier(), enough())]
    drawn = {language: day_charts(figures, translator(language)) for language in LANGUAGES}
    for language, charts in drawn.items():
        assert len(charts) == len(figures)
        words = f"{translator(language)('plain charging')}: {number(figures[0]['plain'], 0)} kW"
        assert words in charts[0]["svg"]
        assert charts[0]["help"].startswith(f"{figures[0]['place']} {figures[0]['year']}: ")
        assert len(charts[0]["table"]["rows"]) == 24
    assert len({charts[0]["help"] for charts in drawn.values()}) == len(LANGUAGES)


def cut_down(folder: Path, *stays: tuple[str, str], closed_hour: int | None = None) -> FleetModel:
    """Tiny with its first period and a day of its own."""
    copy = copy_tiny(folder)
    for table, rows in days_of_tiny(*stays, closed_hour=closed_hour).items():
        copy.write(table, HEADERS[table], rows)
    case = read_instance(copy.path)
    return state_fleet_model(replace(case, periods=case.periods[:1]))


def plans_near(model: FleetModel, plan: FleetPlan, trucks: int) -> Iterator[tuple[FleetPlan, int]]:
    """Plans with so many trucks changed at most, and how many; up to two chargers in W, one in E, railway or none."""
    said = numbers_of(plan.trucks)
    fleets = [
        dict(zip(sorted(model.trucks), numbers, strict=True))
        for numbers in itertools.product(*(
            range(max(0, int(said.get(key, 0)) - trucks), int(said.get(key, 0)) + trucks + 1)
            for key in sorted(model.trucks)
        ))
    ]  # fmt: skip
    for fleet in fleets:
        apart = pd.DataFrame([(key[0], n - said.get(key, 0.0)) for key, n in fleet.items()], columns=["depot", "n"])
        sums = apart.assign(more=apart["n"].clip(lower=0), fewer=-apart["n"].clip(upper=0)).groupby("depot")
        size = int(sums[["more", "fewer"]].sum().max(axis=1).sum())
        if size <= trucks:
            for others in itertools.product(range(2), range(3), range(1), range(2)):
                keys = [*sorted(model.chargers), *sorted(model.projects)]
                lines = [
                    (what, key[0], key[1], 2025, float(n), "")
                    for what, key, n in zip(
                        ["charger", "charger", "project", "project"], keys, others, strict=True
                    )
                ] + [("truck", key[0], key[1], 2025, float(n), "") for key, n in fleet.items()]  # fmt: skip
                yield plan_of(pd.DataFrame(lines, columns=list(COLUMNS)), model.instance), size


@pytest.mark.parametrize(
    ("stays", "closed_hour", "how"),
    [((("17", "20"),), None, "plain"), ((NIGHT, NOON), 17, "plain"), ((("19", "22"),), None, "smart")],
)
def test_no_repair_that_works_by_the_hour_is_smaller_or_cheaper_among_all_of_a_cut_down_company(
    tmp_path: Path, stays: tuple[tuple[str, str], ...], closed_hour: int | None, how: str
) -> None:
    model = cut_down(tmp_path / "company", *stays, closed_hour=closed_hour)
    year = model.solve(gap=1e-6)
    plan = plan_of(plan_in_service(model.instance, model.tables(year)), model.instance)
    hours = Hours(model, how)
    works = Works(model, plan, hours)
    assert {fault.kind for fault in works.faults} == {"hour"}
    works_by_hand: dict[int, float] = {}
    for near, size in plans_near(model, plan, works.repair.trucks_changed):
        found = judge(model, near)
        if not found.faults and hours.fit(found.solution):
            works_by_hand[size] = min(works_by_hand.get(size, np.inf), found.solution.objective)
    assert works.repair.trucks_changed == min(works_by_hand)
    assert works.cheapest is not None
    for mended in (works.repair, works.cheapest):
        assert mended.fits
        check_days(model, mended.solution, areas_by_the_hour(model, mended.solution))
        assert hours.fit(judge(model, works.plan).solution)
    assert works.cheapest.solution.objective <= works_by_hand[min(works_by_hand)] * (1 + 1e-4)
    assert works.verified().objective >= works.cheapest.solution.objective - 1
