# ruff: noqa: E501
"""Write the tables of the haulier from the lists in `figures.py`: `python instances/haulier/build.py`. The same lists give the same bytes."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import figures as f  # noqa: E402

YEARS = (2026, 2030)
GROSS_T = 74
ANNUAL_KM, ANNUAL_H, LIFE = 128000, 4400, 8


def write(name: str, header: str, rows: list[list[object]]) -> None:
    columns = header.split(",")
    with (HERE / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            if len(row) != len(columns):
                raise ValueError(f"{name}: {row} has {len(row)} cells, not {len(columns)}")
            writer.writerow(["true" if c is True else "false" if c is False else c for c in row])


def places() -> None:
    write("sources", "source,title,url,licence,year", [list(row) for row in f.SOURCES])
    winter = "snow and frost from November to March, 5 of 12 months, heavier traffic outside"
    write(
        "countries",
        "country,name,winter_share,source,note",
        [
            ["SE", "Sweden", 0.4, f.ASM, winter],
            ["NO", "Norway", 0.4, f.ASM, winter],
            ["FI", "Finland", 0.35, f.ASM, "coast: a little less"],
            ["XX", "International waters", 0, f.ASM, "the ferry keeps its timetable"],
        ],
    )
    paid = {
        "SE": (44, "cnr2021;assumption", "66 924 EUR a year / 1 850 h = 36 EUR/h, x 1.22 to 2025; 60 drivers"),
        "NO": (56, f.ASM, "Norwegian wages are about a quarter higher; hardly used, since the depots are Swedish"),
        "FI": (42, f.ASM, "a little below Sweden"),
        "XX": (40, f.ASM, "not used: nobody drives at sea"),
    }
    carbon = {2026: 0, 2030: 45}
    drivers_h = 60 * 1850  # drivers of the company, hours a year of one (CNR)
    write(
        "country_years",
        "country,year,driver_cost_eur_per_h,carbon_price_eur_per_t,driver_limit_h_per_year,source,note",
        [
            [
                c,
                y,
                eur,
                carbon[y] if c != "XX" else 0,
                drivers_h if c == "SE" else "",
                f"{source};ets2" if c != "XX" else source,
                why,
            ]
            for c, (eur, source, why) in paid.items()
            for y in YEARS
        ],
    )
    write(
        "charge_areas",
        "charge_area,name,country,grid_mw,power_eur_per_kw_month,source,note",
        [
            [area, name, "SE", mw, f.POWER_EUR_PER_KW_MONTH, "sundsvall_elnat;assumption", f"{why}; power tariff: 582 SEK/kW a year at high voltage"]
            for area, name, mw, why in f.AREAS
        ],
    )  # fmt: skip
    write(
        "fleet_regions",
        "fleet_region,name,country,hub_node,charge_area,source,note",
        [[*row, f.OWN, ""] for row in f.DEPOTS],
    )
    write(
        "nodes",
        "node,name,country,lat,lon,kind,is_zone,fleet_region,charge_area,unlocode,nuts3,source,note",
        [[*row, "", "", f.GK, ""] for row in f.NODES],
    )


def network() -> None:
    rows: list[list[object]] = []
    for a, b, country, km, speed, limit, road in f.ROADS:
        why = f"{road}; mean speed {speed} km/h assumed; limit {limit} t" + (
            " (not verified)" if country == "NO" else ""
        )
        cells = [f"{a}_{b}", a, b, True, "road", country, km, round(km / speed, 4), "", "", "", "", ""]
        rows.append([*cells, limit, 0, 0, "", road, f"{f.GK};weights_se" if country == "SE" else f.GK, why])
    ferry = ["HOL_VSK", "HOL", "VSK", True, "ferry", "XX", 100, 10, "", "", "", "", "", "", 0, 15, "", "Kvarken"]
    why = "100 km of fairway, 4 h and half the interval between sailings; fare 15 EUR/t for a trailer alone (no tariff found)"
    rows.append([*ferry, "kvarken;assumption", why])
    head = "link,from_node,to_node,two_way,mode,country,distance_km,time_h,capacity_t_per_year,capacity_link,gauge_mm,"
    tail = "electrified_share,axle_load_t,max_gross_t,toll_eur_per_vkm,charge_eur_per_t,project,corridor,source,note"
    write("links", head + tail, rows)
    quays = [("QUAY_HOL", "Holmsund ferry quay", "HOL"), ("QUAY_VSK", "Vaasa ferry quay", "VSK")]
    write(
        "terminals",
        "terminal,name,node,capacity_t_per_year,source,note",
        [[terminal, name, node, "", f.GK, "far from full for this company"] for terminal, name, node in quays],
    )
    write(
        "transfers",
        "node,mode_a,mode_b,terminal,project,source,note",
        [[node, "road", "ferry", terminal, "", f.GK, "trailer without tractor"] for terminal, _, node in quays],
    )
    why = "76 NOK/t ro-ro at 11.6 NOK/EUR; hours and terminal tractor (0.3 kg/t) assumed"
    write(
        "handling_costs",
        "mode_a,mode_b,cargo_type,cost_eur_per_t,time_h,ttw_kg_co2e_per_t,wtt_kg_co2e_per_t,source,note",
        [["road", "ferry", h, 6.55, 3, 0.25, 0.06, "gronland;assumption", why] for h in ("container", "neo_bulk")],
    )


def goods() -> None:
    write(
        "commodities",
        "commodity,name,nst2007,cargo_type,value_of_time_eur_per_t_h,modes,source,note",
        [[c, name, "", h, vot, modes, source, why] for c, name, h, vot, modes, source, why in f.COMMODITIES],
    )
    write(
        "od",
        "origin,destination,commodity,year,tonnes",
        [
            [a, b, commodity, year, kt * 1000]
            for commodity, orders in f.ORDERS.items()
            for a, b, *kts in orders
            for year, kt in zip(YEARS, kts, strict=True)
        ],
    )


def vehicles() -> None:
    trucks: list[list[object]] = [
        [v, name, "road", tech, carrier, GROSS_T, kerb, "", "", winter, km, reserve, kw]
        + [ANNUAL_KM, ANNUAL_H, LIFE, resale, since, "cnr2021;stram;assumption", why]
        for v, name, tech, carrier, kerb, winter, km, reserve, kw, resale, since, why in f.TRUCKS
    ]
    ferry = ["FERRY", "Ferry, freight share", "ferry", "ferry", "marine_fuel", 16000, 12500, "", "", 1, "", 0, ""]
    why = "3 500 t of trailers on 1 500 lane metres; energy split half and half with passengers"
    trucks.append([*ferry, "", "", "", 0, 2021, "kvarken;assumption", why])
    head = "vehicle,name,mode,technology,energy_carrier,gross_t,kerb_t,axle_load_t,gauge_mm,winter_factor,range_km,"
    tail = "reserve_share,charge_kw,annual_km,annual_h,lifetime_years,resale_share,available_from,source,note"
    write("vehicles", head + tail, trucks)
    loads: list[list[object]] = [
        [truck[0], h, load, empty, hours, source, why]
        for truck in f.TRUCKS
        for h, (load, empty, hours, source, why) in f.LOADS.items()
    ]
    loads += [["FERRY", h, 0.45, 0, 0, f.ASM, "less than half full on average"] for h in ("container", "neo_bulk")]
    write("vehicle_loads", "vehicle,cargo_type,load_factor,empty_share,turnaround_h,source,note", loads)
    costs: list[list[object]] = [
        [v, year, price, fixed, running, empty, full, source, why]
        for v, (capex, fixed, running, empty, full, source, why) in f.COSTS.items()
        for year, price in zip(YEARS, capex, strict=True)
    ]
    why = "half of about 900 kWh/km; everything else is in the fare"
    costs += [["FERRY", year, 0, 0, 0, 400, 450, f.ASM, why] for year in YEARS]
    head = (
        "vehicle,year,capex_eur,fixed_eur_per_year,running_eur_per_vkm,empty_kwh_per_vkm,full_kwh_per_vkm,source,note"
    )
    write("vehicle_years", head, costs)
    write(
        "fleet",
        "fleet_region,vehicle,vintage_year,vehicles,source,note",
        [[d, v, u, n, f.OWN, ""] for d, kinds in f.FLEET.items() for v, ages in kinds.items() for u, n in ages.items()],
    )


def energy() -> None:
    write(
        "factors",
        "factor,subject,value,unit,boundary,gwp_set,region,year,licence,source,note",
        [
            ["diesel_ttw", "diesel with 6 % biofuel", 0.255, "kg CO2e/kWh", "TTW", "", "SE", "2026", "not stated", f.ASM, "2.66 kg/l fossil / 9.8 kWh/l x 0.94"],
            ["hvo_wtw", "HVO100", 0.058, "kg CO2e/kWh", "WTW", "", "SE", "2024", "not stated", "hvo100", "82 % below diesel"],
        ],
    )  # fmt: skip
    used = {"diesel": "diesel_ttw", "hvo": "hvo_wtw"}

    def shown(carrier: str, ttw: float) -> str:
        return (
            f"; other share than in SE assumed: diesel_ttw x {ttw / 0.255:.4f}"
            if carrier == "diesel" and ttw != 0.255
            else ""
        )

    write(
        "energy",
        "energy_carrier,country,year,price_eur_per_kwh,ttw_kg_co2e_per_kwh,wtt_kg_co2e_per_kwh,factors,source,note",
        [
            [
                carrier,
                country,
                year,
                values[i],
                values[2],
                values[3 + i],
                used.get(carrier, ""),
                source,
                why + shown(carrier, values[2]),
            ]
            for carrier, (countries, source, why) in f.ENERGY.items()
            for country, values in countries.items()
            for i, year in enumerate(YEARS)
        ],
    )
    write(
        "chargers",
        "charger,name,kw,capex_eur,fixed_eur_per_year,lifetime_years,utilisation_share,available_from,source,note",
        [
            [c, name, kw, eur, fixed, life, use, 2026, f.ASM, why]
            for c, name, kw, eur, fixed, life, use, why in f.CHARGERS
        ],
    )


def on_the_way() -> None:
    """Breaks, points of others, hills, wear, gates and grants."""
    why = "45 minutes after four and a half hours at the wheel"
    why += "; eleven hours of rest in twenty-four"
    rules = [[country, 4.5, 0.75, f.REST_H, "eu_561_2006", why] for country in f.BREAKS]
    write("driving_rules", "country,drive_h,break_h,rest_h,source,note", rules)
    electricity = f.ENERGY["electricity"][0]["SE"]
    sold = f.POINT_KW * 8760 * f.POINT_SHARE
    write(
        "public_charging",
        "charge_area,year,kwh_per_year,kw,price_add_eur_per_kwh,source,note",
        [
            [area, year, round(points * sold), f.POINT_KW, round(f.PUBLIC_EUR[year] - electricity[i], 3), "eu_2023_1804;milence;assumption",
             f"{'' if points else 'plausible: no point stands yet; '}{why}; the regulation asks for points along such roads; used 12 % of the hours, assumed; "
             "price: 0.40 EUR/kWh in 2024, 0.32 by 2030 assumed, less that of electricity"]
            for area, *points_of, why in f.PUBLIC
            for i, (year, points) in enumerate(zip(YEARS, points_of, strict=True))
        ],
    )  # fmt: skip
    head = "subsidy,kind,country,technology,first_year,last_year,value,source,note"
    write("subsidies", head, [list(row) for row in f.SUBSIDIES])
    why = "1.5 % a year over eight years, assumed; makers guarantee about 80 % after eight to ten (general knowledge)"
    write("battery_wear", "vehicle,range_loss_share,source,note", [[v, loss, f.ASM, why] for v, loss in f.WEAR])
    why = "; what brakes take downhill is lost or half recovered, mean of both ways"
    hills = [[link, factor, f.ASM, note + why] for link, factor, note in f.GRADIENTS]
    write("gradients", "link,energy_factor,source,note", hills)
    gates = [[node, hours, f.ASM, note] for node, hours, note in f.OPENING]
    write("opening_hours", "node,hours_per_week,source,note", gates)


def days() -> None:
    """Shifts, and electricity by the hour."""
    depots = [depot for depot, _, _, _, area in f.DEPOTS if area]
    write(
        "shifts",
        "fleet_region,shift,truck_share,spread_h,drivers,days_per_year,source,note",
        [
            [depot, shift, *figures, f"{f.OWN};scania74" if shift == "two" else f.OWN, why]
            for depot in depots
            for shift, (*figures, why) in f.SHIFTS.items()
        ],
    )
    why = "in for a charge between trips, for the break, and at night"
    write(
        "shift_stays",
        "fleet_region,shift,arrives_h,departs_h,source,note",
        [
            [depot, shift, *stay, f.OWN, why]
            for depot in depots
            for shift, stays in f.STAYS.items()
            for stay in stays
        ],
    )  # fmt: skip
    why = f"shape of a winter day assumed; {f.POWER_IN_PRICE_EUR} EUR/kWh of the year's price are its power fee, which is charged apart here"
    add = {first: price - f.POWER_IN_PRICE_EUR for first, price in f.PRICE_OF_THE_DAY.items()}
    write(
        "charging_hours",
        "charge_area,hour,price_add_eur_per_kwh,grid_share,source,note",
        [
            [area, hour, round(add[max(first for first in add if first <= hour)], 3), "", f.ASM, why]
            for area, *_ in f.AREAS
            for hour in range(24)
        ],
    )


def decisions() -> None:
    head = (
        "project,name,kind,capex_eur,fixed_eur_per_year,earliest_year,lifetime_years,max_units,requires,excludes,node,"
    )
    names = {area: name for area, name, _, _ in f.AREAS}
    write(
        "projects",
        head + "status,status_date,source,note",
        [
            [
                p,
                f"Grid connection {names[area]}",
                "grid",
                eur,
                fixed,
                since,
                40,
                2,
                "",
                "",
                node,
                "idea",
                "2026-11-30",
                f.ASM,
                why,
            ]
            for p, area, node, _, eur, fixed, since, why in f.GRID_PROJECTS
        ],
    )
    write(
        "project_effects",
        "project,table,row,column,adds,source,note",
        [[p, "charge_areas", area, "grid_mw", mw, f.OWN, "one more cable"] for p, area, _, mw, *_ in f.GRID_PROJECTS],
    )
    write(
        "project_funding",
        "project,country,share,source,note",
        [[p, "SE", 1, f.OWN, "paid by the company"] for p, *_ in f.GRID_PROJECTS],
    )
    why = "customers ask for about a third less in 2030"
    write(
        "policies",
        "policy,kind,country,technology,year,value,source,note",
        [["CUSTOMERS_2030", "cap_emissions_t_per_year", "", "", 2030, f.CAP_2030_T, f.ASM, why]],
    )
    write("ranges", "table,row,column,low_factor,high_factor,reason", [list(row) for row in f.RANGES])


def toml() -> None:
    text = """name = "haulier"
title = "A haulage company in Västerbotten"
version = "1.0.0"
licence = "CC-BY-4.0"
description = "An invented company with three depots, forty trucks and sixty orders: which trucks to replace by what, where to charge."
price_year = 2025
discount_rate = 0.06
boundary = "WTW"
carbon_base = "TTW"
gwp_set = "mixed"
grid_method = "location based, national mix"
ferry_allocation = "freight_only"

[[periods]]
year = 2026
years = 4

[[periods]]
year = 2030
years = 5

[chains]
alternatives = 2
max_main_legs = 1
"""
    (HERE / "instance.toml").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    places()
    network()
    goods()
    vehicles()
    energy()
    on_the_way()
    days()
    decisions()
    toml()
