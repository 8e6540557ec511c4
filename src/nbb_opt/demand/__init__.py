"""From origin-destination rows to bundles: flows of one commodity between two zones, in every period."""

from nbb_opt.demand.bundle import Demand, read_demand

__all__ = ["Demand", "read_demand"]
