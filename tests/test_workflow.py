"""The workflow for users of the project: actions pinned by commit, the oldest Python that is allowed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORKFLOW = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")


def test_actions_are_pinned_by_the_full_hash_of_a_commit() -> None:
    used = re.findall(r"uses: (.+)", WORKFLOW)
    assert len(used) >= 3
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_the_oldest_python_allowed_is_tested_and_the_smoke_benchmark_is_run() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest = project["requires-python"].removeprefix(">=")
    versions = re.search(r"python: \[(.+)\]", WORKFLOW)
    assert versions is not None
    assert versions[1].split(", ")[0] == f'"{oldest}"'
    assert "bench smoke --against latest" in WORKFLOW
    assert "bench smoke --against latest" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
