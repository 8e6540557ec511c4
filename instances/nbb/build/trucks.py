"""Truck combinations: weights, energy, costs by year, what each carries, and the fleet of today."""

from __future__ import annotations

from store import YEARS, Row, raw, refs

# Load factor of loaded trips, empty share inside the region, hours to load and unload, km a year.
LOADS = {
    "dry_bulk": (0.97, 0.45, 0.7, 200_000.0),
    "liquid_bulk": (0.92, 0.45, 1.2, 80_000.0),
    "break_bulk": (0.75, 0.25, 1.5, 115_000.0),
    "neo_bulk": (0.85, 0.35, 1.2, 115_000.0),
    "timber": (0.97, 0.45, 0.9, 85_000.0),
    "container": (0.46, 0.1, 1.2, 115_000.0),
}
# Making of truck and trailers, and of batteries. Both assumed.
MAKING_KG_PER_KERB_T, MAKING_KG_PER_KWH = 2500.0, 75.0
BATTERY_KWH = {"truck_battery": 540.0, "truck_battery_long": 1000.0}
MAKING_NOTE = "making: 2.5 kg CO2e per kg of truck and trailers, 75 kg per kWh of battery, both assumed"
FILLS_VOLUME = ("container", "break_bulk")
DIESEL_KERB_T = 24.0
LOAD_NOTE = (
    "container: STraM fills a 40 t rig with 15.3 t, and one of 25.25 m has half as much room again: 23 t; empty share "
    "3 to 5 % of general cargo in Sweden 2021 (Trafikanalys) and the trips to the next load; bulk and timber run back "
    "empty almost always within a region; containers and break bulk fill the volume first, so a heavier truck takes as "
    "many tonnes (higher share); hours to load and unload assumed; km a year: containers and what is packed between "
    "STraM (105 000) and the long-haul sample of CNR (128 000); dry bulk is shuttles in shifts, most of it the ore of "
    "Kaunis Iron (1120 km a truck and day, 400 000 a year), so that the hours of two shifts bind first; tank trucks "
    "between the 55 000 of STraM for all but containers and 105 000, timber 80 000 to 90 000, both assumed (in shifts "
    "Skogforsk's rig of 90 t did 1.4 million km in five years)"
)
DIESEL_CAPEX = {2025: 252000.0, 2030: 254000.0, 2035: 257000.0, 2040: 260000.0}
COST_NOTE = (
    "purchase: STraM tractor (105 kEUR in 2023) times 1.35 for a 76 t unit plus 110 kEUR trailers; battery premium: "
    "at least 181 kEUR in 2024 (Enova), then falling as in STraM, larger for the long battery; fixed: insurance, "
    "tax, overhead and road user charge of CNR (about 33 kEUR in 2021); running: tyres and maintenance of CNR (0.124 "
    "EUR/km at 60 t) times 1.35, battery 15 % less; energy: 26 l/100 km empty and 56 at 76 t, that is "
    "39 with 23 t (long-haul rigs 38, Sveriges Åkeriföretag) and 44 over a round trip with 63 t (Kaunis Iron: 15 000 t "
    "CO2 for 2.3 Mt over 160 km are 46); battery: half of that with 8 % charging loss, and little when idle; by year "
    "as in STraM"
)
VEHICLE_NOTE = (
    "76 t is the Finnish limit, a lower limit of a link cuts the load; lifetime 10 years for two periods (STraM: 8); "
    "130 000 km (CNR 128 000; by cargo type in vehicle_loads) or 3200 h in two shifts a year: long-haul rigs drive "
    "200 000 km, 350 000 in two shifts (Sveriges Åkeriföretag); the hours at ramps make the kind of goods count too"
)
VINTAGES = {2017: 0.22, 2019: 0.25, 2021: 0.27, 2023: 0.26}


def vehicles() -> list[Row]:
    return [
        {
            "vehicle": r["vehicle"],
            "name": r["name"],
            "mode": "road",
            "technology": r["technology"],
            "energy_carrier": r["energy_carrier"],
            "gross_t": 76.0,
            "kerb_t": float(r["kerb_t"]),
            "winter_factor": float(r["winter_factor"]),
            "range_km": float(r["range_km"]) if r["range_km"] else None,
            "reserve_share": 0.15 if r["charge_kw"] else 0.05,
            "charge_kw": float(r["charge_kw"]) if r["charge_kw"] else None,
            "annual_km": 130000.0,
            "annual_h": 3200.0,
            "lifetime_years": 10,
            "resale_share": 0.8,
            "available_from": int(r["available_from"]),
            "making_kg_co2e": MAKING_KG_PER_KERB_T * DIESEL_KERB_T,
            "battery_making_kg_co2e": BATTERY_KWH[r["vehicle"]] * MAKING_KG_PER_KWH if r["charge_kw"] else None,
            "making_source": "assumption",
            "source": "stram;cnr_2021;akeri_fuel;di_kaunis;assumption",
            "note": f"{r['note']}; {VEHICLE_NOTE}; {MAKING_NOTE}",
        }
        for r in raw("trucks")
    ]


