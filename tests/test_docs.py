"""What the pages for people show is run as they show it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import nbb_opt

ROOT = Path(__file__).parents[1]


def fenced(path: Path, language: str) -> list[str]:
    """The blocks of a language in a Markdown page."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_the_first_case_of_the_schema_is_complete(tmp_path: Path) -> None:
    page = ROOT / "instances" / "SCHEMA.md"
    nbb_opt("new", tmp_path / "first", "--from", "haulier", check=0)
    (commands,) = [block for block in fenced(page, "sh") if "nbb-opt new first" in block]
    subprocess.run(commands.partition("cd first\n")[2], shell=True, cwd=tmp_path / "first", check=True)
    tables = re.findall(r"^`(\w+\.csv)`\n\n```csv\n(.*?)```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(tables) == 6
    for name, text in tables:
        (tmp_path / "first" / name).write_text(text, "utf-8")
    nbb_opt("check", tmp_path / "first", check=0)
    done = nbb_opt("solve", tmp_path / "first", "--out", tmp_path / "run", "--no-cache", check=0)
    assert "verified: OK" in done.stdout


CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
EXAMPLES = [("README", block) for block in fenced(ROOT / "README.md", "python")] + [
    (section.partition("\n")[0], block)
    for section in CONTRIBUTING.split("\n## ")[1:]
    for block in re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
]


@pytest.mark.parametrize(("title", "example"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_an_example_of_readme_and_contributing_runs_as_it_stands(title: str, example: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, timeout=300,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_kind_of_change_has_its_example() -> None:
    titles = [title for title, _ in EXAMPLES]
    assert titles == [
        "README",
        "An emission factor",
        "A table or a column",
        "A block of the model",
        "A study",
        "A benchmark",
    ]


@pytest.mark.parametrize("page", ["README.md", "models/README.md"])
def test_each_page_says_where_a_factor_a_constraint_and_a_study_go(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for place in ("emissions/factors.csv", "model/blocks/", "studies/"):
        assert (ROOT / "src" / "nbb_opt" / place).exists()
        assert f"{place}`" in text, place


def test_the_commands_of_the_contributing_page_are_targets_of_make() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    named = set(re.findall(r"`make ([a-z-]+)`", (ROOT / "CONTRIBUTING.md").read_text("utf-8")))
    assert named <= targets
    assert {"setup", "lint", "test"} <= named
