"""Each limit that the verifier keeps is where it says: what a plan uses is enough, a hundredth less is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from milp_case import Instance, add_rows, made_up_plan, policy, tiny, vary, with_everything
from milp_case import solve as solved
from nbb_opt.emissions.ledger import build_ledger
from nbb_opt.emissions.reconcile import check_ledger
from nbb_opt.recompute import read_chains, read_network, read_world
from nbb_opt.result import as_table
from nbb_opt.verify import assets, paths, sound
from nbb_opt.verify.claims import claim_faults
from nbb_opt.verify.verdict import Checks
from tiny_plan import plan_on_paper, verdict_on, whole, with_accounts

MADE_UP = {"source": "made_up", "note": ""}
KWH_A_YEAR = 8760.0 * 100.0  # of a charger of 100 kW that is never idle


Tables = dict[str, pd.DataFrame]
ALL = with_everything()  # has words for every column
FUEL = {"substitute": ALL["fuel_substitutes"]["substitute"][0], "country": "SE", "year": 2030, "replaced_kwh": 5.0}
SUPPLY = {"supplier": "WOODS", "site": "PIT", "input": "props", "year": 2030, "tonnes": 5.0}


@cache
def sound_tables() -> Tables:
    """The plan on paper with rows in every table."""
    return {**whole(), "fuels": as_table("fuels", [FUEL]), "supplied": as_table("supplied", [SUPPLY])}


def broken(checks: pd.DataFrame) -> set[tuple[str, str]]:
    """Rule and place of what is not met."""
    rows = checks[~checks["ok"]]
    return set(zip(rows["rule"], rows["where"], strict=True))


def limits_broken(case: Instance, tables: Tables) -> set[tuple[str, str]]:
    """Those of a verdict, the accounts, which follow the plan, apart."""
    return {each for each in broken(verdict_on(case, tables).checks) if not each[0].startswith("agree_")}


def tables_of(case: Instance) -> Tables:
    """The plan on paper, and one diesel truck that E buys and sells again without need, with their accounts."""
    plan = plan_on_paper(tiny(), "joint")
    row = {"fleet_region": "E", "vehicle": "DIESEL", "vintage_year": 2025, "year": 2025, "bought": 1, "kept": 1}
    plan["fleet"] = pd.concat([plan["fleet"], as_table("fleet", [row])], ignore_index=True)
    return with_accounts(case, plan, "joint")


def as_tight_as_the_plan_on_paper(room: float = 1.0) -> Instance:
    """Every limit at `room` times what the plan on paper uses."""
    case = tiny()
    for link, used in (("RAIL_WEST_GAP", 20e3), ("FERRY_PORTW_PORTE", 20e3), ("ROAD_GAP_EAST", 32e3),
                       ("RAIL_MINE_WEST", 10e3)):  # fmt: skip
        case = vary(case, "links", "link", link, capacity_t_per_year=room * used)
    case = vary(case, "links", "link", "ROAD_WEST_GAP", capacity_link="ROAD_GAP_EAST")
    for terminal, used in (("YARD_W", 80e3), ("YARD_E", 20e3), ("HARBOUR_W", 32e3), ("HARBOUR_E", 32e3)):
        case = vary(case, "terminals", "terminal", terminal, capacity_t_per_year=room * used)
    for area, used in (("CW", 0.2), ("CE", 0.1)):
        case = vary(case, "charge_areas", "charge_area", area, grid_mw=room * used)
    effects = (("links", "RAIL_MINE_WEST", "capacity_t_per_year", 50e3), ("charge_areas", "CE", "grid_mw", 0.1))
    for table, row, column, adds in effects:
        more = {"project": "RAIL_MINE", "table": table, "row": row, "column": column, "adds": room * adds}
        case = add_rows(case, "project_effects", [more | MADE_UP])
    case = vary(case, "chargers", "charger", "*", utilisation_share=room * 137_500 / KWH_A_YEAR)
    case = vary(case, "vehicles", "mode", "road", annual_km=room * 100e3, annual_h=room * 2850)
    case = vary(case, "vehicles", "vehicle", "BATTERY", annual_h=room * 3000)
    case = add_rows(case, "opening_hours", [{"node": "MINE", "hours_per_week": room * 3000 / 52} | MADE_UP])
    hours = [
        {"country": country, "year": year, "driver_cost_eur_per_h": 30.0, "carbon_price_eur_per_t": price,
         "driver_limit_h_per_year": room * limit} | MADE_UP
        for country, limits in (("FI", (7600.0, 9200.0)), ("SE", (14_400.0, 10_800.0)))
        for year, price, limit in zip((2025, 2030), (100.0, 200.0), limits, strict=True)
    ]  # fmt: skip
    sea = case["country_years"].query("country == 'XX'")
    case = add_rows(_only(case, "country_years", sea), "country_years", hours)
    shares = case["project_funding"].query("project != 'RAIL_MINE'")
    funding = [{"project": "RAIL_MINE", "country": country, "share": share} | MADE_UP
               for country, share in (("SE", 0.75), ("FI", 0.25))]  # fmt: skip
    case = _only(
        add_rows(_only(case, "project_funding", shares), "project_funding", funding), "policies", case["policies"][:0]
    )
    cap, share, clean = "cap_emissions_t_per_year", "cap_technology_share", "require_zero_emission_share"
    case = policy(case, "CAP_25", cap, year=2025, value=room * 799.75)
    case = policy(case, "CAP_30", cap, year=2033, value=room * 698.9)  # a year within the period
    case = policy(case, "CAP_FI", cap, year=2030, value=room * 311.6, country="FI")
    case = policy(case, "SHARE", share, year=2030, value=room * 0.5, technology="battery")
    case = policy(case, "SHARE_FI", share, year=2030, value=room, technology="battery", country="FI")
    case = policy(case, "CLEAN_25", clean, year=2025, value=0.5 / room)
    case = policy(case, "CLEAN_30", clean, year=2030, value=1.0 / room)
    case = policy(case, "CLEAN_SE", clean, year=2025, value=1.0 / room, country="SE")
    case = policy(case, "MONEY", "limit_budget_eur", value=room * 2e6, year=2030)
    case = policy(case, "MONEY_SE", "limit_budget_eur", value=room * 1.5e6, country="SE")
    case = policy(case, "SLOW", "limit_mode_shift_share_per_year", value=room * 0.2)
    bought = "hydrogen" if room == 1.0 else "battery"
    case = policy(case, "BAN", "ban_purchase", technology=bought, year=2030)
    case = policy(case, "BAN_FI", "ban_purchase", technology=bought, country="FI")
    return policy(case, "BAN_LATER", "ban_purchase", technology="battery", year=2031)


def _only(case: Instance, table: str, rows: pd.DataFrame) -> Instance:
    return replace(case, tables={**case.tables, table: rows})


SHORT = {
    "ban_purchase": ["policy BAN 2030", "policy BAN_FI FI 2030"],
    "cap_emissions": ["policy CAP_25 2025", "policy CAP_30 2030", "policy CAP_FI FI 2030"],
    "cap_technology": ["policy SHARE 2030", "policy SHARE_FI FI 2030"],
    "cover_hours": ["E BATTERY 2030", "W BATTERY 2025", "W BATTERY 2030", "W DIESEL 2025"],
    "cover_km": ["E BATTERY 2030", "W BATTERY 2025", "W BATTERY 2030", "W DIESEL 2025", "W DIESEL 2030"],
    "cover_work": ["lane 2 2025", "lane 2 2030"],
    "deliver_energy": ["charging area CE 2030", "charging area CW 2025", "charging area CW 2030"],
    "fit_opening_hours": [f"W BATTERY, places open 57.1154 h a week, {year}" for year in (2025, 2030)],
    "limit_mode_shift": ["policy SLOW 2030 ORE by rail"],
    "require_zero_emission": ["policy CLEAN_25 2025", "policy CLEAN_30 2030", "policy CLEAN_SE SE 2025"],
    "respect_driver_hours": ["drivers FI 2025", "drivers FI 2030", "drivers SE 2025", "drivers SE 2030"],
    "respect_grid": ["charging area CE 2030", "charging area CW 2030"],
    "respect_link_capacity": ["link FERRY_PORTW_PORTE 2025", "link RAIL_MINE_WEST 2030", "link RAIL_WEST_GAP 2025",
                              "link RAIL_WEST_GAP 2030", "link ROAD_GAP_EAST 2030"],
    "respect_terminal_capacity": ["terminal HARBOUR_E 2030", "terminal HARBOUR_W 2030", "terminal YARD_E 2025",
                                  "terminal YARD_E 2030", "terminal YARD_W 2030"],
    "return_empties": ["E DIESEL for break_bulk 2030", "W DIESEL for break_bulk 2030"],
    "spend_within_budget": ["policy MONEY 2030", "policy MONEY_SE SE 2030"],
}  # fmt: skip


def test_limits_at_what_the_plan_uses_are_kept_and_a_hundredth_less_breaks_each_of_them() -> None:
    kept, short = as_tight_as_the_plan_on_paper(), as_tight_as_the_plan_on_paper(0.99)
    assert limits_broken(kept, tables_of(kept)) == set()
    tables = tables_of(short)
    tables["driven"] = tables["driven"].assign(
        loaded_vkm=lambda t: t["loaded_vkm"].where(t["lane"] != 2, 0.99 * t["loaded_vkm"])
    )
    tables["empties"] = tables["empties"].assign(
        empty_vkm=lambda t: t["empty_vkm"].where(t["cargo_type"] != "break_bulk", 0.99 * t["empty_vkm"])
    )
    found = limits_broken(short, tables)
    assert found == {(rule, where) for rule, places in SHORT.items() for where in places}


def charged_on_the_way(room: float = 1.0, *, reach_km: float = 50.0) -> tuple[Instance, Tables]:
    """Batteries go 50 km and charge at both ends of their lanes, a part at others' points: all there is of both."""
    case = vary(tiny(), "vehicles", "vehicle", "BATTERY", range_km=reach_km * 1.25 / 0.75)
    case = vary(vary(case, "nodes", "node", "MINE", charge_area="CW"), "nodes", "node", "PLANT", charge_area="CE")
    case = vary(case, "chargers", "charger", "*", kw=150.0, utilisation_share=room * 112_500 / (8760 * 150))
    sold = [
        {"charge_area": area, "year": year, "kwh_per_year": room * kwh, "kw": 150.0, "price_add_eur_per_kwh": 0.05}
        | MADE_UP for area in ("CW", "CE") for year, kwh in ((2025, 25e3), (2030, 50e3))
    ]  # fmt: skip
    case = add_rows(case, "public_charging", sold)
    tables, true = plan_on_paper(tiny(), "joint"), tables_of(tiny())
    bought = [("CW", 2025, 25e3), ("CW", 2030, 50e3), ("CE", 2030, 50e3)]
    rows = [{"kind": "public_charging", "row": area, "year": year, "used": kwh, "limit": kwh, "unit": "kWh"}
            for area, year, kwh in bought]  # fmt: skip
    tables["use"] = pd.concat([true["use"], as_table("use", rows)], ignore_index=True)
    return case, tables


