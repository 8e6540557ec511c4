"""Every command answers for the problem an instance or a run is about, or says in one true line that it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.main import get_command

import nbb_opt as nbb
from command_line import nbb_opt
from nbb_opt.cli.main import app
from nbb_opt.errors import InstanceError, NbbError
from nbb_opt.problems.dispatch import FREIGHT, NAMED, OF_INSTANCES, OF_RUNS, PROBLEMS, handlers, problem_of
from nbb_opt.shipped import shipped

TINY, DESIGN, STRAM = (shipped("instances") / name for name in ("tiny", "design_tiny", "stram_tiny"))


def test_an_instance_without_the_key_is_freight() -> None:
    assert problem_of(TINY, "prepare") == FREIGHT


@pytest.mark.parametrize("text", ["", "problem = ", "[[["])
def test_an_unreadable_file_is_left_to_the_freight_reader(tmp_path: Path, text: str) -> None:
    (tmp_path / "instance.toml").write_text(text)
    assert problem_of(tmp_path, "check") == FREIGHT
    assert problem_of(tmp_path / "nowhere", "check") == FREIGHT
    (tmp_path / "run.json").write_text("{")
    assert problem_of(tmp_path, "verify") == FREIGHT


@pytest.mark.parametrize("value", ["'knapsack'", "3", "['network_design']"])
def test_an_unknown_problem_is_an_error_that_lists_the_known_ones(tmp_path: Path, value: str) -> None:
    (tmp_path / "instance.toml").write_text(f"problem = {value}")
    with pytest.raises(InstanceError, match="is not a known problem") as caught:
        problem_of(tmp_path, "check")
    for name in PROBLEMS:
        assert name in str(caught.value)
    (tmp_path / "run.json").write_text(json.dumps({"problem": "knapsack"}))
    with pytest.raises(NbbError, match="is not a known problem"):
        problem_of(tmp_path, "verify")


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_problem_answers_the_commands_it_names_and_refuses_the_others(name: str, tmp_path: Path) -> None:
    assert all(callable(getattr(handlers(name), command)) for command in (*NAMED, "state"))
    assert set(NAMED) <= PROBLEMS[name].commands
    (tmp_path / "run.json").write_text(json.dumps({"problem": name}))
    (tmp_path / "instance.toml").write_text(f"problem = '{name}'")
    for command in (*OF_INSTANCES, *OF_RUNS):
        if command in PROBLEMS[name].commands:
            assert problem_of(tmp_path, command) == name
        else:
            with pytest.raises(NbbError, match=f"is about {name}; {command} is about freight only"):
                problem_of(tmp_path, command)


@pytest.mark.parametrize("path", [DESIGN, STRAM], ids=lambda path: path.name)
def test_what_a_region_of_freight_does_is_refused_in_one_line(path: Path, tmp_path: Path) -> None:
    region = nbb.read(path)
    calls = {
        "build": lambda: nbb.build(region),
        "write": lambda: nbb.write(region, tmp_path / "copy"),
        "with_table": lambda: region.with_table("nodes", lambda t: t),
        "scenario": lambda: region.scenario("dear"),
    }
    for name, call in calls.items():
        with pytest.raises(NbbError, match=rf"is about {region.problem}; .*{name}.* freight only") as caught:
            call()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("instance", [DESIGN, STRAM], ids=lambda path: path.name)
@pytest.mark.parametrize("command", [*OF_INSTANCES, "verify", "report", "sensitivity --accounting"])
def test_every_command_says_one_true_line_on_another_problem(command: str, instance: Path, tmp_path: Path) -> None:
    if command == "solve":
        pytest.skip("solves; see the tests of the problem")
    name, *options = command.split()
    also = {"upgrade": [tmp_path / "new"], "convert": [tmp_path / "new"], "locate": ["--plant", tmp_path / "plant.csv"],
            "strategy": ["--run", tmp_path / "run"]}.get(name, [])  # fmt: skip
    done = nbb_opt(name, instance, *also, *options, cwd=tmp_path)
    if name in PROBLEMS[problem_of(instance, "check")].commands - set(OF_RUNS):
        assert done.returncode == 0
        assert "no problems found" in done.stdout
    else:
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1, done.stderr
        wanted = "is an instance, and" if name in ("verify", "report") else f"{name} is about freight only"
        assert wanted in done.stderr


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_run_in_the_place_of_an_instance_is_refused_in_one_line(problem: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"problem": problem}))
    for command in set(OF_INSTANCES) - set(OF_RUNS):
        with pytest.raises(NbbError, match=f"^{tmp_path}: is a run, and this is about an instance"):
            problem_of(tmp_path, command)
    for call in (nbb.read, nbb.check, nbb.prepare, nbb.sweep, nbb.solve, lambda run: nbb.convert(run, tmp_path / "x")):
        with pytest.raises(NbbError, match="is a run, and this is about an instance"):
            call(tmp_path)  # type: ignore[operator]


@pytest.mark.parametrize("given", [TINY, DESIGN])
def test_an_instance_of_another_problem_than_the_run_is_named(given: Path, tmp_path: Path) -> None:
    own, other = ("network_design", FREIGHT) if given is TINY else (FREIGHT, "network_design")
    (tmp_path / "run.json").write_text(json.dumps({"problem": own}))
    said = f"^{given}: is about {other}, the plan is about {own}; give the instance that was solved$"
    for each in (given, nbb.read(given)):
        for call in (
            nbb.load,
            nbb.verify,
            lambda run, instance: nbb.report(run, tmp_path / "x.html", instance=instance),
        ):
            with pytest.raises(NbbError, match=said):
                call(tmp_path, instance=each)  # type: ignore[operator]


def test_freight_knows_every_command_about_an_instance_or_a_run() -> None:
    about = {
        name for name, command in get_command(app).commands.items()
        if {"instance", "run", "runs"} & {each.name for each in command.params if each.param_type_name == "argument"}
    }  # fmt: skip
    assert {"solve", "verify", "compare", "strategy"} <= about <= PROBLEMS[FREIGHT].commands
