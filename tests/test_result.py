"""The run folder: complete or absent, and every change noticed."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from nbb_opt.errors import NbbError
from nbb_opt.pipeline import solve_instance
from nbb_opt.result import CHAINS_IN_FULL, EXTRA_FILES, TABLES, as_table, compact_table, read_run, write_run
from nbb_opt.run_folder import MANIFEST, check_target
from nbb_opt.shipped import shipped

RECORD = {"instance": "tiny", "cost_eur": 1.5, "emissions_t_co2e": {"2025": 3.0}, "note": "Umeå"}


def some_tables() -> dict[str, pd.DataFrame]:
    """A row in every table."""
    values = {"int64": 7, "float64": 2.5, "str": "Umeå"}
    return {name: as_table(name, [{c: values[t] for c, t in columns.items()}]) for name, columns in TABLES.items()}


def a_run(path: Path) -> Path:
    return write_run(
        path, RECORD, some_tables(), {"frozen": some_tables()}, extra_files={"solver.log": "done", "report.xlsx": b"PK"}
    )


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    run = read_run(a_run(tmp_path / "run"))
    assert run.record == RECORD
    for name, table in some_tables().items():
        pd.testing.assert_frame_equal(run.tables[name], compact_table(name, table))
        pd.testing.assert_frame_equal(run.bars["frozen"][name], compact_table(name, table))
    assert (tmp_path / "run" / "solver.log").read_text() == "done"


def test_empty_tables_keep_their_columns_and_types(tmp_path: Path) -> None:
    empty = {name: as_table(name) for name in TABLES}
    run = read_run(write_run(tmp_path / "run", RECORD, empty, {"frozen": empty}))
    for name, table in run.tables.items():
        assert dict(table.dtypes) == dict(compact_table(name).dtypes)
        assert dict(as_table(name, table).dtypes.astype(str)) == TABLES[name]


def test_compact_tables_say_the_same_and_refuse_numbers_that_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"lane": 3 - i, "step": i, "link": f"L{i % 2}", "from_node": "b", "to_node": "a"} for i in range(4)]
    plain = as_table("lane_links", rows)
    compact = compact_table("lane_links", plain)
    assert compact["link"].cat.categories.tolist() == ["L0", "L1"]
    turned = compact.assign(link=compact["link"].cat.reorder_categories(["L1", "L0"]))
    for table in (compact, compact_table("lane_links", turned)):
        pd.testing.assert_frame_equal(table, compact)
        pd.testing.assert_frame_equal(as_table("lane_links", table), plain)
    with pytest.raises(OverflowError, match="lane_links, column lane"):
        compact_table("lane_links", plain.assign(lane=2**31))


def test_tables_are_written_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbb_opt.result.ROWS_WRITTEN_AT_ONCE", 2)
    tables = some_tables()
    tables["chain_steps"] = pd.concat([tables["chain_steps"]] * 5, ignore_index=True)
    read = read_run(write_run(tmp_path / "run", RECORD, tables, {"frozen": tables})).tables["chain_steps"]
    pd.testing.assert_frame_equal(read, compact_table("chain_steps", tables["chain_steps"]))


def test_an_existing_run_is_replaced_only_when_asked(tmp_path: Path) -> None:
    target = a_run(tmp_path / "run")
    with pytest.raises(NbbError, match="holds a run already"):
        a_run(target)
    tables = some_tables()
    write_run(target, {"instance": "second"}, tables, {"frozen": tables}, replace=True)
    assert read_run(target).record == {"instance": "second"}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_folder_that_is_no_run_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(NbbError, match="is no run"):
        write_run(tmp_path / "thesis", RECORD, some_tables(), {"frozen": some_tables()}, replace=True)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"


def test_unknown_extra_files_and_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NbbError, match=r"\.\./evil"):
        write_run(tmp_path / "run", RECORD, some_tables(), {"frozen": some_tables()}, extra_files={"../evil": "x"})
    tables = some_tables()
    most = {name: tables[name] for name in TABLES if name != "flows"}
    with pytest.raises(NbbError, match="flows"):
        write_run(tmp_path / "run", RECORD, most, {"frozen": tables})
    assert list(tmp_path.iterdir()) == []


def test_every_flipped_bit_is_noticed_and_the_file_named(tmp_path: Path) -> None:
    target = a_run(tmp_path / "run")
    for path in sorted(file for file in target.rglob("*") if file.is_file() and file.name != MANIFEST):
        content = path.read_bytes()
        for at in {0, len(content) // 2, len(content) - 1}:
            changed = bytearray(content)
            changed[at] ^= 1 << (at % 8)
            path.write_bytes(changed)
            with pytest.raises(NbbError, match="altered") as caught:
                read_run(target)
            assert str(path) in str(caught.value)
        path.write_bytes(content)
    read_run(target)


def test_every_flipped_bit_of_the_manifest_is_noticed(tmp_path: Path) -> None:
    target = a_run(tmp_path / "run")
    content = (target / MANIFEST).read_bytes()
    for at in range(0, len(content), 7):
        changed = bytearray(content)
        changed[at] ^= 1 << (at % 7)
        (target / MANIFEST).write_bytes(changed)
        with pytest.raises(NbbError):
            read_run(target)


def test_missing_added_and_unknown_parts_are_named(tmp_path: Path) -> None:
    target = a_run(tmp_path / "run")
    (target / "tables" / "extra.parquet").write_bytes(b"")
    with pytest.raises(NbbError, match=r"extra\.parquet"):
        read_run(target)
    (target / "tables" / "extra.parquet").unlink()
    manifest = json.loads((target / MANIFEST).read_text())
    (target / MANIFEST).write_text(json.dumps(manifest | {"layout": 99}))
    with pytest.raises(NbbError, match="layout 99"):
        read_run(target)
    files = {name: digest for name, digest in manifest["files"].items() if name != "frozen/flows.parquet"}
    (target / MANIFEST).write_text(json.dumps(manifest | {"files": files}))
    with pytest.raises(NbbError, match=r"frozen/flows\.parquet"):
        read_run(target)
    (target / MANIFEST).write_text(json.dumps(manifest))
    (target / "frozen" / "flows.parquet").unlink()
    with pytest.raises(NbbError, match=r"flows\.parquet.*missing"):
        read_run(target)
    (target / MANIFEST).unlink()
    with pytest.raises(NbbError, match="no finished run"):
        read_run(target)


KILLED = """
import os, random, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from nbb_opt.result import write_run
from test_result import some_tables
place, cases, tables = Path(sys.argv[1]), int(sys.argv[2]), some_tables()
def events_of_a_writer(target, killed_at):
    if pid := os.fork():
        return os.waitpid(pid, 0)
    left = killed_at
    def count(*_):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), 9)
    sys.setprofile(count)
    write_run(target, {{"instance": "second"}}, tables, {{"frozen": tables}}, replace=True)
    sys.setprofile(None)
    (place / "events").write_text(str(killed_at - left))
    os._exit(0)
