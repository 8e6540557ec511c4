"""Energy on the way: chargers, what others sell, breaks, wear of batteries, hills, and grants for battery trucks."""

from __future__ import annotations

from energy import ELECTRICITY_PRICE
from store import YEARS, Row, raw, refs

# EUR per kWh at others' points for trucks, VAT apart.
PUBLIC_PRICE = {2025: 0.40, 2028: 0.36, 2030: 0.32, 2035: 0.26, 2040: 0.22}
PUBLIC_WHY = (
    "price: Milence at Varberg 0.40 EUR/kWh in 2024, falling to 0.22 by 2040 with use, assumed, less the price of "
    "electricity of the country"
)
# MW that the regulation asks for in the area in 2030, and the share of it that stands in each year; afterwards as
# many again every five years, assumed. At 12 % of the hours nobody waits long, assumed.
AFIR_MW = {"core": 3.6, "comprehensive": 1.5}
AFIR_STANDS = {2025: 0.15, 2028: 0.6, 2030: 1.0, 2035: 2.0, 2040: 3.0}
AFIR_SHARE_OF_HOURS = 0.12
AFIR_WHY = (
    "energy: committed, in every plan: Article 4 of the regulation asks for {mw} MW in 2030 ({network} network: "
    "{rule}, half of it where fewer than 2000 heavy vehicles a day pass), 15 % of it in 2025, half in 2027, used 12 % "
    "of the hours; as much again every five years after 2030, assumed"
)
AFIR_RULE = {"core": "3.6 MW each 60 km, an area stands for two", "comprehensive": "1.5 MW each 100 km"}
BREAK_COUNTRIES = ("NO", "SE", "FI", "DE", "NL")
RANGE_LOST = 0.15


def chargers() -> list[Row]:
    return [
        {
            "charger": r["charger"],
            "name": r["name"],
            "kw": float(r["kw"]),
            "capex_eur": float(r["capex_eur"]),
            "fixed_eur_per_year": float(r["fixed_eur_per_year"]),
            "lifetime_years": int(r["lifetime_years"]),
            "utilisation_share": float(r["utilisation_share"]),
            "available_from": int(r["available_from"]),
            "source": "charging_hub_study;sundsvall_elnat;assumption",
            "note": f"{r['note']}; use of the year's hours assumed",
        }
        for r in raw("chargers")
    ]


def site_power() -> list[Row]:
    """Power of plants at the grid of a charging area, with those that wait for a connection."""
    rows: list[Row] = []
    for r in raw("site_power"):
        same: Row = {key: r[key] for key in ("charge_area", "plant", "in_queue", "note")} | {
            "source": refs(r["source"])
        }
        for year in YEARS:
            mw = float(r[f"t{year}"])
            rows.append(same | {"year": year, "mw": mw, "gwh_per_year": mw * float(r["gwh_per_mw"])})
    return rows


def public_charging() -> list[Row]:
    """Points of others where the regulation or the market brings them; they stand beside the grid connection."""
    rows: list[Row] = []
    for r in raw("charge_areas"):
        if not r["afir"]:
            continue
        mw = AFIR_MW[r["afir"]]
        for year, stands in AFIR_STANDS.items():
            rows.append(
                {
                    "charge_area": r["charge_area"],
                    "year": year,
                    "kwh_per_year": round(mw * 1000 * 8760 * AFIR_SHARE_OF_HOURS * stands, -3),
                    "kw": 1000.0 if r["afir"] == "core" and year >= 2030 else 400.0,
                    "price_add_eur_per_kwh": round(PUBLIC_PRICE[year] - ELECTRICITY_PRICE[r["country"]], 3),
                    "source": "eu_2023_1804;afir_iru;milence;assumption",
                    "note": AFIR_WHY.format(mw=mw, network=r["afir"], rule=AFIR_RULE[r["afir"]]) + "; " + PUBLIC_WHY,
                }
            )
    return rows


def driving_rules() -> list[Row]:
    return [
        {
            "country": country,
            "drive_h": 4.5,
            "break_h": 0.75,
            "source": "eu_561_2006",
            "note": "45 minutes after four and a half hours at the wheel",
        }
        for country in BREAK_COUNTRIES
    ]


def battery_wear() -> list[Row]:
    return [
        {
            "vehicle": r["vehicle"],
            "range_loss_share": RANGE_LOST,
            "source": "assumption",
            "note": "makers guarantee about 80 % after eight to ten years (general knowledge); the mean loses less",
        }
        for r in raw("trucks")
        if r["charge_kw"]
    ]


def gradients() -> list[Row]:
    return [
        {
            "link": r["link"],
            "energy_factor": float(r["energy_factor"]),
            "source": "assumption",
            "note": f"{r['note']}; what brakes take downhill is lost or half recovered, mean of both ways",
        }
        for r in raw("gradients")
    ]


def subsidies() -> list[Row]:
    return [
        {name: cell for name, cell in r.items() if name not in ("first_year", "last_year", "value", "source")}
        | {"first_year": int(r["first_year"]), "last_year": int(r["last_year"]), "value": float(r["value"])}
        | {"source": refs(r["source"])}
        for r in raw("subsidies")
    ]
