"""A new instance to start from: a copy of one that works."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import tempfile
from pathlib import Path

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.package import DATA_FILES, META_FILE
from nbb_opt.instance.read import read_instance
from nbb_opt.instance.wording import did_you_mean, listed
from nbb_opt.instance.workbook.write import write_workbook
from nbb_opt.shipped import shipped, shipped_names

_COPIED_BESIDE = re.compile(r"README\.md|LICENSE[^/]*|NOTICE[^/]*")


def new_instance(target: Path | str, *, source: str) -> Path:
    """Copies the shipped instance `source` (its name) to `target` and names it after the new folder.

    A `target` that ends in .xlsx becomes a workbook with the same content; a file of that name is never replaced.
    Tables, `instance.toml`, README and licence are copied; seals, build scripts, caches and the expectations of tests
    are not. Raises InstanceError if `source` is unknown, or if `target` exists and is not an empty folder.
    """
    target = Path(target)
    names = shipped_names("instances")
    if source not in names:
        hint = did_you_mean(source, names) or f"one of {listed(names, 99)}"
        raise InstanceError([Problem(f"instance {source!r}", "does not come with this package", hint, "template")])
    if target.suffix.lower() == ".xlsx":
        return _new_workbook(target, source)
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise InstanceError([Problem(str(target), "exists and is not a folder", "choose another name", "template")])
    if target.is_dir() and any(target.iterdir()):
        raise InstanceError([Problem(str(target), "exists and is not empty", "choose another folder", "template")])
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as temporary:
        copy = Path(temporary) / "copy"
        copy.mkdir()
        for path in sorted((shipped("instances") / source).iterdir()):
            if path.is_file() and (path.name in DATA_FILES or _COPIED_BESIDE.fullmatch(path.name)):
                shutil.copyfile(path, copy / path.name)
        name = _short_name(target.resolve().name) or source
        text = (copy / META_FILE).read_text(encoding="utf-8")
        text = re.sub(r'^name\s*=\s*"[^"]*"', f'name = "{name}"', text, count=1, flags=re.MULTILINE)
        (copy / META_FILE).write_text(text, encoding="utf-8", newline="")
        if target.is_dir():
            target.rmdir()
        os.replace(copy, target)
    return target


def _new_workbook(target: Path, source: str) -> Path:
    if target.is_symlink() or target.exists():
        raise InstanceError([Problem(str(target), "exists", "choose another name", "template")])
    instance = read_instance(shipped("instances") / source)
    meta = dataclasses.replace(instance.meta, name=_short_name(target.stem) or source)
    target.parent.mkdir(parents=True, exist_ok=True)
    return write_workbook(dataclasses.replace(instance, meta=meta), target)


def _short_name(words: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", words.lower()).strip("-_")[:64]
