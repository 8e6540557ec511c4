"""What an instance is known by: the sha256 of what it says, and `datapackage.json` with that of every data file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.demand import Flows
from nbb_opt.errors import Problem
from nbb_opt.instance.cells import split_list
from nbb_opt.instance.meta import Meta, Period
from nbb_opt.instance.package import DATA_FILES, MANIFEST_FILE, META_FILE, Package
from nbb_opt.instance.schema import TABLES
from nbb_opt.instance.tables.csv_file import decode
from nbb_opt.instance.wording import did_you_mean, shown

FORMAT = "nbb_opt instance 1"
_FIRST_YEAR, _YEARS = 1950, 171


def digest(
    meta: Meta,
    periods: Sequence[Period],
    frames: Mapping[str, pd.DataFrame],
    flows: Flows,
) -> str:
    """Sha256 over meta, periods, the tables (rows in the order of their keys) and demand by flow, year and shipper.

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
        for name in names:
            sha.update(_canonical(frame[name].to_numpy()))
    codes = flows.flow * _YEARS + (flows.year - _FIRST_YEAR)
    order = np.lexsort((flows.shipper, codes)) if any(flows.shippers) else slice(None)
    sha.update(json.dumps(["od", len(codes)]).encode())
    sha.update(_canonical(codes[order]))
    sha.update(_canonical(flows.tonnes[order]))
    if any(flows.shippers):
        sha.update(json.dumps(["shippers", flows.shippers], ensure_ascii=False).encode())
        sha.update(_canonical(flows.shipper[order]))
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


_WRITE_AGAIN = "if the change was meant, run `nbb-opt manifest` on the instance, else fetch the file again"
_CHUNK_BYTES = 2**20


def data_files(package: Package) -> list[str]:
    """Names of the files a manifest covers, sorted."""
    return sorted(name for name in package.sizes if name in DATA_FILES)


def file_hash(package: Package, name: str) -> str:
    """`sha256:` and the hex digest of a file."""
    sha = hashlib.sha256()
    with package.view(name) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            sha.update(chunk)
    return f"sha256:{sha.hexdigest()}"


def read_manifest(package: Package, problems: list[Problem]) -> dict[str, dict[str, Any]]:
    """Entries of `datapackage.json` by file name, for the files that match it; empty if there are none to be read."""
    if MANIFEST_FILE not in package:
        return {}
    text = decode(package.read(MANIFEST_FILE), MANIFEST_FILE, problems)
    if text is None:
        return {}
    try:
        content = json.loads(text)
        entries = {entry["path"]: entry for entry in content["resources"]}
        complete = all({"hash", "bytes"} <= set(entry) for entry in entries.values())
    except (ValueError, KeyError, TypeError, RecursionError):
        complete, entries = False, {}
    if not complete:
        hint = "run `nbb-opt manifest` on the instance, or remove the file"
        problems.append(
            Problem(MANIFEST_FILE, "is not a list of resources with path, hash and bytes", hint, "manifest")
        )
        return {}
    files = data_files(package)
    matching: dict[str, dict[str, Any]] = {}
    for name in entries:
        if name not in files:
            hint = did_you_mean(str(name), files) or _WRITE_AGAIN
            problems.append(
                Problem(f"{MANIFEST_FILE}, resource {shown(name)}", "is not in the instance", hint, "manifest")
            )
    for name in files:
        if name not in entries:
            problems.append(Problem(f"{MANIFEST_FILE}, file {name}", "is not listed", _WRITE_AGAIN, "manifest"))
        elif entries[name]["bytes"] != package.sizes[name]:
            what = f"has {package.sizes[name]} bytes, {MANIFEST_FILE} says {shown(entries[name]['bytes'])}"
            problems.append(Problem(name, what, _WRITE_AGAIN, "manifest"))
        elif entries[name]["hash"] != file_hash(package, name):
            problems.append(
                Problem(name, f"is not the file {MANIFEST_FILE} was written for (sha256)", _WRITE_AGAIN, "manifest")
            )
        else:
            matching[name] = entries[name]
    return matching


def check_rows(entries: Mapping[str, dict[str, Any]], rows: Mapping[str, int], problems: list[Problem]) -> None:
    """Row counts of the manifest against the rows read."""
    for name, entry in entries.items():
        if name in rows and entry.get("rows") != rows[name]:
            what = f"has {rows[name]} rows, {MANIFEST_FILE} says {shown(entry.get('rows'))}"
            problems.append(Problem(name, what, _WRITE_AGAIN, "manifest"))


def save_manifest(package: Package, meta: Meta, frames: Mapping[str, pd.DataFrame], rows: Mapping[str, int]) -> Path:
    """Writes `datapackage.json` into the folder: the same content for the same files, written whole or not at all."""
    known: dict[str, Any] = {row["source"]: row for row in frames["sources"].to_dict("records")}
    resources = []
    for name in data_files(package):
        entry: dict[str, Any] = {"name": Path(name).stem.replace("_", "-"), "path": name}
        entry |= {"format": Path(name).suffix[1:], "hash": file_hash(package, name), "bytes": package.sizes[name]}
        if name != META_FILE:
            entry["rows"] = rows[name]
        frame = frames.get(Path(name).stem)
        if frame is not None and "source" in frame.columns and Path(name).stem != "sources":
            used = sorted({source for cell in frame["source"] for source in split_list(cell)})
            entry["sources"] = [_source(known[source]) for source in used]
        resources.append(entry)
    content = {
        "profile": "data-package",
        "name": meta.name,
        "title": meta.title,
        "version": meta.version,
        "description": meta.description,
        "licenses": [{"name": meta.licence}],
        "sources": [_source(known[source]) for source in sorted(known)],
        "resources": resources,
    }
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    handle, temporary = tempfile.mkstemp(dir=package.path, prefix=".manifest-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, package.path / MANIFEST_FILE)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return package.path / MANIFEST_FILE


def _source(row: Mapping[str, Any]) -> dict[str, str]:
    entry = {"name": row["source"], "title": row["title"]}
    if row["url"]:
        entry["path"] = row["url"]
    if row["licence"]:
        entry["licence"] = row["licence"]
    return entry
