"""Old names are refused by their new ones, and an upgraded instance says what the old one said."""

from __future__ import annotations

import hashlib
import re
import shutil
import zipfile
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from instance_copies import copy_with_every_table
from nbb_opt.cli.main import app
from nbb_opt.cli.options import of_today
from nbb_opt.errors import InstanceError, ModelError
from nbb_opt.instance import read_instance, upgrade, write_manifest, write_workbook
from nbb_opt.model.spec import spec_of
from nbb_opt.renames import RENAMES, Rename

ROOT = Path(__file__).parent.parent
CASES = Path(__file__).parents[2] / "shared" / "cases" / "shadow"
OLD_WORDS = {
    r"\bcargo_type\b": "handling", r"\bsubsidies\b": "supports", r"\bsubsidy\b": "support", r"\bscenarios\b": "futures",
    r"\bscenario\b": "future", r"\blimit_mode_shift_share_per_year\b": "keep_mode_share_per_year",
}  # fmt: skip


def in_old_words(text: str) -> str:
    """A table or a part of a workbook as it was written before the renames."""
    for new, old in OLD_WORDS.items():
        text = re.sub(new, old, text)
    return text


@pytest.fixture
def today(tmp_path: Path) -> Path:
    """Tiny with every table there can be."""
    return copy_with_every_table(tmp_path / "today").path


@pytest.fixture
def old(today: Path, tmp_path: Path) -> Path:
    """The same in old names, with a file that is no table and a manifest of checksums that was written then."""
    folder = tmp_path / "old"
    folder.mkdir()
    for path in today.iterdir():
        text = path.read_text("utf-8")
        name = {"subsidies.csv": "supports.csv", "scenarios.csv": "futures.csv"}.get(path.name, path.name)
        (folder / name).write_text(in_old_words(text) if path.suffix == ".csv" else text, "utf-8", newline="")
    return folder


def test_an_old_folder_is_refused_with_the_new_names_and_the_command_that_brings_them(old: Path) -> None:
    with pytest.raises(InstanceError) as caught:
        read_instance(old)
    told = {problem.where: problem.what for problem in caught.value.problems if problem.rule == "renamed"}
    assert told["futures.csv"] == "is now called scenarios.csv"
    assert told["supports.csv"] == "is now called subsidies.csv"
    assert told["commodities.csv row 1, column handling"] == "is now called cargo_type"
    assert told["policies.csv row 4, column kind, value 'keep_mode_share_per_year'"] == (
        "is now called limit_mode_shift_share_per_year"
    )
    assert all(problem.rule == "renamed" for problem in caught.value.problems), "nothing else is at fault"
    assert all("nbb-opt upgrade OLD NEW" in problem.hint for problem in caught.value.problems)


def test_an_upgraded_folder_is_the_instance_of_today_byte_for_byte(old: Path, today: Path, tmp_path: Path) -> None:
    lines = upgrade(old, tmp_path / "new")
    assert "supports.csv: is now subsidies.csv" in lines
    for path in today.iterdir():
        assert (tmp_path / "new" / path.name).read_bytes() == path.read_bytes(), path.name
    assert read_instance(tmp_path / "new").digest == read_instance(today).digest
    assert upgrade(tmp_path / "new", tmp_path / "again") == [], "nothing is left to rename"


def test_quoted_cells_line_ends_byte_order_mark_and_unknown_columns_stay(old: Path, tmp_path: Path) -> None:
    text = '\ufeff"commodity","name","nst2007","handling",x\r\nA,"handling, ""handling""",,handling,1\r\n'
    (old / "commodities.csv").write_bytes(text.encode())
    upgrade(old, tmp_path / "new")
    expected = text.replace('"handling",x', '"cargo_type",x')
    assert (tmp_path / "new" / "commodities.csv").read_bytes().decode() == expected


def test_a_zip_and_a_parquet_table_are_upgraded_too(old: Path, today: Path, tmp_path: Path) -> None:
    content = pyarrow.csv.read_csv(old / "vehicle_loads.csv")
    pq.write_table(content, old / "vehicle_loads.parquet", write_page_checksum=True)
    (old / "vehicle_loads.csv").unlink()
    upgrade(Path(shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "old")), tmp_path / "new.zip")
    with zipfile.ZipFile(tmp_path / "new.zip") as archive:
        assert "old/instance.toml" in archive.namelist()
    assert read_instance(tmp_path / "new.zip").digest == read_instance(today).digest


