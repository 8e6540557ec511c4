"""The tables a solved stram plan consists of.

Amounts are per year of the period; `scenario` is "" where a row holds for every scenario (first stage). Rows whose
amount is zero are left out of the flow tables.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

_STATE = {"scenario": "str", "year": "int64"}
RESULTS: dict[str, dict[str, str]] = {
    "path_flows": {**_STATE, "path": "int64", "product": "str", "tonnes": "float64"},
    "arc_flows": {
        **_STATE, "edge": "str", "from_node": "str", "fuel": "str", "product": "str", "tonnes": "float64",
    },
    "empty_paths": {**_STATE, "path": "int64", "vehicle": "str", "tonnes": "float64"},
    "empty_flows": {
        **_STATE, "edge": "str", "from_node": "str", "fuel": "str", "vehicle": "str", "tonnes": "float64",
    },
    "charging_rented": {**_STATE, "edge": "str", "fuel": "str", "tonnes": "float64"},
    "edges_expanded": {"year": "int64", "edge": "str", "built": "int64"},
    "edges_upgraded": {"year": "int64", "edge": "str", "built": "int64"},
    "terminals_expanded": {**_STATE, "node": "str", "mode": "str", "share": "float64"},
    "costs": {**_STATE, "component": "str", "nok": "float64", "discounted_nok": "float64"},
    "emissions": {**_STATE, "t_co2": "float64", "cap_t_co2": "float64", "excess_t_co2": "float64"},
    "modes": {**_STATE, "mode": "str", "fuel": "str", "tkm": "float64", "share": "float64"},
}  # fmt: skip


def as_result(name: str, rows: pd.DataFrame | list[dict[str, Any]] | None = None) -> pd.DataFrame:
    """Give `rows` exactly the columns and dtypes of result table `name`.

    >>> as_result("edges_expanded", [{"year": 2028, "edge": "A-B", "built": 1}]).shape
    (1, 3)
    """
    dtypes = RESULTS[name]
    frame = pd.DataFrame(rows if rows is not None and len(rows) else None, columns=list(dtypes))
    return frame.astype(dtypes).reset_index(drop=True)
