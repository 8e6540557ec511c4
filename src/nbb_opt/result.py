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
        "chain": "int64",
        "bundle": "int64",
        "kind": "str",
        "main_mode": "str",
        "distance_km": "float64",
        "time_h": "float64",
        "projects": "str",
    },
    "chain_steps": {
        "chain": "int64",
        "step": "int64",
        "kind": "str",
        "lane": "int64",
        "link": "str",
        "from_node": "str",
        "to_node": "str",
        "mode_a": "str",
        "mode_b": "str",
        "terminal": "str",
        "project": "str",
    },
    "lanes": {
        "lane": "int64",
        "from_node": "str",
        "to_node": "str",
        "handling": "str",
        "distance_km": "float64",
        "time_h": "float64",
        "gross_limit_t": "float64",
    },
    "lane_links": {"lane": "int64", "step": "int64", "link": "str", "from_node": "str", "to_node": "str"},
    "driven": {"lane": "int64", "vehicle": "str", "year": "int64", "loaded_vkm": "float64"},
    "empties": {
        "from_region": "str",
        "to_region": "str",
        "vehicle": "str",
        "handling": "str",
        "year": "int64",
        "empty_vkm": "float64",
    },
    "fleet": {
        "fleet_region": "str",
        "vehicle": "str",
        "vintage_year": "int64",
        "year": "int64",
        "bought": "int64",
        "kept": "int64",
    },
    "chargers": {
        "charge_area": "str",
        "charger": "str",
        "year": "int64",
        "installed": "int64",
        "in_service": "int64",
    },
    "projects": {"project": "str", "year": "int64", "newly_built": "int64", "in_service": "int64"},
    "costs": {"component": "str", "year": "int64", "amount_eur": "float64", "discounted_eur": "float64"},
    "emissions": {
        "year": "int64",
        "country": "str",
        "mode": "str",
        "energy_carrier": "str",
        "ttw_kg": "float64",
        "wtt_kg": "float64",
    },
    "energy": {
        "year": "int64",
        "mode": "str",
        "energy_carrier": "str",
        "country": "str",
        "charge_area": "str",
        "kwh": "float64",
    },
    "use": {
        "kind": "str",
        "row": "str",
        "year": "int64",
        "used": "float64",
        "limit": "float64",
        "unit": "str",
    },
}


@dataclass(frozen=True)
class Run:
    """A finished run: its record (`run.json`) and its tables, do-nothing tables under `baseline`.

    `altered` names files that are not as they were written; only `read_run(..., refuse_altered=False)` lets them in.
    """

    path: Path
    record: dict[str, Any]
    tables: Mapping[str, pd.DataFrame]
    baseline: Mapping[str, pd.DataFrame]
    altered: tuple[str, ...] = ()


def as_table(name: str, rows: pd.DataFrame | list[dict[str, Any]] | None = None) -> pd.DataFrame:
    """Give `rows` exactly the columns and dtypes of result table `name`.

    >>> as_table("projects", [{"project": "A", "year": 2030, "newly_built": 1, "in_service": 1}]).shape
    (1, 4)
    """
    dtypes = TABLES[name]
    frame = pd.DataFrame(rows if rows is not None and len(rows) else None, columns=list(dtypes))
    return frame.astype(dtypes).reset_index(drop=True)


LAYOUT = 1  # of the run folder; a reader refuses any other
MANIFEST = "manifest.json"
EXTRA_FILES = ("verify.json", "solver.log", "bounds.csv", "report.html", "report.xlsx")


def write_run(
    target: Path,
    record: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    baseline_tables: Mapping[str, pd.DataFrame],
    *,
    extra_files: Mapping[str, bytes | str] | None = None,
    replace: bool = False,
) -> Path:
    """Write a run folder: complete or not at all.

    Everything is written and synced in a folder beside `target`, the manifest with the sha256 of every file last, and
    the folder is then renamed. A run that is already there is an error, or is swapped out if `replace` is true; a
    folder that is no run is never touched. `extra_files` may hold the names in EXTRA_FILES.
    """
    target = Path(target)
    files = _contents(record, tables, baseline_tables, extra_files or {})
    there, finished = target.exists() or target.is_symlink(), (target / MANIFEST).is_file()
    if there and not (replace and finished):
        what = "holds a run already" if finished else "is there already and is no run"
        raise NbbError(f"{target}: {what}; choose another place for the results")
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    try:
        _write_files(staged, files)
        _move_in(staged, target)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    return target


