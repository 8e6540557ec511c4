"""The model that every subject states: bundles served by four chains each, chains that use two capacities each.

Minimise sum of eur[c] x[c] with sum of x over the chains of a bundle == demand, and for each capacity the sum of
uses[c] x[c] over chains that use it first and of x[c] over those that use it second <= limit. Figures are multiples of
1/1024 with at most 13 digits, so that no text format rounds them; costs and sides are all different, so that columns
and rows are known by them in whatever order a library keeps them.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

WAYS, CAPACITIES = 4, 2000
SMALL = 20_000  # for warming up; no capacity is without a chain


def figures(columns: int, seed: int) -> dict[str, np.ndarray]:
    """The data, drawn by seed; positions are 32 bits wide."""
    rng = np.random.default_rng(seed)
    half = CAPACITIES // 2
    bundles = -(-columns // WAYS)
    return {
        "bundle": np.arange(columns, dtype=np.int32) // WAYS,
        "first": rng.integers(0, half, columns, dtype=np.int32),
        "second": half + rng.integers(0, half, columns, dtype=np.int32),
        "uses": rng.integers(512, 2049, columns) / 1024.0,
        "eur": (5120 + rng.permutation(columns)) / 1024.0,
        "demand_t": (10240 + rng.permutation(bundles)) / 1024.0,
        "limit_t": 1e9 + rng.permutation(CAPACITIES),
    }


def suits(name: str, case: dict[str, Any]) -> bool:
    """Whether a subject takes part."""
    return name not in case["left_out"]


def read_back(highs: Any) -> tuple[np.ndarray, ...]:
    """Cost, bounds, start, row numbers and values by columns, sides, as a HiGHS object holds them."""
    lp = highs.getLp()
    columns = lp.num_col_
    start, index, value = (np.asarray(part) for part in (lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_))
    if "Row" in str(lp.a_matrix_.format_):
        from scipy.sparse import csr_array

        by_column = csr_array((value, index, start), shape=(lp.num_row_, columns)).tocsc()
        start, index, value = by_column.indptr, by_column.indices, by_column.data
    bounds = [np.asarray(part) for part in (lp.col_cost_, lp.col_lower_, lp.col_upper_)]
    return *bounds, start, index, value, np.asarray(lp.row_lower_), np.asarray(lp.row_upper_)


def digest_of(held: tuple[np.ndarray, ...]) -> str:
    """sha256 of a problem whatever the order of its columns and rows: columns by cost, rows by their upper side."""
    cost, low, up, start, index, value, row_low, row_up = held
    columns, rows = np.argsort(cost), np.argsort(row_up)
    column_at, row_at = np.empty_like(columns), np.empty_like(rows)
    column_at[columns], row_at[rows] = np.arange(len(columns)), np.arange(len(rows))
    place = np.repeat(column_at, np.diff(start)), row_at[index]
    order = np.lexsort(place[::-1])
    sha = hashlib.sha256()
    for part in (cost[columns], low[columns], up[columns], row_low[rows], row_up[rows], value[order]):
        sha.update(np.ascontiguousarray(part, "<f8").tobytes())
    for part in place:
        sha.update(np.ascontiguousarray(part[order], "<i8").tobytes())
    return f"{len(cost)} x {len(row_up)}, {len(value)} nonzeros {sha.hexdigest()[:24]}"
