"""The wheel in empty environments, without the repository: `new demo`, then `solve demo` (make test-release)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
pytestmark = [pytest.mark.release, pytest.mark.timeout(3600)]


def run(*words: object, cwd: Path, code: int = 0) -> str:
    """What a program prints that knows nothing of the repository; its errors if it has to end with another code."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "NBB_OPT", "NUMBA"))}
    done = subprocess.run([str(word) for word in words], cwd=cwd, env=clean, capture_output=True, text=True)
    assert done.returncode == code, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stderr if code else done.stdout


def environment(folder: Path, *requirements: object) -> Path:
    """The programs of a new environment with these requirements and nothing else."""
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    run(programs / "python", "-m", "pip", "install", "--quiet", *requirements, cwd=folder)
    return programs


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    programs = environment(folder / "builder", *PROJECT["build-system"]["requires"])
    run(programs / "python", "-m", "hatchling", "build", "-d", folder / "dist", cwd=ROOT)
    return folder / "dist"


def oldest() -> list[str]:
    """The smallest allowed version of every library."""
    return [re.sub(r">=([\d.]+).*", r"==\1", each) for each in PROJECT["project"]["dependencies"]]


def test_wheel_and_sdist_hold_what_a_user_needs_and_no_tools(built: Path) -> None:
    (wheel,), (source,) = built.glob("*.whl"), built.glob("*.tar.gz")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"nbb_opt/shipped/models/joint.toml", "nbb_opt/shipped/instances/nbb/links.csv"} <= set(names)
    assert [name for name in names if "benchmarks" in name or "make_outlines" in name or name.startswith("tests")] == []
    with tarfile.open(source) as archive:
        assert any(name.endswith("/benchmarks/harness/cli.py") for name in archive.getnames())


@pytest.mark.parametrize("libraries", [(), tuple(oldest())], ids=["newest", "oldest"])
def test_a_demo_is_solved_without_the_repository(libraries: tuple[str, ...], built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    nbb_opt = environment(tmp_path / "environment", wheel, *libraries) / "nbb-opt"
    assert json.loads(run(nbb_opt, "doctor", "--json", cwd=tmp_path))["solver"] == "OK"  # and no banner before it
    run(nbb_opt, "new", "demo", "--from", "nbb", cwd=tmp_path)
    closing = run(nbb_opt, "solve", "demo", "--time-limit", "600", cwd=tmp_path)  # compiles too, on a busy machine
    assert "verified: OK" in closing
    assert (tmp_path / "runs" / "demo-joint" / "report.html").is_file()
    refused = run(nbb_opt, "bench", "smoke", cwd=tmp_path, code=1)
    assert len(refused.splitlines()) == 1
    assert "need a checkout" in refused
