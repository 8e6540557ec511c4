"""Executes the notebooks beside this file and writes what their cells show into them.

    python docs/notebooks/execute.py

Outputs are committed, so that a reader on the web sees the pictures; they are small, since instances and tables are.
The tests execute every notebook and compare what its cells print with what stands in it.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def outputs_of(notebook: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """What each code cell shows: its printed lines, and the value of its last line if that is an expression."""
    names: dict[str, Any] = {"__name__": "__main__"}
    return [_run("".join(cell["source"]), names) if cell["cell_type"] == "code" else [] for cell in notebook["cells"]]


def _run(source: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    body, value = ast.parse(source).body, None
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), "cell", "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    shown: list[dict[str, Any]] = []
    if text := printed.getvalue():
        shown.append({"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)})
    if value is not None:
        data = {"text/plain": repr(value).splitlines(keepends=True)}
        for kind, method in (("text/html", "_repr_html_"), ("image/svg+xml", "_repr_svg_")):
            if hasattr(value, method):
                data[kind] = getattr(value, method)().splitlines(keepends=True)
        shown.append({"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": data})
    return shown


def main() -> None:
    """Execute all of them."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell, shown in zip(notebook["cells"], outputs_of(notebook), strict=True):
            if cell["cell_type"] == "code":
                cell["outputs"] = shown
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
