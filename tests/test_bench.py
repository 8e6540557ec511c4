"""The benchmark harness: every subject does the same work, and a wrong result stops it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.harness import Suite, find_suites, list_tasks, load_suite, run_suite
from benchmarks.harness.registry import BenchError
from benchmarks.harness.show import table_of
from nbb_opt.cli.main import app
from nbb_opt.shipped import shipped


def test_the_od_suite_agrees_with_pandas_at_a_small_size(tmp_path: Path) -> None:
    out = tmp_path / "od.json"
    args = ["bench", "od", "--json", str(out), "--rows", "1e5", "--rounds", "1", "--only", "decode,ours,pandas"]
    done = CliRunner().invoke(app, args, catch_exceptions=False)
    assert done.exit_code == 0
    record = json.loads(out.read_text())
    assert [case["case"] for case in record["cases"]] == ["unsorted", "sorted"]
    for case in record["cases"]:
        assert case["agree"] == ["ours", "pandas"]
        assert case["counters"]["rows"] == case["subjects"]["ours"]["counters"]["rows_kept"] == 100_000
        assert 0 < case["subjects"]["ours"]["counters"]["flows"] < 100_000
        assert case["subjects"]["ours"]["ratio_to_limit"] > 0
        assert case["subjects"]["ours"]["peak_mb"] > 50
    assert {"nbb-opt", "numba", "pandas"} <= set(record["versions"])


def test_every_route_of_the_build_suite_states_the_same_model(tmp_path: Path) -> None:
    suite = load_suite("build")
    options = suite.options(seed=1, threads=1, sizes=(20_000,), time_limit_s=0.25)
    tasks = list_tasks(suite, options)
    assert tasks[0].case["case"] == "20000 -scalar -lp_file -appsi"
    record = run_suite(suite, tmp_path, tasks, rounds=1, only=["limit", "ours", "pyomo_templatized", "pyomo_scalar"])
    assert record["faults"] == []
    assert record["cases"][0]["agree"] == ["limit", "ours", "pyomo_templatized"]


def test_the_stram_suite_prints_emissions_and_mode_split_and_agrees_with_the_peer(tmp_path: Path) -> None:
    suite = load_suite("stram")
    options = suite.options(seed=1, threads=1, data=shipped("instances") / "stram_tiny", gap=1e-6)
    tasks = list_tasks(suite, options, cases=["stram_stochastic"])
    record = run_suite(suite, tmp_path, tasks, only=["ours", "highs_scaled"])
    ours, peer = (record["cases"][0]["subjects"][name] for name in ("ours", "highs_scaled"))
    assert ours["verified"] is True
    assert ours["status"] == peer["status"] == "optimal"
    assert ours["objective"] == pytest.approx(peer["objective"], rel=2e-6)
    assert peer["counters"]["columns"] == ours["counters"]["columns"]
    printed = table_of(record)
    assert re.search(r"ours +t_co2 +[\d,.]+ +[\d,.]+", printed)
    assert "_share_of_tkm" in printed


@pytest.mark.parametrize("name", ["stram", "network-design"])
def test_a_suite_without_its_data_says_which_folder_to_name(name: str, tmp_path: Path) -> None:
    suite = load_suite(name)
    with pytest.raises(BenchError, match="--data FOLDER"):
        list_tasks(suite, suite.options(seed=1, threads=1, data=tmp_path / "nothing"))


PLAIN = """\"\"\"Two subjects.\"\"\"
ROUNDS = REPEATS = 1
PROTOCOL = 3
TAKES = {"sizes": (10,), "time_limit_s": 5.0}
def cases(options): return [{"case": f"one-{size}"} for size in options.sizes]
"""


def made_up(folder: Path, files: dict[str, str], suite: str = PLAIN) -> Path:
    """A folder of suites with the suite `made-up`."""
    own = folder / "benchmarks" / "made-up"
    own.mkdir(parents=True)
    (own / "suite.py").write_text(suite)
    for name, text in files.items():
        (own / f"{name}.py").write_text(text)
    return own.parent


def ran(suite: Suite, folder: Path, **choices: Any) -> dict[str, Any]:
    return run_suite(suite, folder, list_tasks(suite, suite.options(seed=1, threads=1), **choices))


def subject(kind: str, body: str) -> str:
    return f'KIND, LIBRARY = "{kind}", ""\n{body}'


def test_results_that_differ_are_named_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "def start(case, options): return lambda: 1\ndef digest(case, result): return '{}'\n"
    files = {name: subject(kind, body.format(name)) for name, kind in (("a", "ours"), ("b", "peer"))}
    files["c"] = subject("peer", "def start(case, options): return lambda: 1 / 0\n")
    monkeypatch.setenv("NBB_OPT_BENCHMARKS", str(made_up(tmp_path, files)))
    assert find_suites() == ["made-up"]
    out = tmp_path / "out.json"
    done = CliRunner().invoke(app, ["bench", "made-up", "--json", str(out)])
    assert isinstance(done.exception, BenchError)
    assert "the results on one-10 differ" in str(done.exception)
    assert "ZeroDivisionError" in str(done.exception)
    rows = json.loads(out.read_text())["cases"][0]["subjects"]
    assert [rows[name]["status"] for name in "abc"] == ["done", "done", "failed"]


def test_what_a_solving_subject_says_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = """
from benchmarks.made_up.answers import answer
def start(case, options): return lambda: (options.time_limit_s, options.seed)
def outcome(case, result): return answer(*result)
"""
    answers = """
