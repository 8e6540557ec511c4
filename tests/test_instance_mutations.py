"""Random damage to files is refused by our own errors, or what is read is what the file says."""

from __future__ import annotations

import csv
import io
import random
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from instance_copies import TINY, Copy, copy_tiny, copy_with_every_table
from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance import Instance, read_instance, write_manifest
from nbb_opt.instance.schema import BY_NAME

FILES = sorted(path.name for path in TINY.iterdir() if path.suffix == ".csv" or path.name == "instance.toml")
TOKENS = [
    b"", b",", b"\n", b"\r", b'"', b"\x00", b"\xff", b"\xef\xbb\xbf", b";", b"'", b"NaN", b"inf", b"-1", b"1e400",
    b"1e15", b"0", b"1_0", b"\xd9\xa1", b" ", b"\t", b"=1+1", b"true", b"\xc2\xa0", b"[[periods]]", b"a = 1", b"{",
    b"\\u0000",
]  # fmt: skip
QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, int, int, bytes]:
    """A file, a place and a length in it (in thousandths and bytes), and the bytes written there."""
    file = draw(st.sampled_from(FILES))
    piece = draw(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=3)))
    return file, draw(st.integers(0, 999)), draw(st.sampled_from([0, 1, 1, 2, 5, 40])), piece


def _mutate(content: bytes, place: int, length: int, piece: bytes) -> bytes:
    start = len(content) * place // 1000
    return content[:start] + piece + content[start + length :]


def _try(path: Path) -> Instance | None:
    problems: tuple[Problem, ...] = ()
    try:
        return read_instance(path)
    except InstanceError as error:
        problems = error.problems
    assert problems
    assert all(problem.where and problem.what and problem.rule for problem in problems)
    return None


def _assert_read_as_written(instance: Instance, copy: Copy, file: str) -> None:
    """Every cell of the accepted file, read by plain Python, is what the instance holds."""
    content = (copy.path / file).read_bytes().decode("utf-8-sig")
    if file == "instance.toml":
        keys = tomllib.loads(content)
        assert [(p.year, p.years) for p in instance.periods] == [(p["year"], p["years"]) for p in keys["periods"]]
        plain = {key: value for key, value in keys.items() if not isinstance(value, list | dict)}
        assert all(getattr(instance.meta, key) == value for key, value in plain.items())
        return
    table = file.removesuffix(".csv")
    if table == "od":
        return
    columns = BY_NAME[table].columns
    written = [
        tuple(
            _plain(row.get(column.name, "") if column.optional else row[column.name], column.kind) for column in columns
        )
        for row in csv.DictReader(io.StringIO(content, newline=""))
    ]
    frame = instance[table]
    read = zip(*(frame[column.name].tolist() for column in columns), strict=True)
    held = [tuple(_same_type(value) for value in row) for row in read]
    assert sorted(written, key=repr) == sorted(held, key=repr)  # the instance has the rows in the order of their keys


def _plain(text: str, kind: str) -> object:
    """What a cell of a CSV file means: a number by its value, whatever its type."""
    if kind in ("number", "integer", "year"):
        return _number(text) if text else None
    return text == "true" if kind == "bool" else text


def _same_type(value: object) -> object:
    if isinstance(value, float):
        return None if value != value else int(value) if value.is_integer() else value
    return value


def _number(text: str) -> float | int:
    value = float(text)
    return int(value) if value.is_integer() else value


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return copy_tiny(tmp_path_factory.mktemp("mutations") / "copy")


@pytest.mark.promise(2, 40, 8000)
@pytest.mark.timeout(3600)
def test_a_mutated_text_file_is_refused_or_read_as_written(copy: Copy, cases: int) -> None:
    @settings(QUIET, max_examples=cases)
    @given(mutation=mutations())
    @example(mutation=("od.csv", 500, 1, b"\x00"))
    @example(mutation=("instance.toml", 0, 0, b"\xff"))
    def tried(mutation: tuple[str, int, int, bytes]) -> None:
        file, *change = mutation
        path = copy.path / file
        content = path.read_bytes()
        try:
            path.write_bytes(_mutate(content, *change))
            instance = _try(copy.path)
            if instance is not None:
                _assert_read_as_written(instance, copy, file)
        finally:
            path.write_bytes(content)

    tried()


@settings(QUIET, max_examples=40)
@given(mutation=mutations())
def test_a_mutated_file_of_an_instance_with_a_manifest_is_refused(
    copy: Copy, mutation: tuple[str, int, int, bytes]
) -> None:
    file, *change = mutation
    path = copy.path / file
    content = path.read_bytes()
    manifest = write_manifest(copy.path)
    try:
        path.write_bytes(_mutate(content, *change))
        assert (_try(copy.path) is None) == (path.read_bytes() != content)
    finally:
        path.write_bytes(content)
        manifest.unlink()


@settings(QUIET, max_examples=20)
@given(seed=st.integers(0, 2**32), table=st.sampled_from(sorted(BY_NAME)))
def test_any_rows_in_any_order_have_the_same_digest_in_csv_and_parquet(
    tmp_path_factory: pytest.TempPathFactory, seed: int, table: str
) -> None:
    copy = copy_with_every_table(tmp_path_factory.mktemp("digests") / "copy")
    shuffle = random.Random(seed)
    rows = copy.rows("od")
    for row in rows:
        row["tonnes"] = repr(shuffle.choice([0.0, 1 / 3, 1e7 * shuffle.random(), float(shuffle.randrange(10**6))]))
    shuffle.shuffle(rows)
    copy.write("od", copy.header("od"), rows)
    before = read_instance(copy.path).digest
    shuffle.shuffle(rows)
    copy.write("od", copy.header("od"), rows)
    copy.as_parquet(table)
    assert read_instance(copy.path).digest == before


PARQUET_CHILD = """
import random, sys
from pathlib import Path
from nbb_opt.errors import InstanceError
from nbb_opt.instance import read_instance

folder, count = Path(sys.argv[1]), int(sys.argv[2])
digest = read_instance(folder).digest
shuffle = random.Random(11)
for file in (folder / "od.parquet", folder / "vehicles.parquet"):
    content = file.read_bytes()
    for _ in range(count):
        changed = bytearray(content)
        place = shuffle.randrange(len(changed))
        kind = shuffle.choice(["bit", "zero", "cut", "insert", "footer"])
        if kind == "bit":
            changed[place] ^= 1 << shuffle.randrange(8)
        elif kind == "zero":
            changed[place : place + 8] = bytes(len(changed[place : place + 8]))
        elif kind == "cut":
            del changed[place : place + shuffle.randrange(1, 40)]
        elif kind == "insert":
            changed[place:place] = shuffle.randbytes(shuffle.randrange(1, 9))
        else:
            changed[-shuffle.randrange(1, 600)] ^= 1 << shuffle.randrange(8)
        file.write_bytes(bytes(changed))
        try:
            assert read_instance(folder).digest == digest, (file.name, kind, place)
        except InstanceError as error:
            assert error.problems
    file.write_bytes(content)
"""


@pytest.mark.promise(1, 40, 3000)
def test_a_mutated_parquet_file_is_refused_or_reads_the_same(cases: int, tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "copy")
    copy.as_parquet("od")
    copy.as_parquet("vehicles")
    count = str(cases // 2)  # of each of two files
    command = [sys.executable, "-c", PARQUET_CHILD, str(copy.path), count]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300 + cases, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
