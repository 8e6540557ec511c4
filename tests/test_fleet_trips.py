"""An export of trips: its dialects, rows left out by name, lanes and depots, and each day with a battery by hand."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

import nbb_opt as nbb
from nbb_opt.cli.main import app
from nbb_opt.errors import InstanceError, NbbError
from nbb_opt.instance.read import demand_of
from nbb_opt.instance.trips import homes, read_trips
from nbb_opt.studies.audit.vehicle_days import Battery, driven_with

SWEDISH = "Fordon;Datum;Avgång;Ankomst;Körsträcka (km);Från;Till;Förare"


def trip(vehicle: str, day: str, times: str, km: str, ends: str) -> str:
    start, end = times.split("-")
    origin, destination = ends.split(">")
    return f"{vehicle};{day};{start};{end};{km};{origin};{destination};Eva"


WEEK = [
    line
    for day in ("2.3.2026", "3.3.2026", "4.3.2026", "5.3.2026", "6.3.2026")
    for line in (
        trip("abc 123", day, "06:00-08:00", "134,0", "Umeå>Skellefteå"),
        trip("ABC 123", day, "09:00-11:00", "134,2", "Skellefteå>umeå"),
        trip("DEF456", day, "06:00-07:00", "60", "Our yard>Sawmill"),
        trip("DEF456", day, "07:30-08:30", "60", "Sawmill>Our yard"),
    )
]
LONG = [  # 540 km without a stop of three quarters of an hour
    trip("ABC 123", "7.3.2026", "05:00-09:00", "270", "Umeå>Luleå"),
    trip("ABC 123", "7.3.2026", "09:20-13:20", "270", "Luleå>Umeå"),
]
BAD = {
    trip("ABC 123", "32.3.2026", "06:00-08:00", "134", "Umeå>Skellefteå"): "no time: start '06:00'",
    trip("ABC 123", "8.3.2026", "06:00-08:00", "far", "Umeå>Skellefteå"): "no number: km 'far'",
    trip("ABC 123", "8.3.2026", "06:00-07:00", "134", "Umeå>Skellefteå"): "too fast: 134 km in 1.00 hours, 134 km/h",
    trip("ABC 123", "8.3.2026", "06:00-08:00", "0", "Umeå>Umeå"): "did not move: 0 km",
    trip("ABC 123", "8.3.2026", "06:00-08:00", "134", "Umeå>"): "blank: to",
    trip("", "8.3.2026", "06:00-08:00", "134", "Umeå>Skellefteå"): "blank: vehicle",
    trip("ABC 123", "8.3.2026", "06:00-06:00", "134", "Umeå>Skellefteå"): "ends when it starts",
    WEEK[0]: "twice: row 2",
    trip("DEF456", "2.3.2026", "06:30-07:15", "20", "Our yard>Sawmill"): "overlaps: row 4 of the vehicle",
}


def export(folder: Path, *lines: str, header: str = SWEDISH, encoding: str = "cp1252") -> Path:
    path = folder / "export.csv"
    path.write_bytes("\r\n".join([header, *lines]).encode(encoding))
    return path


def test_rows_that_cannot_be_right_are_left_out_each_by_its_name(tmp_path: Path) -> None:
    told: list[str] = []
    trips = read_trips(export(tmp_path, *WEEK, *LONG, *BAD), told.append)
    assert len(trips.table) == len(WEEK) + len(LONG)
    first = 2 + len(WEEK) + len(LONG)
    assert dict(zip(trips.left_out["row"], trips.left_out["reason"], strict=True)) == dict(
        enumerate(BAD.values(), start=first)
    )
    assert told == ["export.csv is read as cp1252", "columns left alone: Förare"]
    assert set(trips.table["destination"]) == {"Umeå", "Skellefteå", "Our yard", "Sawmill", "Luleå"}


@pytest.mark.parametrize(("header", "line"), [
    ("vehicle,start,end,km,from,to", "A1,2026-03-02T22:00:00Z,2026-03-03T01:30:00Z,150.5,Mo,Luleå"),
    ("Reg.nr;Starttid;Sluttid;Sträcka (mil);Startplats;Slutplats",
     "a1;2026-03-02 22.00;2026-03-03 01.30;15,05;Mo;Luleå"),
    ("Rekisterinumero;Pvm;Lähtöaika;Saapumisaika;Matka (km);Lähtöpaikka;Määränpää",
     "A1;2.3.2026;22:00;01:30;150,5;Mo;Luleå"),
    ("Kjøretøy;Starttidspunkt;Sluttidspunkt;Distanse;Startsted;Sluttsted",
     "A1;02.03.2026 22:00;03.03.2026 01:30;150,50 km;Mo;Luleå"),
    ("Kennzeichen\tAbfahrt\tAnkunft\tDistance (m)\tVon\tNach",
     "A1\t02.03.2026 22:00\t03.03.2026 01:30\t150 500\tMo\tLuleå"),
])  # fmt: skip
def test_the_usual_dialects_say_the_same_trip(tmp_path: Path, header: str, line: str) -> None:
    row = read_trips(export(tmp_path, line, header=header, encoding="utf-8")).table.iloc[0]
    assert [str(row[name]) for name in ("vehicle", "start", "end", "origin", "destination")] == [
        "A1", "2026-03-02 22:00:00", "2026-03-03 01:30:00", "Mo", "Luleå",
    ]  # fmt: skip
    assert row["km"] == pytest.approx(150.5)


def test_a_workbook_is_read_and_a_column_that_is_missing_is_asked_for(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Export of the week"])
    book.active.append(["Vehicle", "Start", "End", "Km", "From", "To", "Weight kg"])
    book.active.append(
        ["A1", pd.Timestamp("2026-03-02 06:00"), pd.Timestamp("2026-03-02 08:00"), 134.5, "A", "B", 20_000]
    )
    book.save(tmp_path / "trips.xlsx")
    trips = read_trips(tmp_path / "trips.xlsx")
    assert trips.table[["km", "load_t"]].values.tolist() == [[134.5, 20.0]]
    with pytest.raises(InstanceError, match=r"row 1: has no column km \(did you mean 'Distanc'\? Call it km\)"):
        read_trips(export(tmp_path, "A;1", header="vehicle;start;end;distanc;from;to".replace("distanc", "Distanc")))
    with pytest.raises(InstanceError, match="has no trip that can be read; row 2: blank: start"):
        read_trips(export(tmp_path, "A;;;1;x;y", header="vehicle;start;end;km;from;to"))


def test_a_day_with_a_battery_is_as_by_hand(tmp_path: Path) -> None:
    trips = read_trips(export(tmp_path, *WEEK[:2], *LONG))
    depots = homes(trips.table)
    assert depots == {"ABC 123": "Umeå"}
    battery = Battery(name="b", usable_km=200.0, depot_km_per_h=10.0, fast_km_per_h=60.0)
    short = driven_with(trips.table, depots, battery, break_h=0.75)
    # out 134 of 200; an hour's stop gives 60: 126, back 134.2 lacks 8.2; without it 66, lacks 68.2; then days at home
    assert short["depot_short_km"].tolist() == pytest.approx([0, 68.2, 70, 270], abs=1e-5)
    assert short["stops_short_km"].tolist() == pytest.approx([0, 8.2, 70, 270], abs=1e-5)


def test_a_day_of_540_km_with_a_battery_of_400_km_and_no_break_is_named(tmp_path: Path) -> None:
    found = nbb.fleet_trips(export(tmp_path, *WEEK, *LONG), range_km=400)
    days = found.days.set_index(["vehicle", "day"])
    assert days["battery 400 km"].value_counts().to_dict() == {"depot": 10, "no": 1}
    assert days.loc[("ABC 123", "2026-03-07"), ["km", "battery 400 km_short_km"]].tolist() == pytest.approx(
        [540, 140], abs=1e-5
    )
    assert "ABC 123 on 2026-03-07: 540 km, 140 km too far for battery 400 km; 0.3 h is its longest stop." in str(found)
    duty = found.duty.set_index("vehicle").loc["DEF456"]
    assert duty[["depot", "days", "km_per_day", "stops_per_day"]].tolist() == ["Our yard", 5, 120, 1]
    # at the yard from 08:30 to 06:00 in four nights, in the six days of the file
    assert duty["depot_h_per_week"] == pytest.approx(4 * 21.5 / 1.0)
    assert "battery 400 km" in found.page()


def test_a_sheet_of_trips_is_an_instance_with_the_same_work_and_an_audited_plan(tmp_path: Path) -> None:
    sheet, mine = tmp_path / "mine.xlsx", tmp_path / "mine"
    ran = CliRunner().invoke(
        app, ["fleet", "trips", str(export(tmp_path, *WEEK)), "--to", str(sheet), "--goods", "timber"]
    )
    assert ran.exit_code == 0, ran.output
    assert "those home to the depot are taken to be empty (10 trips), the goods are timber" in ran.output
    region = nbb.new_fleet(sheet, mine)
    assert CliRunner().invoke(app, ["check", str(mine)]).exit_code == 0
    assert region["links"].set_index(["from_node", "to_node"])["distance_km"].to_dict() == {
        ("Skellefteå", "Umeå"): 134.1, ("Our yard", "Sawmill"): 60.0,
    }  # fmt: skip
    od = demand_of(region).frame().query("year == 2026").set_index(["origin", "destination"])["tonnes"]
    assert sorted(od.index) == [("Our yard", "Sawmill"), ("Umeå", "Skellefteå")]
    assert od["Our yard", "Sawmill"] == pytest.approx(5 * 52 * 0.98 * 50, rel=1e-3)  # five trips in a week of five days
    plan = nbb.fleet_plan(region, tmp_path / "plan.csv")
    audited = nbb.audit(region, plan, gap=5e-2, each_s=5.0, changes=0, scenarios=False)
    assert audited.best.gap <= 5e-2


def test_a_file_that_tells_the_load_gives_tonnes_and_lanes_beyond_the_most_are_counted(tmp_path: Path) -> None:
    lines = ["A;2026-03-02 06:00;2026-03-02 07:00;50;D;X;30;ore", "A;2026-03-02 08:00;2026-03-02 09:00;50;X;D;0;",
             "A;2026-03-03 06:00;2026-03-03 07:00;40;D;Y;20;gravel"]  # fmt: skip
    found = nbb.fleet_trips(export(tmp_path, *lines, header="vehicle;start;end;km;from;to;tonnes;goods"), most_lanes=1)
    lanes = found.lanes.set_index(["origin", "destination"])
    assert lanes["goods"].to_dict() == {("D", "X"): "ore", ("D", "Y"): "general"}
    assert lanes["t_per_week"].tolist() == [30.0, 20.0]
    assert "1 lanes with 1 trips are not in the sheet" in str(found)
    for wrong, words in (({"goods": "ores"}, "did you mean 'ore'"), ({"range_km": 0}, "more than zero")):
        with pytest.raises(NbbError, match=words):
            nbb.fleet_trips(tmp_path / "export.csv", **wrong)
