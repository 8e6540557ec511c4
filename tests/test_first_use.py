"""Kernels are compiled once, said once, and kept where something can be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbb_opt import compiling, first_use
from nbb_opt.network import prepare
from nbb_opt.solve.stop import Stop
from network_worlds import random_world


@pytest.fixture(autouse=True)
def chosen_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    for known in (compiling.place, compiling.digest):
        known.cache_clear()
    yield
    for known in (compiling.place, compiling.digest):
        known.cache_clear()


def test_kernels_are_kept_beside_the_package_under_what_they_hold() -> None:
    assert compiling.place() == compiling.PACKAGE / "__pycache__" / f"kernels-{compiling.digest()}"


def test_every_file_with_kernels_is_part_of_the_key() -> None:
    files = {file for pattern in compiling.HOLDERS for file in compiling.PACKAGE.glob(pattern)}
    texts = {file: file.read_text() for file in compiling.PACKAGE.rglob("*.py")}
    users = {file for file, text in texts.items() if "nbb_opt.compiling import" in text or "import njit" in text}
    assert users <= files


def test_a_change_of_a_kernel_that_another_file_calls_is_compiled(tmp_path: Path) -> None:
    package = tmp_path / "nbb_opt"
    kernels = package / "network" / "kernels"
    kernels.mkdir(parents=True)
    for folder in (package, package / "network", kernels):
        (folder / "__init__.py").touch()
    for name in ("first_use.py", "compiling.py"):
        shutil.copy(compiling.PACKAGE / name, package)
    head = "from nbb_opt.compiling import kernel\n"
    called = f"{head}from nbb_opt.network.kernels.called import inner\n"
    (kernels / "calling.py").write_text(f"{called}@kernel\ndef outer():\n    return inner()\n")
    code = "from nbb_opt.network.kernels.calling import outer; print(outer(), sum(outer.stats.cache_hits.values()))"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    answers = []
    for number in (1, 1, 2):
        (kernels / "called.py").write_text(f"{head}@kernel\ndef inner():\n    return {number}\n")
        run = [sys.executable, "-c", code]
        done = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=100, check=True)
        answers.append(done.stdout.strip())
    assert answers == ["1 0", "1 1", "2 0"]  # answer, and how often it was read back
    assert len(list((package / "__pycache__").glob("kernels-*"))) == 1


def test_a_read_only_installation_keeps_kernels_in_a_temporary_place_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compiling, "writable", lambda folder: tmp_path in folder.parents)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(first_use, "_hear", [])
    told: list[str] = []
    first_use.announce(told.append)
    place = compiling.place()
    assert place.parent == tmp_path
    assert place.is_dir()
    assert compiling.place() == place
    assert len(told) == 1
    assert str(place) in told[0]


def test_the_time_limit_does_not_count_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Stop(100.0)
    before = stop.left_s()
    monkeypatch.setattr(first_use, "_done", [(time.perf_counter(), 40.0), (stop.started - 1, 20.0)])
    assert stop.left_s() == pytest.approx(before + 40, abs=1)


def test_compiling_is_said_once(tmp_path: Path) -> None:
    code = (
        "from nbb_opt.first_use import announce, compiled_s, watch\n"
        "announce(print)\nwatch()\nfrom nbb_opt.network.kernels.look_at_steps import changes_seen, rows_of\n"
        "import numpy as np\nchanges_seen(np.array([-1]), 2)\nrows_of(*[np.zeros(1, np.int64)] * 3)\n"
        "print(compiled_s(0.0) > 0)\n"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=100, check=True)
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["compiling for the first time", "True"]
    again = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=100, check=True)
    assert again.stdout.splitlines() == ["False"]


def test_whoever_prepares_has_compiling_watched(tmp_path: Path) -> None:
    prepare(random_world(tmp_path, seed=0, n_nodes=6, n_flows=2))
    assert first_use._watching
