"""The blocks of the model: each function's docstring is its mathematics."""

from nbb_opt.model.arrays.charging import add_charging
from nbb_opt.model.arrays.fleet import add_driving, add_fleet
from nbb_opt.model.arrays.flow import add_flow
from nbb_opt.model.arrays.links import add_links
from nbb_opt.model.arrays.policy import add_mode_shift, add_policy
from nbb_opt.model.arrays.projects import add_projects
from nbb_opt.model.arrays.rebalance import add_rebalance
from nbb_opt.model.arrays.terminals import add_terminals

# block -> its functions; built in the order of BUILD
BUILD = (
    ("flow", add_flow),
    ("projects", add_projects),
    ("links", add_links),
    ("terminals", add_terminals),
    ("fleet", add_driving),
    ("rebalance", add_rebalance),
    ("fleet", add_fleet),
    ("charging", add_charging),
    ("policy", add_policy),
    ("mode_shift", add_mode_shift),
)

__all__ = ["BUILD"]
