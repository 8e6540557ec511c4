"""A run folder, whatever is in it: complete or absent, never half, and every file as it was written."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from nbb_opt.errors import NbbError

LAYOUT = 1  # of the run folder; a reader refuses any other
MANIFEST = "manifest.json"
RECORD = "run.json"


def write_folder(target: Path, files: Mapping[str, bytes], *, replace: bool = False) -> Path:
    """Write the files (contents by relative name, `/` between folder and file) to a run folder: complete or not at all.

    Everything is written and synced in a folder beside `target`, the manifest with the sha256 of every file last, and
    the folder is then renamed. A run that is already there is an error, or is swapped out if `replace` is true; a
    folder that is no run is never touched.
    """
    target = Path(target)
    there, finished = target.exists() or target.is_symlink(), (target / MANIFEST).is_file()
    if there and not (replace and finished):
        what = "holds a run already" if finished else "is there already and is no run"
        raise NbbError(f"{target}: {what}; choose another place for the results")
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    try:
        _write_files(staged, files)
        _move_in(staged, target)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    return target


def read_folder(
    path: Path, *, needed: Collection[str], may_hold: Collection[str], refuse_altered: bool = True
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Contents of a run folder by name, and the names of altered files (none if they are refused).

    Raises NbbError naming the file that is missing, altered, unknown, or of another layout.
    """
    path = Path(path)
    if not (path / MANIFEST).is_file():
        raise NbbError(f"{path / MANIFEST}: missing; the folder is no finished run, or a part of one: run again")
    listed = _read_manifest(path / MANIFEST, needed, may_hold)
    present = {str(file.relative_to(path).as_posix()) for file in path.rglob("*") if not file.is_dir()} - {MANIFEST}
    for name in sorted(present - set(listed)):
        raise NbbError(f"{path / name}: is not listed in {MANIFEST}; take it out of the run folder")
    contents: dict[str, bytes] = {}
    altered: list[str] = []
    for name, digest in listed.items():
        if name not in present or (path / name).is_symlink() or not (path / name).is_file():
            raise NbbError(f"{path / name}: listed in {MANIFEST} but missing; the run is not complete: run again")
        contents[name] = (path / name).read_bytes()
        if hashlib.sha256(contents[name]).hexdigest() != digest:
            if refuse_altered:
                raise NbbError(f"{path / name}: was altered after the run; run again")
            altered.append(name)
    return contents, tuple(altered)


def read_record(content: bytes, path: Path) -> dict[str, Any]:
    """The record of a run from the bytes of its `run.json`; `path` is the run folder, for the error."""
    try:
        return dict(json.loads(content))
    except (ValueError, TypeError) as fault:
        raise NbbError(f"{path / RECORD}: cannot be read ({fault}); run again") from fault


def json_bytes(value: Any) -> bytes:
    """JSON as it stands in a run folder: indented, keys sorted."""
    return (json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode("utf-8")


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    inside = sorted({name.rpartition("/")[0] for name in files if "/" in name})
    for name in inside:
        (folder / name).mkdir()
    for name, content in files.items():
        _write_synced(folder / name, content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    for name in inside:
        _sync(folder / name)
    _write_synced(folder / MANIFEST, json_bytes({"layout": LAYOUT, "files": digests}))
    folder.chmod(0o755)
    _sync(folder)


def _move_in(staged: Path, target: Path) -> None:
    """Rename `staged` to `target`; an earlier run steps aside first and comes back if that fails."""
    aside = staged.with_suffix(".old")
    swapped = target.exists()
    if swapped:
        target.rename(aside)
    try:
        staged.rename(target)
    except BaseException:
        if swapped:
            aside.rename(target)
        raise
    _sync(target.parent)
    if swapped:
        shutil.rmtree(aside)


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    if os.name != "posix":  # a folder cannot be synced elsewhere
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_manifest(path: Path, needed: Collection[str], may_hold: Collection[str]) -> dict[str, str]:
    try:
        manifest = json.loads(path.read_bytes())
        layout, listed = manifest["layout"], dict(manifest["files"])
    except (ValueError, KeyError, TypeError) as fault:
        raise NbbError(f"{path}: cannot be read ({fault}); the run is not complete: run again") from fault
    if layout != LAYOUT:
        raise NbbError(f"{path}: layout {layout} is unknown, this version reads {LAYOUT}: use the one that wrote it")
    for name in sorted(set(listed) - set(needed) - set(may_hold)):
        raise NbbError(f"{path}: lists {name}, which is no file of a run folder; run again")
    for name in sorted(set(needed) - set(listed)):
        raise NbbError(f"{path}: does not list {name}; the run is not complete: run again")
    return listed
