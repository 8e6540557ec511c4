"""Reading an instance: every fault found at once, or a frozen, checked `Instance`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from nbb_opt.arguments import checked, short_texts
from nbb_opt.demand import Each, Flows
from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import (
    NOT_PLAUSIBLE,
    CellFaults,
    Values,
    as_stored,
    check_plausible,
    parse_column,
    split_list,
)
from nbb_opt.instance.flows import read_flows
from nbb_opt.instance.manifest import check_rows, digest, read_manifest, save_manifest
from nbb_opt.instance.meta import Meta, Period, meta_text, read_meta
from nbb_opt.instance.package import MANIFEST_FILE, META_FILE, Package, file_problems, open_package, table_file
from nbb_opt.instance.read_only import read_only
from nbb_opt.instance.references import check_keys, check_references
from nbb_opt.instance.rules import RuleContext, run_rules
from nbb_opt.instance.schema import BY_NAME, TABLES, Table
from nbb_opt.instance.tables.csv_file import csv_bytes, header_problems, read_csv
from nbb_opt.instance.tables.parquet_file import read_parquet
from nbb_opt.instance.what_if import (
    Scenario,
    WhatIf,
    changed,
    chosen_scenario,
    differing,
    file_name,
    in_words,
    scenarios_of,
)
from nbb_opt.instance.wording import TableFile, did_you_mean, listed
from nbb_opt.instance.workbook.read import is_spreadsheet, open_workbook, read_settings
from nbb_opt.instance.years import at_years


@dataclass(frozen=True, eq=False, kw_only=True)
class Instance:
    """A checked instance.

    `tables` holds a DataFrame for every table of the schema but `od`; optional tables that were left out are empty.
    Rows are sorted by key. Columns: text `str` ("" = blank), numbers float64 (NaN = blank), whole numbers int64
    (float64 if a blank is allowed), bool. `od_path` names the demand file (inside the .zip if there is one: open it
    with `open_od`).
    `shippers` are the names in its column `shipper`, sorted, "" where some rows name none; none of them: no column.
    `add_duplicates`: rows of one flow, year and shipper are to be added up, as was asked. `flows` is the demand as it
    was checked and summed on reading; `instance["od"]` is that as a table. `edited` are files that `with_table`
    replaced, in memory; `stamps` are sizes and times of the files on disk as they were read. Tables are read-only.
    `digest` is a sha256 of the content: the same for CSV and Parquet, for any order of rows, and wherever it lies.
    `what_if` says what was changed of which base, if this is a what-if of `scenario` or `with_changes`.
    """

    path: Path
    meta: Meta
    periods: tuple[Period, ...]
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    od_path: Path
    digest: str
    shippers: tuple[str, ...] = ()
    add_duplicates: bool = False
    flows: Flows | None = field(default=None, repr=False)
    edited: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    stamps: Mapping[str, tuple[int, int]] = field(default_factory=dict, repr=False)
    what_if: WhatIf | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        tables = {name: read_only(frame) for name, frame in self.tables.items()}
        object.__setattr__(self, "tables", MappingProxyType(tables))

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "tables": {name: pd.DataFrame(frame) for name, frame in self.tables.items()}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.__post_init__()

    def __getitem__(self, table: str) -> pd.DataFrame:
        if table != "od":
            return self.tables[_known(table)]
        demand = demand_of(self).frame()
        return read_only(demand if any(self.shippers) else demand.drop(columns="shipper", errors="ignore"))

    def __iter__(self) -> Iterator[str]:
        """The names of its tables."""
        return iter(BY_NAME)

    def __repr__(self) -> str:
        years = ", ".join(str(period.year) for period in self.periods)
        what_if = f"{', '.join(self.what_if.scenarios) or 'changed'}; " if self.what_if is not None else ""
        return f"<Instance {self.meta.name}: {self.meta.title}; {what_if}{years}; digest {self.digest[:12]}>"

    @property
    def scenarios(self) -> dict[str, Scenario]:
        """The named scenarios by name: files `scenarios/NAME.toml`, and those of the table `scenarios`."""
        package = _open(self.path)
        return scenarios_of(self, {name: package.read(file) for file in package.sizes if (name := file_name(file))})

    @checked
    def scenario(self, *names: str) -> Instance:
        """The instance in named scenarios of its own, or of .toml files, one after the other; see `with_changes`.

        >>> from nbb_opt.shipped import shipped
        >>> haulier = read_instance(shipped("instances") / "haulier")
        >>> haulier.scenario("hard winters")["countries"].set_index("country")["winter_share"]["SE"].round(3)
        np.float64(0.6)
        """
        if not names:
            return self
        chosen = [chosen_scenario(self.scenarios, name) for name in names]
        changes = [text for scenario in chosen for text in scenario.changes]
        return self._changed(changes, tuple(scenario.name for scenario in chosen))

    @checked
    def with_changes(
        self, *changes: str, close: Sequence[str] | str = (), build: Sequence[str] | str = (),
        forbid: Sequence[str] | str = (),
    ) -> Instance:  # fmt: skip
        """A what-if: the instance with some cells changed, as `TABLE.COLUMN[CONDITION, ...] = VALUE` (or `*=`, `+=`).

        Links of `close` carry nothing; projects of `build` are in service as soon as they can be, those of `forbid`
        never. It is checked like one read from files, but may leave the range in which figures usually lie; what was
        changed is in `what_if`. Raises InstanceError with every problem.

        >>> from nbb_opt.shipped import shipped
        >>> tiny = read_instance(shipped("instances") / "tiny")
        >>> dear = tiny.with_changes("country_years.carbon_price_eur_per_t[year>=2030] = 200", forbid=["RAIL_MINE"])
        >>> dear.what_if.cells[-1]
        ChangedCell(table='projects', row='RAIL_MINE', column='earliest_year', before=2030, after=2120)
        """
        words = in_words(self, close=close, build=build, forbid=forbid)
        return self._changed([*changes, *words], ()) if changes or words else self

    def _changed(self, changes: Sequence[str], scenarios: tuple[str, ...]) -> Instance:
        before = self.what_if
        base = self if before is None else before.base
        tables = changed(lambda name: self[name].copy(), changes)
        files = {f"{name}.csv": csv_bytes(frame, BY_NAME[name]) for name, frame in tables.items()}
        outside: list[Problem] = []
        found = self._again(files, outside)
        names = sorted({*tables, *(cell.table for cell in (before.cells if before is not None else ()))})
        what_if = WhatIf(
            base=base, scenarios=(*(before.scenarios if before is not None else ()), *scenarios),
            changes=(*(before.changes if before is not None else ()), *changes),
            cells=tuple(cell for name in names for cell in differing(name, base[name], found[name])),
            outside=tuple(f"{problem.where}: {problem.what}" for problem in outside),
        )  # fmt: skip
        return replace(found, what_if=what_if)

    def as_recorded(self, record: Mapping[str, Any]) -> Instance:
        """The instance that the record of a run is about, if this is it, or its base: what was changed is again.

        Raises InstanceError where the changes cannot be made.
        """
        what_if = record.get("what_if")
        if not isinstance(what_if, Mapping) or self.digest in (record.get("instance_digest"), ""):
            return self
        if self.digest != what_if.get("base_digest"):
            return self  # its digest says that it is another one
        return self._changed([str(text) for text in what_if["changes"]], tuple(map(str, what_if["scenarios"])))

    @checked
    def with_table(self, name: str, change: pd.DataFrame | Callable[[pd.DataFrame], pd.DataFrame]) -> Instance:
        """An instance with another table (`od` for the demand): a DataFrame, or a function of the one that is there.

        It is checked like one read from files, with the same messages, and has the digest of the edited file. Raises
        InstanceError with every problem.

        >>> from nbb_opt.shipped import shipped
        >>> tiny = read_instance(shipped("instances") / "tiny")
        >>> more = tiny.with_table("od", lambda t: t.assign(tonnes=1.5 * t.tonnes))
        >>> float(more["od"]["tonnes"].sum() / tiny["od"]["tonnes"].sum()), more.digest == tiny.digest
        (1.5, False)
        """
        frame = change(self[_known(name)].copy()) if callable(change) else change
        if not isinstance(frame, pd.DataFrame):
            what, hint = f"became a {type(frame).__name__}", "give a DataFrame, or a function that returns one"
            raise InstanceError([Problem(f"table {name}", what, hint, "table")])
        file = f"{name}.csv"
        problems = header_problems([str(column) for column in frame.columns], BY_NAME[name], file)
        if problems:
            raise InstanceError(problems)
        return self._again({file: csv_bytes(frame, BY_NAME[name])})

    def with_settings(self, **settings: Any) -> Instance:
        """An instance with other keys of `instance.toml`, checked: `region.with_settings(discount_rate=0.05)`.

        `periods` is a sequence of Period. Raises InstanceError with every problem.

        >>> from nbb_opt.shipped import shipped
        >>> read_instance(shipped("instances") / "tiny").with_settings(discount_rate=0.05).meta.discount_rate
        0.05
        """
        periods = settings.pop("periods", self.periods)
        unknown = [key for key in settings if not hasattr(self.meta, key)]
        if unknown:
            hint = did_you_mean(unknown[0], vars(self.meta)) or f"keys are {listed(vars(self.meta), 99)}"
            raise InstanceError([Problem(f"{META_FILE}, key {unknown[0]}", "is not known", hint, "meta_key")])
        text = meta_text(replace(self.meta, **settings), periods)
        return self._again({META_FILE: text.encode("utf-8")})

    def _again(self, edited: Mapping[str, bytes], outside: list[Problem] | None = None) -> Instance:
        """Read with these files instead of those on disk; `outside` takes figures that are not plausible."""
        package = _open(self.path)
        stamps, stems = package.stamps(), {Path(name).stem for name in {**self.edited, **edited}}
        for name in sorted(self.stamps.keys() | stamps.keys()):
            if self.stamps and self.stamps.get(name) != stamps.get(name) and Path(name).stem not in stems:
                what, hint = "has changed on disk since the instance was read", "read it again, then change it"
                raise InstanceError([Problem(name or str(self.path), what, hint, "file")])
        package = package.with_edits({**self.edited, **edited})
        same = {"od", "nodes", "commodities"}.isdisjoint(Path(name).stem for name in edited)  # what flows are made of
        try:
            found, _rows = _read(
                package, checksummed=True, add_duplicates=self.add_duplicates, outside=outside,
                flows=self.flows if same else None,
            )  # fmt: skip
        finally:
            package.close()
        return replace(found, edited={**self.edited, **edited}, stamps=self.stamps)


def _known(table: str) -> str:
    """The name of a table. Raises InstanceError for another name."""
    if table not in BY_NAME:
        hint = did_you_mean(str(table), BY_NAME) or f"tables are {listed(BY_NAME, 99)}"
        raise InstanceError([Problem(f"table {table}", "is not a table of an instance", hint, "table")])
    return table


def read_instance(path: Path | str, *, add_duplicates: bool = False, each: Each | None = None) -> Instance:
    """The instance in a folder, .zip or workbook (.xlsx). Raises InstanceError with all problems if there is any.

    Demand rows of one flow, year and shipper are refused, or added up with `add_duplicates`. Memory grows with the
    different flows and years, not with the rows. `each` sums the parts of a demand file elsewhere (see cluster), with
    the same result.
    """
    package = _open(Path(path))
    try:
        return _read(package, checksummed=True, add_duplicates=add_duplicates, each=each)[0]
    finally:
        package.close()


def read_package(package: Package) -> Instance:
    """As `read_instance`, of a package that is open."""
    return _read(package, checksummed=True)[0]


def demand_of(instance: Instance) -> Flows:
    """The demand of an instance: as it was read with the tables, or, for one put together by hand, read from its file.

    Raises InstanceError if a row is refused.
    """
    if instance.flows is not None:
        return instance.flows
    problems: list[Problem] = []
    file = instance.od_path.name
    package = Package(instance.od_path.parent, {}, {}, zipped=False) if instance.path.is_dir() else _open(instance.path)
    package = package.with_edits(instance.edited)
    faults = _faults(package, "od", file, problems)
    try:
        flows = read_flows(
            package, file, instance.tables, faults, checksummed=True, add_duplicates=instance.add_duplicates
        )
    finally:
        package.close()
    faults.count_the_rest()
    if flows is None:
        raise InstanceError(problems)
    return flows


def write_manifest(path: Path | str) -> Path:
    """Checks the instance in a folder and writes its `datapackage.json`; returns the path of that file.

    Raises InstanceError if anything but an earlier manifest is at fault, or if the instance is a .zip.
    """
    package = _open(Path(path))
    if package.sheets is not None:
        raise InstanceError([Problem(str(path), "is a workbook", "only folders have a manifest", "manifest")])
    if package.zipped:
        raise InstanceError(
            [Problem(str(path), "is a .zip", "write the manifest of the folder, then pack it", "manifest")]
        )
    try:
        instance, rows = _read(package, checksummed=False)
        return save_manifest(package, instance.meta, instance.tables, rows)
    finally:
        package.close()


def read_places_and_goods(path: Path | str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `nodes` and `commodities` of an instance whose other tables need not be there (yet).

    Raises InstanceError with what is wrong with these two.
    """
    package = _open(Path(path))
    problems: list[Problem] = []
    read = ReadTables()
    for name in ("nodes", "commodities"):
        if table_file(package, name) is None:
            problems.append(Problem(f"{path}, table {name}", "is missing", "an instance has it", "missing_file"))
        read.add(BY_NAME[name], package, problems)
    for faults in read.faults.values():
        faults.count_the_rest()
    if problems:
        raise InstanceError(problems)
    return read.frames["nodes"], read.frames["commodities"]