def test_energy_on_the_way_is_all_that_strong_chargers_and_others_deliver() -> None:
    assert limits_broken(*charged_on_the_way()) == set()
    areas = ("CE 2030", "CW 2025", "CW 2030")
    assert limits_broken(*charged_on_the_way(0.99)) == {
        *(("respect_public_charging", f"others' points in charging area {area}") for area in areas),
        *(("deliver_energy", f"charging area {area}") for area in areas),
        *(("deliver_on_the_way", f"charging area {area}, 150 kW and more") for area in areas),
    }
    on_lanes = ("lane 0 vehicle BATTERY 2025", "lane 1 vehicle BATTERY 2030", "lane 2 vehicle BATTERY 2030",
                "lane 3 vehicle BATTERY 2030")  # fmt: skip
    short = limits_broken(*charged_on_the_way(reach_km=49.9))
    assert short == {("respect_range", lane) for lane in on_lanes}


def test_a_plan_of_a_region_with_everything_in_it_is_accepted() -> None:
    assert np.isfinite(solved(with_everything()).cost_eur)  # in which the verifier has had its word


@pytest.mark.parametrize("seed", [0, 1])
def test_a_plan_of_a_region_with_other_figures_is_accepted_and_its_ledger_adds_up(seed: int) -> None:
    case, plan = made_up_plan(seed)
    assert plan.status == "optimal"
    assert check_ledger(case, plan.tables, build_ledger(case, plan.tables))["relative"].max() <= 1e-9


