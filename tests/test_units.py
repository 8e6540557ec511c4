"""The study engine: units are solved once, kept whole, and a study that was killed comes to the same records."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import nbb_opt as nbb
from nbb_opt.errors import InstanceError, NbbError, Problem
from nbb_opt.report.study import Answer
from nbb_opt.solve import Stop
from nbb_opt.studies.units import UNITS, Study, Unit

MANY, WORKERS = 60, 2


@dataclass
class Doubling:
    """Twice a value, more the value of the unit before; a line in `log` for each, and some time."""

    log: Path
    takes_s: float = 0.0

    def __call__(self, asked: dict[str, Any], before: dict[str, Any] | None, stop: Stop) -> dict[str, Any]:
        if asked["value"] < 0:
            raise InstanceError([Problem("value", "is negative")])
        time.sleep(self.takes_s)
        with self.log.open("a", encoding="utf-8") as file:
            file.write(f"{asked['value']}\n")
        return {"twice": 2 * asked["value"] + (before or {"twice": 0})["twice"]}


def units(many: int) -> list[Unit]:
    return [Unit(f"unit {i}", {"value": i}, after=f"unit {i - 1}" if i % 10 else "") for i in range(many)]


def answers(folder: Path, log: Path, *, workers: int = 1, many: int = MANY, takes_s: float = 0.0) -> dict[str, int]:
    with Study(folder, "test", {"instance": "x"}, Doubling(log, takes_s), workers=workers) as study:
        return {name: record["twice"] for name, record in study.run(units(many)).items()}


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of POSIX")
@pytest.mark.parametrize("wanted", [3, pytest.param(20, marks=pytest.mark.hard)])
def test_a_killed_study_goes_on_to_the_same_records_and_redoes_a_unit_a_worker_at_most(
    wanted: int, tmp_path: Path
) -> None:
    expected = answers(tmp_path / "whole", tmp_path / "once")
    assert expected["unit 11"] == 2 * (10 + 11)
    folder, log, dice = tmp_path / "killed", tmp_path / "log", random.Random(1)
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\nfrom test_units import answers\n"
        f"if __name__ == '__main__':\n    folder, log = Path({str(folder)!r}), Path({str(log)!r})\n"
        f"    answers(folder, log, workers={WORKERS}, takes_s=0.1)\n"
    )
    kills = 0
    for _ in range(wanted):
        process = subprocess.Popen([sys.executable, "-c", program])
        finished = len(list((folder / UNITS).glob("*.json"))) if folder.exists() else 0
        until = time.monotonic() + 120
        while time.monotonic() < until and process.poll() is None:
            if len(list((folder / UNITS).glob("*.json"))) > finished:
                time.sleep(dice.uniform(0, 0.08))
                process.send_signal(signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.01)
        process.wait()
        time.sleep(0.6)  # its workers end by themselves
    assert kills == wanted
    assert answers(folder, log, workers=WORKERS) == expected
    assert MANY <= len(log.read_text().split()) <= MANY + kills * WORKERS
    before = log.read_text()
    assert answers(folder, log) == expected
    assert log.read_text() == before


def test_a_damaged_unit_is_solved_again_and_a_folder_of_another_study_is_refused(tmp_path: Path) -> None:
    folder, log = tmp_path / "study", tmp_path / "log"
    expected = answers(folder, log, many=3)
    next((folder / UNITS).glob("*.json")).write_text("{")
    assert answers(folder, log, many=4) == {**expected, "unit 3": 12}
    assert len(log.read_text().split()) == 5
    with pytest.raises(NbbError, match=r"holds another study \(other instance\); choose another out="):
        Study(folder, "test", {"instance": "y"}, Doubling(log))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear diary")
    with pytest.raises(NbbError, match="holds no results of this command"):
        Study(tmp_path / "mine", "test", {}, Doubling(log))
    with pytest.raises(NbbError, match="is there twice"):
        answers_of(tmp_path / "twice", log, 1, 2)


def answers_of(folder: Path, log: Path, *values: int) -> None:
    with Study(folder, "test", {"values": values}, Doubling(log)) as study:
        study.run([Unit("a", {"value": value}) for value in values])


def test_a_study_that_fails_before_its_first_unit_leaves_its_folder_to_another(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match="value: is negative"):
        answers_of(tmp_path / "study", tmp_path / "log", -1)
    answers_of(tmp_path / "study", tmp_path / "log", 1)


def test_what_a_worker_refuses_is_raised_whole_and_a_request_to_stop_keeps_what_is_done(tmp_path: Path) -> None:
    with Study(None, "test", {}, Doubling(tmp_path / "log"), workers=2) as study:  # noqa: SIM117
        with pytest.raises(InstanceError, match="value: is negative") as refused:
            study.run([Unit("a", {"value": 1}), Unit("b", {"value": -1}, after="a")])
    assert refused.value.problems[0].where == "value"
    stop, said = Stop(float("inf")), []

    def say(line: str) -> None:
        said.append(line)
        stop.asked.set()

    with Study(tmp_path / "study", "test", {}, Doubling(tmp_path / "log"), say=say, stop=stop) as study:
        assert list(study.run(units(5))) == ["unit 0"]
        assert study.stopped
    assert "1 of 5: unit 0" in said[0]
    assert "left" in said[0]


def test_a_study_tells_how_many_solves_it_needs_before_the_first_and_how_long_those_left_take(tmp_path: Path) -> None:
    said: list[str] = []
    about = {"time_limit_s": 120.0}
    for many in (2, 5):
        with Study(
            tmp_path / "study", "test", about, Doubling(tmp_path / "log"), say=said.append, solves=5, at="at most"
        ) as study:
            study.run(units(many))
    assert said[0] == "at most 5 solves to make, each at most 2 min; how long they take is known after the first"
    assert said[1].startswith("1 of 5: unit 0")
    assert said[3] == "2 of 5 were finished before"
    assert said[4].startswith("at most 3 solves to make, about ")
    assert said[-1].startswith("5 of 5: unit 4")


STUDIES: dict[str, Callable[[Stop], Answer]] = {
    "sweep": lambda stop: nbb.sweep(nbb.examples.tiny(), vary="demand", values=[0.9, 1.1], relax=True, stop=stop),
    "pareto": lambda stop: nbb.pareto(nbb.examples.tiny(), points=4, relax=True, stop=stop),
    "abate": lambda stop: nbb.abate(nbb.examples.tiny(), relax=True, stop=stop),
    "tornado": lambda stop: nbb.tornado(nbb.examples.tiny(), relax=True, stop=stop),
    "sensitivity": lambda stop: nbb.sensitivity(nbb.examples.tiny(), stop=stop),
}


@pytest.mark.parametrize("finished", [0, 1, 3])
@pytest.mark.parametrize("name", list(STUDIES))
def test_a_study_that_is_stopped_after_any_unit_shows_what_is_done_and_concludes_nothing(
    name: str, finished: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, keep = Stop(float("inf")), Study._keep

    def kept(study: Study, unit: Unit, record: dict[str, Any]) -> None:
        keep(study, unit, record)
        if len(study.records) >= finished:
            stop.asked.set()

    monkeypatch.setattr(Study, "_keep", kept)
    if not finished:
        stop.asked.set()
    found = STUDIES[name](stop)
    assert found.about["status"] == "stopped"
    (said,) = found.sentences
    assert said.startswith("The study was stopped")
    assert len(found.records) == finished
    assert found.page()