def _open(path: Path) -> Package:
    return open_workbook(path) if is_spreadsheet(path) else open_package(path)


@short_texts
def _read(
    package: Package,
    *,
    checksummed: bool,
    add_duplicates: bool = False,
    each: Each | None = None,
    outside: list[Problem] | None = None,
    flows: Flows | None = None,
) -> tuple[Instance, dict[str, int]]:
    """The instance, and the number of rows by file. Figures that are not plausible are refused, or are `outside`.

    `flows` are those of the demand file, where they are known.
    """
    problems = file_problems(package)
    if any(problem.rule == "size" for problem in problems):
        raise InstanceError(problems)  # before anything so large is read
    entries = read_manifest(package, problems) if checksummed else {}
    meta, periods = _meta(package, problems)
    trusted = frozenset(entries) if checksummed else frozenset(package.sizes)
    has_manifest = MANIFEST_FILE in package or not checksummed
    read = ReadTables(trusted=trusted if has_manifest else None, outside=outside)
    for table in TABLES:
        if table.name != "od":
            read.add(table, package, problems)
    for name in read.frames:
        check_references(BY_NAME[name], read.frames, read.faults[name])
    od = table_file(package, "od")
    if flows is None and od is not None and read.may_read(od):
        flow_faults = _faults(package, "od", od, problems)
        vouched = read.vouched(od)
        flows = read_flows(
            package, od, read.frames, flow_faults, checksummed=vouched, add_duplicates=add_duplicates, each=each
        )
        flow_faults.count_the_rest()
    for faults in read.faults.values():
        faults.count_the_rest()
    context = RuleContext(
        meta=meta, periods=periods, frames=read.frames, faults=read.faults, flows=flows, flow_file=od or ""
    )
    broken = list(run_rules(context))
    if outside is not None:
        outside.extend(problem for problem in broken if problem.what.startswith(NOT_PLAUSIBLE))
        broken = [problem for problem in broken if not problem.what.startswith(NOT_PLAUSIBLE)]
    problems.extend(broken)
    rows = {read.faults[name].file.file: len(frame) for name, frame in read.frames.items()}
    if od is not None and flows is not None:
        rows[od] = flows.rows
    check_rows(entries, rows, problems)
    if problems or meta is None or flows is None or od is None:
        raise InstanceError(problems)
    frames = MappingProxyType({name: in_key_order(BY_NAME[name], frame) for name, frame in read.frames.items()})
    found = Instance(
        path=package.path, meta=meta, periods=periods, tables=frames, od_path=package.path / od,
        digest=digest(meta, periods, frames, flows), shippers=flows.shippers,
        add_duplicates=add_duplicates and flows.n_repeated > 0, flows=flows,
        stamps=package.stamps(),
    )  # fmt: skip
    return found, rows


