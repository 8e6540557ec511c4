"""The files of an instance, whether they lie in a folder or in a .zip; a .zip is read in memory and never unpacked."""

from __future__ import annotations

import csv
import io
import re
import stat
import tomllib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, cast

from nbb_opt.demand.source import Shared
from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import CellFaults
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.instance.wording import TableFile, did_you_mean, shown
from nbb_opt.instance.workbook.sheets import PERIODS, SETTINGS
from nbb_opt.renames import HOW, is_now

META_FILE = "instance.toml"
SCENARIOS = "scenarios"  # folder of scenario files
MANIFEST_FILE = "datapackage.json"
MAX_TABLE_BYTES = 64 * 2**20
MAX_FILES = 500
MAX_ZIP_BYTES = 2 * 2**30
MAX_ZIP_RATIO = 200
_RATIO_FREE_BYTES = 2**20

DATA_FILES = (META_FILE, *(f"{name}.{ending}" for name in BY_NAME for ending in ("csv", "parquet")))
# Beside the data: texts for people, hand-worked expectations of tests, what built the data, and left-overs of systems.
_BESIDE = re.compile(
    r"[^/]+\.(md|txt)|LICENSE[^/]*|NOTICE[^/]*|expected\.toml|[^/]+\.py|build(/.*)?|docs(/[^/]+\.md)?|plan[^/]*\.csv"
    r"|scenarios(/[^/]+\.toml)?"
)
_LEFT_OVER = re.compile(r"(.*/)?(\.[^/]*|__pycache__(/.*)?|Thumbs\.db|desktop\.ini)|__MACOSX(/.*)?")
_OTHER_ENDINGS = ("pq", "parq", "parquet", "csv", "tsv", "txt", "xlsx")  # that a table may have elsewhere
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Sheet:
    """A table as a sheet of a workbook holds it: its cells as text, rows that could not be used, and its place.

    `cells` is None where the header or the row of units is at fault; `told` are cells (row index and column) that
    stand as blanks because a problem names what they hold. `has_units`: there is a row of units.
    """

    file: TableFile
    cells: Mapping[str, list[str]] | None
    unusable: frozenset[int] = frozenset()
    told: frozenset[tuple[int, str]] = frozenset()
    has_units: bool = True

    def faults(self, problems: list[Problem]) -> CellFaults:
        """A collector of the faults of this sheet that knows what was told already."""
        rows = {index for index, _ in self.told}
        return CellFaults(self.file, problems, rows=rows, unusable=set(self.unusable), told=self.told)


@dataclass(frozen=True)
class Package:
    """File names and sizes of an instance; `members` maps a file name to its name inside the .zip (or itself).

    A workbook has `sheets` by table name instead, and the `problems` met on the way to their cells.
    """

    path: Path
    sizes: Mapping[str, int]
    members: Mapping[str, str]
    _: KW_ONLY
    zipped: bool
    sheets: Mapping[str, Sheet] | None = None
    problems: tuple[Problem, ...] = ()
    held: dict[str, Shared] = field(default_factory=dict, repr=False, compare=False)
    edited: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def __contains__(self, name: str) -> bool:
        return name in self.sizes

    def open(self, name: str) -> BinaryIO:
        """The file as a seekable binary stream; a sheet of a workbook as the text of a CSV file."""
        if name in self.edited:
            return io.BytesIO(self.edited[name])
        if self.sheets is not None:
            return io.BytesIO(_as_csv(self.sheets[name]))
        if not self.zipped:
            try:
                return open(self.path / name, "rb")
            except OSError as error:
                what = f"cannot be opened: {error.strerror}"
                raise InstanceError([Problem(name, what, "check its permissions", "file")]) from error
        with zipfile.ZipFile(self.path) as archive:
            return io.BytesIO(_read_member(archive, self.members[name], self.sizes[name]))

    def view(self, name: str) -> BinaryIO:
        """As `open`, for a file that is read several times: it is opened once, until `close`."""
        if name not in self.held:
            self.held[name] = Shared(self.open(name))
        return cast(BinaryIO, self.held[name].view())

    def close(self) -> None:
        """Close what `view` keeps open."""
        while self.held:
            self.held.popitem()[1].close_file()

    def with_edits(self, edited: Mapping[str, bytes]) -> Package:
        """The package with other content for some files, which stays in memory; a manifest is of those on disk only."""
        if not edited:
            return self
        stems = {Path(name).stem for name in edited}
        if self.sheets is not None:
            sheets = dict(self.sheets)
            for name, content in edited.items():
                for sheet, cells in (_setting_cells if name == META_FILE else _cells)(name, content).items():
                    file = sheets[sheet].file if sheet in sheets else TableFile(sheet, sheet)
                    sheets[sheet] = Sheet(file, cells)
            return replace(self, sheets=sheets)
        kept = {
            name: size for name, size in self.sizes.items() if Path(name).stem not in stems and name != MANIFEST_FILE
        }
        return replace(self, sizes={**kept, **{name: len(edited[name]) for name in edited}}, edited=edited)

    def stamps(self) -> dict[str, tuple[int, int]]:
        """Size in bytes and time of change (ns) of every file on disk that data are read from, by name."""
        folder = not self.zipped and self.sheets is None
        names = [name for name in self.sizes if name in DATA_FILES and name not in self.edited] if folder else [""]
        about = {name: (self.path / name).stat() for name in names}
        return {name: (facts.st_size, facts.st_mtime_ns) for name, facts in about.items()}

    def read(self, name: str) -> bytes:
        with self.open(name) as stream:
            return stream.read()


