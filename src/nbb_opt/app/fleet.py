"""What the app does for a haulier who has no instance yet: a lane's cost, a small fleet from a form, trips."""

from __future__ import annotations

import csv
import io
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from nbb_opt.app.answers import as_plain
from nbb_opt.app.store import NotFound, Refused, Store, new_id, plain, read_json, shown_name, write_bytes
from nbb_opt.errors import InstanceError, NbbError
from nbb_opt.instance import Instance
from nbb_opt.instance.fleet_sheet import (
    DEPOT,
    FLEET,
    LANE,
    TONNES_A_WEEK,
    TONNES_A_YEAR,
    TRIPS,
    TRUCK,
    Roads,
    fleet_instance,
)
from nbb_opt.report.study import Answer
from nbb_opt.run_folder import json_bytes
from nbb_opt.studies.audit.one_truck import KWH_PER_LITRE, battery_price, one_lane, truck_cost, with_prices
from nbb_opt.studies.audit.vehicle_days import fleet_of_trips

GOODS = ("general", "timber", "sawn", "ore", "conc")
# name in the address -> phrase, unit, lowest, highest, step, decimals of the slider
SLIDERS: dict[str, tuple[str, str, float, float, float, int]] = {
    "electricity": ("Price of electricity", "EUR/kWh", 0.02, 0.5, 0.005, 3),
    "diesel": ("Price of diesel", "EUR/l", 0.5, 3.0, 0.01, 2),
    "km_per_year": ("Km a truck drives in a year", "km", 20_000, 250_000, 1_000, 0),
    "battery": ("Price of the battery", "EUR/kWh", 50, 600, 5, 0),
    "subsidy": ("Subsidy for a battery or hydrogen truck", "EUR", 0, 150_000, 1_000, 0),
}  # fmt: skip
# the tables of the form -> their columns, which are those of the fleet sheet
FORM: dict[str, tuple[str, ...]] = {
    DEPOT: ("place", "number"),
    TRUCK: ("place", "type", "number", "year"),
    LANE: ("place", "to", "type", "number", "unit", "km"),
}
UNITS = (TRIPS, TONNES_A_WEEK, TONNES_A_YEAR)
FUELS = ("diesel", "hvo", "battery", "hydrogen")
MOST_FORM_ROWS = 500
FIRST_LANE = {"origin": "Boden", "destination": "Luleå"}
_ONE_AT_A_TIME = threading.Lock()  # compiled kernels share their threads


@cache
def places() -> list[str]:
    """Names of the places that are known, in the order of the alphabet."""
    return sorted(str(name) for name in Roads.read().nodes["name"].unique())


_lane = lru_cache(maxsize=16)(one_lane)


def present(lane: Instance) -> dict[str, float]:
    """Where the sliders stand for the shipped figures of the first period and the country of the depot."""
    year, country = lane.periods[0].year, lane["fleet_regions"]["country"].iloc[0]
    energy = lane["energy"]
    here = energy[(energy["year"] == year) & (energy["country"] == country)]
    price = dict(zip(here["energy_carrier"], here["price_eur_per_kwh"], strict=True))
    km = dict(zip(lane["vehicles"]["vehicle"], lane["vehicles"]["annual_km"], strict=True))
    return {
        "electricity": float(price["electricity"]), "diesel": float(price["diesel"]) * KWH_PER_LITRE,
        "km_per_year": float(km["DIESEL"]), "battery": battery_price(lane), "subsidy": 0.0,
    }  # fmt: skip


def lane_of(origin: str, destination: str, *, km: float | None, goods: str) -> Instance:
    """A lane with the shipped figures. Raises InstanceError for goods and places that are not known."""
    with _ONE_AT_A_TIME:
        return _lane(origin, destination, km=km, goods=goods)


def lane_cost(lane: Instance, *, against: str, moved: Mapping[str, float]) -> Answer:
    """What each kind of truck costs on a lane with the sliders that were moved. Raises NbbError for a truck to compare
    with that cannot drive there, and for prices that cannot be."""
    subsidy_eur, battery = moved.get("subsidy", 0.0), moved.get("battery")
    with _ONE_AT_A_TIME:
        region = with_prices(
            lane, electricity_eur_per_kwh=moved.get("electricity"), diesel_eur_per_l=moved.get("diesel"),
            km_per_year=moved.get("km_per_year"), battery_eur_per_kwh=battery, subsidy_eur=subsidy_eur,
        )  # fmt: skip
        price = battery_price(lane) if battery is None else battery
        return truck_cost(region, against=against, subsidy_eur=subsidy_eur, battery_eur_per_kwh=price)


def trucks_of(instance: Instance) -> list[str]:
    """The trucks of an instance."""
    vehicles = instance["vehicles"]
    return vehicles.loc[vehicles["mode"] == "road", "vehicle"].tolist()


