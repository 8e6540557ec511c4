"""Promises that need whole processes: limits of time and memory, kills, repeats; other files prove the other rows."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import nbb_opt as nbb
from nbb_opt.cli.main import OUT_OF_MEMORY
from nbb_opt.errors import Infeasible, InstanceError
from nbb_opt.result import read_run

ROOT = Path(__file__).parents[1]
TINY, HAULIER = ROOT / "instances" / "tiny", ROOT / "instances" / "haulier"
FINISH_S = 20.0  # of reading, verification, ledger and report on top of a time limit
COUNTERS = ("cost_eur", "bound", "rows", "columns", "nonzeros", "integers", "nodes", "iterations")
posix = pytest.mark.skipif(os.name != "posix", reason="signals, limits of processes")


def started(*words: object, limit: int | None = None, **environment: str) -> subprocess.Popen[str]:
    """`nbb-opt WORDS` in a process of its own; `limit` bounds its address space."""

    def bound() -> None:
        import resource

        if limit is not None:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    return subprocess.Popen(
        [sys.executable, "-m", "nbb_opt", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **environment}, preexec_fn=bound if os.name == "posix" else None,
    )  # fmt: skip


def ended(process: subprocess.Popen[str], *codes: int) -> str:
    """What it printed, once it has ended with one of the exit codes and without a traceback."""
    out, err = process.communicate(timeout=600)
    assert "Traceback" not in out + err, err
    assert process.returncode in codes, (process.returncode, err[-1000:])
    return out


def children_cpu_s() -> float:
    """Processor time of the processes that were waited for."""
    return sum(os.times()[2:4])


@pytest.mark.promise(10, 4, 40)
def test_instances_of_extreme_numbers_end_in_verified_plans(cases: int) -> None:
    plans = 0
    for seed in range(cases):
        dice = random.Random(seed)
        tonnes, price, speed = 10 ** dice.uniform(-4, 2), 10 ** dice.uniform(-3, 1.5), 10 ** dice.uniform(-1, 1)
        try:
            region = nbb.examples.tiny().with_table("od", lambda t, by=tonnes: t.assign(tonnes=by * t["tonnes"]))
            region = region.with_table("country_years", lambda t, by=price: t.assign(
                carbon_price_eur_per_t=by * t["carbon_price_eur_per_t"], note="plausible: extreme"))  # fmt: skip
            region = region.with_table("links", lambda t, by=speed: t.assign(
                time_h=by * t["time_h"], note="plausible: extreme"))  # fmt: skip
            plan = nbb.solve(region, gap=1e-4, cache=False)
        except (InstanceError, Infeasible):
            continue  # refused, or its trucks do not come back in time: with the reason
        assert plan.verified
        assert plan.status == "optimal"
        plans += 1
    assert plans >= cases // 2


@pytest.mark.promise(11, 3, 60)
@pytest.mark.timeout(3600)
def test_repeats_threads_hash_seeds_and_the_order_of_rows_change_no_counter(cases: int, tmp_path: Path) -> None:
    found: set[tuple[Any, ...]] = set()
    for number in range(cases):
        copy, dice = tmp_path / str(number), random.Random(number)
        shutil.copytree(TINY, copy)
        (copy / "datapackage.json").unlink(missing_ok=True)
        for table in copy.glob("*.csv") if number % 3 else ():
            head, *rows = table.read_text("utf-8").splitlines()
            dice.shuffle(rows)
            table.write_text("\n".join([head, *rows]) + "\n", "utf-8")
        words = ("solve", copy, "--out", tmp_path / f"run{number}", "--json", "--threads", 1 + number % 2,
                 "--no-reference")  # fmt: skip
        cache = () if number % 4 else ("--no-cache",)
        record = json.loads(ended(started(*words, *cache, PYTHONHASHSEED=str(number * 7)), 0))
        found.add(tuple(record[key] for key in COUNTERS))
        shutil.rmtree(tmp_path / f"run{number}")
    assert len(found) == 1


@posix
@pytest.mark.promise(13, 1, 12)
@pytest.mark.timeout(3600)
def test_a_time_limit_is_kept_from_start_to_report(cases: int, tmp_path: Path) -> None:
    nbb.prepare(HAULIER)  # kernels are compiled, chains are kept
    large = tmp_path / "large"  # its preparation and build take longer than the shorter limits
    if cases > 8:
        ended(started("new", large, "--synthetic", "--bundles", 1000, "--seed", 1), 0)
    asked = list(product((HAULIER, ROOT / "instances" / "nbb", large), (1, 2, 5, 30)))[:cases]
    for number, (instance, limit_s) in enumerate(asked):
        begun, used_s = time.monotonic(), children_cpu_s()
        process = started("solve", instance, "--gap", "1e-9", "--time-limit", limit_s, "--out", tmp_path / str(number))
        ended(process, 0, 4)
        took_s = min(time.monotonic() - begun, children_cpu_s() - used_s)  # the less: other work may hold it up
        assert took_s <= limit_s + FINISH_S, (instance, limit_s)
        if process.returncode == 0:
            assert read_run(tmp_path / str(number)).record["verified"]


@posix
@pytest.mark.promise(13, 1, 20)
@pytest.mark.timeout(3600)
def test_a_stop_at_any_moment_keeps_a_complete_plan_or_says_that_there_is_none(cases: int, tmp_path: Path) -> None:
    for number in range(cases):
        target, dice = tmp_path / str(number), random.Random(number)
        process = started("solve", HAULIER, "--gap", "1e-9", "--time-limit", "60", "--out", target)
        time.sleep(dice.uniform(1.0, 8.0))
        process.send_signal(dice.choice([signal.SIGTERM, signal.SIGINT]))
        ended(process, 0, 130, -signal.SIGTERM, -signal.SIGINT)
        if target.exists():  # the plan, or, where there was none yet, what it would have been compared with
            record = read_run(target).record
            assert record["verified"]
            assert (record["model"] == "joint") == (process.returncode == 0)
        else:
            assert process.returncode != 0


def points_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "sweep.csv")


@posix
@pytest.mark.promise(14, 1, 20)
@pytest.mark.timeout(3600)
def test_a_killed_sweep_goes_on_to_the_same_points(cases: int, tmp_path: Path) -> None:
    values = ",".join(f"{0.7 + 0.01 * step:.2f}" for step in range(60 if cases > 1 else 8))
    words = ("sweep", TINY, "--vary", "demand", "--values", values, "--relax", "--out")
    ended(started(*words, tmp_path / "whole"), 0)
    for number in range(cases):
        process = started(*words, tmp_path / str(number))
        time.sleep(random.Random(number).uniform(1.0, 4.0))
        process.kill()
        process.communicate()
        ended(started(*words, tmp_path / str(number)), 0)
        pd.testing.assert_frame_equal(points_of(tmp_path / str(number)), points_of(tmp_path / "whole"))


@pytest.mark.promise(14, 1, 20)
@pytest.mark.timeout(3600)
def test_two_processes_on_one_run_folder_leave_one_complete_run(cases: int, tmp_path: Path) -> None:
    for number in range(cases):
        both = [started("solve", TINY, "--no-reference", "--out", tmp_path / str(number)) for _ in range(2)]
        for process in both:
            ended(process, 0, 1)  # the second to rename may be told that the place changed
        assert 0 in {process.returncode for process in both}
        assert read_run(tmp_path / str(number)).record["verified"]
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def capped(cases: int, need: int) -> Iterator[tuple[str, int]]:
    fractions, commands = (0.5, 0.25, 0.75), ("solve", "prepare", "check")
    every = [(command, int(need * fraction)) for command in commands for fraction in fractions]
    yield from every[:cases]


@posix
@pytest.mark.promise(15, 2, 9)
@pytest.mark.timeout(3600)
def test_under_a_memory_cap_a_command_ends_in_a_line_or_in_its_result(cases: int, tmp_path: Path) -> None:
    script = (
        "import sys; sys.argv = ['nbb-opt', 'solve', {tiny!r}, '--out', {out!r}]\n"
        "from nbb_opt.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('PEAK', next(l for l in open('/proc/self/status') if l.startswith('VmPeak')).split()[1])"
    ).format(tiny=str(TINY), out=str(tmp_path / "free"))
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of a process is read from /proc")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    need = 1024 * int(done.stdout.rpartition("PEAK ")[2])
    for number, (command, limit) in enumerate(capped(cases, need)):
        out = ("--out", tmp_path / str(number)) if command == "solve" else ()
        process = started(command, TINY, *out, limit=limit)
        said, err = process.communicate(timeout=300)
        assert "Traceback" not in said + err, err
        assert process.returncode == 0 or (process.returncode in (1, 4) and err.strip()), (process.returncode, err)
        assert not out or (tmp_path / str(number)).exists() == (process.returncode == 0)


@posix
@pytest.mark.promise(15)
def test_an_error_that_python_has_no_memory_to_hand_on_is_a_line_too() -> None:
    script = (
        "import resource\n"
        "from nbb_opt.cli.main import survive_aborts\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))\n"
        "survive_aborts()\n"
        "raise SystemError('error return without exception set')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == OUT_OF_MEMORY.decode()


MANY = """
import gc, sys
from pathlib import Path
import nbb_opt as nbb
def resident():
    gc.collect()
    return 1024 * int(next(l for l in open("/proc/self/status") if l.startswith("VmRSS")).split()[1])
tiny, count = nbb.examples.tiny(), int(sys.argv[1])
warm = max(5, count // 10)
for number in range(warm + count):
    if number == warm:
        before = resident()
    nbb.solve(tiny)
print(resident() / before)
"""


@pytest.mark.promise(21, 6, 500)
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from /proc")
def test_many_solves_in_one_process_need_no_more_memory(cases: int) -> None:
    done = subprocess.run([sys.executable, "-c", MANY, str(cases)], capture_output=True, text=True, check=True)
    assert float(done.stdout) <= 1.05
