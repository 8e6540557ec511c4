"""A network design instance: its tables, read with every fault found at once, and its figures as arrays."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import CellFaults, as_stored, parse_column
from nbb_opt.instance.package import META_FILE, Package, open_package
from nbb_opt.instance.references import check_keys, check_references
from nbb_opt.instance.schema import Column, Table
from nbb_opt.instance.tables.csv_file import decode, read_csv
from nbb_opt.instance.wording import TableFile, did_you_mean, listed, shown
from nbb_opt.problems.result import EditedOnDisk

PROBLEM = "network_design"
# key of instance.toml -> what it says; each is a text
META: dict[str, str] = {
    "problem": f'"{PROBLEM}"',
    "name": "short name of small letters, digits, - and _",
    "title": "what people read",
    "version": "of the data",
    "licence": "of the data; `not stated` where none is",
    "description": "where the figures come from and what they mean",
}
_MOST = 1e12


def _amount(name: str, meaning: str, unit: str, low: float) -> Column:
    return Column(name, "number", meaning, unit, low=low, high=_MOST)


TABLES: tuple[Table, ...] = (
    Table("nodes", "a place", ("node",), (Column("node", "id", "name of the place"),)),
    Table(
        "arcs",
        "a one-way connection that may be opened; several may join the same places",
        ("arc",),
        (
            Column("arc", "id", "name of the arc"),
            Column("from_node", "ref", "where it starts", target="nodes.node"),
            Column("to_node", "ref", "where it ends", target="nodes.node"),
            _amount("cost_eur_per_t", "cost of each tonne on it", "EUR/t", 0.0),
            _amount("capacity_t", "most it carries, all commodities together", "t", 1e-6),
            _amount("fixed_eur", "cost of opening it", "EUR", 0.0),
        ),
    ),
    Table(
        "commodities",
        "an amount to be carried from one place to another; it may be split over paths",
        ("commodity",),
        (
            Column("commodity", "id", "name of the commodity"),
            Column("origin", "ref", "where it starts", target="nodes.node"),
            Column("destination", "ref", "where it ends", target="nodes.node"),
            _amount("demand_t", "how much", "t", 1e-6),
        ),
    ),
)
# a solution, from this engine or any other: arcs that are opened, and flows above zero
RESULTS: tuple[Table, ...] = (
    Table("opened", "an arc that is opened", ("arc",), (Column("arc", "id", "name of the arc"),)),
    Table(
        "flows",
        "what a commodity carries on an arc",
        ("arc", "commodity"),
        (
            Column("arc", "id", "name of the arc"),
            Column("commodity", "id", "name of the commodity"),
            _amount("carried_t", "how much", "t", 0.0),
        ),
    ),
)


Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class DesignNetwork:
    """Arcs and commodities; nodes are numbers from 0.

    By arc: `tail`, `head` (nodes), `cost_eur_per_t`, `capacity_t`, `fixed_eur`. By commodity: `origin`, `destination`
    (nodes), `demand_t`.
    """

    nodes: int
    tail: Ints
    head: Ints
    cost_eur_per_t: Floats
    capacity_t: Floats
    fixed_eur: Floats
    origin: Ints
    destination: Ints
    demand_t: Floats

    @property
    def arcs(self) -> int:
        return len(self.tail)

    @property
    def commodities(self) -> int:
        return len(self.origin)

    def largest_use_t(self) -> Floats:
        """Tonnes that could ever be on each arc: its capacity, or all demand where that is less (a tight M)."""
        return np.minimum(self.capacity_t, self.demand_t.sum())

    def largest_share(self) -> Floats:
        """Share of each commodity that fits on each arc, shape (commodities, arcs): at most 1."""
        return np.minimum(1.0, self.capacity_t[None, :] / self.demand_t[:, None])


FORMAT = "nbb_opt network_design 1"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_BESIDE = re.compile(r"[^/]+\.(md|txt)|LICENSE[^/]*|expected\.toml")


@dataclass(frozen=True, eq=False)
class DesignInstance(EditedOnDisk):
    """A checked instance: the texts of `instance.toml`, the tables `nodes`, `arcs`, `commodities`, and a digest.

    `digest` is a sha256 of the content, the same for any order of rows and wherever it lies.
    """

    problem: ClassVar[str] = PROBLEM
    path: Path
    meta: Mapping[str, str]
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    digest: str

    @property
    def name(self) -> str:
        """As `instance.toml` gives it."""
        return self.meta["name"]

    def names(self) -> tuple[list[str], list[str], list[str]]:
        """Names of nodes, arcs and commodities in the order of the arrays of `network`."""
        nodes, arcs, commodities = (self.tables[table.name][table.key[0]].tolist() for table in TABLES)
        return nodes, arcs, commodities

    def network(self) -> DesignNetwork:
        """The figures as arrays, rows in file order."""
        arcs, commodities = self.tables["arcs"], self.tables["commodities"]
        place = {name: i for i, name in enumerate(self.tables["nodes"]["node"].tolist())}

        def at(column: pd.Series) -> np.ndarray:
            return np.array([place[name] for name in column.tolist()], np.int64)

        cost, capacity, fixed = (_floats(arcs, name) for name in ("cost_eur_per_t", "capacity_t", "fixed_eur"))
        return DesignNetwork(
            nodes=len(place), tail=at(arcs["from_node"]), head=at(arcs["to_node"]), cost_eur_per_t=cost,
            capacity_t=capacity, fixed_eur=fixed, origin=at(commodities["origin"]),
            destination=at(commodities["destination"]), demand_t=_floats(commodities, "demand_t"),
        )  # fmt: skip


def _floats(frame: pd.DataFrame, column: str) -> np.ndarray:
    return frame[column].to_numpy(dtype=np.float64, copy=True)


def read_design(path: Path | str) -> DesignInstance:
    """The instance in a folder. Raises InstanceError with all problems if there is any."""
    package = open_package(Path(path))
    problems = _file_problems(package)
    meta = _read_meta(package, problems)
    frames: dict[str, pd.DataFrame] = {}
    faults: dict[str, CellFaults] = {}
    for table in TABLES:
        if f"{table.name}.csv" not in package:
            continue
        faults[table.name] = CellFaults(TableFile(table.name, f"{table.name}.csv"), problems)
        frame = read_table(package.read(f"{table.name}.csv"), table, faults[table.name])
        if frame is not None:
            frames[table.name] = frame
            if frame.empty:
                problems.append(Problem(f"{table.name}.csv", "has no rows", f"one row is {table.row_is}", "empty"))
    for table in TABLES:
        if table.name in frames:
            check_references(table, frames, faults[table.name])
    _check_ends(frames, faults)
    for each in faults.values():
        each.count_the_rest()
    if problems:
        raise InstanceError(problems)
    return DesignInstance(package.path, MappingProxyType(meta), MappingProxyType(frames), _digest(meta, frames))


def read_table(data: bytes, table: Table, faults: CellFaults) -> pd.DataFrame | None:
    """A CSV table with unique keys, its faults collected; None where it has no usable header."""
    cells = read_csv(data, table, faults)
    if cells is None:
        return None
    columns: dict[str, Any] = {}
    for column in table.columns:
        values = parse_column(cells[column.name], column, faults)
        columns[column.name] = (
            pd.array(values, dtype="str") if isinstance(values, list) else as_stored(values, column)
        )  # fmt: skip
    frame = pd.DataFrame(columns)
    check_keys(table, frame, faults)
    return frame


def _file_problems(package: Package) -> list[Problem]:
    needed = [META_FILE, *(f"{table.name}.csv" for table in TABLES)]
    problems = []
    for name in package.sizes:
        if name not in needed and not _BESIDE.fullmatch(name):
            hint = did_you_mean(name, needed) or f"it holds {listed(needed)}, and *.md"
            problems.append(Problem(name, f"is not a file of a {PROBLEM} instance", hint, "file"))
    for name in needed:
        if name not in package:
            problems.append(Problem(name, "is missing", f"a {PROBLEM} instance needs {listed(needed)}", "missing_file"))
    return problems


def _read_meta(package: Package, problems: list[Problem]) -> dict[str, str]:
    if META_FILE not in package:
        return {}
    text = decode(package.read(META_FILE), META_FILE, problems)
    try:
        keys = tomllib.loads(text or "")
    except (ValueError, RecursionError) as error:
        problems.append(Problem(META_FILE, f"is not TOML: {error}", "texts stand in quotation marks", "toml"))
        return {}
    return checked_meta(keys, problems)


def checked_meta(keys: Mapping[str, Any], problems: list[Problem]) -> dict[str, str]:
    """The keys of `instance.toml`, faults collected."""
    for key in keys:
        if key not in META:
            hint = did_you_mean(key, META) or f"keys are {listed(META)}"
            problems.append(Problem(f"{META_FILE}, key {key}", "is not known", hint, "meta_key"))
    for key, meaning in META.items():
        where = f"{META_FILE}, key {key}"
        if key not in keys:
            problems.append(Problem(where, "is missing", meaning, "meta_key"))
        elif not isinstance(keys[key], str) or not keys[key].strip():
            problems.append(Problem(f"{where}, value {shown(keys[key])}", "is not a text", meaning, "meta"))
        elif (key == "name" and not _NAME.fullmatch(keys[key])) or (key == "problem" and keys[key] != PROBLEM):
            problems.append(Problem(f"{where}, value {shown(keys[key])}", "is not allowed", meaning, "meta"))
    return {key: str(keys.get(key, "")) for key in META}


def _check_ends(frames: Mapping[str, pd.DataFrame], faults: Mapping[str, CellFaults]) -> None:
    """Arcs and commodities lead from one place to another one."""
    for name, start, end in (("arcs", "from_node", "to_node"), ("commodities", "origin", "destination")):
        if name not in frames:
            continue
        frame = frames[name]
        for i in np.flatnonzero((frame[start] == frame[end]).to_numpy() & (frame[start] != "").to_numpy()).tolist():
            what = f"is the same place as {start}"
            faults[name].add(i, end, frame[end].iloc[i], what, "take the row out or correct it", rule="loop")


def _digest(meta: Mapping[str, str], frames: Mapping[str, pd.DataFrame]) -> str:
    sha = hashlib.sha256(json.dumps([FORMAT, dict(meta)], sort_keys=True, ensure_ascii=False).encode())
    for table in TABLES:
        sha.update(json.dumps([table.name, _rows(frames[table.name], table)], ensure_ascii=False).encode())
    return sha.hexdigest()


def _rows(frame: pd.DataFrame, table: Table) -> Sequence[Sequence[Any]]:
    names = [column.name for column in table.columns]
    return sorted([list(row) for row in zip(*(frame[name].tolist() for name in names), strict=True)])
