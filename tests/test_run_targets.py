"""Where a run may be written is settled before the work, and a plan is never lost at its end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nbb_opt import run_folder
from nbb_opt.errors import NbbError
from nbb_opt.run_folder import check_target, is_run, write_folder

FILES = {"run.json": b"{}\n", "tables/a.csv": b"x\n"}
DEAD = 2**22 + 1  # above the largest process id


def test_a_folder_with_a_manifest_of_something_else_is_never_replaced(tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    (target / "manifest.json").write_text('{"name": "a browser extension"}')
    for refuses in (check_target, lambda place: write_folder(place, FILES, replace=True)):
        with pytest.raises(NbbError, match="is no run"):
            refuses(target)
    assert (target / "manifest.json").exists()


def test_a_users_own_files_in_a_run_stay_when_it_is_replaced(tmp_path: Path) -> None:
    target = write_folder(tmp_path / "run", FILES)
    (target / "notes.txt").write_text("mine")
    (target / "mine").mkdir()
    (target / "mine" / "sheet.ods").write_text("mine too")
    write_folder(target, {**FILES, "run.json": b"[]\n"}, replace=True)
    assert (target / "run.json").read_bytes() == b"[]\n"
    assert (target / "notes.txt").read_text() + (target / "mine" / "sheet.ods").read_text() == "minemine too"
    run_folder.read_folder(target, needed=list(FILES), may_hold=())


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    check_target(tmp_path / "run")
    assert is_run(write_folder(tmp_path / "run", FILES))


def test_nothing_is_written_into_an_instance(tmp_path: Path) -> None:
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / "instance.toml").write_text("")
    for target in (tmp_path / "case", tmp_path / "case" / "run", tmp_path / "case" / "deep" / "run"):
        with pytest.raises(NbbError, match=r"instance|is no run"):
            check_target(target)


def test_names_that_cannot_be_shown_and_places_that_cannot_be_written_are_refused_before_the_work(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    for target in (tmp_path / "a\nb", tmp_path / ("x" * 300), tmp_path / "file" / "run", tmp_path / "a\udcff"):
        with pytest.raises(NbbError):
            check_target(target)


def test_a_full_place_is_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(run_folder.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(NbbError, match="free"):
        check_target(tmp_path / "run")


def test_a_plan_that_cannot_be_written_is_kept_in_a_place_that_is_named(tmp_path: Path, monkeypatch) -> None:
    target, real = tmp_path / "run", run_folder._write_files

    def full(folder: Path, files: dict[str, bytes]) -> None:
        if folder.parent == target.parent:
            raise OSError(28, "No space left on device")
        real(folder, files)

    monkeypatch.setattr(run_folder, "_write_files", full)
    with pytest.raises(NbbError, match="the plan is kept in") as told:
        write_folder(target, FILES)
    kept = Path(str(told.value).split("kept in ")[1].split(";")[0])
    assert is_run(kept)
    shutil.rmtree(kept.parent)
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_killed_writer_are_removed_and_an_old_run_between_two_renames_comes_back(tmp_path) -> None:
    target = write_folder(tmp_path / "run", FILES)
    target.rename(tmp_path / f".run.{DEAD}-abc.old")
    half = tmp_path / f".run.{DEAD}-def.part"
    half.mkdir()
    check_target(target)
    assert is_run(target)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_a_living_writer_is_writing_is_left_alone(tmp_path: Path) -> None:
    part = run_folder._staging(tmp_path / "run")
    check_target(tmp_path / "run")
    assert part.is_dir()


def test_a_run_is_one_only_if_every_file_that_its_manifest_lists_is_there(tmp_path: Path) -> None:
    target = write_folder(tmp_path / "run", FILES)
    (target / "tables" / "a.csv").unlink()
    assert not is_run(target)
    assert json.loads((target / "manifest.json").read_bytes())["layout"] == 1
