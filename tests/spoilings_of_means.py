"""Slips in vehicles, energy, projects, policies, fleet and provenance."""

from __future__ import annotations

from collections.abc import Callable

from instance_copies import Copy
from spoiling import Spoiling, adding, creating, dropping, project, setting, steps, writing

TRUCK = {"vehicle": "DIESEL"}
SHIP = {"vehicle": "SHIP"}

SUBSTITUTE = {
    "substitute": "POWER", "mode": "road", "replaces": "diesel", "energy_carrier": "electricity", "kwh_per_kwh": "0.5",
    "max_share": "1", "available_from": "2025", "source": "made_up",
}  # fmt: skip
GRANT = {
    "subsidy": "GRANT",
    "kind": "purchase_grant_share",
    "country": "SE",
    "technology": "battery",
    "first_year": "2025",
    "last_year": "2030",
    "value": "0.25",
    "source": "made_up",
}

DEPOT = {"spread_h": "0", "drivers": "1", "days_per_year": "250", "source": "made_up"}
OF_THE_EAST = {"fleet_region": "E", "shift": "night", "source": "made_up"}


def shifts(*stays: tuple[str, str], west: str = "1") -> Callable[[Copy], object]:
    """A shift of each depot of tiny, its trucks in from 17 to 5 o'clock; of the east at the hours given."""
    hours = [{"fleet_region": "W", "shift": "day", "arrives_h": "17", "departs_h": "5", "source": "made_up"}]
    hours += [OF_THE_EAST | {"arrives_h": a, "departs_h": b} for a, b in stays or [("6", "18")]]
    first = [
        DEPOT | {"fleet_region": "W", "shift": "day", "truck_share": west},
        DEPOT | OF_THE_EAST | {"truck_share": "1"},
    ]
    return steps(writing("shifts", *first), writing("shift_stays", *hours))


