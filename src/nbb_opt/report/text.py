"""Numbers and names as the report writes them: narrow no-break spaces, units, plain words."""

from __future__ import annotations

import math

THIN = "\u202f"  # between thousands
NO_BREAK = "\u00a0"  # before units
MINUS = "\u2212"

MODE_WORDS = {"road": "Road", "rail": "Rail", "sea": "Sea", "ferry": "Ferry"}
TECHNOLOGY_WORDS = {
    "diesel": "Diesel",
    "hvo": "HVO",
    "biogas": "Biogas",
    "battery": "Battery",
    "hydrogen": "Hydrogen",
    "electric": "Overhead line",
    "marine": "Marine fuel",
    "ferry": "Ferry",
}
COMPONENT_WORDS = {
    "service": "Rail, sea and ferry services",
    "road_energy": "Truck energy",
    "road_running": "Truck running and tolls",
    "drivers": "Drivers",
    "handling": "Handling at terminals",
    "cargo_time": "Time of the goods",
    "mode_constant": "Mode constants",
    "carbon": "Carbon price",
    "added_carbon_price": "Carbon price that the model adds",
    "emission_weight": "Weight of the model on emissions",
    "fleet_fixed": "Trucks, yearly",
    "fleet_purchase": "Trucks, purchase",
    "fleet_resale": "Trucks, resale",
    "fleet_grant": "Trucks, grants",
    "public_charging": "Charging at others' points, markup",
    "inputs": "Inputs at the gate, above today's contracts",
    "fuel_substitution": "Other fuels than the vehicles' own, extra cost",
    "charger_fixed": "Chargers, yearly",
    "charger_purchase": "Chargers, purchase",
    "charger_residual": "Chargers, residual value",
    "project_fixed": "Projects, yearly",
    "project_purchase": "Projects, purchase",
    "project_residual": "Projects, residual value",
}


def number(value: float, decimals: int = 0, *, sign: bool = False) -> str:
    """Write a number with narrow spaces between thousands; an en dash for a value that does not exist.

    >>> number(1234567.8).replace(THIN, "_"), number(-0.5, 1), number(3, sign=True), number(float("nan"))
    ('1_234_568', '−0.5', '+3', '–')
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "unlimited"
    rounded = round(value, decimals) + 0.0
    written = f"{abs(rounded):,.{decimals}f}".replace(",", THIN)
    if rounded < 0:
        return MINUS + written
    return ("+" if sign and rounded > 0 else "") + written


def short(value: float, *, sign: bool = False) -> str:
    """Write a number with about three significant digits.

    >>> [short(v).replace(THIN, "_") for v in (0.04213, 3.14159, 42.35, 1234.5, 0)]
    ['0.042', '3.14', '42.4', '1_234', '0']
    """
    if value is None or not math.isfinite(value) or value == 0:
        return number(value)
    size = math.floor(math.log10(abs(value)))
    return number(value, min(6, max(0, 2 - size)) if size >= -1 else min(6, 1 - size), sign=sign)


def with_unit(value: float, unit: str, decimals: int | None = None, *, sign: bool = False) -> str:
    """Write a number and its unit, never broken over two lines.

    >>> with_unit(12.5, "MEUR", 1).replace(NO_BREAK, "_")
    '12.5_MEUR'
    """
    written = short(value, sign=sign) if decimals is None else number(value, decimals, sign=sign)
    return f"{written}{NO_BREAK}{unit}" if unit else written


def meur(value_eur: float, decimals: int | None = None, *, sign: bool = False) -> str:
    """Write EUR as million EUR, with one decimal below 1000 MEUR unless told otherwise.

    >>> meur(2_500_000).replace(NO_BREAK, "_")
    '2.5_MEUR'
    """
    digits = (1 if abs(value_eur) < 1e9 else 0) if decimals is None else decimals
    return with_unit(value_eur / 1e6, "MEUR", digits, sign=sign)


def kt(tonnes: float, decimals: int | None = None, *, sign: bool = False) -> str:
    """Write tonnes as thousand tonnes (ktonnes), with one decimal below 1000 kt unless told otherwise."""
    digits = (1 if abs(tonnes) < 1e6 else 0) if decimals is None else decimals
    return with_unit(tonnes / 1e3, "kt", digits, sign=sign)


def percent(share: float, decimals: int | None = None, *, sign: bool = False) -> str:
    """Write a share as a percentage, with one decimal (two below 0.1 %) unless told otherwise.

    >>> percent(-0.0361, sign=True).replace(NO_BREAK, "_")
    '−3.6_%'
    """
    digits = (2 if 0 < abs(share) < 0.001 else 1) if decimals is None else decimals
    return with_unit(share * 100, "%", digits, sign=sign)


def cut(words: str, length: int) -> str:
    """Shorten words to `length` characters, with an ellipsis.

    >>> cut("Skelleftehamn", 8)
    'Skellef…'
    """
    return words if len(words) <= length else words[: length - 1].rstrip() + "…"


def listed(words: list[str]) -> str:
    """Join words as a sentence does.

    >>> listed(["rail"]), listed(["rail", "sea", "ferry"])
    ('rail', 'rail, sea and ferry')
    """
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def duration(seconds: float) -> str:
    """In words.

    >>> duration(42.0), duration(600.0), duration(9000.0)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def plural(count: float, one: str, many: str) -> str:
    """Write a count with its noun.

    >>> plural(1, "truck", "trucks").replace(NO_BREAK, "_"), plural(2, "truck", "trucks").replace(NO_BREAK, "_")
    ('1_truck', '2_trucks')
    """
    return f"{number(count)}{NO_BREAK}{one if count == 1 else many}"


def component_word(component: str) -> str:
    """Name a cost component in plain words; an unknown one keeps its own name."""
    return COMPONENT_WORDS.get(component, component)


def plain(name: str) -> str:
    """Write an energy carrier or a unit of the tables in words.

    >>> plain("marine_biogas"), plain("hvo"), plain("g_co2e_per_mj"), plain("kg_co2_per_kwh")
    ('marine biogas', 'HVO', 'g CO2e/MJ', 'kg CO2/kWh')
    """
    written = {"co2e": "CO2e", "co2": "CO2", "mj": "MJ", "kwh": "kWh", "hvo": "HVO"}
    return " ".join(written.get(part, part) for part in name.split("_")).replace(" per ", "/")
