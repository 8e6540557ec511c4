"""The workbook: the sheets it has, and that no cell is a formula or a link."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest

import nbb_opt as nbb
from nbb_opt.report import write_workbook
from nbb_opt.result import TABLES
from report_case import make_instance, make_run

FORMULAS = (
    "=1+1",
    '=HYPERLINK("https://evil.example")',
    "+1+1",
    "-2",
    "@SUM(1)",
    "{=1+1}",
    "https://evil.example",
    "mailto:x@y.z",
)


def parts(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {
            name: archive.read(name).decode("utf-8") for name in archive.namelist() if name.endswith((".xml", ".rels"))
        }


@pytest.mark.promise(17)
@pytest.mark.parametrize("formula", FORMULAS)
def test_no_text_becomes_a_formula_or_a_link(formula: str, tmp_path: Path) -> None:
    def spoil(word: str) -> str:
        return formula

    instance = make_instance(spoil)
    run = make_run(instance, spoil=spoil)
    write_workbook(instance, [run], tmp_path / "a.xlsx")
    for name, text in parts(tmp_path / "a.xlsx").items():
        if name.startswith("xl/worksheets/"):
            assert not re.search(r"<f[ >]", text), name
            assert "<hyperlink" not in text
        assert 'TargetMode="External"' not in text


def test_every_result_table_is_a_sheet_with_a_frozen_heading(tmp_path: Path) -> None:
    instance = make_instance()
    write_workbook(instance, [make_run(instance)], tmp_path / "a.xlsx")
    found = parts(tmp_path / "a.xlsx")
    names = re.findall(r'<sheet name="([^"]+)"', found["xl/workbook.xml"])
    assert names[:3] == ["Headline", "Charts", "Projects built"]
    assert set(TABLES) <= set(names)
    flows = found[f"xl/worksheets/sheet{names.index('flows') + 1}.xml"]
    assert 'state="frozen"' in flows
    assert "<autoFilter" in flows
    strings = found["xl/sharedStrings.xml"]
    assert "tonnes (t a year)" in strings
    assert "amount_eur (EUR)" in strings


def test_several_runs_share_a_workbook(tmp_path: Path) -> None:
    instance = make_instance()
    write_workbook(instance, [make_run(instance), make_run(instance, model="frozen")], tmp_path / "a.xlsx")
    names = re.findall(r'<sheet name="([^"]+)"', parts(tmp_path / "a.xlsx")["xl/workbook.xml"])
    assert "Comparison" in names


def test_amounts_without_a_limit_are_written_as_words(tmp_path: Path) -> None:
    instance = make_instance()
    write_workbook(instance, [make_run(instance)], tmp_path / "a.xlsx")
    assert "unlimited" in parts(tmp_path / "a.xlsx")["xl/sharedStrings.xml"]


def test_flows_are_named_and_add_up_and_charts_show_figures_of_their_sheet(tmp_path: Path) -> None:
    plan = nbb.solve(nbb.examples.tiny())
    plan.to_excel(tmp_path / "plan.xlsx")
    book = openpyxl.load_workbook(tmp_path / "plan.xlsx")
    heads, *rows = book["Flows by mode"].iter_rows(values_only=True)
    assert ("Mine", "West town", "Ore", "Rail") in {row[:4] for row in rows}
    for label, tables in (("plan", plan.run.tables), ("compared with", plan.run.baseline)):
        at = heads.index(f"2030, {label}, kt a year")
        flows = tables["flows"].query("year == 2030")["tonnes"].sum()
        assert sum(row[at] for row in rows) == pytest.approx(flows / 1e3)
    sheet = book["Charts"]
    assert len(sheet._charts) == 4
    for chart in sheet._charts:
        for series in chart.series:
            cells = [cell for (cell,) in sheet[series.val.numRef.f.partition("!")[2].replace("$", "")]]
            assert len(cells) in (4, 6)  # two periods, and what is left at the horizon, in the plan and the reference
            assert all(isinstance(cell.value, (int, float)) for cell in cells)
    assert book["Headline"].page_setup.orientation == "landscape"
