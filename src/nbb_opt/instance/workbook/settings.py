"""The sheets `settings` and `periods` of a workbook, which stand for `instance.toml`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from nbb_opt.errors import Problem
from nbb_opt.instance.cells import CellFaults, parse_column
from nbb_opt.instance.meta import FILE, Meta, Period, check_meta
from nbb_opt.instance.package import Sheet
from nbb_opt.instance.schema import META_KEYS
from nbb_opt.instance.wording import TableFile
from nbb_opt.instance.workbook.sheets import CHAIN_KEYS, PERIODS, SETTINGS, WHOLE_SETTINGS

_WHOLE = re.compile("-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_PLACE = re.compile(rf"{re.escape(FILE)}, (?:key (?:chains\.)?(\w+)|periods entry (\d+), key (\w+))(, value .*)?", re.S)


def read_settings(sheets: Mapping[str, Sheet], problems: list[Problem]) -> tuple[Meta | None, tuple[Period, ...]]:
    """Meta and periods as `read_meta` gives them, problems named by cell; None where a sheet is at fault."""
    before = len(problems)
    rows = _settings(sheets.get(SETTINGS.name), problems)
    years = _periods(sheets.get(PERIODS.name), problems)
    if rows is None or years is None or len(problems) > before:
        return None, ()
    keys: dict[str, Any] = {key: _typed(key, value) for key, (_, value) in rows.items() if key not in CHAIN_KEYS}
    keys["chains"] = {key: _typed(key, value) for key, (_, value) in rows.items() if key in CHAIN_KEYS}
    keys["periods"] = [{"year": year, "years": length} for year, length in years]
    found: list[Problem] = []
    meta, periods = check_meta(keys, found)
    files = {name: sheets[name].file for name in (SETTINGS.name, PERIODS.name)}
    problems.extend(_in_sheet(problem, {key: index for key, (index, _) in rows.items()}, files) for problem in found)
    return meta, periods


def _settings(sheet: Sheet | None, problems: list[Problem]) -> dict[str, tuple[int, str]] | None:
    """Row index and value of every key."""
    if sheet is None or sheet.cells is None or sheet.unusable or sheet.told:
        return None
    rows: dict[str, tuple[int, str]] = {}
    for i, (key, value) in enumerate(zip(sheet.cells["key"], sheet.cells["value"], strict=True)):
        if not key:
            problems.append(
                Problem(sheet.file.place(i, "key"), "is blank", "write the key, or delete the row", "blank")
            )
        elif key in rows:
            what = f"has the same key as row {sheet.file.row(rows[key][0])}"
            problems.append(Problem(sheet.file.place(i, "key", key), what, "remove one of the two", "duplicate_key"))
        elif not value and key in META_KEYS | CHAIN_KEYS:
            problems.append(Problem(sheet.file.place(i, "value"), "is blank", f"give {key}", "blank"))
        rows.setdefault(key, (i, value))
    return rows


def _periods(sheet: Sheet | None, problems: list[Problem]) -> list[tuple[int, int]] | None:
    if sheet is None or sheet.cells is None or sheet.unusable or sheet.told:
        return None
    faults = CellFaults(sheet.file, problems)
    year, years = (parse_column(sheet.cells[column.name], column, faults) for column in PERIODS.columns)
    faults.tell_the_rest()
    return None if faults.rows else [(int(first), int(length)) for first, length in zip(year, years, strict=True)]


def _typed(key: str, value: str) -> Any:
    """A value as TOML would give it; one that does not fit stays a text, which the check then names."""
    if key in WHOLE_SETTINGS and _WHOLE.fullmatch(value):
        return int(value)
    if key == "discount_rate" and _NUMBER.fullmatch(value):
        return float(value)
    return value


def _in_sheet(problem: Problem, rows: Mapping[str, int], files: Mapping[str, TableFile]) -> Problem:
    """The problem with its place in the workbook instead of the one in `instance.toml`."""
    match = _PLACE.fullmatch(problem.where)
    if match is None:
        return problem
    key, entry, part, value = match.groups()
    if entry:
        where = files[PERIODS.name].place(int(entry) - 1, part)
    elif key in rows:
        unknown = problem.rule == "meta_key"
        where = files[SETTINGS.name].place(rows[key], "key" if unknown else "value", key if unknown else None)
    elif key == "periods":
        where = PERIODS.name
    else:
        where = f"sheet '{SETTINGS.name}', key {key}"
    return dataclasses.replace(problem, where=where + (value or ""))
