"""Trains and ships, bought as a service: weights, energy and all-in cost per vehicle-km without energy and access."""

from __future__ import annotations

from store import YEARS, Row, raw

COST_NOTES = {
    "train": "cost per train-km: STraM electric set (7.8 MEUR over 30 years at 6 %, upkeep 0.65 and staff 0.61 MEUR "
    "a year) over 178 500 km = 10.2 EUR, diesel set 11.9 EUR, scaled to the train; energy fitted to LIPASTO per tkm",
    "ship": "cost per km: STraM short-sea ship of 9450 dwt (15 MEUR over 25 years at 6 %, fixed 1.21 and upkeep 0.49 "
    "MEUR a year) over 120 000 km = 23.9 EUR, port time within, scaled; energy fitted to LIPASTO and UK factors",
    "": "cost: the fare stands at the link",
}


def vehicles() -> list[Row]:
    return [
        {
            "vehicle": r["vehicle"],
            "name": r["name"],
            "mode": r["mode"],
            "technology": r["technology"],
            "energy_carrier": r["energy_carrier"],
            "gross_t": float(r["gross_t"]),
            "kerb_t": float(r["kerb_t"]),
            "axle_load_t": float(r["axle_load_t"]) if r["axle_load_t"] else None,
            "gauge_mm": int(r["gauge_mm"]) if r["gauge_mm"] else None,
            "winter_factor": 1.05 if r["mode"] == "rail" else 1.0,
            "reserve_share": 0.0,
            "resale_share": 0.0,
            "available_from": 2015,
            "source": "stram;lipasto;defra_2025;assumption",
            "note": f"{r['note']}; {COST_NOTES[r['cost_note']]}",
        }
        for r in raw("services")
    ]


def vehicle_loads() -> list[Row]:
    rows: list[Row] = []
    for r in raw("services"):
        for part in r["loads"].split():
            cargo_type, load, empty = part.split(":")
            rows.append(
                {
                    "vehicle": r["vehicle"],
                    "cargo_type": cargo_type,
                    "load_factor": float(load),
                    "empty_share": float(empty),
                    "turnaround_h": 0.0,
                    "source": "stram;assumption",
                    "note": "STraM utilisation of a round trip: trains 0.43 to 0.64, ships 0.57 to 0.68; split into "
                    "load factor and empty share by us",
                }
            )
    return rows


def vehicle_years() -> list[Row]:
    return [
        {
            "vehicle": r["vehicle"],
            "year": year,
            "capex_eur": 0.0,
            "fixed_eur_per_year": 0.0,
            "running_eur_per_vkm": float(r["running_eur_per_vkm"]),
            "empty_kwh_per_vkm": float(r["empty_kwh"]),
            "full_kwh_per_vkm": float(r["full_kwh"]),
            "source": "stram;lipasto;assumption",
            "note": "all-in cost without energy, access charge and dues; level over the years",
        }
        for r in raw("services")
        for year in YEARS
    ]
