"""Every total of emissions leads to factor ids, in the workbook and on the page."""

from __future__ import annotations

import re
import zipfile

import numpy as np

from milp_case import tiny
from nbb_opt.emissions.ledger import HUB, build_ledger
from nbb_opt.emissions.reconcile import factors_used, traced_totals
from nbb_opt.instance import split_refs
from nbb_opt.report import write_html, write_workbook
from nbb_opt.report.basis import category_grid, factor_card, trace_grid
from solved import solved


def test_every_total_is_energy_times_the_factors_it_names():
    found = traced_totals(tiny(), solved().tables)
    assert len(found) == len(solved().tables["emissions"])
    drawn = found[found["mode"] != HUB]
    for kind in ("ttw", "wtt"):
        np.testing.assert_allclose(drawn["kwh"] * drawn[f"{kind}_kg_per_kwh"], drawn[f"{kind}_kg"], rtol=1e-9)
    ids = set(tiny()["factors"]["factor"])
    assert {part for cell in found["factors"] for part in split_refs(cell)} <= ids
    diesel = drawn[drawn["energy_carrier"] == "diesel"]
    assert set(diesel["factors"]) == {"diesel_ttw;diesel_wtt"}
    assert (found["rests_on"] != "").all()


def test_a_year_between_two_given_ones_rests_on_both():
    found = traced_totals(tiny(), solved().tables)
    year = found[(found["year"] == 2030) & (found["energy_carrier"] == "diesel")].iloc[0]
    assert year["rests_on"].count("energy diesel/") == 2


def test_the_card_lists_every_factor_with_its_source_on_the_page(tmp_path):
    write_html(tiny(), [solved()], tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    card = factor_card(tiny(), (solved(),))
    named = {str(row[0]) for row in card.rows}
    assert {"diesel_ttw", "diesel_wtt"} <= named
    assert "Emission factors used" in page
    assert all(name in page for name in named)
    assert all(str(row[9]) for row in card.rows)
    assert len(factors_used(tiny(), [solved().tables])) == len(card.rows)


def test_the_workbook_has_factors_trace_and_categories(tmp_path):
    ledger = build_ledger(tiny(), solved().tables)
    write_workbook(tiny(), [solved()], tmp_path / "a.xlsx", ledgers=[ledger])
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        names = re.findall(r'<sheet name="([^"]+)"', archive.read("xl/workbook.xml").decode())
        strings = archive.read("xl/sharedStrings.xml").decode()
    assert {"Factors used", "Emission trace", "TOC and HOC"} <= set(names)
    assert "diesel_ttw;diesel_wtt" in strings
    rows = category_grid(ledger).rows
    assert {row[1] for row in rows} == {"TOC", "HOC"}
    total = solved().tables["emissions"]["ttw_kg"].sum()
    np.testing.assert_allclose(sum(float(row[10]) for row in rows), total, rtol=1e-9)
    np.testing.assert_allclose(sum(float(r[7]) for r in trace_grid(tiny(), solved()).rows), total, rtol=1e-9)


def test_a_solve_says_how_long_the_ledger_took():
    assert solved().record["seconds"]["ledger"] >= 0.0
