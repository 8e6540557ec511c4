"""Truck combinations: weights, energy, costs by year, chargers and what each carries."""

from __future__ import annotations

from store import YEARS, Row

# Load factor of loaded trips, empty share inside the region, hours to load and unload.
LOADS = {
    "dry_bulk": (0.97, 0.45, 0.7),
    "liquid_bulk": (0.92, 0.45, 1.2),
    "break_bulk": (0.75, 0.25, 1.5),
    "neo_bulk": (0.85, 0.35, 1.2),
    "timber": (0.97, 0.45, 0.9),
    "container": (0.61, 0.22, 1.2),
}
LOAD_NOTE = (
    "container: STraM utilisation 0.613 and empty share 0.25; bulk and timber run back empty almost always within a region; "
    "hours to load and unload assumed"
)
# vehicle, name, technology, carrier, kerb t, winter factor, range km, charge kW, available from, note
TRUCKS = (
    ("truck_diesel", "Truck 76 t, diesel", "diesel", "diesel", 24.0, 1.06, None, None, 2015,
     "kerb 24 t: 74 t combinations carry about 50 t"),
    ("truck_hvo", "Truck 76 t, HVO100", "hvo", "hvo", 24.0, 1.06, None, None, 2025,
     "the same truck on HVO100; a diesel truck of today is not re-fuelled in the model, only new trucks choose"),
    ("truck_battery", "Truck 76 t, battery 540 kWh", "battery", "electricity", 26.5, 1.18, 250.0, 350.0, 2025,
     "2.5 t more than diesel (STraM: 10 % of the payload of a 40 t truck); 540 kWh at 2.1 kWh/km"),
    ("truck_battery_long", "Truck 76 t, battery 1000 kWh", "battery", "electricity", 28.0, 1.18, 470.0, 900.0, 2028,
     "4 t more than diesel: 1000 kWh at 5.5 kg/kWh less engine and tank; megawatt charging"),
    ("truck_hydrogen", "Truck 76 t, fuel cell", "hydrogen", "hydrogen", 25.5, 1.08, 700.0, None, 2030,
     "1.5 t more than diesel; filling stations are in the price of hydrogen"),
)  # fmt: skip
# kWh per km empty and full (76 t) in 2025, and what is left of it by year.
ENERGY = {
    "truck_diesel": (2.6, 4.4, {2025: 1.0, 2030: 0.965, 2035: 0.93, 2040: 0.895}),
    "truck_hvo": (2.6, 4.4, {2025: 1.0, 2030: 0.965, 2035: 0.93, 2040: 0.895}),
    "truck_battery": (1.4, 2.5, {2025: 1.0, 2030: 0.91, 2035: 0.875, 2040: 0.84}),
    "truck_battery_long": (1.45, 2.5, {2025: 1.0, 2030: 0.91, 2035: 0.875, 2040: 0.84}),
    "truck_hydrogen": (2.25, 3.8, {2025: 1.0, 2030: 0.91, 2035: 0.855, 2040: 0.8}),
}
DIESEL_CAPEX = {2025: 252000.0, 2030: 254000.0, 2035: 257000.0, 2040: 260000.0}
PREMIUM = {
    "truck_diesel": {2025: 0.0, 2030: 0.0, 2035: 0.0, 2040: 0.0},
    "truck_hvo": {2025: 0.0, 2030: 0.0, 2035: 0.0, 2040: 0.0},
    "truck_battery": {2025: 205000.0, 2030: 140000.0, 2035: 98000.0, 2040: 70000.0},
    "truck_battery_long": {2025: 330000.0, 2030: 225000.0, 2035: 150000.0, 2040: 105000.0},
    "truck_hydrogen": {2025: 350000.0, 2030: 260000.0, 2035: 190000.0, 2040: 140000.0},
}
FIXED = {"truck_battery": 28000.0, "truck_battery_long": 30000.0, "truck_hydrogen": 33000.0}
RUNNING = {"truck_battery": 0.14, "truck_battery_long": 0.15, "truck_hydrogen": 0.2}
COST_NOTE = (
    "purchase: STraM tractor (105 kEUR in 2023) times 1.35 for a 76 t unit plus 110 kEUR trailers; battery premium: "
    "at least 181 kEUR in 2024 (Enova), then falling as in STraM, larger for the long battery; fixed: insurance, tax, "
    "overhead and road user charge of CNR (about 33 kEUR in 2021); running: tyres and maintenance of CNR (0.124 EUR/km "
    "at 60 t) times 1.35, battery 15 % less. Energy: 34.5 l/100 km at 60 t (CNR) scaled by (t/60)^0.7; battery "
    "2.1 kWh/km at 74 t and 8 % charging loss; years: STraM"
)
CHARGERS = (
    ("depot_75", "Night charger 75 kW", 75.0, 35000.0, 700.0, 15, 0.3, 2025, "one truck over night"),
    ("ccs_400", "Fast charger 400 kW", 400.0, 130000.0, 4000.0, 12, 0.22, 2025, "110 kEUR in a German hub study plus site works"),
    ("mcs_1000", "Megawatt charger 1000 kW", 1000.0, 420000.0, 9000.0, 12, 0.22, 2028, "375 kEUR in the same study plus site works; 0.35 to 1.2 MEUR from EU grants"),
)  # fmt: skip
VINTAGES = {2017: 0.22, 2019: 0.25, 2021: 0.27, 2023: 0.26}


