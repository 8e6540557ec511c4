"""Every table and column of a stram instance and every key of its `instance.toml`, said once.

Money is in NOK, freight in tonnes per year, emissions in tonnes (or grams) of CO2. Tables are CSV files.
"""

from __future__ import annotations

from dataclasses import dataclass

from nbb_opt.instance.schema import Column, Kind, Table

PROBLEM = "stram"
META_FILE = "instance.toml"


def _num(name: str, meaning: str, unit: str, *, high: float = 1e14, blank: str | None = None) -> Column:
    return Column(name, "number", meaning, unit, blank=blank, low=0.0, high=high)


def _ref(name: str, target: str, meaning: str, blank: str | None = None) -> Column:
    return Column(name, "ref", meaning, target=target, blank=blank)


def _whole(name: str, meaning: str, unit: str = "", *, kind: Kind = "integer", blank: str | None = None) -> Column:
    return Column(name, kind, meaning, unit, blank=blank, low=0 if kind == "integer" else 1950, high=2120)


def _year(name: str = "year", meaning: str = "year of the periods", blank: str | None = None) -> Column:
    return _whole(name, meaning, "year", kind="year", blank=blank)


MODE = _ref("mode", "modes.mode", "mode")
FUEL = _ref("fuel", "technologies.fuel", "fuel")
PRODUCT = _ref("product", "products.product", "product")
NO_STEP = "nothing can be built here"

TABLES: tuple[Table, ...] = (
    Table("nodes", "a place", ("node",), (Column("node", "id", "name of the place"),)),
    Table(
        "modes", "a mode of transport", ("mode",),
        (
            Column("mode", "id", "name of the mode"),
            Column("speed_km_per_h", "number", "speed in motion", "km/h", low=1.0, high=1000.0),
            Column("fleet_lifetime_years", "number", "lifetime of its vehicles", "years", low=1.0, high=100.0),
            _num("first_share_min", "smallest share of all tonne-km in the first year", "share", high=1.0),
        ),
    ),
    Table(
        "products", "a kind of goods", ("product",),
        (
            Column("product", "id", "name of the product"),
            _num("time_value_nok_per_t_h", "value of an hour of one tonne", "NOK/(t h)", high=1e5),
        ),
    ),
    Table(
        "technologies", "a fuel in a mode", ("mode", "fuel"),
        (
            MODE,
            Column("fuel", "id", "fuel or drive"),
            _num("first_share_max", "largest share of the mode's tonne-km in the first year", "share", high=1.0),
            _year("spread_start_year", "first year of Bass diffusion", "mature: no diffusion"),
            _num("bass_p_per_year", "Bass coefficient of innovation", "1/year", high=1.0, blank="mature"),
            _num("bass_q_per_year", "Bass coefficient of imitation", "1/year", high=2.0, blank="mature"),
            _year("phase_out_year", "first year in which it may not be used", "never"),
        ),
    ),
    Table(
        "technology_years", "the ceiling of a spreading fuel in a year", ("mode", "fuel", "year"),
        (MODE, FUEL, _year(), _num("share_max", "largest share of the mode's tonne-km", "share", high=1.0)),
    ),
    Table(
        "periods", "a year that is planned", ("year",),
        (
            _year(meaning="first year of the period"),
            Column("stage", "integer", "1: before the scenario is known, 2: after", low=1, high=2),
            _num("yearly_factor", "sum of the discount factors of its years", "years", high=100.0),
            _num("investment_factor", "discount factor of what is built in it", "", high=1.0),
            _num("emission_cap_share", "soft cap, share of first-year emissions", "share", high=10.0, blank="no cap"),
        ),
    ),
    Table(
        "scenarios", "a future", ("scenario",),
        (Column("scenario", "id", "name of the future"), _num("probability", "its probability", "share", high=1.0)),
    ),
    Table(
        "edges", "a stretch between two places, both directions", ("edge",),
        (
            Column("edge", "id", "name of the edge"),
            _ref("node_a", "nodes.node", "one end"),
            _ref("node_b", "nodes.node", "other end"),
            MODE,
            Column("distance_km", "number", "length", "km", low=0.001, high=50000.0),
            Column("limited", "bool", "whether its capacity limits flows"),
            _num("capacity_t_per_year", "capacity, both directions together", "t/year", blank="not known"),
            _num("increment_t_per_year", "what an expansion adds", "t/year", blank=NO_STEP),
            _num("expansion_nok", "cost of an expansion", "NOK", blank=NO_STEP),
            _whole("expansion_lead_years", "years until an expansion can be used", "years", blank=NO_STEP),
            Column("upgrade_fuel", "text", "fuel that needs an upgrade here", blank="none does"),
            _num("upgrade_nok", "cost of the upgrade", "NOK", blank="no upgrade"),
            _whole("upgrade_lead_years", "years until an upgrade can be used", "years", blank="no upgrade"),
        ),
    ),
    Table(
        "charging", "rent of charging or filling on an edge in a year", ("edge", "fuel", "year"),
        (
            _ref("edge", "edges.edge", "edge"), FUEL, _year(),
            _num("rent_nok_per_t", "rent of capacity for one tonne a year", "NOK/t", high=1e6),
        ),
    ),
    Table(
        "terminals", "a terminal of a mode at a place", ("node", "mode"),
        (
            _ref("node", "nodes.node", "place"), MODE,
            Column("limited", "bool", "whether its capacity limits flows"),
            _num("capacity_t_per_year", "capacity", "t/year"),
            _num("increment_t_per_year", "what a full expansion adds", "t/year", blank=NO_STEP),
            _num("expansion_nok", "cost of a full expansion", "NOK", blank=NO_STEP),
            _whole("expansion_lead_years", "years until it can be used", "years", blank=NO_STEP),
        ),
    ),
    Table(
        "demand", "freight to be carried", ("origin", "destination", "product", "year"),
        (
            _ref("origin", "nodes.node", "from"), _ref("destination", "nodes.node", "to"), PRODUCT, _year(),
            _num("t_per_year", "tonnes", "t/year"),
        ),
    ),
    Table(
        "vehicles", "the vehicle that carries a product", ("mode", "product"),
        (MODE, PRODUCT, Column("vehicle", "text", "type of vehicle")),
    ),
    Table(
        "unit_costs", "cost of a tonne-km in a scenario", ("scenario", "mode", "fuel", "product", "year"),
        (
            _ref("scenario", "scenarios.scenario", "scenario"), MODE, FUEL, PRODUCT, _year(),
            _num("nok_per_tkm", "cost without the CO2 fee", "NOK/tkm", high=1e4),
        ),
    ),
    Table(
        "unit_emissions", "emissions of a tonne-km", ("mode", "fuel", "product", "year"),
        (
            MODE, FUEL, PRODUCT, _year(), _num("g_co2_per_tkm", "emissions", "g/tkm", high=1e5),
            _num("co2_nok_per_tkm", "CO2 fee", "NOK/tkm", high=1e4),
        ),
    ),
    Table(
        "empty_products", "the product whose cost and emissions stand for an empty vehicle",
        ("mode", "fuel", "year", "vehicle"),
        (MODE, FUEL, _year(), Column("vehicle", "text", "type of vehicle"), PRODUCT),
    ),
    Table(
        "transfers", "a change of mode", ("mode_from", "mode_to", "product"),
        (
            _ref("mode_from", "modes.mode", "from"), _ref("mode_to", "modes.mode", "to"), PRODUCT,
            _num("nok_per_t", "cost", "NOK/t", high=1e6), _num("hours", "time", "h", high=1e4),
        ),
    ),
    Table(
        "path_legs", "a leg of a candidate path", ("path", "step"),
        (
            Column("path", "integer", "number of the path", low=0, high=10**9),
            _whole("step", "0, 1, 2, ... along the path"),
            _ref("edge", "edges.edge", "edge"),
            Column("from_node", "text", "the end where the leg begins"),
        ),
    ),
)  # fmt: skip
BY_NAME = {table.name: table for table in TABLES}


