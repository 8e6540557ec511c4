"""Kernels are compiled once, said once, and kept where something can be written."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nbb_opt import first_use
from nbb_opt.network import prepare
from nbb_opt.solve.stop import Stop
from network_worlds import random_world


def test_a_place_that_can_be_written_to_is_left_to_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    told: list[str] = []
    first_use.choose_place(told.append)
    assert "NUMBA_CACHE_DIR" not in os.environ
    assert told == []


def test_a_read_only_installation_keeps_kernels_in_a_temporary_place_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    monkeypatch.setattr(first_use, "_writable", lambda folder: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    told: list[str] = []
    first_use.choose_place(told.append)
    place = Path(os.environ["NUMBA_CACHE_DIR"])
    assert place.parent == tmp_path
    assert place.is_dir()
    first_use.choose_place(told.append)
    assert len(told) == 1
    assert str(place) in told[0]


def test_the_time_limit_does_not_count_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Stop(100.0)
    before = stop.left_s()
    monkeypatch.setattr(first_use, "_done", [(time.perf_counter(), 40.0), (stop.started - 1, 20.0)])
    assert stop.left_s() == pytest.approx(before + 40, abs=1)


def test_compiling_is_said_once(tmp_path: Path) -> None:
    code = (
        "from nbb_opt.first_use import choose_place, compiled_s, watch\n"
        "choose_place(print)\nwatch()\nfrom nbb_opt.network.kernels.look_at_steps import changes_seen, rows_of\n"
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
