"""Every table, column, unit, bound and plausibility range of an instance, said once.

The reader, the validator, the workbook and ``instances/SCHEMA.md`` all read this module; nothing else knows a column.
The mathematics that uses the columns stands in ``models/README.md``.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Literal

Kind = Literal["id", "text", "number", "integer", "year", "bool", "choice", "ref", "refs", "choices"]

MODES = ("road", "rail", "sea", "ferry")
CARGO_TYPES = ("dry_bulk", "liquid_bulk", "break_bulk", "neo_bulk", "timber", "container")
NODE_KINDS = ("town", "port", "mine", "plant", "terminal", "junction", "border", "gateway", "depot")
TECHNOLOGIES = ("diesel", "hvo", "biogas", "battery", "hydrogen", "electric", "marine", "ferry")
PROJECT_KINDS = ("new_link", "capacity", "electrify", "terminal", "grid", "charging_hub", "speed", "customs")
POLICY_KINDS = (
    "cap_emissions_t_per_year",
    "cap_technology_share",
    "ban_purchase",
    "require_zero_emission_share",
    "limit_budget_eur",
    "limit_mode_shift_share_per_year",
)
ZERO_EMISSION = ("battery", "hydrogen")  # technologies, of (EU) 2019/1242, Article 3(11): nothing leaves an exhaust
WORK = ("driver_h_per_year", "trucks", "quay_t_per_year")
STATUSES = ("existing", "under_construction", "committed", "market", "idea")
MEASURES = ("handled_t_per_year", "carried_t_per_year", "work_tkm_per_year", "emissions_g_per_tkm")
SUBSIDY_KINDS = ("purchase_grant_share", "purchase_grant_eur_per_vehicle", "toll_exemption_share")
EFFECT_COLUMNS = {"links": "capacity_t_per_year", "terminals": "capacity_t_per_year", "charge_areas": "grid_mw",
                  "fuel_substitutes": "kwh_per_year"}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column: its kind, unit, hard bounds, plausible range and what a blank cell means.

    ``blank`` is the stated meaning of an empty cell ("unlimited", "none", ...); ``None`` means a blank is an error.
    An ``optional`` column may be left out of the file: then every cell of it is blank.
    ``target`` is ``table.column`` for references, and ``options`` the words a choice may take.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    _: KW_ONLY
    blank: str | None = None
    low: float | None = None
    high: float | None = None
    plausible_low: float | None = None
    plausible_high: float | None = None
    target: str = ""
    options: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Table:
    """One table: its key (unique), columns, and whether an instance may leave it out."""

    name: str
    row_is: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    optional: bool = False
    by_year: bool = False  # rows of one key differ by `year`; values between the years are interpolated linearly


def _id(name: str, meaning: str) -> Column:
    return Column(name, "id", meaning)


def _text(name: str, meaning: str, blank: str | None = None) -> Column:
    return Column(name, "text", meaning, blank=blank)


def _ref(name: str, target: str, meaning: str, blank: str | None = None) -> Column:
    return Column(name, "ref", meaning, target=target, blank=blank)


def _filter(name: str, target: str, meaning: str, blank: str, kind: Kind = "refs") -> Column:
    return Column(name, kind, meaning, blank=blank, target=target, optional=True)


def _choice(name: str, options: tuple[str, ...], meaning: str, blank: str | None = None) -> Column:
    return Column(name, "choice", meaning, options=options, blank=blank)


def _num(
    name: str,
    meaning: str,
    unit: str,
    low: float,
    high: float,
    plausible: tuple[float, float] | None = None,
    blank: str | None = None,
    kind: Kind = "number",
    *,
    optional: bool = False,
) -> Column:
    p_low, p_high = plausible if plausible else (None, None)
    return Column(
        name, kind, meaning, unit, blank=blank, low=low, high=high, plausible_low=p_low, plausible_high=p_high,
        optional=optional,
    )  # fmt: skip


def _year(name: str, meaning: str, blank: str | None = None) -> Column:
    return Column(name, "year", meaning, "year", blank=blank, low=1950, high=2120)


def _status(meaning: str, blank: str) -> tuple[Column, Column]:
    """How far something is, and the day on which that was so."""
    return (
        Column("status", "choice", meaning, options=STATUSES, blank=blank, optional=True),
        Column("status_date", "text", "day of the status, YYYY-MM-DD", blank="not stated", optional=True),
    )


def _provenance() -> tuple[Column, ...]:
    return (
        Column("source", "refs", "where the figures of the row come from", target="sources.source"),
        _text("note", "how they were derived; the reason where the source is `assumption`", blank="nothing to add"),
    )


def _table(
    name: str, meaning: str, key: tuple[str, ...], *columns: Column, sourced: bool = True, **more: bool
) -> Table:
    """A table; where figures have a source, the last columns say which."""
    return Table(name, meaning, key, (*columns, *(_provenance() if sourced else ())), **more)


TABLES: tuple[Table, ...] = (
    _table(
        "sources",
        "a source of figures; the row `assumption` stands for our own reasoning",
        ("source",),
        _id("source", "short name used in the other tables"),
        _text("title", "title"),
        _text("url", "address", blank="none"),
        _text("licence", "licence or terms", blank="not stated"),
        _text("year", "year of publication or reading", blank="not stated"),
        sourced=False,
    ),
    _table(
        "countries",
        "a country, or international waters",
        ("country",),
        _id("country", "two letters; XX for international waters"),
        _text("name", "name"),
        _num("winter_share", "share of the year's driving done in winter conditions", "share", 0, 1, (0, 0.6)),
    ),
    _table(
        "country_years",
        "a country in a year: wages, carbon price, drivers",
        ("country", "year"),
        _ref("country", "countries.country", "country"),
        _year("year", "year"),
        _num("driver_cost_eur_per_h", "cost of one driver hour", "EUR/h", 0, 1000, (10, 120)),
        _num("carbon_price_eur_per_t", "price per tonne CO2e", "EUR/t", 0, 5000, (0, 1000)),
        _num("driver_limit_h_per_year", "driver hours to be had", "h/year", 0, 1e12, blank="unlimited"),
        by_year=True,
    ),
    _table(
        "charge_areas",
        "a place with chargers behind one grid connection",
        ("charge_area",),
        _id("charge_area", "charging area"),
        _text("name", "name"),
        _ref("country", "countries.country", "country whose electricity is drawn"),
        _num("grid_mw", "grid power free for truck charging today", "MW", 0, 10000, (0, 200)),
        _num(
            "power_eur_per_kw_month",
            "power tariff on the month's highest quarter of an hour",
            "EUR/kW month",
            0,
            1000,
            (0.5, 20),
            blank="not charged apart",
            optional=True,
        ),
    ),
    _table(
        "fleet_regions",
        "where trucks are based: a region, or a company's depot",
        ("fleet_region",),
        _id("fleet_region", "fleet region"),
        _text("name", "name"),
        _ref("country", "countries.country", "country that pays the drivers"),
        _ref("hub_node", "nodes.node", "node from which empty trips to other regions are measured"),
        _ref("charge_area", "charge_areas.charge_area", "home charging area", blank="no home charging"),
    ),
    _table(
        "nodes",
        "a place",
        ("node",),
        _id("node", "node"),
        _text("name", "name"),
        _ref("country", "countries.country", "country"),
        _num("lat", "latitude", "degrees", -90, 90, (35, 75)),
        _num("lon", "longitude", "degrees", -180, 180, (-15, 45)),
        _choice("kind", NODE_KINDS, "what it is"),
        Column("is_zone", "bool", "whether freight starts or ends here"),
        _ref("fleet_region", "fleet_regions.fleet_region", "where trucks starting here are based", blank="none"),
        _ref("charge_area", "charge_areas.charge_area", "charging area at the node", blank="none"),
        _text("unlocode", "UN/LOCODE", blank="none"),
        _text("nuts3", "NUTS 3 region (2021)", blank="none"),
    ),
    _table(
        "projects",
        "an investment that may be made",
        ("project",),
        _id("project", "project"),
        _text("name", "name"),
        _choice("kind", PROJECT_KINDS, "what it does"),
        _num("capex_eur", "investment per unit", "EUR", 0, 1e12, (1e4, 1e10)),
        _num("fixed_eur_per_year", "yearly cost per unit in service", "EUR/year", 0, 1e11, (0, 1e9)),
        _year("earliest_year", "first year of service, planning and building time included"),
        _num("lifetime_years", "years until worthless", "years", 1, 200, (5, 100), kind="integer"),
        _num("max_units", "how often it may be built", "", 1, 1000, (1, 50), kind="integer"),
        Column(
            "required_from_year",
            "year",
            "year from which one unit must be in service, where projects may be built",
            "year",
            blank="never: it may be left out",
            low=1950,
            high=2120,
            optional=True,
        ),
        Column("requires", "refs", "projects that must be in service", target="projects.project", blank="none"),
        Column("excludes", "refs", "projects it rules out", target="projects.project", blank="none"),
        _ref("node", "nodes.node", "where it is drawn on the map", blank="none"),
        *_status(
            "how far it is; what exists, is under construction or committed is built in its earliest year and not "
            "decided: an existing project in every plan, the others in every plan but the frozen one; what the market "
            "orders where it pays, as a grid connection, may be built in the reference too, an idea only in plans",
            "idea",
        ),
        optional=True,
    ),
    _table(
        "project_effects",
        "what one unit of a project adds; new links and transfers name their project themselves",
        ("project", "table", "row"),
        _ref("project", "projects.project", "project"),
        _choice("table", tuple(EFFECT_COLUMNS), "table that is changed"),
        _text("row", "key of the row that is changed"),
        _choice("column", tuple(sorted(set(EFFECT_COLUMNS.values()))), "column that is changed"),
        _num("adds", "amount added per unit", "unit of the column", 0, 1e12),
        optional=True,
    ),
    _table(
        "project_funding",
        "a country's share of a project's cost",
        ("project", "country"),
        _ref("project", "projects.project", "project"),
        _ref("country", "countries.country", "country that pays"),
        _num("share", "share of the investment; the shares of a project add up to 1", "share", 0, 1),
        optional=True,
    ),
    _table(
        "links",
        "a stretch of road, rail, sea or ferry within one country",
        ("link",),
        _id("link", "link"),
        _ref("from_node", "nodes.node", "one end"),
        _ref("to_node", "nodes.node", "other end"),
        Column("two_way", "bool", "whether it may be used from to_node to from_node too"),
        _choice("mode", MODES, "mode"),
        _ref("country", "countries.country", "country it lies in; XX at sea"),
        _num("distance_km", "length", "km", 0.01, 50000, (0.5, 5000)),
        _num("time_h", "running time, waiting for departure included", "h", 0.001, 10000, (0.01, 500)),
        _num("capacity_t_per_year", "freight both ways together", "t/year", 0, 1e12, (1e3, 1e9), "unlimited"),
        _ref("capacity_link", "links.link", "link whose capacity it uses instead of its own", blank="its own"),
        _num("gauge_mm", "track gauge; rail only", "mm", 600, 2000, (1000, 1676), "not rail", "integer"),
        _num("electrified_share", "share under overhead line; rail only", "share", 0, 1, None, "not rail"),
        _num("axle_load_t", "axle load allowed; rail only", "t", 5, 60, (14, 40), "not rail"),
        _num("max_gross_t", "gross weight of truck or train allowed", "t", 1, 50000, (20, 12000), "unlimited"),
        _num("toll_eur_per_vkm", "toll or track access per vehicle-km", "EUR/vkm", 0, 1000, (0, 30)),
        _num("charge_eur_per_t", "fare, fairway or canal due per tonne", "EUR/t", 0, 10000, (0, 200)),
        _ref("project", "projects.project", "exists only if this project is built", blank="exists today"),
        *_status("how far it is", "existing, or the status of its project"),
        _text("corridor", "corridor or line, for reports", blank="none"),
    ),
    _table(
        "terminals",
        "a terminal or port with one throughput limit",
        ("terminal",),
        _id("terminal", "terminal"),
        _text("name", "name"),
        _ref("node", "nodes.node", "where it is"),
        _num("capacity_t_per_year", "tonnes transferred", "t/year", 0, 1e12, (1e3, 1e9), "unlimited"),
        optional=True,
    ),
    _table(
        "ports",
        "which ships a port takes and how long ice lies before it; shown, and no limit of a plan",
        ("node",),
        _ref("node", "nodes.node", "where it is"),
        _num("draught_m", "draught of ships, or depth of the fairway", "m", 0, 50, (4, 30), "not stated"),
        _num("largest_ship_dwt", "largest ship", "t dead weight", 0, 1e6, (1e3, 4e5), "not stated"),
        _num("ice_months", "months of a usual year with ice", "", 0, 12, (0, 7), "not stated"),
        optional=True,
    ),
    _table(
        "transfers",
        "a change of mode (or of gauge: rail to rail) that is possible at a node, both ways",
        ("node", "mode_a", "mode_b", "project"),
        _ref("node", "nodes.node", "where"),
        _choice("mode_a", MODES, "one mode"),
        _choice("mode_b", MODES, "other mode"),
        _ref("terminal", "terminals.terminal", "terminal whose throughput is used", blank="none"),
        _ref("project", "projects.project", "possible only if this project is built", blank="possible today"),
        optional=True,
    ),
    _table(
        "handling_costs",
        "what a change of mode costs by cargo type, both ways",
        ("mode_a", "mode_b", "cargo_type"),
        _choice("mode_a", MODES, "one mode"),
        _choice("mode_b", MODES, "other mode"),
        _choice("cargo_type", CARGO_TYPES, "cargo type"),
        _num("cost_eur_per_t", "cost", "EUR/t", 0, 10000, (0.05, 120)),
        _num("time_h", "time", "h", 0, 10000, (0, 120)),
        _num("ttw_kg_co2e_per_t", "operation emissions", "kg/t", 0, 1000, (0, 20)),
        _num("wtt_kg_co2e_per_t", "energy provision emissions", "kg/t", 0, 1000, (0, 20)),
        optional=True,
    ),
    _table(
        "commodities",
        "a commodity group",
        ("commodity",),
        _id("commodity", "commodity"),
        _text("name", "name"),
        _text("nst2007", "NST 2007 division or group", blank="none"),
        _choice("cargo_type", CARGO_TYPES, "kind of cargo_type"),
        _num("value_of_time_eur_per_t_h", "value of one hour for one tonne", "EUR/(t h)", 0, 1000, (0.005, 15)),
        Column("modes", "choices", "modes it may use", options=MODES),
    ),
    _table(
        "vehicles",
        "a type of truck (owned, bought by the model) or of train and ship (bought as a service)",
        ("vehicle",),
        _id("vehicle", "vehicle"),
        _text("name", "name"),
        _choice("mode", MODES, "mode"),
        _choice("technology", TECHNOLOGIES, "technology; electric = overhead line"),
        _ref("energy_carrier", "energy.energy_carrier", "energy carrier"),
        _num("gross_t", "gross weight when full", "t", 0.5, 1e6, (3, 250000)),
        _num("kerb_t", "weight when empty, battery included", "t", 0.1, 1e6, (1, 200000)),
        _num("axle_load_t", "axle load when full; rail only", "t", 1, 60, (10, 40), "not rail"),
        _num("gauge_mm", "track gauge it runs on; rail only", "mm", 600, 2000, None, "any", "integer"),
        _num("winter_factor", "energy use in winter over energy use else", "", 1, 5, (1, 1.6)),
        _num("range_km", "range on a full battery or tank, not in winter", "km", 1, 1e6, (50, 2000), "unlimited"),
        _num("reserve_share", "share of the range kept in reserve", "share", 0, 0.9, (0, 0.4)),
        _num(
            "charge_kw",
            "charging power the battery takes; on the way only chargers at least as strong serve it",
            "kW",
            1,
            10000,
            (20, 1500),
            "has no battery",
        ),
        _num("annual_km", "distance a truck can do", "km/year", 1, 1e6, (10000, 300000), "bought as a service"),
        _num("annual_h", "hours a truck can work", "h/year", 1, 8784, (500, 8000), "bought as a service"),
        _num("lifetime_years", "years in service", "years", 1, 100, (3, 40), "bought as a service", "integer"),
        _num("resale_share", "resale value over book value", "share", 0, 1),
        _year("available_from", "first year it can be had"),
        _num(
            "making_kg_co2e",
            "emissions of making one, its battery left out; trucks only",
            "kg CO2e",
            0,
            1e7,
            (1e3, 5e5),
            "not given",
            optional=True,
        ),
        _num(
            "battery_making_kg_co2e",
            "emissions of making its battery; battery trucks only",
            "kg CO2e",
            0,
            1e7,
            (500, 5e5),
            "not given",
            optional=True,
        ),
        Column(
            "making_source",
            "refs",
            "where the figures of its making come from",
            target="sources.source",
            blank="no such figures",
            optional=True,
        ),
    ),
    _table(
        "vehicle_loads",
        "what a vehicle carries of one cargo type; without a row it carries none",
        ("vehicle", "cargo_type"),
        _ref("vehicle", "vehicles.vehicle", "vehicle"),
        _choice("cargo_type", CARGO_TYPES, "cargo type"),
        _num("load_factor", "load over payload on loaded trips", "share", 0.001, 1, (0.02, 1)),
        _num("empty_share", "share of km run empty (services; trucks within their region)", "share", 0, 0.95),
        _num("turnaround_h", "hours to load and unload, per loaded trip; trucks only", "h", 0, 100, (0, 12)),
        _num(
            "annual_km",
            "distance a truck can do with this cargo type",
            "km/year",
            1,
            1e6,
            (10000, 300000),
            "annual_km of the vehicle",
            optional=True,
        ),
    ),
    _table(
        "vehicle_years",
        "a vehicle's cost and energy use in a year",
        ("vehicle", "year"),
        _ref("vehicle", "vehicles.vehicle", "vehicle"),
        _year("year", "year"),
        _num("capex_eur", "purchase price; 0 for services", "EUR", 0, 1e9, (0, 2e6)),
        _num("fixed_eur_per_year", "yearly cost of owning one; 0 for services", "EUR/year", 0, 1e9, (0, 3e5)),
        _num("running_eur_per_vkm", "running cost without energy, drivers, tolls", "EUR/vkm", 0, 10000, (0, 200)),
        _num("empty_kwh_per_vkm", "energy use empty, charging losses included", "kWh/vkm", 0, 1e5, (0.1, 2000)),
        _num("full_kwh_per_vkm", "energy use full, charging losses included", "kWh/vkm", 0, 1e5, (0.1, 3000)),
        by_year=True,
    ),
    _table(
        "factors",
        "an emission factor, for tracing",
        ("factor",),
        _id("factor", "factor"),
        _text("subject", "what it is about"),
        _num("value", "value", "see unit", 0, 1e6),
        _text("unit", "unit"),
        _choice("boundary", ("TTW", "WTT", "WTW"), "boundary"),
        _text("gwp_set", "set of global warming potentials", blank="not stated"),
        _text("region", "region", blank="not stated"),
        _text("year", "year", blank="not stated"),
        _text("licence", "licence"),
    ),
    _table(
        "energy",
        "price and emission factors of an energy carrier by country and year",
        ("energy_carrier", "country", "year"),
        _id("energy_carrier", "energy carrier"),
        _ref("country", "countries.country", "country where it is taken in"),
        _year("year", "year"),
        _num("price_eur_per_kwh", "price without VAT and without carbon price", "EUR/kWh", 0, 100, (0.005, 1)),
        _num("ttw_kg_co2e_per_kwh", "operation emissions", "kg/kWh", 0, 10, (0, 1)),
        _num("wtt_kg_co2e_per_kwh", "energy provision emissions", "kg/kWh", 0, 10, (0, 1)),
        _num(
            "biogenic_kg_co2_per_kwh",
            "biogenic CO2 where it is burnt, outside the emissions above",
            "kg/kWh",
            0,
            10,
            (0, 0.5),
            "none",
            optional=True,
        ),
        Column("factors", "refs", "emission factors used", target="factors.factor", blank="none"),
        by_year=True,
    ),
    _table(
        "fuel_substitutes",
        "an energy carrier that vehicles may take in instead of their own, chosen year by year",
        ("substitute",),
        _id("substitute", "substitute"),
        _choice("mode", MODES, "mode of the vehicles"),
        _ref("replaces", "energy.energy_carrier", "energy carrier of the vehicles"),
        _ref("energy_carrier", "energy.energy_carrier", "energy carrier taken in instead, where both have a price"),
        _num("kwh_per_kwh", "energy taken in for one kWh replaced", "kWh/kWh", 0.01, 10, (0.3, 1.5)),
        _num("max_share", "share of these vehicles' energy in a country that it can replace", "share", 0, 1),
        _num(
            "kwh_per_year",
            "energy of it to be had, all countries together",
            "kWh/year",
            0,
            1e13,
            (0, 1e11),
            "unlimited",
        ),
        _year("available_from", "first year it can be had"),
        optional=True,
    ),
    _table(
        "fleet",
        "trucks owned today",
        ("fleet_region", "vehicle", "vintage_year"),
        _ref("fleet_region", "fleet_regions.fleet_region", "where they are based"),
        _ref("vehicle", "vehicles.vehicle", "vehicle"),
        _year("vintage_year", "year they were new"),
        _num("vehicles", "how many", "", 0, 1e7, (1, 1e5), kind="integer"),
        optional=True,
    ),
    _table(
        "chargers",
        "a type of charger",
        ("charger",),
        _id("charger", "charger"),
        _text("name", "name"),
        _num("kw", "power", "kW", 1, 20000, (10, 4000)),
        _num("capex_eur", "investment, connection within the site included", "EUR", 0, 1e8, (1e3, 2e6)),
        _num("fixed_eur_per_year", "yearly cost", "EUR/year", 0, 1e7, (0, 1e5)),
        _num("lifetime_years", "years in service", "years", 1, 100, (5, 30), kind="integer"),
        _num("utilisation_share", "share of the year's energy at full power that can be sold", "share", 0.001, 1),
        _year("available_from", "first year it can be had"),
        optional=True,
    ),
    _table(
        "public_charging",
        "what others' charging points in an area can sell in a year; the grid connection is not used for it",
        ("charge_area", "year"),
        _ref("charge_area", "charge_areas.charge_area", "charging area"),
        _year("year", "year"),
        _num("kwh_per_year", "energy on sale without queueing", "kWh/year", 0, 1e10, (1e3, 1e8)),
        _num("kw", "power of a point; on the way it serves batteries that take no more", "kW", 1, 20000, (40, 4000)),
        _num("price_add_eur_per_kwh", "price above that of the country's electricity", "EUR/kWh", 0, 10, (0, 1)),
        optional=True,
        by_year=True,
    ),
    _table(
        "battery_wear",
        "range a vehicle loses with age",
        ("vehicle",),
        _ref("vehicle", "vehicles.vehicle", "vehicle"),
        _num("range_loss_share", "share of the range lost by the end of its life", "share", 0, 0.9, (0.05, 0.4)),
        optional=True,
    ),
    _table(
        "driving_rules",
        "breaks drivers of a country must take; batteries may be charged meanwhile",
        ("country",),
        _ref("country", "countries.country", "country of the fleet region"),
        _num("drive_h", "hours at the wheel before a break", "h", 0.5, 24, (2, 6)),
        _num("break_h", "length of the break", "h", 0, 24, (0.25, 1.5)),
        _num("rest_h", "rest of a driver in 24 hours", "h", 0, 23, (8, 12), blank="no rule is checked", optional=True),
        optional=True,
    ),
    _table(
        "gradients",
        "a hilly link: how much more energy it takes; links without a row are level",
        ("link",),
        _ref("link", "links.link", "link"),
        _num("energy_factor", "energy use over that on the level, mean of both ways", "", 0.5, 5, (0.9, 2)),
        optional=True,
    ),
    _table(
        "opening_hours",
        "hours in which trucks can work for a place",
        ("node",),
        _ref("node", "nodes.node", "place"),
        _num("hours_per_week", "hours for trips from and to the place", "h/week", 1, 168, (20, 168)),
        optional=True,
    ),
    _table(
        "shifts",
        "a usual day of some trucks of a depot",
        ("fleet_region", "shift"),
        _ref("fleet_region", "fleet_regions.fleet_region", "depot of the trucks"),
        _id("shift", "shift, with a name of its own at the depot"),
        _num("truck_share", "share of the depot's trucks", "share", 0.001, 1),
        _num("spread_h", "hours over which its trucks follow one another", "h", 0, 12, (0, 6)),
        _num("drivers", "drivers of a truck in a day", "", 1, 4, (1, 3), kind="integer"),
        _num("days_per_year", "days on which they drive", "", 1, 366, (200, 365), kind="integer"),
        optional=True,
    ),
    _table(
        "shift_stays",
        "when a truck of a shift is in at its depot and may charge; the first truck, where they follow one another",
        ("fleet_region", "shift", "arrives_h"),
        _ref("fleet_region", "fleet_regions.fleet_region", "depot of the trucks"),
        _text("shift", "shift of the depot"),
        _num("arrives_h", "hour of the day at which it arrives, in quarters", "h", 0, 24),
        _num("departs_h", "hour at which it leaves; before arrives_h: of the next day", "h", 0, 24),
        optional=True,
    ),
    _table(
        "charging_hours",
        "an hour of the day at a charging area: its price and what the grid lets trucks take",
        ("charge_area", "hour"),
        _ref("charge_area", "charge_areas.charge_area", "charging area"),
        _num("hour", "hour of the day: from that hour to the next", "h", 0, 23, kind="integer"),
        _num("price_add_eur_per_kwh", "price above that of the country's electricity", "EUR/kWh", -10, 10, (-0.2, 0.5)),
        _num("grid_share", "share of the connection that trucks may take in this hour", "share", 0, 1, blank="all"),
        optional=True,
    ),
    _table(
        "subsidies",
        "a grant or exemption for a truck technology, with its end",
        ("subsidy",),
        _id("subsidy", "subsidy"),
        _choice("kind", SUBSIDY_KINDS, "kind; the unit of its value is the last part of its name"),
        _ref("country", "countries.country", "country of the fleet region (grant) or of the road (toll)"),
        _choice("technology", TECHNOLOGIES, "truck technology"),
        _year("first_year", "first year it is given"),
        _year("last_year", "last year it is given"),
        _num("value", "value", "see kind", 0, 1e7),
        optional=True,
    ),
    _table(
        "sites",
        "what a plant makes or needs of a commodity in a year",
        ("site", "commodity", "direction", "year"),
        _id("site", "site"),
        _text("name", "name"),
        _ref("node", "nodes.node", "where"),
        _ref("commodity", "commodities.commodity", "commodity"),
        _choice("direction", ("produces", "needs"), "makes it or needs it"),
        _year("year", "year"),
        _num("amount_t_per_year", "amount", "t/year", 0, 1e10, (0, 1e8)),
        _text("status", "status of the plant"),
        Column("status_date", "text", "day of the status, YYYY-MM-DD", blank="not stated", optional=True),
        optional=True,
        by_year=True,
    ),
    _table(
        "recipes",
        "an input that a plant needs for what it makes; of models, those with the block `sourcing` read it",
        ("site", "input"),
        _ref("site", "sites.site", "plant; `sites` says how much it makes"),
        _id("input", "input, by the name that `suppliers` offer it under"),
        _ref("commodity", "commodities.commodity", "commodity as which it moves"),
        _num("t_per_t", "input for a tonne of what the plant makes", "t/t", 0, 1000, (0.001, 20)),
        _num("region_share", "least share of it from the region", "share", 0, 1, None, "no target", optional=True),
        _year("region_share_from_year", "first year of that target", "every period"),
        optional=True,
    ),
    _table(
        "suppliers",
        "an input that somebody sells, to every plant whose recipe needs it",
        ("supplier", "input"),
        _id("supplier", "supplier"),
        _id("input", "input, as in `recipes`"),
        _ref("node", "nodes.node", "where freight to plants starts"),
        _ref(
            "site",
            "sites.site",
            "the plant that makes it: what it sells is part of what it makes",
            "no plant of `sites`",
        ),
        Column("in_region", "bool", "whether it counts as from the region"),
        _year("first_year", "first year it can be had"),
        _num(
            "capacity_t_per_year", "what it can sell to plants with recipes", "t/year", 0, 1e10, (1, 1e8), "unlimited"
        ),
        _num(
            "price_eur_per_t",
            "price at the gate, or cost; without what the recipes of its own plant count",
            "EUR/t",
            0,
            1e7,
            (1, 1e5),
        ),
        _num(
            "upstream_kg_co2e_per_t", "emissions until it leaves the gate, counted likewise", "kg/t", 0, 1e6, (0, 5e4)
        ),
        optional=True,
    ),
    _table(
        "supply_contracts",
        "what `od` holds of a supplier's input for a plant; where suppliers are chosen it is taken out of that flow",
        ("supplier", "site", "input", "year"),
        _id("supplier", "supplier"),
        _ref("site", "sites.site", "plant"),
        _id("input", "input"),
        _year("year", "year"),
        _num("amount_t_per_year", "amount", "t/year", 0, 1e10, (0, 1e8)),
        optional=True,
        by_year=True,
    ),
    _table(
        "occupations",
        "people that a plan needs, by the work that one does; the inventory counts them, no model limits them",
        ("occupation",),
        _id("occupation", "occupation"),
        _text("name", "name"),
        _choice("work", WORK, "work: hours of drivers, trucks in service, or tonnes over quays"),
        _num("work_per_person", "work of one full-time person", "see work", 1e-3, 1e9),
        optional=True,
    ),
    _table(
        "labour",
        "people of an occupation that a region has for freight in a year",
        ("occupation", "fleet_region", "year"),
        _ref("occupation", "occupations.occupation", "occupation"),
        _ref("fleet_region", "fleet_regions.fleet_region", "region"),
        _year("year", "year"),
        _num("people", "people to be had, full-time", "", 0, 1e7, (0, 1e5)),
        optional=True,
        by_year=True,
    ),
    _table(
        "site_power",
        "power of a plant at the grid of a charging area: what it takes, or waits for; it is no part of `grid_mw`",
        ("charge_area", "plant", "year"),
        _ref("charge_area", "charge_areas.charge_area", "charging area at the same grid"),
        _id("plant", "plant, or those who wait together"),
        _year("year", "year"),
        _num("mw", "power", "MW", 0, 1e5, (0, 3000)),
        _num("gwh_per_year", "energy", "GWh/year", 0, 1e6, (0, 20000), "not stated"),
        Column("in_queue", "bool", "whether it waits for a grid connection"),
        optional=True,
        by_year=True,
    ),
    _table(
        "policies",
        "a rule",
        ("policy",),
        _id("policy", "policy"),
        _choice("kind", POLICY_KINDS, "kind of rule; the unit of its value is the last part of its name"),
        _ref("country", "countries.country", "country", blank="all countries together"),
        _choice("technology", TECHNOLOGIES, "truck technology", blank="not about a technology"),
        _year("year", "period it holds in (a ban: from this year on)", blank="every period"),
        _num("value", "value; blank for a ban", "see kind", 0, 1e12, blank="a ban has none"),
        optional=True,
    ),
    _table(
        "outside_flows",
        "freight in a year without a choice of mode, as of a plant over its own quay: no model moves it and no "
        "percentage counts it; ports, maps and reports show it",
        ("origin", "destination", "commodity", "year"),
        _ref("origin", "nodes.node", "where it starts"),
        _ref("destination", "nodes.node", "where it ends"),
        _ref("commodity", "commodities.commodity", "commodity"),
        _ref("link", "links.link", "rail, sea or ferry link from one to the other that carries it"),
        _year("year", "year"),
        _num("tonnes", "amount; what terminals have left for other freight is their capacity", "t/year", 0, 1e10),
        optional=True,
        by_year=True,
    ),
    _table(
        "mode_constants",
        "what speaks against a mode beside cost and time, so that the base year goes by the modes that were observed; "
        "never of a flow without demand in the first period, and not money that is paid",
        ("constant",),
        _id("constant", "mode constant"),
        _choice("mode", MODES, "main mode of a chain that it is counted on; constants of several rows add up"),
        _filter("commodities", "commodities.commodity", "only these goods", "all goods"),
        _filter("origins", "nodes.node", "only flows from here", "from anywhere"),
        _filter("destinations", "nodes.node", "only flows to here", "to anywhere"),
        _num("eur_per_t", "counted on every tonne", "EUR/t", 0, 1000, (0, 60)),
        optional=True,
    ),
    _table(
        "ranges",
        "how far an uncertain figure may be off; shown in reports",
        ("table", "row", "column"),
        _text("table", "table"),
        _text("row", "key of the row, parts joined by `/`; `*` for every row whose source is `assumption`"),
        _text("column", "column"),
        _num("low_factor", "figure times this is the low end", "", 0, 1),
        _num("high_factor", "figure times this is the high end", "", 1, 100),
        _text("reason", "why this far"),
        optional=True,
        sourced=False,
    ),
    _table(
        "scenarios",
        "a figure in a named scenario; a scenario has as many rows as figures change together",
        ("scenario", "table", "row", "column"),
        _id("scenario", "name of the scenario"),
        _text("table", "table"),
        _text("row", "key of the row without its year, parts joined by `/`; `*` for every row"),
        _text("column", "column"),
        _num("factor", "the figure times this", "", 0, 100),
        optional=True,
    ),
    _table(
        "control_totals",
        "what was observed around the base year, to hold against the flows of a plan; no model reads it",
        ("total",),
        _id("total", "control total"),
        _text("name", "name"),
        _choice(
            "measure",
            MEASURES,
            "what is measured, over the freight that every filter below leaves: tonnes handled at `nodes`, where a "
            "mode takes or leaves them (moved on by another mode, loaded or unloaded); tonnes carried over any of "
            "`links`; tonne-km; or WTW emissions per tonne-km of `modes`. Its unit is the last part of its name",
        ),
        Column("modes", "choices", "only these modes", options=MODES),
        _filter("nodes", "nodes.node", "places of a measure of handling", "none"),
        _filter("links", "links.link", "links of a measure of carrying", "none"),
        _filter("country", "countries.country", "only on links of this country", "every country", kind="ref"),
        _filter("origins", "nodes.node", "only from here", "from anywhere"),
        _filter("destinations", "nodes.node", "only to here", "to anywhere"),
        _filter("commodities", "commodities.commodity", "only these goods", "all goods"),
        _num("observed", "observed value", "see measure", 1e-6, 1e12),
        _year("observed_year", "year it was observed in"),
        _num("outside", "part of it that is not freight of this instance", "see measure", 0, 1e12),
        Column("reason", "text", "why a plan may lie far from it", blank="it should not", optional=True),
        optional=True,
    ),
    _table(
        "od",
        "demand: a flow in a year (CSV or Parquet), of one shipper if shippers are named",
        ("origin", "destination", "commodity", "year", "shipper"),
        _ref("origin", "nodes.node", "zone where it starts"),
        _ref("destination", "nodes.node", "zone where it ends"),
        _ref("commodity", "commodities.commodity", "commodity"),
        _year("year", "year"),
        Column(
            "shipper",
            "id",
            "who ships it: emissions are split by shipper",
            blank="one unnamed shipper",
            optional=True,
        ),
        _num("tonnes", "amount", "t/year", 0, 1e10, (0, 1e8)),
        sourced=False,
    ),
)

BY_NAME: dict[str, Table] = {table.name: table for table in TABLES}

META_KEYS: dict[str, str] = {
    "name": "short name",
    "title": "title",
    "version": "version of the instance",
    "licence": "licence of the data",
    "description": "what it is, in a sentence or two",
    "price_year": "year whose prices are used",
    "discount_rate": "real discount rate, share per year (0 to 0.3)",
    "boundary": "WTW",
    "carbon_base": "what the carbon price is paid on: TTW or WTW",
    "gwp_set": "AR5, AR6 or mixed",
    "grid_method": "how grid electricity is accounted for",
    "ferry_allocation": "mass, lane_metre, area, freight_only or user_share",
    "periods": "list of {year, years}: start year and length of each period",
    "chains": "{alternatives, max_main_legs}: how many chains per kind, and how many rail, sea and ferry legs",
}
CARBON_BASES = ("TTW", "WTW")
FERRY_ALLOCATIONS = ("mass", "lane_metre", "area", "freight_only", "user_share")
