"""The inventory: its totals are those of control totals, plan and ledger, and the worst bottlenecks come first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import nbb_opt as nbb
from instance_copies import LEFT_OUT
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.report.inventory import InventoryTables
from nbb_opt.report.inventory_view import inventory_answer, people_words, power_grid, staff_grid
from nbb_opt.report.kpis import tkm_by_mode
from nbb_opt.report.movements import over_quays
from nbb_opt.studies.control_totals import control_totals


def typed(table: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Texts of a file as the numbers that they are."""
    kinds = {c.name: c.kind for c in BY_NAME[table].columns}
    numbers = {name: float for name in rows.columns if kinds[name] == "number"}
    years = {name: int for name in rows.columns if kinds[name] == "year"}
    bools = {name: rows[name] == "true" for name in rows.columns if kinds[name] == "bool"}
    return rows.assign(**bools).astype(numbers | years)


@pytest.fixture(scope="module")
def region() -> nbb.Instance:
    """The tiny instance with observed totals of its harbours, and freight over them that has no choice of mode."""
    base = nbb.examples.tiny()
    row = {"name": "Harbours", "measure": "handled_t_per_year", "modes": "sea;ferry", "nodes": "PORTW;PORTE",
           "observed": 5e4, "observed_year": 2024, "outside": 0, "source": "made_up", "note": "",
           "total": "H"}  # fmt: skip
    sea = base["links"].query("mode == 'sea'").iloc[0]
    flow = {"origin": sea["from_node"], "destination": sea["to_node"], "commodity": "PULP", "link": sea["link"],
            "tonnes": 7000.0, "source": "made_up", "note": ""}  # fmt: skip
    given = pd.DataFrame([flow | {"year": year} for year in (2025, 2035)])
    for table in ("occupations", "labour", "site_power", "ports"):
        rows = [{"source": "made_up", "note": ""} | each for each in LEFT_OUT[table]]
        base = base.with_table(table, typed(table, pd.DataFrame(rows)))
    unsure = {"table": "labour", "row": "mechanic/W/2030", "column": "people", "low_factor": 0.5, "high_factor": 2.0,
              "reason": "made up"}  # fmt: skip
    base = base.with_table("ranges", lambda known: pd.concat([known, pd.DataFrame([unsure])], ignore_index=True))
    return base.with_table("control_totals", pd.DataFrame([row])).with_table("outside_flows", given)


@pytest.fixture(scope="module")
def found(region: nbb.Instance) -> InventoryTables:
    return InventoryTables(region, nbb.solve(region, gap=1e-6).run)


def test_freight_over_quays_is_that_of_the_control_totals(found: InventoryTables, region: nbb.Instance) -> None:
    frozen = replace(found.run, tables=found.today, bars={})
    ports = InventoryTables(region, frozen).use.query("kind == 'port' and year == 2025")
    observed = control_totals(region, frozen).table["modelled"].item()
    assert ports[["used", "given"]].to_numpy().sum() == pytest.approx(observed)
    assert ports["given"].sum() == 14000.0  # taken and left


def test_use_and_limits_are_those_that_the_verifier_has_checked(found: InventoryTables) -> None:
    checked = found.run.tables["use"].query("kind in ('link', 'terminal')").set_index(["row", "year"])
    mine = found.use.set_index(["object", "year"]).loc[checked.index]
    assert (mine["used"] - checked["used"]).abs().max() < 1e-6
    assert mine["limit"].tolist() == checked["limit"].tolist()


def test_people_are_the_work_over_that_of_one_and_power_stands_beside_the_queue(found: InventoryTables) -> None:
    trucks = found.run.tables["fleet"].query("fleet_region == 'W' and year == 2030")["kept"].sum()
    staff = found.staff.set_index(["occupation", "fleet_region", "year"])
    assert staff.loc[("mechanic", "W", 2030)].tolist() == [trucks / 4, 3.0, 1.5, 6.0]
    assert staff["people"].isna().sum() == len(staff) - 2  # only mechanics of W are stated
    assert people_words(found).startswith("People in 2030: short in 0 of 1 cases, in 0 even at the high end.")
    none = found.instance["labour"].assign(people=0.0)
    scarce = InventoryTables(found.instance.with_table("labour", none), found.run)
    assert "short in 1 of 1 cases, in 1 even at the high end; worst mechanics of " in people_words(scarce)
    over = over_quays(found.instance, found.run.tables, 2030).set_index("node")
    assert staff.loc[("docker", "E", 2030), "needed"] == pytest.approx(over.loc["PORTE"].sum() / 2000)
    power = found.power.set_index(["charge_area", "year"]).loc[("CW", 2030)]
    assert power[["plants_mw", "plants_gwh", "queue_mw"]].tolist() == [2.0, 7.0, 50.0]
    drawn = found.run.tables["energy"].query("charge_area == 'CW' and year == 2030")["kwh"].sum() / 1e6
    assert power["trucks_gwh"] == pytest.approx(drawn)
    assert drawn > 0
    assert ["Mechanics", 2030, trucks / 4, 3.0, 1.5, 6.0] in [[row[0], *row[2:]] for row in staff_grid(found).rows]
    assert [2.0, 7.0, 50.0] in [row[4:] for row in power_grid(found).rows]


def test_totals_of_the_countries_are_those_of_the_plan(found: InventoryTables) -> None:
    value = found.countries.set_index(["measure", "country"])["value"]
    tkm = tkm_by_mode(found.instance, found.run.tables)
    for mode in ("road", "rail", "ferry"):
        assert value[f"{mode.capitalize()} 2030", "all"] == pytest.approx(tkm[2030, mode] / 1e6)
    within = sum(value["Road 2030", country] for country in ("SE", "FI"))
    assert within == pytest.approx(value["Road 2030", "all"])


def test_freight_by_countries_adds_up_to_the_demand(found: InventoryTables) -> None:
    of_year = found.cross_border.groupby("year")[["tonnes", "given"]].sum()
    assert of_year["tonnes"].to_dict() == pytest.approx(
        found.run.tables["demand"].groupby("year")["tonnes"].sum().to_dict()
    )
    assert of_year["given"].tolist() == [7000.0, 7000.0]


def test_driver_hours_are_those_that_wages_are_paid_for(found: InventoryTables) -> None:
    paid = found.run.tables["costs"].query("component == 'drivers'").groupby("year")["amount_eur"].sum()
    hours = found.people.groupby("year")["driver_h"].sum()
    assert (hours * 30).to_dict() == pytest.approx(paid.to_dict())  # 30 EUR/h in both countries


def test_the_worst_bottleneck_comes_first_with_the_first_full_year(found: InventoryTables, tmp_path: Path) -> None:
    worst = found.objects.iloc[0]
    assert worst[["name", "first_full_year", "share_last"]].tolist() == ["West town – Gauge break, rail", 2025, 1.0]
    assert "Passing loops West to Gap" in worst["ideas"]
    assert "nothing decided" in worst["missing"]
    ports = found.objects.query("kind == 'port'").set_index("object")
    east = ports[ports["exists"].str.contains("draught 12.5 m, ships of .* dwt, ice 5 months")]
    assert len(east) == 1
    assert ports.drop(east.index)["missing"].str.contains("draught not stated").all()
    page = inventory_answer(found).save(tmp_path).read_text(encoding="utf-8")
    assert page.index("West town – Gauge break, rail: full from 2025") < page.index("Countries side by side")
    assert len(pd.read_csv(tmp_path / "objects.csv")) == len(found.objects)
