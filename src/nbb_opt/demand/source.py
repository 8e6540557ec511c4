"""OD rows on disk: one Parquet file, one inside a .zip, or a folder of them, split by `column=value` folders or not."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from nbb_opt.demand.columns import COLUMNS, IDS, SHIPPER, check_columns
from nbb_opt.errors import InstanceError, Problem

MAX_ROW_GROUP_BYTES = 1 << 30
WHOLE_GROUP_ROWS = 1 << 21  # larger row groups are never held as a whole
PIECE_ROWS = 1 << 18
ENDINGS = (".parquet", ".pq", ".parq")
_NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__"  # how Spark writes a blank


@dataclass(frozen=True)
class Group:
    """A row group: its file, number there, rows, and the number of its first row in the whole source."""

    file: int
    number: int
    rows: int
    row_0: int


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the rows are. `name` and, for every file, `labels` are used in messages; `inside` is the path of an
    instance that is a .zip, if it is one.

    `constants` gives for every file the columns that its folders name. `by_shipper`: rows of one flow and year may be
    of several shippers. `held` is the one file, if it is open already.
    """

    name: str
    files: tuple[str, ...]
    labels: tuple[str, ...]
    constants: tuple[tuple[tuple[str, str], ...], ...]
    groups: tuple[Group, ...]
    inside: str = ""
    by_shipper: bool = False
    held: Shared | None = field(default=None, compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "held": None}  # another process opens the file itself

    @property
    def rows(self) -> int:
        return sum(group.rows for group in self.groups)

    @cached_property
    def bytes(self) -> int:
        return 0 if self.inside else sum(Path(file).stat().st_size for file in self.files)

    def open(self, file: int) -> pq.ParquetFile:
        """A file of the source with a place of its own: not to be shared by threads."""
        return _open(self.held.view() if self.held is not None else self.files[file], self.inside)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows in order."""
        for group in self.groups:
            with damage_refused(self.labels[group.file]):
                yield from self.read(self.open(group.file), group)

    def read(self, opened: pq.ParquetFile, group: Group) -> Iterable[pa.RecordBatch]:
        """The rows of a group in batches, with all columns of COLUMNS and that of shippers; a group that is too large
        is read piece by piece while the batches are taken."""
        own = dict(self.constants[group.file])
        names = [*COLUMNS, *([SHIPPER] if self.by_shipper else [])]
        wanted = [name for name in names if name not in own]
        if group.rows > WHOLE_GROUP_ROWS:
            parts: Iterable[pa.RecordBatch] = opened.iter_batches(
                batch_size=PIECE_ROWS, row_groups=[group.number], columns=wanted, use_threads=False
            )
        else:
            whole = opened.read_row_group(group.number, columns=wanted, use_threads=False)
            parts = whole.to_batches(max_chunksize=PIECE_ROWS)
        return (_with_constants(part, own) for part in parts) if own else parts


class Shared(io.RawIOBase):
    """One open file read at several places: each `view` has a place of its own and may be used by another thread."""

    def __init__(self, file: BinaryIO, lock: Lock | None = None) -> None:
        self._file, self._lock, self._at = file, lock or Lock(), 0

    def view(self) -> Shared:
        return Shared(self._file, self._lock)

    def close_file(self) -> None:
        """Close the file itself; views close without it."""
        self._file.close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with self._lock:
            end = self._file.seek(0, io.SEEK_END) if whence == io.SEEK_END else 0
        self._at = offset + (end if whence == io.SEEK_END else self._at if whence == io.SEEK_CUR else 0)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        with self._lock:
            self._file.seek(self._at)
            data = self._file.read(-1 if size is None else size)
        self._at += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def open_source(
    path: Path, *, inside: Path | None = None, shippers: bool = False, held: Shared | None = None
) -> Source:
    """The OD rows in a file or folder. Raises InstanceError if a file is damaged or its columns are not the schema's.

    `inside` is the .zip that holds the file `path.name`. With `shippers` files may have a column of that name. `held`
    is the file where it is open already.
    """
    name = path.name
    if inside is not None:
        files, within = [path.name], str(inside)
    else:
        files, within = [str(path)], ""
        if path.is_dir():
            files = [str(file) for file in data_files(path)]
    if not files:
        raise InstanceError([Problem(str(path), "holds no .parquet file", "give a Parquet file or a folder of them")])
    groups: list[Group] = []
    labels, constants = list[str](), []
    row_0 = 0
    by_shipper = False
    for number, file in enumerate(files):
        label = name if len(files) == 1 else f"{name}/{Path(file).relative_to(path).as_posix()}"
        own = folder_columns(Path(file), path) if path.is_dir() and inside is None else ()
        labels.append(label)
        constants.append(own)
        with damage_refused(label):
            opened = _open(file if held is None else held.view(), within)
            metadata = opened.metadata
            named = [column for column, _ in own]
            check_columns(label, opened.schema_arrow, named, optional=(SHIPPER,) if shippers else ())
            by_shipper |= SHIPPER in (*opened.schema_arrow.names, *named)
            for i in range(metadata.num_row_groups):
                group = metadata.row_group(i)
                if group.total_byte_size > MAX_ROW_GROUP_BYTES:
                    what, hint = "has a row group of more than 1 GiB", "write row groups of at most a million rows"
                    raise InstanceError([Problem(label, what, hint)])
                groups.append(Group(number, i, group.num_rows, row_0))
                row_0 += group.num_rows
    return Source(
        name=name, files=tuple(files), labels=tuple(labels), constants=tuple(constants), groups=tuple(groups),
        inside=within, by_shipper=by_shipper, held=held,
    )  # fmt: skip


DAMAGE = (pa.ArrowException, OSError, ValueError, TypeError, LookupError, RuntimeError, OverflowError, EOFError)


@contextmanager
def damage_refused(
    label: str, row: int | None = None, *, what: str = "cannot be read", rule: str = ""
) -> Iterator[None]:
    """Whatever pyarrow or h5py raises on a damaged file becomes an InstanceError that names file and place."""
    try:
        yield
    except DAMAGE as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        place = f" beyond row {row}" if row is not None else ""
        problem = Problem(label, f"{what}{place}: {reason}", "correct it, or write or copy it again", rule)
        raise InstanceError([problem]) from error


def _open(file: str | Shared, inside: str) -> pq.ParquetFile:
    if inside and isinstance(file, str):
        with zipfile.ZipFile(inside) as archive:  # its members were checked when the instance was opened
            file = Shared(io.BytesIO(archive.read(file)))
    metadata = pq.read_metadata(file)
    texts = [name for name in (*IDS, SHIPPER) if name in metadata.schema.names]
    return pq.ParquetFile(
        file,
        metadata=metadata,
        page_checksum_verification=True,
        memory_map=False,
        pre_buffer=False,
        read_dictionary=texts,
    )


def data_files(folder: Path) -> list[Path]:
    """The Parquet files of a folder; what begins with a point or an underscore is hidden or not finished, as for Spark.

    Raises InstanceError for other files: nothing says whether they belong to the rows.
    """
    found = []
    for file in sorted(folder.rglob("*")):
        if file.is_dir() or any(part.startswith((".", "_")) for part in file.relative_to(folder).parts):
            continue
        if file.suffix.lower() not in ENDINGS:
            hint = f"move it away, or name it {' or '.join(ENDINGS)}"
            raise InstanceError([Problem(f"{folder.name}/{file.relative_to(folder)}", "is no Parquet file", hint)])
        found.append(file)
    return found


def folder_columns(file: Path, root: Path) -> tuple[tuple[str, str], ...]:
    named = [part.split("=", 1) for part in file.relative_to(root).parts[:-1] if "=" in part]
    return tuple((column, "" if value == _NULL_FOLDER else unquote(value)) for column, value in named)


def _with_constants(part: pa.RecordBatch, own: dict[str, str]) -> pa.RecordBatch:
    columns = []
    for name in COLUMNS:
        if name not in own:
            columns.append(part.column(name))
        elif name in IDS:
            words = pa.array([own[name]])
            columns.append(pa.DictionaryArray.from_arrays(pa.nulls(len(part), pa.int32()).fill_null(0), words))
        else:
            kind = pa.int64() if name == "year" else pa.float64()
            columns.append(pa.repeat(pa.scalar(own[name]).cast(kind), len(part)))
    return pa.RecordBatch.from_arrays(columns, names=list(COLUMNS))
