"""Reading a stram instance: every fault found at once, or a frozen, checked `StramCase`."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import CellFaults, as_stored, parse_column
from nbb_opt.instance.references import check_keys, check_references
from nbb_opt.instance.schema import Table
from nbb_opt.instance.tables.csv_file import decode, read_csv
from nbb_opt.instance.wording import TableFile, did_you_mean, listed
from nbb_opt.problems.stram.complete import check_complete
from nbb_opt.problems.stram.schema import META_FILE, PROBLEM, RULES, TABLES, TEXT_KEYS, Rules


@dataclass(frozen=True, eq=False)
class StramCase:
    """A checked instance: `keys` of `instance.toml`, its rules, and a DataFrame for every table of the schema.

    Text is `str` ("" = blank), numbers float64 (NaN = blank), whole numbers int64 (float64 where blanks are allowed).
    `digest` is a sha256 of the content, whatever the order of rows.
    """

    path: Path
    keys: Mapping[str, str]
    rules: Rules
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    digest: str = ""

    def __getitem__(self, table: str) -> pd.DataFrame:
        return self.tables[table]


def read_stram(path: Path | str) -> StramCase:
    """The instance in a folder. Raises InstanceError with all problems if there is any."""
    path = Path(path)
    if not path.is_dir():
        raise InstanceError([Problem(str(path), "is not a folder", "give the folder that holds instance.toml", "path")])
    problems: list[Problem] = []
    keys, rules = _read_keys(path / META_FILE, problems)
    frames: dict[str, pd.DataFrame] = {}
    faults: dict[str, CellFaults] = {}
    allowed = [META_FILE, *(f"{table.name}.csv" for table in TABLES)]
    for other in sorted(path.iterdir()):
        if other.name not in allowed and other.suffix not in {".md", ".txt"} and not other.name.startswith("."):
            hint = did_you_mean(other.name, allowed) or f"it holds {listed(allowed, 99)} and *.md"
            problems.append(Problem(other.name, "is not a file of a stram instance", hint, "file"))
    for table in TABLES:
        _read_table(path, table, frames, faults, problems)
    for table in TABLES:
        if table.name in frames:
            check_references(table, frames, faults[table.name])
    if len(frames) == len(TABLES) and not problems:
        check_complete(keys, frames, faults, problems)
    for each in faults.values():
        each.tell_the_rest()
    if problems or rules is None:
        raise InstanceError(problems)
    return StramCase(path, MappingProxyType(keys), rules, MappingProxyType(frames), _digest(keys, rules, frames))


def _read_table(
    path: Path, table: Table, frames: dict[str, pd.DataFrame], faults: dict[str, CellFaults], problems: list[Problem]
) -> None:
    file = path / f"{table.name}.csv"
    if not file.is_file():
        problems.append(Problem(file.name, "is missing", f"each row is {table.row_is}", "missing_file"))
        return
    found = CellFaults(TableFile(table.name, file.name), problems)
    cells = read_csv(file.read_bytes(), table, found)
    if cells is None:
        return
    columns: dict[str, Any] = {}
    for column in table.columns:
        values = parse_column(cells[column.name], column, found)
        columns[column.name] = pd.array(values, dtype="str") if isinstance(values, list) else as_stored(values, column)
    frame = pd.DataFrame(columns)
    check_keys(table, frame, found)
    frames[table.name], faults[table.name] = frame, found


def _read_keys(file: Path, problems: list[Problem]) -> tuple[dict[str, str], Rules | None]:
    if not file.is_file():
        problems.append(
            Problem(file.name, "is missing", f'it says problem = "{PROBLEM}" and the rules', "missing_file")
        )
        return {}, None
    text = decode(file.read_bytes(), file.name, problems)
    if text is None:
        return {}, None
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        problems.append(Problem(file.name, f"is not TOML: {error}", "", "toml"))
        return {}, None
    known = [*TEXT_KEYS, "rules"]
    for name in document:
        if name not in known:
            hint = did_you_mean(name, known) or f"keys are {listed(known, 99)}"
            problems.append(Problem(f"{file.name}, key {name}", "is not known", hint, "meta_key"))
    keys: dict[str, str] = {}
    for name, meaning in TEXT_KEYS.items():
        value = document.get(name)
        if not isinstance(value, str) or not value.strip():
            problems.append(Problem(f"{file.name}, key {name}", "is missing or no text", f"give {meaning}", "meta"))
        else:
            keys[name] = value
    rules = document.get("rules")
    if not isinstance(rules, dict):
        problems.append(Problem(f"{file.name}, key rules", "is missing", "write [rules] and its keys", "meta"))
        return keys, None
    return keys, _rules(rules, problems)


def _rules(given: Mapping[str, Any], problems: list[Problem]) -> Rules | None:
    before = len(problems)
    for name in given:
        if name not in RULES:
            hint = did_you_mean(name, RULES) or f"keys are {listed(RULES, 99)}"
            problems.append(Problem(f"{META_FILE}, key rules.{name}", "is not known", hint, "meta_key"))
    for name, (meaning, low, high) in RULES.items():
        value = given.get(name)
        where = f"{META_FILE}, key rules.{name}"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            problems.append(Problem(where, "is missing or no number", f"give: {meaning}", "meta"))
        elif not low <= value <= high:
            problems.append(Problem(f"{where}, value {value}", f"is not between {low:g} and {high:g}", meaning, "meta"))
    return Rules(**{name: float(given[name]) for name in RULES}) if len(problems) == before else None


def _digest(keys: Mapping[str, str], rules: Rules, frames: Mapping[str, pd.DataFrame]) -> str:
    sha = hashlib.sha256(json.dumps([PROBLEM, 1, dict(keys), vars(rules)], sort_keys=True, ensure_ascii=False).encode())
    for table in TABLES:
        frame = frames[table.name].sort_values(list(table.key), kind="stable")
        sha.update(json.dumps([table.name, len(frame)]).encode())
        for column in table.columns:
            values = frame[column.name].to_numpy()
            if values.dtype.kind == "f":
                sha.update(np.where(np.isnan(values), np.nan, values + 0.0).astype("<f8").tobytes())
            else:
                sha.update(json.dumps(values.tolist(), ensure_ascii=False).encode())
    return sha.hexdigest()