def test_an_upgraded_workbook_says_the_same_and_keeps_styles_comments_and_drop_downs(
    today: Path, tmp_path: Path
) -> None:
    write_workbook(read_instance(today), tmp_path / "today.xlsx")
    with zipfile.ZipFile(tmp_path / "today.xlsx") as source, zipfile.ZipFile(tmp_path / "old.xlsx", "w") as written:
        for info in source.infolist():
            data = source.read(info)
            text = in_old_words(data.decode()) if info.filename.endswith((".xml", ".rels")) else ""
            written.writestr(info, text or data)
    with pytest.raises(InstanceError, match=r"sheet 'futures': is now called scenarios"):
        read_instance(tmp_path / "old.xlsx")
    upgrade(tmp_path / "old.xlsx", tmp_path / "new.xlsx")
    assert read_instance(tmp_path / "new.xlsx").digest == read_instance(today).digest
    with zipfile.ZipFile(tmp_path / "today.xlsx") as today_parts, zipfile.ZipFile(tmp_path / "new.xlsx") as parts:
        assert parts.namelist() == today_parts.namelist()
        for name in parts.namelist():
            text, wanted = parts.read(name).decode(), today_parts.read(name).decode()
            assert text.count("<dataValidation ") == wanted.count("<dataValidation "), name
            assert len(re.findall(r'<c r="[A-Z]+[0-9]+" s="', text)) == len(
                re.findall(r'<c r="[A-Z]+[0-9]+" s="', wanted)
            ), name
            if "styles" in name or "vml" in name.lower():
                assert text == wanted, name
            if "sheets/" in name or "omments" in name or name == "xl/workbook.xml":
                assert not re.search(r"keep_mode_share|supports!|futures!|>handling: |>future: ", text), name


def test_a_manifest_is_checked_first_and_written_anew(old: Path, today: Path, tmp_path: Path) -> None:
    write_manifest(today)  # as it was then: the same checksums but for the files that were renamed
    text = (today / "datapackage.json").read_text("utf-8")
    for path in old.iterdir():
        new = {"supports.csv": "subsidies.csv", "futures.csv": "scenarios.csv"}.get(path.name, path.name)
        entry = re.search(rf'"path": "{re.escape(new)}",\s*"format": "\w+",\s*"hash": "(sha256:\w+)"', text)
        if entry is not None:
            text = text.replace(f'"path": "{new}"', f'"path": "{path.name}"').replace(entry[1], checksum(path))
    (old / "datapackage.json").write_text(text, "utf-8")
    assert "datapackage.json: written anew" in upgrade(old, tmp_path / "new")
    assert read_instance(tmp_path / "new").digest == read_instance(today).digest
    with open(old / "links.csv", "a", encoding="utf-8") as stream:
        stream.write("\n")
    with pytest.raises(InstanceError, match=r"links\.csv: is not the file datapackage\.json was written for"):
        upgrade(old, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def checksum(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_both_names_at_once_or_an_existing_target_are_refused_and_nothing_is_written(old: Path, tmp_path: Path) -> None:
    shutil.copy(old / "futures.csv", old / "scenarios.csv")
    with pytest.raises(InstanceError, match=r"is now called scenarios\.csv, which is there too"):
        upgrade(old, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    with pytest.raises(InstanceError, match="exists"):
        upgrade(old, old)


@pytest.mark.parametrize("rename", [each for each in RENAMES if each.kind in ("command", "option")], ids=str)
def test_an_old_command_or_option_is_refused_by_its_new_name(rename: Rename) -> None:
    words = [rename.old] if rename.kind == "command" else [rename.within, "x", rename.old]
    shown = CliRunner().invoke(app, words)
    assert shown.exit_code == 2
    assert f"is now called {rename.new}" in " ".join(shown.output.split())


def test_an_old_name_of_a_model_still_works_in_a_command_and_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert of_today("do_nothing") == "frozen"
    assert "--model: do_nothing is now called frozen" in capsys.readouterr().err
    assert (of_today("joint"), of_today(None)) == ("joint", None)
    assert capsys.readouterr().err == ""


def test_an_old_block_of_a_model_is_refused_by_its_new_name() -> None:
    table = {"title": "T", "blocks": ["flow", "fleet", "inertia"], "technologies": "all", "projects": "none"}
    with pytest.raises(ModelError, match="block 'inertia' is now called mode_shift"):
        spec_of({"model": table | {"flows": "free"}}, name="m")


@pytest.mark.skipif(not CASES.is_dir(), reason="the folders of the old format are not here")
def test_folders_of_the_old_format_are_upgraded_and_solved(tmp_path: Path) -> None:
    for folder in sorted(path for path in CASES.iterdir() if (path / "instance.toml").is_file()):
        assert upgrade(folder, tmp_path / folder.name)
        assert read_instance(tmp_path / folder.name).meta.name
