"""What a spreadsheet shows is what is read: a number in a format that shows another one is refused by cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from instance_copies import TINY, problems_of
from nbb_opt.instance import read_instance
from workbook_drafts import Pattern, draft_of_tiny


@pytest.mark.parametrize(
    ("cell", "pattern", "words"),
    [
        ("links!G3", "0%", "is shown in per cent, but holds"),
        ("links!G3", "0.0%;-0.0%", "is shown in per cent, but holds"),
        ("links!G3", "0,", "is shown in thousands or millions, but holds"),
        ("links!G3", '#,##0,,"M"', "is shown in thousands or millions, but holds"),
        ("links!G3", "d.m", "is a date or a time"),
        ("links!G3", "[h]:mm", "is a date or a time"),
        ("links!A3", "0000", "is the number 50 in the format '0000'"),
        ("links!A3", '"L"0', "is the number 50 in the format"),
    ],
)
def test_a_number_that_is_seen_as_another_one_is_refused(tmp_path: Path, cell: str, pattern: str, words: str) -> None:
    draft = draft_of_tiny()
    draft.put(cell, Pattern(50, pattern))
    found = [problem for problem in problems_of(draft.save(tmp_path / "a.xlsx")) if problem.where.startswith(cell)]
    assert any(words in problem.what for problem in found), found
    assert all("format the cell as" in problem.hint for problem in found if words in problem.what)


@pytest.mark.parametrize("pattern", ["0.00", "#,##0", "# ?/?", '0.0 "km"', "0.00E+00", "[Red]0", "0_);(0)", "@"])
def test_other_formats_leave_the_figure_as_it_is(tmp_path: Path, pattern: str) -> None:
    draft = draft_of_tiny()
    value = draft.sheets["links"][2][6]
    draft.put("links!G3", Pattern(value, pattern))
    assert read_instance(draft.save(tmp_path / "a.xlsx")).digest == read_instance(TINY).digest


def test_a_share_may_be_shown_in_per_cent(tmp_path: Path) -> None:
    draft = draft_of_tiny()
    draft.put("countries!C3", Pattern(draft.sheets["countries"][2][2], "0%"))
    draft.put("settings!B9", Pattern(draft.sheets["settings"][8][1], "0.0%"))
    assert read_instance(draft.save(tmp_path / "a.xlsx")).digest == read_instance(TINY).digest


@pytest.mark.parametrize("value", [9007199254740993, 1e15])
def test_a_name_of_more_digits_than_a_spreadsheet_keeps_is_refused(tmp_path: Path, value: float) -> None:
    draft = draft_of_tiny()
    draft.put("sources!A3", value)
    said = "\n".join(map(str, problems_of(draft.save(tmp_path / "a.xlsx"))))
    assert "sources!A3, column source" in said
    assert "more than 15 digits, which spreadsheets round (format the cell as Text" in said


def test_names_that_are_numbers_and_numbers_that_are_text_are_read_as_they_are(tmp_path: Path) -> None:
    draft = draft_of_tiny()
    draft.put("links!G3", str(draft.sheets["links"][2][6]))
    assert read_instance(draft.save(tmp_path / "a.xlsx")).digest == read_instance(TINY).digest
    rows = draft.sheets["links"]
    old = rows[2][0]
    draft.put("links!A3", 70)
    for name in ("links", "gradients", "ranges"):
        for row in draft.sheets.get(name, []):
            row[:] = ["70" if value == old else value for value in row]
    draft.put("links!A3", Pattern(70, "0"))
    assert "70" in read_instance(draft.save(tmp_path / "b.xlsx"))["links"]["link"].tolist()