def open_package(path: Path) -> Package:
    """Files of a folder or .zip. Raises InstanceError if it is neither, or if the .zip is not safe to read."""
    if path.is_dir():
        return _open_folder(path)
    if not path.exists():
        hint = "give the path of an instance folder or .zip"
        if path.parent.is_dir():
            hint = did_you_mean(path.name, [other.name for other in path.parent.iterdir()]) or hint
        raise InstanceError([Problem(str(path), "does not exist", hint, "path")])
    if path.suffix.lower() != ".zip":
        hint = "give the folder that holds instance.toml, a .zip of it, or a workbook (.xlsx)"
        raise InstanceError([Problem(str(path), "is neither a folder nor a .zip nor a workbook", hint, "path")])
    return _open_zip(path)


def file_problems(package: Package) -> list[Problem]:
    """Unknown files, missing tables, and tables given twice."""
    if package.sheets is not None:
        return list(package.problems)
    problems = []
    allowed = [*DATA_FILES, MANIFEST_FILE]
    for name in package.sizes:
        stem, _, ending = name.rpartition(".")
        if ending in ("csv", "parquet") and (now := is_now("table", stem)):
            problems.append(Problem(name, f"{now}.{ending}", HOW, "renamed"))
        elif name not in allowed and stem in BY_NAME and ending.casefold() in _OTHER_ENDINGS:
            own = "parquet" if ending.casefold() in ("pq", "parq", "parquet") else "csv"
            hint = f"nbb-opt convert {name} {stem}.{own}"
            problems.append(Problem(name, f"is not named {stem}.csv or {stem}.parquet", hint, "file"))
        elif name not in allowed and not _BESIDE.fullmatch(name):
            hint = did_you_mean(name, allowed) or f"an instance holds {META_FILE}, tables as .csv or .parquet, and *.md"
            problems.append(Problem(name, "is not a file of an instance", hint, "file"))
    if META_FILE not in package:
        hint = "write it: name, title, periods and the other keys of SCHEMA.md"
        problems.append(Problem(META_FILE, "is missing", hint, "missing_file"))
    for table in BY_NAME.values():
        files = [file for file in (f"{table.name}.csv", f"{table.name}.parquet") if file in package]
        if len(files) == 2:
            problems.append(Problem(files[1], f"is given beside {files[0]}", "keep one of them", "two_files"))
        elif not files and not table.optional:
            hint = did_you_mean(f"{table.name}.csv", [n for n in package.sizes if n not in allowed])
            hint = hint.replace("did you mean", "rename") if hint else f"one row is {table.row_is}"
            problems.append(Problem(f"{table.name}.csv", "is missing", hint, "missing_file"))
    for name, size in package.sizes.items():
        if name in allowed and size > MAX_TABLE_BYTES and not name.startswith("od."):
            what = f"has {size / 2**20:.0f} MiB, {MAX_TABLE_BYTES // 2**20} are allowed"
            problems.append(Problem(name, what, "an instance is at most this large", "size"))
    return problems


def table_file(package: Package, table: str) -> str | None:
    """Name of the file (or sheet) that holds a table, or None."""
    if package.sheets is not None:
        return table if table in package.sheets else None
    for file in (f"{table}.csv", f"{table}.parquet"):
        if file in package:
            return file
    return None


def _as_csv(sheet: Sheet) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    cells = sheet.cells or {}
    writer.writerow(cells)
    writer.writerows(zip(*cells.values(), strict=True))
    return text.getvalue().encode("utf-8")


def _cells(name: str, content: bytes) -> Mapping[str, Mapping[str, list[str]]]:
    """The sheet that holds a table instead of a CSV file, by its name: its columns."""
    header, *rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    return {Path(name).stem: {name: list(cells) for name, cells in zip(header, columns, strict=True)}}


def _setting_cells(_name: str, content: bytes) -> Mapping[str, Mapping[str, list[str]]]:
    """The two sheets that stand for `instance.toml`."""
    keys = tomllib.loads(content.decode("utf-8"))
    periods, chains = keys.pop("periods"), keys.pop("chains")
    settings = {**keys, **chains}
    return {
        SETTINGS.name: {"key": list(settings), "value": [str(value) for value in settings.values()]},
        PERIODS.name: {key: [str(period[key]) for period in periods] for key in ("year", "years")},
    }


def _entries(path: Path) -> list[Path]:
    try:
        return sorted(path.iterdir())
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise InstanceError([Problem(str(path), what, "check its permissions", "path")]) from error


