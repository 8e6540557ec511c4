"""Every day of every vehicle as it was driven, with a battery: which work on depot charging, with stops, not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

import numpy as np
import pandas as pd

from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.instance.fleet_sheet import TEMPLATE, write_fleet_sheet
from nbb_opt.instance.read import read_instance, varied
from nbb_opt.instance.trips import Loaded, Trips, homes, lanes_of, loaded_trips, read_trips, sheet_rows, stops
from nbb_opt.instance.wording import did_you_mean, listed
from nbb_opt.model.data.base import range_left
from nbb_opt.model.data.periods import Names
from nbb_opt.report.charts.charts import line_chart
from nbb_opt.report.grid import Cell, Column, Grid, Section, Style
from nbb_opt.report.study import Answer
from nbb_opt.shipped import shipped

AT_DEPOT, AT_STOPS, NOT = "depot", "stops", "no"
ROUNDING_KM = 1e-6
MOST_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Battery:
    """A battery truck in km: what it drives between two charges in winter at the end of its life, with its reserve, and
    what an hour at its depot and at a fast charger gives back."""

    name: str
    usable_km: float
    depot_km_per_h: float
    fast_km_per_h: float


def batteries(instance: Instance, *, depot_kw: float, range_km: float | None = None) -> list[Battery]:
    """The battery trucks of an instance in its first period, or one of the given usable range that takes what the first
    does; `depot_kw` is the power at the depot."""
    vehicles, years = instance["vehicles"], instance["vehicle_years"]
    mine = vehicles[vehicles["charge_kw"].notna() & (vehicles["mode"] == "road")].reset_index(drop=True)
    left = range_left(instance, Names(mine["vehicle"]))
    found = []
    for row, share in zip(mine.to_dict("records"), left.tolist(), strict=True):
        of_year = years[(years["vehicle"] == row["vehicle"])].sort_values("year").iloc[0]
        kwh = row["winter_factor"] * float(of_year[["empty_kwh_per_vkm", "full_kwh_per_vkm"]].mean())
        usable = row["range_km"] / row["winter_factor"] * (1 - row["reserve_share"]) * share
        found.append(Battery(
            name=row["vehicle"], usable_km=usable, depot_km_per_h=min(depot_kw, row["charge_kw"]) / kwh,
            fast_km_per_h=row["charge_kw"] / kwh,
        ))  # fmt: skip
    if range_km is None:
        return found
    one = found[0]
    return [Battery(name=f"battery {range_km:g} km", usable_km=range_km, depot_km_per_h=one.depot_km_per_h,
                    fast_km_per_h=one.fast_km_per_h)]  # fmt: skip


def driven_with(table: pd.DataFrame, depots: Mapping[str, str], battery: Battery, *, break_h: float) -> pd.DataFrame:
    """Each trip with a battery that is full at the first: columns `depot_short_km` and `stops_short_km`, the km
    the battery lacks on that trip, charging at the depot alone and also at other stops of `break_h` hours and more.

    A battery that was empty goes on empty. Where trips are missing in the file nothing is charged.
    """
    before = stops(table)
    stood = dict(zip(before.index.tolist(), zip(before["place"], before["hours"], strict=True), strict=True))
    rows = []
    for vehicle, trips in table.groupby("vehicle", sort=False):
        left = {AT_DEPOT: battery.usable_km, AT_STOPS: battery.usable_km}
        for at, km in zip(trips.index.tolist(), trips["km"].tolist(), strict=True):
            place, hours = stood.get(at, ("", 0.0))
            for how in left:
                if place == depots[str(vehicle)]:
                    left[how] += battery.depot_km_per_h * hours
                elif place and how == AT_STOPS and hours >= break_h:
                    left[how] += battery.fast_km_per_h * hours
                left[how] = min(left[how], battery.usable_km) - km
            short = {how: max(0.0, -km_left - ROUNDING_KM) for how, km_left in left.items()}
            left = {how: max(0.0, km_left) for how, km_left in left.items()}
            rows.append((at, short[AT_DEPOT], short[AT_STOPS]))
    return pd.DataFrame(rows, columns=["at", "depot_short_km", "stops_short_km"]).set_index("at")


def vehicle_days(trips: Trips, depots: Mapping[str, str], trucks: list[Battery], *, break_h: float) -> pd.DataFrame:
    """A row for each vehicle and day with a trip (the day it starts on).

    Columns vehicle, day, depot, trips, stops (away from the depot), km, drive_h, depot_h and away_h (standing before
    the trips of the day), longest_stop_h (away, that day); by battery truck whether the day works (`depot`, `stops` or
    `no`), and the km it lacks with charging at stops too.
    """
    table = trips.table.assign(day=trips.table["start"].dt.strftime("%Y-%m-%d"))
    table["drive_h"] = (table["end"] - table["start"]).dt.total_seconds() / 3600
    before = stops(trips.table).reindex(table.index)
    depot = table["vehicle"].map(dict(depots))
    home = before["place"] == depot
    table["stops"] = (table["destination"] != depot).astype(int)
    same = before["since"].dt.strftime("%Y-%m-%d") == table["day"]
    table["depot_h"] = before["hours"].where(home, 0.0)
    table["away_h"] = before["hours"].where(~home & (before["place"] != ""), 0.0).fillna(0.0)
    table["stop_h"] = table["away_h"].where(same, 0.0)
    figures: dict[str, tuple[str, str]] = {
        "trips": ("km", "size"), "stops": ("stops", "sum"), "km": ("km", "sum"), "drive_h": ("drive_h", "sum"),
        "depot_h": ("depot_h", "sum"), "away_h": ("away_h", "sum"), "longest_stop_h": ("stop_h", "max"),
    }  # fmt: skip
    for truck in trucks:
        short = driven_with(trips.table, depots, truck, break_h=break_h)
        table[[f"{truck.name} {name}" for name in short]] = short
        figures |= {f"{truck.name} {name}": (f"{truck.name} {name}", "sum") for name in short}
    days = table.groupby(["vehicle", "day"]).agg(**figures).reset_index()
    days.insert(2, "depot", days["vehicle"].map(dict(depots)))
    for truck in trucks:
        depot, away = (days.pop(f"{truck.name} {how}_short_km") for how in (AT_DEPOT, AT_STOPS))
        days[truck.name] = np.select([depot == 0, away == 0], [AT_DEPOT, AT_STOPS], NOT)
        days[f"{truck.name}_short_km"] = away
    return days


def duty_cycles(trips: Trips, days: pd.DataFrame, depots: Mapping[str, str], trucks: list[Battery]) -> pd.DataFrame:
    """A row for each vehicle: depot, days, trips a week, km a week, km a day (mean, most), stops a day, hours at the
    depot a week, and by battery truck the share of its days that works on depot charging, and with stops too."""
    by = days.groupby("vehicle")
    table = pd.DataFrame({
        "depot": pd.Series(dict(depots)), "days": by.size(), "trips_per_week": by["trips"].sum() / trips.weeks,
        "km_per_week": by["km"].sum() / trips.weeks, "km_per_day": by["km"].mean(), "most_km_per_day": by["km"].max(),
        "stops_per_day": by["stops"].mean(), "depot_h_per_week": by["depot_h"].sum() / trips.weeks,
    })  # fmt: skip
    for truck in trucks:
        table[f"{truck.name}_depot_share"] = (days[truck.name] == AT_DEPOT).groupby(days["vehicle"]).mean()
        table[f"{truck.name}_with_stops_share"] = (days[truck.name] != NOT).groupby(days["vehicle"]).mean()
    return table.rename_axis("vehicle").reset_index()


def fleet_of_trips(
    export: Path, *, sheet: Path | None, goods: str, loaded: str, range_km: float | None, depot_kw: float,
    break_h: float, most_lanes: int, note: Callable[[str], None] = lambda line: None,
) -> Answer:  # fmt: skip
    """The lanes and duty cycles of an export of trips, each vehicle-day with a battery, and a fleet sheet of them.

    Tables: `days`, `duty`, `lanes` (`in_sheet`: the `most_lanes` with most trips), `left_out`. Raises InstanceError for
    a file without trips and NbbError for goods that are not known and figures that cannot be.
    """
    for name, value in (
        ("range_km", range_km),
        ("depot_kw", depot_kw),
        ("break_h", break_h),
        ("most_lanes", most_lanes),
    ):
        if value is not None and value <= 0:
            raise NbbError(f"{name}={value:g}: give more than zero")
    if loaded not in get_args(Loaded):
        raise NbbError(f"loaded={loaded!r}: give one of {listed(get_args(Loaded), 9)}")
    template = read_instance(shipped("instances") / TEMPLATE)
    known = [str(each).lower() for each in template["commodities"]["commodity"]]
    if goods.lower() not in known:
        hint = did_you_mean(goods, known) or f"one of {listed(known, 99)}"
        raise NbbError(f"goods={goods!r} is no kind of goods ({hint})")
    which, trips = cast(Loaded, loaded), read_trips(export, note)
    written = {text: text.lower() for text in trips.table["goods"].unique() if text.lower() in known}
    strange = sorted(set(trips.table["goods"]) - set(written) - {""})
    if strange:
        note(f"goods counted as {goods}: {listed(strange, 20)}")
    depots = homes(trips.table)
    lanes = lanes_of(trips, depots, loaded=which, goods={"": goods, **written})
    lanes["in_sheet"] = _in_sheet(lanes, set(depots.values()), most_lanes)
    trucks = batteries(template, depot_kw=depot_kw, range_km=range_km)
    days = vehicle_days(trips, depots, trucks, break_h=break_h)
    duty = duty_cycles(trips, days, depots, trucks)
    if sheet is not None:
        write_fleet_sheet(sheet, sheet_rows(trips, depots, lanes[lanes["in_sheet"]]))
    return Answer(
        instance=varied(template, {}, title=f"Trips of {export.name}"), name="trips", title="What the trucks do",
        description=f"{len(trips.table)} trips of {export.name}, {len(trips.left_out)} rows left out.",
        sentences=_sentences(trips, days, duty, lanes, trucks, depots, which, break_h, goods),
        tables={"days": days, "duty": duty, "lanes": lanes, "left_out": trips.left_out},
        figures={"file": export.name, "trips": len(trips.table), "weeks": trips.weeks, "depots": depots,
                 "usable_km": {truck.name: truck.usable_km for truck in trucks}},
        shown=[duty, trips.left_out.head(20)], sections=_sections,
    )  # fmt: skip


def _in_sheet(lanes: pd.DataFrame, depots: set[str], most: int) -> np.ndarray:
    """The lanes with most trips, and of the others the roads that join places of those."""
    chosen = (np.arange(len(lanes)) < most) & (lanes["trips"] > 0).to_numpy()
    ends = list(zip(lanes["origin"], lanes["destination"], strict=True))
    places = depots.union(*(pair for pair, mine in zip(ends, chosen.tolist(), strict=True) if mine))
    group = {place: {place} for place in places}
    for i in [*np.flatnonzero(chosen).tolist(), *np.flatnonzero(~chosen).tolist()]:
        a, b = ends[i]
        if a in places and b in places and group[a] is not group[b]:
            chosen[i] = True
            joined = group[a] | group[b]
            group.update(dict.fromkeys(joined, joined))
    return chosen


def _sentences(
    trips: Trips, days: pd.DataFrame, duty: pd.DataFrame, lanes: pd.DataFrame, trucks: list[Battery],
    depots: Mapping[str, str], loaded: Loaded, break_h: float, goods: str,
) -> list[str]:  # fmt: skip
    table, left = trips.table, trips.left_out
    words = [
        f"{len(table)} trips of {len(duty)} vehicles in {trips.weeks:.1f} weeks from {len(set(depots.values()))} "
        f"depots: {table['km'].sum():,.0f} km, {len(days)} vehicle-days of {days['km'].mean():.0f} km, at most "
        f"{days['km'].max():.0f}."
    ]
    for truck in trucks:
        share = {how: float((days[truck.name] == how).mean()) for how in (AT_DEPOT, AT_STOPS, NOT)}
        words.append(
            f"{truck.name} ({truck.usable_km:.0f} usable km) can do {100 * share[AT_DEPOT]:.0f} % of the days charging "
            f"at the depot, {100 * share[AT_STOPS]:.0f} % more with fast chargers at stops of {break_h:g} h and more; "
            f"{100 * share[NOT]:.0f} % not."
        )
    best = max(trucks, key=lambda truck: truck.usable_km).name
    cannot = days[days[best] == NOT].sort_values(f"{best}_short_km", ascending=False)
    for row in cannot.head(MOST_NAMED).to_dict("records"):
        stop = f"{row['longest_stop_h']:.1f} h is its longest stop" if row["longest_stop_h"] else "it makes no stop"
        words.append(
            f"{row['vehicle']} on {row['day']}: {row['km']:.0f} km, {row[f'{best}_short_km']:.0f} km too far for {best}"
            f"; {stop}."
        )
    if len(cannot) > MOST_NAMED:
        words.append(f"{len(cannot) - MOST_NAMED} more such days are in the table days.")
    if len(left):
        kinds = left["reason"].str.partition(":")[0].value_counts()
        words.append(
            f"{len(left)} rows are left out, each named in left_out: "
            + ", ".join(f"{count} {kind}" for kind, count in kinds.items())
            + "."
        )
    gaps = int((stops(table)["place"] == "").sum())
    if gaps:
        words.append(f"{gaps} trips start elsewhere than the one before ended: trips are missing in the file.")
    circular = table["origin"] == table["destination"]
    if circular.any():
        words.append(f"{int(circular.sum())} trips end where they began: they count in the days, and are no lanes.")
    empty = int((~loaded_trips(trips, depots, loaded)).sum())
    how = {"out": "those home to the depot are taken to be empty",
           "back": "those away from the depot are taken to be empty",
           "all": "all are taken to be loaded"}[loaded]  # fmt: skip
    words.append(
        f"The file tells the load: {empty} trips are empty." if trips.has_load
        else f"The file does not tell the load: {how} ({empty} trips), the goods are {goods}."
    )  # fmt: skip
    out = lanes[~lanes["in_sheet"]]
    if len(out):
        words.append(f"{len(out)} lanes with {out['trips'].sum()} trips are not in the sheet: those with fewest trips.")
    return words


def _sections(found: Answer) -> list[Section]:
    days, duty = found.days, found.duty
    km = np.sort(days["km"].to_numpy(float))[::-1]
    share = 100 * (np.arange(len(km)) + 1) / len(km)
    some = np.unique(np.linspace(0, len(km) - 1, min(len(km), 60)).astype(int))
    points = [(float(share[i]), float(km[i])) for i in some]
    drawing = None
    if len(points) > 1:
        ranges = {
            name: [(points[0][0], usable), (100.0, usable)] for name, usable in found.figures["usable_km"].items()
        }
        drawing = line_chart(
            points, across="% of vehicle-days", up="km", key="days", name="km of the day", others=ranges
        )

    def grid(caption: str, frame: pd.DataFrame) -> Grid:
        styles: dict[str, Style] = {"f": "number", "i": "count", "u": "count"}
        columns = [
            Column(str(name).replace("_", " "), styles.get(kind.kind, "text")) for name, kind in frame.dtypes.items()
        ]
        rows: list[list[Cell]] = [
            [None if isinstance(cell, float) and cell != cell else ("yes" if cell else "no") if isinstance(cell, bool)
             else cell for cell in row] for row in frame.itertuples(index=False)
        ]  # fmt: skip
        return Grid(caption, columns, rows)

    usable_km = found.figures["usable_km"]
    last = max(usable_km, key=usable_km.__getitem__)
    hard = days[days[last] == NOT].sort_values("km", ascending=False)
    return [
        Section("Days by km", "A day left of where its line crosses a range needs charging on the way.",
                [grid("Days that cannot be driven with the battery of longest range", hard)], drawing),
        Section("Duty cycles", "Of the days of the file; hours at the depot are from the first trip to the last.",
                [grid("Vehicles", duty)]),
        Section("Lanes", "Trips a week, and the length that counts for both ways: the median.",
                [grid("Lanes", found.lanes)]),
        Section("Rows left out", "Each with its row in the file.", [grid("Left out", found.left_out)]),
    ]  # fmt: skip
