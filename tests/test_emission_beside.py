"""What stands beside the totals: biogenic CO2 of biofuels, and the making of trucks and batteries."""

from __future__ import annotations

import re
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from milp_case import solve, tiny, vary
from nbb_opt.emissions.exchange import sustainability_table
from nbb_opt.emissions.ledger import KG, Ledger, build_ledger
from nbb_opt.emissions.reconcile import check_ledger, factors_used, traced_totals
from nbb_opt.instance import Instance
from nbb_opt.report import write_html, write_workbook
from nbb_opt.report.basis import factor_card, making_grid
from nbb_opt.result import Run
from solved import solved

PER_KWH = 0.25486


@cache
def blended() -> Instance:
    """Tiny with biofuel in the ship's tank and figures for the making of its trucks."""
    one = vary(tiny(), "energy", "energy_carrier", "marine_fuel", biogenic_kg_co2_per_kwh=PER_KWH)
    one = vary(
        one,
        "vehicles",
        "vehicle",
        "BATTERY",
        making_kg_co2e=60000.0,
        battery_making_kg_co2e=30000.0,
        making_source="made_up",
    )
    return vary(one, "vehicles", "vehicle", "DIESEL", making_kg_co2e=55000.0, making_source="made_up")


@cache
def plan() -> dict[str, pd.DataFrame]:
    return solve(tiny()).tables


@cache
def ledger() -> Ledger:
    return build_ledger(blended(), plan())


def test_biogenic_co2_is_the_energy_of_the_biofuel_times_its_factor_and_in_no_total():
    drawn = plan()["energy"].query("energy_carrier == 'marine_fuel'")["kwh"].sum()
    assert drawn > 0
    for table in (ledger().elements, ledger().categories, ledger().lines):
        assert table["biogenic_kg"].sum() == pytest.approx(drawn * PER_KWH, rel=1e-9)
    without = build_ledger(tiny(), plan())
    pd.testing.assert_frame_equal(ledger().lines[KG], without.lines[KG])
    assert without.lines["biogenic_kg"].sum() == 0
    found = check_ledger(blended(), plan(), ledger())
    assert found.query("boundary == 'biogenic CO2'")["energy_kg"].max() > 0


def test_biogenic_co2_stands_in_the_trace_the_card_and_the_table_for_reports():
    expected = ledger().lines["biogenic_kg"].sum()
    assert traced_totals(blended(), plan())["biogenic_kg"].sum() == pytest.approx(expected, rel=1e-9)
    assert sustainability_table(blended(), ledger())["biogenic_t_co2"].sum() == pytest.approx(expected / 1000, rel=1e-9)
    rows = factors_used(blended(), [plan()]).query("boundary == 'biogenic'")
    assert rows["value"].tolist() == [PER_KWH]
    assert rows["source"].tolist() == ["made_up"]
    year = ledger().lines.groupby("year")["biogenic_kg"].sum() / 1000
    note = factor_card(blended(), (Run(Path(), {}, plan(), {}),)).note
    assert f"outside the totals stands {year.iloc[0]:,.0f}".replace(",", "\u202f") in note


def test_biofuel_of_trucks_without_a_figure_is_named_on_the_card():
    other = vary(tiny(), "vehicles", "vehicle", "DIESEL", technology="hvo")
    assert "gives none for diesel" in factor_card(other, (Run(Path(), {}, plan(), {}),)).note


def test_making_is_bought_trucks_times_their_figure():
    fleet = plan()["fleet"]
    bought = fleet.groupby("vehicle")["bought"].sum()
    assert bought["BATTERY"] > 0
    expected = bought.get("BATTERY", 0) * 90000.0 + bought.get("DIESEL", 0) * 55000.0
    assert ledger().making["kg"].sum() == expected
    assert set(ledger().making.query("part == 'battery'")["vehicle"]) == {"BATTERY"}


def test_making_is_in_no_total_of_transport_and_an_instance_without_figures_says_so():
    without = build_ledger(tiny(), plan())
    assert without.making.empty
    run = Run(Path(), {}, plan(), {})
    assert "gives no figures for it" in factor_card(tiny(), (run,)).note
    for mine, other in ((ledger().elements, without.elements), (ledger().lines, without.lines)):
        np.testing.assert_array_equal(mine[KG], other[KG])


def test_a_truck_without_a_figure_is_a_dash_and_not_zero():
    one = vary(blended(), "vehicles", "vehicle", "BATTERY", making_kg_co2e=np.nan)
    rows = making_grid(one, build_ledger(one, plan())).rows
    assert [row[6] for row in rows if row[2] == "BATTERY" and row[3] == "truck"] == [None] * sum(
        row[2] == "BATTERY" and row[3] == "truck" for row in rows
    )
    assert all(row[6] for row in rows if row[3] == "battery")


def test_the_page_and_the_workbook_show_making_apart(tmp_path):
    run = solved()
    mine = build_ledger(blended(), run.tables)
    write_html(blended(), [run], tmp_path / "a.html", ledgers=[mine])
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Making of the trucks and batteries bought" in page
    assert "making BATTERY/battery" in page
    write_workbook(blended(), [run], tmp_path / "a.xlsx", ledgers=[mine])
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        names = re.findall(r'<sheet name="([^"]+)"', archive.read("xl/workbook.xml").decode())
    assert {"Making of trucks", "Emissions by shipper", "Reconciliation"} <= set(names)
    write_html(tiny(), [run], tmp_path / "b.html", ledgers=[build_ledger(tiny(), run.tables)])
    assert "Making of the trucks" not in (tmp_path / "b.html").read_text(encoding="utf-8")
