"""Where things lie: what comes with the package (in a wheel, or at the repository root), and what it keeps."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Literal

from nbb_opt.errors import NbbError


def shipped(kind: Literal["instances", "models"]) -> Path:
    """Folder of the shipped instances or models. Raises NbbError if the installation is incomplete."""
    here = Path(__file__).resolve().parent
    for folder in (here / "shipped" / kind, here.parent.parent / kind):
        if folder.is_dir():
            return folder
    raise NbbError(f"the folder of the shipped {kind} is missing from this installation: install nbb-opt again")


def shipped_names(kind: Literal["instances", "models"], *, problem: str = "freight") -> list[str]:
    """Names of the shipped instances (folders with an instance.toml) or models (`<name>.toml`) of a problem, sorted.

    What names no problem is about freight.
    """
    folder = shipped(kind)
    files = folder.glob("*/instance.toml") if kind == "instances" else folder.glob("*.toml")
    return sorted(
        path.parent.name if kind == "instances" else path.stem for path in files if _problem_of(path) == problem
    )


def cache_folder() -> Path:
    """Where prepared chains are kept: $NBB_OPT_CACHE, else a folder in the user's cache directory."""
    named = os.environ.get("NBB_OPT_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "nbb-opt"


def _problem_of(path: Path) -> str:
    keys = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    return str(keys.get("model", keys).get("problem", "freight"))
