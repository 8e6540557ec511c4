"""Every rule of the verifier fails when it should, and the plans worked out on paper pass with the costs on paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from nbb_opt.instance import Instance
from nbb_opt.result import as_table
from nbb_opt.verify import Verdict
from tiny_plan import CHAINS, EXPECTED, blocks_of, plan_on_paper, reported, tiny, verdict_on, whole

Tables = dict[str, pd.DataFrame]
INSTANCE = tiny()


def changed(table: str, column: str, value: Any, **which: Any) -> Callable[[Tables], None]:
    """A fault: set `column` to `value` (or to value(old)) in the rows of `table` where every column of `which` fits."""

    def put(tables: Tables) -> None:
        frame = tables[table].copy()
        rows = pd.Series(True, index=frame.index)
        for name, wanted in which.items():
            rows &= frame[name] == wanted
        assert rows.any(), f"{table} has no row with {which}"
        new = frame.loc[rows, column].map(value) if callable(value) else value
        if frame[column].dtype == "int64":
            frame[column] = frame[column].astype("float64")
        frame.loc[rows, column] = new
        tables[table] = frame

    return put


def more(table: str, *rows: dict[str, Any]) -> Callable[[Tables], None]:
    def put(tables: Tables) -> None:
        tables[table] = pd.concat([tables[table], as_table(table, list(rows))], ignore_index=True)

    return put


def without(table: str, **which: Any) -> Callable[[Tables], None]:
    def put(tables: Tables) -> None:
        rows = pd.Series(True, index=tables[table].index)
        for name, wanted in which.items():
            rows &= tables[table][name] == wanted
        assert rows.any()
        tables[table] = tables[table][~rows].reset_index(drop=True)

    return put


def left_out(table: str) -> Callable[[Tables], None]:
    def put(tables: Tables) -> None:
        del tables[table]

    return put


def half(x: float) -> float:
    return x / 2


BOX_BY_RAIL = sorted(CHAINS).index(("WEST", "PLANT", "BOX", "rail"))
EMPTY_TRIP = {"from_region": "E", "to_region": "W", "cargo_type": "container", "year": 2025, "empty_vkm": 1e3}
OLD_TRUCK = {"fleet_region": "E", "vehicle": "DIESEL", "vintage_year": 2020, "year": 2030, "bought": 0, "kept": 1}
# rule -> faults in the plan, each of which must be found under that rule
FAULTS: dict[str, list[Callable[[Tables], None]]] = {
    "keep_tables_sound": [
        changed("flows", "chain", 999, chain=0),
        changed("driven", "vehicle", "TRUCK"),
        changed("flows", "tonnes", float("nan"), chain=0),
        more("projects", {"project": "RAIL_MINE", "year": 2030, "newly_built": 1, "in_service": 1}),
        left_out("use"),
        changed("chain_steps", "kind", "teleport", step=0),
    ],
    "be_whole": [changed("fleet", "kept", 1.5), changed("projects", "in_service", 0.5)],
    "be_positive": [changed("flows", "tonnes", -5.0, chain=0), changed("chargers", "installed", -1)],
    "agree_demand": [
        changed("demand", "tonnes", half),
        changed("bundles", "origin", "WEST", origin="MINE", commodity="ORE"),
    ],
    "serve_demand": [changed("flows", "tonnes", lambda t: t - 1.0, year=2030), without("flows", year=2025)],
    "follow_roads": [
        changed("lane_links", "link", "RAIL_WEST_GAP", link="ROAD_WEST_GAP"),
        changed("lane_links", "to_node", "EAST", link="ROAD_WEST_GAP"),
        changed("lanes", "from_node", "EAST", lane=0),
        changed("lane_links", "step", 5, lane=4, step=2),
    ],
    "agree_lanes": [
        changed("lanes", "distance_km", 49.0, lane=0),
        changed("lanes", "time_h", 0.9, lane=0),
        changed("lanes", "gross_limit_t", 74.0, lane=0),
    ],
    "follow_a_path": [
        without("chain_steps", kind="transfer", from_node="GAP"),
        changed("chain_steps", "terminal", "YARD_E", terminal="YARD_W"),
        changed("chain_steps", "to_node", "PLANT", link="RAIL_GAP_EAST"),
        changed("chain_steps", "mode_a", "sea", link="RAIL_GAP_EAST"),
        changed("chain_steps", "lane", 4, lane=3),
        changed("chains", "bundle", 0, chain=5),
        changed("chain_steps", "step", 9, link="RAIL_MINE_WEST"),
    ],
    "allow_modes": [changed("lanes", "cargo_type", "timber", lane=0)],
    "name_projects": [
        changed("chain_steps", "project", "RAIL_CAP", project="RAIL_MINE"),
        changed("chains", "projects", "", projects="RAIL_MINE"),
    ],
    "agree_chains": [
        changed("chains", "distance_km", 1.0),
        changed("chains", "time_h", 1.0),
        changed("chains", "main_mode", "sea", main_mode="rail"),
    ],
    "admit_trucks": [changed("driven", "vehicle", "SHIP", vehicle="BATTERY")],
    "admit_empties": [
        more("empties", EMPTY_TRIP | {"vehicle": "SHIP"}),
        more("empties", EMPTY_TRIP | {"vehicle": "TRAIN_D"}),
        more("empties", EMPTY_TRIP | {"vehicle": "BATTERY", "cargo_type": "liquid_bulk"}),
        more("empties", EMPTY_TRIP | {"vehicle": "DIESEL", "to_region": "E"}),
    ],
    "use_only_built": [without("projects")],
    "keep_built": [
        changed("projects", "year", 2025),
        changed("projects", "newly_built", 0),
        changed("projects", "in_service", 2),
        more("projects", {"project": "GRID_W", "year": 2025, "newly_built": 1, "in_service": 1}),
    ],
    "respect_link_capacity": [
        changed("flows", "tonnes", lambda t: t + 8000, chain=BOX_BY_RAIL),
    ],
    "cover_work": [changed("driven", "loaded_vkm", half, lane=0), without("driven", lane=4)],
    "cover_km": [changed("fleet", "kept", 0, fleet_region="E", vehicle="BATTERY")],
    "cover_hours": [changed("fleet", "kept", 0, fleet_region="E", vehicle="BATTERY")],
    "balance_stock": [
        changed("fleet", "kept", 3, vintage_year=2024),
        changed("fleet", "bought", 1, vintage_year=2020),
        changed("fleet", "bought", 9, vehicle="BATTERY", vintage_year=2030),
        changed("fleet", "vehicle", "FERRY", vehicle="BATTERY"),
        more("fleet", OLD_TRUCK),
    ],
    "return_empties": [changed("empties", "empty_vkm", half, year=2025), without("empties", year=2030)],
    "balance_chargers": [changed("chargers", "in_service", 1, year=2030), changed("chargers", "in_service", 9)],
    "deliver_energy": [without("chargers", charge_area="CE")],
    "agree_costs": [
        changed("costs", "amount_eur", lambda c: c * 1.001, component="drivers"),
        changed("costs", "discounted_eur", lambda c: c * 1.001, component="drivers"),
        changed("costs", "component", "magic", component="drivers", year=2025),
        without("costs", component="fleet_resale"),
    ],
    "agree_emissions": [
        changed("emissions", "ttw_kg", lambda kg: kg + 50, year=2025),
        changed("emissions", "wtt_kg", lambda kg: kg + 50, year=2030),
        changed("emissions", "country", "NO", country="SE"),
        changed("emissions", "mode", "sea", mode="rail"),
    ],
    "agree_energy": [changed("energy", "kwh", half), changed("energy", "charge_area", "CE", charge_area="CW")],
    "agree_use": [
        changed("use", "used", half, kind="link"),
        changed("use", "limit", 1.0, kind="terminal"),
        changed("use", "unit", "kg", kind="grid"),
        changed("use", "kind", "lake", kind="link"),
        more("use", {"kind": "lake", "row": "A", "year": 2025, "used": 1.0, "limit": 1.0, "unit": "t"}),
        without("use", kind="charge_area"),
    ],
}  # fmt: skip


def broken_rules(verdict: Verdict) -> set[str]:
    return set(verdict.failures()["rule"])


@pytest.mark.parametrize("name", list(EXPECTED))
def test_the_plans_on_paper_cost_and_emit_what_the_paper_says(name: str) -> None:
    options = {"frozen": ("today", "existing"), "reference": ("all", "committed"), "shift_only": ("today", "all")}
    technologies, projects = options.get(name, ("all", "all"))
    verdict = verdict_on(
        INSTANCE, whole(name), blocks=blocks_of(name), technologies=technologies, projects=projects,
        reported=reported(name),
    )  # fmt: skip
    assert verdict.ok, verdict.failures().to_string()
    assert verdict.cost_eur == pytest.approx(EXPECTED[name]["cost_eur"], rel=1e-12)
    for year, tonnes in EXPECTED[name]["emissions_t_co2e"].items():
        assert verdict.emissions_t_co2e[int(year)] == pytest.approx(tonnes, rel=1e-12)


@pytest.mark.parametrize(
    ("rule", "fault"),
    [(rule, fault) for rule, faults in FAULTS.items() for fault in faults],
    ids=lambda x: x if isinstance(x, str) else "fault",
)
def test_a_fault_in_the_plan_is_found_under_its_rule(rule: str, fault: Callable[[Tables], None]) -> None:
    tables = dict(whole())
    fault(tables)
    verdict = verdict_on(INSTANCE, tables)
    assert not verdict.ok
    assert rule in broken_rules(verdict), verdict.failures().to_string()


def with_table(name: str, frame: pd.DataFrame) -> Instance:
    return replace(INSTANCE, tables={**INSTANCE.tables, name: frame})


def edited(table: str, column: str, value: Any, **which: Any) -> Instance:
    """The instance with `column` of `table` set to `value` where `which` fits."""
    tables = {table: INSTANCE[table]}
    changed(table, column, value, **which)(tables)
    return with_table(table, tables[table])


def short_range() -> Instance:
    """Trucks must charge on the way between mine and town, at more power than the chargers have."""
    tables = {"vehicles": INSTANCE["vehicles"], "nodes": INSTANCE["nodes"]}
    changed("vehicles", "range_km", 150.0, vehicle="BATTERY")(tables)
    changed("nodes", "charge_area", "CW", node="MINE")(tables)
    return replace(INSTANCE, tables={**INSTANCE.tables, **tables})


POLICY = {"country": "", "technology": "", "year": float("nan"), "value": 0.0, "source": "made_up", "note": ""}


def with_policy(**row: Any) -> Instance:
    rows = pd.DataFrame([{"policy": "NEW"} | POLICY | row]).astype(
        {"policy": "str", "kind": "str", "country": "str", "technology": "str"}
    )
    return with_table("policies", rows)


# rule -> a stricter world in which the unchanged plan breaks that rule
WORLDS: dict[str, list[Instance]] = {
    "respect_link_capacity": [edited("links", "capacity_t_per_year", 19_000.0, link="RAIL_WEST_GAP"),
                              edited("links", "capacity_link", "RAIL_WEST_GAP", link="FERRY_PORTW_PORTE")],
    "respect_terminal_capacity": [edited("terminals", "capacity_t_per_year", 100.0)],
    "require_project": [edited("projects", "requires", "RAIL_CAP;GRID_W", project="RAIL_MINE")],
    "exclude_project": [edited("projects", "excludes", "RAIL_MINE", project="RAIL_MINE")],
    "keep_built": [edited("projects", "earliest_year", 2031, project="RAIL_MINE")],
    "respect_grid": [edited("charge_areas", "grid_mw", 0.0)],
    "deliver_energy": [edited("chargers", "utilisation_share", 0.001)],
    "deliver_on_the_way": [short_range()],
    "admit_empties": [edited("vehicles", "range_km", 150.0, mode="road")],
    "balance_chargers": [edited("chargers", "available_from", 2031), edited("chargers", "lifetime_years", 5)],
    "balance_stock": [edited("vehicles", "available_from", 2031, vehicle="BATTERY"),
                      edited("vehicles", "lifetime_years", 5, vehicle="DIESEL")],
    "admit_trucks": [edited("vehicles", "available_from", 2031, vehicle="BATTERY"),
                     edited("nodes", "fleet_region", "", node="MINE")],
    "admit_services": [edited("vehicles", "available_from", 2031, mode="rail"),
                       edited("vehicles", "axle_load_t", 25.0, mode="rail"),
                       edited("vehicles", "gauge_mm", 1000, mode="rail"),
                       edited("links", "max_gross_t", 500.0, mode="rail")],
    "respect_range": [edited("vehicles", "range_km", 120.0, vehicle="BATTERY")],
    "allow_modes": [edited("commodities", "modes", "road", commodity="BOX")],
    "follow_roads": [edited("links", "from_node", "PLANT", link="ROAD_MINE_WEST")],
    "cover_km": [edited("vehicles", "annual_km", 1000.0, mode="road"), edited("vehicle_loads", "annual_km", 1000.0)],
    "cover_hours": [edited("vehicles", "annual_h", 10.0, mode="road")],
    "cap_emissions": [with_policy(kind="cap_emissions_t_per_year", value=600.0),
                      with_policy(kind="cap_emissions_t_per_year", country="FI", value=1.0)],
    "cap_technology": [with_policy(kind="cap_technology_share", technology="battery", year=2030.0, value=0.2)],
    "ban_purchase": [with_policy(kind="ban_purchase", technology="battery", year=2030.0, value=float("nan")),
                     with_policy(kind="ban_purchase", technology="battery", country="FI", value=float("nan"))],
    "require_zero_emission": [with_policy(kind="require_zero_emission_share", value=1.5),  # all are electric
                              with_policy(kind="require_zero_emission_share", country="SE", year=2030.0, value=1.5)],
    "spend_within_budget": [with_policy(kind="limit_budget_eur", year=2030.0, value=1e6),
                            with_policy(kind="limit_budget_eur", country="SE", value=1e5)],
    "limit_mode_shift": [with_policy(kind="limit_mode_shift_share_per_year", value=0.01)],
    "respect_driver_hours": [edited("country_years", "driver_limit_h_per_year", 100.0)],
    "use_only_built": [edited("links", "project", "RAIL_CAP", link="FERRY_PORTW_PORTE")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "world"),
    [(rule, world) for rule, worlds in WORLDS.items() for world in worlds],
    ids=lambda x: x if isinstance(x, str) else "world",
)
def test_a_stricter_world_breaks_its_rule(rule: str, world: Instance) -> None:
    verdict = verdict_on(world, plan_on_paper(INSTANCE, "joint"))
    assert rule in broken_rules(verdict), verdict.failures().to_string()
    assert rule not in broken_rules(verdict_on(INSTANCE, whole()))


def test_limits_of_a_block_that_the_model_lacks_are_not_asked_for() -> None:
    world = edited("links", "capacity_t_per_year", 19_000.0, link="RAIL_WEST_GAP")
    verdict = verdict_on(world, plan_on_paper(INSTANCE, "joint"), blocks=("flow", "fleet"))
    assert "respect_link_capacity" not in broken_rules(verdict)


def test_options_of_the_model_are_kept() -> None:
    assert "respect_options" in broken_rules(verdict_on(INSTANCE, whole(), technologies="today"))
    assert "respect_options" in broken_rules(verdict_on(INSTANCE, whole(), projects="none"))


@pytest.mark.parametrize(
    ("rule", "key", "value"),
    [
        ("agree_cost_eur", "cost_eur", 18_988_400 * (1 + 1e-8)),
        ("agree_cost_eur", "cost_eur", float("nan")),
        ("agree_bound", "bound", 18_988_500.0),
        ("agree_gap", "gap", 0.01),
        ("agree_emissions_t_co2e", "emissions_t_co2e", {"2025": 799.75, "2030": 699.0}),
        ("agree_emissions_t_co2e", "emissions_t_co2e", {"2025": 799.75}),
    ],
)
def test_a_wrong_report_is_found(rule: str, key: str, value: Any) -> None:
    verdict = verdict_on(INSTANCE, whole(), reported=reported("joint") | {key: value})
    assert broken_rules(verdict) >= {rule}


def test_checks_are_one_row_per_fault_and_one_per_rule_kept() -> None:
    kept = verdict_on(INSTANCE, whole(), reported=reported("joint"))
    assert kept.checks["rule"].is_unique
    assert (
        kept.checks.loc[kept.checks["rule"] == "respect_link_capacity", "where"]
        .tolist()[0]
        .startswith("link RAIL_WEST_GAP")
    )
    assert '"ok": true' in kept.as_json()
