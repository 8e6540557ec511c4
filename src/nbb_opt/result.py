"""The tables a solved freight plan consists of, and how they stand in a run folder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nbb_opt.errors import NbbError
from nbb_opt.run_folder import RECORD, json_bytes, read_folder, read_record, write_folder

CHAINS_IN_FULL = 100_000
# what compact_table changes: in tables that grow with the flows, numbers of these columns take 4 bytes; in tables whose
# words come again and again, the words are categories
LONG = ("bundles", "demand", "flows", "chains", "chain_steps", "lanes", "lane_links", "driven")
NUMBERS = ("bundle", "chain", "lane", "step", "year")
WORDY = ("chain_steps", "lane_links")
LARGEST = 2**31 - 1
ROWS_WRITTEN_AT_ONCE = 1_048_576
# column -> dtype; `demand` is that of the instance, which holds the contracts with suppliers.
# `year` is the start year of a period. Rows whose amount is zero are left out.
# `chains`, `chain_steps`, `lanes` and `lane_links` hold every candidate chain and its lanes, used or not; of an
# instance with more than CHAINS_IN_FULL candidates only the chains with tonnes, with their lanes and those that are
# driven. The numbers are those of the candidates, so that they may have gaps; a plan and its bars number alike.
TABLES: dict[str, dict[str, str]] = {
    "bundles": {"bundle": "int64", "origin": "str", "destination": "str", "commodity": "str"},
    "demand": {"bundle": "int64", "year": "int64", "tonnes": "float64"},
    "supplied": {"supplier": "str", "site": "str", "input": "str", "year": "int64", "tonnes": "float64"},
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
        "cargo_type": "str",
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
        "cargo_type": "str",
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
    "fuels": {"substitute": "str", "country": "str", "year": "int64", "replaced_kwh": "float64"},
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


# What a plan is compared with, the last of them where there are both: today's technologies and network; and what market
# and committed decisions do without a plan.
FROZEN, REFERENCE = "frozen", "reference"
BARS = (FROZEN, REFERENCE)
Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run: its record (`run.json`), its tables, and by name those of the bars that it is compared with.

    `beside` holds further files of the run (names in EXTRA_FILES): the solver's log, the history of its bounds, what
    the verifier found, report and workbook. `path` is the folder, `Path()` while the run is in memory only. `altered`
    names files that are not as they were written; only `read_run(..., refuse_altered=False)` lets them in.
    """

    path: Path
    record: dict[str, Any]
    tables: Tables
    bars: Mapping[str, Tables]
    altered: tuple[str, ...] = ()
    beside: Mapping[str, bytes | str] = field(default_factory=dict, repr=False)

    @property
    def against(self) -> str:
        """The bar the plan is compared with: the reference, else the frozen plan; "" for the frozen plan itself."""
        return next((bar for bar in reversed(BARS) if bar in self.bars), "")

    @property
    def baseline(self) -> Tables:
        """The tables of `against`; empty where there is none."""
        return self.bars.get(self.against, {})

    def said_of(self, bar: str) -> Mapping[str, Any]:
        """What the record says of a bar; empty where there is none."""
        bars = self.record.get("bars")
        said = bars.get(bar) if isinstance(bars, Mapping) else None
        return said if isinstance(said, Mapping) else {}

    def frozen_t(self, year: int) -> float:
        """What the frozen plan emits in a year of a period, t CO2e WTW: caps of models are shares of the first."""
        return float(self.said_of(FROZEN)["emissions_t_co2e"][str(year)])


def emissions_t(tables: Tables) -> pd.Series:
    """WTW t CO2e per year of each period, index `year`."""
    rows = tables["emissions"]
    return ((rows["ttw_kg"] + rows["wtt_kg"]) / 1000.0).groupby(rows["year"]).sum()


def as_table(name: str, rows: pd.DataFrame | list[dict[str, Any]] | None = None) -> pd.DataFrame:
    """Give `rows` exactly the columns and dtypes of result table `name`.

    >>> as_table("projects", [{"project": "A", "year": 2030, "newly_built": 1, "in_service": 1}]).shape
    (1, 4)
    """
    dtypes = TABLES[name]
    frame = pd.DataFrame(rows if rows is not None and len(rows) else None, columns=list(dtypes))
    return _typed(frame, dtypes).reset_index(drop=True)


def _typed(frame: pd.DataFrame, dtypes: Mapping[str, str]) -> pd.DataFrame:
    """`frame.astype(dtypes)`, which takes its time also where there is nothing to change."""
    other = {name: dtype for name, dtype in dtypes.items() if frame[name].dtype != dtype}
    return frame.astype(other) if other else frame


def compact_table(name: str, rows: pd.DataFrame | None = None) -> pd.DataFrame:
    """As `as_table`; LONG tables in fewer bytes: NUMBERS as int32, words of WORDY ones as categories in rising order.

    Raises OverflowError if a number is too great for it.

    >>> steps = compact_table("chain_steps")
    >>> str(steps["chain"].dtype), str(steps["link"].dtype), str(compact_table("bundles")["origin"].dtype)
    ('int32', 'category', 'str')
    """
    frame = as_table(name) if rows is None else rows[list(TABLES[name])].reset_index(drop=True)
    dtypes = dict(TABLES[name])
    for column, dtype in TABLES[name].items():
        if name in LONG and column in NUMBERS:
            dtypes[column] = "int32"
            if len(frame) and not -LARGEST <= frame[column].min() <= frame[column].max() <= LARGEST:
                raise OverflowError(f"table {name}, column {column}: a number beyond {LARGEST}")
        elif dtype == "str" and name in WORDY:
            dtypes[column] = "category"
    frame = _typed(frame, dtypes)
    return frame.assign(**{column: _rising(frame[column]) for column in dtypes if dtypes[column] == "category"})


