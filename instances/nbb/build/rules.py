"""Policies, and how far uncertain figures may be off."""

from __future__ import annotations

from store import Row, nok, raw, refs, sek

INERTIA_PER_YEAR = 0.025
# Of the truck-km, as fast as sales let the stock turn: 14 % of new heavy trucks in Sweden were battery trucks in 2025,
# a tenth of the stock is renewed a year, and the law asks makers for 45 % less CO2 of new trucks in 2030.
BATTERY_SHARE = {2025: 0.06, 2028: 0.12, 2030: 0.3}
# Cut of CO2 that makers must reach on the mean of new heavy vehicles by (EU) 2019/1242, Article 3a, as (EU) 2024/1610
# has it; diesel trucks get as much better as it asks for from 2025 on, assumed.
CO2_CUT_OF_NEW_TRUCKS = {2030: 0.45, 2035: 0.65, 2040: 0.90}
DIESEL_CUT = 0.15
# Liquefied biogas for lorries in the region: a plant of 100 to 125 GWh a year feeds some 300 of them.
BIOGAS_SHARE = 0.1
# What a region gets of the plans of its country for freight in five years: money of the whole plan over
# twelve years, the region's part of the people, and the part that is new works for freight (half of it new works, half
# of those for freight). No frame of Finland's plan was found: half of what Sweden gives per head.
FREIGHT_WORKS_SHARE = 0.25
PLANS = {"NO": (nok(1308e3), 0.044), "SE": (sek(1200e3), 0.085)}
PEOPLE_K = {"SE": 904.0, "FI": 1100.0}
BUDGET_EUR = {country: frame * 5 / 12 * people * FREIGHT_WORKS_SHARE for country, (frame, people) in PLANS.items()}
BUDGET_EUR["FI"] = 0.5 * BUDGET_EUR["SE"] * PEOPLE_K["FI"] / PEOPLE_K["SE"]
BUDGET_SOURCE = {"NO": "nrk_ntp;assumption", "SE": "northsweden_plan;assumption", "FI": "northsweden_plan;assumption"}
BUDGET_WHY = {
    "NO": "a quarter (new works for freight, assumed) of 4.4 % (people of Nordland) of the plan of 1308 bn NOK for "
    "2025-36",
    "SE": "a quarter (new works for freight, assumed) of 8.5 % (people of the four northern counties) of the proposed "
    "plan of 1200 bn SEK for 2026-37",
    "FI": "half of Sweden's per head, assumed, for 1.1 million people from Ostrobothnia to Lapland: no frame of "
    "Liikenne 12 for 2026-37 was found",
}


def policies() -> list[Row]:
    rows: list[Row] = [
        {
            "policy": "inertia",
            "kind": "limit_mode_shift_share_per_year",
            "value": INERTIA_PER_YEAR,
            "source": "stram",
            "note": "the share of a mode in a commodity grows by at most 2.5 % of the tonnes a year",
        }
    ]
    for year, share in BATTERY_SHARE.items():
        rows.append(
            {
                "policy": f"battery_ceiling_{year}",
                "kind": "cap_technology_share",
                "technology": "battery",
                "year": year,
                "value": share,
                "source": "etn_driva;assumption",
                "note": "no faster than sales let the stock turn: 14 % of new heavy trucks in Sweden in 2025, a tenth "
                "of the stock new a year, half of sales by 2030 as the law asks makers (45 % less CO2 of new trucks), "
                "60 % afterwards, assumed",
            }
        )
    rows.append(
        {
            "policy": "biogas_supply",
            "kind": "cap_technology_share",
            "technology": "biogas",
            "value": BIOGAS_SHARE,
            "source": "foodaktuell_nurmo;assumption",
            "note": "the plant at Nurmo makes 100 to 125 GWh a year from 2026, at 0.4 GWh a truck enough for some 300, "
            "a tenth of the trucks of the region; that no more comes is assumed",
        }
    )
    for year, cut in CO2_CUT_OF_NEW_TRUCKS.items():
        rows.append(
            {
                "policy": f"zero_emission_{year}",
                "kind": "require_zero_emission_share",
                "year": year,
                "value": round(1 - (1 - cut) / (1 - DIESEL_CUT), 2),
                "source": "eu_2024_1610;assumption",
                "note": f"Article 3a: new heavy vehicles emit {cut:.0%} less from {year} on, in the mean of all that a "
                f"maker sells in the union; diesel trucks {DIESEL_CUT:.0%} less, as asked for from 2025 on, and the "
                "region as the union, assumed; Norway buys from the same makers",
            }
        )
    for country, value in BUDGET_EUR.items():
        rows.append(
            {
                "policy": f"budget_{country}",
                "kind": "limit_budget_eur",
                "country": country,
                "value": round(value, -6),
                "source": BUDGET_SOURCE[country],
                "note": f"public money for ideas among the projects, in five years: {BUDGET_WHY[country]}; what is "
                "decided or ordered by the market is not paid from it, and scenarios in which a country is alone set "
                "the others' to 0",
            }
        )
    return rows


def mode_constants() -> list[Row]:
    """What speaks against a mode beside cost and time; `calibrate.py` finds how much."""
    lists = ("commodities", "origins", "destinations", "source")
    return [
        {key: refs(value) if key in lists else value for key, value in r.items() if key != "total"}
        | {"eur_per_t": float(r["eur_per_t"])}
        for r in raw("mode_constants")
    ]


def ranges() -> list[Row]:
    factors = ("low_factor", "high_factor")
    return [dict(r) | {key: float(r[key]) for key in factors} for r in raw("ranges")]
