"""What a calculation is to do, as it is sent to the process that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Send = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What to do: `rows` is the plan as typed, `folder` is for the files, `best` what is known of the best plan.

    Of the region view `folder` is that of the run, which is kept, and `asked` the flow to explain or the study to make.
    """

    kind: str
    source: str
    rows: list[list[str]]
    folder: str
    cache: str
    options: dict[str, Any]
    best: dict[str, Any] | None = None
    asked: dict[str, Any] | None = None
