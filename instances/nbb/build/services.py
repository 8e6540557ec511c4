"""Trains and ships, bought as a service: weights, energy and all-in cost per vehicle-km without energy and access."""

from __future__ import annotations

from store import YEARS, Row

# STraM: train set 7.8 MEUR over 30 years at 6 % (0.57 MEUR), upkeep 0.65, staff and general 0.61 MEUR a year, 178 500 km.
TRAIN_COST = 10.2
TRAIN_NOTE = (
    "cost per train-km: STraM electric set (7.8 MEUR over 30 years at 6 %, upkeep 0.65 and staff 0.61 MEUR a year) over "
    "178 500 km = 10.2 EUR, scaled to the train; diesel set 11.9 EUR; energy fitted to LIPASTO per tkm (return included)"
)
SHIP_NOTE = (
    "STraM short-sea ship of 9450 dwt: 15 MEUR over 25 years at 6 %, fixed 1.21 and upkeep 0.49 MEUR a year, 120 000 km "
    "= 23.9 EUR/km, port time within; energy fitted to LIPASTO and UK factors per tkm"
)
# vehicle, name, technology, carrier, gross, kerb, axle, gauge, EUR/vkm, kWh empty, kWh full, {handling: (load, empty)}, note
TRAINS = (
    ("train_ore_30t", "Ore train, 30 t axle", "electric", "electricity", 8600, 1830, 30, 1435, 22.0, 25.0, 92.0,
     {"dry_bulk": (1.0, 0.5)}, "68 wagons, 750 m, 8600 t (transportnet.se); two locomotives; LIPASTO ore train 0.017 kWh/tkm"),
    ("train_rana_ore", "Ore train, Rana", "diesel", "diesel", 3700, 1000, 25, 1435, 15.5, 55.0, 190.0,
     {"dry_bulk": (1.0, 0.5)}, "2700 t a trip (Metaller och Gruvor); LIPASTO diesel ore 5.9 g fuel/tkm"),
    ("train_rana_ore_electric", "Ore train, Rana, electric", "electric", "electricity", 3700, 1000, 25, 1435, 14.0, 16.0, 42.0,
     {"dry_bulk": (1.0, 0.5)}, "the same wagons behind an electric locomotive"),
    ("train_bulk_electric", "Block train 1435 mm, electric", "electric", "electricity", 2000, 600, 22.5, 1435, 10.2, 14.0, 30.0,
     {"dry_bulk": (0.9, 0.45), "liquid_bulk": (0.85, 0.45), "timber": (0.9, 0.45), "neo_bulk": (0.8, 0.4)},
     "LIPASTO mixed 0.027 kWh/tkm"),
    ("train_bulk_diesel", "Block train 1435 mm, diesel", "diesel", "diesel", 2000, 600, 22.5, 1435, 11.9, 38.0, 92.0,
     {"dry_bulk": (0.9, 0.45), "liquid_bulk": (0.85, 0.45), "timber": (0.9, 0.45), "neo_bulk": (0.8, 0.4)},
     "LIPASTO mixed 8.0 g fuel/tkm"),
    ("train_inland_diesel", "Light block train 1435 mm, diesel", "diesel", "diesel", 1000, 330, 20, 1435, 9.0, 22.0, 52.0,
     {"dry_bulk": (0.9, 0.45), "liquid_bulk": (0.85, 0.45), "timber": (0.9, 0.45), "neo_bulk": (0.8, 0.4), "container": (0.5, 0.2)},
     "for 20 t axle load; cost assumed"),
    ("train_combi_electric", "Combi train 1435 mm, electric", "electric", "electricity", 1600, 650, 22.5, 1435, 10.2, 11.0, 24.0,
     {"container": (0.5, 0.15), "break_bulk": (0.5, 0.2)}, "STraM 31.6 kWh per train-km is for longer trains; LIPASTO 0.027 kWh/tkm"),
    ("train_combi_diesel", "Combi train 1435 mm, diesel", "diesel", "diesel", 1600, 650, 22.5, 1435, 11.9, 34.0, 76.0,
     {"container": (0.5, 0.15), "break_bulk": (0.5, 0.2)}, "STraM 76.8 kWh per train-km; LIPASTO container 5.6 g fuel/tkm"),
    ("train_fi_bulk_electric", "Block train 1524 mm, electric", "electric", "electricity", 2500, 750, 22.5, 1524, 10.8, 16.0, 36.0,
     {"dry_bulk": (0.9, 0.45), "liquid_bulk": (0.85, 0.45), "timber": (0.9, 0.45), "neo_bulk": (0.8, 0.4)}, "LIPASTO mixed 0.027 kWh/tkm"),
    ("train_fi_bulk_diesel", "Block train 1524 mm, diesel", "diesel", "diesel", 2000, 650, 20, 1524, 11.9, 40.0, 95.0,
     {"dry_bulk": (0.9, 0.45), "liquid_bulk": (0.85, 0.45), "timber": (0.9, 0.45), "neo_bulk": (0.8, 0.4)}, "LIPASTO mixed 8.0 g fuel/tkm"),
    ("train_fi_combi_electric", "Combi train 1524 mm, electric", "electric", "electricity", 1800, 720, 22.5, 1524, 10.4, 12.0, 26.0,
     {"container": (0.5, 0.2), "break_bulk": (0.5, 0.25)}, "LIPASTO container 0.027 kWh/tkm"),
    ("train_fi_combi_diesel", "Combi train 1524 mm, diesel", "diesel", "diesel", 1600, 660, 20, 1524, 11.9, 34.0, 76.0,
     {"container": (0.5, 0.2), "break_bulk": (0.5, 0.25)}, "LIPASTO container 5.6 g fuel/tkm"),
)  # fmt: skip
SHIPS = (
    ("ship_bulk", "Bulk ship and tanker 9500 dwt", "sea", "marine", "marine_fuel", 13000, 3550, 23.9, 330.0, 420.0,
     {"dry_bulk": (0.68, 0.3), "liquid_bulk": (0.68, 0.4), "timber": (0.6, 0.35)}, SHIP_NOTE + "; LIPASTO medium bulk 16, UK small bulk 29.6 g TTW per tkm"),
    ("ship_general", "General cargo ship 6000 dwt", "sea", "marine", "marine_fuel", 8600, 2600, 17.0, 160.0, 195.0,
     {"neo_bulk": (0.7, 0.25), "break_bulk": (0.55, 0.25)}, SHIP_NOTE + "; paper, steel and sawn wood sail in ships of this size and in "
     "ro-ro ships (LIPASTO paper ship 41 g TTW per tkm, UK general cargo 14 to 20 g); cost of the STraM ship times 0.71"),
    ("ship_container", "Feeder ship 900 TEU", "sea", "marine", "marine_fuel", 13800, 4350, 24.5, 480.0, 600.0,
     {"container": (0.5733, 0.1)}, SHIP_NOTE + "; UK container ship below 1000 TEU 36.8 g TTW per tkm"),
    ("ferry_kvarken", "Ferry Umeå-Vaasa, freight share", "ferry", "ferry", "kvarken_ferry_mix", 4500, 3100, 0.0, 210.0, 300.0,
     {h: (0.3, 0.1) for h in ("dry_bulk", "liquid_bulk", "break_bulk", "neo_bulk", "timber", "container")},
     "1500 lane metres take 79 units of 17 m and 14 t; a fifth to a third is used by freight; energy: about 80 MWh gas a "
     "crossing, freight share by lane metres used (about a third), assumed; between LIPASTO 75 and UK 376 g TTW per tkm; cost: fare of the link"),
)  # fmt: skip


