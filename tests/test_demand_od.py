"""Large OD files: the sums are those of plain Python whatever the threads, parts and memory, and no damage gets by."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbb_opt.demand import RowRules, Sums, Target, aggregate, open_source
from nbb_opt.demand.synthetic import Synthetic, write_synthetic
from nbb_opt.errors import InstanceError

COLUMNS = ["origin", "destination", "commodity", "year", "tonnes"]
ADD = RowRules(add_duplicates=True, within=True)


def written(path: Path, table: pd.DataFrame, **options: Any) -> Path:
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), path, write_page_checksum=True, **options)
    return path


def by_pandas(table: pd.DataFrame, zone: dict[Any, int], group: dict[Any, int]) -> pd.DataFrame:
    keys = table.assign(
        origin=table["origin"].map(zone), destination=table["destination"].map(zone),
        commodity=table["commodity"].map(group),
    )  # fmt: skip
    return keys.groupby(COLUMNS[:4], as_index=False)["tonnes"].sum()


def as_frame(sums: Sums, target: Target) -> pd.DataFrame:
    origin, destination, commodity = target.names(sums.flow)
    columns = [origin, destination, commodity, sums.year, sums.tonnes]
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def synthetic(folder: Path, **fields: Any) -> tuple[Path, Target, pd.DataFrame]:
    spec = Synthetic(**({"rows": 30_000, "places": 60, "zones": 12, "classes": 7, "commodities": 3} | fields))
    path = folder / "od.parquet"
    write_synthetic(path, spec)
    places = spec.place_names() if spec.text else list(range(spec.places))
    classes = spec.class_names() if spec.text else list(range(spec.classes))
    zone = dict(zip(places, spec.zone_of_place().tolist(), strict=True))
    group = dict(zip(classes, spec.commodity_of_class().tolist(), strict=True))
    return path, Target(zone, group, spec.zones, spec.commodities), by_pandas(pd.read_parquet(path), zone, group)


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("in_order", [False, True])
@pytest.mark.parametrize("budget_bytes", [0, 5_000, 1 << 27])
def test_sums_are_those_of_pandas(tmp_path: Path, text: bool, in_order: bool, budget_bytes: int) -> None:
    path, target, expected = synthetic(tmp_path, text=text, in_order=in_order, years=(2025, 2030, 2045))
    sums = aggregate(open_source(path), target, rules=ADD, budget_bytes=budget_bytes)
    assert sums.dense == (budget_bytes == 1 << 27)
    pd.testing.assert_frame_equal(as_frame(sums, target), expected, check_dtype=False, rtol=0, atol=0)


def test_threads_and_memory_allowed_change_no_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    n = 40_000
    table = pd.DataFrame(
        {"origin": rng.integers(0, 9, n), "destination": rng.integers(0, 9, n), "commodity": rng.integers(0, 2, n),
         "year": rng.choice([2025, 2030], n), "tonnes": (0.01 + rng.random(n)) * 10.0 ** rng.integers(-2, 7, n)}
    )  # fmt: skip
    source = open_source(written(tmp_path / "od.parquet", table, row_group_size=1700))
    target = Target({i: i for i in range(9)}, {0: 0, 1: 1}, 9, 2)
    for part_rows in (5_000, 1 << 24):
        runs = [
            aggregate(source, target, rules=ADD, threads=threads, budget_bytes=budget, part_rows=part_rows)
            for threads in (1, 2, 5)
            for budget in (0, 2_000, 1 << 27)
        ]
        for other in runs[1:]:
            np.testing.assert_array_equal(runs[0].flow, other.flow)
            assert runs[0].tonnes.tobytes() == other.tonnes.tobytes()


def test_a_partitioned_folder_reads_as_one_file(tmp_path: Path) -> None:
    path, target, expected = synthetic(tmp_path, years=(2025, 2035))
    table = pd.read_parquet(path)
    for year, part in table.groupby("year"):
        folder = tmp_path / "od" / f"year={year}"
        folder.mkdir(parents=True)
        for number, piece in enumerate((part.iloc[:900], part.iloc[900:])):
            written(folder / f"{number}.parquet", piece.drop(columns="year"))
    sums = aggregate(open_source(tmp_path / "od"), target, rules=ADD)
    pd.testing.assert_frame_equal(as_frame(sums, target), expected, check_dtype=False, rtol=0, atol=0)
    written(folder / "1.parquet", piece.drop(columns="year").assign(tonnes=-1.0))
    with pytest.raises(InstanceError, match=r"od/year=2035/1\.parquet row 1: tonnes -1\.0 is negative"):
        aggregate(open_source(tmp_path / "od"), target, rules=ADD)


def test_a_row_group_larger_than_the_pieces_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, target, expected = synthetic(tmp_path)
    monkeypatch.setattr("nbb_opt.demand.source.WHOLE_GROUP_ROWS", 10_000)
    monkeypatch.setattr("nbb_opt.demand.source.PIECE_ROWS", 4_096)
    sums = aggregate(open_source(path), target, rules=ADD)
    pd.testing.assert_frame_equal(as_frame(sums, target), expected, check_dtype=False, rtol=0, atol=0)


WAYS: dict[str, tuple[dict[str, Any], str]] = {
    "origin nobody knows": ({"origin": "Q"}, "origin 'Q' is not in"),
    "origin blank": ({"origin": None}, "origin None is not in"),
    "origin that is no zone": ({"origin": "N"}, "origin 'N' is a node but no zone"),
    "destination nobody knows": ({"destination": "Q"}, "destination 'Q' is not in"),
    "destination that is no zone": ({"destination": "N"}, "destination 'N' is a node but no zone"),
    "commodity nobody knows": ({"commodity": "Q"}, "commodity 'Q' is not in"),
    "year before 1950": ({"year": 1949}, "year 1949 is outside"),
    "year blank": ({"year": None}, "year None is outside"),
    "tonnes not a number": ({"tonnes": float("nan")}, "no finite number"),
    "tonnes endless": ({"tonnes": float("inf")}, "tonnes inf is no finite number"),
    "tonnes negative": ({"tonnes": -5.0}, "tonnes -5.0 is negative"),
    "within a zone": ({"destination": "A000", "origin": "A000"}, "are both 'A000'"),
    "twice": ({}, "stands twice"),
}


def damaged(share: float) -> tuple[pd.DataFrame, dict[str, list[int]]]:
    names = [f"A{i:03d}" for i in range(60)]
    pairs = [(a, b, c) for a in names for b in names if a != b for c in ("X", "Y")]
    table = pd.DataFrame(pairs, columns=COLUMNS[:3]).assign(year=2030, tonnes=2.5)
    rng = np.random.default_rng(4)
    rows = rng.permutation(np.arange(100, len(table)))[: int(share * len(table))]
    places: dict[str, list[int]] = {way: [] for way in WAYS}
    table = table.astype({"year": object})
    for number, row in enumerate(rows.tolist()):
        way = list(WAYS)[number % len(WAYS)]
        places[way].append(row + 1)
        if way == "twice":
            table.loc[row, COLUMNS[:3]] = table.loc[0, COLUMNS[:3]].to_numpy()
        for column, value in WAYS[way][0].items():
            table.loc[row, column] = value
    return table.astype({"year": "Int64"}), places


def damage_target() -> Target:
    zones = {f"A{i:03d}": i for i in range(60)} | {"N": -2}
    return Target(zones, {"X": 0, "Y": 1}, 60, 2)


@pytest.mark.parametrize("budget_bytes", [0, 1 << 27])
def test_one_percent_of_rows_damaged_in_every_way_is_refused_with_counts_and_first_places(
    tmp_path: Path, budget_bytes: int
) -> None:
    table, places = damaged(0.01)
    source = open_source(written(tmp_path / "od.parquet", table, row_group_size=1000))
    with pytest.raises(InstanceError) as caught:
        aggregate(source, damage_target(), budget_bytes=budget_bytes, part_rows=3000)
    text = str(caught.value)
    counted = sum(int(problem.what.split(" row")[0]) for problem in caught.value.problems)
    assert counted == sum(len(rows) for rows in places.values())
    for way, (_, words) in WAYS.items():
        together = [rows for other, rows in places.items() if _same_kind(way, other)]
        first = sorted(row for rows in together for row in rows)[:3]
        if min(places[way]) in first:
            assert words in text
        for row in first:
            assert f"row {row}: " in text


def _same_kind(one: str, other: str) -> bool:
    kinds = [{"origin nobody knows", "origin blank"}, {"year before 1950", "year blank"},
             {"tonnes not a number", "tonnes endless"}]  # fmt: skip
    return one == other or any({one, other} <= kind for kind in kinds)


def test_rows_are_left_out_only_as_asked_and_the_log_counts_them(tmp_path: Path) -> None:
    table, places = damaged(0.01)
    source = open_source(written(tmp_path / "od.parquet", table))
    asked = ("unknown-zone", "no-zone", "unknown-commodity", "year", "not-finite", "within-zone")
    with pytest.raises(InstanceError, match="is negative") as caught:
        aggregate(source, damage_target(), rules=RowRules(drop=asked, add_duplicates=True))
    assert len(caught.value.problems) == 1
    sums = aggregate(source, damage_target(), rules=RowRules(drop=(*asked, "negative"), add_duplicates=True))
    bad = sum(len(rows) for way, rows in places.items() if way != "twice")
    assert (sums.rows, sums.kept) == (len(table), len(table) - bad)
    assert sums.tonnes.sum() == 2.5 * sums.kept
    assert any(f"{len(places['tonnes negative'])} rows left out as asked: row" in line for line in sums.log)
    assert any(f"{len(places['twice'])} rows added to an earlier row" in line for line in sums.log)
    with pytest.raises(InstanceError, match="is no kind of fault"):
        RowRules(drop=("everything",))


def test_a_corrupted_page_is_refused(tmp_path: Path) -> None:
    path, target, _ = synthetic(tmp_path, rows=3000)
    whole = path.read_bytes()
    expected = aggregate(open_source(path), target, rules=ADD).tonnes
    rng = np.random.default_rng(2)
    refused = 0
    for place in rng.integers(4, len(whole), 60).tolist():
        content = bytearray(whole)
        content[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(content)
        try:
            np.testing.assert_array_equal(aggregate(open_source(path), target, rules=ADD).tonnes, expected)
        except InstanceError:
            refused += 1
    assert refused > 40


ROWS = st.lists(
    st.tuples(
        st.integers(0, 4), st.integers(0, 4), st.integers(0, 2), st.sampled_from([2025, 2030]), st.integers(0, 4096)
    ),
    min_size=1, max_size=40,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(rows=ROWS, data=st.data())
def test_splitting_a_row_in_two_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, ...]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("split")
    target = Target({i: i for i in range(5)}, {i: i for i in range(3)}, 5, 3)
    whole = pd.DataFrame(rows, columns=COLUMNS)
    at = data.draw(st.integers(0, len(rows) - 1))
    part = data.draw(st.integers(0, rows[at][4]))
    split = pd.concat([whole, whole.iloc[[at]].assign(tonnes=part)], ignore_index=True)
    split.loc[at, "tonnes"] -= part
    one, two = (
        aggregate(open_source(written(folder / f"{i}.parquet", t.astype({"tonnes": float}))), target, rules=ADD)
        for i, t in enumerate((whole, split))
    )
    np.testing.assert_array_equal(one.flow, two.flow)
    np.testing.assert_array_equal(one.tonnes, two.tonnes)


@settings(max_examples=40, deadline=None)
@given(rows=ROWS, names=st.permutations(["Oulu", "Luleå", "a", "B;", "0"]))
def test_renaming_zones_changes_only_names(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, ...]], names: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("names")
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"tonnes": float})
    target = Target({i: i for i in range(5)}, {i: i for i in range(3)}, 5, 3)
    renamed = table.assign(
        origin=[names[i] for i in table["origin"]], destination=[names[i] for i in table["destination"]]
    )
    one = aggregate(open_source(written(folder / "1.parquet", table)), target, rules=ADD)
    by_name = Target({name: i for i, name in enumerate(names)}, target.commodity_of, 5, 3)
    two = aggregate(open_source(written(folder / "2.parquet", renamed)), by_name, rules=ADD)
    np.testing.assert_array_equal(one.flow, two.flow)
    np.testing.assert_array_equal(one.tonnes, two.tonnes)


def test_the_same_seed_writes_the_same_rows_and_order_is_only_order(tmp_path: Path) -> None:
    for in_order in (False, True):
        spec = Synthetic(5000, places=20, zones=5, seed=3, in_order=in_order)
        write_synthetic(tmp_path / "1.parquet", spec)
        write_synthetic(tmp_path / "2.parquet", spec)
        assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()
        table = pd.read_parquet(tmp_path / "1.parquet")
        assert len(table) == 5000
        pairs = table["origin"] * 20 + table["destination"]
        assert pairs.is_monotonic_increasing == in_order
        assert pairs.value_counts().iloc[0] > 3 * pairs.value_counts().median()


@pytest.mark.promise(12)
@pytest.mark.hard
def test_no_kernel_reads_out_of_bounds(tmp_path: Path) -> None:
    words = "one_percent or (pandas and False-False) or no_bit"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", words],
        env=os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("budget_bytes", [0, 1 << 27])
@pytest.mark.parametrize("low", [0, 3, 70_000])
@pytest.mark.parametrize("kind", ["int16", "int32", "int64"])
def test_whole_numbers_that_are_no_id_are_refused_wherever_they_lie(
    tmp_path: Path, kind: str, low: int, budget_bytes: int
) -> None:
    """Ids as they are in the file need no other table, so the kernels look whether they lie in it."""
    if low > np.iinfo(kind).max:
        pytest.skip("such ids do not fit")
    target = Target({low + i: i for i in range(5)}, {0: 0}, 5, 1)
    good = pd.DataFrame({"origin": [low, low + 4] * 1500, "destination": low + 1, "commodity": 0, "year": 2030})
    strange = [-1, low + 5, low - 1, np.iinfo(kind).max, np.iinfo(kind).min]
    table = good.assign(tonnes=1.0)
    table.loc[[5, 700, 1500, 2100, 2999], "origin"] = strange
    types = {"origin": kind, "destination": kind, "commodity": "int16", "year": "int16"}
    source = open_source(written(tmp_path / "od.parquet", table.astype(types)))
    with pytest.raises(InstanceError, match=r"5 rows refused: row 6: origin '?-1'? is not in"):
        aggregate(source, target, rules=ADD, budget_bytes=budget_bytes)
    sums = aggregate(
        source, target, rules=RowRules(drop=("unknown-zone",), add_duplicates=True), budget_bytes=budget_bytes
    )
    assert sums.tonnes.tolist() == [1497.0, 1498.0]
    assert sums.kept == 2995
