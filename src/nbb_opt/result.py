"""The tables a solved plan consists of, and the run folder that holds them: complete or absent, never half."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nbb_opt.errors import NbbError

# column -> dtype; `year` is the start year of a period. Rows whose amount is zero are left out.
TABLES: dict[str, dict[str, str]] = {
    "bundles": {"bundle": "int64", "origin": "str", "destination": "str", "commodity": "str"},
    "demand": {"bundle": "int64", "year": "int64", "tonnes": "float64"},
    "flows": {"chain": "int64", "year": "int64", "tonnes": "float64"},
    "chains": {
        "chain": "int64", "bundle": "int64", "kind": "str", "main_mode": "str",
        "distance_km": "float64", "time_h": "float64", "projects": "str",
    },
    "chain_steps": {
        "chain": "int64", "step": "int64", "kind": "str", "lane": "int64", "link": "str", "from_node": "str",
        "to_node": "str", "mode_a": "str", "mode_b": "str", "terminal": "str", "project": "str",
    },
    "lanes": {
        "lane": "int64", "from_node": "str", "to_node": "str", "handling": "str",
        "distance_km": "float64", "time_h": "float64", "gross_limit_t": "float64",
    },
    "lane_links": {"lane": "int64", "step": "int64", "link": "str", "from_node": "str", "to_node": "str"},
    "driven": {"lane": "int64", "vehicle": "str", "year": "int64", "loaded_vkm": "float64"},
    "empties": {
        "from_region": "str", "to_region": "str", "vehicle": "str", "handling": "str",
        "year": "int64", "empty_vkm": "float64",
    },
    "fleet": {
        "fleet_region": "str", "vehicle": "str", "vintage_year": "int64", "year": "int64",
        "bought": "int64", "kept": "int64",
    },
    "chargers": {
        "charge_area": "str", "charger": "str", "year": "int64", "installed": "int64", "in_service": "int64",
    },
    "projects": {"project": "str", "year": "int64", "newly_built": "int64", "in_service": "int64"},
    "costs": {"component": "str", "year": "int64", "amount_eur": "float64", "discounted_eur": "float64"},
    "emissions": {
        "year": "int64", "country": "str", "mode": "str", "energy_carrier": "str",
        "ttw_kg": "float64", "wtt_kg": "float64",
    },
    "energy": {
        "year": "int64", "mode": "str", "energy_carrier": "str", "country": "str", "charge_area": "str",
        "kwh": "float64",
    },
    "use": {
        "kind": "str", "row": "str", "year": "int64", "used": "float64", "limit": "float64", "unit": "str",
    },
}


@dataclass(frozen=True)
class Run:
    """A finished run: its record (`run.json`) and its tables, do-nothing tables under `baseline`."""

    path: Path
    record: dict[str, Any]
    tables: Mapping[str, pd.DataFrame]
    baseline: Mapping[str, pd.DataFrame]


def as_table(name: str, rows: pd.DataFrame | list[dict[str, Any]] | None = None) -> pd.DataFrame:
    """Give `rows` exactly the columns and dtypes of result table `name`.

    >>> as_table("projects", [{"project": "A", "year": 2030, "newly_built": 1, "in_service": 1}]).shape
    (1, 4)
    """
    dtypes = TABLES[name]
    frame = pd.DataFrame(rows if rows is not None and len(rows) else None, columns=list(dtypes))
    return frame.astype(dtypes).reset_index(drop=True)
