"""Slips in years, places, links, transfers and demand."""

from __future__ import annotations

from spoiling import Spoiling, adding, creating, dropping, link, setting, steps

MINE_ROAD = {"link": "ROAD_MINE_WEST"}
GAP_RAIL = {"link": "RAIL_WEST_GAP"}

TOTAL = {"total": "T", "name": "Mine", "measure": "handled_t_per_year", "modes": "road", "observed": "1",
         "observed_year": "2024", "outside": "0", "source": "made_up"}  # fmt: skip

OUTSIDE = {"origin": "MINE", "destination": "WEST", "commodity": "ORE", "year": "2025", "tonnes": "1",
           "source": "made_up"}  # fmt: skip

RECIPE = {"site": "PIT", "input": "props", "commodity": "WOOD", "t_per_t": "0.5", "source": "made_up"}
OFFER = {"supplier": "WOODS", "input": "props", "node": "WEST", "in_region": "true", "first_year": "2026",
         "price_eur_per_t": "30", "upstream_kg_co2e_per_t": "20", "source": "made_up"}  # fmt: skip
CONTRACT = {"supplier": "WOODS", "site": "PIT", "input": "props", "amount_t_per_year": "5", "source": "made_up"}
OFFERED = steps(creating("recipes", **RECIPE), creating("suppliers", **(OFFER | {"first_year": "2020"})))

