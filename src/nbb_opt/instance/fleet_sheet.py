"""A haulier's fleet on one sheet, and the instance that it becomes with the figures that come with the package."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.meta import FILE as META_FILE
from nbb_opt.instance.meta import meta_text
from nbb_opt.instance.read import Instance, read_instance
from nbb_opt.instance.schema import BY_NAME, TABLES, Column, Table
from nbb_opt.instance.tables.csv_file import csv_bytes
from nbb_opt.instance.tables.one_table import read_typed_table
from nbb_opt.instance.wording import TableFile, did_you_mean, listed
from nbb_opt.instance.workbook.write import write_sheet
from nbb_opt.shipped import shipped

DEPOT, TRUCK, LANE = "depot", "truck", "lane"
TRIPS, TONNES_A_WEEK, TONNES_A_YEAR = "trips a week", "t a week", "t a year"
FLEET = Table(
    "fleet",
    "a depot, trucks of a depot, or a lane with its freight",
    (),
    (
        Column("what", "choice", "what the row is", options=(DEPOT, TRUCK, LANE)),
        Column("place", "text", "the depot; of trucks their depot; of a lane where it begins"),
        Column("to", "text", "where a lane ends", blank="no lane"),
        Column("type", "text", "of trucks the fuel or vehicle; of a lane the goods", blank="diesel, general cargo"),
        Column(
            "number", "number", "of a depot the kW of its grid connection that are free, of trucks how many, of a lane "
            "its freight", low=0, high=1e8, blank="500 kW, 1 truck",
        ),
        Column("unit", "choice", "of a lane", options=(TRIPS, TONNES_A_WEEK, TONNES_A_YEAR), blank=TRIPS),
        Column("km", "number", "length of a lane, one way", "km", low=0.1, high=5000, blank="both places are known"),
        Column("year", "year", "when the trucks were new", "year", low=1990, high=2120, blank="four years ago"),
        Column("note", "text", "a remark", blank="nothing to add"),
    ),
)  # fmt: skip
Row = tuple[str, str, str, str, float, str, float, float, str]
EXAMPLE: tuple[Row, ...] = (
    (DEPOT, "Umeå", "", "", 800.0, "", np.nan, np.nan, "kW free"),
    (DEPOT, "Skellefteå", "", "", 500.0, "", np.nan, np.nan, ""),
    (TRUCK, "Umeå", "", "diesel", 4.0, "", np.nan, 2022.0, "a row for each truck will do as well"),
    (TRUCK, "Skellefteå", "", "diesel", 2.0, "", np.nan, 2020.0, ""),
    (LANE, "Umeå", "Skellefteå", "general", 10.0, TRIPS, np.nan, np.nan, "no km: both places are known"),
    (LANE, "Umeå", "my sawmill", "timber", 600.0, TONNES_A_WEEK, 60.0, np.nan, "km of a place of your own"),
)
TEMPLATE, ROADS, SOURCE = (
    "haulier",
    "nbb",
    "fleet_sheet",
)  # whose figures, whose places and roads, and where rows are from
WEEKS, KW, AGE_YEARS = 52, 500.0, 4
SPEED_KM_PER_H = 70.0  # of a lane whose km are given
NOT_OF_A_FLEET = ("projects", "project_effects", "project_funding", "policies", "terminals", "transfers")


@dataclass(frozen=True, kw_only=True)
class Roads:
    """Places that are known by name, with the roads between them: km, hours, greatest weight and toll on the way."""

    nodes: pd.DataFrame
    km: np.ndarray
    before: np.ndarray
    hours: Mapping[tuple[int, int], float]
    gross_t: Mapping[tuple[int, int], float]
    toll_eur: Mapping[tuple[int, int], float]
    by_name: Mapping[str, int]

    @staticmethod
    def read() -> Roads:
        """The places and roads that come with the package."""
        folder = shipped("instances") / ROADS
        nodes, links = (pd.read_csv(folder / f"{name}.csv", keep_default_na=False) for name in ("nodes", "links"))
        today = links["status"].eq("existing") if "status" in links else links["project"].eq("")
        roads = links[links["mode"].eq("road") & links["project"].eq("") & today]
        at = {node: i for i, node in enumerate(nodes["node"])}
        ends = [(at[a], at[b]) for a, b in zip(roads["from_node"], roads["to_node"], strict=True)]
        both = [
            *ends,
            *((b, a) for (a, b), two in zip(ends, roads["two_way"], strict=True) if str(two).lower() == "true"),
        ]
        two = [str(two).lower() == "true" for two in roads["two_way"]]

        def of(column: str) -> dict[tuple[int, int], float]:
            values = pd.to_numeric(roads[column], errors="coerce").tolist()
            again = [value for value, back in zip(values, two, strict=True) if back]
            return dict(zip(both, [*values, *again], strict=True))

        lengths, per_km = of("distance_km"), of("toll_eur_per_vkm")
        toll_eur = {step: each * lengths[step] for step, each in per_km.items()}
        rows, columns = zip(*lengths, strict=True)
        graph = coo_array((list(lengths.values()), (rows, columns)), shape=(len(nodes), len(nodes))).tocsr()
        km, before = dijkstra(graph, return_predecessors=True)
        names = {str(name).casefold(): at[node] for name, node in zip(nodes["name"], nodes["node"], strict=True)}
        names |= {str(node).casefold(): i for node, i in at.items()}
        return Roads(
            nodes=nodes, km=km, before=before, hours=of("time_h"), gross_t=of("max_gross_t"), toll_eur=toll_eur,
            by_name=names,
        )  # fmt: skip

    def way(self, a: int, b: int) -> tuple[float, float, float, float]:
        """km, hours, greatest gross weight in t and toll in EUR/km of the shortest road; infinite km where there is
        none."""
        hours, gross, toll_eur = 0.0, np.inf, 0.0
        at = b
        while at != a and self.before[a, at] >= 0:
            step = (int(self.before[a, at]), at)
            hours, gross, at = hours + self.hours[step], min(gross, self.gross_t[step]), step[0]
            toll_eur += self.toll_eur[step]
        km = float(self.km[a, b])
        return km, hours, gross, toll_eur / km if 0 < km < np.inf else 0.0


@dataclass
class _Sheet:
    """The rows of a sheet by what they are, and the problems found in them."""

    frame: pd.DataFrame
    file: TableFile
    problems: list[Problem] = field(default_factory=list)

    def rows(self, what: str) -> list[dict]:
        mine = self.frame[self.frame["what"] == what]
        return [dict(row) | {"at": at} for at, row in zip(mine.index.tolist(), mine.to_dict("records"), strict=True)]

    def problem(self, row: Mapping, column: str, what: str, hint: str) -> None:
        value = row[column] if row[column] == row[column] else None  # a blank number is NaN
        self.problems.append(Problem(self.file.place(row["at"], column, value), what, hint, "fleet"))

    def stop_if_wrong(self) -> None:
        if self.problems:
            raise InstanceError(self.problems)


def write_fleet_sheet(path: Path, rows: Sequence[Row] = EXAMPLE) -> Path:
    """Write a sheet with rows, some to type over if none are given, .xlsx or .csv."""
    frame = pd.DataFrame(list(rows), columns=[column.name for column in FLEET.columns])
    if path.suffix == ".xlsx":
        return write_sheet(frame, FLEET, path)
    path.write_bytes(csv_bytes(frame, FLEET))
    return path


def fleet_instance(
    sheet: Path, target: Path, *, title: str = "", note: Callable[[str], None] = lambda line: None
) -> Instance:
    """Write the instance of a fleet sheet to the new folder `target`, and read it back.

    Trucks, energy, wages and chargers are those of the shipped haulier; places by name, km and weight limits those of
    the shipped road network. `note` hears what was assumed. Raises InstanceError with every row at fault.
    """
    read = _Sheet(*read_typed_table(sheet, FLEET, note))
    template, roads = read_instance(shipped("instances") / TEMPLATE), Roads.read()
    tables = _tables(read, template, roads, note)
    name = (
        "".join(c if c.isalnum() and c.isascii() else "-" for c in target.resolve().name.lower()).strip("-") or "fleet"
    )
    meta = replace(
        template.meta, name=name, title=title or f"The fleet of {sheet.name}",
        description=f"Made from {sheet.name}; figures that it does not give are those of {TEMPLATE}.",
    )  # fmt: skip
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fleet-") as work:
        folder = Path(work, "fleet")
        folder.mkdir()
        (folder / META_FILE).write_text(meta_text(meta, template.periods), encoding="utf-8", newline="")
        for table in TABLES:
            frame = tables.get(table.name, template.tables.get(table.name))
            if frame is not None and not (table.optional and frame.empty):
                (folder / f"{table.name}.csv").write_bytes(csv_bytes(frame, table))
        read_instance(folder)
        os.replace(folder, target)
    return read_instance(target)


def _tables(sheet: _Sheet, template: Instance, roads: Roads, note: Callable[[str], None]) -> dict[str, pd.DataFrame]:
    """The tables of an instance that the sheet decides."""
    depots = {row["place"]: row for row in sheet.rows(DEPOT)}
    lanes, years = sheet.rows(LANE), [period.year for period in template.periods]
    if not depots or not lanes or not sheet.rows(TRUCK):
        missing = [what for what in (DEPOT, TRUCK, LANE) if not sheet.rows(what)]
        raise InstanceError([Problem(sheet.file.file, f"has no row of a {listed(missing, 99)}", "add one", "fleet")])
    goods = {str(row["commodity"]).casefold(): row for row in template["commodities"].to_dict("records")}
    for row in sheet.rows(TRUCK):
        if row["place"] not in depots:
            sheet.problem(row, "place", "is no depot", did_you_mean(row["place"], list(depots)) or "add a depot row")
        if _vehicle(template, row["type"]) is None:
            known = [str(each["vehicle"]) for each in _trucks(template)]
            sheet.problem(
                row, "type", "is no truck", did_you_mean(row["type"].upper(), known) or f"one of {listed(known, 99)}"
            )
    for row in lanes:
        if not row["to"]:
            sheet.problem(row, "to", "is blank", "say where the lane ends")
        if not np.isfinite(row["number"]):
            sheet.problem(row, "number", "is blank", f"give its freight in {row['unit'] or TRIPS}")
        if (row["type"] or "general").casefold() not in goods:
            known = [name.lower() for name in goods]
            sheet.problem(
                row, "type", "is no kind of goods", did_you_mean(row["type"], known) or f"one of {listed(known, 99)}"
            )
        unknown = [place for place in (row["place"], row["to"]) if place.casefold() not in roads.by_name]
        if not np.isfinite(row["km"]) and unknown:
            near = did_you_mean(unknown[0], roads.nodes["name"].tolist())
            sheet.problem(row, "km", f"is blank and {unknown[0]!r} is no known place", near or "give the km")
    sheet.stop_if_wrong()
    places = list(dict.fromkeys([*depots, *(place for row in lanes for place in (row["place"], row["to"]))]))
    links = _links(sheet, places, list(depots), roads)
    region, country = _regions(sheet, places, list(depots), links, roads)
    found = roads.by_name
    where = {place: _coordinates(place, i, region, roads) for i, place in enumerate(places)}
    nodes = pd.DataFrame([
        {
            "node": place, "name": place, "country": country[place], "lat": where[place][0], "lon": where[place][1],
            "kind": "depot" if place in depots else "town", "is_zone": True, "fleet_region": region[place],
            "charge_area": place if place in depots else "",
            "unlocode": "", "nuts3": "", "source": SOURCE,
            "note": "" if place.casefold() in found else "plausible: not a known place, drawn beside its depot",
        } for place in places
    ])  # fmt: skip
    for place in places:
        if place.casefold() not in found:
            where_drawn = "in the middle of the map" if place in depots else f"beside {region[place]}"
            note(f"{place} is no known place: drawn {where_drawn}")
    demand: dict[tuple[str, str, str], float] = {}
    for row in lanes:
        kind = goods[(row["type"] or "general").casefold()]
        key = (row["place"], row["to"], str(kind["commodity"]))
        demand[key] = demand.get(key, 0.0) + row["number"] * _tonnes_a_year(template, row["unit"] or TRIPS, kind)
    fleet: dict[tuple[str, str, int], float] = {}
    for row in sheet.rows(TRUCK):
        bought = int(row["year"]) if np.isfinite(row["year"]) else years[0] - AGE_YEARS
        truck = (row["place"], str(_vehicle(template, row["type"])), bought)
        fleet[truck] = fleet.get(truck, 0.0) + (row["number"] if np.isfinite(row["number"]) else 1.0)
    kw = {name: row["number"] if np.isfinite(row["number"]) else KW for name, row in depots.items()}
    own = {"source": SOURCE, "note": ""}
    like = template["fleet_regions"].set_index("fleet_region").loc[template["shifts"]["fleet_region"].iloc[0]]
    first = template["charge_areas"].set_index("charge_area").loc[like["charge_area"]]
    tariff = {
        "power_eur_per_kw_month": first["power_eur_per_kw_month"],
        "source": f"{SOURCE};{first['source'].removesuffix(';assumption')}",
        "note": f"power tariff of {like['name']} of {TEMPLATE}",
    }
    note(
        f"shifts, hours of charging and power tariff are those of {like['name']} of {TEMPLATE}: look at shifts.csv, "
        "shift_stays.csv and charging_hours.csv"
    )
    tables = {
        "nodes": nodes, "links": links.assign(country=[country[place] for place in links["from_node"]]),
        "od": pd.DataFrame(
            [(*key, year, tonnes) for key, tonnes in demand.items() for year in years if tonnes > 0],
            columns=["origin", "destination", "commodity", "year", "tonnes"],
        ),
        "fleet": pd.DataFrame([
            {"fleet_region": a, "vehicle": v, "vintage_year": y, "vehicles": n, **own} for (a, v, y), n in fleet.items()
        ]),
        "fleet_regions": pd.DataFrame([
            {"fleet_region": d, "name": d, "country": country[d], "hub_node": d, "charge_area": d, **own}
            for d in depots
        ]),
        "charge_areas": pd.DataFrame([
            {"charge_area": d, "name": d, "country": country[d], "grid_mw": kw[d] / 1e3, **tariff} for d in depots
        ]),
        **{
            table: pd.concat([rows.assign(**{key: depot}) for depot in depots], ignore_index=True)
            for table, key, name in (
                ("shifts", "fleet_region", like.name), ("shift_stays", "fleet_region", like.name),
                ("charging_hours", "charge_area", like["charge_area"]),
            )
            for rows in [template[table][template[table][key] == name]]
        },
        "country_years": template["country_years"].assign(driver_limit_h_per_year=np.nan),
        "commodities": template["commodities"].assign(modes="road"),
        "sources": pd.concat([
            template["sources"],
            pd.DataFrame([{"source": SOURCE, "title": "The fleet sheet", "url": "", "licence": "", "year": years[0]}]),
        ]),
    }  # fmt: skip
    tables |= {name: template[name].iloc[:0] for name in NOT_OF_A_FLEET}
    tables |= _still_true(template, tables)
    return {name: frame.reindex(columns=[c.name for c in BY_NAME[name].columns]) for name, frame in tables.items()}


def _still_true(template: Instance, tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The other tables of the template, without rows about its places, roads and projects and figures of such rows."""
    kept = {name: frame for name, frame in template.tables.items() if name not in tables}
    for name, frame in kept.items():
        for column in BY_NAME[name].columns:
            table, _, key = column.target.partition(".")
            if table in tables and table != "sources" and column.name in frame:
                there = {"", *tables[table][key]}
                kept[name] = kept[name][kept[name][column.name].isin(there)]
    now = {**kept, **tables}

    def has(line: Mapping) -> bool:
        frame = now[line["table"]]
        parts = [] if line["row"] == "*" else line["row"].split("/")
        keys = zip(BY_NAME[line["table"]].key, parts, strict=False)
        return bool(len(frame)) and bool(np.all([frame[key].astype(str) == part for key, part in keys], axis=0).any())

    def all_there(name: str) -> pd.Series:
        frame = kept[name]
        return pd.Series([has(line) for line in frame.to_dict("records")], index=frame.index, dtype=bool)

    ranges, scenarios = kept["ranges"], kept["scenarios"]
    whole = all_there("scenarios").groupby(scenarios["scenario"]).transform("all")  # its figures change together
    own = ranges["table"].isin(["links", "nodes", "charge_areas"])
    return kept | {"ranges": ranges[~own & all_there("ranges")], "scenarios": scenarios[whole]}