def test_a_plan_of_three_periods_is_accepted() -> None:
    last = tiny().periods[-1]
    case = replace(tiny(), periods=(*tiny().periods, replace(last, year=last.year + last.years)))
    assert np.isfinite(solved(case).cost_eur)


def test_a_gap_of_another_problem_may_be_rounded_and_no_more() -> None:
    claims = {"cost": 1.0, "bound": 1.0, "status": "optimal", "verified": True, "options": {"gap": 0.01}}
    assert claim_faults({**claims, "gap": 1e-9}, "cost", "bound") == []
    assert claim_faults({**claims, "gap": 2e-9}, "cost", "bound") == ["gap: is 0.0, not 2e-09"]


def refused(check: Callable[[Tables, Checks], object], tables: Tables) -> set[tuple[str, str]]:
    """What a part of the verifier has against some tables."""
    checks = Checks()
    check(tables, checks)
    return broken(checks.frame())


def other_cells(tables: Tables, name: str, rows: Iterable[int]) -> Iterator[tuple[str, Tables]]:
    """The tables with one cell of table `name` changed: to what another row holds, and to nothing."""
    frame = tables[name]
    for column in frame.columns.drop("lane" if name == "lanes" else []):
        values = frame[column].tolist()
        others = list(dict.fromkeys(values))
        nothing = "" if isinstance(values[0], str) else -1
        for row in rows:
            for new in {others[(others.index(values[row]) + 1) % len(others)], nothing} - {values[row]}:
                forged = frame[column].mask(frame.index == row, new)
                yield f"{name} row {row} {column}: {values[row]!r} -> {new!r}", {
                    **tables, name: frame.assign(**{column: forged})
                }  # fmt: skip