SPOILINGS = [
    Spoiling(
        "recipes_are_of_plants_that_make_something",
        steps(
            OFFERED,
            setting("sites", {"year": "2025"}, direction="needs"),
            setting("sites", {"year": "2035"}, direction="needs"),
        ),
        "recipes.csv row 2, column site, value 'PIT'",
        "say in sites what it produces",
    ),
    Spoiling(
        "inputs_have_a_supplier",
        steps(OFFERED, setting("suppliers", {"supplier": "WOODS"}, site="PIT", node="MINE", capacity_t_per_year="9e6")),
        "recipes.csv row 2, column input, value 'props'",
        "add a row to suppliers",
    ),
    Spoiling(
        "suppliers_sell_what_a_recipe_needs",
        steps(OFFERED, adding("suppliers", **(OFFER | {"input": "prop"}))),
        "suppliers.csv row 3, column input, value 'prop'",
        "did you mean 'props'",
    ),
    Spoiling(
        "suppliers_sell_what_a_recipe_needs",
        steps(OFFERED, setting("suppliers", {"supplier": "WOODS"}, node="GAP")),
        "suppliers.csv row 2, column node, value 'GAP'",
        "set is_zone of GAP",
    ),
    Spoiling(
        "contracts_are_of_offers",
        steps(
            OFFERED,
            creating("supply_contracts", **(CONTRACT | {"supplier": "WOOD"}), year="2025"),
            adding("supply_contracts", **(CONTRACT | {"supplier": "WOOD"}), year="2030"),
        ),
        "supply_contracts.csv row 2, column supplier, value 'WOOD'",
        "did you mean 'WOODS'",
    ),
    Spoiling(
        "demand_holds_the_contracts",
        steps(
            OFFERED,
            creating("supply_contracts", **CONTRACT, year="2025"),
            adding("supply_contracts", **CONTRACT, year="2030"),
        ),
        "supply_contracts.csv",
        "lower the contracts",
    ),
    Spoiling(
        "inputs_can_be_had",
        steps(OFFERED, setting("suppliers", {"supplier": "WOODS"}, capacity_t_per_year="20000")),
        "suppliers.csv",
        "add a supplier",
    ),
    Spoiling(
        "outside_flows_have_a_link",
        creating("outside_flows", **OUTSIDE, link="ROAD_MINE_WEST"),
        "outside_flows.csv row 2, column link, value 'ROAD_MINE_WEST'",
        "ORE may use rail",
    ),
    Spoiling(
        "outside_flows_have_a_link",
        creating("outside_flows", **OUTSIDE, link="RAIL_WEST_GAP"),
        "value 'RAIL_WEST_GAP'",
        "name the link that does",
    ),
    Spoiling(
        "control_totals_say_where",
        creating("control_totals", **TOTAL),
        "control_totals.csv row 2, column nodes",
        "name where",
    ),
    Spoiling(
        "control_totals_say_where",
        creating("control_totals", **(TOTAL | {"nodes": "MINE", "links": "ROAD_MINE_WEST"})),
        "control_totals.csv row 2, column links, value 'ROAD_MINE_WEST'",
        "leave it blank",
    ),
    Spoiling(
        "years_cover_periods",
        dropping("country_years", country="SE", year="2025"),
        "country_years.csv row 2, column country, value 'SE'",
        "add a row of SE for 2025",
    ),
    Spoiling(
        "years_cover_periods",
        setting("energy", {"energy_carrier": "electricity", "country": "FI", "year": "2035"}, year="2029"),
        "column energy_carrier, country, value 'electricity/FI'",
        "for 2030",
    ),
    Spoiling(
        "no_mixing_of_blank_and_number",
        setting("country_years", {"country": "FI", "year": "2035"}, driver_limit_h_per_year=""),
        "column driver_limit_h_per_year",
        "add a row for 2030",
    ),
    Spoiling(
        "trucks_can_come_back",
        setting("links", {"link": "ROAD_MINE_WEST"}, two_way="false"),
        "links.csv row 2, column two_way, value false",
        "add a road that leads from WEST to MINE",
    ),
    Spoiling(
        "trucks_can_come_back",
        setting("links", {"link": "ROAD_WEST_GAP"}, two_way="false"),
        "links.csv row 4, column two_way, value false",
        "from WEST (fleet region W) to GAP, and no road leads back",
    ),
    Spoiling(
        "zones_have_a_fleet_region",
        setting("nodes", {"node": "PLANT"}, fleet_region=""),
        "nodes.csv row 8, column fleet_region",
        "name the region that serves PLANT",
    ),
    Spoiling(
        "road_transfers_have_a_fleet_region",
        adding("transfers", node="GAP", mode_a="road", mode_b="rail"),
        "column node, value 'GAP'",
        "give GAP a fleet_region",
    ),
    Spoiling(
        "hub_nodes_lie_in_their_region",
        setting("fleet_regions", {"fleet_region": "W"}, hub_node="EAST"),
        "fleet_regions.csv row 2, column hub_node, value 'EAST'",
        "did you mean 'MINE'?",
    ),
    Spoiling(
        "nodes_lie_apart",
        setting("nodes", {"node": "PLANT"}, lat="64.8", lon="22.5"),
        "nodes.csv row 8, column lat, lon, value '64.8, 22.5'",
        "correct one",
    ),
    Spoiling(
        "links_are_not_shorter_than_the_crow_flies",
        setting("links", MINE_ROAD, distance_km="5", time_h="0.1"),
        "links.csv row 2, column distance_km, value 5",
        "did you mean 50 km?",
    ),
    Spoiling(
        "links_are_not_faster_than_their_mode",
        setting("links", MINE_ROAD, time_h="0.01"),
        "links.csv row 2, column time_h, value 0.01",
        "did you mean 0.6 h?",
    ),
    Spoiling(
        "links_join_two_places", link("LOOP", to_node="MINE"), "column to_node, value 'MINE'", "name the other end"
    ),
    Spoiling(
        "rail_links_describe_their_track", setting("links", GAP_RAIL, axle_load_t=""), "column axle_load_t", "give it"
    ),
    Spoiling(
        "other_links_have_no_track",
        setting("links", MINE_ROAD, gauge_mm="1435"),
        "column gauge_mm, value 1435",
        "is the mode rail?",
    ),
    Spoiling(
        "road_links_limit_gross_weight", setting("links", MINE_ROAD, max_gross_t=""), "column max_gross_t", "such as 64"
    ),
    Spoiling(
        "capacity_link_has_its_own_capacity",
        setting("links", {"link": "RAIL_GAP_EAST"}, capacity_link="ROAD_GAP_EAST"),
        "column capacity_link, value 'ROAD_GAP_EAST'",
        "name a link of the same mode",
    ),
    Spoiling(
        "capacity_link_has_its_own_capacity",
        setting("links", {"link": "RAIL_GAP_EAST"}, capacity_link="RAIL_GAP_EAST"),
        "column capacity_link",
        "leave it blank",
    ),
    Spoiling(
        "capacity_link_has_its_own_capacity",
        steps(
            setting("links", {"link": "RAIL_GAP_EAST"}, capacity_link="RAIL_MINE_WEST"),
            setting("links", {"link": "RAIL_MINE_WEST"}, capacity_link="RAIL_WEST_GAP"),
        ),
        "value 'RAIL_MINE_WEST'",
        "did you mean 'RAIL_WEST_GAP'?",
    ),
    Spoiling(
        "capacity_is_said_once",
        setting("links", GAP_RAIL, capacity_link="RAIL_GAP_EAST"),
        "column capacity_t_per_year, value 20000",
        "leave one blank",
    ),
    Spoiling(
        "links_admit_a_vehicle",
        setting("links", GAP_RAIL, axle_load_t="18"),
        "column link, value 'RAIL_WEST_GAP'",
        "axle load",
    ),
    Spoiling(
        "links_admit_a_vehicle",
        setting("vehicles", {"vehicle": "TRAIN_D"}, gauge_mm="1435"),
        "column link, value 'RAIL_GAP_EAST'",
        "gauge",
    ),
    Spoiling(
        "transfers_change_something",
        adding(
            "handling_costs",
            mode_a="sea",
            mode_b="sea",
            cargo_type="timber",
            cost_eur_per_t="1",
            time_h="1",
            ttw_kg_co2e_per_t="0",
            wtt_kg_co2e_per_t="0",
        ),
        "column mode_b, value 'sea'",
        "name the other mode",
    ),
    Spoiling(
        "transfers_are_said_once",
        adding("transfers", node="PORTW", mode_a="sea", mode_b="road", terminal="HARBOUR_W"),
        "column mode_a, mode_b, value 'sea, road'",
        "rows hold both ways",
    ),
    Spoiling(
        "transfer_modes_meet_at_the_node",
        adding("transfers", node="PLANT", mode_a="road", mode_b="rail"),
        "column mode_b, value 'rail'",
        "there are road links",
    ),
    Spoiling(
        "transfer_modes_meet_at_the_node",
        adding("transfers", node="WEST", mode_a="rail", mode_b="rail"),
        "column mode_b, value 'rail'",
        "all track is 1435 mm",
    ),
    Spoiling(
        "terminals_are_at_the_transfer",
        setting("transfers", {"node": "WEST"}, terminal="YARD_E"),
        "transfers.csv row 2, column terminal, value 'YARD_E'",
        "did you mean 'YARD_W'?",
    ),
    Spoiling(
        "transfers_have_handling_costs",
        dropping("handling_costs", mode_b="sea"),
        "column mode_a, mode_b, value 'road, sea'",
        "add a row road,sea,neo_bulk",
    ),
    Spoiling(
        "flows_run_between_zones",
        setting("od", {"origin": "EAST"}, destination="GAP"),
        "column destination, value 'GAP'",
        "set is_zone of GAP to true",
    ),
    Spoiling(
        "flows_leave_their_zone",
        setting("od", {"origin": "EAST"}, destination="EAST"),
        "column destination, value 'EAST'",
        "traffic within a zone is not modelled",
    ),
    Spoiling(
        "flows_are_given_once",
        adding("od", origin="EAST", destination="PLANT", commodity="WOOD", year="2025", tonnes="1"),
        "value 'EAST/PLANT/WOOD/2025'",
        "add the two up",
    ),
    Spoiling("flows_cover_periods", dropping("od", year="2035"), "od.csv, column year", "add rows for 2030"),
    Spoiling(
        "flows_have_a_way",
        setting("links", {"link": "ROAD_EAST_PLANT"}, project="RAIL_MINE"),
        "column destination, value 'PLANT'",
        "add a link or transfer that exists today",
    ),
    Spoiling(
        "flows_have_a_way",
        setting("links", {"link": "ROAD_EAST_PLANT"}, two_way="false", from_node="PLANT", to_node="EAST"),
        "column destination, value 'PLANT'",
        "cannot be reached from",
    ),
    Spoiling(
        "sites_are_zones",
        setting("sites", {"site": "PIT", "year": "2025"}, node="GAP"),
        "sites.csv row 2, column node, value 'GAP'",
        "set is_zone of GAP to true",
    ),
]
