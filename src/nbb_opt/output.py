"""Where results may be written: settled before the work, whole or not at all, and never lost at its end.

No command writes into an instance or over a file that is not of its own making.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from nbb_opt.errors import NbbError

INSTANCE, MANIFEST = "instance.toml", "manifest.json"  # of an instance; of a run
LEAST_FREE_BYTES = 20_000_000
GENERATOR = '<meta name="generator" content="nbb-opt">'  # in the head of every page
COMMENT = "Made with nbb_opt."  # among the properties of every workbook with results, and in every picture
HEAD_BYTES = 4096


def check_place(target: Path) -> None:
    """Before the work: whether something can be written at `target`.

    Raises NbbError as `refuse_place` does, and if the place is read-only or full.
    """
    target = Path(target)
    refuse_place(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rmdir(staging(target))
        free = shutil.disk_usage(target.parent).free
    except (OSError, ValueError) as fault:
        raise NbbError(f"{target}: cannot be written ({fault}); choose another place for the results") from None
    if free < LEAST_FREE_BYTES:
        raise NbbError(f"{target}: only {free / 1e6:.0f} MB are free there; make room or choose another place")


def refuse_place(target: Path) -> None:
    """Raises NbbError if the name of `target` cannot be shown, if it lies in an instance, or is a file of a run."""
    if not target.name.isprintable() or not target.name:
        raise NbbError(f"{str(target)!r}: is no name that can be shown; choose another one for the results")
    try:
        where = Path(os.path.abspath(target))
        inside = next((folder for folder in (where, *where.parents) if (folder / INSTANCE).is_file()), None)
    except (OSError, ValueError) as fault:
        raise NbbError(f"{target}: cannot be written ({fault}); choose another place for the results") from None
    if inside is not None:
        raise NbbError(f"{target}: lies in the instance {inside}; choose another place for the results")
    if where.name in _files_of_run(where.parent):
        raise NbbError(f"{target}: is a file of the run {where.parent}, which would be altered; choose another name")


def _files_of_run(folder: Path) -> Collection[str]:
    """The files that the manifest of a run lists; none where there is no run."""
    try:
        return dict(json.loads((folder / MANIFEST).read_bytes())["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def check_new(target: Path) -> None:
    """As `check_place`, and nothing may be there."""
    if os.path.lexists(target):
        raise NbbError(f"{target}: is there already; choose another name")
    check_place(target)


def check_file(target: Path) -> None:
    """As `check_place`, and what is there must be a page, workbook or picture of ours, which is replaced."""
    check_place(target)
    if os.path.lexists(target) and not is_ours(target):
        raise NbbError(f"{target}: is there already and was not written by nbb-opt; choose another name")


def check_folder(target: Path, *marks: str) -> None:
    """As `check_place` and `refuse_folder`."""
    check_place(target)
    refuse_folder(target, *marks)


def refuse_folder(target: Path, *marks: str) -> None:
    """As `refuse_place`, and what is there must be an empty folder, or hold one of the files `marks` of ours."""
    refuse_place(target)
    if not os.path.lexists(target):
        return
    mine = target.is_dir() and not target.is_symlink()
    if not mine or (any(target.iterdir()) and not any((target / mark).exists() for mark in marks)):
        raise NbbError(f"{target}: is there already and holds no results of this command; choose another place")


def is_ours(path: Path) -> bool:
    """Whether a file is a page, a workbook or a picture that this program wrote."""
    if path.is_symlink() or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if head[:2] == b"PK":
            with zipfile.ZipFile(path) as book, book.open("docProps/core.xml") as properties:
                return COMMENT.encode() in properties.read(HEAD_BYTES)
        return GENERATOR.encode() in head or COMMENT.encode() in head
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, RuntimeError):  # of an unknown packing or encrypted
        return False


def write_file(target: Path, content: bytes | str) -> Path:
    """Write a file whole or not at all. Where it cannot be written it is kept in a temporary place, which is named."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_beside(target, data)
    except OSError as fault:
        kept = kept_elsewhere(target.name, lambda place: _write_beside(place, data))
        raise NbbError(f"{target}: cannot be written ({fault}); {kept}") from fault
    return target


def write_files(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write files to a folder, each whole; where it cannot be written all are kept in a place that is named."""
    data = {name: each.encode("utf-8") if isinstance(each, str) else each for name, each in files.items()}

    def write(place: Path) -> None:
        place.mkdir(parents=True, exist_ok=True)
        for name, each in data.items():
            _write_beside(place / name, each)

    try:
        write(folder)
    except OSError as fault:
        with suppress(OSError):
            folder.rmdir()  # if nothing is in it
        raise NbbError(f"{folder}: cannot be written ({fault}); {kept_elsewhere(folder.name, write)}") from fault
    return folder


def _write_beside(target: Path, data: bytes) -> None:
    with appearing(target) as work, work.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to, of the same ending: renamed to it if all went well, and removed if not."""
    handle, name = tempfile.mkstemp(prefix=".writing-", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    work = Path(name)
    try:
        yield work
        work.chmod(0o644)
        work.replace(target)
    finally:
        work.unlink(missing_ok=True)


def staging(target: Path) -> Path:
    """A new folder beside `target`, named after it and this process."""
    return Path(tempfile.mkdtemp(prefix=f".{target.name}.{os.getpid()}-", suffix=".part", dir=target.parent))


def kept_elsewhere(name: str, write: Callable[[Path], object]) -> str:
    """Where results were kept instead, as text; `write` writes them to a path that ends in `name`."""
    for place in (Path(tempfile.gettempdir()), Path.home(), Path("/dev/shm")):
        if not place.is_dir():
            continue
        try:
            kept = Path(tempfile.mkdtemp(prefix="nbb-opt-kept-", dir=place)) / name
            write(kept)
        except OSError:
            continue
        return f"it is kept in {kept}; move it where you want it"
    return "no other place could be written either"
