"""The notebooks of docs/ run as written, and what they print is what stands in them."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MASKED = re.compile(r"[-\d.,]+")  # figures and seconds differ between machines and solver versions; words do not


def outputs_of(notebook: dict[str, Any]) -> list[list[dict[str, Any]]]:
    spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
    assert spec is not None and spec.loader is not None  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.outputs_of(notebook)


def shown(outputs: list[dict[str, Any]]) -> list[str]:
    """What a cell prints, figures masked, and the kinds of picture or table that it shows."""
    return [MASKED.sub("#", "".join(each["text"])) if "text" in each else str(sorted(each["data"])) for each in outputs]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_as_written_and_shows_what_is_committed(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    outputs = outputs_of(notebook)
    found = [shown(each) for each in outputs]
    assert found == [shown(cell.get("outputs", [])) for cell in notebook["cells"]], "run docs/notebooks/execute.py"
    pictures = ["".join(each["data"].get("image/svg+xml", [])) for cell in outputs for each in cell if "data" in each]
    assert any(pictures)
    for picture in filter(None, pictures):
        ElementTree.fromstring(picture)


def test_there_is_a_notebook_for_each_of_three_readers() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["haulier", "researcher", "strategist"]
    assert sum(path.stat().st_size for path in NOTEBOOKS) < 200_000