def _trucks(template: Instance) -> list[dict]:
    return template["vehicles"][template["vehicles"]["mode"] == "road"].to_dict("records")


def _vehicle(template: Instance, typed: str) -> str | None:
    """The vehicle that is meant by its name, or by a fuel: the first of that fuel."""
    wanted = (typed or "diesel").casefold().replace("electric", "battery")
    for row in _trucks(template):
        if wanted in (row["vehicle"].casefold(), row["technology"].casefold()):
            return str(row["vehicle"])
    return None


def _tonnes_a_year(template: Instance, unit: str, goods: Mapping) -> float:
    """Tonnes a year of one unit of freight; a trip carries what the first diesel truck does."""
    if unit != TRIPS:
        return float(WEEKS) if unit == TONNES_A_WEEK else 1.0
    truck = next(row for row in _trucks(template) if row["vehicle"] == _vehicle(template, "diesel"))
    loads = template["vehicle_loads"]
    mine = (loads["vehicle"] == truck["vehicle"]) & (loads["cargo_type"] == goods["cargo_type"])
    share = float(loads.loc[mine, "load_factor"].iloc[0])
    return WEEKS * share * (float(truck["gross_t"]) - float(truck["kerb_t"]))


def _links(sheet: _Sheet, places: list[str], depots: list[str], roads: Roads) -> pd.DataFrame:
    """A road for every lane, and between known places and depots."""
    ways: dict[tuple[str, str], tuple[float, float, float, float, str]] = {}
    standard = float(np.median(list(roads.gross_t.values())))
    for row in sheet.rows(LANE):
        ends = tuple(sorted((row["place"], row["to"])))
        known = all(place.casefold() in roads.by_name for place in ends)
        way = roads.way(*(roads.by_name[place.casefold()] for place in ends)) if known else (np.inf, 0.0, np.inf, 0.0)
        if np.isfinite(row["km"]):
            hours = row["km"] / SPEED_KM_PER_H
            gross = way[2] if np.isfinite(way[2]) else standard
            note = "plausible: km of the sheet"
            if ends in ways and ways[ends][0] != row["km"] and ways[ends][4] == note:
                sheet.problem(row, "km", f"is {ways[ends][0]:g} km in another row", "give one length")
            ways[ends[0], ends[1]] = (row["km"], hours, gross, way[3], note)
        elif np.isfinite(way[0]) and ends not in ways:
            ways[ends[0], ends[1]] = (*way, f"shortest road of {ROADS}")
        elif ends not in ways:
            sheet.problem(row, "km", "is blank and no road is known", "give the km")
    sheet.stop_if_wrong()
    for depot in depots:
        for place in places:
            a, b = roads.by_name.get(depot.casefold()), roads.by_name.get(place.casefold())
            ends = tuple(sorted((depot, place)))
            if a is not None and b is not None and a != b and ends not in ways and np.isfinite(roads.km[a, b]):
                ways[ends[0], ends[1]] = (*roads.way(a, b), f"shortest road of {ROADS}")
    return pd.DataFrame([
        {
            "link": f"{a}-{b}", "from_node": a, "to_node": b, "two_way": True, "mode": "road", "country": "",
            "distance_km": km, "time_h": hours, "max_gross_t": gross, "toll_eur_per_vkm": toll, "charge_eur_per_t": 0.0,
            "project": "", "corridor": "", "capacity_link": "", "source": SOURCE, "note": note,
        } for (a, b), (km, hours, gross, toll, note) in ways.items()
    ])  # fmt: skip