def check_ways(tables: Tables, checks: Checks) -> None:
    """Lanes and chains, as `verify_plan` checks them."""
    paths.check_lanes(read_world(tiny()), tables, checks)
    if not checks.failed:
        network = read_network(read_world(tiny()), tables)
        paths.check_chains(network, read_chains(network, tables), checks)


def test_no_cell_of_a_way_can_be_another() -> None:
    assert refused(check_ways, whole()) == set()
    tried = {"chain_steps": (1, 2, 3, *range(13, 19)), "lane_links": (0, *range(7, 11)), "lanes": (0, 5)}
    for table, rows in tried.items():
        accepted = [name for name, forged in other_cells(whole(), table, rows) if not refused(check_ways, forged)]
        assert accepted == []


def stepped(tables: Tables, chain: int, *steps: dict[str, Any]) -> Tables:
    """The tables with other steps of a chain."""
    blank = {"lane": -1} | dict.fromkeys(
        ("link", "from_node", "to_node", "mode_a", "mode_b", "terminal", "project"), ""
    )
    rows = [{"chain": chain, "step": i} | blank | step for i, step in enumerate(steps)]
    kept = tables["chain_steps"].query("chain != @chain")
    both = pd.concat([kept, as_table("chain_steps", rows)]).sort_values(["chain", "step"], kind="stable")
    return {**tables, "chain_steps": both.reset_index(drop=True)}


def lane(number: int, start: str, end: str) -> dict[str, Any]:
    return {"kind": "lane", "lane": number, "from_node": start, "to_node": end, "mode_a": "road"}


def link(name: str, start: str, end: str, mode: str) -> dict[str, Any]:
    return {"kind": "link", "link": name, "from_node": start, "to_node": end, "mode_a": mode}


