"""Rules that no single cell can break: one small function each, named after what it demands.

A rule reads the rows of a table that have no fault of their own, and runs only if the other tables it needs are free
of faults, so that one slip is reported once.
"""

from nbb_opt.instance.rules import (  # noqa: F401 - importing a module registers its rules
    charging,
    factors,
    figures,
    flows,
    network,
    projects,
    sourcing,
    vehicles,
)
from nbb_opt.instance.rules.registry import RULES, RuleContext, run_rules

__all__ = ["RULES", "RuleContext", "run_rules"]
