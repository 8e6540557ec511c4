"""A plan worked out again: what its demand, chains, lanes, trucks and services are, by the tables alone.

The verifier holds a plan's claims against it, the ledger of emissions adds it up. It is written from models/README.md:
it takes the tables that an instance was read into, opens the demand file by itself, and shares nothing else with the
builder of the model. What others use is listed here; they import it from here only.
"""

from nbb_opt.recompute.demand import FLOW, SHIPPER, Demand, demand_by_shipper, demand_of
from nbb_opt.recompute.fuels import PLACE, read_replaced, substitution_costs, with_substitutes
from nbb_opt.recompute.lanes import LaneFacts, read_lanes
from nbb_opt.recompute.network import (
    MODE_ORDER,
    Chains,
    Network,
    handling_rows,
    in_order,
    mode_constants,
    read_chains,
    read_network,
)
from nbb_opt.recompute.services import chosen_services, service_amounts
from nbb_opt.recompute.sourcing import Supplies, read_supplies
from nbb_opt.recompute.tables import Where, Words, find, in_blocks, keyed, look_up, pick, total
from nbb_opt.recompute.trucks import (
    RANGE_SLACK,
    driven_costs,
    driven_energy,
    empties_costs,
    empties_energy,
    grants_eur,
    read_driven,
    read_empties,
    usable_range,
    way_energy,
)
from nbb_opt.recompute.world import World, read_world, values_in_periods

__all__ = [
    "FLOW",
    "MODE_ORDER",
    "PLACE",
    "RANGE_SLACK",
    "SHIPPER",
    "Chains",
    "Demand",
    "LaneFacts",
    "Network",
    "Supplies",
    "Where",
    "Words",
    "World",
    "chosen_services",
    "demand_by_shipper",
    "demand_of",
    "driven_costs",
    "driven_energy",
    "empties_costs",
    "empties_energy",
    "find",
    "grants_eur",
    "handling_rows",
    "in_blocks",
    "in_order",
    "keyed",
    "look_up",
    "mode_constants",
    "pick",
    "read_chains",
    "read_driven",
    "read_empties",
    "read_lanes",
    "read_network",
    "read_replaced",
    "read_supplies",
    "read_world",
    "service_amounts",
    "substitution_costs",
    "total",
    "usable_range",
    "values_in_periods",
    "way_energy",
    "with_substitutes",
]
