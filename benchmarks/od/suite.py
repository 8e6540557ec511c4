"""OD rows to flows: 5,000 places and 50 classes of goods to 500 x 500 zones x 10 commodities."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from nbb_opt.demand.od.synthetic import Synthetic, write_synthetic

SMALL_ROWS = 20_000


def cases(folder: Path, rows: int, seed: int) -> list[dict[str, Any]]:
    """Random and sorted order; files that are there already are used again."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for in_order in (False, True):
        name = "sorted" if in_order else "unsorted"
        paths = {}
        for size in {SMALL_ROWS, rows}:
            path = folder / f"od-{name}-{size}-{seed}.parquet"
            if not path.exists():
                part = path.with_suffix(".part")
                write_synthetic(part, Synthetic(size, seed=seed, in_order=in_order))
                part.rename(path)
            paths[size] = path
        metadata = pq.ParquetFile(paths[rows]).metadata
        counters = {
            "rows": metadata.num_rows, "row_groups": metadata.num_row_groups, "bytes": paths[rows].stat().st_size,
            "zones": 500, "commodities": 10,
        }  # fmt: skip
        case = {"case": name, "path": str(paths[rows]), "small": str(paths[SMALL_ROWS]), "seed": seed}
        found.append({**case, "counters": counters})
    return found


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
