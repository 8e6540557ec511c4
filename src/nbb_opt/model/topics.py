"""The mathematics of a model as its docstrings say it, taken apart and set as Markdown."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

SECTIONS = ("Variables", "Constraints", "Contributes")


@dataclass(frozen=True)
class Topic:
    """The mathematics of one block function: its sentence, its remarks, and (name, text) rows by section."""

    block: str
    title: str
    remarks: str
    rows: dict[str, tuple[tuple[str, str], ...]]


def topic_of(block: str, docstring: str) -> Topic:
    """The topic that a docstring holds; a line that is indented further goes on with the row above it."""
    lines = inspect.cleandoc(docstring).splitlines()
    rows: dict[str, list[tuple[str, str]]] = {section: [] for section in SECTIONS}
    free: list[str] = []
    section = ""
    for line in lines[1:]:
        if line in SECTIONS:
            section = line
        elif not section:
            free.append(line)
        elif found := re.match(r"    (\w+)\s{2,}(\S.*)$", line):
            rows[section].append((found.group(1), found.group(2)))
        elif line.strip():
            name, text = rows[section][-1]
            rows[section][-1] = (name, f"{text} {line.strip()}")
    return Topic(block, lines[0], " ".join(" ".join(free).split()), {key: tuple(value) for key, value in rows.items()})


def topic_lines(topic: Topic) -> list[str]:
    """A topic as lines of Markdown."""
    lines = ["", f"## {topic.block}: {topic.title[0].lower()}{topic.title[1:].rstrip('.')}", ""]
    if topic.remarks:
        lines += [topic.remarks, ""]
    lines += ["| | | |", "|---|---|---|"]
    for section in SECTIONS:
        for name, text in topic.rows[section]:
            lines.append(f"| {section.lower()} | `{name}` | {_cell(text)} |")
    return lines


def _cell(text: str) -> str:
    return re.sub(r"\s{2,}", ", ", text).replace("|", r"\|")
