"""The figures that the report of `tiny` must show, from EXPECTED.md, expected.toml and the exact coefficients.

Nothing of the model, the solver, the ledger or the report is used: only the derivation on paper.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from fractions import Fraction
from typing import Any

from tiny_by_hand import CHAINS, HORIZON, HUB_KM, LANES, LENGTH, TINY, YEARS, at, length_km, text

from tiny_by_hand import load_t, per_empty_vkm, per_loaded_vkm, per_tonne, service  # isort: skip

PLANS = {"Reference": "reference", "Plan": "joint"}
EXPECTED: dict[str, Any] = tomllib.loads((TINY / "expected.toml").read_text(encoding="utf-8"), parse_float=Fraction)
PAGE = (TINY / "EXPECTED.md").read_text(encoding="utf-8")
MODES = ("road", "rail", "sea", "ferry")
RUNNING = ("service", "road_energy", "road_running", "drivers", "handling", "cargo_time", "carbon")  # as in EXPECTED.md
Table = dict[tuple[int, str], dict[str, Fraction]]  # (year, plan) -> name -> figure
M = 10**6


def stated(heading: str) -> dict[str, list[Fraction]]:
    """A table of EXPECTED.md: the numbers of every row by its first cell, spaces between thousands removed."""
    lines = PAGE[PAGE.index(heading) :].splitlines()
    found: dict[str, list[Fraction]] = {}
    for line in lines[2:]:
        if not line.startswith("|"):
            break
        name, *cells = [cell.strip(" *") for cell in line.strip("|").split("|")]
        found[name] = [Fraction(re.sub(r"\s", "", cell)) for cell in cells if re.fullmatch(r"-?[\d .]+", cell)]
    return found


YEARLY_EUR = stated("| | service | road energy |")
WHOLE_EUR = stated("| | moving, 5 years each |")
EMITTED_T = {
    ("frozen", 2025): stated("| t CO2e | 2025 | 2030 |")["sum"][0],
    ("frozen", 2030): stated("| t CO2e | 2025 | 2030 |")["sum"][1],
    ("reference", 2025): stated("| t CO2e | 2025 | 2030 |")["sum"][0],
    ("reference", 2030): stated("| | rail BOX | ORE rail |")["reference"][-1],
    ("joint", 2025): Fraction(re.search(r"off 872: ([\d.]+) \(joint", PAGE)[1]),  # type: ignore[index]
    ("joint", 2030): stated("| | rail BOX | ORE rail |")["joint"][-1],
}


def rows(plan: str, name: str, year: int) -> list[dict[str, Any]]:
    return [row for row in EXPECTED[plan][name] if row["year"] == year]


def chain_of(row: dict[str, Any]) -> str:
    flow = (row["origin"], row["destination"], row["commodity"])
    (name,) = [n for n, c in CHAINS.items() if c.flow == flow and c.mode == row["mode"]]
    return name


def tkm(plan: str, year: int) -> dict[str, Fraction]:
    """Tonne-km a year by mode: every leg counts for its own."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for row in rows(plan, "tonnes", year):
        for mode, km in legs_km(chain_of(row)).items():
            found[mode] += row["tonnes"] * km
    return found


def legs_km(chain: str) -> dict[str, Fraction]:
    found: dict[str, Fraction] = defaultdict(Fraction)
    for kind, *what in CHAINS[chain].steps:
        if kind == "lane":
            found["road"] += length_km(LANES[what[0]])
        elif kind == "link":
            found[text("links", "mode", link=what[0])] += at("links", "distance_km", link=what[0])
    return found


