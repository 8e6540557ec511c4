"""Copies of the tiny instance that tests may spoil."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance import read_instance
from nbb_opt.instance.schema import BY_NAME

TINY = Path(__file__).resolve().parent.parent / "instances" / "tiny"


def copy_tiny(target: Path) -> Copy:
    """A copy of the data files of tiny, without its manifest."""
    target.mkdir()
    for path in sorted(TINY.iterdir()):
        if path.suffix == ".csv" or path.name == "instance.toml":
            shutil.copyfile(path, target / path.name)
    return Copy(target)


# one row for every table that tiny leaves out
LEFT_OUT = {
    "public_charging": [
        {"charge_area": "CW", "year": year, "kwh_per_year": "1e6", "kw": "400", "price_add_eur_per_kwh": "0.2"}
        for year in ("2025", "2030")
    ],
    "battery_wear": [{"vehicle": "BATTERY", "range_loss_share": "0.2"}],
    "control_totals": [
        {
            "total": "MINED", "name": "Ore", "measure": "handled_t_per_year", "modes": "road;rail", "nodes": "MINE",
            "observed": "4e4", "observed_year": "2024", "outside": "0",
        }
    ],
    "fuel_substitutes": [
        {"mode": "road", "replaces": "diesel", "energy_carrier": "electricity"} | row
        for row in (
            {"substitute": "LIMITED", "kwh_per_kwh": "1.4", "max_share": "0.9", "kwh_per_year": "5e5",
             "available_from": "2025"},
            {"substitute": "LATER", "kwh_per_kwh": "1.45", "max_share": "0.5", "available_from": "2030"},
        )
    ],
    "charging_hours": [
        {"charge_area": "CW", "hour": str(hour), "price_add_eur_per_kwh": "0.02" if 7 <= hour < 20 else "-0.01"}
        for hour in range(24)
    ],
    "driving_rules": [{"country": "SE", "drive_h": "4.5", "break_h": "0.75", "rest_h": "11"}],
    "gradients": [{"link": "ROAD_MINE_WEST", "energy_factor": "1.2"}],
    "mode_constants": [
        {"constant": "LARGE_LOTS", "mode": "road", "commodities": "ORE", "origins": "MINE", "eur_per_t": "1.5"},
    ],
    "opening_hours": [{"node": "MINE", "hours_per_week": "80"}],
    "outside_flows": [
        {
            "origin": "PORTE", "destination": "PORTW", "commodity": "PULP", "link": "SEA_PORTE_PORTW", "year": year,
            "tonnes": "3e4",
        }
        for year in ("2025", "2030")
    ],
    "occupations": [
        {"occupation": "mechanic", "name": "Mechanics", "work": "trucks", "work_per_person": "4"},
        {"occupation": "docker", "name": "Dockers", "work": "quay_t_per_year", "work_per_person": "2000"},
    ],
    "labour": [
        {"occupation": "mechanic", "fleet_region": "W", "year": year, "people": "3"} for year in ("2025", "2030")
    ],
    "ports": [{"node": "PORTE", "draught_m": "12.5", "largest_ship_dwt": "20000", "ice_months": "5"}],
    "site_power": [
        {"charge_area": "CW", "plant": name, "year": year, "mw": mw, "gwh_per_year": "7", "in_queue": queue}
        for name, mw, queue in (("PIT", "2", "false"), ("MILL", "50", "true")) for year in ("2025", "2030")
    ],
    "recipes": [
        {"site": "PIT", "input": "props", "commodity": "WOOD", "t_per_t": "0.5", "region_share": "0.2",
         "region_share_from_year": "2030"},
    ],
    "scenarios": [
        {
            "scenario": "dear diesel", "table": "energy", "row": "diesel/SE", "column": "price_eur_per_kwh",
            "factor": "1.4",
        }
    ],
    "shift_stays": [
        {"fleet_region": "W", "shift": "day", "arrives_h": "17", "departs_h": "5"},
        {"fleet_region": "W", "shift": "day", "arrives_h": "11", "departs_h": "11.75"},
        {"fleet_region": "E", "shift": "night", "arrives_h": "6", "departs_h": "18"},
    ],
    "shifts": [
        {"fleet_region": region, "shift": shift, "truck_share": "1", "spread_h": "1", "drivers": "1",
         "days_per_year": "250"}
        for region, shift in (("W", "day"), ("E", "night"))
    ],
    "suppliers": [
        {"input": "props", "in_region": "true", "first_year": "2020", "price_eur_per_t": "30",
         "upstream_kg_co2e_per_t": "20"} | row
        for row in (
            {"supplier": "WOODS", "node": "WEST", "in_region": "false"},
            {"supplier": "COPSE", "node": "EAST", "capacity_t_per_year": "9000"},
            {"supplier": "GROVE", "node": "MINE", "capacity_t_per_year": "2000", "in_region": "false"},
        )
    ],
    "supply_contracts": [
        {"supplier": "GROVE", "site": "PIT", "input": "props", "year": year, "amount_t_per_year": "1000"}
        for year in ("2025", "2030")
    ],
    "subsidies": [
        {
            "subsidy": "GRANT", "kind": "purchase_grant_share", "country": "SE", "technology": "battery",
            "first_year": "2025", "last_year": "2030", "value": "0.25",
        }
    ],
}  # fmt: skip


def copy_with_every_table(target: Path) -> Copy:
    """A copy of tiny that has rows in every table of the schema."""
    copy = copy_tiny(target)
    for table, rows in LEFT_OUT.items():
        header = [column.name for column in BY_NAME[table].columns]
        full = [dict.fromkeys(header, "") | {"source": "made_up"} | row for row in rows]
        copy.write(table, header, full)
    return copy


def problems_of(path: Path) -> tuple[Problem, ...]:
    """Problems found in an instance; none if it is accepted."""
    try:
        read_instance(path)
    except InstanceError as error:
        return error.problems
    return ()


@dataclass(frozen=True)
class Copy:
    """A folder with a copy of an instance, edited as a person would edit it."""

    path: Path

    def rows(self, table: str) -> list[dict[str, str]]:
        with open(self.path / f"{table}.csv", encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def header(self, table: str) -> list[str]:
        with open(self.path / f"{table}.csv", encoding="utf-8", newline="") as stream:
            return next(csv.reader(stream))

    def write(self, table: str, header: list[str], rows: list[dict[str, str]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, header, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        (self.path / f"{table}.csv").write_text(text.getvalue(), encoding="utf-8", newline="")

    def line(self, table: str, /, **key: str) -> int:
        """Line of the first row with these cells, the header being line 1."""
        for i, row in enumerate(self.rows(table)):
            if all(row[name] == value for name, value in key.items()):
                return i + 2
        raise LookupError(f"{table} has no row {key}")

    def set(self, table: str, key: dict[str, str], /, **cells: str) -> int:
        """Writes cells into the row with that key and returns its line."""
        line = self.line(table, **key)
        rows = self.rows(table)
        optional = {column.name for column in BY_NAME[table].columns if column.optional}
        assert set(cells) <= set(rows[0]) | optional
        rows[line - 2].update(cells)
        self.write(table, list(dict.fromkeys([*self.header(table), *cells])), rows)
        return line

    def drop(self, table: str, /, **key: str) -> None:
        """Takes out every row with these cells."""
        rows = self.rows(table)
        kept = [row for row in rows if not all(row[name] == value for name, value in key.items())]
        assert len(kept) < len(rows)
        self.write(table, self.header(table), kept)

    def add(self, table: str, /, **cells: str) -> int:
        """Adds a row, its other cells blank and its source made up; returns its line."""
        rows, header = self.rows(table), self.header(table)
        defaults = {"source": "made_up"} if "source" in header and table != "sources" else {}
        rows.append(dict.fromkeys(header, "") | defaults | cells)
        self.write(table, header, rows)
        return len(rows) + 1

    def edit(self, file: str, change: Callable[[bytes], bytes]) -> None:
        path = self.path / file
        content = path.read_bytes()
        changed = change(content)
        assert changed != content
        path.write_bytes(changed)

    def as_parquet(self, table: str) -> Path:
        """Turns the CSV file of a table into Parquet with page checksums, and returns its path."""
        frame = self.rows(table)
        arrays = {}
        header = self.header(table)
        for column in BY_NAME[table].columns:
            if column.name not in header:  # an optional one
                continue
            cells: list[object] = [row[column.name] or None for row in frame]
            if column.kind == "number":
                arrays[column.name] = pa.array([None if c is None else float(str(c)) for c in cells], pa.float64())
            elif column.kind in ("integer", "year"):
                arrays[column.name] = pa.array([None if c is None else int(str(c)) for c in cells], pa.int64())
            elif column.kind == "bool":
                arrays[column.name] = pa.array([c == "true" for c in cells], pa.bool_())
            else:
                arrays[column.name] = pa.array(cells, pa.string())
        path = self.path / f"{table}.parquet"
        pq.write_table(pa.table(arrays), path, compression="zstd", write_page_checksum=True)
        (self.path / f"{table}.csv").unlink()
        return path
