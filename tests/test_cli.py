"""The command line as a newcomer meets it: exit codes, JSON, closing block, refusals."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import weakref
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import typer

import nbb_opt as nbb
from command_line import nbb_opt
from nbb_opt.cli.console import ProgressLine
from nbb_opt.cli.main import app
from nbb_opt.solve.stop import Progress
from workbook_drafts import draft_of_tiny

ROOT = Path(__file__).parent.parent
TINY = ROOT / "instances" / "tiny"
COMMANDS = sorted(typer.main.get_command(app).commands)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    done = nbb_opt("solve", TINY, "--out", folder / "tiny", "--json", check=0)
    return folder / "tiny", json.loads(done.stdout)


def test_every_command_has_help_with_an_example():
    assert {"solve", "bench", "app", "convert"} < set(COMMANDS)
    without = [c for c in COMMANDS if f"Example: nbb-opt {c}" not in nbb_opt(c, "--help", check=0).stdout]
    assert without == []


def test_the_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "nbb_opt", "check", str(TINY)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == nbb_opt("check", TINY).stdout


def test_progress_is_lines_or_json_or_silent_and_an_error_is_json_where_that_was_asked_for(run_folder):
    folder, record = run_folder
    assert Path(record["files"]["report"]).exists()
    assert Path(record["files"]["workbook"]).exists()
    words = ("plot", str(folder), "--to", str(folder.parent / "costs.svg"), "--what")
    failed = nbb_opt(*words, "nothing", "--json", check=2)
    assert failed.stdout == ""  # plot knows no --json: that is a fault of the line, told by typer
    for _again in range(2):  # a picture of ours is replaced
        drawn = nbb_opt(*words, "costs", "--quiet", check=0)
        assert drawn.stdout == f"wrote {folder.parent / 'costs.svg'}\n"
    lost = nbb_opt("verify", folder.parent / "none", "--json", check=1)
    error = json.loads(lost.stdout)
    assert (error["ok"], error["exit_code"], lost.stderr) == (False, 1, "")
    assert "none" in error["error"]
    solve = ("solve", TINY, "--out", folder.parent / "again", "--no-reference")
    assert nbb_opt(*solve, "--quiet", check=0).stderr == ""
    steps = [json.loads(line) for line in nbb_opt(*solve, "--log-json", check=0).stderr.splitlines()]
    assert {"frozen: solve", "report"} <= {step.get("phase") for step in steps}
    assert any(step.keys() >= {"incumbent", "bound", "gap"} for step in steps)


def test_a_live_line_fits_a_terminal_and_its_clock_moves(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("nbb_opt.cli.console.shown", ["lines"])
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((60, 20)))
    stream = Terminal()
    with ProgressLine(stream) as line:
        line(Progress("a phase with a name longer than its place", 1.0, incumbent=123456.789e6, bound=1.5e6, nodes=3))
        until = time.perf_counter() + 10
        while stream.getvalue().count("\r") < 4 and time.perf_counter() < until:
            time.sleep(0.05)
    drawn = stream.getvalue().removesuffix("\n").split("\r")[1:]
    assert len({each[:8] for each in drawn}) > 1  # the elapsed seconds
    assert {len(each) for each in drawn} == {59}


def test_errors_of_the_interface_name_the_options_of_the_command(tmp_path):
    (tmp_path / "trips.tntp").write_text("<END OF METADATA>\n")
    for words, option in (
        (("convert", "trips.tntp", "od.csv"), "give --year"),
        (("convert", TINY / "od.csv", "od.csv", "--decimal", ";"), "--decimal ';': is no"),
        (("convert", TINY / "od.csv", "od.omx", "--duplicates", "keep"), "--duplicates add"),
        (("new", "x", "--synthetic", "--bundles", 0), "--bundles: 0 flows"),
        (("sweep", TINY, "--vary", "energy_price:coal", "--values", 1), "--vary energy_price:coal: energy.csv has no"),
        (("solve", TINY, "--method", "decompose", "--solver", "cbc"), "leave out --method decompose or --solver"),
        (
            ("solve", ROOT / "instances" / "design_tiny", "--no-prune", "--extend", "r.py"),
            "--no-prune, --extend: is about",
        ),
        (("verify", TINY / "nothing", "--solution", "x.sol", "--model", "joint"), "nothing"),
        (("sensitivity", TINY, "--accounting", "--ferry-share", "mass=2"), "--ferry-share mass=2.0: give a share"),
    ):
        said = nbb_opt(*words, cwd=tmp_path, check=1).stderr
        assert option in said
        assert not re.search(r"\b[a-z_]+=(?!2)", said), said
    said = nbb_opt("sweep", TINY, "--front", 3, check=2).stderr
    assert "--front is now called nbb-opt pareto --points" in said


def test_help_loads_no_heavy_library():
    heavy = "('pandas', 'numba', 'pyomo', 'highspy', 'pyarrow')"
    script = f"import sys, nbb_opt.cli.main; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "[]"


def test_solve_prints_what_machines_read(run_folder):
    folder, record = run_folder
    keys = {"status", "cost_eur", "emissions_t_co2e", "gap", "bound", "verified", "seconds", "rows", "columns"}
    assert keys | {"nonzeros", "integers"} <= set(record)
    assert record["verified"] is True
    files = {"run": str(folder), "report": str(folder / "report.html"), "workbook": str(folder / "report.xlsx")}
    assert {**json.loads((folder / "run.json").read_text()), "files": files} == record
    assert all(seconds >= 0 for seconds in record["seconds"].values())
    assert set(record["emissions_t_co2e"]) == {"2025", "2030"}


def test_a_run_folder_holds_everything(run_folder):
    folder, _record = run_folder
    names = {path.name for path in folder.iterdir()}
    assert {"run.json", "tables", "solver.log", "bounds.csv", "verify.json", "report.html", "report.xlsx"} <= names


def test_the_closing_block_fits_a_screen_of_24_lines(tmp_path):
    out = nbb_opt("solve", TINY, "--out", tmp_path / "run", check=0).stdout
    assert 8 <= len(out.strip().splitlines()) <= 23
    assert "verified: OK" in out
    assert str(tmp_path / "run" / "report.html") in out
    assert re.search(r"gap \d+\.\d+% proven", out)


def test_a_finished_run_verifies_and_a_changed_number_does_not(run_folder, tmp_path):
    folder, _record = run_folder
    assert "verified: OK" in nbb_opt("verify", folder, check=0).stdout
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    flows = pd.read_parquet(copy / "tables" / "flows.parquet")
    flows.loc[0, "tonnes"] += 1.0
    flows.to_parquet(copy / "tables" / "flows.parquet")
    said = nbb_opt("verify", copy, check=5).stderr
    assert "tables/flows.parquet: was altered" in said
    assert "serve_demand" in said
    assert "flows.parquet" in nbb_opt("report", copy, "--out", tmp_path / "r.html", check=5).stderr


def test_a_run_of_another_instance_is_refused(run_folder, tmp_path):
    folder, _record = run_folder
    other = tmp_path / "other"
    nbb_opt("new", other, "--from", "tiny", check=0)
    fleet = other / "instance.toml"
    fleet.write_text(fleet.read_text().replace("discount_rate = ", "discount_rate = 0.01 #"))
    assert "digest" in nbb_opt("verify", folder, "--instance", other, check=5).stderr


def test_new_check_solve_works_in_an_empty_folder(tmp_path):
    nbb_opt("new", "mycase", "--from", "tiny", cwd=tmp_path, check=0)
    assert "no problems found" in nbb_opt("check", "mycase", cwd=tmp_path, check=0).stdout
    nbb_opt("solve", "mycase", cwd=tmp_path, check=0)
    assert (tmp_path / "runs" / "mycase-joint" / "report.html").exists()
    nbb_opt("report", "runs/mycase-joint", cwd=tmp_path, check=0)
    assert (tmp_path / "report.xlsx").exists()


def test_new_check_solve_works_with_a_workbook(tmp_path):
    said = nbb_opt("new", "mine.xlsx", "--from", "tiny", cwd=tmp_path, check=0).stdout
    assert "README sheet" in said
    assert "no problems found" in nbb_opt("check", "mine.xlsx", cwd=tmp_path, check=0).stdout
    assert "rows of od" in nbb_opt("prepare", "mine.xlsx", cwd=tmp_path, check=0).stdout
    nbb_opt("solve", "mine.xlsx", cwd=tmp_path, check=0)
    assert (tmp_path / "runs" / "mine-joint" / "report.html").exists()
    assert "verified: OK" in nbb_opt("verify", "runs/mine-joint", cwd=tmp_path, check=0).stdout
    assert "exists" in nbb_opt("new", "mine.xlsx", cwd=tmp_path, check=1).stderr


def test_a_fault_in_a_workbook_is_named_by_cell(tmp_path):
    draft = draft_of_tiny()
    draft.put("links!G3", "12,5")
    path = draft.save(tmp_path / "mine.xlsx")
    assert "links!G3, column distance_km, value '12,5'" in nbb_opt("check", path, check=1).stderr
    problem = json.loads(nbb_opt("check", path, "--json", check=1).stdout)["problems"][0]
    assert problem["where"].startswith("links!G3")
    assert problem["hint"] == "did you mean 12.5?"
    assert "links!G3" in nbb_opt("solve", path, "--out", tmp_path / "run", check=1).stderr
    assert not (tmp_path / "run").exists()


def test_new_never_writes_into_a_folder_that_holds_something(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious.txt").write_text("x")
    assert nbb_opt("new", tmp_path / "mine").returncode == 1
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["precious.txt"]


def test_a_solve_never_replaces_a_folder_that_is_not_a_run(tmp_path):
    (tmp_path / "precious.txt").write_text("x")
    assert nbb_opt("solve", TINY, "--out", tmp_path).returncode == 1
    assert (tmp_path / "precious.txt").exists()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("solve", "nowhere"), 1, "nowhere"),
        (("solve", TINY, "--model", "jiont"), 1, "did you mean 'joint'"),
        (("solve", TINY, "--treads", "2"), 2, "No such option"),
        (("solve", TINY, "--gap", "2"), 2, "gap"),
        (("solve", TINY, "--time-limit", "0"), 4, "--time-limit"),
        (("verify", TINY), 1, "run"),
        (("new", "x", "--from", "tinny"), 1, "did you mean 'tiny'"),
    ],
)
def test_mistakes_are_named(words, code, says, tmp_path):
    done = nbb_opt(*words, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in done.stderr


def test_a_damaged_instance_is_reported_as_json(tmp_path):
    nbb_opt("new", tmp_path / "case", "--from", "tiny", check=0)
    links = tmp_path / "case" / "links.csv"
    links.write_text(links.read_text().replace("road", "raod", 1))
    done = nbb_opt("check", tmp_path / "case", "--json", check=1)
    problems = json.loads(done.stdout)["problems"]
    assert any("links.csv" in problem["where"] and "road" in problem["hint"] for problem in problems)


@pytest.mark.promise(13)
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_keeps_nothing_says_that_it_was_stopped(number, monkeypatch):
    monkeypatch.setattr(nbb, "check", lambda *_given: signal.raise_signal(number))
    assert nbb_opt("check", TINY, check=130).stderr == "stopped before the end\n"


@pytest.mark.promise(13)
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_ctrl_c_that_falls_into_a_callback_is_not_lost(monkeypatch):
    class Module:  # its last reference goes, and Ctrl-C comes while Python tells so
        pass

    def check(*_given):
        told = weakref.ref(module := Module(), lambda _ref: signal.raise_signal(signal.SIGINT))
        del module
        assert told() is None
        time.sleep(20)

    monkeypatch.setattr(nbb, "check", check)
    assert nbb_opt("check", TINY, check=130).stderr == "stopped before the end\n"


@pytest.mark.promise(13)
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("phase", ["read", "reference: search", "verify"])
def test_ctrl_c_ends_without_a_traceback_and_keeps_what_is_found(phase, tmp_path):
    run = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "nbb_opt", "solve", str(TINY), "--out", str(run), "--no-cache"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    told = ""
    for told in process.stderr:
        if told.split(" s  ")[1].startswith(phase):
            break
    assert phase in told
    process.send_signal(signal.SIGINT)
    told = process.stderr.read()
    assert "Traceback" not in told
    assert process.wait(timeout=60) in ((0,) if phase == "verify" else (0, 130)), told
    assert run.exists() == (phase != "read" or process.returncode == 0)  # at least a bar is there
    if run.exists():
        assert process.returncode == 0 or "plan, verified, is in" in told
        assert nbb.verify(run).record["ok"]


def test_the_doctor_finds_a_working_solver():
    assert json.loads(nbb_opt("doctor", "--json", check=0).stdout)["solver"] == "OK"


def test_key_figures_are_the_same_in_terminal_json_api_page_workbook_and_ileap_file(run_folder, tmp_path):
    folder, record = run_folder
    plan, years = nbb.load(folder), [int(year) for year in record["emissions_t_co2e"]]
    assert plan.figures["cost_eur"] == plan.cost_eur == record["cost_eur"]
    tonnes = [record["emissions_t_co2e"][str(year)] for year in years]
    assert [plan.figures["emissions_t_co2e"][year] for year in years] == pytest.approx(tonnes, rel=1e-12)
    trucks = plan.figures["battery_trucks"][years[-1]]
    terminal = str(plan)
    assert f"  cost          {record['cost_eur'] / 1e6:,.1f} MEUR" in terminal
    assert all(f"{year}: {t / 1e3:,.1f} kt" in terminal for year, t in zip(years, tonnes, strict=True))
    shown = [line.split()[-1] for line in terminal.splitlines() if re.match("    (System|Cash|CO2e|Battery)", line)]
    nbb_opt("report", folder, "--out", tmp_path / "r.html", "--ileap", tmp_path / "ileap", check=0)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    table = page[page.index("The plan beside what it is compared with") :]
    cells = [text.strip() for text in re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", table[: table.index("</table>")])]
    in_page = cells[cells.index(record["model"]) :]
    assert set(shown) <= set(in_page)
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx")["Headline"].iter_rows(values_only=True)
    (row,) = [[cell for cell in cells if cell is not None] for cells in sheet if cells[0] == record["model"]]
    assert row[1] * 1e6 == pytest.approx(record["cost_eur"], rel=1e-12)
    assert [kt * 1e3 for kt in row[-1 - len(years) : -1]] == pytest.approx(tonnes, rel=1e-12)
    assert [row[-1], int(shown[-1]), int(in_page[-1])] == [trucks] * 3
    shipments = json.loads((tmp_path / "ileap" / "shipments.json").read_text())
    kg = sum(float(tce["co2eWTW"]) for shipment in shipments for tce in shipment["tces"])
    assert kg / 1000 == pytest.approx(sum(tonnes), rel=1e-9)
    two = nbb_opt("report", folder, folder, "--out", tmp_path / "r.html", "--ileap", tmp_path / "other", check=1)
    assert "one run folder" in two.stderr


def test_an_invented_instance_is_written_checked_and_its_size_foretold(tmp_path):
    nbb_opt("new", "big", "--synthetic", "--bundles", 200, "--seed", 1, cwd=tmp_path, check=0)
    assert "no problems found" in nbb_opt("check", "big", cwd=tmp_path, check=0).stdout
    size = json.loads(nbb_opt("prepare", "big", "--no-cache", "--json", cwd=tmp_path, check=0).stdout)["size"]
    assert {"rows", "columns", "nonzeros", "memory_mb", "seconds"} == set(size)
    assert size["columns"] > 200
    assert nbb_opt("new", "x", "--synthetic", "--from", "tiny", cwd=tmp_path).returncode == 2
    assert "--bundles" in nbb_opt("new", "x", "--synthetic", "--bundles", 0, cwd=tmp_path, check=1).stderr
