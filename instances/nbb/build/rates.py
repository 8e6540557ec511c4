"""Cost and emissions per tonne-km that follow from the tables, to hold against published figures."""

from __future__ import annotations

from collections.abc import Iterator

from store import Row, Tables

# vehicle, cargo_type, country, gross limit t, access EUR/vkm, published figure to compare with
SAMPLES = (
    ("train_combi_electric", "container", "SE", 1600.0, 1.5, "STraM 0.017 EUR (28 wagons, 2240 t)"),
    ("train_combi_diesel", "container", "NO", 1200.0, 1.2, "STraM 0.021 EUR; LIPASTO 17.9 g TTW"),
    ("train_bulk_electric", "neo_bulk", "SE", 1600.0, 1.5, "STraM neo-bulk 0.018 EUR"),
    ("train_ore_30t", "dry_bulk", "SE", 8600.0, 4.0, "STraM dry bulk 0.012 EUR; LIPASTO 0.017 kWh"),
    ("train_rana_ore", "dry_bulk", "NO", 3700.0, 1.2, "LIPASTO 18.8 g TTW"),
    ("train_fi_bulk_electric", "timber", "FI", 2500.0, 2.0, "LIPASTO 0.026 kWh"),
    ("ship_bulk", "liquid_bulk", "XX", 1e9, 0.0, "STraM 0.010 EUR; LIPASTO 16, UK 29.6 g TTW"),
    ("ship_general", "neo_bulk", "XX", 1e9, 0.0, "STraM break bulk 0.013 EUR; UK 14-20, LIPASTO ro-ro 41 g TTW"),
    ("ship_container", "container", "XX", 1e9, 0.0, "STraM 0.0125 EUR; UK 36.8, LIPASTO 42 g TTW"),
    ("ferry_kvarken", "container", "XX", 1e9, 0.0, "fare not in; LIPASTO 75, UK 376 g TTW"),
)  # fmt: skip


def line_haul(tables: Tables) -> Iterator[tuple[object, ...]]:
    """Rows of (name, EUR per tkm without carbon, g WTW per tkm, figure to compare with) for 2025."""
    vehicles = {str(r["vehicle"]): r for r in tables["vehicles"]}
    for vehicle, cargo_type, country, limit, access, compare in SAMPLES:
        cost, grams = _service(tables, vehicles[vehicle], cargo_type, country, limit, access)
        yield f"{vehicles[vehicle]['name']}, {cargo_type}, {country}", f"{cost:.4f}", f"{grams:.1f}", compare
    for vehicle in ("truck_diesel", "truck_battery", "truck_battery_long", "truck_hydrogen"):
        year = 2030 if vehicle != "truck_diesel" else 2025
        cost, grams = _truck(tables, vehicles[vehicle], year)
        name = f"{vehicles[vehicle]['name']}, container, SE, 300 km, {year}"
        yield name, f"{cost:.4f}", f"{grams:.1f}", "STraM 2030: diesel 0.083, battery 0.099, hydrogen 0.119 EUR (40 t)"


def _one(rows: list[Row], **wanted: str | int) -> Row:
    return next(row for row in rows if all(row[key] == value for key, value in wanted.items()))


def _number(row: Row, column: str) -> float:
    return float(str(row[column]))


def _service(
    tables: Tables, vehicle: Row, cargo_type: str, country: str, limit: float, access: float
) -> tuple[float, float]:
    name = str(vehicle["vehicle"])
    load = _one(tables["vehicle_loads"], vehicle=name, cargo_type=cargo_type)
    cost = _one(tables["vehicle_years"], vehicle=name, year=2025)
    energy = _one(tables["energy"], energy_carrier=str(vehicle["energy_carrier"]), country=country, year=2025)
    gross, kerb = _number(vehicle, "gross_t"), _number(vehicle, "kerb_t")
    tonnes = (min(gross, limit) - kerb) * _number(load, "load_factor")
    back = _number(load, "empty_share")
    empty, full = _number(cost, "empty_kwh_per_vkm"), _number(cost, "full_kwh_per_vkm")
    loaded = empty + (full - empty) * tonnes / (gross - kerb)
    kwh = (loaded + empty * back / (1 - back)) / tonnes
    vkm = 1 / (tonnes * (1 - back))
    eur = vkm * (_number(cost, "running_eur_per_vkm") + access) + kwh * _number(energy, "price_eur_per_kwh")
    return eur, 1000 * kwh * (_number(energy, "ttw_kg_co2e_per_kwh") + _number(energy, "wtt_kg_co2e_per_kwh"))


def _truck(tables: Tables, vehicle: Row, year: int) -> tuple[float, float]:
    """All-in: capital over ten years at 4 %, 120 000 km a year, a quarter of the km empty, chargers not included."""
    name = str(vehicle["vehicle"])
    load = _one(tables["vehicle_loads"], vehicle=name, cargo_type="container")
    cost = _one(tables["vehicle_years"], vehicle=name, year=year)
    energy = _one(tables["energy"], energy_carrier=str(vehicle["energy_carrier"]), country="SE", year=year)
    driver = _number(_one(tables["country_years"], country="SE", year=year), "driver_cost_eur_per_h")
    gross, kerb = _number(vehicle, "gross_t"), _number(vehicle, "kerb_t")
    tonnes = (74.0 - kerb) * _number(load, "load_factor")
    empty, full = _number(cost, "empty_kwh_per_vkm"), _number(cost, "full_kwh_per_vkm")
    kwh = (empty + (full - empty) * tonnes / (gross - kerb) + empty / 3) / tonnes
    yearly = _number(cost, "capex_eur") * 0.04 / (1 - 1.04**-10) + _number(cost, "fixed_eur_per_year")
    vkm = 4 / 3 / tonnes
    eur = vkm * (yearly / 120000 + _number(cost, "running_eur_per_vkm") + driver / 75) + driver * 1.2 / 300 / tonnes
    eur += kwh * _number(energy, "price_eur_per_kwh")
    return eur, 1000 * kwh * (_number(energy, "ttw_kg_co2e_per_kwh") + _number(energy, "wtt_kg_co2e_per_kwh"))
