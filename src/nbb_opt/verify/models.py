"""The model a run must obey, read by the verifier itself: by name from the shipped `models/`, or from a file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbb_opt.errors import VerifyFailed
from nbb_opt.shipped import shipped, shipped_names

REFERENCE = "do_nothing"


@dataclass(frozen=True)
class Rules:
    """Blocks and options of a model, as its .toml says them."""

    name: str
    blocks: tuple[str, ...]
    technologies: str
    projects: str
    flows: str


def rules_of(name: Any, file: Path | None = None) -> Rules:
    """The rules of the shipped model `name`, or of `file` where the model is one of the user's own.

    Raises VerifyFailed if there is no such model, or the file is of another one.

    >>> rules_of("do_nothing").technologies
    'today'
    """
    known = shipped_names("models")
    if file is None and name not in known:
        raise VerifyFailed(
            f"the run says it solved the model {name!r}, which is none of {', '.join(known)}; if it is one of your "
            "own, give its file: --model FILE.toml"
        )
    if file is not None and file.stem != name:
        raise VerifyFailed(f"{file}: the run says it solved the model {name!r}, not {file.stem!r}")
    path = file or shipped("models") / f"{name}.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))["model"]
        options = (str(table[key]) for key in ("technologies", "projects", "flows"))
        return Rules(path.stem, tuple(table["blocks"]), *options)
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise VerifyFailed(f"{path}: is no model ({fault})") from None
