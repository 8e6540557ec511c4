"""Network design as data: reading, converting, stating, checking again."""

from __future__ import annotations

import itertools
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import command_line
from design_case import made_up, reference
from nbb_opt.errors import InstanceError, NbbError, VerifyFailed
from nbb_opt.options import SolveOptions, Statement
from nbb_opt.problems.dispatch import handlers
from nbb_opt.problems.handlers import SolveRequest, VerifyRequest
from nbb_opt.problems.network_design import read_design, verify_design
from nbb_opt.problems.network_design.canad import convert_canad, read_dow
from nbb_opt.problems.network_design.model import design_form, entries, read_design_model
from nbb_opt.problems.network_design.run import result_tables
from nbb_opt.solve import Stop

ROOT = Path(__file__).parents[1]
TINY = ROOT / "instances" / "design_tiny"
SHARED = Path(os.environ.get("NBB_OPT_SHARED", ROOT.parent / "shared")) / "data" / "canad"
DOW = """a title
 3 4 2
 1 3 4 10 30 1 1
 1 2 1 15 20 1 2
 2 3 1 12 40 1 3
 2 3 3 20 10 1 4
 1 3 10
 2 3 5
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TINY, tmp_path / "case"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("runs") / "tiny"
    said = handlers("network_design").solve(
        SolveRequest(instance=TINY, out=target, options=SolveOptions(gap=1e-9, threads=1), stop=Stop(60.0))
    )
    assert said.record["status"] == "optimal"
    assert said.record["verified"] is True
    return target


def test_the_tiny_instance_has_the_optimum_of_its_table(run: Path) -> None:
    opened = pd.read_csv(run / "tables" / "opened.csv")["arc"].tolist()
    flows = pd.read_csv(run / "tables" / "flows.csv")
    assert sorted(opened) == ["first", "slow"]
    assert dict(flows.groupby("arc")["carried_t"].sum()) == pytest.approx({"first": 10.0, "slow": 15.0})
    assert reference(read_design(TINY).network()).objective == pytest.approx(85.0)


def test_every_design_of_the_tiny_instance_costs_what_its_table_says() -> None:
    problem, (_nodes, arcs, _commodities) = read_design(TINY).network(), read_design(TINY).names()
    said = {}
    for line in (TINY / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip(" *") for cell in line.split("|")[1:-1]]
        if len(cells) == 4 and cells[3].isdigit():
            said[frozenset(arcs if cells[0] == "all four" else cells[0].split(", "))] = float(cells[3])
    from nbb_opt.problems.network_design.solve.pool import PathPool
    from nbb_opt.problems.network_design.solve.routing import route

    for many in range(1, 5):
        for chosen in itertools.combinations(range(4), many):
            on = np.isin(np.arange(4), chosen)
            plan = route(problem, PathPool(problem), on, Stop(10.0))
            named = frozenset(arcs[i] for i in chosen)
            assert (plan is None) == (named not in said), named
            if plan is not None:  # the table pays for every arc of the design, the plan for those it uses
                unused = float(problem.fixed_eur[on & ~plan.opened].sum())
                assert plan.cost_eur + unused == pytest.approx(said[named]), named


@pytest.mark.parametrize("strong", [True, False])
def test_the_strong_rows_that_are_asked_for_are_stated(strong: bool) -> None:
    form = design_form(made_up(1), strong=strong)
    assert len(form.row_low) == 5 * 6 + 18 + 90 * strong


@pytest.mark.parametrize(("small", "asked", "used"), [
    (True, "auto", "pyomo"), (True, "arrays", "arrays"), (False, "auto", "arrays"), (False, "pyomo", "pyomo"),
])  # fmt: skip
def test_small_problems_are_solved_from_pyomo_and_large_ones_over_paths(
    small: bool, asked: Statement, used: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not small:
        monkeypatch.setattr("nbb_opt.problems.network_design.solve.small.COMPACT_PAIRS", 0)
    options = SolveOptions(gap=1e-9, threads=1, statement=asked)
    done = handlers("network_design").solve(
        SolveRequest(instance=TINY, out=tmp_path / "run", options=options, stop=Stop(60.0))
    )
    assert done.record["options"]["statement"] == used
    assert done.record["cost_eur"] == pytest.approx(85.0)


def test_the_forecast_of_entries_is_that_of_the_model() -> None:
    for strong in ("all", "none"):
        spec, problem = replace(read_design_model(), strong_rows=strong), made_up(3)
        assert entries(problem, spec) == len(design_form(problem, strong=strong == "all").a_values)


def test_strong_rows_lift_the_relaxation_and_not_the_optimum() -> None:
    problem = made_up(4, tight=3.0)
    assert reference(problem, strong=False).objective == pytest.approx(reference(problem).objective)


SPOILINGS = {
    "name": ("instance.toml", 'name = "design_tiny"', 'name = "Design Tiny"', "key name"),
    "unknown key": ("instance.toml", "version", "versoin", "versoin"),
    "other problem": ("instance.toml", '"network_design"', '"networkdesign"', "key problem"),
    "loop": ("arcs.csv", "direct,A,C", "direct,A,A", "is the same place as from_node"),
    "unknown node": ("arcs.csv", "direct,A,C", "direct,A,D", "is not in nodes.node"),
    "negative": ("arcs.csv", "direct,A,C,4", "direct,A,C,-4", "arcs.csv row 2"),
    "no capacity": ("arcs.csv", "slow,B,C,3,20", "slow,B,C,3,0", "arcs.csv row 5"),
    "not a number": ("commodities.csv", "long,A,C,10", "long,A,C,ten", "commodities.csv row 2"),
    "no demand": ("commodities.csv", "short,B,C,5", "short,B,C,0", "commodities.csv row 3"),
    "twice": ("commodities.csv", "short,", "long,", "the same key"),
    "blank": ("nodes.csv", "C\n", "\n", "nodes.csv"),
    "no rows": ("nodes.csv", "A\nB\nC\n", "", "has no rows"),
}


@pytest.mark.parametrize("what", SPOILINGS)
def test_a_spoiled_instance_is_refused_with_its_place(folder: Path, what: str) -> None:
    file, old, new, told = SPOILINGS[what]
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InstanceError, match=told):
        read_design(folder)


def test_all_faults_are_told_at_once(folder: Path) -> None:
    for what in ("name", "loop", "not a number"):
        file, old, new, _told = SPOILINGS[what]
        (folder / file).write_text((folder / file).read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    (folder / "routes.csv").write_text("x\n")
    with pytest.raises(InstanceError) as caught:
        read_design(folder)
    assert len(caught.value.problems) == 4


def test_the_order_of_rows_does_not_change_the_digest(folder: Path) -> None:
    lines = (folder / "arcs.csv").read_text(encoding="utf-8").splitlines()
    (folder / "arcs.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n", encoding="utf-8")
    assert read_design(folder).digest == read_design(TINY).digest
    (folder / "arcs.csv").write_text("\n".join(lines).replace("fast,B,C,1", "fast,B,C,2") + "\n", encoding="utf-8")
    assert read_design(folder).digest != read_design(TINY).digest


def test_a_dow_file_becomes_the_same_problem(tmp_path: Path) -> None:
    (tmp_path / "My Case.dow").write_text(DOW)
    (made,) = convert_canad(tmp_path / "My Case.dow", tmp_path / "made")
    assert made.meta["name"] == "my-case"
    ours, theirs = read_design(TINY).network(), made.network()
    for name in vars(ours):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name
    with pytest.raises(NbbError, match="is there already"):
        convert_canad(tmp_path / "My Case.dow", tmp_path / "made")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (" 3 4 2\n", " 3 five 2\n", "line 2"),
        (" 3 4 2\n", " 3 4 3\n", "has 6 lines after the head"),
        (" 1 2 1 15", " 1 9 1 15", "line 4: to node 9 is not a node"),
        (" 1 2 1 15", " 1 1 1 15", "line 4: from node and to node are the same"),
        (" 1 2 1 15 20 1 2", " 1 2 1", "line 4: does not hold"),
        (" 2 3 5", " 2 3 0", "line 8: demand 0 is not above zero"),
        (" 2 3 3 20 10", " 2 3 nan 20 10", "line 6: does not hold"),
    ],
)
def test_a_damaged_dow_file_is_refused_by_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    (tmp_path / "x.dow").write_text(DOW.replace(old, new, 1))
    with pytest.raises(InstanceError, match=told):
        convert_canad(tmp_path, tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_every_shared_canad_file_is_read() -> None:
    if not SHARED.is_dir():
        pytest.skip(f"the public Canad instances are not at {SHARED}")
    files = sorted(SHARED.rglob("*.dow"))
    assert len(files) == 43
    for path in files:
        found = read_dow(path)
        head = path.read_text().splitlines()[1].split()
        assert [found.nodes, len(found.arcs), len(found.commodities)] == [int(x) for x in head]


def spoil(tables: dict[str, pd.DataFrame], table: str, row: int, column: str, value: object) -> dict[str, pd.DataFrame]:
    frame = tables[table].copy()
    frame.loc[row, column] = value
    return {**tables, table: frame}


def test_the_verifier_names_the_rule_that_a_change_breaks(run: Path) -> None:
    instance = read_design(TINY)
    files = {name: (run / "tables" / f"{name}.csv").read_bytes() for name in ("opened", "flows")}
    tables = result_tables(files)
    reported = {"cost_eur": 85.0, "bound": 85.0, "gap": 0.0}
    assert verify_design(instance, tables, reported).ok
    slow = int(tables["flows"].index[tables["flows"]["arc"] == "slow"][0])
    cases = {
        "know_names": spoil(tables, "flows", slow, "arc", "slwo"),
        "carry_nothing_negative": spoil(tables, "flows", slow, "carried_t", -1.0),
        "balance_nodes": spoil(tables, "flows", slow, "carried_t", 4.0),
        "respect_capacity": spoil(tables, "flows", slow, "carried_t", 40.0),
        "open_what_is_used": {**tables, "opened": tables["opened"].iloc[:1]},
    }
    for rule, changed in cases.items():
        verdict = verify_design(instance, changed)
        assert not verdict.ok
        assert rule in set(verdict.failures()["rule"])
    for name, value in (("cost_eur", 84.0), ("bound", 86.0), ("gap", 0.5)):
        failed = verify_design(instance, tables, {**reported, name: value}).failures()["rule"]
        assert f"report_{name.removesuffix('_eur')}" in set(failed)


def test_an_altered_run_is_refused(run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    asked = handlers("network_design")
    assert "verified: OK" in asked.verify(VerifyRequest(run=copy)).lines[0]
    text = (copy / "tables" / "flows.csv").read_text()
    (copy / "tables" / "flows.csv").write_text(text.replace("10.0", "11.0", 1))
    with pytest.raises(VerifyFailed, match="was altered after the run"):
        asked.verify(VerifyRequest(run=copy))


def nbb_opt(*words: object, cwd: Path, code: int) -> str:
    done = command_line.nbb_opt(*words, cwd=cwd, check=code)
    return done.stdout + done.stderr


def test_the_command_line_converts_checks_solves_verifies_and_reports(tmp_path: Path) -> None:
    (tmp_path / "x.dow").write_text(DOW)
    assert "commodities 2" in nbb_opt("convert", "canad", "x.dow", "x", cwd=tmp_path, code=0)
    assert "no problems found" in nbb_opt("check", "x", cwd=tmp_path, code=0)
    closing = nbb_opt("solve", "x", cwd=tmp_path, code=0)
    assert "verified: OK" in closing
    assert "85.00 EUR" in closing
    assert "verified: OK" in nbb_opt("verify", "runs/x-network_design", cwd=tmp_path, code=0)
    nbb_opt("report", "runs/x-network_design", "--out", "page.html", cwd=tmp_path, code=0)
    assert "85.00" in (tmp_path / "page.html").read_text()
    assert "is about freight only" in nbb_opt("prepare", "x", cwd=tmp_path, code=1)


def test_the_command_line_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "x.dow").write_text(DOW.replace(" 1 2 1 15 20 1 2\n", ""))
    assert "has 5 lines after the head" in nbb_opt("convert", "canad", "x.dow", "x", cwd=tmp_path, code=1)
    assert "one of canad" in nbb_opt("convert", "kanad", "x.dow", "x", cwd=tmp_path, code=2)
    assert "there is no file joint" not in nbb_opt("check", TINY, cwd=tmp_path, code=0)
    said = nbb_opt("solve", TINY, "--no-prune", "--out", "r", cwd=tmp_path, code=1)
    assert "--no-prune: is about freight" in said
