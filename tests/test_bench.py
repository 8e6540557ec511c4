"""The benchmark harness: every subject does the same work, and a wrong result stops it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nbb_opt.bench import find_suites, load_suite, run_suite
from nbb_opt.bench.registry import BenchError
from nbb_opt.cli import app


def test_the_od_suite_agrees_with_pandas_at_a_small_size(tmp_path: Path) -> None:
    out = tmp_path / "od.json"
    args = ["bench", "od", "--json", str(out), "--rows", "1e5", "--rounds", "1", "--only", "decode,ours,pandas"]
    done = CliRunner().invoke(app, args, catch_exceptions=False)
    assert done.exit_code == 0
    record = json.loads(out.read_text())
    assert [case["case"] for case in record["cases"]] == ["unsorted", "sorted"]
    for case in record["cases"]:
        assert case["agree"] == ["ours", "pandas"]
        assert case["counters"]["rows"] == case["counters"]["rows_kept"] == 100_000
        assert 0 < case["counters"]["flows"] < 100_000
        assert case["subjects"]["ours"]["ratio_to_limit"] > 0
        assert case["subjects"]["ours"]["peak_mb"] > 50
    assert {"nbb-opt", "numba", "pandas"} <= set(record["versions"])


def test_results_that_differ_stop_the_benchmark(tmp_path: Path) -> None:
    folder = tmp_path / "benchmarks" / "odd"
    folder.mkdir(parents=True)
    (folder / "suite.py").write_text(
        '"""Two subjects that differ."""\n'
        'def cases(folder, rows, seed): return [{"case": "one", "counters": {"rows": rows}}]\n'
    )
    for name, kind in (("a", "ours"), ("b", "peer")):
        (folder / f"{name}.py").write_text(
            f'KIND, LIBRARY = "{kind}", ""\n'
            "def start(case, threads): return lambda: 1\n"
            f'def digest(case, result): return "{name}"\n'
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NBB_OPT_BENCHMARKS", str(tmp_path / "benchmarks"))
        assert find_suites() == ["odd"]
        with pytest.raises(BenchError, match="the results on one differ"):
            run_suite(load_suite("odd"), tmp_path, rows=1, rounds=1)


def test_an_unknown_suite_or_subject_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"known: .*od"):
        load_suite("nothing")
    with pytest.raises(BenchError, match="no such subject of od: nobody"):
        run_suite(load_suite("od"), tmp_path, rows=1, only=["nobody"])


def test_the_synthetic_od_command_writes_a_file_the_reader_takes(tmp_path: Path) -> None:
    from nbb_opt.demand.od import Rules, Target, aggregate, open_source

    out = tmp_path / "od.parquet"
    args = ["synthesize-od", str(out), "--rows", "2e3", "--zones", "20", "--commodities", "3", "--years", "2025,2040"]
    assert CliRunner().invoke(app, args, catch_exceptions=False).exit_code == 0
    target = Target({f"P{i:02d}": i for i in range(20)}, {f"C{i}": i for i in range(3)}, 20, 3)
    sums = aggregate(open_source(out), target, rules=Rules(add_duplicates=True, within=True))
    assert sums.kept == 2000
    assert set(sums.year) == {2025, 2040}
    assert CliRunner().invoke(app, ["synthesize-od", str(out), "--rows", "0.5"]).exit_code == 2