def asked_of(query: Mapping[str, str]) -> dict[str, Any]:
    """What an address asks about a lane; figures with a decimal comma or point. Raises NbbError for what is none."""

    def figure(name: str) -> float | None:
        text = query.get(name, "").strip().replace(",", ".")
        try:
            value = float(text) if text else None
        except ValueError as error:
            raise NbbError(f"{name}: {text[:40]!r} is not a number") from error
        if value is not None and not 0 <= value < 1e9:
            raise NbbError(f"{name}: {text[:40]!r} is below zero or too great")
        return value

    moved = {name: value for name in SLIDERS if (value := figure(name)) is not None}
    ends = {name: query.get(name, "").strip() or first for name, first in FIRST_LANE.items()}
    lane = {**ends, "km": figure("km") or None, "goods": query.get("goods") or GOODS[0]}
    return {"lane": lane, "against": query.get("against") or "DIESEL", "moved": moved}


Rows = Mapping[str, Sequence[Sequence[str]]]


def fleet_of_form(rows: Rows, target: Path, title: str) -> list[str]:
    """Write the instance of a form to the new folder `target`, as `new_fleet` makes it of a sheet; gives what was
    assumed. `rows` are those of each table of `FORM`. Raises InstanceError with every cell at fault."""
    lines = [(what, row) for what, columns in FORM.items() for row in rows.get(what, ()) if any(map(str.strip, row))]
    notes: list[str] = []
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".form-") as folder:
        sheet = Path(folder, "fleet.csv")
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([column.name for column in FLEET.columns])
        for what, row in lines:
            cells = {"what": what, **dict(zip(FORM[what], (" ".join(cell.split()) for cell in row), strict=True))}
            writer.writerow([cells.get(column.name, "") for column in FLEET.columns])
        sheet.write_text(text.getvalue(), encoding="utf-8")
        fleet_instance(sheet, target, title=title, note=notes.append)
    return notes


def cells_at_fault(error: InstanceError, rows: Rows) -> list[dict[str, Any]]:
    """The problems of a form by table, row and column of it, None where they are about no row."""
    lines = [(what, at) for what in FORM for at, row in enumerate(rows.get(what, ())) if any(map(str.strip, row))]
    found = []
    for problem in error.problems:
        place = re.search(r" row (\d+)(?:, column (\w+))?", problem.where)
        at = int(place[1]) - 2 if place else -1
        what, row = lines[at] if 0 <= at < len(lines) else (None, None)
        found.append({"table": what, "row": row, "columns": [place[2]] if place and place[2] else [],
                      "what": problem.what, "hint": problem.hint})  # fmt: skip
    return found


class TripFiles:
    """Exports of trips that were brought along, and what was read of them: WORK/trips/ID."""

    def __init__(self, store: Store) -> None:
        self.home = store.folder / "trips"

    def add(self, content: bytes, name: str, *, goods: str, loaded: str) -> str:
        """Read an export; all of it or nothing. Raises what `fleet_trips` raises."""
        ending = Path(name).suffix.lower()
        if ending not in (".csv", ".xlsx", ".txt"):
            raise Refused("Give an export of trips as .csv, .txt or .xlsx.")
        self.home.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.home, prefix=".part-") as work:
            folder = Path(work, "trips")
            folder.mkdir()
            export, notes = Path(work, f"trips{ending}"), list[str]()
            export.write_bytes(content)
            found = fleet_of_trips(
                export, sheet=folder / "fleet.csv", goods=goods, loaded=loaded, range_km=None, depot_kw=75.0,
                break_h=0.75, most_lanes=60, note=notes.append,
            )  # fmt: skip
            kept = {**as_plain(found), "file": shown_name(name), "made_s": time.time(), "notes": notes}
            write_bytes(folder / "trips.json", json_bytes(kept))
            new = new_id("trips")
            folder.replace(self.home / new)
        return new

    def all(self) -> list[dict[str, Any]]:
        """File name and time of every export, the last one first."""
        kept = [{**self.get(file.parent.name), "id": file.parent.name} for file in self.home.glob("[a-z]*/trips.json")]
        return sorted(kept, key=lambda each: -float(each["made_s"]))

    def get(self, trips: str) -> dict[str, Any]:
        file = self.home / plain(trips) / "trips.json"
        if not file.is_file():
            raise NotFound("These trips are not in the work folder any more.")
        return read_json(file, "title", "sentences", "sections", "file", "made_s", "notes")

    def rows(self, trips: str) -> dict[str, list[list[str]]]:
        """The fleet sheet of an export as rows of the form."""
        self.get(trips)
        found: dict[str, list[list[str]]] = {what: [] for what in FORM}
        text = (self.home / plain(trips) / "fleet.csv").read_text(encoding="utf-8-sig")
        for row in csv.DictReader(io.StringIO(text, newline="")):
            found[row["what"]].append([row.get(name) or "" for name in FORM[row["what"]]])
        return found

    def delete(self, trips: str) -> None:
        """Take an export out of the list; it is kept under `deleted` of the work folder."""
        self.get(trips)
        aside = self.home.parent / "deleted"
        aside.mkdir(exist_ok=True)
        shutil.move(self.home / plain(trips), aside / plain(trips))
