"""The plans of `instances/tiny/expected.toml` are feasible and cost what they say, and the engine finds them.

All tests but the last work in exact fractions, without model or solver.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest

from nbb_opt.result import Run
from solved import solved as solved_plan
from tiny_by_hand import (
    CHAINS,
    HORIZON,
    HUB_KM,
    LANES,
    LENGTH,
    TABLES,
    TINY,
    YEARS,
    Amounts,
    at,
    kappa,
    length_km,
    load_t,
    per_empty_vkm,
    per_loaded_vkm,
    per_tonne,
    text,
)

EXPECTED = tomllib.loads((TINY / "expected.toml").read_text(encoding="utf-8"), parse_float=Fraction)
FORMULATIONS = tuple(EXPECTED)
Plan = dict[str, Any]


@pytest.fixture(params=FORMULATIONS)
def plan(request: pytest.FixtureRequest) -> Plan:
    return EXPECTED[request.param]


def carried(plan: Plan, year: int) -> dict[str, Fraction]:
    """Tonnes by chain name."""
    found: defaultdict[str, Fraction] = defaultdict(Fraction)
    for row in plan["tonnes"]:
        if row["year"] == year:
            flow = (row["origin"], row["destination"], row["commodity"])
            (name,) = [n for n, c in CHAINS.items() if c.flow == flow and c.mode == row["mode"]]
            found[name] += row["tonnes"]
    return found


def driven(plan: Plan, year: int) -> Iterator[tuple[str, str, Fraction]]:
    for row in plan["driven"]:
        if row["year"] == year:
            yield row["lane"], row["vehicle"], Fraction(row["loaded_vkm"])


def empties(plan: Plan, year: int) -> dict[tuple[str, str, str], Fraction]:
    """Empty vkm by region left, vehicle and cargo type: every surplus of arrivals drives back from hub to hub."""
    surplus: defaultdict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    for name, vehicle, vkm in driven(plan, year):
        lane = LANES[name]
        if lane.start != lane.end:
            surplus[lane.end, vehicle, lane.cargo_type] += vkm / length_km(lane)
            surplus[lane.start, vehicle, lane.cargo_type] -= vkm / length_km(lane)
    return {key: trips * HUB_KM for key, trips in surplus.items() if trips > 0}


def activity(plan: Plan, year: int) -> Amounts:
    """Yearly cost, emissions and electricity of everything that moves."""
    total = Amounts()
    for name, tonnes in carried(plan, year).items():
        total.add(per_tonne(CHAINS[name], year), tonnes)
    for name, vehicle, vkm in driven(plan, year):
        total.add(per_loaded_vkm(name, vehicle, year), vkm)
    for (region, vehicle, _), vkm in empties(plan, year).items():
        total.add(per_empty_vkm(region, vehicle, year), vkm)
    return total


def demand(flow: tuple[str, str, str], year: int) -> Fraction:
    rows = [r for r in TABLES["od"] if (r["origin"], r["destination"], r["commodity"]) == flow]
    tonnes = {int(r["year"]): Fraction(r["tonnes"]) for r in rows}
    first, last = tonnes.get(2025, Fraction(0)), tonnes.get(2035, Fraction(0))
    return first + (last - first) * Fraction(year - 2025, 10)


def kept(plan: Plan, year: int, **key: Any) -> int:
    wanted = {"year": year, **key}
    return sum(row["vehicles"] for row in plan["fleet"] if all(row[k] == v for k, v in wanted.items()))


def in_service(plan: Plan, project: str, year: int) -> bool:
    return any(row["project"] == project and row["year"] <= year for row in plan["projects"])


def book_value(vehicle: str, vintage: int, year: int) -> Fraction:
    life = at("vehicles", "lifetime_years", vehicle=vehicle)
    capex = at("vehicle_years", "capex_eur", max(vintage, YEARS[0]), vehicle=vehicle)
    return at("vehicles", "resale_share", vehicle=vehicle) * capex * max(Fraction(0), 1 - (year - vintage) / life)


def fleet_eur(plan: Plan) -> Fraction:
    """Purchases and yearly costs less what early sales and the horizon bring; nothing is discounted."""
    total = Fraction(0)
    for row in plan["bought"]:
        total += row["vehicles"] * at("vehicle_years", "capex_eur", row["year"], vehicle=row["vehicle"])
    for row in plan["fleet"]:
        fixed = at("vehicle_years", "fixed_eur_per_year", row["year"], vehicle=row["vehicle"])
        total += row["vehicles"] * LENGTH * fixed
        if row["year"] == YEARS[-1]:
            total -= row["vehicles"] * book_value(row["vehicle"], row["vintage_year"], HORIZON)
    before = {(r["fleet_region"], r["vehicle"], int(r["vintage_year"])): int(r["vehicles"]) for r in TABLES["fleet"]}
    for year in YEARS:
        now = {
            (r["fleet_region"], r["vehicle"], r["vintage_year"]): r["vehicles"]
            for r in plan["fleet"]
            if r["year"] == year
        }
        for key, number in before.items():
            total -= (number - now.get(key, 0)) * book_value(key[1], key[2], year)
        before = now
    return total


def assets_eur(plan: Plan) -> Fraction:
    """Chargers and projects: price, yearly cost to the horizon, less the part of their life that is left."""
    total = Fraction(0)
    paid = [("chargers", {"charger": c["charger"]}, c["year"], c["installed"]) for c in plan["chargers"]]
    paid += [("projects", {"project": p["project"]}, p["year"], 1) for p in plan["projects"]]
    for table, key, year, number in paid:
        years = HORIZON - year
        used = min(Fraction(1), years / at(table, "lifetime_years", **key))
        each = at(table, "capex_eur", **key) * used + years * at(table, "fixed_eur_per_year", **key)
        total += number * each
    return total


def test_the_derived_cost_is_the_expected_cost(plan: Plan) -> None:
    moving = sum(sum(activity(plan, year).eur.values()) for year in YEARS)
    assert LENGTH * moving + fleet_eur(plan) + assets_eur(plan) == plan["cost_eur"]


def test_the_derived_emissions_are_the_expected_emissions(plan: Plan) -> None:
    for year in YEARS:
        total = activity(plan, year)
        assert (total.ttw + total.wtt) / 1000 == plan["emissions_t_co2e"][str(year)]


def test_every_flow_is_carried_within_the_capacities_of_line_and_harbour(plan: Plan) -> None:
    for year in YEARS:
        tonnes = carried(plan, year)
        for flow in {chain.flow for chain in CHAINS.values()}:
            assert sum(tonnes[n] for n, c in CHAINS.items() if c.flow == flow) == demand(flow, year)
        more = at("project_effects", "adds", project="RAIL_CAP") * in_service(plan, "RAIL_CAP", year)
        assert tonnes["box_rail"] <= at("links", "capacity_t_per_year", link="RAIL_WEST_GAP") + more
        harbour = at("terminals", "capacity_t_per_year", terminal="HARBOUR_W")
        assert tonnes["fish_ferry"] + tonnes["pulp_sea"] <= harbour
        assert tonnes["ore_rail"] == 0 or in_service(plan, "RAIL_MINE", year)
        for row in plan["tonnes_by_main_mode"]:
            if row["year"] == year:
                for mode in ("road", "rail", "sea", "ferry"):
                    assert row[mode] == sum(tonnes[n] for n, c in CHAINS.items() if c.mode == mode)


def test_trucks_carry_the_lanes_within_their_kilometres_and_hours(plan: Plan) -> None:
    for year in YEARS:
        tonnes = carried(plan, year)
        work: defaultdict[str, Fraction] = defaultdict(Fraction)
        km: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
        hours: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
        for name, vehicle, vkm in driven(plan, year):
            lane = LANES[name]
            work[name] += vkm * load_t(vehicle, lane.cargo_type)
            km[lane.start, vehicle] += vkm * (1 + kappa(lane, vehicle))
            hours[lane.start, vehicle] += vkm * per_loaded_vkm(name, vehicle, year).hours
        for (region, vehicle, _), vkm in empties(plan, year).items():
            km[region, vehicle] += vkm
            hours[region, vehicle] += vkm * per_empty_vkm(region, vehicle, year).hours
        for name, lane in LANES.items():
            over = sum(t for n, t in tonnes.items() if ("lane", name) in CHAINS[n].steps)
            assert work[name] == over * length_km(lane)
        for (region, vehicle), total in km.items():
            trucks = kept(plan, year, fleet_region=region, vehicle=vehicle)
            assert total <= trucks * at("vehicles", "annual_km", vehicle=vehicle)
            assert hours[region, vehicle] <= trucks * at("vehicles", "annual_h", vehicle=vehicle)


def test_chargers_deliver_the_electricity_within_the_grid(plan: Plan) -> None:
    for year in YEARS:
        drawn = activity(plan, year).kwh
        for area in ("CW", "CE"):
            rows = [row for row in plan["chargers"] if row["charge_area"] == area and row["year"] <= year]
            kw = sum((row["installed"] * at("chargers", "kw", charger=row["charger"]) for row in rows), Fraction(0))
            share = at("chargers", "utilisation_share", charger="DEPOT100")
            assert drawn[area] <= 8760 * kw * share
            more = at("project_effects", "adds", project="GRID_W") if area == "CW" else 0
            grid_mw = at("charge_areas", "grid_mw", charge_area=area) + more * in_service(plan, "GRID_W", year)
            assert kw <= 1000 * grid_mw


def test_the_cap_of_2025_binds_on_every_plan_but_its_bars() -> None:
    cap = at("policies", "value", policy="CAP_2025")
    assert EXPECTED["frozen"]["emissions_t_co2e"]["2025"] > cap
    for formulation in ("joint", "shift_only", "electrify_only"):
        assert EXPECTED[formulation]["emissions_t_co2e"]["2025"] <= cap


def test_the_stretch_between_the_charging_towns_is_within_winter_range() -> None:
    usable = at("vehicles", "range_km", vehicle="BATTERY") / at("vehicles", "winter_factor", vehicle="BATTERY")
    usable *= 1 - at("vehicles", "reserve_share", vehicle="BATTERY")
    between = [at("links", "distance_km", link=link) for link in ("ROAD_WEST_GAP", "ROAD_GAP_EAST")]
    home = [at("links", "distance_km", link=link) for link in ("ROAD_MINE_WEST", "ROAD_EAST_PLANT")]
    assert sum(between) <= usable < 2 * sum(between)
    assert all(2 * km <= usable for km in home)
    assert text("fleet_regions", "charge_area", fleet_region="W") == "CW"


def rows_of(frame: pd.DataFrame, columns: list[str]) -> set[tuple[Any, ...]]:
    """Rows without zeros in the last column, numbers rounded to a millionth."""
    kept_rows = frame.loc[frame[columns[-1]].abs() > 1e-6, columns]
    return {(*row[:-1], round(float(row[-1]), 6)) for row in kept_rows.itertuples(index=False)}


def expected_rows(plan: Plan, name: str, columns: list[str]) -> set[tuple[Any, ...]]:
    return {tuple(row[c] for c in columns[:-1]) + (float(row[columns[-1]]),) for row in plan[name]}


@pytest.fixture(scope="module", params=["pyomo", "arrays"])
def runs(request: pytest.FixtureRequest) -> dict[str, Run]:
    """The runs of every model, built from either statement."""
    models = [name for name in FORMULATIONS if name not in ("frozen", "reference")]
    found = {model: solved_plan(model=model, statement=request.param) for model in models}
    assert {run.record["options"]["statement"] for run in found.values()} == {request.param}
    return found


def solved(runs: dict[str, Run], formulation: str) -> tuple[dict[str, Any], Mapping[str, pd.DataFrame]]:
    if formulation in ("frozen", "reference"):
        return runs["joint"].said_of(formulation), runs["joint"].bars[formulation]
    return runs[formulation].record, runs[formulation].tables


@pytest.mark.parametrize("formulation", FORMULATIONS)
def test_the_engine_finds_the_plan_derived_by_hand(runs: dict[str, Run], formulation: str) -> None:
    plan, (record, tables) = EXPECTED[formulation], solved(runs, formulation)
    assert record["status"] == "optimal"
    assert record["cost_eur"] == pytest.approx(float(plan["cost_eur"]), rel=1e-6)
    for year, tonnes in plan["emissions_t_co2e"].items():
        assert record["emissions_t_co2e"][year] == pytest.approx(float(tonnes), rel=1e-6)
    flows = tables["flows"].merge(tables["chains"], on="chain").merge(tables["bundles"], on="bundle")
    flows = flows.rename(columns={"main_mode": "mode"})
    columns = ["origin", "destination", "commodity", "mode", "year", "tonnes"]
    assert rows_of(flows, columns) == expected_rows(plan, "tonnes", columns)
    columns = ["fleet_region", "vehicle", "year", "bought"]
    bought = [{**row, "bought": row["vehicles"]} for row in plan["bought"]]
    assert rows_of(tables["fleet"], columns) == expected_rows({"bought": bought}, "bought", columns)
    columns = ["fleet_region", "vehicle", "vintage_year", "year", "kept"]
    fleet = [{**row, "kept": row["vehicles"]} for row in plan["fleet"]]
    assert rows_of(tables["fleet"], columns) == expected_rows({"fleet": fleet}, "fleet", columns)
    columns = ["charge_area", "charger", "year", "installed"]
    assert rows_of(tables["chargers"], columns) == expected_rows(plan, "chargers", columns)
    built = [{**row, "newly_built": 1} for row in plan["projects"]]
    columns = ["project", "year", "newly_built"]
    assert rows_of(tables["projects"], columns) == expected_rows({"projects": built}, "projects", columns)