def _regions(
    sheet: _Sheet, places: list[str], depots: list[str], links: pd.DataFrame, roads: Roads
) -> tuple[dict[str, str], dict[str, str]]:
    """The depot nearest to each place by road, and its country: the known one, or that of its depot."""
    at = {place: i for i, place in enumerate(places)}
    ends = [[at[place] for place in links[name]] for name in ("from_node", "to_node")]
    graph = coo_array((links["distance_km"], ends), shape=(len(places), len(places))).tocsr()
    km = dijkstra(graph, directed=False, indices=[at[depot] for depot in depots])
    if lost := [place for place in places if not np.isfinite(km[:, at[place]]).any()]:
        what = f"no road leads from {listed(depots, 9)} to {listed(lost, 9)}"
        raise InstanceError([Problem(sheet.file.file, what, "add a lane with its km between them", "fleet")])
    region = {place: depots[int(np.argmin(km[:, at[place]]))] for place in places}

    def country(place: str) -> str:
        known = roads.by_name.get(place.casefold(), roads.by_name.get(region[place].casefold()))
        return "SE" if known is None else str(roads.nodes["country"].iloc[known])

    return region, {place: country(place) for place in places}


def _coordinates(place: str, number: int, region: Mapping[str, str], roads: Roads) -> tuple[float, float]:
    """Where a place is; one that is not known lies beside its depot, each at a spot of its own."""
    known = roads.by_name.get(place.casefold())
    if known is not None:
        return float(roads.nodes["lat"].iloc[known]), float(roads.nodes["lon"].iloc[known])
    depot = roads.by_name.get(region[place].casefold())
    lat, lon = (64.5, 19.0) if depot is None else tuple(roads.nodes[c].iloc[depot] for c in ("lat", "lon"))
    return round(float(lat) + 0.01 * (1 + number), 4), round(float(lon) + 0.013 * (1 + number), 4)