def _open_folder(path: Path) -> Package:
    sizes: dict[str, int] = {}
    problems: list[Problem] = []
    for entry in _entries(path):
        if not entry.name.isprintable() or entry.name != entry.name.encode("utf-8", "replace").decode():
            problems.append(Problem(ascii(entry.name), "is not a plain file name", "rename it", "file"))
            continue
        if _LEFT_OVER.fullmatch(entry.name):
            continue
        if entry.is_dir():
            if entry.name == SCENARIOS:
                sizes |= {f"{SCENARIOS}/{file.name}": file.stat().st_size for file in _entries(entry)
                          if file.is_file() and not _LEFT_OVER.fullmatch(file.name)}  # fmt: skip
            elif not _BESIDE.fullmatch(entry.name):
                stem = entry.stem.casefold()
                hint = f"nbb-opt convert {entry.name} {stem}.parquet, then move it" if stem in BY_NAME else "move it"
                what = "is a folder; an instance has none but build, docs and scenarios"
                problems.append(Problem(entry.name, what, hint, "file"))
            continue
        if not entry.is_file():
            problems.append(Problem(entry.name, "is not a regular file", "put the file itself here", "file"))
            continue
        sizes[entry.name] = entry.stat().st_size
    if problems:
        raise InstanceError(problems)
    return Package(path, sizes, {name: name for name in sizes}, zipped=False)


def _open_zip(path: Path) -> Package:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            problems = zip_problems(path.name, entries)
            if problems:
                raise InstanceError(problems)
            files = [entry for entry in entries if not entry.is_dir() and not _LEFT_OVER.fullmatch(entry.filename)]
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, OverflowError) as error:
        what = f"cannot be read as a .zip: {error}"
        raise InstanceError([Problem(path.name, what, "pack it again", "zip")]) from error
    folders = {entry.filename.partition("/")[0] for entry in files if "/" in entry.filename}
    top = f"{folders.pop()}/" if len(folders) == 1 and all("/" in entry.filename for entry in files) else ""
    names = {entry.filename[len(top) :]: entry for entry in files}
    sizes = {name: entry.file_size for name, entry in names.items() if not name.startswith("build/")}
    return Package(path, sizes, {name: entry.filename for name, entry in names.items()}, zipped=True)


def zip_problems(file: str, entries: list[zipfile.ZipInfo]) -> list[Problem]:
    """What makes a .zip unsafe to read: too large, bombs, paths out of it, links, encryption, names given twice."""
    problems: list[Problem] = []

    def refuse(name: str, what: str, hint: str = "pack the folder again, without it") -> None:
        problems.append(Problem(f"{file}, member {shown(name)}", what, hint, "zip"))

    if len(entries) > MAX_FILES:
        hint = "pack the files of the instance only"
        return [Problem(file, f"holds {len(entries)} files, {MAX_FILES} are allowed", hint, "zip")]
    total = sum(entry.file_size for entry in entries)
    if total > MAX_ZIP_BYTES:
        hint = f"{MAX_ZIP_BYTES // 2**30} GiB are allowed; use a folder"
        problems.append(Problem(file, f"would unpack to {total / 2**30:.1f} GiB", hint, "zip"))
    seen: dict[str, str] = {}
    for entry in entries:
        name = entry.filename
        parts = name.rstrip("/").split("/")
        if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
            refuse(name, "is an absolute path")
        elif "\\" in name or ".." in parts or "." in parts or "" in parts or any(ord(c) < 32 for c in name):
            refuse(name, "is not a plain path inside the .zip")
        elif any(_DEVICE.fullmatch(part) or part != part.rstrip(" .") for part in parts):
            refuse(name, "is a name that some systems keep for devices or cannot hold")
        mode = entry.external_attr >> 16
        if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_IFMT(mode) == 0):
            refuse(name, "is a link or a special file", "put the file itself into the .zip")
        if entry.flag_bits & 0x1:
            refuse(name, "is encrypted", "pack it without a password")
        if entry.file_size > max(_RATIO_FREE_BYTES, MAX_ZIP_RATIO * entry.compress_size):
            refuse(name, f"unpacks to more than {MAX_ZIP_RATIO} times its size", "such a file is not taken as data")
        other = seen.setdefault(name.rstrip("/").casefold(), name)
        if other != name or sum(entry.filename == e.filename for e in entries) > 1:
            refuse(name, "is held twice, or differs from another name only by upper and lower case")
    return problems


def _read_member(archive: zipfile.ZipFile, member: str, size: int) -> bytes:
    """At most the stated number of bytes of a member; Python's zipfile checks the CRC at the end."""
    try:
        with archive.open(member) as stream:
            data = stream.read(size + 1)
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, ValueError, RuntimeError) as error:
        what = f"cannot be read from the .zip: {error}"
        raise InstanceError([Problem(member, what, "pack it again", "zip")]) from error
    if len(data) != size:
        what = f"has {len(data)} bytes or more, the .zip says {size}"
        raise InstanceError([Problem(member, what, "pack it again", "zip")])
    return data