def vehicles() -> list[Row]:
    return [
        {
            "vehicle": v,
            "name": name,
            "mode": "road",
            "technology": technology,
            "energy_carrier": carrier,
            "gross_t": 76.0,
            "kerb_t": kerb,
            "winter_factor": winter,
            "range_km": km,
            "reserve_share": 0.15 if kw else 0.05,
            "charge_kw": kw,
            "annual_km": 130000.0,
            "annual_h": 3200.0,
            "lifetime_years": 10,
            "resale_share": 0.8,
            "available_from": first,
            "source": "stram;cnr_2021;assumption",
            "note": f"{note}; 76 t is the Finnish limit, a link with a lower limit cuts the load; lifetime 10 years to "
            "span two periods (STraM 8); 130 000 km (CNR 128 000) or 3200 h in two shifts a year",
        }
        for v, name, technology, carrier, kerb, winter, km, kw, first, note in TRUCKS
    ]


def vehicle_loads() -> list[Row]:
    return [
        {
            "vehicle": truck[0],
            "handling": handling,
            "load_factor": load,
            "empty_share": empty,
            "turnaround_h": hours,
            "source": "stram;assumption",
            "note": LOAD_NOTE,
        }
        for truck in TRUCKS
        for handling, (load, empty, hours) in LOADS.items()
    ]


def vehicle_years() -> list[Row]:
    rows: list[Row] = []
    for truck in TRUCKS:
        v = truck[0]
        empty, full, left = ENERGY[v]
        for year in YEARS:
            rows.append(
                {
                    "vehicle": v,
                    "year": year,
                    "capex_eur": DIESEL_CAPEX[year] + PREMIUM[v][year],
                    "fixed_eur_per_year": FIXED.get(v, 33000.0),
                    "running_eur_per_vkm": RUNNING.get(v, 0.17),
                    "empty_kwh_per_vkm": round(empty * left[year], 3),
                    "full_kwh_per_vkm": round(full * left[year], 3),
                    "source": "stram;cnr_2021;enova;assumption",
                    "note": COST_NOTE,
                }
            )
    return rows


def chargers() -> list[Row]:
    keys = ("charger", "name", "kw", "capex_eur", "fixed_eur_per_year", "lifetime_years", "utilisation_share", "available_from")
    return [
        dict(zip(keys, row[:-1], strict=True))
        | {"source": "charging_hub_study;assumption", "note": f"{row[-1]}; fixed cost and use of the year's hours assumed"}
        for row in CHARGERS
    ]


def fleet(trucks: dict[str, int]) -> list[Row]:
    """Diesel trucks of today by region, spread over four vintages; the rounding goes to the last one."""
    rows: list[Row] = []
    for region, number in trucks.items():
        left = number
        for vintage, share in VINTAGES.items():
            some = left if vintage == max(VINTAGES) else round(number * share)
            left -= some
            if some:
                rows.append(
                    {
                        "fleet_region": region,
                        "vehicle": "truck_diesel",
                        "vintage_year": vintage,
                        "vehicles": some,
                        "source": "assumption",
                        "note": "enough trucks for the road work of the do-nothing plan in 2025 and 10 % more; battery "
                        "trucks of today are so few that they are left out",
                    }
                )
    return rows
