"""Prepared instances on disk: a folder of Parquet files and a manifest of their sha256, complete or not read."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from functools import cache as remember
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nbb_opt import __version__
from nbb_opt.instance import Instance
from nbb_opt.network.compact import ChainRows, Items
from nbb_opt.result import TABLES, as_table

MANIFEST = "manifest.json"
Content = tuple[pd.DataFrame, np.ndarray, ChainRows, Items, tuple[str, ...]]
ROW_COLUMNS = ("bundle", "kind", "main_mode", "project_set")
ITEM_COLUMNS = (
    "kind", "cargo_type", "from_node", "to_node", "transfer", "mode_a", "mode_b", "distance_km", "time_h",
)  # fmt: skip
LINK_COLUMNS = ("link", "backwards")
ROWS_AT_ONCE = 1 << 20


def read_cache(cache_dir: Path, instance: Instance, *, prune: bool) -> tuple[Content | None, str]:
    """The stored content of an instance, or None; and a line that says so if a copy was read or found damaged."""
    folder = _folder(cache_dir, instance, prune)
    if not folder.is_dir():
        return None, ""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        arrays = {Path(name).stem: _columns(folder / name, sha256) for name, sha256 in manifest["sha256"].items()}
        return _content(arrays, manifest), f"read from the cache: {folder.name}"
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        shutil.rmtree(folder, ignore_errors=True)
        return None, f"the cached copy {folder.name} was damaged ({error}) and is made anew"


def write_cache(cache_dir: Path, instance: Instance, *, prune: bool, content: Content) -> None:
    """Store prepared content; the folder appears complete or not at all."""
    folder = _folder(cache_dir, instance, prune)
    cache_dir.mkdir(parents=True, exist_ok=True)
    bundles, demand_t, rows, items, log = content
    frames = {
        "bundles": pa.Table.from_pandas(bundles, preserve_index=False),
        "demand_t": pa.table({str(p.year): demand_t[:, t] for t, p in enumerate(instance.periods)}),
        "chains": pa.table({name: getattr(rows, name) for name in ROW_COLUMNS} | {"items": np.diff(rows.item_start)}),
        "chain_items": pa.table({"item": rows.item}),
        "items": pa.table({name: getattr(items, name) for name in ITEM_COLUMNS} | {"links": np.diff(items.link_start)}),
        "item_links": pa.table({name: getattr(items, name) for name in LINK_COLUMNS}),
    }
    facts = {"log": log, "kinds": rows.kinds, "project_sets": rows.project_sets}
    work = Path(tempfile.mkdtemp(prefix=".writing-", dir=cache_dir))
    try:
        digests = {}
        for name, frame in frames.items():
            buffer = io.BytesIO()
            pq.write_table(frame, buffer, compression="zstd", write_page_checksum=True)
            digests[f"{name}.parquet"] = hashlib.sha256(buffer.getvalue()).hexdigest()
            _write(work / f"{name}.parquet", buffer.getvalue())
        _write(work / MANIFEST, json.dumps({"sha256": digests, **facts}, indent=1).encode())
        if not folder.exists():
            try:
                os.rename(work, folder)
            except OSError:
                if not folder.is_dir():  # another process may have stored the same content meanwhile
                    raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _columns(path: Path, sha256: str) -> dict[str, np.ndarray]:
    """The columns of a stored file, read part by part so that none is in memory twice."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{path.name} has changed")
    with pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True) as file:
        kinds = {field.name: field.type.to_pandas_dtype() for field in file.schema_arrow}
        found = {name: np.empty(file.metadata.num_rows, kind) for name, kind in kinds.items()}
        at = 0
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
            for name, whole in found.items():
                whole[at : at + len(batch)] = batch.column(name).to_numpy(zero_copy_only=False)
            at += len(batch)
    pa.default_memory_pool().release_unused()
    return found


def _content(arrays: dict[str, dict[str, np.ndarray]], manifest: dict[str, Any]) -> Content:
    def start(table: str, name: str) -> np.ndarray:
        found = np.zeros(len(arrays[table][name]) + 1, np.int64)
        np.cumsum(arrays[table].pop(name), out=found[1:])
        return found

    rows = ChainRows(
        item_start=start("chains", "items"), item=arrays["chain_items"]["item"], kinds=tuple(manifest["kinds"]),
        project_sets=tuple(tuple(one) for one in manifest["project_sets"]),
        **{name: arrays["chains"][name] for name in ROW_COLUMNS},
    )  # fmt: skip
    items = Items(
        link_start=start("items", "links"),
        **{name: arrays["items"][name] for name in ITEM_COLUMNS},
        **{name: arrays["item_links"][name] for name in LINK_COLUMNS},
    )
    demand_t = np.column_stack(list(arrays["demand_t"].values()))
    bundles = as_table("bundles", pd.DataFrame(arrays["bundles"]))
    return bundles, demand_t, rows, items, tuple(str(line) for line in manifest["log"])


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _folder(cache_dir: Path, instance: Instance, prune: bool) -> Path:
    parts = [instance.digest, __version__, _code_digest(), str(prune), json.dumps(TABLES)]
    return cache_dir / ("prepared-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32])


@remember
def _code_digest() -> str:
    """sha256 of the code that prepares: a change of it makes stored copies stale."""
    here = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for folder in (here.parent / "demand", here, here.parent / "instance"):
        for file in sorted(folder.rglob("*.py")):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