def answer(limit, seed):
    history = [(0.0, None, 1.0), (0.0, 110.0, 90.0)]
    return {"objective": 110.0, "bound": 90.0, "gap": 0.18, "status": "time_limit", "verified": True,
            "history": history, "counters": {"limit": int(limit), "seed": seed}, "phases": {"solve": 1.5}}
"""
    folder = made_up(tmp_path, {"ours": subject("ours", body), "answers": answers})
    (folder / "best_known").mkdir()
    (folder / "best_known" / "made-up.csv").write_text(
        "case,objective,bound,state,whose,where,instance_digest\none-10,100,100,proven,published,a paper,\n"
    )
    monkeypatch.setenv("NBB_OPT_BENCHMARKS", str(folder))
    record = ran(load_suite("made-up"), tmp_path, seeds=2)
    assert record["protocol"] == 3
    assert record["options"] == {"threads": 1, "sizes": [10], "time_limit_s": 5.0}
    assert [case["seed"] for case in record["cases"]] == [1, 2]
    row = record["cases"][1]["subjects"]["ours"]
    assert row["counters"] == {"limit": 5, "seed": 2}
    assert (row["status"], row["verified"], row["phases"]) == ("time_limit", True, {"solve": 1.5})
    assert row["gap_to_best_known"] == pytest.approx(0.1)
    assert row["primal_integral_s"] >= 0


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ('{"cost": 1}', "cost is unknown"),
        ('{"counters": {"rows": 1.5}}', "counter rows is 1.5"),
        ('{"gap": "x"}', "gap"),
    ],
)
def test_an_outcome_that_cannot_be_used_is_a_fault(
    said: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = f"def start(case, options): return lambda: 1\ndef outcome(case, result): return {said}\n"
    monkeypatch.setenv("NBB_OPT_BENCHMARKS", str(made_up(tmp_path, {"ours": subject("ours", body)})))
    assert what in ran(load_suite("made-up"), tmp_path)["faults"][0]


def test_an_unknown_suite_subject_case_or_option_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"known: .*od"):
        load_suite("nothing")
    od = load_suite("od")
    with pytest.raises(BenchError, match="no such subject of od: nobody"):
        run_suite(od, tmp_path, [], only=["nobody"])
    with pytest.raises(BenchError, match="there are unsorted, sorted"):
        list_tasks(od, od.options(seed=1, threads=1), cases=["ordered"])
    with pytest.raises(BenchError, match="does not take --time-limit; of these options it takes: --rows"):
        od.options(seed=1, threads=1, time_limit_s=3.0)


@pytest.mark.parametrize("name", [name for name in find_suites() if name not in {"network-design", "stram"}])
def test_every_suite_that_writes_its_own_data_lists_its_cases(name: str) -> None:
    suite = load_suite(name)
    assert suite.about
    assert "ours" in {subject.kind for subject in suite.subjects}
    tasks = list_tasks(suite, suite.options(seed=1, threads=1), seeds=2)
    names = [(task.case["case"], task.options.seed) for task in tasks]
    assert len(set(names)) == len(names) >= 2
    assert json.loads(json.dumps([task.case for task in tasks]))


def test_a_case_says_how_many_seeds_it_has_unless_told() -> None:
    suite = load_suite("scale")
    options = suite.options(seed=4, threads=1)
    found = [(task.case["bundles"], task.options.seed, task.case["seed"]) for task in list_tasks(suite, options)]
    assert [one[:2] for one in found if one[0] >= 100_000] == [
        (100_000, 4), (1_000_000, 4), (100_000, 5), (1_000_000, 5), (100_000, 6), (100_000, 7), (100_000, 8),
    ]  # fmt: skip
    assert all(option == case for _, option, case in found)
    assert len(found) == 9
    assert [task.options.seed for task in list_tasks(suite, options, seeds=1)] == [4] * 4


def test_a_job_array_runs_one_line_of_the_list_and_merges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "def start(case, options): return lambda: 1\n"
    monkeypatch.setenv("NBB_OPT_BENCHMARKS", str(made_up(tmp_path, {"ours": subject("ours", body)})))
    words = ["bench", "made-up", "--seeds", "3", "--sizes", "10,20"]
    lines = CliRunner().invoke(app, [*words, "--list"], catch_exceptions=False).stdout.splitlines()
    assert lines[0] == "1 one-10 seed=1"
    assert len(lines) == 6
    parts = [tmp_path / f"part-{number}.json" for number in (1, 2, 3, 4, 5, 6)]
    for number, part in enumerate(parts, start=1):
        done = CliRunner().invoke(app, [*words, "--run", str(number), "--json", str(part)], catch_exceptions=False)
        assert done.exit_code == 0
    merged = tmp_path / "all.json"
    CliRunner().invoke(app, ["bench-merge", *map(str, parts), "--json", str(merged)], catch_exceptions=False)
    found = json.loads(merged.read_text())["cases"]
    assert sorted(f"{case['case']} seed={case['seed']}" for case in found) == sorted(line[2:] for line in lines)
    assert CliRunner().invoke(app, [*words, "--run", "7"]).exit_code == 2
    done = CliRunner().invoke(app, ["bench-merge", *map(str, parts[:2]), "--keep"], catch_exceptions=False)
    assert "made-up-001.json" in done.stdout
    assert len(json.loads((tmp_path / "benchmarks" / "results" / "made-up-001.json").read_text())["cases"]) == 2


def test_a_kept_result_is_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "def start(case, options): return lambda: 1\n"
    folder = made_up(tmp_path, {"ours": subject("ours", body)})
    monkeypatch.setenv("NBB_OPT_BENCHMARKS", str(folder))
    for _ in range(2):
        CliRunner().invoke(app, ["bench", "made-up", "--keep"], catch_exceptions=False)
    assert sorted(path.name for path in (folder / "results").iterdir()) == ["made-up-001.json", "made-up-002.json"]
    page = (folder / "RESULTS.md").read_text()
    assert page.index("made-up-002") < page.index("made-up-001")
    (folder / "made-up" / "suite.py").write_text(
        PLAIN.replace("PROTOCOL = 3", "PROTOCOL = 4\nPROTOCOLS = {4: 'longer'}")
    )
    CliRunner().invoke(app, ["bench", "made-up", "--keep"], catch_exceptions=False)
    page = (folder / "RESULTS.md").read_text()
    assert "[^1]: made-up protocol 4: longer" in page
    assert CliRunner().invoke(app, ["bench", "made-up", "--against", "latest"]).exit_code == 0


def test_the_synthetic_od_command_writes_a_file_the_reader_takes(tmp_path: Path) -> None:
    from nbb_opt.demand import RowRules, Target, aggregate, open_source

    out = tmp_path / "od.parquet"
    args = ["synthesize-od", str(out), "--rows", "2e3", "--zones", "20", "--commodities", "3", "--years", "2025,2040"]
    assert CliRunner().invoke(app, args, catch_exceptions=False).exit_code == 0
    target = Target({f"P{i:02d}": i for i in range(20)}, {f"C{i}": i for i in range(3)}, 20, 3)
    sums = aggregate(open_source(out), target, rules=RowRules(add_duplicates=True, within=True))
    assert sums.kept == 2000
    assert set(sums.year) == {2025, 2040}
    assert CliRunner().invoke(app, ["synthesize-od", str(out), "--rows", "0.5"]).exit_code == 2
