"""A workbook with a fault is refused as a whole, and the fault is named by sheet and cell with the likely fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from broken_workbooks import BROKEN
from instance_copies import TINY, problems_of
from nbb_opt.instance import read_instance
from workbook_drafts import Formula, draft_of_tiny

# Of these two things are rightly said: what is there should not be, and what should be there is not.
SAYS_MORE = {"misspelt sheet", "misspelt column", "unknown setting", "text further down"}


def test_there_are_at_least_sixty_kinds_of_broken_workbooks() -> None:
    assert len(BROKEN) >= 60


def test_the_workbook_that_is_spoiled_is_sound(tmp_path: Path) -> None:
    assert read_instance(draft_of_tiny().save(tmp_path / "tiny.xlsx")).digest == read_instance(TINY).digest


@pytest.mark.promise(3)
@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_is_named_by_cell_with_its_fix(fault: str, tmp_path: Path) -> None:
    broken = BROKEN[fault]
    draft = draft_of_tiny()
    broken.spoil(draft)
    problems = problems_of(draft.save(tmp_path / "broken.xlsx"))
    said = "\n".join(map(str, problems))
    named = [problem for problem in problems if f"{problem.where}, ".startswith(f"{broken.where}, ")]
    assert named, said or "was accepted"
    assert any(broken.what in problem.what and broken.fix in problem.hint for problem in named), said
    assert all(problem.rule for problem in problems), said
    assert (len(problems) > 1) == (fault in SAYS_MORE), said


def test_all_faults_of_a_workbook_are_named_at_once(tmp_path: Path) -> None:
    draft = draft_of_tiny()
    chosen = ("decimal comma", "date for a year", "formula for a text", "other unit", "rate in per cent", "per cent")
    for fault in (*chosen, "misspelt choice", "hidden row", "negative demand", "unknown sheet"):
        BROKEN[fault].spoil(draft)
    said = "\n".join(map(str, problems_of(draft.save(tmp_path / "broken.xlsx"))))
    for place in ("links!G3,", "fleet!C3,", "nodes!B3,", "links!G2,", "settings!B9,", "countries!C3,", "links!E3,"):
        assert place in said, said
    for place in ("links row 5:", "od!E3,", "'Sheet1'"):
        assert place in said, said


def test_many_faults_of_one_kind_are_counted(tmp_path: Path) -> None:
    draft = draft_of_tiny()
    for row in range(3, 400):
        draft.put(f"links!A{row}", Formula("=1"))
        draft.put(f"links!B{row}", "MINE")
    problems = problems_of(draft.save(tmp_path / "broken.xlsx"))
    assert len(problems) < 600
    assert any("more cells: formula" in problem.what for problem in problems), problems