@dataclass(frozen=True, kw_only=True)
class StramRules:
    """Figures of `[rules]` in `instance.toml`; shares are of one, amounts per year."""

    empty_factor: float
    mode_growth_max_per_year: float
    mode_decline_max_per_year: float
    direction_share: float
    upgrade_capacity_factor: float
    link_tolerance_t: float
    balance_tolerance_t: float
    first_emission_band_share: float
    excess_nok_per_t_co2: float
    cvar_weight: float
    cvar_level: float


RULES: dict[str, tuple[str, float, float]] = {
    "empty_factor": ("cost and emissions of an empty tonne-km of capacity, relative to a loaded one", 0.0, 1.0),
    "mode_growth_max_per_year": ("largest growth of a mode's tonne-km", 0.0, 1.0),
    "mode_decline_max_per_year": ("largest decline of a mode's tonne-km", 0.0, 1.0),
    "direction_share": ("share of an edge's capacity in each direction", 0.0, 1.0),
    "upgrade_capacity_factor": ("flow of the upgraded fuel, relative to capacity and increment", 0.0, 100.0),
    "link_tolerance_t": ("how far arc and path flows may be apart", 0.0, 1e9),
    "balance_tolerance_t": ("how far vehicles may be out of balance", 0.0, 1e9),
    "first_emission_band_share": ("how far first-year emissions may be from those of that year alone", 0.0, 1.0),
    "excess_nok_per_t_co2": ("price of emissions above the cap", 0.0, 1e9),
    "cvar_weight": ("weight of the conditional value at risk", 0.0, 1.0),
    "cvar_level": ("level of the conditional value at risk, below 1", 0.0, 0.999),
}
TEXT_KEYS = {
    "problem": "the word stram",
    "name": "a short name",
    "title": "a title",
    "description": "what it is and where it is from",
    "licence": "the licence of the data",
    "base_scenario": "the scenario of the deterministic model",
    "road_mode": "the mode by which goods come to and leave terminals",
}
