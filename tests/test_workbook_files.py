"""Files that are no sound .xlsx workbook are refused quickly and with words."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from instance_copies import TINY, problems_of
from nbb_opt.errors import InstanceError
from nbb_opt.instance import open_od, read_instance, write_manifest
from nbb_opt.instance.tables import xlsx_file
from nbb_opt.instance.workbook import read as workbook_read
from workbook_drafts import Draft, draft_of_tiny

BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>"""
SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
SECRET = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&a;</t></is></c></row></sheetData></worksheet>"""


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return draft_of_tiny().save(tmp_path / "tiny.xlsx")


def said_of(path: Path) -> str:
    start = time.monotonic()
    said = "\n".join(map(str, problems_of(path)))
    assert time.monotonic() - start < 10
    return said


def add_member(path: Path, name: str, data: bytes) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)


WHOLE_FILES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda data: b"", "cannot be read as a workbook"),
    "text": (lambda data: b"link,from_node\n", "cannot be read as a workbook"),
    "password": (lambda data: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096), "protected by a password"),
    "cut off": (lambda data: data[: len(data) // 2], "cannot be read as a workbook"),
    "a changed byte": (lambda data: data[:2000] + bytes([data[2000] ^ 255]) + data[2001:], ""),
    "huge": (lambda data: data + bytes(64 * 2**20), "64 MiB"),
}


@pytest.mark.parametrize("damage", WHOLE_FILES)
def test_a_damaged_file_is_refused(damage: str, sound: Path) -> None:
    change, words = WHOLE_FILES[damage]
    sound.write_bytes(change(sound.read_bytes()))
    said = said_of(sound)
    assert said
    assert words in said
    assert "tiny.xlsx" in said


@pytest.mark.parametrize("ending", [".xls", ".xlsm", ".xlsb", ".ods"])
def test_other_spreadsheets_are_refused_with_what_to_do(ending: str, sound: Path) -> None:
    said = said_of(sound.rename(sound.with_suffix(ending)))
    assert f"is a {ending} file (save it as an Excel workbook (.xlsx))" in said


@pytest.mark.promise(4)
@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("../evil.xml", b"x", "not a plain path"),
        ("/evil.xml", b"x", "absolute path"),
        ("xl/bomb.xml", bytes(50 * 2**20), "times its size"),
        ("xl/vbaProject.bin", b"x", "holds macros"),
        ("XL/Workbook.xml", b"x", "upper and lower case"),
    ],
)
def test_a_workbook_with_an_unsafe_member_is_refused(name: str, data: bytes, words: str, sound: Path) -> None:
    add_member(sound, name, data)
    assert words in said_of(sound)


@pytest.mark.parametrize(
    ("part", "data", "words"),
    [
        ("links", BOMB, "document type"),
        ("links", SECRET, "document type"),
        ("links", b"<worksheet><sheetData>", "cannot be read as a workbook"),
        ("links", b"", "cannot be read as a workbook"),
        (
            "links",
            SHEET + b'<row r="1"><c r="A2"><v>1</v></c></row></sheetData></worksheet>',
            "a cell at 'A2' in row 1",
        ),
        ("links", SHEET + b'<row r="1"><c r="XFE1"><v>1</v></c></row></sheetData></worksheet>', "a cell at 'XFE1'"),
        (
            "links",
            SHEET + b'<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row></sheetData></worksheet>',
            "two cells in one place",
        ),
        (
            "links",
            SHEET + b'<row r="1"><c r="A1" t="s"><v>99999</v></c></row></sheetData></worksheet>',
            "a text that is missing",
        ),
        ("links", SHEET + b'<row r="0"/></sheetData></worksheet>', "row number out of range"),
        ("links", SHEET + b'<row r="9999999"/></sheetData></worksheet>', "row number out of range"),
        ("links", SHEET + b'<row r="ten"/></sheetData></worksheet>', "row number out of range"),
        ("xl/workbook.xml", b"<workbook/>", "sheet 'nodes': is missing"),
        ("[Content_Types].xml", b"<Types/>", "cannot be read as a workbook"),
        ("xl/_rels/workbook.xml.rels", b"<Relationships/>", "cannot be read as a workbook"),
        ("xl/styles.xml", b"<styleSheet>", "cannot be read as a workbook"),
        ("links", b'<worksheet xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"/>', "another form of Open XML"),
        (
            "links",
            SHEET + b'<row r="1"><c r="A1"><v>1_0</v></c></row></sheetData></worksheet>',
            "holds '1_0' for a number",
        ),
        (
            "links",
            SHEET
            + b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1"><c r="B1"><v>1</v></c></row></sheetData></worksheet>',
            "row 1 twice",
        ),
    ],
)
def test_a_damaged_part_is_refused(part: str, data: bytes, words: str, tmp_path: Path) -> None:
    draft = draft_of_tiny()
    name = draft.part_of(part) if part in draft.sheets else part
    draft.parts.append((name, lambda _: data))
    assert words in said_of(draft.save(tmp_path / "tiny.xlsx"))


def with_rows(draft: Draft, sheet: str, rows: bytes) -> Draft:
    end = b"</sheetData>"
    draft.parts.append((draft.part_of(sheet), lambda data: data.replace(end, rows + end)))
    return draft


def test_a_million_empty_formatted_rows_are_no_data(tmp_path: Path) -> None:
    rows = b"".join(b'<row r="%d" s="1" customFormat="1" ht="15"/>' % row for row in range(15, 1_000_015))
    path = with_rows(draft_of_tiny(), "links", rows).save(tmp_path / "tiny.xlsx")
    start = time.monotonic()
    assert read_instance(path).digest == read_instance(TINY).digest
    assert time.monotonic() - start < 15


def test_more_empty_formatted_cells_than_are_read_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_file, "MAX_CELLS", 20_000)
    rows = b"".join(b'<row r="%d">%s</row>' % (row, b'<c s="1"/>' * 40) for row in range(15, 1015))
    said = said_of(with_rows(draft_of_tiny(), "links", rows).save(tmp_path / "tiny.xlsx"))
    assert "has more than 20000 cells on sheet links" in said
    assert "delete the empty formatted rows" in said


def test_a_cell_in_the_last_corner_costs_nothing(tmp_path: Path) -> None:
    rows = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    said = said_of(with_rows(draft_of_tiny(), "links", rows).save(tmp_path / "tiny.xlsx"))
    assert "links!XFD1048576" in said


def test_more_demand_than_a_sheet_may_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_read, "MOST_OD_ROWS", 1000)
    rows = b"".join(b'<row r="%d"><c><v>1</v></c></row>' % row for row in range(15, 1100))
    said = said_of(with_rows(draft_of_tiny(), "od", rows).save(tmp_path / "tiny.xlsx"))
    assert "1000 flows are read from a sheet" in said


def test_a_workbook_is_not_sealed(sound: Path) -> None:
    with pytest.raises(InstanceError, match="only folders have a manifest"):
        write_manifest(sound)


def test_demand_of_a_workbook_opens_as_csv(sound: Path) -> None:
    with open_od(read_instance(sound)) as stream:
        assert stream.readline() == b"origin,destination,commodity,year,tonnes\n"
