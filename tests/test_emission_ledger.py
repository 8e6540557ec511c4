"""The ledger: it adds up to the model and to a recomputation by hand, and its elements say what they are made of."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from emissions_by_hand import emissions_by_hand
from milp_case import TINY, solve, tiny, vary
from nbb_opt.emissions.ledger import HUB, KG, Ledger, _shared, build_ledger, great_circle_km, read_legs
from nbb_opt.emissions.reconcile import GROUPS, check_ledger, factors_used, reconcile
from nbb_opt.errors import NbbError, VerifyFailed
from nbb_opt.instance import read_instance
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import solve_instance
from nbb_opt.recompute import read_world
from nbb_opt.result import Run
from tiny_plan import full_plan

NBB = TINY.parent / "nbb"
MODELS = ("joint", "frozen", "shift_only")


@cache
def plan(model: str = "joint") -> dict[str, pd.DataFrame]:
    return solve(tiny(), model).tables


@cache
def ledger_of(model: str = "joint") -> Ledger:
    return build_ledger(tiny(), plan(model))


@cache
def nbb() -> Run:
    return solve_instance(NBB, model="frozen", options=SolveOptions(time_limit_s=600, gap=1e-2))


def three_accounts_agree(instance, folder, tables):
    """Ledger, model and the recomputation by hand, by year and country."""
    ledger = build_ledger(instance, tables)
    by = ["year", "country"]
    model = tables["emissions"].groupby(by)[KG].sum()
    hand = emissions_by_hand(folder, tables, [period.year for period in instance.periods])[KG]
    mine = ledger.lines.groupby(by)[KG].sum()
    assert len(model)
    for other in (hand, mine):
        both = other.reindex(model.index.union(other.index)).fillna(0.0)
        said = model.reindex(both.index).fillna(0.0)
        np.testing.assert_allclose(both.to_numpy(), said.to_numpy(), rtol=1e-9, atol=1e-6)
    years = ledger.elements.groupby("year")[KG].sum()
    np.testing.assert_allclose(years, model.groupby("year").sum().reindex(years.index), rtol=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_ledger_model_and_hand_agree_on_tiny(model):
    three_accounts_agree(tiny(), TINY, plan(model))


def test_ledger_model_and_hand_agree_on_the_nordic_battery_belt():
    three_accounts_agree(read_instance(NBB), NBB, nbb().tables)


@pytest.mark.parametrize("model", MODELS)
def test_every_solve_reconciles_by_period_country_and_mode(model):
    found = check_ledger(tiny(), plan(model), ledger_of(model))
    assert set(found["by"]) == {", ".join(keys) for keys in GROUPS}
    assert {"year, category", "year, shipper"} <= set(found["by"])
    assert found["relative"].max() <= 1e-9


@pytest.mark.parametrize(("table", "column"), [("emissions", "ttw_kg"), ("emissions", "wtt_kg"), ("energy", "kwh")])
def test_a_changed_amount_breaks_the_reconciliation(table, column):
    tables = dict(plan())
    frame = tables[table].copy()
    frame.loc[frame[column].idxmax(), column] *= 1 + 1e-7
    tables[table] = frame
    with pytest.raises(VerifyFailed, match="does not add up"):
        check_ledger(tiny(), tables, ledger_of())


def test_a_changed_factor_of_the_instance_breaks_the_reconciliation():
    energy = tiny()["energy"].copy()
    energy["wtt_kg_co2e_per_kwh"] *= 1.01
    other = replace(tiny(), tables={**tiny().tables, "energy": energy})
    assert not reconcile(other, plan(), build_ledger(other, plan()))["ok"].all()


def test_every_tonne_and_km_of_a_chain_is_in_its_elements():
    tables, ledger = plan(), ledger_of()
    moves = ledger.elements[ledger.elements["mode"] != HUB]
    found = moves.groupby(["chain", "year"])["activity_tkm"].sum()
    flows = tables["flows"].merge(tables["chains"], on="chain").set_index(["chain", "year"])
    expected = (flows["tonnes"] * flows["distance_km"]).loc[lambda tkm: tkm > 0]
    np.testing.assert_allclose(found.reindex(expected.index), expected, rtol=1e-9)


def test_an_element_emits_its_activity_times_the_intensity_of_its_one_category():
    ledger = ledger_of()
    assert ledger.categories["category"].is_unique
    both = ledger.elements.merge(ledger.categories, on="category", suffixes=("", "_all"), validate="many_to_one")
    assert len(both) == len(ledger.elements)
    unit = both["activity_tkm"].where(both["mode"] != HUB, both["mass_t"])
    for kg in KG:
        np.testing.assert_allclose(both[kg], unit * both[f"{kg}_per_unit"], rtol=1e-12)
    assert set(ledger.elements["category"]) == set(ledger.categories["category"])


def test_the_empty_running_of_the_categories_is_that_of_the_plan():
    tables, road = plan(), ledger_of().categories.query("mode == 'road'")
    driven = tables["driven"].merge(tiny()["vehicle_loads"], on="vehicle").merge(tables["lanes"], on="lane")
    driven = driven[driven["cargo_type_x"] == driven["cargo_type_y"]]
    region = tiny()["nodes"].set_index("node")["fleet_region"]
    local = driven["from_node"].map(region).to_numpy() == driven["to_node"].map(region).to_numpy()
    share = driven["empty_share"] / (1 - driven["empty_share"])
    expected = (driven["loaded_vkm"] * share)[local].sum() + tables["empties"]["empty_vkm"].sum()
    assert road["empty_vkm"].sum() == pytest.approx(expected, rel=1e-9)
    assert road["loaded_vkm"].sum() == pytest.approx(tables["driven"]["loaded_vkm"].sum(), rel=1e-9)


def test_no_distance_is_adjusted_on_the_own_network():
    elements = ledger_of().elements
    moves = elements[elements["mode"] != HUB]
    np.testing.assert_allclose(moves["activity_tkm"], moves["mass_t"] * moves["sfd_km"], rtol=1e-12)
    hubs = elements[elements["mode"] == HUB]
    assert (hubs["activity_tkm"] == 0).all()
    assert (elements["gcd_km"] >= 0).all()


def test_the_ferry_over_the_kvarken_follows_its_own_change_of_fuel():
    instance = read_instance(NBB)
    ferry = build_ledger(instance, nbb().tables).categories.query("vehicle == 'ferry_kvarken'")
    of_cargo_type = (
        ferry[ferry["cargo_type"] == ferry["cargo_type"].iloc[0]].sort_values("year").drop_duplicates("year")
    )
    energy = instance["energy"].query("energy_carrier == 'kvarken_ferry_mix'").set_index("year")
    energy = energy["wtt_kg_co2e_per_kwh"].sort_index()
    per_kwh = np.interp(of_cargo_type["year"], energy.index, energy)  # SCHEMA: between two years in proportion
    intensity = of_cargo_type["wtt_kg_per_unit"].to_numpy()
    assert len(intensity) > 1
    assert (np.diff(intensity) < 0).all()
    np.testing.assert_allclose(intensity / intensity[0], per_kwh / per_kwh[0], rtol=1e-9)


def test_empty_trips_are_shared_over_the_lanes_that_leave_the_same_region_by_loaded_tkm():
    tables, own = dict(plan()), ledger_of()
    trips = tables["empties"]
    assert len(trips)
    without = build_ledger(tiny(), {**tables, "empties": trips.iloc[:0]})
    key = ["category", "vehicle", "cargo_type", "year", "from_node"]
    both = own.categories.query("mode == 'road'").merge(without.categories[["category", "kwh"]], on="category")
    both = both.assign(added=both["kwh_x"] - both["kwh_y"])
    region = tiny()["nodes"].set_index("node")["fleet_region"]
    both = both.assign(from_region=both["from_node"].map(region))
    assert set(key) <= set(both.columns)
    for trip, rows in trips.groupby(["vehicle", "cargo_type", "from_region", "year"]):
        same = both.set_index(["vehicle", "cargo_type", "from_region", "year"])
        if trip not in same.index:
            continue
        shared = same.loc[[trip]]
        np.testing.assert_allclose(
            shared["added"] / shared["added"].sum(), shared["activity_tkm"] / shared["activity_tkm"].sum(), rtol=1e-6
        )
        assert shared["empty_vkm"].sum() >= rows["empty_vkm"].sum() * (1 - 1e-9)


def test_empty_trips_without_freight_from_their_region_go_to_the_freight_of_the_same_vehicle():
    tables = dict(plan())
    trips = tables["empties"].copy()
    chosen = trips["vehicle"] == "DIESEL"
    trips.loc[chosen, "cargo_type"] = "liquid_bulk"
    moved = build_ledger(tiny(), {**tables, "empties": trips})
    assert moved.lines["kwh"].sum() == pytest.approx(ledger_of().lines["kwh"].sum(), rel=1e-9)


def test_energy_without_any_freight_is_an_error():
    tables = dict(plan())
    trips = tables["empties"].iloc[:1].assign(vehicle="HYDROGEN")
    vehicles = tiny()["vehicles"]
    ghost = vehicles[vehicles["vehicle"] == tables["empties"]["vehicle"].iloc[0]].assign(vehicle="HYDROGEN")
    years = tiny()["vehicle_years"]
    years = years[years["vehicle"] == tables["empties"]["vehicle"].iloc[0]].assign(vehicle="HYDROGEN")
    more = {
        "vehicles": pd.concat([vehicles, ghost], ignore_index=True),
        "vehicle_years": pd.concat([tiny()["vehicle_years"], years], ignore_index=True),
    }
    other = replace(tiny(), tables={**tiny().tables, **more})
    with pytest.raises(NbbError, match="belong to no chain"):
        build_ledger(other, {**tables, "empties": pd.concat([tables["empties"], trips], ignore_index=True)})


def test_freight_on_a_lane_that_no_truck_drives_is_an_error():
    tables = dict(plan())
    driven = tables["driven"]
    with pytest.raises(NbbError, match="no truck drives it"):
        build_ledger(tiny(), {**tables, "driven": driven[driven["lane"] != driven["lane"].iloc[0]]})


def test_trucks_on_a_lane_carry_by_the_work_they_do() -> None:
    """Ore in 2025: as many loaded km by diesel as by battery trucks, which load half as much here."""
    shares = []
    for load_factor in (0.5, 0.25):
        instance = vary(tiny(), "vehicle_loads", "vehicle", "BATTERY", load_factor=load_factor)
        ledger = build_ledger(instance, full_plan(tiny(), "joint"))
        moves = ledger.elements[(ledger.elements["year"] == 2025) & (ledger.elements["mode"] == "road")]
        vehicle = moves["category"].map(ledger.categories.set_index("category")["vehicle"])
        shares.append(moves["activity_tkm"].groupby(vehicle).sum()["BATTERY"])
    assert shares[1] / shares[0] == pytest.approx((1 / 3) / (1 / 2))


def test_the_way_of_the_crow_is_that_of_the_law_of_cosines() -> None:
    places = np.array([[63.83, 20.26], [-33.87, 151.21], [59.91, 10.75], [0.0, 0.0], [10.0, 179.0]])
    lat, lon = np.radians(places).T
    for i, start in enumerate(places):
        apart = np.sin(lat[i]) * np.sin(lat) + np.cos(lat[i]) * np.cos(lat) * np.cos(lon - lon[i])
        by_hand = 6371.0088 * np.arccos(np.minimum(apart, 1.0))
        found = great_circle_km(np.broadcast_to(start, places.shape), places)
        np.testing.assert_allclose(found, by_hand, rtol=1e-6, atol=0.2)


def test_a_leg_is_what_one_mode_runs_without_a_stop() -> None:
    """Links of a mode one after the other are a leg; a transfer, another mode and another chain begin a new one."""
    steps = [
        (0, "link", "RAIL_WEST_GAP", "WEST", "GAP", "rail"), (0, "link", "RAIL_GAP_EAST", "GAP", "EAST", "rail"),
        (1, "link", "RAIL_GAP_EAST", "GAP", "EAST", "rail"),
        (1, "link", "FERRY_PORTW_PORTE", "PORTE", "PORTW", "ferry"),
        (2, "link", "RAIL_WEST_GAP", "WEST", "GAP", "rail"), (2, "transfer", "", "GAP", "GAP", "rail"),
        (2, "link", "RAIL_GAP_EAST", "GAP", "EAST", "rail"),
    ]  # fmt: skip
    frame = pd.DataFrame(steps, columns=["chain", "kind", "link", "from_node", "to_node", "mode_a"])
    frame = frame.assign(step=[0, 1, 0, 1, 0, 1, 2])
    flows = pd.DataFrame({"chain": [0, 1, 2], "cargo_type": "container", "year": 2025, "tonnes": 1.0})
    found = read_legs(read_world(tiny()), frame, flows)
    legs = found.runs.merge(found.legs, on="leg").sort_values(["chain", "step"])
    assert legs[["chain", "step", "mode", "from_node", "to_node", "distance_km"]].to_numpy().tolist() == [
        [0, 0, "rail", "WEST", "EAST", 200], [1, 0, "rail", "GAP", "EAST", 100], [1, 1, "ferry", "PORTE", "PORTW", 100],
        [2, 0, "rail", "WEST", "GAP", 100], [2, 2, "rail", "GAP", "EAST", 100],
    ]  # fmt: skip
    rail = found.legs[found.legs["mode"] == "rail"].set_index("leg")["distance_km"]  # no ferry takes containers
    assert found.use.groupby("leg")["km"].sum().to_dict() == rail.to_dict()


def test_what_has_no_lane_is_shared_by_loaded_tkm_near_first_then_wide() -> None:
    at = {"year": 2030, "cargo_type": "timber"}
    keys = ["vehicle", "region"]
    work = pd.DataFrame(
        [("A", "W", 0, 1.0), ("A", "W", 1, 3.0), ("A", "E", 2, 4.0), ("B", "E", 3, 9.0)], columns=[*keys, "lane", "tkm"]
    ).assign(**at)
    rows = pd.DataFrame([("A", "W", 8.0), ("A", "N", 16.0), ("C", "W", 0.0)], columns=[*keys, "kwh"]).assign(**at)
    found = _shared(rows, work, "kwh").groupby("lane")["kwh"].sum()
    assert found.to_dict() == {0: 2.0 + 2.0, 1: 6.0 + 6.0, 2: 8.0}
    with pytest.raises(NbbError, match="vehicle 'C' from 'W' in 2030: drives without any freight"):
        _shared(rows.assign(kwh=-1.0), work, "kwh")


def test_the_widest_gap_is_told_as_a_share_of_the_largest_account():
    model = plan()["emissions"]
    found = reconcile(tiny(), {**plan(), "emissions": model.assign(ttw_kg=2 * model["ttw_kg"])}, ledger_of())
    wrong = found[(found["by"] == "year") & (found["boundary"] == "TTW")]
    assert wrong["relative"].to_numpy() == pytest.approx(0.5)
    assert not wrong["ok"].any()
    assert found.loc[found["boundary"] == "WTT", "ok"].all()


def test_a_row_that_names_no_factor_stands_among_them_with_its_own_figures():
    bare = replace(tiny(), tables={**tiny().tables, "energy": tiny()["energy"].assign(factors="")})
    found = factors_used(bare, [plan()])
    found = found[(found["subject"] == "no factor named") & (found["used_for"] == "diesel")]
    columns = ["factor", "boundary", "value", "unit", "region", "year"]
    assert [row for row in found[columns].to_numpy().tolist() if row[0] == "energy diesel/SE/2025"] == [
        ["energy diesel/SE/2025", "TTW", 0.25, "kg_co2e_per_kwh", "SE", "2025"],
        ["energy diesel/SE/2025", "WTT", 0.05, "kg_co2e_per_kwh", "SE", "2025"],
    ]
    assert not found.duplicated(["factor", "boundary"]).any()


def test_handling_stands_among_the_factors_with_the_figures_of_its_row():
    found = factors_used(tiny(), [plan()])
    found = found[found["subject"] == "handling"].set_index(["factor", "boundary"])["value"]
    given = tiny()["handling_costs"].set_index(["mode_a", "mode_b", "cargo_type"])
    assert len(found)
    for (factor, boundary), value in found.items():
        key = tuple(factor.removeprefix("handling ").split("/"))
        assert value == given.loc[key, f"{boundary.lower()}_kg_co2e_per_t"]
