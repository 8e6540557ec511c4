"""Prepared instances on disk: a folder of Parquet files and a manifest of their sha256, complete or not read."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache as remember
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import nbb_opt
from nbb_opt.instance import Instance
from nbb_opt.result import TABLES, as_table

MANIFEST = "manifest.json"
Content = tuple[dict[str, pd.DataFrame], np.ndarray, tuple[str, ...]]


def read_cache(cache_dir: Path, instance: Instance, *, prune: bool) -> tuple[Content | None, str]:
    """The stored content of an instance, or None; and a line that says so if a copy was read or found damaged."""
    folder = _folder(cache_dir, instance, prune)
    if not folder.is_dir():
        return None, ""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        files = {name: (folder / name).read_bytes() for name in manifest["sha256"]}
        for name, content in files.items():
            if hashlib.sha256(content).hexdigest() != manifest["sha256"][name]:
                raise ValueError(f"{name} has changed")
        frames = {
            name: pq.read_table(io.BytesIO(files[f"{name}.parquet"]), page_checksum_verification=True).to_pandas()
            for name in ("bundles", "chains", "chain_steps", "lanes", "lane_links", "demand_t")
        }
        demand_t = np.ascontiguousarray(frames.pop("demand_t").to_numpy(dtype=float))
        tables = {name: as_table(name, frame) for name, frame in frames.items()}
        return (tables, demand_t, tuple(str(line) for line in manifest["log"])), f"read from the cache: {folder.name}"
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        shutil.rmtree(folder, ignore_errors=True)
        return None, f"the cached copy {folder.name} was damaged ({error}) and is made anew"


def write_cache(
    cache_dir: Path,
    instance: Instance,
    *,
    prune: bool,
    tables: Mapping[str, pd.DataFrame],
    demand_t: np.ndarray,
    log: tuple[str, ...],
) -> None:
    """Store prepared content; the folder appears complete or not at all."""
    folder = _folder(cache_dir, instance, prune)
    cache_dir.mkdir(parents=True, exist_ok=True)
    frames = dict(tables) | {"demand_t": pd.DataFrame(demand_t, columns=[str(p.year) for p in instance.periods])}
    work = Path(tempfile.mkdtemp(prefix=".writing-", dir=cache_dir))
    try:
        digests = {}
        for name, frame in frames.items():
            buffer = io.BytesIO()
            pq.write_table(
                pa.Table.from_pandas(frame, preserve_index=False), buffer, compression="zstd", write_page_checksum=True
            )
            digests[f"{name}.parquet"] = hashlib.sha256(buffer.getvalue()).hexdigest()
            _write(work / f"{name}.parquet", buffer.getvalue())
        _write(work / MANIFEST, json.dumps({"sha256": digests, "log": log}, indent=1).encode())
        if not folder.exists():
            try:
                os.rename(work, folder)
            except OSError:
                if not folder.is_dir():  # another process may have stored the same content meanwhile
                    raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _folder(cache_dir: Path, instance: Instance, prune: bool) -> Path:
    parts = [instance.digest, nbb_opt.__version__, _code_digest(), str(prune), json.dumps(TABLES)]
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
