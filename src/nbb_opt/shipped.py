"""Where the instances and models that come with the package lie: in an installed wheel, or at the repository root."""

from __future__ import annotations

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


def shipped_names(kind: Literal["instances", "models"]) -> list[str]:
    """Names of the shipped instances (folders with an instance.toml) or models (`<name>.toml`), sorted."""
    folder = shipped(kind)
    if kind == "instances":
        return sorted(path.parent.name for path in folder.glob("*/instance.toml"))
    return sorted(path.stem for path in folder.glob("*.toml"))
