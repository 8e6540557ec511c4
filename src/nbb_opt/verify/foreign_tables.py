"""The files of a solution of another engine: which there are, their columns, and every fault in them at once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.renames import is_now
from nbb_opt.result import TABLES

# table -> column -> dtype; the text in models/SOLUTIONS.md says the same
REQUIRED: dict[str, dict[str, str]] = {
    "chains": {"chain": "int64", "origin": "str", "destination": "str", "commodity": "str"},
    "chain_steps": {
        "chain": "int64", "step": "int64", "kind": "str", "lane": "int64", "link": "str", "mode_a": "str",
        "mode_b": "str", "terminal": "str",
    },
    "lanes": {"lane": "int64", "cargo_type": "str", "from_node": "str", "links": "str"},
    "flows": TABLES["flows"],
    "driven": TABLES["driven"],
    "empties": TABLES["empties"],
    "fleet": TABLES["fleet"],
    "chargers": {"charge_area": "str", "charger": "str", "year": "int64", "installed": "int64"},
    "projects": {"project": "str", "year": "int64", "in_service": "int64"},
}  # fmt: skip
OPTIONAL: dict[str, dict[str, str]] = {
    "public_charging": {"charge_area": "str", "year": "int64", "kwh": "float64"},
    "costs": TABLES["costs"],
    "emissions": TABLES["emissions"],
    "energy": TABLES["energy"],
}
KEYS = {"chains": ["chain"], "lanes": ["lane"], "chargers": ["charge_area", "charger", "year"]}
KEYS |= {"projects": ["project", "year"], "chain_steps": ["chain", "step"]}
OTHER_FILES = ("claims.json", "README.md")


def is_foreign(folder: Path) -> bool:
    """True for a folder that holds the tables of a solution and is no run folder."""
    return folder.is_dir() and not (folder / "manifest.json").exists() and any(_files(folder, "flows"))


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """The tables that there are, with the dtypes above. Raises InstanceError with every fault of every file."""
    if not folder.is_dir():
        raise InstanceError([Problem(str(folder), "is no folder of tables", "see models/SOLUTIONS.md")])
    problems: list[Problem] = []
    tables: dict[str, pd.DataFrame] = {}
    for name, columns in {**REQUIRED, **OPTIONAL}.items():
        files = _files(folder, name)
        if len(files) > 1:
            problems.append(Problem(f"{folder}/{name}", "is there as .csv and as .parquet", "keep one"))
        elif files:
            tables[name] = _read(files[0], columns, problems)
        elif name in REQUIRED:
            hint = f"a table with the columns {', '.join(columns)}; without rows if there is nothing to say"
            problems.append(Problem(f"{folder}/{name}.csv", "is missing", hint))
    known = {f"{name}.{end}" for name in {**REQUIRED, **OPTIONAL} for end in ("csv", "parquet")}
    for path in sorted(folder.iterdir()):
        if path.name not in known and path.name not in OTHER_FILES:
            problems.append(Problem(str(path), "is no table of a solution", "take it out; see models/SOLUTIONS.md"))
    for name, key in KEYS.items():
        if name in tables and not problems and tables[name].duplicated(key).any():
            row = tables[name].loc[tables[name].duplicated(key), key].iloc[0]
            problems.append(Problem(f"{folder}/{name}", f"{' / '.join(map(str, row))} stands twice"))
    if problems:
        raise InstanceError(problems)
    return tables


def _files(folder: Path, name: str) -> list[Path]:
    return [path for end in ("csv", "parquet") if (path := folder / f"{name}.{end}").is_file()]


def _read(path: Path, columns: dict[str, str], problems: list[Problem]) -> pd.DataFrame:
    try:
        if path.suffix == ".csv":
            frame = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8")
        else:
            frame = pq.read_table(path, page_checksum_verification=True).to_pandas()
    except (OSError, ValueError, pa.ArrowException) as fault:
        problems.append(Problem(str(path), f"cannot be read ({str(fault).strip()})"))
        return pd.DataFrame(columns=list(columns))
    if renamed := [name for name in map(str, frame.columns) if is_now("column", name, path.stem)]:
        problems += [
            Problem(f"{path}, column {name}", is_now("column", name, path.stem), "rename it") for name in renamed
        ]
        return pd.DataFrame(columns=list(columns))
    if set(frame.columns) != set(columns):
        odd = ", ".join(sorted(set(map(str, frame.columns)) ^ set(columns)))
        problems.append(Problem(str(path), f"missing or unknown columns: {odd}", f"it has {', '.join(columns)}"))
        return pd.DataFrame(columns=list(columns))
    for column, dtype in columns.items():
        frame[column] = _values(path, frame[column], dtype, problems)
    return frame[list(columns)]


def _values(path: Path, values: pd.Series, dtype: str, problems: list[Problem]) -> pd.Series:
    if dtype == "str":
        return values.fillna("").astype("str")
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    bad = ~numbers.abs().lt(float("inf"))
    what = "is no number"
    if dtype == "int64" and not bad.any():
        bad = numbers % 1 != 0
        what = "is no whole number (be_whole)"
    for i in bad.to_numpy().nonzero()[0][:20]:
        problems.append(Problem(f"{path} row {i + 2}, {values.name} {values.iloc[i]!r}", what))
    numbers = numbers.where(~bad, 0.0)
    return numbers.astype("int64") if dtype == "int64" else numbers
