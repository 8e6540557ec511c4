"""Countries, nodes, fleet regions and charging areas."""

from __future__ import annotations

from store import YEARS, Row, raw

COUNTRIES = (
    ("NO", "Norway", 0.35, "November to March in the north, less at the coast"),
    ("SE", "Sweden", 0.38, "November to March in the north"),
    ("FI", "Finland", 0.38, "November to March"),
    ("DE", "Germany", 0.1, "few winter days"),
    ("NL", "Netherlands", 0.05, "few winter days"),
    ("XX", "international waters", 0.0, "not about driving"),
)
# EUR per driver hour in 2025; wages grow 1 % a year above prices.
DRIVER_COST = {"NO": 50.0, "SE": 43.0, "FI": 40.0, "DE": 38.0, "NL": 40.0, "XX": 40.0}
CARBON_PRICE = {2025: 87.2, 2030: 101.0, 2035: 131.8, 2040: 172.0}
CARBON_NOTE = (
    "Norwegian path for emissions trading (EUR of its own price year, not indexed); taken for the fuel taxes of the "
    "Nordic countries, for ETS2 (start 2028, 45 to 130 EUR expected) and for shipping in the ETS"
)


def countries() -> list[Row]:
    return [
        {"country": c, "name": name, "winter_share": share, "source": "assumption", "note": why}
        for c, name, share, why in COUNTRIES
    ]


def country_years() -> list[Row]:
    rows: list[Row] = []
    for country, cost in DRIVER_COST.items():
        for year in YEARS:
            rows.append(
                {
                    "country": country,
                    "year": year,
                    "driver_cost_eur_per_h": round(cost * 1.01 ** (year - 2025), 1),
                    "carbon_price_eur_per_t": CARBON_PRICE[year],
                    "source": "cnr_2021;regjeringen_carbon;assumption",
                    "note": "driver: 36 EUR/h in Sweden 2021 (66924 EUR, 1850 h) plus 20 %, other countries by their "
                    f"wage level, +1 % a year; carbon: {CARBON_NOTE}; drivers to be had: not limited",
                }
            )
    return rows


def nodes() -> list[Row]:
    rows: list[Row] = []
    for r in raw("nodes"):
        row: Row = {key: r[key] for key in r if key not in ("modes", "lat", "lon", "is_zone", "note")}
        row |= {"lat": float(r["lat"]), "lon": float(r["lon"]), "is_zone": r["is_zone"] == "true"}
        row |= {"source": "general_knowledge", "note": r["note"]}
        rows.append(row)
    return rows


def charge_areas() -> list[Row]:
    return [
        {
            "charge_area": r["charge_area"],
            "name": r["name"],
            "country": r["country"],
            "grid_mw": float(r["grid_mw"]),
            "source": "assumption",
            "note": r["note"],
        }
        for r in raw("charge_areas")
    ]


def fleet_regions() -> list[Row]:
    return [
        {
            "fleet_region": r["fleet_region"],
            "name": r["name"],
            "country": r["country"],
            "hub_node": r["hub_node"],
            "charge_area": r["charge_area"],
            "source": "assumption",
            "note": r["note"],
        }
        for r in raw("fleet_regions")
    ]
