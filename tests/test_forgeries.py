"""No consistently forged run is accepted: not by `verify`, and not by `report`, which writes "Verified"."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import forgeries_elsewhere
import nbb_opt as nbb
from forgeries import FORGERIES, forged
from nbb_opt.acceptance import accept_run
from nbb_opt.cli.main import app
from nbb_opt.errors import NbbError, VerifyFailed
from nbb_opt.pipeline import solve_instance
from nbb_opt.problems.result import ProblemResult
from nbb_opt.result import Run, read_run, write_run
from tiny_plan import TINY, tiny

FEW, ALL = 10, 1  # every so-manieth; all with --hard


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("honest") / "run"
    solve_instance(TINY, out=folder)
    return read_run(folder)


def test_the_honest_run_is_accepted_and_both_bounds_are_confirmed(run: Run) -> None:
    verdict = accept_run(run, tiny())
    assert verdict.ok
    assert verdict.bounds == (
        "bound of frozen: confirmed by solving again",
        "bound of reference: confirmed by solving again",
        "bound of joint: confirmed by solving again",
        "the word of the run, which nothing shows: instance_source, options, seed, threads, nodes, iterations, "
        "seconds, versions, bounds.csv, solver.log",
    )


@pytest.mark.promise(8)
@pytest.mark.parametrize("every", [FEW, pytest.param(ALL, marks=pytest.mark.hard)])
def test_every_forgery_is_refused(run: Run, every: int) -> None:
    assert len(FORGERIES) >= 60
    accepted = []
    for name, fake in forged(run, tiny(), every):
        try:
            accept_run(fake, tiny())
        except VerifyFailed:
            continue
        accepted.append(name)
    assert accepted == []


@pytest.mark.promise(8, 2, 60)
@pytest.mark.hard
def test_the_command_line_refuses_them_and_writes_no_report(run: Run, cases: int, tmp_path: Path) -> None:
    command = CliRunner()
    for number, (name, fake) in enumerate(forged(run, tiny(), len(FORGERIES) // cases)):
        folder, page = tmp_path / f"run{number}", tmp_path / f"page{number}.html"
        write_run(folder, fake.record, fake.tables, fake.bars)
        for arguments in (["verify", str(folder)], ["report", str(folder), "--out", str(page)]):
            found = command.invoke(app, [*arguments, "--instance", str(TINY)])
            assert isinstance(found.exception, NbbError), (name, arguments, found.output)
            assert "Traceback" not in found.output
        assert not page.exists(), name


QUICK = "what-if"
KINDS = [pytest.param(kind, marks=() if kind == QUICK else pytest.mark.hard) for kind in forgeries_elsewhere.CASES]


@pytest.mark.promise(8, 3, 50)
@pytest.mark.parametrize("kind", KINDS)
def test_forgeries_of_other_kinds_of_runs_are_refused_by_verify_and_report(
    kind: str, cases: int, tmp_path: Path
) -> None:
    assert accept_run(*forgeries_elsewhere.honest(kind), again_s=60).ok
    fakes = list(forgeries_elsewhere.forged(kind))
    for name, fake, instance in fakes[:: -(-len(fakes) // cases)]:
        refuse_everywhere(name, nbb.Result(fake, instance), tmp_path)


@pytest.mark.promise(8, 3, 50)
@pytest.mark.parametrize("problem", ["design_tiny", "stram_tiny"])
def test_forgeries_of_the_other_problems_are_refused_by_verify_and_report(
    problem: str, cases: int, tmp_path: Path
) -> None:
    _, *lines, word = nbb.verify(forgeries_elsewhere.honest_result(problem)).lines
    assert lines
    assert "the word of the run, which nothing shows: instance_source, options, seed" in word
    assert all(line.endswith("confirmed by solving again") for line in lines)
    fakes = list(forgeries_elsewhere.forged_results(problem))
    for name, fake in fakes[:: -(-len(fakes) // cases)]:
        refuse_everywhere(name, fake, tmp_path)


def leaves(part: Any, *path: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The figures and words of a record, each with the way to it; of a list the first."""
    for key, each in part.items() if isinstance(part, dict) else enumerate(part[:1]):
        if isinstance(each, (dict, list)):
            yield from leaves(each, *path, key)
        else:
            yield (*path, key), each