def transfer(node: str, before: str, after: str, terminal: str = "") -> dict[str, Any]:
    return {"kind": "transfer", "from_node": node, "to_node": node, "mode_a": before, "mode_b": after,
            "terminal": terminal}  # fmt: skip


TO_RAIL, FROM_RAIL = transfer("WEST", "road", "rail", "YARD_W"), transfer("EAST", "rail", "road", "YARD_E")
FIRST, SECOND = link("RAIL_WEST_GAP", "WEST", "GAP", "rail"), link("RAIL_GAP_EAST", "GAP", "EAST", "rail")
LAST_MILE, CHANGE = lane(3, "EAST", "PLANT"), transfer("GAP", "rail", "rail")
# steps of chain 7, boxes from WEST to PLANT by rail -> where it is no path
WAYS: dict[str, tuple[list[dict[str, Any]], set[str]]] = {
    "as it is": ([TO_RAIL, FIRST, CHANGE, SECOND, FROM_RAIL, LAST_MILE], set()),
    "no change of gauge": ([TO_RAIL, FIRST, SECOND, FROM_RAIL, LAST_MILE], {"chain 7 step 2"}),
    "two changes of gauge": ([TO_RAIL, FIRST, CHANGE, CHANGE, SECOND, FROM_RAIL, LAST_MILE],
                             {"chain 7 step 2", "chain 7 step 3"}),
    "back again": ([TO_RAIL, FIRST, link("RAIL_WEST_GAP", "GAP", "WEST", "rail"),
                    transfer("WEST", "rail", "road", "YARD_W"), lane(4, "WEST", "PLANT")], set()),
    "a change within one gauge": ([TO_RAIL, FIRST, CHANGE, link("RAIL_WEST_GAP", "GAP", "WEST", "rail"),
                                   transfer("WEST", "rail", "road", "YARD_W"), lane(4, "WEST", "PLANT")],
                                  {"chain 7 step 2"}),
    "a change of gauge at the end": ([TO_RAIL, FIRST, CHANGE], {"chain 7 step 2", "chain 7"}),
    "begins at the other end": ([FIRST, CHANGE, SECOND, FROM_RAIL, LAST_MILE], {"chain 7"}),
    "ends before its end": ([TO_RAIL, FIRST, CHANGE, SECOND, FROM_RAIL], {"chain 7"}),
    "ends on rail": ([TO_RAIL, FIRST, CHANGE, SECOND], {"chain 7"}),
    "a lane in the middle left out": ([TO_RAIL, FIRST, CHANGE, SECOND, LAST_MILE], {"chain 7 step 4"}),
    "a jump": ([TO_RAIL, SECOND, FROM_RAIL, LAST_MILE], {"chain 7 step 1"}),
    "no steps": ([], {"chain 7"}),
}  # fmt: skip


@pytest.mark.parametrize("name", list(WAYS))
def test_a_way_is_followed_from_end_to_end(name: str) -> None:
    steps, places = WAYS[name]
    forged = stepped(whole(), 7, *steps)
    assert {where for rule, where in refused(check_ways, forged) if rule == "follow_a_path"} == places


def test_a_link_is_used_against_its_direction_only_if_it_leads_both_ways() -> None:
    back = stepped(whole(), 7, *WAYS["back again"][0])
    for name, place in (("RAIL_WEST_GAP", "chain 7 step 2"), ("ROAD_WEST_PORTW", "lane 5 step 0 link ROAD_WEST_PORTW")):
        world = read_world(vary(tiny(), "links", "link", name, two_way=False))
        checks = Checks()
        paths.check_lanes(world, back, checks)
        network = read_network(world, back)
        paths.check_chains(network, read_chains(network, back), checks)
        assert place in {where for rule, where in broken(checks.frame()) if rule in ("follow_a_path", "follow_roads")}


def check_fleet(tables: Tables, checks: Checks) -> None:
    assets.check_stock(read_world(tiny()), assets.read_stock(read_world(tiny()), tables), checks)


def check_chargers(tables: Tables, checks: Checks) -> None:
    assets.read_chargers(read_world(tiny()), tables, checks)


