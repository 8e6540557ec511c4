"""The mathematics of a model as its docstrings say it, taken apart and set as Markdown."""

from __future__ import annotations

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
