"""Hostile and damaged files are refused quickly, and nothing is written outside."""

from __future__ import annotations

import io
import os
import stat
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from instance_copies import Copy, copy_tiny, problems_of
from nbb_opt.instance import write_manifest
from nbb_opt.instance.tables import parquet_file

Entries = list[tuple[zipfile.ZipInfo | str, bytes]]


def _link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


ATTACKS: dict[str, tuple[Entries, str]] = {
    "parent": ([("../evil.csv", b"x")], "not a plain path"),
    "deep parent": ([("a/../../evil.csv", b"x")], "not a plain path"),
    "absolute": ([("/tmp/evil.csv", b"x")], "absolute path"),
    "drive": ([("C:/evil.csv", b"x")], "absolute path"),
    "backslash": ([("..\\evil.csv", b"x")], "not a plain path"),
    "network share": ([("\\\\host\\evil.csv", b"x")], "absolute path"),
    "symlink": ([(_link("nodes.parquet"), b"/etc/passwd")], "link or a special file"),
    "device": ([("NUL.csv", b"x")], "devices"),
    "device folder": ([("aux/x.csv", b"x")], "devices"),
    "trailing dot": ([("notes.md.", b"x")], "cannot hold"),
    "case clash": ([("Links.csv", b"x")], "upper and lower case"),
    "twice": ([("links.csv", b"x")], "twice"),
    "bomb": ([("bomb.md", bytes(50 * 2**20))], "times its size"),
    "many files": ([(f"a{i}.md", b"") for i in range(600)], "files, 500 are allowed"),
    "control character": ([("a\nb.csv", b"x")], "not a plain path"),
}


def _pack(copy: Copy, more: Entries) -> Path:
    path = copy.path.parent / "packed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(copy.path.iterdir()):
            archive.write(file, file.name)
        for name, content in more:
            archive.writestr(name, content)
    return path


