"""The suite `paths`: this package and scipy find the same distances."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from nbb_opt.cli.main import app


def test_the_paths_suite_agrees_with_scipy_at_a_small_size(tmp_path: Path) -> None:
    out = tmp_path / "paths.json"
    args = ["bench", "paths", "--json", str(out), "--rows", "400", "--rounds", "1", "--case", "made-up"]
    done = CliRunner().invoke(app, [*args, "--only", "ours,scipy"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    (case,) = json.loads(out.read_text())["cases"]
    assert case["agree"] == ["ours", "scipy"]
    assert case["counters"]["distances"] == 8 * 400 * 400
