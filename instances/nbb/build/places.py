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
# EUR per t CO2e by country and year: taxes and trading that a truck, train or terminal of the country pays; XX: ships.
CARBON_PRICE = {
    "NO": {2025: 121.0, 2030: 205.0, 2035: 230.0, 2040: 260.0},
    "SE": {2025: 87.2, 2030: 124.0, 2035: 139.0, 2040: 159.0},
    "FI": {2025: 62.0, 2030: 131.0, 2035: 146.0, 2040: 166.0},
    "DE": {2025: 55.0, 2030: 80.0, 2035: 95.0, 2040: 115.0},
    "NL": {2025: 55.0, 2030: 80.0, 2035: 95.0, 2040: 115.0},
    "XX": {2025: 64.0, 2030: 101.0, 2035: 131.8, 2040: 172.0},
}
ETS2 = "ETS2 from 2028 at 80 EUR in 2030 (BloombergNEF 78 to 122), rising to 115 in 2040, assumed"
CARBON = {
    "NO": ("skatteetaten_co2;regjeringen_carbon", "CO2 tax of 3.79 NOK/l in 2025; the Norwegian path for emissions "
           "outside trading afterwards (2000 NOK of 2020 in 2030)"),
    "SE": ("regjeringen_carbon;bnef_ets2", f"CO2 tax of 2025 as before; half of it kept beside {ETS2}"),
    "FI": ("he_132_2025;bnef_ets2", f"CO2 tax of 62 EUR, 51 from 2027; beside it {ETS2}"),
    "DE": ("bnef_ets2", f"fuel trading at 55 EUR, then {ETS2}"),
    "NL": ("bnef_ets2", f"as Germany, then {ETS2}"),
    "XX": ("lr_fueleu;bettersea;regjeringen_carbon", "ships pay for 70 % of emissions of 2025 and for all from 2026: "
           "71 EUR times 0.9; then the Norwegian path for emissions trading"),
}  # fmt: skip


def countries() -> list[Row]:
    return [
        {"country": c, "name": name, "winter_share": share, "source": "assumption", "note": why}
        for c, name, share, why in COUNTRIES
    ]


def country_years() -> list[Row]:
    rows: list[Row] = []
    for country, cost in DRIVER_COST.items():
        source, why = CARBON[country]
        for year in YEARS:
            rows.append(
                {
                    "country": country,
                    "year": year,
                    "driver_cost_eur_per_h": round(cost * 1.01 ** (year - 2025), 1),
                    "carbon_price_eur_per_t": CARBON_PRICE[country][year],
                    "source": f"cnr_2021;{source};assumption",
                    "note": "driver: 36 EUR/h in Sweden 2021 (66924 EUR, 1850 h) plus 20 %, other countries by their "
                    f"wage level, +1 % a year; carbon: {why}; drivers to be had: not limited",
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
