"""An instance written to a workbook reads back the same, by us and after LibreOffice has saved it."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from instance_copies import TINY, copy_tiny
from nbb_opt.errors import InstanceError
from nbb_opt.instance import new_instance, read_instance, write_workbook
from nbb_opt.instance.schema import TABLES
from nbb_opt.instance.workbook import write as workbook_write

INSTANCES = TINY.parent
PAYLOADS = (
    "=1+1",
    "=cmd|'/c calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    '=HYPERLINK("http://x.example","x")',
    "http://x.example",
)
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.mark.parametrize("name", ["tiny", "haulier", "nbb"])
def test_a_workbook_reads_back_the_same(name: str, tmp_path: Path) -> None:
    folder = read_instance(INSTANCES / name)
    again = read_instance(write_workbook(folder, tmp_path / "book.xlsx"))
    assert again.digest == folder.digest
    assert (again.meta, again.periods) == (folder.meta, folder.periods)
    for table in TABLES:
        if table.name != "od":
            assert again[table.name].equals(folder[table.name]), table.name
            assert list(again[table.name].dtypes) == list(folder[table.name].dtypes), table.name


def test_a_workbook_of_a_workbook_is_the_same_file(tmp_path: Path) -> None:
    first = write_workbook(read_instance(TINY), tmp_path / "first.xlsx")
    second = write_workbook(read_instance(first), tmp_path / "second.xlsx")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("figure", ["0.30000000000000004", "1e-7", "123456.78901234567"])
def test_no_digit_of_a_figure_is_lost(figure: str, tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "copy")
    copy.set("links", {"link": "ROAD_MINE_WEST"}, capacity_t_per_year=figure, note="plausible: a test of digits")
    again = read_instance(write_workbook(read_instance(copy.path), tmp_path / "book.xlsx"))
    assert again["links"].set_index("link")["capacity_t_per_year"]["ROAD_MINE_WEST"] == float(figure)


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "copy")
    payload = itertools.cycle(PAYLOADS)
    for table in TABLES:
        read = ("table", "row", "column", "site", "unit", "gwp_set")  # as names, or with figures
        texts = [c.name for c in table.columns if c.kind == "text" and c.name not in read]
        if (copy.path / f"{table.name}.csv").exists() and texts:
            rows = copy.rows(table.name)
            for row in rows:
                row.update({text: next(payload) + " plausible: made up" * (text == "note") for text in texts})
            copy.write(table.name, copy.header(table.name), rows)
    copy.edit("instance.toml", lambda text: text.replace(b'title = "', b'title = "=1+1 ', 1))
    folder = read_instance(copy.path)
    path = write_workbook(folder, tmp_path / "book.xlsx")
    assert read_instance(path).digest == folder.digest
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        for name in sheets:
            content = archive.read(name)
            assert b"<f>" not in content, name
            assert b"<hyperlink" not in content, name
            assert b"relationships/hyperlink" not in content, name
    assert len(sheets) > 2 * len(TABLES)  # sheets, and the relationships of each


def test_the_workbook_helps_to_fill_it_in(tmp_path: Path) -> None:
    path = write_workbook(read_instance(INSTANCES / "haulier"), tmp_path / "book.xlsx")
    with zipfile.ZipFile(path) as archive:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        names = [sheet.attrib["name"] for sheet in book.iter(f"{MAIN}sheet")]
        links = ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{names.index('links') + 1}.xml"))
        comments = archive.read(f"xl/comments{names.index('links')}.xml").decode()
    assert names == ["README", "settings", "periods", *(table.name for table in TABLES)]
    lists = {rule.attrib["sqref"].partition(":")[0]: rule[0].text or "" for rule in links.iter(f"{MAIN}dataValidation")}
    assert lists["E3"] == '"road,rail,sea,ferry"'
    assert lists["D3"] == '"TRUE,FALSE"'
    assert lists["B3"].startswith("OFFSET('nodes'!$A$3")
    pane = next(links.iter(f"{MAIN}pane"))
    assert (pane.attrib["topLeftCell"], pane.attrib["state"]) == ("B3", "frozen")
    assert next(links.iter(f"{MAIN}cols"))
    for words in ("distance_km: length", "Unit: km", "From 0.01 to 50000 km", "Blank means: unlimited"):
        assert words in comments


def test_demand_too_large_for_a_sheet_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_write, "MOST_OD_ROWS", 5)
    with pytest.raises(InstanceError, match=r"od\.csv: has more than 5 rows.*keep the instance as a folder"):
        write_workbook(read_instance(TINY), tmp_path / "book.xlsx")
    assert not list(tmp_path.iterdir())


def test_a_text_too_long_for_a_cell_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    tiny = read_instance(TINY)
    long = dataclasses.replace(tiny, meta=dataclasses.replace(tiny.meta, grid_method="x" * 40_000))
    with pytest.raises(InstanceError, match="settings!B13: is 40000 characters long"):
        write_workbook(long, tmp_path / "book.xlsx")
    assert not list(tmp_path.iterdir())


def test_a_new_workbook_is_named_after_its_file_and_replaces_none(tmp_path: Path) -> None:
    path = new_instance(tmp_path / "My Case.xlsx", source="haulier")
    assert read_instance(path).meta.name == "my-case"
    before = path.read_bytes()
    with pytest.raises(InstanceError, match="exists"):
        new_instance(path, source="tiny")
    assert path.read_bytes() == before


def test_libreoffice_saves_a_workbook_that_reads_back_the_same(tmp_path: Path) -> None:
    soffice = shutil.which("soffice") or shutil.which("libreoffice")
    if soffice is None:
        pytest.skip("LibreOffice is not installed: soffice is not on the path")
    names = ("tiny", "haulier")
    books = [write_workbook(read_instance(INSTANCES / name), tmp_path / f"{name}.xlsx") for name in names]
    saved = tmp_path / "saved"
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    kind = "xlsx:Calc MS Excel 2007 XML"
    words = [soffice, profile, "--headless", "--norestore", "--convert-to", kind, "--outdir", str(saved)]
    done = subprocess.run([*words, *map(str, books)], capture_output=True, text=True, timeout=180)
    for name, book in zip(names, books, strict=True):
        assert (saved / book.name).exists(), done.stdout + done.stderr
        assert (saved / book.name).read_bytes() != book.read_bytes()
        assert read_instance(saved / book.name).digest == read_instance(INSTANCES / name).digest
