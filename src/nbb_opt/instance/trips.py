"""Trips of a tachograph or telematics export, in the usual dialects, and the lanes and depots that they make up."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.fleet_sheet import DEPOT, LANE, TONNES_A_WEEK, TRIPS, TRUCK, Row
from nbb_opt.instance.schema import Column
from nbb_opt.instance.tables.one_table import plain_number, typed_grid
from nbb_opt.instance.wording import did_you_mean, listed, shown

# What a column may be called: English, Swedish, Norwegian, Finnish, German; compared without accents, signs and case.
NAMES: Mapping[str, tuple[str, ...]] = {
    "vehicle": (
        "vehicle", "truck", "registration", "reg no", "licence plate", "fordon", "bil", "regnr", "registreringsnummer",
        "kjøretøy", "ajoneuvo", "rekisterinumero", "rekisteritunnus", "fahrzeug", "kennzeichen", "vehicle id",
    ),
    "start": (
        "start", "start time", "departure", "begin", "starttid", "avgång", "avgångstid", "avgang", "starttidspunkt",
        "alkuaika", "lähtöaika", "lähtö", "abfahrt", "startzeit", "from time", "start datetime",
    ),
    "end": (
        "end", "end time", "arrival", "stop time", "sluttid", "ankomst", "ankomsttid", "slut", "slutt", "sluttidspunkt",
        "loppuaika", "saapumisaika", "saapuminen", "ankunft", "endzeit", "to time", "end datetime",
    ),
    "date": ("date", "day", "datum", "dato", "päivä", "päivämäärä", "pvm", "tag"),
    "km": (
        "km", "distance", "distance km", "sträcka", "körsträcka", "sträcka km", "strekning", "distanse", "kjørelengde",
        "matka", "ajomatka", "matka km", "strecke", "kilometer", "mileage km", "distance m", "sträcka m", "mil",
    ),
    "from": (
        "from", "origin", "start place", "start location", "start address", "från", "startplats", "startadress", "fra",
        "startsted", "mistä", "lähtöpaikka", "von", "startort", "place", "from place",
    ),
    "to": (
        "to", "destination", "end place", "end location", "end address", "stop place", "till", "slutplats",
        "slutadress", "til", "sluttsted", "minne", "mihin", "määränpää", "nach", "zielort", "to place",
    ),
    "load": ("load", "tonnes", "load t", "weight t", "weight kg", "vikt", "vikt kg", "lastvikt", "last", "vekt",
             "kuorma", "paino", "paino kg", "gewicht", "gewicht kg", "ton", "tonn", "tonnia"),
    "goods": ("goods", "commodity", "cargo", "gods", "varuslag", "varetype", "tavara", "tavaralaji", "ware"),
}  # fmt: skip
NEEDED = ("vehicle", "start", "end", "km", "from", "to")
FASTEST_KM_PER_H, LONGEST_H = 110.0, 24.0  # of a whole trip: more is a fault of the export
Loaded = Literal["out", "back", "all"]
LEFT_OUT = ["row", "vehicle", "start", "reason"]
_KM, _T = (Column(name, "number", "") for name in ("km", "load"))


@dataclass(frozen=True, kw_only=True)
class Trips:
    """Trips by vehicle and time, and the rows that were left out with their reason.

    `table` has row (of the file), vehicle, start, end, km, origin, destination, load_t and goods (NaN and blank where
    the file has no such column); `left_out` row, vehicle, start and reason (kind: detail). `has_load`: whether
    the file tells the load.
    """

    file: str
    table: pd.DataFrame
    left_out: pd.DataFrame
    has_load: bool

    @property
    def weeks(self) -> float:
        """Weeks from the first day to the last, 1 at least."""
        days = self.table["end"].max().normalize() - self.table["start"].min().normalize()
        return max(1.0, (days.days + 1) / 7)


def read_trips(path: Path, note: Callable[[str], None] = lambda line: None) -> Trips:
    """The trips of a CSV file or workbook. Rows that cannot be right are left out, each with its reason.

    `note` hears of columns and sheets left alone. Raises InstanceError for a file without the columns that are needed,
    or without a trip.
    """
    place, grid, separator = typed_grid(path, note)
    header, columns, scale = _header(place, grid, note)
    rows, left = [], []
    for at in range(header + 1, max(grid) + 1):
        cells = {name: grid[at][i].text.strip() for name, i in columns.items() if i in grid[at]} if at in grid else {}
        if not cells:
            continue
        row = _trip(cells, scale, comma=separator == ";")
        if isinstance(row, str):
            left.append(
                (at + 1, cells.get("vehicle", ""), f"{cells.get('date', '')} {cells.get('start', '')}".strip(), row)
            )
        else:
            rows.append({"row": at + 1, **row})
    names = ["row", "vehicle", "start", "end", "km", "origin", "destination", "load_t", "goods"]
    table = pd.DataFrame(rows, columns=names).sort_values(["vehicle", "start", "row"], ignore_index=True)
    good = []
    before: dict = {}
    for trip in table.to_dict("records"):
        if before and trip["vehicle"] == before["vehicle"] and trip["start"] < before["end"]:
            same = all(trip[name] == before[name] for name in ("start", "end", "origin", "destination"))
            why = f"twice: row {before['row']}" if same else f"overlaps: row {before['row']} of the vehicle"
            left.append((trip["row"], trip["vehicle"], f"{trip['start']:%Y-%m-%d %H:%M}", why))
        else:
            good.append(trip)
            before = trip
    if not good:
        first = f"; row {left[0][0]}: {left[0][3]}" if left else ""
        raise InstanceError(
            [Problem(place, f"has no trip that can be read{first}", "see the rows of the file", "trips")]
        )
    table = pd.DataFrame(good, columns=names)
    for end in ("origin", "destination"):  # one spelling of a place: that of its first trip
        spelt = {name.casefold(): name for name in reversed([*table["origin"], *table["destination"]])}
        table[end] = [spelt[name.casefold()] for name in table[end]]
    left_out = pd.DataFrame(sorted(left), columns=LEFT_OUT)
    return Trips(file=path.name, table=table, left_out=left_out, has_load="load" in columns)


def _bare(text: str) -> str:
    """A heading without accents, signs, case.

    >>> _bare("Körsträcka (km)"), _bare("REG.NR")
    ('korstracka km', 'regnr')
    """
    text = text.casefold().replace("ø", "o").replace("æ", "a")
    letters = "".join(c for c in unicodedata.normalize("NFKD", text.replace(".", "")) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", " ", letters).strip()


def _header(
    place: str, grid: Mapping[int, Mapping], note: Callable[[str], None]
) -> tuple[int, dict[str, int], dict[str, float]]:
    """Row of the header, the place of each column, and what its figures are multiplied by."""
    known = {_bare(word): name for name, words in NAMES.items() for word in words}

    def found(row: int) -> dict[str, int]:
        places: dict[str, int] = {}
        for at, cell in grid[row].items():
            heading = _bare(cell.text)
            name = known.get(heading) or known.get(re.sub(r" (km|mil|m|t|kg)$", "", heading))
            if name and name not in places:
                places[name] = at
        return places

    rows = sorted(grid)[:30]
    header = max(rows, key=lambda row: len(found(row)), default=None)
    if header is None:
        raise InstanceError([Problem(place, "is empty", "give an export of trips", "trips")])
    columns = found(header)
    alone = {cell.text.strip(): at for at, cell in grid[header].items() if at not in columns.values()}
    problems = []
    for name in NEEDED:
        if name not in columns:
            words = [each for each in alone if did_you_mean(_bare(each), [_bare(word) for word in NAMES[name]])]
            hint = f"did you mean {shown(words[0])}? Call it {name}" if words else f"call it {listed(NAMES[name], 5)}"
            problems.append(Problem(f"{place} row {header + 1}", f"has no column {name}", hint, "header"))
    if problems:
        raise InstanceError(problems)
    if alone:
        note(f"columns left alone: {listed(alone, 99)}")
    unit = {name: _bare(grid[header][at].text).split() for name, at in columns.items()}
    scale = {"km": 10.0 if unit["km"][-1] == "mil" else 1e-3 if unit["km"][-1] == "m" else 1.0,
             "load": 1e-3 if unit.get("load", [""])[-1] == "kg" else 1.0}  # fmt: skip
    return header, columns, scale


def _trip(cells: Mapping[str, str], scale: Mapping[str, float], *, comma: bool) -> dict | str:
    """A trip, or why the row is none."""
    for name in ("vehicle", "start", "end", "km"):
        if not cells.get(name):
            return f"blank: {name}"
    times = {name: moment(cells[name], cells.get("date", "")) for name in ("start", "end")}
    for name, time in times.items():
        if time is None:
            return f"no time: {name} {shown(cells[name])}"
    start, end = times["start"], times["end"]
    assert start is not None
    assert end is not None
    if end < start and _only_time(cells["end"]):
        end += datetime.timedelta(days=1)
    km, load = number_of(cells["km"], _KM, comma=comma), number_of(cells.get("load", ""), _T, comma=comma)
    places = {
        end_: re.sub(r"\s+", " ", re.sub(r'[;/*">:]', " ", cells.get(end_, ""))).strip(" =+-@")
        for end_ in ("from", "to")
    }
    hours = (end - start).total_seconds() / 3600
    if km is None:
        return f"no number: km {shown(cells['km'])}"
    if load is None:
        return f"no number: load {shown(cells['load'])}"
    km, load = km * scale["km"], load * scale["load"]
    if end <= start:
        return "ends before it starts" if end < start else "ends when it starts"
    if km <= 0:
        return f"did not move: {km:g} km"
    if load < 0:
        return f"below zero: load {load:g} t"
    if hours > LONGEST_H:
        return f"too long: {hours:.0f} hours"
    if km / hours > FASTEST_KM_PER_H:
        return f"too fast: {km:g} km in {hours:.2f} hours, {km / hours:.0f} km/h"
    for name, text in places.items():
        if not text:
            return f"blank: {name}"
    return {
        "vehicle": re.sub(r"\s+", " ", cells["vehicle"]).upper(), "start": start, "end": end, "km": km,
        "origin": places["from"], "destination": places["to"], "load_t": load, "goods": cells.get("goods", ""),
    }  # fmt: skip


def number_of(text: str, column: Column, *, comma: bool) -> float | None:
    """A figure as people type it, NaN for a blank one; None for what is none. `comma`: commas are of decimals.

    >>> number = Column("km", "number", "")
    >>> [number_of(text, number, comma=True) for text in ("12,345", "1 234,5", "12.5", "far")]
    [12.345, 1234.5, 12.5, None]
    >>> number_of("12,345", number, comma=False) is None  # a thousand or a decimal
    True
    """
    if not text:
        return float("nan")
    text = re.sub(r"\s*(km|mil|m|t|kg)$", "", text.strip(), flags=re.IGNORECASE)
    if comma and re.fullmatch(r"-?\d+,\d+", text):
        text = text.replace(",", ".")
    try:
        value = float(plain_number(text, column))
    except ValueError:
        return None
    return value if np.isfinite(value) else None


_DAY = re.compile(r"(?:(\d{4})[-./](\d{1,2})[-./](\d{1,2})|(\d{1,2})[-./](\d{1,2})[-./](\d{4})|(\d{4})(\d\d)(\d\d))")
_TIME = re.compile(r"(\d{1,2})[:.](\d\d)(?:[:.](\d\d)(?:[.,]\d+)?)?")


def moment(text: str, day: str = "") -> datetime.datetime | None:
    """A time as exports write it, of `day` where it has none; None for what is none. A day comes before its month.

    >>> [str(moment(text)) for text in ("2026-03-02T06:15:00Z", "2.3.2026 6.15", "02/03/2026 06:15", "20260302 0615")]
    ['2026-03-02 06:15:00', '2026-03-02 06:15:00', '2026-03-02 06:15:00', 'None']
    >>> str(moment("06:15", "2026-03-02")), moment("06:15"), moment("03/22/2026 06:15")
    ('2026-03-02 06:15:00', None, None)
    """
    text = re.sub(r"(Z|[+-]\d\d:?\d\d)$", "", text.strip()).strip() if _DAY.match(text.strip()) else text.strip()
    found = _DAY.match(text)
    rest = re.sub(r"^(T|kl\.?|klo|,|\s)+", "", text[found.end() :]) if found else text
    found = found or _DAY.match(day.strip())
    clock = _TIME.fullmatch(rest)
    if found is None or clock is None:
        return None
    parts = [int(part) for part in found.groups() if part]
    year, month, date = parts if parts[0] > 31 else parts[::-1]
    hour, minute, second = (int(part or 0) for part in clock.groups())
    try:
        return datetime.datetime(year, month, date, hour, minute, second)
    except ValueError:
        return None


def _only_time(text: str) -> bool:
    return _DAY.match(text.strip()) is None


def stops(table: pd.DataFrame) -> pd.DataFrame:
    """Where and how long each vehicle stands before each of its trips but the first: vehicle, place, hours, since.

    `place` is blank where a trip starts elsewhere than the one before ended: trips are missing there.
    """
    after = table.groupby("vehicle")[["end", "destination"]].shift()
    hours = (table["start"] - after["end"]).dt.total_seconds() / 3600
    place = after["destination"].where(after["destination"] == table["origin"], "")
    found = pd.DataFrame({"vehicle": table["vehicle"], "place": place, "hours": hours, "since": after["end"]})
    return found[hours.notna()]


def homes(table: pd.DataFrame) -> dict[str, str]:
    """The depot of each vehicle: the place where it stands longest; without a stop where its first trip begins."""
    found = table.groupby("vehicle")["origin"].first().to_dict()
    stood = stops(table)
    hours = stood[stood["place"] != ""].groupby(["vehicle", "place"])["hours"].sum().sort_values(kind="stable")
    found |= dict(hours.index.tolist())  # the longest comes last
    return {str(vehicle): str(place) for vehicle, place in found.items()}


def loaded_trips(trips: Trips, depots: Mapping[str, str], loaded: Loaded) -> pd.Series:
    """Whether each trip carries freight: what the file says; else all, or those `out` (all but home to the depot), or
    those `back` (all but away from it)."""
    table = trips.table
    if trips.has_load:
        return table["load_t"] > 0
    home = table["vehicle"].map(dict(depots))
    empty = {"out": table["destination"] == home, "back": table["origin"] == home, "all": home == ""}[loaded]
    return ~empty


def lanes_of(trips: Trips, depots: Mapping[str, str], *, loaded: Loaded, goods: Mapping[str, str]) -> pd.DataFrame:
    """A row for each lane and goods: origin, destination, goods, trips, trips_per_week, t_per_week (NaN if the file
    does not tell), km (one length for both ways). `goods` gives the goods of the instance by what the file writes.
    """
    table = trips.table.assign(loaded=loaded_trips(trips, depots, loaded))
    table["goods"] = [goods.get(text, goods[""]) for text in table["goods"]]
    ends = [tuple(sorted(pair)) for pair in zip(table["origin"], table["destination"], strict=True)]
    km = table["km"].groupby(pd.Series(ends, index=table.index)).transform("median").round(1).clip(lower=0.1)
    table = table.assign(km=km)[table["origin"] != table["destination"]]
    found = table[table["loaded"]].groupby(["origin", "destination", "goods"]).agg(
        trips=("km", "size"), t_per_week=("load_t", "sum"), km=("km", "first")
    ).reset_index()  # fmt: skip
    found["t_per_week"] = found["t_per_week"] / trips.weeks if trips.has_load else np.nan
    found.insert(4, "trips_per_week", found["trips"] / trips.weeks)
    known = {frozenset(pair) for pair in zip(found["origin"], found["destination"], strict=True)}
    empty = table[~table["loaded"]].groupby(["origin", "destination"])["km"].first().reset_index()
    for row in empty.to_dict("records"):  # a road that is driven empty only is a lane without freight
        pair = frozenset((row["origin"], row["destination"]))
        if pair not in known:
            known.add(pair)
            found.loc[len(found)] = {**row, "goods": goods[""], "trips": 0, "trips_per_week": 0.0, "t_per_week": 0.0}
    return found.sort_values(["trips", "origin", "destination"], ascending=[False, True, True], ignore_index=True)


def sheet_rows(trips: Trips, depots: Mapping[str, str], lanes: pd.DataFrame, *, fuel: str = "diesel") -> list[Row]:
    """The rows of a fleet sheet: depots, a row for each vehicle, lanes."""
    blank = float("nan")
    rows: list[Row] = [(DEPOT, place, "", "", blank, "", blank, blank, "kW not known: 500 are assumed")
                       for place in sorted(set(depots.values()))]  # fmt: skip
    rows += [(TRUCK, place, "", fuel, 1.0, "", blank, blank, vehicle) for vehicle, place in sorted(depots.items())]
    for lane in lanes.to_dict("records"):
        weighed = trips.has_load and lane["trips"] > 0
        number, unit = (lane["t_per_week"], TONNES_A_WEEK) if weighed else (lane["trips_per_week"], TRIPS)
        note = f"{lane['trips']} trips in {trips.weeks:.1f} weeks" if lane["trips"] else "driven empty only"
        rows.append((LANE, lane["origin"], lane["destination"], lane["goods"], round(number, 4), unit, lane["km"],
                     blank, note))  # fmt: skip
    return rows