def _meta(package: Package, problems: list[Problem]) -> tuple[Meta | None, tuple[Period, ...]]:
    if package.sheets is not None:
        return read_settings(package.sheets, problems)
    return read_meta(package.read(META_FILE), problems) if META_FILE in package else (None, ())


def _faults(package: Package, table: str, file: str, problems: list[Problem]) -> CellFaults:
    if package.sheets is not None:
        return package.sheets[file].faults(problems)
    return CellFaults(TableFile(table, file), problems)


@dataclass
class ReadTables:
    """Tables read so far and the faults of each."""

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    faults: dict[str, CellFaults] = field(default_factory=dict)
    trusted: frozenset[str] | None = None  # files that match the manifest; None without a manifest
    outside: list[Problem] | None = None  # takes figures that are not plausible; None: they are refused

    def may_read(self, file: str) -> bool:
        """Binary files that do not match their manifest are not even opened."""
        return file.endswith(".csv") or self.trusted is None or file in self.trusted

    def vouched(self, file: str) -> bool:
        """Whether a manifest says that the file is as it was written (or is about to be, see `write_manifest`)."""
        return self.trusted is not None and file in self.trusted

    def add(self, table: Table, package: Package, problems: list[Problem]) -> None:
        """Reads a table; one with a fault in its header or file is left out, and problems say why."""
        file = table_file(package, table.name)
        if file is None:
            if table.optional:
                faults = CellFaults(TableFile(table.name, f"{table.name}.csv"), problems)
                self.faults[table.name] = faults
                self.frames[table.name] = frame_of(table, {c.name: parse_column([], c, faults) for c in table.columns})
            return
        if not self.may_read(file):
            return
        faults = _faults(package, table.name, file, problems)
        if package.sheets is not None:
            values = parsed(package.sheets[file].cells, table, faults)
        elif file.endswith(".csv"):
            values = parsed(read_csv(package.read(file), table, faults), table, faults)
        else:
            with package.open(file) as stream:
                values = read_parquet(stream, table, faults, checksummed=self.vouched(file))
        if values is None:
            return
        given = values.get("note")
        notes = given if isinstance(given, list) else None
        told = faults if self.outside is None else CellFaults(faults.file, self.outside)
        for column in table.columns:
            cells_of_column = values[column.name]
            if isinstance(cells_of_column, np.ndarray):
                check_plausible(cells_of_column, notes, column, told)
        frame = frame_of(table, values)
        check_keys(table, frame, faults)
        self.frames[table.name] = frame
        self.faults[table.name] = faults


