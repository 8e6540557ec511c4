"""OD rows to flows: 5,000 places and 50 classes of goods to 500 x 500 zones x 10 commodities."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.harness import BenchOptions
from nbb_opt.demand.synthetic import Synthetic, write_synthetic

TAKES = {"rows": 10_000_000}
SMALL_ROWS = 20_000


def cases(options: BenchOptions) -> list[dict[str, Any]]:
    """Random and sorted order."""
    return [{"case": name, "seed": options.seed, "in_order": name == "sorted"} for name in ("unsorted", "sorted")]


def prepare(case: dict[str, Any], folder: Path, options: BenchOptions) -> dict[str, Any]:
    """Write the file and a small one for warming up; files that are there already are used again."""
    paths = {}
    for size in {SMALL_ROWS, options.rows}:
        path = folder / f"od-{case['case']}-{size}-{options.seed}.parquet"
        if not path.exists():
            part = path.with_suffix(".part")
            write_synthetic(part, Synthetic(size, seed=options.seed, in_order=case["in_order"]))
            part.rename(path)
        paths[size] = path
    metadata = pq.ParquetFile(paths[options.rows]).metadata
    counters = {
        "rows": metadata.num_rows, "row_groups": metadata.num_row_groups, "bytes": paths[options.rows].stat().st_size,
        "zones": 500, "commodities": 10,
    }  # fmt: skip
    return {**case, "path": str(paths[options.rows]), "small": str(paths[SMALL_ROWS]), "counters": counters}


def maps(case: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Zone of every place and commodity of every class."""
    spec = Synthetic(1, seed=case["seed"])
    return spec.zone_of_place(), spec.commodity_of_class()


def keyed(case: dict[str, Any], zone_o: Any, zone_d: Any, group: Any, year: Any, tonnes: Any) -> str:
    """sha256 of the flows in the order of their keys, and their number."""
    o, d, k, y = (np.asarray(cells, dtype=np.int64) for cells in (zone_o, zone_d, group, year))
    key = (((o * 500 + d) * 10) + k) * 4096 + y
    order = np.argsort(key)
    content = key[order].tobytes() + np.asarray(tonnes, dtype=np.float64)[order].tobytes()
    return f"{key.size} flows {hashlib.sha256(content).hexdigest()[:32]}"
