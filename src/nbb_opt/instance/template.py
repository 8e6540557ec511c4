"""A new instance to start from: a copy of one that works."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import tempfile
from pathlib import Path

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import has_control
from nbb_opt.instance.meta import Meta, Period, meta_text, read_meta
from nbb_opt.instance.package import DATA_FILES, META_FILE, SCENARIOS
from nbb_opt.instance.read import read_instance
from nbb_opt.instance.wording import did_you_mean, listed, shown
from nbb_opt.instance.workbook.write import write_workbook
from nbb_opt.shipped import shipped, shipped_names

_COPIED_BESIDE = re.compile(r"LICENSE[^/]*|NOTICE[^/]*")
_README = """# {meta.title}

{meta.description}

Write your own rows over those of the template, table by table; `nbb-opt check` names what does not fit together, and
SCHEMA.md of nbb_opt what every column means. Then put title, description, version and licence in `instance.toml` right,
and say here what the instance is and what it cannot say.
"""


def new_instance(target: Path | str, *, source: str, title: str = "") -> Path:
    """Copies the shipped instance `source` (its name) to `target`, under the name of the new folder and `title`.

    A `target` that ends in .xlsx becomes a workbook with the same content; a file of that name is never replaced.
    Tables, `instance.toml` and licence are copied; title, description and README say what the copy is. Seals, build
    scripts, caches and the expectations of tests are not copied.

    Raises InstanceError if `source` is unknown, or if `target` exists and is not an empty folder.
    """
    target = Path(target)
    names = shipped_names("instances")
    if source not in names:
        hint = did_you_mean(source, names) or f"one of {listed(names, 99)}"
        raise InstanceError([Problem(f"instance {source!r}", "does not come with this package", hint, "template")])
    if has_control(title) or title != title.strip():
        hint = "write it on one line, without spaces at its ends"
        raise InstanceError([Problem(f"title={shown(title)}", "is not a title", hint, "template")])
    if target.suffix.lower() == ".xlsx":
        return _new_workbook(target, source, title)
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
            elif path.name == SCENARIOS:
                shutil.copytree(path, copy / path.name)
        meta, periods = _read_meta(source)
        meta = _of_copy(meta, target.resolve().name, source, title)
        (copy / META_FILE).write_text(meta_text(meta, periods), encoding="utf-8", newline="")
        (copy / "README.md").write_text(_README.format(meta=meta, source=source), encoding="utf-8", newline="")
        if target.is_dir():
            target.rmdir()
        os.replace(copy, target)
    return target


def _new_workbook(target: Path, source: str, title: str) -> Path:
    if target.is_symlink() or target.exists():
        raise InstanceError([Problem(str(target), "exists", "choose another name", "template")])
    instance = read_instance(shipped("instances") / source)
    meta = _of_copy(instance.meta, target.stem, source, title)
    target.parent.mkdir(parents=True, exist_ok=True)
    return write_workbook(dataclasses.replace(instance, meta=meta), target)


def _read_meta(source: str) -> tuple[Meta, tuple[Period, ...]]:
    problems: list[Problem] = []
    meta, periods = read_meta((shipped("instances") / source / META_FILE).read_bytes(), problems)
    assert meta is not None, problems
    return meta, periods


def _of_copy(meta: Meta, name: str, source: str, title: str) -> Meta:
    """The settings of a template with the name and texts of a copy of it."""
    short = _short_name(name) or source
    return dataclasses.replace(
        meta,
        name=short,
        title=title or f"{short}, begun as a copy of {source}",
        description=f"Begun as a copy of {source} ({meta.title}); what is not replaced yet is of that instance.",
    )


def _short_name(words: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", words.lower()).strip("-_")[:64]