def _rising(column: pd.Series) -> pd.Series:
    """The same words, as categories in rising order."""
    words = column.cat.categories
    if words.dtype == "str" and words.is_monotonic_increasing:
        return column
    return column.cat.set_categories(pd.Index(sorted(words), dtype="str"))


OWN_RULES = "own_rules.json"  # a user's own rules and costs, written out by the names of variables
FRONT = "front.csv"  # points of cost against emissions beside the plan
EXTRA_FILES = (FRONT, "verify.json", "solver.log", "bounds.csv", "report.html", "report.xlsx", OWN_RULES)
TABLE_FILES = {folder: [f"{folder}/{name}.parquet" for name in TABLES] for folder in ("tables", *BARS)}


def write_run(
    target: Path,
    record: Mapping[str, Any],
    tables: Tables,
    bars: Mapping[str, Tables],
    *,
    extra_files: Mapping[str, bytes | str] | None = None,
    replace: bool = False,
) -> Path:
    """Write a run folder, complete or not at all (see `write_folder`); `extra_files` holds names in EXTRA_FILES."""
    return write_folder(Path(target), _contents(record, tables, bars, extra_files or {}), replace=replace)


def read_run(path: Path, *, refuse_altered: bool = True) -> Run:
    """Read a run folder. Raises NbbError naming the file that is missing, altered, unknown or of another layout.

    The verifier reads altered files too (`refuse_altered=False`), to say which rule a change breaks.
    """
    path = Path(path)
    more = [*EXTRA_FILES, *(name for bar in BARS for name in TABLE_FILES[bar])]
    needed = [RECORD, *TABLE_FILES["tables"]]
    contents, altered = read_folder(path, needed=needed, may_hold=more, refuse_altered=refuse_altered)
    record = read_record(contents[RECORD], path)
    found = {}
    for folder, files in TABLE_FILES.items():
        missing = [name for name in files if name not in contents]
        if missing and len(missing) < len(files):
            raise NbbError(f"{path / missing[0]}: missing; the run is not complete: run again")
        if not missing:
            found[folder] = {name: _read_table(contents, f"{folder}/{name}.parquet", path) for name in TABLES}
    beside = {name: contents[name] for name in EXTRA_FILES if name in contents}
    return Run(path, record, found.pop("tables"), found, altered, beside)


def _contents(
    record: Mapping[str, Any],
    tables: Tables,
    bars: Mapping[str, Tables],
    extra_files: Mapping[str, bytes | str],
) -> dict[str, bytes]:
    unknown = sorted(set(extra_files) - set(EXTRA_FILES))
    if unknown:
        raise NbbError(f"{', '.join(unknown)}: not a file of a run folder; it may hold {', '.join(EXTRA_FILES)}")
    files = {RECORD: json_bytes(dict(record))}
    for folder, frames in {"tables": tables, **bars}.items():
        if set(frames) != set(TABLES):
            odd = ", ".join(sorted(set(frames) ^ set(TABLES)))
            raise NbbError(f"{folder}: missing or unknown tables: {odd}")
        for name, frame in frames.items():
            files[f"{folder}/{name}.parquet"] = _parquet(name, frame)
    for name, content in extra_files.items():
        files[name] = content.encode("utf-8") if isinstance(content, str) else content
    return files


@cache
def _schema(name: str) -> pa.Schema:
    return pa.Table.from_pandas(as_table(name), preserve_index=False).schema


def _parquet(name: str, frame: pd.DataFrame) -> bytes:
    """The table with the dtypes of TABLES, converted and written in parts."""
    sink = pa.BufferOutputStream()
    schema = _schema(name)
    with pq.ParquetWriter(sink, schema, compression="zstd", write_page_checksum=True) as writer:
        for start in range(0, max(len(frame), 1), ROWS_WRITTEN_AT_ONCE):
            part = as_table(name, frame.iloc[start : start + ROWS_WRITTEN_AT_ONCE])
            writer.write_table(pa.Table.from_pandas(part, schema=schema, preserve_index=False))
    return sink.getvalue().to_pybytes()


def _read_table(contents: Mapping[str, bytes], file: str, path: Path) -> pd.DataFrame:
    name = Path(file).stem
    words = [column for column, dtype in TABLES[name].items() if dtype == "str"] if name in WORDY else None
    try:
        buffer = pa.BufferReader(contents[file])
        frame = pq.read_table(buffer, page_checksum_verification=True, read_dictionary=words).to_pandas()
        frame = compact_table(name, frame) if list(frame.columns) == list(TABLES[name]) else frame
    except (KeyError, OSError, ValueError, TypeError, OverflowError, pa.ArrowException) as fault:
        raise NbbError(f"{path / file}: cannot be read as a result table ({fault}); run again") from fault
    if list(frame.columns) != list(TABLES[name]):
        raise NbbError(f"{path / file}: has other columns than {', '.join(TABLES[name])}; run again")
    return frame


def decision_gap(plan: float, bound: float, reference: float) -> float:
    """What is undecided of what can be decided, (plan - bound) / (reference - bound): most of the cost is paid whatever
    is decided. 0 where plan and bound meet, not above 1; NaN while one of the three is unknown.

    >>> decision_gap(101.0, 100.0, 104.0), decision_gap(100.0, 100.0, 100.0)
    (0.25, 0.0)
    """
    if not all(map(math.isfinite, (plan, bound, reference))):
        return math.nan
    undecided = max(plan - bound, 0.0)
    return min(undecided / (reference - bound), 1.0) if undecided > 0 and reference > bound else float(undecided > 0)
