"""Figures that verifier and ledger work out again from tables: each by hand, at the edges of what it is defined for."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from milp_case import Instance, add_rows, tiny, vary
from nbb_opt.recompute import (
    World,
    chosen_services,
    grants_eur,
    handling_rows,
    in_order,
    mode_constants,
    read_driven,
    read_lanes,
    read_supplies,
    read_world,
    service_amounts,
    substitution_costs,
    usable_range,
    values_in_periods,
    way_energy,
    with_substitutes,
)
from nbb_opt.recompute import demand as of_demand
from nbb_opt.recompute import lanes as of_lanes
from nbb_opt.recompute.trucks import _shortest, hub_roads, toll_exemptions
from nbb_opt.result import as_table
from nbb_opt.verify.assets import value_left
from test_sourcing import fishing
from tiny_plan import whole

MADE_UP = {"source": "made_up", "note": ""}
SE_RULE = {"country": "SE", "drive_h": 4.5, "break_h": 0.75} | MADE_UP
NAN, INF = float("nan"), float("inf")


def rows(frame: pd.DataFrame, *columns: str) -> list[list[Any]]:
    return frame[list(columns)].to_numpy().tolist()


def test_a_euro_of_a_year_counts_by_the_years_from_the_first() -> None:
    world = read_world(replace(tiny(), meta=replace(tiny().meta, discount_rate=0.25)))
    assert world.once_weight == {2025: 1.0, 2030: pytest.approx(0.8**5)}
    assert world.yearly_weight[2025] == pytest.approx(1 + 0.8 + 0.64 + 0.512 + 0.4096)
    assert world.yearly_weight[2030] == pytest.approx(world.yearly_weight[2025] * 0.8**5)
    assert (world.horizon, world.horizon_weight) == (2035, pytest.approx(0.8**10))


@pytest.mark.parametrize(("rate", "share"), [(0.0, [0.0, 0.5, 1.0]), (0.25, [0.0, (1 - 0.8**5) / (1 - 0.8**10), 1.0])])
def test_what_is_left_at_the_horizon_are_the_annuities_of_the_years_of_life_left(
    rate: float, share: list[float]
) -> None:
    world = read_world(replace(tiny(), meta=replace(tiny().meta, discount_rate=rate)))
    life, built = pd.Series([10.0, 10.0, 10.0]), pd.Series([2020, 2030, 2035])
    assert value_left(world, life, built).tolist() == pytest.approx(share)


def test_a_year_is_of_one_period() -> None:
    world = read_world(tiny())
    years = (2024, 2025, 2029.9, 2030, 2034, 2035)
    assert [world.period_of(year) for year in years] == [None, 2025, 2025, 2030, 2030, None]
    assert [world.before(year) for year in (2025, 2030)] == [None, 2025]


def test_values_are_on_the_line_between_the_years_given_and_nowhere_else() -> None:
    given = pd.DataFrame({"k": ["b", "a", "a", "a"], "m": "x", "year": [2030, 2040, 2030, 2026],
                          "v": [7.0, 9.0, 3.0, 1.0], "w": [1.0, 0.0, 5.0, 1.0]})  # fmt: skip
    found = values_in_periods(given, ["k", "m"], ["v", "w"], [2025, 2026, 2027, 2030, 2036, 2040, 2041])
    assert rows(found, "k", "m", "year", "v", "w") == [
        ["a", "x", 2026, 1.0, 1.0], ["a", "x", 2027, 1.5, 2.0], ["a", "x", 2030, 3.0, 5.0],
        ["a", "x", 2036, pytest.approx(6.6), pytest.approx(2.0)], ["a", "x", 2040, 9.0, 0.0],
        ["b", "x", 2030, 7.0, 1.0],
    ]  # fmt: skip


def test_demand_between_two_years_is_on_the_line_and_outside_them_no_number() -> None:
    # flows 0 (2020: 1, 2030: 3), 1 (2025: 5), 2 (2025: 2, 2035: 4)
    given = np.array([0 * 10_000 + 2020, 0 * 10_000 + 2030, 10_000 + 2025, 20_000 + 2025, 20_000 + 2035])
    amounts = np.array([1.0, 3.0, 5.0, 2.0, 4.0])
    found = [of_demand._in_year(given, amounts, year, 3).tolist() for year in (2019, 2020, 2025, 2030, 2035, 2036)]
    np.testing.assert_equal(
        found,
        [[NAN, NAN, NAN], [1.0, NAN, NAN], [2.0, 5.0, 2.0], [3.0, NAN, 3.0], [NAN, NAN, 4.0], [NAN, NAN, NAN]],
    )


def lane_rows() -> dict[str, pd.DataFrame]:
    """Lane 7 from A over B, C to D with charging in A, C (areas X, Y) and D; lane 8 from B to C without any."""
    passes = pd.DataFrame({"lane": [7, 7, 7, 9], "charge_area": ["X", "Y", "X", "Y"], "at_km": [10.0, 40.0, 90.0, 5.0]})
    facts = pd.DataFrame({"level_km": [100.0, 30.0, 20.0]}, index=pd.Index([7, 8, 9], name="lane"))
    return {"passes": passes, "facts": facts}


def test_a_lane_is_cut_into_stretches_by_the_charging_on_it() -> None:
    found = of_lanes._stretches(**lane_rows())
    np.testing.assert_equal(
        found[["first_km", "tail_km", "longest_gap_km"]].to_numpy(),
        [[10.0, 10.0, 50.0], [NAN, NAN, NAN], [5.0, 15.0, 0.0]],
    )
    shares = of_lanes._area_shares(**lane_rows())  # each point serves half of what lies between it and the next
    assert rows(shares, "lane", "charge_area", "share") == [
        [7, "X", pytest.approx((25 + 35) / 100)], [7, "Y", pytest.approx(0.4)], [9, "Y", pytest.approx(1.0)],
    ]  # fmt: skip


def hilly() -> Instance:
    """Hills, tolls, a winter, opening hours and charging on the roads of tiny."""
    case = add_rows(tiny(), "gradients", [{"link": "ROAD_WEST_GAP", "energy_factor": 1.5} | MADE_UP])
    case = add_rows(case, "opening_hours", [{"node": "WEST", "hours_per_week": 40.0} | MADE_UP,
                                            {"node": "PLANT", "hours_per_week": 30.0} | MADE_UP])  # fmt: skip
    case = vary(case, "countries", "country", "FI", winter_share=0.1)
    for link, toll, charge in (("ROAD_WEST_GAP", 0.2, 1.0), ("ROAD_EAST_PLANT", 0.1, 2.0)):
        case = vary(case, "links", "link", link, toll_eur_per_vkm=toll, charge_eur_per_t=charge)
    return vary(vary(case, "links", "link", "ROAD_GAP_EAST", max_gross_t=40.0), "links", "link", "ROAD_MINE_WEST",
                max_gross_t=NAN)  # fmt: skip


def test_a_lane_is_the_sum_of_its_links() -> None:
    lanes = read_lanes(read_world(hilly()), whole())
    box = lanes.facts.loc[4]  # WEST, GAP, EAST, PLANT: 100 km in Sweden, 150 in Finland
    assert box[["first_node", "last_node", "region", "region_to", "region_country", "home_area"]].tolist() == [
        "WEST", "PLANT", "W", "E", "SE", "CW",
    ]  # fmt: skip
    assert box[["km", "level_km", "hours", "gross_limit", "charge_eur_per_t", "open_h"]].tolist() == [
        250.0, 300.0, 5.0, 40.0, 3.0, 30.0,
    ]  # fmt: skip
    assert box["winter"] == pytest.approx((100 * 0.4 + 150 * 0.1) / 250)
    assert box["toll"] == pytest.approx((100 * 0.2 + 50 * 0.1) / 250)
    assert not box["local"]
    assert (box["first_km"], box["longest_gap_km"], box["tail_km"]) == (0.0, 250.0, 50.0)
    ore = lanes.facts.loc[0]
    assert (ore["gross_limit"], ore["open_h"], ore["local"], ore["toll"]) == (INF, 40.0, True, 0.0)
    fish = lanes.facts.loc[5]
    assert (fish["first_km"], fish["longest_gap_km"], fish["tail_km"], fish["open_h"]) == (25.0, 250.0, 25.0, INF)
    shares = {(lane, country): share for lane, country, share in rows(lanes.countries, "lane", "country", "share")}
    assert (shares[4, "SE"], shares[4, "FI"], shares[0, "SE"]) == (0.4, 0.6, 1.0)
    tolls = {(lane, country): toll for lane, country, toll in rows(lanes.tolls, "lane", "country", "toll")}
    assert (tolls[4, "SE"], tolls[4, "FI"]) == (pytest.approx(0.08), pytest.approx(0.02))
    assert (0, "SE") not in tolls
    areas = {(lane, area): share for lane, area, share in rows(lanes.areas, "lane", "charge_area", "share")}
    assert areas[4, "CW"] == pytest.approx(125 / 300)
    assert areas[4, "CE"] == pytest.approx(175 / 300)


def driven_on(case: Instance, *driven: tuple[int, str]) -> pd.DataFrame:
    world = read_world(case)
    trips = [{"lane": lane, "vehicle": vehicle, "year": 2030, "loaded_vkm": 10.0} for lane, vehicle in driven]
    tables = {**whole(), "driven": as_table("driven", trips)}
    return read_driven(world, tables, read_lanes(world, tables))


def test_a_truck_loads_draws_and_works_as_by_the_formulas() -> None:
    case = vary(hilly(), "vehicle_loads", "vehicle", "DIESEL", load_factor=0.8, empty_share=0.2, turnaround_h=1.5)
    case = vary(case, "vehicles", "vehicle", "DIESEL", winter_factor=1.5)
    case = add_rows(case, "driving_rules", [SE_RULE | {"drive_h": 4.0, "break_h": 1.0}])
    box, ore = driven_on(case, (4, "DIESEL"), (0, "DIESEL")).to_dict("records")
    assert box["load_t"] == pytest.approx((40 - 20) * 0.8)
    assert ore["load_t"] == pytest.approx((60 - 20) * 0.8)
    winter = (100 * 0.4 + 150 * 0.1) / 250
    assert box["kwh_per_vkm"] == pytest.approx((1 + winter * 0.5) * 300 / 250 * (2 + 2 * 16 / 40))
    assert (box["kappa"], ore["kappa"]) == (0.0, pytest.approx(0.25))  # empty ones of a region go with the loaded
    assert ore["kwh_per_vkm"] == pytest.approx((1 + 0.4 * 0.5) * (2 + 2 * 32 / 40 + 0.25 * 2))
    assert box["hours_per_vkm"] == pytest.approx(5 / 250 * 1.25 + 1.5 / 250)
    assert ore["hours_per_vkm"] == pytest.approx(1 / 50 * 1.25 * 1.25 + 1.5 / 50)
    assert (box["charged"], bool(box["in_range"])) == ("not", True)


def battery(range_km: float, **cells: Any) -> Instance:
    return vary(tiny(), "vehicles", "vehicle", "BATTERY", range_km=range_km, winter_factor=1.0, reserve_share=0.0,
                **cells)  # fmt: skip


@pytest.mark.parametrize(
    ("lane", "range_km", "charged", "in_range"),
    [
        (4, 500.0 - 1e-9, "home", True),  # there and back again
        (4, 500.0 - 1.1e-9, "way", True),
        (4, 499.9, "way", True),  # between charging in WEST and EAST, 50 km before the end
        (4, 200.0 - 1e-9, "way", True),
        (4, 200.0 - 1.1e-9, "nowhere", False),
        (4, 199.9, "nowhere", False),
        (5, 200.0, "way", True),  # 25 km, 200 km and 25 km
        (5, 199.9, "nowhere", False),
        (0, 100.0, "home", True),
        (0, 99.9, "nowhere", False),  # no charging in MINE, 50 km before WEST
    ],
)
def test_a_battery_is_charged_at_home_if_it_can_come_back_and_else_on_the_way(
    lane: int, range_km: float, charged: str, in_range: bool
) -> None:
    (row,) = driven_on(battery(range_km), (lane, "BATTERY")).to_dict("records")
    assert (row["charged"], bool(row["in_range"])) == (charged, in_range)


def test_who_charges_on_the_way_waits_for_it_or_takes_the_break_meanwhile() -> None:
    hours = []
    for break_h in (0.1, 40.0):
        case = add_rows(
            battery(200.0), "driving_rules", [{"country": "SE", "drive_h": 4.0, "break_h": break_h} | MADE_UP]
        )
        (row,) = driven_on(case, (4, "BATTERY")).to_dict("records")
        hours.append(row["hours_per_vkm"])
    wheel, turn = 5 / 250, 1 / 250
    assert hours == [pytest.approx(wheel + turn + row["kwh_per_vkm"] / 150), pytest.approx(wheel * 11 + turn)]
    world = read_world(battery(200.0))
    frame = driven_on(battery(200.0), (4, "BATTERY"))
    way = way_energy(frame, read_lanes(world, whole()))
    kwh = 10.0 * row["kwh_per_vkm"]
    assert sorted(rows(way, "charge_area", "charge_kw", "kwh")) == [
        ["CE", 150.0, pytest.approx(0.6 * kwh)], ["CW", 150.0, pytest.approx(0.4 * kwh)],
    ]  # fmt: skip


def test_a_range_is_less_by_winter_reserve_and_wear() -> None:
    frame = pd.DataFrame({"range_km": [400.0, NAN], "winter_factor": 1.25, "reserve_share": 0.25, "range_left": 0.5})
    assert usable_range(frame).tolist() == [120.0, INF]
    world = read_world(add_rows(tiny(), "battery_wear", [{"vehicle": "BATTERY", "range_loss_share": 0.2} | MADE_UP]))
    assert world.range_left(pd.Series(["BATTERY", "DIESEL"])).tolist() == [0.8, 1.0]
    ruled = read_world(
        add_rows(tiny(), "driving_rules", [{"country": "SE", "drive_h": 4.5, "break_h": 0.75} | MADE_UP])
    )
    assert ruled.break_per_drive_h(pd.Series(["SE", "FI"])).tolist() == [pytest.approx(1 / 6), 0.0]


def subsidised(kind: str, *values: tuple[float, int, int]) -> World:
    offers = [
        {"subsidy": f"S{i}", "kind": kind, "country": "SE", "technology": "battery", "value": value,
         "first_year": first, "last_year": last} | MADE_UP for i, (value, first, last) in enumerate(values)
    ]  # fmt: skip
    return read_world(add_rows(tiny(), "subsidies", offers))


@pytest.mark.parametrize(
    ("first", "last", "shares"),
    [(2020, 2040, (1.0, 1.0)), (2025, 2029, (1.0, 0.0)), (2029, 2030, (0.2, 0.2)), (2027, 2031, (0.6, 0.4)),
     (2034, 2034, (0.0, 0.2)), (2035, 2040, (0.0, 0.0)), (2010, 2024, (0.0, 0.0))],
)  # fmt: skip
def test_an_exemption_holds_for_the_years_of_a_period_that_it_covers(
    first: int, last: int, shares: tuple[float, float]
) -> None:
    world = subsidised("toll_exemption_share", (0.5, first, last))
    found = toll_exemptions(world, np.array(["battery"] * 2), np.array(["SE"] * 2), np.array([2025, 2030]))
    assert found.tolist() == [pytest.approx(0.5 * share) for share in shares]
    other = toll_exemptions(world, np.array(["battery", "diesel"]), np.array(["FI", "SE"]), np.array([2025, 2025]))
    assert other.tolist() == [0.0, 0.0]


def test_grants_add_up_in_the_periods_that_begin_while_they_last() -> None:
    stock = pd.DataFrame(
        [("W", "battery", 2025), ("W", "battery", 2030), ("E", "battery", 2025), ("W", "diesel", 2025)],
        columns=["fleet_region", "technology", "year"],
    )
    price = np.array([100.0, 200.0, 100.0, 100.0])
    for kind, each in (("purchase_grant_eur_per_vehicle", (5.0, 5.0)), ("purchase_grant_share", (500.0, 1000.0))):
        for first, last, held in ((2025, 2030, (1, 1)), (2026, 2030, (0, 1)), (2025, 2029, (1, 0))):
            found = grants_eur(subsidised(kind, (5.0, first, last)), stock, price)
            assert found.tolist() == [each[0] * held[0], each[1] * held[1], 0.0, 0.0]
    both = grants_eur(subsidised("purchase_grant_share", (0.1, 2020, 2040), (0.2, 2020, 2026)), stock, price)
    assert both.tolist() == [pytest.approx(30.0), pytest.approx(20.0), 0.0, 0.0]


def test_the_way_between_hubs_is_the_shortest_by_road_and_of_equals_the_quickest() -> None:
    neighbours = {"A": [("B", 1.0, 1.0, 0.1), ("C", 1.0, 5.0, 0.2)], "B": [("D", 2.0, 9.0, 0.4)],
                  "C": [("D", 2.0, 2.0, 0.8), ("E", 3.0, 1.0, 0.0)], "D": [("E", 0.5, 1.0, 0.0)]}  # fmt: skip
    found = _shortest(neighbours, "A")
    assert {node: tuple(round(x, 9) for x in way) for node, way in found.items()} == {
        "A": (0.0, 0.0, 0.0), "B": (1.0, 1.0, 0.1), "C": (1.0, 5.0, 0.2), "D": (3.0, 7.0, 1.0), "E": (3.5, 8.0, 1.0),
    }  # fmt: skip
    case = vary(tiny(), "links", "link", "ROAD_WEST_GAP", toll_eur_per_vkm=0.3)
    assert rows(hub_roads(read_world(case), {"W"}), "from_region", "to_region", "km", "hours", "toll") == [
        ["W", "E", 200.0, 4.0, pytest.approx(0.15)]
    ]
    one_way = vary(tiny(), "links", "link", "ROAD_WEST_GAP", two_way=False)
    assert rows(hub_roads(read_world(one_way), {"E", "W"}), "from_region", "to_region") == [["W", "E"]]
    planned = vary(tiny(), "links", "link", "ROAD_WEST_GAP", project="RAIL_MINE")
    assert hub_roads(read_world(planned), {"E", "W"}).empty


def test_a_row_of_handling_holds_both_ways_unless_the_other_is_given() -> None:
    given = pd.DataFrame({"mode_a": ["road", "rail", "road"], "mode_b": ["rail", "road", "sea"], "cargo_type": "c",
                          "cost_eur_per_t": [1.0, 2.0, 3.0], **MADE_UP})  # fmt: skip
    found = handling_rows(SimpleNamespace(table=lambda name: given))  # type: ignore[arg-type]
    assert sorted(rows(found, "mode_a", "mode_b", "cost_eur_per_t")) == [
        ["rail", "road", 2.0], ["road", "rail", 1.0], ["road", "sea", 3.0], ["sea", "road", 3.0],
    ]  # fmt: skip


def test_rows_come_by_number_and_step() -> None:
    frame = pd.DataFrame({"chain": [0, 0, 1, 1], "step": [0, 1, 0, 0], "x": [1, 2, 3, 4]})
    assert in_order(frame, "chain") is frame
    for order in ([1, 0, 2, 3], [2, 0, 1, 3], [3, 2, 1, 0]):
        assert in_order(frame.iloc[order].reset_index(drop=True), "chain")["x"].tolist()[:2] == [1, 2]


def test_a_constant_of_a_mode_is_paid_by_the_flows_it_names_from_the_start() -> None:
    bundles = pd.DataFrame({"origin": ["A", "A", "B"], "destination": ["B", "C", "C"], "commodity": ["x", "y", "x"]})
    table = pd.DataFrame({
        "mode": ["rail", "road", "rail"], "origins": ["A", "", ""], "destinations": ["", "C;D", ""],
        "commodities": ["", "", "x"], "eur_per_t": [1.0, 2.0, 4.0],
    })  # fmt: skip
    world: Any = SimpleNamespace(table=lambda name: table)
    found = mode_constants(world, bundles, np.array([True, True, False]))
    assert found.tolist() == [[0.0, 5.0, 0.0, 0.0], [2.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]


def test_fuel_that_is_replaced_leaves_every_row_by_the_same_share() -> None:
    place = {"mode": "road", "country": "SE", "year": 2030}
    energy = pd.DataFrame(
        [
            ("diesel", "SE", 30.0, "a"),
            ("diesel", "SE", 10.0, "b"),
            ("hvo", "SE", 1.0, "a"),
            ("diesel", "FI", 7.0, "a"),
            ("diesel", "NO", 1e-3, "a"),
        ],
        columns=["energy_carrier", "country", "kwh", "category"],
    ).assign(mode="road", year=2030)
    replaced = pd.DataFrame([place | {"own": "diesel", "other": "hvo", "replaced_kwh": 20.0, "kwh_per_kwh": 1.5}])
    found = with_substitutes(replaced, energy, keys=["category"])
    assert sorted(rows(found, "category", "country", "energy_carrier", "kwh")) == [
        ["a", "FI", "diesel", 7.0], ["a", "SE", "diesel", 15.0], ["a", "SE", "hvo", 23.5],
        ["b", "SE", "diesel", 5.0], ["b", "SE", "hvo", 7.5],
    ]  # fmt: skip
    everything = with_substitutes(replaced.assign(replaced_kwh=40.0), energy, keys=["category"])
    assert ["b", "SE", "diesel"] not in rows(everything, "category", "country", "energy_carrier")
    tiny_rest = with_substitutes(replaced.assign(replaced_kwh=40.0 - 8e-3), energy, keys=["category"])
    assert ["b", "SE", "diesel"] in rows(tiny_rest, "category", "country", "energy_carrier")
    least = with_substitutes(replaced.assign(replaced_kwh=40.0 - 3.6e-3), energy, keys=["category"])
    assert ["b", "SE", "diesel"] not in rows(least, "category", "country", "energy_carrier")
    prices = pd.DataFrame({"energy_carrier": ["diesel", "hvo"], "country": "SE", "year": 2030,
                           "price_eur_per_kwh": [0.1, 0.3]})  # fmt: skip
    world: Any = SimpleNamespace(energy=prices)
    assert rows(substitution_costs(world, replaced), "component", "year", "amount_eur") == [
        ["fuel_substitution", 2030, pytest.approx(20.0 * (1.5 * 0.3 - 0.1))]
    ]


def services(case: Instance, link: str, cargo_type: str = "container") -> list[list[Any]]:
    used = pd.DataFrame({"link": [link], "cargo_type": [cargo_type], "year": [2030]})
    return rows(chosen_services(read_world(case), used).query("year == 2030"), "vehicle", "share")


def test_a_train_fits_its_line_and_the_cheaper_one_runs() -> None:
    for change, found in (
        ({}, [["TRAIN_E", 1.0]]),
        ({"electrified_share": 0.999}, [["TRAIN_D", pytest.approx(0.001)], ["TRAIN_E", 0.999]]),
        ({"electrified_share": 0.25}, [["TRAIN_D", 0.75], ["TRAIN_E", 0.25]]),
        ({"electrified_share": 0.0}, [["TRAIN_D", 1.0]]),
        ({"electrified_share": NAN}, [["TRAIN_D", 1.0]]),
        ({"gauge_mm": 1524}, [["TRAIN_D", 1.0]]),
        ({"gauge_mm": 1524, "electrified_share": 0.5}, []),  # nothing under the wire
        ({"axle_load_t": 20.0}, [["TRAIN_E", 1.0]]),
        ({"axle_load_t": 19.9}, []),
        ({"max_gross_t": 600.0}, []),
        ({"max_gross_t": 601.0}, [["TRAIN_E", 1.0]]),
    ):  # fmt: skip
        case = vary(tiny(), "links", "link", "RAIL_WEST_GAP", **change)
        assert sorted(services(case, "RAIL_WEST_GAP")) == found, change
    assert services(vary(tiny(), "vehicles", "vehicle", "TRAIN_E", available_from=2030), "RAIL_WEST_GAP") == [
        ["TRAIN_E", 1.0]
    ]
    assert services(vary(tiny(), "vehicles", "vehicle", "TRAIN_E", available_from=2031), "RAIL_WEST_GAP") == [
        ["TRAIN_D", 1.0]
    ]
    twins = vary(tiny(), "vehicles", "vehicle", "TRAIN_D", technology="electric", energy_carrier="electricity")
    years = twins["vehicle_years"].set_index("vehicle")
    same = years.loc["TRAIN_E", ["empty_kwh_per_vkm", "full_kwh_per_vkm"]].iloc[0]
    twins = vary(twins, "vehicle_years", "vehicle", "TRAIN_D", **same.to_dict())
    assert services(twins, "RAIL_WEST_GAP") == [["TRAIN_D", 1.0]]  # of equals the first by name


def test_a_service_draws_and_costs_as_by_the_formulas() -> None:
    case = vary(tiny(), "links", "link", "RAIL_WEST_GAP", toll_eur_per_vkm=2.0, max_gross_t=1000.0)
    case = vary(vary(case, "vehicles", "vehicle", "TRAIN_E", winter_factor=1.5), "vehicle_loads", "vehicle", "TRAIN_E",
                load_factor=0.5, empty_share=0.2)  # fmt: skip
    case = add_rows(case, "gradients", [{"link": "RAIL_WEST_GAP", "energy_factor": 1.25} | MADE_UP])
    used = pd.DataFrame({"link": ["RAIL_WEST_GAP"], "cargo_type": ["container"], "year": [2030], "tonnes": [10.0]})
    chosen = chosen_services(read_world(case), used)
    load = (1000.0 - 600.0) * 0.5
    kwh = 1.25 * (1 + 0.4 * 0.5) * (8 + 8 * load / 800 + 8 * 0.2 / 0.8) / load
    eur = (3.0 + 2.0) / (load * 0.8) + kwh * 0.1
    assert rows(service_amounts(used, chosen), "mode", "energy_carrier", "country", "kwh", "cost_eur") == [
        ["rail", "electricity", "SE", pytest.approx(1000.0 * kwh), pytest.approx(1000.0 * eur)]
    ]


@pytest.mark.parametrize(("base", "winner"), [("TTW", "TRAIN_D"), ("WTW", "TRAIN_E")])
def test_the_cheaper_train_is_so_with_the_price_of_its_carbon(base: str, winner: str) -> None:
    case = replace(tiny(), meta=replace(tiny().meta, carbon_base=base))
    for carrier, price, wtt in (("diesel", 0.01, 5.0), ("electricity", 0.12, 0.0)):
        case = vary(case, "energy", "energy_carrier", carrier, price_eur_per_kwh=price, wtt_kg_co2e_per_kwh=wtt,
                    ttw_kg_co2e_per_kwh=0.0)  # fmt: skip
    case = vary(case, "links", "link", "RAIL_WEST_GAP", electrified_share=1.0)
    assert services(case, "RAIL_WEST_GAP") == [[winner, 1.0]]


def test_what_a_plant_needs_gets_and_sells_is_worked_out_from_its_recipe() -> None:
    recipe = {"region_share": 0.3, "region_share_from_year": 2030}
    case = fishing(**recipe)
    bought = [("BOATS", "fish", 12_000.0), ("TANKS", "fish", 8_000.0)]
    sold = [{"supplier": who, "site": "SMOKERY", "input": what, "year": 2030, "tonnes": t} for who, what, t in bought]
    sold.append({"supplier": "MEAL", "site": "HATCHERY", "input": "feed", "year": 2030, "tonnes": 4000.0})
    found = read_supplies(read_world(case), {"supplied": as_table("supplied", sold)})
    assert found.rows["offered"].all()
    columns = ("site", "year", "supplied", "regional", "needed")
    assert rows(found.needs, *columns) == [
        ["SMOKERY", 2025, 0.0, 0.0, 20_000.0], ["SMOKERY", 2030, 20_000.0, 8_000.0, 20_000.0],
        ["HATCHERY", 2025, 0.0, 0.0, 0.0], ["HATCHERY", 2030, 4_000.0, 0.0, 4_000.0],
    ]  # fmt: skip
    np.testing.assert_equal(found.needs["region_share"].tolist(), [NAN, 0.3, NAN, NAN])
    assert sorted(rows(found.offers.query("year == 2030"), "supplier", "sold")) == [
        ["BOATS", 12_000.0], ["MEAL", 4_000.0], ["TANKS", 8_000.0],
    ]  # fmt: skip
    eur = dict(rows(found.costs, "year", "amount_eur"))
    assert eur == {2025: -20_000.0 * 100, 2030: (12_000 - 20_000) * 100.0 + 8_000 * 105.0 + 4_000 * 1.0}
    flows = {tuple(row[:3]): row[3:] for row in rows(
        found.flows.query("year == 2030"), "origin", "destination", "commodity", "supplied", "contracted"
    )}  # fmt: skip
    assert flows == {
        ("PORTW", "PORTE", "FISH"): [12_000.0, 20_000.0], ("PORTE", "PORTE", "FISH"): [8_000.0, 0.0],
        ("PORTW", "PORTE", "PULP"): [4_000.0, 0.0],
    }  # fmt: skip
    late = vary(case, "suppliers", "supplier", "TANKS", first_year=2031)
    assert read_supplies(read_world(late), {"supplied": as_table("supplied", sold)}).rows["offered"].tolist() == [
        True, False, True,
    ]  # fmt: skip
