"""Comparing results: what gates, what is only shown, and what is said in words."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.harness import list_tasks, load_suite, run_suite
from benchmarks.harness.against import compare
from benchmarks.harness.best_known import read_best_known, update
from benchmarks.harness.registry import BenchError, BenchWorse, suites_folder
from benchmarks.harness.results import PAGE, merge, render_page
from benchmarks.harness.show import comparison_lines, markdown_of, table_of
from nbb_opt.cli.main import app
from nbb_opt.shipped import shipped

Record = dict[str, Any]


def result() -> Record:
    """A result of one case, solved to its gap."""
    row = {
        "kind": "ours", "status": "optimal", "seconds": 2.0, "all_seconds": [1.9, 2.1], "peak_mb": 300.0,
        "over_idle_mb": 60.0, "memory_by": "peak during the work", "objective": 1000.0, "bound": 999.0, "gap": 0.001,
        "verified": True, "instance_digest": "d1", "counters": {"rows": 10, "nodes": 5, "iterations": 70},
    }  # fmt: skip
    entry = {
        "case": "one", "seed": 1, "threads": 2, "counters": {"bytes": 800}, "digest": "r1", "agree": ["ours"],
        "subjects": {"ours": row},
    }  # fmt: skip
    return {
        "format": "nbb_opt benchmark 1", "suite": "made-up", "protocol": 1, "options": {"threads": 2, "gap": 0.01},
        "rounds": 2, "repeats": 1,
        "machine": {"processor": "P", "cores": 2, "system": "Linux x86_64", "python": "3.12.3"},
        "versions": {"nbb-opt": "0.1.0", "highspy": "1.15.1"}, "absent": [], "faults": [], "cases": [entry],
    }  # fmt: skip


def ours(record: Record) -> Record:
    return record["cases"][0]["subjects"]["ours"]


def changed(change: Callable[[Record], Any]) -> Record:
    record = copy.deepcopy(result())
    change(record)
    return record


def worse(now: Record, before: Record | None = None) -> list[str]:
    return [finding.what for finding in compare(now, before or result()).worse]


def test_a_result_is_not_worse_than_itself_whatever_the_seconds() -> None:
    slow = changed(lambda r: ours(r).update(seconds=200.0, all_seconds=[190.0, 210.0]))
    comparison = compare(slow, result())
    assert not comparison.findings
    text = "\n".join(comparison_lines(comparison, name="before"))
    assert "100.00  90.48 to 110.53" in text
    assert "nothing got worse" in text


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda r: ours(r)["counters"].update(rows=11), "rows"),
        (lambda r: ours(r)["counters"].update(nodes=4), "nodes"),
        (lambda r: ours(r)["counters"].pop("iterations"), "iterations"),
        (lambda r: r["cases"][0]["counters"].update(bytes=801), "bytes"),
        (lambda r: r["cases"][0].update(digest="r2"), "result"),
        (lambda r: ours(r).update(objective=1000.01), "objective"),
        (lambda r: ours(r).update(objective=None), "objective"),
        (lambda r: ours(r).update(objective=998.0), "objective"),  # below what was proven
        (lambda r: ours(r).update(gap=0.02), "gap"),
        (lambda r: ours(r).update(verified=False), "verified"),
        (lambda r: ours(r).update(over_idle_mb=75.0), "over_idle_mb"),
        (lambda r: ours(r).update(peak_mb=360.0), "peak_mb"),
        (lambda r: ours(r).update(status="failed"), "status"),
        (lambda r: r["cases"][0]["subjects"].pop("ours"), "subject"),
        (lambda r: r["cases"].pop(), "case"),
    ],
)
def test_a_figure_that_got_worse_gates_and_is_named(change: Callable[[Record], Any], what: str) -> None:
    assert worse(changed(change)) == [what]


@pytest.mark.parametrize(
    "change",
    [
        lambda r: ours(r).update(objective=999.5),
        lambda r: ours(r).update(instance_digest="d2"),
        lambda r: ours(r).update(over_idle_mb=63.0, peak_mb=306.0),
        lambda r: ours(r).update(over_idle_mb=6.0, peak_mb=30.0),
        lambda r: r["cases"][0]["subjects"].update(other=dict(ours(r), kind="peer")),
        lambda r: r["cases"].append(dict(r["cases"][0], case="two")),
    ],
)
def test_what_is_better_new_or_within_the_allowance_does_not_gate(change: Callable[[Record], Any]) -> None:
    assert worse(changed(change)) == []


def test_peers_never_gate() -> None:
    before = changed(lambda r: ours(r).update(kind="peer"))
    assert worse(changed(lambda r: ours(r).update(kind="peer", objective=2000.0, peak_mb=900.0)), before) == []


def test_steps_of_a_search_gate_only_where_it_must_take_equal_steps() -> None:
    steps = {"rows": 10, "nodes": 6, "iterations": 71}
    cut = changed(lambda r: ours(r).update(status="time_limit", counters=steps, gap=0.3, objective=1009.0))
    assert worse(cut) == []
    assert {finding.what for finding in compare(cut, result()).findings} == {"nodes", "iterations", "gap", "status"}
    for elsewhere in (
        lambda r: (r["machine"].update(processor="Q"), ours(r).update(counters=steps, objective=1009.0)),
        lambda r: (r["versions"].update(highspy="1.16"), ours(r).update(counters=steps, objective=1009.0)),
    ):
        comparison = compare(changed(elsewhere), result())
        assert not comparison.worse
        assert any("another" in line for line in comparison.words)
        assert any("nodes and iterations are shown and do not gate" in line for line in comparison.words)
    far = changed(lambda r: (r["machine"].update(processor="Q"), ours(r).update(objective=1011.0)))
    assert worse(far) == ["objective"]


def test_memory_gates_only_on_the_same_kind_of_machine() -> None:
    def elsewhere(record: Record) -> None:
        record["machine"]["huge_pages"] = "always"
        ours(record).update(peak_mb=900.0, over_idle_mb=500.0)

    comparison = compare(changed(elsewhere), result())
    assert not comparison.worse
    assert "so memory is shown and does not gate" in comparison.words
    one_thread = changed(lambda r: (r["cases"][0].update(threads=1), ours(r).update(peak_mb=900.0)))
    assert worse(one_thread) == []


def test_a_case_left_out_on_purpose_is_named_without_a_fault() -> None:
    comparison = compare(changed(lambda r: r["cases"].pop()), result(), part=True)
    assert not comparison.worse
    assert "left out this time" in "\n".join(comparison_lines(comparison, name="before"))


def test_another_protocol_is_not_compared() -> None:
    with pytest.raises(BenchError, match="protocol 1 before, 2 now"):
        compare(changed(lambda r: r.update(protocol=2)), result())


def test_the_command_ends_with_6_and_a_readable_table(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("now.json", "before.json")]
    paths[1].write_text(json.dumps(result()))
    paths[0].write_text(json.dumps(changed(lambda r: ours(r)["counters"].update(rows=11))))
    done = CliRunner().invoke(app, ["bench-compare", *map(str, paths)])
    assert isinstance(done.exception, BenchWorse)
    assert done.exception.exit_code == 6
    assert str(done.exception) == "worse: one seed 1 ours rows"
    assert "WORSE  one seed 1  ours     rows  10      11   must be equal" in done.stdout
    assert CliRunner().invoke(app, ["bench-compare", str(paths[1]), str(paths[1])]).exit_code == 0
    paths[0].write_text("{}")
    assert "is no result" in str(CliRunner().invoke(app, ["bench-compare", *map(str, paths)]).exception)


def test_parts_of_a_job_array_are_merged_and_those_of_another_measurement_refused() -> None:
    two = changed(lambda r: (r["cases"][0].update(seed=2), r["machine"].update(cores=8)))
    merged = merge([two, result()])
    assert [entry["seed"] for entry in merged["cases"]] == [1, 2]
    assert merged["machine"]["cores"] == "2 | 8"
    with pytest.raises(BenchError, match="measured twice: one seed 1"):
        merge([result(), result()])
    with pytest.raises(BenchError, match="do not belong together: options"):
        merge([result(), changed(lambda r: r["options"].update(gap=0.5))])


def best(folder: Path, monkeypatch: pytest.MonkeyPatch, row: str) -> None:
    (folder / "best_known").mkdir()
    head = "case,objective,bound,state,whose,where,instance_digest\n"
    (folder / "best_known" / "made-up.csv").write_text(head + row)
    monkeypatch.setenv("NBB_OPT_BENCHMARKS", str(folder))


def test_merged_parts_are_related_to_the_best_known_of_now_and_their_means_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    best(tmp_path, monkeypatch, "one,1000,990,feasible,published,a paper,\n")
    two = changed(lambda r: (r["cases"][0].update(seed=2), ours(r).update(objective=1100.0, gap_to_best_known=0.5)))
    merged = merge([result(), two])
    assert [entry["subjects"]["ours"]["gap_to_best_known"] for entry in merged["cases"]] == pytest.approx([0.0, 0.1])
    assert ours(two)["gap_to_best_known"] == 0.5
    [line] = [line for line in table_of(merged).splitlines() if line.startswith("mean of 2")]
    assert line.split() == ["mean", "of", "2", "ours", "0.1000", "5.0000"]


def test_only_better_verified_solutions_become_best_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    best(tmp_path, monkeypatch, "one,1005,990,feasible,published,a paper,\n")
    assert "not verified" in update(changed(lambda r: ours(r).update(verified=None)), where="here")[0]
    assert "not better" in update(changed(lambda r: ours(r).update(objective=1005.0)), where="here")[0]
    assert read_best_known("made-up")["one"].whose == "published"
    assert "taken: 1,005.000000 before" in update(result(), where="here")[0]
    found = read_best_known("made-up")["one"]
    assert (found.objective, found.state, found.where, found.instance_digest) == (
        1000.0,
        "feasible",
        "ours, here",
        "d1",
    )
    assert "taken: now proven" in update(changed(lambda r: ours(r).update(bound=1000.0)), where="here")[0]
    assert read_best_known("made-up")["one"].state == "proven"
    assert "of other data" in update(changed(lambda r: ours(r).update(instance_digest="d2")), where="here")[0]


def test_an_objective_below_a_proven_bound_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    best(tmp_path, monkeypatch, "one,1005,1004,feasible,published,a paper,\n")
    with pytest.raises(BenchError, match="below the proven bound"):
        update(result(), where="here")


def test_a_plan_becomes_best_known_only_if_it_is_verified_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, work = load_suite("network-design"), tmp_path / "work"
    tasks = list_tasks(suite, suite.options(seed=3, threads=1, data=shipped("instances") / "design_tiny"))
    record = run_suite(suite, work, tasks, only=["ours"])
    assert record["faults"] == []
    monkeypatch.setenv("NBB_OPT_BENCHMARKS", str(tmp_path))

    def taken(change: Callable[[Record], Any] = lambda _row: None, runs: Path = work / "runs") -> str:
        found = copy.deepcopy(record)
        change(ours(found))
        (tmp_path / "best_known" / "network-design.csv").unlink(missing_ok=True)
        return update(found, where="here", runs=runs)[0]

    assert taken().endswith("taken: the first; verified again")
    assert read_best_known("network-design")["design_tiny"].where == "ours, here, verified again"
    assert "refused: there is no run folder" in taken(runs=tmp_path / "nothing")
    assert "the plan there costs" in taken(lambda row: row.update(objective=row["objective"] - 1, bound=0.0))
    assert "of other data" in taken(lambda row: row.update(instance_digest="d2"))
    opened = work / "runs" / "design_tiny-3" / "tables" / "opened.csv"
    opened.write_text("\n".join(opened.read_text().splitlines()[:-1]) + "\n")
    assert "is not accepted" in taken()
    assert read_best_known("network-design") == {}


def test_the_page_of_results_is_up_to_date_and_shows_every_kept_result() -> None:
    page = (suites_folder() / PAGE).read_text(encoding="utf-8")
    assert page == render_page(), "run: nbb-opt bench-page"
    for path in (suites_folder() / "results").glob("*.json"):
        assert f"### {path.stem}" in page


def test_a_result_as_markdown_is_a_table() -> None:
    lines = markdown_of(result())
    assert lines[-1].startswith("| one | 1 | ours | 2.000 |")
    assert lines[-2].startswith("|---|---|---|---:")