def check_projects(tables: Tables, checks: Checks) -> None:
    assets.check_projects(read_world(tiny()), assets.read_projects(read_world(tiny()), tables), checks)


def owned(vehicle: str, vintage: int, year: int, bought: int, kept: int, region: str = "E") -> dict[str, Any]:
    return {"fleet_region": region, "vehicle": vehicle, "vintage_year": vintage, "year": year, "bought": bought,
            "kept": kept}  # fmt: skip


def point(year: int, installed: int, in_service: int) -> dict[str, Any]:
    return {"charge_area": "CW", "charger": "DEPOT100", "year": year, "installed": installed, "in_service": in_service}


def built(project: str, year: int, newly: int, in_service: int) -> dict[str, Any]:
    return {"project": project, "year": year, "newly_built": newly, "in_service": in_service}


CHARGED = "charging area CW DEPOT100 {}"
# rows of a table -> places that are refused; DIESEL and chargers live 10 years, E owns one DIESEL of 2020, two of 2024
OWNED: list[tuple[Callable[[Tables, Checks], object], str, list[dict[str, Any]], set[str]]] = [
    (check_fleet, "fleet", [owned("DIESEL", 2020, 2025, 0, 1)], set()),
    (check_fleet, "fleet", [owned("DIESEL", 2020, 2025, 0, 2)], {"E DIESEL of 2020 in 2025"}),
    (check_fleet, "fleet", [owned("DIESEL", 2020, 2025, 0, 1), owned("DIESEL", 2020, 2030, 0, 1)],
     {"E DIESEL of 2020 in 2030"}),
    (check_fleet, "fleet", [owned("DIESEL", 2024, 2030, 0, 1)], {"E DIESEL of 2024 in 2030"}),
    (check_fleet, "fleet", [owned("DIESEL", 2024, 2025, 1, 3)], {"E DIESEL of 2024 in 2025"}),
    (check_fleet, "fleet", [owned("DIESEL", 2025, 2025, 2, 2), owned("DIESEL", 2025, 2030, 0, 2)], set()),
    (check_fleet, "fleet", [owned("DIESEL", 2025, 2025, 2, 1)], {"E DIESEL of 2025 in 2025"}),
    (check_fleet, "fleet", [owned("DIESEL", 2025, 2025, 2, 3)], {"E DIESEL of 2025 in 2025"}),
    (check_fleet, "fleet", [owned("DIESEL", 2025, 2030, 1, 1)], {"E DIESEL of 2025 in 2030"}),
    (check_fleet, "fleet", [owned("BATTERY", 2025, 2025, 1, 1)], set()),
    (check_fleet, "fleet", [owned("TRAIN_D", 2025, 2025, 0, 0)],
     {"E TRAIN_D of 2025 in 2025", "E TRAIN_D of 2025 in 2030"}),
    (check_fleet, "fleet", [owned("DIESEL", 2024, 2025, 0, 1), owned("DIESEL", 2024, 2025, 0, 1)], set()),
    (check_chargers, "chargers", [point(2025, 1, 1), point(2030, 0, 1)], set()),
    (check_chargers, "chargers", [point(2025, 1, 1)], {CHARGED.format(2030)}),
    (check_chargers, "chargers", [point(2025, 1, 1), point(2030, 2, 2)], {CHARGED.format(2030)}),
    (check_chargers, "chargers", [point(2030, 1, 1)], set()),
    (check_chargers, "chargers", [point(2025, 0, 1), point(2030, 1, 1)], {CHARGED.format(2025)}),
    (check_projects, "projects", [built("RAIL_MINE", 2030, 1, 1)], set()),
    (check_projects, "projects", [built("RAIL_MINE", 2025, 1, 1), built("RAIL_MINE", 2030, 0, 1)],
     {"project RAIL_MINE 2025"}),
    (check_projects, "projects", [built("RAIL_MINE", 2030, 0, 1)], {"project RAIL_MINE 2030"}),
    (check_projects, "projects", [built("RAIL_MINE", 2030, 2, 2)], {"project RAIL_MINE 2030"}),
    (check_projects, "projects", [built("GRID_W", 2025, 2, 2), built("GRID_W", 2030, 0, 2)], set()),
    (check_projects, "projects", [built("GRID_W", 2025, 1, 1)], {"project GRID_W 2030"}),
    (check_projects, "projects", [built("GRID_W", 2025, 2, 2), built("GRID_W", 2030, -1, 1)],
     {"project GRID_W 2030"}),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(OWNED)))
