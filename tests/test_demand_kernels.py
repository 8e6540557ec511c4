"""The kernels of the demand agree with plain Python."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

import plain_demand
from nbb_opt.demand import Target, add_rows
from nbb_opt.demand.aggregate import find_repeats
from nbb_opt.demand.sums import Accumulator

N_NODES, N_COMMODITIES = 5, 3
NODES = {f"N{i}": i for i in range(N_NODES)} | {"no zone": add_rows.NO_ZONE}
GOODS = {f"K{i}": i for i in range(N_COMMODITIES)}
TARGET = Target(NODES, GOODS, N_NODES, N_COMMODITIES)


def random_rows(seed: int, n: int) -> list[plain_demand.Row]:
    rng = np.random.default_rng(seed)
    tonnes = rng.random(n) * 100
    for value in (np.nan, -1.0, 3e-8, 2e8, 0.0):
        tonnes[rng.random(n) < 0.03] = value
    return [
        (int(rng.integers(-2, N_NODES)), int(rng.integers(-2, N_NODES)), int(rng.integers(-1, N_COMMODITIES)),
         int(rng.choice([1949, 2025, 2030, 2035, 2121], p=[0.02, 0.3, 0.3, 0.36, 0.02])), float(t))
        for t in tonnes
    ]  # fmt: skip


def batches_of(rows: list[plain_demand.Row]) -> list[pa.RecordBatch]:
    node = {i: name for name, i in NODES.items()} | {add_rows.UNKNOWN: "nowhere"}
    good = {i: name for name, i in GOODS.items()} | {add_rows.UNKNOWN: "nothing"}
    found = []
    for start in range(0, len(rows), 50):
        o, d, k, year, tonnes = zip(*rows[start : start + 50], strict=True)
        columns = {
            "origin": [node[i] for i in o],
            "destination": [node[i] for i in d],
            "commodity": [good[i] for i in k],
        }
        found.append(pa.RecordBatch.from_pydict({**columns, "year": list(year), "tonnes": list(tonnes)}))
    return found


@pytest.mark.promise(12, 8, 250)
@pytest.mark.parametrize("budget_bytes", [0, 1 << 20])
def test_rows_are_summed_and_refused_as_in_plain_python(seed: int, budget_bytes: int) -> None:
    rows = random_rows(seed, 300)
    expected, faults = plain_demand.collect(rows)
    sums = Accumulator(TARGET, within=False, budget_bytes=budget_bytes, twice=not budget_bytes)
    for number, batch in enumerate(batches_of(rows)):
        sums.add(batch, 50 * number)
    for fault, places in enumerate(faults):
        if fault != add_rows.FAULT_DUPLICATE or not budget_bytes:
            assert sums.counts[fault] == len(places)
            kept = places[: add_rows.PLACES_KEPT]
            assert sums.first[fault, : len(kept)].tolist() == kept
    flow, year, tonnes = sums.packed().parts()
    keys = zip(*(part.tolist() for part in TARGET.names(flow)), year.tolist(), strict=True)
    assert dict(zip(keys, tonnes.tolist(), strict=True)) == expected


@pytest.mark.parametrize("seed", range(5))
def test_a_repeated_row_is_found_with_the_last_row_of_its_key(seed: int) -> None:
    rows = [row for row in random_rows(seed, 400) if plain_demand.fault_of(row) < 0]
    last: dict[plain_demand.Key, int] = {}
    expected = []
    for number, row in enumerate(rows):
        if row[:4] in last:
            expected.append((number, last[row[:4]]))
        last[row[:4]] = number
    assert find_repeats(batches_of(rows), TARGET, by_shipper=False) == expected[: add_rows.PLACES_KEPT]


@pytest.mark.parametrize("seed", range(10))
def test_tonnes_in_a_year_are_those_of_plain_python(seed: int) -> None:
    rng = np.random.default_rng(seed)
    years = np.sort(rng.choice(np.arange(2015, 2065), 6, replace=False))
    series = [
        {int(y): float(rng.random() * 1e6) for y in np.sort(rng.choice(np.arange(2020, 2060), rng.integers(1, 5)))}
        for _ in range(20)
    ]
    start = np.append(0, np.cumsum([len(one) for one in series]))
    given = np.array([y for one in series for y in one], dtype=np.int16)
    tonnes = np.array([t for one in series for t in one.values()])
    found = add_rows.tonnes_in_years(start, given, tonnes, years.astype(np.int16))
    expected = [[plain_demand.tonnes_in(one, int(year)) for year in years] for one in series]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.promise(12)
@pytest.mark.hard
def test_no_kernel_reads_out_of_bounds(tmp_path: object) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "plain_python or repeated"],
        env=os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
