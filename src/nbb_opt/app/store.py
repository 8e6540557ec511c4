"""The work folder: cases (an instance each), their plans and results, on disk after every change.

WORK/cases/CASE/case.json            title, where the instance lies
                upload.xlsx          the workbook, if it was uploaded
                best.json            cost and bound of the best plan found so far
                plans/PLAN/plan.json name, version, rows as typed
                           result.json, pictures.json, run/, audit/
                deleted/PLAN         plans that were deleted
WORK/fleets/ID                       instances made of a form
     trips/ID                        exports of trips, as they were read
     deleted                         cases and trips that were deleted
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import tempfile
import threading
import time
import unicodedata
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import IO, Any

from nbb_opt.errors import NbbError
from nbb_opt.run_folder import json_bytes

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_NAME = 80
MOST_ROWS, MOST_CHARACTERS = 5000, 2000  # of a plan, of a cell
WIDTH = 6  # cells of a row


class NotFound(NbbError):  # noqa: N818 - what it says
    """A case or plan that does not exist (any more)."""


class Refused(NbbError):  # noqa: N818
    """A request that cannot be met, in words for the user."""


@dataclass(frozen=True)
class Case:
    """An instance that was opened; `source` is a path, `opened_s` seconds since 1970, `file` an upload's name."""

    id: str
    title: str
    source: str
    opened_s: float
    plans_made: bool = False
    file: str = ""


@dataclass(frozen=True)
class StoredPlan:
    """A named plan as typed. `version` counts the changes; `origin` is `typed` or `best`."""

    id: str
    name: str
    version: int
    rows: tuple[tuple[str, ...], ...]
    origin: str
    changed_s: float


class SavedMeanwhile(NbbError):  # noqa: N818
    """Somebody else saved the plan in the meantime."""

    def __init__(self, current: StoredPlan) -> None:
        self.current = current
        super().__init__(f"{current.name!r} was changed in another window in the meantime")


class Store:
    """Everything kept in a work folder. One process at a time; its methods may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        (self.folder / "cases").mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self._alone = _take_lock(self.folder / ".lock")

    def close(self) -> None:
        """Let another process use the folder."""
        self._alone.close()

    def case_folder(self, case: str) -> Path:
        """Folder of a case. Raises NotFound, also for an id that is no plain name."""
        folder = self.folder / "cases" / plain(case)
        if not (folder / "case.json").is_file():
            raise NotFound("this case is not in the work folder any more")
        return folder

    def plan_folder(self, case: str, plan: str) -> Path:
        """Folder of a plan. Raises NotFound."""
        folder = self.case_folder(case) / "plans" / plain(plan)
        if not (folder / "plan.json").is_file():
            raise NotFound("this plan is not there any more; it may have been deleted in another window")
        return folder

    def cases(self) -> list[Case]:
        """All cases, the last one opened first."""
        files = (self.folder / "cases").glob("*/case.json")
        return sorted((_case(file) for file in files), key=lambda case: -case.opened_s)

    def case(self, case: str) -> Case:
        return _case(self.case_folder(case) / "case.json")

    def add_case(self, title: str, source: Path, *, upload: bytes | None = None, file: str = "") -> Case:
        """A case for an instance; an `upload`, which was called `file`, is kept beside it under a name of our own."""
        with self.lock:
            new = new_id(title)
            folder = self.folder / "cases" / new
            folder.mkdir()
            if upload is not None:
                source = folder / "upload.xlsx"
                write_bytes(source, upload)
            case = Case(new, title, str(source.resolve()), time.time(), file=file)
            self.save_case(case)
            return case

    def save_case(self, case: Case) -> None:
        write_bytes(self.folder / "cases" / plain(case.id) / "case.json", json_bytes(asdict(case)))

    def delete_case(self, case: str) -> None:
        """Take a case out of the list; its folder is kept under `deleted` of the work folder."""
        with self.lock:
            folder, aside = self.case_folder(case), self.folder / "deleted"
            aside.mkdir(exist_ok=True)
            folder.rename(aside / f"{folder.name}-{secrets.token_hex(3)}")

    def plans(self, case: str) -> list[StoredPlan]:
        """The plans of a case in the order they were made."""
        found = [_plan(file) for file in (self.case_folder(case) / "plans").glob("*/plan.json")]
        return sorted(found, key=lambda plan: plan.id)

    def plan(self, case: str, plan: str) -> StoredPlan:
        return _plan(self.plan_folder(case, plan) / "plan.json")

    def add_plan(self, case: str, name: str, rows: object, *, origin: str = "typed") -> StoredPlan:
        """A new plan; a name that is taken gets a number."""
        with self.lock:
            name = self._free_name(case, good_name(name))
            numbers = [int(plan.id.partition("-")[0]) for plan in self.plans(case)]
            new = StoredPlan(
                f"{max(numbers, default=0) + 1:04d}-{secrets.token_hex(3)}", name, 1, good_rows(rows), origin,
                time.time(),
            )  # fmt: skip
            (self.case_folder(case) / "plans" / new.id).mkdir(parents=True)
            self._save(case, new)
            return new

    def save_plan(
        self, case: str, plan: str, *, version: int, rows: object = None, name: str | None = None
    ) -> StoredPlan:
        """Save what was typed on top of `version`. Raises Conflict if that is not the version on disk."""
        with self.lock:
            current = self.plan(case, plan)
            if version != current.version:
                raise SavedMeanwhile(current)
            if name is not None and good_name(name) != current.name:
                current = replace(current, name=self._free_name(case, good_name(name)))
            if rows is not None and good_rows(rows) != current.rows:
                current = replace(current, rows=good_rows(rows), version=version + 1, changed_s=time.time())
            self._save(case, current)
            return current

    def delete_plan(self, case: str, plan: str) -> None:
        """Take a plan out of the list; its folder is kept under `deleted`."""
        with self.lock:
            folder = self.plan_folder(case, plan)
            bin_ = self.case_folder(case) / "deleted"
            bin_.mkdir(exist_ok=True)
            folder.rename(bin_ / folder.name)

    def _save(self, case: str, plan: StoredPlan) -> None:
        write_bytes(self.plan_folder_of(case, plan.id) / "plan.json", json_bytes(asdict(plan)))

    def plan_folder_of(self, case: str, plan: str) -> Path:
        """Where a plan is or will be."""
        return self.case_folder(case) / "plans" / plain(plan)

    def _free_name(self, case: str, name: str) -> str:
        taken = {plan.name.casefold() for plan in self.plans(case)}
        number, found = 1, name
        while found.casefold() in taken:
            number += 1
            found = f"{name[: LONGEST_NAME - 5]} {number}"
        return found


def plain(name: str) -> str:
    """An id that is safe as the name of a folder. Raises NotFound for anything else."""
    if len(name) > 60 or not _ID.fullmatch(name):
        raise NotFound("there is nothing of this name")
    return name


def new_id(words: str) -> str:
    """A new id that reminds of `words`."""
    letters = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:40].strip("-")
    return f"{slug or 'case'}-{secrets.token_hex(3)}"


def good_name(name: str) -> str:
    """A name for a plan. Raises Refused if it is blank, too long or holds what cannot be seen."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused(f"A plan needs a name of 1 to {LONGEST_NAME} letters.")
    return name