def test_what_is_owned_and_built_comes_and_goes_by_the_rules(case: int) -> None:
    check, table, rows, places = OWNED[case]
    assert {where for _, where in refused(check, {**whole(), table: as_table(table, rows)})} == places


@pytest.mark.parametrize(
    ("table", "row", "cells", "places"),
    [
        ("chargers", "DEPOT100", {"lifetime_years": 5}, {CHARGED.format(2030)}),
        ("chargers", "DEPOT100", {"lifetime_years": 6}, set()),
        ("chargers", "DEPOT100", {"available_from": 2026}, {CHARGED.format(2025)}),
        ("vehicles", "BATTERY", {"available_from": 2026}, {"W BATTERY of 2025 in 2025"}),
        ("vehicles", "BATTERY", {"lifetime_years": 5}, {"W BATTERY of 2025 in 2030"}),
        ("vehicles", "BATTERY", {"lifetime_years": 6}, set()),
        ("projects", "GRID_W", {"max_units": 1}, {"project GRID_W 2025", "project GRID_W 2030"}),
        ("projects", "GRID_W", {"requires": "RAIL_MINE"}, {"project GRID_W with RAIL_MINE 2025"}),
        ("projects", "GRID_W", {"excludes": "RAIL_CAP;RAIL_MINE"}, {"project GRID_W with RAIL_MINE 2030"}),
        ("projects", "GRID_W", {"max_units": 4, "excludes": "RAIL_MINE"}, {"project GRID_W with RAIL_MINE 2030"}),
        ("projects", "RAIL_MINE", {"requires": "GRID_W"}, set()),
    ],
)
def test_lives_years_and_pairs_are_those_of_the_instance(
    table: str, row: str, cells: dict[str, Any], places: set[str]
) -> None:
    case, checks = vary(tiny(), table, table[:-1], row, **cells), Checks()
    world = read_world(case)
    plan = {
        **whole(), "chargers": as_table("chargers", [point(2025, 1, 1), point(2030, 0, 1)]),
        "projects": as_table("projects", [*(built("GRID_W", year, 2 * (year == 2025), 2) for year in (2025, 2030)),
                                          built("RAIL_MINE", 2030, 1, 1)]),
    }  # fmt: skip
    assets.read_chargers(world, plan, checks)
    assets.check_stock(world, assets.read_stock(world, plan), checks)
    assets.check_projects(world, assets.read_projects(world, plan), checks)
    assert {where for _, where in broken(checks.frame())} == places


# by table: columns with words of the instance or the plan, whole numbers, and amounts that may not be below nothing
NAMED = {
    "bundles": ["origin", "destination", "commodity"], "demand": ["bundle"], "flows": ["chain"], "chains": ["bundle"],
    "chain_steps": ["chain", "link", "from_node", "to_node", "lane", "kind"],
    "lane_links": ["lane", "link", "from_node", "to_node"],
    "driven": ["lane", "vehicle"], "empties": ["from_region", "to_region", "vehicle"],
    "fleet": ["fleet_region", "vehicle"], "chargers": ["charge_area", "charger"], "projects": ["project"],
    "fuels": ["substitute", "country"], "supplied": ["supplier", "site", "input"],
}  # fmt: skip
WHOLE = {
    "fleet": ["bought", "kept"],
    "chargers": ["installed", "in_service"],
    "projects": ["newly_built", "in_service"],
}
AMOUNTS = {
    "demand": ["tonnes"], "flows": ["tonnes"], "chains": ["distance_km", "time_h"], "lanes": ["distance_km", "time_h"],
    "driven": ["loaded_vkm"], "empties": ["empty_vkm"], "fuels": ["replaced_kwh"], "emissions": ["ttw_kg", "wtt_kg"],
    "energy": ["kwh"], "use": ["used", "limit"], "supplied": ["tonnes"], **WHOLE,
}  # fmt: skip
KEYS = {
    "bundles": ["bundle"], "demand": ["bundle", "year"], "flows": ["chain", "year"], "chains": ["chain"],
    "chain_steps": ["chain", "step"], "lanes": ["lane"], "lane_links": ["lane", "step"],
    "driven": ["lane", "vehicle", "year"], "chargers": ["charge_area", "charger", "year"],
    "supplied": ["supplier", "site", "input", "year"],
    "projects": ["project", "year"], "costs": ["component", "year"], "use": ["kind", "row", "year"],
}  # fmt: skip


