"""Reading a stram instance: every fault of cells and between tables at once, or a frozen, checked `StramCase`."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import CellFaults, as_stored, parse_column
from nbb_opt.instance.references import check_keys, check_references
from nbb_opt.instance.schema import Table
from nbb_opt.instance.tables.csv_file import decode, read_csv
from nbb_opt.instance.wording import TableFile, did_you_mean, listed
from nbb_opt.problems.result import EditedOnDisk
from nbb_opt.problems.stram.checks import rows_of
from nbb_opt.problems.stram.schema import META_FILE, PROBLEM, RULES, TABLES, TEXT_KEYS, StramRules

Frames = Mapping[str, pd.DataFrame]
SHOWN = 20


def check_complete(
    keys: Mapping[str, str], frames: Frames, faults: Mapping[str, CellFaults], problems: list[Problem]
) -> None:
    """Append every fault that can only be seen across tables."""
    for key, table, column in (("base_scenario", "scenarios", "scenario"), ("road_mode", "modes", "mode")):
        names = frames[table][column].tolist()
        if key in keys and keys[key] not in names:
            hint = did_you_mean(keys[key], names) or f"{table} has {listed(names)}"
            problems.append(Problem(f"{META_FILE}, key {key}", f"{keys[key]!r} is not in {table}", hint, "reference"))
    _periods(frames, faults)
    _probabilities(frames, problems)
    _edges(frames, faults)
    _terminals(frames, faults)
    _technologies(frames, faults)
    _years_known(frames, faults)
    _paths(frames, faults, problems)
    if not problems:
        _rows_needed(keys, frames, problems)


def _periods(frames: Frames, faults: Mapping[str, CellFaults]) -> None:
    periods = frames["periods"]
    years, stages = periods["year"].tolist(), periods["stage"].tolist()
    for i in range(1, len(years)):
        if years[i] <= years[i - 1]:
            faults["periods"].add(i, "year", years[i], "does not follow the year before", "sort by year", rule="order")
        if stages[i] < stages[i - 1]:
            faults["periods"].add(i, "stage", stages[i], "goes back", "stage 1 comes before stage 2", rule="order")
    if years and stages[0] != 1:
        faults["periods"].add(0, "stage", stages[0], "is not 1", "the first year is of stage 1", rule="order")
    if not years:
        faults["periods"].problems.append(Problem("periods.csv", "has no rows", "give at least one year", "empty"))


def _probabilities(frames: Frames, problems: list[Problem]) -> None:
    total = float(frames["scenarios"]["probability"].sum())
    if abs(total - 1.0) > 1e-9:
        problems.append(Problem("scenarios.csv, column probability", f"adds up to {total:g}, not 1", "", "sum"))


def _together(frame: pd.DataFrame, columns: tuple[str, ...], faults: CellFaults) -> None:
    """Columns of a step are given together or not at all."""
    given = frame[list(columns)].notna()
    for i in np.flatnonzero(given.any(axis=1) & ~given.all(axis=1)).tolist():
        missing = [name for name in columns if not given[name].iloc[i]]
        faults.add(
            i, missing[0], None, f"is blank, but {columns[0]} or others are given", "give all or none", rule="blank"
        )


def _edges(frames: Frames, faults: Mapping[str, CellFaults]) -> None:
    edges, found = frames["edges"], faults["edges"]
    _together(edges, ("increment_t_per_year", "expansion_nok", "expansion_lead_years"), found)
    fuels = set(zip(frames["technologies"]["mode"], frames["technologies"]["fuel"], strict=True))
    for i, row in enumerate(rows_of(edges)):
        if row.node_a == row.node_b:
            found.add(i, "node_b", row.node_b, "is the other end too", "an edge joins two places", rule="loop")
        needs_capacity = row.limited or row.upgrade_fuel != ""
        if needs_capacity and np.isnan(row.capacity_t_per_year):
            found.add(i, "capacity_t_per_year", None, "is blank", "a limited or upgradable edge needs it", rule="blank")
        if row.upgrade_fuel != "" and (row.mode, row.upgrade_fuel) not in fuels:
            found.add(
                i, "upgrade_fuel", row.upgrade_fuel, f"is no fuel of {row.mode}", "see technologies", rule="reference"
            )
        if (row.upgrade_fuel != "") != (not np.isnan(row.upgrade_nok) and not np.isnan(row.upgrade_lead_years)):
            found.add(
                i, "upgrade_nok", None, "does not fit upgrade_fuel", "give fuel, cost and lead or none", rule="blank"
            )


def _terminals(frames: Frames, faults: Mapping[str, CellFaults]) -> None:
    columns = ("increment_t_per_year", "expansion_nok", "expansion_lead_years")
    _together(frames["terminals"], columns, faults["terminals"])


def _technologies(frames: Frames, faults: Mapping[str, CellFaults]) -> None:
    columns = ("spread_start_year", "bass_p_per_year", "bass_q_per_year")
    _together(frames["technologies"], columns, faults["technologies"])
    tech, found = frames["technologies"], faults["technologies"]
    for i in np.flatnonzero(tech["bass_q_per_year"].to_numpy() == 0).tolist():
        found.add(i, "bass_q_per_year", 0, "is zero", "a spreading fuel has a positive coefficient", rule="bounds")


def _years_known(frames: Frames, faults: Mapping[str, CellFaults]) -> None:
    years = frames["periods"]["year"].tolist()
    for name in ("technology_years", "charging", "demand", "unit_costs", "unit_emissions", "empty_products"):
        for i in np.flatnonzero(~frames[name]["year"].isin(years)).tolist():
            value = int(frames[name]["year"].iloc[i])
            faults[name].add(
                i, "year", value, "is not in periods.year", f"years are {listed(map(str, years))}", rule="reference"
            )


def _paths(frames: Frames, faults: Mapping[str, CellFaults], problems: list[Problem]) -> None:
    legs, found = frames["path_legs"], faults["path_legs"]
    ends = frames["edges"].set_index("edge")[["node_a", "node_b"]]
    if not legs["edge"].isin(ends.index).all():
        return
    both = ends.loc[legs["edge"]]
    start = legs["from_node"].to_numpy()
    forward, backward = start == both["node_a"].to_numpy(), start == both["node_b"].to_numpy()
    for i in np.flatnonzero(~(forward | backward)).tolist():
        found.add(i, "from_node", start[i], f"is no end of edge {legs['edge'].iloc[i]!r}", "", rule="reference")
    if not (forward | backward).all():
        return
    end = np.where(forward, both["node_b"].to_numpy(), both["node_a"].to_numpy())
    order = np.lexsort((legs["step"].to_numpy(), legs["path"].to_numpy()))
    path, step = legs["path"].to_numpy()[order], legs["step"].to_numpy()[order]
    first = np.append(True, path[1:] != path[:-1])
    for i in np.flatnonzero(first & (step != 0)).tolist():
        found.add(int(order[i]), "step", int(step[i]), "begins the path", "steps count from 0", rule="order")
    for i in (np.flatnonzero(~first[1:]) + 1).tolist():
        if step[i] != step[i - 1] + 1:
            found.add(int(order[i]), "step", int(step[i]), "does not follow the step before", "", rule="order")
        elif start[order[i]] != end[order[i - 1]]:
            what = f"is not where the leg before ends ({end[order[i - 1]]!r})"
            found.add(int(order[i]), "from_node", start[order[i]], what, "", rule="broken_path")
    last = np.append(path[1:] != path[:-1], True)
    reached = set(zip(start[order][first], end[order][last], strict=True))
    demand = frames["demand"]
    for i, pair in enumerate(zip(demand["origin"], demand["destination"], strict=True)):
        if pair not in reached and demand["t_per_year"].iloc[i] > 0:
            faults["demand"].add(
                i,
                "destination",
                pair[1],
                f"no path leads there from {pair[0]!r}",
                "add one to path_legs",
                rule="no_path",
            )


def _rows_needed(keys: Mapping[str, str], frames: Frames, problems: list[Problem]) -> None:
    """Every combination of the sets must have its row in the tables of coefficients."""
    years, products = frames["periods"]["year"].tolist(), frames["products"]["product"].tolist()
    tech = list(zip(frames["technologies"]["mode"], frames["technologies"]["fuel"], strict=True))
    spreading = frames["technologies"]["spread_start_year"].notna().tolist()
    scenarios = frames["scenarios"]["scenario"].tolist()
    road = keys["road_mode"]
    modes = frames["modes"]["mode"].tolist()
    vehicles = dict.fromkeys(zip(frames["vehicles"]["mode"], frames["vehicles"]["vehicle"], strict=True))
    used = [(m, f, y, v) for m, f in tech for y in years for mode, v in vehicles if mode == m]
    changes = {(a, b) for a in modes for b in modes if a != b and road in (a, b)}
    legs = frames["path_legs"].sort_values(["path", "step"])
    mode = frames["edges"].set_index("edge")["mode"].loc[legs["edge"]].to_numpy()
    same = legs["path"].to_numpy()[1:] == legs["path"].to_numpy()[:-1]
    changes |= {(a, b) for a, b in zip(mode[:-1][same], mode[1:][same], strict=True) if a != b}
    pairs = dict.fromkeys(zip(frames["charging"]["edge"], frames["charging"]["fuel"], strict=True))
    needed: dict[str, tuple[tuple[str, ...], Iterable[tuple[object, ...]]]] = {
        "vehicles": (("mode", "product"), ((m, p) for m in modes for p in products)),
        "unit_costs": (
            ("scenario", "mode", "fuel", "product", "year"),
            ((s, m, f, p, y) for s in scenarios for m, f in tech for p in products for y in years),
        ),
        "unit_emissions": (
            ("mode", "fuel", "product", "year"), ((m, f, p, y) for m, f in tech for p in products for y in years),
        ),
        "empty_products": (("mode", "fuel", "year", "vehicle"), used),
        "technology_years": (
            ("mode", "fuel", "year"), ((*mf, y) for mf, new in zip(tech, spreading, strict=True) if new for y in years),
        ),
        "transfers": (("mode_from", "mode_to", "product"), ((a, b, p) for a, b in changes for p in products)),
        "charging": (("edge", "fuel", "year"), ((e, f, y) for e, f in pairs for y in years)),
    }  # fmt: skip
    for table, (columns, rows) in needed.items():
        there = set(zip(*(frames[table][column].tolist() for column in columns), strict=True))
        missing = [row for row in rows if row not in there]
        for row in missing[:SHOWN]:
            words = ", ".join(f"{column} {value}" for column, value in zip(columns, row, strict=True))
            problems.append(Problem(f"{table}.csv", f"has no row for {words}", "add it", "missing_row"))
        if len(missing) > SHOWN:
            problems.append(Problem(f"{table}.csv", f"{len(missing) - SHOWN} more rows are missing", "", "missing_row"))
    for mode_name in (m for m in modes if m not in {mf[0] for mf in tech}):
        problems.append(Problem("technologies.csv", f"mode {mode_name!r} has no fuel", "give one", "missing_row"))


@dataclass(frozen=True, eq=False)
class StramCase(EditedOnDisk):
    """A checked instance: `keys` of `instance.toml`, its rules, and a DataFrame for every table of the schema.

    Text is `str` ("" = blank), numbers float64 (NaN = blank), whole numbers int64 (float64 where blanks are allowed).
    `digest` is a sha256 of the content, whatever the order of rows.
    """

    problem: ClassVar[str] = PROBLEM
    path: Path
    keys: Mapping[str, str]
    rules: StramRules
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    digest: str = ""

    @property
    def name(self) -> str:
        """As `instance.toml` gives it."""
        return self.keys["name"]

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
        each.count_the_rest()
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


def _read_keys(file: Path, problems: list[Problem]) -> tuple[dict[str, str], StramRules | None]:
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


def _rules(given: Mapping[str, Any], problems: list[Problem]) -> StramRules | None:
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
    return StramRules(**{name: float(given[name]) for name in RULES}) if len(problems) == before else None


def _digest(keys: Mapping[str, str], rules: StramRules, frames: Mapping[str, pd.DataFrame]) -> str:
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
