"""What a region has, what uses it and when it runs full: zones, ports, terminals, lines, crossings, power, drivers.

Every figure is one that the plan, its verifier or its ledger has already; here they stand by object. An object of a
line is what has a capacity of its own: links that share one (`capacity_link`) are one object.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import pandas as pd

from nbb_opt.emissions.outside import outside_freight
from nbb_opt.instance import Instance, by_period, split_refs
from nbb_opt.recompute import in_blocks, read_driven, read_empties, read_lanes, read_world
from nbb_opt.report.basis import ASSUMPTION, range_of
from nbb_opt.report.decisions import FULL_SHARE, limits_in, names_of
from nbb_opt.report.grid import amounts, each
from nbb_opt.report.kpis import Tables
from nbb_opt.report.movements import AFLOAT, movements, outside_movements, over_quays
from nbb_opt.report.text import MODE_WORDS, listed, number, percent, short
from nbb_opt.result import FROZEN, Run

KINDS = {
    "line": "Line", "crossing": "Border crossing", "port": "Port", "terminal": "Terminal", "charge_area": "Charging",
    "drivers": "Drivers", "zone": "Zone",
}  # fmt: skip
UNITS = {"charge_area": "MW", "drivers": "h a year"}
STAFF = ["occupation", "fleet_region", "year"]
DRIVER_H_PER_YEAR = 1850.0  # of a driver in Sweden: CNR, The Sweden road freight transport sector, 2021
BELT = "all"


@dataclass(frozen=True)
class InventoryTables:
    """The inventory of a plan; figures of today are those of its frozen plan in the first period.

    Tables: `objects`, a row for each; `use`, a row for each object and period; `people`, by fleet region and period;
    `cross_border`, by countries, period and mode; `countries`, measures side by side.
    """

    instance: Instance
    run: Run

    @cached_property
    def years(self) -> list[int]:
        """The periods that the plan has."""
        had = set(self.run.tables["demand"]["year"])
        return [period.year for period in self.instance.periods if period.year in had]

    @property
    def today(self) -> Tables:
        """The tables of the frozen plan, of the plan itself where it has none."""
        return self.run.bars.get(FROZEN, self.run.tables)

    @cached_property
    def use(self) -> pd.DataFrame:
        """kind, object, year, used, limit (infinite: none is stated), share of it, unit; `given`: tonnes a year of
        freight without a choice of mode, which stand beside the limit."""
        return _use(self.instance, self.run.tables, self.years, self.hours)

    @cached_property
    def hours(self) -> pd.DataFrame:
        """Hours of drivers in the plan; see `driver_hours`."""
        return driver_hours(self.instance, self.run.tables)

    @cached_property
    def hours_today(self) -> pd.DataFrame:
        """Hours of drivers of today's trucks and network; see `driver_hours`."""
        return self.hours if self.today is self.run.tables else driver_hours(self.instance, self.today)

    @cached_property
    def objects(self) -> pd.DataFrame:
        """A row for each object, the worst bottlenecks first: full in the last period, and for longest.

        kind, object, name, country, exists (in words), unit, used_today, used_last, limit_last, share_today,
        share_last, first_full_year (blank: never), decided, ideas, missing (in words), assumed (its row of the instance
        rests on an assumption).
        """
        return _objects(self)

    @cached_property
    def limited(self) -> pd.DataFrame:
        """The objects with a limit."""
        return self.objects[self.objects["limit_last"].map(math.isfinite)]

    @cached_property
    def full(self) -> pd.DataFrame:
        """The objects that are full in some period, the worst first."""
        return self.limited[self.limited["first_full_year"].notna()]

    @cached_property
    def people(self) -> pd.DataFrame:
        """fleet_region, name, country, year, driver_h, drivers (at DRIVER_H_PER_YEAR each)."""
        regions = self.instance["fleet_regions"][["fleet_region", "name", "country"]]
        found = regions.merge(self.hours, on="fleet_region")
        return found.assign(drivers=found["driver_h"] / DRIVER_H_PER_YEAR)

    @cached_property
    def staff(self) -> pd.DataFrame:
        """occupation, fleet_region, year, needed (by the table `occupations`), people (to be had, by `labour`; NaN: not
        stated) and people_low and people_high, its range: full-time."""
        return _staff(self)

    @cached_property
    def power(self) -> pd.DataFrame:
        """charge_area, year, trucks_gwh (drawn by trucks), chargers_mw, grid_mw (free for trucks, with projects),
        plants_mw and plants_gwh (of plants connected), queue_mw (of those that wait)."""
        return _power(self)

    @cached_property
    def cross_border(self) -> pd.DataFrame:
        """from_country, to_country, year, mode (the main one), tonnes with a choice of mode, given (without one).

        Freight within a country has its rows too, so that the sum is the demand.
        """
        country = self.instance["nodes"].set_index("node")["country"]
        tables = self.run.tables
        flows = tables["flows"].merge(tables["chains"][["chain", "bundle", "main_mode"]], on="chain")
        flows = flows.merge(tables["bundles"], on="bundle").rename(columns={"main_mode": "mode"})
        beside = outside_freight(self.instance).query("year in @self.years").rename(columns={"tonnes": "given"})
        rows = pd.concat([flows.assign(given=0.0), beside.assign(tonnes=0.0)], ignore_index=True)
        rows = rows.assign(from_country=rows["origin"].map(country), to_country=rows["destination"].map(country))
        key = ["from_country", "to_country", "year", "mode"]
        return rows.astype({"mode": "str", "year": "int64"}).groupby(key, as_index=False)[["tonnes", "given"]].sum()

    @cached_property
    def countries(self) -> pd.DataFrame:
        """measure, unit, country (BELT: all together), value."""
        return _countries(self)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name."""
        names = ("objects", "full", "use", "countries", "cross_border", "people", "staff", "power")
        return {name: getattr(self, name) for name in names}

    @property
    def left_out(self) -> str:
        """One sentence: which tables are empty, and what no table of an instance holds."""
        about = {
            "terminals": "terminals and ports", "ports": "draught and ice", "projects": "what is decided",
            "charge_areas": "charging", "occupations": "people but drivers", "labour": "people to be had",
            "site_power": "power of plants", "outside_flows": "freight without a choice of mode",
            "control_totals": "observed totals",
        }  # fmt: skip
        lacking = [f"{name} ({what})" for name, what in about.items() if self.instance[name].empty]
        rules = by_period(self.instance, "country_years")
        no_limit = rules["driver_limit_h_per_year"].isna().all()
        found = [f"tables without rows: {', '.join(lacking)}"] if lacking else []
        found += ["no limit of driver hours is stated"] if no_limit else []
        unstated = int(self.staff["people"].isna().sum())
        some = 0 < unstated < len(self.staff)
        found += [f"people to be had are not stated in {unstated} of {len(self.staff)} cases"] if some else []
        return f"Not here: {'; '.join([*found, 'lifts and train lengths have no table'])}."


@lru_cache(maxsize=1)
def inventory_of(instance: Instance, run: Run) -> InventoryTables:
    """The inventory of a plan, worked out once for the page and the workbook of it."""
    return InventoryTables(instance, run)


def in_words(row: Any) -> str:
    """One object with a limit in a line."""
    when = f"full from {int(row.first_full_year)}" if not pd.isna(row.first_full_year) else "not full"
    when += ", eased in the last period" if when != "not full" and row.share_last <= FULL_SHARE else ""
    figures = f"{short(row.used_last)} of {short(row.limit_last)} {row.unit} ({percent(row.share_last, 0)})"
    planned = "; ".join(idea for idea in row.ideas.split("; ") if "(in the plan" in idea)
    return f"{row.name}: {when}; {figures}; {row.decided or planned or 'nothing decided'}"


def driver_hours(instance: Instance, tables: Tables) -> pd.DataFrame:
    """Hours that drivers work, with breaks and waiting at chargers: fleet_region, year, driver_h."""
    world, parts = read_world(instance), []
    for block in in_blocks(tables, "lane", ["lanes", "lane_links", "driven"]):
        driven = read_driven(world, block, read_lanes(world, block))
        parts.append(driven.assign(fleet_region=driven["region"], h=driven["loaded_vkm"] * driven["hours_per_vkm"]))
    empty = read_empties(world, tables)
    parts.append(empty.assign(fleet_region=empty["from_region"], h=empty["empty_vkm"] * empty["hours_per_vkm"]))
    rows = pd.concat([part[["fleet_region", "year", "h"]] for part in parts], ignore_index=True)
    return rows.groupby(["fleet_region", "year"])["h"].sum().rename("driver_h").reset_index()


def _staff(found: InventoryTables) -> pd.DataFrame:
    instance, tables = found.instance, found.run.tables
    region = instance["nodes"].set_index("node")["fleet_region"]
    quays = [over_quays(instance, tables, year).assign(year=year) for year in found.years]
    handled = [
        quay.assign(fleet_region=quay["node"].map(region), work=quay["chosen"] + quay["given"]) for quay in quays
    ]
    trucks = tables["fleet"].rename(columns={"kept": "work"})
    done = {
        "driver_h_per_year": found.hours.rename(columns={"driver_h": "work"}), "trucks": trucks,
        "quay_t_per_year": pd.concat(handled, ignore_index=True),
    }  # fmt: skip
    parts = [pd.DataFrame({"occupation": [], "fleet_region": [], "year": [], "needed": []})]
    for row in each(instance["occupations"]):
        amount = done[row.work].query("fleet_region != ''").groupby(["fleet_region", "year"])["work"].sum()
        needed = (amount / row.work_per_person).rename("needed").reset_index()
        parts.append(needed.assign(occupation=row.occupation))
    needed = pd.concat(parts, ignore_index=True).astype({"occupation": "str", "fleet_region": "str", "year": "int64"})
    supply = by_period(instance, "labour")[[*STAFF, "people"]]
    for end, name in enumerate(("people_low", "people_high")):
        of = {job: range_of(instance, "labour", "people", job)[end] for job in instance["occupations"]["occupation"]}
        supply[name] = supply["people"] * supply["occupation"].map(of).fillna(1.0).astype(float)
    return needed[[*STAFF, "needed"]].merge(supply, on=STAFF, how="left").sort_values(STAFF, ignore_index=True)


def _power(found: InventoryTables) -> pd.DataFrame:
    instance, tables = found.instance, found.run.tables
    key = ["charge_area", "year"]
    use = found.use.query("kind == 'charge_area'").rename(
        columns={"object": "charge_area", "used": "chargers_mw", "limit": "grid_mw"}
    )
    drawn = tables["energy"].query("charge_area != ''").groupby(key)["kwh"].sum().div(1e6).rename("trucks_gwh")
    plants = by_period(instance, "site_power")
    waits = plants["in_queue"].astype(bool)
    connected = plants[~waits].groupby(key)[["mw", "gwh_per_year"]].sum()
    connected.columns = pd.Index(["plants_mw", "plants_gwh"])
    rows = use[[*key, "chargers_mw", "grid_mw"]].merge(drawn.reset_index(), on=key, how="left")
    rows = rows.merge(connected.reset_index(), on=key, how="left")
    rows = rows.merge(plants[waits].groupby(key)["mw"].sum().rename("queue_mw").reset_index(), on=key, how="left")
    figures = ["trucks_gwh", "chargers_mw", "grid_mw", "plants_mw", "plants_gwh", "queue_mw"]
    return rows[[*key, *figures]].fillna(0.0)


def owners(instance: Instance) -> pd.Series:
    """The link whose capacity each link uses: index link."""
    links = instance["links"].set_index("link")
    return links["capacity_link"].where(links["capacity_link"] != "", links.index.to_series())


def _use(instance: Instance, tables: Tables, years: list[int], hours: pd.DataFrame) -> pd.DataFrame:
    columns = ["kind", "object", "year", "used", "limit", "given"]
    frame = pd.DataFrame(_uses(instance, tables, years, hours), columns=columns)
    share = (frame["used"] / frame["limit"]).where(frame["limit"] > 0, (frame["used"] > 0) * math.inf)
    unit = frame["kind"].map(UNITS).fillna("t a year")
    return frame.assign(share=share.where(frame["limit"].map(math.isfinite)), unit=unit).sort_values(
        ["kind", "object", "year"], ignore_index=True
    )


def _uses(
    instance: Instance, tables: Tables, years: list[int], hours: pd.DataFrame
) -> Iterator[tuple[str, str, int, float, float, float]]:  # fmt: skip
    """The rows of `use`."""
    used = dict(amounts(tables["use"].set_index(["kind", "row", "year"])["used"]))
    limits = {table: limits_in(instance, tables, table) for table in ("links", "terminals", "charge_areas")}
    own, kinds, places = owners(instance), line_kinds(instance), places_of_transfer(instance)
    outside, demand = outside_freight(instance), tables["demand"].merge(tables["bundles"], on="bundle")
    country = instance["fleet_regions"].set_index("fleet_region")["country"]
    worked = hours.groupby([hours["fleet_region"].map(country), hours["year"]])["driver_h"].sum()
    to_be_had = by_period(instance, "country_years").set_index(["country", "year"])["driver_limit_h_per_year"]
    for year in years:
        beside = outside[outside["year"] == year]
        on_link = beside.groupby(beside["link"].map(own))["tonnes"].sum()
        for link in dict.fromkeys(own):
            taken = used.get(("link", link, year), 0.0)
            yield kinds[link], link, year, taken, limits["links"][link, year], on_link.get(link, 0.0)
        quays = over_quays(instance, tables, year).set_index("node")
        for row in each(places):
            chosen, given = quays.loc[row.node] if row.kind == "port" and row.node in quays.index else (0.0, 0.0)
            if row.terminal:
                chosen = used.get(("terminal", row.terminal, year), 0.0)
            yield row.kind, row.object, year, chosen, limits["terminals"].get((row.terminal, year), math.inf), given
        for area in instance["charge_areas"]["charge_area"]:
            mw = used.get(("grid", area, year), 0.0) / 1e3
            yield "charge_area", area, year, mw, limits["charge_areas"][area, year], 0.0
        for name in country.unique():
            most = to_be_had.get((name, year), math.nan)
            yield "drivers", name, year, worked.get((name, year), 0.0), math.inf if pd.isna(most) else most, 0.0
        moved, given = (
            pd.concat([part.set_index(end)["tonnes"] for end in ("origin", "destination")]).groupby(level=0).sum()
            for part in (demand[demand["year"] == year], beside)
        )
        for node in instance["nodes"].query("is_zone")["node"]:
            yield "zone", node, year, moved.get(node, 0.0), math.inf, given.get(node, 0.0)


def line_kinds(instance: Instance) -> dict[str, str]:
    """Whether a link is a line, or a crossing: road, rail or ferry between two countries."""
    links, country = instance["links"], instance["nodes"].set_index("node")["country"]
    apart = links["from_node"].map(country) != links["to_node"].map(country)
    crossing = apart & (links["mode"] != "sea")
    return dict(zip(links["link"], crossing.map({True: "crossing", False: "line"}), strict=True))


def places_of_transfer(instance: Instance) -> pd.DataFrame:
    """Ports (where a ship or ferry is one side of a change of mode) and terminals: object, kind, node, terminal, modes.

    An object is a terminal, or the node where a change of mode is no terminal's.
    """
    rows = instance["transfers"]
    if rows.empty:
        return pd.DataFrame(columns=["object", "kind", "node", "terminal", "modes"])
    rows = rows.assign(object=rows["terminal"].where(rows["terminal"] != "", rows["node"]))
    both = pd.concat([rows.assign(mode=rows[side]) for side in ("mode_a", "mode_b")])
    found = both.groupby(["object", "node", "terminal"], as_index=False).agg(
        modes=("mode", lambda modes: ";".join(mode for mode in MODE_WORDS if mode in set(modes)))
    )
    afloat = found["modes"].map(lambda modes: bool(set(split_refs(modes)) & set(AFLOAT)))
    return found.assign(kind=afloat.map({True: "port", False: "terminal"}))


def _objects(found: InventoryTables) -> pd.DataFrame:
    instance, years = found.instance, found.years
    now = _use(instance, found.today, years[:1], found.hours_today).set_index(["kind", "object"])
    use = found.use.set_index(["kind", "object"])
    last = use[use["year"] == years[-1]]
    full = use[use["share"] > FULL_SHARE].groupby(level=[0, 1])["year"].min()
    projects = projects_of(instance)
    built = found.run.tables["projects"].query("newly_built > 0").groupby("project")["year"].min()
    rows = []
    for kind, key, name, country, exists, source, lacking in _described(instance):
        at, mine = (kind, key), projects.get(key, [])
        first_full = full.get(at, math.nan)
        decided = [f"{p.name} ({p.status.replace('_', ' ')}, {p.earliest_year})" for p in mine if p.status != "idea"]
        ideas = [
            f"{p.name} ({f'in the plan from {built[p.project]}' if p.project in built else 'not in the plan'})"
            for p in mine if p.status == "idea"
        ]  # fmt: skip
        lacks = [*([] if pd.isna(first_full) or decided else [f"full from {first_full}, nothing decided"]), *lacking]
        rows.append({
            "kind": kind, "object": key, "name": name, "country": country, "exists": exists,
            "unit": last.at[at, "unit"], "used_today": now.at[at, "used"], "used_last": last.at[at, "used"],
            "given_last": last.at[at, "given"], "limit_last": last.at[at, "limit"], "share_today": now.at[at, "share"],
            "share_last": last.at[at, "share"], "first_full_year": first_full, "decided": "; ".join(decided),
            "ideas": "; ".join(ideas), "missing": "; ".join(lacks), "assumed": ASSUMPTION in split_refs(source),
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    rank = {kind: "power and people" if kind in UNITS else "freight" for kind in KINDS}
    eased, share = ~(frame["share_last"] > FULL_SHARE), -frame["share_last"].fillna(-1)
    worst = frame.assign(eased=eased, rank=frame["kind"].map(rank), less=-frame["used_last"], share=share)
    by = ["eased", "first_full_year", "rank", "less", "share", "object"]
    order = worst.sort_values(by, na_position="last").index
    return frame.loc[order].reset_index(drop=True)


def _described(instance: Instance) -> Iterator[tuple[str, str, str, str, str, str, list[str]]]:
    """kind, object, name, country, what exists, source and what is lacking of every object."""
    nodes = instance["nodes"].set_index("node")
    kinds, own = line_kinds(instance), owners(instance)
    links = instance["links"].set_index("link")
    for link in dict.fromkeys(own):
        row = links.loc[link]
        ends = [nodes.loc[row[end]] for end in ("from_node", "to_node")]
        where = "–".join(dict.fromkeys(end["country"] for end in ends)) if kinds[link] == "crossing" else row["country"]
        name = f"{ends[0]['name']} – {ends[1]['name']}, {MODE_WORDS[row['mode']].lower()}"
        yield kinds[link], link, name, where, _line_words(row), row["source"], _line_lacks(row)
    terminals, ports = instance["terminals"].set_index("terminal"), instance["ports"].set_index("node")
    for row in each(places_of_transfer(instance)):
        of = terminals.loc[row.terminal] if row.terminal else nodes.loc[row.node]
        modes = listed([MODE_WORDS[mode].lower() for mode in split_refs(row.modes)])
        lacks = [] if row.terminal and not pd.isna(of["capacity_t_per_year"]) else ["capacity not stated"]
        about = [f"between {modes}"]
        if row.kind == "port":
            ships = ship_words(ports.loc[row.node]) if row.node in ports.index else ""
            about += [ships] if ships else []
            lacks += [] if "draught" in ships else ["draught not stated"]
        home = str(nodes.at[row.node, "country"])
        yield row.kind, row.object, of["name"], home, ", ".join(about), of["source"], lacks
    for row in each(instance["charge_areas"]):
        lacks = [] if row.grid_mw > 0 else ["no power free for trucks"]
        words = f"{short(row.grid_mw)} MW free for trucks today"
        yield "charge_area", row.charge_area, row.name, row.country, words, row.source, lacks
    fleet, regions = instance["fleet"], instance["fleet_regions"]
    country = regions.set_index("fleet_region")["country"]
    trucks = fleet.groupby(fleet["fleet_region"].map(country))["vehicles"].sum()
    names = names_of(instance, "countries", "country")
    for code in country.unique():
        lacks = ["drivers to be had not stated"]
        rows = instance["country_years"][instance["country_years"]["country"] == code]
        words, source = f"{number(trucks.get(code, 0))} trucks today", ";".join(rows["source"])
        stated = rows["driver_limit_h_per_year"].notna().any()
        yield "drivers", code, names[code], code, words, source, [] if stated else lacks
    for row in each(instance["nodes"].query("is_zone")):
        yield "zone", row.node, row.name, row.country, str(row.kind), row.source, []


def ship_words(port: pd.Series) -> str:
    """Which ships a row of `ports` takes, and its ice; blank where nothing is stated."""
    draught, ship, ice = port["draught_m"], port["largest_ship_dwt"], port["ice_months"]
    found = [
        *([] if pd.isna(draught) else [f"draught {draught:g} m"]),
        *([] if pd.isna(ship) else [f"ships of {number(ship)} dwt"]),
        *([] if pd.isna(ice) else [f"ice {ice:g} months" if ice else "no ice"]),
    ]
    return ", ".join(found)


def _line_words(row: pd.Series) -> str:
    parts = [f"{short(row['distance_km'])} km"]
    if row["mode"] == "rail":
        parts += [f"{row['gauge_mm']:.0f} mm", f"{short(row['axle_load_t'])} t axle load",
                  f"{row['electrified_share']:.0%} under wire"]  # fmt: skip
    if not pd.isna(row["max_gross_t"]):
        parts.append(f"{'trains' if row['mode'] == 'rail' else 'vehicles'} of {short(row['max_gross_t'])} t")
    if row["mode"] in AFLOAT:
        parts.append(f"{short(row['time_h'])} h")
    return ", ".join([*parts, *([row["corridor"]] if row["corridor"] else [])])


def _line_lacks(row: pd.Series) -> list[str]:
    if row["mode"] != "rail":
        return []
    wired = row["electrified_share"]
    return [*([f"no wire on {1 - wired:.0%}"] if wired < 1 else []),
            *(["capacity not stated"] if pd.isna(row["capacity_t_per_year"]) else [])]  # fmt: skip


def projects_of(instance: Instance) -> dict[str, list[Any]]:
    """The projects that change an object, or that it needs, by object."""
    rows = instance["projects"].replace({"status": {"": "idea"}})
    projects = {row.project: row for row in each(rows)}
    own = owners(instance)
    links, transfers, effects = instance["links"], instance["transfers"], instance["project_effects"]
    at = transfers["terminal"].where(transfers["terminal"] != "", transfers["node"])
    pairs = [*zip(links["link"].map(own), links["project"], strict=True), *zip(at, transfers["project"], strict=True),
             *zip(effects["row"].map(lambda row: own.get(row, row)), effects["project"], strict=True)]  # fmt: skip
    found: dict[str, list[Any]] = {}
    for key, project in dict.fromkeys(pairs):
        if project:
            found.setdefault(key, []).append(projects[project])
    return found


def _countries(found: InventoryTables) -> pd.DataFrame:
    instance, years = found.instance, found.years
    objects, links = found.objects, instance["links"]
    today = links[links["project"] == ""]
    rail = today[today["mode"] == "rail"]
    wired_km = (rail["distance_km"] * rail["electrified_share"]).groupby(rail["country"]).sum()
    of_kind = {kind: objects[objects["kind"] == kind].groupby("country").size() for kind in KINDS}
    crossings = objects[objects["kind"] == "crossing"]
    both = pd.Series([c for name in crossings["country"] for c in name.split("–")], dtype="str").value_counts()
    country_of = instance["nodes"].set_index("node")["country"]
    measures: list[tuple[str, str, pd.Series]] = [
        ("Zones", "", of_kind["zone"]),
        ("Road", "km", today[today["mode"] == "road"].groupby("country")["distance_km"].sum()),
        ("Railway", "km", rail.groupby("country")["distance_km"].sum()),
        ("Railway under wire", "km", wired_km),
        ("Ports", "", of_kind["port"]), ("Terminals", "", of_kind["terminal"]), ("Border crossings", "", both),
    ]  # fmt: skip
    for year in dict.fromkeys((years[0], years[-1])):
        tables = found.today if year == years[0] else found.run.tables
        moved = movements(tables, links, year)
        beside = outside_movements(instance, year)
        moved = pd.concat([moved, beside[moved.columns]], ignore_index=True) if len(beside) else moved
        tkm = (moved["tonnes"] * moved["distance_km"] / 1e6).groupby([moved["mode"], moved["country"]]).sum()
        measures += [(f"{MODE_WORDS[mode]} {year}", "Mtkm a year", tkm[mode]) for mode in MODE_WORDS if mode in tkm]
        quays = over_quays(instance, tables, year)
        handled = (quays["chosen"] + quays["given"]) / 1e3
        measures.append((f"Over quays {year}", "kt a year", handled.groupby(quays["node"].map(country_of)).sum()))
        people = (
            (found.hours_today if year == years[0] else found.hours)
            .query("year == @year")
            .merge(instance["fleet_regions"][["fleet_region", "country"]], on="fleet_region")
        )
        drivers = people.groupby("country")["driver_h"].sum() / DRIVER_H_PER_YEAR
        measures.append((f"Truck drivers {year}", "full-time", drivers))
    power = found.use.query("kind == 'charge_area' and year == @years[-1]")
    area = instance["charge_areas"].set_index("charge_area")["country"]
    free = instance["charge_areas"].groupby("country")["grid_mw"].sum()
    full = objects[objects["first_full_year"].notna()]
    money = instance["project_funding"].merge(instance["projects"], on="project")
    meur, ideas = money["share"] * money["capex_eur"] / 1e6, money["status"].isin(("idea", ""))
    measures += [
        ("Power free for trucks", "MW", free),
        (f"Chargers {years[-1]}", "MW", power.groupby(power["object"].map(area))["used"].sum()),
        ("Capacities full in some period", "", full.groupby("country").size()),
        ("Projects decided", "MEUR", meur[~ideas].groupby(money["country"]).sum()),
        ("Projects that are ideas", "MEUR", meur[ideas].groupby(money["country"]).sum()),
        ("Objects that rest on an assumption", "", objects[objects["assumed"]].groupby("country").size()),
    ]
    homes = instance["nodes"].query("is_zone")["country"].unique()
    rows = []
    for measure, unit, by_country in measures:
        total = float(len(crossings)) if measure == "Border crossings" else float(by_country.sum())
        rows += [(measure, unit, code, float(by_country.get(code, 0.0))) for code in homes]
        rows.append((measure, unit, BELT, total))
    return pd.DataFrame(rows, columns=["measure", "unit", "country", "value"])