@pytest.mark.promise(4)
@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_hostile_zip_is_refused_and_writes_nothing(tmp_path: Path, attack: str) -> None:
    entries, words = ATTACKS[attack]
    packed = _pack(copy_tiny(tmp_path / "copy"), entries)
    before = sorted(tmp_path.rglob("*"))
    start = time.perf_counter()
    found = problems_of(packed)
    assert time.perf_counter() - start < 2
    assert any(words in str(problem) and problem.where.startswith("packed.zip") for problem in found), found
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.promise(4)
def test_a_zip_that_lies_about_a_size_is_refused(tmp_path: Path) -> None:
    packed = _pack(copy_tiny(tmp_path / "copy"), [("big.md", bytes(300_000))])
    content = packed.read_bytes()
    packed.write_bytes(content.replace((300_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    assert any(problem.rule == "zip" for problem in problems_of(packed)) or problems_of(packed) == ()


@pytest.mark.promise(4)
@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text"])
def test_a_damaged_zip_is_refused(tmp_path: Path, damage: str) -> None:
    packed = _pack(copy_tiny(tmp_path / "copy"), [])
    content = bytearray(packed.read_bytes())
    place = content.index(b"links.csv") + 60
    content[place] ^= 0x55
    changed = {"cut": content[: len(content) // 2], "flip": content, "empty": b"", "text": b"not a zip"}[damage]
    packed.write_bytes(changed)
    assert any(problem.rule == "zip" for problem in problems_of(packed))


def _flip(content: bytearray) -> None:
    content[len(content) // 3] ^= 0x10


def _cut(content: bytearray) -> None:
    del content[-20:]


def _footer_length(content: bytearray) -> None:
    content[-7] ^= 0xFF


def _magic(content: bytearray) -> None:
    content[:4] = b"ARRO"
    content[-4:] = b"ARRO"


@pytest.mark.parametrize("table", ["od", "terminals"])
@pytest.mark.parametrize("damage", [_flip, _cut, _footer_length, _magic], ids=lambda damage: damage.__name__)
def test_a_damaged_parquet_file_is_refused(tmp_path: Path, table: str, damage: Callable[[bytearray], None]) -> None:
    copy = copy_tiny(tmp_path / "copy")
    path = copy.as_parquet(table)
    content = bytearray(path.read_bytes())
    damage(content)
    path.write_bytes(content)
    found = problems_of(copy.path)
    assert found
    assert all(problem.where.startswith(f"{table}.parquet") for problem in found)


def _cells(name: str, *first: object) -> Callable[[pa.Table], pa.Table]:
    """A table whose first rows hold other values in one column."""

    def change(table: pa.Table) -> pa.Table:
        values = pa.array([*first, *table[name].to_pylist()[len(first) :]])
        return table.set_column(table.column_names.index(name), name, values)

    return change


PARQUET: list[tuple[Callable[[pa.Table], pa.Table], str]] = [
    (lambda t: t.rename_columns(["origin", "destination", "commodity", "year", "tons"]), "did you mean 'tonnes'?"),
    (lambda t: t.drop_columns(["year"]), "column year is missing"),
    (lambda t: t.set_column(4, "tonnes", t["tonnes"].cast(pa.string())), "instead of numbers"),
    (lambda t: t.set_column(3, "year", t["year"].cast(pa.float64())), "instead of whole numbers"),
    (lambda t: t.set_column(0, "origin", pa.array(range(len(t)))), "instead of text"),
    (_cells("tonnes", float("nan")), "row 1, column tonnes"),
    (_cells("tonnes", 1.0, float("inf")), "row 2, column tonnes"),
    (_cells("tonnes", None), "is blank"),
    (_cells("tonnes", -5.0), "row 1, column tonnes, value -5: is below 0"),
    (_cells("origin", None), "row 1, column origin: is blank"),
    (_cells("origin", "MINE", "MINES"), "row 2, column origin, value 'MINES'"),
    (_cells("origin", "MINE "), "space at its start or end"),
    (_cells("year", 1066), "row 1, column year, value 1066"),
    (lambda t: pa.concat_tables([t, t.slice(0, 1)]), "has the same key as row 1"),
    (lambda t: t.slice(0, 0), "has no rows"),
]


@pytest.mark.parametrize(("change", "words"), PARQUET, ids=[words for _, words in PARQUET])
def test_a_spoiled_parquet_table_is_named_with_row_and_column(tmp_path: Path, change, words: str) -> None:
    copy = copy_tiny(tmp_path / "copy")
    path = copy.as_parquet("od")
    pq.write_table(change(pq.read_table(path)), path, write_page_checksum=True)
    found = problems_of(copy.path)
    assert any(words in str(problem) and "od.parquet" in problem.where for problem in found), found


@pytest.mark.promise(4)
def test_a_parquet_bomb_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = copy_tiny(tmp_path / "copy")
    path = copy.as_parquet("od")
    row = pq.read_table(path).slice(0, 1)
    many = pa.table({name: pa.repeat(row[name][0], 100_000) for name in row.column_names})
    with pq.ParquetWriter(path, many.schema, write_page_checksum=True) as writer:
        for _ in range(10):
            writer.write_table(many)
    assert path.stat().st_size < 50_000
    monkeypatch.setattr(parquet_file, "MAX_OD_ROWS", 999_999)
    start = time.perf_counter()
    [problem] = problems_of(copy.path)
    assert time.perf_counter() - start < 1
    assert problem.rule == "size"


@pytest.mark.skipif(os.name == "nt", reason="such names cannot exist there")
@pytest.mark.parametrize("name", [b"a\xff.csv", b"a\nb.csv", b"\x1b[2J.md"])
def test_a_file_name_that_cannot_be_shown_is_refused(tmp_path: Path, name: bytes) -> None:
    copy = copy_tiny(tmp_path / "copy")
    (copy.path / os.fsdecode(name)).write_bytes(b"x")
    [problem] = problems_of(copy.path)
    assert str(problem).isascii()
    assert problem.what == "is not a plain file name"


def test_parquet_without_page_checksums_needs_a_seal(tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "copy")
    path = copy.as_parquet("od")
    assert problems_of(copy.path) == ()
    pq.write_table(pq.read_table(path), path)
    [problem] = problems_of(copy.path)
    assert "has no page checksums" in problem.what
    assert "write_page_checksum=True" in problem.hint
    write_manifest(copy.path)
    assert problems_of(copy.path) == ()


def test_large_demand_is_read_in_parts(tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "copy")
    text = io.StringIO()
    text.write("origin,destination,commodity,year,tonnes\n")
    flows = [(a, b, c) for a in ("MINE", "WEST", "EAST") for b in ("PORTW", "PORTE", "PLANT") for c in ("ORE", "BOX")]
    for origin, destination, commodity in flows:
        for year in range(2020, 2121):
            text.write(f"{origin},{destination},{commodity},{year},5\n")
    rows = text.getvalue()
    (copy.path / "od.csv").write_text(rows, encoding="utf-8")
    assert problems_of(copy.path) == ()
    bad = rows + "".join(f"EAST,PLANT,WOOD,{1950 + i % 170},{i}\n" for i in range(70_000)) + "EAST,PLANT,WOOD,2025,x\n"
    (copy.path / "od.csv").write_text(bad, encoding="utf-8")
    last = bad.count("\n")
    told = {problem.rule: problem.where for problem in problems_of(copy.path)}
    assert told["number"] == f"od.csv row {last}, column tonnes, value 'x'"
    assert told.keys() == {"number", "flows_are_given_once"}
