"""Reading the demand: bundles are exact whatever the order, and no faulty row gets through."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nbb_opt.errors import InstanceError
from nbb_opt.instance import Instance
from nbb_opt.network.bundles import read_demand
from network_worlds import world

ROWS = [
    ("A", "B", "ORE", 2025, 100.0), ("A", "B", "ORE", 2035, 300.0), ("B", "A", "BOX", 2025, 0.0),
    ("B", "A", "BOX", 2035, 50.0), ("C", "A", "BOX", 2025, 0.0), ("C", "A", "BOX", 2030, 0.0),
]  # fmt: skip
COLUMNS = ["origin", "destination", "commodity", "year", "tonnes"]


def demand_world(folder: Path, rows: list[Any], *, parquet: bool = False, **options: Any) -> Instance:
    table = pd.DataFrame(rows, columns=COLUMNS)
    instance = world(
        folder, nodes=["A", "B", "C"], links=[], transfers=[], od=table.to_dict("records"), periods=(2025, 2030)
    )
    if not parquet:
        return instance
    (folder / "od.csv").unlink()
    pq.write_table(
        pa.Table.from_pandas(table, preserve_index=False), folder / "od.parquet", write_page_checksum=True, **options
    )
    return replace(instance, od_path=folder / "od.parquet")


@pytest.mark.parametrize("parquet", [False, True])
def test_bundles_are_interpolated_and_zero_flows_left_out(tmp_path: Path, parquet: bool) -> None:
    demand = read_demand(demand_world(tmp_path, ROWS, parquet=parquet))
    assert demand.bundles[["origin", "destination", "commodity"]].to_numpy().tolist() == [
        ["A", "B", "ORE"], ["B", "A", "BOX"],
    ]  # fmt: skip
    assert demand.demand_t.tolist() == [[100.0, 200.0], [0.0, 25.0]]
    assert "1 flows are zero" in demand.log[1]


def test_the_order_of_rows_and_the_row_groups_change_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [
        (a, b, k, y, float(rng.random()))
        for a in "ABC" for b in "ABC" if a != b for k in ("ORE", "BOX") for y in (2025, 2028, 2035)
    ]  # fmt: skip
    plain = read_demand(demand_world(tmp_path / "a", rows))
    shuffled = [rows[i] for i in rng.permutation(len(rows))]
    for number, size in enumerate((1, 7, 100)):
        other = read_demand(demand_world(tmp_path / str(number), shuffled, parquet=True, row_group_size=size))
        pd.testing.assert_frame_equal(plain.bundles, other.bundles)
        np.testing.assert_array_equal(plain.demand_t, other.demand_t)


@pytest.mark.parametrize("parquet", [False, True])
@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("Q", "B", "ORE", 2025, 1.0), "column origin, value 'Q': is not in nodes"),
        (("A", "Q", "ORE", 2025, 1.0), "column destination, value 'Q': is not in nodes"),
        (("A", "B", "Q", 2025, 1.0), "column commodity, value 'Q': is not in commodities"),
        (("A", "C", "ORE", 1900, 1.0), "value 1900: is below 1950"),
        (("A", "C", "ORE", 2025, -1.0), "value -1: is below 0"),
        (("A", "C", "ORE", 2025, float("inf")), "tonnes"),
        (("A", "A", "ORE", 2025, 1.0), "is the same as the origin"),
        (("A", "B", "ORE", 2025, 1.0), "has the same key as row"),
    ],
)
def test_a_faulty_row_is_refused_with_its_place(
    tmp_path: Path, row: tuple[Any, ...], words: str, parquet: bool
) -> None:
    with pytest.raises(InstanceError, match=words) as caught:
        read_demand(demand_world(tmp_path, [*ROWS, row], parquet=parquet))
    assert f"row {7 if parquet else 8}, " in str(caught.value)


def test_faults_are_counted_and_the_first_places_given(tmp_path: Path) -> None:
    rows = [*ROWS, *[("Q", "B", "ORE", 2000 + i, 1.0) for i in range(70)]]
    with pytest.raises(InstanceError) as caught:
        read_demand(demand_world(tmp_path, rows))
    *first, last = caught.value.problems
    assert [f"row {8 + i}, column origin" in problem.where for i, problem in enumerate(first)] == [True] * 50
    assert last.what == "20 more faults of the kind 'reference'"


def test_a_node_that_is_no_zone_is_refused(tmp_path: Path) -> None:
    instance = demand_world(tmp_path, ROWS)
    nodes = instance["nodes"].assign(is_zone=[True, False, True])
    with pytest.raises(InstanceError, match="value 'B': is not a zone"):
        read_demand(replace(instance, tables=dict(instance.tables) | {"nodes": nodes}))


def test_a_period_outside_the_years_of_the_file_is_refused(tmp_path: Path) -> None:
    rows = [row for row in ROWS if row[3] == 2025]  # linear between the years of a flow, and nothing beyond
    with pytest.raises(InstanceError, match="A/B/ORE has no demand for 2030"):
        read_demand(demand_world(tmp_path, rows))


def test_a_missing_or_unknown_column_is_refused(tmp_path: Path) -> None:
    instance = demand_world(tmp_path, ROWS)
    pd.DataFrame(ROWS, columns=[*COLUMNS[:4], "tons"]).to_csv(instance.od_path, index=False)
    with pytest.raises(InstanceError, match="column tonnes is missing") as caught:
        read_demand(instance)
    assert "column 'tons'" in str(caught.value)


def test_a_word_in_place_of_a_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match="row 8, column tonnes, value 'many': is not a number"):
        read_demand(demand_world(tmp_path, [*ROWS, ("A", "C", "ORE", 2025, "many")]))


def test_a_damaged_file_is_refused_and_never_read_as_other_numbers(tmp_path: Path) -> None:
    rows = [(a, b, "ORE", y, 10.0 * i) for i, (a, b) in enumerate((a, b) for a in "ABC" for b in "ABC" if a != b)
            for y in (2025, 2035)]  # fmt: skip
    instance = demand_world(tmp_path, rows, parquet=True)
    whole = instance.od_path.read_bytes()
    expected = read_demand(instance).demand_t
    rng = np.random.default_rng(1)
    for _ in range(150):
        content = bytearray(whole)
        content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
        instance.od_path.write_bytes(content)
        try:
            np.testing.assert_array_equal(read_demand(instance).demand_t, expected)
        except InstanceError:
            continue


@pytest.mark.parametrize("parquet", [False, True])
def test_a_row_more_of_one_flow_changes_no_other_flow(tmp_path: Path, parquet: bool) -> None:
    plain = read_demand(demand_world(tmp_path / "plain", ROWS, parquet=parquet))
    more = read_demand(demand_world(tmp_path / "more", [*ROWS, ("A", "B", "ORE", 2030, 200.0)], parquet=parquet))
    pd.testing.assert_frame_equal(plain.bundles, more.bundles)
    np.testing.assert_array_equal(plain.demand_t, more.demand_t)


def test_a_flow_is_not_zero_in_a_period_it_says_nothing_about(tmp_path: Path) -> None:
    rows = [row for row in ROWS if row[:3] != ("B", "A", "BOX") or row[3] == 2035]
    with pytest.raises(InstanceError, match="B/A/BOX has no demand for 2025"):
        read_demand(demand_world(tmp_path, rows))