def vehicles() -> list[Row]:
    rows = [
        _row(v, name, "rail", tech, carrier, gross, kerb, axle, gauge, f"{note}; {TRAIN_NOTE}")
        for v, name, tech, carrier, gross, kerb, axle, gauge, _, _, _, _, note in TRAINS
    ]
    rows += [
        _row(v, name, mode, tech, carrier, gross, kerb, None, None, note)
        for v, name, mode, tech, carrier, gross, kerb, _, _, _, _, note in SHIPS
    ]
    return rows


def _row(
    v: str, name: str, mode: str, tech: str, carrier: str, gross: float, kerb: float, axle: float | None, gauge: int | None, note: str
) -> Row:  # fmt: skip
    return {
        "vehicle": v,
        "name": name,
        "mode": mode,
        "technology": tech,
        "energy_carrier": carrier,
        "gross_t": float(gross),
        "kerb_t": float(kerb),
        "axle_load_t": axle,
        "gauge_mm": gauge,
        "winter_factor": 1.05 if mode == "rail" else 1.0,
        "reserve_share": 0.0,
        "resale_share": 0.0,
        "available_from": 2015,
        "source": "stram;lipasto;defra_2025;assumption",
        "note": note,
    }


def vehicle_loads() -> list[Row]:
    rows: list[Row] = []
    for service in (*TRAINS, *SHIPS):
        loads = service[-2]
        assert isinstance(loads, dict)
        for handling, (load, empty) in loads.items():
            rows.append(
                {
                    "vehicle": service[0],
                    "handling": handling,
                    "load_factor": load,
                    "empty_share": empty,
                    "turnaround_h": 0.0,
                    "source": "stram;assumption",
                    "note": "STraM utilisation: trains 0.43 to 0.64, ships 0.57 to 0.68 of a round trip; split into load "
                    "factor and empty share by us",
                }
            )
    return rows


def vehicle_years() -> list[Row]:
    rows: list[Row] = []
    for service in (*TRAINS, *SHIPS):
        cost, empty, full = service[-5], service[-4], service[-3]
        for year in YEARS:
            rows.append(
                {
                    "vehicle": service[0],
                    "year": year,
                    "capex_eur": 0.0,
                    "fixed_eur_per_year": 0.0,
                    "running_eur_per_vkm": cost,
                    "empty_kwh_per_vkm": empty,
                    "full_kwh_per_vkm": full,
                    "source": "stram;lipasto;assumption",
                    "note": "all-in cost without energy, access charge and dues; level over the years",
                }
            )
    return rows
