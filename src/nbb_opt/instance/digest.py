"""The sha256 of what an instance says, not of how its files say it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nbb_opt.instance.flows import Flows
from nbb_opt.instance.meta import Meta, Period
from nbb_opt.instance.schema import TABLES

FORMAT = "nbb_opt instance 1"


def digest(
    meta: Meta,
    periods: Sequence[Period],
    frames: Mapping[str, pd.DataFrame],
    flows: Flows,
) -> str:
    """Sha256 over meta, periods, the tables with rows sorted by key, and demand sorted by flow, year and shipper.

    An optional column without any cell is passed over, as if it were left out.
    """
    head = {"meta": dataclasses.asdict(meta), "periods": [dataclasses.asdict(period) for period in periods]}
    sha = hashlib.sha256()
    sha.update(json.dumps([FORMAT, head], sort_keys=True, ensure_ascii=False).encode())
    for table in TABLES:
        if table.name == "od":
            continue
        frame = frames[table.name]
        names = [column.name for column in table.columns if not (column.optional and _all_blank(frame[column.name]))]
        sha.update(json.dumps([table.name, names, len(frame)]).encode())
        rows = sorted(
            range(len(frame)), key=list(zip(*(frame[name].tolist() for name in table.key), strict=True)).__getitem__
        )
        for name in names:
            values = frame[name].to_numpy()[rows] if len(rows) else frame[name].to_numpy()
            sha.update(_canonical(values))
    sha.update(json.dumps(["od", len(flows.codes)]).encode())
    sha.update(_canonical(flows.codes))
    sha.update(_canonical(flows.tonnes))
    if any(flows.shippers):
        sha.update(json.dumps(["shippers", flows.shippers], ensure_ascii=False).encode())
        sha.update(_canonical(flows.shipper))
    return sha.hexdigest()


def _all_blank(cells: pd.Series) -> bool:
    return bool((cells.isna() | (cells.astype(object) == "")).all())


def _canonical(values: np.ndarray) -> bytes:
    """Bytes of a column: whole numbers and numbers little-endian (one zero, one NaN), bools as bytes, texts as JSON."""
    if values.dtype.kind == "f":
        numbers = values.astype("<f8") + 0.0
        numbers[np.isnan(numbers)] = np.nan
        return numbers.tobytes()
    if values.dtype.kind == "b":
        return values.astype("u1").tobytes()
    if values.dtype.kind in "iu":
        return values.astype("<i8").tobytes()
    return json.dumps([str(value) for value in values.tolist()], ensure_ascii=False).encode()
