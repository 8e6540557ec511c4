"""No command line and no file ends in a traceback, hangs, or ends the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SEED = 19


@pytest.mark.promise(2, 40, 2000)
@pytest.mark.skipif(os.name != "posix", reason="named pipes, limits")
@pytest.mark.timeout(3600)
def test_no_command_line_ends_in_a_traceback_or_hangs(cases: int, tmp_path: Path) -> None:
    faults, first = [], 0
    while first < cases:
        words = [sys.executable, str(Path(__file__).with_name("command_fuzz.py")), str(tmp_path / "fuzz")]
        done = subprocess.run(
            [*words, str(SEED), str(first), str(cases - first)], capture_output=True, text=True, check=False,
            errors="replace",
        )  # fmt: skip
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        assert lines, done.stderr
        faults += [line for line in lines if "fault" in line]
        first = lines[-1]["number"] + 1
        if done.returncode:
            faults.append({**lines[-1], "fault": f"the process ended with {done.returncode}: {done.stderr[-500:]}"})
    assert faults == []