def parsed(cells: Mapping[str, list[str]] | None, table: Table, faults: CellFaults) -> dict[str, Values] | None:
    if cells is None:
        return None
    blank = [""] * max((len(column) for column in cells.values()), default=0)  # of an optional column that is left out
    return {c.name: parse_column(cells.get(c.name, blank), c, faults) for c in table.columns}


def frame_of(table: Table, values: Mapping[str, Values]) -> pd.DataFrame:
    columns = {}
    for column in table.columns:
        cells = values[column.name]
        columns[column.name] = pd.array(cells, dtype="str") if isinstance(cells, list) else as_stored(cells, column)
    return pd.DataFrame(columns)


def in_key_order(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows sorted by the key of the table, as every table of an instance is.

    The order of rows in a file means nothing, so it must not reach any result: positions of rows are the numbers of
    nodes, links and the like everywhere, in stored chains too.

    >>> frame = pd.DataFrame({"country": ["SE", "FI", "SE"], "year": [2030, 2025, 2025]})
    >>> in_key_order(BY_NAME["country_years"], frame).values.tolist()
    [['FI', 2025], ['SE', 2025], ['SE', 2030]]
    """
    keys = list(zip(*(frame[name].tolist() for name in table.key), strict=True))
    return frame.iloc[sorted(range(len(frame)), key=keys.__getitem__)].reset_index(drop=True)


def by_period(instance: Instance, table: str) -> pd.DataFrame:
    """A table by year at the start years of the periods: one row per key and period, numbers linear between years."""
    if not BY_NAME[table].by_year:
        raise ValueError(f"{table} is not a table by year")
    return at_years(instance[table], BY_NAME[table], [period.year for period in instance.periods])


def split_refs(text: str) -> list[str]:
    """Names in a `;`-joined cell.

    >>> split_refs("A;B"), split_refs("")
    (['A', 'B'], [])
    """
    return split_list(text)


def open_od(instance: Instance) -> BinaryIO:
    """The demand file as a seekable binary stream, from the folder or from inside the .zip; a workbook's as CSV."""
    if instance.od_path.name in instance.edited:
        return io.BytesIO(instance.edited[instance.od_path.name])
    return _open(instance.path).with_edits(instance.edited).open(instance.od_path.name)


def energy_factors(instance: Instance) -> np.ndarray:
    """Energy use over that on the level, by link in file order (links,); 1 where `gradients` has no row."""
    table = instance["gradients"]
    factor = dict(zip(table["link"].tolist(), table["energy_factor"].tolist(), strict=True))
    return np.array([factor.get(link, 1.0) for link in instance["links"]["link"].tolist()], np.float64)


def varied(instance: Instance, tables: Mapping[str, pd.DataFrame], **settings: Any) -> Instance:
    """The instance with other tables (not `od`) and settings, unchecked, with the digest of such files.

    For what people edit there is `Instance.with_table`, which checks.

    >>> from nbb_opt.instance import read_instance
    >>> from nbb_opt.shipped import shipped
    >>> tiny = read_instance(shipped("instances") / "tiny")
    >>> varied(tiny, {}).digest == tiny.digest, varied(tiny, {}, carbon_base="WTW").digest == tiny.digest
    (True, False)
    """
    demand = demand_of(instance)
    meta, frames = replace(instance.meta, **settings), {**instance.tables, **tables}
    content = digest(meta, instance.periods, frames, demand)
    return replace(instance, meta=meta, tables=frames, digest=content, flows=demand)


def with_demand(instance: Instance, factor: float) -> Instance:
    """The instance with every row of its demand times a factor."""
    return with_tonnes(instance, demand_of(instance).tonnes * factor)


def with_tonnes(instance: Instance, tonnes: np.ndarray) -> Instance:
    """The instance with other tonnes in the rows of its demand, in their order; unchecked, as `varied`."""
    demand = replace(demand_of(instance), tonnes=tonnes)
    content = digest(instance.meta, instance.periods, instance.tables, demand)
    path = instance.od_path.with_suffix(".csv") if instance.od_path.suffix else instance.od_path
    edited = {**instance.edited, "od.csv": csv_bytes(demand.frame(), BY_NAME["od"])}
    return replace(instance, od_path=path, digest=content, flows=demand, edited=edited)
