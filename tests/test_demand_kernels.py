"""The kernels of the demand agree with plain Python."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import plain_demand as reference
from nbb_opt.demand import flow_table

N_NODES, N_COMMODITIES = 5, 3


def random_rows(seed: int, n: int) -> list[reference.Row]:
    rng = np.random.default_rng(seed)
    tonnes = rng.random(n) * 100
    tonnes[rng.random(n) < 0.03] = np.nan
    tonnes[rng.random(n) < 0.03] = -1.0
    return [
        (int(rng.integers(-2, N_NODES)), int(rng.integers(-2, N_NODES)), int(rng.integers(-1, N_COMMODITIES)),
         int(rng.choice([1949, 2025, 2030, 2035, 2121], p=[0.02, 0.3, 0.3, 0.36, 0.02])), float(t))
        for t in tonnes
    ]  # fmt: skip


def collect_by_kernel(rows: list[reference.Row]) -> tuple[dict[reference.Key, float], np.ndarray, np.ndarray]:
    keys, values = np.full(16, flow_table.EMPTY, dtype=np.int64), np.zeros(16)
    counts = np.zeros(flow_table.FAULTS, dtype=np.int64)
    first = np.full((flow_table.FAULTS, flow_table.PLACES_KEPT), -1, dtype=np.int64)
    for start in range(0, len(rows), 50):
        part = rows[start : start + 50]
        new_keys, new_values = np.full(keys.size + 128, flow_table.EMPTY, dtype=np.int64), np.zeros(keys.size + 128)
        size = 1 << int(new_keys.size - 1).bit_length()
        new_keys, new_values = np.full(size, flow_table.EMPTY, dtype=np.int64), np.zeros(size)
        flow_table.move_table(keys, values, new_keys, new_values)
        keys, values = new_keys, new_values
        columns = [np.array([row[i] for row in part]) for i in range(5)]
        flow_table.add_rows(keys, values, *columns, N_NODES, N_COMMODITIES, False, start, counts, first)
    found = {}
    for key, value in zip(keys[keys >= 0].tolist(), values[keys >= 0].tolist(), strict=True):
        flow, slot = divmod(key, flow_table.YEAR_SLOTS)
        pair, commodity = divmod(flow, N_COMMODITIES)
        found[(*divmod(pair, N_NODES), commodity, slot + flow_table.FIRST_YEAR)] = value
    return found, counts, first


@pytest.mark.parametrize("seed", range(10))
def test_rows_are_collected_and_refused_as_in_plain_python(seed: int) -> None:
    rows = random_rows(seed, 300)
    expected, faults = reference.collect(rows)
    found, counts, first = collect_by_kernel(rows)
    assert found == expected
    assert counts.tolist() == [len(places) for places in faults]
    for fault, places in enumerate(faults):
        kept = places[: flow_table.PLACES_KEPT]
        assert first[fault, : len(kept)].tolist() == kept


@pytest.mark.parametrize("seed", range(10))
def test_period_tonnes_are_those_of_plain_python(seed: int) -> None:
    rng = np.random.default_rng(seed)
    file_years = sorted(rng.choice(np.arange(2020, 2060), 4, replace=False).tolist())
    periods = [int(y) for y in np.linspace(file_years[0], file_years[-1], 5)]
    flows = [
        {year: float(rng.random() * 1e6) for year in file_years if rng.random() < 0.7} or {file_years[0]: 1.0}
        for _ in range(20)
    ]
    start = np.append(0, np.cumsum([len(flow) for flow in flows])).astype(np.int64)
    index = np.array([file_years.index(year) for flow in flows for year in flow])
    tonnes = np.array([t for flow in flows for t in flow.values()])
    years = np.array(file_years)
    left = np.searchsorted(years, periods, side="right") - 1
    right = np.minimum(left + 1, 3)
    weight = (np.array(periods) - years[left]) / np.maximum(years[right] - years[left], 1)
    found = flow_table.period_tonnes(start, index, tonnes, left, weight, 4)
    for f, flow in enumerate(flows):
        for t, year in enumerate(periods):
            assert found[f, t] == pytest.approx(reference.tonnes_in(flow, file_years, year), rel=1e-14)


def test_no_kernel_reads_out_of_bounds(tmp_path: object) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "plain_python"],
        env=os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
