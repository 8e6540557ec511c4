"""Instances and runs that name their problem are answered by the module of that problem, all others as freight."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbb_opt.errors import InstanceError, NbbError
from nbb_opt.problems.dispatch import MODULES, answers, freight_only, problem_of_instance, problem_of_run

TINY = Path(__file__).parents[1] / "instances" / "tiny"


def test_an_instance_without_the_key_is_freight() -> None:
    assert problem_of_instance(TINY) is None
    freight_only(TINY, "prepare")


@pytest.mark.parametrize("text", ["", "problem = ", "[[["])
def test_an_unreadable_file_is_left_to_the_freight_reader(tmp_path: Path, text: str) -> None:
    (tmp_path / "instance.toml").write_text(text)
    assert problem_of_instance(tmp_path) is None
    assert problem_of_instance(tmp_path / "nowhere") is None
    assert problem_of_run(tmp_path) is None


@pytest.mark.parametrize("value", ["'knapsack'", "3", "['network_design']"])
def test_an_unknown_problem_is_an_error_that_lists_the_known_ones(tmp_path: Path, value: str) -> None:
    (tmp_path / "instance.toml").write_text(f"problem = {value}")
    with pytest.raises(InstanceError, match="is not a known problem") as caught:
        problem_of_instance(tmp_path)
    for name in MODULES:
        assert name in str(caught.value)
    (tmp_path / "run.json").write_text(json.dumps({"problem": "knapsack"}))
    with pytest.raises(NbbError, match="is not a known problem"):
        problem_of_run(tmp_path)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_registered_problem_answers(name: str, tmp_path: Path) -> None:
    found = answers(name)
    assert all(callable(getattr(found, what)) for what in ("check", "solve", "verify", "report"))
    (tmp_path / "instance.toml").write_text(f"problem = '{name}'")
    assert problem_of_instance(tmp_path) == name
    with pytest.raises(NbbError, match="knows the freight problem only"):
        freight_only(tmp_path, "prepare")
