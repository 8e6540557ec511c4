"""Breaks, opening hours, others' charging points, battery wear and subsidies change plans as they should."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from compared_statements import differences, entries_of_form
from milp_case import Instance, Solved, add_rows, solve, tiny, vary
from nbb_opt.errors import InstanceError
from nbb_opt.model import build, read_model, standard_form
from nbb_opt.network import prepare
from nbb_opt.verify import verify_plan

PROVENANCE = {"source": "assumption", "note": "made up for the test"}


def with_rows(instance: Instance, table: str, *rows: dict[str, Any]) -> Instance:
    return add_rows(instance, table, [row | PROVENANCE for row in rows])


def charged_on_the_way() -> Instance:
    """Batteries go 150 km and are charged on the way at 150 kW in CW."""
    case = vary(tiny(), "vehicles", "vehicle", "BATTERY", range_km=150.0)
    return vary(case, "nodes", "node", "MINE", charge_area="CW")


def driving_rules(instance: Instance, *, break_h: float = 0.75) -> Instance:
    rows = [{"country": country, "drive_h": 4.5, "break_h": break_h} for country in ("SE", "FI")]
    return with_rows(instance, "driving_rules", *rows)


def public(instance: Instance, *, kw: float = 400.0, kwh: float = 5e6, add: float = 0.05) -> Instance:
    rows = [
        {"charge_area": "CW", "year": year, "kwh_per_year": kwh, "kw": kw, "price_add_eur_per_kwh": add}
        for year in (2020, 2050)
    ]
    return with_rows(instance, "public_charging", *rows)


def subsidy(instance: Instance, kind: str, value: float, **years: int) -> Instance:
    row = {"subsidy": "S", "kind": kind, "country": "SE", "technology": "battery", "value": value}
    return with_rows(instance, "subsidies", row | {"first_year": 2020, "last_year": 2060} | years)


def hours_of(case: Instance) -> np.ndarray:
    built = build(case, prepare(case, prune=False), read_model("joint"))
    return built.data.driving.hours_per_vkm


def bought(solved: Solved, vehicle: str) -> int:
    fleet = solved.tables["fleet"]
    return int(fleet.loc[fleet["vehicle"] == vehicle, "bought"].sum())


def used(solved: Solved, kind: str) -> float:
    use = solved.tables["use"]
    return float(use.loc[use["kind"] == kind, "used"].sum())


def amount(solved: Solved, component: str) -> float:
    costs = solved.tables["costs"]
    return float(costs.loc[costs["component"] == component, "amount_eur"].sum())


def test_a_sixth_of_the_driving_is_breaks() -> None:
    plain, ruled = hours_of(tiny()), hours_of(driving_rules(tiny()))
    built = build(tiny(), prepare(tiny(), prune=False), read_model("joint"))
    d, lanes = built.data.driving, built.data.lanes
    wheel = lanes.time_h[d.lane] / lanes.distance_km[d.lane] * d.km_per_vkm
    home = ~d.on_the_way
    np.testing.assert_allclose(ruled[home], (plain + wheel / 6)[home], rtol=1e-12)


def test_charging_in_the_breaks_costs_no_more_hours_than_the_longer_of_the_two() -> None:
    case = charged_on_the_way()
    built = build(case, prepare(case, prune=False), read_model("joint"))
    d, lanes = built.data.driving, built.data.lanes
    assert d.on_the_way.any()
    plain, short, long = hours_of(case), hours_of(driving_rules(case, break_h=0.01)), hours_of(driving_rules(case))
    wheel = lanes.time_h[d.lane] / lanes.distance_km[d.lane] * d.km_per_vkm
    turning = built.data.trucks.turnaround_h[d.vehicle, d.cargo_type] / lanes.distance_km[d.lane]
    charging = plain - wheel - turning
    way = d.on_the_way
    np.testing.assert_allclose(short[way], plain[way], rtol=1e-12)
    np.testing.assert_allclose(long, wheel + turning + np.maximum(charging, wheel / 6), rtol=1e-12)


def test_breaks_never_lower_cost_and_the_plan_with_them_is_accepted() -> None:
    assert solve(driving_rules(tiny())).cost_eur > solve(tiny()).cost_eur


def test_a_worn_battery_goes_less_far_and_is_not_bought_for_a_lane_beyond_it() -> None:
    worn = with_rows(tiny(), "battery_wear", {"vehicle": "BATTERY", "range_loss_share": 0.6})
    whole, less = solve(tiny()), solve(worn)
    assert bought(whole, "BATTERY") > bought(less, "BATTERY")
    far = build(worn, prepare(worn, prune=False), read_model("joint")).data.trucks.usable_km
    full = build(tiny(), prepare(tiny(), prune=False), read_model("joint")).data.trucks.usable_km
    np.testing.assert_allclose(far[np.isfinite(full)], 0.4 * full[np.isfinite(full)])


def test_a_place_open_few_hours_needs_more_trucks() -> None:
    rows = [{"node": node, "hours_per_week": 30.0} for node in ("MINE", "WEST", "EAST")]
    narrow = solve(with_rows(tiny(), "opening_hours", *rows))
    assert narrow.cost_eur > solve(tiny()).cost_eur + 1000
    fleet, wide = narrow.tables["fleet"], solve(tiny()).tables["fleet"]
    assert fleet.groupby("year")["kept"].sum().max() > wide.groupby("year")["kept"].sum().max()


def test_opening_hours_longer_than_a_truck_works_are_no_limit() -> None:
    wide = with_rows(tiny(), "opening_hours", {"node": "MINE", "hours_per_week": 168.0})
    prepared = prepare(wide, prune=False)
    form = standard_form(build(wide, prepared, read_model("joint"), route="arrays"))
    assert not [name for name in form.row_names if name.startswith("fit_opening_hours")]


def test_others_points_replace_own_chargers_where_they_are_cheaper() -> None:
    case = vary(charged_on_the_way(), "chargers", "charger", "*", capex_eur=5e6)
    own, shared = solve(case), solve(public(case, add=0.001))
    assert shared.cost_eur < own.cost_eur
    assert used(shared, "public_charging") > 0
    assert amount(shared, "public_charging") == pytest.approx(0.001 * used(shared, "public_charging"))


def test_weak_points_of_others_serve_no_strong_battery_on_the_way() -> None:
    case = vary(charged_on_the_way(), "chargers", "charger", "*", capex_eur=5e6)
    case = vary(case, "fleet_regions", "fleet_region", "*", charge_area="")
    assert used(solve(public(case, kw=400.0, add=0.001)), "public_charging") > 0
    assert used(solve(public(case, kw=50.0, add=0.001)), "public_charging") == 0


def test_the_verifier_refuses_more_public_energy_than_is_on_sale_and_a_wrong_markup() -> None:
    case = public(vary(charged_on_the_way(), "chargers", "charger", "*", capex_eur=5e6), add=0.001)
    solved = solve(case)
    spec = read_model("joint")
    for factor, rule in ((1e3, "respect_public_charging"), (0.5, "deliver_energy")):
        use = solved.tables["use"].copy()
        use.loc[use["kind"] == "public_charging", "used"] *= factor
        verdict = verify_plan(
            case, {**solved.tables, "use": use}, blocks=spec.blocks, technologies=spec.technologies,
            projects=spec.projects, reported={},
        )  # fmt: skip
        assert rule in set(verdict.failures()["rule"])
        assert "agree_costs" in set(verdict.failures()["rule"])


def test_a_grant_is_paid_back_on_every_truck_bought_while_it_lasts() -> None:
    base, given = solve(tiny()), solve(subsidy(tiny(), "purchase_grant_eur_per_vehicle", 100_000.0))
    assert given.cost_eur < base.cost_eur
    fleet = given.tables["fleet"]
    swedish = fleet["fleet_region"].map(tiny()["fleet_regions"].set_index("fleet_region")["country"]) == "SE"
    number = fleet.loc[(fleet["vehicle"] == "BATTERY") & swedish, "bought"].sum()
    assert amount(given, "fleet_grant") == pytest.approx(-100_000.0 * number)
    assert number > 0


def test_a_grant_that_has_ended_changes_nothing() -> None:
    ended = solve(subsidy(tiny(), "purchase_grant_share", 0.4, first_year=2000, last_year=2010))
    assert ended.cost_eur == pytest.approx(solve(tiny()).cost_eur, abs=1)


def test_an_exemption_spares_the_toll_in_the_years_it_holds() -> None:
    tolled = vary(tiny(), "links", "mode", "road", toll_eur_per_vkm=0.5)
    first = tolled.periods[0]
    half = {"first_year": first.year, "last_year": first.year + first.years - 1}
    free, part = subsidy(tolled, "toll_exemption_share", 1.0), subsidy(tolled, "toll_exemption_share", 1.0, **half)
    costs = [solve(case).cost_eur for case in (free, part, tolled)]
    assert costs[0] < costs[1] < costs[2]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([("purchase_grant_share", 0.74)], ""),  # of five years of ten, at half the book value, 25 % are left
        (
            [("purchase_grant_share", 0.76)],
            "in 2025 288,800 EUR, more than the 285,000 EUR of its 380,000 EUR",
        ),
        (
            [("purchase_grant_eur_per_vehicle", 175_000.0)],
            "in 2030 175,000 EUR, more than the 172,500 EUR",
        ),
        ([("purchase_grant_share", 0.4), ("purchase_grant_eur_per_vehicle", 140_000.0)], "2025 292,000 EUR, more"),
    ],
)
def test_grants_that_pay_for_buying_to_sell_are_refused(rows: list[tuple[str, float]], fault: str) -> None:
    years = {"first_year": 2020, "last_year": 2060, "country": "SE", "technology": "battery"}
    table = [
        years | {"source": "made_up", "note": "", "subsidy": kind, "kind": kind, "value": value} for kind, value in rows
    ]
    try:
        tiny().with_table("subsidies", pd.DataFrame(table))
        said = ""
    except InstanceError as refused:
        said = str(refused)
    assert fault in said
    assert bool(fault) == ("loses" in said)


def hilly(instance: Instance, factor: float) -> Instance:
    """Every road and railway uphill both ways."""
    links = instance["links"]
    rows = links.loc[links["mode"].isin(["road", "rail"]), "link"].tolist()
    return with_rows(instance, "gradients", *({"link": link, "energy_factor": factor} for link in rows))


def test_hills_take_their_factor_of_energy_on_road_and_rail() -> None:
    level, steep = solve(tiny(), "frozen"), solve(hilly(tiny(), 1.25), "frozen")
    one, two = level.built.data.driving.ledger, steep.built.data.driving.ledger
    np.testing.assert_allclose(two.kwh, 1.25 * one.kwh)
    keys = ["year", "mode", "energy_carrier", "country"]
    before, after = (each.tables["energy"].set_index(keys)["kwh"] for each in (level, steep))
    mode = before.index.get_level_values("mode")
    assert (mode == "rail").any()
    np.testing.assert_allclose(after[mode == "rail"], 1.25 * before[mode == "rail"])
    assert (after[mode == "road"] > before[mode == "road"]).all()  # empty trips between regions count as level
    np.testing.assert_allclose(after[(mode == "sea") | (mode == "ferry")], before[(mode == "sea") | (mode == "ferry")])


def test_a_battery_goes_less_far_in_the_hills() -> None:
    flat = build(tiny(), prepare(tiny(), prune=False), read_model("joint")).data.lanes
    case = hilly(tiny(), 4.0)
    steep = build(case, prepare(case, prune=False), read_model("joint")).data.lanes
    assert steep.at_home.sum() < flat.at_home.sum()
    finite = np.isfinite(flat.reach_km)
    np.testing.assert_allclose(steep.reach_km[finite], 4.0 * flat.reach_km[finite])


def everything() -> Instance:
    """All tables at once."""
    case = driving_rules(public(charged_on_the_way(), kwh=2e5))
    case = with_rows(case, "battery_wear", {"vehicle": "BATTERY", "range_loss_share": 0.1})
    case = with_rows(case, "opening_hours", {"node": "MINE", "hours_per_week": 40.0})
    case = vary(hilly(case, 1.1), "links", "mode", "road", toll_eur_per_vkm=0.1)
    return subsidy(case, "toll_exemption_share", 0.5)


def test_pyomo_and_arrays_state_the_same_model_with_all_of_it() -> None:
    case = everything()
    prepared = prepare(case, prune=False)
    one, two = (standard_form(build(case, prepared, read_model("joint"), route=r)) for r in ("pyomo", "arrays"))
    assert any(name.startswith("fit_opening_hours") for name in one.row_names)
    assert any(name.startswith("public_kwh") for name in one.col_names)
    assert differences(entries_of_form(one), entries_of_form(two)) == []


def test_a_plan_with_all_of_it_is_accepted() -> None:
    assert np.isfinite(solve(everything()).cost_eur)


def with_yearly_km(cargo_type: str, annual_km: float) -> Instance:
    """Tiny, whose trucks do so many km a year with a cargo type, or with any ("*")."""
    loads = tiny()["vehicle_loads"].copy()
    trucks = loads["vehicle"].isin(["DIESEL", "BATTERY"])
    loads.loc[trucks & ((loads["cargo_type"] == cargo_type) | (cargo_type == "*")), "annual_km"] = annual_km
    return tiny().with_table("vehicle_loads", loads)


def test_km_a_year_by_cargo_type_count_as_those_of_the_truck_and_only_for_that_cargo() -> None:
    whole = solve(vary(tiny(), "vehicles", "mode", "road", annual_km=40_000.0))
    assert solve(with_yearly_km("*", 40_000.0)).cost_eur == pytest.approx(whole.cost_eur)
    some = solve(with_yearly_km("container", 40_000.0))
    assert solve(tiny()).cost_eur + 1000 < some.cost_eur < whole.cost_eur - 1000


def test_both_statements_count_km_by_cargo_type_alike() -> None:
    case = with_yearly_km("container", 40_000.0)
    prepared, spec = prepare(case, prune=False), read_model("joint")
    pyomo, arrays = (standard_form(build(case, prepared, spec, route=route)) for route in ("pyomo", "arrays"))
    assert differences(entries_of_form(pyomo), entries_of_form(arrays)) == []