def emitted_kg(plan: str, year: int) -> dict[str, Fraction]:
    """kg CO2e a year by mode, well to wheel, `transfer` for what terminals emit."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for row in rows(plan, "tonnes", year):
        chain = CHAINS[chain_of(row)]
        whole = per_tonne(chain, year)
        found["transfer"] += row["tonnes"] * (whole.ttw + whole.wtt)
        for kind, *what in chain.steps:
            if kind == "link":
                each = service(what[0], text("commodities", "cargo_type", commodity=row["commodity"]), year)
                found[text("links", "mode", link=what[0])] += row["tonnes"] * (each.ttw + each.wtt)
                found["transfer"] -= row["tonnes"] * (each.ttw + each.wtt)
    for row in rows(plan, "driven", year):
        each = per_loaded_vkm(row["lane"], row["vehicle"], year)
        found["road"] += row["loaded_vkm"] * (each.ttw + each.wtt)
        lane = LANES[row["lane"]]
        if lane.start != lane.end:  # the empty truck leaves the region where it was unloaded
            back = per_empty_vkm(lane.end, "DIESEL", year)
            found["road"] += row["loaded_vkm"] * HUB_KM / length_km(lane) * (back.ttw + back.wtt)
    assert sum(found.values()) == 1000 * EMITTED_T[plan, year], (plan, year)
    return found


def trucks(plan: str, year: int) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for row in rows(plan, "fleet", year):
        found[row["vehicle"]] += row["vehicles"]
    return found


def bought(plan: str, year: int) -> list[dict[str, Any]]:
    return rows(plan, "bought", year)


def still_worth(vehicle: str, vintage: int, year: int, *, capex_year: int) -> Fraction:
    life = at("vehicles", "lifetime_years", vehicle=vehicle)
    left = max(life - (year - vintage), Fraction(0)) / life
    return at("vehicles", "resale_share", vehicle=vehicle) * at("vehicle_years", "capex_eur", capex_year,
                                                                vehicle=vehicle) * left  # fmt: skip


def costs(plan: str, year: int) -> dict[str, Fraction]:
    """EUR of a period by component, and what is left at the horizon; sums agree with EXPECTED.md."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    if year in YEARS:
        for component, eur in zip(RUNNING, YEARLY_EUR[f"{plan} {year}"], strict=False):
            found[component] += LENGTH * eur
        for row in bought(plan, year):
            found["fleet_purchase"] += row["vehicles"] * at("vehicle_years", "capex_eur", year, vehicle=row["vehicle"])
        for row in rows(plan, "fleet", year):
            fixed = at("vehicle_years", "fixed_eur_per_year", year, vehicle=row["vehicle"])
            found["fleet_fixed"] += LENGTH * row["vehicles"] * fixed
        for row in EXPECTED[plan]["chargers"]:
            key = {"charger": row["charger"]}
            found["charger_purchase"] += row["installed"] * at("chargers", "capex_eur", **key) * (row["year"] == year)
            yearly = row["installed"] * at("chargers", "fixed_eur_per_year", **key)
            found["charger_fixed"] += LENGTH * yearly * (row["year"] <= year)
        for row in EXPECTED[plan]["projects"]:
            key = {"project": row["project"]}
            found["project_purchase"] += at("projects", "capex_eur", **key) * (row["year"] == year)
            found["project_fixed"] += LENGTH * at("projects", "fixed_eur_per_year", **key) * (row["year"] <= year)
        if year == YEARS[0]:  # sold before they are worn out: what the fleet of today had and the plan has not
            had, kept = 4, sum(r["vehicles"] for r in rows(plan, "fleet", year)
                               if r["vintage_year"] == 2020 and r["fleet_region"] == "W")  # fmt: skip
            found["fleet_resale"] -= (had - kept) * still_worth("DIESEL", 2020, year, capex_year=year)
    else:
        for row in rows(plan, "fleet", YEARS[-1]):
            bought_in = max(row["vintage_year"], YEARS[0])
            each = still_worth(row["vehicle"], row["vintage_year"], HORIZON, capex_year=bought_in)
            found["fleet_resale"] -= row["vehicles"] * each
        for name, table, key in (("charger", "chargers", "charger"), ("project", "projects", "project")):
            for row in EXPECTED[plan][table]:
                life = at(table, "lifetime_years", **{key: row[key]})
                left = max(life - (HORIZON - row["year"]), Fraction(0)) / life
                worth = at(table, "capex_eur", **{key: row[key]}) * left
                found[f"{name}_residual"] -= row.get("installed", 1) * worth
    return {component: eur for component, eur in found.items() if eur}


def all_costs(plan: str) -> dict[str, Fraction]:
    found: dict[str, Fraction] = defaultdict(Fraction)
    for year in (*YEARS, HORIZON):
        for component, eur in costs(plan, year).items():
            found[component] += eur
    parts = [("fleet_purchase",), ("fleet_fixed",), ("fleet_resale",)]
    parts += [tuple(f"{what}_{kind}" for kind in ("purchase", "fixed", "residual")) for what in ("charger", "project")]
    sums = [sum((found[c] for c in components), Fraction(0)) for components in (RUNNING, *parts)]
    assert [*sums, sum(found.values())] == WHOLE_EUR[plan], plan
    return found


def shifted_t(year: int) -> Fraction:
    (before,), (now,) = (rows(plan, "tonnes_by_main_mode", year) for plan in PLANS.values())
    return Fraction(before["road"] - now["road"])


def charging(year: int) -> dict[str, tuple[Fraction, Fraction, Fraction]]:
    """By area: kWh a year, MW of chargers, MW of the grid."""
    kwh: dict[str, Fraction] = defaultdict(Fraction)
    for row in rows("joint", "driven", year):
        for area, each in per_loaded_vkm(row["lane"], row["vehicle"], year).kwh.items():
            kwh[area] += row["loaded_vkm"] * each
    power: dict[str, Fraction] = defaultdict(Fraction)
    for row in EXPECTED["joint"]["chargers"]:
        if row["year"] <= year:
            power[row["charge_area"]] += row["installed"] * at("chargers", "kw", charger=row["charger"]) / 1000
    grid = {area: at("charge_areas", "grid_mw", charge_area=area) for area in power}
    return {text("charge_areas", "name", charge_area=area): (kwh[area], power[area], grid[area]) for area in power}


def effect_of_modes_kg(year: int) -> Fraction:
    """kg saved by changing modes alone: the change in tonne-km times the mean of each mode in the reference."""
    before, now, kg = tkm("reference", year), tkm("joint", year), emitted_kg("reference", year)
    return sum((kg[mode] / before[mode] * (before[mode] - now[mode]) for mode in MODES if before[mode]), Fraction(0))


def share_of_battery_km(year: int) -> Fraction:
    driven = rows("joint", "driven", year)
    return Fraction(sum(r["loaded_vkm"] for r in driven if r["vehicle"] == "BATTERY"),
                    sum(r["loaded_vkm"] for r in driven))  # fmt: skip


assert load_t("BATTERY", "timber") == 20  # every truck carries 20 t, as EXPECTED.md says