events_of_a_writer(place / "whole" / "run", 10**9)
last = int((place / "events").read_text())
for number in range(cases):
    events_of_a_writer(place / str(number) / "run", random.Random(number).randrange(1, last))
"""


@pytest.mark.promise(14, 5, 200)
@pytest.mark.skipif(os.name != "posix", reason="needs a hard kill")
def test_a_kill_at_any_moment_leaves_the_old_run_or_the_new(tmp_path: Path, cases: int) -> None:
    first = a_run(tmp_path / "first")
    places = [tmp_path / name / "run" for name in ("whole", *map(str, range(cases)))]
    for place in places:
        if place.parent.name[-1] not in "13579":  # the others have no run yet
            shutil.copytree(first, place)
    code = KILLED.format(tests=str(Path(__file__).parent))
    subprocess.run([sys.executable, "-c", code, str(tmp_path), str(cases)], check=True, capture_output=True)
    old = 0
    for place in places:
        check_target(place)
        assert place.exists() or place.parent.name[-1] in "13579"
        assert [path.name for path in place.parent.glob("*")] == ["run"] * place.exists()
        if place.exists():
            found = read_run(place).record["instance"]
            assert found in {"tiny", "second"}
            old += found == "tiny"
    assert 0 < old < cases
    assert read_run(places[0]).record["instance"] == "second"


def test_the_names_of_extra_files_are_fixed() -> None:
    assert EXTRA_FILES == (
        "front.csv", "verify.json", "solver.log", "bounds.csv", "report.html", "report.xlsx", "own_rules.json"
    )  # fmt: skip


def test_a_plan_written_with_its_own_chains_only_is_verified_and_reported_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("nbb_opt.model.extract")  # the package has a function of the same name
    reports = []
    for limit in (CHAINS_IN_FULL, 0):
        monkeypatch.setattr(module, "CHAINS_IN_FULL", limit)
        run = solve_instance(shipped("instances") / "tiny", out=tmp_path / str(limit))
        assert run.record["verified"] is True
        chains, steps = run.tables["chains"]["chain"], run.tables["chain_steps"]
        assert (set(chains) == set(run.tables["flows"]["chain"])) == (limit == 0)
        assert set(run.tables["lanes"]["lane"]) >= set(run.tables["driven"]["lane"]) | set(steps["lane"]) - {-1}
        lines = (run.path / "report.html").read_text(encoding="utf-8").splitlines()
        reports.append([line for line in lines if "seconds" not in line and "Seconds" not in line])
    assert reports[0] == reports[1]