def another(value: Any) -> Any:
    """A value of the same kind that is not true."""
    if isinstance(value, bool) or value is None:
        return not value
    return f"{value}x" if isinstance(value, str) else type(value)(2 * value + 1)


@pytest.mark.promise(8)
@pytest.mark.parametrize(
    "problem", ["design_tiny", *(pytest.param(each, marks=pytest.mark.hard) for each in ("stram_tiny", "tiny"))]
)
def test_every_field_of_a_record_is_worked_out_or_called_the_word_of_the_run(
    problem: str, request: pytest.FixtureRequest
) -> None:
    if problem == "tiny":
        run = request.getfixturevalue("run")
        judged: Any = nbb.Result(run, tiny())
    else:
        judged = forgeries_elsewhere.honest_result(problem)
    word = nbb.verify(judged, again_s=0.0).lines[-1].partition(": ")[2].split(", ")
    for path, value in leaves(judged.record):
        record = deepcopy(judged.record)
        part = record
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = another(value)
        fake = nbb.Result(replace(judged.run, record=record), tiny()) if problem == "tiny" else replace(
            judged, record=record)  # fmt: skip
        try:
            nbb.verify(fake, again_s=0.0)
        except NbbError:
            continue
        assert {path[0], path[-1]} & set(word), (path, value)


def refuse_everywhere(name: str, fake: nbb.Result | ProblemResult, folder: Path) -> None:
    for judge in (lambda: nbb.verify(fake, again_s=60), lambda: nbb.report(fake, folder / "page.html", again_s=60)):
        try:
            judge()
        except NbbError:
            continue
        pytest.fail(f"{name} is accepted")
    assert not list(folder.iterdir())


def test_a_reference_proven_to_less_than_asked_is_said_to_be(run: Run) -> None:
    said = run.said_of("reference")
    loose = {**said, "bound": 0.9 * said["cost_eur"], "gap": 0.1, "status": "time_limit"}
    verdict = accept_run(
        Run(run.path, {**run.record, "bars": {**run.record["bars"], "reference": loose}}, run.tables, run.bars), tiny()
    )
    assert (
        f"proven to 10.00% only: what is saved against it may be {0.1 * said['cost_eur']:,.0f} EUR less"
        in (verdict.bounds[-2])
    )


def test_without_a_new_solve_a_bound_is_called_the_word_of_the_solver(run: Run) -> None:
    assert "word of the solver" in accept_run(run, tiny(), again_s=0.0).bounds[0]


def test_a_run_of_a_model_of_ones_own_is_verified_with_its_file(run: Run, tmp_path: Path) -> None:
    model = tmp_path / "mine.toml"
    model.write_text((Path(__file__).parents[1] / "models" / "joint.toml").read_text(encoding="utf-8"))
    mine = Run(run.path, {**run.record, "model": "mine"}, run.tables, run.bars)
    assert accept_run(mine, tiny(), model_file=model).ok
    with pytest.raises(VerifyFailed, match="give its file"):
        accept_run(mine, tiny())


@pytest.mark.parametrize(
    ("key", "value"),
    [("seconds", {"solve": "x"}), ("options", "x"), ("bars", 3), ("what_if", {"changes": 3}),
     ("extension", {"rules": 3}), ("instance_source", 3), ("gap", "x"), ("caps_t_co2e", {"2030": "x"})],
)  # fmt: skip
def test_a_record_of_another_shape_is_refused_on_loading(run: Run, tmp_path: Path, key: str, value: object) -> None:
    write_run(tmp_path / "run", {**run.record, key: value}, run.tables, run.bars)
    with pytest.raises(NbbError, match=rf"run.json: is no record of a run of this version \({key}"):
        nbb.load(tmp_path / "run")