def vehicle_loads() -> list[Row]:
    return [
        {
            "vehicle": r["vehicle"],
            "cargo_type": cargo_type,
            "load_factor": _load_factor(load, cargo_type, float(r["kerb_t"])),
            "empty_share": empty,
            "turnaround_h": hours,
            "annual_km": annual_km,
            "source": "stram;cnr_2021;di_kaunis;akeri_transport_fuel;assumption",
            "note": LOAD_NOTE,
        }
        for r in raw("trucks")
        for cargo_type, (load, empty, hours, annual_km) in LOADS.items()
    ]


def _load_factor(of_diesel: float, cargo_type: str, kerb_t: float) -> float:
    """Goods that fill the volume before the weight load as many tonnes on a heavier truck, at 74 t gross."""
    if cargo_type not in FILLS_VOLUME:
        return of_diesel
    return round(of_diesel * (74.0 - DIESEL_KERB_T) / (74.0 - kerb_t), 3)


def vehicle_years() -> list[Row]:
    return [
        {
            "vehicle": r["vehicle"],
            "year": year,
            "capex_eur": DIESEL_CAPEX[year] + float(r[f"premium{year}"]),
            "fixed_eur_per_year": float(r["fixed_eur_per_year"]),
            "running_eur_per_vkm": float(r["running_eur_per_vkm"]),
            "empty_kwh_per_vkm": round(float(r["empty_kwh"]) * float(r[f"left{year}"]), 3),
            "full_kwh_per_vkm": round(float(r["full_kwh"]) * float(r[f"left{year}"]), 3),
            "source": "stram;cnr_2021;enova;akeri_fuel;kaunis_co2;assumption",
            "note": COST_NOTE,
        }
        for r in raw("trucks")
        for year in YEARS
    ]


def occupations() -> list[Row]:
    """What one person does in a year: how many drivers, technicians and hands on quays a plan needs."""
    rows = raw("occupations")
    return [dict(r) | {"work_per_person": float(r["work_per_person"]), "source": refs(r["source"])} for r in rows]


# People to be had over those at work in the frozen plan of 2025, by year, and why.
LABOUR = {
    "drivers": (
        (1.05, 0.96, 0.92, 0.88),
        "iru_2024;tya_2025",
        "2025: hauliers of Sweden hired more than they had planned; 17 % of drivers retire until 2029 and between half "
        "and all of them are replaced; half that loss in the years after",
    ),
    "technicians": (
        (1.0, 0.95, 0.9, 0.85),
        "loadupnorth",
        "as many as are at work; a quarter of the mechanics that Sweden needed were trained (2018), for machines",
    ),
    "port_staff": ((1.0, 0.97, 0.94, 0.91), "", "as many as are at work, fewer as the working age population falls"),
}


def labour() -> list[Row]:
    """People to be had: those at work today, carried on by what is known of who retires and who is trained."""
    rows: list[Row] = []
    for r in raw("labour"):
        factors, source, reason = LABOUR[r["occupation"]]
        for year, factor in zip(YEARS, factors, strict=True):
            rows.append(
                {
                    "occupation": r["occupation"],
                    "fleet_region": r["fleet_region"],
                    "year": year,
                    "people": round(float(r["at_work"]) * factor, 1),
                    "source": ";".join(filter(None, [source, "assumption"])),
                    "note": f"{r['at_work']} at work in the frozen plan of 2025, times {factor:g}; {reason}",
                }
            )
    return rows


def fleet() -> list[Row]:
    """Diesel trucks of today by region, spread over four vintages; the rounding goes to the last one."""
    rows: list[Row] = []
    for r in raw("fleet_regions"):
        left = int(r["trucks"])
        for vintage, share in VINTAGES.items():
            some = left if vintage == max(VINTAGES) else round(int(r["trucks"]) * share)
            left -= some
            if some:
                rows.append(
                    {
                        "fleet_region": r["fleet_region"],
                        "vehicle": "truck_diesel",
                        "vintage_year": vintage,
                        "vehicles": some,
                        "source": "assumption",
                        "note": "enough trucks for the road work of the frozen plan in 2025 and 10 % more; "
                        "battery trucks of today are so few that they are left out",
                    }
                )
    return rows