def check_sound(tables: Tables, checks: Checks) -> None:
    sound.check_tables(read_world(ALL), tables, checks)


def with_cell(name: str, column: str, value: Any, row: int = 0) -> Tables:
    frame = sound_tables()[name]
    forged = frame[column].astype(object if isinstance(value, str | None) else float)
    forged.iloc[row] = value
    kept = forged.astype("str") if isinstance(value, str) else forged
    return {**sound_tables(), name: frame.assign(**{column: kept})}


def test_tables_with_a_wrong_word_year_or_number_are_refused_by_table_and_column() -> None:
    assert refused(check_sound, sound_tables()) == set()
    kinds = sound_tables()["chain_steps"]["kind"].tolist()
    links, lanes = kinds.index("link"), kinds.index("lane")
    tried: list[tuple[str, str, str, Any, int]] = []
    for name, columns in NAMED.items():
        for column in columns:
            other = "nowhere" if sound_tables()[name][column].dtype == "str" else 999
            tried.append(("keep_tables_sound", name, column, other, lanes if column == "lane" else links))
    for name, frame in sound_tables().items():
        tried += [("keep_tables_sound", name, column, None, 0) for column in frame.columns]
        tried += [("keep_tables_sound", name, "year", 2026, 0)] if "year" in frame else []
    for name, columns in AMOUNTS.items():
        tried += [("be_positive", name, column, -2.0, 0) for column in columns]
        tried += [("keep_tables_sound", name, column, np.inf, 0) for column in columns if column != "limit"]
        tried += [("be_whole", name, column, 0.5, 0) for column in columns if column in WHOLE.get(name, ())]
    tried += [("keep_tables_sound", "flows", "chain", 0.5, 0), ("keep_tables_sound", "chain_steps", "step", 0.5, 0)]
    tried += [("be_positive", "flows", "tonnes", -2e-3, 0), ("be_positive", "energy", "kwh", -1e-6, 0)]
    for rule, name, column, value, row in tried:
        found = refused(check_sound, with_cell(name, column, value, row if row < len(sound_tables()[name]) else 0))
        assert any(
            each == rule and where.startswith(f"table {name}, ") and f"column {column}" in where
            for each, where in found
        ), (rule, name, column, value, found)
    for name, column, value in (
        ("flows", "tonnes", -5e-4),
        ("driven", "loaded_vkm", -0.5),
        ("lanes", "gross_limit_t", np.inf),
        ("use", "limit", np.inf),
        ("costs", "amount_eur", -2.0),
        ("costs", "year", 2035),
    ):
        assert refused(check_sound, with_cell(name, column, value)) == set(), (name, column, value)


def test_a_row_that_stands_twice_and_a_table_of_another_shape_are_refused() -> None:
    plan = sound_tables()
    for name, key in KEYS.items():
        twice = {**plan, name: pd.concat([plan[name], plan[name].iloc[-1:]], ignore_index=True)}
        row = " / ".join(str(plan[name][column].iloc[-1]) for column in key)
        assert ("keep_tables_sound", f"table {name}: {row} stands twice") in refused(check_sound, twice)
    for name, frame in plan.items():
        for other in ({}, {name: frame.iloc[:, 1:]}, {name: frame.assign(more=1)}):
            rest = {each: plan[each] for each in plan if each != name}
            (said,) = refused(check_sound, {**rest, **other})
            assert said[1].startswith(f"table {name}: missing, or other columns than ")