def read_run(path: Path, *, refuse_altered: bool = True) -> Run:
    """Read a run folder. Raises NbbError naming the file that is missing, altered, unknown or of another layout.

    The verifier reads altered files too (`refuse_altered=False`), to say which rule a change breaks.
    """
    path = Path(path)
    if not (path / MANIFEST).is_file():
        raise NbbError(f"{path / MANIFEST}: missing; the folder is no finished run, or a part of one: run again")
    listed = _read_manifest(path / MANIFEST)
    present = {str(file.relative_to(path).as_posix()) for file in path.rglob("*") if not file.is_dir()} - {MANIFEST}
    for name in sorted(present - set(listed)):
        raise NbbError(f"{path / name}: is not listed in {MANIFEST}; take it out of the run folder")
    contents: dict[str, bytes] = {}
    altered: list[str] = []
    for name, digest in listed.items():
        if name not in present or (path / name).is_symlink() or not (path / name).is_file():
            raise NbbError(f"{path / name}: listed in {MANIFEST} but missing; the run is not complete: run again")
        contents[name] = (path / name).read_bytes()
        if hashlib.sha256(contents[name]).hexdigest() != digest:
            if refuse_altered:
                raise NbbError(f"{path / name}: was altered after the run; run again")
            altered.append(name)
    record = _read_record(contents["run.json"], path)
    tables = {name: _read_table(contents, f"tables/{name}.parquet", path) for name in TABLES}
    baseline = {name: _read_table(contents, f"baseline/{name}.parquet", path) for name in TABLES}
    return Run(path, record, tables, baseline, tuple(altered))


def _read_record(content: bytes, path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(content))
    except (ValueError, TypeError) as fault:
        raise NbbError(f"{path / 'run.json'}: cannot be read ({fault}); run again") from fault


def _contents(
    record: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    baseline_tables: Mapping[str, pd.DataFrame],
    extra_files: Mapping[str, bytes | str],
) -> dict[str, bytes]:
    unknown = sorted(set(extra_files) - set(EXTRA_FILES))
    if unknown:
        raise NbbError(f"{', '.join(unknown)}: not a file of a run folder; it may hold {', '.join(EXTRA_FILES)}")
    files = {"run.json": _json(dict(record))}
    for folder, frames in (("tables", tables), ("baseline", baseline_tables)):
        if set(frames) != set(TABLES):
            odd = ", ".join(sorted(set(frames) ^ set(TABLES)))
            raise NbbError(f"{folder}: missing or unknown tables: {odd}")
        for name, frame in frames.items():
            files[f"{folder}/{name}.parquet"] = _parquet(name, frame)
    for name, content in extra_files.items():
        files[name] = content.encode("utf-8") if isinstance(content, str) else content
    return files


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode("utf-8")


def _parquet(name: str, frame: pd.DataFrame) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pandas(as_table(name, frame), preserve_index=False)
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    return sink.getvalue().to_pybytes()


def _read_table(contents: Mapping[str, bytes], file: str, path: Path) -> pd.DataFrame:
    name = Path(file).stem
    try:
        frame = pq.read_table(pa.BufferReader(contents[file]), page_checksum_verification=True).to_pandas()
        frame = as_table(name, frame) if list(frame.columns) == list(TABLES[name]) else frame
    except (KeyError, OSError, ValueError, TypeError, pa.ArrowException) as fault:
        raise NbbError(f"{path / file}: cannot be read as a result table ({fault}); run again") from fault
    if list(frame.columns) != list(TABLES[name]):
        raise NbbError(f"{path / file}: has other columns than {', '.join(TABLES[name])}; run again")
    return frame


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    for name in ("tables", "baseline"):
        (folder / name).mkdir()
    for name, content in files.items():
        _write_synced(folder / name, content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    for name in ("tables", "baseline"):
        _sync(folder / name)
    _write_synced(folder / MANIFEST, _json({"layout": LAYOUT, "files": digests}))
    folder.chmod(0o755)
    _sync(folder)


def _move_in(staged: Path, target: Path) -> None:
    """Rename `staged` to `target`; an earlier run steps aside first and comes back if that fails."""
    aside = staged.with_suffix(".old")
    swapped = target.exists()
    if swapped:
        target.rename(aside)
    try:
        staged.rename(target)
    except BaseException:
        if swapped:
            aside.rename(target)
        raise
    _sync(target.parent)
    if swapped:
        shutil.rmtree(aside)


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    if os.name != "posix":  # a folder cannot be synced elsewhere
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_manifest(path: Path) -> dict[str, str]:
    try:
        manifest = json.loads(path.read_bytes())
        layout, listed = manifest["layout"], dict(manifest["files"])
    except (ValueError, KeyError, TypeError) as fault:
        raise NbbError(f"{path}: cannot be read ({fault}); the run is not complete: run again") from fault
    if layout != LAYOUT:
        raise NbbError(f"{path}: layout {layout} is unknown, this version reads {LAYOUT}: use the one that wrote it")
    allowed = {"run.json", *EXTRA_FILES}
    allowed |= {f"{folder}/{name}.parquet" for folder in ("tables", "baseline") for name in TABLES}
    for name in sorted(set(listed) - allowed):
        raise NbbError(f"{path}: lists {name}, which is no file of a run folder; run again")
    for name in sorted(allowed - set(EXTRA_FILES) - set(listed)):
        raise NbbError(f"{path}: does not list {name}; the run is not complete: run again")
    return listed