SPOILINGS = [
    Spoiling("shifts_share_out_the_trucks", shifts(west="0.7"), "shifts.csv row 2, column truck_share", "add up to 1"),
    Spoiling(
        "shifts_share_out_the_trucks",
        steps(shifts(), dropping("shifts", shift="night"), dropping("shift_stays", shift="night")),
        "shifts.csv row 2, column fleet_region",
        "E with charge_area CE has no shift (add its shifts)",
    ),
    Spoiling(
        "stays_fit_into_a_day",
        steps(shifts(), setting("shift_stays", OF_THE_EAST, shift="nite")),
        "shift_stays.csv row 3, column shift, value 'nite'",
        "did you mean 'night'?",
    ),
    Spoiling("stays_fit_into_a_day", shifts(("6.1", "18")), "column arrives_h, value 6.1", "did you mean 6?"),
    Spoiling("stays_fit_into_a_day", shifts(("6", "6")), "column departs_h, value 6", "give a later hour"),
    Spoiling("stays_fit_into_a_day", shifts(("0", "24")), "column departs_h, value 24", "give a later hour"),
    Spoiling(
        "stays_fit_into_a_day",
        shifts(("6", "12"), ("14", "13")),
        "shift_stays.csv row 4, column departs_h, value 13",
        "were the two hours swapped?",
    ),
    Spoiling("stays_fit_into_a_day", shifts(("6", "12"), ("12", "6")), "value 6", "let it leave earlier"),
    Spoiling(
        "stays_fit_into_a_day",
        steps(shifts(), dropping("shift_stays", shift="night")),
        "shifts.csv row 3, column shift, value 'night'",
        "say in shift_stays.csv when its trucks are in",
    ),
    Spoiling(
        "shifts_leave_drivers_their_rest",
        steps(
            shifts(("18", "3")),
            creating("driving_rules", country="FI", drive_h="4.5", break_h="0.75", rest_h="11", source="made_up"),
        ),
        "shifts.csv row 3, column drivers, value 1",
        "leaves 1 of them 15 h away in a day, and each rests 11 h",
    ),
    Spoiling(
        "charging_hours_are_a_whole_day",
        writing(
            "charging_hours",
            *(
                {"charge_area": "CW", "hour": str(hour), "price_add_eur_per_kwh": "0.1", "source": "made_up"}
                for hour in range(24)
                if hour != 17
            ),
        ),
        "charging_hours.csv row 2, column charge_area, value 'CW'",
        "has no row for hour 17",
    ),
    Spoiling(
        "mode_constants_are_of_modes_in_use",
        creating("mode_constants", constant="SEA_ORE", mode="sea", commodities="ORE", eur_per_t="1", source="made_up"),
        "mode_constants.csv row 2, column commodities, value 'ORE'",
        "or let ORE use sea",
    ),
    Spoiling(
        "required_projects_can_be_built",
        setting("projects", {"project": "RAIL_MINE"}, required_from_year="2025"),
        "projects.csv row 2, column required_from_year, value 2025",
        "give a later year",
    ),
    Spoiling(
        "figures_are_those_of_their_factors",
        setting("factors", {"factor": "diesel_ttw"}, value="0.30"),
        "energy.csv row 2, column ttw_kg_co2e_per_kwh, value '0.25'",
        "take the figure of the factor",
    ),
    Spoiling(
        "vehicles_weigh_less_empty_than_full",
        setting("vehicles", TRUCK, gross_t="20", kerb_t="60"),
        "vehicles.csv row 2, column kerb_t, value 60",
        "were the two swapped?",
    ),
    Spoiling(
        "technologies_fit_the_mode",
        setting("vehicles", {"vehicle": "TRAIN_E"}, technology="marine"),
        "column technology, value 'marine'",
        "one of diesel, hvo",
    ),
    Spoiling("trucks_are_owned", setting("vehicles", TRUCK, annual_km=""), "column annual_km", "trucks are owned"),
    Spoiling(
        "services_are_not_owned",
        setting("vehicles", SHIP, annual_h="6000"),
        "column annual_h, value 6000",
        "leave it blank",
    ),
    Spoiling(
        "services_cost_nothing_to_own",
        setting("vehicle_years", SHIP, capex_eur="1000000"),
        "column capex_eur, value 1000000",
        "write 0",
    ),
    Spoiling(
        "vehicles_have_costs",
        dropping("vehicle_years", vehicle="FERRY"),
        "vehicles.csv row 7, column vehicle, value 'FERRY'",
        "vehicle_years",
    ),
    Spoiling(
        "full_vehicles_use_no_less_energy",
        setting("vehicle_years", TRUCK, full_kwh_per_vkm="1"),
        "vehicle_years.csv row 2, column full_kwh_per_vkm, value 1",
        "were the two swapped?",
    ),
    Spoiling(
        "track_columns_are_for_trains",
        setting("vehicles", TRUCK, axle_load_t="11"),
        "column axle_load_t, value 11",
        "leave it blank",
    ),
    Spoiling(
        "battery_trucks_say_range_and_charging",
        setting("vehicles", {"vehicle": "BATTERY"}, range_km=""),
        "vehicles.csv row 3, column range_km",
        "give it",
    ),
    Spoiling(
        "battery_trucks_say_range_and_charging",
        setting("vehicles", SHIP, charge_kw="150"),
        "column charge_kw, value 150",
        "leave it blank",
    ),
    Spoiling(
        "vehicles_carry_something",
        steps(
            adding(
                "vehicles",
                vehicle="TRAIN_X",
                name="x",
                mode="rail",
                technology="diesel",
                energy_carrier="diesel",
                gross_t="1400",
                kerb_t="600",
                winter_factor="1",
                reserve_share="0",
                resale_share="0",
                available_from="2020",
            ),
            adding(
                "vehicle_years",
                vehicle="TRAIN_X",
                year="2025",
                capex_eur="0",
                fixed_eur_per_year="0",
                running_eur_per_vkm="1",
                empty_kwh_per_vkm="1",
                full_kwh_per_vkm="2",
            ),
            adding(
                "vehicle_years",
                vehicle="TRAIN_X",
                year="2030",
                capex_eur="0",
                fixed_eur_per_year="0",
                running_eur_per_vkm="1",
                empty_kwh_per_vkm="1",
                full_kwh_per_vkm="2",
            ),
        ),
        "column vehicle, value 'TRAIN_X'",
        "what it carries",
    ),
    Spoiling(
        "turnaround_is_for_trucks",
        setting("vehicle_loads", SHIP, turnaround_h="5"),
        "column turnaround_h, value 5",
        "write 0",
    ),
    Spoiling(
        "commodities_have_a_vehicle",
        adding(
            "commodities",
            commodity="OIL",
            name="Oil",
            cargo_type="liquid_bulk",
            value_of_time_eur_per_t_h="0.01",
            modes="road",
        ),
        "column cargo_type, value 'liquid_bulk'",
        "add a row to vehicle_loads",
    ),
    Spoiling(
        "energy_is_priced_where_vehicles_take_it_in",
        dropping("energy", energy_carrier="electricity", country="FI"),
        "vehicles.csv row 3, column energy_carrier, value 'electricity'",
        "add rows electricity,FI to energy.csv",
    ),
    Spoiling(
        "energy_is_priced_where_vehicles_take_it_in",
        dropping("energy", energy_carrier="diesel", country="FI"),
        "vehicles.csv row 2, column energy_carrier, value 'diesel'",
        "add rows diesel,FI to energy.csv",
    ),
    Spoiling(
        "countries_have_prices",
        dropping("country_years", country="XX"),
        "countries.csv row 4, column country, value 'XX'",
        "add wages and carbon price",
    ),
    Spoiling(
        "funding_shares_add_up",
        setting("project_funding", {"project": "RAIL_CAP", "country": "FI"}, share="0.2"),
        "project_funding.csv row 3, column project, value 'RAIL_CAP'",
        "0.05 is missing",
    ),
    Spoiling(
        "effects_change_an_existing_figure",
        setting("project_effects", {"project": "RAIL_CAP"}, row="RAIL_WEST_GAB"),
        "column row, value 'RAIL_WEST_GAB'",
        "did you mean 'RAIL_WEST_GAP'?",
    ),
    Spoiling(
        "effects_change_an_existing_figure",
        setting("project_effects", {"project": "RAIL_CAP"}, row="RAIL_GAP_EAST"),
        "column row, value 'RAIL_GAP_EAST'",
        "give it a capacity_t_per_year",
    ),
    Spoiling(
        "effects_change_an_existing_figure",
        setting("project_effects", {"project": "GRID_W"}, column="capacity_t_per_year"),
        "column column",
        "did you mean 'grid_mw'?",
    ),
    Spoiling(
        "projects_do_something",
        dropping("project_effects", project="GRID_W"),
        "projects.csv row 4, column project, value 'GRID_W'",
        "add a row to project_effects",
    ),
    Spoiling(
        "projects_do_not_require_in_a_circle",
        setting("projects", {"project": "RAIL_CAP"}, requires="RAIL_CAP"),
        "column requires, value 'RAIL_CAP'",
        "requires itself",
    ),
    Spoiling(
        "projects_do_not_require_in_a_circle",
        steps(
            setting("projects", {"project": "RAIL_CAP"}, requires="GRID_W"),
            project("THIRD", requires="RAIL_CAP"),
            setting("projects", {"project": "GRID_W"}, requires="THIRD"),
        ),
        "column requires",
        "->",
    ),
    Spoiling(
        "projects_do_not_exclude_what_they_require",
        setting("projects", {"project": "RAIL_CAP"}, requires="GRID_W", excludes="GRID_W"),
        "projects.csv row 3, column requires, value 'GRID_W'",
        "correct requires or excludes",
    ),
    Spoiling(
        "projects_do_not_exclude_what_they_require",
        setting("projects", {"project": "RAIL_CAP"}, excludes="RAIL_CAP"),
        "projects.csv row 3, column excludes",
        "remove it",
    ),
    Spoiling(
        "committed_projects_need_no_decision",
        setting("projects", {"project": "RAIL_CAP"}, status="committed"),
        "projects.csv row 3, column status_date",
        "give the day",
    ),
    Spoiling(
        "committed_projects_need_no_decision",
        setting("projects", {"project": "GRID_W"}, status="existing", status_date="2024-06-30"),
        "projects.csv row 4, column max_units, value 2",
        "a project of its own to what is still to be decided",
    ),
    Spoiling(
        "committed_projects_need_no_decision",
        setting("projects", {"project": "RAIL_CAP"}, status="committed", status_date="2024-06-30", requires="GRID_W"),
        "projects.csv row 3, column requires",
        "requires GRID_W, which is not decided",
    ),
    Spoiling(
        "links_have_the_status_of_their_project",
        setting("links", {"link": "ROAD_MINE_WEST"}, status="committed"),
        "links.csv row 2, column status, value 'committed'",
        "name the project that brings it",
    ),
    Spoiling(
        "dates_of_a_status_are_days",
        setting("projects", {"project": "RAIL_CAP"}, status_date="June 2024"),
        "projects.csv row 3, column status_date, value 'June 2024'",
        "write it as 2026-11-30",
    ),
    Spoiling(
        "policies_have_the_value_of_their_kind",
        setting("policies", {"policy": "CAP_2025"}, value=""),
        "policies.csv row 2, column value",
        "last part of the kind is its unit",
    ),
    Spoiling(
        "policies_have_the_value_of_their_kind",
        adding("policies", policy="BAN", kind="ban_purchase", technology="diesel", year="2028", value="1"),
        "column value, value 1",
        "leave it blank",
    ),
    Spoiling(
        "policies_about_shares_are_shares",
        setting("policies", {"kind": "cap_technology_share"}, value="90"),
        "column value, value 90",
        "did you mean 0.9?",
    ),
    Spoiling(
        "policies_name_a_truck_technology",
        setting("policies", {"kind": "cap_technology_share"}, technology="marine"),
        "column technology, value 'marine'",
        "one of battery, diesel",
    ),
    Spoiling(
        "policies_name_a_truck_technology",
        setting("policies", {"kind": "cap_technology_share"}, technology=""),
        "column technology",
        "one of battery, diesel",
    ),
    Spoiling(
        "policies_begin_with_a_period",
        setting("policies", {"policy": "CAP_2025"}, year="2026"),
        "policies.csv row 2, column year, value 2026",
        "did you mean 2025?",
    ),
    Spoiling(
        "mode_shares_are_kept_everywhere",
        setting("policies", {"kind": "limit_mode_shift_share_per_year"}, country="SE"),
        "column country, value 'SE'",
        "leave it blank",
    ),
    Spoiling(
        "policies_are_said_once",
        adding("policies", policy="CAP_2", kind="cap_emissions_t_per_year", year="2025", value="5"),
        "column policy, value 'CAP_2'",
        "remove one of the two",
    ),
    Spoiling(
        "fleets_are_trucks",
        adding("fleet", fleet_region="W", vehicle="SHIP", vintage_year="2022", vehicles="1"),
        "column vehicle, value 'SHIP'",
        "name a road vehicle",
    ),
    Spoiling(
        "fleets_are_older_than_the_plan",
        adding("fleet", fleet_region="W", vehicle="BATTERY", vintage_year="2025", vehicles="1"),
        "column vintage_year, value 2025",
        "give a year before 2025",
    ),
    Spoiling(
        "fleets_could_be_had",
        adding("fleet", fleet_region="W", vehicle="BATTERY", vintage_year="2023", vehicles="1"),
        "column vintage_year, value 2023",
        "available_from",
    ),
    Spoiling(
        "making_is_for_trucks",
        setting("vehicles", {"vehicle": "TRAIN_E"}, making_kg_co2e="50000", making_source="made_up"),
        "vehicles.csv row 4, column making_kg_co2e, value 50000",
        "only trucks are bought",
    ),
    Spoiling(
        "making_is_for_trucks",
        setting("vehicles", TRUCK, battery_making_kg_co2e="50000", making_source="made_up"),
        "vehicles.csv row 2, column battery_making_kg_co2e",
        "leave it blank",
    ),
    Spoiling(
        "making_is_for_trucks",
        setting("vehicles", TRUCK, making_kg_co2e="50000"),
        "vehicles.csv row 2, column making_source",
        "name a row of sources",
    ),
    Spoiling(
        "assumptions_give_their_reason",
        setting("chargers", {"charger": "DEPOT100"}, note=""),
        "chargers.csv row 2, column note",
        "say why",
    ),
    Spoiling(
        "assumptions_have_a_range",
        setting("vehicles", TRUCK, source="made_up;assumption", note="our own guess"),
        "vehicles.csv row 2, column source",
        "add vehicles,DIESEL,gross_t,<low>,<high>,<reason>",
    ),
    Spoiling(
        "ranges_name_a_figure",
        setting("ranges", {"row": "DEPOT100"}, row="DEPOT150"),
        "ranges.csv row 2, column row, value 'DEPOT150'",
        "did you mean 'DEPOT100'?",
    ),
    Spoiling(
        "ranges_name_a_figure",
        setting("ranges", {"row": "DEPOT100"}, column="capex"),
        "column column, value 'capex'",
        "did you mean 'capex_eur'?",
    ),
    Spoiling(
        "ranges_name_a_figure",
        setting("ranges", {"row": "DEPOT100"}, table="charger"),
        "column table, value 'charger'",
        "did you mean 'chargers'?",
    ),
    Spoiling(
        "ranges_name_a_figure",
        adding("ranges", table="vehicles", row="*", column="kerb_t", low_factor="0.9", high_factor="1.1", reason="x"),
        "column row, value '*'",
        "name a row",
    ),
    Spoiling(
        "wear_is_about_a_range",
        creating("battery_wear", vehicle="DIESEL", range_loss_share="0.2", source="made_up"),
        "battery_wear.csv row 2, column vehicle, value 'DIESEL'",
        "give range_km",
    ),
    Spoiling(
        "subsidies_name_a_truck_technology",
        creating("subsidies", **(GRANT | {"technology": "marine"})),
        "subsidies.csv row 2, column technology, value 'marine'",
        "one of battery",
    ),
    *(
        Spoiling(
            "substitutes_replace_a_fuel",
            creating("fuel_substitutes", **(SUBSTITUTE | cells)),
            f"fuel_substitutes.csv row 2, column {column}",
            fix,
        )
        for cells, column, fix in (
            ({"energy_carrier": "diesel"}, "energy_carrier", "name the other energy carrier"),
            ({"energy_carrier": "marine_fuel"}, "energy_carrier", "add rows to energy.csv"),
            ({"mode": "sea"}, "replaces", "is the mode right?"),
            ({"replaces": "electricity", "energy_carrier": "diesel"}, "replaces", "only fuels can be replaced"),
        )
    ),
    Spoiling(
        "subsidies_end_after_they_begin",
        creating("subsidies", **(GRANT | {"last_year": "2024"})),
        "subsidies.csv row 2, column last_year, value 2024",
        "were the two swapped?",
    ),
    Spoiling(
        "subsidies_about_shares_are_shares",
        creating("subsidies", **(GRANT | {"value": "25"})),
        "subsidies.csv row 2, column value, value 25",
        "did you mean 0.25?",
    ),
    Spoiling(
        "subsidies_are_given_once",
        steps(
            creating("subsidies", **GRANT),
            adding("subsidies", **(GRANT | {"subsidy": "AGAIN", "first_year": "2028", "last_year": "2040"})),
        ),
        "subsidies.csv row 3, column subsidy, value 'AGAIN'",
        "change the years or remove one",
    ),
    Spoiling(
        "grants_leave_a_price_to_pay",
        creating("subsidies", **(GRANT | {"value": "0.8"})),
        "subsidies.csv row 2, column value, value 0.8",
        "lower the grant, or resale_share in vehicles",
    ),
]
