"""Where a run may be written is settled before the work, and a plan is never lost at its end."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest
import typer

from command_line import nbb_opt
from nbb_opt import output, run_folder
from nbb_opt.cli.main import app
from nbb_opt.errors import NbbError
from nbb_opt.run_folder import check_target, is_run, write_folder

FILES = {"run.json": b"{}\n", "tables/a.csv": b"x\n"}
TINY = Path(__file__).parents[1] / "instances" / "tiny"
HAULIER = TINY.parent / "haulier"
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


def test_no_command_writes_over_a_file_of_a_run_and_its_other_names_are_free(tmp_path: Path) -> None:
    target = write_folder(tmp_path / "run", {**FILES, "report.html": output.GENERATOR.encode()})
    with pytest.raises(NbbError, match="is a file of the run"):
        output.check_file(target / "report.html")
    output.check_file(target / "mine.html")


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


@pytest.mark.promise(14)
def test_a_full_place_is_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(output.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(NbbError, match="free"):
        check_target(tmp_path / "run")


@pytest.mark.promise(14)
def test_a_plan_that_cannot_be_written_is_kept_in_a_place_that_is_named(tmp_path: Path, monkeypatch) -> None:
    target, real = tmp_path / "run", run_folder._write_files

    def full(folder: Path, files: dict[str, bytes]) -> None:
        if folder.parent == target.parent:
            raise OSError(28, "No space left on device")
        real(folder, files)

    monkeypatch.setattr(run_folder, "_write_files", full)
    with pytest.raises(NbbError, match="the plan is not lost: it is kept in") as told:
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
    part = output.staging(tmp_path / "run")
    check_target(tmp_path / "run")
    assert part.is_dir()


def test_a_run_is_one_only_if_every_file_that_its_manifest_lists_is_there(tmp_path: Path) -> None:
    target = write_folder(tmp_path / "run", FILES)
    (target / "tables" / "a.csv").unlink()
    assert not is_run(target)
    assert json.loads((target / "manifest.json").read_bytes())["layout"] == 2


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("done") / "run"
    nbb_opt("solve", TINY, "--out", target, check=0)
    return target


def writing(run: Path, out: Path) -> dict[str, tuple[object, ...]]:
    """Every command that writes, writing to `out`."""
    plan = HAULIER / "plan.csv"
    return {
        "solve": ("solve", TINY, "--out", out),
        "solve of network design": ("solve", TINY.parent / "design_tiny", "--out", out),
        "solve --write": ("solve", TINY, "--write", out.with_suffix(".lp")),
        "report": ("report", run, "--out", out.with_suffix(".html")),
        "report --ileap": ("report", run, "--ileap", out, "--out", run.parent / "beside.html"),
        "sweep": ("sweep", TINY, "--vary", "demand", "--values", "1", "--relax", "--out", out),
        "pareto": ("pareto", TINY, "--points", "2", "--relax", "--out", out),
        "abate": ("abate", TINY, "--relax", "--out", out),
        "tornado": ("tornado", TINY, "--relax", "--out", out),
        "cooperate": ("cooperate", TINY, "--relax", "--out", out),
        "robust": ("robust", HAULIER, "--relax", "--out", out),
        "inventory": ("inventory", TINY, "--out", out),
        "availability": ("availability", TINY, "--out", out),
        "strategy": ("strategy", TINY, "--run", run, "--out", out),
        "locate": ("locate", TINY, "--plant", TINY / "od.csv", "--out", out),
        "explain": ("explain", run, "--origin", "MINE", "--destination", "WEST", "--commodity", "ORE", "--out", out),
        "sensitivity": ("sensitivity", run, "--accounting", "--out", out),
        "totals": ("totals", run, "--out", out),
        "compare": ("compare", run, run, "--out", out.with_suffix(".html")),
        "plot": ("plot", run, "--to", out.with_suffix(".svg")),
        "plot .png": ("plot", run, "--to", out.with_suffix(".png")),
        "audit": ("audit", HAULIER, "--plan", plan, "--changes", "0", "--no-scenarios", "--out", out),
        "audit --template": ("audit", HAULIER, "--template", out.with_suffix(".csv")),
        "new": ("new", out),
        "new workbook": ("new", out.with_suffix(".xlsx"), "--from", "tiny"),
        "new --synthetic": ("new", out, "--synthetic", "--bundles", "50"),
        "upgrade": ("upgrade", TINY, out),
        "convert": ("convert", TINY / "od.csv", out.with_suffix(".parquet")),
        "convert table": ("convert", TINY / "links.csv", out / "links.csv"),
        "convert instance": ("convert", TINY, out),
        "synthesize-od": ("synthesize-od", out.with_suffix(".parquet"), "--rows", "10"),
    }  # fmt: skip


def test_every_command_that_asks_for_a_place_to_write_to_is_tried(run: Path) -> None:
    tried = {words[0] for words in writing(run, Path("x")).values()}
    asks = {
        name for name, command in typer.main.get_command(app).commands.items()  # type: ignore[attr-defined]
        if {"--out", "--to", "--write", "target", "new"} & {each.opts[-1] for each in command.params}
    }  # fmt: skip
    assert asks == tried


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_no_command_writes_into_an_instance(run: Path, tmp_path: Path) -> None:
    case = tmp_path / "case"
    shutil.copytree(TINY, case)
    before = contents(case)
    for name, words in writing(run, case / "made").items():
        done = nbb_opt(*words, check=None)
        assert done.returncode == 1, (name, done.stdout, done.stderr)
        assert "lies in the instance" in done.stderr, (name, done.stderr)
    assert contents(case) == before


def test_no_command_writes_over_a_file_that_is_not_of_its_own_making(run: Path, tmp_path: Path) -> None:
    for suffix in ("", ".lp", ".html", ".csv", ".parquet", ".xlsx", ".svg", ".png"):
        (tmp_path / f"mine{suffix}").write_text("a year of work")
    before = contents(tmp_path)
    for name, words in writing(run, tmp_path / "mine").items():
        done = nbb_opt(*words, check=None)
        assert done.returncode == 1, (name, done.stdout, done.stderr)
    assert contents(tmp_path) == before


@pytest.mark.promise(14)
@pytest.mark.skipif(os.name != "posix", reason="limits of processes")
def test_a_disk_that_fills_while_a_command_writes_is_an_error_in_a_line_and_leaves_no_half_file(
    run: Path, tmp_path: Path
) -> None:
    import resource

    quick = ("solve --write", "inventory", "plot", "audit --template", "new", "new workbook",
             "new --synthetic", "upgrade", "convert", "convert table", "convert instance", "synthesize-od")  # fmt: skip
    for number, name in enumerate(quick):
        out = tmp_path / str(number) / "made"
        words = writing(run, out)[name]
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50, limit[1]))  # a write beyond it fails as on a full disk
        try:
            done = nbb_opt(*words, check=None)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        assert done.returncode == 1, (name, done.stdout, done.stderr)
        assert "too large" in done.stderr.lower(), (name, done.stderr)
        assert "Traceback" not in done.stderr, (name, done.stderr)
        left = [path for path in out.parent.rglob("*") if path.is_file()]
        assert left == [], name


def test_a_report_never_replaces_the_workbook_of_an_instance_beside_it(run: Path, tmp_path: Path) -> None:
    nbb_opt("new", tmp_path / "mine.xlsx", "--from", "tiny", check=0)
    before = (tmp_path / "mine.xlsx").read_bytes()
    assert "was not written by nbb-opt" in nbb_opt("report", run, "--out", tmp_path / "mine.html", check=1).stderr
    assert (tmp_path / "mine.xlsx").read_bytes() == before
    for _again in range(2):
        nbb_opt("report", run, "--out", tmp_path / "page.html", "--again", "0", check=0)


def test_a_file_that_cannot_be_written_is_kept_in_a_place_that_is_named(tmp_path: Path, monkeypatch) -> None:
    real = output._write_beside

    def full(target: Path, data: bytes) -> None:
        if target.parent == tmp_path:
            raise OSError(28, "No space left on device")
        real(target, data)

    monkeypatch.setattr(output, "_write_beside", full)
    with pytest.raises(NbbError, match="it is kept in") as told:
        output.write_file(tmp_path / "page.html", "found")
    kept = Path(str(told.value).split("kept in ")[1].split(";")[0])
    assert kept.read_text() == "found"
    shutil.rmtree(kept.parent)


def test_an_encrypted_archive_of_others_stays(tmp_path: Path) -> None:
    target = tmp_path / "report.xlsx"
    with zipfile.ZipFile(target, "w") as book:
        book.writestr("docProps/core.xml", "theirs")
    data = bytearray(target.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flags] |= 1
    target.write_bytes(data)
    assert not output.is_ours(target)
