"""A run folder, whatever is in it: complete or absent, never half, and every file as it was written."""

from __future__ import annotations

import glob
import hashlib
import json
import math
import os
import platform
import shutil
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nbb_opt import __version__
from nbb_opt.errors import NbbError
from nbb_opt.output import MANIFEST, check_place, kept_elsewhere, staging

LAYOUT = 2  # of the run folder; a reader refuses any other
LIBRARIES = ("pyomo", "highspy", "pandas", "numba", "pyarrow", "numpy", "scipy")
RECORD = "run.json"


def check_target(target: Path) -> None:
    """Before the work: whether a run can be written to `target`. Leftovers of killed writers are put right first.

    Raises NbbError as `check_place` does, and if something other than a run of ours or an empty folder is there.
    """
    target = Path(target)
    check_place(target)
    try:
        put_right(target)
        _refuse_what_is_there(target)
    except OSError as fault:
        raise NbbError(f"{target}: cannot be written ({fault}); choose another place for the results") from None


def put_right(target: Path) -> None:
    """Restore the run that a killed writer had moved aside, and remove what it had not finished."""
    if not target.name:
        return
    for part in sorted(target.parent.glob(f".{glob.escape(target.name)}.*.*")):
        pid = part.name.removeprefix(f".{target.name}.").split("-")[0]
        if not pid.isdigit() or part.suffix not in (".part", ".old") or _alive(int(pid)):
            continue
        if part.suffix == ".old" and is_run(part) and not target.exists():
            part.rename(target)
        else:
            if part.suffix == ".old":
                _keep_foreign(part, target)
            shutil.rmtree(part, ignore_errors=True)


def is_run(folder: Path) -> bool:
    """Whether a folder holds a complete run of ours: a manifest of this layout, and every file that it lists.

    Whatever else is called manifest.json does not make a folder one.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        listed = dict(manifest["files"])
        layout = manifest["layout"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return layout == LAYOUT and RECORD in listed and all((folder / name).is_file() for name in listed)


def write_folder(target: Path, files: Mapping[str, bytes], *, replace: bool = False) -> Path:
    """Write the files (contents by relative name, `/` between folder and file) to a run folder: complete or not at all.

    Everything is written and synced in a folder beside `target`, the manifest with the sha256 of every file last, and
    the folder is then renamed. A run that is already there is an error, or is swapped out if `replace` is true; files
    in it that are not of the run stay. A folder that is neither a run nor empty is never touched.

    Where the place cannot be written (full, read-only), the run is kept in a temporary place that the error names.
    """
    target = Path(target)
    put_right(target)
    if is_run(target) and not replace:
        raise NbbError(f"{target}: holds a run already; choose another place for the results")
    _refuse_what_is_there(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_beside(target, files)
    except OSError as fault:
        kept = kept_elsewhere("run", lambda place: _write_beside(place, files))
        raise NbbError(f"{target}: cannot be written ({fault}); the plan is not lost: {kept}") from fault
    return target


def _refuse_what_is_there(target: Path) -> None:
    there = target.exists() or target.is_symlink()
    empty = target.is_dir() and not target.is_symlink() and not any(target.iterdir())
    if there and not empty and (target.is_symlink() or not is_run(target)):
        raise NbbError(f"{target}: is there already and is no run; choose another place for the results")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _write_beside(target: Path, files: Mapping[str, bytes]) -> None:
    staged = staging(target)
    try:
        _write_files(staged, files)
        _move_in(staged, target)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise


def _keep_foreign(old: Path, target: Path) -> None:
    """Move what a user put into a run over to the run that replaces it."""
    try:
        listed = {MANIFEST, *json.loads((old / MANIFEST).read_bytes())["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        listed = {MANIFEST}
    for path in sorted(old.rglob("*")):
        name = path.relative_to(old).as_posix()
        if (path.is_file() or path.is_symlink()) and name not in listed and not (target / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            path.rename(target / name)


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
    of_runs = {*needed, *may_hold, *(f"{name.rpartition('/')[0]}/" for name in (*needed, *may_hold) if "/" in name)}
    for name in sorted(present - set(listed)):
        if name not in of_runs and f"{name.rpartition('/')[0]}/" not in of_runs:
            continue  # the user's own
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
    swapped = target.exists() and any(target.iterdir())
    if target.exists() and not swapped:
        target.rmdir()
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
        _keep_foreign(aside, target)
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
        raise NbbError(f"{path}: layout {layout} is unknown, this version reads {LAYOUT}: solve again")
    for name in sorted(set(listed) - set(needed) - set(may_hold)):
        raise NbbError(f"{path}: lists {name}, which is no file of a run folder; run again")
    for name in sorted(set(needed) - set(listed)):
        raise NbbError(f"{path}: does not list {name}; the run is not complete: run again")
    return listed


def history_csv(history: Sequence[tuple[float, float, float]], *, money: str = "eur") -> str:
    """The history of a solve as CSV text: elapsed seconds, incumbent and bound, blank while unknown.

    >>> print(history_csv([(0.5, float("nan"), 100.0), (0.8, 102.0, 100.0)]), end="")
    elapsed_s,incumbent_eur,bound_eur
    0.500,,100.000000
    0.800,102.000000,100.000000
    """

    def known(eur: float) -> str:
        return f"{eur:.6f}" if math.isfinite(eur) else ""

    lines = [f"{elapsed_s:.3f},{known(incumbent)},{known(bound)}" for elapsed_s, incumbent, bound in history]
    return "\n".join([f"elapsed_s,incumbent_{money},bound_{money}", *lines]) + "\n"


def versions(libraries: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Versions of this package, Python and the libraries that a result owes to."""
    return {
        "nbb_opt": __version__,
        "python": platform.python_version(),
        **{library: version(library) for library in libraries},
    }
