"""From origin-destination rows to bundles: flows of one commodity between two zones, in every period."""

from nbb_opt.demand.bundle import Demand, read_demand
from nbb_opt.demand.od.aggregate import Each

__all__ = ["Demand", "Each", "read_demand"]