def shown_name(name: str) -> str:
    """The name of an uploaded file without its folders, as it may be shown."""
    return "".join(c for c in Path(name.replace("\\", "/")).name if c.isprintable())[:LONGEST_NAME]


def good_rows(rows: object) -> tuple[tuple[str, ...], ...]:
    """Rows of six texts each. Raises Refused."""
    if not isinstance(rows, (list, tuple)) or len(rows) > MOST_ROWS:
        raise Refused(f"A plan has at most {MOST_ROWS} rows.")
    for row in rows:
        if not (isinstance(row, (list, tuple)) and len(row) == WIDTH and all(isinstance(cell, str) for cell in row)):
            raise Refused(f"A row of a plan has {WIDTH} cells of text.")
        if any(len(cell) > MOST_CHARACTERS for cell in row):
            raise Refused(f"A cell holds at most {MOST_CHARACTERS} letters.")
    return tuple(tuple(cell.encode("utf-8", "replace").decode() for cell in row) for row in rows)


def read_json(path: Path, *names: str) -> dict[str, Any]:
    """A file of the work folder that holds these names. Raises NbbError naming the file if it is damaged."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise NbbError(f"{path}: cannot be read ({error}); put it right or move it away") from error
    missing = [name for name in names if not (isinstance(found, dict) and name in found)]
    if missing or not isinstance(found, dict):
        raise NbbError(f"{path}: does not hold {', '.join(missing) or 'what it should'}; put it right or move it away")
    return found


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and onto the disk."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _plan(file: Path) -> StoredPlan:
    names = tuple(each.name for each in fields(StoredPlan))
    given = read_json(file, *names)
    given["rows"] = good_rows(given["rows"])
    return StoredPlan(**{name: given[name] for name in names})


def _case(file: Path) -> Case:
    names = tuple(each.name for each in fields(Case) if each.name != "file")  # which older folders do not have
    given = read_json(file, *names)
    return Case(**{name: given[name] for name in names}, file=str(given.get("file", "")))


def _take_lock(path: Path) -> IO[bytes]:
    """A lock that ends with the process. Raises Refused if another process has it."""
    file = path.open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise Refused(
            f"{path.parent}: another nbb-opt app works in this folder; use that one, or give another with work="
        ) from error
    return file
